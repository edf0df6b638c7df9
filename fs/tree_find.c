/*
 * Children that have no fixed name: strictly in the one spelling that each of
 * them has, and only if it exists.
 */
#include "tree_internal.h"

#include "name.h"

/* ---- shards and pages --------------------------------------------------- */

bool
batfs_tree_shard_start(uint64_t shard, uint64_t *out_seq)
{
	return bat_bytes_multiply(shard, BATFS_TREE_SHARD, out_seq);
}

bool
batfs_tree_shard_first(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t shard, struct bat_row *out)
{
	uint64_t start;
	uint32_t ordinal;

	if (!batfs_tree_shard_start(shard, &start))
		return false;
	ordinal = batfs_tree_seq_from(tree, node, start);
	return ordinal != BAT_MAP_NONE && bat_row(tree->store, ordinal, out) &&
	    out->seq / BATFS_TREE_SHARD == shard;
}

bool
batfs_tree_shard_is_sealed(struct batfs_tree *tree,
    const struct batfs_node *node, uint64_t shard)
{
	struct bat_head head;

	batfs_tree_head(tree, node, &head);
	return head.visible_count > 0 &&
	    head.last_seq / BATFS_TREE_SHARD + BAT_PLANT(85) > shard;
}

bool
batfs_tree_cut_suffix(struct bat_slice *name, const char *suffix)
{
	struct bat_slice end = bat_bytes_text(suffix);

	if (name->length < end.length ||
	    memcmp(name->data + name->length - end.length, end.data,
		end.length) != 0)
		return false;
	name->length -= end.length;
	return true;
}

int
batfs_tree_find_page(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	struct bat_row row;
	uint64_t page;

	if (!batfs_tree_cut_suffix(&name, ".jsonl") ||
	    !batfs_name_padded(name, 8, &page) ||
	    !batfs_tree_shard_is_sealed(tree, parent, page) ||
	    !batfs_tree_shard_first(tree, parent, page, &row))
		return BAT_STATE_NOT_FOUND;
	*out = batfs_tree_child(parent, BATFS_LOG_PAGE);
	out->number = page;
	return BAT_OK;
}

/* Is the name that of a link to the first or the last event? */
static bool
is_end(struct bat_slice name, enum batfs_class *out)
{
	bool first = bat_bytes_equal(name, bat_bytes_text("first"));

	if (!first && !bat_bytes_equal(name, bat_bytes_text("last")))
		return false;
	*out = first ? BATFS_EVENTS_FIRST : BATFS_EVENTS_LAST;
	return true;
}

/*
 * A name of eight digits or more without a zero in front could be a shard or
 * the typed form of an event. It is the shard if that has events, which is
 * what readdir says.
 */
int
batfs_tree_find_in_events(struct batfs_tree *tree,
    const struct batfs_node *parent, struct bat_slice name,
    struct batfs_node *out)
{
	enum batfs_class class = BATFS_EVENT_LINK;
	struct bat_row row;
	struct bat_head head;
	uint64_t number;

	batfs_tree_head(tree, parent, &head);
	if (head.visible_count > 0 && is_end(name, &class)) {
		*out = batfs_tree_child(parent, class);
		return BAT_OK;
	}
	if (batfs_name_padded(name, 8, &number) &&
	    batfs_tree_shard_first(tree, parent, number, &row)) {
		*out = batfs_tree_child(parent, BATFS_SHARD);
		out->number = number;
		return BAT_OK;
	}
	if (batfs_tree_cut_suffix(&name, ".json"))
		class = BATFS_EVENT_JSON_LINK;
	if (!batfs_name_number(name, &number) ||
	    batfs_tree_seq(tree, parent, number) == BAT_MAP_NONE)
		return BAT_STATE_NOT_FOUND;
	*out = batfs_tree_child(parent, class);
	out->number = number;
	return BAT_OK;
}

int
batfs_tree_find_in_shard(struct batfs_tree *tree,
    const struct batfs_node *parent, struct bat_slice name,
    struct batfs_node *out)
{
	enum batfs_class class = BATFS_EVENT_DIR;
	uint64_t seq;

	if (batfs_tree_cut_suffix(&name, ".json"))
		class = BATFS_EVENT_JSON;
	if (!batfs_name_padded(name, 12, &seq) ||
	    seq / BATFS_TREE_SHARD != parent->number ||
	    batfs_tree_seq(tree, parent, seq) == BAT_MAP_NONE)
		return BAT_STATE_NOT_FOUND;
	*out = batfs_tree_child(parent, class);
	out->number = seq;
	return BAT_OK;
}

