/*
 * Saying what a repair is going to do, before anything of it is done.
 */
#include "repair_parts.h"

#include "checkpoint.h"
#include "rowindex.h"

static int
say_cut(struct repair *repair, uint64_t segment, uint64_t from, uint64_t to,
    const char *reason)
{
	repair->counts->cut_bytes += to - from;
	return bat_repair_say(repair, BAT_REPAIR_CUT, segment, from, to - from,
	    "cut %llu bytes at offset %llu out of segment %llu (%s)",
	    (unsigned long long)(to - from), (unsigned long long)from,
	    (unsigned long long)segment, reason);
}

/* Pieces that go for one reason are one cut. */
static int
say_cuts(struct repair *repair, const struct repair_segment *segment)
{
	const struct bat_survey *survey = &segment->survey;
	const char *reason = NULL;
	uint64_t from = 0;
	int code = BAT_OK;

	for (size_t i = 0; code == BAT_OK && i < survey->count; i++) {
		const struct bat_survey_piece *piece = &survey->pieces[i];
		const char *why = bat_repair_reason(segment, piece);

		if (why == reason)
			continue;
		if (reason != NULL)
			code = say_cut(repair, survey->segment, from,
			    piece->offset, reason);
		reason = why;
		from = piece->offset;
	}
	return code == BAT_OK && reason != NULL ?
	    say_cut(repair, survey->segment, from, survey->size, reason) :
	    code;
}

/* Nothing of it is kept, so it is no cut. */
static int
say_ahead(struct repair *repair, const struct bat_survey *survey)
{
	const struct bat_survey_piece *last = survey->pieces;

	if (survey->count > 0)
		last += survey->count - 1;
	if (survey->count == 0 || last->kind != BAT_SURVEY_AHEAD)
		return BAT_OK;
	return bat_repair_say(repair, BAT_REPAIR_FOOTER, survey->segment,
	    last->offset, last->length,
	    "take %llu bytes of space behind the frames of segment %llu, at "
	    "offset %llu (all 0xFF; they are not kept)",
	    (unsigned long long)last->length,
	    (unsigned long long)survey->segment,
	    (unsigned long long)last->offset);
}

static int
say_rewrite(struct repair *repair, const struct repair_segment *segment)
{
	const struct bat_survey *survey = &segment->survey;
	int code = say_cuts(repair, segment);

	if (code == BAT_OK)
		code = say_ahead(repair, survey);
	if (code == BAT_OK && segment->new_header)
		code = bat_repair_say(repair, BAT_REPAIR_HEADER,
		    survey->segment, 0, 0, "write the header of segment %llu",
		    (unsigned long long)survey->segment);
	if (code == BAT_OK)
		code = bat_repair_say(repair, BAT_REPAIR_FOOTER,
		    survey->segment, 0, 0,
		    "write the footer of segment %llu, with the numbers of "
		    "its %llu events",
		    (unsigned long long)survey->segment,
		    (unsigned long long)survey->events);
	return code;
}

static int
say_segment(struct repair *repair, const struct repair_segment *segment)
{
	const struct bat_survey *survey = &segment->survey;
	unsigned long long id = survey->segment;

	if (bat_repair_is_foreign(survey))
		return bat_repair_say(repair, BAT_REPAIR_LEFT, id, 0, 0,
		    "segment %llu is of another version of the store; mount "
		    "with -o ro, or `batctl salvage`",
		    id);
	switch (segment->fate) {
	case REPAIR_STAY:
		return BAT_OK;
	case REPAIR_REWRITE:
		return say_rewrite(repair, segment);
	case REPAIR_REMOVE:
		repair->counts->cut_bytes += survey->size;
		return bat_repair_say(repair, BAT_REPAIR_REMOVE, id, 0,
		    survey->size, "take segment %llu away, %llu bytes (%s)", id,
		    (unsigned long long)survey->size, segment->why_removed);
	case REPAIR_RENAME:
		return bat_repair_say(repair, BAT_REPAIR_RENAME, id, 0, 0,
		    "segment %llu is segment %llu: give it its name back", id,
		    (unsigned long long)survey->header.id);
	}
	return BAT_OK;
}

static int
say_index(struct repair *repair, bool drop, const char *name)
{
	return drop ? bat_repair_say(repair, BAT_REPAIR_INDEX, 0, 0, 0,
			  "take %s away: it does not hold, or will not", name) :
		      BAT_OK;
}

int
bat_repair_say_plan(struct repair *repair)
{
	int code = say_index(repair, repair->drop_rowindex, BAT_ROWINDEX_FILE);

	if (code == BAT_OK)
		code = say_index(repair, repair->drop_checkpoint,
		    BAT_CHECKPOINT_FILE);
	for (size_t i = 0; code == BAT_OK && i < repair->count; i++) {
		const struct repair_segment *segment = &repair->segments[i];

		code = say_segment(repair, segment);
	}
	if (code == BAT_OK && repair->dir.irregular_count > 0)
		code = bat_repair_say(repair, BAT_REPAIR_LEFT, 0, 0, 0,
		    "%u segments are no regular files; move them away",
		    repair->dir.irregular_count);
	return code;
}
