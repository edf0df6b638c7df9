/*
 * The parts of checkpoint that index.fbati shares: the tables of its structs,
 * and how strings, routing and fallbacks are read.
 */
#include "checkpoint.h"
#include "checkpoint_shapes.h"

#include <stdlib.h>

#include "coordinate.h"

static const struct bat_fields_key body_keys[BODY_COUNT] = {
	BAT_FIELDS_KEY("\xaf", "global_sequence"),
	BAT_FIELDS_KEY("\xb4", "watermark_segment_id"),
	BAT_FIELDS_KEY("\xb0", "watermark_offset"),
	BAT_FIELDS_KEY("\xb0", "interner_strings"),
	BAT_FIELDS_KEY("\xa7", "routing"),
	BAT_FIELDS_KEY("\xb7", "reserved_kind_fallbacks"),
	BAT_FIELDS_KEY("\xa7", "entries"),
};

static const struct bat_fields_key entry_keys[ENTRY_COUNT] = {
	BAT_FIELDS_KEY("\xa8", "event_id"),
	BAT_FIELDS_KEY("\xae", "correlation_id"),
	BAT_FIELDS_KEY("\xac", "causation_id"),
	BAT_FIELDS_KEY("\xa9", "entity_id"),
	BAT_FIELDS_KEY("\xa8", "scope_id"),
	BAT_FIELDS_KEY("\xa4", "kind"),
	BAT_FIELDS_KEY("\xa7", "wall_ms"),
	BAT_FIELDS_KEY("\xa5", "clock"),
	BAT_FIELDS_KEY("\xa8", "dag_lane"),
	BAT_FIELDS_KEY("\xa9", "dag_depth"),
	BAT_FIELDS_KEY("\xa9", "prev_hash"),
	BAT_FIELDS_KEY("\xaa", "event_hash"),
	BAT_FIELDS_KEY("\xaa", "segment_id"),
	BAT_FIELDS_KEY("\xa6", "offset"),
	BAT_FIELDS_KEY("\xa6", "length"),
	BAT_FIELDS_KEY("\xaf", "global_sequence"),
	BAT_FIELDS_KEY("\xb2", "receipt_extensions"),
};

static const struct bat_fields_key routing_keys[ROUTING_COUNT] = {
	BAT_FIELDS_KEY("\xab", "entry_count"),
	BAT_FIELDS_KEY("\xab", "chunk_count"),
	BAT_FIELDS_KEY("\xa6", "chunks"),
	BAT_FIELDS_KEY("\xab", "entity_runs"),
};
const struct bat_fields_shape bat_checkpoint_routing_shape = { routing_keys,
	ROUTING_COUNT, 0, 0 };

static const struct bat_fields_key chunk_keys[CHUNK_COUNT] = {
	BAT_FIELDS_KEY("\xa5", "start"),
	BAT_FIELDS_KEY("\xa3", "len"),
	BAT_FIELDS_KEY("\xae", "first_sequence"),
	BAT_FIELDS_KEY("\xad", "last_sequence"),
};
const struct bat_fields_shape bat_checkpoint_chunk_shape = { chunk_keys,
	CHUNK_COUNT, 0, 0 };

static const struct bat_fields_key run_keys[RUN_COUNT] = {
	BAT_FIELDS_KEY("\xa6", "entity"),
	BAT_FIELDS_KEY("\xa5", "start"),
	BAT_FIELDS_KEY("\xa3", "len"),
	BAT_FIELDS_KEY("\xae", "first_sequence"),
	BAT_FIELDS_KEY("\xad", "last_sequence"),
};
const struct bat_fields_shape bat_checkpoint_run_shape = { run_keys, RUN_COUNT,
	0, 0 };

