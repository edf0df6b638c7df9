/*
 * Receipts that wait to be read: the sequences of lines that a handle stored,
 * as lines of what became of them. Made when they are read, from the frames, so
 * that nobody who only writes pays for more than a number.
 *
 * Threads: any; locks inside.
 */
#ifndef BATFS_ANSWERS_H
#define BATFS_ANSWERS_H

#include <pthread.h>

#include "bat.h"

struct batfs_answers {
	pthread_mutex_t lock;
	uint64_t *seqs; /* a ring */
	size_t first, count, capacity;
	struct bat_buf line; /* of which a part was read */
};

void batfs_answers_init(struct batfs_answers *answers);
void batfs_answers_free(struct batfs_answers *answers);
/* Nobody who reads: of more than a million the oldest go. */
void batfs_answers_keep(struct batfs_answers *answers,
    const struct bat_receipt *receipts, size_t count);
/* Up to size bytes onto buf; nothing when there are none. 0 or what bat_read
 * says (then the receipt stays). */
int batfs_answers_read(struct batfs_answers *answers, struct bat_store *store,
    size_t size, struct bat_buf *buf, struct bat_error *error);

#endif
