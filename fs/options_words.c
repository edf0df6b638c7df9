/* The words of an -o list: which there are, and what values each of them takes.
 * A part of options. */
#include "options_internal.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* How the value of a word of an -o list is taken in. Returns 0,
 * BAT_USE_INVALID (it is no good) or BAT_WORLD_NO_MEMORY. */
typedef int (*take_fn)(struct batfs_options *options, const char *value);

static int
take_copy(char **to, const char *value)
{
	char *copy = strdup(value);

	if (copy == NULL)
		return BAT_WORLD_NO_MEMORY;
	free(*to);
	*to = copy;
	return 0;
}

static int
take_scope(struct batfs_options *options, const char *value)
{
	if (bat_coordinate_check(bat_bytes_text("any"), bat_bytes_text(value),
		NULL) != 0)
		return BAT_USE_INVALID;
	return take_copy(&options->default_scope, value);
}

/* A daemon lives in "/", and .ctl/config is read from anywhere. */
static int
take_path(char **to, const char *value)
{
	char *path = value[0] == '\0' ? NULL : realpath(value, NULL);

	/* One that is not there is told of when it is read. */
	if (path == NULL)
		return value[0] == '\0' ? BAT_USE_INVALID :
					  take_copy(to, value);
	free(*to);
	*to = path;
	return 0;
}

static int
take_kinds(struct batfs_options *options, const char *value)
{
	return take_path(&options->kinds, value);
}

static int
take_gates(struct batfs_options *options, const char *value)
{
	return take_path(&options->gates, value);
}

static int
take_at(struct batfs_options *options, const char *value)
{
	return take_copy(&options->at, value);
}

static int
take_only(struct batfs_options *options, const char *value)
{
	return take_copy(&options->only, value);
}

static int
take_fsname(struct batfs_options *options, const char *value)
{
	return take_copy(&options->fsname, value);
}

static int
take_subtype(struct batfs_options *options, const char *value)
{
	return take_copy(&options->subtype, value);
}

static int
take_kind(struct batfs_options *options, const char *value)
{
	uint16_t kind;

	if (!bat_kind_from_text(bat_bytes_text(value), &kind) ||
	    bat_kind_is_reserved(kind))
		return BAT_USE_INVALID;
	options->default_kind = kind;
	return 0;
}

/* The place of value in a list of words, or -1. */
static int
position_in(const char *const *words, const char *value)
{
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], value) == 0)
			return i;
	return -1;
}

static int
take_durable(struct batfs_options *options, const char *value)
{
	static const char *const words[] = { "each", "fsync", NULL };
	int position = position_in(words, value);

	if (position < 0)
		return BAT_USE_INVALID;
	options->durability = position == 0 ? BAT_DURABLE_EACH :
					      BAT_DURABLE_FSYNC;
	return 0;
}

static int
take_index(struct batfs_options *options, const char *value)
{
	static const char *const words[] = { "auto", "ckpt", "fbati", "none",
		NULL };
	static const enum bat_index_choice choices[] = { BAT_INDEX_AUTO,
		BAT_INDEX_CKPT, BAT_INDEX_FBATI, BAT_INDEX_NONE };
	int position = position_in(words, value);

	if (position < 0)
		return BAT_USE_INVALID;
	options->index = choices[position];
	return 0;
}

/* A daemon lives in "/", and the file may not be there yet. */
static int
take_tlog(struct batfs_options *options, const char *value)
{
	char *folder, *path = NULL;
	int length;

	options->tlog = true;
	if (value == NULL)
		return 0;
	if (value[0] == '\0')
		return BAT_USE_INVALID;
	if (value[0] == '/')
		return take_copy(&options->tlog_key, value);
	folder = realpath(".", NULL);
	length = folder == NULL ? -1 : asprintf(&path, "%s/%s", folder, value);
	free(folder);
	if (length < 0)
		return BAT_WORLD_NO_MEMORY;
	free(options->tlog_key);
	options->tlog_key = path;
	return 0;
}

static int
take_new(struct batfs_options *options, const char *value)
{
	static const char *const words[] = { "scope", "entity", "none", NULL };
	static const unsigned choices[] = { BATFS_NEW_SCOPE, BATFS_NEW_ENTITY,
		BATFS_NEW_NONE };
	int position = position_in(words, value);

	if (position < 0)
		return BAT_USE_INVALID;
	options->new_names = choices[position];
	return 0;
}

static int
take_sandbox(struct batfs_options *options, const char *value)
{
	static const char *const words[] = { "on", "strict", "off", NULL };
	static const enum batfs_sandbox_mode choices[] = { BATFS_SANDBOX_ON,
		BATFS_SANDBOX_STRICT, BATFS_SANDBOX_OFF };
	int position = position_in(words, value);

	if (position < 0)
		return BAT_USE_INVALID;
	options->sandbox = choices[position];
	return 0;
}

/* Decimal digits and nothing else, from min to max. */
static int
take_number(const char *value, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t number = 0;

	if (*value == '\0')
		return BAT_USE_INVALID;
	for (; *value != '\0'; value++) {
		if (*value < '0' || *value > '9')
			return BAT_USE_INVALID;
		number = number * 10 + (uint64_t)(*value - '0');
		if (number > max)
			return BAT_USE_INVALID;
	}
	if (number < min)
		return BAT_USE_INVALID;
	*out = number;
	return 0;
}

static int
take_checkpoint(struct batfs_options *options, const char *value)
{
	return take_number(value, 0, 366 * 86400, &options->checkpoint_seconds);
}

