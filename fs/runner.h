/*
 * The thread that lays space ahead of the segment that grows (-o ahead=SIZE),
 * so that no commit has to wait for it. It has nothing else to do, and waits
 * for the disk.
 *
 * Threads: the main one.
 */
#ifndef BATFS_RUNNER_H
#define BATFS_RUNNER_H

#include "bat.h"

struct batfs_runner; /* opaque */

/* Returns 0 or BAT_WORLD_NO_MEMORY. */
int batfs_runner_start(struct bat_store *store, struct batfs_runner **out);
/* Before the store is closed. NULL: nothing is done. */
void batfs_runner_stop(struct batfs_runner *runner);

#endif
