/*
 * What one line says: its words, their values, its payload, and what is
 * refused with its place and a remedy.
 */
#include "intake_handle.h"

#include <check.h>
#include <string.h>

#include "hex.h"
#include "suite.h"

START_TEST(a_line_becomes_a_draft_of_its_place)
{
	struct handle handle;
	const struct bat_draft *draft;

	open_member(&handle);
	draft = feed_one(&handle, "{\"x\":10}");
	ck_assert(is(draft->entity, "player:alice"));
	ck_assert(is(draft->scope, "room:one"));
	ck_assert_uint_eq(draft->kind, 0x1000);
	ck_assert(test_hex_equals(draft->payload, "81a1780a"));
	ck_assert_int_eq(draft->cause, BAT_CAUSE_NONE);
	ck_assert_int_eq(draft->expect, BAT_EXPECT_ANY);
	ck_assert(bat_id_is_zero(&draft->key));
	ck_assert(bat_id_is_zero(&draft->corr));
	ck_assert_uint_eq(settle_all(&handle), 9);
	ck_assert_int_eq(handle.code, 0);
	ck_assert(!handle.reject.any);
	close_handle(&handle);
}
END_TEST

START_TEST(all_words_are_understood)
{
	struct handle handle;
	const struct bat_draft *draft;
	char id[33];

	open_place(&handle, (struct batfs_intake_place){ .text = false });
	draft = feed_one(&handle,
	    "  @entity=\"two  spaces\" @scope=s @kind=f.001 @cause=seq:42 "
	    "@corr=000000000000000000000000000000aB "
	    "@key=11111111111111111111111111111111 @expect=7 @lane=1 "
	    "@depth=4294967295 @flags=255 @ext.b.x=\"a \\u0001\" @ext.a.y=z\t"
	    "@tagged  {\"$bin\":\"AQI=\"} \r");
	ck_assert(is(draft->entity, "two  spaces"));
	ck_assert(is(draft->scope, "s"));
	ck_assert_uint_eq(draft->kind, 0xf001);
	ck_assert_int_eq(draft->cause, BAT_CAUSE_SEQ);
	ck_assert_uint_eq(draft->cause_number, 42);
	bat_id_to_hex(&draft->corr, id);
	ck_assert_str_eq(id, "000000000000000000000000000000ab");
	bat_id_to_hex(&draft->key, id);
	ck_assert_str_eq(id, "11111111111111111111111111111111");
	ck_assert_int_eq(draft->expect, BAT_EXPECT_CLOCK);
	ck_assert_uint_eq(draft->expect_clock, 7);
	ck_assert_uint_eq(draft->lane, 1);
	ck_assert_uint_eq(draft->depth, UINT32_MAX);
	ck_assert_uint_eq(draft->flags, 255);
	ck_assert_uint_eq(draft->extension_count, 2);
	ck_assert(is(draft->extensions[0].key, "a.y"));
	ck_assert(is(draft->extensions[0].value, "z"));
	ck_assert(is(draft->extensions[1].key, "b.x"));
	ck_assert(is(draft->extensions[1].value, "a \x01"));
	ck_assert(test_hex_equals(draft->payload, "c4020102"));
	settle_all(&handle);
	close_handle(&handle);
}
END_TEST

static void
assert_extension(const struct bat_draft *draft, size_t at, const char *key,
    const char *value)
{
	ck_assert_uint_lt(at, draft->extension_count);
	ck_assert(is(draft->extensions[at].key, key));
	ck_assert(is(draft->extensions[at].value, value));
}

