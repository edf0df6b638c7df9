/*
 * The floor of everything that opens a store: the same bytes read once and
 * their CRC taken, on all cores, and nothing understood.
 */
#ifndef FLOOR_READ_H
#define FLOOR_READ_H

#include <stdint.h>

/* Of pairs PATH OFFSET: each file from its offset to its end, with so many
 * threads. Returns the bytes that were read. */
uint64_t floor_read(int pairs, char **path_and_offset, unsigned threads);

#endif
