/*
 * Buffers of replies, kept for the next one: to get a megabyte from the system
 * and to touch it first takes as long as to fill it with lines (0.4 ms).
 *
 * Calling sequence: BATFS_SPARES_EMPTY; take and give in pairs; free when
 * nobody has one. Threads: any, a lock inside.
 */
#ifndef BATFS_SPARE_H
#define BATFS_SPARE_H

#include <pthread.h>

#include "bat.h"

/* More readers are rarely served at once; beyond, or above this size, a buffer
 * is freed. */
#define BATFS_SPARE_COUNT 2
#define BATFS_SPARE_BYTES (2u << 20)

struct batfs_spares {
	pthread_mutex_t lock;
	struct bat_buf kept[BATFS_SPARE_COUNT];
	size_t count;
};

#define BATFS_SPARES_EMPTY                                                     \
	((struct batfs_spares){ .lock = PTHREAD_MUTEX_INITIALIZER })

/* An empty buffer, with or without memory. */
struct bat_buf batfs_spare_take(struct batfs_spares *spares);
/* *buf is empty afterwards. */
void batfs_spare_give(struct batfs_spares *spares, struct bat_buf *buf);
void batfs_spare_free(struct batfs_spares *spares);

#endif
