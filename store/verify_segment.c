#include "verify.h"
#include "verify_parts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "kind.h"

/* Of a BEGIN marker (FORMAT.md 4.2). */
enum { BATCH_COUNT_MAX = 1000000 };

/* An event that counts. */
static int
commit(struct bat_verify_state *state, const struct bat_verify_record *record)
{
	int code = bat_verify_link(state, record);

	state->counts->events++;
	return code != 0 ? code : bat_verify_compare(state, record);
}

static int
stage(struct bat_verify_state *state, const struct bat_verify_record *record)
{
	if (state->staged_count == state->staged_capacity) {
		size_t capacity = state->staged_capacity == 0 ?
		    64 :
		    state->staged_capacity * 2;
		struct bat_verify_record *staged = realloc(state->staged,
		    capacity * sizeof(*staged));

		if (staged == NULL)
			return bat_error_set(state->error, BAT_WORLD_NO_MEMORY,
			    "no memory for a batch");
		state->staged = staged;
		state->staged_capacity = capacity;
	}
	state->staged[state->staged_count] = *record;
	state->staged_count++;
	state->remaining--;
	return 0;
}

static void
leave_batch(struct bat_verify_state *state)
{
	state->in_batch = false;
	state->staged_count = 0;
}

static void
drop_batch(struct bat_verify_state *state)
{
	state->counts->dropped += state->staged_count;
	leave_batch(state);
}

static int
begin_batch(struct bat_verify_state *state, const struct bat_event *event,
    uint64_t offset)
{
	int code = 0;

	if (state->in_batch)
		code = bat_verify_report(state, BAT_VERIFY_BATCH,
		    BAT_VERIFY_BROKEN, offset,
		    "a batch begins within the one of offset %" PRIu64,
		    state->batch_offset);
	if (code != 0)
		return code;
	drop_batch(state);
	if (event->payload_size == 0 || event->payload_size > BATCH_COUNT_MAX)
		return bat_verify_report(state, BAT_VERIFY_BATCH,
		    BAT_VERIFY_BROKEN, offset, "a batch of %" PRIu32 " items",
		    event->payload_size);
	state->in_batch = true;
	state->remaining = event->payload_size;
	state->batch_id = event->id;
	state->batch_offset = offset;
	return 0;
}

static int
end_batch(struct bat_verify_state *state, const struct bat_event *event,
    uint64_t offset)
{
	int code = 0;

	if (!state->in_batch)
		return bat_verify_report(state, BAT_VERIFY_ABORTED,
		    BAT_VERIFY_NOTED, offset, "COMMIT of no batch");
	if (!bat_id_equal(&state->batch_id, &event->id))
		code = bat_verify_report(state, BAT_VERIFY_BATCH,
		    BAT_VERIFY_BROKEN, offset,
		    "COMMIT names another batch than BEGIN at %" PRIu64,
		    state->batch_offset);
	if (code != 0)
		return code;
	if (state->remaining > 0) {
		code = bat_verify_report(state, BAT_VERIFY_ABORTED,
		    BAT_VERIFY_NOTED, offset,
		    "COMMIT with %" PRIu32 " items missing: batch given up",
		    state->remaining);
		drop_batch(state);
		return code;
	}
	for (size_t i = 0; code == 0 && i < state->staged_count; i++)
		code = commit(state, &state->staged[i]);
	state->counts->batches++;
	leave_batch(state);
	return code;
}

static int
take_event(struct bat_verify_state *state, const struct bat_segment_item *item)
{
	struct bat_verify_record record;
	int code = bat_verify_event(state, &item->event, item->offset);

	if (code == 0)
		code = bat_verify_record_of(state, item, &record);
	if (code != 0)
		return code;
	if (!state->in_batch)
		return commit(state, &record);
	if (state->remaining > 0)
		return stage(state, &record);
	/* batpak discards the batch and this event (FORMAT.md 4.2). */
	code = bat_verify_report(state, BAT_VERIFY_BATCH, BAT_VERIFY_BROKEN,
	    item->offset,
	    "more events than the batch of offset %" PRIu64 " announces",
	    state->batch_offset);
	state->counts->dropped++;
	drop_batch(state);
	return code;
}

