/*
 * Drafts to frames: check, resolve, link, encode. Works on what is published
 * (the index, which only the leader changes) and on what is staged in front.
 */
#include "writer_internal.h"

#include "codec.h"
#include "frame.h"
#include "kind.h"

/* ---- one event ------------------------------------------------------- */

static void
fill_receipt(struct bat_receipt *receipt, const struct bat_row *row,
    bool replayed)
{
	if (receipt != NULL)
		*receipt = (struct bat_receipt){
			.seq = row->seq,
			.id = row->id,
			.hash = row->hash,
			.clock = row->clock,
			.wall_ms = row->wall_ms,
			.replayed = replayed,
		};
}

/* Append the frame of a linked event to writer->items and stage its row. */
static int
encode_event(struct bat_writer *writer, const struct bat_event *event,
    const struct bat_draft *draft, struct bat_receipt *receipt)
{
	size_t start = writer->items.length;
	struct bat_row row = bat_event_row(event);
	int code = bat_frame_open(&writer->items);

	row.entity = writer->names.entity_number;
	row.scope = writer->names.scope_number;
	row.offset = start;
	row.seq = writer->next_seq + writer->stage.row_count;
	row.extensions = draft->extension_count > 0 ? BAT_ROW_EXTENSIONS_SOME :
						      BAT_ROW_EXTENSIONS_NONE;
	if (code == BAT_OK)
		code = bat_codec_encode(event, draft->payload,
		    draft->extensions, draft->extension_count, &writer->items);
	if (code == BAT_OK) {
		bat_frame_seal(&writer->items, start);
		row.length = (uint32_t)(writer->items.length - start);
		code = bat_writer_stage_row(&writer->stage, &row);
	}
	if (code != BAT_OK) {
		writer->items.length = start;
		return code;
	}
	fill_receipt(receipt, &row, false);
	return BAT_OK;
}

/*
 * The names of the draft before, which holds: a batch of lines often goes to
 * one entity, and then they are neither checked nor looked up again (2 000 of
 * 7 300 instructions an event).
 */
static bool
has_names_of_before(const struct bat_writer *writer,
    const struct bat_draft *draft)
{
	const struct bat_writer_names *names = &writer->names;

	return names->known && bat_bytes_equal(names->entity, draft->entity) &&
	    bat_bytes_equal(names->scope, draft->scope);
}

/* Names that were checked get their numbers. */
static int
number_names(struct bat_writer *writer, const struct bat_draft *draft,
    struct bat_error *error)
{
	struct bat_writer_names *names = &writer->names;
	int code;

	*names = (struct bat_writer_names){
		.entity = draft->entity,
		.scope = draft->scope,
	};
	code = bat_writer_name_number(writer, names->entity,
	    &names->entity_number);
	if (code == BAT_OK)
		code = bat_writer_name_number(writer, names->scope,
		    &names->scope_number);
	names->known = code == BAT_OK;
	return code == BAT_OK ?
	    BAT_OK :
	    bat_error_set(error, code, "no memory for a name");
}

/*
 * One draft. A known key answers with the event that has it and writes
 * nothing (DESIGN.md H13: the expectation is not asked then).
 */
static int
stage_draft(struct bat_writer *writer, struct bat_batch *batch,
    const struct bat_draft *draft, int64_t now_us, bool alone)
{
	struct bat_receipt *receipt = batch->receipts == NULL ?
	    NULL :
	    &batch->receipts[batch->committed];
	struct bat_event event = { .id = draft->key };
	struct bat_error *error = &batch->error;
	struct bat_chain_head head;
	struct bat_row known;
	bool again = has_names_of_before(writer, draft);
	int code = again ?
	    bat_event_check_draft_but_names(draft, alone, error) :
	    bat_event_check_draft(draft, alone, error);

	if (code != BAT_OK)
		return code;
	if (!bat_id_is_zero(&draft->key) && !BAT_PLANT(59)) {
		code = bat_writer_row_by_id(writer, &draft->key, &known, error);
		if (code == BAT_OK)
			fill_receipt(receipt, &known, true);
		if (code != BAT_END)
			return code;
		code = BAT_OK;
	}
	if (!again)
		code = number_names(writer, draft, error);
	if (code == BAT_OK)
		code = bat_writer_head(writer, writer->names.entity_number,
		    &head, error);
	if (code == BAT_OK)
		code = bat_writer_check_expectation(draft, &head, error);
	if (code == BAT_OK)
		code = bat_writer_resolve_cause(writer, batch, draft, &head,
		    &event, error);
	if (code == BAT_OK)
		code = bat_writer_ask_gates(writer, batch, draft, &event,
		    error);
	if (code == BAT_OK && bat_id_is_zero(&event.id))
		code = bat_writer_fresh_id(writer, now_us, &event.id, error);
	if (code != BAT_OK)
		return code;
	if (bat_id_is_zero(&event.corr))
		event.corr = event.id;
	event.timestamp_us = now_us;
	event.entity = draft->entity;
	event.scope = draft->scope;
	event.kind = draft->kind;
	event.flags = draft->flags;
	event.lane = draft->lane;
	event.depth = draft->depth;
	code = bat_chain_link_hashed(&head,
	    bat_writer_payload_hash(&writer->hashes, batch,
		(size_t)(draft - batch->drafts)),
	    &event, error);
	if (code != BAT_OK)
		return code;
	code = encode_event(writer, &event, draft, receipt);
	return code == BAT_OK ?
	    BAT_OK :
	    bat_error_set(error, code, "no memory to encode an event");
}

