/*
 * Telling the kernel that names no longer mean what they did.
 *
 * When the store renumbers or hides (a new generation) the kernel must forget:
 * dropping each name in the root drops the whole cached tree below it. Such a
 * notification takes locks in the kernel that a request may hold while we
 * answer it, so none is ever sent from a request: they all come from this one
 * thread. Requests only wake it, and being woken often is being woken once.
 *
 * The content of growing files is never cached, their attributes are for a
 * second after a listing told them (`ls -l` asks for each of them next). An
 * append takes them back before it is answered: batfs_notify_promise before
 * attributes are computed, batfs_notify_grown after events became visible. That
 * notification waits for nothing in the kernel. What it cannot reach, an entry
 * of a listing that is still on its way, is wrong for that second at most.
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
/* How long a listing's attributes of growing files hold, in seconds. */
#define BATFS_NOTIFY_PROMISE 1.0
void batfs_notify_promise(struct batfs_notify *notify);
/* Does a promise hold, or did it a moment ago? */
bool batfs_notify_is_promised(struct batfs_notify *notify);
/* Threads: any, without locks. */
void batfs_notify_grown(struct batfs_notify *notify);
/*
 * Before a request is answered: show what another process has written since, on
 * a mount that only reads and is not of a moment, and wake the thread if what
 * names mean has changed.
 */
void batfs_notify_look(struct batfs_notify *notify);
/* NULL: nothing is done. */
void batfs_notify_stop(struct batfs_notify *notify);

#endif
