/*
 * What a transparency log has said, and what it must say from then on.
 *
 * A tree is a size and a root, under a key. It is signed when a note of it was
 * written anywhere, and promised when somebody may have kept it: it was shown, or
 * it was found on a disk after a power cut. The rules: no size is ever signed
 * with two roots under one key; each key of a promised tree has its log, in
 * .batfs/tlog or put aside in .batfs/tlog-<n>, and one only; that log has at least
 * the key's largest promised tree, and every tree that was signed and is no
 * larger is its beginning, by its entries and by a consistency proof out of its
 * tiles. Only while it is renewed may there be none in .batfs/tlog.
 *
 * A log of no history is zeroed. Threads: one.
 */
#ifndef STORY_LOG_ORACLE_H
#define STORY_LOG_ORACLE_H

#include "bat.h"

struct story_log {
	struct story_tree *trees;
	size_t count, capacity;
	/* The note of the largest promised tree of the newest log. */
	char *note;
	size_t note_length;
	struct bat_hash note_origin;
	/* Another log was asked for, and that has not succeeded. */
	bool renewing;
	/* It was made to end with an event that the store does not have. */
	bool unfit;
};

void story_log_free(struct story_log *log);
void story_log_copy(const struct story_log *from, struct story_log *to);
/* Of what is promised: two logs differ if this does. */
uint64_t story_log_hash(const struct story_log *log);

/* Bytes that were written, or shown. If they are a note of a tree it is signed
 * from now on, or promised. False: *why says with what it does not agree. */
bool story_log_hear(struct story_log *log, struct bat_slice bytes,
    bool promised, char why[256]);

/* The logs in a directory, by their files alone; promise: what the one that grows
 * ends with is promised from now on. False: *why says what does not hold. */
bool story_log_holds(struct story_log *log, const struct bat_disk *disk,
    bool promise, char why[256]);
/* An open store against the largest promised tree of its log. */
bool story_log_is_attested(const struct story_log *log, struct bat_store *store,
    char why[256]);

#endif
