/*
 * Rows and lists of a base: read when they are first asked for, checked by
 * the blockfile. What does not hold makes the index broken: zeros are handed
 * out for now, and whoever owns the index makes it anew.
 */
#include "index_internal.h"

#include <stdlib.h>

/* A walk over the rows reads so many pages at a time. */
#define AHEAD_PAGES 8u

int
bat_index_set_base(struct bat_index *index, const struct bat_index_base *base)
{
	uint64_t chunks = ((uint64_t)base->count + BAT_INDEX_CHUNK_ROWS - 1) /
	    BAT_INDEX_CHUNK_ROWS;

	index->hot = calloc((size_t)chunks + 1, sizeof(*index->hot));
	index->row_pages = calloc(base->count / INDEX_ROW_PAGE + 1, 1);
	if (index->hot == NULL || index->row_pages == NULL ||
	    bat_index_make_tables(index, base) != BAT_OK)
		return BAT_WORLD_NO_MEMORY;
	index->chunk_capacity = (size_t)chunks + 1;
	index->chunk_count = (size_t)chunks;
	index->count = base->count;
	index->base = *base;
	index->has_base = true;
	return BAT_OK;
}

/* Rows [first, first + count) of the base. */
static int
read_rows(const struct bat_index *index, uint32_t first, uint32_t count,
    struct bat_index_hot *rows)
{
	int code = bat_blockfile_read(&index->base.file,
	    index->base.rows_at + (uint64_t)first * sizeof(*rows), rows,
	    count * sizeof(*rows), NULL);

	/* No number of a checked row is used before it is checked itself: the
	 * file may be somebody's work. */
	for (uint32_t i = 0; code == BAT_OK && i < count; i++)
		if ((rows[i].entity >= index->names.count &&
			rows[i].entity != BAT_INTERN_NONE) ||
		    (rows[i].scope >= index->names.count &&
			rows[i].scope != BAT_INTERN_NONE) ||
		    rows[i].place >> 40 >= index->segment_count)
			code = BAT_DATA_CORRUPT;
	return code;
}

/* How many pages to read from one on: more where the one before it is there
 * already, none that is, and all of one chunk. */
static uint32_t
pages_from(const struct bat_index *index, uint32_t page)
{
	const uint32_t per_chunk = BAT_INDEX_CHUNK_ROWS / INDEX_ROW_PAGE;
	uint32_t last = (index->base.count - 1) / INDEX_ROW_PAGE;
	uint32_t count = 1;

	if (page == 0 || !index->row_pages[page - 1])
		return count;
	while (count < AHEAD_PAGES && page + count <= last &&
	    (page + count) % per_chunk != 0 && !index->row_pages[page + count])
		count++;
	return count;
}

static void
read_pages(struct bat_index *index, struct bat_index_hot *chunk, uint32_t page)
{
	uint32_t first = page * INDEX_ROW_PAGE;
	uint32_t pages = pages_from(index, page);
	uint32_t count = pages * INDEX_ROW_PAGE;
	struct bat_index_hot *rows = chunk + first % BAT_INDEX_CHUNK_ROWS;

	if (count > index->base.count - first)
		count = index->base.count - first;
	/* Nobody above can be told here. */
	if (read_rows(index, first, count, rows) != BAT_OK) {
		memset(rows, 0, count * sizeof(*rows));
		index->broken = true;
	}
	for (uint32_t i = 0; i < pages; i++)
		__atomic_store_n(&index->row_pages[page + i], 1,
		    __ATOMIC_RELEASE);
}

struct bat_index_hot *
bat_index_fetch_row(struct bat_index *index, uint32_t ordinal)
{
	uint32_t page = ordinal / INDEX_ROW_PAGE;
	struct bat_index_hot **chunk =
	    &index->hot[ordinal / BAT_INDEX_CHUNK_ROWS];
	struct bat_index_hot *row = &index->nothing;

	pthread_mutex_lock(&index->late_mutex);
	if (*chunk == NULL)
		*chunk = bat_index_make_small_chunk();
	if (*chunk == NULL)
		index->broken = true;
	else if (!index->row_pages[page])
		read_pages(index, *chunk, page);
	if (*chunk != NULL)
		row = &(*chunk)[ordinal % BAT_INDEX_CHUNK_ROWS];
	pthread_mutex_unlock(&index->late_mutex);
	return row;
}

/* What was stored, into numbers. */
static int
read_list(const struct bat_index *index, const struct bat_index_list *list,
    uint32_t limit, uint32_t count, uint32_t *numbers)
{
	int code = bat_blockfile_read(&index->base.file,
	    index->base.lists_at + list->stored_at * sizeof(uint32_t), numbers,
	    count * sizeof(*numbers), NULL);

	for (uint32_t i = 0; code == BAT_OK && i < count; i++)
		if (numbers[i] >= limit)
			code = BAT_DATA_CORRUPT;
	return code;
}

/* Without what was stored, which could not be read, a list is what came since:
 * room that prepare promised stays. */
static void
lose_stored(struct bat_index_list *list)
{
	uint32_t grown = list->ordinals == NULL ?
	    0 :
	    list->count - list->ordinals[0];

	if (grown > 0)
		memmove(list->ordinals, list->ordinals + 1,
		    grown * sizeof(uint32_t));
	list->count = grown;
}

static int
fetch_list(struct bat_index *index, struct bat_index_list *list, uint32_t limit)
{
	uint32_t stored = list->ordinals == NULL ? list->count :
						   list->ordinals[0];
	uint32_t grown = list->count - stored;
	size_t capacity = (size_t)list->count + list->reserved;
	uint32_t *numbers = malloc((capacity + 1) * sizeof(*numbers));
	int code = numbers == NULL ?
	    BAT_WORLD_NO_MEMORY :
	    read_list(index, list, limit, stored, numbers);

	if (code != BAT_OK) {
		free(numbers);
		return code;
	}
	if (grown > 0)
		memcpy(numbers + stored,
		    list->ordinals + (BAT_PLANT(331) ? 0 : 1),
		    grown * sizeof(*numbers));
	free(list->ordinals);
	list->ordinals = numbers;
	list->capacity = (uint32_t)capacity;
	return BAT_OK;
}

void
bat_index_fetch_list(struct bat_index *index, struct bat_index_list *list,
    uint32_t limit)
{
	pthread_mutex_lock(&index->late_mutex);
	if (list->stored) {
		if (fetch_list(index, list, limit) != BAT_OK) {
			lose_stored(list);
			index->broken = true;
		}
		__atomic_store_n(&list->stored, false, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&index->late_mutex);
}
