/* The swift way from JSON against the general one: byte for byte the same. */
#include "../../fs/json_swift.h"

#include "random_pack.h"
#include "suite.h"
#include "two_ways.h"

static const uint64_t seed = 4711;

/* Either it gives up and leaves no trace, or it reads what the general way
 * reads, tags or not. */
static bool
compare(struct bat_slice text)
{
	struct bat_buf fast = BAT_BUF_EMPTY, slow = BAT_BUF_EMPTY;
	uint8_t *copy = two_ways_copy(text);
	size_t used, general_used;
	int code;

	two_ways_begin(&fast);
	code = batfs_json_swift_read(bat_bytes_slice(copy, text.length), &fast,
	    &used);
	REQUIRE(code == 0 || code == BAT_END, "%d", code);
	REQUIRE(code == 0 || two_ways_left_no_trace(&fast), "%zu bytes stay",
	    fast.length);
	for (int tagged = 0; code == 0 && tagged < 2; tagged++) {
		struct bat_error error = { .text = "" };

		bat_bytes_clear(&slow);
		REQUIRE(batfs_json_read_any(text, tagged != 0, &slow,
			    &general_used, &error) == 0,
		    "%.*s: %s", (int)text.length, (const char *)text.data,
		    error.text);
		REQUIRE(used == general_used && two_ways_agree(&fast, &slow),
		    "%.*s: %zu and %zu, %zu and %zu bytes", (int)text.length,
		    (const char *)text.data, used, general_used,
		    fast.length - 1, slow.length);
	}
	free(copy);
	bat_bytes_free(&fast);
	bat_bytes_free(&slow);
	return code == 0;
}

/* Texts that programs write; all of them go the swift way. */
static const char *const swift[] = {
	"0",
	"-0",
	"7",
	"127",
	"128",
	"255",
	"256",
	"65535",
	"65536",
	"4294967295",
	"4294967296",
	"999999999999999999",
	"1000000000000000000",
	"9223372036854775807",
	"18446744073709551615",
	"-1",
	"-32",
	"-33",
	"-128",
	"-129",
	"-32768",
	"-32769",
	"-2147483648",
	"-2147483649",
	"-9223372036854775808",
	"1.5",
	"-0.0",
	"1e1",
	"[1e1,1e1,1e1,1e1,1e1,1e1,1e1]",
	"true",
	"false",
	"null",
	"\"\"",
	"\"hello\"",
	"\"a text of thirty-one bytes, yes\"",
	"\"a text of thirty-two bytes, yes!\"",
	"\"gr\xc3\xbc\xc3\x9f"
	"e an alle, und \xf0\x9f\x98\x80\"",
	"[]",
	"{}",
	" [ ] ",
	"{ }",
	"\t{ \"a\" : 1 , \"b\" : [ true , null ] }\r",
	"{\"n\":12,\"who\":\"player:0000abcd\",\"ok\":true,\"text\":\"the "
	"quick "
	"brown fox jumps over the lazy dog and then looks back\"}",
	"{\"id\":1,\"name\":\"alice\",\"x\":{\"y\":[1.5,-1]}}",
	"[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]",
	"[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]",
	"[[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16],\"behind\"]",
	"{\"abcdefgh\":1,\"abcdefgi\":2}",
	"{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":2}}",
	"[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]",
	"1 and more",
	"{\"a\":1} {\"b\":2}",
};

/* Left to the general way, which takes some of them. */
static const char *const others[] = {
	"",
	" ",
	"-",
	"+1",
	"01",
	"-01",
	"1.",
	".5",
	"1e",
	"18446744073709551616",
	"-9223372036854775809",
	"1e999",
	"tru",
	"nul",
	"hello",
	"\"",
	"\"a",
	"\"a\\n\"",
	"\"a\tb\"",
	"\"\xc3\"",
	"\"0123456789abcdef\xff\"",
	"[",
	"[1",
	"[1,]",
	"[,1]",
	"[1 2]",
	"[1}",
	"{",
	"{\"a\"",
	"{\"a\":",
	"{\"a\":1",
	"{\"a\":1,}",
	"{\"a\" 1}",
	"{a:1}",
	"{1:1}",
	"{\"a\":1]",
	"{\"a\":1,\"a\":2}",
	"{\"abcdefgh\":1,\"abcdefgh\":2}",
	"{\"$bin\":\"AA==\"}",
	"{\"$\":1}",
	"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
};

