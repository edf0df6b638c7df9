/*
 * The fast way from a segment's footer into an index: of every footer it says
 * what the plain way says, or that the plain way is to be asked.
 */
#include <check.h>

#include "coordinate.h"
#include "crc.h"
#include "loader.h"
#include "loader_rows.h"
#include "sample.h"
#include "suite.h"
#include "temp_dir.h"

#define SEGMENT "000001.fbat"

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

/* The footer's rows, one after the other; false: it does not hold. */
static bool
read_plain(struct bat_segment_reader *reader, struct rows *rows)
{
	struct bat_buf table = BAT_BUF_EMPTY, bytes = BAT_BUF_EMPTY;
	struct bat_slice *strings = NULL;
	uint32_t string_count;
	bool holds = bat_segment_reader_footer(reader, &table, &strings,
			 &string_count, &bytes, NULL) == 0;

	rows_init(rows);
	rows->rows = calloc(reader->footer.row_count + 1, sizeof(*rows->rows));
	ck_assert_ptr_nonnull(rows->rows);
	while (holds && rows->count < reader->footer.row_count) {
		struct bat_row *row = &rows->rows[rows->count];

		bat_segment_decode_row(
		    bytes.data + rows->count * BAT_SEGMENT_ROW_SIZE, row);
		row->segment = reader->id;
		holds = bat_coordinate_check(strings[row->entity],
			    strings[row->scope], NULL) == 0 &&
		    row->seq <= INT64_MAX &&
		    bat_intern_put(&rows->names, strings[row->entity],
			&row->entity) == 0 &&
		    bat_intern_put(&rows->names, strings[row->scope],
			&row->scope) == 0;
		rows->count++;
	}
	bat_bytes_free(&table);
	bat_bytes_free(&bytes);
	free(strings);
	return holds;
}

/* Both ways, of a segment behind a row of this sequence. Is the fast one
 * content to answer? */
static bool
both_ways(const struct temp_dir *from, uint64_t segment, uint64_t seq_before)
{
	const struct bat_row before = { .segment = 0, .seq = seq_before };
	struct bat_segment_reader reader;
	struct bat_segment_dir dir;
	struct bat_index index;
	struct rows rows;
	int code;

	ck_assert_int_eq(bat_segment_dir_open(&dir, bat_file_posix(),
			     from->path, true, NULL),
	    0);
	ck_assert_int_eq(bat_segment_dir_scan(&dir, NULL), 0);
	code = bat_segment_reader_open(&reader, &dir, segment, NULL);
	if (code != 0 || !reader.has_footer) {
		bat_segment_reader_close(&reader);
		bat_segment_dir_close(&dir);
		return false;
	}
	bat_index_init(&index);
	ck_assert_int_eq(bat_index_load(&index, &before), 0);
	code = bat_loader_footer(&reader, INT64_MAX, &index, NULL);
	if (code == 0) {
		ck_assert(read_plain(&reader, &rows));
		ck_assert_uint_eq(index.count, rows.count + 1);
		/* The row before the footer's is not compared. */
		for (uint32_t i = 1; i < index.count; i++)
			*bat_index_hot_at(&index,
			    i - 1) = *bat_index_hot_at(&index, i);
		bat_index_unload(&index, index.count - 1);
		loader_rows_assert_loaded(&index, &rows);
		rows_free(&rows);
	} else {
		ck_assert_int_eq(code, BAT_END);
		ck_assert_uint_eq(index.count, 1);
	}
	bat_index_free(&index);
	bat_segment_reader_close(&reader);
	bat_segment_dir_close(&dir);
	return code == 0;
}

/* A segment of our own rows in front of nothing: the frames are zeros. */
static void
make_segment(struct rows *rows, struct bat_buf *file)
{
	uint64_t frames;

	ck_assert_int_eq(bat_segment_encode_header(1, 0, file), 0);
	for (size_t i = 0; i < rows->count; i++) {
		rows->rows[i].segment = 1;
		rows->rows[i].offset = file->length + i * 100;
	}
	frames = file->length + rows->count * 100;
	ck_assert_int_eq(bat_bytes_reserve(file, rows->count * 100), 0);
	memset(file->data + file->length, 0, rows->count * 100);
	file->length = (size_t)frames;
}

static void
seal_segment(const struct rows *rows, struct bat_buf *file)
{
	ck_assert_int_eq(bat_segment_encode_footer(rows->rows, rows->count,
			     &rows->names, file->length, file),
	    0);
	temp_dir_write(&temp, SEGMENT, bat_bytes_of_buf(file));
}

