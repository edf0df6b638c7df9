/*
 * The two halves of rig_store: a life that appends, and a look at what a crash
 * left of it. Both tell in a file of notes, a write each, what is so from then
 * on:
 *
 *	offer N		events below N may be stored
 *	ack N		events below N are acknowledged
 *	shown N		a store that was opened for writing shows N events
 *	failed ...	a call failed; why
 */
#ifndef RIGS_RIG_STORE_H
#define RIGS_RIG_STORE_H

#include "plan.h"

enum {
	RIG_RIGHT = 0,
	RIG_WRONG = 1,
	RIG_USAGE = 2,
	RIG_DISK_FAILED = 3,
	RIG_REFUSED = 4,
};

struct rig_notes {
	int fd; /* -1: nobody listens */
};

void rig_note(const struct rig_notes *notes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Says "wrong: ..." on standard output; returns RIG_WRONG. */
int rig_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct rig_life_plan {
	const char *path; /* of the store */
	uint64_t seed;
	unsigned steps;
	/* Acknowledge before the sync: to see that the rig finds it. */
	bool lie;
	/* Rest for two seconds in the middle and before the end, and close
	 * then: an index of ours is only written of files that did so. */
	bool slow;
};

/*
 * A life: appends, groups, syncs, index files, reopening, in an order that the
 * seed tells. RIG_DISK_FAILED when the disk gave out, and the store held to
 * its word after that.
 */
int rig_life(const struct rig_life_plan *plan, const struct rig_notes *notes);

struct rig_check {
	const char *path;
	uint64_t seed;
	uint64_t low, high; /* as many were acknowledged, and offered */
	/* A disk that failed a write and went on may have holes that a power
	 * cut does not leave: then it may be refused for writing, if a reader
	 * finds the low ones. */
	bool salvage;
};

/*
 * Open for writing: there are events 0 to n-1, low <= n <= high, unchanged, in
 * order, the last batch whole, and no others. Append one, close; the same and
 * that one are there when it is opened again and when it is read only, and
 * verify finds nothing broken. RIG_REFUSED: see salvage.
 */
int rig_check(const struct rig_check *check, const struct rig_notes *notes);

#endif
