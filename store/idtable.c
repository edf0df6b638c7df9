#include "idtable.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "error.h"
#include "map.h"
#include "plant.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define LINE 64u
#define HUGE_PAGE (2u << 20)
#define BUCKETS_MIN 4u

static_assert(sizeof(struct bat_idtable_bucket) == LINE,
    "a bucket is a line of the cache");

__extension__ typedef unsigned __int128 wide;

static uint64_t
hash_of(const struct bat_id *id)
{
	return bat_map_hash(bat_bytes_slice(id, sizeof(*id)));
}

/* The top bits choose the bucket, the lowest are kept beside the ordinal. */
static size_t
home_of(size_t bucket_count, uint64_t hash)
{
	return (size_t)((wide)hash * bucket_count >> 64);
}

static size_t
room_of(size_t bucket_count)
{
	return bucket_count * BAT_IDTABLE_BUCKET / 6 * 5;
}

void
bat_idtable_init(struct bat_idtable *table, const void *context,
    bat_idtable_id_fn id_of)
{
	*table = (struct bat_idtable){
		.context = context,
		.id_of = id_of,
	};
}

void
bat_idtable_free(struct bat_idtable *table)
{
	free(table->buckets);
	table->buckets = NULL;
	table->bucket_count = table->used = 0;
}

/* Bit i: place i is taken and has this tag. Without a branch: which one it
 * would be nobody can foretell. */
#ifdef __SSE2__

static inline unsigned
alike_of(const struct bat_idtable_bucket *bucket, uint8_t tag)
{
	/* All that stands behind the ordinals: 12 tags, and what is masked. */
	__m128i tags = _mm_load_si128((const void *)bucket->tags);
	__m128i same = _mm_cmpeq_epi8(tags, _mm_set1_epi8((char)tag));

	return (unsigned)_mm_movemask_epi8(same) & ((1u << bucket->used) - 1);
}

#else

static inline unsigned
alike_of(const struct bat_idtable_bucket *bucket, uint8_t tag)
{
	unsigned alike = 0;

	for (unsigned i = 0; i < BAT_IDTABLE_BUCKET; i++)
		alike |= (unsigned)(bucket->tags[i] == tag) << i;
	return alike & ((1u << bucket->used) - 1);
}

#endif

/*
 * The place of an id in *out_bucket, or its `used`, where it would go. The
 * table is never full, so this ends.
 */
static unsigned
find_place(const struct bat_idtable *table, const struct bat_id *id,
    uint64_t hash, struct bat_idtable_bucket **out_bucket)
{
	size_t at = home_of(table->bucket_count, hash);
	uint8_t tag = (uint8_t)hash;

	for (;;) {
		struct bat_idtable_bucket *bucket = &table->buckets[at];

		for (unsigned alike = alike_of(bucket, tag); alike != 0;
		     alike &= alike - 1) {
			unsigned i = (unsigned)__builtin_ctz(alike);

			if (BAT_PLANT(350) ||
			    memcmp(table->id_of(table->context,
				       bucket->ordinals[i]),
				id, sizeof(*id)) == 0) {
				*out_bucket = bucket;
				return i;
			}
		}
		if (bucket->used < BAT_IDTABLE_BUCKET) {
			*out_bucket = bucket;
			return bucket->used;
		}
		at = at + 1 == table->bucket_count ? 0 : at + 1;
	}
}

uint32_t
bat_idtable_find(const struct bat_idtable *table, const struct bat_id *id)
{
	struct bat_idtable_bucket *bucket;
	unsigned place;

	if (table->used == 0)
		return BAT_IDTABLE_NONE;
	place = find_place(table, id, hash_of(id), &bucket);
	return place < bucket->used ? bucket->ordinals[place] :
				      BAT_IDTABLE_NONE;
}

void
bat_idtable_put(struct bat_idtable *table, const uint32_t *ordinals,
    size_t count)
{
	uint64_t hashes[BAT_IDTABLE_SOME];

	assert(count <= BAT_IDTABLE_SOME &&
	    count <= room_of(table->bucket_count) - table->used);
	for (size_t i = 0; i < count; i++) {
		hashes[i] = hash_of(table->id_of(table->context, ordinals[i]));
		__builtin_prefetch(
		    &table->buckets[home_of(table->bucket_count, hashes[i])],
		    1);
	}
	for (size_t i = 0; i < count; i++) {
		struct bat_idtable_bucket *bucket;
		unsigned place = find_place(table,
		    table->id_of(table->context, ordinals[i]), hashes[i],
		    &bucket);

		if (place == bucket->used) {
			bucket->tags[place] = (uint8_t)hashes[i];
			bucket->used++;
			table->used++;
		} else if (BAT_PLANT(351)) {
			continue;
		}
		bucket->ordinals[place] = ordinals[i];
	}
}

static struct bat_idtable_bucket *
make_buckets(size_t count)
{
	size_t size = count * LINE;
	void *buckets = aligned_alloc(size < HUGE_PAGE ? LINE : HUGE_PAGE,
	    size);

	if (buckets == NULL)
		return NULL;
	/* Every bucket is a random place: a page for each would be a second
	 * miss. */
	if (size >= HUGE_PAGE)
		(void)madvise(buckets, size, MADV_HUGEPAGE);
	memset(buckets, 0, size);
	return buckets;
}

int
bat_idtable_reserve(struct bat_idtable *table, size_t count)
{
	size_t bucket_count = table->bucket_count / 2 * 3;
	struct bat_idtable grown = *table;

	if (table->bucket_count > 0 && count <= room_of(table->bucket_count))
		return BAT_OK;
	if (count > PTRDIFF_MAX / LINE)
		return BAT_WORLD_NO_MEMORY;
	if (bucket_count < BUCKETS_MIN)
		bucket_count = BUCKETS_MIN;
	/* 9 of 12 taken: some may follow. */
	if (bucket_count < count / 9 + 1)
		bucket_count = count / 9 + 1;
	while (room_of(bucket_count) < count)
		bucket_count++;
	grown.buckets = make_buckets(bucket_count);
	if (grown.buckets == NULL)
		return BAT_WORLD_NO_MEMORY;
	grown.bucket_count = bucket_count;
	grown.used = 0;
	for (size_t i = 0; i < table->bucket_count; i++)
		bat_idtable_put(&grown, table->buckets[i].ordinals,
		    table->buckets[i].used);
	free(table->buckets);
	*table = grown;
	return BAT_OK;
}
