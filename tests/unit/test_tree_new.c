#include "../support/fake_store.c"

#include "../../fs/tree_internal.h"
#include "../support/tree_fixture.h"
#include "suite.h"

static int
create(const char *dir, const char *name)
{
	struct batfs_node parent = at(dir), out;

	return batfs_tree_create(tree, &parent, bat_bytes_text(name), &out,
	    NULL);
}

static int
make_dir(const char *dir, const char *name)
{
	struct batfs_node parent = at(dir), out;

	return batfs_tree_mkdir(tree, &parent, bat_bytes_text(name), &out,
	    NULL);
}

static int
remove_dir(const char *dir, const char *name)
{
	struct batfs_node parent = at(dir);

	return batfs_tree_rmdir(tree, &parent, bat_bytes_text(name));
}

static void
setup(void)
{
	fixture_setup();
	fake_add(&store, "home", "al");
	fake_add(&store, "home", "bo");
	fake_add(&store, "away", "bo");
}

/* ---- creating ----------------------------------------------------------- */

START_TEST(a_created_file_is_empty_and_listed_behind_the_real_ones)
{
	struct batfs_attributes attributes;

	ck_assert_int_eq(create("entities", "cy"), 0);
	ck_assert_int_eq(create("scopes/home", "di"), 0);
	assert_lists("entities", "al bo cy ");
	assert_lists("scopes/home", "al bo di ");
	assert_lists("scopes/away", "bo ");
	assert_content("entities/cy", "");
	assert_content("scopes/home/di", "");
	attributes = attributes_at("scopes/home/di");
	ck_assert_uint_eq(attributes.size, 0);
	ck_assert(attributes.appendable);
	ck_assert_int_eq(attributes.mtime_ms, 1000);
	/* It has no events, so nothing is known of it elsewhere. */
	assert_absent("entities/di");
	assert_absent("scopes/home/cy");
	fixture_reopen();
	assert_lists("entities", "al bo ");
}
END_TEST

START_TEST(a_created_file_is_listed_once_when_it_is_real)
{
	struct names names;

	ck_assert_int_eq(create("scopes/home", "di"), 0);
	ck_assert_int_eq(create("scopes/home", "ed"), 0);
	names = list_from("scopes/home", 0, 3);
	fake_add(&store, "home", "di");
	assert_lists("scopes/home", "al bo di ed ");
	ck_assert_str_eq(list_from("scopes/home", names.last_cookie, 9).text,
	    "ed ");
	assert_content_has("scopes/home/di", "\"entity\":\"di\"");
}
END_TEST

START_TEST(a_scope_that_mkdir_made_is_there_until_rmdir)
{
	ck_assert_int_eq(make_dir("scopes", "cellar"), 0);
	assert_lists("scopes", "home away cellar ");
	assert_lists("scopes/cellar", "");
	ck_assert_int_eq(attributes_at("scopes/cellar").type, BATFS_DIRECTORY);
	ck_assert_int_eq(make_dir("scopes", "cellar"), BAT_STATE_EXISTS);
	ck_assert_int_eq(remove_dir("scopes", "cellar"), 0);
	assert_lists("scopes", "home away ");
	assert_absent("scopes/cellar");
	ck_assert_int_eq(remove_dir("scopes", "cellar"), BAT_STATE_NOT_FOUND);
	ck_assert_int_eq(make_dir("scopes", "cellar"), 0);
	assert_lists("scopes", "home away cellar ");
}
END_TEST

START_TEST(only_an_empty_made_scope_can_be_removed)
{
	ck_assert_int_eq(remove_dir("scopes", "home"), BAT_USE_RESERVED);
	ck_assert_int_eq(remove_dir("", "scopes"), BAT_USE_RESERVED);
	ck_assert_int_eq(make_dir("scopes", "cellar"), 0);
	ck_assert_int_eq(create("scopes/cellar", "rat"), 0);
	ck_assert_int_eq(remove_dir("scopes", "cellar"), BAT_USE_RESERVED);
	fake_add(&store, "cellar", "rat");
	ck_assert_int_eq(remove_dir("scopes", "cellar"), BAT_USE_RESERVED);
	assert_lists("scopes", "home away cellar ");
	assert_lists("scopes/cellar", "rat ");
}
END_TEST

