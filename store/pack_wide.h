/*
 * The part of pack that reads byte vectors 64 places at a time where the
 * processor can close the gaps between them itself (AVX-512 VBMI2). The figure
 * that justifies it: a hash of 32 integers in 8 ns instead of 20, and index.ckpt
 * has two million of them in a million entries. Behind pack_bytes.c, whose
 * header says how the places are judged. Only for pack*.c, and for the test
 * that compares both ways.
 */
#ifndef BAT_PACK_WIDE_H
#define BAT_PACK_WIDE_H

#include "hash.h"

/* Use it where the processor can (the default), or never: for tests. */
void bat_pack_wide_allow(bool allowed);
/*
 * Up to count elements from *at on, before end, onto to (NULL: only stepped
 * over). How many there were; *at stands behind the last one. Fewer than count:
 * the next element needs the slow way.
 */
size_t bat_pack_wide_take(const uint8_t **at, const uint8_t *end, size_t count,
    uint8_t *to);
/* Exactly 32 elements, of which each has its usual form: how many bytes they
 * take; or 0. In one step: 5 ns. */
size_t bat_pack_wide_hash(const uint8_t *at, const uint8_t *end,
    uint8_t to[BAT_HASH_SIZE]);

#endif
