/*
 * Gates of a store: who is asked, in what order and about what; what a no does
 * to its batch, and what is recorded of it.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "faulty_disk.h"
#include "kind.h"
#include "sample.h"
#include "stores.h"
#include "suite.h"

#define PAYLOAD                                                                \
	"\xa1"                                                                 \
	"x"
#define DENIED                                                                 \
	"\xa2"                                                                 \
	"no" /* what the gate `strict` denies */

/* ---- the gates ----------------------------------------------------------- */

struct asked {
	unsigned count;
	struct bat_id cause, corr;
	bool rehearsed;
	const void *about;
	int code; /* what a gate that is not strict answers */
};

static struct asked asked[3];

static int
answer(void *context, const struct bat_proposal *proposal,
    struct bat_denial *denial, struct bat_error *error)
{
	struct asked *mine = context;

	mine->count++;
	mine->cause = proposal->cause;
	mine->corr = proposal->corr;
	mine->rehearsed = proposal->rehearsed;
	mine->about = proposal->about;
	if (mine->code != BAT_OK && mine->code != BAT_STATE_DENIED)
		return bat_error_set(error, mine->code, "it broke");
	if (mine->code == BAT_OK)
		return BAT_OK;
	ck_assert_int_eq(bat_bytes_append_text(&denial->message, "\xff"), 0);
	return BAT_STATE_DENIED;
}

static int
deny_some(void *context, const struct bat_proposal *proposal,
    struct bat_denial *denial, struct bat_error *error)
{
	if (!bat_bytes_equal(proposal->draft->payload, bat_bytes_text(DENIED)))
		return answer(context, proposal, denial, error);
	asked[1].count++;
	ck_assert_int_eq(bat_bytes_append_text(&denial->code, "TOO_MUCH"), 0);
	ck_assert_int_eq(
	    bat_bytes_append_text(&denial->message, "2000 is above 1000"), 0);
	ck_assert_int_eq(bat_gate_add_context(denial, bat_bytes_text("limit"),
			     bat_bytes_text("1000")),
	    0);
	ck_assert_int_eq(bat_gate_add_context(denial, bat_bytes_text("amount"),
			     bat_bytes_text("2000")),
	    0);
	return BAT_STATE_DENIED;
}

static const struct bat_gate gates[3] = {
	{ "easy", answer, &asked[0] },
	{ "strict", deny_some, &asked[1] },
	{ "last", answer, &asked[2] },
};

/* ---- the store ----------------------------------------------------------- */

static struct temp_dir dir;
static struct faulty_disk disk;
static struct bat_store *store;

static void
open_store(void)
{
	const struct bat_options options = { .gates = { gates, 3 },
		.disk = &disk.disk };

	store = stores_open_with(&dir, &options);
}

static void
setup(void)
{
	temp_dir_make(&dir);
	faulty_disk_init(&disk, bat_file_posix());
	memset(asked, 0, sizeof(asked));
	open_store();
}

static void
teardown(void)
{
	stores_close(store);
	temp_dir_remove(&dir);
}

static void
assert_asked(unsigned first, unsigned second, unsigned third)
{
	ck_assert_uint_eq(asked[0].count, first);
	ck_assert_uint_eq(asked[1].count, second);
	ck_assert_uint_eq(asked[2].count, third);
}

static struct bat_draft
draft_of(const char *payload)
{
	return stores_draft("player:a", "room:b", payload);
}

static int
append(const struct bat_draft *drafts, size_t count, struct bat_batch *out)
{
	return stores_append_batch(store, drafts, count, NULL, out);
}

/* The kinds of all events, in order. */
static void
assert_kinds(const char *wanted)
{
	char got[512] = "", kind[6];
	struct bat_head head;
	struct bat_row row;

	bat_head(store, &head);
	for (uint32_t i = 0; i < head.ordinals; i++) {
		ck_assert(bat_row(store, i, &row));
		bat_kind_to_text(row.kind, kind);
		strcat(strcat(got, got[0] == '\0' ? "" : " "), kind);
	}
	ck_assert_str_eq(got, wanted);
}

