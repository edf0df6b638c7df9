#include "mountpoint.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

static char base[64], data[128], mnt[128];
static struct bat_error error;
static bool on_file;

static void
setup(void)
{
	strcpy(base, "/tmp/batfs-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	snprintf(data, sizeof data, "%s/data", base);
	snprintf(mnt, sizeof mnt, "%s/mnt", base);
	ck_assert_int_eq(mkdir(data, 0700), 0);
	ck_assert_int_eq(mkdir(mnt, 0700), 0);
}

static void
teardown(void)
{
	rmdir(mnt);
	rmdir(data);
	rmdir(base);
}

START_TEST(two_directories_beside_each_other_are_fine)
{
	ck_assert_int_eq(batfs_mountpoint_check(data, mnt, &on_file, &error),
	    0);
}
END_TEST

START_TEST(names_that_only_start_alike_are_fine)
{
	char like[160];

	snprintf(like, sizeof like, "%s2", mnt);
	ck_assert_int_eq(batfs_mountpoint_check(like, mnt, &on_file, &error),
	    0);
}
END_TEST

START_TEST(neither_may_be_inside_the_other)
{
	char inner[160];

	ck_assert_int_eq(batfs_mountpoint_check(data, data, &on_file, &error),
	    BAT_USE_INVALID);
	ck_assert_int_eq(batfs_mountpoint_check(data, base, &on_file, &error),
	    BAT_USE_INVALID);
	ck_assert_int_eq(batfs_mountpoint_check(base, mnt, &on_file, &error),
	    BAT_USE_INVALID);
	ck_assert_int_eq(batfs_mountpoint_check(data, "/", &on_file, &error),
	    BAT_USE_INVALID);
	snprintf(inner, sizeof inner, "%s/deep/er", mnt);
	ck_assert_int_eq(batfs_mountpoint_check(inner, mnt, &on_file, &error),
	    BAT_USE_INVALID);
}
END_TEST

START_TEST(links_are_followed_before_comparing)
{
	char link[160], *resolved;

	snprintf(link, sizeof link, "%s/link", base);
	ck_assert_int_eq(symlink("data", link), 0);
	ck_assert_int_eq(batfs_mountpoint_resolve(link, &resolved, &error), 0);
	ck_assert_str_eq(resolved, data);
	free(resolved);
	unlink(link);
}
END_TEST

START_TEST(a_data_directory_may_be_absent_but_not_its_parent)
{
	char path[160], *resolved;

	snprintf(path, sizeof path, "%s/new//", base);
	ck_assert_int_eq(batfs_mountpoint_resolve(path, &resolved, &error), 0);
	path[strlen(path) - 2] = '\0';
	ck_assert_str_eq(resolved, path);
	free(resolved);
	snprintf(path, sizeof path, "%s/no/new", base);
	ck_assert_int_eq(batfs_mountpoint_resolve(path, &resolved, &error),
	    BAT_WORLD_ABSENT);
	ck_assert_int_eq(batfs_mountpoint_resolve("", &resolved, &error),
	    BAT_USE_INVALID);
}
END_TEST

START_TEST(only_what_is_there_is_mounted_on)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof path, "%s/none", base);
	ck_assert_int_eq(batfs_mountpoint_check(data, path, &on_file, &error),
	    BAT_WORLD_ABSENT);
	ck_assert_ptr_nonnull(strstr(error.text, "mkdir"));
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fclose(file);
	ck_assert_int_eq(batfs_mountpoint_check(data, path, &on_file, &error),
	    0);
	ck_assert(on_file);
	unlink(path);
	ck_assert_int_eq(batfs_mountpoint_check(data, base, &on_file, &error),
	    BAT_USE_INVALID);
	ck_assert(!on_file);
	ck_assert_int_eq(batfs_mountpoint_check(data, "/dev/null", &on_file,
			     &error),
	    BAT_USE_INVALID);
}
END_TEST

/* The two paths are easily taken for each other. */
START_TEST(a_store_is_not_mounted_on)
{
	static const char *const names[] = { ".batpak.lock", "000001.fbat" };
	char path[160];
	FILE *file;

	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", mnt, names[i]);
		file = fopen(path, "w");
		ck_assert_ptr_nonnull(file);
		fclose(file);
		ck_assert_int_eq(batfs_mountpoint_check(data, mnt, &on_file,
				     &error),
		    BAT_USE_INVALID);
		ck_assert_ptr_nonnull(strstr(error.text, names[i]));
		unlink(path);
	}
	snprintf(path, sizeof path, "%s/.fbat", mnt);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(batfs_mountpoint_check(data, mnt, &on_file, &error),
	    0);
	rmdir(path);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("mountpoint");
	TCase *tests = tcase_create("mountpoint");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, two_directories_beside_each_other_are_fine);
	tcase_add_test(tests, names_that_only_start_alike_are_fine);
	tcase_add_test(tests, neither_may_be_inside_the_other);
	tcase_add_test(tests, links_are_followed_before_comparing);
	tcase_add_test(tests,
	    a_data_directory_may_be_absent_but_not_its_parent);
	tcase_add_test(tests, only_what_is_there_is_mounted_on);
	tcase_add_test(tests, a_store_is_not_mounted_on);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
