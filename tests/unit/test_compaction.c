/*
 * Compaction: what is shown stays what it was, whatever the segments hold, in
 * the handle that does it and in every later one; what cannot be merged is left
 * as it is.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "codec.h"
#include "fake_clock.h"
#include "faulty_disk.h"
#include "maker.h"
#include "marker.h"
#include "memory_disk.h"
#include "segment.h"
#include "segment_reader.h"
#include "stores.h"
#include "verify.h"

/* ---- ground ------------------------------------------------------------ */

static void
picture(struct bat_store *store, struct bat_buf *out)
{
	const char *wrong = picture_check_lists(store);

	ck_assert_msg(wrong == NULL, "%s", wrong);
	bat_bytes_clear(out);
	picture_of(store, PICTURE_NO_PLACE, out);
}

static void
compact(struct bat_store *store, struct bat_compacted *out)
{
	struct bat_error error = { .text = "" };
	int code = bat_compact(store, false, out, &error);

	ck_assert_msg(code == BAT_OK, "bat_compact: %s", error.text);
}

/* Noted and broken findings; a compaction must add none. */
static uint64_t
broken_in(const struct temp_dir *dir)
{
	struct bat_verify_counts counts;
	struct bat_error error;

	(void)bat_verify_directory(bat_file_posix(), dir->path, NULL, &counts,
	    &error);
	return counts.broken;
}

/* What a handle shows that finds no index file and no sidecar. */
static void
picture_without_index(const struct temp_dir *dir, struct bat_buf *out)
{
	stores_without_index(dir);
	bat_bytes_clear(out);
	stores_picture(dir, PICTURE_NO_PLACE, out);
}

/* Without the index files and the sidecar, footers alone show what was shown
 * with them. */
static void
assert_footers_show(const struct temp_dir *dir, const struct bat_buf *before)
{
	struct bat_buf after = BAT_BUF_EMPTY;

	picture_without_index(dir, &after);
	stores_assert_same(&after, before, "by footers");
	bat_bytes_free(&after);
}

static unsigned
segments_in(const struct temp_dir *dir)
{
	char name[BAT_SEGMENT_NAME_SIZE];
	unsigned count = 0;

	for (uint64_t id = 0; id < 200; id++) {
		bat_segment_name(id, name);
		count += temp_dir_has(dir, name);
	}
	return count;
}

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
	picture(store, &before);
	broken = broken_in(&dir);
	bat_head(store, &head);
	generation = head.generation;
	compact(store, &done);
	ck_assert(done.performed);
	bat_head(store, &head);
	ck_assert_uint_eq(head.generation, generation);
	picture(store, &after);
	stores_assert_same(&after, &before, "in the handle");

	/* It goes on, and what comes is linked to what was there. */
	stores_append(store, "player:alice", "\xa1z");
	picture(store, &before);
	stores_close(store);
	ck_assert_uint_eq(segments_in(&dir), 2);
	bat_bytes_clear(&after);
	stores_picture(&dir, PICTURE_NO_PLACE, &after);
	ck_assert(after.length > before.length); /* CLOSE */
	after.length = before.length;
	stores_assert_same(&after, &before, "with an index file");
	ck_assert_uint_le(broken_in(&dir), broken);
	picture_without_index(&dir, &after);
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
	picture(store, &before);
	compact(store, &done);
	ck_assert_uint_eq(done.segments, 3);
	ck_assert_uint_eq(done.events, 6);
	stores_close(store);
	ck_assert_uint_eq(segments_in(&dir), 1);
	assert_footers_show(&dir, &before);
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
	picture(store, &before);
	compact(store, &done);
	ck_assert_uint_eq(done.events, 5);
	stores_close(store);
	sorts = sorts_in(&dir, done.merged);
	/* The first batch is one still; the one at the end needs no markers,
	 * and batpak believes a footer behind an event only. */
	ck_assert_uint_eq(sorts.events, 5);
	ck_assert_uint_eq(sorts.begins, 1);
	ck_assert_uint_eq(sorts.commits, 1);
	assert_footers_show(&dir, &before);
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
	picture(store, &before);
	compact(store, &done);
	ck_assert_uint_eq(done.events, 4);
	stores_close(store);
	assert_footers_show(&dir, &before);
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
	compact(store, &done);
	ck_assert(done.performed);
	picture(store, &after);
	stores_assert_same(&after, &before, "in the handle");
	stores_close(store);
	assert_footers_show(&dir, &before);
	maker_free(&maker);
	bat_bytes_free(&index);
	bat_bytes_free(&before);
	bat_bytes_free(&after);
	temp_dir_remove(&dir);
}
END_TEST

