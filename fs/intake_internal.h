/*
 * What the parts of intake share: the state of one handle.
 */
#ifndef BATFS_INTAKE_INTERNAL_H
#define BATFS_INTAKE_INTERNAL_H

#include "intake_line.h"

/* Of the bytes that wait for their newline. */
#define BATFS_INTAKE_TAIL_MAX BAT_EVENT_PAYLOAD_MAX

/* Where a line came from, and how it begins. */
struct batfs_intake_origin {
	bool early;	 /* it began in an earlier WRITE */
	size_t start;	 /* in this WRITE, when it did not */
	uint64_t offset; /* in everything that was accepted */
	size_t length;
	struct bat_slice first;
	uint32_t content; /* to be taken back when it is not written */
};

/* A line that was refused when a part of its WRITE was accepted: the writer
 * sends it again at once. */
struct batfs_intake_retry {
	bool expected;
	bool flags; /* refused for its company; alone it is no better */
	/* It was denied, and that is on record: the answer stays the same. */
	bool denied;
	struct bat_error denial;
	uint64_t offset;
	size_t length, first_length;
	uint8_t first[80];
};

struct batfs_intake {
	struct batfs_intake_reader reader;
	struct bat_buf names; /* what the slices of the place point into */

	struct bat_buf tail; /* from earlier WRITEs; may end in a first line */
	struct bat_buf rest; /* of this WRITE, the tail to be */
	uint64_t tail_offset;
	bool poisoned;
	uint64_t accepted; /* bytes answered so far */

	/* The feed that is not settled: */
	struct bat_draft *drafts;
	struct batfs_intake_origin *origins;
	size_t count, capacity;
	size_t write_length, rest_start;
	bool newline;  /* it ended a line: the tail is used up */
	bool finished; /* it was a finish */
	bool kept;     /* a finish that left the tail as it is */
	bool refused, flags_refused;
	struct bat_error error; /* with its code */
	struct batfs_intake_origin bad;
	uint8_t bad_first[80];

	struct batfs_intake_retry retry;
};

/* Remember a line as the refused one; its error is in intake->error. */
void batfs_intake_refuse(struct batfs_intake *intake,
    const struct batfs_intake_origin *origin);
/* Was this line refused before, and its writer sends it again as told? */
bool batfs_intake_is_retry(const struct batfs_intake *intake,
    const struct batfs_intake_origin *origin);
/* Forget the drafts from number `from` on. */
void batfs_intake_take_back(struct batfs_intake *intake, size_t from);

#endif
