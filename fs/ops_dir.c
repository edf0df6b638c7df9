/* Directories: listing, making and removing. A part of ops. */
#include "ops.h"

#include <errno.h>
#include <stdlib.h>

#include "notify.h"
#include "reply.h"
#include "waiting.h"

/* Cookies 1 and 2 are "." and ".."; those of the tree follow. */
#define DOTS 2

struct item {
	struct batfs_node node;
	off_t next; /* the cookie that resumes behind it */
	size_t name;
	fuse_ino_t told; /* the nodeid that the kernel gets, or 0 */
};

/* Entries with attributes that fit into one reply: first collected (the tree may
 * hold a lock while it lists), then given them. */
struct listing {
	fuse_req_t req;
	size_t room; /* bytes of the reply that are left */
	struct bat_buf names;
	struct item *items;
	size_t count, capacity;
};

/* Returns false when it does not fit any more. */
static bool
add_item(struct listing *listing, const char *name,
    const struct batfs_node *node, off_t next)
{
	size_t size = fuse_add_direntry_plus(listing->req, NULL, 0, name, NULL,
	    0);
	struct item *item = &listing->items[listing->count];

	if (size > listing->room || listing->count == listing->capacity)
		return false;
	*item = (struct item){ *node, next, listing->names.length, 0 };
	if (bat_bytes_append(&listing->names, name, strlen(name) + 1) != 0)
		return false;
	listing->room -= size;
	listing->count++;
	return true;
}

static bool
add_child(void *context, const char *name, const struct batfs_node *node,
    uint64_t cookie)
{
	return add_item(context, name, node, (off_t)cookie + DOTS);
}

static int
collect(struct listing *listing, struct batfs_tree *tree,
    const struct batfs_node *node, off_t offset)
{
	struct batfs_node parent = batfs_tree_parent(tree, node);

	if (offset < 1 && !add_item(listing, ".", node, 1))
		return 0;
	if (offset < 2 && !add_item(listing, "..", &parent, 2))
		return 0;
	return batfs_tree_list(tree, node,
	    offset < DOTS ? 0 : (uint64_t)(offset - DOTS), add_child, listing);
}

/* Is there anything to tell besides the dots? */
static bool
has_children(const struct listing *listing)
{
	return listing->count > 0 &&
	    listing->items[listing->count - 1].next > DOTS;
}

/*
 * Attributes have exact sizes. A stream may have to be rendered for its own;
 * names and types never wait for that.
 */
static bool
is_cheap(const struct batfs_mount *mount, const struct item *item)
{
	return item->next > DOTS &&
	    (batfs_tree_is_cheap(&item->node) ||
		batfs_tree_is_short(mount->tree, &item->node));
}

/* With all that a look-up of it would say. Attributes of a growing file hold
 * long enough for who lists to ask for them. */
static int
put_attributes(const struct batfs_mount *mount, const struct item *item,
    struct fuse_entry_param *entry)
{
	int failed = batfs_reply_entry(mount, &item->node, entry);

	if (failed == 0 && entry->attr_timeout == 0 &&
	    entry->entry_timeout > 0 && S_ISREG(entry->attr.st_mode) &&
	    !batfs_handle_is_content(&item->node))
		entry->attr_timeout = BATFS_NOTIFY_PROMISE;
	return failed;
}

/* Write one collected entry; returns its size. */
static size_t
put_item(const struct listing *listing, const struct batfs_mount *mount,
    struct item *item, char *to, size_t room)
{
	const char *name = (const char *)listing->names.data + item->name;
	struct fuse_entry_param entry;

	if (!is_cheap(mount, item) ||
	    put_attributes(mount, item, &entry) != 0) {
		/* nodeid 0: a name, a number and a type, no attributes. */
		entry = (struct fuse_entry_param){ .ino = 0 };
		batfs_reply_bare_stat(mount, &item->node, &entry.attr);
	}
	item->told = entry.ino;
	return fuse_add_direntry_plus(listing->req, to, room, name, &entry,
	    item->next);
}

/* The kernel keeps sizes for a moment now, and asks for none: a mount that
 * follows has to look by itself. */
static void
promise(const struct batfs_mount *mount)
{
	batfs_notify_promise(mount->notify);
	if (mount->options->read_only)
		batfs_waiting_check(mount->waiting);
}

static void
reply_items(const struct listing *listing, const struct batfs_mount *mount,
    size_t size)
{
	char *reply = malloc(size);
	size_t used = 0;

	if (reply == NULL) {
		fuse_reply_err(listing->req, ENOMEM);
		return;
	}
	promise(mount);
	for (size_t i = 0; i < listing->count; i++)
		used += put_item(listing, mount, &listing->items[i],
		    reply + used, size - used);
	if (fuse_reply_buf(listing->req, reply, used) != 0)
		for (size_t i = 0; i < listing->count; i++)
			batfs_past_let_go(mount->past, listing->items[i].told,
			    1);
	free(reply);
}

static void
list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct listing listing = {
		.req = req,
		.room = size,
		.names = BAT_BUF_EMPTY,
		/* No entry is smaller than one whose name is empty. */
		.capacity = 1 +
		    size / fuse_add_direntry_plus(req, NULL, 0, "", NULL, 0),
	};
	struct batfs_node node;
	int result;

	if (!batfs_reply_node(req, ino, &node))
		return;
	listing.items = calloc(listing.capacity, sizeof *listing.items);
	if (listing.items == NULL) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	result = collect(&listing, mount->tree, &node, offset);
	/* What cannot be listed is an error and no empty directory. */
	if (result != 0 && !has_children(&listing))
		batfs_reply_code(req, result, NULL);
	else
		reply_items(&listing, mount, size);
	bat_bytes_free(&listing.names);
	free(listing.items);
}

