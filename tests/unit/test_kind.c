#include "kind.h"

#include "sample.h"
#include "suite.h"

START_TEST(two_categories_are_reserved)
{
	for (unsigned kind = 0; kind <= UINT16_MAX; kind++) {
		unsigned category = kind >> 12;

		ck_assert_int_eq(bat_kind_is_reserved((uint16_t)kind),
		    category == 0 || category == 13);
	}
}
END_TEST

START_TEST(unknown_reserved_kinds_are_shown_as_batpak_shows_them)
{
	static const uint16_t known[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x00f,
		0xffe, 0xd001, 0xd002, 0xd004, 0xd005, 0xd006, 0xd007 };
	static const uint16_t system[] = { 0, 0xa, 0xe, 0x10, 0xffd, 0xfff };
	static const uint16_t effect[] = { 0xd000, 0xd003, 0xd008, 0xdfff };
	unsigned changed = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		ck_assert_uint_eq(bat_kind_mapped(known[i]), known[i]);
	for (size_t i = 0; i < sizeof(system) / sizeof(system[0]); i++)
		ck_assert_uint_eq(bat_kind_mapped(system[i]), 0x1000);
	for (size_t i = 0; i < sizeof(effect) / sizeof(effect[0]); i++)
		ck_assert_uint_eq(bat_kind_mapped(effect[i]), 0xd001);
	for (unsigned kind = 0; kind <= UINT16_MAX; kind++)
		changed += bat_kind_mapped((uint16_t)kind) != kind;
	/* All of both categories but the 17 known ones. */
	ck_assert_uint_eq(changed, 2 * 4096 - 17);
}
END_TEST

START_TEST(every_kind_reads_back_from_its_text)
{
	for (unsigned kind = 0; kind <= UINT16_MAX; kind++) {
		uint16_t back;
		char text[7];

		bat_kind_to_text((uint16_t)kind, text);
		ck_assert(bat_kind_from_text(bat_bytes_text(text), &back));
		ck_assert_uint_eq(back, kind);
		snprintf(text, sizeof(text), "0x%x", kind);
		ck_assert(bat_kind_from_text(bat_bytes_text(text), &back));
		ck_assert_uint_eq(back, kind);
	}
}
END_TEST

START_TEST(text_is_category_dot_three_digits)
{
	char text[6];

	bat_kind_to_text(0xf001, text);
	ck_assert_str_eq(text, "f.001");
	bat_kind_to_text(BAT_KIND_DATA, text);
	ck_assert_str_eq(text, "1.000");
}
END_TEST

START_TEST(other_spellings_are_refused)
{
	static const char *const bad[] = { "", "f", "f.1", "f.01", "f.0001",
		"F.001", "f.00A", "f-001", "ff001", "0x", "0x00001", "0xg",
		"0X1", "f001", "61441", " f.001", "f.001 ", "-.001", "0x-1" };
	uint16_t kind;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!bat_kind_from_text(bat_bytes_text(bad[i]),
				  &kind),
		    "%s was taken", bad[i]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("kind");
	TCase *tcase = tcase_create("kind");

	tcase_add_test(tcase, two_categories_are_reserved);
	tcase_add_test(tcase,
	    unknown_reserved_kinds_are_shown_as_batpak_shows_them);
	tcase_add_test(tcase, every_kind_reads_back_from_its_text);
	tcase_add_test(tcase, text_is_category_dot_three_digits);
	tcase_add_test(tcase, other_spellings_are_refused);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
