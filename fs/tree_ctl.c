/*
 * The files of .ctl: flat `key value` lines, made anew at each open. They are
 * the only ones that say something of this mount, and they are not listed at
 * the root, so no backup sees them.
 */
#include "tree_internal.h"

#include <inttypes.h>

#include "name.h"
#include "render.h"

typedef int render_fn(struct batfs_tree *tree, struct bat_buf *buf);

typedef int command_fn(struct batfs_tree *tree, struct bat_slice word,
    struct bat_error *error);

struct ctl_file {
	const char *name;
	render_fn *render;
	command_fn *command; /* NULL: it is none */
};

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

/* ---- the texts ------------------------------------------------------------- */

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

static bool
is_now(struct bat_slice word, struct bat_error *error)
{
	bool is = bat_bytes_equal(word, bat_bytes_text("now"));

	if (!is)
		bat_error_set(error, BAT_USE_INVALID, "the word is: now");
	return is;
}

static int
command_checkpoint(struct batfs_tree *tree, struct bat_slice word,
    struct bat_error *error)
{
	int code = BAT_USE_INVALID;

	if (is_now(word, error))
		code = bat_checkpoint(tree->store, error);
	return code == BAT_OK ? bat_attest_update(tree->store, error) : code;
}

static int
command_compact(struct batfs_tree *tree, struct bat_slice word,
    struct bat_error *error)
{
	struct bat_compacted done;
	int code;

	if (!is_now(word, error))
		return BAT_USE_INVALID;
	code = bat_compact(tree->store, false, &done, error);
	pthread_mutex_lock(&tree->mutex);
	tree->compacted = done;
	pthread_mutex_unlock(&tree->mutex);
	return code;
}

static int
command_sync(struct batfs_tree *tree, struct bat_slice word,
    struct bat_error *error)
{
	return is_now(word, error) ? bat_sync(tree->store, error) :
				     BAT_USE_INVALID;
}

static const struct ctl_file files[BATFS_CTL_COUNT] = {
	[BATFS_CTL_VERSION] = { "version", render_version, NULL },
	[BATFS_CTL_HEAD] = { "head", render_head, NULL },
	[BATFS_CTL_STATUS] = { "status", render_status, NULL },
	[BATFS_CTL_CONFIG] = { "config", render_config, NULL },
	[BATFS_CTL_OPEN_REPORT] = { "open-report", render_open_report, NULL },
	[BATFS_CTL_CHECKPOINT] = { "checkpoint", render_checkpoint,
	    command_checkpoint },
	[BATFS_CTL_SYNC] = { "sync", render_sync, command_sync },
	[BATFS_CTL_PIN] = { "pin", render_pin, batfs_tree_command_pin },
	[BATFS_CTL_REJECTS] = { "rejects.jsonl", render_rejects, NULL },
	[BATFS_CTL_STATS] = { "stats", render_stats, NULL },
	[BATFS_CTL_COMPACT] = { "compact", render_compact, command_compact },
};

/* ---- the functions of the class ---------------------------------------- */

bool
batfs_tree_ctl_is_command(uint64_t number)
{
	return number < BATFS_CTL_COUNT && files[number].command != NULL;
}

/* ---- follow and verify, with words ------------------------------------- */

/* The words behind `follow` or `verify`, once each. */
static int
read_words(struct batfs_tree *tree, struct bat_slice words, bool may_from,
    struct batfs_tree_words *out)
{
	struct bat_buf stored = BAT_BUF_EMPTY;
	struct bat_slice key, value;
	uint32_t number = 0;
	int code;

	*out = (struct batfs_tree_words){ .has_from = false };
	while ((code = batfs_name_next_word(&words, &key, &value)) == BAT_OK) {
		if (may_from && !out->has_from &&
		    bat_bytes_equal(key, bat_bytes_text("from")) &&
		    batfs_name_number(value, &out->from)) {
			out->has_from = true;
			continue;
		}
		if (out->entity.length > 0 ||
		    !bat_bytes_equal(key, bat_bytes_text("entity"))) {
			code = BAT_STATE_NOT_FOUND;
			break;
		}
		code = batfs_tree_stored_name(tree, value, &stored);
		if (code == BAT_OK)
			code = batfs_tree_intern(tree,
			    bat_bytes_of_buf(&stored), &number);
		if (code != BAT_OK)
			break;
		out->entity = batfs_tree_text(tree, number);
	}
	bat_bytes_free(&stored);
	if (code == BAT_END)
		return BAT_OK;
	return code == BAT_USE_INVALID ? BAT_STATE_NOT_FOUND : code;
}

int
batfs_tree_words(struct batfs_tree *tree, const struct batfs_node *node,
    struct batfs_tree_words *out)
{
	struct bat_slice stem, words;

	if (node->class != BATFS_CTL_FOLLOW && node->class != BATFS_CTL_VERIFY)
		return BAT_USE_INVALID;
	batfs_name_split_words(batfs_tree_text(tree, node->entity), &stem,
	    &words);
	return read_words(tree, words, node->class == BATFS_CTL_FOLLOW, out);
}

