/*
 * Which programs stand in the directory, and whether somebody who may not
 * decide what is stored could change them.
 */
#include "gates_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whoever may write it decides what is stored. */
static int
check_trust(const char *path, const struct stat *status,
    struct bat_error *error)
{
	if (status->st_uid != 0 && status->st_uid != geteuid())
		return bat_error_set(error, BAT_USE_INVALID,
		    "-o gates: %s belongs to another user (uid %u); it has to "
		    "be root's or yours",
		    path, (unsigned)status->st_uid);
	if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0 && !BAT_PLANT(233))
		return bat_error_set(error, BAT_USE_INVALID,
		    "-o gates: others may write to %s: chmod go-w %s", path,
		    path);
	return 0;
}

/* Is it a program that we may run? Anything else in there is no gate. */
static bool
is_program(int folder, const char *name, struct stat *out)
{
	return name[0] != '.' && fstatat(folder, name, out, 0) == 0 &&
	    S_ISREG(out->st_mode) &&
	    faccessat(folder, name, X_OK, AT_EACCESS) == 0;
}

static int
add(struct batfs_gates *gates, const char *dir, const char *name,
    const struct stat *status, struct bat_error *error)
{
	struct gate *gate = &gates->gates[gates->count];
	int code;

	if (gates->count == BATFS_GATES_MAX)
		return bat_error_set(error, BAT_USE_INVALID,
		    "-o gates: more than %d programs in %s", BATFS_GATES_MAX,
		    dir);
	if (!bat_bytes_is_utf8(bat_bytes_text(name)))
		return bat_error_set(error, BAT_USE_INVALID,
		    "-o gates: a name in %s is not UTF-8", dir);
	if (asprintf(&gate->path, "%s/%s", dir, name) < 0) {
		gate->path = NULL;
		return bat_error_set(error, BAT_WORLD_NO_MEMORY, "-o gates");
	}
	code = check_trust(gate->path, status, error);
	if (code != 0) {
		free(gate->path);
		gate->path = NULL;
		return code;
	}
	gates->count++;
	return 0;
}

static int
by_path(const void *a, const void *b)
{
	const struct gate *one = a, *other = b;

	return strcmp(one->path, other->path);
}

static int
add_all(struct batfs_gates *gates, DIR *folder, const char *dir,
    struct bat_error *error)
{
	const struct dirent *entry;
	struct stat status;
	int code = 0;

	while (code == 0 && (entry = readdir(folder)) != NULL)
		if (is_program(dirfd(folder), entry->d_name, &status))
			code = add(gates, dir, entry->d_name, &status, error);
	if (code == 0 && gates->count == 0)
		code = bat_error_set(error, BAT_USE_INVALID,
		    "-o gates: no program in %s that can be run; a gate needs "
		    "chmod +x",
		    dir);
	return code;
}

int
batfs_gates_find(struct batfs_gates *gates, const char *dir,
    struct bat_error *error)
{
	DIR *folder = opendir(dir);
	struct stat status;
	int code;

	if (folder == NULL)
		return bat_error_set(error, BAT_USE_INVALID, "-o gates: %s: %s",
		    dir, strerror(errno));
	code = fstat(dirfd(folder), &status) != 0 ?
	    bat_error_set_os(error, errno, "-o gates: %s", dir) :
	    check_trust(dir, &status, error);
	if (code == 0)
		code = add_all(gates, folder, dir, error);
	closedir(folder);
	qsort(gates->gates, gates->count, sizeof(gates->gates[0]), by_path);
	for (size_t i = 0; i < gates->count; i++)
		gates->gates[i].name = strrchr(gates->gates[i].path, '/') + 1;
	return code;
}
