/*
 * What is provable of a damaged store gets into another directory, with its
 * numbers; what is not is named; the damaged one is only read.
 */
#include <check.h>
#include <errno.h>

#include "bat.h"
#include "faulty_disk.h"
#include "stores.h"
#include "suite.h"

static struct temp_dir source, destination;
static struct bat_salvage_counts counts;
static struct bat_salvage_gap last_gap;
static uint64_t lost_events;

static int
take_gap(void *context, const struct bat_salvage_gap *gap)
{
	(void)context;
	ck_assert_str_ne(gap->reason, "");
	last_gap = *gap;
	lost_events += gap->events;
	return 0;
}

static int
salvage_with(const struct bat_disk *disk)
{
	const struct bat_salvage_sink sink = { NULL, take_gap };
	struct bat_error error = { .text = "" };

	lost_events = 0;
	return bat_repair_salvage(disk, source.path, destination.path, &sink,
	    &counts, &error);
}

static void
start(const char *shape)
{
	stores_golden(&source, shape);
	temp_dir_make(&destination);
}

static void
teardown(void)
{
	temp_dir_remove(&source);
	temp_dir_remove(&destination);
}

/* The source stays as it is, and so many events get across. */
static void
salvage(uint64_t events)
{
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;

	stores_files(&source, &before);
	ck_assert_int_eq(salvage_with(bat_file_posix()), 0);
	stores_files(&source, &after);
	stores_assert_same(&after, &before, "the source");
	ck_assert_uint_eq(counts.events, events);
	bat_bytes_free(&before);
	bat_bytes_free(&after);
}

/* What the destination shows is what the source shows, but for damaged
 * events; and it may be written. */
static void
assert_same_picture(const struct bat_buf *wanted)
{
	struct bat_buf now = BAT_BUF_EMPTY;
	struct bat_store *store;

	stores_picture(&destination, PICTURE_NO_PLACE, &now);
	stores_assert_same(&now, wanted, "salvaged");
	store = stores_open(&destination, false);
	stores_append(store, "player:new", "\xa1x");
	stores_close(store);
	bat_bytes_free(&now);
}

START_TEST(of_a_whole_store_everything_gets_across)
{
	static const struct {
		const char *shape;
		uint64_t events;
	} stores[] = { { "mixed", 605 }, { "hidden", 41 }, { "batch", 75 },
		{ "missing-footer", 83 }, { "compaction-pending", 41 },
		{ "torn-not-last", 10 } };

	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
		struct bat_buf wanted = BAT_BUF_EMPTY;

		start(stores[i].shape);
		stores_picture(&source, PICTURE_NO_PLACE, &wanted);
		salvage(stores[i].events);
		assert_same_picture(&wanted);
		ck_assert_uint_eq(counts.gaps, i == 5);
		bat_bytes_free(&wanted);
		teardown();
	}
	start("batch");
}
END_TEST

START_TEST(a_hole_is_named_with_its_place)
{
	start("many-segments-noindex");
	temp_dir_flip(&source, "000003.fbat", 1200, 4);
	salvage(301);
	ck_assert_uint_eq(counts.gaps, 1);
	ck_assert_uint_eq(last_gap.segment, 3);
	ck_assert_uint_le(last_gap.offset, 1200);
	ck_assert_uint_gt(last_gap.offset + last_gap.length, 1200);
	ck_assert_uint_eq(last_gap.length, counts.gap_bytes);
}
END_TEST

START_TEST(events_that_only_an_index_names_are_a_gap)
{
	struct bat_row row;
	struct bat_store *store;
	struct bat_head head;

	start("many-segments");
	temp_dir_unlink(&source, "000004.fbat");
	salvage(1810);
	ck_assert_uint_eq(counts.gaps, 1);
	ck_assert_uint_eq(last_gap.segment, 4);
	ck_assert_uint_eq(lost_events, 192);
	store = stores_open(&destination, true);
	bat_head(store, &head);
	ck_assert(bat_row(store, head.last, &row));
	ck_assert_uint_eq(row.seq, 2001);
	stores_close(store);
}
END_TEST

