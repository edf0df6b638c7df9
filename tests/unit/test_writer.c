/*
 * The append path: what a session writes and what it leaves alone, batches and
 * groups, keys, causes and expectations, links, rotation, durability.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "fake_clock.h"
#include "faulty_disk.h"
#include "hidden.h"
#include "kind.h"
#include "maker.h"
#include "segment_reader.h"
#include "store_internal.h"
#include "stores.h"
#include "suite.h"

/* ---- the ground --------------------------------------------------------- */

struct session {
	struct temp_dir dir;
	struct faulty_disk disk;
	struct fake_clock clock;
	struct bat_options options;
	struct bat_store *store;
};

static void
session_open(struct session *session)
{
	session->store = stores_open_with(&session->dir, &session->options);
}

static void
session_start(struct session *session)
{
	*session = (struct session){ .store = NULL };
	temp_dir_make(&session->dir);
	faulty_disk_init(&session->disk, bat_file_posix());
	fake_clock_init(&session->clock, FAKE_CLOCK_START_US, 1000);
	session->options.disk = &session->disk.disk;
	session->options.clock = &session->clock.clock;
	session_open(session);
}

static void
session_again(struct session *session)
{
	stores_close(session->store);
	session_open(session);
}

static void
session_end(struct session *session)
{
	stores_close(session->store);
	temp_dir_remove(&session->dir);
}

static struct bat_row
row_of(struct bat_store *store, uint64_t seq)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	uint32_t ordinal = bat_find_seq(store, seq);
	struct bat_row row;

	ck_assert_uint_ne(ordinal, BAT_MAP_NONE);
	ck_assert_int_eq(bat_read(store, ordinal, &reading, NULL), 0);
	row = reading.row;
	bat_reading_free(&reading);
	return row;
}

static uint64_t
count_of(struct bat_store *store)
{
	struct bat_head head;

	bat_head(store, &head);
	return head.visible_count;
}

/* What stands in a segment: o OPEN, c CLOSE, e event, B and C markers, F the
 * footer, ! anything else. */
static void
frames_of(const struct temp_dir *dir, uint64_t id, char out[256])
{
	struct bat_segment_dir files;
	struct bat_segment_reader reader;
	struct bat_segment_item item;
	size_t count = 0;
	int code;

	ck_assert_int_eq(bat_segment_dir_open(&files, bat_file_posix(),
			     dir->path, false, NULL),
	    0);
	ck_assert_int_eq(bat_segment_dir_scan(&files, NULL), 0);
	ck_assert_int_eq(bat_segment_reader_open(&reader, &files, id, NULL), 0);
	while ((code = bat_segment_reader_next(&reader, &item, NULL)) == 0) {
		uint16_t kind = item.event.kind;

		ck_assert_uint_lt(count, 250);
		if (item.state != BAT_FRAME_WHOLE || !item.decoded) {
			out[count++] = '!';
			break;
		}
		out[count++] = bat_codec_is_marker(&item.event) ?
		    (kind == BAT_KIND_BATCH_BEGIN ? 'B' : 'C') :
		    kind == BAT_KIND_OPEN_COMPLETED  ? 'o' :
		    kind == BAT_KIND_CLOSE_COMPLETED ? 'c' :
						       'e';
	}
	if (reader.has_footer)
		out[count++] = 'F';
	out[count] = '\0';
	bat_segment_reader_close(&reader);
	bat_segment_dir_close(&files);
}

static void
assert_frames(const struct temp_dir *dir, uint64_t id, const char *wanted)
{
	char got[256];

	frames_of(dir, id, got);
	ck_assert_str_eq(got, wanted);
}

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
	temp_dir_write(&dir, ".batpak.lock", BAT_SLICE_EMPTY);
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
	ck_assert_uint_eq(temp_dir_count(&session.dir), 1); /* the lock */
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

/* ---- keys --------------------------------------------------------------- */