static int
take_frame(struct bat_verify_state *state, const struct bat_segment_item *item,
    const struct bat_error *why)
{
	if (!item->decoded)
		return bat_verify_report(state, BAT_VERIFY_DECODE,
		    BAT_VERIFY_BROKEN, item->offset,
		    "the CRC holds, and it does not decode: %s", why->text);
	state->counts->frames++;
	if (!bat_codec_is_marker(&item->event))
		return take_event(state, item);
	if (item->event.kind == BAT_KIND_BATCH_BEGIN)
		return begin_batch(state, &item->event, item->offset);
	return end_batch(state, &item->event, item->offset);
}

/* Does an index file speak of bytes behind this offset? */
static bool
is_below_watermark(const struct bat_verify_state *state, uint64_t offset)
{
	for (size_t i = 0; i < state->index_count; i++) {
		const struct bat_verify_claims *index = &state->indexes[i];

		if (state->segment < index->watermark_segment ||
		    (state->segment == index->watermark_segment &&
			offset < index->watermark_offset))
			return true;
	}
	return false;
}

/* A trailer that points to where the frames end, whatever its magic: then
 * this was a footer. */
static int
was_footer(struct bat_segment_reader *reader, uint64_t offset, bool *out_was,
    struct bat_error *error)
{
	uint8_t trailer[BAT_SEGMENT_TRAILER_SIZE];
	size_t got = 0;
	int code = 0;

	*out_was = false;
	if (reader->file_size - offset < sizeof(trailer))
		return 0;
	code = bat_file_read(reader->dir->disk, reader->fd, trailer,
	    sizeof(trailer), reader->file_size - sizeof(trailer), &got, error);
	if (code != 0)
		return code;
	*out_was = got == sizeof(trailer) &&
	    (bat_bytes_get_le64(trailer) == offset ||
		memcmp(trailer + 12, "SDX2", 4) == 0);
	return 0;
}

/* Nothing whole follows offset: space ahead, a torn tail, or damage? */
static int
judge_tail(struct bat_verify_state *state, struct bat_segment_reader *reader,
    const struct bat_segment_item *item)
{
	bool footer = false, ahead = false;
	int code = 0;

	if (!reader->has_footer)
		code = was_footer(reader, item->offset, &footer, state->error);
	if (code != 0)
		return code;
	if (footer)
		return bat_verify_report(state, BAT_VERIFY_FOOTER,
		    BAT_VERIFY_BROKEN, item->offset,
		    "a footer that does not hold");
	if (reader->has_footer || !state->is_highest ||
	    is_below_watermark(state, item->offset))
		return bat_verify_report(state, BAT_VERIFY_FRAME,
		    BAT_VERIFY_BROKEN, item->offset,
		    "no frame (%s), and none behind it",
		    bat_frame_state_name(item->state));
	code = bat_segment_reader_is_ahead(reader, item->offset, &ahead,
	    state->error);
	if (code != 0 || ahead)
		return code;
	return bat_verify_report(state, BAT_VERIFY_TORN, BAT_VERIFY_NOTED,
	    item->offset, "torn tail of %" PRIu64 " bytes (%s)",
	    reader->end - item->offset, bat_frame_state_name(item->state));
}

/* The cursor stands at something that is not whole. *out_more: it was moved to
 * a whole frame behind it. */
static int
take_damage(struct bat_verify_state *state, struct bat_segment_reader *reader,
    const struct bat_segment_item *item, bool *out_more)
{
	uint64_t next = 0;
	int code = bat_segment_reader_find_whole(reader, item->offset + 1,
	    &next, state->error);

	*out_more = false;
	if (code == BAT_END || (code == 0 && next >= reader->end))
		return judge_tail(state, reader, item);
	if (code != 0 && code != BAT_DATA_CORRUPT)
		return code;
	*out_more = code == 0;
	code = bat_verify_report(state, BAT_VERIFY_FRAME, BAT_VERIFY_BROKEN,
	    item->offset, "no frame (%s); whole ones follow%s",
	    bat_frame_state_name(item->state),
	    *out_more ? "" : ", or what looks like them");
	if (*out_more)
		bat_segment_reader_seek(reader, next, reader->end);
	return code;
}

