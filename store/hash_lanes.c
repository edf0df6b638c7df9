/*
 * The part of hash that takes 16 inputs side by side, each in a lane of the
 * vectors: word i of all states is one vector. None is longer than a chunk, so
 * there is no tree: the last block of each is the root.
 */
#include "hash_internal.h"
#include "plant.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#define BLOCK_SIZE 64

static void
hash_plain(const struct bat_hash_lanes *lanes,
    struct bat_hash out[BAT_HASH_LANES])
{
	for (unsigned i = 0; i < lanes->count; i++)
		out[i] = bat_hash_of(
		    bat_bytes_slice(lanes->lanes[i], lanes->lengths[i]));
}

#ifdef __x86_64__

/* The sanitizer's own stack of gcc 12 does not keep vectors on their bounds
 * (its detect_stack_use_after_return). */
#define WIDE __attribute__((target("avx512f,avx512bw"), no_sanitize("address")))
#define WIDE_INLINE                                                            \
	__attribute__((target("avx512f,avx512bw"), no_sanitize("address"),     \
	    always_inline)) static inline

/* Quarter round, as MIX of hash.c. */
WIDE_INLINE void
mix(__m512i v[16], unsigned a, unsigned b, unsigned c, unsigned d, __m512i x,
    __m512i y)
{
	v[a] = _mm512_add_epi32(v[a], _mm512_add_epi32(v[b], x));
	v[d] = _mm512_ror_epi32(_mm512_xor_si512(v[d], v[a]), 16);
	v[c] = _mm512_add_epi32(v[c], v[d]);
	v[b] = _mm512_ror_epi32(_mm512_xor_si512(v[b], v[c]), 12);
	v[a] = _mm512_add_epi32(v[a], _mm512_add_epi32(v[b], y));
	v[d] = _mm512_ror_epi32(_mm512_xor_si512(v[d], v[a]), 8);
	v[c] = _mm512_add_epi32(v[c], v[d]);
	v[b] = _mm512_ror_epi32(_mm512_xor_si512(v[b], v[c]), 7);
}

WIDE_INLINE void
mix_round(__m512i v[16], const __m512i m[16], unsigned round)
{
	const uint8_t *s = schedule[round];

	mix(v, 0, 4, 8, 12, m[s[0]], m[s[1]]);
	mix(v, 1, 5, 9, 13, m[s[2]], m[s[3]]);
	mix(v, 2, 6, 10, 14, m[s[4]], m[s[5]]);
	mix(v, 3, 7, 11, 15, m[s[6]], m[s[7]]);
	mix(v, 0, 5, 10, 15, m[s[8]], m[s[9]]);
	mix(v, 1, 6, 11, 12, m[s[10]], m[s[11]]);
	mix(v, 2, 7, 8, 13, m[s[12]], m[s[13]]);
	mix(v, 3, 4, 9, 14, m[s[14]], m[s[15]]);
}

/*
 * Row i of the matrix at `from` (rows LANE_SIZE bytes apart, 16 words each)
 * becomes word i of each vector. In steps of 1, 2, 4 and 8 words; gathering
 * would take as long as the rounds.
 */
WIDE_INLINE void
transpose(const uint8_t *from, __m512i m[16])
{
	__m512i a[16], b[16];

	for (unsigned i = 0; i < 16; i++)
		a[i] = _mm512_loadu_si512(
		    (const void *)(from + (size_t)i * BAT_HASH_LANE_SIZE));
	for (unsigned i = 0; i < 16; i += 2) {
		b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
		b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
	}
	for (unsigned i = 0; i < 16; i += 4)
		for (unsigned j = 0; j < 2; j++) {
			a[i + 2 * j] = _mm512_unpacklo_epi64(b[i + j],
			    b[i + 2 + j]);
			a[i + 2 * j + 1] = _mm512_unpackhi_epi64(b[i + j],
			    b[i + 2 + j]);
		}
	/* Now a[4k + j] has in quarter q word 4q + j of rows 4k to 4k + 3. */
	for (unsigned j = 0; j < 4; j++) {
		b[j] = _mm512_shuffle_i32x4(a[j], a[4 + j], 0x88);
		b[4 + j] = _mm512_shuffle_i32x4(a[j], a[4 + j], 0xdd);
		b[8 + j] = _mm512_shuffle_i32x4(a[8 + j], a[12 + j], 0x88);
		b[12 + j] = _mm512_shuffle_i32x4(a[8 + j], a[12 + j], 0xdd);
	}
	for (unsigned j = 0; j < 4; j++) {
		m[j] = _mm512_shuffle_i32x4(b[j], b[8 + j], 0x88);
		m[8 + j] = _mm512_shuffle_i32x4(b[j], b[8 + j], 0xdd);
		m[4 + j] = _mm512_shuffle_i32x4(b[4 + j], b[12 + j], 0x88);
		m[12 + j] = _mm512_shuffle_i32x4(b[4 + j], b[12 + j], 0xdd);
	}
}

/* Block `number` of all lanes into their chains; of lanes that have no such
 * block it is left as it is. */
