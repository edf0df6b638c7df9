/*
 * When an index file is believed, of directories that changed behind one and of
 * rows made up: a lie is dropped as a whole and is no damage, and damage to a
 * frame does not make the index a lie.
 */
#include <check.h>

#include "maker.h"
#include "rows.h"
#include "segment.h"
#include "stores.h"
#include "subject.h"
#include "suite.h"

/* ---- right ones --------------------------------------------------------- */

START_TEST(beside_a_row_index_that_holds_the_checkpoint_is_stale)
{
	struct bat_store *store;
	struct bat_status status;
	struct temp_dir dir;

	stores_golden(&dir, "both-index");
	store = stores_open(&dir, false);
	bat_status(store, &status);
	ck_assert_int_eq(status.source, BAT_SOURCE_ROWINDEX);
	stores_append(store, "player:new", "\xa1x");
	ck_assert(temp_dir_has(&dir, "index.fbati"));
	ck_assert(!temp_dir_has(&dir, "index.ckpt"));
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(beside_a_row_index_that_does_not_hold_the_checkpoint_is_asked)
{
	struct bat_store *store;
	struct bat_status status;
	struct temp_dir dir;

	stores_golden(&dir, "both-index");
	temp_dir_flip(&dir, "index.fbati", 100, 1);
	store = stores_open(&dir, false);
	bat_status(store, &status);
	ck_assert_int_eq(status.source, BAT_SOURCE_CHECKPOINT);
	ck_assert_uint_gt(status.tail_count, 0);
	ck_assert(stores_report_has(store, "index.fbati: dropped"));
	stores_append(store, "player:new", "\xa1x");
	ck_assert(!temp_dir_has(&dir, "index.fbati"));
	ck_assert(temp_dir_has(&dir, "index.ckpt"));
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* ---- wrong ones --------------------------------------------------------- */

START_TEST(the_names_of_a_dropped_index_are_not_handed_on)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct subject subject, other;

	subject_golden(&subject, "quickstart");
	subject_golden(&other, "coordinates");
	subject_write(&subject, bat_bytes_of_buf(&other.bytes));
	assert_replaced(&subject, "foreign names");
	temp_dir_read(&subject.dir, subject.file, &file);
	ck_assert_ptr_nonnull(
	    memmem(file.data, file.length, "player:alice", 12));
	for (size_t i = 2; i < other.rows.names.count; i++) {
		struct bat_slice name = bat_intern_get(&other.rows.names,
		    (uint32_t)i);

		ck_assert(name.length < 12 ||
		    memmem(file.data, file.length, name.data, name.length) ==
			NULL);
	}
	bat_bytes_free(&file);
	subject_free(&subject);
	subject_free(&other);
}
END_TEST

START_TEST(an_index_of_before_a_segment_went_is_dropped)
{
	struct subject subject;
	char name[BAT_SEGMENT_NAME_SIZE];
	uint64_t id = _i == 0 ? 1 : 3;

	subject_golden(&subject, "reopened");
	bat_segment_name(id, name);
	temp_dir_unlink(&subject.dir, name);
	bat_bytes_clear(&subject.unindexed);
	stores_picture(&subject.dir, PICTURE_WHOLE, &subject.unindexed);
	subject_write(&subject, bat_bytes_of_buf(&subject.bytes));
	assert_as_without(&subject, true, "a segment is missing");
	assert_replaced(&subject, "a segment is missing");
	subject_free(&subject);
}
END_TEST

/* A segment below the watermark of which it has no rows at all. */
START_TEST(an_index_of_before_a_segment_came_is_dropped)
{
	struct subject subject;
	struct bat_buf file = BAT_BUF_EMPTY;
	size_t kept = 0;

	subject_golden(&subject, "reopened");
	for (size_t i = 0; i < subject.rows.count; i++)
		if (subject.rows.rows[i].segment != 2) {
			subject.rows.rows[kept] = subject.rows.rows[i];
			subject.rows.maps[kept++] = subject.rows.maps[i];
		}
	subject.rows.count = kept;
	subject_encode(&subject, &file);
	subject_write(&subject, bat_bytes_of_buf(&file));
	assert_as_without(&subject, true, "no rows of a segment");
	assert_replaced(&subject, "no rows of a segment");
	bat_bytes_free(&file);
	subject_free(&subject);
}
END_TEST

/* Segments 1 to 3 become one, as a compaction does; the index is older. */
START_TEST(an_index_of_before_a_compaction_is_dropped)
{
	struct subject subject;
	struct bat_buf merged = BAT_BUF_EMPTY;

	subject_golden(&subject, "reopened");
	for (uint64_t id = 1; id <= 3; id++) {
		struct bat_buf file = BAT_BUF_EMPTY;
		char name[BAT_SEGMENT_NAME_SIZE];
		size_t start, end;

		bat_segment_name(id, name);
		temp_dir_read(&subject.dir, name, &file);
		start = id == 1 ? 0 : 8 + bat_bytes_get_be32(file.data + 4);
		end = (size_t)bat_bytes_get_le64(file.data + file.length - 16);
		ck_assert_int_eq(bat_bytes_append(&merged, file.data + start,
				     end - start),
		    0);
		temp_dir_unlink(&subject.dir, name);
		bat_bytes_free(&file);
	}
	temp_dir_write(&subject.dir, "000001.fbat", bat_bytes_of_buf(&merged));
	bat_bytes_clear(&subject.unindexed);
	stores_picture(&subject.dir, PICTURE_WHOLE, &subject.unindexed);
	subject_write(&subject, bat_bytes_of_buf(&subject.bytes));
	assert_as_without(&subject, true, "of before a compaction");
	assert_replaced(&subject, "of before a compaction");
	bat_bytes_free(&merged);
	subject_free(&subject);
}
END_TEST

/* ---- rows that lie ------------------------------------------------------ */

static void
made_free(struct temp_dir *dir, struct maker *maker, struct bat_buf *index)
{
	temp_dir_remove(dir);
	maker_free(maker);
	bat_bytes_free(index);
}

static void
assert_made(const struct temp_dir *dir, uint64_t events, bool dropped,
    const char *what)
{
	for (int read_only = 1; read_only >= 0; read_only--) {
		struct bat_store *store = stores_open(dir, read_only == 1);
		struct bat_buf picture = BAT_BUF_EMPTY;
		struct bat_head head;

		bat_head(store, &head);
		ck_assert_msg(head.visible_count == events, "%s: %u events",
		    what, (unsigned)head.visible_count);
		ck_assert_msg(stores_report_has(store, "dropped") == dropped,
		    "%s: dropped or not", what);
		picture_of(store, PICTURE_WHOLE, &picture);
		ck_assert_ptr_null(
		    memmem(picture.data, picture.length, "damaged", 7));
		stores_close(store);
		bat_bytes_free(&picture);
	}
}

/* Of as many bytes, but the frames begin elsewhere: what is read there is no
 * damage of the store. */
START_TEST(rows_with_other_boundaries_are_a_lie_and_no_damage)
{
	struct bat_buf index = BAT_BUF_EMPTY;
	struct temp_dir dir;
	struct maker maker;

	for (int moved = 0; moved < 3; moved++)
		for (int by = -3; by <= 3; by += 6) {
			struct bat_row *row;

			maker_init(&maker);
			temp_dir_make(&dir);
			maker_segment(&maker, 1);
			maker_event(&maker, "player:a",
			    "\xa1"
			    "1");
			maker_event(&maker, "player:b",
			    "\xa1"
			    "2");
			maker_event(&maker, "player:c",
			    "\xa1"
			    "3");
			maker_event(&maker, "player:d",
			    "\xa1"
			    "4");
			maker_save(&maker, &dir);
			row = &maker.rows[moved];
			row[0].length += (uint32_t)by;
			row[1].offset += (uint64_t)by;
			row[1].length -= (uint32_t)by;
			maker_index(&maker, true, 5, &index);
			temp_dir_write(&dir, "index.fbati",
			    bat_bytes_of_buf(&index));
			assert_made(&dir, 4, true, "moved");
			made_free(&dir, &maker, &index);
			index = BAT_BUF_EMPTY;
		}
}
END_TEST

/* Same lengths, other events. */
START_TEST(rows_of_other_events_at_the_same_places_are_a_lie)
{
	struct bat_buf index = BAT_BUF_EMPTY;
	struct maker maker, other;
	struct temp_dir dir;

	maker_init(&maker);
	maker_init(&other);
	other.ids_given = 100;
	temp_dir_make(&dir);
	maker_segment(&other, 1);
	maker_event(&other, "player:a",
	    "\xa1"
	    "1");
	maker_event(&other, "player:a",
	    "\xa1"
	    "2");
	maker_segment(&maker, 1);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "1");
	maker_event(&maker, "player:a",
	    "\xa1"
	    "2");
	maker_save(&maker, &dir);
	ck_assert_uint_eq(maker.file.length, other.file.length);
	maker_index(&other, false, 6, &index);
	temp_dir_write(&dir, "index.ckpt", bat_bytes_of_buf(&index));
	assert_made(&dir, 2, true, "other events");
	maker_free(&other);
	made_free(&dir, &maker, &index);
}
END_TEST

