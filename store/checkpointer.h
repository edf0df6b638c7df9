/*
 * Writes the index file: rows from the index, extensions from the frames, one
 * atomic replacement, the other kind unlinked afterwards (DESIGN.md, "The
 * index file"; FORMAT.md 7.4, 13.1 W14). Called by the writer's side only,
 * never while the index is being changed. Threads: one.
 */
#ifndef BAT_CHECKPOINTER_H
#define BAT_CHECKPOINTER_H

#include "index.h"
#include "rowindex.h"
#include "segment_dir.h"

struct bat_checkpointer_input {
	struct bat_segment_dir *dir;
	struct bat_index *index;
	uint64_t allocator;
	uint64_t watermark_segment, watermark_offset; /* durable */
	struct bat_checkpoint_fallbacks fallbacks;
	bool as_rowindex; /* else index.ckpt */
};

/* Returns 0; BAT_DATA_CORRUPT (an extension could not be read: nothing was
 * written, an older file stays); BAT_WORLD_*. */
int bat_checkpointer_write(const struct bat_checkpointer_input *input,
    struct bat_error *error);

#endif
