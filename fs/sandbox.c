#include "sandbox.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <seccomp.h>

#include "log.h"

/* Of newer kernels than the headers that we are built with. */
#define ACCESS_TRUNCATE (UINT64_C(1) << 14)
#define ACCESS_IOCTL (UINT64_C(1) << 15)

#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_WRITE                                                           \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |       \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |     \
	    LANDLOCK_ACCESS_FS_MAKE_REG)
/* What nobody does with a store. */
#define ACCESS_OTHER                                                           \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |           \
	    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |      \
	    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

/*
 * What a mount was seen to call, over all the tests, and what stands behind a
 * function of the C library that chooses among several.
 */
static const int allowed_calls[] = {
	/* the kernel's requests */
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(splice),
	SCMP_SYS(pipe2),
	SCMP_SYS(dup3),
	/* files of the store */
	SCMP_SYS(openat),
	SCMP_SYS(close),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(ftruncate),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(linkat),
	SCMP_SYS(unlinkat),
	SCMP_SYS(mkdirat),
	SCMP_SYS(getdents64),
	SCMP_SYS(lseek),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fstat),
	SCMP_SYS(statx),
	SCMP_SYS(fstatfs),
	SCMP_SYS(fcntl),
	SCMP_SYS(flock),
	SCMP_SYS(fadvise64),
	/* memory and threads */
	SCMP_SYS(brk),
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(mprotect),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(clone3),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	/* waiting and signals */
	SCMP_SYS(poll),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(tgkill),
	SCMP_SYS(getpid),
	/* the clocks, where they are no part of the process */
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(getrandom),
	/* to the supervisor, and to syslog through a socket that is open */
	SCMP_SYS(sendto),
};

/* ---- capabilities ------------------------------------------------------- */

/* Root may have mounted another user's directory. */
static int
drop_capabilities(struct bat_error *error)
{
	const uint32_t kept = 1u << CAP_DAC_OVERRIDE |
	    1u << CAP_DAC_READ_SEARCH | 1u << CAP_FOWNER;
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct sets[2];

	for (int i = 0; i <= CAP_LAST_CAP; i++)
		if (i > 31 || (kept & 1u << i) == 0)
			/* Without CAP_SETPCAP there is nothing to drop. */
			(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	if (syscall(SYS_capget, &header, sets) != 0)
		return bat_error_set_os(error, errno, "capabilities");
	sets[0].effective &= kept;
	sets[0].permitted &= kept;
	sets[0].inheritable = 0;
	sets[1] = (struct __user_cap_data_struct){ .effective = 0 };
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, sets) != 0)
		return bat_error_set_os(error, errno, "capabilities");
	return 0;
}

/* ---- Landlock ----------------------------------------------------------- */

static uint64_t
known_to_kernel(uint64_t access, long version)
{
	if (version < 2)
		access &= ~(uint64_t)LANDLOCK_ACCESS_FS_REFER;
	if (version < 3)
		access &= ~ACCESS_TRUNCATE;
	if (version < 5)
		access &= ~ACCESS_IOCTL;
	return access;
}

static int
allow_below(int ruleset, const char *path, uint64_t access,
    struct bat_error *error)
{
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = access,
		.parent_fd = open(path, O_PATH | O_CLOEXEC),
	};
	long failed;

	if (beneath.parent_fd < 0)
		return bat_error_set_os(error, errno, "%s", path);
	failed = syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
	if (failed != 0)
		bat_error_set_os(error, errno, "Landlock: %s", path);
	close(beneath.parent_fd);
	return failed == 0 ? 0 : BAT_WORLD_IO;
}

static int
allow_places(int ruleset, const struct batfs_sandbox *sandbox, long version,
    struct bat_error *error)
{
	uint64_t access = ACCESS_READ;
	int result;

