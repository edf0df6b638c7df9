/*
 * The transparency log of a store: that it grows with what is durable, never
 * forks, and shows whatever is done to a store by who knows the format.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "faulty_disk.h"
#include "forger.h"
#include "memory_disk.h"
#include "stores.h"
#include "suite.h"

/* ---- a store with a log ------------------------------------------------ */

static struct temp_dir dir;
static const struct bat_options with_log = { .tlog = true };

static void
setup(void)
{
	temp_dir_make(&dir);
}

static void
teardown(void)
{
	temp_dir_remove(&dir);
}

static void
append_some(struct bat_store *store, unsigned count)
{
	static const char *const entities[] = { "player:alice", "player:bob",
		"monster:troll" };

	for (unsigned i = 0; i < count; i++)
		stores_append(store, entities[i % 3], "\xa5hello");
}

/* A session: open, append, close. */
static void
session(const struct bat_options *options, unsigned count)
{
	struct bat_store *store = stores_open_with(&dir, options);

	append_some(store, count);
	stores_close(store);
}

static void
read_log(const char *name, struct bat_buf *out)
{
	char path[128];

	snprintf(path, sizeof(path), ".batfs/tlog/%s", name);
	temp_dir_read(&dir, path, out);
}

/* ---- asking ------------------------------------------------------------ */

struct told {
	uint64_t seqs[64];
	size_t seq_count;
	char text[4096];
};

static int
hear(void *context, bool has_seq, uint64_t seq, const char *text)
{
	struct told *told = context;
	size_t length = strlen(told->text);

	if (has_seq && told->seq_count < 64)
		told->seqs[told->seq_count++] = seq;
	snprintf(told->text + length, sizeof(told->text) - length, "%s\n",
	    text);
	return 0;
}

static struct bat_attest_result
check_with(const struct bat_buf *checkpoint, const struct bat_buf *key,
    struct told *told)
{
	struct bat_store *store = stores_open(&dir, true);
	const struct bat_attest_sink sink = { told, hear };
	struct bat_attest_result result;

	*told = (struct told){ .seq_count = 0 };
	bat_attest_check(store, bat_bytes_of_buf(checkpoint),
	    bat_bytes_of_buf(key), &sink, &result);
	stores_close(store);
	return result;
}

static const struct bat_buf nothing;

static void
ck_verdict(const struct bat_buf *checkpoint, enum bat_attest_verdict wanted)
{
	struct told told;
	struct bat_attest_result result = check_with(checkpoint, &nothing,
	    &told);

	ck_assert_msg(result.verdict == wanted, "%d: %s\n%s", result.verdict,
	    result.text, told.text);
}

static bool
names_seq(const struct told *told, uint64_t seq)
{
	for (size_t i = 0; i < told->seq_count; i++)
		if (told->seqs[i] == seq)
			return true;
	return false;
}

/* ---- keeping it ---------------------------------------------------------- */

START_TEST(a_store_without_the_option_has_no_log)
{
	struct bat_store *store = stores_open(&dir, false);
	struct bat_attest_status status;
	struct told told;

	append_some(store, 3);
	ck_assert_int_eq(bat_attest_update(store, NULL), 0);
	bat_attest_status(store, &status);
	ck_assert_int_eq(status.state, BAT_ATTEST_NONE);
	stores_close(store);
	ck_assert(!temp_dir_has(&dir, ".batfs/tlog"));
	ck_assert_int_eq(check_with(&nothing, &nothing, &told).verdict,
	    BAT_ATTEST_CANNOT_TELL);
}
END_TEST

