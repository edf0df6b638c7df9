#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* As in ".tmpXXXXXX"; how often another name is tried when one is taken. */
#define TEMPORARY ".tmp"
#define TEMPORARY_LETTERS 6
#define TEMPORARY_TRIES 100

int
bat_file_open_dir(const struct bat_disk *disk, const char *path, bool create,
    int *out_dir, struct bat_error *error)
{
	int fd;

	do
		fd = disk->open_dir(disk->context, path, create);
	while (fd == -EINTR);
	if (fd == -ENOTDIR)
		return bat_error_set(error, BAT_DATA_REFUSED,
		    "%s is not a directory", path);
	if (fd < 0)
		return bat_error_set_os(error, -fd, "cannot open directory %s",
		    path);
	*out_dir = fd;
	return 0;
}

static int
open_at(const struct bat_disk *disk, int dir, const char *name, int flags,
    unsigned mode)
{
	int fd;

	do
		fd = disk->open_at(disk->context, dir, name, flags, mode);
	while (fd == -EINTR);
	return fd;
}

static int
stat_fd(const struct bat_disk *disk, int fd, struct bat_file_stat *out)
{
	int code;

	do
		code = disk->stat_fd(disk->context, fd, out);
	while (code == -EINTR);
	return code;
}

int
bat_file_open_read(const struct bat_disk *disk, int dir, const char *name,
    int *out_fd, struct bat_error *error)
{
	struct bat_file_stat status;
	int fd = open_at(disk, dir, name, O_RDONLY | O_NOATIME, 0);
	int code;

	/* Only a file's owner may leave no trace of having read it. */
	if (fd == -EPERM)
		fd = open_at(disk, dir, name, O_RDONLY, 0);
	/* A symbolic link or a socket cannot even be opened. */
	if (fd == -ELOOP || fd == -ENXIO)
		return bat_error_set(error, BAT_DATA_REFUSED,
		    "%s is not a regular file", name);
	if (fd < 0)
		return bat_error_set_os(error, -fd, "cannot open %s", name);
	code = stat_fd(disk, fd, &status);
	if (code < 0) {
		code = bat_error_set_os(error, -code, "cannot stat %s", name);
		goto close_file;
	}
	if (status.type != BAT_FILE_REGULAR) {
		code = bat_error_set(error, BAT_DATA_REFUSED,
		    "%s is not a regular file", name);
		goto close_file;
	}
	*out_fd = fd;
	return 0;

close_file:
	bat_file_close(disk, fd);
	return code;
}

void
bat_file_close(const struct bat_disk *disk, int fd)
{
	/* The descriptor is gone also after EINTR; and what matters was synced
	 * before. */
	(void)disk->close(disk->context, fd);
}

int
bat_file_size(const struct bat_disk *disk, int fd, uint64_t *out_size,
    struct bat_error *error)
{
	struct bat_file_stat status;
	int code = stat_fd(disk, fd, &status);

	if (code < 0)
		return bat_error_set_os(error, -code, "cannot stat a file");
	*out_size = status.size;
	return 0;
}

int
bat_file_read(const struct bat_disk *disk, int fd, void *to, size_t length,
    uint64_t offset, size_t *out_got, struct bat_error *error)
{
	uint8_t *p = to;
	size_t got = 0;

	while (got < length) {
		ssize_t step = disk->read_at(disk->context, fd, p + got,
		    length - got, offset + got);

		if (step == -EINTR)
			continue;
		if (step < 0)
			return bat_error_set_os(error, (int)-step,
			    "cannot read %zu bytes at offset %llu",
			    length - got, (unsigned long long)(offset + got));
		if (step == 0)
			break;
		got += (size_t)step;
	}
	*out_got = got;
	return 0;
}

int
bat_file_write(const struct bat_disk *disk, int fd, const void *from,
    size_t length, uint64_t offset, struct bat_error *error)
{
	const uint8_t *p = from;

	while (length > 0) {
		ssize_t step = disk->write_at(disk->context, fd, p, length,
		    offset);

		if (step == -EINTR)
			continue;
		/* Nothing written and no reason given: it would never end. */
		if (step == 0)
			step = -EIO;
		if (step < 0)
			return bat_error_set_os(error, (int)-step,
			    "cannot write %zu bytes at offset %llu", length,
			    (unsigned long long)offset);
		p += step;
		length -= BAT_PLANT(3) ? length : (size_t)step;
		offset += (uint64_t)step;
	}
	return 0;
}

int
bat_file_sync(const struct bat_disk *disk, int fd, struct bat_error *error)
{
	int code;

	do
		code = disk->sync(disk->context, fd);
	while (code == -EINTR);
	if (code == 0)
		return 0;
	/* Never again: a second call may say that all is well although the
	 * pages are gone. Nor is ENOSPC here an invitation to try again. */
	bat_error_set_os(error, -code, "cannot sync");
	if (error != NULL)
		error->code = BAT_STATE_STOPPED;
	return BAT_STATE_STOPPED;
}

