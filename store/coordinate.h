/*
 * Coordinates: which entity and scope names are legal (FORMAT.md 11).
 * Threads: any, no state.
 */
#ifndef BAT_COORDINATE_H
#define BAT_COORDINATE_H

#include "bytes.h"
#include "error.h"

#define BAT_COORDINATE_MAX 1024 /* bytes of UTF-8, each part */

/*
 * Check in batpak's order: entity empty, scope empty, entity long, scope long,
 * then entity, then scope: NUL or control characters, '/' or "..", '|' or '='.
 * Also not UTF-8 (batpak cannot hold that at all).
 *
 * Returns 0, BAT_USE_NAME_LENGTH, BAT_USE_INVALID; the text names the part
 * and what is wrong with it.
 */
int bat_coordinate_check(struct bat_slice entity, struct bat_slice scope,
    struct bat_error *error);

#endif