static const struct bat_fields_key fallbacks_keys[FALLBACKS_COUNT] = {
	BAT_FIELDS_KEY("\xa6", "system"),
	BAT_FIELDS_KEY("\xa6", "effect"),
	BAT_FIELDS_KEY("\xb0", "system_histogram"),
	BAT_FIELDS_KEY("\xb0", "effect_histogram"),
};
const struct bat_fields_shape bat_checkpoint_fallbacks_shape = { fallbacks_keys,
	FALLBACKS_COUNT,
	1u << FALLBACKS_SYSTEM_HISTOGRAM | 1u << FALLBACKS_EFFECT_HISTOGRAM,
	0 };

struct bat_fields_shape
bat_checkpoint_body_shape(uint16_t version)
{
	struct bat_fields_shape shape = { body_keys, BODY_COUNT,
		1u << BODY_FALLBACKS, 0 };

	if (version < 5)
		shape.absent |= 1u << BODY_FALLBACKS;
	if (version < 3)
		shape.absent |= 1u << BODY_ROUTING;
	return shape;
}

struct bat_fields_shape
bat_checkpoint_entry_shape(uint16_t version)
{
	struct bat_fields_shape shape = { entry_keys, ENTRY_COUNT,
		1u << ENTRY_LANE | 1u << ENTRY_DEPTH | 1u << ENTRY_EXTENSIONS,
		0 };

	if (version < 6)
		shape.absent |= 1u << ENTRY_EXTENSIONS;
	if (version < 4)
		shape.absent |= 1u << ENTRY_LANE | 1u << ENTRY_DEPTH;
	return shape;
}

/* What is known of a string as part of a coordinate. */
enum { UNCHECKED, LEGAL, ILLEGAL };

int
bat_checkpoint_read_strings(struct bat_pack_reader *reader,
    struct bat_checkpoint_strings *out)
{
	struct bat_checkpoint_strings strings = { NULL, NULL, 0 };
	int code = bat_pack_read_array(reader, &strings.count);

	if (code != 0)
		return code;
	/* One more, so that an empty list is no special case; pack refuses a
	 * count that the rest of the file cannot hold. */
	strings.list = malloc(
	    (strings.count + (size_t)1) * sizeof(*strings.list));
	strings.verdicts = calloc(strings.count + (size_t)1, 1);
	if (strings.list == NULL || strings.verdicts == NULL)
		code = BAT_WORLD_NO_MEMORY;
	for (uint32_t i = 0; i < strings.count && code == 0; i++)
		code = bat_pack_read_str(reader, &strings.list[i]);
	if (code != 0) {
		bat_checkpoint_free_strings(&strings);
		return code;
	}
	/* Whatever the file has there is not looked at. */
	strings.list[0] = BAT_SLICE_EMPTY;
	*out = strings;
	return 0;
}

void
bat_checkpoint_free_strings(struct bat_checkpoint_strings *strings)
{
	free(strings->list);
	free(strings->verdicts);
	*strings = (struct bat_checkpoint_strings){ NULL, NULL, 0 };
}

static bool
is_legal(struct bat_checkpoint_strings *strings, uint32_t number)
{
	uint8_t *verdict = &strings->verdicts[number];

	if (*verdict == UNCHECKED) {
		struct bat_slice text = strings->list[number];

		*verdict = bat_coordinate_check(text, text, NULL) == 0 ?
		    LEGAL :
		    ILLEGAL;
	}
	return *verdict == LEGAL;
}

bool
bat_checkpoint_is_coordinate(struct bat_checkpoint_strings *strings,
    uint32_t entity, uint32_t scope)
{
	return entity < strings->count && scope < strings->count &&
	    is_legal(strings, entity) && is_legal(strings, scope);
}

/* A struct of numbers, but for the fields in the mask: those are strings. */
static int
skip_numbers(struct bat_pack_reader *reader,
    const struct bat_fields_shape *shape, uint32_t strings)
{
	struct bat_fields_walk walk;
	struct bat_slice text;
	uint64_t number;
	unsigned field;
	int code = bat_fields_begin(&walk, reader, shape);

	while (code == 0 && (code = bat_fields_next(&walk, &field)) == 0) {
		if ((strings >> field & 1) != 0)
			code = bat_pack_read_str(reader, &text);
		else
			code = bat_pack_read_uint(reader, UINT64_MAX, &number);
	}
	return code == BAT_END ? 0 : code;
}

