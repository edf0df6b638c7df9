#include "../support/fake_store.c"

#include "../support/tree_fixture.h"
#include "suite.h"

static const uint8_t nil = 0xc0;

static struct fake_event *
add_at(uint64_t seq, const char *scope, const char *entity)
{
	return fake_add_at(&store, seq, scope, entity,
	    bat_bytes_slice(&nil, 1));
}

/* Three pages of the log, two of them sealed, and a page without events. */
static void
add_pages(void)
{
	static const uint64_t seqs[] = { 5, 6, 9999, 10000, 10007, 30000, 30001,
		30009 };

	for (size_t i = 0; i < sizeof(seqs) / sizeof(seqs[0]); i++)
		add_at(seqs[i], i % 2 ? "home" : "away", i % 3 ? "al" : "bo");
}

/* ---- names ------------------------------------------------------------- */

START_TEST(the_root_lists_what_is_finite)
{
	assert_lists("",
	    "README append log entities scopes events chains backup by ");
	at("log.jsonl");
	at(".ctl");
	assert_lists(".ctl",
	    "version head status config open-report "
	    "checkpoint sync pin rejects.jsonl stats compact frontier ");
}
END_TEST

START_TEST(an_empty_store_has_an_empty_tail)
{
	assert_lists("log", "tail.jsonl ");
	assert_lists("events", "CACHEDIR.TAG ");
	assert_lists("entities", "");
	assert_lists("scopes", "");
	assert_content("log/tail.jsonl", "");
	assert_content("log.jsonl", "");
	ck_assert_int_eq(attributes_at("log/tail.jsonl").mtime_ms, 0);
	ck_assert_int_eq(attributes_at("README").mtime_ms, 0);
	ck_assert_int_eq(attributes_at("").mtime_ms, 0);
}
END_TEST

START_TEST(shards_and_pages_are_those_with_events)
{
	add_pages();
	assert_lists("log", "00000000.jsonl 00000001.jsonl tail.jsonl ");
	assert_lists("events", "00000000 00000001 00000003 CACHEDIR.TAG ");
	assert_lists("events/00000000",
	    "000000000005.json 000000000006.json "
	    "000000009999.json ");
	assert_lists("events/00000003",
	    "000000030000.json 000000030001.json "
	    "000000030009.json ");
	assert_lists("events/00000003/000000030001",
	    "chain event.json payload entity scope kind id corr hash prev time "
	    "receipt effects causes.jsonl consequences.jsonl ");
}
END_TEST

START_TEST(each_name_has_one_spelling)
{
	static const char *const absent[] = { "readme", "Log", ".", "..",
		"logs", "log/0.jsonl", "log/00000000", "log/00000002.jsonl",
		"log/00000003.jsonl", "log/000000000.jsonl", "events/2",
		"events/00000002", "events/000000000", "events/05",
		"events/005.json", "events/+5", "events/18446744073709551616",
		"events/00000000/5.json", "events/00000000/000000000007.json",
		"events/00000000/000000010000.json",
		"events/00000000/0000000000005.json",
		"events/00000000/000000000005.jsonl", "entities/AL",
		"entities/%61l", "entities/home", "scopes/al", "scopes/home/x",
		"entities/", "entities/.", "entities/..", "scopes/.",
		".ctl/Version", ".ctl/", "events/first/" };

	add_pages();
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		if (absent[i][strlen(absent[i]) - 1] != '/')
			assert_absent(absent[i]);
}
END_TEST

START_TEST(typed_numbers_are_links_to_what_is_listed)
{
	struct bat_buf target = BAT_BUF_EMPTY;
	struct batfs_node node;

	add_pages();
	assert_content("events/5", "00000000/000000000005");
	assert_content("events/30001", "00000003/000000030001");
	assert_content("events/30001.json", "00000003/000000030001.json");
	ck_assert_uint_eq(attributes_at("events/30001").size, 21);
	ck_assert_int_eq(attributes_at("events/5").type, BATFS_SYMLINK);
	node = at("events/10007.json");
	ck_assert_int_eq(batfs_tree_readlink(tree, &node, &target), 0);
	ck_assert_uint_eq(target.length, 26);
	bat_bytes_free(&target);
	node = at("events/00000001/000000010007.json");
	ck_assert_int_eq(batfs_tree_readlink(tree, &node, &target),
	    BAT_USE_INVALID);
}
END_TEST

