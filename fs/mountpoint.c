#include "mountpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* The path up to its last part, and that part; trailing slashes are gone. */
static int
split(const char *path, char **out_parent, char **out_last)
{
	size_t end = strlen(path), start;

	while (end > 1 && path[end - 1] == '/')
		end--;
	start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	*out_last = strndup(path + start, end - start);
	*out_parent = start == 0 ? strdup(".") : strndup(path, start);
	if (*out_last != NULL && *out_parent != NULL)
		return 0;
	free(*out_last);
	free(*out_parent);
	return BAT_WORLD_NO_MEMORY;
}

/* The real parent and the last part as it was typed. A mountpoint whose server
 * died cannot be looked at itself (ENOTCONN), its parent can. */
static int
resolve_by_parent(const char *path, char **out, struct bat_error *error)
{
	char *parent, *last, *real;
	int result = 0;

	if (split(path, &parent, &last) != 0)
		return bat_error_set_os(error, ENOMEM, "%s", path);
	real = realpath(parent, NULL);
	if (real == NULL)
		result = bat_error_set_os(error, errno, "%s", parent);
	else if (asprintf(out, "%s/%s", strcmp(real, "/") == 0 ? "" : real,
		     last) < 0)
		result = bat_error_set_os(error, ENOMEM, "%s", path);
	free(real);
	free(parent);
	free(last);
	return result;
}

int
batfs_mountpoint_resolve(const char *path, char **out, struct bat_error *error)
{
	if (path[0] == '\0')
		return bat_error_set(error, BAT_USE_INVALID, "an empty path");
	*out = realpath(path, NULL);
	if (*out != NULL)
		return 0;
	if (errno != ENOENT && errno != ENOTCONN)
		return bat_error_set_os(error, errno, "%s", path);
	return resolve_by_parent(path, out, error);
}

/* Is `path` the directory `above`, or anywhere below it? */
static bool
is_below(const char *path, const char *above)
{
	size_t length = strlen(above);

	if (strcmp(above, "/") == 0)
		return true;
	return strncmp(path, above, length) == 0 &&
	    (path[length] == '\0' || path[length] == '/');
}

/* A name that a store's directory has and no other. */
static bool
is_of_store(const char *name)
{
	size_t length = strlen(name);

	return strcmp(name, ".batpak.lock") == 0 ||
	    (length > 5 && strcmp(name + length - 5, ".fbat") == 0);
}

/* Who changed the two paths would hide his data beneath a new store. What
 * cannot be read is the mount's to refuse. */
static int
check_holds_no_store(const char *mountpoint, struct bat_error *error)
{
	DIR *dir = opendir(mountpoint);
	const struct dirent *entry = NULL;
	int code = BAT_OK;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (is_of_store(entry->d_name)) {
			code = bat_error_set(error, BAT_USE_INVALID,
			    "%s holds a store's files (%s), which the mount "
			    "would hide; the data directory comes first, then "
			    "an empty directory to mount on",
			    mountpoint, entry->d_name);
			break;
		}
	if (dir != NULL)
		closedir(dir);
	return code;
}

int
batfs_mountpoint_check(const char *data_dir, const char *mountpoint,
    bool *out_file, struct bat_error *error)
{
	struct statx status;

	/* Whoever serves it is to be asked, not the kernel's memory of what it
	 * said before it died. */
	if (statx(AT_FDCWD, mountpoint, AT_STATX_FORCE_SYNC, STATX_TYPE,
		&status) != 0) {
		if (errno == ENOTCONN)
			return bat_error_set(error, BAT_USE_INVALID,
			    "%s: the program of an earlier mount died; run "
			    "this first: fusermount3 -u %s",
			    mountpoint, mountpoint);
		if (errno == ENOENT)
			return bat_error_set(error, BAT_WORLD_ABSENT,
			    "%s: no such directory; make it first: mkdir %s",
			    mountpoint, mountpoint);
		return bat_error_set_os(error, errno, "%s", mountpoint);
	}
	*out_file = S_ISREG(status.stx_mode);
	if (!S_ISDIR(status.stx_mode) && !*out_file)
		return bat_error_set(error, BAT_USE_INVALID,
		    "%s: not a directory, nothing can be mounted on it",
		    mountpoint);
	if (is_below(data_dir, mountpoint))
		return bat_error_set(error, BAT_USE_INVALID,
		    "the mount would hide its own data: %s is in %s; mount "
		    "on a directory that does not hold the data",
		    data_dir, mountpoint);
	if (is_below(mountpoint, data_dir))
		return bat_error_set(error, BAT_USE_INVALID,
		    "%s is inside the data directory %s; mount on a directory "
		    "outside of it",
		    mountpoint, data_dir);
	return *out_file ? BAT_OK : check_holds_no_store(mountpoint, error);
}
