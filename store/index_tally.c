/*
 * The part of index that makes the tables of many rows with two threads: each
 * counts half of them, and fills its half of each list. The figure that
 * justifies it: 1 M rows of 1 000 entities take 5 ms of the opening thread
 * instead of 19.
 *
 * Happy path: every entity has one scope, so its events are one list, and who
 * has counted knows where in it its own half begins. An entity with several
 * scopes leaves everything to the plain way (index_finish.c); what both make is
 * the same to the last number, and a test compares them.
 */
#include "index_internal.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "kind.h"
#include "parallel.h"

#define PARALLEL_ROWS 16384u
#define HUGE_PAGE (2u << 20)

/* What one thread saw of an entity. */
struct seen {
	uint32_t count; /* of visible rows; then: where the next one goes */
	uint32_t scope;
};

/* The rows [from, to), by one thread. */
struct share {
	struct bat_index *index;
	uint32_t from, to;
	struct seen *seen;  /* by number of the entity */
	uint32_t *entities; /* as they were first seen */
	uint32_t entity_count;
	uint32_t visible_count, first_visible, last_visible;
	uint64_t max_wall_ms, last_close_wall_ms;
	bool odd; /* an entity with several scopes */
};

/* ---- counting -------------------------------------------------------- */

static inline void
count_row(struct share *share, const struct bat_index_hot *row)
{
	struct seen *seen = &share->seen[row->entity];

	if (seen->count++ == 0) {
		seen->scope = row->scope;
		share->entities[share->entity_count++] = row->entity;
	}
	share->odd = share->odd || seen->scope != row->scope;
}

static void *
count_share(void *argument)
{
	struct share *share = argument;
	struct bat_index *index = share->index;
	bool hides = index->hidden.count > 0;

	for (uint32_t i = share->from; i < share->to; i++) {
		struct bat_index_hot *row = hot_at(index, i);

		if (row->wall_ms > share->max_wall_ms)
			share->max_wall_ms = row->wall_ms;
		if (row->kind == BAT_KIND_CLOSE_COMPLETED)
			share->last_close_wall_ms = row->wall_ms;
		row->hidden = hides && bat_hidden_has(&index->hidden, row->seq);
		if (row->hidden)
			continue;
		if (share->visible_count++ == 0)
			share->first_visible = i;
		share->last_visible = i;
		if (row->entity != BAT_INTERN_NONE)
			count_row(share, row);
	}
	return NULL;
}

/* Is it true of both halves together that each entity has one scope? */
static bool
are_usual(const struct share shares[2])
{
	const struct share *second = &shares[1];

	for (uint32_t i = 0; i < second->entity_count; i++) {
		uint32_t entity = second->entities[i];
		const struct seen *seen = &shares[0].seen[entity];

		if (seen->count > 0 &&
		    seen->scope != second->seen[entity].scope)
			return BAT_PLANT(241);
	}
	return !shares[0].odd && !shares[1].odd;
}

/* ---- into the tables -------------------------------------------------- */

static int
take_entities(struct bat_index *index, const struct share *share)
{
	int code = BAT_OK;

	for (uint32_t i = 0; code == BAT_OK && i < share->entity_count; i++) {
		const struct seen *seen = &share->seen[share->entities[i]];

		code = bat_index_count_events(index, share->entities[i],
		    seen->scope, seen->count);
	}
	return code;
}

static void
take_visible(struct bat_index *index, const struct share *share)
{
	if (share->max_wall_ms > index->max_wall_ms)
		index->max_wall_ms = share->max_wall_ms;
	if (share->last_close_wall_ms != 0)
		index->last_close_wall_ms = share->last_close_wall_ms;
	if (share->visible_count == 0)
		return;
	if (index->visible_count == 0) {
		index->first_visible = share->first_visible;
		index->first_row = *hot_at(index, share->first_visible);
	}
	index->visible_count += share->visible_count;
	index->last_visible = share->last_visible;
	index->last_row = *hot_at(index, share->last_visible);
}

/* A long one as huge pages, each of which costs one fault and not 512. */
static uint32_t *
make_block(size_t count)
{
	size_t size = count * sizeof(uint32_t);
	uint32_t *block;

	if (size < HUGE_PAGE)
		return malloc(size);
	size = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	block = aligned_alloc(HUGE_PAGE, size);
	if (block != NULL)
		(void)madvise(block, size, MADV_HUGEPAGE);
	return block;
}

/* Each list gets its part of the block, each thread its part of the list. */
static void
lend_lists(struct bat_index *index, struct share shares[2])
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < index->entities.count; i++) {
		uint32_t entity = index->entities.ordinals[i];
		struct bat_index_list *events = &index->by_name[entity].events;
		uint32_t first_half = shares[0].seen[entity].count;

		events->ordinals = index->block + at;
		events->capacity = events->count;
		events->borrowed = true;
		shares[0].seen[entity].count = at;
		shares[1].seen[entity].count = at + first_half;
		at += events->count;
	}
}

static void *
fill_share(void *argument)
{
	struct share *share = argument;
	const struct bat_index *index = share->index;

	for (uint32_t i = share->from; i < share->to; i++) {
		const struct bat_index_hot *row = hot_at(index, i);

		if (!row->hidden && row->entity != BAT_INTERN_NONE)
			index->block[share->seen[row->entity].count++] = i;
	}
	return NULL;
}

/* ---- the whole -------------------------------------------------------- */

static int
make_tables(struct bat_index *index, struct share shares[2])
{
	int code;

	bat_parallel_run(count_share, &shares[0], &shares[1]);
	if (!are_usual(shares))
		return BAT_END;
	index->block = make_block(index->count);
	if (index->block == NULL)
		return BAT_WORLD_NO_MEMORY;
	for (unsigned i = 0; i < 2; i++) {
		take_visible(index, &shares[i]);
		code = take_entities(index, &shares[i]);
		if (code != BAT_OK)
			return code;
	}
	index->next_seq = hot_at(index, index->count - 1)->seq + 1;
	lend_lists(index, shares);
	bat_parallel_run(fill_share, &shares[0], &shares[1]);
	return BAT_OK;
}

int
bat_index_tally(struct bat_index *index)
{
	size_t names = index->names.count + 1;
	struct share shares[2] = {
		{ .index = index, .from = 0, .to = index->count / 2 },
		{ .index = index,
		    .from = index->count / 2,
		    .to = index->count },
	};
	int code = BAT_END;

	if (index->plain || index->count < PARALLEL_ROWS)
		return BAT_END;
	for (unsigned i = 0; i < 2; i++) {
		shares[i].seen = calloc(names, sizeof(*shares[i].seen));
		shares[i].entities = malloc(names * sizeof(uint32_t));
	}
	if (shares[0].seen != NULL && shares[1].seen != NULL &&
	    shares[0].entities != NULL && shares[1].entities != NULL)
		code = make_tables(index, shares);
	for (unsigned i = 0; i < 2; i++) {
		free(shares[i].seen);
		free(shares[i].entities);
	}
	return code;
}
