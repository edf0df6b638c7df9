/*
 * The doors to the tree that are the same for all classes. What differs stands
 * in the table of classes and in the functions that its rows name.
 */
#include "tree.h"

#include <stdlib.h>

#include "render.h"
#include "tree_internal.h"

/* Of what was read a moment ago: a hundred thousand usual lines. */
#define TEXT_BYTES (64u << 20)

/* ---- making and freeing ------------------------------------------------ */

static int
copy_options(struct batfs_tree *tree, const struct batfs_tree_options *options)
{
	uint32_t number;
	int code;

	tree->options = *options;
	if (options->default_scope == NULL)
		return BAT_OK;
	code = batfs_tree_intern(tree, bat_bytes_text(options->default_scope),
	    &number);
	/* Names end in a NUL. */
	if (code == BAT_OK)
		tree->options.default_scope =
		    (const char *)batfs_tree_text(tree, number).data;
	return code;
}

/* What has locks of its own; batfs_tree_free needs all of it. */
static int
make_parts(struct batfs_tree *tree)
{
	const struct batfs_stream_ways lines = {
		.choose = batfs_tree_choose,
		.context = tree,
		.kept = true,
		.text_bytes = TEXT_BYTES,
	};
	struct batfs_stream_ways briefs = {
		.choose = batfs_tree_choose,
		.context = tree,
	};
	int code = batfs_stream_new(tree->store, &lines, &tree->streams);

	briefs.render = batfs_render_brief;
	if (code == BAT_OK)
		code = batfs_stream_new(tree->store, &briefs, &tree->briefs);
	briefs.render = batfs_render_branch;
	if (code == BAT_OK)
		code = batfs_stream_new(tree->store, &briefs, &tree->branches);
	briefs.render = batfs_render_dot;
	if (code == BAT_OK)
		code = batfs_stream_new(tree->store, &briefs, &tree->dots);
	return code;
}

int
batfs_tree_new(struct bat_store *store,
    const struct batfs_tree_options *options, struct batfs_tree **out)
{
	struct batfs_tree *tree = calloc(1, sizeof(*tree));
	int code;

	if (tree == NULL)
		return BAT_WORLD_NO_MEMORY;
	if (pthread_mutex_init(&tree->mutex, NULL) != 0) {
		free(tree);
		return BAT_WORLD_NO_MEMORY;
	}
	tree->store = store;
	tree->has_tlog = batfs_tree_finds_tlog(store);
	batfs_tree_names_init(tree);
	batfs_tree_pending_init(tree);
	batfs_tree_kinds_init(tree);
	batfs_tree_moments_init(tree);
	batfs_tree_by_init(tree);
	code = make_parts(tree);
	if (code == BAT_OK)
		code = batfs_rejects_new(&tree->rejects);
	if (code == BAT_OK)
		code = copy_options(tree, options);
	if (code == BAT_OK)
		code = batfs_tree_backup_init(tree);
	if (code == BAT_OK)
		*out = tree;
	else
		batfs_tree_free(tree);
	return code;
}

void
batfs_tree_free(struct batfs_tree *tree)
{
	if (tree == NULL)
		return;
	batfs_stream_free(tree->streams);
	batfs_stream_free(tree->briefs);
	batfs_stream_free(tree->branches);
	batfs_stream_free(tree->dots);
	batfs_tree_backup_free(tree);
	batfs_tree_kinds_free(tree);
	batfs_tree_moments_free(tree);
	batfs_tree_by_free(tree);
	if (tree->rejects != NULL)
		batfs_rejects_free(tree->rejects);
	batfs_tree_pending_free(tree);
	batfs_tree_names_free(tree);
	for (size_t i = 0; i < BATFS_CTL_COUNT; i++)
		bat_bytes_free(&tree->results[i]);
	pthread_mutex_destroy(&tree->mutex);
	free(tree);
}

struct batfs_rejects *
batfs_tree_rejects(struct batfs_tree *tree)
{
	return tree->rejects;
}

struct batfs_stats *
batfs_tree_stats(struct batfs_tree *tree)
{
	return &tree->stats;
}

uint64_t
batfs_tree_generation(struct batfs_tree *tree)
{
	struct bat_head head;

	bat_head(tree->store, &head);
	return head.generation;
}

/* ---- down and up ---------------------------------------------------------- */

struct batfs_node
batfs_tree_child(const struct batfs_node *parent, enum batfs_class class)
{
	struct batfs_node child = *parent;

	child.class = class;
	return child;
}

bool
batfs_tree_shows(const struct batfs_tree *tree, const struct batfs_node *node)
{
	const struct batfs_tree_class *row = &batfs_tree_classes[node->class];

	if (node->at != 0 && !row->past)
		return false;
	if (node->class == BATFS_TLOG && !tree->has_tlog)
		return false;
	return !tree->is_part || row->type != BATFS_SYMLINK;
}

