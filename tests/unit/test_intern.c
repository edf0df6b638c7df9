#include "intern.h"

#include "sample.h"
#include "suite.h"

static struct bat_slice
name_of(size_t i, char text[32])
{
	snprintf(text, 32, "entity:%zu", i);
	return bat_bytes_text(text);
}

START_TEST(equal_strings_have_one_number_in_first_seen_order)
{
	struct bat_intern table;
	uint32_t number;

	bat_intern_init(&table);
	ck_assert_int_eq(bat_intern_put(&table, bat_bytes_text("a"), &number),
	    0);
	ck_assert_uint_eq(number, 0);
	ck_assert_int_eq(bat_intern_put(&table, BAT_SLICE_EMPTY, &number), 0);
	ck_assert_uint_eq(number, 1);
	ck_assert_int_eq(bat_intern_put(&table, bat_bytes_text("a"), &number),
	    0);
	ck_assert_uint_eq(number, 0);
	ck_assert_int_eq(bat_intern_put(&table, bat_bytes_text("ab"), &number),
	    0);
	ck_assert_uint_eq(number, 2);
	ck_assert_uint_eq(table.count, 3);
	bat_intern_free(&table);
	ck_assert_uint_eq(table.count, 0);
}
END_TEST

START_TEST(what_was_never_put_is_not_found)
{
	struct bat_intern table;
	uint32_t number;

	bat_intern_init(&table);
	ck_assert_uint_eq(bat_intern_find(&table, bat_bytes_text("a")),
	    BAT_INTERN_NONE);
	ck_assert_int_eq(bat_intern_put(&table, bat_bytes_text("b"), &number),
	    0);
	ck_assert_uint_eq(bat_intern_find(&table, bat_bytes_text("a")),
	    BAT_INTERN_NONE);
	ck_assert_uint_eq(bat_intern_find(&table, bat_bytes_text("b")), number);
	bat_intern_free(&table);
}
END_TEST

START_TEST(strings_stay_where_they_are_while_the_table_grows)
{
	const size_t count = 20000;
	struct bat_intern table;
	struct bat_slice first;
	uint32_t number;
	char text[32];

	bat_intern_init(&table);
	ck_assert_int_eq(bat_intern_put(&table, name_of(0, text), &number), 0);
	first = bat_intern_get(&table, 0);
	for (size_t i = 1; i < count; i++) {
		ck_assert_int_eq(
		    bat_intern_put(&table, name_of(i, text), &number), 0);
		ck_assert_uint_eq(number, i);
	}
	ck_assert_ptr_eq(first.data, bat_intern_get(&table, 0).data);
	for (size_t i = 0; i < count; i++) {
		struct bat_slice wanted = name_of(i, text);
		struct bat_slice got = bat_intern_get(&table, (uint32_t)i);

		ck_assert(bat_bytes_equal(got, wanted));
		ck_assert_uint_eq(bat_intern_find(&table, wanted), i);
	}
	bat_intern_free(&table);
}
END_TEST

START_TEST(a_string_longer_than_a_chunk_is_kept_whole)
{
	const size_t length = 100000;
	struct bat_intern table;
	uint8_t *text = malloc(length);
	uint32_t number;

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', length);
	bat_intern_init(&table);
	ck_assert_int_eq(bat_intern_put(&table, bat_bytes_text("a"), &number),
	    0);
	ck_assert_int_eq(
	    bat_intern_put(&table, bat_bytes_slice(text, length), &number), 0);
	ck_assert_int_eq(bat_intern_put(&table, bat_bytes_text("b"), &number),
	    0);
	ck_assert(bat_bytes_equal(bat_intern_get(&table, 1),
	    bat_bytes_slice(text, length)));
	ck_assert(
	    bat_bytes_equal(bat_intern_get(&table, 0), bat_bytes_text("a")));
	bat_intern_free(&table);
	free(text);
}
END_TEST

/* ---- late strings -------------------------------------------------------- */

/* A source of the ten digits as words, four at a time; counts what it did. */
struct digits {
	struct bat_intern *table;
	unsigned fetches, finds;
	bool broken;
};

