#include "verify.h"
#include "verify_parts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "coordinate.h"

static int
check_names(struct bat_verify_state *state, const struct bat_event *event,
    uint64_t offset)
{
	struct bat_error why;
	char hex[33];

	if (bat_id_is_zero(&event->id))
		return bat_verify_report(state, BAT_VERIFY_ID,
		    BAT_VERIFY_BROKEN, offset, "the event's id is zero");
	if (bat_coordinate_check(event->entity, event->scope, &why) == 0)
		return 0;
	bat_id_to_hex(&event->id, hex);
	return bat_verify_report(state, BAT_VERIFY_COORDINATE,
	    BAT_VERIFY_BROKEN, offset, "event %s: %s", hex, why.text);
}

static int
check_time(struct bat_verify_state *state, const struct bat_event *event,
    uint64_t offset)
{
	if (event->timestamp_us >= 0 && event->wall_ms <= BAT_EVENT_WALL_MS_MAX)
		return 0;
	return bat_verify_report(state, BAT_VERIFY_TIME, BAT_VERIFY_BROKEN,
	    offset, "timestamp_us %" PRId64 ", wall_ms %" PRIu64,
	    event->timestamp_us, event->wall_ms);
}

int
bat_verify_event(struct bat_verify_state *state, const struct bat_event *event,
    uint64_t offset)
{
	int code = check_names(state, event, offset);

	if (code == 0)
		code = check_time(state, event, offset);
	if (code == 0)
		code = bat_verify_payload_of(state, event, offset);
	return code;
}

/* Lengths in front, so that no two maps feed the same bytes. */
static void
hash_part(struct bat_hasher *hasher, struct bat_slice bytes)
{
	uint8_t length[8];

	bat_bytes_put_le(length, bytes.length, sizeof(length));
	bat_hash_update(hasher, bat_bytes_slice(length, sizeof(length)));
	bat_hash_update(hasher, bytes);
}

int
bat_verify_hash_extensions(struct bat_verify_state *state, struct bat_slice map,
    uint32_t count, struct bat_hash *out_hash)
{
	struct bat_pack_reader reader = BAT_PACK_READER(map);
	struct bat_hasher hasher;
	struct bat_slice key, slot;
	int code;

	bat_hash_start(&hasher);
	while ((code = bat_codec_next_extension(&reader, &count, &key,
		    &slot)) == 0) {
		bat_bytes_clear(&state->scratch);
		code = bat_pack_unpack_bytes(slot, &state->scratch);
		if (code != 0)
			return code;
		hash_part(&hasher, key);
		hash_part(&hasher, bat_bytes_of_buf(&state->scratch));
	}
	*out_hash = bat_hash_finish(&hasher);
	return code == BAT_END ? 0 : code;
}

/* The number of a name; most come again soon. */
static int
number_of(struct bat_verify_state *state, struct bat_slice name,
    uint32_t *out_number)
{
	uint64_t last = 0;
	uint32_t *recent;
	int code;

	if (name.length >= sizeof(last))
		last = bat_bytes_get_le64(
		    name.data + name.length - sizeof(last));
	else
		for (size_t i = 0; i < name.length; i++)
			last = last << 8 | name.data[i];
	recent = &state->recent[(last * 0x9e3779b97f4a7c15 >> 32) %
	    BAT_VERIFY_RECENT];
	if (*recent < state->names.count &&
	    bat_bytes_equal(bat_intern_get(&state->names, *recent), name)) {
		*out_number = *recent;
		return 0;
	}
	code = bat_intern_put(&state->names, name, out_number);
	if (code == 0)
		*recent = *out_number;
	return code;
}

int
bat_verify_record_of(struct bat_verify_state *state,
    const struct bat_segment_item *item, struct bat_verify_record *out_record)
{
	const struct bat_event *event = &item->event;
	struct bat_verify_record record = { .has_extensions = true };
	struct bat_row *row = &record.row;
	int code = number_of(state, event->entity, &row->entity);

	if (code == 0)
		code = number_of(state, event->scope, &row->scope);
	if (code == 0 && event->extension_count > 0 && state->index_count > 0)
		code = bat_verify_hash_extensions(state, event->extension_map,
		    event->extension_count, &record.extensions);
	if (code != 0)
		return bat_error_set_at(state->error, code, state->segment,
		    item->offset, "cannot keep an event: %s",
		    bat_error_name(code));
	row->id = event->id;
	row->corr = event->corr;
	row->cause = event->cause;
	row->clock = event->clock;
	row->lane = event->lane;
	row->depth = event->depth;
	row->length = (uint32_t)item->length;
	row->wall_ms = event->wall_ms;
	row->segment = state->segment;
	row->offset = item->offset;
	row->prev = event->prev;
	row->hash = event->hash;
	row->kind = event->kind;
	record.extension_count = event->extension_count;
	*out_record = record;
	return 0;
}

