/*
 * A small process beside the daemon that takes the mount away at the end.
 *
 * The daemon is sandboxed (sandbox.h) and may neither unmount nor start
 * fusermount3. Its supervisor may, and can do nothing else: it is forked before
 * the store is opened, so that it holds neither lock nor store, closes whatever
 * it inherited, and waits at a socket for the one word that it knows.
 *
 * Each ends with the other. A daemon that is killed leaves ENOTCONN behind, not
 * a bare mountpoint: the supervisor goes without unmounting. A supervisor that
 * is killed makes the daemon end in order: what is under way is committed, and
 * the store is closed. Ordinary signals are not for it: a service manager sends
 * them to all processes of a service, and this one is needed last.
 *
 * Calling sequence:
 *	batfs_supervisor_start	  before any thread, lock or store
 *	batfs_supervisor_mounted  it is told what it will have to take away
 *	batfs_supervisor_watch	  in the daemon, when signal handlers are set
 *	batfs_supervisor_unmount  after the last request
 *	batfs_supervisor_stop	  NULL: nothing is done
 * Threads: one.
 */
#ifndef BATFS_SUPERVISOR_H
#define BATFS_SUPERVISOR_H

#include "bat.h"

struct batfs_supervisor; /* opaque */

/* mountpoint: absolute. Returns 0 or BAT_WORLD_*. */
int batfs_supervisor_start(const char *mountpoint,
    struct batfs_supervisor **out, struct bat_error *error);
/* The mount is there. What another one puts in its place later stays. Returns
 * 0 or BAT_WORLD_*. */
int batfs_supervisor_mounted(struct batfs_supervisor *supervisor,
    struct bat_error *error);
/* From now on its end is a SIGTERM for the thread that says so, which has to
 * last as long as what was started. Starts a thread. 0 or BAT_WORLD_NO_MEMORY.
 */
int batfs_supervisor_watch(struct batfs_supervisor *supervisor);
/* Returns 0, also when somebody unmounted it already; BAT_WORLD_*, and says in
 * the error what the user can do. */
int batfs_supervisor_unmount(struct batfs_supervisor *supervisor,
    struct bat_error *error);
/* Let it go, and wait until it is gone. */
void batfs_supervisor_stop(struct batfs_supervisor *supervisor);

#endif
