/*
 * libbatstore: the event store. This header is its only door.
 *
 * Caveats first:
 * - One process writes a directory at a time (flock on .batpak.lock, which
 *   batpak takes too). A read-only handle takes no lock and writes nothing, and
 *   it can follow one that writes (bat_refresh).
 * - An event cannot be taken back. What bat_append acknowledged is durable
 *   (unless durability says otherwise) and linked for ever.
 * - After a failed sync the writer stops for good (BAT_STATE_STOPPED): close
 *   and open again, which believes only what the disk gives back.
 * - No hidden threads: work happens in the calls below, on their thread.
 *
 * Calling sequence:
 *	bat_open, any calls from any threads, bat_close (all others returned).
 *
 * Words: an event's `ordinal` is its place in this handle's memory, 0 and up
 * in log order; it holds as long as bat_head's generation is the same. `seq`
 * is the store's global sequence number (starts at 0, may have gaps). Hidden
 * events have ordinals and are never handed out.
 */
#ifndef BAT_H
#define BAT_H

#include "bytes.h"
#include "clock.h"
#include "coordinate.h"
#include "error.h"
#include "event.h"
#include "file.h"
#include "frontier.h"
#include "gate.h"
#include "hash.h"
#include "id.h"
#include "inspect.h"
#include "kind.h"
#include "map.h"
#include "pack.h"
#include "pack_put.h"
#include "pin.h"
#include "repair.h"
#include "tlog.h"
#include "verify.h"

struct bat_store;

enum bat_durability {
	BAT_DURABLE_EACH,  /* an append answers when it is on disk */
	BAT_DURABLE_FSYNC, /* an append answers when visible; bat_sync syncs */
};

enum bat_index_choice {
	BAT_INDEX_AUTO, /* the kind that the directory has; new: index.ckpt */
	BAT_INDEX_CKPT,
	BAT_INDEX_FBATI,
	BAT_INDEX_NONE, /* write none (one that is there stays while right) */
};

struct bat_options {
	bool read_only;
	bool no_create; /* an absent or empty directory is an error */
	enum bat_durability durability;
	enum bat_index_choice index;
	uint64_t segment_max_bytes; /* 0: 256 MiB */
	uint64_t runway_bytes;	    /* see bat_lay_runway; 0: none */
	/* Begin a transparency log where there is none; one that is there is
	 * kept in any case, if its key is at hand. */
	bool tlog;
	/* What bat_keep_lengths is told are lengths of; 0: they are kept for as
	 * long as this handle is open. */
	uint32_t lengths_format;
	/* A file with its secret key, made with a new log when it is not there;
	 * NULL: in the log's own folder. Borrowed until bat_close. */
	const char *tlog_key;
	/* Asked by who leads a group, about each draft that could be stored
	 * (gate.h): one that is denied ends its batch with BAT_STATE_DENIED,
	 * and a SYSTEM_DENIAL event is stored with what stands before it. They
	 * must not append to this store. Borrowed until bat_close. */
	struct bat_gates gates;
	const struct bat_disk *disk;   /* NULL: the real one */
	const struct bat_clock *clock; /* NULL: the system's */
};

#define BAT_OPTIONS_DEFAULT ((struct bat_options){ .read_only = false })

/* ---- opening and closing ------------------------------------------- */

/*
 * Open the store in the directory path.
 *
 * path      absent or empty: becomes a new store at the first append (the
 *	     directory is made at once) unless no_create or read_only.
 * out       filled on success only.
 * error     says what was found and what to do.
 *
 * A writable open is refused (BAT_DATA_CORRUPT) when the directory is damaged
 * below what was durable; a read-only one shows what is sound. Opening changes
 * nothing but for an empty .batpak.lock where there was none.
 *
 * Returns   0; BAT_WORLD_LOCKED; BAT_WORLD_ABSENT; BAT_DATA_REFUSED (files but
 *	     no store); BAT_DATA_CORRUPT; BAT_DATA_FUTURE; BAT_WORLD_*.
 */
int bat_open(const char *path, const struct bat_options *options,
    struct bat_store **out, struct bat_error *error);

