/* Numbers of events, entities and scopes: by a key, and by position. */
#include "store_internal.h"

/* ---- by a key -------------------------------------------------------- */

uint32_t
bat_find_seq_from(struct bat_store *store, uint64_t seq)
{
	const struct bat_index *index;
	uint32_t ordinal;

	do {
		index = enter(store);
		ordinal = bat_index_lower_seq(index, seq);
		while (ordinal < index->count &&
		    bat_index_is_hidden(index, ordinal))
			ordinal++;
		if (ordinal == index->count)
			ordinal = BAT_MAP_NONE;
	} while (!leave(store));
	return ordinal;
}

uint32_t
bat_find_seq(struct bat_store *store, uint64_t seq)
{
	const struct bat_index *index;
	uint32_t ordinal;

	do {
		index = enter(store);
		ordinal = bat_index_lower_seq(index, seq);
		if (ordinal == index->count ||
		    bat_index_seq(index, ordinal) != seq ||
		    bat_index_is_hidden(index, ordinal))
			ordinal = BAT_MAP_NONE;
	} while (!leave(store));
	return ordinal;
}

uint32_t
bat_find_id(struct bat_store *store, const struct bat_id *id)
{
	uint32_t ordinal;
	int code;

	do {
		(void)enter(store);
		ordinal = bat_index_find_id(&store->view->index, id, &code);
	} while (!leave(store));
	return ordinal;
}

uint32_t
bat_find_entity(struct bat_store *store, struct bat_slice name)
{
	const struct bat_index *index = enter(store);
	uint32_t number = bat_intern_find(&index->names, name);

	if (number != BAT_INTERN_NONE &&
	    bat_index_entity_list(index, number)->count == 0)
		number = BAT_INTERN_NONE;
	(void)leave(store);
	return number;
}

/* A name may be known and, no event prepared for it, have no place yet. */
static const struct bat_index_name *
name_entry(const struct bat_index *index, uint32_t number)
{
	return number < index->by_name_capacity ? &index->by_name[number] :
						  NULL;
}

uint32_t
bat_find_scope(struct bat_store *store, struct bat_slice name)
{
	const struct bat_index *index = enter(store);
	uint32_t number = bat_intern_find(&index->names, name);
	const struct bat_index_name *entry = name_entry(index, number);

	if (entry == NULL || entry->members.count == 0)
		number = BAT_INTERN_NONE;
	(void)leave(store);
	return number;
}

/* ---- by position ----------------------------------------------------- */

static uint32_t
at(const struct bat_index_list *list, uint32_t position)
{
	return position < list->count ? list->ordinals[position] :
					BAT_INDEX_NOTHING;
}

uint32_t
bat_entity_at(struct bat_store *store, uint32_t position)
{
	uint32_t number = at(&enter(store)->entities, position);

	(void)leave(store);
	return number;
}

uint32_t
bat_scope_at(struct bat_store *store, uint32_t position)
{
	uint32_t number = at(&enter(store)->scopes, position);

	(void)leave(store);
	return number;
}

uint32_t
bat_scope_size(struct bat_store *store, uint32_t scope)
{
	const struct bat_index_name *entry = name_entry(enter(store), scope);
	uint32_t count = entry == NULL ? 0 : entry->members.count;

	(void)leave(store);
	return count;
}

uint32_t
bat_scope_entity_at(struct bat_store *store, uint32_t scope, uint32_t position)
{
	const struct bat_index *index = enter(store);
	const struct bat_index_name *entry = name_entry(index, scope);
	uint32_t member = entry == NULL ? BAT_INDEX_NOTHING :
					  at(&entry->members, position);
	uint32_t entity = member == BAT_INDEX_NOTHING ?
	    BAT_INDEX_NOTHING :
	    index->members[member].entity;

	(void)leave(store);
	return entity;
}

bool
bat_scope_has(struct bat_store *store, uint32_t scope, uint32_t entity)
{
	const struct bat_index *index = enter(store);
	uint32_t member = bat_index_find_member(index, scope, entity);
	bool has = member != BAT_INDEX_NOTHING &&
	    index->members[member].count > 0;

	(void)leave(store);
	return has;
}

uint32_t
bat_entity_scopes(struct bat_store *store, uint32_t entity, uint32_t *out_scope)
{
	const struct bat_index *index = enter(store);
	const struct bat_index_name *entry = name_entry(index, entity);
	uint32_t count = entry == NULL ? 0 : entry->member_count;
	uint32_t member = entry == NULL ? BAT_INDEX_NOTHING :
					  entry->first_member;

	while (member != BAT_INDEX_NOTHING && index->members[member].count == 0)
		member = index->members[member].next_of_entity;
	if (count > 0 && member != BAT_INDEX_NOTHING)
		*out_scope = index->members[member].scope;
	(void)leave(store);
	return count;
}
