/*
 * What a transparency log has said, and what it must say from then on.
 *
 * A tree is a size and a root. It is signed when a note of it was written
 * anywhere, and promised when somebody may have kept it: it was shown, or it
 * was found on a disk after a power cut. The rules: no size is ever signed with
 * two roots; the log on disk has at least the largest promised tree, and every
 * tree that was signed and is no larger is its beginning, by its entries and by
 * a consistency proof out of its tiles.
 *
 * A log of no history is zeroed. Threads: one.
 */
#ifndef STORY_LOG_ORACLE_H
#define STORY_LOG_ORACLE_H

#include "bat.h"

struct story_log {
	struct story_tree *trees;
	size_t count, capacity;
	/* The note of the largest promised tree. */
	char *note;
	size_t note_length;
};

void story_log_free(struct story_log *log);
void story_log_copy(const struct story_log *from, struct story_log *to);
/* The size of the largest promised tree. */
uint64_t story_log_promised(const struct story_log *log);

/* Bytes that were written, or shown. If they are a note of a tree it is signed
 * from now on, or promised. False: *why says with what it does not agree. */
bool story_log_hear(struct story_log *log, struct bat_slice bytes,
    bool promised, char why[256]);

/* The log in a directory, by its files alone; promise: what it ends with is
 * promised from now on. False: *why says what does not hold. */
bool story_log_holds(struct story_log *log, const struct bat_disk *disk,
    bool promise, char why[256]);
/* An open store against the largest promised tree. */
bool story_log_is_attested(const struct story_log *log, struct bat_store *store,
    char why[256]);

#endif
