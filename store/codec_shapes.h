/*
 * The structs of a frame, their fields in batpak's order (FORMAT.md 2.5). Only
 * for codec.c, which reads them, and codec_encode.c, which writes them.
 */
#ifndef BAT_CODEC_SHAPES_H
#define BAT_CODEC_SHAPES_H

#include "fields.h"

enum { FRAME_EVENT, FRAME_ENTITY, FRAME_SCOPE, FRAME_EXTENSIONS, FRAME_COUNT };
static const struct bat_fields_key frame_keys[FRAME_COUNT] = {
	BAT_FIELDS_KEY("\xa5", "event"),
	BAT_FIELDS_KEY("\xa6", "entity"),
	BAT_FIELDS_KEY("\xa5", "scope"),
	BAT_FIELDS_KEY("\xb2", "receipt_extensions"),
};
static const struct bat_fields_shape frame_shape = { frame_keys, FRAME_COUNT,
	1u << FRAME_EXTENSIONS, 0 };

enum { EVENT_HEADER, EVENT_PAYLOAD, EVENT_CHAIN, EVENT_COUNT };
static const struct bat_fields_key event_keys[EVENT_COUNT] = {
	BAT_FIELDS_KEY("\xa6", "header"),
	BAT_FIELDS_KEY("\xa7", "payload"),
	BAT_FIELDS_KEY("\xaa", "hash_chain"),
};
static const struct bat_fields_shape event_shape = { event_keys, EVENT_COUNT,
	1u << EVENT_CHAIN, 0 };

enum {
	HEADER_ID,
	HEADER_CORR,
	HEADER_CAUSE,
	HEADER_TIMESTAMP,
	HEADER_POSITION,
	HEADER_PAYLOAD_SIZE,
	HEADER_KIND,
	HEADER_FLAGS,
	HEADER_CONTENT_HASH,
	HEADER_COUNT
};
static const struct bat_fields_key header_keys[HEADER_COUNT] = {
	BAT_FIELDS_KEY("\xa8", "event_id"),
	BAT_FIELDS_KEY("\xae", "correlation_id"),
	BAT_FIELDS_KEY("\xac", "causation_id"),
	BAT_FIELDS_KEY("\xac", "timestamp_us"),
	BAT_FIELDS_KEY("\xa8", "position"),
	BAT_FIELDS_KEY("\xac", "payload_size"),
	BAT_FIELDS_KEY("\xaa", "event_kind"),
	BAT_FIELDS_KEY("\xa5", "flags"),
	BAT_FIELDS_KEY("\xac", "content_hash"),
};
static const struct bat_fields_shape header_shape = { header_keys, HEADER_COUNT,
	1u << HEADER_CAUSE | 1u << HEADER_CONTENT_HASH, 0 };

enum {
	POSITION_WALL_MS,
	POSITION_COUNTER,
	POSITION_DEPTH,
	POSITION_LANE,
	POSITION_CLOCK,
	POSITION_COUNT
};
static const struct bat_fields_key position_keys[POSITION_COUNT] = {
	BAT_FIELDS_KEY("\xa7", "wall_ms"),
	BAT_FIELDS_KEY("\xa7", "counter"),
	BAT_FIELDS_KEY("\xa5", "depth"),
	BAT_FIELDS_KEY("\xa4", "lane"),
	BAT_FIELDS_KEY("\xa8", "sequence"),
};
static const struct bat_fields_shape position_shape = { position_keys,
	POSITION_COUNT, 0, 0 };

enum { CHAIN_PREV, CHAIN_HASH, CHAIN_COUNT };
static const struct bat_fields_key chain_keys[CHAIN_COUNT] = {
	BAT_FIELDS_KEY("\xa9", "prev_hash"),
	BAT_FIELDS_KEY("\xaa", "event_hash"),
};
static const struct bat_fields_shape chain_shape = { chain_keys, CHAIN_COUNT, 0,
	0 };

#endif
