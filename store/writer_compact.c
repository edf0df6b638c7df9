/*
 * Compaction beside the append path: the lead is taken to seal what was written
 * until now, and again for the switch; all reading and writing in between has
 * no lock that a group waits for.
 */
#include "writer_internal.h"

/* ---- before ------------------------------------------------------------ */

static int
check_ready(struct bat_writer *writer, struct bat_error *error)
{
	if (writer->stopped)
		return bat_writer_say_stopped(writer, error);
	if (writer->unswept)
		return bat_error_set(error, BAT_WORLD_IO,
		    "an earlier compaction left files behind; mount again, and "
		    "they go with the first append");
	return writer->disagreed ? bat_error_set(error, BAT_DATA_DISAGREES,
				       "a row is not that of its frame") :
				   BAT_OK;
}

/* M gets an id that nobody had or has; the one above is that of an empty
 * segment, should one be needed. */
static void
take_ids(struct bat_writer *writer, struct bat_compaction *job)
{
	job->merged = writer->highest_segment + 1;
	writer->highest_segment += 2;
}

/* Choose; lead is held. What was written until now is a sealed segment
 * then. */
static int
begin(struct bat_writer *writer, struct bat_compaction *job,
    struct bat_error *error)
{
	uint64_t limit = bat_writer_segment_limit(writer);
	int code = check_ready(writer, error);

	if (code == BAT_OK)
		code = bat_writer_prepare(writer, error);
	if (code == BAT_OK)
		code = bat_compaction_choose(job, limit, error);
	if (code != BAT_OK)
		return code;
	if (writer->active)
		code = bat_writer_rotate(writer, error);
	/* With what it has got by now. */
	if (code == BAT_OK)
		code = bat_compaction_choose(job, limit, error);
	if (code == BAT_OK)
		take_ids(writer, job);
	return code;
}

/* ---- the switch -------------------------------------------------------- */

/* They speak of places that will be others. */
static int
drop_index_files(struct bat_writer *writer, struct bat_error *error)
{
	const struct bat_disk *disk = writer->dir->disk;
	int dir = writer->dir->dir;
	int code;

	bat_writer_note_index_file(writer, false);
	writer->has_index = false;
	writer->uncovered_count = writer->index->count;
	writer->uncovered_unknown = true;
	writer->unknown_from = 0;
	if (BAT_PLANT(257))
		return BAT_OK;
	code = bat_file_unlink(disk, dir, BAT_ROWINDEX_FILE, error);
	if (code == BAT_OK)
		code = bat_file_unlink(disk, dir, BAT_CHECKPOINT_FILE, error);
	return code == BAT_OK ? bat_file_sync(disk, dir, error) : code;
}

/* What readers see changes at once: the list of segments, the places of rows,
 * how far pins go. */
static int
move_over(struct bat_writer *writer, const struct bat_compaction *job,
    struct bat_segment_dir *found, struct bat_error *error)
{
	int code = BAT_OK;

	pthread_rwlock_wrlock(writer->index_lock);
	if (writer->index->broken) {
		bat_segment_dir_drop(found);
		code = bat_error_set(error, BAT_DATA_DISAGREES,
		    "the sidecar was damaged");
	}
	if (code == BAT_OK)
		code = bat_segment_dir_adopt(writer->dir, found, error);
	if (code == BAT_OK) {
		bat_index_merge(writer->index, job->ids, job->count,
		    job->merged, job->moves, job->move_count);
		if (writer->durable.segment < job->merged) {
			writer->durable.segment = job->merged;
			writer->durable.offset = job->bytes_after;
		}
	}
	pthread_rwlock_unlock(writer->index_lock);
	return code;
}

/* Lead is held. */
static int
switch_over(struct bat_writer *writer, struct bat_compaction *job,
    struct bat_error *error)
{
	struct bat_segment_dir found;
	int code = check_ready(writer, error);

	if (code == BAT_OK && writer->index != job->index)
		code = bat_error_set(error, BAT_DATA_DISAGREES,
		    "the index was made anew");
	if (code == BAT_OK)
		code = drop_index_files(writer, error);
	if (code == BAT_OK)
		code = bat_compaction_install(job, &found, error);
	return code == BAT_OK ? move_over(writer, job, &found, error) : code;
}

/* ---- all of it --------------------------------------------------------- */

static int
begin_locked(struct bat_writer *writer, struct bat_compaction *job,
    struct bat_error *error)
{
	int code;

	pthread_mutex_lock(&writer->lead);
	job->index = writer->index;
	code = begin(writer, job, error);
	pthread_mutex_unlock(&writer->lead);
	return code;
}

static int
finish(struct bat_writer *writer, struct bat_compaction *job,
    struct bat_error *error)
{
	int code = bat_compaction_mark(job, error);

	if (code != BAT_OK)
		return code;
	pthread_mutex_lock(&writer->lead);
	code = switch_over(writer, job, error);
	pthread_mutex_unlock(&writer->lead);
	if (code == BAT_OK)
		code = bat_compaction_sweep(job, error);
	if (code == BAT_OK)
		return BAT_OK;
	pthread_mutex_lock(&writer->lead);
	/* M is there, and not all that it stands for is gone. */
	writer->unswept = job->installed;
	pthread_mutex_unlock(&writer->lead);
	return code;
}

static int
compact(struct bat_writer *writer, struct bat_compaction *job,
    struct bat_compacted *out, struct bat_error *error)
{
	int code = begin_locked(writer, job, error);

	*out = (struct bat_compacted){
		.segments = code == BAT_OK ? job->count : 0,
		.full = job->full,
		.bytes_before = job->bytes_before,
		.bytes_after = job->bytes_before,
	};
	if (code != BAT_OK)
		return code;
	code = bat_compaction_build(job, error);
	if (code == BAT_OK)
		code = finish(writer, job, error);
	if (code != BAT_OK)
		return code;
	out->performed = true;
	out->merged = job->merged;
	out->events = job->events;
	out->bytes_after = job->bytes_after;
	code = bat_writer_checkpoint(writer, true, error);
	if (code != BAT_OK)
		bat_error_prefix(error,
		    "the segments are merged, but the index file");
	return code;
}

int
bat_writer_compact(struct bat_writer *writer, struct bat_compacted *out,
    struct bat_error *error)
{
	struct bat_compaction job = {
		.dir = writer->dir,
		.index_lock = writer->index_lock,
		.stop = &writer->stop_compacting,
	};
	struct bat_error what = { .code = 0 }, left = { .code = 0 };
	int code;

	pthread_mutex_lock(&writer->compacting);
	code = compact(writer, &job, out, &what);
	job.stopped = code == BAT_STATE_STOPPED;
	if (bat_compaction_free(&job, job.stopped ? NULL : &left) ==
	    BAT_STATE_STOPPED) {
		code = BAT_STATE_STOPPED;
		what = left;
	}
	if (code == BAT_STATE_STOPPED) {
		pthread_mutex_lock(&writer->lead);
		(void)bat_writer_settle(writer, code, &what, NULL);
		pthread_mutex_unlock(&writer->lead);
	}
	if (code < 0 && error != NULL)
		*error = what;
	pthread_mutex_unlock(&writer->compacting);
	return code == BAT_END ? BAT_OK : code;
}
