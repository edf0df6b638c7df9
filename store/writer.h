/*
 * The one append path.
 *
 * The happy path of a group: take all queued batches; at the first append of
 * the session carry out recovery's plan (unlink disbelieved indexes, save and
 * cut torn tails, heal a compaction marker) and make the segment; stage OPEN;
 * for each batch and draft: check, resolve key and cause, link, encode; then
 * one write, one sync, publish the rows to the index, answer each batch.
 *
 * The failures: a refused draft ends its batch (what stands before it goes
 * on); a failed write is cut back and every batch of the group is answered
 * with the error, nothing of it is visible (no space: the next group tries
 * again); a failed sync stops the writer for good.
 *
 * Invariants: (1) visible <= durable when durability is EACH; (2) a sealed
 * segment is never written; (3) sequence numbers have no gaps of our making;
 * (4) after a failed sync nothing is appended until reopen; (5) the index
 * file never speaks past what is durable; (6) outside a group `staged` is
 * empty and next_seq is the last published sequence + 1 or above.
 *
 * Threads: submit and wake from any; run, sync, checkpoint, close from any,
 * one at a time (the lead mutex); compact from any, one at a time (the
 * compacting mutex), and groups go on meanwhile. Locks: compacting, lead, then
 * queue (never both but to take the queue), then the index lock (only while
 * publishing, naming or moving).
 */
#ifndef BAT_WRITER_H
#define BAT_WRITER_H

#include "bat.h"
#include "chain.h"
#include "checkpointer.h"
#include "compaction.h"
#include "frontier.h"
#include "gate.h"
#include "index.h"
#include "lifecycle.h"
#include "pin.h"
#include "recovery.h"
#include "segment_dir.h"
#include "segment_writer.h"

#include <pthread.h>

/* What is encoded and not yet written: whole frames and their rows. */
struct bat_writer_stage {
	struct bat_buf frames;
	struct bat_row *rows; /* offsets within frames, until written */
	size_t row_count, row_capacity;
	struct bat_map by_id;		  /* rows staged here, by event id */
	struct bat_map by_entity;	  /* newest staged row of an entity */
	size_t ids_known, entities_known; /* so many rows are in there */
	/* Batches whose frames these are; answered when they are written. */
	struct bat_batch *first, *last;
};

/* Heads of the chains that this session wrote to: the index does not keep what
 * the next event of an entity must link to. */
struct bat_writer_known_head {
	uint32_t entity;
	struct bat_chain_head head;
};

struct bat_writer_heads {
	struct bat_writer_known_head *heads;
	size_t count, capacity;
	struct bat_map by_entity;
};

/* Names of the draft that was staged last, and their numbers; they are lent by
 * its batch. */
struct bat_writer_names {
	bool known;
	struct bat_slice entity, scope;
	uint32_t entity_number, scope_number;
};

/* Hashes of the payloads of drafts [first, first + count) of a batch; those
 * that are known already. */
struct bat_writer_hashes {
	struct bat_hash_lanes *lanes; /* NULL until a batch has several */
	struct bat_hash hashes[BAT_HASH_LANES];
	size_t first, count;
	uint32_t known; /* bits */
};

/* The draft that ended the batch being staged, if a gate denied it. */
struct bat_writer_denied {
	const struct bat_draft *draft; /* NULL: none */
	struct bat_id cause, corr;
	struct bat_denial denial;
	struct bat_buf payload; /* of the event that records it */
};

enum { BAT_WRITER_RANDOM_IDS = 128 };

