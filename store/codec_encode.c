/*
 * Frames as batpak writes them. Room is made once for a whole frame, then every
 * key and value goes to its place (pack_put.h says what that gains).
 */
#include "codec.h"

#include "codec_shapes.h"
#include "pack_put.h"

/* All keys (223 bytes), markers, numbers and ids of a frame. */
#define FIXED_ROOM 768

static inline uint8_t *
put_key(uint8_t *to, const struct bat_fields_key *key)
{
	memcpy(to, key->packed, key->length);
	return to + key->length;
}

static inline uint8_t *
put_map(uint8_t *to, unsigned count)
{
	*to = (uint8_t)(0x80 | count);
	return to + 1;
}

static inline uint8_t *
put_number(uint8_t *to, const struct bat_fields_key *key, uint64_t value)
{
	return bat_pack_put_uint(put_key(to, key), value);
}

static inline uint8_t *
put_position(uint8_t *to, const struct bat_event *event)
{
	to = put_map(to, POSITION_COUNT);
	to = put_number(to, &position_keys[POSITION_WALL_MS], event->wall_ms);
	to = put_number(to, &position_keys[POSITION_COUNTER], event->counter);
	to = put_number(to, &position_keys[POSITION_DEPTH], event->depth);
	to = put_number(to, &position_keys[POSITION_LANE], event->lane);
	return put_number(to, &position_keys[POSITION_CLOCK], event->clock);
}

static inline uint8_t *
put_header(uint8_t *to, const struct bat_event *event)
{
	const struct bat_fields_key *keys = header_keys;

	to = put_map(to, HEADER_COUNT);
	to = bat_pack_put_id(put_key(to, &keys[HEADER_ID]), &event->id);
	to = bat_pack_put_id(put_key(to, &keys[HEADER_CORR]), &event->corr);
	to = put_key(to, &keys[HEADER_CAUSE]);
	to = bat_id_is_zero(&event->cause) ? bat_pack_put_nil(to) :
					     bat_pack_put_id(to, &event->cause);
	to = bat_pack_put_int(put_key(to, &keys[HEADER_TIMESTAMP]),
	    event->timestamp_us);
	to = put_position(put_key(to, &keys[HEADER_POSITION]), event);
	to = put_number(to, &keys[HEADER_PAYLOAD_SIZE], event->payload_size);
	to = put_number(to, &keys[HEADER_KIND], event->kind);
	to = put_number(to, &keys[HEADER_FLAGS], event->flags);
	return bat_pack_put_hash(put_key(to, &keys[HEADER_CONTENT_HASH]),
	    &event->content_hash);
}

static inline uint8_t *
put_chain(uint8_t *to, const struct bat_event *event)
{
	if (!event->has_chain)
		return bat_pack_put_nil(to);
	to = put_map(to, CHAIN_COUNT);
	to = bat_pack_put_hash(put_key(to, &chain_keys[CHAIN_PREV]),
	    &event->prev);
	return bat_pack_put_hash(put_key(to, &chain_keys[CHAIN_HASH]),
	    &event->hash);
}

/* All but the extensions, which come last. */
static uint8_t *
put_frame(uint8_t *to, const struct bat_event *event, struct bat_slice payload)
{
	to = put_map(to, FRAME_COUNT);
	to = put_key(to, &frame_keys[FRAME_EVENT]);
	to = put_map(to, EVENT_COUNT);
	to = put_header(put_key(to, &event_keys[EVENT_HEADER]), event);
	to = bat_pack_put_byte_array(put_key(to, &event_keys[EVENT_PAYLOAD]),
	    payload);
	to = put_chain(put_key(to, &event_keys[EVENT_CHAIN]), event);
	to = bat_pack_put_str(put_key(to, &frame_keys[FRAME_ENTITY]),
	    event->entity);
	to = bat_pack_put_str(put_key(to, &frame_keys[FRAME_SCOPE]),
	    event->scope);
	return put_key(to, &frame_keys[FRAME_EXTENSIONS]);
}

/* A frame body of exactly what *event says; buf is as before on failure. */
static int
encode_frame(const struct bat_event *event, struct bat_slice payload,
    const struct bat_extension *extensions, size_t extension_count,
    struct bat_buf *buf)
{
	size_t start = buf->length;
	int code;

	if (payload.length > BAT_EVENT_FRAME_MAX ||
	    event->entity.length > BAT_EVENT_FRAME_MAX ||
	    event->scope.length > BAT_EVENT_FRAME_MAX)
		return BAT_USE_TOO_LARGE;
	code = bat_bytes_reserve(buf,
	    FIXED_ROOM + BAT_PACK_SPREAD_ROOM(payload.length) +
		event->entity.length + event->scope.length);
	if (code != 0)
		return code;
	buf->length = (size_t)(put_frame(buf->data + start, event, payload) -
	    buf->data);
	code = bat_codec_encode_extensions(extensions, extension_count, buf);
	if (code != 0)
		buf->length = start;
	return code;
}

int
bat_codec_encode(const struct bat_event *event, struct bat_slice payload,
    const struct bat_extension *extensions, size_t extension_count,
    struct bat_buf *buf)
{
	struct bat_event full = *event;

	full.has_chain = true;
	full.payload_size = (uint32_t)payload.length;
	full.content_hash = event->hash;
	return encode_frame(&full, payload, extensions, extension_count, buf);
}

int
bat_codec_encode_marker(uint16_t kind, uint64_t first_seq, uint32_t count,
    int64_t timestamp_us, struct bat_buf *buf)
{
	const struct bat_event marker = {
		.id = bat_id_from_number(first_seq),
		.corr = bat_id_from_number(first_seq),
		.timestamp_us = timestamp_us,
		.wall_ms = (uint64_t)timestamp_us / 1000,
		.payload_size = count,
		.kind = kind,
		.entity = bat_bytes_text("_batch"),
		.scope = bat_bytes_text("_system"),
	};

	return encode_frame(&marker, BAT_SLICE_EMPTY, NULL, 0, buf);
}

int
bat_codec_encode_extensions(const struct bat_extension *extensions,
    size_t count, struct bat_buf *buf)
{
	size_t start = buf->length;
	int code = bat_pack_write_map(buf, (uint32_t)count);

	for (size_t i = 0; i < count && code == 0; i++) {
		code = bat_pack_write_str(buf, extensions[i].key);
		if (code == 0)
			code = bat_pack_write_byte_array(buf,
			    extensions[i].value);
	}
	if (code != 0)
		buf->length = start;
	return code;
}