/* ---- which segments ---------------------------------------------------- */

/* A store of so many sessions, of so many events each. */
static void
make_sessions(struct temp_dir *dir, unsigned sessions, unsigned events)
{
	temp_dir_make(dir);
	for (unsigned i = 0; i < sessions; i++) {
		struct bat_store *store = stores_open(dir, false);

		for (unsigned j = 0; j < events; j++)
			stores_append(store, "player:alice", "\xa1x");
		stores_close(store);
	}
}

START_TEST(one_segment_is_left_as_it_is)
{
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_compacted done;
	struct bat_store *store;
	struct temp_dir dir;

	make_sessions(&dir, 1, 3);
	stores_files(&dir, &before);
	store = stores_open(&dir, false);
	compact(store, &done);
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

	make_sessions(&dir, 3, 2);
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
	compact(store, &done);
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
	picture(store, &before);
	compact(store, &done);
	ck_assert_uint_eq(done.full, 1);
	ck_assert_uint_ge(done.segments, 3);
	picture(store, &after);
	stores_assert_same(&after, &before, "in the handle");
	stores_close(store);
	temp_dir_read(&dir, "000001.fbat", &now);
	ck_assert(
	    bat_bytes_equal(bat_bytes_of_buf(&first), bat_bytes_of_buf(&now)));
	ck_assert_uint_eq(segments_in(&dir), 2);
	picture_without_index(&dir, &after);
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
	picture(store, &before);
	compact(store, &done);
	ck_assert_uint_eq(done.segments, 4);
	ck_assert_uint_eq(done.events, 1);
	stores_append(store, "player:bob", "\xa1x");
	picture(store, &after);
	after.length = before.length;
	stores_assert_same(&after, &before, "in the handle");
	stores_close(store);
	picture_without_index(&dir, &after);
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

	make_sessions(&dir, 2, 3);
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

		make_sessions(&dir, 2, 2);
		faulty_disk_init(&faulty, bat_file_posix());
		store = stores_open_with(&dir, &options);
		stores_append(store, "player:alice", "\xa1y");
		picture(store, &before);
		faulty_disk_reset(&faulty);
		faulty_disk_fail(&faulty, operation, n,
		    operation == FAULTY_WRITE ? ENOSPC : EIO, false);
		code = bat_compact(store, false, &done, &error);
		calls = faulty_disk_calls(&faulty, operation);
		failed = failed || code != BAT_OK;
		faulty_disk_reset(&faulty);
		picture(store, &after);
		stores_assert_same(&after, &before, "in the handle");
		/* No space: as if nothing had been asked. */
		if (code == BAT_WORLD_NO_SPACE && !done.performed) {
			ck_assert(!temp_dir_has(&dir, ".tmp.compaction"));
			ck_assert(!temp_dir_has(&dir, BAT_SEGMENT_DIR_MARKER));
			ck_assert_uint_eq(segments_in(&dir), 3);
			compact(store, &done);
			ck_assert(done.performed);
		}
		(void)bat_close(store, &error);
		store = stores_open(&dir, false);
		picture(store, &after);
		ck_assert_uint_ge(after.length, before.length);
		after.length = before.length;
		stores_assert_same(&after, &before, "opened again");
		stores_append(store, "player:alice", "\xa1z");
		stores_close(store);
		ck_assert(!temp_dir_has(&dir, BAT_SEGMENT_DIR_MARKER));
		ck_assert(!temp_dir_has(&dir, ".tmp.compaction"));
		ck_assert_uint_eq(broken_in(&dir), 0);
		temp_dir_remove(&dir);
	}
	ck_assert(failed);
	ck_assert_uint_lt(calls, 1000);
	bat_bytes_free(&before);
	bat_bytes_free(&after);
}
END_TEST

/* ---- beside it --------------------------------------------------------- */

