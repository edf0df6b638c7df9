/* The system calls that are left, and the filter that is made of them. */
#include "sandbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <seccomp.h>

#include "log.h"

/* ---- the list ----------------------------------------------------------- */

enum when {
	ALWAYS,
	WRITES,	  /* not on a mount that only reads */
	CLONE_FD, /* each worker opens the device for itself */
};

/* What an argument has to be: under the mask this value. Mask 0: anything. */
struct argument {
	unsigned index;
	uint64_t mask, value;
};

struct call {
	int number;
	enum when when;
	struct argument argument;
};

#define ANY                                                                    \
	{                                                                      \
		0, 0, 0                                                        \
	}
#define IS(index, value)                                                       \
	{                                                                      \
		(index), UINT64_MAX, (value)                                   \
	}
/* ints; the kernel does not look at the upper half */
#define IS_INT(index, value)                                                   \
	{                                                                      \
		(index), UINT32_MAX, (value)                                   \
	}
#define HAS_ALL(index, bits)                                                   \
	{                                                                      \
		(index), (bits), (bits)                                        \
	}
#define HAS_NONE(index, bits)                                                  \
	{                                                                      \
		(index), (bits), 0                                             \
	}

/*
 * What a mount was seen to call, over all the tests, and what stands behind a
 * function of the C library that chooses among several. A call that has several
 * rows may be made as any of them says.
 */
static const struct call allowed[] = {
	/* the kernel's requests; gates, the log, files of /proc */
	{ SCMP_SYS(read), ALWAYS, ANY },
	{ SCMP_SYS(write), ALWAYS, ANY },
	{ SCMP_SYS(writev), ALWAYS, ANY },
	{ SCMP_SYS(ioctl), CLONE_FD, IS_INT(1, FUSE_DEV_IOC_CLONE) },
	/* files of the store */
	{ SCMP_SYS(openat), ALWAYS, ANY },
	{ SCMP_SYS(close), ALWAYS, ANY },
	{ SCMP_SYS(pread64), ALWAYS, ANY },
	{ SCMP_SYS(getdents64), ALWAYS, ANY },
	/* of these two every version of the C library chooses anew */
	{ SCMP_SYS(newfstatat), ALWAYS, ANY },
	{ SCMP_SYS(fstat), ALWAYS, ANY },
	{ SCMP_SYS(statx), WRITES, ANY },
	{ SCMP_SYS(fstatfs), ALWAYS, ANY },
	{ SCMP_SYS(fcntl), ALWAYS, IS_INT(1, F_GETFL) },
	{ SCMP_SYS(fcntl), ALWAYS, IS_INT(1, F_DUPFD_CLOEXEC) },
	{ SCMP_SYS(fcntl), ALWAYS, IS_INT(1, F_SETFD) },
	{ SCMP_SYS(fadvise64), WRITES, IS_INT(3, POSIX_FADV_DONTNEED) },
	{ SCMP_SYS(pwrite64), WRITES, ANY },
	{ SCMP_SYS(fsync), WRITES, ANY },
	{ SCMP_SYS(fdatasync), WRITES, ANY },
	{ SCMP_SYS(ftruncate), WRITES, ANY },
	{ SCMP_SYS(renameat), WRITES, ANY },
	{ SCMP_SYS(renameat2), WRITES, IS_INT(4, RENAME_NOREPLACE) },
	{ SCMP_SYS(linkat), WRITES, IS_INT(4, 0) },
	{ SCMP_SYS(unlinkat), WRITES, IS_INT(2, 0) },
	{ SCMP_SYS(mkdirat), WRITES, ANY },
	/* memory, and no new code in it */
	{ SCMP_SYS(brk), ALWAYS, ANY },
	{ SCMP_SYS(mmap), ALWAYS, HAS_NONE(2, PROT_EXEC) },
	{ SCMP_SYS(munmap), ALWAYS, ANY },
	{ SCMP_SYS(mremap), ALWAYS, ANY },
	{ SCMP_SYS(mprotect), ALWAYS, HAS_NONE(2, PROT_EXEC) },
	{ SCMP_SYS(madvise), ALWAYS, ANY },
	/* threads, and no processes */
	{ SCMP_SYS(clone), ALWAYS, HAS_ALL(0, CLONE_THREAD | CLONE_VM) },
	{ SCMP_SYS(rseq), ALWAYS, ANY },
	{ SCMP_SYS(futex), ALWAYS, ANY },
	{ SCMP_SYS(prctl), ALWAYS, IS_INT(0, PR_SET_NAME) },
	{ SCMP_SYS(exit), ALWAYS, ANY },
	{ SCMP_SYS(exit_group), ALWAYS, ANY },
	/* waiting and signals; tgkill: only to ourselves (add_rules) */
	{ SCMP_SYS(poll), ALWAYS, ANY },
	{ SCMP_SYS(restart_syscall), ALWAYS, ANY },
	{ SCMP_SYS(rt_sigaction), ALWAYS, ANY },
	{ SCMP_SYS(rt_sigprocmask), ALWAYS, ANY },
	{ SCMP_SYS(rt_sigreturn), ALWAYS, ANY },
	{ SCMP_SYS(getpid), ALWAYS, ANY },
	{ SCMP_SYS(gettid), ALWAYS, ANY },
	/* the clock, where it is no part of the process */
	{ SCMP_SYS(clock_gettime), ALWAYS, ANY },
	{ SCMP_SYS(getrandom), ALWAYS, ANY },
	/* to the supervisor, and to syslog through a socket that is open: to
	 * nobody who is named */
	{ SCMP_SYS(sendto), ALWAYS, IS(4, 0) },
};

