/* Opening and reading. A part of ops. */
#include "ops.h"

#include <errno.h>
#include <poll.h>

#include "errmap.h"
#include "notify.h"
#include "reply.h"
#include "waiting.h"

/*
 * What an open with these flags is, or why it is refused: appends only, like
 * chattr +a; a view that nothing can be written to is a read-only disk.
 * Returns a positive errno or 0.
 */
static int
use_of(const struct batfs_mount *mount,
    const struct batfs_attributes *attributes, int flags,
    enum batfs_handle_use *out)
{
	*out = BATFS_HANDLE_READ;
	if (attributes->type == BATFS_DIRECTORY)
		return EISDIR;
	if ((flags & O_ACCMODE) == O_RDONLY && (flags & O_TRUNC) == 0)
		/* root passes every mode; an append target still is none to
		 * read. */
		return (attributes->mode & 0444u) == 0 ? EACCES : 0;
	if (mount->options->read_only)
		return EROFS;
	if (attributes->command) {
		*out = BATFS_HANDLE_COMMAND;
		return 0;
	}
	if (attributes->plain && attributes->appendable) {
		*out = BATFS_HANDLE_APPEND;
		return 0;
	}
	if (!attributes->appendable)
		return EROFS;
	if ((flags & O_APPEND) == 0 || (flags & O_TRUNC) != 0)
		return EPERM;
	*out = BATFS_HANDLE_APPEND;
	return 0;
}

/* How the kernel treats the open file. Whatever grows or is written bypasses
 * its cache: cached writes come in pieces, cached tails with holes. */
static void
set_open_flags(struct fuse_file_info *fi, enum batfs_handle_use use,
    enum batfs_caching caching)
{
	if (use == BATFS_HANDLE_READ && caching == BATFS_CACHE_FOREVER)
		fi->keep_cache = 1;
	else
		fi->direct_io = 1;
	/* Only an append has anything to say at close(2). */
	fi->noflush = use != BATFS_HANDLE_APPEND;
}

/* The open of a node that the kernel then does not want after all (the
 * request was interrupted): no release will come. */
static void
undo_open(struct batfs_mount *mount, struct batfs_handle *handle)
{
	if (handle->append != NULL)
		batfs_append_abandon(handle->append);
	batfs_handle_close(&mount->handles, handle);
}

/* Returns a positive errno or 0. */
static int
open_node(fuse_req_t req, const struct batfs_node *node,
    struct fuse_file_info *fi, struct batfs_handle **out)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	uint32_t uid = fuse_req_ctx(req)->uid;
	struct batfs_attributes attributes;
	struct bat_error error = { .code = 0 };
	enum batfs_handle_use use;
	int failed;
	int result = batfs_tree_attributes(mount->tree, node, false,
	    &attributes, &error);

	if (result != 0)
		return batfs_errmap_errno(result, &error);
	failed = use_of(mount, &attributes, fi->flags, &use);
	if (failed != 0)
		return failed;
	failed = batfs_shares_open(&mount->shares, uid);
	if (failed != 0)
		return failed;
	result = batfs_handle_open(&mount->handles, &mount->appends, node, use,
	    uid, out);
	if (result != 0) {
		batfs_shares_close(&mount->shares, uid);
		return batfs_errmap_errno(result, NULL);
	}
	(*out)->plain = attributes.plain;
	fi->fh = (uint64_t)(uintptr_t)*out;
	/* What is read there once is gone: no tool may go back. */
	fi->nonseekable = attributes.plain || node->class == BATFS_CTL_FOLLOW;
	set_open_flags(fi, use, attributes.caching);
	return 0;
}

void
batfs_ops_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct batfs_handle *handle;
	struct batfs_node node;
	int failed;

	batfs_reply_count(req, BATFS_STAT_OPEN);
	if (mount->without_opens) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	if (!batfs_reply_node(req, ino, &node))
		return;
	batfs_notify_look(mount->notify);
	batfs_notify_check(mount->notify);
	failed = open_node(req, &node, fi, &handle);
	if (failed != 0)
		fuse_reply_err(req, failed);
	else if (fuse_reply_open(req, fi) == -ENOENT)
		undo_open(mount, handle);
}

/* The node of a new name, or of one that somebody else made a moment ago.
 * Returns a positive errno or 0. */