START_TEST(nothing_is_created_elsewhere)
{
	static const char *const dirs[] = { "", "log", "events",
		"events/00000000", ".ctl", "README" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		ck_assert_int_eq(create(dirs[i], "x"), BAT_USE_RESERVED);
		ck_assert_int_eq(make_dir(dirs[i], "x"), BAT_USE_RESERVED);
	}
	ck_assert_int_eq(create("scopes", "x"), BAT_USE_RESERVED);
	ck_assert_int_eq(make_dir("entities", "x"), BAT_USE_RESERVED);
	ck_assert_int_eq(make_dir("scopes/home", "x"), BAT_USE_RESERVED);
}
END_TEST

START_TEST(what_exists_is_not_created_again)
{
	ck_assert_int_eq(create("entities", "al"), BAT_STATE_EXISTS);
	ck_assert_int_eq(create("scopes/home", "al"), BAT_STATE_EXISTS);
	ck_assert_int_eq(make_dir("scopes", "home"), BAT_STATE_EXISTS);
	ck_assert_int_eq(create("scopes/away", "al"), 0);
	ck_assert_int_eq(create("scopes/away", "al"), BAT_STATE_EXISTS);
}
END_TEST

START_TEST(a_new_name_must_be_one_the_store_can_hold)
{
	char name[260];

	memset(name, 'n', sizeof(name));
	name[200] = '\0';
	ck_assert_int_eq(create("entities", name), 0);
	name[200] = 'n';
	name[201] = '\0';
	ck_assert_int_eq(create("entities", name), BAT_USE_NAME_LENGTH);
	ck_assert_int_eq(make_dir("scopes", name), BAT_USE_NAME_LENGTH);
	ck_assert_int_eq(create("entities", "a..b"), BAT_USE_INVALID);
	ck_assert_int_eq(create("entities", "a|b"), BAT_USE_INVALID);
	ck_assert_int_eq(create("entities", "a\tb"), BAT_USE_INVALID);
	ck_assert_int_eq(create("entities", ".swp"), BAT_USE_INVALID);
	ck_assert_int_eq(create("entities", "a%2"), BAT_USE_INVALID);
	ck_assert_int_eq(create("entities", "a\xff"), BAT_USE_INVALID);
	ck_assert_int_eq(create("entities", "a,color=red"), BAT_USE_INVALID);
	ck_assert_int_eq(make_dir("scopes", "a=b"), BAT_USE_INVALID);
	ck_assert_int_eq(create("scopes/home", "%2Eswp"), 0);
	assert_lists("scopes/home", "al bo %2Eswp ");
}
END_TEST

START_TEST(many_created_names_that_became_real_are_forgotten)
{
	char name[16];

	for (int i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "e%03d", i);
		ck_assert_int_eq(create("scopes/home", name), 0);
		if (i % 100 != 0)
			fake_add(&store, "home", name);
	}
	ck_assert_uint_eq(list_from("scopes/home", 0, SIZE_MAX).count, 602);
	ck_assert_uint_lt(tree->pendings.count, 300);
	fake_add(&store, "home", "e100");
	ck_assert_uint_eq(list_from("scopes/home", 0, SIZE_MAX).count, 602);
	ck_assert_int_eq(create("scopes/home", "e200"), BAT_STATE_EXISTS);
	ck_assert_int_eq(create("scopes/home", "e301"), BAT_STATE_EXISTS);
}
END_TEST

START_TEST(a_read_only_tree_takes_nothing_new)
{
	options.read_only = true;
	fixture_reopen();
	ck_assert_int_eq(create("entities", "cy"), BAT_USE_READ_ONLY);
	ck_assert_int_eq(make_dir("scopes", "cellar"), BAT_USE_READ_ONLY);
}
END_TEST

/* ---- what -o new= allows ------------------------------------------------- */

