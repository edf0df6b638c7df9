/* What a killed process left in the folder of the transparency log. */
#include "suite.h"
#include "tlog.h"

#include <check.h>
#include <fcntl.h>

#include "memory_disk.h"

static struct memory_disk *disk;
static const struct bat_disk *door;
static int root_dir;
static struct bat_tlog tlog;

static void
setup(void)
{
	disk = memory_disk_new(MEMORY_DISK_STRICT, 7);
	door = memory_disk_door(disk);
	root_dir = door->open_dir(door->context, "/", false);
	bat_tlog_init(&tlog);
	ck_assert_int_eq(bat_tlog_create(&tlog, door, root_dir, NULL, 0, NULL),
	    0);
}

static void
teardown(void)
{
	bat_tlog_detach(&tlog);
	door->close(door->context, root_dir);
	memory_disk_free(disk);
}

static void
leave(const char *name)
{
	int fd = door->open_at(door->context, tlog.dir, name,
	    O_WRONLY | O_CREAT | O_EXCL, 0600);

	ck_assert_int_ge(fd, 0);
	door->close(door->context, fd);
}

static bool
is_there(const char *name)
{
	int fd = door->open_at(door->context, tlog.dir, name, O_RDONLY, 0);

	if (fd >= 0)
		door->close(door->context, fd);
	return fd >= 0;
}

static void
open_again(void)
{
	bat_tlog_detach(&tlog);
	ck_assert_int_eq(bat_tlog_open(&tlog, door, root_dir, NULL), 0);
}

START_TEST(who_goes_on_with_the_log_unlinks_what_was_being_replaced)
{
	leave(".tmpAz09bC");
	leave(".tmp000000");
	open_again();
	/* Who only looks changes nothing. */
	ck_assert(is_there(".tmpAz09bC"));
	ck_assert_int_eq(bat_tlog_settle(&tlog, NULL), 0);
	ck_assert(!is_there(".tmpAz09bC"));
	ck_assert(!is_there(".tmp000000"));
}
END_TEST

START_TEST(what_is_not_ours_stays)
{
	static const char *const names[] = { ".tmpAz09b", ".tmpAz09bCd",
		".tmpAz0_bC", "tmpAz09bC", ".TMPAz09bC", "notes", "checkpoint",
		"vkey", "key", "from" };

	for (size_t i = 0; i < 6; i++)
		leave(names[i]);
	open_again();
	ck_assert_int_eq(bat_tlog_settle(&tlog, NULL), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(is_there(names[i]), "%s is gone", names[i]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tlog_leftovers");
	TCase *tests = tcase_create("leftovers");

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests,
	    who_goes_on_with_the_log_unlinks_what_was_being_replaced);
	tcase_add_test(tests, what_is_not_ours_stays);
	return suite_run(suite);
}
