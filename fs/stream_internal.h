/*
 * Inside of stream: what is remembered of each stream. stream_table.c,
 * stream_lengths.c, stream_span.c and stream_text.c keep it, stream.c measures and
 * reads with it, stream_helper.c halves the time of what is long. Nobody else
 * includes this.
 *
 * Four memories, under streams->mutex but for what the store keeps, all
 * disposable:
 * - lengths: of each line, by ordinal, 0 while unknown. Kept as long as the
 *   generation stands, since each costs a read of the disk.
 * - tables: one per stream that was asked for lately, with the place of every
 *   64th line. Bounded, the ones used longest ago go first: made again from
 *   the lengths they cost no rendering.
 * - spans: bytes that were rendered and not yet handed out, so that a reader
 *   who stops within a line (or a block) does not have it rendered again.
 * - text: whole blocks as they were rendered, for who reads what was measured
 *   or read a moment ago. Only of lines that show no damage, which may heal.
 *
 * Invariants while the mutex is free: (1) blocks[k] is known for every k with
 * 64 * k < line_count; (2) blocks[0] is {0, 0}; (3) a detached table is in no
 * list and is freed by the last of its users; (4) at most one user measures.
 */
#ifndef BATFS_STREAM_INTERNAL_H
#define BATFS_STREAM_INTERNAL_H

#include "stream.h"

#include <stdatomic.h>

#include <pthread.h>

#define BATFS_STREAM_BLOCK_LINES 64
#define BATFS_STREAM_LENGTHS 1024 /* of a chunk: a page of memory */
#define BATFS_STREAM_TABLE_BYTES (64u << 20)
#define BATFS_STREAM_SPAN_BYTES (32u << 20)
#define BATFS_STREAM_SPAN_COUNT 16
#define BATFS_STREAM_SPARES 2
#define BATFS_STREAM_TEXT_SECONDS 10 /* without use */

/* Where every 64th line starts. */
struct batfs_stream_block {
	uint64_t offset; /* bytes of the stream */
	uint64_t cursor; /* of the walk, see batfs_stream_walk */
};

struct batfs_stream_table {
	struct batfs_stream_key key;
	uint64_t serial; /* never used twice: names the table to spans */
	/* What is known: the first line_count lines have size bytes, and the
	 * walk goes on at cursor. */
	uint64_t line_count, size, cursor;
	uint32_t last; /* the ordinal of the last of them */
	struct batfs_stream_block *blocks;
	size_t block_capacity;
	unsigned user_count;
	bool measuring; /* one of the users extends it */
	bool detached;	/* forgotten meanwhile: its users start over */
	struct batfs_stream_table *next_in_bucket;
	struct batfs_stream_table *newer, *older; /* order of use */
};

struct batfs_stream_span {
	uint64_t serial; /* 0: empty */
	uint64_t start;	 /* offset of bytes[0] in the stream */
	uint64_t stamp;	 /* of the last use */
	struct bat_buf bytes;
};

struct batfs_stream_place;

/* See stream_text.c. */
struct batfs_stream_text {
	uint8_t *bytes; /* NULL: there is none */
	size_t used, count;
	struct batfs_stream_place *places;
	uint64_t refused; /* the serial of a stream that does not fit, or 0 */
	uint64_t uses;
	/* The thread that gives it up: to be joined; at work; told to end; told
	 * not to wait (by tests). */
	bool has_thread, waits, stop, hurry;
	pthread_t thread;
	pthread_cond_t wake;
};

struct batfs_streams {
	struct bat_store *store;
	struct batfs_stream_ways ways; /* render is never NULL */
	atomic_uint_fast64_t rendered_lines, rendered_bytes;
	pthread_mutex_t mutex;
	pthread_cond_t measured; /* some table's `measuring` went false */
	uint64_t generation;
	uint32_t **lengths; /* by chunk of ordinals; NULL: none is known */
	size_t length_chunks;
	struct batfs_stream_table **buckets;
	size_t bucket_count, table_count, table_bytes;
	size_t table_bytes_max; /* tests make it smaller */
	struct batfs_stream_table *newest, *oldest;
	uint64_t next_serial;
	struct batfs_stream_span spans[BATFS_STREAM_SPAN_COUNT];
	uint64_t span_clock;
	struct batfs_stream_text text;
	/* Memory of calls that are over, for the next ones. */
	struct bat_reading spare_readings[BATFS_STREAM_SPARES];
	unsigned spare_count;
	bool two_processors;
	atomic_flag helping; /* somebody has the helper (stream_helper.c) */
	struct bat_buf helper_room; /* of who has it */
};

