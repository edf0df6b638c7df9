#include "chain.h"

int
bat_chain_link_hashed(const struct bat_chain_head *head,
    const struct bat_hash *payload_hash, struct bat_event *event,
    struct bat_error *error)
{
	uint64_t wall_ms;

	if (event->timestamp_us < 0)
		return bat_error_set(error, BAT_USE_INVALID,
		    "the timestamp %lld is before 1970",
		    (long long)event->timestamp_us);
	if (head->exists && head->clock == UINT32_MAX && !BAT_PLANT(11))
		return bat_error_set(error, BAT_USE_INVALID,
		    "the entity's clock is at its end (%u)",
		    (unsigned)head->clock);

	wall_ms = (uint64_t)event->timestamp_us / 1000;
	event->clock = 0;
	event->prev = (struct bat_hash){ { 0 } };
	if (head->exists) {
		event->clock = head->clock + 1;
		event->prev = head->hash;
		/* An entity's own time never falls, whatever the clock does. */
		if (wall_ms < head->wall_ms && !BAT_PLANT(10))
			wall_ms = head->wall_ms;
	}
	event->wall_ms = wall_ms;
	event->hash = *payload_hash;
	event->content_hash = event->hash;
	event->has_chain = true;
	return 0;
}

int
bat_chain_link(const struct bat_chain_head *head, struct bat_slice payload,
    struct bat_event *event, struct bat_error *error)
{
	struct bat_hash hash = bat_hash_of(payload);

	return bat_chain_link_hashed(head, &hash, event, error);
}

struct bat_chain_head
bat_chain_head_of(const struct bat_event *event)
{
	return (struct bat_chain_head){
		.exists = true,
		.clock = event->clock,
		.wall_ms = event->wall_ms,
		.hash = event->hash,
		.id = event->id,
		.corr = event->corr,
	};
}

bool
bat_chain_payload_matches(const struct bat_event *event,
    struct bat_slice payload)
{
	struct bat_hash hash = bat_hash_of(payload);

	return bat_hash_equal(&hash, &event->hash) &&
	    bat_hash_equal(&hash, &event->content_hash);
}
