#include "pack.h"

#include <string.h>

/* The big-endian number of width bytes at p; width is 1, 2, 4 or 8. */
static inline uint64_t
get_number(const uint8_t *p, size_t width)
{
	switch (width) {
	case 1:
		return p[0];
	case 2:
		return bat_bytes_get_be16(p);
	case 4:
		return bat_bytes_get_be32(p);
	default:
		return bat_bytes_get_be64(p);
	}
}

/* The number as a two's complement one of width bytes. */
static inline int64_t
get_signed(const uint8_t *p, size_t width)
{
	uint64_t bits = get_number(p, width);
	uint64_t sign = UINT64_C(1) << (8 * width - 1);

	if ((bits & sign) == 0)
		return (int64_t)bits;
	/* -(2^n - bits), computed so that nothing overflows. */
	return -(int64_t)((~bits & (sign - 1))) - 1;
}

/* The least number that needs width bytes behind its marker, given that the
 * next smaller form is the one before in 0 (inside the marker), 1, 2, 4, 8. */
static inline uint64_t
least_number(size_t width, uint64_t least_of_one)
{
	if (width == 1)
		return least_of_one;
	return UINT64_C(1) << (4 * width);
}

/* An integer behind its one-byte marker. */
static int
read_wide_integer(struct bat_pack_reader *reader, uint8_t marker,
    struct bat_pack_token *out)
{
	bool is_signed = marker >= 0xd0;
	size_t width = (size_t)1 << (marker & 3);
	const uint8_t *p = reader->at + 1;

	if (bat_pack_left(reader) < 1 + width)
		return BAT_DATA_CORRUPT;
	reader->at += 1 + width;
	out->type = BAT_PACK_UINT;
	if (!is_signed) {
		out->number = get_number(p, width);
		out->shortest = out->number >= least_number(width, 0x80);
		return 0;
	}
	out->integer = get_signed(p, width);
	if (out->integer >= 0) {
		out->number = (uint64_t)out->integer;
		out->integer = 0;
		out->shortest = false;
		return 0;
	}
	out->type = BAT_PACK_INT;
	out->shortest = width == 1 ?
	    out->integer < -32 :
	    out->integer < -(INT64_C(1) << (4 * width - 1));
	return 0;
}

static int
read_float(struct bat_pack_reader *reader, uint8_t marker,
    struct bat_pack_token *out)
{
	size_t width = marker == 0xca ? 4 : 8;
	uint64_t bits;

	if (bat_pack_left(reader) < 1 + width)
		return BAT_DATA_CORRUPT;
	bits = get_number(reader->at + 1, width);
	reader->at += 1 + width;
	if (width == 4) {
		uint32_t half = (uint32_t)bits;
		float narrow;

		memcpy(&narrow, &half, sizeof(narrow));
		out->type = BAT_PACK_FLOAT32;
		out->real = (double)narrow;
		return 0;
	}
	memcpy(&out->real, &bits, sizeof(out->real));
	out->type = BAT_PACK_FLOAT64;
	out->shortest = out->real == out->real || bits == 0x7ff8000000000000;
	return 0;
}

/* Bytes of a known length that stand header bytes behind reader->at. */
static int
read_body(struct bat_pack_reader *reader, size_t header, uint64_t length,
    struct bat_pack_token *out)
{
	if (length > bat_pack_left(reader) - header)
		return BAT_DATA_CORRUPT;
	out->bytes = bat_bytes_slice(reader->at + header, (size_t)length);
	reader->at += header + length;
	return 0;
}

/* str or bin whose length stands in width bytes behind the marker. */
static int
read_sized(struct bat_pack_reader *reader, size_t width, uint64_t least_of_one,
    struct bat_pack_token *out)
{
	uint64_t length;

	if (bat_pack_left(reader) < 1 + width)
		return BAT_DATA_CORRUPT;
	length = get_number(reader->at + 1, width);
	out->shortest = length >= least_number(width, least_of_one);
	return read_body(reader, 1 + width, length, out);
}

/* ext: marker, length (fixext: none), type, bytes. */
static int
read_ext(struct bat_pack_reader *reader, uint8_t marker,
    struct bat_pack_token *out)
{
	size_t width = 0;
	uint64_t length;

	if (marker < 0xd4)
		width = (size_t)1 << (marker - 0xc7);
	if (bat_pack_left(reader) < 2 + width)
		return BAT_DATA_CORRUPT;
	if (width == 0) {
		length = UINT64_C(1) << (marker - 0xd4);
		out->shortest = true;
	} else {
		length = get_number(reader->at + 1, width);
		out->shortest = length >= least_number(width, 0) &&
		    (length > 16 || (length & (length - 1)) != 0 ||
			length == 0);
	}
	out->type = BAT_PACK_EXT;
	out->ext_type = (int8_t)get_signed(reader->at + 1 + width, 1);
	return read_body(reader, 2 + width, length, out);
}

/*
 * The header of an array or map. Each element takes at least one byte, so a
 * count that the rest cannot hold is refused before anyone allocates for it.
 */
