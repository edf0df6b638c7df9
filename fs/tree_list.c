/*
 * Directories, entry by entry. What comes and goes is listed by its place in
 * first-seen order, so a cookie means the same for ever and new entries stand
 * at the end; then the fixed names, then what was created and has no event.
 */
#include "tree_internal.h"

#include <assert.h>
#include <inttypes.h>

#include "name.h"

int
batfs_tree_emit(struct batfs_tree *tree, struct batfs_tree_listing *listing,
    const struct batfs_node *node, uint64_t cookie)
{
	const struct batfs_tree_class *row = &batfs_tree_classes[node->class];
	const char *name;
	int code;

	if (!batfs_tree_shows(tree, node) ||
	    (BAT_PLANT(171) && node->at != 0 && cookie == 3 &&
		node->class == BATFS_EVENT_JSON))
		return BAT_OK;
	bat_bytes_clear(&listing->name);
	code = row->name != NULL ?
	    bat_bytes_append_text(&listing->name, row->name) :
	    row->spell(tree, node, &listing->name);
	if (code == BAT_OK)
		code = bat_bytes_append_byte(&listing->name, '\0');
	if (code != BAT_OK)
		return code;
	name = (const char *)listing->name.data;
	if (listing->each_name != NULL ?
		!listing->each_name(listing->context, name, row->type,
		    batfs_tree_inode(tree, node), cookie) :
		!listing->each(listing->context, name, node, cookie))
		return BAT_END;
	return BAT_OK;
}

/* ---- by number --------------------------------------------------------- */

/*
 * Shards with events, from the first one behind the cookie and up to before
 * end; a shard's cookie is its number + 1.
 */
static int
list_shards(struct batfs_tree *tree, const struct batfs_node *node,
    enum batfs_class class, uint64_t cookie, uint64_t end,
    struct batfs_tree_listing *listing)
{
	struct batfs_node child = batfs_tree_child(node, class);
	int code = BAT_OK;

	for (uint64_t next = cookie; code == BAT_OK && next < end;
	     next = child.number + 1) {
		struct bat_row row;
		uint64_t start;
		uint32_t ordinal = BAT_MAP_NONE;

		if (batfs_tree_shard_start(next, &start))
			ordinal = batfs_tree_seq_from(tree, node, start);
		if (ordinal == BAT_MAP_NONE ||
		    !bat_row(tree->store, ordinal, &row))
			break;
		child.number = row.seq / BATFS_TREE_SHARD;
		if (child.number < next || child.number >= end)
			break;
		code = batfs_tree_emit(tree, listing, &child, child.number + 1);
	}
	return code;
}

/* The newest shard is no page yet: it is the tail. */
int
batfs_tree_list_pages(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	struct bat_head head;

	batfs_tree_head(tree, node, &head);
	if (head.visible_count == 0)
		return BAT_OK;
	return list_shards(tree, node, BATFS_LOG_PAGE, cookie,
	    head.last_seq / BATFS_TREE_SHARD, listing);
}

int
batfs_tree_list_shards(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	return list_shards(tree, node, BATFS_SHARD, cookie, UINT64_MAX,
	    listing);
}

/* An event's cookie is its place in the shard + 1. */
int
batfs_tree_list_shard(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	struct batfs_node child = batfs_tree_child(node, BATFS_EVENT_JSON);
	uint64_t start;
	int code = BAT_OK;

	if (!batfs_tree_shard_start(node->number, &start))
		return BAT_OK;
	while (code == BAT_OK && cookie < BATFS_TREE_SHARD) {
		uint32_t ordinal = batfs_tree_seq_from(tree, node,
		    start + cookie);
		struct bat_row row;

		if (ordinal == BAT_MAP_NONE ||
		    !bat_row(tree->store, ordinal, &row) ||
		    row.seq / BATFS_TREE_SHARD != node->number)
			break;
		child.number = row.seq;
		cookie = row.seq - start + 1;
		code = batfs_tree_emit(tree, listing, &child, cookie);
	}
	return code;
}

/* ---- the whole of it -------------------------------------------------------- */

