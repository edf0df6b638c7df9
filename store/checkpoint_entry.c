/*
 * The part of checkpoint that reads one entry of index.ckpt. A mount reads a
 * million of them, and all are spelled alike; so that spelling is tried first,
 * with constants, and whatever differs is read field by field.
 */
#include "checkpoint.h"
#include "checkpoint_shapes.h"

#include "codec.h"
#include "pack_spelled.h"

/* The most bytes of an entry up to its extensions, spelled as batpak does. */
#define ENTRY_WINDOW 512

/* ---- an entry as batpak writes it ------------------------------------- */

/* Everything of an entry of version 4 to 6 but its extensions. */
static inline void
take_entry(struct bat_pack_spelled *fast, uint16_t version, struct bat_row *out)
{
	if (version < 6)
		BAT_PACK_SAME(fast,
		    "\xde\x00\x10\xa8"
		    "event_id");
	else
		BAT_PACK_SAME(fast,
		    "\xde\x00\x11\xa8"
		    "event_id");
	bat_pack_take_id(fast, &out->id);
	BAT_PACK_SAME(fast,
	    "\xae"
	    "correlation_id");
	bat_pack_take_id(fast, &out->corr);
	BAT_PACK_SAME(fast,
	    "\xac"
	    "causation_id");
	bat_pack_take_id_or_nil(fast, &out->cause);
	BAT_PACK_SAME(fast,
	    "\xa9"
	    "entity_id");
	out->entity = (uint32_t)bat_pack_take_number(fast, UINT32_MAX);
	BAT_PACK_SAME(fast,
	    "\xa8"
	    "scope_id");
	out->scope = (uint32_t)bat_pack_take_number(fast, UINT32_MAX);
	BAT_PACK_SAME(fast,
	    "\xa4"
	    "kind");
	out->kind = (uint16_t)bat_pack_take_number(fast, UINT16_MAX);
	BAT_PACK_SAME(fast,
	    "\xa7"
	    "wall_ms");
	out->wall_ms = bat_pack_take_number(fast, UINT64_MAX);
	BAT_PACK_SAME(fast,
	    "\xa5"
	    "clock");
	out->clock = (uint32_t)bat_pack_take_number(fast, UINT32_MAX);
	BAT_PACK_SAME(fast,
	    "\xa8"
	    "dag_lane");
	out->lane = (uint32_t)bat_pack_take_number(fast, UINT32_MAX);
	BAT_PACK_SAME(fast,
	    "\xa9"
	    "dag_depth");
	out->depth = (uint32_t)bat_pack_take_number(fast, UINT32_MAX);
	BAT_PACK_SAME(fast,
	    "\xa9"
	    "prev_hash");
	bat_pack_take_hash(fast, &out->prev);
	BAT_PACK_SAME(fast,
	    "\xaa"
	    "event_hash");
	bat_pack_take_hash(fast, &out->hash);
	BAT_PACK_SAME(fast,
	    "\xaa"
	    "segment_id");
	out->segment = bat_pack_take_number(fast, UINT64_MAX);
	BAT_PACK_SAME(fast,
	    "\xa6"
	    "offset");
	out->offset = bat_pack_take_number(fast, UINT64_MAX);
	BAT_PACK_SAME(fast,
	    "\xa6"
	    "length");
	out->length = (uint32_t)bat_pack_take_number(fast, UINT32_MAX);
	BAT_PACK_SAME(fast,
	    "\xaf"
	    "global_sequence");
	out->seq = bat_pack_take_number(fast, UINT64_MAX);
}

/* An entry in batpak's own spelling; false: nothing was read. */
static bool
read_usual(struct bat_pack_reader *reader, uint16_t version,
    struct bat_row *out, struct bat_slice *out_map)
{
	struct bat_pack_spelled fast = { reader->at, 0 };
	uint32_t count = 0;

