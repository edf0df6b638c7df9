/*
 * Telling the kernel that names no longer mean what they did.
 *
 * Appends need no word: growing files are never cached. Only when the store
 * renumbers or hides (a new generation) the kernel must forget: dropping each
 * name in the root drops the whole cached tree below it.
 *
 * A notification takes locks in the kernel that a request may hold while we
 * answer it, so none is ever sent from a request: they all come from this one
 * thread. Requests only wake it, and being woken often is being woken once.
 */
#ifndef BATFS_NOTIFY_H
#define BATFS_NOTIFY_H

#include <fuse_lowlevel.h>

#include "mount.h"

struct batfs_notify; /* opaque */

/* Returns 0 or BAT_WORLD_NO_MEMORY. */
int batfs_notify_start(struct fuse_session *session,
    const struct batfs_mount *mount, struct batfs_notify **out);
/* The generation may have changed: look, and wake the thread if so. */
void batfs_notify_check(struct batfs_notify *notify);
/* NULL: nothing is done. */
void batfs_notify_stop(struct batfs_notify *notify);

#endif
