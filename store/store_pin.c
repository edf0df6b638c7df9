/*
 * Pins through the door: which moment it is, and what belongs to it. No lead is
 * taken and no sync waited for: the writer tells, with the index locked, how
 * far the disk has what is visible. Of a read-only store the follower does, and
 * is kept from moving on meanwhile; there is no sync to be known of.
 */
#include "store_internal.h"

/* A compaction or another index file may come in between; then again. */
#define ATTEMPTS 8

/* What is pinned, as of one moment. */
struct moment {
	struct bat_pin_point end;
	struct bat_pin_index index_file;
	uint64_t generation, merges;
	struct bat_segment_dir *dir;
	const struct bat_recovery *recovery; /* lives as long as the store */
	uint64_t visible_count;
	uint32_t last; /* visible; BAT_INDEX_NOTHING */
	struct bat_row row;
};

/* Visible rows that are not on disk yet: few, and none where each append
 * waits for the disk. */
static uint64_t
visible_behind(const struct bat_index *index, uint32_t ordinal)
{
	uint64_t count = 0;

	for (; ordinal < index->count; ordinal++)
		count += !bat_index_is_hidden(index, ordinal);
	return count;
}

static uint32_t
last_visible(const struct bat_index *index, uint32_t end)
{
	if (index->visible_count == 0 || index->first_visible >= end)
		return BAT_INDEX_NOTHING;
	if (index->last_visible < end)
		return index->last_visible;
	while (bat_index_is_hidden(index, --end))
		;
	return end;
}

static void
look(struct bat_store *store, struct moment *out)
{
	const struct bat_index *index;

	do {
		index = enter(store);
		*out = (struct moment){
			.end = store->writer.durable,
			.index_file = store->writer.index_file,
			.generation = store->generation,
			.merges = index->merges,
			.dir = store->view->dir,
			.recovery = &store->view->recovery,
		};
		out->visible_count = index->visible_count -
		    visible_behind(index, out->end.ordinals);
		out->last = last_visible(index, out->end.ordinals);
		if (out->last != BAT_INDEX_NOTHING)
			bat_index_row(index, out->last, &out->row);
	} while (!leave(store));
}

static bool
index_file_changed(struct bat_store *store, const struct moment *moment)
{
	unsigned changes;

	pthread_rwlock_rdlock(&store->lock);
	changes = store->writer.index_file.changes;
	pthread_rwlock_unlock(&store->lock);
	return changes != moment->index_file.changes;
}

/* ---- which events a file holds ----------------------------------------- */

/* Its rows by place: while the index has them where the pin has. */
static void
rows_of(const struct bat_index *index, const struct bat_pin *pin,
    struct bat_pin_file *file)
{
	uint32_t end = pin->end.ordinals;

	if (end > index->count)
		end = index->count;
	file->first_row = 0;
	if (file->kind == BAT_PIN_SEGMENT) {
		bat_index_segment_rows(index, file->segment, end,
		    &file->first_row, &file->end_row);
	} else {
		file->end_row = bat_index_lower_place(index, end,
		    file->watermark_segment, file->watermark_offset);
	}
}

/* Of all files. False: since the moment segments became others, and the pin may
 * have some of both. */
static bool
note_rows(struct bat_store *store, const struct moment *moment,
    struct bat_pin *pin)
{
	const struct bat_index *index;
	bool same;

	do {
		index = enter(store);
		same = store->generation == moment->generation &&
		    index->merges == moment->merges;
		for (size_t i = 0; same && i < pin->count; i++)
			rows_of(index, pin, &pin->files[i]);
	} while (!leave(store));
	return same;
}

static bool
span(const struct bat_store *store, const struct bat_pin *pin,
    const struct bat_pin_file *file, struct bat_row *first,
    struct bat_row *last)
{
	const struct bat_index *index = &store->view->index;
	struct bat_pin_file now = *file;
	uint32_t from, to;

	/* Ordinals hold as long as the generation does. */
	if (store->generation != pin->generation)
		rows_of(index, pin, &now);
	from = now.first_row;
	to = now.end_row;
	while (from < to && bat_index_is_hidden(index, from))
		from++;
	while (from < to && bat_index_is_hidden(index, to - 1))
		to--;
	if (from >= to)
		return false;
	bat_index_row(index, from, first);
	bat_index_row(index, to - 1, last);
	return true;
}

bool
bat_pinned_span(struct bat_store *store, const struct bat_pin *pin, size_t file,
    struct bat_row *first, struct bat_row *last)
{
	bool any;

	do {
		(void)enter(store);
		any = span(store, pin, &pin->files[file], first, last);
	} while (!leave(store));
	return any;
}

/* ---- taking it ----------------------------------------------------------- */

static int
take(struct bat_store *store, struct bat_pin *previous, struct bat_pin **out,
    struct bat_error *error)
{
	struct bat_pin *pin = NULL;
	struct moment moment;
	int code = BAT_WORLD_ABSENT;

	for (unsigned i = 0; code == BAT_WORLD_ABSENT && i < ATTEMPTS; i++) {
		look(store, &moment);
		if (previous != NULL &&
		    previous->generation == moment.generation &&
		    previous->merges == moment.merges &&
		    previous->end.ordinals == moment.end.ordinals) {
			bat_pin_hold(previous);
			*out = previous;
			return BAT_OK;
		}
		code = bat_pin_make(moment.dir, moment.recovery, &moment.end,
		    &moment.index_file, previous, &pin, error);
		if (code == BAT_OK && !note_rows(store, &moment, pin)) {
			bat_pin_release(pin);
			code = bat_error_set(error, BAT_WORLD_ABSENT,
			    "a compaction came in between");
		}
	}
	if (code != BAT_OK)
		return code;
	if (index_file_changed(store, &moment) ||
	    !bat_store_index_stands(store))
		bat_pin_drop_index(pin);
	pin->generation = moment.generation;
	pin->merges = moment.merges;
	pin->visible_count = moment.visible_count;
	pin->hidden_count = moment.end.ordinals - moment.visible_count;
	if (moment.last != BAT_INDEX_NOTHING) {
		pin->last_seq = moment.row.seq;
		pin->last_id = moment.row.id;
		pin->last_wall_ms = moment.row.wall_ms;
	}
	*out = pin;
	return BAT_OK;
}

int
bat_take_pin(struct bat_store *store, struct bat_pin *previous,
    struct bat_pin **out, struct bat_error *error)
{
	int code;

	if (!store->options.read_only)
		return take(store, previous, out, error);
	pthread_mutex_lock(&store->writer.lead);
	code = take(store, previous, out, error);
	pthread_mutex_unlock(&store->writer.lead);
	return code;
}
