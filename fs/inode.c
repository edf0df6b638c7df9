#include "inode.h"

#define CLASS_SHIFT 56
#define SCOPE_SHIFT 28
#define NAME_MASK ((UINT64_C(1) << SCOPE_SHIFT) - 1)
#define NUMBER_MASK ((UINT64_C(1) << CLASS_SHIFT) - 1)

_Static_assert(BATFS_CLASS_COUNT <= 256, "a class has 8 bits");

/* What a node of a class is told apart by. */
enum keys {
	KEYS_NOBODY, /* no node has this class */
	KEYS_NONE,   /* there is one node of it */
	KEYS_ENTITY,
	KEYS_SCOPE,
	KEYS_MEMBER, /* scope and entity */
	KEYS_NUMBER,
};

static const uint8_t keys_of_class[BATFS_CLASS_COUNT] = {
	[BATFS_NONE] = KEYS_NOBODY,
	[BATFS_ROOT] = KEYS_NONE,
	[BATFS_README] = KEYS_NONE,
	[BATFS_LOG_ALL] = KEYS_NONE,
	[BATFS_LOG_DIR] = KEYS_NONE,
	[BATFS_LOG_PAGE] = KEYS_NUMBER,
	[BATFS_LOG_TAIL] = KEYS_NONE,
	[BATFS_ENTITIES] = KEYS_NONE,
	[BATFS_ENTITY] = KEYS_ENTITY,
	[BATFS_ENTITY_WORDS] = KEYS_ENTITY,
	[BATFS_SCOPES] = KEYS_NONE,
	[BATFS_SCOPE] = KEYS_SCOPE,
	[BATFS_MEMBER] = KEYS_MEMBER,
	[BATFS_MEMBER_WORDS] = KEYS_MEMBER,
	[BATFS_EVENTS] = KEYS_NONE,
	[BATFS_SHARD] = KEYS_NUMBER,
	[BATFS_EVENT_JSON] = KEYS_NUMBER,
	[BATFS_EVENT_DIR] = KEYS_NUMBER,
	[BATFS_EVENT_DIR_JSON] = KEYS_NUMBER,
	[BATFS_EVENT_PAYLOAD] = KEYS_NUMBER,
	[BATFS_EVENT_LINK] = KEYS_NUMBER,
	[BATFS_EVENT_JSON_LINK] = KEYS_NUMBER,
	[BATFS_EVENTS_TAG] = KEYS_NONE,
	[BATFS_CTL] = KEYS_NONE,
	[BATFS_CTL_FILE] = KEYS_NUMBER,
};

static enum keys keys_of(enum batfs_class class)
{
	if ((unsigned)class >= BATFS_CLASS_COUNT)
		return KEYS_NOBODY;
	return (enum keys)keys_of_class[class];
}

/* The low 56 bits; false when they do not suffice. */
static bool
pack_keys(const struct batfs_node *node, uint64_t *out)
{
	*out = 0;
	switch (keys_of(node->class)) {
	case KEYS_NOBODY:
		return false;
	case KEYS_NONE:
		return true;
	case KEYS_ENTITY:
		*out = node->entity;
		return node->entity <= NAME_MASK;
	case KEYS_SCOPE:
		*out = (uint64_t)node->scope << SCOPE_SHIFT;
		return node->scope <= NAME_MASK;
	case KEYS_MEMBER:
		*out = (uint64_t)node->scope << SCOPE_SHIFT | node->entity;
		return node->scope <= NAME_MASK && node->entity <= NAME_MASK;
	case KEYS_NUMBER:
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
		if (keys_of(node.class) == KEYS_NUMBER) {
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
