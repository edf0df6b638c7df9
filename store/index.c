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
}

void
bat_index_free(struct bat_index *index)
{
	for (size_t i = 0; i < index->chunk_count; i++) {
		free(index->hot[i]);
		free(index->cold[i]);
	}
	for (size_t i = 0; i < index->by_name_capacity; i++) {
		free(index->by_name[i].events.ordinals);
		free(index->by_name[i].members.ordinals);
	}
	for (uint32_t i = 0; i < index->member_count; i++)
		free(index->members[i].list.ordinals);
	free(index->hot);
	free(index->cold);
	free(index->by_name);
	free(index->members);
	free(index->segments);
	free(index->entities.ordinals);
	free(index->scopes.ordinals);
	bat_map_free(&index->by_id);
	bat_map_free(&index->by_pair);
	bat_hidden_free(&index->hidden);
	bat_intern_free(&index->names);
	memset(index, 0, sizeof(*index));
}

int
bat_index_reserve(struct bat_index *index, uint64_t count)
{
	if (count > UINT32_MAX - 1)
		return BAT_USE_TOO_LARGE;
	return bat_map_reserve(&index->by_id, (size_t)count);
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

void
bat_index_row(const struct bat_index *index, uint32_t ordinal,
    struct bat_row *out)
{
	const struct bat_index_hot *hot = hot_at(index, ordinal);
	const struct bat_index_cold *cold = cold_at(index, ordinal);

	*out = (struct bat_row){
		.id = hot->id,
		.corr = cold->corr,
		.cause = cold->cause,
		.entity = hot->entity,
		.scope = hot->scope,
		.clock = hot->clock,
		.lane = cold->lane,
		.depth = cold->depth,
		.length = hot->length,
		.wall_ms = hot->wall_ms,
		.segment = index->segments[hot->segment],
		.offset = hot->offset,
		.seq = hot->seq,
		.prev = cold->prev,
		.hash = cold->hash,
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

uint32_t
bat_index_find_id(const struct bat_index *index, const struct bat_id *id)
{
	return bat_map_find(&index->by_id, bat_bytes_slice(id, sizeof(*id)));
}

const struct bat_index_list *
bat_index_entity_list(const struct bat_index *index, uint32_t entity)
{
	if (entity >= index->by_name_capacity)
		return &no_events;
	return &index->by_name[entity].events;
}

const struct bat_index_list *
bat_index_member_list(const struct bat_index *index, uint32_t member)
{
	const struct bat_index_member *m = &index->members[member];

	if (!m->has_events)
		return &no_events;
	return m->own ? &m->list : &index->by_name[m->entity].events;
}

struct bat_chain_head
bat_index_head(const struct bat_index *index, uint32_t entity)
{
	const struct bat_index_list *events =
	    bat_index_entity_list(index, entity);
	struct bat_chain_head head = { .exists = false };

	if (events->count > 0) {
		uint32_t last = events->ordinals[events->count - 1];

		head.exists = true;
		head.clock = hot_at(index, last)->clock;
		head.wall_ms = hot_at(index, last)->wall_ms;
		head.hash = cold_at(index, last)->hash;
		head.id = hot_at(index, last)->id;
		head.corr = cold_at(index, last)->corr;
	}
	return head;
}

void
bat_index_set_extensions(struct bat_index *index, uint32_t ordinal,
    enum bat_row_extensions extensions)
{
	hot_at(index, ordinal)->extensions = (uint8_t)extensions;
}

uint32_t
bat_index_find_member(const struct bat_index *index, uint32_t scope,
    uint32_t entity)
{
	const struct pair_key pair = { scope, entity };

	return bat_map_find(&index->by_pair,
	    bat_bytes_slice(&pair, sizeof(pair)));
}
