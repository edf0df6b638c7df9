/* What each user holds of a mount. */
#include "shares.h"
#include "suite.h"

#include <errno.h>

#include <check.h>

enum { OWNER = 500, MOUNTER = 600, HE = 501, SHE = 502 };

static struct batfs_shares shares;

static void
setup(void)
{
	batfs_shares_init(&shares, OWNER, MOUNTER);
}

static void
teardown(void)
{
	batfs_shares_free(&shares);
}

static void
open_all(uint32_t uid)
{
	for (unsigned i = 0; i < BATFS_SHARES_FILES; i++)
		ck_assert_int_eq(batfs_shares_open(&shares, uid), 0);
}

START_TEST(who_has_his_share_of_files_gets_no_more)
{
	open_all(HE);
	ck_assert_int_eq(batfs_shares_open(&shares, HE), EMFILE);
	batfs_shares_close(&shares, HE);
	ck_assert_int_eq(batfs_shares_open(&shares, HE), 0);
	ck_assert_int_eq(batfs_shares_open(&shares, HE), EMFILE);
}
END_TEST

START_TEST(one_who_hoards_takes_nothing_from_the_others)
{
	open_all(HE);
	ck_assert(batfs_shares_keep(&shares, HE, 0, BATFS_SHARES_BYTES));
	open_all(SHE);
	ck_assert(batfs_shares_keep(&shares, SHE, 0, BATFS_SHARES_BYTES));
}
END_TEST

START_TEST(root_and_whose_mount_it_is_are_not_counted)
{
	static const uint32_t uids[] = { 0, OWNER, MOUNTER };

	for (size_t i = 0; i < 3; i++) {
		open_all(uids[i]);
		ck_assert_int_eq(batfs_shares_open(&shares, uids[i]), 0);
		ck_assert(batfs_shares_keep(&shares, uids[i], 0, SIZE_MAX));
		batfs_shares_close(&shares, uids[i]);
	}
	ck_assert_uint_eq(shares.count, 0);
	ck_assert_int_eq(batfs_shares_open(NULL, HE), 0);
	ck_assert(batfs_shares_keep(NULL, HE, 0, SIZE_MAX));
	batfs_shares_close(NULL, HE);
}
END_TEST

START_TEST(bytes_count_over_all_files_of_a_user)
{
	ck_assert(batfs_shares_keep(&shares, HE, 0, BATFS_SHARES_BYTES - 1));
	ck_assert(!batfs_shares_keep(&shares, HE, 0, 2));
	ck_assert(batfs_shares_keep(&shares, HE, 0, 1));
	/* A file that keeps more, and one that keeps less. */
	ck_assert(!batfs_shares_keep(&shares, HE, 1, 2));
	ck_assert(batfs_shares_keep(&shares, HE, BATFS_SHARES_BYTES - 1, 10));
	ck_assert(batfs_shares_keep(&shares, HE, 1, 2));
	ck_assert(!batfs_shares_keep(&shares, HE, 2, SIZE_MAX));
}
END_TEST

START_TEST(who_holds_nothing_is_forgotten)
{
	for (uint32_t uid = 1000; uid < 1100; uid++) {
		ck_assert_int_eq(batfs_shares_open(&shares, uid), 0);
		ck_assert(batfs_shares_keep(&shares, uid, 0, 7));
	}
	ck_assert_uint_eq(shares.count, 100);
	for (uint32_t uid = 1000; uid < 1100; uid++) {
		batfs_shares_close(&shares, uid);
		ck_assert(batfs_shares_keep(&shares, uid, 7, 0));
	}
	ck_assert_uint_eq(shares.count, 0);
	/* Nor does one who was refused hold anything. */
	ck_assert(!batfs_shares_keep(&shares, HE, 0, SIZE_MAX));
	ck_assert_uint_eq(shares.count, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("shares");
	TCase *tests = tcase_create("shares");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, who_has_his_share_of_files_gets_no_more);
	tcase_add_test(tests, one_who_hoards_takes_nothing_from_the_others);
	tcase_add_test(tests, root_and_whose_mount_it_is_are_not_counted);
	tcase_add_test(tests, bytes_count_over_all_files_of_a_user);
	tcase_add_test(tests, who_holds_nothing_is_forgotten);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
