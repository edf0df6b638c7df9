#include "repair.h"
#include "repair_parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "hidden.h"
#include "mend.h"

/* Names are given back before contents are looked at again. */
enum { ROUNDS_MAX = 4 };

const char *
bat_repair_kind_name(enum bat_repair_kind kind)
{
	switch (kind) {
	case BAT_REPAIR_CUT:
		return "cut";
	case BAT_REPAIR_HEADER:
		return "header";
	case BAT_REPAIR_FOOTER:
		return "footer";
	case BAT_REPAIR_REMOVE:
		return "remove";
	case BAT_REPAIR_RENAME:
		return "rename";
	case BAT_REPAIR_INDEX:
		return "index";
	case BAT_REPAIR_MARKER:
		return "marker";
	case BAT_REPAIR_LEFT:
		return "left";
	}
	return "?";
}

int
bat_repair_say(struct repair *repair, enum bat_repair_kind kind,
    uint64_t segment, uint64_t offset, uint64_t length, const char *format, ...)
{
	char text[512];
	const struct bat_repair_act act = { kind, segment, offset, length,
		text };
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (kind == BAT_REPAIR_LEFT)
		repair->counts->left++;
	else
		repair->counts->acts++;
	return repair->sink == NULL ?
	    BAT_OK :
	    repair->sink->act(repair->sink->context, &act);
}

/* ---- what is no segment -------------------------------------------------- */

/* They have no second source: without them withdrawn events would come back. */
static int
look_at_hidden(struct repair *repair)
{
	struct bat_segment_dir *dir = &repair->dir;
	struct bat_buf file = BAT_BUF_EMPTY;
	struct bat_hidden hidden;
	struct bat_error why = { .code = 0 };
	int code;

	if (!dir->has_hidden)
		return BAT_OK;
	code = bat_hidden_read(dir->disk, dir->dir, &hidden, &file, &why);
	bat_hidden_free(&hidden);
	bat_bytes_free(&file);
	if (code == BAT_OK || code == BAT_WORLD_NO_MEMORY)
		return code;
	return bat_repair_say(repair, BAT_REPAIR_LEFT, 0, 0, 0,
	    "%s; take it from a copy, or move it away: events that were "
	    "withdrawn come back then",
	    why.text);
}

static int
drop_index(struct repair *repair, const char *name)
{
	return bat_aside_move(&repair->dir, name, name, repair->error);
}

/* A marker that says what happened: carried through or taken back. */
static int
heal(struct repair *repair, const struct bat_recovery *recovery)
{
	int code = bat_repair_say(repair, BAT_REPAIR_MARKER,
	    recovery->heal_segment, 0, 0,
	    "carry the compaction into segment %llu through, or take it back",
	    (unsigned long long)recovery->heal_segment);

	if (code != BAT_OK || !repair->carry_out)
		return code;
	code = drop_index(repair, BAT_ROWINDEX_FILE);
	if (code == BAT_OK)
		code = drop_index(repair, BAT_CHECKPOINT_FILE);
	if (code == BAT_OK)
		code = bat_mend_marker(&repair->dir, recovery, repair->error);
	return code == BAT_OK ?
	    bat_segment_dir_scan(&repair->dir, repair->error) :
	    code;
}

/* <M>.fbat.compact-src without a marker that says what it is. */
static int
plan_source(struct repair *repair)
{
	struct bat_segment_dir *dir = &repair->dir;
	uint64_t id = dir->compact_src_id;
	char name[BAT_SEGMENT_NAME_SIZE], source[BAT_SEGMENT_NAME_SIZE + 16];
	int code;

	bat_segment_name(id, name);
	snprintf(source, sizeof(source), "%s.compact-src", name);
	if (bat_segment_dir_find(dir, id) != NULL &&
	    strcmp(bat_segment_dir_find(dir, id)->name, name) == 0)
		return bat_repair_say(repair, BAT_REPAIR_LEFT, id, 0, 0,
		    "%s may be a part of %s, or the other way round: move "
		    "one of them away, and repair again",
		    source, name);
	code = bat_repair_say(repair, BAT_REPAIR_RENAME, id, 0, 0,
	    "%s is segment %llu: give it its name back", source,
	    (unsigned long long)id);
	if (code != BAT_OK || !repair->carry_out)
		return code;
	code = drop_index(repair, BAT_ROWINDEX_FILE);
	if (code == BAT_OK)
		code = drop_index(repair, BAT_CHECKPOINT_FILE);
	if (code != BAT_OK)
		return code;
	code = dir->disk->rename_at(dir->disk->context, dir->dir, source, name,
	    false);
	return code < 0 ?
	    bat_error_set_os(repair->error, -code, "cannot rename %s", source) :
	    bat_file_sync(dir->disk, dir->dir, repair->error);
}

/* A marker that cannot be read. */
static int
take_marker_away(struct repair *repair)
{
	int code = bat_repair_say(repair, BAT_REPAIR_MARKER, 0, 0, 0,
	    "take %s away: it is not what batpak writes",
	    BAT_SEGMENT_DIR_MARKER);

	if (code != BAT_OK || !repair->carry_out)
		return code;
	return bat_aside_move(&repair->dir, BAT_SEGMENT_DIR_MARKER,
	    BAT_SEGMENT_DIR_MARKER, repair->error);
}

