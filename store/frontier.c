#include "frontier.h"

#include <string.h>

#include "error.h"
#include "plant.h"

int
bat_frontier_init(struct bat_frontier_log *log, const struct bat_clock *clock)
{
	memset(log, 0, sizeof(*log));
	log->clock = clock;
	return pthread_mutex_init(&log->mutex, NULL) == 0 ? BAT_OK :
							    BAT_WORLD_NO_MEMORY;
}

void
bat_frontier_free(struct bat_frontier_log *log)
{
	pthread_mutex_destroy(&log->mutex);
}

bool
bat_frontier_beyond(struct bat_frontier_point a, struct bat_frontier_point b)
{
	return a.any && (!b.any || a.seq > b.seq);
}

/* The mutex is held. A sync may have left the newest events out: their age is
 * counted from then, which is a little too old rather than too young. */
static void
note_age(struct bat_frontier_log *log)
{
	bool waits = bat_frontier_beyond(log->points[BAT_FRONTIER_WRITTEN],
	    log->points[BAT_FRONTIER_DURABLE]);

	if (!waits)
		log->undurable_since_ns = 0;
	else if (log->undurable_since_ns == 0)
		log->undurable_since_ns = bat_clock_monotonic_ns(log->clock);
}

void
bat_frontier_begin(struct bat_frontier_log *log,
    struct bat_frontier_point visible, struct bat_frontier_point durable)
{
	pthread_mutex_lock(&log->mutex);
	for (unsigned i = 0; i < BAT_FRONTIER_COUNT; i++)
		log->points[i] = visible;
	log->points[BAT_FRONTIER_DURABLE] = durable;
	note_age(log);
	pthread_mutex_unlock(&log->mutex);
}

void
bat_frontier_reach(struct bat_frontier_log *log, enum bat_frontier_which which,
    struct bat_frontier_point point)
{
	pthread_mutex_lock(&log->mutex);
	if (bat_frontier_beyond(point, log->points[which]))
		log->points[which] = point;
	note_age(log);
	pthread_mutex_unlock(&log->mutex);
}

void
bat_frontier_synced(struct bat_frontier_log *log)
{
	pthread_mutex_lock(&log->mutex);
	log->points[BAT_FRONTIER_DURABLE] = log->points[BAT_FRONTIER_WRITTEN];
	note_age(log);
	pthread_mutex_unlock(&log->mutex);
}

void
bat_frontier_take_back(struct bat_frontier_log *log)
{
	pthread_mutex_lock(&log->mutex);
	log->points[BAT_FRONTIER_ACCEPTED] = log->points[BAT_FRONTIER_WRITTEN];
	pthread_mutex_unlock(&log->mutex);
}

struct bat_frontier
bat_frontier_now(struct bat_frontier_log *log)
{
	struct bat_frontier now = { .undurable_ns = 0 };

	pthread_mutex_lock(&log->mutex);
	memcpy(now.points, log->points, sizeof(now.points));
	if (log->undurable_since_ns != 0)
		now.undurable_ns = bat_clock_monotonic_ns(log->clock) -
		    log->undurable_since_ns;
	pthread_mutex_unlock(&log->mutex);
	return now;
}
