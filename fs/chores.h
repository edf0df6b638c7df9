/*
 * The thread for work that blocks and that nobody leads: fsync on demand, an
 * index file on command, and the timer.
 *
 * Threads: batfs_chores_add any; start and stop the main thread.
 */
#ifndef BATFS_CHORES_H
#define BATFS_CHORES_H

#include <stdint.h>

struct batfs_chores; /* opaque */

/* One piece of work; the caller's memory, untouched until run is called, and
 * run may free it. */
struct batfs_chore {
	void (*run)(void *context);
	void *context;
	struct batfs_chore *next; /* the queue's */
};

/* Every `seconds` (0: never) tick is called. Returns 0 or
 * BAT_WORLD_NO_MEMORY. */
int batfs_chores_start(uint64_t seconds, void (*tick)(void *context),
    void *context, struct batfs_chores **out);
void batfs_chores_add(struct batfs_chores *chores, struct batfs_chore *chore);
/* Does what is queued and ends. NULL: nothing is done. */
void batfs_chores_stop(struct batfs_chores *chores);

#endif
