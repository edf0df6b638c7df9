#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "log.h"

/*
 * The pipe carries text for the parent's stderr; a NUL byte says that the
 * daemon works, and what follows it is for stdout.
 */
static struct {
	bool background;
	int pipe; /* the daemon's end */
	atomic_flag told;
} state = { .told = ATOMIC_FLAG_INIT };

int
batfs_daemon_reserve_fds(struct bat_error *error)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			return bat_error_set_os(error, errno, "/dev/null");
	} while (fd <= STDERR_FILENO);
	close(fd);
	return 0;
}

void
batfs_daemon_allow_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

void
batfs_daemon_survive_file_limit(void)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	if (!BAT_PLANT(400))
		sigaction(SIGXFSZ, &ignore, NULL);
}

static void
print_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t done = write(fd, text, length);
		if (done <= 0)
			return;
		text += done;
		length -= (size_t)done;
	}
}

/* The rest of the parent's life. */
static _Noreturn void
wait_for_daemon(int fd)
{
	char text[512];
	bool any = false, ready = false;
	ssize_t got;

	while ((got = read(fd, text, sizeof text)) != 0) {
		char *nul;
		size_t before;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		any = true;
		nul = ready ? text : memchr(text, '\0', (size_t)got);
		before = nul == NULL ? (size_t)got : (size_t)(nul - text);
		print_all(STDERR_FILENO, text, before);
		if (nul != NULL) {
			size_t skip = ready ? 0 : 1;
			print_all(STDOUT_FILENO, nul + skip,
			    (size_t)got - before - skip);
			ready = true;
		}
	}
	if (!any)
		batfs_log("the daemon died while it started");
	/* _exit: the mount and the lock are the daemon's now. */
	_exit(ready ? EXIT_SUCCESS : EXIT_FAILURE);
}

static int
leave_terminal(struct bat_error *error)
{
	int null;

	if (setsid() < 0)
		return bat_error_set_os(error, errno, "setsid");
	if (chdir("/") != 0)
		return bat_error_set_os(error, errno, "/");
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return bat_error_set_os(error, errno, "/dev/null");
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	close(null);
	return 0;
}

int
batfs_daemon_start(bool background, struct bat_error *error)
{
	int ends[2];
	pid_t child;

	state.background = background;
	if (!background)
		return 0;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return bat_error_set_os(error, errno, "pipe");
	fflush(NULL);
	child = fork();
	if (child < 0) {
		int failed = errno;
		close(ends[0]);
		close(ends[1]);
		return bat_error_set_os(error, failed, "fork");
	}
	if (child > 0) {
		close(ends[1]);
		wait_for_daemon(ends[0]);
	}
	close(ends[0]);
	state.pipe = ends[1];
	batfs_log_to(BATFS_LOG_PIPE, state.pipe);
	return leave_terminal(error);
}

void
batfs_daemon_ready(const char *line)
{
	if (atomic_flag_test_and_set(&state.told))
		return;
	if (!state.background) {
		/* stdout's own buffer would ask what it writes to, which may
		 * be forbidden by now. */
		print_all(STDOUT_FILENO, line, strlen(line));
		print_all(STDOUT_FILENO, "\n", 1);
		return;
	}
	batfs_log_to(BATFS_LOG_SYSLOG, -1);
	/* The parent may have been killed: then SIGPIPE would be ours. libfuse
	 * ignores it as soon as its handlers are set. */
	print_all(state.pipe, "", 1);
	print_all(state.pipe, line, strlen(line));
	print_all(state.pipe, "\n", 1);
	close(state.pipe);
}
