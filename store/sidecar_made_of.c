/*
 * What the sidecar was made from: written down, and compared with what is
 * there. The rule of belief (sidecar.h) is this file.
 */
#include "sidecar_parts.h"

#include <errno.h>
#include <stdlib.h>

#include "hidden.h"
#include "rowindex.h"

#define BESIDE_COUNT 3
#define SETTLED_NS INT64_C(2000000000)

/* Identity of a file: inode, size, mtime, ctime; zeros for an absent one. */
struct stamp {
	uint64_t numbers[4];
};

/* The files beside the segments whose state is recorded, in this order. */
static const char *const beside_names[BESIDE_COUNT] = {
	BAT_ROWINDEX_FILE,
	BAT_CHECKPOINT_FILE,
	BAT_HIDDEN_FILE,
};

static struct stamp
stamp_of(const struct bat_file_stat *stat)
{
	return (struct stamp){ { stat->inode, stat->size,
	    (uint64_t)stat->mtime_ns, (uint64_t)stat->ctime_ns } };
}

static int
stamp_file(struct bat_segment_dir *dir, const char *name, struct stamp *out,
    struct bat_error *error)
{
	const struct bat_disk *disk = dir->disk;
	struct bat_file_stat stat;
	int code = disk->stat_at(disk->context, dir->dir, name, &stat);

	memset(out, 0, sizeof(*out));
	if (code == -ENOENT)
		return BAT_OK;
	if (code < 0)
		return bat_error_set_os(error, -code, "cannot stat %s", name);
	*out = stamp_of(&stat);
	return BAT_OK;
}

/* ---- writing it down ---------------------------------------------------- */

static int
put_stamp(struct bat_buf *tables, const struct stamp *stamp)
{
	int code = BAT_OK;

	for (size_t i = 0; code == BAT_OK && i < 4; i++)
		code = bat_bytes_append_le(tables, stamp->numbers[i], 8);
	return code;
}

static bool
is_young(const struct stamp *stamp, int64_t now_ns)
{
	return (int64_t)stamp->numbers[3] > now_ns - SETTLED_NS &&
	    !BAT_PLANT(31);
}

/* Changed behind our back, after its rows were read? */
static bool
was_changed(const struct bat_segment_info *info, const struct stamp *stamp,
    uint64_t found_segment)
{
	const struct stamp found = stamp_of(&info->stat);

	return info->id <= found_segment && !BAT_PLANT(330) &&
	    memcmp(&found, stamp, sizeof(found)) != 0;
}

static int
put_segment(const struct bat_index *index, uint64_t id,
    const struct stamp *stamp, struct bat_buf *tables)
{
	int code = bat_bytes_append_le(tables, id, 8);

	if (code == BAT_OK)
		code = put_stamp(tables, stamp);
	return code == BAT_OK ?
	    bat_bytes_append_le(tables,
		bat_index_lower_place(index, index->count, id, 0), 8) :
	    code;
}

/*
 * Rows say where a segment stands in the index's list, and who loads them makes
 * that list from the directory. They differ where a segment was unlinked, or
 * made and nothing written into it.
 */
static bool
is_in_place(const struct bat_segment_dir *dir, const struct bat_index *index,
    size_t number)
{
	return number < index->segment_count &&
	    dir->segments[number].id == index->segments[number];
}

/* Behind one that is too young none is put down, but each is asked whether it
 * was changed. */
static int
put_segments(struct bat_segment_dir *dir, const struct bat_index *index,
    uint64_t found_segment, int64_t now_ns, struct bat_buf *tables,
    uint32_t *out_segments, struct bat_error *error)
{
	const struct bat_disk *disk = dir->disk;
	bool settled = true;

	*out_segments = 0;
	for (size_t i = 0; i < dir->count; i++) {
		const struct bat_segment_info *info = &dir->segments[i];
		struct bat_file_stat stat;
		struct stamp stamp;
		int code = disk->stat_at(disk->context, dir->dir, info->name,
		    &stat);

		if (code < 0)
			return bat_error_set_os(error, -code, "cannot stat %s",
			    info->name);
		stamp = stamp_of(&stat);
		if (was_changed(info, &stamp, found_segment))
			return BAT_END;
		settled = settled && !is_young(&stamp, now_ns);
		if (!settled)
			continue;
		if (!is_in_place(dir, index, i))
			return BAT_END;
		code = put_segment(index, info->id, &stamp, tables);
		if (code != BAT_OK)
			return code;
		*out_segments = (uint32_t)i + 1;
	}
	return BAT_OK;
}

