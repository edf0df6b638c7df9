/* Damage in a segment, in every way that refuses a writable mount. */
#include <check.h>
#include <string.h>

#include "bat.h"
#include "maker.h"
#include "repaired.h"
#include "stores.h"
#include "suite.h"
#include "survey.h"

START_TEST(a_damaged_frame_is_cut_out_and_the_others_keep_their_numbers)
{
	static const char *const shapes[] = { "mixed", "many-segments-noindex",
		"missing-footer", "reopened" };

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		start(shapes[i]);
		flip("000003.fbat", event_behind(3, 900).offset + 50);
		assert_repaired(1);
		teardown();
		intact = BAT_BUF_EMPTY;
	}
	temp_dir_make(&temp);
}
END_TEST

/* As a power cut leaves it where syncs come late. */
START_TEST(zeros_before_sound_frames_of_the_newest_segment_are_cut_out)
{
	struct bat_survey_piece event;
	struct bat_buf file = BAT_BUF_EMPTY;

	start("crashed-open");
	event = event_behind(1, 2000);
	temp_dir_read(&temp, "000001.fbat", &file);
	memset(file.data + event.offset, 0, (size_t)event.length);
	temp_dir_write(&temp, "000001.fbat", bat_bytes_of_buf(&file));
	ck_assert(!opens_for_writing());
	assert_repaired(1);
	bat_bytes_free(&file);
}
END_TEST

START_TEST(a_header_that_does_not_hold_is_written_anew)
{
	start("many-segments-noindex");
	flip("000002.fbat", 1);
	ck_assert(!opens_for_writing());
	assert_repaired(0);
}
END_TEST

START_TEST(an_older_segment_shorter_than_its_header_goes)
{
	start("many-segments-noindex");
	temp_dir_truncate(&temp, "000002.fbat", 20);
	ck_assert(!opens_for_writing());
	assert_repaired(33);
}
END_TEST

START_TEST(rubbish_under_the_name_of_a_segment_goes)
{
	struct bat_buf rubbish = BAT_BUF_EMPTY;

	start("many-segments-noindex");
	for (unsigned i = 0; i < 9000; i++)
		ck_assert_int_eq(bat_bytes_append_byte(&rubbish,
				     (uint8_t)(i * 7 + i / 13)),
		    0);
	temp_dir_write(&temp, "000004.fbat", bat_bytes_of_buf(&rubbish));
	ck_assert(!opens_for_writing());
	assert_repaired(33);
	bat_bytes_free(&rubbish);
}
END_TEST

START_TEST(a_footer_that_does_not_hold_is_written_anew)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	start("many-segments-noindex");
	temp_dir_read(&temp, "000002.fbat", &file);
	/* The clock of its last row. */
	flip("000002.fbat", file.length - 16 - 162 + 34);
	/* It told the numbers, but they can be counted here. */
	assert_repaired(0);
	bat_bytes_free(&file);
}
END_TEST

START_TEST(items_of_a_batch_with_a_hole_stay)
{
	struct temp_dir mine;
	struct maker maker;
	uint64_t bad;

	temp_dir_make(&mine);
	temp = mine;
	maker_init(&maker);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice", "\xa1x");
	maker_marker(&maker, 6, 3);
	maker_event(&maker, "player:alice", "\xa1y");
	bad = maker_event(&maker, "player:bob", "\xa1z");
	maker_event(&maker, "player:carol", "\xa1w");
	maker_marker(&maker, 7, 0);
	maker_event(&maker, "player:alice", "\xa1v");
	maker_save(&maker, &temp);
	stores_picture(&temp, PICTURE_NO_PLACE, &intact);
	flip("000001.fbat", bad + 30);
	ck_assert(!opens_for_writing());
	assert_repaired(1);
	maker_free(&maker);
}
END_TEST

START_TEST(torn_ends_are_cut)
{
	static const char *const shapes[] = { "torn-tail", "torn-not-last",
		"batch-torn", "bad-crc", "zero-tail", "empty-segment",
		"empty-segment-indexed" };

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		start(shapes[i]);
		assert_repaired(0);
		teardown();
		intact = BAT_BUF_EMPTY;
	}
	temp_dir_make(&temp);
}
END_TEST

/* Space ahead is nothing to repair at the end of the store; in front of another
 * segment batpak refuses it, and it goes. No copy of it is kept. */
START_TEST(space_ahead_goes_where_another_segment_follows)
{
	uint8_t ahead[9000];
	struct bat_slice ones;

	memset(ahead, 0xff, sizeof(ahead));
	ones = bat_bytes_slice(ahead, sizeof(ahead));
	start("crashed-open");
	temp_dir_append(&temp, "000001.fbat", ones);
	repair(bat_file_posix(), temp.path, true);
	ck_assert_uint_eq(counts.acts + counts.left, 0);
	teardown();
	intact = BAT_BUF_EMPTY;
	start("missing-footer");
	temp_dir_append(&temp, "000003.fbat", ones);
	assert_repaired(0);
	ck_assert_uint_eq(counts.cut_bytes, 0);
	ck_assert_uint_eq(kept_bytes(), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("repair");
	TCase *damage = tcase_create("damage");

	tcase_add_checked_fixture(damage, NULL, teardown);
	tcase_add_test(damage,
	    a_damaged_frame_is_cut_out_and_the_others_keep_their_numbers);
	tcase_add_test(damage,
	    zeros_before_sound_frames_of_the_newest_segment_are_cut_out);
	tcase_add_test(damage, a_header_that_does_not_hold_is_written_anew);
	tcase_add_test(damage, an_older_segment_shorter_than_its_header_goes);
	tcase_add_test(damage, rubbish_under_the_name_of_a_segment_goes);
	tcase_add_test(damage, a_footer_that_does_not_hold_is_written_anew);
	tcase_add_test(damage, items_of_a_batch_with_a_hole_stay);
	tcase_add_test(damage, torn_ends_are_cut);
	tcase_add_test(damage, space_ahead_goes_where_another_segment_follows);
	suite_add_tcase(suite, damage);
	return suite_run(suite);
}
