/*
 * Segments that are copies, misnamed, missing or of another store, and what a
 * compaction left; what cannot be mended is left and said.
 */
#include <check.h>
#include <string.h>
#include <unistd.h>

#include "bat.h"
#include "maker.h"
#include "repaired.h"
#include "segment.h"
#include "stores.h"
#include "suite.h"
#include "survey.h"

/* ---- segments that are others -------------------------------------------------------- */

START_TEST(a_second_copy_of_a_segment_goes)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	start("many-segments-noindex");
	temp_dir_read(&temp, "000003.fbat", &file);
	temp_dir_write(&temp, "000011.fbat", bat_bytes_of_buf(&file));
	assert_repaired(0);
	bat_bytes_free(&file);
}
END_TEST

/* A segment of `count` events, from the first one on. */
static void
put_events_into(struct maker *maker, const struct temp_dir *dir, uint64_t id,
    unsigned first, unsigned count)
{
	char value[] = "\xa2"
		       "00";

	maker_segment(maker, id);
	for (unsigned i = first; i < first + count; i++) {
		value[1] = (char)('0' + i / 10);
		value[2] = (char)('0' + i % 10);
		maker_event(maker, i % 3 == 0 ? "player:bob" : "player:alice",
		    value);
	}
	maker_footer(maker);
	maker_save(maker, dir);
}

static void
put_events(struct maker *maker, uint64_t id, unsigned first, unsigned count)
{
	put_events_into(maker, &temp, id, first, count);
}

/* As put_events, but nothing is written. */
static void
skip_events(struct maker *maker, unsigned count)
{
	struct temp_dir away;

	temp_dir_make(&away);
	put_events_into(maker, &away, 1, 0, count);
	temp_dir_remove(&away);
}

/*
 * The sources of a merge whose marker is gone: batpak's has the number of the
 * first one, ours comes behind them. Events of the segment behind it all were
 * there once, and stay.
 */
START_TEST(the_sources_that_a_compaction_left_go)
{
	const uint64_t number = _i == 0 ? 1 : 4;
	struct temp_dir mine;
	struct maker maker;
	char name[BAT_SEGMENT_NAME_SIZE];

	temp_dir_make(&mine);
	temp = mine;
	maker_init(&maker);
	put_events(&maker, number, 0, 30);
	put_events(&maker, 5, 30, 10);
	maker_free(&maker);
	stores_picture(&temp, PICTURE_NO_PLACE, &intact);
	maker_init(&maker);
	for (uint64_t id = 1; id <= 3; id++) {
		if (id != number)
			put_events(&maker, id, (unsigned)id * 10 - 10, 10);
		else
			skip_events(&maker, 10);
	}
	maker_free(&maker);
	assert_repaired(0);
	for (uint64_t id = 1; id <= 3; id++) {
		bat_segment_name(id, name);
		ck_assert(temp_dir_has(&temp, name) == (id == number));
	}
	ck_assert(temp_dir_has(&temp, "000005.fbat"));
}
END_TEST

START_TEST(a_segment_under_another_name_gets_its_own_back)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	start("many-segments");
	temp_dir_read(&temp, "000003.fbat", &file);
	temp_dir_unlink(&temp, "000003.fbat");
	temp_dir_write(&temp, "000033.fbat", bat_bytes_of_buf(&file));
	assert_repaired(0);
	ck_assert(temp_dir_has(&temp, "000003.fbat"));
	bat_bytes_free(&file);
}
END_TEST

/* What the index told of the others is written down before it goes. */
START_TEST(where_a_segment_is_missing_the_others_keep_their_numbers)
{
	start("many-segments");
	temp_dir_unlink(&temp, "000004.fbat");
	assert_repaired(192);
}
END_TEST

