/* After a disk failed nothing is acknowledged that may be gone. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "faulty_disk.h"
#include "stores.h"
#include "suite.h"
#include "writer_session.h"

START_TEST(after_a_failed_sync_nothing_is_written_any_more)
{
	struct bat_draft draft = stores_draft("player:a", "s",
	    "\xa1"
	    "2");
	struct bat_error error = { .text = "" };
	struct bat_status status;
	struct session session;
	struct bat_batch batch;
	unsigned calls[2];

	session_start(&session);
	if (_i == 1) {
		stores_close(session.store);
		session.options.durability = BAT_DURABLE_FSYNC;
		session_open(&session);
	}
	stores_append(session.store, "player:a",
	    "\xa1"
	    "1");
	ck_assert_int_eq(bat_sync(session.store, NULL), 0);
	faulty_disk_fail(&session.disk, FAULTY_SYNC_DATA, 1, ENOSPC, false);
	if (_i == 1) {
		stores_append(session.store, "player:a",
		    "\xa1"
		    "2");
		ck_assert_int_eq(bat_sync(session.store, NULL),
		    BAT_STATE_STOPPED);
	} else {
		ck_assert_int_eq(stores_append_batch(session.store, &draft, 1,
				     NULL, &batch),
		    BAT_STATE_STOPPED);
		ck_assert_uint_eq(batch.committed, 0);
	}
	calls[0] = faulty_disk_calls(&session.disk, FAULTY_SYNC_DATA) +
	    faulty_disk_calls(&session.disk, FAULTY_SYNC);
	calls[1] = faulty_disk_calls(&session.disk, FAULTY_WRITE);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(stores_append_batch(session.store, &draft, 1,
				     NULL, &batch),
		    BAT_STATE_STOPPED);
	ck_assert_ptr_nonnull(strstr(batch.error.text, "No space"));
	ck_assert_int_eq(bat_sync(session.store, NULL), BAT_STATE_STOPPED);
	ck_assert_int_eq(bat_checkpoint(session.store, NULL),
	    BAT_STATE_STOPPED);
	bat_status(session.store, &status);
	ck_assert(status.stopped);
	ck_assert_int_eq(status.writer_code, BAT_STATE_STOPPED);
	ck_assert_ptr_nonnull(strstr(status.writer_text, "No space"));
	ck_assert_int_eq(bat_close(session.store, &error), BAT_STATE_STOPPED);
	ck_assert_uint_eq(faulty_disk_calls(&session.disk, FAULTY_SYNC_DATA) +
		faulty_disk_calls(&session.disk, FAULTY_SYNC),
	    calls[0]);
	ck_assert_uint_eq(faulty_disk_calls(&session.disk, FAULTY_WRITE),
	    calls[1]);
	ck_assert(!temp_dir_has(&session.dir, "index.ckpt"));
	session_open(&session);
	ck_assert_uint_ge(count_of(session.store), 2);
	ck_assert_uint_le(count_of(session.store), 3);
	stores_append(session.store, "player:a",
	    "\xa1"
	    "3");
	session_end(&session);
}
END_TEST

/* The sync of a segment that is sealed, while rotating and while closing. */
START_TEST(after_a_failed_seal_nothing_is_written_any_more)
{
	struct bat_draft draft = stores_draft("player:a", "s",
	    "\xa1"
	    "2");
	struct bat_error error = { .text = "" };
	struct session session;

	session_start(&session);
	stores_close(session.store);
	session.options.segment_max_bytes = _i == 0 ? 1 : 0;
	session_open(&session);
	stores_append(session.store, "player:a",
	    "\xa1"
	    "1");
	faulty_disk_fail(&session.disk, FAULTY_SYNC, 1, EIO, false);
	if (_i == 0) {
		ck_assert_int_eq(stores_append_batch(session.store, &draft, 1,
				     NULL, NULL),
		    BAT_STATE_STOPPED);
		ck_assert_int_eq(stores_append_batch(session.store, &draft, 1,
				     NULL, NULL),
		    BAT_STATE_STOPPED);
	}
	ck_assert_int_eq(bat_close(session.store, &error), BAT_STATE_STOPPED);
	ck_assert_int_eq(error.code, BAT_STATE_STOPPED);
	/* The disk may not have what the index would speak of. */
	ck_assert(!temp_dir_has(&session.dir, "index.ckpt"));
	session_open(&session);
	ck_assert_uint_ge(count_of(session.store), 2);
	stores_append(session.store, "player:a",
	    "\xa1"
	    "3");
	session_end(&session);
}
END_TEST

