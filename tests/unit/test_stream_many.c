/* Streams of very many lines; several threads that read and measure at once. */
#include <pthread.h>

#include "../support/stream_view.h"
#include "suite.h"

START_TEST(tables_stay_within_their_memory)
{
	struct batfs_stream_key key = everything;
	struct bat_buf one = BAT_BUF_EMPTY;

	add("home", "alice", "hello");
	streams->table_bytes_max = 1 << 20;
	for (unsigned i = 0; i < 20000; i++) {
		key.to_seq = i + 1;
		size_of(&key);
		ck_assert_uint_le(streams->table_bytes, 1 << 20);
	}
	ck_assert_uint_lt(streams->table_count, 20000);
	ck_assert_uint_gt(streams->table_count, 1000);
	ck_assert_uint_eq(render_count, 1);
	/* The first one is gone, and answers as before. */
	key.to_seq = 1;
	ck_assert_uint_eq(size_of(&key), strlen("0 hello\n"));
	ck_assert_int_eq(batfs_stream_read(streams, &key, 2, 5, &one, NULL), 0);
	sample_assert_same(bat_bytes_of_buf(&one), bat_bytes_text("hello"),
	    "line");
	bat_bytes_free(&one);
}
END_TEST

START_TEST(lines_at_the_end_need_no_memory_for_those_before)
{
	struct batfs_stream_key end = everything;
	size_t chunks = 0;

	/* No line is rendered by two at once. */
	streams->two_processors = false;
	add_many(4 * BATFS_STREAM_LENGTHS);
	end.from_seq = store.events[store.count - 10].seq;
	assert_reads(&end, 100);
	for (size_t i = 0; i < streams->length_chunks; i++)
		chunks += streams->lengths[i] != NULL;
	ck_assert_uint_eq(chunks, 1);
	ck_assert_uint_eq(render_count, 10);
	/* What stands between is measured as ever, and nothing again. */
	ck_assert_uint_gt(size_of(&everything), 0);
	ck_assert_uint_eq(render_count, store.count);
	assert_reads(&everything, 4000);
}
END_TEST

/* wanted: what plain says; it must not be called by two threads. */
static void *
read_all(void *wanted)
{
	for (size_t piece = 500; piece < 5000; piece += 1500) {
		struct bat_buf got = read_in_pieces(&everything, piece);

		sample_assert_same(bat_bytes_of_buf(&got),
		    bat_bytes_of_buf(wanted), "stream");
		bat_bytes_free(&got);
	}
	return NULL;
}

static void *
size_all(void *unused)
{
	(void)unused;
	size_of(&everything);
	return NULL;
}

/* Few lines, and long ones. */
static void
add_long(unsigned count)
{
	static char text[3000];

	memset(text, 'y', sizeof(text));
	for (unsigned i = 0; i < count; i++)
		fake_add_at(&store, store.next_seq, "home", "alice",
		    bat_bytes_slice(text, 700 + i * 37 % 2300));
}

/* Long enough for two threads; what is appended meanwhile comes behind. */
START_TEST(a_long_read_is_the_same_by_two)
{
	static const size_t offsets[] = { 0, 1, 77, 300000, 699999 };
	struct bat_buf wanted;
	uint64_t size;

	add_long(500);
	wanted = plain(&everything);
	ck_assert_uint_gt(wanted.length, 800000);
	ck_assert_int_eq(batfs_stream_size(streams, &everything, &size, NULL),
	    0);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		struct bat_buf buf = BAT_BUF_EMPTY;
		size_t left = wanted.length - offsets[i];

		for (size_t ask = 262144; ask < 2000000; ask = ask * 2 + 7) {
			size_t some = ask < left ? ask : left;

			bat_bytes_clear(&buf);
			render_count = 0;
			ck_assert_int_eq(batfs_stream_read(streams, &everything,
					     offsets[i], ask, &buf, NULL),
			    0);
			ck_assert_uint_eq(buf.length, some);
			ck_assert_mem_eq(buf.data, wanted.data + offsets[i],
			    some);
			/* No line by both. */
			ck_assert_uint_le(render_count, store.count);
		}
		bat_bytes_free(&buf);
	}
	bat_bytes_free(&wanted);
}
END_TEST

