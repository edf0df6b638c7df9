/*
 * Header map, in this order: version u16 (1), flags u16 (0), created_ns i64,
 * segment_id u64.
 *
 * Footer row, 162 bytes, all little endian:
 *
 *   0 id 16        26 wall_ms 8   46 prev 32     118 frame length 4
 *  16 entity 4     34 clock 4     78 hash 32     122 sequence 8
 *  20 scope 4      38 lane 4     110 offset 8    130 correlation 16
 *  24 kind 2       42 depth 4                    146 cause 16, 0 for none
 */
#include "segment.h"

#include "fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char header_magic[4] = { 'F', 'B', 'A', 'T' };
static const char footer_magic[4] = { 'S', 'D', 'X', '2' };
static const char name_suffix[] = ".fbat";

enum {
	PREFIX_SIZE = 8, /* magic and length of the header map */
	SEGMENT_VERSION = 1,
};

enum header_field { FIELD_VERSION, FIELD_FLAGS, FIELD_CREATED_NS, FIELD_ID };

static const struct bat_fields_key header_keys[] = {
	[FIELD_VERSION] = BAT_FIELDS_KEY("\xa7", "version"),
	[FIELD_FLAGS] = BAT_FIELDS_KEY("\xa5", "flags"),
	[FIELD_CREATED_NS] = BAT_FIELDS_KEY("\xaa", "created_ns"),
	[FIELD_ID] = BAT_FIELDS_KEY("\xaa", "segment_id"),
};

static const struct bat_fields_shape header_shape = { header_keys, 4, 0, 0 };

void
bat_segment_name(uint64_t id, char out[BAT_SEGMENT_NAME_SIZE])
{
	snprintf(out, BAT_SEGMENT_NAME_SIZE, "%06" PRIu64 ".fbat", id);
}

bool
bat_segment_id_of_name(const char *name, uint64_t *out_id)
{
	char canonical[BAT_SEGMENT_NAME_SIZE];
	const char *at = name;
	uint64_t id = 0;

	for (; *at >= '0' && *at <= '9'; at++) {
		if (!bat_bytes_multiply(id, 10, &id) ||
		    !bat_bytes_add(id, (uint64_t)(*at - '0'), &id))
			return false;
	}
	if (at == name || strcmp(at, name_suffix) != 0)
		return false;
	/* 1.fbat parses too, but batpak would look for 000001.fbat. */
	bat_segment_name(id, canonical);
	if (strcmp(name, canonical) != 0)
		return false;
	*out_id = id;
	return true;
}

int
bat_segment_encode_header(uint64_t id, int64_t created_ns, struct bat_buf *buf)
{
	struct bat_fields_out out = { buf, 0 };
	size_t start = buf->length;
	int code = bat_bytes_append(buf, header_magic, sizeof(header_magic));

	if (code == 0)
		code = bat_bytes_append_be(buf, 0, 4);
	if (code != 0)
		goto undo;
	bat_fields_put_map(&out, &header_shape);
	bat_fields_put_uint(&out, &header_shape, FIELD_VERSION,
	    SEGMENT_VERSION);
	bat_fields_put_uint(&out, &header_shape, FIELD_FLAGS, 0);
	bat_fields_put_int(&out, &header_shape, FIELD_CREATED_NS, created_ns);
	bat_fields_put_uint(&out, &header_shape, FIELD_ID, id);
	code = out.code;
	if (code != 0)
		goto undo;
	bat_bytes_put_be(buf->data + start + 4,
	    buf->length - start - PREFIX_SIZE, 4);
	return 0;
undo:
	buf->length = start;
	return code;
}

/* *out_version is the version as soon as it was read. */
static int
decode_header_map(struct bat_slice map, struct bat_segment_header *out,
    uint64_t *out_version)
{
	struct bat_pack_reader reader = BAT_PACK_READER(map);
	struct bat_fields_walk walk;
	uint64_t flags = 0;
	unsigned field;
	int code = bat_fields_begin(&walk, &reader, &header_shape);

	while (code == 0) {
		code = bat_fields_next(&walk, &field);
		if (code != 0)
			break;
		switch ((enum header_field)field) {
		case FIELD_VERSION:
			code = bat_pack_read_uint(&reader, UINT16_MAX,
			    out_version);
			break;
		case FIELD_FLAGS:
			code = bat_pack_read_uint(&reader, UINT16_MAX, &flags);
			break;
		case FIELD_CREATED_NS:
			code = bat_pack_read_int(&reader, &out->created_ns);
			break;
		case FIELD_ID:
			code = bat_pack_read_uint(&reader, UINT64_MAX,
			    &out->id);
			break;
		}
	}
	out->flags = (uint16_t)flags;
	return code == BAT_END ? 0 : code;
}

