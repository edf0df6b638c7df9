/*
 * Bytes: borrowed slices, an owned growing buffer, and bounded readers of
 * fixed-width integers.
 *
 * Calling sequence of a buffer: BAT_BUF_EMPTY, any number of bat_buf_*,
 * bat_buf_free. A buffer that failed to grow is unchanged and stays usable.
 * Invariants: length <= capacity; data is NULL only while capacity is 0.
 */
#ifndef BAT_BYTES_H
#define BAT_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed: valid as long as the memory it points into. data may be NULL when
 * length is 0. */
struct bat_slice {
	const uint8_t *data;
	size_t length;
};

/* Owned by its holder. */
struct bat_buf {
	uint8_t *data;
	size_t length;
	size_t capacity;
};

#define BAT_BUF_EMPTY ((struct bat_buf){ NULL, 0, 0 })
#define BAT_SLICE_EMPTY ((struct bat_slice){ NULL, 0 })

static inline struct bat_slice
bat_bytes_slice(const void *data, size_t length)
{
	return (struct bat_slice){ data, length };
}

/* Of a C string, without its NUL. */
struct bat_slice bat_bytes_text(const char *text);
struct bat_slice bat_bytes_of_buf(const struct bat_buf *buf);
bool bat_bytes_equal(struct bat_slice a, struct bat_slice b);
/* memcmp order, a prefix first. */
int bat_bytes_compare(struct bat_slice a, struct bat_slice b);
/* Whether it is well-formed UTF-8 (no surrogates, nothing overlong). */
bool bat_bytes_is_utf8(struct bat_slice slice);

/*
 * Make room for extra bytes behind length. Returns 0 or BAT_WORLD_NO_MEMORY.
 * All functions below return the same.
 */
int bat_bytes_grow(struct bat_buf *buf, size_t extra);
static inline int
bat_bytes_reserve(struct bat_buf *buf, size_t extra)
{
	return extra <= buf->capacity - buf->length ?
	    0 :
	    bat_bytes_grow(buf, extra);
}
/* In the header because an event is some sixty pieces of a few bytes: as a call
 * for each they were a fifth of what staging one costs. */
static inline int
bat_bytes_append(struct bat_buf *buf, const void *data, size_t length)
{
	int code;

	if (length == 0)
		return 0;
	code = bat_bytes_reserve(buf, length);
	if (code != 0)
		return code;
	memcpy(buf->data + buf->length, data, length);
	buf->length += length;
	return 0;
}
int bat_bytes_append_slice(struct bat_buf *buf, struct bat_slice slice);
int bat_bytes_append_text(struct bat_buf *buf, const char *text);
int bat_bytes_append_byte(struct bat_buf *buf, uint8_t byte);
int bat_bytes_append_le(struct bat_buf *buf, uint64_t value, size_t width);
int bat_bytes_append_be(struct bat_buf *buf, uint64_t value, size_t width);
/* printf into the buffer, no NUL behind it. */
int bat_bytes_append_format(struct bat_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Lower hex, two characters a byte. */
int bat_bytes_append_hex(struct bat_buf *buf, const void *data, size_t length);
/* The same to memory that has room; returns what is behind. The plain one is
 * the other's twin, for tests. */
uint8_t *bat_bytes_put_hex(uint8_t *to, const uint8_t *from, size_t length);
uint8_t *bat_bytes_put_hex_plain(uint8_t *to, const uint8_t *from,
    size_t length);
/* RFC 4648 base64 with padding. */
int bat_bytes_append_base64(struct bat_buf *buf, const void *data,
    size_t length);
/* Decode strict RFC 4648 base64: padding needed, unused bits zero. out has
 * room for three bytes for each four of text. false: it is none. */
bool bat_bytes_unbase64(struct bat_slice text, uint8_t *out,
    size_t *out_length);
/* Onto buf. Returns 0, BAT_USE_INVALID, BAT_WORLD_NO_MEMORY. */
int bat_bytes_append_unbase64(struct bat_buf *buf, struct bat_slice text);
/* Forget the content, keep the memory. */
void bat_bytes_clear(struct bat_buf *buf);
void bat_bytes_free(struct bat_buf *buf);

/* Unaligned loads and stores of 16, 32 and 64 bits. Here, because a mount asks
 * tens of millions of times: the compiler knows these sums of shifts and makes
 * one load of each. */
static inline uint16_t
bat_bytes_get_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t
bat_bytes_get_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

static inline uint64_t
bat_bytes_get_le64(const uint8_t *p)
{
	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
	    (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 |
	    (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static inline uint16_t
bat_bytes_get_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
bat_bytes_get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static inline uint64_t
bat_bytes_get_be64(const uint8_t *p)
{
	return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 |
	    (uint64_t)p[2] << 40 | (uint64_t)p[3] << 32 | (uint64_t)p[4] << 24 |
	    (uint64_t)p[5] << 16 | (uint64_t)p[6] << 8 | (uint64_t)p[7];
}

/* One store of a word, not eight that the compiler makes one of: of those it
 * makes none when it keeps the memory in registers. */
static inline void
bat_bytes_put_be64(uint8_t *p, uint64_t value)
{
	value = htobe64(value);
	memcpy(p, &value, sizeof(value));
}

void bat_bytes_put_le(uint8_t *p, uint64_t value, size_t width);
void bat_bytes_put_be(uint8_t *p, uint64_t value, size_t width);

/* a + b or a * b into *out; false when it does not fit (then *out unset). */
bool bat_bytes_add(uint64_t a, uint64_t b, uint64_t *out);
bool bat_bytes_multiply(uint64_t a, uint64_t b, uint64_t *out);

#endif
