#include "file.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faulty_disk.h"
#include "suite.h"
#include "temp_dir.h"

static struct temp_dir temp;
static struct faulty_disk faulty;
static const struct bat_disk *disk;
static int dir = -1;

static void
set_up(void)
{
	temp_dir_make(&temp);
	faulty_disk_init(&faulty, bat_file_posix());
	disk = &faulty.disk;
	ck_assert_int_eq(bat_file_open_dir(disk, temp.path, false, &dir, NULL),
	    0);
}

static void
tear_down(void)
{
	bat_file_close(disk, dir);
	temp_dir_remove(&temp);
}

static void
assert_content(const char *name, const char *expected)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	temp_dir_read(&temp, name, &buf);
	ck_assert(
	    bat_bytes_equal(bat_bytes_of_buf(&buf), bat_bytes_text(expected)));
	bat_bytes_free(&buf);
}

static int
put(const char *name, const char *content, bool replace,
    struct bat_error *error)
{
	return bat_file_put_whole(disk, dir, name, bat_bytes_text(content),
	    replace, error);
}

START_TEST(a_missing_directory_is_absent_or_made_with_its_parents)
{
	struct bat_error error;
	char path[300];
	int fd = -1;

	snprintf(path, sizeof(path), "%s/a//b/c/", temp.path);
	ck_assert_int_eq(bat_file_open_dir(disk, path, false, &fd, &error),
	    BAT_WORLD_ABSENT);
	ck_assert_int_eq(error.os_errno, ENOENT);
	ck_assert_ptr_nonnull(strstr(error.text, path));
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(bat_file_open_dir(disk, path, true, &fd, &error), 0);
	bat_file_close(disk, fd);
	ck_assert_int_eq(bat_file_open_dir(disk, path, true, &fd, &error), 0);
	bat_file_close(disk, fd);
	ck_assert_int_eq(bat_file_open_dir(disk, "", true, &fd, NULL),
	    BAT_WORLD_ABSENT);
}
END_TEST

START_TEST(a_file_in_place_of_a_directory_is_refused)
{
	char path[300];
	int fd = -1;

	temp_dir_write(&temp, "file", bat_bytes_text("x"));
	snprintf(path, sizeof(path), "%s/file", temp.path);
	ck_assert_int_eq(bat_file_open_dir(disk, path, true, &fd, NULL),
	    BAT_DATA_REFUSED);
	snprintf(path, sizeof(path), "%s/file/below", temp.path);
	ck_assert_int_eq(bat_file_open_dir(disk, path, true, &fd, NULL),
	    BAT_DATA_REFUSED);
}
END_TEST

START_TEST(only_regular_files_are_opened)
{
	struct bat_error error;
	int fd = -1;

	temp_dir_write(&temp, "file", bat_bytes_text("x"));
	ck_assert_int_eq(symlinkat("file", dir, "link"), 0);
	ck_assert_int_eq(mkfifoat(dir, "pipe", 0600), 0);
	ck_assert_int_eq(mkdirat(dir, "folder", 0700), 0);
	ck_assert_int_eq(bat_file_open_read(disk, dir, "file", &fd, &error), 0);
	bat_file_close(disk, fd);
	fd = -1;
	ck_assert_int_eq(bat_file_open_read(disk, dir, "link", &fd, &error),
	    BAT_DATA_REFUSED);
	ck_assert_int_eq(bat_file_open_read(disk, dir, "pipe", &fd, &error),
	    BAT_DATA_REFUSED);
	ck_assert_int_eq(bat_file_open_read(disk, dir, "folder", &fd, &error),
	    BAT_DATA_REFUSED);
	ck_assert_int_eq(bat_file_open_read(disk, dir, "none", &fd, &error),
	    BAT_WORLD_ABSENT);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_lt(disk->open_dir_at(disk->context, dir, "link"), 0);
}
END_TEST

