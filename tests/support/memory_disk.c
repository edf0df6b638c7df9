/*
 * The life of a memory disk, its descriptors, and the operations that only
 * look.
 */
#include "memory_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "memory_disk_parts.h"

/* ---- descriptors ----------------------------------------------------- */

int
memory_disk_make_fd(struct memory_disk *disk, unsigned inode, int flags)
{
	size_t i = 0;

	while (i < disk->fd_count && disk->fds[i].open)
		i++;
	if (i == disk->fd_capacity) {
		disk->fd_capacity = disk->fd_capacity * 2 + 16;
		disk->fds = memory_disk_grow(disk->fds,
		    disk->fd_capacity * sizeof(*disk->fds));
	}
	if (i == disk->fd_count)
		disk->fd_count++;
	disk->fds[i] =
	    (struct memory_fd){ .open = true, .inode = inode, .flags = flags };
	return (int)i;
}

struct memory_inode *
memory_disk_node(struct memory_disk *disk, int fd)
{
	/* A descriptor that is not open is a bug of the code under test. */
	if (fd < 0 || (size_t)fd >= disk->fd_count || !disk->fds[fd].open)
		abort();
	return &disk->inodes[disk->fds[fd].inode];
}

struct memory_names *
memory_disk_names(struct memory_disk *disk, int fd)
{
	struct memory_inode *node = memory_disk_node(disk, fd);

	return node->type == BAT_FILE_DIRECTORY ? &node->seen.names : NULL;
}

static int
close_fd(void *context, int fd)
{
	struct memory_disk *disk = context;

	(void)memory_disk_node(disk, fd);
	disk->fds[fd].open = false;
	return 0;
}

unsigned
memory_disk_open_count(const struct memory_disk *disk)
{
	unsigned count = 0;

	for (size_t i = 0; i < disk->fd_count; i++)
		count += disk->fds[i].open;
	return count;
}

/* ---- operations that look -------------------------------------------- */

static ssize_t
read_at(void *context, int fd, void *to, size_t length, uint64_t offset)
{
	const struct memory_inode *node = memory_disk_node(context, fd);
	size_t size = memory_content_size(node->seen.content);

	if (node->type == BAT_FILE_DIRECTORY)
		return -EISDIR;
	if (offset >= size || length == 0)
		return 0;
	if (length > size - (size_t)offset)
		length = size - (size_t)offset;
	memcpy(to, node->seen.content->bytes + offset, length);
	return (ssize_t)length;
}

static int
list(void *context, int dir, bat_file_list_fn each, void *each_context)
{
	struct memory_names copy = { NULL, 0, 0 };
	int code = 0;

	memory_names_copy(memory_disk_names(context, dir), &copy);
	for (size_t i = 0; code == 0 && i < copy.count; i++)
		code = each(each_context, copy.list[i].name);
	free(copy.list);
	return code;
}

static void
fill_stat(const struct memory_disk *disk, unsigned inode,
    struct bat_file_stat *out)
{
	const struct memory_inode *node = &disk->inodes[inode];

	*out = (struct bat_file_stat){
		.type = node->type,
		.mode = node->mode & 0777,
		.inode = inode + 1,
		.size = memory_content_size(node->seen.content),
		.mtime_ns = node->changed_ns,
		.ctime_ns = node->changed_ns,
		.link_count = 1,
	};
}

static int
stat_at(void *context, int dir, const char *name, struct bat_file_stat *out)
{
	unsigned inode = memory_names_find(memory_disk_names(context, dir),
	    name);

	if (inode == MEMORY_NO_INODE)
		return -ENOENT;
	fill_stat(context, inode, out);
	return 0;
}

static int
stat_fd(void *context, int fd, struct bat_file_stat *out)
{
	struct memory_disk *disk = context;

	(void)memory_disk_node(disk, fd);
	fill_stat(disk, disk->fds[fd].inode, out);
	return 0;
}

static int
inode_at(void *context, int dir, const char *name, uint64_t *out)
{
	struct bat_file_stat stat;
	int code = stat_at(context, dir, name, &stat);

	if (code == 0)
		*out = stat.inode;
	return code;
}