static int
reserve_head(struct bat_verify_state *state, uint32_t entity)
{
	size_t capacity = state->head_capacity * 2;
	struct bat_verify_head *heads;

	if (entity < state->head_capacity)
		return 0;
	if (capacity <= entity)
		capacity = (size_t)entity + 64;
	heads = realloc(state->heads, capacity * sizeof(*heads));
	if (heads == NULL)
		return BAT_WORLD_NO_MEMORY;
	memset(heads + state->head_capacity, 0,
	    (capacity - state->head_capacity) * sizeof(*heads));
	state->heads = heads;
	state->head_capacity = capacity;
	return 0;
}

static struct bat_slice
link_key(const struct bat_verify_link *link)
{
	return bat_bytes_slice(link, sizeof(*link));
}

static int
remember(struct bat_verify_state *state, const struct bat_verify_record *record,
    const struct bat_verify_link *link)
{
	struct bat_verify_known *known;

	if (state->known_count == state->known_capacity) {
		size_t capacity = state->known_capacity == 0 ?
		    1024 :
		    state->known_capacity * 2;

		if (capacity >= UINT32_MAX)
			return BAT_USE_TOO_LARGE;
		known = realloc(state->known, capacity * sizeof(*known));
		if (known == NULL)
			return BAT_WORLD_NO_MEMORY;
		state->known = known;
		state->known_capacity = capacity;
	}
	known = &state->known[state->known_count++];
	known->id = record->row.id;
	known->link = *link;
	return 0;
}

/*
 * Is there any earlier event of the entity that this one can follow? The table
 * is made when this is first asked, which in most stores is never.
 */
static int
find_parent(struct bat_verify_state *state, const struct bat_row *row,
    bool *out_found)
{
	struct bat_verify_link parent = { row->entity, row->clock - 1,
		row->prev };
	int code = 0;

	for (; code == 0 && state->linked_count < state->known_count;
	     state->linked_count++)
		code = bat_map_put(&state->by_link,
		    link_key(&state->known[state->linked_count].link),
		    (uint32_t)state->linked_count);
	*out_found = row->clock > 0 &&
	    bat_map_find(&state->by_link, link_key(&parent)) != BAT_MAP_NONE;
	return code;
}

static int
report_chain(struct bat_verify_state *state, const struct bat_row *row,
    const struct bat_verify_head *head)
{
	char prev[65];

	bat_hash_to_hex(&row->prev, prev);
	return bat_verify_report(state,
	    state->compacted ? BAT_VERIFY_PARENT : BAT_VERIFY_CHAIN,
	    state->compacted ? BAT_VERIFY_NOTED : BAT_VERIFY_BROKEN,
	    row->offset,
	    "clock %" PRIu32 " and prev_hash %.16s... follow no event of the "
	    "entity (its last has clock %" PRIu32 ")",
	    row->clock, prev, head->exists ? head->link.clock : 0);
}

/*
 * prev_hash and clock follow the entity's newest visible event (FORMAT.md 10).
 * Which one that was depends on what was hidden at the time, so an older one
 * will do where something was or may have been hidden: where there are hidden
 * ranges, or where the chain was restarted because of them.
 */
static int
check_chain(struct bat_verify_state *state, const struct bat_row *row,
    struct bat_verify_head *head)
{
	bool starts = bat_hash_is_zero(&row->prev) && row->clock == 0;
	bool found = false;
	int code = 0;

	if (starts && head->exists) {
		state->counts->restarts++;
		head->restarted = true;
	}
	if (starts || BAT_PLANT(33))
		return 0;
	if (head->exists && row->clock > 0 &&
	    row->clock - 1 == head->link.clock &&
	    bat_hash_equal(&row->prev, &head->link.hash))
		return 0;
	if (state->has_hidden || head->restarted)
		code = find_parent(state, row, &found);
	if (code != 0)
		return bat_error_set(state->error, code,
		    "no memory for the links of events");
	if (found) {
		state->counts->passed_over++;
		return 0;
	}
	return report_chain(state, row, head);
}

int
bat_verify_link(struct bat_verify_state *state,
    const struct bat_verify_record *record)
{
	const struct bat_row *row = &record->row;
	struct bat_verify_link link = { row->entity, row->clock, row->hash };
	struct bat_verify_head *head;
	int code = reserve_head(state, row->entity);

	if (code != 0)
		goto fail;
	head = &state->heads[row->entity];
	code = check_chain(state, row, head);
	if (code != 0)
		return code;
	if (!head->exists)
		state->counts->chains++;
	head->exists = true;
	head->link = link;
	code = remember(state, record, &link);
	if (code == 0)
		return 0;
fail:
	return bat_error_set_at(state->error, code, state->segment, row->offset,
	    "cannot keep an event: %s", bat_error_name(code));
}
