/* Loading: rows are appended without tables, which finish makes. */
#include "index_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

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

/* Of this one only what is used becomes memory. */
struct bat_index_hot *
bat_index_make_small_chunk(void)
{
	return malloc(BAT_INDEX_CHUNK_ROWS * sizeof(struct bat_index_hot));
}

/* The list of spares goes through their first bytes. */
struct spare {
	struct bat_index_hot *next;
};

void
bat_index_spare_chunk(struct bat_index *index, struct bat_index_hot *chunk)
{
	const struct spare link = { index->spare };

	memcpy(chunk, &link, sizeof(link));
	index->spare = chunk;
}

static struct bat_index_hot *
take_spare(struct bat_index *index)
{
	struct bat_index_hot *chunk = index->spare;
	struct spare link;

	memcpy(&link, chunk, sizeof(link));
	index->spare = link.next;
	return chunk;
}

void
bat_index_drop_spares(struct bat_index *index)
{
	while (index->spare != NULL)
		free(take_spare(index));
}

/* Will the next chunk be? The first one of a small store will not, nor the last
 * of many rows that are loaded at once, if it is less than half of one. */
static bool
is_filled(const struct bat_index *index, uint64_t rows, uint32_t more)
{
	uint64_t start = (uint64_t)index->chunk_count * BAT_INDEX_CHUNK_ROWS;

	if (more > BAT_INDEX_CHUNK_ROWS)
		return rows - start > BAT_INDEX_CHUNK_ROWS / 2;
	return rows > BAT_INDEX_CHUNK_ROWS;
}

/* The chunk in which the base ends, of which nothing was asked for yet. */
static int
make_last_of_base(struct bat_index *index)
{
	struct bat_index_hot **last;

	if (!index->has_base || index->count % BAT_INDEX_CHUNK_ROWS == 0)
		return BAT_OK;
	last = &index->hot[index->count / BAT_INDEX_CHUNK_ROWS];
	if (*last == NULL)
		*last = bat_index_make_small_chunk();
	return *last == NULL ? BAT_WORLD_NO_MEMORY : BAT_OK;
}

int
bat_index_load_room(struct bat_index *index, uint32_t more)
{
	uint64_t rows = (uint64_t)index->count + more;
	uint64_t chunks = (rows + BAT_INDEX_CHUNK_ROWS - 1) /
	    BAT_INDEX_CHUNK_ROWS;

	if (rows > UINT32_MAX - 1)
		return BAT_USE_TOO_LARGE;
	if (make_last_of_base(index) != BAT_OK)
		return BAT_WORLD_NO_MEMORY;
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
		struct bat_index_hot *chunk = index->spare != NULL ?
		    take_spare(index) :
		    is_filled(index, rows, more) ? make_chunk() :
						   bat_index_make_small_chunk();

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

/* Four sums side by side: one after the other, each multiplication would wait
 * for the one before. */
uint32_t
bat_index_fingerprint(const struct bat_id *corr, const struct bat_id *cause,
    const struct bat_hash *prev, const struct bat_hash *hash, uint32_t lane,
    uint32_t depth)
{
	const uint8_t *ids[4] = { corr->bytes, corr->bytes + 8, cause->bytes,
		cause->bytes + 8 };
	uint64_t sum = 0x2545f4914f6cdd1du ^ ((uint64_t)lane << 32 | depth);

	for (unsigned i = 0; i < 4; i++) {
		uint64_t part = mix(i + 1, bat_bytes_get_le64(ids[i]));

		if (!BAT_PLANT(25))
			part = mix(part,
			    bat_bytes_get_le64(prev->bytes + 8 * i));
		part = mix(part, bat_bytes_get_le64(hash->bytes + 8 * i));
		sum = mix(sum, part);
	}
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