START_TEST(an_index_of_another_store_goes)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct temp_dir other;

	stores_golden(&other, "reopened");
	temp_dir_read(&other, "index.fbati", &file);
	temp_dir_remove(&other);
	start("many-segments-noindex");
	temp_dir_write(&temp, "index.fbati", bat_bytes_of_buf(&file));
	assert_repaired(0);
	ck_assert(temp_dir_has(&temp, ".batfs/cut/index.fbati"));
	bat_bytes_free(&file);
}
END_TEST

/* A read-only mount shows a hole as an event and counts it. Who tells numbers
 * does not: he is heard all the same, so that a second repair finds nothing. */
START_TEST(numbers_behind_a_hole_are_those_that_were_told)
{
	struct bat_survey_piece piece;
	struct bat_buf index = BAT_BUF_EMPTY;
	struct maker maker, other;

	temp_dir_make(&temp);
	maker_init(&maker);
	maker_init(&other);
	maker_segment(&maker, 1);
	maker_segment(&other, 1);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "1");
	maker_event(&other, "player:a",
	    "\xa1"
	    "1");
	maker_bytes(&maker, "\0\0\0\x04....hole", 12);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "2");
	maker_event(&other, "player:a",
	    "\xa1"
	    "2");
	maker_save(&maker, &temp);
	maker_index(&other, true, 5, &index);
	temp_dir_write(&temp, "index.fbati", bat_bytes_of_buf(&index));
	repair(bat_file_posix(), temp.path, true);
	ck_assert_uint_gt(counts.acts, 0);
	piece = event_behind(1, maker.rows[0].offset + 1);
	ck_assert_uint_eq(piece.seq, 1);
	repair(bat_file_posix(), temp.path, true);
	ck_assert_uint_eq(counts.acts, 0);
	bat_bytes_free(&index);
	maker_free(&maker);
	maker_free(&other);
}
END_TEST

/* The hole at the end of a segment goes: what is counted behind it, in a segment
 * that nothing is wrong with, would be one less. */
START_TEST(numbers_of_the_next_segment_do_not_follow_a_hole_that_goes)
{
	struct bat_buf index = BAT_BUF_EMPTY;
	struct maker maker;
	uint64_t offset;

	temp_dir_make(&temp);
	maker_init(&maker);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:a", "\xa1x");
	offset = maker_event(&maker, "player:b", "\xa1y");
	maker_footer(&maker);
	maker_save(&maker, &temp);
	maker_segment(&maker, 2);
	maker_event(&maker, "player:a", "\xa1z");
	maker_save(&maker, &temp);
	maker_index(&maker, true, 5, &index);
	if (_i == 1)
		temp_dir_write(&temp, "index.fbati", bat_bytes_of_buf(&index));
	stores_picture(&temp, PICTURE_NO_PLACE, &intact);
	flip("000001.fbat", offset + 20);
	assert_repaired(1);
	bat_bytes_free(&index);
	maker_free(&maker);
}
END_TEST

/* Without its markers an item that the footer leaves out would be an event. */
START_TEST(what_a_footer_leaves_out_does_not_come_back)
{
	struct bat_buf picture = BAT_BUF_EMPTY;
	struct maker maker;

	temp_dir_make(&temp);
	maker_init(&maker);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:a", "\xa1x");
	maker_marker(&maker, 6, 2);
	maker.unlisted = true;
	maker_event(&maker, "player:b", "\xa1y");
	maker_bytes(&maker, "\0\0\0\x04....hole", 12);
	maker_marker(&maker, 6, 1);
	maker_event(&maker, "player:c", "\xa1z");
	maker_marker(&maker, 7, 0);
	maker_footer(&maker);
	maker_save(&maker, &temp);
	repair(bat_file_posix(), temp.path, true);
	ck_assert_uint_eq(counts.events, 2);
	stores_picture(&temp, PICTURE_NO_PLACE, &picture);
	ck_assert_ptr_null(memmem(picture.data, picture.length, "player:b", 8));
	repair(bat_file_posix(), temp.path, true);
	ck_assert_uint_eq(counts.acts, 0);
	ck_assert_uint_eq(counts.events, 2);
	bat_bytes_free(&picture);
	maker_free(&maker);
}
END_TEST

