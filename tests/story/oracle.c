#include "oracle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lifecycle.h"
#include "memory_disk.h"

enum { ENTITIES = 3, SCOPES = 2, NUMBER_AT = 4 };

static const char *const entity_names[ENTITIES] = { "player:alice",
	"player:bob", "monster:troll" };
static const char *const scope_names[SCOPES] = { "room:dungeon",
	"room:tavern" };

/* Not the allocator of the code under test, which may be made to fail. */
static void *
grow(void *old, size_t size)
{
	void *larger = memory_disk_realloc(old, size);

	if (larger == NULL)
		abort();
	return larger;
}

/* ---- events ---------------------------------------------------------- */

void
story_oracle_free(struct story_oracle *oracle)
{
	free(oracle->events);
	story_log_free(&oracle->log);
	*oracle = (struct story_oracle){ .events = NULL };
}

void
story_oracle_copy(const struct story_oracle *from, struct story_oracle *to)
{
	*to = *from;
	to->capacity = from->count + 4;
	to->events = grow(NULL, to->capacity * sizeof(*to->events));
	if (from->count > 0)
		memcpy(to->events, from->events,
		    from->count * sizeof(*to->events));
	story_log_copy(&from->log, &to->log);
}

struct story_event *
story_oracle_offer(struct story_oracle *oracle, uint32_t batch, uint32_t size)
{
	uint32_t number = oracle->next_number++;

	if (oracle->count == oracle->capacity) {
		oracle->capacity = oracle->capacity * 2 + 16;
		oracle->events = grow(oracle->events,
		    oracle->capacity * sizeof(*oracle->events));
	}
	oracle->events[oracle->count] = (struct story_event){
		.number = number,
		.batch = batch,
		.size = size,
		.kind = (uint16_t)(0x1000 + number % 3),
		.entity = (uint8_t)(number % 7 % ENTITIES),
		.scope = (uint8_t)(number % 5 % SCOPES),
	};
	return &oracle->events[oracle->count++];
}

void
story_oracle_synced(struct story_oracle *oracle)
{
	for (size_t i = 0; i < oracle->count; i++)
		if (oracle->events[i].state == STORY_VISIBLE)
			oracle->events[i].state = STORY_ACKED;
}

uint64_t
story_oracle_hash(const struct story_oracle *oracle)
{
	uint64_t hash = oracle->count;

	for (size_t i = 0; i < oracle->count; i++)
		hash = hash * 0x100000001b3 + oracle->events[i].number * 8 +
		    oracle->events[i].state;
	return hash * 0x100000001b3 + story_log_hash(&oracle->log);
}

/* ---- drafts ---------------------------------------------------------- */

/* {"n": number, "x": "yyy..."}: MessagePack that batpak reads too. */
static void
put_payload(const struct story_event *event, struct bat_buf *out)
{
	static const uint8_t start[] = { 0x82, 0xa1, 'n', 0xce };
	static const uint8_t middle[] = { 0xa1, 'x', 0xdb };
	size_t text = sizeof(start) + 4 + sizeof(middle) + 4;
	uint8_t *p;

	out->length = text + event->size;
	if (out->capacity < out->length) {
		out->capacity = out->length;
		out->data = grow(out->data, out->capacity);
	}
	p = out->data;
	memcpy(p, start, sizeof(start));
	memcpy(p + 8, middle, sizeof(middle));
	for (unsigned i = 0; i < 4; i++) {
		p[4 + i] = (uint8_t)(event->number >> (24 - 8 * i));
		p[11 + i] = (uint8_t)(event->size >> (24 - 8 * i));
	}
	memset(p + text, 'a' + (int)(event->number % 26), event->size);
}

static struct bat_id
key_of(const struct story_event *event)
{
	struct bat_id id = { { 0x6b, 0x65, 0x79 } };

	bat_bytes_put_le(id.bytes + 8, event->number, 4);
	return id;
}

void
story_oracle_draft(const struct story_event *event, struct story_draft *scratch,
    struct bat_draft *out)
{
	put_payload(event, &scratch->payload);
	scratch->extension = (struct bat_extension){ bat_bytes_text("app.note"),
		bat_bytes_text("noted") };
	*out = (struct bat_draft){
		.entity = bat_bytes_text(entity_names[event->entity]),
		.scope = bat_bytes_text(scope_names[event->scope]),
		.payload = bat_bytes_of_buf(&scratch->payload),
		.kind = event->kind,
		.key = event->keyed ? key_of(event) : BAT_ID_ZERO,
		.extensions = &scratch->extension,
		.extension_count = event->extended ? 1 : 0,
	};
}

/* ---- comparing ------------------------------------------------------- */

