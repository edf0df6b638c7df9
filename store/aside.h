/*
 * What is taken out of a data directory is kept beside it, in .batfs/cut/, on
 * disk before the caller goes on, with the folders that lead there, whoever made
 * them: torn tails (`<segment>-<offset>`), and what a repair replaces. Nothing
 * kept is ever written over: other bytes under a name that is taken get the name
 * and `.1`, `.2` and so on; the same bytes are there already. batpak never looks
 * there. Threads: one.
 */
#ifndef BAT_ASIDE_H
#define BAT_ASIDE_H

#include "segment_dir.h"

#define BAT_ASIDE_SIDE ".batfs"
#define BAT_ASIDE_CUT "cut"

/* 0; BAT_WORLD_*; BAT_STATE_STOPPED: not kept, nothing may be taken out. */
int bat_aside_keep(const struct bat_segment_dir *dir, const char *name,
    struct bat_slice bytes, struct bat_error *error);
/* A whole file of the directory, which then goes; the directory is synced. 0
 * also when it is not there. */
int bat_aside_move(const struct bat_segment_dir *dir, const char *file,
    const char *name, struct bat_error *error);
/* Read what is kept under a name; BAT_WORLD_ABSENT. */
int bat_aside_read(const struct bat_segment_dir *dir, const char *name,
    struct bat_buf *buf, struct bat_error *error);

#endif
