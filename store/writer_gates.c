/*
 * Gates: asked about each draft when all else about it is known, and what is
 * recorded when one says no.
 *
 * The leader asks, so that nothing changes between the answer and the write.
 * The price: who is behind it in the queue waits for the gates too.
 */
#include "writer_internal.h"

#include "kind.h"

int
bat_writer_ask_gates(struct bat_writer *writer, const struct bat_batch *batch,
    const struct bat_draft *draft, const struct bat_event *event,
    struct bat_error *error)
{
	struct bat_writer_denied *denied = &writer->denied;
	const struct bat_gates *gates = &writer->options->gates;
	const struct bat_proposal proposal = {
		.draft = draft,
		.cause = event->cause,
		.corr = event->corr,
		.about = batch->about,
	};
	size_t denier = 0;
	int code = bat_gate_ask(gates, &proposal, &denied->denial, &denier,
	    error);

	if (code != BAT_STATE_DENIED)
		return code;
	bat_bytes_clear(&denied->payload);
	if (bat_gate_payload(gates, denier, &denied->denial, draft,
		&denied->payload) != BAT_OK)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY,
		    "no memory to record a denial");
	denied->draft = draft;
	denied->cause = event->cause;
	denied->corr = event->corr;
	return code;
}

/* Behind the items of its batch, and none of them: a frame of its own. */
int
bat_writer_stage_denial(struct bat_writer *writer, int64_t now_us,
    struct bat_error *error)
{
	const struct bat_writer_denied *denied = &writer->denied;
	const struct bat_draft own = {
		.entity = denied->draft->entity,
		.scope = denied->draft->scope,
		.payload = bat_bytes_of_buf(&denied->payload),
		.extensions = denied->draft->extensions,
		.extension_count = denied->draft->extension_count,
	};
	struct bat_event event = {
		.kind = BAT_KIND_DENIAL,
		.cause = denied->cause,
		.corr = denied->corr,
		.timestamp_us = now_us,
	};

	return bat_writer_stage_own(writer, &own, &event, error);
}

void
bat_writer_denied_free(struct bat_writer_denied *denied)
{
	bat_gate_denial_free(&denied->denial);
	bat_bytes_free(&denied->payload);
}
