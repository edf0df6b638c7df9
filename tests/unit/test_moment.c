#include "moment.h"

#include "render.h"

#include "sample.h"
#include "suite.h"

static const struct {
	const char *text;
	int64_t us;
} good[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "1970-01-01t00:00:00z", 0 },
	{ "1970-01-01T00:00:00.000001Z", 1 },
	{ "1970-01-01T00:00:00.5Z", 500000 },
	{ "1970-01-01T00:00:00.1234567899Z", 123456 },
	{ "1969-12-31T23:59:59.999999Z", -1 },
	{ "2026-11-22T10:11:12.345678Z", 1795342272345678 },
	{ "2026-11-22T11:11:12.345678+01:00", 1795342272345678 },
	{ "2026-11-22T00:41:12.345678-09:30", 1795342272345678 },
	{ "2000-02-29T00:00:00Z", 951782400000000 },
	{ "2100-03-01T00:00:00Z", 4107542400000000 },
	{ "2016-12-31T23:59:60Z", 1483228800000000 },
	{ "9999-12-31T23:59:59.999999Z", 253402300799999999 },
	{ "0000-01-01T00:00:00Z", -62167219200000000 },
};

static const char *const bad[] = { "", "1970", "1970-01-01",
	"1970-01-01T00:00:00", "1970-01-01 00:00:00Z", "1970-01-01T00:00Z",
	"1970-00-01T00:00:00Z", "1970-13-01T00:00:00Z", "1970-01-00T00:00:00Z",
	"1970-04-31T00:00:00Z", "1970-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
	"1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z", "1970-01-01T00:00:61Z",
	"1970-01-01T00:00:00.Z", "1970-01-01T00:00:00ZZ",
	"1970-01-01T00:00:00+1:00", "1970-01-01T00:00:00+24:00",
	"1970-01-01T00:00:00+00:60", "+1970-01-01T00:00:00Z",
	"19700-01-01T00:00:00Z", "1970-1-01T00:00:00Z",
	" 1970-01-01T00:00:00Z" };

START_TEST(what_rfc_3339_allows_is_read)
{
	int64_t us = 7;

	ck_assert_msg(batfs_moment_parse(bat_bytes_text(good[_i].text), &us),
	    "%s", good[_i].text);
	ck_assert_int_eq(us, good[_i].us);
}
END_TEST

START_TEST(anything_else_is_not)
{
	int64_t us;

	ck_assert_msg(!batfs_moment_parse(bat_bytes_text(bad[_i]), &us), "%s",
	    bad[_i]);
}
END_TEST

START_TEST(what_render_writes_comes_back)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	for (int64_t us = -62167219200000000; us < 253402300799999999;
	     us += 86400 * INT64_C(7919000123)) {
		int64_t back = 0;

		bat_bytes_clear(&buf);
		ck_assert_int_eq(batfs_render_time(us, &buf), 0);
		ck_assert(batfs_moment_parse(bat_bytes_of_buf(&buf), &back));
		ck_assert_int_eq(back, us);
	}
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(a_cut_text_is_none)
{
	const char *text = "2026-11-22T10:11:12.345678+01:00";
	int64_t us;

	for (size_t i = 0; i < strlen(text); i++)
		ck_assert(!batfs_moment_parse(bat_bytes_slice(text, i), &us));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("moment");
	TCase *tests = tcase_create("moment");

	tcase_add_loop_test(tests, what_rfc_3339_allows_is_read, 0,
	    sizeof good / sizeof good[0]);
	tcase_add_loop_test(tests, anything_else_is_not, 0,
	    sizeof bad / sizeof bad[0]);
	tcase_add_test(tests, what_render_writes_comes_back);
	tcase_add_test(tests, a_cut_text_is_none);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
