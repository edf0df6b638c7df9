#include "segment_dir.h"
#include "segment_dir_parts.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

enum { IDLE_MAX = 64 };

int
bat_segment_dir_open(struct bat_segment_dir *dir, const struct bat_disk *disk,
    const char *path, bool create, struct bat_error *error)
{
	int code;

	*dir = (struct bat_segment_dir){ .disk = disk,
		.dir = -1,
		.lock_fd = -1,
		.owner = BAT_OWNER_NONE };
	code = bat_file_open_dir(disk, path, create, &dir->dir, error);
	if (code != 0)
		return code;
	code = pthread_mutex_init(&dir->mutex, NULL);
	if (code != 0) {
		bat_file_close(disk, dir->dir);
		dir->dir = -1;
		return bat_error_set_os(error, code, "cannot make a mutex");
	}
	return 0;
}

int
bat_segment_dir_share(struct bat_segment_dir *dir,
    const struct bat_segment_dir *of, struct bat_error *error)
{
	int code;

	*dir = (struct bat_segment_dir){
		.disk = of->disk,
		.dir = -1,
		.lock_fd = -1,
		.owner = BAT_OWNER_NONE,
		.shared = true,
		.reads_around = of->reads_around,
	};
	code = pthread_mutex_init(&dir->mutex, NULL);
	if (code != 0)
		return bat_error_set_os(error, code, "cannot make a mutex");
	dir->dir = of->dir;
	return 0;
}

void
bat_segment_dir_close(struct bat_segment_dir *dir)
{
	if (dir->dir < 0)
		return;
	for (size_t i = 0; i < dir->count; i++) {
		if (dir->segments[i].fd >= 0)
			bat_file_close(dir->disk, dir->segments[i].fd);
	}
	for (size_t i = 0; i < dir->retired_count; i++)
		bat_file_close(dir->disk, dir->retired[i].fd);
	free(dir->segments);
	free(dir->retired);
	if (dir->lock_fd >= 0) {
		bat_owner_leave(&dir->owner, dir->disk, dir->dir);
		bat_file_close(dir->disk, dir->lock_fd);
	}
	if (!dir->shared)
		bat_file_close(dir->disk, dir->dir);
	pthread_mutex_destroy(&dir->mutex);
	*dir = (struct bat_segment_dir){ .dir = -1,
		.lock_fd = -1,
		.owner = BAT_OWNER_NONE };
}

int
bat_segment_dir_lock(struct bat_segment_dir *dir, struct bat_error *error)
{
	const struct bat_disk *disk = dir->disk;
	struct bat_file_stat stat;
	int fd, code;

	if (dir->lock_fd >= 0)
		return 0;
	fd = disk->open_at(disk->context, dir->dir, BAT_SEGMENT_DIR_LOCK,
	    O_RDWR | O_CREAT, 0666);
	if (fd < 0)
		return bat_error_set_os(error, -fd,
		    "cannot open " BAT_SEGMENT_DIR_LOCK);
	code = BAT_PLANT(15) ? 0 : disk->lock(disk->context, fd);
	if (code == 0)
		code = disk->stat_fd(disk->context, fd, &stat);
	if (code == 0) {
		dir->lock_inode = stat.inode;
		code = bat_owner_take(&dir->owner, disk, dir->dir, fd, error);
		if (code == BAT_OK)
			dir->lock_fd = fd;
		else
			bat_file_close(disk, fd);
		return code;
	}
	bat_file_close(disk, fd);
	if (code == -EWOULDBLOCK)
		return bat_error_set(error, BAT_WORLD_LOCKED,
		    "another process holds " BAT_SEGMENT_DIR_LOCK);
	return bat_error_set_os(error, -code,
	    "cannot lock " BAT_SEGMENT_DIR_LOCK);
}

static int
confirm_name(const struct bat_segment_dir *dir, const char *name,
    uint64_t inode, const char *remedy, struct bat_error *error)
{
	uint64_t found;
	int code = dir->disk->inode_at(dir->disk->context, dir->dir, name,
	    &found);

	if (code == 0 && found == inode)
		return 0;
	if (code < 0 && code != -ENOENT)
		return bat_error_set_os(error, -code, "cannot stat %s", name);
	return bat_error_set(error, BAT_WORLD_IO,
	    "%s was %s while the store is open; %s, and what is still shown "
	    "can be copied first",
	    name, code == 0 ? "replaced" : "removed", remedy);
}

