/*
 * Attributes of a node, and its inode number: st_ino, which tools remember
 * from one mount to the next. (The kernel's number of a node is another one:
 * inode.c.)
 *
 * An inode number is a hash of what names the node for good: the mark of its
 * class, and stored names or a sequence. 63 bits: the top one is for views of
 * the past. Two names that collide would share a number; among a million that
 * is one chance in eighteen million, files here have one link, so a tool would
 * at worst take one for unchanged, and no table has to be kept for it.
 */
#include "tree_internal.h"

/* The top bit of inode numbers of the past. */
#define PAST ((uint64_t)1 << 63)
/* How often a question is asked again when the store changes meanwhile. */
#define ATTEMPTS 8

/* What an inode number is the hash of. */
struct message {
	struct bat_slice parts[6];
	unsigned count;
	size_t length;
	uint8_t numbers[3][8];
	unsigned number_count;
};

static void
add_text(struct message *message, struct bat_slice text)
{
	message->parts[message->count++] = text;
	message->length += text.length;
}

static void
add_number(struct message *message, uint64_t number)
{
	uint8_t *bytes = message->numbers[message->number_count++];

	bat_bytes_put_le(bytes, number, sizeof(message->numbers[0]));
	add_text(message, bat_bytes_slice(bytes, sizeof(message->numbers[0])));
}

/* The names are those that the class has a use for. */
static void
compose(struct message *message, const struct batfs_node *node,
    struct bat_slice scope, struct bat_slice entity)
{
	const struct batfs_tree_class *row = &batfs_tree_classes[node->class];

	message->count = message->number_count = 0;
	message->length = 0;
	add_text(message, bat_bytes_slice(&row->mark, 1));
	if (node->at != 0)
		add_number(message, node->at);
	if (row->keys == BATFS_KEYS_NUMBER)
		add_number(message, node->number);
	if (row->keys == BATFS_KEYS_SCOPE || row->keys == BATFS_KEYS_MEMBER) {
		/* With its length: "ab" + "c" is not "a" + "bc". */
		add_number(message, scope.length);
		add_text(message, scope);
	}
	if (row->keys == BATFS_KEYS_ENTITY || row->keys == BATFS_KEYS_MEMBER)
		add_text(message, entity);
}

static struct bat_hash
hash_of(const struct message *message)
{
	struct bat_hasher hasher;

	bat_hash_start(&hasher);
	for (unsigned i = 0; i < message->count; i++)
		bat_hash_update(&hasher, message->parts[i]);
	return bat_hash_finish(&hasher);
}

static uint64_t
inode_of(const struct batfs_node *node, const struct bat_hash *hash)
{
	uint64_t inode = bat_bytes_get_le64(hash->bytes);

	inode = node->at != 0 && !BAT_PLANT(175) ? inode | PAST : inode & ~PAST;
	inode += BAT_PLANT(86) ? node->entity : 0;
	return inode > 1 ? inode : inode + 2;
}

uint64_t
batfs_tree_inode(struct batfs_tree *tree, const struct batfs_node *node)
{
	enum batfs_keys keys = batfs_tree_classes[node->class].keys;
	struct bat_slice scope = BAT_SLICE_EMPTY, entity = BAT_SLICE_EMPTY;
	struct message message;
	struct bat_hash hash;

	if (node->class == BATFS_ROOT && node->at == 0)
		return 1;
	if (keys == BATFS_KEYS_SCOPE || keys == BATFS_KEYS_MEMBER)
		scope = batfs_tree_text(tree, node->scope);
	if (keys == BATFS_KEYS_ENTITY || keys == BATFS_KEYS_MEMBER)
		entity = batfs_tree_text(tree, node->entity);
	compose(&message, node, scope, entity);
	hash = hash_of(&message);
	return inode_of(node, &hash);
}

