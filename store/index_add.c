/*
 * Adding rows: all room is made first, so that inserting cannot fail.
 */
#include "index_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "kind.h"

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
	uint64_t chunks = (rows + INDEX_CHUNK_ROWS - 1) / INDEX_CHUNK_ROWS;
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
		struct bat_index_hot *h = malloc(INDEX_CHUNK_ROWS * sizeof(*h));
		struct bat_index_cold *c = malloc(INDEX_CHUNK_ROWS * sizeof(*c));

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
