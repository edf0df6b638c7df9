/*
 * Kinds: 16 bits, category << 12 | type; their names, and batpak's mapping of
 * unknown reserved ones (FORMAT.md 5.3, 11). Threads: any, no state.
 */
#ifndef BAT_KIND_H
#define BAT_KIND_H

#include "bytes.h"

#define BAT_KIND_BATCH_BEGIN 0x0006
#define BAT_KIND_BATCH_COMMIT 0x0007
#define BAT_KIND_OPEN_COMPLETED 0x0008
#define BAT_KIND_CLOSE_COMPLETED 0x0009
#define BAT_KIND_DENIAL 0x000f
#define BAT_KIND_TOMBSTONE 0x0ffe
#define BAT_KIND_DATA 0x1000

/* Category 0 or d: not for callers. */
bool bat_kind_is_reserved(uint16_t kind);
/* As batpak shows a kind that it read from a footer or a row index: unknown
 * ones of category 0 become DATA, of category d EFFECT_ERROR. */
uint16_t bat_kind_mapped(uint16_t kind);
/* "f.001" and a NUL. */
void bat_kind_to_text(uint16_t kind, char out[6]);
/* "f.001" (lower hex, exactly) or "0xf001" (1 to 4 hex digits). */
bool bat_kind_from_text(struct bat_slice text, uint16_t *out);

#endif
