/*
 * Somebody else on the same file system, who writes and syncs a file of his
 * own beside the store, and starts the writing of its newest segment: so that
 * the kernel puts pages and sizes on the disk in another order than ours.
 */
#ifndef RIGS_NEIGHBOUR_H
#define RIGS_NEIGHBOUR_H

#include <stdint.h>

struct rig_neighbour;

/* store: the store's path; his file is that and ".neighbour". */
struct rig_neighbour *rig_neighbour_begin(const char *store, uint64_t seed);
/* NULL: there is none. */
void rig_neighbour_end(struct rig_neighbour *neighbour);

#endif