static int
find_with_words(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	struct batfs_node child = batfs_tree_child(parent, BATFS_NONE);
	struct batfs_tree_words read;
	struct bat_slice stem, words;
	int code;

	batfs_name_split_words(name, &stem, &words);
	if (bat_bytes_equal(stem, bat_bytes_text("follow")))
		child.class = BATFS_CTL_FOLLOW;
	else if (bat_bytes_equal(stem, bat_bytes_text("verify")))
		child.class = BATFS_CTL_VERIFY;
	else
		return BAT_STATE_NOT_FOUND;
	code = read_words(tree, words, child.class == BATFS_CTL_FOLLOW, &read);
	if (code == BAT_OK)
		code = batfs_tree_intern(tree, name, &child.entity);
	if (code == BAT_OK)
		*out = child;
	return code;
}

/* ---- names --------------------------------------------------------------- */

int
batfs_tree_find_ctl(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	for (unsigned i = 0; i < BATFS_CTL_COUNT; i++) {
		if (!bat_bytes_equal(name, bat_bytes_text(files[i].name)))
			continue;
		*out = batfs_tree_child(parent, BATFS_CTL_FILE);
		out->number = i;
		return BAT_OK;
	}
	return find_with_words(tree, parent, name, out);
}

/* .ctl/append/<E> and .ctl/try/<E>: any name that an entity can have, whether
 * it has events or not, with words or without. */
int
batfs_tree_find_ctl_target(struct batfs_tree *tree,
    const struct batfs_node *parent, struct bat_slice name,
    struct batfs_node *out)
{
	struct batfs_node child = batfs_tree_child(parent,
	    parent->class == BATFS_CTL_TRIES ? BATFS_CTL_TRY :
					       BATFS_CTL_APPEND);
	struct bat_buf stored = BAT_BUF_EMPTY;
	struct bat_slice words;
	int code = batfs_tree_split_words(tree, parent, name, &stored, &words);

	if (code == BAT_OK &&
	    bat_coordinate_check(bat_bytes_of_buf(&stored),
		bat_bytes_text("scope"), NULL) != BAT_OK)
		code = BAT_STATE_NOT_FOUND;
	if (code == BAT_OK)
		code = batfs_tree_intern(tree, name, &child.entity);
	if (code == BAT_OK)
		*out = child;
	bat_bytes_free(&stored);
	return code;
}

int
batfs_tree_list_ctl(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	struct batfs_node child = batfs_tree_child(node, BATFS_CTL_FILE);
	int code = BAT_OK;

	for (uint64_t i = cookie; code == BAT_OK && i < BATFS_CTL_COUNT; i++) {
		child.number = i;
		code = batfs_tree_emit(tree, listing, &child, i + 1);
	}
	return code;
}

int
batfs_tree_spell_ctl(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	(void)tree;
	if (node->number >= BATFS_CTL_COUNT)
		return BAT_STATE_NOT_FOUND;
	return bat_bytes_append_text(buf, files[node->number].name);
}

int
batfs_tree_read_ctl(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	struct bat_buf content = BAT_BUF_EMPTY;
	int code;

	if (node->number >= BATFS_CTL_COUNT)
		return bat_error_set(error, BAT_STATE_NOT_FOUND,
		    "no such file of .ctl");
	code = files[node->number].render(tree, &content);
	if (code == BAT_OK)
		code = batfs_tree_slice(bat_bytes_of_buf(&content), offset,
		    size, buf);
	bat_bytes_free(&content);
	return code;
}

int
batfs_tree_measure_ctl(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	struct bat_buf content = BAT_BUF_EMPTY;
	int code = batfs_tree_measure_log(tree, node, false, out, error);

	if (node->number >= BATFS_CTL_COUNT)
		return BAT_STATE_NOT_FOUND;
	if (code == BAT_OK && want_size)
		code = files[node->number].render(tree, &content);
	out->size = content.length;
	bat_bytes_free(&content);
	return code;
}

/* ---- commands -------------------------------------------------------------- */

static struct bat_slice
without_end(struct bat_slice text)
{
	while (text.length > 0 &&
	    (text.data[text.length - 1] == '\n' ||
		text.data[text.length - 1] == ' '))
		text.length--;
	return text;
}

/* Without memory there is no last result to read; the writer of the word has
 * got its answer all the same. */
static void
note_result(struct batfs_tree *tree, uint64_t which, int code,
    const struct bat_error *why)
{
	struct bat_buf *result = &tree->results[which];

	pthread_mutex_lock(&tree->mutex);
	bat_bytes_clear(result);
	if (code == BAT_OK)
		(void)bat_bytes_append_text(result, "last ok\n");
	else
		(void)bat_bytes_append_format(result, "last %s: %s\n",
		    bat_error_name(code), why->text);
	pthread_mutex_unlock(&tree->mutex);
}

int
batfs_tree_command(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_slice words, struct bat_error *error)
{
	struct bat_error why = { .code = BAT_OK };
	int code;

	if (node->class != BATFS_CTL_FILE ||
	    !batfs_tree_ctl_is_command(node->number))
		return bat_error_set(error, BAT_USE_INVALID, "no command");
	code = files[node->number].command(tree, without_end(words), &why);
	if (code != BAT_OK && error != NULL)
		*error = why;
	note_result(tree, node->number, code, &why);
	return code;
}
