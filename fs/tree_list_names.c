/*
 * Directories of stored names: entities, scopes, and what has one file for each
 * of them. Who wants names only gets them from the store as they stand there:
 * in a list of a million the tree's own numbers would be most of the time, and
 * nobody asks for them before he looks one up.
 */
#include "tree_internal.h"

#include "name.h"

/* The store's number of what stands at a position of a directory; BAT_MAP_NONE
 * behind the last one. Valid for the directory that it was made for. */
struct positions {
	uint32_t (*at)(struct batfs_tree *tree, const struct positions *self,
	    uint32_t position);
	const struct batfs_node *node;
	uint32_t scope; /* the store's */
};

static uint32_t
entity_at(struct batfs_tree *tree, const struct positions *self,
    uint32_t position)
{
	uint32_t number = bat_entity_at(tree->store, position);

	return batfs_tree_has_begun(tree, self->node, number) ? number :
								BAT_MAP_NONE;
}

static uint32_t
scope_at(struct batfs_tree *tree, const struct positions *self,
    uint32_t position)
{
	uint32_t number = bat_scope_at(tree->store, position);

	return batfs_tree_scope_has_begun(tree, self->node, number) ?
	    number :
	    BAT_MAP_NONE;
}

static uint32_t
member_at(struct batfs_tree *tree, const struct positions *self,
    uint32_t position)
{
	uint32_t number = bat_scope_entity_at(tree->store, self->scope,
	    position);

	/* What the store has a place for has begun by now. */
	if (number == BAT_MAP_NONE || self->node->at == 0)
		return number;
	return batfs_tree_member_has_begun(tree, self->node, number,
		   self->scope) ?
	    number :
	    BAT_MAP_NONE;
}

int
batfs_tree_spell_stored(enum batfs_class class, struct bat_slice stored,
    struct bat_buf *buf)
{
	int code = batfs_name_encode(stored, buf);

	return code == BAT_OK && class == BATFS_BY_LAST ?
	    bat_bytes_append_text(buf, ".json") :
	    code;
}

/* Each with the tree's number. */
static int
list_nodes(struct batfs_tree *tree, const struct positions *positions,
    struct batfs_node *child, uint64_t cookie,
    struct batfs_tree_listing *listing)
{
	uint32_t *key = child->class == BATFS_SCOPE ? &child->scope :
						      &child->entity;
	int code = BAT_OK;

	if (cookie > 0)
		batfs_tree_expect_names(tree);
	for (; code == BAT_OK && cookie < UINT32_MAX; cookie++) {
		uint32_t number = positions->at(tree, positions,
		    (uint32_t)cookie);

		if (number == BAT_MAP_NONE)
			break;
		code = batfs_tree_intern_stored(tree, number, key);
		if (code == BAT_OK)
			code = batfs_tree_emit(tree, listing, child,
			    cookie + 1);
	}
	return code;
}

static int
emit_name(struct batfs_tree_listing *listing, const struct batfs_node *child,
    struct bat_slice stored, uint64_t inode, uint64_t cookie)
{
	int code;

	bat_bytes_clear(&listing->name);
	code = batfs_tree_spell_stored(child->class, stored, &listing->name);
	if (code == BAT_OK)
		code = bat_bytes_append_byte(&listing->name, '\0');
	if (code != BAT_OK)
		return code;
	if (!listing->each_name(listing->context,
		(const char *)listing->name.data, batfs_tree_type(child), inode,
		cookie))
		return BAT_END;
	return BAT_OK;
}

/* So many at a time that their inode numbers are hashed side by side. */
static int
list_texts(struct batfs_tree *tree, const struct positions *positions,
    const struct batfs_node *child, uint64_t cookie,
    struct batfs_tree_listing *listing)
{
	struct bat_slice names[BATFS_TREE_INODES];
	uint64_t inodes[BATFS_TREE_INODES];
	unsigned count = BATFS_TREE_INODES;
	int code = BAT_OK;

	while (code == BAT_OK && count == BATFS_TREE_INODES) {
		for (count = 0; count < BATFS_TREE_INODES; count++) {
			uint32_t number = cookie + count < UINT32_MAX ?
			    positions->at(tree, positions,
				(uint32_t)cookie + count) :
			    BAT_MAP_NONE;

			if (number == BAT_MAP_NONE)
				break;
			names[count] = bat_name(tree->store, number);
		}
		batfs_tree_inodes(tree, child, names, count, inodes);
		for (unsigned i = 0; code == BAT_OK && i < count; i++)
			code = emit_name(listing, child, names[i], inodes[i],
			    ++cookie);
	}
	return code;
}

static int
list(struct batfs_tree *tree, const struct positions *positions,
    enum batfs_class class, uint64_t cookie, struct batfs_tree_listing *listing)
{
	struct batfs_node child = batfs_tree_child(positions->node, class);

	return listing->each_name != NULL ?
	    list_texts(tree, positions, &child, cookie, listing) :
	    list_nodes(tree, positions, &child, cookie, listing);
}

int
batfs_tree_list_entities(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	const struct positions positions = { .at = entity_at, .node = node };

	return list(tree, &positions, BATFS_ENTITY, cookie, listing);
}

int
batfs_tree_list_latest(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	const struct positions positions = { .at = entity_at, .node = node };

	return list(tree, &positions, BATFS_BY_LAST, cookie, listing);
}

int
batfs_tree_list_scopes(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	const struct positions positions = { .at = scope_at, .node = node };

	return list(tree, &positions, BATFS_SCOPE, cookie, listing);
}

int
batfs_tree_list_members(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	const struct positions positions = {
		.at = member_at,
		.node = node,
		.scope = batfs_tree_store_scope(tree, node->scope),
	};

	if (positions.scope == BAT_MAP_NONE)
		return BAT_OK;
	return list(tree, &positions, BATFS_MEMBER, cookie, listing);
}
