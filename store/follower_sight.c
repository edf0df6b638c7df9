/* What lies in a directory, to be compared with what lies there later. */
#include "follower_internal.h"

#include <errno.h>

struct bat_follower_stamp
bat_follower_stamp_of(const struct bat_file_stat *stat)
{
	return (struct bat_follower_stamp){
		.there = true,
		.inode = stat->inode,
		.size = stat->size,
		.mtime_ns = stat->mtime_ns,
		.ctime_ns = stat->ctime_ns,
	};
}

bool
bat_follower_is_same(const struct bat_follower_stamp *a,
    const struct bat_follower_stamp *b)
{
	if (!a->there || !b->there)
		return a->there == b->there;
	return a->inode == b->inode && a->size == b->size &&
	    a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

int
bat_follower_stamp_name(const struct bat_segment_dir *dir, const char *name,
    struct bat_follower_stamp *out, struct bat_error *error)
{
	struct bat_file_stat stat;
	int code = dir->disk->stat_at(dir->disk->context, dir->dir, name,
	    &stat);

	*out = (struct bat_follower_stamp){ .there = false };
	if (code == -ENOENT)
		return BAT_OK;
	if (code < 0)
		return bat_error_set_os(error, -code, "cannot stat %s", name);
	*out = bat_follower_stamp_of(&stat);
	return BAT_OK;
}

const struct bat_segment_info *
bat_follower_find(const struct bat_segment_dir *list, uint64_t id)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->segments[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->count && list->segments[low].id == id ?
	    &list->segments[low] :
	    NULL;
}

int
bat_follower_see(const struct bat_segment_dir *dir,
    struct bat_follower_sight *out, struct bat_error *error)
{
	int code = bat_follower_stamp_name(dir, BAT_HIDDEN_FILE, &out->hidden,
	    error);

	out->list = (struct bat_segment_dir){ .dir = -1 };
	if (code == BAT_OK)
		code = bat_follower_stamp_name(dir, "index.ckpt",
		    &out->checkpoint, error);
	if (code == BAT_OK)
		code = bat_follower_stamp_name(dir, "index.fbati",
		    &out->rowindex, error);
	return code == BAT_OK ? bat_segment_dir_list(dir, &out->list, error) :
				code;
}

void
bat_follower_sight_free(struct bat_follower_sight *sight)
{
	bat_segment_dir_drop(&sight->list);
}

/* All of before are still these files, and nothing came in between. */
static bool
only_grew(const struct bat_segment_dir *before,
    const struct bat_segment_dir *after)
{
	uint64_t last = before->count == 0 ?
	    0 :
	    before->segments[before->count - 1].id;
	bool same = before->has_marker == after->has_marker &&
	    before->has_compact_src == after->has_compact_src;

	for (size_t i = 0; same && i < before->count; i++) {
		const struct bat_segment_info *now = bat_follower_find(after,
		    before->segments[i].id);

		same = now != NULL &&
		    now->stat.inode == before->segments[i].stat.inode;
	}
	for (size_t i = 0; same && i < after->count; i++)
		same = before->count == 0 || after->segments[i].id > last ||
		    bat_follower_find(before, after->segments[i].id) != NULL;
	return same;
}

int
bat_follower_compare(const struct bat_follower_sight *before,
    const struct bat_segment_dir *dir, struct bat_error *error)
{
	struct bat_follower_sight after;
	int code = bat_follower_see(dir, &after, error);

	if (code == BAT_OK &&
	    (!only_grew(&before->list, &after.list) ||
		!bat_follower_is_same(&before->hidden, &after.hidden)))
		code = BAT_END;
	bat_follower_sight_free(&after);
	return code;
}
