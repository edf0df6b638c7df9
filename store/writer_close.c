/*
 * Sync, index file, end of the session.
 */
#include "writer_internal.h"

#include "kind.h"

/* Lead is held. */
int
bat_writer_settle(struct bat_writer *writer, int code,
    const struct bat_error *what, struct bat_error *error)
{
	if (code == BAT_OK)
		return code;
	bat_writer_remember(writer, code, what);
	writer->stopped = writer->stopped || code == BAT_STATE_STOPPED ||
	    (writer->active && writer->segment.broken);
	if (error != NULL)
		*error = *what;
	return code;
}

int
bat_writer_say_stopped(const struct bat_writer *writer, struct bat_error *error)
{
	return bat_error_set(error, BAT_STATE_STOPPED,
	    "the writer stopped after a failed sync (%.200s)",
	    writer->last_error.text);
}

int
bat_writer_sync(struct bat_writer *writer, struct bat_error *error)
{
	struct bat_error what = { .code = 0 };
	int code;

	pthread_mutex_lock(&writer->lead);
	code = writer->stopped ?
	    bat_writer_say_stopped(writer, error) :
	    bat_writer_settle(writer, bat_writer_sync_segment(writer, &what),
		&what, error);
	pthread_mutex_unlock(&writer->lead);
	return code;
}

/* Does an event behind the watermark carry extensions, of which its footer did
 * not tell? Their frames do; it is a short tail. */
static bool
tail_has_extensions(struct bat_writer *writer)
{
	struct bat_buf frame = BAT_BUF_EMPTY;
	uint32_t count = writer->index->count;
	uint64_t i = count - writer->uncovered_count;

	if (!writer->uncovered_unknown)
		return false;
	if (i < writer->unknown_from && !BAT_PLANT(391))
		i = writer->unknown_from;
	for (; i < count && !writer->uncovered_extensions; i++) {
		struct bat_event event;
		struct bat_row row;

		bat_index_row(writer->index, (uint32_t)i, &row);
		if (row.extensions == BAT_ROW_EXTENSIONS_UNKNOWN &&
		    bat_segment_reader_read(writer->dir, row.segment,
			row.offset, row.length, &frame, &event,
			NULL) == BAT_OK &&
		    event.extension_count > 0)
			writer->uncovered_extensions = true;
	}
	writer->uncovered_unknown = false;
	writer->unknown_from = count;
	bat_bytes_free(&frame);
	return writer->uncovered_extensions;
}

/* DESIGN.md, "The index file". */
static bool
index_is_due(struct bat_writer *writer)
{
	uint64_t eighth = writer->index->count / 8;
	uint64_t threshold = eighth > 65536 ? eighth : 65536;

	return !writer->has_index || writer->uncovered_extensions ||
	    writer->uncovered_count > threshold || tail_has_extensions(writer);
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
	/* What is laid ahead of the frames is nothing to speak of. */
	if (writer->active && writer->segment.id == *out_segment &&
	    !writer->segment.sealed && !BAT_PLANT(223)) {
		*out_offset = writer->segment.size;
		return BAT_OK;
	}
	bat_segment_name(*out_segment, name);
	code = disk->stat_at(disk->context, writer->dir->dir, name, &stat);
	if (code < 0)
		return bat_error_set_os(error, -code, "cannot stat %s", name);
	*out_offset = stat.size;
	return BAT_OK;
}

void
bat_writer_note_index_file(struct bat_writer *writer, bool there)
{
	pthread_rwlock_wrlock(writer->index_lock);
	writer->index_file = (struct bat_pin_index){
		.there = there,
		.rowindex = writer->as_rowindex,
		.segment = writer->watermark_segment,
		.offset = writer->watermark_offset,
		.changes = writer->index_file.changes + 1,
	};
	pthread_rwlock_unlock(writer->index_lock);
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
		code = bat_writer_sync_segment(writer, error);
	if (code == BAT_OK)
		code = watermark(writer, &input.watermark_segment,
		    &input.watermark_offset, error);
	if (code != BAT_OK)
		return code == BAT_END ? BAT_OK : code;
	bat_writer_note_index_file(writer, false);
	code = bat_checkpointer_write(&input, error);
	if (code == BAT_OK) {
		writer->has_index = true;
		writer->watermark_segment = input.watermark_segment;
		writer->watermark_offset = input.watermark_offset;
		writer->source = input.as_rowindex ? BAT_RECOVERY_ROWINDEX :
						     BAT_RECOVERY_CHECKPOINT;
		writer->source_version = input.as_rowindex ?
		    BAT_ROWINDEX_VERSION :
		    BAT_CHECKPOINT_VERSION;
		writer->uncovered_count = 0;
		writer->uncovered_extensions = false;
		writer->uncovered_unknown = false;
		bat_writer_note_index_file(writer, true);
	}
	return code;
}

