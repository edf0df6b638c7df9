/*
 * A store in memory for tests of the view: included by a test file, it stands
 * in for the functions of bat.h that stream and tree call, so that a test says
 * what is in the store and what goes wrong, one event at a time. Everything is
 * looked for by walking; keep stores small.
 */
#include <assert.h>
#include <stdlib.h>

#include "bat.h"

#define FAKE_STORE

struct fake_event {
	uint64_t seq, wall_ms;
	uint32_t entity, scope;
	bool hidden;
	bool damaged;  /* bat_read says BAT_DATA_CORRUPT */
	uint16_t kind; /* 0: f.001 */
	uint32_t clock;
	struct bat_id id;	   /* its ordinal, in the last byte */
	struct bat_id cause, corr; /* corr zero: its own id */
	struct bat_buf payload;
	/* What bat_keep_lengths was told, in which generation. */
	uint32_t length;
	uint64_t length_generation;
};

struct bat_store {
	uint64_t generation;
	struct fake_event *events;
	uint32_t count;
	char *names[1024];
	uint32_t name_count;
	unsigned read_count, trace_count; /* calls of bat_read, bat_trace */
	unsigned checkpoint_count, sync_count, compact_count;
	int checkpoint_code, compact_code;
	uint64_t next_seq;
};

static inline void
fake_free(struct bat_store *store)
{
	for (uint32_t i = 0; i < store->count; i++)
		bat_bytes_free(&store->events[i].payload);
	for (uint32_t i = 0; i < store->name_count; i++)
		free(store->names[i]);
	free(store->events);
	*store = (struct bat_store){ .generation = store->generation };
}

static inline uint32_t
fake_name(struct bat_store *store, const char *name)
{
	for (uint32_t i = 0; i < store->name_count; i++)
		if (strcmp(store->names[i], name) == 0)
			return i;
	assert(store->name_count < 1024);
	store->names[store->name_count] = strdup(name);
	assert(store->names[store->name_count] != NULL);
	return store->name_count++;
}

/* Add an event with this sequence; its wall_ms is 1000 + seq. The payload is
 * bytes of MessagePack, or whatever the test makes of it. */
static inline struct fake_event *
fake_add_at(struct bat_store *store, uint64_t seq, const char *scope,
    const char *entity, struct bat_slice payload)
{
	struct fake_event *event;

	store->events = realloc(store->events,
	    (store->count + 1) * sizeof(*store->events));
	assert(store->events != NULL);
	event = &store->events[store->count++];
	*event = (struct fake_event){
		.seq = seq,
		.wall_ms = 1000 + seq,
		.entity = fake_name(store, entity),
		.scope = fake_name(store, scope),
	};
	event->id.bytes[15] = (uint8_t)(store->count - 1);
	if (bat_bytes_append_slice(&event->payload, payload) != 0)
		abort();
	store->next_seq = seq + 1;
	return event;
}

static inline struct fake_event *
fake_add(struct bat_store *store, const char *scope, const char *entity)
{
	static const uint8_t nil = 0xc0;

	return fake_add_at(store, store->next_seq, scope, entity,
	    bat_bytes_slice(&nil, 1));
}

/* The position-th distinct entity (or scope) in first-seen order, counting
 * only events of one scope if only_scope is not NONE. *out_count may be NULL:
 * how many there are up to it. */
static inline uint32_t
fake_at(const struct bat_store *store, bool of_scope, uint32_t only_scope,
    uint32_t position, uint32_t *out_count)
{
	bool seen[1024];
	uint32_t count = 0;

	memset(seen, 0, store->name_count);
	for (uint32_t i = 0; i < store->count; i++) {
		const struct fake_event *event = &store->events[i];
		uint32_t name = of_scope ? event->scope : event->entity;

		if (event->hidden || name == BAT_MAP_NONE || seen[name] ||
		    (only_scope != BAT_MAP_NONE && event->scope != only_scope))
			continue;
		seen[name] = true;
		if (count++ == position)
			return name;
	}
	if (out_count != NULL)
		*out_count = count;
	return BAT_MAP_NONE;
}

/* ---- bat.h ------------------------------------------------------------ */

void
bat_head(struct bat_store *store, struct bat_head *out)
{
	*out = (struct bat_head){
		.generation = store->generation,
		.ordinals = store->count,
		.next_seq = store->next_seq,
	};
	for (uint32_t i = 0; i < store->count; i++) {
		const struct fake_event *event = &store->events[i];

		if (event->hidden)
			continue;
		if (out->visible_count++ == 0) {
			out->first = i;
			out->first_seq = event->seq;
			out->first_wall_ms = event->wall_ms;
		}
		out->last = i;
		out->last_seq = out->durable_seq = event->seq;
		out->last_wall_ms = event->wall_ms;
	}
	fake_at(store, false, BAT_MAP_NONE, UINT32_MAX, &out->entity_count);
	fake_at(store, true, BAT_MAP_NONE, UINT32_MAX, &out->scope_count);
}

