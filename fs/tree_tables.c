/*
 * by/entities.tsv and the others: a line for each name, so that sort, join and
 * awk can work on them. Made as a whole when somebody asks; while nothing is
 * appended a short one is kept, and of a long one its size.
 */
#include "tree_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "name.h"
#include "render.h"

#define KEPT_BYTES (1u << 20)
#define CHAINS_MAX 1000

static const char head_line[] =
    "#events\tfirst_seq\tlast_seq\tfirst_time\tlast_time\tbytes\tname\n";

static unsigned
which_of(const struct batfs_node *node)
{
	return (unsigned)node->class - BATFS_BY_ENTITIES;
}

/* ---- lines ------------------------------------------------------------------ */

/* Of the store's order of time: in milliseconds. */
static int
put_time(const struct bat_row *row, struct bat_buf *buf)
{
	int code = batfs_render_time(batfs_tree_time_of(row) * 1000, buf);

	if (code != BAT_OK)
		return code;
	buf->length -= sizeof("000Z") - 1;
	return bat_bytes_append_text(buf, "Z\t");
}

static int
put_line(struct batfs_tree *tree, const struct batfs_tree_tally *tally,
    struct bat_slice name, struct bat_buf *buf)
{
	struct bat_row first, last;
	int code;

	if (!bat_row(tree->store, tally->first, &first) ||
	    !bat_row(tree->store, tally->last, &last))
		return BAT_DATA_DISAGREES;
	code = bat_bytes_append_format(buf,
	    "%" PRIu32 "\t%" PRIu64 "\t%" PRIu64 "\t", tally->count, first.seq,
	    last.seq);
	if (code == BAT_OK)
		code = put_time(&first, buf);
	if (code == BAT_OK)
		code = put_time(&last, buf);
	if (code == BAT_OK)
		code = bat_bytes_append_format(buf, "%" PRIu64 "\t",
		    tally->bytes);
	if (code == BAT_OK)
		code = bat_bytes_append_slice(buf, name);
	return code == BAT_OK ? bat_bytes_append_byte(buf, '\n') : code;
}

/* ---- entities, scopes, kinds -------------------------------------------------- */

/* The names of a table, and how they are to be ordered. */
struct item {
	uint32_t number;
	uint32_t length;
	size_t offset; /* in names */
};

struct items {
	struct item *items;
	size_t count;
	struct bat_buf names;
};

static struct bat_slice
name_at(const struct items *items, const struct item *item)
{
	return bat_bytes_slice(items->names.data + item->offset, item->length);
}

static int
compare(const void *a, const void *b, void *context)
{
	return bat_bytes_compare(name_at(context, a), name_at(context, b));
}

static int
put_name(struct batfs_tree *tree, unsigned which, uint32_t number,
    struct bat_buf *buf)
{
	char kind[6];

	if (which != BATFS_TREE_TALLY_KINDS)
		return batfs_name_encode(bat_name(tree->store, number), buf);
	bat_kind_to_text((uint16_t)number, kind);
	return bat_bytes_append_text(buf, kind);
}

static int
collect(struct batfs_tree *tree, unsigned which,
    const struct batfs_tree_tallies *tallies, struct items *out)
{
	const struct batfs_tree_tally *all = tallies->items[which];
	size_t count = 0;
	int code = BAT_OK;

	for (uint32_t i = 0; i < tallies->counts[which]; i++)
		count += all[i].count > 0;
	out->items = calloc(count + 1, sizeof(*out->items));
	if (out->items == NULL)
		return BAT_WORLD_NO_MEMORY;
	for (uint32_t i = 0; code == BAT_OK && i < tallies->counts[which];
	     i++) {
		struct item *item = &out->items[out->count];

		if (all[i].count == 0)
			continue;
		item->number = i;
		item->offset = out->names.length;
		code = put_name(tree, which, i, &out->names);
		item->length = (uint32_t)(out->names.length - item->offset);
		out->count++;
	}
	if (code == BAT_OK)
		qsort_r(out->items, out->count, sizeof(*out->items), compare,
		    out);
	return code;
}

static int
put_names(struct batfs_tree *tree, unsigned which,
    const struct batfs_tree_tallies *tallies, struct bat_buf *buf)
{
	struct items items = { .names = BAT_BUF_EMPTY };
	int code = collect(tree, which, tallies, &items);

	for (size_t i = 0; code == BAT_OK && i < items.count; i++) {
		const struct item *item = &items.items[i];

		code = put_line(tree, &tallies->items[which][item->number],
		    name_at(&items, item), buf);
	}
	free(items.items);
	bat_bytes_free(&items.names);
	return code;
}

/* With the mutex of tables. *end: of the events that it is to show; those that
 * it shows. */
static int
build_names(struct batfs_tree *tree, unsigned which, bool past, uint32_t *end,
    struct bat_buf *buf, struct bat_error *error)
{
	struct batfs_tree_tallies *own = &tree->tables.tallies;
	struct batfs_tree_tallies apart = { .seen = 0 };
	struct batfs_tree_tallies *tallies = past ? &apart : own;
	uint64_t generation = batfs_tree_generation(tree);
	int code;

	if (tallies->generation != generation)
		batfs_tree_tallies_free(tallies);
	tallies->generation = generation;
	code = batfs_tree_tally(tree, tallies, *end, error);
	if (code == BAT_OK && (tallies->generation != generation))
		code = BAT_DATA_DISAGREES;
	*end = tallies->seen;
	if (code == BAT_OK)
		code = put_names(tree, which, tallies, buf);
	batfs_tree_tallies_free(&apart);
	return code;
}

