/*
 * The structs of index.ckpt, their fields in batpak's order (FORMAT.md 2.5,
 * 6.2), and what the files of checkpoint share. Only for checkpoint*.c.
 */
#ifndef BAT_CHECKPOINT_SHAPES_H
#define BAT_CHECKPOINT_SHAPES_H

#include "event.h"
#include "fields.h"

#define BAT_CHECKPOINT_MAGIC "FBATCK"
#define BAT_CHECKPOINT_HEADER_SIZE BAT_CHECKPOINT_CRC_START

enum {
	BODY_ALLOCATOR,
	BODY_WATERMARK_SEGMENT,
	BODY_WATERMARK_OFFSET,
	BODY_STRINGS,
	BODY_ROUTING,
	BODY_FALLBACKS,
	BODY_ENTRIES,
	BODY_COUNT
};

enum {
	ENTRY_ID,
	ENTRY_CORR,
	ENTRY_CAUSE,
	ENTRY_ENTITY,
	ENTRY_SCOPE,
	ENTRY_KIND,
	ENTRY_WALL_MS,
	ENTRY_CLOCK,
	ENTRY_LANE,
	ENTRY_DEPTH,
	ENTRY_PREV,
	ENTRY_HASH,
	ENTRY_SEGMENT,
	ENTRY_OFFSET,
	ENTRY_LENGTH,
	ENTRY_SEQ,
	ENTRY_EXTENSIONS,
	ENTRY_COUNT
};

enum {
	ROUTING_ENTRY_COUNT,
	ROUTING_CHUNK_COUNT,
	ROUTING_CHUNKS,
	ROUTING_RUNS,
	ROUTING_COUNT
};

enum { CHUNK_START, CHUNK_LENGTH, CHUNK_FIRST, CHUNK_LAST, CHUNK_COUNT };

enum { RUN_ENTITY, RUN_START, RUN_LENGTH, RUN_FIRST, RUN_LAST, RUN_COUNT };

enum {
	FALLBACKS_SYSTEM,
	FALLBACKS_EFFECT,
	FALLBACKS_SYSTEM_HISTOGRAM,
	FALLBACKS_EFFECT_HISTOGRAM,
	FALLBACKS_COUNT
};

/* The structs that change with the version (2 to 6): by value. */
struct bat_fields_shape bat_checkpoint_body_shape(uint16_t version);
struct bat_fields_shape bat_checkpoint_entry_shape(uint16_t version);
extern const struct bat_fields_shape bat_checkpoint_routing_shape;
extern const struct bat_fields_shape bat_checkpoint_chunk_shape;
extern const struct bat_fields_shape bat_checkpoint_run_shape;
extern const struct bat_fields_shape bat_checkpoint_fallbacks_shape;

/* One entry in any spelling. 0, or BAT_DATA_CORRUPT and in *out_fault the name
 * of the field. */
int bat_checkpoint_read_entry(struct bat_pack_reader *reader, uint16_t version,
    struct bat_row *out, struct bat_slice *out_map, const char **out_fault);

#endif
