#include "json_number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* One product or quotient of two exact doubles is right only when it is not
 * rounded twice. */
_Static_assert(FLT_EVAL_METHOD == 0, "doubles are computed as doubles");

#define TWO_TO_53 9007199254740992.0

const double batfs_json_number_powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6,
	1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
	1e19, 1e20, 1e21, 1e22 };

/* The decimal digits of value in front of end; returns where they start. */
static char *
put_digits(char *end, uint64_t value)
{
	static const char pairs[] = "00010203040506070809"
				    "10111213141516171819"
				    "20212223242526272829"
				    "30313233343536373839"
				    "40414243444546474849"
				    "50515253545556575859"
				    "60616263646566676869"
				    "70717273747576777879"
				    "80818283848586878889"
				    "90919293949596979899";

	for (; value >= 100; value /= 100) {
		end -= 2;
		memcpy(end, pairs + 2 * (value % 100), 2);
	}
	if (value < 10) {
		*--end = (char)('0' + value);
		return end;
	}
	end -= 2;
	memcpy(end, pairs + 2 * value, 2);
	return end;
}

size_t
batfs_json_number_put(char *to, uint64_t value)
{
	char text[20];
	char *end = text + sizeof(text), *start;

	if (value < 10) {
		*to = (char)('0' + value);
		return 1;
	}
	start = put_digits(end, value);
	memcpy(to, start, (size_t)(end - start));
	return (size_t)(end - start);
}

int
batfs_json_number_write_uint(struct bat_buf *buf, uint64_t value)
{
	int code = bat_bytes_reserve(buf, 20);

	if (code == 0)
		buf->length += batfs_json_number_put(
		    (char *)buf->data + buf->length, value);
	return code;
}

int
batfs_json_number_write_int(struct bat_buf *buf, int64_t value)
{
	char text[21];
	char *end = text + sizeof(text), *start;

	if (value >= 0)
		return batfs_json_number_write_uint(buf, (uint64_t)value);
	start = put_digits(end, -(uint64_t)value);
	*--start = '-';
	return bat_bytes_append(buf, start, (size_t)(end - start));
}

/* number * 10^power */
struct decimal {
	uint64_t number;
	int power;
};

/* Without a decimal point strtod reads the same in every locale. */
static double
value_of(struct decimal decimal)
{
	char text[40];

	snprintf(text, sizeof(text), "%llue%d",
	    (unsigned long long)decimal.number, decimal.power);
	return strtod(text, NULL);
}

/*
 * Doubles that people write: at most 15 digits and a small power of ten. Both
 * are exact, so one division gives the double that a reader gets; and no
 * other number of 15 digits or fewer gives the same one.
 */
static bool
find_plain(double value, struct decimal *out)
{
	if (value < TWO_TO_53 && value == (double)(uint64_t)value) {
		/* The doubles around are a half or more away from anything
		 * that has fewer digits. */
		*out = (struct decimal){ (uint64_t)value, 0 };
		return true;
	}
	for (int i = 1; i <= BATFS_JSON_NUMBER_POWER_MAX; i++) {
		double scaled = value * batfs_json_number_powers[i];
		uint64_t number;

		if (scaled >= 1e15)
			return false;
		number = (uint64_t)(scaled + 0.5);
		if ((double)number / batfs_json_number_powers[i] == value) {
			*out = (struct decimal){ number, -i };
			return true;
		}
	}
	return false;
}

/* The nearest decimal of so many digits, whatever stands between them. */
static struct decimal
nearest(double value, int digits)
{
	struct decimal result = { 0, 0 };
	char text[64];
	const char *p = text;

	snprintf(text, sizeof(text), "%.*e", digits - 1, value);
	for (; *p != 'e' && *p != '\0'; p++) {
		if (*p >= '0' && *p <= '9')
			result.number = 10 * result.number +
			    (uint64_t)(*p - '0');
	}
	if (*p == 'e')
		result.power = (int)strtol(p + 1, NULL, 10) - (digits - 1);
	return result;
}

/*
 * A decimal of so many digits that reads back as value, the closest one. Next
 * to a power of two the doubles below are closer than those above, and in
 * the subnormal range everything is wide: there the nearest decimal may read
 * back as another double and its neighbour on the other side as this one.
 */
static bool
find_of_digits(double value, int digits, struct decimal *out)
{
	struct decimal middle = nearest(value, digits);
	struct decimal below = { middle.number - 1, middle.power };
	struct decimal above = { middle.number + 1, middle.power };

	*out = middle;
	if (value_of(middle) == value)
		return true;
	*out = below;
	if (value_of(below) == value)
		return true;
	*out = above;
	return BAT_PLANT(72) ? false : value_of(above) == value;
}

static struct decimal
find_shortest(double value)
{
	struct decimal result;
	/* A decimal of 15 digits or fewer survives the way into a normal
	 * double and back: all the shorter ones are met here as well. */
	int digits = value < DBL_MIN ? 1 : DBL_DIG;

	if (find_plain(value, &result))
		return result;
	for (; digits < DBL_DECIMAL_DIG; digits++) {
		if (find_of_digits(value, digits, &result))
			return result;
	}
	return nearest(value, DBL_DECIMAL_DIG);
}

/* Spell digits (the first one counts 10^exponent): LINE.md 2. */
static int
spell(char *to, const char *digits, int count, int exponent)
{
	int at = 0, whole = exponent + 1;

	if (exponent < -4 || exponent > 15) {
		to[at++] = digits[0];
		if (count > 1) {
			to[at++] = '.';
			memcpy(to + at, digits + 1, (size_t)count - 1);
			at += count - 1;
		}
		return at +
		    sprintf(to + at, "e%c%02d", exponent < 0 ? '-' : '+',
			abs(exponent));
	}
	if (exponent < 0) {
		at = sprintf(to, "0.%.*s", -exponent - 1, "0000");
		memcpy(to + at, digits, (size_t)count);
		return at + count;
	}
	for (int i = 0; i < whole || i < count; i++) {
		if (i == whole)
			to[at++] = '.';
		to[at++] = i < count ? digits[i] : '0';
	}
	if (count <= whole) {
		to[at++] = '.';
		to[at++] = '0';
	}
	return at;
}

int
batfs_json_number_write_double(struct bat_buf *buf, double value)
{
	char text[40], digits[20];
	char *end = digits + sizeof(digits), *start;
	struct decimal decimal = { 0, 0 };
	int count, length = 0;

	if (signbit(value)) {
		text[length++] = '-';
		value = -value;
	}
	if (value != 0)
		decimal = find_shortest(value);
	while (decimal.number != 0 && decimal.number % 10 == 0) {
		decimal.number /= 10;
		decimal.power++;
	}
	start = put_digits(end, decimal.number);
	count = (int)(end - start);
	length += spell(text + length, start, count, decimal.power + count - 1);
	return bat_bytes_append(buf, text, (size_t)length);
}
