#include "writer_internal.h"

#include <stdlib.h>

#include "kind.h"

/* A group is written when its frames exceed this, however many wait. */
#define GROUP_BYTES (32u << 20)

/* ---- life ------------------------------------------------------------ */

/* The kind of index file that this directory gets (DESIGN.md, "The index
 * file"). */
static bool
wants_rowindex(const struct bat_options *options,
    const struct bat_segment_dir *dir)
{
	if (options->index == BAT_INDEX_FBATI)
		return true;
	return options->index != BAT_INDEX_CKPT && dir->has_rowindex;
}

/* What of a new index is on disk: all but what this session wrote and did not
 * sync. */
static struct bat_pin_point
durable_point(const struct bat_writer *writer, const struct bat_index *index,
    const struct bat_recovery *recovery)
{
	struct bat_pin_point point = bat_pin_end(writer->dir, recovery);

	point.ordinals = index->count;
	if (!writer->active)
		return point;
	point.segment = writer->segment.id;
	point.offset = writer->segment.synced;
	while (point.ordinals > 0 &&
	    bat_index_segment_of(index, point.ordinals - 1) == point.segment &&
	    bat_index_offset_of(index, point.ordinals - 1) >= point.offset)
		point.ordinals--;
	return point;
}

static struct bat_frontier_point
point_of(const struct bat_index_hot *row)
{
	return (
	    struct bat_frontier_point){ true, row->seq, row->wall_ms, row->id };
}

/* The frontier of a new index: all but what is not synced. */
static void
begin_frontier(struct bat_writer *writer)
{
	const struct bat_index *index = writer->index;
	struct bat_frontier_point visible = { .any = false };
	struct bat_frontier_point durable = { .any = false };
	struct bat_row row;

	if (index->visible_count > 0)
		visible = point_of(&index->last_row);
	if (writer->durable.ordinals == index->count) {
		durable = visible;
	} else if (writer->durable.ordinals > 0) {
		bat_index_row(index, writer->durable.ordinals - 1, &row);
		durable = bat_writer_point(&row);
	}
	bat_frontier_begin(&writer->frontier, visible, durable);
}

static void
take_over(struct bat_writer *writer, struct bat_index *index,
    struct bat_recovery *recovery)
{
	unsigned changes = writer->index_file.changes;

	writer->index = index;
	writer->recovery = recovery;
	writer->disagreed = false;
	/* Names have other numbers in another index. */
	bat_writer_heads_clear(&writer->heads);
	writer->prepared = false;
	writer->next_seq = recovery->next_seq;
	writer->synced_seq = recovery->next_seq;
	if (writer->highest_segment < recovery->highest_segment)
		writer->highest_segment = recovery->highest_segment;
	writer->has_index = recovery->has_index;
	writer->source = recovery->source;
	writer->source_version = recovery->source_version;
	writer->watermark_segment = recovery->watermark_segment;
	writer->watermark_offset = recovery->watermark_offset;
	writer->uncovered_count = recovery->uncovered_count;
	writer->uncovered_extensions = recovery->uncovered_extensions;
	writer->uncovered_unknown = recovery->uncovered_unknown;
	writer->unknown_from = recovery->unknown_from;
	writer->durable = durable_point(writer, index, recovery);
	writer->index_file = bat_pin_index_of(recovery);
	writer->index_file.changes = changes + 1;
	begin_frontier(writer);
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
	if (bat_frontier_init(&writer->frontier, options->clock) != BAT_OK)
		return BAT_WORLD_NO_MEMORY;
	take_over(writer, index, recovery);
	bat_writer_stage_init(&writer->stage);
	if (pthread_mutex_init(&writer->compacting, NULL) != 0 ||
	    pthread_mutex_init(&writer->lead, NULL) != 0 ||
	    pthread_mutex_init(&writer->queue_mutex, NULL) != 0 ||
	    pthread_cond_init(&writer->queued, NULL) != 0)
		return BAT_WORLD_NO_MEMORY;
	return bat_runway_init(&writer->runway, dir->disk,
	    options->runway_bytes);
}

