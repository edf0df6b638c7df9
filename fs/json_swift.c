#include "json_swift.h"

#include "json_keys.h"
#include "json_number.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Longer ones have time. */
#define TEXT_MAX ((size_t)64 << 10)
/* A double takes nine bytes of three, and nothing else grows as much. */
#define ROOM(length) (3 * (length) + 16)
#define DEPTH_MAX 16
/* An integer of so many digits fits into 63 bits. */
#define DIGITS_MAX 18

struct level {
	uint8_t *header; /* its first byte; more are made when it is closed */
	uint32_t count, first_key;
	bool object;
};

struct swift {
	const uint8_t *at, *end;
	uint8_t *to;
	unsigned depth;
	struct batfs_json_keys keys;
	struct level levels[DEPTH_MAX];
};

/* The next byte that is no space; 0 at the end. */
static inline uint8_t
peek(struct swift *swift)
{
	while (swift->at < swift->end &&
	    (*swift->at == ' ' || *swift->at == '\t' || *swift->at == '\r' ||
		*swift->at == '\n'))
		swift->at++;
	return swift->at < swift->end ? *swift->at : 0;
}

/* ---- strings ------------------------------------------------------------ */

/* The first byte that is a quote, a backslash or a control character; end.
 * *out_high: some in front of it were above ASCII. */
