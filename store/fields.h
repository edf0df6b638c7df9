/*
 * Structs as MessagePack: a fixed list of named fields (FORMAT.md 2.1, 2.2).
 * One table per struct, the shape, serves both directions.
 *
 * Reading: bat_fields_begin, then bat_fields_next until BAT_END; after each 0
 * the caller reads exactly the value of *out_field. Accepted is what batpak
 * accepts: keys in any order, unknown keys (skipped), a positional array in
 * place of the map. A key of ours that comes twice, or one that is needed and
 * missing, is BAT_DATA_CORRUPT. Keys in the order of the shape are found with
 * one memcmp each.
 *
 * Writing: bat_fields_put_map, then a bat_fields_put_* per field in order. The
 * first failure stays in out->code and makes the rest do nothing, so a writer
 * looks at it once, at the end.
 *
 * Threads: a walk and an out belong to their caller; shapes are constant.
 */
#ifndef BAT_FIELDS_H
#define BAT_FIELDS_H

#include "pack.h"

/* A key as it stands in the file: a fixstr marker and the name. */
struct bat_fields_key {
	const char *packed;
	size_t length;
};
/* marker: "\xa0" plus the name's length, e.g. BAT_FIELDS_KEY("\xa5", "event").
 */
#define BAT_FIELDS_KEY(marker, name)                                           \
	{                                                                      \
		marker name, sizeof(marker name) - 1                           \
	}

/* Bits of the masks are 1u << field; a shape has at most 32 fields. */
struct bat_fields_shape {
	const struct bat_fields_key *keys;
	unsigned count;
	uint32_t optional; /* may be missing */
	uint32_t absent;   /* not of this version: unknown when they come */
};

struct bat_fields_walk {
	struct bat_pack_reader *reader;
	const struct bat_fields_shape *shape;
	uint32_t left;	  /* pairs or elements that are still to come */
	unsigned next;	  /* the field that is expected */
	unsigned current; /* the field handed out last */
	uint32_t seen;
	bool positional;
};

/* All return 0 or BAT_DATA_CORRUPT; next also BAT_END, when everything that
 * is needed was there. */
int bat_fields_begin(struct bat_fields_walk *walk,
    struct bat_pack_reader *reader, const struct bat_fields_shape *shape);
int bat_fields_next(struct bat_fields_walk *walk, unsigned *out_field);
/* Was everything seen that is not optional? For a caller who stops before the
 * end because it reads the last field's value elsewhere. */
bool bat_fields_is_complete(const struct bat_fields_walk *walk);
/* Name of the field handed out last, for messages. */
const char *bat_fields_name(const struct bat_fields_walk *walk);

struct bat_fields_out {
	struct bat_buf *buf;
	int code;
};

/* The map header; absent fields are not counted. */
void bat_fields_put_map(struct bat_fields_out *out,
    const struct bat_fields_shape *shape);
/* The key alone; the caller writes the value. */
void bat_fields_put_key(struct bat_fields_out *out,
    const struct bat_fields_shape *shape, unsigned field);
void bat_fields_put_uint(struct bat_fields_out *out,
    const struct bat_fields_shape *shape, unsigned field, uint64_t value);
void bat_fields_put_int(struct bat_fields_out *out,
    const struct bat_fields_shape *shape, unsigned field, int64_t value);
void bat_fields_put_str(struct bat_fields_out *out,
    const struct bat_fields_shape *shape, unsigned field,
    struct bat_slice value);
void bat_fields_put_id(struct bat_fields_out *out,
    const struct bat_fields_shape *shape, unsigned field,
    const struct bat_id *value);
/* nil for the zero id. */
void bat_fields_put_id_or_nil(struct bat_fields_out *out,
    const struct bat_fields_shape *shape, unsigned field,
    const struct bat_id *value);
void bat_fields_put_hash(struct bat_fields_out *out,
    const struct bat_fields_shape *shape, unsigned field,
    const struct bat_hash *value);
/* Bytes that are MessagePack already. */
void bat_fields_put_packed(struct bat_fields_out *out,
    const struct bat_fields_shape *shape, unsigned field,
    struct bat_slice value);

#endif
