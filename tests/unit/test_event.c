#include "event.h"

#include "sample.h"
#include "suite.h"

static struct bat_draft
good_draft(void)
{
	return (struct bat_draft){
		.entity = bat_bytes_text("player:alice"),
		.scope = bat_bytes_text("room:dungeon"),
		.payload = bat_bytes_text("\x01"),
		.kind = 0xf001,
	};
}

static struct bat_extension
extension(const char *key, const char *value)
{
	return (
	    struct bat_extension){ bat_bytes_text(key), bat_bytes_text(value) };
}

START_TEST(an_ordinary_draft_is_accepted)
{
	struct bat_draft draft = good_draft();

	ck_assert_int_eq(bat_event_check_draft(&draft, true, NULL), 0);
	ck_assert_int_eq(bat_event_check_draft(&draft, false, NULL), 0);
	draft.payload = BAT_SLICE_EMPTY;
	ck_assert_int_eq(bat_event_check_draft(&draft, true, NULL), 0);
}
END_TEST

START_TEST(a_bad_name_is_refused)
{
	struct bat_draft draft = good_draft();

	draft.scope = bat_bytes_text("a/b");
	ck_assert_int_eq(bat_event_check_draft(&draft, true, NULL),
	    BAT_USE_INVALID);
}
END_TEST

START_TEST(reserved_kinds_are_refused)
{
	static const uint16_t reserved[] = { 0, 6, 7, 8, 0xffe, 0xd001,
		0xd123 };
	struct bat_draft draft = good_draft();

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		draft.kind = reserved[i];
		ck_assert_int_eq(bat_event_check_draft(&draft, true, NULL),
		    BAT_USE_RESERVED);
	}
}
END_TEST

START_TEST(flags_need_a_batch_of_one)
{
	struct bat_draft draft = good_draft();

	draft.flags = 1;
	ck_assert_int_eq(bat_event_check_draft(&draft, true, NULL), 0);
	ck_assert_int_eq(bat_event_check_draft(&draft, false, NULL),
	    BAT_USE_INVALID);
}
END_TEST

START_TEST(a_zero_cause_is_refused)
{
	struct bat_draft draft = good_draft();

	draft.cause = BAT_CAUSE_ID;
	ck_assert_int_eq(bat_event_check_draft(&draft, true, NULL),
	    BAT_USE_INVALID);
	draft.cause_id.bytes[15] = 1;
	ck_assert_int_eq(bat_event_check_draft(&draft, true, NULL), 0);
}
END_TEST

START_TEST(payload_and_extension_map_share_one_cap)
{
	/* `81 a3 612e62 92 01 cc80`: 9 bytes */
	struct bat_extension one = extension("a.b", "\x01\x80");
	struct bat_draft draft = good_draft();
	uint8_t *bytes = calloc(1, BAT_EVENT_PAYLOAD_MAX + 1);

	ck_assert_ptr_nonnull(bytes);
	draft.payload = bat_bytes_slice(bytes, BAT_EVENT_PAYLOAD_MAX);
	ck_assert_int_eq(bat_event_check_draft(&draft, true, NULL), 0);
	draft.payload.length++;
	ck_assert_int_eq(bat_event_check_draft(&draft, true, NULL),
	    BAT_USE_TOO_LARGE);
	draft.extensions = &one;
	draft.extension_count = 1;
	draft.payload.length = BAT_EVENT_PAYLOAD_MAX - 9;
	ck_assert_int_eq(bat_event_check_draft(&draft, true, NULL), 0);
	draft.payload.length++;
	ck_assert_int_eq(bat_event_check_draft(&draft, true, NULL),
	    BAT_USE_TOO_LARGE);
	free(bytes);
}
END_TEST

START_TEST(extension_keys_are_space_dot_name)
{
	static const char *const good[] = { "a.b", "app.audit", "batfs.writer",
		"batpa.k", "batpakx.y", "a b.c", "\x01.x" };
	static const char *const bad[] = { "", ".", "a", "a.", ".b", "a.b.c",
		"a..b", "batpak.x", "gr\xc3\xbcn.x" };
	char key[BAT_EVENT_EXTENSION_KEY_MAX + 1];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(bat_event_extension_key_is_legal(
				  bat_bytes_text(good[i])),
		    "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!bat_event_extension_key_is_legal(
				  bat_bytes_text(bad[i])),
		    "%s", bad[i]);
	memset(key, 'k', sizeof(key));
	key[1] = '.';
	ck_assert(bat_event_extension_key_is_legal(
	    bat_bytes_slice(key, BAT_EVENT_EXTENSION_KEY_MAX)));
	ck_assert(!bat_event_extension_key_is_legal(
	    bat_bytes_slice(key, sizeof(key))));
}
END_TEST

START_TEST(extensions_are_sorted_and_distinct)
{
	struct bat_extension two[2] = { extension("a.a", "1"),
		extension("a.b", "2") };
	struct bat_draft draft = good_draft();

	draft.extensions = two;
	draft.extension_count = 2;
	ck_assert_int_eq(bat_event_check_draft(&draft, true, NULL), 0);
	two[1] = two[0];
	ck_assert_int_eq(bat_event_check_draft(&draft, true, NULL),
	    BAT_USE_INVALID);
	two[0] = extension("a.b", "");
	ck_assert_int_eq(bat_event_check_draft(&draft, true, NULL),
	    BAT_USE_INVALID);
	two[1] = extension("bad", "");
	ck_assert_int_eq(bat_event_check_draft(&draft, true, NULL),
	    BAT_USE_INVALID);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("event");
	TCase *tcase = tcase_create("event");

	tcase_add_test(tcase, an_ordinary_draft_is_accepted);
	tcase_add_test(tcase, a_bad_name_is_refused);
	tcase_add_test(tcase, reserved_kinds_are_refused);
	tcase_add_test(tcase, flags_need_a_batch_of_one);
	tcase_add_test(tcase, a_zero_cause_is_refused);
	tcase_add_test(tcase, payload_and_extension_map_share_one_cap);
	tcase_add_test(tcase, extension_keys_are_space_dot_name);
	tcase_add_test(tcase, extensions_are_sorted_and_distinct);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
