/*
 * Bytes as integers: those from 0x80 on get a marker in front. The opposite of
 * pack_gather.c, by the same two ways.
 */
#include "pack_put.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

/*
 * One byte, without a branch: the marker first, then the byte on top of it or
 * behind it.
 */
static inline uint8_t *
put_element(uint8_t *to, uint8_t byte)
{
	size_t is_high = byte >> 7;

	to[0] = 0xcc;
	to[is_high] = byte;
	return to + 1 + is_high;
}

uint8_t *
bat_pack_put_spread_plain(uint8_t *to, const uint8_t *from, size_t length)
{
	for (size_t i = 0; i < length; i++)
		to = put_element(to, from[i]);
	return to;
}

#ifdef __x86_64__

/*
 * Four bytes, of which the four bits of `high` tell those that get a marker.
 * Their bits become places: two for a byte with a marker, one for another, and
 * the byte goes to the last of its places.
 */
__attribute__((target("bmi2,popcnt"))) static inline uint8_t *
put_four(uint8_t *to, uint32_t word)
{
	/* By high: ones in the bytes of the word that hold a value. */
	static const uint64_t values[16] = {
		0x00000000ffffffff, /* 0000 */
		0x000000ffffffff00, /* 0001 */
		0x000000ffffff00ff, /* 0010 */
		0x0000ffffff00ff00, /* 0011 */
		0x000000ffff00ffff, /* 0100 */
		0x0000ffff00ffff00, /* 0101 */
		0x0000ffff00ff00ff, /* 0110 */
		0x00ffff00ff00ff00, /* 0111 */
		0x000000ff00ffffff, /* 1000 */
		0x0000ff00ffffff00, /* 1001 */
		0x0000ff00ffff00ff, /* 1010 */
		0x00ff00ffff00ff00, /* 1011 */
		0x0000ff00ff00ffff, /* 1100 */
		0x00ff00ff00ffff00, /* 1101 */
		0x00ff00ff00ff00ff, /* 1110 */
		0xff00ff00ff00ff00, /* 1111 */
	};
	uint32_t high = _pext_u32(word, 0x80808080);
	uint64_t mask = values[high];
	uint64_t places = _pdep_u64(word, mask) | (0xcccccccccccccccc & ~mask);

	memcpy(to, &places, sizeof(places));
	return to + 4 + _mm_popcnt_u32(high);
}

__attribute__((target("bmi2,popcnt"))) static uint8_t *
spread_bmi2(uint8_t *to, const uint8_t *from, size_t length)
{
	size_t i = 0;

	for (; i + 8 <= length; i += 8) {
		uint64_t word;

		memcpy(&word, from + i, sizeof(word));
		if ((word & 0x8080808080808080) == 0) {
			memcpy(to, &word, sizeof(word));
			to += 8;
			continue;
		}
		to = put_four(to, (uint32_t)word);
		to = put_four(to, (uint32_t)(word >> 32));
	}
	return bat_pack_put_spread_plain(to, from + i, length - i);
}

uint8_t *
bat_pack_put_spread(uint8_t *to, const uint8_t *from, size_t length)
{
	/* of nothing there may be no address */
	if (length == 0)
		return to;
	if (bat_pack_put_has_bmi2())
		return spread_bmi2(to, from, length);
	return bat_pack_put_spread_plain(to, from, length);
}

#else

uint8_t *
bat_pack_put_spread(uint8_t *to, const uint8_t *from, size_t length)
{
	return bat_pack_put_spread_plain(to, from, length);
}

#endif