int
batfs_tree_lookup(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	const struct batfs_tree_class *row = &batfs_tree_classes[parent->class];
	int code;

	if (parent->class == BATFS_NONE || row->type != BATFS_DIRECTORY)
		return BAT_USE_INVALID;
	if (!batfs_tree_is_moment(tree, parent))
		return BAT_STATE_NOT_FOUND;
	for (unsigned i = BATFS_ROOT; i < BATFS_CLASS_COUNT; i++) {
		const struct batfs_tree_class *child = &batfs_tree_classes[i];

		if (child->parent != parent->class || child->name == NULL ||
		    !bat_bytes_equal(name, bat_bytes_text(child->name)))
			continue;
		*out = batfs_tree_child(parent, (enum batfs_class)i);
		return batfs_tree_shows(tree, out) ? BAT_OK :
						     BAT_STATE_NOT_FOUND;
	}
	if (row->find == NULL)
		return BAT_STATE_NOT_FOUND;
	code = row->find(tree, parent, name, out);
	if (code == BAT_OK && !batfs_tree_shows(tree, out))
		code = BAT_STATE_NOT_FOUND;
	return code;
}

bool
batfs_tree_absent_for_ever(const struct batfs_node *parent)
{
	return parent->at != 0 ||
	    batfs_tree_classes[parent->class].find == NULL;
}

enum batfs_type
batfs_tree_type(const struct batfs_node *node)
{
	return batfs_tree_classes[node->class].type;
}

enum batfs_keys batfs_tree_keys(enum batfs_class class)
{
	if ((unsigned)class >= BATFS_CLASS_COUNT)
		return BATFS_KEYS_NOBODY;
	return batfs_tree_classes[class].keys;
}

bool
batfs_tree_is_whole(const struct batfs_node *node)
{
	return batfs_tree_classes[node->class].whole;
}

/* Streams may have to be rendered for their size. */
bool
batfs_tree_is_cheap(const struct batfs_node *node)
{
	const struct batfs_tree_class *row = &batfs_tree_classes[node->class];

	return !row->dear && (row->type != BATFS_FILE || row->whole);
}

bool
batfs_tree_takes_appends(const struct batfs_node *node)
{
	return node->at == 0 && batfs_tree_classes[node->class].appends;
}

/* The keys that the parent's class has no use for are left out. */
struct batfs_node
batfs_tree_parent(struct batfs_tree *tree, const struct batfs_node *node)
{
	enum batfs_class class = batfs_tree_classes[node->class].parent;
	enum batfs_keys keys = batfs_tree_classes[class].keys;
	struct batfs_node parent = { .class = class, .at = node->at };

	if (class == BATFS_NONE)
		return (struct batfs_node){
			.class = node->at != 0 ? BATFS_AT : BATFS_ROOT,
		};
	if (node->class == BATFS_BY_PART || node->class == BATFS_BY_LEAF)
		return batfs_tree_space_above(tree, node);
	if (node->class == BATFS_TLOG_FOLDER || node->class == BATFS_TLOG_TILE)
		return batfs_tree_tlog_above(node);
	if (keys == BATFS_KEYS_NUMBER)
		parent.number = node->number;
	if (class == BATFS_SHARD)
		parent.number /= BATFS_TREE_SHARD;
	if (class == BATFS_CHAINS_BYTE)
		parent.number &= 0xff;
	if (keys == BATFS_KEYS_SCOPE || keys == BATFS_KEYS_MEMBER)
		parent.scope = node->scope;
	if (keys == BATFS_KEYS_ENTITY || keys == BATFS_KEYS_MEMBER)
		parent.entity = node->entity;
	return parent;
}

static int
append_name(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	const struct batfs_tree_class *row = &batfs_tree_classes[node->class];

	if (row->name != NULL)
		return bat_bytes_append_text(buf, row->name);
	return row->spell(tree, node, buf);
}

int
batfs_tree_path(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	struct bat_buf tail = BAT_BUF_EMPTY, path = BAT_BUF_EMPTY;
	struct batfs_node at = *node;
	int code = BAT_OK;

	/* From the node up: each name goes in front of what is there. */
	while ((at.class != BATFS_ROOT || at.at != 0) && code == BAT_OK) {
		bat_bytes_clear(&path);
		code = append_name(tree, &at, &path);
		if (code == BAT_OK && tail.length > 0)
			code = bat_bytes_append_byte(&path, '/');
		if (code == BAT_OK)
			code = bat_bytes_append_slice(&path,
			    bat_bytes_of_buf(&tail));
		if (code == BAT_OK) {
			bat_bytes_clear(&tail);
			code = bat_bytes_append_slice(&tail,
			    bat_bytes_of_buf(&path));
		}
		at = batfs_tree_parent(tree, &at);
	}
	if (code == BAT_OK)
		code = bat_bytes_append_slice(buf, bat_bytes_of_buf(&tail));
	bat_bytes_free(&path);
	bat_bytes_free(&tail);
	return code;
}
