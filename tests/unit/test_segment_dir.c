#include "segment_dir.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faulty_disk.h"
#include "suite.h"
#include "temp_dir.h"

static struct temp_dir temp;
static struct faulty_disk faulty;
static struct bat_segment_dir dir;

static void
set_up(void)
{
	temp_dir_make(&temp);
	faulty_disk_init(&faulty, bat_file_posix());
	ck_assert_int_eq(bat_segment_dir_open(&dir, &faulty.disk, temp.path,
			     false, NULL),
	    0);
}

static void
tear_down(void)
{
	bat_segment_dir_close(&dir);
	temp_dir_remove(&temp);
}

static void
put(const char *name)
{
	temp_dir_write(&temp, name, bat_bytes_text(name));
}

static void
scan(void)
{
	ck_assert_int_eq(bat_segment_dir_scan(&dir, NULL), 0);
}

static char
first_byte(int fd)
{
	char byte = '?';

	ck_assert_int_eq(pread(fd, &byte, 1, 0), 1);
	return byte;
}

START_TEST(an_absent_directory_is_made_only_on_request)
{
	struct bat_segment_dir other;
	char path[300];

	snprintf(path, sizeof(path), "%s/a/b", temp.path);
	ck_assert_int_eq(bat_segment_dir_open(&other, &faulty.disk, path, false,
			     NULL),
	    BAT_WORLD_ABSENT);
	ck_assert_int_eq(
	    bat_segment_dir_open(&other, &faulty.disk, path, true, NULL), 0);
	bat_segment_dir_close(&other);
	ck_assert(temp_dir_has(&temp, "a/b"));
}
END_TEST

START_TEST(segments_ascend_by_number_and_not_by_name)
{
	put("1000000.fbat");
	put("000010.fbat");
	put("999999.fbat");
	put("000002.fbat");
	scan();
	ck_assert_uint_eq(dir.count, 4);
	ck_assert_uint_eq(dir.segments[0].id, 2);
	ck_assert_uint_eq(dir.segments[1].id, 10);
	ck_assert_uint_eq(dir.segments[2].id, 999999);
	ck_assert_uint_eq(dir.segments[3].id, 1000000);
	ck_assert_uint_eq(dir.segments[1].stat.size, strlen("000010.fbat"));
	ck_assert_ptr_eq(bat_segment_dir_find(&dir, 10), &dir.segments[1]);
	ck_assert_ptr_null(bat_segment_dir_find(&dir, 3));
	ck_assert(!dir.has_other);
}
END_TEST

START_TEST(names_are_told_apart)
{
	put("1.fbat");
	put("x.fbat");
	put("visibility_ranges.fbv");
	put("index.ckpt");
	put(".tmpAbCdEf");
	put("cursors");
	scan();
	ck_assert_uint_eq(dir.count, 0);
	ck_assert_uint_eq(dir.malformed_count, 2);
	ck_assert(dir.has_hidden && dir.has_checkpoint);
	ck_assert(!dir.has_rowindex && !dir.has_lock && !dir.has_marker);
	ck_assert(!dir.has_compact_src && !dir.has_other);
	put("index.fbati");
	put(".batpak.lock");
	put(".fbat");
	scan();
	ck_assert(dir.has_rowindex && dir.has_lock && dir.has_other);
	ck_assert_uint_eq(dir.malformed_count, 2);
	temp_dir_unlink(&temp, "index.fbati");
	scan();
	ck_assert(!dir.has_rowindex);
}
END_TEST

START_TEST(a_compaction_source_stands_in_while_the_marker_says_so)
{
	put("000001.fbat.compact-src");
	put("000002.fbat");
	scan();
	ck_assert(dir.has_compact_src);
	ck_assert_uint_eq(dir.compact_src_id, 1);
	ck_assert_uint_eq(dir.count, 1);
	put("compaction.pending.json");
	scan();
	ck_assert_uint_eq(dir.count, 2);
	ck_assert_uint_eq(dir.segments[0].id, 1);
	ck_assert_str_eq(dir.segments[0].name, "000001.fbat.compact-src");
	put("000001.fbat");
	scan();
	ck_assert_uint_eq(dir.count, 2);
	ck_assert_str_eq(dir.segments[0].name, "000001.fbat");
}
END_TEST

