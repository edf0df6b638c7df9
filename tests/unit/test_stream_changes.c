/* A stream whose lines become more, other, or cannot be read meanwhile. */
#include "../support/stream_view.h"
#include "suite.h"

START_TEST(a_stream_grows_behind_what_was_read)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	uint64_t size;

	for (int i = 0; i < 200; i++) {
		add("home", "alice", "moved");
		size = size_of(&everything);
		add("home", "alice", "again");
		bat_bytes_clear(&buf);
		ck_assert_int_eq(batfs_stream_read(streams, &everything, size,
				     100, &buf, NULL),
		    0);
		ck_assert_uint_eq(buf.length, size_of(&everything) - size);
		ck_assert_msg(memmem(buf.data, buf.length, " again\n", 7),
		    "the new line is not there");
	}
	assert_reads(&everything, 333);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(a_new_generation_forgets_everything)
{
	add_many(300);
	assert_reads(&everything, 700);
	store.events[5].hidden = true;
	store.events[200].hidden = true;
	store.generation++;
	assert_reads(&everything, 700);
	assert_reads(&everything, 4096);
}
END_TEST

static void
hide_one_in_a_new_generation(struct bat_store *in, uint32_t ordinal)
{
	if (ordinal != 150 || in->events[3].hidden)
		return;
	in->events[3].hidden = true;
	in->generation++;
}

START_TEST(a_generation_that_changes_meanwhile_is_for_the_caller)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	uint64_t size = 77;

	add_many(300);
	on_render = hide_one_in_a_new_generation;
	ck_assert_int_eq(bat_bytes_append_text(&buf, "before"), 0);
	ck_assert_int_eq(batfs_stream_read(streams, &everything, 0, SIZE_MAX,
			     &buf, NULL),
	    BAT_DATA_DISAGREES);
	ck_assert_uint_eq(buf.length, 6);
	store.events[3].hidden = false;
	store.generation++;
	ck_assert_int_eq(batfs_stream_size(streams, &everything, &size, NULL),
	    BAT_DATA_DISAGREES);
	ck_assert_uint_eq(size, 77);
	assert_reads(&everything, 1000);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(a_line_that_changed_its_length_is_measured_anew)
{
	struct batfs_stream_key alice = everything;

	add_many(300);
	alice.list = (struct bat_list){ .kind = BAT_LIST_ENTITY,
		.entity = store.events[150].entity };
	size_of(&everything);
	size_of(&alice);
	store.events[150].damaged = true;
	assert_reads(&everything, 100);
	assert_reads(&alice, 1 << 20);
	store.events[150].damaged = false;
	assert_reads(&alice, 100);
	assert_reads(&everything, 100);
}
END_TEST

static void
flip(struct bat_store *in, uint32_t ordinal)
{
	in->events[ordinal].damaged = !in->events[ordinal].damaged;
}

START_TEST(a_line_that_never_holds_still_is_an_error_not_a_loop)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_error error;

	add("home", "alice", "hello");
	size_of(&everything);
	on_render = flip;
	ck_assert_int_eq(batfs_stream_read(streams, &everything, 0, 100, &buf,
			     &error),
	    BAT_DATA_DISAGREES);
	ck_assert_uint_eq(buf.length, 0);
	ck_assert_uint_lt(render_count, 100);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(a_failed_read_changes_nothing_and_can_be_repeated)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_error error;
	uint64_t size;

	add_many(100);
	render_code = BAT_WORLD_IO;
	ck_assert_int_eq(batfs_stream_read(streams, &everything, 0, SIZE_MAX,
			     &buf, &error),
	    BAT_WORLD_IO);
	ck_assert_str_eq(error.text, "as ordered");
	ck_assert_uint_eq(buf.length, 0);
	ck_assert_int_eq(batfs_stream_size(streams, &everything, &size, &error),
	    BAT_WORLD_IO);
	render_code = 0;
	assert_reads(&everything, 100);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("stream_changes");
	TCase *changes = tcase_create("changes");
	TCase *text = tcase_create("text");
	TCase *kept = tcase_create("kept");

	tcase_add_checked_fixture(changes, setup, teardown);
	tcase_add_test(changes, a_stream_grows_behind_what_was_read);
	tcase_add_test(changes, a_new_generation_forgets_everything);
	tcase_add_test(changes,
	    a_generation_that_changes_meanwhile_is_for_the_caller);
	tcase_add_test(changes,
	    a_line_that_changed_its_length_is_measured_anew);
	tcase_add_test(changes,
	    a_line_that_never_holds_still_is_an_error_not_a_loop);
	tcase_add_test(changes,
	    a_failed_read_changes_nothing_and_can_be_repeated);
	suite_add_tcase(suite, changes);

	tcase_add_checked_fixture(text, setup_text, teardown);
	tcase_add_test(text, a_stream_grows_behind_what_was_read);
	tcase_add_test(text, a_new_generation_forgets_everything);
	tcase_add_test(text,
	    a_generation_that_changes_meanwhile_is_for_the_caller);
	tcase_set_timeout(text, 60);
	suite_add_tcase(suite, text);

	tcase_add_checked_fixture(kept, setup_kept, teardown);
	tcase_add_test(kept, a_stream_grows_behind_what_was_read);
	tcase_add_test(kept, a_new_generation_forgets_everything);
	tcase_set_timeout(kept, 60);
	suite_add_tcase(suite, kept);
	return suite_run(suite);
}
