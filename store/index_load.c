/*
 * Loading: rows are appended without tables; finish makes these in two passes
 * over the rows (count, then fill one block that all lists share), which is
 * several times faster than growing each list.
 */
#include "index_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "kind.h"

int
bat_index_grow(void **array, uint32_t *capacity, size_t need, size_t size)
{
	size_t wanted = *capacity < 4 ? 4 : *capacity;
	void *larger;

	if (need <= *capacity)
		return BAT_OK;
	if (need > UINT32_MAX)
		return BAT_USE_TOO_LARGE;
	while (wanted < need)
		wanted *= 2;
	if (wanted > UINT32_MAX)
		wanted = UINT32_MAX;
	larger = realloc(*array, wanted * size);
	if (larger == NULL)
		return BAT_WORLD_NO_MEMORY;
	*array = larger;
	*capacity = (uint32_t)wanted;
	return BAT_OK;
}

struct bat_index_hot *
bat_index_hot_at(const struct bat_index *index, uint32_t ordinal)
{
	return hot_at(index, ordinal);
}

/* Chunks are aligned and 2 MiB: as a huge page each costs one fault, not 512. */
static struct bat_index_hot *
make_chunk(void)
{
	size_t size = BAT_INDEX_CHUNK_ROWS * sizeof(struct bat_index_hot);
	void *chunk = aligned_alloc(2u << 20, size);

	if (chunk != NULL)
		(void)madvise(chunk, size, MADV_HUGEPAGE);
	return chunk;
}

/* Small stores get a small first chunk. */
static struct bat_index_hot *
make_small_chunk(void)
{
	return malloc(BAT_INDEX_CHUNK_ROWS * sizeof(struct bat_index_hot));
}

int
bat_index_load_room(struct bat_index *index, uint32_t more)
{
	uint64_t rows = (uint64_t)index->count + more;
	uint64_t chunks = (rows + BAT_INDEX_CHUNK_ROWS - 1) /
	    BAT_INDEX_CHUNK_ROWS;

	if (rows > UINT32_MAX - 1)
		return BAT_USE_TOO_LARGE;
	if (chunks > index->chunk_capacity) {
		size_t wanted = index->chunk_capacity * 2 > chunks ?
		    index->chunk_capacity * 2 :
		    (size_t)chunks;
		struct bat_index_hot **larger = realloc(index->hot,
		    wanted * sizeof(*larger));

		if (larger == NULL)
			return BAT_WORLD_NO_MEMORY;
		index->hot = larger;
		index->chunk_capacity = wanted;
	}
	while (index->chunk_count < chunks) {
		struct bat_index_hot *chunk = chunks > 1 ? make_chunk() :
							   make_small_chunk();

		if (chunk == NULL)
			return BAT_WORLD_NO_MEMORY;
		index->hot[index->chunk_count++] = chunk;
	}
	index->count += more;
	return BAT_OK;
}

/* Rows come in log order: mostly the segment of the row before. */
static bool
find_segment(const struct bat_index *index, uint64_t segment, uint32_t *out)
{
	uint32_t low = 0, high = index->segment_count;

	if (index->segment_hand < high &&
	    index->segments[index->segment_hand] == segment) {
		*out = index->segment_hand;
		return true;
	}
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (index->segments[middle] < segment)
			low = middle + 1;
		else
			high = middle;
	}
	*out = low;
	return low < index->segment_count && index->segments[low] == segment;
}

int
bat_index_segment(struct bat_index *index, uint64_t segment,
    uint32_t *out_position)
{
	uint32_t count = index->segment_count;
	void *segments = index->segments;
	int code;

	if (find_segment(index, segment, out_position)) {
		index->segment_hand = *out_position;
		return BAT_OK;
	}
	assert(*out_position == count);
	if (count >= BAT_INDEX_SEGMENTS_MAX)
		return BAT_USE_TOO_LARGE;
	code = bat_index_grow(&segments, &index->segment_capacity,
	    (size_t)count + 1, sizeof(*index->segments));
	index->segments = segments;
	if (code != BAT_OK)
		return code;
	index->segments[count] = segment;
	index->segment_count = count + 1;
	index->segment_hand = count;
	return BAT_OK;
}

__extension__ typedef unsigned __int128 wide;

