#include "stats.h"

#include <inttypes.h>

static const char *const names[BATFS_STAT_COUNT] = {
	[BATFS_STAT_LOOKUP] = "request_lookup",
	[BATFS_STAT_GETATTR] = "request_getattr",
	[BATFS_STAT_SETATTR] = "request_setattr",
	[BATFS_STAT_READLINK] = "request_readlink",
	[BATFS_STAT_OPEN] = "request_open",
	[BATFS_STAT_CREATE] = "request_create",
	[BATFS_STAT_READ] = "request_read",
	[BATFS_STAT_WRITE] = "request_write",
	[BATFS_STAT_FLUSH] = "request_flush",
	[BATFS_STAT_FSYNC] = "request_fsync",
	[BATFS_STAT_RELEASE] = "request_release",
	[BATFS_STAT_OPENDIR] = "request_opendir",
	[BATFS_STAT_READDIR] = "request_readdir",
	[BATFS_STAT_READDIRPLUS] = "request_readdirplus",
	[BATFS_STAT_STATFS] = "request_statfs",
	[BATFS_STAT_GETXATTR] = "request_getxattr",
	[BATFS_STAT_LISTXATTR] = "request_listxattr",
	[BATFS_STAT_POLL] = "request_poll",
	[BATFS_STAT_REFUSED] = "request_refused",
	[BATFS_STAT_READ_BYTES] = "read_bytes",
	[BATFS_STAT_WRITE_BYTES] = "write_bytes",
	[BATFS_STAT_APPENDED] = "lines_appended",
	[BATFS_STAT_REJECTED] = "lines_rejected",
	[BATFS_STAT_BATCHES] = "batches_committed",
};

void
batfs_stats_add(struct batfs_stats *stats, enum batfs_stat which, uint64_t more)
{
	atomic_fetch_add_explicit(&stats->counts[which], more,
	    memory_order_relaxed);
}

int
batfs_stats_render(struct batfs_stats *stats, struct bat_buf *buf)
{
	size_t before = buf->length;
	int code = BAT_OK;

	for (size_t i = 0; code == BAT_OK && i < BATFS_STAT_COUNT; i++)
		code = bat_bytes_append_format(buf, "%s %" PRIu64 "\n",
		    names[i],
		    (uint64_t)atomic_load_explicit(&stats->counts[i],
			memory_order_relaxed));
	if (code != BAT_OK)
		buf->length = before;
	return code;
}
