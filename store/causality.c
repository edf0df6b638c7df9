#include "causality.h"

#include <stdlib.h>

/* In chain_of, in place of the number of a chain of several. */
#define ALONE UINT32_MAX	     /* named by its own id */
#define ALONE_NAMED (UINT32_MAX - 1) /* one of `named` */
#define OUT (UINT32_MAX - 2)	     /* in no chain */

/* ---- the two hash tables ask these ---------------------------------- */

static bool
twin_same(const void *context, uint32_t ordinal, struct bat_slice key)
{
	const struct bat_causality *causality = context;

	return memcmp(&bat_index_hot_at(causality->index, ordinal)->id,
		   key.data, sizeof(struct bat_id)) == 0;
}

static uint64_t
twin_hash(const void *context, uint32_t ordinal)
{
	const struct bat_causality *causality = context;

	return bat_map_hash(
	    bat_bytes_slice(&bat_index_hot_at(causality->index, ordinal)->id,
		sizeof(struct bat_id)));
}

static bool
name_same(const void *context, uint32_t place, struct bat_slice key)
{
	const struct bat_causality *causality = context;

	return memcmp(&causality->named[place].id, key.data,
		   sizeof(struct bat_id)) == 0;
}

static uint64_t
name_hash(const void *context, uint32_t place)
{
	const struct bat_causality *causality = context;

	return bat_map_hash(bat_bytes_slice(&causality->named[place].id,
	    sizeof(struct bat_id)));
}

static struct bat_slice
key_of(const struct bat_id *id)
{
	return bat_bytes_slice(id, sizeof(*id));
}

/* ---- life ------------------------------------------------------------ */

void
bat_causality_init(struct bat_causality *causality)
{
	memset(causality, 0, sizeof(*causality));
	bat_map_init(&causality->by_name, causality, name_same, name_hash);
	bat_map_init(&causality->twins, causality, twin_same, twin_hash);
}

void
bat_causality_free(struct bat_causality *causality)
{
	free(causality->chain_of);
	free(causality->cause);
	free(causality->next);
	free(causality->chains);
	free(causality->named);
	for (unsigned i = 0; i < 256; i++)
		free(causality->by_byte[i].chains);
	for (unsigned i = 0; i < BAT_CAUSALITY_LISTS; i++)
		free(causality->lists[i].ordinals);
	bat_map_free(&causality->by_name);
	bat_map_free(&causality->twins);
}

void
bat_causality_clear(struct bat_causality *causality)
{
	bat_causality_free(causality);
	bat_causality_init(causality);
}

/* ---- asking ---------------------------------------------------------- */

int
bat_causality_find_id(struct bat_causality *causality, struct bat_index *index,
    const struct bat_id *id, uint32_t before, uint32_t *out)
{
	int code;
	uint32_t found = bat_index_find_id(index, id, &code);

	*out = BAT_CAUSALITY_NONE;
	if (code != BAT_OK)
		return code;
	if (found == BAT_INDEX_NOTHING || found < before) {
		*out = found;
		return BAT_OK;
	}
	/* Only one of several events with this id can stand before. */
	causality->index = index;
	found = bat_map_find(&causality->twins, key_of(id));
	if (found == BAT_MAP_NONE)
		return BAT_OK;
	if (found < before) {
		*out = found;
		return BAT_OK;
	}
	while (before-- > 0) {
		const struct bat_index_hot *hot = bat_index_hot_at(index,
		    before);

		if (!hot->hidden && bat_id_equal(&hot->id, id) &&
		    hot->entity != BAT_INTERN_NONE) {
			*out = before;
			break;
		}
	}
	return BAT_OK;
}

