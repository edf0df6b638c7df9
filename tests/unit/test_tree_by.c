/*
 * by/: kinds, denials, the parts of names, the latest lines and the tables,
 * over a store in memory.
 */
#include "../support/fake_store.c"

#include "../support/tree_fixture.h"
#include "suite.h"

/* Sequences 10, 11 and so on; times are 1010 ms and so on. */
static void
add(const char *entity, const char *scope, uint16_t kind)
{
	if (store.count == 0)
		store.next_seq = 10;
	fake_add(&store, scope, entity)->kind = kind;
}

static void
add_some(void)
{
	add("al", "home", 0xf001);
	add("al:x", "home", 0xf002);
	add("bo:y:z", "away", 0x000f);
	add("al", "away", 0xf001);
	add("-rf", "home", 0x1000);
}

static void
assert_leads(const char *path, const char *target)
{
	struct batfs_node node = at(path);

	ck_assert_int_eq(batfs_tree_type(&node), BATFS_SYMLINK);
	ck_assert_uint_eq(attributes_of(&node).size, strlen(target));
	assert_content(path, target);
}

/* Bytes and size of two files are the same. */
static void
assert_same_file(const char *a, const char *b)
{
	struct bat_buf left = BAT_BUF_EMPTY, right = BAT_BUF_EMPTY;
	struct batfs_node one = at(a), other = at(b);

	read_onto(&one, &left);
	read_onto(&other, &right);
	sample_assert_same(bat_bytes_of_buf(&left), bat_bytes_of_buf(&right),
	    a);
	ck_assert_uint_eq(attributes_of(&one).size, left.length);
	bat_bytes_free(&left);
	bat_bytes_free(&right);
}

/* ---- kinds ------------------------------------------------------------------- */

START_TEST(what_there_is)
{
	assert_lists("by",
	    "CACHEDIR.TAG kind denials.jsonl name latest entities.tsv "
	    "scopes.tsv kinds.tsv chains.tsv ");
	assert_lists("by/kind", "");
	assert_lists("by/name", "");
	assert_lists("by/latest", "");
	assert_content("by/denials.jsonl", "");
	ck_assert_uint_eq(attributes_at("by/denials.jsonl").size, 0);
}
END_TEST

START_TEST(kinds_are_listed_as_they_came)
{
	add_some();
	assert_lists("by/kind",
	    "f.001.jsonl f.002.jsonl 0.00f.jsonl 1.000.jsonl ");
	assert_same_file("by/kind/f.001.jsonl", "query/kind=f.001/log.jsonl");
	assert_same_file("by/denials.jsonl", "by/kind/0.00f.jsonl");
	ck_assert_int_eq(attributes_at("by/kind").mtime_ms, 1014);
	ck_assert_int_eq(attributes_at("by/kind/f.001.jsonl").mtime_ms, 1013);
	ck_assert_int_eq(attributes_at("by/denials.jsonl").mtime_ms, 1012);
	add("al", "home", 0xf002);
	ck_assert_int_eq(attributes_at("by/kind").mtime_ms, 1014);
	ck_assert_int_eq(attributes_at("by/kind/f.002.jsonl").mtime_ms, 1015);
	assert_same_file("by/kind/f.002.jsonl", "query/kind=f.002/log.jsonl");
}
END_TEST

START_TEST(a_kind_has_one_name)
{
	static const char *const absent[] = { "f.001", "f.003.jsonl",
		"F.001.jsonl", "0xf001.jsonl", "f001.jsonl", "f.jsonl",
		".jsonl", "f.001.json", "f.001.jsonl.jsonl" };
	char path[64];

	add_some();
	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++) {
		snprintf(path, sizeof(path), "by/kind/%s", absent[i]);
		assert_absent(path);
	}
}
END_TEST

START_TEST(unknown_kinds_are_where_they_are_shown)
{
	add("al", "home", 0x0123); /* shown as 1.000 */
	assert_lists("by/kind", "1.000.jsonl ");
	assert_content_has("by/kind/1.000.jsonl", "\"kind\":\"1.000\"");
}
END_TEST

static struct batfs_kinds *kinds;

static void
name_kinds(const char *text)
{
	struct bat_error error = { .code = 0 };

	ck_assert_msg(batfs_kinds_parse(bat_bytes_text(text), "names", &kinds,
			  &error) == 0,
	    "%s", error.text);
	options.kinds = kinds;
	fixture_reopen();
}