START_TEST(a_stamp_is_of_who_ended_the_line)
{
	struct handle handle;
	const struct bat_draft *drafts;
	size_t count;

	open_member(&handle);
	ck_assert_int_eq(
	    batfs_intake_stamp(handle.intake, bat_bytes_text("one")), 0);
	drafts = feed_one(&handle, "@ext.c.d=2 @ext.a.b=1 1");
	ck_assert_uint_eq(drafts->extension_count, 3);
	assert_extension(drafts, 0, "a.b", "1");
	assert_extension(drafts, 1, "batfs.writer", "one");
	assert_extension(drafts, 2, "c.d", "2");
	settle_all(&handle);
	ck_assert_int_eq(
	    batfs_intake_feed(handle.intake, bat_bytes_text("2\n3")), 0);
	settle_all(&handle);
	ck_assert_int_eq(
	    batfs_intake_stamp(handle.intake, bat_bytes_text("two")), 0);
	ck_assert_int_eq(
	    batfs_intake_feed(handle.intake, bat_bytes_text("3\n4")), 0);
	drafts = drafts_of(&handle, &count);
	ck_assert_uint_eq(count, 1);
	assert_extension(drafts, 0, "batfs.writer", "two");
	settle_all(&handle);
	ck_assert_int_eq(batfs_intake_finish(handle.intake, false), 0);
	drafts = drafts_of(&handle, &count);
	ck_assert_uint_eq(count, 1);
	assert_extension(drafts, 0, "batfs.writer", "two");
	settle_all(&handle);
	close_handle(&handle);
	open_words(&handle, "as=text,scope=s");
	ck_assert_int_eq(
	    batfs_intake_stamp(handle.intake, bat_bytes_text("me")), 0);
	drafts = feed_one(&handle, "@ext.a.b=1 is text here");
	ck_assert_uint_eq(drafts->extension_count, 1);
	assert_extension(drafts, 0, "batfs.writer", "me");
	settle_all(&handle);
	close_handle(&handle);
}
END_TEST

START_TEST(words_have_their_other_values_too)
{
	struct handle handle;
	const struct bat_draft *draft;

	open_member(&handle);
	draft = feed_one(&handle,
	    "@kind=0xf00A @cause=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "
	    "@expect=none 1");
	ck_assert_uint_eq(draft->kind, 0xf00a);
	ck_assert_int_eq(draft->cause, BAT_CAUSE_ID);
	ck_assert_uint_eq(draft->cause_id.bytes[15], 0xaa);
	ck_assert_int_eq(draft->expect, BAT_EXPECT_NONE);
	settle_all(&handle);
	draft = feed_one(&handle, "@kind=moved @cause=last @expect=exists 1");
	ck_assert_uint_eq(draft->kind, 0x2abc);
	ck_assert_int_eq(draft->cause, BAT_CAUSE_LAST);
	ck_assert_int_eq(draft->expect, BAT_EXPECT_SOME);
	settle_all(&handle);
	draft = feed_one(&handle, "@cause=- @raw=zAU=");
	ck_assert_int_eq(draft->cause, BAT_CAUSE_NONE);
	ck_assert(test_hex_equals(draft->payload, "cc05"));
	settle_all(&handle);
	draft = feed_one(&handle, "@raw= ");
	ck_assert_uint_eq(draft->payload.length, 0);
	settle_all(&handle);
	draft = feed_one(&handle, "{\"$bin\":\"AQI=\"}");
	ck_assert(test_hex_equals(draft->payload, "81a42462696ea44151493d"));
	settle_all(&handle);
	close_handle(&handle);
}
END_TEST

