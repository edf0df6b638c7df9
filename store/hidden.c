/*
 * The file (FORMAT.md 9.1), numbers little endian:
 *
 *   0   6  "FBATVR"
 *   6   2  version, 1
 *   8   4  CRC-32 of the body
 *   12     body, MessagePack: {"ranges": [{"start": u64, "end": u64}, ...]}
 */
#include "hidden.h"

#include <stdlib.h>

#include "crc.h"
#include "fields.h"

#define HEADER_SIZE 12
#define VERSION 1

static const char magic[] = "FBATVR";

enum { BODY_RANGES, BODY_COUNT };
static const struct bat_fields_key body_keys[BODY_COUNT] = {
	BAT_FIELDS_KEY("\xa6", "ranges"),
};
static const struct bat_fields_shape body_shape = { body_keys, BODY_COUNT, 0,
	0 };

enum { RANGE_START, RANGE_END, RANGE_COUNT };
static const struct bat_fields_key range_keys[RANGE_COUNT] = {
	BAT_FIELDS_KEY("\xa5", "start"),
	BAT_FIELDS_KEY("\xa3", "end"),
};
static const struct bat_fields_shape range_shape = { range_keys, RANGE_COUNT, 0,
	0 };

static int
read_range(struct bat_pack_reader *reader, struct bat_hidden_range *out)
{
	struct bat_fields_walk walk;
	unsigned field;
	int code = bat_fields_begin(&walk, reader, &range_shape);

	while (code == 0 && (code = bat_fields_next(&walk, &field)) == 0)
		code = bat_pack_read_uint(reader, UINT64_MAX,
		    field == RANGE_START ? &out->start : &out->end);
	if (code != BAT_END)
		return code;
	return out->start < out->end ? 0 : BAT_DATA_CORRUPT;
}

static int
read_ranges(struct bat_pack_reader *reader, struct bat_hidden *out)
{
	uint32_t count;
	int code = bat_pack_read_array(reader, &count);

	if (code != 0 || count == 0)
		return code;
	/* pack refuses a count that the rest of the file cannot hold. */
	out->ranges = malloc(count * sizeof(*out->ranges));
	if (out->ranges == NULL)
		return BAT_WORLD_NO_MEMORY;
	for (; out->count < count && code == 0; out->count++)
		code = read_range(reader, &out->ranges[out->count]);
	return code;
}

static int
read_body(struct bat_pack_reader *reader, struct bat_hidden *out)
{
	struct bat_fields_walk walk;
	unsigned field;
	int code = bat_fields_begin(&walk, reader, &body_shape);

	while (code == 0 && (code = bat_fields_next(&walk, &field)) == 0)
		code = read_ranges(reader, out);
	return code == BAT_END ? 0 : code;
}

static int
compare_starts(const void *a, const void *b)
{
	const struct bat_hidden_range *left = a, *right = b;

	return (left->start > right->start) - (left->start < right->start);
}

/* Sort, and make one of those that overlap or touch. */
static void
merge(struct bat_hidden *hidden)
{
	size_t kept = 0;

	if (hidden->count == 0)
		return;
	qsort(hidden->ranges, hidden->count, sizeof(*hidden->ranges),
	    compare_starts);
	for (size_t i = 1; i < hidden->count; i++) {
		struct bat_hidden_range *last = &hidden->ranges[kept];
		const struct bat_hidden_range *next = &hidden->ranges[i];

		if (next->start > last->end)
			hidden->ranges[++kept] = *next;
		else if (next->end > last->end)
			last->end = next->end;
	}
	hidden->count = kept + 1;
}