static int
lock(void *context, int fd)
{
	struct memory_disk *disk = context;

	(void)memory_disk_node(disk, fd);
	for (size_t i = 0; i < disk->fd_count; i++)
		if (disk->fds[i].open && disk->fds[i].locks &&
		    i != (size_t)fd &&
		    disk->fds[i].inode == disk->fds[fd].inode)
			return -EWOULDBLOCK;
	disk->fds[fd].locks = true;
	return 0;
}

static int
place(void *context, int fd, struct bat_file_place *out)
{
	struct memory_disk *disk = context;

	(void)memory_disk_node(disk, fd);
	*out = (struct bat_file_place){ .boot = "one",
		.machine = "memory",
		.network = 1,
		.pid = 1,
		.device = 1,
		.inode = disk->fds[fd].inode + 1 };
	return 0;
}

/* Nothing is remembered here. */
static int
refresh(void *context, int dir)
{
	(void)memory_disk_node(context, dir);
	return 0;
}

static int
take_name(void *context, const char *name)
{
	struct memory_disk *disk = context;
	int fd;

	for (size_t i = 0; i < disk->fd_count; i++)
		if (disk->fds[i].open && strcmp(disk->fds[i].name, name) == 0)
			return -EADDRINUSE;
	fd = memory_disk_make_fd(disk, 0, O_RDONLY);
	snprintf(disk->fds[fd].name, sizeof(disk->fds[fd].name), "%s", name);
	return fd;
}

static int
random_bytes(void *context, void *to, size_t length)
{
	struct memory_disk *disk = context;
	uint8_t *p = to;

	for (size_t i = 0; i < length; i++) {
		uint64_t z = disk->random += 0x9e3779b97f4a7c15;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		p[i] = (uint8_t)(z >> 56);
	}
	return 0;
}

/* ---- life ------------------------------------------------------------ */

struct memory_disk *
memory_disk_new(enum memory_disk_model model, uint64_t seed)
{
	struct memory_disk *disk = memory_disk_grow(NULL, sizeof(*disk));

	*disk = (struct memory_disk){ .model = model,
		.random = seed,
		.now_ns = INT64_C(1767225600000000000) };
	disk->door = (struct bat_disk){
		.context = disk,
		.close = close_fd,
		.read_at = read_at,
		.list = list,
		.stat_at = stat_at,
		.stat_fd = stat_fd,
		.inode_at = inode_at,
		.lock = lock,
		.place = place,
		.refresh = refresh,
		.take_name = take_name,
		.random = random_bytes,
	};
	memory_disk_fill_changes(&disk->door);
	(void)memory_disk_make_inode(disk, BAT_FILE_DIRECTORY, 0700);
	return disk;
}

void
memory_disk_free(struct memory_disk *disk)
{
	for (size_t i = 0; i < disk->inode_count; i++) {
		memory_content_drop(disk->inodes[i].seen.content);
		memory_content_drop(disk->inodes[i].disk.content);
		free(disk->inodes[i].seen.names.list);
		free(disk->inodes[i].disk.names.list);
	}
	for (size_t i = 0; i < disk->pending_count; i++)
		memory_disk_drop_op(disk->pending[i]);
	for (size_t i = 0; i < disk->log_count; i++)
		memory_disk_drop_op(disk->log[i]);
	free(disk->inodes);
	free(disk->fds);
	free(disk->pending);
	free(disk->log);
	free(disk);
}

const struct bat_disk *
memory_disk_door(struct memory_disk *disk)
{
	return &disk->door;
}

size_t
memory_disk_pending_count(const struct memory_disk *disk)
{
	return disk->pending_count;
}

const struct memory_disk_op *
memory_disk_pending(const struct memory_disk *disk, size_t i)
{
	return disk->pending[i];
}

void
memory_disk_limit(struct memory_disk *disk, uint64_t bytes)
{
	disk->limit = bytes;
}

void
memory_disk_watch(struct memory_disk *disk, memory_disk_watch_fn watch,
    void *context)
{
	disk->watch = watch;
	disk->watch_context = context;
}
