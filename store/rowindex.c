/*
 * The file (FORMAT.md 7), everything little endian:
 *
 *   0   6  "FBATIX"
 *   6   2  version, 5
 *   8   4  CRC-32 of everything from 12 on
 *   12  8  watermark: segment
 *   20  8  watermark: offset
 *   28  8  allocator: the next sequence
 *   36  4  number of strings, the sentinel included
 *   40  8  number of rows
 *   48  8  length of the strings
 *   56  8  length of the summary
 *   64  8  length of the extensions
 *   72     strings, summary, extensions, rows of 218 bytes; nothing behind
 *
 * A row:
 *
 *   0   16  id          42   4  depth        130   8  sequence
 *   16   4  entity      46  32  prev hash    138  16  correlation
 *   20   4  scope       78  32  hash         154  16  cause
 *   24   2  kind       110   8  segment      170   8  extensions: offset
 *   26   8  wall_ms    118   8  offset       178   8  extensions: length
 *   34   4  clock      126   4  length       186  32  BLAKE3 of them
 *   38   4  lane
 *
 * This file reads it, rowindex_encode.c writes it.
 */
#include "rowindex.h"

#include "codec.h"
#include "crc.h"
#include "fields.h"
#include "kind.h"

enum { SUMMARY_ROUTING, SUMMARY_FALLBACKS, SUMMARY_COUNT };
static const struct bat_fields_key summary_keys[SUMMARY_COUNT] = {
	BAT_FIELDS_KEY("\xa7", "routing"),
	BAT_FIELDS_KEY("\xb7", "reserved_kind_fallbacks"),
};
static const struct bat_fields_shape summary_shape = { summary_keys,
	SUMMARY_COUNT, 1u << SUMMARY_FALLBACKS, 0 };

/* Where the sections are. The sum of all parts must be the file's length, and
 * none of the sums may wrap. */
static int
find_sections(const uint8_t *p, uint64_t file_size,
    struct bat_rowindex_front *decoder)
{
	uint64_t lengths[4] = {
		bat_bytes_get_le64(p + 48),
		bat_bytes_get_le64(p + 56),
		bat_bytes_get_le64(p + 64),
	};
	uint64_t left = file_size - BAT_ROWINDEX_HEADER_SIZE;
	uint64_t at = BAT_ROWINDEX_HEADER_SIZE;

	if (!bat_bytes_multiply(decoder->head.row_count, BAT_ROWINDEX_ROW_SIZE,
		&lengths[3]))
		return BAT_DATA_CORRUPT;
	for (size_t i = 0; i < 4; i++) {
		if (lengths[i] > left)
			return BAT_DATA_CORRUPT;
		decoder->sections[i] = at;
		at += lengths[i];
		left -= lengths[i];
	}
	decoder->sections[4] = at;
	return left == 0 ? 0 : BAT_DATA_CORRUPT;
}

int
bat_rowindex_read_header(struct bat_slice start, uint64_t file_size,
    struct bat_rowindex_front *decoder, struct bat_error *error)
{
	struct bat_checkpoint_head *head = &decoder->head;
	const uint8_t *p = start.data;

	if (start.length < 8 || memcmp(p, BAT_ROWINDEX_MAGIC, 6) != 0)
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    BAT_ROWINDEX_FILE ": %llu bytes that do not begin "
				      "with " BAT_ROWINDEX_MAGIC,
		    (unsigned long long)file_size);
	head->version = bat_bytes_get_le16(p + 6);
	if (head->version != BAT_ROWINDEX_VERSION)
		return bat_error_set(error, BAT_DATA_FUTURE,
		    BAT_ROWINDEX_FILE ": version %u, known is %d",
		    head->version, BAT_ROWINDEX_VERSION);
	if (start.length < BAT_ROWINDEX_HEADER_SIZE)
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    BAT_ROWINDEX_FILE ": cut inside its header");
	decoder->crc = bat_bytes_get_le32(p + 8);
	head->watermark_segment = bat_bytes_get_le64(p + 12);
	head->watermark_offset = bat_bytes_get_le64(p + 20);
	head->allocator = bat_bytes_get_le64(p + 28);
	head->string_count = bat_bytes_get_le32(p + 36);
	head->row_count = bat_bytes_get_le64(p + 40);
	if (find_sections(p, file_size, decoder) != 0)
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    BAT_ROWINDEX_FILE ": %llu bytes are not what its header "
				      "says",
		    (unsigned long long)file_size);
	return 0;
}

enum { SECTION_STRINGS, SECTION_SUMMARY, SECTION_EXTENSIONS, SECTION_ROWS };

/* All but the rows lie in front. */
static struct bat_slice
section(const struct bat_rowindex_front *decoder, unsigned which)
{
	return bat_bytes_slice(decoder->front.data + decoder->sections[which],
	    (size_t)(decoder->sections[which + 1] - decoder->sections[which]));
}

static int
read_strings(struct bat_rowindex_front *decoder, struct bat_error *error)
{
	struct bat_pack_reader reader = BAT_PACK_READER(
	    section(decoder, SECTION_STRINGS));
	int code = bat_checkpoint_read_strings(&reader, &decoder->strings);

	if (code == 0 && decoder->strings.count != decoder->head.string_count)
		code = BAT_DATA_CORRUPT;
	if (code != 0)
		return bat_error_set(error, code,
		    BAT_ROWINDEX_FILE ": no list of %u strings",
		    decoder->head.string_count);
	decoder->head.strings = decoder->strings.list;
	return 0;
}

