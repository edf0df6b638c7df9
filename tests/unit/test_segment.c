#include "segment.h"

#include <check.h>
#include <stdlib.h>

#include "hex.h"
#include "suite.h"
#include "temp_dir.h"

/* store/FORMAT.md 14.3 */
static const char header_1[] =
    "464241540000002984a776657273696f6e01a5666c61677300aa637265617465645f"
    "6e7300aa7365676d656e745f696401";
static const char header_1000000[] =
    "464241540000003584a776657273696f6e01a5666c61677300aa637265617465645f"
    "6e73cf17979cfe362a0000aa7365676d656e745f6964ce000f4240";

START_TEST(names_have_six_digits_or_more)
{
	static const struct {
		uint64_t id;
		const char *name;
	} cases[] = {
		{ 0, "000000.fbat" },
		{ 1, "000001.fbat" },
		{ 999999, "999999.fbat" },
		{ 1000000, "1000000.fbat" },
		{ UINT64_MAX, "18446744073709551615.fbat" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char name[BAT_SEGMENT_NAME_SIZE];
		uint64_t id = 77;

		bat_segment_name(cases[i].id, name);
		ck_assert_str_eq(name, cases[i].name);
		ck_assert(bat_segment_id_of_name(name, &id));
		ck_assert_uint_eq(id, cases[i].id);
	}
}
END_TEST

START_TEST(only_the_canonical_spelling_is_a_segment)
{
	static const char *const names[] = {
		"",
		".fbat",
		"1.fbat",
		"0000001.fbat",
		"+00001.fbat",
		" 00001.fbat",
		"-00001.fbat",
		"000001.fba",
		"000001.fbat ",
		"000001.FBAT",
		"000001.fbat.compact-src",
		"00000a.fbat",
		"18446744073709551616.fbat",
		"99999999999999999999999999.fbat",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t id = 77;

		ck_assert_msg(!bat_segment_id_of_name(names[i], &id), "%s",
		    names[i]);
		ck_assert_uint_eq(id, 77);
	}
}
END_TEST

START_TEST(headers_are_batpaks_bytes)
{
	struct bat_segment_header header;
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_segment_encode_header(1, 0, &buf), 0);
	ck_assert(test_hex_equals(bat_bytes_of_buf(&buf), header_1));
	ck_assert_int_eq(bat_segment_decode_header(bat_bytes_of_buf(&buf),
			     &header, NULL),
	    0);
	ck_assert_uint_eq(header.id, 1);
	ck_assert_int_eq(header.created_ns, 0);
	ck_assert_uint_eq(header.length, 49);

	bat_bytes_clear(&buf);
	ck_assert_int_eq(
	    bat_segment_encode_header(1000000, 1700000000000000000, &buf), 0);
	ck_assert(test_hex_equals(bat_bytes_of_buf(&buf), header_1000000));
	ck_assert_int_eq(bat_segment_decode_header(bat_bytes_of_buf(&buf),
			     &header, NULL),
	    0);
	ck_assert_uint_eq(header.id, 1000000);
	ck_assert_int_eq(header.created_ns, 1700000000000000000);
	ck_assert_uint_eq(header.length, 61);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(a_header_is_appended_behind_what_is_there)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_bytes_append_text(&buf, "xy"), 0);
	ck_assert_int_eq(bat_segment_encode_header(1, 0, &buf), 0);
	ck_assert(test_hex_equals(bat_bytes_slice(buf.data + 2, buf.length - 2),
	    header_1));
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(every_cut_of_a_header_is_torn)
{
	struct bat_segment_header header;
	struct bat_buf buf = BAT_BUF_EMPTY;

	test_hex_append(&buf, header_1);
	for (size_t cut = 0; cut < buf.length; cut++)
		ck_assert_int_eq(
		    bat_segment_decode_header(bat_bytes_slice(buf.data, cut),
			&header, NULL),
		    BAT_DATA_TORN);
	bat_bytes_free(&buf);
}
END_TEST

static int
decode_changed(size_t offset, uint8_t byte)
{
	struct bat_segment_header header;
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_error error = { 0 };
	int code;

	test_hex_append(&buf, header_1);
	buf.data[offset] = byte;
	code = bat_segment_decode_header(bat_bytes_of_buf(&buf), &header,
	    &error);
	ck_assert_int_eq(error.code, code);
	bat_bytes_free(&buf);
	return code;
}

