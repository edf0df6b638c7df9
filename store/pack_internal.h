/* Shared by the parts of pack. Not for others but their tests. */
#ifndef BAT_PACK_INTERNAL_H
#define BAT_PACK_INTERNAL_H

#include "pack.h"

/* How many places are judged at once. */
#define BAT_PACK_PLACES 64

/*
 * Move the bytes of from[64] whose bits are set in values to the front of
 * to[64] and return how many they are; what stands behind them in `to` is
 * undefined.
 *
 * Two ways, the same bytes: a loop over the bits; BMI2, which packs eight bytes
 * in one instruction. For a hash, 48 places: 35 and 11 ns. The best one that
 * the processor has is taken. (With AVX-512 VBMI2 it is pack_wide.h.)
 */
enum bat_pack_way {
	BAT_PACK_WAY_PLAIN,
	BAT_PACK_WAY_BMI2,
	BAT_PACK_WAYS,
};
unsigned bat_pack_gather(uint8_t *to, const uint8_t *from, uint64_t values);
bool bat_pack_has_way(enum bat_pack_way way);
/* By a way that the processor has. */
unsigned bat_pack_gather_by(enum bat_pack_way way, uint8_t *to,
    const uint8_t *from, uint64_t values);

#endif
