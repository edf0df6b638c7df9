/*
 * index.fbati: version 5 to rows and back (FORMAT.md 7). Other versions count
 * as absent. Same sink and source as checkpoint.h. Threads: any, no state.
 */
#ifndef BAT_ROWINDEX_H
#define BAT_ROWINDEX_H

#include "checkpoint.h"

#define BAT_ROWINDEX_FILE "index.fbati"
#define BAT_ROWINDEX_MAGIC "FBATIX"
#define BAT_ROWINDEX_VERSION 5
#define BAT_ROWINDEX_HEADER_SIZE 72
#define BAT_ROWINDEX_CRC_START 12 /* the CRC is of everything from here on */
#define BAT_ROWINDEX_ROW_SIZE 218

/* Checks magic, version, exact length, CRC, strings, summary, and for each
 * row its numbers, coordinate, extension range and digest. Kinds are handed
 * on mapped (bat_kind_mapped). Returns as bat_checkpoint_decode. */
int bat_rowindex_decode(struct bat_slice file,
    const struct bat_checkpoint_sink *sink, struct bat_error *error);
int bat_rowindex_encode(const struct bat_checkpoint_input *input,
    struct bat_buf *buf, struct bat_error *error);

/*
 * The same in pieces: what stands in front of the rows, and one row. For the
 * loader, which reads the rows in blocks.
 */
struct bat_rowindex_front {
	struct bat_slice front; /* the file up to its rows, or all of it */
	struct bat_checkpoint_head head;
	struct bat_checkpoint_strings strings;
	uint32_t crc;
	uint64_t sections[5]; /* offsets; [3] the rows, [4] the file's end */
};

/* start: the first bytes, at least BAT_ROWINDEX_HEADER_SIZE or all. Fills head,
 * crc and sections. 0, BAT_DATA_CORRUPT, BAT_DATA_FUTURE. */
int bat_rowindex_read_header(struct bat_slice start, uint64_t file_size,
    struct bat_rowindex_front *front, struct bat_error *error);
/* Strings and summary; front->front is set. The caller frees strings with
 * bat_checkpoint_free_strings, also after a failure. */
int bat_rowindex_read_front(struct bat_rowindex_front *front,
    struct bat_error *error);
/* One row of BAT_ROWINDEX_ROW_SIZE bytes, checked. */
int bat_rowindex_read_row(struct bat_rowindex_front *front,
    const uint8_t *bytes, uint64_t number, struct bat_row *out,
    struct bat_slice *out_map, struct bat_error *error);

#endif