START_TEST(a_known_key_answers_with_its_event)
{
	struct bat_draft drafts[3] = { stores_draft("player:a", "s",
					   "\xa1"
					   "1"),
		stores_draft("player:b", "t",
		    "\xa1"
		    "2"),
		stores_draft("player:c", "s",
		    "\xa1"
		    "3") };
	struct bat_receipt first, again[3];
	struct session session;

	session_start(&session);
	drafts[0].key = drafts[1].key = bat_id_from_number(4711);
	ck_assert_int_eq(
	    stores_append_batch(session.store, drafts, 1, &first, NULL), 0);
	ck_assert(bat_id_equal(&first.id, &drafts[0].key));
	ck_assert(!first.replayed);
	for (int pass = 0; pass < 2; pass++) {
		uint64_t before = count_of(session.store);

		/* Whatever else the draft says; also its expectation. */
		drafts[1].expect = BAT_EXPECT_SOME;
		ck_assert_int_eq(stores_append_batch(session.store, drafts + 1,
				     1, again, NULL),
		    0);
		ck_assert(again[0].replayed);
		ck_assert_uint_eq(again[0].seq, first.seq);
		ck_assert_uint_eq(again[0].clock, first.clock);
		ck_assert_uint_eq(again[0].wall_ms, first.wall_ms);
		ck_assert(bat_hash_equal(&again[0].hash, &first.hash));
		ck_assert_uint_eq(count_of(session.store), before);
		session_again(&session);
	}
	/* Twice in one batch. */
	drafts[0].key = drafts[1].key = bat_id_from_number(4712);
	drafts[1].expect = BAT_EXPECT_ANY;
	ck_assert_int_eq(
	    stores_append_batch(session.store, drafts, 3, again, NULL), 0);
	ck_assert(
	    !again[0].replayed && again[1].replayed && !again[2].replayed);
	ck_assert_uint_eq(again[1].seq, again[0].seq);
	ck_assert_uint_eq(again[2].seq, again[0].seq + 1);
	session_end(&session);
}
END_TEST

/* ---- causes ------------------------------------------------------------- */

START_TEST(a_cause_is_found_by_each_of_its_names)
{
	struct bat_draft drafts[3] = { stores_draft("player:a", "s",
					   "\xa1"
					   "1"),
		stores_draft("player:b", "s",
		    "\xa1"
		    "2"),
		stores_draft("player:c", "s",
		    "\xa1"
		    "3") };
	struct bat_receipt first, got[3];
	struct session session;
	struct bat_row row;

	session_start(&session);
	drafts[0].corr = bat_id_from_number(77);
	ck_assert_int_eq(
	    stores_append_batch(session.store, drafts, 1, &first, NULL), 0);
	drafts[0].corr = BAT_ID_ZERO;
	for (int pass = 0; pass < 3; pass++) {
		struct bat_draft draft = drafts[pass == 2 ? 0 : 1];

		draft.cause = pass == 0 ? BAT_CAUSE_ID :
		    pass == 1		? BAT_CAUSE_SEQ :
					  BAT_CAUSE_LAST;
		draft.cause_id = first.id;
		draft.cause_number = first.seq;
		ck_assert_int_eq(stores_append_batch(session.store, &draft, 1,
				     got, NULL),
		    0);
		row = row_of(session.store, got[0].seq);
		ck_assert(bat_id_equal(&row.cause, &first.id));
		ck_assert_uint_eq(bat_bytes_get_be64(row.corr.bytes + 8), 77);
	}
	/* Within a batch: an item, an id and a number that is not yet there. */
	drafts[1].cause = BAT_CAUSE_ITEM;
	drafts[1].cause_number = 0;
	drafts[2].cause = BAT_CAUSE_SEQ;
	drafts[2].cause_number = got[0].seq + 2;
	ck_assert_int_eq(
	    stores_append_batch(session.store, drafts, 3, got, NULL), 0);
	row = row_of(session.store, got[1].seq);
	ck_assert(bat_id_equal(&row.cause, &got[0].id));
	ck_assert(bat_id_equal(&row.corr, &got[0].id));
	row = row_of(session.store, got[2].seq);
	ck_assert(bat_id_equal(&row.cause, &got[1].id));
	ck_assert(bat_id_equal(&row.corr, &got[0].id));
	/* Given, it is not handed down. */
	drafts[0].cause = BAT_CAUSE_ID;
	drafts[0].cause_id = first.id;
	drafts[0].corr = bat_id_from_number(78);
	ck_assert_int_eq(
	    stores_append_batch(session.store, drafts, 1, got, NULL), 0);
	row = row_of(session.store, got[0].seq);
	ck_assert_uint_eq(bat_bytes_get_be64(row.corr.bytes + 8), 78);
	/* An item that was there before, under its key, and behind another. */
	drafts[0].cause = BAT_CAUSE_NONE;
	drafts[0].key = first.id;
	drafts[2].cause = BAT_CAUSE_ITEM;
	drafts[2].cause_number = 0;
	ck_assert_int_eq(
	    stores_append_batch(session.store, drafts, 3, got, NULL), 0);
	ck_assert(got[0].replayed);
	row = row_of(session.store, got[2].seq);
	ck_assert(bat_id_equal(&row.cause, &first.id));
	session_end(&session);
}
END_TEST

