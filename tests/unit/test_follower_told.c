/*
 * A read-only store follows whoever writes: what footers and hidden ranges tell
 * of events that show already, and where damage is named.
 */
#include "followed.h"
#include "suite.h"

START_TEST(damage_is_named_only_below_a_higher_segment)
{
	struct bat_store *store;
	struct bat_status status;
	struct marks marks;
	unsigned count = 0;

	make_segment(1, &marks, &count);
	maker.file.data[marks.list[0].size + 20] ^= 1;
	put("000001.fbat", &maker.file, 0, marks.list[0].size);
	store = open_reader();
	put("000001.fbat", &maker.file, marks.list[0].size, marks.list[3].size);
	(void)refresh(store);
	assert_shows(store, 1, "growing", 0);
	make_segment(2, &marks, &count);
	put_whole("000002.fbat", &maker.file);
	(void)refresh(store);
	bat_status(store, &status);
	ck_assert_uint_eq(status.damaged_count, 1);
	ck_assert(stores_report_has(store, "damage: segment 1"));
	/* BEGIN is gone, so its items count one by one; and the line of what
	 * is damaged. */
	ck_assert_uint_eq(head_of(store).visible_count, 1 + 1 + 5 + 6);
	stores_close(store);
}
END_TEST

START_TEST(a_footer_that_knows_other_numbers_is_believed)
{
	struct bat_store *store;
	size_t frames;

	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "a");
	maker.next_seq += 5;
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "b");
	frames = maker.file.length;
	maker_footer(&maker);
	put("000001.fbat", &maker.file, 0, frames);
	store = open_reader();
	ck_assert_uint_eq(head_of(store).last_seq, 1);
	put("000001.fbat", &maker.file, frames, maker.file.length);
	ck_assert(refresh(store));
	ck_assert_uint_eq(head_of(store).last_seq, 6);
	ck_assert_uint_eq(head_of(store).generation, 2);
	assert_shows(store, 2, "sealed", 0);
	stores_close(store);
}
END_TEST

/* Read every event once; how often it was begun anew. */
static unsigned
read_all(struct bat_store *store)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	unsigned anew = 0;

	for (uint32_t i = 0; anew < 100 && i < head_of(store).ordinals; i++)
		if (bat_read(store, i, &reading, NULL) == BAT_DATA_DISAGREES) {
			anew++;
			i = UINT32_MAX;
		}
	bat_reading_free(&reading);
	return anew;
}

/* A segment of sixty events; its footer lies of the one in the middle. Three of
 * its rows are compared where nothing else is wrong: most looks miss it. */
static void
put_liar(uint64_t id)
{
	struct bat_segment_footer footer;
	char name[BAT_SEGMENT_NAME_SIZE];

	maker_segment(&maker, id);
	for (unsigned i = 0; i < 60; i++)
		maker_event(&maker, "player:alice", "\xa1x");
	maker_footer(&maker);
	ck_assert_int_eq(bat_segment_decode_trailer(maker.file.data +
				 maker.file.length - BAT_SEGMENT_TRAILER_SIZE,
			     maker.file.length, 8, &footer),
	    0);
	/* A byte of an id. */
	maker.file.data[footer.rows_offset + 30 * BAT_SEGMENT_ROW_SIZE] ^= 1;
	bat_segment_name(id, name);
	put_whole(name, &maker.file);
}

/* Whatever has the directory read anew: no read finds the lie a second time. */
START_TEST(a_footer_that_was_found_to_lie_is_not_believed_again)
{
	struct bat_store *store;
	uint64_t generation;

	put_liar(1);
	store = open_reader();
	ck_assert_uint_le(read_all(store), 1);
	for (unsigned i = 0; i < 10; i++) {
		generation = head_of(store).generation;
		hide(i, i + 1);
		ck_assert(refresh(store));
		ck_assert_uint_eq(head_of(store).generation, generation + 1);
		ck_assert_uint_eq(read_all(store), 0);
		ck_assert_uint_eq(head_of(store).generation, generation + 1);
		assert_shows(store, 59, "a footer that lies", i);
	}
	stores_close(store);
}
END_TEST

START_TEST(where_one_footer_lied_no_later_one_is_believed_by_a_sample)
{
	struct bat_store *store;
	uint64_t generation;

	put_liar(1);
	store = open_reader();
	ck_assert_uint_le(read_all(store), 1);
	generation = head_of(store).generation;
	for (unsigned id = 2; id <= 6; id++) {
		put_liar(id);
		ck_assert(refresh(store));
		ck_assert_uint_eq(read_all(store), 0);
		ck_assert_uint_eq(head_of(store).generation, generation);
		assert_shows(store, 60 * id, "later footers that lie", id);
	}
	stores_close(store);
}
END_TEST

START_TEST(what_is_hidden_later_goes_and_may_come_back)
{
	struct bat_store *store;
	struct marks marks;
	unsigned count = 0;

	make_segment(1, &marks, &count);
	put_whole("000001.fbat", &maker.file);
	store = open_reader();
	(void)refresh(store);
	hide(1, 3);
	ck_assert(refresh(store));
	assert_shows(store, 4, "hidden", 0);
	ck_assert_uint_eq(bat_find_seq(store, 1), BAT_MAP_NONE);
	ck_assert_uint_eq(head_of(store).generation, 2);
	unlink_it(BAT_HIDDEN_FILE);
	ck_assert(refresh(store));
	assert_shows(store, 6, "back", 0);
	ck_assert_uint_eq(head_of(store).generation, 3);
	/* And nothing moves when nothing does. */
	ck_assert(!refresh(store));
	ck_assert_uint_eq(head_of(store).generation, 3);
	stores_close(store);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("follower_told");
	TCase *tcase = tcase_create("core");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, damage_is_named_only_below_a_higher_segment);
	tcase_add_test(tcase, a_footer_that_knows_other_numbers_is_believed);
	tcase_add_test(tcase,
	    a_footer_that_was_found_to_lie_is_not_believed_again);
	tcase_add_test(tcase,
	    where_one_footer_lied_no_later_one_is_believed_by_a_sample);
	tcase_add_test(tcase, what_is_hidden_later_goes_and_may_come_back);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
