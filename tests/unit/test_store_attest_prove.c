/*
 * Proofs out of a store's transparency log: each is believed by who has the
 * key and nothing else, and none is given of what is not so.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "faulty_disk.h"
#include "forger.h"
#include "note.h"
#include "stores.h"
#include "suite.h"
#include "tlog.h"

/* ---- a store with a log, from sequence FIRST on ------------------------ */

enum {
	FIRST = 6,	 /* OPEN, 4, CLOSE: before the log */
	LAST_SMALL = 12, /* OPEN, 5, CLOSE */
};

static struct temp_dir dir;

static void
append_some(const struct temp_dir *where, bool tlog, unsigned count,
    const char *payload)
{
	const struct bat_options options = { .tlog = tlog };
	struct bat_store *store = stores_open_with(where, &options);

	for (unsigned i = 0; i < count; i++)
		stores_append(store, "player:alice", payload);
	stores_close(store);
}

static void
setup(void)
{
	temp_dir_make(&dir);
	append_some(&dir, false, 4, "\xa5hello");
	append_some(&dir, true, 5, "\xa5hello");
}

static void
teardown(void)
{
	temp_dir_remove(&dir);
}

static struct bat_buf
file_of_log(const struct temp_dir *where, const char *name)
{
	struct bat_buf out = BAT_BUF_EMPTY;
	char path[128];

	snprintf(path, sizeof(path), ".batfs/tlog/%s", name);
	temp_dir_read(where, path, &out);
	return out;
}

/* ---- asking ------------------------------------------------------------ */

/* The code; the reason has this in it. */
static void
ck_no_proof(const struct temp_dir *where, const uint64_t *seq,
    struct bat_slice against, int wanted, const char *reason)
{
	struct bat_store *store = stores_open(where, true);
	struct bat_error error = { .text = "" };
	struct bat_buf buf = BAT_BUF_EMPTY;
	int code = bat_attest_prove(store, seq, against, &buf, &error);

	ck_assert_msg(code == wanted, "%s: %s", bat_error_name(code),
	    error.text);
	ck_assert_msg(strstr(error.text, reason) != NULL, "%s", error.text);
	ck_assert_uint_eq(buf.length, 0);
	stores_close(store);
	bat_bytes_free(&buf);
}

/* What a verifier has: the text of a proof, and the key. */
struct asked {
	struct bat_buf text, key_text;
	struct bat_note_key key;
	struct bat_note_proof proof;
	struct bat_note_checkpoint checkpoint;
};

static void
ask(const uint64_t *seq, struct bat_slice against, struct asked *asked)
{
	struct bat_store *store = stores_open(&dir, true);
	struct bat_error error = { .text = "" };
	int code;

	*asked = (struct asked){ .text = BAT_BUF_EMPTY };
	code = bat_attest_prove(store, seq, against, &asked->text, &error);
	ck_assert_msg(code == 0, "%s", error.text);
	stores_close(store);
	asked->key_text = file_of_log(&dir, "vkey");
	ck_assert_int_eq(bat_note_key_parse(bat_bytes_of_buf(&asked->key_text),
			     &asked->key, NULL),
	    0);
	code = bat_note_proof_parse(bat_bytes_of_buf(&asked->text),
	    &asked->proof, &error);
	ck_assert_msg(code == 0, "%s", error.text);
}

static int
verify(struct asked *asked, const struct bat_note_checkpoint *old)
{
	return bat_note_proof_verify(&asked->proof, &asked->key, old,
	    &asked->checkpoint, NULL);
}

static void
answered(struct asked *asked)
{
	bat_bytes_free(&asked->text);
	bat_bytes_free(&asked->key_text);
}

/* ---- events ------------------------------------------------------------ */

START_TEST(each_event_of_the_log_is_proved)
{
	append_some(&dir, false, 300, "\xa4many"); /* more than a tile has */
	for (uint64_t seq = FIRST; seq < FIRST + 309; seq += 1 + seq % 7) {
		struct bat_tlog_record record;
		struct asked asked;

		ask(&seq, BAT_SLICE_EMPTY, &asked);
		ck_assert_int_eq(verify(&asked, NULL), 0);
		ck_assert(!asked.proof.consistency);
		ck_assert_uint_eq(asked.proof.number, seq - FIRST);
		ck_assert_uint_eq(asked.checkpoint.size, 309);
		ck_assert_uint_eq(asked.proof.extra_length,
		    BAT_TLOG_RECORD_SIZE);
		bat_tlog_record_get(asked.proof.extra, &record);
		ck_assert_uint_eq(record.seq, seq);
		/* Of another entry it is no proof. */
		asked.proof.extra[BAT_TLOG_RECORD_SIZE - 1] ^= 1;
		ck_assert_int_eq(verify(&asked, NULL), BAT_DATA_CORRUPT);
		answered(&asked);
	}
}
END_TEST

