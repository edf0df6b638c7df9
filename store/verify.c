#include "verify.h"
#include "verify_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "hidden.h"
#include "marker.h"
#include "verify_swift.h"

/* A thread costs as much as reading some hundred kilobytes. */
#define SPLIT_BYTES (1u << 20)

static const char *const code_names[BAT_VERIFY_CODE_COUNT] = {
	[BAT_VERIFY_NAME] = "name",
	[BAT_VERIFY_PENDING] = "pending",
	[BAT_VERIFY_HIDDEN] = "hidden",
	[BAT_VERIFY_SHORT] = "short",
	[BAT_VERIFY_HEADER] = "header",
	[BAT_VERIFY_NUMBER] = "number",
	[BAT_VERIFY_FLAGS] = "flags",
	[BAT_VERIFY_TORN] = "torn",
	[BAT_VERIFY_FRAME] = "frame",
	[BAT_VERIFY_DECODE] = "decode",
	[BAT_VERIFY_BATCH] = "batch",
	[BAT_VERIFY_UNFINISHED] = "unfinished",
	[BAT_VERIFY_ABORTED] = "aborted",
	[BAT_VERIFY_COORDINATE] = "coordinate",
	[BAT_VERIFY_ID] = "id",
	[BAT_VERIFY_TIME] = "time",
	[BAT_VERIFY_PAYLOAD] = "payload",
	[BAT_VERIFY_REENCODED] = "reencoded",
	[BAT_VERIFY_CHAIN] = "chain",
	[BAT_VERIFY_PARENT] = "parent",
	[BAT_VERIFY_FOOTER] = "footer",
	[BAT_VERIFY_ROW] = "row",
	[BAT_VERIFY_SEQUENCE] = "sequence",
	[BAT_VERIFY_INDEX] = "index",
	[BAT_VERIFY_INDEX_OTHER] = "index-other",
	[BAT_VERIFY_INDEX_ROW] = "index-row",
	[BAT_VERIFY_INDEX_TWIN] = "index-twin",
	[BAT_VERIFY_INDEX_NO_EXT] = "index-no-ext",
};

const char *
bat_verify_code_name(enum bat_verify_code code)
{
	if ((unsigned)code >= BAT_VERIFY_CODE_COUNT)
		return "unknown";
	return code_names[code];
}

int
bat_verify_report(struct bat_verify_state *state, enum bat_verify_code code,
    enum bat_verify_severity severity, uint64_t offset, const char *format, ...)
{
	char text[384];
	struct bat_verify_finding finding = { code, severity, state->segment,
		offset, text };
	va_list arguments;
	/* What is still to be said of payloads before this. */
	int result = bat_verify_finish_payloads(state);

	if (result != 0)
		return result;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (severity == BAT_VERIFY_NOTED) {
		state->counts->noted++;
	} else {
		if (state->counts->broken == 0)
			bat_error_set_at(state->error, BAT_DATA_CORRUPT,
			    finding.segment, offset, "%s: %s",
			    bat_verify_code_name(code), text);
		state->counts->broken++;
	}
	if (state->sink == NULL)
		return 0;
	return state->sink->finding(state->sink->context, &finding);
}

static bool
same_link(const void *context, uint32_t value, struct bat_slice key)
{
	const struct bat_verify_state *state = context;

	return memcmp(&state->known[value].link, key.data, key.length) == 0;
}

static uint64_t
hash_of_link(const void *context, uint32_t value)
{
	const struct bat_verify_state *state = context;

	return bat_map_hash(bat_bytes_slice(&state->known[value].link,
	    sizeof(state->known[value].link)));
}

_Static_assert(sizeof(struct bat_verify_link) == 8 + BAT_HASH_SIZE,
    "a link is compared as bytes");

static void
start(struct bat_verify_state *state)
{
	bat_intern_init(&state->names);
	bat_map_init(&state->by_link, state, same_link, hash_of_link);
}

static void
finish(struct bat_verify_state *state)
{
	for (size_t i = 0; i < state->index_count; i++)
		bat_verify_free_claims(&state->indexes[i]);
	bat_map_free(&state->by_link);
	bat_intern_free(&state->names);
	bat_bytes_free(&state->scratch);
	free(state->staged);
	free(state->heads);
	free(state->known);
}

