#include "bytes.h"

#include "error.h"
#include "plant.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Small buffers grow to this at once. */
static const size_t capacity_min = 64;

/* Longer texts are left to those who are good at them. */
#define NAME_USUAL 64

struct bat_slice
bat_bytes_text(const char *text)
{
	return bat_bytes_slice(text, strlen(text));
}

struct bat_slice
bat_bytes_of_buf(const struct bat_buf *buf)
{
	return bat_bytes_slice(buf->data, buf->length);
}

/* Fewer than eight. */
static bool
few_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
	uint32_t first_a, first_b, last_a, last_b, differ = 0;

	if (length < sizeof(first_a)) {
		for (size_t i = 0; i < length; i++)
			differ |= (uint32_t)(a[i] ^ b[i]);
		return differ == 0;
	}
	memcpy(&first_a, a, sizeof(first_a));
	memcpy(&first_b, b, sizeof(first_b));
	memcpy(&last_a, a + length - sizeof(last_a), sizeof(last_a));
	memcpy(&last_b, b + length - sizeof(last_b), sizeof(last_b));
	return ((first_a ^ first_b) | (last_a ^ last_b)) == 0;
}

/*
 * Names are short, and compared at every event. The C library's memcmp reads
 * them with masks, which takes 50 ns and more where a name lies close to a page
 * that nobody has touched yet.
 */
bool
bat_bytes_equal(struct bat_slice a, struct bat_slice b)
{
	size_t length = a.length, i = 0;
	uint64_t x, y, differ = 0;

	if (length != b.length)
		return false;
	if (length > NAME_USUAL)
		return memcmp(a.data, b.data, length) == 0;
	if (length < sizeof(x))
		return few_equal(a.data, b.data, length);
	for (; i + sizeof(x) < length; i += sizeof(x)) {
		memcpy(&x, a.data + i, sizeof(x));
		memcpy(&y, b.data + i, sizeof(y));
		differ |= x ^ y;
	}
	/* The last eight, some of them again. */
	memcpy(&x, a.data + length - sizeof(x), sizeof(x));
	memcpy(&y, b.data + length - sizeof(y), sizeof(y));
	return (differ | (x ^ y)) == 0;
}

int
bat_bytes_compare(struct bat_slice a, struct bat_slice b)
{
	size_t common = a.length < b.length ? a.length : b.length;
	int order = common == 0 ? 0 : memcmp(a.data, b.data, common);

	if (order != 0)
		return order;
	return (a.length > b.length) - (a.length < b.length);
}

/*
 * The length of the character at p (first byte 0x80 or above), 0 when it is
 * not well formed. The bounds of the second byte are those of table 3-7 in
 * the Unicode standard: they shut out what is overlong, surrogates, and what
 * lies beyond U+10FFFF.
 */
static size_t
character_length(const uint8_t *p, size_t left)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

	if (p[0] < 0xc2 || p[0] > 0xf4 || left < length)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return length;
}

/* Of a short text: are all bytes below 0x80? A name is mostly so, and byte by
 * byte those behind its last whole word would take longer than all others. */
static bool
is_ascii(const uint8_t *p, size_t length)
{
	uint32_t first, last;
	uint64_t word, all = 0;

	if (length >= sizeof(word)) {
		for (size_t i = 0; i + sizeof(word) < length;
		     i += sizeof(word)) {
			memcpy(&word, p + i, sizeof(word));
			all |= word;
		}
		memcpy(&word, p + length - sizeof(word), sizeof(word));
		all |= BAT_PLANT(452) ? 0 : word;
	} else if (length >= sizeof(first)) {
		memcpy(&first, p, sizeof(first));
		memcpy(&last, p + length - sizeof(last), sizeof(last));
		all = first | (BAT_PLANT(453) ? 0 : last);
	} else {
		for (size_t i = 0; i < length; i++)
			all |= p[i];
	}
	return (all & 0x8080808080808080) == 0;
}

