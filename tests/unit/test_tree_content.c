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

START_TEST(the_pages_and_the_tail_are_the_whole_log)
{
	static const char *const parts[] = { "log/00000000.jsonl",
		"log/00000001.jsonl", "log/tail.jsonl" };
	struct bat_buf all = BAT_BUF_EMPTY, sum = BAT_BUF_EMPTY;
	struct batfs_node node;

	add_pages();
	for (size_t i = 0; i < 3; i++) {
		node = at(parts[i]);
		read_onto(&node, &sum);
	}
	node = at("log.jsonl");
	read_onto(&node, &all);
	sample_assert_same(bat_bytes_of_buf(&sum), bat_bytes_of_buf(&all),
	    "log");
	ck_assert_uint_eq(attributes_at("log.jsonl").size, all.length);
	assert_content_has("log/tail.jsonl", "{\"seq\":30000,");
	bat_bytes_free(&all);
	bat_bytes_free(&sum);
}
END_TEST

START_TEST(times_are_those_of_events)
{
	/* add_pages: seq 5 bo away, 6 al home, 9999 al away, 10000 bo home,
	 * 10007 al away, 30000 al home, 30001 bo away, 30009 al home; the
	 * time is 1000 + seq. */
	static const struct {
		const char *path;
		int64_t seq;
	} wanted[] = {
		{ "", 5 },
		{ "README", 5 },
		{ "events/CACHEDIR.TAG", 5 },
		{ "log", 30009 },
		{ "log/00000000.jsonl", 9999 },
		{ "log/00000001.jsonl", 10007 },
		{ "log/tail.jsonl", 30009 },
		{ "log.jsonl", 30009 },
		{ "entities", 6 },
		{ "entities/bo", 30001 },
		{ "entities/al", 30009 },
		{ "scopes", 6 },
		{ "scopes/away", 9999 },
		{ "scopes/home", 10000 },
		{ "scopes/home/bo", 10000 },
		{ "scopes/away/al", 10007 },
		{ "events", 30000 },
		{ "events/00000000", 9999 },
		{ "events/00000003", 30009 },
		{ "events/00000001/000000010007.json", 10007 },
		{ "events/00000001/000000010007", 10007 },
		{ "events/00000001/000000010007/payload", 10007 },
		{ "events/10007", 10007 },
		{ ".ctl/head", 30009 },
	};

	add_pages();
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		ck_assert_msg(attributes_at(wanted[i].path).mtime_ms ==
			1000 + wanted[i].seq,
		    "%s has the time of %lld", wanted[i].path,
		    (long long)attributes_at(wanted[i].path).mtime_ms - 1000);
}
END_TEST

START_TEST(what_is_behind_the_newest_shard_is_cached_for_ever)
{
	static const struct {
		const char *path;
		enum batfs_caching caching;
	} wanted[] = {
		{ "README", BATFS_CACHE_FOREVER },
		{ "log/00000001.jsonl", BATFS_CACHE_FOREVER },
		{ "log/tail.jsonl", BATFS_CACHE_GROWING },
		{ "log.jsonl", BATFS_CACHE_GROWING },
		{ "entities", BATFS_CACHE_GROWING },
		{ "entities/al", BATFS_CACHE_GROWING },
		{ "events/00000001", BATFS_CACHE_FOREVER },
		{ "events/00000003", BATFS_CACHE_GROWING },
		{ "events/00000003/000000030009.json", BATFS_CACHE_FOREVER },
		{ ".ctl/status", BATFS_CACHE_NONE },
	};

	add_pages();
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		ck_assert_msg(attributes_at(wanted[i].path).caching ==
			wanted[i].caching,
		    "%s", wanted[i].path);
}
END_TEST

START_TEST(modes_say_what_can_be_done)
{
	add_pages();
	options.dir_mode = 0750;
	options.file_mode = 0640;
	fixture_reopen();
	ck_assert_uint_eq(attributes_at("").mode, 0750);
	ck_assert_uint_eq(attributes_at("README").mode, 0440);
	ck_assert_uint_eq(attributes_at("entities/al").mode, 0640);
	ck_assert(attributes_at("entities/al").appendable);
	ck_assert(!attributes_at("log.jsonl").appendable);
	ck_assert_uint_eq(attributes_at("entities/al,as=text").mode, 0200);
	ck_assert_uint_eq(attributes_at(".ctl/checkpoint").mode, 0640);
	ck_assert(attributes_at(".ctl/checkpoint").command);
	ck_assert(!attributes_at(".ctl/head").command);
	options.read_only = true;
	fixture_reopen();
	ck_assert(!attributes_at("entities/al").appendable);
	ck_assert(!attributes_at("scopes/home/al").appendable);
}
END_TEST

