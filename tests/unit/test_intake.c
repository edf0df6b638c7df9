#include "intake.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "hex.h"
#include "random_pack.h"
#include "suite.h"

/* ---- a handle, and a store that takes everything ---------------------- */

struct handle {
	struct batfs_intake *intake;
	uint64_t next_id; /* of the events that were "committed" */
	struct bat_receipt receipts[512];
	struct batfs_intake_reject reject;
	int code; /* of the last settle */
};

static int
only_scope(void *context, struct bat_slice entity, struct bat_slice *out)
{
	(void)context;
	if (!bat_bytes_equal(entity, bat_bytes_text("player:alice")))
		return BAT_USE_INVALID;
	*out = bat_bytes_text("room:one");
	return 0;
}

static bool
kind_alias(void *context, struct bat_slice name, uint16_t *out_kind)
{
	(void)context;
	*out_kind = 0x2abc;
	return bat_bytes_equal(name, bat_bytes_text("moved"));
}

static const struct batfs_intake_resolver resolver = {
	.only_scope = only_scope,
	.kind_alias = kind_alias,
};

static void
open_place(struct handle *handle, struct batfs_intake_place place)
{
	if (place.default_kind == 0)
		place.default_kind = BAT_KIND_DATA;
	memset(handle, 0, sizeof(*handle));
	ck_assert_int_eq(batfs_intake_new(&place, &resolver, &handle->intake),
	    0);
}

/* scopes/room:one/player:alice */
static void
open_member(struct handle *handle)
{
	open_place(handle,
	    (struct batfs_intake_place){
		.entity = bat_bytes_text("player:alice"),
		.scope = bat_bytes_text("room:one"),
	    });
}

/* entities/player:alice,WORDS */
static void
open_words(struct handle *handle, const char *words)
{
	open_place(handle,
	    (struct batfs_intake_place){
		.entity = bat_bytes_text("player:alice"),
		.words = bat_bytes_text(words),
	    });
}

static void
close_handle(struct handle *handle)
{
	batfs_intake_free(handle->intake);
}

static const struct bat_draft *
drafts_of(struct handle *handle, size_t *out_count)
{
	return batfs_intake_drafts(handle->intake, out_count);
}

/* Let the first `committed` drafts be written, the next refused with code. */
static size_t
settle(struct handle *handle, size_t committed, int code)
{
	struct bat_error error;

	bat_error_set(&error, code, "the store says no");
	for (size_t i = 0; i < committed; i++)
		handle->receipts[i].id = bat_id_from_number(++handle->next_id);
	return batfs_intake_settle(handle->intake, committed, code, &error,
	    handle->receipts, &handle->code, &handle->reject);
}

static size_t
settle_all(struct handle *handle)
{
	size_t count;

	drafts_of(handle, &count);
	ck_assert_uint_le(count, 512);
	return settle(handle, count, 0);
}

static size_t
write_text(struct handle *handle, const char *text)
{
	ck_assert_int_eq(
	    batfs_intake_feed(handle->intake, bat_bytes_text(text)), 0);
	return settle_all(handle);
}

/* The only draft of one line; not settled. */
static const struct bat_draft *
feed_one(struct handle *handle, const char *line)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	const struct bat_draft *drafts;
	size_t count;

	ck_assert_int_eq(bat_bytes_append_format(&buf, "%s\n", line), 0);
	ck_assert_int_eq(
	    batfs_intake_feed(handle->intake, bat_bytes_of_buf(&buf)), 0);
	/* What was fed may go away before the drafts are used. */
	memset(buf.data, '#', buf.length);
	bat_bytes_free(&buf);
	drafts = drafts_of(handle, &count);
	if (count == 0) {
		settle(handle, 0, 0);
		ck_abort_msg("%s: %s", line, handle->reject.error.text);
	}
	ck_assert_uint_eq(count, 1);
	return drafts;
}