START_TEST(a_cause_that_is_not_there_is_refused)
{
	struct bat_draft draft = stores_draft("player:new", "s",
	    "\xa1"
	    "1");
	struct session session;
	struct bat_receipt receipt;

	session_start(&session);
	receipt = stores_append(session.store, "player:a",
	    "\xa1"
	    "0");
	for (int kind = BAT_CAUSE_ID; kind <= BAT_CAUSE_ITEM; kind++) {
		draft.cause = (enum bat_cause_kind)kind;
		draft.cause_id = bat_id_from_number(99);
		/* The number that this very event would get. */
		draft.cause_number = kind == BAT_CAUSE_ITEM ? 0 :
							      receipt.seq + 1;
		ck_assert_int_eq(stores_append_batch(session.store, &draft, 1,
				     NULL, NULL),
		    BAT_STATE_NOT_FOUND);
	}
	ck_assert_uint_eq(count_of(session.store), 2);
	session_end(&session);
}
END_TEST

/* ---- expectations ------------------------------------------------------- */

START_TEST(an_expectation_that_fails_is_stale)
{
	struct session session;
	const struct {
		enum bat_expect_kind expect;
		uint32_t clock;
		const char *entity;
		int code;
	} cases[] = {
		{ BAT_EXPECT_NONE, 0, "player:a", 0 },
		{ BAT_EXPECT_NONE, 0, "player:a", BAT_STATE_STALE },
		{ BAT_EXPECT_SOME, 0, "player:a", 0 },
		{ BAT_EXPECT_SOME, 0, "player:b", BAT_STATE_STALE },
		{ BAT_EXPECT_CLOCK, 1, "player:a", 0 },
		{ BAT_EXPECT_CLOCK, 1, "player:a", BAT_STATE_STALE },
		{ BAT_EXPECT_CLOCK, 3, "player:a", BAT_STATE_STALE },
		{ BAT_EXPECT_CLOCK, 0, "player:b", BAT_STATE_STALE },
		{ BAT_EXPECT_CLOCK, 2, "player:a", 0 },
	};

	session_start(&session);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bat_draft draft = stores_draft(cases[i].entity, "s",
		    "\xa1x");

		draft.expect = cases[i].expect;
		draft.expect_clock = cases[i].clock;
		ck_assert_msg(stores_append_batch(session.store, &draft, 1,
				  NULL, NULL) == cases[i].code,
		    "case %zu", i);
	}
	session_end(&session);
}
END_TEST

