/*
 * Tallies: of each entity, scope and kind, how many events it has, which are
 * the first and the last, and how long their lines are together. They cost 24
 * bytes a name and one look at each event, from when a table is first asked
 * for; a line that nobody asked the length of yet is rendered.
 */
#include "tree_internal.h"

#include <stdlib.h>

/* What is looked at between two times that the mutex is free. */
#define PIECE 256

#define SORTS 3

struct look {
	uint32_t numbers[SORTS];
	uint32_t ordinal, length;
};

void
batfs_tree_tallies_free(struct batfs_tree_tallies *tallies)
{
	for (size_t i = 0; i < SORTS; i++)
		free(tallies->items[i]);
	*tallies = (struct batfs_tree_tallies){ .seen = 0 };
}

static int
reserve(struct batfs_tree_tallies *tallies, unsigned sort, uint32_t number)
{
	uint32_t count = tallies->counts[sort], wanted;
	struct batfs_tree_tally *larger;

	if (number < count)
		return BAT_OK;
	wanted = count + count / 2 + 16;
	if (wanted <= number)
		wanted = number + 1;
	larger = reallocarray(tallies->items[sort], wanted, sizeof(*larger));
	if (larger == NULL)
		return BAT_WORLD_NO_MEMORY;
	memset(larger + count, 0, (wanted - count) * sizeof(*larger));
	tallies->items[sort] = larger;
	tallies->counts[sort] = wanted;
	return BAT_OK;
}

/* All that may fail comes first: an event counts wholly or not at all. */
static int
add(struct batfs_tree_tallies *tallies, const struct look *look)
{
	int code = BAT_OK;

	for (unsigned sort = 0; code == BAT_OK && sort < SORTS; sort++)
		code = reserve(tallies, sort, look->numbers[sort]);
	for (unsigned sort = 0; code == BAT_OK && sort < SORTS; sort++) {
		struct batfs_tree_tally *tally =
		    &tallies->items[sort][look->numbers[sort]];

		if (tally->count++ == 0)
			tally->first = look->ordinal;
		tally->last = look->ordinal;
		tally->bytes += look->length;
	}
	return code;
}

/* Without the mutex: lines may have to be read. Damaged places of which
 * nothing is known stand in no table. */
static int
look_at(struct batfs_tree *tree, uint32_t from, uint32_t to, struct look *looks,
    size_t *out_count, struct bat_error *error)
{
	size_t count = 0;
	int code = BAT_OK;

	for (uint32_t i = from; code == BAT_OK && i < to; i++) {
		struct bat_row row;

		if (!bat_row(tree->store, i, &row) ||
		    row.entity == BAT_MAP_NONE)
			continue;
		looks[count] = (struct look){
			.numbers = { row.entity, row.scope,
			    bat_kind_mapped(row.kind) },
			.ordinal = i,
		};
		code = batfs_stream_line_length(tree->streams, i,
		    &looks[count].length, error);
		count++;
	}
	*out_count = count;
	return code;
}

int
batfs_tree_tally(struct batfs_tree *tree, struct batfs_tree_tallies *tallies,
    uint32_t end, struct bat_error *error)
{
	struct batfs_tree_tables *tables = &tree->tables;
	struct look *looks = malloc(PIECE * sizeof(*looks));
	int code = looks == NULL ? BAT_WORLD_NO_MEMORY : BAT_OK;

	while (code == BAT_OK && tallies->seen < end) {
		uint64_t generation = tallies->generation;
		uint32_t from = tallies->seen;
		uint32_t to = end - from > PIECE ? from + PIECE : end;
		size_t count;

		pthread_mutex_unlock(&tables->mutex);
		code = look_at(tree, from, to, looks, &count, error);
		pthread_mutex_lock(&tables->mutex);
		/* Somebody else may have done this piece meanwhile. */
		if (code != BAT_OK || tallies->generation != generation ||
		    tallies->seen != from)
			continue;
		for (size_t i = 0; code == BAT_OK && i < count; i++)
			code = add(tallies, &looks[i]);
		if (code == BAT_OK)
			tallies->seen = to;
		else
			batfs_tree_tallies_free(tallies);
	}
	free(looks);
	return code;
}
