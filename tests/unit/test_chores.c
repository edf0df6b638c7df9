#include "chores.h"
#include "suite.h"

#include <stdatomic.h>
#include <time.h>

#include <check.h>

#define CHORES 100

static atomic_int done[CHORES], done_count, ticks;
static struct batfs_chore chores[CHORES];

static void
tick(void *context)
{
	(void)context;
	atomic_fetch_add(&ticks, 1);
}

static void
note(void *context)
{
	int place = atomic_fetch_add(&done_count, 1);
	const struct batfs_chore *chore = context;

	atomic_store(&done[place], (int)(chore - chores));
}

static void
sleep_ms(long ms)
{
	struct timespec time = { .tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

START_TEST(chores_are_done_in_order_and_all_before_the_end)
{
	struct batfs_chores *thread;

	ck_assert_int_eq(batfs_chores_start(0, tick, NULL, &thread), 0);
	for (int i = 0; i < CHORES; i++) {
		chores[i] = (struct batfs_chore){ .run = note,
			.context = &chores[i] };
		batfs_chores_add(thread, &chores[i]);
	}
	batfs_chores_stop(thread);
	ck_assert_int_eq(atomic_load(&done_count), CHORES);
	for (int i = 0; i < CHORES; i++)
		ck_assert_int_eq(atomic_load(&done[i]), i);
	ck_assert_int_eq(atomic_load(&ticks), 0);
}
END_TEST

START_TEST(the_timer_ticks_also_when_nothing_is_to_be_done)
{
	struct batfs_chores *thread;

	ck_assert_int_eq(batfs_chores_start(1, tick, NULL, &thread), 0);
	for (int i = 0; i < 100 && atomic_load(&ticks) == 0; i++)
		sleep_ms(50);
	batfs_chores_stop(thread);
	ck_assert_int_gt(atomic_load(&ticks), 0);
}
END_TEST

START_TEST(stopping_does_not_wait_for_the_timer)
{
	struct batfs_chores *thread;
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	ck_assert_int_eq(batfs_chores_start(3600, tick, NULL, &thread), 0);
	batfs_chores_stop(thread);
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_int_lt(after.tv_sec - before.tv_sec, 60);
	ck_assert_int_eq(atomic_load(&ticks), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("chores");
	TCase *tests = tcase_create("chores");

	tcase_add_test(tests, chores_are_done_in_order_and_all_before_the_end);
	tcase_add_test(tests, the_timer_ticks_also_when_nothing_is_to_be_done);
	tcase_add_test(tests, stopping_does_not_wait_for_the_timer);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
