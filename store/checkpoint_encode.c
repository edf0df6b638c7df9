/*
 * The part of checkpoint that writes index.ckpt (FORMAT.md 6).
 */
#include "checkpoint.h"
#include "checkpoint_shapes.h"

#include "crc.h"

static const uint8_t empty_map[] = { 0x80 };

/* A raw map, `80` for the empty slice. */
static struct bat_slice
map_or_empty(struct bat_slice map)
{
	if (map.length > 0)
		return map;
	return bat_bytes_slice(empty_map, sizeof(empty_map));
}

int
bat_checkpoint_encode_strings(const struct bat_intern *names,
    struct bat_buf *buf)
{
	int code;

	if (names->count >= UINT32_MAX)
		return BAT_USE_TOO_LARGE;
	code = bat_pack_write_array(buf, (uint32_t)names->count + 1);
	if (code == 0)
		code = bat_pack_write_str(buf, BAT_SLICE_EMPTY);
	for (uint32_t i = 0; i < names->count && code == 0; i++)
		code = bat_pack_write_str(buf, bat_intern_get(names, i));
	return code;
}

int
bat_checkpoint_encode_fallbacks(
    const struct bat_checkpoint_fallbacks *fallbacks, struct bat_buf *buf)
{
	const struct bat_fields_shape *shape = &bat_checkpoint_fallbacks_shape;
	struct bat_fields_out out = { buf, 0 };

	bat_fields_put_map(&out, shape);
	bat_fields_put_uint(&out, shape, FALLBACKS_SYSTEM, fallbacks->system);
	bat_fields_put_uint(&out, shape, FALLBACKS_EFFECT, fallbacks->effect);
	bat_fields_put_packed(&out, shape, FALLBACKS_SYSTEM_HISTOGRAM,
	    map_or_empty(fallbacks->system_histogram));
	bat_fields_put_packed(&out, shape, FALLBACKS_EFFECT_HISTOGRAM,
	    map_or_empty(fallbacks->effect_histogram));
	return out.code;
}

/*
 * An entry of version 4 to 6 is written by hand into space that was made for
 * it once: a call for each of its 34 parts would take most of the time.
 */
#define ENTRY_WINDOW 512 /* as in checkpoint_entry.c */

#define PUT_KEY(to, marker, name)                                              \
	put_bytes(to, marker name, sizeof(marker name) - 1)

static inline uint8_t *
put_bytes(uint8_t *to, const void *bytes, size_t length)
{
	memcpy(to, bytes, length);
	return to + length;
}

static inline uint8_t *
put_uint(uint8_t *to, uint64_t value)
{
	size_t width = value <= UINT8_MAX ? 1 :
	    value <= UINT16_MAX		  ? 2 :
	    value <= UINT32_MAX		  ? 4 :
					    8;

	if (value < 0x80) {
		*to = (uint8_t)value;
		return to + 1;
	}
	*to = (uint8_t)(0xcc + (width > 1) + (width > 2) + (width > 4));
	bat_bytes_put_be(to + 1, value, width);
	return to + 1 + width;
}

static inline uint8_t *
put_id(uint8_t *to, const struct bat_id *id)
{
	to = put_bytes(to, "\xc4\x10", 2);
	return put_bytes(to, id->bytes, sizeof(id->bytes));
}

static inline uint8_t *
put_hash(uint8_t *to, const struct bat_hash *hash)
{
	to = put_bytes(to, "\xdc\x00\x20", 3);
	for (size_t i = 0; i < sizeof(hash->bytes); i++) {
		size_t is_high = hash->bytes[i] >> 7;

		/* The marker first, and the byte on top of it or behind. */
		to[0] = 0xcc;
		to[is_high] = hash->bytes[i];
		to += 1 + is_high;
	}
	return to;
}

static uint8_t *
put_entry(uint8_t *to, const struct bat_row *row, uint16_t version)
{
	to = put_bytes(to,
	    version == 6     ? "\xde\x00\x11" :
		version >= 4 ? "\xde\x00\x10" :
			       "\x8e",
	    version >= 4 ? 3 : 1);
	to = put_id(PUT_KEY(to, "\xa8", "event_id"), &row->id);
	to = put_id(PUT_KEY(to, "\xae", "correlation_id"), &row->corr);
	to = PUT_KEY(to, "\xac", "causation_id");
	if (bat_id_is_zero(&row->cause))
		*to++ = 0xc0;
	else
		to = put_id(to, &row->cause);
	/* The sentinel stands before all names. */
	to = put_uint(PUT_KEY(to, "\xa9", "entity_id"),
	    (uint64_t)row->entity + 1);
	to = put_uint(PUT_KEY(to, "\xa8", "scope_id"),
	    (uint64_t)row->scope + 1);
	to = put_uint(PUT_KEY(to, "\xa4", "kind"), row->kind);
	to = put_uint(PUT_KEY(to, "\xa7", "wall_ms"), row->wall_ms);
	to = put_uint(PUT_KEY(to, "\xa5", "clock"), row->clock);
	if (version >= 4) {
		to = put_uint(PUT_KEY(to, "\xa8", "dag_lane"), row->lane);
		to = put_uint(PUT_KEY(to, "\xa9", "dag_depth"), row->depth);
	}
	to = put_hash(PUT_KEY(to, "\xa9", "prev_hash"), &row->prev);
	to = put_hash(PUT_KEY(to, "\xaa", "event_hash"), &row->hash);
	to = put_uint(PUT_KEY(to, "\xaa", "segment_id"), row->segment);
	to = put_uint(PUT_KEY(to, "\xa6", "offset"), row->offset);
	to = put_uint(PUT_KEY(to, "\xa6", "length"), row->length);
	to = put_uint(PUT_KEY(to, "\xaf", "global_sequence"), row->seq);
	if (version == 6)
		to = PUT_KEY(to, "\xb2", "receipt_extensions");
	return to;
}

