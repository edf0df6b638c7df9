#include "map.h"

#include "error.h"

#include <assert.h>
#include <endian.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/random.h>

static const size_t slot_count_min = 16;

/*
 * SipHash-1-3 (one round a word, three at the end) with a random key of this
 * process: whoever chooses names cannot know which of them collide.
 */
static uint64_t secret[2];

static void
choose_secret(void)
{
	const void *start_bytes;

	if (getrandom(secret, sizeof(secret), GRND_NONBLOCK) ==
	    (ssize_t)sizeof(secret))
		return;
	/* Too early in the boot, or forbidden: the kernel gave each process 16
	 * random bytes at its start. */
	start_bytes = (const void *)getauxval(AT_RANDOM);
	if (start_bytes != NULL)
		memcpy(secret, start_bytes, sizeof(secret));
}

static inline uint64_t
rotate_left(uint64_t word, unsigned count)
{
	return word << count | word >> (64 - count);
}

static inline void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate_left(v[1], 13) ^ v[0];
	v[3] = rotate_left(v[3], 16) ^ v[2];
	v[0] = rotate_left(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate_left(v[1], 17) ^ v[2];
	v[3] = rotate_left(v[3], 21) ^ v[0];
	v[2] = rotate_left(v[2], 32);
}

/* Words are taken in the order of this machine: hashes never leave it. */
static inline void
sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

/* Fewer than eight bytes, the first one lowest. Numbers, four bytes, are asked
 * for more often than anything else. */
static inline uint64_t
rest_of(const uint8_t *p, size_t left)
{
	uint64_t word = 0;
	uint32_t low;
	size_t i = 0;

	if (left >= sizeof(low)) {
		memcpy(&low, p, sizeof(low));
		word = le32toh(low);
		i = sizeof(low);
	}
	for (; i < left; i++)
		word |= (uint64_t)p[i] << (8 * i);
	return word;
}

uint64_t
bat_map_hash(struct bat_slice key)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const uint8_t *p = key.data;
	size_t left = key.length;
	uint64_t word;

	pthread_once(&once, choose_secret);
	uint64_t v[4] = {
		secret[0] ^ 0x736f6d6570736575,
		secret[1] ^ 0x646f72616e646f6d,
		secret[0] ^ 0x6c7967656e657261,
		secret[1] ^ 0x7465646279746573,
	};

	for (; left >= sizeof(word); left -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sip_word(v, word);
	}
	/* The rest, with the length on top, so that zeros at the end count. */
	sip_word(v, rest_of(p, left) | (uint64_t)key.length << 56);
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void
bat_map_init(struct bat_map *map, const void *context, bat_map_same_fn same,
    bat_map_hash_of_fn hash_of)
{
	*map = (struct bat_map){
		.context = context,
		.same = same,
		.hash_of = hash_of,
	};
}

void
bat_map_free(struct bat_map *map)
{
	free(map->slots);
	map->slots = NULL;
	map->slot_count = 0;
	map->used = 0;
}

/*
 * The slot of key, or the free one where it would go. The steps grow by one
 * each time: that reaches every slot of a power of two, and keeps runs from
 * forming, each place of which would cost a call of `same`. The table is never
 * full, so this ends.
 */
static uint32_t *
find_slot(const struct bat_map *map, struct bat_slice key)
{
	size_t mask = map->slot_count - 1;
	size_t place = (size_t)bat_map_hash(key) & mask;

	for (size_t step = 1;; step++) {
		uint32_t *slot = &map->slots[place];

		if (*slot == BAT_MAP_NONE ||
		    map->same(map->context, *slot, key))
			return slot;
		place = (place + step) & mask;
	}
}

uint32_t
bat_map_find(const struct bat_map *map, struct bat_slice key)
{
	return map->used == 0 ? BAT_MAP_NONE : *find_slot(map, key);
}

/* A value whose key is known to be new. */
static void
place_value(uint32_t *slots, size_t slot_count, uint64_t hash, uint32_t value)
{
	size_t mask = slot_count - 1;
	size_t place = (size_t)hash & mask;

	for (size_t step = 1; slots[place] != BAT_MAP_NONE; step++)
		place = (place + step) & mask;
	slots[place] = value;
}

static bool
has_room(size_t slot_count, size_t count)
{
	return count <= slot_count / 4 * 3;
}

int
bat_map_reserve(struct bat_map *map, size_t count)
{
	size_t slot_count = map->slot_count;
	uint32_t *slots;

	if (has_room(slot_count, count))
		return 0;
	if (slot_count < slot_count_min)
		slot_count = slot_count_min;
	while (!has_room(slot_count, count)) {
		if (slot_count > PTRDIFF_MAX / (2 * sizeof(*slots)))
			return BAT_WORLD_NO_MEMORY;
		slot_count *= 2;
	}
	slots = malloc(slot_count * sizeof(*slots));
	if (slots == NULL)
		return BAT_WORLD_NO_MEMORY;
	/* Every byte ff: every slot BAT_MAP_NONE. */
	memset(slots, 0xff, slot_count * sizeof(*slots));
	for (size_t i = 0; i < map->slot_count; i++) {
		uint32_t value = map->slots[i];

		if (value != BAT_MAP_NONE)
			place_value(slots, slot_count,
			    map->hash_of(map->context, value), value);
	}
	free(map->slots);
	map->slots = slots;
	map->slot_count = slot_count;
	return 0;
}

int
bat_map_put(struct bat_map *map, struct bat_slice key, uint32_t value)
{
	uint32_t *slot = NULL;
	int code;

	assert(value != BAT_MAP_NONE);
	if (map->slot_count > 0)
		slot = find_slot(map, key);
	if (slot != NULL && *slot != BAT_MAP_NONE) {
		*slot = BAT_PLANT(5) ? *slot : value;
		return 0;
	}
	if (!has_room(map->slot_count, map->used + 1)) {
		code = bat_map_reserve(map, map->used + 1);
		if (code != 0)
			return code;
		slot = find_slot(map, key);
	}
	*slot = value;
	map->used++;
	return 0;
}
