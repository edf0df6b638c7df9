/*
 * What the files of .ctl say: flat `key value` lines, made anew at each open.
 */
#include "tree_internal.h"

#include <inttypes.h>

#include "render.h"

typedef int render_fn(struct batfs_tree *tree, struct bat_buf *buf);

static int
put_number(struct bat_buf *buf, const char *key, uint64_t value)
{
	return bat_bytes_append_format(buf, "%s %" PRIu64 "\n", key, value);
}

static int
put_text(struct bat_buf *buf, const char *key, const char *value)
{
	return bat_bytes_append_format(buf, "%s %s\n", key, value);
}

static int
put_time(struct bat_buf *buf, const char *key, uint64_t wall_ms)
{
	int code = bat_bytes_append_format(buf, "%s ", key);

	if (wall_ms > BAT_EVENT_WALL_MS_MAX)
		wall_ms = BAT_EVENT_WALL_MS_MAX;
	if (code == BAT_OK)
		code = batfs_render_time((int64_t)wall_ms * 1000, buf);
	if (code == BAT_OK)
		code = bat_bytes_append_byte(buf, '\n');
	return code;
}

static int
render_version(struct batfs_tree *tree, struct bat_buf *buf)
{
	int code = put_text(buf, "batfs", BATFS_VERSION);

	/* What the lines of events look like; another number would mean that
	 * every size and every byte may differ. */
	if (code == BAT_OK)
		code = put_number(buf, "line_format", 1);
	if (code == BAT_OK)
		code = put_number(buf, "generation",
		    batfs_tree_generation(tree));
	return code;
}

static int
render_head(struct batfs_tree *tree, struct bat_buf *buf)
{
	struct bat_head head;
	int code;

	bat_head(tree->store, &head);
	code = put_number(buf, "next_seq", head.next_seq);
	if (code == BAT_OK)
		code = put_number(buf, "visible_count", head.visible_count);
	if (code == BAT_OK)
		code = put_number(buf, "entities", head.entity_count);
	if (code == BAT_OK)
		code = put_number(buf, "scopes", head.scope_count);
	if (head.visible_count == 0)
		return code;
	if (code == BAT_OK)
		code = put_number(buf, "first_seq", head.first_seq);
	if (code == BAT_OK)
		code = put_number(buf, "last_seq", head.last_seq);
	if (code == BAT_OK)
		code = put_number(buf, "durable_seq", head.durable_seq);
	if (code == BAT_OK)
		code = put_time(buf, "first_time", head.first_wall_ms);
	if (code == BAT_OK)
		code = put_time(buf, "last_time", head.last_wall_ms);
	return code;
}

static const char *
writer_state(const struct bat_status *status)
{
	if (status->read_only)
		return "read-only";
	if (status->stopped)
		return "stopped";
	if (status->writer_code != 0)
		return "failing";
	return status->appended ? "appending" : "ready";
}

static int
put_counts(const struct bat_status *status, struct bat_buf *buf)
{
	const struct {
		const char *key;
		uint64_t value;
	} lines[] = {
		{ "source_version", status->source_version },
		{ "restored_count", status->restored_count },
		{ "tail_count", status->tail_count },
		{ "segment_count", status->segment_count },
		{ "segment_bytes", status->segment_bytes },
		{ "hidden_count", status->hidden_count },
		{ "damaged_count", status->damaged_count },
		{ "uncovered_count", status->uncovered_count },
	};
	int code = BAT_OK;

	for (size_t i = 0; code == BAT_OK && i < sizeof(lines) / sizeof(*lines);
	     i++)
		code = put_number(buf, lines[i].key, lines[i].value);
	return code;
}

/* Of the transparency log; nothing where there is none. */
static int
put_log(struct batfs_tree *tree, struct bat_buf *buf)
{
	static const char *const states[] = {
		[BAT_ATTEST_KEPT] = "kept",
		[BAT_ATTEST_SHOWN] = "shown",
		[BAT_ATTEST_HALTED] = "halted",
	};
	struct bat_attest_status log;
	int code;

	bat_attest_status(tree->store, &log);
	if (log.state == BAT_ATTEST_NONE)
		return BAT_OK;
	code = put_text(buf, "tlog", states[log.state]);
	if (code == BAT_OK)
		code = put_number(buf, "tlog_size", log.size);
	if (code == BAT_OK && log.size > 0)
		code = put_number(buf, "attested_from", log.first_seq);
	if (code == BAT_OK && log.size > 0)
		code = put_number(buf, "attested_through", log.last_seq);
	if (code == BAT_OK && log.why[0] != '\0')
		code = put_text(buf, "tlog_reason", log.why);
	return code;
}

/* Who is asked before a line is stored, in that order. */
static int
put_gates(const struct bat_gates *gates, struct bat_buf *buf)
{
	int code = put_number(buf, "gates", gates->count);

	for (size_t i = 0; code == BAT_OK && i < gates->count; i++)
		code = put_text(buf, "gate", gates->gates[i].id);
	return code;
}

