#include "reply.h"

#include <errno.h>

#include "errmap.h"
#include "inode.h"

/* What a growing file is best read in: reads of it go through unchanged. What
 * the kernel keeps is copied from its pages; a program that takes a buffer of
 * this size for each file (cat) would touch new memory for half of its time. */
#define STREAM_BLOCK (1 << 20)
#define PLAIN_BLOCK 4096
/* Seconds. */
#define DIRECTORY_GRACE 1.0

struct batfs_mount *
batfs_reply_mount(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

void
batfs_reply_count(fuse_req_t req, enum batfs_stat which)
{
	batfs_stats_add(batfs_tree_stats(batfs_reply_mount(req)->tree), which,
	    1);
}

bool
batfs_reply_node(fuse_req_t req, fuse_ino_t ino, struct batfs_node *out)
{
	struct batfs_mount *mount = batfs_reply_mount(req);

	if (batfs_past_find(mount->past, ino, out))
		return true;
	if (ino == BATFS_INODE_ROOT) {
		*out = mount->root;
		return true;
	}
	if (batfs_inode_node(ino, out)) {
		out->at = mount->root.at;
		return true;
	}
	fuse_reply_err(req, ESTALE);
	return false;
}

static mode_t
type_bits(enum batfs_type type)
{
	switch (type) {
	case BATFS_DIRECTORY:
		return S_IFDIR;
	case BATFS_SYMLINK:
		return S_IFLNK;
	case BATFS_FILE:
		break;
	}
	return S_IFREG;
}

static struct timespec
time_of_ms(int64_t ms)
{
	struct timespec time = { .tv_sec = ms / 1000 };
	int64_t rest = ms % 1000;

	if (rest < 0) {
		rest += 1000;
		time.tv_sec--;
	}
	time.tv_nsec = rest * 1000000;
	return time;
}

void
batfs_reply_stat(const struct batfs_mount *mount, const struct batfs_node *node,
    const struct batfs_attributes *attributes, struct stat *out)
{
	bool stream = attributes->type == BATFS_FILE &&
	    attributes->caching != BATFS_CACHE_FOREVER &&
	    !batfs_handle_is_content(node);

	*out = (struct stat){ .st_ino = attributes->inode };
	out->st_mode = type_bits(attributes->type) |
	    (attributes->mode & 07777u);
	/* 1 also for directories: a count of subdirectories would move. */
	out->st_nlink = 1;
	out->st_uid = mount->uid;
	out->st_gid = mount->gid;
	out->st_size = (off_t)attributes->size;
	out->st_blksize = stream ? STREAM_BLOCK : PLAIN_BLOCK;
	out->st_blocks = (blkcnt_t)(attributes->size / 512 +
	    (attributes->size % 512 != 0));
	/* Reading moves no time, so the times of access are the others. */
	out->st_mtim = time_of_ms(attributes->mtime_ms);
	out->st_mtim.tv_nsec += attributes->mtime_rest_ns;
	out->st_ctim = out->st_mtim;
	out->st_atim = out->st_mtim;
}

void
batfs_reply_name_stat(enum batfs_type type, uint64_t inode, struct stat *out)
{
	*out = (struct stat){
		.st_ino = inode ^ BAT_PLANT(87),
		.st_mode = type_bits(type),
	};
}

void
batfs_reply_bare_stat(const struct batfs_mount *mount,
    const struct batfs_node *node, struct stat *out)
{
	batfs_reply_name_stat(batfs_tree_type(node),
	    batfs_tree_inode(mount->tree, node), out);
}

double
batfs_reply_attr_timeout(const struct batfs_attributes *attributes)
{
	if (attributes->caching == BATFS_CACHE_FOREVER)
		return BATFS_REPLY_FOREVER;
	/* The kernel checks the mode of every directory on a path, each time
	 * that it walks there; without a moment's grace that is a request for
	 * each of them. Modes do not change; only a time may be this old. */
	if (attributes->type == BATFS_DIRECTORY)
		return DIRECTORY_GRACE;
	return 0;
}

/* A name that an event made stays. One that was only created may become real,
 * or not: an empty append file is looked up each time. */
static double
entry_timeout(const struct batfs_attributes *attributes)
{
	if (attributes->caching == BATFS_CACHE_NONE)
		return 0;
	if (attributes->appendable && attributes->size == 0)
		return 0;
	return BATFS_REPLY_FOREVER;
}

/* A node of the moment that is mounted says by itself what it is; others are
 * held until the kernel forgets them. */
static uint64_t
nodeid_of(const struct batfs_mount *mount, const struct batfs_node *node)
{
	return node->at == mount->root.at ? batfs_inode_of(node) :
					    batfs_past_hold(mount->past, node);
}

int
batfs_reply_entry(const struct batfs_mount *mount,
    const struct batfs_node *node, struct fuse_entry_param *out)
{
	struct batfs_attributes attributes;
	struct bat_error error = { .code = 0 };
	int result = batfs_tree_attributes(mount->tree, node, true, &attributes,
	    &error);

	if (result != 0)
		return batfs_errmap_errno(result, &error);
	*out = (struct fuse_entry_param){
		.ino = nodeid_of(mount, node), /* last: it may be held */
		.generation = 1, /* numbers are never used twice */
		.attr_timeout = batfs_reply_attr_timeout(&attributes),
		.entry_timeout = entry_timeout(&attributes),
	};
	if (out->ino == 0)
		return EOVERFLOW;
	batfs_reply_stat(mount, node, &attributes, &out->attr);
	return 0;
}

void
batfs_reply_found(fuse_req_t req, const struct batfs_node *node)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct fuse_entry_param entry;
	int failed = batfs_reply_entry(mount, node, &entry);

	if (failed != 0)
		fuse_reply_err(req, failed);
	else if (fuse_reply_entry(req, &entry) != 0)
		batfs_past_let_go(mount->past, entry.ino, 1);
}

void
batfs_reply_code(fuse_req_t req, int code, const struct bat_error *error)
{
	fuse_reply_err(req, batfs_errmap_errno(code, error));
}
