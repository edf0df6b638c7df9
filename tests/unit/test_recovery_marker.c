/*
 * A compaction that did not end: whichever step it was in, every event is
 * shown once, nothing is changed before the first append, and that one heals
 * the directory.
 */
#include <check.h>
#include <errno.h>

#include "faulty_disk.h"
#include "pending.h"
#include "suite.h"

static void
assert_whole(struct pending *pending, struct bat_store *store, enum step step)
{
	struct bat_buf got = BAT_BUF_EMPTY;
	char what[32];

	snprintf(what, sizeof(what), "step %d", step);
	picture_of_some(store, PICTURE_NO_PLACE, 0, 12, &got);
	stores_assert_same(&got, &pending->picture, what);
	bat_bytes_free(&got);
}

static uint64_t
count(struct bat_store *store)
{
	struct bat_head head;

	bat_head(store, &head);
	return head.visible_count;
}

static void
assert_healed(struct pending *pending, enum step step)
{
	struct bat_store *store = stores_open(&pending->dir, false);

	ck_assert(!temp_dir_has(&pending->dir, MARKER));
	ck_assert(!temp_dir_has(&pending->dir, SOURCE));
	ck_assert(!stores_report_has(store, "compaction"));
	ck_assert_uint_eq(count(store), 15);
	assert_whole(pending, store, step);
	ck_assert_ptr_null(picture_check_lists(store));
	stores_close(store);
}

START_TEST(a_crash_in_any_step_of_a_compaction_loses_nothing)
{
	struct pending pending;
	struct bat_store *store;
	size_t names;

	pending_make(&pending);
	pending_step(&pending, (enum step)_i);
	names = temp_dir_count(&pending.dir);
	for (int read_only = 1; read_only >= 0; read_only--) {
		store = stores_open(&pending.dir, read_only == 1);
		ck_assert(stores_report_has(store, "compaction marker"));
		ck_assert_uint_eq(count(store), 12);
		assert_whole(&pending, store, (enum step)_i);
		stores_close(store);
	}
	/* The lock has come, and our folder. */
	ck_assert_uint_eq(temp_dir_count(&pending.dir), names + 2);
	store = stores_open(&pending.dir, false);
	stores_append(store, "player:new", "\xa1x");
	assert_whole(&pending, store, (enum step)_i);
	stores_close(store);
	assert_healed(&pending, (enum step)_i);
	stores_without_index(&pending.dir);
	assert_healed(&pending, (enum step)_i);
	pending_free(&pending);
}
END_TEST

/* Healing stops at any operation and is done again by the next session. */
START_TEST(healing_that_is_interrupted_goes_on_later)
{
	static const enum faulty_operation operations[] = { FAULTY_RENAME,
		FAULTY_UNLINK, FAULTY_SYNC, FAULTY_LIST };
	struct bat_draft draft = stores_draft("player:new", "s", "\xa1x");

	for (size_t i = 0; i < 4; i++)
		for (unsigned nth = 1; nth <= 5; nth++) {
			struct pending pending;
			struct faulty_disk disk;
			struct bat_store *store;
			int code;

			pending_make(&pending);
			pending_step(&pending, (enum step)_i);
			faulty_disk_init(&disk, bat_file_posix());
			store = stores_open_with(&pending.dir,
			    &(struct bat_options){ .disk = &disk.disk });
			faulty_disk_fail(&disk, operations[i], nth, EIO, true);
			code = stores_append_batch(store, &draft, 1, NULL,
			    NULL);
			(void)bat_close(store, NULL);
			store = stores_open(&pending.dir, false);
			assert_whole(&pending, store, (enum step)_i);
			if (code != 0)
				stores_append(store, "player:new", "\xa1x");
			stores_close(store);
			store = stores_open(&pending.dir, true);
			assert_whole(&pending, store, (enum step)_i);
			ck_assert_uint_ge(count(store), 14);
			ck_assert(
			    !temp_dir_has(&pending.dir, MARKER) || code == 0);
			stores_close(store);
			pending_free(&pending);
		}
}
END_TEST

