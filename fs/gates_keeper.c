/*
 * The process that has the gates for children. It starts them, ends one when it
 * is told to, and all when it is told to or when the daemon is gone, which it
 * sees at its socket; and it takes in what has ended, so that no zombie is left.
 *
 * A gate has a group of its own: what it started itself is ended with it, and
 * an interrupt at the terminal is not for it.
 */
#include "gates_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What the daemon says: the number of a gate that is to be killed, or END. What
 * it hears: a struct started, once. */
#define END 0xff

/* How long gates have to end when their stdin has. */
#define GRACE_MS 1000

struct started {
	size_t gate; /* that could not be started */
	int failed;  /* an errno; 0: all run */
};

/* ---- in the gate, before it is one -------------------------------------- */

static void
default_signals(void)
{
	static const int ours[] = { SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGCHLD,
		SIGXFSZ };
	struct sigaction normal = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigaction(ours[i], &normal, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Comes back only with what went wrong, an errno. */
static int
become(const struct gate *gate, pid_t keeper)
{
	char *const arguments[] = { gate->path, NULL };

	if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return errno;
	/* It may be gone already: then nobody would end us. */
	if (getppid() != keeper)
		return ESRCH;
	if (dup2(gate->its_stdin, STDIN_FILENO) < 0 ||
	    dup2(gate->its_stdout, STDOUT_FILENO) < 0 ||
	    (!BAT_PLANT(236) &&
		close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC) != 0))
		return errno;
	default_signals();
	execv(gate->path, arguments);
	return errno;
}

/* ---- in the keeper -------------------------------------------------------- */

struct kept {
	size_t count;
	pid_t children[BATFS_GATES_MAX]; /* 0: it has ended */
	int socket;
};

/* Start one; an errno. It is known whether it runs when this returns. */
static int
start_one(const struct gate *gate, pid_t *out)
{
	int ends[2], failed = 0;
	pid_t keeper = getpid(), child;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return errno;
	child = fork();
	if (child == 0) {
		failed = become(gate, keeper);
		_exit(write(ends[1], &failed, sizeof(failed)) > 0 ? 127 : 126);
	}
	failed = child < 0 ? errno : 0;
	close(ends[1]);
	while (failed == 0 && read(ends[0], &failed, sizeof(failed)) < 0 &&
	    errno == EINTR)
		continue;
	close(ends[0]);
	if (child > 0 && failed != 0)
		waitpid(child, NULL, 0);
	else
		*out = child;
	return failed;
}

/* Of whoever has ended, the rest of its group is ended too, as long as its
 * number cannot be somebody else's. */
static void
take_in(struct kept *kept)
{
	for (size_t i = 0; i < kept->count; i++) {
		siginfo_t info = { .si_pid = 0 };
		pid_t child = kept->children[i];

		if (child == 0 ||
		    waitid(P_PID, (id_t)child, &info,
			WEXITED | WNOHANG | WNOWAIT) != 0 ||
		    info.si_pid == 0)
			continue;
		kill(-child, SIGKILL);
		waitpid(child, NULL, 0);
		kept->children[i] = 0;
	}
}

static void
kill_one(const struct kept *kept, size_t i)
{
	if (i < kept->count && kept->children[i] != 0)
		kill(-kept->children[i], SIGKILL);
}

static bool
any_left(const struct kept *kept)
{
	for (size_t i = 0; i < kept->count; i++)
		if (kept->children[i] != 0)
			return true;
	return false;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Woken by SIGCHLD, which is blocked at all other times. */
static int
wait_until(struct pollfd *end, int64_t until_ms)
{
	int64_t left = until_ms - now_ms();
	struct timespec time = { .tv_sec = 0 };
	sigset_t none;

	sigemptyset(&none);
	if (left > 0)
		time = (struct timespec){ left / 1000, left % 1000 * 1000000 };
	return ppoll(end, 1, until_ms == INT64_MAX ? NULL : &time, &none);
}

static _Noreturn void
end_all(struct kept *kept)
{
	struct pollfd nothing = { .fd = -1 };
	int64_t until_ms = now_ms() + GRACE_MS;

	for (take_in(kept); any_left(kept); take_in(kept)) {
		if (now_ms() < until_ms) {
			(void)wait_until(&nothing, until_ms);
			continue;
		}
		for (size_t i = 0; i < kept->count; i++)
			kill_one(kept, i);
		(void)wait_until(&nothing, INT64_MAX);
	}
	_exit(EXIT_SUCCESS);
}

static _Noreturn void
keep(struct kept *kept)
{
	struct pollfd socket = { .fd = kept->socket, .events = POLLIN };

	for (;;) {
		uint8_t word;
		ssize_t got;

		take_in(kept);
		if (wait_until(&socket, INT64_MAX) <= 0)
			continue;
		got = read(kept->socket, &word, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || word == END)
			end_all(kept);
		kill_one(kept, word);
	}
}

static void
ignore_nothing(int number)
{
	(void)number;
}

/* Signals for the service are not for it: it is needed last. */
static void
keeper_signals(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction wake = { .sa_handler = ignore_nothing };
	sigset_t child;

	sigaction(SIGTERM, &ignore, NULL);
	sigaction(SIGINT, &ignore, NULL);
	sigaction(SIGHUP, &ignore, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGCHLD, &wake, NULL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_SETMASK, &child, NULL);
}

/* No terminal, no directory; stderr stays where somebody may read it. */
static int
leave(bool quiet)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || setsid() < 0 || chdir("/") != 0)
		return errno;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fd != STDERR_FILENO || quiet)
			dup2(null, fd);
	close(null);
	prctl(PR_SET_NAME, "batfs-gates");
	return 0;
}

