/*
 * Sizes and times, class by class. Times are those of events: nothing here
 * knows what time it is now, so an unchanged store looks the same at every
 * mount, and backup tools find nothing to do.
 *
 * A file has the time of the last event that it shows, a directory that of the
 * last event that added a name to it, and what shows no event that of the
 * first one of the store.
 */
#include "tree_internal.h"

static int64_t
as_time(uint64_t wall_ms)
{
	return wall_ms > BAT_EVENT_WALL_MS_MAX ? BAT_EVENT_WALL_MS_MAX :
						 (int64_t)wall_ms;
}

int64_t
batfs_tree_time_of(const struct bat_row *row)
{
	return as_time(row->wall_ms);
}

int64_t
batfs_tree_first_time(struct batfs_tree *tree)
{
	struct bat_head head;

	bat_head(tree->store, &head);
	return head.visible_count > 0 ? as_time(head.first_wall_ms) : 0;
}

static int64_t
last_time(struct batfs_tree *tree, const struct batfs_node *node)
{
	struct bat_head head;

	batfs_tree_head(tree, node, &head);
	return head.visible_count > 0 ? as_time(head.last_wall_ms) : 0;
}

/* When a list began; that is when its name appeared. */
static int64_t
birth(struct batfs_tree *tree, enum bat_list_kind kind, uint32_t entity,
    uint32_t scope)
{
	const struct bat_list list = { .kind = kind,
		.entity = entity,
		.scope = scope };
	struct bat_list_stat stat;

	if (!bat_list_stat(tree->store, &list, &stat) || stat.count == 0)
		return 0;
	return as_time(stat.first_wall_ms);
}

/* The row of the last visible event of a shard that has some. */
static bool
shard_last(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t shard, struct bat_row *out)
{
	struct bat_head head;
	uint64_t end;
	uint32_t ordinal;

	batfs_tree_head(tree, node, &head);
	if (head.visible_count == 0)
		return false;
	if (head.last_seq / BATFS_TREE_SHARD == shard)
		return bat_row(tree->store, head.last, out);
	if (!batfs_tree_shard_start(shard + 1, &end))
		return false;
	ordinal = batfs_tree_seq_from(tree, node, end);
	if (ordinal == BAT_MAP_NONE)
		return false;
	/* Ordinals are in the order of sequences; some are hidden. */
	while (ordinal-- > 0)
		if (bat_row(tree->store, ordinal, out))
			return out->seq / BATFS_TREE_SHARD == shard;
	return false;
}

/* ---- directories ------------------------------------------------------- */

int
batfs_tree_measure_root(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	(void)node;
	(void)want_size;
	(void)error;
	out->mtime_ms = batfs_tree_first_time(tree);
	return BAT_OK;
}

int
batfs_tree_measure_log(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	(void)want_size;
	(void)error;
	out->mtime_ms = last_time(tree, node);
	return BAT_OK;
}

int
batfs_tree_measure_entities(struct batfs_tree *tree,
    const struct batfs_node *node, bool want_size, struct batfs_attributes *out,
    struct bat_error *error)
{
	struct bat_head head;

	(void)want_size;
	(void)error;
	batfs_tree_head(tree, node, &head);
	if (head.entity_count > 0)
		out->mtime_ms = birth(tree, BAT_LIST_ENTITY,
		    bat_entity_at(tree->store, head.entity_count - 1), 0);
	return BAT_OK;
}

int
batfs_tree_measure_scopes(struct batfs_tree *tree,
    const struct batfs_node *node, bool want_size, struct batfs_attributes *out,
    struct bat_error *error)
{
	struct bat_head head;
	uint32_t scope;

	(void)want_size;
	(void)error;
	batfs_tree_head(tree, node, &head);
	if (head.scope_count == 0)
		return BAT_OK;
	scope = bat_scope_at(tree->store, head.scope_count - 1);
	out->mtime_ms = birth(tree, BAT_LIST_MEMBER,
	    bat_scope_entity_at(tree->store, scope, 0), scope);
	return BAT_OK;
}

/* How many members it had by then: of those, a first-seen order has none behind
 * one that was not there. */
static uint32_t
scope_size(struct batfs_tree *tree, const struct batfs_node *node,
    uint32_t scope)
{
	uint32_t low = 0, high = bat_scope_size(tree->store, scope);

	while (node->at != 0 && low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (batfs_tree_member_has_begun(tree, node,
			bat_scope_entity_at(tree->store, scope, middle), scope))
			low = middle + 1;
		else
			high = middle;
	}
	return high;
}

int
batfs_tree_measure_scope(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	uint32_t scope = batfs_tree_store_scope(tree, node->scope);
	uint32_t size;

	(void)want_size;
	(void)error;
	if (scope == BAT_MAP_NONE) {
		out->mtime_ms = batfs_tree_first_time(tree);
		return batfs_tree_pending_has(tree, node) ? BAT_OK :
							    BAT_STATE_NOT_FOUND;
	}
	size = scope_size(tree, node, scope);
	if (size > 0)
		out->mtime_ms = birth(tree, BAT_LIST_MEMBER,
		    bat_scope_entity_at(tree->store, scope, size - 1), scope);
	return BAT_OK;
}