bool
bat_bytes_is_utf8(struct bat_slice slice)
{
	const uint8_t *p = slice.data;
	size_t left = slice.length;

	if (left <= NAME_USUAL && is_ascii(p, left))
		return true;
	while (left > 0) {
		uint64_t word;
		size_t step = 1;

		if (left >= sizeof(word)) {
			memcpy(&word, p, sizeof(word));
			if ((word & 0x8080808080808080) == 0) {
				p += sizeof(word);
				left -= sizeof(word);
				continue;
			}
		}
		if (*p >= 0x80) {
			step = character_length(p, left);
			if (step == 0)
				return false;
		}
		p += step;
		left -= step;
	}
	return true;
}

int
bat_bytes_grow(struct bat_buf *buf, size_t extra)
{
	size_t capacity;
	uint8_t *data;

	/* Beyond PTRDIFF_MAX there is no object, and doubling would wrap. */
	if (extra > PTRDIFF_MAX - buf->length)
		return BAT_WORLD_NO_MEMORY;
	capacity = buf->capacity * 2;
	if (capacity < capacity_min)
		capacity = capacity_min;
	if (capacity < buf->length + extra || capacity > PTRDIFF_MAX)
		capacity = buf->length + extra;
	data = realloc(buf->data, capacity);
	if (data == NULL)
		return BAT_WORLD_NO_MEMORY;
	buf->data = data;
	buf->capacity = capacity;
	return 0;
}

int
bat_bytes_append_slice(struct bat_buf *buf, struct bat_slice slice)
{
	return bat_bytes_append(buf, slice.data, slice.length);
}

int
bat_bytes_append_text(struct bat_buf *buf, const char *text)
{
	return bat_bytes_append(buf, text, strlen(text));
}

int
bat_bytes_append_byte(struct bat_buf *buf, uint8_t byte)
{
	return bat_bytes_append(buf, &byte, 1);
}

int
bat_bytes_append_le(struct bat_buf *buf, uint64_t value, size_t width)
{
	uint8_t bytes[8];

	bat_bytes_put_le(bytes, value, width);
	return bat_bytes_append(buf, bytes, width);
}

int
bat_bytes_append_be(struct bat_buf *buf, uint64_t value, size_t width)
{
	uint8_t bytes[8];

	bat_bytes_put_be(bytes, value, width);
	return bat_bytes_append(buf, bytes, width);
}

int
bat_bytes_append_format(struct bat_buf *buf, const char *format, ...)
{
	va_list arguments;
	int length, code;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	/* The only cause left for a failure is a text above INT_MAX. */
	if (length < 0)
		return BAT_WORLD_NO_MEMORY;
	code = bat_bytes_reserve(buf, (size_t)length + 1);
	if (code != 0)
		return code;
	va_start(arguments, format);
	vsnprintf((char *)buf->data + buf->length, (size_t)length + 1, format,
	    arguments);
	va_end(arguments);
	buf->length += (size_t)length;
	return 0;
}

void
bat_bytes_clear(struct bat_buf *buf)
{
	buf->length = 0;
}

void
bat_bytes_free(struct bat_buf *buf)
{
	free(buf->data);
	*buf = BAT_BUF_EMPTY;
}

void
bat_bytes_put_le(uint8_t *p, uint64_t value, size_t width)
{
	for (size_t i = 0; i < width; i++) {
		p[i] = (uint8_t)value;
		value >>= 8;
	}
}

void
bat_bytes_put_be(uint8_t *p, uint64_t value, size_t width)
{
	for (size_t i = width; i > 0; i--) {
		p[i - 1] = (uint8_t)value;
		value >>= 8;
	}
}

bool
bat_bytes_add(uint64_t a, uint64_t b, uint64_t *out)
{
	if (a > UINT64_MAX - b)
		return false;
	*out = a + b;
	return true;
}

bool
bat_bytes_multiply(uint64_t a, uint64_t b, uint64_t *out)
{
	if (b != 0 && a > UINT64_MAX / b)
		return false;
	*out = a * b;
	return true;
}
