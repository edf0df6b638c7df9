/*
 * What becomes of each segment. Deciding changes nothing but the plan.
 */
#include "repair_parts.h"

#include <stddef.h>
#include <stdlib.h>

#include "map.h"

/* ---- what is wrong with one ---------------------------------------------- */

static bool
has_sound_frames(const struct bat_survey *survey)
{
	return survey->events > 0 || survey->dropped > 0;
}

bool
bat_repair_is_foreign(const struct bat_survey *survey)
{
	return survey->header_error.code == BAT_DATA_FUTURE ||
	    survey->footer == BAT_SURVEY_FOOTER_FOREIGN;
}

/* Space ahead is one only where another segment stands behind it: there batpak
 * takes it for damage. */
static bool
has_faults(const struct bat_survey *survey, bool is_highest)
{
	for (size_t i = 0; i < survey->count; i++)
		if (survey->pieces[i].kind == BAT_SURVEY_HOLE ||
		    survey->pieces[i].kind == BAT_SURVEY_TAIL ||
		    (survey->pieces[i].kind == BAT_SURVEY_AHEAD && !is_highest))
			return true;
	return survey->footer == BAT_SURVEY_FOOTER_WRONG ||
	    (survey->footer == BAT_SURVEY_NO_FOOTER && survey->unfinished > 0);
}

static void
decide(struct repair_segment *segment, bool is_highest)
{
	const struct bat_survey *survey = &segment->survey;
	bool holds = survey->header_error.code == BAT_OK;

	segment->keep_end = survey->size;
	if (bat_repair_is_foreign(survey))
		return;
	if (!holds && !has_sound_frames(survey)) {
		segment->fate = REPAIR_REMOVE;
		segment->why_removed = "nothing sound is in it";
		return;
	}
	segment->new_header = !holds;
	if (!holds || has_faults(survey, is_highest))
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
		return true;
	case BAT_SURVEY_DROPPED:
		return !piece->loose;
	case BAT_SURVEY_BEGIN:
	case BAT_SURVEY_COMMIT:
		return !piece->loose || BAT_PLANT(125);
	case BAT_SURVEY_HEADER:
	case BAT_SURVEY_HOLE:
	case BAT_SURVEY_TAIL:
	case BAT_SURVEY_AHEAD:
	case BAT_SURVEY_FOOTER:
		break;
	}
	return false;
}

const char *
bat_repair_reason(const struct repair_segment *segment,
    const struct bat_survey_piece *piece)
{
	if (bat_repair_keeps(segment, piece) ||
	    piece->kind == BAT_SURVEY_HEADER ||
	    piece->kind == BAT_SURVEY_AHEAD || piece->kind == BAT_SURVEY_FOOTER)
		return NULL;
	if (piece->reason != NULL)
		return piece->reason;
	if (!piece->loose)
		return "unfinished batch";
	return piece->kind == BAT_SURVEY_DROPPED ?
	    "item that the footer leaves out" :
	    "marker of a batch with a hole";
}

uint64_t
bat_repair_target(const struct repair_segment *segment)
{
	return segment->fate == REPAIR_RENAME ? segment->survey.header.id :
						segment->survey.segment;
}

/* ---- files under another's name ------------------------------------------ */

/* The one that has this number by its header, and its name now or soon. */
static const struct repair_segment *
find_segment(const struct repair *repair, uint64_t id,
    const struct repair_segment *but)
{
	for (size_t i = 0; i < repair->count; i++) {
		const struct repair_segment *segment = &repair->segments[i];

		if (segment != but && segment->survey.header.id == id &&
		    segment->survey.header_error.code == BAT_OK &&
		    bat_repair_target(segment) == id)
			return segment;
	}
	return NULL;
}

/* Its id and its clock: two events of one entity may have one id. */
static struct bat_slice
key_of(const struct bat_survey *survey, size_t i)
{
	_Static_assert(offsetof(struct bat_survey_piece, clock) ==
		offsetof(struct bat_survey_piece, id) + sizeof(struct bat_id),
	    "the clock stands behind the id");
	return bat_bytes_slice((const uint8_t *)&survey->pieces[i] +
		offsetof(struct bat_survey_piece, id),
	    sizeof(struct bat_id) + sizeof(uint32_t));
}

static bool
same_key(const void *context, uint32_t value, struct bat_slice key)
{
	return bat_bytes_equal(key_of(context, value), key);
}

