/*
 * backup/: what a pin looks like as files. Every size is known before a byte is
 * read, that of SHA256SUMS too. Its content is made when it is read: then the
 * whole store is read once.
 */
#include "tree_internal.h"

#include <inttypes.h>

/* Of a file's number: what stands below the segment's id. */
#define KIND_BITS 2
#define KIND_MASK ((1u << KIND_BITS) - 1)

#define NS_OF_MS 1000000u

#define SUM_SIZE (2 * (uint64_t)BAT_PIN_SHA256_SIZE)

/* ---- the texts ----------------------------------------------------------- */

static int
put_number(struct bat_buf *buf, const char *key, uint64_t value)
{
	return bat_bytes_append_format(buf, "%s %" PRIu64 "\n", key, value);
}

static int
render_pin(const struct bat_pin *pin, struct bat_buf *buf)
{
	char id[33];
	uint64_t bytes = 0;
	int code = BAT_OK;

	for (size_t i = 0; i < pin->count; i++)
		bytes += pin->files[i].size;
	bat_id_to_hex(&pin->last_id, id);
	if (pin->visible_count > 0)
		code = bat_bytes_append_format(buf,
		    "sequence %" PRIu64 "\nevent %s\n", pin->last_seq, id);
	if (code == BAT_OK && pin->end.offset > 0)
		code = bat_bytes_append_format(buf,
		    "segment %" PRIu64 "\noffset %" PRIu64 "\n",
		    pin->end.segment, pin->end.offset);
	if (code == BAT_OK)
		code = put_number(buf, "count", pin->visible_count);
	if (code == BAT_OK)
		code = put_number(buf, "hidden", pin->hidden_count);
	if (code == BAT_OK)
		code = put_number(buf, "files", pin->count);
	if (code == BAT_OK)
		code = put_number(buf, "bytes", bytes);
	return code;
}

/* A line of sha256sum(1). */
static int
put_sum(struct bat_buf *buf, const uint8_t *sum, const char *folder,
    const char *name)
{
	int code = bat_bytes_append_hex(buf, sum, BAT_PIN_SHA256_SIZE);

	if (code == BAT_OK)
		code = bat_bytes_append_format(buf, "  %s%s\n", folder, name);
	return code;
}

static int
render_sums(struct bat_pin *pin, struct bat_buf *buf, struct bat_error *error)
{
	uint8_t sum[BAT_PIN_SHA256_SIZE];
	struct bat_buf text = BAT_BUF_EMPTY;
	int code = render_pin(pin, &text);

	bat_pin_sha256_of(bat_bytes_of_buf(&text), sum);
	bat_bytes_free(&text);
	if (code == BAT_OK)
		code = put_sum(buf, sum, "", "PIN");
	for (size_t i = 0; code == BAT_OK && i < pin->count; i++) {
		code = bat_pin_sha256(pin, i, sum, error);
		if (code == BAT_OK)
			code = put_sum(buf, sum, "store/", pin->files[i].name);
	}
	return code;
}

static uint64_t
sums_size(const struct bat_pin *pin)
{
	uint64_t size = SUM_SIZE + strlen("  PIN\n");

	for (size_t i = 0; i < pin->count; i++)
		size += SUM_SIZE + strlen("  store/\n") +
		    strlen(pin->files[i].name);
	return size;
}

/* ---- the files of store/ ------------------------------------------------- */

static uint64_t
number_of(const struct bat_pin_file *file)
{
	return file->segment << KIND_BITS | file->kind;
}

/* The first file with that number or above; they are in the order of what a
 * pin has: segments, then the others. false: there is none. */
static bool
find_file(const struct bat_pin *pin, uint64_t number, size_t *out)
{
	size_t low = 0, high = pin->count;

	/* The few others stand at the end. */
	while (high > 0 && pin->files[high - 1].kind != BAT_PIN_SEGMENT) {
		if (number_of(&pin->files[high - 1]) == number) {
			*out = high - 1;
			return true;
		}
		high--;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (number_of(&pin->files[middle]) < number)
			low = middle + 1;
		else
			high = middle;
	}
	*out = low;
	return low < pin->count && number_of(&pin->files[low]) == number;
}

int
batfs_tree_find_backup(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	struct batfs_node child = batfs_tree_child(parent, BATFS_BACKUP_FILE);
	enum bat_pin_kind kind;
	struct bat_pin *pin;
	uint64_t segment;
	size_t place;
	int code;

	if (!bat_pin_of_name(name, &kind, &segment) ||
	    segment > UINT64_MAX >> KIND_BITS)
		return BAT_STATE_NOT_FOUND;
	child.number = segment << KIND_BITS | kind;
	code = batfs_tree_ask_pin(tree, &pin, NULL);
	if (code != BAT_OK)
		return code;
	if (find_file(pin, child.number, &place))
		*out = child;
	else
		code = BAT_STATE_NOT_FOUND;
	bat_pin_release(pin);
	return code;
}

/* By number, so that a cookie means the same in every pin: the others, whose
 * segment is 0, then the segments. */
