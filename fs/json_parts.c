#include "json_parts.h"

#include <stdlib.h>

/* Up to here each key is compared with each; beyond, they are sorted. */
#define COMPARED_ALL 12

enum batfs_json_tag
batfs_json_parts_tag(struct bat_slice key)
{
	static const struct {
		const char *name;
		enum batfs_json_tag tag;
	} names[] = {
		{ "bin", BATFS_JSON_TAG_BIN },
		{ "ext", BATFS_JSON_TAG_EXT },
		{ "map", BATFS_JSON_TAG_MAP },
		{ "float", BATFS_JSON_TAG_FLOAT },
		{ "str", BATFS_JSON_TAG_STR },
	};
	size_t dollars = 0;
	struct bat_slice name;

	while (dollars < key.length && key.data[dollars] == '$')
		dollars++;
	if (dollars == 0 || dollars == key.length)
		return BATFS_JSON_TAG_NONE;
	name = bat_bytes_slice(key.data + dollars, key.length - dollars);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (bat_bytes_equal(name, bat_bytes_text(names[i].name)))
			return dollars == 1 ? names[i].tag :
					      BATFS_JSON_TAG_ESCAPED;
	}
	return BATFS_JSON_TAG_NONE;
}

void
batfs_json_parts_init(struct batfs_json_keys *keys)
{
	keys->items = keys->first_items;
	keys->count = 0;
	keys->capacity = sizeof(keys->first_items) / sizeof(*keys->first_items);
}

void
batfs_json_parts_free(struct batfs_json_keys *keys)
{
	if (keys->items != keys->first_items)
		free(keys->items);
	keys->items = NULL;
}

static int
grow(struct batfs_json_keys *keys)
{
	size_t capacity = 2 * keys->capacity;
	struct batfs_json_key *items = NULL;

	if (capacity > SIZE_MAX / sizeof(*items))
		return BAT_WORLD_NO_MEMORY;
	if (keys->items != keys->first_items)
		items = keys->items;
	items = realloc(items, capacity * sizeof(*items));
	if (items == NULL)
		return BAT_WORLD_NO_MEMORY;
	if (keys->items == keys->first_items)
		memcpy(items, keys->first_items, sizeof(keys->first_items));
	keys->items = items;
	keys->capacity = capacity;
	return 0;
}

int
batfs_json_parts_push(struct batfs_json_keys *keys, struct batfs_json_key key)
{
	if (keys->count == keys->capacity) {
		int code = grow(keys);

		if (code != 0)
			return code;
	}
	keys->items[keys->count++] = key;
	return 0;
}

/* Any order in which equal ones meet will do: length first is cheap. */
static int
compare(const void *a, const void *b, void *base)
{
	const struct batfs_json_key *x = a, *y = b;
	const uint8_t *bytes = base;

	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return x->length == 0 ? 0 :
				memcmp(bytes + x->at, bytes + y->at, x->length);
}

static bool
report(const struct batfs_json_key *x, const struct batfs_json_key *y,
    size_t *out_place)
{
	*out_place = x->place > y->place ? x->place : y->place;
	return false;
}

bool
batfs_json_parts_distinct(struct batfs_json_keys *keys, size_t first,
    const uint8_t *base, size_t *out_place)
{
	struct batfs_json_key *items = keys->items + first;
	size_t count = keys->count - first;
	/* qsort_r hands its context on without const. */
	void *context = (void *)(uintptr_t)base;

	if (count <= COMPARED_ALL) {
		for (size_t i = 1; i < count; i++) {
			for (size_t j = 0; j < i; j++) {
				if (compare(items + i, items + j, context) == 0)
					return report(items + i, items + j,
					    out_place);
			}
		}
		return true;
	}
	qsort_r(items, count, sizeof(*items), compare, context);
	for (size_t i = 1; i < count; i++) {
		if (compare(items + i, items + i - 1, context) == 0)
			return report(items + i, items + i - 1, out_place);
	}
	return true;
}
