/*
 * From the stage to the disk and the index, and the answers.
 */
#include "writer_internal.h"

/* To be called back when the lead is free. */
static void
answer_later(struct bat_writer *writer, struct bat_batch *batch)
{
	batch->next = writer->answered;
	writer->answered = batch;
}

void
bat_writer_fail_batch(struct bat_writer *writer, struct bat_batch *batch,
    int code, const struct bat_error *error)
{
	batch->committed = 0;
	batch->code = code;
	batch->error = *error;
	answer_later(writer, batch);
}

/* All staged batches got this error; nothing of them was stored. */
void
bat_writer_fail_stage(struct bat_writer *writer, int code,
    const struct bat_error *error)
{
	struct bat_batch *batch = writer->stage.first;

	while (batch != NULL) {
		struct bat_batch *next = batch->next;

		bat_writer_fail_batch(writer, batch, code, error);
		batch = next;
	}
	bat_writer_stage_clear(&writer->stage);
}

void
bat_writer_answer_stage(struct bat_writer *writer)
{
	struct bat_batch *batch = writer->stage.first;

	while (batch != NULL) {
		struct bat_batch *next = batch->next;

		answer_later(writer, batch);
		batch = next;
	}
	bat_writer_stage_clear(&writer->stage);
}

/* Call back, in the order of submission, with no lock held. */
size_t
bat_writer_call_back(struct bat_batch *answered)
{
	struct bat_batch *ordered = NULL;
	size_t count = 0;

	while (answered != NULL) {
		struct bat_batch *next = answered->next;

		answered->next = ordered;
		ordered = answered;
		answered = next;
	}
	while (ordered != NULL) {
		struct bat_batch *next = ordered->next;

		ordered->done(ordered->context, ordered);
		ordered = next;
		count++;
	}
	return count;
}

/* ---- writing what is staged ------------------------------------------ */

/* All that is visible is on disk; index_lock is held. */
static void
set_durable(struct bat_writer *writer)
{
	writer->durable = (struct bat_pin_point){
		.segment = writer->segment.id,
		.offset = writer->segment.sealed ? writer->segment.synced :
						   writer->segment.size,
		.ordinals = writer->index->count,
	};
}

void
bat_writer_note_synced(struct bat_writer *writer)
{
	writer->synced_seq = writer->next_seq;
	bat_frontier_synced(&writer->frontier);
	pthread_rwlock_wrlock(writer->index_lock);
	set_durable(writer);
	pthread_rwlock_unlock(writer->index_lock);
}

static void
publish(struct bat_writer *writer)
{
	const struct bat_writer_stage *stage = &writer->stage;

	pthread_rwlock_wrlock(writer->index_lock);
	for (size_t i = 0; i < stage->row_count; i++)
		bat_index_insert(writer->index, &stage->rows[i]);
	if (writer->options->durability == BAT_DURABLE_EACH)
		set_durable(writer);
	pthread_rwlock_unlock(writer->index_lock);
	bat_writer_reach(writer, BAT_FRONTIER_VISIBLE);
	for (size_t i = 0; i < stage->row_count; i++) {
		const struct bat_row *row = &stage->rows[i];

		/* The newest of several in a row is enough. */
		if (i + 1 == stage->row_count ||
		    stage->rows[i + 1].entity != row->entity)
			bat_writer_heads_note(&writer->heads, row);
		if (row->wall_ms >= writer->point_wall_ms + BAT_PLANT(67)) {
			writer->point_wall_ms = row->wall_ms;
			writer->point_seq = row->seq;
		}
		if (row->extensions == BAT_ROW_EXTENSIONS_SOME)
			writer->uncovered_extensions = true;
	}
	writer->uncovered_count += stage->row_count;
	writer->next_seq += stage->row_count;
}

int
bat_writer_sync_segment(struct bat_writer *writer, struct bat_error *error)
{
	int code;

	if (!writer->active || writer->segment.sealed || BAT_PLANT(56) ||
	    writer->segment.synced == writer->segment.size)
		return BAT_OK;
	code = bat_writer_confirm(writer, error);
	if (code == BAT_OK)
		code = bat_segment_writer_sync(&writer->segment, error);
	if (code == BAT_OK)
		bat_writer_note_synced(writer);
	return code;
}

