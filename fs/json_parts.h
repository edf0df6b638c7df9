/*
 * What the writer and the reader of JSON share: the names of the tags
 * (LINE.md 3), and the keys of the objects that are open, to find equal ones.
 * Threads: any, no state but the caller's.
 */
#ifndef BATFS_JSON_PARTS_H
#define BATFS_JSON_PARTS_H

#include "bat.h"

enum batfs_json_tag {
	BATFS_JSON_TAG_NONE,
	BATFS_JSON_TAG_BIN,
	BATFS_JSON_TAG_EXT,
	BATFS_JSON_TAG_MAP,
	BATFS_JSON_TAG_FLOAT,
	BATFS_JSON_TAG_STR,
	BATFS_JSON_TAG_ESCAPED, /* one of these names behind two or more '$' */
};

/* What a key means as the only one of its object. */
enum batfs_json_tag batfs_json_parts_tag(struct bat_slice key);

/* A key, as a place in bytes that may move; where it stood in the text. */
struct batfs_json_key {
	uint32_t at, length, place;
};

/*
 * A stack: an object notes `count` when it opens, pushes its keys, asks for
 * equal ones when it closes, and sets `count` back.
 */
struct batfs_json_keys {
	struct batfs_json_key *items;
	size_t count, capacity;
	struct batfs_json_key first_items[32];
};

void batfs_json_parts_init(struct batfs_json_keys *keys);
void batfs_json_parts_free(struct batfs_json_keys *keys);
/* 0 or BAT_WORLD_NO_MEMORY. */
int batfs_json_parts_push(struct batfs_json_keys *keys,
    struct batfs_json_key key);
/*
 * Are the keys from number first on all different? base is what their places
 * count from. If not, *out_place is where the later of two equal ones stood.
 * Their order is lost.
 */
bool batfs_json_parts_distinct(struct batfs_json_keys *keys, size_t first,
    const uint8_t *base, size_t *out_place);

#endif
