#include "json.h"

#include "json_number.h"
#include "json_plain.h"

int
batfs_json_write_double(struct bat_buf *buf, double value)
{
	return batfs_json_number_write_double(buf, value);
}

static bool
is_plain_word(const uint8_t *p)
{
	const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
	uint64_t word, quote, slash, del;

	memcpy(&word, p, sizeof(word));
	quote = word ^ ones * '"';
	slash = word ^ ones * '\\';
	del = word ^ ones * 0x7f;
	/* The top bit of a byte: below 0x20, zero (thrice), above 0x7f. */
	return (((word - ones * 0x20) | (quote - ones) | (slash - ones) |
		    (del - ones) | word) &
		   tops) == 0;
}

/*
 * The code point to be escaped at p, and its length in bytes; 0 when what
 * stands there is shown as it is.
 */
static size_t
find_escape(const uint8_t *p, size_t left, unsigned *out_point)
{
	*out_point = *p;
	if (*p < 0x20 || *p == '"' || *p == '\\' ||
	    (*p == 0x7f && !BAT_PLANT(74)))
		return 1;
	if (*p == 0xc2 && left >= 2 && p[1] < 0xa0) {
		*out_point = p[1];
		return 2;
	}
	if (*p == 0xe2 && left >= 3) {
		unsigned point = 0x2000 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);

		*out_point = point;
		if ((point >= 0x2028 && point <= 0x202e) ||
		    (point >= 0x2066 && point <= 0x2069))
			return 3;
	}
	return 0;
}

static int
put_escape(struct bat_buf *buf, unsigned point)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = { '\\', 'u', hex[point >> 12], hex[point >> 8 & 15],
		hex[point >> 4 & 15], hex[point & 15] };
	size_t length = 2;

	switch (point) {
	case '"':
	case '\\':
		text[1] = (char)point;
		break;
	case '\b':
		text[1] = 'b';
		break;
	case '\f':
		text[1] = 'f';
		break;
	case '\n':
		text[1] = 'n';
		break;
	case '\r':
		text[1] = 'r';
		break;
	case '\t':
		text[1] = 't';
		break;
	default:
		length = sizeof(text);
	}
	return bat_bytes_append(buf, text, length);
}

/* How many bytes from the start need no escape. */
static size_t
plain_length(const uint8_t *p, size_t left)
{
	size_t i = 0;

	while (i < left) {
		unsigned point;

		if (left - i >= 8 && is_plain_word(p + i))
			i += 8;
		else if (find_escape(p + i, left - i, &point) == 0)
			i++;
		else
			break;
	}
	return i;
}

int
batfs_json_write_string(struct bat_buf *buf, struct bat_slice text)
{
	size_t start = buf->length, at;
	int code = bat_bytes_reserve(buf,
	    text.length + 2 + BATFS_JSON_PLAIN_ROOM);

	if (code != 0)
		return code;
	buf->data[buf->length++] = '"';
	at = batfs_json_plain_copy(buf->data + buf->length, text.data,
	    text.length);
	buf->length += at;
	while (code == 0 && at < text.length) {
		const uint8_t *p = text.data + at;
		size_t run = plain_length(p, text.length - at);
		unsigned point;

		code = bat_bytes_append(buf, p, run);
		at += run;
		if (code != 0 || at == text.length)
			break;
		at += find_escape(p + run, text.length - at, &point);
		code = put_escape(buf, point);
	}
	if (code == 0)
		code = bat_bytes_append_byte(buf, '"');
	if (code != 0)
		buf->length = start;
	return code;
}
