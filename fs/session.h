/*
 * libfuse's session: the mount from its start to its end.
 *
 * Calling sequence: batfs_session_new, batfs_session_mount, (in the daemon)
 * batfs_session_loop, batfs_session_unmount, batfs_session_free. Any of them
 * may be the last but batfs_session_free, which takes NULL too.
 *
 * At the end the connection to the kernel is cut first: whoever asks then gets
 * ENOTCONN at once and waits for nobody. Then the supervisor takes the mount
 * away, unless the user did already: what stands at that path by then would be
 * somebody else's.
 *
 * Threads: one, but for the loop's own.
 */
#ifndef BATFS_SESSION_H
#define BATFS_SESSION_H

#include "mount.h"
#include "supervisor.h"

struct fuse_session;

/* data_dir: for the list of mounts. Returns 0; BAT_USE_INVALID;
 * BAT_WORLD_NO_MEMORY. */
int batfs_session_new(struct batfs_mount *mount, const char *data_dir,
    struct fuse_session **out, struct bat_error *error);
/* Signals unmount from now on. out_dead_end: what stands for the device at the
 * end, when nothing can be made any more. Returns 0; BAT_WORLD_*. */
int batfs_session_mount(struct fuse_session *session, const char *mountpoint,
    int *out_dead_end, struct bat_error *error);
/* Serve until it is unmounted or a signal says so. Returns 0 or BAT_WORLD_*. */
int batfs_session_loop(struct fuse_session *session,
    const struct batfs_options *options, struct bat_error *error);
/* May one of its threads wait for the disk, and others still answer? A gate
 * must not: it may look into the mount before it says anything. */
bool batfs_session_may_wait(const struct batfs_options *options);
/* Only after batfs_session_mount. Returns 0 or BAT_WORLD_*. */
int batfs_session_unmount(struct fuse_session *session, int dead_end,
    struct batfs_supervisor *supervisor, struct bat_error *error);
void batfs_session_free(struct fuse_session *session);

#endif
