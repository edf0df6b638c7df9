/*
 * One segment, and the names that are none.
 */
#include "inspect_parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "sidecar.h"

/* ---- a segment -------------------------------------------------------------- */

static void
say_header(struct inspection *inspection, const struct bat_survey *survey,
    bool is_highest)
{
	const struct bat_error *why = &survey->header_error;

	/* Where a crash leaves it, the first append takes it away. */
	if (why->code == BAT_DATA_TORN && is_highest) {
		bat_inspect_say(inspection, "header", "short");
		inspection->torn++;
		return;
	}
	if (why->code != BAT_OK) {
		bat_inspect_say(inspection, "header", "wrong: %s", why->text);
		bat_inspect_damage(inspection, survey->segment, 0, "%s",
		    why->text);
		return;
	}
	bat_inspect_say(inspection, "header", "ok");
	bat_inspect_say(inspection, "created_ns", "%lld",
	    (long long)survey->header.created_ns);
	if (survey->header.id == survey->segment)
		return;
	bat_inspect_say(inspection, "number", "%llu",
	    (unsigned long long)survey->header.id);
	bat_inspect_damage(inspection, survey->segment, 0,
	    "segment %llu says that it is segment %llu",
	    (unsigned long long)survey->segment,
	    (unsigned long long)survey->header.id);
}

static void
say_footer(struct inspection *inspection, const struct bat_survey *survey)
{
	const char *why = survey->footer_error.text;

	switch (survey->footer) {
	case BAT_SURVEY_NO_FOOTER:
		bat_inspect_say(inspection, "footer", "none%s%s",
		    why[0] != '\0' ? ": " : "", why);
		return;
	case BAT_SURVEY_FOOTER_HOLDS:
		bat_inspect_say(inspection, "footer", "ok");
		break;
	case BAT_SURVEY_FOOTER_WRONG:
		bat_inspect_say(inspection, "footer", "wrong: %s", why);
		bat_inspect_damage(inspection, survey->segment, 0,
		    "the footer of segment %llu: %s",
		    (unsigned long long)survey->segment, why);
		break;
	case BAT_SURVEY_FOOTER_FOREIGN:
		bat_inspect_say(inspection, "footer", "foreign: %s", why);
		return;
	}
	bat_inspect_say(inspection, "footer_rows", "%llu",
	    (unsigned long long)survey->footer_rows);
	if (survey->lost_rows > 0)
		bat_inspect_say(inspection, "lost_events", "%llu",
		    (unsigned long long)survey->lost_rows);
}

static bool
is_highest(const struct inspection *inspection, uint64_t segment)
{
	const struct bat_segment_dir *dir = &inspection->dir;

	return dir->segments[dir->count - 1].id == segment;
}

static void
say_gap(struct inspection *inspection, const struct bat_survey *survey,
    const struct bat_survey_piece *piece)
{
	bool is_hole = piece->kind == BAT_SURVEY_HOLE;
	bool is_ahead = piece->kind == BAT_SURVEY_AHEAD;
	char key[48];

	snprintf(key, sizeof(key), "%s.%llu",
	    is_hole	 ? "hole" :
		is_ahead ? "ahead" :
			   "tail",
	    (unsigned long long)piece->offset);
	bat_inspect_say(inspection, key, "%llu %s",
	    (unsigned long long)piece->length, piece->reason);
	if (is_hole)
		bat_inspect_damage(inspection, survey->segment, piece->offset,
		    "segment %llu offset %llu: %llu bytes (%s)",
		    (unsigned long long)survey->segment,
		    (unsigned long long)piece->offset,
		    (unsigned long long)piece->length, piece->reason);
	else if (!is_ahead || !is_highest(inspection, survey->segment))
		inspection->torn++;
}

static void
say_pieces(struct inspection *inspection, const struct bat_survey *survey)
{
	uint64_t frames = survey->events + survey->dropped;

	for (size_t i = 0; i < survey->count; i++)
		frames += survey->pieces[i].kind == BAT_SURVEY_BEGIN ||
		    survey->pieces[i].kind == BAT_SURVEY_COMMIT;
	bat_inspect_say(inspection, "frames", "%llu",
	    (unsigned long long)frames);
	bat_inspect_say(inspection, "events", "%llu",
	    (unsigned long long)survey->events);
	bat_inspect_say(inspection, "batches", "%llu",
	    (unsigned long long)survey->batches);
	bat_inspect_say(inspection, "dropped", "%llu",
	    (unsigned long long)survey->dropped);
	for (size_t i = 0; i < survey->count; i++)
		if (survey->pieces[i].kind == BAT_SURVEY_HOLE ||
		    survey->pieces[i].kind == BAT_SURVEY_TAIL ||
		    survey->pieces[i].kind == BAT_SURVEY_AHEAD)
			say_gap(inspection, survey, &survey->pieces[i]);
	if (survey->unfinished == 0)
		return;
	bat_inspect_say(inspection, "unfinished", "%llu",
	    (unsigned long long)survey->unfinished);
	inspection->torn++;
}