/* ---- chains ------------------------------------------------------------------- */

/* The chain at a position, if it was one by then. */
static bool
chain_at(struct batfs_tree *tree, uint64_t position, uint32_t before,
    struct bat_chain *out)
{
	return position < UINT32_MAX &&
	    bat_chain_at(tree->store, (uint32_t)position, out) &&
	    (before == 0 || out->second < before);
}

static uint64_t
count_chains(struct batfs_tree *tree, uint32_t before)
{
	struct bat_chain chain;
	uint64_t low = 0, high = 1;

	while (chain_at(tree, high - 1, before, &chain)) {
		low = high;
		high *= 2;
	}
	/* There are low of them at least, and fewer than high. */
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (chain_at(tree, middle - 1, before, &chain))
			low = middle;
		else
			high = middle;
	}
	return low;
}

static int
put_chain(struct batfs_tree *tree, const struct bat_chain *chain,
    uint32_t before, struct bat_buf *buf, struct bat_error *error)
{
	const struct batfs_stream_key key = {
		.list = { .kind = BAT_LIST_CHAIN,
		    .event = chain->first,
		    .before = before },
		.to_seq = UINT64_MAX,
	};
	struct batfs_tree_tally tally;
	struct bat_list_stat stat;
	char id[33];
	int code;

	if (!bat_list_stat(tree->store, &key.list, &stat))
		return BAT_DATA_DISAGREES;
	tally = (struct batfs_tree_tally){
		.count = (uint32_t)stat.count,
		.first = stat.first,
		.last = stat.last,
	};
	code = batfs_stream_size(tree->streams, &key, &tally.bytes, error);
	bat_id_to_hex(&chain->id, id);
	return code == BAT_OK ?
	    put_line(tree, &tally, bat_bytes_text(id), buf) :
	    code;
}

/* Of all moments one: what comes meanwhile is left out. */
static int
build_chains(struct batfs_tree *tree, uint32_t end, struct bat_buf *buf,
    struct bat_error *error)
{
	struct bat_chain chain;
	uint64_t count, left = CHAINS_MAX;
	int code = batfs_tree_trace(tree, error);

	if (code != BAT_OK || end == 0)
		return code;
	count = count_chains(tree, end);
	for (; code == BAT_OK && count > 0 && left > 0; left--)
		code = chain_at(tree, --count, end, &chain) ?
		    put_chain(tree, &chain, end, buf, error) :
		    BAT_DATA_DISAGREES;
	return code;
}

/* ---- the files ---------------------------------------------------------------- */

/* With the mutex: one table at a time is made. */
static int
build(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf, uint32_t *end, struct bat_error *error)
{
	unsigned which = which_of(node);
	int code = bat_bytes_append_text(buf, head_line);

	if (code != BAT_OK)
		return code;
	if (node->class != BATFS_BY_CHAINS)
		return build_names(tree, which,
		    batfs_tree_before(tree, node) != 0, end, buf, error);
	pthread_mutex_unlock(&tree->tables.mutex);
	code = build_chains(tree, *end, buf, error);
	pthread_mutex_lock(&tree->tables.mutex);
	return code;
}

static void
keep(struct batfs_tree_table *table, uint64_t generation, uint32_t end,
    struct bat_buf *text)
{
	bat_bytes_free(&table->text);
	*table = (struct batfs_tree_table){
		.generation = generation,
		.end = end,
		.size = text->length,
		.text = BAT_BUF_EMPTY,
	};
	if (text->length > KEPT_BYTES)
		return;
	table->text = *text;
	*text = BAT_BUF_EMPTY;
}

/* The size of a table and, if it is wanted, the text onto buf. */
static int
make(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf, uint64_t *out_size, struct bat_error *error)
{
	struct batfs_tree_table *table = &tree->tables.kept[which_of(node)];
	struct bat_buf text = BAT_BUF_EMPTY;
	struct bat_head head;
	uint32_t end = batfs_tree_before(tree, node);
	int code = BAT_OK;

	bat_head(tree->store, &head);
	if (end == 0)
		end = head.ordinals;
	pthread_mutex_lock(&tree->tables.mutex);
	if (table->generation != head.generation ||
	    (table->end != end && !BAT_PLANT(131)) || end == 0 ||
	    (buf != NULL && table->size > KEPT_BYTES)) {
		code = build(tree, node, &text, &end, error);
		if (code == BAT_OK && buf != NULL)
			code = bat_bytes_append_slice(buf,
			    bat_bytes_of_buf(&text));
		*out_size = text.length;
		if (code == BAT_OK)
			keep(table, head.generation, end, &text);
	} else {
		*out_size = table->size;
		if (buf != NULL)
			code = bat_bytes_append_slice(buf,
			    bat_bytes_of_buf(&table->text));
	}
	pthread_mutex_unlock(&tree->tables.mutex);
	bat_bytes_free(&text);
	return code;
}

int
batfs_tree_measure_table(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	int code = batfs_tree_measure_log(tree, node, false, out, error);

	if (code == BAT_OK && want_size)
		code = make(tree, node, NULL, &out->size, error);
	return code;
}

int
batfs_tree_read_table(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	struct bat_buf text = BAT_BUF_EMPTY;
	uint64_t length;
	int code = make(tree, node, &text, &length, error);

	if (code == BAT_OK)
		code = batfs_tree_slice(bat_bytes_of_buf(&text), offset, size,
		    buf);
	bat_bytes_free(&text);
	return code;
}