/* The place of the chain that begins with this event among the named ones. */
static uint32_t
named_place(const struct bat_causality *causality, uint32_t first)
{
	uint32_t low = 0, high = causality->named_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (causality->named[middle].first < first)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t
bat_causality_first(const struct bat_causality *causality, uint32_t ordinal,
    uint32_t *out_chain)
{
	uint32_t chain = causality->chain_of[ordinal];

	*out_chain = BAT_CAUSALITY_NONE;
	if (chain == OUT)
		return BAT_CAUSALITY_NONE;
	if (chain == ALONE || chain == ALONE_NAMED)
		return ordinal;
	*out_chain = chain;
	return causality->chains[chain].first;
}

struct bat_id
bat_causality_name(const struct bat_causality *causality,
    const struct bat_index *index, uint32_t first)
{
	uint32_t chain = causality->chain_of[first];
	uint32_t place = BAT_CAUSALITY_NONE;

	if (chain == ALONE_NAMED)
		place = named_place(causality, first);
	else if (chain != ALONE)
		place = causality->chains[chain].named;
	return place == BAT_CAUSALITY_NONE ?
	    bat_index_hot_at(index, first)->id :
	    causality->named[place].id;
}

int
bat_causality_find(struct bat_causality *causality, struct bat_index *index,
    const struct bat_id *name, uint32_t *out_first)
{
	uint32_t place = bat_map_find(&causality->by_name, key_of(name));
	uint32_t found, chain;
	int code;

	*out_first = BAT_CAUSALITY_NONE;
	if (place != BAT_MAP_NONE) {
		*out_first = causality->named[place].first;
		return BAT_OK;
	}
	found = bat_index_find_id(index, name, &code);
	if (code != BAT_OK || found == BAT_INDEX_NOTHING ||
	    found >= causality->count)
		return code;
	chain = causality->chain_of[found];
	if (chain == ALONE ||
	    (chain < causality->chain_count &&
		causality->chains[chain].first == found &&
		causality->chains[chain].named == BAT_CAUSALITY_NONE))
		*out_first = found;
	return BAT_OK;
}

/* ---- adding ---------------------------------------------------------- */

static int
grow(void *array, uint32_t *capacity, uint32_t need, size_t size)
{
	void **items = array;
	uint32_t wanted = *capacity + *capacity / 2;
	void *larger;

	if (need <= *capacity)
		return BAT_OK;
	if (wanted < need)
		wanted = need + 15;
	larger = realloc(*items, (size_t)wanted * size);
	if (larger == NULL)
		return BAT_WORLD_NO_MEMORY;
	*items = larger;
	*capacity = wanted;
	return BAT_OK;
}

/* Room for an event more. */
static int
grow_events(struct bat_causality *causality)
{
	uint32_t need = causality->count + 1;
	uint32_t capacities[3] = { causality->capacity, causality->capacity,
		causality->capacity };
	int code;

	if (need <= causality->capacity)
		return BAT_OK;
	code = grow(&causality->chain_of, &capacities[0], need,
	    sizeof(uint32_t));
	if (code == BAT_OK)
		code = grow(&causality->cause, &capacities[1], need,
		    sizeof(uint32_t));
	if (code == BAT_OK)
		code = grow(&causality->next, &capacities[2], need,
		    sizeof(uint32_t));
	if (code == BAT_OK)
		causality->capacity = capacities[0];
	return code;
}

/* A chain that had one event gets its second. */
static int
make_chain(struct bat_causality *causality, const struct bat_index *index,
    uint32_t first, uint32_t second)
{
	uint32_t number = causality->chain_count;
	struct bat_id name = bat_causality_name(causality, index, first);
	uint8_t byte = name.bytes[sizeof(name.bytes) - 1];
	int code = grow(&causality->chains, &causality->chain_capacity,
	    number + 1, sizeof(*causality->chains));

	if (code == BAT_OK)
		code = grow(&causality->by_byte[byte].chains,
		    &causality->by_byte[byte].capacity,
		    causality->by_byte[byte].count + 1, sizeof(uint32_t));
	if (code != BAT_OK)
		return code;
	causality->chains[number] = (struct bat_causality_chain){
		.first = first,
		.second = second,
		.last = second,
		.count = 2,
		.named = causality->chain_of[first] == ALONE_NAMED ?
		    named_place(causality, first) :
		    BAT_CAUSALITY_NONE,
	};
	causality->by_byte[byte].chains[causality->by_byte[byte].count++] =
	    number;
	causality->chain_count++;
	causality->chain_of[first] = causality->chain_of[second] = number;
	causality->next[first] = second;
	return BAT_OK;
}

/* The event that is being added belongs to the chain of an earlier one. */
static int
join(struct bat_causality *causality, const struct bat_index *index,
    uint32_t earlier)
{
	uint32_t ordinal = causality->count;
	uint32_t number = causality->chain_of[earlier];
	struct bat_causality_chain *chain;

	if (number == ALONE || number == ALONE_NAMED)
		return make_chain(causality, index, earlier, ordinal);
	chain = &causality->chains[number];
	causality->chain_of[ordinal] = number;
	causality->next[chain->last] = ordinal;
	chain->last = ordinal;
	chain->count++;
	return BAT_OK;
}

/* It belongs to the chain of this name. own: which is its id; latest: and the
 * index finds it by that. */
static int
join_named(struct bat_causality *causality, const struct bat_index *index,
    const struct bat_id *name, bool own, bool latest)
{
	uint32_t ordinal = causality->count;
	uint32_t place = bat_map_find(&causality->by_name, key_of(name));
	int code;

	if (place != BAT_MAP_NONE)
		return join(causality, index, causality->named[place].first);
	if (own && latest) {
		causality->chain_of[ordinal] = ALONE;
		return BAT_OK;
	}
	code = grow(&causality->named, &causality->named_capacity,
	    causality->named_count + 1, sizeof(*causality->named));
	if (code != BAT_OK)
		return code;
	causality->named[causality->named_count] =
	    (struct bat_causality_named){ *name, ordinal };
	code = bat_map_put(&causality->by_name, key_of(name),
	    causality->named_count);
	if (code != BAT_OK)
		return code;
	causality->named_count++;
	causality->chain_of[ordinal] = ALONE_NAMED;
	return BAT_OK;
}

static int
add_visible(struct bat_causality *causality, struct bat_index *index,
    const struct bat_id *own, const struct bat_causality_fact *fact)
{
	uint32_t ordinal = causality->count;
	uint32_t by_corr = BAT_CAUSALITY_NONE, by_cause = BAT_CAUSALITY_NONE;
	const struct bat_id *name = own;
	bool latest = true;
	int code;

	if (!bat_id_is_zero(&fact->cause)) {
		name = &fact->cause;
		code = bat_causality_find_id(causality, index, name, ordinal,
		    &by_cause);
		if (code != BAT_OK)
			return code;
		causality->cause[ordinal] = by_cause == BAT_CAUSALITY_NONE ?
		    BAT_CAUSALITY_GONE :
		    by_cause;
	}
	if (!bat_id_equal(&fact->corr, own)) {
		name = &fact->corr;
		code = bat_causality_find_id(causality, index, name, ordinal,
		    &by_corr);
		if (code != BAT_OK)
			return code;
	}
	latest = bat_index_find_id(index, own, &code) == ordinal;
	if (code != BAT_OK)
		return code;
	if (name == &fact->corr && by_corr != BAT_CAUSALITY_NONE)
		code = join(causality, index, by_corr);
	else if (name == &fact->cause && by_cause != BAT_CAUSALITY_NONE)
		code = join(causality, index, by_cause);
	else
		code = join_named(causality, index, name, name == own, latest);
	if (code == BAT_OK && !latest) {
		causality->index = index;
		code = bat_map_put(&causality->twins, key_of(own), ordinal);
	}
	return code;
}

int
bat_causality_add(struct bat_causality *causality, struct bat_index *index,
    const struct bat_causality_fact *fact)
{
	uint32_t ordinal = causality->count;
	const struct bat_index_hot *hot = bat_index_hot_at(index, ordinal);
	int code = grow_events(causality);

	if (code == BAT_OK) {
		causality->chain_of[ordinal] = OUT;
		causality->cause[ordinal] = BAT_CAUSALITY_NONE;
		causality->next[ordinal] = BAT_CAUSALITY_NONE;
		if (!hot->hidden && hot->entity != BAT_INTERN_NONE)
			code = add_visible(causality, index, &hot->id, fact);
	}
	if (code == BAT_OK)
		causality->count++;
	else
		bat_causality_clear(causality);
	return code;
}