static int
render_status(struct batfs_tree *tree, struct bat_buf *buf)
{
	struct bat_status status;
	int code;

	bat_status(tree->store, &status);
	code = put_text(buf, "source", bat_source_name(status.source));
	if (code == BAT_OK)
		code = put_counts(&status, buf);
	if (code == BAT_OK)
		code = bat_bytes_append_format(buf, "open_ms %.3f\n",
		    (double)status.open_ns / 1e6);
	if (code == BAT_OK)
		code = put_text(buf, "writer", writer_state(&status));
	if (code == BAT_OK && status.writer_code != 0)
		code = bat_bytes_append_format(buf, "reason %s: %s\n",
		    bat_error_name(status.writer_code), status.writer_text);
	/* What a read-only mount shows may be old. */
	if (code == BAT_OK && status.follow_code != 0)
		code = bat_bytes_append_format(buf, "reason %s: %s\n",
		    bat_error_name(status.follow_code), status.follow_text);
	if (code == BAT_OK && !status.read_only)
		code = put_gates(&tree->options.gates, buf);
	if (code == BAT_OK)
		code = put_log(tree, buf);
	return code;
}

static int
render_config(struct batfs_tree *tree, struct bat_buf *buf)
{
	const char *line = tree->options.config_line;
	int code;

	if (line == NULL)
		return BAT_OK;
	code = bat_bytes_append_text(buf, line);
	if (code == BAT_OK && buf->length > 0 &&
	    buf->data[buf->length - 1] != '\n')
		code = bat_bytes_append_byte(buf, '\n');
	return code;
}

static int
render_open_report(struct batfs_tree *tree, struct bat_buf *buf)
{
	return bat_open_report(tree->store, buf);
}

/* How a command went the last time. */
static int
put_result(struct batfs_tree *tree, enum batfs_ctl which, struct bat_buf *buf)
{
	int code;

	pthread_mutex_lock(&tree->mutex);
	code = bat_bytes_append_slice(buf,
	    bat_bytes_of_buf(&tree->results[which]));
	pthread_mutex_unlock(&tree->mutex);
	return code;
}

static int
render_checkpoint(struct batfs_tree *tree, struct bat_buf *buf)
{
	struct bat_status status;
	int code;

	bat_status(tree->store, &status);
	code = put_number(buf, "uncovered_count", status.uncovered_count);
	if (code == BAT_OK)
		code = put_result(tree, BATFS_CTL_CHECKPOINT, buf);
	return code;
}

/* What one would do, and what the last one of this mount did. */
static int
render_compact(struct batfs_tree *tree, struct bat_buf *buf)
{
	struct bat_compacted would, done;
	int code = bat_compact(tree->store, true, &would, NULL);

	pthread_mutex_lock(&tree->mutex);
	done = tree->compacted;
	pthread_mutex_unlock(&tree->mutex);
	if (code == BAT_OK)
		code = put_number(buf, "mergeable_segments", would.segments);
	if (code == BAT_OK)
		code = put_number(buf, "mergeable_bytes",
		    would.segments == 0 ? 0 : would.bytes_before);
	if (code == BAT_OK)
		code = put_number(buf, "full_segments", would.full);
	if (code == BAT_OK && done.performed)
		code = bat_bytes_append_format(buf,
		    "merged_segments %" PRIu64 "\nmerged_events %" PRIu64
		    "\nbytes_before %" PRIu64 "\nbytes_after %" PRIu64 "\n",
		    done.segments, done.events, done.bytes_before,
		    done.bytes_after);
	return code == BAT_OK ? put_result(tree, BATFS_CTL_COMPACT, buf) : code;
}

static int
render_sync(struct batfs_tree *tree, struct bat_buf *buf)
{
	return put_result(tree, BATFS_CTL_SYNC, buf);
}

static int
render_stats(struct batfs_tree *tree, struct bat_buf *buf)
{
	struct batfs_stream_counts lines, briefs;
	int code = batfs_stats_render(&tree->stats, buf);

	batfs_stream_counts(tree->streams, &lines);
	batfs_stream_counts(tree->briefs, &briefs);
	if (code == BAT_OK)
		code = put_number(buf, "lines_rendered",
		    lines.lines + briefs.lines);
	if (code == BAT_OK)
		code = put_number(buf, "bytes_rendered",
		    lines.bytes + briefs.bytes);
	return code;
}

static int
render_rejects(struct batfs_tree *tree, struct bat_buf *buf)
{
	return batfs_rejects_render(tree->rejects, buf);
}

static int
render_pin(struct batfs_tree *tree, struct bat_buf *buf)
{
	int code = batfs_tree_render_pin_state(tree, buf);

	return code == BAT_OK ? put_result(tree, BATFS_CTL_PIN, buf) : code;
}

static render_fn *const texts[BATFS_CTL_COUNT] = {
	[BATFS_CTL_VERSION] = render_version,
	[BATFS_CTL_HEAD] = render_head,
	[BATFS_CTL_STATUS] = render_status,
	[BATFS_CTL_CONFIG] = render_config,
	[BATFS_CTL_OPEN_REPORT] = render_open_report,
	[BATFS_CTL_CHECKPOINT] = render_checkpoint,
	[BATFS_CTL_SYNC] = render_sync,
	[BATFS_CTL_PIN] = render_pin,
	[BATFS_CTL_REJECTS] = render_rejects,
	[BATFS_CTL_STATS] = render_stats,
	[BATFS_CTL_COMPACT] = render_compact,
};

int
batfs_tree_ctl_text(struct batfs_tree *tree, enum batfs_ctl which,
    struct bat_buf *buf)
{
	return texts[which](tree, buf);
}
