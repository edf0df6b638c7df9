#include "inspect.h"
#include "inspect_parts.h"

#include <stdarg.h>
#include <stdio.h>

#include "hidden.h"
#include "recovery.h"

/* ---- lines --------------------------------------------------------------- */

/* Names and texts come from disks and go to terminals. */
static void
make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

void
bat_inspect_say(struct inspection *inspection, const char *key,
    const char *format, ...)
{
	const struct bat_inspect_sink *sink = inspection->sink;
	char value[768], name[320];
	va_list arguments;

	if (inspection->code != BAT_OK)
		return;
	va_start(arguments, format);
	vsnprintf(value, sizeof(value), format, arguments);
	va_end(arguments);
	snprintf(name, sizeof(name), "%s%s", inspection->prefix, key);
	make_printable(name);
	make_printable(value);
	inspection->code = sink->line(sink->context, name, value);
}

void
bat_inspect_damage(struct inspection *inspection, uint64_t segment,
    uint64_t offset, const char *format, ...)
{
	char text[400];
	va_list arguments;

	if (inspection->code != BAT_OK)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	make_printable(text);
	if (inspection->damage++ == 0)
		bat_error_set_at(inspection->error, BAT_DATA_CORRUPT, segment,
		    offset, "%s", text);
}

bool
bat_inspect_ends(struct inspection *inspection, int code,
    const struct bat_error *why)
{
	if (code != BAT_WORLD_NO_MEMORY)
		return false;
	if (inspection->code == BAT_OK) {
		inspection->code = code;
		bat_error_set(inspection->error, code, "%s", why->text);
	}
	return true;
}

/* ---- index files ----------------------------------------------------------- */

static void
inspect_index(struct inspection *inspection, bool rowindex)
{
	const char *name = rowindex ? BAT_ROWINDEX_FILE : BAT_CHECKPOINT_FILE;
	struct bat_segment_dir *dir = &inspection->dir;
	struct bat_recovery_claim claim;
	struct bat_error error = { .code = 0 };
	int code;

	if (!(rowindex ? dir->has_rowindex : dir->has_checkpoint)) {
		bat_inspect_say(inspection, name, "absent");
		return;
	}
	code = bat_recovery_judge_index(dir, rowindex, &claim, &error);
	if (bat_inspect_ends(inspection, code, &error))
		return;
	snprintf(inspection->prefix, sizeof(inspection->prefix), "%s.", name);
	if (claim.version != 0) {
		bat_inspect_say(inspection, "version", "%u", claim.version);
		bat_inspect_say(inspection, "rows", "%llu",
		    (unsigned long long)claim.rows);
		bat_inspect_say(inspection, "next_seq", "%llu",
		    (unsigned long long)claim.next_seq);
		bat_inspect_say(inspection, "watermark", "%06llu %llu",
		    (unsigned long long)claim.watermark_segment,
		    (unsigned long long)claim.watermark_offset);
	}
	if (dir->has_marker) {
		bat_inspect_say(inspection, "believed",
		    "no: a compaction was not finished");
	} else if (claim.believed) {
		bat_inspect_say(inspection, "believed", "yes");
	} else {
		bat_inspect_say(inspection, "believed", "no: %s",
		    claim.why.text);
		bat_inspect_damage(inspection, 0, 0, "%s: %s", name,
		    claim.why.text);
	}
	inspection->prefix[0] = '\0';
}

/* ---- hidden ranges, the sidecar -------------------------------------------- */

static void
inspect_hidden(struct inspection *inspection)
{
	const struct bat_segment_dir *dir = &inspection->dir;
	struct bat_buf file = BAT_BUF_EMPTY;
	struct bat_hidden hidden;
	struct bat_error error = { .code = 0 };
	int code;

	if (!dir->has_hidden) {
		bat_inspect_say(inspection, "hidden.ranges", "0");
		return;
	}
	code = bat_hidden_read(dir->disk, dir->dir, &hidden, &file, &error);
	if (code == BAT_OK) {
		bat_inspect_say(inspection, "hidden.ranges", "%zu",
		    hidden.count);
	} else if (!bat_inspect_ends(inspection, code, &error)) {
		bat_inspect_say(inspection, "hidden.broken", "%s", error.text);
		bat_inspect_damage(inspection, 0, 0, "%s: %s", BAT_HIDDEN_FILE,
		    error.text);
	}
	bat_hidden_free(&hidden);
	bat_bytes_free(&file);
}