/* All below are called with the mutex held, but for walk. */

/* The table of a stream, made if need be, with one user more. NULL: no
 * memory. */
struct batfs_stream_table *batfs_stream_obtain(struct batfs_streams *streams,
    const struct batfs_stream_key *key);
void batfs_stream_release(struct batfs_streams *streams,
    struct batfs_stream_table *table);
struct batfs_stream_chunk;
/* Put lines behind what a table knows. 0 or BAT_WORLD_NO_MEMORY (then nothing
 * was put). */
int batfs_stream_extend(struct batfs_streams *streams,
    struct batfs_stream_table *table, const struct batfs_stream_chunk *chunk);
/* The block in which offset lies; offset < table->size. */
uint64_t batfs_stream_block_of(const struct batfs_stream_table *table,
    uint64_t offset);
/* Forget all tables and spans; with_lengths: the lengths of lines too. */
void batfs_stream_forget(struct batfs_streams *streams, bool with_lengths);
/* Those that are our own (stream_lengths.c). */
void batfs_stream_forget_lengths(struct batfs_streams *streams);

/* Bytes of the table's stream at offset that are at hand; empty if none. */
struct bat_slice batfs_stream_find_span(struct batfs_streams *streams,
    const struct batfs_stream_table *table, uint64_t offset);
/* Takes over the bytes (*bytes is empty afterwards). */
void batfs_stream_put_span(struct batfs_streams *streams,
    const struct batfs_stream_table *table, uint64_t start,
    struct bat_buf *bytes);

void batfs_stream_drop_spans(struct batfs_streams *streams);

/* The text of a whole block, valid while the mutex is held; empty if none is
 * kept. */
struct bat_slice batfs_stream_find_text(struct batfs_streams *streams,
    const struct batfs_stream_table *table, uint64_t block);
void batfs_stream_drop_text(struct batfs_streams *streams);

/*
 * Up to max ordinals of a stream from *cursor on (0: its start), and *cursor
 * moved behind them; asks the store, without the mutex. For a list that is cut
 * to sequences the cursor is the sequence to go on from, for one with a choice
 * what choose makes it, else the store's. 0 or BAT_WORLD_*.
 */
int batfs_stream_walk(struct batfs_streams *streams,
    const struct batfs_stream_key *key, uint64_t *cursor, uint32_t *ordinals,
    size_t max, size_t *out_count);

/* ---- one call of the door (stream_measure.c), without the mutex ------- */

/* One public call: its stream and its scratch memory. */
struct batfs_stream_call {
	struct batfs_streams *streams;
	struct batfs_stream_table *table; /* NULL: about one line only */
	uint64_t generation;
	struct bat_reading reading;
	struct bat_buf scratch;
	struct bat_error *error;
	uint64_t rendered_lines, rendered_bytes; /* in this call */
	/* A line since this was last false shows that an event is damaged. */
	bool shows_damage;
	struct bat_error own_error; /* where the caller has none */
};

/* Up to one block of a stream. */
struct batfs_stream_chunk {
	size_t count;
	uint64_t block; /* the one in which it lies, where text is kept of it */
	uint64_t cursor; /* behind them */
	uint32_t ordinals[BATFS_STREAM_BLOCK_LINES];
	uint32_t lengths[BATFS_STREAM_BLOCK_LINES]; /* 0: unknown */
};

/* The size of a short stream, if all is known of it (stream_brief.c); false:
 * ask as usual. */
bool batfs_stream_brief_size(struct batfs_streams *streams,
    const struct batfs_stream_key *key, uint64_t *out_size);

/* ---- text (stream_text.c) ---- */

/* Keep the text of a whole block of the call's stream, if there is room and it
 * shows no damage. */
void batfs_stream_put_text(struct batfs_stream_call *call, uint64_t block,
    struct bat_slice bytes);
/* No thread is left. */
void batfs_stream_end_text(struct batfs_streams *streams);

/* ---- lengths (stream_lengths.c) ---- */

/* Of some lines, 0 while unknown. 0; BAT_DATA_DISAGREES. */
int batfs_stream_known(struct batfs_stream_call *call, const uint32_t *ordinals,
    size_t count, uint32_t *lengths);