/* ---- footers that are right ----------------------------------------------- */

START_TEST(every_golden_footer_is_loaded_as_it_is_decoded)
{
	unsigned loaded = 0;
	glob_t found;

	ck_assert_int_eq(
	    glob(TEST_DATA "/golden/*/store/*.fbat", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i];
		const char *name = strrchr(path, '/');
		struct bat_buf file = sample_read(path);
		struct temp_dir one;
		uint64_t id;

		temp_dir_make(&one);
		temp_dir_write(&one, name + 1, bat_bytes_of_buf(&file));
		ck_assert(bat_segment_id_of_name(name + 1, &id));
		loaded += both_ways(&one, id, 0);
		temp_dir_remove(&one);
		bat_bytes_free(&file);
	}
	globfree(&found);
	/* Some start with sequence 0, which does not rise above our 0. */
	ck_assert_uint_ge(loaded, 5);
}
END_TEST

START_TEST(two_threads_load_what_one_decodes)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct rows rows;

	loader_rows_make(&rows, 3);
	rows.rows[0].seq = 1;
	make_segment(&rows, &file);
	seal_segment(&rows, &file);
	ck_assert(both_ways(&temp, 1, 0));
	bat_bytes_free(&file);
	rows_free(&rows);
}
END_TEST

/* ---- footers that are left to the plain way ------------------------------- */

START_TEST(numbers_that_do_not_rise_are_left_to_the_plain_way)
{
	static const size_t places[] = { 0, 7, LOADER_ROWS_MANY / 2,
		LOADER_ROWS_MANY - 1 };
	struct bat_buf file = BAT_BUF_EMPTY;
	struct rows rows;

	loader_rows_make(&rows, 3);
	rows.rows[0].seq = 1;
	rows.rows[places[_i]].seq -= _i == 0 ? 1 : 3;
	make_segment(&rows, &file);
	seal_segment(&rows, &file);
	ck_assert(!both_ways(&temp, 1, 0));
	bat_bytes_free(&file);
	rows_free(&rows);
}
END_TEST

START_TEST(places_that_do_not_rise_are_left_to_the_plain_way)
{
	static const size_t places[] = { 7, LOADER_ROWS_MANY / 2 - 1,
		LOADER_ROWS_MANY - 2 };
	struct bat_buf file = BAT_BUF_EMPTY;
	struct rows rows;

	loader_rows_make(&rows, 3);
	rows.rows[0].seq = 1;
	make_segment(&rows, &file);
	rows.rows[places[_i]].offset = rows.rows[places[_i] + 1].offset;
	seal_segment(&rows, &file);
	ck_assert(!both_ways(&temp, 1, 0));
	bat_bytes_free(&file);
	rows_free(&rows);
}
END_TEST

START_TEST(a_changed_or_cut_footer_is_judged_alike)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct rows rows;
	uint32_t state = (uint32_t)_i + 1;
	size_t footer;

	loader_rows_make(&rows, 3);
	rows.count = 300;
	rows.rows[0].seq = 1;
	make_segment(&rows, &file);
	footer = file.length;
	seal_segment(&rows, &file);
	for (unsigned i = 0; i < 60; i++) {
		size_t at;

		state = state * 1664525 + 1013904223;
		at = footer + (state >> 8) % (file.length - footer);
		file.data[at] ^= (uint8_t)(1u << i % 8);
		temp_dir_write(&temp, SEGMENT, bat_bytes_of_buf(&file));
		(void)both_ways(&temp, 1, 0);
		file.data[at] ^= (uint8_t)(1u << i % 8);
		if (i % 10 == 0) {
			temp_dir_truncate(&temp, SEGMENT, at);
			ck_assert(!both_ways(&temp, 1, 0));
		}
	}
	bat_bytes_free(&file);
	rows_free(&rows);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("loader_footer");
	TCase *tcase = tcase_create("loader_footer");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, every_golden_footer_is_loaded_as_it_is_decoded);
	tcase_add_test(tcase, two_threads_load_what_one_decodes);
	tcase_add_loop_test(tcase,
	    numbers_that_do_not_rise_are_left_to_the_plain_way, 0, 4);
	tcase_add_loop_test(tcase,
	    places_that_do_not_rise_are_left_to_the_plain_way, 0, 3);
	tcase_add_loop_test(tcase, a_changed_or_cut_footer_is_judged_alike, 0,
	    4);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
