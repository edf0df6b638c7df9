/* What a session writes and what it leaves alone: batches, flags, rotation. */
#include <check.h>

#include "stores.h"
#include "suite.h"
#include "writer_session.h"

/* ---- a session ---------------------------------------------------------- */

START_TEST(a_session_that_appends_nothing_changes_nothing)
{
	static const char *const shapes[] = { "quickstart", "ckpt-only",
		"torn-tail", "empty-segment-indexed", "compaction-pending",
		"hidden", "torn-not-last", "both-index" };
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_draft bad = stores_draft("player:x", "a/b", "\xa1x");
	struct bat_store *store;
	struct temp_dir dir;

	stores_golden(&dir, shapes[_i]);
	stores_visited(&dir);
	stores_files(&dir, &before);
	store = stores_open(&dir, false);
	stores_close(store);
	store = stores_open(&dir, false);
	ck_assert_int_eq(stores_append_batch(store, &bad, 1, NULL, NULL),
	    BAT_USE_INVALID);
	bad = stores_draft("player:x", "s", "\xa1x");
	bad.cause = BAT_CAUSE_LAST;
	ck_assert_int_eq(stores_append_batch(store, &bad, 1, NULL, NULL),
	    BAT_STATE_NOT_FOUND);
	ck_assert_int_eq(stores_append_batch(store, NULL, 0, NULL, NULL), 0);
	ck_assert_int_eq(bat_sync(store, NULL), 0);
	stores_close(store);
	store = stores_open(&dir, true);
	stores_close(store);
	stores_files(&dir, &after);
	stores_assert_same(&after, &before, shapes[_i]);
	bat_bytes_free(&before);
	bat_bytes_free(&after);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_new_store_gets_its_segment_with_the_first_event)
{
	struct session session;

	session_start(&session);
	/* The lock, and our folder. */
	ck_assert_uint_eq(temp_dir_count(&session.dir), 2);
	stores_append(session.store, "player:a",
	    "\xa1"
	    "1");
	ck_assert(temp_dir_has(&session.dir, "000001.fbat"));
	stores_append(session.store, "player:a",
	    "\xa1"
	    "2");
	session_again(&session);
	assert_frames(&session.dir, 1, "oeecF");
	ck_assert(temp_dir_has(&session.dir, "index.ckpt"));
	ck_assert_uint_eq(count_of(session.store), 4);
	session_end(&session);
}
END_TEST

START_TEST(each_session_that_appends_has_open_and_close)
{
	struct session session;

	session_start(&session);
	stores_append(session.store, "player:a",
	    "\xa1"
	    "1");
	session_again(&session);
	session_again(&session);
	stores_append(session.store, "player:a",
	    "\xa1"
	    "2");
	session_again(&session);
	assert_frames(&session.dir, 1, "oecF");
	assert_frames(&session.dir, 2, "oecF");
	ck_assert(!temp_dir_has(&session.dir, "000003.fbat"));
	session_end(&session);
}
END_TEST

START_TEST(a_read_only_store_takes_nothing)
{
	struct bat_draft draft = stores_draft("player:x", "s", "\xa1x");
	struct bat_store *store;
	struct temp_dir dir;

	stores_golden(&dir, "quickstart");
	store = stores_open(&dir, true);
	ck_assert_int_eq(stores_append_batch(store, &draft, 1, NULL, NULL),
	    BAT_USE_READ_ONLY);
	ck_assert_int_eq(bat_checkpoint(store, NULL), BAT_USE_READ_ONLY);
	ck_assert_int_eq(bat_sync(store, NULL), 0);
	stores_close(store);
	ck_assert(!temp_dir_has(&dir, ".batpak.lock"));
	temp_dir_remove(&dir);
}
END_TEST

/* ---- batches ------------------------------------------------------------ */

START_TEST(a_batch_stands_between_markers_and_shares_a_time)
{
	struct bat_draft drafts[3] = { stores_draft("player:a", "s",
					   "\xa1"
					   "1"),
		stores_draft("player:b", "s",
		    "\xa1"
		    "2"),
		stores_draft("player:a", "t",
		    "\xa1"
		    "3") };
	struct bat_receipt receipts[3];
	struct bat_reading readings[3];
	struct session session;

	session_start(&session);
	ck_assert_int_eq(
	    stores_append_batch(session.store, drafts, 3, receipts, NULL), 0);
	for (int i = 0; i < 3; i++) {
		readings[i] = BAT_READING_EMPTY;
		ck_assert_uint_eq(receipts[i].seq, 1 + (unsigned)i);
		ck_assert(!receipts[i].replayed);
		ck_assert_int_eq(bat_read(session.store, 1 + (unsigned)i,
				     &readings[i], NULL),
		    0);
		ck_assert_int_eq(readings[i].fields.timestamp_us,
		    readings[0].fields.timestamp_us);
		ck_assert(bat_id_equal(&readings[i].row.id, &receipts[i].id));
		ck_assert(
		    bat_hash_equal(&readings[i].row.hash, &receipts[i].hash));
		ck_assert_uint_eq(readings[i].row.clock, receipts[i].clock);
	}
	ck_assert_uint_eq(receipts[2].clock, 1);
	ck_assert(bat_hash_equal(&readings[2].row.prev, &receipts[0].hash));
	for (int i = 0; i < 3; i++)
		bat_reading_free(&readings[i]);
	session_again(&session);
	assert_frames(&session.dir, 1, "oBeeeCcF");
	session_end(&session);
}
END_TEST

