/* The rows of one index behind those of another: what several threads loaded
 * becomes one. */
#include "index_internal.h"

#include <stdlib.h>

/* Numbers of index for the names and segments of other. */
static int
know_names(struct bat_index *index, const struct bat_index *other,
    uint32_t *names)
{
	int code = BAT_OK;

	for (uint32_t i = 0; code == BAT_OK && i < other->names.count; i++)
		code = bat_intern_put(&index->names,
		    bat_intern_get(&other->names, i), &names[i]);
	return code;
}

static int
know_segments(struct bat_index *index, const struct bat_index *other,
    uint32_t *segments)
{
	int code = BAT_OK;

	for (uint32_t i = 0; code == BAT_OK && i < other->segment_count; i++)
		code = bat_index_segment(index, other->segments[i],
		    &segments[i]);
	return code;
}

/* What the rows of other become in index. */
struct renumbering {
	const uint32_t *names, *segments;
	uint64_t seq; /* of the first one */
};

/* Rows of one chunk of other, from its ordinal `from` on. */
static void
copy_rows(struct bat_index *index, uint32_t first,
    const struct bat_index_hot *rows, uint32_t from, uint32_t count,
    const struct renumbering *as)
{
	for (uint32_t i = 0; i < count; i++) {
		struct bat_index_hot *row = hot_at(index, first + from + i);

		*row = rows[i];
		row->seq = as->seq + from + i;
		row->place = (uint64_t)as->segments[row->place >> 40] << 40 |
		    (row->place & BAT_INDEX_OFFSET_MAX);
		if (row->entity != BAT_INTERN_NONE)
			row->entity = as->names[row->entity];
		if (row->scope != BAT_INTERN_NONE)
			row->scope = as->names[row->scope];
	}
}

/* Chunk by chunk, and each that was copied is room for the next: memory that a
 * thread touches first costs as much as reading a frame. */
static int
move_rows(struct bat_index *index, struct bat_index *other,
    const struct renumbering *as)
{
	uint32_t first = index->count, from = 0;
	int code = BAT_OK;

	for (size_t i = 0; code == BAT_OK && from < other->count; i++) {
		uint32_t left = other->count - from;
		uint32_t count = left < BAT_INDEX_CHUNK_ROWS ?
		    left :
		    BAT_INDEX_CHUNK_ROWS;

		code = bat_index_load_room(index, count);
		if (code != BAT_OK)
			break;
		copy_rows(index, first, other->hot[i], from, count, as);
		bat_index_spare_chunk(index, other->hot[i]);
		other->hot[i] = NULL;
		from += count;
	}
	if (code != BAT_OK)
		index->count = first;
	return code;
}

int
bat_index_append(struct bat_index *index, struct bat_index *other, uint64_t seq)
{
	uint32_t *names = malloc((other->names.count + 1) * sizeof(*names));
	uint32_t *segments = malloc(
	    ((size_t)other->segment_count + 1) * sizeof(*segments));
	const struct renumbering as = { names, segments, seq };
	int code = names == NULL || segments == NULL ? BAT_WORLD_NO_MEMORY :
						       BAT_OK;

	if (code == BAT_OK)
		code = know_names(index, other, names);
	if (code == BAT_OK)
		code = know_segments(index, other, segments);
	if (code == BAT_OK)
		code = move_rows(index, other, &as);
	other->count = 0;
	free(names);
	free(segments);
	return code;
}
