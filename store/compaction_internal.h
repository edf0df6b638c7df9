/*
 * What the parts of compaction share: compaction.c (which segments, and the
 * steps in the directory), compaction_walk.c (frames beside their rows),
 * compaction_check.c (what is copied), compaction_build.c (the copy),
 * compaction_prove.c (the copy, read back). Not for others.
 */
#ifndef BAT_COMPACTION_INTERNAL_H
#define BAT_COMPACTION_INTERNAL_H

#include "compaction.h"
#include "segment_reader.h"

/* A frame of a source; a marker, or an event with its row, or without: one that
 * the batch rule drops. */
struct compaction_frame {
	uint64_t segment, offset;
	struct bat_slice bytes; /* all of it */
	const struct bat_event *event;
	const struct bat_index_hot *row; /* NULL: none */
	bool is_marker;
};

struct compaction_visitor {
	void *context;
	int (*frame)(void *context, const struct compaction_frame *frame,
	    struct bat_error *error);
	/* A source ends. */
	int (*end)(void *context, struct bat_error *error);
};

/* Every frame of every source, in order. 0; BAT_DATA_CORRUPT: one is damaged;
 * BAT_DATA_DISAGREES: the rows are not those of the frames; BAT_WORLD_*; or
 * what the visitor answers. */
int bat_compaction_walk(struct bat_compaction *job,
    const struct compaction_visitor *visitor, struct bat_error *error);
/* The same of one segment, read in another directory list, whose rows are
 * those of all sources, each where the moves say. */
int bat_compaction_walk_merged(struct bat_compaction *job,
    struct bat_segment_dir *own, const struct compaction_visitor *visitor,
    struct bat_error *error);

/* A marker that is not copied; kept: its bytes are kept aside. */
struct compaction_marker {
	uint64_t segment, offset;
	bool kept;
};

/* What will be in the merged segment. */
struct compaction_plan {
	uint64_t frames_length, events;
	int64_t created_ns;
	struct bat_intern names;	    /* in first-use order */
	struct compaction_marker *left_out; /* ascending */
	size_t left_count, left_capacity;
};

/* Reads and checks all sources. The plan is freed in any case by the caller. */
int bat_compaction_check(struct bat_compaction *job,
    struct compaction_plan *plan, struct bat_error *error);
void bat_compaction_plan_free(struct compaction_plan *plan);
/* Does .tmp.compaction hold every event where the moves say? */
int bat_compaction_prove(struct bat_compaction *job, struct bat_error *error);

#endif
