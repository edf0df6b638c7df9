/* Tokens, skipping and writing. Byte vectors and typed reads: test_pack_read.c.
 */
#include "pack.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "hex.h"
#include "suite.h"

/* The bytes that hex spells, in memory of exactly their size, so that a
 * sanitizer sees each step beyond them. */
static struct bat_slice
exact(const char *hex)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	uint8_t *data;
	size_t length;

	test_hex_append(&buf, hex);
	length = buf.length;
	data = malloc(length + (length == 0));
	ck_assert_ptr_nonnull(data);
	if (length > 0)
		memcpy(data, buf.data, length);
	bat_bytes_free(&buf);
	return bat_bytes_slice(data, length);
}

static void
release(struct bat_slice slice)
{
	union {
		const uint8_t *borrowed;
		void *owned;
	} memory = { .borrowed = slice.data };

	free(memory.owned);
}

/* One token, which must be all there is. */
static struct bat_pack_token
token_of(struct bat_slice slice)
{
	struct bat_pack_reader reader = BAT_PACK_READER(slice);
	struct bat_pack_token token;

	ck_assert_int_eq(bat_pack_next(&reader, &token), 0);
	ck_assert_uint_eq(bat_pack_left(&reader), 0);
	return token;
}

/* FORMAT.md 14.1, and what stands between. */
static const struct {
	int64_t value;
	const char *hex;
} integers[] = {
	{ 0, "00" },
	{ 127, "7f" },
	{ 128, "cc80" },
	{ 255, "ccff" },
	{ 256, "cd0100" },
	{ 65535, "cdffff" },
	{ 65536, "ce00010000" },
	{ 4294967295, "ceffffffff" },
	{ 4294967296, "cf0000000100000000" },
	{ 1700000000000000, "cf00060a24181e4000" },
	{ INT64_MAX, "cf7fffffffffffffff" },
	{ -1, "ff" },
	{ -32, "e0" },
	{ -33, "d0df" },
	{ -128, "d080" },
	{ -129, "d1ff7f" },
	{ -32768, "d18000" },
	{ -32769, "d2ffff7fff" },
	{ -2147483648LL, "d280000000" },
	{ -2147483649LL, "d3ffffffff7fffffff" },
	{ INT64_MIN, "d38000000000000000" },
};

START_TEST(integers_are_written_in_the_shortest_form_and_read_back)
{
	for (size_t i = 0; i < sizeof(integers) / sizeof(*integers); i++) {
		int64_t value = integers[i].value, back = 0;
		struct bat_buf buf = BAT_BUF_EMPTY;
		struct bat_pack_reader reader;
		struct bat_pack_token token;

		ck_assert_int_eq(bat_pack_write_int(&buf, value), 0);
		ck_assert(
		    test_hex_equals(bat_bytes_of_buf(&buf), integers[i].hex));
		reader = BAT_PACK_READER(bat_bytes_of_buf(&buf));
		ck_assert_int_eq(bat_pack_read_int(&reader, &back), 0);
		ck_assert_int_eq(back, value);
		token = token_of(bat_bytes_of_buf(&buf));
		ck_assert(token.shortest);
		if (value < 0) {
			ck_assert_int_eq(token.type, BAT_PACK_INT);
			ck_assert_int_eq(token.integer, value);
		} else {
			ck_assert_int_eq(token.type, BAT_PACK_UINT);
			ck_assert_uint_eq(token.number, (uint64_t)value);
			bat_bytes_clear(&buf);
			ck_assert_int_eq(
			    bat_pack_write_uint(&buf, (uint64_t)value), 0);
			ck_assert(test_hex_equals(bat_bytes_of_buf(&buf),
			    integers[i].hex));
		}
		bat_bytes_free(&buf);
	}
}
END_TEST

