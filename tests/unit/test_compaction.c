/*
 * Compaction: what is shown stays what it was, whatever the segments hold, in
 * the handle that does it and in every later one; what cannot be merged is left
 * as it is.
 */
#include <errno.h>

#include "compactions.h"
#include "faulty_disk.h"
#include "maker.h"
#include "segment_reader.h"
#include "suite.h"

/* ---- what is shown ----------------------------------------------------- */

/* Stores that open for writing; each is appended to, so that there are at least
 * two segments. */
static const char *const shapes[] = { "batch", "batch-last", "batch-torn",
	"batch-torn-reopened", "both-index", "chains", "ckpt-only",
	"clock-back", "compacted-merge", "compacted-retention",
	"compacted-tombstone", "compaction-pending", "coordinates",
	"crashed-after-index", "crashed-open", "denials", "dropped",
	"empty-segment", "empty-segment-indexed", "extensions", "fenced-crash",
	"group-commit", "header-only-segment", "hidden", "idempotent", "kinds",
	"many-segments", "many-segments-noindex", "missing-footer", "mixed",
	"no-index", "payloads", "quickstart", "reopened", "signed", "snapshot",
	"torn-not-last", "torn-tail", "zero-tail" };
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

START_TEST(every_event_of_a_golden_store_stays_what_it_was)
{
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_compacted done;
	struct bat_store *store;
	struct bat_head head;
	struct temp_dir dir;
	uint64_t generation, broken;

	stores_golden(&dir, shapes[_i]);
	store = stores_open(&dir, false);
	stores_append(store, "player:alice", "\xa1x");
	stores_append(store, "player:bob", "\xa1y");
	compactions_picture(store, &before);
	broken = compactions_broken(&dir);
	bat_head(store, &head);
	generation = head.generation;
	compactions_run(store, &done);
	ck_assert(done.performed);
	bat_head(store, &head);
	ck_assert_uint_eq(head.generation, generation);
	compactions_picture(store, &after);
	stores_assert_same(&after, &before, "in the handle");

	/* It goes on, and what comes is linked to what was there. */
	stores_append(store, "player:alice", "\xa1z");
	compactions_picture(store, &before);
	stores_close(store);
	ck_assert_uint_eq(compactions_segments(&dir), 2);
	bat_bytes_clear(&after);
	stores_picture(&dir, PICTURE_NO_PLACE, &after);
	ck_assert(after.length > before.length); /* CLOSE */
	after.length = before.length;
	stores_assert_same(&after, &before, "with an index file");
	ck_assert_uint_le(compactions_broken(&dir), broken);
	compactions_picture_without_index(&dir, &after);
	after.length = before.length;
	stores_assert_same(&after, &before, "by footers");
	bat_bytes_free(&before);
	bat_bytes_free(&after);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(numbers_behind_gaps_stay_without_an_index)
{
	struct bat_buf before = BAT_BUF_EMPTY;
	struct bat_compacted done;
	struct bat_store *store;
	struct maker maker;
	struct temp_dir dir;

	temp_dir_make(&dir);
	maker_init(&maker);
	for (uint64_t id = 1; id <= 3; id++) {
		maker_segment(&maker, id);
		maker_event(&maker, "player:alice", "\xa1x");
		maker.next_seq += 10 * id;
		maker_event(&maker, "player:bob", "\xa1y");
		maker.next_seq += 7;
		maker_footer(&maker);
		maker_save(&maker, &dir);
	}
	store = stores_open(&dir, false);
	compactions_picture(store, &before);
	compactions_run(store, &done);
	ck_assert_uint_eq(done.segments, 3);
	ck_assert_uint_eq(done.events, 6);
	stores_close(store);
	ck_assert_uint_eq(compactions_segments(&dir), 1);
	compactions_assert_footers_show(&dir, &before);
	maker_free(&maker);
	bat_bytes_free(&before);
	temp_dir_remove(&dir);
}
END_TEST

/* Frames of each sort in a segment file. */
struct sorts {
	unsigned events, begins, commits;
};

static struct sorts
sorts_in(const struct temp_dir *dir, uint64_t id)
{
	struct bat_segment_dir segments;
	struct bat_segment_reader reader;
	struct bat_segment_item item;
	struct sorts sorts = { .events = 0 };

	ck_assert_int_eq(bat_segment_dir_open(&segments, bat_file_posix(),
			     dir->path, false, NULL),
	    0);
	ck_assert_int_eq(bat_segment_dir_scan(&segments, NULL), 0);
	ck_assert_int_eq(bat_segment_reader_open(&reader, &segments, id, NULL),
	    0);
	while (bat_segment_reader_next(&reader, &item, NULL) == BAT_OK) {
		ck_assert_int_eq(item.state, BAT_FRAME_WHOLE);
		if (!bat_codec_is_marker(&item.event))
			sorts.events++;
		else if (item.event.kind == 6)
			sorts.begins++;
		else
			sorts.commits++;
	}
	bat_segment_reader_close(&reader);
	bat_segment_dir_close(&segments);
	return sorts;
}

/* 1: a batch, one that was never finished and one that was given up; 2: a batch
 * at the end. All are sealed. */
static void
make_batches(struct maker *maker, struct temp_dir *dir)
{
	temp_dir_make(dir);
	maker_init(maker);
	maker_segment(maker, 1);
	maker_marker(maker, 6, 2);
	maker_event(maker, "player:alice",
	    "\xa1"
	    "a");
	maker_event(maker, "player:bob",
	    "\xa1"
	    "b");
	maker_marker(maker, 7, 0);
	maker_marker(maker, 6, 3);
	maker->unlisted = true;
	maker_event(maker, "player:carol",
	    "\xa1"
	    "c");
	maker_marker(maker, 7, 0);
	maker_event(maker, "player:alice",
	    "\xa1"
	    "d");
	maker_marker(maker, 6, 2);
	maker->unlisted = true;
	maker_event(maker, "player:dave",
	    "\xa1"
	    "e");
	maker_footer(maker);
	maker_save(maker, dir);
	maker_segment(maker, 2);
	maker_event(maker, "player:alice",
	    "\xa1"
	    "f");
	maker_marker(maker, 6, 1);
	maker_event(maker, "player:bob",
	    "\xa1"
	    "g");
	maker_marker(maker, 7, 0);
	maker_footer(maker);
	maker_save(maker, dir);
}

START_TEST(what_the_batch_rule_drops_stays_dropped_and_is_kept_aside)
{
	struct bat_buf before = BAT_BUF_EMPTY;
	struct bat_compacted done;
	struct bat_store *store;
	struct maker maker;
	struct temp_dir dir, cut;
	struct sorts sorts;

	make_batches(&maker, &dir);
	store = stores_open(&dir, false);
	compactions_picture(store, &before);
	compactions_run(store, &done);
	ck_assert_uint_eq(done.events, 5);
	stores_close(store);
	sorts = sorts_in(&dir, done.merged);
	/* The first batch is one still; the one at the end needs no markers,
	 * and batpak believes a footer behind an event only. */
	ck_assert_uint_eq(sorts.events, 5);
	ck_assert_uint_eq(sorts.begins, 1);
	ck_assert_uint_eq(sorts.commits, 1);
	compactions_assert_footers_show(&dir, &before);
	/* Both of the dropped ones, each with its BEGIN. */
	cut = dir;
	snprintf(cut.path, sizeof(cut.path), "%.200s/.batfs/cut", dir.path);
	ck_assert_uint_eq(temp_dir_count(&cut), 2);
	maker_free(&maker);
	bat_bytes_free(&before);
	temp_dir_remove(&dir);
}
END_TEST

/* A row that the index file has and the frames would drop: it was acknowledged,
 * and is shown (H4). */
START_TEST(an_event_that_the_index_tells_stays_though_a_batch_would_drop_it)
{
	struct bat_buf before = BAT_BUF_EMPTY;
	struct bat_buf index = BAT_BUF_EMPTY;
	struct bat_compacted done;
	struct bat_store *store;
	struct maker maker;
	struct temp_dir dir;

	temp_dir_make(&dir);
	maker_init(&maker);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice", "\xa1x");
	maker_marker(&maker, 6, 5);
	maker_event(&maker, "player:alice", "\xa1y");
	maker_event(&maker, "player:bob", "\xa1z");
	maker_save(&maker, &dir);
	maker_segment(&maker, 2);
	maker_event(&maker, "player:bob", "\xa1x");
	maker_save(&maker, &dir);
	maker_index(&maker, true, 5, &index);
	temp_dir_write(&dir, "index.fbati", bat_bytes_of_buf(&index));
	store = stores_open(&dir, false);
	compactions_picture(store, &before);
	compactions_run(store, &done);
	ck_assert_uint_eq(done.events, 4);
	stores_close(store);
	compactions_assert_footers_show(&dir, &before);
	maker_free(&maker);
	bat_bytes_free(&index);
	bat_bytes_free(&before);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(an_index_that_lies_is_made_anew_first)
{
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_buf index = BAT_BUF_EMPTY;
	struct bat_compacted done;
	struct bat_store *store;
	struct maker maker;
	struct temp_dir dir;

	temp_dir_make(&dir);
	maker_init(&maker);
	for (uint64_t id = 1; id <= 2; id++) {
		maker_segment(&maker, id);
		for (int i = 0; i < 20; i++)
			maker_event(&maker, "player:alice", "\xa1x");
		maker_footer(&maker);
		maker_save(&maker, &dir);
	}
	stores_picture(&dir, PICTURE_NO_PLACE, &before);
	/* In the middle, where samples seldom look. */
	maker.rows[7].clock += 1000;
	maker_index(&maker, true, 5, &index);
	temp_dir_write(&dir, "index.fbati", bat_bytes_of_buf(&index));
	store = stores_open(&dir, false);
	compactions_run(store, &done);
	ck_assert(done.performed);
	compactions_picture(store, &after);
	stores_assert_same(&after, &before, "in the handle");
	stores_close(store);
	compactions_assert_footers_show(&dir, &before);
	maker_free(&maker);
	bat_bytes_free(&index);
	bat_bytes_free(&before);
	bat_bytes_free(&after);
	temp_dir_remove(&dir);
}
END_TEST

/* ---- which segments ---------------------------------------------------- */

START_TEST(one_segment_is_left_as_it_is)
{
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_compacted done;
	struct bat_store *store;
	struct temp_dir dir;

	compactions_sessions(&dir, 1, 3);
	stores_files(&dir, &before);
	store = stores_open(&dir, false);
	compactions_run(store, &done);
	ck_assert(!done.performed);
	ck_assert_uint_eq(done.segments, 0);
	stores_close(store);
	stores_files(&dir, &after);
	stores_assert_same(&after, &before, "the directory");
	bat_bytes_free(&before);
	bat_bytes_free(&after);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(looking_changes_nothing_and_says_what_would_be_done)
{
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_compacted would, done;
	struct bat_store *store;
	struct bat_error error;
	struct temp_dir dir;

	compactions_sessions(&dir, 3, 2);
	stores_files(&dir, &before);
	store = stores_open(&dir, true);
	ck_assert_int_eq(bat_compact(store, true, &would, &error), 0);
	ck_assert(!would.performed);
	ck_assert_uint_eq(would.segments, 3);
	ck_assert_int_eq(bat_compact(store, false, &done, &error),
	    BAT_USE_READ_ONLY);
	stores_close(store);
	stores_files(&dir, &after);
	stores_assert_same(&after, &before, "the directory");
	store = stores_open(&dir, false);
	compactions_run(store, &done);
	ck_assert_uint_eq(done.segments, would.segments);
	ck_assert_uint_eq(done.bytes_before, would.bytes_before);
	ck_assert_uint_lt(done.bytes_after, done.bytes_before);
	stores_close(store);
	bat_bytes_free(&before);
	bat_bytes_free(&after);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(full_segments_at_the_front_stay)
{
	const struct bat_options options = { .segment_max_bytes = 6000 };
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_buf first = BAT_BUF_EMPTY, now = BAT_BUF_EMPTY;
	struct bat_compacted done;
	struct bat_store *store;
	struct temp_dir dir;

	temp_dir_make(&dir);
	for (int session = 0; session < 3; session++) {
		store = stores_open_with(&dir, &options);
		for (int i = 0; i < (session == 0 ? 14 : 2); i++)
			stores_append(store, "player:alice", "\xa1x");
		stores_close(store);
	}
	store = stores_open_with(&dir, &options);
	temp_dir_read(&dir, "000001.fbat", &first);
	compactions_picture(store, &before);
	compactions_run(store, &done);
	ck_assert_uint_eq(done.full, 1);
	ck_assert_uint_ge(done.segments, 3);
	compactions_picture(store, &after);
	stores_assert_same(&after, &before, "in the handle");
	stores_close(store);
	temp_dir_read(&dir, "000001.fbat", &now);
	ck_assert(
	    bat_bytes_equal(bat_bytes_of_buf(&first), bat_bytes_of_buf(&now)));
	ck_assert_uint_eq(compactions_segments(&dir), 2);
	compactions_picture_without_index(&dir, &after);
	stores_assert_same(&after, &before, "by footers");
	bat_bytes_free(&first);
	bat_bytes_free(&now);
	bat_bytes_free(&before);
	bat_bytes_free(&after);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(segments_without_events_go)
{
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_compacted done;
	struct bat_store *store;
	struct maker maker;
	struct temp_dir dir;

	temp_dir_make(&dir);
	maker_init(&maker);
	for (uint64_t id = 1; id <= 4; id++) {
		maker_segment(&maker, id);
		if (id == 2)
			maker_event(&maker, "player:alice", "\xa1x");
		if (id == 3)
			maker_footer(&maker);
		maker_save(&maker, &dir);
	}
	store = stores_open(&dir, false);
	compactions_picture(store, &before);
	compactions_run(store, &done);
	ck_assert_uint_eq(done.segments, 4);
	ck_assert_uint_eq(done.events, 1);
	stores_append(store, "player:bob", "\xa1x");
	compactions_picture(store, &after);
	after.length = before.length;
	stores_assert_same(&after, &before, "in the handle");
	stores_close(store);
	compactions_picture_without_index(&dir, &after);
	after.length = before.length;
	stores_assert_same(&after, &before, "by footers");
	maker_free(&maker);
	bat_bytes_free(&before);
	bat_bytes_free(&after);
	temp_dir_remove(&dir);
}
END_TEST

/* ---- what cannot be merged --------------------------------------------- */

START_TEST(a_damaged_frame_is_named_and_nothing_is_changed)
{
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_compacted done;
	struct bat_error error;
	struct bat_store *store;
	struct temp_dir dir;

	compactions_sessions(&dir, 2, 3);
	store = stores_open(&dir, false);
	/* In the second event, after it was opened. */
	temp_dir_flip(&dir, "000001.fbat", 1400, 0x10);
	stores_files(&dir, &before);
	ck_assert_int_eq(bat_compact(store, false, &done, &error),
	    BAT_DATA_CORRUPT);
	ck_assert(!done.performed);
	ck_assert_uint_eq(error.segment, 1);
	ck_assert_ptr_nonnull(strstr(error.text, "nothing was compacted"));
	stores_files(&dir, &after);
	stores_assert_same(&after, &before, "the directory");
	stores_close(store);
	bat_bytes_free(&before);
	bat_bytes_free(&after);
	temp_dir_remove(&dir);
}
END_TEST

/* Every call of the disk fails once, as if it were full or broken. */
START_TEST(a_compaction_that_fails_leaves_what_is_shown)
{
	static const enum faulty_operation operations[] = { FAULTY_OPEN,
		FAULTY_READ, FAULTY_WRITE, FAULTY_SYNC, FAULTY_RENAME,
		FAULTY_UNLINK, FAULTY_LIST, FAULTY_STAT };
	const enum faulty_operation operation = operations[_i];
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_compacted done;
	struct bat_error error;
	unsigned calls = 1000;
	bool failed = false;

	for (unsigned n = 1; n <= calls; n++) {
		struct faulty_disk faulty;
		struct bat_options options = { .disk = &faulty.disk };
		struct bat_store *store;
		struct temp_dir dir;
		int code;

		compactions_sessions(&dir, 2, 2);
		faulty_disk_init(&faulty, bat_file_posix());
		store = stores_open_with(&dir, &options);
		stores_append(store, "player:alice", "\xa1y");
		compactions_picture(store, &before);
		faulty_disk_reset(&faulty);
		faulty_disk_fail(&faulty, operation, n,
		    operation == FAULTY_WRITE ? ENOSPC : EIO, false);
		code = bat_compact(store, false, &done, &error);
		calls = faulty_disk_calls(&faulty, operation);
		failed = failed || code != BAT_OK;
		faulty_disk_reset(&faulty);
		compactions_picture(store, &after);
		stores_assert_same(&after, &before, "in the handle");
		/* No space: as if nothing had been asked. */
		if (code == BAT_WORLD_NO_SPACE && !done.performed) {
			ck_assert(!temp_dir_has(&dir, ".tmp.compaction"));
			ck_assert(!temp_dir_has(&dir, BAT_SEGMENT_DIR_MARKER));
			ck_assert_uint_eq(compactions_segments(&dir), 3);
			compactions_run(store, &done);
			ck_assert(done.performed);
		}
		(void)bat_close(store, &error);
		store = stores_open(&dir, false);
		compactions_picture(store, &after);
		ck_assert_uint_ge(after.length, before.length);
		after.length = before.length;
		stores_assert_same(&after, &before, "opened again");
		stores_append(store, "player:alice", "\xa1z");
		stores_close(store);
		ck_assert(!temp_dir_has(&dir, BAT_SEGMENT_DIR_MARKER));
		ck_assert(!temp_dir_has(&dir, ".tmp.compaction"));
		ck_assert_uint_eq(compactions_broken(&dir), 0);
		temp_dir_remove(&dir);
	}
	ck_assert(failed);
	ck_assert_uint_lt(calls, 1000);
	bat_bytes_free(&before);
	bat_bytes_free(&after);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("compaction");
	TCase *tcase = tcase_create("shown");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase,
	    every_event_of_a_golden_store_stays_what_it_was, 0, (int)SHAPES);
	tcase_add_test(tcase, numbers_behind_gaps_stay_without_an_index);
	tcase_add_test(tcase,
	    what_the_batch_rule_drops_stays_dropped_and_is_kept_aside);
	tcase_add_test(tcase,
	    an_event_that_the_index_tells_stays_though_a_batch_would_drop_it);
	tcase_add_test(tcase, an_index_that_lies_is_made_anew_first);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("which");
	tcase_add_test(tcase, one_segment_is_left_as_it_is);
	tcase_add_test(tcase,
	    looking_changes_nothing_and_says_what_would_be_done);
	tcase_add_test(tcase, full_segments_at_the_front_stay);
	tcase_add_test(tcase, segments_without_events_go);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("failures");
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, a_damaged_frame_is_named_and_nothing_is_changed);
	tcase_add_loop_test(tcase, a_compaction_that_fails_leaves_what_is_shown,
	    0, 8);
	suite_add_tcase(suite, tcase);
	return suite;
}

int
main(void)
{
	return suite_run(make_suite());
}
