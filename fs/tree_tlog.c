/*
 * tlog/: the transparency log, as the store shows it (C2SP tlog-tiles). What
 * exists follows from its size alone: tiles and folders are found and listed
 * by arithmetic, and only their bytes come from the disk.
 *
 * The number of a node below tlog/tile says which one it is:
 *
 *	47    44 43  42 41      39 38                9 8      0
 *	[ level ][ sort ][ groups ][ index or prefix  ][ width ]
 *
 * A folder of tiles is what stands in front of them: groups of three digits and
 * their number as a whole (prefix). In it stand the tiles prefix * 1000 + 0 to
 * 999 and, with an x, the folders of one group more.
 */
#include "tree_internal.h"

#include <inttypes.h>

enum sort { SORT_FOLDER, SORT_PARTIALS, SORT_TILE };

struct place {
	unsigned level;
	enum sort sort;
	unsigned groups; /* of a folder */
	uint64_t index;	 /* of a tile; the prefix of a folder */
	unsigned width;	 /* of a tile */
};

#define GROUP 1000u
#define GROUPS_MAX 3u /* 10^9 tiles of 256 */
#define INDEX_BITS 30

static uint64_t
pack(const struct place *place)
{
	return (uint64_t)place->level << 44 | (uint64_t)place->sort << 42 |
	    (uint64_t)place->groups << 39 | place->index << 9 | place->width;
}

static struct place
unpack(uint64_t number)
{
	return (struct place){
		.level = number >> 44 & 15,
		.sort = (enum sort)(number >> 42 & 3),
		.groups = number >> 39 & 7,
		.index = number >> 9 & ((UINT64_C(1) << INDEX_BITS) - 1),
		.width = number & 511,
	};
}

/* ---- what exists ------------------------------------------------------- */

bool
batfs_tree_finds_tlog(struct bat_store *store)
{
	struct bat_buf checkpoint = BAT_BUF_EMPTY;
	bool found = bat_attest_checkpoint(store, &checkpoint, NULL) == BAT_OK;

	bat_bytes_free(&checkpoint);
	return found;
}

static uint64_t
size_of_log(struct batfs_tree *tree)
{
	struct bat_attest_status status;

	bat_attest_status(tree->store, &status);
	return status.size;
}

/* How many tiles a level has, the last one maybe partial. */
static uint64_t
tile_count(unsigned level, uint64_t size)
{
	uint64_t hashes = bat_tlog_count(level, size);

	return hashes / BAT_TLOG_WIDTH + (hashes % BAT_TLOG_WIDTH > 0);
}

static bool
exists(const struct place *place, uint64_t size)
{
	uint64_t tiles = tile_count(place->level, size);

	switch (place->sort) {
	case SORT_FOLDER:
		return tiles > 0 &&
		    (place->groups == 0 ||
			(place->index > 0 && place->index < tiles &&
			    place->index * GROUP < tiles));
	case SORT_PARTIALS:
		return place->index < tiles;
	case SORT_TILE:
		break;
	}
	return place->width > 0 &&
	    bat_tlog_width(place->level, place->index, size) >= place->width;
}

static int
found(struct batfs_tree *tree, const struct batfs_node *parent,
    const struct place *place, struct batfs_node *out)
{
	if (place->index >> INDEX_BITS != 0 ||
	    !exists(place, size_of_log(tree)))
		return BAT_STATE_NOT_FOUND;
	*out = batfs_tree_child(parent,
	    place->sort == SORT_TILE ? BATFS_TLOG_TILE : BATFS_TLOG_FOLDER);
	out->number = pack(place);
	return BAT_OK;
}

/* ---- names --------------------------------------------------------------- */

/* Decimal, without zeros in front. */
static bool
read_number(struct bat_slice text, unsigned *out)
{
	if (text.length == 0 || text.length > 3 ||
	    (text.data[0] == '0' && text.length > 1))
		return false;
	*out = 0;
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		*out = *out * 10 + (unsigned)(text.data[i] - '0');
	}
	return true;
}

/* Three digits. */
static bool
read_group(struct bat_slice text, unsigned *out)
{
	*out = 0;
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		*out = *out * 10 + (unsigned)(text.data[i] - '0');
	}
	return text.length == 3;
}