/* Everything before the body. */
static int
check_header(struct bat_slice file, struct bat_error *error)
{
	uint16_t version;

	if (file.length < HEADER_SIZE ||
	    memcmp(file.data, magic, sizeof(magic) - 1) != 0)
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    BAT_HIDDEN_FILE ": %zu bytes that do not begin with %s",
		    file.length, magic);
	version = bat_bytes_get_le16(file.data + 6);
	if (version != VERSION)
		return bat_error_set(error,
		    version > VERSION ? BAT_DATA_FUTURE : BAT_DATA_CORRUPT,
		    BAT_HIDDEN_FILE ": version %u, known is %d", version,
		    VERSION);
	if (bat_crc_of(bat_bytes_slice(file.data + HEADER_SIZE,
		file.length - HEADER_SIZE)) !=
	    bat_bytes_get_le32(file.data + 8))
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    BAT_HIDDEN_FILE ": crc");
	return 0;
}

int
bat_hidden_decode(struct bat_slice file, struct bat_hidden *out,
    struct bat_error *error)
{
	struct bat_hidden hidden = { NULL, 0 };
	struct bat_pack_reader reader;
	int code = check_header(file, error);

	if (code != 0)
		return code;
	reader = BAT_PACK_READER(file);
	reader.at += HEADER_SIZE;
	code = read_body(&reader, &hidden);
	if (code != 0) {
		bat_hidden_free(&hidden);
		return bat_error_set(error, code,
		    BAT_HIDDEN_FILE ": no list of ranges, near byte %zu",
		    file.length - bat_pack_left(&reader));
	}
	merge(&hidden);
	*out = hidden;
	return 0;
}

int
bat_hidden_read(const struct bat_disk *disk, int dir, struct bat_hidden *out,
    struct bat_buf *bytes, struct bat_error *error)
{
	int code = bat_file_read_whole(disk, dir, BAT_HIDDEN_FILE, SIZE_MAX / 2,
	    bytes, error);

	*out = (struct bat_hidden){ NULL, 0 };
	return code == BAT_OK ?
	    bat_hidden_decode(bat_bytes_of_buf(bytes), out, error) :
	    code;
}

int
bat_hidden_encode(const struct bat_hidden *hidden, struct bat_buf *buf)
{
	struct bat_fields_out out = { buf, 0 };
	size_t start = buf->length;
	struct bat_slice body;

	out.code = bat_bytes_append(buf, magic, sizeof(magic) - 1);
	if (out.code == 0)
		out.code = bat_bytes_append_le(buf, VERSION, 2);
	if (out.code == 0)
		out.code = bat_bytes_append_le(buf, 0, 4);
	bat_fields_put_map(&out, &body_shape);
	bat_fields_put_key(&out, &body_shape, BODY_RANGES);
	if (out.code == 0)
		out.code = bat_pack_write_array(buf, (uint32_t)hidden->count);
	for (size_t i = 0; i < hidden->count && out.code == 0; i++) {
		const struct bat_hidden_range *range = &hidden->ranges[i];

		bat_fields_put_map(&out, &range_shape);
		bat_fields_put_uint(&out, &range_shape, RANGE_START,
		    range->start);
		bat_fields_put_uint(&out, &range_shape, RANGE_END, range->end);
	}
	if (out.code != 0) {
		buf->length = start;
		return out.code;
	}
	body = bat_bytes_slice(buf->data + start + HEADER_SIZE,
	    buf->length - start - HEADER_SIZE);
	bat_bytes_put_le(buf->data + start + 8, bat_crc_of(body), 4);
	return 0;
}

void
bat_hidden_clip(struct bat_hidden *hidden, uint64_t end)
{
	while (hidden->count > 0) {
		struct bat_hidden_range *last =
		    &hidden->ranges[hidden->count - 1];

		if (last->start < end) {
			if (last->end > end)
				last->end = end;
			return;
		}
		hidden->count--;
	}
}

bool
bat_hidden_has(const struct bat_hidden *hidden, uint64_t seq)
{
	size_t low = 0, high = hidden->count;

	/* The first range that ends behind seq is the only candidate. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (hidden->ranges[middle].end + BAT_PLANT(24) <= seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low < hidden->count && hidden->ranges[low].start <= seq;
}

void
bat_hidden_free(struct bat_hidden *hidden)
{
	free(hidden->ranges);
	*hidden = (struct bat_hidden){ NULL, 0 };
}
