/*
 * The folder of an event: its values, one to a file, and its cause; and the
 * links to the first and the last.
 */
#include "tree_internal.h"

#include <inttypes.h>

#include "name.h"
#include "render.h"

/* ---- values ---------------------------------------------------------------- */

static int
put_text(struct bat_buf *buf, struct bat_slice text)
{
	int code = bat_bytes_append_slice(buf, text);

	return code == BAT_OK ? bat_bytes_append_byte(buf, '\n') : code;
}

static int
put_hex(struct bat_buf *buf, const uint8_t *bytes, size_t length)
{
	int code = bat_bytes_append_hex(buf, bytes, length);

	return code == BAT_OK ? bat_bytes_append_byte(buf, '\n') : code;
}

static int
put_kind(struct bat_buf *buf, uint16_t kind)
{
	char text[6];

	bat_kind_to_text(bat_kind_mapped(kind), text);
	return put_text(buf, bat_bytes_text(text));
}

static int
put_gone(struct bat_buf *buf, const struct bat_id *id)
{
	int code = bat_bytes_append_text(buf, "gone ");

	return code == BAT_OK ? put_hex(buf, id->bytes, sizeof(id->bytes)) :
				code;
}

/* Its row and, as far as it is whole, its frame. BAT_STATE_NOT_FOUND: there is
 * no such event. */
static int
read_event(struct batfs_tree *tree, uint64_t seq, struct bat_reading *reading,
    bool *out_damaged, struct bat_error *error)
{
	uint32_t ordinal = bat_find_seq(tree->store, seq);
	struct bat_error local;
	int code = BAT_STATE_NOT_FOUND;

	*out_damaged = false;
	if (ordinal != BAT_MAP_NONE)
		code = bat_read(tree->store, ordinal, reading,
		    error != NULL ? error : &local);
	if (code != BAT_DATA_CORRUPT)
		return code;
	*out_damaged = true;
	return BAT_OK;
}

static int
put_time(const struct bat_reading *reading, bool damaged, struct bat_buf *buf)
{
	int code = batfs_render_time_of(reading, damaged, buf);

	return code == BAT_OK ? bat_bytes_append_byte(buf, '\n') : code;
}

static int
put_read(struct batfs_tree *tree, enum batfs_class class,
    const struct bat_reading *reading, bool damaged, struct bat_buf *buf)
{
	const struct bat_row *row = &reading->row;

	switch ((unsigned)class) {
	case BATFS_EVENT_ENTITY:
		return put_text(buf, bat_name(tree->store, row->entity));
	case BATFS_EVENT_SCOPE:
		return put_text(buf, bat_name(tree->store, row->scope));
	case BATFS_EVENT_KIND:
		return put_kind(buf, row->kind);
	case BATFS_EVENT_ID:
		return put_hex(buf, row->id.bytes, sizeof(row->id.bytes));
	case BATFS_EVENT_CORR:
		return put_hex(buf, row->corr.bytes, sizeof(row->corr.bytes));
	case BATFS_EVENT_HASH:
		return put_hex(buf, row->hash.bytes, sizeof(row->hash.bytes));
	case BATFS_EVENT_PREV:
		return put_hex(buf, row->prev.bytes, sizeof(row->prev.bytes));
	case BATFS_EVENT_CAUSE_GONE:
		return put_gone(buf, &row->cause);
	case BATFS_EVENT_RECEIPT:
		return batfs_render_receipt(reading, damaged, buf);
	default:
		return put_time(reading, damaged, buf);
	}
}

/* Of a damaged place that no index tells of nothing is known: it is empty. */
static int
put_value(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf, struct bat_error *error)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	bool damaged;
	int code = read_event(tree, node->number, &reading, &damaged, error);

	if (code == BAT_OK && reading.row.entity != BAT_MAP_NONE)
		code = put_read(tree, node->class, &reading, damaged, buf);
	bat_reading_free(&reading);
	return code;
}

int
batfs_tree_read_value(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	struct bat_buf value = BAT_BUF_EMPTY;
	int code = put_value(tree, node, &value, error);

	if (code == BAT_OK)
		code = batfs_tree_slice(bat_bytes_of_buf(&value), offset, size,
		    buf);
	bat_bytes_free(&value);
	return code;
}

int
batfs_tree_measure_value(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	struct bat_buf value = BAT_BUF_EMPTY;
	int code = batfs_tree_measure_event(tree, node, false, out, error);

	if (code == BAT_OK && want_size)
		code = put_value(tree, node, &value, error);
	out->size = value.length;
	bat_bytes_free(&value);
	return code;
}

/* ---- the cause -------------------------------------------------------------- */

/* The row of an event's cause, which stands before it. BAT_STATE_NOT_FOUND: it
 * has none; BAT_END: it has one that is not here. */
