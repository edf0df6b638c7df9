/*
 * Golden stores are what they are said to be; nothing is changed; what cannot be
 * read is no verdict.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "bat.h"
#include "faulty_disk.h"
#include "suite.h"
#include "temp_dir.h"
#include "verdict.h"

/* What each golden store has to say; one that is not here says nothing and
 * has all of its events proved. */
static const struct expectation {
	const char *store;
	uint64_t noted, broken;
	uint64_t events;
} expectations[] = {
	/* Torn tails at the end of a crashed segment: cut at the next append. */
	{ "bad-crc", BIT(TORN), 0, 8 },
	{ "torn-tail", BIT(TORN), 0, 12 },
	{ "zero-tail", BIT(TORN), 0, 9 },
	{ "batch-torn", BIT(UNFINISHED), 0, 6 },
	{ "empty-segment", BIT(SHORT), 0, 9 },
	{ "empty-segment-indexed", BIT(SHORT), 0, 9 },
	/* The same where another segment follows: batpak stumbles there. */
	{ "torn-not-last", 0, BIT(FRAME), 10 },
	{ "batch-torn-reopened", 0, BIT(UNFINISHED), 16 },
	/* What compaction does to payloads, chains and numbers. */
	{ "compacted-retention", BIT(REENCODED) | BIT(PARENT) | BIT(SEQUENCE),
	    0, 73 },
	{ "compacted-tombstone", BIT(REENCODED), 0, 101 },
	{ "compacted-merge", 0, 0, 101 },
	{ "compaction-pending", BIT(PENDING), 0, 41 },
	/* What the index loses. */
	{ "idempotent", BIT(INDEX_TWIN), 0, 13 },
	{ "mixed", BIT(INDEX_NO_EXT), 0, 605 },
	/* Nothing at all. */
	{ "batch", 0, 0, 75 },
	{ "batch-last", 0, 0, 10 },
	{ "both-index", 0, 0, 25 },
	{ "chains", 0, 0, 71 },
	{ "ckpt-only", 0, 0, 33 },
	{ "clock-back", 0, 0, 22 },
	{ "coordinates", 0, 0, 120 },
	{ "crashed-after-index", 0, 0, 29 },
	{ "crashed-open", 0, 0, 26 },
	{ "cursors", 0, 0, 17 },
	{ "denials", 0, 0, 8 },
	{ "dropped", 0, 0, 11 },
	{ "extensions", 0, 0, 24 },
	{ "fenced-crash", 0, 0, 10 },
	{ "group-commit", 0, 0, 28 },
	{ "header-only-segment", 0, 0, 9 },
	{ "hidden", 0, 0, 41 },
	{ "kinds", 0, 0, 58 },
	{ "many-segments", 0, 0, 2002 },
	{ "many-segments-noindex", 0, 0, 302 },
	{ "missing-footer", 0, 0, 83 },
	{ "no-index", 0, 0, 17 },
	{ "payloads", 0, 0, 87 },
	{ "projection-cache", 0, 0, 11 },
	{ "quickstart", 0, 0, 22 },
	{ "reopened", 0, 0, 35 },
	{ "signed", 0, 0, 7 },
	{ "snapshot", 0, 0, 35 },
};

enum { EXPECTATION_COUNT = sizeof(expectations) / sizeof(expectations[0]) };

START_TEST(every_golden_store_says_what_it_is)
{
	const struct expectation *expected = &expectations[_i];
	struct verdict verdict;
	char path[512];

	/* In place: verify changes nothing. */
	snprintf(path, sizeof(path), GOLDEN "%s/store", expected->store);
	verdict = verify_each_way(path);
	ck_assert_msg(verdict.noted == expected->noted,
	    "%s noted %llx, expected %llx", expected->store,
	    (unsigned long long)verdict.noted,
	    (unsigned long long)expected->noted);
	ck_assert_msg(verdict.broken == expected->broken, "%s: %s",
	    expected->store, verdict.error.text);
	ck_assert_int_eq(verdict.code,
	    expected->broken != 0 ? BAT_DATA_CORRUPT : 0);
	ck_assert_msg(verdict.counts.events == expected->events,
	    "%s: %llu events", expected->store,
	    (unsigned long long)verdict.counts.events);
	if ((expected->noted & BIT(REENCODED)) == 0)
		ck_assert_uint_eq(verdict.counts.payloads,
		    verdict.counts.events + verdict.counts.dropped);
}
END_TEST

START_TEST(no_golden_store_is_left_out)
{
	DIR *folder = opendir(GOLDEN);
	struct dirent *entry;
	int count = 0;

	ck_assert_ptr_nonnull(folder);
	while ((entry = readdir(folder)) != NULL)
		count += entry->d_type == DT_DIR && entry->d_name[0] != '.';
	closedir(folder);
	ck_assert_int_eq(count, EXPECTATION_COUNT);
}
END_TEST

