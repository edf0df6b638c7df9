/* Appends that wait together are written and synced as one group. */
#include <check.h>

#include "faulty_disk.h"
#include "store_internal.h"
#include "stores.h"
#include "suite.h"
#include "writer_session.h"

/* ---- groups ------------------------------------------------------------- */

static void
nobody_waits(void *context, struct bat_batch *batch)
{
	(void)context;
	(void)batch;
}

/* An append of its own thread's. */
struct caller {
	struct session *session;
	pthread_t thread;
};

static void *
append_once(void *context)
{
	struct caller *caller = context;

	stores_append(caller->session->store, "player:a", "\xa1x");
	return NULL;
}

static void
start_caller(struct caller *caller, struct session *session)
{
	caller->session = session;
	ck_assert_int_eq(
	    pthread_create(&caller->thread, NULL, append_once, caller), 0);
}

static void
expect_callers(struct session *session, size_t count)
{
	struct bat_writer *writer = &session->store->writer;

	pthread_mutex_lock(&writer->queue_mutex);
	writer->expected = count;
	writer->last_ns = INT64_C(400000000000);
	pthread_mutex_unlock(&writer->queue_mutex);
}

START_TEST(who_leads_waits_for_those_who_were_in_the_last_group)
{
	struct caller callers[3];
	struct session session;

	session_start(&session);
	stores_append(session.store, "player:a", "\xa1x");
	expect_callers(&session, 3);
	faulty_disk_reset(&session.disk);
	for (size_t i = 0; i < 3; i++)
		start_caller(&callers[i], &session);
	for (size_t i = 0; i < 3; i++)
		pthread_join(callers[i].thread, NULL);
	ck_assert_uint_eq(faulty_disk_calls(&session.disk, FAULTY_SYNC_DATA),
	    1);
	ck_assert_uint_eq(session.store->writer.expected, 3);
	/* Who does not come again is not waited for twice. */
	session.store->writer.last_ns = 0;
	stores_append(session.store, "player:a", "\xa1x");
	ck_assert_uint_eq(session.store->writer.expected, 1);
	session_end(&session);
}
END_TEST

START_TEST(a_wake_ends_the_wait_for_a_group)
{
	struct session session;
	struct bat_draft draft = stores_draft("player:a", "s", "\xa1x");
	struct bat_receipt receipt;
	struct bat_batch batch = { .drafts = &draft,
		.count = 1,
		.receipts = &receipt,
		.done = nobody_waits };

	session_start(&session);
	expect_callers(&session, 2);
	bat_submit(session.store, &batch);
	bat_wake(session.store);
	ck_assert_uint_eq(bat_commit_run(session.store, true), 1);
	ck_assert_uint_eq(batch.committed, 1);
	session_end(&session);
}
END_TEST

/* ---- groups ------------------------------------------------------------- */

struct told {
	unsigned order[8];
	unsigned count;
};

struct waiting {
	struct bat_batch batch;
	struct bat_receipt receipts[2];
	struct told *told;
	unsigned number;
};

static void
tell(void *context, struct bat_batch *batch)
{
	struct waiting *waiting = context;

	ck_assert_ptr_eq(&waiting->batch, batch);
	waiting->told->order[waiting->told->count++] = waiting->number;
}

START_TEST(all_that_waits_is_written_and_synced_at_once)
{
	struct bat_draft drafts[2] = { stores_draft("player:a", "s",
					   "\xa1"
					   "1"),
		stores_draft("player:b", "s",
		    "\xa1"
		    "2") };
	struct bat_draft bad = stores_draft("player:a", "s|",
	    "\xa1"
	    "1");
	struct waiting waiting[6];
	struct told told = { .count = 0 };
	struct session session;
	unsigned syncs, writes;

	session_start(&session);
	stores_append(session.store, "player:z",
	    "\xa1"
	    "0");
	for (unsigned i = 0; i < 6; i++) {
		waiting[i] = (struct waiting){ .told = &told, .number = i };
		waiting[i].batch = (struct bat_batch){
			.drafts = i == 3 ? &bad : drafts,
			.count = i == 3 ? 1 : 1 + i % 2,
			.done = tell,
			.context = &waiting[i],
			.receipts = waiting[i].receipts,
		};
		bat_submit(session.store, &waiting[i].batch);
	}
	ck_assert_uint_eq(told.count, 0);
	syncs = faulty_disk_calls(&session.disk, FAULTY_SYNC_DATA);
	writes = faulty_disk_calls(&session.disk, FAULTY_WRITE);
	ck_assert_uint_eq(bat_commit_run(session.store, false), 6);
	ck_assert_uint_eq(faulty_disk_calls(&session.disk, FAULTY_SYNC_DATA),
	    syncs + 1);
	ck_assert_uint_eq(faulty_disk_calls(&session.disk, FAULTY_WRITE),
	    writes + 1);
	ck_assert_uint_eq(told.count, 6);
	for (unsigned i = 0; i < 6; i++) {
		ck_assert_uint_eq(told.order[i], i);
		ck_assert_int_eq(waiting[i].batch.code,
		    i == 3 ? BAT_USE_INVALID : 0);
		ck_assert_uint_eq(waiting[i].batch.committed,
		    i == 3 ? 0 : 1 + i % 2);
	}
	/* 0: a; 1: a, b; 2: a; 4: a; 5: a, b */
	ck_assert_uint_eq(waiting[5].receipts[0].seq, 7);
	ck_assert_uint_eq(waiting[5].receipts[0].clock, 4);
	ck_assert_uint_eq(waiting[5].receipts[1].clock, 1);
	ck_assert_uint_eq(bat_commit_run(session.store, false), 0);
	bat_wake(session.store);
	ck_assert_uint_eq(bat_commit_run(session.store, true), 0);
	session_again(&session);
	assert_frames(&session.dir, 1, "oeeBeeCeeBeeCcF");
	session_end(&session);
}
END_TEST

