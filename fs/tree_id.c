/* An event by its id, or by the first digits of it. */
#include "tree_internal.h"

/* Fewer digits of an id than this name nothing. */
#define PREFIX_MIN 6
#define ID_DIGITS 32

/* So many rows are looked through for the beginning of an id; in a larger
 * store only whole ids are found. A second or so. */
#define PREFIX_ROWS_MAX (1u << 24)

static uint8_t
digit_at(const struct bat_id *id, size_t place)
{
	uint8_t byte = id->bytes[place / 2];

	return place % 2 == 0 ? byte >> 4 : byte & 15;
}

/* Lower hex digits, as ids are shown. */
bool
batfs_tree_id_prefix(struct bat_slice text, struct bat_id *out)
{
	*out = BAT_ID_ZERO;
	if (text.length < PREFIX_MIN || text.length > ID_DIGITS)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		uint8_t c = text.data[i];
		uint8_t value;

		if (c >= '0' && c <= '9')
			value = (uint8_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = (uint8_t)(c - 'a' + 10);
		else
			return false;
		out->bytes[i / 2] |= (uint8_t)(value << (i % 2 == 0 ? 4 : 0));
	}
	return true;
}

static bool
begins_with(const struct bat_id *id, const struct bat_id *prefix, size_t digits)
{
	if (memcmp(id->bytes, prefix->bytes, digits / 2) != 0)
		return false;
	return digits % 2 == 0 ||
	    digit_at(id, digits - 1) == digit_at(prefix, digits - 1);
}

/* The one id that begins like this. BAT_STATE_NOT_FOUND: there is none, or
 * there are several. */
static int
complete_id(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_id *id, size_t digits)
{
	struct bat_id prefix = *id;
	struct bat_head head;
	bool found = false;

	batfs_tree_head(tree, parent, &head);
	if (head.ordinals > PREFIX_ROWS_MAX)
		return BAT_STATE_NOT_FOUND;
	for (uint32_t i = 0; i < head.ordinals; i++) {
		struct bat_row row;

		if (!bat_row(tree->store, i, &row) ||
		    !begins_with(&row.id, &prefix, digits) ||
		    row.entity == BAT_MAP_NONE)
			continue;
		if (found && !bat_id_equal(&row.id, id))
			return BAT_STATE_NOT_FOUND;
		*id = row.id;
		found = true;
	}
	return found ? BAT_OK : BAT_STATE_NOT_FOUND;
}

int
batfs_tree_find_id(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	struct bat_id id;
	struct bat_row row;
	uint32_t ordinal;
	int code = BAT_OK;

	if (!batfs_tree_id_prefix(name, &id))
		return BAT_STATE_NOT_FOUND;
	if (name.length < ID_DIGITS)
		code = complete_id(tree, parent, &id, name.length);
	if (code == BAT_OK && parent->at != 0)
		code = batfs_tree_trace(tree, NULL);
	if (code != BAT_OK)
		return code;
	ordinal = parent->at == 0 ? bat_find_id(tree->store, &id) :
				    bat_find_id_before(tree->store, &id,
					batfs_tree_before(tree, parent));
	if (ordinal == BAT_MAP_NONE || !bat_row(tree->store, ordinal, &row))
		return BAT_STATE_NOT_FOUND;
	*out = batfs_tree_child(parent, BATFS_EVENT_ID_LINK);
	out->number = row.seq;
	return BAT_OK;
}

/* The whole of it, whatever was typed. */
int
batfs_tree_spell_id(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	uint32_t ordinal = bat_find_seq(tree->store, node->number);
	struct bat_row row;

	if (ordinal == BAT_MAP_NONE || !bat_row(tree->store, ordinal, &row))
		return BAT_STATE_NOT_FOUND;
	return bat_bytes_append_hex(buf, row.id.bytes, sizeof(row.id.bytes));
}
