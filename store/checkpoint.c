/*
 * The file (FORMAT.md 6), numbers of the header little endian:
 *
 *   0   6  "FBATCK"
 *   6   2  version, 2 to 6
 *   8   4  CRC-32 of everything behind it
 *   12     body, one MessagePack map; checkpoint_parts.c has its fields
 *
 * This file reads it, entry by entry in checkpoint_entry.c;
 * checkpoint_encode.c writes it.
 */
#include "checkpoint.h"

#include "checkpoint_shapes.h"
#include "crc.h"

/* The fewest bytes of an entry: positional, of version 2, hashes as bin. */
#define ENTRY_SIZE_MIN 115

struct decoder {
	struct bat_pack_reader reader;
	struct bat_pack_reader entries; /* where the list of entries stands */
	uint16_t version;
	struct bat_checkpoint_head head;
	struct bat_checkpoint_strings strings;
	bool entries_last;
	const char *fault; /* the innermost field that does not decode */
};

static int
read_body_field(struct decoder *decoder, struct bat_fields_walk *walk,
    unsigned field)
{
	struct bat_pack_reader *reader = &decoder->reader;
	struct bat_checkpoint_head *head = &decoder->head;

	switch (field) {
	case BODY_ALLOCATOR:
		return bat_pack_read_uint(reader, UINT64_MAX, &head->allocator);
	case BODY_WATERMARK_SEGMENT:
		return bat_pack_read_uint(reader, UINT64_MAX,
		    &head->watermark_segment);
	case BODY_WATERMARK_OFFSET:
		return bat_pack_read_uint(reader, UINT64_MAX,
		    &head->watermark_offset);
	case BODY_STRINGS:
		return bat_checkpoint_read_strings(reader, &decoder->strings);
	case BODY_ROUTING:
		return bat_checkpoint_skip_routing(reader);
	case BODY_FALLBACKS:
		return bat_checkpoint_read_fallbacks(reader, &head->fallbacks);
	default: /* BODY_ENTRIES */
		decoder->entries = *reader;
		/* Usually last: then the one pass over it comes later. */
		decoder->entries_last = walk->left == 0;
		if (walk->left == 0)
			return bat_fields_is_complete(walk) ? BAT_END :
							      BAT_DATA_CORRUPT;
		return bat_pack_skip(reader, BAT_PACK_DEPTH_MAX);
	}
}

/* The head, and where the list of entries stands. */
static int
read_body(struct decoder *decoder)
{
	struct bat_fields_shape shape = bat_checkpoint_body_shape(
	    decoder->version);
	struct bat_fields_walk walk;
	unsigned field;
	int code = bat_fields_begin(&walk, &decoder->reader, &shape);

	while (code == 0 && (code = bat_fields_next(&walk, &field)) == 0)
		code = read_body_field(decoder, &walk, field);
	if (code == BAT_END)
		code = 0;
	if (code != 0)
		decoder->fault = bat_fields_name(&walk);
	decoder->head.version = decoder->version;
	decoder->head.strings = decoder->strings.list;
	decoder->head.string_count = decoder->strings.count;
	return code;
}

static int
read_count(struct decoder *decoder)
{
	uint32_t count;
	int code = bat_pack_read_array(&decoder->entries, &count);

	/* Whoever is told the count may allocate by it. */
	if (code == 0 &&
	    count > bat_pack_left(&decoder->entries) / ENTRY_SIZE_MIN)
		code = BAT_DATA_CORRUPT;
	if (code != 0)
		decoder->fault = "entries";
	else
		decoder->head.row_count = count;
	return code;
}

static int
read_rows(struct decoder *decoder, const struct bat_checkpoint_sink *sink,
    struct bat_error *error)
{
	int code = 0;

	for (uint64_t i = 0; i < decoder->head.row_count && code == 0; i++) {
		struct bat_slice map;
		struct bat_row row;

		if (bat_checkpoint_read_entry(&decoder->entries,
			decoder->version, &row, &map, &decoder->fault) != 0)
			return bat_error_set(error, BAT_DATA_CORRUPT,
			    BAT_CHECKPOINT_FILE ": entry %llu: %s does not "
						"decode",
			    (unsigned long long)i, decoder->fault);
		if (!bat_checkpoint_is_coordinate(&decoder->strings, row.entity,
			row.scope))
			return bat_error_set(error, BAT_DATA_CORRUPT,
			    BAT_CHECKPOINT_FILE ": entry %llu: strings %u and "
						"%u are no coordinate",
			    (unsigned long long)i, row.entity, row.scope);
		code = sink->row(sink->context, &row, map);
	}
	return code;
}

/* Everything before the body, in batpak's order. */
static int
check_header(struct bat_slice file, uint16_t *out_version,
    struct bat_error *error)
{
	struct bat_slice body;

