#include "segment_reader_internal.h"

#include <inttypes.h>
#include <stdlib.h>

/* What the cursor reads at once: stays in the second-level cache. */
#define BLOCK_SIZE (256u << 10)

static int
say_lost(const struct bat_segment_reader *reader, uint64_t offset,
    struct bat_error *error)
{
	return bat_error_set_at(error, BAT_DATA_CORRUPT, reader->id, offset,
	    "segment %" PRIu64 ": the disk does not give what is at offset "
	    "%" PRIu64,
	    reader->id, offset);
}

static int
read_header(struct bat_segment_reader *reader, struct bat_error *error)
{
	uint8_t bytes[BAT_SEGMENT_HEADER_MAX];
	size_t got;
	bool lost;
	int code = bat_segment_reader_part(reader, 0, bytes, sizeof(bytes),
	    &got, &lost, error);

	if (code != 0)
		return code;
	if (lost)
		return say_lost(reader, 0, error);
	code = bat_segment_decode_header(bat_bytes_slice(bytes, got),
	    &reader->header, error);
	if (code != 0) {
		bat_error_prefix(error, "segment %" PRIu64, reader->id);
		if (error != NULL)
			error->segment = reader->id;
	}
	return code;
}

/* Does a row's frame lie in the frame region? */
static bool
row_is_inside(const struct bat_row *row, uint64_t header_length,
    const struct bat_segment_footer *footer)
{
	return row->length > BAT_FRAME_HEADER_SIZE &&
	    row->offset >= header_length &&
	    row->offset <= footer->table_offset &&
	    (BAT_PLANT(17) ||
		row->length <= footer->table_offset - row->offset);
}

/*
 * Does the footer hold (FORMAT.md 13.2 R12)? Asked here is what costs a few
 * small reads: that the table starts like a list, and that the first and the
 * last row lie among the frames. bat_segment_reader_footer asks the rest.
 */
static int
check_footer(struct bat_segment_reader *reader,
    const struct bat_segment_footer *footer, bool *out_holds,
    struct bat_error *error)
{
	uint8_t bytes[BAT_SEGMENT_ROW_SIZE] = { 0 };
	size_t got;
	bool lost;
	int code = bat_segment_reader_part(reader, footer->table_offset, bytes,
	    1, &got, &lost, error);

	*out_holds = false;
	if (code != 0)
		return code;
	if ((bytes[0] & 0xf0) != 0x90 && bytes[0] != 0xdc && bytes[0] != 0xdd) {
		bat_error_set_at(error, BAT_DATA_CORRUPT, reader->id,
		    footer->table_offset,
		    "the footer's string table is no list");
		return 0;
	}
	for (uint32_t i = 0; i < footer->row_count;) {
		struct bat_row row;

		code = bat_segment_reader_part(reader,
		    footer->rows_offset + (uint64_t)i * BAT_SEGMENT_ROW_SIZE,
		    bytes, sizeof(bytes), &got, &lost, error);
		if (code != 0)
			return code;
		bat_segment_decode_row(bytes, &row);
		if (got < sizeof(bytes) || lost ||
		    !row_is_inside(&row, reader->header.length, footer)) {
			bat_error_set_at(error, BAT_DATA_CORRUPT, reader->id,
			    footer->table_offset,
			    "footer row %" PRIu32 " is not among the frames",
			    i);
			return 0;
		}
		i = i < footer->row_count - 1 ? footer->row_count - 1 :
						footer->row_count;
	}
	*out_holds = true;
	return 0;
}

static int
read_trailer(struct bat_segment_reader *reader, struct bat_error *error)
{
	uint8_t bytes[BAT_SEGMENT_TRAILER_SIZE];
	size_t got;
	bool lost;
	int code;

	reader->has_footer = false;
	if (reader->file_size < reader->header.length + sizeof(bytes))
		return 0;
	code = bat_segment_reader_part(reader,
	    reader->file_size - sizeof(bytes), bytes, sizeof(bytes), &got,
	    &lost, error);
	if (code != 0)
		return code;
	if (lost)
		(void)say_lost(reader, reader->file_size - sizeof(bytes),
		    error);
	if (got < sizeof(bytes) || lost)
		return 0;
	code = bat_segment_decode_trailer(bytes, reader->file_size,
	    reader->header.length, &reader->footer);
	if (code == 0)
		return check_footer(reader, &reader->footer,
		    &reader->has_footer, error);
	reader->has_foreign_footer = code == BAT_DATA_FUTURE;
	if (reader->has_foreign_footer)
		bat_error_set_at(error, code, reader->id,
		    reader->file_size - sizeof(bytes),
		    "a footer of another generation, %.4s",
		    (const char *)bytes + 12);
	else if (code != BAT_END)
		bat_error_set_at(error, BAT_DATA_CORRUPT, reader->id,
		    reader->file_size - sizeof(bytes),
		    "the numbers of the footer's trailer do not fit the file");
	return 0;
}

