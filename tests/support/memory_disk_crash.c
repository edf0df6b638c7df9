/*
 * Between the two halves: what a sync moves, what a crash leaves.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory_disk_parts.h"

/* Below the root: .batfs/tlog/tile/entries/x000/000.p/1 is the deepest. */
enum { DEPTH_MAX = 8 };

static bool
is_of_names(const struct memory_disk_op *op)
{
	return op->kind == MEMORY_DISK_CREATE ||
	    op->kind == MEMORY_DISK_RENAME || op->kind == MEMORY_DISK_UNLINK;
}

/* ---- one operation --------------------------------------------------- */

static void
write_sectors(struct memory_half *half, const struct memory_disk_op *op,
    uint64_t sectors)
{
	uint64_t at = op->offset, end = op->offset + op->length;

	for (unsigned i = 0; at < end; i++) {
		uint64_t next = (at / MEMORY_DISK_SECTOR + 1) *
		    MEMORY_DISK_SECTOR;

		if (next > end)
			next = end;
		if ((sectors >> i % 64 & 1) != 0)
			memory_content_write(&half->content, at,
			    op->bytes + (at - op->offset), (size_t)(next - at));
		at = next;
	}
}

static void
apply_write(struct memory_half *half, const struct memory_disk_op *op,
    const struct memory_disk_fate *fate)
{
	uint64_t end = op->offset + op->length, part = fate->bytes;

	if (part > op->length)
		part = op->length;
	if (fate->kind != MEMORY_DISK_TORN &&
	    memory_content_size(half->content) < end)
		memory_content_resize(&half->content, end);
	if (fate->kind == MEMORY_DISK_SECTORS)
		write_sectors(half, op, fate->sectors);
	else
		memory_content_write(&half->content, op->offset, op->bytes,
		    (size_t)(fate->kind == MEMORY_DISK_WHOLE ? op->length :
							       part));
}

void
memory_disk_apply(struct memory_half *half, const struct memory_disk_op *op,
    const struct memory_disk_fate *fate)
{
	if (fate->kind == MEMORY_DISK_NOT)
		return;
	switch (op->kind) {
	case MEMORY_DISK_WRITE:
		apply_write(half, op, fate);
		break;
	case MEMORY_DISK_TRUNCATE:
		memory_content_resize(&half->content, op->offset);
		break;
	case MEMORY_DISK_CREATE:
		memory_names_set(&half->names, op->name, op->target);
		break;
	case MEMORY_DISK_RENAME:
		memory_names_unset(&half->names, op->from);
		memory_names_set(&half->names, op->name, op->target);
		break;
	case MEMORY_DISK_UNLINK:
		memory_names_unset(&half->names, op->name);
		break;
	case MEMORY_DISK_SYNC:
	case MEMORY_DISK_LOST_SYNC:
		break;
	}
}

/* ---- syncs ----------------------------------------------------------- */

/* Apply the pending operations that are of this inode, or of names where
 * those go too, to the durable half, and forget them; write false: only
 * forget. */
static void
settle(struct memory_disk *disk, unsigned inode, bool names_too, bool write)
{
	static const struct memory_disk_fate whole = {
		.kind = MEMORY_DISK_WHOLE
	};
	size_t kept = 0;

	for (size_t i = 0; i < disk->pending_count; i++) {
		struct memory_disk_op *op = disk->pending[i];

		if (op->inode != inode && !(names_too && is_of_names(op))) {
			disk->pending[kept++] = op;
			continue;
		}
		if (write)
			memory_disk_apply(&disk->inodes[op->inode].disk, op,
			    &whole);
		memory_disk_drop_op(op);
	}
	disk->pending_count = kept;
}

void
memory_disk_commit(struct memory_disk *disk, unsigned inode, bool names_too)
{
	settle(disk, inode, names_too && disk->model == MEMORY_DISK_EXT4, true);
}

void
memory_disk_forget_clean(struct memory_disk *disk, unsigned inode)
{
	static const struct memory_disk_fate whole = {
		.kind = MEMORY_DISK_WHOLE
	};
	struct memory_inode *node = &disk->inodes[inode];
	size_t size = memory_content_size(node->seen.content);

	if (!node->lost)
		return;
	node->lost = false;
	memory_content_drop(node->seen.content);
	node->seen.content = memory_content_share(node->disk.content);
	for (size_t i = 0; i < disk->pending_count; i++)
		if (disk->pending[i]->inode == inode)
			memory_disk_apply(&node->seen, disk->pending[i],
			    &whole);
	/* There the inode in memory keeps its length, and its pages read as
	 * holes. */
	if (disk->model == MEMORY_DISK_EXT4 &&
	    memory_content_size(node->seen.content) < size)
		memory_content_resize(&node->seen.content, size);
}

void
memory_disk_lose(struct memory_disk *disk, int fd)
{
	unsigned inode = disk->fds[fd].inode;
	struct memory_inode *node = &disk->inodes[inode];
	struct memory_disk_op op = { .kind = MEMORY_DISK_LOST_SYNC,
		.inode = inode };
	struct memory_disk_op *noted;

	snprintf(op.name, sizeof(op.name), "%s", node->name);
	node->lost = true;
	settle(disk, inode, false, false);
	noted = memory_disk_note(disk, &op);
	if (disk->watch != NULL)
		disk->watch(disk->watch_context, disk, noted);
}

/* ---- copies and crashes ---------------------------------------------- */

static struct memory_disk *
copy_frame(const struct memory_disk *disk)
{
	struct memory_disk *copy = memory_disk_new(disk->model, 0);

	copy->random = disk->random;
	copy->now_ns = disk->now_ns;
	copy->limit = disk->limit;
	copy->inode_count = copy->inode_capacity = disk->inode_count;
	copy->inodes = memory_disk_grow(copy->inodes,
	    disk->inode_count * sizeof(*copy->inodes));
	return copy;
}

