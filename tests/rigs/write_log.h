/*
 * What happened to a disk, in order: writes, flushes, and notes of whoever
 * used it. From it, the states that a power cut could have left.
 *
 * A cut at position p: entries before p happened. Writes before the last flush
 * among them are on the disk. Of the writes behind it, the pending ones, any
 * part may be: the drive keeps or loses each sector of 512 bytes whole, and
 * does not take two writes of one sector out of turn.
 */
#ifndef RIGS_WRITE_LOG_H
#define RIGS_WRITE_LOG_H

#include <stdbool.h>
#include <stdio.h>

#include "image.h"

enum rig_entry_kind { RIG_WRITE = 'w', RIG_FLUSH = 'f', RIG_NOTE = 'n' };

struct rig_entry {
	enum rig_entry_kind kind;
	uint32_t length; /* of bytes */
	uint64_t offset; /* on the disk; RIG_WRITE only */
	uint8_t *bytes;	 /* what was written, or the note's text */
};

struct rig_log {
	struct rig_entry *entries;
	size_t count, capacity;
};

#define RIG_LOG_EMPTY ((struct rig_log){ .entries = NULL })

void rig_log_free(struct rig_log *log);
void rig_log_add(struct rig_log *log, enum rig_entry_kind kind, uint64_t offset,
    const void *bytes, size_t length);

/* How pending writes reach the disk. */
enum rig_cut_kind {
	RIG_CUT_NONE,	 /* not at all */
	RIG_CUT_ALL,	 /* all of them */
	RIG_CUT_PREFIX,	 /* the first ones */
	RIG_CUT_SUBSET,	 /* each 4 KiB by a coin */
	RIG_CUT_TORN,	 /* whole ones, one of them only in part */
	RIG_CUT_SECTORS, /* each sector by a coin */
};

struct rig_cut {
	size_t position;
	enum rig_cut_kind kind;
	uint64_t seed; /* decides coins and places, always the same way */
};

struct rig_cut_told {
	size_t durable;	   /* the position behind the last flush */
	size_t pending;	   /* writes behind it */
	size_t kept, lost; /* sectors */
	uint64_t hash;	   /* two cuts that left the same have the same */
};

bool rig_cut_kind_from_text(const char *text, enum rig_cut_kind *out);
/* The position behind the last flush before position; 0 without one. */
size_t rig_log_durable(const struct rig_log *log, size_t position);
/* Do the writes of [from, to) to image. */
void rig_log_apply(const struct rig_log *log, size_t from, size_t to,
    struct rig_image *image);
/* image is as the disk was at rig_log_durable(cut->position); becomes what
 * the cut leaves. */
void rig_log_cut(const struct rig_log *log, const struct rig_cut *cut,
    struct rig_image *image, struct rig_cut_told *told);

/* To and from a file of this machine. 0 or a negative errno. */
int rig_log_save(const struct rig_log *log, const char *path);
int rig_log_load(const char *path, struct rig_log *out);

#endif