START_TEST(an_expectation_sees_earlier_items_of_its_batch)
{
	struct bat_draft drafts[2] = { stores_draft("player:a", "s",
					   "\xa1"
					   "1"),
		stores_draft("player:a", "s",
		    "\xa1"
		    "2") };
	struct session session;
	struct bat_batch batch;

	session_start(&session);
	drafts[0].expect = BAT_EXPECT_NONE;
	drafts[1].expect = BAT_EXPECT_CLOCK;
	ck_assert_int_eq(
	    stores_append_batch(session.store, drafts, 2, NULL, NULL), 0);
	drafts[0].expect = BAT_EXPECT_SOME;
	drafts[1].expect = BAT_EXPECT_NONE;
	ck_assert_int_eq(stores_append_batch(session.store, drafts, 2, NULL,
			     &batch),
	    BAT_STATE_STALE);
	ck_assert_uint_eq(batch.committed, 1);
	session_end(&session);
}
END_TEST

/* ---- links -------------------------------------------------------------- */

START_TEST(prev_and_clock_go_on_after_reopening)
{
	struct bat_receipt last = { .clock = 0 };
	struct session session;

	session_start(&session);
	for (uint32_t i = 0; i < 6; i++) {
		/* Equal payloads: equal hashes. */
		struct bat_receipt receipt = stores_append(session.store,
		    "player:a", "\xa1x");
		struct bat_row row = row_of(session.store, receipt.seq);

		ck_assert_uint_eq(receipt.clock, i);
		if (i == 0)
			ck_assert(bat_hash_is_zero(&row.prev));
		else
			ck_assert(bat_hash_equal(&row.prev, &last.hash));
		last = receipt;
		if (i % 2 == 1)
			session_again(&session);
	}
	session_end(&session);
}
END_TEST

START_TEST(links_pass_over_hidden_events)
{
	struct bat_hidden_range range = { 1, 2 };
	const struct bat_hidden hidden = { &range, 1 };
	struct bat_buf file = BAT_BUF_EMPTY;
	struct bat_receipt receipt;
	struct bat_store *store;
	struct maker maker;
	struct temp_dir dir;
	struct bat_row row;
	struct bat_draft draft = stores_draft("player:b", "s", "\xa1x");

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "1");
	maker_event(&maker, "player:a",
	    "\xa1"
	    "2");
	maker_save(&maker, &dir);
	ck_assert_int_eq(bat_hidden_encode(&hidden, &file), 0);
	temp_dir_write(&dir, BAT_HIDDEN_FILE, bat_bytes_of_buf(&file));
	store = stores_open(&dir, false);
	receipt = stores_append(store, "player:a",
	    "\xa1"
	    "3");
	ck_assert_uint_eq(receipt.clock, 1);
	row = row_of(store, receipt.seq);
	ck_assert(bat_hash_equal(&row.prev, &maker.rows[0].hash));
	/* A hidden event is no cause, and its key is free again. */
	draft.cause = BAT_CAUSE_SEQ;
	draft.cause_number = 1;
	ck_assert_int_eq(stores_append_batch(store, &draft, 1, NULL, NULL),
	    BAT_STATE_NOT_FOUND);
	draft.cause = BAT_CAUSE_NONE;
	draft.key = maker.rows[1].id;
	ck_assert_int_eq(stores_append_batch(store, &draft, 1, &receipt, NULL),
	    0);
	ck_assert(!receipt.replayed);
	stores_close(store);
	bat_bytes_free(&file);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_clock_that_jumps_back_lets_no_time_of_an_entity_fall)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_receipt before, after, other;
	struct session session;
	struct bat_row row;
	uint64_t close_ms;

	session_start(&session);
	before = stores_append(session.store, "player:a",
	    "\xa1"
	    "1");
	session.clock.wall_us -= 3600 * INT64_C(1000000);
	after = stores_append(session.store, "player:a",
	    "\xa1"
	    "2");
	other = stores_append(session.store, "player:b",
	    "\xa1"
	    "3");
	ck_assert_uint_eq(after.wall_ms, before.wall_ms);
	ck_assert_uint_lt(other.wall_ms, before.wall_ms);
	/* What the clock said stands in the frame. */
	ck_assert_int_eq(bat_read(session.store,
			     bat_find_seq(session.store, after.seq), &reading,
			     NULL),
	    0);
	ck_assert_uint_lt((uint64_t)reading.fields.timestamp_us / 1000,
	    before.wall_ms);
	session_again(&session);
	row = row_of(session.store, other.seq + 1);
	ck_assert_uint_eq(row.kind, BAT_KIND_CLOSE_COMPLETED);
	close_ms = row.wall_ms;
	ck_assert_uint_eq(close_ms, before.wall_ms);
	/* OPEN is not dated before anything that is there. */
	session.clock.wall_us -= 3600 * INT64_C(1000000);
	after = stores_append(session.store, "player:a",
	    "\xa1"
	    "4");
	ck_assert_uint_eq(after.wall_ms, before.wall_ms);
	row = row_of(session.store, after.seq - 1);
	ck_assert_uint_eq(row.kind, BAT_KIND_OPEN_COMPLETED);
	ck_assert_uint_ge(row.wall_ms, close_ms);
	bat_reading_free(&reading);
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

