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
	uint64_t generation;
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
		    previous->end.ordinals == moment.end.ordinals) {
			bat_pin_hold(previous);
			*out = previous;
			return BAT_OK;
		}
		code = bat_pin_make(moment.dir, moment.recovery, &moment.end,
		    &moment.index_file, previous, &pin, error);
	}
	if (code != BAT_OK)
		return code;
	if (index_file_changed(store, &moment) ||
	    !bat_store_index_stands(store))
		bat_pin_drop_index(pin);
	pin->generation = moment.generation;
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

/* ---- which events a file holds ----------------------------------------- */

/* The first of the rows [0, end) that stands at or behind a place. */
static uint32_t
lower_place(const struct bat_index *index, uint32_t end, uint64_t segment,
    uint64_t offset)
{
	uint32_t low = 0;

	while (low < end) {
		uint32_t middle = low + (end - low) / 2;
		uint64_t at = bat_index_segment_of(index, middle);

		if (at < segment ||
		    (at == segment &&
			bat_index_offset_of(index, middle) < offset))
			low = middle + 1;
		else
			end = middle;
	}
	return low;
}

static bool
span(const struct bat_index *index, const struct bat_pin *pin,
    const struct bat_pin_file *file, struct bat_row *first,
    struct bat_row *last)
{
	uint32_t end = pin->end.ordinals, from = 0, to;

	if (end > index->count)
		end = index->count;
	if (file->kind == BAT_PIN_SEGMENT) {
		from = lower_place(index, end, file->segment, 0);
		to = lower_place(index, end, file->segment, UINT64_MAX);
	} else {
		to = lower_place(index, end, file->watermark_segment,
		    file->watermark_offset);
	}
	while (from < to && bat_index_is_hidden(index, from))
		from++;
	while (from < to && bat_index_is_hidden(index, to - 1))
		to--;
	if (from == to)
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
		any = span(enter(store), pin, &pin->files[file], first, last);
	} while (!leave(store));
	return any;
}