/* Refused at once, with a sentence that holds `part`. */
static void
expect_refused(struct handle *handle, const char *line, int code,
    const char *part)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_bytes_append_format(&buf, "%s\n", line), 0);
	ck_assert_int_eq(
	    batfs_intake_feed(handle->intake, bat_bytes_of_buf(&buf)), 0);
	ck_assert_uint_eq(settle_all(handle), 0);
	ck_assert_msg(handle->code == code, "%s: %d %s", line, handle->code,
	    handle->reject.error.text);
	ck_assert(handle->reject.any);
	ck_assert_int_eq(handle->reject.code, code);
	ck_assert_int_eq(handle->reject.error.code, code);
	ck_assert_msg(strstr(handle->reject.error.text, part) != NULL, "%s: %s",
	    line, handle->reject.error.text);
	ck_assert_uint_eq(handle->reject.start_length,
	    buf.length - 1 < 80 ? buf.length - 1 : 80);
	ck_assert_int_eq(memcmp(handle->reject.start, buf.data,
			     handle->reject.start_length),
	    0);
	bat_bytes_free(&buf);
}

static bool
is(struct bat_slice slice, const char *text)
{
	return bat_bytes_equal(slice, bat_bytes_text(text));
}

/* ---- one line --------------------------------------------------------- */

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

/* ---- bytes and replies ------------------------------------------------- */

START_TEST(blank_lines_are_nothing)
{
	struct handle handle;
	size_t count;

	open_member(&handle);
	ck_assert_int_eq(batfs_intake_feed(handle.intake,
			     bat_bytes_text("\n\n \t\r\n1\n\r\n2\n\n")),
	    0);
	drafts_of(&handle, &count);
	ck_assert_uint_eq(count, 2);
	ck_assert_uint_eq(settle_all(&handle), 13);
	close_handle(&handle);
}
END_TEST

START_TEST(lines_before_a_bad_one_are_written_and_counted)
{
	struct handle handle;

	open_member(&handle);
	ck_assert_uint_eq(write_text(&handle, "1\n\n22\n\n\nbad\n333\n4"), 8);
	ck_assert_int_eq(handle.code, 0);
	ck_assert(handle.reject.any);
	ck_assert_uint_eq(handle.reject.offset, 8);
	ck_assert_uint_eq(handle.reject.start_length, 3);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 0);
	/* The writer tries the rest: the errno, and no second report. */
	ck_assert_uint_eq(write_text(&handle, "bad\n333\n4"), 0);
	ck_assert_int_eq(handle.code, BAT_USE_INVALID);
	ck_assert(!handle.reject.any);
	/* The same line once more is a new one. */
	ck_assert_uint_eq(write_text(&handle, "bad\n"), 0);
	ck_assert(handle.reject.any);
	ck_assert_uint_eq(handle.reject.offset, 8);
	close_handle(&handle);
}
END_TEST

START_TEST(a_line_that_the_store_refuses_ends_the_reply)
{
	struct handle handle;

	open_member(&handle);
	ck_assert_int_eq(batfs_intake_feed(handle.intake,
			     bat_bytes_text("1\n2\n3\nbad\n")),
	    0);
	ck_assert_uint_eq(settle(&handle, 1, BAT_STATE_STALE), 2);
	ck_assert(handle.reject.any);
	ck_assert_int_eq(handle.reject.code, BAT_STATE_STALE);
	ck_assert_str_eq(handle.reject.error.text, "the store says no");
	ck_assert_uint_eq(handle.reject.offset, 2);
	ck_assert_int_eq(memcmp(handle.reject.start, "2", 1), 0);
	/* This time it is taken; then the bad one is reported. */
	ck_assert_uint_eq(write_text(&handle, "2\n3\nbad\n"), 4);
	ck_assert(handle.reject.any);
	ck_assert_uint_eq(handle.reject.offset, 6);
	ck_assert_int_eq(
	    batfs_intake_feed(handle.intake, bat_bytes_text("1\n")), 0);
	ck_assert_uint_eq(settle(&handle, 0, BAT_WORLD_NO_SPACE), 0);
	ck_assert_int_eq(handle.code, BAT_WORLD_NO_SPACE);
	close_handle(&handle);
}
END_TEST

START_TEST(a_tail_waits_for_its_newline)
{
	struct handle handle;
	const struct bat_draft *draft;
	size_t count;

	open_member(&handle);
	ck_assert_uint_eq(write_text(&handle, "1\n{\"a\""), 6);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 4);
	ck_assert_uint_eq(write_text(&handle, ":[1,"), 4);
	ck_assert_uint_eq(write_text(&handle, ""), 0);
	ck_assert_int_eq(
	    batfs_intake_feed(handle.intake, bat_bytes_text("2]}\n3\n4")), 0);
	draft = drafts_of(&handle, &count);
	ck_assert_uint_eq(count, 2);
	ck_assert(test_hex_equals(draft[0].payload, "81a161920102"));
	ck_assert(test_hex_equals(draft[1].payload, "03"));
	ck_assert_uint_eq(settle_all(&handle), 7);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 1);
	close_handle(&handle);
}
END_TEST

