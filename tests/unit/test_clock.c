#include "clock.h"
#include "suite.h"

#include <check.h>
#include <time.h>

static int64_t
told_time(void *context)
{
	return *(const int64_t *)context;
}

START_TEST(wall_time_is_held_within_whole_milliseconds)
{
	static const struct {
		int64_t told;
		int64_t shown;
	} cases[] = {
		{ INT64_MIN, 0 },
		{ -1, 0 },
		{ 0, 0 },
		{ 1700000000000001, 1700000000000001 },
		{ INT64_C(9223372036854775000), INT64_C(9223372036854775000) },
		{ INT64_C(9223372036854775001), INT64_C(9223372036854775000) },
		{ INT64_MAX, INT64_C(9223372036854775000) },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t told = cases[i].told;
		struct bat_clock clock = { told_time, told_time, &told };

		ck_assert_int_eq(bat_clock_wall_us(&clock), cases[i].shown);
		ck_assert_int_eq(bat_clock_monotonic_ns(&clock), told);
	}
}
END_TEST

START_TEST(the_system_clock_agrees_with_the_machine)
{
	const struct bat_clock *clock = bat_clock_system();
	int64_t before = (int64_t)time(NULL) - 1;
	int64_t wall = bat_clock_wall_us(clock);
	int64_t after = (int64_t)time(NULL) + 2;

	ck_assert_int_ge(wall, before * 1000000);
	ck_assert_int_le(wall, after * 1000000);
}
END_TEST

START_TEST(monotonic_time_counts_nanoseconds)
{
	const struct bat_clock *clock = bat_clock_system();
	const struct timespec pause = { 0, 5000000 };
	int64_t start = bat_clock_monotonic_ns(clock);

	ck_assert_int_eq(nanosleep(&pause, NULL), 0);
	ck_assert_int_ge(bat_clock_monotonic_ns(clock) - start, 5000000);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("clock");
	TCase *promises = tcase_create("promises");

	suite_add_tcase(suite, promises);
	tcase_add_test(promises, wall_time_is_held_within_whole_milliseconds);
	tcase_add_test(promises, the_system_clock_agrees_with_the_machine);
	tcase_add_test(promises, monotonic_time_counts_nanoseconds);
	return suite_run(suite);
}
