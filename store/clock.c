#include "clock.h"

#include <stddef.h>
#include <time.h>

/*
 * The last whole millisecond whose microseconds fit in 63 bits: so that a
 * time survives the way to milliseconds and back.
 */
static const int64_t wall_us_max = INT64_MAX / 1000 * 1000;

/* A time in units of 1 / per_second, held inside 64 bits. */
static int64_t
scale_time(const struct timespec *time, int64_t per_second)
{
	int64_t seconds = (int64_t)time->tv_sec;
	int64_t fraction = time->tv_nsec / (1000000000 / per_second);

	if (seconds >= INT64_MAX / per_second)
		return INT64_MAX;
	if (seconds <= INT64_MIN / per_second)
		return INT64_MIN;
	return seconds * per_second + fraction;
}

static int64_t
system_wall_us(void *context)
{
	struct timespec now = { 0, 0 };

	(void)context;
	clock_gettime(CLOCK_REALTIME, &now);
	return scale_time(&now, 1000000);
}

static int64_t
system_monotonic_ns(void *context)
{
	struct timespec now = { 0, 0 };

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return scale_time(&now, 1000000000);
}

const struct bat_clock *
bat_clock_system(void)
{
	static const struct bat_clock clock = {
		.wall_us = system_wall_us,
		.monotonic_ns = system_monotonic_ns,
		.context = NULL,
	};

	return &clock;
}

int64_t
bat_clock_wall_us(const struct bat_clock *clock)
{
	int64_t now = clock->wall_us(clock->context);

	if (now < 0)
		return 0;
	if (now > wall_us_max)
		return wall_us_max;
	return now;
}

int64_t
bat_clock_monotonic_ns(const struct bat_clock *clock)
{
	return clock->monotonic_ns(clock->context);
}