static int
encode_rows(const struct bat_checkpoint_input *input, uint16_t version,
    struct bat_buf *buf, struct bat_error *error)
{
	const struct bat_checkpoint_source *source = input->source;
	struct bat_row row;
	struct bat_slice map;
	uint64_t count = 0;
	int code = source->rewind(source->context);

	if (code != 0)
		return code;
	while ((code = source->next(source->context, &row, &map)) == 0) {
		uint8_t *end;

		if (row.entity >= input->names->count ||
		    row.scope >= input->names->count)
			return bat_error_set(error, BAT_USE_INVALID,
			    BAT_CHECKPOINT_FILE ": row %llu names string %u",
			    (unsigned long long)count,
			    row.entity > row.scope ? row.entity : row.scope);
		code = bat_bytes_reserve(buf, ENTRY_WINDOW);
		if (code != 0)
			return code;
		end = put_entry(buf->data + buf->length, &row, version);
		buf->length = (size_t)(end - buf->data);
		if (version == 6)
			code = bat_bytes_append_slice(buf, map_or_empty(map));
		if (code != 0)
			return code;
		count++;
	}
	if (code != BAT_END)
		return code;
	/* Routing was made from an earlier pass over the same rows. */
	return count == input->row_count ?
	    0 :
	    bat_error_set(error, BAT_USE_INVALID,
		BAT_CHECKPOINT_FILE ": %llu rows, %llu were announced",
		(unsigned long long)count,
		(unsigned long long)input->row_count);
}

static int
encode_body(const struct bat_checkpoint_input *input, uint16_t version,
    struct bat_buf *buf, struct bat_error *error)
{
	struct bat_fields_shape shape = bat_checkpoint_body_shape(version);
	struct bat_fields_out out = { buf, 0 };

	bat_fields_put_map(&out, &shape);
	bat_fields_put_uint(&out, &shape, BODY_ALLOCATOR, input->allocator);
	bat_fields_put_uint(&out, &shape, BODY_WATERMARK_SEGMENT,
	    input->watermark_segment);
	bat_fields_put_uint(&out, &shape, BODY_WATERMARK_OFFSET,
	    input->watermark_offset);
	bat_fields_put_key(&out, &shape, BODY_STRINGS);
	if (out.code == 0)
		out.code = bat_checkpoint_encode_strings(input->names, buf);
	if (version >= 3) {
		bat_fields_put_key(&out, &shape, BODY_ROUTING);
		if (out.code == 0)
			out.code = bat_checkpoint_encode_routing(input, buf,
			    error);
	}
	if (version >= 5) {
		bat_fields_put_key(&out, &shape, BODY_FALLBACKS);
		if (out.code == 0)
			out.code = bat_checkpoint_encode_fallbacks(
			    &input->fallbacks, buf);
	}
	bat_fields_put_key(&out, &shape, BODY_ENTRIES);
	if (out.code == 0 && input->row_count > UINT32_MAX)
		out.code = BAT_USE_TOO_LARGE;
	if (out.code == 0)
		out.code = bat_pack_write_array(buf,
		    (uint32_t)input->row_count);
	if (out.code == 0)
		out.code = encode_rows(input, version, buf, error);
	return out.code;
}

int
bat_checkpoint_encode(const struct bat_checkpoint_input *input,
    uint16_t version, struct bat_buf *buf, struct bat_error *error)
{
	size_t start = buf->length;
	size_t body = start + BAT_CHECKPOINT_HEADER_SIZE;
	uint32_t crc;
	int code = bat_bytes_append_text(buf, BAT_CHECKPOINT_MAGIC);

	if (code == 0)
		code = bat_bytes_append_le(buf, version, 2);
	if (code == 0)
		code = bat_bytes_append_le(buf, 0, 4);
	if (code == 0)
		code = encode_body(input, version, buf, error);
	if (code != 0) {
		buf->length = start;
		if (code == BAT_WORLD_NO_MEMORY)
			bat_error_set(error, code,
			    BAT_CHECKPOINT_FILE ": %llu rows",
			    (unsigned long long)input->row_count);
		return code;
	}
	crc = bat_crc_of(bat_bytes_slice(buf->data + body, buf->length - body));
	bat_bytes_put_le(buf->data + start + 8, crc, 4);
	return 0;
}
