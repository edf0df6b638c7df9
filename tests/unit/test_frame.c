#include "frame.h"

#include <check.h>

#include "crc.h"
#include "event.h"
#include "suite.h"

static struct bat_buf
frame_of(const char *body)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_frame_open(&buf), 0);
	ck_assert_int_eq(bat_bytes_append_text(&buf, body), 0);
	bat_frame_seal(&buf, 0);
	return buf;
}

START_TEST(a_sealed_frame_is_whole)
{
	struct bat_buf buf = frame_of("123456789");
	struct bat_slice body;
	uint64_t length;

	/* The published check value of this CRC. */
	ck_assert_uint_eq(bat_bytes_get_be32(buf.data), 9);
	ck_assert_uint_eq(bat_bytes_get_be32(buf.data + 4), 0xcbf43926);
	ck_assert_int_eq(bat_frame_look(bat_bytes_of_buf(&buf), &body, &length),
	    BAT_FRAME_WHOLE);
	ck_assert_uint_eq(length, 17);
	ck_assert(bat_bytes_equal(body, bat_bytes_text("123456789")));
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(seal_fills_the_frame_that_was_opened_last)
{
	struct bat_buf buf = frame_of("first");
	size_t start = buf.length;
	struct bat_slice body;
	uint64_t length;

	ck_assert_int_eq(bat_frame_open(&buf), 0);
	ck_assert_int_eq(bat_bytes_append_text(&buf, "second"), 0);
	bat_frame_seal(&buf, start);
	ck_assert_int_eq(bat_frame_look(bat_bytes_of_buf(&buf), &body, &length),
	    BAT_FRAME_WHOLE);
	ck_assert_uint_eq(length, start);
	ck_assert_int_eq(bat_frame_look(bat_bytes_slice(buf.data + start,
					    buf.length - start),
			     &body, &length),
	    BAT_FRAME_WHOLE);
	ck_assert(bat_bytes_equal(body, bat_bytes_text("second")));
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(every_cut_of_a_frame_is_short)
{
	struct bat_buf buf = frame_of("body");
	struct bat_slice body;
	uint64_t length;

	ck_assert_int_eq(bat_frame_look(BAT_SLICE_EMPTY, &body, &length),
	    BAT_FRAME_END);
	for (size_t cut = 1; cut < buf.length; cut++) {
		ck_assert_int_eq(bat_frame_look(bat_bytes_slice(buf.data, cut),
				     &body, &length),
		    BAT_FRAME_SHORT);
		ck_assert_uint_eq(length, cut < 8 ? 0 : buf.length);
		ck_assert_uint_eq(body.length, 0);
	}
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(every_flipped_bit_of_the_body_is_a_wrong_crc)
{
	struct bat_buf buf = frame_of("body");
	struct bat_slice body;
	uint64_t length;

	for (size_t bit = 4 * 8; bit < buf.length * 8; bit++) {
		buf.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(bat_frame_look(bat_bytes_of_buf(&buf), &body,
				     &length),
		    BAT_FRAME_CRC);
		ck_assert_uint_eq(length, buf.length);
		ck_assert_uint_eq(body.length, 4);
		buf.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(lengths_are_judged_before_the_bytes_behind_them)
{
	static const struct {
		uint64_t length;
		enum bat_frame_state state;
	} cases[] = {
		{ 0, BAT_FRAME_ZERO },
		{ 1, BAT_FRAME_SHORT },
		{ BAT_EVENT_FRAME_MAX, BAT_FRAME_SHORT },
		{ BAT_EVENT_FRAME_MAX + 1, BAT_FRAME_HUGE },
		{ 0x7fffffff, BAT_FRAME_HUGE },
		{ 0x80000000, BAT_FRAME_HUGE },
		{ 0xffffffff, BAT_FRAME_HUGE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[8] = { 0 };
		struct bat_slice body;
		uint64_t length;

		bat_bytes_put_be(bytes, cases[i].length, 4);
		ck_assert_int_eq(bat_frame_look(bat_bytes_slice(bytes, 8),
				     &body, &length),
		    cases[i].state);
	}
}
END_TEST

START_TEST(every_state_has_a_name_of_its_own)
{
	for (int a = BAT_FRAME_WHOLE; a <= BAT_FRAME_CRC; a++) {
		const char *name = bat_frame_state_name(
		    (enum bat_frame_state)a);

		ck_assert_str_ne(name, "unknown");
		for (int b = BAT_FRAME_WHOLE; b < a; b++)
			ck_assert_str_ne(name,
			    bat_frame_state_name((enum bat_frame_state)b));
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("frame");
	TCase *tcase = tcase_create("frame");

	tcase_add_test(tcase, a_sealed_frame_is_whole);
	tcase_add_test(tcase, seal_fills_the_frame_that_was_opened_last);
	tcase_add_test(tcase, every_cut_of_a_frame_is_short);
	tcase_add_test(tcase, every_flipped_bit_of_the_body_is_a_wrong_crc);
	tcase_add_test(tcase, lengths_are_judged_before_the_bytes_behind_them);
	tcase_add_test(tcase, every_state_has_a_name_of_its_own);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
