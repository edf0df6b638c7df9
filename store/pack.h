/*
 * MessagePack over slices: a bounded reader that cannot step out of its bytes,
 * and a writer that always takes the shortest form (FORMAT.md 2.1). The writer
 * is the only user of msgpack-c.
 *
 * Reading: BAT_PACK_READER(slice), then bat_pack_next for one token at a time,
 * or the typed bat_pack_read_* that also accept what batpak's decoder accepts
 * (FORMAT.md 2.2: any integer width that fits, str or bin of UTF-8, ...). All
 * return 0 or BAT_DATA_CORRUPT and never read beyond the slice. A failed read
 * leaves the reader where the fault is.
 *
 * Nothing is allocated; sizes are checked against the bytes that are left
 * before they are believed. Threads: a reader belongs to its caller.
 */
#ifndef BAT_PACK_H
#define BAT_PACK_H

#include "bytes.h"
#include "error.h"
#include "hash.h"
#include "id.h"

#define BAT_PACK_DEPTH_MAX 1024 /* FORMAT.md 2.2: nesting limit of batpak */

enum bat_pack_type {
	BAT_PACK_NIL,
	BAT_PACK_BOOL,	  /* .boolean */
	BAT_PACK_UINT,	  /* .number; every integer >= 0 */
	BAT_PACK_INT,	  /* .integer; negative integers only */
	BAT_PACK_FLOAT32, /* .real, widened */
	BAT_PACK_FLOAT64, /* .real */
	BAT_PACK_STR,	  /* .bytes; not checked for UTF-8 */
	BAT_PACK_BIN,	  /* .bytes */
	BAT_PACK_EXT,	  /* .bytes, .ext_type -128 to 127 */
	BAT_PACK_ARRAY,	  /* .count elements follow */
	BAT_PACK_MAP,	  /* .count pairs follow */
};

struct bat_pack_token {
	enum bat_pack_type type;
	bool boolean;
	uint64_t number;
	int64_t integer;
	double real;
	struct bat_slice bytes;
	uint32_t count;
	int8_t ext_type;
	/* Whether these bytes are what the writer below would write for this
	 * token: shortest integer, length and map forms, canonical NaN
	 * (7ff8000000000000); always false for FLOAT32 (LINE.md 3). */
	bool shortest;
};

struct bat_pack_reader {
	const uint8_t *at;
	const uint8_t *end;
};

#define BAT_PACK_READER(slice)                                                 \
	((struct bat_pack_reader){ (slice).data,                               \
	    (slice).length == 0 ? (slice).data :                               \
				  (slice).data + (slice).length })

static inline size_t
bat_pack_left(const struct bat_pack_reader *reader)
{
	return (size_t)(reader->end - reader->at);
}

/* One token: a scalar whole, or the header of an array or map. A count that
 * cannot fit in the bytes left is BAT_DATA_CORRUPT. 0xc1 too. */
int bat_pack_next(struct bat_pack_reader *reader, struct bat_pack_token *out);
/* One whole value with everything inside it; depth_max counts the value
 * itself as 1. BAT_DATA_CORRUPT also when nested deeper. Iterative. */
int bat_pack_skip(struct bat_pack_reader *reader, unsigned depth_max);

int bat_pack_read_map(struct bat_pack_reader *reader, uint32_t *out_count);
int bat_pack_read_array(struct bat_pack_reader *reader, uint32_t *out_count);
int bat_pack_read_uint(struct bat_pack_reader *reader, uint64_t max,
    uint64_t *out);
int bat_pack_read_int(struct bat_pack_reader *reader, int64_t *out);
int bat_pack_read_bool(struct bat_pack_reader *reader, bool *out);
/* str of any width, or bin, that is UTF-8. */
int bat_pack_read_str(struct bat_pack_reader *reader, struct bat_slice *out);
/* bin of 16 or array of 16 integers; big endian. */
int bat_pack_read_id(struct bat_pack_reader *reader, struct bat_id *out);
/* nil (then *out is zero) or as read_id. */
int bat_pack_read_id_or_nil(struct bat_pack_reader *reader, struct bat_id *out);
/* array of exactly 32 integers, or bin of at least 32 bytes. */
int bat_pack_read_hash(struct bat_pack_reader *reader, struct bat_hash *out);
/*
 * A byte vector: array of integers 0 to 255, or bin. The raw slot (header
 * included) is put into *out_slot; bat_pack_unpack_bytes expands it.
 * BAT_DATA_CORRUPT when the value is neither; *out_slot then still holds the
 * whole value, and the reader stands behind it (FORMAT.md 9.6: compacted
 * frames hold a value there), unless the value itself is broken: then
 * out_slot->data is NULL.
 */
int bat_pack_read_bytes(struct bat_pack_reader *reader,
    struct bat_slice *out_slot);
/* The same, and its bytes into room->data, *out_bytes, if they are no more than
 * its capacity; else, and with room NULL, out_bytes->data is NULL. */
int bat_pack_read_bytes_into(struct bat_pack_reader *reader,
    struct bat_slice *out_slot, const struct bat_buf *room,
    struct bat_slice *out_bytes);
/* Expand a slot that bat_pack_read_bytes accepted, appending to buf.
 * 0 or BAT_WORLD_NO_MEMORY, BAT_DATA_CORRUPT when it was not accepted. */
int bat_pack_unpack_bytes(struct bat_slice slot, struct bat_buf *buf);
/* How many bytes bat_pack_unpack_bytes would append of an accepted slot. */
size_t bat_pack_unpacked_length(struct bat_slice slot);
/* Whether the next token is nil (not consumed). */
static inline bool
bat_pack_is_nil(const struct bat_pack_reader *reader)
{
	return reader->at < reader->end && *reader->at == 0xc0;
}

/* Writers append to buf: 0, BAT_WORLD_NO_MEMORY (buf is unchanged), or
 * BAT_USE_TOO_LARGE for a value longer than 2^32 - 1 bytes. */
int bat_pack_write_nil(struct bat_buf *buf);
int bat_pack_write_bool(struct bat_buf *buf, bool value);
int bat_pack_write_uint(struct bat_buf *buf, uint64_t value);
int bat_pack_write_int(struct bat_buf *buf, int64_t value);
/* Every NaN is written as 7ff8000000000000. */
int bat_pack_write_float64(struct bat_buf *buf, double value);
int bat_pack_write_str(struct bat_buf *buf, struct bat_slice value);
int bat_pack_write_text(struct bat_buf *buf, const char *value);
int bat_pack_write_bin(struct bat_buf *buf, struct bat_slice value);
int bat_pack_write_ext(struct bat_buf *buf, int8_t type,
    struct bat_slice value);
int bat_pack_write_array(struct bat_buf *buf, uint32_t count);
int bat_pack_write_map(struct bat_buf *buf, uint32_t count);
/* c4 10 and 16 bytes. */
int bat_pack_write_id(struct bat_buf *buf, const struct bat_id *id);
/* nil for the zero id. */
int bat_pack_write_id_or_nil(struct bat_buf *buf, const struct bat_id *id);
/* An array of integers, one per byte (FORMAT.md 2.1): never bin. */
int bat_pack_write_byte_array(struct bat_buf *buf, struct bat_slice bytes);
int bat_pack_write_hash(struct bat_buf *buf, const struct bat_hash *hash);

#endif
