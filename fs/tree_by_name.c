/*
 * by/name: the names of entities, which have parts with colons in between, as
 * folders. `player:alice` is player/alice, a link to the entity. Our own names
 * start with `=`, which no stored name holds: `=` alone is an empty part, and
 * where a name is an entity and a folder, the entity is `=self` in the folder.
 */
#include "tree_internal.h"

#include "name.h"

static const char self_name[] = "=self";

/* Its cookie in a folder; those of children are their numbers + 1. */
#define COOKIE_SELF 1u

/* ---- spaces and nodes --------------------------------------------------- */

static int
space_of(struct batfs_tree *tree, const struct batfs_node *node,
    struct batfs_tree_space *out)
{
	return node->class == BATFS_BY_NAMES ?
	    batfs_tree_space_at(tree, 0, out) :
	    batfs_tree_space_find(tree, batfs_tree_text(tree, node->entity),
		out);
}

/* The child that a space is, as a folder or a link, at the moment of its
 * parent. BAT_STATE_NOT_FOUND: it was neither. */
static int
child_of(struct batfs_tree *tree, const struct batfs_node *parent,
    const struct batfs_tree_space *space, struct batfs_node *out)
{
	enum batfs_class class = BATFS_BY_PART;

	if (!batfs_tree_has_begun(tree, parent, space->below) ||
	    (BAT_PLANT(130) && space->entity != BAT_MAP_NONE))
		class = BATFS_BY_LEAF;
	if (class == BATFS_BY_LEAF &&
	    !batfs_tree_has_begun(tree, parent, space->entity))
		return BAT_STATE_NOT_FOUND;
	*out = batfs_tree_child(parent, class);
	return batfs_tree_intern(tree, batfs_tree_space_name(tree, space),
	    &out->entity);
}

/* ---- finding -------------------------------------------------------------- */

/* The stored part that a name means. */
static int
stored_part(struct batfs_tree *tree, struct bat_slice name, struct bat_buf *buf)
{
	if (name.length == 0 || memchr(name.data, ':', name.length) != NULL)
		return BAT_STATE_NOT_FOUND;
	if (name.data[0] != '=')
		return batfs_tree_stored_part(tree, name, buf);
	return name.length == 1 ? BAT_OK : BAT_STATE_NOT_FOUND;
}

static int
find_self(struct batfs_tree *tree, const struct batfs_node *parent,
    struct batfs_node *out)
{
	struct batfs_tree_space space;
	int code = space_of(tree, parent, &space);

	if (code == BAT_OK &&
	    (parent->class == BATFS_BY_NAMES ||
		!batfs_tree_has_begun(tree, parent, space.entity)))
		code = BAT_STATE_NOT_FOUND;
	*out = batfs_tree_child(parent, BATFS_BY_SELF);
	return code;
}

int
batfs_tree_find_part(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	struct bat_buf path = BAT_BUF_EMPTY;
	struct batfs_tree_space space;
	int code;

	if (bat_bytes_equal(name, bat_bytes_text(self_name)))
		return find_self(tree, parent, out);
	/* Shortened parts are known once all names were taken apart. */
	code = space_of(tree, parent, &space);
	if (code == BAT_OK && parent->class == BATFS_BY_PART) {
		code = bat_bytes_append_slice(&path,
		    batfs_tree_text(tree, parent->entity));
		if (code == BAT_OK)
			code = bat_bytes_append_byte(&path, ':');
	}
	if (code == BAT_OK)
		code = stored_part(tree, name, &path);
	if (code == BAT_OK)
		code = batfs_tree_space_find(tree, bat_bytes_of_buf(&path),
		    &space);
	if (code == BAT_OK)
		code = child_of(tree, parent, &space, out);
	bat_bytes_free(&path);
	return code;
}

/* ---- listing -------------------------------------------------------------- */

/* The number of the space to go on with behind a cookie; 0: there is none. */
static int
behind(struct batfs_tree *tree, const struct batfs_tree_space *folder,
    uint64_t cookie, uint32_t *out)
{
	struct batfs_tree_space last;
	int code;

	*out = folder->first;
	if (cookie <= COOKIE_SELF)
		return BAT_OK;
	*out = 0;
	if (cookie > UINT32_MAX)
		return BAT_OK;
	code = batfs_tree_space_at(tree, (uint32_t)cookie - 1, &last);
	if (code == BAT_OK)
		*out = last.next;
	return code == BAT_STATE_NOT_FOUND ? BAT_OK : code;
}

int
batfs_tree_list_parts(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	struct batfs_tree_space space;
	struct batfs_node child;
	uint32_t next = 0;
	int code = space_of(tree, node, &space);

	if (code == BAT_OK && cookie < COOKIE_SELF) {
		code = find_self(tree, node, &child);
		if (code == BAT_OK)
			code = batfs_tree_emit(tree, listing, &child,
			    COOKIE_SELF);
		else if (code == BAT_STATE_NOT_FOUND)
			code = BAT_OK;
	}
	if (code == BAT_OK)
		code = behind(tree, &space, cookie, &next);
	while (code == BAT_OK && next != 0) {
		uint32_t number = next;

		code = batfs_tree_space_at(tree, number, &space);
		if (code == BAT_OK)
			code = child_of(tree, node, &space, &child);
		/* Those behind it came later still. */
		if (code == BAT_STATE_NOT_FOUND)
			return BAT_OK;
		if (code == BAT_OK)
			code = batfs_tree_emit(tree, listing, &child,
			    (uint64_t)number + 1);
		next = space.next;
	}
	return code;
}

