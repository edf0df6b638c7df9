/*
 * The files of .ctl: flat `key value` lines, made anew at each open. They are
 * the only ones that say something of this mount, and they are not listed at
 * the root, so no backup sees them.
 */
#include "tree_internal.h"

#include "name.h"

typedef int command_fn(struct batfs_tree *tree, struct bat_slice word,
    struct bat_error *error);

struct ctl_file {
	const char *name;
	command_fn *command; /* NULL: it is none */
};

static bool
is_now(struct bat_slice word, struct bat_error *error)
{
	bool is = bat_bytes_equal(word, bat_bytes_text("now"));

	if (!is)
		bat_error_set(error, BAT_USE_INVALID, "the word is: now");
	return is;
}

static int
command_checkpoint(struct batfs_tree *tree, struct bat_slice word,
    struct bat_error *error)
{
	int code = BAT_USE_INVALID;

	if (is_now(word, error))
		code = bat_checkpoint(tree->store, error);
	return code == BAT_OK ? bat_attest_update(tree->store, error) : code;
}

static int
command_compact(struct batfs_tree *tree, struct bat_slice word,
    struct bat_error *error)
{
	struct bat_compacted done;
	int code;

	if (!is_now(word, error))
		return BAT_USE_INVALID;
	code = bat_compact(tree->store, false, &done, error);
	pthread_mutex_lock(&tree->mutex);
	tree->compacted = done;
	pthread_mutex_unlock(&tree->mutex);
	return code;
}

static int
command_sync(struct batfs_tree *tree, struct bat_slice word,
    struct bat_error *error)
{
	return is_now(word, error) ? bat_sync(tree->store, error) :
				     BAT_USE_INVALID;
}

static const struct ctl_file files[BATFS_CTL_COUNT] = {
	[BATFS_CTL_VERSION] = { "version", NULL },
	[BATFS_CTL_HEAD] = { "head", NULL },
	[BATFS_CTL_STATUS] = { "status", NULL },
	[BATFS_CTL_CONFIG] = { "config", NULL },
	[BATFS_CTL_OPEN_REPORT] = { "open-report", NULL },
	[BATFS_CTL_CHECKPOINT] = { "checkpoint", command_checkpoint },
	[BATFS_CTL_SYNC] = { "sync", command_sync },
	[BATFS_CTL_PIN] = { "pin", batfs_tree_command_pin },
	[BATFS_CTL_REJECTS] = { "rejects.jsonl", NULL },
	[BATFS_CTL_STATS] = { "stats", NULL },
	[BATFS_CTL_COMPACT] = { "compact", command_compact },
};

/* ---- the functions of the class ---------------------------------------- */

bool
batfs_tree_ctl_is_command(uint64_t number)
{
	return number < BATFS_CTL_COUNT && files[number].command != NULL;
}

/* ---- follow and verify, with words ------------------------------------- */

/* The words behind `follow` or `verify`, once each. */
static int
read_words(struct batfs_tree *tree, struct bat_slice words, bool may_from,
    struct batfs_tree_words *out)
{
	struct bat_buf stored = BAT_BUF_EMPTY;
	struct bat_slice key, value;
	uint32_t number = 0;
	int code;

	*out = (struct batfs_tree_words){ .has_from = false };
	while ((code = batfs_name_next_word(&words, &key, &value)) == BAT_OK) {
		if (may_from && !out->has_from &&
		    bat_bytes_equal(key, bat_bytes_text("from")) &&
		    batfs_name_number(value, &out->from)) {
			out->has_from = true;
			continue;
		}
		if (out->entity.length > 0 ||
		    !bat_bytes_equal(key, bat_bytes_text("entity"))) {
			code = BAT_STATE_NOT_FOUND;
			break;
		}
		code = batfs_tree_stored_name(tree, value, &stored);
		if (code == BAT_OK)
			code = batfs_tree_intern(tree,
			    bat_bytes_of_buf(&stored), &number);
		if (code != BAT_OK)
			break;
		out->entity = batfs_tree_text(tree, number);
	}
	bat_bytes_free(&stored);
	if (code == BAT_END)
		return BAT_OK;
	return code == BAT_USE_INVALID ? BAT_STATE_NOT_FOUND : code;
}

int
batfs_tree_words(struct batfs_tree *tree, const struct batfs_node *node,
    struct batfs_tree_words *out)
{
	struct bat_slice stem, words;

	if (node->class != BATFS_CTL_FOLLOW && node->class != BATFS_CTL_VERIFY)
		return BAT_USE_INVALID;
	batfs_name_split_words(batfs_tree_text(tree, node->entity), &stem,
	    &words);
	return read_words(tree, words, node->class == BATFS_CTL_FOLLOW, out);
}

static int
find_with_words(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	struct batfs_node child = batfs_tree_child(parent, BATFS_NONE);
	struct batfs_tree_words read;
	struct bat_slice stem, words;
	int code;

	batfs_name_split_words(name, &stem, &words);
	if (bat_bytes_equal(stem, bat_bytes_text("follow")))
		child.class = BATFS_CTL_FOLLOW;
	else if (bat_bytes_equal(stem, bat_bytes_text("verify")))
		child.class = BATFS_CTL_VERIFY;
	else
		return BAT_STATE_NOT_FOUND;
	code = read_words(tree, words, child.class == BATFS_CTL_FOLLOW, &read);
	if (code == BAT_OK)
		code = batfs_tree_intern(tree, name, &child.entity);
	if (code == BAT_OK)
		*out = child;
	return code;
}

