/* Threads of our own, while the wall clock jumps. */
#include "suite.h"
#include "thread.h"

#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

enum { SOON_MS = 100, LONG_MS = 20000, HOUR = 3600 };

static atomic_bool may_end;

/* In the place of the C library's: the wall clock is an hour behind the time
 * that the kernel waits by, as after it was set. */
int
clock_gettime(clockid_t clock, struct timespec *out)
{
	long result = syscall(SYS_clock_gettime, clock, out);

	if (clock == CLOCK_REALTIME)
		out->tv_sec -= HOUR;
	return (int)result;
}

static void
sleep_ms(unsigned milliseconds)
{
	usleep(milliseconds * 1000);
}

static void *
end_soon(void *argument)
{
	sleep_ms(SOON_MS);
	return argument;
}

static void *
end_when_told(void *argument)
{
	while (!may_end)
		sleep_ms(1);
	return argument;
}

START_TEST(its_end_is_waited_for_whatever_the_wall_clock_does)
{
	pthread_t thread;

	ck_assert_int_eq(batfs_thread_start(&thread, end_soon, NULL, "soon"),
	    0);
	ck_assert(batfs_thread_join(thread, LONG_MS));
}
END_TEST

START_TEST(a_thread_that_goes_on_is_not_waited_for_longer)
{
	pthread_t thread;

	ck_assert_int_eq(
	    batfs_thread_start(&thread, end_when_told, NULL, "long"), 0);
	ck_assert(!batfs_thread_join(thread, SOON_MS));
	may_end = true;
	ck_assert(batfs_thread_join(thread, LONG_MS));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("thread");
	TCase *tests = tcase_create("thread");

	tcase_add_test(tests,
	    its_end_is_waited_for_whatever_the_wall_clock_does);
	tcase_add_test(tests, a_thread_that_goes_on_is_not_waited_for_longer);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
