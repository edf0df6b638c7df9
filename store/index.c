#include "index_internal.h"

#include <stdlib.h>

static const struct bat_index_list no_events;

/* ---- the two hash tables ask these ---------------------------------- */

static bool
id_same(const void *context, uint32_t ordinal, struct bat_slice key)
{
	return memcmp(&hot_at(context, ordinal)->id, key.data,
		   sizeof(struct bat_id)) == 0;
}

static uint64_t
id_hash(const void *context, uint32_t ordinal)
{
	return bat_map_hash(bat_bytes_slice(&hot_at(context, ordinal)->id,
	    sizeof(struct bat_id)));
}

static bool
pair_same(const void *context, uint32_t member, struct bat_slice key)
{
	const struct bat_index *index = context;
	const struct pair_key pair = { index->members[member].scope,
		index->members[member].entity };

	return memcmp(&pair, key.data, sizeof(pair)) == 0;
}

static uint64_t
pair_hash(const void *context, uint32_t member)
{
	const struct bat_index *index = context;
	const struct pair_key pair = { index->members[member].scope,
		index->members[member].entity };

	return bat_map_hash(bat_bytes_slice(&pair, sizeof(pair)));
}

/* ---- life ------------------------------------------------------------ */

void
bat_index_init(struct bat_index *index)
{
	memset(index, 0, sizeof(*index));
	bat_intern_init(&index->names);
	bat_map_init(&index->by_id, index, id_same, id_hash);
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
	for (size_t i = 0; i < index->by_name_capacity; i++) {
		list_free(&index->by_name[i].events);
		list_free(&index->by_name[i].members);
	}
	for (uint32_t i = 0; i < index->member_count; i++)
		list_free(&index->members[i].list);
	bat_index_forget_lengths(index);
	free(index->hot);
	free(index->zeros);
	free(index->by_name);
	free(index->block);
	free(index->members);
	free(index->segments);
	list_free(&index->entities);
	list_free(&index->scopes);
	bat_map_free(&index->by_id);
	bat_map_free(&index->by_pair);
	bat_hidden_free(&index->hidden);
	bat_intern_free(&index->names);
	pthread_mutex_destroy(&index->late_mutex);
	if (index->has_base)
		bat_blockfile_close(&index->base.file);
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

bool
bat_index_is_hidden(const struct bat_index *index, uint32_t ordinal)
{
	return hot_at(index, ordinal)->hidden != 0;
}

uint64_t
bat_index_segment_of(const struct bat_index *index, uint32_t ordinal)
{
	return index->segments[hot_at(index, ordinal)->place >> 40];
}

uint64_t
bat_index_offset_of(const struct bat_index *index, uint32_t ordinal)
{
	return hot_at(index, ordinal)->place & BAT_INDEX_OFFSET_MAX;
}

uint32_t
bat_index_lower_place(const struct bat_index *index, uint32_t end,
    uint64_t segment, uint64_t offset)
{
	uint32_t low = 0;

	while (low < end) {
		uint32_t middle = low + (end - low) / 2;
		uint64_t at = bat_index_segment_of(index, middle);

		if (at < segment ||
		    (at == segment &&
			bat_index_offset_of(index, middle) < offset))
			low = middle + 1;
		else
			end = middle;
	}
	return low;
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

/* All visible rows into the id table; of two with one id the later wins. */
static int
make_ids(struct bat_index *index)
{
	int code = bat_map_reserve(&index->by_id, (size_t)index->visible_count);

	for (uint32_t i = 0; code == BAT_OK && i < index->count; i++) {
		const struct bat_index_hot *row = hot_at(index, i);

		if ((!row->hidden || BAT_PLANT(26)) &&
		    row->entity != BAT_INTERN_NONE)
			code = bat_map_put(&index->by_id,
			    bat_bytes_slice(&row->id, sizeof(row->id)), i);
	}
	return code;
}

uint32_t
bat_index_find_id(struct bat_index *index, const struct bat_id *id,
    int *out_code)
{
	int code = BAT_OK;

	/* Chunks are read late under the same mutex: before it is taken. */
	if (!__atomic_load_n(&index->has_ids, __ATOMIC_ACQUIRE))
		for (uint32_t i = 0; i < index->count;
		     i += BAT_INDEX_CHUNK_ROWS)
			(void)hot_at(index, i);
	pthread_mutex_lock(&index->late_mutex);
	if (!index->has_ids) {
		code = make_ids(index);
		__atomic_store_n(&index->has_ids, code == BAT_OK,
		    __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&index->late_mutex);
	*out_code = code;
	if (code != BAT_OK)
		return BAT_INDEX_NOTHING;
	return bat_map_find(&index->by_id, bat_bytes_slice(id, sizeof(*id)));
}

uint32_t
bat_index_find_member(const struct bat_index *index, uint32_t scope,
    uint32_t entity)
{
	const struct pair_key pair = { scope, entity };

	return bat_map_find(&index->by_pair,
	    bat_bytes_slice(&pair, sizeof(pair)));
}

/* What is read late is no change that a reader could see. */
static void
fetch(const struct bat_index *index, const struct bat_index_list *list)
{
	union {
		const struct bat_index *shared;
		struct bat_index *mine;
	} late = { .shared = index };
	union {
		const struct bat_index_list *shared;
		struct bat_index_list *mine;
	} late_list = { .shared = list };

	if (__atomic_load_n(&list->stored, __ATOMIC_ACQUIRE))
		bat_index_fetch_list(late.mine, late_list.mine);
}

const struct bat_index_list *
bat_index_entity_list(const struct bat_index *index, uint32_t entity)
{
	if (entity >= index->by_name_capacity)
		return &no_events;
	fetch(index, &index->by_name[entity].events);
	return &index->by_name[entity].events;
}

const struct bat_index_list *
bat_index_member_list(const struct bat_index *index, uint32_t member)
{
	const struct bat_index_member *m = &index->members[member];

	if (m->count == 0)
		return &no_events;
	if (!m->own)
		return bat_index_entity_list(index, m->entity);
	fetch(index, &m->list);
	return &m->list;
}
