/*
 * What is said of a writer.
 */
#include <stdio.h>
#include <unistd.h>

#include <sys/prctl.h>

#include "sample.h"
#include "stamp.h"
#include "suite.h"

static struct bat_buf text;

static const char *
stamp_of(int32_t pid)
{
	const struct batfs_stamp_writer writer = {
		.uid = 1000,
		.gid = 4294967295,
		.pid = pid,
	};

	bat_bytes_clear(&text);
	ck_assert_int_eq(batfs_stamp_put(&writer, &text), 0);
	ck_assert_int_eq(bat_bytes_append_byte(&text, '\0'), 0);
	return (const char *)text.data;
}

static void
teardown(void)
{
	bat_bytes_free(&text);
}

START_TEST(of_a_process_of_elsewhere_only_the_kernels_word_is_known)
{
	ck_assert_str_eq(stamp_of(0),
	    "{\"uid\":1000,\"gid\":4294967295,\"pid\":0}");
	/* Greater than the kernel gives out. */
	ck_assert_str_eq(stamp_of(2147483647),
	    "{\"uid\":1000,\"gid\":4294967295,\"pid\":2147483647}");
}
END_TEST

START_TEST(what_is_looked_up_is_marked_so)
{
	char wanted[128];

	ck_assert_int_eq(prctl(PR_SET_NAME, "a \"b\" \xc3\xbc"), 0);
	snprintf(wanted, sizeof(wanted),
	    "{\"uid\":1000,\"gid\":4294967295,\"pid\":%d,"
	    "\"best_known\":{\"comm\":\"a \\\"b\\\" \xc3\xbc\"",
	    (int)getpid());
	ck_assert_msg(strncmp(stamp_of(getpid()), wanted, strlen(wanted)) == 0,
	    "%s", (char *)text.data);
	ck_assert_int_eq(text.data[text.length - 2], '}');
}
END_TEST

START_TEST(a_name_that_is_no_text_becomes_one)
{
	ck_assert_int_eq(prctl(PR_SET_NAME, "a\xff\x01"), 0);
	ck_assert_msg(strstr(stamp_of(getpid()), "\"a?\\u0001\"") != NULL, "%s",
	    (char *)text.data);
	ck_assert(bat_bytes_is_utf8(bat_bytes_of_buf(&text)));
}
END_TEST

START_TEST(a_control_group_is_that_of_the_one_hierarchy_or_the_first)
{
	static const struct {
		const char *content, *path;
	} groups[] = {
		{ "0::/user.slice/x:y\n", "/user.slice/x:y" },
		{ "12:cpu,io:/a\n1:name=systemd:/b\n0::/c\n", "/c" },
		{ "12:cpu,io:/a\n1:name=systemd:/b\n", "/a" },
		{ "0::/", "/" },
		{ "", "" },
		{ "\n", "" },
		{ "junk", "" },
	};

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		sample_assert_same(batfs_stamp_cgroup(
				       bat_bytes_text(groups[i].content)),
		    bat_bytes_text(groups[i].path), groups[i].content);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("stamp");
	TCase *tests = tcase_create("stamp");

	tcase_add_checked_fixture(tests, NULL, teardown);
	tcase_add_test(tests,
	    of_a_process_of_elsewhere_only_the_kernels_word_is_known);
	tcase_add_test(tests, what_is_looked_up_is_marked_so);
	tcase_add_test(tests, a_name_that_is_no_text_becomes_one);
	tcase_add_test(tests,
	    a_control_group_is_that_of_the_one_hierarchy_or_the_first);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
