/*
 * Which files grow with an event, and which of them are so short that a
 * listing may tell their sizes.
 */
#include "tree_internal.h"

/* Lines that may have to be rendered for one entry of a listing. Most entities
 * of a store with very many have fewer. */
#define SHORT_MAX 16

bool
batfs_tree_is_short(struct batfs_tree *tree, const struct batfs_node *node)
{
	struct batfs_stream_key key;
	uint64_t count;

	if ((node->class != BATFS_ENTITY && node->class != BATFS_MEMBER) ||
	    node->at != 0 || batfs_tree_stream(tree, node, &key) != BAT_OK ||
	    key.choice != 0)
		return false;
	count = bat_list_count(tree->store, &key.list);
	return count > 0 && count <= SHORT_MAX;
}

size_t
batfs_tree_grown(struct batfs_tree *tree, uint32_t ordinal,
    struct batfs_node out[2])
{
	struct bat_row row;
	uint32_t entity, scope;

	if (!bat_row(tree->store, ordinal, &row))
		return 0;
	entity = batfs_tree_number_of(tree, bat_name(tree->store, row.entity));
	scope = batfs_tree_number_of(tree, bat_name(tree->store, row.scope));
	if (entity == BAT_MAP_NONE)
		return 0;
	out[0] = (struct batfs_node){ .class = BATFS_ENTITY, .entity = entity };
	/* Nobody has seen it there. */
	if (scope == BAT_MAP_NONE)
		return 1;
	out[1] = (struct batfs_node){ .class = BATFS_MEMBER,
		.entity = entity,
		.scope = scope };
	return 2;
}
