#include "index_internal.h"

#include <stdlib.h>

static const struct bat_index_list no_events;

/* ---- the two tables by key ask these ---------------------------------- */

static const struct bat_id *
id_of(const void *context, uint32_t ordinal)
{
	return &hot_at(context, ordinal)->id;
}

static bool
pair_same(const void *context, uint32_t member, struct bat_slice key)
{
	const struct bat_index *index = context;
	const struct pair_key pair = { member_at(index, member)->scope,
		member_at(index, member)->entity };

	return memcmp(&pair, key.data, sizeof(pair)) == 0;
}

static uint64_t
pair_hash(const void *context, uint32_t member)
{
	const struct bat_index *index = context;
	const struct pair_key pair = { member_at(index, member)->scope,
		member_at(index, member)->entity };

	return bat_map_hash(bat_bytes_slice(&pair, sizeof(pair)));
}

/* ---- life ------------------------------------------------------------ */

void
bat_index_init(struct bat_index *index)
{
	memset(index, 0, sizeof(*index));
	index->member_hand = BAT_INDEX_NOTHING;
	bat_intern_init(&index->names);
	bat_idtable_init(&index->by_id, index, id_of);
	bat_map_init(&index->by_pair, index, pair_same, pair_hash);
	pthread_mutex_init(&index->late_mutex, NULL);
}

static void
list_free(struct bat_index_list *list)
{
	if (!list->borrowed)
		free(list->ordinals);
}

void
bat_index_free(struct bat_index *index)
{
	for (size_t i = 0; i < index->chunk_count; i++)
		free(index->hot[i]);
	bat_index_drop_spares(index);
	/* What was never read holds nothing, and its memory was not touched. */
	for (size_t i = 0; i < index->by_name_capacity; i++) {
		if (i < index->base.names && !index->name_pages[i / INDEX_PAGE])
			continue;
		list_free(&index->by_name[i].events);
		list_free(&index->by_name[i].members);
	}
	for (uint32_t i = 0; i < index->member_count; i++)
		if (i >= index->base.members ||
		    index->member_pages[i / INDEX_PAGE])
			list_free(&index->members[i].list);
	bat_index_forget_lengths(index);
	free(index->hot);
	free(index->row_pages);
	free(index->name_pages);
	free(index->member_pages);
	free(index->sorted_names);
	free(index->by_name);
	free(index->block);
	free(index->members);
	free(index->segments);
	list_free(&index->entities);
	list_free(&index->scopes);
	bat_idtable_free(&index->by_id);
	bat_map_free(&index->by_pair);
	bat_hidden_free(&index->hidden);
	bat_intern_free(&index->names);
	pthread_mutex_destroy(&index->late_mutex);
	if (index->has_base)
		bat_blockfile_close(&index->base.file);
	free(index->base.segment_rows);
	memset(index, 0, sizeof(*index));
}

void
bat_index_set_hidden(struct bat_index *index, struct bat_hidden *hidden)
{
	bat_hidden_free(&index->hidden);
	index->hidden = *hidden;
	hidden->ranges = NULL;
	hidden->count = 0;
}

/* ---- asking ---------------------------------------------------------- */

void
bat_index_prefetch(const struct bat_index *index, const uint32_t *ordinals,
    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t ordinal = ordinals[i];

		if (ordinal < index->count && has_row(index, ordinal))
			__builtin_prefetch(hot_at(index, ordinal));
	}
}

bool
bat_index_is_hidden(const struct bat_index *index, uint32_t ordinal)
{
	return hot_at(index, ordinal)->hidden != 0;
}

/* Who opens a store asks where the newest event is: no chunk is read for it. */
static uint64_t
place_of(const struct bat_index *index, uint32_t ordinal)
{
	return index->visible_count > 0 && ordinal == index->last_visible ?
	    index->last_row.place :
	    hot_at(index, ordinal)->place;
}

uint64_t
bat_index_segment_of(const struct bat_index *index, uint32_t ordinal)
{
	return index->segments[place_of(index, ordinal) >> 40];
}

