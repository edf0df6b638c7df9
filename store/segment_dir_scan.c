#include "segment_dir.h"
#include "segment_dir_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char compact_src_suffix[] = ".compact-src";

struct scan {
	struct bat_segment_dir *found;
	struct bat_error *error;
	int code; /* of the name that ended the listing */
};

static bool
ends_with(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);

	return length >= tail && strcmp(name + length - tail, suffix) == 0;
}

/* NNNNNN.fbat.compact-src? */
static bool
compact_src_of_name(const char *name, uint64_t *out_id)
{
	char stem[BAT_SEGMENT_NAME_SIZE];
	size_t length = strlen(name);

	if (!ends_with(name, compact_src_suffix))
		return false;
	length -= sizeof(compact_src_suffix) - 1;
	if (length >= sizeof(stem))
		return false;
	memcpy(stem, name, length);
	stem[length] = '\0';
	return bat_segment_id_of_name(stem, out_id);
}

static int
note_segment(struct scan *scan, uint64_t id, const char *name)
{
	struct bat_segment_dir *found = scan->found;
	const struct bat_disk *disk = found->disk;
	struct bat_segment_info info = { .id = id, .fd = -1 };
	int code;

	snprintf(info.name, sizeof(info.name), "%s", name);
	code = disk->stat_at(disk->context, found->dir, name, &info.stat);
	/* Compaction unlinks segments beneath a follower. */
	if (code == -ENOENT)
		return 0;
	if (code < 0)
		return bat_error_set_os(scan->error, -code, "cannot stat %s",
		    name);
	if (info.stat.type != BAT_FILE_REGULAR && found->tolerant) {
		found->irregular_count++;
		return 0;
	}
	if (info.stat.type != BAT_FILE_REGULAR)
		return bat_error_set(scan->error, BAT_DATA_REFUSED,
		    "%s is not a regular file", name);
	if (bat_segment_dir_reserve(found) != 0)
		return bat_error_set(scan->error, BAT_WORLD_NO_MEMORY,
		    "no memory for the list of segments");
	found->segments[found->count] = info;
	found->count++;
	return 0;
}

/* Names beside the segments; false when it is none that we know. */
static bool
note_beside(struct bat_segment_dir *found, const char *name)
{
	const struct {
		const char *name;
		bool *flag;
	} known[] = {
		{ BAT_SEGMENT_DIR_LOCK, &found->has_lock },
		{ BAT_SEGMENT_DIR_MARKER, &found->has_marker },
		{ "visibility_ranges.fbv", &found->has_hidden },
		{ "index.ckpt", &found->has_checkpoint },
		{ "index.fbati", &found->has_rowindex },
		{ BAT_SEGMENT_DIR_UNFINISHED, &found->has_unfinished },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(name, known[i].name) == 0) {
			*known[i].flag = true;
			return true;
		}
	}
	return strcmp(name, "cursors") == 0 || strcmp(name, ".batfs") == 0 ||
	    strncmp(name, ".tmp", 4) == 0;
}

/* Which of the things of FORMAT.md 1.2 a name is, in the order given there. */
static int
note_name(void *context, const char *name)
{
	struct scan *scan = context;
	struct bat_segment_dir *found = scan->found;
	uint64_t id;

	if (bat_segment_id_of_name(name, &id)) {
		scan->code = note_segment(scan, id, name);
	} else if (compact_src_of_name(name, &id)) {
		/* batpak makes one at a time; of several the lowest counts. */
		if (!found->has_compact_src || id < found->compact_src_id)
			found->compact_src_id = id;
		found->has_compact_src = true;
	} else if (ends_with(name, ".fbat") && strcmp(name, ".fbat") != 0) {
		found->malformed_count++;
	} else if (!note_beside(found, name)) {
		found->has_other = true;
	}
	return scan->code;
}

static int
compare_ids(const void *a, const void *b)
{
	const struct bat_segment_info *left = a, *right = b;

	if (BAT_PLANT(14))
		return strcmp(left->name, right->name);
	return (left->id > right->id) - (left->id < right->id);
}

static void
sort(struct bat_segment_dir *found)
{
	if (found->count > 1)
		qsort(found->segments, found->count, sizeof(*found->segments),
		    compare_ids);
}

/* Where a compaction was cut off between renaming its first source and making
 * the merged segment, the source is read in its place. */
static int
stand_in(struct scan *scan)
{
	struct bat_segment_dir *found = scan->found;
	char name[sizeof(found->segments->name)];
	int code;

	if (!found->has_compact_src || !found->has_marker ||
	    bat_segment_dir_look(found, found->compact_src_id) != NULL)
		return 0;
	bat_segment_name(found->compact_src_id, name);
	memcpy(name + strlen(name), compact_src_suffix,
	    sizeof(compact_src_suffix));
	code = note_segment(scan, found->compact_src_id, name);
	sort(found);
	return code;
}

int
bat_segment_dir_list(const struct bat_segment_dir *dir,
    struct bat_segment_dir *found, struct bat_error *error)
{
	const struct bat_disk *disk = dir->disk;
	struct scan scan = { found, error, 0 };
	int code;

	*found = (struct bat_segment_dir){ .disk = disk,
		.dir = dir->dir,
		.tolerant = dir->tolerant };
	code = disk->list(disk->context, found->dir, note_name, &scan);
	/* Its own failures are an errno, ours a code that is told already. */
	if (scan.code != 0)
		code = scan.code;
	else if (code < 0)
		code = bat_error_set_os(error, -code,
		    "cannot list the directory");
	if (code == 0) {
		sort(found);
		code = stand_in(&scan);
	}
	if (code != 0)
		bat_segment_dir_drop(found);
	return code;
}
