/*
 * For tests of decoders: the same MessagePack value spelled as batpak never
 * writes it, but accepts it (FORMAT.md 2.2). Structs are taken for maps, so a
 * real map must stand behind a key that real_map_key knows.
 */
#ifndef REPACK_H
#define REPACK_H

#include <check.h>

#include "pack.h"

enum repack_how {
	REPACK_SAME = 0,
	REPACK_REVERSED = 1,   /* keys of structs in reverse order */
	REPACK_POSITIONAL = 2, /* structs as arrays */
	REPACK_UNKNOWN = 4,    /* structs with a key more */
	REPACK_BIN = 8,	       /* byte vectors and hashes as bin */
	REPACK_WIDE = 16,      /* integers in nine bytes, str 32 */
	REPACK_ID_ARRAYS = 32, /* ids as arrays of integers */
	REPACK_REPEATED = 64,  /* the first key of the root twice */
};

static inline bool
repack_is_real_map(struct bat_slice key)
{
	static const char *const names[] = { "receipt_extensions",
		"system_histogram", "effect_histogram" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (bat_bytes_equal(key, bat_bytes_text(names[i])))
			return true;
	}
	return false;
}

static inline void
repack_must(int code)
{
	ck_assert_int_eq(code, 0);
}

static inline void repack_value(struct bat_pack_reader *in, unsigned how,
    bool is_real_map, struct bat_buf *out);

static inline void
repack_str(struct bat_slice text, unsigned how, struct bat_buf *out)
{
	if ((how & REPACK_WIDE) == 0) {
		repack_must(bat_pack_write_str(out, text));
		return;
	}
	repack_must(bat_bytes_append_byte(out, 0xdb));
	repack_must(bat_bytes_append_be(out, text.length, 4));
	repack_must(bat_bytes_append_slice(out, text));
}

static inline void
repack_map(struct bat_pack_reader *in, uint32_t count, unsigned how,
    bool is_real_map, struct bat_buf *out)
{
	struct bat_slice keys[32];
	struct bat_pack_reader values[32];
	uint32_t extra = !is_real_map && (how & REPACK_UNKNOWN) != 0;
	bool positional = !is_real_map && (how & REPACK_POSITIONAL) != 0;
	bool reversed = !is_real_map && (how & REPACK_REVERSED) != 0;

	extra += (how & REPACK_REPEATED) != 0;
	ck_assert_uint_le(count, 32);
	for (uint32_t i = 0; i < count; i++) {
		repack_must(bat_pack_read_str(in, &keys[i]));
		values[i] = *in;
		repack_must(bat_pack_skip(in, BAT_PACK_DEPTH_MAX));
	}
	repack_must(positional ? bat_pack_write_array(out, count) :
				 bat_pack_write_map(out, count + extra));
	if (!is_real_map && (how & REPACK_UNKNOWN) != 0) {
		repack_must(bat_pack_write_text(out, "zz_later_version"));
		repack_must(bat_bytes_append(out, "\x92\xc0\x81\xa1k\xc3", 6));
	}
	if ((how & REPACK_REPEATED) != 0) {
		struct bat_pack_reader value = values[0];

		repack_str(keys[0], how, out);
		repack_value(&value, how & ~(unsigned)REPACK_REPEATED, false,
		    out);
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t j = reversed ? count - 1 - i : i;

		if (!positional)
			repack_str(keys[j], how, out);
		repack_value(&values[j], how & ~(unsigned)REPACK_REPEATED,
		    repack_is_real_map(keys[j]), out);
	}
}

static inline void
repack_array(struct bat_pack_reader *in, const uint8_t *start, uint32_t count,
    unsigned how, struct bat_buf *out)
{
	struct bat_pack_reader again = { start, in->end };
	struct bat_buf bytes = BAT_BUF_EMPTY;
	struct bat_slice slot;

	if ((how & REPACK_BIN) != 0 &&
	    bat_pack_read_bytes(&again, &slot) == 0) {
		repack_must(bat_pack_unpack_bytes(slot, &bytes));
		repack_must(bat_pack_write_bin(out, bat_bytes_of_buf(&bytes)));
		bat_bytes_free(&bytes);
		in->at = again.at;
		return;
	}
	repack_must(bat_pack_write_array(out, count));
	for (uint32_t i = 0; i < count; i++)
		repack_value(in, how, false, out);
}

static inline void
repack_value(struct bat_pack_reader *in, unsigned how, bool is_real_map,
    struct bat_buf *out)
{
	const uint8_t *start = in->at;
	struct bat_pack_token token;

	repack_must(bat_pack_next(in, &token));
	if (token.type == BAT_PACK_MAP) {
		repack_map(in, token.count, how, is_real_map, out);
	} else if (token.type == BAT_PACK_ARRAY) {
		repack_array(in, start, token.count, how, out);
	} else if (token.type == BAT_PACK_UINT && (how & REPACK_WIDE) != 0) {
		repack_must(bat_bytes_append_byte(out, 0xcf));
		repack_must(bat_bytes_append_be(out, token.number, 8));
	} else if (token.type == BAT_PACK_STR) {
		repack_str(token.bytes, how, out);
	} else if (token.type == BAT_PACK_BIN &&
	    (how & REPACK_ID_ARRAYS) != 0) {
		repack_must(bat_pack_write_byte_array(out, token.bytes));
	} else {
		repack_must(
		    bat_bytes_append(out, start, (size_t)(in->at - start)));
	}
}

/* Append the value, spelled that way. */
static inline void
repack(struct bat_slice value, unsigned how, struct bat_buf *out)
{
	struct bat_pack_reader in = BAT_PACK_READER(value);

	repack_value(&in, how, false, out);
}

#endif