START_TEST(names_of_kinds_are_links_from_their_first_event_on)
{
	struct names some;

	name_kinds("f.001 moved\nf.009 never\nf.001 went\n0.00f denied\n");
	assert_lists("by/kind", "");
	assert_absent("by/kind/moved.jsonl");
	add_some();
	assert_lists("by/kind",
	    "f.001.jsonl f.002.jsonl 0.00f.jsonl 1.000.jsonl "
	    "moved.jsonl went.jsonl denied.jsonl ");
	assert_leads("by/kind/moved.jsonl", "f.001.jsonl");
	assert_leads("by/kind/denied.jsonl", "0.00f.jsonl");
	ck_assert_int_eq(attributes_at("by/kind/went.jsonl").mtime_ms, 1010);
	assert_absent("by/kind/never.jsonl");
	assert_absent("by/kind/moved");
	assert_same_file("query/kind=went/log.jsonl",
	    "query/kind=f.001/log.jsonl");
	assert_absent("query/kind=gone");
	some = list_from("by/kind", 4, 1);
	ck_assert_str_eq(some.text, "moved.jsonl ");
	some = list_from("by/kind", some.last_cookie, SIZE_MAX);
	ck_assert_str_eq(some.text, "went.jsonl denied.jsonl ");
	batfs_kinds_free(kinds);
}
END_TEST

START_TEST(names_of_kinds_are_for_appending_too)
{
	struct batfs_intake_resolver resolver;
	struct batfs_intake_place place;
	struct batfs_node node;
	uint16_t kind = 0;

	name_kinds("f.001 moved\n");
	add_some();
	node = at("entities/al,kind=moved");
	ck_assert_int_eq(batfs_tree_place(tree, &node, &place, &resolver), 0);
	ck_assert(resolver.kind_alias(resolver.context, bat_bytes_text("moved"),
	    &kind));
	ck_assert_uint_eq(kind, 0xf001);
	ck_assert(!resolver.kind_alias(resolver.context, bat_bytes_text("went"),
	    &kind));
	batfs_kinds_free(kinds);
}
END_TEST

/* ---- names ------------------------------------------------------------------ */

START_TEST(parts_of_names_are_folders)
{
	add_some();
	assert_lists("by/name", "al bo %2Drf ");
	assert_lists("by/name/al", "=self x ");
	assert_lists("by/name/bo", "y ");
	assert_lists("by/name/bo/y", "z ");
	assert_leads("by/name/al/=self", "../../../entities/al");
	assert_leads("by/name/al/x", "../../../entities/al:x");
	assert_leads("by/name/bo/y/z", "../../../../entities/bo:y:z");
	assert_leads("by/name/%2Drf", "../../entities/%2Drf");
}
END_TEST

START_TEST(what_is_no_part_is_not_there)
{
	static const char *const absent[] = { "a", "x", "al:x", "al/al", "-rf",
		"=", "=self", "=log.jsonl", "=x", "bo/=self", "bo/=", "bo/z",
		"al/=x", "al/==", "al/=self.jsonl", "%2Drf/=log.jsonl" };
	char path[64];

	add_some();
	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++) {
		struct batfs_node node;

		snprintf(path, sizeof(path), "by/name/%s", absent[i]);
		ck_assert_msg(find(path, &node) != 0, "%s", path);
	}
}
END_TEST

START_TEST(an_empty_part_is_called_equals)
{
	add(":", "home", 0xf001);
	add("a:", "home", 0xf001);
	add("a::b", "home", 0xf001);
	assert_lists("by/name", "= a ");
	assert_lists("by/name/=", "= ");
	assert_leads("by/name/=/=", "../../../entities/:");
	assert_lists("by/name/a", "= ");
	assert_lists("by/name/a/=", "=self b ");
	assert_leads("by/name/a/=/=self", "../../../../entities/a:");
	assert_leads("by/name/a/=/b", "../../../../entities/a::b");
	assert_same_file("by/name/=/=log.jsonl", "entities/:");
	assert_same_file("by/name/a/=/=log.jsonl", "by/name/a/=log.jsonl");
}
END_TEST

START_TEST(a_link_becomes_a_folder_when_something_comes_below)
{
	add("al", "home", 0xf001);
	assert_leads("by/name/al", "../../entities/al");
	ck_assert_int_eq(attributes_at("by/name/al").caching, BATFS_CACHE_NONE);
	add("al:x", "home", 0xf001);
	assert_lists("by/name/al", "=self x ");
	assert_lists("by/name", "al ");
	/* A link that somebody still holds leads where it did. */
	assert_leads("by/name/al/=self", "../../../entities/al");
}
END_TEST

