/*
 * chains/: which chains there are, and the events of each as links to their
 * folders. A chain of one event is nothing of its own; by its name one comes to
 * that event.
 */
#include "tree_internal.h"

#include <inttypes.h>

#include "name.h"

#define ATTEMPTS 8
#define ID_DIGITS 32

/* ---- chains and nodes -------------------------------------------------- */

int
batfs_tree_trace(struct batfs_tree *tree, struct bat_error *error)
{
	int code = BAT_DATA_DISAGREES;

	for (unsigned i = 0; i < ATTEMPTS && code == BAT_DATA_DISAGREES; i++)
		code = bat_trace(tree->store, error);
	return code;
}

static bool
is_before(uint32_t ordinal, uint32_t before)
{
	return ordinal != BAT_MAP_NONE && (before == 0 || ordinal < before);
}

static uint8_t
byte_of(const struct bat_chain *chain)
{
	return chain->id.bytes[sizeof(chain->id.bytes) - 1];
}

/* false: a sequence so great that no node can say it. */
static bool
number_of(uint64_t seq, const struct bat_chain *chain, uint64_t *out)
{
	*out = seq << BATFS_TREE_CHAIN_SHIFT | byte_of(chain);
	return *out >> BATFS_TREE_CHAIN_SHIFT == seq;
}

/* Fill in what the chain itself does not say. */
static int
complete(struct batfs_tree *tree, struct batfs_tree_chain *chain)
{
	struct bat_row row;

	if (!is_before(chain->chain.first, chain->before) ||
	    !bat_row(tree->store, chain->chain.first, &row))
		return BAT_STATE_NOT_FOUND;
	chain->first_seq = row.seq;
	chain->several = is_before(chain->chain.second, chain->before);
	return BAT_OK;
}

int
batfs_tree_chain_of(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t seq, struct batfs_tree_chain *out, struct bat_error *error)
{
	uint32_t ordinal = bat_find_seq(tree->store, seq);
	int code = batfs_tree_trace(tree, error);

	out->before = batfs_tree_before(tree, node);
	if (code != BAT_OK)
		return code;
	if (!is_before(ordinal, out->before) ||
	    !bat_chain_of(tree->store, ordinal, &out->chain))
		return BAT_STATE_NOT_FOUND;
	return complete(tree, out);
}

int
batfs_tree_chain(struct batfs_tree *tree, const struct batfs_node *node,
    struct batfs_tree_chain *out, struct bat_error *error)
{
	int code = batfs_tree_chain_of(tree, node,
	    node->number >> BATFS_TREE_CHAIN_SHIFT, out, error);

	if (code == BAT_OK &&
	    (!out->several || byte_of(&out->chain) != (node->number & 0xff)))
		code = BAT_STATE_NOT_FOUND;
	return code;
}

/* ---- finding -------------------------------------------------------------- */

/* The first chain whose name ends in a byte, if it is there by then. */
static bool
has_byte(struct batfs_tree *tree, const struct batfs_node *node, uint8_t byte)
{
	struct bat_chain chain;

	return bat_chain_ending_at(tree->store, byte, 0, &chain) &&
	    is_before(chain.second, batfs_tree_before(tree, node));
}

static bool
read_byte(struct bat_slice name, uint8_t *out)
{
	static const char digits[] = "0123456789abcdef";
	const char *high, *low;

	if (name.length != 2 || name.data[0] == 0 || name.data[1] == 0)
		return false;
	high = strchr(digits, name.data[0]);
	low = strchr(digits, name.data[1]);
	if (high == NULL || low == NULL)
		return false;
	*out = (uint8_t)((high - digits) << 4 | (low - digits));
	return true;
}

/* By two digits a folder; by an id or its beginning, a link. */
int
batfs_tree_find_in_chains(struct batfs_tree *tree,
    const struct batfs_node *parent, struct bat_slice name,
    struct batfs_node *out)
{
	struct batfs_tree_chain chain;
	struct batfs_node child = batfs_tree_child(parent, BATFS_CHAIN_LINK);
	struct bat_id id;
	uint8_t byte = 0;
	int code;