/* ---- entities, scopes, members ------------------------------------------ */

bool
batfs_tree_exists(struct batfs_tree *tree, const struct batfs_node *node)
{
	return batfs_tree_is_real(tree, node) ||
	    batfs_tree_pending_has(tree, node);
}

/* Is a stored name, which may have no number of ours yet, known to the store
 * as a child of this class? */
static bool
store_has(struct batfs_tree *tree, const struct batfs_node *parent,
    enum batfs_class class, struct bat_slice stored)
{
	uint32_t entity;

	if (class == BATFS_SCOPE)
		return batfs_tree_scope_has_begun(tree, parent,
		    bat_find_scope(tree->store, stored));
	entity = bat_find_entity(tree->store, stored);
	if (class == BATFS_ENTITY || entity == BAT_MAP_NONE)
		return batfs_tree_has_begun(tree, parent, entity);
	return batfs_tree_member_has_begun(tree, parent, entity,
	    batfs_tree_store_scope(tree, parent->scope));
}

/* The child with this stored name, if it exists; only then is the name given
 * a number. */
static int
find_stored(struct batfs_tree *tree, const struct batfs_node *parent,
    enum batfs_class class, struct bat_slice stored, struct batfs_node *out)
{
	struct batfs_node child = batfs_tree_child(parent, class);
	uint32_t number = batfs_tree_number_of(tree, stored);
	bool real = store_has(tree, parent, class, stored);

	if (number == BAT_MAP_NONE) {
		int code = BAT_STATE_NOT_FOUND;

		if (real)
			code = batfs_tree_intern(tree, stored, &number);
		if (code != BAT_OK)
			return code;
	}
	*(class == BATFS_SCOPE ? &child.scope : &child.entity) = number;
	if (!real && !batfs_tree_pending_has(tree, &child))
		return BAT_STATE_NOT_FOUND;
	*out = child;
	return BAT_OK;
}

static int
find_named(struct batfs_tree *tree, const struct batfs_node *parent,
    enum batfs_class class, struct bat_slice name, struct batfs_node *out)
{
	struct bat_buf stored = BAT_BUF_EMPTY;
	int code = batfs_tree_stored_name(tree, name, &stored);

	if (code == BAT_OK)
		code = find_stored(tree, parent, class,
		    bat_bytes_of_buf(&stored), out);
	bat_bytes_free(&stored);
	return code;
}

int
batfs_tree_find_scope(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	return find_named(tree, parent, BATFS_SCOPE, name, out);
}

/* ---- names with words ------------------------------------------------------ */

static bool
is_word(struct bat_slice key, struct bat_slice value, bool has_scope)
{
	static const char *const words[] = { "cause", "corr", "depth", "expect",
		"flags", "key", "kind", "lane" };

	if (bat_bytes_equal(key, bat_bytes_text("as")))
		return bat_bytes_equal(value, bat_bytes_text("text"));
	if (bat_bytes_equal(key, bat_bytes_text("scope")))
		return !has_scope;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bat_bytes_equal(key, bat_bytes_text(words[i])))
			return true;
	return false;
}

/* Only whether the words are ones that an append knows: whether their values
 * are right is said when somebody appends. */
int
batfs_tree_split_words(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct bat_buf *stem, struct bat_slice *out_words)
{
	struct bat_slice front, rest, key, value;
	int code;

	batfs_name_split_words(name, &front, out_words);
	rest = *out_words;
	while ((code = batfs_name_next_word(&rest, &key, &value)) == BAT_OK)
		if (!is_word(key, value, parent->class == BATFS_SCOPE))
			return BAT_STATE_NOT_FOUND;
	if (code != BAT_END)
		return BAT_STATE_NOT_FOUND;
	return batfs_tree_stored_name(tree, front, stem);
}

/* There as soon as the entity is, or the name itself was created. */
static int
find_words(struct batfs_tree *tree, const struct batfs_node *parent,
    enum batfs_class plain, enum batfs_class class, struct bat_slice name,
    struct batfs_node *out)
{
	struct batfs_node child = batfs_tree_child(parent, class), entity;
	struct bat_buf stem = BAT_BUF_EMPTY;
	struct bat_slice words;
	int code = batfs_tree_split_words(tree, parent, name, &stem, &words);

