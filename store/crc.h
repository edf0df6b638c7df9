/*
 * CRC-32 (IEEE, the one of zlib): reflected polynomial 0xEDB88320, initial and
 * final XOR 0xFFFFFFFF. Source: FORMAT.md, conventions. The only user of
 * zlib, and of ISA-L where that is installed: 13 against 4 GB/s, and the CRC of
 * an index file was the largest single cost of a mount. Threads: any, no state.
 */
#ifndef BAT_CRC_H
#define BAT_CRC_H

#include "bytes.h"

uint32_t bat_crc_of(struct bat_slice bytes);
/* Continue crc over more bytes; start with 0. */
uint32_t bat_crc_update(uint32_t crc, struct bat_slice bytes);
/* The same by zlib, whatever is installed: what a test compares with. */
uint32_t bat_crc_update_plain(uint32_t crc, struct bat_slice bytes);

#endif
