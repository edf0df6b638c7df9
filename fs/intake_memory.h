/*
 * Memory of one feed: pieces that do not move and are given back all at once.
 * Threads: the owner's.
 */
#ifndef BATFS_INTAKE_MEMORY_H
#define BATFS_INTAKE_MEMORY_H

#include "bat.h"

struct batfs_intake_block;

struct batfs_intake_memory {
	struct batfs_intake_block *blocks; /* the newest first */
};

#define BATFS_INTAKE_MEMORY_EMPTY ((struct batfs_intake_memory){ NULL })

/* Aligned for any type; NULL when memory ends. size may be 0. */
void *batfs_intake_memory_take(struct batfs_intake_memory *memory, size_t size);
/* A copy; false when memory ends. */
bool batfs_intake_memory_copy(struct batfs_intake_memory *memory,
    struct bat_slice bytes, struct bat_slice *out);
/* Forget everything, keep one block for the next feed. */
void batfs_intake_memory_reset(struct batfs_intake_memory *memory);
void batfs_intake_memory_free(struct batfs_intake_memory *memory);

#endif