START_TEST(short_and_interrupted_transfers_are_finished)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	faulty_disk_shorten(&faulty, FAULTY_WRITE, 1, 3);
	faulty_disk_fail(&faulty, FAULTY_WRITE, 2, EINTR, false);
	faulty_disk_shorten(&faulty, FAULTY_WRITE, 3, 1);
	faulty_disk_fail(&faulty, FAULTY_SYNC, 1, EINTR, false);
	faulty_disk_fail(&faulty, FAULTY_RENAME, 1, EINTR, false);
	ck_assert_int_eq(put("file", "0123456789", true, NULL), 0);
	ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_WRITE), 4);
	assert_content("file", "0123456789");

	faulty_disk_reset(&faulty);
	faulty_disk_shorten(&faulty, FAULTY_READ, 1, 4);
	faulty_disk_fail(&faulty, FAULTY_READ, 2, EINTR, false);
	faulty_disk_fail(&faulty, FAULTY_OPEN, 1, EINTR, false);
	faulty_disk_fail(&faulty, FAULTY_STAT, 1, EINTR, false);
	ck_assert_int_eq(bat_bytes_append_text(&buf, ">"), 0);
	ck_assert_int_eq(bat_file_read_whole(disk, dir, "file", 10, &buf, NULL),
	    0);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&buf),
	    bat_bytes_text(">0123456789")));
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(a_disk_that_writes_nothing_is_an_error_and_no_endless_loop)
{
	int fd = disk->open_at(disk->context, dir, "file", O_RDWR | O_CREAT,
	    0600);

	ck_assert_int_ge(fd, 0);
	faulty_disk_shorten(&faulty, FAULTY_WRITE, 1, 0);
	ck_assert_int_eq(bat_file_write(disk, fd, "x", 1, 0, NULL),
	    BAT_WORLD_IO);
	bat_file_close(disk, fd);
}
END_TEST

START_TEST(reading_stops_at_the_end_of_the_file_only)
{
	char bytes[16];
	size_t got = 99;
	uint64_t size = 0;
	int fd = -1;

	temp_dir_write(&temp, "file", bat_bytes_text("0123456789"));
	ck_assert_int_eq(bat_file_open_read(disk, dir, "file", &fd, NULL), 0);
	ck_assert_int_eq(bat_file_size(disk, fd, &size, NULL), 0);
	ck_assert_uint_eq(size, 10);
	ck_assert_int_eq(
	    bat_file_read(disk, fd, bytes, sizeof(bytes), 6, &got, NULL), 0);
	ck_assert_uint_eq(got, 4);
	ck_assert_mem_eq(bytes, "6789", 4);
	ck_assert_int_eq(
	    bat_file_read(disk, fd, bytes, sizeof(bytes), 10, &got, NULL), 0);
	ck_assert_uint_eq(got, 0);
	ck_assert_int_eq(bat_file_read(disk, fd, bytes, 1, UINT64_MAX, &got,
			     NULL),
	    BAT_WORLD_IO);
	ck_assert_int_eq(bat_file_write(disk, fd, "x", 1, UINT64_MAX, NULL),
	    BAT_WORLD_NO_SPACE);
	bat_file_close(disk, fd);
}
END_TEST

START_TEST(a_file_above_the_limit_is_not_read)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	temp_dir_write(&temp, "file", bat_bytes_text("0123456789"));
	ck_assert_int_eq(bat_file_read_whole(disk, dir, "file", 9, &buf, NULL),
	    BAT_USE_TOO_LARGE);
	ck_assert_ptr_null(buf.data);
	ck_assert_int_eq(bat_file_read_whole(disk, dir, "none", 9, &buf, NULL),
	    BAT_WORLD_ABSENT);
	temp_dir_write(&temp, "empty", bat_bytes_text(""));
	ck_assert_int_eq(bat_file_read_whole(disk, dir, "empty", 0, &buf, NULL),
	    0);
	ck_assert_uint_eq(buf.length, 0);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(a_failed_read_leaves_the_buffer_as_it_was)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_error error;

	temp_dir_write(&temp, "file", bat_bytes_text("0123456789"));
	ck_assert_int_eq(bat_bytes_append_text(&buf, "kept"), 0);
	faulty_disk_shorten(&faulty, FAULTY_READ, 1, 4);
	faulty_disk_fail(&faulty, FAULTY_READ, 2, EIO, false);
	ck_assert_int_eq(bat_file_read_whole(disk, dir, "file", 100, &buf,
			     &error),
	    BAT_WORLD_IO);
	ck_assert_int_eq(error.os_errno, EIO);
	ck_assert_ptr_nonnull(strstr(error.text, "file"));
	ck_assert_uint_eq(buf.length, 4);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(a_whole_file_is_replaced_with_a_private_one)
{
	struct bat_file_stat status;

	ck_assert_int_eq(put("file", "old", true, NULL), 0);
	ck_assert_int_eq(put("file", "", true, NULL), 0);
	ck_assert_int_eq(put("file", "new", true, NULL), 0);
	assert_content("file", "new");
	ck_assert_uint_eq(temp_dir_count(&temp), 1);
	ck_assert_int_eq(disk->stat_at(disk->context, dir, "file", &status), 0);
	ck_assert_int_eq(status.type, BAT_FILE_REGULAR);
	ck_assert_uint_eq(status.mode, 0600);
	ck_assert_uint_eq(status.size, 3);
	ck_assert_uint_eq(status.link_count, 1);
}
END_TEST

