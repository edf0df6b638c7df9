#include "follower_internal.h"

#include <stdlib.h>

/* Who compacted is taken for dead when nothing moves for so long. */
#define BUSY_NS INT64_C(5000000000)
/* Two changes within this may have the same time. */
#define SETTLED_NS INT64_C(2000000000)

/* ---- what files are -------------------------------------------------- */

static int
stamp_directory(const struct bat_segment_dir *dir,
    struct bat_follower_stamp *out, struct bat_error *error)
{
	struct bat_file_stat stat;
	int code = dir->disk->stat_fd(dir->disk->context, dir->dir, &stat);

	if (code < 0)
		return bat_error_set_os(error, -code,
		    "cannot stat the directory");
	*out = bat_follower_stamp_of(&stat);
	return BAT_OK;
}

/* Of the segment that grows; not there: its name is gone. */
static int
stamp_segment(struct bat_follower *follower, struct bat_follower_stamp *out,
    struct bat_error *error)
{
	const struct bat_disk *disk = follower->dir->disk;
	uint64_t id = follower->place.segment;
	struct bat_file_stat stat;
	int fd, code;

	*out = (struct bat_follower_stamp){ .there = false };
	if (bat_segment_dir_find(follower->dir, id) == NULL)
		return BAT_OK;
	code = bat_segment_dir_hold(follower->dir, id, &fd, error);
	if (code != BAT_OK)
		return code;
	code = disk->stat_fd(disk->context, fd, &stat);
	bat_segment_dir_release(follower->dir, id);
	if (code < 0)
		return bat_error_set_os(error, -code,
		    "cannot stat segment %llu", (unsigned long long)id);
	*out = bat_follower_stamp_of(&stat);
	return BAT_OK;
}

static bool
is_busy(const struct bat_segment_dir *list)
{
	return list->has_marker || list->has_compact_src;
}

/* ---- life ------------------------------------------------------------ */

/* Keep what is shown open. Those that cannot be kept are opened when they are
 * read, and who finds another file then begins anew. */
static void
hold_new(struct bat_follower *follower)
{
	const struct bat_segment_dir *dir = follower->dir;

	for (size_t i = 0;
	     i < dir->count && follower->held_count < BAT_FOLLOWER_HELD_MAX;
	     i++) {
		uint64_t id = dir->segments[i].id;
		bool is_new = follower->held_count == 0 ||
		    follower->held[follower->held_count - 1] < id;
		int fd;

		if (is_new &&
		    bat_segment_dir_hold(follower->dir, id, &fd, NULL) ==
			BAT_OK)
			follower->held[follower->held_count++] = id;
	}
}

/* What stood behind the place was a torn tail to recovery, which would be cut;
 * now it is a write that goes on. */
static void
forget_cut(struct bat_follower *follower)
{
	struct bat_recovery *recovery = follower->recovery;
	size_t kept = 0;

	for (size_t i = 0; i < recovery->cut_count; i++)
		if (recovery->cuts[i].segment != follower->place.segment)
			recovery->cuts[kept++] = recovery->cuts[i];
	recovery->cut_count = kept;
}

int
bat_follower_start(struct bat_follower *follower, struct bat_segment_dir *dir,
    const struct bat_follower_sight *before, struct bat_index *index,
    struct bat_recovery *recovery, pthread_rwlock_t *index_lock,
    struct bat_error *error)
{
	int code = BAT_OK;

	*follower = (struct bat_follower){
		.dir = dir,
		.index = index,
		.recovery = recovery,
		.index_lock = index_lock,
		.place = recovery->end,
		.held = calloc(BAT_FOLLOWER_HELD_MAX, sizeof(uint64_t)),
	};
	if (follower->held == NULL) {
		follower->dir = NULL; /* there is nothing to stop */
		return bat_error_set(error, BAT_WORLD_NO_MEMORY, "no memory");
	}
	hold_new(follower);
	follower->hidden = before->hidden;
	follower->checkpoint = before->checkpoint;
	follower->rowindex = before->rowindex;
	forget_cut(follower);
	/* A compaction that was cut off was sorted out by content: nothing is
	 * new until something moves. Else the first look lists. */
	follower->settled = is_busy(&before->list);
	if (follower->settled)
		code = stamp_directory(dir, &follower->directory, error);
	if (code == BAT_OK)
		code = bat_follower_note_last(follower, error);
	if (code != BAT_OK)
		bat_follower_stop(follower);
	return code;
}

void
bat_follower_stop(struct bat_follower *follower)
{
	for (size_t i = 0; i < follower->held_count; i++)
		bat_segment_dir_release(follower->dir, follower->held[i]);
	free(follower->held);
	follower->held = NULL;
	follower->held_count = 0;
	if (follower->dir != NULL)
		bat_segment_dir_close_idle(follower->dir);
	follower->dir = NULL;
}

/* ---- the directory --------------------------------------------------- */

/* Are the segments that were shown still these files? One of which nothing was
 * shown, because it has not even a header, may go. */
static bool
has_all_shown(const struct bat_follower *follower,
    const struct bat_segment_dir *found)
{
	const struct bat_segment_dir *dir = follower->dir;

	for (size_t i = 0; i < dir->count; i++) {
		const struct bat_segment_info *shown = &dir->segments[i], *now;

		if (shown->id == follower->place.segment &&
		    follower->place.offset == 0)
			continue;
		now = bat_follower_find(found, shown->id);
		if (now == NULL || now->stat.inode != shown->stat.inode)
			return false;
	}
	return true;
}

/*
 * A compaction is under way, or was cut off. BAT_END: wait; BAT_DATA_DISAGREES:
 * nothing moves any more.
 */