/* ---- compactions -------------------------------------------------------------------------- */

START_TEST(a_compaction_that_did_not_end_is_taken_back)
{
	start("compaction-pending");
	assert_repaired(0);
	ck_assert(!temp_dir_has(&temp, "compaction.pending.json"));
}
END_TEST

START_TEST(a_marker_that_cannot_be_read_goes_and_its_source_has_its_name_again)
{
	start("compaction-pending");
	temp_dir_write(&temp, "compaction.pending.json",
	    bat_bytes_text("rubbish"));
	ck_assert(!opens_for_writing());
	assert_repaired(0);
	ck_assert(temp_dir_has(&temp, ".batfs/cut/compaction.pending.json"));
	ck_assert(!temp_dir_has(&temp, "000001.fbat.compact-src"));
}
END_TEST

/* ---- what is left ----------------------------------------------------------------------------- */

START_TEST(a_whole_store_is_left_alone)
{
	static const char *const shapes[] = { "mixed", "batch", "hidden",
		"compacted-merge", "compacted-retention", "chains" };
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		stores_golden(&temp, shapes[i]);
		stores_visited(&temp);
		bat_bytes_clear(&before);
		bat_bytes_clear(&after);
		stores_files(&temp, &before);
		repair(bat_file_posix(), temp.path, true);
		ck_assert_uint_eq(counts.acts + counts.left, 0);
		stores_files(&temp, &after);
		stores_assert_same(&after, &before, shapes[i]);
		temp_dir_remove(&temp);
	}
	temp_dir_make(&temp);
	bat_bytes_free(&before);
	bat_bytes_free(&after);
}
END_TEST

/* What was left, by its text. */
static char left_text[512];

static int
take_left(void *context, const struct bat_repair_act *act)
{
	(void)context;
	if (act->kind == BAT_REPAIR_LEFT)
		snprintf(left_text, sizeof(left_text), "%s", act->text);
	return 0;
}

/* One place is left, these words name it and the way out. */
static void
assert_left(const char *place, const char *remedy)
{
	const struct bat_repair_sink sink = { NULL, take_left };

	left_text[0] = '\0';
	ck_assert_int_eq(bat_repair(bat_file_posix(), temp.path, true, &sink,
			     &counts, NULL),
	    0);
	ck_assert_uint_eq(counts.left, 1);
	ck_assert_msg(strstr(left_text, place) != NULL &&
		strstr(left_text, remedy) != NULL,
	    "%s", left_text);
}

/* And when that was done, the store is whole. */
static void
assert_helped(void)
{
	repair(bat_file_posix(), temp.path, true);
	ck_assert_uint_eq(counts.left, 0);
	ck_assert(opens_for_writing());
}

START_TEST(hidden_ranges_that_do_not_hold_are_left_and_said)
{
	stores_golden(&temp, "hidden");
	flip("visibility_ranges.fbv", 14);
	assert_left("visibility_ranges.fbv", "move it away");
	ck_assert(temp_dir_has(&temp, "visibility_ranges.fbv"));
	ck_assert(!opens_for_writing());
	temp_dir_unlink(&temp, "visibility_ranges.fbv");
	assert_helped();
}
END_TEST

START_TEST(a_segment_of_another_version_is_left_and_said)
{
	struct temp_dir saved;
	struct bat_salvage_counts salvaged;

	stores_golden(&temp, "many-segments-noindex");
	/* The version, in the header's map. */
	temp_dir_flip(&temp, "000002.fbat", 17, 3);
	assert_left("segment 2", "batctl salvage");
	ck_assert(!opens_for_writing());
	temp_dir_make(&saved);
	ck_assert_int_eq(bat_repair_salvage(bat_file_posix(), temp.path,
			     saved.path, NULL, &salvaged, NULL),
	    0);
	ck_assert_uint_eq(salvaged.events, 302);
	temp_dir_remove(&temp);
	temp = saved;
	assert_helped();
}
END_TEST