START_TEST(names_of_entities_and_scopes_are_encoded)
{
	fake_add(&store, "-home", ".hidden");
	fake_add(&store, "CACHEDIR.TAG", "50%");
	assert_lists("entities", "%2Ehidden 50%25 ");
	assert_lists("scopes", "%2Dhome %43ACHEDIR.TAG ");
	assert_lists("scopes/%2Dhome", "%2Ehidden ");
	at("scopes/%43ACHEDIR.TAG/50%25");
	assert_absent("entities/.hidden");
	assert_absent("scopes/-home");
	assert_absent("scopes/%2dhome");
}
END_TEST

static char *
long_name(char letter)
{
	static char name[301];

	memset(name, letter, 300);
	return name;
}

START_TEST(long_names_are_found_by_their_shortened_form)
{
	struct names names;
	char path[300];

	fake_add(&store, "home", "al");
	fake_add(&store, "home", long_name('x'));
	names = list_from("entities", 0, SIZE_MAX);
	ck_assert_uint_eq(names.length, 3 + 183 + 17 + 1);
	names.text[names.length - 1] = '\0';
	snprintf(path, sizeof(path), "entities/%.250s", names.text + 3);
	at(path);
	snprintf(path, sizeof(path), "scopes/home/%.250s", names.text + 3);
	at(path);
	path[strlen(path) - 1] ^= 1;
	assert_absent(path);
	/* One that comes later, as a scope. */
	fake_add(&store, long_name('y'), "al");
	names = list_from("scopes", 0, SIZE_MAX);
	names.text[names.length - 1] = '\0';
	snprintf(path, sizeof(path), "scopes/%.250s/al", names.text + 5);
	at(path);
	assert_absent(long_name('y'));
}
END_TEST

START_TEST(nothing_stands_below_a_file)
{
	struct batfs_node node = at("README"), child;

	ck_assert_int_eq(batfs_tree_lookup(tree, &node, bat_bytes_text("x"),
			     &child),
	    BAT_USE_INVALID);
	ck_assert_int_eq(batfs_tree_list(tree, &node, 0, fixture_note_name,
			     NULL),
	    BAT_USE_INVALID);
}
END_TEST

START_TEST(the_kernel_may_remember_only_what_can_never_come)
{
	static const char *const may_come[] = { "log", "entities", "scopes",
		"scopes/home", "events", "events/00000000" };
	struct batfs_node node;

	add_pages();
	ck_assert(batfs_tree_absent_for_ever(&root));
	for (size_t i = 0; i < sizeof(may_come) / sizeof(may_come[0]); i++) {
		node = at(may_come[i]);
		ck_assert(!batfs_tree_absent_for_ever(&node));
	}
}
END_TEST

/* ---- the whole walk ----------------------------------------------------- */

struct walk {
	struct batfs_node parent;
	struct batfs_node *nodes; /* all that were seen, and to be entered */
	size_t count;
};

static bool
walk_each(void *context, const char *name, const struct batfs_node *node,
    uint64_t cookie)
{
	struct walk *walk = context;
	struct batfs_node found, parent = batfs_tree_parent(tree, node);

	ck_assert_uint_gt(cookie, 0);
	ck_assert_uint_lt(cookie, INT64_MAX);
	ck_assert_int_eq(batfs_tree_lookup(tree, &walk->parent,
			     bat_bytes_text(name), &found),
	    0);
	ck_assert_int_eq(found.class, node->class);
	ck_assert_uint_eq(found.entity, node->entity);
	ck_assert_uint_eq(found.scope, node->scope);
	ck_assert_uint_eq(found.number, node->number);
	ck_assert_int_eq(parent.class, walk->parent.class);
	ck_assert_uint_eq(parent.scope, walk->parent.scope);
	ck_assert_uint_eq(parent.number, walk->parent.number);
	walk->nodes = realloc(walk->nodes,
	    (walk->count + 1) * sizeof(*walk->nodes));
	ck_assert_ptr_nonnull(walk->nodes);
	walk->nodes[walk->count++] = *node;
	return true;
}

/* Every node that readdir leads to, breadth first. */
static struct walk
walk_all(void)
{
	struct walk walk = { .nodes = malloc(sizeof(*walk.nodes)) };

	walk.nodes[walk.count++] = root;
	for (size_t i = 0; i < walk.count; i++) {
		walk.parent = walk.nodes[i];
		if (batfs_tree_type(&walk.parent) == BATFS_DIRECTORY)
			ck_assert_int_eq(batfs_tree_list(tree, &walk.parent, 0,
					     walk_each, &walk),
			    0);
	}
	return walk;
}