int
batfs_tree_find_tlog_level(struct batfs_tree *tree,
    const struct batfs_node *parent, struct bat_slice name,
    struct batfs_node *out)
{
	struct place place = { .level = BAT_TLOG_ENTRIES };

	if (!bat_bytes_equal(name, bat_bytes_text("entries")) &&
	    (!read_number(name, &place.level) ||
		place.level >= BAT_TLOG_LEVELS))
		return BAT_STATE_NOT_FOUND;
	return found(tree, parent, &place, out);
}

static int
find_tile(struct batfs_tree *tree, const struct batfs_node *parent,
    struct place above, struct bat_slice name, struct batfs_node *out)
{
	struct place place = above;
	unsigned group;

	if (name.length == 4 && name.data[0] == 'x' &&
	    read_group(bat_bytes_slice(name.data + 1, 3), &group) &&
	    above.groups < GROUPS_MAX) {
		place.groups++;
	} else if (name.length == 5 && memcmp(name.data + 3, ".p", 2) == 0 &&
	    read_group(bat_bytes_slice(name.data, 3), &group)) {
		place.sort = SORT_PARTIALS;
	} else if (read_group(name, &group)) {
		place.sort = SORT_TILE;
		place.width = BAT_TLOG_WIDTH;
	} else {
		return BAT_STATE_NOT_FOUND;
	}
	if (place.sort != SORT_FOLDER)
		place.groups = 0;
	place.index = above.index * GROUP + group;
	return found(tree, parent, &place, out);
}

int
batfs_tree_find_in_tlog(struct batfs_tree *tree,
    const struct batfs_node *parent, struct bat_slice name,
    struct batfs_node *out)
{
	struct place place = unpack(parent->number);

	if (place.sort == SORT_FOLDER)
		return find_tile(tree, parent, place, name, out);
	place.sort = SORT_TILE;
	if (!read_number(name, &place.width) || place.width >= BAT_TLOG_WIDTH)
		return BAT_STATE_NOT_FOUND;
	return found(tree, parent, &place, out);
}

int
batfs_tree_spell_tlog(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	const struct place place = unpack(node->number);
	unsigned group = (unsigned)(place.index % GROUP);

	(void)tree;
	if (place.sort == SORT_FOLDER && place.groups > 0)
		return bat_bytes_append_format(buf, "x%03u", group);
	if (place.sort == SORT_FOLDER)
		return place.level == BAT_TLOG_ENTRIES ?
		    bat_bytes_append_text(buf, "entries") :
		    bat_bytes_append_format(buf, "%u", place.level);
	if (place.sort == SORT_PARTIALS)
		return bat_bytes_append_format(buf, "%03u.p", group);
	if (place.width < BAT_TLOG_WIDTH)
		return bat_bytes_append_format(buf, "%u", place.width);
	return bat_bytes_append_format(buf, "%03u", group);
}

/* In how many groups the folder of an index lies. */
static unsigned
groups_of(uint64_t index)
{
	unsigned groups = 0;

	for (index /= GROUP; index > 0; index /= GROUP)
		groups++;
	return groups;
}

struct batfs_node
batfs_tree_tlog_above(const struct batfs_node *node)
{
	struct batfs_node parent = { .class = BATFS_TLOG_FOLDER };
	struct place place = unpack(node->number);

	if (place.sort == SORT_FOLDER && place.groups == 0)
		return (struct batfs_node){ .class = BATFS_TLOG_TILES };
	if (place.sort == SORT_TILE && place.width < BAT_TLOG_WIDTH) {
		place.sort = SORT_PARTIALS;
	} else {
		if (place.sort != SORT_FOLDER)
			place.groups = groups_of(place.index) + 1;
		place.groups--;
		place.sort = SORT_FOLDER;
		place.index /= GROUP;
	}
	place.width = 0;
	parent.number = pack(&place);
	return parent;
}

/* ---- listing --------------------------------------------------------------- */

static int
emit(struct batfs_tree *tree, const struct batfs_node *parent,
    struct batfs_tree_listing *listing, const struct place *place,
    uint64_t cookie)
{
	struct batfs_node child = batfs_tree_child(parent,
	    place->sort == SORT_TILE ? BATFS_TLOG_TILE : BATFS_TLOG_FOLDER);

	child.number = pack(place);
	return batfs_tree_emit(tree, listing, &child, cookie);
}