START_TEST(a_segment_that_is_no_regular_file_is_refused)
{
	struct bat_error error = { 0 };
	char path[300];

	put("000001.fbat");
	scan();
	snprintf(path, sizeof(path), "%s/000002.fbat", temp.path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(bat_segment_dir_scan(&dir, &error), BAT_DATA_REFUSED);
	ck_assert_ptr_nonnull(strstr(error.text, "000002.fbat"));
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(symlink("000001.fbat", path), 0);
	ck_assert_int_eq(bat_segment_dir_scan(&dir, NULL), BAT_DATA_REFUSED);
	/* The list is as it was. */
	ck_assert_uint_eq(dir.count, 1);
}
END_TEST

START_TEST(a_failed_listing_says_so_and_changes_nothing)
{
	put("000001.fbat");
	scan();
	faulty_disk_fail(&faulty, FAULTY_LIST, 1, EIO, false);
	ck_assert_int_eq(bat_segment_dir_scan(&dir, NULL), BAT_WORLD_IO);
	/* An errno that is the number of one of our codes. */
	faulty_disk_fail(&faulty, FAULTY_LIST, 1, ENOENT, false);
	ck_assert_int_eq(bat_segment_dir_scan(&dir, NULL), BAT_WORLD_ABSENT);
	faulty_disk_fail(&faulty, FAULTY_STAT, 1, EACCES, false);
	ck_assert_int_eq(bat_segment_dir_scan(&dir, NULL), BAT_WORLD_IO);
	ck_assert_uint_eq(dir.count, 1);
	scan();
	ck_assert_uint_eq(dir.count, 1);
}
END_TEST

START_TEST(the_lock_is_for_one)
{
	struct bat_segment_dir other;

	ck_assert_int_eq(bat_segment_dir_lock(&dir, NULL), 0);
	ck_assert_int_eq(bat_segment_dir_lock(&dir, NULL), 0);
	ck_assert(temp_dir_has(&temp, ".batpak.lock"));
	ck_assert_int_eq(bat_segment_dir_open(&other, bat_file_posix(),
			     temp.path, false, NULL),
	    0);
	ck_assert_int_eq(bat_segment_dir_lock(&other, NULL), BAT_WORLD_LOCKED);
	bat_segment_dir_close(&dir);
	ck_assert_int_eq(bat_segment_dir_lock(&other, NULL), 0);
	bat_segment_dir_close(&other);
	/* It is never deleted. */
	ck_assert(temp_dir_has(&temp, ".batpak.lock"));
}
END_TEST

START_TEST(a_lock_that_is_a_link_is_not_followed)
{
	char path[300];

	put("elsewhere");
	snprintf(path, sizeof(path), "%s/.batpak.lock", temp.path);
	ck_assert_int_eq(symlink("elsewhere", path), 0);
	ck_assert_int_eq(bat_segment_dir_lock(&dir, NULL), BAT_WORLD_IO);
}
END_TEST

START_TEST(a_held_descriptor_is_shared_and_kept)
{
	int a = -1, b = -1;

	put("000001.fbat");
	scan();
	ck_assert_int_eq(bat_segment_dir_hold(&dir, 1, &a, NULL), 0);
	ck_assert_int_eq(bat_segment_dir_hold(&dir, 1, &b, NULL), 0);
	ck_assert_int_eq(a, b);
	bat_segment_dir_release(&dir, 1);
	bat_segment_dir_release(&dir, 1);
	ck_assert_int_eq(bat_segment_dir_hold(&dir, 1, &b, NULL), 0);
	ck_assert_int_eq(a, b);
	ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_OPEN), 1);
	bat_segment_dir_release(&dir, 1);
	ck_assert_int_eq(bat_segment_dir_hold(&dir, 2, &b, NULL),
	    BAT_WORLD_ABSENT);
}
END_TEST

START_TEST(a_held_descriptor_survives_unlink_and_scan)
{
	int old = -1, fresh = -1;

	put("000001.fbat");
	scan();
	ck_assert_int_eq(bat_segment_dir_hold(&dir, 1, &old, NULL), 0);
	temp_dir_unlink(&temp, "000001.fbat");
	scan();
	ck_assert_uint_eq(dir.count, 0);
	ck_assert_int_eq(first_byte(old), '0');
	bat_segment_dir_release(&dir, 1);
	ck_assert_int_eq(fcntl(old, F_GETFD), -1);

	/* And when another file takes the name. */
	put("000001.fbat");
	scan();
	ck_assert_int_eq(bat_segment_dir_hold(&dir, 1, &old, NULL), 0);
	temp_dir_write(&temp, "next", bat_bytes_text("X"));
	ck_assert_int_eq(renameat(dir.dir, "next", dir.dir, "000001.fbat"), 0);
	scan();
	ck_assert_int_eq(bat_segment_dir_hold(&dir, 1, &fresh, NULL), 0);
	ck_assert_int_ne(old, fresh);
	ck_assert_int_eq(first_byte(old), '0');
	ck_assert_int_eq(first_byte(fresh), 'X');
	bat_segment_dir_release(&dir, 1);
	ck_assert_int_eq(first_byte(old), '0');
	ck_assert_int_eq(first_byte(fresh), 'X');
	bat_segment_dir_release(&dir, 1);
	ck_assert_int_eq(fcntl(old, F_GETFD), -1);
}
END_TEST

