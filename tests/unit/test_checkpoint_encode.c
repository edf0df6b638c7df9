/*
 * The encoders of checkpoint over rows that were made up: routing, and
 * sources that lie. test_checkpoint.c has the rest of the module.
 */
#include "checkpoint.h"

#include "rows.h"
#include "sample.h"
#include "suite.h"

/* Rows of two entities, all with one time and clock but for the first. */
static void
make_rows(struct rows *rows, size_t count)
{
	uint32_t number;

	rows_init(rows);
	ck_assert_int_eq(
	    bat_intern_put(&rows->names, bat_bytes_text("z"), &number), 0);
	ck_assert_int_eq(
	    bat_intern_put(&rows->names, bat_bytes_text("a"), &number), 0);
	rows->rows = calloc(count + 1, sizeof(*rows->rows));
	rows->maps = calloc(count + 1, sizeof(*rows->maps));
	ck_assert_ptr_nonnull(rows->rows);
	ck_assert_ptr_nonnull(rows->maps);
	rows->count = count;
	for (size_t i = 0; i < count; i++) {
		struct bat_row *row = &rows->rows[i];

		row->id = bat_id_from_number(i + 1);
		row->entity = i % 2;
		row->seq = 10 + i;
		row->wall_ms = 5;
	}
}

static void
assert_routing(struct rows *rows, const char *wanted)
{
	struct bat_checkpoint_source source = rows_source(rows);
	struct bat_checkpoint_input input = rows_input(rows, &source);
	struct bat_buf buf = BAT_BUF_EMPTY, text = BAT_BUF_EMPTY;
	struct bat_pack_reader reader;

	ck_assert_int_eq(bat_checkpoint_encode_routing(&input, &buf, NULL), 0);
	reader = BAT_PACK_READER(bat_bytes_of_buf(&buf));
	/* Numbers, `[` for a list or struct, entity names. */
	while (bat_pack_left(&reader) > 0) {
		struct bat_pack_token token;

		ck_assert_int_eq(bat_pack_next(&reader, &token), 0);
		if (token.type == BAT_PACK_MAP || token.type == BAT_PACK_ARRAY)
			ck_assert_int_eq(bat_bytes_append_text(&text, "["), 0);
		else if (token.type == BAT_PACK_UINT)
			ck_assert_int_eq(bat_bytes_append_format(&text, "%llu ",
					     (unsigned long long)token.number),
			    0);
		else if (token.bytes.length == 1)
			ck_assert_int_eq(
			    bat_bytes_append_slice(&text, token.bytes), 0);
	}
	sample_assert_same(bat_bytes_of_buf(&text), bat_bytes_text(wanted),
	    "routing");
	bat_bytes_free(&buf);
	bat_bytes_free(&text);
}

START_TEST(routing_of_no_rows_is_empty)
{
	struct rows rows;

	make_rows(&rows, 0);
	assert_routing(&rows, "[0 0 [[");
	rows_free(&rows);
}
END_TEST

START_TEST(runs_are_sorted_by_name_and_told_by_time)
{
	struct rows rows;

	make_rows(&rows, 4);
	/* a: sequences 11 and 13, z: 10 and 12; the later time is last. */
	assert_routing(&rows,
	    "[4 1 [[0 4 10 13 "
	    "[[a0 2 11 13 [z2 2 10 12 ");
	rows.rows[0].wall_ms = 6;
	rows.rows[3].id = BAT_ID_ZERO;
	assert_routing(&rows,
	    "[4 1 [[0 4 10 13 "
	    "[[a0 2 13 11 [z2 2 12 10 ");
	rows.rows[2].wall_ms = 6;
	rows.rows[2].clock = 1;
	assert_routing(&rows,
	    "[4 1 [[0 4 10 13 "
	    "[[a0 2 13 11 [z2 2 10 12 ");
	rows_free(&rows);
}
END_TEST

START_TEST(many_rows_are_cut_into_chunks)
{
	struct rows rows;

	make_rows(&rows, 65537);
	assert_routing(&rows,
	    "[65537 2 [[0 32769 10 32778 [32769 32768 32779 65546 "
	    "[[a0 32768 11 65545 [z32768 32769 10 65546 ");
	rows.count = 65536;
	assert_routing(&rows,
	    "[65536 1 [[0 65536 10 65545 "
	    "[[a0 32768 11 65545 [z32768 32768 10 65544 ");
	rows_free(&rows);
}
END_TEST

START_TEST(a_source_that_does_not_keep_its_word_is_refused)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_checkpoint_source source;
	struct bat_checkpoint_input input;
	struct rows rows;

	make_rows(&rows, 4);
	source = rows_source(&rows);
	input = rows_input(&rows, &source);
	ck_assert_int_eq(bat_bytes_append_text(&buf, "before"), 0);
	for (uint16_t version = 2; version <= 6; version++) {
		input.row_count = 5;
		ck_assert_int_eq(bat_checkpoint_encode(&input, version, &buf,
				     NULL),
		    BAT_USE_INVALID);
		input.row_count = 3;
		ck_assert_int_eq(bat_checkpoint_encode(&input, version, &buf,
				     NULL),
		    BAT_USE_INVALID);
		input.row_count = 4;
		rows.rows[1].scope = 2;
		ck_assert_int_eq(bat_checkpoint_encode(&input, version, &buf,
				     NULL),
		    BAT_USE_INVALID);
		rows.rows[1].scope = 0;
	}
	sample_assert_same(bat_bytes_of_buf(&buf), bat_bytes_text("before"),
	    "a failed encoder");
	bat_bytes_free(&buf);
	rows_free(&rows);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("checkpoint_encode");
	TCase *tcase = tcase_create("checkpoint_encode");

	tcase_add_test(tcase, routing_of_no_rows_is_empty);
	tcase_add_test(tcase, runs_are_sorted_by_name_and_told_by_time);
	tcase_add_test(tcase, many_rows_are_cut_into_chunks);
	tcase_add_test(tcase, a_source_that_does_not_keep_its_word_is_refused);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
