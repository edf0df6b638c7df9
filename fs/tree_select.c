/*
 * Selections: the lines of a list that some words let through, all of them
 * together (`kind=f,entity=player,clock=3-9`). A stream names its selection by
 * the words, which are a number of the tree's names; they are read again at
 * each step, since what they mean in the store may have changed.
 *
 * Our own words stand in no name: `=P` is the entity P and all P:...
 */
#include "tree_internal.h"

#include "moment.h"
#include "name.h"

/* What a walk takes from a list at once. */
#define PIECE 64

/* ---- words ------------------------------------------------------------------ */

static bool
is_text(struct bat_slice value, const char *text)
{
	return bat_bytes_equal(value, bat_bytes_text(text));
}

/* "7", or "3-9" with both ends included. */
static bool
read_clock(struct bat_slice value, struct batfs_tree_selection *out)
{
	const uint8_t *dash = value.length == 0 ?
	    NULL :
	    memchr(value.data, '-', value.length);
	struct bat_slice from = value, to = value;
	uint64_t low, high;

	if (dash != NULL) {
		from.length = (size_t)(dash - value.data);
		to = bat_bytes_slice(dash + 1, value.length - from.length - 1);
	}
	if (!batfs_name_number(from, &low) || !batfs_name_number(to, &high) ||
	    low > high || high > UINT32_MAX)
		return false;
	out->clock_from = (uint32_t)low;
	out->clock_to = (uint32_t)high;
	return true;
}

/* "f" is a category, "f.001" a kind, which may have a name too. */
static bool
read_kind(struct batfs_tree *tree, struct bat_slice value,
    struct batfs_tree_selection *out)
{
	char text[6];
	uint16_t kind;

	for (uint16_t category = 0; category < 16; category++) {
		kind = (uint16_t)(category << 12);
		bat_kind_to_text(kind, text);
		if (value.length != 1 || value.data[0] != (uint8_t)text[0])
			continue;
		out->kind = kind;
		out->category = true;
		return true;
	}
	return bat_kind_from_text(value, &out->kind) ||
	    batfs_kinds_find(tree->options.kinds, value, &out->kind);
}

/* Whole milliseconds, as the store orders events: what is within the same one
 * is included at both ends. */
static bool
read_time(struct bat_slice value, int64_t *out_ms)
{
	int64_t us;

	if (!batfs_moment_parse(value, &us))
		return false;
	*out_ms = us / 1000 - (us % 1000 < 0);
	return true;
}

static int
read_scope(struct batfs_tree *tree, struct bat_slice value,
    struct batfs_tree_selection *out)
{
	struct bat_buf stored = BAT_BUF_EMPTY;
	int code = batfs_tree_stored_name(tree, value, &stored);

	if (code == BAT_OK)
		out->scope = bat_find_scope(tree->store,
		    bat_bytes_of_buf(&stored));
	bat_bytes_free(&stored);
	return code;
}

static int
read_word(struct batfs_tree *tree, struct bat_slice key, struct bat_slice value,
    struct batfs_tree_selection *out)
{
	static const char *const keys[] = { "entity", "scope", "kind", "clock",
		"since", "until" };
	unsigned which = 0;
	bool good = false;

	while (which < 6 && !is_text(key, keys[which]))
		which++;
	if (which == 6 || (out->seen >> which & 1) != 0)
		return BAT_STATE_NOT_FOUND;
	out->seen |= 1u << which;
	switch (1u << which) {
	case BATFS_TREE_SELECT_ENTITY:
		return batfs_tree_stored_name(tree, value, &out->entity);
	case BATFS_TREE_SELECT_SCOPE:
		return read_scope(tree, value, out);
	case BATFS_TREE_SELECT_KIND:
		good = read_kind(tree, value, out);
		break;
	case BATFS_TREE_SELECT_CLOCK:
		good = read_clock(value, out);
		break;
	case BATFS_TREE_SELECT_SINCE:
		good = read_time(value, &out->since_ms);
		break;
	case BATFS_TREE_SELECT_UNTIL:
		good = read_time(value, &out->until_ms);
		break;
	}
	return good ? BAT_OK : BAT_STATE_NOT_FOUND;
}

int
batfs_tree_select(struct batfs_tree *tree, struct bat_slice words,
    struct batfs_tree_selection *out)
{
	struct bat_slice rest = words, key, value;
	int code = BAT_STATE_NOT_FOUND;

	*out = (struct batfs_tree_selection){ .entity = BAT_BUF_EMPTY };
	if (words.length > 0 && words.data[0] == '=') {
		out->seen = BATFS_TREE_SELECT_ENTITY;
		return bat_bytes_append(&out->entity, words.data + 1,
		    words.length - 1);
	}
	if (words.length == 0)
		return code;
	while ((code = batfs_name_next_word(&rest, &key, &value)) == BAT_OK) {
		code = read_word(tree, key, value, out);
		if (code != BAT_OK)
			break;
	}
	if (code == BAT_END)
		return BAT_OK;
	batfs_tree_selection_free(out);
	return code == BAT_USE_INVALID ? BAT_STATE_NOT_FOUND : code;
}

void
batfs_tree_selection_free(struct batfs_tree_selection *selection)
{
	bat_bytes_free(&selection->entity);
}

/* ---- events ----------------------------------------------------------------- */

/* What was found out of one entity; most events follow one of the same. */
struct walk {
	struct batfs_tree *tree;
	const struct batfs_tree_selection *selection;
	uint32_t before; /* only events below this ordinal; 0: all */
	uint32_t entity;
	bool entity_fits;
};

