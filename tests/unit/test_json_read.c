/*
 * JSON that a program writes: read literally, what is wrong in it named with
 * its byte.
 */
#include "json.h"

#include <check.h>

#include "hex.h"
#include "suite.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof(*(table))))

static const struct {
	const char *json, *pack;
	size_t used;
} readings[] = {
	{ " \t 1 ", "01", 4 },
	{ "1x", "01", 1 },
	{ "-0", "00", 2 },
	{ "18446744073709551615", "cfffffffffffffffff", 20 },
	{ "-9223372036854775808", "d38000000000000000", 20 },
	{ "255", "ccff", 3 },
	{ "256", "cd0100", 3 },
	{ "65536", "ce00010000", 5 },
	{ "-33", "d0df", 3 },
	{ "-129", "d1ff7f", 4 },
	{ "1e0", "cb3ff0000000000000", 3 },
	{ "1E+1", "cb4024000000000000", 4 },
	{ "-0.0", "cb8000000000000000", 4 },
	{ "1e-400", "cb0000000000000000", 6 },
	{ "0e99999999999999999999", "cb0000000000000000", 22 },
	{ "2.2250738585072011e-308", "cb000fffffffffffff", 23 },
	{ "9007199254740993.0", "cb4340000000000000", 18 },
	{ "9007199254740993.00000000000000000000000000001",
	    "cb4340000000000001", 46 },
	{ "\"\\u00e9\\ud83e\\udd87\\/\"", "a7c3a9f09fa6872f", 22 },
	{ "{ \"a\" : [ 1 , { } ] , \"b\" : \"\" }", "82a161920180a162a0", 32 },
	{ "{\"$bin\":\"AQ==\"}", "81a42462696ea441513d3d", 15 },
	{ "[[],[[]],{\"a\":{}}]", "9390919081a16180", 18 },
	{ "true]", "c3", 4 },
};

START_TEST(text_is_read_literally)
{
	struct bat_buf pack = BAT_BUF_EMPTY;
	struct bat_error error = { .code = 0 };
	size_t used;

	ck_assert_int_eq(batfs_json_to_pack(bat_bytes_text(readings[_i].json),
			     false, &pack, &used, &error),
	    0);
	ck_assert_msg(test_hex_equals(bat_bytes_of_buf(&pack),
			  readings[_i].pack),
	    "%s", readings[_i].json);
	ck_assert_uint_eq(used, readings[_i].used);
	bat_bytes_free(&pack);
}
END_TEST

static const struct {
	const char *json;
	uint64_t at;
	bool tagged;
} faults[] = {
	{ "", 0, false },
	{ "  ", 2, false },
	{ "hello", 0, false },
	{ "'a'", 0, false },
	{ "nul", 0, false },
	{ "01", 0, false },
	{ "+1", 0, false },
	{ "-", 1, false },
	{ "1.", 2, false },
	{ ".5", 0, false },
	{ "1e", 2, false },
	{ "1e+", 3, false },
	{ "NaN", 0, false },
	{ "18446744073709551616", 0, false },
	{ "-9223372036854775809", 0, false },
	{ "1e309", 0, false },
	{ "-1e99999999999999999999", 0, false },
	{ "[", 1, false },
	{ "[1", 2, false },
	{ "[1,", 3, false },
	{ "[1,]", 3, false },
	{ "[,1]", 1, false },
	{ "[1 2]", 3, false },
	{ "[1}", 2, false },
	{ "{", 1, false },
	{ "{1:2}", 1, false },
	{ "{\"a\"}", 4, false },
	{ "{\"a\":}", 5, false },
	{ "{\"a\":1,}", 7, false },
	{ "{\"a\":1 \"b\":2}", 7, false },
	{ "{\"a\":1]", 6, false },
	{ "{a:1}", 1, false },
	{ "{\"a\":1,\"b\":2,\"a\":3}", 13, false },
	{ "{\"a\":1,\"\\u0061\":3}", 7, false },
	{ "[{\"x\":{\"a\":1,\"a\":2}}]", 13, false },
	{ "\"abc", 0, false },
	{ "\"abc\\", 4, false },
	{ "\"abc\\\"", 0, false },
	{ "\"a\tb\"", 2, false },
	{ "\"a\\x\"", 2, false },
	{ "\"\\u12\"", 1, false },
	{ "\"\\ud800\"", 1, false },
	{ "\"x\\udc00\"", 2, false },
	{ "\"\\ud800\\ud800\"", 1, false },
	{ "\"\\ud800x\"", 1, false },
	{ "[\"\xff\"]", 1, false },
	{ "\"\xed\xa0\x80\"", 0, false },
	{ "{\"$bin\":5}", 8, true },
	{ "{\"$bin\":\"A\"}", 8, true },
	{ "{\"$bin\":\"AB==\"}", 8, true },
	{ "{\"$bin\":[1,[2]]}", 8, true },
	{ "{\"$str\":null}", 8, true },
	{ "{\"$float\":1.0}", 10, true },
	{ "{\"$float\":\"NaN\"}", 10, true },
	{ "{\"$ext\":\"AQ==\"}", 8, true },
	{ "{\"$ext\":[128,\"AQ==\"]}", 12, true },
	{ "{\"$ext\":[-129,\"AQ==\"]}", 13, true },
	{ "{\"$ext\":[1.0,\"AQ==\"]}", 12, true },
	{ "{\"$ext\":[1]}", 10, true },
	{ "{\"$ext\":[1,\"AQ==\",2]}", 17, true },
	{ "{\"$map\":{}}", 8, true },
	{ "{\"$map\":[1]}", 9, true },
	{ "{\"$map\":[[1]]}", 10, true },
	{ "{\"$map\":[[1,2,3]]}", 10, true },
	{ "{\"$map\":[[1,2],]}", 15, true },
	{ "{\"$\\u0062in\":5}", 13, true },
};

