/*
 * The parts of the names of entities: what by/name is made of. Which folders
 * there are is found out when somebody first looks, 24 bytes for each name and
 * each of its beginnings, and then kept up with. No text is copied: a folder is
 * called what an entity below it begins with.
 */
#include "tree_internal.h"

#include <stdlib.h>

/* ---- with the mutex -------------------------------------------------------- */

static struct bat_slice
name_of(const struct batfs_tree *tree, const struct batfs_tree_space *space)
{
	uint32_t number = space->entity != BAT_MAP_NONE ? space->entity :
							  space->below;
	struct bat_slice name = bat_name(tree->store, number);

	return bat_bytes_slice(name.data, space->length);
}

static bool
space_same(const void *context, uint32_t number, struct bat_slice key)
{
	const struct batfs_tree *tree = context;

	return bat_bytes_equal(name_of(tree, &tree->spaces.items[number]), key);
}

static uint64_t
space_hash(const void *context, uint32_t number)
{
	const struct batfs_tree *tree = context;

	return bat_map_hash(name_of(tree, &tree->spaces.items[number]));
}

static void
forget(struct batfs_tree *tree)
{
	struct batfs_tree_spaces *spaces = &tree->spaces;

	free(spaces->items);
	spaces->items = NULL;
	spaces->count = spaces->capacity = spaces->seen = 0;
	bat_map_free(&spaces->by_name);
	bat_map_init(&spaces->by_name, tree, space_same, space_hash);
}

static int
push(struct batfs_tree_spaces *spaces, struct batfs_tree_space space)
{
	if (spaces->count == spaces->capacity) {
		uint32_t wanted = spaces->capacity + spaces->capacity / 2 + 64;
		struct batfs_tree_space *larger = reallocarray(spaces->items,
		    wanted, sizeof(*larger));

		if (larger == NULL)
			return BAT_WORLD_NO_MEMORY;
		spaces->items = larger;
		spaces->capacity = wanted;
	}
	spaces->items[spaces->count++] = space;
	return BAT_OK;
}

/* The part of a name at an offset; *out_end is behind it. */
static struct bat_slice
part_at(struct bat_slice name, uint32_t start, uint32_t *out_end)
{
	const uint8_t *colon = start == name.length ?
	    NULL :
	    memchr(name.data + start, ':', name.length - start);

	*out_end = colon == NULL ? (uint32_t)name.length :
				   (uint32_t)(colon - name.data);
	return bat_bytes_slice(name.data + start, *out_end - start);
}

/* The space of what a name begins with, below parent; made if need be. */
static int
obtain(struct batfs_tree *tree, uint32_t parent, struct bat_slice name,
    uint32_t entity, uint32_t *out)
{
	struct batfs_tree_spaces *spaces = &tree->spaces;
	struct batfs_tree_space *above;
	uint32_t number = bat_map_find(&spaces->by_name, name);
	int code;

	*out = number;
	if (number != BAT_MAP_NONE)
		return BAT_OK;
	/* `below` lends its name until the entity or another is known. */
	code = push(spaces,
	    (struct batfs_tree_space){
		.entity = BAT_MAP_NONE,
		.below = entity,
		.length = (uint32_t)name.length,
	    });
	if (code != BAT_OK)
		return code;
	number = spaces->count - 1;
	code = bat_map_put(&spaces->by_name, name, number);
	if (code != BAT_OK) {
		spaces->count--;
		return code;
	}
	above = &spaces->items[parent];
	if (above->last != 0)
		spaces->items[above->last].next = number;
	else
		above->first = number;
	above->last = number;
	*out = number;
	return BAT_OK;
}

/*
 * Put an entity below each part of its name. Once more after a failure halfway
 * it comes to the same.
 */
