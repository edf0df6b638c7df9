/*
 * Adding rows to tables that stand: all room is made first, so that inserting
 * cannot fail.
 */
#include "index_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "kind.h"

/* ---- making room ----------------------------------------------------- */

/* One whose first part nobody has read yet. */
static int
stored_make_room(struct bat_index_list *list, uint32_t extra)
{
	size_t grown = list->ordinals == NULL ? 0 :
						list->count - list->ordinals[0];
	void *ordinals = list->ordinals;
	int code = bat_index_grow(&ordinals, &list->capacity,
	    1 + grown + list->reserved + extra, sizeof(uint32_t));

	if (code != BAT_OK)
		return code;
	if (list->ordinals == NULL)
		*(uint32_t *)ordinals = list->count;
	list->ordinals = ordinals;
	list->reserved += extra;
	return BAT_OK;
}

/* A list that shares the block moves out when it grows. */
static int
list_make_room(struct bat_index_list *list, uint32_t extra)
{
	size_t need = (size_t)list->count + list->reserved + extra;
	void *ordinals = list->borrowed ? NULL : list->ordinals;
	uint32_t capacity = list->borrowed ? 0 : list->capacity;
	int code;

	if (list->stored)
		return stored_make_room(list, extra);
	if (need <= list->capacity) {
		list->reserved += extra;
		return BAT_OK;
	}
	code = bat_index_grow(&ordinals, &capacity,
	    list->borrowed ? need + need / 2 : need, sizeof(uint32_t));
	if (code != BAT_OK)
		return code;
	if (list->borrowed && list->count > 0)
		memcpy(ordinals, list->ordinals,
		    list->count * sizeof(uint32_t));
	list->ordinals = ordinals;
	list->capacity = capacity;
	list->borrowed = false;
	list->reserved += extra;
	return BAT_OK;
}

static void
list_give_back(struct bat_index_list *list)
{
	if (list->reserved > 0)
		list->reserved--;
}

/* Its room was made before. */
static void
list_push(struct bat_index_list *list, uint32_t value)
{
	uint32_t at = list->stored ? 1 + list->count - list->ordinals[0] :
				     list->count;

	assert(at < list->capacity);
	list->ordinals[at] = value;
	list->count++;
	list_give_back(list);
}

int
bat_index_make_names(struct bat_index *index)
{
	size_t need = index->names.count;
	size_t before = index->by_name_capacity, wanted = before;
	struct bat_index_name *larger;

	if (need <= before)
		return BAT_OK;
	wanted = before * 2 > need ? before * 2 : need;
	larger = realloc(index->by_name, wanted * sizeof(*larger));
	if (larger == NULL)
		return BAT_WORLD_NO_MEMORY;
	index->by_name = larger;
	index->by_name_capacity = wanted;
	for (size_t i = before; i < wanted; i++)
		index->by_name[i] = (struct bat_index_name){
			.first_member = BAT_INDEX_NOTHING,
			.last_member = BAT_INDEX_NOTHING,
		};
	return BAT_OK;
}

/* ---- members --------------------------------------------------------- */

/* Give a member a list of its own: a copy of its entity's. */
static int
member_split(struct bat_index *index, struct bat_index_member *member)
{
	const struct bat_index_list *events;
	struct bat_index_list list = { .ordinals = NULL };
	int code;

	if (member->own)
		return BAT_OK;
	events = bat_index_entity_list(index, member->entity);
	/* Before finish there is nothing to copy: it lends the lists. */
	if (index->finished) {
		code = list_make_room(&list,
		    events->count + events->reserved + 1);
		if (code != BAT_OK)
			return code;
		if (events->count > 0)
			memcpy(list.ordinals, events->ordinals,
			    events->count * sizeof(uint32_t));
		list.count = events->count;
		list.reserved = events->reserved;
	}
	member->list = list;
	member->own = true;
	return BAT_OK;
}

int
bat_index_make_member(struct bat_index *index, uint32_t scope, uint32_t entity,
    uint32_t *out_member)
{
	const struct pair_key pair = { scope, entity };
	struct bat_index_name *name = name_at(index, entity);
	uint32_t number = index->member_count;
	void *members = index->members;
	int code = bat_index_grow(&members, &index->member_capacity,
	    (size_t)number + 1, sizeof(*index->members));

	index->members = members;
	if (code == BAT_OK && name->first_member != BAT_INDEX_NOTHING)
		code = member_split(index,
		    member_at(index, name->first_member));
	if (code != BAT_OK)
		return code;
	index->members[number] = (struct bat_index_member){
		.scope = scope,
		.entity = entity,
		.own = name->first_member != BAT_INDEX_NOTHING,
		.next_of_entity = BAT_INDEX_NOTHING,
	};
	code = bat_map_put(&index->by_pair,
	    bat_bytes_slice(&pair, sizeof(pair)), number);
	if (code != BAT_OK)
		return code;
	index->member_count++;
	if (name->first_member == BAT_INDEX_NOTHING)
		name->first_member = number;
	else
		member_at(index, name->last_member)->next_of_entity = number;
	name->last_member = number;
	*out_member = number;
	return BAT_OK;
}

/* ---- adding ---------------------------------------------------------- */

/*
 * The member of a row, which is often that of the row before: a batch of lines
 * goes to one entity. (Asked for each row it was a third of what adding costs,
 * 460 of 1 500 instructions.)
 */