int
bat_segment_dir_confirm(const struct bat_segment_dir *dir, bool newest,
    struct bat_error *error)
{
	const struct bat_segment_info *last;
	int code;

	if (dir->lock_fd < 0)
		return 0;
	code = confirm_name(dir, BAT_SEGMENT_DIR_LOCK, dir->lock_inode,
	    "if the directory is still there, close the store and open it "
	    "again",
	    error);
	if (code != 0 || !newest || dir->count == 0)
		return code;
	last = &dir->segments[dir->count - 1];
	return confirm_name(dir, last->name, last->stat.inode,
	    "put it back, or close the store and open it again", error);
}

int
bat_segment_dir_confirm_owner(struct bat_segment_dir *dir,
    struct bat_error *error)
{
	return bat_owner_confirm(&dir->owner, dir->disk, dir->dir, error);
}

struct bat_segment_info *
bat_segment_dir_look(const struct bat_segment_dir *dir, uint64_t id)
{
	size_t low = 0, high = dir->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (dir->segments[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == dir->count || dir->segments[low].id != id)
		return NULL;
	return &dir->segments[low];
}

int
bat_segment_dir_reserve(struct bat_segment_dir *dir)
{
	struct bat_segment_info *segments;
	size_t capacity = dir->capacity == 0 ? 16 : dir->capacity * 2;

	if (dir->count < dir->capacity)
		return 0;
	if (capacity > SIZE_MAX / sizeof(*segments))
		return BAT_WORLD_NO_MEMORY;
	segments = realloc(dir->segments, capacity * sizeof(*segments));
	if (segments == NULL)
		return BAT_WORLD_NO_MEMORY;
	dir->segments = segments;
	dir->capacity = capacity;
	return 0;
}

struct bat_segment_info *
bat_segment_dir_find(struct bat_segment_dir *dir, uint64_t id)
{
	struct bat_segment_info *info;

	pthread_mutex_lock(&dir->mutex);
	info = bat_segment_dir_look(dir, id);
	pthread_mutex_unlock(&dir->mutex);
	return info;
}

int
bat_segment_dir_add(struct bat_segment_dir *dir, uint64_t id,
    struct bat_error *error)
{
	const struct bat_disk *disk = dir->disk;
	struct bat_segment_info info = { .id = id, .fd = -1 };
	int code;

	bat_segment_name(id, info.name);
	code = disk->stat_at(disk->context, dir->dir, info.name, &info.stat);
	if (code < 0)
		return bat_error_set_os(error, -code, "cannot stat %s",
		    info.name);
	pthread_mutex_lock(&dir->mutex);
	assert(dir->count == 0 || dir->segments[dir->count - 1].id < id);
	code = bat_segment_dir_reserve(dir);
	if (code == 0) {
		dir->segments[dir->count] = info;
		dir->count++;
	}
	pthread_mutex_unlock(&dir->mutex);
	if (code != 0)
		return bat_error_set(error, code,
		    "no memory for the list of segments");
	return 0;
}

/* Another file may have got the name since the list was made. */
static int
open_segment(struct bat_segment_dir *dir, struct bat_segment_info *info,
    struct bat_error *error)
{
	const struct bat_disk *disk = dir->disk;
	struct bat_file_stat stat;
	int code = bat_file_open_read(disk, dir->dir, info->name, &info->fd,
	    error);

	if (code != 0)
		return code;
	code = disk->stat_fd(disk->context, info->fd, &stat);
	if (code < 0)
		code = bat_error_set_os(error, -code, "cannot stat %s",
		    info->name);
	else if (stat.inode != info->stat.inode)
		code = bat_error_set_at(error, BAT_WORLD_ABSENT, info->id, 0,
		    "%s was replaced by another file", info->name);
	if (code != 0) {
		bat_file_close(disk, info->fd);
		info->fd = -1;
	}
	return code;
}

int
bat_segment_dir_ids(struct bat_segment_dir *dir, uint64_t **out_ids,
    size_t *out_count)
{
	uint64_t *ids;

	pthread_mutex_lock(&dir->mutex);
	ids = calloc(dir->count + 1, sizeof(*ids));
	for (size_t i = 0; ids != NULL && i < dir->count; i++)
		ids[i] = dir->segments[i].id;
	*out_count = dir->count;
	pthread_mutex_unlock(&dir->mutex);
	*out_ids = ids;
	return ids == NULL ? BAT_WORLD_NO_MEMORY : BAT_OK;
}

int
bat_segment_dir_hold(struct bat_segment_dir *dir, uint64_t id, int *out_fd,
    struct bat_error *error)
{
	struct bat_segment_info *info;
	int code = 0;

	pthread_mutex_lock(&dir->mutex);
	info = bat_segment_dir_look(dir, id);
	if (info == NULL) {
		code = bat_error_set_at(error, BAT_WORLD_ABSENT, id, 0,
		    "there is no segment %llu", (unsigned long long)id);
	} else if (info->fd < 0) {
		code = open_segment(dir, info, error);
	} else if (info->holds == 0) {
		dir->idle_count--;
	}
	if (code == 0 && info != NULL) {
		info->holds++;
		*out_fd = info->fd;
	}
	pthread_mutex_unlock(&dir->mutex);
	return code;
}

void
bat_segment_dir_forget(struct bat_segment_dir *dir, uint64_t id)
{
	struct bat_segment_info *info;

	pthread_mutex_lock(&dir->mutex);
	info = bat_segment_dir_look(dir, id);
	if (info != NULL) {
		size_t behind = dir->count - (size_t)(info - dir->segments) - 1;

		assert(info->holds == 0);
		if (info->fd >= 0) {
			bat_file_close(dir->disk, info->fd);
			dir->idle_count--;
		}
		memmove(info, info + 1, behind * sizeof(*info));
		dir->count--;
		dir->idle_hand = 0;
	}
	pthread_mutex_unlock(&dir->mutex);
}

/* The next one in turn that is open and not held. */
static void
close_an_idle_one(struct bat_segment_dir *dir)
{
	for (size_t i = 0; i < dir->count; i++) {
		struct bat_segment_info *info;

		dir->idle_hand = (dir->idle_hand + 1) % dir->count;
		info = &dir->segments[dir->idle_hand];
		if (info->fd < 0 || info->holds > 0)
			continue;
		bat_file_close(dir->disk, info->fd);
		info->fd = -1;
		dir->idle_count--;
		return;
	}
}

/* Close what outlived its file under an id that nobody holds any more. */
static void
close_retired(struct bat_segment_dir *dir, uint64_t id)
{
	size_t kept = 0;

	for (size_t i = 0; i < dir->retired_count; i++) {
		if (dir->retired[i].id == id) {
			bat_file_close(dir->disk, dir->retired[i].fd);
			continue;
		}
		dir->retired[kept] = dir->retired[i];
		kept++;
	}
	dir->retired_count = kept;
}

/* Drop one hold of an id that left the list. */
static void
release_retired(struct bat_segment_dir *dir, uint64_t id)
{
	for (size_t i = 0; i < dir->retired_count; i++) {
		struct bat_segment_retired *retired = &dir->retired[i];

		if (retired->id != id || retired->holds == 0)
			continue;
		retired->holds--;
		if (retired->holds == 0)
			close_retired(dir, id);
		return;
	}
}

void
bat_segment_dir_release(struct bat_segment_dir *dir, uint64_t id)
{
	struct bat_segment_info *info;

	pthread_mutex_lock(&dir->mutex);
	info = bat_segment_dir_look(dir, id);
	if (info == NULL) {
		release_retired(dir, id);
	} else {
		assert(info->holds > 0);
		info->holds--;
		if (info->holds == 0)
			close_retired(dir, id);
		if (info->holds == 0 && info->fd >= 0)
			dir->idle_count++;
		if (dir->idle_count > IDLE_MAX)
			close_an_idle_one(dir);
	}
	pthread_mutex_unlock(&dir->mutex);
}

void
bat_segment_dir_close_idle(struct bat_segment_dir *dir)
{
	pthread_mutex_lock(&dir->mutex);
	while (dir->idle_count > 0)
		close_an_idle_one(dir);
	pthread_mutex_unlock(&dir->mutex);
}
