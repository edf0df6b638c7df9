/*
 * Measuring and reading streams.
 *
 * A read finds the block of 64 lines in which its offset lies by binary
 * search, takes the ordinals of the block from the store, skips lines by their
 * lengths, and renders from there into the caller's buffer. Behind what is
 * measured, lines are rendered once for both: measured and handed out.
 *
 * What can go wrong: a new generation while we work (everything is forgotten;
 * BAT_DATA_DISAGREES, since the key's numbers may mean something else now and
 * only the caller can name them again), and a line whose length is not the
 * recorded one (its frame was damaged or healed since: it shows `damaged`
 * now, or `data` again). Then the new length is recorded, the tables of all
 * streams are dropped, and the call starts over with exact sizes; a reader who
 * goes on at an old offset may see the seam, as with any file that changed.
 */
#include "stream.h"

#include <stdlib.h>

#include "render.h"
#include "stream_internal.h"

/* How often a call starts over before it gives up. */
#define ATTEMPTS 8

/* A length changed within a generation: start over, but not for ever. */
static bool
call_again(const struct batfs_stream_call *call, int code, unsigned attempt)
{
	return code == BAT_DATA_DISAGREES && attempt + 1 < ATTEMPTS &&
	    batfs_stream_store_generation(call->streams) == call->generation;
}

int
batfs_stream_new(struct bat_store *store, const struct batfs_stream_ways *ways,
    struct batfs_streams **out)
{
	struct batfs_streams *streams = calloc(1, sizeof(*streams));

	if (streams == NULL)
		return BAT_WORLD_NO_MEMORY;
	streams->store = store;
	if (ways != NULL)
		streams->ways = *ways;
	if (streams->ways.render == NULL)
		streams->ways.render = batfs_render_event;
	streams->table_bytes_max = BATFS_STREAM_TABLE_BYTES;
	streams->two_processors = batfs_stream_has_two_processors();
	atomic_flag_clear(&streams->helping);
	if (pthread_mutex_init(&streams->mutex, NULL) != 0)
		goto free_streams;
	if (pthread_cond_init(&streams->measured, NULL) != 0)
		goto destroy_mutex;
	if (pthread_cond_init(&streams->text.wake, NULL) != 0)
		goto destroy_measured;
	streams->generation = batfs_stream_store_generation(streams);
	*out = streams;
	return BAT_OK;
destroy_measured:
	pthread_cond_destroy(&streams->measured);
destroy_mutex:
	pthread_mutex_destroy(&streams->mutex);
free_streams:
	free(streams);
	return BAT_WORLD_NO_MEMORY;
}

void
batfs_stream_free(struct batfs_streams *streams)
{
	if (streams == NULL)
		return;
	batfs_stream_end_text(streams);
	batfs_stream_forget(streams, true);
	while (streams->spare_count > 0)
		bat_reading_free(
		    &streams->spare_readings[--streams->spare_count]);
	bat_bytes_free(&streams->helper_room);
	free(streams->buckets);
	pthread_cond_destroy(&streams->text.wake);
	pthread_cond_destroy(&streams->measured);
	pthread_mutex_destroy(&streams->mutex);
	free(streams);
}

static int
size_once(struct batfs_stream_call *call, uint64_t *out_size,
    uint32_t *out_last)
{
	struct batfs_stream_ahead ahead = { .asked = false };
	uint64_t start;
	int code;

	do {
		code = batfs_stream_measure(call, NULL, &start);
		batfs_stream_ahead_start(&ahead, call);
	} while (code == BAT_OK);
	batfs_stream_ahead_end(&ahead);
	if (code != BAT_END)
		return code;
	pthread_mutex_lock(&call->streams->mutex);
	*out_size = call->table->size;
	*out_last = call->table->last;
	pthread_mutex_unlock(&call->streams->mutex);
	return BAT_OK;
}

int
batfs_stream_size(struct batfs_streams *streams,
    const struct batfs_stream_key *key, uint64_t *out_size,
    struct bat_error *error)
{
	uint32_t last;

	if (batfs_stream_brief_size(streams, key, out_size))
		return BAT_OK;
	return batfs_stream_end(streams, key, out_size, &last, error);
}

