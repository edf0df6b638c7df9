/*
 * The part of json_number that reads.
 */
#include "json_number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool
is_digit(struct bat_slice text, size_t at)
{
	return at < text.length && text.data[at] >= '0' && text.data[at] <= '9';
}

static size_t
skip_digits(struct bat_slice text, size_t at)
{
	while (is_digit(text, at))
		at++;
	return at;
}

/*
 * What stands in the text: whole digits from `whole` on, the fraction behind
 * a point from `fraction` on, an exponent.
 */
struct parts {
	bool negative, real;
	size_t whole, whole_end, fraction, fraction_end, end;
	int64_t exponent;
};

/* An exponent that no double has; larger ones are as good as this. */
#define EXPONENT_LIMIT 1000000000000

static bool
read_exponent(struct bat_slice text, size_t at, struct parts *parts)
{
	bool negative = false;

	if (at < text.length && (text.data[at] == '+' || text.data[at] == '-'))
		negative = text.data[at++] == '-';
	parts->end = at;
	if (!is_digit(text, at))
		return false;
	for (; is_digit(text, at); at++) {
		if (parts->exponent < EXPONENT_LIMIT)
			parts->exponent = 10 * parts->exponent +
			    (text.data[at] - '0');
	}
	if (negative)
		parts->exponent = -parts->exponent;
	parts->end = at;
	return true;
}

/* The grammar of JSON; false: parts->end is the byte that is wrong. */
static bool
read_parts(struct bat_slice text, struct parts *parts)
{
	size_t at = 0;

	*parts = (struct parts){ .negative = false };
	if (at < text.length && text.data[at] == '-') {
		parts->negative = true;
		at++;
	}
	parts->whole = at;
	parts->end = at;
	at = skip_digits(text, at);
	if (at == parts->whole ||
	    (text.data[parts->whole] == '0' && at > parts->whole + 1))
		return false;
	parts->whole_end = parts->fraction = parts->fraction_end = at;
	if (at < text.length && text.data[at] == '.') {
		parts->real = true;
		parts->fraction = at + 1;
		at = skip_digits(text, at + 1);
		parts->fraction_end = at;
		parts->end = at;
		if (at == parts->fraction)
			return false;
	}
	parts->end = at;
	if (at < text.length &&
	    (text.data[at] == 'e' || text.data[at] == 'E')) {
		parts->real = true;
		return read_exponent(text, at + 1, parts);
	}
	return true;
}

/* No double needs more digits to be told from its neighbours. */
#define DIGITS_MAX 800

/* The significant digits, and the power of ten of the last one taken. */
struct digits {
	char text[DIGITS_MAX + 40];
	size_t count;
	int64_t power;
	bool rest; /* something other than 0 was left out */
};

static void
take_digits(struct bat_slice text, size_t at, size_t end, bool fraction,
    struct digits *digits)
{
	for (; at < end; at++) {
		char c = (char)text.data[at];
		bool take = digits->count < DIGITS_MAX;

		if (digits->count == 0 && c == '0') {
			digits->power -= fraction;
			continue;
		}
		if (take)
			digits->text[digits->count++] = c;
		else if (c != '0')
			digits->rest = true;
		/* Taken before the point: the power stays; behind it: one
		 * less. Left out before the point: one more. */
		digits->power += (take ? 0 : 1) - (fraction ? 1 : 0);
	}
}

static double
read_real(struct bat_slice text, const struct parts *parts)
{
	struct digits digits;
	int64_t first_power;

	digits.count = 0;
	digits.power = parts->exponent;
	digits.rest = false;
	take_digits(text, parts->whole, parts->whole_end, false, &digits);
	take_digits(text, parts->fraction, parts->fraction_end, true, &digits);
	if (digits.count == 0)
		return 0;
	if (digits.count <= DBL_DIG &&
	    digits.power >= -BATFS_JSON_NUMBER_POWER_MAX &&
	    digits.power <= BATFS_JSON_NUMBER_POWER_MAX) {
		uint64_t number = 0;

		for (size_t i = 0; i < digits.count; i++)
			number = 10 * number + (uint64_t)(digits.text[i] - '0');
		return digits.power < 0 ?
		    (double)number / batfs_json_number_powers[-digits.power] :
		    (double)number * batfs_json_number_powers[digits.power];
	}
	first_power = digits.power + (int64_t)digits.count - 1;
	if (first_power > DBL_MAX_10_EXP)
		return HUGE_VAL;
	if (first_power < -400)
		return 0;
	/* What was left out can only tip a tie. */
	if (digits.rest) {
		digits.text[digits.count++] = '1';
		digits.power--;
	}
	snprintf(digits.text + digits.count, 32, "e%d", (int)digits.power);
	return strtod(digits.text, NULL);
}

static bool
read_integer(struct bat_slice text, const struct parts *parts,
    struct batfs_json_number *out)
{
	uint64_t value = 0;

	for (size_t i = parts->whole; i < parts->whole_end; i++) {
		if (!bat_bytes_multiply(value, 10, &value) ||
		    !bat_bytes_add(value, (uint64_t)(text.data[i] - '0'),
			&value))
			return false;
	}
	out->type = BATFS_JSON_NUMBER_UINT;
	out->number = value;
	if (!parts->negative || value == 0)
		return true;
	if (value > (uint64_t)INT64_MAX + 1)
		return false;
	out->type = BATFS_JSON_NUMBER_INT;
	out->number = 0;
	out->integer = -(int64_t)(value - 1) - 1;
	return true;
}

int
batfs_json_number_read(struct bat_slice text, struct batfs_json_number *out,
    size_t *out_used, const char **out_why)
{
	struct parts parts;

	*out = (struct batfs_json_number){ .type = BATFS_JSON_NUMBER_REAL };
	*out_used = 0;
	if (!read_parts(text, &parts)) {
		*out_used = parts.end;
		*out_why = "this is no number; write it as in 0, -12, 3.25 or "
			   "1e-7";
		return BAT_USE_INVALID;
	}
	if (!parts.real && !read_integer(text, &parts, out)) {
		*out_why = "the integer lies outside -2^63 .. 2^64-1; write "
			   "it as a string";
		return BAT_USE_INVALID;
	}
	if (parts.real) {
		out->real = read_real(text, &parts);
		if (isinf(out->real)) {
			*out_why = "the number is beyond what a double holds; "
				   "write it as a string";
			return BAT_USE_INVALID;
		}
		if (parts.negative && !(BAT_PLANT(73) && !(out->real > 0)))
			out->real = -out->real;
	}
	*out_used = parts.end;
	return 0;
}