START_TEST(holds_are_counted_across_every_kind_of_change)
{
	int fds[3];

	/* Held, replaced, held again, gone, back again: three files, and each
	 * readable until the last release. */
	for (int i = 0; i < 3; i++) {
		char content[2] = { (char)('a' + i), '\0' };

		temp_dir_write(&temp, "next", bat_bytes_text(content));
		ck_assert_int_eq(
		    renameat(dir.dir, "next", dir.dir, "000001.fbat"), 0);
		scan();
		ck_assert_int_eq(bat_segment_dir_hold(&dir, 1, &fds[i], NULL),
		    0);
		if (i == 1) {
			temp_dir_unlink(&temp, "000001.fbat");
			scan();
			scan();
		}
	}
	for (int held = 3; held > 0; held--) {
		for (int i = 0; i < 3; i++)
			ck_assert_int_eq(first_byte(fds[i]), 'a' + i);
		bat_segment_dir_release(&dir, 1);
	}
	ck_assert_int_eq(fcntl(fds[0], F_GETFD), -1);
	ck_assert_int_eq(fcntl(fds[1], F_GETFD), -1);
	/* The last one is the list's own now, open and idle. */
	ck_assert_int_eq(first_byte(fds[2]), 'c');
}
END_TEST

static unsigned
open_count(void)
{
	unsigned count = 0;

	for (size_t i = 0; i < dir.count; i++)
		count += dir.segments[i].fd >= 0;
	return count;
}

START_TEST(only_so_many_unheld_ones_stay_open)
{
	int fd;

	for (unsigned i = 1; i <= 100; i++) {
		char name[BAT_SEGMENT_NAME_SIZE];

		bat_segment_name(i, name);
		put(name);
	}
	scan();
	for (unsigned i = 1; i <= 100; i++)
		ck_assert_int_eq(bat_segment_dir_hold(&dir, i, &fd, NULL), 0);
	ck_assert_uint_eq(open_count(), 100);
	for (unsigned i = 1; i <= 100; i++)
		bat_segment_dir_release(&dir, i);
	ck_assert_uint_eq(open_count(), 64);
	for (unsigned i = 1; i <= 100; i++) {
		ck_assert_int_eq(bat_segment_dir_hold(&dir, i, &fd, NULL), 0);
		ck_assert_int_eq(first_byte(fd), '0');
		bat_segment_dir_release(&dir, i);
	}
	ck_assert_uint_eq(open_count(), 64);
	scan();
	ck_assert_uint_eq(open_count(), 64);
}
END_TEST

START_TEST(an_added_segment_can_be_held)
{
	int fd;

	put("000001.fbat");
	scan();
	put("000005.fbat");
	ck_assert_int_eq(bat_segment_dir_add(&dir, 5, NULL), 0);
	ck_assert_uint_eq(dir.count, 2);
	ck_assert_int_eq(bat_segment_dir_hold(&dir, 5, &fd, NULL), 0);
	bat_segment_dir_release(&dir, 5);
	ck_assert_int_eq(bat_segment_dir_add(&dir, 6, NULL), BAT_WORLD_ABSENT);
	ck_assert_uint_eq(dir.count, 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("segment_dir");
	TCase *tcase = tcase_create("segment_dir");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, an_absent_directory_is_made_only_on_request);
	tcase_add_test(tcase, segments_ascend_by_number_and_not_by_name);
	tcase_add_test(tcase, names_are_told_apart);
	tcase_add_test(tcase,
	    a_compaction_source_stands_in_while_the_marker_says_so);
	tcase_add_test(tcase, a_segment_that_is_no_regular_file_is_refused);
	tcase_add_test(tcase, a_failed_listing_says_so_and_changes_nothing);
	tcase_add_test(tcase, the_lock_is_for_one);
	tcase_add_test(tcase, a_lock_that_is_a_link_is_not_followed);
	tcase_add_test(tcase, a_held_descriptor_is_shared_and_kept);
	tcase_add_test(tcase, a_held_descriptor_survives_unlink_and_scan);
	tcase_add_test(tcase, holds_are_counted_across_every_kind_of_change);
	tcase_add_test(tcase, only_so_many_unheld_ones_stay_open);
	tcase_add_test(tcase, an_added_segment_can_be_held);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