static uint32_t
find_member(struct bat_index *index, const struct bat_row *row)
{
	uint32_t number = index->member_hand;

	if (number < index->member_count &&
	    member_at(index, number)->scope == row->scope &&
	    member_at(index, number)->entity == row->entity)
		return number;
	number = bat_index_find_member(index, row->scope, row->entity);
	if (number != BAT_INDEX_NOTHING)
		index->member_hand = number;
	return number;
}

static int
prepare_lists(struct bat_index *index, const struct bat_row *row)
{
	struct bat_index_member *member;
	uint32_t number;
	int code = BAT_OK;

	number = find_member(index, row);
	if (number == BAT_INDEX_NOTHING)
		code = bat_index_make_member(index, row->scope, row->entity,
		    &number);
	if (code != BAT_OK)
		return code;
	member = member_at(index, number);
	code = list_make_room(&name_at(index, row->entity)->events, 1);
	if (code == BAT_OK && member->own)
		code = list_make_room(&member->list, 1);
	if (code == BAT_OK && member->count == 0)
		code = list_make_room(&name_at(index, row->scope)->members, 1);
	if (code == BAT_OK && member->count == 0)
		code = list_make_room(&index->entities, 1);
	if (code == BAT_OK && member->count == 0)
		code = list_make_room(&index->scopes, 1);
	return code;
}

int
bat_index_prepare(struct bat_index *index, const struct bat_row *rows,
    size_t count)
{
	uint32_t position;
	int code;

	assert(index->finished);
	if (count > UINT32_MAX - 1 - index->count)
		return BAT_USE_TOO_LARGE;
	code = bat_index_load_room(index, (uint32_t)count);
	if (code == BAT_OK) {
		index->count -= (uint32_t)count;
		code = bat_index_make_names(index);
	}
	if (code == BAT_OK && index->has_ids)
		code = bat_idtable_reserve(&index->by_id,
		    index->by_id.used + count);
	for (size_t i = 0; code == BAT_OK && i < count; i++) {
		code = bat_index_segment(index, rows[i].segment, &position);
		if (code == BAT_OK && rows[i].offset > BAT_INDEX_OFFSET_MAX)
			code = BAT_USE_TOO_LARGE;
		if (code == BAT_OK && rows[i].entity != BAT_INTERN_NONE &&
		    !bat_hidden_has(&index->hidden, rows[i].seq))
			code = prepare_lists(index, &rows[i]);
	}
	if (code == BAT_OK && index->broken)
		code = BAT_DATA_DISAGREES;
	return code;
}

void
bat_index_cancel(struct bat_index *index, const struct bat_row *rows,
    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t number = find_member(index, &rows[i]);

		if (number == BAT_INDEX_NOTHING)
			continue;
		list_give_back(&name_at(index, rows[i].entity)->events);
		list_give_back(&member_at(index, number)->list);
		if (member_at(index, number)->count == 0) {
			list_give_back(&name_at(index, rows[i].scope)->members);
			list_give_back(&index->entities);
			list_give_back(&index->scopes);
		}
	}
}

/* Into the lists of its entity, its member and, if new there, of all. */
static void
list_row(struct bat_index *index, const struct bat_row *row, uint32_t ordinal)
{
	struct bat_index_name *entity = name_at(index, row->entity);
	struct bat_index_name *scope = name_at(index, row->scope);
	uint32_t number = find_member(index, row);
	struct bat_index_member *member;

	assert(number != BAT_INDEX_NOTHING);
	member = member_at(index, number);
	if (entity->events.count == 0)
		list_push(&index->entities, row->entity);
	else if (member->count == 0)
		list_give_back(&index->entities);
	if (member->count == 0 && scope->members.count == 0)
		list_push(&index->scopes, row->scope);
	else if (member->count == 0)
		list_give_back(&index->scopes);
	if (member->count++ == 0) {
		list_push(&scope->members, number);
		entity->member_count++;
	}
	list_push(&entity->events, ordinal);
	if (member->own)
		list_push(&member->list, ordinal);
}

/* The table may have been made since the row was prepared, without room for it.
 * One that cannot grow is made anew when it is asked for. */
static void
put_id(struct bat_index *index, uint32_t ordinal)
{
	if (bat_idtable_reserve(&index->by_id, index->by_id.used + 1) ==
	    BAT_OK) {
		bat_idtable_put(&index->by_id, &ordinal, 1);
		return;
	}
	bat_idtable_free(&index->by_id);
	__atomic_store_n(&index->has_ids, false, __ATOMIC_RELEASE);
}

void
bat_index_table(struct bat_index *index, const struct bat_row *row)
{
	uint32_t ordinal = index->count++;
	struct bat_index_hot *hot = hot_at(index, ordinal);

	hot->hidden = bat_hidden_has(&index->hidden, row->seq);
	index->next_seq = row->seq + 1;
	if (row->wall_ms > index->max_wall_ms)
		index->max_wall_ms = row->wall_ms;
	if (row->kind == BAT_KIND_CLOSE_COMPLETED)
		index->last_close_wall_ms = row->wall_ms;
	if (hot->hidden)
		return;
	if (row->entity != BAT_INTERN_NONE) {
		list_row(index, row, ordinal);
		if (index->has_ids)
			put_id(index, ordinal);
	}
	bat_index_count_visible(index, ordinal);
}

void
bat_index_insert(struct bat_index *index, const struct bat_row *row)
{
	int code;

	assert(index->count == 0 ||
	    hot_at(index, index->count - 1)->seq < row->seq);
	/* The room was made. */
	code = bat_index_load(index, row);
	assert(code == BAT_OK);
	index->count--;
	bat_index_table(index, row);
}
