/*
 * The file of names of kinds: what is taken, and what is refused where.
 */
#include <stdlib.h>

#include "kinds.h"
#include "sample.h"
#include "suite.h"
#include "temp_dir.h"

static struct batfs_kinds *kinds;
static struct bat_error error;

static int
parse(const char *text)
{
	batfs_kinds_free(kinds);
	kinds = NULL;
	error = (struct bat_error){ .code = 0 };
	return batfs_kinds_parse(bat_bytes_text(text), "names", &kinds, &error);
}

static void
teardown(void)
{
	batfs_kinds_free(kinds);
	kinds = NULL;
}

static uint16_t
kind_of(const char *name)
{
	uint16_t kind = 0xffff;

	return batfs_kinds_find(kinds, bat_bytes_text(name), &kind) ? kind : 0;
}

START_TEST(a_line_gives_a_kind_a_name)
{
	struct bat_slice name;
	uint16_t kind;

	ck_assert_int_eq(parse("f.001 moved\n0xF002\tsaid\r\n"
			       "\n # why\n#f.003 none\n"
			       "  1.000   plain.data-2  \n0.00f denied"),
	    0);
	ck_assert_uint_eq(kind_of("moved"), 0xf001);
	ck_assert_uint_eq(kind_of("said"), 0xf002);
	ck_assert_uint_eq(kind_of("plain.data-2"), 0x1000);
	ck_assert_uint_eq(kind_of("denied"), 0x000f);
	ck_assert_uint_eq(kind_of("none"), 0);
	ck_assert_uint_eq(kind_of("Moved"), 0);
	ck_assert(batfs_kinds_at(kinds, 1, &name, &kind));
	sample_assert_same(name, bat_bytes_text("said"), "the second");
	ck_assert_uint_eq(kind, 0xf002);
	ck_assert(!batfs_kinds_at(kinds, 4, &name, &kind));
}
END_TEST

START_TEST(no_file_has_no_names)
{
	struct bat_slice name;
	uint16_t kind;

	ck_assert_int_eq(parse(""), 0);
	ck_assert_uint_eq(kind_of("moved"), 0);
	ck_assert(!batfs_kinds_find(NULL, bat_bytes_text("moved"), &kind));
	ck_assert(!batfs_kinds_at(NULL, 0, &name, &kind));
}
END_TEST

START_TEST(one_kind_may_have_several_names)
{
	ck_assert_int_eq(parse("f.001 moved\nf.001 went\n"), 0);
	ck_assert_uint_eq(kind_of("moved"), kind_of("went"));
}
END_TEST

START_TEST(what_is_refused_names_its_line)
{
	static const struct {
		const char *text, *why;
	} wrong[] = {
		{ "moved f.001\n", "names line 1: no kind stands" },
		{ "\n\nf.0001 moved\n", "names line 3: no kind stands" },
		{ "F.001 moved\n", "names line 1: no kind stands" },
		{ "f moved\n", "names line 1: no kind stands" },
		{ "f.001\n", "names line 1: a name is missing" },
		{ "f.001 m\n", "names line 1: a name has 2 to 64" },
		{ "f.001 1st\n", "names line 1: a name starts with a letter" },
		{ "f.001 m,n\n", "names line 1: a name is made of" },
		{ "f.001 m=n\n", "names line 1: a name is made of" },
		{ "f.001 m\xc3\xbc\n", "names line 1: a name is made of" },
		{ "f.001 f.002\n", "names line 1: the name reads as a kind" },
		{ "f.001 moved # so\n", "names line 1: something stands" },
		{ "0.123 moved\n", "names line 1: no event is ever shown" },
		{ "f.001 moved\n#\nf.002 moved\n",
		    "names line 3: the name stands in line 1 already" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert_int_eq(parse(wrong[i].text), BAT_USE_INVALID);
		ck_assert_msg(strncmp(error.text, wrong[i].why,
				  strlen(wrong[i].why)) == 0,
		    "%s", error.text);
	}
}
END_TEST

START_TEST(a_file_is_read)
{
	struct temp_dir dir;
	char path[512];
	FILE *file;

	temp_dir_make(&dir);
	snprintf(path, sizeof(path), "%.400s/names", dir.path);
	ck_assert_int_eq(batfs_kinds_read(path, &kinds, &error),
	    BAT_WORLD_ABSENT);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs("f.001 moved\n", file);
	fclose(file);
	ck_assert_int_eq(batfs_kinds_read(path, &kinds, &error), 0);
	ck_assert_uint_eq(kind_of("moved"), 0xf001);
	batfs_kinds_free(kinds);
	kinds = NULL;
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	for (size_t i = 0; i < 1000000; i++)
		fputs("#\n", file);
	fclose(file);
	ck_assert_int_eq(batfs_kinds_read(path, &kinds, &error),
	    BAT_USE_INVALID);
	temp_dir_remove(&dir);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("kinds");
	TCase *tests = tcase_create("kinds");

	tcase_add_checked_fixture(tests, NULL, teardown);
	tcase_add_test(tests, a_line_gives_a_kind_a_name);
	tcase_add_test(tests, no_file_has_no_names);
	tcase_add_test(tests, one_kind_may_have_several_names);
	tcase_add_test(tests, what_is_refused_names_its_line);
	tcase_add_test(tests, a_file_is_read);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
