/* What the parts of survey share. Not for others. */
#ifndef BAT_SURVEY_PARTS_H
#define BAT_SURVEY_PARTS_H

#include "survey.h"

/* A footer's rows, by offset; which of them met their frame. */
struct survey_rows {
	struct bat_buf table, bytes;
	struct bat_slice *strings;
	struct bat_row *rows;
	bool *met;
	uint32_t count, at;
	bool wrong; /* some row is not its frame */
};

struct survey_walk {
	struct bat_segment_reader reader;
	struct survey_rows rows;
	struct bat_survey *out;
	struct bat_error *error;
};

/* 0: wanted or not, they are there; BAT_DATA_CORRUPT (walk->error is
 * untouched, out->footer_error says why); BAT_WORLD_*. */
int bat_survey_load_rows(struct survey_walk *walk);
void bat_survey_free_rows(struct survey_rows *rows);
/* Hold an event against its row. The number that the row tells; UNTOLD. */
uint64_t bat_survey_meet_row(struct survey_walk *walk,
    const struct bat_segment_item *item);
/* All frames are there: which events count, and does the footer hold? */
void bat_survey_judge(struct survey_walk *walk);

#endif
