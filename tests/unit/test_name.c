#include "name.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>

static struct bat_slice
repeat(char *to, const char *unit, size_t count)
{
	size_t length = strlen(unit);

	for (size_t i = 0; i < count; i++)
		memcpy(to + i * length, unit, length);
	return bat_bytes_slice(to, count * length);
}

static void
expect_encoded(struct bat_slice stored, struct bat_slice tree_name)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_bytes_append_text(&buf, "x"), 0);
	ck_assert_int_eq(batfs_name_encode(stored, &buf), 0);
	ck_assert_msg(
	    bat_bytes_equal(bat_bytes_slice(buf.data + 1, buf.length - 1),
		tree_name),
	    "got %.*s", (int)buf.length - 1, (char *)buf.data + 1);
	bat_bytes_free(&buf);
}

static int
decode(struct bat_slice tree_name, struct bat_buf *out)
{
	bat_bytes_clear(out);
	ck_assert_int_eq(bat_bytes_append_text(out, "x"), 0);
	return batfs_name_decode(tree_name, out);
}

static void
expect_decoded(struct bat_slice tree_name, struct bat_slice stored)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(decode(tree_name, &buf), 0);
	ck_assert(bat_bytes_equal(bat_bytes_slice(buf.data + 1, buf.length - 1),
	    stored));
	bat_bytes_free(&buf);
}

static void
expect_not_found(struct bat_slice tree_name)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(decode(tree_name, &buf), BAT_STATE_NOT_FOUND);
	ck_assert_uint_eq(buf.length, 1);
	bat_bytes_free(&buf);
}

static const struct {
	const char *stored, *tree_name;
} names[] = {
	{ "player:alice", "player:alice" },
	{ "100%", "100%25" },
	{ "%41", "%2541" },
	{ ".hidden", "%2Ehidden" },
	{ "a.b", "a.b" },
	{ "-rf", "%2Drf" },
	{ "a-b", "a-b" },
	{ "two  words, and more", "two  words, and more" },
	{ "CACHEDIR.TAG", "%43ACHEDIR.TAG" },
	{ "CACHEDIR.TAGS", "CACHEDIR.TAGS" },
	{ "caf\xc3\xa9", "caf\xc3\xa9" },
	{ "a\xc2\x80z", "a%C2%80z" },
	{ "a\xc2\x9fz", "a%C2%9Fz" },
	{ "a\xc2\xa0z", "a\xc2\xa0z" },
	{ "\xf0\x9f\xa6\x87", "\xf0\x9f\xa6\x87" },
	{ "x~0123456789abcdef", "x%7E0123456789abcdef" },
	{ "~0123456789abcdef", "%7E0123456789abcdef" },
	{ "x~0123456789abcdeF", "x~0123456789abcdeF" },
	{ "x~0123456789abcde", "x~0123456789abcde" },
	{ "~~0123456789abcdef", "~%7E0123456789abcdef" },
};

START_TEST(each_stored_name_has_its_one_spelling)
{
	struct bat_slice stored = bat_bytes_text(names[_i].stored);
	struct bat_slice tree_name = bat_bytes_text(names[_i].tree_name);

	expect_encoded(stored, tree_name);
	expect_decoded(tree_name, stored);
	ck_assert(!batfs_name_is_long(stored));
	ck_assert(!batfs_name_looks_shortened(tree_name));
}
END_TEST

