#include "fields.h"

#include "sample.h"
#include "suite.h"

enum { ONE, TWO, THREE, COUNT };
static const struct bat_fields_key keys[COUNT] = {
	BAT_FIELDS_KEY("\xa3", "one"),
	BAT_FIELDS_KEY("\xa3", "two"),
	BAT_FIELDS_KEY("\xa5", "three"),
};
static const struct bat_fields_shape shape = { keys, COUNT, 1u << THREE, 0 };
static const struct bat_fields_shape older = { keys, COUNT, 0, 1u << TWO };

#define PACKED(text) bat_bytes_slice(text, sizeof(text) - 1)
#define LITERAL(text)                                                          \
	{                                                                      \
		(const uint8_t *)(text), sizeof(text) - 1                      \
	}

/* Read a struct of numbers; what is missing stays 99. */
static int
read_numbers(struct bat_slice bytes, const struct bat_fields_shape *of,
    uint64_t out[COUNT])
{
	struct bat_pack_reader reader = BAT_PACK_READER(bytes);
	struct bat_fields_walk walk;
	unsigned field;
	int code = bat_fields_begin(&walk, &reader, of);

	for (unsigned i = 0; i < COUNT; i++)
		out[i] = 99;
	while (code == 0 && (code = bat_fields_next(&walk, &field)) == 0)
		code = bat_pack_read_uint(&reader, 1000, &out[field]);
	return code == BAT_END ? 0 : code;
}

START_TEST(fields_come_in_any_order_or_spelling)
{
	static const struct {
		struct bat_slice bytes;
		uint64_t three;
	} cases[] = {
		{ LITERAL("\x83\xa3one\x01\xa3two\x02\xa5three\x03"), 3 },
		{ LITERAL("\x83\xa5three\x03\xa3two\x02\xa3one\x01"), 3 },
		{ LITERAL("\x82\xa3one\x01\xa3two\x02"), 99 },
		/* str 8, bin, and an unknown key before, between, behind */
		{ LITERAL("\x85\xa1x\x90\xd9\x03one\x01"
			  "\xa1y\x81\xc0\xc0\xc4\x03two\x02\xa0\xc0"),
		    99 },
		{ LITERAL("\x93\x01\x02\x03"), 3 },
		{ LITERAL("\x92\x01\x02"), 99 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t got[COUNT];

		ck_assert_int_eq(read_numbers(cases[i].bytes, &shape, got), 0);
		ck_assert_uint_eq(got[ONE], 1);
		ck_assert_uint_eq(got[TWO], 2);
		ck_assert_uint_eq(got[THREE], cases[i].three);
	}
}
END_TEST

START_TEST(a_repeated_or_missing_or_surplus_field_is_corrupt)
{
	static const struct bat_slice cases[] = {
		LITERAL("\x83\xa3one\x01\xa3one\x01\xa3two\x02"),
		LITERAL("\x81\xa3one\x01"),
		LITERAL("\x80"),
		LITERAL("\x91\x01"),
		LITERAL("\x94\x01\x02\x03\x04"),
		LITERAL("\x01"),
		LITERAL("\xc0"),
		LITERAL(""),
		/* a key that is no string */
		LITERAL("\x83\x01\x01\xa3one\x01\xa3two\x02"),
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t got[COUNT];

		ck_assert_int_eq(read_numbers(cases[i], &shape, got),
		    BAT_DATA_CORRUPT);
	}
}
END_TEST

START_TEST(a_field_of_another_version_is_unknown)
{
	uint64_t got[COUNT];

	ck_assert_int_eq(read_numbers(PACKED("\x83\xa3one\x01\xa3two\xc0"
					     "\xa5three\x03"),
			     &older, got),
	    0);
	ck_assert_uint_eq(got[TWO], 99);
	ck_assert_uint_eq(got[THREE], 3);
	ck_assert_int_eq(read_numbers(PACKED("\x92\x01\x03"), &older, got), 0);
	ck_assert_uint_eq(got[ONE], 1);
	ck_assert_uint_eq(got[TWO], 99);
	ck_assert_uint_eq(got[THREE], 3);
}
END_TEST

START_TEST(what_was_cut_is_corrupt)
{
	static const char text[] = "\x83\xa3one\x01\xa3two\x02"
				   "\xa5three\x03";
	uint64_t got[COUNT];

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		ck_assert_int_eq(read_numbers(bat_bytes_slice(text, i), &shape,
				     got),
		    BAT_DATA_CORRUPT);
}
END_TEST

START_TEST(writing_follows_the_shape)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_fields_out out = { &buf, 0 };

	bat_fields_put_map(&out, &shape);
	bat_fields_put_uint(&out, &shape, ONE, 1);
	bat_fields_put_uint(&out, &shape, TWO, 2);
	bat_fields_put_uint(&out, &shape, THREE, 3);
	ck_assert_int_eq(out.code, 0);
	sample_assert_same(bat_bytes_of_buf(&buf),
	    PACKED("\x83\xa3one\x01\xa3two\x02\xa5three\x03"), "three fields");
	bat_bytes_clear(&buf);
	bat_fields_put_map(&out, &older);
	ck_assert_uint_eq(buf.data[0], 0x82);
	bat_bytes_free(&buf);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fields");
	TCase *tcase = tcase_create("fields");

	tcase_add_test(tcase, fields_come_in_any_order_or_spelling);
	tcase_add_test(tcase,
	    a_repeated_or_missing_or_surplus_field_is_corrupt);
	tcase_add_test(tcase, a_field_of_another_version_is_unknown);
	tcase_add_test(tcase, what_was_cut_is_corrupt);
	tcase_add_test(tcase, writing_follows_the_shape);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