START_TEST(a_pin_answers_as_before_and_the_next_one_has_everything)
{
	struct bat_pin *old = NULL, *now = NULL;
	struct bat_row first, last, first_now, last_now;
	struct bat_buf bytes = BAT_BUF_EMPTY, file = BAT_BUF_EMPTY;
	struct bat_compacted done;
	struct bat_error error;
	struct bat_store *store;
	struct temp_dir dir;

	make_sessions(&dir, 3, 4);
	store = stores_open(&dir, false);
	ck_assert_int_eq(bat_take_pin(store, NULL, &old, &error), 0);
	ck_assert_uint_eq(old->count, 4); /* and an index file */
	temp_dir_read(&dir, "000002.fbat", &file);
	ck_assert(bat_pinned_span(store, old, 1, &first, &last));
	compact(store, &done);

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

	make_sessions(&dir, 2, 4);
	store = stores_open(&dir, false);
	for (uint32_t i = 0; i < 8; i++)
		ordinals[i] = i;
	bat_read_ahead(store, ordinals, 8, &reading);
	ck_assert_int_eq(bat_read(store, 0, &reading, &error), 0);
	compact(store, &done);
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
	picture(store, &before);
	stores_close(store);
	/* Nothing of it was read when it begins. */
	store = stores_open_with(&dir, &options);
	compact(store, &done);
	picture(store, &after);
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

/* ---- in the middle of it ----------------------------------------------- */

/* What lies in a directory, and which segments batpak reads of it: those of the
 * marker's sources count while the merged one is not there. */
struct sight {
	uint64_t ids[16], read[16];
	size_t count, read_count;
	uint64_t merged, highest;
	bool marked, has_index;
};

static int
see_name(void *context, const char *name)
{
	struct sight *sight = context;
	uint64_t id;

	if (strncmp(name, "index.", 6) == 0)
		sight->has_index = true;
	if (!bat_segment_id_of_name(name, &id))
		return 0;
	ck_assert_uint_lt(sight->count, 16);
	sight->ids[sight->count++] = id;
	if (id > sight->highest)
		sight->highest = id;
	return 0;
}

static bool
has_id(const uint64_t *ids, size_t count, uint64_t id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static size_t
sources_of(const char *text, uint64_t sources[16])
{
	const char *at = strchr(text, '[');
	size_t count = 0;
	char *end;

	for (; at != NULL && *at != ']' && count < 16; at = end)
		sources[count++] = strtoull(at + 1, &end, 10);
	return count;
}

static void
look_as_batpak(const struct bat_disk *door, struct sight *out)
{
	int dir = door->open_dir(door->context, "/", false);
	struct bat_buf text = BAT_BUF_EMPTY;
	uint64_t sources[16];
	size_t count = 0;
	bool merged;

	*out = (struct sight){ .count = 0 };
	door->list(door->context, dir, see_name, out);
	if (bat_file_read_whole(door, dir, BAT_SEGMENT_DIR_MARKER, 4096, &text,
		NULL) == BAT_OK) {
		ck_assert_int_eq(bat_bytes_append_byte(&text, 0), 0);
		out->marked = true;
		out->merged = strtoull(strchr((char *)text.data, ':') + 1, NULL,
		    10);
		count = sources_of((char *)text.data, sources);
	}
	bat_bytes_free(&text);
	door->close(door->context, dir);
	merged = has_id(out->ids, out->count, out->merged);
	for (size_t i = 0; i < out->count; i++)
		if (!out->marked || !merged ||
		    !has_id(sources, count, out->ids[i]))
			out->read[out->read_count++] = out->ids[i];
	/* Else the open fails. */
	for (size_t i = 0; out->marked && !merged && i < count; i++)
		ck_assert(has_id(out->ids, out->count, sources[i]));
	/* What speaks of the sources' places may not outlive them. */
	if (out->marked && merged)
		ck_assert(!out->has_index);
	/* batpak's next segment must not be taken for the merged one. */
	if (out->marked && !merged)
		ck_assert_uint_gt(out->highest, out->merged);
}

static unsigned
events_read(const struct bat_disk *door, const struct sight *sight)
{
	struct bat_segment_dir segments;
	struct bat_segment_reader reader;
	struct bat_segment_item item;
	unsigned events = 0;

	ck_assert_int_eq(
	    bat_segment_dir_open(&segments, door, "/", false, NULL), 0);
	ck_assert_int_eq(bat_segment_dir_scan(&segments, NULL), 0);
	for (size_t i = 0; i < sight->read_count; i++) {
		ck_assert_int_eq(bat_segment_reader_open(&reader, &segments,
				     sight->read[i], NULL),
		    0);
		while (
		    bat_segment_reader_next(&reader, &item, NULL) == BAT_OK) {
			ck_assert_int_eq(item.state, BAT_FRAME_WHOLE);
			events += !bat_codec_is_marker(&item.event);
		}
		bat_segment_reader_close(&reader);
	}
	bat_segment_dir_close(&segments);
	return events;
}

struct watch {
	struct bat_buf before;
	unsigned events, states;
};

/* Somebody opens it after a crash here: batpak, then we. */
static void
open_there(struct watch *watch, struct memory_disk *crash)
{
	const struct bat_disk *door = memory_disk_door(crash);
	const struct bat_options options = { .disk = door };
	struct bat_buf after = BAT_BUF_EMPTY;
	struct bat_store *store = NULL;
	struct bat_error error;
	struct sight sight;

	look_as_batpak(door, &sight);
	ck_assert_uint_eq(events_read(door, &sight), watch->events);
	ck_assert_msg(bat_open("/", &options, &store, &error) == 0, "%s",
	    error.text);
	picture(store, &after);
	stores_assert_same(&after, &watch->before, "after a crash");
	stores_append(store, "player:alice", "\xa1z");
	stores_close(store);
	look_as_batpak(door, &sight);
	ck_assert(!sight.marked);
	bat_bytes_free(&after);
	memory_disk_free(crash);
	watch->states++;
}

static void
at_operation(void *context, struct memory_disk *disk,
    const struct memory_disk_op *op)
{
	struct memory_disk_fate fates[64] = { { .kind = MEMORY_DISK_NOT } };
	size_t pending = memory_disk_pending_count(disk);

	(void)op;
	open_there(context, memory_disk_copy(disk));
	ck_assert_uint_le(pending, 64);
	open_there(context, memory_disk_crash(disk, fates));
	/* The last thing alone. */
	if (pending == 0)
		return;
	fates[pending - 1].kind = MEMORY_DISK_WHOLE;
	if (memory_disk_may_leave(disk, fates))
		open_there(context, memory_disk_crash(disk, fates));
}

START_TEST(at_every_step_batpak_and_batfs_find_each_event_once)
{
	struct memory_disk *disk = memory_disk_new(MEMORY_DISK_STRICT, 5);
	const struct bat_options options = { .disk = memory_disk_door(disk) };
	struct watch watch = { .before = BAT_BUF_EMPTY };
	struct bat_compacted done;
	struct bat_store *store = NULL;
	struct bat_error error;
	struct sight sight;

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(bat_open("/", &options, &store, &error), 0);
		stores_append(store, "player:alice", "\xa1x");
		stores_append(store, "player:bob", "\xa1y");
		/* Idle, or with a segment that is being written. */
		if (i < 2 || _i == 0)
			stores_close(store);
	}
	if (_i == 0)
		ck_assert_int_eq(bat_open("/", &options, &store, &error), 0);
	picture(store, &watch.before);
	look_as_batpak(options.disk, &sight);
	watch.events = events_read(options.disk, &sight);
	memory_disk_watch(disk, at_operation, &watch);
	compact(store, &done);
	memory_disk_watch(disk, NULL, NULL);
	ck_assert(done.performed);
	ck_assert_uint_gt(watch.states, 40);
	look_as_batpak(options.disk, &sight);
	ck_assert_uint_eq(sight.count, 1);
	stores_close(store);
	bat_bytes_free(&watch.before);
	memory_disk_free(disk);
}
END_TEST

/* A directory as a crash behind the rename leaves it: the merged segment 5, its
 * sources 1 to 3, and the marker. */
static void
make_unswept(struct temp_dir *dir, struct bat_buf *before)
{
	struct bat_buf files[3] = { BAT_BUF_EMPTY, BAT_BUF_EMPTY,
		BAT_BUF_EMPTY };
	struct bat_buf text = BAT_BUF_EMPTY;
	const uint64_t ids[] = { 1, 2, 3 };
	struct bat_compacted done;
	struct bat_store *store;
	char name[BAT_SEGMENT_NAME_SIZE];

	make_sessions(dir, 3, 3);
	stores_without_index(dir);
	store = stores_open(dir, false);
	picture(store, before);
	for (uint64_t id = 1; id <= 3; id++) {
		bat_segment_name(id, name);
		temp_dir_read(dir, name, &files[id - 1]);
	}
	compact(store, &done);
	stores_close(store);
	stores_without_index(dir);
	for (uint64_t id = 1; id <= 3; id++) {
		bat_segment_name(id, name);
		temp_dir_write(dir, name, bat_bytes_of_buf(&files[id - 1]));
		bat_bytes_free(&files[id - 1]);
	}
	ck_assert_uint_eq(done.merged, 4);
	ck_assert_int_eq(bat_marker_encode(4, ids, 3, &text), 0);
	temp_dir_write(dir, BAT_SEGMENT_DIR_MARKER, bat_bytes_of_buf(&text));
	bat_bytes_free(&text);
}

static void
assert_heals(const struct temp_dir *dir, const struct bat_buf *before,
    unsigned segments)
{
	struct bat_buf after = BAT_BUF_EMPTY;
	struct bat_store *store = stores_open(dir, false);

	picture(store, &after);
	stores_assert_same(&after, before, "opened");
	stores_append(store, "player:alice", "\xa1z");
	stores_close(store);
	ck_assert(!temp_dir_has(dir, BAT_SEGMENT_DIR_MARKER));
	ck_assert_uint_eq(segments_in(dir), segments);
	ck_assert_uint_eq(broken_in(dir), 0);
	bat_bytes_clear(&after);
	stores_picture(dir, PICTURE_NO_PLACE, &after);
	after.length = before->length;
	stores_assert_same(&after, before, "healed");
	bat_bytes_free(&after);
}

START_TEST(the_marker_is_that_of_the_format)
{
	static const char wanted[] =
	    "{\"merged_id\":4,\"source_segment_ids\":[1,2,3],"
	    "\"batfs_crc32\":2013149520}";
	const uint64_t ids[] = { 1, 2, 3 };
	struct bat_buf text = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_marker_encode(4, ids, 3, &text), 0);
	ck_assert(
	    bat_bytes_equal(bat_bytes_of_buf(&text), bat_bytes_text(wanted)));
	bat_bytes_free(&text);
}
END_TEST