START_TEST(a_folder_becomes_an_entity_too)
{
	add("al:x", "home", 0xf001);
	assert_lists("by/name/al", "x ");
	add("al", "home", 0xf001);
	assert_lists("by/name/al", "=self x ");
	ck_assert_int_eq(attributes_at("by/name/al").mtime_ms, 1011);
	ck_assert_int_eq(attributes_at("by/name/al/x").mtime_ms, 1010);
}
END_TEST

START_TEST(a_namespace_has_a_log)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct batfs_node node;

	add_some();
	add("alb", "home", 0xf001);
	assert_same_file("by/name/al/=log.jsonl", "query/entity=al/log.jsonl");
	node = at("by/name/al/=log.jsonl");
	ck_assert_int_eq(batfs_tree_path(tree, &node, &buf), 0);
	sample_assert_same(bat_bytes_of_buf(&buf),
	    bat_bytes_text("by/name/al/=log.jsonl"), "path");
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(long_parts_are_shortened_each_by_itself)
{
	char entity[512] = "a:", path[600];
	struct names names;

	memset(entity + 2, 'x', 300);
	memcpy(entity + 302, ":b", 3);
	add(entity, "home", 0xf001);
	names = list_from("by/name/a", 0, SIZE_MAX);
	ck_assert_uint_eq(names.length, 183 + 1 + 16 + 1);
	names.text[names.length - 1] = '\0';
	snprintf(path, sizeof(path), "by/name/a/%.300s", names.text);
	assert_lists(path, "b ");
	/* It is a part and no entity. */
	snprintf(path, sizeof(path), "entities/%.300s", names.text);
	assert_absent(path);
	/* Also for who asks before anything was listed. */
	fixture_reopen();
	snprintf(path, sizeof(path), "by/name/a/%.300s", names.text);
	assert_lists(path, "b ");
}
END_TEST

static void
assert_stands_in(const char *path, const char *folder)
{
	struct batfs_node node = at(path), wanted = at(folder);
	struct batfs_node above = batfs_tree_parent(tree, &node);

	ck_assert_int_eq(above.class, wanted.class);
	ck_assert_uint_eq(above.entity, wanted.entity);
	ck_assert_uint_eq(above.scope, wanted.scope);
	ck_assert_uint_eq(above.number, wanted.number);
}

START_TEST(folders_of_names_lead_up_again)
{
	add_some();
	assert_stands_in("by/name/bo/y/z", "by/name/bo/y");
	assert_stands_in("by/name/bo/y", "by/name/bo");
	assert_stands_in("by/name/bo", "by/name");
	assert_stands_in("by/name/%2Drf", "by/name");
	assert_stands_in("by/name/al/=self", "by/name/al");
	assert_stands_in("by/name/al/=log.jsonl", "by/name/al");
	assert_stands_in("by/name", "by");
}
END_TEST

START_TEST(names_can_be_listed_from_anywhere)
{
	struct names all, some;

	add_some();
	add("al:w", "home", 0xf001);
	all = list_from("by/name/al", 0, SIZE_MAX);
	ck_assert_str_eq(all.text, "=self x w ");
	some = list_from("by/name/al", 0, 1);
	ck_assert_str_eq(some.text, "=self ");
	some = list_from("by/name/al", some.last_cookie, 1);
	ck_assert_str_eq(some.text, "x ");
	some = list_from("by/name/al", some.last_cookie, SIZE_MAX);
	ck_assert_str_eq(some.text, "w ");
	some = list_from("by/name/al", some.last_cookie, SIZE_MAX);
	ck_assert_str_eq(some.text, "");
	some = list_from("by/name/al", 12345, SIZE_MAX);
	ck_assert_str_eq(some.text, "");
}
END_TEST

START_TEST(names_are_found_anew_in_a_new_generation)
{
	add_some();
	assert_lists("by/name/al", "=self x ");
	store.events[1].hidden = true;
	store.generation++;
	assert_leads("by/name/al", "../../entities/al");
	assert_lists("by/name", "al bo %2Drf ");
	assert_lists("by/kind", "f.001.jsonl 0.00f.jsonl 1.000.jsonl ");
}
END_TEST

START_TEST(nothing_is_created_there)
{
	static const char *const folders[] = { "by", "by/kind", "by/name",
		"by/name/al", "by/latest" };
	struct bat_error error = { .code = 0 };
	struct batfs_node node;

	add_some();
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		struct batfs_node parent = at(folders[i]);

		ck_assert(!batfs_tree_takes_appends(&parent));
		ck_assert_int_eq(batfs_tree_create(tree, &parent,
				     bat_bytes_text("new"), &node, &error),
		    BAT_USE_READ_ONLY);
		ck_assert_int_eq(batfs_tree_mkdir(tree, &parent,
				     bat_bytes_text("new"), &node, &error),
		    BAT_USE_READ_ONLY);
	}
}
END_TEST