START_TEST(closing_commits_what_still_waits)
{
	struct bat_draft draft = stores_draft("player:a", "s",
	    "\xa1"
	    "1");
	struct told told = { .count = 0 };
	struct waiting waiting = { .told = &told };
	struct session session;

	session_start(&session);
	waiting.batch = (struct bat_batch){ .drafts = &draft,
		.count = 1,
		.done = tell,
		.context = &waiting,
		.receipts = waiting.receipts };
	bat_submit(session.store, &waiting.batch);
	session_again(&session);
	ck_assert_uint_eq(told.count, 1);
	ck_assert_int_eq(waiting.batch.code, 0);
	ck_assert_uint_eq(count_of(session.store), 3);
	session_end(&session);
}
END_TEST

/* ---- rotation ----------------------------------------------------------- */

/* Several batches of one group, each longer than a segment. */
START_TEST(a_group_that_fills_segments_is_spread_over_them)
{
	struct bat_draft drafts[2] = { stores_draft("player:a", "s",
					   "\xa1"
					   "1"),
		stores_draft("player:b", "s",
		    "\xa1"
		    "2") };
	struct told told = { .count = 0 };
	struct waiting waiting[5];
	struct session session;

	session_start(&session);
	stores_close(session.store);
	session.options.segment_max_bytes = 1;
	session_open(&session);
	for (unsigned i = 0; i < 5; i++) {
		waiting[i] = (struct waiting){ .told = &told, .number = i };
		waiting[i].batch = (struct bat_batch){ .drafts = drafts,
			.count = 2,
			.done = tell,
			.context = &waiting[i],
			.receipts = waiting[i].receipts };
		bat_submit(session.store, &waiting[i].batch);
	}
	bat_commit_run(session.store, false);
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_uint_eq(told.order[i], i);
		ck_assert_int_eq(waiting[i].batch.code, 0);
		ck_assert_uint_eq(waiting[i].receipts[1].seq, 2 + 2 * i);
	}
	session_again(&session);
	ck_assert_uint_eq(count_of(session.store), 12);
	stores_without_index(&session.dir);
	session_again(&session);
	ck_assert_uint_eq(count_of(session.store), 12);
	session_end(&session);
}
END_TEST

/* ---- durability --------------------------------------------------------- */

START_TEST(an_append_of_durability_fsync_waits_for_its_sync)
{
	struct bat_status status;
	struct session session;
	struct bat_head head;
	unsigned syncs;

	session_start(&session);
	stores_close(session.store);
	session.options.durability = BAT_DURABLE_FSYNC;
	session_open(&session);
	stores_append(session.store, "player:a",
	    "\xa1"
	    "1");
	syncs = faulty_disk_calls(&session.disk, FAULTY_SYNC_DATA);
	stores_append(session.store, "player:a",
	    "\xa1"
	    "2");
	ck_assert_uint_eq(faulty_disk_calls(&session.disk, FAULTY_SYNC_DATA),
	    syncs);
	bat_status(session.store, &status);
	ck_assert_uint_eq(status.visible_seq_plus_1, 3);
	ck_assert_uint_eq(status.durable_seq_plus_1, 0);
	ck_assert_int_eq(bat_sync(session.store, NULL), 0);
	ck_assert_uint_eq(faulty_disk_calls(&session.disk, FAULTY_SYNC_DATA),
	    syncs + 1);
	bat_status(session.store, &status);
	ck_assert_uint_eq(status.durable_seq_plus_1, 3);
	stores_append(session.store, "player:a",
	    "\xa1"
	    "3");
	bat_head(session.store, &head);
	ck_assert_uint_eq(head.last_seq, 3);
	ck_assert_uint_eq(head.durable_seq, 2);
	ck_assert_int_eq(bat_sync(session.store, NULL), 0);
	ck_assert_int_eq(bat_sync(session.store, NULL), 0);
	ck_assert_uint_eq(faulty_disk_calls(&session.disk, FAULTY_SYNC_DATA),
	    syncs + 2);
	session_again(&session);
	ck_assert_uint_eq(count_of(session.store), 5);
	session_end(&session);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("writer_group");
	TCase *groups = tcase_create("groups");

	tcase_add_test(groups, a_group_that_fills_segments_is_spread_over_them);
	tcase_add_test(groups,
	    an_append_of_durability_fsync_waits_for_its_sync);
	tcase_add_test(groups, all_that_waits_is_written_and_synced_at_once);
	tcase_add_test(groups, closing_commits_what_still_waits);
	tcase_add_test(groups,
	    who_leads_waits_for_those_who_were_in_the_last_group);
	tcase_add_test(groups, a_wake_ends_the_wait_for_a_group);
	suite_add_tcase(suite, groups);
	return suite_run(suite);
}
