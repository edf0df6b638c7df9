/*
 * What a line need not say: the file that it is written to stands for entity
 * and scope, words of its name for words of the line, the line before for its
 * cause, and its content for its key.
 */
#include "intake_handle.h"

#include <check.h>
#include <string.h>

#include "hex.h"
#include "suite.h"

/* ---- places ----------------------------------------------------------- */

START_TEST(at_the_root_a_line_needs_entity_and_scope)
{
	struct handle handle;

	open_place(&handle,
	    (struct batfs_intake_place){
		.default_scope = bat_bytes_text("unused") });
	expect_refused(&handle, "@scope=s 1", BAT_USE_INVALID,
	    "entity is missing");
	expect_refused(&handle, "@entity=e 1", BAT_USE_INVALID,
	    "scope is missing");
	expect_refused(&handle, "@entity= @scope=s 1", BAT_USE_INVALID,
	    "entity");
	expect_refused(&handle, "@entity=a/b @scope=s 1", BAT_USE_INVALID,
	    "byte 0 of the line: the entity holds a '/'");
	expect_refused(&handle, "@entity=e @scope=a=b 1", BAT_USE_INVALID,
	    "byte 10 of the line: the scope holds a '='");
	feed_one(&handle, "@scope=s @entity=e 1");
	settle_all(&handle);
	close_handle(&handle);
}
END_TEST

START_TEST(under_entities_the_scope_is_found_or_said)
{
	struct handle handle;

	open_words(&handle, "");
	ck_assert(is(feed_one(&handle, "1")->scope, "room:one"));
	settle_all(&handle);
	ck_assert(is(feed_one(&handle, "@scope=s 1")->scope, "s"));
	settle_all(&handle);
	close_handle(&handle);

	open_place(&handle,
	    (struct batfs_intake_place){ .entity = bat_bytes_text("bob") });
	expect_refused(&handle, "1", BAT_USE_INVALID, "no scope is known");
	close_handle(&handle);

	open_place(&handle,
	    (struct batfs_intake_place){ .entity = bat_bytes_text("bob"),
		.default_scope = bat_bytes_text("fallback") });
	ck_assert(is(feed_one(&handle, "1")->scope, "fallback"));
	settle_all(&handle);
	close_handle(&handle);
}
END_TEST

START_TEST(words_of_the_name_stand_in_front_of_each_line)
{
	struct handle handle;
	const struct bat_draft *draft;

	open_words(&handle,
	    "scope=100%25,kind=f.001,cause=last,expect=3,lane=2");
	draft = feed_one(&handle, "@depth=5 1");
	ck_assert(is(draft->scope, "100%"));
	ck_assert_uint_eq(draft->kind, 0xf001);
	ck_assert_int_eq(draft->cause, BAT_CAUSE_LAST);
	ck_assert_uint_eq(draft->expect_clock, 3);
	ck_assert_uint_eq(draft->lane, 2);
	ck_assert_uint_eq(draft->depth, 5);
	settle_all(&handle);
	expect_refused(&handle, "@kind=f.001 1", BAT_USE_INVALID, "twice");
	expect_refused(&handle, "@scope=s 1", BAT_USE_INVALID, "twice");
	close_handle(&handle);
}
END_TEST

START_TEST(a_name_with_bad_words_is_not_opened)
{
	static const struct {
		const char *words;
		int code;
	} names[] = { { "kind=x", BAT_USE_INVALID },
		{ "kind=0.001", BAT_USE_RESERVED },
		{ "kind=f.001,kind=f.001", BAT_USE_INVALID },
		{ "clock=7", BAT_USE_INVALID }, { "as=brief", BAT_USE_INVALID },
		{ "entity=bob", BAT_USE_INVALID },
		{ "raw=zAU=", BAT_USE_INVALID }, { "tagged=", BAT_USE_INVALID },
		{ "scope=%41", BAT_USE_INVALID }, { "scope=", BAT_USE_INVALID },
		{ "nothing", BAT_USE_INVALID } };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct batfs_intake_place place = {
			.entity = bat_bytes_text("player:alice"),
			.words = bat_bytes_text(names[i].words),
		};
		struct batfs_intake *intake;

		ck_assert_msg(batfs_intake_new(&place, &resolver, &intake) ==
			names[i].code,
		    "%s", names[i].words);
	}
}
END_TEST

