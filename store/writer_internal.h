/* What the parts of the writer share. Not for others. */
#ifndef BAT_WRITER_INTERNAL_H
#define BAT_WRITER_INTERNAL_H

#include "writer.h"

/* Stage, write and answer these batches, one after the other; lead is held. */
void bat_writer_lead(struct bat_writer *writer, struct bat_batch *batch);
/* Carry out recovery's plan; once per session (again after a rebuild). */
int bat_writer_prepare(struct bat_writer *writer, struct bat_error *error);

static inline struct bat_frontier_point
bat_writer_point(const struct bat_row *row)
{
	return (
	    struct bat_frontier_point){ true, row->seq, row->wall_ms, row->id };
}
/* The staged events have got there. */
static inline void
bat_writer_reach(struct bat_writer *writer, enum bat_frontier_which which)
{
	const struct bat_writer_stage *stage = &writer->stage;

	bat_frontier_reach(&writer->frontier, which,
	    bat_writer_point(&stage->rows[stage->row_count - 1]));
}

void bat_writer_stage_init(struct bat_writer_stage *stage);
void bat_writer_stage_clear(struct bat_writer_stage *stage);
void bat_writer_stage_free(struct bat_writer_stage *stage);
/* Keep a row; its offset is relative to the frames of its batch, later to
 * those of the stage, and becomes a place in a segment when written. 0 or
 * BAT_WORLD_NO_MEMORY. */
int bat_writer_stage_row(struct bat_writer_stage *stage,
    const struct bat_row *row);
/* The staged row with this id, the newest of this entity; BAT_MAP_NONE. 0 or
 * BAT_WORLD_NO_MEMORY. */
int bat_writer_staged_id(struct bat_writer_stage *stage,
    const struct bat_id *id, uint32_t *out_row);
int bat_writer_staged_entity(struct bat_writer_stage *stage, uint32_t entity,
    uint32_t *out_row);

/* Another batch is about to be staged. */
void bat_writer_hashes_begin(struct bat_writer_hashes *hashes);
/* Of the payload of the batch's draft `number`; valid until the next call. */
const struct bat_hash *bat_writer_payload_hash(struct bat_writer_hashes *hashes,
    const struct bat_batch *batch, size_t number);
void bat_writer_hashes_free(struct bat_writer_hashes *hashes);
/*
 * Encode a batch behind what is staged: fills committed, code, error and
 * receipts as if it were written. Returns 0, or BAT_WORLD_NO_MEMORY with the
 * stage as before (the batch's code says so too).
 */
int bat_writer_stage_batch(struct bat_writer *writer, struct bat_batch *batch);
/* An event of our own, alone: fills what links it (its corr unless given). 0,
 * or BAT_WORLD_NO_MEMORY: the stage may be given up; others as a draft. */
int bat_writer_stage_own(struct bat_writer *writer,
    const struct bat_draft *draft, struct bat_event *event,
    struct bat_error *error);
/* A gate says no: BAT_STATE_DENIED, and what is to be recorded stands in
 * writer->denied. */
int bat_writer_ask_gates(struct bat_writer *writer,
    const struct bat_batch *batch, const struct bat_draft *draft,
    const struct bat_event *event, struct bat_error *error);
int bat_writer_stage_denial(struct bat_writer *writer, int64_t now_us,
    struct bat_error *error);
void bat_writer_denied_free(struct bat_writer_denied *denied);
/* OPEN or CLOSE, alone. */
int bat_writer_stage_lifecycle(struct bat_writer *writer, uint16_t kind,
    uint64_t wall_ms, struct bat_slice payload, struct bat_error *error);

/* The number of a name, made if new. 0 or BAT_WORLD_NO_MEMORY. */
int bat_writer_name_number(struct bat_writer *writer, struct bat_slice name,
    uint32_t *out);
/* A published row with everything: the index keeps a part, the frame has the
 * rest. 0; BAT_DATA_CORRUPT; BAT_DATA_DISAGREES (writer->disagreed is set);
 * BAT_WORLD_*. */
int bat_writer_read_row(struct bat_writer *writer, uint32_t ordinal,
    struct bat_row *out, struct bat_error *error);
/* The newest visible event of an entity, staged ones included. Returns as
 * read_row. */
int bat_writer_head(struct bat_writer *writer, uint32_t entity,
    struct bat_chain_head *out, struct bat_error *error);
/* The row of a visible or staged event by its id; BAT_END: there is none. */
int bat_writer_row_by_id(struct bat_writer *writer, const struct bat_id *id,
    struct bat_row *out, struct bat_error *error);
void bat_writer_heads_clear(struct bat_writer_heads *heads);
/* Room for more entities, so that note cannot fail. */
int bat_writer_heads_prepare(struct bat_writer_heads *heads, size_t more);
/* row is the newest of its entity now. */
void bat_writer_heads_note(struct bat_writer_heads *heads,
    const struct bat_row *row);
/* Fill cause and, handed down unless given, corr. 0, BAT_STATE_NOT_FOUND. */
int bat_writer_resolve_cause(struct bat_writer *writer,
    const struct bat_batch *batch, const struct bat_draft *draft,
    const struct bat_chain_head *head, struct bat_event *event,
    struct bat_error *error);
/* 0 or BAT_STATE_STALE. */
int bat_writer_check_expectation(const struct bat_draft *draft,
    const struct bat_chain_head *head, struct bat_error *error);
int bat_writer_fresh_id(struct bat_writer *writer, int64_t now_us,
    struct bat_id *out, struct bat_error *error);

/* Answer a batch with an error: nothing of it was stored. */
void bat_writer_fail_batch(struct bat_writer *writer, struct bat_batch *batch,
    int code, const struct bat_error *error);
/* The same for all staged ones; the stage is empty afterwards. */
void bat_writer_fail_stage(struct bat_writer *writer, int code,
    const struct bat_error *error);
/* Answer all staged batches as they stand. */
void bat_writer_answer_stage(struct bat_writer *writer);
/* Call done of each, in the order of submission, with no lock held. */
size_t bat_writer_call_back(struct bat_batch *answered);
/*
 * Write, sync and publish the stage, and answer its batches. After a failure
 * nothing of it is visible; the file was cut back, or the writer is stopped.
 */
int bat_writer_flush(struct bat_writer *writer, struct bat_error *error);
/* From this size on the next segment begins. */
uint64_t bat_writer_segment_limit(const struct bat_writer *writer);
int bat_writer_sync_segment(struct bat_writer *writer, struct bat_error *error);
/* The active segment was synced: all that is visible is on disk. */
void bat_writer_note_synced(struct bat_writer *writer);
/* The footer made and the segment sealed; as bat_segment_writer_seal. */
int bat_writer_seal_segment(struct bat_writer *writer, struct bat_error *error);
/* Seal the segment; the next write makes another. */
int bat_writer_rotate(struct bat_writer *writer, struct bat_error *error);
/* Keep in mind what failed, and whether it was for good. Returns code, with
 * *what in *error. */
int bat_writer_settle(struct bat_writer *writer, int code,
    const struct bat_error *what, struct bat_error *error);
int bat_writer_say_stopped(const struct bat_writer *writer,
    struct bat_error *error);
/* Pins leave the index file out while it is being replaced; index_lock is not
 * held. */
void bat_writer_note_index_file(struct bat_writer *writer, bool there);
/* For status and for later answers: why appending last failed. */
void bat_writer_remember(struct bat_writer *writer, int code,
    const struct bat_error *error);

#endif
