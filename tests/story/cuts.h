/*
 * Ways to lose power: which pending operations reached the disk, and how.
 */
#ifndef STORY_CUTS_H
#define STORY_CUTS_H

#include "memory_disk.h"

enum { STORY_CUT_MAX = 64 };

struct story_cut {
	struct memory_disk_fate fates[STORY_CUT_MAX];
	size_t count;
	bool possible; /* in the disk's model */
	/* What it is. A prefix: a front part of the operations, all whole. */
	bool prefix, torn, zeroed, sectors;
	/* Later bytes of a file are there and earlier ones are not. */
	bool reordered;
};

/*
 * The k-th way to cut the power now. The first ones are all there are (with a
 * choice of places to tear a write at), if these are few, else the telling
 * ones; behind them stand random ones that seed decides. false: no more.
 */
bool story_cut_make(const struct memory_disk *disk, uint64_t k, uint64_t seed,
    struct story_cut *out);
/* How many the first ones are. */
uint64_t story_cut_first(const struct memory_disk *disk);
/* A line for each operation, and its fate. */
void story_cut_print(const struct memory_disk *disk,
    const struct story_cut *cut, struct bat_buf *out);

/* The next of a row of numbers. */
uint64_t story_random(uint64_t *state);

#endif