/* ---- what is recorded ------------------------------------------------------ */

/* Of golden/denials: monster:troll, denied by the first of three. */
START_TEST(a_denial_is_recorded_as_batpak_records_it)
{
	static const struct bat_gate names[3] = { { .id = "outer_limit" },
		{ .id = "daily_limit" }, { .id = "never_reached" } };
	const struct bat_gates three = { names, 3 };
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_denial denial = BAT_DENIAL_EMPTY;
	struct bat_buf payload = BAT_BUF_EMPTY;
	/* Its proposal was a number, and the hash is that of its bytes. */
	static const uint8_t amount[8] = { [6] = 0x07, [7] = 0xd0 };
	struct bat_draft draft = { .payload = { amount, sizeof(amount) },
		.kind = 0xf002 };
	struct bat_store *golden;
	struct temp_dir copy;

	stores_golden(&copy, "denials");
	golden = stores_open(&copy, true);
	ck_assert_int_eq(bat_read(golden, 3, &reading, NULL), 0);
	ck_assert_uint_eq(reading.row.kind, BAT_KIND_DENIAL);
	asked[1].count = 0;
	(void)deny_some(NULL,
	    &(struct bat_proposal){
		.draft = &(
		    struct bat_draft){ .payload = bat_bytes_text(DENIED) } },
	    &denial, NULL);
	ck_assert_int_eq(bat_gate_payload(&three, 0, &denial, &draft, &payload),
	    0);
	sample_assert_same(bat_bytes_of_buf(&payload),
	    bat_bytes_of_buf(&reading.payload), "the payload");
	bat_gate_denial_free(&denial);
	bat_bytes_free(&payload);
	bat_reading_free(&reading);
	stores_close(golden);
	temp_dir_remove(&copy);
}
END_TEST

START_TEST(the_first_denial_wins_and_the_rest_is_not_asked)
{
	static const char recorded[] = "\x84\xab"
				       "evaluations\x93\x83\xa7"
				       "gate_id\xa4"
				       "easy\xa7"
				       "verdict\xa6"
				       "Permit\xad"
				       "evidence_hash\xc0\x83\xa7"
				       "gate_id\xa6"
				       "strict\xa7"
				       "verdict\x81\xa4"
				       "Deny\x83";
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_draft draft = draft_of(DENIED);
	struct bat_batch batch;

	ck_assert_int_eq(append(&draft, 1, &batch), BAT_STATE_DENIED);
	ck_assert_uint_eq(batch.committed, 0);
	ck_assert_str_eq(batch.error.text,
	    "gate strict: TOO_MUCH: 2000 is above 1000");
	assert_asked(1, 1, 0);
	assert_kinds("0.008 0.00f");
	ck_assert_int_eq(bat_read(store, 1, &reading, NULL), 0);
	ck_assert(bat_bytes_equal(reading.entity, draft.entity));
	ck_assert(bat_bytes_equal(reading.scope, draft.scope));
	ck_assert(bat_id_equal(&reading.fields.corr, &reading.fields.id));
	ck_assert_uint_gt(reading.payload.length, sizeof(recorded));
	ck_assert_int_eq(
	    memcmp(reading.payload.data, recorded, sizeof(recorded) - 1), 0);
	bat_reading_free(&reading);
}
END_TEST

START_TEST(who_is_permitted_by_all_is_stored)
{
	struct bat_draft draft = draft_of(PAYLOAD);
	struct bat_batch batch;

	ck_assert_int_eq(append(&draft, 1, &batch), 0);
	assert_asked(1, 1, 1);
	assert_kinds("0.008 f.001");
}
END_TEST

START_TEST(a_gate_that_cannot_answer_denies)
{
	static const int codes[] = { BAT_WORLD_IO, BAT_USE_INVALID,
		BAT_STATE_DENIED /* with a text that is none */ };
	struct bat_draft draft = draft_of(PAYLOAD);
	struct bat_batch batch;

	asked[0].code = codes[_i];
	ck_assert_int_eq(append(&draft, 1, &batch), BAT_STATE_DENIED);
	ck_assert_str_eq(batch.error.text,
	    _i < 2 ? "gate easy: GATE_DEFECT: it broke" :
		     "gate easy: GATE_DEFECT: what it says is not UTF-8");
	assert_asked(1, 0, 0);
	assert_kinds("0.008 0.00f");
}
END_TEST

