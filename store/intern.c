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

void
bat_intern_free(struct bat_intern *table)
{
	while (table->chunks != NULL) {
		struct bat_intern_chunk *chunk = table->chunks;

		table->chunks = chunk->next;
		free(chunk);
	}
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
	uint32_t number = bat_map_find(&table->numbers, text);
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
	return bat_map_find(&table->numbers, text);
}

struct bat_slice
bat_intern_get(const struct bat_intern *table, uint32_t number)
{
	assert(number < table->count);
	return table->strings[number];
}
