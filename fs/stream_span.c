/*
 * Bytes that were rendered and not yet handed out. Streams only grow, so what
 * was rendered once stays right as long as its table stands.
 */
#include "stream_internal.h"

static void
empty(struct batfs_stream_span *span)
{
	bat_bytes_free(&span->bytes);
	*span = (struct batfs_stream_span){ .bytes = BAT_BUF_EMPTY };
}

void
batfs_stream_drop_spans(struct batfs_streams *streams)
{
	for (size_t i = 0; i < BATFS_STREAM_SPAN_COUNT; i++)
		empty(&streams->spans[i]);
}

struct bat_slice
batfs_stream_find_span(struct batfs_streams *streams,
    const struct batfs_stream_table *table, uint64_t offset)
{
	for (size_t i = 0; i < BATFS_STREAM_SPAN_COUNT; i++) {
		struct batfs_stream_span *span = &streams->spans[i];

		if (span->serial != table->serial || offset < span->start ||
		    offset - span->start >= span->bytes.length)
			continue;
		span->stamp = ++streams->span_clock;
		return bat_bytes_slice(span->bytes.data +
			(offset - span->start),
		    span->bytes.length - (size_t)(offset - span->start));
	}
	return BAT_SLICE_EMPTY;
}

static struct batfs_stream_span *
oldest_span(struct batfs_streams *streams, bool filled)
{
	struct batfs_stream_span *oldest = NULL;

	for (size_t i = 0; i < BATFS_STREAM_SPAN_COUNT; i++) {
		struct batfs_stream_span *span = &streams->spans[i];

		if (filled && span->bytes.capacity == 0)
			continue;
		if (oldest == NULL || span->stamp < oldest->stamp)
			oldest = span;
	}
	return oldest;
}

void
batfs_stream_put_span(struct batfs_streams *streams,
    const struct batfs_stream_table *table, uint64_t start,
    struct bat_buf *bytes)
{
	struct batfs_stream_span *span = oldest_span(streams, false);
	size_t total = 0;

	bat_bytes_free(&span->bytes);
	*span = (struct batfs_stream_span){
		.serial = table->serial,
		.start = start,
		.stamp = ++streams->span_clock,
		.bytes = *bytes,
	};
	*bytes = BAT_BUF_EMPTY;
	for (size_t i = 0; i < BATFS_STREAM_SPAN_COUNT; i++)
		total += streams->spans[i].bytes.capacity;
	/* One long line is kept whatever its length: it is being read. */
	while (total > BATFS_STREAM_SPAN_BYTES) {
		struct batfs_stream_span *victim = oldest_span(streams, true);

		if (victim == span || victim == NULL)
			return;
		total -= victim->bytes.capacity;
		empty(victim);
	}
}
