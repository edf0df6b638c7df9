/*
 * What an event says of earlier ones: keys, causes, expectations, the link to
 * its predecessor and a time that does not run back.
 */
#include <check.h>
#include <stdlib.h>

#include "hidden.h"
#include "kind.h"
#include "maker.h"
#include "stores.h"
#include "suite.h"
#include "writer_session.h"

/* ---- the ground --------------------------------------------------------- */

static struct bat_row
row_of(struct bat_store *store, uint64_t seq)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	uint32_t ordinal = bat_find_seq(store, seq);
	struct bat_row row;

	ck_assert_uint_ne(ordinal, BAT_MAP_NONE);
	ck_assert_int_eq(bat_read(store, ordinal, &reading, NULL), 0);
	row = reading.row;
	bat_reading_free(&reading);
	return row;
}

/* ---- keys --------------------------------------------------------------- */

START_TEST(a_known_key_answers_with_its_event)
{
	struct bat_draft drafts[3] = { stores_draft("player:a", "s",
					   "\xa1"
					   "1"),
		stores_draft("player:b", "t",
		    "\xa1"
		    "2"),
		stores_draft("player:c", "s",
		    "\xa1"
		    "3") };
	struct bat_receipt first, again[3];
	struct session session;

	session_start(&session);
	drafts[0].key = drafts[1].key = bat_id_from_number(4711);
	ck_assert_int_eq(
	    stores_append_batch(session.store, drafts, 1, &first, NULL), 0);
	ck_assert(bat_id_equal(&first.id, &drafts[0].key));
	ck_assert(!first.replayed);
	for (int pass = 0; pass < 2; pass++) {
		uint64_t before = count_of(session.store);

		/* Whatever else the draft says; also its expectation. */
		drafts[1].expect = BAT_EXPECT_SOME;
		ck_assert_int_eq(stores_append_batch(session.store, drafts + 1,
				     1, again, NULL),
		    0);
		ck_assert(again[0].replayed);
		ck_assert_uint_eq(again[0].seq, first.seq);
		ck_assert_uint_eq(again[0].clock, first.clock);
		ck_assert_uint_eq(again[0].wall_ms, first.wall_ms);
		ck_assert(bat_hash_equal(&again[0].hash, &first.hash));
		ck_assert_uint_eq(count_of(session.store), before);
		session_again(&session);
	}
	/* Twice in one batch. */
	drafts[0].key = drafts[1].key = bat_id_from_number(4712);
	drafts[1].expect = BAT_EXPECT_ANY;
	ck_assert_int_eq(
	    stores_append_batch(session.store, drafts, 3, again, NULL), 0);
	ck_assert(
	    !again[0].replayed && again[1].replayed && !again[2].replayed);
	ck_assert_uint_eq(again[1].seq, again[0].seq);
	ck_assert_uint_eq(again[2].seq, again[0].seq + 1);
	session_end(&session);
}
END_TEST

/* ---- causes ------------------------------------------------------------- */

START_TEST(a_cause_is_found_by_each_of_its_names)
{
	struct bat_draft drafts[3] = { stores_draft("player:a", "s",
					   "\xa1"
					   "1"),
		stores_draft("player:b", "s",
		    "\xa1"
		    "2"),
		stores_draft("player:c", "s",
		    "\xa1"
		    "3") };
	struct bat_receipt first, got[3];
	struct session session;
	struct bat_row row;

	session_start(&session);
	drafts[0].corr = bat_id_from_number(77);
	ck_assert_int_eq(
	    stores_append_batch(session.store, drafts, 1, &first, NULL), 0);
	drafts[0].corr = BAT_ID_ZERO;
	for (int pass = 0; pass < 3; pass++) {
		struct bat_draft draft = drafts[pass == 2 ? 0 : 1];

		draft.cause = pass == 0 ? BAT_CAUSE_ID :
		    pass == 1		? BAT_CAUSE_SEQ :
					  BAT_CAUSE_LAST;
		draft.cause_id = first.id;
		draft.cause_number = first.seq;
		ck_assert_int_eq(stores_append_batch(session.store, &draft, 1,
				     got, NULL),
		    0);
		row = row_of(session.store, got[0].seq);
		ck_assert(bat_id_equal(&row.cause, &first.id));
		ck_assert_uint_eq(bat_bytes_get_be64(row.corr.bytes + 8), 77);
	}
	/* Within a batch: an item, an id and a number that is not yet there. */
	drafts[1].cause = BAT_CAUSE_ITEM;
	drafts[1].cause_number = 0;
	drafts[2].cause = BAT_CAUSE_SEQ;
	drafts[2].cause_number = got[0].seq + 2;
	ck_assert_int_eq(
	    stores_append_batch(session.store, drafts, 3, got, NULL), 0);
	row = row_of(session.store, got[1].seq);
	ck_assert(bat_id_equal(&row.cause, &got[0].id));
	ck_assert(bat_id_equal(&row.corr, &got[0].id));
	row = row_of(session.store, got[2].seq);
	ck_assert(bat_id_equal(&row.cause, &got[1].id));
	ck_assert(bat_id_equal(&row.corr, &got[0].id));
	/* Given, it is not handed down. */
	drafts[0].cause = BAT_CAUSE_ID;
	drafts[0].cause_id = first.id;
	drafts[0].corr = bat_id_from_number(78);
	ck_assert_int_eq(
	    stores_append_batch(session.store, drafts, 1, got, NULL), 0);
	row = row_of(session.store, got[0].seq);
	ck_assert_uint_eq(bat_bytes_get_be64(row.corr.bytes + 8), 78);
	/* An item that was there before, under its key, and behind another. */
	drafts[0].cause = BAT_CAUSE_NONE;
	drafts[0].key = first.id;
	drafts[2].cause = BAT_CAUSE_ITEM;
	drafts[2].cause_number = 0;
	ck_assert_int_eq(
	    stores_append_batch(session.store, drafts, 3, got, NULL), 0);
	ck_assert(got[0].replayed);
	row = row_of(session.store, got[2].seq);
	ck_assert(bat_id_equal(&row.cause, &first.id));
	session_end(&session);
}
END_TEST

