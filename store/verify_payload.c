/*
 * Payloads and their hashes: up to 16 short ones are kept back and hashed side
 * by side, 50 ns each where one alone takes 230. What is found of them is told
 * before anything else is, so that findings come in the order of events.
 */
#include "verify.h"
#include "verify_parts.h"

#include <inttypes.h>

static int
report_reencoded(struct bat_verify_state *state, uint64_t offset)
{
	if (state->reencoded_reported)
		return 0;
	state->reencoded_reported = true;
	return bat_verify_report(state, BAT_VERIFY_REENCODED, BAT_VERIFY_NOTED,
	    offset, "a compaction rewrote payloads from here on");
}

/* What its hash says of a payload. */
static int
judge(struct bat_verify_state *state, const struct bat_verify_payload *payload,
    const struct bat_hash *hash)
{
	bool same = bat_hash_equal(hash, &payload->hash);

	if (BAT_PLANT(32) || (same && payload->length == payload->stated)) {
		state->counts->payloads++;
		return 0;
	}
	if (payload->is_value)
		return report_reencoded(state, payload->offset);
	return bat_verify_report(state, BAT_VERIFY_PAYLOAD, BAT_VERIFY_BROKEN,
	    payload->offset,
	    "payload of %zu bytes: the header says %" PRIu32 ", its hash %s",
	    payload->length, payload->stated, same ? "holds" : "is another");
}

int
bat_verify_finish_payloads(struct bat_verify_state *state)
{
	struct bat_hash hashes[BAT_HASH_LANES];
	unsigned count = state->lanes.count;
	int code = 0;

	if (count == 0)
		return 0;
	bat_hash_lanes(&state->lanes, hashes);
	/* Before what is found is told, which asks for this. */
	state->lanes.count = 0;
	for (unsigned i = 0; code == 0 && i < count; i++)
		code = judge(state, &state->kept[i], &hashes[i]);
	return code;
}

/* Hash it with others, later; a long one at once, behind those before it. */
static int
keep(struct bat_verify_state *state, const struct bat_verify_payload *payload,
    struct bat_slice bytes)
{
	struct bat_hash hash;
	int code;

	if (!bat_hash_lanes_take(&state->lanes, bytes)) {
		code = bat_verify_finish_payloads(state);
		hash = bat_hash_of(bytes);
		return code != 0 ? code : judge(state, payload, &hash);
	}
	state->kept[state->lanes.count - 1] = *payload;
	return state->lanes.count == BAT_HASH_LANES ?
	    bat_verify_finish_payloads(state) :
	    0;
}

int
bat_verify_payload_of(struct bat_verify_state *state,
    const struct bat_event *event, uint64_t offset)
{
	struct bat_verify_payload payload = { .offset = offset,
		.stated = event->payload_size,
		.hash = event->hash };
	struct bat_slice bytes;
	int code;

	/* content_hash may be missing (FORMAT.md 2.3). */
	if (!bat_hash_equal(&event->content_hash, &event->hash) &&
	    !bat_hash_is_zero(&event->content_hash))
		return bat_verify_report(state, BAT_VERIFY_PAYLOAD,
		    BAT_VERIFY_BROKEN, offset,
		    "content_hash and event_hash differ");
	bat_bytes_clear(&state->scratch);
	code = bat_codec_payload(event, &state->scratch);
	if (code == BAT_WORLD_NO_MEMORY)
		return bat_error_set(state->error, code,
		    "no memory for a payload");
	if (code != 0)
		return bat_verify_report(state, BAT_VERIFY_PAYLOAD,
		    BAT_VERIFY_BROKEN, offset, "the payload does not decode");
	bytes = bat_bytes_of_buf(&state->scratch);
	payload.length = bytes.length;
	payload.is_value = bat_bytes_equal(bytes, event->payload_slot);
	if (payload.is_value) {
		state->compacted = true;
		state->counts->reencoded++;
	}
	return keep(state, &payload, bytes);
}