static int
make_segment(struct bat_writer *writer, struct bat_error *error)
{
	int64_t now_us = bat_clock_wall_us(writer->options->clock);
	int64_t now_ns = now_us > INT64_MAX / 1000 ? INT64_MAX : now_us * 1000;
	uint64_t id = writer->highest_segment + 1;
	int code = bat_segment_dir_confirm_owner(writer->dir, error);

	if (code == BAT_OK)
		code = bat_segment_writer_create(&writer->segment, writer->dir,
		    id, now_ns, error);

	if (code != BAT_OK)
		return code;
	bat_segment_writer_use_runway(&writer->segment, &writer->runway,
	    bat_writer_segment_limit(writer));
	writer->highest_segment = id;
	writer->active = true;
	return BAT_OK;
}

/* Carry out the plan and make the segment, if that was not done yet; then the
 * staged rows know where they go. */
static int
place_stage(struct bat_writer *writer, struct bat_error *error)
{
	struct bat_writer_stage *stage = &writer->stage;
	int code = bat_writer_prepare(writer, error);

	if (code == BAT_OK && !writer->active)
		code = make_segment(writer, error);
	for (size_t i = 0; code == BAT_OK && i < stage->row_count; i++) {
		stage->rows[i].segment = writer->segment.id;
		stage->rows[i].offset += writer->segment.size;
	}
	return code;
}

/* The stage goes to disk, and is there when this returns 0. */
static int
write_stage(struct bat_writer *writer, struct bat_error *error)
{
	struct bat_writer_stage *stage = &writer->stage;
	int code;

	pthread_rwlock_wrlock(writer->index_lock);
	code = bat_index_prepare(writer->index, stage->rows, stage->row_count);
	pthread_rwlock_unlock(writer->index_lock);
	if (code == BAT_OK)
		code = bat_writer_heads_prepare(&writer->heads,
		    stage->row_count);
	if (code == BAT_DATA_DISAGREES)
		return bat_error_set(error, code,
		    "the sidecar was damaged, the index is made anew; try "
		    "again");
	if (code != BAT_OK)
		return bat_error_set(error, code, "no memory for the index");
	code = bat_segment_writer_append(&writer->segment,
	    bat_bytes_of_buf(&stage->frames), error);
	if (code != BAT_OK)
		return code;
	bat_writer_reach(writer, BAT_FRONTIER_WRITTEN);
	if (writer->options->durability != BAT_DURABLE_EACH || BAT_PLANT(55))
		return BAT_OK;
	code = bat_segment_writer_sync(&writer->segment, error);
	if (code == BAT_OK || BAT_PLANT(230))
		bat_frontier_synced(&writer->frontier);
	return code;
}

/* After a failure: as if nothing had been staged. */
static void
take_back_stage(struct bat_writer *writer, int code,
    const struct bat_error *error)
{
	const struct bat_writer_stage *stage = &writer->stage;

	pthread_rwlock_wrlock(writer->index_lock);
	bat_index_cancel(writer->index, stage->rows, stage->row_count);
	pthread_rwlock_unlock(writer->index_lock);
	writer->stopped = writer->stopped || writer->segment.broken;
	bat_frontier_take_back(&writer->frontier);
	bat_writer_fail_stage(writer, code, error);
}

/*
 * Write, sync and publish the stage, and answer its batches. After a failure
 * nothing of it is visible; the file was cut back, or the writer is stopped.
 */
int
bat_writer_flush(struct bat_writer *writer, struct bat_error *error)
{
	int code;

	if (writer->stage.row_count == 0) {
		bat_writer_answer_stage(writer);
		return BAT_OK;
	}
	bat_writer_reach(writer, BAT_FRONTIER_ACCEPTED);
	code = place_stage(writer, error);
	if (code != BAT_OK) {
		writer->stopped = writer->stopped || code == BAT_STATE_STOPPED;
		bat_frontier_take_back(&writer->frontier);
		bat_writer_fail_stage(writer, code, error);
		return code;
	}
	code = write_stage(writer, error);
	if (code != BAT_OK) {
		take_back_stage(writer, code, error);
		return code;
	}
	writer->opened = true;
	publish(writer);
	if (writer->options->durability == BAT_DURABLE_EACH)
		writer->synced_seq = writer->next_seq;
	bat_writer_answer_stage(writer);
	return BAT_OK;
}