START_TEST(a_bad_line_is_gone_with_its_earlier_part)
{
	struct handle handle;

	open_member(&handle);
	ck_assert_uint_eq(write_text(&handle, "1\n[1,"), 5);
	ck_assert_uint_eq(write_text(&handle, "x]\n2\n"), 0);
	ck_assert_int_eq(handle.code, BAT_USE_INVALID);
	ck_assert(handle.reject.any);
	ck_assert_uint_eq(handle.reject.offset, 2);
	ck_assert_uint_eq(handle.reject.start_length, 5);
	ck_assert_int_eq(memcmp(handle.reject.start, "[1,x]", 5), 0);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 0);
	/* A retry is a new line, with an offset behind what was accepted. */
	ck_assert_uint_eq(write_text(&handle, "x]\n2\n"), 0);
	ck_assert(handle.reject.any);
	ck_assert_uint_eq(handle.reject.offset, 5);
	/* The same when the store refuses it. */
	ck_assert_uint_eq(write_text(&handle, "[1,"), 3);
	ck_assert_int_eq(
	    batfs_intake_feed(handle.intake, bat_bytes_text("2]\n3\n4")), 0);
	ck_assert_uint_eq(settle(&handle, 0, BAT_STATE_STALE), 0);
	ck_assert_uint_eq(handle.reject.offset, 5);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 0);
	ck_assert_uint_eq(write_text(&handle, "3\n"), 2);
	close_handle(&handle);
}
END_TEST

START_TEST(a_flush_takes_a_tail_that_is_one_whole_record)
{
	struct handle handle;
	const struct bat_draft *draft;
	size_t count;

	open_member(&handle);
	ck_assert_uint_eq(write_text(&handle, "@kind=f.001 {\"a\":1"), 18);
	ck_assert_int_eq(batfs_intake_finish(handle.intake, true), 0);
	drafts_of(&handle, &count);
	ck_assert_uint_eq(count, 0);
	ck_assert_uint_eq(settle_all(&handle), 0);
	ck_assert(!handle.reject.any);
	ck_assert_int_eq(handle.code, 0);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 18);

	ck_assert_uint_eq(write_text(&handle, "}"), 1);
	ck_assert_int_eq(batfs_intake_finish(handle.intake, true), 0);
	draft = drafts_of(&handle, &count);
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_eq(draft->kind, 0xf001);
	ck_assert_uint_eq(settle_all(&handle), 0);
	ck_assert_int_eq(handle.code, 0);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 0);

	/* Refused by the store: it is gone, and the caller learns why. */
	ck_assert_uint_eq(write_text(&handle, "7"), 1);
	ck_assert_int_eq(batfs_intake_finish(handle.intake, true), 0);
	ck_assert_uint_eq(settle(&handle, 0, BAT_STATE_STALE), 0);
	ck_assert_int_eq(handle.code, BAT_STATE_STALE);
	ck_assert(handle.reject.any);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 0);
	close_handle(&handle);
}
END_TEST

START_TEST(a_release_takes_the_tail_or_refuses_it)
{
	struct handle handle;

	open_member(&handle);
	ck_assert_uint_eq(write_text(&handle, "1\n{\"a\":"), 7);
	ck_assert_int_eq(batfs_intake_finish(handle.intake, false), 0);
	ck_assert_uint_eq(settle_all(&handle), 0);
	ck_assert_int_eq(handle.code, BAT_USE_INVALID);
	ck_assert(handle.reject.any);
	ck_assert_uint_eq(handle.reject.offset, 2);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 0);
	ck_assert_uint_eq(write_text(&handle, " \t"), 2);
	ck_assert_int_eq(batfs_intake_finish(handle.intake, false), 0);
	ck_assert_uint_eq(settle_all(&handle), 0);
	ck_assert_int_eq(handle.code, 0);
	ck_assert(!handle.reject.any);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 0);
	close_handle(&handle);
}
END_TEST

