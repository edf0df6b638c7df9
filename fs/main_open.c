/*
 * What is tried in the foreground, before there is a mount: the paths, the
 * gates, the store with its lock, the tree.
 */
#include "main_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gates.h"
#include "holder.h"
#include "log.h"
#include "mountpoint.h"
#include "render.h"

static int
resolve_paths(struct program *program, struct bat_error *error)
{
	const struct batfs_options *options = &program->options;
	int result = batfs_mountpoint_resolve(options->data_dir,
	    &program->data_dir, error);

	if (result == 0)
		result = batfs_mountpoint_resolve(options->mountpoint,
		    &program->mountpoint, error);
	if (result == 0)
		result = batfs_mountpoint_check(program->data_dir,
		    program->mountpoint, &program->on_file, error);
	if (result == 0 && program->on_file && options->only == NULL)
		result = bat_error_set(error, BAT_USE_INVALID,
		    "%s is a file; only one file can be mounted on it: "
		    "-o only=entities/...",
		    program->mountpoint);
	return result;
}

static int
read_kinds(struct program *program, struct bat_error *error)
{
	int result = 0;

	if (program->options.kinds != NULL)
		result = batfs_kinds_read(program->options.kinds,
		    &program->kinds, error);
	if (result != 0)
		bat_error_prefix(error, "-o kinds");
	return result;
}

/* Where nothing is appended nobody has to be asked. */
static int
start_gates(struct program *program, struct bat_error *error)
{
	const struct batfs_options *options = &program->options;
	const struct batfs_gates_options how = {
		.dir = options->gates,
		.limit_s = options->gate_limit,
		.quiet = !options->foreground,
	};

	if (options->gates == NULL || options->read_only)
		return 0;
	return batfs_gates_start(&how, &program->gates, error);
}

/* Is it there to be read, lock and writing apart? */
static bool
opens_read_only(const char *data_dir)
{
	const struct bat_options how = { .read_only = true };
	struct bat_store *store = NULL;
	bool opens = bat_open(data_dir, &how, &store, NULL) == 0;

	bat_close(store, NULL);
	return opens;
}

/* What stands in the way of a writer only has a remedy: to read. It is tried
 * before it is said. */
static void
name_remedy(const char *data_dir, struct bat_error *error)
{
	bool locked = error->code == BAT_WORLD_LOCKED;
	struct batfs_holder holder = { .held = false };
	char who[sizeof holder.mountpoint + 64] = "", what[sizeof error->text];

	if (!locked && error->os_errno != EROFS && error->os_errno != EACCES &&
	    error->os_errno != EPERM)
		return;
	if (locked)
		batfs_holder_find(data_dir, &holder);
	if (holder.held)
		batfs_holder_describe(&holder, who, sizeof who);
	snprintf(what, sizeof what, "%s", error->text);
	bat_error_set(error, error->code, "%s%s%s%s", what,
	    holder.held ? ": " : "", who,
	    !opens_read_only(data_dir) ? "" :
		locked ? "; -o ro needs no lock and follows what it writes" :
			 "; -o ro writes nothing there");
}

static int
open_store(struct program *program, struct bat_error *error)
{
	const struct batfs_options *options = &program->options;
	const struct bat_options how = {
		.read_only = options->read_only,
		.no_create = options->no_create,
		.durability = options->durability,
		.index = options->index,
		.tlog = options->tlog,
		.tlog_key = options->tlog_key,
		.lengths_format = BATFS_RENDER_FORMAT,
		.segment_max_bytes = options->segment_bytes,
		.runway_bytes = options->ahead_bytes,
		.gates = batfs_gates_list(program->gates),
	};
	struct batfs_mount *mount = &program->mount;
	struct bat_attest_status log;
	struct bat_status status;
	int result = bat_open(program->data_dir, &how, &mount->store, error);

	if (result != 0) {
		mount->store = NULL;
		if (strstr(error->text, program->data_dir) == NULL)
			bat_error_prefix(error, "%s", program->data_dir);
		if (!options->read_only)
			name_remedy(program->data_dir, error);
		return result;
	}
	mount->data_dir = open(program->data_dir,
	    O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mount->data_dir < 0)
		return bat_error_set_os(error, errno, "%s", program->data_dir);
	bat_attest_status(mount->store, &log);
	if (log.state == BAT_ATTEST_HALTED)
		batfs_log("%s: the transparency log is halted: %s",
		    program->data_dir, log.why);
	bat_status(mount->store, &status);
	if (status.source == BAT_SOURCE_NEW && !options->read_only)
		batfs_log("%s is empty: a new store begins there with the "
			  "first append",
		    program->data_dir);
	return 0;
}