/* Numbers in more bytes than they need, and those just long enough. */
static const struct {
	const char *hex;
	enum bat_pack_type type;
	uint64_t number;
	int64_t integer;
	bool shortest;
} wide_integers[] = {
	{ "cc7f", BAT_PACK_UINT, 127, 0, false },
	{ "cd00ff", BAT_PACK_UINT, 255, 0, false },
	{ "ce0000ffff", BAT_PACK_UINT, 65535, 0, false },
	{ "cf00000000ffffffff", BAT_PACK_UINT, 4294967295, 0, false },
	{ "cfffffffffffffffff", BAT_PACK_UINT, UINT64_MAX, 0, true },
	{ "d07f", BAT_PACK_UINT, 127, 0, false },
	{ "d10080", BAT_PACK_UINT, 128, 0, false },
	{ "d27fffffff", BAT_PACK_UINT, 2147483647, 0, false },
	{ "d37fffffffffffffff", BAT_PACK_UINT, INT64_MAX, 0, false },
	{ "d0ff", BAT_PACK_INT, 0, -1, false },
	{ "d0e0", BAT_PACK_INT, 0, -32, false },
	{ "d1ff80", BAT_PACK_INT, 0, -128, false },
	{ "d2ffff8000", BAT_PACK_INT, 0, -32768, false },
	{ "d3ffffffff80000000", BAT_PACK_INT, 0, -2147483648LL, false },
};

START_TEST(longer_integers_are_read_and_told_apart)
{
	for (size_t i = 0; i < sizeof(wide_integers) / sizeof(*wide_integers);
	     i++) {
		struct bat_slice slice = exact(wide_integers[i].hex);
		struct bat_pack_token token = token_of(slice);

		ck_assert_int_eq(token.type, wide_integers[i].type);
		ck_assert_uint_eq(token.number, wide_integers[i].number);
		ck_assert_int_eq(token.integer, wide_integers[i].integer);
		ck_assert_int_eq(token.shortest, wide_integers[i].shortest);
		release(slice);
	}
}
END_TEST

START_TEST(simple_values_are_told_by_their_marker)
{
	struct bat_slice nil = exact("c0"), no = exact("c2"), yes = exact("c3");

	ck_assert_int_eq(token_of(nil).type, BAT_PACK_NIL);
	ck_assert(token_of(nil).shortest);
	ck_assert_int_eq(token_of(no).type, BAT_PACK_BOOL);
	ck_assert(!token_of(no).boolean);
	ck_assert_int_eq(token_of(yes).type, BAT_PACK_BOOL);
	ck_assert(token_of(yes).boolean);
	release(nil);
	release(no);
	release(yes);
}
END_TEST

START_TEST(floats_keep_their_value_and_only_one_nan_is_canonical)
{
	struct bat_slice half = exact("cb3fe0000000000000");
	struct bat_slice narrow = exact("ca3f000000");
	struct bat_slice nan_usual = exact("cb7ff8000000000000");
	struct bat_slice nan_other = exact("cb7ff8000000000001");
	struct bat_slice nan_minus = exact("cbfff8000000000000");
	struct bat_slice infinite = exact("cb7ff0000000000000");
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(token_of(half).type, BAT_PACK_FLOAT64);
	ck_assert_double_eq(token_of(half).real, 0.5);
	ck_assert(token_of(half).shortest);
	ck_assert_int_eq(token_of(narrow).type, BAT_PACK_FLOAT32);
	ck_assert_double_eq(token_of(narrow).real, 0.5);
	ck_assert(!token_of(narrow).shortest);
	ck_assert_double_nan(token_of(nan_usual).real);
	ck_assert(token_of(nan_usual).shortest);
	ck_assert(!token_of(nan_other).shortest);
	ck_assert(!token_of(nan_minus).shortest);
	ck_assert(token_of(infinite).shortest);
	ck_assert_int_eq(bat_pack_write_float64(&buf, -1.5), 0);
	ck_assert_int_eq(bat_pack_write_float64(&buf, -(double)NAN), 0);
	ck_assert(test_hex_equals(bat_bytes_of_buf(&buf),
	    "cbbff8000000000000 cb7ff8000000000000"));
	bat_bytes_free(&buf);
	release(half);
	release(narrow);
	release(nan_usual);
	release(nan_other);
	release(nan_minus);
	release(infinite);
}
END_TEST

typedef int (*write_fn)(struct bat_buf *buf, struct bat_slice value);

static int
write_ext(struct bat_buf *buf, struct bat_slice value)
{
	return bat_pack_write_ext(buf, -7, value);
}

