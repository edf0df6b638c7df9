/*
 * Bytes of files and targets of links, class by class.
 */
#include "tree_internal.h"

#include <inttypes.h>

/* Tools that know the tag look at its first 43 bytes. */
static const char cachedir_tag[] =
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# Made from the event log beside it (log/, entities/, scopes/); a backup\n"
    "# of those need not hold this directory too.\n";

int
batfs_tree_slice(struct bat_slice content, uint64_t offset, size_t size,
    struct bat_buf *buf)
{
	size_t left;

	if (offset >= content.length)
		return BAT_OK;
	left = content.length - (size_t)offset;
	return bat_bytes_append(buf, content.data + offset,
	    size < left ? size : left);
}

int
batfs_tree_read_text(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	struct bat_buf text = BAT_BUF_EMPTY;
	int code = node->class == BATFS_README ?
	    batfs_tree_readme(&text) :
	    bat_bytes_append_text(&text, cachedir_tag);

	(void)tree;
	(void)error;
	if (code == BAT_OK)
		code = batfs_tree_slice(bat_bytes_of_buf(&text), offset, size,
		    buf);
	bat_bytes_free(&text);
	return code;
}

/* A file that is only there to append to. */
int
batfs_tree_read_nothing(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	(void)tree;
	(void)node;
	(void)offset;
	(void)size;
	(void)buf;
	(void)error;
	return BAT_OK;
}

int
batfs_tree_read_stream(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	struct batfs_stream_key key;
	int code = batfs_tree_stream(tree, node, &key);

	if (code == BAT_END)
		return BAT_OK;
	if (code == BAT_STATE_NOT_FOUND)
		return bat_error_set(error, code, "its events are gone");
	return batfs_stream_read(batfs_tree_streams_of(tree, node), &key,
	    offset, size, buf, error);
}

/* ---- one event ----------------------------------------------------------- */

static int
find_event(struct batfs_tree *tree, const struct batfs_node *node,
    uint32_t *out_ordinal, struct bat_error *error)
{
	*out_ordinal = bat_find_seq(tree->store, node->number);
	if (*out_ordinal != BAT_MAP_NONE)
		return BAT_OK;
	return bat_error_set(error, BAT_STATE_NOT_FOUND,
	    "no event has the sequence %" PRIu64, node->number);
}

int
batfs_tree_read_event(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	struct bat_buf line = BAT_BUF_EMPTY;
	uint32_t ordinal;
	int code = find_event(tree, node, &ordinal, error);

	if (code == BAT_OK)
		code = batfs_stream_line(tree->streams, ordinal, &line, error);
	if (code == BAT_OK)
		code = batfs_tree_slice(bat_bytes_of_buf(&line), offset, size,
		    buf);
	bat_bytes_free(&line);
	return code;
}

/* The payload as it was stored, MessagePack or not. */
int
batfs_tree_read_payload(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	uint32_t ordinal;
	int code = find_event(tree, node, &ordinal, error);

	if (code == BAT_OK)
		code = bat_read(tree->store, ordinal, &reading, error);
	if (code == BAT_OK)
		code = batfs_tree_slice(bat_bytes_of_buf(&reading.payload),
		    offset, size, buf);
	bat_reading_free(&reading);
	return code;
}
