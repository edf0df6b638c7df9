/*
 * The thread that leads the store's commits. Requests queue their batches and
 * go; this thread writes a group, syncs once, and answers each of them from
 * the batch's callback. So no FUSE worker ever waits for the disk, and writers
 * that come while a sync runs share the next one.
 */
#ifndef BATFS_COMMITTER_H
#define BATFS_COMMITTER_H

#include "bat.h"

struct batfs_committer;

/* Returns 0 or BAT_WORLD_NO_MEMORY. */
int batfs_committer_start(struct bat_store *store,
    struct batfs_committer **out);
/* When nothing is queued any more. NULL: nothing is done. */
void batfs_committer_stop(struct batfs_committer *committer);

#endif
