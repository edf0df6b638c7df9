#include "writer_internal.h"

#include <stdlib.h>

#include "kind.h"

/* A group is written when its frames exceed this, however many wait. */
#define GROUP_BYTES (32u << 20)

/* ---- life ------------------------------------------------------------ */

/* The kind of index file that this directory gets (design 5). */
static bool
wants_rowindex(const struct bat_options *options,
    const struct bat_segment_dir *dir)
{
	if (options->index == BAT_INDEX_FBATI)
		return true;
	return options->index != BAT_INDEX_CKPT && dir->has_rowindex;
}

static void
take_over(struct bat_writer *writer, struct bat_index *index,
    struct bat_recovery *recovery)
{
	writer->index = index;
	writer->recovery = recovery;
	writer->prepared = false;
	writer->next_seq = recovery->next_seq;
	writer->synced_seq = recovery->next_seq;
	if (writer->highest_segment < recovery->highest_segment)
		writer->highest_segment = recovery->highest_segment;
	writer->has_index = recovery->has_index;
	writer->uncovered_count = recovery->uncovered_count;
	writer->uncovered_extensions = recovery->uncovered_extensions;
}

int
bat_writer_init(struct bat_writer *writer, struct bat_segment_dir *dir,
    struct bat_index *index, struct bat_recovery *recovery,
    pthread_rwlock_t *index_lock, const struct bat_options *options)
{
	memset(writer, 0, sizeof(*writer));
	writer->dir = dir;
	writer->index_lock = index_lock;
	writer->options = options;
	writer->as_rowindex = wants_rowindex(options, dir);
	take_over(writer, index, recovery);
	bat_writer_stage_init(&writer->stage);
	if (pthread_mutex_init(&writer->lead, NULL) != 0 ||
	    pthread_mutex_init(&writer->queue_mutex, NULL) != 0 ||
	    pthread_cond_init(&writer->queued, NULL) != 0)
		return BAT_WORLD_NO_MEMORY;
	return BAT_OK;
}

void
bat_writer_free(struct bat_writer *writer)
{
	if (writer->active)
		bat_segment_writer_close(&writer->segment);
	bat_writer_stage_free(&writer->stage);
	bat_bytes_free(&writer->items);
	bat_bytes_free(&writer->scratch);
	pthread_cond_destroy(&writer->queued);
	pthread_mutex_destroy(&writer->queue_mutex);
	pthread_mutex_destroy(&writer->lead);
}

void
bat_writer_adopt(struct bat_writer *writer, struct bat_index *index,
    struct bat_recovery *recovery)
{
	take_over(writer, index, recovery);
}

/* ---- answering ------------------------------------------------------- */

/* To be called back when the lead is free. */
static void
answer_later(struct bat_writer *writer, struct bat_batch *batch)
{
	batch->next = writer->answered;
	writer->answered = batch;
}

static void
fail_batch(struct bat_writer *writer, struct bat_batch *batch, int code,
    const struct bat_error *error)
{
	batch->committed = 0;
	batch->code = code;
	batch->error = *error;
	answer_later(writer, batch);
}

/* All staged batches got this error; nothing of them was stored. */
static void
fail_stage(struct bat_writer *writer, int code, const struct bat_error *error)
{
	struct bat_batch *batch = writer->stage.first;

	while (batch != NULL) {
		struct bat_batch *next = batch->next;

		fail_batch(writer, batch, code, error);
		batch = next;
	}
	bat_writer_stage_clear(&writer->stage);
}

static void
answer_stage(struct bat_writer *writer)
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
static size_t
call_back(struct bat_batch *answered)
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