/* The header that a value of this length gets. */
static const struct {
	write_fn write;
	enum bat_pack_type type;
	size_t length;
	const char *header;
} sized_values[] = {
	{ bat_pack_write_str, BAT_PACK_STR, 0, "a0" },
	{ bat_pack_write_str, BAT_PACK_STR, 31, "bf" },
	{ bat_pack_write_str, BAT_PACK_STR, 32, "d920" },
	{ bat_pack_write_str, BAT_PACK_STR, 255, "d9ff" },
	{ bat_pack_write_str, BAT_PACK_STR, 256, "da0100" },
	{ bat_pack_write_str, BAT_PACK_STR, 65535, "daffff" },
	{ bat_pack_write_str, BAT_PACK_STR, 65536, "db00010000" },
	{ bat_pack_write_bin, BAT_PACK_BIN, 0, "c400" },
	{ bat_pack_write_bin, BAT_PACK_BIN, 255, "c4ff" },
	{ bat_pack_write_bin, BAT_PACK_BIN, 256, "c50100" },
	{ bat_pack_write_bin, BAT_PACK_BIN, 65535, "c5ffff" },
	{ bat_pack_write_bin, BAT_PACK_BIN, 65536, "c600010000" },
	{ write_ext, BAT_PACK_EXT, 0, "c700f9" },
	{ write_ext, BAT_PACK_EXT, 1, "d4f9" },
	{ write_ext, BAT_PACK_EXT, 2, "d5f9" },
	{ write_ext, BAT_PACK_EXT, 3, "c703f9" },
	{ write_ext, BAT_PACK_EXT, 4, "d6f9" },
	{ write_ext, BAT_PACK_EXT, 8, "d7f9" },
	{ write_ext, BAT_PACK_EXT, 16, "d8f9" },
	{ write_ext, BAT_PACK_EXT, 17, "c711f9" },
	{ write_ext, BAT_PACK_EXT, 255, "c7fff9" },
	{ write_ext, BAT_PACK_EXT, 256, "c80100f9" },
	{ write_ext, BAT_PACK_EXT, 65536, "c900010000f9" },
};

START_TEST(lengths_are_written_in_the_shortest_form_and_read_back)
{
	static uint8_t content[65536];

	memset(content, 'x', sizeof(content));
	for (size_t i = 0; i < sizeof(sized_values) / sizeof(*sized_values);
	     i++) {
		struct bat_slice value = bat_bytes_slice(content,
		    sized_values[i].length);
		size_t header = strlen(sized_values[i].header) / 2;
		struct bat_buf buf = BAT_BUF_EMPTY;
		struct bat_pack_token token;

		ck_assert_int_eq(sized_values[i].write(&buf, value), 0);
		ck_assert_uint_eq(buf.length, header + value.length);
		ck_assert_msg(test_hex_equals(bat_bytes_slice(buf.data, header),
				  sized_values[i].header),
		    "case %zu", i);
		token = token_of(bat_bytes_of_buf(&buf));
		ck_assert_int_eq(token.type, sized_values[i].type);
		ck_assert(token.shortest);
		ck_assert(bat_bytes_equal(token.bytes, value));
		ck_assert_int_eq(token.ext_type,
		    token.type == BAT_PACK_EXT ? -7 : 0);
		bat_bytes_free(&buf);
	}
}
END_TEST

START_TEST(longer_headers_are_read_and_told_apart)
{
	static const char *const cases[] = { "d90161", "da000161",
		"db0000000161", "c50001 61", "c60000000161", "c701f961",
		"c80001f961", "c900000001f961", "c702f96161", "dc0001 61",
		"dd0000000161", "de0001 6161", "df000000016161" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct bat_slice slice = exact(cases[i]);
		struct bat_pack_reader reader = BAT_PACK_READER(slice);
		struct bat_pack_token token;

		ck_assert_int_eq(bat_pack_next(&reader, &token), 0);
		ck_assert_msg(!token.shortest, "%s", cases[i]);
		release(slice);
	}
}
END_TEST