int
batfs_stream_end(struct batfs_streams *streams,
    const struct batfs_stream_key *key, uint64_t *out_size, uint32_t *out_last,
    struct bat_error *error)
{
	for (unsigned attempt = 0;; attempt++) {
		struct batfs_stream_call call;
		uint64_t size = 0;
		uint32_t last = BAT_MAP_NONE;
		int code = batfs_stream_call_begin(&call, streams, key, error);

		if (code == BAT_OK)
			code = size_once(&call, &size, &last);
		code = batfs_stream_call_end(&call, code);
		if (call_again(&call, code, attempt))
			continue;
		if (code == BAT_OK) {
			*out_size = size;
			*out_last = last;
		}
		return code;
	}
}

int
batfs_stream_read_alone(struct batfs_streams *streams,
    const struct batfs_stream_key *key, uint64_t offset, size_t size,
    struct bat_buf *buf, struct bat_error *error)
{
	size_t before = buf->length;

	for (unsigned attempt = 0;; attempt++) {
		struct batfs_stream_wish wish = { offset, offset + size, buf };
		struct batfs_stream_call call;
		int code = batfs_stream_call_begin(&call, streams, key, error);

		if (wish.end < offset)
			wish.end = UINT64_MAX;
		while (code == BAT_OK && wish.at < wish.end)
			code = batfs_stream_read_some(&call, &wish);
		code = batfs_stream_call_end(&call,
		    code == BAT_END ? BAT_OK : code);
		if (code != BAT_OK)
			buf->length = before;
		if (!call_again(&call, code, attempt))
			return code;
	}
}

int
batfs_stream_read(struct batfs_streams *streams,
    const struct batfs_stream_key *key, uint64_t offset, size_t size,
    struct bat_buf *buf, struct bat_error *error)
{
	uint64_t generation = batfs_stream_store_generation(streams);
	size_t before = buf->length, got;
	int code = BAT_OK;

	/* Nothing, all, or up to where it is measured. */
	(void)batfs_stream_halves(streams, key, offset, size, buf);
	got = buf->length - before;
	if (got < size && batfs_stream_store_generation(streams) == generation)
		code = batfs_stream_read_alone(streams, key, offset + got,
		    size - got, buf, error);
	/* Each part may be whole, and of another time. */
	if (code == BAT_OK &&
	    batfs_stream_store_generation(streams) != generation)
		code = bat_error_set(error, BAT_DATA_DISAGREES,
		    "the store was read anew meanwhile");
	if (code != BAT_OK)
		buf->length = before;
	return code;
}

int
batfs_stream_line_length(struct batfs_streams *streams, uint32_t ordinal,
    uint32_t *out_length, struct bat_error *error)
{
	struct batfs_stream_call call;
	uint32_t length = 0;
	int code = batfs_stream_call_begin(&call, streams, NULL, error);

	if (code == BAT_OK)
		code = batfs_stream_known(&call, &ordinal, 1, &length);
	if (code == BAT_OK && length == 0) {
		code = batfs_stream_render(&call, ordinal, 0, &call.scratch,
		    &length);
		if (code == BAT_OK)
			code = batfs_stream_remember(&call, &ordinal, &length,
			    1);
	}
	code = batfs_stream_call_end(&call, code);
	if (code == BAT_OK)
		*out_length = length;
	return code;
}

int
batfs_stream_line(struct batfs_streams *streams, uint32_t ordinal,
    struct bat_buf *buf, struct bat_error *error)
{
	struct batfs_stream_call call;
	uint32_t known = 0, length;
	size_t before = buf->length;
	int code = batfs_stream_call_begin(&call, streams, NULL, error);

	if (code == BAT_OK)
		code = batfs_stream_known(&call, &ordinal, 1, &known);
	if (code == BAT_OK)
		code = batfs_stream_render(&call, ordinal, known, buf, &length);
	if (code == BAT_OK && known == 0)
		code = batfs_stream_remember(&call, &ordinal, &length, 1);
	code = batfs_stream_call_end(&call, code);
	if (code != BAT_OK)
		buf->length = before;
	return code;
}

void
batfs_stream_counts(struct batfs_streams *streams,
    struct batfs_stream_counts *out)
{
	*out = (struct batfs_stream_counts){
		.lines = atomic_load(&streams->rendered_lines),
		.bytes = atomic_load(&streams->rendered_bytes),
	};
}
