/*
 * Paths and directories of the tree, as the kernel and find(1) take them.
 */
#include "batctl.h"

#include <stdlib.h>

/* As the kernel has it. */
#define LINKS_MAX 40

/* ---- one path ------------------------------------------------------------ */

/* What is left to look up: links put their target in front of it. */
struct way {
	struct bat_buf rest;
	unsigned links;
};

static int
put_target(struct batfs_batctl *ctl, struct way *way,
    const struct batfs_node *link, struct bat_slice behind,
    struct bat_error *error)
{
	struct bat_buf fresh = BAT_BUF_EMPTY;
	int code;

	if (++way->links > LINKS_MAX)
		return bat_error_set(error, BAT_USE_INVALID,
		    "too many links on the way");
	code = batfs_tree_readlink(ctl->tree, link, &fresh);
	if (code == BAT_OK)
		code = bat_bytes_append_byte(&fresh, '/');
	if (code == BAT_OK)
		code = bat_bytes_append_slice(&fresh, behind);
	bat_bytes_free(&way->rest);
	way->rest = fresh;
	return code;
}

/* The name in front of a path, and what stands behind it. */
static struct bat_slice
take_name(struct bat_slice *rest)
{
	struct bat_slice name;
	size_t at = 0, end;

	while (at < rest->length && rest->data[at] == '/')
		at++;
	end = at;
	while (end < rest->length && rest->data[end] != '/')
		end++;
	name = bat_bytes_slice(rest->data + at, end - at);
	while (end < rest->length && rest->data[end] == '/')
		end++;
	*rest = bat_bytes_slice(rest->data + end, rest->length - end);
	return name;
}

static int
step(struct batfs_batctl *ctl, struct bat_slice name, struct batfs_node *node,
    struct bat_error *error)
{
	struct batfs_node parent = *node;
	int code;

	if (bat_bytes_equal(name, bat_bytes_text(".")))
		return BAT_OK;
	if (bat_bytes_equal(name, bat_bytes_text(".."))) {
		*node = batfs_tree_parent(ctl->tree, &parent);
		return BAT_OK;
	}
	code = batfs_tree_lookup(ctl->tree, &parent, name, node);
	if (code == BAT_USE_INVALID)
		return bat_error_set(error, code, "not a directory");
	if (code != BAT_OK)
		bat_error_set(error, code, "there is nothing of this name");
	return code;
}

int
batfs_batctl_resolve(struct batfs_batctl *ctl, const char *path, bool follow,
    struct batfs_node *out, struct bat_error *error)
{
	struct batfs_node node = BATFS_NODE_ROOT, parent;
	struct way way = { .rest = BAT_BUF_EMPTY };
	int code = bat_bytes_append_text(&way.rest, path);

	while (code == BAT_OK && way.rest.length > 0) {
		struct bat_slice rest = bat_bytes_of_buf(&way.rest);
		struct bat_slice name = take_name(&rest);
		size_t used = way.rest.length - rest.length;

		if (name.length == 0)
			break;
		parent = node;
		code = step(ctl, name, &node, error);
		if (code != BAT_OK)
			break;
		if (batfs_tree_type(&node) == BATFS_SYMLINK &&
		    (rest.length > 0 || follow)) {
			struct batfs_node link = node;

			node = parent;
			code = put_target(ctl, &way, &link, rest, error);
			continue;
		}
		memmove(way.rest.data, way.rest.data + used, rest.length);
		way.rest.length = rest.length;
	}
	bat_bytes_free(&way.rest);
	if (code == BAT_OK)
		*out = node;
	return code;
}

/* ---- directories ----------------------------------------------------------- */