/*
 * Orderly close: CLOSE event and footer if this session appended, index file
 * if one is due, lock released. The handle is gone also when an error is
 * returned (what could not be done is in the error; nothing acknowledged is
 * lost by it).
 */
int bat_close(struct bat_store *store, struct bat_error *error);

/*
 * For a read-only handle: show what another process has written since. Looks at
 * most every 100 ms, and not where another thread is looking already; costs two
 * stats when nothing has changed. Events are added, whole batches only; or,
 * after a compaction, a cut, or other hidden ranges, everything is shown anew
 * under a new generation. What is shown is written and may not be durable yet.
 * true: something has changed. What went wrong is in bat_status; what was shown
 * stays. Of a writable handle: false.
 */
bool bat_refresh(struct bat_store *store);

/* ---- what is there --------------------------------------------------- */

struct bat_head {
	uint64_t generation; /* grows when ordinals or content changed */
	uint32_t ordinals;   /* all that were given out: 0 .. ordinals-1 */
	uint64_t visible_count;
	uint64_t next_seq;
	/* The following only when visible_count > 0; ordinals. */
	uint32_t first, last;
	uint64_t first_seq, last_seq, durable_seq;
	uint64_t first_wall_ms, last_wall_ms;
	uint32_t entity_count, scope_count;
};

void bat_head(struct bat_store *store, struct bat_head *out);
/* As it was when there were only the events below this ordinal (0: as it is).
 * generation is of now. */
void bat_head_before(struct bat_store *store, uint32_t before,
    struct bat_head *out);

/*
 * The row of an event as the index has it; its entity and scope are numbers for
 * bat_name (BAT_MAP_NONE: a damaged frame of which nothing is known). corr,
 * cause, prev, hash, lane and depth are zero: only bat_read has them. false: no
 * such ordinal, or hidden.
 */
bool bat_row(struct bat_store *store, uint32_t ordinal, struct bat_row *out);
/* A name by its number; valid until bat_close. */
struct bat_slice bat_name(struct bat_store *store, uint32_t number);

/*
 * An event with everything, read from disk.
 * entity, scope  the names of the row's, empty where it has none.
 * fields   slices point into the frame's bytes, until the next bat_read.
 * payload  expanded bytes (own buffer).
 * Calling sequence: BAT_READING_EMPTY, bat_read again and again with the same
 * object, bat_reading_free.
 */
struct bat_reading {
	struct bat_row row; /* entity, scope: numbers for bat_name */
	struct bat_slice entity, scope;
	struct bat_event fields;
	struct bat_buf frame;
	struct bat_buf payload;
	struct bat_ahead *ahead; /* of bat_read_ahead */
};
#define BAT_READING_EMPTY                                                      \
	((struct bat_reading){ .frame = BAT_BUF_EMPTY,                         \
	    .payload = BAT_BUF_EMPTY })

/*
 * Read one event: CRC, decode, compare with its row, always.
 *
 * Returns 0; BAT_STATE_NOT_FOUND (no such ordinal, hidden); BAT_DATA_CORRUPT
 * (a damaged frame: reading->row is filled, the error's segment and offset
 * say where, its text starts with what: "crc", "decode", "short", "length"; a
 * caller shows the row); BAT_DATA_DISAGREES (row and frame differ: the index was
 * dropped and rebuilt, generation grew, ask again); BAT_WORLD_*.
 */
int bat_read(struct bat_store *store, uint32_t ordinal,
    struct bat_reading *reading, struct bat_error *error);
void bat_reading_free(struct bat_reading *reading);
/*
 * Say which events bat_read is asked for next, in this order; beyond
 * BAT_READ_AHEAD_MAX they are not noted. Their rows are looked up at once, as
 * they are now, and frames that lie close together come with one read of the
 * disk; the answers are those of bat_read alone. Events that were passed over
 * or come in another order are read as usual. A new call (of 0 events too), or
 * a difference between a row and its frame, forgets what was said.
 */
#define BAT_READ_AHEAD_MAX 64
void bat_read_ahead(struct bat_store *store, const uint32_t *ordinals,
    size_t count, struct bat_reading *reading);