void
bat_inspect_segment(struct inspection *inspection, size_t position)
{
	const struct bat_segment_info *info =
	    &inspection->dir.segments[position];
	struct bat_error error = { .code = 0 };
	struct bat_survey survey;
	int code;

	if (inspection->code != BAT_OK)
		return;
	snprintf(inspection->prefix, sizeof(inspection->prefix),
	    "segment.%06llu.", (unsigned long long)info->id);
	bat_inspect_say(inspection, "size", "%llu",
	    (unsigned long long)info->stat.size);
	code = bat_survey_segment(&inspection->dir, info->id, &survey, &error);
	if (bat_inspect_ends(inspection, code, &error)) {
		/* Of the rest nothing is said. */
	} else if (code != BAT_OK) {
		bat_inspect_say(inspection, "unreadable", "%s", error.text);
		bat_inspect_damage(inspection, info->id, 0, "%s", error.text);
	} else {
		say_header(inspection, &survey,
		    is_highest(inspection, info->id));
		/* What is left of a header is no hole, but as long as it. */
		if (survey.header_error.code != BAT_DATA_TORN)
			say_pieces(inspection, &survey);
		say_footer(inspection, &survey);
		bat_survey_free(&survey);
	}
	inspection->prefix[0] = '\0';
}

/* ---- names -------------------------------------------------------------------- */

/* A folder that is listed: .batfs, or one in it. */
struct folder {
	struct inspection *inspection;
	int fd;
	const char *name; /* of one in .batfs */
};

/* A name in a folder of .batfs. */
static int
list_leaf(void *context, const char *name)
{
	const struct folder *folder = context;
	const struct bat_disk *disk = folder->inspection->dir.disk;
	struct bat_file_stat stat;
	char key[300];

	if (disk->stat_at(disk->context, folder->fd, name, &stat) < 0)
		return 0;
	snprintf(key, sizeof(key), "batfs.%.100s/%.150s", folder->name, name);
	bat_inspect_say(folder->inspection, key, "%llu",
	    (unsigned long long)stat.size);
	return 0;
}

/* A name in .batfs; what lies in a folder there is named too. */
static int
list_side(void *context, const char *name)
{
	const struct folder *side = context;
	const struct bat_disk *disk = side->inspection->dir.disk;
	struct folder folder = { .inspection = side->inspection, .name = name };
	struct bat_file_stat stat;
	char key[300];

	if (disk->stat_at(disk->context, side->fd, name, &stat) < 0)
		return 0;
	snprintf(key, sizeof(key), "batfs.%.255s", name);
	if (stat.type != BAT_FILE_DIRECTORY) {
		bat_inspect_say(side->inspection, key, "%llu",
		    (unsigned long long)stat.size);
		return 0;
	}
	folder.fd = disk->open_dir_at(disk->context, side->fd, name);
	if (folder.fd < 0) {
		bat_inspect_say(side->inspection, key, "unreadable");
		return 0;
	}
	(void)disk->list(disk->context, folder.fd, list_leaf, &folder);
	bat_file_close(disk, folder.fd);
	return 0;
}

static void
inspect_side(struct inspection *inspection)
{
	const struct bat_disk *disk = inspection->dir.disk;
	struct folder side = { .inspection = inspection };

	side.fd = disk->open_dir_at(disk->context, inspection->dir.dir,
	    BAT_SIDECAR_DIR);
	if (side.fd < 0)
		return;
	(void)disk->list(disk->context, side.fd, list_side, &side);
	bat_file_close(disk, side.fd);
}

static bool
ends_in_fbat(const char *name)
{
	size_t length = strlen(name);

	return length > 5 && strcmp(name + length - 5, ".fbat") == 0;
}

/* What is said elsewhere: a segment, an index file, hidden ranges, and so on. */
static bool
is_known(const char *name)
{
	static const char *const known[] = { BAT_SEGMENT_DIR_LOCK,
		BAT_SEGMENT_DIR_MARKER, "visibility_ranges.fbv", "index.ckpt",
		"index.fbati", "cursors", BAT_SIDECAR_DIR };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(name, known[i]) == 0)
			return true;
	return false;
}

static int
look_at_name(void *context, const char *name)
{
	struct inspection *inspection = context;
	const struct bat_disk *disk = inspection->dir.disk;
	struct bat_file_stat stat;
	uint64_t id;
	bool is_segment = bat_segment_id_of_name(name, &id);
	char key[300];

	if (is_known(name) ||
	    disk->stat_at(disk->context, inspection->dir.dir, name, &stat) < 0)
		return 0;
	if (is_segment && stat.type == BAT_FILE_REGULAR)
		return 0;
	snprintf(key, sizeof(key), "other.%.255s", name);
	if (is_segment) {
		bat_inspect_say(inspection, key,
		    "a segment's name, and no regular file");
		bat_inspect_damage(inspection, id, 0,
		    "%s is not a regular file", name);
	} else {
		bat_inspect_say(inspection, key, "%s",
		    strcmp(name, BAT_SEGMENT_DIR_UNFINISHED) == 0 ?
			"a compaction was writing it; it goes with the first "
			"append" :
			ends_in_fbat(name) ?
			"looks like a segment and is none" :
			"not part of a store");
	}
	return 0;
}

void
bat_inspect_names(struct inspection *inspection)
{
	const struct bat_disk *disk = inspection->dir.disk;

	(void)disk->list(disk->context, inspection->dir.dir, look_at_name,
	    inspection);
	inspect_side(inspection);
}
