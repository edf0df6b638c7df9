#include "options.h"
#include "suite.h"

#include <stdlib.h>

#include <check.h>

static struct batfs_options options;
static struct bat_error error;

/* Parse "batfs -o LIST data mnt". */
static int
parse_list(const char *list)
{
	static char name[] = "batfs", flag[] = "-o", data[] = "data",
		    mnt[] = "mnt";
	char *copy = strdup(list);
	char *argv[] = { name, flag, copy, data, mnt, NULL };
	int result = batfs_options_parse(5, argv, &options, &error);

	free(copy);
	return result;
}

static void
teardown(void)
{
	batfs_options_free(&options);
}

START_TEST(defaults_are_in_one_place)
{
	ck_assert_int_eq(parse_list(""), 0);
	ck_assert_str_eq(options.data_dir, "data");
	ck_assert_str_eq(options.mountpoint, "mnt");
	ck_assert(!options.read_only && !options.allow_other);
	ck_assert_uint_eq(options.default_kind, BAT_KIND_DATA);
	ck_assert_uint_eq(options.checkpoint_seconds, 300);
	ck_assert_uint_eq(options.segment_bytes, 256 << 20);
	ck_assert_int_eq(options.durability, BAT_DURABLE_EACH);
	ck_assert_int_eq(options.index, BAT_INDEX_AUTO);
	ck_assert_ptr_null(options.default_scope);
}
END_TEST

START_TEST(words_set_what_they_name)
{
	ck_assert_int_eq(parse_list("ro,scope=room:a\\,b,kind=f.001,"
				    "new=none,durable=fsync,index=fbati,"
				    "checkpoint=0,text,nocreate,max_threads=3,"
				    "segment=65536,ahead=4M,allow_other"),
	    0);
	ck_assert(options.read_only && options.text && options.no_create);
	ck_assert(options.allow_other);
	ck_assert_str_eq(options.default_scope, "room:a,b");
	ck_assert_uint_eq(options.default_kind, 0xf001);
	ck_assert_uint_eq(options.new_names, BATFS_NEW_NONE);
	ck_assert_int_eq(options.durability, BAT_DURABLE_FSYNC);
	ck_assert_int_eq(options.index, BAT_INDEX_FBATI);
	ck_assert_uint_eq(options.checkpoint_seconds, 0);
	ck_assert_uint_eq(options.segment_bytes, 65536);
	ck_assert_uint_eq(options.ahead_bytes, 4 << 20);
	ck_assert_uint_eq(options.max_threads, 3);
}
END_TEST

START_TEST(the_later_word_wins)
{
	ck_assert_int_eq(parse_list("ro,scope=a,scope=b,rw"), 0);
	ck_assert(!options.read_only);
	ck_assert_str_eq(options.default_scope, "b");
}
END_TEST

START_TEST(a_moment_is_read_only_whatever_else_is_said)
{
	ck_assert_int_eq(parse_list("at=42,rw,only=scopes/a"), 0);
	ck_assert(options.read_only);
	ck_assert_str_eq(options.at, "42");
	ck_assert_str_eq(options.only, "scopes/a");
}
END_TEST

START_TEST(what_mount_hands_on_is_ignored)
{
	ck_assert_int_eq(parse_list("user,users,auto,noauto,nofail,_netdev,"
				    "x-systemd.automount,dev,suid,,nosuid"),
	    0);
}
END_TEST

START_TEST(an_unknown_word_is_named)
{
	ck_assert_int_eq(parse_list("ro,frobnicate=1"), BAT_USE_INVALID);
	ck_assert_ptr_nonnull(strstr(error.text, "frobnicate"));
}
END_TEST

START_TEST(impossible_values_are_refused)
{
	static const char *const lists[] = { "scope", "scope=", "scope=a/b",
		"kind=0.001", "kind=d.001", "kind=x", "durable=maybe",
		"index=", "new=all", "checkpoint=-1", "checkpoint=1s",
		"checkpoint=", "checkpoint=99999999999999999999", "segment=0",
		"segment=9999999999", "max_threads=0", "ro=1", "uid=0",
		"allow_other,allow_root", "kinds=", "kinds",
		"ahead=", "ahead=M", "ahead=1K", "ahead=2G", "ahead=4Mb",
		"ahead=1", "ahead=99999999999999999999999999999999M",
		"gates=", "gate_limit=0", "gate_limit=3601", "gate_limit=1s" };

	ck_assert_int_eq(parse_list(lists[_i]), BAT_USE_INVALID);
	ck_assert_str_ne(error.text, "");
}
END_TEST

START_TEST(two_directories_are_needed)
{
	char name[] = "batfs", a[] = "a", b[] = "b", c[] = "c";
	char *argv[] = { name, a, b, c, NULL };

	ck_assert_int_eq(batfs_options_parse(1, argv, &options, &error),
	    BAT_USE_INVALID);
	ck_assert_int_eq(batfs_options_parse(2, argv, &options, &error),
	    BAT_USE_INVALID);
	ck_assert_int_eq(batfs_options_parse(3, argv, &options, &error), 0);
	ck_assert_int_eq(batfs_options_parse(4, argv, &options, &error),
	    BAT_USE_INVALID);
}
END_TEST

