/* How far the log goes: now, and at a moment in the past. */
#include "store_internal.h"

void
bat_head(struct bat_store *store, struct bat_head *out)
{
	const struct bat_index *index = enter(store);
	uint64_t synced = store->writer.synced_seq;

	*out = (struct bat_head){
		.generation = store->generation,
		.ordinals = index->count,
		.visible_count = index->visible_count,
		.next_seq = store->view->recovery.next_seq,
		.entity_count = index->entities.count,
		.scope_count = index->scopes.count,
	};
	if (out->next_seq < index->next_seq)
		out->next_seq = index->next_seq;
	if (index->visible_count > 0) {
		out->first = index->first_visible;
		out->last = index->last_visible;
		out->first_seq = index->first_row.seq;
		out->last_seq = index->last_row.seq;
		out->first_wall_ms = index->first_row.wall_ms;
		out->last_wall_ms = index->last_row.wall_ms;
		out->durable_seq = out->last_seq;
	}
	if (store->options.durability == BAT_DURABLE_FSYNC && synced > 0 &&
	    out->durable_seq >= synced)
		out->durable_seq = synced - 1;
	(void)leave(store);
}

/* ---- a moment in the past ------------------------------------------------ */

/* The whole log below an ordinal. */
void
bat_store_stat_log(const struct bat_index *index, uint32_t end,
    struct bat_list_stat *out)
{
	uint32_t hidden = 0, last = end;

	out->count = index->visible_count;
	out->first = index->first_visible;
	out->last = index->last_visible;
	if (out->count > 0 && end <= out->last) {
		for (uint32_t i = 0; i < end && out->count < index->count; i++)
			hidden += bat_index_is_hidden(index, i);
		out->count = end - hidden;
		while (out->count > 0 && bat_index_is_hidden(index, --last))
			;
		out->last = last;
	}
	if (out->count == 0)
		return;
	out->first_wall_ms = index->first_row.wall_ms;
	out->last_wall_ms = bat_index_wall_ms(index, out->last);
}

static uint32_t
first_of_entity(const struct bat_index *index, uint32_t entity)
{
	const struct bat_index_list *list = bat_index_entity_list(index,
	    entity);

	return list->count > 0 ? list->ordinals[0] : UINT32_MAX;
}

/* Its first member is the one that made it. */
static uint32_t
first_of_scope(const struct bat_index *index, uint32_t scope)
{
	const struct bat_index_list *members = bat_index_scope_members(index,
	    scope);
	const struct bat_index_list *list;

	if (members->count == 0)
		return UINT32_MAX;
	list = bat_index_member_list(index, members->ordinals[0]);
	return list->count > 0 ? list->ordinals[0] : UINT32_MAX;
}

/* How many entities or scopes began below an ordinal. */
static uint32_t
count_begun(const struct bat_index *index, const struct bat_index_list *names,
    uint32_t (*first_of)(const struct bat_index *index, uint32_t name),
    uint32_t before)
{
	uint32_t low = 0, high = names->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (first_of(index, names->ordinals[middle]) < before)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
head_of_past(const struct bat_index *index, uint32_t before,
    struct bat_head *out)
{
	struct bat_list_stat stat = { .count = 0 };

	bat_store_stat_log(index, before, &stat);
	*out = (struct bat_head){
		.ordinals = before < index->count ? before : index->count,
		.visible_count = stat.count,
		.entity_count = count_begun(index, bat_index_entities(index),
		    first_of_entity, before),
		.scope_count = count_begun(index, bat_index_scopes(index),
		    first_of_scope, before),
	};
	if (out->ordinals > 0)
		out->next_seq = bat_index_seq(index, out->ordinals - 1) + 1;
	if (stat.count == 0)
		return;
	out->first = stat.first;
	out->last = stat.last;
	out->first_seq = bat_index_seq(index, stat.first);
	out->last_seq = out->durable_seq = bat_index_seq(index, stat.last);
	out->first_wall_ms = stat.first_wall_ms;
	out->last_wall_ms = stat.last_wall_ms;
}

void
bat_head_before(struct bat_store *store, uint32_t before, struct bat_head *out)
{
	if (before == 0) {
		bat_head(store, out);
		return;
	}
	do {
		head_of_past(enter(store), before, out);
		out->generation = store->generation;
	} while (!leave(store));
}
