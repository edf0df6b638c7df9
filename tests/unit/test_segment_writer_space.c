/*
 * Space that is missing even to make a file shorter: Btrfs wants some for that,
 * and over a quota has none. What is appended here are not frames; nobody
 * reads it.
 */
#include "segment_writer.h"

#include <check.h>
#include <errno.h>

#include "faulty_disk.h"
#include "suite.h"
#include "temp_dir.h"

static const int errnos[] = { ENOSPC, EDQUOT };

static struct temp_dir temp;
static struct faulty_disk faulty;
static struct bat_segment_dir dir;
static struct bat_segment_writer writer;
static struct bat_error error;

static void
set_up(void)
{
	temp_dir_make(&temp);
	faulty_disk_init(&faulty, bat_file_posix());
	error = (struct bat_error){ 0 };
	ck_assert_int_eq(bat_segment_dir_open(&dir, &faulty.disk, temp.path,
			     false, NULL),
	    0);
	ck_assert_int_eq(bat_segment_dir_scan(&dir, NULL), 0);
	writer.fd = -1;
}

static void
tear_down(void)
{
	bat_segment_writer_close(&writer);
	bat_segment_dir_close(&dir);
	temp_dir_remove(&temp);
}

static int
append(const char *text)
{
	error.code = 0;
	return bat_segment_writer_append(&writer, bat_bytes_text(text), &error);
}

/* A segment that holds "first". */
static void
begin(void)
{
	bat_segment_writer_close(&writer);
	if (temp_dir_has(&temp, "000001.fbat"))
		temp_dir_unlink(&temp, "000001.fbat");
	faulty_disk_reset(&faulty);
	ck_assert_int_eq(bat_segment_dir_scan(&dir, NULL), 0);
	ck_assert_int_eq(bat_segment_writer_create(&writer, &dir, 1, 5, &error),
	    0);
	ck_assert_int_eq(append("first"), 0);
	faulty_disk_reset(&faulty);
}

/* Behind the header the file holds this, and nothing else. */
static void
check_content(const char *text)
{
	struct bat_buf bytes = BAT_BUF_EMPTY;
	size_t length = strlen(text);

	ck_assert_int_eq(bat_file_read_whole(bat_file_posix(), dir.dir,
			     "000001.fbat", 4096, &bytes, NULL),
	    0);
	ck_assert_uint_gt(bytes.length, length);
	ck_assert_mem_eq(bytes.data + bytes.length - length, text, length);
	ck_assert_uint_eq(bytes.length, writer.synced);
	bat_bytes_free(&bytes);
}

/* The next write stops behind three bytes, and so many cuts fail. */
static void
fill(int os_errno, unsigned cuts)
{
	faulty_disk_shorten(&faulty, FAULTY_WRITE, 1, 3);
	faulty_disk_fail(&faulty, FAULTY_WRITE, 2, os_errno, false);
	for (unsigned i = 1; i <= cuts; i++)
		faulty_disk_fail(&faulty, FAULTY_TRUNCATE, i, os_errno, false);
}

START_TEST(a_cut_without_space_is_made_in_front_of_the_next_frame)
{
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++) {
		begin();
		fill(errnos[i], 2);
		ck_assert_int_eq(append("second"), BAT_WORLD_NO_SPACE);
		ck_assert_int_eq(error.code, BAT_WORLD_NO_SPACE);
		ck_assert_int_eq(error.os_errno, errnos[i]);
		ck_assert_int_eq(append("-"), BAT_WORLD_NO_SPACE);
		/* It was not even tried: "-" would fit over what is left. */
		ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_WRITE), 2);
		ck_assert_int_eq(append("-"), 0);
		ck_assert_int_eq(bat_segment_writer_sync(&writer, &error), 0);
		check_content("first-");
	}
}
END_TEST

START_TEST(a_seal_waits_for_space_to_cut)
{
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++) {
		begin();
		fill(errnos[i], 2);
		ck_assert_int_eq(append("second"), BAT_WORLD_NO_SPACE);
		ck_assert_int_eq(bat_segment_writer_seal(&writer,
				     bat_bytes_text("F"), &error),
		    BAT_WORLD_NO_SPACE);
		ck_assert(!writer.sealed && !writer.broken);
		ck_assert_int_eq(bat_segment_writer_seal(&writer,
				     bat_bytes_text("F"), &error),
		    0);
		ck_assert(writer.sealed);
		check_content("firstF");
	}
}
END_TEST

START_TEST(a_footer_that_cannot_be_cut_off_seals_nothing)
{
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++) {
		begin();
		fill(errnos[i], 1);
		ck_assert_int_eq(bat_segment_writer_seal(&writer,
				     bat_bytes_text("FOOT"), &error),
		    BAT_WORLD_NO_SPACE);
		ck_assert(!writer.sealed && !writer.broken);
		ck_assert_int_eq(append("-"), 0);
		ck_assert_int_eq(bat_segment_writer_seal(&writer,
				     BAT_SLICE_EMPTY, &error),
		    0);
		check_content("first-");
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("segment_writer_space");
	TCase *tcase = tcase_create("space");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase,
	    a_cut_without_space_is_made_in_front_of_the_next_frame);
	tcase_add_test(tcase, a_seal_waits_for_space_to_cut);
	tcase_add_test(tcase, a_footer_that_cannot_be_cut_off_seals_nothing);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
