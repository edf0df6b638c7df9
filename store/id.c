#include "id.h"

#include <string.h>

bool
bat_id_equal(const struct bat_id *a, const struct bat_id *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool
bat_id_is_zero(const struct bat_id *id)
{
	return bat_id_equal(id, &BAT_ID_ZERO);
}

int
bat_id_compare(const struct bat_id *a, const struct bat_id *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/*
 * offset  size  content
 *      0     6  milliseconds since 1970, big endian
 *      6     2  4 bits version 7, 12 random bits
 *      8     8  2 bits variant (binary 10), 62 random bits
 */
struct bat_id
bat_id_make_v7(uint64_t wall_ms, const uint8_t random[10])
{
	struct bat_id id;

	bat_bytes_put_be(id.bytes, wall_ms & 0xffffffffffff, 6);
	memcpy(id.bytes + 6, random, 10);
	id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x70);
	id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
	return id;
}

struct bat_id
bat_id_from_number(uint64_t number)
{
	struct bat_id id = BAT_ID_ZERO;

	bat_bytes_put_be(id.bytes + 8, number, 8);
	return id;
}

void
bat_id_to_le(const struct bat_id *id, uint8_t out[16])
{
	for (size_t i = 0; i < 16; i++)
		out[i] = id->bytes[15 - i];
}

void
bat_id_to_hex(const struct bat_id *id, char out[33])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < 16; i++) {
		out[2 * i] = digits[id->bytes[i] >> 4];
		out[2 * i + 1] = digits[id->bytes[i] & 15];
	}
	out[32] = '\0';
}

/* The value of a hex digit, or 16. */
static unsigned
digit_value(uint8_t digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - (unsigned)'0';
	if (digit >= 'a' && digit <= 'f')
		return digit - (unsigned)'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - (unsigned)'A' + 10;
	return 16;
}

bool
bat_id_from_hex(struct bat_slice hex, struct bat_id *out)
{
	struct bat_id id = BAT_ID_ZERO;

	if (hex.length != 32)
		return false;
	for (size_t i = 0; i < 16; i++) {
		unsigned high = digit_value(hex.data[2 * i]);
		unsigned low = digit_value(hex.data[2 * i + 1]);

		if (high > 15 || low > 15)
			return false;
		id.bytes[i] = (uint8_t)(high << 4 | low);
	}
	*out = id;
	return true;
}
