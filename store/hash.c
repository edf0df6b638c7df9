/*
 * BLAKE3, unkeyed, 32 bytes of output.
 *
 * The input is cut into chunks of 1024 bytes, a chunk into blocks of 64. The
 * blocks of a chunk are compressed one after the other, each result feeding
 * the next; the last result is the chunk's chaining value. Chaining values
 * are the leaves of a binary tree whose left subtrees are complete; a parent
 * compresses the 64 bytes of its two children. The last compression of all,
 * at the root, carries a flag of its own.
 *
 * A hasher keeps the chunk that it is in, and a stack with the values of the
 * complete subtrees to its left: one for each set bit of the number of whole
 * chunks so far, largest first. The last block of a chunk, and the last chunk,
 * wait until more input comes, since they may turn out to be the root.
 */
#include "hash_internal.h"

#include <string.h>

#define BLOCK_SIZE 64
#define BLOCKS_IN_CHUNK 16

/* What one compression takes; made early, compressed when its flags are
 * known. */
struct node {
	uint32_t chain[8];
	uint8_t block[BLOCK_SIZE];
	uint64_t counter;
	uint32_t length;
	uint32_t flags;
};

static inline uint32_t
rotate_right(uint32_t word, unsigned count)
{
	return word >> count | word << (32 - count);
}