/* Longer messages than a lane has room for are hashed alone. */
void
batfs_tree_inodes(struct batfs_tree *tree, const struct batfs_node *child,
    const struct bat_slice *names, unsigned count, uint64_t *out)
{
	enum batfs_keys keys = batfs_tree_classes[child->class].keys;
	struct bat_slice scope = keys == BATFS_KEYS_MEMBER ?
	    batfs_tree_text(tree, child->scope) :
	    BAT_SLICE_EMPTY;
	struct bat_hash hashes[BATFS_TREE_INODES];
	unsigned places[BATFS_TREE_INODES];
	struct bat_hash_lanes lanes;

	lanes.count = 0;
	for (unsigned i = 0; i < count; i++) {
		uint8_t *lane = lanes.lanes[lanes.count];
		struct message message;

		compose(&message, child,
		    keys == BATFS_KEYS_SCOPE ? names[i] : scope, names[i]);
		if (message.length > BAT_HASH_LANE_SIZE) {
			hashes[0] = hash_of(&message);
			out[i] = inode_of(child, &hashes[0]);
			continue;
		}
		for (unsigned j = 0; j < message.count; j++) {
			memcpy(lane, message.parts[j].data,
			    message.parts[j].length);
			lane += message.parts[j].length;
		}
		places[lanes.count] = i;
		lanes.lengths[lanes.count++] = (uint32_t)message.length;
	}
	bat_hash_lanes(&lanes, hashes);
	for (unsigned i = 0; i < lanes.count; i++)
		out[places[i]] = inode_of(child, &hashes[i]);
}

static uint32_t
mode_of(const struct batfs_tree_options *options,
    const struct batfs_attributes *attributes,
    const struct batfs_tree_class *row, bool past)
{
	enum batfs_tree_access access = past ? BATFS_TREE_READ : row->access;

	if (attributes->type == BATFS_SYMLINK)
		return 0777;
	if (attributes->type == BATFS_DIRECTORY)
		return options->dir_mode & (row->search ? 0111u : 0777u);
	if (access == BATFS_TREE_APPEND || attributes->command)
		return options->file_mode;
	return options->file_mode &
	    (access == BATFS_TREE_WRITE ? 0222u : 0444u);
}

static int
measure(struct batfs_tree *tree, const struct batfs_node *node, bool want_size,
    struct batfs_attributes *out, struct bat_error *error)
{
	const struct batfs_tree_class *row = &batfs_tree_classes[node->class];
	struct batfs_attributes attributes = {
		.type = row->type,
		.inode = batfs_tree_inode(tree, node),
		.caching = row->caching,
		.appendable = !tree->options.read_only && node->at == 0 &&
		    (row->access == BATFS_TREE_APPEND ||
			row->access == BATFS_TREE_WRITE),
		.plain = row->plain,
		.command = node->class == BATFS_CTL_FILE &&
		    batfs_tree_ctl_is_command(node->number),
	};
	int code = BAT_STATE_NOT_FOUND;

	if (batfs_tree_is_moment(tree, node))
		code = row->measure(tree, node, want_size, &attributes, error);
	if (code != BAT_OK)
		return code;
	if (node->at != 0)
		attributes.caching = BATFS_CACHE_FOREVER;
	attributes.mode = mode_of(&tree->options, &attributes, row,
	    node->at != 0);
	*out = attributes;
	return BAT_OK;
}

/*
 * Everything is asked of the store by name, in several calls; when it was read
 * anew in between, what they said does not fit together.
 */
int
batfs_tree_attributes(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	int code = BAT_STATE_NOT_FOUND;

	if (node->class == BATFS_NONE)
		return code;
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		uint64_t generation = batfs_tree_generation(tree);

		code = measure(tree, node, want_size, out, error);
		if (code != BAT_DATA_DISAGREES &&
		    batfs_tree_generation(tree) == generation)
			break;
	}
	return code;
}

int
batfs_tree_read(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	const struct batfs_tree_class *row = &batfs_tree_classes[node->class];
	size_t before = buf->length;
	int code = BAT_USE_INVALID;

	if (row->read == NULL)
		return bat_error_set(error, code, "not a file to read");
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		uint64_t generation = batfs_tree_generation(tree);

		buf->length = before;
		code = BAT_STATE_NOT_FOUND;
		if (batfs_tree_is_moment(tree, node))
			code = row->read(tree, node, offset, size, buf, error);
		if (code != BAT_DATA_DISAGREES &&
		    batfs_tree_generation(tree) == generation)
			break;
	}
	if (code != BAT_OK)
		buf->length = before;
	return code;
}

int
batfs_tree_readlink(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	if (batfs_tree_type(node) != BATFS_SYMLINK)
		return BAT_USE_INVALID;
	return batfs_tree_read(tree, node, 0, SIZE_MAX, buf, NULL);
}
