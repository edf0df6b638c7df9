/*
 * Reads that have nothing to answer yet: of .ctl/follow until something is
 * committed, of .ctl/verify until it is done. The request waits, not the
 * thread that brought it: it is kept here and answered by a thread of ours, or
 * taken back when its process is interrupted. poll(2) likewise.
 *
 * Threads: any; locks inside. batfs_waiting_check is cheap and takes no other
 * lock, so whoever commits may call it.
 */
#ifndef BATFS_WAITING_H
#define BATFS_WAITING_H

#include <fuse_lowlevel.h>

#include "mount.h"

struct batfs_waiting;

/* The members of the mount are not looked at before the first request. Returns
 * 0 or BAT_WORLD_NO_MEMORY. */
int batfs_waiting_start(struct batfs_mount *mount, struct batfs_waiting **out);
/* Something may have an answer now. */
void batfs_waiting_check(struct batfs_waiting *waiting);
/* All that wait are told that it is over (an end of file), when no request
 * comes any more. NULL is nothing. */
void batfs_waiting_stop(struct batfs_waiting *waiting);
/* When nobody calls check any more, either. */
void batfs_waiting_free(struct batfs_waiting *waiting);

/* Reply to a READ of a handle that waits, now or later. now: with EAGAIN when
 * it would have to wait. */
void batfs_waiting_read(struct batfs_waiting *waiting, fuse_req_t req,
    struct batfs_handle *handle, uint64_t offset, size_t size, bool now);
/* poll_handle may be NULL; it is ours from now on. Whether a read would answer
 * at once. */
bool batfs_waiting_poll(struct batfs_waiting *waiting,
    struct batfs_handle *handle, struct fuse_pollhandle *poll_handle);

#endif
