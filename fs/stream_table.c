/*
 * The tables of streams: a hash map with an order of use. No rendering here,
 * and no call of the store.
 */
#include "stream_internal.h"

#include <assert.h>
#include <stdlib.h>

/* ---- finding a table, and the order of use --------------------------- */

static uint64_t
key_hash(const struct batfs_stream_key *key)
{
	/* Field by field: padding has no value. */
	const uint64_t words[] = {
		(uint64_t)key->list.kind,
		(uint64_t)key->list.entity << 32 | key->list.scope,
		(uint64_t)key->list.event << 32 | key->list.before,
		key->from_seq,
		key->to_seq,
		key->choice,
	};

	return bat_map_hash(bat_bytes_slice(words, sizeof(words)));
}

static bool
same_key(const struct batfs_stream_key *a, const struct batfs_stream_key *b)
{
	return a->list.kind == b->list.kind &&
	    a->list.entity == b->list.entity &&
	    a->list.scope == b->list.scope && a->list.event == b->list.event &&
	    a->list.before == b->list.before && a->from_seq == b->from_seq &&
	    a->to_seq == b->to_seq && a->choice == b->choice;
}

static struct batfs_stream_table **
bucket_of(struct batfs_streams *streams, const struct batfs_stream_key *key)
{
	return &streams->buckets[key_hash(key) & (streams->bucket_count - 1)];
}

static void
order_remove(struct batfs_streams *streams, struct batfs_stream_table *table)
{
	*(table->newer != NULL ? &table->newer->older :
				 &streams->newest) = table->older;
	*(table->older != NULL ? &table->older->newer :
				 &streams->oldest) = table->newer;
	table->newer = table->older = NULL;
}

static void
order_put_newest(struct batfs_streams *streams,
    struct batfs_stream_table *table)
{
	table->older = streams->newest;
	table->newer = NULL;
	*(streams->newest != NULL ? &streams->newest->newer :
				    &streams->oldest) = table;
	streams->newest = table;
}

static size_t
bytes_of(const struct batfs_stream_table *table)
{
	return sizeof(*table) + table->block_capacity * sizeof(*table->blocks);
}

static void
table_free(struct batfs_stream_table *table)
{
	free(table->blocks);
	free(table);
}

/* Out of the map and the order; freed now or by its last user. */
static void
detach(struct batfs_streams *streams, struct batfs_stream_table *table)
{
	struct batfs_stream_table **link = bucket_of(streams, &table->key);

	while (*link != table)
		link = &(*link)->next_in_bucket;
	*link = table->next_in_bucket;
	order_remove(streams, table);
	streams->table_count--;
	streams->table_bytes -= bytes_of(table);
	table->detached = true;
	if (table->user_count == 0)
		table_free(table);
}

static void
evict(struct batfs_streams *streams)
{
	struct batfs_stream_table *table = streams->oldest;

	while (
	    table != NULL && streams->table_bytes > streams->table_bytes_max) {
		struct batfs_stream_table *newer = table->newer;

		if (table->user_count == 0)
			detach(streams, table);
		table = newer;
	}
}

/* Twice the buckets. */
static int
grow_buckets(struct batfs_streams *streams)
{
	size_t count = streams->bucket_count == 0 ? 64 :
						    streams->bucket_count * 2;
	struct batfs_stream_table **buckets = calloc(count, sizeof(*buckets));

	if (buckets == NULL)
		return BAT_WORLD_NO_MEMORY;
	free(streams->buckets);
	streams->buckets = buckets;
	streams->bucket_count = count;
	for (struct batfs_stream_table *table = streams->oldest; table != NULL;
	     table = table->newer) {
		struct batfs_stream_table **bucket = bucket_of(streams,
		    &table->key);

		table->next_in_bucket = *bucket;
		*bucket = table;
	}
	return BAT_OK;
}

