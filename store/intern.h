/*
 * A table of strings: each distinct one is kept once and has a number, given
 * in first-seen order from 0. Entities and scopes share one table, as in
 * batpak's own files (FORMAT.md 8).
 *
 * The first strings may stand in a file and come when they are first asked for
 * (bat_intern_start_late).
 *
 * Invariants: numbers are never reused; the bytes of a string never move, so
 * a slice stays valid until bat_intern_free. Threads: the owner locks; late
 * strings may be asked for by many at once.
 */
#ifndef BAT_INTERN_H
#define BAT_INTERN_H

#include "bytes.h"
#include "map.h"

#define BAT_INTERN_NONE UINT32_MAX

struct bat_intern_chunk;

/* Where late strings come from. */
struct bat_intern_source {
	void *context;
	/* A string is there after this (bat_intern_fill), whatever happens. */
	void (*fetch)(void *context, uint32_t number);
	/* Among the late ones; BAT_INTERN_NONE. */
	uint32_t (*find)(void *context, struct bat_slice text);
};

struct bat_intern {
	struct bat_slice *strings;
	size_t count;
	size_t capacity;
	struct bat_intern_chunk *chunks; /* newest first */
	struct bat_map numbers;		 /* but for late ones */
	uint32_t late_count;
	struct bat_intern_source late;
	struct bat_intern_chunk *late_chunks;
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

/* An empty table begins with count strings that source has. 0 or
 * BAT_WORLD_NO_MEMORY. */
int bat_intern_start_late(struct bat_intern *table, uint32_t count,
    const struct bat_intern_source *source);
/* Late strings from number first on: they end at ends[i] of bytes, which are
 * copied. The source locks. 0 or BAT_WORLD_NO_MEMORY. */
int bat_intern_fill(struct bat_intern *table, uint32_t first, size_t count,
    const uint32_t *ends, const uint8_t *bytes);
/* The same without bytes: empty ones. */
void bat_intern_fill_empty(struct bat_intern *table, uint32_t first,
    size_t count);

#endif
