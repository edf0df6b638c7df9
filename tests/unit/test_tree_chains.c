/*
 * chains/ and the links of events, over a store that is appended to: what is
 * listed, where links lead, what files say, and that a long chain is read in
 * pieces.
 */
#include "stores.h"

#include "suite.h"
#include "tree_fixture.h"

static struct temp_dir dir;

static void
setup(void)
{
	temp_dir_make(&dir);
	fixture_store = stores_open(&dir, false);
	fixture_options();
	fixture_open();
}

static void
teardown(void)
{
	batfs_tree_free(tree);
	stores_close(fixture_store);
	temp_dir_remove(&dir);
}

/* An event with the id 00..(number), caused by the one with id (cause). The
 * first append makes an OPEN event besides: sequence 0. */
static void
append(uint8_t number, uint8_t cause, const char *entity)
{
	struct bat_draft draft = stores_draft(entity, "room", "\xc0");

	draft.key.bytes[0] = 0xab;
	draft.key.bytes[15] = number;
	if (cause != 0) {
		draft.cause = BAT_CAUSE_ID;
		draft.cause_id = draft.key;
		draft.cause_id.bytes[15] = cause;
	}
	ck_assert_int_eq(
	    stores_append_batch(fixture_store, &draft, 1, NULL, NULL), 0);
}

/* 1 -> 2 -> 3, 1 -> 4; 5 alone. */
static void
append_some(void)
{
	append(1, 0, "a:1");
	append(2, 1, "b:1");
	append(3, 2, "a:1");
	append(5, 0, "c:1");
	append(4, 1, "say \"hi\"");
}

#define ONE "ab000000000000000000000000000001"
#define FIVE "ab000000000000000000000000000005"

START_TEST(a_chain_is_listed_from_its_second_event_on)
{
	assert_lists("chains", "CACHEDIR.TAG ");
	append(1, 0, "a:1");
	assert_lists("chains", "CACHEDIR.TAG ");
	assert_absent("chains/01");
	assert_content("chains/" ONE, "../events/00000000/000000000001");
	append(2, 1, "b:1");
	assert_lists("chains", "01 CACHEDIR.TAG ");
	assert_lists("chains/01", ONE " ");
	assert_content("chains/" ONE, "01/" ONE);
	assert_lists("chains/01/" ONE,
	    "000000000001 000000000002 log.jsonl tree.txt graph.dot ");
	append(3, 2, "a:1");
	assert_lists("chains/01/" ONE,
	    "000000000001 000000000002 000000000003 "
	    "log.jsonl tree.txt graph.dot ");
}
END_TEST

START_TEST(links_lead_to_folders_and_back)
{
	append_some();
	assert_content("chains/01/" ONE "/000000000003",
	    "../../../events/00000000/000000000003");
	assert_content("events/00000000/000000000003/chain",
	    "../../../chains/" ONE);
	assert_content("events/00000000/000000000004/chain",
	    "../../../chains/" FIVE);
	assert_content("chains/" FIVE, "../events/00000000/000000000004");
	assert_lists("events/00000000/000000000001/effects",
	    "000000000002 000000000005 ");
	assert_content("events/00000000/000000000001/effects/000000000005",
	    "../../../00000000/000000000005");
	assert_lists("events/00000000/000000000005/effects", "");
	/* By any of its events, and by the first digits of one. */
	assert_content("chains/ab000000000000000000000000000003", "01/" ONE);
	assert_absent("chains/ab0000");
}
END_TEST

START_TEST(a_chain_can_be_walked_from_the_middle)
{
	struct names names;

	append_some();
	names = list_from("chains/01/" ONE, 2, SIZE_MAX);
	ck_assert_str_eq(names.text,
	    "000000000002 000000000003 000000000005 "
	    "log.jsonl tree.txt graph.dot ");
	names = list_from("chains/01/" ONE, 3, 1);
	ck_assert_str_eq(names.text, "000000000003 ");
	names = list_from("events/00000000/000000000001/effects", 1, SIZE_MAX);
	ck_assert_str_eq(names.text, "000000000005 ");
}
END_TEST