START_TEST(without_replacing_an_older_file_stays)
{
	struct bat_file_stat status;
	struct bat_error error;
	mode_t mask = umask(027);

	ck_assert_int_eq(put("file", "first", false, NULL), 0);
	ck_assert_int_eq(put("file", "second", false, &error),
	    BAT_STATE_EXISTS);
	umask(mask);
	ck_assert_int_eq(error.code, BAT_STATE_EXISTS);
	assert_content("file", "first");
	ck_assert_uint_eq(temp_dir_count(&temp), 1);
	ck_assert_int_eq(disk->stat_at(disk->context, dir, "file", &status), 0);
	ck_assert_uint_eq(status.mode, 0640);
}
END_TEST

/* Each call that put_whole makes fails in turn. */
START_TEST(a_failed_replacement_leaves_the_old_file_and_nothing_else)
{
	static const struct {
		enum faulty_operation operation;
		unsigned nth;
		int os_errno;
		int code;
		const char *content;
	} cases[] = {
		{ FAULTY_RANDOM, 1, EIO, BAT_WORLD_IO, "old" },
		{ FAULTY_OPEN, 1, ENOSPC, BAT_WORLD_NO_SPACE, "old" },
		{ FAULTY_WRITE, 1, ENOSPC, BAT_WORLD_NO_SPACE, "old" },
		{ FAULTY_SYNC, 1, EIO, BAT_STATE_STOPPED, "old" },
		{ FAULTY_RENAME, 1, EIO, BAT_WORLD_IO, "old" },
		/* The directory: the name has moved on already. */
		{ FAULTY_SYNC, 2, EIO, BAT_STATE_STOPPED, "new" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bat_error error;

		faulty_disk_reset(&faulty);
		ck_assert_int_eq(put("file", "old", true, NULL), 0);
		faulty_disk_fail(&faulty, cases[i].operation, cases[i].nth,
		    cases[i].os_errno, false);
		ck_assert_int_eq(put("file", "new", true, &error),
		    cases[i].code);
		ck_assert_int_eq(error.os_errno, cases[i].os_errno);
		ck_assert_ptr_nonnull(strstr(error.text, "file"));
		assert_content("file", cases[i].content);
		ck_assert_uint_eq(temp_dir_count(&temp), 1);
	}
}
END_TEST

START_TEST(content_is_synced_before_its_name_and_the_name_after)
{
	ck_assert_int_eq(put("file", "x", true, NULL), 0);
	ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_SYNC), 2);
	/* When the first sync fails, nothing is renamed. */
	faulty_disk_reset(&faulty);
	faulty_disk_fail(&faulty, FAULTY_SYNC, 1, EIO, false);
	ck_assert_int_eq(put("file", "y", true, NULL), BAT_STATE_STOPPED);
	ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_RENAME), 0);
	ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_SYNC), 1);
}
END_TEST

START_TEST(a_taken_temporary_name_is_passed_over)
{
	faulty_disk_fail(&faulty, FAULTY_OPEN, 1, EEXIST, false);
	ck_assert_int_eq(put("file", "x", true, NULL), 0);
	assert_content("file", "x");
	faulty_disk_reset(&faulty);
	faulty_disk_fail(&faulty, FAULTY_OPEN, 1, EEXIST, true);
	ck_assert_int_eq(put("file", "y", true, NULL), BAT_WORLD_IO);
	assert_content("file", "x");
}
END_TEST

START_TEST(unlinking_what_is_not_there_is_fine)
{
	struct bat_error error;

	temp_dir_write(&temp, "file", bat_bytes_text("x"));
	ck_assert_int_eq(bat_file_unlink(disk, dir, "file", &error), 0);
	ck_assert(!temp_dir_has(&temp, "file"));
	ck_assert_int_eq(bat_file_unlink(disk, dir, "file", &error), 0);
	faulty_disk_fail(&faulty, FAULTY_UNLINK, 1, EROFS, false);
	ck_assert_int_eq(bat_file_unlink(disk, dir, "file", &error),
	    BAT_WORLD_IO);
	ck_assert_int_eq(error.os_errno, EROFS);
}
END_TEST

