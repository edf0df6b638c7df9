/*
 * The tree's own numbers of names. The store numbers names too, but anew when
 * an index is rebuilt, and a node that the kernel holds must go on meaning the
 * same; nor has the store a number for what does not exist yet. So the tree
 * counts for itself, and asks the store by the name's bytes, which is one hash
 * look-up. The table grows with names that exist or were created, never with
 * what was only asked for.
 */
#include "tree_internal.h"

#include <stdlib.h>

#include "name.h"

#define CHUNK_BYTES (64u << 10)

struct batfs_tree_chunk {
	struct batfs_tree_chunk *next;
	size_t used, size;
	uint8_t bytes[];
};

static bool
text_same(const void *context, uint32_t number, struct bat_slice key)
{
	const struct batfs_tree_names *names = context;

	return bat_bytes_equal(names->texts[number], key);
}

static uint64_t
text_hash(const void *context, uint32_t number)
{
	const struct batfs_tree_names *names = context;

	return bat_map_hash(names->texts[number]);
}

static bool
long_same(const void *context, uint32_t place, struct bat_slice key)
{
	const struct batfs_tree_longs *longs = context;

	return bat_bytes_equal(longs->items[place].tree_name, key);
}

static uint64_t
long_hash(const void *context, uint32_t place)
{
	const struct batfs_tree_longs *longs = context;

	return bat_map_hash(longs->items[place].tree_name);
}

void
batfs_tree_names_init(struct batfs_tree *tree)
{
	bat_map_init(&tree->names.numbers, &tree->names, text_same, text_hash);
	bat_map_init(&tree->longs.by_tree_name, &tree->longs, long_same,
	    long_hash);
	bat_map_init(&tree->parts.by_tree_name, &tree->parts, long_same,
	    long_hash);
}

