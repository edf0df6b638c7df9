#include "temp_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

static void
must(bool holds, const char *what)
{
	if (holds)
		return;
	perror(what);
	abort();
}

static void
join(char out[PATH_SIZE], const char *folder, const char *name)
{
	int length = snprintf(out, PATH_SIZE, "%s/%s", folder, name);

	must(length > 0 && length < PATH_SIZE, name);
}

void
temp_dir_make(struct temp_dir *dir)
{
	const char *parent = getenv("TMPDIR");

	/* In memory where there is such a place: thousands of syncs cost
	 * nothing there. */
	if (parent == NULL)
		parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(dir->path, sizeof(dir->path), "%s/batfs-test-XXXXXX", parent);
	must(mkdtemp(dir->path) != NULL, dir->path);
}

static bool
is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void
remove_tree(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	must(folder != NULL, path);
	while ((entry = readdir(folder)) != NULL) {
		char child[PATH_SIZE];

		if (is_dots(entry->d_name))
			continue;
		join(child, path, entry->d_name);
		if (entry->d_type == DT_DIR)
			remove_tree(child);
		else
			must(unlink(child) == 0, child);
	}
	closedir(folder);
	must(rmdir(path) == 0, path);
}

void
temp_dir_remove(struct temp_dir *dir)
{
	remove_tree(dir->path);
}

static void
read_file(const char *path, struct bat_buf *buf)
{
	FILE *file = fopen(path, "rb");
	uint8_t part[65536];
	size_t got;

	must(file != NULL, path);
	while ((got = fread(part, 1, sizeof(part), file)) > 0)
		must(bat_bytes_append(buf, part, got) == 0, path);
	must(ferror(file) == 0, path);
	fclose(file);
}

static void
write_file(const char *path, const char *mode, struct bat_slice content)
{
	FILE *file = fopen(path, mode);

	must(file != NULL, path);
	if (content.length > 0)
		must(fwrite(content.data, 1, content.length, file) ==
			content.length,
		    path);
	must(fclose(file) == 0, path);
}

static void
copy_tree(const char *from, const char *to)
{
	DIR *folder = opendir(from);
	struct dirent *entry;

	must(folder != NULL, from);
	while ((entry = readdir(folder)) != NULL) {
		char source[PATH_SIZE], target[PATH_SIZE];
		struct bat_buf buf = BAT_BUF_EMPTY;

		if (is_dots(entry->d_name))
			continue;
		join(source, from, entry->d_name);
		join(target, to, entry->d_name);
		if (entry->d_type == DT_DIR) {
			must(mkdir(target, 0700) == 0, target);
			copy_tree(source, target);
			continue;
		}
		read_file(source, &buf);
		write_file(target, "wb", bat_bytes_of_buf(&buf));
		bat_bytes_free(&buf);
	}
	closedir(folder);
}

void
temp_dir_fill(const struct temp_dir *dir, const char *from)
{
	copy_tree(from, dir->path);
}

bool
temp_dir_has(const struct temp_dir *dir, const char *name)
{
	char path[PATH_SIZE];

	join(path, dir->path, name);
	return access(path, F_OK) == 0;
}

size_t
temp_dir_count(const struct temp_dir *dir)
{
	DIR *folder = opendir(dir->path);
	struct dirent *entry;
	size_t count = 0;

	must(folder != NULL, dir->path);
	while ((entry = readdir(folder)) != NULL)
		count += !is_dots(entry->d_name);
	closedir(folder);
	return count;
}

void
temp_dir_read(const struct temp_dir *dir, const char *name, struct bat_buf *buf)
{
	char path[PATH_SIZE];

	join(path, dir->path, name);
	read_file(path, buf);
}

void
temp_dir_write(const struct temp_dir *dir, const char *name,
    struct bat_slice content)
{
	char path[PATH_SIZE];

	join(path, dir->path, name);
	write_file(path, "wb", content);
}

void
temp_dir_append(const struct temp_dir *dir, const char *name,
    struct bat_slice content)
{
	char path[PATH_SIZE];

	join(path, dir->path, name);
	write_file(path, "ab", content);
}

void
temp_dir_truncate(const struct temp_dir *dir, const char *name, uint64_t size)
{
	char path[PATH_SIZE];

	join(path, dir->path, name);
	must(truncate(path, (off_t)size) == 0, path);
}

void
temp_dir_flip(const struct temp_dir *dir, const char *name, uint64_t offset,
    uint8_t mask)
{
	char path[PATH_SIZE];
	uint8_t byte;
	int fd;

	join(path, dir->path, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	must(fd >= 0, path);
	must(pread(fd, &byte, 1, (off_t)offset) == 1, path);
	byte ^= mask;
	must(pwrite(fd, &byte, 1, (off_t)offset) == 1, path);
	close(fd);
}

void
temp_dir_unlink(const struct temp_dir *dir, const char *name)
{
	char path[PATH_SIZE];

	join(path, dir->path, name);
	must(unlink(path) == 0, path);
}
