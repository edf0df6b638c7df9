/*
 * Who holds the lock of a data directory.
 *
 * The lock belongs to an open file, not to a process: what /proc/locks names is
 * who took it, and of a mount that is a parent that has left. So the open files
 * of all processes are looked through, as far as we may. What cannot be looked
 * into may still be known as a mount, by the table of mounts. Nothing is opened
 * below the directory but the owner's record, and the lock is not tried. Who
 * holds it by another mount of the directory has not this lock, but the socket
 * that the record names (store/owner.h).
 *
 * Threads: any; no state.
 */
#ifndef BATFS_HOLDER_H
#define BATFS_HOLDER_H

#include "bat.h"

struct batfs_holder {
	bool held;
	bool elsewhere;	  /* by another path: its lock is not ours */
	long pid;	  /* 0: not to be seen from here */
	char program[32]; /* what the kernel calls it; "" when not known */
	/* Where the directory is mounted by a batfs that may write; "": nowhere
	 * that is seen from here, or the path is longer. */
	char mountpoint[1024];
};

/* data_dir: any path of it. What cannot be found out stays empty. */
void batfs_holder_find(const char *data_dir, struct batfs_holder *out);
/*
 * Of one that holds it: "process 17 (batfs), mounted on /mnt", or as much of
 * that as is known. text is ended with a NUL and cut to size.
 */
void batfs_holder_describe(const struct batfs_holder *holder, char *text,
    size_t size);
/* What ends it: "`fusermount3 -u /mnt`" of a mount, else "end it". */
void batfs_holder_remedy(const struct batfs_holder *holder, char *text,
    size_t size);

#endif
