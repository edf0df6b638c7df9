/*
 * The door: each operation of struct bat_disk on the half that processes see,
 * noted as pending.
 */
#include "memory_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "memory_disk_parts.h"

#define FILE_SIZE_MAX (UINT64_C(256) << 20)

/* ---- descriptors ----------------------------------------------------- */

static int
make_fd(struct memory_disk *disk, unsigned inode, int flags)
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
	disk->fds[i] = (struct memory_fd){ true, false, inode, flags };
	return (int)i;
}

static struct memory_inode *
node_of(struct memory_disk *disk, int fd)
{
	/* A descriptor that is not open is a bug of the code under test. */
	if (fd < 0 || (size_t)fd >= disk->fd_count || !disk->fds[fd].open)
		abort();
	return &disk->inodes[disk->fds[fd].inode];
}

static struct memory_names *
names_of(struct memory_disk *disk, int fd)
{
	struct memory_inode *node = node_of(disk, fd);

	return node->type == BAT_FILE_DIRECTORY ? &node->seen.names : NULL;
}

static int
close_fd(void *context, int fd)
{
	struct memory_disk *disk = context;

	(void)node_of(disk, fd);
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

/* ---- operations that change ------------------------------------------ */

static void
tell(struct memory_disk *disk, const struct memory_disk_op *op)
{
	if (disk->watch != NULL)
		disk->watch(disk->watch_context, disk, op);
}

/* Note it, do it to what is seen, tell who watches. */
static void
carry_out(struct memory_disk *disk, const struct memory_disk_op *op)
{
	static const struct memory_disk_fate whole = {
		.kind = MEMORY_DISK_WHOLE
	};
	struct memory_disk_op *noted = memory_disk_note(disk, op);

	memory_disk_apply(&disk->inodes[op->inode].seen, noted, &whole);
	tell(disk, noted);
}

static void
put_name(char to[MEMORY_DISK_NAME_SIZE], const char *name)
{
	if (strlen(name) >= MEMORY_DISK_NAME_SIZE)
		abort();
	snprintf(to, MEMORY_DISK_NAME_SIZE, "%s", name);
}

/* A new file or directory under a name that is free. */
static unsigned
create(struct memory_disk *disk, unsigned dir, const char *name,
    enum bat_file_type type, unsigned mode)
{
	struct memory_disk_op op = { .kind = MEMORY_DISK_CREATE, .inode = dir };

	op.target = memory_disk_make_inode(disk, type, mode);
	put_name(disk->inodes[op.target].name, name);
	put_name(op.name, name);
	carry_out(disk, &op);
	return op.target;
}

static int
open_dir_at(void *context, int dir, const char *name)
{
	struct memory_disk *disk = context;
	const struct memory_names *names = names_of(disk, dir);
	unsigned inode = names == NULL ? MEMORY_NO_INODE :
					 memory_names_find(names, name);

	if (inode == MEMORY_NO_INODE)
		return -ENOENT;
	if (disk->inodes[inode].type != BAT_FILE_DIRECTORY)
		return -ENOTDIR;
	return make_fd(disk, inode, O_RDONLY);
}

static int
open_dir(void *context, const char *path, bool may_create)
{
	(void)may_create;
	return strcmp(path, "/") == 0 ? make_fd(context, 0, O_RDONLY) : -ENOENT;
}

static int
open_at(void *context, int dir, const char *name, int flags, unsigned mode)
{
	struct memory_disk *disk = context;
	const struct memory_names *names = names_of(disk, dir);
	unsigned inode;

	if (names == NULL)
		return -ENOTDIR;
	inode = memory_names_find(names, name);
	if (inode != MEMORY_NO_INODE && (flags & O_EXCL) != 0)
		return -EEXIST;
	if (inode == MEMORY_NO_INODE && (flags & O_CREAT) == 0)
		return -ENOENT;
	if (inode == MEMORY_NO_INODE)
		inode = create(disk, disk->fds[dir].inode, name,
		    BAT_FILE_REGULAR, mode);
	return make_fd(disk, inode, flags);
}

uint64_t
memory_disk_used(const struct memory_disk *disk)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < disk->inode_count; i++) {
		const struct memory_names *names = &disk->inodes[i].seen.names;

		for (size_t j = 0; j < names->count; j++)
			sum += memory_content_size(
			    disk->inodes[names->list[j].inode].seen.content);
	}
	return sum;
}

/* How much of a write that ends at `end` fits on the disk. */
static size_t
fits(const struct memory_disk *disk, const struct memory_inode *node,
    uint64_t offset, size_t length)
{
	uint64_t size = memory_content_size(node->seen.content);
	uint64_t all = memory_disk_used(disk);
	uint64_t left = disk->limit > all ? disk->limit - all : 0;

	if (disk->limit == 0 || offset + length <= size + left)
		return length;
	return size + left > offset ? (size_t)(size + left - offset) : 0;
}

