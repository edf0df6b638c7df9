/* Sizes and bytes of streams, whatever way they are read. */
#include "../support/stream_view.h"
#include "suite.h"

START_TEST(an_empty_stream_has_no_bytes)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_uint_eq(size_of(&everything), 0);
	ck_assert_int_eq(
	    batfs_stream_read(streams, &everything, 0, 100, &buf, NULL), 0);
	ck_assert_int_eq(
	    batfs_stream_read(streams, &everything, 7, 100, &buf, NULL), 0);
	ck_assert_uint_eq(buf.length, 0);
}
END_TEST

START_TEST(size_is_the_sum_of_the_lines_of_each_list)
{
	struct batfs_stream_key key = everything;
	struct bat_buf wanted;

	add_many(500);
	for (int kind = 0; kind < 3; kind++)
		for (uint32_t entity = 0; entity < 5; entity++)
			for (uint32_t scope = 0; scope < 5; scope++) {
				key.list = (struct bat_list){
					.kind = (enum bat_list_kind)kind,
					.entity = entity,
					.scope = scope,
				};
				wanted = plain(&key);
				ck_assert_uint_eq(size_of(&key), wanted.length);
				bat_bytes_free(&wanted);
			}
}
END_TEST

/* Few lines whose lengths are known are added up without a table; one line
 * more each time, of which nobody has asked before. */
START_TEST(a_short_stream_is_as_long_as_its_lines_known_or_not)
{
	struct batfs_stream_key key = everything;

	add("home", "alice", "x");
	add("home", "bob", "some more");
	for (unsigned count = 1; count < 40; count++) {
		for (key.list.kind = BAT_LIST_ENTITY;
		     key.list.kind <= BAT_LIST_MEMBER; key.list.kind++) {
			struct bat_buf wanted;

			key.list.entity = fake_name(&store, "alice");
			key.list.scope = fake_name(&store, "home");
			wanted = plain(&key);
			ck_assert_uint_eq(size_of(&key), wanted.length);
			render_count = 0;
			ck_assert_uint_eq(size_of(&key), wanted.length);
			ck_assert_uint_eq(render_count, 0);
			bat_bytes_free(&wanted);
		}
		add(count % 2 ? "home" : "away", "alice", "\x92\x01\x02");
	}
}
END_TEST

START_TEST(a_range_has_the_sequences_from_the_first_up_to_before_the_last)
{
	static const uint64_t bounds[] = { 0, 1, 3, 64, 100, 101, 400, 100000,
		UINT64_MAX };
	const size_t count = sizeof(bounds) / sizeof(bounds[0]);
	struct batfs_stream_key key = everything;
	struct bat_buf wanted;

	add_many(300);
	for (size_t i = 0; i < count; i++)
		for (size_t j = i; j < count; j++) {
			key.from_seq = bounds[i];
			key.to_seq = bounds[j];
			wanted = plain(&key);
			ck_assert_uint_eq(size_of(&key), wanted.length);
			bat_bytes_free(&wanted);
			assert_reads(&key, 1000);
		}
}
END_TEST

START_TEST(bytes_at_any_offset_are_those_of_the_whole)
{
	static const size_t sizes[] = { 1, 2, 63, 64, 200, 5000 };
	struct bat_buf wanted, got = BAT_BUF_EMPTY;

	add_many(200);
	wanted = plain(&everything);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t at = 0; at <= wanted.length + 3; at += 71) {
			size_t left = at < wanted.length ? wanted.length - at :
							   0;

			bat_bytes_clear(&got);
			ck_assert_int_eq(batfs_stream_read(streams, &everything,
					     at, sizes[i], &got, NULL),
			    0);
			sample_assert_same(bat_bytes_of_buf(&got),
			    bat_bytes_slice(left ? wanted.data + at : NULL,
				left < sizes[i] ? left : sizes[i]),
			    "piece");
		}
	bat_bytes_free(&got);
	bat_bytes_free(&wanted);
}
END_TEST

START_TEST(a_read_far_inside_needs_no_size_before)
{
	struct bat_buf wanted, got = BAT_BUF_EMPTY;

	add_many(500);
	wanted = plain(&everything);
	ck_assert_int_eq(batfs_stream_read(streams, &everything,
			     wanted.length - 50, SIZE_MAX, &got, NULL),
	    0);
	sample_assert_same(bat_bytes_of_buf(&got),
	    bat_bytes_slice(wanted.data + wanted.length - 50, 50), "end");
	bat_bytes_free(&got);
	bat_bytes_free(&wanted);
}
END_TEST