	if (!read_byte(name, &byte) && !batfs_tree_id_prefix(name, &id))
		return BAT_STATE_NOT_FOUND;
	code = batfs_tree_trace(tree, NULL);
	if (code != BAT_OK)
		return code;
	if (name.length == 2) {
		child.class = BATFS_CHAINS_BYTE;
		child.number = byte;
		*out = child;
		return has_byte(tree, parent, byte) ? BAT_OK :
						      BAT_STATE_NOT_FOUND;
	}
	chain.before = batfs_tree_before(tree, parent);
	if (!bat_chain_prefix(tree->store, &id, (unsigned)name.length,
		chain.before, &chain.chain))
		return BAT_STATE_NOT_FOUND;
	code = complete(tree, &chain);
	if (code == BAT_OK &&
	    !number_of(chain.first_seq, &chain.chain, &child.number))
		code = BAT_STATE_NOT_FOUND;
	*out = child;
	return code;
}

int
batfs_tree_find_chain(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	struct batfs_tree_chain chain;
	struct bat_id id;
	int code;

	if (name.length != ID_DIGITS || !batfs_tree_id_prefix(name, &id) ||
	    id.bytes[sizeof(id.bytes) - 1] != parent->number)
		return BAT_STATE_NOT_FOUND;
	code = batfs_tree_trace(tree, NULL);
	if (code != BAT_OK)
		return code;
	chain.before = batfs_tree_before(tree, parent);
	if (!bat_chain_find(tree->store, &id, &chain.chain) ||
	    complete(tree, &chain) != BAT_OK || !chain.several)
		return BAT_STATE_NOT_FOUND;
	*out = batfs_tree_child(parent, BATFS_CHAIN);
	return number_of(chain.first_seq, &chain.chain, &out->number) ?
	    BAT_OK :
	    BAT_STATE_NOT_FOUND;
}

int
batfs_tree_find_in_chain(struct batfs_tree *tree,
    const struct batfs_node *parent, struct bat_slice name,
    struct batfs_node *out)
{
	struct batfs_tree_chain chain, of_event;
	uint64_t seq;
	int code;

	if (!batfs_name_padded(name, 12, &seq))
		return BAT_STATE_NOT_FOUND;
	code = batfs_tree_chain(tree, parent, &chain, NULL);
	if (code == BAT_OK)
		code = batfs_tree_chain_of(tree, parent, seq, &of_event, NULL);
	if (code != BAT_OK)
		return code;
	*out = batfs_tree_child(parent, BATFS_CHAIN_EVENT);
	return of_event.first_seq == chain.first_seq &&
		number_of(seq, &chain.chain, &out->number) ?
	    BAT_OK :
	    BAT_STATE_NOT_FOUND;
}

/* ---- listing -------------------------------------------------------------- */

int
batfs_tree_list_chain_bytes(struct batfs_tree *tree,
    const struct batfs_node *node, uint64_t cookie,
    struct batfs_tree_listing *listing)
{
	struct batfs_node child = batfs_tree_child(node, BATFS_CHAINS_BYTE);
	int code = batfs_tree_trace(tree, NULL);

	for (child.number = cookie; code == BAT_OK && child.number < 256;
	     child.number++)
		if (has_byte(tree, node, (uint8_t)child.number))
			code = batfs_tree_emit(tree, listing, &child,
			    child.number + 1);
	return code;
}

int
batfs_tree_list_chains(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	struct batfs_node child = batfs_tree_child(node, BATFS_CHAIN);
	struct batfs_tree_chain chain;
	int code = batfs_tree_trace(tree, NULL);

	chain.before = batfs_tree_before(tree, node);
	for (; code == BAT_OK && cookie < UINT32_MAX; cookie++) {
		if (!bat_chain_ending_at(tree->store, (uint8_t)node->number,
			(uint32_t)cookie, &chain.chain) ||
		    !is_before(chain.chain.second, chain.before))
			break;
		if (complete(tree, &chain) == BAT_OK &&
		    number_of(chain.first_seq, &chain.chain, &child.number))
			code = batfs_tree_emit(tree, listing, &child,
			    cookie + 1);
	}
	return code;
}

/* A cookie is a sequence + 1. */
int
batfs_tree_list_chain(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	struct batfs_node child = batfs_tree_child(node, BATFS_CHAIN_EVENT);
	struct batfs_tree_chain chain;
	struct bat_list list = { .kind = BAT_LIST_CHAIN };
	uint32_t ordinals[64], last;
	uint64_t cursor = 0;
	size_t count;
	int code = batfs_tree_chain(tree, node, &chain, NULL);

	if (code != BAT_OK)
		return code;
	list.event = chain.chain.first;
	list.before = chain.before;
	if (cookie > 0) {
		last = bat_find_seq(tree->store, cookie - 1);
		if (last == BAT_MAP_NONE)
			return BAT_OK;
		cursor = (uint64_t)last + 1;
	}
	while (code == BAT_OK &&
	    (count = bat_list_next(tree->store, &list, &cursor, ordinals, 64)) >
		0)
		for (size_t i = 0; code == BAT_OK && i < count; i++) {
			struct bat_row row;

			if (bat_row(tree->store, ordinals[i], &row) &&
			    number_of(row.seq, &chain.chain, &child.number))
				code = batfs_tree_emit(tree, listing, &child,
				    row.seq + 1);
		}
	return code;
}

