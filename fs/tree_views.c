/*
 * Streams that somebody types the bounds of: range/, query/, and an entity with
 * words that are for reading. Their nodes are what was typed.
 */
#include "tree_internal.h"

#include "moment.h"
#include "name.h"

/* ---- range/<a>..<b>.jsonl ----------------------------------------------------- */

/* One end as it was typed. */
struct end {
	enum { END_OPEN, END_SEQ, END_TIME } kind;
	uint64_t seq;
	int64_t ms;
};

static bool
read_end(struct bat_slice text, const char *open, struct end *out)
{
	int64_t us;

	*out = (struct end){ .kind = END_OPEN };
	if (text.length == 0 || bat_bytes_equal(text, bat_bytes_text(open)))
		return true;
	if (batfs_name_number(text, &out->seq) ||
	    batfs_name_padded(text, 12, &out->seq)) {
		out->kind = END_SEQ;
		return true;
	}
	if (!batfs_moment_parse(text, &us))
		return false;
	out->ms = us / 1000 - (us % 1000 < 0);
	out->kind = END_TIME;
	return true;
}

/* "a..b.jsonl"; ends that cross are no range. */
static bool
read_range(struct bat_slice name, struct end *from, struct end *to)
{
	static const char suffix[] = ".jsonl";
	const size_t length = sizeof(suffix) - 1;
	struct bat_slice left = name, right;
	const uint8_t *dots;

	if (name.length < length ||
	    memcmp(name.data + name.length - length, suffix, length) != 0)
		return false;
	name.length -= length;
	dots = memmem(name.data, name.length, "..", 2);
	if (dots == NULL)
		return false;
	left.length = (size_t)(dots - name.data);
	right = bat_bytes_slice(dots + 2, name.length - left.length - 2);
	if (!read_end(left, "first", from) || !read_end(right, "head", to))
		return false;
	if (from->kind != to->kind)
		return true;
	return from->seq <= to->seq && from->ms <= to->ms;
}

/* The sequence of the first event that is later than ms; UINT64_MAX: none is
 * yet. */
static int
first_later(struct batfs_tree *tree, int64_t ms, uint64_t *out_seq)
{
	uint32_t ordinal;
	struct bat_row row;
	int code = BAT_OK;

	*out_seq = 0;
	if (ms < 0)
		return BAT_OK;
	code = batfs_tree_first_later(tree, (uint64_t)ms, &ordinal);
	if (code != BAT_OK)
		return code;
	*out_seq = UINT64_MAX;
	if (ordinal != BAT_MAP_NONE && bat_row(tree->store, ordinal, &row))
		*out_seq = row.seq;
	return BAT_OK;
}

/* What of the log a range is: [*from, *to). */
static int
resolve_range(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t *from_seq, uint64_t *to_seq)
{
	struct end from, to;
	int code = BAT_OK;

	if (!read_range(batfs_tree_text(tree, node->entity), &from, &to))
		return BAT_STATE_NOT_FOUND;
	*from_seq = from.seq;
	*to_seq = UINT64_MAX;
	if (from.kind == END_TIME)
		code = first_later(tree, from.ms - 1, from_seq);
	if (code == BAT_OK && to.kind == END_TIME)
		code = first_later(tree, to.ms, to_seq);
	if (to.kind == END_SEQ && to.seq < UINT64_MAX)
		*to_seq = to.seq + 1;
	if (node->at != 0 && *to_seq > node->at)
		*to_seq = node->at;
	return code;
}

int
batfs_tree_find_range(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	struct batfs_node child = batfs_tree_child(parent, BATFS_RANGE);
	struct end from, to;
	int code;

	if (!read_range(name, &from, &to))
		return BAT_STATE_NOT_FOUND;
	code = batfs_tree_intern(tree, name, &child.entity);
	if (code == BAT_OK)
		*out = child;
	return code;
}

/* The last visible event before a sequence; false: there is none. */
static bool
last_before(struct batfs_tree *tree, uint64_t seq, struct bat_row *out)
{
	struct bat_head head;
	uint32_t ordinal;

	bat_head(tree->store, &head);
	if (head.visible_count == 0)
		return false;
	ordinal = bat_find_seq_from(tree->store, seq);
	if (ordinal == BAT_MAP_NONE)
		ordinal = head.last + 1;
	/* Ordinals are in the order of sequences; some are hidden. */
	while (ordinal-- > 0)
		if (bat_row(tree->store, ordinal, out))
			return true;
	return false;
}

