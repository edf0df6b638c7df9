/*
 * Who wrote it (-o stamp): what the kernel says of a writer, as JSON text for
 * the extension batfs.writer.
 *
 *	{"uid":1000,"gid":1000,"pid":4711,
 *	 "best_known":{"comm":"bash","cgroup":"/user.slice"}}	(on one line)
 *
 * uid, gid and pid came with the request and are those of the namespaces that
 * the daemon is in (pid 0: a process of another one; it is the thread's where
 * it has several). What stands in best_known was looked up in /proc a moment
 * later: the process may have ended meanwhile, changed its name, or another
 * one may have its number; what could not be found out is left out.
 *
 * Threads: any, no state.
 */
#ifndef BATFS_STAMP_H
#define BATFS_STAMP_H

#include "bat.h"

struct batfs_stamp_writer {
	uint32_t uid, gid;
	int32_t pid; /* 0: not known */
};

/* Append the text. 0 or BAT_WORLD_NO_MEMORY (then buf is as before). */
int batfs_stamp_put(const struct batfs_stamp_writer *writer,
    struct bat_buf *buf);
/* Parts of it: what /proc says, as it is shown. Of cgroup: the path in the one
 * hierarchy of version 2, else in the first of those that are there; empty if
 * there is none. */
struct bat_slice batfs_stamp_cgroup(struct bat_slice content);

#endif
