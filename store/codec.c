#include "codec_internal.h"

#include "codec_shapes.h"
#include "kind.h"

/* Decoding: where we are, and the name of the innermost field that failed. */
struct decoder {
	struct bat_pack_reader reader;
	struct bat_event *event;
	const char *fault;
};

/* The end of a walk: BAT_END is its success. */
static int
finish(struct decoder *decoder, const struct bat_fields_walk *walk, int code)
{
	if (code == BAT_END)
		return 0;
	if (decoder->fault == NULL)
		decoder->fault = bat_fields_name(walk);
	return code;
}

static int
read_u32(struct bat_pack_reader *reader, uint32_t max, uint32_t *out)
{
	uint64_t number;
	int code = bat_pack_read_uint(reader, max, &number);

	if (code == 0)
		*out = (uint32_t)number;
	return code;
}

static int
read_position(struct decoder *decoder)
{
	struct bat_pack_reader *reader = &decoder->reader;
	struct bat_event *event = decoder->event;
	struct bat_fields_walk walk;
	unsigned field;
	int code = bat_fields_begin(&walk, reader, &position_shape);

	while (code == 0 && (code = bat_fields_next(&walk, &field)) == 0) {
		switch (field) {
		case POSITION_WALL_MS:
			code = bat_pack_read_uint(reader, UINT64_MAX,
			    &event->wall_ms);
			break;
		case POSITION_COUNTER:
			code = read_u32(reader, UINT16_MAX, &event->counter);
			break;
		case POSITION_DEPTH:
			code = read_u32(reader, UINT32_MAX, &event->depth);
			break;
		case POSITION_LANE:
			code = read_u32(reader, UINT32_MAX, &event->lane);
			break;
		default: /* POSITION_CLOCK */
			code = read_u32(reader, UINT32_MAX, &event->clock);
			break;
		}
	}
	return finish(decoder, &walk, code);
}

static int
read_header_field(struct decoder *decoder, unsigned field)
{
	struct bat_pack_reader *reader = &decoder->reader;
	struct bat_event *event = decoder->event;
	uint32_t number = 0;
	int code;

	switch (field) {
	case HEADER_ID:
		return bat_pack_read_id(reader, &event->id);
	case HEADER_CORR:
		return bat_pack_read_id(reader, &event->corr);
	case HEADER_CAUSE:
		return bat_pack_read_id_or_nil(reader, &event->cause);
	case HEADER_TIMESTAMP:
		return bat_pack_read_int(reader, &event->timestamp_us);
	case HEADER_POSITION:
		return read_position(decoder);
	case HEADER_PAYLOAD_SIZE:
		return read_u32(reader, UINT32_MAX, &event->payload_size);
	case HEADER_KIND:
		code = read_u32(reader, UINT16_MAX, &number);
		event->kind = (uint16_t)number;
		return code;
	case HEADER_FLAGS:
		code = read_u32(reader, UINT8_MAX, &number);
		event->flags = (uint8_t)number;
		return code;
	default: /* HEADER_CONTENT_HASH */
		return bat_pack_read_hash(reader, &event->content_hash);
	}
}

static int
read_header(struct decoder *decoder)
{
	struct bat_fields_walk walk;
	unsigned field;
	int code = bat_fields_begin(&walk, &decoder->reader, &header_shape);

	while (code == 0 && (code = bat_fields_next(&walk, &field)) == 0)
		code = read_header_field(decoder, field);
	return finish(decoder, &walk, code);
}

static int
read_chain(struct decoder *decoder)
{
	struct bat_event *event = decoder->event;
	struct bat_fields_walk walk;
	unsigned field;
	int code;

	if (bat_pack_is_nil(&decoder->reader))
		return bat_pack_skip(&decoder->reader, 1);
	code = bat_fields_begin(&walk, &decoder->reader, &chain_shape);
	while (code == 0 && (code = bat_fields_next(&walk, &field)) == 0)
		code = bat_pack_read_hash(&decoder->reader,
		    field == CHAIN_PREV ? &event->prev : &event->hash);
	event->has_chain = code == BAT_END;
	return finish(decoder, &walk, code);
}

/* A compaction of batpak's leaves a value where bytes should be: allowed. */
static int
read_payload(struct decoder *decoder)
{
	struct bat_event *event = decoder->event;
	int code = bat_pack_read_bytes(&decoder->reader, &event->payload_slot);

	event->payload_is_bytes = code == 0;
	return event->payload_slot.data != NULL ? 0 : code;
}

static int
read_event(struct decoder *decoder)
{
	struct bat_fields_walk walk;
	unsigned field;
	int code = bat_fields_begin(&walk, &decoder->reader, &event_shape);

	while (code == 0 && (code = bat_fields_next(&walk, &field)) == 0) {
		if (field == EVENT_HEADER)
			code = read_header(decoder);
		else if (field == EVENT_PAYLOAD)
			code = read_payload(decoder);
		else
			code = read_chain(decoder);
	}
	return finish(decoder, &walk, code);
}

