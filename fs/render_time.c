/*
 * The part of render that spells times: RFC 3339, UTC, six decimals.
 */
#include "render_internal.h"

#include <inttypes.h>

/* Days since 1970-01-01 to a date of the proleptic Gregorian calendar. */
static void
find_date(int64_t days, int64_t *out_year, unsigned *out_month,
    unsigned *out_day)
{
	/* Years that start in March, counted from 0000-03-01, in eras of 400:
	 * then the leap day is the last one of its year. */
	int64_t shifted = days + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	unsigned day_of_era = (unsigned)(shifted - era * 146097);
	unsigned year_of_era = (day_of_era - day_of_era / 1460 +
				   day_of_era / 36524 - day_of_era / 146096) /
	    365;
	unsigned day_of_year = day_of_era -
	    (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned month = (5 * day_of_year + 2) / 153;

	*out_day = day_of_year - (153 * month + 2) / 5 + 1;
	*out_month = month < 10 ? month + 3 : month - 9;
	*out_year = (int64_t)year_of_era + era * 400 + (*out_month <= 2);
}

/* Two digits to each. */
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

/* A number below 100, and what stands behind it. */
static inline char *
put_two(char *to, unsigned value, char behind)
{
	memcpy(to, pairs + 2 * value, 2);
	to[2] = behind;
	return to + 3;
}

int
batfs_render_seconds(int64_t seconds, unsigned micros, struct bat_buf *buf)
{
	int64_t days = seconds / 86400, year;
	int64_t second_of_day = seconds % 86400;
	unsigned month, day, rest;
	char text[32], *at = text;
	int code;

	if (second_of_day < 0) {
		second_of_day += 86400;
		days--;
	}
	rest = (unsigned)second_of_day;
	find_date(days, &year, &month, &day);
	if (year >= 0 && year <= 9999) {
		at = put_two(at, (unsigned)year / 100, '-') - 1;
		at = put_two(at, (unsigned)year % 100, '-');
	} else {
		/* The sign, and at least the four digits of other years. */
		code = bat_bytes_append_format(buf, "%+05" PRId64 "-", year);
		if (code != 0)
			return code;
	}
	at = put_two(at, month, '-');
	at = put_two(at, day, 'T');
	at = put_two(at, rest / 3600, ':');
	at = put_two(at, rest / 60 % 60, ':');
	at = put_two(at, rest % 60, '.');
	at = put_two(at, micros / 10000, '.') - 1;
	at = put_two(at, micros / 100 % 100, '.') - 1;
	at = put_two(at, micros % 100, 'Z');
	return bat_bytes_append(buf, text, (size_t)(at - text));
}

int64_t
batfs_render_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int
batfs_render_time(int64_t timestamp_us, struct bat_buf *buf)
{
	int64_t seconds = batfs_render_divide(timestamp_us, 1000000);
	size_t start = buf->length;
	int code = batfs_render_seconds(seconds,
	    (unsigned)((uint64_t)timestamp_us - (uint64_t)seconds * 1000000),
	    buf);

	if (code != 0)
		buf->length = start;
	return code;
}
