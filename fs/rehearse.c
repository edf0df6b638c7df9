#include "rehearse.h"

/* No id of an event: batpak's ids have a version and a variant, and a key of
 * all ones would be taken for one of ours. */
static const struct bat_id made_up = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

/* One batch. The maps lead to drafts by their place. */
struct rehearsal {
	struct bat_store *store;
	struct bat_batch *batch;
	uint64_t next_seq;
	size_t staged;		  /* items that would be events */
	struct bat_map by_entity; /* the newest of each entity */
	struct bat_map by_key;
};

/* An entity's newest event, or what would be. */
struct head {
	bool exists;
	uint32_t clock;
	struct bat_id id;
};

static struct bat_slice
key_of_id(const struct bat_id *id)
{
	return bat_bytes_slice(id->bytes, sizeof(id->bytes));
}

static bool
entity_same(const void *context, uint32_t place, struct bat_slice key)
{
	const struct bat_draft *drafts = context;

	return bat_bytes_equal(drafts[place].entity, key);
}

static uint64_t
entity_hash(const void *context, uint32_t place)
{
	const struct bat_draft *drafts = context;

	return bat_map_hash(drafts[place].entity);
}

static bool
key_same(const void *context, uint32_t place, struct bat_slice key)
{
	const struct bat_draft *drafts = context;

	return bat_bytes_equal(key_of_id(&drafts[place].key), key);
}

static uint64_t
key_hash(const void *context, uint32_t place)
{
	const struct bat_draft *drafts = context;

	return bat_map_hash(key_of_id(&drafts[place].key));
}

/* ---- one draft ------------------------------------------------------------ */

static void
find_head(const struct rehearsal *rehearsal, struct bat_slice entity,
    struct head *out)
{
	const struct bat_batch *batch = rehearsal->batch;
	uint32_t place = bat_map_find(&rehearsal->by_entity, entity);
	struct bat_list list = { .kind = BAT_LIST_ENTITY };
	struct bat_list_stat stat;
	struct bat_row row;

	*out = (struct head){ .exists = false };
	if (place != BAT_MAP_NONE) {
		*out = (struct head){ true, batch->receipts[place].clock,
			batch->receipts[place].id };
		return;
	}
	list.entity = bat_find_entity(rehearsal->store, entity);
	if (list.entity != BAT_MAP_NONE &&
	    bat_list_stat(rehearsal->store, &list, &stat) &&
	    bat_row(rehearsal->store, stat.last, &row))
		*out = (struct head){ true, row.clock, row.id };
}

static int
check_expectation(const struct bat_draft *draft, const struct head *head,
    struct bat_error *error)
{
	bool met = true;

	switch (draft->expect) {
	case BAT_EXPECT_ANY:
		break;
	case BAT_EXPECT_CLOCK:
		met = head->exists && head->clock == draft->expect_clock;
		break;
	case BAT_EXPECT_NONE:
		met = !head->exists;
		break;
	case BAT_EXPECT_SOME:
		met = head->exists;
		break;
	}
	if (met)
		return BAT_OK;
	if (!head->exists)
		return bat_error_set(error, BAT_STATE_STALE,
		    "the entity has no event yet");
	return bat_error_set(error, BAT_STATE_STALE, "the entity's clock is %u",
	    (unsigned)head->clock);
}

static bool
has_id(const struct rehearsal *rehearsal, const struct bat_id *id)
{
	return bat_id_equal(id, &made_up) ||
	    bat_map_find(&rehearsal->by_key, key_of_id(id)) != BAT_MAP_NONE ||
	    bat_find_id(rehearsal->store, id) != BAT_MAP_NONE;
}

/* Of an event by its sequence, stored or in front of it in the batch. */
static bool
has_seq(const struct rehearsal *rehearsal, uint64_t seq, struct bat_id *out)
{
	const struct bat_batch *batch = rehearsal->batch;
	uint32_t ordinal;
	struct bat_row row;

	if (seq >= rehearsal->next_seq) {
		for (size_t i = 0; i < batch->committed; i++)
			if (!batch->receipts[i].replayed &&
			    batch->receipts[i].seq == seq)
				*out = batch->receipts[i].id;
		return seq - rehearsal->next_seq < rehearsal->staged;
	}
	ordinal = bat_find_seq(rehearsal->store, seq);
	if (ordinal == BAT_MAP_NONE ||
	    !bat_row(rehearsal->store, ordinal, &row))
		return false;
	*out = row.id;
	return true;
}

/* *out: zero where there is none. */
static bool
find_cause(const struct rehearsal *rehearsal, const struct bat_draft *draft,
    const struct head *head, struct bat_id *out)
{
	*out = BAT_ID_ZERO;
	switch (draft->cause) {
	case BAT_CAUSE_NONE:
		return true;
	case BAT_CAUSE_ID:
		*out = draft->cause_id;
		return has_id(rehearsal, &draft->cause_id);
	case BAT_CAUSE_SEQ:
		return has_seq(rehearsal, draft->cause_number, out);
	case BAT_CAUSE_LAST:
		*out = head->id;
		return head->exists;
	case BAT_CAUSE_ITEM:
		if (draft->cause_number >= rehearsal->batch->committed)
			return false;
		*out = rehearsal->batch->receipts[draft->cause_number].id;
		return true;
	}
	return false;
}