static void
copy_half(const struct memory_half *from, struct memory_half *to)
{
	*to = (struct memory_half){ .content = memory_content_share(
					from->content) };
	memory_names_copy(&from->names, &to->names);
}

struct memory_disk *
memory_disk_copy(const struct memory_disk *disk)
{
	struct memory_disk *copy = copy_frame(disk);

	for (size_t i = 0; i < disk->inode_count; i++) {
		copy->inodes[i] = disk->inodes[i];
		copy_half(&disk->inodes[i].seen, &copy->inodes[i].seen);
		copy_half(&disk->inodes[i].disk, &copy->inodes[i].disk);
	}
	copy->pending_count = copy->pending_capacity = disk->pending_count;
	copy->pending = memory_disk_grow(NULL,
	    (disk->pending_count + 1) * sizeof(struct memory_disk_op *));
	for (size_t i = 0; i < disk->pending_count; i++) {
		copy->pending[i] = disk->pending[i];
		copy->pending[i]->refs++;
	}
	return copy;
}

struct memory_disk *
memory_disk_crash(const struct memory_disk *disk,
    const struct memory_disk_fate *fates)
{
	struct memory_disk *crash = copy_frame(disk);

	for (size_t i = 0; i < disk->inode_count; i++) {
		crash->inodes[i] = disk->inodes[i];
		crash->inodes[i].lost = false;
		crash->inodes[i].disk = (struct memory_half){ NULL,
			{ NULL, 0, 0 } };
		copy_half(&disk->inodes[i].disk, &crash->inodes[i].seen);
	}
	for (size_t i = 0; i < disk->pending_count; i++) {
		const struct memory_disk_op *op = disk->pending[i];

		memory_disk_apply(&crash->inodes[op->inode].seen, op,
		    &fates[i]);
	}
	for (size_t i = 0; i < crash->inode_count; i++)
		copy_half(&crash->inodes[i].seen, &crash->inodes[i].disk);
	return crash;
}

/* Is what stands at i in order, seen from what was pending before it? */
static bool
keeps_order(const struct memory_disk *disk,
    const struct memory_disk_fate *fates, size_t i)
{
	const struct memory_disk_op *op = disk->pending[i];

	for (size_t j = 0; j < i; j++) {
		const struct memory_disk_op *before = disk->pending[j];
		bool same = is_of_names(op) ? is_of_names(before) :
					      before->inode == op->inode;

		if (same && fates[j].kind != MEMORY_DISK_WHOLE)
			return false;
	}
	return true;
}

bool
memory_disk_may_leave(const struct memory_disk *disk,
    const struct memory_disk_fate *fates)
{
	for (size_t i = 0; i < disk->pending_count; i++) {
		bool plain = fates[i].kind == MEMORY_DISK_NOT ||
		    fates[i].kind == MEMORY_DISK_WHOLE;

		if (!plain && disk->pending[i]->kind != MEMORY_DISK_WRITE)
			return false;
		if (disk->model == MEMORY_DISK_STRICT ||
		    fates[i].kind == MEMORY_DISK_NOT)
			continue;
		if (fates[i].kind == MEMORY_DISK_SECTORS ||
		    !keeps_order(disk, fates, i))
			return false;
	}
	return true;
}

/* ---- the whole of it ------------------------------------------------- */

static uint64_t
hash_name(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * 0x100000001b3;
	return hash;
}

/* What belongs together is multiplied, what stands side by side added, so
 * that the order of names does not matter. */
static uint64_t
hash_dir(const struct memory_disk *disk, unsigned inode, unsigned depth)
{
	const struct memory_names *names = &disk->inodes[inode].seen.names;
	uint64_t sum = 7;

	for (size_t i = 0; i < names->count; i++) {
		const struct memory_inode *node =
		    &disk->inodes[names->list[i].inode];
		uint64_t name = hash_name(names->list[i].name) | 1, content;

		if (node->type == BAT_FILE_DIRECTORY)
			content = depth == 0 ?
			    3 :
			    hash_dir(disk, names->list[i].inode, depth - 1);
		else
			content = memory_content_hash(node->seen.content);
		content = (content ^ name) * name;
		sum += content ^ content >> 29;
	}
	return sum * 0x9e3779b97f4a7c15;
}

uint64_t
memory_disk_hash(const struct memory_disk *disk)
{
	return hash_dir(disk, 0, DEPTH_MAX);
}

static void
export_dir(const struct memory_disk *disk, unsigned inode, const char *path,
    unsigned depth)
{
	const struct memory_names *names = &disk->inodes[inode].seen.names;

	if (depth == 0 || (mkdir(path, 0700) != 0 && errno != EEXIST))
		abort();
	for (size_t i = 0; i < names->count; i++) {
		unsigned below = names->list[i].inode;
		const struct memory_content *content =
		    disk->inodes[below].seen.content;
		size_t size = memory_content_size(content);
		char full[1024];
		int fd;

		if (snprintf(full, sizeof(full), "%s/%s", path,
			names->list[i].name) >= (int)sizeof(full))
			abort();
		if (disk->inodes[below].type == BAT_FILE_DIRECTORY) {
			export_dir(disk, below, full, depth - 1);
			continue;
		}
		fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd < 0 ||
		    (size > 0 &&
			write(fd, content->bytes, size) != (ssize_t)size) ||
		    close(fd) != 0)
			abort();
	}
}

void
memory_disk_export(const struct memory_disk *disk, const char *path)
{
	export_dir(disk, 0, path, DEPTH_MAX);
}