/* ---- batches --------------------------------------------------------------- */

START_TEST(what_stands_before_a_denied_draft_is_stored_and_nothing_behind_it)
{
	struct bat_draft drafts[4] = { draft_of(PAYLOAD), draft_of(PAYLOAD),
		draft_of(DENIED), draft_of(PAYLOAD) };
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_receipt receipts[4];
	struct bat_batch batch;

	drafts[2].cause = BAT_CAUSE_ITEM;
	drafts[2].cause_number = 1;
	ck_assert_int_eq(stores_append_batch(store, drafts, 4, receipts,
			     &batch),
	    BAT_STATE_DENIED);
	ck_assert_uint_eq(batch.committed, 2);
	assert_asked(3, 3, 2);
	assert_kinds("0.008 f.001 f.001 0.00f");
	/* The denial is behind the batch, and in the chain of its cause. */
	ck_assert_int_eq(bat_read(store, 3, &reading, NULL), 0);
	ck_assert(bat_id_equal(&reading.fields.cause, &receipts[1].id));
	ck_assert(bat_id_equal(&reading.fields.corr, &receipts[1].id));
	ck_assert_uint_eq(reading.fields.clock, 2);
	ck_assert(bat_hash_equal(&reading.fields.prev, &receipts[1].hash));
	bat_reading_free(&reading);
	stores_close(store);
	open_store();
	assert_kinds("0.008 f.001 f.001 0.00f 0.009");
}
END_TEST

static void
ignore(void *context, struct bat_batch *batch)
{
	(void)context;
	(void)batch;
}

START_TEST(other_batches_of_the_group_are_not_touched)
{
	struct bat_draft drafts[2] = { draft_of(DENIED), draft_of(PAYLOAD) };
	struct bat_batch batches[2] = { { .count = 0 } };
	struct bat_receipt receipts[2];
	unsigned syncs;

	ck_assert_int_eq(append(&drafts[1], 1, &batches[0]), 0);
	syncs = faulty_disk_calls(&disk, FAULTY_SYNC_DATA);
	for (unsigned i = 0; i < 2; i++) {
		batches[i] = (struct bat_batch){ .drafts = &drafts[i],
			.count = 1,
			.receipts = &receipts[i],
			.done = ignore };
		bat_submit(store, &batches[i]);
	}
	ck_assert_uint_eq(bat_commit_run(store, false), 2);
	ck_assert_int_eq(batches[0].code, BAT_STATE_DENIED);
	ck_assert_int_eq(batches[1].code, 0);
	ck_assert_uint_eq(receipts[1].seq, 3);
	assert_kinds("0.008 f.001 0.00f f.001");
	/* It is on disk when its writer is told. */
	ck_assert_uint_eq(faulty_disk_calls(&disk, FAULTY_SYNC_DATA),
	    syncs + 1);
}
END_TEST

START_TEST(a_denial_that_cannot_be_recorded_is_no_permit)
{
	struct bat_draft draft = draft_of(PAYLOAD);
	struct bat_batch batch;

	ck_assert_int_eq(append(&draft, 1, &batch), 0);
	draft = draft_of(DENIED);
	faulty_disk_fail(&disk, FAULTY_WRITE, 1, ENOSPC, false);
	ck_assert_int_eq(append(&draft, 1, &batch), BAT_WORLD_NO_SPACE);
	ck_assert_uint_eq(batch.committed, 0);
	assert_kinds("0.008 f.001");
}
END_TEST

/* ---- who is asked -------------------------------------------------------- */

