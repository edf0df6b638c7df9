/*
 * From within the sandbox, try what it forbids and what it leaves.
 *
 *	confined DATADIR [ro]
 *
 * ro: as a mount that only reads.
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
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <pthread.h>

#include "sandbox.h"

/* So many system calls may be left, and on a mount that only reads. */
#define CALLS_MAX 46
#define CALLS_READING_MAX 35

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

/* fd: a file that was open for writing before. */
static void
try_changes(int fd)
{
	expect("nothing is written", EPERM, pwrite(fd, "x", 1, 0));
	expect("nothing is cut", EPERM, ftruncate(fd, 0));
	expect("nothing is synced", EPERM, fsync(fd));
	expect("nothing is synced, data alone", EPERM, fdatasync(fd));
	expect("nothing is renamed", EPERM,
	    renameat(AT_FDCWD, "a", AT_FDCWD, "b"));
	expect("nothing is removed", EPERM, unlinkat(AT_FDCWD, "a", 0));
	expect("no second name is made", EPERM,
	    linkat(AT_FDCWD, "a", AT_FDCWD, "b", 0));
	expect("no directory is made", EPERM, mkdirat(AT_FDCWD, "a", 0700));
	expect("no file is made", EACCES,
	    open_below("made", O_WRONLY | O_CREAT));
	expect("what there is cannot be opened for writing", EACCES,
	    open_below("file", O_WRONLY));
	expect("but read", 0, open_below("file", O_RDONLY));
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
	expect("a signal to oneself", 0,
	    syscall(SYS_tgkill, getpid(), gettid(), 0));
	expect("no signal to a thread of others", EPERM,
	    syscall(SYS_tgkill, getppid(), getppid(), 0));
	expect("no user is changed to", EPERM, setuid(0));
	expect("no mode is changed", EPERM, chmod(data_dir, 0777));
	expect("no link is made", EPERM, symlink("/etc", "/tmp/etc"));
	expect("no unmount", EPERM, syscall(SYS_umount2, data_dir, 0));
	expect("nothing is mapped by another process", EPERM,
	    syscall(SYS_process_vm_writev, getppid(), NULL, 0, NULL, 0, 0));
	expect("no ring of requests", EPERM,
	    syscall(SYS_io_uring_setup, 1, NULL));
	expect("no file by its number", EPERM,
	    syscall(SYS_open_by_handle_at, AT_FDCWD, NULL, 0));
}

/* Calls that are left, with other arguments than ours. */
static void
try_arguments(void)
{
	const struct sockaddr_un someone = { .sun_family = AF_UNIX,
		.sun_path = "/dev/log" };
	uint64_t process[8] = { 0 }; /* struct clone_args: no flags */
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	expect("memory is given", 0, page == MAP_FAILED ? -1 : 0);
	expect("it does not become code", EPERM,
	    mprotect(page, size, PROT_READ | PROT_EXEC));
	expect("nor does new memory", EPERM,
	    mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ?
		-1 :
		0);
	expect("no process by the newer call", ENOSYS,
	    syscall(SYS_clone3, process, sizeof(process)));
	expect("a thread is named", 0, prctl(PR_SET_NAME, "confined"));
	expect("no debugger is let in", EPERM, prctl(PR_SET_DUMPABLE, 1));
	expect("a terminal takes no keys from us", EPERM,
	    ioctl(STDIN_FILENO, TIOCSTI, "x"));
	expect("no lock is taken", EPERM,
	    fcntl(STDOUT_FILENO, F_SETLK, &(struct flock){ .l_len = 1 }));
	expect("two files do not change places", EPERM,
	    renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE));
	expect("nothing is sent to who is named", EPERM,
	    sendto(STDOUT_FILENO, "x", 1, 0, (const struct sockaddr *)&someone,
		sizeof(someone)));
}

static void
count_calls(const struct batfs_sandbox *sandbox)
{
	unsigned count = batfs_sandbox_call_count(sandbox);

	printf("# %u system calls\n", count);
	expect("no more calls are left than we say", 0,
	    count <= (sandbox->read_only ? CALLS_READING_MAX : CALLS_MAX) ? 0 :
									    -1);
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
	int fd;

	if (argc < 2)
		return 2;
	sandbox.data_dir = data_dir = argv[1];
	/* so that none is left out when they are counted */
	sandbox.clone_fd = true;
	sandbox.read_only = argc > 2 && strcmp(argv[2], "ro") == 0;
	fd = open_below("file", O_RDWR | O_CREAT);
	if (batfs_sandbox_enter(&sandbox, &error) != 0) {
		printf("not ok - the sandbox: %s\n", error.text);
		return 1;
	}
	if (sandbox.read_only)
		try_changes(fd);
	else
		try_files();
	try_calls();
	try_arguments();
	count_calls(&sandbox);
	if (pthread_create(&thread, NULL, later, NULL) == 0)
		pthread_join(thread, NULL);
	fflush(stdout);
	return failed;
}
