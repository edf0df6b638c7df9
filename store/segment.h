/*
 * The layout of a segment file: name, header, footer SDX2; pure functions over
 * bytes (FORMAT.md 3.1, 5). All numbers of the footer are little endian.
 *
 * header   "FBAT", u32 BE length L, L bytes of MessagePack
 * frames   one behind the other
 * footer   string table (MessagePack list of str), 162 bytes a row, then
 *          u64 table offset, u32 row count, "SDX2"
 *
 * Threads: any, no state.
 */
#ifndef BAT_SEGMENT_H
#define BAT_SEGMENT_H

#include "bytes.h"
#include "error.h"
#include "event.h"
#include "intern.h"

#define BAT_SEGMENT_NAME_SIZE 32 /* enough for any name and its NUL */
#define BAT_SEGMENT_HEADER_MAX 4096
#define BAT_SEGMENT_ROW_SIZE 162
#define BAT_SEGMENT_TRAILER_SIZE 16

/* "%06llu.fbat" */
void bat_segment_name(uint64_t id, char out[BAT_SEGMENT_NAME_SIZE]);
/* Only the canonical spelling (prints back to itself); false otherwise. */
bool bat_segment_id_of_name(const char *name, uint64_t *out_id);

struct bat_segment_header {
	uint64_t id;	    /* as written; readers take it from the name */
	int64_t created_ns; /* since 1970 */
	uint16_t flags;
	uint32_t length; /* 8 + L: where the first frame starts */
};

int bat_segment_encode_header(uint64_t id, int64_t created_ns,
    struct bat_buf *buf);
/*
 * bytes: the first bytes of the file, at least BAT_SEGMENT_HEADER_MAX of them
 * or all. Returns 0; BAT_DATA_TORN when the file ends inside the header;
 * BAT_DATA_CORRUPT; BAT_DATA_FUTURE for a version other than 1.
 */
int bat_segment_decode_header(struct bat_slice bytes,
    struct bat_segment_header *out, struct bat_error *error);

/* Where a footer stands; offsets in the file. */
struct bat_segment_footer {
	uint64_t table_offset; /* end of the frames */
	uint64_t rows_offset;
	uint32_t row_count;
};

/*
 * trailer: the last 16 bytes. Returns 0; BAT_END when there is no "SDX2";
 * BAT_DATA_CORRUPT when the numbers do not fit in file_size or the table
 * would start before header_length (FORMAT.md 13.2 R12); BAT_DATA_FUTURE for
 * "SDX" and another digit: a footer that others write, of which only
 * table_offset is known, and set.
 */
int bat_segment_decode_trailer(const uint8_t trailer[BAT_SEGMENT_TRAILER_SIZE],
    uint64_t file_size, uint64_t header_length, struct bat_segment_footer *out);
/*
 * The string table onto an array of slices into bytes; *out_strings is
 * malloc'ed, the caller frees it. Trailing bytes are ignored.
 */
int bat_segment_decode_table(struct bat_slice bytes,
    struct bat_slice **out_strings, uint32_t *out_count);
/* One row of 162 bytes; row->segment is left alone. entity and scope are
 * numbers of the footer's table. Here, so that who asks for a few fields pays
 * for those. */
static inline void
bat_segment_decode_row(const uint8_t bytes[BAT_SEGMENT_ROW_SIZE],
    struct bat_row *out)
{
	out->id = bat_id_from_le(bytes);
	out->entity = bat_bytes_get_le32(bytes + 16);
	out->scope = bat_bytes_get_le32(bytes + 20);
	out->kind = bat_bytes_get_le16(bytes + 24);
	out->wall_ms = bat_bytes_get_le64(bytes + 26);
	out->clock = bat_bytes_get_le32(bytes + 34);
	out->lane = bat_bytes_get_le32(bytes + 38);
	out->depth = bat_bytes_get_le32(bytes + 42);
	memcpy(out->prev.bytes, bytes + 46, BAT_HASH_SIZE);
	memcpy(out->hash.bytes, bytes + 78, BAT_HASH_SIZE);
	out->offset = bat_bytes_get_le64(bytes + 110);
	out->length = bat_bytes_get_le32(bytes + 118);
	out->seq = bat_bytes_get_le64(bytes + 122);
	out->corr = bat_id_from_le(bytes + 130);
	out->cause = bat_id_from_le(bytes + 146);
	out->extensions = BAT_ROW_EXTENSIONS_UNKNOWN;
}

/*
 * A whole footer for rows in append order, whose entity and scope are numbers
 * of names: the table is renumbered in first-use order, entity before scope.
 * frames_end is the file's length before the footer. 0, BAT_WORLD_NO_MEMORY,
 * BAT_USE_TOO_LARGE above UINT32_MAX rows.
 */
int bat_segment_encode_footer(const struct bat_row *rows, size_t count,
    const struct bat_intern *names, uint64_t frames_end, struct bat_buf *buf);
/*
 * The same in pieces, one behind the other: the table of all names (in
 * first-use order, entity before scope), a row whose entity and scope are
 * numbers of it, the trailer. 0, BAT_WORLD_NO_MEMORY, BAT_USE_TOO_LARGE.
 */
int bat_segment_encode_table(const struct bat_intern *names,
    struct bat_buf *buf);
void bat_segment_encode_row(const struct bat_row *row,
    uint8_t out[BAT_SEGMENT_ROW_SIZE]);
int bat_segment_encode_trailer(uint64_t frames_end, uint32_t count,
    struct bat_buf *buf);

#endif
