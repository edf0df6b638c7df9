/*
 * Rows against frames, and which events count.
 */
#include "survey_parts.h"

#include <stdlib.h>

#include "kind.h"

/* ---- the footer's rows ---------------------------------------------------- */

static int
compare_offsets(const void *a, const void *b)
{
	const struct bat_row *left = a, *right = b;

	return (left->offset > right->offset) - (left->offset < right->offset);
}

int
bat_survey_load_rows(struct survey_walk *walk)
{
	struct survey_rows *rows = &walk->rows;
	struct bat_survey *out = walk->out;
	uint32_t string_count, count = walk->reader.footer.row_count;
	int code = bat_segment_reader_footer(&walk->reader, &rows->table,
	    &rows->strings, &string_count, &rows->bytes, &out->footer_error);

	if (code == BAT_DATA_CORRUPT) {
		out->footer = BAT_SURVEY_FOOTER_WRONG;
		return BAT_OK;
	}
	if (code == BAT_OK) {
		rows->rows = calloc((size_t)count + 1, sizeof(*rows->rows));
		rows->met = calloc((size_t)count + 1, sizeof(*rows->met));
		if (rows->rows == NULL || rows->met == NULL)
			code = bat_error_set(&out->footer_error,
			    BAT_WORLD_NO_MEMORY, "no memory for a footer");
	}
	if (code != BAT_OK) {
		if (walk->error != NULL)
			*walk->error = out->footer_error;
		return code;
	}
	for (uint32_t i = 0; i < count; i++)
		bat_segment_decode_row(rows->bytes.data +
			(size_t)i * BAT_SEGMENT_ROW_SIZE,
		    &rows->rows[i]);
	qsort(rows->rows, count, sizeof(*rows->rows), compare_offsets);
	rows->count = count;
	return BAT_OK;
}

void
bat_survey_free_rows(struct survey_rows *rows)
{
	bat_bytes_free(&rows->table);
	bat_bytes_free(&rows->bytes);
	free(rows->strings);
	free(rows->rows);
	free(rows->met);
}

static bool
is_row_of(const struct survey_rows *rows, const struct bat_row *row,
    const struct bat_segment_item *item)
{
	const struct bat_event *event = &item->event;

	return row->length == item->length &&
	    bat_id_equal(&row->id, &event->id) &&
	    bat_id_equal(&row->corr, &event->corr) &&
	    bat_id_equal(&row->cause, &event->cause) &&
	    bat_kind_mapped(row->kind) == bat_kind_mapped(event->kind) &&
	    row->wall_ms == event->wall_ms && row->clock == event->clock &&
	    row->lane == event->lane && row->depth == event->depth &&
	    bat_hash_equal(&row->prev, &event->prev) &&
	    bat_hash_equal(&row->hash, &event->hash) &&
	    bat_bytes_equal(rows->strings[row->entity], event->entity) &&
	    bat_bytes_equal(rows->strings[row->scope], event->scope);
}

uint64_t
bat_survey_meet_row(struct survey_walk *walk,
    const struct bat_segment_item *item)
{
	struct survey_rows *rows = &walk->rows;
	const struct bat_row *row;

	while (rows->at < rows->count &&
	    rows->rows[rows->at].offset < item->offset)
		rows->at++;
	if (rows->at == rows->count)
		return BAT_SURVEY_UNTOLD;
	row = &rows->rows[rows->at];
	if (row->offset != item->offset)
		return BAT_SURVEY_UNTOLD;
	rows->met[rows->at] = is_row_of(rows, row, item);
	rows->wrong = rows->wrong || !rows->met[rows->at];
	return rows->met[rows->at] && row->seq < BAT_SURVEY_UNTOLD - 1 ?
	    row->seq :
	    BAT_SURVEY_UNTOLD;
}

/* ---- the batch rule -------------------------------------------------------- */

struct judging {
	struct bat_survey *out;
	bool by_rows; /* an event with a row counts whatever the rule says */
	bool lacking; /* one that the rule would keep has no row */
	bool open, has_hole;
	uint32_t remaining;
	size_t begin; /* its marker */
};

/* The staged events count or do not; those with a row do in any case. */
static void
settle(struct judging *judging, size_t end, bool keep)
{
	struct bat_survey_piece *pieces = judging->out->pieces;

	for (size_t i = judging->begin + 1; i < end; i++) {
		if (pieces[i].kind != BAT_SURVEY_EVENT)
			continue;
		if (!judging->by_rows || pieces[i].seq == BAT_SURVEY_UNTOLD) {
			judging->lacking = judging->lacking ||
			    (keep && !judging->has_hole);
			if (!keep || judging->by_rows)
				pieces[i].kind = BAT_SURVEY_DROPPED;
			pieces[i].loose = judging->has_hole &&
			    judging->by_rows && !BAT_PLANT(272);
		}
	}
	pieces[judging->begin].loose = judging->has_hole;
	judging->open = false;
}

