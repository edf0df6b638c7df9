/*
 * A read-only store follows whoever writes: directories that grow and are cut
 * under it, byte by byte.
 */
#include "followed.h"
#include "suite.h"

START_TEST(a_store_that_grows_by_bytes_shows_what_is_whole)
{
	static const char *const names[] = { "000001.fbat", "000002.fbat" };
	struct bat_store *store = NULL;
	struct marks marks;
	unsigned count = 0, before = 0;

	for (uint64_t id = 1; id <= 2; id++) {
		make_segment(id, &marks, &count);
		for (size_t size = 0; size <= maker.file.length; size++) {
			put(names[id - 1], &maker.file,
			    size == 0 ? 0 : size - 1, size);
			if (store == NULL)
				store = open_reader();
			(void)refresh(store);
			assert_shows(store, shown_at(&marks, size, before),
			    names[id - 1], size);
		}
		before = count;
	}
	ck_assert_uint_eq(head_of(store).generation, 1);
	ck_assert_uint_eq(head_of(store).next_seq, count);
	stores_close(store);
}
END_TEST

/* Opened at every size, as if the mount had come just then. */
START_TEST(whoever_comes_in_the_middle_of_a_write_goes_on_from_there)
{
	struct bat_store *store;
	struct marks marks;
	unsigned count = 0;

	make_segment(1, &marks, &count);
	for (size_t size = 0; size < maker.file.length; size++) {
		put("000001.fbat", &maker.file, size == 0 ? 0 : size - 1, size);
		store = open_reader();
		assert_shows(store, shown_at(&marks, size, 0), "opened", size);
		put("000001.fbat", &maker.file, size, maker.file.length);
		(void)refresh(store);
		assert_shows(store, count, "whole after", size);
		ck_assert_uint_eq(head_of(store).generation, 1);
		stores_close(store);
		cut("000001.fbat", size);
	}
}
END_TEST

START_TEST(what_is_cut_off_goes_under_a_new_generation)
{
	struct bat_store *store;
	struct marks marks;
	unsigned count = 0;
	uint64_t header;

	make_segment(1, &marks, &count);
	put_whole("000001.fbat", &maker.file);
	store = open_reader();
	(void)refresh(store);
	header = maker.rows[0].offset;
	/* The footer goes, then frames, then the header. */
	for (size_t size = maker.file.length; size-- > 0;) {
		unsigned had = (unsigned)head_of(store).visible_count;
		unsigned left = shown_at(&marks, size, 0);
		uint64_t generation = head_of(store).generation;

		cut("000001.fbat", size);
		(void)refresh(store);
		assert_shows(store, left, "cut", size);
		if (left != had)
			ck_assert_uint_gt(head_of(store).generation,
			    generation);
		else if (size > header && size + 1 < marks.list[3].size)
			ck_assert_uint_eq(head_of(store).generation,
			    generation);
	}
	stores_close(store);
}
END_TEST

START_TEST(what_is_written_over_is_seen)
{
	struct bat_store *store;
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_buf first = BAT_BUF_EMPTY;
	struct bat_error error;
	size_t header;

	maker_segment(&maker, 1);
	header = maker.file.length;
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "a");
	ck_assert_int_eq(
	    bat_bytes_append_slice(&first, bat_bytes_of_buf(&maker.file)), 0);
	put_whole("000001.fbat", &first);
	store = open_reader();
	assert_shows(store, 1, "before", 0);

	/* The writer could not sync it, cut it off, and goes on with more. */
	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "b");
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "c");
	cut("000001.fbat", header);
	put("000001.fbat", &maker.file, header, maker.file.length);
	ck_assert(refresh(store));
	assert_shows(store, 2, "after", 0);
	ck_assert_uint_eq(head_of(store).generation, 2);
	ck_assert_int_eq(bat_read(store, 0, &reading, &error), 0);
	ck_assert_int_eq(reading.payload.data[1], 'b');
	bat_reading_free(&reading);
	bat_bytes_free(&first);
	stores_close(store);
}
END_TEST

/* The time of every file stands still. */
static const struct bat_disk *still_base;

static int
still_stat_at(void *context, int dir, const char *name,
    struct bat_file_stat *out)
{
	int code = still_base->stat_at(context, dir, name, out);

