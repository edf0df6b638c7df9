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
	uint32_t number;

	do {
		const struct bat_index *index = enter(store);

		number = bat_intern_find(&index->names, name);
		if (number != BAT_INTERN_NONE &&
		    bat_index_entity_list(index, number)->count == 0)
			number = BAT_INTERN_NONE;
	} while (!leave(store));
	return number;
}

uint32_t
bat_find_scope(struct bat_store *store, struct bat_slice name)
{
	uint32_t number;

	do {
		const struct bat_index *index = enter(store);
		const struct bat_index_name *entry;

		number = bat_intern_find(&index->names, name);
		/* A name may be known and, no event prepared for it, have no
		 * place yet. */
		entry = bat_index_name(index, number);
		if (entry == NULL || entry->members.count == 0)
			number = BAT_INTERN_NONE;
	} while (!leave(store));
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
	uint32_t number;

	do {
		number = at(bat_index_entities(enter(store)), position);
	} while (!leave(store));
	return number;
}

uint32_t
bat_scope_at(struct bat_store *store, uint32_t position)
{
	uint32_t number;

	do {
		number = at(bat_index_scopes(enter(store)), position);
	} while (!leave(store));
	return number;
}

uint32_t
bat_scope_size(struct bat_store *store, uint32_t scope)
{
	uint32_t count;

	do {
		const struct bat_index_name *entry = bat_index_name(
		    enter(store), scope);

		count = entry == NULL ? 0 : entry->members.count;
	} while (!leave(store));
	return count;
}

uint32_t
bat_scope_entity_at(struct bat_store *store, uint32_t scope, uint32_t position)
{
	uint32_t member;

	do {
		const struct bat_index *index = enter(store);

		member = at(bat_index_scope_members(index, scope), position);
		if (member != BAT_INDEX_NOTHING)
			member = bat_index_member(index, member)->entity;
	} while (!leave(store));
	return member;
}

bool
bat_scope_has(struct bat_store *store, uint32_t scope, uint32_t entity)
{
	bool has;

	do {
		const struct bat_index *index = enter(store);
		uint32_t member = bat_index_find_member(index, scope, entity);

		has = member != BAT_INDEX_NOTHING &&
		    bat_index_member(index, member)->count > 0;
	} while (!leave(store));
	return has;
}

uint32_t
bat_entity_scopes(struct bat_store *store, uint32_t entity, uint32_t *out_scope)
{
	uint32_t count;

	do {
		const struct bat_index *index = enter(store);
		const struct bat_index_name *entry = bat_index_name(index,
		    entity);
		const struct bat_index_member *member = NULL;
		uint32_t number = entry == NULL ? BAT_INDEX_NOTHING :
						  entry->first_member;

		count = entry == NULL ? 0 : entry->member_count;
		while (number != BAT_INDEX_NOTHING) {
			member = bat_index_member(index, number);
			if (member->count > 0)
				break;
			number = member->next_of_entity;
		}
		if (count > 0 && number != BAT_INDEX_NOTHING)
			*out_scope = member->scope;
	} while (!leave(store));
	return count;
}