/*
 * What a proof of a chain needs of an event: read as by bat_read, and its
 * payload hashed. payload_holds: it is what both hashes of the frame say. Only
 * what a compaction rewrote (payload_is_bytes is false) may fail to.
 */
struct bat_proof {
	uint64_t seq, segment, offset;
	uint32_t clock;
	bool payload_is_bytes, payload_holds;
	struct bat_hash prev, hash;
};
/*
 * Prove so many events. Returns 0; what bat_read said of the first, in the order
 * given, that could not be read: *out_proved says how many stand before it, and
 * only their proofs are there. Many are read by two threads.
 */
int bat_prove(struct bat_store *store, const uint32_t *ordinals, size_t count,
    struct bat_proof *proofs, size_t *out_proved, struct bat_error *error);
/* Walk the receipt extensions of fields; see bat_codec_next_extension: key,
 * and value expanded onto value (cleared first). */
struct bat_extension_walk {
	struct bat_pack_reader at;
	uint32_t left;
};
struct bat_extension_walk bat_extensions(const struct bat_reading *reading);
int bat_extensions_next(struct bat_extension_walk *walk,
    struct bat_slice *out_key, struct bat_buf *value);

/* ---- finding --------------------------------------------------------- */

/* Visible events only. BAT_MAP_NONE (UINT32_MAX) when there is none. */
uint32_t bat_find_seq(struct bat_store *store, uint64_t seq);
/* The first visible event whose sequence is >= seq. */
uint32_t bat_find_seq_from(struct bat_store *store, uint64_t seq);
/* Of several with one id the one with the greatest sequence. */
uint32_t bat_find_id(struct bat_store *store, const struct bat_id *id);

/* Numbers of entities and scopes are those of bat_name. UINT32_MAX: none with
 * a visible event. */
uint32_t bat_find_entity(struct bat_store *store, struct bat_slice name);
uint32_t bat_find_scope(struct bat_store *store, struct bat_slice name);

/*
 * Lists: the visible events of the whole log, an entity, or an entity within a
 * scope, in sequence order; and those of causality (see there). An empty list
 * has count 0.
 */
enum bat_list_kind {
	BAT_LIST_ALL,
	BAT_LIST_ENTITY,
	BAT_LIST_MEMBER,
	/* Of an event: */
	BAT_LIST_CHAIN, /* its chain, itself included */
	/* The same, each event behind its cause: depth first, siblings in
	 * order. `before` is needed. */
	BAT_LIST_CHAIN_TREE,
	BAT_LIST_EFFECTS,      /* whose cause it is */
	BAT_LIST_CAUSES,       /* its cause, the cause of that, and so on */
	BAT_LIST_CONSEQUENCES, /* its effects, the effects of these, ... */
};
struct bat_list {
	enum bat_list_kind kind;
	uint32_t entity, scope; /* numbers */
	uint32_t event;		/* an ordinal */
	/* Only events below this ordinal; 0: all. For a moment in the past. */
	uint32_t before;
};
struct bat_list_stat {
	uint64_t count;	      /* visible events; ALL: as in bat_head */
	uint32_t first, last; /* ordinals; only when count > 0 */
	uint64_t first_wall_ms, last_wall_ms;
};
bool bat_list_stat(struct bat_store *store, const struct bat_list *list,
    struct bat_list_stat *out);
/* The count alone, where a sidecar has it without a read of the whole list: of
 * an entity's or a member's list as it is now (before: 0). */
uint64_t bat_list_count(struct bat_store *store, const struct bat_list *list);
/*
 * Copy up to max ordinals of the list, from its position *cursor on, and move
 * *cursor behind them; returns how many. A cursor is opaque; 0 is the start;
 * it stays valid when the list grows. (Of a BAT_LIST_CHAIN it is the ordinal
 * of the last one + 1.)
 */
size_t bat_list_next(struct bat_store *store, const struct bat_list *list,
    uint64_t *cursor, uint32_t *ordinals, size_t max);

/*
 * Entities and scopes that have a visible event, in first-seen order, so that
 * position i never names something else while the generation stands.
 */
