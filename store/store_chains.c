/*
 * Causality through the door: brings the maps up to date, with no lock on the
 * index while frames are read, and answers from them.
 *
 * Maps and index are asked together, the maps' mutex first. Maps of an older
 * generation answer nothing.
 */
#include "store_internal.h"

#include <stdlib.h>

/* Frames that are read between two looks at the index. */
#define BATCH 1024
/* Rows that are looked at without giving the lock away. */
#define ROWS_AT_ONCE 65536u

/* ---- bringing it up to date -------------------------------------------- */

struct batch {
	struct bat_segment_dir *dir; /* where they are read */
	uint64_t merges;	     /* of the index, when they were copied */
	struct bat_causality_row rows[BATCH];
	struct bat_causality_fact facts[BATCH];
};

/* The next events that are not in yet; returns how many. */
static size_t
copy_rows(struct bat_store *store, struct batch *batch)
{
	const struct bat_index *index;
	uint64_t generation;
	size_t count;

	do {
		uint32_t from;

		index = enter(store);
		generation = store->generation;
		if (generation != store->causality_generation)
			bat_causality_clear(&store->causality);
		store->causality_generation = generation;
		batch->dir = store->view->dir;
		batch->merges = index->merges;
		from = store->causality.count;
		for (count = 0; count < BATCH && count < index->count - from;
		     count++) {
			uint32_t ordinal = from + (uint32_t)count;
			struct bat_causality_row *row = &batch->rows[count];

			row->hot = *bat_index_hot_at(index, ordinal);
			row->segment = bat_index_segment_of(index, ordinal);
			row->offset = bat_index_offset_of(index, ordinal);
			row->entity = row->scope = BAT_SLICE_EMPTY;
			if (row->hot.entity == BAT_INTERN_NONE)
				continue;
			row->entity = bat_intern_get(&index->names,
			    row->hot.entity);
			row->scope = bat_intern_get(&index->names,
			    row->hot.scope);
		}
	} while (!leave(store));
	return count;
}

static int
add_facts(struct bat_store *store, const struct batch *batch, size_t count)
{
	struct bat_index *index = enter(store);
	int code = BAT_OK;

	if (store->generation != store->causality_generation)
		code = BAT_DATA_DISAGREES;
	for (size_t i = 0; i < count && code == BAT_OK; i++)
		code = bat_causality_add(&store->causality, index,
		    &batch->facts[i]);
	if (!leave(store))
		code = BAT_DATA_DISAGREES;
	return code;
}

/* Is everything in that is visible? */
static bool
is_up_to_date(struct bat_store *store)
{
	const struct bat_index *index = enter(store);
	bool is = store->generation == store->causality_generation &&
	    store->causality.count == index->count;

	return leave(store) && is;
}

/* The rows that were copied stand elsewhere by now: a compaction. */
static bool
have_moved(struct bat_store *store, const struct batch *batch)
{
	const struct bat_index *index = enter(store);
	bool moved = store->generation == store->causality_generation &&
	    index->merges != batch->merges;

	return leave(store) && moved;
}

static int
trace(struct bat_store *store, struct bat_error *error)
{
	struct batch *batch;
	size_t count;
	int code = BAT_OK;

	if (is_up_to_date(store))
		return BAT_OK;
	batch = malloc(sizeof(*batch));
	if (batch == NULL)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY, "no memory");
	while (code == BAT_OK && (count = copy_rows(store, batch)) > 0) {
		code = bat_causality_read(batch->dir, batch->rows, count,
		    batch->facts, error);
		if (code == BAT_OK)
			code = add_facts(store, batch, count);
		else if (have_moved(store, batch))
			code = BAT_OK;
		else if (code == BAT_DATA_DISAGREES)
			code = bat_store_rebuild(store,
			    store->causality_generation, error);
		else
			code = bat_store_doubt(store,
			    store->causality_generation, code);
	}
	free(batch);
	if (code == BAT_WORLD_NO_MEMORY)
		bat_error_set(error, code, "no memory for chains");
	return code;
}

int
bat_trace(struct bat_store *store, struct bat_error *error)
{
	int code;

	pthread_mutex_lock(&store->causality_mutex);
	code = trace(store, error);
	pthread_mutex_unlock(&store->causality_mutex);
	return code;
}

/* ---- asking ------------------------------------------------------------- */

/* The maps and the index, both; NULL: the maps are of another generation, or
 * not made. consult_end in any case. */