START_TEST(the_log_has_every_event_since_it_was_begun)
{
	struct bat_buf checkpoint = BAT_BUF_EMPTY;
	struct bat_attest_result result;
	struct told told;

	session(&BAT_OPTIONS_DEFAULT, 4); /* OPEN, 4, CLOSE: 0 to 5 */
	session(&with_log, 5);		  /* 6 to 12 */
	read_log("checkpoint", &checkpoint);
	result = check_with(&checkpoint, &nothing, &told);
	ck_assert_msg(result.verdict == BAT_ATTEST_INTACT, "%s", told.text);
	ck_assert(result.has_range && result.signature);
	ck_assert_uint_eq(result.from_seq, 6);
	ck_assert_uint_eq(result.through_seq, 12);
	ck_assert_uint_eq(result.records, 7);
	/* It is kept from then on, without being asked for. */
	session(&BAT_OPTIONS_DEFAULT, 2);
	ck_verdict(&checkpoint, BAT_ATTEST_INTACT);
	result = check_with(&nothing, &nothing, &told);
	ck_assert_uint_eq(result.through_seq, 16);
	bat_bytes_free(&checkpoint);
}
END_TEST

START_TEST(an_update_logs_what_is_durable_and_no_more)
{
	const struct bat_options options = { .tlog = true,
		.durability = BAT_DURABLE_FSYNC };
	struct bat_store *store = stores_open_with(&dir, &options);
	struct bat_attest_status status;
	struct bat_head head;

	append_some(store, 5);
	ck_assert_int_eq(bat_attest_update(store, NULL), 0);
	bat_attest_status(store, &status);
	bat_head(store, &head);
	ck_assert_int_eq(status.state, BAT_ATTEST_KEPT);
	ck_assert_uint_eq(status.size, 6);
	ck_assert_uint_eq(status.last_seq, 5);
	ck_assert_uint_eq(head.durable_seq, 5);
	stores_close(store);
}
END_TEST

START_TEST(a_session_that_appends_nothing_changes_nothing_outside)
{
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	size_t count;

	session(&BAT_OPTIONS_DEFAULT, 3);
	count = temp_dir_count(&dir);
	session(&with_log, 0);
	ck_assert(temp_dir_has(&dir, ".batfs/tlog/checkpoint"));
	ck_assert_uint_le(temp_dir_count(&dir), count + 1);
	read_log("checkpoint", &before);
	session(&BAT_OPTIONS_DEFAULT, 0);
	read_log("checkpoint", &after);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&before),
	    bat_bytes_of_buf(&after)));
	/* It speaks of no event. */
	ck_verdict(&after, BAT_ATTEST_CANNOT_TELL);
	bat_bytes_free(&before);
	bat_bytes_free(&after);
}
END_TEST

START_TEST(a_read_only_store_shows_the_log_and_leaves_it)
{
	struct bat_buf checkpoint = BAT_BUF_EMPTY, tile = BAT_BUF_EMPTY;
	const struct bat_tlog_tile entries = { BAT_TLOG_ENTRIES, 0, 5 };
	struct bat_attest_status status;
	struct bat_store *store;

	session(&with_log, 3);
	store = stores_open(&dir, true);
	bat_attest_status(store, &status);
	ck_assert_int_eq(status.state, BAT_ATTEST_SHOWN);
	ck_assert_uint_eq(status.size, 5);
	ck_assert_int_eq(bat_attest_checkpoint(store, &checkpoint, NULL), 0);
	ck_assert_int_eq(bat_attest_tile(store, &entries, &tile, NULL), 0);
	ck_assert_uint_eq(tile.length, 5 * BAT_TLOG_ENTRY_SIZE);
	ck_assert_int_eq(bat_attest_update(store, NULL), 0);
	stores_close(store);
	bat_bytes_free(&checkpoint);
	bat_bytes_free(&tile);
}
END_TEST

/* ---- keys ---------------------------------------------------------------- */

