/*
 * What was created and has no event yet: empty files and scopes that mkdir
 * made. They live until unmount, unless rmdir takes them or their first event
 * makes them real; then the store tells of them and they are dropped here, by
 * and by. Their cookies are ordinals of their own, never used twice.
 */
#include "tree_internal.h"

#include <stdlib.h>

/* Not before there are so many, and then each time they doubled. */
#define SWEEP_MIN 256

/* What the map compares: the class and the names. */
struct pending_key {
	uint32_t words[3];
};

static struct pending_key
key_of(const struct batfs_node *node)
{
	return (struct pending_key){ { (uint32_t)node->class, node->scope,
	    node->entity } };
}

static bool
same(const void *context, uint32_t place, struct bat_slice key)
{
	const struct batfs_tree_pendings *pendings = context;
	struct pending_key own = key_of(&pendings->items[place].node);

	return bat_bytes_equal(bat_bytes_slice(&own, sizeof(own)), key);
}

static uint64_t
hash_of(const void *context, uint32_t place)
{
	const struct batfs_tree_pendings *pendings = context;
	struct pending_key own = key_of(&pendings->items[place].node);

	return bat_map_hash(bat_bytes_slice(&own, sizeof(own)));
}

void
batfs_tree_pending_init(struct batfs_tree *tree)
{
	bat_map_init(&tree->pendings.by_node, &tree->pendings, same, hash_of);
	tree->pendings.sweep_at = SWEEP_MIN;
}

void
batfs_tree_pending_free(struct batfs_tree *tree)
{
	free(tree->pendings.items);
	bat_map_free(&tree->pendings.by_node);
}

/* ---- with the mutex --------------------------------------------------- */

static struct batfs_tree_pending *
find(const struct batfs_tree_pendings *pendings, const struct batfs_node *node)
{
	struct pending_key key = key_of(node);
	uint32_t place = bat_map_find(&pendings->by_node,
	    bat_bytes_slice(&key, sizeof(key)));

	return place == BAT_MAP_NONE ? NULL : &pendings->items[place];
}

/* Where the items with this ordinal and above begin. */
static uint32_t
place_from(const struct batfs_tree_pendings *pendings, uint64_t ordinal)
{
	uint32_t low = 0, high = pendings->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (pendings->items[middle].ordinal < ordinal)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Out of sight: no node looked for has this class. Its slot in the map stays
 * until the next packing. */
static void
drop(struct batfs_tree_pending *item)
{
	item->node.class = BATFS_NONE;
}

/* Take out what was dropped. The map has no removal, so it is made anew;
 * without memory for that all stays as it is. */
static void
pack(struct batfs_tree_pendings *pendings)
{
	struct bat_map fresh;
	uint32_t kept = 0;

	bat_map_init(&fresh, pendings, same, hash_of);
	if (bat_map_reserve(&fresh, pendings->count) != BAT_OK)
		return;
	for (uint32_t i = 0; i < pendings->count; i++) {
		struct pending_key key = key_of(&pendings->items[i].node);

		if (pendings->items[i].node.class == BATFS_NONE)
			continue;
		pendings->items[kept] = pendings->items[i];
		/* There is room: this cannot fail. */
		(void)bat_map_put(&fresh, bat_bytes_slice(&key, sizeof(key)),
		    kept++);
	}
	pendings->count = kept;
	bat_map_free(&pendings->by_node);
	pendings->by_node = fresh;
}

static int
append(struct batfs_tree_pendings *pendings, const struct batfs_node *node)
{
	struct pending_key key = key_of(node);
	int code;

	if (pendings->count == pendings->capacity) {
		uint32_t wanted = pendings->capacity == 0 ?
		    16 :
		    pendings->capacity * 2;
		struct batfs_tree_pending *larger = realloc(pendings->items,
		    wanted * sizeof(*larger));

		if (larger == NULL)
			return BAT_WORLD_NO_MEMORY;
		pendings->items = larger;
		pendings->capacity = wanted;
	}
	pendings->items[pendings->count] = (struct batfs_tree_pending){
		.ordinal = pendings->next_ordinal,
		.node = *node,
	};
	code = bat_map_put(&pendings->by_node,
	    bat_bytes_slice(&key, sizeof(key)), pendings->count);
	if (code != BAT_OK)
		return code;
	pendings->count++;
	pendings->next_ordinal++;
	return BAT_OK;
}

/* ---- sweeping ----------------------------------------------------------- */

bool
batfs_tree_is_real(struct batfs_tree *tree, const struct batfs_node *node)
{
	if (node->class == BATFS_ENTITY)
		return batfs_tree_has_begun(tree, node,
		    batfs_tree_store_entity(tree, node->entity));
	if (node->class == BATFS_SCOPE)
		return batfs_tree_scope_has_begun(tree, node,
		    batfs_tree_store_scope(tree, node->scope));
	if (node->class != BATFS_MEMBER)
		return false;
	return batfs_tree_member_has_begun(tree, node,
	    batfs_tree_store_entity(tree, node->entity),
	    batfs_tree_store_scope(tree, node->scope));
}

/*
 * Drop what is real by now. The store is asked without the mutex, over a copy;
 * what was added or dropped meanwhile is found again by its ordinal.
 */
static void
sweep(struct batfs_tree *tree)
{
	struct batfs_tree_pendings *pendings = &tree->pendings;
	struct batfs_tree_pending *copy;
	uint32_t count;

	pthread_mutex_lock(&tree->mutex);
	count = pendings->count;
	copy = count < pendings->sweep_at ? NULL :
					    malloc(count * sizeof(*copy));
	if (copy != NULL)
		memcpy(copy, pendings->items, count * sizeof(*copy));
	pthread_mutex_unlock(&tree->mutex);
	if (copy == NULL)
		return;
	for (uint32_t i = 0; i < count; i++)
		if (batfs_tree_is_real(tree, &copy[i].node))
			drop(&copy[i]);
	pthread_mutex_lock(&tree->mutex);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t place = place_from(pendings, copy[i].ordinal);

		if (copy[i].node.class == BATFS_NONE &&
		    place < pendings->count &&
		    pendings->items[place].ordinal == copy[i].ordinal)
			drop(&pendings->items[place]);
	}
	pack(pendings);
	pendings->sweep_at = pendings->count < SWEEP_MIN / 2 ?
	    SWEEP_MIN :
	    pendings->count * 2;
	pthread_mutex_unlock(&tree->mutex);
	free(copy);
}

