/* Steps that append, and what the oracle is told of the answers. */
#include "workload_internal.h"

#include <stdlib.h>

#include "kind.h"

struct offer {
	struct bat_draft drafts[4];
	struct bat_batch batch;
	size_t first; /* event of the oracle */
	size_t count; /* of events that are offered in earnest */
};

static void
answer(struct story_run *run, const struct offer *offer)
{
	const struct bat_batch *batch = &offer->batch;
	bool later = run->workload->durability == BAT_DURABLE_FSYNC;
	enum story_state failed = batch->code == BAT_STATE_STOPPED ?
	    STORY_UNSURE :
	    STORY_REFUSED;

	if (run->poisoned && batch->committed > 0)
		story_run_fail(run, "acknowledged after a failed sync");
	for (size_t i = 0; i < offer->count; i++) {
		struct story_event *event =
		    &run->oracle.events[offer->first + i];

		if (i >= batch->committed) {
			/* What stands before it is whole without it. */
			event->state = failed;
			event->batch = run->oracle.next_batch++;
			continue;
		}
		event->state = later ? STORY_VISIBLE : STORY_ACKED;
		event->told = true;
		event->receipt = batch->receipts[i];
	}
	/* An index file lied, and was dropped: it wants to be asked again. */
	if (batch->code == BAT_DATA_DISAGREES && batch->committed == 0)
		run->again = true;
	else if (batch->committed < offer->count)
		story_note_error(run, &batch->error);
}

/* Make a batch of `count` events of this size; scratch and receipts from
 * `at` on are its own. */
static void
make_offer(struct story_run *run, struct offer *offer, size_t at, size_t count,
    uint32_t size)
{
	uint32_t number = run->oracle.next_batch++;

	*offer = (struct offer){ .first = run->oracle.count, .count = count };
	for (size_t i = 0; i < count; i++)
		story_oracle_draft(story_oracle_offer(&run->oracle, number,
				       size),
		    &run->scratch[at + i], &offer->drafts[i]);
	offer->batch.drafts = offer->drafts;
	offer->batch.count = count;
	offer->batch.receipts = &run->receipts[at];
}

void
story_offer_alone(struct story_run *run, size_t count, uint32_t size)
{
	struct offer offer;

	make_offer(run, &offer, 0, count, size);
	(void)bat_append(run->store, &offer.batch);
	answer(run, &offer);
}

void
story_offer_special(struct story_run *run, bool keyed)
{
	struct offer offer;
	struct story_event *event;

	make_offer(run, &offer, 0, 1, 60);
	event = &run->oracle.events[offer.first];
	event->keyed = keyed;
	event->extended = !keyed;
	story_oracle_draft(event, &run->scratch[0], &offer.drafts[0]);
	(void)bat_append(run->store, &offer.batch);
	answer(run, &offer);
}

static void
group_done(void *context, struct bat_batch *batch)
{
	unsigned *done = context;

	(void)batch;
	(*done)++;
}

/* Batches of these many events each, in one write. */
void
story_offer_group(struct story_run *run, const size_t counts[], size_t batches,
    uint32_t size)
{
	struct offer offers[4];
	unsigned done = 0;
	size_t at = 0;

	for (size_t i = 0; i < batches; i++) {
		make_offer(run, &offers[i], at, counts[i], size);
		offers[i].batch.done = group_done;
		offers[i].batch.context = &done;
		at += counts[i];
	}
	for (size_t i = 0; i < batches; i++)
		bat_submit(run->store, &offers[i].batch);
	(void)bat_commit_run(run->store, false);
	if (done != batches)
		story_run_fail(run, "%u of %zu batches were answered", done,
		    batches);
	for (size_t i = 0; i < batches; i++)
		answer(run, &offers[i]);
}

/* A large batch of small events. */
void
story_offer_many(struct story_run *run, size_t count)
{
	struct story_draft *scratch = memory_disk_realloc(NULL,
	    count * sizeof(*scratch));
	struct bat_draft *drafts = memory_disk_realloc(NULL,
	    count * sizeof(*drafts));
	struct bat_receipt *receipts = memory_disk_realloc(NULL,
	    count * sizeof(*receipts));
	uint32_t number = run->oracle.next_batch++;
	struct offer offer = { .first = run->oracle.count, .count = count };

	if (scratch == NULL || drafts == NULL || receipts == NULL)
		abort();
	for (size_t i = 0; i < count; i++) {
		scratch[i].payload = BAT_BUF_EMPTY;
		story_oracle_draft(story_oracle_offer(&run->oracle, number, 9),
		    &scratch[i], &drafts[i]);
	}
	offer.batch.drafts = drafts;
	offer.batch.count = count;
	offer.batch.receipts = receipts;
	/* Each of its allocations would be more of the same. */
	story_paused++;
	(void)bat_append(run->store, &offer.batch);
	story_paused--;
	answer(run, &offer);
	for (size_t i = 0; i < count; i++)
		bat_bytes_free(&scratch[i].payload);
	free(scratch);
	free(drafts);
	free(receipts);
}

/* The last key again: it is answered with the event that has it. */
void
story_offer_again(struct story_run *run)
{
	size_t i = run->oracle.count;
	struct bat_receipt receipt;
	struct bat_draft draft;
	struct bat_batch batch = { .drafts = &draft,
		.count = 1,
		.receipts = &receipt };

	while (i > 0 &&
	    !(run->oracle.events[i - 1].keyed &&
		run->oracle.events[i - 1].state <= STORY_ACKED))
		i--;
	if (i == 0)
		return;
	story_oracle_draft(&run->oracle.events[i - 1], &run->scratch[0],
	    &draft);
	if (bat_append(run->store, &batch) != BAT_OK)
		story_note_error(run, &batch.error);
	else if (!receipt.replayed ||
	    receipt.seq != run->oracle.events[i - 1].receipt.seq)
		story_run_fail(run, "a known key was not recognised");
}

/* Drafts of which number `bad` cannot be: those before it are stored. */
void
story_offer_refused(struct story_run *run, size_t bad)
{
	struct offer offer;

	make_offer(run, &offer, 0, bad, 60);
	offer.drafts[bad] = (struct bat_draft){
		.entity = bat_bytes_text("player:alice"),
		.scope = bat_bytes_text("room:dungeon"),
		.kind = BAT_KIND_OPEN_COMPLETED,
	};
	offer.drafts[bad + 1] = offer.drafts[bad];
	offer.batch.count = bad + 2;
	if (bat_append(run->store, &offer.batch) == BAT_OK)
		story_run_fail(run, "a reserved kind was taken");
	answer(run, &offer);
}
