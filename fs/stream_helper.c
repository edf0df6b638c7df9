/*
 * A second thread for what is long: it renders one half of a long read, or goes
 * ahead of who measures a long stream. The figure that justifies it: a
 * mebibyte, what `cat` asks for at once, is 2 000 lines and takes a millisecond
 * to render; to start a thread and to copy its half takes a tenth of that.
 *
 * The helper is gone when the call returns, and there is one at a time: who
 * comes while it is at work has the other processor busy already. Whatever goes
 * wrong with it, the caller does all the work itself.
 */
#include "stream_internal.h"

#include <unistd.h>

#include "thread.h"

#define HALVES_MIN (256u << 10) /* bytes; below, a thread costs more */
/* Chunks of lines that one measures while the other measures the next ones. */
#define TURN 4u

/* Asked once: it is a file of /sys. */
bool
batfs_stream_has_two_processors(void)
{
	static atomic_long known;
	long count = atomic_load(&known);

	if (count == 0) {
		count = sysconf(_SC_NPROCESSORS_ONLN);
		atomic_store(&known, count);
	}
	return count > 1;
}

static bool
take_helper(struct batfs_streams *streams)
{
	return streams->two_processors &&
	    !atomic_flag_test_and_set(&streams->helping);
}

static void
give_helper(struct batfs_streams *streams)
{
	atomic_flag_clear(&streams->helping);
}

/* ---- a long read in two halves ----------------------------------------- */

/* What one thread reads. */
struct half {
	struct batfs_streams *streams;
	const struct batfs_stream_key *key;
	uint64_t offset;
	size_t size;
	struct bat_buf *buf;
	int code;
	struct bat_error error;
};

static void *
read_half(void *argument)
{
	struct half *half = argument;

	half->code = batfs_stream_read_alone(half->streams, half->key,
	    half->offset, half->size, half->buf, &half->error);
	return NULL;
}

/* Where the second half of what is asked for starts, and the end of it; false:
 * it is not worth it, since text is kept of it, or nothing of it is measured. */
static bool
find_middle(struct batfs_streams *streams, const struct batfs_stream_key *key,
    uint64_t offset, size_t size, uint64_t *out_middle, uint64_t *out_end)
{
	struct batfs_stream_table *table;
	bool found = false;

	pthread_mutex_lock(&streams->mutex);
	table = batfs_stream_obtain(streams, key);
	if (table != NULL && offset < table->size) {
		uint64_t left = table->size - offset;
		uint64_t bytes = left < size ? left : size, block;

		block = batfs_stream_block_of(table, offset + bytes / 2);
		*out_end = offset + bytes;
		*out_middle = table->blocks[block].offset;
		found = bytes >= HALVES_MIN && *out_middle > offset &&
		    batfs_stream_find_text(streams, table, block).length == 0;
	}
	if (table != NULL)
		batfs_stream_release(streams, table);
	pthread_mutex_unlock(&streams->mutex);
	return found;
}

/* Both halves, one behind the other, if they are what was expected. */
static int
read_both(struct half *first, struct half *second)
{
	pthread_t helper;
	size_t before = first->buf->length;

	if (batfs_thread_start(&helper, read_half, second, "batfs-half") != 0)
		return BAT_END;
	(void)read_half(first);
	pthread_join(helper, NULL);
	if (first->code == BAT_OK && second->code == BAT_OK &&
	    first->buf->length - before == first->size &&
	    second->buf->length == second->size &&
	    bat_bytes_append_slice(first->buf, bat_bytes_of_buf(second->buf)) ==
		BAT_OK)
		return BAT_OK;
	first->buf->length = before;
	return BAT_END;
}

int
batfs_stream_halves(struct batfs_streams *streams,
    const struct batfs_stream_key *key, uint64_t offset, size_t size,
    struct bat_buf *buf)
{
	struct half first = { .streams = streams,
		.key = key,
		.offset = offset,
		.buf = buf };
	struct half second = first;
	uint64_t middle, end;
	int code;

	if (size < HALVES_MIN ||
	    !find_middle(streams, key, offset, size, &middle, &end) ||
	    !take_helper(streams))
		return BAT_END;
	first.size = (size_t)(middle - offset);
	second.offset = middle + BAT_PLANT(371);
	second.size = (size_t)(end - middle);
	second.buf = &streams->helper_room;
	bat_bytes_clear(second.buf);
	code = read_both(&first, &second);
	give_helper(streams);
	return code;
}

/* ---- ahead of who measures --------------------------------------------- */

static int
learn_chunk(struct batfs_stream_call *call, struct batfs_stream_chunk *chunk)
{
	int code = batfs_stream_learn(call, chunk);

	return code != BAT_OK ? code :
				batfs_stream_remember(call, chunk->ordinals,
				    chunk->lengths, chunk->count);
}

/* Every other turn is the helper's; what somebody learned meanwhile costs
 * nothing any more. */
static int
go_ahead(struct batfs_stream_ahead *ahead, struct batfs_stream_call *call)
{
	struct batfs_stream_chunk chunk = {
		.cursor = ahead->cursor,
		.block = ahead->block,
	};
	int code = BAT_OK;

	for (unsigned i = 0; code == BAT_OK && !atomic_load(&ahead->stop);
	     i++) {
		code = batfs_stream_take_chunk(call, &chunk,
		    BATFS_STREAM_BLOCK_LINES);
		if (code != BAT_OK || chunk.count == 0)
			break;
		if (i / TURN % 2 == 1)
			code = learn_chunk(call, &chunk);
		/* A stream that grows meanwhile: no block starts there. */
		if (chunk.block != UINT64_MAX)
			chunk.block = chunk.count < BATFS_STREAM_BLOCK_LINES ?
			    UINT64_MAX :
			    chunk.block + 1;
	}
	return code;
}

static void *
run_ahead(void *argument)
{
	struct batfs_stream_ahead *ahead = argument;
	struct bat_error error = { .code = 0 };
	struct batfs_stream_call call;
	int code = batfs_stream_call_begin(&call, ahead->streams, ahead->key,
	    &error);

	if (code == BAT_OK)
		code = go_ahead(ahead, &call);
	(void)batfs_stream_call_end(&call, code);
	return NULL;
}

void
batfs_stream_ahead_start(struct batfs_stream_ahead *ahead,
    struct batfs_stream_call *call)
{
	struct batfs_streams *streams = call->streams;

	/* A walk by choice looks at every row: that twice is no help. */
	if (ahead->asked || call->rendered_lines < BATFS_STREAM_AHEAD_LINES ||
	    call->table->key.choice != 0)
		return;
	ahead->asked = true;
	if (!take_helper(streams))
		return;
	ahead->streams = streams;
	ahead->key = &call->table->key;
	pthread_mutex_lock(&streams->mutex);
	ahead->cursor = call->table->cursor;
	ahead->block = call->table->line_count % BATFS_STREAM_BLOCK_LINES == 0 ?
	    call->table->line_count / BATFS_STREAM_BLOCK_LINES :
	    UINT64_MAX;
	pthread_mutex_unlock(&streams->mutex);
	atomic_init(&ahead->stop, false);
	ahead->runs = batfs_thread_start(&ahead->thread, run_ahead, ahead,
			  "batfs-ahead") == 0;
	if (!ahead->runs)
		give_helper(streams);
}

void
batfs_stream_ahead_end(struct batfs_stream_ahead *ahead)
{
	if (!ahead->runs)
		return;
	atomic_store(&ahead->stop, true);
	pthread_join(ahead->thread, NULL);
	give_helper(ahead->streams);
}