START_TEST(a_payload_is_what_was_stored)
{
	static const uint8_t pack[] = { 0x93, 1, 2, 0xd0, 3 };
	struct batfs_node node;
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct fake_event *event = fake_add_at(&store, 0, "home", "al",
	    bat_bytes_slice(pack, sizeof(pack)));

	node = at("events/00000000/000000000000/payload");
	ck_assert_uint_eq(attributes_of(&node).size, sizeof(pack));
	read_onto(&node, &buf);
	sample_assert_same(bat_bytes_of_buf(&buf),
	    bat_bytes_slice(pack, sizeof(pack)), "payload");
	event->damaged = true;
	ck_assert_int_eq(batfs_tree_read(tree, &node, 0, 100, &buf, NULL),
	    BAT_DATA_CORRUPT);
	ck_assert_uint_eq(buf.length, sizeof(pack));
	ck_assert_uint_eq(attributes_of(&node).size, 0);
	/* Its line is there all the same. */
	assert_content_has("events/00000000/000000000000/event.json",
	    "\"damaged\":\"crc");
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(reads_begin_where_they_are_told_to)
{
	struct bat_buf whole = BAT_BUF_EMPTY, part = BAT_BUF_EMPTY;
	static const char *const paths[] = { "README", "log.jsonl",
		".ctl/version", "events/00000001/000000010007.json" };

	add_pages();
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct batfs_node node = at(paths[i]);

		bat_bytes_clear(&whole);
		bat_bytes_clear(&part);
		read_onto(&node, &whole);
		ck_assert_int_eq(
		    batfs_tree_read(tree, &node, 3, 20, &part, NULL), 0);
		sample_assert_same(bat_bytes_of_buf(&part),
		    bat_bytes_slice(whole.data + 3, 20), paths[i]);
		ck_assert_int_eq(batfs_tree_read(tree, &node, whole.length, 20,
				     &part, NULL),
		    0);
		ck_assert_uint_eq(part.length, 20);
	}
	bat_bytes_free(&whole);
	bat_bytes_free(&part);
}
END_TEST

START_TEST(what_is_hidden_is_gone_with_all_its_names)
{
	struct batfs_node file, dir;

	add_pages();
	file = at("events/00000003/000000030001.json");
	dir = at("scopes/home");
	store.events[6].hidden = true;
	for (size_t i = 0; i < store.count; i++)
		store.events[i].hidden |= i % 2 == 1;
	store.generation++;
	assert_absent("scopes/home");
	assert_absent("events/30001");
	assert_lists("scopes", "away ");
	assert_lists("events", "00000000 00000001 CACHEDIR.TAG ");
	ck_assert_int_eq(batfs_tree_attributes(tree, &file, true,
			     &(struct batfs_attributes){ .mode = 0 }, NULL),
	    BAT_STATE_NOT_FOUND);
	ck_assert_int_eq(batfs_tree_attributes(tree, &dir, true,
			     &(struct batfs_attributes){ .mode = 0 }, NULL),
	    BAT_STATE_NOT_FOUND);
}
END_TEST

START_TEST(ctl_files_tell_of_the_store)
{
	struct bat_error error;
	struct batfs_node node;

	add_pages();
	assert_content(".ctl/head",
	    "next_seq 30010\nvisible_count 8\nentities 2\nscopes 2\n"
	    "first_seq 5\nlast_seq 30009\ndurable_seq 30009\n"
	    "first_time 1970-01-01T00:00:01.005000Z\n"
	    "last_time 1970-01-01T00:00:31.009000Z\n");
	assert_content_has(".ctl/version", "line_format 1\n");
	assert_content_has(".ctl/status", "source checkpoint\n");
	assert_content_has(".ctl/status", "writer ready\n");
	assert_content(".ctl/config", "/srv/store /mnt fuse.batfs rw 0 0\n");
	assert_content(".ctl/open-report", "opened a fake\n");
	assert_content(".ctl/rejects.jsonl", "");
	assert_lists(".ctl/frontier",
	    "accepted written durable visible emitted ");
	assert_content_has(".ctl/frontier/accepted",
	    "\nwall_ms 31009\ntime 1970-01-01T00:00:31.009000Z\n");
	assert_content_has(".ctl/frontier/durable",
	    "visible_minus_durable 0\nundurable_ms 0\n");
	assert_absent(".ctl/frontier/applied");
	node = at(".ctl/checkpoint");
	ck_assert_int_eq(batfs_tree_command(tree, &node,
			     bat_bytes_text("later\n"), &error),
	    BAT_USE_INVALID);
	ck_assert_uint_eq(store.checkpoint_count, 0);
	ck_assert_int_eq(batfs_tree_command(tree, &node,
			     bat_bytes_text("now\n"), &error),
	    0);
	ck_assert_uint_eq(store.checkpoint_count, 1);
	assert_content_has(".ctl/checkpoint", "last ok\n");
	assert_content(".ctl/compact",
	    "mergeable_segments 3\nmergeable_bytes 700\nfull_segments 0\n");
	node = at(".ctl/compact");
	ck_assert_int_eq(
	    batfs_tree_command(tree, &node, bat_bytes_text("now"), &error), 0);
	ck_assert_uint_eq(store.compact_count, 1);
	assert_content_has(".ctl/compact",
	    "bytes_before 700\nbytes_after 500\nlast ok\n");
	store.compact_code = BAT_WORLD_NO_SPACE;
	ck_assert_int_eq(batfs_tree_command(tree, &node, bat_bytes_text("now"),
			     &error),
	    BAT_WORLD_NO_SPACE);
	assert_content_has(".ctl/compact", "last no space: the disk said no\n");
	assert_content(".ctl/sync", "");
	node = at(".ctl/sync");
	ck_assert_int_eq(
	    batfs_tree_command(tree, &node, bat_bytes_text("now"), &error), 0);
	ck_assert_uint_eq(store.sync_count, 1);
	assert_content(".ctl/sync", "last ok\n");
	assert_content_has(".ctl/stats", "lines_appended 0\n");
	node = at(".ctl/checkpoint");
	store.checkpoint_code = BAT_WORLD_NO_SPACE;
	ck_assert_int_eq(batfs_tree_command(tree, &node, bat_bytes_text("now"),
			     &error),
	    BAT_WORLD_NO_SPACE);
	ck_assert_str_eq(error.text, "the disk said no");
	assert_content_has(".ctl/checkpoint", ": the disk said no\n");
}
END_TEST

