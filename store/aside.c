#include "aside.h"

#include <errno.h>
#include <stdio.h>

/* Of one name; more than anybody repairs. */
enum { NAMES_MAX = 10000 };

/* Open, and make if need be, a folder below dir. Its name is on disk after this,
 * also where another process made it and was killed before it had synced it. */
static int
open_folder(const struct bat_disk *disk, int dir, const char *name, int *out,
    struct bat_error *error)
{
	int code = disk->mkdir_at(disk->context, dir, name, 0700);

	if (code < 0 && code != -EEXIST)
		return bat_error_set_os(error, -code, "cannot make %s", name);
	if (code == 0 || !BAT_PLANT(305)) {
		code = bat_file_sync(disk, dir, error);
		if (code != BAT_OK)
			return code;
	}
	*out = disk->open_dir_at(disk->context, dir, name);
	if (*out < 0)
		return bat_error_set_os(error, -*out, "cannot open %s", name);
	return BAT_OK;
}

static int
open_cut(const struct bat_segment_dir *dir, int *out, struct bat_error *error)
{
	const struct bat_disk *disk = dir->disk;
	int side = -1;
	int code = open_folder(disk, dir->dir, BAT_ASIDE_SIDE, &side, error);

	if (code != BAT_OK)
		return code;
	code = open_folder(disk, side, BAT_ASIDE_CUT, out, error);
	bat_file_close(disk, side);
	return code;
}

/* 0: kept under this name; BAT_STATE_EXISTS: other bytes have it. */
static int
keep_as(const struct bat_disk *disk, int folder, const char *name,
    struct bat_slice bytes, struct bat_error *error)
{
	struct bat_buf there = BAT_BUF_EMPTY;
	int code = bat_file_read_whole(disk, folder, name, bytes.length, &there,
	    error);

	if (code == BAT_WORLD_ABSENT)
		code = bat_file_put_whole(disk, folder, name, bytes, true,
		    error);
	else if (code == BAT_USE_TOO_LARGE ||
	    (code == BAT_OK &&
		!bat_bytes_equal(bat_bytes_of_buf(&there), bytes)))
		code = BAT_STATE_EXISTS;
	else if (code == BAT_OK)
		/* Its name may not be on disk yet. */
		code = bat_file_sync(disk, folder, error);
	bat_bytes_free(&there);
	return code;
}

int
bat_aside_keep(const struct bat_segment_dir *dir, const char *name,
    struct bat_slice bytes, struct bat_error *error)
{
	char other[128];
	int folder = -1;
	int code = open_cut(dir, &folder, error);

	if (code != BAT_OK)
		return code;
	code = keep_as(dir->disk, folder, name, bytes, error);
	for (unsigned i = 1; code == BAT_STATE_EXISTS && i < NAMES_MAX; i++) {
		snprintf(other, sizeof(other), "%s.%u", name, i);
		code = keep_as(dir->disk, folder, other, bytes, error);
	}
	bat_file_close(dir->disk, folder);
	if (code == BAT_STATE_EXISTS)
		bat_error_set(error, code, "no name is left for %s", name);
	return code;
}

int
bat_aside_move(const struct bat_segment_dir *dir, const char *file,
    const char *name, struct bat_error *error)
{
	struct bat_buf bytes = BAT_BUF_EMPTY;
	int code = bat_file_read_whole(dir->disk, dir->dir, file, SIZE_MAX / 2,
	    &bytes, error);

	if (code == BAT_OK && bytes.length > 0)
		code = bat_aside_keep(dir, name, bat_bytes_of_buf(&bytes),
		    error);
	bat_bytes_free(&bytes);
	if (code == BAT_WORLD_ABSENT)
		return BAT_OK;
	if (code == BAT_OK)
		code = bat_file_unlink(dir->disk, dir->dir, file, error);
	if (code == BAT_OK)
		code = bat_file_sync(dir->disk, dir->dir, error);
	return code;
}

int
bat_aside_read(const struct bat_segment_dir *dir, const char *name,
    struct bat_buf *buf, struct bat_error *error)
{
	const struct bat_disk *disk = dir->disk;
	int side = disk->open_dir_at(disk->context, dir->dir, BAT_ASIDE_SIDE);
	int folder, code;

	if (side < 0)
		return bat_error_set_os(error, -side, BAT_ASIDE_SIDE);
	folder = disk->open_dir_at(disk->context, side, BAT_ASIDE_CUT);
	bat_file_close(disk, side);
	if (folder < 0)
		return bat_error_set_os(error, -folder, BAT_ASIDE_CUT);
	code = bat_file_read_whole(disk, folder, name, SIZE_MAX / 2, buf,
	    error);
	bat_file_close(disk, folder);
	return code;
}