static bool
add_entry(void *context, const char *name, const struct batfs_node *node,
    uint64_t cookie)
{
	struct batfs_batctl_names *names = context;
	size_t place = names->names.length;

	(void)cookie;
	if (names->count == names->capacity) {
		size_t wanted = names->capacity == 0 ? 64 : names->capacity * 2;
		struct batfs_batctl_entry *larger = reallocarray(names->entries,
		    wanted, sizeof *larger);

		names->failed = larger == NULL;
		if (names->failed)
			return false;
		names->entries = larger;
		names->capacity = wanted;
	}
	names->failed = bat_bytes_append(&names->names, name,
			    strlen(name) + 1) != BAT_OK;
	if (names->failed)
		return false;
	names->entries[names->count++] = (struct batfs_batctl_entry){ place,
		*node };
	return true;
}

int
batfs_batctl_list(struct batfs_batctl *ctl, const struct batfs_node *node,
    struct batfs_batctl_names *out, struct bat_error *error)
{
	int code;

	*out = (struct batfs_batctl_names){ .names = BAT_BUF_EMPTY };
	code = batfs_tree_list(ctl->tree, node, 0, add_entry, out);
	if (code == BAT_OK && out->failed)
		code = BAT_WORLD_NO_MEMORY;
	if (code != BAT_OK)
		bat_error_set(error, code, "%s", bat_error_name(code));
	return code;
}

void
batfs_batctl_names_free(struct batfs_batctl_names *names)
{
	bat_bytes_free(&names->names);
	free(names->entries);
}

/* ---- everything below ------------------------------------------------------ */

/* A directory that is being walked, one below the other. */
struct level {
	struct batfs_batctl_names names;
	size_t next;
	size_t path; /* the length of its path */
	struct level *above;
};

static int
push(struct batfs_batctl *ctl, struct level **top, const struct bat_buf *path,
    const struct batfs_node *node, struct bat_error *error)
{
	struct level *level = calloc(1, sizeof *level);
	int code;

	if (level == NULL)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY, "no memory");
	level->path = path->length;
	level->above = *top;
	*top = level;
	code = batfs_batctl_list(ctl, node, &level->names, error);
	return code;
}

static void
pop(struct level **top)
{
	struct level *level = *top;

	*top = level->above;
	batfs_batctl_names_free(&level->names);
	free(level);
}

/* Visit a node whose path is in *path, with a NUL behind it that does not
 * count; if it is a directory it is next. */
static int
visit_node(struct batfs_batctl *ctl, struct level **top, struct bat_buf *path,
    const struct batfs_node *node, batfs_batctl_visit_fn visit, void *context,
    struct bat_error *error)
{
	int code = bat_bytes_append_byte(path, '\0');

	if (code != BAT_OK)
		return code;
	path->length--;
	code = visit(ctl, context, (const char *)path->data, node, error);
	if (code == BAT_OK && batfs_tree_type(node) == BATFS_DIRECTORY)
		code = push(ctl, top, path, node, error);
	return code;
}

int
batfs_batctl_walk(struct batfs_batctl *ctl, const char *path,
    const struct batfs_node *node, batfs_batctl_visit_fn visit, void *context,
    struct bat_error *error)
{
	struct bat_buf at = BAT_BUF_EMPTY;
	struct level *top = NULL;
	int code = bat_bytes_append_text(&at, path);

	/* "x/" and "x" are the same; "/" is the root's. */
	while (at.length > 1 && at.data[at.length - 1] == '/')
		at.length--;
	if (code == BAT_OK)
		code = visit_node(ctl, &top, &at, node, visit, context, error);
	while (code == BAT_OK && top != NULL) {
		const struct batfs_batctl_entry *entry;

		if (top->next == top->names.count) {
			pop(&top);
			continue;
		}
		entry = &top->names.entries[top->next++];
		at.length = top->path;
		if (at.length == 0 || at.data[at.length - 1] != '/')
			code = bat_bytes_append_byte(&at, '/');
		if (code == BAT_OK)
			code = bat_bytes_append_text(&at,
			    (const char *)top->names.names.data + entry->name);
		if (code == BAT_OK)
			code = visit_node(ctl, &top, &at, &entry->node, visit,
			    context, error);
	}
	while (top != NULL)
		pop(&top);
	bat_bytes_free(&at);
	return code;
}
