/* Values of MessagePack as JSON, and back. */
#include "json.h"

#include <check.h>
#include <glob.h>
#include <stdio.h>

#include "hex.h"
#include "random_pack.h"
#include "sample.h"
#include "suite.h"
#include "two_ways.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof(*(table))))

static const uint64_t seed = 20261123;

/* ---- strings --------------------------------------------------------- */

static const struct {
	const char *text, *json;
} strings[] = {
	{ "", "\"\"" },
	{ "plain text, longer than one word",
	    "\"plain text, longer than one "
	    "word\"" },
	{ "\"\\/\b\f\n\r\t", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"" },
	{ "\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"" },
	{ "1234567\"1234567\x7f", "\"1234567\\\"1234567\\u007f\"" },
	{ "\xc2\x80\xc2\x9f\xc2\xa0", "\"\\u0080\\u009f\xc2\xa0\"" },
	{ "\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9",
	    "\"\xe2\x80\xa7\\u2028\\u2029\"" },
	{ "\xe2\x80\xaa\xe2\x80\xae\xe2\x80\xaf",
	    "\"\\u202a\\u202e\xe2\x80\xaf\"" },
	{ "\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa",
	    "\"\xe2\x81\xa5\\u2066\\u2069\xe2\x81\xaa\"" },
	{ "\xf0\x9f\xa6\x87 caf\xc3\xa9", "\"\xf0\x9f\xa6\x87 caf\xc3\xa9\"" },
};

START_TEST(strings_are_escaped_where_they_cut_lines_or_obey_terminals)
{
	struct bat_slice text = bat_bytes_text(strings[_i].text);
	struct bat_buf json = BAT_BUF_EMPTY, again = BAT_BUF_EMPTY;
	size_t used;

	ck_assert_int_eq(batfs_json_write_string(&json, text), 0);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&json),
	    bat_bytes_text(strings[_i].json)));
	ck_assert_int_eq(batfs_json_read_string(bat_bytes_of_buf(&json), &again,
			     &used, NULL),
	    0);
	ck_assert_uint_eq(used, json.length);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&again), text));
	bat_bytes_free(&json);
	bat_bytes_free(&again);
}
END_TEST

START_TEST(a_nul_is_escaped_and_read_back)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(
	    batfs_json_write_string(&buf, bat_bytes_slice("a\0b", 3)), 0);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&buf),
	    bat_bytes_text("\"a\\u0000b\"")));
	bat_bytes_free(&buf);
}
END_TEST

/* ---- MessagePack to JSON and back ------------------------------------- */

static const struct {
	const char *pack; /* hex */
	const char *json;
	bool exact;
} values[] = {
	{ "c0", "null", true },
	{ "c2", "false", true },
	{ "c3", "true", true },
	{ "00", "0", true },
	{ "7f", "127", true },
	{ "cc80", "128", true },
	{ "cc7f", "127", false },
	{ "cd0080", "128", false },
	{ "cfffffffffffffffff", "18446744073709551615", true },
	{ "ff", "-1", true },
	{ "d0df", "-33", true },
	{ "d0e0", "-32", false },
	{ "d005", "5", false },
	{ "d38000000000000000", "-9223372036854775808", true },
	{ "cb3ff0000000000000", "1.0", true },
	{ "ca3fc00000", "1.5", false },
	{ "cb7ff8000000000000", "{\"$float\":\"nan\"}", true },
	{ "cb7ff8000000000001", "{\"$float\":\"nan\"}", false },
	{ "cb7ff0000000000000", "{\"$float\":\"inf\"}", true },
	{ "cbfff0000000000000", "{\"$float\":\"-inf\"}", true },
	{ "ca7fc00000", "{\"$float\":\"nan\"}", false },
	{ "a0", "\"\"", true },
	{ "a568656c6c6f", "\"hello\"", true },
	{ "d90161", "\"a\"", false },
	{ "a1ff", "{\"$str\":\"/w==\"}", true },
	{ "c400", "{\"$bin\":\"\"}", true },
	{ "c403010203", "{\"$bin\":\"AQID\"}", true },
	{ "c5000101", "{\"$bin\":\"AQ==\"}", false },
	{ "d4ff01", "{\"$ext\":[-1,\"AQ==\"]}", true },
	{ "c70102aa", "{\"$ext\":[2,\"qg==\"]}", false },
	{ "c70002", "{\"$ext\":[2,\"\"]}", true },
	{ "c7038001 0203", "{\"$ext\":[-128,\"AQID\"]}", true },
	{ "90", "[]", true },
	{ "dc0000", "[]", false },
	{ "93019003", "[1,[],3]", true },
	{ "80", "{}", true },
	{ "de0000", "{}", false },
	{ "82a16101a162 92c0c3", "{\"a\":1,\"b\":[null,true]}", true },
	{ "82a16201a16102", "{\"b\":1,\"a\":2}", true },
	{ "82a16101a16102", "{\"$map\":[[\"a\",1],[\"a\",2]]}", true },
	{ "810102", "{\"$map\":[[1,2]]}", true },
	{ "8190 80", "{\"$map\":[[[],{}]]}", true },
	{ "818001 ", "{\"$map\":[[{},1]]}", true },
	{ "81a1ff01", "{\"$map\":[[{\"$str\":\"/w==\"},1]]}", true },
	{ "8181010203", "{\"$map\":[[{\"$map\":[[1,2]]},3]]}", true },
	{ "82a16181a162818001c0c0",
	    "{\"$map\":[[\"a\",{\"b\":{\"$map\":[[{},1]]}}],[null,null]]}",
	    true },
	{ "81a42462696e01", "{\"$$bin\":1}", true },
	{ "81a5242462696e01", "{\"$$$bin\":1}", true },
	{ "82a42462696e01a16102", "{\"$bin\":1,\"a\":2}", true },
	{ "81a12401", "{\"$\":1}", true },
	{ "81a52462696e7301", "{\"$bins\":1}", true },
	{ "81a4246d617081a424737472a161", "{\"$$map\":{\"$$str\":\"a\"}}",
	    true },
};

