/* Text that was rendered a moment ago is not rendered again (stream_text.h). */
#include <pthread.h>

#include "../support/stream_view.h"
#include "suite.h"

START_TEST(what_was_measured_is_not_rendered_again_to_be_read)
{
	add_many(300);
	size_of(&everything);
	render_count = 0;
	assert_reads(&everything, 1000);
	assert_reads(&everything, 100000);
	/* But for the last lines, which are no whole block. */
	ck_assert_uint_eq(render_count, 2 * (300 % BATFS_STREAM_BLOCK_LINES));
}
END_TEST

/* Its lengths may be those of another mount. */
START_TEST(what_was_read_whole_is_not_rendered_again)
{
	add_many(300);
	size_of(&everything);
	pthread_mutex_lock(&streams->mutex);
	batfs_stream_drop_text(streams);
	pthread_mutex_unlock(&streams->mutex);
	assert_reads(&everything, 100000);
	render_count = 0;
	assert_reads(&everything, 777);
	ck_assert_uint_eq(render_count, 300 % BATFS_STREAM_BLOCK_LINES);
}
END_TEST

START_TEST(a_stream_that_does_not_fit_keeps_its_beginning)
{
	add_many(1000);
	ck_assert_uint_gt(size_of(&everything), TEXT_BYTES);
	ck_assert_uint_le(streams->text.used, TEXT_BYTES);
	ck_assert_uint_gt(streams->text.used, TEXT_BYTES / 2);
	render_count = 0;
	assert_reads(&everything, 100000);
	ck_assert_uint_lt(render_count, 700);
	ck_assert_uint_gt(render_count, 300);
}
END_TEST

START_TEST(the_next_stream_displaces_the_one_before)
{
	struct batfs_stream_key key = everything;

	add_many(1000);
	size_of(&everything);
	key.from_seq = store.events[500].seq;
	size_of(&key);
	/* Its lengths were known. */
	assert_reads(&key, 1000000);
	ck_assert_uint_le(streams->text.used, TEXT_BYTES);
	assert_reads(&everything, 1000000);
	assert_reads(&key, 1000);
}
END_TEST

/* It may be whole the next time that somebody looks. */
START_TEST(of_a_damaged_event_no_text_is_kept)
{
	add_many(300);
	store.events[70].damaged = true;
	size_of(&everything);
	assert_reads(&everything, 100000);
	store.events[70].damaged = false;
	assert_reads(&everything, 100000);
}
END_TEST

START_TEST(a_new_generation_leaves_no_text)
{
	add_many(300);
	size_of(&everything);
	store.events[70].payload.length /= 2;
	store.generation++;
	size_of(&everything);
	assert_reads(&everything, 100000);
}
END_TEST

START_TEST(text_of_no_use_is_given_up_and_kept_again_later)
{
	add_many(300);
	for (int i = 0; i < 2; i++) {
		size_of(&everything);
		assert_reads(&everything, 100000);
		pthread_mutex_lock(&streams->mutex);
		ck_assert_ptr_nonnull(streams->text.bytes);
		streams->text.hurry = true;
		pthread_cond_broadcast(&streams->text.wake);
		pthread_mutex_unlock(&streams->mutex);
		pthread_join(streams->text.thread, NULL);
		ck_assert_ptr_null(streams->text.bytes);
		streams->text.has_thread = false;
		streams->text.hurry = false;
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("stream_text");
	TCase *text = tcase_create("text");

	tcase_add_checked_fixture(text, setup_text, teardown);
	tcase_add_test(text,
	    what_was_measured_is_not_rendered_again_to_be_read);
	tcase_add_test(text, what_was_read_whole_is_not_rendered_again);
	tcase_add_test(text, a_stream_that_does_not_fit_keeps_its_beginning);
	tcase_add_test(text, the_next_stream_displaces_the_one_before);
	tcase_add_test(text, of_a_damaged_event_no_text_is_kept);
	tcase_add_test(text, a_new_generation_leaves_no_text);
	tcase_add_test(text, text_of_no_use_is_given_up_and_kept_again_later);
	tcase_set_timeout(text, 60);
	suite_add_tcase(suite, text);
	return suite_run(suite);
}
