#include "survey.h"
#include "survey_parts.h"

#include <stdlib.h>

#include "coordinate.h"
#include "kind.h"

/* Of a BEGIN marker (FORMAT.md 4.2). */
enum { BATCH_MAX = 1000000 };

/* ---- pieces ------------------------------------------------------------ */

static int
add(struct survey_walk *walk, const struct bat_survey_piece *piece)
{
	struct bat_survey *out = walk->out;

	if (piece->length == 0)
		return BAT_OK;
	if (out->count == out->capacity) {
		size_t wanted = out->capacity == 0 ? 64 : out->capacity * 2;
		struct bat_survey_piece *larger = reallocarray(out->pieces,
		    wanted, sizeof(*larger));

		if (larger == NULL)
			return bat_error_set(walk->error, BAT_WORLD_NO_MEMORY,
			    "no memory for the frames of segment %llu",
			    (unsigned long long)out->segment);
		out->pieces = larger;
		out->capacity = wanted;
	}
	out->pieces[out->count++] = *piece;
	return BAT_OK;
}

static int
add_gap(struct survey_walk *walk, enum bat_survey_kind kind, uint64_t from,
    uint64_t to, const char *reason)
{
	return add(walk,
	    &(struct bat_survey_piece){ .offset = from,
		.length = to - from,
		.seq = BAT_SURVEY_UNTOLD,
		.reason = reason,
		.kind = (uint8_t)kind });
}

static bool
is_sound(const struct bat_segment_item *item)
{
	const struct bat_event *event = &item->event;

	if (item->state != BAT_FRAME_WHOLE || !item->decoded)
		return false;
	if (!bat_codec_is_marker(event))
		return bat_coordinate_check(event->entity, event->scope,
			   NULL) == BAT_OK;
	return event->kind != BAT_KIND_BATCH_BEGIN ||
	    (event->payload_size >= 1 && event->payload_size <= BATCH_MAX);
}

static const char *
fault_of(const struct bat_segment_item *item)
{
	if (item->state != BAT_FRAME_WHOLE)
		return bat_frame_state_name(item->state);
	return item->decoded ? "illegal content" : "undecodable";
}

static int
add_frame(struct survey_walk *walk, const struct bat_segment_item *item)
{
	struct bat_survey_piece piece = {
		.offset = item->offset,
		.length = item->length,
		.seq = BAT_SURVEY_UNTOLD,
		.kind = BAT_SURVEY_EVENT,
	};

	if (!bat_codec_is_marker(&item->event)) {
		piece.id = item->event.id;
		piece.clock = item->event.clock;
		piece.seq = bat_survey_meet_row(walk, item);
	} else if (item->event.kind == BAT_KIND_BATCH_BEGIN) {
		piece.kind = BAT_SURVEY_BEGIN;
		piece.items = item->event.payload_size;
	} else {
		piece.kind = BAT_SURVEY_COMMIT;
	}
	return add(walk, &piece);
}

/* ---- what is no frame ---------------------------------------------------- */

/* Does a sound frame stand at offset, or does what is read end there? */
static int
goes_on_at(struct survey_walk *walk, uint64_t offset, uint64_t end,
    bool *out_goes_on)
{
	struct bat_segment_item item;
	int code;

	bat_segment_reader_seek(&walk->reader, offset, end);
	code = bat_segment_reader_next(&walk->reader, &item, walk->error);
	*out_goes_on = code == BAT_END || (code == BAT_OK && is_sound(&item));
	return code < 0 ? code : BAT_OK;
}

/*
 * Where do sound frames go on behind this item? A frame of full length tells
 * where it ends: what its own payload may hold is no frame of ours. *out_next
 * is end where nothing more comes.
 */
static int
find_next(struct survey_walk *walk, const struct bat_segment_item *item,
    uint64_t end, uint64_t *out_next)
{
	uint64_t found = end;
	bool goes_on = false;
	int code = BAT_OK;

	if (item->state == BAT_FRAME_CRC || item->state == BAT_FRAME_WHOLE)
		code = goes_on_at(walk, item->offset + item->length, end,
		    &goes_on);
	if (code < 0)
		return code;
	*out_next = item->offset + item->length;
	if (goes_on && !BAT_PLANT(121))
		return BAT_OK;
	code = bat_segment_reader_find_whole(&walk->reader, item->offset + 1,
	    &found, walk->error);
	/* So much there looks like frames that it was made on purpose. */
	if (code == BAT_END || code == BAT_DATA_CORRUPT || found > end)
		found = end;
	*out_next = found;
	return code == BAT_DATA_CORRUPT || code == BAT_END ? BAT_OK : code;
}

/* Does the disk not give some of [from, to)? */
static int
note_lost(struct survey_walk *walk, uint64_t from, uint64_t to, bool *out_lost)
{
	struct bat_survey *out = walk->out;
	int code = bat_segment_reader_is_lost(&walk->reader, from, to, out_lost,
	    walk->error);

	if (*out_lost && !out->lost)
		out->lost_offset = from;
	out->lost = out->lost || *out_lost;
	return code;
}

/* A file that nobody sealed may end in what a torn write leaves, or in space
 * ahead. */