/* 0; BAT_DATA_DISAGREES; BAT_WORLD_NO_MEMORY. */
int batfs_stream_remember(struct batfs_stream_call *call,
    const uint32_t *ordinals, const uint32_t *lengths, size_t count);
/* A line has another length than was known: all that was computed goes. Those
 * that the store keeps may be of another mount: all of them, and whatever was
 * told of them (BAT_DATA_DISAGREES). Otherwise as remember. */
int batfs_stream_correct(struct batfs_stream_call *call, uint32_t ordinal,
    uint32_t length);

/* ---- the call ---- */

uint64_t batfs_stream_store_generation(const struct batfs_streams *streams);
/* key NULL: no table. Whatever it returns, call_end follows. */
int batfs_stream_call_begin(struct batfs_stream_call *call,
    struct batfs_streams *streams, const struct batfs_stream_key *key,
    struct bat_error *error);
/* Hands code back, or says that what was found out is of an older time. */
int batfs_stream_call_end(struct batfs_stream_call *call, int code);
/*
 * Render one line onto buf. known: its recorded length, or 0; when it differs
 * that is corrected: BAT_DATA_DISAGREES. The line of an event that was hidden
 * meanwhile is one more way of disagreeing.
 */
int batfs_stream_render(struct batfs_stream_call *call, uint32_t ordinal,
    uint32_t known, struct bat_buf *buf, uint32_t *out_length);
/* The lengths of a chunk that nobody knows yet; 0, BAT_WORLD_*,
 * BAT_DATA_DISAGREES. Nobody is told of them. */
int batfs_stream_learn(struct batfs_stream_call *call,
    struct batfs_stream_chunk *chunk);
/* The next max lines at chunk->cursor, with the lengths that are known. */
int batfs_stream_take_chunk(struct batfs_stream_call *call,
    struct batfs_stream_chunk *chunk, size_t max);
/*
 * Measure the next lines, at most up to the end of a block. capture may be
 * NULL, else they are put onto it; *out_start is the offset of the first. On
 * failure capture may have more than before. Returns 0,
 * BAT_END when all lines are measured, BAT_DATA_DISAGREES, BAT_WORLD_*.
 */
int batfs_stream_measure(struct batfs_stream_call *call,
    struct bat_buf *capture, uint64_t *out_start);

/* ---- reading (stream_read.c), without the mutex ------------------------ */

/* What is still to be handed out: [at, end) of the stream, onto buf. */
struct batfs_stream_wish {
	uint64_t at, end;
	struct bat_buf *buf;
};

/* Some bytes more of it. 0, BAT_END at the end of the stream, BAT_WORLD_*,
 * BAT_DATA_DISAGREES. */
int batfs_stream_read_some(struct batfs_stream_call *call,
    struct batfs_stream_wish *wish);

/* ---- a second thread (stream_helper.c), without the mutex ------------- */

bool batfs_stream_has_two_processors(void);
/* Read by this thread, whatever the size: as batfs_stream_read. */
int batfs_stream_read_alone(struct batfs_streams *streams,
    const struct batfs_stream_key *key, uint64_t offset, size_t size,
    struct bat_buf *buf, struct bat_error *error);
/* Read by two. BAT_OK: size bytes or all up to what is measured are on buf, if
 * the generation is still that of before the call; BAT_END: nothing is. */
int batfs_stream_halves(struct batfs_streams *streams,
    const struct batfs_stream_key *key, uint64_t offset, size_t size,
    struct bat_buf *buf);

/* So many lines are rendered to measure a stream before somebody helps. */
#define BATFS_STREAM_AHEAD_LINES 1024

/* A thread that learns lengths ahead of a call that measures. All zero at
 * first; start may be called again and again, end once. */
struct batfs_stream_ahead {
	struct batfs_streams *streams;
	const struct batfs_stream_key *key;
	uint64_t cursor; /* where it begins */
	uint64_t block;	 /* that is the start of this one, or UINT64_MAX */
	bool asked, runs;
	atomic_bool stop;
	pthread_t thread;
};

void batfs_stream_ahead_start(struct batfs_stream_ahead *ahead,
    struct batfs_stream_call *call);
void batfs_stream_ahead_end(struct batfs_stream_ahead *ahead);

#endif
