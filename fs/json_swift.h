/*
 * The part of json that reads texts as programs write them, in one pass: no
 * tags, no escapes, few keys, not nested deep. It judges nothing: what it does
 * not take is left to the general way of json_read.c, which knows how to say
 * what is wrong. A line of 110 bytes with four members takes 1 700
 * instructions instead of 5 400.
 */
#ifndef BATFS_JSON_SWIFT_H
#define BATFS_JSON_SWIFT_H

#include "json.h"

/* As batfs_json_to_pack, tags on or off. BAT_END: left to the general way, buf
 * is as before. */
int batfs_json_swift_read(struct bat_slice text, struct bat_buf *buf,
    size_t *out_used);
/* json_read.c: the general way, for all texts. */
int batfs_json_read_any(struct bat_slice text, bool tagged, struct bat_buf *buf,
    size_t *out_used, struct bat_error *error);

#endif