static inline uint32_t
get_word(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

/* Quarter round on v[a], v[b], v[c], v[d] with the message words x and y. */
#define MIX(v, a, b, c, d, x, y)                                               \
	do {                                                                   \
		(v)[a] += (v)[b] + (x);                                        \
		(v)[d] = rotate_right((v)[d] ^ (v)[a], 16);                    \
		(v)[c] += (v)[d];                                              \
		(v)[b] = rotate_right((v)[b] ^ (v)[c], 12);                    \
		(v)[a] += (v)[b] + (y);                                        \
		(v)[d] = rotate_right((v)[d] ^ (v)[a], 8);                     \
		(v)[c] += (v)[d];                                              \
		(v)[b] = rotate_right((v)[b] ^ (v)[c], 7);                     \
	} while (0)

/* Columns, then diagonals. Inlined with a constant round, so that the
 * schedule costs nothing. */
__attribute__((always_inline)) static inline void
mix_round(uint32_t v[16], const uint32_t m[16], unsigned round)
{
	const uint8_t *s = schedule[round];

	MIX(v, 0, 4, 8, 12, m[s[0]], m[s[1]]);
	MIX(v, 1, 5, 9, 13, m[s[2]], m[s[3]]);
	MIX(v, 2, 6, 10, 14, m[s[4]], m[s[5]]);
	MIX(v, 3, 7, 11, 15, m[s[6]], m[s[7]]);
	MIX(v, 0, 5, 10, 15, m[s[8]], m[s[9]]);
	MIX(v, 1, 6, 11, 12, m[s[10]], m[s[11]]);
	MIX(v, 2, 7, 8, 13, m[s[12]], m[s[13]]);
	MIX(v, 3, 4, 9, 14, m[s[14]], m[s[15]]);
}

/* out may be chain. */
static void
compress(const uint32_t chain[8], const uint8_t block[BLOCK_SIZE],
    uint64_t counter, uint32_t length, uint32_t flags, uint32_t out[8])
{
	uint32_t m[16], v[16];

	for (size_t i = 0; i < 16; i++)
		m[i] = get_word(block + 4 * i);
	memcpy(v, chain, 8 * sizeof(v[0]));
	memcpy(v + 8, iv, 4 * sizeof(v[0]));
	v[12] = (uint32_t)counter;
	v[13] = (uint32_t)(counter >> 32);
	v[14] = length;
	v[15] = flags;
	mix_round(v, m, 0);
	mix_round(v, m, 1);
	mix_round(v, m, 2);
	mix_round(v, m, 3);
	mix_round(v, m, 4);
	mix_round(v, m, 5);
	mix_round(v, m, 6);
	for (size_t i = 0; i < 8; i++)
		out[i] = v[i] ^ v[i + 8];
}

static void
put_words(uint8_t *to, const uint32_t words[8])
{
	for (size_t i = 0; i < 8; i++)
		bat_bytes_put_le(to + 4 * i, words[i], 4);
}

static struct node
parent_node(const uint32_t left[8], const uint32_t right[8])
{
	struct node node = { .length = BLOCK_SIZE, .flags = PARENT };

	memcpy(node.chain, iv, sizeof(iv));
	put_words(node.block, left);
	put_words(node.block + 32, right);
	return node;
}

static void
chain_of(const struct node *node, uint32_t out[8])
{
	compress(node->chain, node->block, node->counter, node->length,
	    node->flags, out);
}

static uint32_t
start_flag(const struct bat_hasher *hasher)
{
	return hasher->blocks_compressed == 0 ? CHUNK_START : 0;
}

/* The block that waits, as the last one of its chunk. */
static struct node
last_node(const struct bat_hasher *hasher)
{
	struct node node = {
		.counter = hasher->chunk_counter,
		.length = hasher->block_length,
		.flags = start_flag(hasher) | CHUNK_END,
	};

	memcpy(node.chain, hasher->chunk_chain, sizeof(node.chain));
	memcpy(node.block, hasher->block, hasher->block_length);
	return node;
}

static void
start_chunk(struct bat_hasher *hasher, uint64_t counter)
{
	memcpy(hasher->chunk_chain, iv, sizeof(iv));
	hasher->chunk_counter = counter;
	hasher->block_length = 0;
	hasher->blocks_compressed = 0;
}

/*
 * Add the chaining value of a whole chunk. As many trailing zero bits as the
 * new number of chunks has, so many subtrees are complete now.
 */
static void
push_chunk(struct bat_hasher *hasher, uint32_t chain[8])
{
	uint64_t chunks = hasher->chunk_counter + 1;

	for (; (chunks & 1) == 0; chunks >>= 1) {
		struct node node = parent_node(
		    hasher->stack[--hasher->stack_length], chain);

		chain_of(&node, chain);
	}
	memcpy(hasher->stack[hasher->stack_length++], chain,
	    sizeof(hasher->stack[0]));
}

/* More input is there, so the full block that waits is not the root. */
static void
finish_block(struct bat_hasher *hasher)
{
	if (hasher->blocks_compressed == BLOCKS_IN_CHUNK - 1) {
		struct node node = last_node(hasher);
		uint32_t chain[8];

		chain_of(&node, chain);
		push_chunk(hasher, chain);
		start_chunk(hasher, hasher->chunk_counter + 1);
		return;
	}
	compress(hasher->chunk_chain, hasher->block, hasher->chunk_counter,
	    BLOCK_SIZE, start_flag(hasher), hasher->chunk_chain);
	hasher->blocks_compressed++;
	hasher->block_length = 0;
}

void
bat_hash_start(struct bat_hasher *hasher)
{
	start_chunk(hasher, 0);
	hasher->stack_length = 0;
}

void
bat_hash_update(struct bat_hasher *hasher, struct bat_slice bytes)
{
	while (bytes.length > 0) {
		size_t room, take;

		if (hasher->block_length == BLOCK_SIZE)
			finish_block(hasher);
		room = BLOCK_SIZE - (size_t)hasher->block_length;
		take = bytes.length < room ? bytes.length : room;
		memcpy(hasher->block + hasher->block_length, bytes.data, take);
		hasher->block_length = (uint8_t)(hasher->block_length + take);
		bytes.data += take;
		bytes.length -= take;
	}
}

struct bat_hash
bat_hash_finish(const struct bat_hasher *hasher)
{
	struct node node = last_node(hasher);
	struct bat_hash hash;
	uint32_t chain[8];

	for (size_t i = hasher->stack_length; i > 0; i--) {
		chain_of(&node, chain);
		node = parent_node(hasher->stack[i - 1], chain);
	}
	/* The root counts output blocks, and there is only the first. */
	compress(node.chain, node.block, 0, node.length, node.flags | ROOT,
	    chain);
	put_words(hash.bytes, chain);
	return hash;
}

struct bat_hash
bat_hash_of(struct bat_slice bytes)
{
	struct bat_hasher hasher;

	bat_hash_start(&hasher);
	bat_hash_update(&hasher, bytes);
	return bat_hash_finish(&hasher);
}

bool
bat_hash_equal(const struct bat_hash *a, const struct bat_hash *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool
bat_hash_is_zero(const struct bat_hash *hash)
{
	static const struct bat_hash zero;

	return bat_hash_equal(hash, &zero);
}

void
bat_hash_to_hex(const struct bat_hash *hash, char out[65])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < BAT_HASH_SIZE; i++) {
		out[2 * i] = digits[hash->bytes[i] >> 4];
		out[2 * i + 1] = digits[hash->bytes[i] & 15];
	}
	out[64] = '\0';
}