START_TEST(a_key_elsewhere_is_made_kept_and_asked_for)
{
	char path[512];
	struct bat_options options = { .tlog_key = path };
	struct bat_attest_status status;
	struct bat_store *store = NULL;
	struct bat_error error;
	struct temp_dir other;

	temp_dir_make(&other);
	snprintf(path, sizeof(path), "%s/key", other.path);
	session(&options, 2);
	ck_assert(temp_dir_has(&other, "key"));
	ck_assert(!temp_dir_has(&dir, ".batfs/tlog/key"));
	/* Without it the log waits. */
	store = stores_open(&dir, false);
	append_some(store, 2);
	ck_assert_int_eq(bat_attest_update(store, NULL), 0);
	bat_attest_status(store, &status);
	ck_assert_int_eq(status.state, BAT_ATTEST_SHOWN);
	ck_assert_uint_eq(status.size, 4);
	stores_close(store);
	session(&options, 1);
	store = stores_open(&dir, true);
	bat_attest_status(store, &status);
	ck_assert_uint_eq(status.size, 11);
	stores_close(store);
	/* Another one, one that others can read, one that is not there. */
	ck_assert_int_eq(chmod(path, 0644), 0);
	ck_assert_int_eq(bat_open(dir.path, &options, &store, &error),
	    BAT_USE_INVALID);
	ck_assert_ptr_nonnull(strstr(error.text, "chmod 600"));
	temp_dir_unlink(&other, "key");
	ck_assert_int_eq(bat_open(dir.path, &options, &store, &error),
	    BAT_USE_INVALID);
	ck_assert(!temp_dir_has(&other, "key"));
	temp_dir_remove(&other);
}
END_TEST

START_TEST(a_wrong_key_is_refused)
{
	char path[512];
	struct bat_options options = { .tlog_key = path };
	struct bat_store *store = NULL;
	struct bat_error error;
	struct temp_dir other;

	temp_dir_make(&other);
	snprintf(path, sizeof(path), "%s/store/key", other.path);
	session(&with_log, 1);
	ck_assert_int_eq(bat_open(dir.path, &options, &store, &error),
	    BAT_USE_INVALID);
	snprintf(path, sizeof(path), "%s/key", other.path);
	temp_dir_write(&other, "key",
	    bat_bytes_text("PRIVATE+KEY+PeterNeumann+c74f20a3+"
			   "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n"));
	ck_assert_int_eq(chmod(path, 0600), 0);
	ck_assert_int_eq(bat_open(dir.path, &options, &store, &error),
	    BAT_USE_INVALID);
	ck_assert_ptr_nonnull(strstr(error.text, "signed by"));
	temp_dir_remove(&other);
}
END_TEST

/* ---- tampering ------------------------------------------------------------- */

/* Sequences: 0 OPEN, 1 to 9, 10 CLOSE; 11 OPEN, 12 to 17, 18 CLOSE. */
static void
make_victim(struct bat_buf *checkpoint)
{
	session(&with_log, 9);
	session(&with_log, 6);
	read_log("checkpoint", checkpoint);
	ck_verdict(checkpoint, BAT_ATTEST_INTACT);
}

/* The store is whole to who only looks at it. */
static void
ck_content(void)
{
	struct bat_verify_counts counts;
	struct bat_error error = { .text = "" };

	ck_assert_msg(bat_verify_directory(bat_file_posix(), dir.path, NULL,
			  &counts, &error) == 0,
	    "verify: %s", error.text);
}

enum surgery { EDIT, DROP, SWAP, INSERT, ROLL_BACK, NOTHING, SURGERIES };

static void
operate(enum surgery surgery, size_t at)
{
	struct forger forger;

	forger_read(&forger, dir.path);
	ck_assert_uint_eq(forger.count, 19);
	if (surgery == EDIT)
		forger_edit(&forger, at);
	else if (surgery == DROP)
		forger_drop(&forger, at, 1);
	else if (surgery == SWAP)
		forger_swap(&forger, at, at + 1);
	else if (surgery == INSERT)
		forger_insert(&forger, at);
	else if (surgery == ROLL_BACK)
		forger_drop(&forger, at, forger.count - at);
	forger_write(&forger, dir.path);
	forger_free(&forger);
}

/* Every surgery at some places: found, and named with the first sequence that
 * is not as it was. */
