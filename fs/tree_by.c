/*
 * by/: what its parts share, and the last line of each entity.
 */
#include "tree_internal.h"

#include "name.h"

void
batfs_tree_by_free(struct batfs_tree *tree)
{
	struct batfs_tree_tables *tables = &tree->tables;

	batfs_tree_tallies_free(&tables->tallies);
	for (size_t i = 0; i < sizeof(tables->kept) / sizeof(*tables->kept);
	     i++)
		bat_bytes_free(&tables->kept[i].text);
	pthread_mutex_destroy(&tables->mutex);
	batfs_tree_spaces_free(tree);
}

void
batfs_tree_by_init(struct batfs_tree *tree)
{
	pthread_mutex_init(&tree->tables.mutex, NULL);
	batfs_tree_spaces_init(tree);
}

int64_t
batfs_tree_time_at(struct batfs_tree *tree, uint32_t ordinal)
{
	struct bat_row row;

	return bat_row(tree->store, ordinal, &row) ?
	    batfs_tree_time_of(&row) :
	    batfs_tree_first_time(tree);
}

/* ---- by/latest ------------------------------------------------------------- */

int
batfs_tree_find_last(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	struct batfs_node child = batfs_tree_child(parent, BATFS_BY_LAST);
	struct bat_buf stored = BAT_BUF_EMPTY;
	int code = BAT_STATE_NOT_FOUND;

	if (batfs_tree_cut_suffix(&name, ".json"))
		code = batfs_tree_stored_name(tree, name, &stored);
	if (code == BAT_OK &&
	    !batfs_tree_has_begun(tree, parent,
		bat_find_entity(tree->store, bat_bytes_of_buf(&stored))))
		code = BAT_STATE_NOT_FOUND;
	if (code == BAT_OK)
		code = batfs_tree_intern(tree, bat_bytes_of_buf(&stored),
		    &child.entity);
	if (code == BAT_OK)
		*out = child;
	bat_bytes_free(&stored);
	return code;
}

int
batfs_tree_spell_last(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	return batfs_tree_spell_stored(BATFS_BY_LAST,
	    batfs_tree_text(tree, node->entity), buf);
}

/* The entity's last event by then. */
static int
find_last(struct batfs_tree *tree, const struct batfs_node *node,
    uint32_t *out_ordinal)
{
	const struct bat_list list = {
		.kind = BAT_LIST_ENTITY,
		.entity = batfs_tree_store_entity(tree, node->entity),
		.before = batfs_tree_before(tree, node),
	};
	struct bat_list_stat stat;

	if (list.entity == BAT_MAP_NONE ||
	    !bat_list_stat(tree->store, &list, &stat) || stat.count == 0)
		return BAT_STATE_NOT_FOUND;
	*out_ordinal = stat.last;
	return BAT_OK;
}

int
batfs_tree_measure_last(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	uint32_t ordinal, length = 0;
	int code = find_last(tree, node, &ordinal);

	if (code != BAT_OK)
		return code;
	out->mtime_ms = batfs_tree_time_at(tree, ordinal);
	if (want_size)
		code = batfs_stream_line_length(tree->streams, ordinal, &length,
		    error);
	out->size = length;
	return code;
}

int
batfs_tree_read_last(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	struct bat_buf line = BAT_BUF_EMPTY;
	uint32_t ordinal;
	int code = find_last(tree, node, &ordinal);

	if (code == BAT_OK)
		code = batfs_stream_line(tree->streams, ordinal, &line, error);
	if (code == BAT_OK)
		code = batfs_tree_slice(bat_bytes_of_buf(&line), offset, size,
		    buf);
	bat_bytes_free(&line);
	return code;
}

/* ---- streams ----------------------------------------------------------------- */

/* Selections, in the words of query/ and, of a namespace, in our own. */
int
batfs_tree_by_stream(struct batfs_tree *tree, const struct batfs_node *node,
    struct batfs_stream_key *out)
{
	struct bat_buf words = BAT_BUF_EMPTY;
	char kind[6];
	int code = BAT_STATE_NOT_FOUND;

	if (node->class == BATFS_BY_KIND || node->class == BATFS_BY_DENIALS) {
		bat_kind_to_text(batfs_tree_kind_of(node), kind);
		code = bat_bytes_append_format(&words, "kind=%s", kind);
	} else if (node->class == BATFS_BY_LOG) {
		code = bat_bytes_append_byte(&words, '=');
		if (code == BAT_OK)
			code = bat_bytes_append_slice(&words,
			    batfs_tree_text(tree, node->entity));
	}
	if (code == BAT_OK)
		code = batfs_tree_choice(tree, bat_bytes_of_buf(&words),
		    &out->choice);
	bat_bytes_free(&words);
	return code;
}
