/*
 * Going into the background without losing what has to be said on the way.
 *
 * The parent process stays until the daemon answers its first request, passes
 * on what the daemon says until then, and ends with its result: whoever starts
 * batfs learns from the exit status whether the mount works.
 *
 * Calling sequence (once in a process):
 *	batfs_daemon_reserve_fds   first of all
 *	batfs_daemon_survive_file_limit
 *	batfs_daemon_start	   only the daemon comes back from it
 *	(start threads; not before: they would not survive the fork)
 *	batfs_daemon_ready	   or end the process
 */
#ifndef BATFS_DAEMON_H
#define BATFS_DAEMON_H

#include <stdbool.h>

#include "bat.h"

/* A caller may have closed 0, 1 or 2; a file that got such a number would
 * receive what is printed. Returns 0 or BAT_WORLD_*. */
int batfs_daemon_reserve_fds(struct bat_error *error);
/* As many open files as we may have: backup/ holds every segment open. Where
 * that cannot be changed nothing is. */
void batfs_daemon_allow_files(void);
/* A write beyond the longest file that we may have (ulimit -f) fails with EFBIG,
 * and does not end the process by SIGXFSZ. */
void batfs_daemon_survive_file_limit(void);
/*
 * background false: stays in the foreground. What batfs_log is told goes to
 * the parent from now on. Returns 0 or BAT_WORLD_*.
 */
int batfs_daemon_start(bool background, struct bat_error *error);
/* Let the parent go, with this line on its stdout; in the foreground it is
 * printed here. Calls after the first do nothing. Threads: any. */
void batfs_daemon_ready(const char *line);

#endif
