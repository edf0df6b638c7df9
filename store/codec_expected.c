#include "codec_internal.h"

/*
 * The most bytes of a body up to its first hash: constants, and numbers of nine
 * bytes each. A body that is spelled as batpak spells it has more than these.
 */
#define HEAD_MAX 300

/*
 * A place in the head, where HEAD_MAX bytes are there, so that no step looks for
 * the end: whatever differs is gathered and asked for once, and a step takes no
 * more than its longest usual form. (memcmp of the C library reads with masks,
 * and takes 50 ns and more for a constant that lies at the end of its page.)
 */
struct head {
	const uint8_t *at;
	uint64_t differ;
};

#define SAME(head, text) take_same(head, text, sizeof(text) - 1)

/* Four bytes at least. The last step goes over bytes of the one before. */
__attribute__((always_inline)) static inline void
take_same(struct head *head, const char *text, size_t length)
{
	const uint8_t *at = head->at;
	uint64_t a, b;
	uint32_t c, d;

	head->at += length;
	for (size_t i = 0; i + 8 <= length; i += 8) {
		memcpy(&a, at + i, 8);
		memcpy(&b, text + i, 8);
		head->differ |= a ^ b;
	}
	if (length % 8 == 0)
		return;
	if (length > 8) {
		memcpy(&a, at + length - 8, 8);
		memcpy(&b, text + length - 8, 8);
		head->differ |= a ^ b;
		return;
	}
	memcpy(&c, at, 4);
	memcpy(&d, text, 4);
	head->differ |= c ^ d;
	memcpy(&c, at + length - 4, 4);
	memcpy(&d, text + length - 4, 4);
	head->differ |= c ^ d;
}

/* An integer >= 0 of any width. */
static inline uint64_t
take_number(struct head *head, uint64_t max)
{
	const uint8_t *at = head->at;
	uint64_t number = at[0];

	head->at++;
	if (number >= 0x80) {
		unsigned width = (unsigned)number - 0xcc;

		if (width > 3) {
			head->differ = 1;
			return 0;
		}
		head->at += (size_t)1 << width;
		number = bat_bytes_get_be64(at + 1) >> (64 - (8 << width));
	}
	head->differ |= number > max;
	return number;
}

static inline void
take_id(struct head *head, struct bat_id *out)
{
	memcpy(out->bytes, head->at, sizeof(out->bytes));
	head->at += sizeof(out->bytes);
}

static inline void
take_id_or_nil(struct head *head, struct bat_id *out)
{
	if (head->at[0] == 0xc0) {
		*out = BAT_ID_ZERO;
		head->at++;
		return;
	}
	head->differ |= (uint64_t)(head->at[0] ^ 0xc4) |
	    (uint64_t)(head->at[1] ^ sizeof(out->bytes));
	head->at += 2;
	take_id(head, out);
}

static inline void
take_position(struct head *head, struct bat_event *out)
{
	SAME(head, "\xa8position\x85\xa7wall_ms");
	out->wall_ms = take_number(head, UINT64_MAX);
	SAME(head,
	    "\xa7"
	    "counter");
	out->counter = (uint32_t)take_number(head, UINT16_MAX);
	SAME(head,
	    "\xa5"
	    "depth");
	out->depth = (uint32_t)take_number(head, UINT32_MAX);
	SAME(head, "\xa4lane");
	out->lane = (uint32_t)take_number(head, UINT32_MAX);
	SAME(head, "\xa8sequence");
	out->clock = (uint32_t)take_number(head, UINT32_MAX);
}

/* Up to the first hash; false: it is spelled otherwise. */
static inline bool
take_head(struct bat_pack_reader *reader, struct bat_event *out)
{
	struct head head = { reader->at, 0 };

	if (bat_pack_left(reader) < HEAD_MAX)
		return false;
	SAME(&head,
	    "\x84\xa5"
	    "event\x83\xa6"
	    "header\x89\xa8"
	    "event_id\xc4\x10");
	take_id(&head, &out->id);
	SAME(&head,
	    "\xae"
	    "correlation_id\xc4\x10");
	take_id(&head, &out->corr);
	SAME(&head,
	    "\xac"
	    "causation_id");
	take_id_or_nil(&head, &out->cause);
	SAME(&head, "\xactimestamp_us");
	out->timestamp_us = (int64_t)take_number(&head, INT64_MAX);
	take_position(&head, out);
	SAME(&head, "\xacpayload_size");
	out->payload_size = (uint32_t)take_number(&head, UINT32_MAX);
	SAME(&head,
	    "\xaa"
	    "event_kind");
	out->kind = (uint16_t)take_number(&head, UINT16_MAX);
	SAME(&head,
	    "\xa5"
	    "flags");
	out->flags = (uint8_t)take_number(&head, UINT8_MAX);
	SAME(&head,
	    "\xac"
	    "content_hash");
	reader->at = head.at;
	return head.differ == 0;
}

/* ---- behind it -------------------------------------------------------- */

/* Step over a constant, or give up. */
#define TAKE(reader, text) take_constant(reader, text, sizeof(text) - 1)

__attribute__((always_inline)) static inline bool
take_constant(struct bat_pack_reader *reader, const char *text, size_t length)
{
	struct head head = { reader->at, 0 };

	if (bat_pack_left(reader) < length)
		return false;
	take_same(&head, text, length);
	reader->at = head.at;
	return head.differ == 0;
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
take_payload(struct bat_pack_reader *reader, struct bat_event *out,
    const struct bat_buf *room)
{
	out->payload_is_bytes = true;
	return bat_pack_read_bytes_into(reader, &out->payload_slot, room,
		   &out->payload) == 0;
}

bool
bat_codec_decode_expected(struct bat_slice body, const struct bat_buf *room,
    struct bat_event *out)
{
	struct bat_pack_reader at = BAT_PACK_READER(body);
	struct bat_slice slot;

	if (!take_head(&at, out))
		return false;
	slot.data = at.at;
	if (bat_pack_read_hash(&at, &out->content_hash) != 0)
		return false;
	slot.length = (size_t)(at.at - slot.data);
	if (!TAKE(&at, "\xa7payload") || !take_payload(&at, out, room) ||
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
