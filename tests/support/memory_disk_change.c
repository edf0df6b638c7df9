/*
 * The operations that change something: done to the half that processes see,
 * noted as pending. And the syncs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "memory_disk_parts.h"

#define FILE_SIZE_MAX (UINT64_C(256) << 20)

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

static int sync_inode(struct memory_disk *disk, int fd, bool names_too);

static int
open_dir_at(void *context, int dir, const char *name)
{
	struct memory_disk *disk = context;
	const struct memory_names *names = memory_disk_names(disk, dir);
	unsigned inode = names == NULL ? MEMORY_NO_INODE :
					 memory_names_find(names, name);

	if (inode == MEMORY_NO_INODE)
		return -ENOENT;
	if (disk->inodes[inode].type != BAT_FILE_DIRECTORY)
		return -ENOTDIR;
	return memory_disk_make_fd(disk, inode, O_RDONLY);
}

/* "/", or a folder in it. */
static int
open_dir(void *context, const char *path, bool may_create)
{
	struct memory_disk *disk = context;
	int root, dir;

	if (path[0] != '/')
		return -ENOENT;
	root = memory_disk_make_fd(disk, 0, O_RDONLY);
	if (path[1] == '\0')
		return root;
	dir = open_dir_at(disk, root, path + 1);
	if (dir == -ENOENT && may_create) {
		(void)create(disk, 0, path + 1, BAT_FILE_DIRECTORY, 0700);
		(void)sync_inode(disk, root, true);
		dir = open_dir_at(disk, root, path + 1);
	}
	disk->door.close(disk, root);
	return dir;
}

static int
open_at(void *context, int dir, const char *name, int flags, unsigned mode)
{
	struct memory_disk *disk = context;
	const struct memory_names *names = memory_disk_names(disk, dir);
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
	return memory_disk_make_fd(disk, inode, flags);
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
	struct memory_inode *node = memory_disk_node(disk, fd);
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

	put_name(op.name, memory_disk_node(disk, fd)->name);
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
	struct memory_names *names = memory_disk_names(disk, dir);
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

	op.target = memory_names_find(memory_disk_names(disk, dir), name);
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

	if (memory_names_find(memory_disk_names(disk, dir), name) !=
	    MEMORY_NO_INODE)
		return -EEXIST;
	(void)create(disk, disk->fds[dir].inode, name, BAT_FILE_DIRECTORY,
	    mode);
	return 0;
}

/* ---- syncs ----------------------------------------------------------- */

static int
sync_inode(struct memory_disk *disk, int fd, bool names_too)
{
	struct memory_inode *node = memory_disk_node(disk, fd);
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
	const struct memory_inode *node = memory_disk_node(context, fd);

	return sync_inode(context, fd,
	    memory_content_size(node->seen.content) !=
		memory_content_size(node->disk.content));
}

static int
drop_cache(void *context, int fd)
{
	struct memory_disk *disk = context;

	(void)memory_disk_node(disk, fd);
	memory_disk_forget_clean(disk, disk->fds[fd].inode);
	return 0;
}

/* ---- the door -------------------------------------------------------- */

void
memory_disk_fill_changes(struct bat_disk *door)
{
	door->open_dir = open_dir;
	door->open_dir_at = open_dir_at;
	door->open_at = open_at;
	door->write_at = write_at;
	door->sync = sync_fd;
	door->sync_data = sync_data;
	door->truncate = truncate_fd;
	door->rename_at = rename_at;
	door->unlink_at = unlink_at;
	door->mkdir_at = mkdir_at;
	door->drop_cache = drop_cache;
}
