/*
 * by/kind and by/denials.jsonl: the lines of a kind. A kind is called as lines
 * spell it; names of `-o kinds=` are links to that.
 */
#include "tree_internal.h"

/* The cookies of kinds, of which there are 65536 at the most, are below. */
#define COOKIE_ALIAS 65536u

uint16_t
batfs_tree_kind_of(const struct batfs_node *node)
{
	return node->class == BATFS_BY_DENIALS ? BAT_KIND_DENIAL :
						 (uint16_t)node->number;
}

static int
ends_of(struct batfs_tree *tree, const struct batfs_node *node, uint16_t kind,
    struct batfs_tree_ends *out)
{
	return batfs_tree_kind_ends(tree, kind, batfs_tree_before(tree, node),
	    out);
}

static int
find_alias(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	struct batfs_node child = batfs_tree_child(parent, BATFS_BY_ALIAS);
	struct batfs_tree_ends ends;
	uint16_t kind;
	int code = BAT_STATE_NOT_FOUND;

	/* No link may dangle: it comes with the first event of the kind. */
	if (batfs_kinds_find(tree->options.kinds, name, &kind))
		code = ends_of(tree, parent, kind, &ends);
	if (code == BAT_OK)
		code = batfs_tree_intern(tree, name, &child.entity);
	if (code == BAT_OK)
		*out = child;
	return code;
}

/* "f.001.jsonl": as lines spell a kind, or a name that was given to it. */
int
batfs_tree_find_kind(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	struct batfs_tree_ends ends;
	uint16_t kind;
	int code;

	if (!batfs_tree_cut_suffix(&name, ".jsonl"))
		return BAT_STATE_NOT_FOUND;
	if (name.length != 5 || name.data[1] != '.' ||
	    !bat_kind_from_text(name, &kind))
		return find_alias(tree, parent, name, out);
	code = ends_of(tree, parent, kind, &ends);
	if (code != BAT_OK)
		return code;
	*out = batfs_tree_child(parent, BATFS_BY_KIND);
	out->number = kind;
	return BAT_OK;
}

/* Behind the kinds, in the order of the file. */
static int
list_aliases(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	struct batfs_node child;
	struct bat_slice name;
	uint16_t kind;
	int code = BAT_OK;

	for (uint64_t i = cookie < COOKIE_ALIAS ? 0 : cookie - COOKIE_ALIAS;
	     code == BAT_OK &&
	     batfs_kinds_at(tree->options.kinds, i, &name, &kind);
	     i++) {
		code = find_alias(tree, node, name, &child);
		if (code == BAT_OK)
			code = batfs_tree_emit(tree, listing, &child,
			    COOKIE_ALIAS + i + 1);
		else if (code == BAT_STATE_NOT_FOUND)
			code = BAT_OK;
	}
	return code;
}

int
batfs_tree_list_kinds(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	struct batfs_node child = batfs_tree_child(node, BATFS_BY_KIND);
	int code = BAT_OK;

	for (uint64_t i = cookie; code == BAT_OK && i < COOKIE_ALIAS; i++) {
		struct batfs_tree_ends ends;
		uint16_t kind;

		code = batfs_tree_kind_at(tree, i, &kind);
		if (code == BAT_OK)
			code = ends_of(tree, node, kind, &ends);
		/* Later ones began later still. */
		if (code == BAT_END || code == BAT_STATE_NOT_FOUND) {
			code = BAT_OK;
			break;
		}
		child.number = kind;
		if (code == BAT_OK)
			code = batfs_tree_emit(tree, listing, &child, i + 1);
	}
	return code == BAT_OK ? list_aliases(tree, node, cookie, listing) :
				code;
}

int
batfs_tree_spell_kind(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	char text[6];

	(void)tree;
	bat_kind_to_text((uint16_t)node->number, text);
	return bat_bytes_append_format(buf, "%s.jsonl", text);
}

/* ---- names of kinds ----------------------------------------------------------- */

int
batfs_tree_spell_alias(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	int code = bat_bytes_append_slice(buf,
	    batfs_tree_text(tree, node->entity));

	return code == BAT_OK ? bat_bytes_append_text(buf, ".jsonl") : code;
}

int
batfs_tree_read_alias(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	struct batfs_node kind = { .class = BATFS_BY_KIND };
	struct bat_buf target = BAT_BUF_EMPTY;
	uint16_t number;
	int code = BAT_STATE_NOT_FOUND;

	(void)error;
	if (batfs_kinds_find(tree->options.kinds,
		batfs_tree_text(tree, node->entity), &number)) {
		kind.number = number;
		code = batfs_tree_spell_kind(tree, &kind, &target);
	}
	if (code == BAT_OK)
		code = batfs_tree_slice(bat_bytes_of_buf(&target), offset, size,
		    buf);
	bat_bytes_free(&target);
	return code;
}

/* As old as the first event of its kind: with that it came. */
int
batfs_tree_measure_alias(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	struct bat_buf target = BAT_BUF_EMPTY;
	struct batfs_tree_ends ends;
	uint16_t kind;
	int code = BAT_STATE_NOT_FOUND;

	(void)want_size;
	if (batfs_kinds_find(tree->options.kinds,
		batfs_tree_text(tree, node->entity), &kind))
		code = ends_of(tree, node, kind, &ends);
	if (code == BAT_OK)
		code = batfs_tree_read_alias(tree, node, 0, SIZE_MAX, &target,
		    error);
	if (code == BAT_OK)
		out->mtime_ms = batfs_tree_time_at(tree, ends.first);
	out->size = target.length;
	bat_bytes_free(&target);
	return code;
}

/* ---- sizes and times ------------------------------------------------------------ */

/* When the newest of the kinds came. */
int
batfs_tree_measure_kinds(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	struct batfs_tree_ends ends;
	uint16_t kind;
	int code = BAT_OK;

	(void)want_size;
	(void)error;
	out->mtime_ms = batfs_tree_first_time(tree);
	for (uint64_t i = 0; code == BAT_OK; i++) {
		code = batfs_tree_kind_at(tree, i, &kind);
		if (code == BAT_OK)
			code = ends_of(tree, node, kind, &ends);
		if (code == BAT_OK)
			out->mtime_ms = batfs_tree_time_at(tree, ends.first);
	}
	return code == BAT_END || code == BAT_STATE_NOT_FOUND ? BAT_OK : code;
}

int
batfs_tree_measure_kind(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	struct batfs_tree_ends ends;
	struct batfs_stream_key key;
	int code = ends_of(tree, node, batfs_tree_kind_of(node), &ends);

	out->mtime_ms = batfs_tree_first_time(tree);
	if (code == BAT_STATE_NOT_FOUND && node->class == BATFS_BY_DENIALS)
		return BAT_OK;
	if (code == BAT_OK)
		code = batfs_tree_stream(tree, node, &key);
	if (code != BAT_OK)
		return code;
	out->mtime_ms = batfs_tree_time_at(tree, ends.last);
	return want_size ?
	    batfs_stream_size(tree->streams, &key, &out->size, error) :
	    BAT_OK;
}
