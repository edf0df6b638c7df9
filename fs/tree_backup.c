/*
 * backup/: which pin it shows. The tree keeps one; what is open keeps the one
 * in which it was opened, so that a reader gets the file that he began with,
 * whatever is pinned meanwhile.
 */
#include "tree_internal.h"

#include <inttypes.h>

/* After so long without a question the pin may move when it is looked at. */
#define REST_NS (60 * INT64_C(1000000000))

/* ---- which pin ----------------------------------------------------------- */

int
batfs_tree_backup_init(struct batfs_tree *tree)
{
	struct batfs_tree_backup *backup = &tree->backup;

	if (pthread_mutex_init(&backup->mutex, NULL) != 0)
		return BAT_WORLD_NO_MEMORY;
	backup->clock = bat_clock_system();
	if (tree->options.clock != NULL)
		backup->clock = tree->options.clock;
	backup->ready = true;
	backup->asked_ns = bat_clock_monotonic_ns(backup->clock);
	/* If it fails here the first question tries again, and says why. */
	(void)bat_take_pin(tree->store, NULL, &backup->pin, NULL);
	return BAT_OK;
}

void
batfs_tree_backup_free(struct batfs_tree *tree)
{
	if (!tree->backup.ready)
		return;
	bat_pin_release(tree->backup.pin);
	pthread_mutex_destroy(&tree->backup.mutex);
}

/* The mutex is held. */
static int
pin_anew(struct batfs_tree *tree, struct bat_error *error)
{
	struct batfs_tree_backup *backup = &tree->backup;
	struct bat_pin *pin;
	int code = bat_take_pin(tree->store, backup->pin, &pin, error);

	if (code != BAT_OK)
		return code;
	bat_pin_release(backup->pin);
	backup->pin = pin;
	return BAT_OK;
}

int
batfs_tree_ask_pin(struct batfs_tree *tree, struct bat_pin **out,
    struct bat_error *error)
{
	struct batfs_tree_backup *backup = &tree->backup;
	int code = BAT_OK;

	pthread_mutex_lock(&backup->mutex);
	backup->asked_ns = bat_clock_monotonic_ns(backup->clock);
	if (backup->pin == NULL)
		code = pin_anew(tree, error);
	if (code == BAT_OK) {
		*out = backup->pin;
		bat_pin_hold(*out);
	}
	pthread_mutex_unlock(&backup->mutex);
	return code;
}

void
batfs_tree_opened(struct batfs_tree *tree, const struct batfs_node *node)
{
	struct batfs_tree_backup *backup = &tree->backup;
	int64_t now;

	if (node->class != BATFS_BACKUP)
		return;
	pthread_mutex_lock(&backup->mutex);
	now = bat_clock_monotonic_ns(backup->clock);
	/* If it fails the old one stays; it is as good as it was. */
	if ((!backup->held || BAT_PLANT(163)) && backup->pin != NULL &&
	    now - backup->asked_ns >= REST_NS &&
	    !bat_pin_is_shared(backup->pin))
		(void)pin_anew(tree, NULL);
	backup->asked_ns = now;
	pthread_mutex_unlock(&backup->mutex);
}

int
batfs_tree_command_pin(struct batfs_tree *tree, struct bat_slice word,
    struct bat_error *error)
{
	struct batfs_tree_backup *backup = &tree->backup;
	bool hold = bat_bytes_equal(word, bat_bytes_text("hold"));
	bool release = bat_bytes_equal(word, bat_bytes_text("release"));
	int code = BAT_OK;

	/* What was acknowledged before the word is in the pin. */
	if (!hold && !release)
		code = bat_sync(tree->store, error);
	if (code != BAT_OK)
		return code;
	pthread_mutex_lock(&backup->mutex);
	if (hold && backup->pin == NULL)
		code = pin_anew(tree, error);
	else if (!hold && !release && backup->held)
		code = bat_error_set(error, BAT_WORLD_LOCKED,
		    "backup/ is held; write `release` first");
	else if (!hold && !release)
		code = pin_anew(tree, error);
	if (code == BAT_OK && (hold || release))
		backup->held = hold;
	backup->asked_ns = bat_clock_monotonic_ns(backup->clock);
	pthread_mutex_unlock(&backup->mutex);
	return code;
}

int
batfs_tree_render_pin_state(struct batfs_tree *tree, struct bat_buf *buf)
{
	struct batfs_tree_backup *backup = &tree->backup;
	int code = BAT_OK;

	pthread_mutex_lock(&backup->mutex);
	if (backup->pin != NULL && backup->pin->visible_count > 0)
		code = bat_bytes_append_format(buf, "sequence %" PRIu64 "\n",
		    backup->pin->last_seq);
	if (code == BAT_OK)
		code = bat_bytes_append_format(buf, "held %s\n",
		    backup->held ? "yes" : "no");
	pthread_mutex_unlock(&backup->mutex);
	return code;
}

/* ---- what is open -------------------------------------------------------- */

static bool
is_pinned(const struct batfs_node *node)
{
	return node->class == BATFS_BACKUP_PIN ||
	    node->class == BATFS_BACKUP_SUMS ||
	    node->class == BATFS_BACKUP_FILE;
}

int
batfs_tree_keep_pin(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_pin **out, struct bat_error *error)
{
	*out = NULL;
	return is_pinned(node) ? batfs_tree_ask_pin(tree, out, error) : BAT_OK;
}

int
batfs_tree_kept_read(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_pin *kept, uint64_t offset, size_t size, struct bat_buf *buf,
    struct bat_error *error)
{
	struct batfs_tree_backup *backup = &tree->backup;

	pthread_mutex_lock(&backup->mutex);
	backup->asked_ns = bat_clock_monotonic_ns(backup->clock);
	pthread_mutex_unlock(&backup->mutex);
	return batfs_tree_read_pinned(node, kept, offset, size, buf, error);
}

int
batfs_tree_kept_attributes(struct batfs_tree *tree,
    const struct batfs_node *node, const struct bat_pin *kept,
    struct batfs_attributes *out)
{
	return batfs_tree_measure_pinned(tree, node, kept, out);
}