struct bat_writer {
	struct bat_segment_dir *dir;
	struct bat_index *index; /* changes only under lead and index_lock */
	struct bat_recovery *recovery;
	pthread_rwlock_t *index_lock;
	const struct bat_options *options;
	pthread_mutex_t compacting;
	pthread_mutex_t lead;
	pthread_mutex_t queue_mutex;
	pthread_cond_t queued;			    /* something is, or woken */
	struct bat_batch *queue_first, *queue_last; /* guarded by queue_mutex */
	size_t queue_count;			    /* likewise */
	size_t idle;  /* threads that wait for the first batch; likewise */
	bool woken;   /* guarded by queue_mutex */
	bool leading; /* a group is under way; guarded by queue_mutex */
	/* Likewise: of those in the queue, who leads them if no more come. */
	struct bat_writer_waiter *gatherer;
	/* Likewise: how many batches the next group is likely to have, and how
	 * long the last one took. */
	size_t expected;
	int64_t last_ns;
	/* The rest is the leader's. */
	bool prepared; /* recovery's plan was carried out */
	bool active;   /* `segment` is open for writing */
	bool opened;   /* OPEN was written in this session */
	bool stopped;
	_Atomic bool stop_compacting;
	bool unswept; /* a compaction left files that have to be swept first */
	uint64_t highest_segment;
	struct bat_runway runway; /* others lay it; see there */
	struct bat_segment_writer segment;
	struct bat_writer_stage stage;
	struct bat_writer_heads heads;
	struct bat_writer_names names;
	struct bat_writer_hashes hashes;
	struct bat_buf frame;	/* of an event that is read back */
	bool disagreed;		/* an index row lied: a rebuild is due */
	struct bat_buf items;	/* frames of the batch being staged */
	struct bat_buf scratch; /* payload of a lifecycle event */
	struct bat_writer_denied denied;
	/* For ids that are made here: asked for one by one they were a seventh
	 * of what a large batch cost. */
	uint8_t random[BAT_WRITER_RANDOM_IDS][10];
	size_t random_left;
	uint64_t next_seq;
	/* next_seq as of the last sync; others read it without the lead. */
	_Atomic uint64_t synced_seq;
	struct bat_frontier_log frontier; /* has its own mutex */
	/* Highest (wall_ms, seq) made visible in this session. */
	uint64_t point_wall_ms, point_seq;
	uint64_t open_elapsed_us;
	int last_code;
	struct bat_error last_error;
	struct bat_batch *answered; /* done is called when lead is free */
	/* Behind the index file that stands: is one due? */
	bool has_index;
	/* Of it: where a mount that believes it says that rows came from. */
	enum bat_recovery_source source;
	uint16_t source_version;
	uint64_t watermark_segment, watermark_offset;
	bool as_rowindex; /* the kind that this directory gets */
	/* For pins; guarded by index_lock. */
	struct bat_pin_point durable;
	struct bat_pin_index index_file;
	uint64_t uncovered_count;
	bool uncovered_extensions, uncovered_unknown;
	uint32_t unknown_from; /* recovery.h */
};

int bat_writer_init(struct bat_writer *writer, struct bat_segment_dir *dir,
    struct bat_index *index, struct bat_recovery *recovery,
    pthread_rwlock_t *index_lock, const struct bat_options *options);
/* After bat_writer_close, or when the store is read-only. */
void bat_writer_free(struct bat_writer *writer);
/* Would an append find the lock and the newest segment where they were
 * (segment_dir.h)? Lead is held. 0; BAT_WORLD_IO with a sentence. */
int bat_writer_confirm(const struct bat_writer *writer,
    struct bat_error *error);
/* Take over a new index and recovery (after a rebuild); lead is held. */
void bat_writer_adopt(struct bat_writer *writer, struct bat_index *index,
    struct bat_recovery *recovery);
void bat_writer_submit(struct bat_writer *writer, struct bat_batch *batch);
/*
 * The same, but when nobody leads, nothing waits and the last group had one
 * batch, the caller is to lead this one at once: true, and nobody else was
 * woken for it. So a lone writer's line costs no change of threads.
 */
bool bat_writer_submit_alone(struct bat_writer *writer,
    struct bat_batch *batch);
size_t bat_writer_run(struct bat_writer *writer, bool wait);
void bat_writer_wake(struct bat_writer *writer);
/* Submit a batch and wait until it is answered, leading groups when nobody
 * else does; done and context are this function's. */
void bat_writer_append(struct bat_writer *writer, struct bat_batch *batch);
int bat_writer_sync(struct bat_writer *writer, struct bat_error *error);
/*
 * Merge the sealed segments (compaction.h); what was written until now is
 * sealed for that. Then the index file is written. Returns 0 (out->performed says
 * whether there was something to do); BAT_DATA_DISAGREES: rows and frames
 * differ, a rebuild is due; else as bat_compact.
 */
int bat_writer_compact(struct bat_writer *writer, struct bat_compacted *out,
    struct bat_error *error);
/* How large a segment gets. */
uint64_t bat_writer_segment_limit(const struct bat_writer *writer);
/* force: write the index file although none is due. */
int bat_writer_checkpoint(struct bat_writer *writer, bool force,
    struct bat_error *error);
/* CLOSE, footer, index file if due. The first error is returned; what is
 * still safe is tried. */
/* Write the sidecar if one is due and the files are quiet (sidecar.h). */
void bat_writer_save_sidecar(struct bat_writer *writer);
int bat_writer_close(struct bat_writer *writer, struct bat_error *error);

#endif
