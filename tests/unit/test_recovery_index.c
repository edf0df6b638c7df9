/*
 * When an index file is believed, over all golden stores: whatever is wrong
 * with one, the answer is that of the directory without it, the open report
 * says so, and the next append takes it away.
 */
#include <check.h>

#include "rows.h"
#include "stores.h"
#include "subject.h"
#include "suite.h"

/* Golden stores with an index file that is believed. */
static const char *const indexed[] = { "batch", "both-index", "chains",
	"ckpt-only", "clock-back", "compacted-merge", "compacted-retention",
	"compacted-tombstone", "coordinates", "crashed-after-index", "cursors",
	"denials", "empty-segment-indexed", "extensions", "group-commit",
	"header-only-segment", "hidden", "kinds", "many-segments", "mixed",
	"payloads", "projection-cache", "quickstart", "reopened", "signed" };

enum { INDEXED = sizeof(indexed) / sizeof(indexed[0]) };

/* ---- right ones --------------------------------------------------------- */

START_TEST(a_golden_index_is_believed_and_covers_what_it_says)
{
	struct bat_store *store;
	struct bat_status status;
	struct subject subject;

	subject_golden(&subject, indexed[_i]);
	subject_write(&subject, bat_bytes_of_buf(&subject.bytes));
	store = stores_open(&subject.dir, true);
	bat_status(store, &status);
	ck_assert_int_eq(status.source,
	    subject.file[6] == 'f' ? BAT_SOURCE_ROWINDEX :
				     BAT_SOURCE_CHECKPOINT);
	ck_assert_uint_eq(status.source_version, subject.rows.head.version);
	ck_assert_uint_eq(status.restored_count, subject.rows.count);
	ck_assert(!stores_report_has(store, "dropped"));
	stores_close(store);
	subject_free(&subject);
}
END_TEST

/* Versions 2 to 6 from the same events; 2 and 3 have no lanes, and an index
 * without lanes of events that have some is not right. */
START_TEST(a_checkpoint_of_each_version_gives_the_same_view)
{
	static const char *const shapes[] = { "ckpt-only", "reopened",
		"extensions", "hidden", "both-index", "crashed-after-index" };
	struct subject subject;

	subject_golden(&subject, shapes[_i]);
	subject.file = "index.ckpt";
	for (uint16_t version = 2; version <= 6; version++) {
		const struct bat_checkpoint_source source = rows_source(
		    &subject.rows);
		const struct bat_checkpoint_input input = rows_input(
		    &subject.rows, &source);
		struct bat_buf file = BAT_BUF_EMPTY;
		struct bat_status status;
		struct bat_store *store;

		ck_assert_int_eq(
		    bat_checkpoint_encode(&input, version, &file, NULL), 0);
		subject_write(&subject, bat_bytes_of_buf(&file));
		store = stores_open(&subject.dir, true);
		bat_status(store, &status);
		ck_assert_int_eq(status.source, BAT_SOURCE_CHECKPOINT);
		ck_assert_uint_eq(status.source_version, version);
		stores_close(store);
		assert_as_without(&subject, false, shapes[_i]);
		bat_bytes_free(&file);
	}
	subject_free(&subject);
}
END_TEST

/* ---- wrong ones --------------------------------------------------------- */

START_TEST(an_index_with_a_row_less_is_dropped)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct subject subject;
	size_t step;

	subject_golden(&subject, indexed[_i]);
	step = subject.rows.count < 20 ? 3 : subject.rows.count / 5;
	for (size_t gone = 0; gone < subject.rows.count;
	     gone += gone == 0 && step > 1 ? step - 1 : step) {
		struct rows *rows = &subject.rows;
		struct bat_row row = rows->rows[gone];
		struct bat_slice map = rows->maps[gone];
		size_t behind = rows->count - gone - 1;

		memmove(&rows->rows[gone], &rows->rows[gone + 1],
		    behind * sizeof(row));
		memmove(&rows->maps[gone], &rows->maps[gone + 1],
		    behind * sizeof(map));
		rows->count--;
		subject_encode(&subject, &file);
		memmove(&rows->rows[gone + 1], &rows->rows[gone],
		    behind * sizeof(row));
		memmove(&rows->maps[gone + 1], &rows->maps[gone],
		    behind * sizeof(map));
		rows->rows[gone] = row;
		rows->maps[gone] = map;
		rows->count++;
		subject_write(&subject, bat_bytes_of_buf(&file));
		assert_as_without(&subject, true, indexed[_i]);
	}
	assert_replaced(&subject, indexed[_i]);
	bat_bytes_free(&file);
	subject_free(&subject);
}
END_TEST

