#include "ops.h"

#include <errno.h>
#include <sys/statvfs.h>

#include "inode.h"
#include "notify.h"
#include "reply.h"

static void
want(struct fuse_conn_info *conn, unsigned capability, bool wanted)
{
	if (wanted && (conn->capable & capability) != 0)
		conn->want |= capability;
	else
		conn->want &= ~capability;
}

static void
ops_init(void *userdata, struct fuse_conn_info *conn)
{
	struct batfs_mount *mount = userdata;

	/* With attributes in the listing `ls -l` and grep -r need no look-up
	 * per name. The kernel asks for them where it sees that somebody wants
	 * to know, so that a bare `ls` of a million entities does not fill it
	 * with inodes; ops_dir.c leaves out those that are dear. */
	want(conn, FUSE_CAP_READDIRPLUS, true);
	want(conn, FUSE_CAP_READDIRPLUS_AUTO, true);
	/* The pieces of one large write must come one after the other. */
	want(conn, FUSE_CAP_ASYNC_DIO, false);
	/* It would merge and reorder lines. */
	want(conn, FUSE_CAP_WRITEBACK_CACHE, false);
	/* ENOSYS to an open is for the whole connection, so only where no open
	 * ever is of use. */
	mount->without_opens = mount->root.at != 0 &&
	    (conn->capable & FUSE_CAP_NO_OPEN_SUPPORT) != 0 &&
	    (conn->capable & FUSE_CAP_NO_OPENDIR_SUPPORT) != 0;
	if (mount->options->max_read != 0)
		conn->max_read = mount->options->max_read;
	mount->ready(mount->context);
}

/* A name that is not there. The kernel may remember that only where it can
 * never appear. */
static void
reply_absent(fuse_req_t req, const struct batfs_node *parent)
{
	struct fuse_entry_param entry = {
		.entry_timeout = BATFS_REPLY_FOREVER,
	};

	if (batfs_tree_absent_for_ever(parent))
		fuse_reply_entry(req, &entry);
	else
		fuse_reply_err(req, ENOENT);
}

static void
ops_lookup(fuse_req_t req, fuse_ino_t parent_ino, const char *name)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct batfs_node parent, node;
	int result;

	batfs_reply_count(req, BATFS_STAT_LOOKUP);
	if (!batfs_reply_node(req, parent_ino, &parent))
		return;
	batfs_notify_look(mount->notify);
	result = batfs_tree_lookup(mount->tree, &parent, bat_bytes_text(name),
	    &node);
	if (result == BAT_STATE_NOT_FOUND) {
		reply_absent(req, &parent);
		return;
	}
	if (result == BAT_USE_INVALID) {
		fuse_reply_err(req, ENOTDIR);
		return;
	}
	if (result != 0) {
		batfs_reply_code(req, result, NULL);
		return;
	}
	batfs_reply_found(req, &node);
}

/* A computed file that is open keeps the size that its reader gets. */
static int
size_of_handle(struct batfs_mount *mount, struct fuse_file_info *fi,
    struct batfs_attributes *attributes, struct bat_error *error)
{
	struct batfs_handle *handle = fi == NULL ?
	    NULL :
	    (struct batfs_handle *)(uintptr_t)fi->fh;

	if (handle != NULL && handle->pin != NULL)
		return batfs_tree_kept_attributes(mount->tree, &handle->node,
		    handle->pin, attributes);
	if (handle == NULL || attributes->caching != BATFS_CACHE_NONE ||
	    handle->use != BATFS_HANDLE_READ ||
	    !batfs_handle_is_content(&handle->node))
		return 0;
	return batfs_handle_content_size(handle, mount->tree, &attributes->size,
	    error);
}

static void
ops_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct batfs_attributes attributes;
	struct bat_error error = { .code = 0 };
	struct batfs_node node;
	struct stat status;
	int result;

	batfs_reply_count(req, BATFS_STAT_GETATTR);
	if (!batfs_reply_node(req, ino, &node))
		return;
	batfs_notify_look(mount->notify);
	result = batfs_tree_attributes(mount->tree, &node, true, &attributes,
	    &error);
	if (result == 0)
		result = size_of_handle(mount, fi, &attributes, &error);
	if (result != 0) {
		batfs_reply_code(req, result, &error);
		return;
	}
	batfs_reply_stat(mount, &node, &attributes, &status);
	fuse_reply_attr(req, &status, batfs_reply_attr_timeout(&attributes));
}

/* The numbers of the disk that holds the data: what an append can use. */
static void
ops_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct statvfs status;

	batfs_reply_count(req, BATFS_STAT_STATFS);
	(void)ino;
	if (fstatvfs(mount->data_dir, &status) != 0) {
		fuse_reply_err(req, errno);
		return;
	}
	status.f_namemax = 255;
	fuse_reply_statfs(req, &status);
}