static struct batfs_stream_table *
table_new(struct batfs_streams *streams, const struct batfs_stream_key *key)
{
	struct batfs_stream_table *table, **bucket;

	if (streams->table_count >= streams->bucket_count &&
	    grow_buckets(streams) != BAT_OK)
		return NULL;
	table = calloc(1, sizeof(*table));
	if (table == NULL)
		return NULL;
	table->key = *key;
	table->last = BAT_MAP_NONE;
	table->serial = ++streams->next_serial;
	bucket = bucket_of(streams, key);
	table->next_in_bucket = *bucket;
	*bucket = table;
	order_put_newest(streams, table);
	streams->table_count++;
	streams->table_bytes += bytes_of(table);
	return table;
}

struct batfs_stream_table *
batfs_stream_obtain(struct batfs_streams *streams,
    const struct batfs_stream_key *key)
{
	struct batfs_stream_table *table = NULL;

	if (streams->bucket_count > 0)
		table = *bucket_of(streams, key);
	while (table != NULL && !same_key(&table->key, key))
		table = table->next_in_bucket;
	if (table == NULL) {
		table = table_new(streams, key);
	} else {
		order_remove(streams, table);
		order_put_newest(streams, table);
	}
	if (table != NULL) {
		table->user_count++;
		evict(streams);
	}
	return table;
}

void
batfs_stream_release(struct batfs_streams *streams,
    struct batfs_stream_table *table)
{
	assert(table->user_count > 0);
	table->user_count--;
	if (table->detached && table->user_count == 0)
		table_free(table);
	else
		evict(streams);
}

void
batfs_stream_forget(struct batfs_streams *streams, bool with_lengths)
{
	while (streams->oldest != NULL)
		detach(streams, streams->oldest);
	batfs_stream_drop_spans(streams);
	batfs_stream_drop_text(streams);
	if (with_lengths)
		batfs_stream_forget_lengths(streams);
}

/* ---- what a table knows ---------------------------------------------- */

static uint64_t
blocks_for(uint64_t line_count)
{
	return (line_count + BATFS_STREAM_BLOCK_LINES - 1) /
	    BATFS_STREAM_BLOCK_LINES;
}

static int
reserve_blocks(struct batfs_streams *streams, struct batfs_stream_table *table,
    size_t count)
{
	size_t wanted = table->block_capacity;
	struct batfs_stream_block *larger;

	if (count <= wanted)
		return BAT_OK;
	/* Most streams are short: exactly one block, then doubling. */
	wanted = wanted * 2 > count ? wanted * 2 : count;
	larger = realloc(table->blocks, wanted * sizeof(*larger));
	if (larger == NULL)
		return BAT_WORLD_NO_MEMORY;
	if (!table->detached)
		streams->table_bytes += (wanted - table->block_capacity) *
		    sizeof(*larger);
	table->blocks = larger;
	table->block_capacity = wanted;
	return BAT_OK;
}

int
batfs_stream_extend(struct batfs_streams *streams,
    struct batfs_stream_table *table, const struct batfs_stream_chunk *chunk)
{
	size_t at = (size_t)(table->line_count % BATFS_STREAM_BLOCK_LINES);
	size_t count = chunk->count;

	assert(at + count <= BATFS_STREAM_BLOCK_LINES);
	if (count == 0) {
		/* Nothing of it was chosen, and need not be looked at again. */
		table->cursor = chunk->cursor;
		return BAT_OK;
	}
	if (reserve_blocks(streams, table,
		(size_t)blocks_for(table->line_count + count)) != BAT_OK)
		return BAT_WORLD_NO_MEMORY;
	if (at == 0)
		table->blocks[table->line_count / BATFS_STREAM_BLOCK_LINES] =
		    (struct batfs_stream_block){ table->size, table->cursor };
	for (size_t i = BAT_PLANT(83) ? 1 : 0; i < count; i++)
		table->size += chunk->lengths[i];
	table->line_count += count;
	table->last = chunk->ordinals[count - 1];
	table->cursor = chunk->cursor;
	return BAT_OK;
}

uint64_t
batfs_stream_block_of(const struct batfs_stream_table *table, uint64_t offset)
{
	uint64_t low = 0, high = blocks_for(table->line_count);

	/* blocks[low].offset <= offset < blocks[high].offset */
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (table->blocks[middle].offset <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}
