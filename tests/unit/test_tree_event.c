/*
 * The folder of an event, and the ways to it that are not its sequence.
 */
#include "../support/fake_store.c"

#include "../support/tree_fixture.h"

#include "suite.h"
#include "tree_internal.h"

static void
add_caused(uint8_t cause)
{
	struct fake_event *event = fake_add(&store, "home", "al");

	event->cause.bytes[15] = cause;
}

#define ZEROS "00000000000000000000000000000000"

START_TEST(each_value_is_a_file)
{
	struct fake_event *event;

	fake_add(&store, "away", "bo");
	event = fake_add(&store, "home", "al");
	event->kind = 0xa01;
	event->clock = 3;
	assert_content("events/00000000/000000000001/entity", "al\n");
	assert_content("events/00000000/000000000001/scope", "home\n");
	assert_content("events/00000000/000000000001/kind", "1.000\n");
	assert_content("events/00000000/000000000001/id",
	    "00000000000000000000000000000001\n");
	assert_content("events/00000000/000000000001/corr", ZEROS "\n");
	assert_content("events/00000000/000000000001/hash", ZEROS ZEROS "\n");
	assert_content("events/00000000/000000000001/prev", ZEROS ZEROS "\n");
	assert_content("events/00000000/000000000001/time",
	    "1970-01-01T00:00:01.001000Z\n");
	assert_content("events/00000000/000000000001/receipt",
	    "{\"seq\":1,\"id\":\"00000000000000000000000000000001\","
	    "\"hash\":\"" ZEROS ZEROS "\",\"clock\":3,"
	    "\"time\":\"1970-01-01T00:00:01.001000Z\"}\n");
	ck_assert_uint_eq(
	    attributes_at("events/00000000/000000000001/scope").size, 5);
}
END_TEST

START_TEST(a_damaged_event_has_the_values_of_its_row)
{
	fake_add(&store, "home", "al")->damaged = true;
	assert_content("events/00000000/000000000000/entity", "al\n");
	assert_content("events/00000000/000000000000/time",
	    "1970-01-01T00:00:01.000000Z\n");
	assert_content_has("events/00000000/000000000000/receipt",
	    "\"time\":\"1970-01-01T00:00:01.000000Z\"}\n");
}
END_TEST

START_TEST(a_cause_that_is_here_is_a_link)
{
	for (int i = 0; i < 3; i++)
		fake_add(&store, "home", "al");
	add_caused(2);
	ck_assert_int_eq(
	    attributes_at("events/00000000/000000000003/cause").type,
	    BATFS_SYMLINK);
	assert_content("events/00000000/000000000003/cause",
	    "../../00000000/000000000002");
	ck_assert_uint_eq(
	    attributes_at("events/00000000/000000000003/cause").size, 27);
	assert_absent("events/00000000/000000000002/cause");
	assert_lists("events/00000000/000000000003",
	    "cause chain event.json payload entity scope kind id corr hash "
	    "prev time receipt effects causes.jsonl consequences.jsonl ");
}
END_TEST

START_TEST(a_cause_that_is_gone_is_a_file_that_says_so)
{
	struct batfs_attributes attributes;

	fake_add(&store, "home", "al");
	add_caused(9);
	attributes = attributes_at("events/00000000/000000000001/cause");
	ck_assert_int_eq(attributes.type, BATFS_FILE);
	ck_assert_uint_eq(attributes.size, 38);
	assert_content("events/00000000/000000000001/cause",
	    "gone 00000000000000000000000000000009\n");
	/* Hidden is gone, too. */
	add_caused(1);
	assert_content("events/00000000/000000000002/cause",
	    "../../00000000/000000000001");
	store.events[1].hidden = true;
	store.generation++;
	assert_content("events/00000000/000000000002/cause",
	    "gone 00000000000000000000000000000001\n");
}
END_TEST

START_TEST(first_and_last_lead_to_the_ends)
{
	assert_absent("events/first");
	assert_absent("events/last");
	store.next_seq = 20007;
	fake_add(&store, "home", "al");
	fake_add(&store, "home", "al");
	assert_content("events/first", "00000002/000000020007");
	assert_content("events/last", "00000002/000000020008");
	ck_assert_uint_eq(attributes_at("events/last").size, 21);
	ck_assert_int_eq(attributes_at("events/last").mtime_ms, 21008);
	fake_add(&store, "home", "al");
	assert_content("events/last", "00000002/000000020009");
}
END_TEST

START_TEST(an_id_or_its_beginning_leads_to_its_event)
{
	for (int i = 0; i < 17; i++)
		fake_add(&store, "home", "al");
	assert_content("events/id/00000000000000000000000000000010",
	    "../00000000/000000000016");
	assert_content("events/id/0000000000000000000000000000001",
	    "../00000000/000000000016");
	ck_assert_uint_eq(
	    attributes_at("events/id/0000000000000000000000000000001").size,
	    24);
	/* Of several that begin so: none. */
	assert_absent("events/id/000000");
	assert_absent("events/id/0000000000000000000000000000000");
	assert_absent("events/id/00000000000000000000000000000011");
	assert_absent("events/id/100000");
	assert_absent("events/id/0000000000000000000000000000001G");
	assert_absent("events/id/000000000000000000000000000000010");
	assert_absent("events/id/0000000000000000000000000000000F");
}
END_TEST

START_TEST(too_few_digits_name_nothing)
{
	fake_add(&store, "home", "al");
	assert_content("events/id/000000", "../00000000/000000000000");
	assert_absent("events/id/00000");
}
END_TEST

START_TEST(of_two_with_one_id_the_later_is_meant)
{
	fake_add(&store, "home", "al");
	fake_add(&store, "home", "al")->id.bytes[15] = 0;
	assert_content("events/id/0000000000000000000000000000000",
	    "../00000000/000000000001");
}
END_TEST

START_TEST(what_only_finds_is_not_listed)
{
	struct batfs_node node = at("events/id");

	ck_assert_uint_eq(attributes_of(&node).mode, 0111);
	ck_assert_int_eq(batfs_tree_list(tree, &node, 0, fixture_note_name,
			     NULL),
	    BAT_STATE_DENIED);
}
END_TEST

START_TEST(no_mark_of_a_class_is_used_twice)
{
	for (unsigned i = BATFS_ROOT; i < BATFS_CLASS_COUNT; i++) {
		ck_assert_int_ne(batfs_tree_classes[i].mark, 0);
		for (unsigned j = i + 1; j < BATFS_CLASS_COUNT; j++)
			ck_assert_msg(batfs_tree_classes[i].mark !=
				batfs_tree_classes[j].mark,
			    "classes %u and %u", i, j);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tree_event");
	TCase *tests = tcase_create("tree_event");

	tcase_add_checked_fixture(tests, fixture_setup, fixture_teardown);
	tcase_add_test(tests, each_value_is_a_file);
	tcase_add_test(tests, a_damaged_event_has_the_values_of_its_row);
	tcase_add_test(tests, a_cause_that_is_here_is_a_link);
	tcase_add_test(tests, a_cause_that_is_gone_is_a_file_that_says_so);
	tcase_add_test(tests, first_and_last_lead_to_the_ends);
	tcase_add_test(tests, an_id_or_its_beginning_leads_to_its_event);
	tcase_add_test(tests, too_few_digits_name_nothing);
	tcase_add_test(tests, of_two_with_one_id_the_later_is_meant);
	tcase_add_test(tests, what_only_finds_is_not_listed);
	tcase_add_test(tests, no_mark_of_a_class_is_used_twice);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
