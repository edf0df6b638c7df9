/*
 * A 128-bit event id: UUIDv7-shaped when we make it, otherwise opaque and
 * non-zero (FORMAT.md 3.3). Kept in big-endian order, as frames hold it
 * (`c4 10` + 16 bytes); footers and index.fbati hold it byte-reversed.
 * Threads: any, no state.
 */
#ifndef BAT_ID_H
#define BAT_ID_H

#include "bytes.h"

struct bat_id {
	uint8_t bytes[16];
};

#define BAT_ID_ZERO ((struct bat_id){ { 0 } })

bool bat_id_equal(const struct bat_id *a, const struct bat_id *b);
bool bat_id_is_zero(const struct bat_id *id);
int bat_id_compare(const struct bat_id *a, const struct bat_id *b);
/* RFC 9562 version 7: 48 bits of milliseconds, version, variant, 74 bits of
 * the 10 random bytes given. */
struct bat_id bat_id_make_v7(uint64_t wall_ms, const uint8_t random[10]);
/* From a number, e.g. the batch id of a marker (FORMAT.md 4.1). */
struct bat_id bat_id_from_number(uint64_t number);
void bat_id_to_le(const struct bat_id *id, uint8_t out[16]);

static inline struct bat_id
bat_id_from_le(const uint8_t in[16])
{
	struct bat_id id;

	bat_bytes_put_be64(id.bytes, bat_bytes_get_le64(in + 8));
	bat_bytes_put_be64(id.bytes + 8, bat_bytes_get_le64(in));
	return id;
}

/* 32 lower hex digits and a NUL. */
void bat_id_to_hex(const struct bat_id *id, char out[33]);
/* Exactly 32 hex digits of either case; false otherwise. */
bool bat_id_from_hex(struct bat_slice hex, struct bat_id *out);

#endif