/* ---- the latest ------------------------------------------------------------- */

START_TEST(the_latest_line_of_each_entity)
{
	add_some();
	assert_lists("by/latest", "al.json al:x.json bo:y:z.json %2Drf.json ");
	assert_same_file("by/latest/al.json",
	    "events/00000000/000000000013.json");
	ck_assert_int_eq(attributes_at("by/latest/al.json").mtime_ms, 1013);
	ck_assert_int_eq(attributes_at("by/latest").mtime_ms, 1014);
	add("al", "home", 0xf001);
	ck_assert_int_eq(attributes_at("by/latest/al.json").mtime_ms, 1015);
	assert_content_has("by/latest/al.json", "\"seq\":15,");
	assert_absent("by/latest/al");
	assert_absent("by/latest/al.jsonl");
	assert_absent("by/latest/nobody.json");
	assert_absent("by/latest/-rf.json");
	assert_absent("by/latest/.json");
}
END_TEST

/* ---- tables ------------------------------------------------------------------- */

#define HEAD                                                                   \
                                                                               \
	"#events\tfirst_seq\tlast_seq\tfirst_time\tlast_time\tbytes\tname\n"

/* A line of a table: times are those of the sequences, the size that of a
 * file. */
struct line {
	unsigned count, first, last;
	const char *file, *name;
};

static unsigned
size_at(const char *path)
{
	return (unsigned)attributes_at(path).size;
}

static void
assert_table(const char *path, const struct line *lines, size_t count)
{
	char wanted[2048] = HEAD;
	size_t length = strlen(wanted);

	for (size_t i = 0; i < count; i++) {
		const struct line *line = &lines[i];

		length += (size_t)snprintf(wanted + length,
		    sizeof(wanted) - length,
		    "%u\t%u\t%u\t1970-01-01T00:00:01.%03uZ\t"
		    "1970-01-01T00:00:01.%03uZ\t%u\t%s\n",
		    line->count, line->first, line->last, line->first,
		    line->last, size_at(line->file), line->name);
		ck_assert_uint_lt(length, sizeof(wanted));
	}
	assert_content(path, wanted);
	ck_assert_uint_eq(size_at(path), length);
}

START_TEST(tables_have_a_line_for_each_name_in_the_order_of_their_bytes)
{
	static const struct line entities[] = {
		{ 1, 14, 14, "entities/%2Drf", "%2Drf" },
		{ 2, 10, 13, "entities/al", "al" },
		{ 1, 11, 11, "entities/al:x", "al:x" },
		{ 1, 12, 12, "entities/bo:y:z", "bo:y:z" },
	};
	static const struct line scopes[] = {
		{ 2, 12, 13, "query/scope=away/log.jsonl", "away" },
		{ 3, 10, 14, "query/scope=home/log.jsonl", "home" },
	};
	static const struct line of_kinds[] = {
		{ 1, 12, 12, "by/kind/0.00f.jsonl", "0.00f" },
		{ 1, 14, 14, "by/kind/1.000.jsonl", "1.000" },
		{ 2, 10, 13, "by/kind/f.001.jsonl", "f.001" },
		{ 1, 11, 11, "by/kind/f.002.jsonl", "f.002" },
	};

	add_some();
	assert_table("by/entities.tsv", entities, 4);
	assert_table("by/scopes.tsv", scopes, 2);
	assert_table("by/kinds.tsv", of_kinds, 4);
}
END_TEST

START_TEST(tables_keep_up)
{
	assert_content("by/entities.tsv", HEAD);
	assert_content("by/chains.tsv", HEAD);
	add("al", "home", 0xf001);
	assert_content_has("by/entities.tsv", "\n1\t10\t10\t");
	ck_assert_int_eq(attributes_at("by/entities.tsv").mtime_ms, 1010);
	add("al", "home", 0xf001);
	assert_content_has("by/entities.tsv", "\n2\t10\t11\t");
	ck_assert_int_eq(attributes_at("by/entities.tsv").mtime_ms, 1011);
	store.events[0].hidden = true;
	store.generation++;
	assert_content_has("by/entities.tsv", "\n1\t11\t11\t");
	assert_content_has("by/scopes.tsv", "\n1\t11\t11\t");
}
END_TEST

START_TEST(a_table_costs_nothing_while_nothing_is_appended)
{
	unsigned reads;

	add_some();
	size_at("by/entities.tsv");
	reads = store.read_count;
	size_at("by/entities.tsv");
	size_at("by/scopes.tsv");
	size_at("by/kinds.tsv");
	ck_assert_uint_eq(store.read_count, reads);
	add("al", "home", 0xf001);
	size_at("by/entities.tsv");
	ck_assert_uint_eq(store.read_count, reads + 1);
}
END_TEST

