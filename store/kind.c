#include "kind.h"

#include "plant.h"

#define CATEGORY_SYSTEM 0x0
#define CATEGORY_EFFECT 0xd
#define KIND_EFFECT_ERROR 0xd001

static unsigned
category_of(uint16_t kind)
{
	return (unsigned)kind >> 12;
}

bool
bat_kind_is_reserved(uint16_t kind)
{
	return category_of(kind) == CATEGORY_SYSTEM ||
	    category_of(kind) == CATEGORY_EFFECT;
}

uint16_t
bat_kind_mapped(uint16_t kind)
{
	if (category_of(kind) == CATEGORY_SYSTEM) {
		bool known = (kind >= 0x0001 && kind <= 0x0009) ||
		    kind == BAT_KIND_DENIAL || kind == BAT_KIND_TOMBSTONE;

		return known || BAT_PLANT(12) ? kind : BAT_KIND_DATA;
	}
	if (category_of(kind) == CATEGORY_EFFECT) {
		/* d003 was never given a meaning. */
		bool known = kind >= 0xd001 && kind <= 0xd007 && kind != 0xd003;

		return known ? kind : KIND_EFFECT_ERROR;
	}
	return kind;
}

void
bat_kind_to_text(uint16_t kind, char out[6])
{
	static const char digits[] = "0123456789abcdef";

	out[0] = digits[kind >> 12];
	out[1] = '.';
	out[2] = digits[kind >> 8 & 15];
	out[3] = digits[kind >> 4 & 15];
	out[4] = digits[kind & 15];
	out[5] = '\0';
}

/* The value of a lower hex digit, -1 for anything else. */
static int
digit_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Add length hex digits to *value; capitals only when any_case. */
static bool
take_digits(const uint8_t *p, size_t length, bool any_case, unsigned *value)
{
	for (size_t i = 0; i < length; i++) {
		uint8_t c = p[i];
		int digit;

		if (any_case && c >= 'A' && c <= 'F')
			c = (uint8_t)(c - 'A' + 'a');
		digit = digit_of(c);
		if (digit < 0)
			return false;
		*value = *value << 4 | (unsigned)digit;
	}
	return true;
}

bool
bat_kind_from_text(struct bat_slice text, uint16_t *out)
{
	const uint8_t *p = text.data;
	unsigned value = 0;

	if (text.length >= 3 && text.length <= 6 && p[0] == '0' &&
	    p[1] == 'x') {
		if (!take_digits(p + 2, text.length - 2, true, &value))
			return false;
	} else if (text.length == 5 && p[1] == '.') {
		if (!take_digits(p, 1, false, &value) ||
		    !take_digits(p + 2, 3, false, &value))
			return false;
	} else {
		return false;
	}
	*out = (uint16_t)value;
	return true;
}
