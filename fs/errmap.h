/*
 * Store code to errno: the only table (DESIGN.md, "Appending"). No FUSE here.
 * Threads: any, no state.
 */
#ifndef BATFS_ERRMAP_H
#define BATFS_ERRMAP_H

#include "bat.h"

/* A positive errno for a negative code; 0 for 0. The os_errno of *error (may
 * be NULL) is used for BAT_WORLD_IO when it is EROFS or EIO. */
int batfs_errmap_errno(int code, const struct bat_error *error);

#endif
