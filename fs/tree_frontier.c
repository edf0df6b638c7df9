/*
 * .ctl/frontier/: how far the log has come, a file for each point that the
 * store knows. There is no `applied`, batpak's point for projections: batfs
 * runs none.
 */
#include "tree_internal.h"

#include <inttypes.h>

#include "render.h"

static const char *const points[BAT_FRONTIER_COUNT] = {
	[BAT_FRONTIER_ACCEPTED] = "accepted",
	[BAT_FRONTIER_WRITTEN] = "written",
	[BAT_FRONTIER_DURABLE] = "durable",
	[BAT_FRONTIER_VISIBLE] = "visible",
	[BAT_FRONTIER_EMITTED] = "emitted",
};

/* Where it stands, as a number to subtract: the next sequence. */
static int64_t
bound(const struct bat_frontier_point *point)
{
	return point->any ? (int64_t)point->seq + 1 : 0;
}

static int
put_point(const struct bat_frontier_point *point, struct bat_buf *buf)
{
	char id[33];
	int code;

	if (!point->any)
		return bat_bytes_append_text(buf, "seq none\n");
	bat_id_to_hex(&point->id, id);
	code = bat_bytes_append_format(buf,
	    "seq %" PRIu64 "\nid %s\nwall_ms %" PRIu64 "\ntime ", point->seq,
	    id, point->wall_ms);
	if (code == BAT_OK)
		code = batfs_render_time((int64_t)point->wall_ms * 1000, buf);
	return code == BAT_OK ? bat_bytes_append_byte(buf, '\n') : code;
}

/* What a sync would make safe. */
static int
put_lag(const struct bat_frontier *frontier, struct bat_buf *buf)
{
	const struct bat_frontier_point *at = frontier->points;

	return bat_bytes_append_format(buf,
	    "visible_minus_durable %" PRId64 "\nundurable_ms %" PRId64 "\n",
	    bound(&at[BAT_FRONTIER_VISIBLE]) - bound(&at[BAT_FRONTIER_DURABLE]),
	    frontier->undurable_ns / 1000000);
}

static int
render_point(struct batfs_tree *tree, enum bat_frontier_which which,
    struct bat_buf *buf)
{
	struct bat_frontier frontier;
	int code;

	bat_frontier(tree->store, &frontier);
	code = put_point(&frontier.points[which], buf);
	if (code == BAT_OK && which == BAT_FRONTIER_DURABLE)
		code = put_lag(&frontier, buf);
	return code;
}

static bool
there_is(struct batfs_tree *tree, uint64_t number)
{
	return number < BAT_FRONTIER_COUNT &&
	    bat_frontier_knows(tree->store, (enum bat_frontier_which)number);
}

int
batfs_tree_find_frontier(struct batfs_tree *tree,
    const struct batfs_node *parent, struct bat_slice name,
    struct batfs_node *out)
{
	for (unsigned i = 0; i < BAT_FRONTIER_COUNT; i++) {
		if (!bat_bytes_equal(name, bat_bytes_text(points[i])) ||
		    !there_is(tree, i))
			continue;
		*out = batfs_tree_child(parent, BATFS_CTL_POINT);
		out->number = i;
		return BAT_OK;
	}
	return BAT_STATE_NOT_FOUND;
}

int
batfs_tree_list_frontier(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	struct batfs_node child = batfs_tree_child(node, BATFS_CTL_POINT);
	int code = BAT_OK;

	for (uint64_t i = cookie; code == BAT_OK && i < BAT_FRONTIER_COUNT;
	     i++) {
		child.number = i;
		if (there_is(tree, i))
			code = batfs_tree_emit(tree, listing, &child, i + 1);
	}
	return code;
}

int
batfs_tree_spell_frontier(struct batfs_tree *tree,
    const struct batfs_node *node, struct bat_buf *buf)
{
	return there_is(tree, node->number) ?
	    bat_bytes_append_text(buf, points[node->number]) :
	    BAT_STATE_NOT_FOUND;
}

int
batfs_tree_read_frontier(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	struct bat_buf content = BAT_BUF_EMPTY;
	int code;

	if (!there_is(tree, node->number))
		return bat_error_set(error, BAT_STATE_NOT_FOUND,
		    "no such point of the frontier");
	code = render_point(tree, (enum bat_frontier_which)node->number,
	    &content);
	if (code == BAT_OK)
		code = batfs_tree_slice(bat_bytes_of_buf(&content), offset,
		    size, buf);
	bat_bytes_free(&content);
	return code;
}

int
batfs_tree_measure_frontier(struct batfs_tree *tree,
    const struct batfs_node *node, bool want_size, struct batfs_attributes *out,
    struct bat_error *error)
{
	struct bat_buf content = BAT_BUF_EMPTY;
	int code = batfs_tree_measure_log(tree, node, false, out, error);

	if (!there_is(tree, node->number))
		return BAT_STATE_NOT_FOUND;
	if (code == BAT_OK && want_size)
		code = render_point(tree, (enum bat_frontier_which)node->number,
		    &content);
	out->size = content.length;
	bat_bytes_free(&content);
	return code;
}
