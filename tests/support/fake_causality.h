/* Part of fake_store.c: causes, effects and chains, every question from the
 * start. */
#ifndef FAKE_CAUSALITY_H
#define FAKE_CAUSALITY_H

#ifndef FAKE_STORE
#error "include fake_store.c"
#endif

int
bat_trace(struct bat_store *store, struct bat_error *error)
{
	(void)error;
	store->trace_count++;
	return 0;
}

uint32_t
bat_find_id_before(struct bat_store *store, const struct bat_id *id,
    uint32_t before)
{
	struct bat_row row;

	while (before-- > 0)
		if (bat_row(store, before, &row) && bat_id_equal(&row.id, id))
			return before;
	return BAT_MAP_NONE;
}

uint32_t
bat_cause(struct bat_store *store, uint32_t ordinal, bool *out_gone)
{
	uint32_t cause = BAT_MAP_NONE;
	const struct fake_event *event = &store->events[ordinal];

	*out_gone = !bat_id_is_zero(&event->cause);
	if (*out_gone)
		cause = bat_find_id_before(store, &event->cause, ordinal);
	*out_gone = *out_gone && cause == BAT_MAP_NONE;
	return cause;
}

/* The name of an event's chain. */
static inline struct bat_id
fake_chain(struct bat_store *store, uint32_t ordinal)
{
	for (;;) {
		const struct fake_event *event = &store->events[ordinal];
		struct bat_id name = event->id;

		if (!bat_id_is_zero(&event->corr))
			name = event->corr;
		else if (!bat_id_is_zero(&event->cause))
			name = event->cause;
		ordinal = bat_find_id_before(store, &name, ordinal);
		if (ordinal == BAT_MAP_NONE)
			return name;
	}
}

bool
bat_chain_find(struct bat_store *store, const struct bat_id *id,
    struct bat_chain *out)
{
	*out = (struct bat_chain){ *id, BAT_MAP_NONE, BAT_MAP_NONE };
	for (uint32_t i = 0; i < store->count; i++) {
		struct bat_id name = fake_chain(store, i);

		if (store->events[i].hidden || !bat_id_equal(&name, id))
			continue;
		if (out->first == BAT_MAP_NONE)
			out->first = i;
		else if (out->second == BAT_MAP_NONE)
			out->second = i;
	}
	return out->first != BAT_MAP_NONE;
}

bool
bat_chain_of(struct bat_store *store, uint32_t ordinal, struct bat_chain *out)
{
	struct bat_id name;

	if (ordinal >= store->count || store->events[ordinal].hidden)
		return false;
	name = fake_chain(store, ordinal);
	return bat_chain_find(store, &name, out);
}

bool
bat_chain_at(struct bat_store *store, uint32_t position, struct bat_chain *out)
{
	for (uint32_t i = 0; i < store->count; i++)
		if (bat_chain_of(store, i, out) && out->second == i &&
		    position-- == 0)
			return true;
	return false;
}

bool
bat_chain_ending_at(struct bat_store *store, uint8_t byte, uint32_t position,
    struct bat_chain *out)
{
	for (uint32_t i = 0; bat_chain_at(store, i, out); i++)
		if (out->id.bytes[15] == byte && position-- == 0)
			return true;
	return false;
}

/* Whole ones only. */
bool
bat_chain_prefix(struct bat_store *store, const struct bat_id *prefix,
    unsigned digits, uint32_t before, struct bat_chain *out)
{
	uint32_t ordinal;

	if (before == 0)
		before = store->count;
	if (digits != 32)
		return false;
	if (bat_chain_find(store, prefix, out) && out->first < before)
		return true;
	ordinal = bat_find_id_before(store, prefix, before);
	return ordinal != BAT_MAP_NONE && bat_chain_of(store, ordinal, out);
}

static inline bool
fake_leads_to(struct bat_store *store, uint32_t cause, uint32_t effect)
{
	bool gone;

	while (effect != BAT_MAP_NONE) {
		effect = bat_cause(store, effect, &gone);
		if (effect == cause)
			return true;
	}
	return false;
}

static inline bool
fake_in_causal(struct bat_store *store, const struct bat_list *list,
    uint32_t ordinal)
{
	struct bat_chain own, other;
	bool gone;

	switch ((unsigned)list->kind) {
	case BAT_LIST_EFFECTS:
		return bat_cause(store, ordinal, &gone) == list->event;
	case BAT_LIST_CAUSES:
		return fake_leads_to(store, ordinal, list->event);
	case BAT_LIST_CONSEQUENCES:
		return fake_leads_to(store, list->event, ordinal);
	default:
		return bat_chain_of(store, list->event, &own) &&
		    bat_chain_of(store, ordinal, &other) &&
		    own.first == other.first;
	}
}

#endif
