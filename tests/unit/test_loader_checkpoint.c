/*
 * The fast way from index.ckpt into an index: of every file it says what the
 * plain decoder says, or that the plain decoder is to be asked.
 */
#include <check.h>

#include "crc.h"
#include "loader.h"
#include "loader_rows.h"
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
	code = bat_loader_checkpoint(disk, dir, INT64_MAX, index, result,
	    &error);
	bat_file_close(disk, dir);
	return code;
}

static void
unload(struct bat_index *index, struct bat_loader_result *result)
{
	bat_bytes_free(&result->histograms);
	bat_index_free(index);
}

static void
encode(struct rows *rows, uint16_t version, struct bat_buf *out)
{
	struct bat_checkpoint_source source = rows_source(rows);
	struct bat_checkpoint_input input = rows_input(rows, &source);

	ck_assert_int_eq(bat_checkpoint_encode(&input, version, out, NULL), 0);
}

/* Both ways, of these bytes as a file. Is the fast one content to answer? */
static bool
both_ways(struct bat_slice file)
{
	struct bat_loader_result result;
	struct bat_index index;
	struct rows rows;
	struct bat_checkpoint_sink sink = rows_sink(&rows);
	int plain, fast;

	rows_init(&rows);
	plain = bat_checkpoint_decode(file, &sink, NULL);
	temp_dir_write(&temp, BAT_CHECKPOINT_FILE, file);
	fast = load(&index, &result);
	if (fast == 0) {
		ck_assert_int_eq(plain, 0);
		loader_rows_assert_loaded(&index, &rows);
		ck_assert_uint_eq(result.head.version, rows.head.version);
		ck_assert_uint_eq(result.head.allocator, rows.head.allocator);
		ck_assert_uint_eq(result.head.watermark_offset,
		    rows.head.watermark_offset);
		ck_assert_uint_eq(result.head.fallbacks.system,
		    rows.head.fallbacks.system);
		ck_assert(
		    bat_bytes_equal(result.head.fallbacks.effect_histogram,
			rows.head.fallbacks.effect_histogram));
	} else {
		ck_assert_int_eq(fast, BAT_END);
	}
	unload(&index, &result);
	rows_free(&rows);
	return fast == 0;
}

/* ---- files that are right ------------------------------------------------- */

static void
golden_both_ways(const char *path, struct bat_slice file)
{
	ck_assert_msg(both_ways(file), "%s was left to the plain decoder",
	    path);
}

START_TEST(every_golden_file_is_loaded_as_it_is_decoded)
{
	sample_each("golden/*/store/" BAT_CHECKPOINT_FILE, golden_both_ways);
}
END_TEST

START_TEST(every_version_is_loaded_as_it_is_decoded)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct rows rows;

	loader_rows_make(&rows, 1);
	encode(&rows, (uint16_t)_i, &file);
	ck_assert(both_ways(bat_bytes_of_buf(&file)));
	bat_bytes_free(&file);
	rows_free(&rows);
}
END_TEST

/* Which row the second half begins with is then not what it was taken for. */
START_TEST(gaps_in_the_numbers_of_the_first_half_do_no_harm)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct rows rows;

	loader_rows_make(&rows, 1);
	for (size_t i = 100; i < rows.count; i++)
		rows.rows[i].seq += (uint64_t)_i;
	encode(&rows, 6, &file);
	ck_assert(both_ways(bat_bytes_of_buf(&file)));
	bat_bytes_free(&file);
	rows_free(&rows);
}
END_TEST

START_TEST(rows_that_do_not_rise_are_told_wherever_they_stand)
{
	static const size_t places[] = { 7, LOADER_ROWS_MANY / 2,
		LOADER_ROWS_MANY - 2 };
	struct bat_buf file = BAT_BUF_EMPTY;
	struct bat_loader_result result;
	struct bat_index index;
	struct rows rows;

	loader_rows_make(&rows, 1);
	encode(&rows, 6, &file);
	temp_dir_write(&temp, BAT_CHECKPOINT_FILE, bat_bytes_of_buf(&file));
	ck_assert_int_eq(load(&index, &result), 0);
	ck_assert(result.ordered);
	unload(&index, &result);
	/* Places, not numbers: these the encoder wants to rise. */
	rows.rows[places[_i]].offset += 1000;
	bat_bytes_clear(&file);
	encode(&rows, 6, &file);
	temp_dir_write(&temp, BAT_CHECKPOINT_FILE, bat_bytes_of_buf(&file));
	ck_assert_int_eq(load(&index, &result), 0);
	ck_assert(!result.ordered);
	unload(&index, &result);
	bat_bytes_free(&file);
	rows_free(&rows);
}
END_TEST

/* ---- files that are not --------------------------------------------------- */

