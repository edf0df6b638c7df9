/*
 * The tables of what was loaded, in two passes over the rows (count, then fill
 * one block that all lists share), which is several times faster than growing
 * each list. index_tally.c does both with two threads, where it can.
 */
#include "index_internal.h"

#include <stdlib.h>

#include "kind.h"

static int
push_number(struct bat_index_list *list, uint32_t number)
{
	void *numbers = list->ordinals;
	int code = bat_index_grow(&numbers, &list->capacity,
	    (size_t)list->count + 1, sizeof(uint32_t));

	list->ordinals = numbers;
	if (code == BAT_OK)
		list->ordinals[list->count++] = number;
	return code;
}

/* The member of a row; mostly that of the entity's row before. */
static int
row_member(struct bat_index *index, uint32_t entity, uint32_t scope,
    uint32_t *out_member)
{
	uint32_t last = index->by_name[entity].last_member;

	if (last == BAT_INDEX_NOTHING)
		*out_member = BAT_INDEX_NOTHING;
	else if (index->members[last].scope == scope)
		*out_member = last;
	else
		*out_member = bat_index_find_member(index, scope, entity);
	if (*out_member != BAT_INDEX_NOTHING)
		return BAT_OK;
	return bat_index_make_member(index, scope, entity, out_member);
}

int
bat_index_count_events(struct bat_index *index, uint32_t entity_number,
    uint32_t scope_number, uint32_t count)
{
	struct bat_index_name *entity = &index->by_name[entity_number];
	struct bat_index_name *scope = &index->by_name[scope_number];
	struct bat_index_member *member;
	uint32_t number = 0;
	int code = row_member(index, entity_number, scope_number, &number);

	if (code != BAT_OK)
		return code;
	member = &index->members[number];
	if (entity->events.count == 0)
		code = push_number(&index->entities, entity_number);
	entity->events.count += count;
	if (code == BAT_OK && member->count == 0) {
		if (scope->members.count == 0)
			code = push_number(&index->scopes, scope_number);
		if (code == BAT_OK)
			code = push_number(&scope->members, number);
		entity->member_count++;
	}
	member->count += count;
	return code;
}

void
bat_index_count_visible(struct bat_index *index, uint32_t ordinal)
{
	const struct bat_index_hot *row = hot_at(index, ordinal);

	if (index->visible_count++ == 0) {
		index->first_visible = ordinal;
		index->first_row = *row;
	}
	index->last_visible = ordinal;
	index->last_row = *row;
}

static int
count_rows(struct bat_index *index)
{
	bool hides = index->hidden.count > 0;
	uint32_t last = BAT_INDEX_NOTHING;
	int code = BAT_OK;

	for (uint32_t i = 0; code == BAT_OK && i < index->count; i++) {
		struct bat_index_hot *row = hot_at(index, i);

		if (row->wall_ms > index->max_wall_ms)
			index->max_wall_ms = row->wall_ms;
		if (row->kind == BAT_KIND_CLOSE_COMPLETED)
			index->last_close_wall_ms = row->wall_ms;
		row->hidden = hides && bat_hidden_has(&index->hidden, row->seq);
		if (row->hidden)
			continue;
		if (last == BAT_INDEX_NOTHING)
			bat_index_count_visible(index, i);
		else
			index->visible_count++;
		last = i;
		if (row->entity != BAT_INTERN_NONE)
			code = bat_index_count_events(index, row->entity,
			    row->scope, 1);
	}
	if (index->count > 0)
		index->next_seq = hot_at(index, index->count - 1)->seq + 1;
	if (last != BAT_INDEX_NOTHING) {
		index->last_visible = last;
		index->last_row = *hot_at(index, last);
	}
	return code;
}

/* Give a list its part of the block and empty it for filling. */
static uint32_t *
lend(struct bat_index_list *list, uint32_t count, uint32_t *from)
{
	list->ordinals = from;
	list->capacity = count;
	list->borrowed = true;
	list->count = 0;
	return from + count;
}

static int
make_block(struct bat_index *index)
{
	size_t need = index->count;
	uint32_t *next;

	for (uint32_t i = 0; i < index->member_count; i++)
		if (index->members[i].own)
			need += index->members[i].count;
	index->block = malloc((need + 1) * sizeof(uint32_t));
	if (index->block == NULL)
		return BAT_WORLD_NO_MEMORY;
	next = index->block;
	for (uint32_t i = 0; i < index->entities.count; i++) {
		struct bat_index_list *events =
		    &index->by_name[index->entities.ordinals[i]].events;

		next = lend(events, events->count, next);
	}
	for (uint32_t i = 0; i < index->member_count; i++)
		if (index->members[i].own)
			next = lend(&index->members[i].list,
			    index->members[i].count, next);
	return BAT_OK;
}

static void
fill_lists(struct bat_index *index)
{
	for (uint32_t i = 0; i < index->count; i++) {
		const struct bat_index_hot *row = hot_at(index, i);
		struct bat_index_name *entity;
		uint32_t number;

		if (row->hidden || row->entity == BAT_INTERN_NONE)
			continue;
		entity = &index->by_name[row->entity];
		entity->events.ordinals[entity->events.count++] = i;
		if (entity->first_member == entity->last_member)
			continue;
		number = bat_index_find_member(index, row->scope, row->entity);
		if (index->members[number].own) {
			struct bat_index_list *list =
			    &index->members[number].list;

			list->ordinals[list->count++] = i;
		}
	}
}

/* The rows behind a base, one by one into the tables that it brought. */
static int
finish_base(struct bat_index *index)
{
	uint32_t count = index->count;
	int code = BAT_OK;

	index->finished = true;
	index->count = index->base.count;
	while (code == BAT_OK && index->count < count) {
		struct bat_row row;

		bat_index_row(index, index->count, &row);
		code = bat_index_prepare(index, &row, 1);
		if (code == BAT_OK)
			bat_index_table(index, &row);
	}
	return code;
}

static int
finish_plain(struct bat_index *index)
{
	int code = count_rows(index);

	if (code == BAT_OK)
		code = make_block(index);
	if (code == BAT_OK)
		fill_lists(index);
	return code;
}

int
bat_index_finish(struct bat_index *index)
{
	int code;

	bat_index_drop_spares(index);
	if (index->has_base)
		return finish_base(index);
	code = bat_index_make_names(index);
	/* Most names are entities of one scope. */
	if (code == BAT_OK)
		code = bat_map_reserve(&index->by_pair, index->names.count);
	if (code == BAT_OK)
		code = bat_index_tally(index);
	if (code == BAT_END)
		code = finish_plain(index);
	index->finished = code == BAT_OK;
	return code;
}