static struct bat_index *
consult(struct bat_store *store)
{
	struct bat_index *index;

	pthread_mutex_lock(&store->causality_mutex);
	index = enter(store);
	return store->generation == store->causality_generation ? index : NULL;
}

static void
consult_end(struct bat_store *store)
{
	/* A broken index is another generation: what was answered is void, and
	 * whoever asked sees that. */
	(void)leave(store);
	pthread_mutex_unlock(&store->causality_mutex);
}

uint32_t
bat_cause(struct bat_store *store, uint32_t ordinal, bool *out_gone)
{
	const struct bat_index *index = consult(store);
	uint32_t cause = BAT_CAUSALITY_NONE;

	if (index != NULL && ordinal < store->causality.count)
		cause = store->causality.cause[ordinal];
	consult_end(store);
	*out_gone = cause == BAT_CAUSALITY_GONE;
	return *out_gone ? BAT_MAP_NONE : cause;
}

/* The chain that begins with `first`, if any. */
static bool
describe(const struct bat_causality *causality, const struct bat_index *index,
    uint32_t first, struct bat_chain *out)
{
	uint32_t chain;

	if (first == BAT_CAUSALITY_NONE)
		return false;
	first = bat_causality_first(causality, first, &chain);
	if (first == BAT_CAUSALITY_NONE)
		return false;
	*out = (struct bat_chain){
		.id = bat_causality_name(causality, index, first),
		.first = first,
		.second = chain == BAT_CAUSALITY_NONE ?
		    BAT_MAP_NONE :
		    causality->chains[chain].second,
	};
	return true;
}

bool
bat_chain_of(struct bat_store *store, uint32_t ordinal, struct bat_chain *out)
{
	const struct bat_index *index = consult(store);
	bool found = index != NULL && ordinal < store->causality.count &&
	    describe(&store->causality, index, ordinal, out);

	consult_end(store);
	return found;
}

bool
bat_chain_find(struct bat_store *store, const struct bat_id *id,
    struct bat_chain *out)
{
	struct bat_index *index = consult(store);
	uint32_t first;
	bool found = index != NULL &&
	    bat_causality_find(&store->causality, index, id, &first) ==
		BAT_OK &&
	    describe(&store->causality, index, first, out);

	consult_end(store);
	return found;
}

bool
bat_chain_at(struct bat_store *store, uint32_t position, struct bat_chain *out)
{
	const struct bat_index *index = consult(store);
	bool found = index != NULL && position < store->causality.chain_count &&
	    describe(&store->causality, index,
		store->causality.chains[position].first, out);

	consult_end(store);
	return found;
}

bool
bat_chain_ending_at(struct bat_store *store, uint8_t byte, uint32_t position,
    struct bat_chain *out)
{
	const struct bat_index *index = consult(store);
	const struct bat_causality *causality = &store->causality;
	bool found = index != NULL &&
	    position < causality->by_byte[byte].count &&
	    describe(causality, index,
		causality->chains[causality->by_byte[byte].chains[position]]
		    .first,
		out);

	consult_end(store);
	return found;
}

uint32_t
bat_find_id_before(struct bat_store *store, const struct bat_id *id,
    uint32_t before)
{
	struct bat_index *index = consult(store);
	uint32_t ordinal = BAT_MAP_NONE;

	if (index != NULL &&
	    bat_causality_find_id(&store->causality, index, id, before,
		&ordinal) != BAT_OK)
		ordinal = BAT_MAP_NONE;
	consult_end(store);
	return ordinal;
}

/* ---- by the first digits ------------------------------------------------ */

struct search {
	const struct bat_id *prefix;
	unsigned digits;
	uint32_t before;
	uint32_t first; /* of the chain that was found */
	bool several;
};

static bool
begins(const struct search *search, const struct bat_id *id)
{
	unsigned bytes = search->digits / 2;

	if (memcmp(id->bytes, search->prefix->bytes, bytes) != 0)
		return false;
	return search->digits % 2 == 0 ||
	    (id->bytes[bytes] ^ search->prefix->bytes[bytes]) >> 4 == 0;
}

static void
note(struct search *search, const struct bat_causality *causality,
    uint32_t ordinal)
{
	uint32_t chain;
	uint32_t first = bat_causality_first(causality, ordinal, &chain);

	if (first == BAT_CAUSALITY_NONE)
		return;
	search->several |= search->first != BAT_CAUSALITY_NONE &&
	    search->first != first;
	search->first = first;
}