uint32_t bat_entity_at(struct bat_store *store, uint32_t position);
uint32_t bat_scope_at(struct bat_store *store, uint32_t position);
/* The entities of a scope, in first-seen order, and the other way round. */
uint32_t bat_scope_size(struct bat_store *store, uint32_t scope);
uint32_t bat_scope_entity_at(struct bat_store *store, uint32_t scope,
    uint32_t position);
bool bat_scope_has(struct bat_store *store, uint32_t scope, uint32_t entity);
/* In how many scopes an entity has events; *out_scope is the first of them. */
uint32_t bat_entity_scopes(struct bat_store *store, uint32_t entity,
    uint32_t *out_scope);

/* ---- lengths ----------------------------------------------------------- */

/*
 * For who shows events as lines: a number for each of them, its line's length,
 * which has no meaning to the store. It is kept in memory, 4 bytes an event, and
 * in the sidecar, for handles that name the same lengths_format. What is kept is
 * a hint, as it may come from a file: each line that is made is held against its
 * length, and one that differs is reported with bat_doubt_lengths.
 *
 * All return at once; false and BAT_DATA_DISAGREES: the generation is another.
 */

/* Of some events; 0 where none is known. */
bool bat_lengths(struct bat_store *store, uint64_t generation,
    const uint32_t *ordinals, size_t count, uint32_t *lengths);
/* 0; BAT_DATA_DISAGREES; BAT_WORLD_NO_MEMORY. */
int bat_keep_lengths(struct bat_store *store, uint64_t generation,
    const uint32_t *ordinals, const uint32_t *lengths, size_t count);
/* One of them is wrong: all are forgotten, under a new generation, so that
 * nothing that was computed of them stays with anybody. */
void bat_doubt_lengths(struct bat_store *store, uint64_t generation);

/* ---- causality ------------------------------------------------------- */

/*
 * What only frames know: which event caused which, and what belongs together.
 *
 * The cause of an event is the visible event with that id, of several the
 * latest, that stands before it. A chain: if an event's corr is not its own id,
 * it is in the chain of the event with that id, where that stands before it,
 * else in the chain of that name; otherwise, with a cause, in the chain of the
 * cause, where that stands before it, else in the one named by the cause's id;
 * otherwise in the one named by its own id. Later events never change it.
 *
 * bat_trace brings it up to what is visible: the first time it reads every
 * frame once, later those that came since. All below, and lists of causality,
 * answer from what the last bat_trace found, so it is called before; if the
 * generation changed since, they find nothing.
 */

/* 0; BAT_DATA_DISAGREES (the generation changed: ask again); BAT_WORLD_*. */
int bat_trace(struct bat_store *store, struct bat_error *error);
/* The ordinal of an event's cause. BAT_MAP_NONE: it has none, or, *out_gone, it
 * has one that is not here. */
uint32_t bat_cause(struct bat_store *store, uint32_t ordinal, bool *out_gone);

struct bat_chain {
	struct bat_id id; /* its name */
	uint32_t first;	  /* ordinals */
	uint32_t second;  /* BAT_MAP_NONE: it has one event */
};
/* The chain of an event. false: it is in none (hidden, or nothing is known). */
bool bat_chain_of(struct bat_store *store, uint32_t ordinal,
    struct bat_chain *out);
/* By its name. */
bool bat_chain_find(struct bat_store *store, const struct bat_id *id,
    struct bat_chain *out);
/* Chains of two events or more, in the order in which they became that, so
 * that a position never means another; false: there are no more. */
bool bat_chain_at(struct bat_store *store, uint32_t position,
    struct bat_chain *out);
/* Those among them whose name ends in this byte. */
bool bat_chain_ending_at(struct bat_store *store, uint8_t byte,
    uint32_t position, struct bat_chain *out);
/*
 * By the first digits of a name or of the id of an event in it, among what
 * stands before an ordinal (0: all). A whole one is a name first. false: there
 * is none, or there are several. It may look through all rows.
 */
bool bat_chain_prefix(struct bat_store *store, const struct bat_id *prefix,
    unsigned digits, uint32_t before, struct bat_chain *out);
/* As bat_find_id, of events below an ordinal. */
uint32_t bat_find_id_before(struct bat_store *store, const struct bat_id *id,
    uint32_t before);

/* ---- appending ------------------------------------------------------- */