START_TEST(any_other_spelling_is_not_found)
{
	static const char *const wrong[] = { "", "%", "%4", "%41", "%2", "a%2e",
		"%2ehidden", ".hidden", "-rf", "a%2Eb", "100%", "100%25%",
		"CACHEDIR.TAG", "a\xc2\x80z", "a%c2%80z", "%GG", "%7Ex",
		"x~0123456789abcdef", "caf%C3%A9" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		expect_not_found(bat_bytes_text(wrong[i]));
}
END_TEST

START_TEST(a_name_of_200_bytes_stays_and_one_more_shortens_it)
{
	char text[400];
	struct bat_slice whole = repeat(text, "a", 200);
	struct bat_buf buf = BAT_BUF_EMPTY;

	expect_encoded(whole, whole);
	expect_decoded(whole, whole);
	ck_assert(!batfs_name_is_long(whole));

	whole = repeat(text, "a", 201);
	ck_assert(batfs_name_is_long(whole));
	ck_assert_int_eq(batfs_name_encode(whole, &buf), 0);
	ck_assert_uint_eq(buf.length, 200);
	ck_assert_int_eq(memcmp(buf.data, text, 183), 0);
	ck_assert_uint_eq(buf.data[183], '~');
	ck_assert(batfs_name_looks_shortened(bat_bytes_of_buf(&buf)));
	expect_not_found(bat_bytes_of_buf(&buf));
	expect_not_found(whole);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(the_digits_of_a_shortened_name_are_those_of_its_hash)
{
	char text[1024], digits[65];
	struct bat_slice whole = repeat(text, "ab", 500);
	struct bat_hash hash = bat_hash_of(whole);
	struct bat_buf buf = BAT_BUF_EMPTY;

	bat_hash_to_hex(&hash, digits);
	ck_assert_int_eq(batfs_name_encode(whole, &buf), 0);
	ck_assert_uint_eq(buf.length, 200);
	ck_assert_int_eq(memcmp(buf.data + 184, digits, 16), 0);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(a_cut_never_falls_within_a_character_or_an_escape)
{
	static const struct {
		const char *unit;
		size_t count, kept;
	} cases[] = {
		{ "\xe2\x82\xac", 100, 183 }, /* 61 characters of 3 */
		{ "\xc3\xa9", 150, 182 },     /* 2 bytes each */
		{ "\xf0\x9f\xa6\x87", 60, 180 }, { "%", 70, 183 }, /* %25 */
		{ "\xc2\x85", 40, 180 }, /* %C2%85: 6 each */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[400];
		struct bat_slice whole = repeat(text, cases[i].unit,
		    cases[i].count);
		struct bat_buf buf = BAT_BUF_EMPTY;

		ck_assert(batfs_name_is_long(whole));
		ck_assert_int_eq(batfs_name_encode(whole, &buf), 0);
		ck_assert_uint_eq(buf.length, cases[i].kept + 17);
		ck_assert_uint_eq(buf.data[cases[i].kept], '~');
		ck_assert(bat_bytes_is_utf8(bat_bytes_of_buf(&buf)));
		bat_bytes_free(&buf);
	}
}
END_TEST

START_TEST(encoding_alone_can_make_a_name_long)
{
	char text[400];
	struct bat_slice whole = repeat(text, "%", 66);

	ck_assert(!batfs_name_is_long(whole));
	ck_assert(batfs_name_is_long(repeat(text, "%", 67)));
	/* The '~' of 199 + 1 + ... is what tips this one over. */
	memset(text, 'a', 200);
	memcpy(text + 183, "~0123456789abcdef", 17);
	ck_assert(batfs_name_is_long(bat_bytes_slice(text, 200)));
}
END_TEST

/* Names that the store would refuse, should they ever come from a disk. */
START_TEST(no_name_can_break_a_listing)
{
	static const char *const bad[] = { "a/b", "..", "\xff\xfe", "a\x01z",
		"\xe2\x82", "k=v" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct bat_slice stored = bat_bytes_text(bad[i]);
		struct bat_buf buf = BAT_BUF_EMPTY;

		ck_assert_int_eq(batfs_name_encode(stored, &buf), 0);
		ck_assert_ptr_null(memchr(buf.data, '/', buf.length));
		ck_assert_ptr_null(memchr(buf.data, '=', buf.length));
		ck_assert(bat_bytes_is_utf8(bat_bytes_of_buf(&buf)));
		ck_assert_uint_ne(buf.data[0], '.');
		expect_decoded(bat_bytes_of_buf(&buf), stored);
		bat_bytes_free(&buf);
	}
}
END_TEST

START_TEST(random_names_come_back)
{
	static const char *const parts[] = { "a", ":", "%", ".", "-", "~", "0",
		"f", "\xc2\x85", "\xc3\xa9", "\xe2\x80\xa8", "\xf0\x9f\xa6\x87",
		",", "kind", " ", "~0123456789abcdef" };
	struct bat_buf stored = BAT_BUF_EMPTY, name = BAT_BUF_EMPTY;

	srand(7);
	for (int i = 0; i < 20000; i++) {
		int count = 1 + rand() % 40;

		bat_bytes_clear(&stored);
		bat_bytes_clear(&name);
		for (int j = 0; j < count; j++)
			ck_assert_int_eq(bat_bytes_append_text(&stored,
					     parts[rand() % 16]),
			    0);
		ck_assert_int_eq(
		    batfs_name_encode(bat_bytes_of_buf(&stored), &name), 0);
		ck_assert_uint_le(name.length, BATFS_NAME_MAX);
		if (batfs_name_is_long(bat_bytes_of_buf(&stored))) {
			ck_assert(batfs_name_looks_shortened(
			    bat_bytes_of_buf(&name)));
			expect_not_found(bat_bytes_of_buf(&name));
		} else {
			expect_decoded(bat_bytes_of_buf(&name),
			    bat_bytes_of_buf(&stored));
		}
	}
	bat_bytes_free(&stored);
	bat_bytes_free(&name);
}
END_TEST

static void
expect_split(const char *typed, const char *stem, const char *words)
{
	struct bat_slice a, b;

	batfs_name_split_words(bat_bytes_text(typed), &a, &b);
	ck_assert_msg(bat_bytes_equal(a, bat_bytes_text(stem)), "%s", typed);
	ck_assert_msg(bat_bytes_equal(b, bat_bytes_text(words)), "%s", typed);
}

START_TEST(words_start_at_the_first_comma_word_equals)
{
	expect_split("alice", "alice", "");
	expect_split("alice,kind=f.001", "alice", "kind=f.001");
	expect_split("a,b,kind=f.001,cause=last", "a,b",
	    "kind=f.001,cause=last");
	expect_split("a,B=1", "a,B=1", "");
	expect_split("a,=1", "a,=1", "");
	expect_split("a,kind", "a,kind", "");
	expect_split(",kind=", "", "kind=");
	expect_split("", "", "");
}
END_TEST

START_TEST(words_come_one_by_one)
{
	struct bat_slice rest = bat_bytes_text(
	    "scope=a,b,kind=f.001,key=,as=text");
	static const char *const expected[][2] = { { "scope", "a,b" },
		{ "kind", "f.001" }, { "key", "" }, { "as", "text" } };
	struct bat_slice key, value;

	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(batfs_name_next_word(&rest, &key, &value), 0);
		ck_assert(bat_bytes_equal(key, bat_bytes_text(expected[i][0])));
		ck_assert(
		    bat_bytes_equal(value, bat_bytes_text(expected[i][1])));
	}
	ck_assert_int_eq(batfs_name_next_word(&rest, &key, &value), BAT_END);
	rest = bat_bytes_text("nothing");
	ck_assert_int_eq(batfs_name_next_word(&rest, &key, &value),
	    BAT_USE_INVALID);
}
END_TEST

START_TEST(numbers_have_one_spelling)
{
	uint64_t n = 7;

	ck_assert(batfs_name_number(bat_bytes_text("0"), &n) && n == 0);
	ck_assert(
	    batfs_name_number(bat_bytes_text("18446744073709551615"), &n) &&
	    n == UINT64_MAX);
	ck_assert(
	    !batfs_name_number(bat_bytes_text("18446744073709551616"), &n));
	ck_assert(
	    !batfs_name_number(bat_bytes_text("99999999999999999999"), &n));
	ck_assert(!batfs_name_number(bat_bytes_text(""), &n));
	ck_assert(!batfs_name_number(bat_bytes_text("01"), &n));
	ck_assert(!batfs_name_number(bat_bytes_text("+1"), &n));
	ck_assert(!batfs_name_number(bat_bytes_text("1 "), &n));
	ck_assert(batfs_name_padded(bat_bytes_text("000000000042"), 12, &n) &&
	    n == 42);
	ck_assert(batfs_name_padded(bat_bytes_text("1000000000042"), 12, &n) &&
	    n == 1000000000042);
	ck_assert(!batfs_name_padded(bat_bytes_text("0000000000042"), 12, &n));
	ck_assert(!batfs_name_padded(bat_bytes_text("42"), 12, &n));
	ck_assert(!batfs_name_padded(bat_bytes_text("00000000004x"), 12, &n));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("name");
	TCase *tests = tcase_create("promises");

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, each_stored_name_has_its_one_spelling, 0,
	    (int)(sizeof(names) / sizeof(*names)));
	tcase_add_test(tests, any_other_spelling_is_not_found);
	tcase_add_test(tests,
	    a_name_of_200_bytes_stays_and_one_more_shortens_it);
	tcase_add_test(tests,
	    the_digits_of_a_shortened_name_are_those_of_its_hash);
	tcase_add_test(tests,
	    a_cut_never_falls_within_a_character_or_an_escape);
	tcase_add_test(tests, encoding_alone_can_make_a_name_long);
	tcase_add_test(tests, no_name_can_break_a_listing);
	tcase_add_test(tests, random_names_come_back);
	tcase_add_test(tests, words_start_at_the_first_comma_word_equals);
	tcase_add_test(tests, words_come_one_by_one);
	tcase_add_test(tests, numbers_have_one_spelling);
	return suite_run(suite);
}