static int
read_frame(struct decoder *decoder)
{
	struct bat_pack_reader *reader = &decoder->reader;
	struct bat_event *event = decoder->event;
	struct bat_fields_walk walk;
	unsigned field;
	int code = bat_fields_begin(&walk, reader, &frame_shape);

	while (code == 0 && (code = bat_fields_next(&walk, &field)) == 0) {
		if (field == FRAME_EVENT)
			code = read_event(decoder);
		else if (field == FRAME_ENTITY)
			code = bat_pack_read_str(reader, &event->entity);
		else if (field == FRAME_SCOPE)
			code = bat_pack_read_str(reader, &event->scope);
		else
			code = bat_codec_read_extensions(reader,
			    &event->extension_map, &event->extension_count);
	}
	return finish(decoder, &walk, code);
}

int
bat_codec_decode_any(struct bat_slice body, struct bat_event *out,
    struct bat_error *error)
{
	struct decoder decoder = {
		.reader = BAT_PACK_READER(body),
		.event = out,
	};

	*out = (struct bat_event){ 0 };
	if (read_frame(&decoder) != 0)
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    "frame of %zu bytes: %s does not decode, near byte %zu",
		    body.length, decoder.fault,
		    body.length - bat_pack_left(&decoder.reader));
	if (!out->has_chain && out->kind != BAT_KIND_BATCH_BEGIN &&
	    out->kind != BAT_KIND_BATCH_COMMIT)
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    "an event of kind %04x without a hash chain", out->kind);
	return 0;
}

int
bat_codec_decode(struct bat_slice body, struct bat_event *out,
    struct bat_error *error)
{
	return bat_codec_decode_into(body, NULL, out, error);
}

int
bat_codec_decode_into(struct bat_slice body, const struct bat_buf *room,
    struct bat_event *out, struct bat_error *error)
{
	if (bat_codec_decode_expected(body, room, out))
		return 0;
	return bat_codec_decode_any(body, out, error);
}

bool
bat_codec_is_marker(const struct bat_event *event)
{
	return !event->has_chain &&
	    (event->kind == BAT_KIND_BATCH_BEGIN ||
		event->kind == BAT_KIND_BATCH_COMMIT);
}

/* Is the first byte that of an array? Then a compaction may have meant it as
 * a value. */
static bool
is_array(struct bat_slice slot)
{
	return slot.length > 0 &&
	    (slot.data[0] >> 4 == 0x9 || slot.data[0] == 0xdc ||
		slot.data[0] == 0xdd);
}

/* The byte vector in the slot onto buf, where it may be already. */
static int
expand(const struct bat_event *event, struct bat_buf *buf)
{
	if (event->payload.data == NULL || event->payload.data != buf->data ||
	    buf->length > 0)
		return bat_pack_unpack_bytes(event->payload_slot, buf);
	buf->length = event->payload.length;
	return 0;
}

int
bat_codec_payload(const struct bat_event *event, struct bat_buf *buf)
{
	struct bat_slice bytes = BAT_SLICE_EMPTY;
	size_t start = buf->length;
	struct bat_hash hash;
	int code;

	if (!event->payload_is_bytes)
		return bat_bytes_append_slice(buf, event->payload_slot);
	code = expand(event, buf);
	if (code != 0) {
		buf->length = start;
		return code;
	}
	if (buf->length > start)
		bytes = bat_bytes_slice(buf->data + start, buf->length - start);
	if (!is_array(event->payload_slot) || !event->has_chain ||
	    bytes.length == event->payload_size)
		return 0;
	hash = bat_hash_of(bytes);
	if (bat_hash_equal(&hash, &event->hash))
		return 0;
	buf->length = start;
	return bat_bytes_append_slice(buf, event->payload_slot);
}

int
bat_codec_read_extensions(struct bat_pack_reader *reader,
    struct bat_slice *out_map, uint32_t *out_count)
{
	const uint8_t *start = reader->at;
	uint32_t count;
	int code;

	/* Nearly always it is an empty one. */
	if (bat_pack_left(reader) > 0 && *start == 0x80) {
		reader->at++;
		*out_map = bat_bytes_slice(start, 1);
		*out_count = 0;
		return 0;
	}
	code = bat_pack_read_map(reader, &count);
	for (uint32_t i = 0; i < count && code == 0; i++) {
		struct bat_slice ignored;

		code = bat_pack_read_str(reader, &ignored);
		if (code == 0)
			code = bat_pack_read_bytes(reader, &ignored);
	}
	if (code != 0)
		return BAT_DATA_CORRUPT;
	*out_map = bat_bytes_slice(start, (size_t)(reader->at - start));
	*out_count = count;
	return 0;
}

int
bat_codec_next_extension(struct bat_pack_reader *state, uint32_t *left,
    struct bat_slice *out_key, struct bat_slice *out_slot)
{
	uint8_t first;
	uint32_t count;
	int code = 0;

	if (*left == 0)
		return BAT_END;
	if (bat_pack_left(state) == 0)
		return BAT_DATA_CORRUPT;
	/* No key begins like a map, so this is the map's own header. */
	first = *state->at;
	if (first >> 4 == 0x8 || first == 0xde || first == 0xdf)
		code = bat_pack_read_map(state, &count);
	if (code == 0)
		code = bat_pack_read_str(state, out_key);
	if (code == 0)
		code = bat_pack_read_bytes(state, out_slot);
	if (code == 0)
		(*left)--;
	return code;
}
