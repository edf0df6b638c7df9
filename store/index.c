#include "index.h"

#include <assert.h>
#include <stdlib.h>

#include "kind.h"

#define CHUNK_ROWS 65536u

/* What lists, lookups and the tree need of a row. */
struct bat_index_hot {
	struct bat_id id;
	uint64_t seq;
	uint64_t wall_ms;
	uint64_t offset;
	uint32_t segment; /* position in index->segments */
	uint32_t length;
	uint32_t entity, scope;
	uint32_t clock;
	uint16_t kind;
	uint8_t hidden;
	uint8_t extensions; /* enum bat_row_extensions */
};

/* The rest. */
struct bat_index_cold {
	struct bat_id corr, cause;
	struct bat_hash prev, hash;
	uint32_t lane, depth;
};

_Static_assert(sizeof(struct bat_index_hot) == 64, "hot rows are 64 bytes");
_Static_assert(sizeof(struct bat_index_cold) == 104, "cold rows: 104 bytes");

static const struct bat_index_list no_events;

static struct bat_index_hot *
hot_at(const struct bat_index *index, uint32_t ordinal)
{
	return &index->hot[ordinal / CHUNK_ROWS][ordinal % CHUNK_ROWS];
}

static struct bat_index_cold *
cold_at(const struct bat_index *index, uint32_t ordinal)
{
	return &index->cold[ordinal / CHUNK_ROWS][ordinal % CHUNK_ROWS];
}

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

struct pair_key {
	uint32_t scope, entity;
};

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

/* ---- making room ----------------------------------------------------- */

/*
 * Grow an array of `size`-byte items so that it holds at least need; doubles,
 * so that n additions cost O(n).
 */
static int
grow(void **array, size_t *capacity, size_t need, size_t size)
{
	size_t wanted = *capacity < 4 ? 4 : *capacity;
	void *larger;

	if (need <= *capacity)
		return BAT_OK;
	while (wanted < need) {
		if (wanted > SIZE_MAX / 2 / size)
			return BAT_WORLD_NO_MEMORY;
		wanted *= 2;
	}
	larger = realloc(*array, wanted * size);
	if (larger == NULL)
		return BAT_WORLD_NO_MEMORY;
	*array = larger;
	*capacity = wanted;
	return BAT_OK;
}

static int
grow32(void **array, uint32_t *capacity, size_t need, size_t size)
{
	size_t wide = *capacity;
	int code;

	if (need > UINT32_MAX)
		return BAT_USE_TOO_LARGE;
	code = grow(array, &wide, need, size);
	if (code == BAT_OK)
		*capacity = wide > UINT32_MAX ? UINT32_MAX : (uint32_t)wide;
	return code;
}

static int
list_make_room(struct bat_index_list *list, uint32_t extra)
{
	void *ordinals = list->ordinals;
	int code = grow32(&ordinals, &list->capacity,
	    (size_t)list->count + list->reserved + extra, sizeof(uint32_t));

	list->ordinals = ordinals;
	if (code == BAT_OK)
		list->reserved += extra;
	return code;
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
	assert(list->count < list->capacity);
	list->ordinals[list->count++] = value;
	list_give_back(list);
}

static int
make_chunks(struct bat_index *index, uint64_t rows)
{
	uint64_t chunks = (rows + CHUNK_ROWS - 1) / CHUNK_ROWS;
	size_t cold_capacity = index->chunk_capacity;
	void *hot = index->hot, *cold = index->cold;
	int code;

	code = grow(&cold, &cold_capacity, (size_t)chunks, sizeof(*index->cold));
	index->cold = cold;
	if (code != BAT_OK)
		return code;
	code = grow(&hot, &index->chunk_capacity, (size_t)chunks,
	    sizeof(*index->hot));
	index->hot = hot;
	if (code != BAT_OK)
		return code;
	while (index->chunk_count < chunks) {
		struct bat_index_hot *h = malloc(CHUNK_ROWS * sizeof(*h));
		struct bat_index_cold *c = malloc(CHUNK_ROWS * sizeof(*c));

		if (h == NULL || c == NULL) {
			free(h);
			free(c);
			return BAT_WORLD_NO_MEMORY;
		}
		index->hot[index->chunk_count] = h;
		index->cold[index->chunk_count++] = c;
	}
	return BAT_OK;
}