START_TEST(everything_that_is_there_is_counted)
{
	struct verdict verdict;

	fill("hidden");
	verdict = verify();
	ck_assert_uint_eq(verdict.counts.segments, 1);
	ck_assert_uint_eq(verdict.counts.frames, 49);
	ck_assert_uint_eq(verdict.counts.batches, 4);
	ck_assert_uint_eq(verdict.counts.chains, 4);
	ck_assert_uint_eq(verdict.counts.restarts, 15);
	ck_assert_uint_eq(verdict.counts.footers, 1);
	ck_assert_uint_eq(verdict.counts.footer_rows, 41);
	ck_assert_uint_eq(verdict.counts.index_files, 1);
	ck_assert_uint_eq(verdict.counts.index_rows, 41);
	ck_assert_uint_eq(verdict.counts.hidden_ranges, 2);
	verdict = verify_path(bat_file_posix(), GOLDEN "idempotent/store");
	ck_assert_uint_eq(verdict.counts.twins, 1);
}
END_TEST

START_TEST(nothing_is_ever_changed)
{
	struct faulty_disk disk;
	struct verdict verdict;

	fill("mixed");
	faulty_disk_init(&disk, bat_file_posix());
	verdict = verify_path(&disk.disk, temp.path);
	ck_assert_int_eq(verdict.code, 0);
	ck_assert_uint_eq(faulty_disk_calls(&disk, FAULTY_WRITE), 0);
	ck_assert_uint_eq(faulty_disk_calls(&disk, FAULTY_TRUNCATE), 0);
	ck_assert_uint_eq(faulty_disk_calls(&disk, FAULTY_RENAME), 0);
	ck_assert_uint_eq(faulty_disk_calls(&disk, FAULTY_UNLINK), 0);
	ck_assert_uint_eq(faulty_disk_calls(&disk, FAULTY_MKDIR), 0);
	ck_assert_uint_eq(faulty_disk_calls(&disk, FAULTY_SYNC), 0);
	ck_assert_uint_eq(faulty_disk_calls(&disk, FAULTY_LOCK), 0);
	ck_assert(!temp_dir_has(&temp, ".batpak.lock"));
}
END_TEST

START_TEST(what_cannot_be_read_is_no_verdict)
{
	/* The plain way, and the swift one with either index. */
	static const char *const stores[] = { "both-index", "quickstart",
		"ckpt-only" };
	struct faulty_disk disk;
	struct verdict verdict;
	unsigned reads;

	ck_assert_int_eq(verify_path(bat_file_posix(), "/nowhere/at/all").code,
	    BAT_WORLD_ABSENT);
	fill(stores[_i]);
	faulty_disk_init(&disk, bat_file_posix());
	ck_assert_int_eq(verify_path(&disk.disk, temp.path).code, 0);
	reads = faulty_disk_calls(&disk, FAULTY_READ);
	for (unsigned i = 1; i <= reads; i++) {
		faulty_disk_reset(&disk);
		faulty_disk_fail(&disk, FAULTY_READ, i, EIO, false);
		verdict = verify_path(&disk.disk, temp.path);
		ck_assert_int_eq(verdict.code, BAT_WORLD_IO);
		ck_assert_int_eq(verdict.error.code, BAT_WORLD_IO);
		ck_assert_uint_eq(verdict.broken, 0);
	}
}
END_TEST

static int
stop_at_once(void *context, const struct bat_verify_finding *finding)
{
	(void)finding;
	++*(int *)context;
	return 77;
}

START_TEST(the_sink_can_end_it)
{
	struct bat_verify_counts counts;
	int calls = 0;
	struct bat_verify_sink sink = { &calls, stop_at_once };

	ck_assert_int_eq(bat_verify_directory(bat_file_posix(),
			     GOLDEN "mixed/store", &sink, &counts, NULL),
	    77);
	ck_assert_int_eq(calls, 1);
	/* And there need not be one. */
	ck_assert_int_eq(bat_verify_directory(bat_file_posix(),
			     GOLDEN "torn-not-last/store", NULL, &counts, NULL),
	    BAT_DATA_CORRUPT);
	ck_assert_uint_eq(counts.broken, 1);
}
END_TEST

START_TEST(an_empty_directory_has_nothing_to_prove)
{
	struct verdict verdict = verify();

	ck_assert_int_eq(verdict.code, 0);
	ck_assert_uint_eq(verdict.counts.segments, 0);
	temp_dir_write(&temp, "1.fbat", bat_bytes_text("x"));
	ck_assert_uint_eq(verify().noted, BIT(NAME));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("verify");
	TCase *verify = tcase_create("verify");

	tcase_add_checked_fixture(verify, set_up, tear_down);
	tcase_set_timeout(verify, 300);
	tcase_add_loop_test(verify, every_golden_store_says_what_it_is, 0,
	    EXPECTATION_COUNT);
	tcase_add_test(verify, no_golden_store_is_left_out);
	tcase_add_test(verify, everything_that_is_there_is_counted);
	tcase_add_test(verify, nothing_is_ever_changed);
	tcase_add_loop_test(verify, what_cannot_be_read_is_no_verdict, 0, 3);
	tcase_add_test(verify, the_sink_can_end_it);
	tcase_add_test(verify, an_empty_directory_has_nothing_to_prove);
	suite_add_tcase(suite, verify);
	return suite_run(suite);
}
