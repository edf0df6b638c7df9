/*
 * Times as people write them: RFC 3339 to microseconds since 1970, the way back
 * from what render writes. Threads: any, no state.
 */
#ifndef BATFS_MOMENT_H
#define BATFS_MOMENT_H

#include "bat.h"

/*
 * "2026-11-22T10:11:12Z", with decimals of a second or without, with an offset
 * as +01:00 in place of the Z; years 0000 to 9999. Digits behind the sixth
 * decimal are cut. false: anything else, a day that never was included.
 */
bool batfs_moment_parse(struct bat_slice text, int64_t *out_us);

#endif