/* What the caller gets back for each event. */
struct bat_receipt {
	uint64_t seq;
	struct bat_id id;
	struct bat_hash hash;
	uint32_t clock;
	uint64_t wall_ms;
	bool replayed; /* its key was known: nothing was written */
};

/*
 * A batch: drafts that become visible together or not at all. A bad draft
 * ends it: those before it are committed (as one atomic batch), `code` and
 * `error` say why the next one was refused.
 *
 * Owned by the caller, unchanged until done is called.
 */
struct bat_batch {
	const struct bat_draft *drafts;
	size_t count;
	/* Called once, on the thread that runs bat_commit_run, without locks.
	 * May free the batch. */
	void (*done)(void *context, struct bat_batch *batch);
	void *context;
	const void *about; /* for gates: who submits it, say; or NULL */
	/* Filled before done: */
	size_t committed; /* drafts that are durable (or visible) */
	int code;	  /* 0, or why draft [committed] was refused */
	struct bat_error error;
	struct bat_receipt *receipts; /* count of them, given by the caller */
	struct bat_batch *next;	      /* the queue's */
};

/* Put a batch into the queue; never blocks on the disk. After bat_stop_queue
 * or on a read-only handle done is called at once with an error. */
void bat_submit(struct bat_store *store, struct bat_batch *batch);
/*
 * Lead one group: take everything that is queued, write it, sync once,
 * publish, call each done. wait: block until something is queued or
 * bat_wake. Returns the number of batches that were handled.
 */
size_t bat_commit_run(struct bat_store *store, bool wait);
/*
 * For programs that have a committer: as bat_submit, but where the writer seems
 * to be alone the calling thread leads its group itself, which takes as long as
 * a sync, and calls done before this returns. One thread at a time does so.
 */
void bat_submit_here(struct bat_store *store, struct bat_batch *batch);
/* Let a waiting bat_commit_run return. */
void bat_wake(struct bat_store *store);
/* Submit one batch and wait for it, committing when nobody else does; for
 * programs without a committer thread. Returns batch->code. */
int bat_append(struct bat_store *store, struct bat_batch *batch);

/* Ask the gates of this store as an append would, and record nothing. 0;
 * BAT_STATE_DENIED (error says which gate and why); BAT_WORLD_NO_MEMORY. */
int bat_gates_ask(struct bat_store *store, const struct bat_proposal *proposal,
    struct bat_error *error);

/*
 * Write 0xFF ahead of the frames of the segment that grows, in steps of
 * options.runway_bytes, until half a step or more lies ahead: a commit is then
 * written over what is there, and its sync is faster. For a thread that has
 * nothing else to do. wait: block until that is due, or bat_wake_runway.
 * Returns how many bytes were written. Where there is no space for it, appends
 * go on without. Sealing cuts off what is left of it; a crash leaves it as a
 * torn tail (runway.h, README).
 */
uint64_t bat_lay_runway(struct bat_store *store, bool wait);
void bat_wake_runway(struct bat_store *store);

/* Everything that is visible is on disk when this returns 0. */
int bat_sync(struct bat_store *store, struct bat_error *error);
/* Write the index file now, whatever the threshold says (nothing appended and
 * an index that stays, of the kind that is wanted: nothing is done). */
int bat_checkpoint(struct bat_store *store, struct bat_error *error);

/* What a compaction did, or (only_look) would do. */
struct bat_compacted {
	bool performed;	   /* false: fewer than two segments, or only looked */
	uint64_t segments; /* that were merged into one */
	uint64_t full;	 /* older ones, as large as a segment gets: they stay */
	uint64_t merged; /* the id of that one */
	uint64_t events;
	uint64_t bytes_before, bytes_after; /* of these segments' files */
};
/*
 * Merge all segments but the first ones that are full, the one that is being
 * written too (it is sealed, and appends go on in another). Every event keeps
 * its number, its bytes and its ordinal; the generation stays, and whatever is
 * open goes on answering. Appends wait only for the switch. The index file is
 * written anew. It needs as much space as these segments have.
 *
 * 0 (see performed); BAT_DATA_CORRUPT, BAT_DATA_FUTURE (a frame or a segment is
 * not sound: which, nothing was changed); BAT_WORLD_NO_SPACE (nothing was
 * changed, unless the text says that only the index file failed);
 * BAT_USE_READ_ONLY; BAT_STATE_STOPPED; BAT_WORLD_*. Of a read-only handle
 * only_look works.
 */
