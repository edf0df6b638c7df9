#include "pin.h"

#include <stdio.h>
#include <stdlib.h>

#include "checkpoint.h"
#include "hidden.h"
#include "recovery.h"
#include "rowindex.h"

_Static_assert(BAT_PIN_NAME_SIZE >= BAT_SEGMENT_NAME_SIZE, "names fit");

/* ---- names ------------------------------------------------------------- */

static const char *const other_names[] = {
	[BAT_PIN_HIDDEN] = BAT_HIDDEN_FILE,
	[BAT_PIN_CHECKPOINT] = BAT_CHECKPOINT_FILE,
	[BAT_PIN_ROWINDEX] = BAT_ROWINDEX_FILE,
};

void
bat_pin_name(enum bat_pin_kind kind, uint64_t segment,
    char out[BAT_PIN_NAME_SIZE])
{
	if (kind == BAT_PIN_SEGMENT)
		bat_segment_name(segment, out);
	else
		snprintf(out, BAT_PIN_NAME_SIZE, "%s", other_names[kind]);
}

bool
bat_pin_of_name(struct bat_slice name, enum bat_pin_kind *out_kind,
    uint64_t *out_segment)
{
	char text[BAT_PIN_NAME_SIZE];

	*out_segment = 0;
	for (int i = BAT_PIN_HIDDEN; i <= BAT_PIN_ROWINDEX; i++) {
		*out_kind = (enum bat_pin_kind)i;
		if (bat_bytes_equal(name, bat_bytes_text(other_names[i])))
			return true;
	}
	*out_kind = BAT_PIN_SEGMENT;
	if (name.length >= sizeof(text) ||
	    memchr(name.data, '\0', name.length) != NULL)
		return false;
	memcpy(text, name.data, name.length);
	text[name.length] = '\0';
	return bat_segment_id_of_name(text, out_segment);
}

/* ---- what belongs to it ------------------------------------------------ */

/* How much of a segment is whole frames; 0: nothing, or it goes. */
static uint64_t
sound_size(const struct bat_recovery *recovery, uint64_t id, uint64_t size)
{
	for (size_t i = 0; i < recovery->heal_drop_count; i++)
		if (recovery->heal_drop[i] == id)
			return 0;
	for (size_t i = 0; i < recovery->cut_count; i++)
		if (!BAT_PLANT(160) && recovery->cuts[i].segment == id &&
		    recovery->cuts[i].offset < size)
			size = recovery->cuts[i].offset;
	return size;
}

struct bat_pin_point
bat_pin_end(const struct bat_segment_dir *dir,
    const struct bat_recovery *recovery)
{
	struct bat_pin_point end = { .segment = 0 };

	for (size_t i = dir->count; i > 0 && end.offset == 0; i--) {
		end.segment = dir->segments[i - 1].id;
		end.offset = sound_size(recovery, end.segment,
		    dir->segments[i - 1].stat.size);
	}
	if (end.offset == 0)
		end.segment = 0;
	return end;
}

struct bat_pin_index
bat_pin_index_of(const struct bat_recovery *recovery)
{
	bool rowindex = recovery->source == BAT_RECOVERY_ROWINDEX;

	return (struct bat_pin_index){
		.there = recovery->has_index &&
		    !(rowindex ? recovery->drop_rowindex :
				 recovery->drop_checkpoint),
		.rowindex = rowindex,
		.segment = recovery->watermark_segment,
		.offset = recovery->watermark_offset,
	};
}

/* ---- opening ----------------------------------------------------------- */

static int
stat_file(const struct bat_pin *pin, struct bat_pin_file *file,
    struct bat_error *error)
{
	const struct bat_disk *disk = pin->dir->disk;
	struct bat_file_stat stat;
	int code = disk->stat_fd(disk->context, file->fd, &stat);

	if (code < 0)
		return bat_error_set_os(error, -code, "cannot stat %s",
		    file->name);
	file->size = stat.size;
	file->inode = stat.inode;
	file->mtime_ns = stat.mtime_ns;
	return BAT_OK;
}

/* pin->files has room. */
static int
add_segment(struct bat_pin *pin, const struct bat_recovery *recovery,
    uint64_t id, struct bat_error *error)
{
	struct bat_pin_file *file = &pin->files[pin->count];
	int code;

	*file = (struct bat_pin_file){ .kind = BAT_PIN_SEGMENT, .segment = id };
	bat_pin_name(BAT_PIN_SEGMENT, id, file->name);
	if (sound_size(recovery, id, UINT64_MAX) == 0)
		return BAT_OK;
	code = bat_segment_dir_hold(pin->dir, id, &file->fd, error);
	if (code != BAT_OK)
		return code;
	pin->count++;
	code = stat_file(pin, file, error);
	file->size = sound_size(recovery, id, file->size);
	if (!BAT_PLANT(161) && id == pin->end.segment &&
	    pin->end.offset < file->size)
		file->size = pin->end.offset;
	return code;
}

static int
add_segments(struct bat_pin *pin, const struct bat_recovery *recovery,
    struct bat_error *error)
{
	uint64_t *ids;
	size_t count;
	int code = bat_segment_dir_ids(pin->dir, &ids, &count);