START_TEST(every_listed_name_is_itself_and_has_its_exact_size)
{
	struct walk walk;
	struct bat_buf buf = BAT_BUF_EMPTY;

	add_pages();
	fake_add(&store, "-home", ".hidden");
	walk = walk_all();
	ck_assert_uint_eq(walk.count, 57);
	for (size_t i = 0; i < walk.count; i++) {
		const struct batfs_node *node = &walk.nodes[i];
		struct batfs_attributes attributes = attributes_of(node);
		struct batfs_node again;

		ck_assert_int_eq(attributes.type, batfs_tree_type(node));
		ck_assert_uint_eq(attributes.inode,
		    batfs_tree_inode(tree, node));
		bat_bytes_clear(&buf);
		ck_assert_int_eq(batfs_tree_path(tree, node, &buf), 0);
		ck_assert_int_eq(bat_bytes_append_byte(&buf, '\0'), 0);
		again = at((const char *)buf.data);
		ck_assert_uint_eq(batfs_tree_inode(tree, &again),
		    attributes.inode);
		bat_bytes_clear(&buf);
		if (attributes.type != BATFS_DIRECTORY)
			read_onto(node, &buf);
		ck_assert_uint_eq(buf.length, attributes.size);
	}
	free(walk.nodes);
	bat_bytes_free(&buf);
}
END_TEST

