#include "coordinate.h"

#include "sample.h"
#include "suite.h"

static char long_name[BAT_COORDINATE_MAX + 2];

static struct bat_slice
name_of_length(size_t length)
{
	memset(long_name, 'n', sizeof(long_name));
	return bat_bytes_slice(long_name, length);
}

static int
check(const char *entity, const char *scope, struct bat_error *error)
{
	return bat_coordinate_check(bat_bytes_text(entity),
	    bat_bytes_text(scope), error);
}

START_TEST(ordinary_and_odd_but_legal_names_pass)
{
	static const char *const names[] = { "player:alice", " ", ".", "a.b",
		"back\\slash", "a:b:c", "-x", "gr\xc3\xbc\xc3\x9f",
		"\xf0\x9f\xa6\x87", "\xc2\x85", "%2f", "a.b.c." };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ck_assert_int_eq(check(names[i], "s", NULL), 0);
		ck_assert_int_eq(check("e", names[i], NULL), 0);
	}
	ck_assert_int_eq(
	    bat_coordinate_check(name_of_length(BAT_COORDINATE_MAX),
		name_of_length(BAT_COORDINATE_MAX), NULL),
	    0);
}
END_TEST

START_TEST(forbidden_characters_are_named_with_their_part)
{
	static const struct {
		const char *name, *text;
	} cases[] = {
		{ "a\x01", "control" },
		{ "\x7f", "control" },
		{ "a\nb", "control" },
		{ "a/b", "'/'" },
		{ "a..b", "\"..\"" },
		{ "..", "\"..\"" },
		{ "a|b", "'|'" },
		{ "a=b", "'='" },
		{ "\xff", "UTF-8" },
		{ "\xed\xa0\x80", "UTF-8" },
	};
	struct bat_error error;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(check(cases[i].name, "s", &error),
		    BAT_USE_INVALID);
		ck_assert_ptr_nonnull(strstr(error.text, "entity"));
		ck_assert_ptr_nonnull(strstr(error.text, cases[i].text));
		ck_assert_int_eq(check("e", cases[i].name, &error),
		    BAT_USE_INVALID);
		ck_assert_ptr_nonnull(strstr(error.text, "scope"));
	}
	ck_assert_int_eq(bat_coordinate_check(bat_bytes_slice("a\0b", 3),
			     bat_bytes_text("s"), &error),
	    BAT_USE_INVALID);
	ck_assert_ptr_nonnull(strstr(error.text, "NUL"));
}
END_TEST

START_TEST(length_has_its_own_code)
{
	struct bat_slice long_one = name_of_length(BAT_COORDINATE_MAX + 1);
	struct bat_error error;

	ck_assert_int_eq(bat_coordinate_check(long_one, bat_bytes_text("s"),
			     &error),
	    BAT_USE_NAME_LENGTH);
	ck_assert_ptr_nonnull(strstr(error.text, "entity"));
	ck_assert_int_eq(bat_coordinate_check(bat_bytes_text("e"), long_one,
			     &error),
	    BAT_USE_NAME_LENGTH);
	ck_assert_ptr_nonnull(strstr(error.text, "scope"));
}
END_TEST

START_TEST(faults_are_found_in_batpaks_order)
{
	struct bat_slice long_one = name_of_length(BAT_COORDINATE_MAX + 1);
	struct bat_error error;

	/* Emptiness of either part comes before anything else. */
	ck_assert_int_eq(bat_coordinate_check(long_one, BAT_SLICE_EMPTY,
			     &error),
	    BAT_USE_INVALID);
	ck_assert_ptr_nonnull(strstr(error.text, "scope is empty"));
	ck_assert_int_eq(check("", "", &error), BAT_USE_INVALID);
	ck_assert_ptr_nonnull(strstr(error.text, "entity is empty"));
	/* Then the lengths of both, then the entity's characters. */
	ck_assert_int_eq(bat_coordinate_check(bat_bytes_text("a/b"), long_one,
			     &error),
	    BAT_USE_NAME_LENGTH);
	ck_assert_int_eq(check("a=b", "a/b", &error), BAT_USE_INVALID);
	ck_assert_ptr_nonnull(strstr(error.text, "entity holds a '='"));
	/* Within a part: control, path, separator. */
	ck_assert_int_eq(check("=/\x01", "s", &error), BAT_USE_INVALID);
	ck_assert_ptr_nonnull(strstr(error.text, "control"));
	ck_assert_int_eq(check("=|../", "s", &error), BAT_USE_INVALID);
	ck_assert_ptr_nonnull(strstr(error.text, "'/'"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("coordinate");
	TCase *tcase = tcase_create("coordinate");

	tcase_add_test(tcase, ordinary_and_odd_but_legal_names_pass);
	tcase_add_test(tcase, forbidden_characters_are_named_with_their_part);
	tcase_add_test(tcase, length_has_its_own_code);
	tcase_add_test(tcase, faults_are_found_in_batpaks_order);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