	if (code == BAT_OK)
		pin->files = calloc(count + 2, sizeof(*pin->files));
	if (pin->files == NULL)
		code = BAT_WORLD_NO_MEMORY;
	if (code != BAT_OK)
		bat_error_set(error, code, "no memory for a pin");
	for (size_t i = 0; code == BAT_OK && i < count; i++)
		if (ids[i] <= pin->end.segment)
			code = add_segment(pin, recovery, ids[i], error);
	free(ids);
	return code;
}

/* A file that need not be there. pin->files has room. */
static int
add_other(struct bat_pin *pin, enum bat_pin_kind kind,
    const struct bat_pin_index *index, struct bat_error *error)
{
	struct bat_pin_file *file = &pin->files[pin->count];
	int code;

	*file = (struct bat_pin_file){ .kind = kind,
		.watermark_segment = index->segment,
		.watermark_offset = index->offset };
	bat_pin_name(kind, 0, file->name);
	code = bat_file_open_read(pin->dir->disk, pin->dir->dir, file->name,
	    &file->fd, error);
	if (code == BAT_WORLD_ABSENT)
		return BAT_OK;
	if (code != BAT_OK)
		return code;
	pin->count++;
	return stat_file(pin, file, error);
}

static bool
speaks_later(const struct bat_pin_index *index, const struct bat_pin_point *end)
{
	return index->segment > end->segment ||
	    (index->segment == end->segment && index->offset > end->offset);
}

/* Checksums of files that are still the same. Segments only grow, hidden
 * ranges and index files are replaced whole. */
static void
inherit(struct bat_pin *pin, struct bat_pin *previous)
{
	size_t at = 0;

	pthread_mutex_lock(&previous->mutex);
	for (size_t i = 0; i < pin->count; i++) {
		struct bat_pin_file *file = &pin->files[i];
		const struct bat_pin_file *old;

		while (at < previous->count &&
		    (previous->files[at].kind < file->kind ||
			(previous->files[at].kind == file->kind &&
			    previous->files[at].segment < file->segment)))
			at++;
		old = &previous->files[at];
		if (at == previous->count || old->kind != file->kind ||
		    old->segment != file->segment || old->inode != file->inode)
			continue;
		if (!BAT_PLANT(162) &&
		    (old->size != file->size ||
			old->mtime_ns != file->mtime_ns))
			continue;
		file->hashed = old->hashed;
		memcpy(file->sha256, old->sha256, sizeof(file->sha256));
	}
	pthread_mutex_unlock(&previous->mutex);
}

int
bat_pin_make(struct bat_segment_dir *dir, const struct bat_recovery *recovery,
    const struct bat_pin_point *end, const struct bat_pin_index *index,
    struct bat_pin *previous, struct bat_pin **out, struct bat_error *error)
{
	struct bat_pin *pin = calloc(1, sizeof(*pin));
	int code;

	if (pin == NULL || pthread_mutex_init(&pin->mutex, NULL) != 0) {
		free(pin);
		return bat_error_set(error, BAT_WORLD_NO_MEMORY, "no memory");
	}
	atomic_init(&pin->holders, 1);
	pin->dir = dir;
	pin->end = *end;
	code = add_segments(pin, recovery, error);
	if (code == BAT_OK)
		code = add_other(pin, BAT_PIN_HIDDEN,
		    &(struct bat_pin_index){ .there = true }, error);
	if (code == BAT_OK && index->there && !speaks_later(index, end))
		code = add_other(pin,
		    index->rowindex ? BAT_PIN_ROWINDEX : BAT_PIN_CHECKPOINT,
		    index, error);
	if (code != BAT_OK) {
		bat_pin_release(pin);
		return code;
	}
	if (previous != NULL)
		inherit(pin, previous);
	*out = pin;
	return BAT_OK;
}

static void
close_file(const struct bat_pin *pin, const struct bat_pin_file *file)
{
	if (file->kind == BAT_PIN_SEGMENT)
		bat_segment_dir_release(pin->dir, file->segment);
	else
		bat_file_close(pin->dir->disk, file->fd);
}

void
bat_pin_drop_index(struct bat_pin *pin)
{
	if (pin->count == 0 ||
	    pin->files[pin->count - 1].kind < BAT_PIN_CHECKPOINT)
		return;
	pin->count--;
	close_file(pin, &pin->files[pin->count]);
}

void
bat_pin_hold(struct bat_pin *pin)
{
	atomic_fetch_add(&pin->holders, 1);
}

void
bat_pin_release(struct bat_pin *pin)
{
	if (pin == NULL || atomic_fetch_sub(&pin->holders, 1) > 1)
		return;
	for (size_t i = 0; i < pin->count; i++)
		close_file(pin, &pin->files[i]);
	pthread_mutex_destroy(&pin->mutex);
	free(pin->files);
	free(pin);
}

bool
bat_pin_is_shared(const struct bat_pin *pin)
{
	return atomic_load(&pin->holders) > 1;
}
