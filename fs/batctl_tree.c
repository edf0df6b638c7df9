/*
 * ls, cat, stat, find: the tree of the mount without the mount. The same
 * names, sizes, times and bytes, from a store that is opened read-only: no lock
 * is taken and nothing is written, so it also works beside a writer and on a
 * copy.
 */
#include "batctl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Of a file that grows: how much is rendered at once. */
#define PIECE (1u << 20)

static int
put_line(const char *text, struct bat_error *error)
{
	if (puts(text) >= 0)
		return BAT_OK;
	return bat_error_set_os(error, errno, "standard output");
}

int
batfs_batctl_copy(struct batfs_batctl *ctl, const struct batfs_node *node,
    uint64_t *out_size, struct bat_error *error)
{
	const bool whole = batfs_tree_is_whole(node);
	struct bat_buf piece = BAT_BUF_EMPTY;
	int code = BAT_OK;

	*out_size = 0;
	do {
		bat_bytes_clear(&piece);
		code = batfs_tree_read(ctl->tree, node, *out_size,
		    whole ? SIZE_MAX : PIECE, &piece, error);
		if (code == BAT_OK)
			code = batfs_batctl_put(bat_bytes_of_buf(&piece),
			    error);
		*out_size += piece.length;
	} while (code == BAT_OK && !whole && piece.length == PIECE);
	bat_bytes_free(&piece);
	return code;
}

/* ---- ls, cat, stat, find --------------------------------------------------- */

static int
compare_names(const void *a, const void *b, void *context)
{
	const struct batfs_batctl_entry *left = a, *right = b;
	const char *names = context;

	return strcmp(names + left->name, names + right->name);
}

static int
run_ls(struct batfs_batctl *ctl, const char *path, struct bat_error *error)
{
	struct batfs_batctl_names names;
	struct batfs_node node;
	int code = batfs_batctl_resolve(ctl, path, true, &node, error);

	if (code != BAT_OK)
		return code;
	if (batfs_tree_type(&node) != BATFS_DIRECTORY)
		return put_line(path, error);
	code = batfs_batctl_list(ctl, &node, &names, error);
	if (names.count > 0)
		qsort_r(names.entries, names.count, sizeof *names.entries,
		    compare_names, names.names.data);
	for (size_t i = 0; code == BAT_OK && i < names.count; i++)
		code = put_line((const char *)names.names.data +
			names.entries[i].name,
		    error);
	batfs_batctl_names_free(&names);
	return code;
}

static int
run_cat(struct batfs_batctl *ctl, const char *path, struct bat_error *error)
{
	struct batfs_node node;
	uint64_t size;
	int code = batfs_batctl_resolve(ctl, path, true, &node, error);

	if (code != BAT_OK)
		return code;
	if (batfs_tree_type(&node) == BATFS_DIRECTORY)
		return bat_error_set(error, BAT_USE_INVALID, "is a directory");
	return batfs_batctl_copy(ctl, &node, &size, error);
}

/* As stat(1) would with --format='%f %s %.3Y %i %n', the mode in octal. */
static int
run_stat(struct batfs_batctl *ctl, const char *path, struct bat_error *error)
{
	static const unsigned type_bits[] = {
		[BATFS_FILE] = 0100000,
		[BATFS_DIRECTORY] = 0040000,
		[BATFS_SYMLINK] = 0120000,
	};
	struct batfs_attributes attributes;
	struct batfs_node node;
	int code = batfs_batctl_resolve(ctl, path, false, &node, error);

	if (code == BAT_OK)
		code = batfs_tree_attributes(ctl->tree, &node, true,
		    &attributes, error);
	if (code != BAT_OK)
		return code;
	if (printf("%06o %" PRIu64 " %" PRId64 ".%03" PRId64 " %" PRIu64
		   " %s\n",
		type_bits[attributes.type] | attributes.mode, attributes.size,
		attributes.mtime_ms / 1000, attributes.mtime_ms % 1000,
		attributes.inode, path) < 0)
		return bat_error_set_os(error, errno, "standard output");
	return BAT_OK;
}

static int
print_path(struct batfs_batctl *ctl, void *context, const char *path,
    const struct batfs_node *node, struct bat_error *error)
{
	(void)ctl;
	(void)context;
	(void)node;
	return put_line(path, error);
}

