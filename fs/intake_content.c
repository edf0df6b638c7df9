#include "intake_content.h"

#include <stdlib.h>

/* A line that was seen: a digest of what it says, and how often. */
struct entry {
	uint8_t digest[16];
	uint64_t count;
};

struct batfs_intake_content {
	struct entry *entries;
	size_t count, capacity;
	struct bat_map map; /* digest to number of entry */
};

static bool
same(const void *context, uint32_t value, struct bat_slice key)
{
	const struct batfs_intake_content *content = context;

	return memcmp(content->entries[value].digest, key.data, 16) == 0;
}

static uint64_t
hash_of(const void *context, uint32_t value)
{
	const struct batfs_intake_content *content = context;

	return bat_map_hash(
	    bat_bytes_slice(content->entries[value].digest, 16));
}

int
batfs_intake_content_new(struct batfs_intake_content **out)
{
	struct batfs_intake_content *content = calloc(1, sizeof(*content));

	if (content == NULL)
		return BAT_WORLD_NO_MEMORY;
	bat_map_init(&content->map, content, same, hash_of);
	*out = content;
	return 0;
}

void
batfs_intake_content_free(struct batfs_intake_content *content)
{
	if (content == NULL)
		return;
	bat_map_free(&content->map);
	free(content->entries);
	free(content);
}

/* Lengths first, so that no two lines hash the same bytes. */
static void
add_part(struct bat_hasher *hasher, struct bat_slice part)
{
	uint8_t length[8];

	bat_bytes_put_be(length, part.length, sizeof(length));
	bat_hash_update(hasher, bat_bytes_slice(length, sizeof(length)));
	bat_hash_update(hasher, part);
}

static int
add_entry(struct batfs_intake_content *content, struct bat_slice digest,
    uint32_t *out_number)
{
	if (content->count == content->capacity) {
		size_t capacity = content->capacity == 0 ?
		    64 :
		    2 * content->capacity;
		struct entry *entries;

		if (capacity >= UINT32_MAX)
			return BAT_WORLD_NO_MEMORY;
		entries = reallocarray(content->entries, capacity,
		    sizeof(*entries));
		if (entries == NULL)
			return BAT_WORLD_NO_MEMORY;
		content->entries = entries;
		content->capacity = capacity;
	}
	memcpy(content->entries[content->count].digest, digest.data, 16);
	content->entries[content->count].count = 0;
	*out_number = (uint32_t)content->count;
	if (bat_map_put(&content->map, digest, *out_number) != 0)
		return BAT_WORLD_NO_MEMORY;
	content->count++;
	return 0;
}

int
batfs_intake_content_key(struct batfs_intake_content *content,
    struct bat_draft *draft, uint32_t *out_number)
{
	struct bat_hasher hasher;
	struct bat_hash hash;
	struct bat_slice digest = { hash.bytes, 16 };
	uint8_t number[8];
	uint32_t found;

	bat_hash_start(&hasher);
	add_part(&hasher, draft->entity);
	add_part(&hasher, draft->scope);
	bat_bytes_put_be(number, draft->kind, 2);
	add_part(&hasher, bat_bytes_slice(number, 2));
	add_part(&hasher, draft->payload);
	hash = bat_hash_finish(&hasher);
	found = bat_map_find(&content->map, digest);
	if (found == BAT_MAP_NONE) {
		int code = add_entry(content, digest, &found);

		if (code != 0)
			return code;
	}
	bat_bytes_put_be(number, content->entries[found].count++, 8);
	add_part(&hasher, bat_bytes_slice(number, 8));
	hash = bat_hash_finish(&hasher);
	memcpy(draft->key.bytes, hash.bytes, sizeof(draft->key.bytes));
	/* Zero means no key. */
	if (bat_id_is_zero(&draft->key))
		draft->key.bytes[15] = 1;
	*out_number = found;
	return 0;
}

void
batfs_intake_content_take_back(struct batfs_intake_content *content,
    uint32_t number)
{
	if (number != BATFS_INTAKE_CONTENT_NONE)
		content->entries[number].count -= BAT_PLANT(82) ? 0 : 1;
}