uint64_t
bat_index_offset_of(const struct bat_index *index, uint32_t ordinal)
{
	return place_of(index, ordinal) & BAT_INDEX_OFFSET_MAX;
}

static bool
stands_before(const struct bat_index *index, uint32_t ordinal, uint64_t segment,
    uint64_t offset)
{
	uint64_t at = bat_index_segment_of(index, ordinal);

	return at < segment ||
	    (at == segment && bat_index_offset_of(index, ordinal) < offset);
}

uint32_t
bat_index_lower_place(const struct bat_index *index, uint32_t end,
    uint64_t segment, uint64_t offset)
{
	uint32_t low = 0;

	/* Mostly behind all of them. */
	if (end > 0 && stands_before(index, end - 1, segment, offset))
		return end;
	while (low < end) {
		uint32_t middle = low + (end - low) / 2;

		if (stands_before(index, middle, segment, offset))
			low = middle + 1;
		else
			end = middle;
	}
	return low;
}

void
bat_index_segment_rows(const struct bat_index *index, uint64_t segment,
    uint32_t end, uint32_t *out_first, uint32_t *out_end)
{
	const struct bat_index_base *base = &index->base;
	uint32_t at = 0;

	while (base->segment_rows != NULL && at < base->segments &&
	    index->segments[at] != segment)
		at++;
	if (base->segment_rows == NULL || at == base->segments) {
		*out_first = bat_index_lower_place(index, end, segment, 0);
		*out_end = bat_index_lower_place(index, end, segment,
		    UINT64_MAX);
		return;
	}
	*out_first = base->segment_rows[at];
	*out_end = at + 1 < base->segments ? base->segment_rows[at + 1] :
					     base->count;
	if (*out_end > end)
		*out_end = end;
	if (*out_first > *out_end)
		*out_first = *out_end;
}

void
bat_index_row(const struct bat_index *index, uint32_t ordinal,
    struct bat_row *out)
{
	const struct bat_index_hot *hot = hot_at(index, ordinal);

	*out = (struct bat_row){
		.id = hot->id,
		.entity = hot->entity,
		.scope = hot->scope,
		.clock = hot->clock,
		.length = hot->length,
		.wall_ms = hot->wall_ms,
		.segment = bat_index_segment_of(index, ordinal),
		.offset = bat_index_offset_of(index, ordinal),
		.seq = hot->seq,
		.kind = hot->kind,
		.extensions = (enum bat_row_extensions)hot->extensions,
	};
}

uint64_t
bat_index_seq(const struct bat_index *index, uint32_t ordinal)
{
	return hot_at(index, ordinal)->seq;
}

uint64_t
bat_index_wall_ms(const struct bat_index *index, uint32_t ordinal)
{
	return hot_at(index, ordinal)->wall_ms;
}