int
bat_sidecar_put_files(struct bat_segment_dir *dir,
    const struct bat_index *index, uint64_t found_segment, int64_t now_ns,
    struct bat_buf *tables, uint32_t *out_segments, struct bat_error *error)
{
	struct stamp stamp;
	int code = put_segments(dir, index, found_segment, now_ns, tables,
	    out_segments, error);

	for (size_t i = 0; code == BAT_OK && i < BESIDE_COUNT; i++) {
		code = stamp_file(dir, beside_names[i], &stamp, error);
		if (code == BAT_OK && is_young(&stamp, now_ns))
			return BAT_END;
		if (code == BAT_OK)
			code = put_stamp(tables, &stamp);
	}
	return code;
}

/* ---- comparing ----------------------------------------------------------- */

static uint64_t
take64(struct sidecar_tables *tables)
{
	uint64_t value = 0;

	if (tables->end - tables->at < 8) {
		tables->cut = true;
		return 0;
	}
	value = bat_bytes_get_le64(tables->at);
	tables->at += 8;
	return value;
}

struct bat_slice
bat_sidecar_take(struct sidecar_tables *tables, size_t length)
{
	struct bat_slice bytes = bat_bytes_slice(tables->at, length);

	if ((size_t)(tables->end - tables->at) < length) {
		tables->cut = true;
		return BAT_SLICE_EMPTY;
	}
	tables->at += length;
	return bytes;
}

static bool
stamp_matches(struct sidecar_tables *tables, const struct stamp *found)
{
	bool same = true;

	for (size_t i = 0; i < 4; i++)
		same = (take64(tables) == found->numbers[i] ||
			   (BAT_PLANT(30) && i == 3)) &&
		    same;
	return same && !tables->cut;
}

/* Are the recorded files those that are there? Notes where their rows begin. */
int
bat_sidecar_check_files(struct bat_segment_dir *dir,
    struct sidecar_tables *tables, uint64_t segments,
    struct bat_index_base *base, struct bat_sidecar_state *state,
    struct bat_error *why)
{
	struct stamp stamp;
	uint64_t row = 0, before;

	if (segments > dir->count)
		return bat_error_set(why, BAT_END, "segments are gone");
	base->segment_rows = malloc(
	    ((size_t)segments + 1) * sizeof(*base->segment_rows));
	if (base->segment_rows == NULL)
		return BAT_WORLD_NO_MEMORY;
	base->segments = (uint32_t)segments;
	for (uint64_t i = 0; i < segments; i++) {
		const struct bat_segment_info *info = &dir->segments[i];

		stamp = stamp_of(&info->stat);
		if (take64(tables) != info->id ||
		    !stamp_matches(tables, &stamp))
			return bat_error_set(why, BAT_END,
			    "segment %llu is another one or was changed",
			    (unsigned long long)info->id);
		state->covered_segment = info->id;
		before = row;
		row = take64(tables);
		if (row < before || row > base->count)
			return bat_error_set(why, BAT_DATA_CORRUPT,
			    "rows of segments do not rise");
		base->segment_rows[i] = (uint32_t)row;
	}
	for (size_t i = 0; i < BESIDE_COUNT; i++) {
		int code = stamp_file(dir, beside_names[i], &stamp, why);

		if (code != BAT_OK)
			return code;
		if (!stamp_matches(tables, &stamp))
			return bat_error_set(why, BAT_END, "%s was changed",
			    beside_names[i]);
	}
	return BAT_OK;
}