/* An append between measuring and reading: both in one answer. */
START_TEST(a_long_read_goes_on_behind_what_was_measured)
{
	struct bat_buf wanted, buf = BAT_BUF_EMPTY;
	uint64_t size;

	add_long(400);
	ck_assert_int_eq(batfs_stream_size(streams, &everything, &size, NULL),
	    0);
	add_long(50);
	wanted = plain(&everything);
	ck_assert_int_eq(
	    batfs_stream_read(streams, &everything, 0, 2000000, &buf, NULL), 0);
	ck_assert_uint_eq(buf.length, wanted.length);
	ck_assert_mem_eq(buf.data, wanted.data, wanted.length);
	bat_bytes_free(&wanted);
	bat_bytes_free(&buf);
}
END_TEST

/* Long enough for a helper that goes ahead. */
#define VERY_MANY (3 * BATFS_STREAM_AHEAD_LINES + 77)

/* Whether a helper came in time or not. */
START_TEST(a_stream_of_very_many_lines_is_measured_as_it_is)
{
	struct batfs_stream_key home = { .list = { .kind = BAT_LIST_ENTITY,
					     .entity = 0 },
		.to_seq = UINT64_MAX };
	struct bat_buf wanted;

	add_many(VERY_MANY);
	home.list.entity = store.events[0].entity;
	wanted = plain(&everything);
	ck_assert_uint_eq(size_of(&everything), wanted.length);
	/* A line that both came to at once is rendered twice. */
	ck_assert_uint_ge(render_count, VERY_MANY);
	ck_assert_uint_lt(render_count, 2 * VERY_MANY);
	read_all(&wanted);
	bat_bytes_free(&wanted);
	wanted = plain(&home);
	ck_assert_uint_eq(size_of(&home), wanted.length);
	bat_bytes_free(&wanted);
}
END_TEST

static void
fail_late(struct bat_store *of, uint32_t ordinal)
{
	(void)of;
	if (ordinal >= 2 * BATFS_STREAM_AHEAD_LINES)
		__atomic_store_n(&render_code, BAT_WORLD_NO_MEMORY,
		    __ATOMIC_RELAXED);
}

START_TEST(a_failure_in_the_midst_of_very_many_is_told)
{
	struct bat_error error = { .code = 0 };
	struct bat_buf wanted;
	uint64_t size;

	add_many(VERY_MANY);
	wanted = plain(&everything);
	on_render = fail_late;
	ck_assert_int_eq(batfs_stream_size(streams, &everything, &size, &error),
	    BAT_WORLD_NO_MEMORY);
	on_render = NULL;
	render_code = 0;
	ck_assert_uint_eq(size_of(&everything), wanted.length);
	read_all(&wanted);
	bat_bytes_free(&wanted);
}
END_TEST

START_TEST(threads_measure_a_stream_together)
{
	pthread_t threads[4];
	struct bat_buf wanted;

	add_many(1000);
	wanted = plain(&everything);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, size_all, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(render_count, 1000);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, read_all, &wanted), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	bat_bytes_free(&wanted);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("stream_many");
	TCase *sizes = tcase_create("sizes");
	TCase *reads = tcase_create("reads");
	TCase *text = tcase_create("text");
	TCase *kept = tcase_create("kept");

	tcase_add_checked_fixture(sizes, setup, teardown);
	tcase_add_test(sizes, lines_at_the_end_need_no_memory_for_those_before);
	tcase_add_test(sizes, tables_stay_within_their_memory);
	tcase_set_timeout(sizes, 60);
	suite_add_tcase(suite, sizes);

	tcase_add_checked_fixture(reads, setup, teardown);
	tcase_add_test(reads, threads_measure_a_stream_together);
	tcase_add_test(reads, a_stream_of_very_many_lines_is_measured_as_it_is);
	tcase_add_test(reads, a_failure_in_the_midst_of_very_many_is_told);
	tcase_add_test(reads, a_long_read_is_the_same_by_two);
	tcase_add_test(reads, a_long_read_goes_on_behind_what_was_measured);
	tcase_set_timeout(reads, 60);
	suite_add_tcase(suite, reads);

	tcase_add_checked_fixture(text, setup_text, teardown);
	tcase_add_test(text, a_stream_of_very_many_lines_is_measured_as_it_is);
	tcase_add_test(text, a_failure_in_the_midst_of_very_many_is_told);
	tcase_set_timeout(text, 60);
	suite_add_tcase(suite, text);

	tcase_add_checked_fixture(kept, setup_kept, teardown);
	tcase_add_test(kept, threads_measure_a_stream_together);
	tcase_add_test(kept, a_stream_of_very_many_lines_is_measured_as_it_is);
	tcase_add_test(kept, a_failure_in_the_midst_of_very_many_is_told);
	tcase_add_test(kept, a_long_read_is_the_same_by_two);
	tcase_set_timeout(kept, 60);
	suite_add_tcase(suite, kept);
	return suite_run(suite);
}