uint32_t
bat_index_lower_seq(const struct bat_index *index, uint64_t seq)
{
	uint32_t low = 0, high = index->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (hot_at(index, middle)->seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
put_ids(struct bat_index *index, const uint32_t *ordinals, size_t count)
{
	int code = bat_idtable_reserve(&index->by_id,
	    index->by_id.used + count);

	if (code == BAT_OK)
		bat_idtable_put(&index->by_id, ordinals, count);
	return code;
}

/* All visible rows into the id table; of two with one id the later wins. */
static int
make_ids(struct bat_index *index)
{
	uint32_t some[BAT_IDTABLE_SOME];
	size_t count = 0;
	int code = bat_idtable_reserve(&index->by_id,
	    (size_t)index->visible_count);

	for (uint32_t i = 0; code == BAT_OK && i < index->count; i++) {
		const struct bat_index_hot *row = hot_at(index, i);

		if ((row->hidden && !BAT_PLANT(26)) ||
		    row->entity == BAT_INTERN_NONE)
			continue;
		some[count++] = i;
		if (count < BAT_IDTABLE_SOME)
			continue;
		code = put_ids(index, some, count);
		count = 0;
	}
	return code == BAT_OK ? put_ids(index, some, count) : code;
}

/* Once, when an id is first asked for. */
static int
need_ids(struct bat_index *index)
{
	int code = BAT_OK;

	/* Rows are read late under the same mutex: before it is taken. */
	for (uint32_t i = 0; i < index->base.count; i += INDEX_ROW_PAGE)
		if (hot_at(index, i) == &index->nothing)
			return BAT_WORLD_NO_MEMORY;
	pthread_mutex_lock(&index->late_mutex);
	if (!index->has_ids) {
		code = make_ids(index);
		__atomic_store_n(&index->has_ids, code == BAT_OK,
		    __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&index->late_mutex);
	return code;
}

uint32_t
bat_index_find_id(struct bat_index *index, const struct bat_id *id,
    int *out_code)
{
	*out_code = BAT_OK;
	if (!__atomic_load_n(&index->has_ids, __ATOMIC_ACQUIRE))
		*out_code = need_ids(index);
	return *out_code == BAT_OK ? bat_idtable_find(&index->by_id, id) :
				     BAT_INDEX_NOTHING;
}

uint32_t
bat_index_find_member(const struct bat_index *index, uint32_t scope,
    uint32_t entity)
{
	const struct pair_key pair = { scope, entity };
	uint32_t number = bat_map_find(&index->by_pair,
	    bat_bytes_slice(&pair, sizeof(pair)));

	/* Those of a base are in no map: most entities have one or two. */
	if (number != BAT_INDEX_NOTHING || entity >= index->base.names)
		return number;
	number = name_at(index, entity)->first_member;
	while (number < index->base.members &&
	    member_at(index, number)->scope != scope)
		number = member_at(index, number)->next_of_entity;
	return number < index->base.members ? number : BAT_INDEX_NOTHING;
}

static const struct bat_index_list *
fetch(const struct bat_index *index, struct bat_index_list *list,
    uint32_t limit)
{
	if (__atomic_load_n(&list->stored, __ATOMIC_ACQUIRE))
		bat_index_fetch_list(late_index(index), list, limit);
	return list;
}

struct bat_index_name *
bat_index_name(const struct bat_index *index, uint32_t number)
{
	return number < index->by_name_capacity ? name_at(index, number) : NULL;
}

struct bat_index_member *
bat_index_member(const struct bat_index *index, uint32_t number)
{
	return member_at(index, number);
}

const struct bat_index_list *
bat_index_entities(const struct bat_index *index)
{
	return fetch(index, &late_index(index)->entities, index->base.names);
}

const struct bat_index_list *
bat_index_scopes(const struct bat_index *index)
{
	return fetch(index, &late_index(index)->scopes, index->base.names);
}

const struct bat_index_list *
bat_index_scope_members(const struct bat_index *index, uint32_t scope)
{
	struct bat_index_name *name = bat_index_name(index, scope);

	return name == NULL ? &no_events :
			      fetch(index, &name->members, index->base.members);
}

const struct bat_index_list *
bat_index_entity_list(const struct bat_index *index, uint32_t entity)
{
	struct bat_index_name *name = bat_index_name(index, entity);

	return name == NULL ? &no_events :
			      fetch(index, &name->events, index->base.count);
}

const struct bat_index_list *
bat_index_member_list(const struct bat_index *index, uint32_t member)
{
	struct bat_index_member *m = member_at(index, member);

	if (m->count == 0)
		return &no_events;
	if (!m->own)
		return bat_index_entity_list(index, m->entity);
	return fetch(index, &m->list, index->base.count);
}

uint32_t
bat_index_entity_count(const struct bat_index *index, uint32_t entity)
{
	const struct bat_index_name *name = bat_index_name(index, entity);

	return name == NULL ? 0 : name->events.count;
}

uint32_t
bat_index_member_count(const struct bat_index *index, uint32_t member)
{
	return member_at(index, member)->count;
}