static inline uint64_t
mix(uint64_t sum, uint64_t word)
{
	wide product = (wide)(sum ^ word) * 0x9e3779b97f4a7c15u;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t
mix_bytes(uint64_t sum, const uint8_t *bytes, size_t words)
{
	for (size_t i = 0; i < words; i++)
		sum = mix(sum, bat_bytes_get_le64(bytes + 8 * i));
	return sum;
}

uint32_t
bat_index_fingerprint(const struct bat_id *corr, const struct bat_id *cause,
    const struct bat_hash *prev, const struct bat_hash *hash, uint32_t lane,
    uint32_t depth)
{
	uint64_t sum = mix(0x2545f4914f6cdd1du, (uint64_t)lane << 32 | depth);

	sum = mix_bytes(sum, corr->bytes, 2);
	sum = mix_bytes(sum, cause->bytes, 2);
	sum = mix_bytes(sum, prev->bytes, BAT_PLANT(25) ? 0 : 4);
	sum = mix_bytes(sum, hash->bytes, 4);
	return (uint32_t)(sum ^ sum >> 32);
}

int
bat_index_load(struct bat_index *index, const struct bat_row *row)
{
	uint32_t position = 0;
	int code = bat_index_segment(index, row->segment, &position);

	if (code == BAT_OK && row->offset > BAT_INDEX_OFFSET_MAX)
		code = BAT_USE_TOO_LARGE;
	if (code == BAT_OK)
		code = bat_index_load_room(index, 1);
	if (code != BAT_OK)
		return code;
	*hot_at(index, index->count - 1) = (struct bat_index_hot){
		.id = row->id,
		.seq = row->seq,
		.wall_ms = row->wall_ms,
		.place = (uint64_t)position << 40 | row->offset,
		.length = row->length,
		.entity = row->entity,
		.scope = row->scope,
		.clock = row->clock,
		.fingerprint = bat_index_fingerprint(&row->corr, &row->cause,
		    &row->prev, &row->hash, row->lane, row->depth),
		.kind = row->kind,
		.extensions = (uint8_t)row->extensions,
	};
	return BAT_OK;
}

void
bat_index_unload(struct bat_index *index, uint32_t ordinal)
{
	assert(!index->finished && ordinal <= index->count &&
	    (!index->has_base || ordinal >= index->base.count));
	index->count = ordinal;
}

static int
compare_places(const void *a, const void *b)
{
	const struct bat_index_hot *left = a, *right = b;

	return (left->place > right->place) - (left->place < right->place);
}

int
bat_index_sort(struct bat_index *index)
{
	struct bat_index_hot *rows = malloc(
	    ((size_t)index->count + 1) * sizeof(*rows));

	if (rows == NULL)
		return BAT_WORLD_NO_MEMORY;
	for (uint32_t i = 0; i < index->count; i++)
		rows[i] = *hot_at(index, i);
	qsort(rows, index->count, sizeof(*rows), compare_places);
	for (uint32_t i = 0; i < index->count; i++)
		*hot_at(index, i) = rows[i];
	free(rows);
	return BAT_OK;
}

/* ---- finish ---------------------------------------------------------- */

static int
push_number(struct bat_index_list *list, uint32_t number)
{
	void *numbers = list->ordinals;
	int code = bat_index_grow(&numbers, &list->capacity,
	    (size_t)list->count + 1, sizeof(uint32_t));

	list->ordinals = numbers;
	if (code == BAT_OK)
		list->ordinals[list->count++] = number;
	return code;
}

/* The member of a row; mostly that of the entity's row before. */
static int
row_member(struct bat_index *index, const struct bat_index_hot *row,
    uint32_t *out_member)
{
	const struct bat_index_name *entity = &index->by_name[row->entity];
	uint32_t last = entity->last_member;

	if (last != BAT_INDEX_NOTHING &&
	    index->members[last].scope == row->scope)
		*out_member = last;
	else
		*out_member = bat_index_find_member(index, row->scope,
		    row->entity);
	if (*out_member != BAT_INDEX_NOTHING)
		return BAT_OK;
	return bat_index_make_member(index, row->scope, row->entity,
	    out_member);
}

/* Count a visible row in, and note what is seen for the first time. */
static int
count_row(struct bat_index *index, const struct bat_index_hot *row)
{
	struct bat_index_name *entity = &index->by_name[row->entity];
	struct bat_index_name *scope = &index->by_name[row->scope];
	uint32_t number = 0;
	int code = row_member(index, row, &number);

	if (code != BAT_OK)
		return code;
	if (entity->events.count++ == 0)
		code = push_number(&index->entities, row->entity);
	if (code == BAT_OK && index->members[number].count++ == 0) {
		if (scope->members.count == 0)
			code = push_number(&index->scopes, row->scope);
		if (code == BAT_OK)
			code = push_number(&scope->members, number);
		entity->member_count++;
	}
	return code;
}

void
bat_index_count_visible(struct bat_index *index, uint32_t ordinal)
{
	const struct bat_index_hot *row = hot_at(index, ordinal);

	if (index->visible_count++ == 0) {
		index->first_visible = ordinal;
		index->first_row = *row;
	}
	index->last_visible = ordinal;
	index->last_row = *row;
}

static int
count_rows(struct bat_index *index)
{
	bool hides = index->hidden.count > 0;
	uint32_t last = BAT_INDEX_NOTHING;
	int code = bat_index_make_names(index);

	/* Most names are entities of one scope. */
	if (code == BAT_OK)
		code = bat_map_reserve(&index->by_pair, index->names.count);
	for (uint32_t i = 0; code == BAT_OK && i < index->count; i++) {
		struct bat_index_hot *row = hot_at(index, i);

		if (row->wall_ms > index->max_wall_ms)
			index->max_wall_ms = row->wall_ms;
		if (row->kind == BAT_KIND_CLOSE_COMPLETED)
			index->last_close_wall_ms = row->wall_ms;
		row->hidden = hides && bat_hidden_has(&index->hidden, row->seq);
		if (row->hidden)
			continue;
		if (last == BAT_INDEX_NOTHING)
			bat_index_count_visible(index, i);
		else
			index->visible_count++;
		last = i;
		if (row->entity != BAT_INTERN_NONE)
			code = count_row(index, row);
	}
	if (index->count > 0)
		index->next_seq = hot_at(index, index->count - 1)->seq + 1;
	if (last != BAT_INDEX_NOTHING) {
		index->last_visible = last;
		index->last_row = *hot_at(index, last);
	}
	return code;
}

/* Give a list its part of the block and empty it for filling. */
static uint32_t *
lend(struct bat_index_list *list, uint32_t count, uint32_t *from)
{
	list->ordinals = from;
	list->capacity = count;
	list->borrowed = true;
	list->count = 0;
	return from + count;
}

static int
make_block(struct bat_index *index)
{
	size_t need = index->count;
	uint32_t *next;

	for (uint32_t i = 0; i < index->member_count; i++)
		if (index->members[i].own)
			need += index->members[i].count;
	index->block = malloc((need + 1) * sizeof(uint32_t));
	if (index->block == NULL)
		return BAT_WORLD_NO_MEMORY;
	next = index->block;
	for (uint32_t i = 0; i < index->entities.count; i++) {
		struct bat_index_list *events =
		    &index->by_name[index->entities.ordinals[i]].events;

		next = lend(events, events->count, next);
	}
	for (uint32_t i = 0; i < index->member_count; i++)
		if (index->members[i].own)
			next = lend(&index->members[i].list,
			    index->members[i].count, next);
	return BAT_OK;
}

static void
fill_lists(struct bat_index *index)
{
	for (uint32_t i = 0; i < index->count; i++) {
		const struct bat_index_hot *row = hot_at(index, i);
		struct bat_index_name *entity;
		uint32_t number;

		if (row->hidden || row->entity == BAT_INTERN_NONE)
			continue;
		entity = &index->by_name[row->entity];
		entity->events.ordinals[entity->events.count++] = i;
		if (entity->first_member == entity->last_member)
			continue;
		number = bat_index_find_member(index, row->scope, row->entity);
		if (index->members[number].own) {
			struct bat_index_list *list =
			    &index->members[number].list;

			list->ordinals[list->count++] = i;
		}
	}
}

/* The rows behind a base, one by one into the tables that it brought. */
static int
finish_base(struct bat_index *index)
{
	uint32_t count = index->count;
	int code = BAT_OK;

	index->finished = true;
	index->count = index->base.count;
	while (code == BAT_OK && index->count < count) {
		struct bat_row row;

		bat_index_row(index, index->count, &row);
		code = bat_index_prepare(index, &row, 1);
		if (code == BAT_OK)
			bat_index_table(index, &row);
	}
	return code;
}

int
bat_index_finish(struct bat_index *index)
{
	int code;

	if (index->has_base)
		return finish_base(index);
	code = count_rows(index);

	if (code == BAT_OK)
		code = make_block(index);
	if (code != BAT_OK)
		return code;
	fill_lists(index);
	index->finished = true;
	return BAT_OK;
}
