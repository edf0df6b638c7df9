/*
 * The part of pack that puts scattered bytes side by side: the hashes and the
 * payload of every frame, where one byte in two has a marker before it.
 */
#include "pack_internal.h"

#include "pack_put.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

static unsigned
gather_plain(uint8_t *to, const uint8_t *from, uint64_t values)
{
	unsigned count = 0;

	for (; values != 0; values &= values - 1)
		to[count++] = from[__builtin_ctzll(values)];
	return count;
}

#ifdef __x86_64__

/* Eight places at a time. Written over by the next eight, or left over. */
__attribute__((target("bmi2,popcnt"))) static unsigned
gather_bmi2(uint8_t *to, const uint8_t *from, uint64_t values)
{
	uint8_t packed[BAT_PACK_PLACES + 8];
	unsigned count = 0;

	for (unsigned i = 0; i < BAT_PACK_PLACES; i += 8) {
		uint64_t bits = values >> i & 0xff, word;
		/* Each bit to a byte of ones. */
		uint64_t mask = _pdep_u64(bits, 0x0101010101010101) * 0xff;

		memcpy(&word, from + i, sizeof(word));
		word = _pext_u64(word, mask);
		memcpy(packed + count, &word, sizeof(word));
		count += (unsigned)_mm_popcnt_u64(bits);
	}
	memcpy(to, packed, BAT_PACK_PLACES);
	return count;
}

bool
bat_pack_has_way(enum bat_pack_way way)
{
	switch (way) {
	case BAT_PACK_WAY_BMI2:
		return bat_pack_put_has_bmi2();
	case BAT_PACK_WAY_PLAIN:
	case BAT_PACK_WAYS:
		break;
	}
	return way == BAT_PACK_WAY_PLAIN;
}

unsigned
bat_pack_gather_by(enum bat_pack_way way, uint8_t *to, const uint8_t *from,
    uint64_t values)
{
	if (way == BAT_PACK_WAY_BMI2)
		return gather_bmi2(to, from, values);
	return gather_plain(to, from, values);
}

/* What the processor has is looked up in a table of the compiler's library. */
unsigned
bat_pack_gather(uint8_t *to, const uint8_t *from, uint64_t values)
{
	if (bat_pack_has_way(BAT_PACK_WAY_BMI2))
		return gather_bmi2(to, from, values);
	return gather_plain(to, from, values);
}

#else

bool
bat_pack_has_way(enum bat_pack_way way)
{
	return way == BAT_PACK_WAY_PLAIN;
}

unsigned
bat_pack_gather_by(enum bat_pack_way way, uint8_t *to, const uint8_t *from,
    uint64_t values)
{
	(void)way;
	return gather_plain(to, from, values);
}

unsigned
bat_pack_gather(uint8_t *to, const uint8_t *from, uint64_t values)
{
	return gather_plain(to, from, values);
}

#endif
