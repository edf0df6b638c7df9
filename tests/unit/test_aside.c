/*
 * What is taken out of a directory is kept beside it, whatever another process
 * left there, and is on disk when the caller goes on.
 */
#include "aside.h"

#include <check.h>

#include "memory_disk.h"
#include "suite.h"

#define TAIL "what stood behind the last frame"

static struct memory_disk *disk;
static const struct bat_disk *door;
static struct bat_segment_dir dir;

static void
use(struct memory_disk *other)
{
	disk = other;
	door = memory_disk_door(disk);
	ck_assert_int_eq(bat_segment_dir_open(&dir, door, "/", false, NULL), 0);
}

static void
setup(void)
{
	use(memory_disk_new(MEMORY_DISK_STRICT, 5));
}

static void
teardown(void)
{
	bat_segment_dir_close(&dir);
	memory_disk_free(disk);
}

static int
keep(const char *text)
{
	return bat_aside_keep(&dir, "000001-70", bat_bytes_text(text), NULL);
}

static void
ck_kept(const char *name, const char *text)
{
	struct bat_buf kept = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_aside_read(&dir, name, &kept, NULL), 0);
	ck_assert(
	    bat_bytes_equal(bat_bytes_of_buf(&kept), bat_bytes_text(text)));
	bat_bytes_free(&kept);
}

/* The power goes, and nothing that is pending was written. */
static void
lose_what_is_pending(void)
{
	struct memory_disk_fate none[64] = { { MEMORY_DISK_NOT, 0, 0 } };
	struct memory_disk *before = disk;

	ck_assert_uint_le(memory_disk_pending_count(before), 64);
	bat_segment_dir_close(&dir);
	use(memory_disk_crash(before, none));
	memory_disk_free(before);
}

START_TEST(what_is_kept_is_on_disk)
{
	ck_assert_int_eq(keep(TAIL), 0);
	lose_what_is_pending();
	ck_kept("000001-70", TAIL);
}
END_TEST

/* A process was killed between making a folder and syncing its name. Who goes
 * on there must not rely on it. */
START_TEST(a_folder_that_a_killed_process_left_is_on_disk_before_it_counts)
{
	int side;

	ck_assert_int_eq(
	    door->mkdir_at(door->context, dir.dir, BAT_ASIDE_SIDE, 0700), 0);
	if (_i > 0) {
		side = door->open_dir_at(door->context, dir.dir,
		    BAT_ASIDE_SIDE);
		ck_assert_int_eq(door->mkdir_at(door->context, side,
				     BAT_ASIDE_CUT, 0700),
		    0);
		door->close(door->context, side);
	}
	ck_assert_int_eq(keep(TAIL), 0);
	lose_what_is_pending();
	ck_kept("000001-70", TAIL);
}
END_TEST

START_TEST(nothing_kept_is_written_over_and_nothing_is_kept_twice)
{
	struct bat_buf other = BAT_BUF_EMPTY;

	ck_assert_int_eq(keep(TAIL), 0);
	ck_assert_int_eq(keep("another tail"), 0);
	ck_assert_int_eq(keep(TAIL), 0);
	ck_assert_int_eq(keep("another tail"), 0);
	ck_kept("000001-70", TAIL);
	ck_kept("000001-70.1", "another tail");
	ck_assert_int_eq(bat_aside_read(&dir, "000001-70.2", &other, NULL),
	    BAT_WORLD_ABSENT);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("aside");
	TCase *tests = tcase_create("promises");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, what_is_kept_is_on_disk);
	tcase_add_loop_test(tests,
	    a_folder_that_a_killed_process_left_is_on_disk_before_it_counts, 0,
	    2);
	tcase_add_test(tests,
	    nothing_kept_is_written_over_and_nothing_is_kept_twice);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
