/*
 * The fast way into an index says of every file what the plain one says, also
 * where two threads share the rows.
 */
#include "loader.h"

#include <check.h>

#include "loader_rows.h"
#include "rowindex.h"
#include "sample.h"
#include "suite.h"
#include "temp_dir.h"

static struct temp_dir temp;

static void
set_up(void)
{
	temp_dir_make(&temp);
}

static void
tear_down(void)
{
	temp_dir_remove(&temp);
}

/* Load what stands in the file. */
static int
load(struct bat_index *index, struct bat_loader_result *result)
{
	const struct bat_disk *disk = bat_file_posix();
	struct bat_error error;
	int dir, code;

	loader_rows_index(index);
	*result = (struct bat_loader_result){ .histograms = BAT_BUF_EMPTY };
	ck_assert_int_eq(bat_file_open_dir(disk, temp.path, false, &dir, NULL),
	    0);
	code = bat_loader_rowindex(disk, dir, INT64_MAX, index, result, &error);
	bat_file_close(disk, dir);
	return code;
}

static void
unload(struct bat_index *index, struct bat_loader_result *result)
{
	bat_bytes_free(&result->histograms);
	bat_index_free(index);
}

static int
code_of_load(void)
{
	struct bat_loader_result result;
	struct bat_index index;
	int code = load(&index, &result);

	unload(&index, &result);
	return code;
}

/* ---- rows of ours --------------------------------------------------------- */

static void
write_rows(struct rows *rows)
{
	struct bat_checkpoint_source source = rows_source(rows);
	struct bat_checkpoint_input input = rows_input(rows, &source);
	struct bat_buf file = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_rowindex_encode(&input, &file, NULL), 0);
	temp_dir_write(&temp, BAT_ROWINDEX_FILE, bat_bytes_of_buf(&file));
	bat_bytes_free(&file);
}

/* ---- promises ------------------------------------------------------------- */

START_TEST(two_threads_load_what_one_wrote)
{
	struct bat_loader_result result;
	struct bat_index index;
	struct rows rows;

	loader_rows_make(&rows, 3);
	write_rows(&rows);
	ck_assert_int_eq(load(&index, &result), 0);
	ck_assert(result.ordered);
	ck_assert_uint_eq(result.head.allocator, rows.head.allocator);
	ck_assert_uint_eq(result.head.watermark_segment, 8);
	loader_rows_assert_loaded(&index, &rows);
	unload(&index, &result);
	rows_free(&rows);
}
END_TEST

/* In the first half, at the border, in the second half. */
static const size_t places[] = { 7, LOADER_ROWS_MANY / 2 - 1,
	LOADER_ROWS_MANY - 2 };

START_TEST(rows_that_do_not_rise_are_told_wherever_they_stand)
{
	struct bat_loader_result result;
	struct bat_index index;
	struct rows rows;

	loader_rows_make(&rows, 3);
	loader_rows_exchange(&rows.rows[places[_i]],
	    &rows.rows[places[_i] + 1]);
	write_rows(&rows);
	ck_assert_int_eq(load(&index, &result), 0);
	ck_assert(!result.ordered);
	unload(&index, &result);
	rows_free(&rows);
}
END_TEST

/* A flipped bit of an id, a hash or a time is one that only the checksum
 * knows. */
START_TEST(a_changed_row_of_either_half_is_noticed)
{
	static const uint64_t fields[] = { 3, 27, 50, 90 };
	struct rows rows;
	struct bat_buf file = BAT_BUF_EMPTY;
	uint64_t rows_at;

	loader_rows_make(&rows, 3);
	write_rows(&rows);
	temp_dir_read(&temp, BAT_ROWINDEX_FILE, &file);
	rows_at = file.length -
	    (uint64_t)LOADER_ROWS_MANY * BAT_ROWINDEX_ROW_SIZE;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint64_t at = rows_at + places[_i] * BAT_ROWINDEX_ROW_SIZE +
		    fields[i];

		temp_dir_flip(&temp, BAT_ROWINDEX_FILE, at, 0x10);
		ck_assert_int_eq(code_of_load(), BAT_DATA_CORRUPT);
		temp_dir_flip(&temp, BAT_ROWINDEX_FILE, at, 0x10);
	}
	ck_assert_int_eq(code_of_load(), 0);
	bat_bytes_free(&file);
	rows_free(&rows);
}
END_TEST

START_TEST(a_row_of_an_unknown_segment_is_corrupt)
{
	struct rows rows;

	loader_rows_make(&rows, 3);
	rows.rows[LOADER_ROWS_MANY - 1].segment = LOADER_ROWS_UNKNOWN_SEGMENT;
	write_rows(&rows);
	ck_assert_int_eq(code_of_load(), BAT_DATA_CORRUPT);
	rows_free(&rows);
}
END_TEST

START_TEST(every_golden_file_is_loaded_as_it_is_decoded)
{
	static const char pattern[] = TEST_DATA
	    "/golden/*/store/" BAT_ROWINDEX_FILE;
	glob_t files;

	ck_assert_int_eq(glob(pattern, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct bat_buf file = sample_read(files.gl_pathv[i]);
		struct bat_loader_result result;
		struct bat_index index;
		struct rows rows;
		struct bat_checkpoint_sink sink = rows_sink(&rows);

		rows_init(&rows);
		ck_assert_int_eq(bat_rowindex_decode(bat_bytes_of_buf(&file),
				     &sink, NULL),
		    0);
		temp_dir_write(&temp, BAT_ROWINDEX_FILE,
		    bat_bytes_of_buf(&file));
		ck_assert_int_eq(load(&index, &result), 0);
		loader_rows_assert_loaded(&index, &rows);
		unload(&index, &result);
		rows_free(&rows);
		bat_bytes_free(&file);
	}
	globfree(&files);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("loader");
	TCase *tcase = tcase_create("loader");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, two_threads_load_what_one_wrote);
	tcase_add_loop_test(tcase,
	    rows_that_do_not_rise_are_told_wherever_they_stand, 0, 3);
	tcase_add_loop_test(tcase, a_changed_row_of_either_half_is_noticed, 0,
	    3);
	tcase_add_test(tcase, a_row_of_an_unknown_segment_is_corrupt);
	tcase_add_test(tcase, every_golden_file_is_loaded_as_it_is_decoded);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
