/*
 * The part of bytes that turns bytes into printable text and back: hex and
 * base64.
 */
#include "bytes.h"

#include "error.h"

int
bat_bytes_append_hex(struct bat_buf *buf, const void *data, size_t length)
{
	int code;

	if (length > PTRDIFF_MAX / 2)
		return BAT_WORLD_NO_MEMORY;
	code = bat_bytes_reserve(buf, 2 * length);
	if (code != 0 || length == 0)
		return code;
	(void)bat_bytes_put_hex(buf->data + buf->length, data, length);
	buf->length += 2 * length;
	return 0;
}

/* Four characters for the 24 bits of a group; returns the place behind. */
static uint8_t *
put_group(uint8_t *to, uint32_t bits)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	to[0] = (uint8_t)digits[bits >> 18 & 63];
	to[1] = (uint8_t)digits[bits >> 12 & 63];
	to[2] = (uint8_t)digits[bits >> 6 & 63];
	to[3] = (uint8_t)digits[bits & 63];
	return to + 4;
}

int
bat_bytes_append_base64(struct bat_buf *buf, const void *data, size_t length)
{
	const uint8_t *from = data;
	uint8_t *to;
	size_t tail = length % 3;
	int code;

	if (length > PTRDIFF_MAX / 2)
		return BAT_WORLD_NO_MEMORY;
	code = bat_bytes_reserve(buf, (length + 2) / 3 * 4);
	if (code != 0 || length == 0)
		return code;
	to = buf->data + buf->length;
	for (size_t i = 0; i < length / 3; i++, from += 3)
		to = put_group(to,
		    (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2]);
	if (tail == 1) {
		to = put_group(to, (uint32_t)from[0] << 16);
		to[-2] = '=';
		to[-1] = '=';
	} else if (tail == 2) {
		to = put_group(to,
		    (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8);
		to[-1] = '=';
	}
	buf->length += (length + 2) / 3 * 4;
	return 0;
}

/* The value of a base64 digit; 64 for any other byte. */
/* clang-format off */
static const uint8_t digit_values[256] = {
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 64, 64, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64, 64,
	64,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 64,
	64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
};
/* clang-format on */

/* The 24 bits of four digits; false when one of them is none. */
static bool
get_group(const uint8_t *from, uint32_t *out_bits)
{
	uint8_t a = digit_values[from[0]], b = digit_values[from[1]];
	uint8_t c = digit_values[from[2]], d = digit_values[from[3]];

	*out_bits = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 |
	    (uint32_t)d;
	return ((a | b | c | d) & 64) == 0;
}

/*
 * The last group may end in one or two '='; its unused bits have to be zero,
 * so that each text has one reading and each reading one text.
 */
static bool
get_last_group(const uint8_t *from, uint8_t *to, size_t *out_length)
{
	uint8_t group[4] = { from[0], from[1], from[2], from[3] };
	size_t length = 3;
	uint32_t bits;

	if (group[3] == '=') {
		group[3] = 'A';
		length = 2;
		if (group[2] == '=') {
			group[2] = 'A';
			length = 1;
		}
	}
	if (!get_group(group, &bits))
		return false;
	if ((length < 3 && (bits & 0xff) != 0) ||
	    (length < 2 && (bits & 0xffff) != 0))
		return false;
	for (size_t i = 0; i < length; i++)
		to[i] = (uint8_t)(bits >> (16 - 8 * i));
	*out_length = length;
	return true;
}

bool
bat_bytes_unbase64(struct bat_slice text, uint8_t *out, size_t *out_length)
{
	size_t groups = text.length / 4, last_length = 0;
	const uint8_t *from = text.data;

	if (text.length % 4 != 0)
		return false;
	for (size_t i = 0; i + 1 < groups; i++, from += 4, out += 3) {
		uint32_t bits;

		if (!get_group(from, &bits))
			return false;
		out[0] = (uint8_t)(bits >> 16);
		out[1] = (uint8_t)(bits >> 8);
		out[2] = (uint8_t)bits;
	}
	if (groups > 0 && !get_last_group(from, out, &last_length))
		return false;
	*out_length = groups == 0 ? 0 : 3 * (groups - 1) + last_length;
	return true;
}

int
bat_bytes_append_unbase64(struct bat_buf *buf, struct bat_slice text)
{
	size_t length;
	int code;

	if (text.length % 4 != 0)
		return BAT_USE_INVALID;
	if (text.length == 0)
		return 0;
	code = bat_bytes_reserve(buf, text.length / 4 * 3);
	if (code != 0)
		return code;
	if (!bat_bytes_unbase64(text, buf->data + buf->length, &length))
		return BAT_USE_INVALID;
	buf->length += length;
	return 0;
}
