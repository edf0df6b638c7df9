/*
 * Hidden ranges: half-open ranges of global sequence numbers whose events are
 * never shown (visibility_ranges.fbv, FORMAT.md 9.1).
 *
 * Invariants after decoding: sorted, merged, start < end. Threads: the owner
 * locks; a set that nobody changes may be read by all.
 */
#ifndef BAT_HIDDEN_H
#define BAT_HIDDEN_H

#include "bytes.h"
#include "error.h"
#include "file.h"

#define BAT_HIDDEN_FILE "visibility_ranges.fbv"

struct bat_hidden_range {
	uint64_t start, end;
};

struct bat_hidden {
	struct bat_hidden_range *ranges;
	size_t count;
};

/* Returns 0, BAT_DATA_CORRUPT, BAT_DATA_FUTURE, BAT_WORLD_NO_MEMORY. */
int bat_hidden_decode(struct bat_slice file, struct bat_hidden *out,
    struct bat_error *error);
/* The file of a directory; its bytes onto *bytes (empty), which the caller frees
 * in any case. As bat_hidden_decode, and BAT_WORLD_*. */
int bat_hidden_read(const struct bat_disk *disk, int dir,
    struct bat_hidden *out, struct bat_buf *bytes, struct bat_error *error);
int bat_hidden_encode(const struct bat_hidden *hidden, struct bat_buf *buf);
/* Forget what covers numbers from end on. */
void bat_hidden_clip(struct bat_hidden *hidden, uint64_t end);
bool bat_hidden_has(const struct bat_hidden *hidden, uint64_t seq);
void bat_hidden_free(struct bat_hidden *hidden);

#endif
