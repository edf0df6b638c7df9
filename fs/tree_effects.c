/*
 * The folder of an event, once more: the way to its chain, and effects/; and
 * all links of chains/. No link dangles: each is found by what it leads to.
 */
#include "tree_internal.h"

#include <inttypes.h>

#include "name.h"

/* ---- links -------------------------------------------------------------- */

/* The event that a link shows, or, where it leads to a chain, the first one. */
static uint64_t
seq_of(const struct batfs_node *node)
{
	return node->class == BATFS_EVENT_CHAIN ||
		node->class == BATFS_EVENT_EFFECT ?
	    node->number :
	    node->number >> BATFS_TREE_CHAIN_SHIFT;
}

static int
put_chain(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf, struct bat_error *error)
{
	struct batfs_tree_chain chain;
	char id[33];
	int code = batfs_tree_chain_of(tree, node, seq_of(node), &chain, error);

	if (code != BAT_OK)
		return code;
	bat_id_to_hex(&chain.chain.id, id);
	/* The one that is there from the first event on, and never moves. */
	if (node->class == BATFS_EVENT_CHAIN)
		return bat_bytes_append_format(buf, "../../../chains/%s", id);
	if (!chain.several)
		return batfs_tree_put_folder(buf, "../events/", chain.first_seq,
		    "");
	return bat_bytes_append_format(buf, "%s/%s", id + 30, id);
}

static int
put_target(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf, struct bat_error *error)
{
	if (node->class == BATFS_CHAIN_EVENT)
		return batfs_tree_put_folder(buf, "../../../events/",
		    seq_of(node), "");
	if (node->class == BATFS_EVENT_EFFECT)
		return batfs_tree_put_folder(buf, "../../../", seq_of(node),
		    "");
	return put_chain(tree, node, buf, error);
}

int
batfs_tree_read_chain_link(struct batfs_tree *tree,
    const struct batfs_node *node, uint64_t offset, size_t size,
    struct bat_buf *buf, struct bat_error *error)
{
	struct bat_buf target = BAT_BUF_EMPTY;
	int code = put_target(tree, node, &target, error);

	if (code == BAT_OK)
		code = batfs_tree_slice(bat_bytes_of_buf(&target), offset, size,
		    buf);
	bat_bytes_free(&target);
	return code;
}

int
batfs_tree_measure_chain_link(struct batfs_tree *tree,
    const struct batfs_node *node, bool want_size, struct batfs_attributes *out,
    struct bat_error *error)
{
	uint32_t ordinal = bat_find_seq(tree->store, seq_of(node));
	struct bat_buf target = BAT_BUF_EMPTY;
	struct bat_row row;
	int code = BAT_OK;

	if (ordinal == BAT_MAP_NONE || !bat_row(tree->store, ordinal, &row))
		return BAT_STATE_NOT_FOUND;
	out->mtime_ms = batfs_tree_time_of(&row);
	if (want_size)
		code = put_target(tree, node, &target, error);
	out->size = target.length;
	bat_bytes_free(&target);
	return code;
}

int
batfs_tree_spell_event_chain(struct batfs_tree *tree,
    const struct batfs_node *node, struct bat_buf *buf)
{
	(void)tree;
	(void)node;
	return bat_bytes_append_text(buf, "chain");
}

/* ---- effects/ ------------------------------------------------------------- */

/* The list of an event's effects. */
static int
effects_of(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_list *out, struct bat_error *error)
{
	int code = batfs_tree_trace(tree, error);

	*out = (struct bat_list){
		.kind = BAT_LIST_EFFECTS,
		.event = bat_find_seq(tree->store, node->number),
		.before = batfs_tree_before(tree, node),
	};
	if (code == BAT_OK && out->event == BAT_MAP_NONE)
		code = BAT_STATE_NOT_FOUND;
	return code;
}

int
batfs_tree_find_effect(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	struct bat_list list;
	uint32_t ordinal;
	uint64_t seq;
	bool gone;
	int code;

	if (!batfs_name_padded(name, 12, &seq))
		return BAT_STATE_NOT_FOUND;
	code = effects_of(tree, parent, &list, NULL);
	if (code != BAT_OK)
		return code;
	ordinal = bat_find_seq(tree->store, seq);
	if (ordinal == BAT_MAP_NONE ||
	    (list.before != 0 && ordinal >= list.before) ||
	    bat_cause(tree->store, ordinal, &gone) != list.event)
		return BAT_STATE_NOT_FOUND;
	*out = batfs_tree_child(parent, BATFS_EVENT_EFFECT);
	out->number = seq;
	return BAT_OK;
}

int
batfs_tree_list_effects(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	struct batfs_node child = batfs_tree_child(node, BATFS_EVENT_EFFECT);
	struct bat_list list;
	uint32_t ordinals[64];
	uint64_t cursor = cookie;
	size_t count;
	int code = effects_of(tree, node, &list, NULL);

	while (code == BAT_OK &&
	    (count = bat_list_next(tree->store, &list, &cursor, ordinals, 64)) >
		0)
		for (size_t i = 0; code == BAT_OK && i < count; i++) {
			struct bat_row row;

			cookie++;
			if (!bat_row(tree->store, ordinals[i], &row))
				continue;
			child.number = row.seq;
			code = batfs_tree_emit(tree, listing, &child, cookie);
		}
	return code;
}

/* As the last effect; before there is one, as the event. */
int
batfs_tree_measure_effects(struct batfs_tree *tree,
    const struct batfs_node *node, bool want_size, struct batfs_attributes *out,
    struct bat_error *error)
{
	struct bat_list_stat stat;
	struct bat_list list;
	struct bat_row row;
	int code = effects_of(tree, node, &list, error);

	(void)want_size;
	if (code != BAT_OK)
		return code;
	if (!bat_list_stat(tree->store, &list, &stat))
		stat.last = list.event;
	if (!bat_row(tree->store, stat.last, &row))
		return BAT_STATE_NOT_FOUND;
	out->mtime_ms = batfs_tree_time_of(&row);
	return BAT_OK;
}
