/*
 * The part of pack that reads byte vectors: arrays with one integer per byte
 * (FORMAT.md 2.1), or bin. They make up most of a frame, and whether a byte
 * takes one place (00 to 7f) or two (cc 80 to cc ff) is as good as random, so
 * a branch per byte would be mispredicted half the time. Therefore 64 places
 * are judged at once, as bits of one word:
 *
 *   A place with its top bit set is a marker or the value behind one. Each
 *   run of such places starts with a marker, so within a run every second
 *   place, from its first on, is a marker. All other places are values.
 *
 * Only the marker cc is taken here (also before a value below 0x80, which
 * ends its run); other integer forms go through bat_pack_read_uint one by one.
 */
#include "pack_internal.h"
#include "pack_wide.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BLOCK BAT_PACK_PLACES

#ifdef __SSE2__

static inline __m128i
load_16(const void *p)
{
	return _mm_loadu_si128(p);
}

/* Bit i tells whether the top bit of p[i] is set. */
static inline uint64_t
find_high(const uint8_t *p)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < BLOCK; i += 16) {
		__m128i v = load_16(p + i);

		mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(v) << i;
	}
	return mask;
}

/* Bit i tells whether p[i] is the marker cc. */
static inline uint64_t
find_cc(const uint8_t *p)
{
	const __m128i cc = _mm_set1_epi8((char)0xcc);
	uint64_t mask = 0;

	for (unsigned i = 0; i < BLOCK; i += 16) {
		__m128i v = load_16(p + i);

		v = _mm_cmpeq_epi8(v, cc);
		mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(v) << i;
	}
	return mask;
}

#else

/* The top bits of the eight bytes of a word, side by side. */
static inline uint64_t
gather_top_bits(uint64_t word)
{
	return ((word & 0x8080808080808080) * 0x0002040810204081) >> 56;
}

static inline uint64_t
find_high(const uint8_t *p)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < BLOCK; i += 8)
		mask |= gather_top_bits(bat_bytes_get_le64(p + i)) << i;
	return mask;
}

static inline uint64_t
find_cc(const uint8_t *p)
{
	const uint64_t low_bits = 0x7f7f7f7f7f7f7f7f;
	uint64_t mask = 0;

	for (unsigned i = 0; i < BLOCK; i += 8) {
		uint64_t word = bat_bytes_get_le64(p + i) ^ 0xcccccccccccccccc;

		/* The top bit of each byte is now clear where it was cc. */
		word |= (word & low_bits) + low_bits;
		mask |= gather_top_bits(~word) << i;
	}
	return mask;
}

#endif

/*
 * Which of the next 64 places hold values, up to the first place that needs
 * the slow way; 0 when that is the very next one or nothing is left.
 */
static inline uint64_t
find_values(const uint8_t *p, size_t left)
{
	const uint64_t even = 0x5555555555555555;
	uint64_t known = UINT64_MAX;
	uint64_t high, starts, markers, wrong;
	uint8_t padded[BLOCK];

	if (left == 0)
		return 0;
	if (left < BLOCK) {
		memset(padded, 0, sizeof(padded));
		memcpy(padded, p, left);
		p = padded;
		known = (UINT64_C(1) << left) - 1;
	}
	high = find_high(p);
	if (high == 0)
		return known;
	/* Adding its first bit to a run carries through and clears it: so those
	 * that start at an even place are told from the others. */
	starts = high & ~(high << 1);
	markers = high & ((high + (starts & even)) ^ even);
	wrong = markers & ~find_cc(p);
	if (wrong != 0)
		known &= (wrong & (0 - wrong)) - 1;
	return known & ~markers;
}

static inline unsigned
count_bits(uint64_t bits)
{
	bits -= bits >> 1 & 0x5555555555555555;
	bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
	bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (unsigned)(bits * 0x0101010101010101 >> 56);
}

/*
 * The first `count` of so many values; there are more. One by one from the end
 * that is nearer.
 */
static inline uint64_t
first_values(uint64_t values, size_t have, size_t count)
{
	uint64_t rest = values;

	if (have - count > count) {
		for (; count > 0; count--)
			rest &= rest - 1;
		return values ^ rest;
	}
	for (; have > count; have--)
		values ^= UINT64_C(1) << (BLOCK - 1 - __builtin_clzll(values));
	return values;
}

/* Count elements of any integer width, each 0 to 255, onto to[count]. */
static int
copy_elements(struct bat_pack_reader *reader, size_t count, uint8_t *to)
{
	uint8_t padded[BLOCK], packed[BLOCK];

	while (count > 0) {
		size_t wide = bat_pack_wide_take(&reader->at, reader->end,
		    count, to);
		size_t left = bat_pack_left(reader), take;
		const uint8_t *from = reader->at;
		uint64_t values;

		to += wide;
		count -= wide;
		if (count == 0)
			break;
		values = find_values(from, left);

		if (values == 0) {
			uint64_t byte;
			int code = bat_pack_read_uint(reader, UINT8_MAX, &byte);

			if (code != 0)
				return code;
			*to++ = (uint8_t)byte;
			count--;
			continue;
		}
		if (left < BLOCK) {
			memset(padded, 0, sizeof(padded));
			memcpy(padded, from, left);
			from = padded;
		}
		take = count_bits(values);
		if (take > count) {
			values = first_values(values, take, count);
			take = count;
		}
		if (count >= BLOCK) {
			(void)bat_pack_gather(to, from, values);
		} else {
			(void)bat_pack_gather(packed, from, values);
			memcpy(to, packed, take);
		}
		reader->at += BLOCK - __builtin_clzll(values);
		to += take;
		count -= take;
	}
	return 0;
}

