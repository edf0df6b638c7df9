/*
 * Events for a bench: payloads of 100 bytes of MessagePack (a map of four,
 * as applications have them), neighbours of different entities, ten scopes,
 * four kinds, and chains of ten, each event caused by the one before it.
 *
 * Calling sequence: event_maker_init; event_maker_fill and hand the drafts
 * on, again and again; event_maker_free. Threads: one.
 */
#ifndef EVENT_MAKER_H
#define EVENT_MAKER_H

#include <bat.h>

#define EVENT_MAKER_PAYLOAD 100 /* bytes */
#define EVENT_MAKER_CHAIN 10
#define EVENT_MAKER_SCOPES 10

struct event_maker {
	uint64_t next; /* event */
	uint32_t entity_count;
	char (*entities)[24];
	char scopes[EVENT_MAKER_SCOPES][16];
	size_t batch; /* drafts at most */
	struct bat_buf *payloads;
	struct bat_draft *drafts;
};

void event_maker_init(struct event_maker *maker, uint32_t entities,
    size_t batch);
/* The next count drafts, at most batch; valid until the next call. Chains do
 * not reach from one call into the next. */
const struct bat_draft *event_maker_fill(struct event_maker *maker,
    size_t count);
void event_maker_free(struct event_maker *maker);

#endif
