#include "random_pack.h"

#include <stdlib.h>

static void
put(struct bat_buf *buf, const void *data, size_t length)
{
	if (bat_bytes_append(buf, data, length) != 0)
		abort();
}

static void
put_be(struct bat_buf *buf, uint8_t marker, uint64_t value, size_t width)
{
	put(buf, &marker, 1);
	if (bat_bytes_append_be(buf, value, width) != 0)
		abort();
}

double
random_double(struct random *random)
{
	static const double special[] = { 0.0, 1.0, 0.1, 1e15, 1e16, 1e22, 1e23,
		5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
		9007199254740993.0, 1e-4, 1e-5, 123456.789 };
	uint64_t bits = random_next(random);
	double value;

	switch (random_below(random, 5)) {
	case 0:
		value = special[random_below(random,
		    sizeof(special) / sizeof(*special))];
		break;
	case 1: /* a power of two */
		bits &= UINT64_C(0x7ff) << 52;
		memcpy(&value, &bits, sizeof(value));
		break;
	case 2:
		value = (double)random_below(random, 1000000);
		for (uint32_t i = random_below(random, 8); i > 0; i--)
			value /= 10;
		break;
	case 3:
		value = (double)(bits >> random_below(random, 64));
		break;
	default:
		memcpy(&value, &bits, sizeof(value));
	}
	return random_below(random, 4) == 0 ? -value : value;
}

void
random_text_append(struct random *random, struct bat_buf *buf)
{
	static const char *const parts[] = { "a", "player", ":", " ", "\"",
		"\\", "/", "\n", "\t", "\r", "\b", "\f", "\x01", "\x1f", "\x7f",
		"\xc2\x80", "\xc2\x9f", "\xc2\xa0", "\xc3\xa9", "\xe2\x80\xa7",
		"\xe2\x80\xa8", "\xe2\x80\xae", "\xe2\x80\xaf", "\xe2\x81\xa5",
		"\xe2\x81\xa6", "\xe2\x81\xa9", "\xe2\x81\xaa", "\xe2\x82\xac",
		"\xf0\x9f\xa6\x87", "$", "$bin", "0123456789abcdef",
		"\xef\xbb\xbf" };
	uint32_t count = random_below(random, 8);

	while (count-- > 0) {
		const char *part =
		    parts[random_below(random, sizeof(parts) / sizeof(*parts))];

		put(buf, part, strlen(part));
	}
	if (random_below(random, 50) == 0)
		put(buf, "\0", 1);
}

static void
put_integer(struct random *random, struct bat_buf *buf)
{
	static const uint8_t markers[] = { 0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xd1,
		0xd2, 0xd3 };
	uint32_t form = random_below(random, 10);
	uint64_t value = random_next(random) >> random_below(random, 64);
	uint8_t byte = (uint8_t)value;

	if (form >= 8) {
		byte = form == 8 ? byte & 0x7f : byte | 0xe0;
		put(buf, &byte, 1);
		return;
	}
	/* Often the value itself wants this form, often a shorter one. */
	if (form >= 4 && random_below(random, 2) == 0)
		value = -value;
	put_be(buf, markers[form], value, (size_t)1 << (form & 3));
}

/* A header and the bytes behind it, in a form that may be too long. */
static void
put_bytes(struct random *random, struct bat_slice bytes, bool text,
    struct bat_buf *buf)
{
	uint32_t form = random_below(random, 3);
	uint8_t marker = text ? 0xd9 : 0xc4;

	if (text && bytes.length < 32 && random_below(random, 8) != 0) {
		marker = (uint8_t)(0xa0 | bytes.length);
		put(buf, &marker, 1);
	} else {
		if (random_below(random, 8) != 0)
			form = 0;
		put_be(buf, (uint8_t)(marker + form), bytes.length,
		    (size_t)1 << form);
	}
	put(buf, bytes.data, bytes.length);
}