/* The same without a copy. */
static int
skip_elements(struct bat_pack_reader *reader, size_t count)
{
	while (count > 0) {
		uint64_t values;
		size_t take;

		count -= bat_pack_wide_take(&reader->at, reader->end, count,
		    NULL);
		if (count == 0)
			break;
		values = find_values(reader->at, bat_pack_left(reader));
		take = count_bits(values);
		if (take == 0) {
			uint64_t byte;
			int code = bat_pack_read_uint(reader, UINT8_MAX, &byte);

			if (code != 0)
				return code;
			count--;
			continue;
		}
		/* The last block: forget the values behind the array. */
		if (take > count) {
			values = first_values(values, take, count);
			take = count;
		}
		reader->at += BLOCK - __builtin_clzll(values);
		count -= take;
	}
	return 0;
}

int
bat_pack_read_hash(struct bat_pack_reader *reader, struct bat_hash *out)
{
	const uint8_t *at = reader->at;
	struct bat_pack_token token;
	struct bat_hash hash;
	int code;

	/* As it is written. */
	if (bat_pack_left(reader) > 3 + BAT_HASH_SIZE &&
	    memcmp(at, "\xdc\x00\x20", 3) == 0) {
		size_t size = bat_pack_wide_hash(at + 3, reader->end,
		    out->bytes);

		reader->at += 3 + size;
		return size > 0 ?
		    0 :
		    copy_elements(reader, BAT_HASH_SIZE, out->bytes);
	}
	code = bat_pack_next(reader, &token);
	if (code != 0)
		return code;
	if (token.type == BAT_PACK_ARRAY && token.count == BAT_HASH_SIZE) {
		code = copy_elements(reader, BAT_HASH_SIZE, hash.bytes);
		if (code == 0)
			*out = hash;
		return code;
	}
	if (token.type == BAT_PACK_BIN && token.bytes.length >= BAT_HASH_SIZE) {
		memcpy(out->bytes, token.bytes.data, BAT_HASH_SIZE);
		return 0;
	}
	reader->at = at;
	return BAT_DATA_CORRUPT;
}

/* What a token of a byte vector is the head of, into room if it goes in. */
static int
take_bytes(struct bat_pack_reader *reader, const struct bat_pack_token *token,
    const struct bat_buf *room, struct bat_slice *out_bytes)
{
	bool is_bin = token->type == BAT_PACK_BIN;
	size_t count = is_bin ? token->bytes.length : token->count;
	bool fits = room != NULL && count <= room->capacity;

	if (!is_bin && token->type != BAT_PACK_ARRAY)
		return BAT_DATA_CORRUPT;
	if (fits)
		*out_bytes = bat_bytes_slice(room->data, count);
	if (!is_bin)
		return fits ? copy_elements(reader, count, room->data) :
			      skip_elements(reader, count);
	if (fits && count > 0)
		memcpy(room->data, token->bytes.data, count);
	return 0;
}

int
bat_pack_read_bytes(struct bat_pack_reader *reader, struct bat_slice *out_slot)
{
	struct bat_slice ignored;

	return bat_pack_read_bytes_into(reader, out_slot, NULL, &ignored);
}

int
bat_pack_read_bytes_into(struct bat_pack_reader *reader,
    struct bat_slice *out_slot, const struct bat_buf *room,
    struct bat_slice *out_bytes)
{
	const uint8_t *at = reader->at;
	struct bat_pack_token token;
	int code;

	/* Each by itself: a copy of the other would wait until it is stored. */
	*out_slot = BAT_SLICE_EMPTY;
	*out_bytes = BAT_SLICE_EMPTY;
	code = bat_pack_next(reader, &token);
	if (code != 0)
		return code;
	code = take_bytes(reader, &token, room, out_bytes);
	if (code != 0) {
		*out_bytes = BAT_SLICE_EMPTY;
		/* No byte vector; is it a value at all? */
		reader->at = at;
		if (bat_pack_skip(reader, BAT_PACK_DEPTH_MAX) != 0)
			return BAT_DATA_CORRUPT;
	}
	*out_slot = bat_bytes_slice(at, (size_t)(reader->at - at));
	return code;
}

int
bat_pack_unpack_bytes(struct bat_slice slot, struct bat_buf *buf)
{
	struct bat_pack_reader reader = BAT_PACK_READER(slot);
	struct bat_pack_token token;
	int code = bat_pack_next(&reader, &token);

	if (code != 0)
		return code;
	if (token.type == BAT_PACK_BIN)
		return bat_bytes_append_slice(buf, token.bytes);
	if (token.type != BAT_PACK_ARRAY)
		return BAT_DATA_CORRUPT;
	/* The count is believed: each element has its byte in the slot. */
	code = bat_bytes_reserve(buf, token.count);
	if (code != 0 || token.count == 0)
		return code;
	code = copy_elements(&reader, token.count, buf->data + buf->length);
	if (code != 0)
		return code;
	buf->length += token.count;
	return 0;
}

size_t
bat_pack_unpacked_length(struct bat_slice slot)
{
	struct bat_pack_reader reader = BAT_PACK_READER(slot);
	struct bat_pack_token token;

	if (bat_pack_next(&reader, &token) != 0)
		return 0;
	if (token.type == BAT_PACK_ARRAY)
		return token.count;
	return token.type == BAT_PACK_BIN ? token.bytes.length : 0;
}
