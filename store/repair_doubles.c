/*
 * Events that are there twice: a compaction was cut off before its sources
 * went, and what told of it, the marker, is gone. Whoever opens such a
 * directory shows each of their events two times (batpak one of the two). A
 * segment goes that has an event, and none that another one does not have:
 * batpak's merged segment has the number of its first source, ours one behind
 * them all. Of two that have the same events the later one goes.
 */
#include "repair_parts.h"

#include <stdlib.h>

#include "map.h"

/* ---- the first event of each segment ------------------------------------- */

static const struct bat_survey_piece *
first_event(const struct repair_segment *segment)
{
	const struct bat_survey *survey = &segment->survey;

	for (size_t i = 0; i < survey->count; i++)
		if (survey->pieces[i].kind == BAT_SURVEY_EVENT)
			return &survey->pieces[i];
	return NULL;
}

/* Is it there, and under its own number, when all that is planned is done? */
static bool
stays(const struct repair_segment *segment)
{
	return segment->fate != REPAIR_REMOVE &&
	    segment->fate != REPAIR_RENAME &&
	    !bat_repair_is_foreign(&segment->survey);
}

static struct bat_slice
id_of(const struct bat_survey_piece *piece)
{
	return bat_bytes_slice(piece->id.bytes, sizeof(piece->id.bytes));
}

static bool
same_first(const void *context, uint32_t value, struct bat_slice key)
{
	const struct repair *repair = context;

	return bat_bytes_equal(id_of(first_event(&repair->segments[value])),
	    key);
}

static uint64_t
hash_of_first(const void *context, uint32_t value)
{
	const struct repair *repair = context;

	return bat_map_hash(id_of(first_event(&repair->segments[value])));
}

/* Segments by their first event's id; before[i]: the one in front of segment i
 * that has the same. */
struct firsts {
	struct bat_map by_id;
	uint32_t *before;
};

static int
note_firsts(struct repair *repair, struct firsts *firsts)
{
	int code = BAT_OK;

	bat_map_init(&firsts->by_id, repair, same_first, hash_of_first);
	firsts->before = calloc(repair->count + 1, sizeof(*firsts->before));
	if (firsts->before == NULL)
		return BAT_WORLD_NO_MEMORY;
	for (size_t i = 0; code == BAT_OK && i < repair->count; i++) {
		const struct bat_survey_piece *first = first_event(
		    &repair->segments[i]);

		if (first == NULL || !stays(&repair->segments[i]))
			continue;
		firsts->before[i] = bat_map_find(&firsts->by_id, id_of(first));
		code = bat_map_put(&firsts->by_id, id_of(first), (uint32_t)i);
	}
	return code;
}

/* ---- the doubles --------------------------------------------------------- */

/* The first event of `part` is one of `whole`, too. */
static int
meet(struct repair *repair, size_t whole, size_t part)
{
	struct repair_segment *copy = &repair->segments[part];
	const struct bat_survey *survey = &repair->segments[whole].survey;
	bool is_copy = false, is_same = false;
	int code = bat_repair_is_copy(&copy->survey, survey, &is_copy);

	if (code == BAT_OK && is_copy && part < whole)
		code = bat_repair_is_copy(survey, &copy->survey, &is_same);
	if (code == BAT_OK && is_copy && !is_same && !BAT_PLANT(315)) {
		copy->fate = REPAIR_REMOVE;
		copy->why_removed = "its events are in another segment too: a "
				    "source that a compaction left";
	}
	return code;
}

static int
meet_all(struct repair *repair, const struct firsts *firsts, size_t whole,
    const struct bat_survey_piece *piece)
{
	uint32_t part = piece->kind == BAT_SURVEY_EVENT ?
	    bat_map_find(&firsts->by_id, id_of(piece)) :
	    BAT_MAP_NONE;
	int code = BAT_OK;

	for (; code == BAT_OK && part != BAT_MAP_NONE;
	     part = firsts->before[part])
		if (part != whole && stays(&repair->segments[part]))
			code = meet(repair, whole, part);
	return code;
}

int
bat_repair_find_doubles(struct repair *repair)
{
	struct firsts firsts;
	int code = note_firsts(repair, &firsts);

	for (size_t i = 0; code == BAT_OK && i < repair->count; i++) {
		const struct repair_segment *segment = &repair->segments[i];

		for (size_t j = 0; code == BAT_OK && stays(segment) &&
		     j < segment->survey.count;
		     j++)
			code = meet_all(repair, &firsts, i,
			    &segment->survey.pieces[j]);
	}
	bat_map_free(&firsts.by_id);
	free(firsts.before);
	return code == BAT_OK ?
	    BAT_OK :
	    bat_error_set(repair->error, code, "no memory to compare segments");
}
