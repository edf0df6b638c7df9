#include "inode.h"

#define CLASS_SHIFT 56
#define SCOPE_SHIFT 28
#define NAME_MASK ((UINT64_C(1) << SCOPE_SHIFT) - 1)
#define NUMBER_MASK ((UINT64_C(1) << CLASS_SHIFT) - 1)

_Static_assert(BATFS_CLASS_COUNT <= 256, "a class has 8 bits");

/* The low 56 bits; false when they do not suffice. */
static bool
pack_keys(const struct batfs_node *node, uint64_t *out)
{
	*out = 0;
	switch (batfs_tree_keys(node->class)) {
	case BATFS_KEYS_NOBODY:
		return false;
	case BATFS_KEYS_NONE:
		return true;
	case BATFS_KEYS_ENTITY:
		*out = node->entity;
		return node->entity <= NAME_MASK;
	case BATFS_KEYS_SCOPE:
		*out = (uint64_t)node->scope << SCOPE_SHIFT;
		return node->scope <= NAME_MASK;
	case BATFS_KEYS_MEMBER:
		*out = (uint64_t)node->scope << SCOPE_SHIFT | node->entity;
		return node->scope <= NAME_MASK && node->entity <= NAME_MASK;
	case BATFS_KEYS_NUMBER:
		*out = node->number;
		return node->number <= NUMBER_MASK;
	}
	return false;
}

uint64_t
batfs_inode_of(const struct batfs_node *node)
{
	uint64_t low;

	if (node->class == BATFS_ROOT)
		return BATFS_INODE_ROOT;
	if (!pack_keys(node, &low))
		return 0;
	return (uint64_t)node->class << CLASS_SHIFT | low;
}

bool
batfs_inode_node(uint64_t nodeid, struct batfs_node *out)
{
	uint64_t low = nodeid & NUMBER_MASK;
	uint64_t class = nodeid >> CLASS_SHIFT;
	struct batfs_node node = BATFS_NODE_ROOT;

	if (nodeid != BATFS_INODE_ROOT) {
		if (class == BATFS_NONE || class == BATFS_ROOT ||
		    class >= BATFS_CLASS_COUNT)
			return false;
		node.class = (enum batfs_class) class;
		if (batfs_tree_keys(node.class) == BATFS_KEYS_NUMBER) {
			node.number = low;
		} else {
			node.entity = (uint32_t)(low & NAME_MASK);
			node.scope = (uint32_t)(low >> SCOPE_SHIFT);
		}
		/* Bits that the class has no use for: not a number of ours. */
		if (batfs_inode_of(&node) != nodeid)
			return false;
	}
	*out = node;
	return true;
}
