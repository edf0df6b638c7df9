/*
 * From within the sandbox, try what it forbids and what it leaves.
 *
 *	confined DATADIR
 *
 * `ok - ...` or `not ok - ...` a line; the exit status says whether all were
 * ok. The sandbox of a mount is the same, but nobody can look at it from inside.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pthread.h>

#include "sandbox.h"

static bool failed;
static const char *data_dir;

/* wanted: an errno, or 0. result as of a system call. */
static void
expect(const char *what, int wanted, long result)
{
	int got = result < 0 ? errno : 0;

	if (got == wanted) {
		printf("ok - %s\n", what);
		return;
	}
	failed = true;
	printf("not ok - %s: %s\n", what,
	    got == 0 ? "it was done" : strerror(got));
}

static int
open_below(const char *name, int flags)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", data_dir, name);
	return openat(AT_FDCWD, path, flags | O_CLOEXEC, 0600);
}

static void
try_files(void)
{
	int fd = open_below("file", O_RDWR | O_CREAT | O_TRUNC);

	expect("a file of the data directory is made", 0, fd);
	expect("and written", 0, pwrite(fd, "x", 1, 0));
	expect("and cut", 0, ftruncate(fd, 0));
	close(fd);
	expect("and read", 0, open_below("file", O_RDONLY));
	expect("another file cannot be read", EACCES,
	    open("/etc/passwd", O_RDONLY | O_CLOEXEC));
	expect("nor one behind a link", EACCES, open_below("link", O_RDONLY));
	expect("nor one above", EACCES, open_below("../outside", O_RDONLY));
	expect("another directory cannot be listed", EACCES,
	    open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	expect("no file is made elsewhere", EACCES,
	    open_below("../made", O_WRONLY | O_CREAT));
	expect("/proc is closed too", EACCES,
	    open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
}

static void
try_calls(void)
{
	char *const arguments[] = { NULL };

	expect("no program is started", EPERM,
	    execve("/bin/true", arguments, arguments));
	expect("no process", EPERM, fork());
	expect("no socket", EPERM, socket(AF_UNIX, SOCK_STREAM, 0));
	expect("nobody is traced", EPERM,
	    ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
	expect("no signal to others", EPERM, kill(getppid(), 0));
	expect("a signal to oneself", 0, kill(getpid(), 0));
	expect("no user is changed to", EPERM, setuid(0));
	expect("no mode is changed", EPERM, chmod(data_dir, 0777));
	expect("no link is made", EPERM, symlink("/etc", "/tmp/etc"));
}

/* What a thread that starts later may do. */
static void *
later(void *nothing)
{
	(void)nothing;
	expect("a later thread is inside as well", EPERM,
	    socket(AF_INET, SOCK_STREAM, 0));
	return NULL;
}

int
main(int argc, char **argv)
{
	struct batfs_sandbox sandbox = { .mode = BATFS_SANDBOX_ON };
	struct bat_error error = { .code = 0 };
	pthread_t thread;

	if (argc != 2)
		return 2;
	sandbox.data_dir = data_dir = argv[1];
	if (batfs_sandbox_enter(&sandbox, &error) != 0) {
		printf("not ok - the sandbox: %s\n", error.text);
		return 1;
	}
	try_files();
	try_calls();
	if (pthread_create(&thread, NULL, later, NULL) == 0)
		pthread_join(thread, NULL);
	fflush(stdout);
	return failed;
}