struct chain {
	bool exists;
	struct bat_hash hash;
	uint32_t clock;
};

struct look {
	struct story_oracle *oracle;
	struct bat_store *store;
	enum story_moment moment;
	char *why;
	size_t next; /* event of the oracle that may come next */
	size_t expected_seq;
	bool damaged;
	struct chain chains[ENTITIES + 1]; /* the last: lifecycle */
	/* Events as they were found, for adopting them. */
	struct story_event *found;
	size_t found_count;
};

static bool fails(const struct look *look, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool
fails(const struct look *look, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(look->why, 256, format, arguments);
	va_end(arguments);
	return false;
}

static bool
chain_holds(struct look *look, unsigned chain,
    const struct bat_reading *reading)
{
	struct chain *before = &look->chains[chain];
	const struct bat_event *event = &reading->fields;
	struct bat_hash hash = bat_hash_of(bat_bytes_of_buf(&reading->payload));
	unsigned long long seq = reading->row.seq;

	if (!bat_hash_equal(&hash, &event->hash))
		return fails(look, "seq %llu: the payload is not its hash's",
		    seq);
	if (before->exists && !look->damaged &&
	    (!bat_hash_equal(&event->prev, &before->hash) ||
		event->clock != before->clock + 1))
		return fails(look, "seq %llu: not linked to its entity's last",
		    seq);
	if (!before->exists && !look->damaged &&
	    (!bat_hash_is_zero(&event->prev) || event->clock != 0))
		return fails(look, "seq %llu: no start of a chain", seq);
	*before = (struct chain){ true, event->hash, event->clock };
	return true;
}

/* Is it allowed that event j, which was offered before one that is there, is
 * not? */
static bool
may_miss(struct look *look, size_t j)
{
	const struct story_event *event = &look->oracle->events[j];

	switch (event->state) {
	case STORY_ACKED:
		return fails(look, "number %u was acknowledged and is gone",
		    event->number);
	case STORY_VISIBLE:
	case STORY_UNDER_WAY:
		if (look->moment == STORY_SALVAGED)
			return true;
		return fails(look, "a hole where number %u was", event->number);
	case STORY_UNSURE:
	case STORY_REFUSED:
		return true;
	}
	return false;
}

static bool
may_be_there(struct look *look, const struct story_event *event)
{
	if (look->damaged && event->state == STORY_ACKED)
		return fails(look, "damage before number %u, acknowledged",
		    event->number);
	if (event->state == STORY_REFUSED && look->moment == STORY_RUNNING)
		return fails(look,
		    "number %u was answered as not stored, and is there",
		    event->number);
	return true;
}

static bool
is_as_told(struct look *look, const struct story_event *event,
    const struct bat_row *row)
{
	const struct bat_receipt *told = &event->receipt;

	if (!event->told || event->state != STORY_ACKED)
		return true;
	if (told->seq != row->seq)
		return fails(look, "number %u was seq %llu and is %llu",
		    event->number, (unsigned long long)told->seq,
		    (unsigned long long)row->seq);
	if (!bat_id_equal(&told->id, &row->id) ||
	    !bat_hash_equal(&told->hash, &row->hash) ||
	    told->clock != row->clock || told->wall_ms != row->wall_ms)
		return fails(look, "number %u is not as it was answered",
		    event->number);
	return true;
}

static bool
is_as_offered(struct look *look, const struct story_event *event,
    const struct bat_reading *reading)
{
	struct story_draft scratch = { .payload = BAT_BUF_EMPTY };
	struct bat_draft draft;
	bool same;

	story_oracle_draft(event, &scratch, &draft);
	same = bat_bytes_equal(reading->fields.entity, draft.entity) &&
	    bat_bytes_equal(reading->fields.scope, draft.scope) &&
	    bat_bytes_equal(bat_bytes_of_buf(&reading->payload),
		draft.payload) &&
	    reading->fields.kind == draft.kind &&
	    reading->fields.extension_count == draft.extension_count &&
	    (!event->keyed || bat_id_equal(&reading->fields.id, &draft.key));
	bat_bytes_free(&scratch.payload);
	return same ?
	    true :
	    fails(look, "number %u is not as it was offered", event->number);
}

/* One visible event that is none of lifecycle's. */
static bool
user_event_holds(struct look *look, const struct bat_reading *reading)
{
	struct story_oracle *oracle = look->oracle;
	const struct bat_row *row = &reading->row;
	size_t j = look->next;
	uint32_t number;

	if (reading->payload.length < NUMBER_AT + 4)
		return fails(look, "seq %llu was never offered",
		    (unsigned long long)row->seq);
	number = bat_bytes_get_be32(reading->payload.data + NUMBER_AT);
	while (j < oracle->count && oracle->events[j].number != number)
		j++;
	if (j == oracle->count)
		return fails(look,
		    "seq %llu, number %u: never offered, twice or out of order",
		    (unsigned long long)row->seq, number);
	for (size_t i = look->next; i < j; i++)
		if (!may_miss(look, i))
			return false;
	look->next = j + 1;
	if (!may_be_there(look, &oracle->events[j]) ||
	    !is_as_offered(look, &oracle->events[j], reading) ||
	    !is_as_told(look, &oracle->events[j], row))
		return false;
	look->found[look->found_count] = oracle->events[j];
	look->found[look->found_count].state = STORY_ACKED;
	look->found[look->found_count].told = true;
	look->found[look->found_count++].receipt = (struct bat_receipt){
		.seq = row->seq,
		.id = row->id,
		.hash = row->hash,
		.clock = row->clock,
		.wall_ms = row->wall_ms,
	};
	return chain_holds(look, oracle->events[j].entity, reading);
}

static bool
ordinal_holds(struct look *look, uint32_t ordinal, struct bat_reading *reading)
{
	struct bat_error error = { .code = 0 };
	int code = bat_read(look->store, ordinal, reading, &error);

	if (code == BAT_DATA_CORRUPT && look->moment == STORY_SALVAGED) {
		look->damaged = true;
		look->expected_seq++;
		return true;
	}
	look->oracle->unreadable = code == BAT_WORLD_IO ||
	    code == BAT_WORLD_NO_MEMORY || code == BAT_WORLD_NO_SPACE;
	if (code != BAT_OK)
		return fails(look, "ordinal %u: %s: %.180s", ordinal,
		    bat_error_name(code), error.text);
	if (reading->row.seq != look->expected_seq)
		return fails(look, "seq %llu stands where %zu is expected",
		    (unsigned long long)reading->row.seq, look->expected_seq);
	look->expected_seq++;
	/* It has no other word for a lack of memory. */
	look->oracle->unreadable = bat_find_id(look->store, &reading->row.id) ==
	    BAT_MAP_NONE;
	if (bat_find_id(look->store, &reading->row.id) != ordinal)
		return fails(look, "seq %llu is not found by its id",
		    (unsigned long long)reading->row.seq);
	if (bat_bytes_equal(reading->fields.entity,
		bat_bytes_text(BAT_LIFECYCLE_ENTITY)))
		return chain_holds(look, ENTITIES, reading);
	return user_event_holds(look, reading);
}

/* Behind what was found nothing acknowledged may stand; and batches are
 * whole. */
static bool
rest_holds(struct look *look)
{
	const struct story_oracle *oracle = look->oracle;

	for (size_t i = look->next; i < oracle->count; i++)
		if (oracle->events[i].state == STORY_ACKED)
			return may_miss(look, i);
	for (size_t i = 0; i < look->found_count; i++) {
		uint32_t batch = look->found[i].batch;
		unsigned there = 0, all = 0;

		if (i > 0 && look->found[i - 1].batch == batch)
			continue;
		for (size_t j = i; j < look->found_count; j++)
			there += look->found[j].batch == batch;
		for (size_t j = 0; j < oracle->count; j++)
			all += oracle->events[j].batch == batch;
		if (there != all && look->moment != STORY_SALVAGED)
			return fails(look, "%u of %u events of a batch", there,
			    all);
	}
	return true;
}

static bool
all_hold(struct look *look)
{
	const struct bat_list list = { .kind = BAT_LIST_ALL };
	struct bat_reading reading = BAT_READING_EMPTY;
	uint32_t ordinals[64];
	uint64_t cursor = 0;
	bool holds = true;
	size_t count;

	while (holds &&
	    (count = bat_list_next(look->store, &list, &cursor, ordinals, 64)) >
		0)
		for (size_t i = 0; holds && i < count; i++)
			holds = ordinal_holds(look, ordinals[i], &reading);
	bat_reading_free(&reading);
	return holds && rest_holds(look);
}

bool
story_oracle_holds(struct story_oracle *oracle, struct bat_store *store,
    enum story_moment moment, bool adopt, char why[256])
{
	struct look look = {
		.oracle = oracle,
		.store = store,
		.moment = moment,
		.why = why,
	};
	bool holds;

	oracle->unreadable = false;
	look.found = grow(NULL, (oracle->count + 1) * sizeof(*look.found));
	holds = all_hold(&look);
	if (holds && adopt) {
		if (look.found_count > 0)
			memcpy(oracle->events, look.found,
			    look.found_count * sizeof(*look.found));
		oracle->count = look.found_count;
	}
	free(look.found);
	return holds;
}
