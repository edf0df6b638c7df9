/*
 * What a mount has done so far, as `.ctl/stats` shows it: counts that only
 * rise, each with a name of its own. Threads: any; no locks.
 */
#ifndef BATFS_STATS_H
#define BATFS_STATS_H

#include <stdatomic.h>

#include "bat.h"

enum batfs_stat {
	/* Requests of the kernel, by kind. */
	BATFS_STAT_LOOKUP,
	BATFS_STAT_GETATTR,
	BATFS_STAT_SETATTR,
	BATFS_STAT_READLINK,
	BATFS_STAT_OPEN,
	BATFS_STAT_CREATE,
	BATFS_STAT_READ,
	BATFS_STAT_WRITE,
	BATFS_STAT_FLUSH,
	BATFS_STAT_FSYNC,
	BATFS_STAT_RELEASE,
	BATFS_STAT_OPENDIR,
	BATFS_STAT_READDIR,
	BATFS_STAT_READDIRPLUS,
	BATFS_STAT_STATFS,
	BATFS_STAT_GETXATTR,
	BATFS_STAT_LISTXATTR,
	BATFS_STAT_POLL,
	BATFS_STAT_REFUSED, /* what an append-only tree does not do */
	/* What came of them. */
	BATFS_STAT_READ_BYTES,	/* handed out by READ */
	BATFS_STAT_WRITE_BYTES, /* that WRITE took */
	BATFS_STAT_APPENDED,	/* lines that became events */
	BATFS_STAT_REJECTED,	/* lines that did not */
	BATFS_STAT_BATCHES,	/* that were committed */
	BATFS_STAT_COUNT
};

struct batfs_stats {
	atomic_uint_fast64_t counts[BATFS_STAT_COUNT];
};

void batfs_stats_add(struct batfs_stats *stats, enum batfs_stat which,
    uint64_t more);
/* All of them as `name value` lines. 0 or BAT_WORLD_NO_MEMORY. */
int batfs_stats_render(struct batfs_stats *stats, struct bat_buf *buf);

#endif