START_TEST(a_cause_that_is_not_there_is_refused)
{
	struct bat_draft draft = stores_draft("player:new", "s",
	    "\xa1"
	    "1");
	struct session session;
	struct bat_receipt receipt;

	session_start(&session);
	receipt = stores_append(session.store, "player:a",
	    "\xa1"
	    "0");
	for (int kind = BAT_CAUSE_ID; kind <= BAT_CAUSE_ITEM; kind++) {
		draft.cause = (enum bat_cause_kind)kind;
		draft.cause_id = bat_id_from_number(99);
		/* The number that this very event would get. */
		draft.cause_number = kind == BAT_CAUSE_ITEM ? 0 :
							      receipt.seq + 1;
		ck_assert_int_eq(stores_append_batch(session.store, &draft, 1,
				     NULL, NULL),
		    BAT_STATE_NOT_FOUND);
	}
	ck_assert_uint_eq(count_of(session.store), 2);
	session_end(&session);
}
END_TEST

/* ---- expectations ------------------------------------------------------- */

START_TEST(an_expectation_that_fails_is_stale)
{
	struct session session;
	const struct {
		enum bat_expect_kind expect;
		uint32_t clock;
		const char *entity;
		int code;
	} cases[] = {
		{ BAT_EXPECT_NONE, 0, "player:a", 0 },
		{ BAT_EXPECT_NONE, 0, "player:a", BAT_STATE_STALE },
		{ BAT_EXPECT_SOME, 0, "player:a", 0 },
		{ BAT_EXPECT_SOME, 0, "player:b", BAT_STATE_STALE },
		{ BAT_EXPECT_CLOCK, 1, "player:a", 0 },
		{ BAT_EXPECT_CLOCK, 1, "player:a", BAT_STATE_STALE },
		{ BAT_EXPECT_CLOCK, 3, "player:a", BAT_STATE_STALE },
		{ BAT_EXPECT_CLOCK, 0, "player:b", BAT_STATE_STALE },
		{ BAT_EXPECT_CLOCK, 2, "player:a", 0 },
	};

	session_start(&session);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bat_draft draft = stores_draft(cases[i].entity, "s",
		    "\xa1x");

		draft.expect = cases[i].expect;
		draft.expect_clock = cases[i].clock;
		ck_assert_msg(stores_append_batch(session.store, &draft, 1,
				  NULL, NULL) == cases[i].code,
		    "case %zu", i);
	}
	session_end(&session);
}
END_TEST

START_TEST(an_expectation_sees_earlier_items_of_its_batch)
{
	struct bat_draft drafts[2] = { stores_draft("player:a", "s",
					   "\xa1"
					   "1"),
		stores_draft("player:a", "s",
		    "\xa1"
		    "2") };
	struct session session;
	struct bat_batch batch;

	session_start(&session);
	drafts[0].expect = BAT_EXPECT_NONE;
	drafts[1].expect = BAT_EXPECT_CLOCK;
	ck_assert_int_eq(
	    stores_append_batch(session.store, drafts, 2, NULL, NULL), 0);
	drafts[0].expect = BAT_EXPECT_SOME;
	drafts[1].expect = BAT_EXPECT_NONE;
	ck_assert_int_eq(stores_append_batch(session.store, drafts, 2, NULL,
			     &batch),
	    BAT_STATE_STALE);
	ck_assert_uint_eq(batch.committed, 1);
	session_end(&session);
}
END_TEST

/* ---- links -------------------------------------------------------------- */

