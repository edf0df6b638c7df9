/*
 * Names that somebody gave to kinds: `-o kinds=FILE`, a file of lines
 *
 *	f.001 moved
 *
 * a kind, spaces or tabs, a name. Empty lines and lines that start with # say
 * nothing. A name has 2 to 64 ASCII letters, digits, `_`, `-` and `.`, starts
 * with a letter, stands there once, and cannot be read as a kind. One kind may
 * have several names.
 *
 * The file is read once, at the mount.
 *
 * Threads: any, nothing changes after it was read.
 */
#ifndef BATFS_KINDS_H
#define BATFS_KINDS_H

#include "bat.h"

#define BATFS_KINDS_FILE_MAX (1u << 20) /* bytes */

struct batfs_kinds;

/*
 * Returns 0; BAT_USE_INVALID (error names the line, what is wrong with it and
 * what to do); BAT_WORLD_*.
 */
int batfs_kinds_read(const char *path, struct batfs_kinds **out,
    struct bat_error *error);
/* The same of text that was read from path. */
int batfs_kinds_parse(struct bat_slice text, const char *path,
    struct batfs_kinds **out, struct bat_error *error);
void batfs_kinds_free(struct batfs_kinds *kinds);

/* The functions below take NULL for a file without lines. */

/* The kind of a name; false: there is no such name. */
bool batfs_kinds_find(const struct batfs_kinds *kinds, struct bat_slice name,
    uint16_t *out);
/* The names in the order of the file; false: there are no more. */
bool batfs_kinds_at(const struct batfs_kinds *kinds, size_t position,
    struct bat_slice *out_name, uint16_t *out_kind);

#endif
