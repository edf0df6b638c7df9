/*
 * Bytes of a stream for one call: of spans and text that were kept, of lines of
 * known length, and of lines that are measured as they are read.
 */
#include "stream.h"

#include "render.h"
#include "stream_internal.h"

/*
 * Hand out what the wish needs of bytes that start at `start`, and keep the
 * rest for the next call. *bytes is empty afterwards, or still holds nothing
 * that anybody needs.
 */
static int
hand_out(struct batfs_stream_call *call, struct batfs_stream_wish *wish,
    uint64_t start, struct bat_buf *bytes)
{
	size_t skip, take;
	int code;

	if (wish->at < start || wish->at - start >= bytes->length)
		return BAT_OK;
	skip = (size_t)(wish->at - start);
	take = bytes->length - skip;
	if (take > wish->end - wish->at)
		take = (size_t)(wish->end - wish->at);
	code = bat_bytes_append(wish->buf, bytes->data + skip, take);
	if (code != BAT_OK)
		return code;
	wish->at += take;
	if (skip + take == bytes->length)
		return BAT_OK;
	pthread_mutex_lock(&call->streams->mutex);
	if (!call->table->detached)
		batfs_stream_put_span(call->streams, call->table, start, bytes);
	pthread_mutex_unlock(&call->streams->mutex);
	return BAT_OK;
}

/* From what an earlier call rendered and did not need. */
static int
read_span(struct batfs_stream_call *call, struct batfs_stream_wish *wish)
{
	struct bat_slice span;
	int code = BAT_OK;

	pthread_mutex_lock(&call->streams->mutex);
	span = batfs_stream_find_span(call->streams, call->table, wish->at);
	if (span.length > wish->end - wish->at)
		span.length = (size_t)(wish->end - wish->at);
	if (span.length > 0)
		code = bat_bytes_append_slice(wish->buf, span);
	pthread_mutex_unlock(&call->streams->mutex);
	if (code == BAT_OK)
		wish->at += span.length;
	return code;
}

/* One line that starts at `start` and is in the wish, at least a part of it. */
static int
read_line(struct batfs_stream_call *call, struct batfs_stream_wish *wish,
    uint32_t ordinal, uint32_t length, uint64_t start)
{
	int code;

	if (start == wish->at && length <= wish->end - start) {
		code = batfs_stream_render(call, ordinal, length, wish->buf,
		    &length);
		if (code == BAT_OK)
			wish->at += length;
		return code;
	}
	bat_bytes_clear(&call->scratch);
	code = batfs_stream_render(call, ordinal, length, &call->scratch,
	    &length);
	if (code != BAT_OK)
		return code;
	return hand_out(call, wish, start, &call->scratch);
}

/* Say which lines of a block that starts at `start` are read next. */
static void
read_ahead(struct batfs_stream_call *call, const struct batfs_stream_wish *wish,
    const struct batfs_stream_chunk *chunk, uint64_t start)
{
	size_t first = chunk->count, end = 0;

	for (; end < chunk->count && start < wish->end; end++) {
		start += chunk->lengths[end];
		if (start > wish->at && end < first)
			first = end;
	}
	if (end > first + 1)
		bat_read_ahead(call->streams->store, chunk->ordinals + first,
		    end - first, &call->reading);
}

/* What the wish needs of a block that starts at `start`, from the text that is
 * kept of it. With the mutex. */
static int
read_text(struct batfs_stream_wish *wish, struct bat_slice text, uint64_t start)
{
	size_t skip = (size_t)(wish->at - start), take = text.length - skip;
	int code;

	if (take > wish->end - wish->at)
		take = (size_t)(wish->end - wish->at);
	code = bat_bytes_append(wish->buf, text.data + skip, take);
	if (code == BAT_OK)
		wish->at += take;
	return code;
}

/* Streams that the kernel keeps are read once. */
static bool
is_read_again(const struct batfs_stream_key *key)
{
	return key->list.before == 0 && key->to_seq == UINT64_MAX &&
	    key->choice == 0;
}

