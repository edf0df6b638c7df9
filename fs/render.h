/*
 * An event to its line (LINE.md 1 to 3), and the small texts of the tree. Pure:
 * the same event gives the same bytes everywhere. Threads: any, no state.
 */
#ifndef BATFS_RENDER_H
#define BATFS_RENDER_H

#include "bat.h"

/* Lengths of lines are kept from mount to mount: another number whenever any
 * event's line changes (test_tree_golden sees to it). */
#define BATFS_RENDER_FORMAT 1

/*
 * Append the line of an event that was read, newline included. entity and
 * scope are its stored names. 0 or BAT_WORLD_NO_MEMORY.
 */
int batfs_render_line(const struct bat_reading *reading,
    struct bat_slice entity, struct bat_slice scope, struct bat_buf *buf);
/*
 * The line of an event whose frame is damaged: time is the row's wall_ms, what
 * only the frame has is left out, `damaged` says what and where, e.g.
 * "crc segment 1 offset 6174". An empty entity: no row tells of it, the line
 * is `seq` and `damaged`.
 */
int batfs_render_damaged(const struct bat_row *row, struct bat_slice entity,
    struct bat_slice scope, const struct bat_error *why, struct bat_buf *buf);
/*
 * The line of an event, whatever its state: reads it through bat_read with
 * *reading as scratch. Returns 0; BAT_STATE_NOT_FOUND; BAT_DATA_DISAGREES (the
 * generation changed: start over); BAT_WORLD_*.
 */
int batfs_render_event(struct bat_store *store, uint32_t ordinal,
    struct bat_reading *reading, struct bat_buf *buf, struct bat_error *error);
/*
 * The same for people: seq, time, kind, cause (its seq; its id where it is no
 * event here; - for none) and data, with tabs between them. Returns as
 * batfs_render_event.
 */
int batfs_render_brief(struct bat_store *store, uint32_t ordinal,
    struct bat_reading *reading, struct bat_buf *buf, struct bat_error *error);
/*
 * Its line in a chain's tree.txt: seq, time, kind, entity and data; the entity
 * is indented by the number of causes in the same chain, up to 32. After
 * bat_trace; returns as batfs_render_event.
 */
int batfs_render_branch(struct bat_store *store, uint32_t ordinal,
    struct bat_reading *reading, struct bat_buf *buf, struct bat_error *error);
/* Its part of a chain's graph.dot: a node and, where its cause is here, an
 * edge, dashed if that is in another chain. reading is not used. */
int batfs_render_dot(struct bat_store *store, uint32_t ordinal,
    struct bat_reading *reading, struct bat_buf *buf, struct bat_error *error);
/* The data of a line for people. damage: why there is none, or NULL. */
int batfs_render_data(const struct bat_reading *reading,
    const struct bat_error *damage, struct bat_buf *buf);
/* What is damaged and where, as in a line: "crc segment 1 offset 6174". */
int batfs_render_damage(const struct bat_row *row, const struct bat_error *why,
    struct bat_buf *buf);
/* When an event was written: its header's time; of a damaged one, as its line,
 * the row's wall_ms. */
int batfs_render_time_of(const struct bat_reading *reading, bool damaged,
    struct bat_buf *buf);
/*
 * What whoever appended the event got or gets: a line of seq, id, hash, clock,
 * time and, if there are any, ext (not of a damaged one). 0 or
 * BAT_WORLD_NO_MEMORY.
 */
int batfs_render_receipt(const struct bat_reading *reading, bool damaged,
    struct bat_buf *buf);
/* RFC 3339, UTC, six decimals (LINE.md 1). */
int batfs_render_time(int64_t timestamp_us, struct bat_buf *buf);

#endif
