/*
 * BLAKE3-256, unkeyed: portable C of our own, checked against the published
 * test vectors. Source: FORMAT.md 10 (event_hash, extension digest).
 * Threads: any; a hasher belongs to its caller.
 */
#ifndef BAT_HASH_H
#define BAT_HASH_H

#include "bytes.h"

#define BAT_HASH_SIZE 32

struct bat_hash {
	uint8_t bytes[BAT_HASH_SIZE];
};

/* Incremental state; a value, nothing to free. */
struct bat_hasher {
	uint32_t chunk_chain[8];
	uint64_t chunk_counter;
	uint8_t block[64];
	uint8_t block_length;
	uint8_t blocks_compressed;
	uint8_t stack_length;
	uint32_t stack[54][8];
};

void bat_hash_start(struct bat_hasher *hasher);
void bat_hash_update(struct bat_hasher *hasher, struct bat_slice bytes);
struct bat_hash bat_hash_finish(const struct bat_hasher *hasher);

struct bat_hash bat_hash_of(struct bat_slice bytes);
/*
 * Up to 16 short inputs at once: input i is the first lengths[i] bytes of
 * lanes[i]; what stands behind them there is written over. With AVX-512 they
 * are hashed side by side, 32 ns each where one alone takes 220 (100 bytes);
 * with AVX2 8 and 8, which takes as long; else one by one.
 */
#define BAT_HASH_LANES 16
#define BAT_HASH_LANE_SIZE 1024

struct bat_hash_lanes {
	uint8_t lanes[BAT_HASH_LANES][BAT_HASH_LANE_SIZE];
	uint32_t lengths[BAT_HASH_LANES];
	unsigned count;
};

/* Copy an input into the next lane; there is one. false: it is too long for
 * any. */
static inline bool
bat_hash_lanes_take(struct bat_hash_lanes *lanes, struct bat_slice input)
{
	if (input.length > BAT_HASH_LANE_SIZE)
		return false;
	if (input.length > 0)
		memcpy(lanes->lanes[lanes->count], input.data, input.length);
	lanes->lengths[lanes->count++] = (uint32_t)input.length;
	return true;
}

void bat_hash_lanes(struct bat_hash_lanes *lanes,
    struct bat_hash out[BAT_HASH_LANES]);
/* The same by one of the ways, for tests, which compare them: one that the
 * processor has. */
enum bat_hash_way {
	BAT_HASH_WAY_PLAIN,
	BAT_HASH_WAY_AVX2,
	BAT_HASH_WAY_AVX512,
	BAT_HASH_WAYS,
};
bool bat_hash_has_way(enum bat_hash_way way);
void bat_hash_lanes_by(enum bat_hash_way way, struct bat_hash_lanes *lanes,
    struct bat_hash out[BAT_HASH_LANES]);
bool bat_hash_equal(const struct bat_hash *a, const struct bat_hash *b);
bool bat_hash_is_zero(const struct bat_hash *hash);
/* 64 lower hex digits and a NUL. */
void bat_hash_to_hex(const struct bat_hash *hash, char out[65]);

#endif
