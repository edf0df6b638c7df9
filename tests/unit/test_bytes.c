#include "bytes.h"

#include <check.h>

#include "error.h"
#include "suite.h"

START_TEST(slices_compare_as_memcmp_with_a_prefix_first)
{
	struct bat_slice ab = bat_bytes_text("ab");
	struct bat_slice abc = bat_bytes_text("abc");
	struct bat_slice high = bat_bytes_text("\xff");

	ck_assert(bat_bytes_equal(ab, bat_bytes_text("ab")));
	ck_assert(!bat_bytes_equal(ab, abc));
	ck_assert(!bat_bytes_equal(ab, bat_bytes_text("ac")));
	ck_assert(bat_bytes_equal(BAT_SLICE_EMPTY, bat_bytes_text("")));
	ck_assert_int_lt(bat_bytes_compare(ab, abc), 0);
	ck_assert_int_gt(bat_bytes_compare(abc, ab), 0);
	ck_assert_int_gt(bat_bytes_compare(high, abc), 0);
	ck_assert_int_eq(bat_bytes_compare(abc, abc), 0);
	ck_assert_int_lt(bat_bytes_compare(BAT_SLICE_EMPTY, ab), 0);
	ck_assert_int_eq(bat_bytes_compare(BAT_SLICE_EMPTY, BAT_SLICE_EMPTY),
	    0);
}
END_TEST

START_TEST(one_different_byte_makes_slices_different)
{
	uint8_t a[80], b[80];

	for (size_t i = 0; i < sizeof(a); i++)
		a[i] = b[i] = (uint8_t)(i * 7);
	for (size_t length = 0; length <= sizeof(a); length++) {
		struct bat_slice x = bat_bytes_slice(a, length);
		struct bat_slice y = bat_bytes_slice(b, length);

		ck_assert(bat_bytes_equal(x, y));
		for (size_t at = 0; at < sizeof(a); at++) {
			b[at] ^= 0x80;
			ck_assert_int_eq(bat_bytes_equal(x, y), at >= length);
			b[at] ^= 0x80;
		}
	}
}
END_TEST

static const char *const good_texts[] = { "", "plain ascii, longer than a word",
	"\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
	"\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
	"1234567\xc3\xa9", "12345678\xe2\x82\xac" };

static const char *const bad_texts[] = { "\x80", "\xbf", "\xc0\x80", "\xc1\xbf",
	"\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xe2\x82", "\xe2\x28\xa1",
	"\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x9f\xa6",
	"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82\xc0",
	"\xf0\x9f\x41\x87", "12345678\xe2\x82" };

START_TEST(well_formed_utf8_is_told_from_other_bytes)
{
	for (size_t i = 0; i < sizeof(good_texts) / sizeof(*good_texts); i++)
		ck_assert_msg(bat_bytes_is_utf8(bat_bytes_text(good_texts[i])),
		    "good text %zu", i);
	for (size_t i = 0; i < sizeof(bad_texts) / sizeof(*bad_texts); i++)
		ck_assert_msg(!bat_bytes_is_utf8(bat_bytes_text(bad_texts[i])),
		    "bad text %zu", i);
	ck_assert(bat_bytes_is_utf8(bat_bytes_slice("a\0b", 3)));
}
END_TEST

START_TEST(a_stray_byte_is_found_wherever_it_stands)
{
	uint8_t text[80];

	memset(text, 'a', sizeof(text));
	for (size_t length = 1; length <= sizeof(text); length++) {
		ck_assert(bat_bytes_is_utf8(bat_bytes_slice(text, length)));
		for (size_t at = 0; at < length; at++) {
			text[at] = 0x80;
			ck_assert_msg(!bat_bytes_is_utf8(
					  bat_bytes_slice(text, length)),
			    "byte %zu of %zu", at, length);
			text[at] = 'a';
		}
	}
}
END_TEST

START_TEST(a_buffer_grows_and_keeps_what_it_holds)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	for (unsigned i = 0; i < 10000; i++)
		ck_assert_int_eq(bat_bytes_append_byte(&buf, (uint8_t)i), 0);
	ck_assert_uint_eq(buf.length, 10000);
	ck_assert_uint_le(buf.length, buf.capacity);
	for (unsigned i = 0; i < 10000; i++)
		ck_assert_uint_eq(buf.data[i], (uint8_t)i);
	bat_bytes_clear(&buf);
	ck_assert_uint_eq(buf.length, 0);
	ck_assert_uint_ge(buf.capacity, 10000);
	bat_bytes_free(&buf);
	ck_assert_ptr_null(buf.data);
	ck_assert_uint_eq(buf.capacity, 0);
}
END_TEST

