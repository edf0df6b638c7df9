/*
 * A hash table from short byte keys to 32-bit values: open addressing over
 * 4-byte slots, the keys stay with the caller.
 *
 * The table holds values only. To compare keys it asks the caller through
 * `same`: is the key of this value equal to the key looked for? To grow it
 * asks `hash_of`: the hash of the key of this value. Hashes are made with
 * bat_map_hash, which is keyed per process (hostile names cannot collide on
 * purpose).
 *
 * Memory: 4 bytes a slot, at most 3/4 full. Value UINT32_MAX is reserved.
 * Threads: none inside; the owner locks.
 */
#ifndef BAT_MAP_H
#define BAT_MAP_H

#include "bytes.h"

typedef bool (*bat_map_same_fn)(const void *context, uint32_t value,
    struct bat_slice key);
typedef uint64_t (*bat_map_hash_of_fn)(const void *context, uint32_t value);

struct bat_map {
	uint32_t *slots;
	size_t slot_count; /* 0 or a power of two */
	size_t used;
	const void *context;
	bat_map_same_fn same;
	bat_map_hash_of_fn hash_of;
};

#define BAT_MAP_NONE UINT32_MAX

uint64_t bat_map_hash(struct bat_slice key);

void bat_map_init(struct bat_map *map, const void *context,
    bat_map_same_fn same, bat_map_hash_of_fn hash_of);
void bat_map_free(struct bat_map *map);
/* The value whose key equals key, or BAT_MAP_NONE. */
uint32_t bat_map_find(const struct bat_map *map, struct bat_slice key);
/*
 * Put value under key; a value with an equal key is replaced. The caller's
 * store must already answer hash_of(value). 0 or BAT_WORLD_NO_MEMORY (then
 * unchanged).
 */
int bat_map_put(struct bat_map *map, struct bat_slice key, uint32_t value);
/* Make room for count keys at once. 0 or BAT_WORLD_NO_MEMORY. */
int bat_map_reserve(struct bat_map *map, size_t count);

#endif