START_TEST(values_are_shown_and_read_as_the_contract_says)
{
	struct bat_buf pack = BAT_BUF_EMPTY, json = BAT_BUF_EMPTY;
	struct bat_buf again = BAT_BUF_EMPTY;
	struct bat_error error;
	size_t used;
	bool exact;

	test_hex_append(&pack, values[_i].pack);
	ck_assert_int_eq(
	    batfs_json_of_pack(bat_bytes_of_buf(&pack), &json, &exact), 0);
	ck_assert_msg(bat_bytes_equal(bat_bytes_of_buf(&json),
			  bat_bytes_text(values[_i].json)),
	    "%.*s instead of %s", (int)json.length, (char *)json.data,
	    values[_i].json);
	ck_assert_int_eq(exact, values[_i].exact);
	ck_assert_int_eq(batfs_json_to_pack(bat_bytes_of_buf(&json), true,
			     &again, &used, &error),
	    0);
	ck_assert_uint_eq(used, json.length);
	ck_assert_int_eq(bat_bytes_equal(bat_bytes_of_buf(&pack),
			     bat_bytes_of_buf(&again)),
	    exact);
	bat_bytes_free(&pack);
	bat_bytes_free(&json);
	bat_bytes_free(&again);
}
END_TEST

START_TEST(what_is_not_one_whole_value_is_left_to_base64)
{
	static const char *const broken[] = { "", "c1", "0101", "91", "cc",
		"a261", "92c0", "81a161", "dd7fffffff", "c401", "9191c1",
		"df0000000100", "a1", "cb00" };

	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		struct bat_buf pack = BAT_BUF_EMPTY, json = BAT_BUF_EMPTY;
		bool exact;

		test_hex_append(&pack, broken[i]);
		ck_assert_int_eq(bat_bytes_append_text(&json, "x"), 0);
		ck_assert_int_eq(batfs_json_of_pack(bat_bytes_of_buf(&pack),
				     &json, &exact),
		    BAT_DATA_CORRUPT);
		ck_assert_uint_eq(json.length, 1);
		bat_bytes_free(&pack);
		bat_bytes_free(&json);
	}
}
END_TEST

/* Arrays or maps within each other, and something within the innermost. */
static void
nest(struct bat_buf *buf, const char *level, size_t count, const char *inner)
{
	bat_bytes_clear(buf);
	while (count-- > 0)
		test_hex_append(buf, level);
	test_hex_append(buf, inner);
}