static int
find_cause(struct batfs_tree *tree, uint64_t seq, struct bat_row *out)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	uint32_t own = bat_find_seq(tree->store, seq), ordinal;
	bool damaged, gone;
	int code = read_event(tree, seq, &reading, &damaged, NULL);

	/* The store was read anew: what it says now is right. */
	if (code == BAT_DATA_DISAGREES)
		code = read_event(tree, seq, &reading, &damaged, NULL);
	if (code == BAT_OK && bat_id_is_zero(&reading.row.cause))
		code = BAT_STATE_NOT_FOUND;
	if (code != BAT_OK)
		goto free_reading;
	ordinal = bat_find_id(tree->store, &reading.row.cause);
	if (ordinal != BAT_MAP_NONE && ordinal >= own) {
		/* Another one with this id may stand before it. */
		code = batfs_tree_trace(tree, NULL);
		ordinal = bat_cause(tree->store, own, &gone);
	}
	if (code == BAT_OK &&
	    (ordinal == BAT_MAP_NONE || !bat_row(tree->store, ordinal, out)))
		code = BAT_END;
free_reading:
	bat_reading_free(&reading);
	return code;
}

/* Is anything known of it? Then it is in a chain. */
static bool
is_known(struct batfs_tree *tree, uint64_t seq)
{
	uint32_t ordinal = bat_find_seq(tree->store, seq);
	struct bat_row row;

	return ordinal != BAT_MAP_NONE && bat_row(tree->store, ordinal, &row) &&
	    row.entity != BAT_MAP_NONE;
}

/* No link may dangle: where the cause is gone there is a file that says so. */
int
batfs_tree_find_in_event(struct batfs_tree *tree,
    const struct batfs_node *parent, struct bat_slice name,
    struct batfs_node *out)
{
	struct bat_row row;
	int code;

	if (bat_bytes_equal(name, bat_bytes_text("chain"))) {
		*out = batfs_tree_child(parent, BATFS_EVENT_CHAIN);
		return is_known(tree, parent->number) ? BAT_OK :
							BAT_STATE_NOT_FOUND;
	}
	if (!bat_bytes_equal(name, bat_bytes_text("cause")))
		return BAT_STATE_NOT_FOUND;
	code = find_cause(tree, parent->number, &row);
	if (code < BAT_OK)
		return code;
	*out = batfs_tree_child(parent,
	    code == BAT_OK ? BATFS_EVENT_CAUSE : BATFS_EVENT_CAUSE_GONE);
	return BAT_OK;
}

int
batfs_tree_list_event(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	static const char *const names[] = { "cause", "chain" };
	int code = BAT_OK;

	for (; code == BAT_OK && cookie < sizeof(names) / sizeof(*names);
	     cookie++) {
		struct batfs_node child;

		code = batfs_tree_find_in_event(tree, node,
		    bat_bytes_text(names[cookie]), &child);
		if (code == BAT_OK)
			code = batfs_tree_emit(tree, listing, &child,
			    cookie + 1);
		else if (code == BAT_STATE_NOT_FOUND)
			code = BAT_OK;
	}
	return code;
}

int
batfs_tree_spell_cause(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	(void)tree;
	(void)node;
	return bat_bytes_append_text(buf, "cause");
}

/* ---- links ------------------------------------------------------------------ */

int
batfs_tree_put_folder(struct bat_buf *buf, const char *way, uint64_t seq,
    const char *suffix)
{
	return bat_bytes_append_format(buf, "%s%08" PRIu64 "/%012" PRIu64 "%s",
	    way, seq / BATFS_TREE_SHARD, seq, suffix);
}

/* The target of a link of events/ and below, relative to where it stands. */
int
batfs_tree_read_link(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	struct bat_buf target = BAT_BUF_EMPTY;
	struct bat_head head;
	struct bat_row row;
	int code;

	(void)error;
	switch ((unsigned)node->class) {
	case BATFS_EVENT_CAUSE:
		code = find_cause(tree, node->number, &row);
		if (code != BAT_OK)
			return code == BAT_END ? BAT_STATE_NOT_FOUND : code;
		code = batfs_tree_put_folder(&target, "../../", row.seq, "");
		break;
	case BATFS_EVENTS_FIRST:
	case BATFS_EVENTS_LAST:
		batfs_tree_head(tree, node, &head);
		if (head.visible_count == 0)
			return BAT_STATE_NOT_FOUND;
		code = batfs_tree_put_folder(&target, "",
		    node->class == BATFS_EVENTS_FIRST ? head.first_seq :
							head.last_seq,
		    "");
		break;
	case BATFS_EVENT_ID_LINK:
		code = batfs_tree_put_folder(&target, "../", node->number, "");
		break;
	case BATFS_EVENT_JSON_LINK:
		code = batfs_tree_put_folder(&target, "", node->number,
		    ".json");
		break;
	default:
		code = batfs_tree_put_folder(&target, "", node->number, "");
	}
	if (code == BAT_OK)
		code = batfs_tree_slice(bat_bytes_of_buf(&target), offset, size,
		    buf);
	bat_bytes_free(&target);
	return code;
}

int
batfs_tree_spell_end(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	(void)tree;
	return bat_bytes_append_text(buf,
	    node->class == BATFS_EVENTS_FIRST ? "first" : "last");
}

/* events/first and events/last: as the event that they lead to. */
int
batfs_tree_measure_end(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	struct batfs_node event = *node;
	struct bat_head head;

	batfs_tree_head(tree, node, &head);
	if (head.visible_count == 0)
		return BAT_STATE_NOT_FOUND;
	event.number = node->class == BATFS_EVENTS_FIRST ? head.first_seq :
							   head.last_seq;
	return batfs_tree_measure_event(tree, &event, want_size, out, error);
}