START_TEST(segments_under_another_name_and_broken_headers_get_across)
{
	struct bat_buf wanted = BAT_BUF_EMPTY, file = BAT_BUF_EMPTY;

	start("many-segments-noindex");
	stores_picture(&source, PICTURE_NO_PLACE, &wanted);
	temp_dir_read(&source, "000002.fbat", &file);
	temp_dir_unlink(&source, "000002.fbat");
	temp_dir_write(&source, "000077.fbat", bat_bytes_of_buf(&file));
	temp_dir_write(&source, "000078.fbat", bat_bytes_of_buf(&file));
	temp_dir_flip(&source, "000005.fbat", 0, 1);
	ck_assert_int_eq(salvage_with(bat_file_posix()), 0);
	assert_same_picture(&wanted);
	bat_bytes_free(&wanted);
	bat_bytes_free(&file);
}
END_TEST

/* What of one is lost where the disk fails for good: test_lost_blocks.c. */
START_TEST(a_read_that_fails_once_is_tried_again)
{
	struct faulty_disk faulty;

	start("many-segments-noindex");
	faulty_disk_init(&faulty, bat_file_posix());
	faulty_disk_fail(&faulty, FAULTY_READ, 1, EIO, false);
	ck_assert_int_eq(salvage_with(&faulty.disk), 0);
	ck_assert_uint_eq(counts.gaps, 0);
	ck_assert_uint_eq(counts.events, 302);
}
END_TEST

START_TEST(a_segment_that_cannot_be_opened_is_a_gap_and_the_others_get_across)
{
	struct faulty_disk faulty;

	start("many-segments-noindex");
	faulty_disk_init(&faulty, bat_file_posix());
	faulty_disk_fail(&faulty, FAULTY_OPEN, 1, EIO, false);
	ck_assert_int_eq(salvage_with(&faulty.disk), 0);
	ck_assert_uint_eq(counts.gaps, 1);
	ck_assert_uint_eq(last_gap.segment, 1);
	ck_assert_uint_eq(counts.events, 302 - 32);
}
END_TEST

START_TEST(hidden_ranges_that_do_not_hold_are_a_gap)
{
	start("hidden");
	temp_dir_flip(&source, "visibility_ranges.fbv", 14, 1);
	salvage(41);
	ck_assert_uint_eq(counts.gaps, 1);
	ck_assert(!temp_dir_has(&destination, "visibility_ranges.fbv"));
}
END_TEST

START_TEST(a_directory_that_holds_something_is_not_written_to)
{
	start("quickstart");
	temp_dir_write(&destination, "mine", bat_bytes_text("x"));
	ck_assert_int_eq(salvage_with(bat_file_posix()), BAT_DATA_REFUSED);
	ck_assert_uint_eq(temp_dir_count(&destination), 1);
}
END_TEST

START_TEST(a_failure_while_writing_is_an_error_and_no_gap)
{
	struct faulty_disk faulty;

	for (unsigned nth = 1; nth < 4; nth++) {
		start("many-segments-noindex");
		faulty_disk_init(&faulty, bat_file_posix());
		faulty_disk_fail(&faulty, FAULTY_WRITE, nth, ENOSPC, true);
		ck_assert_int_eq(salvage_with(&faulty.disk),
		    BAT_WORLD_NO_SPACE);
		ck_assert_uint_eq(temp_dir_count(&destination), nth - 1);
		teardown();
	}
	start("batch");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("salvage");
	TCase *cases = tcase_create("salvage");

	tcase_add_checked_fixture(cases, NULL, teardown);
	tcase_add_test(cases, of_a_whole_store_everything_gets_across);
	tcase_add_test(cases, a_hole_is_named_with_its_place);
	tcase_add_test(cases, events_that_only_an_index_names_are_a_gap);
	tcase_add_test(cases,
	    segments_under_another_name_and_broken_headers_get_across);
	tcase_add_test(cases, a_read_that_fails_once_is_tried_again);
	tcase_add_test(cases,
	    a_segment_that_cannot_be_opened_is_a_gap_and_the_others_get_across);
	tcase_add_test(cases, hidden_ranges_that_do_not_hold_are_a_gap);
	tcase_add_test(cases,
	    a_directory_that_holds_something_is_not_written_to);
	tcase_add_test(cases, a_failure_while_writing_is_an_error_and_no_gap);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