int
bat_segment_decode_header(struct bat_slice bytes,
    struct bat_segment_header *out, struct bat_error *error)
{
	struct bat_segment_header header = { 0 };
	uint64_t version = SEGMENT_VERSION;
	size_t magic_length = bytes.length < sizeof(header_magic) ?
	    bytes.length :
	    sizeof(header_magic);
	uint32_t length;
	int code;

	if (magic_length > 0 &&
	    memcmp(bytes.data, header_magic, magic_length) != 0)
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    "no segment: it does not start with \"FBAT\"");
	if (bytes.length < PREFIX_SIZE)
		return bat_error_set(error, BAT_DATA_TORN,
		    "ends inside its header, after %zu bytes", bytes.length);
	length = bat_bytes_get_be32(bytes.data + 4);
	if (length > BAT_SEGMENT_HEADER_MAX - PREFIX_SIZE)
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    "segment header of %" PRIu32 " bytes", length);
	if (length > bytes.length - PREFIX_SIZE)
		return bat_error_set(error, BAT_DATA_TORN,
		    "ends inside its header, after %zu bytes", bytes.length);
	code = decode_header_map(bat_bytes_slice(bytes.data + PREFIX_SIZE,
				     length),
	    &header, &version);
	if (version != SEGMENT_VERSION)
		return bat_error_set(error, BAT_DATA_FUTURE,
		    "segment version %" PRIu64 ", known is 1", version);
	if (code != 0)
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    "the segment header does not decode");
	header.length = PREFIX_SIZE + length;
	*out = header;
	return 0;
}

/* SDX and a digit, but not ours: 0.9 and later write SDX3. */
static bool
is_foreign(const uint8_t trailer[BAT_SEGMENT_TRAILER_SIZE])
{
	const uint8_t *magic = trailer + 12;

	return memcmp(magic, footer_magic, 3) == 0 && magic[3] >= '0' &&
	    magic[3] <= '9' && magic[3] != '2';
}

int
bat_segment_decode_trailer(const uint8_t trailer[BAT_SEGMENT_TRAILER_SIZE],
    uint64_t file_size, uint64_t header_length, struct bat_segment_footer *out)
{
	uint64_t table_offset = bat_bytes_get_le64(trailer);
	uint32_t row_count = bat_bytes_get_le32(trailer + 8);
	uint64_t rows_size = (uint64_t)row_count * BAT_SEGMENT_ROW_SIZE;
	uint64_t rows_offset;

	if (is_foreign(trailer) && table_offset >= header_length &&
	    file_size >= BAT_SEGMENT_TRAILER_SIZE &&
	    table_offset <= file_size - BAT_SEGMENT_TRAILER_SIZE) {
		*out =
		    (struct bat_segment_footer){ .table_offset = table_offset };
		return BAT_DATA_FUTURE;
	}
	if (memcmp(trailer + 12, footer_magic, sizeof(footer_magic)) != 0)
		return BAT_END;
	if (file_size < BAT_SEGMENT_TRAILER_SIZE ||
	    rows_size > file_size - BAT_SEGMENT_TRAILER_SIZE)
		return BAT_DATA_CORRUPT;
	rows_offset = file_size - BAT_SEGMENT_TRAILER_SIZE - rows_size;
	/* The table is at least its array header. */
	if (table_offset < header_length || table_offset >= rows_offset)
		return BAT_DATA_CORRUPT;
	out->table_offset = table_offset;
	out->rows_offset = rows_offset;
	out->row_count = row_count;
	return 0;
}

int
bat_segment_decode_table(struct bat_slice bytes, struct bat_slice **out_strings,
    uint32_t *out_count)
{
	struct bat_pack_reader reader = BAT_PACK_READER(bytes);
	struct bat_pack_reader start;
	struct bat_slice *strings, ignored;
	uint32_t count;

	if (bat_pack_read_array(&reader, &count) != 0)
		return BAT_DATA_CORRUPT;
	/* Walk it once before anything is allocated for it. */
	start = reader;
	for (uint32_t i = 0; i < count; i++) {
		if (bat_pack_read_str(&reader, &ignored) != 0)
			return BAT_DATA_CORRUPT;
	}
	strings = malloc(((size_t)count + 1) * sizeof(*strings));
	if (strings == NULL)
		return BAT_WORLD_NO_MEMORY;
	reader = start;
	for (uint32_t i = 0; i < count; i++) {
		if (bat_pack_read_str(&reader, &strings[i]) != 0) {
			free(strings);
			return BAT_DATA_CORRUPT;
		}
	}
	*out_strings = strings;
	*out_count = count;
	return 0;
}
