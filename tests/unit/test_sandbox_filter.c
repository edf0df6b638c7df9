#include "sandbox_internal.h"

#include <check.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers that no kernel has: what a filter does not answer is ENOSYS. Each
 * test has its own, for a filter stays. */
#define NOBODY 5000
#define REFUSED 71

static const struct batfs_sandbox_argument any = { 0, 0, 0 };
static struct batfs_sandbox_filter filter;

static void
begin(void)
{
	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	batfs_sandbox_filter_begin(&filter);
}

static void
refuse(long number, const struct batfs_sandbox_argument *argument,
    unsigned with)
{
	batfs_sandbox_filter_add(&filter, number, argument,
	    SECCOMP_RET_ERRNO | with);
}

static void
load(void)
{
	ck_assert_int_eq(batfs_sandbox_filter_load(&filter, SECCOMP_RET_ALLOW),
	    0);
}

static int
answer(long number, unsigned index, uint64_t value)
{
	uint64_t words[6] = { 0 };

	words[index] = value;
	errno = 0;
	ck_assert_int_eq(syscall(number, words[0], words[1], words[2], words[3],
			     words[4], words[5]),
	    -1);
	return errno;
}

START_TEST(a_row_answers_for_its_number_and_no_other)
{
	long number = NOBODY + 1;

	begin();
	refuse(number, &any, REFUSED);
	load();
	ck_assert_int_eq(answer(number, 0, 7), REFUSED);
	ck_assert_int_eq(answer(number - 1, 0, 7), ENOSYS);
	ck_assert_int_eq(answer(number + 1, 0, 7), ENOSYS);
}
END_TEST

START_TEST(an_argument_has_to_be_what_the_row_says)
{
	const uint64_t wanted = 0x1234567800010020;
	long number = NOBODY + 10 + _i;
	struct batfs_sandbox_argument whole = { (unsigned)_i, UINT64_MAX,
		wanted };

	begin();
	refuse(number, &whole, REFUSED);
	load();
	ck_assert_int_eq(answer(number, whole.index, wanted), REFUSED);
	for (unsigned bit = 0; bit < 64; bit++)
		ck_assert_int_eq(answer(number, whole.index,
				     wanted ^ UINT64_C(1) << bit),
		    ENOSYS);
	ck_assert_int_eq(answer(number, (whole.index + 1) % 6, wanted), ENOSYS);
}
END_TEST

START_TEST(bits_outside_of_the_mask_are_not_looked_at)
{
	const uint64_t mask = 0x00000000ff0000ff, wanted = 0x21000043;
	const struct batfs_sandbox_argument part = { 2, mask, wanted };
	long number = NOBODY + 20;

	begin();
	refuse(number, &part, REFUSED);
	load();
	for (unsigned bit = 0; bit < 64; bit++)
		ck_assert_int_eq(answer(number, 2, wanted ^ UINT64_C(1) << bit),
		    (mask >> bit & 1) != 0 ? ENOSYS : REFUSED);
}
END_TEST

START_TEST(the_first_row_that_fits_answers_also_behind_one_that_does_not)
{
	const struct batfs_sandbox_argument one = { 1, UINT32_MAX, 1 },
					    two = { 1, UINT64_MAX, 2 };
	long number = NOBODY + 30;

	begin();
	refuse(number, &one, REFUSED);
	refuse(number, &two, REFUSED + 1);
	refuse(number, &any, REFUSED + 2);
	refuse(number + 1, &any, REFUSED + 3);
	load();
	ck_assert_int_eq(answer(number, 1, 1), REFUSED);
	ck_assert_int_eq(answer(number, 1, 2), REFUSED + 1);
	ck_assert_int_eq(answer(number, 1, 3), REFUSED + 2);
	ck_assert_int_eq(answer(number + 1, 1, 1), REFUSED + 3);
	ck_assert_int_eq(answer(number + 2, 1, 1), ENOSYS);
}
END_TEST

START_TEST(more_rows_than_there_is_room_for_are_refused)
{
	long number = NOBODY + 40;

	begin();
	for (int i = 0; i < BATFS_SANDBOX_STEPS; i++)
		refuse(number, &any, REFUSED);
	ck_assert_int_eq(batfs_sandbox_filter_load(&filter, SECCOMP_RET_ALLOW),
	    ENOMEM);
	ck_assert_int_eq(answer(number, 0, 0), ENOSYS);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sandbox_filter");
	TCase *tests = tcase_create("filter");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, a_row_answers_for_its_number_and_no_other);
	tcase_add_loop_test(tests, an_argument_has_to_be_what_the_row_says, 0,
	    6);
	tcase_add_test(tests, bits_outside_of_the_mask_are_not_looked_at);
	tcase_add_test(tests,
	    the_first_row_that_fits_answers_also_behind_one_that_does_not);
	tcase_add_test(tests, more_rows_than_there_is_room_for_are_refused);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