START_TEST(a_tail_above_the_cap_poisons_the_handle)
{
	const size_t piece = (size_t)1 << 20;
	char *bytes = malloc(piece);
	struct handle handle;

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, 'a', piece);
	open_member(&handle);
	ck_assert_uint_eq(write_text(&handle, "1\n\""), 3);
	for (int i = 0; i < 15; i++) {
		ck_assert_int_eq(batfs_intake_feed(handle.intake,
				     bat_bytes_slice(bytes, piece)),
		    0);
		ck_assert_uint_eq(settle_all(&handle), piece);
	}
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 15 * piece + 1);
	ck_assert_int_eq(
	    batfs_intake_feed(handle.intake, bat_bytes_slice(bytes, piece)), 0);
	ck_assert_uint_eq(settle_all(&handle), 0);
	ck_assert_int_eq(handle.code, BAT_USE_TOO_LARGE);
	ck_assert(handle.reject.any);
	ck_assert_uint_eq(handle.reject.offset, 2);
	ck_assert_int_eq(batfs_intake_feed(handle.intake,
			     bat_bytes_text("1\n")),
	    BAT_USE_TOO_LARGE);
	ck_assert_int_eq(batfs_intake_finish(handle.intake, false), 0);
	ck_assert_uint_eq(settle_all(&handle), 0);
	ck_assert(!handle.reject.any);
	close_handle(&handle);
	free(bytes);
}
END_TEST

START_TEST(a_line_of_three_megabytes_may_come_in_small_pieces)
{
	const size_t length = (size_t)3 << 20;
	struct handle handle;
	char *line = malloc(length);
	const struct bat_draft *draft;
	size_t at = 0, count;

	ck_assert_ptr_nonnull(line);
	memset(line, 'a', length);
	line[0] = '"';
	line[length - 2] = '"';
	line[length - 1] = '\n';
	open_member(&handle);
	while (at + 512 < length) {
		ck_assert_int_eq(batfs_intake_feed(handle.intake,
				     bat_bytes_slice(line + at, 512)),
		    0);
		at += settle_all(&handle);
	}
	ck_assert_int_eq(batfs_intake_feed(handle.intake,
			     bat_bytes_slice(line + at, length - at)),
	    0);
	draft = drafts_of(&handle, &count);
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_eq(draft->payload.length, length - 3 + 5);
	settle_all(&handle);
	close_handle(&handle);
	free(line);
}
END_TEST

/*
 * A writer as cat is one: sends pieces, goes on behind a short reply, stops
 * at an error. However it cuts, the same lines are written, once each, and
 * everything before the bad one.
 */
static void
write_in_pieces(struct random *random, struct bat_slice text,
    struct bat_buf *written, unsigned *out_reports, int *out_code)
{
	struct handle handle;
	size_t at = 0, end = 0;

	open_member(&handle);
	*out_reports = 0;
	*out_code = 0;
	while (at < text.length && *out_code == 0) {
		size_t count, committed;
		int refusal = 0;
		const struct bat_draft *drafts;

		/* Behind a short reply: the rest of the same piece. */
		if (at == end)
			end += 1 + random_below(random, 40);
		if (end > text.length)
			end = text.length;
		ck_assert_int_eq(batfs_intake_feed(handle.intake,
				     bat_bytes_slice(text.data + at, end - at)),
		    0);
		drafts = drafts_of(&handle, &count);
		committed = count;
		for (size_t i = 0; i < committed; i++) {
			/* The store takes no 13. */
			if (test_hex_equals(drafts[i].payload, "0d")) {
				refusal = BAT_STATE_STALE;
				committed = i;
			}
		}
		for (size_t i = 0; i < committed; i++)
			ck_assert_int_eq(bat_bytes_append_slice(written,
					     drafts[i].payload),
			    0);
		at += settle(&handle, committed, refusal);
		*out_reports += handle.reject.any;
		*out_code = handle.code;
	}
	close_handle(&handle);
}

START_TEST(what_words_of_the_name_say_holds_for_every_write)
{
	struct handle handle;
	size_t count;

	open_place(&handle,
	    (struct batfs_intake_place){
		.words = bat_bytes_text("entity=player:bob,scope=room:two"),
	    });
	for (int i = 0; i < 3; i++) {
		const struct bat_draft *draft;

		ck_assert_int_eq(batfs_intake_feed(handle.intake,
				     bat_bytes_text("@ext.app.a=b 8\n")),
		    0);
		draft = drafts_of(&handle, &count);
		ck_assert_uint_eq(count, 1);
		ck_assert(bat_bytes_equal(draft->entity,
		    bat_bytes_text("player:bob")));
		ck_assert(
		    bat_bytes_equal(draft->scope, bat_bytes_text("room:two")));
		settle_all(&handle);
	}
	close_handle(&handle);
}
END_TEST

