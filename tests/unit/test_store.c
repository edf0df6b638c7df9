/*
 * The door: whose directories are opened, what is told, what happens when an
 * index lied, when the disk fails at any call, and when many threads come.
 */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "faulty_disk.h"
#include "maker.h"
#include "rowindex.h"
#include "stores.h"

/* ---- whose directories -------------------------------------------------- */

static int
try_open(const char *path, const struct bat_options *options,
    struct bat_error *error)
{
	struct bat_store *store = NULL;
	int code = bat_open(path, options, &store, error);

	if (code == 0)
		stores_close(store);
	return code;
}

START_TEST(an_absent_or_empty_directory_becomes_a_store_unless_forbidden)
{
	struct bat_error error = { .text = "" };
	struct temp_dir dir;
	char path[300];

	temp_dir_make(&dir);
	snprintf(path, sizeof(path), "%s/a/b", dir.path);
	for (int i = 0; i < 2; i++) {
		const struct bat_options options = { .read_only = i == 0,
			.no_create = i == 1 };

		ck_assert_int_eq(try_open(path, &options, &error),
		    BAT_WORLD_ABSENT);
		ck_assert_ptr_nonnull(strstr(error.text, path));
		ck_assert_int_eq(try_open(dir.path, &options, &error),
		    BAT_WORLD_ABSENT);
	}
	ck_assert_uint_eq(temp_dir_count(&dir), 0);
	ck_assert_int_eq(try_open(path, NULL, &error), 0);
	ck_assert(temp_dir_has(&dir, "a/b/.batpak.lock"));
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_directory_of_somebody_else_is_refused_and_left_alone)
{
	struct bat_error error = { .text = "" };
	struct temp_dir dir;

	temp_dir_make(&dir);
	temp_dir_write(&dir, "thesis.txt", bat_bytes_text("x"));
	ck_assert_int_eq(try_open(dir.path, NULL, &error), BAT_DATA_REFUSED);
	ck_assert_uint_eq(temp_dir_count(&dir), 1);
	ck_assert_ptr_nonnull(strstr(error.text, dir.path));
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_second_writer_is_locked_out_and_a_reader_is_not)
{
	struct bat_error error = { .text = "" };
	struct bat_store *store;
	struct temp_dir dir;

	stores_golden(&dir, "quickstart");
	store = stores_open(&dir, false);
	ck_assert_int_eq(try_open(dir.path, NULL, &error), BAT_WORLD_LOCKED);
	ck_assert_int_eq(try_open(dir.path,
			     &(struct bat_options){ .read_only = true },
			     &error),
	    0);
	stores_close(store);
	ck_assert_int_eq(try_open(dir.path, NULL, &error), 0);
	temp_dir_remove(&dir);
}
END_TEST

/* ---- what is told ------------------------------------------------------- */