static ssize_t
write_at(void *context, int fd, const void *from, size_t length,
    uint64_t offset)
{
	struct memory_disk *disk = context;
	struct memory_inode *node = node_of(disk, fd);
	struct memory_disk_op op = { .kind = MEMORY_DISK_WRITE,
		.inode = disk->fds[fd].inode,
		.offset = offset,
		.bytes = from };

	if ((disk->fds[fd].flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (offset > FILE_SIZE_MAX || length > FILE_SIZE_MAX)
		return -EFBIG;
	op.length = fits(disk, node, offset, length);
	if (op.length == 0)
		return length == 0 ? 0 : -ENOSPC;
	put_name(op.name, node->name);
	carry_out(disk, &op);
	return (ssize_t)op.length;
}

static int
truncate_fd(void *context, int fd, uint64_t size)
{
	struct memory_disk *disk = context;
	struct memory_disk_op op = { .kind = MEMORY_DISK_TRUNCATE,
		.inode = disk->fds[fd].inode,
		.offset = size };

	put_name(op.name, node_of(disk, fd)->name);
	if ((disk->fds[fd].flags & O_ACCMODE) == O_RDONLY)
		return -EINVAL;
	if (size > FILE_SIZE_MAX)
		return -EFBIG;
	carry_out(disk, &op);
	return 0;
}

static int
rename_at(void *context, int dir, const char *from, const char *to,
    bool replace)
{
	struct memory_disk *disk = context;
	struct memory_names *names = names_of(disk, dir);
	struct memory_disk_op op = { .kind = MEMORY_DISK_RENAME,
		.inode = disk->fds[dir].inode };

	op.target = memory_names_find(names, from);
	if (op.target == MEMORY_NO_INODE)
		return -ENOENT;
	if (!replace && memory_names_find(names, to) != MEMORY_NO_INODE)
		return -EEXIST;
	put_name(op.from, from);
	put_name(op.name, to);
	put_name(disk->inodes[op.target].name, to);
	carry_out(disk, &op);
	return 0;
}

static int
unlink_at(void *context, int dir, const char *name)
{
	struct memory_disk *disk = context;
	struct memory_disk_op op = { .kind = MEMORY_DISK_UNLINK,
		.inode = disk->fds[dir].inode };

	op.target = memory_names_find(names_of(disk, dir), name);
	if (op.target == MEMORY_NO_INODE)
		return -ENOENT;
	if (disk->inodes[op.target].type == BAT_FILE_DIRECTORY)
		return -EISDIR;
	put_name(op.name, name);
	carry_out(disk, &op);
	return 0;
}

static int
mkdir_at(void *context, int dir, const char *name, mode_t mode)
{
	struct memory_disk *disk = context;

	if (memory_names_find(names_of(disk, dir), name) != MEMORY_NO_INODE)
		return -EEXIST;
	(void)create(disk, disk->fds[dir].inode, name, BAT_FILE_DIRECTORY,
	    mode);
	return 0;
}

/* ---- syncs ----------------------------------------------------------- */

static int
sync_inode(struct memory_disk *disk, int fd, bool names_too)
{
	struct memory_inode *node = node_of(disk, fd);
	struct memory_disk_op op = { .kind = MEMORY_DISK_SYNC,
		.inode = disk->fds[fd].inode };

	put_name(op.name, op.inode == 0 ? "/" : node->name);
	memory_disk_commit(disk, op.inode, names_too);
	tell(disk, memory_disk_note(disk, &op));
	return 0;
}

static int
sync_fd(void *context, int fd)
{
	return sync_inode(context, fd, true);
}

/* A journal is committed only where the file's length changed. */
static int
sync_data(void *context, int fd)
{
	const struct memory_inode *node = node_of(context, fd);

	return sync_inode(context, fd,
	    memory_content_size(node->seen.content) !=
		memory_content_size(node->disk.content));
}

static int
drop_cache(void *context, int fd)
{
	struct memory_disk *disk = context;

	(void)node_of(disk, fd);
	memory_disk_forget_clean(disk, disk->fds[fd].inode);
	return 0;
}

/* ---- operations that look -------------------------------------------- */

static ssize_t
read_at(void *context, int fd, void *to, size_t length, uint64_t offset)
{
	const struct memory_inode *node = node_of(context, fd);
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

	memory_names_copy(names_of(context, dir), &copy);
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
	unsigned inode = memory_names_find(names_of(context, dir), name);

	if (inode == MEMORY_NO_INODE)
		return -ENOENT;
	fill_stat(context, inode, out);
	return 0;
}

static int
stat_fd(void *context, int fd, struct bat_file_stat *out)
{
	struct memory_disk *disk = context;

	(void)node_of(disk, fd);
	fill_stat(disk, disk->fds[fd].inode, out);
	return 0;
}

static int
lock(void *context, int fd)
{
	struct memory_disk *disk = context;

	(void)node_of(disk, fd);
	for (size_t i = 0; i < disk->fd_count; i++)
		if (disk->fds[i].open && disk->fds[i].locks &&
		    i != (size_t)fd &&
		    disk->fds[i].inode == disk->fds[fd].inode)
			return -EWOULDBLOCK;
	disk->fds[fd].locks = true;
	return 0;
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
		.open_dir = open_dir,
		.open_dir_at = open_dir_at,
		.open_at = open_at,
		.close = close_fd,
		.read_at = read_at,
		.write_at = write_at,
		.sync = sync_fd,
		.sync_data = sync_data,
		.truncate = truncate_fd,
		.rename_at = rename_at,
		.unlink_at = unlink_at,
		.mkdir_at = mkdir_at,
		.list = list,
		.stat_at = stat_at,
		.stat_fd = stat_fd,
		.lock = lock,
		.drop_cache = drop_cache,
		.random = random_bytes,
	};
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
