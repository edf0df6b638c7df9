#include "codec.h"

#include "codec_shapes.h"

static void
put_position(struct bat_fields_out *out, const struct bat_event *event)
{
	const struct bat_fields_shape *shape = &position_shape;

	bat_fields_put_map(out, shape);
	bat_fields_put_uint(out, shape, POSITION_WALL_MS, event->wall_ms);
	bat_fields_put_uint(out, shape, POSITION_COUNTER, event->counter);
	bat_fields_put_uint(out, shape, POSITION_DEPTH, event->depth);
	bat_fields_put_uint(out, shape, POSITION_LANE, event->lane);
	bat_fields_put_uint(out, shape, POSITION_CLOCK, event->clock);
}

static void
put_header(struct bat_fields_out *out, const struct bat_event *event)
{
	const struct bat_fields_shape *shape = &header_shape;

	bat_fields_put_map(out, shape);
	bat_fields_put_id(out, shape, HEADER_ID, &event->id);
	bat_fields_put_id(out, shape, HEADER_CORR, &event->corr);
	bat_fields_put_id_or_nil(out, shape, HEADER_CAUSE, &event->cause);
	bat_fields_put_int(out, shape, HEADER_TIMESTAMP, event->timestamp_us);
	bat_fields_put_key(out, shape, HEADER_POSITION);
	put_position(out, event);
	bat_fields_put_uint(out, shape, HEADER_PAYLOAD_SIZE,
	    event->payload_size);
	bat_fields_put_uint(out, shape, HEADER_KIND, event->kind);
	bat_fields_put_uint(out, shape, HEADER_FLAGS, event->flags);
	bat_fields_put_hash(out, shape, HEADER_CONTENT_HASH,
	    &event->content_hash);
}

static void
put_chain(struct bat_fields_out *out, const struct bat_event *event)
{
	if (!event->has_chain) {
		if (out->code == 0)
			out->code = bat_pack_write_nil(out->buf);
		return;
	}
	bat_fields_put_map(out, &chain_shape);
	bat_fields_put_hash(out, &chain_shape, CHAIN_PREV, &event->prev);
	bat_fields_put_hash(out, &chain_shape, CHAIN_HASH, &event->hash);
}

/* A frame body of exactly what *event says; buf is as before on failure. */
static int
encode_frame(const struct bat_event *event, struct bat_slice payload,
    const struct bat_extension *extensions, size_t extension_count,
    struct bat_buf *buf)
{
	struct bat_fields_out out = { buf, 0 };
	size_t start = buf->length;

	bat_fields_put_map(&out, &frame_shape);
	bat_fields_put_key(&out, &frame_shape, FRAME_EVENT);
	bat_fields_put_map(&out, &event_shape);
	bat_fields_put_key(&out, &event_shape, EVENT_HEADER);
	put_header(&out, event);
	bat_fields_put_key(&out, &event_shape, EVENT_PAYLOAD);
	if (out.code == 0)
		out.code = bat_pack_write_byte_array(buf, payload);
	bat_fields_put_key(&out, &event_shape, EVENT_CHAIN);
	put_chain(&out, event);
	bat_fields_put_str(&out, &frame_shape, FRAME_ENTITY, event->entity);
	bat_fields_put_str(&out, &frame_shape, FRAME_SCOPE, event->scope);
	bat_fields_put_key(&out, &frame_shape, FRAME_EXTENSIONS);
	if (out.code == 0)
		out.code = bat_codec_encode_extensions(extensions,
		    extension_count, buf);
	if (out.code != 0)
		buf->length = start;
	return out.code;
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