/* ---- names only ----------------------------------------------------------- */

/* Written into the reply as they come: a name keeps nobody waiting. */
struct name_listing {
	fuse_req_t req;
	char *reply;
	size_t used, size;
	bool has_children;
};

static bool
add_name(struct name_listing *listing, const char *name, enum batfs_type type,
    uint64_t inode, off_t next)
{
	size_t left = listing->size - listing->used, size;
	struct stat status;

	batfs_reply_name_stat(type, inode, &status);
	size = fuse_add_direntry(listing->req, listing->reply + listing->used,
	    left, name, &status, next);
	if (size > left)
		return false;
	listing->used += size;
	return true;
}

static bool
add_child_name(void *context, const char *name, enum batfs_type type,
    uint64_t inode, uint64_t cookie)
{
	struct name_listing *listing = context;
	bool added = add_name(listing, name, type, inode, (off_t)cookie + DOTS);

	listing->has_children |= added;
	return added;
}

static int
collect_names(struct name_listing *listing, struct batfs_tree *tree,
    const struct batfs_node *node, off_t offset)
{
	struct batfs_node parent;

	if (offset < 1 &&
	    !add_name(listing, ".", BATFS_DIRECTORY,
		batfs_tree_inode(tree, node), 1))
		return 0;
	if (offset < 2) {
		parent = batfs_tree_parent(tree, node);
		if (!add_name(listing, "..", BATFS_DIRECTORY,
			batfs_tree_inode(tree, &parent), 2))
			return 0;
	}
	return batfs_tree_list_names(tree, node,
	    offset < DOTS ? 0 : (uint64_t)(offset - DOTS), add_child_name,
	    listing);
}

static void
list_names(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct name_listing listing = { .req = req, .size = size };
	struct batfs_node node;
	int result;

	if (!batfs_reply_node(req, ino, &node))
		return;
	listing.reply = malloc(size);
	if (listing.reply == NULL) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	result = collect_names(&listing, mount->tree, &node, offset);
	/* What cannot be listed is an error and no empty directory. */
	if (result != 0 && !listing.has_children)
		batfs_reply_code(req, result, NULL);
	else
		fuse_reply_buf(req, listing.reply, listing.used);
	free(listing.reply);
}

void
batfs_ops_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
    struct fuse_file_info *fi)
{
	batfs_reply_count(req, BATFS_STAT_READDIR);
	(void)fi;
	list_names(req, ino, size, offset);
}

void
batfs_ops_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
    struct fuse_file_info *fi)
{
	batfs_reply_count(req, BATFS_STAT_READDIRPLUS);
	(void)fi;
	list(req, ino, size, offset);
}

void
batfs_ops_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct batfs_attributes attributes;
	struct bat_error error = { .code = 0 };
	struct batfs_node node;
	int result;

	batfs_reply_count(req, BATFS_STAT_OPENDIR);
	if (mount->without_opens) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	if (!batfs_reply_node(req, ino, &node))
		return;
	batfs_notify_look(mount->notify);
	result = batfs_tree_attributes(mount->tree, &node, false, &attributes,
	    &error);
	if (result != 0) {
		batfs_reply_code(req, result, &error);
		return;
	}
	if (attributes.type != BATFS_DIRECTORY) {
		fuse_reply_err(req, ENOTDIR);
		return;
	}
	/* Not even root lists what cannot be listed. */
	if ((attributes.mode & 0444u) == 0) {
		fuse_reply_err(req, EACCES);
		return;
	}
	batfs_tree_opened(mount->tree, &node);
	fi->fh = 0;
	if (attributes.caching == BATFS_CACHE_FOREVER) {
		fi->cache_readdir = 1;
		fi->keep_cache = 1;
	}
	fuse_reply_open(req, fi);
}

void
batfs_ops_mkdir(fuse_req_t req, fuse_ino_t parent_ino, const char *name,
    mode_t mode)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct bat_error error = { .code = 0 };
	struct batfs_node parent, node;
	int result;

	batfs_reply_count(req, BATFS_STAT_CREATE);
	(void)mode;
	if (!batfs_reply_node(req, parent_ino, &parent))
		return;
	result = batfs_tree_mkdir(mount->tree, &parent, bat_bytes_text(name),
	    &node, &error);
	if (result == BAT_USE_RESERVED) {
		fuse_reply_err(req, EPERM);
		return;
	}
	if (result != 0) {
		batfs_reply_code(req, result, &error);
		return;
	}
	batfs_reply_found(req, &node);
}

void
batfs_ops_rmdir(fuse_req_t req, fuse_ino_t parent_ino, const char *name)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct batfs_node parent;
	int result;

	if (!batfs_reply_node(req, parent_ino, &parent))
		return;
	result = batfs_tree_rmdir(mount->tree, &parent, bat_bytes_text(name));
	if (result == BAT_USE_RESERVED)
		fuse_reply_err(req, EPERM);
	else
		batfs_reply_code(req, result, NULL);
}