static int
skip_list(struct bat_pack_reader *reader, const struct bat_fields_shape *shape,
    uint32_t strings)
{
	uint32_t count;
	int code = bat_pack_read_array(reader, &count);

	for (uint32_t i = 0; i < count && code == 0; i++)
		code = skip_numbers(reader, shape, strings);
	return code;
}

int
bat_checkpoint_skip_routing(struct bat_pack_reader *reader)
{
	struct bat_fields_walk walk;
	uint64_t number;
	unsigned field;
	int code = bat_fields_begin(&walk, reader,
	    &bat_checkpoint_routing_shape);

	while (code == 0 && (code = bat_fields_next(&walk, &field)) == 0) {
		if (field == ROUTING_CHUNKS)
			code = skip_list(reader, &bat_checkpoint_chunk_shape,
			    0);
		else if (field == ROUTING_RUNS)
			code = skip_list(reader, &bat_checkpoint_run_shape,
			    1u << RUN_ENTITY);
		else
			code = bat_pack_read_uint(reader, UINT64_MAX, &number);
	}
	return code == BAT_END ? 0 : code;
}

/* A map u16 -> u64; *out is the whole of it, as it stands there. */
static int
read_histogram(struct bat_pack_reader *reader, struct bat_slice *out)
{
	const uint8_t *start = reader->at;
	uint32_t count;
	int code = bat_pack_read_map(reader, &count);

	for (uint32_t i = 0; i < count && code == 0; i++) {
		uint64_t number;

		code = bat_pack_read_uint(reader, UINT16_MAX, &number);
		if (code == 0)
			code = bat_pack_read_uint(reader, UINT64_MAX, &number);
	}
	*out = bat_bytes_slice(start, (size_t)(reader->at - start));
	return code;
}

int
bat_checkpoint_read_fallbacks(struct bat_pack_reader *reader,
    struct bat_checkpoint_fallbacks *out)
{
	struct bat_fields_walk walk;
	unsigned field;
	int code = bat_fields_begin(&walk, reader,
	    &bat_checkpoint_fallbacks_shape);

	*out = (struct bat_checkpoint_fallbacks){ 0 };
	while (code == 0 && (code = bat_fields_next(&walk, &field)) == 0) {
		if (field == FALLBACKS_SYSTEM_HISTOGRAM)
			code = read_histogram(reader, &out->system_histogram);
		else if (field == FALLBACKS_EFFECT_HISTOGRAM)
			code = read_histogram(reader, &out->effect_histogram);
		else
			code = bat_pack_read_uint(reader, UINT64_MAX,
			    field == FALLBACKS_SYSTEM ? &out->system :
							&out->effect);
	}
	return code == BAT_END ? 0 : code;
}

int
bat_checkpoint_keep_fallbacks(const struct bat_checkpoint_fallbacks *from,
    struct bat_buf *bytes, struct bat_checkpoint_fallbacks *out)
{
	size_t system = from->system_histogram.length;
	size_t effect = from->effect_histogram.length;
	int code = bat_bytes_append_slice(bytes, from->system_histogram);

	if (code == BAT_OK)
		code = bat_bytes_append_slice(bytes, from->effect_histogram);
	*out = *from;
	out->system_histogram = BAT_SLICE_EMPTY;
	out->effect_histogram = BAT_SLICE_EMPTY;
	if (code == BAT_OK && system > 0)
		out->system_histogram = bat_bytes_slice(bytes->data, system);
	if (code == BAT_OK && effect > 0)
		out->effect_histogram = bat_bytes_slice(bytes->data + system,
		    effect);
	return code;
}
