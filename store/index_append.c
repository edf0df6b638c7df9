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

static void
copy_rows(struct bat_index *index, uint32_t first,
    const struct bat_index *other, uint64_t seq, const uint32_t *names,
    const uint32_t *segments)
{
	for (uint32_t i = 0; i < other->count; i++) {
		struct bat_index_hot *row = hot_at(index, first + i);

		*row = *hot_at(other, i);
		row->seq = seq + i;
		row->place = (uint64_t)segments[row->place >> 40] << 40 |
		    (row->place & BAT_INDEX_OFFSET_MAX);
		if (row->entity != BAT_INTERN_NONE)
			row->entity = names[row->entity];
		if (row->scope != BAT_INTERN_NONE)
			row->scope = names[row->scope];
	}
}

int
bat_index_append(struct bat_index *index, const struct bat_index *other,
    uint64_t seq)
{
	uint32_t first = index->count;
	uint32_t *names = malloc((other->names.count + 1) * sizeof(*names));
	uint32_t *segments = malloc(
	    ((size_t)other->segment_count + 1) * sizeof(*segments));
	int code = names == NULL || segments == NULL ? BAT_WORLD_NO_MEMORY :
						       BAT_OK;

	if (code == BAT_OK)
		code = know_names(index, other, names);
	if (code == BAT_OK)
		code = know_segments(index, other, segments);
	if (code == BAT_OK)
		code = bat_index_load_room(index, other->count);
	if (code == BAT_OK)
		copy_rows(index, first, other, seq, names, segments);
	free(names);
	free(segments);
	return code;
}
