/*
 * A disk that fails at any call, is full for a while, or goes away: what was
 * acknowledged is there, and what was denied is not.
 */
#include <errno.h>

#include "faulty_disk.h"
#include "maker.h"
#include "stores.h"
#include "suite.h"

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

int
main(void)
{
	Suite *suite = suite_create("store_disks");

	suite_add_tcase(suite, disks());
	return suite_run(suite);
}