	out->mtime_ns = out->ctime_ns = now.wall_us * 1000;
	return code;
}

static int
still_stat_fd(void *context, int fd, struct bat_file_stat *out)
{
	int code = still_base->stat_fd(context, fd, out);

	out->mtime_ns = out->ctime_ns = now.wall_us * 1000;
	return code;
}

/* A writer lays space ahead and writes over it: neither size nor time says
 * that there is more. */
START_TEST(what_is_written_within_a_tick_over_space_ahead_is_seen)
{
	struct bat_disk still;
	struct bat_options options = { .read_only = true,
		.disk = &still,
		.clock = &now.clock };
	struct bat_error error = { .text = "" };
	struct bat_store *store = NULL;
	struct marks marks;
	unsigned count = 0;
	struct bat_buf ahead = BAT_BUF_EMPTY;

	still_base = memory_disk_door(disk);
	still = *still_base;
	still.stat_at = still_stat_at;
	still.stat_fd = still_stat_fd;
	make_segment(1, &marks, &count);
	ck_assert_int_eq(bat_bytes_reserve(&ahead, 100000), 0);
	memset(ahead.data, 0xff, 100000);
	ahead.length = 100000;
	put_whole("000001.fbat", &ahead);
	put("000001.fbat", &maker.file, 0, marks.list[0].size);
	ck_assert_int_eq(bat_open("/", &options, &store, &error), 0);
	assert_shows(store, marks.list[0].count, "opened", 0);
	(void)refresh(store);
	for (size_t i = 1; i < marks.count; i++) {
		put("000001.fbat", &maker.file, marks.list[i - 1].size,
		    marks.list[i].size);
		(void)refresh(store);
		assert_shows(store, marks.list[i].count, "written over", i);
	}
	/* And then it is sealed, and shorter. */
	put_whole("000001.fbat", &maker.file);
	cut("000001.fbat", maker.file.length);
	(void)refresh(store);
	assert_shows(store, count, "sealed", 0);
	ck_assert_uint_eq(head_of(store).generation, 1);
	stores_close(store);
	bat_bytes_free(&ahead);
}
END_TEST

START_TEST(a_segment_of_which_nothing_was_shown_may_go_and_come_back)
{
	struct bat_store *store;
	struct marks marks;
	unsigned count = 0;

	make_segment(1, &marks, &count);
	put_whole("000001.fbat", &maker.file);
	store = open_reader();
	make_segment(2, &marks, &count);
	put("000002.fbat", &maker.file, 0, 5);
	(void)refresh(store);
	assert_shows(store, 6, "five bytes", 5);
	unlink_it("000002.fbat");
	(void)refresh(store);
	put_whole("000002.fbat", &maker.file);
	(void)refresh(store);
	assert_shows(store, count, "back", 0);
	ck_assert_uint_eq(head_of(store).generation, 1);
	stores_close(store);
}
END_TEST

START_TEST(a_segment_that_nobody_sealed_is_read_to_its_end)
{
	struct bat_store *store;
	struct marks marks;
	unsigned count = 0;

	make_segment(1, &marks, &count);
	put("000001.fbat", &maker.file, 0, marks.list[0].size);
	store = open_reader();
	/* The rest, half a batch at its end, and a session after the crash, all
	 * between two looks. */
	put("000001.fbat", &maker.file, marks.list[0].size,
	    marks.list[3].size - 1);
	count = marks.list[2].count;
	make_segment(2, &marks, &count);
	put_whole("000002.fbat", &maker.file);
	ck_assert(refresh(store));
	assert_shows(store, count, "both", 0);
	ck_assert_uint_eq(head_of(store).generation, 1);
	stores_close(store);
}
END_TEST

START_TEST(a_look_is_made_every_tenth_of_a_second_and_not_more_often)
{
	struct bat_store *store;
	struct marks marks;
	unsigned count = 0;

	make_segment(1, &marks, &count);
	put("000001.fbat", &maker.file, 0, marks.list[0].size);
	store = open_reader();
	(void)refresh(store);
	put("000001.fbat", &maker.file, 0, marks.list[1].size);
	now.monotonic_ns += LOOK_NS - 100000;
	ck_assert(!bat_refresh(store));
	now.monotonic_ns += 100000;
	ck_assert(bat_refresh(store));
	assert_shows(store, marks.list[1].count, "later", 0);
	stores_close(store);
}
END_TEST