START_TEST(readme_names_what_works_and_what_does_not_first)
{
	struct bat_buf first = BAT_BUF_EMPTY, second = BAT_BUF_EMPTY;
	struct batfs_node node = at("README");
	const char *works, *fails;

	read_onto(&node, &first);
	add_pages();
	options.config_line = "another";
	fixture_reopen();
	read_onto(&node, &second);
	sample_assert_same(bat_bytes_of_buf(&first), bat_bytes_of_buf(&second),
	    "README");
	ck_assert_int_eq(bat_bytes_append_byte(&first, '\0'), 0);
	works = strstr((const char *)first.data, "echo '\"hello\"' >>");
	fails = strstr((const char *)first.data, "echo hello >>");
	ck_assert_ptr_nonnull(works);
	ck_assert_ptr_nonnull(fails);
	ck_assert(fails - (const char *)first.data < 300);
	bat_bytes_free(&first);
	bat_bytes_free(&second);
}
END_TEST

/* The attributes of an entry, as a listing gives them along. */
static bool
measure_cheap(void *context, const char *name, const struct batfs_node *node,
    uint64_t cookie)
{
	unsigned reads = store.read_count, *count = context;

	(void)cookie;
	if (!batfs_tree_is_cheap(node))
		return true;
	attributes_of(node);
	ck_assert_msg(store.trace_count == 0, "%s", name);
	ck_assert_msg(store.read_count <= reads + 1, "%s", name);
	(*count)++;
	return true;
}

START_TEST(a_listing_gives_along_what_costs_one_event_at_the_most)
{
	static const char *const paths[] = { "", "by", "by/latest", "by/kind",
		"events", "events/00000000", "events/00000000/000000009999",
		"at/9999", "at/9999/by", "at/9999/events/00000000" };

	add_pages();
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct batfs_node node = at(paths[i]);
		unsigned count = 0;

		ck_assert_int_eq(
		    batfs_tree_list(tree, &node, 0, measure_cheap, &count), 0);
		ck_assert_msg(count > 0 || strcmp(paths[i], "by/kind") == 0,
		    "%s", paths[i]);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tree_content");
	TCase *content = tcase_create("content");

	tcase_add_checked_fixture(content, fixture_setup, fixture_teardown);
	tcase_add_test(content, the_pages_and_the_tail_are_the_whole_log);
	tcase_add_test(content, times_are_those_of_events);
	tcase_add_test(content,
	    what_is_behind_the_newest_shard_is_cached_for_ever);
	tcase_add_test(content, modes_say_what_can_be_done);
	tcase_add_test(content, a_payload_is_what_was_stored);
	tcase_add_test(content, reads_begin_where_they_are_told_to);
	tcase_add_test(content, what_is_hidden_is_gone_with_all_its_names);
	tcase_add_test(content,
	    a_listing_gives_along_what_costs_one_event_at_the_most);
	tcase_add_test(content, ctl_files_tell_of_the_store);
	tcase_add_test(content,
	    readme_names_what_works_and_what_does_not_first);
	suite_add_tcase(suite, content);
	return suite_run(suite);
}