START_TEST(a_write_that_fails_is_taken_back_and_may_be_tried_again)
{
	struct bat_draft drafts[2] = { stores_draft("player:a", "s",
					   "\xa1"
					   "1"),
		stores_draft("player:b", "s",
		    "\xa1"
		    "2") };
	static const int errnos[] = { ENOSPC, EDQUOT, EIO };
	struct bat_receipt receipts[2];
	struct bat_status status;
	struct session session;
	int code;

	session_start(&session);
	if (_i % 2 == 0)
		stores_append(session.store, "player:z", "\xa1z");
	/* Some of it is written, then nothing goes. */
	for (int i = 0; i < 3; i++) {
		faulty_disk_reset(&session.disk);
		faulty_disk_shorten(&session.disk, FAULTY_WRITE, 1, 40);
		faulty_disk_fail(&session.disk, FAULTY_WRITE, 2, errnos[i],
		    true);
		code = stores_append_batch(session.store, drafts, 2, receipts,
		    NULL);
		ck_assert_int_eq(code,
		    i == 2 ? BAT_WORLD_IO : BAT_WORLD_NO_SPACE);
		bat_status(session.store, &status);
		ck_assert(!status.stopped);
		ck_assert_int_eq(status.writer_code, code);
	}
	faulty_disk_reset(&session.disk);
	ck_assert_int_eq(
	    stores_append_batch(session.store, drafts, 2, receipts, NULL), 0);
	ck_assert_uint_eq(receipts[0].seq, _i % 2 == 0 ? 2 : 1);
	ck_assert_uint_eq(receipts[0].clock, 0);
	bat_status(session.store, &status);
	ck_assert_int_eq(status.writer_code, 0);
	session_again(&session);
	assert_frames(&session.dir, 1, _i % 2 == 0 ? "oeBeeCcF" : "oBeeCcF");
	session_end(&session);
}
END_TEST

START_TEST(a_write_that_cannot_be_taken_back_stops_the_writer)
{
	struct bat_draft draft = stores_draft("player:a", "s",
	    "\xa1"
	    "1");
	struct session session;

	session_start(&session);
	stores_append(session.store, "player:z", "\xa1z");
	faulty_disk_shorten(&session.disk, FAULTY_WRITE, 1, 40);
	faulty_disk_fail(&session.disk, FAULTY_WRITE, 2, ENOSPC, true);
	faulty_disk_fail(&session.disk, FAULTY_TRUNCATE, 1, EIO, true);
	ck_assert_int_eq(stores_append_batch(session.store, &draft, 1, NULL,
			     NULL),
	    BAT_STATE_STOPPED);
	faulty_disk_reset(&session.disk);
	ck_assert_int_eq(stores_append_batch(session.store, &draft, 1, NULL,
			     NULL),
	    BAT_STATE_STOPPED);
	ck_assert_int_eq(bat_close(session.store, NULL), BAT_STATE_STOPPED);
	session_open(&session);
	ck_assert_uint_eq(count_of(session.store), 2);
	stores_append(session.store, "player:a",
	    "\xa1"
	    "1");
	session_end(&session);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("writer_failures");
	TCase *failures = tcase_create("failures");

	tcase_add_loop_test(failures,
	    after_a_failed_sync_nothing_is_written_any_more, 0, 2);
	tcase_add_loop_test(failures,
	    after_a_failed_seal_nothing_is_written_any_more, 0, 2);
	tcase_add_loop_test(failures,
	    a_write_that_fails_is_taken_back_and_may_be_tried_again, 0, 2);
	tcase_add_test(failures,
	    a_write_that_cannot_be_taken_back_stops_the_writer);
	suite_add_tcase(suite, failures);
	return suite_run(suite);
}