START_TEST(what_a_forger_does_is_found_and_named)
{
	static const size_t places[] = { 1, 5, 9, 12, 16 };
	const enum surgery surgery = (enum surgery)(_i / 5);
	const size_t at = places[_i % 5];
	struct bat_buf checkpoint = BAT_BUF_EMPTY;
	struct bat_attest_result result;
	struct told told;

	make_victim(&checkpoint);
	operate(surgery, at);
	ck_content();
	result = check_with(&checkpoint, &nothing, &told);
	if (surgery == NOTHING) {
		ck_assert_msg(result.verdict == BAT_ATTEST_INTACT, "%s",
		    told.text);
	} else {
		ck_assert_int_eq(result.verdict, BAT_ATTEST_BROKEN);
		ck_assert_msg(names_seq(&told, at), "%s", told.text);
		ck_assert_uint_eq(told.seqs[0], at);
		ck_assert_uint_eq(result.from_seq, 0);
		ck_assert_uint_eq(result.through_seq, 18);
	}
	bat_bytes_free(&checkpoint);
}
END_TEST

START_TEST(every_changed_byte_of_frames_is_found)
{
	struct bat_buf checkpoint = BAT_BUF_EMPTY, file = BAT_BUF_EMPTY;
	struct told told;

	make_victim(&checkpoint);
	operate(NOTHING, 0); /* no footers: all is header and frames */
	temp_dir_read(&dir, "000002.fbat", &file);
	/* The header has no event in it. */
	for (size_t at = 8 + bat_bytes_get_be32(file.data + 4);
	     at < file.length; at += 7) {
		temp_dir_flip(&dir, "000002.fbat", at, 0x20);
		ck_assert_msg(
		    check_with(&checkpoint, &nothing, &told).verdict ==
			BAT_ATTEST_BROKEN,
		    "byte %zu", at);
		temp_dir_flip(&dir, "000002.fbat", at, 0x20);
	}
	ck_verdict(&checkpoint, BAT_ATTEST_INTACT);
	bat_bytes_free(&checkpoint);
	bat_bytes_free(&file);
}
END_TEST

/* As the module itself would: the same key, all events from the first on. */
static void
write_log_anew(void)
{
	const struct bat_disk *disk = bat_file_posix();
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_store *store = stores_open(&dir, true);
	struct bat_tlog tlog;
	struct bat_row row;
	int fd;

	bat_tlog_init(&tlog);
	ck_assert_int_eq(bat_file_open_dir(disk, dir.path, false, &fd, NULL),
	    0);
	ck_assert_int_eq(bat_tlog_create(&tlog, disk, fd, NULL, 0, NULL), 0);
	for (uint32_t i = 0; bat_row(store, i, &row); i++) {
		struct bat_tlog_record record = { row.seq, row.id, { { 0 } } };

		ck_assert_int_eq(bat_read(store, i, &reading, NULL), 0);
		record.frame = bat_hash_of(bat_bytes_of_buf(&reading.frame));
		ck_assert_int_eq(bat_tlog_add(&tlog, &record, NULL), 0);
	}
	ck_assert_int_eq(bat_tlog_publish(&tlog, NULL), 0);
	bat_reading_free(&reading);
	bat_tlog_detach(&tlog);
	bat_file_close(disk, fd);
	stores_close(store);
}

static void
in_log(const char *what)
{
	char command[600];

	snprintf(command, sizeof(command), "cd '%s/.batfs' && %s", dir.path,
	    what);
	ck_assert_int_eq(system(command), 0);
}

/* Someone has the local key. */
START_TEST(a_log_that_was_written_anew_does_not_give_the_kept_root)
{
	struct bat_buf checkpoint = BAT_BUF_EMPTY;
	struct bat_attest_result result;
	struct told told;

	make_victim(&checkpoint);
	operate(EDIT, 5);
	in_log("rm -r tlog/tile tlog/checkpoint");
	write_log_anew();
	/* To itself it is all right; to who kept a checkpoint it is not. */
	ck_verdict(&nothing, BAT_ATTEST_INTACT);
	result = check_with(&checkpoint, &nothing, &told);
	ck_assert_int_eq(result.verdict, BAT_ATTEST_BROKEN);
	ck_assert(!result.has_range);
	bat_bytes_free(&checkpoint);
}
END_TEST