int bat_compact(struct bat_store *store, bool only_look,
    struct bat_compacted *out, struct bat_error *error);
/* For good: one that is under way ends soon, with BAT_STATE_CLOSED and nothing
 * changed, or done if it is nearly so. */
void bat_compact_stop(struct bat_store *store);

/* ---- backups --------------------------------------------------------- */

/*
 * The raw files as they are at the last durable moment, see pin.h; all pins are
 * released before bat_close. Nothing is waited for: bat_sync first, where what
 * is visible may not be on disk yet. previous: a pin of before or NULL; if
 * nothing was appended since, *out is that one again, held once more.
 *
 * 0; BAT_WORLD_*. Threads: any.
 */
int bat_take_pin(struct bat_store *store, struct bat_pin *previous,
    struct bat_pin **out, struct bat_error *error);
/* The first and the last visible event in a pin's file (of an index file: that
 * it speaks of), as bat_row has them; false: there is none. */
bool bat_pinned_span(struct bat_store *store, const struct bat_pin *pin,
    size_t file, struct bat_row *first, struct bat_row *last);

/* ---- the transparency log --------------------------------------------- */

/*
 * What was stored, told to somebody who keeps it elsewhere: a signed checkpoint
 * over all events since the log was begun (tlog.h; FORMAT.md 9.10). The log
 * may lag behind the store and is never ahead of what is durable.
 */
enum bat_attest_state {
	BAT_ATTEST_NONE,   /* there is no log */
	BAT_ATTEST_KEPT,   /* this handle adds to it */
	BAT_ATTEST_SHOWN,  /* this handle only shows it: why */
	BAT_ATTEST_HALTED, /* it does not fit itself or the store: why */
};
struct bat_attest_status {
	enum bat_attest_state state;
	uint64_t size;		      /* records of the checkpoint */
	uint64_t first_seq, last_seq; /* of these; when size > 0 */
	char why[512];
};
void bat_attest_status(struct bat_store *store, struct bat_attest_status *out);
/* Bring the log up to what is durable, and sign that; bat_close does it too.
 * Without a log that this handle keeps nothing is done. It reads the frames
 * of events that are not in it yet. BAT_DATA_CORRUPT when it is halted;
 * BAT_DATA_DISAGREES: ask again; BAT_WORLD_*. */
int bat_attest_update(struct bat_store *store, struct bat_error *error);
/* The checkpoint, the verifier key, a tile; onto buf. BAT_STATE_NOT_FOUND. */
int bat_attest_checkpoint(struct bat_store *store, struct bat_buf *buf,
    struct bat_error *error);
int bat_attest_key(struct bat_store *store, struct bat_buf *buf,
    struct bat_error *error);
int bat_attest_tile(struct bat_store *store, const struct bat_tlog_tile *tile,
    struct bat_buf *buf, struct bat_error *error);

/* Can the log of a store that nobody else writes go on? 0; BAT_STATE_NOT_FOUND
 * (there is none); BAT_DATA_CORRUPT and the reason with its remedy. */
int bat_attest_fits(struct bat_store *store, struct bat_error *error);
/*
 * Begin another log, and keep the one that is there beside it, in
 * .batfs/tlog-<n>: out_name, empty when there was none. key: the file of its
 * key, which is made if it is not there; NULL: in the log's folder. A key that
 * has signed the old log is refused, or it would sign two trees of one size.
 * For a handle that was opened without a key. BAT_USE_INVALID; BAT_STATE_STOPPED
 * (open it again); BAT_WORLD_*.
 */
int bat_attest_renew(struct bat_store *store, const char *key,
    char out_name[BAT_TLOG_ASIDE_SIZE], struct bat_error *error);

enum bat_attest_verdict {
	BAT_ATTEST_INTACT,
	BAT_ATTEST_BROKEN,
	BAT_ATTEST_CANNOT_TELL,
};
/* A non-zero answer ends the telling, not the counting. has_seq false: it is
 * about the log as a whole. text is valid during the call. */