/* Where a batch failed and events were appended behind its BEGIN, the index
 * alone knows that they are none of its items. */
START_TEST(rows_behind_an_unfinished_begin_are_believed)
{
	struct bat_buf index = BAT_BUF_EMPTY;
	struct maker maker;
	struct temp_dir dir;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "1");
	maker_marker(&maker, 6, 2);
	maker.unlisted = true;
	maker_event(&maker, "player:a", "\xa1i");
	maker_event(&maker, "player:a",
	    "\xa1"
	    "2");
	maker_event(&maker, "player:a",
	    "\xa1"
	    "3");
	maker_save(&maker, &dir);
	maker_index(&maker, false, 6, &index);
	temp_dir_write(&dir, "index.ckpt", bat_bytes_of_buf(&index));
	assert_made(&dir, 3, false, "behind a failed batch");
	made_free(&dir, &maker, &index);
}
END_TEST

START_TEST(events_that_the_batch_rule_drops_need_no_rows)
{
	struct bat_buf index = BAT_BUF_EMPTY;
	struct maker maker;
	struct temp_dir dir;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "1");
	maker_marker(&maker, 6, 2);
	maker.unlisted = true;
	maker_event(&maker, "player:a",
	    "\xa1"
	    "2");
	maker_marker(&maker, 7, 0);
	maker_marker(&maker, 6, 1);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "3");
	maker_marker(&maker, 7, 0);
	maker_marker(&maker, 7, 0);
	maker_save(&maker, &dir);
	maker_index(&maker, false, 6, &index);
	temp_dir_write(&dir, "index.ckpt", bat_bytes_of_buf(&index));
	assert_made(&dir, 2, false, "an aborted batch without rows");
	made_free(&dir, &maker, &index);
}
END_TEST

