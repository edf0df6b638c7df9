/*
 * New names, and where an append goes.
 */
#include "tree_internal.h"

#include "name.h"

/* ---- what -o new= allows ------------------------------------------------ */

static int
deny(struct bat_error *error, const char *mode, const char *what)
{
	return bat_error_set(error, BAT_STATE_DENIED,
	    "-o new=%s allows no new %s", mode, what);
}

/* May an entity begin in a scope? */
static int
may_begin(const struct batfs_tree *tree, bool scope_is_real,
    struct bat_error *error)
{
	if (tree->options.new_names == BATFS_NEW_NONE)
		return deny(error, "none", "name");
	if (tree->options.new_names == BATFS_NEW_ENTITY && !scope_is_real)
		return deny(error, "entity", "scope");
	return BAT_OK;
}

static int
admit(struct batfs_tree *tree, const struct bat_draft *draft,
    struct bat_error *error)
{
	uint32_t scope, entity;

	if (tree->options.new_names == BATFS_NEW_SCOPE)
		return BAT_OK;
	scope = bat_find_scope(tree->store, draft->scope);
	entity = bat_find_entity(tree->store, draft->entity);
	if (scope != BAT_MAP_NONE && entity != BAT_MAP_NONE &&
	    bat_scope_has(tree->store, scope, entity))
		return BAT_OK;
	return may_begin(tree, scope != BAT_MAP_NONE, error);
}

size_t
batfs_tree_admit(struct batfs_tree *tree, const struct bat_draft *drafts,
    size_t count, struct bat_error *error)
{
	size_t i = 0;

	while (i < count && admit(tree, &drafts[i], error) == BAT_OK)
		i++;
	return i;
}

/* ---- creating ------------------------------------------------------------ */

/* Why a name cannot be created that could not be read as one of the tree's. */
static int
explain(int code, struct bat_slice name, struct bat_error *error)
{
	if (code != BAT_STATE_NOT_FOUND)
		return code;
	if (name.length > BATFS_NAME_MAX)
		return bat_error_set(error, BAT_USE_NAME_LENGTH,
		    "a name of more than %d bytes", BATFS_NAME_MAX);
	return bat_error_set(error, BAT_USE_INVALID,
	    "not how a name is spelled in this tree");
}

/* Put a name below parent that has no event. text: what the store would call
 * it; with words, what was typed. */
static int
add_pending(struct batfs_tree *tree, const struct batfs_node *parent,
    enum batfs_class class, struct bat_slice text, struct batfs_node *out)
{
	struct batfs_node child = batfs_tree_child(parent, class);
	int code = batfs_tree_intern(tree, text,
	    class == BATFS_SCOPE ? &child.scope : &child.entity);

	if (code == BAT_OK)
		code = batfs_tree_pending_add(tree, &child);
	if (code == BAT_OK)
		*out = child;
	return code;
}

/* What both do first. 0: the name is free. */
static int
begin_creating(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out, struct bat_error *error)
{
	int code;

	if (parent->at != 0)
		return bat_error_set(error, BAT_USE_READ_ONLY,
		    "nothing is added to the past");
	if (tree->options.read_only)
		return bat_error_set(error, BAT_USE_READ_ONLY,
		    "mounted read-only");
	code = batfs_tree_lookup(tree, parent, name, out);
	if (code == BAT_OK)
		return BAT_STATE_EXISTS;
	return code == BAT_STATE_NOT_FOUND ? BAT_OK : code;
}

static int
create_entity(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out, struct bat_error *error)
{
	const bool in_scope = parent->class == BATFS_SCOPE;
	struct bat_buf stored = BAT_BUF_EMPTY;
	struct bat_slice words, scope = bat_bytes_text("scope");
	int code = batfs_tree_split_words(tree, parent, name, &stored, &words);

	if (code != BAT_OK) {
		code = explain(code, name, error);
		goto free_stored;
	}
	if (in_scope)
		scope = batfs_tree_text(tree, parent->scope);
	code = bat_coordinate_check(bat_bytes_of_buf(&stored), scope, error);
	if (code != BAT_OK)
		goto free_stored;
	if (words.length > 0)
		code = add_pending(tree, parent,
		    in_scope ? BATFS_MEMBER_WORDS : BATFS_ENTITY_WORDS, name,
		    out);
	else
		code = add_pending(tree, parent,
		    in_scope ? BATFS_MEMBER : BATFS_ENTITY,
		    bat_bytes_of_buf(&stored), out);
free_stored:
	bat_bytes_free(&stored);
	return code;
}

bool
batfs_tree_only_shows(const struct batfs_node *node)
{
	return node->class >= BATFS_BY && node->class <= BATFS_BY_CHAINS;
}

/* Why nothing can be made below a node where that is never possible. In by/ a
 * name would not say what is to be made. */
static int
refuse_creating(const struct batfs_node *parent, const char *why,
    struct bat_error *error)
{
	if (parent->at != 0)
		return bat_error_set(error, BAT_USE_READ_ONLY,
		    "nothing is added to the past");
	if (batfs_tree_only_shows(parent))
		return bat_error_set(error, BAT_USE_READ_ONLY,
		    "by/ only shows; append below entities/ or scopes/");
	return bat_error_set(error, BAT_USE_RESERVED, "%s", why);
}