START_TEST(names_that_are_none_are_not_there)
{
	static const char *const absent[] = { "chains/1", "chains/02",
		"chains/0", "chains/000", "chains/AB", "chains/01/" FIVE,
		"chains/ab00000000000000000000000000000",
		"chains/ab0000000000000000000000000000010",
		"chains/Ab000000000000000000000000000001", "chains/01/ab",
		"chains/05/" FIVE, "chains/xx", "chains/01/" ONE "/3",
		"chains/01/" ONE "/000000000004",
		"chains/01/" ONE "/000000000099",
		"chains/01/" ONE "/0000000000003",
		"events/00000000/000000000001/effects/000000000003",
		"events/00000000/000000000001/effects/2",
		"events/00000000/000000000099/chain" };

	append_some();
	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++)
		assert_absent(absent[i]);
}
END_TEST

START_TEST(a_tree_has_effects_behind_their_causes)
{
	static const char *const wanted[4][2] = { { "1", "a:1" },
		{ "2", "  b:1" }, { "3", "    a:1" }, { "5", "  say \"hi\"" } };
	struct bat_buf content = BAT_BUF_EMPTY;
	struct batfs_node node;
	char *rest;

	append_some();
	node = at("chains/01/" ONE "/tree.txt");
	read_onto(&node, &content);
	ck_assert_int_eq(bat_bytes_append_byte(&content, 0), 0);
	rest = (char *)content.data;
	for (size_t i = 0; i < 4; i++) {
		ck_assert_str_eq(strsep(&rest, "\t"), wanted[i][0]);
		ck_assert_uint_eq(strlen(strsep(&rest, "\t")), 27);
		ck_assert_str_eq(strsep(&rest, "\t"), "f.001");
		ck_assert_str_eq(strsep(&rest, "\t"), wanted[i][1]);
		ck_assert_str_eq(strsep(&rest, "\n"), "null");
	}
	ck_assert_str_eq(rest, "");
	bat_bytes_free(&content);
}
END_TEST

START_TEST(a_graph_has_nodes_and_edges)
{
	append_some();
	assert_content("chains/01/" ONE "/graph.dot",
	    "digraph \"" ONE "\" {\n"
	    "\t\"1\" [label=\"1 f.001\\na:1\"];\n"
	    "\t\"2\" [label=\"2 f.001\\nb:1\"];\n"
	    "\t\"1\" -> \"2\";\n"
	    "\t\"3\" [label=\"3 f.001\\na:1\"];\n"
	    "\t\"2\" -> \"3\";\n"
	    "\t\"5\" [label=\"5 f.001\\nsay \\\"hi\\\"\"];\n"
	    "\t\"1\" -> \"5\";\n"
	    "}\n");
}
END_TEST

static void
append_content(const char *path, struct bat_buf *buf)
{
	struct batfs_node node = at(path);

	read_onto(&node, buf);
}

START_TEST(causes_and_consequences_are_lines_of_events)
{
	struct bat_buf wanted = BAT_BUF_EMPTY;

	append_some();
	append_content("events/1.json", &wanted);
	wanted.length = 0;
	append_content("events/00000000/000000000001.json", &wanted);
	append_content("events/00000000/000000000002.json", &wanted);
	ck_assert_int_eq(bat_bytes_append_byte(&wanted, 0), 0);
	assert_content("events/00000000/000000000003/causes.jsonl",
	    (const char *)wanted.data);
	assert_content("events/00000000/000000000001/causes.jsonl", "");
	bat_bytes_clear(&wanted);
	append_content("events/00000000/000000000002.json", &wanted);
	append_content("events/00000000/000000000003.json", &wanted);
	append_content("events/00000000/000000000005.json", &wanted);
	ck_assert_int_eq(bat_bytes_append_byte(&wanted, 0), 0);
	assert_content("events/00000000/000000000001/consequences.jsonl",
	    (const char *)wanted.data);
	bat_bytes_free(&wanted);
}
END_TEST