/* ---- what the others call ------------------------------------------------ */

bool
batfs_tree_pending_has(struct batfs_tree *tree, const struct batfs_node *node)
{
	bool has;

	pthread_mutex_lock(&tree->mutex);
	has = node->at == 0 && find(&tree->pendings, node) != NULL;
	pthread_mutex_unlock(&tree->mutex);
	return has;
}

int
batfs_tree_pending_add(struct batfs_tree *tree, const struct batfs_node *node)
{
	int code = BAT_OK;

	sweep(tree);
	pthread_mutex_lock(&tree->mutex);
	if (find(&tree->pendings, node) == NULL)
		code = append(&tree->pendings, node);
	pthread_mutex_unlock(&tree->mutex);
	return code;
}

void
batfs_tree_pending_drop(struct batfs_tree *tree, const struct batfs_node *node)
{
	struct batfs_tree_pending *item;

	pthread_mutex_lock(&tree->mutex);
	item = find(&tree->pendings, node);
	if (item != NULL)
		drop(item);
	pthread_mutex_unlock(&tree->mutex);
}

static bool
is_listed_in(const struct batfs_node *node, const struct batfs_node *parent)
{
	if (parent->class == BATFS_SCOPE)
		return node->class == BATFS_MEMBER &&
		    node->scope == parent->scope;
	return (parent->class == BATFS_ENTITIES &&
		   node->class == BATFS_ENTITY) ||
	    (parent->class == BATFS_SCOPES && node->class == BATFS_SCOPE);
}

bool
batfs_tree_pending_next(struct batfs_tree *tree,
    const struct batfs_node *parent, uint64_t *ordinal, struct batfs_node *out)
{
	const struct batfs_tree_pendings *pendings = &tree->pendings;
	bool found = false;
	uint32_t i;

	pthread_mutex_lock(&tree->mutex);
	for (i = place_from(pendings, *ordinal); i < pendings->count && !found;
	     i++) {
		found = is_listed_in(&pendings->items[i].node, parent);
		if (!found)
			continue;
		*out = pendings->items[i].node;
		*ordinal = pendings->items[i].ordinal;
	}
	pthread_mutex_unlock(&tree->mutex);
	return found;
}
