/*
 * Rows whose segments became one: the same events in the same order, standing
 * elsewhere.
 */
#include "index_internal.h"

#include <assert.h>
#include <stdlib.h>

/* Where in the list of segments those of ids stand: [*out_first, *out_end).
 * One in which nothing was ever written need not be there. */
static void
find_run(const struct bat_index *index, const uint64_t *ids, size_t id_count,
    uint32_t *out_first, uint32_t *out_end)
{
	uint32_t first = 0, end;

	while (first < index->segment_count && index->segments[first] < ids[0])
		first++;
	for (end = first; end < index->segment_count &&
	     index->segments[end] <= ids[id_count - 1];
	     end++)
		;
	*out_first = first;
	*out_end = end;
}

static uint64_t
moved_offset(const struct bat_index_move *move, uint64_t segment,
    uint64_t offset)
{
	assert(move->segment == segment && offset >= move->from &&
	    offset - move->from < move->length);
	(void)segment;
	return move->to + (offset - move->from);
}

/* The rows of the run and those behind it. */
static void
move_rows(struct bat_index *index, uint32_t row, uint32_t first, uint32_t end,
    const struct bat_index_move *moves, size_t move_count)
{
	size_t at = 0;

	for (; row < index->count; row++) {
		struct bat_index_hot *hot = hot_at(index, row);
		uint32_t position = (uint32_t)(hot->place >> 40);
		uint64_t offset = hot->place & BAT_INDEX_OFFSET_MAX;

		if (position < end) {
			uint64_t segment = index->segments[position];

			while (at < move_count &&
			    (moves[at].segment < segment ||
				(moves[at].segment == segment &&
				    moves[at].from + moves[at].length <=
					offset)))
				at++;
			assert(at < move_count);
			offset = moved_offset(&moves[at], segment, offset);
			position = first;
		} else {
			position -= end - first - 1;
		}
		hot->place = (uint64_t)position << 40 | offset;
	}
}

void
bat_index_merge(struct bat_index *index, const uint64_t *ids, size_t id_count,
    uint64_t merged, const struct bat_index_move *moves, size_t move_count)
{
	uint32_t row = bat_index_lower_place(index, index->count, ids[0], 0);
	uint32_t first, end;

	index->merges++;
	free(index->base.segment_rows);
	index->base.segment_rows = NULL;
	find_run(index, ids, id_count, &first, &end);
	if (first == end)
		return;
	move_rows(index, row, first, end, moves, move_count);
	index->segments[first] = merged;
	memmove(index->segments + first + 1, index->segments + end,
	    (index->segment_count - end) * sizeof(*index->segments));
	index->segment_count -= end - first - 1;
	index->segment_hand = 0;
	if (index->visible_count == 0)
		return;
	if (index->first_visible >= row)
		index->first_row = *hot_at(index, index->first_visible);
	if (index->last_visible >= row)
		index->last_row = *hot_at(index, index->last_visible);
}
