/*
 * Are all ids different? 64 bits of each are enough to say yes: a million of
 * them collide by chance once in 40 million stores, and then the plain way
 * counts. They are put into piles by their highest bits, by two threads, and
 * each pile, which fits in the first-level cache, into a small table: 15 ns an
 * id, where a table of all takes 200 and sorting (verify_twins.c) 30.
 */
#include "verify_swift.h"

#include <stdlib.h>

#include "parallel.h"

#define PILE_MEAN 512u	 /* keys */
#define TABLE_SIZE 2048u /* slots; a pile of as many is not looked at */

uint64_t
bat_verify_key_of(const struct bat_id *id)
{
	uint64_t high = bat_bytes_get_le64(id->bytes);
	uint64_t low = bat_bytes_get_le64(id->bytes + 8);
	uint64_t key = (high ^ (high >> 32)) * 0x9e3779b97f4a7c15 ^ low;

	key = (key ^ (key >> 29)) * 0xbf58476d1ce4e5b9;
	key ^= key >> 32;
	/* 0 is an empty slot. */
	return key | (key == 0);
}

int
bat_verify_keys_add(struct verify_keys *all, uint64_t *keys, size_t count)
{
	if (all->count == all->capacity) {
		size_t capacity = all->capacity * 2 + 8;
		struct verify_keys_part *parts = realloc(all->parts,
		    capacity * sizeof(*parts));

		if (parts == NULL)
			return BAT_WORLD_NO_MEMORY;
		all->parts = parts;
		all->capacity = capacity;
	}
	all->parts[all->count++] = (struct verify_keys_part){ keys, count };
	return BAT_OK;
}

void
bat_verify_keys_free(struct verify_keys *all)
{
	for (size_t i = 0; i < all->count; i++)
		free(all->parts[i].keys);
	free(all->parts);
	*all = (struct verify_keys){ .parts = NULL };
}

/* The keys whose highest bit is `high`, by one thread. */
struct share {
	const struct verify_keys *all;
	uint64_t high;
	unsigned bits; /* that say which pile, behind the highest */
	uint64_t *keys;
	size_t *ends; /* of the piles; before, where each goes on */
	int code;
};

static size_t
pile_of(const struct share *share, uint64_t key)
{
	return (size_t)(key << 1 >> (63 - share->bits) >> 1);
}

static void
make_piles(struct share *share)
{
	const struct verify_keys *all = share->all;
	size_t place = 0;

	for (size_t i = 0; i < all->count; i++)
		for (size_t j = 0; j < all->parts[i].count; j++) {
			uint64_t key = all->parts[i].keys[j];

			share->ends[pile_of(share, key)] += key >> 63 ==
			    share->high;
		}
	for (size_t i = 0; i < (size_t)1 << share->bits; i++) {
		size_t count = share->ends[i];

		share->ends[i] = place;
		place += count;
	}
	for (size_t i = 0; i < all->count; i++)
		for (size_t j = 0; j < all->parts[i].count; j++) {
			uint64_t key = all->parts[i].keys[j];

			if (key >> 63 == share->high)
				share
				    ->keys[share->ends[pile_of(share, key)]++] =
				    key;
		}
}

/* Are those of one pile different? */
static bool
differ(const uint64_t *keys, size_t count, uint64_t table[TABLE_SIZE])
{
	if (count >= TABLE_SIZE)
		return false;
	memset(table, 0, TABLE_SIZE * sizeof(*table));
	for (size_t i = 0; i < count; i++) {
		size_t at = keys[i] % TABLE_SIZE;

		for (; table[at] != 0; at = (at + 1) % TABLE_SIZE)
			if (table[at] == keys[i] && !BAT_PLANT(228))
				return false;
		table[at] = keys[i];
	}
	return true;
}

static void *
look(void *argument)
{
	struct share *share = argument;
	uint64_t table[TABLE_SIZE];
	size_t start = 0;

	make_piles(share);
	for (size_t i = 0; i < (size_t)1 << share->bits; i++) {
		if (!differ(share->keys + start, share->ends[i] - start,
			table)) {
			share->code = BAT_END;
			break;
		}
		start = share->ends[i];
	}
	return NULL;
}

int
bat_verify_keys_differ(const struct verify_keys *all)
{
	struct share shares[2] = { { .all = all }, { .all = all, .high = 1 } };
	size_t count = 0;
	unsigned bits = 0;
	int code = BAT_OK;

	for (size_t i = 0; i < all->count; i++)
		count += all->parts[i].count;
	while (bits < 32 && count >> bits > 2 * PILE_MEAN)
		bits++;
	for (size_t i = 0; i < 2; i++) {
		size_t mine = 0;

		for (size_t j = 0; j < all->count; j++)
			for (size_t k = 0; k < all->parts[j].count; k++)
				mine += all->parts[j].keys[k] >> 63 ==
				    shares[i].high;
		shares[i].bits = bits;
		shares[i].keys = malloc((mine + 1) * sizeof(uint64_t));
		shares[i].ends = calloc((size_t)1 << bits, sizeof(size_t));
		if (shares[i].keys == NULL || shares[i].ends == NULL)
			code = BAT_WORLD_NO_MEMORY;
	}
	if (code == BAT_OK)
		bat_parallel_run(look, &shares[0], &shares[1]);
	for (size_t i = 0; i < 2; i++) {
		if (code == BAT_OK)
			code = shares[i].code;
		free(shares[i].keys);
		free(shares[i].ends);
	}
	return code;
}