int
batfs_tree_measure_events(struct batfs_tree *tree,
    const struct batfs_node *node, bool want_size, struct batfs_attributes *out,
    struct bat_error *error)
{
	struct bat_head head;
	struct bat_row row;

	(void)want_size;
	(void)error;
	batfs_tree_head(tree, node, &head);
	if (head.visible_count > 0 &&
	    batfs_tree_shard_first(tree, node, head.last_seq / BATFS_TREE_SHARD,
		&row))
		out->mtime_ms = as_time(row.wall_ms);
	return BAT_OK;
}

int
batfs_tree_measure_shard(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	struct bat_row row;

	(void)want_size;
	(void)error;
	if (!shard_last(tree, node, node->number, &row))
		return BAT_STATE_NOT_FOUND;
	out->mtime_ms = as_time(row.wall_ms);
	if (batfs_tree_shard_is_sealed(tree, node, node->number))
		out->caching = BATFS_CACHE_FOREVER;
	return BAT_OK;
}

/* ---- files -------------------------------------------------------------- */

/* Before the first event even their time will change. */
int
batfs_tree_measure_text(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_head head;
	int code = BAT_OK;

	bat_head(tree->store, &head);
	out->mtime_ms = batfs_tree_first_time(tree);
	if (head.visible_count == 0)
		out->caching = BATFS_CACHE_NONE;
	if (want_size)
		code = batfs_tree_classes[node->class].read(tree, node, 0,
		    SIZE_MAX, &buf, error);
	out->size = buf.length;
	bat_bytes_free(&buf);
	return code;
}

static int64_t
stream_time(struct batfs_tree *tree, const struct batfs_node *node,
    const struct batfs_stream_key *key)
{
	struct bat_list_stat stat;
	struct bat_row row;

	if (node->class == BATFS_LOG_PAGE)
		return shard_last(tree, node, node->number, &row) ?
		    as_time(row.wall_ms) :
		    0;
	return bat_list_stat(tree->store, &key->list, &stat) && stat.count > 0 ?
	    as_time(stat.last_wall_ms) :
	    0;
}

/* Which event is the last one is known when all were looked at. */
static int
measure_chosen(struct batfs_tree *tree, const struct batfs_node *node,
    const struct batfs_stream_key *key, struct batfs_attributes *out,
    struct bat_error *error)
{
	struct bat_row row;
	uint32_t last;
	int code = batfs_stream_end(batfs_tree_streams_of(tree, node), key,
	    &out->size, &last, error);

	if (code == BAT_OK && last != BAT_MAP_NONE &&
	    bat_row(tree->store, last, &row))
		out->mtime_ms = as_time(row.wall_ms);
	return code;
}

int
batfs_tree_measure_stream(struct batfs_tree *tree,
    const struct batfs_node *node, bool want_size, struct batfs_attributes *out,
    struct bat_error *error)
{
	struct batfs_stream_key key;
	int code = batfs_tree_stream(tree, node, &key);

	if (code == BAT_END) {
		out->mtime_ms = batfs_tree_first_time(tree);
		return BAT_OK;
	}
	if (code != BAT_OK)
		return code;
	if (key.choice != 0) {
		out->mtime_ms = batfs_tree_first_time(tree);
		return want_size ?
		    measure_chosen(tree, node, &key, out, error) :
		    BAT_OK;
	}
	out->mtime_ms = stream_time(tree, node, &key);
	if (!want_size)
		return BAT_OK;
	return batfs_stream_size(batfs_tree_streams_of(tree, node), &key,
	    &out->size, error);
}

int
batfs_tree_measure_words(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	(void)node;
	(void)want_size;
	(void)error;
	out->mtime_ms = batfs_tree_first_time(tree);
	return BAT_OK;
}

/* The payload of a damaged event: nobody knows how long it was. */
static int
payload_size(struct batfs_tree *tree, uint32_t ordinal, uint64_t *out_size,
    struct bat_error *error)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	int code = bat_read(tree->store, ordinal, &reading, error);

	if (code == BAT_OK)
		*out_size = reading.payload.length;
	bat_reading_free(&reading);
	return code == BAT_DATA_CORRUPT ? BAT_OK : code;
}

/* All that shows one event: file, folder, link, payload. */
int
batfs_tree_measure_event(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	uint32_t ordinal = bat_find_seq(tree->store, node->number), length;
	struct bat_buf target = BAT_BUF_EMPTY;
	struct bat_row row;
	int code;

	if (ordinal == BAT_MAP_NONE || !bat_row(tree->store, ordinal, &row))
		return BAT_STATE_NOT_FOUND;
	out->mtime_ms = as_time(row.wall_ms);
	if (!want_size || out->type == BATFS_DIRECTORY)
		return BAT_OK;
	if (node->class == BATFS_EVENT_PAYLOAD)
		return payload_size(tree, ordinal, &out->size, error);
	if (out->type == BATFS_SYMLINK) {
		code = batfs_tree_read_link(tree, node, 0, SIZE_MAX, &target,
		    error);
		out->size = target.length;
		bat_bytes_free(&target);
		return code;
	}
	code = batfs_stream_line_length(tree->streams, ordinal, &length, error);
	if (code == BAT_OK)
		out->size = length;
	return code;
}