START_TEST(what_is_not_in_the_log_is_not_proved)
{
	for (uint64_t seq = 0; seq < FIRST; seq++)
		ck_no_proof(&dir, &seq, BAT_SLICE_EMPTY, BAT_STATE_NOT_FOUND,
		    "before the log was begun");
	ck_no_proof(&dir, &(uint64_t){ LAST_SMALL + 1 }, BAT_SLICE_EMPTY,
	    BAT_STATE_NOT_FOUND, "is not among the 7 records");
	ck_no_proof(&dir, &(uint64_t){ UINT64_MAX }, BAT_SLICE_EMPTY,
	    BAT_STATE_NOT_FOUND, "is not among the 7 records");
}
END_TEST

START_TEST(a_store_without_a_log_proves_nothing)
{
	struct temp_dir other;

	temp_dir_make(&other);
	append_some(&other, false, 3, "\xa5hello");
	ck_no_proof(&other, &(uint64_t){ 1 }, BAT_SLICE_EMPTY,
	    BAT_STATE_NOT_FOUND, "no transparency log");
	temp_dir_remove(&other);
}
END_TEST

START_TEST(an_event_that_was_changed_since_is_not_proved)
{
	struct forger forger;

	forger_read(&forger, dir.path);
	forger_edit(&forger, FIRST + 2);
	forger_write(&forger, dir.path);
	forger_free(&forger);
	ck_no_proof(&dir, &(uint64_t){ FIRST + 2 }, BAT_SLICE_EMPTY,
	    BAT_DATA_CORRUPT, "is not the event that was logged");
}
END_TEST

START_TEST(an_event_that_is_gone_is_not_proved)
{
	struct forger forger;

	forger_read(&forger, dir.path);
	forger_drop(&forger, LAST_SMALL, forger.count - LAST_SMALL);
	forger_write(&forger, dir.path);
	forger_free(&forger);
	ck_no_proof(&dir, &(uint64_t){ LAST_SMALL }, BAT_SLICE_EMPTY,
	    BAT_DATA_CORRUPT, "is not the event that was logged");
}
END_TEST

/* ---- older checkpoints ------------------------------------------------- */

START_TEST(an_event_is_proved_for_an_older_checkpoint)
{
	struct bat_buf older = file_of_log(&dir, "checkpoint");
	uint64_t seq = FIRST + 3;
	struct asked asked;

	append_some(&dir, false, 20, "\xa4more");
	ask(&seq, bat_bytes_of_buf(&older), &asked);
	ck_assert_int_eq(verify(&asked, NULL), 0);
	ck_assert_uint_eq(asked.checkpoint.size, 7);
	answered(&asked);
	/* It came after that checkpoint. */
	ck_no_proof(&dir, &(uint64_t){ LAST_SMALL + 2 },
	    bat_bytes_of_buf(&older), BAT_STATE_NOT_FOUND,
	    "is not among the 7 records");
	bat_bytes_free(&older);
}
END_TEST

START_TEST(that_the_log_only_grew_is_proved)
{
	struct bat_buf older = file_of_log(&dir, "checkpoint");
	struct bat_note_checkpoint old;
	struct bat_slice text;
	struct asked asked;

	append_some(&dir, false, 300, "\xa4many");
	ask(NULL, bat_bytes_of_buf(&older), &asked);
	ck_assert(asked.proof.consistency);
	ck_assert_uint_eq(asked.proof.number, 7);
	ck_assert_int_eq(bat_note_open(bat_bytes_of_buf(&older), &asked.key,
			     &text, NULL),
	    0);
	ck_assert_int_eq(bat_note_checkpoint_parse(text, &old, NULL), 0);
	ck_assert_int_eq(verify(&asked, &old), 0);
	ck_assert_uint_eq(asked.checkpoint.size, 309);
	old.root.bytes[0] ^= 1;
	ck_assert_int_eq(verify(&asked, &old), BAT_DATA_CORRUPT);
	answered(&asked);
	bat_bytes_free(&older);
}
END_TEST

START_TEST(of_no_checkpoint_or_a_wrong_one_nothing_is_proved)
{
	struct bat_buf older = file_of_log(&dir, "checkpoint");
	struct bat_buf foreign;
	struct temp_dir other;

	temp_dir_make(&other);
	append_some(&other, true, 5, "\xa5hello");
	foreign = file_of_log(&other, "checkpoint");
	ck_no_proof(&dir, NULL, BAT_SLICE_EMPTY, BAT_USE_INVALID,
	    "which checkpoint");
	ck_no_proof(&dir, NULL, bat_bytes_text("no note\n"), BAT_USE_INVALID,
	    "the older checkpoint");
	ck_no_proof(&dir, NULL, bat_bytes_of_buf(&foreign), BAT_USE_INVALID,
	    "the older checkpoint");
	older.data[older.length - 4] ^= 1; /* of the signature */
	ck_no_proof(&dir, NULL, bat_bytes_of_buf(&older), BAT_USE_INVALID,
	    "the older checkpoint");
	temp_dir_remove(&other);
	bat_bytes_free(&older);
	bat_bytes_free(&foreign);
}
END_TEST

