/*
 * One call's dealings with the store: rendering lines, walking lists, and
 * measuring what a table does not know yet. The mutex is never held meanwhile.
 */
#include "stream_internal.h"

#include <assert.h>
#include <inttypes.h>

#include "render.h"

/* Lines that are measured and handed out at once: stop behind so many bytes,
 * since what a reader does not take is kept. */
#define CAPTURE_BYTES (128u << 10)
/* A reading that has more memory than this is not kept for the next call. */
#define SPARE_BYTES (1u << 20)

uint64_t
batfs_stream_store_generation(const struct batfs_streams *streams)
{
	struct bat_head head;

	bat_head(streams->store, &head);
	return head.generation;
}

/* ---- one call --------------------------------------------------------- */

int
batfs_stream_call_begin(struct batfs_stream_call *call,
    struct batfs_streams *streams, const struct batfs_stream_key *key,
    struct bat_error *error)
{
	uint64_t generation = batfs_stream_store_generation(streams);

	*call = (struct batfs_stream_call){
		.streams = streams,
		.reading = BAT_READING_EMPTY,
		.error = error,
	};
	pthread_mutex_lock(&streams->mutex);
	if (generation > streams->generation && !BAT_PLANT(84)) {
		batfs_stream_forget(streams, true);
		streams->generation = generation;
	}
	call->generation = streams->generation;
	if (key != NULL)
		call->table = batfs_stream_obtain(streams, key);
	if (streams->spare_count > 0)
		call->reading = streams->spare_readings[--streams->spare_count];
	pthread_mutex_unlock(&streams->mutex);
	if (key != NULL && call->table == NULL)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY,
		    "no memory for the table of a stream");
	return BAT_OK;
}

/* Hands code back, or says that what was found out is of an older time. */
int
batfs_stream_call_end(struct batfs_stream_call *call, int code)
{
	struct batfs_streams *streams = call->streams;

	/* What it noted is of this call only. */
	bat_read_ahead(streams->store, NULL, 0, &call->reading);
	pthread_mutex_lock(&streams->mutex);
	if (call->table != NULL)
		batfs_stream_release(streams, call->table);
	if (streams->spare_count < BATFS_STREAM_SPARES &&
	    call->reading.frame.capacity + call->reading.payload.capacity <
		SPARE_BYTES) {
		streams->spare_readings[streams->spare_count++] = call->reading;
		call->reading = BAT_READING_EMPTY;
	}
	pthread_mutex_unlock(&streams->mutex);
	bat_reading_free(&call->reading);
	bat_bytes_free(&call->scratch);
	atomic_fetch_add(&streams->rendered_lines, call->rendered_lines);
	atomic_fetch_add(&streams->rendered_bytes, call->rendered_bytes);
	if (batfs_stream_store_generation(streams) != call->generation)
		return bat_error_set(call->error, BAT_DATA_DISAGREES,
		    "the store was read anew meanwhile");
	return code;
}

/*
 * Render one line onto buf. known: its recorded length, or 0. The line of an
 * event that was hidden meanwhile is one more way of disagreeing.
 */
int
batfs_stream_render(struct batfs_stream_call *call, uint32_t ordinal,
    uint32_t known, struct bat_buf *buf, uint32_t *out_length)
{
	struct bat_error *error = call->error == NULL ? &call->own_error :
							call->error;
	size_t before = buf->length, length;
	int code;

	error->code = BAT_OK;
	code = call->streams->ways.render(call->streams->store, ordinal,
	    &call->reading, buf, error);
	call->shows_damage |= error->code != BAT_OK;
	if (code != BAT_OK)
		return code == BAT_STATE_NOT_FOUND ? BAT_DATA_DISAGREES : code;
	length = buf->length - before;
	assert(length > 0);
	if (length > UINT32_MAX) {
		buf->length = before;
		return bat_error_set(call->error, BAT_USE_TOO_LARGE,
		    "a line of %zu bytes", length);
	}
	*out_length = (uint32_t)length;
	call->rendered_lines++;
	call->rendered_bytes += length;
	if (known == 0 || known == length || BAT_PLANT(210))
		return BAT_OK;
	code = batfs_stream_correct(call, ordinal, *out_length);
	if (code != BAT_OK && code != BAT_DATA_DISAGREES)
		return code;
	return bat_error_set(call->error, BAT_DATA_DISAGREES,
	    "the line of an event has %zu bytes now, %" PRIu32 " before",
	    length, known);
}

