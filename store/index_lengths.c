/*
 * The number that is kept beside each row. Under late_mutex, since readers
 * learn them while they share the index.
 */
#include "index_internal.h"

#include <stdlib.h>

void
bat_index_name_lengths(struct bat_index *index, uint32_t format)
{
	index->lengths_format = format;
	if (index->base.lengths_format != format && !BAT_PLANT(211))
		index->base.lengths_at = 0;
}

/* How many of a chunk the base has. */
static size_t
stored_count(const struct bat_index *index, size_t number)
{
	uint64_t first = (uint64_t)number * BAT_INDEX_CHUNK_LENGTHS;
	uint64_t count = index->base.count;

	if (index->base.lengths_at == 0 || first >= count)
		return 0;
	return count - first < BAT_INDEX_CHUNK_LENGTHS ?
	    (size_t)(count - first) :
	    BAT_INDEX_CHUNK_LENGTHS;
}

/* A chunk as the base has it; what cannot be read is not known. */
static void
read_chunk(const struct bat_index *index, size_t number, uint32_t *chunk)
{
	size_t count = stored_count(index, number);
	uint64_t first = (uint64_t)number * BAT_INDEX_CHUNK_LENGTHS;

	memset(chunk, 0, BAT_INDEX_CHUNK_LENGTHS * sizeof(*chunk));
	if (count > 0 &&
	    bat_blockfile_read(&index->base.file,
		index->base.lengths_at + first * sizeof(*chunk), chunk,
		count * sizeof(*chunk), NULL) != BAT_OK)
		memset(chunk, 0, count * sizeof(*chunk));
}

static int
grow_chunks(struct bat_index *index, size_t need)
{
	size_t before = index->length_chunks;
	size_t wanted = before * 2 > need ? before * 2 : need;
	uint32_t **larger;

	if (need <= before)
		return BAT_OK;
	larger = realloc(index->lengths, wanted * sizeof(*larger));
	if (larger == NULL)
		return BAT_WORLD_NO_MEMORY;
	memset(larger + before, 0, (wanted - before) * sizeof(*larger));
	index->lengths = larger;
	index->length_chunks = wanted;
	return BAT_OK;
}

/* The chunk of a row. NULL: nothing is known of it (and, with make, there is
 * no memory). */
static uint32_t *
chunk_of(struct bat_index *index, uint32_t ordinal, bool make)
{
	size_t number = ordinal / BAT_INDEX_CHUNK_LENGTHS;

	if (number < index->length_chunks && index->lengths[number] != NULL)
		return index->lengths[number];
	if (!make && stored_count(index, number) == 0)
		return NULL;
	if (grow_chunks(index, number + 1) != BAT_OK)
		return NULL;
	index->lengths[number] = malloc(
	    BAT_INDEX_CHUNK_LENGTHS * sizeof(**index->lengths));
	if (index->lengths[number] != NULL)
		read_chunk(index, number, index->lengths[number]);
	return index->lengths[number];
}

void
bat_index_lengths(struct bat_index *index, const uint32_t *ordinals,
    size_t count, uint32_t *lengths)
{
	pthread_mutex_lock(&index->late_mutex);
	for (size_t i = 0; i < count; i++) {
		const uint32_t *chunk = chunk_of(index, ordinals[i], false);

		lengths[i] = chunk == NULL ?
		    0 :
		    chunk[ordinals[i] % BAT_INDEX_CHUNK_LENGTHS];
	}
	pthread_mutex_unlock(&index->late_mutex);
}

void
bat_index_chunk_lengths(struct bat_index *index, size_t number,
    uint32_t lengths[BAT_INDEX_CHUNK_LENGTHS])
{
	pthread_mutex_lock(&index->late_mutex);
	if (number < index->length_chunks && index->lengths[number] != NULL)
		memcpy(lengths, index->lengths[number],
		    BAT_INDEX_CHUNK_LENGTHS * sizeof(*lengths));
	else
		read_chunk(index, number, lengths);
	pthread_mutex_unlock(&index->late_mutex);
}

int
bat_index_keep_lengths(struct bat_index *index, const uint32_t *ordinals,
    const uint32_t *lengths, size_t count)
{
	int code = BAT_OK;

	pthread_mutex_lock(&index->late_mutex);
	for (size_t i = 0; code == BAT_OK && i < count; i++) {
		uint32_t *chunk = chunk_of(index, ordinals[i], true);
		size_t place = ordinals[i] % BAT_INDEX_CHUNK_LENGTHS;

		if (chunk == NULL) {
			code = BAT_WORLD_NO_MEMORY;
		} else if (chunk[place] != lengths[i]) {
			chunk[place] = lengths[i];
			index->lengths_learned++;
		}
	}
	pthread_mutex_unlock(&index->late_mutex);
	return code;
}

void
bat_index_forget_lengths(struct bat_index *index)
{
	pthread_mutex_lock(&index->late_mutex);
	for (size_t i = 0; i < index->length_chunks; i++)
		free(index->lengths[i]);
	free(index->lengths);
	index->lengths = NULL;
	index->length_chunks = 0;
	index->base.lengths_at = 0;
	pthread_mutex_unlock(&index->late_mutex);
}
