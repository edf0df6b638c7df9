/*
 * The tree's own numbers of names beside those of the store. Each finds the
 * other by the name's bytes; who lists with attributes asks for both of every
 * name, several times, and the store's table of names may stand in a file. So
 * pairs are noted as a listing meets them, 8 bytes a name, and are right as
 * long as the generation.
 */
#include "tree_internal.h"

#include <stdlib.h>

void
batfs_tree_pairs_free(struct batfs_tree *tree)
{
	free(tree->pairs.to_tree);
	free(tree->pairs.to_store);
}

/* ---- with the mutex ------------------------------------------------------- */

/* The number + 1 in one of the two tables; 0: not noted. */
static uint32_t *
place(struct batfs_tree_pairs *pairs, uint32_t *table, uint32_t number)
{
	return number < pairs->capacity ? &table[number] : NULL;
}

static bool
make_room(struct batfs_tree_pairs *pairs, uint32_t number)
{
	uint32_t wanted = pairs->capacity == 0 ? 1024 : pairs->capacity * 2;
	uint32_t *to_tree, *to_store;

	if (number < pairs->capacity)
		return true;
	while (wanted <= number)
		wanted *= 2;
	to_tree = realloc(pairs->to_tree, wanted * sizeof(*to_tree));
	if (to_tree == NULL)
		return false;
	pairs->to_tree = to_tree;
	to_store = realloc(pairs->to_store, wanted * sizeof(*to_store));
	if (to_store == NULL)
		return false;
	pairs->to_store = to_store;
	memset(to_tree + pairs->capacity, 0,
	    (wanted - pairs->capacity) * sizeof(*to_tree));
	memset(to_store + pairs->capacity, 0,
	    (wanted - pairs->capacity) * sizeof(*to_store));
	pairs->capacity = wanted;
	return true;
}

/* What was noted in another generation is nothing any more. */
static void
begin(struct batfs_tree_pairs *pairs, uint64_t generation)
{
	if (pairs->generation == generation)
		return;
	pairs->generation = generation;
	if (pairs->capacity > 0) {
		memset(pairs->to_tree, 0,
		    pairs->capacity * sizeof(*pairs->to_tree));
		memset(pairs->to_store, 0,
		    pairs->capacity * sizeof(*pairs->to_store));
	}
}

/* ---- noting and finding ------------------------------------------------- */

int
batfs_tree_intern_stored(struct batfs_tree *tree, uint32_t store_number,
    uint32_t *out_number)
{
	struct batfs_tree_pairs *pairs = &tree->pairs;
	uint64_t generation = batfs_tree_generation(tree);
	uint32_t *to_tree;
	struct bat_slice name;
	int code;

	pthread_mutex_lock(&tree->mutex);
	begin(pairs, generation);
	to_tree = place(pairs, pairs->to_tree, store_number);
	if (to_tree != NULL && *to_tree != 0) {
		*out_number = *to_tree - 1;
		pthread_mutex_unlock(&tree->mutex);
		return BAT_OK;
	}
	pthread_mutex_unlock(&tree->mutex);
	name = bat_name(tree->store, store_number);
	code = batfs_tree_intern(tree, name, out_number);
	if (code != BAT_OK)
		return code;
	/* Was that the name in this generation? Without memory nothing is
	 * noted, which costs time only. */
	if (batfs_tree_generation(tree) != generation)
		return BAT_OK;
	pthread_mutex_lock(&tree->mutex);
	begin(pairs, generation);
	if (make_room(pairs, store_number) && make_room(pairs, *out_number)) {
		pairs->to_tree[store_number] = *out_number + 1;
		pairs->to_store[*out_number] = store_number + 1;
	}
	pthread_mutex_unlock(&tree->mutex);
	return BAT_OK;
}

uint32_t
batfs_tree_noted(struct batfs_tree *tree, uint32_t number)
{
	struct batfs_tree_pairs *pairs = &tree->pairs;
	uint64_t generation = batfs_tree_generation(tree);
	uint32_t *to_store, found = 0;

	pthread_mutex_lock(&tree->mutex);
	to_store = pairs->generation == generation || BAT_PLANT(376) ?
	    place(pairs, pairs->to_store, number) :
	    NULL;
	if (to_store != NULL)
		found = *to_store;
	pthread_mutex_unlock(&tree->mutex);
	return found != 0 ? found - 1 : BAT_MAP_NONE;
}
