/*
 * JSON text: spelling it (LINE.md 2) and reading it into MessagePack (LINE.md
 * 4). Pure, over bytes. Iterative: nesting is bounded by BATFS_JSON_DEPTH_MAX,
 * never by the stack. Threads: any, no state.
 */
#ifndef BATFS_JSON_H
#define BATFS_JSON_H

#include "bat.h"

#define BATFS_JSON_DEPTH_MAX 128 /* the outermost value counts 1 */

/* Writers append to buf: 0 or BAT_WORLD_NO_MEMORY. */

/* A quoted string; text must be UTF-8. */
int batfs_json_write_string(struct bat_buf *buf, struct bat_slice text);
/* The bytes in base64, between two texts that open and close it. */
int batfs_json_write_base64(struct bat_buf *buf, const char *before,
    struct bat_slice bytes, const char *after);
/* Shortest digits that read back equal, spelled as LINE.md 2 says; finite. */
int batfs_json_write_double(struct bat_buf *buf, double value);

/*
 * One MessagePack value to JSON with the tags of LINE.md 3. *out_exact: would
 * reading the text back (tags on) give the same bytes (no `raw` needed)?
 *
 * Returns 0; BAT_DATA_CORRUPT when `data_b64` must be shown instead: no bytes,
 * more than one value, cut, 0xc1, nested deeper than 128 (then buf is as
 * before); BAT_WORLD_NO_MEMORY.
 */
int batfs_json_of_pack(struct bat_slice payload, struct bat_buf *buf,
    bool *out_exact);

/*
 * Read one JSON value from the start of text (leading spaces and tabs
 * allowed) onto buf as MessagePack; *out_used is how much of text it took.
 * tagged: the tags of LINE.md 3 are read; else objects are literal.
 *
 * Returns 0; BAT_USE_INVALID with what is wrong, and in error->offset at which
 * byte of text (equal keys, lone surrogates, numbers out of range, depth,
 * malformed tags too); BAT_USE_TOO_LARGE (text above 256 MiB);
 * BAT_WORLD_NO_MEMORY. On failure buf is as before.
 */
int batfs_json_to_pack(struct bat_slice text, bool tagged, struct bat_buf *buf,
    size_t *out_used, struct bat_error *error);
/* A JSON string at the start of text (at its quote) onto buf as UTF-8. */
int batfs_json_read_string(struct bat_slice text, struct bat_buf *buf,
    size_t *out_used, struct bat_error *error);

#endif