static int
run_find(struct batfs_batctl *ctl, const char *path, struct bat_error *error)
{
	struct batfs_node node;
	int code = batfs_batctl_resolve(ctl, path, false, &node, error);

	if (code != BAT_OK)
		return code;
	return batfs_batctl_walk(ctl, path, &node, print_path, NULL, error);
}

/* ---- opening the tree ------------------------------------------------------ */

typedef int batfs_batctl_path_fn(struct batfs_batctl *ctl, const char *path,
    struct bat_error *error);

bool
batfs_batctl_take_kinds(struct batfs_batctl *ctl, const char *argument,
    struct bat_error *error)
{
	static const char word[] = "--kinds=";

	if (strncmp(argument, word, sizeof(word) - 1) != 0)
		return false;
	if (batfs_kinds_read(argument + sizeof(word) - 1, &ctl->kinds, error) !=
	    BAT_OK)
		ctl->kinds = NULL;
	return true;
}

int
batfs_batctl_open(struct batfs_batctl *ctl, const char *data_dir,
    const struct bat_options *how, struct bat_error *error)
{
	struct bat_file_stat status;
	struct batfs_tree_options options = {
		.read_only = how->read_only,
		.default_kind = BAT_KIND_DATA,
		.kinds = ctl->kinds,
		.config_line = "",
	};
	int code = bat_open(data_dir, how, &ctl->store, error);

	if (code != BAT_OK)
		return code;
	code = bat_directory_stat(ctl->store, &status);
	if (code != BAT_OK)
		return bat_error_set(error, code, "cannot look at it");
	ctl->uid = options.uid = status.uid;
	ctl->gid = options.gid = status.gid;
	options.dir_mode = status.mode & 0777;
	options.file_mode = status.mode & 0666;
	code = batfs_tree_new(ctl->store, &options, &ctl->tree);
	if (code != BAT_OK)
		bat_error_set(error, code, "%s", bat_error_name(code));
	return code;
}

void
batfs_batctl_close(struct batfs_batctl *ctl)
{
	batfs_tree_free(ctl->tree);
	bat_close(ctl->store, NULL);
	batfs_kinds_free(ctl->kinds);
}

/* Each path by itself, like ls and cat: one that fails is spoken of. */
static int
run_paths(struct batfs_batctl *ctl, batfs_batctl_path_fn *run, int count,
    char **paths)
{
	static const char root[] = ".";
	int status = BATCTL_DONE;

	for (int i = 0; i < (count > 0 ? count : 1); i++) {
		const char *path = count > 0 ? paths[i] : root;
		struct bat_error error = { .code = 0 };

		if (run(ctl, path, &error) == BAT_OK)
			continue;
		fprintf(stderr, "batctl: %s: %s\n", path, error.text);
		status = BATCTL_WRONG;
		if (ferror(stdout))
			break;
	}
	return status;
}

static int
run_command(batfs_batctl_path_fn *run, int argc, char **argv)
{
	struct batfs_batctl ctl = { .store = NULL };
	struct bat_error error = { .code = 0 };
	const struct bat_options how = { .read_only = true };
	int status = BATCTL_CANNOT;

	if (argc > 0 && batfs_batctl_take_kinds(&ctl, argv[0], &error)) {
		argc--;
		argv++;
	}
	if (argc < 1)
		return BATCTL_USAGE;
	if (error.code == 0 &&
	    batfs_batctl_open(&ctl, argv[0], &how, &error) == BAT_OK)
		status = run_paths(&ctl, run, argc - 1, argv + 1);
	else
		fprintf(stderr, "batctl: %s\n", error.text);
	batfs_batctl_close(&ctl);
	return status;
}

int
batfs_batctl_ls(int argc, char **argv)
{
	return run_command(run_ls, argc, argv);
}

int
batfs_batctl_cat(int argc, char **argv)
{
	return run_command(run_cat, argc, argv);
}

int
batfs_batctl_stat(int argc, char **argv)
{
	return run_command(run_stat, argc, argv);
}

int
batfs_batctl_find(int argc, char **argv)
{
	return run_command(run_find, argc, argv);
}
