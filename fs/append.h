/*
 * An open append: what its writers ask for, one thing after the other.
 *
 * Requests of one handle come on many threads (a descriptor that was
 * inherited) and a commit takes as long as the disk takes. So each request is
 * an op in the handle's queue. An op that finds the handle idle is worked on
 * at once, on the thread that brought it; when it has lines to commit, the
 * thread goes and the committer carries on (a lone writer's thread commits
 * itself, if it may). Nobody else waits, nothing overtakes.
 *
 * What a WRITE completes becomes one batch. What a FLUSH or RELEASE does with
 * the rest, batfs_intake_finish says; a FLUSH is heard only from the thread
 * that wrote last, because shells flush before they write and every process
 * that inherited the descriptor flushes when it ends.
 *
 * Two sorts are special: .ctl/try/<E> goes the same way but for the commit,
 * which is only rehearsed, and .ctl/append/<E> has receipts to read.
 *
 * Knows nothing of FUSE: an op is answered through its callback.
 */
#ifndef BATFS_APPEND_H
#define BATFS_APPEND_H

#include <pthread.h>
#include <sys/types.h>

#include "bat.h"
#include "chores.h"
#include "shares.h"
#include "tree.h"

/* What all appends of a mount share. */
struct batfs_append_world {
	struct bat_store *store;
	struct batfs_tree *tree;
	struct batfs_chores *chores;
	struct batfs_shares *shares; /* NULL: nobody is counted */
	/* -o durable=fsync: WRITE is visible, SYNC is durable. */
	bool sync_apart;
	/* -o stamp: each event says who wrote it. */
	bool stamp;
	/* A thread that brings lines may wait for their sync: the writer that
	 * is alone has its answer a change of threads earlier. */
	bool lead_here;
	/* Something was committed; any thread, no locks held. */
	void (*committed)(void *context);
	void *context;
	/* How many appends have an op in work. */
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned busy;
};

enum batfs_append_kind {
	BATFS_APPEND_WRITE,
	BATFS_APPEND_FLUSH,
	BATFS_APPEND_SYNC,
	BATFS_APPEND_RELEASE, /* the last: the append is gone after it */
};

struct batfs_append_op {
	enum batfs_append_kind kind;
	struct bat_slice bytes; /* of WRITE; valid until done */
	bool durable;		/* WRITE: O_SYNC was asked for */
	int32_t pid;		/* thread that asks; 0: not known */
	uint32_t uid, gid;
	/* Called once, on any thread, without locks: bytes taken (WRITE), 0, or
	 * a negative errno. May free the op. */
	void (*done)(struct batfs_append_op *op, ssize_t result);
	void *context;
	struct batfs_append_op *next; /* the queue's */
};

struct batfs_append;

/* The members above `lock` are the caller's to fill. */
void batfs_append_world_init(struct batfs_append_world *world);
void batfs_append_world_destroy(struct batfs_append_world *world);
/* Wait until no append has anything under way. */
void batfs_append_drain(struct batfs_append_world *world);

/* uid: who opens it, to whose share unfinished lines count (EDQUOT). Returns 0;
 * BAT_USE_INVALID: not appendable; BAT_WORLD_NO_MEMORY. */
int batfs_append_open(struct batfs_append_world *world,
    const struct batfs_node *node, uint32_t uid, struct batfs_append **out);
/* op is the caller's until done is called. */
void batfs_append_submit(struct batfs_append *append,
    struct batfs_append_op *op);
/*
 * Of .ctl/append/<E>: the receipts of lines that were stored and not asked for
 * yet, a line each, up to size bytes of them onto buf; nothing when there are
 * none. The oldest are given up when nobody asks for a million. 0 or
 * BAT_WORLD_*. Threads: any.
 */
int batfs_append_receipts(struct batfs_append *append, size_t size,
    struct bat_buf *buf, struct bat_error *error);
/* For the end of a mount, when no RELEASE will come: free it. Returns how many
 * bytes of an unfinished line are lost. */
size_t batfs_append_abandon(struct batfs_append *append);

#endif