START_TEST(index_files_beside_a_marker_are_not_read)
{
	struct pending pending;
	struct bat_store *store;

	pending_make(&pending);
	store = stores_open_with(&pending.dir,
	    &(struct bat_options){ .index = BAT_INDEX_FBATI });
	ck_assert_int_eq(bat_checkpoint(store, NULL), 0);
	stores_close(store);
	ck_assert(temp_dir_has(&pending.dir, "index.fbati"));
	pending_step(&pending, STEP_HALF);
	store = stores_open(&pending.dir, false);
	assert_whole(&pending, store, STEP_HALF);
	stores_append(store, "player:new", "\xa1x");
	ck_assert(!temp_dir_has(&pending.dir, "index.fbati"));
	stores_close(store);
	assert_healed(&pending, STEP_HALF);
	pending_free(&pending);
}
END_TEST

START_TEST(a_marker_that_is_no_marker_refuses_the_store)
{
	static const char too_big[] =
	    "{\"merged_id\":1,\"source_segment_ids\":[18446744073709551616]}";
	static const char *const texts[] = { "", "{}", "not json",
		"{\"merged_id\":1}", "{\"merged_id\":1,\"source_segment_ids\":",
		"{\"merged_id\":1,\"source_segment_ids\":[1,2",
		"{\"merged_id\":-1,\"source_segment_ids\":[1,2]}", too_big,
		"{\"merged_id\":1,\"source_segment_ids\":[1,,2]}",
		"{\"merged_id\":1,\"source_segment_ids\":[\"1\"]}",
		"{\"merged_id\":0,\"source_segment_ids\":[1,2,3]}" };
	struct bat_error error = { .text = "" };
	struct bat_store *store;
	struct pending pending;

	pending_make(&pending);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (int read_only = 0; read_only < 2; read_only++) {
			temp_dir_write(&pending.dir, MARKER,
			    bat_bytes_text(texts[i]));
			ck_assert_int_eq(bat_open(pending.dir.path,
					     &(struct bat_options){
						 .read_only = read_only == 1 },
					     &store, &error),
			    BAT_DATA_CORRUPT);
			ck_assert_ptr_nonnull(strstr(error.text, MARKER));
		}
	pending_free(&pending);
}
END_TEST

START_TEST(a_marker_of_another_segment_than_the_source_file_refuses_the_store)
{
	struct bat_error error = { .text = "" };
	struct bat_store *store;
	struct pending pending;

	pending_make(&pending);
	pending_step(&pending, STEP_RENAMED);
	temp_dir_write(&pending.dir, MARKER,
	    bat_bytes_text("{\"merged_id\":2,\"source_segment_ids\":[2,3]}"));
	ck_assert_int_eq(bat_open(pending.dir.path, NULL, &store, &error),
	    BAT_DATA_CORRUPT);
	ck_assert_ptr_nonnull(strstr(error.text, MARKER));
	ck_assert(temp_dir_has(&pending.dir, SOURCE));
	pending_free(&pending);
}
END_TEST

/* Its tail goes before it has its own name again, under the one it has. */
START_TEST(a_torn_source_of_an_unfinished_merge_is_cut_and_healed)
{
	static const uint8_t tail[] = { 0, 0, 1, 0, 1, 2, 3, 4, 5 };
	struct pending pending;
	struct bat_store *store;

	for (int step = STEP_RENAMED; step <= STEP_HALF; step++) {
		pending_make(&pending);
		pending_step(&pending, (enum step)step);
		temp_dir_append(&pending.dir, SOURCE,
		    bat_bytes_slice(tail, sizeof(tail)));
		store = stores_open(&pending.dir, false);
		stores_append(store, "player:new", "\xa1x");
		stores_close(store);
		assert_healed(&pending, (enum step)step);
		pending_free(&pending);
	}
}
END_TEST

START_TEST(spaces_and_another_order_are_a_marker_too)
{
	struct pending pending;
	struct bat_store *store;

	pending_make(&pending);
	pending_step(&pending, STEP_HALF);
	temp_dir_write(&pending.dir, MARKER,
	    bat_bytes_text("{ \"source_segment_ids\" : [ 1 , 2,\n3 ],\n"
			   "\t\"merged_id\" : 1 }\n"));
	store = stores_open(&pending.dir, false);
	assert_whole(&pending, store, STEP_HALF);
	stores_close(store);
	pending_free(&pending);
}
END_TEST