START_TEST(texts_as_programs_write_them_go_the_swift_way)
{
	ck_assert_msg(compare(bat_bytes_text(swift[_i])), "%s", swift[_i]);
}
END_TEST

START_TEST(what_is_not_plain_is_left_to_the_general_way)
{
	ck_assert_msg(!compare(bat_bytes_text(others[_i])), "%s", others[_i]);
}
END_TEST

START_TEST(a_changed_byte_is_seen_by_both_in_the_same_way)
{
	struct bat_buf text = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_bytes_append_text(&text, swift[_i]), 0);
	two_ways_change(&text, compare);
	bat_bytes_free(&text);
}
END_TEST

START_TEST(random_values_are_the_same_both_ways)
{
	struct random random = { seed };
	struct bat_buf pack = BAT_BUF_EMPTY, text = BAT_BUF_EMPTY;
	unsigned fast = 0;
	bool exact;

	for (unsigned i = 0; i < 30000; i++) {
		bat_bytes_clear(&pack);
		bat_bytes_clear(&text);
		random_pack_append(&random, 4, &pack);
		if (batfs_json_of_pack(bat_bytes_of_buf(&pack), &text,
			&exact) != 0)
			continue;
		fast += compare(bat_bytes_of_buf(&text));
	}
	ck_assert_uint_gt(fast, 3000);
	bat_bytes_free(&pack);
	bat_bytes_free(&text);
}
END_TEST

/* Each byte that may end a text or be wrong, at each place of a step. */
START_TEST(a_text_ends_where_it_does_at_every_place)
{
	char line[64];

	for (size_t length = 0; length < 40; length++) {
		for (size_t at = 0; at < length; at++) {
			for (unsigned byte = 0; byte < 256; byte++) {
				line[0] = '"';
				memset(line + 1, 'a', length);
				line[1 + at] = (char)byte;
				memcpy(line + 1 + length, "\",1", 3);
				(void)compare(
				    bat_bytes_slice(line, length + 4));
			}
		}
	}
}
END_TEST

/* Strings, arrays and objects at the edges of their headers. */
START_TEST(headers_are_the_shortest_at_every_edge)
{
	static const size_t edges[] = { 15, 16, 31, 32, 63, 64, 65, 255, 256,
		4000, 16000 };
	struct bat_buf text = BAT_BUF_EMPTY;

	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		size_t keys = edges[i] <= 65 ? edges[i] : 10;

		bat_bytes_clear(&text);
		ck_assert_int_eq(bat_bytes_append_text(&text, "[\""), 0);
		for (size_t j = 0; j < edges[i]; j++)
			ck_assert_int_eq(bat_bytes_append_byte(&text, 'a'), 0);
		ck_assert_int_eq(bat_bytes_append_text(&text, "\",[0"), 0);
		for (size_t j = 1; j < edges[i]; j++)
			ck_assert_int_eq(bat_bytes_append_text(&text, ",0"), 0);
		ck_assert_int_eq(bat_bytes_append_text(&text, "],{\"k\":0"), 0);
		for (size_t j = 1; j < keys; j++)
			ck_assert_int_eq(bat_bytes_append_format(&text,
					     ",\"k%zu\":0", j),
			    0);
		ck_assert_int_eq(bat_bytes_append_text(&text, "}]"), 0);
		/* More than 64 keys are too many for it. */
		ck_assert(compare(bat_bytes_of_buf(&text)) == (keys <= 64));
	}
	bat_bytes_free(&text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("json_swift");
	TCase *same = tcase_create("same");
	const int swift_count = sizeof(swift) / sizeof(swift[0]);
	const int other_count = sizeof(others) / sizeof(others[0]);

	suite_add_tcase(suite, same);
	tcase_add_loop_test(same, texts_as_programs_write_them_go_the_swift_way,
	    0, swift_count);
	tcase_add_loop_test(same, what_is_not_plain_is_left_to_the_general_way,
	    0, other_count);
	tcase_add_loop_test(same,
	    a_changed_byte_is_seen_by_both_in_the_same_way, 0, swift_count);
	tcase_add_test(same, random_values_are_the_same_both_ways);
	tcase_add_test(same, a_text_ends_where_it_does_at_every_place);
	tcase_add_test(same, headers_are_the_shortest_at_every_edge);
	return suite_run(suite);
}
