#include "answers.h"

#include <stdlib.h>

#include "stores.h"

#include "sample.h"
#include "suite.h"

static struct temp_dir dir;
static struct bat_store *store;
static struct batfs_answers answers;

static void
setup(void)
{
	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	batfs_answers_init(&answers);
}

static void
teardown(void)
{
	batfs_answers_free(&answers);
	stores_close(store);
	temp_dir_remove(&dir);
}

static struct bat_receipt
append(void)
{
	return stores_append(store, "al", "\x01");
}

/* What reading so many bytes gives. */
static void
assert_reads(size_t size, const char *wanted)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(batfs_answers_read(&answers, store, size, &buf, NULL),
	    0);
	sample_assert_same(bat_bytes_of_buf(&buf), bat_bytes_text(wanted),
	    "receipts");
	bat_bytes_free(&buf);
}

START_TEST(nothing_waits_at_first)
{
	assert_reads(100, "");
}
END_TEST

START_TEST(each_receipt_is_read_once_in_order_and_in_pieces)
{
	struct bat_buf whole = BAT_BUF_EMPTY;
	size_t before, lines = 0;

	for (unsigned i = 0; i < 40; i++) {
		struct bat_receipt receipt = append();

		batfs_answers_keep(&answers, &receipt, 1);
		if (i % 3 == 0)
			ck_assert_int_eq(batfs_answers_read(&answers, store, 7,
					     &whole, NULL),
			    0);
	}
	do {
		before = whole.length;
		ck_assert_int_eq(
		    batfs_answers_read(&answers, store, 1000, &whole, NULL), 0);
		ck_assert_uint_le(whole.length - before, 1000);
	} while (whole.length > before);
	for (size_t i = 0; i < whole.length; i++) {
		char start[32];

		if (i > 0 && whole.data[i - 1] != '\n')
			continue;
		/* OPEN is sequence 0. */
		snprintf(start, sizeof(start), "{\"seq\":%zu,\"id\":\"",
		    ++lines);
		ck_assert(memcmp(whole.data + i, start, strlen(start)) == 0);
	}
	ck_assert_uint_eq(lines, 40);
	bat_bytes_free(&whole);
}
END_TEST

START_TEST(of_too_many_the_oldest_go)
{
	struct bat_receipt *many = calloc(1 << 20, sizeof(*many));
	struct bat_receipt last = append();
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_ptr_nonnull(many);
	batfs_answers_keep(&answers, many, 3);
	for (size_t i = 0; i < 1 << 20; i++)
		many[i] = last;
	batfs_answers_keep(&answers, many, 1 << 20);
	ck_assert_uint_eq(answers.count, 1 << 20);
	ck_assert_int_eq(batfs_answers_read(&answers, store, 10, &buf, NULL),
	    0);
	ck_assert_int_eq(memcmp(buf.data, "{\"seq\":1,\"", 10), 0);
	bat_bytes_free(&buf);
	free(many);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("answers");
	TCase *tests = tcase_create("answers");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, nothing_waits_at_first);
	tcase_add_test(tests, each_receipt_is_read_once_in_order_and_in_pieces);
	tcase_add_test(tests, of_too_many_the_oldest_go);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
