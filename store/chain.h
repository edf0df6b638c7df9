/*
 * The link rule (FORMAT.md 10): event_hash = BLAKE3(payload), prev_hash = the
 * event_hash of the entity's newest visible event, 32 zeros if there is none;
 * clock = its clock + 1, or 0. Threads: any, no state.
 */
#ifndef BAT_CHAIN_H
#define BAT_CHAIN_H

#include "event.h"

/* The newest visible event of an entity; exists false: none yet. */
struct bat_chain_head {
	bool exists;
	uint32_t clock;
	uint64_t wall_ms;
	struct bat_hash hash;
	struct bat_id id;
	struct bat_id corr;
};

/*
 * Fill clock, prev, hash, content_hash, wall_ms and has_chain of *event as the
 * successor of *head with this payload; wall_ms = max(timestamp_us / 1000,
 * head's). Returns 0, BAT_USE_INVALID when the clock would pass UINT32_MAX or
 * the timestamp is negative.
 */
int bat_chain_link(const struct bat_chain_head *head, struct bat_slice payload,
    struct bat_event *event, struct bat_error *error);
/* The same for who has the payload's hash already. */
int bat_chain_link_hashed(const struct bat_chain_head *head,
    const struct bat_hash *payload_hash, struct bat_event *event,
    struct bat_error *error);
/* The head after *event was appended. */
struct bat_chain_head bat_chain_head_of(const struct bat_event *event);
/* Are content_hash and event_hash those of payload? */
bool bat_chain_payload_matches(const struct bat_event *event,
    struct bat_slice payload);

#endif
