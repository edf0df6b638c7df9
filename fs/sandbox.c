#include "sandbox_internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

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

/* ---- all of it ---------------------------------------------------------- */

#ifdef BATFS_INSTRUMENTED
#define POSSIBLE false
#else
#define POSSIBLE true
#endif

static int
all_alike(const void *a, const void *b)
{
	(void)a;
	(void)b;
	return 0;
}

/* What the C library would look for when it could not any more. */
static void
ask_ahead(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	char large[2][1024] = { "" };

	/* Loaded when the first thread is cancelled, at the end of libfuse's
	 * loop. It stays: there is nothing to close. */
	(void)dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_NODELETE);
	/* It asks how much memory there is before its first sort of more than a
	 * KiB. */
	qsort(large, 2, sizeof(large[0]), all_alike);
	/* For syslog's times. */
	tzset();
	/* As many arenas as it would allow itself, once it had counted the
	 * processors. */
	if (processors > 0 && processors < 4096)
		(void)mallopt(M_ARENA_MAX, (int)processors * 8);
}

int
batfs_sandbox_enter(const struct batfs_sandbox *sandbox,
    struct bat_error *error)
{
	int result;

	if (!POSSIBLE || sandbox->mode == BATFS_SANDBOX_OFF)
		return 0;
	ask_ahead();
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return bat_error_set_os(error, errno, "PR_SET_DUMPABLE");
	result = drop_capabilities(error);
	if (result == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		result = bat_error_set_os(error, errno, "PR_SET_NO_NEW_PRIVS");
	if (result == 0)
		result = landlock(sandbox, error);
	if (result == 0)
		result = batfs_sandbox_restrict_calls(sandbox, error);
	return result;
}
