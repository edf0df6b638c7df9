/*
 * The two paths of a mount: made absolute (a daemon lives in "/"), and looked
 * at before anything is opened.
 */
#ifndef BATFS_MOUNTPOINT_H
#define BATFS_MOUNTPOINT_H

#include "bat.h"

/*
 * The absolute path without links of a directory that is there, or may be
 * made: then its parent must be there. On success *out is the caller's to free.
 * Returns 0; BAT_WORLD_*.
 */
int batfs_mountpoint_resolve(const char *path, char **out,
    struct bat_error *error);
/*
 * May `mountpoint` be mounted on, to show `data_dir`? Both as resolved. Says
 * what to do when not: a dead mount, nothing there, one inside the other, files
 * of a store there.
 * *out_file: it is a file, on which only one file can be mounted.
 * Returns 0; BAT_USE_INVALID; BAT_WORLD_*.
 */
int batfs_mountpoint_check(const char *data_dir, const char *mountpoint,
    bool *out_file, struct bat_error *error);

#endif
