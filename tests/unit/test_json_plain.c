/* The fast way to JSON against the general one: byte for byte the same. */
#include "../../fs/json_plain.h"

#include "bat.h"
#include "hex.h"
#include "json.h"
#include "random_pack.h"
#include "suite.h"
#include "two_ways.h"

static const uint64_t seed = 4711;

/* Either it gives up and leaves no trace, or it says what the general way says. */
static bool
compare(struct bat_slice payload)
{
	struct bat_buf fast = BAT_BUF_EMPTY, slow = BAT_BUF_EMPTY;
	uint8_t *copy = two_ways_copy(payload);
	bool exact;
	int code, general;

	two_ways_begin(&fast);
	code = batfs_json_plain_write(bat_bytes_slice(copy, payload.length),
	    &fast);
	general = batfs_json_of_any_pack(payload, &slow, &exact);
	if (code == BAT_END) {
		REQUIRE(two_ways_left_no_trace(&fast), "%zu bytes stay",
		    fast.length);
	} else {
		REQUIRE(code == 0 && general == 0, "%d, %d", code, general);
		REQUIRE(exact, "it is not exact: %.*s", (int)fast.length,
		    (char *)fast.data);
		REQUIRE(two_ways_agree(&fast, &slow), "%.*s instead of %.*s",
		    (int)fast.length, (char *)fast.data, (int)slow.length,
		    (char *)slow.data);
	}
	free(copy);
	bat_bytes_free(&fast);
	bat_bytes_free(&slow);
	return code == 0;
}

/* Values that programs write; all of them go the fast way. */
static const char *const plain[] = {
	"c0",
	"c2",
	"c3",
	"00",
	"7f",
	"e0",
	"ff",
	"cc80",
	"ccff",
	"cd0100",
	"cdffff",
	"ce00010000",
	"ceffffffff",
	"cf0000000100000000",
	"cfffffffffffffffff",
	"d0df",
	"d080",
	"d1ff7f",
	"d18000",
	"d2ffff7fff",
	"d280000000",
	"d3ffffffff7fffffff",
	"d38000000000000000",
	"cb3ff0000000000000",
	"cb8000000000000000",
	"a0",
	"a568656c6c6f",
	"90",
	"80",
	"93019003",
	"82a16101a16292c0c3",
	"84a2696401a46e616d65a5616c696365a17880a17992cb3ff8000000000000ff",
	"81a47461677393a161a162a163",
	/* Sixteen deep. */
	"91919191919191919191919191919101",
	/* Keys that are equal in their first seven bytes. */
	"82a861626364656667 6801a861626364656667 6902",
	/* What has to be escaped, what is not ASCII. */
	"81a4610a2262aac3a9e280a87f0061c285",
	/* An array of sixteen. */
	"dc001000010203040506070809 0a0b0c0d0e0f",
};

START_TEST(values_as_programs_write_them_go_the_fast_way)
{
	struct bat_buf pack = BAT_BUF_EMPTY;

	test_hex_append(&pack, plain[_i]);
	ck_assert_msg(compare(bat_bytes_of_buf(&pack)), "%s", plain[_i]);
	bat_bytes_free(&pack);
}
END_TEST

START_TEST(a_long_text_goes_the_fast_way_whatever_its_form)
{
	static const size_t lengths[] = { 31, 32, 255, 256, 65535, 65536 };
	struct bat_buf pack = BAT_BUF_EMPTY, text = BAT_BUF_EMPTY;

	while (text.length < 65536)
		ck_assert_int_eq(bat_bytes_append_byte(&text, 'y'), 0);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		bat_bytes_clear(&pack);
		ck_assert_int_eq(bat_pack_write_str(&pack,
				     bat_bytes_slice(text.data, lengths[i])),
		    0);
		ck_assert(compare(bat_bytes_of_buf(&pack)));
	}
	bat_bytes_free(&pack);
	bat_bytes_free(&text);
}
END_TEST

