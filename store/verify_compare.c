#include "verify.h"
#include "verify_parts.h"

#include <inttypes.h>

#include "kind.h"

static int
report_row(struct bat_verify_state *state,
    const struct bat_verify_claims *claims, uint64_t offset, const char *what)
{
	return bat_verify_report(state,
	    claims->is_index ? BAT_VERIFY_INDEX_ROW : BAT_VERIFY_ROW,
	    BAT_VERIFY_BROKEN, offset, "%s: %s", claims->name, what);
}

/* A row that no event answered to. */
static int
report_unmet(struct bat_verify_state *state,
    const struct bat_verify_claims *claims, const struct bat_row *row)
{
	uint64_t segment = state->segment;
	int code;

	state->segment = row->segment;
	code = report_row(state, claims, row->offset, "a row without event");
	state->segment = segment;
	return code;
}

/* Name of the first field that differs, NULL when none does. */
static const char *
find_difference(const struct bat_verify_claims *claims,
    const struct bat_row *row, const struct bat_row *frame)
{
	if (!bat_id_equal(&row->id, &frame->id))
		return "id";
	if (!bat_id_equal(&row->corr, &frame->corr))
		return "correlation";
	if (!bat_id_equal(&row->cause, &frame->cause))
		return "cause";
	if (row->entity != frame->entity)
		return "entity";
	if (row->scope != frame->scope)
		return "scope";
	if (row->clock != frame->clock)
		return "clock";
	if (row->lane != frame->lane || row->depth != frame->depth)
		return "lane or depth";
	if (row->length != frame->length)
		return "length";
	if (row->wall_ms != frame->wall_ms)
		return "wall_ms";
	if (!bat_hash_equal(&row->prev, &frame->prev))
		return "prev_hash";
	if (!bat_hash_equal(&row->hash, &frame->hash))
		return "event_hash";
	/* Indexes may hold kinds as batpak maps them (FORMAT.md 5.3, 7.2). */
	if (row->kind != frame->kind &&
	    (!claims->is_index || row->kind != bat_kind_mapped(frame->kind)))
		return "kind";
	return NULL;
}

/* Extensions of an index row; footers have none. batpak loses them on some
 * ways (DESIGN.md H5), it never invents them. */
static int
compare_extensions(struct bat_verify_state *state,
    const struct bat_verify_claims *claims,
    const struct bat_verify_record *claim,
    const struct bat_verify_record *record)
{
	if (!claim->has_extensions)
		return 0;
	if (claim->extension_count == record->extension_count &&
	    (claim->extension_count == 0 ||
		bat_hash_equal(&claim->extensions, &record->extensions)))
		return 0;
	if (claim->extension_count == 0)
		return bat_verify_report(state, BAT_VERIFY_INDEX_NO_EXT,
		    BAT_VERIFY_NOTED, record->row.offset,
		    "%s lost the extensions of an event", claims->name);
	return report_row(state, claims, record->row.offset,
	    "a row and its frame differ in extensions");
}

/*
 * Numbers rise with the place in the log. Behind a segment without a footer
 * batpak numbers anew when it rebuilds, while later footers keep what they
 * have (DESIGN.md H6).
 */
static int
compare_sequence(struct bat_verify_state *state,
    struct bat_verify_claims *claims, const struct bat_row *row,
    uint64_t *last_seq, bool *has_last_seq)
{
	bool rises = !*has_last_seq || row->seq > *last_seq;
	uint64_t last = *last_seq;

	*last_seq = row->seq;
	*has_last_seq = true;
	if (claims->is_index && row->seq >= claims->allocator)
		return bat_verify_report(state, BAT_VERIFY_SEQUENCE,
		    BAT_VERIFY_BROKEN, row->offset,
		    "%s: sequence %" PRIu64
		    " is not below its allocator %" PRIu64,
		    claims->name, row->seq, claims->allocator);
	if (rises)
		return 0;
	return bat_verify_report(state, BAT_VERIFY_SEQUENCE,
	    state->unfooted_before ? BAT_VERIFY_NOTED : BAT_VERIFY_BROKEN,
	    row->offset, "%s: sequence %" PRIu64 " stands behind %" PRIu64,
	    claims->name, row->seq, last);
}

static bool
same_id(const void *context, uint32_t value, struct bat_slice key)
{
	const struct bat_verify_claims *claims = context;

	return memcmp(claims->rows[value].row.id.bytes, key.data,
		   sizeof(claims->rows[value].row.id.bytes)) == 0;
}

static uint64_t
hash_of_id(const void *context, uint32_t value)
{
	const struct bat_verify_claims *claims = context;

	return bat_map_hash(bat_bytes_slice(claims->rows[value].row.id.bytes,
	    sizeof(claims->rows[value].row.id.bytes)));
}

