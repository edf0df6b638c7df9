/*
 * at/: which names are moments, where times lead, and that what is below one
 * never changes. What each listing is at each moment, the story past.py knows.
 */
#include "../support/fake_store.c"

#include "../support/tree_fixture.h"

#include "fake_clock.h"
#include "suite.h"

static struct fake_clock fake;

/* Sequences 10, 11, 14, 15, 20: 14 is hidden. Times are 1000 + seq, in ms, but
 * 15 is as old as 11. */
static void
setup(void)
{
	static const struct {
		uint64_t seq;
		const char *scope, *entity;
	} events[] = {
		{ 10, "home", "al" },
		{ 11, "home", "bo" },
		{ 14, "away", "cy" },
		{ 15, "away", "al" },
		{ 20, "far", "di" },
	};

	fixture_setup();
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		store.next_seq = events[i].seq;
		fake_add(&store, events[i].scope, events[i].entity);
	}
	store.events[2].hidden = true;
	store.events[3].wall_ms = 1011;
}

START_TEST(a_sequence_up_to_the_head_is_a_moment)
{
	static const char *const absent[] = { "at/9", "at/21", "at/0",
		"at/18446744073709551615", "at/010", "at/x", "at/-1", "at/ 10",
		"at/10.json", "at/first", "at/head" };

	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		assert_absent(absent[i]);
	assert_lists("at/10/entities", "al ");
	assert_lists("at/20/entities", "al bo di ");
	fake_add(&store, "far", "ed");
	assert_lists("at/21/entities", "al bo di ed ");
}
END_TEST

START_TEST(a_gap_is_the_state_after_the_event_before_it)
{
	static const char *const same[] = { "at/11", "at/12", "at/13",
		"at/14" };

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/entities", same[i]);
		assert_lists(path, "al bo ");
		snprintf(path, sizeof(path), "%s/scopes", same[i]);
		assert_lists(path, "home ");
		snprintf(path, sizeof(path), "%s/events/00000000", same[i]);
		assert_lists(path, "000000000010.json 000000000011.json ");
	}
	assert_lists("at/15/scopes", "home away ");
	assert_lists("at/19/scopes/away", "al ");
}
END_TEST

START_TEST(nothing_below_a_moment_changes)
{
	static const char *const paths[] = { "at/15", "at/15/entities",
		"at/15/entities/al", "at/15/scopes/away", "at/15/log",
		"at/15/log/tail.jsonl", "at/15/log.jsonl", "at/15/events",
		"at/15/events/00000000", "at/15/range/first..head.jsonl",
		"at/15/query/entity=al/log.jsonl", "at/15/entities/al,as=brief",
		"at/15/entities/al,clock=9", "at/15/events/last" };
	struct batfs_attributes then[sizeof(paths) / sizeof(paths[0])];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		then[i] = attributes_at(paths[i]);
		ck_assert_int_eq(then[i].caching, BATFS_CACHE_FOREVER);
		ck_assert(!then[i].appendable);
		ck_assert_uint_eq(then[i].inode >> 63, 1);
	}
	fake_add(&store, "away", "al");
	fake_add(&store, "home", "new");
	store.next_seq += 10000;
	fake_add(&store, "away", "al");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct batfs_attributes now = attributes_at(paths[i]);

		ck_assert_uint_eq(now.size, then[i].size);
		ck_assert_int_eq(now.mtime_ms, then[i].mtime_ms);
		ck_assert_uint_eq(now.inode, then[i].inode);
	}
	assert_absent("at/15/log/00000000.jsonl");
	assert_absent("at/15/entities/new");
	assert_content("at/15/events/last", "00000000/000000000015");
}
END_TEST

START_TEST(what_is_only_of_now_is_not_there)
{
	static const char *const absent[] = { "at/15/at", "at/15/append",
		"at/15/.ctl", "at/15/entities/al,kind=f.001",
		"at/15/entities/di", "at/15/entities/di,as=brief",
		"at/15/scopes/far", "at/15/scopes/home/cy", "at/15/events/20",
		"at/15/events/00000000/000000000020.json", "at/11/scopes/away",
		"at/11/scopes/home/di" };

	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		assert_absent(absent[i]);
	assert_lists("at/15", "README log entities scopes events chains by ");
}
END_TEST

