/*
 * Text of whole blocks, kept for a while: who measures a stream mostly reads it
 * next, and who reads it reads it again. The figure that justifies it: the
 * lines of a mebibyte take 2 ms of processor time to render, and 0.1 ms to copy.
 *
 * All of it is one piece of memory, filled from its start and given up at once:
 * when it is full (but a stream that has most of it keeps its beginning rather
 * than displace itself), when streams are forgotten, and when it was of no use
 * for some seconds, for which a thread waits.
 */
#include "stream_internal.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "thread.h"

/* A power of two; at most this many blocks have a place. */
#define SLOTS 16384u
#define BLOCKS_MAX (SLOTS / 2)
#define LARGE_PAGE (2u << 20)

struct batfs_stream_place {
	uint64_t serial; /* 0: free */
	uint64_t block;
	size_t at, length;
};

/* The place of a block, or a free one. */
static struct batfs_stream_place *
find_place(const struct batfs_stream_text *text, uint64_t serial,
    uint64_t block)
{
	uint64_t hash = (serial * UINT64_C(0x9e3779b97f4a7c15)) ^
	    (block * UINT64_C(0xff51afd7ed558ccd));
	size_t i = (size_t)(hash >> 40) & (SLOTS - 1);

	while (text->places[i].serial != 0 &&
	    (text->places[i].serial != serial ||
		text->places[i].block != block))
		i = (i + 1) & (SLOTS - 1);
	return &text->places[i];
}

void
batfs_stream_drop_text(struct batfs_streams *streams)
{
	struct batfs_stream_text *text = &streams->text;

	free(text->bytes);
	free(text->places);
	text->bytes = NULL;
	text->places = NULL;
	text->used = text->count = 0;
	text->refused = 0;
}

/* ---- the end of what nobody needs --------------------------------------- */

static void *
wait_for_idleness(void *argument)
{
	struct batfs_streams *streams = argument;
	struct batfs_stream_text *text = &streams->text;
	uint64_t uses;

	pthread_mutex_lock(&streams->mutex);
	do {
		struct timespec until;

		uses = text->uses;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += BATFS_STREAM_TEXT_SECONDS;
		while (!text->stop && !text->hurry &&
		    pthread_cond_clockwait(&text->wake, &streams->mutex,
			CLOCK_MONOTONIC, &until) == 0)
			continue;
	} while (!text->stop && uses != text->uses);
	batfs_stream_drop_text(streams);
	text->waits = false;
	pthread_mutex_unlock(&streams->mutex);
	return NULL;
}

/* In large pages: to touch small ones first took a fifth of the time in which
 * they are filled. Without them it works as well. */
static uint8_t *
new_bytes(size_t size)
{
	uint8_t *bytes = aligned_alloc(LARGE_PAGE,
	    (size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE);

	if (bytes != NULL)
		(void)madvise(bytes, size, MADV_HUGEPAGE);
	return bytes;
}

/* Memory for text, and who gives it back. */
static bool
start(struct batfs_streams *streams)
{
	struct batfs_stream_text *text = &streams->text;

	text->bytes = new_bytes(streams->ways.text_bytes);
	text->places = calloc(SLOTS, sizeof(*text->places));
	if (text->bytes == NULL || text->places == NULL)
		goto fail;
	if (text->waits)
		return true;
	/* The one before has let go of the mutex for the last time. */
	if (text->has_thread)
		pthread_join(text->thread, NULL);
	text->has_thread = batfs_thread_start(&text->thread, wait_for_idleness,
			       streams, "batfs-text") == 0;
	text->waits = text->has_thread;
	if (text->waits)
		return true;
fail:
	batfs_stream_drop_text(streams);
	return false;
}

void
batfs_stream_end_text(struct batfs_streams *streams)
{
	struct batfs_stream_text *text = &streams->text;

	pthread_mutex_lock(&streams->mutex);
	text->stop = true;
	pthread_cond_broadcast(&text->wake);
	pthread_mutex_unlock(&streams->mutex);
	if (text->has_thread)
		pthread_join(text->thread, NULL);
	text->has_thread = false;
}

/* ---- keeping and finding ------------------------------------------------- */

/* Whether most of it is of one stream. */
static bool
has_most(const struct batfs_stream_text *text, uint64_t serial)
{
	size_t bytes = 0;

	for (size_t i = 0; i < SLOTS; i++)
		if (text->places[i].serial == serial)
			bytes += text->places[i].length;
	return bytes > text->used / 2;
}

/* Room for a block; false: it is not kept. */
static bool
make_room(struct batfs_streams *streams, uint64_t serial, size_t length)
{
	struct batfs_stream_text *text = &streams->text;

	if (text->bytes == NULL && !start(streams))
		return false;
	if (length <= streams->ways.text_bytes - text->used &&
	    text->count < BLOCKS_MAX)
		return true;
	if (has_most(text, serial)) {
		text->refused = serial;
		return false;
	}
	memset(text->places, 0, SLOTS * sizeof(*text->places));
	text->used = text->count = 0;
	text->refused = 0;
	return length <= streams->ways.text_bytes;
}

void
batfs_stream_put_text(struct batfs_stream_call *call, uint64_t block,
    struct bat_slice bytes)
{
	struct batfs_streams *streams = call->streams;
	struct batfs_stream_text *text = &streams->text;
	struct batfs_stream_place *place;

	if (streams->ways.text_bytes == 0 || block == UINT64_MAX ||
	    (call->shows_damage && !BAT_PLANT(379)))
		return;
	pthread_mutex_lock(&streams->mutex);
	if (call->table->detached || text->refused == call->table->serial ||
	    streams->generation != call->generation ||
	    !make_room(streams, call->table->serial, bytes.length))
		goto unlock;
	text->uses++;
	block += BAT_PLANT(378);
	place = find_place(text, call->table->serial, block);
	if (place->serial != 0)
		goto unlock;
	*place = (struct batfs_stream_place){ call->table->serial, block,
		text->used, bytes.length };
	memcpy(text->bytes + text->used, bytes.data, bytes.length);
	text->used += bytes.length;
	text->count++;
unlock:
	pthread_mutex_unlock(&streams->mutex);
}

struct bat_slice
batfs_stream_find_text(struct batfs_streams *streams,
    const struct batfs_stream_table *table, uint64_t block)
{
	struct batfs_stream_text *text = &streams->text;
	const struct batfs_stream_place *place;

	if (text->bytes == NULL)
		return BAT_SLICE_EMPTY;
	place = find_place(text, table->serial, block);
	if (place->serial == 0)
		return BAT_SLICE_EMPTY;
	text->uses++;
	return bat_bytes_slice(text->bytes + place->at, place->length);
}
