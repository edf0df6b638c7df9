#include "segment_dir.h"
#include "segment_dir_parts.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

enum { IDLE_MAX = 64 };

/*
 * A descriptor that is still held under an id whose file is another one now,
 * or none. A release says an id and not which of its files, so all of them
 * stay open until nobody holds the id. The holds are counted in the list, or,
 * for an id that left it, in one of its retired entries.
 */
struct bat_segment_retired {
	uint64_t id;
	int fd;
	unsigned holds;
};

int
bat_segment_dir_open(struct bat_segment_dir *dir, const struct bat_disk *disk,
    const char *path, bool create, struct bat_error *error)
{
	int code;

	*dir =
	    (struct bat_segment_dir){ .disk = disk, .dir = -1, .lock_fd = -1 };
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
	if (dir->lock_fd >= 0)
		bat_file_close(dir->disk, dir->lock_fd);
	bat_file_close(dir->disk, dir->dir);
	pthread_mutex_destroy(&dir->mutex);
	*dir = (struct bat_segment_dir){ .dir = -1, .lock_fd = -1 };
}

int
bat_segment_dir_lock(struct bat_segment_dir *dir, struct bat_error *error)
{
	const struct bat_disk *disk = dir->disk;
	int fd, code;

	if (dir->lock_fd >= 0)
		return 0;
	fd = disk->open_at(disk->context, dir->dir, BAT_SEGMENT_DIR_LOCK,
	    O_RDWR | O_CREAT, 0666);
	if (fd < 0)
		return bat_error_set_os(error, -fd,
		    "cannot open " BAT_SEGMENT_DIR_LOCK);
	code = BAT_PLANT(15) ? 0 : disk->lock(disk->context, fd);
	if (code == 0) {
		dir->lock_fd = fd;
		return 0;
	}
	bat_file_close(disk, fd);
	if (code == -EWOULDBLOCK)
		return bat_error_set(error, BAT_WORLD_LOCKED,
		    "another process holds " BAT_SEGMENT_DIR_LOCK);
	return bat_error_set_os(error, -code,
	    "cannot lock " BAT_SEGMENT_DIR_LOCK);
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
	dir->has_other = found->has_other;
	dir->idle_count = 0;
	dir->idle_hand = 0;
	for (size_t i = 0; i < dir->count; i++)
		dir->idle_count += dir->segments[i].fd >= 0 &&
		    dir->segments[i].holds == 0;
}

int
bat_segment_dir_scan(struct bat_segment_dir *dir, struct bat_error *error)
{
	struct bat_segment_dir found = { .disk = dir->disk,
		.dir = dir->dir,
		.tolerant = dir->tolerant };
	struct bat_segment_retired *retired;
	int code = bat_segment_dir_list(&found, error);

	if (code != 0)
		goto free_found;
	pthread_mutex_lock(&dir->mutex);
	retired = realloc(dir->retired,
	    (dir->retired_count + dir->count + 1) * sizeof(*retired));
	if (retired != NULL) {
		dir->retired = retired;
		carry_over(dir, &found);
		replace_list(dir, &found);
	}
	pthread_mutex_unlock(&dir->mutex);
	if (retired != NULL)
		return 0;
	code = bat_error_set(error, BAT_WORLD_NO_MEMORY,
	    "no memory for the list of segments");

free_found:
	free(found.segments);
	return code;
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
		code = bat_file_open_read(dir->disk, dir->dir, info->name,
		    &info->fd, error);
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
