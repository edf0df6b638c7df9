/*
 * The swift way of verify, shared by its parts: verify_swift.c (segments),
 * verify_index.c (what an index file has in front of its rows), verify_rows.c
 * (rows of footers and of index.fbati), verify_entries.c (those of index.ckpt),
 * verify_piece.c (frames), verify_meet.c (an event and its rows), verify_join.c
 * (from one piece to the next), verify_keys.c (twins). Nobody else includes it.
 *
 * It proves the same as the plain way (verify_segment.c and the rest) and can
 * say one thing only: that there is nothing to be told. At the first thing that
 * the plain way would tell or count as a peculiarity (or that is not known
 * here: two index files), it has no opinion, and the plain way reads
 * everything. Nothing is believed for that: it uses the same decoders of bytes.
 *
 * The figure that justifies it: 1 M events with footers and index.ckpt (1.1 GB),
 * on a busy machine, in 0.45 s of CPU time on two cores, of which the kernel
 * takes 0.2 s to copy what is read; the plain way takes 1.5 s on one. Each
 * segment is read as two pieces by two threads; rows are held against frames as
 * they come, none is kept; an event leaves 8 bytes behind instead of 56 and 480
 * for its rows.
 */
#ifndef BAT_VERIFY_SWIFT_H
#define BAT_VERIFY_SWIFT_H

#include "rowindex.h"
#include "verify_parts.h"

/* Rows of one size in a file, read in blocks, one after the other. */
struct verify_rows {
	const struct bat_disk *disk;
	int fd;
	uint64_t at; /* of row 0, in the file */
	size_t size;
	uint64_t next, end; /* numbers of rows */
	bool checked;
	uint32_t crc; /* of the rows so far, where checked */
	uint8_t *block;
	uint64_t block_first, block_count;
};

/* The next row; BAT_END behind the last one; BAT_DATA_CORRUPT: the file became
 * shorter; BAT_WORLD_*. */
int bat_verify_rows_look(struct verify_rows *rows, const uint8_t **out,
    struct bat_error *error);

/* Entries of index.ckpt from `start` on, read in blocks. */
struct verify_entries {
	const struct bat_disk *disk;
	int fd;
	struct bat_checkpoint_front *front;
	uint64_t start;
	uint64_t at, size; /* where reading goes on; of the file */
	struct bat_buf window;
	size_t used; /* of the window: taken */
	bool has_row;
	struct bat_row row;   /* the next one */
	struct bat_slice map; /* its extensions */
	size_t row_end;
	uint32_t crc; /* of what was taken, after the end */
};

/* The next one, into entries->row; BAT_END behind the last one;
 * BAT_DATA_CORRUPT; BAT_WORLD_*. */
int bat_verify_entries_look(struct verify_entries *entries,
    struct bat_error *error);
/* Step over it. */
void bat_verify_entries_take(struct verify_entries *entries);
/* No more are taken: where the next one starts. */
uint64_t bat_verify_entries_end(struct verify_entries *entries);
/* Begin anew with what looks like an entry behind this offset and decodes; or
 * BAT_END. */
int bat_verify_entries_find(struct verify_entries *entries, uint64_t offset,
    struct bat_error *error);

/* Of index.fbati: the first row in [next, end) whose place is not before this
 * one. Of rows that do not rise, any may be found. */
int bat_verify_rows_find(const struct verify_rows *rows, uint64_t segment,
    uint64_t offset, uint64_t *out_number, struct bat_error *error);

/* The newest event of an entity in a piece or, in the end, of all. */
struct verify_swift_head {
	struct bat_hash hash;
	uint32_t clock;
	bool exists;
	bool is_legal; /* the name was looked at, and may stand there */
};

/* An entity's first event in a piece: what it has to follow. */
struct verify_swift_first {
	uint32_t name;
	uint32_t clock;
	struct bat_hash prev;
};

/* Sequences of one source: they rise. */
struct verify_swift_seqs {
	bool any;
	uint64_t first, last;
};

/*
 * What the ids of a piece leave behind: 64 bits of each. Ids begin with a time
 * in milliseconds, and nearly always it rises along the log; then equal ids
 * stand side by side, and each group of one time is looked at when it ends,
 * while it is in the cache.
 */
struct verify_keys_part {
	uint64_t *keys;
	size_t count, capacity;
	bool is_unordered;    /* times fall, or a group needs a closer look */
	uint64_t first, last; /* times */
	size_t first_end, last_start; /* of the groups with these */
};

/* One more. BAT_OK, BAT_WORLD_NO_MEMORY. */
int bat_verify_keys_put(struct verify_keys_part *part, const struct bat_id *id);