START_TEST(names_and_types_cost_no_line)
{
	add_some();
	list_from("by", 0, SIZE_MAX);
	list_from("by/kind", 0, SIZE_MAX);
	list_from("by/name/al", 0, SIZE_MAX);
	list_from("by/latest", 0, SIZE_MAX);
	attributes_at("by/name/al");
	attributes_at("by/kind");
	ck_assert_uint_eq(store.read_count, 0);
}
END_TEST

START_TEST(what_is_damaged_beyond_its_row_is_in_no_table)
{
	static const struct line scopes[] = {
		{ 2, 12, 13, "query/scope=away/log.jsonl", "away" },
		{ 2, 10, 11, "query/scope=home/log.jsonl", "home" },
	};

	add_some();
	store.events[4].entity = store.events[4].scope = BAT_MAP_NONE;
	assert_lists("by/latest", "al.json al:x.json bo:y:z.json ");
	assert_lists("by/kind", "f.001.jsonl f.002.jsonl 0.00f.jsonl ");
	assert_table("by/scopes.tsv", scopes, 2);
}
END_TEST

/* ---- chains ------------------------------------------------------------------- */

#define ID "000000000000000000000000000000"

/* An event that is caused by another one's, by their ordinals. */
static void
add_caused(uint8_t cause)
{
	fake_add(&store, "home", "al")->cause.bytes[15] = cause;
}

START_TEST(chains_are_listed_from_the_newest_on)
{
	static const struct line lines[] = {
		{ 2, 11, 14, "chains/01/" ID "01/log.jsonl", ID "01" },
		{ 3, 12, 15, "chains/02/" ID "02/log.jsonl", ID "02" },
	};

	add("al", "home", 0xf001); /* an id of zeros names no cause */
	add("al", "home", 0xf001);
	add("al", "home", 0xf001);
	add_caused(2);
	add_caused(1);
	add_caused(2);
	assert_table("by/chains.tsv", lines, 2);
}
END_TEST

static TCase *
names_case(void)
{
	TCase *tests = tcase_create("names");

	tcase_add_checked_fixture(tests, fixture_setup, fixture_teardown);
	tcase_add_test(tests, parts_of_names_are_folders);
	tcase_add_test(tests, what_is_no_part_is_not_there);
	tcase_add_test(tests, an_empty_part_is_called_equals);
	tcase_add_test(tests,
	    a_link_becomes_a_folder_when_something_comes_below);
	tcase_add_test(tests, a_folder_becomes_an_entity_too);
	tcase_add_test(tests, a_namespace_has_a_log);
	tcase_add_test(tests, long_parts_are_shortened_each_by_itself);
	tcase_add_test(tests, folders_of_names_lead_up_again);
	tcase_add_test(tests, names_can_be_listed_from_anywhere);
	tcase_add_test(tests, names_are_found_anew_in_a_new_generation);
	return tests;
}

static TCase *
tables_case(void)
{
	TCase *tests = tcase_create("tables");

	tcase_add_checked_fixture(tests, fixture_setup, fixture_teardown);
	tcase_add_test(tests,
	    tables_have_a_line_for_each_name_in_the_order_of_their_bytes);
	tcase_add_test(tests, tables_keep_up);
	tcase_add_test(tests, a_table_costs_nothing_while_nothing_is_appended);
	tcase_add_test(tests, what_is_damaged_beyond_its_row_is_in_no_table);
	tcase_add_test(tests, chains_are_listed_from_the_newest_on);
	return tests;
}

int
main(void)
{
	Suite *suite = suite_create("tree_by");
	TCase *tests = tcase_create("by");

	tcase_add_checked_fixture(tests, fixture_setup, fixture_teardown);
	tcase_add_test(tests, what_there_is);
	tcase_add_test(tests, kinds_are_listed_as_they_came);
	tcase_add_test(tests, a_kind_has_one_name);
	tcase_add_test(tests, unknown_kinds_are_where_they_are_shown);
	tcase_add_test(tests,
	    names_of_kinds_are_links_from_their_first_event_on);
	tcase_add_test(tests, names_of_kinds_are_for_appending_too);
	tcase_add_test(tests, nothing_is_created_there);
	tcase_add_test(tests, the_latest_line_of_each_entity);
	tcase_add_test(tests, names_and_types_cost_no_line);
	suite_add_tcase(suite, tests);
	suite_add_tcase(suite, names_case());
	suite_add_tcase(suite, tables_case());
	return suite_run(suite);
}
