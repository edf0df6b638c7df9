/*
 * Streams with bounds that somebody types: range/, query/, entities with words
 * for reading; and what they stand on: kinds and moments.
 */
#include "../support/fake_store.c"

#include "../support/tree_fixture.h"

#include "suite.h"
#include "tree_internal.h"

/* Sequences 10 to 15; their times are 1010 ms and so on. */
static void
add_some(void)
{
	static const struct {
		const char *scope, *entity;
		uint16_t kind;
		uint32_t clock;
	} events[] = {
		{ "home", "al", 0xf001, 0 },
		{ "home", "al:x", 0xf002, 0 },
		{ "away", "alb", 0x1000, 0 },
		{ "away", "al", 0xf001, 1 },
		{ "home", "al", 0x000f, 0 },
		{ "home", "al:x:y", 0xf001, 2 },
	};

	store.next_seq = 10;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		struct fake_event *event = fake_add(&store, events[i].scope,
		    events[i].entity);

		event->kind = events[i].kind;
		event->clock = events[i].clock;
	}
}

/* The sequences of the lines of a file, each with a space behind it; its size
 * is that of its bytes. */
static const char *
seqs_of(const char *path)
{
	static char text[256];
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct batfs_node node = at(path);
	size_t length = 0;

	text[0] = '\0';
	read_onto(&node, &buf);
	ck_assert_uint_eq(attributes_of(&node).size, buf.length);
	for (size_t i = 0; i < buf.length; i++) {
		unsigned seq;

		if (i > 0 && buf.data[i - 1] != '\n')
			continue;
		ck_assert_int_eq(sscanf((const char *)buf.data + i,
				     "{\"seq\":%u,", &seq),
		    1);
		length += (size_t)snprintf(text + length, sizeof(text) - length,
		    "%u ", seq);
	}
	bat_bytes_free(&buf);
	return text;
}

static void
assert_seqs(const char *path, const char *wanted)
{
	ck_assert_msg(strcmp(seqs_of(path), wanted) == 0, "%s: %s, not %s",
	    path, seqs_of(path), wanted);
}

/* ---- range ------------------------------------------------------------------ */

START_TEST(a_range_has_both_its_ends)
{
	static const struct {
		const char *path, *seqs;
	} wanted[] = {
		{ "range/11..13.jsonl", "11 12 13 " },
		{ "range/11..11.jsonl", "11 " },
		{ "range/0..10.jsonl", "10 " },
		{ "range/000000000014..99.jsonl", "14 15 " },
		{ "range/first..head.jsonl", "10 11 12 13 14 15 " },
		{ "range/...jsonl", "10 11 12 13 14 15 " },
		{ "range/..head.jsonl", "10 11 12 13 14 15 " },
		{ "range/14..head.jsonl", "14 15 " },
		{ "range/first..11.jsonl", "10 11 " },
		{ "range/16..head.jsonl", "" },
		{ "range/0..9.jsonl", "" },
		{ "range/1970-01-01T00:00:01.011Z.."
		  "1970-01-01T00:00:01.013Z.jsonl",
		    "11 12 13 " },
		{ "range/1970-01-01T00:00:01.0119Z.."
		  "1970-01-01T00:00:01.0130Z.jsonl",
		    "11 12 13 " },
		{ "range/1970-01-01T00:00:01.013Z..14.jsonl", "13 14 " },
		{ "range/..1969-12-31T00:00:00Z.jsonl", "" },
		{ "range/1969-12-31T00:00:00Z..11.jsonl", "10 11 " },
		{ "range/2030-01-01T00:00:00Z..head.jsonl", "" },
		{ "range/12..18446744073709551615.jsonl", "12 13 14 15 " },
	};

	add_some();
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_seqs(wanted[i].path, wanted[i].seqs);
}
END_TEST