static int
read_summary(struct bat_rowindex_front *decoder, struct bat_error *error)
{
	struct bat_pack_reader reader = BAT_PACK_READER(
	    section(decoder, SECTION_SUMMARY));
	struct bat_fields_walk walk;
	unsigned field;
	int code = bat_fields_begin(&walk, &reader, &summary_shape);

	while (code == 0 && (code = bat_fields_next(&walk, &field)) == 0) {
		if (field == SUMMARY_ROUTING)
			code = bat_checkpoint_skip_routing(&reader);
		else
			code = bat_checkpoint_read_fallbacks(&reader,
			    &decoder->head.fallbacks);
	}
	if (code == BAT_END)
		return 0;
	return bat_error_set(error, code,
	    BAT_ROWINDEX_FILE ": %s of the summary does not decode",
	    bat_fields_name(&walk));
}

/* The extensions of a row: range, digest and structure. Only a length of 0
 * says that there are none. */
static int
read_extensions(const struct bat_rowindex_front *decoder, const uint8_t *p,
    struct bat_row *out, struct bat_slice *out_map)
{
	struct bat_slice all = section(decoder, SECTION_EXTENSIONS);
	uint64_t offset = bat_bytes_get_le64(p + 170);
	uint64_t length = bat_bytes_get_le64(p + 178);
	struct bat_pack_reader reader;
	struct bat_slice bytes;
	struct bat_hash digest;
	uint32_t count;

	out->extensions = BAT_ROW_EXTENSIONS_NONE;
	*out_map = BAT_SLICE_EMPTY;
	if (length == 0)
		return 0;
	if (offset > all.length || length > all.length - offset)
		return BAT_DATA_CORRUPT;
	bytes = bat_bytes_slice(all.data + offset, (size_t)length);
	digest = bat_hash_of(bytes);
	if (memcmp(digest.bytes, p + 186, BAT_HASH_SIZE) != 0)
		return BAT_DATA_CORRUPT;
	reader = BAT_PACK_READER(bytes);
	if (bat_codec_read_extensions(&reader, out_map, &count) != 0)
		return BAT_DATA_CORRUPT;
	if (count > 0)
		out->extensions = BAT_ROW_EXTENSIONS_SOME;
	return 0;
}

static void
read_row(const uint8_t *p, struct bat_row *out)
{
	out->id = bat_id_from_le(p);
	out->entity = bat_bytes_get_le32(p + 16);
	out->scope = bat_bytes_get_le32(p + 20);
	out->kind = bat_kind_mapped(bat_bytes_get_le16(p + 24));
	out->wall_ms = bat_bytes_get_le64(p + 26);
	out->clock = bat_bytes_get_le32(p + 34);
	out->lane = bat_bytes_get_le32(p + 38);
	out->depth = bat_bytes_get_le32(p + 42);
	memcpy(out->prev.bytes, p + 46, BAT_HASH_SIZE);
	memcpy(out->hash.bytes, p + 78, BAT_HASH_SIZE);
	out->segment = bat_bytes_get_le64(p + 110);
	out->offset = bat_bytes_get_le64(p + 118);
	out->length = bat_bytes_get_le32(p + 126);
	out->seq = bat_bytes_get_le64(p + 130);
	out->corr = bat_id_from_le(p + 138);
	out->cause = bat_id_from_le(p + 154);
}

int
bat_rowindex_read_front(struct bat_rowindex_front *decoder,
    struct bat_error *error)
{
	int code = read_strings(decoder, error);

	return code == 0 ? read_summary(decoder, error) : code;
}

int
bat_rowindex_read_row(struct bat_rowindex_front *decoder, const uint8_t *p,
    uint64_t number, struct bat_row *out, struct bat_slice *out_map,
    struct bat_error *error)
{
	read_row(p, out);
	if (!bat_checkpoint_is_coordinate(&decoder->strings, out->entity,
		out->scope))
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    BAT_ROWINDEX_FILE ": row %llu: strings %u and %u "
				      "are no coordinate",
		    (unsigned long long)number, out->entity, out->scope);
	if (read_extensions(decoder, p, out, out_map) != 0)
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    BAT_ROWINDEX_FILE ": row %llu: extensions",
		    (unsigned long long)number);
	return 0;
}

static int
read_rows(struct bat_rowindex_front *decoder,
    const struct bat_checkpoint_sink *sink, struct bat_error *error)
{
	const uint8_t *p = decoder->front.data +
	    decoder->sections[SECTION_ROWS];
	int code = 0;

	for (uint64_t i = 0; i < decoder->head.row_count && code == 0; i++) {
		struct bat_slice map;
		struct bat_row row;

		code = bat_rowindex_read_row(decoder, p, i, &row, &map, error);
		if (code == 0)
			code = sink->row(sink->context, &row, map);
		p += BAT_ROWINDEX_ROW_SIZE;
	}
	return code;
}

static int
check_crc(struct bat_slice file, const struct bat_rowindex_front *decoder,
    struct bat_error *error)
{
	struct bat_slice checked = bat_bytes_slice(file.data +
		BAT_ROWINDEX_CRC_START,
	    file.length - BAT_ROWINDEX_CRC_START);

	if (bat_crc_of(checked) == decoder->crc)
		return 0;
	return bat_error_set(error, BAT_DATA_CORRUPT,
	    BAT_ROWINDEX_FILE ": crc");
}

int
bat_rowindex_decode(struct bat_slice file,
    const struct bat_checkpoint_sink *sink, struct bat_error *error)
{
	struct bat_rowindex_front decoder = { .front = file };
	int code = bat_rowindex_read_header(file, file.length, &decoder, error);

	if (code == 0)
		code = check_crc(file, &decoder, error);
	if (code == 0)
		code = bat_rowindex_read_front(&decoder, error);
	if (code == 0)
		code = sink->head(sink->context, &decoder.head);
	if (code == 0)
		code = read_rows(&decoder, sink, error);
	bat_checkpoint_free_strings(&decoder.strings);
	return code;
}