static size_t
admitted(const char *const pairs[][2], size_t count, struct bat_error *error)
{
	struct bat_draft drafts[8] = { { .kind = 0 } };

	ck_assert_uint_le(count, 8);
	for (size_t i = 0; i < count; i++) {
		drafts[i].scope = bat_bytes_text(pairs[i][0]);
		drafts[i].entity = bat_bytes_text(pairs[i][1]);
	}
	return batfs_tree_admit(tree, drafts, count, error);
}

static const char *const pairs[][2] = {
	{ "home", "al" },
	{ "away", "bo" },
	{ "away", "al" }, /* both exist, not together */
	{ "home", "new" },
	{ "new", "al" },
};

START_TEST(everything_may_be_new_by_default)
{
	ck_assert_uint_eq(admitted(pairs, 5, NULL), 5);
}
END_TEST

START_TEST(new_entity_allows_no_new_scope)
{
	struct bat_error error = { .code = 0 };

	options.new_names = BATFS_NEW_ENTITY;
	fixture_reopen();
	ck_assert_uint_eq(admitted(pairs, 5, &error), 4);
	ck_assert_int_eq(error.code, BAT_STATE_DENIED);
	ck_assert_int_eq(create("scopes/home", "new"), 0);
	ck_assert_int_eq(create("entities", "new"), 0);
	ck_assert_int_eq(make_dir("scopes", "new"), BAT_STATE_DENIED);
}
END_TEST

START_TEST(new_none_allows_only_what_is_there)
{
	struct bat_error error = { .code = 0 };

	options.new_names = BATFS_NEW_NONE;
	fixture_reopen();
	ck_assert_uint_eq(admitted(pairs, 5, &error), 2);
	ck_assert_int_eq(error.code, BAT_STATE_DENIED);
	ck_assert_uint_eq(admitted(pairs, 2, &error), 2);
	ck_assert_int_eq(create("scopes/home", "new"), BAT_STATE_DENIED);
	ck_assert_int_eq(create("scopes/away", "al"), BAT_STATE_DENIED);
	ck_assert_int_eq(create("entities", "new"), BAT_STATE_DENIED);
	ck_assert_int_eq(make_dir("scopes", "new"), BAT_STATE_DENIED);
}
END_TEST

/* ---- where an append goes -------------------------------------------------- */

static struct batfs_intake_resolver resolver;

static struct batfs_intake_place
place_of(const char *path)
{
	struct batfs_intake_place place;
	struct batfs_node node = at(path);

	ck_assert_int_eq(batfs_tree_place(tree, &node, &place, &resolver), 0);
	return place;
}

static void
assert_text(struct bat_slice got, const char *wanted)
{
	sample_assert_same(got, bat_bytes_text(wanted), "place");
}

START_TEST(a_place_is_the_names_of_the_file)
{
	struct batfs_intake_place place = place_of("scopes/home/al");

	assert_text(place.entity, "al");
	assert_text(place.scope, "home");
	assert_text(place.default_scope, "");
	assert_text(place.words, "");
	ck_assert_uint_eq(place.default_kind, BAT_KIND_DATA);
	ck_assert(!place.text);
	place = place_of("entities/al");
	assert_text(place.entity, "al");
	assert_text(place.scope, "");
	options.default_scope = "hall";
	options.default_kind = 0xf001;
	options.text = true;
	fixture_reopen();
	place = place_of("entities/bo");
	assert_text(place.default_scope, "hall");
	ck_assert_uint_eq(place.default_kind, 0xf001);
	ck_assert(place.text);
}
END_TEST

START_TEST(what_takes_no_append_has_no_place)
{
	static const char *const paths[] = { "", "README", "log.jsonl",
		"entities", "scopes/home", ".ctl/checkpoint",
		"events/00000000/000000000000.json" };
	struct batfs_intake_place place;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct batfs_node node = at(paths[i]);

		ck_assert_int_eq(batfs_tree_place(tree, &node, &place,
				     &resolver),
		    BAT_USE_INVALID);
	}
}
END_TEST

