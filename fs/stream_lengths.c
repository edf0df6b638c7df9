/*
 * The lengths of lines: in the store, which keeps them from one mount to the
 * next, or for lines of another kind in memory of our own. Without the mutex.
 */
#include "stream_internal.h"

#include <stdlib.h>

/* ---- our own memory; with the mutex ------------------------------------ */

static uint32_t
own_length(const struct batfs_streams *streams, uint32_t ordinal)
{
	size_t number = ordinal / BATFS_STREAM_LENGTHS;

	return number < streams->length_chunks &&
		streams->lengths[number] != NULL ?
	    streams->lengths[number][ordinal % BATFS_STREAM_LENGTHS] :
	    0;
}

/* The chunk of an ordinal, made if need be; NULL: no memory. Who reads a page
 * at the end of a long store pays for no memory of what stands before. */
static uint32_t *
own_chunk(struct batfs_streams *streams, size_t number)
{
	size_t count = streams->length_chunks;

	if (number >= count) {
		size_t wanted = number + 1 > 2 * count ? number + 1 : 2 * count;
		uint32_t **larger = realloc(streams->lengths,
		    wanted * sizeof(*larger));

		if (larger == NULL)
			return NULL;
		memset(larger + count, 0, (wanted - count) * sizeof(*larger));
		streams->lengths = larger;
		streams->length_chunks = wanted;
	}
	if (streams->lengths[number] == NULL)
		streams->lengths[number] = calloc(BATFS_STREAM_LENGTHS,
		    sizeof(**streams->lengths));
	return streams->lengths[number];
}

static int
keep_own(struct batfs_streams *streams, uint32_t ordinal, uint32_t length)
{
	uint32_t *chunk = own_chunk(streams, ordinal / BATFS_STREAM_LENGTHS);

	if (chunk == NULL)
		return BAT_WORLD_NO_MEMORY;
	chunk[ordinal % BATFS_STREAM_LENGTHS] = length;
	return BAT_OK;
}

void
batfs_stream_forget_lengths(struct batfs_streams *streams)
{
	for (size_t i = 0; i < streams->length_chunks; i++)
		free(streams->lengths[i]);
	free(streams->lengths);
	streams->lengths = NULL;
	streams->length_chunks = 0;
}

/* ---- both --------------------------------------------------------------- */

int
batfs_stream_known(struct batfs_stream_call *call, const uint32_t *ordinals,
    size_t count, uint32_t *lengths)
{
	struct batfs_streams *streams = call->streams;

	if (streams->ways.kept)
		return bat_lengths(streams->store, call->generation, ordinals,
			   count, lengths) ?
		    BAT_OK :
		    BAT_DATA_DISAGREES;
	pthread_mutex_lock(&streams->mutex);
	for (size_t i = 0; i < count; i++)
		lengths[i] = own_length(streams, ordinals[i]);
	pthread_mutex_unlock(&streams->mutex);
	return BAT_OK;
}

int
batfs_stream_remember(struct batfs_stream_call *call, const uint32_t *ordinals,
    const uint32_t *lengths, size_t count)
{
	struct batfs_streams *streams = call->streams;
	int code = BAT_OK;

	if (streams->ways.kept)
		return bat_keep_lengths(streams->store, call->generation,
		    ordinals, lengths, count);
	pthread_mutex_lock(&streams->mutex);
	if (streams->generation != call->generation)
		code = BAT_DATA_DISAGREES;
	for (size_t i = 0; code == BAT_OK && i < count; i++)
		code = keep_own(streams, ordinals[i], lengths[i]);
	pthread_mutex_unlock(&streams->mutex);
	return code;
}

int
batfs_stream_correct(struct batfs_stream_call *call, uint32_t ordinal,
    uint32_t length)
{
	struct batfs_streams *streams = call->streams;

	if (streams->ways.kept) {
		bat_doubt_lengths(streams->store, call->generation);
		return BAT_DATA_DISAGREES;
	}
	pthread_mutex_lock(&streams->mutex);
	batfs_stream_forget(streams, false);
	pthread_mutex_unlock(&streams->mutex);
	return batfs_stream_remember(call, &ordinal, &length, 1);
}
