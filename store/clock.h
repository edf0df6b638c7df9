/*
 * What time it is, real or as a test tells it. The only source of time in
 * store/ and fs/.
 *
 * Times are microseconds since 1970-01-01T00:00:00Z (wall) and nanoseconds
 * from an arbitrary start (monotonic, for measuring only). Threads: any.
 */
#ifndef BAT_CLOCK_H
#define BAT_CLOCK_H

#include <stdint.h>

struct bat_clock {
	int64_t (*wall_us)(void *context);
	int64_t (*monotonic_ns)(void *context);
	void *context;
};

/* The machine's clocks; static. */
const struct bat_clock *bat_clock_system(void);

/* Wall time, held within 0 and 9223372036854775000: the microseconds of a
 * whole number of milliseconds. */
int64_t bat_clock_wall_us(const struct bat_clock *clock);
int64_t bat_clock_monotonic_ns(const struct bat_clock *clock);

#endif
