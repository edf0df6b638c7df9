/*
 * What is said of a directory: nothing of a sound one, the place of everything
 * that is broken, and of one that nobody could open all the rest.
 */
#include <check.h>

#include "bat.h"
#include "faulty_disk.h"
#include "stores.h"
#include "suite.h"

#include <errno.h>
#include <unistd.h>

static struct temp_dir temp;
static struct bat_buf said;
static struct bat_error error;

static int
take_line(void *context, const char *key, const char *value)
{
	(void)context;
	ck_assert_int_eq(bat_bytes_append_format(&said, "%s %s\n", key, value),
	    0);
	return 0;
}

static int
inspect_with(const struct bat_disk *disk)
{
	const struct bat_inspect_sink sink = { NULL, take_line };

	bat_bytes_clear(&said);
	error = (struct bat_error){ .code = 0 };
	return bat_inspect(disk, temp.path, &sink, &error);
}

static int
inspect(void)
{
	return inspect_with(bat_file_posix());
}

/* Is there a line that starts like this? */
static void
assert_said(const char *line)
{
	struct bat_buf wanted = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_bytes_append_format(&wanted, "\n%s", line), 0);
	ck_assert_msg(memmem(said.data, said.length, wanted.data,
			  wanted.length) != NULL,
	    "%s is not in\n%.*s", line, (int)said.length,
	    (const char *)said.data);
	bat_bytes_free(&wanted);
}

static void
teardown(void)
{
	temp_dir_remove(&temp);
	bat_bytes_free(&said);
	said = BAT_BUF_EMPTY;
}

START_TEST(of_a_sound_store_it_says_what_is_there)
{
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;

	stores_golden(&temp, "mixed");
	stores_files(&temp, &before);
	ck_assert_int_eq(inspect(), 0);
	stores_files(&temp, &after);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&before),
	    bat_bytes_of_buf(&after)));
	assert_said("segment.000001.header ok");
	assert_said("segment.000001.footer ok");
	assert_said("index.fbati.version 5");
	assert_said("index.fbati.believed yes");
	assert_said("writable yes");
	assert_said("damage 0");
	bat_bytes_free(&before);
	bat_bytes_free(&after);
}
END_TEST

START_TEST(torn_ends_are_no_damage)
{
	stores_golden(&temp, "zero-tail");
	ck_assert_int_eq(inspect(), 0);
	assert_said("torn 1");
	teardown();
	stores_golden(&temp, "empty-segment");
	ck_assert_int_eq(inspect(), 0);
	assert_said("torn 1");
	assert_said("damage 0");
	teardown();
	stores_golden(&temp, "crashed-open");
	temp_dir_append(&temp, "000001.fbat", bat_bytes_slice("\xff\xff", 2));
	ck_assert_int_eq(inspect(), 0);
	assert_said("segment.000001.ahead.13711 2 space laid ahead");
	assert_said("torn 0");
}
END_TEST

START_TEST(a_hole_is_named_with_its_place)
{
	stores_golden(&temp, "no-index");
	temp_dir_flip(&temp, "000001.fbat", 700, 0x10);
	ck_assert_int_eq(inspect(), BAT_DATA_CORRUPT);
	ck_assert_uint_eq(error.segment, 1);
	ck_assert_uint_gt(error.offset, 0);
	ck_assert_uint_le(error.offset, 700);
	assert_said("segment.000001.hole.");
}
END_TEST

START_TEST(an_index_that_lies_is_named)
{
	stores_golden(&temp, "many-segments");
	temp_dir_unlink(&temp, "000002.fbat");
	ck_assert_int_eq(inspect(), BAT_DATA_CORRUPT);
	assert_said("index.fbati.believed no: ");
}
END_TEST

START_TEST(a_directory_that_nobody_opens_is_told_of_to_its_end)
{
	char path[300];

	stores_golden(&temp, "many-segments");
	temp_dir_write(&temp, "000001.fbat", bat_bytes_text("rubbish"));
	temp_dir_unlink(&temp, "000002.fbat");
	snprintf(path, sizeof(path), "%s/000002.fbat", temp.path);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	temp_dir_write(&temp, "visibility_ranges.fbv",
	    bat_bytes_text("rubbish"));
	temp_dir_write(&temp, "compaction.pending.json",
	    bat_bytes_text("rubbish"));
	temp_dir_write(&temp, "index.ckpt", bat_bytes_text("rubbish"));
	temp_dir_write(&temp, "7.fbat", bat_bytes_text("rubbish"));
	temp_dir_write(&temp, "a\033[31mb", bat_bytes_text("rubbish"));
	ck_assert_int_eq(inspect(), BAT_DATA_CORRUPT);
	assert_said("segment.000001.header wrong: ");
	assert_said("other.000002.fbat a segment's name, and no regular file");
	assert_said("other.7.fbat looks like a segment and is none");
	assert_said("other.a?[31mb not part of a store");
	assert_said("segment.000003.header ok");
	assert_said("hidden.broken ");
	assert_said("index.ckpt.believed no: ");
	assert_said("marker present");
	assert_said("writable no: ");
}
END_TEST

START_TEST(what_batfs_keeps_aside_is_listed)
{
	struct bat_store *store;

	stores_golden(&temp, "torn-tail");
	store = stores_open(&temp, false);
	stores_append(store, "player:alice", "\xa1x");
	stores_close(store);
	ck_assert_int_eq(inspect(), 0);
	assert_said("batfs.cut/000001-");
}
END_TEST

START_TEST(a_segment_that_cannot_be_read_does_not_end_it)
{
	struct faulty_disk faulty;

	stores_golden(&temp, "many-segments");
	faulty_disk_init(&faulty, bat_file_posix());
	faulty_disk_fail(&faulty, FAULTY_OPEN, 1, EIO, false);
	ck_assert_int_eq(inspect_with(&faulty.disk), BAT_DATA_CORRUPT);
	assert_said("segment.000001.unreadable ");
	assert_said("segment.000002.header ok");
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_no_damage)
{
	temp_dir_make(&temp);
	temp_dir_remove(&temp);
	ck_assert_int_eq(inspect(), BAT_WORLD_ABSENT);
	temp_dir_make(&temp);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("inspect");
	TCase *cases = tcase_create("inspect");

	tcase_add_checked_fixture(cases, NULL, teardown);
	tcase_add_test(cases, of_a_sound_store_it_says_what_is_there);
	tcase_add_test(cases, torn_ends_are_no_damage);
	tcase_add_test(cases, a_hole_is_named_with_its_place);
	tcase_add_test(cases, an_index_that_lies_is_named);
	tcase_add_test(cases,
	    a_directory_that_nobody_opens_is_told_of_to_its_end);
	tcase_add_test(cases, what_batfs_keeps_aside_is_listed);
	tcase_add_test(cases, a_segment_that_cannot_be_read_does_not_end_it);
	tcase_add_test(cases, a_directory_that_is_not_there_is_no_damage);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