static inline const uint8_t *
find_end(const uint8_t *p, const uint8_t *end, bool *out_high)
{
	unsigned high = 0;

#ifdef __SSE2__
	while (end - p >= 16) {
		__m128i bytes = _mm_loadu_si128((const void *)p);
		__m128i stops = _mm_or_si128(_mm_cmpeq_epi8(bytes,
						 _mm_set1_epi8('"')),
		    _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
		__m128i control = _mm_cmpeq_epi8(bytes,
		    _mm_min_epu8(bytes, _mm_set1_epi8(0x1f)));
		unsigned found = (unsigned)_mm_movemask_epi8(
		    _mm_or_si128(stops, control));
		unsigned above = (unsigned)_mm_movemask_epi8(bytes);

		if (found != 0) {
			/* Below the first bit of found. */
			high |= above & (found - 1) & ~found;
			*out_high = high != 0;
			return p + __builtin_ctz(found);
		}
		high |= above;
		p += 16;
	}
#endif
	for (; p < end && *p >= 0x20 && *p != '"' && *p != '\\'; p++)
		high |= *p & 0x80u;
	*out_high = high != 0;
	return p;
}

/* From its quote on; *out_text is where it stands in the line. */
static inline int
read_text(struct swift *swift, struct bat_slice *out_text)
{
	const uint8_t *from = swift->at + 1;
	bool high;
	const uint8_t *behind = find_end(from, swift->end, &high);
	size_t length = (size_t)(behind - from);

	if (behind == swift->end || *behind != '"' || length > UINT16_MAX)
		return BAT_END;
	*out_text = bat_bytes_slice(from, length);
	if (high && !bat_bytes_is_utf8(*out_text))
		return BAT_END;
	swift->to = bat_pack_put_str(swift->to, *out_text);
	swift->at = behind + 1;
	return 0;
}

/* A key and its colon. */
static int
read_key(struct swift *swift)
{
	const struct level *level = &swift->levels[swift->depth - 1];
	struct bat_slice key;

	if (peek(swift) != '"' || read_text(swift, &key) != 0)
		return BAT_END;
	/* It may be a tag. */
	if (key.length > 0 && key.data[0] == '$')
		return BAT_END;
	if (!batfs_json_keys_note(&swift->keys, level->first_key, key))
		return BAT_END;
	if (peek(swift) != ':')
		return BAT_END;
	swift->at++;
	return 0;
}

/* ---- numbers and words -------------------------------------------------- */

/* A number that is not a short integer. */
static int
read_long_number(struct swift *swift)
{
	struct bat_slice rest = bat_bytes_slice(swift->at,
	    (size_t)(swift->end - swift->at));
	struct batfs_json_number number;
	const char *why;
	size_t used;
	uint64_t bits;

	if (batfs_json_number_read(rest, &number, &used, &why) != 0)
		return BAT_END;
	swift->at += used;
	switch (number.type) {
	case BATFS_JSON_NUMBER_UINT:
		swift->to = bat_pack_put_uint(swift->to, number.number);
		break;
	case BATFS_JSON_NUMBER_INT:
		swift->to = bat_pack_put_int(swift->to, number.integer);
		break;
	case BATFS_JSON_NUMBER_REAL:
		memcpy(&bits, &number.real, sizeof(bits));
		swift->to = bat_pack_put_be64(swift->to, 0xcb, bits);
		break;
	}
	return 0;
}

static int
read_number(struct swift *swift)
{
	const uint8_t *p = swift->at, *first;
	bool negative = *p == '-';
	uint64_t value = 0;

	p += negative;
	first = p;
	for (; p < swift->end && *p >= '0' && *p <= '9' &&
	     p - first <= DIGITS_MAX;
	     p++)
		value = 10 * value + (uint64_t)(*p - '0');
	if (p == first || p - first > DIGITS_MAX ||
	    (*first == '0' && p - first > 1) ||
	    (p < swift->end && (*p == '.' || *p == 'e' || *p == 'E')))
		return read_long_number(swift);
	swift->at = p;
	swift->to = bat_pack_put_int(swift->to,
	    negative ? -(int64_t)value : (int64_t)value);
	return 0;
}

static int
read_word(struct swift *swift, const char *word, size_t length, uint8_t packed)
{
	if ((size_t)(swift->end - swift->at) < length ||
	    memcmp(swift->at, word, length) != 0)
		return BAT_END;
	swift->at += length;
	*swift->to++ = packed;
	return 0;
}

static int
read_scalar(struct swift *swift, uint8_t first)
{
	struct bat_slice text;

	switch (first) {
	case '"':
		return read_text(swift, &text);
	case 't':
		return read_word(swift, "true", 4, 0xc3);
	case 'f':
		return read_word(swift, "false", 5, 0xc2);
	case 'n':
		return read_word(swift, "null", 4, 0xc0);
	default:
		return first == '-' || (first >= '0' && first <= '9') ?
		    read_number(swift) :
		    BAT_END;
	}
}

/* ---- arrays and objects ------------------------------------------------- */

static int
open_level(struct swift *swift, bool object)
{
	if (swift->depth == DEPTH_MAX)
		return BAT_END;
	swift->levels[swift->depth++] = (struct level){
		.header = swift->to++,
		.first_key = swift->keys.count,
		.object = object,
	};
	swift->at++;
	return 0;
}

/* Its count is known now; one above 15 needs two more bytes in front. */
static int
close_level(struct swift *swift)
{
	struct level *level = &swift->levels[--swift->depth];
	uint8_t *body = level->header + 1;

	swift->keys.count = level->first_key;
	swift->at++;
	if (level->count < 16) {
		*level->header = (uint8_t)((level->object ? 0x80 : 0x90) |
		    level->count);
		return 0;
	}
	if (level->count > UINT16_MAX)
		return BAT_END;
	memmove(body + 2, body, (size_t)(swift->to - body));
	swift->to += 2;
	level->header[0] = level->object ? 0xde : 0xdc;
	level->header[1] = (uint8_t)(level->count >> 8);
	level->header[2] = (uint8_t)level->count;
	return 0;
}

/*
 * From behind a value, or behind the bracket of a level that was opened (then
 * none stands before the first), to the next value: 0; BAT_END, also where the
 * text is at its end, and then depth is 0.
 */
static int
go_on(struct swift *swift, bool opened)
{
	while (swift->depth > 0) {
		struct level *level = &swift->levels[swift->depth - 1];
		uint8_t next = peek(swift);

		if (next == (level->object ? '}' : ']') &&
		    (opened || level->count > 0)) {
			if (close_level(swift) != 0)
				return BAT_END;
			opened = false;
			continue;
		}
		if (!opened) {
			if (next != ',')
				return BAT_END;
			swift->at++;
		}
		level->count++;
		return level->object ? read_key(swift) : 0;
	}
	return 0;
}

static int
read_all(struct swift *swift)
{
	do {
		uint8_t first = peek(swift);
		bool opens = first == '{' || first == '[';
		int code = opens ? open_level(swift, first == '{') :
				   read_scalar(swift, first);

		if (code == 0)
			code = go_on(swift, opens);
		if (code != 0)
			return code;
	} while (swift->depth > 0);
	return 0;
}

int
batfs_json_swift_read(struct bat_slice text, struct bat_buf *buf,
    size_t *out_used)
{
	struct swift swift;
	int code;

	if (text.length == 0 || text.length > TEXT_MAX)
		return BAT_END;
	code = bat_bytes_reserve(buf, ROOM(text.length));
	if (code != 0)
		return code;
	swift.at = text.data;
	swift.end = text.data + text.length;
	swift.to = buf->data + buf->length;
	swift.depth = 0;
	swift.keys.count = 0;
	code = read_all(&swift);
	if (code != 0)
		return code;
	buf->length = (size_t)(swift.to - buf->data);
	*out_used = (size_t)(swift.at - text.data);
	return 0;
}
