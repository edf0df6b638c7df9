/*
 * batfs DATADIR MOUNTPOINT.
 *
 * Everything that can go wrong is tried in the foreground, where somebody
 * reads what is said: the paths, the store with its lock, the mount. Only then
 * the program goes into the background, and only there it starts threads,
 * which would not survive the fork. The parent leaves when the kernel's first
 * request was answered.
 *
 * At the end, in this order: no request is read any more; what is under way is
 * committed and answered; the mount goes; the store is closed.
 */
#include "main_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <fuse_lowlevel.h>

#include "daemon.h"
#include "log.h"
#include "notify.h"
#include "sandbox.h"
#include "waiting.h"

enum { EXIT_USAGE = 2 };

/* A timer does not rewrite an index file for less than this, nor for less than
 * an eighth of the events. */
#define CHECKPOINT_EVENTS 65536

/* ---- what the mount calls back --------------------------------------- */

static void
say_ready(void *context)
{
	struct program *program = context;

	batfs_daemon_ready((const char *)program->ready.data);
}

static void
after_commit(void *context)
{
	struct program *program = context;

	batfs_notify_check(program->mount.notify);
	batfs_notify_grown(program->mount.notify);
	batfs_waiting_check(program->mount.waiting);
}

/* One of those that wait has got something. */
static void
after_progress(void *context)
{
	struct program *program = context;

	batfs_waiting_check(program->mount.waiting);
}

static void
maybe_checkpoint(struct program *program, struct bat_store *store)
{
	struct bat_error error = { .code = 0 };
	struct bat_status status;
	struct bat_head head;

	bat_status(store, &status);
	bat_head(store, &head);
	if (program->options.read_only ||
	    status.uncovered_count <= CHECKPOINT_EVENTS ||
	    status.uncovered_count <= head.visible_count / 8)
		return;
	if (bat_checkpoint(store, &error) != 0)
		batfs_log("the index file was not written: %s", error.text);
}

/* The timer's turn, on the chores' thread. */
static void
look_after_files(void *context)
{
	struct program *program = context;
	struct bat_store *store = program->mount.store;
	struct bat_error error = { .code = 0 };

	maybe_checkpoint(program, store);
	if (bat_attest_update(store, &error) != 0)
		batfs_log("the transparency log: %s", error.text);
}

/* libfuse's own messages. */
__attribute__((format(printf, 2, 0))) static void
log_of_fuse(enum fuse_log_level level, const char *format, va_list arguments)
{
	/* -d writes lines in pieces. */
	if (level == FUSE_LOG_DEBUG)
		vfprintf(stderr, format, arguments);
	else
		batfs_log_list(format, arguments);
}

/* ---- in the background ----------------------------------------------- */

static int
enter_sandbox(struct program *program, struct bat_error *error)
{
	const struct batfs_sandbox sandbox = {
		.mode = program->options.sandbox,
		.data_dir = program->data_dir,
		.read_only = program->options.read_only,
		.proc = program->options.stamp,
		.clone_fd = program->options.clone_fd,
	};

	return batfs_sandbox_enter(&sandbox, error);
}

static int
start_threads(struct program *program, struct bat_error *error)
{
	struct batfs_mount *mount = &program->mount;
	int result = batfs_supervisor_watch(program->supervisor);

	if (result == 0)
		result = batfs_committer_start(mount->store,
		    &program->committer);
	if (result == 0 && program->options.ahead_bytes > 0 &&
	    !program->options.read_only)
		result = batfs_runner_start(mount->store, &program->runner);
	if (result == 0)
		result = batfs_chores_start(program->options.checkpoint_seconds,
		    look_after_files, program, &mount->chores);
	if (result == 0)
		result = batfs_chores_start(0, NULL, NULL, &mount->long_chores);
	if (result == 0)
		result = batfs_notify_start(program->session, mount,
		    &mount->notify);
	if (result == 0)
		result = batfs_waiting_start(mount, &mount->waiting);
	if (result != 0)
		return bat_error_set(error, result, "threads");
	mount->appends = (struct batfs_append_world){
		.store = mount->store,
		.tree = mount->tree,
		.chores = mount->chores,
		.shares = &mount->shares,
		.sync_apart = program->options.durability == BAT_DURABLE_FSYNC,
		.stamp = program->options.stamp,
		.lead_here = batfs_session_may_wait(&program->options),
		.committed = after_commit,
		.context = program,
	};
	batfs_append_world_init(&mount->appends);
	mount->handles.data_path = program->data_dir;
	mount->handles.progress = after_progress;
	mount->handles.context = program;
	return 0;
}

/* Requests that were read but not answered are answered; nobody reads new
 * ones. */
