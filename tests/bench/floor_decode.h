/*
 * The floor of a mount: the bytes that it has to read, their CRC, and each of
 * their rows decoded into 64 bytes of memory; no names, tables or checks
 * against anything else. The decoders are the library's own, which are the
 * fastest that are known here; what is around them is as plain as can be.
 */
#ifndef FLOOR_DECODE_H
#define FLOOR_DECODE_H

#include <stdint.h>

struct floor_rows {
	uint64_t bytes, rows;
};

/* Of pairs PATH OFFSET, from the offset on: index.fbati, index.ckpt, and a
 * segment's frames (offset 0) or its footer (any other). So many threads, each
 * with its share of each file. */
struct floor_rows floor_decode(int pairs, char **path_and_offset,
    unsigned threads);

#endif