static _Noreturn void
be_keeper(const struct batfs_gates *gates, int socket, bool quiet)
{
	struct kept kept = { .count = 0, .socket = socket };
	struct started started = { .failed = leave(quiet) };

	keeper_signals();
	while (started.failed == 0 && kept.count < gates->count) {
		started.gate = kept.count;
		started.failed = start_one(&gates->gates[kept.count],
		    &kept.children[kept.count]);
		if (started.failed == 0)
			kept.count++;
	}
	/* All that was inherited, theirs and the daemon's ends of the pipes
	 * among it: they are not to stay open because of us. */
	close_range(STDERR_FILENO + 1, (unsigned)socket - 1, 0);
	close_range((unsigned)socket + 1, ~0u, 0);
	if (write(socket, &started, sizeof(started)) < 0 || started.failed != 0)
		end_all(&kept);
	keep(&kept);
}

/* ---- in the daemon -------------------------------------------------------- */

static int
make_pipes(struct gate *gate)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) != 0)
		return errno;
	gate->its_stdin = in[0];
	gate->to = in[1];
	if (pipe2(out, O_CLOEXEC) != 0)
		return errno;
	gate->from = out[0];
	gate->its_stdout = out[1];
	return fcntl(gate->to, F_SETFL, O_NONBLOCK) != 0 ||
		fcntl(gate->from, F_SETFL, O_NONBLOCK) != 0 ?
	    errno :
	    0;
}

static void
close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int
hear(int socket, struct started *out)
{
	ssize_t got;

	do
		got = read(socket, out, sizeof(*out));
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)sizeof(*out) ? 0 : EPIPE;
}

int
batfs_gates_keep(struct batfs_gates *gates, bool quiet, struct bat_error *error)
{
	struct started started = { .failed = 0 };
	int ends[2], failed = 0;
	pid_t child = -1;

	for (size_t i = 0; failed == 0 && i < gates->count; i++)
		failed = make_pipes(&gates->gates[i]);
	if (failed == 0 &&
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		failed = errno;
	if (failed != 0)
		return bat_error_set_os(error, failed, "-o gates");
	child = fork();
	if (child == 0)
		be_keeper(gates, ends[1], quiet);
	failed = child < 0 ? errno : 0;
	close(ends[1]);
	gates->keeper = ends[0];
	for (size_t i = 0; i < gates->count; i++) {
		close_one(&gates->gates[i].its_stdin);
		close_one(&gates->gates[i].its_stdout);
	}
	if (failed == 0)
		failed = hear(gates->keeper, &started);
	if (failed != 0)
		return bat_error_set_os(error, failed, "-o gates");
	if (started.failed != 0)
		return bat_error_set(error, BAT_USE_INVALID,
		    "-o gates: cannot start %s: %s",
		    gates->gates[started.gate].path, strerror(started.failed));
	return 0;
}

void
batfs_gates_kill(const struct batfs_gates *gates, const struct gate *gate)
{
	uint8_t word = (uint8_t)(gate - gates->gates);

	(void)send(gates->keeper, &word, 1, MSG_NOSIGNAL);
}

/* Gone it is when there is nothing more to hear. */
void
batfs_gates_release(struct batfs_gates *gates)
{
	uint8_t word = END;
	ssize_t got;

	if (gates->keeper < 0)
		return;
	(void)send(gates->keeper, &word, 1, MSG_NOSIGNAL);
	do
		got = read(gates->keeper, &word, 1);
	while (got > 0 || (got < 0 && errno == EINTR));
	close(gates->keeper);
	gates->keeper = -1;
}
