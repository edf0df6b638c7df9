/*
 * A read-only store follows whoever writes: segments that are merged under it.
 */
#include "followed.h"
#include "suite.h"

#define MARKER "compaction.pending.json"

struct compaction {
	struct bat_buf merged; /* all but the first event of segment 1 */
	struct bat_store *store;
};

/* Segments 1 to 3, which show; and what a retention makes of 1 and 2. */
static void
compaction_make(struct compaction *compaction)
{
	struct marks marks;
	unsigned count = 0;

	*compaction = (struct compaction){ .merged = BAT_BUF_EMPTY };
	for (uint64_t id = 1; id <= 3; id++) {
		char name[BAT_SEGMENT_NAME_SIZE];

		make_segment(id, &marks, &count);
		bat_segment_name(id, name);
		put(name, &maker.file, 0,
		    id == 3 ? marks.list[0].size : maker.file.length);
		if (id == 1)
			ck_assert_int_eq(bat_bytes_append(&compaction->merged,
					     maker.file.data,
					     (size_t)maker.rows[0].offset),
			    0);
		if (id <= 2)
			ck_assert_int_eq(
			    bat_bytes_append(&compaction->merged,
				maker.file.data +
				    (id == 1 ? marks.list[0].size :
					       maker.rows[6].offset),
				marks.list[3].size -
				    (id == 1 ? marks.list[0].size :
					       maker.rows[6].offset)),
			    0);
	}
	compaction->store = open_reader();
	(void)refresh(compaction->store);
	assert_shows(compaction->store, 13, "before", 0);
}

static void
compaction_begin(void)
{
	put_text(MARKER, "{\"merged_id\":1,\"source_segment_ids\":[1,2]}");
	rename_it("000001.fbat", "000001.fbat.compact-src");
}

static void
compaction_free(struct compaction *compaction)
{
	bat_bytes_free(&compaction->merged);
	stores_close(compaction->store);
}

/* Every event of the view as it was can be read. */
static void
assert_reads_all(struct bat_store *store, uint32_t count)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_error error = { .text = "" };

	for (uint32_t i = 0; i < count; i++)
		ck_assert_msg(bat_read(store, i, &reading, &error) == 0,
		    "event %u: %s", i, error.text);
	bat_reading_free(&reading);
}

START_TEST(a_compaction_is_not_seen_before_it_is_over)
{
	struct compaction compaction;
	struct bat_store *store;
	struct bat_slice name;

	compaction_make(&compaction);
	store = compaction.store;
	name = bat_name(store, bat_entity_at(store, 0));
	compaction_begin();
	for (size_t size = 0; size < compaction.merged.length; size += 40) {
		put("000001.fbat", &compaction.merged, 0, size);
		ck_assert(!refresh(store));
		assert_shows(store, 13, "merging", size);
	}
	put_whole("000001.fbat", &compaction.merged);
	unlink_it("000002.fbat");
	unlink_it("000001.fbat.compact-src");
	ck_assert(!refresh(store));
	assert_shows(store, 13, "sources gone", 0);
	assert_reads_all(store, 13);
	ck_assert_uint_eq(head_of(store).generation, 1);
	unlink_it(MARKER);
	ck_assert(refresh(store));
	assert_shows(store, 12, "over", 0);
	assert_reads_all(store, 12);
	ck_assert_uint_eq(head_of(store).generation, 2);
	/* A name that was handed out stays what it is. */
	ck_assert(bat_bytes_equal(name, bat_bytes_text("player:alice")));
	/* What comes is followed in the new view. */
	put("000003.fbat", &maker.file, 0, maker.file.length);
	ck_assert(refresh(store));
	assert_shows(store, 17, "goes on", 0);
	compaction_free(&compaction);
}
END_TEST

/* Between two looks, all of it: nobody saw a marker. */
START_TEST(a_compaction_that_nobody_saw_is_seen_by_its_files)
{
	struct compaction compaction;

	compaction_make(&compaction);
	compaction_begin();
	put_whole("000001.fbat", &compaction.merged);
	unlink_it("000002.fbat");
	unlink_it("000001.fbat.compact-src");
	unlink_it(MARKER);
	ck_assert(refresh(compaction.store));
	assert_shows(compaction.store, 12, "over", 0);
	ck_assert_uint_eq(head_of(compaction.store).generation, 2);
	compaction_free(&compaction);
}
END_TEST

/* Who reads between the look and the end of a compaction is not told of
 * damage, nor of a file that is not there. */
START_TEST(a_read_of_what_was_replaced_asks_to_be_asked_again)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	struct compaction compaction;
	struct bat_error error;

	compaction_make(&compaction);
	/* Rewritten in place, which nobody does: the row is of no use. */
	cut("000003.fbat", 60);
	ck_assert_int_eq(bat_read(compaction.store, 12, &reading, &error),
	    BAT_DATA_DISAGREES);
	ck_assert_uint_eq(head_of(compaction.store).generation, 2);
	assert_shows(compaction.store, 12, "cut", 60);
	bat_reading_free(&reading);
	compaction_free(&compaction);
}
END_TEST

START_TEST(a_compaction_that_died_is_sorted_out_after_five_seconds)
{
	struct compaction compaction;
	struct bat_store *store;

	compaction_make(&compaction);
	store = compaction.store;
	compaction_begin();
	put("000001.fbat", &compaction.merged, 0, 100);
	ck_assert(!refresh(store));
	now.monotonic_ns += INT64_C(4800000000);
	ck_assert(!refresh(store));
	ck_assert_uint_eq(head_of(store).generation, 1);
	now.monotonic_ns += LOOK_NS;
	ck_assert(refresh(store));
	ck_assert_uint_eq(head_of(store).generation, 2);
	assert_shows(store, 13, "by content", 0);
	/* Once, and what comes shows although the marker stays. */
	put("000003.fbat", &maker.file, 0, maker.file.length);
	now.monotonic_ns += INT64_C(9000000000);
	ck_assert(refresh(store));
	assert_shows(store, 18, "goes on", 0);
	ck_assert_uint_eq(head_of(store).generation, 2);
	compaction_free(&compaction);
}
END_TEST

START_TEST(following_changes_nothing_and_leaves_nothing_open)
{
	struct compaction compaction;
	struct bat_buf log = BAT_BUF_EMPTY;
	uint64_t hash;
	unsigned open;

	compaction_make(&compaction);
	compaction_begin();
	put_whole("000001.fbat", &compaction.merged);
	unlink_it("000002.fbat");
	unlink_it("000001.fbat.compact-src");
	unlink_it(MARKER);
	memory_disk_print_log(disk, &log);
	hash = memory_disk_hash(disk);
	open = memory_disk_open_count(disk);
	ck_assert(refresh(compaction.store));
	/* What was held of the old files is given back. */
	ck_assert_uint_le(memory_disk_open_count(disk), open - 1);
	ck_assert_uint_eq(memory_disk_hash(disk), hash);
	compaction_free(&compaction);
	ck_assert_uint_eq(memory_disk_open_count(disk), 0);
	bat_bytes_free(&log);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("follower_compaction");
	TCase *tcase = tcase_create("core");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_compaction_is_not_seen_before_it_is_over);
	tcase_add_test(tcase,
	    a_compaction_that_nobody_saw_is_seen_by_its_files);
	tcase_add_test(tcase,
	    a_read_of_what_was_replaced_asks_to_be_asked_again);
	tcase_add_test(tcase,
	    a_compaction_that_died_is_sorted_out_after_five_seconds);
	tcase_add_test(tcase,
	    following_changes_nothing_and_leaves_nothing_open);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