/* Handed down from the cause; zero where that is not stored or not readable. */
static struct bat_id
corr_of(const struct rehearsal *rehearsal, const struct bat_draft *draft,
    const struct bat_id *cause)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_id corr = draft->corr;
	uint32_t ordinal = BAT_MAP_NONE;

	if (bat_id_is_zero(&corr) && !bat_id_is_zero(cause))
		ordinal = bat_find_id(rehearsal->store, cause);
	if (ordinal != BAT_MAP_NONE &&
	    bat_read(rehearsal->store, ordinal, &reading, NULL) == BAT_OK)
		corr = reading.fields.corr;
	bat_reading_free(&reading);
	return corr;
}

static int
ask_gates(const struct rehearsal *rehearsal, const struct bat_draft *draft,
    const struct bat_id *cause, struct bat_error *error)
{
	const struct bat_proposal proposal = {
		.draft = draft,
		.cause = *cause,
		.corr = corr_of(rehearsal, draft, cause),
		.about = rehearsal->batch->about,
		.rehearsed = true,
	};

	return bat_gates_ask(rehearsal->store, &proposal, error);
}

/* The event that has this key already, here or in front of it in the batch. */
static bool
is_replayed(const struct rehearsal *rehearsal, const struct bat_id *key,
    struct bat_receipt *out)
{
	uint32_t found = bat_find_id(rehearsal->store, key);
	struct bat_row row;

	if (found != BAT_MAP_NONE && bat_row(rehearsal->store, found, &row)) {
		*out = (struct bat_receipt){
			.seq = row.seq,
			.id = row.id,
			.clock = row.clock,
			.wall_ms = row.wall_ms,
			.replayed = true,
		};
		return true;
	}
	found = bat_map_find(&rehearsal->by_key, key_of_id(key));
	if (found == BAT_MAP_NONE)
		return false;
	*out = rehearsal->batch->receipts[found];
	out->replayed = true;
	return true;
}

static int
stage(struct rehearsal *rehearsal, const struct bat_draft *draft,
    const struct head *head, struct bat_receipt *receipt)
{
	uint32_t place = (uint32_t)rehearsal->batch->committed;
	bool keyed = !bat_id_is_zero(&draft->key);
	int code = bat_map_put(&rehearsal->by_entity, draft->entity, place);

	if (code == BAT_OK && keyed)
		code = bat_map_put(&rehearsal->by_key, key_of_id(&draft->key),
		    place);
	*receipt = (struct bat_receipt){
		.seq = rehearsal->next_seq + rehearsal->staged,
		.id = keyed ? draft->key : made_up,
		.clock = head->exists ? head->clock + 1 : 0,
	};
	rehearsal->staged += code == BAT_OK;
	return code;
}

static int
rehearse_draft(struct rehearsal *rehearsal, const struct bat_draft *draft)
{
	struct bat_batch *batch = rehearsal->batch;
	struct bat_receipt *receipt = &batch->receipts[batch->committed];
	struct bat_error *error = &batch->error;
	struct bat_id cause;
	struct head head;
	int code = bat_event_check_draft(draft, batch->count == 1, error);

	if (code != BAT_OK)
		return code;
	if (!bat_id_is_zero(&draft->key) &&
	    is_replayed(rehearsal, &draft->key, receipt))
		return BAT_OK;
	find_head(rehearsal, draft->entity, &head);
	code = check_expectation(draft, &head, error);
	if (code != BAT_OK)
		return code;
	if (!find_cause(rehearsal, draft, &head, &cause))
		return bat_error_set(error, BAT_STATE_NOT_FOUND,
		    "the cause is no event of this store; name one that "
		    "exists, or use @cause=-");
	code = BAT_PLANT(237) ? BAT_OK :
				ask_gates(rehearsal, draft, &cause, error);
	if (code != BAT_OK)
		return code;
	if (head.exists && head.clock == UINT32_MAX)
		return bat_error_set(error, BAT_USE_INVALID,
		    "the entity's clock is at its end");
	code = stage(rehearsal, draft, &head, receipt);
	if (code != BAT_OK)
		bat_error_set(error, code, "no memory for a batch");
	return code;
}

void
batfs_rehearse(struct bat_store *store, struct bat_batch *batch)
{
	struct rehearsal rehearsal = { .store = store, .batch = batch };
	struct bat_status status;
	struct bat_head head;

	batch->committed = 0;
	batch->code = BAT_OK;
	bat_status(store, &status);
	if (status.stopped) {
		batch->code = bat_error_set(&batch->error, BAT_STATE_STOPPED,
		    "%s", status.writer_text);
		return;
	}
	bat_head(store, &head);
	rehearsal.next_seq = head.next_seq;
	bat_map_init(&rehearsal.by_entity, batch->drafts, entity_same,
	    entity_hash);
	bat_map_init(&rehearsal.by_key, batch->drafts, key_same, key_hash);
	while (batch->committed < batch->count && batch->code == BAT_OK) {
		batch->code = rehearse_draft(&rehearsal,
		    &batch->drafts[batch->committed]);
		batch->committed += batch->code == BAT_OK;
	}
	bat_map_free(&rehearsal.by_entity);
	bat_map_free(&rehearsal.by_key);
}
