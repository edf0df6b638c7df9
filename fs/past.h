/*
 * Numbers that the kernel knows nodes of the past by. A nodeid of now says by
 * itself which node it is (inode.h); a node below at/ has a moment besides,
 * for which there is no room. So those that the kernel holds stand in a table,
 * counted as it counts them: one more with each entry that it is given, less
 * with each FORGET. What it does not hold costs nothing.
 *
 * A number is of class 255, which no node of now has. The same number comes
 * back for another node after 2^24 others that had its place, at the soonest.
 *
 * Threads: any; a lock inside, a leaf.
 */
#ifndef BATFS_PAST_H
#define BATFS_PAST_H

#include "tree.h"

struct batfs_past; /* opaque */

/* Returns 0 or BAT_WORLD_NO_MEMORY. */
int batfs_past_new(struct batfs_past **out);
/* NULL: nothing is done. */
void batfs_past_free(struct batfs_past *past);
/* The number of a node, which the kernel is told once more. 0: no memory. */
uint64_t batfs_past_hold(struct batfs_past *past,
    const struct batfs_node *node);
/* false: it is not one of ours, or the kernel forgot it. */
bool batfs_past_find(struct batfs_past *past, uint64_t nodeid,
    struct batfs_node *out);
/* The kernel forgot it so many times; numbers that are not ours are ignored. */
void batfs_past_let_go(struct batfs_past *past, uint64_t nodeid,
    uint64_t count);
/* How many nodes it holds. */
size_t batfs_past_count(struct batfs_past *past);

#endif
