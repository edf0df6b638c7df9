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

/* The files beside the segments whose state is recorded, in this order. */
#define SIDECAR_BESIDE_COUNT 3
extern const char *const bat_sidecar_beside[SIDECAR_BESIDE_COUNT];

/* Identity of a file: inode, size, mtime, ctime; zeros for an absent one. */
struct sidecar_stamp {
	uint64_t numbers[4];
};
/* Of a file beside the segments. 0 or BAT_WORLD_*. */
int bat_sidecar_stamp(struct bat_segment_dir *dir, const char *name,
    struct sidecar_stamp *out, struct bat_error *error);
struct sidecar_stamp bat_sidecar_stamp_of(const struct bat_file_stat *stat);

#endif