/* ---- a log that is not as it was --------------------------------------------- */

START_TEST(a_log_that_is_gone_leaves_nothing_to_tell)
{
	struct bat_buf checkpoint = BAT_BUF_EMPTY;

	make_victim(&checkpoint);
	in_log("rm -r tlog");
	ck_verdict(&checkpoint, BAT_ATTEST_CANNOT_TELL);
	bat_bytes_free(&checkpoint);
}
END_TEST

START_TEST(a_log_that_was_rolled_back_is_broken)
{
	struct bat_buf checkpoint = BAT_BUF_EMPTY;
	struct bat_attest_result result;
	struct told told;

	session(&with_log, 9);
	in_log("cp -r tlog old");
	session(&with_log, 6);
	read_log("checkpoint", &checkpoint);
	in_log("rm -r tlog && mv old tlog");
	result = check_with(&checkpoint, &nothing, &told);
	ck_assert_int_eq(result.verdict, BAT_ATTEST_BROKEN);
	ck_assert_ptr_nonnull(strstr(told.text, "rolled back"));
	/* But the events are what was signed. */
	ck_assert(result.has_range);
	ck_assert_ptr_nonnull(strstr(result.text, "is there"));
	bat_bytes_free(&checkpoint);
}
END_TEST

START_TEST(every_part_of_a_log_that_is_gone_or_cut_is_found)
{
	static const char *const cuts[] = { "rm tlog/checkpoint",
		"rm -r tlog/tile", "rm -r tlog/tile/entries",
		"rm -r tlog/tile/0", ": >tlog/checkpoint",
		"find tlog/tile -type f -exec truncate -s 40 {} +" };
	struct bat_buf checkpoint = BAT_BUF_EMPTY;

	make_victim(&checkpoint);
	in_log("cp -r tlog whole");
	in_log(cuts[_i]);
	ck_verdict(&checkpoint, BAT_ATTEST_BROKEN);
	in_log("rm -r tlog && mv whole tlog");
	ck_verdict(&checkpoint, BAT_ATTEST_INTACT);
	bat_bytes_free(&checkpoint);
}
END_TEST

START_TEST(a_checkpoint_that_is_not_this_logs_tells_nothing)
{
	struct bat_buf checkpoint = BAT_BUF_EMPTY, key = BAT_BUF_EMPTY;
	struct bat_buf other = BAT_BUF_EMPTY;
	struct told told;

	make_victim(&checkpoint);
	read_log("vkey", &key);
	teardown();
	setup();
	make_victim(&other);
	ck_verdict(&checkpoint, BAT_ATTEST_CANNOT_TELL);
	/* With its own key it is one, but not of this store. */
	ck_assert_int_eq(check_with(&checkpoint, &key, &told).verdict,
	    BAT_ATTEST_BROKEN);
	ck_assert_int_eq(check_with(&other, &key, &told).verdict,
	    BAT_ATTEST_CANNOT_TELL);
	for (size_t i = 0; i < other.length; i++) {
		other.data[i] ^= 1;
		ck_verdict(&other, BAT_ATTEST_CANNOT_TELL);
		other.data[i] ^= 1;
	}
	bat_bytes_free(&checkpoint);
	bat_bytes_free(&other);
	bat_bytes_free(&key);
}
END_TEST

static enum bat_attest_state
state_of(struct bat_store *store)
{
	struct bat_attest_status status;

	bat_attest_status(store, &status);
	return status.state;
}