START_TEST(a_source_file_without_a_marker_is_nobodys)
{
	struct pending pending;
	struct bat_store *store;

	pending_make(&pending);
	temp_dir_write(&pending.dir, SOURCE,
	    bat_bytes_of_buf(&pending.files[0]));
	store = stores_open(&pending.dir, false);
	assert_whole(&pending, store, STEP_MARKED);
	ck_assert_uint_eq(count(store), 12);
	stores_append(store, "player:new", "\xa1x");
	ck_assert(temp_dir_has(&pending.dir, SOURCE));
	stores_close(store);
	pending_free(&pending);
}
END_TEST

START_TEST(a_source_that_is_gone_without_a_merge_is_damage)
{
	struct bat_error error = { .text = "" };
	struct bat_store *store;
	struct pending pending;

	pending_make(&pending);
	pending_step(&pending, STEP_RENAMED);
	temp_dir_unlink(&pending.dir, "000002.fbat");
	ck_assert_int_eq(bat_open(pending.dir.path, NULL, &store, &error),
	    BAT_DATA_CORRUPT);
	ck_assert_uint_eq(error.segment, 2);
	store = stores_open(&pending.dir, true);
	ck_assert_uint_eq(count(store), 9);
	stores_close(store);
	pending_free(&pending);
}
END_TEST

/* The merge as if it had ended after so many frames. */
static void
cut_merge(struct pending *pending, unsigned frames)
{
	struct bat_segment_header header;
	size_t end;

	ck_assert_int_eq(bat_segment_decode_header(
			     bat_bytes_of_buf(&pending->merged), &header, NULL),
	    0);
	end = header.length;
	for (unsigned i = 0; i < frames; i++)
		end += 8 + bat_bytes_get_be32(pending->merged.data + end);
	temp_dir_truncate(&pending->dir, "000001.fbat", end);
}

/* A retention drops what it likes; the merge ends with the last event that it
 * kept, here the first of segment 2. */
START_TEST(a_finished_retention_replaces_its_sources)
{
	struct pending pending;
	struct bat_store *store;

	pending_make(&pending);
	pending_step(&pending, STEP_GONE_SRC);
	cut_merge(&pending, 6);
	store = stores_open(&pending.dir, false);
	ck_assert_uint_eq(count(store), 4 + 3);
	stores_append(store, "player:new", "\xa1x");
	ck_assert(!temp_dir_has(&pending.dir, "000002.fbat"));
	ck_assert(!temp_dir_has(&pending.dir, "000003.fbat"));
	stores_close(store);
	pending_free(&pending);
}
END_TEST

/* A session that appended nothing leaves such a segment. */
START_TEST(a_source_without_events_does_not_hide_that_the_merge_is_finished)
{
	struct pending pending;
	struct bat_store *store;

	pending_make(&pending);
	pending_step(&pending, STEP_GONE_SRC);
	cut_merge(&pending, 10);
	temp_dir_truncate(&pending.dir, "000003.fbat", 57);
	store = stores_open(&pending.dir, true);
	ck_assert_uint_eq(count(store), 6 + 3);
	stores_close(store);
	pending_free(&pending);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("recovery_marker");
	TCase *tcase = tcase_create("marker");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase,
	    a_crash_in_any_step_of_a_compaction_loses_nothing, 0, STEPS);
	tcase_add_loop_test(tcase, healing_that_is_interrupted_goes_on_later, 0,
	    STEPS);
	tcase_add_test(tcase, index_files_beside_a_marker_are_not_read);
	tcase_add_test(tcase, a_marker_that_is_no_marker_refuses_the_store);
	tcase_add_test(tcase,
	    a_marker_of_another_segment_than_the_source_file_refuses_the_store);
	tcase_add_test(tcase,
	    a_torn_source_of_an_unfinished_merge_is_cut_and_healed);
	tcase_add_test(tcase, spaces_and_another_order_are_a_marker_too);
	tcase_add_test(tcase, a_source_file_without_a_marker_is_nobodys);
	tcase_add_test(tcase, a_source_that_is_gone_without_a_merge_is_damage);
	tcase_add_test(tcase, a_finished_retention_replaces_its_sources);
	tcase_add_test(tcase,
	    a_source_without_events_does_not_hide_that_the_merge_is_finished);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
