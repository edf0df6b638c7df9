/*
 * index.fbati in pieces: what stands in front of the rows, and one row. For
 * the plain decoder and for the loader, which reads the rows in blocks.
 */
#ifndef BAT_ROWINDEX_PARTS_H
#define BAT_ROWINDEX_PARTS_H

#include "rowindex.h"

struct rowindex_front {
	struct bat_slice front; /* the file up to its rows, or all of it */
	struct bat_checkpoint_head head;
	struct bat_checkpoint_strings strings;
	uint32_t crc;
	uint64_t sections[5]; /* offsets; [3] the rows, [4] the file's end */
};

/* start: the first bytes, at least BAT_ROWINDEX_HEADER_SIZE or all. Fills head,
 * crc and sections. 0, BAT_DATA_CORRUPT, BAT_DATA_FUTURE. */
int bat_rowindex_read_header(struct bat_slice start, uint64_t file_size,
    struct rowindex_front *front, struct bat_error *error);
/* Strings and summary; front->front is set. The caller frees strings with
 * bat_checkpoint_free_strings, also after a failure. */
int bat_rowindex_read_front(struct rowindex_front *front,
    struct bat_error *error);
/* One row of BAT_ROWINDEX_ROW_SIZE bytes, checked. */
int bat_rowindex_read_row(struct rowindex_front *front, const uint8_t *bytes,
    uint64_t number, struct bat_row *out, struct bat_slice *out_map,
    struct bat_error *error);

#endif