/* A second sync would not say what the first one lost. The store goes on. */
START_TEST(after_a_failed_sync_the_log_waits_for_the_next_open)
{
	struct bat_options options = with_log;
	struct faulty_disk faulty;
	struct bat_store *store;
	unsigned syncs;

	faulty_disk_init(&faulty, bat_file_posix());
	options.disk = &faulty.disk;
	store = stores_open_with(&dir, &options);
	append_some(store, 3);
	faulty_disk_fail(&faulty, FAULTY_SYNC, 1, EIO, false);
	ck_assert_int_eq(bat_attest_update(store, NULL), BAT_STATE_STOPPED);
	ck_assert_int_eq(state_of(store), BAT_ATTEST_HALTED);
	syncs = faulty_disk_calls(&faulty, FAULTY_SYNC);
	ck_assert_int_eq(bat_attest_update(store, NULL), BAT_STATE_STOPPED);
	ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_SYNC), syncs);
	append_some(store, 3);
	stores_close(store);
	store = stores_open_with(&dir, &with_log);
	ck_assert_int_eq(state_of(store), BAT_ATTEST_KEPT);
	ck_assert_int_eq(bat_attest_update(store, NULL), BAT_OK);
	stores_close(store);
	ck_verdict(&nothing, BAT_ATTEST_INTACT);
}
END_TEST

START_TEST(a_log_is_not_continued_over_a_store_that_was_rolled_back)
{
	struct bat_buf checkpoint = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_attest_status status;
	struct bat_store *store;

	make_victim(&checkpoint);
	operate(ROLL_BACK, 14);
	store = stores_open(&dir, false);
	append_some(store, 12);
	ck_assert_int_eq(bat_attest_update(store, NULL), BAT_DATA_CORRUPT);
	bat_attest_status(store, &status);
	ck_assert_int_eq(status.state, BAT_ATTEST_HALTED);
	ck_assert_ptr_nonnull(strstr(status.why, "sequence 18"));
	stores_close(store);
	read_log("checkpoint", &after);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&checkpoint),
	    bat_bytes_of_buf(&after)));
	ck_verdict(&checkpoint, BAT_ATTEST_BROKEN);
	bat_bytes_free(&checkpoint);
	bat_bytes_free(&after);
}
END_TEST

/* ---- crashes ---------------------------------------------------------------- */

struct crash_watch {
	struct bat_buf shown; /* the checkpoint that somebody may have */
	uint64_t random;
	unsigned crashes, with_checkpoint;
};

static uint64_t
next_random(struct crash_watch *watch)
{
	watch->random = watch->random * 6364136223846793005u +
	    1442695040888963407u;
	return watch->random >> 33;
}

static struct bat_store *
open_disk(struct memory_disk *disk, bool read_only)
{
	const struct bat_options options = { .tlog = true,
		.read_only = read_only,
		.segment_max_bytes = 1500,
		.disk = memory_disk_door(disk) };
	struct bat_error error = { .text = "" };
	struct bat_store *store = NULL;
	int code = bat_open("/", &options, &store, &error);

	ck_assert_msg(code == 0, "bat_open: %s", error.text);
	return store;
}

static void
ck_shown(struct memory_disk *disk, const struct bat_buf *shown)
{
	struct bat_store *store = open_disk(disk, true);
	struct told told = { .seq_count = 0 };
	const struct bat_attest_sink sink = { &told, hear };
	struct bat_attest_result result;

	bat_attest_check(store, bat_bytes_of_buf(shown), BAT_SLICE_EMPTY, &sink,
	    &result);
	ck_assert_msg(result.verdict == BAT_ATTEST_INTACT, "%s: %s",
	    result.text, told.text);
	stores_close(store);
}

/* What was shown holds before and after the next session. */
static void
look_at_crash(struct crash_watch *watch, struct memory_disk *disk)
{
	struct bat_attest_status status;
	struct bat_store *store;

	if (watch->shown.length > 0)
		ck_shown(disk, &watch->shown);
	store = open_disk(disk, false);
	append_some(store, 2);
	ck_assert_int_eq(bat_attest_update(store, NULL), 0);
	bat_attest_status(store, &status);
	ck_assert_msg(status.state == BAT_ATTEST_KEPT, "%s", status.why);
	stores_close(store);
	if (watch->shown.length > 0)
		ck_shown(disk, &watch->shown);
	ck_shown(disk, &nothing);
	watch->crashes++;
	watch->with_checkpoint += watch->shown.length > 0;
}