/* Frames of a segment that one thread reads. */
struct verify_piece {
	struct bat_segment_reader reader; /* stands at the first, ends behind */
	/* Its footer's rows; or there is none, and names are kept here. */
	bool has_footer;
	const struct bat_slice *strings;
	uint32_t string_count;
	struct bat_intern names;
	struct verify_rows footer_rows;
	/* The index file, if there: its head, and index.fbati or index.ckpt. */
	const struct bat_checkpoint_head *index;
	struct bat_rowindex_front *rowindex;
	struct verify_rows index_rows;
	struct verify_entries entries;

	struct verify_swift_head *heads; /* by number of a name */
	size_t head_count;
	struct verify_swift_first *firsts;
	size_t first_count, first_capacity;
	struct verify_keys_part keys; /* of ids */
	struct verify_swift_seqs footer_seqs, index_seqs;
	struct bat_verify_counts counts;

	/* Payloads whose hash is still to come. */
	struct bat_hash_lanes lanes;
	struct bat_hash wanted[BAT_HASH_LANES];
	struct bat_buf scratch;

	/* The batch that is open at its end. Or it begins within one: then its
	 * COMMIT comes before any BEGIN, behind so many events. */
	bool in_batch;
	uint32_t remaining;
	struct bat_id batch_id;
	bool met_marker, begins_within;
	uint32_t begun;
	struct bat_id begun_id;

	int code; /* BAT_OK; BAT_END: no opinion; BAT_WORLD_* */
	struct bat_error error;
};

/* What an event's frame does not tell: numbers of its names, and its own. */
struct verify_told {
	uint32_t entity, scope;
	uint64_t seq;
};

/* Hold an event against its row in the footer, which tells *out, and in the
 * index file; footer_seq may be NULL. BAT_OK; BAT_END: no opinion;
 * BAT_WORLD_*. */
int bat_verify_meet_footer(struct verify_piece *piece,
    const struct bat_segment_item *item, struct verify_told *out);
int bat_verify_meet_index(struct verify_piece *piece,
    const struct bat_segment_item *item, const uint64_t *footer_seq);
/* Read it all. For a thread: argument and answer are those of pthreads. */
void *bat_verify_piece(void *piece);
void bat_verify_piece_free(struct verify_piece *piece);

/* The keys of all pieces, in the order of the log. */
struct verify_keys {
	struct verify_keys_part *parts;
	size_t count, capacity;
};

/* Takes what was gathered over. BAT_OK, BAT_WORLD_NO_MEMORY (then it is the
 * caller's). */
int bat_verify_keys_add(struct verify_keys *all, struct verify_keys_part *part);
/* Are they all different? BAT_OK; BAT_END: two are equal, so that there may be
 * twins; BAT_WORLD_NO_MEMORY. */
int bat_verify_keys_differ(const struct verify_keys *all);
void bat_verify_keys_free(struct verify_keys *all);

/* The whole way. */
struct verify_swift {
	struct bat_verify_state *state;
	struct bat_verify_counts counts;
	struct bat_intern names;
	struct verify_swift_head *heads; /* by number of names */
	size_t head_count;
	struct verify_keys keys;
	struct verify_swift_seqs footer_seqs, index_seqs;

	/* The index file. */
	bool has_index, is_checkpoint;
	int index_fd;
	uint64_t index_size;
	struct bat_rowindex_front rowindex;
	struct bat_checkpoint_front checkpoint;
	const struct bat_checkpoint_head *index; /* of the one that is there */
	struct bat_buf index_front;
	uint64_t index_next; /* a row's number; an entry's offset */
	uint32_t index_crc;  /* so far */

	/* The segment that is read, and its footer. */
	struct bat_buf table;
	struct bat_slice *strings;
	uint32_t string_count;
	uint32_t *numbers; /* of names, for strings */
	/* A batch that is open where its first piece ended. */
	bool in_batch;
	uint32_t remaining;
	struct bat_id batch_id;
};

/* The one index file that there is, up to its rows. BAT_OK, also when there is
 * none; BAT_END, BAT_DATA_*: no opinion; BAT_WORLD_*. */
int bat_verify_index_open(struct verify_swift *swift, struct bat_error *error);
void bat_verify_index_close(struct verify_swift *swift);
/* For a new piece: the rest of its rows. */
void bat_verify_index_share(struct verify_swift *swift,
    struct verify_piece *piece);
/* Every row was met, nothing is behind them, and the checksum holds. */
bool bat_verify_index_is_over(const struct verify_swift *swift);

/* The next piece, in the order of the log: what it says and what was before fit
 * together. BAT_OK, BAT_END: no; BAT_WORLD_NO_MEMORY. */
int bat_verify_join(struct verify_swift *swift, struct verify_piece *piece);

/*
 * BAT_OK: nothing is to be told, *state->counts is filled. BAT_END: no opinion,
 * nothing was told or counted. BAT_WORLD_*. A piece is made of at least
 * split_bytes.
 */
int bat_verify_swift(struct bat_verify_state *state, uint64_t split_bytes);

#endif