static int
take_gate_limit(struct batfs_options *options, const char *value)
{
	uint64_t number;
	int result = take_number(value, 1, 3600, &number);

	if (result == 0)
		options->gate_limit = (unsigned)number;
	return result;
}

static int
take_segment(struct batfs_options *options, const char *value)
{
	return take_number(value, 4096, 1 << 30, &options->segment_bytes);
}

/* A number, or one with K, M or G behind it. */
static int
take_ahead(struct batfs_options *options, const char *value)
{
	static const char units[] = "KMG";
	size_t length = strlen(value);
	const char *unit = length < 2 ? NULL : strchr(units, value[length - 1]);
	unsigned shift = unit == NULL ? 0 : 10 * (unsigned)(unit - units + 1);
	char digits[24];
	uint64_t number;

	length -= unit != NULL;
	if (length >= sizeof digits)
		return BAT_USE_INVALID;
	memcpy(digits, value, length);
	digits[length] = '\0';
	if (take_number(digits, 0, (uint64_t)1 << 30, &number) != 0 ||
	    number << shift > (uint64_t)1 << 30 ||
	    (number > 0 && number << shift < 65536))
		return BAT_USE_INVALID;
	options->ahead_bytes = number << shift;
	return 0;
}

static int
take_max_threads(struct batfs_options *options, const char *value)
{
	uint64_t number;
	int result = take_number(value, 1, 1000, &number);

	if (result == 0)
		options->max_threads = (unsigned)number;
	return result;
}

static int
take_max_read(struct batfs_options *options, const char *value)
{
	uint64_t number;
	int result = take_number(value, 4096, 16 << 20, &number);

	if (result == 0)
		options->max_read = (unsigned)number;
	return result;
}

/* WORD_EITHER: take is called with NULL where there is no value. */
enum word_form { WORD_VALUE, WORD_EITHER, WORD_SET, WORD_CLEAR, WORD_IGNORED };

static const struct word {
	const char *name;
	enum word_form form;
	size_t offset; /* WORD_SET, WORD_CLEAR: of a bool in the options */
	take_fn take;  /* WORD_VALUE */
} words[] = {
/* clang-format off */
#define VALUE(name) { #name, WORD_VALUE, 0, take_##name }
#define SET(name, member)                                                      \
	{ name, WORD_SET, offsetof(struct batfs_options, member), NULL }
#define IGNORED(name) { name, WORD_IGNORED, 0, NULL }
	/* clang-format on */
	SET("ro", read_only),
	{ "rw", WORD_CLEAR, offsetof(struct batfs_options, read_only), NULL },
	SET("nocreate", no_create),
	SET("text", text),
	SET("stamp", stamp),
	VALUE(at),
	VALUE(only),
	VALUE(scope),
	VALUE(kind),
	VALUE(kinds),
	VALUE(gates),
	VALUE(gate_limit),
	VALUE(new),
	VALUE(durable),
	VALUE(index),
	VALUE(checkpoint),
	{ "tlog", WORD_EITHER, 0, take_tlog },
	VALUE(sandbox),
	VALUE(segment),
	VALUE(ahead),
	SET("allow_other", allow_other),
	SET("allow_root", allow_root),
	SET("clone_fd", clone_fd),
	VALUE(max_threads),
	VALUE(max_read),
	VALUE(fsname),
	VALUE(subtype),
	SET("noatime", noatime),
	SET("nodiratime", nodiratime),
	SET("sync", synchronous),
	/* Always so, whether asked for or not; and what is never so: an event
	 * is no program and no device. */
	IGNORED("default_permissions"),
	IGNORED("nosuid"),
	IGNORED("nodev"),
	IGNORED("noexec"),
	IGNORED("suid"),
	IGNORED("dev"),
	IGNORED("exec"),
	/* For mount(8), which hands some of them on. */
	IGNORED("atime"),
	IGNORED("relatime"),
	IGNORED("async"),
	IGNORED("defaults"),
	IGNORED("auto"),
	IGNORED("noauto"),
	IGNORED("user"),
	IGNORED("users"),
	IGNORED("nouser"),
	IGNORED("owner"),
	IGNORED("group"),
	IGNORED("nofail"),
	IGNORED("_netdev"),
};

static const struct word *
find_word(const char *name)
{
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	return NULL;
}

static void
take_switch(struct batfs_options *options, const struct word *word)
{
	bool *flag = (bool *)(void *)((char *)options + word->offset);

	if (word->form == WORD_SET || word->form == WORD_CLEAR)
		*flag = word->form == WORD_SET;
}

int
batfs_options_take_word(struct batfs_options *options, char *text,
    struct bat_error *error)
{
	char *value = strchr(text, '=');
	const struct word *word;
	int result;

	if (text[0] == '\0' || strncmp(text, "x-", 2) == 0)
		return 0;
	if (value != NULL)
		*value++ = '\0';
	word = find_word(text);
	if (word == NULL)
		return bat_error_set(error, BAT_USE_INVALID,
		    "unknown option: -o %s (batfs -h lists them)", text);
	if (word->form != WORD_EITHER &&
	    (word->form == WORD_VALUE) != (value != NULL))
		return bat_error_set(error, BAT_USE_INVALID, "-o %s %s", text,
		    value == NULL ? "needs a value" : "takes no value");
	if (word->take == NULL) {
		take_switch(options, word);
		return 0;
	}
	result = word->take(options, value);
	if (result == BAT_USE_INVALID)
		return bat_error_set(error, result,
		    "-o %s=%s: not a possible value (batfs -h lists them)",
		    text, value);
	if (result != 0)
		return bat_error_set(error, result, "-o %s", text);
	return 0;
}
