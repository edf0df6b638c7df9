#include "json_plain.h"

#include "json.h"
#include "json_keys.h"
#include "json_number.h"

#define DEPTH_MAX 16 /* values within each other */
/* What a token adds at most beside the bytes of its text: quotes, a separator
 * before and one behind, or the digits of a number and these. */
#define TOKEN_ROOM 32

struct level {
	uint32_t left; /* values or pairs that are still to come */
	uint32_t first_key;
	bool object, started;
};

struct plain {
	const uint8_t *at, *end;
	struct bat_buf *buf;
	struct batfs_json_keys keys;
};

static inline int
make_room(struct plain *plain, size_t length)
{
	if (plain->buf->capacity - plain->buf->length >= length)
		return 0;
	return bat_bytes_reserve(plain->buf, length);
}

static inline void
put_byte(struct plain *plain, char byte)
{
	plain->buf->data[plain->buf->length++] = (uint8_t)byte;
}

static inline void
put(struct plain *plain, const char *text, size_t length)
{
	memcpy(plain->buf->data + plain->buf->length, text, length);
	plain->buf->length += length;
}

static inline size_t
left_of(const struct plain *plain)
{
	return (size_t)(plain->end - plain->at);
}

/* Big endian, of 1, 2, 4 or 8 bytes. */
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

/* ---- strings ----------------------------------------------------------- */

/* The header of a string in its shortest form, stepped over. */
static bool
take_length(struct plain *plain, size_t *out_length)
{
	uint8_t marker;
	size_t length, width;

	if (plain->at == plain->end)
		return false;
	marker = *plain->at;
	if ((marker & 0xe0) == 0xa0) {
		width = 0;
		length = marker & 31;
	} else if (marker >= 0xd9 && marker <= 0xdb) {
		width = (size_t)1 << (marker - 0xd9);
		if (left_of(plain) < 1 + width)
			return false;
		length = get_number(plain->at + 1, width);
		if (length < (width == 1 ? 32 : (size_t)1 << (4 * width)))
			return false;
	} else {
		return false;
	}
	if (left_of(plain) - 1 - width < length)
		return false;
	plain->at += 1 + width;
	*out_length = length;
	return true;
}

/* The string of so many bytes that stands at plain->at; there is TOKEN_ROOM
 * beside. 0, BAT_END, BAT_WORLD_NO_MEMORY. */
static int
write_text(struct plain *plain, size_t length)
{
	struct bat_slice text = bat_bytes_slice(plain->at, length);
	int code = make_room(plain, length + TOKEN_ROOM);
	uint8_t *to;

	if (code != 0)
		return code;
	plain->at += length;
	to = plain->buf->data + plain->buf->length;
	to[0] = '"';
	if (batfs_json_plain_copy(to + 1, text.data, length) == length) {
		to[1 + length] = '"';
		plain->buf->length += length + 2;
		return 0;
	}
	if (!bat_bytes_is_utf8(text))
		return BAT_END;
	code = batfs_json_write_string(plain->buf, text);
	return code != 0 ? code : make_room(plain, TOKEN_ROOM);
}

/* ---- keys -------------------------------------------------------------- */

static int
write_key(struct plain *plain, const struct level *level)
{
	const uint8_t *at;
	size_t length;
	int code;

	if (!take_length(plain, &length))
		return BAT_END;
	at = plain->at;
	/* It may read as a tag. */
	if (length > 0 && at[0] == '$')
		return BAT_END;
	if (!batfs_json_keys_note(&plain->keys, level->first_key,
		bat_bytes_slice(at, length)))
		return BAT_END;
	code = write_text(plain, length);
	if (code == 0)
		put_byte(plain, ':');
	return code;
}

/* ---- numbers ------------------------------------------------------------ */

static void
put_unsigned(struct plain *plain, uint64_t value)
{
	plain->buf->length += batfs_json_number_put(
	    (char *)plain->buf->data + plain->buf->length, value);
}

/* cc to cf: the least number that has no shorter form. */
static int
write_unsigned(struct plain *plain, uint8_t marker)
{
	size_t width = (size_t)1 << (marker & 3);
	uint64_t value;

	if (left_of(plain) < 1 + width)
		return BAT_END;
	value = get_number(plain->at + 1, width);
	if (value < (width == 1 ? 0x80 : UINT64_C(1) << (4 * width)))
		return BAT_END;
	plain->at += 1 + width;
	put_unsigned(plain, value);
	return 0;
}

/* d0 to d3: negative, and below what the next shorter form holds. */
static int
write_signed(struct plain *plain, uint8_t marker)
{
	size_t width = (size_t)1 << (marker & 3);
	uint64_t magnitude, least;

	if (left_of(plain) < 1 + width)
		return BAT_END;
	magnitude = get_number(plain->at + 1, width);
	if ((magnitude >> (8 * width - 1)) == 0)
		return BAT_END;
	/* Two's complement of this width. */
	magnitude = 0 - magnitude;
	if (width < 8)
		magnitude &= (UINT64_C(1) << (8 * width)) - 1;
	least = width == 1 ? 32 : UINT64_C(1) << (4 * width - 1);
	if (magnitude <= least)
		return BAT_END;
	plain->at += 1 + width;
	put_byte(plain, '-');
	put_unsigned(plain, magnitude);
	return 0;
}