/* ---- walking ---------------------------------------------------------- */

/* The part of the log between two sequences: from the one where the cursor
 * stands, up to the event behind the last. */
static size_t
walk_range(const struct batfs_streams *streams,
    const struct batfs_stream_key *key, uint64_t *cursor, uint32_t *ordinals,
    size_t max)
{
	uint64_t seq = *cursor == 0 ? key->from_seq : *cursor, at;
	uint32_t first = bat_find_seq_from(streams->store, seq);
	uint32_t end = bat_find_seq_from(streams->store, key->to_seq);
	struct bat_list list = key->list;
	struct bat_row row;
	size_t count;

	if (first == BAT_MAP_NONE || first >= end)
		return 0;
	if (end != BAT_MAP_NONE && (list.before == 0 || end < list.before))
		list.before = end;
	at = first;
	count = bat_list_next(streams->store, &list, &at, ordinals, max);
	if (count == 0 || !bat_row(streams->store, ordinals[count - 1], &row))
		return 0;
	*cursor = row.seq + 1;
	return count;
}

int
batfs_stream_walk(struct batfs_streams *streams,
    const struct batfs_stream_key *key, uint64_t *cursor, uint32_t *ordinals,
    size_t max, size_t *out_count)
{
	if (key->choice != 0)
		return streams->ways.choose(streams->ways.context, key, cursor,
		    ordinals, max, out_count);
	if (key->from_seq == 0 && key->to_seq == UINT64_MAX)
		*out_count = bat_list_next(streams->store, &key->list, cursor,
		    ordinals, max);
	else
		*out_count = walk_range(streams, key, cursor, ordinals, max);
	return BAT_OK;
}

/* The next max lines at chunk->cursor, with the lengths that are known. */
int
batfs_stream_take_chunk(struct batfs_stream_call *call,
    struct batfs_stream_chunk *chunk, size_t max)
{
	struct batfs_streams *streams = call->streams;
	int code = batfs_stream_walk(streams, &call->table->key, &chunk->cursor,
	    chunk->ordinals, max, &chunk->count);

	if (code != BAT_OK)
		return code;
	return batfs_stream_known(call, chunk->ordinals, chunk->count,
	    chunk->lengths);
}

/* ---- measuring -------------------------------------------------------- */

/* Become the one who measures; where the table ends goes into *chunk and
 * *out_start. Returns how many lines its last block has room for. */
static size_t
measuring_begin(struct batfs_stream_call *call,
    struct batfs_stream_chunk *chunk, uint64_t *out_start)
{
	struct batfs_stream_table *table = call->table;
	size_t room;

	pthread_mutex_lock(&call->streams->mutex);
	while (table->measuring)
		pthread_cond_wait(&call->streams->measured,
		    &call->streams->mutex);
	table->measuring = true;
	chunk->cursor = table->cursor;
	chunk->block = table->line_count / BATFS_STREAM_BLOCK_LINES;
	*out_start = table->size;
	room = table->detached ? 0 :
				 BATFS_STREAM_BLOCK_LINES -
		(size_t)(table->line_count % BATFS_STREAM_BLOCK_LINES);
	pthread_mutex_unlock(&call->streams->mutex);
	return room;
}

static int
measuring_end(struct batfs_stream_call *call,
    const struct batfs_stream_chunk *chunk, int code)
{
	struct batfs_streams *streams = call->streams;
	bool stale;

	if (code == BAT_OK && chunk->count > 0)
		code = batfs_stream_remember(call, chunk->ordinals,
		    chunk->lengths, chunk->count);
	stale = batfs_stream_store_generation(streams) != call->generation;
	pthread_mutex_lock(&streams->mutex);
	call->table->measuring = false;
	pthread_cond_broadcast(&streams->measured);
	if (code == BAT_OK && (stale || call->table->detached))
		code = BAT_DATA_DISAGREES;
	if (code == BAT_OK)
		code = batfs_stream_extend(streams, call->table, chunk);
	pthread_mutex_unlock(&streams->mutex);
	return code;
}

