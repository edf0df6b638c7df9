/*
 * The fast way from index.fbati into an index: the file is read once, in
 * blocks, by two threads, CRC just ahead of the decoder, and each row goes
 * straight to its place. Nothing of the file's size is allocated.
 *
 * Behind the plain one's interface: what bat_rowindex_decode says of a file and
 * what this says are the same, and a test holds them together. The figure that
 * justifies it: 1 M rows (218 MB) in about 50 ms on two cores instead of 600.
 *
 * The threads are this call's own and gone when it returns. Threads: the index
 * is the caller's alone.
 */
#ifndef BAT_LOADER_H
#define BAT_LOADER_H

#include "checkpoint.h"
#include "file.h"
#include "index.h"

struct bat_loader_result {
	struct bat_checkpoint_head head; /* strings are gone */
	/* What head.fallbacks points into; the caller frees it. */
	struct bat_buf histograms;
	/* Rows ascend by place and by sequence. */
	bool ordered;
};

/*
 * Load the rows of index.fbati in dir behind those of index (there are none).
 * Every segment that a row may name is known to the index; sequences are at
 * most max_seq. Rows of segments that are not known: BAT_DATA_CORRUPT.
 * Returns as bat_rowindex_decode, BAT_WORLD_ABSENT, BAT_WORLD_*; after a
 * failure the caller unloads.
 */
int bat_loader_rowindex(const struct bat_disk *disk, int dir, uint64_t max_seq,
    struct bat_index *index, struct bat_loader_result *out,
    struct bat_error *error);

#endif
