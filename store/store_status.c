/* What opening found and what happened since. */
#include <stdio.h>

#include "store_internal.h"

static enum bat_source
source_of(enum bat_recovery_source source)
{
	switch (source) {
	case BAT_RECOVERY_NEW:
		return BAT_SOURCE_NEW;
	case BAT_RECOVERY_ROWINDEX:
		return BAT_SOURCE_ROWINDEX;
	case BAT_RECOVERY_CHECKPOINT:
		return BAT_SOURCE_CHECKPOINT;
	case BAT_RECOVERY_FOOTERS:
		return BAT_SOURCE_FOOTERS;
	case BAT_RECOVERY_FRAMES:
		break;
	}
	return BAT_SOURCE_FRAMES;
}

const char *
bat_source_name(enum bat_source source)
{
	switch (source) {
	case BAT_SOURCE_NEW:
		return "new";
	case BAT_SOURCE_ROWINDEX:
		return "index.fbati";
	case BAT_SOURCE_CHECKPOINT:
		return "index.ckpt";
	case BAT_SOURCE_FOOTERS:
		return "footers";
	case BAT_SOURCE_SIDECAR:
		return "sidecar";
	case BAT_SOURCE_FRAMES:
		break;
	}
	return "frames";
}

static void
writer_status(struct bat_store *store, struct bat_status *out)
{
	struct bat_writer *writer = &store->writer;
	const struct bat_segment_dir *dir;

	struct bat_error error;

	pthread_mutex_lock(&writer->lead);
	dir = store->view->dir;
	out->appended = writer->opened;
	out->stopped = writer->stopped;
	out->writer_code = writer->last_code;
	error = writer->last_error;
	/* Nobody has to try an append to hear that it would fail. */
	if (out->writer_code == BAT_OK)
		out->writer_code = bat_writer_confirm(writer, &error);
	if (out->writer_code != BAT_OK)
		snprintf(out->writer_text, sizeof(out->writer_text), "%s",
		    error.text);
	out->durable_seq_plus_1 = writer->synced_seq;
	out->uncovered_count = writer->uncovered_count;
	for (size_t i = 0; i < dir->count; i++)
		if (!writer->active ||
		    dir->segments[i].id != writer->segment.id)
			out->segment_bytes += dir->segments[i].stat.size;
	out->segment_bytes += writer->active ? writer->segment.size : 0;
	out->segment_count = dir->count;
	out->follow_code = store->follow_code;
	if (store->follow_code != BAT_OK)
		snprintf(out->follow_text, sizeof(out->follow_text), "%s",
		    store->follow_error.text);
	pthread_mutex_unlock(&writer->lead);
}

void
bat_status(struct bat_store *store, struct bat_status *out)
{
	const struct bat_recovery *recovery;
	struct bat_head head;

	memset(out, 0, sizeof(*out));
	writer_status(store, out);
	bat_head(store, &head);
	pthread_rwlock_rdlock(&store->lock);
	recovery = &store->view->recovery;
	out->source = recovery->from_sidecar ? BAT_SOURCE_SIDECAR :
					       source_of(recovery->source);
	out->source_version = recovery->source_version;
	out->restored_count = recovery->restored_count;
	out->tail_count = recovery->tail_count;
	out->damaged_count = recovery->damaged_count;
	out->hidden_count = store->view->index.count -
	    store->view->index.visible_count;
	pthread_rwlock_unlock(&store->lock);
	out->open_ns = store->open_ns;
	out->read_only = store->options.read_only;
	out->visible_seq_plus_1 = head.next_seq;
}

bool
bat_frontier_knows(struct bat_store *store, enum bat_frontier_which which)
{
	return !store->options.read_only || which == BAT_FRONTIER_WRITTEN ||
	    which == BAT_FRONTIER_VISIBLE;
}

/* What a follower has read was written by somebody, and it shows all of it. */
static void
followed(struct bat_store *store, struct bat_frontier *out)
{
	struct bat_frontier_point point = { .any = false };
	const struct bat_index *index;

	do {
		index = enter(store);
		point.any = index->visible_count > 0;
		point.seq = index->last_row.seq;
		point.wall_ms = index->last_row.wall_ms;
		point.id = index->last_row.id;
	} while (!leave(store));
	memset(out, 0, sizeof(*out));
	if (point.any)
		out->points[BAT_FRONTIER_WRITTEN] =
		    out->points[BAT_FRONTIER_VISIBLE] = point;
}

void
bat_frontier(struct bat_store *store, struct bat_frontier *out)
{
	if (store->options.read_only)
		followed(store, out);
	else
		*out = bat_frontier_now(&store->writer.frontier);
}

int
bat_open_report(struct bat_store *store, struct bat_buf *buf)
{
	int code;

	pthread_rwlock_rdlock(&store->lock);
	code = bat_bytes_append_slice(buf,
	    bat_bytes_of_buf(&store->view->recovery.report));
	pthread_rwlock_unlock(&store->lock);
	return code;
}