/* ---- names and links -------------------------------------------------------- */

/* What stands behind the last colon. */
static struct bat_slice
last_part(struct bat_slice name)
{
	size_t start = name.length;

	while (start > 0 && name.data[start - 1] != ':')
		start--;
	return bat_bytes_slice(name.data + start, name.length - start);
}

static size_t
count_parts(struct bat_slice name)
{
	size_t count = 1;

	for (size_t i = 0; i < name.length; i++)
		count += name.data[i] == ':';
	return count;
}

int
batfs_tree_spell_part(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	struct bat_slice part = last_part(batfs_tree_text(tree, node->entity));

	return part.length == 0 ? bat_bytes_append_byte(buf, '=') :
				  batfs_name_encode(part, buf);
}

int
batfs_tree_spell_self(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	(void)tree;
	(void)node;
	return bat_bytes_append_text(buf, self_name);
}

/* The entity, from the folder that a link stands in. */
static int
put_target(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	struct bat_slice name = batfs_tree_text(tree, node->entity);
	size_t folders = count_parts(name) - (node->class == BATFS_BY_LEAF);
	int code = bat_bytes_append_text(buf, "../../");

	while (code == BAT_OK && folders-- > 0)
		code = bat_bytes_append_text(buf, "../");
	if (code == BAT_OK)
		code = bat_bytes_append_text(buf, "entities/");
	return code == BAT_OK ? batfs_name_encode(name, buf) : code;
}

int
batfs_tree_read_leaf(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	struct bat_buf target = BAT_BUF_EMPTY;
	int code = put_target(tree, node, &target);

	(void)error;
	if (code == BAT_OK)
		code = batfs_tree_slice(bat_bytes_of_buf(&target), offset, size,
		    buf);
	bat_bytes_free(&target);
	return code;
}

/* ---- times ------------------------------------------------------------------- */

/* When an entity began; 0 and false if it had not by then. */
static bool
birth(struct batfs_tree *tree, const struct batfs_node *node, uint32_t entity,
    uint32_t *out_ordinal)
{
	const struct bat_list list = { .kind = BAT_LIST_ENTITY,
		.entity = entity };
	struct bat_list_stat stat;

	if (!batfs_tree_has_begun(tree, node, entity) ||
	    !bat_list_stat(tree->store, &list, &stat))
		return false;
	*out_ordinal = stat.first;
	return true;
}

/* When a child came: with the first entity of its name or below it. */
static bool
came(struct batfs_tree *tree, const struct batfs_node *node,
    const struct batfs_tree_space *space, uint32_t *out_ordinal)
{
	uint32_t entity = BAT_MAP_NONE, below = BAT_MAP_NONE;
	bool is_entity = birth(tree, node, space->entity, &entity);
	bool is_folder = birth(tree, node, space->below, &below);

	*out_ordinal = entity < below ? entity : below;
	return is_entity || is_folder;
}

/* The ordinal with which the newest name came into a folder. */
static int
newest(struct batfs_tree *tree, const struct batfs_node *node,
    const struct batfs_tree_space *folder, uint32_t *out)
{
	struct batfs_tree_space space;
	uint32_t ordinal = 0;
	int code = batfs_tree_space_at(tree, folder->last, &space);

	if (code != BAT_OK)
		return code;
	if (came(tree, node, &space, &ordinal)) {
		*out = ordinal;
	} else {
		/* In the past: the last of those that had come by then. */
		for (uint32_t next = folder->first; next != 0;
		     next = space.next) {
			code = batfs_tree_space_at(tree, next, &space);
			if (code != BAT_OK ||
			    !came(tree, node, &space, &ordinal))
				break;
			*out = ordinal;
		}
	}
	if (birth(tree, node, folder->entity, &ordinal) && ordinal > *out)
		*out = ordinal;
	return code;
}

int
batfs_tree_measure_part(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	struct batfs_tree_space space;
	struct bat_row row;
	uint32_t ordinal = 0;
	int code = space_of(tree, node, &space);

	(void)want_size;
	(void)error;
	if (code == BAT_OK && !batfs_tree_has_begun(tree, node, space.below))
		code = BAT_STATE_NOT_FOUND;
	if (code == BAT_OK)
		code = newest(tree, node, &space, &ordinal);
	if (code == BAT_OK && bat_row(tree->store, ordinal, &row))
		out->mtime_ms = batfs_tree_time_of(&row);
	return code;
}

int
batfs_tree_measure_leaf(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	struct bat_buf target = BAT_BUF_EMPTY;
	struct bat_row row;
	uint32_t ordinal;
	int code = BAT_OK;

	(void)error;
	if (!birth(tree, node, batfs_tree_store_entity(tree, node->entity),
		&ordinal) ||
	    !bat_row(tree->store, ordinal, &row))
		return BAT_STATE_NOT_FOUND;
	out->mtime_ms = batfs_tree_time_of(&row);
	if (want_size)
		code = put_target(tree, node, &target);
	out->size = target.length;
	bat_bytes_free(&target);
	return code;
}
