/*
 * Batches of many drafts: what is worked out for several at once (hashes,
 * names, heads) is each draft's own all the same.
 */
#include <check.h>
#include <stdlib.h>

#include "stores.h"
#include "suite.h"

#define PAYLOAD_MAX 2500

/* Repeatable random numbers (xorshift). */
static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t
next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* What an entity's next event has to link to. */
struct model {
	bool exists;
	uint32_t clock;
	struct bat_hash hash;
};

struct batch {
	struct bat_draft drafts[STORES_BATCH_MAX];
	struct bat_receipt receipts[STORES_BATCH_MAX];
	uint8_t payloads[STORES_BATCH_MAX][PAYLOAD_MAX];
};

/* Most payloads fit into a lane of the hash, some end on its edge, some are
 * above. */
static size_t
some_length(void)
{
	static const size_t edges[] = { 1, 63, 64, 65, 1023, 1024, 1025 };

	switch (next_random() % 4) {
	case 0:
		return edges[next_random() % 7];
	case 1:
		return 1 + next_random() % PAYLOAD_MAX;
	default:
		return 1 + next_random() % 150;
	}
}

/* One string each, for entities that stay or change from draft to draft. */
static void
make_batch(struct batch *batch, size_t count, bool one_entity)
{
	static const char *const entities[] = { "player:a", "player:b", "c" };
	static const char *const scopes[] = { "room:1", "room:2" };
	size_t entity = 0, scope = 0;

	for (size_t i = 0; i < count; i++) {
		size_t length = some_length();

		if (!one_entity && next_random() % 2 == 0) {
			entity = next_random() % 3;
			scope = next_random() % 2;
		}
		for (size_t at = 0; at < length; at++)
			batch->payloads[i][at] = (uint8_t)next_random();
		batch->drafts[i] = stores_draft(entities[entity], scopes[scope],
		    "");
		batch->drafts[i].payload = bat_bytes_slice(batch->payloads[i],
		    length);
	}
}

static struct model *
model_of(struct model models[3], const struct bat_draft *draft)
{
	size_t last = draft->entity.length - 1;

	return &models[draft->entity.data[last] - 'a'];
}

static void
check_stored(struct bat_store *store, const struct bat_draft *draft,
    const struct bat_receipt *receipt, struct model *model)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	uint32_t ordinal = bat_find_seq(store, receipt->seq);
	struct bat_hash hash = bat_hash_of(draft->payload);
	const struct bat_row *row = &reading.row;

	ck_assert(bat_hash_equal(&receipt->hash, &hash));
	ck_assert_int_eq(bat_read(store, ordinal, &reading, NULL), 0);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&reading.payload),
	    draft->payload));
	ck_assert(bat_bytes_equal(reading.entity, draft->entity));
	ck_assert(bat_bytes_equal(reading.scope, draft->scope));
	ck_assert(bat_hash_equal(&row->hash, &hash));
	ck_assert(bat_id_equal(&row->id, &receipt->id));
	ck_assert_uint_eq(row->clock, model->exists ? model->clock + 1 : 0);
	ck_assert_uint_eq(receipt->clock, row->clock);
	ck_assert(model->exists ? bat_hash_equal(&row->prev, &model->hash) :
				  bat_hash_is_zero(&row->prev));
	*model = (struct model){ true, row->clock, hash };
	bat_reading_free(&reading);
}

/* A batch after the other; then all of them once more, from the frames. */
static void
check_batches(bool one_entity)
{
	enum { BATCHES = 12 };
	static struct batch batches[BATCHES];
	struct model now[3] = { { false } }, later[3] = { { false } };
	size_t counts[BATCHES];
	struct temp_dir dir;
	struct bat_store *store;

	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	for (size_t i = 0; i < BATCHES; i++) {
		struct batch *batch = &batches[i];

		counts[i] = i < 4 ? i + 1 :
				    1 + next_random() % STORES_BATCH_MAX;
		make_batch(batch, counts[i], one_entity);
		ck_assert_int_eq(stores_append_batch(store, batch->drafts,
				     counts[i], batch->receipts, NULL),
		    0);
		for (size_t j = 0; j < counts[i]; j++)
			check_stored(store, &batch->drafts[j],
			    &batch->receipts[j],
			    model_of(now, &batch->drafts[j]));
	}
	stores_close(store);
	stores_without_index(&dir);
	store = stores_open(&dir, true);
	for (size_t i = 0; i < BATCHES; i++)
		for (size_t j = 0; j < counts[i]; j++)
			check_stored(store, &batches[i].drafts[j],
			    &batches[i].receipts[j],
			    model_of(later, &batches[i].drafts[j]));
	stores_close(store);
	temp_dir_remove(&dir);
}

START_TEST(each_event_of_a_batch_has_its_own_hash_and_links)
{
	check_batches(true);
}
END_TEST

START_TEST(entities_that_take_turns_in_a_batch_link_each_to_its_own)
{
	check_batches(false);
}
END_TEST

START_TEST(a_name_that_cannot_be_is_refused_wherever_it_stands)
{
	struct bat_draft drafts[4];
	struct bat_batch batch;
	struct temp_dir dir;
	struct bat_store *store;

	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	for (size_t bad = 0; bad < 4; bad++) {
		for (size_t i = 0; i < 4; i++)
			drafts[i] = stores_draft("player:a", "s", "\xa1x");
		drafts[bad].entity = bat_bytes_text("a/b");
		ck_assert_int_eq(stores_append_batch(store, drafts, 4, NULL,
				     &batch),
		    BAT_USE_INVALID);
		ck_assert_uint_eq(batch.committed, bad);
		/* Nor does it pass when it comes again, first this time. */
		ck_assert_int_eq(stores_append_batch(store, drafts + bad, 1,
				     NULL, &batch),
		    BAT_USE_INVALID);
		drafts[bad].entity = bat_bytes_text("player:a");
		drafts[bad].scope = bat_bytes_text("s|");
		ck_assert_int_eq(stores_append_batch(store, drafts, 4, NULL,
				     &batch),
		    BAT_USE_INVALID);
		ck_assert_uint_eq(batch.committed, bad);
	}
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(keys_that_are_new_are_taken_behind_a_draft_of_the_same_names)
{
	struct bat_draft drafts[4];
	struct bat_receipt receipts[4];
	struct bat_batch batch;
	struct temp_dir dir;
	struct bat_store *store;

	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	for (size_t i = 0; i < 4; i++) {
		drafts[i] = stores_draft("player:a", "s", "\xa1x");
		drafts[i].key.bytes[15] = (uint8_t)(i == 3 ? 1 : i);
	}
	ck_assert_int_eq(
	    stores_append_batch(store, drafts, 4, receipts, &batch), 0);
	ck_assert_uint_eq(batch.committed, 4);
	ck_assert_uint_eq(receipts[2].clock, 2);
	ck_assert_uint_eq(receipts[3].seq, receipts[1].seq);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("writer_batch");
	TCase *promises = tcase_create("promises");

	suite_add_tcase(suite, promises);
	tcase_add_test(promises,
	    each_event_of_a_batch_has_its_own_hash_and_links);
	tcase_add_test(promises,
	    entities_that_take_turns_in_a_batch_link_each_to_its_own);
	tcase_add_test(promises,
	    a_name_that_cannot_be_is_refused_wherever_it_stands);
	tcase_add_test(promises,
	    keys_that_are_new_are_taken_behind_a_draft_of_the_same_names);
	return suite_run(suite);
}
