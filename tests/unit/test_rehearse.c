/*
 * What a rehearsal says is what the writer says, batch after batch of whatever
 * drafts there are.
 */
#include "rehearse.h"

#include <stdlib.h>

#include "stores.h"

#include "sample.h"
#include "suite.h"

static struct temp_dir dir;
static struct bat_store *store;

#define DENIED "\x02"

/* Denies one payload; keeps the last question. */
static struct bat_proposal asked;

static int
judge(void *context, const struct bat_proposal *proposal,
    struct bat_denial *denial, struct bat_error *error)
{
	(void)context;
	(void)error;
	asked = *proposal;
	if (!bat_bytes_equal(proposal->draft->payload, bat_bytes_text(DENIED)))
		return 0;
	ck_assert_int_eq(bat_bytes_append_text(&denial->message, "no"), 0);
	return BAT_STATE_DENIED;
}

static void
setup(void)
{
	static const struct bat_gate gate = { "g", judge, NULL };
	const struct bat_options options = { .gates = { &gate, 1 } };

	stores_golden(&dir, "quickstart");
	store = stores_open_with(&dir, &options);
}

static void
teardown(void)
{
	stores_close(store);
	temp_dir_remove(&dir);
}

#define DRAFTS 6

/* A draft of which something may be wrong. */
static struct bat_draft
random_draft(unsigned *seed)
{
	static const char *const entities[] = { "a", "b", "player:alice",
		"player:bob", "" };
	struct bat_draft draft = stores_draft(entities[rand_r(seed) % 5],
	    "scope:test", rand_r(seed) % 8 == 0 ? DENIED : "\x01");
	struct bat_head head;
	struct bat_row row;

	bat_head(store, &head);
	draft.kind = rand_r(seed) % 10 == 0 ? 0xd001 : 0xf001;
	draft.flags = rand_r(seed) % 8 == 0;
	if (rand_r(seed) % 4 == 0)
		draft.key.bytes[15] = (uint8_t)(rand_r(seed) % 20 + 1);
	draft.cause = (enum bat_cause_kind)(rand_r(seed) % 5);
	draft.cause_number = (uint64_t)rand_r(seed) % 4;
	if (draft.cause == BAT_CAUSE_SEQ)
		draft.cause_number += head.next_seq - 3;
	if (draft.cause == BAT_CAUSE_ID) {
		draft.cause_id.bytes[15] = (uint8_t)(rand_r(seed) % 20 + 1);
		if (rand_r(seed) % 2 == 0 && bat_row(store, head.last, &row))
			draft.cause_id = row.id;
	}
	if (rand_r(seed) % 2 == 0) {
		draft.expect = (enum bat_expect_kind)(rand_r(seed) % 4);
		draft.expect_clock = (uint32_t)rand_r(seed) % 4;
	}
	return draft;
}

START_TEST(a_rehearsal_says_what_the_append_says)
{
	unsigned seed = 4711, committed = 0, refused = 0;

	for (unsigned round = 0; round < 3000; round++) {
		struct bat_draft drafts[DRAFTS];
		struct bat_receipt receipts[DRAFTS], real[DRAFTS];
		size_t count = 1 + (size_t)rand_r(&seed) % DRAFTS;
		struct bat_batch batch = { .drafts = drafts,
			.count = count,
			.receipts = receipts };
		struct bat_batch done;

		for (size_t i = 0; i < count; i++)
			drafts[i] = random_draft(&seed);
		batfs_rehearse(store, &batch);
		stores_append_batch(store, drafts, count, real, &done);
		ck_assert_msg(batch.code == done.code &&
			batch.committed == done.committed,
		    "round %u: %zu and %s, not %zu and %s (%s)", round,
		    batch.committed, bat_error_name(batch.code), done.committed,
		    bat_error_name(done.code), done.error.text);
		for (size_t i = 0; i < done.committed; i++)
			ck_assert_uint_eq(receipts[i].clock, real[i].clock);
		committed += done.committed > 0;
		refused += done.code != 0;
	}
	ck_assert_uint_gt(committed, 500);
	ck_assert_uint_gt(refused, 500);
}
END_TEST

START_TEST(a_gate_is_asked_the_same)
{
	struct bat_draft drafts[2] = { stores_draft("a", "b", "\x01"),
		stores_draft("player:alice", "b", "\x01") };
	struct bat_receipt receipts[2];
	struct bat_batch batch = { .drafts = drafts,
		.count = 2,
		.about = &batch,
		.receipts = receipts };
	struct bat_proposal tried;

	drafts[1].cause = BAT_CAUSE_LAST;
	batfs_rehearse(store, &batch);
	ck_assert_uint_eq(batch.committed, 2);
	tried = asked;
	ck_assert(tried.rehearsed);
	ck_assert_int_eq(stores_append_batch(store, drafts, 2, NULL, NULL), 0);
	ck_assert(!asked.rehearsed);
	ck_assert(!bat_id_is_zero(&asked.cause));
	ck_assert(bat_id_equal(&tried.cause, &asked.cause));
	ck_assert(bat_id_equal(&tried.corr, &asked.corr));
	ck_assert_ptr_eq(tried.about, &batch);
}
END_TEST

START_TEST(nothing_is_stored)
{
	struct bat_draft draft = stores_draft("a", "b", "\x01");
	struct bat_receipt receipt;
	struct bat_batch batch = { .drafts = &draft,
		.count = 1,
		.receipts = &receipt };
	struct bat_head before, after;

	bat_head(store, &before);
	batfs_rehearse(store, &batch);
	ck_assert_uint_eq(batch.committed, 1);
	bat_head(store, &after);
	ck_assert_uint_eq(after.next_seq, before.next_seq);
	ck_assert_uint_eq(after.ordinals, before.ordinals);
}
END_TEST

START_TEST(what_was_rehearsed_may_be_a_cause_later)
{
	struct bat_draft draft = stores_draft("a", "b", "\x01");
	struct bat_receipt receipt;
	struct bat_batch batch = { .drafts = &draft,
		.count = 1,
		.receipts = &receipt };

	batfs_rehearse(store, &batch);
	draft.cause = BAT_CAUSE_ID;
	draft.cause_id = receipt.id;
	batfs_rehearse(store, &batch);
	ck_assert_int_eq(batch.code, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rehearse");
	TCase *tests = tcase_create("rehearse");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_rehearsal_says_what_the_append_says);
	tcase_add_test(tests, a_gate_is_asked_the_same);
	tcase_add_test(tests, nothing_is_stored);
	tcase_add_test(tests, what_was_rehearsed_may_be_a_cause_later);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
