#include "plan.h"

#include <stdio.h>
#include <stdlib.h>

enum { ENTITIES = 4, SCOPES = 2, KINDS = 3 };

static const char *const entity_names[ENTITIES] = { "player:alice",
	"player:bob", "monster:troll", "door:oak" };
static const char *const scope_names[SCOPES] = { "room:dungeon",
	"room:tavern" };

uint64_t
rig_plan_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint64_t
rig_plan_between(uint64_t *state, uint64_t low, uint64_t high)
{
	return low + rig_plan_random(state) % (high - low + 1);
}

/* Most are small; some fill pages, a few a segment. */
static size_t
filler_length(uint64_t *state)
{
	switch (rig_plan_random(state) % 16) {
	case 0:
		return (size_t)rig_plan_between(state, 5000, 30000);
	case 1:
	case 2:
	case 3:
		return (size_t)rig_plan_between(state, 700, 5000);
	default:
		return (size_t)rig_plan_between(state, 0, 300);
	}
}

static void
put_filler(uint64_t *state, struct bat_buf *out)
{
	size_t length = filler_length(state);
	struct bat_buf text = BAT_BUF_EMPTY;
	int code = bat_bytes_reserve(&text, length);

	for (size_t i = 0; code == 0 && i < length; i++)
		text.data[i] = (uint8_t)('a' + rig_plan_random(state) % 26);
	text.length = length;
	if (code != 0 || bat_pack_write_str(out, bat_bytes_of_buf(&text)) != 0)
		abort();
	bat_bytes_free(&text);
}

void
rig_plan_draft(uint64_t seed, const struct rig_event *event,
    struct bat_buf *payload, struct bat_draft *out)
{
	uint64_t state = seed * 0x10001 + event->number;
	int bad = 0;

	bat_bytes_clear(payload);
	bad |= bat_pack_write_map(payload, 4);
	bad |= bat_pack_write_text(payload, "n");
	bad |= bat_pack_write_uint(payload, event->number);
	bad |= bat_pack_write_text(payload, "first");
	bad |= bat_pack_write_uint(payload, event->first);
	bad |= bat_pack_write_text(payload, "count");
	bad |= bat_pack_write_uint(payload, event->count);
	bad |= bat_pack_write_text(payload, "x");
	if (bad != 0)
		abort();
	*out = (struct bat_draft){
		.entity = bat_bytes_text(
		    entity_names[rig_plan_random(&state) % ENTITIES]),
		.scope = bat_bytes_text(
		    scope_names[rig_plan_random(&state) % SCOPES]),
		.kind = (uint16_t)(0x1000 + rig_plan_random(&state) % KINDS),
	};
	put_filler(&state, payload);
	out->payload = bat_bytes_of_buf(payload);
}

static bool
read_batch(struct bat_slice payload, struct rig_event *out)
{
	struct bat_pack_reader at = BAT_PACK_READER(payload);
	uint64_t *const numbers[] = { &out->number, &out->first, &out->count };
	struct bat_slice key;
	uint32_t pairs;

	if (bat_pack_read_map(&at, &pairs) != 0)
		return false;
	for (size_t i = 0; i < 3; i++)
		if (bat_pack_read_str(&at, &key) != 0 ||
		    bat_pack_read_uint(&at, UINT64_MAX, numbers[i]) != 0)
			return false;
	return true;
}

const char *
rig_plan_differs(uint64_t seed, uint64_t number, struct bat_store *store,
    const struct bat_reading *reading, struct rig_event *out_event)
{
	struct bat_buf wanted = BAT_BUF_EMPTY;
	struct bat_draft draft;
	const char *why = NULL;

	if (!read_batch(bat_bytes_of_buf(&reading->payload), out_event))
		return "a payload that nobody wrote";
	if (out_event->number != number)
		return out_event->number < number ?
		    "an event that came before" :
		    "a later event";
	rig_plan_draft(seed, out_event, &wanted, &draft);
	if (!bat_bytes_equal(bat_bytes_of_buf(&reading->payload),
		draft.payload))
		why = "another payload";
	else if (!bat_bytes_equal(bat_name(store, reading->row.entity),
		     draft.entity))
		why = "another entity";
	else if (!bat_bytes_equal(bat_name(store, reading->row.scope),
		     draft.scope))
		why = "another scope";
	else if (reading->row.kind != draft.kind)
		why = "another kind";
	bat_bytes_free(&wanted);
	return why;
}