static int
name_fault(struct survey_walk *walk, const struct bat_segment_item *item,
    uint64_t next, enum bat_survey_kind *out_kind, const char **out_reason)
{
	bool ahead = false, lost;
	int code = note_lost(walk, item->offset, next, &lost);

	*out_reason = lost ? "the disk does not give it" : fault_of(item);
	*out_kind = BAT_SURVEY_HOLE;
	if (code != BAT_OK || lost)
		return code;
	if (next != walk->reader.file_size || item->state == BAT_FRAME_WHOLE)
		return BAT_OK;
	code = bat_segment_reader_is_ahead(&walk->reader, item->offset, &ahead,
	    walk->error);
	if (ahead)
		*out_reason = "space laid ahead";
	*out_kind = ahead ? BAT_SURVEY_AHEAD : BAT_SURVEY_TAIL;
	return code;
}

static int
add_fault(struct survey_walk *walk, const struct bat_segment_item *item,
    uint64_t end, uint64_t *out_next)
{
	enum bat_survey_kind kind = BAT_SURVEY_HOLE;
	const char *reason = NULL;
	int code = find_next(walk, item, end, out_next);

	if (code == BAT_OK)
		code = name_fault(walk, item, *out_next, &kind, &reason);
	if (code != BAT_OK)
		return code;
	return add_gap(walk, kind, item->offset, *out_next, reason);
}

static int
walk_frames(struct survey_walk *walk, uint64_t from, uint64_t end)
{
	struct bat_segment_item item;
	uint64_t next = end;
	int code;

	bat_segment_reader_seek(&walk->reader, from, end);
	while ((code = bat_segment_reader_next(&walk->reader, &item,
		    walk->error)) == BAT_OK) {
		if (is_sound(&item)) {
			code = add_frame(walk, &item);
		} else {
			code = add_fault(walk, &item, end, &next);
			bat_segment_reader_seek(&walk->reader, next, end);
		}
		if (code != BAT_OK)
			return code;
	}
	return code < 0 ? code : BAT_OK;
}

/* ---- the file ------------------------------------------------------------ */

/* Without a header the frames start wherever a sound one does. */
static int
walk_start(struct survey_walk *walk, uint64_t end, uint64_t *out_from)
{
	struct bat_survey *out = walk->out;
	uint64_t found = end;
	bool lost;
	int code;

	*out_from = out->header.length;
	if (out->header_error.code == BAT_OK)
		return add_gap(walk, BAT_SURVEY_HEADER, 0, out->header.length,
		    NULL);
	code = bat_segment_reader_find_whole(&walk->reader, 0, &found,
	    walk->error);
	if (code < 0 && code != BAT_DATA_CORRUPT)
		return code;
	*out_from = code == BAT_OK && found < end ? found : end;
	code = note_lost(walk, 0, *out_from, &lost);
	if (code != BAT_OK)
		return code;
	return add_gap(walk, BAT_SURVEY_HOLE, 0, *out_from,
	    lost ? "the disk does not give it" : "header");
}

/* Behind a footer that is wrong frames may go on: then it is no footer. */
static int
walk_footer(struct survey_walk *walk, uint64_t at)
{
	struct bat_survey *out = walk->out;
	uint64_t size = walk->reader.file_size, found = size;
	bool lost;
	int code = note_lost(walk, at, size, &lost);

	if (code != BAT_OK)
		return code;
	code = BAT_END;
	if (out->footer == BAT_SURVEY_FOOTER_WRONG)
		code = bat_segment_reader_find_whole(&walk->reader, at, &found,
		    walk->error);
	if (code == BAT_END || code == BAT_DATA_CORRUPT)
		return add_gap(walk, BAT_SURVEY_FOOTER, at, size, NULL);
	if (code != BAT_OK)
		return code;
	out->footer = BAT_SURVEY_NO_FOOTER;
	code = add_gap(walk, BAT_SURVEY_HOLE, at, found, "broken footer");
	if (code == BAT_OK)
		code = walk_frames(walk, found, size);
	if (code == BAT_OK)
		bat_survey_judge(walk);
	return code;
}

static int
walk_file(struct survey_walk *walk)
{
	struct bat_survey *out = walk->out;
	const struct bat_segment_reader *reader = &walk->reader;
	bool sealed = reader->has_footer || reader->has_foreign_footer;
	uint64_t end = sealed ? reader->footer.table_offset : out->size;
	uint64_t from = 0;
	int code = BAT_OK;

	if (reader->has_foreign_footer)
		out->footer = BAT_SURVEY_FOOTER_FOREIGN;
	if (reader->has_footer) {
		out->footer = BAT_SURVEY_FOOTER_HOLDS;
		out->footer_rows = reader->footer.row_count;
		code = bat_survey_load_rows(walk);
	}
	if (code == BAT_OK)
		code = walk_start(walk, end, &from);
	if (code == BAT_OK && from < end)
		code = walk_frames(walk, from, end);
	if (code != BAT_OK)
		return code;
	bat_survey_judge(walk);
	return sealed ? walk_footer(walk, end) : BAT_OK;
}

int
bat_survey_segment(struct bat_segment_dir *dir, uint64_t segment,
    struct bat_survey *out, struct bat_error *error)
{
	struct survey_walk walk = { .out = out, .error = error };
	int code;

	*out = (struct bat_survey){ .segment = segment };
	code = bat_segment_reader_open_any(&walk.reader, dir, segment,
	    &out->header_error, &out->footer_error, error);
	if (code != BAT_OK)
		return code;
	out->size = walk.reader.file_size;
	out->header = walk.reader.header;
	code = walk_file(&walk);
	bat_survey_free_rows(&walk.rows);
	bat_segment_reader_close(&walk.reader);
	if (code != BAT_OK)
		bat_survey_free(out);
	return code;
}

void
bat_survey_free(struct bat_survey *survey)
{
	free(survey->pieces);
	*survey = (struct bat_survey){ .segment = survey->segment };
}