void
bat_writer_free(struct bat_writer *writer)
{
	if (writer->active)
		bat_segment_writer_close(&writer->segment);
	bat_runway_free(&writer->runway);
	bat_writer_stage_free(&writer->stage);
	bat_bytes_free(&writer->items);
	bat_bytes_free(&writer->scratch);
	bat_bytes_free(&writer->frame);
	bat_writer_denied_free(&writer->denied);
	bat_writer_hashes_free(&writer->hashes);
	bat_writer_heads_clear(&writer->heads);
	pthread_cond_destroy(&writer->queued);
	pthread_mutex_destroy(&writer->queue_mutex);
	pthread_mutex_destroy(&writer->lead);
	bat_frontier_free(&writer->frontier);
	pthread_mutex_destroy(&writer->compacting);
}

/* Of the segment that is being written the new index may tell more than what
 * was synced. */
static void
tell_synced(struct bat_writer *writer)
{
	const struct bat_index *index = writer->index;
	uint32_t first = bat_index_lower_place(index, index->count,
	    writer->segment.id, writer->segment.synced);

	if (first < index->count && !BAT_PLANT(58) &&
	    bat_index_seq(index, first) < writer->synced_seq)
		writer->synced_seq = bat_index_seq(index, first);
}

/* What was read as a torn tail of the segment that is being written is the
 * runway. */
static void
forget_runway(struct bat_writer *writer)
{
	struct bat_recovery *recovery = writer->recovery;
	size_t kept = 0;

	for (size_t i = 0; i < recovery->cut_count; i++)
		if (recovery->cuts[i].segment != writer->segment.id ||
		    BAT_PLANT(222))
			recovery->cuts[kept++] = recovery->cuts[i];
	recovery->cut_count = kept;
}

void
bat_writer_adopt(struct bat_writer *writer, struct bat_index *index,
    struct bat_recovery *recovery)
{
	take_over(writer, index, recovery);
	if (!writer->active)
		return;
	tell_synced(writer);
	forget_runway(writer);
}

/* OPEN goes in front of the session's first events, in the same write. */
static int
stage_open(struct bat_writer *writer, struct bat_error *error)
{
	uint64_t wall_ms = (uint64_t)bat_clock_wall_us(writer->options->clock) /
	    1000;
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

int
bat_writer_rotate(struct bat_writer *writer, struct bat_error *error)
{
	int code = bat_writer_flush(writer, error);

	if (code == BAT_OK)
		code = bat_writer_seal_segment(writer, error);
	if (code == BAT_OK) {
		bat_writer_note_synced(writer);
		bat_segment_writer_close(&writer->segment);
		writer->active = false;
	}
	writer->stopped = writer->stopped ||
	    (writer->active && writer->segment.broken);
	return code;
}

uint64_t
bat_writer_segment_limit(const struct bat_writer *writer)
{
	uint64_t limit = writer->options->segment_max_bytes;

	return limit == 0 ? (uint64_t)256 << 20 : limit;
}

/* ---- a group --------------------------------------------------------- */

void
bat_writer_remember(struct bat_writer *writer, int code,
    const struct bat_error *error)
{
	/* The sync that failed explains everything that comes after it. */
	if (writer->last_code == BAT_STATE_STOPPED)
		return;
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
		bat_writer_segment_limit(writer))
		code = bat_writer_rotate(writer, error);
	if (code != BAT_OK) {
		bat_writer_fail_batch(writer, batch, code, error);
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
		bat_writer_fail_stage(writer, code, error);
		return code;
	}
	if (stage->frames.length >= GROUP_BYTES)
		code = bat_writer_flush(writer, error);
	return code;
}

/* A stage that holds OPEN and nothing else is not written: a session whose
 * first lines were all refused has appended nothing. */
static bool
only_open_is_staged(const struct bat_writer *writer)
{
	return !writer->opened && writer->stage.row_count == 1;
}

void
bat_writer_lead(struct bat_writer *writer, struct bat_batch *batch)
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
	if (only_open_is_staged(writer) && !BAT_PLANT(57)) {
		bat_writer_answer_stage(writer);
	} else if (writer->stage.first != NULL) {
		int result = bat_writer_flush(writer, &error);

		code = result != BAT_OK ? result : code;
	}
	if (code != BAT_OK)
		bat_writer_remember(writer, code, &error);
	else if (!writer->stopped)
		writer->last_code = BAT_OK;
}
