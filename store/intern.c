#include "intern.h"

#include "error.h"

#include <assert.h>
#include <stdlib.h>

/* Strings are packed into chunks of this size; a longer one has its own. */
static const size_t chunk_size = 32 << 10;

struct bat_intern_chunk {
	struct bat_intern_chunk *next;
	size_t used, size;
	uint8_t bytes[];
};

static bool
is_string(const void *context, uint32_t number, struct bat_slice text)
{
	const struct bat_intern *table = context;

	return bat_bytes_equal(table->strings[number], text);
}

static uint64_t
hash_of_string(const void *context, uint32_t number)
{
	const struct bat_intern *table = context;

	return bat_map_hash(table->strings[number]);
}

void
bat_intern_init(struct bat_intern *table)
{
	*table = (struct bat_intern){ 0 };
	bat_map_init(&table->numbers, table, is_string, hash_of_string);
}

static void
free_chunks(struct bat_intern_chunk *chunk)
{
	while (chunk != NULL) {
		struct bat_intern_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}

void
bat_intern_free(struct bat_intern *table)
{
	free_chunks(table->chunks);
	free_chunks(table->late_chunks);
	bat_map_free(&table->numbers);
	free(table->strings);
	bat_intern_init(table);
}

/* Room for one more slice. Doubling keeps the cost per string constant. */
static int
reserve_slot(struct bat_intern *table)
{
	size_t capacity = table->capacity == 0 ? 64 : table->capacity * 2;
	struct bat_slice *strings;

	if (table->count < table->capacity)
		return 0;
	if (table->count >= BAT_INTERN_NONE ||
	    capacity > SIZE_MAX / sizeof(*strings))
		return BAT_WORLD_NO_MEMORY;
	strings = realloc(table->strings, capacity * sizeof(*strings));
	if (strings == NULL)
		return BAT_WORLD_NO_MEMORY;
	table->strings = strings;
	table->capacity = capacity;
	return 0;
}

/* A chunk with room for length bytes at its end; NULL without memory. */
static struct bat_intern_chunk *
chunk_for(struct bat_intern *table, size_t length)
{
	struct bat_intern_chunk *chunk = table->chunks;
	size_t size = length > chunk_size ? length : chunk_size;

	if (chunk != NULL && chunk->size - chunk->used >= length)
		return chunk;
	if (size > SIZE_MAX - sizeof(*chunk))
		return NULL;
	chunk = malloc(sizeof(*chunk) + size);
	if (chunk == NULL)
		return NULL;
	*chunk = (struct bat_intern_chunk){ table->chunks, 0, size };
	table->chunks = chunk;
	return chunk;
}

int
bat_intern_put(struct bat_intern *table, struct bat_slice text,
    uint32_t *out_number)
{
	struct bat_intern_chunk *chunk;
	uint32_t number = bat_intern_find(table, text);
	uint8_t *copy;

	if (number != BAT_MAP_NONE) {
		*out_number = number;
		return 0;
	}
	if (reserve_slot(table) != 0)
		return BAT_WORLD_NO_MEMORY;
	chunk = chunk_for(table, text.length);
	if (chunk == NULL)
		return BAT_WORLD_NO_MEMORY;
	copy = chunk->bytes + chunk->used;
	if (text.length > 0)
		memcpy(copy, text.data, text.length);
	number = (uint32_t)table->count;
	table->strings[number] = bat_bytes_slice(copy, text.length);
	if (bat_map_put(&table->numbers, text, number) != 0)
		return BAT_WORLD_NO_MEMORY;
	chunk->used += text.length;
	table->count++;
	*out_number = number;
	return 0;
}

uint32_t
bat_intern_find(const struct bat_intern *table, struct bat_slice text)
{
	uint32_t number = bat_map_find(&table->numbers, text);

	return number == BAT_MAP_NONE && table->late_count > 0 ?
	    table->late.find(table->late.context, text) :
	    number;
}

struct bat_slice
bat_intern_get(const struct bat_intern *table, uint32_t number)
{
	const struct bat_slice *string = &table->strings[number];

	assert(number < table->count);
	if (number < table->late_count &&
	    __atomic_load_n(&string->data, __ATOMIC_ACQUIRE) == NULL)
		table->late.fetch(table->late.context, number);
	return *string;
}

/* ---- late strings ----------------------------------------------------- */

int
bat_intern_start_late(struct bat_intern *table, uint32_t count,
    const struct bat_intern_source *source)
{
	assert(table->count == 0);
	/* Zeros that nobody touches cost no memory. */
	table->strings = calloc((size_t)count + 1, sizeof(*table->strings));
	if (table->strings == NULL)
		return BAT_WORLD_NO_MEMORY;
	table->count = table->late_count = count;
	table->capacity = (size_t)count + 1;
	table->late = *source;
	return 0;
}

/* The length first: who sees the bytes sees it too. */
static void
put_late(struct bat_slice *string, const uint8_t *bytes, size_t length)
{
	string->length = length;
	__atomic_store_n(&string->data, bytes, __ATOMIC_RELEASE);
}

int
bat_intern_fill(struct bat_intern *table, uint32_t first, size_t count,
    const uint32_t *ends, const uint8_t *bytes)
{
	uint32_t size = count == 0 ? 0 : ends[count - 1], start = 0;
	/* One more, so that an empty string has a place too. */
	struct bat_intern_chunk *chunk = malloc(sizeof(*chunk) + size + 1);

	if (chunk == NULL)
		return BAT_WORLD_NO_MEMORY;
	*chunk = (struct bat_intern_chunk){ table->late_chunks, size, size };
	table->late_chunks = chunk;
	if (size > 0)
		memcpy(chunk->bytes, bytes, size);
	for (size_t i = 0; i < count; start = ends[i++])
		put_late(&table->strings[first + i], chunk->bytes + start,
		    ends[i] - start);
	return 0;
}

void
bat_intern_fill_empty(struct bat_intern *table, uint32_t first, size_t count)
{
	static const uint8_t nothing[1];

	for (size_t i = 0; i < count; i++)
		put_late(&table->strings[first + i], nothing, 0);
}