static int
check_hidden(struct bat_verify_state *state)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct bat_hidden hidden = { 0 };
	struct bat_error why = { 0 };
	int code;

	if (!state->dir.has_hidden)
		return 0;
	code = bat_file_read_whole(state->dir.disk, state->dir.dir,
	    BAT_HIDDEN_FILE, SIZE_MAX / 2, &file, state->error);
	if (code == 0) {
		state->has_hidden = true;
		code = bat_hidden_decode(bat_bytes_of_buf(&file), &hidden,
		    &why);
		state->counts->hidden_ranges = hidden.count;
		bat_hidden_free(&hidden);
		if (code == BAT_WORLD_NO_MEMORY)
			bat_error_set(state->error, code,
			    "no memory for the hidden ranges");
		else if (code != 0)
			code = bat_verify_report(state, BAT_VERIFY_HIDDEN,
			    BAT_VERIFY_BROKEN, 0, "%s: %s", BAT_HIDDEN_FILE,
			    why.text);
	}
	bat_bytes_free(&file);
	return code;
}

/* What the names alone tell. */
static int
check_names(struct bat_verify_state *state)
{
	int code = 0;

	if (state->dir.malformed_count > 0)
		code = bat_verify_report(state, BAT_VERIFY_NAME,
		    BAT_VERIFY_NOTED, 0, "%u names that are no segments",
		    state->dir.malformed_count);
	if (code == 0 && (state->dir.has_marker || state->dir.has_compact_src))
		code = bat_verify_report(state, BAT_VERIFY_PENDING,
		    BAT_VERIFY_NOTED, 0,
		    "a compaction was begun and not finished");
	return code;
}

/* The plain way: all that can be told is told. */
static int
verify_plainly(struct bat_verify_state *state)
{
	int code = bat_verify_load_indexes(state);

	for (size_t i = 0; code == 0 && i < state->dir.count; i++)
		code = bat_verify_segment(state, state->dir.segments[i].id,
		    i + 1 == state->dir.count);
	for (size_t i = 0; code == 0 && i < state->index_count; i++)
		code = bat_verify_finish_claims(state, &state->indexes[i]);
	if (code == 0)
		code = bat_verify_count_twins(state);
	return code;
}

static int
verify_all(struct bat_verify_state *state, const struct bat_verify_how *how)
{
	int code = check_names(state);

	if (code == 0)
		code = check_hidden(state);
	if (code != 0)
		return code;
	code = how->plain ? BAT_END : bat_verify_swift(state, how->split_bytes);
	return code == BAT_END ? verify_plainly(state) : code;
}

/* Of a compaction of ours that is all but swept: every event of theirs stands in
 * the merged segment too. (batpak's are read as they lie there.) */
static int
leave_out_sources(struct bat_verify_state *state)
{
	struct bat_segment_dir *dir = &state->dir;
	struct bat_marker marker;
	int code = bat_marker_read(dir, &marker, NULL);

	if (code != BAT_OK)
		return code == BAT_WORLD_NO_MEMORY ? code : BAT_OK;
	for (size_t i = 0; marker.ours && i < marker.count &&
	     bat_segment_dir_find(dir, marker.merged) != NULL;
	     i++)
		bat_segment_dir_forget(dir, marker.sources[i]);
	bat_marker_free(&marker);
	return BAT_OK;
}

int
bat_verify_directory_as(const struct bat_verify_how *how,
    const struct bat_disk *disk, const char *path,
    const struct bat_verify_sink *sink, struct bat_verify_counts *out_counts,
    struct bat_error *error)
{
	/* It has room for payloads: too much for a stack. */
	struct bat_verify_state *state = calloc(1, sizeof(*state));
	int code;

	*out_counts = (struct bat_verify_counts){ 0 };
	if (state == NULL)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY,
		    "no memory to verify");
	state->sink = sink;
	state->counts = out_counts;
	state->error = error;
	code = bat_segment_dir_open(&state->dir, disk, path, false, error);
	if (code != 0) {
		free(state);
		return code;
	}
	start(state);
	code = bat_segment_dir_scan(&state->dir, error);
	if (code == 0 && state->dir.has_marker)
		code = leave_out_sources(state);
	if (code == 0)
		code = verify_all(state, how);
	finish(state);
	bat_segment_dir_close(&state->dir);
	free(state);
	if (code == 0 && out_counts->broken > 0)
		code = BAT_DATA_CORRUPT;
	return code;
}

int
bat_verify_directory(const struct bat_disk *disk, const char *path,
    const struct bat_verify_sink *sink, struct bat_verify_counts *out_counts,
    struct bat_error *error)
{
	static const struct bat_verify_how how = { .split_bytes = SPLIT_BYTES };

	return bat_verify_directory_as(&how, disk, path, sink, out_counts,
	    error);
}
