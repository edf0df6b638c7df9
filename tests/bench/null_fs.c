/*
 * null_fs: the floor of a mount. A FUSE server of the least that can be
 * listed and read: one folder, entities/, of as many names as asked for, all
 * files of one size and full of zeros, all known for a day. Before it mounts
 * it can read the bytes that a store's index has, and do nothing with them.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fuse_lowlevel.h>

#include "bench.h"
#include "floor_decode.h"

#define A_DAY 86400.0
#define FOLDER "entities"
#define NAME_MAX_BYTES 32
#define READ_MAX (1u << 20)

enum { ROOT = FUSE_ROOT_ID, ENTITIES = 2, FIRST_FILE = 3 };

struct null_fs {
	uint64_t files, bytes;
};

static const char zeros[READ_MAX];

static const struct null_fs *
fs_of(fuse_req_t request)
{
	return fuse_req_userdata(request);
}

static struct stat
stat_of(const struct null_fs *fs, fuse_ino_t inode)
{
	struct stat status = { .st_ino = inode, .st_nlink = 1 };

	if (inode < FIRST_FILE) {
		status.st_mode = S_IFDIR | 0755;
		status.st_nlink = 2;
	} else {
		status.st_mode = S_IFREG | 0644;
		status.st_size = (off_t)fs->bytes;
	}
	return status;
}

static struct fuse_entry_param
entry_of(const struct null_fs *fs, fuse_ino_t inode)
{
	return (struct fuse_entry_param){
		.ino = inode,
		.attr = stat_of(fs, inode),
		.attr_timeout = A_DAY,
		.entry_timeout = A_DAY,
	};
}

static void
file_name(uint64_t number, char out[NAME_MAX_BYTES])
{
	snprintf(out, NAME_MAX_BYTES, "player:%08x", (unsigned)number);
}

static void
on_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
	const struct null_fs *fs = fs_of(request);
	struct fuse_entry_param entry;
	unsigned number;

	if (parent == ROOT && strcmp(name, FOLDER) == 0) {
		entry = entry_of(fs, ENTITIES);
	} else if (parent == ENTITIES &&
	    sscanf(name, "player:%8x", &number) == 1 && number < fs->files) {
		entry = entry_of(fs, FIRST_FILE + number);
	} else {
		fuse_reply_err(request, ENOENT);
		return;
	}
	fuse_reply_entry(request, &entry);
}

static void
on_getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info)
{
	struct stat status = stat_of(fs_of(request), inode);

	(void)info;
	fuse_reply_attr(request, &status, A_DAY);
}

static void
on_open(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info)
{
	(void)inode;
	info->keep_cache = 1;
	fuse_reply_open(request, info);
}

static void
on_opendir(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info)
{
	(void)inode;
	info->keep_cache = 1;
	info->cache_readdir = 1;
	fuse_reply_open(request, info);
}

static void
on_read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
    struct fuse_file_info *info)
{
	uint64_t bytes = fs_of(request)->bytes;
	uint64_t left = (uint64_t)offset < bytes ? bytes - (uint64_t)offset : 0;

	(void)inode;
	(void)info;
	if (size > READ_MAX)
		size = READ_MAX;
	fuse_reply_buf(request, zeros, left < size ? (size_t)left : size);
}

/* The name at a place of a folder; false behind the last. */
static bool
name_at(const struct null_fs *fs, fuse_ino_t folder, uint64_t place,
    char out[NAME_MAX_BYTES], fuse_ino_t *out_inode)
{
	if (folder == ROOT) {
		snprintf(out, NAME_MAX_BYTES, FOLDER);
		*out_inode = ENTITIES;
		return place < 1;
	}
	file_name(place, out);
	*out_inode = FIRST_FILE + place;
	return place < fs->files;
}

static void
list(fuse_req_t request, fuse_ino_t folder, size_t size, off_t offset,
    bool plus)
{
	static char buffer[READ_MAX]; /* there is one thread */
	const struct null_fs *fs = fs_of(request);
	char name[NAME_MAX_BYTES];
	uint64_t place = (uint64_t)offset;
	size_t used = 0;
	fuse_ino_t inode;

	if (size > READ_MAX)
		size = READ_MAX;
	while (name_at(fs, folder, place, name, &inode)) {
		struct fuse_entry_param entry = entry_of(fs, inode);
		off_t next = (off_t)place + 1;
		size_t more = plus ?
		    fuse_add_direntry_plus(request, buffer + used, size - used,
			name, &entry, next) :
		    fuse_add_direntry(request, buffer + used, size - used, name,
			&entry.attr, next);

		if (more > size - used)
			break;
		used += more;
		place++;
	}
	fuse_reply_buf(request, buffer, used);
}

static void
on_readdir(fuse_req_t request, fuse_ino_t folder, size_t size, off_t offset,
    struct fuse_file_info *info)
{
	(void)info;
	list(request, folder, size, offset, false);
}

static void
on_readdirplus(fuse_req_t request, fuse_ino_t folder, size_t size, off_t offset,
    struct fuse_file_info *info)
{
	(void)info;
	list(request, folder, size, offset, true);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = on_lookup,
	.getattr = on_getattr,
	.open = on_open,
	.opendir = on_opendir,
	.read = on_read,
	.readdir = on_readdir,
	.readdirplus = on_readdirplus,
};

static int
serve(struct null_fs *fs, const char *mountpoint, bool foreground)
{
	struct fuse_args arguments = FUSE_ARGS_INIT(0, NULL);
	struct fuse_session *session;
	int result;

	if (fuse_opt_add_arg(&arguments, "null_fs") != 0)
		bench_fail("out of memory");
	session = fuse_session_new(&arguments, &operations, sizeof(operations),
	    fs);
	fuse_opt_free_args(&arguments);
	if (session == NULL || fuse_set_signal_handlers(session) != 0 ||
	    fuse_session_mount(session, mountpoint) != 0)
		bench_fail("%s: not mounted", mountpoint);
	if (fuse_daemonize(foreground) != 0)
		bench_fail("no daemon");
	result = fuse_session_loop(session);
	fuse_session_unmount(session);
	fuse_remove_signal_handlers(session);
	fuse_session_destroy(session);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	bool foreground = argc > 1 && strcmp(argv[1], "-f") == 0;
	char **rest = argv + 1 + (foreground ? 1 : 0);
	int count = argc - 1 - (foreground ? 1 : 0);
	struct null_fs fs;

	if (count < 4) {
		fprintf(stderr,
		    "usage: %s [-f] MOUNTPOINT FILES BYTES THREADS "
		    "[PATH OFFSET]...\n",
		    argv[0]);
		return 2;
	}
	fs.files = bench_number(rest[1], UINT32_MAX);
	fs.bytes = bench_number(rest[2], UINT32_MAX);
	if (count > 4)
		(void)floor_decode((count - 4) / 2, rest + 4,
		    (unsigned)bench_number(rest[3], BENCH_THREADS_MAX));
	return serve(&fs, rest[0], foreground);
}
