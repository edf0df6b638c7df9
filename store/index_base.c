/*
 * Rows and lists of a base: read when they are first asked for, checked by
 * the blockfile. What does not hold makes the index broken: zeros are handed
 * out for now, and whoever owns the index makes it anew.
 */
#include "index_internal.h"

#include <stdlib.h>

int
bat_index_set_base(struct bat_index *index, const struct bat_index_base *base)
{
	uint64_t chunks = ((uint64_t)base->count + BAT_INDEX_CHUNK_ROWS - 1) /
	    BAT_INDEX_CHUNK_ROWS;

	index->hot = calloc((size_t)chunks + 1, sizeof(*index->hot));
	index->zeros = calloc(BAT_INDEX_CHUNK_ROWS, sizeof(**index->hot));
	if (index->hot == NULL || index->zeros == NULL ||
	    bat_index_make_tables(index, base) != BAT_OK)
		return BAT_WORLD_NO_MEMORY;
	index->chunk_capacity = (size_t)chunks + 1;
	index->chunk_count = (size_t)chunks;
	index->count = base->count;
	index->base = *base;
	index->has_base = true;
	return BAT_OK;
}

/* Rows of chunk `number` that the base holds, into chunk. */
static int
read_rows(const struct bat_index *index, size_t number,
    struct bat_index_hot *chunk)
{
	uint64_t first = (uint64_t)number * BAT_INDEX_CHUNK_ROWS;
	uint64_t left = index->base.count - first;
	size_t rows = left < BAT_INDEX_CHUNK_ROWS ? (size_t)left :
						    BAT_INDEX_CHUNK_ROWS;
	int code = bat_blockfile_read(&index->base.file,
	    index->base.rows_at + first * sizeof(*chunk), chunk,
	    rows * sizeof(*chunk), NULL);

	/* No number of a checked row is used before it is checked itself: the
	 * file may be somebody's work. */
	for (size_t i = 0; code == BAT_OK && i < rows; i++)
		if ((chunk[i].entity >= index->names.count &&
			chunk[i].entity != BAT_INTERN_NONE) ||
		    (chunk[i].scope >= index->names.count &&
			chunk[i].scope != BAT_INTERN_NONE) ||
		    chunk[i].place >> 40 >= index->segment_count)
			code = BAT_DATA_CORRUPT;
	return code;
}

struct bat_index_hot *
bat_index_fetch_chunk(struct bat_index *index, size_t number)
{
	size_t size = BAT_INDEX_CHUNK_ROWS * sizeof(struct bat_index_hot);
	struct bat_index_hot *chunk;

	pthread_mutex_lock(&index->late_mutex);
	chunk = index->hot[number];
	if (chunk == NULL) {
		chunk = malloc(size);
		if (chunk == NULL ||
		    read_rows(index, number, chunk) != BAT_OK) {
			/* Nobody above can be told here. */
			free(chunk);
			chunk = index->zeros;
			index->broken = true;
		} else {
			__atomic_store_n(&index->hot[number], chunk,
			    __ATOMIC_RELEASE);
		}
	}
	pthread_mutex_unlock(&index->late_mutex);
	return chunk;
}

void
bat_index_fetch_list(struct bat_index *index, struct bat_index_list *list,
    uint32_t limit)
{
	pthread_mutex_lock(&index->late_mutex);
	if (list->stored) {
		size_t length = list->count * sizeof(uint32_t);
		uint32_t *ordinals = malloc(length + 1);
		int code = ordinals == NULL ?
		    BAT_WORLD_NO_MEMORY :
		    bat_blockfile_read(&index->base.file,
			index->base.lists_at +
			    list->stored_at * sizeof(uint32_t),
			ordinals, length, NULL);

		for (uint32_t i = 0; code == BAT_OK && i < list->count; i++)
			if (ordinals[i] >= limit)
				code = BAT_DATA_CORRUPT;
		if (code != BAT_OK) {
			list->count = 0;
			index->broken = true;
		}
		list->ordinals = ordinals;
		list->capacity = ordinals == NULL ? 0 : list->count;
		__atomic_store_n(&list->stored, false, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&index->late_mutex);
}