START_TEST(what_is_no_range_is_not_there)
{
	static const char *const absent[] = { "range/13..11.jsonl",
		"range/13.jsonl", "range/1..2", "range/1..2..3.jsonl",
		"range/a..b.jsonl", "range/head..first.jsonl",
		"range/01..2.jsonl", "range/1...2.jsonl",
		"range/18446744073709551616...jsonl",
		"range/2030-01-01..head.jsonl",
		"range/2031-01-01T00:00:00Z..2030-01-01T00:00:00Z.jsonl" };

	add_some();
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		assert_absent(absent[i]);
}
END_TEST

START_TEST(a_range_is_for_ever_once_its_end_has_come)
{
	add_some();
	ck_assert_int_eq(attributes_at("range/10..15.jsonl").caching,
	    BATFS_CACHE_FOREVER);
	ck_assert_int_eq(attributes_at("range/10..16.jsonl").caching,
	    BATFS_CACHE_GROWING);
	ck_assert_int_eq(attributes_at("range/10..head.jsonl").caching,
	    BATFS_CACHE_GROWING);
	ck_assert_int_eq(
	    attributes_at("range/..1970-01-01T00:00:01.013Z.jsonl").caching,
	    BATFS_CACHE_FOREVER);
	ck_assert_int_eq(
	    attributes_at("range/..1970-01-01T00:00:01.015Z.jsonl").caching,
	    BATFS_CACHE_GROWING);
	ck_assert_int_eq(attributes_at("range/10..12.jsonl").mtime_ms, 1012);
	ck_assert_int_eq(attributes_at("range/16..20.jsonl").mtime_ms, 1010);
	store.events[2].hidden = true;
	store.generation++;
	ck_assert_int_eq(attributes_at("range/10..12.jsonl").mtime_ms, 1011);
	assert_seqs("range/10..12.jsonl", "10 11 ");
}
END_TEST

START_TEST(a_time_is_before_the_first_event_that_is_later)
{
	uint32_t ordinal;

	/* Clocks go back; many enough for some blocks. */
	for (unsigned i = 0; i < 2000; i++)
		fake_add(&store, "home", "al")->wall_ms = i % 100 == 0 ?
		    1000 + i :
		    i;
	for (uint64_t wall = 0; wall < 3100; wall += 13) {
		uint32_t first = 0;

		while (
		    first < store.count && store.events[first].wall_ms <= wall)
			first++;
		ck_assert_int_eq(batfs_tree_first_later(tree, wall, &ordinal),
		    0);
		ck_assert_uint_eq(ordinal,
		    first == store.count ? BAT_MAP_NONE : first);
	}
	/* What comes later is seen. */
	fake_add(&store, "home", "al")->wall_ms = 9000;
	ck_assert_int_eq(batfs_tree_first_later(tree, 8000, &ordinal), 0);
	ck_assert_uint_eq(ordinal, 2000);
	store.events[2000].hidden = true;
	store.generation++;
	ck_assert_int_eq(batfs_tree_first_later(tree, 8000, &ordinal), 0);
	ck_assert_uint_eq(ordinal, BAT_MAP_NONE);
}
END_TEST

/* ---- query ------------------------------------------------------------------- */

