/*
 * at/: the tree as it was. Since nothing is ever taken back, a moment is a cut:
 * of every list the events below an ordinal, of entities, scopes and chains
 * those that had begun. So every view of the past is the view of now, asked
 * with another end; and what it says never changes.
 */
#include "tree_internal.h"

#include <inttypes.h>

#include "moment.h"
#include "name.h"
#include "render.h"

#define ATTEMPTS 8

/* ---- a moment ------------------------------------------------------------- */

/*
 * The first visible event behind the moment tells the end. If there is none
 * yet, the one before it does; what comes between two questions is behind.
 */
uint32_t
batfs_tree_before(struct batfs_tree *tree, const struct batfs_node *node)
{
	struct bat_head head;
	uint32_t ordinal;

	for (unsigned i = 0; node->at != 0 && i < ATTEMPTS; i++) {
		ordinal = bat_find_seq_from(tree->store,
		    node->at + BAT_PLANT(172));
		if (ordinal != BAT_MAP_NONE)
			return ordinal;
		bat_head(tree->store, &head);
		if (head.visible_count > 0 && head.last_seq < node->at)
			return head.last + 1;
	}
	return 0;
}

/* Is there a moment at all? Events may have been hidden since it was named. */
bool
batfs_tree_is_moment(struct batfs_tree *tree, const struct batfs_node *node)
{
	struct bat_head head;

	if (node->at == 0)
		return true;
	bat_head(tree->store, &head);
	return head.visible_count > 0 && head.first_seq < node->at;
}

void
batfs_tree_head(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_head *out)
{
	bat_head_before(tree->store, batfs_tree_before(tree, node), out);
}

uint32_t
batfs_tree_seq(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t seq)
{
	return node->at != 0 && seq >= node->at ?
	    BAT_MAP_NONE :
	    bat_find_seq(tree->store, seq);
}

uint32_t
batfs_tree_seq_from(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t seq)
{
	uint32_t ordinal = bat_find_seq_from(tree->store, seq);
	uint32_t before = batfs_tree_before(tree, node);

	return before != 0 && ordinal >= before ? BAT_MAP_NONE : ordinal;
}

static bool
has_some(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_list list)
{
	list.before = batfs_tree_before(tree, node);
	return bat_list_count(tree->store, &list) > 0;
}

/* What the store has numbers of has begun by now. */
bool
batfs_tree_has_begun(struct batfs_tree *tree, const struct batfs_node *node,
    uint32_t entity)
{
	if (entity == BAT_MAP_NONE || node->at == 0)
		return entity != BAT_MAP_NONE;
	return has_some(tree, node,
	    (struct bat_list){ .kind = BAT_LIST_ENTITY, .entity = entity });
}

bool
batfs_tree_member_has_begun(struct batfs_tree *tree,
    const struct batfs_node *node, uint32_t entity, uint32_t scope)
{
	if (entity == BAT_MAP_NONE || scope == BAT_MAP_NONE)
		return false;
	if (node->at == 0)
		return bat_scope_has(tree->store, scope, entity);
	return has_some(tree, node,
	    (struct bat_list){ .kind = BAT_LIST_MEMBER,
		.entity = entity,
		.scope = scope });
}

/* Its first member made it. */
bool
batfs_tree_scope_has_begun(struct batfs_tree *tree,
    const struct batfs_node *node, uint32_t scope)
{
	if (scope == BAT_MAP_NONE || node->at == 0)
		return scope != BAT_MAP_NONE;
	return batfs_tree_member_has_begun(tree, node,
	    bat_scope_entity_at(tree->store, scope, 0), scope);
}

void
batfs_tree_freeze(struct batfs_tree *tree, struct batfs_node *node)
{
	struct bat_head head;

	if (node->at != 0 || !batfs_tree_classes[node->class].frozen)
		return;
	bat_head(tree->store, &head);
	if (head.visible_count > 0)
		node->at = head.last_seq + 1;
}

/* ---- where a mount begins --------------------------------------------------- */

static int
go_to_moment(struct batfs_tree *tree, const char *at, struct batfs_node *out)
{
	const struct batfs_node all = { .class = BATFS_AT };
	struct bat_buf target = BAT_BUF_EMPTY;
	int code = batfs_tree_lookup(tree, &all, bat_bytes_text(at), out);

	if (code == BAT_OK && batfs_tree_type(out) == BATFS_SYMLINK) {
		code = batfs_tree_readlink(tree, out, &target);
		if (code == BAT_OK)
			code = batfs_tree_lookup(tree, &all,
			    bat_bytes_of_buf(&target), out);
		bat_bytes_free(&target);
	}
	return code;
}

static int
go_down(struct batfs_tree *tree, const char *path, struct batfs_node *out)
{
	int code = BAT_OK;

	while (*path != '\0' && code == BAT_OK) {
		struct batfs_node parent = *out;
		size_t length = strcspn(path, "/");

		if (length > 0)
			code = batfs_tree_lookup(tree, &parent,
			    bat_bytes_slice(path, length), out);
		path += length;
		path += *path == '/';
	}
	if (code == BAT_OK && batfs_tree_type(out) == BATFS_SYMLINK)
		code = BAT_USE_INVALID;
	return code;
}

