/*
 * The keys of the objects that the fast ways of json are in the middle of
 * (json_swift.c, json_plain.c): has this object the key already? Kept where
 * they stand, in the order in which they came; those of an object are a run at
 * the end, from the `first` of its level on, which is dropped with it.
 *
 * A key's length and first seven bytes tell most keys apart without a look at
 * where it stands. Threads: any, the table is its caller's.
 */
#ifndef BATFS_JSON_KEYS_H
#define BATFS_JSON_KEYS_H

#include "bat.h"

/* Of all objects that are open. */
#define BATFS_JSON_KEYS_MAX 64

struct batfs_json_keys {
	uint32_t count;
	struct batfs_json_key {
		uint64_t sign;
		const uint8_t *at;
	} keys[BATFS_JSON_KEYS_MAX];
};

static inline uint64_t
batfs_json_keys_sign(struct bat_slice key)
{
	uint8_t first[8] = { 0 };
	uint64_t sign;

	memcpy(first, key.data, key.length < 7 ? key.length : 7);
	first[7] = (uint8_t)key.length;
	memcpy(&sign, first, sizeof(sign));
	return sign;
}

/* Note a key, of an object whose run begins at `first`; false: the object has
 * it already, there is no room, or it is too long for a sign. */
static inline bool
batfs_json_keys_note(struct batfs_json_keys *keys, uint32_t first,
    struct bat_slice key)
{
	uint64_t sign;

	if (keys->count == BATFS_JSON_KEYS_MAX || key.length > UINT8_MAX)
		return false;
	sign = batfs_json_keys_sign(key);
	for (uint32_t i = first; i < keys->count; i++) {
		if (keys->keys[i].sign == sign &&
		    (key.length <= 7 ||
			memcmp(keys->keys[i].at, key.data, key.length) == 0))
			return false;
	}
	keys->keys[keys->count++] = (struct batfs_json_key){ sign, key.data };
	return true;
}

#endif