START_TEST(a_gate_learns_what_the_cause_means_and_who_asks)
{
	struct bat_draft drafts[2] = { draft_of(PAYLOAD), draft_of(PAYLOAD) };
	struct bat_receipt receipts[2];
	struct bat_batch batch = { .drafts = drafts,
		.count = 2,
		.receipts = receipts,
		.about = &batch };

	drafts[1].cause = BAT_CAUSE_LAST;
	ck_assert_int_eq(bat_append(store, &batch), 0);
	ck_assert(bat_id_equal(&asked[2].cause, &receipts[0].id));
	ck_assert(bat_id_equal(&asked[2].corr, &receipts[0].id));
	ck_assert_ptr_eq(asked[2].about, &batch);
	ck_assert(!asked[2].rehearsed);
}
END_TEST

START_TEST(nobody_is_asked_about_what_cannot_be_stored_or_is)
{
	struct bat_draft reserved = draft_of(PAYLOAD), stale = reserved;
	struct bat_draft lost = reserved, keyed = reserved;
	struct bat_batch batch;

	reserved.kind = BAT_KIND_DENIAL;
	stale.expect = BAT_EXPECT_SOME;
	lost.cause = BAT_CAUSE_LAST;
	keyed.key.bytes[15] = 7;
	ck_assert_int_eq(append(&reserved, 1, &batch), BAT_USE_RESERVED);
	ck_assert_int_eq(append(&stale, 1, &batch), BAT_STATE_STALE);
	ck_assert_int_eq(append(&lost, 1, &batch), BAT_STATE_NOT_FOUND);
	assert_asked(0, 0, 0);
	ck_assert_int_eq(append(&keyed, 1, &batch), 0);
	assert_asked(1, 1, 1);
	/* What is stored stays stored, whatever the gates say by now. */
	asked[0].code = BAT_WORLD_IO;
	ck_assert_int_eq(append(&keyed, 1, &batch), 0);
	assert_asked(1, 1, 1);
	assert_kinds("0.008 f.001");
}
END_TEST

START_TEST(what_is_only_asked_is_not_recorded)
{
	struct bat_draft draft = draft_of(DENIED);
	struct bat_proposal proposal = { .draft = &draft, .rehearsed = true };
	struct bat_error error;

	ck_assert_int_eq(bat_gates_ask(store, &proposal, &error),
	    BAT_STATE_DENIED);
	ck_assert_str_eq(error.text,
	    "gate strict: TOO_MUCH: 2000 is above 1000");
	ck_assert(asked[0].rehearsed);
	assert_kinds("");
	draft = draft_of(PAYLOAD);
	ck_assert_int_eq(bat_gates_ask(store, &proposal, &error), 0);
	ck_assert(!temp_dir_has(&dir, "000001.fbat"));
}
END_TEST

START_TEST(a_gate_needs_a_name)
{
	static const char *const names[] = { NULL, "", "\xff" };
	const struct bat_gate nameless = { names[_i], answer, &asked[0] };
	const struct bat_options options = { .gates = { &nameless, 1 } };
	struct bat_store *other;
	struct bat_error error;

	ck_assert_int_eq(bat_open(dir.path, &options, &other, &error),
	    BAT_USE_INVALID);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("gate");
	TCase *tcase = tcase_create("gate");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_denial_is_recorded_as_batpak_records_it);
	tcase_add_test(tcase, the_first_denial_wins_and_the_rest_is_not_asked);
	tcase_add_test(tcase, who_is_permitted_by_all_is_stored);
	tcase_add_loop_test(tcase, a_gate_that_cannot_answer_denies, 0, 3);
	tcase_add_test(tcase,
	    what_stands_before_a_denied_draft_is_stored_and_nothing_behind_it);
	tcase_add_test(tcase, other_batches_of_the_group_are_not_touched);
	tcase_add_test(tcase, a_denial_that_cannot_be_recorded_is_no_permit);
	tcase_add_test(tcase, a_gate_learns_what_the_cause_means_and_who_asks);
	tcase_add_test(tcase,
	    nobody_is_asked_about_what_cannot_be_stored_or_is);
	tcase_add_test(tcase, what_is_only_asked_is_not_recorded);
	tcase_add_loop_test(tcase, a_gate_needs_a_name, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