static void
at_operation(void *context, struct memory_disk *disk,
    const struct memory_disk_op *op)
{
	struct crash_watch *watch = context;
	size_t count = memory_disk_pending_count(disk);
	struct memory_disk_fate *fates = calloc(count + 1, sizeof(*fates));

	(void)op;
	ck_assert_ptr_nonnull(fates);
	for (unsigned way = 0; way < 3; way++) {
		struct memory_disk *crash;

		for (size_t i = 0; i < count; i++)
			fates[i].kind = way == 0 ||
				(way == 2 && next_random(watch) % 2 == 0) ?
			    MEMORY_DISK_NOT :
			    MEMORY_DISK_WHOLE;
		if (!memory_disk_may_leave(disk, fates))
			continue;
		crash = memory_disk_crash(disk, fates);
		look_at_crash(watch, crash);
		memory_disk_free(crash);
	}
	free(fates);
}

static void
show(struct crash_watch *watch, struct bat_store *store)
{
	ck_assert_int_eq(bat_attest_update(store, NULL), 0);
	bat_bytes_clear(&watch->shown);
	ck_assert_int_eq(bat_attest_checkpoint(store, &watch->shown, NULL), 0);
}

START_TEST(after_any_crash_of_a_store_a_shown_checkpoint_holds)
{
	struct memory_disk *disk = memory_disk_new(
	    _i == 0 ? MEMORY_DISK_STRICT : MEMORY_DISK_EXT4, 3);
	struct crash_watch watch = { .random = 5 };
	struct bat_store *store;

	memory_disk_watch(disk, at_operation, &watch);
	store = open_disk(disk, false);
	append_some(store, 2);
	show(&watch, store);
	append_some(store, 3);
	show(&watch, store);
	append_some(store, 1);
	stores_close(store);
	store = open_disk(disk, false);
	append_some(store, 1);
	show(&watch, store);
	stores_close(store);
	memory_disk_watch(disk, NULL, NULL);
	ck_assert_uint_gt(watch.with_checkpoint, 100);
	bat_bytes_free(&watch.shown);
	memory_disk_free(disk);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_attest");
	TCase *tests = tcase_create("attest");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_store_without_the_option_has_no_log);
	tcase_add_test(tests, the_log_has_every_event_since_it_was_begun);
	tcase_add_test(tests, an_update_logs_what_is_durable_and_no_more);
	tcase_add_test(tests,
	    a_session_that_appends_nothing_changes_nothing_outside);
	tcase_add_test(tests, a_read_only_store_shows_the_log_and_leaves_it);
	tcase_add_test(tests, a_key_elsewhere_is_made_kept_and_asked_for);
	tcase_add_test(tests, a_wrong_key_is_refused);
	tcase_add_loop_test(tests, what_a_forger_does_is_found_and_named, 0,
	    SURGERIES * 5);
	tcase_add_test(tests, every_changed_byte_of_frames_is_found);
	tcase_add_test(tests,
	    a_log_that_was_written_anew_does_not_give_the_kept_root);
	tcase_add_test(tests, a_log_that_is_gone_leaves_nothing_to_tell);
	tcase_add_test(tests, a_log_that_was_rolled_back_is_broken);
	tcase_add_loop_test(tests,
	    every_part_of_a_log_that_is_gone_or_cut_is_found, 0, 6);
	tcase_add_test(tests, a_checkpoint_that_is_not_this_logs_tells_nothing);
	tcase_add_test(tests,
	    after_a_failed_sync_the_log_waits_for_the_next_open);
	tcase_add_test(tests,
	    a_log_is_not_continued_over_a_store_that_was_rolled_back);
	tcase_add_loop_test(tests,
	    after_any_crash_of_a_store_a_shown_checkpoint_holds, 0, 2);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
