/*
 * What an append-only tree does not do. A part of ops. The answer is EPERM,
 * as from chattr +a, where something can be appended, and EROFS in views.
 * Whether the names exist at all the kernel has asked before.
 */
#include "ops.h"

#include <errno.h>

#include "reply.h"

static int
refusal(const struct batfs_mount *mount, const struct batfs_node *node)
{
	if (mount->options->read_only || !batfs_tree_takes_appends(node))
		return EROFS;
	return EPERM;
}

static void
refuse(fuse_req_t req, fuse_ino_t ino)
{
	struct batfs_node node;

	batfs_reply_count(req, BATFS_STAT_REFUSED);
	if (batfs_reply_node(req, ino, &node))
		fuse_reply_err(req, refusal(batfs_reply_mount(req), &node));
}

/* Refuse what would change or remove a name that is there. */
static void
refuse_name(fuse_req_t req, fuse_ino_t parent_ino, const char *name)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct batfs_node parent, node;
	int result;

	batfs_reply_count(req, BATFS_STAT_REFUSED);
	if (!batfs_reply_node(req, parent_ino, &parent))
		return;
	result = batfs_tree_lookup(mount->tree, &parent, bat_bytes_text(name),
	    &node);
	if (result != 0)
		batfs_reply_code(req, result, NULL);
	else
		fuse_reply_err(req, BAT_PLANT(88) ? 0 : refusal(mount, &node));
}

/* A command file may be truncated (`echo now > .ctl/checkpoint` does that);
 * nothing else changes by decree. */
void
batfs_ops_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attributes,
    int which, struct fuse_file_info *fi)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct batfs_attributes now;
	struct batfs_node node;
	struct stat status;

	batfs_reply_count(req, BATFS_STAT_SETATTR);
	(void)attributes;
	(void)fi;
	if (!batfs_reply_node(req, ino, &node))
		return;
	if ((which & FUSE_SET_ATTR_SIZE) == 0 ||
	    batfs_tree_attributes(mount->tree, &node, true, &now, NULL) != 0 ||
	    (!now.command && !now.plain)) {
		fuse_reply_err(req, refusal(mount, &node));
		return;
	}
	batfs_reply_stat(mount, &node, &now, &status);
	fuse_reply_attr(req, &status, 0);
}

void
batfs_ops_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	refuse_name(req, parent, name);
}

void
batfs_ops_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
    fuse_ino_t new_parent, const char *new_name, unsigned flags)
{
	(void)new_parent;
	(void)new_name;
	(void)flags;
	refuse_name(req, parent, name);
}

void
batfs_ops_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent,
    const char *name)
{
	(void)ino;
	(void)name;
	refuse(req, parent);
}

void
batfs_ops_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
    const char *name)
{
	(void)target;
	(void)name;
	refuse(req, parent);
}

void
batfs_ops_mknod(fuse_req_t req, fuse_ino_t parent, const char *name,
    mode_t mode, dev_t device)
{
	(void)name;
	(void)mode;
	(void)device;
	refuse(req, parent);
}

void
batfs_ops_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
    const char *value, size_t size, int flags)
{
	(void)value;
	(void)size;
	(void)flags;
	if (strncmp(name, "user.", 5) != 0)
		fuse_reply_err(req, EOPNOTSUPP);
	else
		refuse(req, ino);
}

void
batfs_ops_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	(void)name;
	refuse(req, ino);
}

/* ENOTTY, not ENOSYS: python asks every file that it opens whether it is a
 * terminal. */
void
batfs_ops_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned command,
    void *argument, struct fuse_file_info *fi, unsigned flags, const void *in,
    size_t in_size, size_t out_size)
{
	(void)ino;
	(void)command;
	(void)argument;
	(void)fi;
	(void)flags;
	(void)in;
	(void)in_size;
	(void)out_size;
	fuse_reply_err(req, ENOTTY);
}
