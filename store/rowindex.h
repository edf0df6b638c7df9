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

#endif