START_TEST(what_is_not_plain_is_left_to_the_general_way)
{
	static const char *const others[] = { "", "c1", "c400", "d4ff01",
		"ca3fc00000", "cb7ff8000000000000", "cb7ff0000000000000",
		"cc7f", "cd00ff", "ce0000ffff", "cf00000000ffffffff", "d005",
		"d0e0", "d1ff80", "d2ffff8000", "d3ffffffff80000000", "d90161",
		"da000161", "db0000000161", "dc000101", "de0001a16101",
		"dd0000000101", "a1ff", "a3e282", "82a16101a16102", "810102",
		"81a42462696e01", "81a12401", "0101", "91", "a261", "81a161",
		"9191919191919191919191919191919191c0" };
	struct bat_buf pack = BAT_BUF_EMPTY;

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		bat_bytes_clear(&pack);
		test_hex_append(&pack, others[i]);
		ck_assert_msg(!compare(bat_bytes_of_buf(&pack)), "%s",
		    others[i]);
	}
	bat_bytes_free(&pack);
}
END_TEST

START_TEST(a_changed_byte_is_seen_by_both_in_the_same_way)
{
	struct bat_buf pack = BAT_BUF_EMPTY;

	test_hex_append(&pack, plain[_i]);
	two_ways_change(&pack, compare);
	bat_bytes_free(&pack);
}
END_TEST

START_TEST(random_values_are_the_same_both_ways)
{
	struct random random = { seed };
	struct bat_buf pack = BAT_BUF_EMPTY;
	unsigned fast = 0;

	for (unsigned i = 0; i < 50000; i++) {
		bat_bytes_clear(&pack);
		random_pack_append(&random, 4, &pack);
		fast += compare(bat_bytes_of_buf(&pack));
	}
	ck_assert_uint_gt(fast, 5000);
	bat_bytes_free(&pack);
}
END_TEST

START_TEST(the_copy_ends_where_its_scalar_twin_does)
{
	struct random random = { seed };
	uint8_t from[96], fast[96 + BATFS_JSON_PLAIN_ROOM];
	uint8_t slow[96 + BATFS_JSON_PLAIN_ROOM];

	for (unsigned i = 0; i < 100000; i++) {
		size_t start = random_below(&random, 16);
		size_t length = random_below(&random, 81);
		size_t other = start + random_below(&random, 80);
		size_t count;

		memset(from, 'a', sizeof(from));
		if (i % 4 != 0)
			from[other] = (uint8_t)random_next(&random);
		count = batfs_json_plain_copy(fast, from + start, length);
		REQUIRE(batfs_json_plain_copy_scalar(slow, from + start,
			    length) == count,
		    "%zu", count);
		REQUIRE(memcmp(fast, slow, count) == 0 &&
			memcmp(fast, from + start, count) == 0,
		    "%zu", count);
	}
	/* Each byte at each place of a step. */
	for (unsigned byte = 0; byte < 256; byte++) {
		for (size_t at = 0; at < 40; at++) {
			memset(from, ' ', sizeof(from));
			from[at] = (uint8_t)byte;
			REQUIRE(batfs_json_plain_copy(fast, from, 40) ==
				batfs_json_plain_copy_scalar(slow, from, 40),
			    "%02x at %zu", byte, at);
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("json_plain");
	TCase *promises = tcase_create("promises");
	int count = (int)(sizeof(plain) / sizeof(*plain));

	tcase_set_timeout(promises, 60);
	suite_add_tcase(suite, promises);
	tcase_add_loop_test(promises,
	    values_as_programs_write_them_go_the_fast_way, 0, count);
	tcase_add_test(promises,
	    a_long_text_goes_the_fast_way_whatever_its_form);
	tcase_add_test(promises, what_is_not_plain_is_left_to_the_general_way);
	tcase_add_loop_test(promises,
	    a_changed_byte_is_seen_by_both_in_the_same_way, 0, count);
	tcase_add_test(promises, random_values_are_the_same_both_ways);
	tcase_add_test(promises, the_copy_ends_where_its_scalar_twin_does);
	return suite_run(suite);
}
