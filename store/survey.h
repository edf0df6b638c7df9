/*
 * What the bytes of one segment file are, all of them, in whatever state it
 * is: the ground of inspect, salvage and repair.
 *
 * Believes nothing: every frame is read and decoded, the footer is held
 * against the frames. A frame is sound if it is whole, decodes, and is an event
 * with legal names or a marker with a possible count. The pieces follow each
 * other from the file's first byte to its last.
 *
 * Which events count is said by a footer that holds, else by the batch rule of
 * FORMAT.md 4.2 (a batch ends with its segment). A batch with a hole in it may
 * have been whole: its events count, and its markers are loose.
 *
 * Memory: 72 bytes a frame, one segment's footer. Nothing is written. Threads:
 * any, no state.
 */
#ifndef BAT_SURVEY_H
#define BAT_SURVEY_H

#include "segment_reader.h"

enum bat_survey_kind {
	BAT_SURVEY_HEADER,
	BAT_SURVEY_EVENT,
	BAT_SURVEY_DROPPED, /* an event of a batch that was not finished */
	BAT_SURVEY_BEGIN,
	BAT_SURVEY_COMMIT,
	BAT_SURVEY_HOLE, /* nothing sound, and not what a torn write leaves */
	BAT_SURVEY_TAIL, /* nothing sound up to the end of an unsealed file */
	/* 0xFF from a whole frame's end to that of an unsealed file: what a
	 * writer laid ahead (runway.h). */
	BAT_SURVEY_AHEAD,
	BAT_SURVEY_FOOTER, /* see struct bat_survey */
};

#define BAT_SURVEY_UNTOLD UINT64_MAX

struct bat_survey_piece {
	uint64_t offset, length;
	struct bat_id id; /* of an event, with its clock */
	uint32_t clock;
	uint64_t seq;	    /* of an event: as the footer tells it, or UNTOLD */
	const char *reason; /* HOLE, TAIL, AHEAD: in a word or two; static */
	uint32_t items;	    /* BEGIN: as it says */
	uint8_t kind;	    /* enum bat_survey_kind */
	/* A marker of a batch that has a hole; or a DROPPED item of one, which
	 * would count without its markers. */
	bool loose;
};

enum bat_survey_footer {
	BAT_SURVEY_NO_FOOTER,
	/* Each row is an event's, or lies in a hole; no event is without. */
	BAT_SURVEY_FOOTER_HOLDS,
	BAT_SURVEY_FOOTER_WRONG,
	BAT_SURVEY_FOOTER_FOREIGN, /* of another generation, not readable */
};

struct bat_survey {
	uint64_t segment, size;
	/* Code 0: the header holds. Else BAT_DATA_TORN, _CORRUPT, _FUTURE. */
	struct bat_error header_error;
	struct bat_segment_header header;
	enum bat_survey_footer footer;
	struct bat_error footer_error;	 /* why it is wrong, or is none */
	uint64_t footer_rows, lost_rows; /* lost: in holes */
	struct bat_survey_piece *pieces;
	size_t count, capacity;
	uint64_t events, dropped, batches, holes, hole_bytes;
	/* The first place that the disk does not give, in a directory that
	 * reads around those; and is there one? */
	uint64_t lost_offset;
	bool lost;
	/* BEGIN of a batch that the end of the file leaves open; 0: none. */
	uint64_t unfinished;
};

/* Returns 0, whatever is found; BAT_WORLD_*. Free in the first case. */
int bat_survey_segment(struct bat_segment_dir *dir, uint64_t segment,
    struct bat_survey *out, struct bat_error *error);
void bat_survey_free(struct bat_survey *survey);

#endif