START_TEST(a_query_is_all_its_words_together)
{
	static const struct {
		const char *path, *seqs;
	} wanted[] = {
		{ "query/kind=f.001/log.jsonl", "10 13 15 " },
		{ "query/kind=0xf001/log.jsonl", "10 13 15 " },
		{ "query/kind=f/log.jsonl", "10 11 13 15 " },
		{ "query/kind=0.00f/log.jsonl", "14 " },
		{ "query/kind=e/log.jsonl", "" },
		{ "query/scope=home/log.jsonl", "10 11 14 15 " },
		{ "query/scope=nowhere/log.jsonl", "" },
		{ "query/entity=al/log.jsonl", "10 11 13 14 15 " },
		{ "query/entity=al:x/log.jsonl", "11 15 " },
		{ "query/entity=a/log.jsonl", "" },
		{ "query/clock=1/log.jsonl", "13 " },
		{ "query/clock=1-2/log.jsonl", "13 15 " },
		{ "query/kind=f.001,scope=home/log.jsonl", "10 15 " },
		{ "query/scope=home,kind=f.001,entity=al:x/log.jsonl", "15 " },
		{ "query/since=1970-01-01T00:00:01.014Z/log.jsonl", "14 15 " },
		{ "query/until=1970-01-01T00:00:01.010Z/log.jsonl", "10 " },
		{ "query/kind=f,since=1970-01-01T00:00:01.011Z,"
		  "until=1970-01-01T00:00:01.014Z/log.jsonl",
		    "11 13 " },
		{ "query/since=2030-01-01T00:00:00Z/log.jsonl", "" },
	};

	add_some();
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_seqs(wanted[i].path, wanted[i].seqs);
	assert_lists("query/kind=f", "log.jsonl ");
	ck_assert_int_eq(attributes_at("query/kind=f.002/log.jsonl").mtime_ms,
	    1011);
	ck_assert_int_eq(attributes_at("query/kind=e/log.jsonl").mtime_ms,
	    1010);
}
END_TEST

START_TEST(a_query_of_other_words_is_not_there)
{
	static const char *const absent[] = { "query/kind=", "query/kind=g",
		"query/kind=f.0001", "query/clock=2-1",
		"query/clock=", "query/clock=-1", "query/clock=4294967296",
		"query/clock=1-2-3", "query/since=yesterday",
		"query/kind=f,kind=f", "query/colour=red", "query/al",
		"query/=al", "query/scope=%68ome", "query/kind=f,",
		"query/kind=f,x" };

	add_some();
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		assert_absent(absent[i]);
}
END_TEST

START_TEST(a_query_grows_with_its_events)
{
	struct batfs_node node;

	add_some();
	assert_seqs("query/kind=f.001/log.jsonl", "10 13 15 ");
	assert_seqs("query/scope=away/log.jsonl", "12 13 ");
	assert_seqs("query/kind=2.000/log.jsonl", "");
	for (unsigned i = 0; i < 300; i++)
		fake_add(&store, "home", "bo")->kind = 0x3000;
	assert_seqs("query/kind=2.000/log.jsonl", "");
	fake_add(&store, "away", "bo")->kind = 0x2000;
	fake_add(&store, "away", "bo")->kind = 0xf001;
	assert_seqs("query/kind=f.001/log.jsonl", "10 13 15 317 ");
	assert_seqs("query/scope=away/log.jsonl", "12 13 316 317 ");
	assert_seqs("query/kind=2.000/log.jsonl", "316 ");
	assert_seqs("query/kind=2/log.jsonl", "316 ");
	/* More than a block, of one kind and of all. */
	node = at("query/kind=3.000/log.jsonl");
	ck_assert_uint_gt(attributes_of(&node).size, 300 * 100);
	ck_assert_uint_eq(attributes_of(&node).size,
	    attributes_at("query/entity=bo,kind=3/log.jsonl").size);
	store.events[0].hidden = true;
	store.generation++;
	assert_seqs("query/kind=f.001/log.jsonl", "13 15 317 ");
}
END_TEST

START_TEST(what_is_damaged_beyond_its_row_is_in_no_query)
{
	add_some();
	store.events[3].entity = BAT_MAP_NONE;
	store.generation++;
	assert_seqs("query/kind=f.001/log.jsonl", "10 15 ");
	assert_seqs("query/until=2030-01-01T00:00:00Z/log.jsonl",
	    "10 11 12 14 15 ");
}
END_TEST

/* ---- entities with words ------------------------------------------------------- */