static void
publish(struct bat_writer *writer)
{
	const struct bat_writer_stage *stage = &writer->stage;

	pthread_rwlock_wrlock(writer->index_lock);
	for (size_t i = 0; i < stage->row_count; i++)
		bat_index_insert(writer->index, &stage->rows[i]);
	pthread_rwlock_unlock(writer->index_lock);
	for (size_t i = 0; i < stage->row_count; i++) {
		const struct bat_row *row = &stage->rows[i];

		if (row->wall_ms >= writer->point_wall_ms) {
			writer->point_wall_ms = row->wall_ms;
			writer->point_seq = row->seq;
		}
		if (row->extensions == BAT_ROW_EXTENSIONS_SOME)
			writer->uncovered_extensions = true;
	}
	writer->uncovered_count += stage->row_count;
	writer->next_seq += stage->row_count;
}

static int
sync_segment(struct bat_writer *writer, struct bat_error *error)
{
	int code;

	if (!writer->active || writer->segment.synced == writer->segment.size)
		return BAT_OK;
	code = bat_segment_writer_sync(&writer->segment, error);
	if (code == BAT_OK)
		writer->synced_seq = writer->next_seq;
	return code;
}

static int
make_segment(struct bat_writer *writer, struct bat_error *error)
{
	int64_t now_us = bat_clock_wall_us(writer->options->clock);
	int64_t now_ns = now_us > INT64_MAX / 1000 ? INT64_MAX : now_us * 1000;
	uint64_t id = writer->highest_segment + 1;
	int code = bat_segment_writer_create(&writer->segment, writer->dir, id,
	    now_ns, error);

	if (code != BAT_OK)
		return code;
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

/* Rows for the footer, noted before the frames are written: if there is no
 * memory for them nothing has happened yet. */
static int
note_rows(struct bat_writer *writer)
{
	size_t before = writer->segment.row_count;
	int code = BAT_OK;

	for (size_t i = 0; code == BAT_OK && i < writer->stage.row_count; i++)
		code = bat_segment_writer_note(&writer->segment,
		    &writer->stage.rows[i]);
	if (code != BAT_OK)
		writer->segment.row_count = before;
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
		code = note_rows(writer);
	if (code != BAT_OK)
		return bat_error_set(error, code, "no memory for the index");
	code = bat_segment_writer_append(&writer->segment,
	    bat_bytes_of_buf(&stage->frames), error);
	if (code == BAT_OK && writer->options->durability == BAT_DURABLE_EACH)
		code = bat_segment_writer_sync(&writer->segment, error);
	return code;
}

/* After a failure: as if nothing had been staged. */
static void
take_back_stage(struct bat_writer *writer, size_t footer_rows, int code,
    const struct bat_error *error)
{
	const struct bat_writer_stage *stage = &writer->stage;

	writer->segment.row_count = footer_rows;
	pthread_rwlock_wrlock(writer->index_lock);
	bat_index_cancel(writer->index, stage->rows, stage->row_count);
	pthread_rwlock_unlock(writer->index_lock);
	writer->stopped = writer->stopped || writer->segment.broken;
	fail_stage(writer, code, error);
}

/*
 * Write, sync and publish the stage, and answer its batches. After a failure
 * nothing of it is visible; the file was cut back, or the writer is stopped.
 */
static int
flush_stage(struct bat_writer *writer, struct bat_error *error)
{
	size_t footer_rows;
	int code;

	if (writer->stage.row_count == 0) {
		answer_stage(writer);
		return BAT_OK;
	}
	code = place_stage(writer, error);
	if (code != BAT_OK) {
		fail_stage(writer, code, error);
		return code;
	}
	footer_rows = writer->segment.row_count;
	code = write_stage(writer, error);
	if (code != BAT_OK) {
		take_back_stage(writer, footer_rows, code, error);
		return code;
	}
	writer->opened = true;
	publish(writer);
	if (writer->options->durability == BAT_DURABLE_EACH)
		writer->synced_seq = writer->next_seq;
	answer_stage(writer);
	return BAT_OK;
}

/* OPEN goes in front of the session's first events, in the same write. */
static int
stage_open(struct bat_writer *writer, struct bat_error *error)
{
	uint64_t wall_ms =
	    (uint64_t)bat_clock_wall_us(writer->options->clock) / 1000;
	int code;

	if (wall_ms < writer->index->max_wall_ms)
		wall_ms = writer->index->max_wall_ms;
	if (wall_ms > BAT_EVENT_WALL_MS_MAX)
		return bat_error_set(error, BAT_DATA_REFUSED,
		    "an event of this store is dated behind the end of time "
		    "(wall_ms %llu); batpak cannot open it for writing either",
		    (unsigned long long)wall_ms);
	bat_bytes_clear(&writer->scratch);
	code = bat_lifecycle_open_payload(writer->recovery,
	    writer->open_elapsed_us, &writer->scratch);
	if (code != BAT_OK)
		return bat_error_set(error, code, "no memory for OPEN");
	return bat_writer_stage_lifecycle(writer, BAT_KIND_OPEN_COMPLETED,
	    wall_ms, bat_bytes_of_buf(&writer->scratch), error);
}

/* Everything that must be true before an event can be staged. */
static int
make_ready(struct bat_writer *writer, struct bat_error *error)
{
	int code = BAT_OK;

	if (writer->stopped)
		return bat_error_set(error, BAT_STATE_STOPPED,
		    "the writer stopped after a failed sync (%.200s); mount "
		    "again to go on with what the disk has",
		    writer->last_error.text);
	if (!writer->opened && writer->stage.row_count == 0)
		code = stage_open(writer, error);
	if (code != BAT_OK)
		bat_writer_stage_clear(&writer->stage);
	return code;
}

/* Seal the segment; the next write makes another. */
static int
rotate(struct bat_writer *writer, struct bat_error *error)
{
	int code = flush_stage(writer, error);

	if (code == BAT_OK)
		code = bat_segment_writer_seal(&writer->segment,
		    &writer->index->names, error);
	if (code == BAT_OK) {
		writer->synced_seq = writer->next_seq;
		bat_segment_writer_close(&writer->segment);
		writer->active = false;
	}
	writer->stopped = writer->stopped ||
	    (writer->active && writer->segment.broken);
	return code;
}

static uint64_t
segment_limit(const struct bat_writer *writer)
{
	uint64_t limit = writer->options->segment_max_bytes;

	return limit == 0 ? (uint64_t)256 << 20 : limit;
}

/* ---- a group --------------------------------------------------------- */

static void
remember(struct bat_writer *writer, int code, const struct bat_error *error)
{
	if (code != BAT_STATE_STOPPED || writer->last_code == BAT_OK)
		writer->last_error = *error;
	writer->last_code = code;
}

/* Rotate where batpak does: in front of a batch, never inside. */
static int
lead_batch(struct bat_writer *writer, struct bat_batch *batch,
    struct bat_error *error)
{
	struct bat_writer_stage *stage = &writer->stage;
	int code = make_ready(writer, error);

	if (code == BAT_OK && writer->active &&
	    writer->segment.size + stage->frames.length >=
		segment_limit(writer))
		code = rotate(writer, error);
	if (code != BAT_OK) {
		fail_batch(writer, batch, code, error);
		return code;
	}
	code = bat_writer_stage_batch(writer, batch);
	batch->next = NULL;
	if (stage->first == NULL)
		stage->first = batch;
	else
		stage->last->next = batch;
	stage->last = batch;
	if (code != BAT_OK) {
		*error = batch->error;
		fail_stage(writer, code, error);
		return code;
	}
	if (stage->frames.length >= GROUP_BYTES)
		code = flush_stage(writer, error);
	return code;
}

/* A stage that holds OPEN and nothing else is not written: a session whose
 * first lines were all refused has appended nothing. */
static bool
only_open_is_staged(const struct bat_writer *writer)
{
	return !writer->opened && writer->stage.row_count == 1;
}

static void
lead_group(struct bat_writer *writer, struct bat_batch *batch)
{
	struct bat_error error = { .code = 0 };
	int code = BAT_OK;

	while (batch != NULL) {
		struct bat_batch *next = batch->next;
		int result = lead_batch(writer, batch, &error);

		if (result != BAT_OK)
			code = result;
		batch = next;
	}
	if (only_open_is_staged(writer)) {
		answer_stage(writer);
	} else if (writer->stage.first != NULL) {
		int result = flush_stage(writer, &error);

		code = result != BAT_OK ? result : code;
	}
	if (code != BAT_OK)
		remember(writer, code, &error);
	else if (!writer->stopped)
		writer->last_code = BAT_OK;
}

/* ---- the queue ------------------------------------------------------- */

void
bat_writer_submit(struct bat_writer *writer, struct bat_batch *batch)
{
	batch->next = NULL;
	batch->committed = 0;
	batch->code = BAT_OK;
	memset(&batch->error, 0, sizeof(batch->error));
	pthread_mutex_lock(&writer->queue_mutex);
	if (writer->queue_first == NULL)
		writer->queue_first = batch;
	else
		writer->queue_last->next = batch;
	writer->queue_last = batch;
	pthread_cond_broadcast(&writer->queued);
	pthread_mutex_unlock(&writer->queue_mutex);
}

void
bat_writer_wake(struct bat_writer *writer)
{
	pthread_mutex_lock(&writer->queue_mutex);
	writer->woken = true;
	pthread_cond_broadcast(&writer->queued);
	pthread_mutex_unlock(&writer->queue_mutex);
}

size_t
bat_writer_run(struct bat_writer *writer, bool wait)
{
	struct bat_batch *batch, *answered;

	if (wait) {
		pthread_mutex_lock(&writer->queue_mutex);
		while (writer->queue_first == NULL && !writer->woken)
			pthread_cond_wait(&writer->queued,
			    &writer->queue_mutex);
		writer->woken = false;
		pthread_mutex_unlock(&writer->queue_mutex);
	}
	pthread_mutex_lock(&writer->lead);
	pthread_mutex_lock(&writer->queue_mutex);
	batch = writer->queue_first;
	writer->queue_first = writer->queue_last = NULL;
	pthread_mutex_unlock(&writer->queue_mutex);
	if (batch != NULL)
		lead_group(writer, batch);
	answered = writer->answered;
	writer->answered = NULL;
	pthread_mutex_unlock(&writer->lead);
	return call_back(answered);
}

/* ---- sync, checkpoint, close ----------------------------------------- */

int
bat_writer_sync(struct bat_writer *writer, struct bat_error *error)
{
	int code;

	pthread_mutex_lock(&writer->lead);
	if (writer->stopped)
		code = bat_error_set(error, BAT_STATE_STOPPED,
		    "the writer stopped after a failed sync");
	else
		code = sync_segment(writer, error);
	if (code != BAT_OK && code != BAT_STATE_STOPPED && error != NULL)
		remember(writer, code, error);
	writer->stopped = writer->stopped ||
	    (writer->active && writer->segment.broken);
	pthread_mutex_unlock(&writer->lead);
	return code;
}

/* Design 5, "Written back". */
static bool
index_is_due(const struct bat_writer *writer)
{
	uint64_t eighth = writer->index->count / 8;
	uint64_t threshold = eighth > 65536 ? eighth : 65536;

	return !writer->has_index || writer->uncovered_extensions ||
	    writer->uncovered_count > threshold;
}

/* How far the index may speak: the end of what is on disk. */
static int
watermark(struct bat_writer *writer, uint64_t *out_segment,
    uint64_t *out_offset, struct bat_error *error)
{
	const struct bat_disk *disk = writer->dir->disk;
	struct bat_file_stat stat;
	char name[BAT_SEGMENT_NAME_SIZE];
	size_t count = writer->dir->count;
	int code;

	if (count == 0)
		return BAT_END;
	*out_segment = writer->dir->segments[count - 1].id;
	bat_segment_name(*out_segment, name);
	code = disk->stat_at(disk->context, writer->dir->dir, name, &stat);
	if (code < 0)
		return bat_error_set_os(error, -code, "cannot stat %s", name);
	*out_offset = stat.size;
	return BAT_OK;
}

static int
write_index(struct bat_writer *writer, struct bat_error *error)
{
	struct bat_checkpointer_input input = {
		.dir = writer->dir,
		.index = writer->index,
		.allocator = writer->next_seq,
		.fallbacks = writer->recovery->fallbacks,
		.as_rowindex = writer->as_rowindex,
	};
	int code = bat_writer_prepare(writer, error);

	if (code == BAT_OK)
		code = sync_segment(writer, error);
	if (code == BAT_OK)
		code = watermark(writer, &input.watermark_segment,
		    &input.watermark_offset, error);
	if (code != BAT_OK)
		return code == BAT_END ? BAT_OK : code;
	code = bat_checkpointer_write(&input, error);
	if (code == BAT_OK) {
		writer->has_index = true;
		writer->uncovered_count = 0;
		writer->uncovered_extensions = false;
	}
	return code;
}

/* lead is held. */
static int
checkpoint(struct bat_writer *writer, bool force, struct bat_error *error)
{
	bool anything = !writer->has_index || writer->uncovered_count > 0 ||
	    writer->uncovered_extensions;

	if (writer->stopped)
		return bat_error_set(error, BAT_STATE_STOPPED,
		    "the writer stopped after a failed sync");
	if (writer->options->index == BAT_INDEX_NONE || !anything)
		return BAT_OK;
	if (!force && (!writer->opened || !index_is_due(writer)))
		return BAT_OK;
	return write_index(writer, error);
}

int
bat_writer_checkpoint(struct bat_writer *writer, bool force,
    struct bat_error *error)
{
	int code;

	pthread_mutex_lock(&writer->lead);
	code = checkpoint(writer, force, error);
	pthread_mutex_unlock(&writer->lead);
	return code;
}

/* CLOSE and the footer, in that order. */
static int
end_session(struct bat_writer *writer, struct bat_error *error)
{
	int code;

	bat_bytes_clear(&writer->scratch);
	code = bat_lifecycle_close_payload(writer->point_wall_ms,
	    writer->point_seq, &writer->scratch);
	if (code == BAT_OK)
		code = bat_writer_stage_lifecycle(writer,
		    BAT_KIND_CLOSE_COMPLETED, writer->point_wall_ms,
		    bat_bytes_of_buf(&writer->scratch), error);
	if (code == BAT_OK)
		code = flush_stage(writer, error);
	bat_writer_stage_clear(&writer->stage);
	if (!writer->active || writer->segment.broken)
		return code;
	/* Also without CLOSE (no space): the footer may still fit. */
	return bat_segment_writer_seal(&writer->segment, &writer->index->names,
		   error) == BAT_OK
	    ? code
	    : BAT_WORLD_IO;
}

int
bat_writer_close(struct bat_writer *writer, struct bat_error *error)
{
	struct bat_error later = { .code = 0 };
	int code = BAT_OK, second;

	(void)bat_writer_run(writer, false);
	pthread_mutex_lock(&writer->lead);
	if (writer->stopped)
		code = bat_error_set(error, BAT_STATE_STOPPED,
		    "the writer had stopped: %.400s", writer->last_error.text);
	else if (writer->opened)
		code = end_session(writer, error);
	second = code == BAT_STATE_STOPPED ? BAT_OK
					   : checkpoint(writer, false, &later);
	if (code == BAT_OK && second != BAT_OK) {
		code = second;
		if (error != NULL)
			*error = later;
	}
	pthread_mutex_unlock(&writer->lead);
	return code;
}
