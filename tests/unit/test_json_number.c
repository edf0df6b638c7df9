/*
 * Doubles are spelled as the contract says: the shortest text that reads back
 * as the same number.
 */
#include "json.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "random_pack.h"
#include "suite.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof(*(table))))

static const uint64_t seed = 20261123;

static const struct {
	double value;
	const char *json;
} doubles[] = {
	{ 0.0, "0.0" },
	{ -0.0, "-0.0" },
	{ 1, "1.0" },
	{ -2.5, "-2.5" },
	{ 0.1, "0.1" },
	{ 0.30000000000000004, "0.30000000000000004" },
	{ 100000, "100000.0" },
	{ 123456.789, "123456.789" },
	{ 0.0001, "0.0001" },
	{ 0.00012345, "0.00012345" },
	{ 0.00001, "1e-05" },
	{ 1.5e-7, "1.5e-07" },
	{ 1e15, "1000000000000000.0" },
	{ 9999999999999998, "9999999999999998.0" },
	{ 1e16, "1e+16" },
	{ 12345678901234568, "1.2345678901234568e+16" },
	{ 1e22, "1e+22" },
	{ 1e23, "1e+23" },
	{ 1e100, "1e+100" },
	{ 9007199254740991, "9007199254740991.0" },
	{ 9007199254740992, "9007199254740992.0" },
	{ 9007199254740994, "9007199254740994.0" },
	{ 5e-324, "5e-324" },
	{ 1e-323, "1e-323" },
	{ DBL_MIN, "2.2250738585072014e-308" },
	{ DBL_MAX, "1.7976931348623157e+308" },
	{ 6.129982163463556e+54, "6.129982163463556e+54" },
	{ 5.684341886080802e-14, "5.684341886080802e-14" },
	{ 1.7976931348623155e308, "1.7976931348623155e+308" },
};

START_TEST(doubles_are_spelled_as_the_contract_says)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(batfs_json_write_double(&buf, doubles[_i].value), 0);
	ck_assert_msg(bat_bytes_equal(bat_bytes_of_buf(&buf),
			  bat_bytes_text(doubles[_i].json)),
	    "%.*s instead of %s", (int)buf.length, (char *)buf.data,
	    doubles[_i].json);
	bat_bytes_free(&buf);
}
END_TEST

/* How many significant digits a spelling has. */
static int
count_digits(const char *json)
{
	char digits[32];
	int count = 0;

	for (; *json != '\0' && *json != 'e'; json++) {
		if (*json >= '0' && *json <= '9' && (count > 0 || *json != '0'))
			digits[count++] = *json;
	}
	while (count > 1 && digits[count - 1] == '0')
		count--;
	return count;
}

/*
 * Reads back equal, and one digit fewer does not: neither the nearest decimal
 * of that length nor its neighbours.
 */
static void
assert_shortest(double value)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	char text[64];
	char *e;
	bool shorter = false;
	int digits;

	ck_assert_int_eq(batfs_json_write_double(&buf, value), 0);
	ck_assert_int_eq(bat_bytes_append_byte(&buf, 0), 0);
	ck_assert_msg(strtod((char *)buf.data, NULL) == value,
	    "%s is not %.17g", (char *)buf.data, value);
	digits = count_digits((char *)buf.data);
	ck_assert_int_le(digits, 17);
	for (int less = digits > 3 ? digits - 2 : 1; less < digits; less++) {
		char number[64];
		long power;
		long long middle = 0;

		snprintf(text, sizeof(text), "%.*e", less - 1, fabs(value));
		e = strchr(text, 'e');
		power = strtol(e + 1, NULL, 10) - (less - 1);
		for (char *p = text; p < e; p++) {
			if (*p != '.')
				middle = 10 * middle + (*p - '0');
		}
		for (int step = -1; step <= 1; step++) {
			snprintf(number, sizeof(number), "%llde%ld",
			    middle + step, power);
			shorter |= strtod(number, NULL) == fabs(value);
		}
	}
	ck_assert_msg(!shorter, "%s can be shorter", (char *)buf.data);
	bat_bytes_free(&buf);
}

START_TEST(no_double_can_be_spelled_shorter)
{
	struct random random = { seed };

	for (int exponent = -1074; exponent < 1024; exponent++) {
		assert_shortest(ldexp(1, exponent));
		assert_shortest(nextafter(ldexp(1, exponent), 0));
		assert_shortest(nextafter(ldexp(1, exponent), HUGE_VAL));
	}
	for (int i = 0; i < 20000; i++) {
		double value = random_double(&random);

		if (isfinite(value) && value != 0)
			assert_shortest(value);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("json_number");
	TCase *promises = tcase_create("promises");
	TCase *many = tcase_create("many"); /* take their time */

	suite_add_tcase(suite, promises);
	suite_add_tcase(suite, many);
	tcase_set_timeout(promises, 300);
	tcase_set_timeout(many, 300);
	tcase_add_loop_test(promises, doubles_are_spelled_as_the_contract_says,
	    0, COUNT(doubles));
	tcase_add_test(many, no_double_can_be_spelled_shorter);
	return suite_run(suite);
}
