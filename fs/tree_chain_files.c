/*
 * Files about causality: what stands in a chain, and what led to an event or
 * came of it. Lists of events as streams, so that a long chain costs no more
 * memory than a short one; around graph.dot stand two lines.
 */
#include "tree_internal.h"

#include <stdio.h>

#define DOT_END "}\n"

/* The lines of a file, and what stands around them. */
struct causal {
	struct batfs_streams *streams;
	struct batfs_stream_key key;
	struct bat_list_stat stat;
	char head[64], tail[4];
};

/* An open end would let an event come in between while somebody reads. */
static int
close_end(struct batfs_tree *tree, struct bat_list *list)
{
	struct bat_list_stat stat;

	if (list->before != 0)
		return BAT_OK;
	list->kind = BAT_LIST_CHAIN;
	if (!bat_list_stat(tree->store, list, &stat))
		return BAT_DATA_DISAGREES;
	list->kind = BAT_LIST_CHAIN_TREE;
	list->before = stat.last + 1;
	return BAT_OK;
}

static int
find_in_chain(struct batfs_tree *tree, const struct batfs_node *node,
    struct causal *out, struct bat_error *error)
{
	struct bat_list *list = &out->key.list;
	struct batfs_tree_chain chain;
	char id[33];
	int code = batfs_tree_chain(tree, node, &chain, error);

	if (code != BAT_OK)
		return code;
	list->kind = BAT_LIST_CHAIN;
	list->event = chain.chain.first;
	list->before = chain.before;
	if (node->class == BATFS_CHAIN_TREE) {
		out->streams = tree->branches;
		list->kind = BAT_LIST_CHAIN_TREE;
		code = close_end(tree, list);
	} else if (node->class == BATFS_CHAIN_DOT) {
		out->streams = tree->dots;
		bat_id_to_hex(&chain.chain.id, id);
		snprintf(out->head, sizeof(out->head), "digraph \"%s\" {\n",
		    id);
		snprintf(out->tail, sizeof(out->tail), DOT_END);
	}
	return code;
}

static int
find_of_event(struct batfs_tree *tree, const struct batfs_node *node,
    struct causal *out, struct bat_error *error)
{
	struct bat_list *list = &out->key.list;
	int code = batfs_tree_trace(tree, error);

	list->kind = node->class == BATFS_EVENT_CAUSES ? BAT_LIST_CAUSES :
							 BAT_LIST_CONSEQUENCES;
	list->event = bat_find_seq(tree->store, node->number);
	list->before = batfs_tree_before(tree, node);
	if (code == BAT_OK && list->event == BAT_MAP_NONE)
		code = BAT_STATE_NOT_FOUND;
	return code;
}

static int
find_lines(struct batfs_tree *tree, const struct batfs_node *node,
    struct causal *out, struct bat_error *error)
{
	bool of_event = node->class == BATFS_EVENT_CAUSES ||
	    node->class == BATFS_EVENT_CONSEQUENCES;
	int code;

	*out = (struct causal){
		.streams = tree->streams,
		.key = { .to_seq = UINT64_MAX },
	};
	code = of_event ? find_of_event(tree, node, out, error) :
			  find_in_chain(tree, node, out, error);
	if (code == BAT_OK)
		(void)bat_list_stat(tree->store, &out->key.list, &out->stat);
	return code;
}

int
batfs_tree_measure_causal(struct batfs_tree *tree,
    const struct batfs_node *node, bool want_size, struct batfs_attributes *out,
    struct bat_error *error)
{
	struct causal lines;
	struct bat_row row;
	int code = find_lines(tree, node, &lines, error);

	if (code != BAT_OK)
		return code;
	out->mtime_ms = lines.stat.count > 0 &&
		bat_row(tree->store, lines.stat.last, &row) ?
	    batfs_tree_time_of(&row) :
	    batfs_tree_first_time(tree);
	if (!want_size)
		return BAT_OK;
	if (lines.stat.count > 0)
		code = batfs_stream_size(lines.streams, &lines.key, &out->size,
		    error);
	out->size += strlen(lines.head) + strlen(lines.tail);
	return code;
}

/* The part of a text that a read asks for; *offset and *size of what is left of
 * it behind the text. */
static int
put_part(const char *text, uint64_t *offset, size_t *size, struct bat_buf *buf)
{
	size_t before = buf->length, length = strlen(text);
	int code = batfs_tree_slice(bat_bytes_text(text), *offset, *size, buf);

	*size -= buf->length - before;
	*offset = *offset > length ? *offset - length : 0;
	return code;
}

int
batfs_tree_read_causal(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	struct causal lines;
	uint64_t length = 0;
	size_t before;
	int code = find_lines(tree, node, &lines, error);

	if (code == BAT_OK)
		code = put_part(lines.head, &offset, &size, buf);
	before = buf->length;
	if (code == BAT_OK && lines.stat.count > 0)
		code = batfs_stream_read(lines.streams, &lines.key, offset,
		    size, buf, error);
	if (code != BAT_OK || lines.tail[0] == '\0')
		return code;
	size -= buf->length - before;
	if (size == 0)
		return BAT_OK;
	code = batfs_stream_size(lines.streams, &lines.key, &length, error);
	offset = offset > length ? offset - length : 0;
	return code == BAT_OK ? put_part(lines.tail, &offset, &size, buf) :
				code;
}