int
bat_file_read_whole(const struct bat_disk *disk, int dir, const char *name,
    uint64_t limit, struct bat_buf *buf, struct bat_error *error)
{
	uint64_t size = 0;
	size_t got = 0;
	int fd, code;

	code = bat_file_open_read(disk, dir, name, &fd, error);
	if (code != 0)
		return code;
	code = bat_file_size(disk, fd, &size, error);
	if (code != 0)
		goto close_file;
	if (size > limit) {
		code = bat_error_set(error, BAT_USE_TOO_LARGE,
		    "%s has %llu bytes, and %llu are allowed", name,
		    (unsigned long long)size, (unsigned long long)limit);
		goto close_file;
	}
	if (size > SIZE_MAX || bat_bytes_reserve(buf, (size_t)size) != 0) {
		code = bat_error_set(error, BAT_WORLD_NO_MEMORY,
		    "no memory for the %llu bytes of %s",
		    (unsigned long long)size, name);
		goto close_file;
	}
	if (size == 0)
		goto close_file;
	code = bat_file_read(disk, fd, buf->data + buf->length, (size_t)size, 0,
	    &got, error);
	if (code != 0)
		bat_error_prefix(error, "%s", name);
	else
		buf->length += got;

close_file:
	bat_file_close(disk, fd);
	return code;
}

static const char letters[] = "0123456789"
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "abcdefghijklmnopqrstuvwxyz";

bool
bat_file_is_temporary(const char *name)
{
	return strncmp(name, TEMPORARY, strlen(TEMPORARY)) == 0 &&
	    strlen(name) == strlen(TEMPORARY) + TEMPORARY_LETTERS &&
	    strspn(name + strlen(TEMPORARY), letters) == TEMPORARY_LETTERS;
}

/* ".tmp", random letters and a NUL. */
static int
name_temporary(const struct bat_disk *disk, char name[], size_t size)
{
	uint8_t random[TEMPORARY_LETTERS];
	int code = disk->random(disk->context, random, sizeof(random));
	int length;

	if (code < 0)
		return code;
	length = snprintf(name, size, TEMPORARY);
	for (size_t i = 0; i < TEMPORARY_LETTERS; i++)
		name[length++] = letters[random[i] % (sizeof(letters) - 1)];
	name[length] = '\0';
	return 0;
}

/* A new file under a name of its own; the descriptor or a negative errno. */
static int
create_temporary(const struct bat_disk *disk, int dir, unsigned mode,
    char name[], size_t size)
{
	int fd = -EEXIST;

	for (int i = 0; i < TEMPORARY_TRIES && fd == -EEXIST; i++) {
		int code = name_temporary(disk, name, size);

		if (code < 0)
			return code;
		fd = open_at(disk, dir, name, O_WRONLY | O_CREAT | O_EXCL,
		    mode);
	}
	return fd;
}

int
bat_file_create_temporary(const struct bat_disk *disk, int dir, unsigned mode,
    char out_name[BAT_FILE_TEMPORARY_SIZE], int *out_fd,
    struct bat_error *error)
{
	int fd = create_temporary(disk, dir, mode, out_name,
	    BAT_FILE_TEMPORARY_SIZE);

	if (fd < 0)
		return bat_error_set_os(error, -fd,
		    "cannot create a temporary file");
	*out_fd = fd;
	return 0;
}

static int
rename_temporary(const struct bat_disk *disk, int dir, const char *temporary,
    const char *name, bool replace, struct bat_error *error)
{
	int code;

	do
		code = disk->rename_at(disk->context, dir, temporary, name,
		    replace);
	while (code == -EINTR);
	if (code == -EEXIST)
		return bat_error_set(error, BAT_STATE_EXISTS,
		    "%s is there already", name);
	if (code < 0)
		return bat_error_set_os(error, -code, "cannot rename to %s",
		    name);
	return 0;
}

/*
 * The order is what makes it atomic: a crash before the rename leaves the old
 * file and a leftover that nobody reads, one after it finds content that was
 * synced before its name was.
 */
int
bat_file_put_whole(const struct bat_disk *disk, int dir, const char *name,
    struct bat_slice content, bool replace, struct bat_error *error)
{
	char temporary[sizeof(TEMPORARY) + TEMPORARY_LETTERS];
	int code;
	int fd = create_temporary(disk, dir, replace ? 0600 : 0666, temporary,
	    sizeof(temporary));

	if (fd < 0)
		return bat_error_set_os(error, -fd,
		    "cannot create a temporary file for %s", name);
	code = bat_file_write(disk, fd, content.data, content.length, 0, error);
	if (code == 0 && !BAT_PLANT(1))
		code = bat_file_sync(disk, fd, error);
	bat_file_close(disk, fd);
	if (code == 0)
		code = rename_temporary(disk, dir, temporary, name, replace,
		    error);
	if (code != 0) {
		bat_error_prefix(error, "cannot store %s", name);
		(void)(BAT_PLANT(4) ||
		    bat_file_unlink(disk, dir, temporary, NULL));
		return code;
	}
	code = BAT_PLANT(2) ? 0 : bat_file_sync(disk, dir, error);
	if (code != 0)
		bat_error_prefix(error, "the directory of %s", name);
	return code;
}

int
bat_file_unlink(const struct bat_disk *disk, int dir, const char *name,
    struct bat_error *error)
{
	int code;

	do
		code = disk->unlink_at(disk->context, dir, name);
	while (code == -EINTR);
	if (code < 0 && code != -ENOENT)
		return bat_error_set_os(error, -code, "cannot unlink %s", name);
	return 0;
}