START_TEST(an_index_of_another_store_is_dropped)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct subject subject, other;

	subject_golden(&subject, indexed[_i]);
	subject_golden(&other, indexed[(_i + 1) % INDEXED]);
	other.file = subject.file;
	other.rows.head.watermark_segment = subject.rows.head.watermark_segment;
	other.rows.head.watermark_offset = subject.rows.head.watermark_offset;
	for (size_t i = 0; i < other.rows.count; i++)
		if (other.rows.rows[i].segment >
		    other.rows.head.watermark_segment)
			other.rows.rows[i].segment =
			    other.rows.head.watermark_segment;
	subject_encode(&other, &file);
	subject_write(&subject, bat_bytes_of_buf(&file));
	assert_as_without(&subject, true, indexed[_i]);
	assert_replaced(&subject, indexed[_i]);
	bat_bytes_free(&file);
	subject_free(&subject);
	subject_free(&other);
}
END_TEST

START_TEST(a_cut_index_is_dropped)
{
	struct subject subject;
	size_t step;

	subject_golden(&subject, indexed[_i]);
	step = subject.bytes.length / 9 + 1;
	for (size_t length = 0; length < subject.bytes.length;
	     length += length < 16 ? 5 : step) {
		subject_write(&subject,
		    bat_bytes_slice(subject.bytes.data, length));
		assert_as_without(&subject, true, indexed[_i]);
	}
	subject_write(&subject,
	    bat_bytes_slice(subject.bytes.data, subject.bytes.length - 1));
	assert_as_without(&subject, true, indexed[_i]);
	assert_replaced(&subject, indexed[_i]);
	subject_free(&subject);
}
END_TEST

/* Bytes 6 and 7 are the version, which the CRC does not cover: version 4 with
 * the content of 6 is right still. */
START_TEST(an_index_with_a_flipped_byte_changes_nothing)
{
	struct subject subject;
	size_t step;

	subject_golden(&subject, indexed[_i]);
	step = subject.bytes.length / 11 + 1;
	for (size_t at = 0; at < subject.bytes.length;
	     at += at < 13 ? 1 : step) {
		uint8_t mask = (uint8_t)(1u << at % 8);

		subject.bytes.data[at] ^= mask;
		subject_write(&subject, bat_bytes_of_buf(&subject.bytes));
		subject.bytes.data[at] ^= mask;
		assert_as_without(&subject, at != 6, indexed[_i]);
	}
	assert_replaced(&subject, indexed[_i]);
	subject_free(&subject);
}
END_TEST

static TCase *
golden(void)
{
	TCase *tcase = tcase_create("golden");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase,
	    a_golden_index_is_believed_and_covers_what_it_says, 0, INDEXED);
	tcase_add_loop_test(tcase,
	    a_checkpoint_of_each_version_gives_the_same_view, 0, 6);
	tcase_add_loop_test(tcase, an_index_with_a_row_less_is_dropped, 0,
	    INDEXED);
	tcase_add_loop_test(tcase, an_index_of_another_store_is_dropped, 0,
	    INDEXED);
	tcase_add_loop_test(tcase, a_cut_index_is_dropped, 0, INDEXED);
	tcase_add_loop_test(tcase, an_index_with_a_flipped_byte_changes_nothing,
	    0, INDEXED);
	return tcase;
}

int
main(void)
{
	Suite *suite = suite_create("recovery_index");

	suite_add_tcase(suite, golden());
	return suite_run(suite);
}