START_TEST(the_head_of_an_empty_store_is_empty)
{
	const struct bat_list all = { .kind = BAT_LIST_ALL };
	struct bat_list_stat stat;
	struct bat_status status;
	struct bat_store *store;
	struct bat_head head;
	struct temp_dir dir;
	struct bat_row row;
	uint64_t cursor = 0;
	uint32_t ordinal;

	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	bat_head(store, &head);
	ck_assert_uint_eq(head.ordinals, 0);
	ck_assert_uint_eq(head.visible_count, 0);
	ck_assert_uint_eq(head.next_seq, 0);
	ck_assert(!bat_row(store, 0, &row));
	ck_assert(!bat_list_stat(store, &all, &stat));
	ck_assert_uint_eq(bat_list_next(store, &all, &cursor, &ordinal, 1), 0);
	ck_assert_uint_eq(bat_find_seq(store, 0), BAT_MAP_NONE);
	ck_assert_uint_eq(bat_find_seq_from(store, 0), BAT_MAP_NONE);
	ck_assert_uint_eq(bat_entity_at(store, 0), BAT_MAP_NONE);
	ck_assert_uint_eq(bat_scope_at(store, 0), BAT_MAP_NONE);
	ck_assert_uint_eq(bat_scope_size(store, 7), 0);
	ck_assert_uint_eq(bat_scope_entity_at(store, 7, 0), BAT_MAP_NONE);
	ck_assert_uint_eq(bat_entity_scopes(store, 7, &ordinal), 0);
	ck_assert_uint_eq(bat_name(store, 7).length, 0);
	bat_status(store, &status);
	ck_assert_int_eq(status.source, BAT_SOURCE_NEW);
	ck_assert_ptr_null(picture_check_lists(store));
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(the_status_tells_what_was_restored_and_written)
{
	struct bat_file_stat stat;
	struct bat_status status;
	struct bat_store *store;
	struct temp_dir dir;

	stores_golden(&dir, "crashed-after-index");
	store = stores_open(&dir, false);
	bat_status(store, &status);
	ck_assert_int_eq(status.source, BAT_SOURCE_ROWINDEX);
	ck_assert_uint_eq(status.source_version, 5);
	ck_assert_uint_eq(status.restored_count + status.tail_count, 29);
	ck_assert_uint_gt(status.tail_count, 0);
	ck_assert_uint_eq(status.uncovered_count, status.tail_count);
	ck_assert_uint_eq(status.segment_count, 2);
	ck_assert(!status.appended);
	stores_append(store, "player:new", "\xa1x");
	bat_status(store, &status);
	ck_assert(status.appended);
	ck_assert_uint_eq(status.segment_count, 3);
	ck_assert_uint_eq(status.visible_seq_plus_1, 31);
	ck_assert_uint_eq(status.durable_seq_plus_1, 31);
	ck_assert(stores_report_has(store, "restored"));
	ck_assert_int_eq(bat_directory_stat(store, &stat), 0);
	ck_assert_uint_eq(stat.uid, getuid());
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_cursor_goes_on_when_the_list_grows)
{
	struct bat_list list = { .kind = BAT_LIST_ENTITY };
	struct bat_store *store;
	struct temp_dir dir;
	uint64_t cursor = 0;
	uint32_t ordinals[8];

	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	stores_append(store, "player:a",
	    "\xa1"
	    "1");
	list.entity = bat_find_entity(store, bat_bytes_text("player:a"));
	ck_assert_uint_eq(bat_list_next(store, &list, &cursor, ordinals, 8), 1);
	ck_assert_uint_eq(bat_list_next(store, &list, &cursor, ordinals, 8), 0);
	stores_append(store, "player:b",
	    "\xa1"
	    "2");
	stores_append(store, "player:a",
	    "\xa1"
	    "3");
	ck_assert_uint_eq(bat_list_next(store, &list, &cursor, ordinals, 8), 1);
	ck_assert_uint_eq(ordinals[0], 3);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* A name that is known, because a draft with it was refused or written
 * elsewhere, is no entity and no scope. */
START_TEST(a_name_without_events_is_not_found)
{
	struct bat_draft draft = stores_draft("player:x", "scope:x", "\xa1x");
	struct bat_store *store;
	struct temp_dir dir;

	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	stores_append(store, "player:a",
	    "\xa1"
	    "1");
	draft.cause = BAT_CAUSE_LAST;
	ck_assert_int_eq(stores_append_batch(store, &draft, 1, NULL, NULL),
	    BAT_STATE_NOT_FOUND);
	ck_assert_uint_eq(bat_find_entity(store, draft.entity), BAT_MAP_NONE);
	ck_assert_uint_eq(bat_find_scope(store, draft.scope), BAT_MAP_NONE);
	ck_assert_uint_eq(bat_find_entity(store, bat_bytes_text("scope:test")),
	    BAT_MAP_NONE);
	ck_assert_uint_eq(bat_find_scope(store, bat_bytes_text("player:a")),
	    BAT_MAP_NONE);
	ck_assert_ptr_null(picture_check_lists(store));
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(an_entity_in_many_scopes_is_in_each)
{
	static const char *const scopes[] = { "s", "t", "u" };
	struct bat_store *store;
	struct temp_dir dir;
	uint32_t entity, first;

	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	for (int i = 0; i < 30; i++) {
		struct bat_draft draft = stores_draft(i % 2 == 0 ? "player:a" :
								   "player:b",
		    scopes[i % 7 == 6  ? 2 :
			    i % 5 == 4 ? 1 :
					 0],
		    "\xa1x");

		ck_assert_int_eq(
		    stores_append_batch(store, &draft, 1, NULL, NULL), 0);
		ck_assert_ptr_null(picture_check_lists(store));
	}
	entity = bat_find_entity(store, bat_bytes_text("player:a"));
	ck_assert_uint_eq(bat_entity_scopes(store, entity, &first), 3);
	ck_assert_uint_eq(first, bat_find_scope(store, bat_bytes_text("s")));
	stores_close(store);
	store = stores_open(&dir, true);
	ck_assert_ptr_null(picture_check_lists(store));
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* ---- an index that lied ------------------------------------------------- */

/* Samples are the first, the last, and the second row. */
static int
no_random(void *context, void *to, size_t length)
{
	(void)context;
	memset(to, 0, length);
	return 0;
}

struct lie {
	struct temp_dir dir;
	struct bat_disk disk;
	struct maker maker;
	struct bat_buf truth;
};

/* Eight events, and an index whose sixth row has another clock. */
static void
lie_make(struct lie *lie)
{
	struct bat_buf index = BAT_BUF_EMPTY;
	uint32_t number;

	*lie = (struct lie){ .disk = *bat_file_posix() };
	maker_init(&lie->maker);
	/* So that names have other numbers in it than in the frames. */
	ck_assert_int_eq(bat_intern_put(&lie->maker.names,
			     bat_bytes_text("nobody"), &number),
	    0);
	temp_dir_make(&lie->dir);
	maker_segment(&lie->maker, 1);
	for (int i = 0; i < 8; i++)
		maker_event(&lie->maker, i % 2 == 0 ? "player:a" : "player:b",
		    "\xa1x");
	maker_save(&lie->maker, &lie->dir);
	stores_picture(&lie->dir, PICTURE_WHOLE, &lie->truth);
	lie->maker.rows[5].clock += 7;
	maker_index(&lie->maker, true, 5, &index);
	temp_dir_write(&lie->dir, "index.fbati", bat_bytes_of_buf(&index));
	bat_bytes_free(&index);
}

static void
lie_free(struct lie *lie)
{
	temp_dir_remove(&lie->dir);
	maker_free(&lie->maker);
	bat_bytes_free(&lie->truth);
}

static struct bat_store *
lie_open(struct lie *lie, bool read_only)
{
	struct bat_store *store;

	lie->disk.random = no_random;
	store = stores_open_with(&lie->dir,
	    &(struct bat_options){ .read_only = read_only,
		.disk = &lie->disk });
	/* Ids are made with it. */
	lie->disk.random = bat_file_posix()->random;
	ck_assert(!stores_report_has(store, "dropped"));
	return store;
}

/* The event that gives the lie away. */
static void
meet_the_lie(struct bat_store *store)
{
	static const uint32_t ordinals[] = { 4, 5 };
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_head before, after;

	bat_head(store, &before);
	/* What was noted of it lies as well, and is forgotten. */
	bat_read_ahead(store, ordinals, 2, &reading);
	ck_assert_int_eq(bat_read(store, 4, &reading, NULL), 0);
	ck_assert_int_eq(bat_read(store, 5, &reading, NULL),
	    BAT_DATA_DISAGREES);
	bat_head(store, &after);
	ck_assert_uint_gt(after.generation, before.generation);
	ck_assert_uint_eq(after.visible_count, before.visible_count);
	ck_assert_int_eq(bat_read(store, 5, &reading, NULL), 0);
	bat_reading_free(&reading);
}

static void
assert_truth(struct lie *lie, struct bat_store *store)
{
	struct bat_buf got = BAT_BUF_EMPTY;

	picture_of_some(store, PICTURE_WHOLE, 0, 8, &got);
	stores_assert_same(&got, &lie->truth, "after the rebuild");
	ck_assert_ptr_null(picture_check_lists(store));
	bat_bytes_free(&got);
}

START_TEST(a_row_that_lies_is_found_when_its_event_is_read)
{
	struct bat_store *store;
	struct lie lie;

	lie_make(&lie);
	store = lie_open(&lie, _i == 0);
	meet_the_lie(store);
	assert_truth(&lie, store);
	ck_assert(temp_dir_has(&lie.dir, "index.fbati"));
	if (_i == 1) {
		stores_append(store, "player:a", "\xa1x");
		ck_assert(!temp_dir_has(&lie.dir, "index.fbati"));
	}
	stores_close(store);
	ck_assert(temp_dir_has(&lie.dir, "index.fbati"));
	if (_i == 1) {
		store = stores_open(&lie.dir, true);
		ck_assert(!stores_report_has(store, "dropped"));
		assert_truth(&lie, store);
		stores_close(store);
	}
	lie_free(&lie);
}
END_TEST

/* The session had appended by then: its segment and its index are right all
 * the same, and names stay what they were. */
START_TEST(a_rebuild_amid_a_session_keeps_what_it_appended)
{
	struct bat_receipt receipts[3];
	struct bat_status status;
	struct bat_store *store;
	struct bat_slice name;
	struct bat_head head;
	struct bat_row row;
	struct lie lie;

	lie_make(&lie);
	store = lie_open(&lie, false);
	receipts[0] = stores_append(store, "player:new",
	    "\xa1"
	    "1");
	ck_assert(bat_row(store, 9, &row));
	name = bat_name(store, row.entity);
	meet_the_lie(store);
	ck_assert(bat_bytes_equal(name, bat_bytes_text("player:new")));
	receipts[1] = stores_append(store, "player:newer",
	    "\xa1"
	    "2");
	receipts[2] = stores_append(store, "player:b",
	    "\xa1"
	    "3");
	ck_assert_uint_eq(receipts[2].clock, 4);
	ck_assert(!temp_dir_has(&lie.dir, "index.fbati"));
	assert_truth(&lie, store);
	stores_close(store);
	for (int indexed = 1; indexed >= 0; indexed--) {
		if (indexed == 0)
			stores_without_index(&lie.dir);
		store = stores_open(&lie.dir, true);
		ck_assert(!stores_report_has(store, "dropped"));
		ck_assert(!stores_report_has(store, "not believed"));
		bat_status(store, &status);
		if (indexed == 1)
			ck_assert_int_eq(status.source, BAT_SOURCE_ROWINDEX);
		bat_head(store, &head);
		ck_assert_uint_eq(head.visible_count, 8 + 5);
		assert_truth(&lie, store);
		for (int i = 0; i < 3; i++) {
			uint32_t ordinal = bat_find_id(store, &receipts[i].id);

			ck_assert(bat_row(store, ordinal, &row));
			ck_assert_uint_eq(row.seq, receipts[i].seq);
		}
		stores_close(store);
	}
	lie_free(&lie);
}
END_TEST

START_TEST(a_rebuild_amid_unsynced_appends_does_not_call_them_durable)
{
	struct bat_status status;
	struct bat_store *store;
	struct bat_head head;
	struct lie lie;

	lie_make(&lie);
	lie.disk.random = no_random;
	store = stores_open_with(&lie.dir,
	    &(struct bat_options){ .disk = &lie.disk,
		.durability = BAT_DURABLE_FSYNC });
	lie.disk.random = bat_file_posix()->random;
	stores_append(store, "player:new",
	    "\xa1"
	    "1");
	ck_assert_int_eq(bat_sync(store, NULL), 0);
	stores_append(store, "player:new",
	    "\xa1"
	    "2");
	meet_the_lie(store);
	bat_status(store, &status);
	ck_assert_uint_eq(status.durable_seq_plus_1, 10);
	bat_head(store, &head);
	ck_assert_uint_eq(head.durable_seq, 9);
	ck_assert_int_eq(bat_sync(store, NULL), 0);
	bat_head(store, &head);
	ck_assert_uint_eq(head.durable_seq, 10);
	stores_close(store);
	lie_free(&lie);
}
END_TEST

/* ---- a disk that fails -------------------------------------------------- */

enum { ATTEMPTS = 9 };

/* What a session tried and what it was told. */
struct deeds {
	struct bat_id ids[ATTEMPTS];
	bool acknowledged[ATTEMPTS];
	bool denied[ATTEMPTS]; /* not stored, says the store */
};

static void
note_deed(struct deeds *deeds, size_t first, const struct bat_batch *batch,
    const struct bat_receipt *receipts)
{
	for (size_t i = 0; i < batch->count; i++) {
		deeds->acknowledged[first + i] = i < batch->committed;
		/* What the sync of it failed may be there or not. */
		deeds->denied[first + i] = i >= batch->committed &&
		    batch->code != BAT_STATE_STOPPED;
		if (i < batch->committed)
			deeds->ids[first + i] = receipts[i].id;
	}
}

/* Payload n is the string "en"; 3 to 5 are one batch. */
static void
attempt(struct bat_store *store, struct deeds *deeds, size_t first,
    size_t count)
{
	static const char *const payloads[ATTEMPTS] = { "\xa2"
							"e0",
		"\xa2"
		"e1",
		"\xa2"
		"e2",
		"\xa2"
		"e3",
		"\xa2"
		"e4",
		"\xa2"
		"e5",
		"\xa2"
		"e6",
		"\xa2"
		"e7",
		"\xa2"
		"e8" };
	struct bat_draft drafts[3];
	struct bat_receipt receipts[3];
	struct bat_batch batch;

	for (size_t i = 0; i < count; i++)
		drafts[i] = stores_draft("player:f",
		    i == 1 ? "scope:g" : "scope:f", payloads[first + i]);
	(void)stores_append_batch(store, drafts, count, receipts, &batch);
	note_deed(deeds, first, &batch, receipts);
}

/* Open, append, rotate, checkpoint, close: each call may fail. */
static void
live(const struct temp_dir *dir, struct faulty_disk *disk, struct deeds *deeds,
    bool goes_away)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_error error = { .text = "" };
	struct bat_status status;
	struct bat_store *store;

	*deeds = (struct deeds){ .acknowledged = { false } };
	if (bat_open(dir->path,
		&(struct bat_options){ .disk = &disk->disk,
		    .segment_max_bytes = 1800 },
		&store, &error) != 0) {
		ck_assert_str_ne(error.text, "");
		return;
	}
	attempt(store, deeds, 0, 1);
	attempt(store, deeds, 1, 1);
	(void)bat_checkpoint(store, NULL);
	attempt(store, deeds, 2, 1);
	attempt(store, deeds, 3, 3);
	(void)bat_read(store, 0, &reading, NULL);
	attempt(store, deeds, 6, 1);
	if (goes_away) {
		faulty_disk_reset(disk);
		bat_status(store, &status);
		attempt(store, deeds, 7, 1);
		ck_assert_msg(status.stopped || deeds->acknowledged[7],
		    "no append though there is space again");
	}
	attempt(store, deeds, 8, 1);
	bat_reading_free(&reading);
	(void)bat_close(store, &error);
}

/* How often each attempt is there; and each acknowledged one under its id. */
static void
take_stock(struct bat_store *store, const struct deeds *deeds,
    unsigned counts[ATTEMPTS])
{
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_head head;

	memset(counts, 0, ATTEMPTS * sizeof(counts[0]));
	bat_head(store, &head);
	for (uint32_t i = 0; i < head.ordinals; i++) {
		ck_assert_int_eq(bat_read(store, i, &reading, NULL), 0);
		ck_assert_uint_eq(reading.row.seq, i);
		if (bat_bytes_equal(bat_name(store, reading.row.entity),
			bat_bytes_text("player:f"))) {
			unsigned n = (unsigned)(reading.payload.data[2] - '0');

			ck_assert_uint_lt(n, ATTEMPTS);
			counts[n]++;
			ck_assert(!deeds->acknowledged[n] ||
			    bat_id_equal(&reading.row.id, &deeds->ids[n]));
		}
	}
	bat_reading_free(&reading);
}

static void
judge(const struct temp_dir *dir, const struct deeds *deeds, const char *what)
{
	for (int pass = 0; pass < 3; pass++) {
		struct bat_store *store = stores_open(dir, pass == 2);
		unsigned counts[ATTEMPTS];

		take_stock(store, deeds, counts);
		for (unsigned i = 0; i < ATTEMPTS; i++) {
			ck_assert_msg(!deeds->acknowledged[i] || counts[i] == 1,
			    "%s: acknowledged %u is there %u times", what, i,
			    counts[i]);
			ck_assert_msg(!deeds->denied[i] || counts[i] == 0,
			    "%s: %u is there though it was refused", what, i);
			ck_assert_uint_le(counts[i], 1);
		}
		/* Whole, but for a draft that was refused. */
		ck_assert_msg(deeds->denied[5] ||
			(counts[3] == counts[4] && counts[4] == counts[5]),
		    "%s: half a batch", what);
		ck_assert_ptr_null(picture_check_lists(store));
		/* It goes on, and so without the index. */
		if (pass == 1) {
			stores_append(store, "player:later", "\xa1x");
			stores_close(store);
			stores_without_index(dir);
		} else {
			stores_close(store);
		}
	}
}

/* 0: a new store; 1: much to do before the first append: an index that does
 * not hold, a torn tail, an empty segment; 2: an index that holds. */
static void
lay_ground(struct temp_dir *dir, int ground)
{
	struct bat_buf index = BAT_BUF_EMPTY;
	struct maker maker;

	temp_dir_make(dir);
	if (ground == 0)
		return;
	maker_init(&maker);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "1");
	maker_event(&maker, "player:b",
	    "\xa1"
	    "2");
	if (ground == 1)
		maker_bytes(&maker, "\0\0\2\0torn", 8);
	maker_save(&maker, dir);
	if (ground == 1)
		maker.rows[0].clock++;
	maker_index(&maker, ground == 1, 6, &index);
	temp_dir_write(dir, ground == 1 ? "index.fbati" : "index.ckpt",
	    bat_bytes_of_buf(&index));
	if (ground == 1)
		temp_dir_write(dir, "000002.fbat", BAT_SLICE_EMPTY);
	bat_bytes_free(&index);
	maker_free(&maker);
}

static void
fail_each_call(int ground, enum faulty_operation operation, int os_errno,
    bool for_good)
{
	for (unsigned nth = 1;; nth++) {
		struct faulty_disk disk;
		struct deeds deeds;
		struct temp_dir dir;
		bool reached;
		char what[80];

		lay_ground(&dir, ground);
		faulty_disk_init(&disk, bat_file_posix());
		faulty_disk_fail(&disk, operation, nth, os_errno, for_good);
		live(&dir, &disk, &deeds, false);
		reached = faulty_disk_calls(&disk, operation) >= nth;
		snprintf(what, sizeof(what), "operation %d, call %u, %s%s",
		    operation, nth, os_errno == EIO ? "EIO" : "ENOSPC",
		    for_good ? " for good" : "");
		judge(&dir, &deeds, what);
		temp_dir_remove(&dir);
		if (reached && for_good && os_errno == ENOSPC) {
			lay_ground(&dir, ground);
			faulty_disk_init(&disk, bat_file_posix());
			faulty_disk_fail(&disk, operation, nth, os_errno, true);
			live(&dir, &disk, &deeds, true);
			judge(&dir, &deeds, what);
			temp_dir_remove(&dir);
		}
		if (!reached)
			break;
	}
}

START_TEST(a_disk_that_fails_at_any_call_loses_nothing_acknowledged)
{
	for (int ground = 0; ground < 3; ground++) {
		fail_each_call(ground, (enum faulty_operation)_i, EIO, false);
		fail_each_call(ground, (enum faulty_operation)_i, EIO, true);
	}
}
END_TEST

START_TEST(a_disk_that_is_full_for_a_while_loses_nothing)
{
	static const enum faulty_operation operations[] = { FAULTY_OPEN,
		FAULTY_WRITE, FAULTY_SYNC, FAULTY_SYNC_DATA, FAULTY_RENAME,
		FAULTY_MKDIR };

	for (int ground = 0; ground < 3; ground++)
		fail_each_call(ground, operations[_i], ENOSPC, true);
}
END_TEST

/* A file system that turns read-only, or a disk that is pulled: everything
 * fails from some moment on. */
START_TEST(a_disk_that_goes_away_loses_nothing_acknowledged)
{
	for (unsigned nth = 1; nth < 40; nth++) {
		struct faulty_disk disk;
		struct deeds deeds;
		struct temp_dir dir;

		lay_ground(&dir, _i);
		faulty_disk_init(&disk, bat_file_posix());
		faulty_disk_fail(&disk, FAULTY_WRITE, nth, EROFS, true);
		faulty_disk_fail(&disk, FAULTY_SYNC, nth, EIO, true);
		faulty_disk_fail(&disk, FAULTY_SYNC_DATA, nth, EIO, true);
		faulty_disk_fail(&disk, FAULTY_TRUNCATE, 1, EROFS, true);
		faulty_disk_fail(&disk, FAULTY_UNLINK, 1 + nth / 4, EROFS,
		    true);
		faulty_disk_fail(&disk, FAULTY_RENAME, nth / 4 + 1, EROFS,
		    true);
		live(&dir, &disk, &deeds, false);
		judge(&dir, &deeds, "gone");
		temp_dir_remove(&dir);
	}
}
END_TEST

/* ---- threads ------------------------------------------------------------ */

enum { WRITERS = 4, READERS = 4, APPENDS = 60 };

struct crew {
	struct bat_store *store;
	struct bat_receipt receipts[WRITERS][APPENDS];
	atomic_uint number;
	atomic_bool done;
	atomic_uint failures;
};

static void *
write_events(void *context)
{
	struct crew *crew = context;
	unsigned me = atomic_fetch_add(&crew->number, 1);
	char entity[32];

	snprintf(entity, sizeof(entity), "player:%u", me);
	for (size_t i = 0; i < APPENDS; i++) {
		struct bat_draft draft = stores_draft(
		    i % 3 == 0 ? "player:all" : entity, "scope:t", "\xa1x");
		struct bat_batch batch = { .drafts = &draft,
			.count = 1,
			.receipts = &crew->receipts[me][i] };

		if (bat_append(crew->store, &batch) != 0)
			atomic_fetch_add(&crew->failures, 1);
	}
	return NULL;
}

static void *
read_events(void *context)
{
	struct crew *crew = context;
	struct bat_reading reading = BAT_READING_EMPTY;
	const struct bat_list all = { .kind = BAT_LIST_ALL };
	struct bat_status status;
	struct bat_head head;
	uint64_t cursor = 0, last = 0;
	uint32_t ordinals[16], scope;

	while (!atomic_load(&crew->done)) {
		size_t count = bat_list_next(crew->store, &all, &cursor,
		    ordinals, 16);

		bat_head(crew->store, &head);
		bat_status(crew->store, &status);
		if (count == 0)
			(void)usleep(200);
		for (size_t i = 0; i < count; i++) {
			if (bat_read(crew->store, ordinals[i], &reading,
				NULL) != 0 ||
			    (last > 0 && reading.row.seq <= last) ||
			    bat_find_id(crew->store, &reading.row.id) !=
				ordinals[i] ||
			    bat_entity_scopes(crew->store, reading.row.entity,
				&scope) != 1 ||
			    bat_name(crew->store, scope).length == 0)
				atomic_fetch_add(&crew->failures, 1);
			last = reading.row.seq;
		}
	}
	bat_reading_free(&reading);
	return NULL;
}

START_TEST(many_threads_append_and_read_at_once)
{
	static struct crew crew;
	pthread_t writers[WRITERS], readers[READERS];
	struct bat_head head;
	struct temp_dir dir;

	temp_dir_make(&dir);
	crew.store = stores_open_with(&dir,
	    &(struct bat_options){ .segment_max_bytes = 20000,
		.durability = _i == 0 ? BAT_DURABLE_EACH : BAT_DURABLE_FSYNC });
	atomic_store(&crew.number, 0);
	atomic_store(&crew.done, false);
	for (int i = 0; i < READERS; i++)
		ck_assert_int_eq(
		    pthread_create(&readers[i], NULL, read_events, &crew), 0);
	for (int i = 0; i < WRITERS; i++)
		ck_assert_int_eq(
		    pthread_create(&writers[i], NULL, write_events, &crew), 0);
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(writers[i], NULL);
		ck_assert_int_eq(bat_sync(crew.store, NULL), 0);
		ck_assert_int_eq(bat_checkpoint(crew.store, NULL), 0);
	}
	atomic_store(&crew.done, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	ck_assert_uint_eq(atomic_load(&crew.failures), 0);
	stores_close(crew.store);
	crew.store = stores_open(&dir, true);
	bat_head(crew.store, &head);
	ck_assert_uint_eq(head.visible_count, WRITERS * APPENDS + 2);
	for (int i = 0; i < WRITERS; i++)
		for (int j = 0; j < APPENDS; j++) {
			const struct bat_receipt *receipt =
			    &crew.receipts[i][j];
			uint32_t found = bat_find_id(crew.store, &receipt->id);

			ck_assert_uint_eq(found,
			    bat_find_seq(crew.store, receipt->seq));
		}
	ck_assert_ptr_null(picture_check_lists(crew.store));
	stores_close(crew.store);
	temp_dir_remove(&dir);
}
END_TEST

static void *
read_all(void *context)
{
	struct crew *crew = context;
	struct bat_reading reading = BAT_READING_EMPTY;

	for (int round = 0; round < 20; round++)
		for (uint32_t i = 0; i < 8; i++) {
			int code = bat_read(crew->store, i, &reading, NULL);

			if (code != 0 && code != BAT_DATA_DISAGREES)
				atomic_fetch_add(&crew->failures, 1);
		}
	bat_reading_free(&reading);
	return NULL;
}

/* All of them meet the lie; it is rebuilt under those who read and append. */
START_TEST(many_threads_meet_an_index_that_lied)
{
	static struct crew crew;
	pthread_t writers[2], readers[READERS];
	struct bat_head head;
	struct lie lie;

	lie_make(&lie);
	crew.store = lie_open(&lie, false);
	atomic_store(&crew.number, 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(
		    pthread_create(&writers[i], NULL, write_events, &crew), 0);
	for (int i = 0; i < READERS; i++)
		ck_assert_int_eq(
		    pthread_create(&readers[i], NULL, read_all, &crew), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(writers[i], NULL);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	ck_assert_uint_eq(atomic_load(&crew.failures), 0);
	bat_head(crew.store, &head);
	ck_assert_uint_eq(head.generation, 2);
	assert_truth(&lie, crew.store);
	stores_close(crew.store);
	stores_without_index(&lie.dir);
	crew.store = stores_open(&lie.dir, true);
	ck_assert(!stores_report_has(crew.store, "not believed"));
	bat_head(crew.store, &head);
	ck_assert_uint_eq(head.visible_count, 8 + 2 + 2 * APPENDS);
	stores_close(crew.store);
	lie_free(&lie);
}
END_TEST

static TCase *
door(void)
{
	TCase *tcase = tcase_create("door");

	tcase_add_test(tcase,
	    an_absent_or_empty_directory_becomes_a_store_unless_forbidden);
	tcase_add_test(tcase,
	    a_directory_of_somebody_else_is_refused_and_left_alone);
	tcase_add_test(tcase,
	    a_second_writer_is_locked_out_and_a_reader_is_not);
	tcase_add_test(tcase, the_head_of_an_empty_store_is_empty);
	tcase_add_test(tcase, the_status_tells_what_was_restored_and_written);
	tcase_add_test(tcase, a_cursor_goes_on_when_the_list_grows);
	tcase_add_test(tcase, a_name_without_events_is_not_found);
	tcase_add_test(tcase, an_entity_in_many_scopes_is_in_each);
	tcase_add_loop_test(tcase,
	    a_row_that_lies_is_found_when_its_event_is_read, 0, 2);
	tcase_add_test(tcase, a_rebuild_amid_a_session_keeps_what_it_appended);
	tcase_add_test(tcase,
	    a_rebuild_amid_unsynced_appends_does_not_call_them_durable);
	return tcase;
}

static TCase *
disks(void)
{
	TCase *tcase = tcase_create("disks");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase,
	    a_disk_that_fails_at_any_call_loses_nothing_acknowledged, 0,
	    FAULTY_OPERATION_COUNT);
	tcase_add_loop_test(tcase,
	    a_disk_that_is_full_for_a_while_loses_nothing, 0, 6);
	tcase_add_loop_test(tcase,
	    a_disk_that_goes_away_loses_nothing_acknowledged, 0, 3);
	return tcase;
}

static TCase *
threads(void)
{
	TCase *tcase = tcase_create("threads");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, many_threads_append_and_read_at_once, 0, 2);
	tcase_add_test(tcase, many_threads_meet_an_index_that_lied);
	return tcase;
}

int
main(void)
{
	Suite *suite = suite_create("store");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, door());
	suite_add_tcase(suite, disks());
	suite_add_tcase(suite, threads());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
