/*
 * What goes on while a compaction runs: pins, look-ups made before it, rows of a
 * sidecar.
 */
#include "compactions.h"
#include "fake_clock.h"
#include "suite.h"

START_TEST(a_pin_answers_as_before_and_the_next_one_has_everything)
{
	struct bat_pin *old = NULL, *now = NULL;
	struct bat_row first, last, first_now, last_now;
	struct bat_buf bytes = BAT_BUF_EMPTY, file = BAT_BUF_EMPTY;
	struct bat_compacted done;
	struct bat_error error;
	struct bat_store *store;
	struct temp_dir dir;

	compactions_sessions(&dir, 3, 4);
	store = stores_open(&dir, false);
	ck_assert_int_eq(bat_take_pin(store, NULL, &old, &error), 0);
	ck_assert_uint_eq(old->count, 4); /* and an index file */
	temp_dir_read(&dir, "000002.fbat", &file);
	ck_assert(bat_pinned_span(store, old, 1, &first, &last));
	compactions_run(store, &done);

	ck_assert_int_eq(bat_pin_read(old, 1, 0, file.length, &bytes, &error),
	    0);
	ck_assert(
	    bat_bytes_equal(bat_bytes_of_buf(&bytes), bat_bytes_of_buf(&file)));
	ck_assert(bat_pinned_span(store, old, 1, &first_now, &last_now));
	ck_assert_uint_eq(first.seq, first_now.seq);
	ck_assert_uint_eq(last.seq, last_now.seq);
	ck_assert_int_eq(bat_take_pin(store, old, &now, &error), 0);
	ck_assert_ptr_ne(now, old);
	ck_assert_uint_eq(now->visible_count, old->visible_count);
	ck_assert_uint_eq(now->files[0].segment, done.merged);
	ck_assert_uint_eq(now->files[0].size, done.bytes_after);
	ck_assert_uint_eq(now->count, 2);
	bat_pin_release(old);
	bat_pin_release(now);
	stores_close(store);
	bat_bytes_free(&bytes);
	bat_bytes_free(&file);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(what_was_looked_up_before_is_read_after)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	uint32_t ordinals[8];
	struct bat_compacted done;
	struct bat_error error;
	struct bat_store *store;
	struct temp_dir dir;

	compactions_sessions(&dir, 2, 4);
	store = stores_open(&dir, false);
	for (uint32_t i = 0; i < 8; i++)
		ordinals[i] = i;
	bat_read_ahead(store, ordinals, 8, &reading);
	ck_assert_int_eq(bat_read(store, 0, &reading, &error), 0);
	compactions_run(store, &done);
	for (uint32_t i = 1; i < 8; i++) {
		ck_assert_int_eq(bat_read(store, i, &reading, &error), 0);
		ck_assert_uint_eq(reading.row.seq, i);
	}
	ck_assert_uint_eq(reading.row.segment, done.merged);
	bat_reading_free(&reading);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(rows_of_a_sidecar_are_moved_too)
{
	enum { SESSIONS = 3, BATCHES = 30 };
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_draft drafts[STORES_BATCH_MAX];
	struct bat_compacted done;
	struct bat_options options = { .read_only = false };
	struct bat_status status;
	struct bat_store *store;
	struct fake_clock clock;
	struct temp_dir dir;

	/* So late that no file is too young for a sidecar. */
	fake_clock_init(&clock,
	    bat_clock_wall_us(bat_clock_system()) + 60000000, 1000);
	options.clock = &clock.clock;
	temp_dir_make(&dir);
	for (int session = 0; session < SESSIONS; session++) {
		store = stores_open_with(&dir, &options);
		for (size_t i = 0; i < STORES_BATCH_MAX; i++)
			drafts[i] = stores_draft(i % 3 == 0 ? "player:alice" :
							      "player:bob",
			    "room:dungeon", "\xa1x");
		for (int i = 0; i < BATCHES; i++)
			ck_assert_int_eq(stores_append_batch(store, drafts,
					     STORES_BATCH_MAX, NULL, NULL),
			    0);
		stores_close(store);
	}
	store = stores_open_with(&dir, &options);
	bat_status(store, &status);
	ck_assert_int_eq(status.source, BAT_SOURCE_SIDECAR);
	compactions_picture(store, &before);
	stores_close(store);
	/* Nothing of it was read when it begins. */
	store = stores_open_with(&dir, &options);
	compactions_run(store, &done);
	compactions_picture(store, &after);
	stores_assert_same(&after, &before, "in the handle");
	stores_append(store, "player:alice", "\xa1y");
	stores_close(store);
	bat_bytes_clear(&after);
	stores_picture(&dir, PICTURE_NO_PLACE, &after);
	after.length = before.length;
	stores_assert_same(&after, &before, "opened again");
	bat_bytes_free(&before);
	bat_bytes_free(&after);
	temp_dir_remove(&dir);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("compaction_beside");
	TCase *tcase = tcase_create("beside");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase,
	    a_pin_answers_as_before_and_the_next_one_has_everything);
	tcase_add_test(tcase, what_was_looked_up_before_is_read_after);
	tcase_add_test(tcase, rows_of_a_sidecar_are_moved_too);
	suite_add_tcase(suite, tcase);
	return suite;
}

int
main(void)
{
	return suite_run(make_suite());
}