START_TEST(sizing_renders_a_line_once_whatever_the_streams)
{
	struct batfs_stream_key key = everything;
	uint32_t length;

	add_many(500);
	size_of(&everything);
	ck_assert_uint_eq(render_count, 500);
	for (uint32_t entity = 0; entity < 5; entity++) {
		key.list = (struct bat_list){ .kind = BAT_LIST_ENTITY,
			.entity = entity };
		size_of(&key);
	}
	size_of(&everything);
	ck_assert_int_eq(batfs_stream_line_length(streams, 17, &length, NULL),
	    0);
	ck_assert_uint_eq(render_count, 500);
}
END_TEST

START_TEST(reading_through_renders_a_line_once_sized_before_or_not)
{
	static const size_t pieces[] = { 61, 4096, 100000, 1 << 20 };
	struct bat_buf buf;

	add_many(1000);
	for (size_t i = 0; i < 2 * sizeof(pieces) / sizeof(pieces[0]); i++) {
		batfs_stream_free(streams);
		setup();
		if (i % 2 == 0)
			size_of(&everything);
		render_count = 0;
		buf = read_in_pieces(&everything, pieces[i / 2]);
		bat_bytes_free(&buf);
		ck_assert_uint_eq(render_count, 1000);
	}
}
END_TEST

START_TEST(a_long_line_is_rendered_once_for_all_its_pieces)
{
	char *text = malloc(1 << 20);

	ck_assert_ptr_nonnull(text);
	memset(text, 'y', 1 << 20);
	text[(1 << 20) - 1] = '\0';
	for (int i = 0; i < 3; i++)
		add("home", "alice", text);
	free(text);
	size_of(&everything);
	assert_reads(&everything, 4096);
	ck_assert_uint_eq(render_count, 6);
}
END_TEST

START_TEST(line_length_is_that_of_the_line)
{
	uint32_t length = 0;

	add("home", "alice", "hello");
	ck_assert_int_eq(batfs_stream_line_length(streams, 0, &length, NULL),
	    0);
	ck_assert_uint_eq(length, strlen("0 hello\n"));
	ck_assert_uint_eq(size_of(&everything), length);
	ck_assert_uint_eq(render_count, 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("stream");
	TCase *sizes = tcase_create("sizes");
	TCase *reads = tcase_create("reads");
	TCase *text = tcase_create("text");
	TCase *kept = tcase_create("kept");

	tcase_add_checked_fixture(sizes, setup, teardown);
	tcase_add_test(sizes, an_empty_stream_has_no_bytes);
	tcase_add_test(sizes, size_is_the_sum_of_the_lines_of_each_list);
	tcase_add_test(sizes,
	    a_range_has_the_sequences_from_the_first_up_to_before_the_last);
	tcase_add_test(sizes, sizing_renders_a_line_once_whatever_the_streams);
	tcase_add_test(sizes, line_length_is_that_of_the_line);
	tcase_set_timeout(sizes, 60);
	suite_add_tcase(suite, sizes);

	tcase_add_checked_fixture(reads, setup, teardown);
	tcase_add_test(reads, bytes_at_any_offset_are_those_of_the_whole);
	tcase_add_test(reads, a_read_far_inside_needs_no_size_before);
	tcase_add_test(reads,
	    reading_through_renders_a_line_once_sized_before_or_not);
	tcase_add_test(reads, a_long_line_is_rendered_once_for_all_its_pieces);
	tcase_set_timeout(reads, 60);
	suite_add_tcase(suite, reads);

	tcase_add_checked_fixture(text, setup_text, teardown);
	tcase_add_test(text, bytes_at_any_offset_are_those_of_the_whole);
	tcase_add_test(text, sizing_renders_a_line_once_whatever_the_streams);
	tcase_set_timeout(text, 60);
	suite_add_tcase(suite, text);

	tcase_add_checked_fixture(kept, setup_kept, teardown);
	tcase_add_test(kept, size_is_the_sum_of_the_lines_of_each_list);
	tcase_add_test(kept,
	    a_short_stream_is_as_long_as_its_lines_known_or_not);
	tcase_add_test(kept, sizing_renders_a_line_once_whatever_the_streams);
	tcase_add_test(kept, bytes_at_any_offset_are_those_of_the_whole);
	tcase_add_test(kept,
	    reading_through_renders_a_line_once_sized_before_or_not);
	tcase_set_timeout(kept, 60);
	suite_add_tcase(suite, kept);
	return suite_run(suite);
}
