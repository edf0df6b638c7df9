#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pthread.h>

#include "thread.h"

/* What the daemon says, in a packet. The supervisor answers UNMOUNT, with an
 * errno; before all it says by a 0 that it is ready. */
struct order {
	enum { MOUNTED, UNMOUNT, GO } what;
	uint64_t mount; /* MOUNTED: which one */
};

struct batfs_supervisor {
	int socket; /* the daemon's end */
	char *mountpoint;
	pid_t child;
	bool watched;
	pthread_t watcher, watched_for; /* who is told of its end */
	atomic_bool stopping;
};

/* ---- in the supervisor -------------------------------------------------- */

/* As an ordinary user by the helper, which may do it for him. */
static int
unmount_by_helper(const char *mountpoint)
{
	const char *const arguments[] = { "fusermount3", "-u", "-q", "-z", "--",
		mountpoint, NULL };
	const char *const environment[] = {
		"PATH=/usr/bin:/bin:/usr/sbin:/sbin", NULL
	};
	pid_t helper;
	int status, failed;

	/* It takes them as they were before there was const. */
	failed = posix_spawnp(&helper, arguments[0], NULL, NULL,
	    (char *const *)(uintptr_t)arguments,
	    (char *const *)(uintptr_t)environment);
	if (failed != 0)
		return failed;
	while (waitpid(helper, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : EPERM;
}

/* Which mount stands there; 0 or an errno. Whoever serves it is not asked. */
static int
look_at(const char *mountpoint, uint64_t *out)
{
	struct statx status;

	if (statx(AT_FDCWD, mountpoint, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
		STATX_MNT_ID, &status) != 0)
		return errno;
	*out = (status.stx_mask & STATX_MNT_ID) != 0 ? status.stx_mnt_id : 0;
	return 0;
}

/* mount: as it was when we mounted. */
static int
unmount_it(const char *mountpoint, uint64_t mount)
{
	uint64_t now;

	if (look_at(mountpoint, &now) == 0 && now != mount)
		return 0;
	if (umount2(mountpoint, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return 0;
	return errno == EPERM ? unmount_by_helper(mountpoint) : errno;
}

/* Nothing that it inherited is left, so that nothing stays open because of it:
 * no lock, no terminal, no pipe that somebody waits for. */
static int
leave_all_behind(int socket)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || setsid() < 0 || chdir("/") != 0)
		return -1;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	if (dup2(socket, STDERR_FILENO + 1) < 0)
		return -1;
	close_range(STDERR_FILENO + 2, ~0u, 0);
	sigaction(SIGTERM, &ignore, NULL);
	sigaction(SIGINT, &ignore, NULL);
	sigaction(SIGHUP, &ignore, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	prctl(PR_SET_NAME, "batfs-unmount");
	return STDERR_FILENO + 1;
}

static _Noreturn void
supervise(int socket, const char *mountpoint)
{
	struct order order;
	uint64_t mount = 0;
	int failed = 0;
	ssize_t got;

	socket = leave_all_behind(socket);
	if (socket < 0 || write(socket, &failed, sizeof(failed)) < 0)
		_exit(EXIT_FAILURE);
	for (;;) {
		got = read(socket, &order, sizeof(order));
		if (got < 0 && errno == EINTR)
			continue;
		if (got != sizeof(order) || order.what == GO)
			_exit(EXIT_SUCCESS);
		if (order.what == MOUNTED) {
			mount = order.mount;
			continue;
		}
		failed = unmount_it(mountpoint, mount);
		if (write(socket, &failed, sizeof(failed)) < 0)
			_exit(EXIT_FAILURE);
	}
}

/* ---- in the daemon ------------------------------------------------------ */

int
batfs_supervisor_start(const char *mountpoint, struct batfs_supervisor **out,
    struct bat_error *error)
{
	struct batfs_supervisor *supervisor = calloc(1, sizeof(*supervisor));
	int ends[2];

	if (supervisor == NULL)
		return bat_error_set_os(error, ENOMEM, "the supervisor");
	supervisor->mountpoint = strdup(mountpoint);
	if (supervisor->mountpoint == NULL ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
		int failed = errno;

		free(supervisor->mountpoint);
		free(supervisor);
		return bat_error_set_os(error, failed, "the supervisor");
	}
	supervisor->child = fork();
	if (supervisor->child == 0) {
		close(ends[0]);
		supervise(ends[1], mountpoint);
	}
	close(ends[1]);
	supervisor->socket = ends[0];
	if (supervisor->child < 0) {
		int failed = errno;

		supervisor->child = 0;
		batfs_supervisor_stop(supervisor);
		return bat_error_set_os(error, failed, "fork");
	}
	*out = supervisor;
	return 0;
}

/* It says nothing unless it is asked: what there is to see is its end. */
static void *
watch(void *argument)
{
	struct batfs_supervisor *supervisor = argument;
	struct pollfd end = { .fd = supervisor->socket, .events = 0 };

	while (poll(&end, 1, -1) < 0 && errno == EINTR)
		continue;
	if (!atomic_load(&supervisor->stopping))
		pthread_kill(supervisor->watched_for, SIGTERM);
	return NULL;
}

int
batfs_supervisor_watch(struct batfs_supervisor *supervisor)
{
	int result;

	supervisor->watched_for = pthread_self();
	result = batfs_thread_start(&supervisor->watcher, watch, supervisor,
	    "batfs-watch");
	supervisor->watched = result == 0;
	return result;
}

/* 0 or an errno. */
static int
tell(struct batfs_supervisor *supervisor, const struct order *order)
{
	ssize_t sent = send(supervisor->socket, order, sizeof(*order),
	    MSG_NOSIGNAL);

	return sent == sizeof(*order) ? 0 : errno;
}

/* As read. */
static ssize_t
hear(struct batfs_supervisor *supervisor, int *out)
{
	ssize_t got;

	do
		got = read(supervisor->socket, out, sizeof(*out));
	while (got < 0 && errno == EINTR);
	return got;
}

/* We look for it, and it was ready long ago: so neither waits for the other. */
int
batfs_supervisor_mounted(struct batfs_supervisor *supervisor,
    struct bat_error *error)
{
	struct order order = { .what = MOUNTED };
	int failed = look_at(supervisor->mountpoint, &order.mount);
	int ready = EPIPE;

	if (failed == 0 && hear(supervisor, &ready) != sizeof(ready))
		failed = EPIPE;
	if (failed == 0)
		failed = tell(supervisor, &order);
	if (failed == 0)
		return 0;
	return bat_error_set_os(error, failed, "%s", supervisor->mountpoint);
}

int
batfs_supervisor_unmount(struct batfs_supervisor *supervisor,
    struct bat_error *error)
{
	const struct order order = { .what = UNMOUNT };
	int answer = EPIPE, failed = tell(supervisor, &order);

	if (failed == 0 && hear(supervisor, &answer) != sizeof(answer))
		failed = EPIPE;
	if (failed == 0)
		failed = answer;
	if (failed == 0)
		return 0;
	return bat_error_set_os(error, failed,
	    "%s is still mounted (unmount with: fusermount3 -u %s)",
	    supervisor->mountpoint, supervisor->mountpoint);
}

void
batfs_supervisor_stop(struct batfs_supervisor *supervisor)
{
	const struct order go = { .what = GO };
	int nothing;

	if (supervisor == NULL)
		return;
	atomic_store(&supervisor->stopping, true);
	/* Gone it is when there is nothing more to hear. */
	if (supervisor->child > 0 && tell(supervisor, &go) == 0)
		while (hear(supervisor, &nothing) > 0)
			continue;
	if (supervisor->watched)
		pthread_join(supervisor->watcher, NULL);
	close(supervisor->socket);
	/* Nobody asks for its status: we end too. */
	free(supervisor->mountpoint);
	free(supervisor);
}