static void
judge_event(struct judging *judging, size_t i)
{
	struct bat_survey_piece *piece = &judging->out->pieces[i];

	if (!judging->open) {
		judging->lacking = judging->lacking ||
		    piece->seq == BAT_SURVEY_UNTOLD;
	} else if (judging->remaining == 0 && !judging->has_hole) {
		/* One too many: it goes with them. */
		settle(judging, i + 1, false);
	} else if (judging->remaining > 0) {
		judging->remaining--;
	}
}

static void
judge_marker(struct judging *judging, size_t i)
{
	struct bat_survey_piece *piece = &judging->out->pieces[i];
	bool is_commit = piece->kind == BAT_SURVEY_COMMIT;
	bool whole = is_commit && judging->remaining == 0;

	/* What of a batch with a hole was committed, nobody can tell. */
	piece->loose = judging->has_hole && is_commit;
	if (judging->open) {
		settle(judging, i, whole || judging->has_hole);
		judging->out->batches += whole;
	}
	judging->has_hole = false;
	if (is_commit)
		return;
	judging->open = true;
	judging->remaining = piece->items;
	judging->begin = i;
}

/* Where all items were there already, the hole was the COMMIT. */
static void
judge_hole(struct judging *judging, size_t i)
{
	judging->has_hole = true;
	if (judging->open && judging->remaining == 0)
		settle(judging, i, true);
}

static void
judge_pieces(struct judging *judging)
{
	struct bat_survey *out = judging->out;

	for (size_t i = 0; i < out->count; i++) {
		switch ((enum bat_survey_kind)out->pieces[i].kind) {
		case BAT_SURVEY_EVENT:
		case BAT_SURVEY_DROPPED:
			out->pieces[i].kind = BAT_SURVEY_EVENT;
			out->pieces[i].loose = false;
			judge_event(judging, i);
			break;
		case BAT_SURVEY_BEGIN:
		case BAT_SURVEY_COMMIT:
			judge_marker(judging, i);
			break;
		case BAT_SURVEY_HOLE:
			judge_hole(judging, i);
			break;
		case BAT_SURVEY_HEADER:
		case BAT_SURVEY_TAIL:
		case BAT_SURVEY_AHEAD:
		case BAT_SURVEY_FOOTER:
			break;
		}
	}
	if (judging->open) {
		if (!judging->has_hole)
			out->unfinished = out->pieces[judging->begin].offset;
		settle(judging, out->count, judging->has_hole);
	}
}

/* ---- does the footer hold? ------------------------------------------------- */

/* Each row met its event, or lies in a hole. */
static bool
rows_hold(struct survey_walk *walk)
{
	const struct survey_rows *rows = &walk->rows;
	struct bat_survey *out = walk->out;
	size_t at = 0;

	for (uint32_t i = 0; i < rows->count; i++) {
		const struct bat_row *row = &rows->rows[i];
		const struct bat_survey_piece *piece;

		if (rows->met[i])
			continue;
		while (at < out->count &&
		    out->pieces[at].offset + out->pieces[at].length <=
			row->offset)
			at++;
		if (at == out->count)
			return false;
		piece = &out->pieces[at];
		if (piece->kind != BAT_SURVEY_HOLE ||
		    row->length > piece->offset + piece->length - row->offset)
			return false;
		out->lost_rows++;
	}
	return true;
}

static void
forget_rows(struct survey_walk *walk, const char *why)
{
	struct bat_survey *out = walk->out;

	out->footer = BAT_SURVEY_FOOTER_WRONG;
	out->lost_rows = 0;
	if (out->footer_error.code == BAT_OK)
		bat_error_set(&out->footer_error, BAT_DATA_CORRUPT, "%s", why);
}

static void
count(struct bat_survey *out)
{
	out->events = out->dropped = out->holes = out->hole_bytes = 0;
	for (size_t i = 0; i < out->count; i++) {
		const struct bat_survey_piece *piece = &out->pieces[i];

		out->events += piece->kind == BAT_SURVEY_EVENT;
		out->dropped += piece->kind == BAT_SURVEY_DROPPED;
		out->holes += piece->kind == BAT_SURVEY_HOLE;
		if (piece->kind == BAT_SURVEY_HOLE)
			out->hole_bytes += piece->length;
	}
}

void
bat_survey_judge(struct survey_walk *walk)
{
	struct bat_survey *out = walk->out;
	bool has_rows = out->footer == BAT_SURVEY_FOOTER_HOLDS;
	struct judging judging = { .out = out, .by_rows = has_rows };

	if (has_rows && (walk->rows.wrong || !rows_hold(walk))) {
		forget_rows(walk, "a row is not that of a frame");
		has_rows = judging.by_rows = false;
	}
	out->batches = out->unfinished = 0;
	judge_pieces(&judging);
	if (has_rows && judging.lacking) {
		forget_rows(walk, "it has no row of some event");
		judging = (struct judging){ .out = out };
		out->batches = out->unfinished = 0;
		judge_pieces(&judging);
	}
	count(out);
}
