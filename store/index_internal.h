/* Shared by the parts of index. Not for others. */
#ifndef BAT_INDEX_INTERNAL_H
#define BAT_INDEX_INTERNAL_H

#include "index.h"

/* Key of the table of members. */
struct pair_key {
	uint32_t scope, entity;
};

/* Rows of a base come in pages of so many: who halves over a million of them
 * reads a few KiB at each step. */
#define INDEX_ROW_PAGE 128u
/* Read a row's page of the base; never NULL (broken: zeros). */
struct bat_index_hot *bat_index_fetch_row(struct bat_index *index,
    uint32_t ordinal);
struct bat_index_hot *bat_index_make_small_chunk(void);

/* Names and members of a base come in pages of so many. */
#define INDEX_PAGE 128u

/* What is read late is no change that a reader could see. */
static inline struct bat_index *
late_index(const struct bat_index *index)
{
	union {
		const struct bat_index *shared;
		struct bat_index *mine;
	} late = { .shared = index };

	return late.mine;
}

/* Room for the names and members of a base, none of them read. */
int bat_index_make_tables(struct bat_index *index,
    const struct bat_index_base *base);
void bat_index_fetch_name_page(struct bat_index *index, uint32_t page);
void bat_index_fetch_member_page(struct bat_index *index, uint32_t page);

static inline struct bat_index_name *
name_at(const struct bat_index *index, uint32_t number)
{
	if (number < index->base.names &&
	    !__atomic_load_n(&index->name_pages[number / INDEX_PAGE],
		__ATOMIC_ACQUIRE))
		bat_index_fetch_name_page(late_index(index),
		    number / INDEX_PAGE);
	return &index->by_name[number];
}

static inline struct bat_index_member *
member_at(const struct bat_index *index, uint32_t number)
{
	if (number < index->base.members &&
	    !__atomic_load_n(&index->member_pages[number / INDEX_PAGE],
		__ATOMIC_ACQUIRE))
		bat_index_fetch_member_page(late_index(index),
		    number / INDEX_PAGE);
	return &index->members[number];
}

/* Is a row in memory, or one of a base that was not read yet? */
static inline bool
has_row(const struct bat_index *index, uint32_t ordinal)
{
	return ordinal >= index->base.count ||
	    __atomic_load_n(&index->row_pages[ordinal / INDEX_ROW_PAGE],
		__ATOMIC_ACQUIRE);
}

static inline struct bat_index_hot *
hot_at(const struct bat_index *index, uint32_t ordinal)
{
	if (!has_row(index, ordinal))
		return bat_index_fetch_row(late_index(index), ordinal);
	return &index->hot[ordinal / BAT_INDEX_CHUNK_ROWS]
			  [ordinal % BAT_INDEX_CHUNK_ROWS];
}

/* A chunk that nobody needs: room for rows that are loaded later. */
void bat_index_spare_chunk(struct bat_index *index,
    struct bat_index_hot *chunk);
void bat_index_drop_spares(struct bat_index *index);
/* Grow an array of `size`-byte items to hold at least need; doubles. */
int bat_index_grow(void **array, uint32_t *capacity, size_t need, size_t size);
/* The newest row so far is visible. */
void bat_index_count_visible(struct bat_index *index, uint32_t ordinal);
/* So many more visible rows of an entity and a scope; what is seen for the first
 * time is noted, in that order. */
int bat_index_count_events(struct bat_index *index, uint32_t entity,
    uint32_t scope, uint32_t count);
/* The tables of all rows by two threads; BAT_END: not of these, and nothing was
 * done. */
int bat_index_tally(struct bat_index *index);
/* Count in the row that stands at `count`, for which all room was made. */
void bat_index_table(struct bat_index *index, const struct bat_row *row);

#endif