static uint64_t
frames_end(const struct bat_segment_reader *reader)
{
	return reader->has_footer || reader->has_foreign_footer ?
	    reader->footer.table_offset :
	    reader->file_size;
}

/* Everything of open but the header and the footer. */
static int
open_file(struct bat_segment_reader *reader, struct bat_segment_dir *dir,
    uint64_t id, struct bat_error *error)
{
	int code;

	*reader = (struct bat_segment_reader){ .dir = dir,
		.id = id,
		.fd = -1,
		.block = BAT_BUF_EMPTY };
	code = bat_segment_dir_hold(dir, id, &reader->fd, error);
	if (code != 0)
		return code;
	code = bat_file_size(dir->disk, reader->fd, &reader->file_size, error);
	if (code != 0)
		bat_segment_reader_close(reader);
	return code;
}

int
bat_segment_reader_open(struct bat_segment_reader *reader,
    struct bat_segment_dir *dir, uint64_t id, struct bat_error *error)
{
	int code = open_file(reader, dir, id, error);

	if (code != 0)
		return code;
	code = read_header(reader, error);
	if (code == 0)
		code = read_trailer(reader, error);
	if (code != 0) {
		bat_segment_reader_close(reader);
		return code;
	}
	reader->at = reader->header.length;
	reader->end = frames_end(reader);
	return 0;
}

int
bat_segment_reader_open_any(struct bat_segment_reader *reader,
    struct bat_segment_dir *dir, uint64_t id, struct bat_error *why_header,
    struct bat_error *why_footer, struct bat_error *error)
{
	int code = open_file(reader, dir, id, error);

	if (code != 0)
		return code;
	*why_header = *why_footer = (struct bat_error){ .code = 0 };
	code = read_header(reader, why_header);
	if (code == BAT_DATA_TORN || code == BAT_DATA_CORRUPT ||
	    code == BAT_DATA_FUTURE) {
		reader->header = (struct bat_segment_header){ .id = id };
		code = 0;
	}
	if (code == 0)
		code = read_trailer(reader, why_footer);
	if (code != 0) {
		if (error != NULL)
			*error = why_header->code == code ? *why_header :
							    *why_footer;
		bat_segment_reader_close(reader);
		return code;
	}
	reader->at = reader->header.length;
	reader->end = frames_end(reader);
	return 0;
}

void
bat_segment_reader_close(struct bat_segment_reader *reader)
{
	if (reader->fd < 0)
		return;
	bat_segment_dir_release(reader->dir, reader->id);
	bat_bytes_free(&reader->block);
	reader->fd = -1;
}

void
bat_segment_reader_seek(struct bat_segment_reader *reader, uint64_t offset,
    uint64_t end)
{
	if (end == 0)
		end = frames_end(reader);
	reader->at = offset;
	reader->end = end;
	/* What was read of an active segment's last frame may be stale. */
	bat_bytes_clear(&reader->block);
}

/*
 * The bytes of the file from offset on and below limit, at least `wanted` of
 * them where the file has them. Reads a block ahead.
 */
static int
look_at(struct bat_segment_reader *reader, uint64_t offset, uint64_t wanted,
    uint64_t limit, struct bat_slice *out, struct bat_error *error)
{
	struct bat_buf *block = &reader->block;
	uint64_t skip = offset - reader->block_offset;
	uint64_t have = 0, ask = limit - offset;
	size_t got = 0;
	bool lost;
	int code;

	if (offset >= reader->block_offset && skip < block->length)
		have = block->length - skip;
	if (have < wanted && have < ask) {
		if (ask > BLOCK_SIZE)
			ask = wanted > BLOCK_SIZE ? wanted : BLOCK_SIZE;
		bat_bytes_clear(block);
		if (bat_bytes_reserve(block, (size_t)ask) != 0)
			return bat_error_set(error, BAT_WORLD_NO_MEMORY,
			    "no memory to read %" PRIu64 " bytes", ask);
		code = bat_segment_reader_part(reader, offset, block->data,
		    (size_t)ask, &got, &lost, error);
		if (code != 0)
			return code;
		block->length = got;
		reader->block_offset = offset;
		skip = 0;
		have = got;
	}
	if (have > limit - offset)
		have = limit - offset;
	*out = have == 0 ? BAT_SLICE_EMPTY :
			   bat_bytes_slice(block->data + skip, (size_t)have);
	return 0;
}

int
bat_segment_reader_next(struct bat_segment_reader *reader,
    struct bat_segment_item *out, struct bat_error *error)
{
	/* Its parts were stored one by one just now: who loads them together
	 * waits until they have left the processor, 5 ns. */
	const struct bat_buf room = { reader->room.data, 0,
		reader->room.capacity };
	struct bat_slice bytes;
	uint64_t left;
	int code;