/* Stops at the third name. */
static int
count_name(void *context, const char *name)
{
	unsigned *count = context;

	ck_assert_str_ne(name, ".");
	ck_assert_str_ne(name, "..");
	return ++*count == 3 ? 42 : 0;
}

START_TEST(a_listing_names_each_file_and_ends_when_told)
{
	unsigned count = 0;

	temp_dir_write(&temp, "a", bat_bytes_text(""));
	temp_dir_write(&temp, ".b", bat_bytes_text(""));
	for (int i = 0; i < 2; i++) {
		count = 0;
		ck_assert_int_eq(
		    disk->list(disk->context, dir, count_name, &count), 0);
		ck_assert_uint_eq(count, 2);
	}
	temp_dir_write(&temp, "c", bat_bytes_text(""));
	temp_dir_write(&temp, "d", bat_bytes_text(""));
	count = 0;
	ck_assert_int_eq(disk->list(disk->context, dir, count_name, &count),
	    42);
	ck_assert_uint_eq(count, 3);
}
END_TEST

START_TEST(a_lock_keeps_others_out)
{
	int first = disk->open_at(disk->context, dir, "lock", O_RDWR | O_CREAT,
	    0600);
	int second = disk->open_at(disk->context, dir, "lock", O_RDWR, 0);

	ck_assert_int_eq(disk->lock(disk->context, first), 0);
	ck_assert_int_eq(disk->lock(disk->context, second), -EWOULDBLOCK);
	bat_file_close(disk, first);
	ck_assert_int_eq(disk->lock(disk->context, second), 0);
	bat_file_close(disk, second);
}
END_TEST

/* Whether two writes to a new file have the time of one to another; asked:
 * between the two somebody asks which file it is. */
static bool
have_one_time(bool asked)
{
	struct bat_file_stat stats[2];
	uint64_t inode = 0;
	int fds[2];

	for (int i = 0; i < 2; i++) {
		fds[i] = disk->open_at(disk->context, dir, i == 0 ? "a" : "b",
		    O_RDWR | O_CREAT, 0600);
		ck_assert_int_ge(fds[i], 0);
		ck_assert_int_eq(bat_file_write(disk, fds[i], "1", 1, 0, NULL),
		    0);
	}
	if (asked)
		ck_assert_int_eq(
		    disk->inode_at(disk->context, dir, "b", &inode), 0);
	ck_assert_int_eq(bat_file_write(disk, fds[1], "2", 1, 0, NULL), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(
		    disk->stat_fd(disk->context, fds[i], &stats[i]), 0);
		bat_file_close(disk, fds[i]);
		ck_assert_int_eq(
		    bat_file_unlink(disk, dir, i == 0 ? "a" : "b", NULL), 0);
	}
	ck_assert(!asked || inode == stats[1].inode);
	return stats[0].mtime_ns == stats[1].mtime_ns;
}

/* The kernel's coarse clock may go on in between, or each write have a time of
 * its own anyway. */
START_TEST(asking_which_file_it_is_gives_the_next_write_no_new_time)
{
	int with = 0, without = 0;

	for (int i = 0; i < 100; i++) {
		without += have_one_time(false);
		with += have_one_time(true);
	}
	ck_assert(with > 0 || without == 0);
}
END_TEST

START_TEST(raw_operations_do_what_they_say)
{
	struct bat_file_stat named, opened;
	uint64_t inode;
	uint8_t random[2][32];
	int fd = disk->open_at(disk->context, dir, "file", O_RDWR | O_CREAT,
	    0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bat_file_write(disk, fd, "0123", 4, 2, NULL), 0);
	ck_assert_int_eq(disk->truncate(disk->context, fd, 5), 0);
	ck_assert_int_eq(disk->sync_data(disk->context, fd), 0);
	ck_assert_int_eq(disk->drop_cache(disk->context, fd), 0);
	ck_assert_int_eq(disk->stat_fd(disk->context, fd, &opened), 0);
	ck_assert_int_eq(disk->stat_at(disk->context, dir, "file", &named), 0);
	ck_assert_uint_eq(named.size, 5);
	ck_assert_uint_eq(named.inode, opened.inode);
	ck_assert_int_eq(disk->inode_at(disk->context, dir, "file", &inode), 0);
	ck_assert_uint_eq(inode, opened.inode);
	ck_assert_int_eq(named.mtime_ns, opened.mtime_ns);
	ck_assert_int_gt(named.ctime_ns, INT64_C(1500000000) * 1000000000);
	bat_file_close(disk, fd);
	ck_assert_int_eq(disk->stat_at(disk->context, dir, "none", &named),
	    -ENOENT);
	ck_assert_int_eq(disk->inode_at(disk->context, dir, "none", &inode),
	    -ENOENT);
	ck_assert_int_eq(disk->close(disk->context, -1), -EBADF);
	ck_assert_int_eq(disk->mkdir_at(disk->context, dir, "folder", 0700), 0);
	ck_assert_int_eq(disk->stat_at(disk->context, dir, "folder", &named),
	    0);
	ck_assert_int_eq(named.type, BAT_FILE_DIRECTORY);
	ck_assert_int_eq(disk->random(disk->context, random[0], 32), 0);
	ck_assert_int_eq(disk->random(disk->context, random[1], 32), 0);
	ck_assert_mem_ne(random[0], random[1], 32);
}
END_TEST