START_TEST(what_was_created_is_of_now)
{
	struct batfs_node parent = at("scopes"), node,
			  past = at("at/20/scopes");

	ck_assert_int_eq(batfs_tree_mkdir(tree, &parent, bat_bytes_text("hut"),
			     &node, NULL),
	    0);
	assert_lists("scopes", "home away far hut ");
	assert_lists("at/20/scopes", "home away far ");
	assert_absent("at/20/scopes/hut");
	ck_assert_int_eq(batfs_tree_mkdir(tree, &past, bat_bytes_text("new"),
			     &node, NULL),
	    BAT_USE_READ_ONLY);
	past = at("at/20/scopes/home");
	ck_assert_int_eq(batfs_tree_create(tree, &past, bat_bytes_text("new"),
			     &node, NULL),
	    BAT_USE_READ_ONLY);
}
END_TEST

START_TEST(a_time_leads_to_what_was_before_the_first_later_event)
{
	static const struct {
		const char *time, *target;
	} times[] = {
		{ "at/1970-01-01T00:00:01.010Z", "10" },
		{ "at/1970-01-01T00:00:01.0109Z", "10" },
		{ "at/1970-01-01T01:00:01.011+01:00", "15" },
		{ "at/1970-01-01T00:00:01.019Z", "15" },
		{ "at/1970-01-01T00:00:01.020Z", "20" },
		{ "at/2500-01-01T00:00:00Z", "20" },
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		assert_content(times[i].time, times[i].target);
		ck_assert_uint_eq(attributes_at(times[i].time).size, 2);
	}
	assert_absent("at/1970-01-01T00:00:01.009Z");
	assert_absent("at/1969-12-31T23:59:59Z");
	assert_absent("at/1970-01-01");
	/* Over is what something is later than. */
	ck_assert_int_eq(attributes_at("at/1970-01-01T00:00:01.019Z").caching,
	    BATFS_CACHE_FOREVER);
	ck_assert_int_eq(attributes_at("at/2500-01-01T00:00:00Z").caching,
	    BATFS_CACHE_NONE);
	fake_add(&store, "far", "di");
	assert_content("at/2500-01-01T00:00:00Z", "21");
}
END_TEST

START_TEST(a_while_ago_moves_with_the_clock)
{
	static const char *const absent[] = { "at/-", "at/-s", "at/-15",
		"at/-15y", "at/-1.5h", "at/--1s", "at/-1234567890s" };

	/* 62.015 s after 1970. */
	fake_clock_init(&fake, 62015000, 0);
	options.clock = &fake.clock;
	fixture_reopen();
	assert_content("at/-61s", "15");
	assert_content("at/-0w", "20");
	assert_content("at/-1m", "20");
	assert_absent("at/-62s");
	assert_absent("at/-999999999w");
	ck_assert_int_eq(attributes_at("at/-61s").caching, BATFS_CACHE_NONE);
	fake.wall_us += 5000;
	assert_content("at/-61s", "20");
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		assert_absent(absent[i]);
}
END_TEST

