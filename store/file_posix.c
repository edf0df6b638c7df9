/*
 * The part of file that calls the system. Each function returns what its call
 * returns, or a negative errno; nothing is tried again and nothing explained
 * here.
 */
#include "file_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static int
result(int returned)
{
	return returned < 0 ? -errno : returned;
}

/* Put a new directory's name on disk: what is stored in it later is safe only
 * when it is. (A parent that may not be read cannot be synced.) */
static int
sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash == NULL ? 0 : (size_t)(slash - path);
	char *parent = slash == NULL ? strdup(".") :
	    length == 0		     ? strdup("/") :
				       strndup(path, length);
	int fd, code;

	if (parent == NULL)
		return -ENOMEM;
	fd = result(open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	free(parent);
	if (fd < 0)
		return fd == -EACCES ? 0 : fd;
	code = result(fsync(fd));
	close(fd);
	return code;
}

/* Make the directories of path, from the left; path is changed meanwhile. */
static int
make_dirs(char *path)
{
	int code = 0;

	for (char *p = path;; p++) {
		char kept = *p;

		if (kept != '/' && kept != '\0')
			continue;
		*p = '\0';
		if (p != path)
			code = result(mkdir(path, 0777));
		if (code == 0 && p != path)
			code = sync_parent(path);
		*p = kept;
		/* Whatever else stands there is found when it is opened. */
		if (code < 0 && code != -EEXIST)
			return code;
		code = 0;
		if (kept == '\0')
			return 0;
	}
}

static int
posix_open_dir(void *context, const char *path, bool create)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int fd = result(open(path, flags));
	char *copy;
	int code;

	(void)context;
	if (fd != -ENOENT || !create || path[0] == '\0')
		return fd;
	copy = strdup(path);
	if (copy == NULL)
		return -ENOMEM;
	code = make_dirs(copy);
	free(copy);
	return code != 0 ? code : result(open(path, flags));
}

