#include "mend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

static int
sync_dir(struct bat_segment_dir *dir, struct bat_error *error)
{
	return bat_file_sync(dir->disk, dir->dir, error);
}

static void
source_name(uint64_t id, char out[BAT_SEGMENT_NAME_SIZE + 16])
{
	char name[BAT_SEGMENT_NAME_SIZE];

	bat_segment_name(id, name);
	snprintf(out, BAT_SEGMENT_NAME_SIZE + 16, "%s.compact-src", name);
}

/* <M>.fbat.compact-src becomes M again; an unfinished merge makes room. */
static int
rename_source(struct bat_segment_dir *dir, uint64_t id, struct bat_error *error)
{
	const struct bat_disk *disk = dir->disk;
	struct bat_segment_info *info = bat_segment_dir_find(dir, id);
	char name[BAT_SEGMENT_NAME_SIZE];
	char source[BAT_SEGMENT_NAME_SIZE + 16];
	int code;

	bat_segment_name(id, name);
	source_name(id, source);
	code = disk->rename_at(disk->context, dir->dir, source, name, true);
	if (code < 0 && code != -ENOENT)
		return bat_error_set_os(error, -code, "cannot rename %s",
		    source);
	/* At once: readers open it by this name. */
	if (info != NULL) {
		pthread_mutex_lock(&dir->mutex);
		snprintf(info->name, sizeof(info->name), "%s", name);
		pthread_mutex_unlock(&dir->mutex);
	}
	return sync_dir(dir, error);
}

/*
 * A sync may have failed behind the rename that made the merged segment: then it
 * is seen, and no later sync puts its name on the disk. It gets it once more;
 * while it has none the sources are what is read. Held, so that readers go on.
 */
static int
settle_merged(struct bat_segment_dir *dir, uint64_t id, struct bat_error *error)
{
	const struct bat_disk *disk = dir->disk;
	char name[BAT_SEGMENT_NAME_SIZE];
	int fd, result, code = bat_segment_dir_hold(dir, id, &fd, error);

	if (code != BAT_OK)
		return code;
	bat_segment_name(id, name);
	result = disk->rename_at(disk->context, dir->dir, name,
	    BAT_SEGMENT_DIR_UNFINISHED, true);
	if (result >= 0)
		code = sync_dir(dir, error);
	if (result >= 0 && code == BAT_OK)
		result = disk->rename_at(disk->context, dir->dir,
		    BAT_SEGMENT_DIR_UNFINISHED, name, false);
	if (result < 0)
		code = bat_error_set_os(error, -result, "cannot rename %s",
		    name);
	else if (code == BAT_OK)
		code = sync_dir(dir, error);
	bat_segment_dir_release(dir, id);
	return code;
}

/* The same of a name that is gone: it comes, empty, and goes again. */
static int
settle_gone(struct bat_segment_dir *dir, uint64_t id, struct bat_error *error)
{
	const struct bat_disk *disk = dir->disk;
	char name[BAT_SEGMENT_NAME_SIZE];
	int fd;

	bat_segment_name(id, name);
	fd = disk->open_at(disk->context, dir->dir, name, O_RDWR | O_CREAT,
	    0600);
	if (fd < 0)
		return bat_error_set_os(error, -fd, "cannot make %s", name);
	bat_file_close(disk, fd);
	return bat_file_unlink(disk, dir->dir, name, error);
}

int
bat_mend_marker(struct bat_segment_dir *dir,
    const struct bat_recovery *recovery, struct bat_error *error)
{
	const struct bat_disk *disk = dir->disk;
	char name[BAT_SEGMENT_NAME_SIZE + 16];
	int code = BAT_OK;

	if (!recovery->heal_marker)
		return BAT_OK;
	if (recovery->heal_rename)
		code = rename_source(dir, recovery->heal_segment, error);
	if (recovery->heal_unlink) {
		source_name(recovery->heal_segment, name);
		code = bat_file_unlink(disk, dir->dir, name, error);
	}
	if (code == BAT_OK && recovery->heal_settle)
		code = settle_merged(dir, recovery->heal_segment, error);
	for (size_t i = 0; code == BAT_OK && i < recovery->heal_gone_count; i++)
		code = settle_gone(dir, recovery->heal_gone[i], error);
	for (size_t i = 0; code == BAT_OK && i < recovery->heal_drop_count;
	     i++) {
		bat_segment_name(recovery->heal_drop[i], name);
		code = bat_file_unlink(disk, dir->dir, name, error);
	}
	if (code == BAT_OK)
		code = sync_dir(dir, error);
	if (code == BAT_OK)
		code = bat_file_unlink(disk, dir->dir, BAT_SEGMENT_DIR_MARKER,
		    error);
	if (code == BAT_OK)
		code = sync_dir(dir, error);
	return code;
}