int
batfs_tree_list_backup(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	struct batfs_node child = batfs_tree_child(node, BATFS_BACKUP_FILE);
	struct bat_pin *pin;
	size_t place;
	int code = batfs_tree_ask_pin(tree, &pin, NULL);

	if (code != BAT_OK)
		return code;
	for (child.number = cookie; code == BAT_OK && child.number <= KIND_MASK;
	     child.number++)
		if (find_file(pin, child.number, &place))
			code = batfs_tree_emit(tree, listing, &child,
			    child.number + 1);
	(void)find_file(pin, child.number, &place);
	for (; code == BAT_OK && place < pin->count &&
	     pin->files[place].kind == BAT_PIN_SEGMENT;
	     place++) {
		child.number = number_of(&pin->files[place]);
		code = batfs_tree_emit(tree, listing, &child, child.number + 1);
	}
	bat_pin_release(pin);
	return code;
}

int
batfs_tree_spell_backup(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	char name[BAT_PIN_NAME_SIZE];

	(void)tree;
	bat_pin_name((enum bat_pin_kind)(node->number & KIND_MASK),
	    node->number >> KIND_BITS, name);
	return bat_bytes_append_text(buf, name);
}

/* ---- sizes, times, bytes ------------------------------------------------- */

static int64_t
time_of_ms(uint64_t wall_ms)
{
	return wall_ms > BAT_EVENT_WALL_MS_MAX ? BAT_EVENT_WALL_MS_MAX :
						 (int64_t)wall_ms;
}

/*
 * When a file was last changed. The hidden ranges show no event, and can change
 * without one: theirs is the time of the file itself.
 */
static int64_t
file_time(struct batfs_tree *tree, const struct bat_pin *pin, size_t place)
{
	const struct bat_pin_file *file = &pin->files[place];
	struct bat_row first, last;

	if (file->kind == BAT_PIN_HIDDEN)
		return file->mtime_ns / (int64_t)NS_OF_MS;
	return bat_pinned_span(tree->store, pin, place, &first, &last) ?
	    batfs_tree_time_of(&last) :
	    batfs_tree_first_time(tree);
}

/* When its newest segment began. */
static int64_t
store_time(struct batfs_tree *tree, const struct bat_pin *pin)
{
	struct bat_row first, last;

	for (size_t i = pin->count; i > 0; i--)
		if (pin->files[i - 1].kind == BAT_PIN_SEGMENT &&
		    bat_pinned_span(tree->store, pin, i - 1, &first, &last))
			return batfs_tree_time_of(&first);
	return batfs_tree_first_time(tree);
}

int
batfs_tree_measure_pinned(struct batfs_tree *tree,
    const struct batfs_node *node, const struct bat_pin *pin,
    struct batfs_attributes *out)
{
	struct bat_buf text = BAT_BUF_EMPTY;
	size_t place;
	int code = BAT_OK;

	/* All that changes with the pin has its time. PIN and SHA256SUMS often
	 * keep their size, and many events may share a millisecond (a clock that
	 * was set back): a tool has to see it all the same. */
	out->mtime_ms = pin->visible_count > 0 ? time_of_ms(pin->last_wall_ms) :
						 batfs_tree_first_time(tree);
	if (node->class == BATFS_BACKUP_STORE) {
		out->mtime_ms = store_time(tree, pin);
	} else if (node->class == BATFS_BACKUP_PIN) {
		code = render_pin(pin, &text);
		out->size = text.length;
		out->mtime_rest_ns = (uint32_t)(pin->last_seq % NS_OF_MS);
	} else if (node->class == BATFS_BACKUP_SUMS) {
		out->size = sums_size(pin);
		out->mtime_rest_ns = (uint32_t)(pin->last_seq % NS_OF_MS);
	} else if (find_file(pin, node->number, &place)) {
		out->size = pin->files[place].size;
		out->mtime_ms = file_time(tree, pin, place);
	} else {
		code = BAT_STATE_NOT_FOUND;
	}
	bat_bytes_free(&text);
	return code;
}

int
batfs_tree_measure_backup(struct batfs_tree *tree,
    const struct batfs_node *node, bool want_size, struct batfs_attributes *out,
    struct bat_error *error)
{
	struct bat_pin *pin;
	int code = batfs_tree_ask_pin(tree, &pin, error);

	(void)want_size;
	if (code != BAT_OK)
		return code;
	code = batfs_tree_measure_pinned(tree, node, pin, out);
	bat_pin_release(pin);
	return code;
}

int
batfs_tree_read_pinned(const struct batfs_node *node, struct bat_pin *pin,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	struct bat_buf text = BAT_BUF_EMPTY;
	size_t place;
	int code;

	if (node->class == BATFS_BACKUP_FILE)
		return find_file(pin, node->number, &place) ?
		    bat_pin_read(pin, place, offset, size, buf, error) :
		    bat_error_set(error, BAT_STATE_NOT_FOUND,
			"it is not in this pin");
	code = node->class == BATFS_BACKUP_PIN ? render_pin(pin, &text) :
						 render_sums(pin, &text, error);
	if (code == BAT_OK)
		code = batfs_tree_slice(bat_bytes_of_buf(&text), offset, size,
		    buf);
	bat_bytes_free(&text);
	return code;
}

int
batfs_tree_read_backup(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	struct bat_pin *pin;
	int code = batfs_tree_ask_pin(tree, &pin, error);

	if (code != BAT_OK)
		return code;
	code = batfs_tree_read_pinned(node, pin, offset, size, buf, error);
	bat_pin_release(pin);
	return code;
}
