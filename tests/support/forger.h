/*
 * Who tampers with a store and knows the format: reads all events of a
 * directory, changes, drops, moves or adds some, and writes the segments anew
 * so that every checksum, hash and link is right again. Index files, footers
 * and the cache go; the log in .batfs/tlog stays as it is.
 *
 * For stores without batches. Calling sequence: forger_read, changes,
 * forger_write, forger_free. Aborts on failure.
 */
#ifndef TEST_FORGER_H
#define TEST_FORGER_H

#include "event.h"

struct forger_event {
	uint64_t segment;
	struct bat_event event;
	struct bat_buf frame; /* what the slices of event point into */
	struct bat_buf payload;
};

struct forger {
	struct forger_event *events; /* in log order: by sequence */
	size_t count;
};

void forger_read(struct forger *forger, const char *path);
/* Another last byte of its payload. */
void forger_edit(struct forger *forger, size_t at);
void forger_drop(struct forger *forger, size_t at, size_t count);
/* Each stands in the other's place, and in its segment. */
void forger_swap(struct forger *forger, size_t a, size_t b);
/* A copy with another id, in front of it. */
void forger_insert(struct forger *forger, size_t at);
void forger_write(const struct forger *forger, const char *path);
void forger_free(struct forger *forger);

#endif