/* by_name has a place for every string. */
static int
make_names(struct bat_index *index)
{
	size_t before = index->by_name_capacity;
	void *by_name = index->by_name;
	int code = grow(&by_name, &index->by_name_capacity, index->names.count,
	    sizeof(*index->by_name));

	index->by_name = by_name;
	for (size_t i = before; i < index->by_name_capacity; i++)
		index->by_name[i] = (struct bat_index_name){
			.first_member = BAT_INDEX_NONE,
			.last_member = BAT_INDEX_NONE,
		};
	return code;
}

static int
make_segment(struct bat_index *index, uint64_t segment)
{
	void *segments = index->segments;
	int code;

	if (index->segment_count > 0 &&
	    index->segments[index->segment_count - 1] >= segment)
		return BAT_OK;
	code = grow32(&segments, &index->segment_capacity,
	    (size_t)index->segment_count + 1, sizeof(*index->segments));
	index->segments = segments;
	if (code == BAT_OK)
		index->segments[index->segment_count++] = segment;
	return code;
}

/* Position of a segment id; rows come in log order, so mostly the last. */
static uint32_t
segment_position(const struct bat_index *index, uint64_t segment)
{
	uint32_t low = 0, high = index->segment_count;

	if (high > 0 && index->segments[high - 1] == segment)
		return high - 1;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (index->segments[middle] < segment)
			low = middle + 1;
		else
			high = middle;
	}
	assert(low < index->segment_count && index->segments[low] == segment);
	return low;
}

/* ---- members --------------------------------------------------------- */

uint32_t
bat_index_find_member(const struct bat_index *index, uint32_t scope,
    uint32_t entity)
{
	const struct pair_key pair = { scope, entity };

	return bat_map_find(&index->by_pair,
	    bat_bytes_slice(&pair, sizeof(pair)));
}

/* Give a member a list of its own: a copy of its entity's. */
static int
member_split(struct bat_index *index, struct bat_index_member *member)
{
	const struct bat_index_list *events =
	    &index->by_name[member->entity].events;
	struct bat_index_list list = { NULL, 0, 0, 0 };
	int code;

	if (member->own)
		return BAT_OK;
	code = list_make_room(&list, events->count + events->reserved + 1);
	if (code != BAT_OK)
		return code;
	if (events->count > 0)
		memcpy(list.ordinals, events->ordinals,
		    events->count * sizeof(uint32_t));
	list.count = events->count;
	list.reserved = events->reserved;
	member->list = list;
	member->own = true;
	return BAT_OK;
}

/* A new pair: the entity's other members no longer share its list. */
static int
member_make(struct bat_index *index, uint32_t scope, uint32_t entity,
    uint32_t *out_member)
{
	const struct pair_key pair = { scope, entity };
	struct bat_index_name *name = &index->by_name[entity];
	uint32_t number = index->member_count;
	void *members = index->members;
	int code = grow32(&members, &index->member_capacity,
	    (size_t)number + 1, sizeof(*index->members));

	index->members = members;
	if (code == BAT_OK && name->first_member != BAT_INDEX_NONE)
		code = member_split(index, &index->members[name->first_member]);
	if (code != BAT_OK)
		return code;
	index->members[number] = (struct bat_index_member){
		.scope = scope,
		.entity = entity,
		.own = name->first_member != BAT_INDEX_NONE,
		.next_of_entity = BAT_INDEX_NONE,
	};
	code = bat_map_put(&index->by_pair,
	    bat_bytes_slice(&pair, sizeof(pair)), number);
	if (code != BAT_OK)
		return code;
	index->member_count++;
	if (name->first_member == BAT_INDEX_NONE)
		name->first_member = number;
	else
		index->members[name->last_member].next_of_entity = number;
	name->last_member = number;
	*out_member = number;
	return BAT_OK;
}

/* ---- adding ---------------------------------------------------------- */

static int
prepare_lists(struct bat_index *index, const struct bat_row *row)
{
	struct bat_index_member *member;
	uint32_t number;
	int code = BAT_OK;

	number = bat_index_find_member(index, row->scope, row->entity);
	if (number == BAT_INDEX_NONE)
		code = member_make(index, row->scope, row->entity, &number);
	if (code != BAT_OK)
		return code;
	member = &index->members[number];
	code = list_make_room(&index->by_name[row->entity].events, 1);
	if (code == BAT_OK && member->own)
		code = list_make_room(&member->list, 1);
	if (code == BAT_OK && !member->has_events)
		code = list_make_room(&index->by_name[row->scope].members, 1);
	if (code == BAT_OK && !member->has_events)
		code = list_make_room(&index->entities, 1);
	if (code == BAT_OK && !member->has_events)
		code = list_make_room(&index->scopes, 1);
	return code;
}

