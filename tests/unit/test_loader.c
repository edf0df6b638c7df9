/*
 * The fast way into an index says of every file what the plain one says, also
 * where two threads share the rows.
 */
#include "loader.h"

#include <check.h>

#include "rowindex.h"
#include "rows.h"
#include "sample.h"
#include "temp_dir.h"

/* So many that two threads read them: half of them each. */
#define MANY 40000u
#define UNKNOWN_SEGMENT 1000

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

/* Load what stands in the file; segments below UNKNOWN_SEGMENT are known. */
static int
load(struct bat_index *index, struct bat_loader_result *result)
{
	const struct bat_disk *disk = bat_file_posix();
	struct bat_error error;
	uint32_t position;
	int dir, code;

	bat_index_init(index);
	*result = (struct bat_loader_result){ .histograms = BAT_BUF_EMPTY };
	for (uint64_t id = 1; id < UNKNOWN_SEGMENT; id++)
		ck_assert_int_eq(bat_index_segment(index, id, &position), 0);
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

static struct bat_hash
hash_of_number(size_t number)
{
	uint8_t bytes[8];

	bat_bytes_put_le(bytes, number, sizeof(bytes));
	return bat_hash_of(bat_bytes_slice(bytes, sizeof(bytes)));
}

static void
make_rows(struct rows *rows)
{
	uint32_t entity, scope;

	rows_init(rows);
	rows->rows = calloc(MANY, sizeof(*rows->rows));
	rows->maps = calloc(MANY, sizeof(*rows->maps));
	ck_assert(rows->rows != NULL && rows->maps != NULL);
	ck_assert_int_eq(
	    bat_intern_put(&rows->names, bat_bytes_text("a:b"), &entity), 0);
	ck_assert_int_eq(
	    bat_intern_put(&rows->names, bat_bytes_text("s"), &scope), 0);
	for (size_t i = 0; i < MANY; i++)
		rows->rows[i] = (struct bat_row){
			.id = bat_id_from_number(i + 1),
			.corr = bat_id_from_number(i + 1),
			.entity = entity,
			.scope = scope,
			.clock = (uint32_t)i,
			.length = 100,
			.wall_ms = 1000 + i,
			.segment = 1 + i / 5000,
			.offset = 32 + i % 5000 * 100,
			.seq = 3 * i,
			.prev = hash_of_number(i),
			.hash = hash_of_number(i + 1),
			.kind = 0xf001,
		};
	rows->count = MANY;
	rows->head = (struct bat_checkpoint_head){
		.allocator = UINT64_C(3) * MANY,
		.watermark_segment = 8,
		.watermark_offset = 600000,
		.row_count = MANY,
	};
}

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

static void
exchange(struct bat_row *a, struct bat_row *b)
{
	struct bat_row kept = *a;

	*a = *b;
	*b = kept;
}

/* ---- promises ------------------------------------------------------------- */

static void
assert_loaded(const struct bat_index *index, const struct rows *rows)
{
	ck_assert_uint_eq(index->count, rows->count);
	for (uint32_t i = 0; i < index->count; i++) {
		const struct bat_row *row = &rows->rows[i];
		const struct bat_index_hot *hot = bat_index_hot_at(index, i);

		ck_assert(bat_id_equal(&hot->id, &row->id));
		ck_assert_uint_eq(hot->seq, row->seq);
		ck_assert_uint_eq(hot->wall_ms, row->wall_ms);
		ck_assert_uint_eq(hot->clock, row->clock);
		ck_assert_uint_eq(hot->length, row->length);
		ck_assert_uint_eq(hot->kind, row->kind);
		ck_assert_uint_eq(bat_index_segment_of(index, i), row->segment);
		ck_assert_uint_eq(bat_index_offset_of(index, i), row->offset);
		ck_assert_uint_eq(hot->fingerprint,
		    bat_index_fingerprint(&row->corr, &row->cause, &row->prev,
			&row->hash, row->lane, row->depth));
		ck_assert(
		    bat_bytes_equal(bat_intern_get(&index->names, hot->entity),
			bat_intern_get(&rows->names, row->entity)));
		ck_assert(
		    bat_bytes_equal(bat_intern_get(&index->names, hot->scope),
			bat_intern_get(&rows->names, row->scope)));
	}
}

START_TEST(two_threads_load_what_one_wrote)
{
	struct bat_loader_result result;
	struct bat_index index;
	struct rows rows;

	make_rows(&rows);
	write_rows(&rows);
	ck_assert_int_eq(load(&index, &result), 0);
	ck_assert(result.ordered);
	ck_assert_uint_eq(result.head.allocator, rows.head.allocator);
	ck_assert_uint_eq(result.head.watermark_segment, 8);
	assert_loaded(&index, &rows);
	unload(&index, &result);
	rows_free(&rows);
}
END_TEST

/* In the first half, at the border, in the second half. */
static const size_t places[] = { 7, MANY / 2 - 1, MANY - 2 };

START_TEST(rows_that_do_not_rise_are_told_wherever_they_stand)
{
	struct bat_loader_result result;
	struct bat_index index;
	struct rows rows;

	make_rows(&rows);
	exchange(&rows.rows[places[_i]], &rows.rows[places[_i] + 1]);
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

	make_rows(&rows);
	write_rows(&rows);
	temp_dir_read(&temp, BAT_ROWINDEX_FILE, &file);
	rows_at = file.length - (uint64_t)MANY * BAT_ROWINDEX_ROW_SIZE;
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

	make_rows(&rows);
	rows.rows[MANY - 1].segment = UNKNOWN_SEGMENT;
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
		assert_loaded(&index, &rows);
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
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, two_threads_load_what_one_wrote);
	tcase_add_loop_test(tcase,
	    rows_that_do_not_rise_are_told_wherever_they_stand, 0, 3);
	tcase_add_loop_test(tcase, a_changed_row_of_either_half_is_noticed, 0,
	    3);
	tcase_add_test(tcase, a_row_of_an_unknown_segment_is_corrupt);
	tcase_add_test(tcase, every_golden_file_is_loaded_as_it_is_decoded);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
