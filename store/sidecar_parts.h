/* What reading and writing the sidecar share. Not for others. */
#ifndef BAT_SIDECAR_PARTS_H
#define BAT_SIDECAR_PARTS_H

#include "sidecar.h"

#define SIDECAR_MAGIC UINT64_C(0x3143454449534642) /* "BFSIDEC1" */

/* Numbers of the header, u64 each, in this order. */
enum {
	HEAD_MAGIC,
	HEAD_FORMAT,
	HEAD_ROW_SIZE,
	HEAD_MADE_OF_LENGTH,
	HEAD_NAMES,
	HEAD_ENDS_AT,
	HEAD_TEXT_AT,
	HEAD_TEXT_SIZE,
	HEAD_SORTED_AT,
	HEAD_NAMES_AT,
	HEAD_MEMBERS,
	HEAD_MEMBERS_AT,
	HEAD_ENTITIES,
	HEAD_ENTITIES_AT, /* where their list stands among the lists */
	HEAD_SCOPES,
	HEAD_SCOPES_AT,
	HEAD_ROWS_AT,
	HEAD_LISTS_AT,
	HEAD_LENGTHS_AT, /* 0: there are none */
	HEAD_LENGTHS_FORMAT,
	HEAD_COUNT,
	HEAD_VISIBLE,
	HEAD_FIRST_VISIBLE,
	HEAD_LAST_VISIBLE,
	HEAD_MAX_WALL,
	HEAD_LAST_CLOSE,
	HEAD_ROWS_NEXT_SEQ,
	HEAD_SOURCE,
	HEAD_SOURCE_VERSION,
	HEAD_HAS_INDEX,
	HEAD_NEXT_SEQ,
	HEAD_WATERMARK_SEGMENT,
	HEAD_WATERMARK_OFFSET,
	HEAD_UNCOVERED,
	HEAD_UNCOVERED_EXTENSIONS,
	HEAD_SEGMENTS,
	HEAD_FALLBACK_SYSTEM,
	HEAD_FALLBACK_EFFECT,
	HEAD_SYSTEM_LENGTH,
	HEAD_EFFECT_LENGTH,
	HEAD_COUNT_OF_NUMBERS
};
#define HEAD_ROWS_OFFSET (HEAD_COUNT_OF_NUMBERS * 8u) /* first, last row */

/* What it was made from, in the file. A bounded reader of it. */
struct sidecar_tables {
	const uint8_t *at, *end;
	bool cut; /* somebody wanted more */
};
struct bat_slice bat_sidecar_take(struct sidecar_tables *tables, size_t length);

/* Has the directory the segments of the index, and no others? */
bool bat_sidecar_fits_directory(const struct bat_segment_dir *dir,
    const struct bat_index *index);
/* The files, onto tables. BAT_END when one of them is too young, or is not what
 * was read. */
int bat_sidecar_put_files(struct bat_segment_dir *dir,
    const struct bat_index *index, uint64_t found_segment, int64_t now_ns,
    struct bat_buf *tables, struct bat_error *error);
/* Are they those that are there? Notes where the rows of segments begin. */
int bat_sidecar_check_files(struct bat_segment_dir *dir,
    struct sidecar_tables *tables, uint64_t segments,
    struct bat_index_base *base, struct bat_sidecar_state *state,
    struct bat_error *why);

#endif
