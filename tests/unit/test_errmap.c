#include "errmap.h"
#include "suite.h"

#include <check.h>
#include <errno.h>

static const struct {
	int code;
	int expected;
} table[] = {
	{ BAT_OK, 0 },
	{ BAT_USE_INVALID, EINVAL },
	{ BAT_USE_NAME_LENGTH, ENAMETOOLONG },
	{ BAT_USE_TOO_LARGE, EFBIG },
	{ BAT_USE_RESERVED, EACCES },
	{ BAT_USE_READ_ONLY, EROFS },
	{ BAT_WORLD_IO, EIO },
	{ BAT_WORLD_NO_SPACE, ENOSPC },
	{ BAT_WORLD_NO_MEMORY, ENOMEM },
	{ BAT_WORLD_LOCKED, EBUSY },
	{ BAT_WORLD_ABSENT, EIO },
	{ BAT_DATA_TORN, EBADMSG },
	{ BAT_DATA_CORRUPT, EBADMSG },
	{ BAT_STATE_NOT_FOUND, ENOENT },
	{ BAT_STATE_EXISTS, EEXIST },
	{ BAT_STATE_STALE, ESTALE },
	{ BAT_STATE_STOPPED, EIO },
	{ BAT_STATE_DENIED, EACCES },
};
static const int table_count = sizeof(table) / sizeof(table[0]);

START_TEST(each_code_has_the_errno_of_the_design)
{
	ck_assert_int_eq(batfs_errmap_errno(table[_i].code, NULL),
	    table[_i].expected);
}
END_TEST

START_TEST(every_negative_number_is_an_error)
{
	for (int code = -100; code < 0; code++)
		ck_assert_int_gt(batfs_errmap_errno(code, NULL), 0);
}
END_TEST

START_TEST(a_disk_that_became_read_only_is_told)
{
	struct bat_error error;

	bat_error_set_os(&error, EROFS, "cannot write");
	ck_assert_int_eq(batfs_errmap_errno(error.code, &error), EROFS);
	bat_error_set_os(&error, EPERM, "cannot write");
	ck_assert_int_eq(batfs_errmap_errno(error.code, &error), EIO);
	bat_error_set_os(&error, EIO, "cannot write");
	ck_assert_int_eq(batfs_errmap_errno(error.code, &error), EIO);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("errmap");
	TCase *tests = tcase_create("promises");

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, each_code_has_the_errno_of_the_design, 0,
	    table_count);
	tcase_add_test(tests, every_negative_number_is_an_error);
	tcase_add_test(tests, a_disk_that_became_read_only_is_told);
	return suite_run(suite);
}