/* Times before the epoch's second year: any access would be newer. */
static time_t
read_old_file(const struct bat_disk *by)
{
	const struct timespec old[2] = { { .tv_sec = 1000 },
		{ .tv_sec = 2000 } };
	struct stat status;
	uint8_t bytes[5];
	size_t got;
	int fd = -1;

	ck_assert_int_eq(utimensat(dir, "read", old, 0), 0);
	ck_assert_int_eq(bat_file_open_read(by, dir, "read", &fd, NULL), 0);
	ck_assert_int_eq(bat_file_read(by, fd, bytes, 5, 0, &got, NULL), 0);
	ck_assert_uint_eq(got, 5);
	ck_assert_int_eq(memcmp(bytes, "bytes", 5), 0);
	bat_file_close(by, fd);
	ck_assert_int_eq(fstatat(dir, "read", &status, 0), 0);
	return status.st_atim.tv_sec;
}

START_TEST(reading_leaves_no_trace)
{
	ck_assert_int_eq(put("read", "bytes", false, NULL), 0);
	ck_assert_int_eq(read_old_file(disk), 1000);
}
END_TEST

static int
open_as_another_user(void *context, int at, const char *name, int flags,
    unsigned mode)
{
	return (flags & O_NOATIME) != 0 ?
	    -EPERM :
	    disk->open_at(context, at, name, flags, mode);
}

START_TEST(a_file_of_another_user_is_read_all_the_same)
{
	struct bat_disk other = *disk;

	other.open_at = open_as_another_user;
	ck_assert_int_eq(put("read", "bytes", false, NULL), 0);
	(void)read_old_file(&other);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("file");
	TCase *promises = tcase_create("promises");

	tcase_add_checked_fixture(promises, set_up, tear_down);
	suite_add_tcase(suite, promises);
	tcase_add_test(promises,
	    a_missing_directory_is_absent_or_made_with_its_parents);
	tcase_add_test(promises, a_file_in_place_of_a_directory_is_refused);
	tcase_add_test(promises, only_regular_files_are_opened);
	tcase_add_test(promises, short_and_interrupted_transfers_are_finished);
	tcase_add_test(promises,
	    a_disk_that_writes_nothing_is_an_error_and_no_endless_loop);
	tcase_add_test(promises, reading_stops_at_the_end_of_the_file_only);
	tcase_add_test(promises, a_file_above_the_limit_is_not_read);
	tcase_add_test(promises, a_failed_read_leaves_the_buffer_as_it_was);
	tcase_add_test(promises, a_whole_file_is_replaced_with_a_private_one);
	tcase_add_test(promises, without_replacing_an_older_file_stays);
	tcase_add_test(promises,
	    a_failed_replacement_leaves_the_old_file_and_nothing_else);
	tcase_add_test(promises,
	    content_is_synced_before_its_name_and_the_name_after);
	tcase_add_test(promises, a_taken_temporary_name_is_passed_over);
	tcase_add_test(promises, unlinking_what_is_not_there_is_fine);
	tcase_add_test(promises, a_listing_names_each_file_and_ends_when_told);
	tcase_add_test(promises, a_lock_keeps_others_out);
	tcase_add_test(promises, reading_leaves_no_trace);
	tcase_add_test(promises, a_file_of_another_user_is_read_all_the_same);
	tcase_add_test(promises, raw_operations_do_what_they_say);
	tcase_add_test(promises,
	    asking_which_file_it_is_gives_the_next_write_no_new_time);
	return suite_run(suite);
}