/* ---- names ------------------------------------------------------------------ */

int
batfs_tree_spell_chain_byte(struct batfs_tree *tree,
    const struct batfs_node *node, struct bat_buf *buf)
{
	(void)tree;
	return bat_bytes_append_format(buf, "%02" PRIx64, node->number);
}

/* Of a link, whatever was typed. */
int
batfs_tree_spell_chain(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	struct batfs_tree_chain chain;
	int code = batfs_tree_chain_of(tree, node,
	    node->number >> BATFS_TREE_CHAIN_SHIFT, &chain, NULL);

	if (code != BAT_OK)
		return code;
	return bat_bytes_append_hex(buf, chain.chain.id.bytes,
	    sizeof(chain.chain.id.bytes));
}

int
batfs_tree_spell_chain_event(struct batfs_tree *tree,
    const struct batfs_node *node, struct bat_buf *buf)
{
	(void)tree;
	return bat_bytes_append_format(buf, "%012" PRIu64,
	    node->number >> BATFS_TREE_CHAIN_SHIFT);
}

/* ---- folders: their times ---------------------------------------------------- */

static int64_t
time_of(struct batfs_tree *tree, uint32_t ordinal)
{
	struct bat_row row;

	return bat_row(tree->store, ordinal, &row) ? batfs_tree_time_of(&row) :
						     0;
}

/* When the last of its names appeared: that a chain had two events. */
int
batfs_tree_measure_chains(struct batfs_tree *tree,
    const struct batfs_node *node, bool want_size, struct batfs_attributes *out,
    struct bat_error *error)
{
	uint32_t before = batfs_tree_before(tree, node), last = 0;
	struct bat_chain chain;
	int code = batfs_tree_trace(tree, error);

	(void)want_size;
	for (unsigned byte = 0; byte < 256; byte++)
		if (bat_chain_ending_at(tree->store, (uint8_t)byte, 0,
			&chain) &&
		    is_before(chain.second, before) && chain.second > last)
			last = chain.second;
	out->mtime_ms = last > 0 ? time_of(tree, last) :
				   batfs_tree_first_time(tree);
	return code;
}

int
batfs_tree_measure_chain_byte(struct batfs_tree *tree,
    const struct batfs_node *node, bool want_size, struct batfs_attributes *out,
    struct bat_error *error)
{
	uint32_t before = batfs_tree_before(tree, node);
	uint8_t byte = (uint8_t)node->number;
	struct bat_chain chain, last;
	uint32_t low = 0, step = 1;
	int code = batfs_tree_trace(tree, error);

	(void)want_size;
	if (code != BAT_OK)
		return code;
	if (!has_byte(tree, node, byte) ||
	    !bat_chain_ending_at(tree->store, byte, 0, &last))
		return BAT_STATE_NOT_FOUND;
	/* Strides that double while there are chains, and then halve. */
	for (bool grow = true; step > 0;) {
		bool there = bat_chain_ending_at(tree->store, byte, low + step,
				 &chain) &&
		    is_before(chain.second, before);

		if (there) {
			low += step;
			last = chain;
		}
		grow = grow && there;
		step = grow ? step * 2 : step / 2;
	}
	out->mtime_ms = time_of(tree, last.second);
	return BAT_OK;
}

int
batfs_tree_measure_chain(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	struct bat_list list = { .kind = BAT_LIST_CHAIN };
	struct batfs_tree_chain chain;
	struct bat_list_stat stat;
	int code = batfs_tree_chain(tree, node, &chain, error);

	(void)want_size;
	if (code != BAT_OK)
		return code;
	list.event = chain.chain.first;
	list.before = chain.before;
	if (!bat_list_stat(tree->store, &list, &stat))
		return BAT_STATE_NOT_FOUND;
	out->mtime_ms = time_of(tree, stat.last);
	return BAT_OK;
}
