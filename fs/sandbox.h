/*
 * What the daemon can still do once it serves: read and write below the data
 * directory and talk to the kernel's FUSE device. Whoever finds a fault in how
 * we read a hostile store finds himself in there.
 *
 * - no_new_privs; of root's capabilities those that open another user's files;
 *   neither core dumps nor debuggers.
 * - Landlock: files below the data directory, and what else is named; the rest
 *   of the tree cannot be opened. Descriptors that are open stay so.
 * - seccomp: a list of system calls, of some only with certain arguments: no
 *   memory becomes code, no process is made, a mount that only reads writes,
 *   syncs and renames nothing. Others are refused with EPERM; strict: they end
 *   the process (for tests).
 *
 * To be entered between the mount and the first thread: a filter that is set
 * later leaves out the threads that run already. fusermount3 can neither mount
 * nor unmount from in there (supervisor.h).
 *
 * A kernel that lacks one of these is used with the others, and said. An
 * instrumented build (a sanitizer, coverage) does at its end what none of us
 * may: there nothing is given up.
 *
 * Threads: before there are any.
 */
#ifndef BATFS_SANDBOX_H
#define BATFS_SANDBOX_H

#include "bat.h"

enum batfs_sandbox_mode {
	BATFS_SANDBOX_ON,
	BATFS_SANDBOX_STRICT,
	BATFS_SANDBOX_OFF,
};

struct batfs_sandbox {
	enum batfs_sandbox_mode mode;
	const char *data_dir; /* absolute; read and written */
	bool read_only;	      /* then only read */
	bool proc;	      /* /proc may be read: who is it that writes? */
	bool clone_fd;	      /* the device may be opened again */
};

/* Returns 0; BAT_WORLD_* (what could not be given up, in error). */
int batfs_sandbox_enter(const struct batfs_sandbox *sandbox,
    struct bat_error *error);
/* How many system calls are left there. */
unsigned batfs_sandbox_call_count(const struct batfs_sandbox *sandbox);

#endif