static bool
starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static bool
take_first(void *context, const char *name, const struct batfs_node *node,
    uint64_t cookie)
{
	struct batfs_node *first = context;

	(void)name;
	(void)cookie;
	*first = *node;
	return false;
}

/* Where appends to a node go; to a scope: where those of its first entity go,
 * which is the same scope. false: nothing is appended here. */
static bool
find_place(struct batfs_mount *mount, const struct batfs_node *node,
    struct batfs_intake_place *out)
{
	struct batfs_intake_resolver resolver;
	struct batfs_node target = *node;

	if (node->class == BATFS_SCOPE) {
		batfs_tree_list(mount->tree, node, 0, take_first, &target);
		if (target.class == BATFS_SCOPE ||
		    batfs_tree_place(mount->tree, &target, out, &resolver) != 0)
			return false;
		out->entity = BAT_SLICE_EMPTY;
		return true;
	}
	return batfs_tree_place(mount->tree, &target, out, &resolver) == 0;
}

/* The stored name behind an attribute; false: there is no such attribute. */
static bool
find_xattr(struct batfs_mount *mount, const struct batfs_node *node,
    const char *name, struct bat_slice *out)
{
	struct batfs_intake_place place;

	if (!starts_with(name, "user.batfs.") ||
	    !find_place(mount, node, &place))
		return false;
	if (strcmp(name, "user.batfs.entity") == 0)
		*out = place.entity;
	else if (strcmp(name, "user.batfs.scope") == 0)
		*out = place.scope;
	else
		return false;
	return out->length > 0;
}

static void
ops_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct batfs_node node;
	struct bat_slice value;

	batfs_reply_count(req, BATFS_STAT_GETXATTR);
	/* Not ENODATA: then `ls -l` would ask again for every file. */
	if (starts_with(name, "security.") || starts_with(name, "system.")) {
		fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	if (!batfs_reply_node(req, ino, &node))
		return;
	if (!find_xattr(mount, &node, name, &value))
		fuse_reply_err(req, ENODATA);
	else if (size == 0)
		fuse_reply_xattr(req, value.length);
	else if (size < value.length)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, (const char *)value.data, value.length);
}

/* None: a backup tool would copy them file by file. */
static void
ops_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	batfs_reply_count(req, BATFS_STAT_LISTXATTR);
	(void)ino;
	if (size == 0)
		fuse_reply_xattr(req, 0);
	else
		fuse_reply_buf(req, NULL, 0);
}

/* Only nodes of the past are counted (past.h). */
static void
ops_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	struct batfs_mount *mount = batfs_reply_mount(req);

	batfs_past_let_go(mount->past, ino, count);
	fuse_reply_none(req);
}

static void
ops_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	struct batfs_mount *mount = batfs_reply_mount(req);

	for (size_t i = 0; i < count; i++)
		batfs_past_let_go(mount->past, forgets[i].ino,
		    forgets[i].nlookup);
	fuse_reply_none(req);
}

const struct fuse_lowlevel_ops *
batfs_ops_table(void)
{
	/* No access: default_permissions is forced. */
	static const struct fuse_lowlevel_ops table = {
		.init = ops_init,
		.lookup = ops_lookup,
		.forget = ops_forget,
		.forget_multi = ops_forget_multi,
		.getattr = ops_getattr,
		.statfs = ops_statfs,
		.getxattr = ops_getxattr,
		.listxattr = ops_listxattr,
		.opendir = batfs_ops_opendir,
		.readdir = batfs_ops_readdir,
		.readdirplus = batfs_ops_readdirplus,
		.mkdir = batfs_ops_mkdir,
		.rmdir = batfs_ops_rmdir,
		.open = batfs_ops_open,
		.create = batfs_ops_create,
		.read = batfs_ops_read,
		.readlink = batfs_ops_readlink,
		.poll = batfs_ops_poll,
		.write = batfs_ops_write,
		.flush = batfs_ops_flush,
		.fsync = batfs_ops_fsync,
		.fsyncdir = batfs_ops_fsync,
		.release = batfs_ops_release,
		.setattr = batfs_ops_setattr,
		.unlink = batfs_ops_unlink,
		.rename = batfs_ops_rename,
		.link = batfs_ops_link,
		.symlink = batfs_ops_symlink,
		.mknod = batfs_ops_mknod,
		.setxattr = batfs_ops_setxattr,
		.removexattr = batfs_ops_removexattr,
		.ioctl = batfs_ops_ioctl,
	};

	return &table;
}
