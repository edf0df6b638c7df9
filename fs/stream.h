/*
 * A stream: the lines of a list of events as one file. Exact sizes, and bytes
 * at an offset, without rendering everything twice.
 *
 * The length of each line is kept once known (4 bytes an event, by ordinal; of
 * usual lines by the store, from mount to mount); a stream that was sized keeps
 * its total and, every 64 lines, the offset at which that line starts. Streams
 * only grow; a new generation empties all. A length is never taken for granted:
 * each line that is rendered is held against it, and a difference begins anew.
 *
 * Sizes count whole lines of what was visible at the call. size, read and
 * line_length return 0; BAT_DATA_DISAGREES when the generation changed
 * meanwhile (the key's numbers may mean something else now: name it anew and
 * ask again); BAT_WORLD_*. On failure buf is as before.
 *
 * Threads: locks inside, not held while the store reads. A long read may have a
 * helper, which is gone when it returns; text that is kept has one that gives
 * it up, which is gone with the streams.
 */
#ifndef BATFS_STREAM_H
#define BATFS_STREAM_H

#include "bat.h"

struct batfs_streams;

/* Which lines: a list, cut to sequences [from_seq, to_seq). */
struct batfs_stream_key {
	struct bat_list list;
	uint64_t from_seq, to_seq; /* 0 and UINT64_MAX: all; else list is ALL */
	uint32_t choice; /* 0: all of these; else what choose makes of it */
};

/*
 * What is not as usual of a set of streams; both may be NULL.
 *
 * choose    walks a key with a choice: up to max ordinals from *cursor on (0
 *	     is the start), in the order of sequences, and *cursor moved behind
 *	     what was looked at; it means the same as long as the generation.
 *	     Called without locks. 0 or BAT_WORLD_*.
 * render    makes the line of an event, as batfs_render_event does.
 * kept	     lines are those of batfs_render_event, and the store keeps their
 *	     lengths (bat_keep_lengths).
 * text_bytes  so many bytes of text may be kept from one read to the next, for
 *	     seconds (0: none). render says of a line that shows damage by a
 *	     code in its error, although it returns 0: of such none is kept.
 */
struct batfs_stream_ways {
	int (*choose)(void *context, const struct batfs_stream_key *key,
	    uint64_t *cursor, uint32_t *ordinals, size_t max,
	    size_t *out_count);
	void *context;
	int (*render)(struct bat_store *store, uint32_t ordinal,
	    struct bat_reading *reading, struct bat_buf *buf,
	    struct bat_error *error);
	bool kept;
	size_t text_bytes;
};

/* ways: NULL for the usual ones. */
int batfs_stream_new(struct bat_store *store,
    const struct batfs_stream_ways *ways, struct batfs_streams **out);
void batfs_stream_free(struct batfs_streams *streams);
/* Exact size in bytes now. The first time it may render the whole stream. */
int batfs_stream_size(struct batfs_streams *streams,
    const struct batfs_stream_key *key, uint64_t *out_size,
    struct bat_error *error);
/* The same, and the ordinal of the last line; BAT_MAP_NONE: there is none. */
int batfs_stream_end(struct batfs_streams *streams,
    const struct batfs_stream_key *key, uint64_t *out_size, uint32_t *out_last,
    struct bat_error *error);
/* Up to size bytes from offset onto buf; less only at the end. */
int batfs_stream_read(struct batfs_streams *streams,
    const struct batfs_stream_key *key, uint64_t offset, size_t size,
    struct bat_buf *buf, struct bat_error *error);
/* What was rendered so far. */
struct batfs_stream_counts {
	uint64_t lines, bytes;
};
void batfs_stream_counts(struct batfs_streams *streams,
    struct batfs_stream_counts *out);
/* One event's line, onto buf, and its length. */
int batfs_stream_line(struct batfs_streams *streams, uint32_t ordinal,
    struct bat_buf *buf, struct bat_error *error);
int batfs_stream_line_length(struct batfs_streams *streams, uint32_t ordinal,
    uint32_t *out_length, struct bat_error *error);

#endif
