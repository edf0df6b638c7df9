/*
 * What becomes of each segment. Deciding changes nothing but the plan.
 */
#include "repair_parts.h"

#include <stdlib.h>

#include "map.h"

/* ---- what is wrong with one ---------------------------------------------------- */

static bool
has_sound_frames(const struct bat_survey *survey)
{
	return survey->events > 0 || survey->dropped > 0;
}

static bool
is_of_another_generation(const struct bat_survey *survey)
{
	return survey->header_error.code == BAT_DATA_FUTURE ||
	    survey->footer == BAT_SURVEY_FOOTER_FOREIGN;
}

static bool
has_faults(const struct bat_survey *survey)
{
	for (size_t i = 0; i < survey->count; i++)
		if (survey->pieces[i].kind == BAT_SURVEY_HOLE ||
		    survey->pieces[i].kind == BAT_SURVEY_TAIL)
			return true;
	return survey->footer == BAT_SURVEY_FOOTER_WRONG ||
	    (survey->footer == BAT_SURVEY_NO_FOOTER && survey->unfinished > 0);
}

static void
decide(struct repair_segment *segment)
{
	const struct bat_survey *survey = &segment->survey;
	bool holds = survey->header_error.code == BAT_OK;

	segment->keep_end = survey->size;
	if (is_of_another_generation(survey))
		return;
	if (!holds && !has_sound_frames(survey)) {
		segment->fate = REPAIR_REMOVE;
		segment->why_removed = "nothing sound is in it";
		return;
	}
	segment->new_header = !holds;
	if (!holds || has_faults(survey))
		segment->fate = REPAIR_REWRITE;
	if (survey->unfinished > 0 && survey->footer != BAT_SURVEY_FOOTER_HOLDS)
		segment->keep_end = survey->unfinished;
}

bool
bat_repair_keeps(const struct repair_segment *segment,
    const struct bat_survey_piece *piece)
{
	if (piece->offset >= segment->keep_end)
		return false;
	switch ((enum bat_survey_kind)piece->kind) {
	case BAT_SURVEY_EVENT:
	case BAT_SURVEY_DROPPED:
		return true;
	case BAT_SURVEY_BEGIN:
	case BAT_SURVEY_COMMIT:
		return !piece->loose;
	case BAT_SURVEY_HEADER:
	case BAT_SURVEY_HOLE:
	case BAT_SURVEY_TAIL:
	case BAT_SURVEY_FOOTER:
		break;
	}
	return false;
}

/* ---- files under another's name --------------------------------------------------- */

static struct repair_segment *
find_segment(struct repair *repair, uint64_t id)
{
	for (size_t i = 0; i < repair->count; i++)
		if (repair->segments[i].survey.segment == id)
			return &repair->segments[i];
	return NULL;
}

static bool
same_id(const void *context, uint32_t value, struct bat_slice key)
{
	const struct bat_survey *survey = context;

	return memcmp(survey->pieces[value].id.bytes, key.data, key.length) ==
	    0;
}

static uint64_t
hash_of_id(const void *context, uint32_t value)
{
	const struct bat_survey *survey = context;

	return bat_map_hash(bat_bytes_slice(survey->pieces[value].id.bytes,
	    sizeof(survey->pieces[value].id.bytes)));
}

/* Is every event of copy one of original too? */
static int
is_copy(const struct bat_survey *copy, const struct bat_survey *original,
    bool *out_is_copy)
{
	struct bat_map by_id;
	int code = BAT_OK;

	*out_is_copy = true;
	bat_map_init(&by_id, original, same_id, hash_of_id);
	for (size_t i = 0; code == BAT_OK && i < original->count; i++)
		if (original->pieces[i].kind == BAT_SURVEY_EVENT)
			code = bat_map_put(&by_id,
			    bat_bytes_slice(original->pieces[i].id.bytes,
				sizeof(original->pieces[i].id.bytes)),
			    (uint32_t)i);
	for (size_t i = 0; code == BAT_OK && *out_is_copy && i < copy->count;
	     i++)
		if (copy->pieces[i].kind == BAT_SURVEY_EVENT)
			*out_is_copy =
			    bat_map_find(&by_id,
				bat_bytes_slice(copy->pieces[i].id.bytes,
				    sizeof(copy->pieces[i].id.bytes))) !=
			    BAT_MAP_NONE;
	bat_map_free(&by_id);
	return code;
}

/* Is this number's name free, also when all that is planned is done? */
static bool
is_free(struct repair *repair, uint64_t id)
{
	if (id == 0 || bat_segment_dir_find(&repair->dir, id) != NULL)
		return false;
	for (size_t i = 0; i < repair->count; i++)
		if (repair->segments[i].fate == REPAIR_RENAME &&
		    repair->segments[i].survey.header.id == id)
			return false;
	return true;
}

/*
 * The header says another number than the name. A second copy of that segment
 * goes; where its place is empty it gets it back; else it holds events that
 * nobody else has, and stays where it is, under its name's number.
 */