START_TEST(however_a_writer_cuts_each_line_is_written_once)
{
	struct random random = { 31 };
	struct bat_buf text = BAT_BUF_EMPTY, expected = BAT_BUF_EMPTY;
	struct bat_buf written = BAT_BUF_EMPTY;

	for (int round = 0; round < 3000; round++) {
		uint32_t lines = random_below(&random, 12), bad = UINT32_MAX;
		unsigned reports;
		int code, bad_code = 0;

		bat_bytes_clear(&text);
		bat_bytes_clear(&expected);
		bat_bytes_clear(&written);
		if (random_below(&random, 2) == 0)
			bad = random_below(&random, 12);
		for (uint32_t i = 0; i < lines; i++) {
			uint32_t number = random_below(&random, 100);
			const char *blank = random_below(&random, 3) == 0 ?
			    "\n \r\n" :
			    "";

			if (i == bad)
				bad_code = round % 2 == 0 ? BAT_USE_INVALID :
							    BAT_STATE_STALE;
			else if (number == 13)
				number = 14;
			if (i == bad)
				ck_assert_int_eq(
				    bat_bytes_append_format(&text, "%s\n",
					round % 2 == 0 ? "[1,}" : "13"),
				    0);
			else
				ck_assert_int_eq(bat_bytes_append_format(&text,
						     "@lane=%u %u\n%s", i,
						     number, blank),
				    0);
			if (bad_code == 0)
				ck_assert_int_eq(
				    bat_bytes_append_byte(&expected,
					(uint8_t)number),
				    0);
		}
		write_in_pieces(&random, bat_bytes_of_buf(&text), &written,
		    &reports, &code);
		ck_assert(bat_bytes_equal(bat_bytes_of_buf(&written),
		    bat_bytes_of_buf(&expected)));
		ck_assert_int_eq(code, bad_code);
		ck_assert_uint_eq(reports, bad_code != 0);
	}
	bat_bytes_free(&text);
	bat_bytes_free(&expected);
	bat_bytes_free(&written);
}
END_TEST

/* Lines of random bytes are refused or taken, and nothing else happens. */
START_TEST(random_bytes_do_no_harm)
{
	static const char alphabet[] =
	    "@@entityscopekindcauseraw=\"\\ \t{}[],:0123f.$-\r\n\n";
	struct random random = { 32 };
	struct handle handle;
	unsigned taken = 0;

	open_place(&handle,
	    (struct batfs_intake_place){
		.entity = bat_bytes_text("player:alice") });
	for (int round = 0; round < 30000; round++) {
		char bytes[64];
		size_t size = random_below(&random, sizeof(bytes));

		for (size_t i = 0; i < size; i++)
			bytes[i] =
			    alphabet[random_below(&random, sizeof(alphabet))];
		ck_assert_int_eq(batfs_intake_feed(handle.intake,
				     bat_bytes_slice(bytes, size)),
		    0);
		taken += settle_all(&handle) > 0;
	}
	ck_assert_uint_gt(taken, 100);
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
	tcase_add_test(promises, blank_lines_are_nothing);
	tcase_add_test(promises,
	    lines_before_a_bad_one_are_written_and_counted);
	tcase_add_test(promises, a_line_that_the_store_refuses_ends_the_reply);
	tcase_add_test(promises, a_tail_waits_for_its_newline);
	tcase_add_test(promises, a_bad_line_is_gone_with_its_earlier_part);
	tcase_add_test(promises, a_flush_takes_a_tail_that_is_one_whole_record);
	tcase_add_test(promises, a_release_takes_the_tail_or_refuses_it);
	tcase_add_test(promises, a_tail_above_the_cap_poisons_the_handle);
	tcase_add_test(promises,
	    a_line_of_three_megabytes_may_come_in_small_pieces);
	tcase_add_test(promises,
	    however_a_writer_cuts_each_line_is_written_once);
	tcase_add_test(promises,
	    what_words_of_the_name_say_holds_for_every_write);
	tcase_add_test(promises, random_bytes_do_no_harm);
	return suite_run(suite);
}