/* In pieces of any size the bytes are those of the whole. */
START_TEST(files_are_the_same_in_pieces)
{
	static const char *const files[] = { "log.jsonl", "tree.txt",
		"graph.dot" };

	append(1, 0, "a:1");
	for (unsigned i = 2; i < 200; i++)
		append((uint8_t)i, (uint8_t)(i % 3 == 0 ? i / 2 : i - 1),
		    "b:1");
	for (size_t i = 0; i < 3; i++) {
		char path[80];
		struct bat_buf whole = BAT_BUF_EMPTY, part = BAT_BUF_EMPTY;
		struct batfs_node node;

		snprintf(path, sizeof(path), "chains/01/" ONE "/%s", files[i]);
		node = at(path);
		fixture_reopen();
		for (uint64_t offset = 0;; offset += 777) {
			bat_bytes_clear(&part);
			ck_assert_int_eq(batfs_tree_read(tree, &node, offset,
					     777, &part, NULL),
			    0);
			ck_assert_int_eq(bat_bytes_append_slice(&whole,
					     bat_bytes_of_buf(&part)),
			    0);
			if (part.length < 777)
				break;
		}
		ck_assert_uint_eq(attributes_of(&node).size, whole.length);
		bat_bytes_clear(&part);
		read_onto(&node, &part);
		sample_assert_same(bat_bytes_of_buf(&part),
		    bat_bytes_of_buf(&whole), files[i]);
		bat_bytes_free(&whole);
		bat_bytes_free(&part);
	}
}
END_TEST

START_TEST(each_chain_has_its_own_files)
{
	struct bat_buf first = BAT_BUF_EMPTY, second = BAT_BUF_EMPTY;

	append_some();
	append(7, 5, "c:1");
	append_content("chains/01/" ONE "/log.jsonl", &first);
	append_content("chains/05/" FIVE "/log.jsonl", &second);
	ck_assert_uint_eq(attributes_at("chains/05/" FIVE "/log.jsonl").size,
	    second.length);
	ck_assert_uint_lt(second.length, first.length);
	bat_bytes_free(&first);
	bat_bytes_free(&second);
}
END_TEST

START_TEST(times_are_those_of_what_came_last)
{
	int64_t folder, second;

	append_some();
	folder = attributes_at("chains/01/" ONE).mtime_ms;
	second = attributes_at("events/00000000/000000000002").mtime_ms;
	ck_assert_int_eq(folder,
	    attributes_at("events/00000000/000000000005").mtime_ms);
	ck_assert_int_eq(attributes_at("chains").mtime_ms, second);
	ck_assert_int_eq(attributes_at("chains/01").mtime_ms, second);
	ck_assert_int_eq(attributes_at("chains/01/" ONE "/log.jsonl").mtime_ms,
	    folder);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tree_chains");
	TCase *cases = tcase_create("tree_chains");

	tcase_set_timeout(cases, 60);
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, a_chain_is_listed_from_its_second_event_on);
	tcase_add_test(cases, links_lead_to_folders_and_back);
	tcase_add_test(cases, a_chain_can_be_walked_from_the_middle);
	tcase_add_test(cases, names_that_are_none_are_not_there);
	tcase_add_test(cases, a_tree_has_effects_behind_their_causes);
	tcase_add_test(cases, a_graph_has_nodes_and_edges);
	tcase_add_test(cases, causes_and_consequences_are_lines_of_events);
	tcase_add_test(cases, files_are_the_same_in_pieces);
	tcase_add_test(cases, each_chain_has_its_own_files);
	tcase_add_test(cases, times_are_those_of_what_came_last);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