/* A range whose end has been reached never changes again. */
int
batfs_tree_measure_range(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	uint64_t from, to;
	struct bat_head head;
	struct bat_row row;
	int code = resolve_range(tree, node, &from, &to);

	if (code == BAT_OK)
		code = batfs_tree_measure_stream(tree, node, want_size, out,
		    error);
	if (code != BAT_OK)
		return code;
	bat_head(tree->store, &head);
	if (head.visible_count > 0 && to <= head.last_seq + 1)
		out->caching = BATFS_CACHE_FOREVER;
	out->mtime_ms = last_before(tree, to, &row) && row.seq >= from ?
	    batfs_tree_time_of(&row) :
	    batfs_tree_first_time(tree);
	return BAT_OK;
}

/* ---- query/<words>/log.jsonl --------------------------------------------------- */

int
batfs_tree_find_query(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	struct batfs_node child = batfs_tree_child(parent, BATFS_QUERY);
	struct batfs_tree_selection selection;
	int code;

	if (name.length > 0 && name.data[0] == '=')
		return BAT_STATE_NOT_FOUND;
	code = batfs_tree_select(tree, name, &selection);
	if (code != BAT_OK)
		return code;
	batfs_tree_selection_free(&selection);
	code = batfs_tree_intern(tree, name, &child.entity);
	if (code == BAT_OK)
		*out = child;
	return code;
}

/* ---- entities/<E>,clock=7,as=brief --------------------------------------------- */

/* The words that make an entity a view; once each. */
static bool
read_view(struct bat_slice words, struct batfs_tree_view *out)
{
	struct bat_slice key, value;
	int code;

	*out = (struct batfs_tree_view){ .brief = false };
	while ((code = batfs_name_next_word(&words, &key, &value)) == BAT_OK) {
		bool brief = bat_bytes_equal(key, bat_bytes_text("as")) &&
		    bat_bytes_equal(value, bat_bytes_text("brief"));
		bool clock = bat_bytes_equal(key, bat_bytes_text("clock")) &&
		    batfs_name_number(value, &out->clock) &&
		    out->clock <= UINT32_MAX;

		if (brief == clock || (brief && out->brief) ||
		    (clock && out->has_clock))
			return false;
		out->brief |= brief;
		out->has_clock |= clock;
	}
	return code == BAT_END;
}

bool
batfs_tree_is_view(struct bat_slice words)
{
	struct batfs_tree_view view;

	return words.length > 0 && read_view(words, &view);
}

int
batfs_tree_view_of(struct batfs_tree *tree, const struct batfs_node *node,
    struct batfs_tree_view *out)
{
	struct bat_buf stored = BAT_BUF_EMPTY;
	struct bat_slice stem, words;
	int code;

	batfs_name_split_words(batfs_tree_text(tree, node->entity), &stem,
	    &words);
	if (!read_view(words, out))
		return BAT_STATE_NOT_FOUND;
	code = batfs_tree_stored_name(tree, stem, &stored);
	if (code == BAT_OK)
		out->entity = bat_find_entity(tree->store,
		    bat_bytes_of_buf(&stored));
	bat_bytes_free(&stored);
	if (code == BAT_OK && !batfs_tree_has_begun(tree, node, out->entity))
		code = BAT_STATE_NOT_FOUND;
	return code;
}

static int
view_stream(struct batfs_tree *tree, const struct batfs_node *node,
    struct batfs_stream_key *out)
{
	struct batfs_tree_view view;
	struct bat_buf words = BAT_BUF_EMPTY;
	int code = batfs_tree_view_of(tree, node, &view);

	if (code != BAT_OK)
		return code;
	out->list.kind = BAT_LIST_ENTITY;
	out->list.entity = view.entity;
	if (!view.has_clock)
		return BAT_OK;
	code = bat_bytes_append_format(&words, "clock=0-%u",
	    (unsigned)view.clock);
	if (code == BAT_OK)
		code = batfs_tree_choice(tree, bat_bytes_of_buf(&words),
		    &out->choice);
	bat_bytes_free(&words);
	return code;
}

/* ---- streams ----------------------------------------------------------------- */

int
batfs_tree_typed_stream(struct batfs_tree *tree, const struct batfs_node *node,
    struct batfs_stream_key *out)
{
	switch ((unsigned)node->class) {
	case BATFS_RANGE:
		return resolve_range(tree, node, &out->from_seq, &out->to_seq);
	case BATFS_QUERY_LOG:
		return batfs_tree_choice(tree,
		    batfs_tree_text(tree, node->entity), &out->choice);
	case BATFS_ENTITY_VIEW:
		return view_stream(tree, node, out);
	default:
		return batfs_tree_by_stream(tree, node, out);
	}
}

struct batfs_streams *
batfs_tree_streams_of(struct batfs_tree *tree, const struct batfs_node *node)
{
	struct batfs_tree_view view;

	if (node->class == BATFS_ENTITY_VIEW &&
	    batfs_tree_view_of(tree, node, &view) == BAT_OK && view.brief)
		return tree->briefs;
	return tree->streams;
}
