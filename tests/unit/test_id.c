#include "id.h"
#include "suite.h"

#include <check.h>

static const struct bat_id counting = { { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    12, 13, 14, 0xff } };

START_TEST(a_made_id_is_a_version_7_uuid)
{
	static const uint8_t ones[10] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff };
	static const uint8_t zeros[10];
	char hex[33];
	struct bat_id id = bat_id_make_v7(0x0123456789ab, ones);

	bat_id_to_hex(&id, hex);
	ck_assert_str_eq(hex, "0123456789ab7fffbfffffffffffffff");
	id = bat_id_make_v7(UINT64_C(0xffff0123456789ab), zeros);
	bat_id_to_hex(&id, hex);
	ck_assert_str_eq(hex, "0123456789ab70008000000000000000");
}
END_TEST

START_TEST(later_ids_compare_greater)
{
	static const uint8_t ones[10] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff };
	static const uint8_t zeros[10];
	struct bat_id early = bat_id_make_v7(255, ones);
	struct bat_id late = bat_id_make_v7(256, zeros);

	ck_assert_int_lt(bat_id_compare(&early, &late), 0);
	ck_assert_int_gt(bat_id_compare(&late, &early), 0);
	ck_assert_int_eq(bat_id_compare(&late, &late), 0);
	ck_assert(bat_id_equal(&late, &late));
	ck_assert(!bat_id_equal(&late, &early));
}
END_TEST

START_TEST(only_the_zero_id_is_zero)
{
	struct bat_id id = BAT_ID_ZERO;

	ck_assert(bat_id_is_zero(&id));
	id.bytes[15] = 1;
	ck_assert(!bat_id_is_zero(&id));
}
END_TEST

START_TEST(a_number_stands_at_the_end)
{
	char hex[33];
	struct bat_id id = bat_id_from_number(0x0123456789abcdef);

	bat_id_to_hex(&id, hex);
	ck_assert_str_eq(hex, "00000000000000000123456789abcdef");
}
END_TEST

START_TEST(little_endian_is_the_same_backwards)
{
	uint8_t bytes[16];
	struct bat_id back;

	bat_id_to_le(&counting, bytes);
	ck_assert_uint_eq(bytes[0], 0xff);
	ck_assert_uint_eq(bytes[1], 14);
	ck_assert_uint_eq(bytes[15], 0);
	back = bat_id_from_le(bytes);
	ck_assert(bat_id_equal(&back, &counting));
}
END_TEST

START_TEST(hex_of_either_case_is_read)
{
	struct bat_id id;

	ck_assert(bat_id_from_hex(
	    bat_bytes_text("000102030405060708090a0b0c0d0eff"), &id));
	ck_assert(bat_id_equal(&id, &counting));
	ck_assert(bat_id_from_hex(
	    bat_bytes_text("000102030405060708090A0B0C0D0EFF"), &id));
	ck_assert(bat_id_equal(&id, &counting));
}
END_TEST

START_TEST(other_texts_are_no_ids)
{
	static const char *const texts[] = { "",
		"000102030405060708090a0b0c0d0ef",
		"000102030405060708090a0b0c0d0eff0",
		"000102030405060708090a0b0c0d0efg",
		"g00102030405060708090a0b0c0d0eff",
		"0001020304050607 8090a0b0c0d0eff",
		"00010203-0405-0607-0809-0a0b0c0d" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct bat_id id = counting;

		ck_assert_msg(!bat_id_from_hex(bat_bytes_text(texts[i]), &id),
		    "%s", texts[i]);
		ck_assert(bat_id_equal(&id, &counting));
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("id");
	TCase *promises = tcase_create("promises");

	suite_add_tcase(suite, promises);
	tcase_add_test(promises, a_made_id_is_a_version_7_uuid);
	tcase_add_test(promises, later_ids_compare_greater);
	tcase_add_test(promises, only_the_zero_id_is_zero);
	tcase_add_test(promises, a_number_stands_at_the_end);
	tcase_add_test(promises, little_endian_is_the_same_backwards);
	tcase_add_test(promises, hex_of_either_case_is_read);
	tcase_add_test(promises, other_texts_are_no_ids);
	return suite_run(suite);
}
