/*
 * Whole directories that batpak wrote: what is shown of them, by each way of
 * opening, is what batpak's own API says; where batpak is wrong the test holds
 * what is right, and why.
 */
#include <check.h>

#include "stores.h"
#include "suite.h"
#include "verify.h"

/* How a golden store differs from its expected.jsonl. */
struct shape {
	const char *name;
	unsigned leave_out;	      /* of the comparison */
	unsigned leave_out_unindexed; /* further, when read without index */
	/* Not 0: expected.jsonl is no measure (batpak refuses, or is wrong);
	 * this many events are right. */
	uint32_t count;
	const char *why;
};

static const struct shape shapes[] = {
	{ "bad-crc", 0, 0, 8, "a bad last frame is a torn tail, cut off" },
	{ "batch", 0, 0, 0, NULL },
	{ "batch-last", 0, 0, 0, NULL },
	{ "batch-torn", 0, 0, 0, NULL },
	{ "batch-torn-reopened", 0, 0, 16,
	    "a batch ends with its segment: nothing of the next is taken" },
	{ "both-index", 0, 0, 0, NULL },
	{ "chains", 0, 0, 0, NULL },
	{ "ckpt-only", 0, 0, 0, NULL },
	{ "clock-back", 0, 0, 0, NULL },
	{ "compacted-merge", 0, 0, 0, NULL },
	/* Payloads of re-encoded frames are unreadable to batpak. */
	{ "compacted-retention", PICTURE_NO_FRAME, PICTURE_NO_SEQ, 0, NULL },
	{ "compacted-tombstone", PICTURE_NO_FRAME, PICTURE_NO_SEQ, 0, NULL },
	{ "compaction-pending", 0, 0, 41, "the renamed source is read too" },
	{ "coordinates", 0, 0, 0, NULL },
	{ "crashed-after-index", 0, 0, 0, NULL },
	{ "crashed-open", 0, 0, 0, NULL },
	{ "cursors", 0, 0, 0, NULL },
	{ "denials", 0, 0, 0, NULL },
	{ "dropped", 0, 0, 0, NULL },
	{ "empty-segment", 0, 0, 9, "a segment without a header goes" },
	{ "empty-segment-indexed", 0, 0, 9, "the same" },
	{ "extensions", 0, 0, 0, NULL },
	{ "fenced-crash", 0, 0, 0, NULL },
	{ "group-commit", 0, 0, 0, NULL },
	{ "header-only-segment", 0, 0, 0, NULL },
	{ "hidden", 0, 0, 0, NULL },
	{ "idempotent", 0, 0, 13, "both events of one id are shown" },
	{ "kinds", 0, 0, 0, NULL },
	{ "many-segments", 0, 0, 0, NULL },
	{ "many-segments-noindex", 0, 0, 0, NULL },
	/* batpak lost extensions of both, the frames have them. */
	{ "missing-footer", PICTURE_NO_EXTENSIONS, 0, 0, NULL },
	{ "mixed", PICTURE_NO_EXTENSIONS, 0, 0, NULL },
	{ "no-index", 0, 0, 0, NULL },
	{ "payloads", 0, 0, 0, NULL },
	{ "projection-cache", 0, 0, 0, NULL },
	{ "quickstart", 0, 0, 0, NULL },
	{ "reopened", 0, 0, 0, NULL },
	{ "signed", 0, 0, 0, NULL },
	{ "snapshot", 0, 0, 0, NULL },
	{ "torn-not-last", 0, 0, 10, "torn tails of older segments go too" },
	{ "torn-tail", 0, 0, 0, NULL },
	{ "zero-tail", 0, 0, 9, "zeros are a torn tail" },
};

enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

static uint32_t
lines(const struct bat_buf *picture)
{
	uint32_t count = 0;

	for (size_t i = 0; i < picture->length; i++)
		count += picture->data[i] == '\n';
	return count;
}

static void
open_and_compare(const struct shape *shape, bool read_only, bool indexed)
{
	unsigned leave_out = shape->leave_out |
	    (indexed ? 0 : shape->leave_out_unindexed);
	struct bat_buf got = BAT_BUF_EMPTY, wanted = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct temp_dir dir;
	const char *wrong;

	stores_golden(&dir, shape->name);
	if (!indexed)
		stores_without_index(&dir);
	store = stores_open(&dir, read_only);
	picture_of(store, leave_out, &got);
	wrong = picture_check_lists(store);
	ck_assert_msg(wrong == NULL, "%s: %s", shape->name, wrong);
	stores_close(store);
	if (shape->count > 0) {
		ck_assert_msg(lines(&got) == shape->count,
		    "%s: %u events instead of %u", shape->name, lines(&got),
		    shape->count);
	} else {
		stores_expected(shape->name, leave_out, &wanted);
		stores_assert_same(&got, &wanted, shape->name);
	}
	bat_bytes_free(&got);
	bat_bytes_free(&wanted);
	temp_dir_remove(&dir);
}