struct bat_attest_sink {
	void *context;
	int (*finding)(void *context, bool has_seq, uint64_t seq,
	    const char *text);
};
struct bat_attest_result {
	enum bat_attest_verdict verdict;
	uint64_t findings;
	/* What the checkpoint speaks of, where that is known for sure. */
	bool has_range;
	uint64_t from_seq, through_seq, records;
	bool signature; /* it was checked with a key */
	char text[512]; /* the verdict as a sentence */
};
/*
 * Hold a store against a checkpoint that was kept elsewhere: every event that
 * it speaks of is there, under its sequence, byte for byte, and none was put
 * in between. Every frame is read from disk. checkpoint empty: the log's own,
 * which proves less. key: a verifier key as text; empty: the log's own.
 */
void bat_attest_check(struct bat_store *store, struct bat_slice checkpoint,
    struct bat_slice key, const struct bat_attest_sink *sink,
    struct bat_attest_result *out);

/*
 * A proof as text (note.h), onto buf: that the event of this sequence is in the
 * log; seq NULL: that the log continues the checkpoint `against`. against, with
 * seq: the proof is for its tree instead of the log's present one; may be empty
 * then. Verified with bat_note_proof_parse and bat_note_proof_verify, which need
 * no store; the entry of an event is its record (bat_tlog_record_get).
 * 0; BAT_STATE_NOT_FOUND (no log, or the event is not in it); BAT_USE_INVALID
 * (against is no checkpoint of this log); BAT_DATA_CORRUPT (it is not so: the
 * log, or the event, is not what was signed); BAT_WORLD_*.
 */
int bat_attest_prove(struct bat_store *store, const uint64_t *seq,
    struct bat_slice against, struct bat_buf *buf, struct bat_error *error);
/* Is the store's event of that sequence the one of this record? 0;
 * BAT_DATA_CORRUPT; BAT_DATA_DISAGREES; BAT_WORLD_*. */
int bat_attest_compare(struct bat_store *store,
    const struct bat_tlog_record *record, struct bat_error *error);

/* ---- saying what happened -------------------------------------------- */

enum bat_source {
	BAT_SOURCE_NEW, /* an empty directory */
	BAT_SOURCE_ROWINDEX,
	BAT_SOURCE_CHECKPOINT,
	BAT_SOURCE_FOOTERS,
	BAT_SOURCE_FRAMES,  /* some segment had to be read frame by frame */
	BAT_SOURCE_SIDECAR, /* .batfs/cache, made from what is there */
};

struct bat_status {
	enum bat_source source;
	uint16_t source_version; /* of the index file, else 0 */
	uint64_t restored_count; /* rows that came from it */
	uint64_t tail_count;	 /* rows that were read behind it */
	int64_t open_ns;
	uint64_t segment_count, segment_bytes;
	uint64_t hidden_count;
	uint64_t damaged_count; /* places named in the open report */
	bool read_only;
	bool appended;	 /* this session has written */
	bool stopped;	 /* the writer stopped after a failed sync */
	int writer_code; /* why the last append failed for all, 0 if it did not */
	char writer_text[512];
	int follow_code; /* of a read-only store's last look; why is below */
	char follow_text[512];
	uint64_t visible_seq_plus_1, durable_seq_plus_1;
	uint64_t uncovered_count; /* events behind the index file's watermark */
};

void bat_status(struct bat_store *store, struct bat_status *out);
/*
 * How far the log has come (frontier.h), all points as of one moment; does not
 * wait for a sync that is under way. Of a read-only handle only written and
 * visible are known; false: that point is not.
 */
void bat_frontier(struct bat_store *store, struct bat_frontier *out);
bool bat_frontier_knows(struct bat_store *store, enum bat_frontier_which which);
const char *bat_source_name(enum bat_source source);
/* What opening found and did, one line each, UTF-8, appended to buf. */
int bat_open_report(struct bat_store *store, struct bat_buf *buf);
/* Of the data directory: owner, group, mode. */
int bat_directory_stat(struct bat_store *store, struct bat_file_stat *out);

#endif