static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static void
seal(struct bat_buf *file)
{
	bat_bytes_put_le(file->data + 8,
	    bat_crc_of(bat_bytes_slice(file->data + BAT_CHECKPOINT_CRC_START,
		file->length - BAT_CHECKPOINT_CRC_START)),
	    4);
}

/* In the front, in the first entries and anywhere; the checksum is right
 * again, so that the decoder has to notice. */
START_TEST(a_changed_byte_under_a_right_checksum_is_judged_alike)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct rows rows;
	uint32_t state = (uint32_t)_i;

	loader_rows_make(&rows, 1);
	encode(&rows, 6, &file);
	for (unsigned i = 0; i < 12; i++) {
		size_t range = i < 4 ? 300 : i < 8 ? 3000 : file.length - 12;
		size_t at = 12 + next_random(&state) % range;
		uint8_t kept = file.data[at];

		file.data[at] = (uint8_t)(kept ^
		    (1 + next_random(&state) % 255));
		seal(&file);
		(void)both_ways(bat_bytes_of_buf(&file));
		file.data[at] = kept;
	}
	bat_bytes_free(&file);
	rows_free(&rows);
}
END_TEST

START_TEST(a_changed_byte_under_the_old_checksum_is_never_loaded)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct rows rows;
	uint32_t state = 99;

	loader_rows_make(&rows, 1);
	encode(&rows, 6, &file);
	for (unsigned i = 0; i < 10; i++) {
		size_t at = next_random(&state) % file.length;

		file.data[at] ^= 0x10;
		ck_assert(!both_ways(bat_bytes_of_buf(&file)));
		file.data[at] ^= 0x10;
	}
	bat_bytes_free(&file);
	rows_free(&rows);
}
END_TEST

START_TEST(a_file_that_ends_early_is_never_loaded)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct rows rows;
	uint32_t state = 7;
	size_t whole;

	loader_rows_make(&rows, 1);
	encode(&rows, 6, &file);
	whole = file.length;
	for (unsigned i = 0; i < 10; i++) {
		file.length = i < 4 ? i * 5 :
				      next_random(&state) % (whole - 13) + 13;
		if (i >= 4)
			seal(&file);
		ck_assert(!both_ways(bat_bytes_of_buf(&file)));
		file.length = whole;
		seal(&file);
	}
	bat_bytes_free(&file);
	rows_free(&rows);
}
END_TEST

/* Bytes that look like the start of an entry, in the extensions of the entry
 * in the middle. */
START_TEST(what_only_looks_like_an_entry_does_not_split_the_file)
{
	static const uint8_t map[] = "\x81\xa3x.y\xc4\x0e"
				     "\xde\x00\x11\xa8"
				     "event_id\xc4\x10";
	struct bat_buf file = BAT_BUF_EMPTY;
	struct rows rows;

	loader_rows_make(&rows, 1);
	for (size_t i = 0; i < rows.count; i++)
		rows.maps[i] = bat_bytes_slice(map, sizeof(map) - 1);
	encode(&rows, 6, &file);
	ck_assert(both_ways(bat_bytes_of_buf(&file)));
	bat_bytes_free(&file);
	rows_free(&rows);
}
END_TEST

START_TEST(a_row_of_an_unknown_segment_is_not_loaded)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct rows rows;

	loader_rows_make(&rows, 1);
	rows.rows[LOADER_ROWS_MANY - 1].segment = LOADER_ROWS_UNKNOWN_SEGMENT;
	encode(&rows, 6, &file);
	ck_assert(!both_ways(bat_bytes_of_buf(&file)));
	bat_bytes_free(&file);
	rows_free(&rows);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("loader_checkpoint");
	TCase *right = tcase_create("right");
	TCase *wrong = tcase_create("wrong");

	tcase_add_checked_fixture(right, set_up, tear_down);
	tcase_add_test(right, every_golden_file_is_loaded_as_it_is_decoded);
	tcase_add_loop_test(right, every_version_is_loaded_as_it_is_decoded, 2,
	    7);
	tcase_add_loop_test(right,
	    gaps_in_the_numbers_of_the_first_half_do_no_harm, 1, 3);
	tcase_add_loop_test(right,
	    rows_that_do_not_rise_are_told_wherever_they_stand, 0, 3);
	suite_add_tcase(suite, right);
	tcase_add_checked_fixture(wrong, set_up, tear_down);
	tcase_add_loop_test(wrong,
	    a_changed_byte_under_a_right_checksum_is_judged_alike, 0, 4);
	tcase_add_test(wrong,
	    a_changed_byte_under_the_old_checksum_is_never_loaded);
	tcase_add_test(wrong, a_file_that_ends_early_is_never_loaded);
	tcase_add_test(wrong,
	    what_only_looks_like_an_entry_does_not_split_the_file);
	tcase_add_test(wrong, a_row_of_an_unknown_segment_is_not_loaded);
	suite_add_tcase(suite, wrong);
	return suite_run(suite);
}