START_TEST(a_golden_store_shows_what_batpak_says)
{
	const struct shape *shape = &shapes[_i];

	open_and_compare(shape, true, true);
	open_and_compare(shape, true, false);
	open_and_compare(shape, false, true);
	open_and_compare(shape, false, false);
}
END_TEST

/* The kind of an event, counted from the last. */
static uint16_t
kind_from_end(struct bat_store *store, uint32_t back)
{
	struct bat_head head;
	struct bat_row row;

	bat_head(store, &head);
	ck_assert(bat_row(store, head.last - back, &row));
	return row.kind;
}

/* What was there, then OPEN, an event and CLOSE. */
static void
check_appended(const struct temp_dir *dir, const char *name, unsigned leave_out,
    const struct bat_buf *before, uint32_t count)
{
	struct bat_store *store = stores_open(dir, true);
	struct bat_buf after = BAT_BUF_EMPTY;
	struct bat_head head;

	picture_of_some(store, leave_out, 0, count, &after);
	stores_assert_same(&after, before, name);
	bat_head(store, &head);
	ck_assert_uint_eq(head.visible_count, count + 3);
	ck_assert_uint_eq(kind_from_end(store, 2), 0x0008);
	ck_assert_uint_eq(kind_from_end(store, 1), 0xf001);
	ck_assert_uint_eq(kind_from_end(store, 0), 0x0009);
	ck_assert_ptr_null(picture_check_lists(store));
	stores_close(store);
	bat_bytes_free(&after);
}

static void
append_and_compare(const struct shape *shape, bool indexed)
{
	struct bat_buf before = BAT_BUF_EMPTY, unindexed = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct temp_dir dir;
	uint32_t count;

	stores_golden(&dir, shape->name);
	if (!indexed)
		stores_without_index(&dir);
	store = stores_open(&dir, false);
	picture_of(store, PICTURE_WHOLE, &before);
	picture_of(store, shape->leave_out_unindexed, &unindexed);
	count = lines(&before);
	stores_append(store, "player:new", "\xa1x");
	stores_close(store);
	check_appended(&dir, shape->name, PICTURE_WHOLE, &before, count);
	stores_without_index(&dir);
	check_appended(&dir, shape->name, shape->leave_out_unindexed,
	    &unindexed, count);
	bat_bytes_free(&before);
	bat_bytes_free(&unindexed);
	temp_dir_remove(&dir);
}

START_TEST(an_append_adds_to_a_golden_store_and_changes_nothing_of_it)
{
	append_and_compare(&shapes[_i], true);
	append_and_compare(&shapes[_i], false);
}
END_TEST

/* Of no segment that they ended in is there a footer: frames have been read,
 * and what recovery made of them went into the new index. */
static const char *const crashed[] = { "crashed-open", "crashed-after-index",
	"torn-tail", "zero-tail", "bad-crc", "batch-torn", "no-index" };

enum { CRASHED = sizeof(crashed) / sizeof(crashed[0]) };

START_TEST(what_recovery_made_of_a_store_passes_the_second_opinion)
{
	struct bat_error error = { .text = "" };
	struct bat_verify_counts counts;
	struct bat_store *store;
	struct temp_dir dir;
	int code;

	stores_golden(&dir, crashed[_i]);
	stores_without_index(&dir);
	store = stores_open(&dir, false);
	stores_append(store, "player:new", "\xa1x");
	stores_close(store);
	code = bat_verify_directory(bat_file_posix(), dir.path, NULL, &counts,
	    &error);
	ck_assert_msg(code == 0, "%s: %s", crashed[_i], error.text);
	ck_assert_uint_eq(counts.index_files, 1);
	ck_assert_uint_eq(counts.index_rows, counts.events);
	temp_dir_remove(&dir);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("recovery");
	TCase *golden = tcase_create("golden"), *ended = tcase_create("ended");

	tcase_set_timeout(golden, 60);
	tcase_add_loop_test(golden, a_golden_store_shows_what_batpak_says, 0,
	    SHAPES);
	tcase_add_loop_test(golden,
	    an_append_adds_to_a_golden_store_and_changes_nothing_of_it, 0,
	    SHAPES);
	tcase_set_timeout(ended, 60);
	tcase_add_loop_test(ended,
	    what_recovery_made_of_a_store_passes_the_second_opinion, 0,
	    CRASHED);
	suite_add_tcase(suite, golden);
	suite_add_tcase(suite, ended);
	return suite_run(suite);
}