static int
compare_numbers(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

START_TEST(inode_numbers_are_unique_and_the_same_at_every_mount)
{
	static const char *const unlisted[] = { "log.jsonl", ".ctl",
		".ctl/head", "events/5", "events/5.json",
		"events/00000000/000000000005",
		"events/00000000/000000000005/event.json",
		"events/00000000/000000000005/payload",
		"events/00000000/000000000005/entity",
		"events/00000000/000000000005/scope",
		"events/00000000/000000000005/kind",
		"events/00000000/000000000005/id",
		"events/00000000/000000000005/corr",
		"events/00000000/000000000005/hash",
		"events/00000000/000000000005/prev",
		"events/00000000/000000000005/time",
		"events/00000000/000000000005/receipt", "events/first",
		"events/last", "events/id", "entities/al,as=text",
		"scopes/home/al,as=text" };
	const size_t more = sizeof(unlisted) / sizeof(unlisted[0]);
	struct walk walk, again;
	struct batfs_node node;
	uint64_t *inodes;

	add_pages();
	walk = walk_all();
	inodes = calloc(walk.count + more, sizeof(*inodes));
	ck_assert_ptr_nonnull(inodes);
	for (size_t i = 0; i < walk.count; i++)
		inodes[i] = batfs_tree_inode(tree, &walk.nodes[i]);
	for (size_t i = 0; i < more; i++) {
		node = at(unlisted[i]);
		inodes[walk.count + i] = batfs_tree_inode(tree, &node);
	}
	/* Another mount, where names got their numbers in another order. */
	fixture_reopen();
	at("scopes/home/al");
	again = walk_all();
	ck_assert_uint_eq(again.count, walk.count);
	for (size_t i = 0; i < walk.count; i++)
		ck_assert_uint_eq(batfs_tree_inode(tree, &again.nodes[i]),
		    inodes[i]);
	ck_assert_uint_eq(inodes[0], 1);
	qsort(inodes, walk.count + more, sizeof(*inodes), compare_numbers);
	for (size_t i = 0; i < walk.count + more; i++) {
		ck_assert_uint_le(inodes[i], INT64_MAX);
		ck_assert(i == 0 || inodes[i] > inodes[i - 1]);
	}
	free(inodes);
	free(walk.nodes);
	free(again.nodes);
}
END_TEST

/* What a listing noted of the store's numbers is of their generation. */
START_TEST(a_listed_node_keeps_its_name_when_the_store_numbers_anew)
{
	static const char *const paths[] = { "entities/al", "entities/bo",
		"scopes/home/al", "scopes/away/bo" };
	struct batfs_node nodes[4];
	char line[32];

	fake_add(&store, "home", "al");
	fake_add(&store, "away", "bo");
	list_from("entities", 0, SIZE_MAX);
	list_from("scopes", 0, SIZE_MAX);
	for (unsigned i = 0; i < 4; i++)
		nodes[i] = at(paths[i]);
	fake_free(&store);
	store.generation++;
	fake_add(&store, "away", "bo");
	fake_add(&store, "away", "bo");
	fake_add(&store, "home", "al");
	for (unsigned i = 0; i < 4; i++) {
		struct bat_buf text = BAT_BUF_EMPTY;

		read_onto(&nodes[i], &text);
		ck_assert_uint_eq(attributes_of(&nodes[i]).size, text.length);
		snprintf(line, sizeof(line), "\"%s\"",
		    strrchr(paths[i], '/') + 1);
		ck_assert_ptr_nonnull(
		    memmem(text.data, text.length, line, strlen(line)));
		bat_bytes_free(&text);
	}
}
END_TEST

/* list_from compares them; more names than are hashed side by side, and some
 * that are too long for that. */
START_TEST(names_alone_have_the_same_inode_numbers)
{
	char scope[1001] = "s", entity[1001], path[300];
	struct names names;

	memset(scope, 's', 1000);
	for (unsigned i = 0; i < 40; i++) {
		memset(entity, 'e', 1000);
		entity[i % 8 == 3 ? 1000 : i % 300 + 1] = '\0';
		entity[0] = (char)('a' + i % 26);
		fake_add(&store, i % 2 ? scope : "home", entity);
	}
	names = list_from("scopes", 0, SIZE_MAX);
	ck_assert_uint_eq(names.count, 2);
	snprintf(path, sizeof(path), "scopes/%.200s",
	    strchr(names.text, ' ') + 1);
	ck_assert_uint_eq(list_from(path, 0, SIZE_MAX).count, 20);
	ck_assert_uint_eq(list_from("scopes/home", 0, SIZE_MAX).count, 20);
	ck_assert_uint_eq(list_from("scopes/home", 3, 14).count, 14);
	ck_assert_uint_eq(list_from("entities", 0, SIZE_MAX).count, 40);
	ck_assert_uint_eq(list_from("by/latest", 16, 20).count, 20);
}
END_TEST

START_TEST(a_cookie_goes_on_behind_its_name_for_ever)
{
	uint64_t cookies[16];
	size_t count = 0;
	struct names names;

	add_pages();
	for (uint64_t cookie = 0;; cookie = names.last_cookie) {
		names = list_from("events", cookie, 1);
		if (names.count == 0)
			break;
		cookies[count++] = names.last_cookie;
	}
	ck_assert_uint_eq(count, 4);
	add_at(45000, "new", "one");
	ck_assert_str_eq(list_from("events", cookies[1], 9).text,
	    "00000003 00000004 CACHEDIR.TAG ");
	ck_assert_str_eq(list_from("events", cookies[3], 9).text, "");
	names = list_from("entities", 0, 1);
	add_at(45001, "new", "two");
	ck_assert_str_eq(list_from("entities", names.last_cookie, 9).text,
	    "al one two ");
	names = list_from("events/00000003", 0, 2);
	ck_assert_str_eq(
	    list_from("events/00000003", names.last_cookie, 9).text,
	    "000000030009.json ");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tree");
	TCase *names = tcase_create("names");

	tcase_add_checked_fixture(names, fixture_setup, fixture_teardown);
	tcase_add_test(names, the_root_lists_what_is_finite);
	tcase_add_test(names, an_empty_store_has_an_empty_tail);
	tcase_add_test(names, shards_and_pages_are_those_with_events);
	tcase_add_test(names, each_name_has_one_spelling);
	tcase_add_test(names, typed_numbers_are_links_to_what_is_listed);
	tcase_add_test(names, names_of_entities_and_scopes_are_encoded);
	tcase_add_test(names, long_names_are_found_by_their_shortened_form);
	tcase_add_test(names, nothing_stands_below_a_file);
	tcase_add_test(names, the_kernel_may_remember_only_what_can_never_come);
	tcase_add_test(names,
	    every_listed_name_is_itself_and_has_its_exact_size);
	tcase_add_test(names,
	    inode_numbers_are_unique_and_the_same_at_every_mount);
	tcase_add_test(names,
	    a_listed_node_keeps_its_name_when_the_store_numbers_anew);
	tcase_add_test(names, names_alone_have_the_same_inode_numbers);
	tcase_add_test(names, a_cookie_goes_on_behind_its_name_for_ever);
	suite_add_tcase(suite, names);

	return suite_run(suite);
}
