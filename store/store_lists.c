/* The log, and the lists of an entity and of a member, as far as an ordinal. */
#include <string.h>

#include "store_internal.h"

/* NULL for the whole log. */
static const struct bat_index_list *
ordinals_of(const struct bat_index *index, const struct bat_list *list)
{
	static const struct bat_index_list nothing;
	uint32_t member;

	if (list->kind == BAT_LIST_ALL)
		return NULL;
	if (list->kind == BAT_LIST_ENTITY)
		return bat_index_entity_list(index, list->entity);
	member = bat_index_find_member(index, list->scope, list->entity);
	return member == BAT_INDEX_NOTHING ?
	    &nothing :
	    bat_index_member_list(index, member);
}

static uint32_t
end_of(const struct bat_list *list)
{
	return list->before == 0 ? UINT32_MAX : list->before;
}

/* How many of a list stand below an ordinal. */
static uint32_t
count_below(const struct bat_index_list *list, uint32_t end)
{
	uint32_t low = 0, high = list->count;

	if (high == 0 || list->ordinals[high - 1] < end)
		return high;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (list->ordinals[middle] < end)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
stat_list(const struct bat_index *index, const struct bat_list *list,
    struct bat_list_stat *out)
{
	const struct bat_index_list *ordinals = ordinals_of(index, list);

	memset(out, 0, sizeof(*out));
	if (ordinals == NULL) {
		bat_store_stat_log(index, end_of(list), out);
		return;
	}
	out->count = count_below(ordinals, end_of(list));
	if (out->count == 0)
		return;
	out->first = ordinals->ordinals[0];
	out->last = ordinals->ordinals[out->count - 1];
	out->first_wall_ms = bat_index_wall_ms(index, out->first);
	out->last_wall_ms = bat_index_wall_ms(index, out->last);
}

bool
bat_list_stat(struct bat_store *store, const struct bat_list *list,
    struct bat_list_stat *out)
{
	if (bat_store_is_causal(list)) {
		bat_store_causal_stat(store, list, out);
		return out->count > 0;
	}
	do {
		stat_list(enter(store), list, out);
	} while (!leave(store));
	return out->count > 0;
}

static uint64_t
count_of(const struct bat_index *index, const struct bat_list *list)
{
	struct bat_list_stat stat;
	uint32_t member;

	if (list->before == 0 && list->kind == BAT_LIST_ENTITY)
		return bat_index_entity_count(index, list->entity);
	if (list->before == 0 && list->kind == BAT_LIST_MEMBER) {
		member = bat_index_find_member(index, list->scope,
		    list->entity);
		return member == BAT_INDEX_NOTHING ?
		    0 :
		    bat_index_member_count(index, member);
	}
	stat_list(index, list, &stat);
	return stat.count;
}

uint64_t
bat_list_count(struct bat_store *store, const struct bat_list *list)
{
	struct bat_list_stat stat;
	uint64_t count;

	if (bat_store_is_causal(list)) {
		bat_store_causal_stat(store, list, &stat);
		return stat.count;
	}
	do {
		count = count_of(enter(store), list);
	} while (!leave(store));
	return count;
}

static size_t
next_of_list(const struct bat_index *index, const struct bat_list *list,
    uint64_t *cursor, uint32_t *ordinals, size_t max)
{
	const struct bat_index_list *from = ordinals_of(index, list);
	uint32_t end = end_of(list);
	size_t count = 0;

	if (from == NULL) {
		if (end > index->count)
			end = index->count;
		for (; *cursor < end && count < max; (*cursor)++)
			if (!bat_index_is_hidden(index, (uint32_t)*cursor))
				ordinals[count++] = (uint32_t)*cursor;
	} else {
		for (; *cursor < from->count && count < max &&
		     from->ordinals[*cursor] < end;
		     (*cursor)++)
			ordinals[count++] = from->ordinals[*cursor];
	}
	return count;
}

size_t
bat_list_next(struct bat_store *store, const struct bat_list *list,
    uint64_t *cursor, uint32_t *ordinals, size_t max)
{
	uint64_t start = *cursor;
	size_t count;

	if (bat_store_is_causal(list))
		return bat_store_causal_next(store, list, cursor, ordinals,
		    max);
	do {
		*cursor = start;
		count = next_of_list(enter(store), list, cursor, ordinals, max);
	} while (!leave(store));
	return count;
}