START_TEST(containers_are_headers_with_a_count)
{
	static const struct {
		uint32_t count;
		const char *array;
		const char *map;
	} cases[] = {
		{ 0, "90", "80" },
		{ 15, "9f", "8f" },
		{ 16, "dc0010", "de0010" },
		{ 65535, "dcffff", "deffff" },
		{ 65536, "dd00010000", "df00010000" },
	};
	static const uint8_t elements[2 * 65536];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct bat_buf buf = BAT_BUF_EMPTY;
		struct bat_pack_reader reader;
		uint32_t count = 7;

		ck_assert_int_eq(bat_pack_write_array(&buf, cases[i].count), 0);
		ck_assert(
		    test_hex_equals(bat_bytes_of_buf(&buf), cases[i].array));
		ck_assert_int_eq(
		    bat_bytes_append(&buf, elements, cases[i].count), 0);
		reader = BAT_PACK_READER(bat_bytes_of_buf(&buf));
		ck_assert_int_eq(bat_pack_read_array(&reader, &count), 0);
		ck_assert_uint_eq(count, cases[i].count);
		ck_assert_uint_eq(bat_pack_left(&reader), count);

		bat_bytes_clear(&buf);
		ck_assert_int_eq(bat_pack_write_map(&buf, cases[i].count), 0);
		ck_assert(
		    test_hex_equals(bat_bytes_of_buf(&buf), cases[i].map));
		ck_assert_int_eq(
		    bat_bytes_append(&buf, elements, 2 * cases[i].count), 0);
		reader = BAT_PACK_READER(bat_bytes_of_buf(&buf));
		ck_assert_int_eq(bat_pack_read_map(&reader, &count), 0);
		ck_assert_uint_eq(count, cases[i].count);
		bat_bytes_free(&buf);
	}
}
END_TEST

START_TEST(what_its_bytes_cannot_hold_is_corrupt_and_not_consumed)
{
	static const char *const cases[] = { "", "c1", "cc", "cd01", "ce010203",
		"cf01020304050607", "d0", "d1ff", "d2ffffff",
		"d3ffffffffffffff", "ca000000", "cb00000000000000", "a261",
		"d9", "d902 61", "da00", "da0002 61", "db000000",
		"dbffffffff 61", "c4", "c402 61", "c500", "c6ffffffff", "c7",
		"c701", "c702f9 61", "c8ffff f9", "c9ffffffff f9", "d4", "d4f9",
		"d8f9 61", "91", "9203", "dc", "dc00", "dc0002 01", "dd000000",
		"ddffffffff 01", "81", "81 01", "de", "de0001 01",
		"dfffffffff 01", "df80000000 01" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct bat_slice slice = exact(cases[i]);
		struct bat_pack_reader reader = BAT_PACK_READER(slice);
		struct bat_pack_token token;

		ck_assert_msg(bat_pack_next(&reader, &token) ==
			BAT_DATA_CORRUPT,
		    "%s", cases[i]);
		ck_assert_ptr_eq(reader.at, slice.data);
		release(slice);
	}
}
END_TEST

START_TEST(a_whole_value_is_skipped_with_all_that_is_in_it)
{
	static const char *const cases[] = { "00", "c0", "a3616263", "90", "80",
		"93 01 92 02 03 80", "82 a161 91 91 90 a162 82 01 02 03 c0",
		"dc0003 c403 010203 d4f901 cb0000000000000000" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct bat_buf buf = BAT_BUF_EMPTY;
		struct bat_pack_reader reader;

		test_hex_append(&buf, cases[i]);
		test_hex_append(&buf, "c1");
		reader = BAT_PACK_READER(bat_bytes_of_buf(&buf));
		ck_assert_int_eq(bat_pack_skip(&reader, 5), 0);
		ck_assert_msg(bat_pack_left(&reader) == 1, "%s", cases[i]);
		/* Every shorter prefix lacks something. */
		for (size_t cut = 0; cut + 1 < buf.length; cut++) {
			reader = BAT_PACK_READER(
			    bat_bytes_slice(buf.data, cut));
			ck_assert_int_eq(bat_pack_skip(&reader, 5),
			    BAT_DATA_CORRUPT);
		}
		bat_bytes_free(&buf);
	}
}
END_TEST