/* A writer of ours on the same disk, through rotations and a restart. */
START_TEST(a_writer_at_work_is_followed_event_by_event)
{
	const struct bat_options writes = { .disk = memory_disk_door(disk),
		.segment_max_bytes = 1500 };
	struct bat_store *reader = NULL, *writer;
	struct bat_error error;
	struct bat_buf wanted = BAT_BUF_EMPTY, got = BAT_BUF_EMPTY;

	for (unsigned session = 0; session < 3; session++) {
		ck_assert_int_eq(bat_open("/", &writes, &writer, &error), 0);
		for (unsigned i = 0; i < 12; i++) {
			stores_append(writer, i % 3 == 0 ? "a:b" : "c:d",
			    "\xa1x");
			if (reader == NULL)
				reader = open_reader();
			(void)refresh(reader);
			ck_assert_uint_eq(head_of(reader).visible_count,
			    head_of(writer).visible_count);
			ck_assert_uint_eq(head_of(reader).next_seq,
			    head_of(writer).next_seq);
		}
		stores_close(writer);
		(void)refresh(reader);
	}
	picture_of(reader, 0, &got);
	ck_assert_uint_eq(head_of(reader).generation, 1);
	stores_close(reader);
	reader = open_reader();
	picture_of(reader, 0, &wanted);
	stores_assert_same(&got, &wanted, "followed, and opened anew");
	stores_close(reader);
	bat_bytes_free(&got);
	bat_bytes_free(&wanted);
}
END_TEST

START_TEST(a_pin_of_what_grows_ends_where_something_whole_does)
{
	struct bat_store *store;
	struct bat_pin *first = NULL, *second = NULL;
	struct bat_error error;
	struct marks marks;
	unsigned count = 0;

	make_segment(1, &marks, &count);
	put("000001.fbat", &maker.file, 0, marks.list[0].size + 100);
	store = open_reader();
	ck_assert_int_eq(bat_take_pin(store, NULL, &first, &error), 0);
	ck_assert_uint_eq(first->count, 1);
	ck_assert_uint_eq(first->files[0].size, marks.list[0].size);
	put("000001.fbat", &maker.file, 0, marks.list[1].size + 100);
	ck_assert(refresh(store));
	ck_assert_int_eq(bat_take_pin(store, first, &second, &error), 0);
	ck_assert_uint_eq(second->files[0].size, marks.list[1].size);
	ck_assert_uint_eq(second->visible_count, 4);
	/* What was pinned before has not moved. */
	ck_assert_uint_eq(first->files[0].size, marks.list[0].size);
	bat_pin_release(first);
	bat_pin_release(second);
	/* Sealed: with its footer. */
	put_whole("000001.fbat", &maker.file);
	ck_assert(refresh(store));
	ck_assert_int_eq(bat_take_pin(store, NULL, &first, &error), 0);
	ck_assert_uint_eq(first->files[0].size, maker.file.length);
	bat_pin_release(first);
	stores_close(store);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("follower");
	TCase *tcase = tcase_create("core");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_store_that_grows_by_bytes_shows_what_is_whole);
	tcase_add_test(tcase,
	    whoever_comes_in_the_middle_of_a_write_goes_on_from_there);
	tcase_add_test(tcase, what_is_cut_off_goes_under_a_new_generation);
	tcase_add_test(tcase, what_is_written_over_is_seen);
	tcase_add_test(tcase,
	    what_is_written_within_a_tick_over_space_ahead_is_seen);
	tcase_add_test(tcase,
	    a_segment_of_which_nothing_was_shown_may_go_and_come_back);
	tcase_add_test(tcase, a_segment_that_nobody_sealed_is_read_to_its_end);
	tcase_add_test(tcase,
	    a_look_is_made_every_tenth_of_a_second_and_not_more_often);
	tcase_add_test(tcase, a_writer_at_work_is_followed_event_by_event);
	tcase_add_test(tcase,
	    a_pin_of_what_grows_ends_where_something_whole_does);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