START_TEST(headers_that_are_none_are_told_apart)
{
	ck_assert_int_eq(decode_changed(0, 'f'), BAT_DATA_CORRUPT);
	ck_assert_int_eq(decode_changed(3, 'X'), BAT_DATA_CORRUPT);
	/* A length above the limit is no torn header. */
	ck_assert_int_eq(decode_changed(4, 0x80), BAT_DATA_CORRUPT);
	ck_assert_int_eq(decode_changed(6, 0x10), BAT_DATA_CORRUPT);
	ck_assert_int_eq(decode_changed(6, 0x0f), BAT_DATA_TORN);
	ck_assert_int_eq(decode_changed(7, 0x28), BAT_DATA_CORRUPT);
	/* The version, then a key. */
	ck_assert_int_eq(decode_changed(17, 2), BAT_DATA_FUTURE);
	ck_assert_int_eq(decode_changed(17, 0), BAT_DATA_FUTURE);
	ck_assert_int_eq(decode_changed(19, 'x'), BAT_DATA_CORRUPT);
}
END_TEST

START_TEST(the_appendix_trailer_says_where_its_parts_are)
{
	/* FORMAT.md 5.6 */
	static const char hex[] = "39080000000000000300000053445832";
	struct bat_segment_footer footer;
	struct bat_buf buf = BAT_BUF_EMPTY;

	test_hex_append(&buf, hex);
	ck_assert_int_eq(
	    bat_segment_decode_trailer(buf.data, 2675, 57, &footer), 0);
	ck_assert_uint_eq(footer.table_offset, 2105);
	ck_assert_uint_eq(footer.rows_offset, 2173);
	ck_assert_uint_eq(footer.row_count, 3);
	buf.data[15] = '3';
	ck_assert_int_eq(bat_segment_decode_trailer(buf.data, 2675, 57,
			     &footer),
	    BAT_DATA_FUTURE);
	ck_assert_uint_eq(footer.table_offset, 2105);
	/* By chance: there is no place that the number could mean. */
	ck_assert_int_eq(
	    bat_segment_decode_trailer(buf.data, 2120, 57, &footer), BAT_END);
	ck_assert_int_eq(
	    bat_segment_decode_trailer(buf.data, 2675, 2106, &footer), BAT_END);
	buf.data[15] = 'x';
	ck_assert_int_eq(
	    bat_segment_decode_trailer(buf.data, 2675, 57, &footer), BAT_END);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(trailers_whose_numbers_do_not_fit_are_refused)
{
	static const struct {
		uint64_t table_offset, row_count, file_size;
	} cases[] = {
		{ 56, 3, 2675 },   /* table inside the header */
		{ 2173, 3, 2675 }, /* no byte for the table */
		{ 2174, 3, 2675 }, /* table behind the rows */
		{ UINT64_MAX, 3, 2675 },
		{ 2105, 17, 2675 }, /* rows reach over the file's start */
		{ 2105, UINT32_MAX, 2675 },
		{ 0, 0, 15 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t trailer[BAT_SEGMENT_TRAILER_SIZE];
		struct bat_segment_footer footer;

		bat_bytes_put_le(trailer, cases[i].table_offset, 8);
		bat_bytes_put_le(trailer + 8, cases[i].row_count, 4);
		memcpy(trailer + 12, "SDX2", 4);
		ck_assert_int_eq(bat_segment_decode_trailer(trailer,
				     cases[i].file_size, 57, &footer),
		    BAT_DATA_CORRUPT);
	}
}
END_TEST

START_TEST(tables_are_lists_of_strings_and_nothing_else)
{
	static const char *const bad[] = { "", "80", "91", "9101", "92a161",
		"ddffffffff", "91a1ff", "91c0" };
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_slice *strings;
	uint32_t count;

	test_hex_append(&buf, "92a161a2c3a4ffff");
	ck_assert_int_eq(bat_segment_decode_table(bat_bytes_of_buf(&buf),
			     &strings, &count),
	    0);
	ck_assert_uint_eq(count, 2);
	ck_assert(bat_bytes_equal(strings[0], bat_bytes_text("a")));
	ck_assert(bat_bytes_equal(strings[1], bat_bytes_text("\xc3\xa4")));
	free(strings);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		bat_bytes_clear(&buf);
		test_hex_append(&buf, bad[i]);
		ck_assert_int_eq(bat_segment_decode_table(
				     bat_bytes_of_buf(&buf), &strings, &count),
		    BAT_DATA_CORRUPT);
	}
	bat_bytes_free(&buf);
}
END_TEST

/* Decode a real footer and write it again. */
static void
check_footer_again(const char *store, const char *name)
{
	struct bat_buf file = BAT_BUF_EMPTY, again = BAT_BUF_EMPTY;
	struct bat_segment_footer footer;
	struct temp_dir dir;
	struct bat_slice *strings;
	struct bat_intern names;
	struct bat_row *rows;
	uint32_t count, number;

	temp_dir_make(&dir);
	temp_dir_fill(&dir, store);
	temp_dir_read(&dir, name, &file);
	temp_dir_remove(&dir);
	ck_assert_int_eq(bat_segment_decode_trailer(file.data + file.length -
				 BAT_SEGMENT_TRAILER_SIZE,
			     file.length, 57, &footer),
	    0);
	ck_assert_int_eq(
	    bat_segment_decode_table(
		bat_bytes_slice(file.data + footer.table_offset,
		    (size_t)(footer.rows_offset - footer.table_offset)),
		&strings, &count),
	    0);
	bat_intern_init(&names);
	/* Other numbers than the file's: the encoder has to renumber. */
	ck_assert_int_eq(bat_intern_put(&names, bat_bytes_text(""), &number),
	    0);
	for (uint32_t i = count; i-- > 0;)
		ck_assert_int_eq(bat_intern_put(&names, strings[i], &number),
		    0);
	rows = malloc((footer.row_count + 1) * sizeof(*rows));
	ck_assert_ptr_nonnull(rows);
	for (uint32_t i = 0; i < footer.row_count; i++) {
		bat_segment_decode_row(file.data + footer.rows_offset +
			(size_t)i * BAT_SEGMENT_ROW_SIZE,
		    &rows[i]);
		ck_assert_uint_lt(rows[i].entity, count);
		rows[i].entity = bat_intern_find(&names,
		    strings[rows[i].entity]);
		rows[i].scope = bat_intern_find(&names, strings[rows[i].scope]);
	}
	ck_assert_int_eq(bat_segment_encode_footer(rows, footer.row_count,
			     &names, footer.table_offset, &again),
	    0);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&again),
	    bat_bytes_slice(file.data + footer.table_offset,
		file.length - (size_t)footer.table_offset)));
	free(rows);
	free(strings);
	bat_intern_free(&names);
	bat_bytes_free(&file);
	bat_bytes_free(&again);
}