START_TEST(text_is_the_whole_line)
{
	struct handle handle;
	const struct bat_draft *draft;

	open_words(&handle, "as=text,kind=f.001");
	draft = feed_one(&handle, " @kind=x {\r");
	ck_assert(is(draft->payload, "\xab @kind=x {\r"));
	ck_assert_uint_eq(draft->kind, 0xf001);
	settle_all(&handle);
	expect_refused(&handle, "a\xff", BAT_USE_INVALID, "not UTF-8");
	ck_assert_uint_eq(write_text(&handle, "\n \r\n\t\n"), 6);
	close_handle(&handle);
}
END_TEST

/* ---- cause=prev, keys, flags ------------------------------------------ */

START_TEST(prev_is_the_line_before_also_across_writes)
{
	struct handle handle;
	const struct bat_draft *drafts;
	size_t count;

	open_member(&handle);
	ck_assert_int_eq(batfs_intake_feed(handle.intake,
			     bat_bytes_text("1\n@cause=prev 2\n"
					    "@cause=prev 3\n")),
	    0);
	drafts = drafts_of(&handle, &count);
	ck_assert_uint_eq(count, 3);
	ck_assert_int_eq(drafts[1].cause, BAT_CAUSE_ITEM);
	ck_assert_uint_eq(drafts[1].cause_number, 0);
	ck_assert_int_eq(drafts[2].cause, BAT_CAUSE_ITEM);
	ck_assert_uint_eq(drafts[2].cause_number, 1);
	/* Only two of them are written. */
	settle(&handle, 2, BAT_STATE_STALE);
	drafts = feed_one(&handle, "@cause=prev 4");
	ck_assert_int_eq(drafts->cause, BAT_CAUSE_ID);
	ck_assert(bat_id_equal(&drafts->cause_id, &handle.receipts[1].id));
	settle_all(&handle);
	drafts = feed_one(&handle, "@cause=prev 5");
	ck_assert(bat_id_equal(&drafts->cause_id, &handle.receipts[0].id));
	settle_all(&handle);
	close_handle(&handle);
}
END_TEST

/* The keys of some lines, each written by itself. */
static void
collect_keys(struct handle *handle, const char *const *lines, size_t count,
    struct bat_id *keys)
{
	for (size_t i = 0; i < count; i++) {
		keys[i] = feed_one(handle, lines[i])->key;
		ck_assert(!bat_id_is_zero(&keys[i]));
		settle_all(handle);
	}
}

START_TEST(a_content_key_depends_on_what_a_line_says_and_how_often)
{
	static const char *const lines[] = { "@scope=s @kind=f.001 1",
		"@scope=s @kind=f.002 1", "@scope=s @kind=f.001 2",
		"@scope=ss @kind=f.001 1", "@scope=s @kind=f.001 1",
		"@scope=s @kind=f.001 1" };
	struct bat_id keys[6], again[6];
	struct handle handle;
	size_t count;

	open_words(&handle, "key=content");
	collect_keys(&handle, lines, 6, keys);
	close_handle(&handle);
	for (size_t i = 0; i < 6; i++) {
		for (size_t j = 0; j < i; j++)
			ck_assert(!bat_id_equal(&keys[i], &keys[j]));
	}
	/* The same file again gives the same keys. */
	open_words(&handle, "key=content");
	collect_keys(&handle, lines, 6, again);
	close_handle(&handle);
	ck_assert_int_eq(memcmp(keys, again, sizeof(keys)), 0);

	/* Also when it is one batch, of which a part is written twice. */
	open_words(&handle, "key=content,scope=s,kind=f.001");
	ck_assert_int_eq(
	    batfs_intake_feed(handle.intake, bat_bytes_text("1\n1\n1\n")), 0);
	ck_assert(bat_id_equal(&drafts_of(&handle, &count)[2].key, &keys[5]));
	ck_assert_uint_eq(settle(&handle, 1, BAT_WORLD_NO_SPACE), 2);
	ck_assert_int_eq(
	    batfs_intake_feed(handle.intake, bat_bytes_text("1\n1\n")), 0);
	ck_assert(bat_id_equal(&drafts_of(&handle, &count)[0].key, &keys[4]));
	ck_assert(bat_id_equal(&drafts_of(&handle, &count)[1].key, &keys[5]));
	settle_all(&handle);
	close_handle(&handle);
}
END_TEST

