#include "moment.h"

#define SECOND INT64_C(1000000)

/* Text that is read from its front. */
struct reader {
	struct bat_slice rest;
	bool failed;
};

static bool
take_any(struct reader *reader, const char *of)
{
	if (reader->rest.length == 0 || *reader->rest.data == 0 ||
	    strchr(of, *reader->rest.data) == NULL)
		return false;
	reader->rest.data++;
	reader->rest.length--;
	return true;
}

static void
take(struct reader *reader, const char *of)
{
	if (!take_any(reader, of))
		reader->failed = true;
}

/* A number of exactly so many digits, no greater than max. */
static unsigned
take_number(struct reader *reader, unsigned digits, unsigned max)
{
	unsigned value = 0;

	for (unsigned i = 0; i < digits && !reader->failed; i++) {
		uint8_t c = reader->rest.length > 0 ? *reader->rest.data : 0;

		take(reader, "0123456789");
		value = value * 10 + (unsigned)(c - '0');
	}
	if (reader->failed || value > max)
		reader->failed = true;
	return reader->failed ? 0 : value;
}

/* ".25" in microseconds. */
static int64_t
take_decimals(struct reader *reader)
{
	int64_t value = 0, unit = SECOND / 10;

	if (!take_any(reader, "."))
		return 0;
	do {
		value += unit * take_number(reader, 1, 9);
		unit /= 10;
	} while (!reader->failed && reader->rest.length > 0 &&
	    *reader->rest.data >= '0' && *reader->rest.data <= '9');
	return value;
}

/* "Z", "+01:00": seconds east. */
static int64_t
take_offset(struct reader *reader)
{
	bool west;
	int64_t seconds;

	if (take_any(reader, "Zz"))
		return 0;
	west = take_any(reader, "-");
	if (!west)
		take(reader, "+");
	seconds = take_number(reader, 2, 23) * 3600;
	take(reader, ":");
	seconds += take_number(reader, 2, 59) * 60;
	return west ? -seconds : seconds;
}

static unsigned
days_of_month(unsigned year, unsigned month)
{
	static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01: years that begin in March, in eras of 400. */
static int64_t
days_of_date(unsigned year, unsigned month, unsigned day)
{
	int64_t y = (int64_t)year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 -
	    year_of_era / 100 + day_of_year - 719468;
}

bool
batfs_moment_parse(struct bat_slice text, int64_t *out_us)
{
	struct reader reader = { .rest = text };
	unsigned year, month, day;
	int64_t seconds, micros;

	year = take_number(&reader, 4, 9999);
	take(&reader, "-");
	month = take_number(&reader, 2, 12);
	take(&reader, "-");
	day = take_number(&reader, 2, 31);
	take(&reader, "Tt");
	seconds = take_number(&reader, 2, 23) * 3600;
	take(&reader, ":");
	seconds += take_number(&reader, 2, 59) * 60;
	take(&reader, ":");
	/* 60: a leap second, which is the first one of the next minute. */
	seconds += take_number(&reader, 2, 60);
	micros = take_decimals(&reader);
	seconds -= take_offset(&reader);
	if (reader.failed || reader.rest.length > 0 || month == 0 || day == 0 ||
	    day > days_of_month(year, month))
		return false;
	*out_us = (days_of_date(year, month, day) * 86400 + seconds) * SECOND +
	    micros;
	return true;
}