/* The rest of a chunk is for another time. */
static int
cut_chunk(struct batfs_stream_call *call, struct batfs_stream_chunk *chunk,
    uint64_t start, size_t count)
{
	int code;

	chunk->cursor = start;
	code = batfs_stream_walk(call->streams, &call->table->key,
	    &chunk->cursor, chunk->ordinals, count, &chunk->count);
	if (code == BAT_OK && chunk->count != count)
		code = BAT_DATA_DISAGREES;
	return code;
}

/* Say which lines of a chunk are read next: all, or those of no known length. */
static void
read_ahead(struct batfs_stream_call *call,
    const struct batfs_stream_chunk *chunk, bool all)
{
	uint32_t ordinals[BATFS_STREAM_BLOCK_LINES];
	size_t count = 0;

	for (size_t i = 0; i < chunk->count; i++)
		if (all || chunk->lengths[i] == 0)
			ordinals[count++] = chunk->ordinals[i];
	if (count > 1)
		bat_read_ahead(call->streams->store, ordinals, count,
		    &call->reading);
}

/* The lengths of a chunk that nobody knows yet. A whole block of such lines is
 * kept as text. */
int
batfs_stream_learn(struct batfs_stream_call *call,
    struct batfs_stream_chunk *chunk)
{
	size_t rendered = 0, count = 0;
	int code;

	read_ahead(call, chunk, false);
	bat_bytes_clear(&call->scratch);
	call->shows_damage = false;
	for (size_t i = 0; i < chunk->count; i++) {
		if (chunk->lengths[i] != 0)
			continue;
		if (call->scratch.length >= CAPTURE_BYTES)
			bat_bytes_clear(&call->scratch);
		code = batfs_stream_render(call, chunk->ordinals[i], 0,
		    &call->scratch, &chunk->lengths[i]);
		if (code != BAT_OK)
			return code;
		rendered += chunk->lengths[i];
		count++;
	}
	if (count == BATFS_STREAM_BLOCK_LINES &&
	    rendered == call->scratch.length)
		batfs_stream_put_text(call, chunk->block,
		    bat_bytes_of_buf(&call->scratch));
	return BAT_OK;
}

/* All lines of a chunk onto capture, and fewer lines when it has enough. */
static int
capture_chunk(struct batfs_stream_call *call, struct batfs_stream_chunk *chunk,
    uint64_t start, struct bat_buf *capture)
{
	size_t before = capture->length;
	int code;

	read_ahead(call, chunk, true);
	for (size_t i = 0; i < chunk->count; i++) {
		code = batfs_stream_render(call, chunk->ordinals[i],
		    chunk->lengths[i], capture, &chunk->lengths[i]);
		if (code != BAT_OK)
			return code;
		if (capture->length - before >= CAPTURE_BYTES &&
		    i + 1 < chunk->count)
			return cut_chunk(call, chunk, start, i + 1);
	}
	return BAT_OK;
}

/* All lengths of a chunk of up to max lines. */
static int
measure_chunk(struct batfs_stream_call *call, struct batfs_stream_chunk *chunk,
    size_t max, struct bat_buf *capture)
{
	uint64_t start = chunk->cursor;
	int code = batfs_stream_take_chunk(call, chunk, max);

	if (code != BAT_OK)
		return code;
	return capture == NULL ? batfs_stream_learn(call, chunk) :
				 capture_chunk(call, chunk, start, capture);
}

int
batfs_stream_measure(struct batfs_stream_call *call, struct bat_buf *capture,
    uint64_t *out_start)
{
	struct batfs_stream_chunk chunk;
	size_t room = measuring_begin(call, &chunk, out_start);
	int code = measure_chunk(call, &chunk, room, capture);

	if (code != BAT_OK)
		chunk.count = 0;
	code = measuring_end(call, &chunk, code);
	if (code == BAT_OK && chunk.count == 0)
		return BAT_END;
	return code;
}