START_TEST(prev_and_clock_go_on_after_reopening)
{
	struct bat_receipt last = { .clock = 0 };
	struct session session;

	session_start(&session);
	for (uint32_t i = 0; i < 6; i++) {
		/* Equal payloads: equal hashes. */
		struct bat_receipt receipt = stores_append(session.store,
		    "player:a", "\xa1x");
		struct bat_row row = row_of(session.store, receipt.seq);

		ck_assert_uint_eq(receipt.clock, i);
		if (i == 0)
			ck_assert(bat_hash_is_zero(&row.prev));
		else
			ck_assert(bat_hash_equal(&row.prev, &last.hash));
		last = receipt;
		if (i % 2 == 1)
			session_again(&session);
	}
	session_end(&session);
}
END_TEST

START_TEST(links_pass_over_hidden_events)
{
	struct bat_hidden_range range = { 1, 2 };
	const struct bat_hidden hidden = { &range, 1 };
	struct bat_buf file = BAT_BUF_EMPTY;
	struct bat_receipt receipt;
	struct bat_store *store;
	struct maker maker;
	struct temp_dir dir;
	struct bat_row row;
	struct bat_draft draft = stores_draft("player:b", "s", "\xa1x");

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "1");
	maker_event(&maker, "player:a",
	    "\xa1"
	    "2");
	maker_save(&maker, &dir);
	ck_assert_int_eq(bat_hidden_encode(&hidden, &file), 0);
	temp_dir_write(&dir, BAT_HIDDEN_FILE, bat_bytes_of_buf(&file));
	store = stores_open(&dir, false);
	receipt = stores_append(store, "player:a",
	    "\xa1"
	    "3");
	ck_assert_uint_eq(receipt.clock, 1);
	row = row_of(store, receipt.seq);
	ck_assert(bat_hash_equal(&row.prev, &maker.rows[0].hash));
	/* A hidden event is no cause, and its key is free again. */
	draft.cause = BAT_CAUSE_SEQ;
	draft.cause_number = 1;
	ck_assert_int_eq(stores_append_batch(store, &draft, 1, NULL, NULL),
	    BAT_STATE_NOT_FOUND);
	draft.cause = BAT_CAUSE_NONE;
	draft.key = maker.rows[1].id;
	ck_assert_int_eq(stores_append_batch(store, &draft, 1, &receipt, NULL),
	    0);
	ck_assert(!receipt.replayed);
	stores_close(store);
	bat_bytes_free(&file);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_clock_that_jumps_back_lets_no_time_of_an_entity_fall)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_receipt before, after, other;
	struct session session;
	struct bat_row row;
	uint64_t close_ms;

	session_start(&session);
	before = stores_append(session.store, "player:a",
	    "\xa1"
	    "1");
	session.clock.wall_us -= 3600 * INT64_C(1000000);
	after = stores_append(session.store, "player:a",
	    "\xa1"
	    "2");
	other = stores_append(session.store, "player:b",
	    "\xa1"
	    "3");
	ck_assert_uint_eq(after.wall_ms, before.wall_ms);
	ck_assert_uint_lt(other.wall_ms, before.wall_ms);
	/* What the clock said stands in the frame. */
	ck_assert_int_eq(bat_read(session.store,
			     bat_find_seq(session.store, after.seq), &reading,
			     NULL),
	    0);
	ck_assert_uint_lt((uint64_t)reading.fields.timestamp_us / 1000,
	    before.wall_ms);
	session_again(&session);
	row = row_of(session.store, other.seq + 1);
	ck_assert_uint_eq(row.kind, BAT_KIND_CLOSE_COMPLETED);
	close_ms = row.wall_ms;
	ck_assert_uint_eq(close_ms, before.wall_ms);
	/* OPEN is not dated before anything that is there. */
	session.clock.wall_us -= 3600 * INT64_C(1000000);
	after = stores_append(session.store, "player:a",
	    "\xa1"
	    "4");
	ck_assert_uint_eq(after.wall_ms, before.wall_ms);
	row = row_of(session.store, after.seq - 1);
	ck_assert_uint_eq(row.kind, BAT_KIND_OPEN_COMPLETED);
	ck_assert_uint_ge(row.wall_ms, close_ms);
	bat_reading_free(&reading);
	session_end(&session);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("writer_links");
	TCase *links = tcase_create("links");

	tcase_add_test(links, a_known_key_answers_with_its_event);
	tcase_add_test(links, a_cause_is_found_by_each_of_its_names);
	tcase_add_test(links, a_cause_that_is_not_there_is_refused);
	tcase_add_test(links, an_expectation_that_fails_is_stale);
	tcase_add_test(links, an_expectation_sees_earlier_items_of_its_batch);
	tcase_add_test(links, prev_and_clock_go_on_after_reopening);
	tcase_add_test(links, links_pass_over_hidden_events);
	tcase_add_test(links,
	    a_clock_that_jumps_back_lets_no_time_of_an_entity_fall);
	suite_add_tcase(suite, links);
	return suite_run(suite);
}