START_TEST(an_index_over_a_torn_tail_goes_before_the_cut)
{
	struct bat_buf index = BAT_BUF_EMPTY, saved = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct maker maker;
	struct temp_dir dir;
	struct bat_head head;
	size_t sound;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "1");
	sound = maker.file.length;
	maker_bytes(&maker, "\0\0\1\0torn", 8);
	maker_save(&maker, &dir);
	maker_index(&maker, true, 5, &index);
	temp_dir_write(&dir, "index.fbati", bat_bytes_of_buf(&index));
	store = stores_open(&dir, false);
	ck_assert(!stores_report_has(store, "dropped"));
	ck_assert(stores_report_has(store, "torn tail"));
	stores_append(store, "player:a",
	    "\xa1"
	    "2");
	ck_assert(!temp_dir_has(&dir, "index.fbati"));
	temp_dir_read(&dir, "000001.fbat", &saved);
	ck_assert_uint_eq(saved.length, sound);
	stores_close(store);
	ck_assert(temp_dir_has(&dir, "index.fbati"));
	store = stores_open(&dir, true);
	bat_head(store, &head);
	ck_assert_uint_eq(head.visible_count, 4);
	ck_assert(!stores_report_has(store, "torn"));
	stores_close(store);
	bat_bytes_free(&saved);
	made_free(&dir, &maker, &index);
}
END_TEST

/* A frame whose CRC is bad is damage, whatever is sampled: the row stays. */
/* What an index has rows of was acknowledged: where such a batch has lost its
 * COMMIT, a cut from its BEGIN on would take it. */