int
bat_index_prepare(struct bat_index *index, const struct bat_row *rows,
    size_t count)
{
	int code;

	if (count > UINT32_MAX - 1 - index->count)
		return BAT_USE_TOO_LARGE;
	code = make_chunks(index, (uint64_t)index->count + count);
	if (code == BAT_OK)
		code = make_names(index);
	if (code == BAT_OK &&
	    index->by_id.used + count > index->by_id.slot_count / 2)
		code = bat_map_reserve(&index->by_id,
		    index->by_id.used + count);
	for (size_t i = 0; code == BAT_OK && i < count; i++) {
		code = make_segment(index, rows[i].segment);
		if (code == BAT_OK && rows[i].entity != BAT_INTERN_NONE &&
		    !bat_hidden_has(&index->hidden, rows[i].seq))
			code = prepare_lists(index, &rows[i]);
	}
	return code;
}

void
bat_index_cancel(struct bat_index *index, const struct bat_row *rows,
    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t number = bat_index_find_member(index, rows[i].scope,
		    rows[i].entity);

		if (number == BAT_INDEX_NONE)
			continue;
		list_give_back(&index->by_name[rows[i].entity].events);
		list_give_back(&index->members[number].list);
		if (!index->members[number].has_events) {
			list_give_back(
			    &index->by_name[rows[i].scope].members);
			list_give_back(&index->entities);
			list_give_back(&index->scopes);
		}
	}
}

static void
store_row(struct bat_index *index, const struct bat_row *row, bool hidden)
{
	*hot_at(index, index->count) = (struct bat_index_hot){
		.id = row->id,
		.seq = row->seq,
		.wall_ms = row->wall_ms,
		.offset = row->offset,
		.segment = segment_position(index, row->segment),
		.length = row->length,
		.entity = row->entity,
		.scope = row->scope,
		.clock = row->clock,
		.kind = row->kind,
		.hidden = hidden,
		.extensions = (uint8_t)row->extensions,
	};
	*cold_at(index, index->count) = (struct bat_index_cold){
		.corr = row->corr,
		.cause = row->cause,
		.prev = row->prev,
		.hash = row->hash,
		.lane = row->lane,
		.depth = row->depth,
	};
}

/* Into the lists of its entity, its member and, if new there, of all. */
static void
list_row(struct bat_index *index, const struct bat_row *row, uint32_t ordinal)
{
	struct bat_index_name *entity = &index->by_name[row->entity];
	struct bat_index_name *scope = &index->by_name[row->scope];
	uint32_t number = bat_index_find_member(index, row->scope,
	    row->entity);
	struct bat_index_member *member;

	assert(number != BAT_INDEX_NONE);
	member = &index->members[number];
	if (entity->events.count == 0)
		list_push(&index->entities, row->entity);
	else if (!member->has_events)
		list_give_back(&index->entities);
	if (!member->has_events && scope->members.count == 0)
		list_push(&index->scopes, row->scope);
	else if (!member->has_events)
		list_give_back(&index->scopes);
	if (!member->has_events) {
		list_push(&scope->members, number);
		entity->member_count++;
		member->has_events = true;
	}
	list_push(&entity->events, ordinal);
	if (member->own)
		list_push(&member->list, ordinal);
}

void
bat_index_insert(struct bat_index *index, const struct bat_row *row)
{
	uint32_t ordinal = index->count;
	bool hidden = bat_hidden_has(&index->hidden, row->seq);

	assert(ordinal == 0 || hot_at(index, ordinal - 1)->seq < row->seq);
	store_row(index, row, hidden);
	index->count++;
	if (row->wall_ms > index->max_wall_ms)
		index->max_wall_ms = row->wall_ms;
	if (row->kind == BAT_KIND_CLOSE_COMPLETED)
		index->last_close_wall_ms = row->wall_ms;
	if (hidden)
		return;
	if (row->entity != BAT_INTERN_NONE) {
		list_row(index, row, ordinal);
		/* The room was made: this fills a slot, nothing grows. */
		(void)bat_map_put(&index->by_id,
		    bat_bytes_slice(&row->id, sizeof(row->id)), ordinal);
	}
	if (index->visible_count++ == 0)
		index->first_visible = ordinal;
	index->last_visible = ordinal;
}

int
bat_index_add(struct bat_index *index, const struct bat_row *row)
{
	int code = bat_index_prepare(index, row, 1);

	if (code == BAT_OK)
		bat_index_insert(index, row);
	return code;
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