	if (version < 4 || bat_pack_left(reader) < ENTRY_WINDOW)
		return false;
	take_entry(&fast, version, out);
	*out_map = BAT_SLICE_EMPTY;
	out->extensions = BAT_ROW_EXTENSIONS_UNKNOWN;
	if (version == 6) {
		struct bat_pack_reader map = { .end = reader->end };

		BAT_PACK_SAME(&fast,
		    "\xb2"
		    "receipt_extensions");
		map.at = fast.at;
		if (fast.differ != 0)
			return false;
		if (*map.at == 0x80)
			*out_map = bat_bytes_slice(map.at++, 1);
		else if (bat_codec_read_extensions(&map, out_map, &count) != 0)
			return false;
		fast.at = map.at;
		out->extensions = count > 0 ? BAT_ROW_EXTENSIONS_SOME :
					      BAT_ROW_EXTENSIONS_NONE;
	}
	if (fast.differ != 0)
		return false;
	reader->at = fast.at;
	return true;
}

/* ---- an entry in any spelling ----------------------------------------- */

static int
read_u32(struct bat_pack_reader *reader, uint32_t *out)
{
	uint64_t number;
	int code = bat_pack_read_uint(reader, UINT32_MAX, &number);

	if (code == 0)
		*out = (uint32_t)number;
	return code;
}

static int
read_entry_field(struct bat_pack_reader *reader, unsigned field,
    struct bat_row *out, struct bat_slice *out_map)
{
	uint64_t number = 0;
	uint32_t count = 0;
	int code;

	switch (field) {
	case ENTRY_ID:
		return bat_pack_read_id(reader, &out->id);
	case ENTRY_CORR:
		return bat_pack_read_id(reader, &out->corr);
	case ENTRY_CAUSE:
		return bat_pack_read_id_or_nil(reader, &out->cause);
	case ENTRY_ENTITY:
		return read_u32(reader, &out->entity);
	case ENTRY_SCOPE:
		return read_u32(reader, &out->scope);
	case ENTRY_KIND:
		code = bat_pack_read_uint(reader, UINT16_MAX, &number);
		out->kind = (uint16_t)number;
		return code;
	case ENTRY_WALL_MS:
		return bat_pack_read_uint(reader, UINT64_MAX, &out->wall_ms);
	case ENTRY_CLOCK:
		return read_u32(reader, &out->clock);
	case ENTRY_LANE:
		return read_u32(reader, &out->lane);
	case ENTRY_DEPTH:
		return read_u32(reader, &out->depth);
	case ENTRY_PREV:
		return bat_pack_read_hash(reader, &out->prev);
	case ENTRY_HASH:
		return bat_pack_read_hash(reader, &out->hash);
	case ENTRY_SEGMENT:
		return bat_pack_read_uint(reader, UINT64_MAX, &out->segment);
	case ENTRY_OFFSET:
		return bat_pack_read_uint(reader, UINT64_MAX, &out->offset);
	case ENTRY_LENGTH:
		return read_u32(reader, &out->length);
	case ENTRY_SEQ:
		return bat_pack_read_uint(reader, UINT64_MAX, &out->seq);
	default: /* ENTRY_EXTENSIONS */
		code = bat_codec_read_extensions(reader, out_map, &count);
		if (count > 0)
			out->extensions = BAT_ROW_EXTENSIONS_SOME;
		return code;
	}
}

int
bat_checkpoint_read_entry(struct bat_pack_reader *reader, uint16_t version,
    struct bat_row *out, struct bat_slice *out_map, const char **out_fault)
{
	struct bat_fields_shape shape;
	struct bat_fields_walk walk;
	unsigned field;
	int code;

	if (read_usual(reader, version, out, out_map))
		return 0;
	shape = bat_checkpoint_entry_shape(version);
	*out = (struct bat_row){ 0 };
	*out_map = BAT_SLICE_EMPTY;
	out->extensions = version < 6 ? BAT_ROW_EXTENSIONS_UNKNOWN :
					BAT_ROW_EXTENSIONS_NONE;
	code = bat_fields_begin(&walk, reader, &shape);
	while (code == 0 && (code = bat_fields_next(&walk, &field)) == 0)
		code = read_entry_field(reader, field, out, out_map);
	if (code == BAT_END)
		return 0;
	*out_fault = bat_fields_name(&walk);
	return code;
}