START_TEST(nesting_ends_at_128)
{
	static const char *const levels[] = { "91", "81a161", "8101", "8190" };
	struct bat_buf pack = BAT_BUF_EMPTY, json = BAT_BUF_EMPTY;
	struct bat_buf again = BAT_BUF_EMPTY;
	size_t used;
	bool exact;

	for (size_t i = 0; i < 4; i++) {
		nest(&pack, levels[i], 127, "01");
		bat_bytes_clear(&json);
		bat_bytes_clear(&again);
		ck_assert_int_eq(batfs_json_of_pack(bat_bytes_of_buf(&pack),
				     &json, &exact),
		    0);
		ck_assert(exact);
		ck_assert_int_eq(batfs_json_to_pack(bat_bytes_of_buf(&json),
				     true, &again, &used, NULL),
		    0);
		ck_assert(bat_bytes_equal(bat_bytes_of_buf(&pack),
		    bat_bytes_of_buf(&again)));
		nest(&pack, levels[i], 127, "90");
		ck_assert_int_eq(batfs_json_of_pack(bat_bytes_of_buf(&pack),
				     &json, &exact),
		    0);
		nest(&pack, levels[i], 128, "01");
		ck_assert_int_eq(batfs_json_of_pack(bat_bytes_of_buf(&pack),
				     &json, &exact),
		    BAT_DATA_CORRUPT);
	}
	for (size_t count = 127; count < 1000; count += 61) {
		bat_bytes_clear(&json);
		bat_bytes_clear(&again);
		for (size_t i = 0; i < count; i++)
			ck_assert_int_eq(bat_bytes_append_byte(&json, '['), 0);
		ck_assert_int_eq(bat_bytes_append_byte(&json, '1'), 0);
		for (size_t i = 0; i < count; i++)
			ck_assert_int_eq(bat_bytes_append_byte(&json, ']'), 0);
		ck_assert_int_eq(batfs_json_to_pack(bat_bytes_of_buf(&json),
				     count % 2 == 0, &again, &used, NULL),
		    count == 127 ? 0 : BAT_USE_INVALID);
	}
	bat_bytes_free(&pack);
	bat_bytes_free(&json);
	bat_bytes_free(&again);
}
END_TEST

/*
 * The promise of `exact`, both ways; and what is shown is the same again after
 * it was read.
 */
static void
assert_round_trip(struct bat_slice payload, const char *what, uint64_t number)
{
	struct bat_buf json = BAT_BUF_EMPTY, pack = BAT_BUF_EMPTY;
	struct bat_buf again = BAT_BUF_EMPTY;
	struct bat_error error = { .code = 0 };
	bool exact, exact_again, clean = true;
	size_t used;
	int code = batfs_json_of_pack(payload, &json, &exact);

	if (code == BAT_DATA_CORRUPT) {
		struct bat_pack_reader reader = BAT_PACK_READER(payload);

		REQUIRE(bat_pack_skip(&reader, 128) != 0 ||
			bat_pack_left(&reader) > 0,
		    "%s %lu is one value", what, (unsigned long)number);
		bat_bytes_free(&json);
		return;
	}
	REQUIRE(code == 0, "%s", what);
	for (size_t i = 0; i < json.length; i++)
		clean &= json.data[i] >= 0x20 && json.data[i] != 0x7f;
	REQUIRE(clean, "%s", what);
	code = batfs_json_to_pack(bat_bytes_of_buf(&json), true, &pack, &used,
	    &error);
	REQUIRE(code == 0, "%s %lu: %s at %lu of %.*s", what,
	    (unsigned long)number, error.text, (unsigned long)error.offset,
	    (int)json.length, (char *)json.data);
	REQUIRE(used == json.length, "%s", what);
	REQUIRE(bat_bytes_equal(bat_bytes_of_buf(&pack), payload) == exact,
	    "%s %lu: exact is %d for %.*s", what, (unsigned long)number, exact,
	    (int)json.length, (char *)json.data);
	code = batfs_json_of_pack(bat_bytes_of_buf(&pack), &again,
	    &exact_again);
	REQUIRE(code == 0, "%s", what);
	REQUIRE(exact_again, "%s", what);
	REQUIRE(bat_bytes_equal(bat_bytes_of_buf(&again),
		    bat_bytes_of_buf(&json)),
	    "%s %lu", what, (unsigned long)number);
	bat_bytes_free(&json);
	bat_bytes_free(&pack);
	bat_bytes_free(&again);
}