static int
map_ids(struct bat_verify_claims *claims)
{
	int code;

	if (claims->count >= UINT32_MAX)
		return BAT_WORLD_NO_MEMORY;
	bat_map_init(&claims->by_id, claims, same_id, hash_of_id);
	claims->has_by_id = true;
	code = bat_map_reserve(&claims->by_id, claims->count);
	for (uint32_t i = 0; code == 0 && i < claims->count; i++)
		code = bat_map_put(&claims->by_id,
		    bat_bytes_slice(claims->rows[i].row.id.bytes,
			sizeof(claims->rows[i].row.id.bytes)),
		    i);
	return code;
}

/* An event below the watermark without a row of its own. batpak keeps one of
 * two events with the same id (FORMAT.md 9.2). */
static int
report_lacking(struct bat_verify_state *state, struct bat_verify_claims *claims,
    const struct bat_row *frame)
{
	struct bat_slice id = bat_bytes_slice(frame->id.bytes,
	    sizeof(frame->id.bytes));

	if (!claims->is_index)
		return report_row(state, claims, frame->offset,
		    "an event without a row");
	if (!claims->has_by_id && map_ids(claims) != 0)
		return bat_error_set(state->error, BAT_WORLD_NO_MEMORY,
		    "no memory for the ids of %s", claims->name);
	if (bat_map_find(&claims->by_id, id) != BAT_MAP_NONE)
		return bat_verify_report(state, BAT_VERIFY_INDEX_TWIN,
		    BAT_VERIFY_NOTED, frame->offset,
		    "%s has only another event of this id", claims->name);
	return report_row(state, claims, frame->offset,
	    "an event below the watermark without a row");
}

static bool
is_before(const struct bat_row *row, const struct bat_row *frame)
{
	return row->segment != frame->segment ? row->segment < frame->segment :
						row->offset < frame->offset;
}

static bool
is_promised(const struct bat_verify_claims *claims, const struct bat_row *frame)
{
	return !claims->is_index ||
	    frame->segment < claims->watermark_segment ||
	    (frame->segment == claims->watermark_segment &&
		frame->offset < claims->watermark_offset);
}

static int
compare_with(struct bat_verify_state *state, struct bat_verify_claims *claims,
    const struct bat_verify_record *record, uint64_t *last_seq,
    bool *has_last_seq, const struct bat_row **out_row)
{
	const struct bat_verify_record *claim;
	const char *field;
	int code = 0;

	while (code == 0 && claims->at < claims->count &&
	    is_before(&claims->rows[claims->at].row, &record->row)) {
		code = report_unmet(state, claims,
		    &claims->rows[claims->at].row);
		claims->at++;
	}
	if (code != 0)
		return code;
	if (claims->at == claims->count ||
	    is_before(&record->row, &claims->rows[claims->at].row))
		return is_promised(claims, &record->row) ?
		    report_lacking(state, claims, &record->row) :
		    0;
	claim = &claims->rows[claims->at++];
	*out_row = &claim->row;
	if (claims->is_index)
		state->counts->index_rows++;
	else
		state->counts->footer_rows++;
	field = find_difference(claims, &claim->row, &record->row);
	if (field != NULL)
		return bat_verify_report(state,
		    claims->is_index ? BAT_VERIFY_INDEX_ROW : BAT_VERIFY_ROW,
		    BAT_VERIFY_BROKEN, record->row.offset,
		    "%s: a row and its frame differ in %s", claims->name,
		    field);
	code = compare_extensions(state, claims, claim, record);
	if (code == 0)
		code = compare_sequence(state, claims, &claim->row, last_seq,
		    has_last_seq);
	return code;
}

int
bat_verify_compare(struct bat_verify_state *state,
    const struct bat_verify_record *record)
{
	const struct bat_row *in_footer = NULL;
	int code = 0;

	if (state->has_footer)
		code = compare_with(state, &state->footer, record,
		    &state->footer_last_seq, &state->footer_has_last_seq,
		    &in_footer);
	for (size_t i = 0; code == 0 && i < state->index_count; i++) {
		struct bat_verify_claims *index = &state->indexes[i];
		const struct bat_row *in_index = NULL;

		code = compare_with(state, index, record, &index->last_seq,
		    &index->has_last_seq, &in_index);
		if (code != 0 || in_footer == NULL || in_index == NULL ||
		    in_footer->seq == in_index->seq)
			continue;
		code = bat_verify_report(state, BAT_VERIFY_SEQUENCE,
		    state->unfooted_before ? BAT_VERIFY_NOTED :
					     BAT_VERIFY_BROKEN,
		    record->row.offset,
		    "sequence %" PRIu64 " in the footer, %" PRIu64 " in %s",
		    in_footer->seq, in_index->seq, index->name);
	}
	return code;
}

int
bat_verify_finish_claims(struct bat_verify_state *state,
    struct bat_verify_claims *claims)
{
	int code = 0;

	while (code == 0 && claims->at < claims->count) {
		code = report_unmet(state, claims,
		    &claims->rows[claims->at].row);
		claims->at++;
	}
	return code;
}
