/* What the parts of tlog share. Not for others. */
#ifndef BAT_TLOG_INTERNAL_H
#define BAT_TLOG_INTERNAL_H

#include "tlog.h"

#define TLOG_SIDE_DIR ".batfs"
#define TLOG_DIR "tlog"
#define TLOG_CHECKPOINT "checkpoint"
#define TLOG_KEY "key"	 /* secret, 0600 */
#define TLOG_VKEY "vkey" /* public */
#define TLOG_FROM "from"
#define TLOG_TILE "tile"
#define TLOG_FILE_MAX 65536 /* bytes of a file that is no tile */

/* What is done about a folder that is opened. SURE: one that is there may be
 * what a process left that was killed before it had synced the name, so the
 * name is synced in any case. */
enum tlog_make { TLOG_FIND, TLOG_MAKE, TLOG_MAKE_SURE };

/* Open, and make, a folder below dir; what is made is synced into dir.
 * BAT_WORLD_ABSENT. */
int bat_tlog_open_folder(const struct bat_disk *disk, int dir, const char *name,
    enum tlog_make make, int *out, struct bat_error *error);
/* Write a tile's file, not synced; its folders are. */
int bat_tlog_write_tile(struct bat_tlog *tlog, const struct bat_tlog_tile *tile,
    struct bat_slice bytes, struct bat_error *error);
/* Sync the files of full tiles [from, to) of a level, and the folders that
 * name them; or of one partial tile. */
int bat_tlog_sync_full(const struct bat_tlog *tlog, unsigned level,
    uint64_t from, uint64_t to, struct bat_error *error);
int bat_tlog_sync_partial(const struct bat_tlog *tlog,
    const struct bat_tlog_tile *tile, struct bat_error *error);
/* Unlink what stands in the folder of a tile's partial ones. */
int bat_tlog_drop_partials(const struct bat_tlog *tlog, unsigned level,
    uint64_t index, struct bat_error *error);

/* Unlink what a process that was killed left of a file that it was replacing.
 * Only who holds the store's lock may: then nobody is replacing one. What
 * cannot be unlinked stays; it is in nobody's way. */
void bat_tlog_drop_leftovers(const struct bat_tlog *tlog);

/* The root over hashes [from, from + count) of a tile. */
struct bat_merkle_hash bat_tlog_tile_root(const struct bat_buf *tile,
    size_t from, size_t count);

#endif
