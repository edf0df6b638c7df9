/*
 * The part of file that asks the system who we are and where a file lies, and
 * holds names there. As file_posix.c: nothing is tried again, nothing
 * explained.
 */
#include "file_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

/* <linux/magic.h> has it only in newer kernels. */
#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

/* The first line of a file; "" when it has none. */
static void
read_line(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t got = fd < 0 ? 0 : read(fd, out, size - 1);

	out[got < 0 ? 0 : got] = '\0';
	out[strcspn(out, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

/* Do device and inode name one file for everybody who sees the device? What is
 * laid over others (FUSE, network, overlay) gives out numbers of its own. */
static bool
is_numbered(long type)
{
	static const long types[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,
		BTRFS_SUPER_MAGIC, TMPFS_MAGIC };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (type == types[i])
			return true;
	return false;
}

int
bat_file_posix_place(void *context, int fd, struct bat_file_place *out)
{
	struct stat status;
	struct statfs system;

	(void)context;
	*out = (struct bat_file_place){ .pid = (uint64_t)getpid() };
	read_line("/proc/sys/kernel/random/boot_id", out->boot,
	    sizeof(out->boot));
	read_line("/etc/machine-id", out->machine, sizeof(out->machine));
	if (stat("/proc/self/ns/net", &status) == 0)
		out->network = status.st_ino;
	if (fstat(fd, &status) != 0 || fstatfs(fd, &system) != 0)
		return -errno;
	out->device = status.st_dev;
	out->inode = status.st_ino;
	out->numbered = is_numbered((long)system.f_type);
	return 0;
}

int
bat_file_posix_refresh(void *context, int dir)
{
	const int how = AT_SYMLINK_NOFOLLOW | AT_STATX_FORCE_SYNC;
	int fd = openat(dir, ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	struct statx status;
	int code;

	(void)context;
	if (stream == NULL) {
		code = -errno;
		if (fd >= 0)
			close(fd);
		return code;
	}
	do {
		errno = 0;
		entry = readdir(stream);
		/* What is no longer there is seen by whoever wants it. */
		if (entry != NULL)
			(void)statx(fd, entry->d_name, how, STATX_BASIC_STATS,
			    &status);
	} while (entry != NULL);
	code = -errno;
	closedir(stream);
	return code;
}

int
bat_file_posix_take_name(void *context, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(name);
	int fd, code;

	(void)context;
	/* In front of an abstract name stands a NUL. */
	if (length > sizeof(address.sun_path) - 1)
		return -ENAMETOOLONG;
	memcpy(address.sun_path + 1, name, length);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	length += offsetof(struct sockaddr_un, sun_path) + 1;
	if (bind(fd, (const struct sockaddr *)&address, (socklen_t)length) == 0)
		return fd;
	code = -errno;
	close(fd);
	return code;
}
