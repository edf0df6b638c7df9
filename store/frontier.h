/*
 * How far the log has come, in five senses, and since when something waits for
 * the disk. The writer says each step of a group here, and whoever asks gets
 * all points as of one moment, also while a sync is under way.
 *
 * Invariants: accepted >= written >= durable, written >= visible >= emitted, as
 * sequences. With BAT_DURABLE_EACH durable >= visible; with BAT_DURABLE_FSYNC
 * durable lags behind until a sync.
 *
 * Threads: any; one mutex, a leaf.
 */
#ifndef BAT_FRONTIER_H
#define BAT_FRONTIER_H

#include "clock.h"
#include "id.h"

#include <pthread.h>
#include <stdbool.h>

enum bat_frontier_which {
	BAT_FRONTIER_ACCEPTED, /* has its place in the log */
	BAT_FRONTIER_WRITTEN,  /* its frame was handed to the system */
	BAT_FRONTIER_DURABLE,  /* a sync behind it came back */
	BAT_FRONTIER_VISIBLE,  /* readers see it */
	BAT_FRONTIER_EMITTED,  /* who submitted it was answered */
	BAT_FRONTIER_COUNT
};

/* The last event that has got there. */
struct bat_frontier_point {
	bool any; /* false: none has */
	uint64_t seq, wall_ms;
	struct bat_id id;
};

struct bat_frontier {
	struct bat_frontier_point points[BAT_FRONTIER_COUNT];
	/* How long the oldest event that is not durable has been written. */
	int64_t undurable_ns;
};

struct bat_frontier_log {
	pthread_mutex_t mutex;
	const struct bat_clock *clock;
	struct bat_frontier_point
	    points[BAT_FRONTIER_COUNT]; /* guarded by it */
	int64_t undurable_since_ns; /* likewise, monotonic; 0: all is durable */
};

/* 0 or BAT_WORLD_NO_MEMORY. Nothing has happened yet. */
int bat_frontier_init(struct bat_frontier_log *log,
    const struct bat_clock *clock);
void bat_frontier_free(struct bat_frontier_log *log);
/* A view begins: all of it is there, of which `durable` is on the disk. */
void bat_frontier_begin(struct bat_frontier_log *log,
    struct bat_frontier_point visible, struct bat_frontier_point durable);
/* These events have got there, up to this one. */
void bat_frontier_reach(struct bat_frontier_log *log,
    enum bat_frontier_which which, struct bat_frontier_point point);
/* A sync came back: what was written before it began is durable. */
void bat_frontier_synced(struct bat_frontier_log *log);
/* What was accepted and not written will not be: its numbers are given again. */
void bat_frontier_take_back(struct bat_frontier_log *log);
struct bat_frontier bat_frontier_now(struct bat_frontier_log *log);
/* Is a further than b? */
bool bat_frontier_beyond(struct bat_frontier_point a,
    struct bat_frontier_point b);

#endif