WIDE static void
compress(const struct bat_hash_lanes *lanes, unsigned number, __m512i lengths,
    __m512i chain[8])
{
	const __m512i block = _mm512_set1_epi32(BLOCK_SIZE);
	__m512i start = _mm512_set1_epi32((int)(number * BLOCK_SIZE));
	__m512i left = _mm512_sub_epi32(lengths, start);
	/* An empty input has one block. */
	__mmask16 active = number == 0 || BAT_PLANT(96) ?
	    0xffff :
	    _mm512_cmpgt_epi32_mask(lengths, start);
	__mmask16 last = _mm512_cmple_epi32_mask(left, block);
	__m512i m[16], v[16];

	transpose(lanes->lanes[0] + (size_t)number * BLOCK_SIZE, m);
	for (unsigned i = 0; i < 8; i++)
		v[i] = chain[i];
	for (unsigned i = 0; i < 4; i++)
		v[8 + i] = _mm512_set1_epi32((int)iv[i]);
	v[12] = v[13] = _mm512_setzero_si512();
	v[14] = _mm512_min_epi32(left, block);
	v[15] = _mm512_mask_or_epi32(_mm512_set1_epi32(
					 number == 0 ? CHUNK_START : 0),
	    last, _mm512_set1_epi32(number == 0 ? CHUNK_START : 0),
	    _mm512_set1_epi32(CHUNK_END | ROOT));
	mix_round(v, m, 0);
	mix_round(v, m, 1);
	mix_round(v, m, 2);
	mix_round(v, m, 3);
	mix_round(v, m, 4);
	mix_round(v, m, 5);
	mix_round(v, m, 6);
	for (unsigned i = 0; i < 8; i++)
		chain[i] = _mm512_mask_xor_epi32(chain[i], active, v[i],
		    v[i + 8]);
}

WIDE static void
hash_wide(struct bat_hash_lanes *lanes, struct bat_hash out[BAT_HASH_LANES])
{
	uint32_t words[8][BAT_HASH_LANES];
	unsigned longest = 0;
	__m512i lengths, chain[8];

	bat_hash_pad_lanes(lanes);
	for (unsigned i = 0; i < lanes->count; i++)
		if (lanes->lengths[i] > longest)
			longest = lanes->lengths[i];
	lengths = _mm512_loadu_si512((const void *)lanes->lengths);
	for (unsigned i = 0; i < 8; i++)
		chain[i] = _mm512_set1_epi32((int)iv[i]);
	for (unsigned at = 0; at == 0 || at * BLOCK_SIZE < longest; at++)
		compress(lanes, at, lengths, chain);
	for (unsigned i = 0; i < 8; i++)
		_mm512_storeu_si512((void *)words[i], chain[i]);
	for (unsigned lane = 0; lane < lanes->count; lane++)
		for (unsigned i = 0; i < 8; i++)
			memcpy(out[lane].bytes + 4 * i, &words[i][lane], 4);
}

bool
bat_hash_has_way(enum bat_hash_way way)
{
	switch (way) {
	case BAT_HASH_WAY_AVX512:
		return __builtin_cpu_supports("avx512f") &&
		    __builtin_cpu_supports("avx512bw");
	case BAT_HASH_WAY_AVX2:
		return __builtin_cpu_supports("avx2");
	case BAT_HASH_WAY_PLAIN:
	case BAT_HASH_WAYS:
		break;
	}
	return way == BAT_HASH_WAY_PLAIN;
}

void
bat_hash_lanes_by(enum bat_hash_way way, struct bat_hash_lanes *lanes,
    struct bat_hash out[BAT_HASH_LANES])
{
	if (way == BAT_HASH_WAY_AVX512)
		hash_wide(lanes, out);
	else if (way == BAT_HASH_WAY_AVX2)
		bat_hash_lanes_avx2(lanes, out);
	else
		hash_plain(lanes, out);
}

#else

bool
bat_hash_has_way(enum bat_hash_way way)
{
	return way == BAT_HASH_WAY_PLAIN;
}

void
bat_hash_lanes_by(enum bat_hash_way way, struct bat_hash_lanes *lanes,
    struct bat_hash out[BAT_HASH_LANES])
{
	(void)way;
	hash_plain(lanes, out);
}

#endif

void
bat_hash_pad_lanes(struct bat_hash_lanes *lanes)
{
	for (unsigned i = 0; i < BAT_HASH_LANES; i++) {
		uint32_t length = i < lanes->count ? lanes->lengths[i] : 0;
		uint32_t rest = length % BLOCK_SIZE;

		lanes->lengths[i] = length;
		if (rest != 0 || length == 0)
			memset(lanes->lanes[i] + length, 0, BLOCK_SIZE - rest);
	}
}

void
bat_hash_lanes(struct bat_hash_lanes *lanes,
    struct bat_hash out[BAT_HASH_LANES])
{
	enum bat_hash_way way = BAT_HASH_WAY_AVX512;

	while (!bat_hash_has_way(way))
		way--;
	bat_hash_lanes_by(way, lanes, out);
}