	if (file.length < BAT_CHECKPOINT_HEADER_SIZE ||
	    memcmp(file.data, BAT_CHECKPOINT_MAGIC,
		sizeof(BAT_CHECKPOINT_MAGIC) - 1) != 0)
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    BAT_CHECKPOINT_FILE
		    ": %zu bytes that do not begin with " BAT_CHECKPOINT_MAGIC,
		    file.length);
	body = bat_bytes_slice(file.data + BAT_CHECKPOINT_HEADER_SIZE,
	    file.length - BAT_CHECKPOINT_HEADER_SIZE);
	if (bat_crc_of(body) != bat_bytes_get_le32(file.data + 8))
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    BAT_CHECKPOINT_FILE ": crc");
	*out_version = bat_bytes_get_le16(file.data + 6);
	if (*out_version < BAT_CHECKPOINT_VERSION_MIN ||
	    *out_version > BAT_CHECKPOINT_VERSION)
		return bat_error_set(error, BAT_DATA_FUTURE,
		    BAT_CHECKPOINT_FILE ": version %u, known are %d to %d",
		    *out_version, BAT_CHECKPOINT_VERSION_MIN,
		    BAT_CHECKPOINT_VERSION);
	return 0;
}

int
bat_checkpoint_decode(struct bat_slice file,
    const struct bat_checkpoint_sink *sink, struct bat_error *error)
{
	struct decoder decoder = { .reader = BAT_PACK_READER(file) };
	int code = check_header(file, &decoder.version, error);

	if (code != 0)
		return code;
	decoder.reader.at += BAT_CHECKPOINT_HEADER_SIZE;
	code = read_body(&decoder);
	if (code == 0)
		code = read_count(&decoder);
	if (code != 0)
		bat_error_set(error, code,
		    BAT_CHECKPOINT_FILE ": %s does not decode", decoder.fault);
	if (code == 0)
		code = sink->head(sink->context, &decoder.head);
	if (code == 0)
		code = read_rows(&decoder, sink, error);
	bat_checkpoint_free_strings(&decoder.strings);
	return code;
}

/* ---- in blocks ------------------------------------------------------- */

/* How many elements does the list at p have (five bytes are there), and where
 * does the first one stand? NULL: it is no list. */
static const uint8_t *
list_start(const uint8_t *p, uint32_t *out_count)
{
	if (*p >> 4 == 0x9) {
		*out_count = *p & 0x0f;
		return p + 1;
	}
	if (*p == 0xdc) {
		*out_count = bat_bytes_get_be16(p + 1);
		return p + 3;
	}
	if (*p == 0xdd) {
		*out_count = bat_bytes_get_be32(p + 1);
		return p + 5;
	}
	return NULL;
}

int
bat_checkpoint_read_front(struct bat_slice start, uint64_t file_size,
    struct bat_checkpoint_front *out)
{
	struct decoder decoder = { .reader = BAT_PACK_READER(start) };
	const uint8_t *first;
	uint32_t count;
	int code;

	*out = (struct bat_checkpoint_front){ .crc = 0 };
	if (start.length < BAT_CHECKPOINT_HEADER_SIZE ||
	    memcmp(start.data, BAT_CHECKPOINT_MAGIC,
		sizeof(BAT_CHECKPOINT_MAGIC) - 1) != 0)
		return BAT_END;
	decoder.version = bat_bytes_get_le16(start.data + 6);
	if (decoder.version < BAT_CHECKPOINT_VERSION_MIN ||
	    decoder.version > BAT_CHECKPOINT_VERSION)
		return BAT_END;
	decoder.reader.at += BAT_CHECKPOINT_HEADER_SIZE;
	code = read_body(&decoder);
	out->strings = decoder.strings;
	if (code == BAT_WORLD_NO_MEMORY)
		return code;
	if (code != 0 || !decoder.entries_last ||
	    bat_pack_left(&decoder.entries) < 5)
		return BAT_END;
	first = list_start(decoder.entries.at, &count);
	if (first == NULL)
		return BAT_END;
	out->crc = bat_bytes_get_le32(start.data + 8);
	out->entries_at = (uint64_t)(first - start.data);
	out->head = decoder.head;
	out->head.row_count = count;
	return count > (file_size - out->entries_at) / ENTRY_SIZE_MIN ?
	    BAT_END :
	    0;
}

int
bat_checkpoint_read_row(struct bat_checkpoint_front *front,
    struct bat_pack_reader *reader, struct bat_row *out)
{
	struct bat_slice map;

	return bat_checkpoint_read_row_and_map(front, reader, out, &map);
}

int
bat_checkpoint_read_row_and_map(struct bat_checkpoint_front *front,
    struct bat_pack_reader *reader, struct bat_row *out,
    struct bat_slice *out_map)
{
	const char *fault = NULL;

	if (bat_checkpoint_read_entry(reader, front->head.version, out, out_map,
		&fault) != 0 ||
	    !bat_checkpoint_is_coordinate(&front->strings, out->entity,
		out->scope))
		return BAT_DATA_CORRUPT;
	return 0;
}
