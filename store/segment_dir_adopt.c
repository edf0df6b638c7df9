/*
 * A new list of segments in the place of the old one: descriptors and holds go
 * over to what is still the same file, and what is held and gone stays open.
 */
#include "segment_dir.h"
#include "segment_dir_parts.h"

#include <stdlib.h>

/* Give holds of an id that left the list to one of its old descriptors. */
static void
retire_holds(struct bat_segment_dir *dir, uint64_t id, unsigned holds)
{
	for (size_t i = 0; i < dir->retired_count; i++) {
		if (dir->retired[i].id == id) {
			dir->retired[i].holds += holds;
			return;
		}
	}
}

static void
carry_over_one(struct bat_segment_dir *dir, const struct bat_segment_info *old,
    struct bat_segment_info *now)
{
	if (now != NULL)
		now->holds = old->holds;
	if (old->fd >= 0 && now != NULL && now->stat.inode == old->stat.inode) {
		now->fd = old->fd;
	} else if (old->fd >= 0 && old->holds > 0) {
		dir->retired[dir->retired_count] =
		    (struct bat_segment_retired){ old->id, old->fd, 0 };
		dir->retired_count++;
	} else if (old->fd >= 0) {
		bat_file_close(dir->disk, old->fd);
	}
	if (now == NULL)
		retire_holds(dir, old->id, old->holds);
}

/* Take over descriptors and holds from the list as it was; what is held and
 * gone is retired. Room for all that may be retired is there already. */
static void
carry_over(struct bat_segment_dir *dir, struct bat_segment_dir *found)
{
	for (size_t i = 0; i < dir->count; i++)
		carry_over_one(dir, &dir->segments[i],
		    bat_segment_dir_look(found, dir->segments[i].id));
	/* An id that came back counts its holds in the list again. */
	for (size_t i = 0; i < dir->retired_count; i++) {
		struct bat_segment_info *now = bat_segment_dir_look(found,
		    dir->retired[i].id);

		if (now != NULL) {
			now->holds += dir->retired[i].holds;
			dir->retired[i].holds = 0;
		}
	}
}

static void
replace_list(struct bat_segment_dir *dir, const struct bat_segment_dir *found)
{
	free(dir->segments);
	dir->segments = found->segments;
	dir->count = found->count;
	dir->capacity = found->capacity;
	dir->malformed_count = found->malformed_count;
	dir->irregular_count = found->irregular_count;
	dir->compact_src_id = found->compact_src_id;
	dir->has_compact_src = found->has_compact_src;
	dir->has_marker = found->has_marker;
	dir->has_hidden = found->has_hidden;
	dir->has_checkpoint = found->has_checkpoint;
	dir->has_rowindex = found->has_rowindex;
	dir->has_lock = found->has_lock;
	dir->has_unfinished = found->has_unfinished;
	dir->has_other = found->has_other;
	dir->idle_count = 0;
	dir->idle_hand = 0;
	for (size_t i = 0; i < dir->count; i++)
		dir->idle_count += dir->segments[i].fd >= 0 &&
		    dir->segments[i].holds == 0;
}

int
bat_segment_dir_adopt(struct bat_segment_dir *dir,
    struct bat_segment_dir *found, struct bat_error *error)
{
	struct bat_segment_retired *retired;

	pthread_mutex_lock(&dir->mutex);
	retired = realloc(dir->retired,
	    (dir->retired_count + dir->count + 1) * sizeof(*retired));
	if (retired != NULL) {
		dir->retired = retired;
		carry_over(dir, found);
		replace_list(dir, found);
		found->segments = NULL;
	}
	pthread_mutex_unlock(&dir->mutex);
	bat_segment_dir_drop(found);
	if (retired != NULL)
		return 0;
	return bat_error_set(error, BAT_WORLD_NO_MEMORY,
	    "no memory for the list of segments");
}

void
bat_segment_dir_drop(struct bat_segment_dir *found)
{
	free(found->segments);
	found->segments = NULL;
	found->count = found->capacity = 0;
}

int
bat_segment_dir_scan(struct bat_segment_dir *dir, struct bat_error *error)
{
	struct bat_segment_dir found;
	int code = bat_segment_dir_list(dir, &found, error);

	return code == 0 ? bat_segment_dir_adopt(dir, &found, error) : code;
}