static int
make_tree(struct program *program, struct bat_error *error)
{
	const struct batfs_options *options = &program->options;
	struct batfs_mount *mount = &program->mount;
	struct batfs_tree_options how = {
		.read_only = options->read_only,
		.default_scope = options->default_scope,
		.default_kind = options->default_kind,
		.new_names = options->new_names,
		.text = options->text,
		.kinds = program->kinds,
		.gates = batfs_gates_list(program->gates),
	};
	struct bat_file_stat status;
	int result = bat_directory_stat(mount->store, &status);

	if (result == 0)
		result = batfs_options_config_line(options, program->data_dir,
		    program->mountpoint, &program->config);
	if (result == 0)
		result = bat_bytes_append_byte(&program->config, '\0');
	if (result != 0)
		return bat_error_set(error, result, "%s", program->data_dir);
	/* Who may see the directory may see the tree. */
	mount->uid = how.uid = status.uid;
	mount->gid = how.gid = status.gid;
	batfs_shares_init(&mount->shares, mount->uid, geteuid());
	how.dir_mode = status.mode & 0777;
	how.file_mode = status.mode & 0666;
	how.config_line = (const char *)program->config.data;
	result = batfs_tree_new(mount->store, &how, &mount->tree);
	if (result == 0)
		result = batfs_past_new(&mount->past);
	if (result != 0)
		return bat_error_set(error, result, "the tree");
	result = batfs_tree_start(mount->tree, options->at, options->only,
	    &mount->root, error);
	if (result == 0 &&
	    program->on_file != (batfs_tree_type(&mount->root) == BATFS_FILE))
		result = bat_error_set(error, BAT_USE_INVALID,
		    program->on_file ?
			"-o only=%s is a directory, and %s is a file" :
			"-o only=%s is a file: it is mounted on one, and %s is "
			"a directory",
		    options->only, program->mountpoint);
	return result;
}

/* "batfs: /data (1002 events, index.fbati 5 in 3.1 ms) on /mnt; ..." */
static int
describe(struct program *program, struct bat_error *error)
{
	struct bat_status status;
	struct bat_head head;
	char version[8] = "";
	int result;

	bat_status(program->mount.store, &status);
	bat_head(program->mount.store, &head);
	if (status.source_version != 0)
		snprintf(version, sizeof version, " %u", status.source_version);
	result = bat_bytes_append_format(&program->ready,
	    "batfs: %s (%llu events, %s%s in %.1f ms)%s on %s; unmount with: "
	    "fusermount3 -u %s",
	    program->data_dir, (unsigned long long)head.visible_count,
	    bat_source_name(status.source), version,
	    (double)status.open_ns / 1e6,
	    program->options.read_only ? " read-only" : "", program->mountpoint,
	    program->mountpoint);
	if (result == 0)
		result = bat_bytes_append_byte(&program->ready, '\0');
	if (result != 0)
		return bat_error_set(error, result, "starting");
	return 0;
}

/* ---- both steps -------------------------------------------------------- */

int
batfs_main_look(struct program *program, struct bat_error *error)
{
	int result = resolve_paths(program, error);

	return result == 0 ? read_kinds(program, error) : result;
}

int
batfs_main_open(struct program *program, struct bat_error *error)
{
	int result = start_gates(program, error);

	if (result == 0)
		result = open_store(program, error);
	if (result == 0)
		result = make_tree(program, error);
	if (result == 0)
		result = describe(program, error);
	return result;
}