/* Each "payload_b64" of a file. */
static size_t
round_trip_file(const char *path)
{
	static const char name[] = "\"payload_b64\":\"";
	struct bat_buf text = sample_read(path), payload = BAT_BUF_EMPTY;
	const char *at;
	size_t count = 0;

	ck_assert_int_eq(bat_bytes_append_byte(&text, 0), 0);
	at = strstr((char *)text.data, name);
	while (at != NULL) {
		const char *start = at + strlen(name);
		const char *end = strchr(start, '"');

		bat_bytes_clear(&payload);
		ck_assert_int_eq(
		    bat_bytes_append_unbase64(&payload,
			bat_bytes_slice(start, (size_t)(end - start))),
		    0);
		assert_round_trip(bat_bytes_of_buf(&payload), path, count++);
		at = strstr(end, name);
	}
	bat_bytes_free(&text);
	bat_bytes_free(&payload);
	return count;
}

START_TEST(golden_payloads_come_back)
{
	glob_t found;
	size_t count = 0;

	ck_assert_int_eq(
	    glob(TEST_DATA "/golden/*/expected.jsonl", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		count += round_trip_file(found.gl_pathv[i]);
	globfree(&found);
	ck_assert_uint_gt(count, 500);
}
END_TEST

START_TEST(random_values_come_back)
{
	struct random random = { seed };
	struct bat_buf pack = BAT_BUF_EMPTY;

	printf("random values: seed %lu\n", (unsigned long)seed);
	for (uint64_t i = 0; i < 100000; i++) {
		bat_bytes_clear(&pack);
		random_pack_append(&random, 6, &pack);
		/* Some are cut or go on. */
		if (i % 16 == 0 && pack.length > 0)
			pack.length--;
		else if (i % 16 == 1)
			ck_assert_int_eq(bat_bytes_append_byte(&pack, 0), 0);
		assert_round_trip(bat_bytes_of_buf(&pack), "value", i);
	}
	bat_bytes_free(&pack);
}
END_TEST

/* Text that was damaged at random is refused or read, and never more. */
START_TEST(damaged_text_does_no_harm)
{
	static const char bytes[] = "{}[]\",:\\u0123$binmapext-.eE \t\x80\xff";
	struct random random = { seed };
	struct bat_buf pack = BAT_BUF_EMPTY, json = BAT_BUF_EMPTY;
	struct bat_buf again = BAT_BUF_EMPTY;
	unsigned good = 0;

	for (int i = 0; i < 50000; i++) {
		uint32_t changes = 1 + random_below(&random, 4);
		bool exact;
		size_t used;
		int code;

		bat_bytes_clear(&pack);
		bat_bytes_clear(&json);
		bat_bytes_clear(&again);
		random_pack_append(&random, 5, &pack);
		if (batfs_json_of_pack(bat_bytes_of_buf(&pack), &json,
			&exact) != 0)
			continue;
		while (changes-- > 0)
			json.data[random_below(&random,
			    (uint32_t)json.length)] = (uint8_t)
			    bytes[random_below(&random, sizeof(bytes))];
		code = batfs_json_to_pack(bat_bytes_of_buf(&json), i % 2 == 0,
		    &again, &used, NULL);
		ck_assert(code == 0 || code == BAT_USE_INVALID);
		ck_assert_uint_le(used, json.length);
		if (code == 0)
			assert_round_trip(bat_bytes_of_buf(&again), "damaged",
			    (uint64_t)i);
		good += code == 0;
	}
	ck_assert_uint_gt(good, 1000);
	bat_bytes_free(&pack);
	bat_bytes_free(&json);
	bat_bytes_free(&again);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("json");
	TCase *promises = tcase_create("promises");
	TCase *many = tcase_create("many"); /* take their time */

	suite_add_tcase(suite, promises);
	suite_add_tcase(suite, many);
	tcase_set_timeout(promises, 300);
	tcase_set_timeout(many, 300);
	tcase_add_loop_test(promises,
	    strings_are_escaped_where_they_cut_lines_or_obey_terminals, 0,
	    COUNT(strings));
	tcase_add_test(promises, a_nul_is_escaped_and_read_back);
	tcase_add_loop_test(promises,
	    values_are_shown_and_read_as_the_contract_says, 0, COUNT(values));
	tcase_add_test(promises, what_is_not_one_whole_value_is_left_to_base64);
	tcase_add_test(promises, nesting_ends_at_128);
	tcase_add_test(promises, golden_payloads_come_back);
	tcase_add_test(many, random_values_come_back);
	tcase_add_test(many, damaged_text_does_no_harm);
	return suite_run(suite);
}
