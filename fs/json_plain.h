/*
 * The fast way of batfs_json_of_pack: one pass for values as most programs
 * write them. Objects of strings, numbers, booleans and nulls, in the shortest
 * forms; no tag in sight. 60 ns for a payload of 100 bytes; the general way
 * (json_survey.c, json_write.c) takes 500.
 *
 * It knows one answer: the bytes of the general way, with `exact` true. At the
 * first byte that it has no rule for it gives up, and the general way starts
 * over.
 */
#ifndef BATFS_JSON_PLAIN_H
#define BATFS_JSON_PLAIN_H

#include "bat.h"

/* 0; BAT_END: not that plain, buf is as before; BAT_WORLD_NO_MEMORY. */
int batfs_json_plain_write(struct bat_slice payload, struct bat_buf *buf);

/* The general way alone: as batfs_json_of_pack (json.h). */
int batfs_json_of_any_pack(struct bat_slice payload, struct bat_buf *buf,
    bool *out_exact);

/* What batfs_json_plain_copy may write behind the bytes that count. */
#define BATFS_JSON_PLAIN_ROOM 16
/*
 * Copy bytes up to the first one that a JSON string may not show as it is, or
 * that is not ASCII, and return how many that are. `to` has room for length +
 * BATFS_JSON_PLAIN_ROOM. The scalar one is the other's twin, for tests.
 */
size_t batfs_json_plain_copy(uint8_t *to, const uint8_t *from, size_t length);
size_t batfs_json_plain_copy_scalar(uint8_t *to, const uint8_t *from,
    size_t length);

#endif