START_TEST(only_an_entity_of_one_scope_has_one)
{
	struct bat_slice scope;

	place_of("entities/al");
	ck_assert_int_eq(resolver.only_scope(resolver.context,
			     bat_bytes_text("al"), &scope),
	    0);
	assert_text(scope, "home");
	ck_assert_int_eq(resolver.only_scope(resolver.context,
			     bat_bytes_text("bo"), &scope),
	    BAT_USE_INVALID);
	ck_assert_int_eq(resolver.only_scope(resolver.context,
			     bat_bytes_text("cy"), &scope),
	    BAT_USE_INVALID);
}
END_TEST

START_TEST(words_of_a_name_are_words_of_the_place)
{
	struct batfs_intake_place place = place_of(
	    "entities/al,kind=f.001,cause=last");

	assert_text(place.entity, "al");
	assert_text(place.words, "kind=f.001,cause=last");
	place = place_of("scopes/away/bo,kind=f.001,as=text,lane=2");
	assert_text(place.entity, "bo");
	assert_text(place.scope, "away");
	assert_text(place.words, "kind=f.001,as=text,lane=2");
	place = place_of("entities/al,scope=x:y");
	assert_text(place.words, "scope=x:y");
}
END_TEST

START_TEST(names_with_words_are_written_and_not_listed)
{
	struct batfs_attributes attributes = attributes_at(
	    "entities/al,as=text");
	struct batfs_node node = at("entities/al,as=text");
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_uint_eq(attributes.mode, 0200);
	ck_assert(attributes.appendable);
	ck_assert_int_eq(batfs_tree_read(tree, &node, 0, 10, &buf, NULL),
	    BAT_USE_INVALID);
	assert_lists("entities", "al bo ");
	assert_absent("entities/al,color=red");
	assert_absent("entities/al,as=short");
	assert_absent("entities/al,kind");
	assert_absent("entities/no,kind=f.001");
	assert_absent("scopes/home/al,scope=away");
	assert_absent("scopes/away/al,kind=f.001");
	ck_assert_int_eq(create("entities", "no,kind=f.001"), 0);
	at("entities/no,kind=f.001");
	assert_lists("entities", "al bo ");
	assert_absent("scopes/home/no,kind=f.001");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tree_new");
	TCase *creating = tcase_create("creating"), *new = tcase_create("new");
	TCase *placing = tcase_create("placing");

	tcase_add_checked_fixture(creating, setup, fixture_teardown);
	tcase_add_test(creating,
	    a_created_file_is_empty_and_listed_behind_the_real_ones);
	tcase_add_test(creating, a_created_file_is_listed_once_when_it_is_real);
	tcase_add_test(creating, a_scope_that_mkdir_made_is_there_until_rmdir);
	tcase_add_test(creating, only_an_empty_made_scope_can_be_removed);
	tcase_add_test(creating, nothing_is_created_elsewhere);
	tcase_add_test(creating, what_exists_is_not_created_again);
	tcase_add_test(creating, a_new_name_must_be_one_the_store_can_hold);
	tcase_add_test(creating,
	    many_created_names_that_became_real_are_forgotten);
	tcase_add_test(creating, a_read_only_tree_takes_nothing_new);
	suite_add_tcase(suite, creating);

	tcase_add_checked_fixture(new, setup, fixture_teardown);
	tcase_add_test(new, everything_may_be_new_by_default);
	tcase_add_test(new, new_entity_allows_no_new_scope);
	tcase_add_test(new, new_none_allows_only_what_is_there);
	suite_add_tcase(suite, new);

	tcase_add_checked_fixture(placing, setup, fixture_teardown);
	tcase_add_test(placing, a_place_is_the_names_of_the_file);
	tcase_add_test(placing, what_takes_no_append_has_no_place);
	tcase_add_test(placing, only_an_entity_of_one_scope_has_one);
	tcase_add_test(placing, words_of_a_name_are_words_of_the_place);
	tcase_add_test(placing, names_with_words_are_written_and_not_listed);
	suite_add_tcase(suite, placing);
	return suite_run(suite);
}