void
bat_head_before(struct bat_store *store, uint32_t before, struct bat_head *out)
{
	uint32_t count = store->count;

	if (before != 0 && before < count)
		store->count = before;
	bat_head(store, out);
	store->count = count;
}

bool
bat_row(struct bat_store *store, uint32_t ordinal, struct bat_row *out)
{
	const struct fake_event *event;

	if (ordinal >= store->count || store->events[ordinal].hidden)
		return false;
	event = &store->events[ordinal];
	*out = (struct bat_row){
		.entity = event->entity,
		.scope = event->scope,
		.wall_ms = event->wall_ms,
		.seq = event->seq,
		.segment = 1,
		.offset = 100 * (uint64_t)ordinal,
		.kind = event->kind != 0 ? event->kind : 0xf001,
		.clock = event->clock,
		.id = event->id,
		.cause = event->cause,
	};
	return true;
}

struct bat_slice
bat_name(struct bat_store *store, uint32_t number)
{
	return number < store->name_count ?
	    bat_bytes_text(store->names[number]) :
	    BAT_SLICE_EMPTY;
}

int
bat_read(struct bat_store *store, uint32_t ordinal, struct bat_reading *reading,
    struct bat_error *error)
{
	store->read_count++;
	if (!bat_row(store, ordinal, &reading->row))
		return bat_error_set(error, BAT_STATE_NOT_FOUND, "no event");
	reading->entity = bat_name(store, reading->row.entity);
	reading->scope = bat_name(store, reading->row.scope);
	if (store->events[ordinal].damaged)
		return bat_error_set_at(error, BAT_DATA_CORRUPT, 1,
		    reading->row.offset, "crc");
	reading->fields = (struct bat_event){
		.id = reading->row.id,
		.cause = reading->row.cause,
		.clock = reading->row.clock,
		.wall_ms = reading->row.wall_ms,
		.timestamp_us = (int64_t)reading->row.wall_ms * 1000,
		.kind = reading->row.kind,
		.has_chain = true,
		.payload_is_bytes = true,
	};
	bat_bytes_clear(&reading->payload);
	return bat_bytes_append_slice(&reading->payload,
	    bat_bytes_of_buf(&store->events[ordinal].payload));
}

void
bat_reading_free(struct bat_reading *reading)
{
	bat_bytes_free(&reading->frame);
	bat_bytes_free(&reading->payload);
}

void
bat_read_ahead(struct bat_store *store, const uint32_t *ordinals, size_t count,
    struct bat_reading *reading)
{
	(void)store;
	(void)ordinals;
	(void)count;
	(void)reading;
}

struct bat_extension_walk
bat_extensions(const struct bat_reading *reading)
{
	(void)reading;
	return (struct bat_extension_walk){ .left = 0 };
}

int
bat_extensions_next(struct bat_extension_walk *walk, struct bat_slice *out_key,
    struct bat_buf *value)
{
	(void)walk;
	(void)out_key;
	(void)value;
	return BAT_END;
}