START_TEST(sources_of_a_finished_merge_go)
{
	struct bat_buf before = BAT_BUF_EMPTY;
	struct temp_dir dir;

	make_unswept(&dir, &before);
	/* The second opinion does not take them for events of their own. */
	ck_assert_uint_eq(broken_in(&dir), 0);
	temp_dir_unlink(&dir, "000002.fbat");
	ck_assert_uint_eq(broken_in(&dir), 0);
	assert_heals(&dir, &before, 2);
	bat_bytes_free(&before);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_merged_segment_that_is_damaged_gives_way_to_its_sources)
{
	struct bat_buf before = BAT_BUF_EMPTY;
	struct temp_dir dir;

	make_unswept(&dir, &before);
	temp_dir_flip(&dir, "000004.fbat", 1400, 0x10);
	assert_heals(&dir, &before, 4);
	bat_bytes_free(&before);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_marker_of_ours_that_was_changed_is_not_believed)
{
	struct bat_buf before = BAT_BUF_EMPTY, files = BAT_BUF_EMPTY;
	struct bat_buf after = BAT_BUF_EMPTY;
	const struct bat_options options = { .read_only = false };
	struct bat_store *store = NULL;
	struct bat_error error;
	struct temp_dir dir;

	make_unswept(&dir, &before);
	/* Other ids: what is healed by them would be lost. */
	temp_dir_flip(&dir, BAT_SEGMENT_DIR_MARKER, strlen("{\"merged_id\":"),
	    1);
	stores_files(&dir, &files);
	ck_assert_int_eq(bat_open(dir.path, &options, &store, &error),
	    BAT_DATA_CORRUPT);
	ck_assert_ptr_nonnull(strstr(error.text, "batctl repair"));
	stores_files(&dir, &after);
	stores_assert_same(&after, &files, "the directory");
	bat_bytes_free(&before);
	bat_bytes_free(&files);
	bat_bytes_free(&after);
	temp_dir_remove(&dir);
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
	tcase = tcase_create("beside");
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase,
	    a_pin_answers_as_before_and_the_next_one_has_everything);
	tcase_add_test(tcase, what_was_looked_up_before_is_read_after);
	tcase_add_test(tcase, rows_of_a_sidecar_are_moved_too);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("crashes");
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase,
	    at_every_step_batpak_and_batfs_find_each_event_once, 0, 2);
	tcase_add_test(tcase, the_marker_is_that_of_the_format);
	tcase_add_test(tcase, sources_of_a_finished_merge_go);
	tcase_add_test(tcase,
	    a_merged_segment_that_is_damaged_gives_way_to_its_sources);
	tcase_add_test(tcase,
	    a_marker_of_ours_that_was_changed_is_not_believed);
	suite_add_tcase(suite, tcase);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(make_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