/* lead is held. */
static int
checkpoint(struct bat_writer *writer, bool force, struct bat_error *error)
{
	bool other_kind = writer->has_index &&
	    writer->as_rowindex != (writer->source == BAT_RECOVERY_ROWINDEX);
	bool anything = !writer->has_index || writer->uncovered_count > 0 ||
	    writer->uncovered_extensions || (force && other_kind);
	struct bat_error what = { .code = 0 };

	if (writer->stopped)
		return bat_writer_say_stopped(writer, error);
	if (writer->options->index == BAT_INDEX_NONE || !anything)
		return BAT_OK;
	if (!force && (!writer->opened || !index_is_due(writer)))
		return BAT_OK;
	return bat_writer_settle(writer, write_index(writer, &what), &what,
	    error);
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

/* The footer. Where it cannot be written the frames are synced all the same:
 * nobody asks for that later. */
static int
seal(struct bat_writer *writer, struct bat_error *error)
{
	int code;

	if (!writer->active || writer->segment.broken)
		return BAT_OK;
	code = bat_writer_confirm(writer, error);
	if (code == BAT_OK)
		code = bat_writer_seal_segment(writer, error);
	if (code != BAT_OK && !writer->segment.broken &&
	    !writer->segment.sealed)
		(void)bat_segment_writer_sync(&writer->segment, NULL);
	writer->stopped = writer->stopped || writer->segment.broken;
	return code;
}

/* CLOSE and the footer, in that order. */
static int
end_session(struct bat_writer *writer, struct bat_error *error)
{
	struct bat_error later = { .code = 0 };
	int code, second;

	bat_bytes_clear(&writer->scratch);
	code = bat_lifecycle_close_payload(writer->point_wall_ms,
	    writer->point_seq, &writer->scratch);
	if (code == BAT_OK)
		code = bat_writer_stage_lifecycle(writer,
		    BAT_KIND_CLOSE_COMPLETED, writer->point_wall_ms,
		    bat_bytes_of_buf(&writer->scratch), error);
	if (code == BAT_OK)
		code = bat_writer_flush(writer, error);
	bat_writer_stage_clear(&writer->stage);
	/* Also without CLOSE (no space): the footer may still fit. */
	second = seal(writer, &later);
	if (code == BAT_OK && second != BAT_OK && error != NULL)
		*error = later;
	return code == BAT_OK ? second : code;
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
	second = writer->stopped ? BAT_OK : checkpoint(writer, false, &later);
	if (code == BAT_OK && second != BAT_OK) {
		code = second;
		if (error != NULL)
			*error = later;
	}
	pthread_mutex_unlock(&writer->lead);
	return code;
}

/* Nothing of the plan is open, nothing is damaged: rows and files agree. */
static bool
is_sound(const struct bat_writer *writer)
{
	const struct bat_recovery *recovery = writer->recovery;

	if (writer->stopped || writer->disagreed || recovery->refuse ||
	    recovery->damaged_count > 0)
		return false;
	return writer->prepared ||
	    (recovery->cut_count == 0 && !recovery->drop_rowindex &&
		!recovery->drop_checkpoint && !recovery->heal_marker &&
		!recovery->clip_hidden);
}

static void
save_sidecar(struct bat_writer *writer)
{
	const struct bat_recovery *recovery = writer->recovery;
	struct bat_sidecar_state state = {
		.source = writer->source,
		.source_version = writer->source_version,
		.has_index = writer->has_index,
		.next_seq = writer->next_seq,
		.watermark_segment = writer->watermark_segment,
		.watermark_offset = writer->watermark_offset,
		.uncovered_count = writer->uncovered_count,
		.uncovered_extensions = writer->uncovered_extensions,
		.uncovered_unknown = writer->uncovered_unknown,
		.fallbacks = recovery->fallbacks,
		.found_segment = writer->index->merges > 0 ?
		    0 :
		    recovery->highest_segment,
	};
	int64_t now_us = bat_clock_wall_us(writer->options->clock);

	/* A cache: when it cannot be written the next mount is slower. */
	(void)bat_sidecar_save(writer->dir, writer->index, &state,
	    now_us > INT64_MAX / 1000 ? INT64_MAX : now_us * 1000, NULL);
}

void
bat_writer_save_sidecar(struct bat_writer *writer)
{
	pthread_mutex_lock(&writer->lead);
	if (is_sound(writer) &&
	    bat_sidecar_is_due(writer->index, writer->index->count)) {
		/* What footers do not tell is asked of frames once, and not at
		 * the end of each session until the next index file. */
		if (writer->options->index != BAT_INDEX_NONE)
			(void)index_is_due(writer);
		save_sidecar(writer);
	}
	pthread_mutex_unlock(&writer->lead);
}
