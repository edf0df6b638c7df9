/*
 * The events of each kind, which the store keeps no list of: 4 bytes an event,
 * made when somebody first asks for a kind and then kept up with.
 */
#include "tree_internal.h"

#include <stdlib.h>

#define KIND_COUNT 65536

/* The ordinals of a kind's events, rising. */
struct batfs_tree_kind {
	uint16_t kind;
	uint32_t *ordinals;
	uint32_t count, capacity;
};

void
batfs_tree_kinds_init(struct batfs_tree *tree)
{
	pthread_mutex_init(&tree->kinds.mutex, NULL);
}

/* ---- with the mutex -------------------------------------------------------- */

static void
forget(struct batfs_tree_kinds *kinds)
{
	for (uint32_t i = 0; i < kinds->count; i++)
		free(kinds->lists[i].ordinals);
	free(kinds->lists);
	free(kinds->places);
	kinds->lists = NULL;
	kinds->places = NULL;
	kinds->count = kinds->capacity = kinds->seen = 0;
}

/* Where a kind's list is, made if need be; NULL: no memory. */
static struct batfs_tree_kind *
obtain(struct batfs_tree_kinds *kinds, uint16_t kind)
{
	uint32_t *place = &kinds->places[kind];

	if (*place != 0)
		return &kinds->lists[*place - 1];
	if (kinds->count == kinds->capacity) {
		uint32_t wanted = kinds->capacity == 0 ? 8 :
							 kinds->capacity * 2;
		struct batfs_tree_kind *larger = reallocarray(kinds->lists,
		    wanted, sizeof(*larger));

		if (larger == NULL)
			return NULL;
		kinds->lists = larger;
		kinds->capacity = wanted;
	}
	kinds->lists[kinds->count] = (struct batfs_tree_kind){ .kind = kind };
	*place = ++kinds->count;
	return &kinds->lists[*place - 1];
}

static int
add(struct batfs_tree_kinds *kinds, uint16_t kind, uint32_t ordinal)
{
	struct batfs_tree_kind *list = obtain(kinds, kind);

	if (list == NULL)
		return BAT_WORLD_NO_MEMORY;
	if (list->count == list->capacity) {
		uint32_t wanted = list->capacity + list->capacity / 2 + 16;
		uint32_t *larger = reallocarray(list->ordinals, wanted,
		    sizeof(*larger));

		if (larger == NULL)
			return BAT_WORLD_NO_MEMORY;
		list->ordinals = larger;
		list->capacity = wanted;
	}
	list->ordinals[list->count++] = ordinal;
	return BAT_OK;
}

/* Look through what came since the last time; all of it in a new generation.
 * Damaged places that no index tells of have no kind. */
static int
learn(struct batfs_tree *tree)
{
	struct batfs_tree_kinds *kinds = &tree->kinds;
	struct bat_head head;
	int code = BAT_OK;

	bat_head(tree->store, &head);
	if (kinds->generation != head.generation)
		forget(kinds);
	kinds->generation = head.generation;
	if (kinds->places == NULL)
		kinds->places = calloc(KIND_COUNT, sizeof(*kinds->places));
	if (kinds->places == NULL)
		return BAT_WORLD_NO_MEMORY;
	while (code == BAT_OK && kinds->seen < head.ordinals) {
		struct bat_row row;

		if (bat_row(tree->store, kinds->seen, &row) &&
		    row.entity != BAT_MAP_NONE)
			code = add(kinds, bat_kind_mapped(row.kind),
			    kinds->seen);
		kinds->seen += code == BAT_OK;
	}
	return code;
}

static const struct batfs_tree_kind *
find(const struct batfs_tree_kinds *kinds, uint16_t kind)
{
	uint32_t place = kinds->places[kind];

	return place == 0 ? NULL : &kinds->lists[place - 1];
}

/* ---- what the others call --------------------------------------------------- */

void
batfs_tree_kinds_free(struct batfs_tree *tree)
{
	forget(&tree->kinds);
	pthread_mutex_destroy(&tree->kinds.mutex);
}

int
batfs_tree_kind_next(struct batfs_tree *tree, uint16_t kind, uint64_t *cursor,
    uint32_t *ordinals, size_t max, size_t *out_count)
{
	const struct batfs_tree_kind *list = NULL;
	size_t count = 0;
	int code;

	pthread_mutex_lock(&tree->kinds.mutex);
	code = learn(tree);
	if (code == BAT_OK)
		list = find(&tree->kinds, kind);
	for (; list != NULL && count < max && *cursor < list->count;
	     (*cursor)++)
		ordinals[count++] = list->ordinals[*cursor];
	pthread_mutex_unlock(&tree->kinds.mutex);
	*out_count = count;
	return code;
}

int
batfs_tree_kind_at(struct batfs_tree *tree, uint64_t position, uint16_t *out)
{
	const struct batfs_tree_kinds *kinds = &tree->kinds;
	int code;

	pthread_mutex_lock(&tree->kinds.mutex);
	code = learn(tree);
	if (code == BAT_OK && position >= kinds->count)
		code = BAT_END;
	if (code == BAT_OK)
		*out = kinds->lists[position].kind;
	pthread_mutex_unlock(&tree->kinds.mutex);
	return code;
}

/* How many of a list stand below an ordinal. */
static uint32_t
count_before(const struct batfs_tree_kind *list, uint32_t before)
{
	uint32_t low = 0, high = list->count;

	while (before != 0 && low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (list->ordinals[middle] < before)
			low = middle + 1;
		else
			high = middle;
	}
	return high;
}

int
batfs_tree_kind_ends(struct batfs_tree *tree, uint16_t kind, uint32_t before,
    struct batfs_tree_ends *out)
{
	const struct batfs_tree_kind *list = NULL;
	int code;

	*out = (struct batfs_tree_ends){ .count = 0 };
	pthread_mutex_lock(&tree->kinds.mutex);
	code = learn(tree);
	if (code == BAT_OK)
		list = find(&tree->kinds, kind);
	if (list != NULL) {
		uint32_t count = count_before(list, before);

		*out = (struct batfs_tree_ends){
			.count = count,
			.first = list->ordinals[0],
			.last = list->ordinals[count > 0 ? count - 1 : 0],
		};
	}
	pthread_mutex_unlock(&tree->kinds.mutex);
	return code == BAT_OK && out->count == 0 ? BAT_STATE_NOT_FOUND : code;
}