/* ---- one batch ------------------------------------------------------- */

static int
put_marker(struct bat_writer *writer, uint16_t kind, uint64_t first_seq,
    uint32_t count, int64_t now_us)
{
	struct bat_buf *frames = &writer->stage.frames;
	size_t start = frames->length;
	int code = bat_frame_open(frames);

	if (code == BAT_OK)
		code = bat_codec_encode_marker(kind, first_seq, count, now_us,
		    frames);
	if (code == BAT_OK)
		bat_frame_seal(frames, start);
	return code;
}

/*
 * Behind the staged frames: the items alone, or between BEGIN and COMMIT when
 * there are several. Then the rows know their offsets.
 */
static int
put_items(struct bat_writer *writer, size_t first_row, int64_t now_us)
{
	struct bat_writer_stage *stage = &writer->stage;
	size_t count = stage->row_count - first_row;
	size_t before = stage->frames.length, base;
	int code = BAT_OK;

	if (count == 0)
		return BAT_OK;
	if (count > 1)
		code = put_marker(writer, BAT_KIND_BATCH_BEGIN,
		    stage->rows[first_row].seq, (uint32_t)count, now_us);
	base = stage->frames.length;
	if (code == BAT_OK)
		code = bat_bytes_append_slice(&stage->frames,
		    bat_bytes_of_buf(&writer->items));
	if (code == BAT_OK && count > 1)
		code = put_marker(writer, BAT_KIND_BATCH_COMMIT,
		    stage->rows[first_row].seq, 0,
		    bat_clock_wall_us(writer->options->clock));
	if (code != BAT_OK) {
		stage->frames.length = before;
		return code;
	}
	for (size_t i = first_row; i < stage->row_count; i++)
		stage->rows[i].offset += base;
	return BAT_OK;
}

/* A denial that cannot be recorded is refused for that reason. Only without
 * memory the stage is as it should not be. */
static int
record_denial(struct bat_writer *writer, struct bat_batch *batch,
    int64_t now_us)
{
	struct bat_error why = { .text = "" };
	int code = BAT_PLANT(232) ?
	    BAT_OK :
	    bat_writer_stage_denial(writer, now_us, &why);

	if (code == BAT_OK || code == BAT_WORLD_NO_MEMORY)
		return code;
	batch->code = code;
	batch->error = why;
	return BAT_OK;
}

int
bat_writer_stage_batch(struct bat_writer *writer, struct bat_batch *batch)
{
	int64_t now_us = bat_clock_wall_us(writer->options->clock);
	size_t first_row = writer->stage.row_count;
	int code;

	batch->committed = 0;
	batch->code = BAT_OK;
	bat_bytes_clear(&writer->items);
	writer->denied.draft = NULL;
	writer->names.known = false;
	bat_writer_hashes_begin(&writer->hashes);
	for (size_t i = 0;
	     i < batch->count && (batch->code == BAT_OK || BAT_PLANT(60));
	     i++) {
		batch->code = stage_draft(writer, batch, &batch->drafts[i],
		    now_us, batch->count == 1);
		if (batch->code == BAT_OK)
			batch->committed++;
	}
	code = put_items(writer, first_row, now_us);
	if (code == BAT_OK && writer->denied.draft != NULL)
		code = record_denial(writer, batch, now_us);
	if (code != BAT_OK) {
		/* Rows without frames are there: the caller gives the whole
		 * stage up. */
		batch->committed = 0;
		batch->code = bat_error_set(&batch->error, code,
		    "no memory to write a batch");
	}
	return code;
}

int
bat_writer_stage_own(struct bat_writer *writer, const struct bat_draft *draft,
    struct bat_event *event, struct bat_error *error)
{
	size_t first_row = writer->stage.row_count;
	struct bat_chain_head head;
	int code;

	bat_bytes_clear(&writer->items);
	event->entity = draft->entity;
	event->scope = draft->scope;
	code = number_names(writer, draft, error);
	if (code == BAT_OK)
		code = bat_writer_head(writer, writer->names.entity_number,
		    &head, error);
	if (code == BAT_OK)
		code = bat_writer_fresh_id(writer,
		    bat_clock_wall_us(writer->options->clock), &event->id,
		    error);
	if (code != BAT_OK)
		return code;
	if (bat_id_is_zero(&event->corr))
		event->corr = event->id;
	code = bat_chain_link(&head, draft->payload, event, error);
	if (code != BAT_OK)
		return code;
	code = encode_event(writer, event, draft, NULL);
	if (code == BAT_OK)
		code = put_items(writer, first_row, event->timestamp_us);
	return code == BAT_OK ?
	    BAT_OK :
	    bat_error_set(error, code, "no memory to encode an event");
}

int
bat_writer_stage_lifecycle(struct bat_writer *writer, uint16_t kind,
    uint64_t wall_ms, struct bat_slice payload, struct bat_error *error)
{
	const struct bat_draft draft = {
		.entity = bat_bytes_text(BAT_LIFECYCLE_ENTITY),
		.scope = bat_bytes_text(BAT_LIFECYCLE_SCOPE),
		.payload = payload,
	};
	struct bat_event event = {
		.kind = kind,
		.timestamp_us = (int64_t)(wall_ms * 1000),
	};

	return bat_writer_stage_own(writer, &draft, &event, error);
}
