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

/* The segments that have come to rest, from the first one on, and the files
 * beside them, onto tables. BAT_END when one of these is too young, or a segment
 * is not what was read, or not the index's. */
int bat_sidecar_put_files(struct bat_segment_dir *dir,
    const struct bat_index *index, uint64_t found_segment, int64_t now_ns,
    struct bat_buf *tables, uint32_t *out_segments, struct bat_error *error);
/* Are they those that are there? Notes where the rows of segments begin. */
int bat_sidecar_check_files(struct bat_segment_dir *dir,
    struct sidecar_tables *tables, uint64_t segments,
    struct bat_index_base *base, struct bat_sidecar_state *state,
    struct bat_error *why);

/*
 * What of an index stands in its first segments: the first rows, and with them
 * the first names of each list (they are in first-seen order) and the first
 * members. The rest is left out, as if the events behind had not come yet.
 */
struct sidecar_extent {
	uint32_t segments, rows;
	bool whole; /* rows are all that there are */
	uint32_t members, entities, scopes;
	/* As in struct bat_index, of these rows. */
	uint64_t visible_count, max_wall_ms, last_close_wall_ms, next_seq;
	uint32_t first_visible, last_visible;
	struct bat_index_hot first_row, last_row;
};
/* BAT_END when they cannot be told apart from those behind. */
int bat_sidecar_measure(const struct bat_index *index, uint32_t segments,
    struct sidecar_extent *extent);
/* Of its rows: events of a name as an entity, members of it as a scope, events
 * of a member. */
uint32_t bat_sidecar_events(const struct bat_index *index,
    const struct sidecar_extent *extent, uint32_t name);
uint32_t bat_sidecar_scope_members(const struct bat_index *index,
    const struct sidecar_extent *extent, uint32_t name);
uint32_t bat_sidecar_member_events(const struct bat_index *index,
    const struct sidecar_extent *extent, uint32_t member);
/* Copies without what is behind; those of names that have nothing are empty. */
struct bat_index_name bat_sidecar_name(const struct bat_index *index,
    const struct sidecar_extent *extent, uint32_t name);
struct bat_index_member bat_sidecar_member(const struct bat_index *index,
    const struct sidecar_extent *extent, uint32_t member);

#endif