	if (!sandbox->read_only)
		access |= ACCESS_WRITE | LANDLOCK_ACCESS_FS_REFER |
		    ACCESS_TRUNCATE;
	result = allow_below(ruleset, sandbox->data_dir,
	    known_to_kernel(access, version), error);
	if (result == 0 && sandbox->proc)
		result = allow_below(ruleset, "/proc", ACCESS_READ, error);
	if (result == 0 && sandbox->clone_fd)
		result = allow_below(ruleset, "/dev/fuse",
		    known_to_kernel(LANDLOCK_ACCESS_FS_READ_FILE |
			    LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_IOCTL,
			version),
		    error);
	return result;
}

static int
landlock(const struct batfs_sandbox *sandbox, struct bat_error *error)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr all = {
		.handled_access_fs = known_to_kernel(ACCESS_READ |
			ACCESS_WRITE | ACCESS_OTHER | LANDLOCK_ACCESS_FS_REFER |
			ACCESS_TRUNCATE | ACCESS_IOCTL,
		    version),
	};
	int ruleset, result;

	if (version < 1) {
		batfs_log("this kernel has no Landlock; system calls are "
			  "restricted all the same");
		return 0;
	}
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all),
	    0);
	if (ruleset < 0)
		return bat_error_set_os(error, errno, "Landlock");
	result = allow_places(ruleset, sandbox, version, error);
	if (result == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		result = bat_error_set_os(error, errno, "Landlock");
	close(ruleset);
	return result;
}

/* ---- seccomp ------------------------------------------------------------ */

static int
allow_first_argument(scmp_filter_ctx filter, int call, uint64_t value)
{
	const struct scmp_arg_cmp is_it = {
		.arg = 0,
		.op = SCMP_CMP_EQ,
		.datum_a = value,
	};

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &is_it);
}

static int
add_rules(scmp_filter_ctx filter, bool clone_fd)
{
	int failed = 0;

	for (size_t i = 0; failed == 0 &&
	     i < sizeof(allowed_calls) / sizeof(allowed_calls[0]);
	     i++)
		failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
		    allowed_calls[i], 0);
	/* Only to ourselves: to end in order. */
	if (failed == 0)
		failed = allow_first_argument(filter, SCMP_SYS(kill),
		    (uint64_t)getpid());
	/* Only names of threads. */
	if (failed == 0)
		failed = allow_first_argument(filter, SCMP_SYS(prctl),
		    PR_SET_NAME);
	if (failed == 0 && clone_fd)
		failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
		    SCMP_SYS(ioctl), 0);
	return failed;
}

static int
restrict_calls(const struct batfs_sandbox *sandbox, struct bat_error *error)
{
	scmp_filter_ctx filter = seccomp_init(
	    sandbox->mode == BATFS_SANDBOX_STRICT ? SCMP_ACT_KILL_PROCESS :
						    SCMP_ACT_ERRNO(EPERM));
	int failed;

	if (filter == NULL)
		return bat_error_set_os(error, ENOMEM, "seccomp");
	failed = add_rules(filter, sandbox->clone_fd);
	if (failed == 0)
		failed = seccomp_load(filter);
	seccomp_release(filter);
	if (failed == -ENOSYS || failed == -EINVAL) {
		batfs_log("this kernel has no seccomp filters");
		return 0;
	}
	return failed == 0 ? 0 : bat_error_set_os(error, -failed, "seccomp");
}

/* ---- all of it ---------------------------------------------------------- */

#ifdef BATFS_INSTRUMENTED
#define POSSIBLE false
#else
#define POSSIBLE true
#endif

int
batfs_sandbox_enter(const struct batfs_sandbox *sandbox,
    struct bat_error *error)
{
	int result;

	if (!POSSIBLE || sandbox->mode == BATFS_SANDBOX_OFF)
		return 0;
	/* The C library loads it when the first thread is cancelled, which is
	 * at the end of libfuse's loop; by then it could not be opened. It
	 * stays: there is nothing to close. */
	(void)dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_NODELETE);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return bat_error_set_os(error, errno, "PR_SET_DUMPABLE");
	result = drop_capabilities(error);
	if (result == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		result = bat_error_set_os(error, errno, "PR_SET_NO_NEW_PRIVS");
	if (result == 0)
		result = landlock(sandbox, error);
	if (result == 0)
		result = restrict_calls(sandbox, error);
	return result;
}