int
batfs_tree_list_tlog_levels(struct batfs_tree *tree,
    const struct batfs_node *node, uint64_t cookie,
    struct batfs_tree_listing *listing)
{
	uint64_t size = size_of_log(tree);
	int code = BAT_OK;

	for (; code == BAT_OK && cookie <= BAT_TLOG_LEVELS; cookie++) {
		struct place place = { .level = (unsigned)cookie };

		if (exists(&place, size))
			code = emit(tree, node, listing, &place, cookie + 1);
	}
	return code;
}

/* A tile that is not full is listed as the folder of its width. */
int
batfs_tree_list_tlog(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	const struct place above = unpack(node->number);
	uint64_t size = size_of_log(tree);
	unsigned width = bat_tlog_width(above.level, above.index, size);
	struct place place = above;
	int code = BAT_OK;

	if (above.sort == SORT_PARTIALS) {
		place.sort = SORT_TILE;
		place.width = width;
		return cookie > 0 || width == 0 || width == BAT_TLOG_WIDTH ?
		    BAT_OK :
		    emit(tree, node, listing, &place, 1);
	}
	for (; code == BAT_OK && cookie < 2 * GROUP; cookie++) {
		place = above;
		place.index = above.index * GROUP + cookie % GROUP;
		if (cookie >= GROUP) {
			place.groups++;
		} else {
			width = bat_tlog_width(above.level, place.index, size);
			place.sort = width < BAT_TLOG_WIDTH ? SORT_PARTIALS :
							      SORT_TILE;
			place.width = width < BAT_TLOG_WIDTH ? 0 : width;
			place.groups = 0;
		}
		if (exists(&place, size))
			code = emit(tree, node, listing, &place, cookie + 1);
	}
	return code;
}

/* ---- attributes and bytes ---------------------------------------------------- */

/* When the last event of the checkpoint was written. */
static int64_t
last_logged(struct batfs_tree *tree)
{
	struct bat_attest_status status;
	struct bat_row row;
	uint32_t ordinal = BAT_MAP_NONE;

	bat_attest_status(tree->store, &status);
	if (status.size > 0)
		ordinal = bat_find_seq(tree->store, status.last_seq);
	if (ordinal == BAT_MAP_NONE || !bat_row(tree->store, ordinal, &row))
		return batfs_tree_first_time(tree);
	return batfs_tree_time_of(&row);
}

static int
content(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf, struct bat_error *error)
{
	struct place place = unpack(node->number);
	struct bat_tlog_tile tile = { place.level, place.index, place.width };

	if (node->class == BATFS_TLOG_CHECKPOINT)
		return bat_attest_checkpoint(tree->store, buf, error);
	if (node->class == BATFS_TLOG_KEY)
		return bat_attest_key(tree->store, buf, error);
	return bat_attest_tile(tree->store, &tile, buf, error);
}

int
batfs_tree_read_tlog(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	struct bat_buf whole = BAT_BUF_EMPTY;
	int code = content(tree, node, &whole, error);

	if (code == BAT_OK)
		code = batfs_tree_slice(bat_bytes_of_buf(&whole), offset, size,
		    buf);
	bat_bytes_free(&whole);
	return code;
}

int
batfs_tree_measure_tlog(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	const struct place place = unpack(node->number);
	struct bat_buf whole = BAT_BUF_EMPTY;
	int code = BAT_OK;

	if ((node->class == BATFS_TLOG_FOLDER ||
		node->class == BATFS_TLOG_TILE) &&
	    !exists(&place, size_of_log(tree)))
		return BAT_STATE_NOT_FOUND;
	if (node->class == BATFS_TLOG_TILE || node->class == BATFS_TLOG_KEY)
		out->mtime_ms = batfs_tree_first_time(tree);
	else
		out->mtime_ms = last_logged(tree);
	if (out->type != BATFS_FILE || !want_size)
		return BAT_OK;
	if (node->class == BATFS_TLOG_TILE) {
		out->size = place.width * bat_tlog_unit(place.level);
		return BAT_OK;
	}
	code = content(tree, node, &whole, error);
	out->size = whole.length;
	bat_bytes_free(&whole);
	return code;
}
