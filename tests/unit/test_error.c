#include "error.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "suite.h"

START_TEST(every_code_has_a_name_of_its_own)
{
	static const int codes[] = { BAT_OK, BAT_END, BAT_USE_INVALID,
		BAT_USE_NAME_LENGTH, BAT_USE_TOO_LARGE, BAT_USE_RESERVED,
		BAT_USE_READ_ONLY, BAT_WORLD_IO, BAT_WORLD_NO_SPACE,
		BAT_WORLD_NO_MEMORY, BAT_WORLD_LOCKED, BAT_WORLD_ABSENT,
		BAT_DATA_TORN, BAT_DATA_CORRUPT, BAT_DATA_FUTURE,
		BAT_DATA_DISAGREES, BAT_DATA_REFUSED, BAT_STATE_NOT_FOUND,
		BAT_STATE_EXISTS, BAT_STATE_STALE, BAT_STATE_STOPPED,
		BAT_STATE_DENIED, BAT_STATE_CLOSED };
	const size_t count = sizeof(codes) / sizeof(codes[0]);

	for (size_t i = 0; i < count; i++) {
		ck_assert_str_ne(bat_error_name(codes[i]),
		    bat_error_name(-9999));
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(bat_error_name(codes[i]),
			    bat_error_name(codes[j]));
	}
	ck_assert_str_eq(bat_error_name(BAT_WORLD_NO_SPACE), "no space");
}
END_TEST

START_TEST(setting_fills_everything_and_returns_the_code)
{
	struct bat_error error;

	memset(&error, 0xaa, sizeof(error));
	ck_assert_int_eq(bat_error_set(&error, BAT_USE_INVALID, "word %d", 7),
	    BAT_USE_INVALID);
	ck_assert_int_eq(error.code, BAT_USE_INVALID);
	ck_assert_int_eq(error.os_errno, 0);
	ck_assert_uint_eq(error.segment, 0);
	ck_assert_uint_eq(error.offset, 0);
	ck_assert_str_eq(error.text, "word 7");

	ck_assert_int_eq(bat_error_set_at(&error, BAT_DATA_TORN, 3, 4096,
			     "torn"),
	    BAT_DATA_TORN);
	ck_assert_uint_eq(error.segment, 3);
	ck_assert_uint_eq(error.offset, 4096);
}
END_TEST

START_TEST(nobody_has_to_ask_for_the_text)
{
	ck_assert_int_eq(bat_error_set(NULL, BAT_DATA_TORN, "x"),
	    BAT_DATA_TORN);
	ck_assert_int_eq(bat_error_set_at(NULL, BAT_DATA_TORN, 1, 2, "x"),
	    BAT_DATA_TORN);
	ck_assert_int_eq(bat_error_set_os(NULL, EIO, "x"), BAT_WORLD_IO);
	bat_error_prefix(NULL, "x");
}
END_TEST

START_TEST(errno_decides_the_code_and_ends_the_text)
{
	static const struct {
		int os_errno;
		int code;
	} cases[] = {
		{ ENOSPC, BAT_WORLD_NO_SPACE },
		{ EDQUOT, BAT_WORLD_NO_SPACE },
		{ EFBIG, BAT_WORLD_NO_SPACE },
		{ ENOMEM, BAT_WORLD_NO_MEMORY },
		{ ENOENT, BAT_WORLD_ABSENT },
		{ EIO, BAT_WORLD_IO },
		{ EACCES, BAT_WORLD_IO },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bat_error error;

		ck_assert_int_eq(bat_error_set_os(&error, cases[i].os_errno,
				     "cannot open %s", "a"),
		    cases[i].code);
		ck_assert_int_eq(error.code, cases[i].code);
		ck_assert_int_eq(error.os_errno, cases[i].os_errno);
		ck_assert_ptr_eq(strstr(error.text, "cannot open a: "),
		    error.text);
		ck_assert_ptr_nonnull(
		    strstr(error.text, strerror(cases[i].os_errno)));
	}
}
END_TEST

START_TEST(a_prefix_stands_in_front_and_changes_nothing_else)
{
	struct bat_error error;

	bat_error_set_at(&error, BAT_DATA_CORRUPT, 5, 9, "bad length");
	bat_error_prefix(&error, "segment %d", 5);
	ck_assert_str_eq(error.text, "segment 5: bad length");
	ck_assert_int_eq(error.code, BAT_DATA_CORRUPT);
	ck_assert_uint_eq(error.segment, 5);
	ck_assert_uint_eq(error.offset, 9);
}
END_TEST

/* 600 bytes of characters of `width` bytes behind `shift` ASCII ones. */
static void
fill_with_characters(char text[], size_t size, size_t shift, size_t width)
{
	static const char *const characters[] = { "", "a", "\xc3\xa9",
		"\xe2\x82\xac", "\xf0\x9f\xa6\x87" };
	size_t length = shift;

	memset(text, 'a', shift);
	while (length + width < size) {
		memcpy(text + length, characters[width], width);
		length += width;
	}
	text[length] = '\0';
}

START_TEST(a_long_text_is_cut_between_characters)
{
	for (size_t width = 1; width <= 4; width++) {
		for (size_t shift = 0; shift < 4; shift++) {
			char text[600];
			struct bat_error error;

			fill_with_characters(text, sizeof(text), shift, width);
			bat_error_set(&error, BAT_DATA_TORN, "%s", text);
			ck_assert(
			    bat_bytes_is_utf8(bat_bytes_text(error.text)));
			ck_assert_uint_eq(strlen(error.text),
			    shift + (511 - shift) / width * width);

			bat_error_prefix(&error, "%s", "p");
			ck_assert(
			    bat_bytes_is_utf8(bat_bytes_text(error.text)));
			ck_assert_uint_ge(strlen(error.text), 508);
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("error");
	TCase *promises = tcase_create("promises");

	suite_add_tcase(suite, promises);
	tcase_add_test(promises, every_code_has_a_name_of_its_own);
	tcase_add_test(promises, setting_fills_everything_and_returns_the_code);
	tcase_add_test(promises, nobody_has_to_ask_for_the_text);
	tcase_add_test(promises, errno_decides_the_code_and_ends_the_text);
	tcase_add_test(promises,
	    a_prefix_stands_in_front_and_changes_nothing_else);
	tcase_add_test(promises, a_long_text_is_cut_between_characters);
	return suite_run(suite);
}
