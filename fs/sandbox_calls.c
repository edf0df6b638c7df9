/* The system calls that are left, and the filter that is made of them. */
#include "sandbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"

/* ---- the list ----------------------------------------------------------- */

enum when {
	ALWAYS,
	WRITES,	  /* not on a mount that only reads */
	CLONE_FD, /* each worker opens the device for itself */
};

struct call {
	long number;
	enum when when;
	struct batfs_sandbox_argument argument;
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
	{ SYS_read, ALWAYS, ANY },
	{ SYS_write, ALWAYS, ANY },
	{ SYS_writev, ALWAYS, ANY },
	{ SYS_ioctl, CLONE_FD, IS_INT(1, FUSE_DEV_IOC_CLONE) },
	/* files of the store */
	{ SYS_openat, ALWAYS, ANY },
	{ SYS_close, ALWAYS, ANY },
	{ SYS_pread64, ALWAYS, ANY },
	{ SYS_getdents64, ALWAYS, ANY },
	/* of these two every version of the C library chooses anew */
	{ SYS_newfstatat, ALWAYS, ANY },
	{ SYS_fstat, ALWAYS, ANY },
	{ SYS_fstatfs, ALWAYS, ANY },
	{ SYS_fcntl, ALWAYS, IS_INT(1, F_GETFL) },
	{ SYS_fcntl, ALWAYS, IS_INT(1, F_DUPFD_CLOEXEC) },
	{ SYS_fcntl, ALWAYS, IS_INT(1, F_SETFD) },
	{ SYS_fadvise64, WRITES, IS_INT(3, POSIX_FADV_DONTNEED) },
	{ SYS_pwrite64, WRITES, ANY },
	{ SYS_fsync, WRITES, ANY },
	{ SYS_fdatasync, WRITES, ANY },
	{ SYS_ftruncate, WRITES, ANY },
	{ SYS_renameat, WRITES, ANY },
	{ SYS_renameat2, WRITES, IS_INT(4, RENAME_NOREPLACE) },
	{ SYS_linkat, WRITES, IS_INT(4, 0) },
	{ SYS_unlinkat, WRITES, IS_INT(2, 0) },
	{ SYS_mkdirat, WRITES, ANY },
	/* memory, and no new code in it */
	{ SYS_brk, ALWAYS, ANY },
	{ SYS_mmap, ALWAYS, HAS_NONE(2, PROT_EXEC) },
	{ SYS_munmap, ALWAYS, ANY },
	{ SYS_mremap, ALWAYS, ANY },
	{ SYS_mprotect, ALWAYS, HAS_NONE(2, PROT_EXEC) },
	{ SYS_madvise, ALWAYS, ANY },
	/* threads, and no processes */
	{ SYS_clone, ALWAYS, HAS_ALL(0, CLONE_THREAD | CLONE_VM) },
	{ SYS_rseq, ALWAYS, ANY },
	{ SYS_futex, ALWAYS, ANY },
	{ SYS_prctl, ALWAYS, IS_INT(0, PR_SET_NAME) },
	{ SYS_exit, ALWAYS, ANY },
	{ SYS_exit_group, ALWAYS, ANY },
	/* waiting and signals; tgkill: only to ourselves (add_rules) */
	{ SYS_poll, ALWAYS, ANY },
	{ SYS_restart_syscall, ALWAYS, ANY },
	{ SYS_rt_sigaction, ALWAYS, ANY },
	{ SYS_rt_sigprocmask, ALWAYS, ANY },
	{ SYS_rt_sigreturn, ALWAYS, ANY },
	{ SYS_getpid, ALWAYS, ANY },
	{ SYS_gettid, ALWAYS, ANY },
	/* the clock, where it is no part of the process */
	{ SYS_clock_gettime, ALWAYS, ANY },
	{ SYS_getrandom, ALWAYS, ANY },
	/* to the supervisor, and to syslog through a socket that is open: to
	 * nobody who is named */
	{ SYS_sendto, ALWAYS, IS(4, 0) },
};

/*
 * The C library asks for these when it makes a thread, and takes it kindly to
 * be told that there are none: of clone3 a filter cannot see what it is to
 * make, so it goes back to clone; locks that outlive their owner we have none.
 */
static const long absent[] = { SYS_clone3, SYS_set_robust_list };

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
	long last = -1;

	for (size_t i = 0; i < ROWS; i++)
		if (applies(&allowed[i], sandbox) &&
		    allowed[i].number != last) {
			last = allowed[i].number;
			count++;
		}
	return count;
}

/* ---- the filter --------------------------------------------------------- */

static void
add_rows(struct batfs_sandbox_filter *filter,
    const struct batfs_sandbox *sandbox)
{
	const struct batfs_sandbox_argument any = ANY,
					    ourselves = IS_INT(0,
						(uint32_t)getpid());

	for (size_t i = 0; i < ROWS; i++)
		if (applies(&allowed[i], sandbox))
			batfs_sandbox_filter_add(filter, allowed[i].number,
			    &allowed[i].argument, SECCOMP_RET_ALLOW);
	batfs_sandbox_filter_add(filter, SYS_tgkill, &ourselves,
	    SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		batfs_sandbox_filter_add(filter, absent[i], &any,
		    SECCOMP_RET_ERRNO | ENOSYS);
}

int
batfs_sandbox_restrict_calls(const struct batfs_sandbox *sandbox,
    struct bat_error *error)
{
	struct batfs_sandbox_filter filter;
	int failed;

	batfs_sandbox_filter_begin(&filter);
	add_rows(&filter, sandbox);
	failed = batfs_sandbox_filter_load(&filter,
	    sandbox->mode == BATFS_SANDBOX_STRICT ? SECCOMP_RET_KILL_PROCESS :
						    SECCOMP_RET_ERRNO | EPERM);
	if (failed == ENOSYS) {
		batfs_log("there are no seccomp filters for us here");
		return 0;
	}
	return failed == 0 ? 0 : bat_error_set_os(error, failed, "seccomp");
}
