#include "event_maker.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

static const char *const filler =
    "the quick brown fox jumps over the lazy dog and then looks back at it "
    "once more before the night";

void
event_maker_init(struct event_maker *maker, uint32_t entities, size_t batch)
{
	*maker = (struct event_maker){ .entity_count = entities,
		.batch = batch };
	if (entities == 0 || batch == 0)
		bench_fail("no entities, or no batch");
	maker->entities = bench_allocate(entities, sizeof(*maker->entities));
	maker->payloads = bench_allocate(batch, sizeof(*maker->payloads));
	maker->drafts = bench_allocate(batch, sizeof(*maker->drafts));
	for (uint32_t i = 0; i < entities; i++)
		snprintf(maker->entities[i], sizeof(maker->entities[i]),
		    "player:%08x", i);
	for (unsigned i = 0; i < EVENT_MAKER_SCOPES; i++)
		snprintf(maker->scopes[i], sizeof(maker->scopes[i]), "room:%u",
		    i);
}

/* {"n": 17, "who": "player:00000011", "ok": true, "text": "the quick ..."} */
static void
make_payload(struct event_maker *maker, uint64_t n, struct bat_buf *out)
{
	const char *who = maker->entities[n % maker->entity_count];
	int bad = 0;
	size_t left;

	bat_bytes_clear(out);
	bad |= bat_pack_write_map(out, 4);
	bad |= bat_pack_write_text(out, "n");
	bad |= bat_pack_write_uint(out, n);
	bad |= bat_pack_write_text(out, "who");
	bad |= bat_pack_write_text(out, who);
	bad |= bat_pack_write_text(out, "ok");
	bad |= bat_pack_write_bool(out, true);
	bad |= bat_pack_write_text(out, "text");
	/* Its own header is two bytes. */
	left = EVENT_MAKER_PAYLOAD - 2 - out->length;
	bad |= bat_pack_write_str(out, bat_bytes_slice(filler, left));
	if (bad != 0 || out->length != EVENT_MAKER_PAYLOAD)
		bench_fail("the payload has %zu bytes", out->length);
}

const struct bat_draft *
event_maker_fill(struct event_maker *maker, size_t count)
{
	for (size_t i = 0; i < count; i++, maker->next++) {
		uint32_t entity = (uint32_t)(maker->next % maker->entity_count);
		bool first = i % EVENT_MAKER_CHAIN == 0;

		make_payload(maker, maker->next, &maker->payloads[i]);
		maker->drafts[i] = (struct bat_draft){
			.entity = bat_bytes_text(maker->entities[entity]),
			.scope = bat_bytes_text(
			    maker->scopes[entity % EVENT_MAKER_SCOPES]),
			.payload = bat_bytes_of_buf(&maker->payloads[i]),
			.kind = (uint16_t)(0x1000 + maker->next % 4),
			.cause = first ? BAT_CAUSE_NONE : BAT_CAUSE_ITEM,
			.cause_number = first ? 0 : i - 1,
		};
	}
	return maker->drafts;
}

void
event_maker_free(struct event_maker *maker)
{
	for (size_t i = 0; i < maker->batch; i++)
		bat_bytes_free(&maker->payloads[i]);
	free(maker->payloads);
	free(maker->drafts);
	free(maker->entities);
}
