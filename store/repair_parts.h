/*
 * What the parts of repair share: repair.c (the order of things), repair_plan.c
 * (what becomes of each segment), repair_doubles.c (events that are there
 * twice), repair_say.c (saying it), repair_numbers.c (sequence numbers),
 * repair_rewrite.c (a segment written anew), repair_salvage.c (all of them into
 * another directory). Not for others.
 */
#ifndef BAT_REPAIR_PARTS_H
#define BAT_REPAIR_PARTS_H

#include "aside.h"
#include "recovery.h"
#include "repair.h"
#include "survey.h"

/* What an index file tells of an event. */
struct repair_told {
	struct bat_id id;
	uint32_t clock;
	bool met; /* by an event of this directory */
	uint64_t seq, segment;
};

struct repair_numbers {
	struct repair_told *told; /* by id, clock, seq */
	size_t count, capacity;
	uint64_t met; /* events of this directory that it told of */
	uint64_t allocator, watermark_segment, watermark_offset;
};

enum repair_fate {
	REPAIR_STAY,
	REPAIR_REWRITE,
	REPAIR_REMOVE,
	REPAIR_RENAME, /* to the number that its header says */
};

struct repair_segment {
	struct bat_survey survey;
	enum repair_fate fate;
	const char *why_removed;
	bool unreadable; /* salvage: the disk fails; nothing is known of it */
	bool new_header;
	bool renumbered;   /* its events' numbers have to be written down */
	uint64_t keep_end; /* what stands behind goes: an unfinished batch */
};

struct repair {
	struct bat_segment_dir dir;
	const struct bat_repair_sink *sink;
	struct bat_repair_counts *counts;
	struct bat_error *error;
	bool carry_out;
	struct repair_segment *segments; /* in the order of what they will be */
	size_t count;
	/* Salvage: what is written goes there; else -1, and what goes is kept
	 * aside. */
	int destination;
	struct repair_numbers numbers;
	bool drop_rowindex, drop_checkpoint;
};

int bat_repair_say(struct repair *repair, enum bat_repair_kind kind,
    uint64_t segment, uint64_t offset, uint64_t length, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* A left-over compaction: said, and done with carry_out. */
int bat_repair_compaction(struct repair *repair);
/* Survey the segments, decide, number their events; nothing is said. */
int bat_repair_plan(struct repair *repair);
int bat_repair_say_plan(struct repair *repair);
void bat_repair_forget(struct repair *repair);
/* Does a piece stand in the segment that is written anew? */
bool bat_repair_keeps(const struct repair_segment *segment,
    const struct bat_survey_piece *piece);

/* Of another version of the store: not for us to change. */
bool bat_repair_is_foreign(const struct bat_survey *survey);
/* The number that a segment will have. */
uint64_t bat_repair_target(const struct repair_segment *segment);
/* Why a piece goes, static; NULL: it does not, or needs no words. */
const char *bat_repair_reason(const struct repair_segment *segment,
    const struct bat_survey_piece *piece);

/* Is every event of copy one of original too? 0 or BAT_WORLD_NO_MEMORY. */
int bat_repair_is_copy(const struct bat_survey *copy,
    const struct bat_survey *original, bool *out_is_copy);
/* Segments whose events are all in another one go. */
int bat_repair_find_doubles(struct repair *repair);

/* What index files tell: those of the directory, else those put aside. */
int bat_repair_load_numbers(struct repair *repair);
void bat_repair_free_numbers(struct repair_numbers *numbers);
/* Give each event its number (piece->seq). */
void bat_repair_number(struct repair *repair);

/* Keep what goes, and put the rest in its place. */
int bat_repair_rewrite(struct repair *repair, struct repair_segment *segment);

#endif