static int
add(struct batfs_tree *tree, uint32_t entity)
{
	struct batfs_tree_spaces *spaces = &tree->spaces;
	struct bat_slice name = bat_name(tree->store, entity), part;
	uint32_t at = 0, end = 0, number = 0;
	int code;

	for (uint32_t start = 0;; start = end + 1) {
		struct batfs_tree_space *space;
		bool whole;

		part = part_at(name, start, &end);
		whole = end == name.length;
		code = batfs_tree_learn_part(tree, part);
		if (code == BAT_OK)
			code = obtain(tree, at, bat_bytes_slice(name.data, end),
			    entity, &number);
		if (code != BAT_OK)
			return code;
		space = &spaces->items[number];
		if (whole) {
			space->entity = entity;
			if (space->below == entity)
				space->below = BAT_MAP_NONE;
			return BAT_OK;
		}
		if (space->below == BAT_MAP_NONE)
			space->below = entity;
		at = number;
	}
}

static int
learn(struct batfs_tree *tree)
{
	struct batfs_tree_spaces *spaces = &tree->spaces;
	struct bat_head head;
	uint32_t entity;
	int code = BAT_OK;

	bat_head(tree->store, &head);
	if (spaces->generation != head.generation)
		forget(tree);
	spaces->generation = head.generation;
	/* At once for all: else each step of growing hashes all names again. */
	if (spaces->count == 0)
		code = bat_map_reserve(&spaces->by_name, head.entity_count);
	if (code == BAT_OK && spaces->count == 0)
		code = push(spaces,
		    (struct batfs_tree_space){
			.entity = BAT_MAP_NONE,
			.below = BAT_MAP_NONE,
		    });
	while (code == BAT_OK &&
	    (entity = bat_entity_at(tree->store, spaces->seen)) !=
		BAT_MAP_NONE) {
		code = add(tree, entity);
		spaces->seen += code == BAT_OK;
	}
	return code;
}

/* ---- what the others call --------------------------------------------------- */

void
batfs_tree_spaces_init(struct batfs_tree *tree)
{
	pthread_mutex_init(&tree->spaces.mutex, NULL);
	bat_map_init(&tree->spaces.by_name, tree, space_same, space_hash);
}

void
batfs_tree_spaces_free(struct batfs_tree *tree)
{
	free(tree->spaces.items);
	bat_map_free(&tree->spaces.by_name);
	pthread_mutex_destroy(&tree->spaces.mutex);
}

int
batfs_tree_space_at(struct batfs_tree *tree, uint32_t number,
    struct batfs_tree_space *out)
{
	struct batfs_tree_spaces *spaces = &tree->spaces;
	int code;

	pthread_mutex_lock(&spaces->mutex);
	code = learn(tree);
	if (code == BAT_OK && number >= spaces->count)
		code = BAT_STATE_NOT_FOUND;
	if (code == BAT_OK)
		*out = spaces->items[number];
	pthread_mutex_unlock(&spaces->mutex);
	return code;
}

int
batfs_tree_space_find(struct batfs_tree *tree, struct bat_slice name,
    struct batfs_tree_space *out)
{
	struct batfs_tree_spaces *spaces = &tree->spaces;
	uint32_t number;
	int code;

	pthread_mutex_lock(&spaces->mutex);
	code = learn(tree);
	number = bat_map_find(&spaces->by_name, name);
	if (code == BAT_OK && number == BAT_MAP_NONE)
		code = BAT_STATE_NOT_FOUND;
	if (code == BAT_OK)
		*out = spaces->items[number];
	pthread_mutex_unlock(&spaces->mutex);
	return code;
}

struct bat_slice
batfs_tree_space_name(struct batfs_tree *tree,
    const struct batfs_tree_space *space)
{
	return name_of(tree, space);
}

struct batfs_node
batfs_tree_space_above(struct batfs_tree *tree, const struct batfs_node *node)
{
	struct batfs_node parent = batfs_tree_child(node, BATFS_BY_NAMES);
	struct bat_slice name = batfs_tree_text(tree, node->entity);

	parent.entity = 0;
	while (name.length > 0)
		if (name.data[--name.length] == ':') {
			/* Who came to the node came through there. */
			parent.class = BATFS_BY_PART;
			parent.entity = batfs_tree_number_of(tree, name);
			break;
		}
	return parent;
}