/* ---- names --------------------------------------------------------------- */

int
batfs_tree_find_ctl(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out)
{
	for (unsigned i = 0; i < BATFS_CTL_COUNT; i++) {
		if (!bat_bytes_equal(name, bat_bytes_text(files[i].name)))
			continue;
		*out = batfs_tree_child(parent, BATFS_CTL_FILE);
		out->number = i;
		return BAT_OK;
	}
	return find_with_words(tree, parent, name, out);
}

/* .ctl/append/<E> and .ctl/try/<E>: any name that an entity can have, whether
 * it has events or not, with words or without. */
int
batfs_tree_find_ctl_target(struct batfs_tree *tree,
    const struct batfs_node *parent, struct bat_slice name,
    struct batfs_node *out)
{
	struct batfs_node child = batfs_tree_child(parent,
	    parent->class == BATFS_CTL_TRIES ? BATFS_CTL_TRY :
					       BATFS_CTL_APPEND);
	struct bat_buf stored = BAT_BUF_EMPTY;
	struct bat_slice words;
	int code = batfs_tree_split_words(tree, parent, name, &stored, &words);

	if (code == BAT_OK &&
	    bat_coordinate_check(bat_bytes_of_buf(&stored),
		bat_bytes_text("scope"), NULL) != BAT_OK)
		code = BAT_STATE_NOT_FOUND;
	if (code == BAT_OK)
		code = batfs_tree_intern(tree, name, &child.entity);
	if (code == BAT_OK)
		*out = child;
	bat_bytes_free(&stored);
	return code;
}

int
batfs_tree_list_ctl(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, struct batfs_tree_listing *listing)
{
	struct batfs_node child = batfs_tree_child(node, BATFS_CTL_FILE);
	int code = BAT_OK;

	for (uint64_t i = cookie; code == BAT_OK && i < BATFS_CTL_COUNT; i++) {
		child.number = i;
		code = batfs_tree_emit(tree, listing, &child, i + 1);
	}
	return code;
}

int
batfs_tree_spell_ctl(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf)
{
	(void)tree;
	if (node->number >= BATFS_CTL_COUNT)
		return BAT_STATE_NOT_FOUND;
	return bat_bytes_append_text(buf, files[node->number].name);
}

int
batfs_tree_read_ctl(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error)
{
	struct bat_buf content = BAT_BUF_EMPTY;
	int code;

	if (node->number >= BATFS_CTL_COUNT)
		return bat_error_set(error, BAT_STATE_NOT_FOUND,
		    "no such file of .ctl");
	code = batfs_tree_ctl_text(tree, (enum batfs_ctl)node->number,
	    &content);
	if (code == BAT_OK)
		code = batfs_tree_slice(bat_bytes_of_buf(&content), offset,
		    size, buf);
	bat_bytes_free(&content);
	return code;
}

int
batfs_tree_measure_ctl(struct batfs_tree *tree, const struct batfs_node *node,
    bool want_size, struct batfs_attributes *out, struct bat_error *error)
{
	struct bat_buf content = BAT_BUF_EMPTY;
	int code = batfs_tree_measure_log(tree, node, false, out, error);

	if (node->number >= BATFS_CTL_COUNT)
		return BAT_STATE_NOT_FOUND;
	if (code == BAT_OK && want_size)
		code = batfs_tree_ctl_text(tree, (enum batfs_ctl)node->number,
		    &content);
	out->size = content.length;
	bat_bytes_free(&content);
	return code;
}

/* ---- commands -------------------------------------------------------------- */

static struct bat_slice
without_end(struct bat_slice text)
{
	while (text.length > 0 &&
	    (text.data[text.length - 1] == '\n' ||
		text.data[text.length - 1] == ' '))
		text.length--;
	return text;
}

/* Without memory there is no last result to read; the writer of the word has
 * got its answer all the same. */
static void
note_result(struct batfs_tree *tree, uint64_t which, int code,
    const struct bat_error *why)
{
	struct bat_buf *result = &tree->results[which];

	pthread_mutex_lock(&tree->mutex);
	bat_bytes_clear(result);
	if (code == BAT_OK)
		(void)bat_bytes_append_text(result, "last ok\n");
	else
		(void)bat_bytes_append_format(result, "last %s: %s\n",
		    bat_error_name(code), why->text);
	pthread_mutex_unlock(&tree->mutex);
}

int
batfs_tree_command(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_slice words, struct bat_error *error)
{
	struct bat_error why = { .code = BAT_OK };
	int code;

	if (node->class != BATFS_CTL_FILE ||
	    !batfs_tree_ctl_is_command(node->number))
		return bat_error_set(error, BAT_USE_INVALID, "no command");
	code = files[node->number].command(tree, without_end(words), &why);
	if (code != BAT_OK && error != NULL)
		*error = why;
	note_result(tree, node->number, code, &why);
	return code;
}