/* A whole block was rendered onto the end of the wish. */
static void
keep_text(struct batfs_stream_call *call, const struct batfs_stream_wish *wish,
    uint64_t block, uint64_t start)
{
	size_t length = (size_t)(wish->at - start);

	if (is_read_again(&call->table->key))
		batfs_stream_put_text(call, block,
		    bat_bytes_slice(
			wish->buf->data + wish->buf->length - length, length));
}

/* The rest of the block in which the wish starts; it is measured. */
static int
read_block(struct batfs_stream_call *call, struct batfs_stream_wish *wish)
{
	const struct batfs_stream_table *table = call->table;
	struct batfs_stream_chunk chunk;
	uint64_t block, start, line_count, first_start;
	struct bat_slice text;
	size_t before = wish->buf->length;
	int code = BAT_OK;

	pthread_mutex_lock(&call->streams->mutex);
	block = batfs_stream_block_of(table, wish->at);
	chunk.cursor = table->blocks[block].cursor;
	first_start = start = table->blocks[block].offset;
	line_count = table->line_count - block * BATFS_STREAM_BLOCK_LINES;
	text = batfs_stream_find_text(call->streams, table, block);
	if (text.length > wish->at - start)
		code = read_text(wish, text, start);
	pthread_mutex_unlock(&call->streams->mutex);
	if (code != BAT_OK || wish->buf->length > before)
		return code;

	call->shows_damage = false;
	if (line_count > BATFS_STREAM_BLOCK_LINES)
		line_count = BATFS_STREAM_BLOCK_LINES;
	code = batfs_stream_take_chunk(call, &chunk, (size_t)line_count);
	if (code != BAT_OK)
		return code;
	if (chunk.count < line_count)
		return BAT_DATA_DISAGREES;
	read_ahead(call, wish, &chunk, start);
	for (size_t i = 0; i < chunk.count && wish->at < wish->end; i++) {
		uint32_t length = chunk.lengths[i];

		if (length == 0)
			return BAT_DATA_DISAGREES;
		if (wish->at < start + length)
			code = read_line(call, wish, chunk.ordinals[i], length,
			    start);
		if (code != BAT_OK)
			return code;
		start += length;
	}
	/* All of it, and nothing went to the spans? */
	if (chunk.count == BATFS_STREAM_BLOCK_LINES && wish->at == start &&
	    wish->buf->length - before == start - first_start)
		keep_text(call, wish, block, first_start);
	return BAT_OK;
}

/*
 * The wish starts where the table ends: the next lines are rendered once, to be
 * measured and handed out. What the wish does not need of them is kept.
 */
static int
read_and_measure(struct batfs_stream_call *call, struct batfs_stream_wish *wish)
{
	struct bat_buf *buf = wish->buf, rest = BAT_BUF_EMPTY;
	size_t before = buf->length, wanted = (size_t)(wish->end - wish->at);
	uint64_t start = 0;
	int code = batfs_stream_measure(call, buf, &start);

	/* Somebody else measured them meanwhile: they are read as such. */
	if (code != BAT_OK || start != wish->at) {
		buf->length = before;
		return code;
	}
	if (buf->length - before <= wanted) {
		wish->at += buf->length - before;
		return BAT_OK;
	}
	code = bat_bytes_append(&rest, buf->data + before + wanted,
	    buf->length - before - wanted);
	buf->length = before + wanted;
	start = wish->at = wish->end;
	if (code == BAT_OK) {
		pthread_mutex_lock(&call->streams->mutex);
		if (!call->table->detached)
			batfs_stream_put_span(call->streams, call->table, start,
			    &rest);
		pthread_mutex_unlock(&call->streams->mutex);
	}
	bat_bytes_free(&rest);
	return code;
}

int
batfs_stream_read_some(struct batfs_stream_call *call,
    struct batfs_stream_wish *wish)
{
	uint64_t before = wish->at, start, size;
	int code = read_span(call, wish);

	if (code != BAT_OK || wish->at != before)
		return code;
	pthread_mutex_lock(&call->streams->mutex);
	size = call->table->detached ? 0 : call->table->size;
	pthread_mutex_unlock(&call->streams->mutex);
	if (wish->at < size)
		return read_block(call, wish);
	if (wish->at > size)
		return batfs_stream_measure(call, NULL, &start);
	return read_and_measure(call, wish);
}