START_TEST(a_buffer_that_cannot_grow_is_unchanged)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	uint8_t *data;

	ck_assert_int_eq(bat_bytes_append_text(&buf, "kept"), 0);
	data = buf.data;
	ck_assert_int_eq(bat_bytes_reserve(&buf, SIZE_MAX),
	    BAT_WORLD_NO_MEMORY);
	ck_assert_int_eq(bat_bytes_reserve(&buf, PTRDIFF_MAX),
	    BAT_WORLD_NO_MEMORY);
	ck_assert_int_eq(bat_bytes_append_hex(&buf, "", SIZE_MAX / 2 + 1),
	    BAT_WORLD_NO_MEMORY);
	ck_assert_ptr_eq(buf.data, data);
	ck_assert(
	    bat_bytes_equal(bat_bytes_of_buf(&buf), bat_bytes_text("kept")));
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(nothing_can_be_appended_to_nothing)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_bytes_reserve(&buf, 0), 0);
	ck_assert_int_eq(bat_bytes_append_slice(&buf, BAT_SLICE_EMPTY), 0);
	ck_assert_int_eq(bat_bytes_append_hex(&buf, NULL, 0), 0);
	ck_assert_int_eq(bat_bytes_append_base64(&buf, NULL, 0), 0);
	ck_assert_int_eq(bat_bytes_append_unbase64(&buf, BAT_SLICE_EMPTY), 0);
	ck_assert_uint_eq(buf.length, 0);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(formatted_text_is_whole_and_has_no_nul)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	char expected[301];

	memset(expected, 'x', 300);
	expected[300] = '\0';
	ck_assert_int_eq(bat_bytes_append_text(&buf, "a"), 0);
	ck_assert_int_eq(bat_bytes_append_format(&buf, "%s", expected), 0);
	ck_assert_int_eq(bat_bytes_append_format(&buf, "-%05d", 42), 0);
	ck_assert_uint_eq(buf.length, 307);
	ck_assert_mem_eq(buf.data, "axxx", 4);
	ck_assert_mem_eq(buf.data + 298, "xxx-00042", 9);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(hex_is_lower_case_and_two_digits_a_byte)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_bytes_append_hex(&buf, "\x00\x0f\xa5\xff", 4), 0);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&buf),
	    bat_bytes_text("000fa5ff")));
	bat_bytes_free(&buf);
}
END_TEST

/* RFC 4648, section 10, and both special digits. */
static const struct {
	const char *plain;
	const char *coded;
} base64_cases[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xbf", "+/+/" },
};

START_TEST(hex_of_many_bytes_at_once_is_that_of_one_after_the_other)
{
	uint8_t bytes[80], fast[161], slow[161];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 11);
	for (size_t length = 0; length <= 70; length++) {
		const uint8_t *from = bytes + length % 10;

		memset(fast, '#', sizeof(fast));
		memset(slow, '#', sizeof(slow));
		ck_assert_ptr_eq(bat_bytes_put_hex(fast, from, length),
		    fast + 2 * length);
		ck_assert_ptr_eq(bat_bytes_put_hex_plain(slow, from, length),
		    slow + 2 * length);
		ck_assert_mem_eq(fast, slow, sizeof(fast));
	}
	for (unsigned byte = 0; byte < 256; byte++) {
		memset(bytes, (int)byte, 16);
		bat_bytes_put_hex(fast, bytes, 16);
		bat_bytes_put_hex_plain(slow, bytes, 16);
		ck_assert_mem_eq(fast, slow, 32);
	}
}
END_TEST

START_TEST(base64_goes_both_ways)
{
	for (size_t i = 0; i < sizeof(base64_cases) / sizeof(*base64_cases);
	     i++) {
		struct bat_slice plain = bat_bytes_text(base64_cases[i].plain);
		struct bat_slice coded = bat_bytes_text(base64_cases[i].coded);
		struct bat_buf to = BAT_BUF_EMPTY, back = BAT_BUF_EMPTY;

		ck_assert_int_eq(
		    bat_bytes_append_base64(&to, plain.data, plain.length), 0);
		ck_assert(bat_bytes_equal(bat_bytes_of_buf(&to), coded));
		ck_assert_int_eq(bat_bytes_append_unbase64(&back, coded), 0);
		ck_assert(bat_bytes_equal(bat_bytes_of_buf(&back), plain));
		bat_bytes_free(&to);
		bat_bytes_free(&back);
	}
}
END_TEST