static void
inspect_sidecar(struct inspection *inspection)
{
	struct bat_sidecar_state state = { .has_index = false };
	struct bat_error why = { .code = 0 };
	struct bat_index index;
	int code;

	bat_index_init(&index);
	code = bat_sidecar_load(&inspection->dir, &index, &state, &why);
	if (code == BAT_OK)
		bat_inspect_say(inspection, "sidecar.believed", "yes");
	else if (!bat_inspect_ends(inspection, code, &why))
		bat_inspect_say(inspection, "sidecar.believed", "no: %s",
		    why.text[0] != '\0' ? why.text : bat_error_name(code));
	if (code == BAT_OK)
		bat_bytes_free(&state.histograms);
	bat_index_free(&index);
}

/* ---- the verdict ------------------------------------------------------------- */

/* What a mount would say. */
static void
inspect_mount(struct inspection *inspection)
{
	const struct bat_recovery_options options = { .read_only = true };
	struct bat_recovery recovery = { .damaged_count = 0 };
	struct bat_error error = { .code = 0 };
	struct bat_index index;
	int code;

	bat_index_init(&index);
	code = bat_recovery_run(&inspection->dir, &options, &index, &recovery,
	    &error);
	if (code == BAT_OK && recovery.refuse)
		error = recovery.refusal;
	if (bat_inspect_ends(inspection, code, &error)) {
		/* Nobody knows what a mount would say. */
	} else if (error.code != 0) {
		bat_inspect_say(inspection, "writable", "no: %s", error.text);
		bat_inspect_damage(inspection, error.segment, error.offset,
		    "%s", error.text);
	} else {
		bat_inspect_say(inspection, "writable", "yes");
	}
	bat_recovery_free(&recovery);
	bat_index_free(&index);
}

static void
inspect_flags(struct inspection *inspection)
{
	const struct bat_segment_dir *dir = &inspection->dir;

	bat_inspect_say(inspection, "lock",
	    dir->has_lock ? "present" : "absent");
	bat_inspect_say(inspection, "segments", "%zu", dir->count);
	bat_inspect_say(inspection, "marker",
	    dir->has_marker ? "present" : "absent");
	if (dir->has_compact_src)
		bat_inspect_say(inspection, "compact_src", "%06llu",
		    (unsigned long long)dir->compact_src_id);
	if (dir->has_compact_src && !dir->has_marker)
		bat_inspect_damage(inspection, dir->compact_src_id, 0,
		    "a source of a compaction without its marker");
}

static int
inspect_all(struct inspection *inspection)
{
	inspect_flags(inspection);
	bat_inspect_names(inspection);
	for (size_t i = 0; i < inspection->dir.count; i++)
		bat_inspect_segment(inspection, i);
	inspect_index(inspection, true);
	if (inspection->code == BAT_OK)
		inspect_index(inspection, false);
	inspect_hidden(inspection);
	inspect_sidecar(inspection);
	inspect_mount(inspection);
	bat_inspect_say(inspection, "torn", "%llu",
	    (unsigned long long)inspection->torn);
	bat_inspect_say(inspection, "damage", "%llu",
	    (unsigned long long)inspection->damage);
	if (inspection->code != BAT_OK)
		return inspection->code;
	return inspection->damage > 0 ? BAT_DATA_CORRUPT : BAT_OK;
}

int
bat_inspect(const struct bat_disk *disk, const char *path,
    const struct bat_inspect_sink *sink, struct bat_error *error)
{
	struct inspection inspection = { .sink = sink, .error = error };
	int code = bat_segment_dir_open(&inspection.dir, disk, path, false,
	    error);

	if (code != BAT_OK)
		return code;
	inspection.dir.tolerant = inspection.dir.reads_around = true;
	code = bat_segment_dir_scan(&inspection.dir, error);
	if (code == BAT_OK)
		code = inspect_all(&inspection);
	bat_segment_dir_close(&inspection.dir);
	return code;
}