/* Some rows more; false: that were all. */
static bool
search_rows(struct bat_store *store, struct search *search, uint32_t *at)
{
	const struct bat_index *index = consult(store);
	const struct bat_causality *causality = &store->causality;
	uint32_t end = 0;

	if (index != NULL)
		end = search->before < causality->count ? search->before :
							  causality->count;
	for (uint32_t i = 0; i < ROWS_AT_ONCE && *at < end; i++, (*at)++)
		if (begins(search, &bat_index_hot_at(index, *at)->id))
			note(search, causality, *at);
	consult_end(store);
	return *at < end && !search->several;
}

bool
bat_chain_prefix(struct bat_store *store, const struct bat_id *prefix,
    unsigned digits, uint32_t before, struct bat_chain *out)
{
	const struct bat_causality *causality = &store->causality;
	struct search search = { prefix, digits,
		before == 0 ? UINT32_MAX : before, BAT_CAUSALITY_NONE, false };
	struct bat_index *index;
	uint32_t at = 0;
	bool found;

	if (digits == 2 * sizeof(prefix->bytes)) {
		if (bat_chain_find(store, prefix, out) &&
		    out->first < search.before)
			return true;
		at = bat_find_id_before(store, prefix, search.before);
		return at != BAT_MAP_NONE && bat_chain_of(store, at, out);
	}
	while (search_rows(store, &search, &at))
		;
	index = consult(store);
	for (uint32_t i = 0; index != NULL && i < causality->named_count; i++)
		if (causality->named[i].first < search.before &&
		    begins(&search, &causality->named[i].id))
			note(&search, causality, causality->named[i].first);
	found = index != NULL && !search.several &&
	    describe(causality, index, search.first, out);
	consult_end(store);
	return found;
}

/* ---- lists -------------------------------------------------------------- */

static bool
kind_of(const struct bat_list *list, enum bat_causality_kind *out)
{
	switch (list->kind) {
	case BAT_LIST_CHAIN:
		*out = BAT_CAUSALITY_CHAIN;
		return true;
	case BAT_LIST_CHAIN_TREE:
		*out = BAT_CAUSALITY_TREE;
		return true;
	case BAT_LIST_EFFECTS:
		*out = BAT_CAUSALITY_EFFECTS;
		return true;
	case BAT_LIST_CAUSES:
		*out = BAT_CAUSALITY_CAUSES;
		return true;
	case BAT_LIST_CONSEQUENCES:
		*out = BAT_CAUSALITY_CONSEQUENCES;
		return true;
	case BAT_LIST_ALL:
	case BAT_LIST_ENTITY:
	case BAT_LIST_MEMBER:
		break;
	}
	return false;
}

bool
bat_store_is_causal(const struct bat_list *list)
{
	enum bat_causality_kind kind;

	return kind_of(list, &kind);
}

static uint32_t
end_of(const struct bat_list *list)
{
	return list->before == 0 ? UINT32_MAX : list->before;
}

void
bat_store_causal_stat(struct bat_store *store, const struct bat_list *list,
    struct bat_list_stat *out)
{
	const struct bat_index *index = consult(store);
	enum bat_causality_kind kind = BAT_CAUSALITY_CHAIN;
	uint32_t count = 0, first, last;

	memset(out, 0, sizeof(*out));
	(void)kind_of(list, &kind);
	if (index != NULL && list->event < store->causality.count &&
	    bat_causality_ends(&store->causality, kind, list->event,
		end_of(list), &count, &first, &last) == BAT_OK &&
	    count > 0) {
		out->count = count;
		out->first = first;
		out->last = last;
		out->first_wall_ms = bat_index_wall_ms(index, first);
		out->last_wall_ms = bat_index_wall_ms(index, last);
	}
	consult_end(store);
}

size_t
bat_store_causal_next(struct bat_store *store, const struct bat_list *list,
    uint64_t *cursor, uint32_t *ordinals, size_t max)
{
	const struct bat_index *index = consult(store);
	enum bat_causality_kind kind = BAT_CAUSALITY_CHAIN;
	size_t count = 0;

	(void)kind_of(list, &kind);
	if (index != NULL && list->event < store->causality.count &&
	    bat_causality_next(&store->causality, kind, list->event,
		end_of(list), cursor, ordinals, max, &count) != BAT_OK)
		count = 0;
	consult_end(store);
	return count;
}