START_TEST(loose_base64_is_refused_and_leaves_no_trace)
{
	static const char *const loose[] = { "Z", "Zg", "Zg=", "Zh==", "Zm9=",
		"Zg==Zg==", "====", "Z===", "=Zg=", "Zg=v", "Zm 9", "Zm9v\n",
		"Zm9-", "Zm9_", "Zm9v====", "\xff\xff\xff\xff" };

	for (size_t i = 0; i < sizeof(loose) / sizeof(*loose); i++) {
		struct bat_buf buf = BAT_BUF_EMPTY;

		ck_assert_int_eq(bat_bytes_append_text(&buf, "kept"), 0);
		ck_assert_msg(bat_bytes_append_unbase64(&buf,
				  bat_bytes_text(loose[i])) == BAT_USE_INVALID,
		    "%s", loose[i]);
		ck_assert_uint_eq(buf.length, 4);
		bat_bytes_free(&buf);
	}
}
END_TEST

START_TEST(integers_keep_their_order_of_bytes)
{
	static const uint8_t bytes[8] = { 0x81, 2, 3, 4, 5, 6, 7, 0x98 };
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_uint_eq(bat_bytes_get_le16(bytes), 0x0281);
	ck_assert_uint_eq(bat_bytes_get_le32(bytes), 0x04030281);
	ck_assert_uint_eq(bat_bytes_get_le64(bytes), 0x9807060504030281);
	ck_assert_uint_eq(bat_bytes_get_be16(bytes), 0x8102);
	ck_assert_uint_eq(bat_bytes_get_be32(bytes), 0x81020304);
	ck_assert_uint_eq(bat_bytes_get_be64(bytes), 0x8102030405060798);
	ck_assert_int_eq(bat_bytes_append_le(&buf, 0x9807060504030281, 8), 0);
	ck_assert_int_eq(bat_bytes_append_be(&buf, 0x8102030405060798, 8), 0);
	ck_assert_mem_eq(buf.data, bytes, 8);
	ck_assert_mem_eq(buf.data + 8, bytes, 8);
	bat_bytes_clear(&buf);
	ck_assert_int_eq(bat_bytes_append_le(&buf, 0x0102, 2), 0);
	ck_assert_int_eq(bat_bytes_append_be(&buf, 0x010203, 3), 0);
	ck_assert_uint_eq(buf.length, 5);
	ck_assert_mem_eq(buf.data, "\x02\x01\x01\x02\x03", 5);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(sums_and_products_that_do_not_fit_are_refused)
{
	uint64_t out = 7;

	ck_assert(!bat_bytes_add(UINT64_MAX, 1, &out));
	ck_assert(!bat_bytes_multiply(UINT64_MAX / 2 + 1, 2, &out));
	ck_assert_uint_eq(out, 7);
	ck_assert(bat_bytes_add(UINT64_MAX - 1, 1, &out));
	ck_assert_uint_eq(out, UINT64_MAX);
	ck_assert(bat_bytes_multiply(UINT64_MAX / 2, 2, &out));
	ck_assert_uint_eq(out, UINT64_MAX - 1);
	ck_assert(bat_bytes_multiply(UINT64_MAX, 0, &out));
	ck_assert_uint_eq(out, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("bytes");
	TCase *promises = tcase_create("promises");

	suite_add_tcase(suite, promises);
	tcase_add_test(promises, slices_compare_as_memcmp_with_a_prefix_first);
	tcase_add_test(promises, one_different_byte_makes_slices_different);
	tcase_add_test(promises, well_formed_utf8_is_told_from_other_bytes);
	tcase_add_test(promises, a_stray_byte_is_found_wherever_it_stands);
	tcase_add_test(promises, a_buffer_grows_and_keeps_what_it_holds);
	tcase_add_test(promises, a_buffer_that_cannot_grow_is_unchanged);
	tcase_add_test(promises, nothing_can_be_appended_to_nothing);
	tcase_add_test(promises, formatted_text_is_whole_and_has_no_nul);
	tcase_add_test(promises, hex_is_lower_case_and_two_digits_a_byte);
	tcase_add_test(promises,
	    hex_of_many_bytes_at_once_is_that_of_one_after_the_other);
	tcase_add_test(promises, base64_goes_both_ways);
	tcase_add_test(promises, loose_base64_is_refused_and_leaves_no_trace);
	tcase_add_test(promises, integers_keep_their_order_of_bytes);
	tcase_add_test(promises, sums_and_products_that_do_not_fit_are_refused);
	return suite_run(suite);
}