START_TEST(what_stands_before_a_refused_draft_is_committed)
{
	struct bat_draft drafts[4];
	struct bat_receipt receipt;
	struct session session;
	struct bat_batch batch;

	session_start(&session);
	for (size_t bad = 0; bad < 4; bad++) {
		for (size_t i = 0; i < 4; i++)
			drafts[i] = stores_draft("player:a", "s", "\xa1x");
		drafts[bad].entity = bat_bytes_text("a|b");
		ck_assert_int_eq(stores_append_batch(session.store, drafts, 4,
				     NULL, &batch),
		    BAT_USE_INVALID);
		ck_assert_uint_eq(batch.committed, bad);
		ck_assert_str_ne(batch.error.text, "");
	}
	/* A draft that is refused leaves no trace in those behind it. */
	receipt = stores_append(session.store, "player:a", "\xa1x");
	ck_assert_uint_eq(receipt.clock, 6);
	ck_assert_uint_eq(receipt.seq, 7);
	session_again(&session);
	assert_frames(&session.dir, 1, "oeBeeCBeeeCecF");
	session_end(&session);
}
END_TEST

START_TEST(flags_stand_on_a_draft_alone)
{
	struct bat_draft drafts[2] = { stores_draft("player:a", "s",
					   "\xa1"
					   "1"),
		stores_draft("player:a", "s",
		    "\xa1"
		    "2") };
	struct bat_reading reading = BAT_READING_EMPTY;
	struct session session;
	struct bat_batch batch;

	session_start(&session);
	drafts[0].flags = 0x0b;
	ck_assert_int_eq(
	    stores_append_batch(session.store, drafts, 1, NULL, NULL), 0);
	ck_assert_int_eq(bat_read(session.store, 1, &reading, NULL), 0);
	ck_assert_uint_eq(reading.fields.flags, 0x0b);
	ck_assert_int_eq(stores_append_batch(session.store, drafts, 2, NULL,
			     &batch),
	    BAT_USE_INVALID);
	ck_assert_uint_eq(batch.committed, 0);
	bat_reading_free(&reading);
	session_end(&session);
}
END_TEST

START_TEST(extensions_and_lanes_are_written)
{
	const struct bat_extension extensions[] = {
		{ bat_bytes_text("app.a"), bat_bytes_slice("\0\xff", 2) },
		{ bat_bytes_text("app.b"), BAT_SLICE_EMPTY },
	};
	struct bat_draft draft = stores_draft("player:a", "s",
	    "\xa1"
	    "1");
	struct bat_buf picture = BAT_BUF_EMPTY;
	struct session session;

	session_start(&session);
	draft.extensions = extensions;
	draft.extension_count = 2;
	draft.lane = 5;
	draft.depth = 7;
	ck_assert_int_eq(
	    stores_append_batch(session.store, &draft, 1, NULL, NULL), 0);
	for (int pass = 0; pass < 2; pass++) {
		picture_of_some(session.store, PICTURE_WHOLE, 1, 1, &picture);
		ck_assert_ptr_nonnull(memmem(picture.data, picture.length,
		    "\text app.a=AP8=\text app.b=", 24));
		ck_assert_ptr_nonnull(memmem(picture.data, picture.length,
		    "\tlane=5\tdepth=7\t", 16));
		bat_bytes_clear(&picture);
		session_again(&session);
	}
	bat_bytes_free(&picture);
	session_end(&session);
}
END_TEST

/* ---- rotation ----------------------------------------------------------- */

START_TEST(a_full_segment_gets_its_footer_and_a_successor)
{
	struct bat_draft drafts[5];
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_status status;
	struct session session;

	session_start(&session);
	stores_close(session.store);
	session.options.segment_max_bytes = 2500;
	session_open(&session);
	for (size_t i = 0; i < 5; i++)
		drafts[i] = stores_draft("player:a", "s", "\xa1x");
	stores_append(session.store, "player:a",
	    "\xa1"
	    "1");
	stores_append(session.store, "player:a",
	    "\xa1"
	    "2");
	/* Never inside a batch. */
	ck_assert_int_eq(
	    stores_append_batch(session.store, drafts, 5, NULL, NULL), 0);
	stores_append(session.store, "player:b",
	    "\xa1"
	    "3");
	assert_frames(&session.dir, 1, "oeeBeeeeeCF");
	assert_frames(&session.dir, 2, "e");
	for (int i = 0; i < 8; i++)
		stores_append(session.store, "player:b",
		    "\xa1"
		    "4");
	picture_of(session.store, PICTURE_WHOLE, &before);
	session_again(&session);
	stores_without_index(&session.dir);
	session_again(&session);
	bat_status(session.store, &status);
	ck_assert_int_eq(status.source, BAT_SOURCE_FOOTERS);
	picture_of_some(session.store, PICTURE_WHOLE, 0, 17, &after);
	stores_assert_same(&after, &before, "by footers");
	bat_bytes_free(&before);
	bat_bytes_free(&after);
	session_end(&session);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("writer");
	TCase *sessions = tcase_create("sessions");
	TCase *batches = tcase_create("batches");

	tcase_add_loop_test(sessions,
	    a_session_that_appends_nothing_changes_nothing, 0, 8);
	tcase_add_test(sessions,
	    a_new_store_gets_its_segment_with_the_first_event);
	tcase_add_test(sessions, each_session_that_appends_has_open_and_close);
	tcase_add_test(sessions, a_read_only_store_takes_nothing);
	tcase_add_test(sessions,
	    a_full_segment_gets_its_footer_and_a_successor);
	suite_add_tcase(suite, sessions);
	tcase_add_test(batches,
	    a_batch_stands_between_markers_and_shares_a_time);
	tcase_add_test(batches,
	    what_stands_before_a_refused_draft_is_committed);
	tcase_add_test(batches, flags_stand_on_a_draft_alone);
	tcase_add_test(batches, extensions_and_lanes_are_written);
	suite_add_tcase(suite, batches);
	return suite_run(suite);
}
