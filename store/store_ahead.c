/*
 * Events that are read one after the other: one look into the index for 64 of
 * them, one read of the disk for those that lie side by side. A line of a
 * stream costs 0.2 us of system calls and locks alone, 2 us each by itself.
 *
 * Nothing is believed longer than a caller's loop, and every frame is checked
 * as if it had been read by itself. What cannot be read in one piece is read
 * by itself, so that one bad block of the disk hides no event beside it.
 */
#include "segment_reader.h"
#include "store_internal.h"

#include <stdlib.h>

/* Bytes between two frames that are sooner read than jumped over. */
#define GAP_MAX (4u << 10)
/* Bytes that are read at once; a single frame may be longer. */
#define WINDOW_MAX (256u << 10)
/* Above, a length is held against the file before memory is asked for. */
#define FRAME_MAX (1u << 20)

struct bat_ahead {
	uint64_t generation;
	size_t count, next; /* next: behind the event taken last */
	bool alone;	    /* a window could not be read */
	/* What was read: of a segment, from start on. */
	uint64_t segment, start;
	struct bat_buf window;
	struct store_event events[BAT_READ_AHEAD_MAX];
};

static struct bat_slice
name_of(const struct bat_index *index, uint32_t number)
{
	return number < index->names.count ?
	    bat_intern_get(&index->names, number) :
	    BAT_SLICE_EMPTY;
}

void
bat_store_look_up(const struct bat_store *store, uint32_t ordinal,
    struct store_event *out)
{
	const struct bat_index *index = &store->view->index;

	out->ordinal = ordinal;
	out->there = ordinal < index->count &&
	    !bat_index_is_hidden(index, ordinal);
	if (!out->there)
		return;
	out->hot = *bat_index_hot_at(index, ordinal);
	out->segment = bat_index_segment_of(index, ordinal);
	out->dir = store->view->dir;
	out->entity = name_of(index, out->hot.entity);
	out->scope = name_of(index, out->hot.scope);
}

void
bat_read_ahead(struct bat_store *store, const uint32_t *ordinals, size_t count,
    struct bat_reading *reading)
{
	struct bat_ahead *ahead = reading->ahead;

	if (count == 0) {
		bat_store_ahead_forget(reading);
		return;
	}
	if (ahead == NULL) {
		ahead = malloc(sizeof(*ahead));
		/* Then each is read by itself. */
		if (ahead == NULL)
			return;
		ahead->window = BAT_BUF_EMPTY;
		ahead->segment = ahead->start = 0;
		reading->ahead = ahead;
	}
	ahead->count = count < BAT_READ_AHEAD_MAX ? count : BAT_READ_AHEAD_MAX;
	ahead->next = 0;
	ahead->alone = false;
	/* A frame that was not whole when it was read may be so by now. */
	bat_bytes_clear(&ahead->window);
	do {
		const struct bat_index *index = enter(store);

		ahead->generation = store->generation;
		/* Those of an entity are misses of the cache, each; so they
		 * come side by side. */
		bat_index_prefetch(index, ordinals, ahead->count);
		for (size_t i = 0; i < ahead->count; i++)
			bat_store_look_up(store, ordinals[i],
			    &ahead->events[i]);
	} while (!leave(store));
}

const struct store_event *
bat_store_ahead_take(struct bat_reading *reading, uint32_t ordinal,
    uint64_t *out_generation)
{
	struct bat_ahead *ahead = reading->ahead;

	if (ahead == NULL)
		return NULL;
	for (size_t i = ahead->next; i < ahead->count; i++) {
		if (ahead->events[i].ordinal != ordinal)
			continue;
		ahead->next = i + 1;
		*out_generation = ahead->generation;
		return &ahead->events[i];
	}
	return NULL;
}

/* Where to stop reading, for the event at `first` and those behind it that are
 * close enough. */
static uint64_t
window_end(const struct bat_ahead *ahead, size_t first)
{
	const struct store_event *event = &ahead->events[first];
	uint64_t start = store_event_offset(event);
	uint64_t end = start + event->hot.length;

	for (size_t i = first + 1; i < ahead->count; i++) {
		const struct store_event *next = &ahead->events[i];
		uint64_t offset = store_event_offset(next);

		if (!next->there || next->segment != event->segment ||
		    offset < end || offset - end > GAP_MAX ||
		    offset + next->hot.length - start > WINDOW_MAX)
			break;
		end = offset + next->hot.length;
	}
	return end;
}

bool
bat_store_ahead_frame(struct bat_reading *reading, struct bat_slice *out_bytes)
{
	struct bat_ahead *ahead = reading->ahead;
	const struct store_event *event = &ahead->events[ahead->next - 1];
	uint64_t offset = store_event_offset(event);
	size_t skip;

	if (ahead->alone || event->hot.length > FRAME_MAX)
		return false;
	if (event->segment != ahead->segment || offset < ahead->start ||
	    offset - ahead->start + event->hot.length > ahead->window.length) {
		ahead->segment = event->segment;
		ahead->start = offset;
		if (bat_segment_reader_span(event->dir, event->segment, offset,
			(size_t)(window_end(ahead, ahead->next - 1) - offset),
			&ahead->window, NULL) != BAT_OK) {
			ahead->alone = true;
			bat_bytes_clear(&ahead->window);
			return false;
		}
	}
	skip = (size_t)(offset - ahead->start);
	if (skip > ahead->window.length ||
	    event->hot.length > ahead->window.length - skip)
		return false;
	*out_bytes = bat_bytes_slice(ahead->window.data + skip,
	    event->hot.length);
	return true;
}

void
bat_store_ahead_forget(struct bat_reading *reading)
{
	if (reading->ahead != NULL)
		reading->ahead->count = 0;
}

void
bat_store_ahead_free(struct bat_reading *reading)
{
	if (reading->ahead == NULL)
		return;
	bat_bytes_free(&reading->ahead->window);
	free(reading->ahead);
	reading->ahead = NULL;
}