static bool
entity_fits(struct walk *walk, uint32_t number)
{
	struct bat_slice prefix = bat_bytes_of_buf(&walk->selection->entity);
	struct bat_slice name;

	if (number == walk->entity)
		return walk->entity_fits;
	name = bat_name(walk->tree->store, number);
	walk->entity = number;
	walk->entity_fits = name.length >= prefix.length &&
	    bat_bytes_equal(bat_bytes_slice(name.data, prefix.length),
		prefix) &&
	    (name.length == prefix.length || name.data[prefix.length] == ':');
	return walk->entity_fits;
}

static bool
time_fits(const struct batfs_tree_selection *selection, uint64_t wall_ms)
{
	int64_t ms = wall_ms > INT64_MAX ? INT64_MAX : (int64_t)wall_ms;

	if ((selection->seen & BATFS_TREE_SELECT_SINCE) != 0 &&
	    ms < selection->since_ms)
		return false;
	return (selection->seen & BATFS_TREE_SELECT_UNTIL) == 0 ||
	    ms <= selection->until_ms;
}

static bool
fits(struct walk *walk, uint32_t ordinal)
{
	const struct batfs_tree_selection *selection = walk->selection;
	uint16_t mask = selection->category ? 0xf000 : 0xffff;
	struct bat_row row;

	if ((walk->before != 0 && ordinal >= walk->before) ||
	    !bat_row(walk->tree->store, ordinal, &row) ||
	    row.entity == BAT_MAP_NONE)
		return false;
	if ((selection->seen & BATFS_TREE_SELECT_KIND) != 0 &&
	    (bat_kind_mapped(row.kind) & mask) != selection->kind)
		return false;
	if ((selection->seen & BATFS_TREE_SELECT_SCOPE) != 0 &&
	    row.scope != selection->scope)
		return false;
	if ((selection->seen & BATFS_TREE_SELECT_CLOCK) != 0 &&
	    (row.clock < selection->clock_from ||
		row.clock > selection->clock_to))
		return false;
	if ((selection->seen & BATFS_TREE_SELECT_ENTITY) != 0 &&
	    !entity_fits(walk, row.entity))
		return false;
	return time_fits(selection, row.wall_ms);
}

/* The next of a list of the store's or of a kind. No more are taken than there
 * is room for, so the cursor never stands behind one that was not handed out. */
static int
choose_of_list(struct walk *walk, const struct batfs_stream_key *key,
    uint64_t *cursor, uint32_t *ordinals, size_t max, size_t *out_count)
{
	struct batfs_tree *tree = walk->tree;
	size_t taken, count = 0;
	int code = BAT_OK;

	do {
		uint32_t *to = ordinals + count;
		size_t room = max - count < PIECE ? max - count : PIECE;
		size_t kept = 0;

		if (key->list.kind == BAT_LIST_ALL)
			code = batfs_tree_kind_next(tree, walk->selection->kind,
			    cursor, to, room, &taken);
		else
			taken = bat_list_next(tree->store, &key->list, cursor,
			    to, room);
		for (size_t i = 0; code == BAT_OK && i < taken; i++)
			if (fits(walk, to[i]))
				to[kept++] = to[i];
		count += kept;
	} while (code == BAT_OK && taken > 0 && count < max);
	*out_count = count;
	return code;
}

/* The next of all events; the cursor is an ordinal. */
static int
choose_of_all(struct walk *walk, uint64_t *cursor, uint32_t *ordinals,
    size_t max, size_t *out_count)
{
	const struct batfs_tree_selection *selection = walk->selection;
	struct batfs_tree *tree = walk->tree;
	struct bat_head head;
	size_t count = 0;

	*out_count = 0;
	bat_head_before(tree->store, walk->before, &head);
	if (*cursor == 0 && (selection->seen & BATFS_TREE_SELECT_SINCE) != 0 &&
	    selection->since_ms > 0) {
		uint32_t first;
		int code = batfs_tree_first_later(tree,
		    (uint64_t)selection->since_ms - 1, &first);

		if (code != BAT_OK || first == BAT_MAP_NONE)
			return code;
		*cursor = first;
	}
	for (; *cursor < head.ordinals && count < max; (*cursor)++)
		if (fits(walk, (uint32_t)*cursor))
			ordinals[count++] = (uint32_t)*cursor;
	*out_count = count;
	return BAT_OK;
}

int
batfs_tree_choose(void *context, const struct batfs_stream_key *key,
    uint64_t *cursor, uint32_t *ordinals, size_t max, size_t *out_count)
{
	struct batfs_tree *tree = context;
	struct batfs_tree_selection selection;
	struct walk walk = {
		.tree = tree,
		.selection = &selection,
		.before = BAT_PLANT(173) ? 0 : key->list.before,
		.entity = BAT_MAP_NONE,
	};
	int code = batfs_tree_select(tree,
	    batfs_tree_text(tree, key->choice - 1), &selection);

	*out_count = 0;
	/* Words that were right once name something that is gone. */
	if (code == BAT_STATE_NOT_FOUND)
		return BAT_OK;
	if (code != BAT_OK)
		return code;
	if (key->list.kind != BAT_LIST_ALL ||
	    ((selection.seen & BATFS_TREE_SELECT_KIND) != 0 &&
		!selection.category))
		code = choose_of_list(&walk, key, cursor, ordinals, max,
		    out_count);
	else
		code = choose_of_all(&walk, cursor, ordinals, max, out_count);
	batfs_tree_selection_free(&selection);
	return code;
}

int
batfs_tree_choice(struct batfs_tree *tree, struct bat_slice words,
    uint32_t *out)
{
	uint32_t number;
	int code = batfs_tree_intern(tree, words, &number);

	if (code == BAT_OK)
		*out = number + 1;
	return code;
}
