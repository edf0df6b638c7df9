#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <fuse_lowlevel.h>

#include "ops.h"

int
batfs_session_new(struct batfs_mount *mount, const char *data_dir,
    struct fuse_session **out, struct bat_error *error)
{
	const struct batfs_options *options = mount->options;
	struct fuse_args arguments = FUSE_ARGS_INIT(0, NULL);
	struct bat_buf words = BAT_BUF_EMPTY;
	int result = batfs_options_fuse_words(options, data_dir, &words);

	if (result == 0 &&
	    (fuse_opt_add_arg(&arguments, "batfs") != 0 ||
		fuse_opt_add_arg(&arguments, "-o") != 0 ||
		fuse_opt_add_arg(&arguments, (char *)words.data) != 0 ||
		(options->debug && fuse_opt_add_arg(&arguments, "-d") != 0)))
		result = BAT_WORLD_NO_MEMORY;
	if (result == 0) {
		*out = fuse_session_new(&arguments, batfs_ops_table(),
		    sizeof *batfs_ops_table(), mount);
		if (*out == NULL)
			result = BAT_USE_INVALID;
	}
	fuse_opt_free_args(&arguments);
	bat_bytes_free(&words);
	if (result != 0)
		return bat_error_set(error, result, "no FUSE session");
	return 0;
}

int
batfs_session_mount(struct fuse_session *session, const char *mountpoint,
    int *out_dead_end, struct bat_error *error)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return bat_error_set_os(error, errno, "a pipe");
	close(ends[0]);
	*out_dead_end = ends[1];
	/* Before the mount: from then on a signal has to unmount. */
	if (fuse_set_signal_handlers(session) != 0)
		return bat_error_set(error, BAT_WORLD_IO, "signal handlers");
	if (fuse_session_mount(session, mountpoint) != 0)
		return bat_error_set(error, BAT_WORLD_IO,
		    "%s: could not be mounted (is /dev/fuse there, and may "
		    "you use it?)",
		    mountpoint);
	return 0;
}

bool
batfs_session_may_wait(const struct batfs_options *options)
{
	return !options->single && options->max_threads >= 4 &&
	    options->gates == NULL;
}

int
batfs_session_loop(struct fuse_session *session,
    const struct batfs_options *options, struct bat_error *error)
{
	struct fuse_loop_config *config;
	int result;

	if (options->single) {
		result = fuse_session_loop(session);
	} else {
		config = fuse_loop_cfg_create();
		if (config == NULL)
			return bat_error_set(error, BAT_WORLD_NO_MEMORY,
			    "loop");
		fuse_loop_cfg_set_clone_fd(config, options->clone_fd);
		fuse_loop_cfg_set_max_threads(config, options->max_threads);
		result = fuse_session_loop_mt(session, config);
		fuse_loop_cfg_destroy(config);
	}
	/* Above 0 it is the signal that ended it. */
	if (result < 0)
		return bat_error_set_os(error, -result, "the FUSE loop");
	/* From here on a second signal ends the program the hard way. */
	fuse_remove_signal_handlers(session);
	return 0;
}

/*
 * Put something else in the device's place: the end of a pipe that nobody
 * reads. libfuse looks for POLLERR there to see whether the mount is gone and
 * only then leaves it alone; that end has it too. No other thread opens
 * anything by now, so the number is free.
 */
static int
cut_off(int device, int dead_end)
{
	int got;

	close(device);
	got = fcntl(dead_end, F_DUPFD_CLOEXEC, device);
	close(dead_end);
	if (got < 0)
		return errno;
	return got == device ? 0 : EBADF;
}

int
batfs_session_unmount(struct fuse_session *session, int dead_end,
    struct batfs_supervisor *supervisor, struct bat_error *error)
{
	struct pollfd device = { .fd = fuse_session_fd(session), .events = 0 };
	bool gone = poll(&device, 1, 0) == 1 && (device.revents & POLLERR) != 0;
	int failed = cut_off(device.fd, dead_end), result = 0;

	if (failed != 0)
		return bat_error_set_os(error, failed, "unmounting");
	if (!gone)
		result = batfs_supervisor_unmount(supervisor, error);
	fuse_session_unmount(session);
	return result;
}

void
batfs_session_free(struct fuse_session *session)
{
	if (session != NULL)
		fuse_session_destroy(session);
}