static int
posix_open_dir_at(void *context, int dir, const char *name)
{
	(void)context;
	return result(
	    openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

static int
posix_open_at(void *context, int dir, const char *name, int flags,
    unsigned mode)
{
	(void)context;
	flags |= O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	return result(openat(dir, name, flags, (mode_t)mode));
}

static int
posix_close(void *context, int fd)
{
	(void)context;
	return result(close(fd));
}

static ssize_t
posix_read_at(void *context, int fd, void *to, size_t length, uint64_t offset)
{
	ssize_t got;

	(void)context;
	if (offset > INT64_MAX)
		return -EOVERFLOW;
	got = pread(fd, to, length, (off_t)offset);
	return got < 0 ? -errno : got;
}

static ssize_t
posix_write_at(void *context, int fd, const void *from, size_t length,
    uint64_t offset)
{
	ssize_t written;

	(void)context;
	if (offset > INT64_MAX)
		return -EFBIG;
	written = pwrite(fd, from, length, (off_t)offset);
	return written < 0 ? -errno : written;
}

static int
posix_sync(void *context, int fd)
{
	(void)context;
	return result(fsync(fd));
}

static int
posix_sync_data(void *context, int fd)
{
	(void)context;
	return result(fdatasync(fd));
}

static int
posix_truncate(void *context, int fd, uint64_t size)
{
	(void)context;
	if (size > INT64_MAX)
		return -EFBIG;
	return result(ftruncate(fd, (off_t)size));
}

/*
 * The old way to rename without replacing, for file systems that lack the new
 * one: a second name, then the first one away. A crash between the two leaves
 * both, and the first is a temporary one.
 */
static int
link_and_unlink(int dir, const char *from, const char *to)
{
	int code;

	if (linkat(dir, from, dir, to, 0) != 0)
		return -errno;
	if (unlinkat(dir, from, 0) == 0)
		return 0;
	code = -errno;
	(void)unlinkat(dir, to, 0);
	return code;
}

static int
posix_rename_at(void *context, int dir, const char *from, const char *to,
    bool replace)
{
	int code;

	(void)context;
	if (replace)
		return result(renameat(dir, from, dir, to));
	code = result(renameat2(dir, from, dir, to, RENAME_NOREPLACE));
	if (code == -EINVAL || code == -ENOSYS)
		code = link_and_unlink(dir, from, to);
	return code;
}

static int
posix_unlink_at(void *context, int dir, const char *name)
{
	(void)context;
	return result(unlinkat(dir, name, 0));
}

static int
posix_mkdir_at(void *context, int dir, const char *name, mode_t mode)
{
	(void)context;
	return result(mkdirat(dir, name, mode));
}

/* The next name that is neither "." nor ".."; NULL with errno 0 at the end. */
static const char *
next_name(DIR *stream)
{
	for (;;) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(stream);
		if (entry == NULL)
			return NULL;
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			return entry->d_name;
	}
}

static int
posix_list(void *context, int dir, bat_file_list_fn each, void *each_context)
{
	const char *name;
	int code = 0;
	/* A descriptor of its own, since the place in a listing belongs to the
	 * descriptor and two threads may list at once. */
	int fd = posix_open_dir_at(context, dir, ".");
	DIR *stream;

	if (fd < 0)
		return fd;
	stream = fdopendir(fd);
	if (stream == NULL) {
		code = -errno;
		close(fd);
		return code;
	}
	while (code == 0) {
		name = next_name(stream);
		if (name == NULL) {
			code = -errno;
			break;
		}
		code = each(each_context, name);
	}
	closedir(stream);
	return code;
}

/* Nanoseconds since 1970, held inside 64 bits. */
static int64_t
time_ns(const struct timespec *time)
{
	int64_t ns;

	if (__builtin_mul_overflow((int64_t)time->tv_sec, INT64_C(1000000000),
		&ns) ||
	    __builtin_add_overflow(ns, (int64_t)time->tv_nsec, &ns))
		return time->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

static void
convert_stat(const struct stat *from, struct bat_file_stat *out)
{
	enum bat_file_type type = BAT_FILE_OTHER;

	if (S_ISREG(from->st_mode))
		type = BAT_FILE_REGULAR;
	else if (S_ISDIR(from->st_mode))
		type = BAT_FILE_DIRECTORY;
	*out = (struct bat_file_stat){
		.type = type,
		.mode = from->st_mode & 07777,
		.uid = from->st_uid,
		.gid = from->st_gid,
		.inode = from->st_ino,
		.size = from->st_size < 0 ? 0 : (uint64_t)from->st_size,
		.mtime_ns = time_ns(&from->st_mtim),
		.ctime_ns = time_ns(&from->st_ctim),
		.link_count = from->st_nlink,
	};
}

static int
posix_stat_at(void *context, int dir, const char *name,
    struct bat_file_stat *out)
{
	struct stat status;

	(void)context;
	if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	convert_stat(&status, out);
	return 0;
}

static int
posix_stat_fd(void *context, int fd, struct bat_file_stat *out)
{
	struct stat status;

	(void)context;
	if (fstat(fd, &status) != 0)
		return -errno;
	convert_stat(&status, out);
	return 0;
}

static int
posix_inode_at(void *context, int dir, const char *name, uint64_t *out)
{
	unsigned wanted = BAT_PLANT(445) ? STATX_BASIC_STATS : STATX_INO;
	struct statx status;

	(void)context;
	if (statx(dir, name, AT_SYMLINK_NOFOLLOW, wanted, &status) != 0)
		return -errno;
	*out = status.stx_ino;
	return 0;
}

static int
posix_lock(void *context, int fd)
{
	(void)context;
	return result(flock(fd, LOCK_EX | LOCK_NB));
}

static int
posix_drop_cache(void *context, int fd)
{
	(void)context;
	return -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

static int
posix_random(void *context, void *to, size_t length)
{
	uint8_t *p = to;

	(void)context;
	while (length > 0) {
		ssize_t got = getrandom(p, length, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		p += got;
		length -= (size_t)got;
	}
	return 0;
}

const struct bat_disk *
bat_file_posix(void)
{
	static const struct bat_disk disk = {
		.context = NULL,
		.open_dir = posix_open_dir,
		.open_dir_at = posix_open_dir_at,
		.open_at = posix_open_at,
		.close = posix_close,
		.read_at = posix_read_at,
		.write_at = posix_write_at,
		.sync = posix_sync,
		.sync_data = posix_sync_data,
		.truncate = posix_truncate,
		.rename_at = posix_rename_at,
		.unlink_at = posix_unlink_at,
		.mkdir_at = posix_mkdir_at,
		.list = posix_list,
		.stat_at = posix_stat_at,
		.stat_fd = posix_stat_fd,
		.inode_at = posix_inode_at,
		.lock = posix_lock,
		.place = bat_file_posix_place,
		.refresh = bat_file_posix_refresh,
		.take_name = bat_file_posix_take_name,
		.drop_cache = posix_drop_cache,
		.random = posix_random,
	};

	return &disk;
}