static int
walk_frames(struct bat_verify_state *state, struct bat_segment_reader *reader)
{
	struct bat_segment_item item;
	struct bat_error why = { 0 };
	bool more = true;

	while (more) {
		int code = bat_segment_reader_next(reader, &item, &why);

		if (code == BAT_END)
			return 0;
		if (code != 0) {
			if (state->error != NULL)
				*state->error = why;
			return code;
		}
		if (item.state == BAT_FRAME_WHOLE)
			code = take_frame(state, &item, &why);
		else
			code = take_damage(state, reader, &item, &more);
		if (code != 0)
			return code;
	}
	return 0;
}

/* No batch leaves its segment. */
static int
finish_batch(struct bat_verify_state *state,
    const struct bat_segment_reader *reader)
{
	bool is_end = state->is_highest && !reader->has_footer &&
	    !is_below_watermark(state, state->batch_offset);
	uint64_t offset = state->batch_offset;

	if (!state->in_batch)
		return 0;
	drop_batch(state);
	return bat_verify_report(state, BAT_VERIFY_UNFINISHED,
	    is_end ? BAT_VERIFY_NOTED : BAT_VERIFY_BROKEN, offset,
	    "a batch without its COMMIT");
}

static int
check_header(struct bat_verify_state *state,
    const struct bat_segment_reader *reader)
{
	const struct bat_segment_header *header = &reader->header;
	int code = 0;

	if (header->id != reader->id)
		code = bat_verify_report(state, BAT_VERIFY_NUMBER,
		    BAT_VERIFY_BROKEN, 0, "the header says segment %" PRIu64,
		    header->id);
	if (code == 0 && header->flags != 0)
		code = bat_verify_report(state, BAT_VERIFY_FLAGS,
		    BAT_VERIFY_NOTED, 0, "header flags %04x", header->flags);
	return code;
}

/* Why a segment did not open. */
static int
report_closed(struct bat_verify_state *state, int code,
    const struct bat_error *why)
{
	if (code == BAT_DATA_TORN)
		return bat_verify_report(state, BAT_VERIFY_SHORT,
		    state->is_highest && !is_below_watermark(state, 0) ?
			BAT_VERIFY_NOTED :
			BAT_VERIFY_BROKEN,
		    0, "%s", why->text);
	if (code == BAT_DATA_CORRUPT || code == BAT_DATA_FUTURE)
		return bat_verify_report(state, BAT_VERIFY_HEADER,
		    BAT_VERIFY_BROKEN, 0, "%s", why->text);
	if (state->error != NULL)
		*state->error = *why;
	return code;
}

int
bat_verify_segment(struct bat_verify_state *state, uint64_t id, bool is_highest)
{
	struct bat_segment_reader reader;
	struct bat_error why = { 0 };
	int code;

	state->segment = id;
	state->is_highest = is_highest;
	state->reencoded_reported = false;
	state->has_footer = false;
	code = bat_segment_reader_open(&reader, &state->dir, id, &why);
	if (code != 0) {
		state->unfooted_before = true;
		return report_closed(state, code, &why);
	}
	state->counts->segments++;
	code = check_header(state, &reader);
	if (code == 0 && reader.has_footer)
		code = bat_verify_load_footer(state, &reader);
	state->unfooted_before |= !reader.has_footer;
	if (code == 0)
		code = walk_frames(state, &reader);
	if (code == 0)
		code = bat_verify_finish_payloads(state);
	if (code == 0)
		code = finish_batch(state, &reader);
	if (code == 0 && state->has_footer)
		code = bat_verify_finish_claims(state, &state->footer);
	bat_verify_free_claims(&state->footer);
	bat_segment_reader_close(&reader);
	return code;
}
