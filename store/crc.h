/*
 * CRC-32 (IEEE, the one of zlib): reflected polynomial 0xEDB88320, initial and
 * final XOR 0xFFFFFFFF. Source: format.md "Conventions". The only user of
 * zlib. Threads: any, no state.
 */
#ifndef BAT_CRC_H
#define BAT_CRC_H

#include "bytes.h"

uint32_t bat_crc_of(struct bat_slice bytes);
/* Continue crc over more bytes; start with 0. */
uint32_t bat_crc_update(uint32_t crc, struct bat_slice bytes);

#endif
