#include "codec_internal.h"
#include "pack_spelled.h"

/*
 * The most bytes of a body up to its first hash: constants, and numbers of nine
 * bytes each (pack_spelled.h). A body as batpak spells it has more than these.
 */
#define HEAD_MAX 300

static inline void
take_position(struct bat_pack_spelled *head, struct bat_event *out)
{
	BAT_PACK_SAME(head, "\xa8position\x85\xa7wall_ms");
	out->wall_ms = bat_pack_take_number(head, UINT64_MAX);
	BAT_PACK_SAME(head,
	    "\xa7"
	    "counter");
	out->counter = (uint32_t)bat_pack_take_number(head, UINT16_MAX);
	BAT_PACK_SAME(head,
	    "\xa5"
	    "depth");
	out->depth = (uint32_t)bat_pack_take_number(head, UINT32_MAX);
	BAT_PACK_SAME(head, "\xa4lane");
	out->lane = (uint32_t)bat_pack_take_number(head, UINT32_MAX);
	BAT_PACK_SAME(head, "\xa8sequence");
	out->clock = (uint32_t)bat_pack_take_number(head, UINT32_MAX);
}

/* Up to the first hash; false: it is spelled otherwise. */
static inline bool
take_head(struct bat_pack_reader *reader, struct bat_event *out)
{
	struct bat_pack_spelled head = { reader->at, 0 };

	if (bat_pack_left(reader) < HEAD_MAX)
		return false;
	BAT_PACK_SAME(&head,
	    "\x84\xa5"
	    "event\x83\xa6"
	    "header\x89\xa8"
	    "event_id");
	bat_pack_take_id(&head, &out->id);
	BAT_PACK_SAME(&head,
	    "\xae"
	    "correlation_id");
	bat_pack_take_id(&head, &out->corr);
	BAT_PACK_SAME(&head,
	    "\xac"
	    "causation_id");
	bat_pack_take_id_or_nil(&head, &out->cause);
	BAT_PACK_SAME(&head, "\xactimestamp_us");
	out->timestamp_us = (int64_t)bat_pack_take_number(&head, INT64_MAX);
	take_position(&head, out);
	BAT_PACK_SAME(&head, "\xacpayload_size");
	out->payload_size = (uint32_t)bat_pack_take_number(&head, UINT32_MAX);
	BAT_PACK_SAME(&head,
	    "\xaa"
	    "event_kind");
	out->kind = (uint16_t)bat_pack_take_number(&head, UINT16_MAX);
	BAT_PACK_SAME(&head,
	    "\xa5"
	    "flags");
	out->flags = (uint8_t)bat_pack_take_number(&head, UINT8_MAX);
	BAT_PACK_SAME(&head,
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
	struct bat_pack_spelled head = { reader->at, 0 };

	if (bat_pack_left(reader) < length)
		return false;
	bat_pack_take_same(&head, text, length);
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