START_TEST(flags_go_with_a_line_that_is_alone)
{
	struct handle handle;
	size_t count;

	open_member(&handle);
	feed_one(&handle, "\n@flags=1 1\n \n");
	settle_all(&handle);
	/* With company behind it: */
	ck_assert_int_eq(batfs_intake_feed(handle.intake,
			     bat_bytes_text("@flags=1 1\n2\n")),
	    0);
	drafts_of(&handle, &count);
	ck_assert_uint_eq(count, 0);
	ck_assert_uint_eq(settle_all(&handle), 0);
	ck_assert_int_eq(handle.code, BAT_USE_INVALID);
	/* In front of it: and the retry is refused as well. */
	ck_assert_uint_eq(write_text(&handle, "1\n@flags=1 2\n"), 2);
	ck_assert(handle.reject.any);
	ck_assert_uint_eq(write_text(&handle, "@flags=1 2\n"), 0);
	ck_assert_int_eq(handle.code, BAT_USE_INVALID);
	ck_assert(!handle.reject.any);
	/* Written alone it is good. */
	ck_assert_uint_eq(write_text(&handle, "@flags=1 2\n"), 11);
	close_handle(&handle);
}
END_TEST

START_TEST(what_was_denied_is_not_proposed_again_with_the_rest)
{
	struct handle handle;
	size_t count;

	open_member(&handle);
	ck_assert_int_eq(
	    batfs_intake_feed(handle.intake, bat_bytes_text("1\n2\n3\n")), 0);
	drafts_of(&handle, &count);
	ck_assert_uint_eq(count, 3);
	ck_assert_uint_eq(settle(&handle, 1, BAT_STATE_DENIED), 2);
	ck_assert_int_eq(
	    batfs_intake_feed(handle.intake, bat_bytes_text("2\n3\n")), 0);
	drafts_of(&handle, &count);
	ck_assert_uint_eq(count, 0);
	ck_assert_uint_eq(settle_all(&handle), 0);
	ck_assert_int_eq(handle.code, BAT_STATE_DENIED);
	ck_assert(!handle.reject.any);
	/* Once more it is a new line; and so is another one in its place. */
	feed_one(&handle, "2\n");
	settle_all(&handle);
	ck_assert_int_eq(
	    batfs_intake_feed(handle.intake, bat_bytes_text("1\n2\n")), 0);
	ck_assert_uint_eq(settle(&handle, 1, BAT_STATE_DENIED), 2);
	feed_one(&handle, "4\n");
	settle_all(&handle);
	close_handle(&handle);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("intake_place");
	TCase *promises = tcase_create("promises");

	suite_add_tcase(suite, promises);
	tcase_set_timeout(promises, 300);
	tcase_add_test(promises, at_the_root_a_line_needs_entity_and_scope);
	tcase_add_test(promises, under_entities_the_scope_is_found_or_said);
	tcase_add_test(promises, words_of_the_name_stand_in_front_of_each_line);
	tcase_add_test(promises, a_name_with_bad_words_is_not_opened);
	tcase_add_test(promises, text_is_the_whole_line);
	tcase_add_test(promises, prev_is_the_line_before_also_across_writes);
	tcase_add_test(promises,
	    a_content_key_depends_on_what_a_line_says_and_how_often);
	tcase_add_test(promises, flags_go_with_a_line_that_is_alone);
	tcase_add_test(promises,
	    what_was_denied_is_not_proposed_again_with_the_rest);
	return suite_run(suite);
}