START_TEST(an_entity_up_to_a_clock)
{
	add_some();
	/* Clocks fall: the order is that of the sequence. */
	assert_seqs("entities/al,clock=0", "10 14 ");
	assert_seqs("entities/al,clock=1", "10 13 14 ");
	assert_seqs("entities/al,clock=4294967295", "10 13 14 ");
	ck_assert_int_eq(attributes_at("entities/al,clock=0").mtime_ms, 1014);
	ck_assert(!attributes_at("entities/al,clock=0").appendable);
	ck_assert_uint_eq(attributes_at("entities/al,clock=0").mode, 0444);
	assert_absent("entities/bo,clock=0");
	assert_absent("entities/al,clock=00");
	assert_absent("entities/al,clock=4294967296");
	assert_absent("entities/al,clock=0,clock=0");
	assert_absent("entities/al,clock=0,kind=f.001");
	assert_absent("entities/al,clock=");
}
END_TEST

START_TEST(an_entity_for_people)
{
	static const char payload[] = "\x81\xa1x\xa3"
				      "a\tb";

	fake_add(&store, "home", "al");
	fake_add_at(&store, 7, "home", "al",
	    bat_bytes_slice(payload, sizeof(payload) - 1));
	store.events[1].cause.bytes[15] = 3; /* stands behind it */
	fake_add(&store, "home", "al")->cause.bytes[15] = 9;
	fake_add(&store, "home", "al")->damaged = true;
	bat_bytes_clear(&store.events[2].payload);
	store.events[3].cause.bytes[15] = 2;
	assert_content("entities/al,as=brief",
	    "0\t1970-01-01T00:00:01.000000Z\tf.001\t-\tnull\n"
	    "7\t1970-01-01T00:00:01.007000Z\tf.001\t"
	    "00000000000000000000000000000003\t{\"x\":\"a\\tb\"}\n"
	    "8\t1970-01-01T00:00:01.008000Z\tf.001\t"
	    "00000000000000000000000000000009\tbase64:\n"
	    "9\t1970-01-01T00:00:01.009000Z\tf.001\t8\t"
	    "damaged crc segment 1 offset 300\n");
	ck_assert_uint_eq(attributes_at("entities/al,as=brief").size, 273);
	assert_content("entities/al,as=brief,clock=0",
	    "0\t1970-01-01T00:00:01.000000Z\tf.001\t-\tnull\n"
	    "7\t1970-01-01T00:00:01.007000Z\tf.001\t"
	    "00000000000000000000000000000003\t{\"x\":\"a\\tb\"}\n"
	    "8\t1970-01-01T00:00:01.008000Z\tf.001\t"
	    "00000000000000000000000000000009\tbase64:\n"
	    "9\t1970-01-01T00:00:01.009000Z\tf.001\t8\t"
	    "damaged crc segment 1 offset 300\n");
	assert_absent("entities/al,as=short");
	assert_absent("entities/al,as=brief,as=brief");
	/* Lines and columns have lengths of their own. */
	ck_assert_uint_gt(attributes_at("entities/al").size, 273);
	ck_assert_uint_eq(attributes_at("entities/al,as=brief").size, 273);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tree_views");
	TCase *tests = tcase_create("tree_views");

	tcase_add_checked_fixture(tests, fixture_setup, fixture_teardown);
	tcase_add_test(tests, a_range_has_both_its_ends);
	tcase_add_test(tests, what_is_no_range_is_not_there);
	tcase_add_test(tests, a_range_is_for_ever_once_its_end_has_come);
	tcase_add_test(tests, a_time_is_before_the_first_event_that_is_later);
	tcase_add_test(tests, a_query_is_all_its_words_together);
	tcase_add_test(tests, a_query_of_other_words_is_not_there);
	tcase_add_test(tests, a_query_grows_with_its_events);
	tcase_add_test(tests, what_is_damaged_beyond_its_row_is_in_no_query);
	tcase_add_test(tests, an_entity_up_to_a_clock);
	tcase_add_test(tests, an_entity_for_people);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
