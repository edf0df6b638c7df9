#include "json_text.h"

int
batfs_json_text_fail(struct batfs_json_text *text, const uint8_t *at,
    const char *why)
{
	return bat_error_set_at(text->error, BAT_USE_INVALID, 0,
	    (uint64_t)(at - text->start), "%s", why);
}

void
batfs_json_text_skip_space(struct batfs_json_text *text)
{
	while (text->at < text->end &&
	    (*text->at == ' ' || *text->at == '\t' || *text->at == '\r' ||
		*text->at == '\n'))
		text->at++;
}

uint8_t
batfs_json_text_peek(struct batfs_json_text *text)
{
	batfs_json_text_skip_space(text);
	return text->at < text->end ? *text->at : 0;
}

int
batfs_json_text_expect(struct batfs_json_text *text, char wanted,
    const char *why)
{
	if (batfs_json_text_peek(text) != (uint8_t)wanted)
		return batfs_json_text_fail(text, text->at, why);
	text->at++;
	return 0;
}

int
batfs_json_text_number(struct batfs_json_text *text,
    struct batfs_json_number *out)
{
	struct bat_slice rest = bat_bytes_slice(text->at,
	    (size_t)(text->end - text->at));
	const char *why;
	size_t used;
	int code = batfs_json_number_read(rest, out, &used, &why);

	if (code != 0)
		return batfs_json_text_fail(text, text->at + used, why);
	text->at += used;
	return 0;
}

/* ---- strings --------------------------------------------------------- */

static bool
is_plain_word(const uint8_t *p)
{
	const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
	uint64_t word, quote, slash;

	memcpy(&word, p, sizeof(word));
	quote = word ^ ones * '"';
	slash = word ^ ones * '\\';
	/* The top bit of a byte is set where it is below 0x20, or zero; high
	 * bytes are let through by the last factors. */
	return ((((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) |
		    ((slash - ones) & ~slash)) &
		   tops) == 0;
}

/* The first byte from p on that ends a run of ordinary ones. */
static const uint8_t *
skip_plain(const uint8_t *p, const uint8_t *end)
{
	for (;;) {
		if (end - p >= 8 && is_plain_word(p))
			p += 8;
		else if (p < end && *p >= 0x20 && *p != '"' && *p != '\\')
			p++;
		else
			return p;
	}
}

/* Four hex digits at p; -1 when they are not there. */
static int
read_unit(const uint8_t *p, const uint8_t *end)
{
	int unit = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		uint8_t c = p[i];
		int digit = -1;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (c | 0x20) - 'a' + 10;
		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

static int
append_point(struct bat_buf *buf, uint32_t point)
{
	uint8_t bytes[4];
	size_t length;

	if (point < 0x80) {
		bytes[0] = (uint8_t)point;
		length = 1;
	} else if (point < 0x800) {
		bytes[0] = (uint8_t)(0xc0 | point >> 6);
		length = 2;
	} else if (point < 0x10000) {
		bytes[0] = (uint8_t)(0xe0 | point >> 12);
		length = 3;
	} else {
		bytes[0] = (uint8_t)(0xf0 | point >> 18);
		length = 4;
	}
	for (size_t i = 1; i < length; i++)
		bytes[i] = (uint8_t)(0x80 |
		    (point >> (6 * (length - 1 - i)) & 0x3f));
	return bat_bytes_append(buf, bytes, length);
}

/* Behind "\u": one unit, or two that are a surrogate pair. */
static int
read_point(struct batfs_json_text *text, const uint8_t *escape)
{
	int unit = read_unit(text->at, text->end), low = -1;
	uint32_t point;

	if (unit < 0)
		return batfs_json_text_fail(text, escape,
		    "four hex digits have to follow \\u");
	text->at += 4;
	point = (uint32_t)unit;
	if (unit >= 0xd800 && unit < 0xe000) {
		if (unit < 0xdc00 && text->end - text->at >= 2 &&
		    text->at[0] == '\\' && text->at[1] == 'u')
			low = read_unit(text->at + 2, text->end);
		if (low < (BAT_PLANT(76) ? 0xd800 : 0xdc00) || low >= 0xe000)
			return batfs_json_text_fail(text, escape,
			    "a surrogate stands alone; write both halves, or "
			    "the character itself as UTF-8");
		text->at += 6;
		point = 0x10000 + (((uint32_t)unit & 0x3ff) << 10) +
		    ((uint32_t)low & 0x3ff);
	}
	return append_point(text->scratch, point);
}

static int
read_escape(struct batfs_json_text *text)
{
	static const char names[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	const uint8_t *escape = text->at++;
	const char *name;

	if (text->at < text->end && *text->at == 'u') {
		text->at++;
		return read_point(text, escape);
	}
	name = text->at < text->end && *text->at != 0 ?
	    strchr(names, *text->at) :
	    NULL;
	if (name == NULL)
		return batfs_json_text_fail(text, escape,
		    "JSON has no such escape; a backslash itself is \\\\");
	text->at++;
	return bat_bytes_append_byte(text->scratch,
	    (uint8_t)values[name - names]);
}

static int
fail_in_string(struct batfs_json_text *text, const uint8_t *quote)
{
	if (text->at == text->end)
		return batfs_json_text_fail(text, quote,
		    "the string that starts here has no closing quote");
	return batfs_json_text_fail(text, text->at,
	    "a control character stands in a string; write it as an escape, "
	    "e.g. \\t or \\u001b");
}

int
batfs_json_text_string(struct batfs_json_text *text, struct bat_slice *out)
{
	const uint8_t *quote = text->at, *run = quote + 1;
	int code = 0;

	if (text->at == text->end || *quote != '"')
		return batfs_json_text_fail(text, text->at,
		    "a string in double quotes has to stand here");
	bat_bytes_clear(text->scratch);
	text->at = skip_plain(run, text->end);
	if (text->at < text->end && *text->at == '"') {
		*out = bat_bytes_slice(run, (size_t)(text->at - run));
	} else {
		while (code == 0 && text->at < text->end && *text->at == '\\') {
			code = bat_bytes_append(text->scratch, run,
			    (size_t)(text->at - run));
			if (code == 0)
				code = read_escape(text);
			run = text->at;
			text->at = skip_plain(run, text->end);
		}
		if (code != 0)
			return code;
		if (text->at == text->end || *text->at != '"')
			return fail_in_string(text, quote);
		code = bat_bytes_append(text->scratch, run,
		    (size_t)(text->at - run));
		if (code != 0)
			return code;
		*out = bat_bytes_of_buf(text->scratch);
	}
	text->at++;
	if (!bat_bytes_is_utf8(*out))
		return batfs_json_text_fail(text, quote,
		    "the string that starts here is not UTF-8; other bytes go "
		    "behind @tagged as {\"$bin\":\"<base64>\"}");
	return 0;
}
