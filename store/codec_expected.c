#include "codec_internal.h"

/*
 * Step over a constant, or give up. Word by word, which the compiler unrolls;
 * memcmp of the C library reads with masks, and takes 50 ns and more for a
 * constant that lies at the end of its page.
 */
#define TAKE(reader, text) take_constant(reader, text, sizeof(text) - 1)

__attribute__((always_inline)) static inline bool
take_constant(struct bat_pack_reader *reader, const char *text, size_t length)
{
	const uint8_t *at = reader->at;
	uint64_t differ = 0;
	size_t i = 0;

	if (bat_pack_left(reader) < length)
		return false;
	for (; length - i >= 8; i += 8) {
		uint64_t a, b;

		memcpy(&a, at + i, 8);
		memcpy(&b, text + i, 8);
		differ |= a ^ b;
	}
	for (; length - i >= 4; i += 4) {
		uint32_t a, b;

		memcpy(&a, at + i, 4);
		memcpy(&b, text + i, 4);
		differ |= a ^ b;
	}
	for (; i < length; i++)
		differ |= at[i] ^ (uint8_t)text[i];
	reader->at += length;
	return differ == 0;
}

/* An integer >= 0 of any width. */
static inline bool
take_number(struct bat_pack_reader *reader, uint64_t max, uint64_t *out)
{
	size_t left = bat_pack_left(reader), width;
	const uint8_t *at = reader->at;
	uint64_t number;

	if (left == 0)
		return false;
	if (at[0] < 0x80) {
		reader->at++;
		*out = at[0];
		return at[0] <= max;
	}
	if (at[0] < 0xcc || at[0] > 0xcf)
		return false;
	width = (size_t)1 << (at[0] & 3);
	if (left < 1 + width)
		return false;
	switch (width) {
	case 1:
		number = at[1];
		break;
	case 2:
		number = bat_bytes_get_be16(at + 1);
		break;
	case 4:
		number = bat_bytes_get_be32(at + 1);
		break;
	default:
		number = bat_bytes_get_be64(at + 1);
	}
	reader->at += 1 + width;
	*out = number;
	return number <= max;
}

static inline bool
take_u32(struct bat_pack_reader *reader, uint32_t max, uint32_t *out)
{
	uint64_t number;

	if (!take_number(reader, max, &number))
		return false;
	*out = (uint32_t)number;
	return true;
}

static inline bool
take_id(struct bat_pack_reader *reader, struct bat_id *out)
{
	if (bat_pack_left(reader) < 2 + sizeof(out->bytes) ||
	    reader->at[0] != 0xc4 || reader->at[1] != sizeof(out->bytes))
		return false;
	memcpy(out->bytes, reader->at + 2, sizeof(out->bytes));
	reader->at += 2 + sizeof(out->bytes);
	return true;
}

static inline bool
take_id_or_nil(struct bat_pack_reader *reader, struct bat_id *out)
{
	if (!bat_pack_is_nil(reader))
		return take_id(reader, out);
	*out = BAT_ID_ZERO;
	reader->at++;
	return true;
}

static bool
take_position(struct bat_pack_reader *reader, struct bat_event *out)
{
	return TAKE(reader, "\x85\xa7wall_ms") &&
	    take_number(reader, UINT64_MAX, &out->wall_ms) &&
	    TAKE(reader,
		"\xa7"
		"counter") &&
	    take_u32(reader, UINT16_MAX, &out->counter) &&
	    TAKE(reader,
		"\xa5"
		"depth") &&
	    take_u32(reader, UINT32_MAX, &out->depth) &&
	    TAKE(reader, "\xa4lane") &&
	    take_u32(reader, UINT32_MAX, &out->lane) &&
	    TAKE(reader, "\xa8sequence") &&
	    take_u32(reader, UINT32_MAX, &out->clock);
}

/* *out_slot: the hash as it stands there. */
static bool
take_header(struct bat_pack_reader *reader, struct bat_event *out,
    struct bat_slice *out_slot)
{
	const uint8_t *start;
	uint64_t time;
	uint32_t kind, flags;

	if (!TAKE(reader,
		"\x89\xa8"
		"event_id") ||
	    !take_id(reader, &out->id) ||
	    !TAKE(reader,
		"\xae"
		"correlation_id") ||
	    !take_id(reader, &out->corr) ||
	    !TAKE(reader,
		"\xac"
		"causation_id") ||
	    !take_id_or_nil(reader, &out->cause) ||
	    !TAKE(reader, "\xactimestamp_us") ||
	    !take_number(reader, INT64_MAX, &time) ||
	    !TAKE(reader, "\xa8position") || !take_position(reader, out) ||
	    !TAKE(reader, "\xacpayload_size") ||
	    !take_u32(reader, UINT32_MAX, &out->payload_size) ||
	    !TAKE(reader,
		"\xaa"
		"event_kind") ||
	    !take_u32(reader, UINT16_MAX, &kind) ||
	    !TAKE(reader,
		"\xa5"
		"flags") ||
	    !take_u32(reader, UINT8_MAX, &flags) ||
	    !TAKE(reader,
		"\xac"
		"content_hash"))
		return false;
	out->timestamp_us = (int64_t)time;
	out->kind = (uint16_t)kind;
	out->flags = (uint8_t)flags;
	start = reader->at;
	if (bat_pack_read_hash(reader, &out->content_hash) != 0)
		return false;
	*out_slot = bat_bytes_slice(start, (size_t)(reader->at - start));
	return true;
}

/* Both hashes of an event are the same one: where they stand there as the same
 * bytes, to compare them is quicker than to read them (2 ns instead of 10). */
static bool
take_hash_again(struct bat_pack_reader *reader, struct bat_slice slot,
    const struct bat_hash *hash, struct bat_hash *out)
{
	if (bat_pack_left(reader) < slot.length ||
	    memcmp(reader->at, slot.data, slot.length) != 0)
		return bat_pack_read_hash(reader, out) == 0;
	reader->at += slot.length;
	*out = *hash;
	return true;
}

/* Beside a body of batpak's, a payload that a compaction left as a value is
 * rare. */
static bool
take_payload(struct bat_pack_reader *reader, struct bat_event *out)
{
	out->payload_is_bytes = true;
	return bat_pack_read_bytes(reader, &out->payload_slot) == 0;
}

bool
bat_codec_decode_expected(struct bat_slice body, struct bat_event *out)
{
	struct bat_pack_reader at = BAT_PACK_READER(body);
	struct bat_slice slot;

	if (!TAKE(&at,
		"\x84\xa5"
		"event\x83\xa6"
		"header") ||
	    !take_header(&at, out, &slot) || !TAKE(&at, "\xa7payload") ||
	    !take_payload(&at, out) ||
	    !TAKE(&at, "\xaahash_chain\x82\xa9prev_hash") ||
	    bat_pack_read_hash(&at, &out->prev) != 0 ||
	    !TAKE(&at,
		"\xaa"
		"event_hash") ||
	    !take_hash_again(&at, slot, &out->content_hash, &out->hash) ||
	    !TAKE(&at,
		"\xa6"
		"entity") ||
	    bat_pack_read_str(&at, &out->entity) != 0 ||
	    !TAKE(&at, "\xa5scope") ||
	    bat_pack_read_str(&at, &out->scope) != 0 ||
	    !TAKE(&at, "\xb2receipt_extensions") ||
	    bat_codec_read_extensions(&at, &out->extension_map,
		&out->extension_count) != 0)
		return false;
	out->has_chain = true;
	return true;
}