static int
decide_misnamed(struct repair *repair, struct repair_segment *segment)
{
	const struct bat_survey *survey = &segment->survey;
	struct repair_segment *original;
	bool copy = false;
	int code = BAT_OK;

	if (survey->header_error.code != BAT_OK ||
	    survey->header.id == survey->segment ||
	    is_of_another_generation(survey))
		return BAT_OK;
	original = find_segment(repair, survey->header.id);
	if (original != NULL &&
	    original->survey.header.id == original->survey.segment)
		code = is_copy(survey, &original->survey, &copy);
	if (code != BAT_OK)
		return bat_error_set(repair->error, code,
		    "no memory to compare segments");
	if (copy) {
		segment->fate = REPAIR_REMOVE;
		segment->why_removed = "a second copy of another segment";
	} else if (is_free(repair, survey->header.id)) {
		segment->fate = REPAIR_RENAME;
	} else {
		segment->fate = REPAIR_REWRITE;
		segment->new_header = true;
	}
	return BAT_OK;
}

/* ---- index files ------------------------------------------------------------------- */

/* Does an index file hold, and is it the one that would be believed? */
static int
judge_indexes(struct repair *repair, bool *out_believed)
{
	struct bat_segment_dir *dir = &repair->dir;
	struct bat_recovery_claim claim;
	int code = BAT_OK;

	*out_believed = false;
	if (dir->has_rowindex) {
		code = bat_recovery_judge_index(dir, true, &claim,
		    repair->error);
		repair->drop_rowindex = !claim.believed;
		*out_believed = claim.believed;
	}
	if (code == BAT_OK && dir->has_checkpoint) {
		code = bat_recovery_judge_index(dir, false, &claim,
		    repair->error);
		repair->drop_checkpoint = !claim.believed;
		*out_believed = *out_believed || claim.believed;
	}
	return code;
}

/* Where no index will tell them, numbers that cannot be counted are written
 * into footers; and no index may tell of places that change. */
static void
plan_indexes(struct repair *repair, bool believed)
{
	bool changes = false;

	for (size_t i = 0; i < repair->count; i++)
		changes = changes || repair->segments[i].fate != REPAIR_STAY;
	for (size_t i = 0; (changes || !believed) && i < repair->count; i++) {
		struct repair_segment *segment = &repair->segments[i];

		if (!segment->renumbered || segment->fate != REPAIR_STAY ||
		    is_of_another_generation(&segment->survey))
			continue;
		segment->fate = REPAIR_REWRITE;
		changes = true;
	}
	if (changes) {
		repair->drop_rowindex = repair->dir.has_rowindex;
		repair->drop_checkpoint = repair->dir.has_checkpoint;
	}
}

/* ---- saying it ------------------------------------------------------------------------ */

/* Why a piece goes; NULL: it does not, or needs no words. */
static const char *
reason_of(const struct repair_segment *segment,
    const struct bat_survey_piece *piece)
{
	if (bat_repair_keeps(segment, piece) ||
	    piece->kind == BAT_SURVEY_HEADER ||
	    piece->kind == BAT_SURVEY_FOOTER)
		return NULL;
	if (piece->reason != NULL)
		return piece->reason;
	return piece->loose ? "marker of a batch with a hole" :
			      "unfinished batch";
}

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
		const char *why = reason_of(segment, piece);

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

static int
say_rewrite(struct repair *repair, const struct repair_segment *segment)
{
	const struct bat_survey *survey = &segment->survey;
	int code = say_cuts(repair, segment);

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

	if (is_of_another_generation(survey))
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

static int
say_all(struct repair *repair)
{
	int code = say_index(repair, repair->drop_rowindex, BAT_ROWINDEX_FILE);

	if (code == BAT_OK)
		code = say_index(repair, repair->drop_checkpoint,
		    BAT_CHECKPOINT_FILE);
	for (size_t i = 0; code == BAT_OK && i < repair->count; i++) {
		const struct repair_segment *segment = &repair->segments[i];

		if (segment->fate != REPAIR_REMOVE)
			repair->counts->events += segment->survey.events;
		code = say_segment(repair, segment);
	}
	if (code == BAT_OK && repair->dir.irregular_count > 0)
		code = bat_repair_say(repair, BAT_REPAIR_LEFT, 0, 0, 0,
		    "%u segments are no regular files; move them away",
		    repair->dir.irregular_count);
	return code;
}

/* ---- the plan --------------------------------------------------------------------------- */

int
bat_repair_plan(struct repair *repair)
{
	size_t count = repair->dir.count;
	bool believed = false;
	int code = BAT_OK;

	repair->segments = calloc(count + 1, sizeof(*repair->segments));
	if (repair->segments == NULL)
		return bat_error_set(repair->error, BAT_WORLD_NO_MEMORY,
		    "no memory for the list of segments");
	for (size_t i = 0; code == BAT_OK && i < count; i++) {
		code = bat_survey_segment(&repair->dir,
		    repair->dir.segments[i].id, &repair->segments[i].survey,
		    repair->error);
		if (code == BAT_OK)
			decide(&repair->segments[repair->count++]);
	}
	for (size_t i = 0; code == BAT_OK && i < repair->count; i++)
		code = decide_misnamed(repair, &repair->segments[i]);
	if (code == BAT_OK)
		code = judge_indexes(repair, &believed);
	if (code == BAT_OK)
		code = bat_repair_load_numbers(repair);
	if (code != BAT_OK)
		return code;
	bat_repair_number(repair);
	plan_indexes(repair, believed);
	return say_all(repair);
}

void
bat_repair_forget(struct repair *repair)
{
	for (size_t i = 0; i < repair->count; i++)
		bat_survey_free(&repair->segments[i].survey);
	free(repair->segments);
	repair->segments = NULL;
	repair->count = 0;
	bat_repair_free_numbers(&repair->numbers);
	repair->drop_rowindex = repair->drop_checkpoint = false;
}