START_TEST(nesting_ends_at_the_limit)
{
	static uint8_t nested[3000];
	struct bat_pack_reader reader;

	/* depth - 1 arrays around one nil. */
	memset(nested, 0x91, sizeof(nested));
	for (unsigned depth = 1; depth <= BAT_PACK_DEPTH_MAX; depth += 31) {
		struct bat_slice slice = bat_bytes_slice(nested, depth);

		nested[depth - 1] = 0xc0;
		reader = BAT_PACK_READER(slice);
		ck_assert_int_eq(bat_pack_skip(&reader, depth), 0);
		ck_assert_uint_eq(bat_pack_left(&reader), 0);
		reader = BAT_PACK_READER(slice);
		ck_assert_int_eq(bat_pack_skip(&reader, depth - 1),
		    BAT_DATA_CORRUPT);
		nested[depth - 1] = 0x91;
	}
	nested[sizeof(nested) - 1] = 0xc0;
	reader = BAT_PACK_READER(bat_bytes_slice(nested, sizeof(nested)));
	ck_assert_int_eq(bat_pack_skip(&reader, UINT32_MAX), BAT_DATA_CORRUPT);
	reader = BAT_PACK_READER(BAT_SLICE_EMPTY);
	ck_assert_int_eq(bat_pack_skip(&reader, 1), BAT_DATA_CORRUPT);
}
END_TEST

START_TEST(a_value_above_the_format_is_refused_untouched)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_slice huge = bat_bytes_slice("", (size_t)UINT32_MAX + 1);

	ck_assert_int_eq(bat_pack_write_str(&buf, huge), BAT_USE_TOO_LARGE);
	ck_assert_int_eq(bat_pack_write_bin(&buf, huge), BAT_USE_TOO_LARGE);
	ck_assert_int_eq(bat_pack_write_ext(&buf, 1, huge), BAT_USE_TOO_LARGE);
	ck_assert_int_eq(bat_pack_write_byte_array(&buf, huge),
	    BAT_USE_TOO_LARGE);
	ck_assert_uint_eq(buf.length, 0);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(ids_text_and_simple_values_are_written_as_the_format_says)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_id id = bat_id_from_number(0x80);

	ck_assert_int_eq(bat_pack_write_nil(&buf), 0);
	ck_assert_int_eq(bat_pack_write_bool(&buf, false), 0);
	ck_assert_int_eq(bat_pack_write_bool(&buf, true), 0);
	ck_assert_int_eq(bat_pack_write_text(&buf, "ab"), 0);
	ck_assert_int_eq(bat_pack_write_id(&buf, &id), 0);
	ck_assert_int_eq(bat_pack_write_id_or_nil(&buf, &id), 0);
	ck_assert_int_eq(bat_pack_write_id_or_nil(&buf, &BAT_ID_ZERO), 0);
	ck_assert(test_hex_equals(bat_bytes_of_buf(&buf),
	    "c0 c2 c3 a26162"
	    "c410 00000000000000000000000000000080"
	    "c410 00000000000000000000000000000080 c0"));
	bat_bytes_free(&buf);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pack");
	TCase *promises = tcase_create("promises");

	suite_add_tcase(suite, promises);
	tcase_add_test(promises,
	    integers_are_written_in_the_shortest_form_and_read_back);
	tcase_add_test(promises, longer_integers_are_read_and_told_apart);
	tcase_add_test(promises, simple_values_are_told_by_their_marker);
	tcase_add_test(promises,
	    floats_keep_their_value_and_only_one_nan_is_canonical);
	tcase_add_test(promises,
	    lengths_are_written_in_the_shortest_form_and_read_back);
	tcase_add_test(promises, longer_headers_are_read_and_told_apart);
	tcase_add_test(promises, containers_are_headers_with_a_count);
	tcase_add_test(promises,
	    what_its_bytes_cannot_hold_is_corrupt_and_not_consumed);
	tcase_add_test(promises,
	    a_whole_value_is_skipped_with_all_that_is_in_it);
	tcase_add_test(promises, nesting_ends_at_the_limit);
	tcase_add_test(promises, a_value_above_the_format_is_refused_untouched);
	tcase_add_test(promises,
	    ids_text_and_simple_values_are_written_as_the_format_says);
	return suite_run(suite);
}
