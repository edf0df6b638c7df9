#include "chain.h"

#include "sample.h"
#include "suite.h"

static const struct bat_slice payload = { (const uint8_t *)"\x81\xa1n\x01", 4 };

START_TEST(the_first_event_starts_from_zeros)
{
	struct bat_chain_head none = { 0 };
	struct bat_event event = { .timestamp_us = 1700000000000999,
		.clock = 9 };
	char hex[65];

	event.prev.bytes[3] = 1;
	ck_assert_int_eq(bat_chain_link(&none, payload, &event, NULL), 0);
	ck_assert_uint_eq(event.clock, 0);
	ck_assert(bat_hash_is_zero(&event.prev));
	ck_assert_uint_eq(event.wall_ms, 1700000000000);
	bat_hash_to_hex(&event.hash, hex);
	ck_assert_str_eq(hex,
	    "7be2f6ba1a9ebb6454bae81c36b2f341"
	    "6e4ffe75827066ecc0856478a8c75a7f");
	ck_assert(bat_hash_equal(&event.hash, &event.content_hash));
	ck_assert(event.has_chain);
}
END_TEST

START_TEST(a_successor_follows_the_head)
{
	struct bat_event first = { .timestamp_us = 5000000, .clock = 41 };
	struct bat_event second = { .timestamp_us = 6000000 };
	struct bat_chain_head head;

	first.wall_ms = 5000;
	first.hash = bat_hash_of(bat_bytes_text("first"));
	head = bat_chain_head_of(&first);
	ck_assert_int_eq(bat_chain_link(&head, payload, &second, NULL), 0);
	ck_assert_uint_eq(second.clock, 42);
	ck_assert(bat_hash_equal(&second.prev, &first.hash));
	ck_assert_uint_eq(second.wall_ms, 6000);
}
END_TEST

START_TEST(an_entitys_time_does_not_fall)
{
	struct bat_chain_head head = { .exists = true, .wall_ms = 7000 };
	struct bat_event event = { .timestamp_us = 6999999 };

	ck_assert_int_eq(bat_chain_link(&head, payload, &event, NULL), 0);
	ck_assert_uint_eq(event.wall_ms, 7000);
	ck_assert_int_eq(event.timestamp_us, 6999999);
}
END_TEST

START_TEST(a_clock_at_its_end_is_refused)
{
	struct bat_chain_head head = { .exists = true, .clock = UINT32_MAX };
	struct bat_event event = { .timestamp_us = 1 };
	struct bat_error error;

	ck_assert_int_eq(bat_chain_link(&head, payload, &event, &error),
	    BAT_USE_INVALID);
	ck_assert_ptr_nonnull(strstr(error.text, "clock"));
	head.clock--;
	ck_assert_int_eq(bat_chain_link(&head, payload, &event, NULL), 0);
	ck_assert_uint_eq(event.clock, UINT32_MAX);
}
END_TEST

START_TEST(a_time_before_1970_is_refused)
{
	struct bat_chain_head none = { 0 };
	struct bat_event event = { .timestamp_us = -1 };

	ck_assert_int_eq(bat_chain_link(&none, payload, &event, NULL),
	    BAT_USE_INVALID);
}
END_TEST

START_TEST(a_payload_matches_only_both_of_its_hashes)
{
	struct bat_event event = { .hash = bat_hash_of(payload) };

	event.content_hash = event.hash;
	ck_assert(bat_chain_payload_matches(&event, payload));
	ck_assert(!bat_chain_payload_matches(&event, BAT_SLICE_EMPTY));
	event.content_hash.bytes[31] ^= 1;
	ck_assert(!bat_chain_payload_matches(&event, payload));
	event.content_hash = event.hash;
	event.hash.bytes[0] ^= 1;
	ck_assert(!bat_chain_payload_matches(&event, payload));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("chain");
	TCase *tcase = tcase_create("chain");

	tcase_add_test(tcase, the_first_event_starts_from_zeros);
	tcase_add_test(tcase, a_successor_follows_the_head);
	tcase_add_test(tcase, an_entitys_time_does_not_fall);
	tcase_add_test(tcase, a_clock_at_its_end_is_refused);
	tcase_add_test(tcase, a_time_before_1970_is_refused);
	tcase_add_test(tcase, a_payload_matches_only_both_of_its_hashes);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
