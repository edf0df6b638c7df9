/*
 * The one append path.
 *
 * The happy path of a group: take all queued batches; at the first append of
 * the session carry out recovery's plan (unlink disbelieved indexes, save and
 * cut torn tails, heal a compaction marker), make the segment, stage OPEN;
 * for each batch and draft: check, resolve cause and key, link, encode; one
 * write; one sync; publish rows to the index; answer each batch.
 *
 * The failures: a refused draft ends its batch (what stands before it goes
 * on); a failed write is cut back and every batch of the group is answered
 * with the error, nothing of it is visible (no space: the next group tries
 * again); a failed sync stops the writer for good.
 *
 * Invariants: (1) visible <= durable when durability is EACH; (2) a sealed
 * segment is never written; (3) sequence numbers have no gaps of our making;
 * (4) after a failed sync nothing is appended until reopen; (5) the index
 * file never speaks past what is durable.
 *
 * Threads: submit and wake from any; run, sync, checkpoint, close from any,
 * one at a time (the lead mutex). Locks: queue mutex (order 2), index lock
 * (order 3, only while publishing).
 */
#ifndef BAT_WRITER_H
#define BAT_WRITER_H

#include "bat.h"
#include "checkpointer.h"
#include "index.h"
#include "recovery.h"
#include "segment_dir.h"
#include "segment_writer.h"

#include <pthread.h>

struct bat_writer {
	struct bat_segment_dir *dir;
	struct bat_index *index;
	struct bat_recovery *recovery;
	pthread_rwlock_t *index_lock;
	const struct bat_options *options;
	pthread_mutex_t lead; /* order 1.5: held by whoever leads a group */
	pthread_mutex_t queue_mutex;
	pthread_cond_t queued;
	struct bat_batch *queue_head, *queue_tail; /* guarded by queue_mutex */
	bool woken;				   /* guarded by queue_mutex */
	/* The rest is the leader's. */
	bool prepared; /* recovery's plan was carried out */
	bool active;   /* segment below is open */
	bool opened;   /* OPEN was written in this session */
	bool stopped;
	struct bat_segment_writer segment;
	uint64_t next_seq;
	struct bat_buf frames;	/* of the group */
	struct bat_row *rows;	/* of the group */
	size_t row_count, row_capacity;
	struct bat_buf scratch;
	uint64_t synced_seq; /* next_seq at the last sync */
	int last_code;
	struct bat_error last_error;
	/* What became uncovered since the index file: for `is one due`. */
	uint64_t uncovered_count;
	bool uncovered_extensions;
	int64_t open_elapsed_us;
};

int bat_writer_init(struct bat_writer *writer, struct bat_segment_dir *dir,
    struct bat_index *index, struct bat_recovery *recovery,
    pthread_rwlock_t *index_lock, const struct bat_options *options);
void bat_writer_submit(struct bat_writer *writer, struct bat_batch *batch);
size_t bat_writer_run(struct bat_writer *writer, bool wait);
void bat_writer_wake(struct bat_writer *writer);
int bat_writer_sync(struct bat_writer *writer, struct bat_error *error);
int bat_writer_checkpoint(struct bat_writer *writer, bool force,
    struct bat_error *error);
/* CLOSE, footer, index file if due. The first error is returned, the rest is
 * still tried where it is safe. */
int bat_writer_close(struct bat_writer *writer, struct bat_error *error);

#endif