/*
 * The C library asks for these when it makes a thread, and takes it kindly to
 * be told that there are none: of clone3 a filter cannot see what it is to
 * make, so it goes back to clone; locks that outlive their owner we have none.
 */
static const int absent[] = { SCMP_SYS(clone3), SCMP_SYS(set_robust_list) };

#define ROWS (sizeof(allowed) / sizeof(allowed[0]))

static bool
applies(const struct call *call, const struct batfs_sandbox *sandbox)
{
	switch (call->when) {
	case ALWAYS:
		return true;
	case WRITES:
		return !sandbox->read_only;
	case CLONE_FD:
		return sandbox->clone_fd;
	}
	return false;
}

/* Rows of a call follow each other. One more is tgkill. */
unsigned
batfs_sandbox_call_count(const struct batfs_sandbox *sandbox)
{
	unsigned count = 1;
	int last = -1;

	for (size_t i = 0; i < ROWS; i++)
		if (applies(&allowed[i], sandbox) &&
		    allowed[i].number != last) {
			last = allowed[i].number;
			count++;
		}
	return count;
}

/* ---- the filter --------------------------------------------------------- */

static int
allow(scmp_filter_ctx filter, int number, struct argument argument)
{
	const struct scmp_arg_cmp is_it = {
		.arg = argument.index,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = argument.mask,
		.datum_b = argument.value,
	};

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number,
	    argument.mask != 0, &is_it);
}

static int
add_rules(scmp_filter_ctx filter, const struct batfs_sandbox *sandbox)
{
	const struct argument ourselves = IS_INT(0, (uint32_t)getpid());
	int failed = 0;

	for (size_t i = 0; failed == 0 && i < ROWS; i++)
		if (applies(&allowed[i], sandbox))
			failed = allow(filter, allowed[i].number,
			    allowed[i].argument);
	if (failed == 0)
		failed = allow(filter, SCMP_SYS(tgkill), ourselves);
	for (size_t i = 0;
	     failed == 0 && i < sizeof(absent) / sizeof(absent[0]); i++)
		failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
		    absent[i], 0);
	return failed;
}

int
batfs_sandbox_restrict_calls(const struct batfs_sandbox *sandbox,
    struct bat_error *error)
{
	scmp_filter_ctx filter = seccomp_init(
	    sandbox->mode == BATFS_SANDBOX_STRICT ? SCMP_ACT_KILL_PROCESS :
						    SCMP_ACT_ERRNO(EPERM));
	int failed;

	if (filter == NULL)
		return bat_error_set_os(error, ENOMEM, "seccomp");
	failed = add_rules(filter, sandbox);
	if (failed == 0)
		failed = seccomp_load(filter);
	seccomp_release(filter);
	if (failed == -ENOSYS || failed == -EINVAL) {
		batfs_log("this kernel has no seccomp filters");
		return 0;
	}
	return failed == 0 ? 0 : bat_error_set_os(error, -failed, "seccomp");
}