START_TEST(footers_of_batpak_are_written_again_to_the_byte)
{
	check_footer_again(TEST_DATA "/golden/quickstart/store", "000001.fbat");
	check_footer_again(TEST_DATA "/golden/coordinates/store",
	    "000001.fbat");
	check_footer_again(TEST_DATA "/golden/many-segments/store",
	    "000007.fbat");
	check_footer_again(TEST_DATA "/golden/kinds/store", "000001.fbat");
	check_footer_again(TEST_DATA "/golden/chains/store", "000001.fbat");
}
END_TEST

START_TEST(a_footer_without_rows_is_a_list_and_a_trailer)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_intern names;

	bat_intern_init(&names);
	ck_assert_int_eq(bat_segment_encode_footer(NULL, 0, &names, 57, &buf),
	    0);
	ck_assert(test_hex_equals(bat_bytes_of_buf(&buf),
	    "90 3900000000000000 00000000 53445832"));
	bat_intern_free(&names);
	bat_bytes_free(&buf);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("segment");
	TCase *tcase = tcase_create("segment");

	tcase_add_test(tcase, names_have_six_digits_or_more);
	tcase_add_test(tcase, only_the_canonical_spelling_is_a_segment);
	tcase_add_test(tcase, headers_are_batpaks_bytes);
	tcase_add_test(tcase, a_header_is_appended_behind_what_is_there);
	tcase_add_test(tcase, every_cut_of_a_header_is_torn);
	tcase_add_test(tcase, headers_that_are_none_are_told_apart);
	tcase_add_test(tcase, the_appendix_trailer_says_where_its_parts_are);
	tcase_add_test(tcase, trailers_whose_numbers_do_not_fit_are_refused);
	tcase_add_test(tcase, tables_are_lists_of_strings_and_nothing_else);
	tcase_add_test(tcase, footers_of_batpak_are_written_again_to_the_byte);
	tcase_add_test(tcase, a_footer_without_rows_is_a_list_and_a_trailer);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