static const struct {
	const char *line;
	int code;
	const char *part;
} bad_lines[] = {
	{ "hello", BAT_USE_INVALID, "byte 0 of the line" },
	{ "  hello", BAT_USE_INVALID, "byte 2 of the line" },
	{ "@kind=f.001 hello", BAT_USE_INVALID, "byte 12 of the line" },
	{ "@kind=f.001 {\"a\":1,\"a\":2}", BAT_USE_INVALID, "byte 19 " },
	{ "{\"a\":1} {}", BAT_USE_INVALID, "byte 8 " },
	{ "1 2", BAT_USE_INVALID, "byte 2 " },
	{ "@kind=f.001", BAT_USE_INVALID, "value has to stand" },
	{ "1 @kind=f.001", BAT_USE_INVALID, "byte 2 " },
	{ "@color=red 1", BAT_USE_INVALID, "no such word" },
	{ "@ 1", BAT_USE_INVALID, "no such word" },
	{ "@=1 1", BAT_USE_INVALID, "no such word" },
	{ "@Kind=f.001 1", BAT_USE_INVALID, "no such word" },
	{ "@as=text 1", BAT_USE_INVALID, "no such word" },
	{ "@clock=7 1", BAT_USE_INVALID, "no such word" },
	{ "@ext.=x 1", BAT_USE_INVALID, "no such word" },
	{ "@tagged{} 1", BAT_USE_INVALID, "no such word" },
	{ "@lane=1 @lane=1 1", BAT_USE_INVALID, "byte 8 " },
	{ "@tagged @tagged 1", BAT_USE_INVALID, "twice" },
	{ "@ext.a.b=1 @ext.a.b=2 1", BAT_USE_INVALID, "twice" },
	{ "@ext.ab=1 1", BAT_USE_INVALID, "SPACE.NAME" },
	{ "@ext.batpak.x=1 1", BAT_USE_INVALID, "SPACE.NAME" },
	{ "@ext.batfs.writer=me 1", BAT_USE_RESERVED, "by the mount alone" },
	{ "@kind 1", BAT_USE_INVALID, "takes a value" },
	{ "@tagged=1 1", BAT_USE_INVALID, "takes no value" },
	{ "@kind= 1", BAT_USE_INVALID, "f.001" },
	{ "@kind=g.001 1", BAT_USE_INVALID, "f.001" },
	{ "@kind=F.001 1", BAT_USE_INVALID, "f.001" },
	{ "@kind=0x10000 1", BAT_USE_INVALID, "f.001" },
	{ "@kind=0.001 1", BAT_USE_RESERVED, "reserved" },
	{ "@kind=0.006 1", BAT_USE_RESERVED, "reserved" },
	{ "@kind=d.123 1", BAT_USE_RESERVED, "reserved" },
	{ "@cause=seq: 1", BAT_USE_INVALID, "cause is" },
	{ "@cause=seq:01 1", BAT_USE_INVALID, "cause is" },
	{ "@cause=00000000000000000000000000000000 1", BAT_USE_INVALID,
	    "cause is" },
	{ "@cause=prev 1", BAT_STATE_NOT_FOUND, "byte 0 " },
	{ "@corr=abc 1", BAT_USE_INVALID, "32 hex" },
	{ "@corr=00000000000000000000000000000000 1", BAT_USE_INVALID,
	    "not all zero" },
	{ "@key=x 1", BAT_USE_INVALID, "32 hex" },
	{ "@expect=-1 1", BAT_USE_INVALID, "clock" },
	{ "@expect=4294967296 1", BAT_USE_INVALID, "clock" },
	{ "@lane=x 1", BAT_USE_INVALID, "decimal number" },
	{ "@depth=4294967296 1", BAT_USE_INVALID, "decimal number" },
	{ "@flags=256 1", BAT_USE_INVALID, "0 to 255" },
	{ "@raw=zAU= 1", BAT_USE_INVALID, "byte 10 " },
	{ "@raw=zAU 1", BAT_USE_INVALID, "byte 9 " },
	{ "@raw=zAU", BAT_USE_INVALID, "base64" },
	{ "@lane=\"1 1", BAT_USE_INVALID, "closing quote" },
	{ "@lane=\"1\"x 1", BAT_USE_INVALID, "space has to stand" },
	{ "@entity=bob 1", BAT_USE_INVALID, "says the entity already" },
	{ "@scope=s 1", BAT_USE_INVALID, "says the scope already" },
	{ "{\"seq\":1,\"clock\":2,\"time\":3,\"entity\":4,\"scope\":5,"
	  "\"kind\":6,\"data\":7,\"id\":8,\"corr\":9,\"cause\":10,\"hash\":11,"
	  "\"prev\":12}",
	    BAT_USE_INVALID, "copied from a view" },
	{ "@lane=1 {\"seq\":1,\"clock\":2,\"time\":3,\"entity\":4,\"scope\":5,"
	  "\"kind\":6,\"data_b64\":{\"a\":[]},\"id\":8,\"corr\":9,"
	  "\"cause\":10,\"hash\":11,\"prev\":12,\"raw\":1}",
	    BAT_USE_INVALID, "byte 8 " },
	{ "\"\xff\"", BAT_USE_INVALID, "not UTF-8" },
	{ "@tagged {\"$bin\":1}", BAT_USE_INVALID, "byte 16 " },
};

