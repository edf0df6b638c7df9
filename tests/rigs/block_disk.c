/*
 * A file system of two files. `disk` is a block device's content, to be put
 * under a loop device: what the kernel writes and flushes is logged, and after
 * an order on standard input the same file shows what a power cut at some
 * place of the log would have left. What is written to `notes` goes into the
 * same log: so it is known what had been acknowledged at each place.
 *
 *	block_disk MOUNTPOINT IMAGE
 *
 * IMAGE is what the disk holds at first (never written). The orders: orders.h.
 * The end of the input ends it.
 */
#include <errno.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "orders.h"

enum { DISK_INODE = 2, NOTES_INODE = 3, ORDER_MAX = 4096 };

static struct rig_disk disk;

/* ---- the file system ------------------------------------------------- */

static bool
fill_stat(fuse_ino_t inode, struct stat *out)
{
	*out = (struct stat){ .st_ino = inode,
		.st_nlink = 1,
		.st_mode = S_IFREG | 0600 };
	switch (inode) {
	case FUSE_ROOT_ID:
		out->st_mode = S_IFDIR | 0700;
		out->st_nlink = 2;
		return true;
	case DISK_INODE:
		out->st_size = (off_t)rig_image_size(&disk.shown);
		return true;
	case NOTES_INODE:
		return true;
	default:
		return false;
	}
}

static void
on_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = { .attr_timeout = 0 };

	(void)parent;
	if (strcmp(name, "disk") == 0)
		entry.ino = DISK_INODE;
	else if (strcmp(name, "notes") == 0)
		entry.ino = NOTES_INODE;
	if (!fill_stat(entry.ino, &entry.attr))
		fuse_reply_err(request, ENOENT);
	else
		fuse_reply_entry(request, &entry);
}

static void
on_getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info)
{
	struct stat stat;

	(void)info;
	if (fill_stat(inode, &stat))
		fuse_reply_attr(request, &stat, 0);
	else
		fuse_reply_err(request, ENOENT);
}

/* The loop device sets times; sizes never change. */
static void
on_setattr(fuse_req_t request, fuse_ino_t inode, struct stat *stat, int valid,
    struct fuse_file_info *info)
{
	(void)stat;
	(void)valid;
	on_getattr(request, inode, info);
}

/* Without this each read and write could end in a page cache of this file. */
static void
on_open(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info)
{
	(void)inode;
	info->direct_io = 1;
	fuse_reply_open(request, info);
}

static void
on_read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
    struct fuse_file_info *info)
{
	uint64_t end = rig_image_size(&disk.shown);
	uint64_t at = (uint64_t)offset;
	char *bytes;
	int code;

	(void)info;
	if (inode != DISK_INODE || at >= end) {
		fuse_reply_buf(request, NULL, 0);
		return;
	}
	if (size > end - at)
		size = (size_t)(end - at);
	bytes = rig_allocate(size, 1);
	code = rig_disk_read(&disk, at, bytes, size);
	if (code != 0)
		fuse_reply_err(request, -code);
	else
		fuse_reply_buf(request, bytes, size);
	free(bytes);
}

static void
on_write(fuse_req_t request, fuse_ino_t inode, const char *bytes, size_t size,
    off_t offset, struct fuse_file_info *info)
{
	int code = 0;

	(void)info;
	if (inode == NOTES_INODE)
		rig_disk_note(&disk, bytes, size);
	else
		code = rig_disk_write(&disk, (uint64_t)offset, bytes, size);
	if (code != 0)
		fuse_reply_err(request, -code);
	else
		fuse_reply_write(request, size);
}

static void
on_fsync(fuse_req_t request, fuse_ino_t inode, int data_only,
    struct fuse_file_info *info)
{
	(void)data_only;
	(void)info;
	fuse_reply_err(request,
	    inode == DISK_INODE ? -rig_disk_flush(&disk) : 0);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = on_lookup,
	.getattr = on_getattr,
	.setattr = on_setattr,
	.open = on_open,
	.read = on_read,
	.write = on_write,
	.fsync = on_fsync,
};

/* ---- running --------------------------------------------------------- */

/* What has come of orders; whole lines are obeyed. false at the end. */
static bool
take_orders(void)
{
	static char text[ORDER_MAX];
	static size_t length;
	char *newline;
	ssize_t got = read(STDIN_FILENO, text + length, sizeof(text) - length);

	if (got <= 0)
		return got < 0 && errno == EINTR;
	length += (size_t)got;
	while ((newline = memchr(text, '\n', length)) != NULL) {
		size_t used = (size_t)(newline - text) + 1;

		*newline = '\0';
		rig_orders_obey(&disk, text);
		length -= used;
		memmove(text, text + used, length);
	}
	return length < sizeof(text);
}

static int
serve(struct fuse_session *session)
{
	struct pollfd fds[] = {
		{ .fd = fuse_session_fd(session), .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};
	struct fuse_buf buf = { .mem = NULL };
	int got;

	while (!fuse_session_exited(session)) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[0].revents != 0) {
			got = fuse_session_receive_buf(session, &buf);
			if (got > 0)
				fuse_session_process_buf(session, &buf);
			else if (got != -EINTR && got != -EAGAIN)
				break;
		}
		if (fds[1].revents != 0 && !take_orders())
			break;
	}
	free(buf.mem);
	return 0;
}

static int
run(const char *mountpoint)
{
	char name[] = "block_disk", option[] = "-osubtype=block_disk";
	char *words[] = { name, option, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(2, words);
	struct fuse_session *session = fuse_session_new(&args, &operations,
	    sizeof(operations), NULL);
	int status = 1;

	if (session != NULL && fuse_session_mount(session, mountpoint) == 0) {
		printf("ok\n");
		fflush(stdout);
		status = serve(session);
		fuse_session_unmount(session);
	}
	if (session != NULL)
		fuse_session_destroy(session);
	fuse_opt_free_args(&args);
	return status;
}

int
main(int count, char **words)
{
	int code;

	if (count != 3) {
		fprintf(stderr, "usage: block_disk MOUNTPOINT IMAGE\n");
		return 2;
	}
	code = rig_disk_init(&disk, words[2]);
	if (code != 0)
		fprintf(stderr, "%s: %s\n", words[2], strerror(-code));
	else
		code = run(words[1]);
	rig_disk_free(&disk);
	return code == 0 ? 0 : 1;
}