START_TEST(a_bad_frame_behind_items_with_rows_is_no_torn_tail)
{
	struct bat_options writable = { .read_only = false };
	struct bat_buf index = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct bat_error error;
	struct maker maker;
	struct temp_dir dir;
	struct bat_head head;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "1");
	maker_marker(&maker, 6, 2);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "2");
	maker_event(&maker, "player:a",
	    "\xa1"
	    "3");
	maker_bytes(&maker, "\0\0\0\x51torn", 8);
	maker_save(&maker, &dir);
	maker_index(&maker, true, 5, &index);
	temp_dir_write(&dir, "index.fbati", bat_bytes_of_buf(&index));
	store = stores_open(&dir, true);
	bat_head(store, &head);
	ck_assert_uint_eq(head.visible_count, 3);
	stores_close(store);
	ck_assert_int_eq(bat_open(dir.path, &writable, &store, &error),
	    BAT_DATA_CORRUPT);
	temp_dir_read(&dir, "000001.fbat", &after);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&after),
	    bat_bytes_of_buf(&maker.file)));
	bat_bytes_free(&after);
	made_free(&dir, &maker, &index);
}
END_TEST

START_TEST(a_damaged_frame_does_not_drop_the_index)
{
	struct bat_buf index = BAT_BUF_EMPTY, picture = BAT_BUF_EMPTY;
	struct bat_error error = { .text = "" };
	struct bat_store *store;
	struct maker maker;
	struct temp_dir dir;
	uint64_t second, at;

	for (int place = 0; place < 3; place++) {
		maker_init(&maker);
		temp_dir_make(&dir);
		maker_segment(&maker, 1);
		maker_event(&maker, "player:a",
		    "\xa1"
		    "1");
		second = maker_event(&maker, "player:a",
		    "\xa1"
		    "2");
		maker_event(&maker, "player:a",
		    "\xa1"
		    "3");
		maker_save(&maker, &dir);
		maker_index(&maker, true, 5, &index);
		temp_dir_write(&dir, "index.fbati", bat_bytes_of_buf(&index));
		/* In the body, in the CRC, in the length. */
		at = second + (place == 0 ? 60 : place == 1 ? 5 : 2);
		temp_dir_flip(&dir, "000001.fbat", at, 4);
		ck_assert_int_eq(bat_open(dir.path, NULL, &store, &error),
		    BAT_DATA_CORRUPT);
		ck_assert_uint_eq(error.offset, second);
		store = stores_open(&dir, true);
		ck_assert(!stores_report_has(store, "dropped"));
		picture_of(store, PICTURE_WHOLE, &picture);
		ck_assert_ptr_nonnull(memmem(picture.data, picture.length,
		    "damaged\tseq=1\tid=", 17));
		stores_close(store);
		bat_bytes_clear(&picture);
		made_free(&dir, &maker, &index);
		index = BAT_BUF_EMPTY;
	}
	bat_bytes_free(&picture);
}
END_TEST

static TCase *
made(void)
{
	TCase *tcase = tcase_create("made");

	tcase_add_test(tcase,
	    beside_a_row_index_that_holds_the_checkpoint_is_stale);
	tcase_add_test(tcase,
	    beside_a_row_index_that_does_not_hold_the_checkpoint_is_asked);
	tcase_add_test(tcase, the_names_of_a_dropped_index_are_not_handed_on);
	tcase_add_loop_test(tcase, an_index_of_before_a_segment_went_is_dropped,
	    0, 2);
	tcase_add_test(tcase, an_index_of_before_a_segment_came_is_dropped);
	tcase_add_test(tcase, an_index_of_before_a_compaction_is_dropped);
	tcase_add_test(tcase,
	    rows_with_other_boundaries_are_a_lie_and_no_damage);
	tcase_add_test(tcase,
	    rows_of_other_events_at_the_same_places_are_a_lie);
	tcase_add_test(tcase, rows_behind_an_unfinished_begin_are_believed);
	tcase_add_test(tcase, events_that_the_batch_rule_drops_need_no_rows);
	tcase_add_test(tcase, an_index_over_a_torn_tail_goes_before_the_cut);
	tcase_add_test(tcase,
	    a_bad_frame_behind_items_with_rows_is_no_torn_tail);
	tcase_add_test(tcase, a_damaged_frame_does_not_drop_the_index);
	return tcase;
}

int
main(void)
{
	Suite *suite = suite_create("recovery_index_lies");

	suite_add_tcase(suite, made());
	return suite_run(suite);
}