START_TEST(a_bad_line_is_refused_with_its_place_and_a_remedy)
{
	struct handle handle;

	open_member(&handle);
	expect_refused(&handle, bad_lines[_i].line, bad_lines[_i].code,
	    bad_lines[_i].part);
	/* And what follows is a new line. */
	feed_one(&handle, "1");
	ck_assert_uint_eq(settle_all(&handle), 2);
	close_handle(&handle);
}
END_TEST

START_TEST(an_object_that_only_resembles_a_line_is_data)
{
	static const char *const lines[] = {
		"{\"seq\":1,\"clock\":2,\"time\":3,\"entity\":4,\"scope\":5,"
		"\"kind\":6,\"data\":7,\"id\":8,\"corr\":9,\"cause\":10,"
		"\"hash\":11}",
		"{\"seq\":1,\"clock\":2,\"time\":3,\"entity\":4,\"scope\":5,"
		"\"kind\":6,\"data\":7,\"id\":8,\"corr\":9,\"cause\":10,"
		"\"prev\":11,\"hash\":12}",
		"{\"seq\":1,\"clock\":2,\"time\":3,\"entity\":4,\"scope\":5,"
		"\"kind\":6,\"payload\":7,\"id\":8,\"corr\":9,\"cause\":10,"
		"\"hash\":11,\"prev\":12}",
	};
	struct handle handle;

	open_member(&handle);
	for (size_t i = 0; i < 3; i++) {
		feed_one(&handle, lines[i]);
		settle_all(&handle);
	}
	close_handle(&handle);
}
END_TEST

START_TEST(a_nul_is_refused)
{
	struct handle handle;

	open_member(&handle);
	ck_assert_int_eq(batfs_intake_feed(handle.intake,
			     bat_bytes_slice("[1,\0]\n", 6)),
	    0);
	ck_assert_uint_eq(settle_all(&handle), 0);
	ck_assert_int_eq(handle.code, BAT_USE_INVALID);
	ck_assert_ptr_nonnull(
	    strstr(handle.reject.error.text, "byte 3 of the line"));
	close_handle(&handle);
}
END_TEST

/* Where the whole line is the value, nothing else would refuse it. */
START_TEST(a_nul_is_refused_in_text_too)
{
	struct handle handle;

	open_place(&handle,
	    (struct batfs_intake_place){ .entity = bat_bytes_text("e"),
		.scope = bat_bytes_text("s"),
		.text = true });
	ck_assert_int_eq(
	    batfs_intake_feed(handle.intake, bat_bytes_slice("ab\0c\n", 5)), 0);
	ck_assert_uint_eq(settle_all(&handle), 0);
	ck_assert_int_eq(handle.code, BAT_USE_INVALID);
	close_handle(&handle);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("intake");
	TCase *promises = tcase_create("promises");

	suite_add_tcase(suite, promises);
	tcase_set_timeout(promises, 300);
	tcase_add_test(promises, a_line_becomes_a_draft_of_its_place);
	tcase_add_test(promises, all_words_are_understood);
	tcase_add_test(promises, a_stamp_is_of_who_ended_the_line);
	tcase_add_test(promises, words_have_their_other_values_too);
	tcase_add_loop_test(promises,
	    a_bad_line_is_refused_with_its_place_and_a_remedy, 0,
	    (int)(sizeof(bad_lines) / sizeof(*bad_lines)));
	tcase_add_test(promises, an_object_that_only_resembles_a_line_is_data);
	tcase_add_test(promises, a_nul_is_refused);
	tcase_add_test(promises, a_nul_is_refused_in_text_too);
	return suite_run(suite);
}
