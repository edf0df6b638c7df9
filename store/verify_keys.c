/*
 * Are all ids different? 64 bits of each are enough to say yes: a million of
 * them collide by chance once in 40 million stores, and then the plain way
 * counts.
 *
 * Where the times that ids begin with rise along the log, only those of one
 * millisecond are held against each other, as they come: 5 ns an id. Else all
 * are put into piles by their highest bits, by two threads, and each pile,
 * which fits in the first-level cache, into a small table: 20 ns, where a table
 * of all takes 200 and sorting (verify_twins.c) 30.
 */
#include "verify_swift.h"

#include <stdlib.h>

#include "parallel.h"

#define PILE_MEAN 512u	 /* keys */
#define TABLE_SIZE 2048u /* slots; a pile of as many is not looked at */
/* A batch has one time. More ids of one time than this go into piles. */
#define GROUP_MAX 2048u

static uint64_t
key_of(const struct bat_id *id)
{
	uint64_t high = bat_bytes_get_le64(id->bytes);
	uint64_t low = bat_bytes_get_le64(id->bytes + 8);
	uint64_t key = (high ^ (high >> 32)) * 0x9e3779b97f4a7c15 ^ low;

	key = (key ^ (key >> 29)) * 0xbf58476d1ce4e5b9;
	key ^= key >> 32;
	/* 0 is an empty slot. */
	return key | (key == 0);
}

/* Are these different? There are more slots, a power of two. */
static bool
differ(const uint64_t *keys, size_t count, uint64_t *table, size_t slots)
{
	memset(table, 0, slots * sizeof(*table));
	for (size_t i = 0; i < count; i++) {
		size_t at = keys[i] & (slots - 1);

		for (; table[at] != 0; at = (at + 1) & (slots - 1))
			if (table[at] == keys[i] && !BAT_PLANT(228))
				return false;
		table[at] = keys[i];
	}
	return true;
}

/* ---- by time ---------------------------------------------------------- */

/* Of a group, or of the two that meet at a border: false, if they do not surely
 * differ. */
static bool
differ_surely(const uint64_t *keys, size_t count, const uint64_t *more,
    size_t more_count)
{
	uint64_t table[2 * GROUP_MAX], both[GROUP_MAX];
	size_t all = count + more_count, slots = 16;

	if (all > GROUP_MAX)
		return false;
	if (all < 2)
		return true;
	while (slots < 2 * all)
		slots *= 2;
	if (more_count == 0)
		return differ(keys, count, table, slots);
	memcpy(both, keys, count * sizeof(*keys));
	memcpy(both + count, more, more_count * sizeof(*more));
	return differ(both, all, table, slots);
}

/* Of the group that is last so far. */
static void
look_at_group(struct verify_keys_part *part)
{
	size_t start = part->last_start;

	if (start == 0)
		part->first_end = part->count;
	if (!part->is_unordered)
		part->is_unordered = !differ_surely(part->keys + start,
		    part->count - start, NULL, 0);
}

int
bat_verify_keys_put(struct verify_keys_part *part, const struct bat_id *id)
{
	uint64_t time = bat_bytes_get_be64(id->bytes) >> 16;

	if (part->count == part->capacity) {
		size_t more = part->capacity == 0 ? 1024 : part->capacity * 2;
		uint64_t *keys = realloc(part->keys, more * sizeof(*keys));

		if (keys == NULL)
			return BAT_WORLD_NO_MEMORY;
		part->keys = keys;
		part->capacity = more;
	}
	if (part->count == 0) {
		part->first = time;
	} else if (time != part->last) {
		look_at_group(part);
		part->last_start = part->count;
		part->is_unordered |= time < part->last && !BAT_PLANT(361);
	}
	part->last = time;
	part->keys[part->count++] = key_of(id);
	return BAT_OK;
}

/* Is a part behind another as if they were one? */
static bool
follows(const struct verify_keys_part *part,
    const struct verify_keys_part *before)
{
	if (part->first != before->last)
		return part->first > before->last;
	/* One that is all of one time may go on in the next one too. */
	return BAT_PLANT(360) ||
	    (part->first_end < part->count &&
		differ_surely(before->keys + before->last_start,
		    before->count - before->last_start, part->keys,
		    part->first_end));
}

/* Do times rise all along, and ids differ where they are the same? */
static bool
rise(const struct verify_keys *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->parts[i].is_unordered ||
		    (i > 0 && !follows(&all->parts[i], &all->parts[i - 1])))
			return false;
	return true;
}

int
bat_verify_keys_add(struct verify_keys *all, struct verify_keys_part *part)
{
	if (part->count == 0)
		return BAT_OK;
	if (all->count == all->capacity) {
		size_t capacity = all->capacity * 2 + 8;
		struct verify_keys_part *parts = realloc(all->parts,
		    capacity * sizeof(*parts));

		if (parts == NULL)
			return BAT_WORLD_NO_MEMORY;
		all->parts = parts;
		all->capacity = capacity;
	}
	look_at_group(part);
	all->parts[all->count++] = *part;
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

/* ---- all of them, by piles -------------------------------------------- */

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

static void *
look(void *argument)
{
	struct share *share = argument;
	uint64_t table[TABLE_SIZE];
	size_t start = 0;

	make_piles(share);
	for (size_t i = 0; i < (size_t)1 << share->bits; i++) {
		size_t count = share->ends[i] - start;

		if (count >= TABLE_SIZE ||
		    !differ(share->keys + start, count, table, TABLE_SIZE)) {
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

	if (rise(all))
		return BAT_OK;
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