static void
stop_threads(struct program *program)
{
	struct batfs_mount *mount = &program->mount;
	size_t lost;

	if (mount->appends.store != NULL)
		batfs_append_drain(&mount->appends);
	if (mount->store != NULL)
		bat_compact_stop(mount->store);
	batfs_chores_stop(mount->long_chores);
	batfs_chores_stop(mount->chores);
	batfs_committer_stop(program->committer);
	batfs_runner_stop(program->runner);
	batfs_waiting_stop(mount->waiting);
	batfs_notify_stop(mount->notify);
	lost = batfs_handle_close_all(&mount->handles);
	batfs_waiting_free(mount->waiting);
	if (lost > 0)
		batfs_log("%zu bytes of lines without an end were given up: "
			  "their files were still open",
		    lost);
	if (mount->appends.store != NULL)
		batfs_append_world_destroy(&mount->appends);
	batfs_shares_free(&mount->shares);
}

static int
start_and_serve(struct program *program, struct bat_error *error)
{
	const struct batfs_options *options = &program->options;
	int result = batfs_main_look(program, error);

	if (result == 0)
		result = batfs_supervisor_start(program->mountpoint,
		    &program->supervisor, error);
	if (result == 0)
		result = batfs_main_open(program, error);
	if (result == 0)
		result = batfs_session_new(&program->mount, program->data_dir,
		    &program->session, error);
	if (result == 0)
		result = batfs_session_mount(program->session,
		    program->mountpoint, &program->dead_end, error);
	program->mounted = result == 0;
	if (result == 0)
		result = batfs_supervisor_mounted(program->supervisor, error);
	if (result == 0)
		result = batfs_daemon_start(!options->foreground, error);
	if (result == 0)
		result = enter_sandbox(program, error);
	if (result == 0)
		result = start_threads(program, error);
	if (result == 0)
		result = batfs_session_loop(program->session, options, error);
	return result;
}

/* Undo what was done; returns 0 or what bat_close says. */
static int
finish(struct program *program, struct bat_error *error)
{
	struct batfs_mount *mount = &program->mount;
	int result = 0;

	stop_threads(program);
	if (program->mounted &&
	    batfs_session_unmount(program->session, program->dead_end,
		program->supervisor, error) != 0)
		batfs_log("%s", error->text);
	batfs_session_free(program->session);
	batfs_spare_free(&mount->spares);
	batfs_tree_free(mount->tree);
	batfs_past_free(mount->past);
	if (mount->data_dir >= 0)
		close(mount->data_dir);
	if (mount->store != NULL)
		result = bat_close(mount->store, error);
	batfs_gates_stop(program->gates);
	batfs_kinds_free(program->kinds);
	batfs_supervisor_stop(program->supervisor);
	bat_bytes_free(&program->config);
	bat_bytes_free(&program->ready);
	free(program->data_dir);
	free(program->mountpoint);
	return result;
}

static int
run(struct program *program)
{
	struct bat_error error = { .code = 0 };
	int result = start_and_serve(program, &error);
	int status = EXIT_SUCCESS;

	if (result != 0) {
		batfs_log("%s", error.text);
		status = EXIT_FAILURE;
	}
	error.text[0] = '\0';
	result = finish(program, &error);
	if (result != 0) {
		batfs_log("closing the store: %s", error.text);
		status = EXIT_FAILURE;
	}
	return status;
}

int
main(int argc, char **argv)
{
	struct program program = {
		.mount = { .data_dir = -1,
		    .handles = BATFS_HANDLES_EMPTY,
		    .spares = BATFS_SPARES_EMPTY,
		    .unopened = BATFS_UNOPENED_EMPTY },
	};
	struct batfs_options *options = &program.options;
	struct bat_error error = { .code = 0 };
	int status = EXIT_SUCCESS;

	fuse_set_log_func(log_of_fuse);
	if (batfs_daemon_reserve_fds(&error) != 0)
		return EXIT_FAILURE;
	batfs_daemon_allow_files();
	batfs_daemon_survive_file_limit();
	if (batfs_options_parse(argc, argv, options, &error) != 0) {
		batfs_log("%s", error.text);
		fputs("usage: batfs [options] DATADIR MOUNTPOINT\n", stderr);
		status = EXIT_USAGE;
	} else if (options->help) {
		fputs(batfs_options_usage(), stdout);
	} else if (options->version) {
		printf("batfs %s\nlibfuse %s\n", BATFS_VERSION,
		    fuse_pkgversion());
	} else {
		program.mount.options = options;
		program.mount.ready = say_ready;
		program.mount.context = &program;
		status = run(&program);
	}
	batfs_options_free(options);
	return status;
}
