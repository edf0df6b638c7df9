/*
 * A clock that goes as a test says: it stands, or moves by a step each time it
 * is asked. Threads: one.
 */
#ifndef TEST_FAKE_CLOCK_H
#define TEST_FAKE_CLOCK_H

#include "clock.h"

struct fake_clock {
	struct bat_clock clock; /* what the code under test gets */
	int64_t wall_us;
	int64_t step_us;
	int64_t monotonic_ns;
};

/* 2026-01-01T00:00:00Z: the first moment of a fake clock. */
#define FAKE_CLOCK_START_US INT64_C(1767225600000000)

static inline int64_t
fake_clock_wall_us(void *context)
{
	struct fake_clock *fake = context;
	int64_t now = fake->wall_us;

	fake->wall_us += fake->step_us;
	return now;
}

static inline int64_t
fake_clock_monotonic_ns(void *context)
{
	struct fake_clock *fake = context;

	return fake->monotonic_ns += 1000;
}

static inline void
fake_clock_init(struct fake_clock *fake, int64_t wall_us, int64_t step_us)
{
	*fake = (struct fake_clock){
		.clock = { fake_clock_wall_us, fake_clock_monotonic_ns, fake },
		.wall_us = wall_us,
		.step_us = step_us,
	};
}

#endif
