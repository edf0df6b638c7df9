/* Appending: the queue, who leads, and what is made anew when a row lied. */
#include "store_internal.h"

static void
refuse_batch(struct bat_batch *batch)
{
	batch->committed = 0;
	batch->code = bat_error_set(&batch->error, BAT_USE_READ_ONLY,
	    "the store is open read-only");
}

void
bat_submit(struct bat_store *store, struct bat_batch *batch)
{
	if (store->options.read_only) {
		refuse_batch(batch);
		batch->done(batch->context, batch);
		return;
	}
	bat_writer_submit(&store->writer, batch);
}

/* An append met a row that lied, or a part of the sidecar that does not hold,
 * and was refused: tried again it meets an index that was made anew. */
static void
heal(struct bat_store *store)
{
	uint64_t generation;
	bool lied;

	pthread_mutex_lock(&store->writer.lead);
	lied = store->writer.disagreed;
	pthread_mutex_unlock(&store->writer.lead);
	(void)enter(store);
	generation = store->generation;
	if (leave(store) && lied)
		(void)bat_store_rebuild(store, generation, NULL);
}

size_t
bat_commit_run(struct bat_store *store, bool wait)
{
	size_t count = bat_writer_run(&store->writer, wait);

	heal(store);
	return count;
}

void
bat_submit_here(struct bat_store *store, struct bat_batch *batch)
{
	if (store->options.read_only) {
		refuse_batch(batch);
		batch->done(batch->context, batch);
		return;
	}
	if (bat_writer_submit_alone(&store->writer, batch))
		(void)bat_commit_run(store, false);
}

void
bat_wake(struct bat_store *store)
{
	bat_writer_wake(&store->writer);
}

int
bat_append(struct bat_store *store, struct bat_batch *batch)
{
	if (store->options.read_only)
		refuse_batch(batch);
	else
		bat_writer_append(&store->writer, batch);
	if (batch->code == BAT_DATA_DISAGREES)
		heal(store);
	return batch->code;
}

uint64_t
bat_lay_runway(struct bat_store *store, bool wait)
{
	return bat_runway_lay(&store->writer.runway, wait);
}

void
bat_wake_runway(struct bat_store *store)
{
	bat_runway_wake(&store->writer.runway);
}

int
bat_gates_ask(struct bat_store *store, const struct bat_proposal *proposal,
    struct bat_error *error)
{
	struct bat_denial denial = BAT_DENIAL_EMPTY;
	size_t denier;
	int code = bat_gate_ask(&store->options.gates, proposal, &denial,
	    &denier, error);

	bat_gate_denial_free(&denial);
	return code;
}

int
bat_sync(struct bat_store *store, struct bat_error *error)
{
	if (store->options.read_only)
		return BAT_OK;
	return bat_writer_sync(&store->writer, error);
}

int
bat_checkpoint(struct bat_store *store, struct bat_error *error)
{
	if (store->options.read_only)
		return bat_error_set(error, BAT_USE_READ_ONLY,
		    "the store is open read-only");
	return bat_writer_checkpoint(&store->writer, true, error);
}