	/* Whoever reads on with this cursor may outlive it. */
	reader->room.data = NULL;
	if (reader->at >= reader->end)
		return BAT_END;
	left = reader->end - reader->at;
	code = look_at(reader, reader->at, BAT_FRAME_HEADER_SIZE, reader->end,
	    &bytes, error);
	if (code != 0)
		return code;
	out->offset = reader->at;
	out->decoded = false;
	out->state = bat_frame_look(bytes, &out->body, &out->length);
	/* Cut off by the block only? A length beyond the region is not even
	 * tried, so a wrong one costs no memory. */
	if (out->state == BAT_FRAME_SHORT && out->length > bytes.length &&
	    out->length <= left) {
		code = look_at(reader, reader->at, out->length, reader->end,
		    &bytes, error);
		if (code != 0)
			return code;
		out->state = bat_frame_look(bytes, &out->body, &out->length);
	}
	/* The file became shorter under us. */
	if (out->state == BAT_FRAME_END)
		out->state = BAT_FRAME_SHORT;
	if (out->state != BAT_FRAME_WHOLE)
		return 0;
	out->decoded = bat_codec_decode_into(out->body,
			   room.data == NULL ? NULL : &room, &out->event,
			   error) == 0;
	reader->at += out->length;
	return 0;
}

/* A part of the footer into buf (empty), whole. */
static int
read_footer_part(struct bat_segment_reader *reader, uint64_t offset,
    size_t length, struct bat_buf *buf, struct bat_error *error)
{
	bool lost = false;
	int code = BAT_OK;

	if (bat_bytes_reserve(buf, length) != 0)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY,
		    "no memory for a footer");
	if (length > 0)
		code = bat_segment_reader_part(reader, offset, buf->data,
		    length, &buf->length, &lost, error);
	if (code == BAT_OK && lost)
		code = say_lost(reader, offset, error);
	if (code == BAT_OK && buf->length < length)
		code = bat_error_set_at(error, BAT_DATA_CORRUPT, reader->id,
		    offset, "the footer ends early");
	return code;
}

int
bat_segment_reader_table(struct bat_segment_reader *reader,
    struct bat_buf *out_table, struct bat_slice **out_strings,
    uint32_t *out_string_count, struct bat_error *error)
{
	const struct bat_segment_footer *footer = &reader->footer;
	struct bat_buf table = BAT_BUF_EMPTY;
	int code;

	if (!reader->has_footer)
		return bat_error_set_at(error, BAT_DATA_CORRUPT, reader->id, 0,
		    "segment %" PRIu64 " has no footer", reader->id);
	code = read_footer_part(reader, footer->table_offset,
	    (size_t)(footer->rows_offset - footer->table_offset), &table,
	    error);
	if (code == BAT_OK) {
		code = bat_segment_decode_table(bat_bytes_of_buf(&table),
		    out_strings, out_string_count);
		if (code != BAT_OK)
			bat_error_set_at(error, code, reader->id,
			    footer->table_offset,
			    "the footer's string table does not decode");
	}
	if (code != BAT_OK) {
		bat_bytes_free(&table);
		return code;
	}
	*out_table = table;
	return BAT_OK;
}

bool
bat_segment_reader_holds(const struct bat_segment_reader *reader,
    const struct bat_row *row)
{
	return row_is_inside(row, reader->header.length, &reader->footer);
}

int
bat_segment_reader_footer(struct bat_segment_reader *reader,
    struct bat_buf *out_table, struct bat_slice **out_strings,
    uint32_t *out_string_count, struct bat_buf *out_rows,
    struct bat_error *error)
{
	const struct bat_segment_footer *footer = &reader->footer;
	struct bat_buf rows = BAT_BUF_EMPTY;
	int code = bat_segment_reader_table(reader, out_table, out_strings,
	    out_string_count, error);

	if (code != BAT_OK)
		return code;
	code = read_footer_part(reader, footer->rows_offset,
	    (size_t)footer->row_count * BAT_SEGMENT_ROW_SIZE, &rows, error);
	for (uint32_t i = 0; code == BAT_OK && i < footer->row_count; i++) {
		struct bat_row row;

		bat_segment_decode_row(
		    rows.data + (size_t)i * BAT_SEGMENT_ROW_SIZE, &row);
		if (row.entity < *out_string_count &&
		    row.scope < *out_string_count &&
		    bat_segment_reader_holds(reader, &row))
			continue;
		code = bat_error_set_at(error, BAT_DATA_CORRUPT, reader->id,
		    footer->rows_offset,
		    "footer row %" PRIu32 " has numbers out of range", i);
	}
	if (code != BAT_OK) {
		free(*out_strings);
		*out_strings = NULL;
		bat_bytes_free(out_table);
		bat_bytes_free(&rows);
		return code;
	}
	*out_rows = rows;
	return BAT_OK;
}