static const char *const words[] = { "zero", "one", "", "three", "four", "five",
	"six", "seven", "eight", "nine" };

static void
fetch_words(void *context, uint32_t number)
{
	struct digits *digits = context;
	uint32_t first = number / 4 * 4, ends[4], length = 0;
	size_t count = first + 4 <= 10 ? 4 : 10 - first;
	char text[64];

	digits->fetches++;
	if (digits->broken) {
		bat_intern_fill_empty(digits->table, first, count);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		strcpy(text + length, words[first + i]);
		length += (uint32_t)strlen(words[first + i]);
		ends[i] = length;
	}
	ck_assert_int_eq(bat_intern_fill(digits->table, first, count, ends,
			     (const uint8_t *)text),
	    0);
}

static uint32_t
find_word(void *context, struct bat_slice text)
{
	struct digits *digits = context;

	digits->finds++;
	for (uint32_t i = 0; i < 10; i++)
		if (bat_bytes_equal(text, bat_bytes_text(words[i])))
			return i;
	return BAT_INTERN_NONE;
}

START_TEST(late_strings_come_when_they_are_asked_for)
{
	struct bat_intern table;
	struct digits digits = { .table = &table };
	const struct bat_intern_source source = { &digits, fetch_words,
		find_word };
	struct bat_slice five;
	uint32_t number;

	bat_intern_init(&table);
	ck_assert_int_eq(bat_intern_start_late(&table, 10, &source), 0);
	ck_assert_uint_eq(table.count, 10);
	ck_assert_uint_eq(digits.fetches, 0);
	five = bat_intern_get(&table, 5);
	ck_assert(bat_bytes_equal(five, bat_bytes_text("five")));
	for (uint32_t i = 0; i < 10; i++)
		ck_assert(bat_bytes_equal(bat_intern_get(&table, i),
		    bat_bytes_text(words[i])));
	ck_assert_uint_eq(digits.fetches, 3);
	/* A known one keeps its number, a new one stands behind them. */
	ck_assert_int_eq(
	    bat_intern_put(&table, bat_bytes_text("nine"), &number), 0);
	ck_assert_uint_eq(number, 9);
	for (unsigned round = 0; round < 2; round++) {
		ck_assert_int_eq(
		    bat_intern_put(&table, bat_bytes_text("ten"), &number), 0);
		ck_assert_uint_eq(number, 10);
	}
	ck_assert_uint_eq(digits.finds, 2);
	ck_assert_uint_eq(bat_intern_find(&table, bat_bytes_text("ten")), 10);
	ck_assert_uint_eq(bat_intern_find(&table, bat_bytes_text("no")),
	    BAT_INTERN_NONE);
	ck_assert_ptr_eq(five.data, bat_intern_get(&table, 5).data);
	bat_intern_free(&table);
}
END_TEST

START_TEST(late_strings_that_cannot_be_had_are_empty)
{
	struct bat_intern table;
	struct digits digits = { .table = &table, .broken = true };
	const struct bat_intern_source source = { &digits, fetch_words,
		find_word };

	bat_intern_init(&table);
	ck_assert_int_eq(bat_intern_start_late(&table, 10, &source), 0);
	ck_assert_uint_eq(bat_intern_get(&table, 9).length, 0);
	ck_assert_uint_eq(bat_intern_get(&table, 9).length, 0);
	ck_assert_uint_eq(digits.fetches, 1);
	bat_intern_free(&table);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("intern");
	TCase *tcase = tcase_create("intern");

	tcase_add_test(tcase,
	    equal_strings_have_one_number_in_first_seen_order);
	tcase_add_test(tcase, what_was_never_put_is_not_found);
	tcase_add_test(tcase,
	    strings_stay_where_they_are_while_the_table_grows);
	tcase_add_test(tcase, a_string_longer_than_a_chunk_is_kept_whole);
	tcase_add_test(tcase, late_strings_come_when_they_are_asked_for);
	tcase_add_test(tcase, late_strings_that_cannot_be_had_are_empty);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
