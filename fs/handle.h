/*
 * One open file. What it is depends on its node and on how it was opened:
 *
 * - a stream (lines that grow): each read asks the tree at its offset;
 * - a content (one event, status, README): read whole at the first read and
 *   kept, so that the pieces that one reader gets are of one moment;
 * - an append, which may be a stream besides (O_RDWR), or have receipts to
 *   read;
 * - a command of .ctl;
 * - one that waits: lines as they come, or a verification's report.
 *
 * All open handles hang in one list, so that a mount that ends early can put
 * its appends away. Threads: any; locks inside.
 */
#ifndef BATFS_HANDLE_H
#define BATFS_HANDLE_H

#include <stdatomic.h>

#include <pthread.h>

#include "append.h"
#include "follow.h"
#include "proof.h"
#include "tree.h"

enum batfs_handle_use {
	BATFS_HANDLE_READ,
	BATFS_HANDLE_APPEND,
	BATFS_HANDLE_COMMAND,
};

struct batfs_handle {
	struct batfs_node node;
	enum batfs_handle_use use;
	struct batfs_shares *shares; /* may be NULL */
	uint32_t uid;		     /* who opened it */
	bool plain;		     /* an append that needs no O_APPEND */
	struct batfs_append *append; /* BATFS_HANDLE_APPEND */
	struct batfs_follow *follow; /* of .ctl/follow */
	struct bat_pin *pin;	     /* of a file of backup/ */
	atomic_bool released;	     /* nobody reads it any more */
	atomic_uint holders;
	/* Of a content, under the lock: */
	pthread_mutex_t lock;
	bool loaded;
	struct bat_buf content;
	struct batfs_proof_job *job; /* of .ctl/verify, once it was read */
	/* The list's: */
	struct batfs_handle *next, *previous;
};

struct batfs_handles {
	pthread_mutex_t lock;
	struct batfs_handle *first;
	/* Of those that wait: the data directory, and what is called, on any
	 * thread, when one has got something. */
	const char *data_path;
	void (*progress)(void *context);
	void *context;
};

#define BATFS_HANDLES_EMPTY                                                    \
	((struct batfs_handles){ .lock = PTHREAD_MUTEX_INITIALIZER })

/* Is the file's content read whole (true) or at offsets? */
bool batfs_handle_is_content(const struct batfs_node *node);

/* uid: who opens it; a file of his share (batfs_shares_open), which
 * batfs_handle_close gives back. Returns 0; BAT_USE_INVALID: not appendable;
 * BAT_WORLD_NO_MEMORY. */
int batfs_handle_open(struct batfs_handles *handles,
    struct batfs_append_world *world, const struct batfs_node *node,
    enum batfs_handle_use use, uint32_t uid, struct batfs_handle **out);
/*
 * A reader has its bytes before the reply that carries them returns, and may
 * close the file meanwhile: who replies from a handle holds it.
 */
void batfs_handle_hold(struct batfs_handle *handle);
void batfs_handle_let_go(struct batfs_handle *handle);
/* It is freed when nobody holds it. The append in it, if any, is not: its
 * RELEASE does that. */
void batfs_handle_close(struct batfs_handles *handles,
    struct batfs_handle *handle);
/*
 * Up to size bytes from offset. *out points into the handle or into scratch,
 * which is cleared first. Returns 0 or what batfs_tree_read does.
 */
int batfs_handle_read(struct batfs_handle *handle, struct batfs_tree *tree,
    uint64_t offset, size_t size, struct bat_buf *scratch,
    struct bat_slice *out, struct bat_error *error);
/* Is it one that waits? */
bool batfs_handle_waits(const struct batfs_handle *handle);
/*
 * As batfs_handle_read, of one that waits; offset counts for a report only.
 * BAT_END: there is nothing yet. BAT_DATA_CORRUPT: the report has ended, and
 * something is broken.
 */
int batfs_handle_take(struct batfs_handles *handles,
    struct batfs_handle *handle, struct batfs_append_world *world,
    uint64_t offset, size_t size, struct bat_buf *scratch,
    struct bat_slice *out, struct bat_error *error);
/* Would take answer at once? */
bool batfs_handle_is_ready(struct batfs_handle *handle);
/* The size that a content has for as long as this handle is open. */
int batfs_handle_content_size(struct batfs_handle *handle,
    struct batfs_tree *tree, uint64_t *out_size, struct bat_error *error);
/* Close all that are left; returns how many bytes of unfinished lines were in
 * their appends. When nothing is under way any more. */
size_t batfs_handle_close_all(struct batfs_handles *handles);

#endif