int
batfs_tree_start(struct batfs_tree *tree, const char *at, const char *only,
    struct batfs_node *out, struct bat_error *error)
{
	int code = BAT_OK;

	*out = BATFS_NODE_ROOT;
	if (at != NULL)
		code = go_to_moment(tree, at, out);
	if (code != BAT_OK)
		return bat_error_set(error, code,
		    "-o at=%s: the store has no such moment", at);
	if (only != NULL)
		code = go_down(tree, only, out);
	if (code != BAT_OK)
		return bat_error_set(error, code, "-o only=%s: %s", only,
		    code == BAT_USE_INVALID ? "a link, or below a file" :
					      "it is not there");
	tree->is_part = out->class != BATFS_ROOT;
	return BAT_OK;
}

/* ---- the names of moments -------------------------------------------------- */

/* "-15m": so many seconds. */
static bool
read_ago(struct bat_slice name, uint64_t *out_seconds)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
		{ 'w', 604800 } };
	struct bat_slice digits;
	uint64_t number;

	if (name.length < 3 || name.length > 11 || name.data[0] != '-')
		return false;
	digits = bat_bytes_slice(name.data + 1, name.length - 2);
	if (!batfs_name_number(digits, &number))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (name.data[name.length - 1] == (uint8_t)units[i].unit) {
			*out_seconds = number * units[i].seconds;
			return true;
		}
	return false;
}

/* The sequence to which a link leads: that of the last event before the first
 * one that is later. *out_open: none is later yet. */
static int
find_target(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_row *out, bool *out_open)
{
	const struct bat_clock *clock = tree->options.clock;
	uint64_t now, ms = node->number;
	struct bat_head head;
	uint32_t ordinal;
	int code;

	if (node->class == BATFS_AT_AGO) {
		now = (uint64_t)bat_clock_wall_us(
		    clock != NULL ? clock : bat_clock_system());
		now /= 1000;
		ms = node->number < now / 1000 ? now - node->number * 1000 : 0;
	}
	/* First the head: what comes meanwhile is later. */
	bat_head(tree->store, &head);
	code = batfs_tree_first_later(tree, ms, &ordinal);
	if (code != BAT_OK)
		return code;
	*out_open = ordinal == BAT_MAP_NONE;
	if (*out_open)
		ordinal = head.visible_count > 0 ? head.last + 1 : 0;
	while (ordinal-- > 0)
		if (bat_row(tree->store, ordinal, out))
			return BAT_OK;
	return BAT_STATE_NOT_FOUND;
}

int
batfs_tree_find_at(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	struct batfs_node child = batfs_tree_child(parent, BATFS_ROOT);
	struct bat_head head;
	struct bat_row row;
	int64_t us;
	bool open;

	if (batfs_name_number(name, &child.number)) {
		bat_head(tree->store, &head);
		if (head.visible_count == 0 || child.number > head.last_seq)
			return BAT_STATE_NOT_FOUND;
		child.at = child.number + 1;
		child.number = 0;
		*out = child;
		return batfs_tree_is_moment(tree, out) ? BAT_OK :
							 BAT_STATE_NOT_FOUND;
	}
	child.class = BATFS_AT_AGO;
	if (!read_ago(name, &child.number)) {
		child.class = BATFS_AT_TIME;
		if (!batfs_moment_parse(name, &us) || us < 0)
			return BAT_STATE_NOT_FOUND;
		child.number = (uint64_t)us / 1000;
	}
	*out = child;
	return find_target(tree, &child, &row, &open);
}

int
batfs_tree_spell_root(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	(void)tree;
	return bat_bytes_append_format(buf, "%" PRIu64, node->at - 1);
}

int
batfs_tree_spell_at_time(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	(void)tree;
	return batfs_render_time((int64_t)(node->number * 1000), buf);
}

int
batfs_tree_spell_at_ago(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	(void)tree;
	return bat_bytes_append_format(buf, "-%" PRIu64 "s", node->number);
}

int
batfs_tree_read_at_link(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	struct bat_buf target = BAT_BUF_EMPTY;
	struct bat_row row;
	bool open;
	int code = find_target(tree, node, &row, &open);

	(void)error;
	if (code == BAT_OK)
		code = bat_bytes_append_format(&target, "%" PRIu64, row.seq);
	if (code == BAT_OK)
		code = batfs_tree_slice(bat_bytes_of_buf(&target), offset, size,
		    buf);
	bat_bytes_free(&target);
	return code;
}

/* A time that is over leads to one place for ever. */
int
batfs_tree_measure_at_link(struct batfs_tree *tree,
    const struct batfs_node *node, bool want_size, struct batfs_attributes *out,
    struct bat_error *error)
{
	struct bat_row row;
	bool open;
	int code = find_target(tree, node, &row, &open);

	(void)want_size;
	(void)error;
	if (code != BAT_OK)
		return code;
	out->mtime_ms = batfs_tree_time_of(&row);
	out->caching = open || node->class == BATFS_AT_AGO ?
	    BATFS_CACHE_NONE :
	    BATFS_CACHE_FOREVER;
	do
		out->size++;
	while ((row.seq /= 10) > 0);
	return BAT_OK;
}