int
bat_repair_compaction(struct repair *repair)
{
	const struct bat_recovery_options options = { .read_only = true,
		.ignore_indexes = true };
	struct bat_segment_dir *dir = &repair->dir;
	struct bat_recovery recovery = { .damaged_count = 0 };
	struct bat_index index;
	int code = BAT_OK;

	if (dir->has_marker) {
		bat_index_init(&index);
		code = bat_recovery_run(dir, &options, &index, &recovery,
		    repair->error);
		bat_index_free(&index);
		if (recovery.heal_marker)
			code = heal(repair, &recovery);
		bat_recovery_free(&recovery);
		if (code != BAT_DATA_CORRUPT)
			return code;
	}
	code = dir->has_compact_src ? plan_source(repair) : BAT_OK;
	if (code == BAT_OK && dir->has_marker && repair->counts->left == 0)
		code = take_marker_away(repair);
	return code == BAT_OK ? bat_segment_dir_scan(dir, repair->error) : code;
}

/* ---- doing it ------------------------------------------------------------ */

static int
remove_segment(struct repair *repair, const struct repair_segment *segment)
{
	char name[BAT_SEGMENT_NAME_SIZE], kept[64];

	bat_segment_name(segment->survey.segment, name);
	snprintf(kept, sizeof(kept), "%06llu-0",
	    (unsigned long long)segment->survey.segment);
	return bat_aside_move(&repair->dir, name, kept, repair->error);
}

static int
rename_segment(struct repair *repair, const struct repair_segment *segment)
{
	const struct bat_disk *disk = repair->dir.disk;
	char from[BAT_SEGMENT_NAME_SIZE], to[BAT_SEGMENT_NAME_SIZE];
	int code;

	bat_segment_name(segment->survey.segment, from);
	bat_segment_name(segment->survey.header.id, to);
	code = disk->rename_at(disk->context, repair->dir.dir, from, to, false);
	return code < 0 ? bat_error_set_os(repair->error, -code,
			      "cannot rename %s to %s", from, to) :
			  bat_file_sync(disk, repair->dir.dir, repair->error);
}

/* What a segment's fate asks for; *out_again: the directory is another one
 * now, and has to be looked at anew before contents change. */
static int
carry_out(struct repair *repair, bool *out_again)
{
	int code = BAT_OK;

	*out_again = false;
	if (repair->drop_rowindex && !BAT_PLANT(123))
		code = drop_index(repair, BAT_ROWINDEX_FILE);
	if (code == BAT_OK && repair->drop_checkpoint)
		code = drop_index(repair, BAT_CHECKPOINT_FILE);
	for (size_t i = 0; code == BAT_OK && i < repair->count; i++) {
		const struct repair_segment *segment = &repair->segments[i];

		if (segment->fate == REPAIR_REMOVE)
			code = remove_segment(repair, segment);
		if (segment->fate == REPAIR_RENAME)
			code = rename_segment(repair, segment);
		*out_again = *out_again || segment->fate == REPAIR_RENAME;
	}
	for (size_t i = 0; code == BAT_OK && !*out_again && i < repair->count;
	     i++)
		if (repair->segments[i].fate == REPAIR_REWRITE)
			code = bat_repair_rewrite(repair, &repair->segments[i]);
	return code;
}

static int
repair_all(struct repair *repair)
{
	bool again = true;
	int code = look_at_hidden(repair);

	if (code == BAT_OK)
		code = bat_repair_compaction(repair);
	for (unsigned round = 0; code == BAT_OK && again && round < ROUNDS_MAX;
	     round++) {
		repair->counts->events = 0;
		code = bat_repair_plan(repair);
		if (code == BAT_OK)
			code = bat_repair_say_plan(repair);
		again = false;
		if (code == BAT_OK && repair->carry_out)
			code = carry_out(repair, &again);
		bat_repair_forget(repair);
		if (code == BAT_OK && again)
			code = bat_segment_dir_scan(&repair->dir,
			    repair->error);
	}
	return code;
}

static int
check_is_store(const struct bat_segment_dir *dir, struct bat_error *error)
{
	if (dir->count > 0 || dir->has_compact_src || dir->has_marker ||
	    dir->irregular_count > 0)
		return BAT_OK;
	return bat_error_set(error, BAT_STATE_NOT_FOUND,
	    "the directory holds no segment (*.fbat)");
}

int
bat_repair(const struct bat_disk *disk, const char *path, bool carry_out_too,
    const struct bat_repair_sink *sink, struct bat_repair_counts *out_counts,
    struct bat_error *error)
{
	struct repair repair = {
		.sink = sink,
		.counts = out_counts,
		.error = error,
		.carry_out = carry_out_too,
		.destination = -1,
	};
	int code = bat_segment_dir_open(&repair.dir, disk, path, false, error);

	*out_counts = (struct bat_repair_counts){ 0 };
	if (code != BAT_OK)
		return code;
	repair.dir.tolerant = repair.dir.reads_around = true;
	code = bat_segment_dir_scan(&repair.dir, error);
	if (code == BAT_OK)
		code = check_is_store(&repair.dir, error);
	if (code == BAT_OK && carry_out_too)
		code = bat_segment_dir_lock(&repair.dir, error);
	/* Somebody may have gone on writing until now. */
	if (code == BAT_OK && carry_out_too)
		code = bat_segment_dir_scan(&repair.dir, error);
	if (code == BAT_OK)
		code = repair_all(&repair);
	bat_segment_dir_close(&repair.dir);
	return code;
}