/* ---- failures ----------------------------------------------------------- */

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

/* ---- what a session ends with ------------------------------------------- */

static TCase *
sessions(void)
{
	TCase *tcase = tcase_create("sessions");

	tcase_add_loop_test(tcase,
	    a_session_that_appends_nothing_changes_nothing, 0, 8);
	tcase_add_test(tcase,
	    a_new_store_gets_its_segment_with_the_first_event);
	tcase_add_test(tcase, each_session_that_appends_has_open_and_close);
	tcase_add_test(tcase, a_read_only_store_takes_nothing);
	tcase_add_test(tcase, a_full_segment_gets_its_footer_and_a_successor);
	tcase_add_test(tcase, a_group_that_fills_segments_is_spread_over_them);
	tcase_add_test(tcase, an_append_of_durability_fsync_waits_for_its_sync);
	return tcase;
}

static TCase *
batches(void)
{
	TCase *tcase = tcase_create("batches");

	tcase_add_test(tcase, a_batch_stands_between_markers_and_shares_a_time);
	tcase_add_test(tcase, what_stands_before_a_refused_draft_is_committed);
	tcase_add_test(tcase, flags_stand_on_a_draft_alone);
	tcase_add_test(tcase, extensions_and_lanes_are_written);
	tcase_add_test(tcase, all_that_waits_is_written_and_synced_at_once);
	tcase_add_test(tcase, closing_commits_what_still_waits);
	tcase_add_test(tcase,
	    who_leads_waits_for_those_who_were_in_the_last_group);
	tcase_add_test(tcase, a_wake_ends_the_wait_for_a_group);
	tcase_add_test(tcase, a_known_key_answers_with_its_event);
	tcase_add_test(tcase, a_cause_is_found_by_each_of_its_names);
	tcase_add_test(tcase, a_cause_that_is_not_there_is_refused);
	tcase_add_test(tcase, an_expectation_that_fails_is_stale);
	tcase_add_test(tcase, an_expectation_sees_earlier_items_of_its_batch);
	tcase_add_test(tcase, prev_and_clock_go_on_after_reopening);
	tcase_add_test(tcase, links_pass_over_hidden_events);
	tcase_add_test(tcase,
	    a_clock_that_jumps_back_lets_no_time_of_an_entity_fall);
	return tcase;
}

static TCase *
failures(void)
{
	TCase *tcase = tcase_create("failures");

	tcase_add_loop_test(tcase,
	    after_a_failed_sync_nothing_is_written_any_more, 0, 2);
	tcase_add_loop_test(tcase,
	    after_a_failed_seal_nothing_is_written_any_more, 0, 2);
	tcase_add_loop_test(tcase,
	    a_write_that_fails_is_taken_back_and_may_be_tried_again, 0, 2);
	tcase_add_test(tcase,
	    a_write_that_cannot_be_taken_back_stops_the_writer);
	return tcase;
}

int
main(void)
{
	Suite *suite = suite_create("writer");

	suite_add_tcase(suite, sessions());
	suite_add_tcase(suite, batches());
	suite_add_tcase(suite, failures());
	return suite_run(suite);
}