static void
put_string(struct random *random, struct bat_buf *buf)
{
	static const char *const tags[] = { "$bin", "$$bin", "$ext", "$map",
		"$float", "$str", "$", "$$", "$bins", "bin", "$$$map" };
	struct bat_buf text = BAT_BUF_EMPTY;

	if (random_below(random, 4) == 0) {
		const char *tag =
		    tags[random_below(random, sizeof(tags) / sizeof(*tags))];

		put(&text, tag, strlen(tag));
	} else {
		random_text_append(random, &text);
	}
	if (random_below(random, 20) == 0)
		put(&text, "\xff", 1);
	put_bytes(random, bat_bytes_of_buf(&text), true, buf);
	bat_bytes_free(&text);
}

static void
put_ext(struct random *random, struct bat_buf *buf)
{
	uint8_t type = (uint8_t)random_next(random);
	uint32_t form = random_below(random, 8);
	uint64_t filler = random_next(random);
	size_t length;

	if (form < 5) {
		uint8_t marker = (uint8_t)(0xd4 + form);

		put(buf, &marker, 1);
		length = (size_t)1 << form;
	} else {
		length = random_below(random, 20);
		put_be(buf, (uint8_t)(0xc7 + form - 5), length,
		    (size_t)1 << (form - 5));
	}
	put(buf, &type, 1);
	for (size_t i = 0; i < length; i++)
		put(buf, (const uint8_t *)&filler + i % sizeof(filler), 1);
}

static void
put_float(struct random *random, struct bat_buf *buf)
{
	static const uint64_t odd[] = { 0x7ff8000000000000, 0x7ff8000000000001,
		0xfff8000000000000, 0x7ff0000000000000, 0xfff0000000000000,
		0x8000000000000000 };
	double value = random_double(random);
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	if (random_below(random, 8) == 0)
		bits = odd[random_below(random, sizeof(odd) / sizeof(*odd))];
	if (random_below(random, 8) == 0)
		put_be(buf, 0xca, random_next(random) & UINT32_MAX, 4);
	else
		put_be(buf, 0xcb, bits, 8);
}

static void
put_container(struct random *random, unsigned depth, struct bat_buf *buf)
{
	bool map = random_below(random, 2) == 0;
	uint32_t count = random_below(random, 5);
	uint32_t form = random_below(random, 12);
	uint8_t marker;

	if (random_below(random, 40) == 0)
		count = 14 + random_below(random, 10);
	if (form < 2) {
		put_be(buf, (uint8_t)((map ? 0xde : 0xdc) + form), count,
		    (size_t)2 << form);
	} else if (count < 16) {
		marker = (uint8_t)((map ? 0x80 : 0x90) | count);
		put(buf, &marker, 1);
	} else {
		put_be(buf, map ? 0xde : 0xdc, count, 2);
	}
	for (uint32_t i = 0; i < count; i++) {
		if (map && random_below(random, 16) != 0)
			put_string(random, buf);
		else if (map)
			random_pack_append(random, depth - 1, buf);
		random_pack_append(random, depth - 1, buf);
	}
}

void
random_pack_append(struct random *random, unsigned depth, struct bat_buf *buf)
{
	static const uint8_t literals[] = { 0xc0, 0xc2, 0xc3 };
	uint32_t pick = random_below(random, 12);
	uint8_t bytes[24];

	if (depth > 1 && pick < 5) {
		put_container(random, depth, buf);
		return;
	}
	switch (pick % 6) {
	case 0:
		put(buf, &literals[random_below(random, 3)], 1);
		break;
	case 1:
		put_integer(random, buf);
		break;
	case 2:
		put_string(random, buf);
		break;
	case 3:
		put_float(random, buf);
		break;
	case 4:
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)random_next(random);
		put_bytes(random,
		    bat_bytes_slice(bytes, random_below(random, 24)), false,
		    buf);
		break;
	default:
		put_ext(random, buf);
	}
}