static int
list_fixed(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	/* Where nothing else is listed the class alone is the cookie. */
	uint64_t base = batfs_tree_classes[node->class].list != NULL ?
	    BATFS_TREE_COOKIE_FIXED :
	    0;
	uint64_t i = cookie > base ? cookie - base + 1 : BATFS_ROOT;
	int code = BAT_OK;

	for (; i < BATFS_CLASS_COUNT && code == BAT_OK; i++) {
		const struct batfs_tree_class *row = &batfs_tree_classes[i];
		struct batfs_node child = batfs_tree_child(node,
		    (enum batfs_class)i);

		if (row->parent == node->class && row->listed)
			code = batfs_tree_emit(tree, listing, &child, base + i);
	}
	return code;
}

static int
list_pending(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	struct batfs_node child;
	uint64_t ordinal = 0;
	int code = BAT_OK;

	if (cookie >= BATFS_TREE_COOKIE_PENDING)
		ordinal = cookie - BATFS_TREE_COOKIE_PENDING + 1;
	for (; code == BAT_OK &&
	     batfs_tree_pending_next(tree, node, &ordinal, &child);
	     ordinal++)
		if (!batfs_tree_is_real(tree, &child))
			code = batfs_tree_emit(tree, listing, &child,
			    BATFS_TREE_COOKIE_PENDING + ordinal);
	return code;
}

static int
list_all(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	const struct batfs_tree_class *row = &batfs_tree_classes[node->class];
	int code = BAT_OK;

	if (node->class == BATFS_NONE || row->type != BATFS_DIRECTORY)
		return BAT_USE_INVALID;
	if (row->search)
		return BAT_STATE_DENIED;
	if (!batfs_tree_is_moment(tree, node))
		return BAT_STATE_NOT_FOUND;
	if (row->list != NULL && cookie < BATFS_TREE_COOKIE_FIXED)
		code = row->list(tree, node, cookie, listing);
	if (code == BAT_OK && cookie < BATFS_TREE_COOKIE_PENDING)
		code = list_fixed(tree, node, cookie, listing);
	if (code == BAT_OK && node->at == 0)
		code = list_pending(tree, node, cookie, listing);
	bat_bytes_free(&listing->name);
	return code == BAT_END ? BAT_OK : code;
}

int
batfs_tree_list(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, batfs_tree_each_fn each, void *context)
{
	struct batfs_tree_listing listing = {
		.each = each,
		.context = context,
		.name = BAT_BUF_EMPTY,
	};

	return list_all(tree, node, cookie, &listing);
}

int
batfs_tree_list_names(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, batfs_tree_name_fn each, void *context)
{
	struct batfs_tree_listing listing = {
		.each_name = each,
		.context = context,
		.name = BAT_BUF_EMPTY,
	};

	return list_all(tree, node, cookie, &listing);
}

/* ---- names of what has no fixed one ----------------------------------------- */

int
batfs_tree_spell_page(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	(void)tree;
	return bat_bytes_append_format(buf, "%08" PRIu64 ".jsonl",
	    node->number);
}

int
batfs_tree_spell_entity(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	return batfs_name_encode(batfs_tree_text(tree, node->entity), buf);
}

int
batfs_tree_spell_scope(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	return batfs_name_encode(batfs_tree_text(tree, node->scope), buf);
}

/* Kept as it was typed. */
int
batfs_tree_spell_words(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	return bat_bytes_append_slice(buf, batfs_tree_text(tree, node->entity));
}

int
batfs_tree_spell_shard(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	(void)tree;
	return bat_bytes_append_format(buf, "%08" PRIu64, node->number);
}

int
batfs_tree_spell_event(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	(void)tree;
	return bat_bytes_append_format(buf, "%012" PRIu64, node->number);
}

int
batfs_tree_spell_event_json(struct batfs_tree *tree,
    const struct batfs_node *node, struct bat_buf *buf)
{
	(void)tree;
	return bat_bytes_append_format(buf, "%012" PRIu64 ".json",
	    node->number);
}

int
batfs_tree_spell_number(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	(void)tree;
	return bat_bytes_append_format(buf, "%" PRIu64, node->number);
}

int
batfs_tree_spell_number_json(struct batfs_tree *tree,
    const struct batfs_node *node, struct bat_buf *buf)
{
	(void)tree;
	return bat_bytes_append_format(buf, "%" PRIu64 ".json", node->number);
}
