/*
 * A table of strings: each distinct one is kept once and has a number, given
 * in first-seen order from 0. Entities and scopes share one table, as in
 * batpak's own files (FORMAT.md 8).
 *
 * Invariants: numbers are never reused; the bytes of a string never move, so
 * a slice stays valid until bat_intern_free. Threads: the owner locks.
 */
#ifndef BAT_INTERN_H
#define BAT_INTERN_H

#include "bytes.h"
#include "map.h"

#define BAT_INTERN_NONE UINT32_MAX

struct bat_intern_chunk;

struct bat_intern {
	struct bat_slice *strings;
	size_t count;
	size_t capacity;
	struct bat_intern_chunk *chunks; /* newest first */
	struct bat_map numbers;
};

void bat_intern_init(struct bat_intern *table);
void bat_intern_free(struct bat_intern *table);
/* Number of text, added if new. 0 or BAT_WORLD_NO_MEMORY. */
int bat_intern_put(struct bat_intern *table, struct bat_slice text,
    uint32_t *out_number);
/* BAT_INTERN_NONE when it is not there. */
uint32_t bat_intern_find(const struct bat_intern *table, struct bat_slice text);
/* number < count. */
struct bat_slice bat_intern_get(const struct bat_intern *table,
    uint32_t number);

#endif