static int
write_float(struct plain *plain)
{
	uint64_t bits;
	double value;
	int code;

	if (left_of(plain) < 9)
		return BAT_END;
	bits = bat_bytes_get_be64(plain->at + 1);
	/* Neither infinite nor no number. */
	if ((bits >> 52 & 0x7ff) == 0x7ff)
		return BAT_END;
	memcpy(&value, &bits, sizeof(value));
	plain->at += 9;
	code = batfs_json_number_write_double(plain->buf, value);
	return code != 0 ? code : make_room(plain, TOKEN_ROOM);
}

/* ---- values ------------------------------------------------------------- */

static int
write_word(struct plain *plain, const char *text, size_t length)
{
	plain->at++;
	put(plain, text, length);
	return 0;
}

/* Anything that is not an array, a map or a short string or number. */
static int
write_marked(struct plain *plain, uint8_t marker)
{
	size_t length;

	switch (marker) {
	case 0xc0:
		return write_word(plain, "null", 4);
	case 0xc2:
		return write_word(plain, "false", 5);
	case 0xc3:
		return write_word(plain, "true", 4);
	case 0xcb:
		return write_float(plain);
	case 0xcc:
	case 0xcd:
	case 0xce:
	case 0xcf:
		return write_unsigned(plain, marker);
	case 0xd0:
	case 0xd1:
	case 0xd2:
	case 0xd3:
		return write_signed(plain, marker);
	case 0xd9:
	case 0xda:
	case 0xdb:
		return take_length(plain, &length) ? write_text(plain, length) :
						     BAT_END;
	default:
		return BAT_END;
	}
}

static int
write_scalar(struct plain *plain, uint8_t marker)
{
	size_t length;

	if (marker < 0x80) {
		plain->at++;
		put_unsigned(plain, marker);
		return 0;
	}
	if (marker >= 0xe0) {
		plain->at++;
		put_byte(plain, '-');
		put_unsigned(plain, 256u - marker);
		return 0;
	}
	if (marker >= 0xa0 && marker < 0xc0)
		return take_length(plain, &length) ? write_text(plain, length) :
						     BAT_END;
	return write_marked(plain, marker);
}

/* An array or a map in its short form, or of 16 to 65535; BAT_END if it is
 * none. */
static int
open_level(struct plain *plain, uint8_t marker, struct level *out)
{
	size_t header = 1;
	uint32_t count = marker & 15;

	if (marker == 0xdc || marker == 0xde) {
		if (left_of(plain) < 3)
			return BAT_END;
		count = bat_bytes_get_be16(plain->at + 1);
		if (count < 16)
			return BAT_END;
		header = 3;
	}
	*out = (struct level){
		.left = count,
		.first_key = plain->keys.count,
		.object = marker == 0xde || marker < 0x90,
	};
	plain->at += header;
	put_byte(plain, out->object ? '{' : '[');
	return 0;
}

static inline bool
opens_level(uint8_t marker)
{
	return (marker >= 0x80 && marker < 0xa0) || marker == 0xdc ||
	    marker == 0xde;
}

static int
write_all(struct plain *plain)
{
	struct level levels[DEPTH_MAX + 1];
	unsigned depth = 0;
	int code;

	levels[0] = (struct level){ .left = 1 };
	for (;;) {
		struct level *level = &levels[depth];

		code = make_room(plain, TOKEN_ROOM);
		if (code != 0)
			return code;
		if (level->left == 0) {
			if (depth == 0)
				return plain->at == plain->end ? 0 : BAT_END;
			put_byte(plain, level->object ? '}' : ']');
			plain->keys.count = level->first_key;
			depth--;
			continue;
		}
		if (level->started)
			put_byte(plain, ',');
		level->started = true;
		level->left--;
		if (level->object) {
			code = write_key(plain, level);
			if (code != 0)
				return code;
		}
		if (plain->at == plain->end)
			return BAT_END;
		if (!opens_level(*plain->at))
			code = write_scalar(plain, *plain->at);
		else if (depth == DEPTH_MAX)
			code = BAT_END;
		else
			code = open_level(plain, *plain->at, &levels[++depth]);
		if (code != 0)
			return code;
	}
}

int
batfs_json_plain_write(struct bat_slice payload, struct bat_buf *buf)
{
	size_t start = buf->length;
	struct plain plain;
	int code;

	if (payload.length == 0)
		return BAT_END;
	plain.at = payload.data;
	plain.end = payload.data + payload.length;
	plain.buf = buf;
	plain.keys.count = 0;
	code = write_all(&plain);
	if (code != 0)
		buf->length = start;
	return code;
}
