/*
 * Maps that are nearly always spelled alike: frames, and entries of index.ckpt.
 * A place within bytes of which enough are there, so
 * that no step looks for the end: whatever is spelled otherwise is gathered in
 * `differ` and asked for once, at the end. What was read is of no use then; but
 * no step takes more than its longest usual form (a constant; 9 bytes of a
 * number, 18 of an id, 67 of a hash), so that the sum of these must be there.
 *
 * The figure that justifies it: a branch for each of a frame's thirty keys and
 * numbers costs 20 ns of its 60. (memcmp of the C library reads with masks, and
 * takes 50 ns and more for a constant that lies at the end of its page.)
 *
 * Only for those who read such maps. Threads: any, no state.
 */
#ifndef BAT_PACK_SPELLED_H
#define BAT_PACK_SPELLED_H

#include "pack.h"

struct bat_pack_spelled {
	const uint8_t *at;
	uint64_t differ;
};

/* A constant of four bytes at least. */
#define BAT_PACK_SAME(spelled, text)                                           \
	bat_pack_take_same(spelled, text, sizeof(text) - 1)

/* The last step goes over bytes of the one before. */
__attribute__((always_inline)) static inline void
bat_pack_take_same(struct bat_pack_spelled *spelled, const char *text,
    size_t length)
{
	const uint8_t *at = spelled->at;
	uint64_t a, b;
	uint32_t c, d;

	spelled->at += length;
	for (size_t i = 0; i + 8 <= length; i += 8) {
		memcpy(&a, at + i, 8);
		memcpy(&b, text + i, 8);
		spelled->differ |= a ^ b;
	}
	if (length % 8 == 0)
		return;
	if (length > 8) {
		memcpy(&a, at + length - 8, 8);
		memcpy(&b, text + length - 8, 8);
		spelled->differ |= a ^ b;
		return;
	}
	memcpy(&c, at, 4);
	memcpy(&d, text, 4);
	spelled->differ |= c ^ d;
	memcpy(&c, at + length - 4, 4);
	memcpy(&d, text + length - 4, 4);
	spelled->differ |= c ^ d;
}

/* An integer >= 0 of any width. By cases: where the next thing stands is then
 * foretold with the branch, and not computed from what was loaded. */
static inline uint64_t
bat_pack_take_number(struct bat_pack_spelled *spelled, uint64_t max)
{
	const uint8_t *at = spelled->at;
	uint64_t number = at[0];

	if (number < 0x80) {
		spelled->at = at + 1;
	} else if (number == 0xcc) {
		spelled->at = at + 2;
		number = at[1];
	} else if (number == 0xcd) {
		spelled->at = at + 3;
		number = bat_bytes_get_be16(at + 1);
	} else if (number == 0xce) {
		spelled->at = at + 5;
		number = bat_bytes_get_be32(at + 1);
	} else if (number == 0xcf) {
		spelled->at = at + 9;
		number = bat_bytes_get_be64(at + 1);
	} else {
		spelled->at = at + 1;
		spelled->differ = 1;
		return 0;
	}
	spelled->differ |= number > max;
	return number;
}

/* Bin of 16. */
static inline void
bat_pack_take_id(struct bat_pack_spelled *spelled, struct bat_id *out)
{
	const uint8_t *at = spelled->at;

	spelled->differ |= (uint64_t)(at[0] ^ 0xc4) |
	    (uint64_t)(at[1] ^ sizeof(out->bytes));
	memcpy(out->bytes, at + 2, sizeof(out->bytes));
	spelled->at += 2 + sizeof(out->bytes);
}

static inline void
bat_pack_take_id_or_nil(struct bat_pack_spelled *spelled, struct bat_id *out)
{
	if (spelled->at[0] != 0xc0) {
		bat_pack_take_id(spelled, out);
		return;
	}
	*out = BAT_ID_ZERO;
	spelled->at++;
}

static inline void
bat_pack_take_hash(struct bat_pack_spelled *spelled, struct bat_hash *out)
{
	/* Array header and 32 elements of at most two bytes. */
	struct bat_pack_reader reader = { spelled->at, spelled->at + 3 + 64 };

	if (bat_pack_read_hash(&reader, out) != 0)
		spelled->differ = 1;
	else
		spelled->at = reader.at;
}

#endif
