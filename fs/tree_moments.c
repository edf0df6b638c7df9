/*
 * Which event a time falls before. Times of events need not rise in the order
 * of sequences (clocks are set back), so what is looked for is the first event
 * that is later than a time. The greatest time so far does rise: it is kept for
 * every 256th event, 8 bytes each, made when somebody first asks and then kept
 * up with; the rest is looked through.
 */
#include "tree_internal.h"

#include <stdlib.h>

#define BLOCK 256u

void
batfs_tree_moments_init(struct batfs_tree *tree)
{
	pthread_mutex_init(&tree->moments.mutex, NULL);
}

void
batfs_tree_moments_free(struct batfs_tree *tree)
{
	free(tree->moments.greatest);
	pthread_mutex_destroy(&tree->moments.mutex);
}

/* The first visible event from `from` to before `to` that is later than
 * wall_ms; and *greatest, may be NULL, raised to the greatest time seen. */
static uint32_t
look_through(struct batfs_tree *tree, uint32_t from, uint32_t to,
    uint64_t wall_ms, uint64_t *greatest)
{
	for (uint32_t i = from; i < to; i++) {
		struct bat_row row;

		if (!bat_row(tree->store, i, &row))
			continue;
		if (row.wall_ms > wall_ms)
			return i;
		if (greatest != NULL && row.wall_ms > *greatest)
			*greatest = row.wall_ms;
	}
	return BAT_MAP_NONE;
}

/* Whole blocks that came since the last time. */
static int
learn(struct batfs_tree *tree, const struct bat_head *head)
{
	struct batfs_tree_moments *moments = &tree->moments;
	uint32_t wanted = head->ordinals / BLOCK;

	if (moments->generation != head->generation)
		moments->count = 0;
	moments->generation = head->generation;
	if (wanted > moments->capacity) {
		uint32_t capacity = wanted + wanted / 4;
		uint64_t *larger = reallocarray(moments->greatest, capacity,
		    sizeof(*larger));

		if (larger == NULL)
			return BAT_WORLD_NO_MEMORY;
		moments->greatest = larger;
		moments->capacity = capacity;
	}
	for (; moments->count < wanted; moments->count++) {
		uint32_t at = moments->count;
		uint64_t greatest = at == 0 ? 0 : moments->greatest[at - 1];

		look_through(tree, at * BLOCK, (at + 1) * BLOCK, UINT64_MAX,
		    &greatest);
		moments->greatest[at] = greatest;
	}
	return BAT_OK;
}

/* The first block in which something is later. */
static uint32_t
find_block(const struct batfs_tree_moments *moments, uint64_t wall_ms)
{
	uint32_t low = 0, high = moments->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (moments->greatest[middle] > wall_ms)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

int
batfs_tree_first_later(struct batfs_tree *tree, uint64_t wall_ms,
    uint32_t *out_ordinal)
{
	struct bat_head head;
	uint32_t block = 0;
	int code;

	bat_head(tree->store, &head);
	pthread_mutex_lock(&tree->moments.mutex);
	code = learn(tree, &head);
	if (code == BAT_OK)
		block = find_block(&tree->moments, wall_ms);
	pthread_mutex_unlock(&tree->moments.mutex);
	if (code == BAT_OK)
		*out_ordinal = look_through(tree, block * BLOCK, head.ordinals,
		    wall_ms, NULL);
	return code;
}