static int
create_node(struct batfs_mount *mount, const struct batfs_node *parent,
    const char *name, int flags, struct batfs_node *out)
{
	struct bat_slice text = bat_bytes_text(name);
	struct bat_error error = { .code = 0 };
	int result;

	if (mount->options->read_only || parent->at != 0 ||
	    batfs_tree_only_shows(parent))
		return EROFS;
	/* `touch` and `>`: an event cannot be empty or be replaced. */
	if ((flags & O_APPEND) == 0 || (flags & O_ACCMODE) == O_RDONLY)
		return EPERM;
	result = batfs_tree_create(mount->tree, parent, text, out, &error);
	if (result == BAT_STATE_EXISTS && (flags & O_EXCL) == 0)
		result = batfs_tree_lookup(mount->tree, parent, text, out);
	if (result == BAT_USE_RESERVED)
		return EPERM;
	return result == 0 ? 0 : batfs_errmap_errno(result, &error);
}

void
batfs_ops_create(fuse_req_t req, fuse_ino_t parent_ino, const char *name,
    mode_t mode, struct fuse_file_info *fi)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct fuse_entry_param entry;
	struct batfs_handle *handle = NULL;
	struct batfs_node parent, node;
	int failed;

	batfs_reply_count(req, BATFS_STAT_CREATE);
	(void)mode;
	if (!batfs_reply_node(req, parent_ino, &parent))
		return;
	failed = create_node(mount, &parent, name, fi->flags, &node);
	if (failed == 0)
		failed = batfs_reply_entry(mount, &node, &entry);
	if (failed == 0)
		failed = open_node(req, &node, fi, &handle);
	if (failed != 0)
		fuse_reply_err(req, failed);
	else if (fuse_reply_create(req, &entry, fi) == -ENOENT)
		undo_open(mount, handle);
}

/* Bytes of an open file. */
static int
read_handle(struct batfs_mount *mount, struct batfs_handle *handle,
    uint64_t offset, size_t size, struct bat_buf *scratch,
    struct bat_slice *out, struct bat_error *error)
{
	batfs_handle_hold(handle);
	return batfs_handle_read(handle, mount->tree, offset, size, scratch,
	    out, error);
}

void
batfs_ops_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
    struct fuse_file_info *fi)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct batfs_handle *handle = (struct batfs_handle *)(uintptr_t)fi->fh;
	struct bat_error error = { .code = 0 };
	struct bat_slice bytes = BAT_SLICE_EMPTY;
	struct batfs_node node;
	struct bat_buf scratch;
	int result;

	batfs_reply_count(req, BATFS_STAT_READ);
	if (offset < 0) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	if (handle == NULL && !batfs_reply_node(req, ino, &node))
		return;
	if (handle != NULL && batfs_handle_waits(handle)) {
		batfs_waiting_read(mount->waiting, req, handle,
		    (uint64_t)offset, size, (fi->flags & O_NONBLOCK) != 0);
		return;
	}
	batfs_notify_look(mount->notify);
	scratch = batfs_spare_take(&mount->spares);
	if (handle != NULL)
		result = read_handle(mount, handle, (uint64_t)offset, size,
		    &scratch, &bytes, &error);
	else
		result = batfs_unopened_read(&mount->unopened, &mount->handles,
		    &mount->appends, &node, (uint64_t)offset, size, &scratch,
		    &bytes, &handle, &error);
	if (result != 0)
		batfs_reply_code(req, result, &error);
	else
		fuse_reply_buf(req, (const char *)bytes.data, bytes.length);
	batfs_stats_add(batfs_tree_stats(mount->tree), BATFS_STAT_READ_BYTES,
	    bytes.length);
	batfs_spare_give(&mount->spares, &scratch);
	if (handle != NULL)
		batfs_handle_let_go(handle);
	/* Where no open asks: what was read may have been other than known. */
	batfs_notify_check(mount->notify);
}

void
batfs_ops_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct bat_buf target = BAT_BUF_EMPTY;
	struct batfs_node node;
	int result;

	batfs_reply_count(req, BATFS_STAT_READLINK);
	if (!batfs_reply_node(req, ino, &node))
		return;
	result = batfs_tree_readlink(mount->tree, &node, &target);
	if (result == 0)
		result = bat_bytes_append_byte(&target, '\0');
	if (result != 0)
		batfs_reply_code(req, result, NULL);
	else
		fuse_reply_readlink(req, (const char *)target.data);
	bat_bytes_free(&target);
}

/* A file can always be read and written, but for those that wait. */
void
batfs_ops_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
    struct fuse_pollhandle *poll_handle)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct batfs_handle *handle = (struct batfs_handle *)(uintptr_t)fi->fh;
	unsigned events = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;

	(void)ino;
	batfs_reply_count(req, BATFS_STAT_POLL);
	if (handle != NULL && batfs_handle_waits(handle))
		events = batfs_waiting_poll(mount->waiting, handle,
			     poll_handle) ?
		    POLLIN | POLLRDNORM :
		    0;
	else if (poll_handle != NULL)
		fuse_pollhandle_destroy(poll_handle);
	fuse_reply_poll(req, events);
}
