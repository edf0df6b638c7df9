/*
 * MessagePack into memory that has room: the same shortest forms as
 * bat_pack_write_*, which a test compares, without a question for room and a
 * call for each. A frame is some forty pieces of a few bytes and three arrays
 * of bytes: so it takes 1 300 instructions to put together instead of 4 400.
 *
 * `to` is where to write; what is behind comes back. The caller made room for
 * BAT_PACK_PUT_ROOM with each number, header or id, and for what
 * BAT_PACK_SPREAD_ROOM says of bytes that become integers. Threads: any, no
 * state.
 */
#ifndef BAT_PACK_PUT_H
#define BAT_PACK_PUT_H

#include "hash.h"
#include "id.h"

#define BAT_PACK_PUT_ROOM 18
/* An array of so many bytes at its longest, and what a wide store leaves. */
#define BAT_PACK_SPREAD_ROOM(length) (2 * (length) + 16)

static inline uint8_t *
bat_pack_put_be16(uint8_t *to, uint8_t marker, uint64_t value)
{
	to[0] = marker;
	to[1] = (uint8_t)(value >> 8);
	to[2] = (uint8_t)value;
	return to + 3;
}

static inline uint8_t *
bat_pack_put_be32(uint8_t *to, uint8_t marker, uint64_t value)
{
	to[0] = marker;
	to[1] = (uint8_t)(value >> 24);
	to[2] = (uint8_t)(value >> 16);
	to[3] = (uint8_t)(value >> 8);
	to[4] = (uint8_t)value;
	return to + 5;
}

static inline uint8_t *
bat_pack_put_be64(uint8_t *to, uint8_t marker, uint64_t value)
{
	to[0] = marker;
	bat_bytes_put_be64(to + 1, value);
	return to + 9;
}

static inline uint8_t *
bat_pack_put_nil(uint8_t *to)
{
	*to = 0xc0;
	return to + 1;
}

static inline uint8_t *
bat_pack_put_uint(uint8_t *to, uint64_t value)
{
	if (value < 0x80) {
		*to = (uint8_t)value;
		return to + 1;
	}
	if (value <= UINT8_MAX) {
		to[0] = 0xcc;
		to[1] = (uint8_t)value;
		return to + 2;
	}
	if (value <= UINT16_MAX)
		return bat_pack_put_be16(to, 0xcd, value);
	if (value <= UINT32_MAX)
		return bat_pack_put_be32(to, 0xce, value);
	return bat_pack_put_be64(to, 0xcf, value);
}

static inline uint8_t *
bat_pack_put_int(uint8_t *to, int64_t value)
{
	uint64_t bits = (uint64_t)value;

	if (value >= 0)
		return bat_pack_put_uint(to, bits);
	if (value >= -32) {
		*to = (uint8_t)bits;
		return to + 1;
	}
	if (value >= INT8_MIN) {
		to[0] = 0xd0;
		to[1] = (uint8_t)bits;
		return to + 2;
	}
	if (value >= INT16_MIN)
		return bat_pack_put_be16(to, 0xd1, bits);
	if (value >= INT32_MIN)
		return bat_pack_put_be32(to, 0xd2, bits);
	return bat_pack_put_be64(to, 0xd3, bits);
}

/* Room for the text besides. It is below 4 GiB. */
static inline uint8_t *
bat_pack_put_str(uint8_t *to, struct bat_slice text)
{
	if (text.length < 32) {
		*to++ = (uint8_t)(0xa0 | text.length);
	} else if (text.length <= UINT8_MAX) {
		to[0] = 0xd9;
		to[1] = (uint8_t)text.length;
		to += 2;
	} else if (text.length <= UINT16_MAX) {
		to = bat_pack_put_be16(to, 0xda, text.length);
	} else {
		to = bat_pack_put_be32(to, 0xdb, text.length);
	}
	if (text.length > 0)
		memcpy(to, text.data, text.length);
	return to + text.length;
}

static inline uint8_t *
bat_pack_put_array(uint8_t *to, uint32_t count)
{
	if (count < 16) {
		*to = (uint8_t)(0x90 | count);
		return to + 1;
	}
	if (count <= UINT16_MAX)
		return bat_pack_put_be16(to, 0xdc, count);
	return bat_pack_put_be32(to, 0xdd, count);
}

static inline uint8_t *
bat_pack_put_id(uint8_t *to, const struct bat_id *id)
{
	to[0] = 0xc4;
	to[1] = sizeof(id->bytes);
	memcpy(to + 2, id->bytes, sizeof(id->bytes));
	return to + 2 + sizeof(id->bytes);
}

/* Is BMI2 there, and faster than a loop? For bat_pack_put_spread and its
 * opposite in pack. */
static inline bool
bat_pack_put_has_bmi2(void)
{
#ifdef __x86_64__
	/* These have it, and take longer than the loop. */
	return __builtin_cpu_supports("bmi2") && !__builtin_cpu_is("znver1") &&
	    !__builtin_cpu_is("znver2");
#else
	return false;
#endif
}

/* Bytes as integers, one after the other; the plain way is the other's twin,
 * for tests. */
uint8_t *bat_pack_put_spread(uint8_t *to, const uint8_t *from, size_t length);
uint8_t *bat_pack_put_spread_plain(uint8_t *to, const uint8_t *from,
    size_t length);

/* Bytes as an array of integers. */
static inline uint8_t *
bat_pack_put_byte_array(uint8_t *to, struct bat_slice bytes)
{
	to = bat_pack_put_array(to, (uint32_t)bytes.length);
	return bat_pack_put_spread(to, bytes.data, bytes.length);
}

static inline uint8_t *
bat_pack_put_hash(uint8_t *to, const struct bat_hash *hash)
{
	return bat_pack_put_byte_array(to,
	    bat_bytes_slice(hash->bytes, sizeof(hash->bytes)));
}

#endif
