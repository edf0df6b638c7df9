/*
 * What the parts of recovery share. Not for others.
 *
 * Rows are loaded into the index in log order (segment, offset). A row that no
 * source numbered has seq RECOVERY_UNTOLD until bat_recovery_push.
 */
#ifndef BAT_RECOVERY_INTERNAL_H
#define BAT_RECOVERY_INTERNAL_H

#include "loader.h"
#include "recovery.h"

#define RECOVERY_UNTOLD UINT64_MAX
/* What tells of a greater number lies: no store gets there, and what is added
 * behind it must not wrap around. */
#define RECOVERY_SEQ_MAX INT64_MAX
/* Entities take turns, and each frame asks for two names: from the hash table
 * alone that took 510 instructions, with those of late beside it 370. */
#define RECOVERY_RECENT_BITS 13
#define RECOVERY_RECENT (1u << RECOVERY_RECENT_BITS)
#define RECOVERY_BATCH_MAX 1000000u /* FORMAT.md 12 */

struct recovery_scan {
	struct bat_segment_dir *dir;
	const struct bat_recovery_options *options;
	struct bat_index *index;
	struct bat_recovery *out;
	struct bat_error *error;
	struct bat_error *why;	  /* while an index file is tried: why not */
	uint64_t floor_seq;	  /* untold rows are numbered from here on */
	uint64_t replaced;	  /* told numbers that did not rise */
	uint64_t covered_segment; /* by the sidecar: up to here */
	bool all_footers;	  /* no segment was read frame by frame */
	uint64_t least_seq;	  /* of the first row */
	struct bat_recovery_tail *tail; /* reading on; else NULL */
	/* Of the index's names those from this number on are of sound frames
	 * and footers: legal. (Those of an index file need not be.) */
	bool knows_legal;
	uint32_t legal_from;
	/* Names of late, by a cheap hash: their numbers + 1. */
	uint32_t recent[RECOVERY_RECENT];
};

#define RECOVERY_WRONG_MAX 16u

/* Payloads on their way to be hashed, and those whose hash was another: how
 * many, and where the first ones are. */
struct recovery_proof {
	struct bat_hash_lanes lanes;
	struct bat_hash wanted[BAT_HASH_LANES];
	uint64_t offsets[BAT_HASH_LANES];
	uint64_t wrong[RECOVERY_WRONG_MAX];
	uint64_t wrong_count;
};

/* An event's names, as numbers of the index: legal ones. */
struct recovery_names {
	uint32_t entity, scope;
};
#define RECOVERY_NO_NAMES                                                      \
	{                                                                      \
		BAT_INTERN_NONE, BAT_INTERN_NONE                               \
	}

/* The batch rule of FORMAT.md 4.2, but that a batch ends with its segment. */
struct recovery_batch {
	bool open;
	uint64_t remaining;
	uint64_t begin_offset;
	uint32_t first_row; /* scanning: rows from here on are staged */
	bool damaged;	    /* scanning: how many are missing is not known */
	bool staged_gap;    /* tiling: an event without a row is staged */
	bool staged_row;    /* tiling: and one with a row */
};

/* One line of the open report; a failure to grow is remembered nowhere: the
 * report is for people. */
void bat_recovery_say(struct bat_recovery *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Name damage: say it, count it, and refuse a writable mount with it. */
void bat_recovery_damage(struct recovery_scan *scan, uint64_t segment,
    uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Number a row and load it behind the others. Numbers rise strictly in log
 * order (DESIGN.md, "Sequence numbers"). */
int bat_recovery_push(struct recovery_scan *scan, const struct bat_row *row);
int bat_recovery_plan_cut(struct recovery_scan *scan, uint64_t segment,
    uint64_t offset, uint64_t size, const char *reason);

/* Frames from reader->at on, into rows. */
int bat_recovery_frames(struct recovery_scan *scan,
    struct bat_segment_reader *reader);
/* Read segment `info` from offset on: by its footer if that holds, else frame
 * by frame. Rows are pushed; tails become cuts; damage is named. */
int bat_recovery_segment(struct recovery_scan *scan,
    const struct bat_segment_info *info, uint64_t from);
/* One that a believed index has to its end: where that is, and is it sealed?
 * (A follower would read a footer that it does not know.) */
int bat_recovery_covered(struct recovery_scan *scan,
    const struct bat_segment_info *info);
/*
 * A frame that is whole, decodes, and is legal: an event with legal names, or
 * a marker with a possible count. *names has those of an event before, and then
 * those of this one; NONE for new ones.
 */
bool bat_recovery_is_sound(struct recovery_scan *scan,
    const struct bat_segment_item *item, struct recovery_names *names);
/* A sound frame: its row is pushed, or the batch rule is followed. */
int bat_recovery_take(struct recovery_scan *scan, struct recovery_batch *batch,
    struct recovery_proof *proof, const struct bat_segment_item *item,
    const struct recovery_names *names, uint64_t segment);
/*
 * Frames from reader->at on, by two threads, as far as all are sound: the
 * plain way goes on where reader->at is then, with *batch. 0, also if there was
 * nothing for two to do; negative.
 */
int bat_recovery_halves(struct recovery_scan *scan,
    struct bat_segment_reader *reader, struct recovery_batch *batch,
    struct recovery_proof *proof);
/* Where the next payload may be expanded to, before it is handed over. */
struct bat_buf bat_recovery_prove_room(struct recovery_proof *proof);
/* Hash the payload of a sound event, sooner or later; 0 or
 * BAT_WORLD_NO_MEMORY. */
int bat_recovery_prove(struct recovery_proof *proof,
    const struct bat_event *event, uint64_t offset);
/* No more come: hash what waits. */
void bat_recovery_prove_end(struct recovery_proof *proof);
/* What was found behind it, by another thread. */
void bat_recovery_prove_join(struct recovery_proof *proof,
    const struct recovery_proof *next);
void bat_recovery_prove_say(const struct recovery_proof *proof,
    uint64_t segment, struct bat_recovery *out);
/* By its footer, if that holds. BAT_END: it does not, read the frames. */
int bat_recovery_footer(struct recovery_scan *scan,
    struct bat_segment_reader *reader, uint64_t from);
/*
 * Do the rows [first, first + count) (of one segment, ascending by offset)
 * tile its frames from the header to end? Gaps are read. 0 yes;
 * BAT_DATA_CORRUPT no (*why says so); negative others. A torn tail of an
 * unfooted segment is planned as a cut.
 */
int bat_recovery_tiles(struct recovery_scan *scan,
    struct bat_segment_reader *reader, uint32_t first, uint32_t count,
    uint64_t end, struct bat_error *why);
/* The first, the last and one random frame against their rows. 0;
 * BAT_DATA_DISAGREES; damage is named and passes. */
int bat_recovery_sample(struct recovery_scan *scan, uint32_t first,
    uint32_t count, struct bat_error *why);
/* Try one index file; *out_believed. Negative: the machine failed. */
int bat_recovery_index_file(struct recovery_scan *scan, bool rowindex,
    bool *out_believed);
/* Apply compaction.pending.json to the list of segments. */
int bat_recovery_marker(struct recovery_scan *scan);

#endif