uint32_t
bat_find_seq_from(struct bat_store *store, uint64_t seq)
{
	uint32_t low = 0, high = store->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (store->events[middle].seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	while (low < store->count && store->events[low].hidden)
		low++;
	return low < store->count ? low : BAT_MAP_NONE;
}

uint32_t
bat_find_seq(struct bat_store *store, uint64_t seq)
{
	uint32_t ordinal = bat_find_seq_from(store, seq);

	return ordinal != BAT_MAP_NONE && store->events[ordinal].seq == seq ?
	    ordinal :
	    BAT_MAP_NONE;
}

uint32_t
bat_find_id(struct bat_store *store, const struct bat_id *id)
{
	struct bat_row row;

	for (uint32_t i = store->count; i-- > 0;)
		if (bat_row(store, i, &row) && bat_id_equal(&row.id, id))
			return i;
	return BAT_MAP_NONE;
}

uint32_t
bat_entity_at(struct bat_store *store, uint32_t position)
{
	return fake_at(store, false, BAT_MAP_NONE, position, NULL);
}

uint32_t
bat_scope_at(struct bat_store *store, uint32_t position)
{
	return fake_at(store, true, BAT_MAP_NONE, position, NULL);
}

uint32_t
bat_scope_entity_at(struct bat_store *store, uint32_t scope, uint32_t position)
{
	return fake_at(store, false, scope, position, NULL);
}

uint32_t
bat_scope_size(struct bat_store *store, uint32_t scope)
{
	uint32_t size = 0;

	fake_at(store, false, scope, UINT32_MAX, &size);
	return size;
}

/* ---- lengths ------------------------------------------------------------ */

bool
bat_lengths(struct bat_store *store, uint64_t generation,
    const uint32_t *ordinals, size_t count, uint32_t *lengths)
{
	for (size_t i = 0; i < count; i++) {
		struct fake_event *event = &store->events[ordinals[i]];

		lengths[i] = __atomic_load_n(&event->length_generation,
				 __ATOMIC_ACQUIRE) == generation ?
		    __atomic_load_n(&event->length, __ATOMIC_RELAXED) :
		    0;
	}
	return store->generation == generation;
}

int
bat_keep_lengths(struct bat_store *store, uint64_t generation,
    const uint32_t *ordinals, const uint32_t *lengths, size_t count)
{
	if (store->generation != generation)
		return BAT_DATA_DISAGREES;
	for (size_t i = 0; i < count; i++) {
		struct fake_event *event = &store->events[ordinals[i]];

		__atomic_store_n(&event->length, lengths[i], __ATOMIC_RELAXED);
		__atomic_store_n(&event->length_generation, generation,
		    __ATOMIC_RELEASE);
	}
	return 0;
}

void
bat_doubt_lengths(struct bat_store *store, uint64_t generation)
{
	if (store->generation == generation)
		store->generation++;
}

/* ---- lists ------------------------------------------------------------- */

#include "fake_causality.h"

/* A chain as a tree is in plain order here. */
static inline bool
fake_in_list(struct bat_store *store, const struct bat_list *list,
    uint32_t ordinal)
{
	const struct fake_event *event = &store->events[ordinal];

	if (event->hidden || (list->before != 0 && ordinal >= list->before))
		return false;
	if (list->kind > BAT_LIST_MEMBER)
		return fake_in_causal(store, list, ordinal);
	return !event->hidden &&
	    (list->kind == BAT_LIST_ALL || event->entity == list->entity) &&
	    (list->kind != BAT_LIST_MEMBER || event->scope == list->scope);
}

size_t
bat_list_next(struct bat_store *store, const struct bat_list *list,
    uint64_t *cursor, uint32_t *ordinals, size_t max)
{
	size_t count = 0;

	for (uint32_t i = (uint32_t)*cursor; i < store->count && count < max;
	     i++) {
		if (!fake_in_list(store, list, i))
			continue;
		ordinals[count++] = i;
		*cursor = i + 1;
	}
	return count;
}

bool
bat_list_stat(struct bat_store *store, const struct bat_list *list,
    struct bat_list_stat *out)
{
	*out = (struct bat_list_stat){ .count = 0 };
	for (uint32_t i = 0; i < store->count; i++) {
		if (!fake_in_list(store, list, i))
			continue;
		if (out->count++ == 0) {
			out->first = i;
			out->first_wall_ms = store->events[i].wall_ms;
		}
		out->last = i;
		out->last_wall_ms = store->events[i].wall_ms;
	}
	return out->count > 0;
}

uint64_t
bat_list_count(struct bat_store *store, const struct bat_list *list)
{
	struct bat_list_stat stat;

	(void)bat_list_stat(store, list, &stat);
	return stat.count;
}

bool
bat_scope_has(struct bat_store *store, uint32_t scope, uint32_t entity)
{
	const struct bat_list list = { .kind = BAT_LIST_MEMBER,
		.entity = entity,
		.scope = scope };
	struct bat_list_stat stat;

	return bat_list_stat(store, &list, &stat);
}

uint32_t
bat_entity_scopes(struct bat_store *store, uint32_t entity, uint32_t *out_scope)
{
	uint32_t count = 0, scope;

	for (uint32_t i = 0; (scope = bat_scope_at(store, i)) != BAT_MAP_NONE;
	     i++)
		if (bat_scope_has(store, scope, entity) && count++ == 0)
			*out_scope = scope;
	return count;
}

uint32_t
bat_find_entity(struct bat_store *store, struct bat_slice name)
{
	uint32_t entity;

	for (uint32_t i = 0; (entity = bat_entity_at(store, i)) != BAT_MAP_NONE;
	     i++)
		if (bat_bytes_equal(bat_name(store, entity), name))
			return entity;
	return BAT_MAP_NONE;
}

uint32_t
bat_find_scope(struct bat_store *store, struct bat_slice name)
{
	uint32_t scope;

	for (uint32_t i = 0; (scope = bat_scope_at(store, i)) != BAT_MAP_NONE;
	     i++)
		if (bat_bytes_equal(bat_name(store, scope), name))
			return scope;
	return BAT_MAP_NONE;
}

#include "fake_control.h"