START_TEST(options_may_stand_behind_the_directories)
{
	char name[] = "batfs", a[] = "a", b[] = "b", o[] = "-o", ro[] = "ro";
	char *argv[] = { name, a, b, o, ro, NULL };

	ck_assert_int_eq(batfs_options_parse(5, argv, &options, &error), 0);
	ck_assert(options.read_only);
	ck_assert_str_eq(options.mountpoint, "b");
}
END_TEST

START_TEST(unknown_flags_are_named)
{
	char name[] = "batfs", x[] = "-x", l[] = "--frob";
	char *shorts[] = { name, x, NULL }, *longs[] = { name, l, NULL };

	ck_assert_int_eq(batfs_options_parse(2, shorts, &options, &error),
	    BAT_USE_INVALID);
	ck_assert_ptr_nonnull(strstr(error.text, "-x"));
	ck_assert_int_eq(batfs_options_parse(2, longs, &options, &error),
	    BAT_USE_INVALID);
	ck_assert_ptr_nonnull(strstr(error.text, "--frob"));
}
END_TEST

START_TEST(the_config_line_says_every_option_that_is_in_effect)
{
	struct bat_buf line = BAT_BUF_EMPTY;

	ck_assert_int_eq(parse_list("ro,scope=a b\\,c,kind=2.00a,"
				    "stamp,kinds=/no/such/file,gates=/no/such,"
				    "gate_limit=7"),
	    0);
	ck_assert_int_eq(
	    batfs_options_config_line(&options, "/my data", "/m", &line), 0);
	ck_assert_int_eq(bat_bytes_append_byte(&line, 0), 0);
	ck_assert_str_eq((char *)line.data,
	    "/my\\040data /m fuse.batfs ro,kind=2.00a,new=scope,durable=each,"
	    "index=auto,checkpoint=300,segment=268435456,ahead=0,"
	    "scope=a\\040b\\134,c,kinds=/no/such/"
	    "file,gates=/no/such,gate_limit=7,stamp,sandbox=on,max_threads=10 "
	    "0 0\n");
	bat_bytes_free(&line);
}
END_TEST

START_TEST(a_transparency_log_has_its_key_beside_it_or_where_it_is_said)
{
	struct bat_buf line = BAT_BUF_EMPTY;

	ck_assert_int_eq(parse_list("rw"), 0);
	ck_assert(!options.tlog && options.tlog_key == NULL);
	ck_assert_int_eq(parse_list("tlog"), 0);
	ck_assert(options.tlog && options.tlog_key == NULL);
	ck_assert_int_eq(parse_list("tlog=/etc/batfs\\,key"), 0);
	ck_assert(options.tlog);
	ck_assert_str_eq(options.tlog_key, "/etc/batfs,key");
	ck_assert_int_eq(
	    batfs_options_config_line(&options, "/data", "/m", &line), 0);
	ck_assert_int_eq(bat_bytes_append_byte(&line, 0), 0);
	ck_assert_ptr_nonnull(
	    strstr((char *)line.data, "tlog=/etc/batfs\\134,key"));
	bat_bytes_free(&line);
	batfs_options_free(&options);
	/* A daemon lives in "/". */
	ck_assert_int_eq(parse_list("tlog=key"), 0);
	ck_assert_int_eq(options.tlog_key[0], '/');
	ck_assert_ptr_nonnull(strstr(options.tlog_key, "/key"));
	batfs_options_free(&options);
	ck_assert_int_eq(parse_list("tlog="), BAT_USE_INVALID);
}
END_TEST

START_TEST(the_kernel_checks_modes_in_any_case)
{
	struct bat_buf list = BAT_BUF_EMPTY;

	ck_assert_int_eq(parse_list("allow_other,suid,dev"), 0);
	ck_assert_int_eq(batfs_options_fuse_words(&options, "/a,b", &list), 0);
	ck_assert_str_eq((char *)list.data,
	    "rw,default_permissions,nosuid,nodev,noexec,fsname=/a\\,b,"
	    "subtype=batfs,allow_other");
	bat_bytes_free(&list);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("options");
	TCase *tests = tcase_create("options");

	tcase_add_checked_fixture(tests, NULL, teardown);
	tcase_add_test(tests, defaults_are_in_one_place);
	tcase_add_test(tests, words_set_what_they_name);
	tcase_add_test(tests, the_later_word_wins);
	tcase_add_test(tests, a_moment_is_read_only_whatever_else_is_said);
	tcase_add_test(tests, what_mount_hands_on_is_ignored);
	tcase_add_test(tests, an_unknown_word_is_named);
	tcase_add_loop_test(tests, impossible_values_are_refused, 0, 32);
	tcase_add_test(tests, two_directories_are_needed);
	tcase_add_test(tests, options_may_stand_behind_the_directories);
	tcase_add_test(tests, unknown_flags_are_named);
	tcase_add_test(tests,
	    the_config_line_says_every_option_that_is_in_effect);
	tcase_add_test(tests, the_kernel_checks_modes_in_any_case);
	tcase_add_test(tests,
	    a_transparency_log_has_its_key_beside_it_or_where_it_is_said);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