int
batfs_tree_create(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out, struct bat_error *error)
{
	/* Under entities/ the scope is not known yet; the append will say. */
	bool scope_is_real = true;
	int code;

	if (parent->class != BATFS_ENTITIES && parent->class != BATFS_SCOPE)
		return refuse_creating(parent, "nothing can be created here",
		    error);
	code = begin_creating(tree, parent, name, out, error);
	if (code != BAT_OK)
		return code;
	if (parent->class == BATFS_SCOPE) {
		scope_is_real = batfs_tree_is_real(tree, parent);
		if (!scope_is_real && !batfs_tree_pending_has(tree, parent))
			return bat_error_set(error, BAT_STATE_NOT_FOUND,
			    "the scope is gone");
	}
	code = may_begin(tree, scope_is_real, error);
	if (code != BAT_OK)
		return code;
	return create_entity(tree, parent, name, out, error);
}

int
batfs_tree_mkdir(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out, struct bat_error *error)
{
	struct bat_buf stored = BAT_BUF_EMPTY;
	int code;

	if (parent->class != BATFS_SCOPES)
		return refuse_creating(parent, "no directory can be made here",
		    error);
	code = begin_creating(tree, parent, name, out, error);
	if (code == BAT_OK)
		code = may_begin(tree, false, error);
	if (code != BAT_OK)
		return code;
	code = batfs_tree_stored_name(tree, name, &stored);
	if (code != BAT_OK)
		code = explain(code, name, error);
	else
		code = bat_coordinate_check(bat_bytes_text("entity"),
		    bat_bytes_of_buf(&stored), error);
	if (code == BAT_OK)
		code = add_pending(tree, parent, BATFS_SCOPE,
		    bat_bytes_of_buf(&stored), out);
	bat_bytes_free(&stored);
	return code;
}

int
batfs_tree_rmdir(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name)
{
	struct batfs_node node, child;
	uint64_t ordinal = 0;
	int code = batfs_tree_lookup(tree, parent, name, &node);

	if (code != BAT_OK)
		return code;
	if (tree->options.read_only || batfs_tree_only_shows(parent) ||
	    node.at != 0)
		return BAT_USE_READ_ONLY;
	if (node.class != BATFS_SCOPE || batfs_tree_is_real(tree, &node) ||
	    batfs_tree_pending_next(tree, &node, &ordinal, &child))
		return BAT_USE_RESERVED;
	batfs_tree_pending_drop(tree, &node);
	return BAT_OK;
}

/* ---- where an append goes ----------------------------------------------- */

static int
only_scope(void *context, struct bat_slice entity, struct bat_slice *out_scope)
{
	struct batfs_tree *tree = context;
	uint32_t number = bat_find_entity(tree->store, entity), scope;

	if (number == BAT_MAP_NONE ||
	    bat_entity_scopes(tree->store, number, &scope) != 1)
		return BAT_USE_INVALID;
	*out_scope = bat_name(tree->store, scope);
	return BAT_OK;
}

static bool
kind_alias(void *context, struct bat_slice name, uint16_t *out_kind)
{
	const struct batfs_tree *tree = context;

	return batfs_kinds_find(tree->options.kinds, name, out_kind);
}

/* The stored name in front of the words gets a number of its own, so that the
 * slices are valid as long as the tree. */
static int
place_words(struct batfs_tree *tree, const struct batfs_node *node,
    struct batfs_intake_place *place)
{
	struct batfs_node parent = batfs_tree_parent(tree, node);
	struct bat_buf stem = BAT_BUF_EMPTY;
	uint32_t number = 0;
	int code = batfs_tree_split_words(tree, &parent,
	    batfs_tree_text(tree, node->entity), &stem, &place->words);

	if (code == BAT_OK)
		code = batfs_tree_intern(tree, bat_bytes_of_buf(&stem),
		    &number);
	if (code == BAT_OK)
		place->entity = batfs_tree_text(tree, number);
	bat_bytes_free(&stem);
	return code;
}

int
batfs_tree_place(struct batfs_tree *tree, const struct batfs_node *node,
    struct batfs_intake_place *out, struct batfs_intake_resolver *resolver)
{
	const struct batfs_tree_options *options = &tree->options;
	struct batfs_intake_place place = {
		.default_kind = options->default_kind != 0 ?
		    options->default_kind :
		    BAT_KIND_DATA,
		.text = options->text,
	};
	int code = BAT_OK;

	if (node->class == BATFS_ROOT_APPEND)
		place.default_scope = BAT_SLICE_EMPTY; /* lines say all */
	else if (options->default_scope != NULL)
		place.default_scope = bat_bytes_text(options->default_scope);
	if (node->class == BATFS_MEMBER || node->class == BATFS_MEMBER_WORDS)
		place.scope = batfs_tree_text(tree, node->scope);
	if (node->class == BATFS_ENTITY || node->class == BATFS_MEMBER)
		place.entity = batfs_tree_text(tree, node->entity);
	else if (node->class == BATFS_ENTITY_WORDS ||
	    node->class == BATFS_MEMBER_WORDS ||
	    node->class == BATFS_CTL_APPEND || node->class == BATFS_CTL_TRY)
		code = place_words(tree, node, &place);
	else if (node->class != BATFS_ROOT_APPEND)
		code = BAT_USE_INVALID;
	if (code != BAT_OK)
		return code;
	*out = place;
	*resolver = (struct batfs_intake_resolver){
		.context = tree,
		.only_scope = only_scope,
		.kind_alias = kind_alias,
	};
	return BAT_OK;
}