static int
wait_for_compaction(struct bat_follower *follower,
    const struct bat_segment_dir *found,
    const struct bat_follower_stamp *directory, int64_t now_ns,
    struct bat_error *error)
{
	struct bat_follower_stamp busy = *directory;

	/* It moves also while the merged file grows. */
	for (size_t i = 0; i < found->count; i++)
		busy.size += found->segments[i].stat.size;
	if (follower->busy_since_ns == 0 ||
	    !bat_follower_is_same(&follower->busy, &busy)) {
		follower->busy_since_ns = now_ns;
		follower->busy = busy;
	}
	if (now_ns - follower->busy_since_ns < BUSY_NS)
		return BAT_END;
	return bat_error_set(error, BAT_DATA_DISAGREES,
	    "a compaction was cut off");
}

/* Take over what lies there now. Returns as bat_follower_look; BAT_END: not
 * now. */
static int
look_at_list(struct bat_follower *follower,
    const struct bat_follower_stamp *directory, int64_t now_ns,
    struct bat_error *error)
{
	struct bat_follower_stamp hidden;
	struct bat_segment_dir found;
	int code = bat_segment_dir_list(follower->dir, &found, error);

	if (code != BAT_OK)
		return code;
	if (is_busy(&found) && !BAT_PLANT(190)) {
		code = wait_for_compaction(follower, &found, directory, now_ns,
		    error);
		bat_segment_dir_drop(&found);
		return code;
	}
	follower->busy_since_ns = 0;
	code = bat_follower_stamp_name(follower->dir, BAT_HIDDEN_FILE, &hidden,
	    error);
	if (code == BAT_OK &&
	    !bat_follower_is_same(&hidden, &follower->hidden) &&
	    !BAT_PLANT(191))
		code = bat_error_set(error, BAT_DATA_DISAGREES,
		    "the hidden ranges changed");
	if (code == BAT_OK && !has_all_shown(follower, &found))
		code = bat_error_set(error, BAT_DATA_DISAGREES,
		    "segments were replaced");
	if (code != BAT_OK) {
		bat_segment_dir_drop(&found);
		return code;
	}
	code = bat_segment_dir_adopt(follower->dir, &found, error);
	if (code == BAT_OK)
		hold_new(follower);
	return code;
}

static int
look_at_directory(struct bat_follower *follower, int64_t wall_ns,
    int64_t now_ns, struct bat_error *error)
{
	struct bat_follower_stamp now;
	int code = stamp_directory(follower->dir, &now, error);

	if (code != BAT_OK ||
	    (follower->settled &&
		bat_follower_is_same(&now, &follower->directory)))
		return code;
	code = look_at_list(follower, &now, now_ns, error);
	if (code != BAT_OK)
		return code;
	follower->directory = now;
	follower->settled = now.ctime_ns < wall_ns - SETTLED_NS;
	return BAT_OK;
}

/* ---- the look -------------------------------------------------------- */

/*
 * Who writes over what was laid ahead of the frames does not make the file
 * longer, and twice within a tick of the clock leaves the same times.
 */
static bool
may_hide_more(const struct bat_follower *follower,
    const struct bat_follower_stamp *now, int64_t wall_ns)
{
	return now->there && !follower->place.sealed &&
	    now->size > follower->place.offset &&
	    now->ctime_ns >= wall_ns - SETTLED_NS && !BAT_PLANT(224);
}

/* The list says how large a segment is. */
static void
note_size(struct bat_follower *follower, const struct bat_follower_stamp *now)
{
	struct bat_segment_info *info = bat_segment_dir_find(follower->dir,
	    follower->place.segment);

	if (now->there && info != NULL && info->stat.inode == now->inode)
		info->stat.size = now->size;
}

int
bat_follower_look(struct bat_follower *follower, int64_t wall_ns,
    int64_t now_ns, bool *out_grew, struct bat_error *error)
{
	const struct bat_segment_dir *dir = follower->dir;
	struct bat_follower_stamp now;
	bool higher;
	int code = look_at_directory(follower, wall_ns, now_ns, error);

	*out_grew = false;
	if (code == BAT_OK)
		code = stamp_segment(follower, &now, error);
	if (code != BAT_OK)
		return code == BAT_END ? BAT_OK : code;
	higher = dir->count > 0 &&
	    dir->segments[dir->count - 1].id > follower->place.segment;
	if (!higher && bat_follower_is_same(&now, &follower->segment) &&
	    !may_hide_more(follower, &now, wall_ns))
		return BAT_OK;
	if (now.there)
		code = bat_follower_check_shown(follower, &now, error);
	if (code == BAT_OK)
		code = bat_follower_scan(follower, out_grew, error);
	if (code != BAT_OK)
		return code;
	/* As it was before it was read: what came since is read next time. */
	follower->segment = higher ?
	    (struct bat_follower_stamp){ .there = false } :
	    now;
	note_size(follower, &now);
	return BAT_OK;
}

/* ---- what is shown --------------------------------------------------- */

void
bat_follower_end(const struct bat_follower *follower, uint64_t *out_segment,
    uint64_t *out_offset)
{
	const struct bat_recovery_place *place = &follower->place;
	const struct bat_segment_info *info = bat_follower_find(follower->dir,
	    place->segment);

	*out_segment = place->segment;
	*out_offset = place->sealed && info != NULL ? info->stat.size :
						      place->offset;
}

bool
bat_follower_index_stands(const struct bat_follower *follower)
{
	struct bat_follower_stamp now;

	if (bat_follower_stamp_name(follower->dir, "index.ckpt", &now, NULL) !=
		BAT_OK ||
	    !bat_follower_is_same(&now, &follower->checkpoint))
		return false;
	return bat_follower_stamp_name(follower->dir, "index.fbati", &now,
		   NULL) == BAT_OK &&
	    bat_follower_is_same(&now, &follower->rowindex);
}