START_TEST(a_moment_whose_events_were_hidden_is_gone)
{
	struct batfs_node moment = at("at/10"), file = at("at/10/entities/al");
	struct batfs_attributes attributes;
	struct bat_buf buf = BAT_BUF_EMPTY;

	store.events[0].hidden = true;
	store.generation++;
	assert_absent("at/10");
	ck_assert_int_eq(batfs_tree_attributes(tree, &moment, true, &attributes,
			     NULL),
	    BAT_STATE_NOT_FOUND);
	ck_assert_int_eq(batfs_tree_list(tree, &moment, 0, NULL, NULL),
	    BAT_STATE_NOT_FOUND);
	ck_assert_int_eq(batfs_tree_read(tree, &file, 0, 10, &buf, NULL),
	    BAT_STATE_NOT_FOUND);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(a_cause_is_not_found_in_what_came_later)
{
	struct fake_event *twin;

	store.events[3].cause = store.events[1].id;
	assert_content_has("entities/al,as=brief", "\t11\t");
	twin = fake_add(&store, "home", "bo");
	twin->id = store.events[1].id;
	assert_content_has("entities/al,as=brief", "\t11\t");
	assert_content_has("at/15/entities/al,as=brief", "\t11\t");
	assert_content("at/15/events/id/00000000000000000000000000000001",
	    "../00000000/000000000011");
	assert_content("events/id/00000000000000000000000000000001",
	    "../00000000/000000000021");
}
END_TEST

START_TEST(paths_name_the_moment)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct batfs_node node = at("at/15/scopes/away/al"), parent;

	ck_assert_int_eq(batfs_tree_path(tree, &node, &buf), 0);
	sample_assert_same(bat_bytes_of_buf(&buf),
	    bat_bytes_text("at/15/scopes/away/al"), "path");
	bat_bytes_free(&buf);
	node = at("at/15");
	parent = batfs_tree_parent(tree, &node);
	ck_assert_int_eq(parent.class, BATFS_AT);
	ck_assert_uint_eq(parent.at, 0);
}
END_TEST

START_TEST(a_mount_begins_where_it_is_told)
{
	struct batfs_node node, wanted;
	struct bat_error error = { .code = 0 };

	ck_assert_int_eq(batfs_tree_start(tree, "1970-01-01T00:00:01.019Z",
			     NULL, &node, &error),
	    0);
	wanted = at("at/15");
	ck_assert_int_eq(node.class, wanted.class);
	ck_assert_uint_eq(node.at, wanted.at);
	ck_assert_int_eq(
	    batfs_tree_start(tree, "15", "/scopes//away/", &node, &error), 0);
	wanted = at("at/15/scopes/away");
	ck_assert_int_eq(node.class, wanted.class);
	ck_assert_uint_eq(node.scope, wanted.scope);
	ck_assert_uint_eq(node.at, wanted.at);
	ck_assert_int_eq(batfs_tree_start(tree, "21", NULL, &node, &error),
	    BAT_STATE_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(error.text, "at=21"));
	ck_assert_int_eq(batfs_tree_start(tree, NULL, "scopes/none", &node,
			     &error),
	    BAT_STATE_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(error.text, "only=scopes/none"));
}
END_TEST

START_TEST(a_part_has_no_links_that_lead_out_of_it)
{
	struct bat_error error = { .code = 0 };
	struct batfs_node node;

	store.events[3].cause = store.events[1].id;
	at("events/11");
	at("events/00000000/000000000015/cause");
	ck_assert_int_eq(batfs_tree_start(tree, NULL, "events", &node, &error),
	    0);
	assert_absent("events/11");
	assert_absent("events/00000000/000000000015/cause");
	assert_absent("events/first");
	at("events/00000000/000000000011/id");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tree_past");
	TCase *tests = tcase_create("tree_past");

	tcase_add_checked_fixture(tests, setup, fixture_teardown);
	tcase_add_test(tests, a_sequence_up_to_the_head_is_a_moment);
	tcase_add_test(tests, a_gap_is_the_state_after_the_event_before_it);
	tcase_add_test(tests, nothing_below_a_moment_changes);
	tcase_add_test(tests, what_is_only_of_now_is_not_there);
	tcase_add_test(tests, what_was_created_is_of_now);
	tcase_add_test(tests,
	    a_time_leads_to_what_was_before_the_first_later_event);
	tcase_add_test(tests, a_while_ago_moves_with_the_clock);
	tcase_add_test(tests, a_moment_whose_events_were_hidden_is_gone);
	tcase_add_test(tests, a_cause_is_not_found_in_what_came_later);
	tcase_add_test(tests, paths_name_the_moment);
	tcase_add_test(tests, a_mount_begins_where_it_is_told);
	tcase_add_test(tests, a_part_has_no_links_that_lead_out_of_it);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