START_TEST(a_segment_that_is_no_regular_file_is_left_and_said)
{
	char path[400];

	stores_golden(&temp, "many-segments-noindex");
	snprintf(path, sizeof(path), "%s/000099.fbat", temp.path);
	ck_assert_int_eq(symlink("/dev/null", path), 0);
	assert_left("no regular files", "move them away");
	ck_assert(!opens_for_writing());
	ck_assert_int_eq(unlink(path), 0);
	assert_helped();
}
END_TEST

START_TEST(a_source_that_may_be_a_part_of_its_segment_is_left_and_said)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	stores_golden(&temp, "many-segments-noindex");
	temp_dir_read(&temp, "000001.fbat", &file);
	temp_dir_write(&temp, "000001.fbat.compact-src",
	    bat_bytes_of_buf(&file));
	assert_left("000001.fbat.compact-src", "move one of them away");
	temp_dir_unlink(&temp, "000001.fbat.compact-src");
	assert_helped();
	bat_bytes_free(&file);
}
END_TEST

START_TEST(a_store_that_somebody_holds_is_not_touched)
{
	struct bat_error error = { .text = "" };
	struct bat_store *store;

	stores_golden(&temp, "quickstart");
	store = stores_open(&temp, false);
	ck_assert_int_eq(bat_repair(bat_file_posix(), temp.path, true, NULL,
			     &counts, &error),
	    BAT_WORLD_LOCKED);
	stores_close(store);
}
END_TEST

/* Bytes of two cuts at one place are both kept. */
START_TEST(what_was_kept_before_is_not_written_over)
{
	unsigned long long offset = 0;
	char name[64];

	start("many-segments-noindex");
	for (unsigned i = 0; i < 2; i++) {
		offset = event_behind(2, 0).offset;
		flip("000002.fbat", offset + 40);
		repair(bat_file_posix(), temp.path, true);
	}
	snprintf(name, sizeof(name), ".batfs/cut/000002-%llu", offset);
	ck_assert(temp_dir_has(&temp, name));
	snprintf(name, sizeof(name), ".batfs/cut/000002-%llu.1", offset);
	ck_assert(temp_dir_has(&temp, name));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("repair_others");
	TCase *others = tcase_create("others");

	tcase_add_checked_fixture(others, NULL, teardown);
	tcase_add_test(others, a_second_copy_of_a_segment_goes);
	tcase_add_loop_test(others, the_sources_that_a_compaction_left_go, 0,
	    2);
	tcase_add_test(others, a_segment_under_another_name_gets_its_own_back);
	tcase_add_test(others,
	    where_a_segment_is_missing_the_others_keep_their_numbers);
	tcase_add_test(others, an_index_of_another_store_goes);
	tcase_add_test(others, numbers_behind_a_hole_are_those_that_were_told);
	tcase_add_loop_test(others,
	    numbers_of_the_next_segment_do_not_follow_a_hole_that_goes, 0, 2);
	tcase_add_test(others, what_a_footer_leaves_out_does_not_come_back);
	tcase_add_test(others, a_compaction_that_did_not_end_is_taken_back);
	tcase_add_test(others,
	    a_marker_that_cannot_be_read_goes_and_its_source_has_its_name_again);
	tcase_add_test(others, a_whole_store_is_left_alone);
	tcase_add_test(others,
	    hidden_ranges_that_do_not_hold_are_left_and_said);
	tcase_add_test(others, a_segment_of_another_version_is_left_and_said);
	tcase_add_test(others,
	    a_segment_that_is_no_regular_file_is_left_and_said);
	tcase_add_test(others,
	    a_source_that_may_be_a_part_of_its_segment_is_left_and_said);
	tcase_add_test(others, a_store_that_somebody_holds_is_not_touched);
	tcase_add_test(others, what_was_kept_before_is_not_written_over);
	suite_add_tcase(suite, others);
	return suite_run(suite);
}
