/*
 * Reading files that nobody opened. Under a mount of a moment (-o at=) the
 * kernel is told, by the first open, that opens are no concern of ours: from
 * then on it sends neither OPEN nor RELEASE and keeps the pages of every file,
 * so that open, read and close of what it has ask nothing at all. What it does
 * not have it asks for by the node alone.
 *
 * Nothing there needs an open: no file of the past changes, waits or is
 * written. Only a content that is computed as a whole would be computed anew
 * for each piece of it that is asked for. So those that were read lately stay,
 * as open handles, until somebody has read to the end (then the kernel has
 * it), others push them out, or a new generation makes other bytes of them.
 *
 * Threads: any; a lock inside. What stays hangs among the open handles and is
 * closed with them at the end.
 */
#ifndef BATFS_UNOPENED_H
#define BATFS_UNOPENED_H

#include "handle.h"

/* So many contents at once; each may be as large as a table of by/. */
#define BATFS_UNOPENED_COUNT 4

struct batfs_unopened {
	pthread_mutex_t lock;
	uint64_t generation; /* of all that stays */
	/* The one asked for last is the first. */
	struct batfs_handle *kept[BATFS_UNOPENED_COUNT];
	size_t count;
};

#define BATFS_UNOPENED_EMPTY                                                   \
	((struct batfs_unopened){ .lock = PTHREAD_MUTEX_INITIALIZER })

/*
 * Up to size bytes of a file from offset. *out points into scratch, which is
 * cleared first, or into *out_held, which the caller lets go of when it is done
 * with them (NULL: nothing is held). Returns 0, or what batfs_handle_open and
 * batfs_handle_read do; then nothing is held.
 */
int batfs_unopened_read(struct batfs_unopened *unopened,
    struct batfs_handles *handles, struct batfs_append_world *world,
    const struct batfs_node *node, uint64_t offset, size_t size,
    struct bat_buf *scratch, struct bat_slice *out,
    struct batfs_handle **out_held, struct bat_error *error);

#endif