static int
read_container(struct bat_pack_reader *reader, size_t header, uint64_t count,
    struct bat_pack_token *out)
{
	uint64_t elements = out->type == BAT_PACK_MAP ? 2 * count : count;

	if (elements > bat_pack_left(reader) - header)
		return BAT_DATA_CORRUPT;
	out->count = (uint32_t)count;
	reader->at += header;
	return 0;
}

static int
read_wide_container(struct bat_pack_reader *reader, size_t width,
    struct bat_pack_token *out)
{
	uint64_t count;

	if (bat_pack_left(reader) < 1 + width)
		return BAT_DATA_CORRUPT;
	count = get_number(reader->at + 1, width);
	out->shortest = count >= (width == 2 ? 16 : 0x10000);
	return read_container(reader, 1 + width, count, out);
}

/* Markers c0 to df, where the low bits alone do not tell. */
static int
read_marked(struct bat_pack_reader *reader, uint8_t marker,
    struct bat_pack_token *out)
{
	switch (marker) {
	case 0xc0:
		out->type = BAT_PACK_NIL;
		break;
	case 0xc2:
	case 0xc3:
		out->type = BAT_PACK_BOOL;
		out->boolean = marker == 0xc3;
		break;
	case 0xc4:
	case 0xc5:
	case 0xc6:
		out->type = BAT_PACK_BIN;
		return read_sized(reader, (size_t)1 << (marker - 0xc4), 0, out);
	case 0xc7:
	case 0xc8:
	case 0xc9:
	case 0xd4:
	case 0xd5:
	case 0xd6:
	case 0xd7:
	case 0xd8:
		return read_ext(reader, marker, out);
	case 0xca:
	case 0xcb:
		return read_float(reader, marker, out);
	case 0xd9:
	case 0xda:
	case 0xdb:
		out->type = BAT_PACK_STR;
		return read_sized(reader, (size_t)1 << (marker - 0xd9), 32,
		    out);
	case 0xdc:
	case 0xdd:
		out->type = BAT_PACK_ARRAY;
		return read_wide_container(reader, marker == 0xdc ? 2 : 4, out);
	case 0xde:
	case 0xdf:
		out->type = BAT_PACK_MAP;
		return read_wide_container(reader, marker == 0xde ? 2 : 4, out);
	case 0xc1:
		return BAT_DATA_CORRUPT;
	default: /* cc to cf, d0 to d3 */
		return read_wide_integer(reader, marker, out);
	}
	out->shortest = true;
	reader->at++;
	return 0;
}

int
bat_pack_next(struct bat_pack_reader *reader, struct bat_pack_token *out)
{
	uint8_t marker;

	*out = (struct bat_pack_token){ .type = BAT_PACK_NIL };
	if (reader->at == reader->end)
		return BAT_DATA_CORRUPT;
	marker = *reader->at;
	if (marker >= 0xc0 && marker < 0xe0)
		return read_marked(reader, marker, out);

	out->shortest = true;
	if (marker >= 0xa0 && marker < 0xc0) {
		out->type = BAT_PACK_STR;
		return read_body(reader, 1, marker & 31, out);
	}
	if (marker >= 0x90 && marker < 0xa0) {
		out->type = BAT_PACK_ARRAY;
		return read_container(reader, 1, marker & 15, out);
	}
	if (marker >= 0x80 && marker < 0x90) {
		out->type = BAT_PACK_MAP;
		return read_container(reader, 1, marker & 15, out);
	}
	if (marker < 0x80) {
		out->type = BAT_PACK_UINT;
		out->number = marker;
	} else {
		out->type = BAT_PACK_INT;
		out->integer = (int64_t)marker - 256;
	}
	reader->at++;
	return 0;
}

/*
 * left[d] is how many values of depth d + 1 are still to come. The values of
 * one container all stand before the bytes that follow it, so one pass with
 * this small table replaces recursion.
 */
int
bat_pack_skip(struct bat_pack_reader *reader, unsigned depth_max)
{
	uint64_t left[BAT_PACK_DEPTH_MAX];
	unsigned depth = 0;

	if (depth_max > BAT_PACK_DEPTH_MAX)
		depth_max = BAT_PACK_DEPTH_MAX;
	if (depth_max == 0)
		return BAT_DATA_CORRUPT;
	left[0] = 1;
	for (;;) {
		struct bat_pack_token token;
		const uint8_t *at = reader->at;
		uint64_t elements = 0;
		int code;

		while (left[depth] == 0) {
			if (depth == 0)
				return 0;
			depth--;
		}
		code = bat_pack_next(reader, &token);
		if (code != 0)
			return code;
		left[depth]--;
		if (token.type == BAT_PACK_ARRAY)
			elements = token.count;
		else if (token.type == BAT_PACK_MAP)
			elements = 2 * (uint64_t)token.count;
		if (elements == 0)
			continue;
		if (++depth == depth_max) {
			reader->at = at;
			return BAT_DATA_CORRUPT;
		}
		left[depth] = elements;
	}
}