	if (code != BAT_OK)
		goto free_stem;
	code = find_stored(tree, parent, plain, bat_bytes_of_buf(&stem),
	    &entity);
	if (code == BAT_OK) {
		code = batfs_tree_intern(tree, name, &child.entity);
	} else if (code == BAT_STATE_NOT_FOUND) {
		child.entity = batfs_tree_number_of(tree, name);
		if (child.entity != BAT_MAP_NONE &&
		    batfs_tree_pending_has(tree, &child))
			code = BAT_OK;
	}
	if (code == BAT_OK)
		*out = child;
free_stem:
	bat_bytes_free(&stem);
	return code;
}

static int
find_appendable(struct batfs_tree *tree, const struct batfs_node *parent,
    enum batfs_class plain, enum batfs_class with_words, struct bat_slice name,
    struct batfs_node *out)
{
	struct bat_slice stem, words;

	batfs_name_split_words(name, &stem, &words);
	if (words.length == 0)
		return find_named(tree, parent, plain, name, out);
	return find_words(tree, parent, plain, with_words, name, out);
}

/* An entity that has events, with words for reading. */
static int
find_view(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	struct batfs_node child = batfs_tree_child(parent, BATFS_ENTITY_VIEW);
	struct bat_buf stored = BAT_BUF_EMPTY;
	struct bat_slice stem, words;
	int code;

	batfs_name_split_words(name, &stem, &words);
	code = batfs_tree_stored_name(tree, stem, &stored);
	if (code == BAT_OK &&
	    !batfs_tree_has_begun(tree, parent,
		bat_find_entity(tree->store, bat_bytes_of_buf(&stored))))
		code = BAT_STATE_NOT_FOUND;
	if (code == BAT_OK)
		code = batfs_tree_intern(tree, name, &child.entity);
	if (code == BAT_OK)
		*out = child;
	bat_bytes_free(&stored);
	return code;
}

int
batfs_tree_find_entity(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	struct bat_slice stem, words;

	batfs_name_split_words(name, &stem, &words);
	if (batfs_tree_is_view(words))
		return find_view(tree, parent, name, out);
	return find_appendable(tree, parent, BATFS_ENTITY, BATFS_ENTITY_WORDS,
	    name, out);
}

int
batfs_tree_find_member(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	return find_appendable(tree, parent, BATFS_MEMBER, BATFS_MEMBER_WORDS,
	    name, out);
}

/* ---- streams ------------------------------------------------------------------ */

static int
log_stream(struct batfs_tree *tree, const struct batfs_node *node,
    struct batfs_stream_key *out)
{
	struct bat_head head;
	struct bat_row row;

	batfs_tree_head(tree, node, &head);
	if (head.visible_count == 0)
		return node->class == BATFS_LOG_PAGE ? BAT_STATE_NOT_FOUND :
						       BAT_END;
	if (node->class == BATFS_LOG_TAIL) {
		out->from_seq = head.last_seq -
		    head.last_seq % BATFS_TREE_SHARD;
		if (node->at != 0)
			out->to_seq = node->at;
	}
	if (node->class != BATFS_LOG_PAGE)
		return BAT_OK;
	if (head.last_seq / BATFS_TREE_SHARD <= node->number ||
	    !batfs_tree_shard_first(tree, node, node->number, &row) ||
	    !batfs_tree_shard_start(node->number, &out->from_seq) ||
	    !bat_bytes_add(out->from_seq, BATFS_TREE_SHARD, &out->to_seq))
		return BAT_STATE_NOT_FOUND;
	out->list.before = 0; /* a page is the same at every moment */
	return BAT_OK;
}

int
batfs_tree_stream(struct batfs_tree *tree, const struct batfs_node *node,
    struct batfs_stream_key *out)
{
	*out = (struct batfs_stream_key){
		.list = {
			.kind = BAT_LIST_ALL,
			.before = batfs_tree_before(tree, node),
		},
		.to_seq = UINT64_MAX,
	};
	if (node->class == BATFS_LOG_ALL || node->class == BATFS_LOG_PAGE ||
	    node->class == BATFS_LOG_TAIL)
		return log_stream(tree, node, out);
	if (node->class != BATFS_ENTITY && node->class != BATFS_MEMBER)
		return batfs_tree_typed_stream(tree, node, out);
	if (!batfs_tree_is_real(tree, node))
		return batfs_tree_pending_has(tree, node) ? BAT_END :
							    BAT_STATE_NOT_FOUND;
	out->list.entity = batfs_tree_store_entity(tree, node->entity);
	out->list.kind = BAT_LIST_ENTITY;
	if (node->class == BATFS_MEMBER) {
		out->list.scope = batfs_tree_store_scope(tree, node->scope);
		out->list.kind = BAT_LIST_MEMBER;
	}
	return BAT_OK;
}
