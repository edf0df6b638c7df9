#include "crc.h"
#include "suite.h"

#include <check.h>

START_TEST(the_published_check_value_comes_out)
{
	ck_assert_uint_eq(bat_crc_of(bat_bytes_text("123456789")), 0xcbf43926);
	ck_assert_uint_eq(bat_crc_of(BAT_SLICE_EMPTY), 0);
}
END_TEST

START_TEST(pieces_give_the_same_as_the_whole)
{
	struct bat_slice whole = bat_bytes_text("123456789");

	for (size_t cut = 0; cut <= whole.length; cut++) {
		uint32_t crc = bat_crc_update(0,
		    bat_bytes_slice(whole.data, cut));

		/* Also when a piece is empty, and has no address at all. */
		crc = bat_crc_update(crc, BAT_SLICE_EMPTY);
		crc = bat_crc_update(crc,
		    bat_bytes_slice(whole.data + cut, whole.length - cut));
		ck_assert_uint_eq(crc, 0xcbf43926);
	}
}
END_TEST

/* On random bytes of every length and alignment that matters, the fast way and
 * zlib agree. */
START_TEST(the_fast_way_is_the_plain_one)
{
	uint8_t bytes[4096 + 16];
	uint32_t state = 12345;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		state = state * 1664525u + 1013904223u;
		bytes[i] = (uint8_t)(state >> 24);
	}
	for (size_t length = 0; length <= 4096; length += 1 + length / 64)
		for (size_t shift = 0; shift < 16; shift += 5) {
			struct bat_slice part = bat_bytes_slice(bytes + shift,
			    length);

			ck_assert_uint_eq(bat_crc_update(state, part),
			    bat_crc_update_plain(state, part));
		}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("crc");
	TCase *promises = tcase_create("promises");

	suite_add_tcase(suite, promises);
	tcase_add_test(promises, the_published_check_value_comes_out);
	tcase_add_test(promises, pieces_give_the_same_as_the_whole);
	tcase_add_test(promises, the_fast_way_is_the_plain_one);
	return suite_run(suite);
}