START_TEST(what_is_wrong_is_named_with_its_byte)
{
	struct bat_buf pack = BAT_BUF_EMPTY;
	struct bat_error error = { .code = 0 };
	size_t used;

	ck_assert_int_eq(bat_bytes_append_text(&pack, "x"), 0);
	ck_assert_int_eq(batfs_json_to_pack(bat_bytes_text(faults[_i].json),
			     faults[_i].tagged, &pack, &used, &error),
	    BAT_USE_INVALID);
	ck_assert_int_eq(error.code, BAT_USE_INVALID);
	ck_assert_msg(error.offset == faults[_i].at, "%s: %s at %lu",
	    faults[_i].json, error.text, (unsigned long)error.offset);
	ck_assert_uint_gt(strlen(error.text), 10);
	ck_assert_uint_eq(pack.length, 1);
	/* Without tags the tags are plain maps. */
	if (faults[_i].tagged)
		ck_assert_int_eq(
		    batfs_json_to_pack(bat_bytes_text(faults[_i].json), false,
			&pack, &used, NULL),
		    strstr(faults[_i].json, ",]") == NULL ? 0 :
							    BAT_USE_INVALID);
	bat_bytes_free(&pack);
}
END_TEST

START_TEST(large_objects_are_read_and_shown_in_one_pass)
{
	struct bat_buf json = BAT_BUF_EMPTY, pack = BAT_BUF_EMPTY;
	struct bat_buf again = BAT_BUF_EMPTY;
	struct bat_error error;
	size_t used;
	bool exact;

	ck_assert_int_eq(bat_bytes_append_text(&json, "{"), 0);
	for (int i = 0; i < 200000; i++)
		ck_assert_int_eq(bat_bytes_append_format(&json,
				     "%s\"key %d\":{}", i == 0 ? "" : ",", i),
		    0);
	ck_assert_int_eq(bat_bytes_append_text(&json, "}"), 0);
	ck_assert_int_eq(batfs_json_to_pack(bat_bytes_of_buf(&json), true,
			     &pack, &used, NULL),
	    0);
	ck_assert_int_eq(
	    batfs_json_of_pack(bat_bytes_of_buf(&pack), &again, &exact), 0);
	ck_assert(exact);
	ck_assert(
	    bat_bytes_equal(bat_bytes_of_buf(&json), bat_bytes_of_buf(&again)));
	json.length--;
	ck_assert_int_eq(bat_bytes_append_text(&json, ",\"key 777\":1}"), 0);
	ck_assert_int_eq(batfs_json_to_pack(bat_bytes_of_buf(&json), true,
			     &pack, &used, &error),
	    BAT_USE_INVALID);
	ck_assert_uint_eq(error.offset, json.length - 12);
	bat_bytes_free(&json);
	bat_bytes_free(&pack);
	bat_bytes_free(&again);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("json_read");
	TCase *promises = tcase_create("promises");
	TCase *many = tcase_create("many"); /* take their time */

	suite_add_tcase(suite, promises);
	suite_add_tcase(suite, many);
	tcase_set_timeout(promises, 300);
	tcase_set_timeout(many, 300);
	tcase_add_loop_test(promises, text_is_read_literally, 0,
	    COUNT(readings));
	tcase_add_loop_test(promises, what_is_wrong_is_named_with_its_byte, 0,
	    COUNT(faults));
	tcase_add_test(many, large_objects_are_read_and_shown_in_one_pass);
	return suite_run(suite);
}