static uint64_t
hash_of_key(const void *context, uint32_t value)
{
	return bat_map_hash(key_of(context, value));
}

int
bat_repair_is_copy(const struct bat_survey *copy,
    const struct bat_survey *original, bool *out_is_copy)
{
	struct bat_map by_key;
	int code = BAT_OK;

	*out_is_copy = true;
	bat_map_init(&by_key, original, same_key, hash_of_key);
	for (size_t i = 0; code == BAT_OK && i < original->count; i++)
		if (original->pieces[i].kind == BAT_SURVEY_EVENT)
			code = bat_map_put(&by_key, key_of(original, i),
			    (uint32_t)i);
	for (size_t i = 0; code == BAT_OK && *out_is_copy && i < copy->count;
	     i++)
		if (copy->pieces[i].kind == BAT_SURVEY_EVENT)
			*out_is_copy = bat_map_find(&by_key, key_of(copy, i)) !=
			    BAT_MAP_NONE;
	bat_map_free(&by_key);
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
	const struct repair_segment *original;
	bool copy = false;
	int code = BAT_OK;

	if (segment->unreadable || survey->header_error.code != BAT_OK ||
	    survey->header.id == survey->segment ||
	    bat_repair_is_foreign(survey))
		return BAT_OK;
	original = find_segment(repair, survey->header.id, segment);
	if (original != NULL)
		code = bat_repair_is_copy(survey, &original->survey, &copy);
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

/* ---- index files --------------------------------------------------------- */

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
		    bat_repair_is_foreign(&segment->survey))
			continue;
		segment->fate = REPAIR_REWRITE;
		changes = true;
	}
	if (changes) {
		repair->drop_rowindex = repair->dir.has_rowindex;
		repair->drop_checkpoint = repair->dir.has_checkpoint;
	}
}

/* ---- the plan ------------------------------------------------------------ */

/* Add a segment to the list. */
static int
look_at(struct repair *repair, const struct bat_segment_info *info)
{
	struct repair_segment *segment = &repair->segments[repair->count];
	int code = bat_survey_segment(&repair->dir, info->id, &segment->survey,
	    repair->error);

	/* A second try may give it, or another disk. */
	if (code == BAT_OK && segment->survey.lost && repair->destination < 0 &&
	    !BAT_PLANT(314)) {
		code = bat_error_set_at(repair->error, BAT_WORLD_IO, info->id,
		    segment->survey.lost_offset,
		    "the disk does not give what is in segment %llu at offset "
		    "%llu; nothing was changed: `batctl salvage` takes the "
		    "rest to another disk",
		    (unsigned long long)info->id,
		    (unsigned long long)segment->survey.lost_offset);
		bat_survey_free(&segment->survey);
		return code;
	}
	if (code == BAT_OK) {
		decide(segment,
		    info == &repair->dir.segments[repair->dir.count - 1]);
	} else if (code == BAT_WORLD_IO && repair->destination >= 0) {
		/* Others may be readable. */
		segment->survey = (struct bat_survey){ .segment = info->id,
			.size = info->stat.size };
		segment->fate = REPAIR_REMOVE;
		segment->why_removed = "cannot be read";
		segment->unreadable = true;
		code = BAT_OK;
	}
	repair->count += code == BAT_OK;
	return code;
}

static int
compare_targets(const void *a, const void *b)
{
	uint64_t left = bat_repair_target(a), right = bat_repair_target(b);

	return (left > right) - (left < right);
}

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
	for (size_t i = 0; code == BAT_OK && i < count; i++)
		code = look_at(repair, &repair->dir.segments[i]);
	for (size_t i = 0; code == BAT_OK && i < repair->count; i++)
		code = decide_misnamed(repair, &repair->segments[i]);
	if (code == BAT_OK && repair->count > 1)
		qsort(repair->segments, repair->count,
		    sizeof(*repair->segments), compare_targets);
	if (code == BAT_OK)
		code = bat_repair_find_doubles(repair);
	for (size_t i = 0; i < repair->count; i++)
		if (repair->segments[i].fate != REPAIR_REMOVE)
			repair->counts->events +=
			    repair->segments[i].survey.events;
	if (code == BAT_OK)
		code = judge_indexes(repair, &believed);
	if (code == BAT_OK)
		code = bat_repair_load_numbers(repair);
	if (code != BAT_OK)
		return code;
	bat_repair_number(repair);
	plan_indexes(repair, believed);
	return BAT_OK;
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
