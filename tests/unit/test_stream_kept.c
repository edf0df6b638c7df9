/* Lengths that the store kept from an earlier mount. */
#include "../support/stream_view.h"
#include "suite.h"

START_TEST(what_was_measured_before_costs_no_rendering_in_another_mount)
{
	add_many(300);
	size_of(&everything);
	batfs_stream_free(streams);
	setup_kept();
	ck_assert_uint_gt(size_of(&everything), 0);
	ck_assert_uint_eq(render_count, 0);
	assert_reads(&everything, 100);
}
END_TEST

/* Lines of every place in a block, too short and too long; whatever is asked
 * first. No byte is handed out that is not that of the right line. */
START_TEST(a_wrong_one_cuts_and_pads_nothing)
{
	static const unsigned places[] = { 0, 1, 63, 64, 150, 299 };
	unsigned place = places[_i / 2];
	struct bat_buf wanted, buf = BAT_BUF_EMPTY;
	struct bat_error error;
	uint64_t before;
	int code;

	add_many(300);
	wanted = plain(&everything);
	size_of(&everything);
	if (_i % 2 == 0)
		store.events[place].length += 7;
	else
		store.events[place].length = 1;
	batfs_stream_free(streams);
	setup_kept();
	before = store.generation;
	/* Who reads on from what was told is told to ask again. */
	do {
		size_t had = buf.length;

		code = batfs_stream_read(streams, &everything, buf.length, 100,
		    &buf, &error);
		if (code == 0 && buf.length == had)
			break;
	} while (code == 0);
	ck_assert_int_eq(code, BAT_DATA_DISAGREES);
	ck_assert_uint_eq(store.generation, before + 1);
	ck_assert_uint_le(buf.length, wanted.length);
	ck_assert_mem_eq(buf.data, wanted.data, buf.length);
	ck_assert_uint_eq(size_of(&everything), wanted.length);
	assert_reads(&everything, 100);
	bat_bytes_free(&buf);
	bat_bytes_free(&wanted);
}
END_TEST

START_TEST(a_line_alone_is_held_against_its_length_too)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_error error;
	uint32_t length;

	add("home", "alice", "hello");
	ck_assert_int_eq(batfs_stream_line_length(streams, 0, &length, &error),
	    0);
	store.events[0].length = 3;
	ck_assert_int_eq(batfs_stream_line(streams, 0, &buf, &error),
	    BAT_DATA_DISAGREES);
	ck_assert_uint_eq(buf.length, 0);
	ck_assert_int_eq(batfs_stream_line(streams, 0, &buf, &error), 0);
	ck_assert_uint_eq(buf.length, length);
	bat_bytes_free(&buf);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("stream_kept");
	TCase *kept = tcase_create("kept");

	tcase_add_checked_fixture(kept, setup_kept, teardown);
	tcase_add_test(kept,
	    what_was_measured_before_costs_no_rendering_in_another_mount);
	tcase_add_loop_test(kept, a_wrong_one_cuts_and_pads_nothing, 0, 12);
	tcase_add_test(kept, a_line_alone_is_held_against_its_length_too);
	tcase_set_timeout(kept, 60);
	suite_add_tcase(suite, kept);
	return suite_run(suite);
}