/* Two copies of a directory that went on by themselves, with one key. */
START_TEST(of_a_fork_or_a_roll_back_nothing_is_proved)
{
	struct bat_buf longer, forked;
	struct temp_dir other;

	temp_dir_make(&other);
	temp_dir_fill(&other, dir.path);
	append_some(&other, false, 4, "\xa5other");
	longer = file_of_log(&other, "checkpoint");
	ck_no_proof(&dir, NULL, bat_bytes_of_buf(&longer), BAT_DATA_CORRUPT,
	    "rolled back: it has 7 records, and 13 were signed");
	ck_no_proof(&dir, &(uint64_t){ FIRST }, bat_bytes_of_buf(&longer),
	    BAT_DATA_CORRUPT, "rolled back");
	forked = file_of_log(&other, "checkpoint");
	append_some(&dir, false, 9, "\xa5hello");
	ck_no_proof(&dir, NULL, bat_bytes_of_buf(&forked), BAT_DATA_CORRUPT,
	    "does not continue this checkpoint");
	ck_no_proof(&dir, &(uint64_t){ FIRST }, bat_bytes_of_buf(&forked),
	    BAT_DATA_CORRUPT, "does not continue this checkpoint");
	temp_dir_remove(&other);
	bat_bytes_free(&longer);
	bat_bytes_free(&forked);
}
END_TEST

/* ---- a disk that fails ------------------------------------------------- */

/* What the disk does not give is not called broken. */
static void
ck_not_broken(struct bat_store *store, struct bat_slice checkpoint,
    struct faulty_disk *faulty, enum faulty_operation operation, unsigned nth)
{
	struct bat_attest_result result;

	faulty_disk_reset(faulty);
	faulty_disk_fail(faulty, operation, nth, EIO, false);
	bat_attest_check(store, checkpoint, BAT_SLICE_EMPTY, NULL, &result);
	ck_assert_int_ne(result.verdict, BAT_ATTEST_BROKEN);
}

/* Each open and each read fails once: no proof, a reason; then all is well. */
START_TEST(a_failed_read_gives_no_proof_and_does_no_harm)
{
	static const enum faulty_operation operations[] = { FAULTY_OPEN,
		FAULTY_READ };
	const uint64_t seq = FIRST + 4;
	struct bat_buf older = file_of_log(&dir, "checkpoint");
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct faulty_disk faulty;
	struct bat_options options = { .read_only = true };
	struct bat_store *store;

	append_some(&dir, false, 20, "\xa4more");
	faulty_disk_init(&faulty, bat_file_posix());
	options.disk = &faulty.disk;
	store = stores_open_with(&dir, &options);
	for (size_t i = 0; i < 2; i++) {
		unsigned calls, failed = 0;

		faulty_disk_reset(&faulty);
		ck_assert_int_eq(bat_attest_prove(store, &seq,
				     bat_bytes_of_buf(&older), &buf, NULL),
		    0);
		calls = faulty_disk_calls(&faulty, operations[i]);
		ck_assert_uint_gt(calls, 0);
		for (unsigned nth = 1; nth <= calls; nth++) {
			struct bat_error error = { .text = "" };
			int code;

			bat_bytes_clear(&buf);
			faulty_disk_reset(&faulty);
			faulty_disk_fail(&faulty, operations[i], nth, EIO,
			    false);
			code = bat_attest_prove(store, &seq,
			    bat_bytes_of_buf(&older), &buf, &error);
			failed += code != 0;
			ck_assert((code == 0) == (buf.length > 0));
			ck_not_broken(store, bat_bytes_of_buf(&older), &faulty,
			    operations[i], nth);
			ck_assert_msg(code == 0 || code == BAT_WORLD_IO,
			    "%d: %s", code, error.text);
			ck_assert(code == 0 || error.text[0] != '\0');
		}
		ck_assert_uint_gt(failed, 0);
		bat_bytes_clear(&buf);
	}
	stores_close(store);
	bat_bytes_free(&older);
	bat_bytes_free(&buf);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_attest_prove");
	TCase *tests = tcase_create("proofs");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, each_event_of_the_log_is_proved);
	tcase_add_test(tests, what_is_not_in_the_log_is_not_proved);
	tcase_add_test(tests, a_store_without_a_log_proves_nothing);
	tcase_add_test(tests, an_event_that_was_changed_since_is_not_proved);
	tcase_add_test(tests, an_event_that_is_gone_is_not_proved);
	tcase_add_test(tests, an_event_is_proved_for_an_older_checkpoint);
	tcase_add_test(tests, that_the_log_only_grew_is_proved);
	tcase_add_test(tests,
	    of_no_checkpoint_or_a_wrong_one_nothing_is_proved);
	tcase_add_test(tests, of_a_fork_or_a_roll_back_nothing_is_proved);
	tcase_add_test(tests, a_failed_read_gives_no_proof_and_does_no_harm);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
