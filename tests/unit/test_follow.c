#include "follow.h"

#include <stdlib.h>

#include "stores.h"

#include "render.h"
#include "sample.h"
#include "suite.h"

static struct temp_dir dir;
static struct bat_store *store;
static struct batfs_follow *follow;

static void
setup(void)
{
	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	follow = NULL;
}

static void
teardown(void)
{
	batfs_follow_free(follow);
	stores_close(store);
	temp_dir_remove(&dir);
}

static void
open_follow(uint64_t from, const char *entity)
{
	ck_assert_int_eq(
	    batfs_follow_new(store, from, bat_bytes_text(entity), &follow), 0);
}

/* Its line, as everywhere. */
static void
line_of(uint64_t seq, struct bat_buf *buf)
{
	struct bat_reading reading = BAT_READING_EMPTY;

	ck_assert_int_eq(batfs_render_event(store, bat_find_seq(store, seq),
			     &reading, buf, NULL),
	    0);
	bat_reading_free(&reading);
}

static void
assert_takes(size_t size, const struct bat_buf *wanted)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert(batfs_follow_is_ready(follow));
	while (batfs_follow_take(follow, size, &buf, NULL) == 0)
		;
	sample_assert_same(bat_bytes_of_buf(&buf), bat_bytes_of_buf(wanted),
	    "lines");
	bat_bytes_free(&buf);
}

static void
assert_nothing(void)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert(!batfs_follow_is_ready(follow));
	ck_assert_int_eq(batfs_follow_take(follow, 100, &buf, NULL), BAT_END);
	ck_assert_uint_eq(buf.length, 0);
}

START_TEST(lines_come_once_and_in_order)
{
	struct bat_buf wanted = BAT_BUF_EMPTY;

	open_follow(0, "");
	assert_nothing();
	stores_append(store, "al", "\x01");
	line_of(0, &wanted); /* OPEN */
	line_of(1, &wanted);
	assert_takes(1 << 20, &wanted);
	assert_nothing();
	bat_bytes_clear(&wanted);
	stores_append(store, "al", "\x02");
	stores_append(store, "bo", "\x03");
	line_of(2, &wanted);
	line_of(3, &wanted);
	assert_takes(1 << 20, &wanted);
	assert_nothing();
	bat_bytes_free(&wanted);
}
END_TEST

START_TEST(a_line_may_be_taken_in_pieces)
{
	struct bat_buf wanted = BAT_BUF_EMPTY, piece = BAT_BUF_EMPTY;

	open_follow(0, "");
	for (unsigned i = 0; i < 5; i++)
		stores_append(store, "al", "\x01");
	for (uint64_t seq = 0; seq < 6; seq++)
		line_of(seq, &wanted);
	ck_assert_int_eq(batfs_follow_take(follow, 7, &piece, NULL), 0);
	ck_assert_uint_eq(piece.length, 7);
	ck_assert(memcmp(piece.data, wanted.data, 7) == 0);
	memmove(wanted.data, wanted.data + 7, wanted.length -= 7);
	assert_takes(100, &wanted);
	assert_nothing();
	bat_bytes_free(&wanted);
	bat_bytes_free(&piece);
}
END_TEST

START_TEST(one_may_begin_in_the_middle_or_ahead)
{
	struct bat_buf wanted = BAT_BUF_EMPTY;

	for (unsigned i = 0; i < 5; i++)
		stores_append(store, "al", "\x01");
	open_follow(4, "");
	line_of(4, &wanted);
	line_of(5, &wanted);
	assert_takes(1000, &wanted);
	batfs_follow_free(follow);
	open_follow(8, "");
	assert_nothing();
	stores_append(store, "al", "\x06");
	stores_append(store, "al", "\x07");
	assert_nothing();
	stores_append(store, "al", "\x08");
	bat_bytes_clear(&wanted);
	line_of(8, &wanted);
	assert_takes(1000, &wanted);
	bat_bytes_free(&wanted);
}
END_TEST

START_TEST(only_those_of_an_entity)
{
	struct bat_buf wanted = BAT_BUF_EMPTY;

	stores_append(store, "al", "\x01");
	open_follow(0, "bo");
	assert_nothing();
	stores_append(store, "bo", "\x02");
	stores_append(store, "bob", "\x03");
	stores_append(store, "bo", "\x04");
	line_of(2, &wanted);
	line_of(4, &wanted);
	assert_takes(50, &wanted);
	assert_nothing();
	bat_bytes_free(&wanted);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("follow");
	TCase *tests = tcase_create("follow");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, lines_come_once_and_in_order);
	tcase_add_test(tests, a_line_may_be_taken_in_pieces);
	tcase_add_test(tests, one_may_begin_in_the_middle_or_ahead);
	tcase_add_test(tests, only_those_of_an_entity);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