void
batfs_tree_names_free(struct batfs_tree *tree)
{
	struct batfs_tree_chunk *chunk = tree->names.chunks;

	while (chunk != NULL) {
		struct batfs_tree_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
	free(tree->names.texts);
	bat_map_free(&tree->names.numbers);
	free(tree->longs.items);
	bat_map_free(&tree->longs.by_tree_name);
	free(tree->parts.items);
	bat_map_free(&tree->parts.by_tree_name);
	batfs_tree_pairs_free(tree);
}

/* ---- with the mutex --------------------------------------------------- */

/* A copy that stays where it is, with a NUL behind it. */
static int
keep_bytes(struct batfs_tree_names *names, struct bat_slice text,
    struct bat_slice *out)
{
	struct batfs_tree_chunk *chunk = names->chunks;
	size_t need = text.length + 1;

	if (chunk == NULL || chunk->size - chunk->used < need) {
		size_t size = need > CHUNK_BYTES ? need : CHUNK_BYTES;

		chunk = malloc(sizeof(*chunk) + size);
		if (chunk == NULL)
			return BAT_WORLD_NO_MEMORY;
		chunk->next = names->chunks;
		chunk->used = 0;
		chunk->size = size;
		names->chunks = chunk;
	}
	*out = bat_bytes_slice(chunk->bytes + chunk->used, text.length);
	if (text.length > 0)
		memcpy(chunk->bytes + chunk->used, text.data, text.length);
	chunk->bytes[chunk->used + text.length] = '\0';
	chunk->used += need;
	return BAT_OK;
}

static int
intern(struct batfs_tree_names *names, struct bat_slice text,
    uint32_t *out_number)
{
	uint32_t number = bat_map_find(&names->numbers, text);
	int code;

	if (number != BAT_MAP_NONE) {
		*out_number = number;
		return BAT_OK;
	}
	if (names->count == BATFS_TREE_NAMES_MAX)
		return BAT_WORLD_NO_MEMORY;
	if (names->count == names->capacity) {
		uint32_t wanted = names->capacity == 0 ? 64 :
							 names->capacity * 2;
		struct bat_slice *larger = realloc(names->texts,
		    wanted * sizeof(*larger));

		if (larger == NULL)
			return BAT_WORLD_NO_MEMORY;
		names->texts = larger;
		names->capacity = wanted;
	}
	code = keep_bytes(names, text, &names->texts[names->count]);
	if (code == BAT_OK)
		code = bat_map_put(&names->numbers, names->texts[names->count],
		    names->count);
	if (code == BAT_OK)
		*out_number = names->count++;
	return code;
}

/* ---- numbers ------------------------------------------------------------ */

int
batfs_tree_intern(struct batfs_tree *tree, struct bat_slice text,
    uint32_t *out_number)
{
	int code;

	pthread_mutex_lock(&tree->mutex);
	code = intern(&tree->names, text, out_number);
	pthread_mutex_unlock(&tree->mutex);
	return code;
}

void
batfs_tree_expect_names(struct batfs_tree *tree)
{
	struct bat_head head;

	bat_head(tree->store, &head);
	pthread_mutex_lock(&tree->mutex);
	(void)bat_map_reserve(&tree->names.numbers, head.entity_count);
	pthread_mutex_unlock(&tree->mutex);
}

uint32_t
batfs_tree_number_of(struct batfs_tree *tree, struct bat_slice text)
{
	uint32_t number;

	pthread_mutex_lock(&tree->mutex);
	number = bat_map_find(&tree->names.numbers, text);
	pthread_mutex_unlock(&tree->mutex);
	return number;
}

struct bat_slice
batfs_tree_text(struct batfs_tree *tree, uint32_t number)
{
	struct bat_slice text = BAT_SLICE_EMPTY;

	pthread_mutex_lock(&tree->mutex);
	if (number < tree->names.count)
		text = tree->names.texts[number];
	pthread_mutex_unlock(&tree->mutex);
	return text;
}

uint32_t
batfs_tree_store_entity(struct batfs_tree *tree, uint32_t entity)
{
	struct bat_list list = { .kind = BAT_LIST_ENTITY,
		.entity = batfs_tree_noted(tree, entity) };

	if (list.entity != BAT_MAP_NONE &&
	    bat_list_count(tree->store, &list) > 0)
		return list.entity;
	return bat_find_entity(tree->store, batfs_tree_text(tree, entity));
}

uint32_t
batfs_tree_store_scope(struct batfs_tree *tree, uint32_t scope)
{
	uint32_t number = batfs_tree_noted(tree, scope);

	if (number != BAT_MAP_NONE && bat_scope_size(tree->store, number) > 0)
		return number;
	return bat_find_scope(tree->store, batfs_tree_text(tree, scope));
}

/* ---- shortened names ------------------------------------------------------ */

static int
add_long(struct batfs_tree *tree, struct batfs_tree_longs *longs,
    struct bat_slice stored, struct bat_buf *buf)
{
	struct batfs_tree_long item;
	int code;

	/* One byte becomes three at the most. */
	if (stored.length * 3 <= BATFS_NAME_MAX || !batfs_name_is_long(stored))
		return BAT_OK;
	bat_bytes_clear(buf);
	code = batfs_name_encode(stored, buf);
	if (code != BAT_OK ||
	    bat_map_find(&longs->by_tree_name, bat_bytes_of_buf(buf)) !=
		BAT_MAP_NONE)
		return code;
	code = intern(&tree->names, stored, &item.number);
	if (code == BAT_OK)
		code = keep_bytes(&tree->names, bat_bytes_of_buf(buf),
		    &item.tree_name);
	if (code != BAT_OK)
		return code;
	if (longs->count == longs->capacity) {
		uint32_t wanted = longs->capacity == 0 ? 16 :
							 longs->capacity * 2;
		struct batfs_tree_long *larger = realloc(longs->items,
		    wanted * sizeof(*larger));

		if (larger == NULL)
			return BAT_WORLD_NO_MEMORY;
		longs->items = larger;
		longs->capacity = wanted;
	}
	longs->items[longs->count] = item;
	code = bat_map_put(&longs->by_tree_name, item.tree_name, longs->count);
	if (code == BAT_OK)
		longs->count++;
	return code;
}

/* Look through the names that the store has got since the last time. In a new
 * generation its positions mean something else: all of them again. */
static int
learn_longs(struct batfs_tree *tree, uint64_t generation)
{
	struct batfs_tree_longs *longs = &tree->longs;
	struct bat_buf buf = BAT_BUF_EMPTY;
	uint32_t number;
	int code = BAT_OK;

	if (longs->generation != generation)
		longs->entities_seen = longs->scopes_seen = 0;
	longs->generation = generation;
	while (code == BAT_OK &&
	    (number = bat_entity_at(tree->store, longs->entities_seen)) !=
		BAT_MAP_NONE) {
		code = add_long(tree, longs, bat_name(tree->store, number),
		    &buf);
		longs->entities_seen += code == BAT_OK;
	}
	while (code == BAT_OK &&
	    (number = bat_scope_at(tree->store, longs->scopes_seen)) !=
		BAT_MAP_NONE) {
		code = add_long(tree, longs, bat_name(tree->store, number),
		    &buf);
		longs->scopes_seen += code == BAT_OK;
	}
	bat_bytes_free(&buf);
	return code;
}

/* With the mutex. */
static int
find_long(struct batfs_tree *tree, const struct batfs_tree_longs *longs,
    struct bat_slice name, struct bat_buf *buf)
{
	uint32_t place = bat_map_find(&longs->by_tree_name, name);

	if (place == BAT_MAP_NONE)
		return BAT_STATE_NOT_FOUND;
	return bat_bytes_append_slice(buf,
	    tree->names.texts[longs->items[place].number]);
}

int
batfs_tree_stored_name(struct batfs_tree *tree, struct bat_slice name,
    struct bat_buf *buf)
{
	uint64_t generation;
	int code;

	if (!batfs_name_looks_shortened(name))
		return batfs_name_decode(name, buf);
	generation = batfs_tree_generation(tree);
	pthread_mutex_lock(&tree->mutex);
	code = learn_longs(tree, generation);
	if (code == BAT_OK)
		code = find_long(tree, &tree->longs, name, buf);
	pthread_mutex_unlock(&tree->mutex);
	return code;
}

int
batfs_tree_stored_part(struct batfs_tree *tree, struct bat_slice name,
    struct bat_buf *buf)
{
	int code;

	if (!batfs_name_looks_shortened(name))
		return batfs_name_decode(name, buf);
	pthread_mutex_lock(&tree->mutex);
	code = find_long(tree, &tree->parts, name, buf);
	pthread_mutex_unlock(&tree->mutex);
	return code;
}

int
batfs_tree_learn_part(struct batfs_tree *tree, struct bat_slice part)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	int code;

	/* One byte becomes three at the most. */
	if (part.length * 3 <= BATFS_NAME_MAX)
		return BAT_OK;
	pthread_mutex_lock(&tree->mutex);
	code = add_long(tree, &tree->parts, part, &buf);
	pthread_mutex_unlock(&tree->mutex);
	bat_bytes_free(&buf);
	return code;
}
