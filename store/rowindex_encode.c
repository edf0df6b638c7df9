/*
 * The part of rowindex that writes index.fbati; rowindex.c has the layout.
 */
#include "rowindex.h"

#include "crc.h"
#include "pack.h"

/* `80` and no bytes at all both say that there are none. */
static bool
has_extensions(struct bat_slice map)
{
	return map.length > 1 || (map.length == 1 && map.data[0] != 0x80);
}

static int
encode_summary(const struct bat_checkpoint_input *input, struct bat_buf *buf,
    struct bat_error *error)
{
	int code = bat_pack_write_map(buf, 2);

	if (code == 0)
		code = bat_pack_write_text(buf, "routing");
	if (code == 0)
		code = bat_checkpoint_encode_routing(input, buf, error);
	if (code == 0)
		code = bat_pack_write_text(buf, "reserved_kind_fallbacks");
	if (code == 0)
		code = bat_checkpoint_encode_fallbacks(&input->fallbacks, buf);
	return code;
}

/* The first pass: all extension maps, one behind the other. */
static int
encode_extensions(const struct bat_checkpoint_input *input, struct bat_buf *buf)
{
	const struct bat_checkpoint_source *source = input->source;
	struct bat_slice map;
	struct bat_row row;
	int code = source->rewind(source->context);

	if (code != 0)
		return code;
	while ((code = source->next(source->context, &row, &map)) == 0) {
		if (has_extensions(map))
			code = bat_bytes_append_slice(buf, map);
		if (code != 0)
			return code;
	}
	return code == BAT_END ? 0 : code;
}

static void
put_row(uint8_t *p, const struct bat_row *row, struct bat_slice map,
    uint64_t map_offset)
{
	memset(p, 0, BAT_ROWINDEX_ROW_SIZE);
	bat_id_to_le(&row->id, p);
	bat_bytes_put_le(p + 16, row->entity + 1, 4);
	bat_bytes_put_le(p + 20, row->scope + 1, 4);
	bat_bytes_put_le(p + 24, row->kind, 2);
	bat_bytes_put_le(p + 26, row->wall_ms, 8);
	bat_bytes_put_le(p + 34, row->clock, 4);
	bat_bytes_put_le(p + 38, row->lane, 4);
	bat_bytes_put_le(p + 42, row->depth, 4);
	memcpy(p + 46, row->prev.bytes, BAT_HASH_SIZE);
	memcpy(p + 78, row->hash.bytes, BAT_HASH_SIZE);
	bat_bytes_put_le(p + 110, row->segment, 8);
	bat_bytes_put_le(p + 118, row->offset, 8);
	bat_bytes_put_le(p + 126, row->length, 4);
	bat_bytes_put_le(p + 130, row->seq, 8);
	bat_id_to_le(&row->corr, p + 138);
	bat_id_to_le(&row->cause, p + 154);
	if (has_extensions(map)) {
		struct bat_hash digest = bat_hash_of(map);

		bat_bytes_put_le(p + 170, map_offset, 8);
		bat_bytes_put_le(p + 178, map.length, 8);
		memcpy(p + 186, digest.bytes, BAT_HASH_SIZE);
	}
}

/* The second pass. Both must have seen the same rows and extensions. */
static int
encode_rows(const struct bat_checkpoint_input *input,
    uint64_t extensions_length, struct bat_buf *buf, struct bat_error *error)
{
	const struct bat_checkpoint_source *source = input->source;
	uint64_t count = 0, offset = 0;
	struct bat_slice map;
	struct bat_row row;
	int code = source->rewind(source->context);

	if (code != 0)
		return code;
	while ((code = source->next(source->context, &row, &map)) == 0) {
		if (row.entity >= input->names->count ||
		    row.scope >= input->names->count)
			return bat_error_set(error, BAT_USE_INVALID,
			    BAT_ROWINDEX_FILE ": row %llu names string %u",
			    (unsigned long long)count,
			    row.entity > row.scope ? row.entity : row.scope);
		code = bat_bytes_reserve(buf, BAT_ROWINDEX_ROW_SIZE);
		if (code != 0)
			return code;
		put_row(buf->data + buf->length, &row, map, offset);
		buf->length += BAT_ROWINDEX_ROW_SIZE;
		offset += has_extensions(map) ? map.length : 0;
		count++;
	}
	if (code != BAT_END)
		return code;
	if (count != input->row_count || offset != extensions_length)
		return bat_error_set(error, BAT_USE_INVALID,
		    BAT_ROWINDEX_FILE ": the rows changed meanwhile");
	return 0;
}

/* The sections, and in lengths how long the first three became. */
static int
encode_sections(const struct bat_checkpoint_input *input, uint64_t lengths[3],
    struct bat_buf *buf, struct bat_error *error)
{
	size_t start = buf->length;
	int code = bat_checkpoint_encode_strings(input->names, buf);

	if (code != 0)
		return code;
	lengths[0] = buf->length - start;
	start = buf->length;
	code = encode_summary(input, buf, error);
	if (code != 0)
		return code;
	lengths[1] = buf->length - start;
	start = buf->length;
	code = encode_extensions(input, buf);
	if (code != 0)
		return code;
	lengths[2] = buf->length - start;
	return encode_rows(input, lengths[2], buf, error);
}

static void
put_header(uint8_t *p, const struct bat_checkpoint_input *input,
    const uint64_t lengths[3])
{
	memcpy(p, BAT_ROWINDEX_MAGIC, 6);
	bat_bytes_put_le(p + 6, BAT_ROWINDEX_VERSION, 2);
	bat_bytes_put_le(p + 12, input->watermark_segment, 8);
	bat_bytes_put_le(p + 20, input->watermark_offset, 8);
	bat_bytes_put_le(p + 28, input->allocator, 8);
	bat_bytes_put_le(p + 36, input->names->count + 1, 4);
	bat_bytes_put_le(p + 40, input->row_count, 8);
	for (size_t i = 0; i < 3; i++)
		bat_bytes_put_le(p + 48 + 8 * i, lengths[i], 8);
}

int
bat_rowindex_encode(const struct bat_checkpoint_input *input,
    struct bat_buf *buf, struct bat_error *error)
{
	size_t start = buf->length;
	uint64_t lengths[3];
	struct bat_slice checked;
	int code = bat_bytes_reserve(buf, BAT_ROWINDEX_HEADER_SIZE);

	if (code != 0)
		return code;
	buf->length += BAT_ROWINDEX_HEADER_SIZE;
	code = encode_sections(input, lengths, buf, error);
	if (code != 0) {
		buf->length = start;
		if (code == BAT_WORLD_NO_MEMORY)
			bat_error_set(error, code,
			    BAT_ROWINDEX_FILE ": %llu rows",
			    (unsigned long long)input->row_count);
		return code;
	}
	put_header(buf->data + start, input, lengths);
	checked = bat_bytes_slice(buf->data + start + BAT_ROWINDEX_CRC_START,
	    buf->length - start - BAT_ROWINDEX_CRC_START);
	bat_bytes_put_le(buf->data + start + 8, bat_crc_of(checked), 4);
	return 0;
}
