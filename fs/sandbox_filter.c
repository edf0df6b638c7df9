/*
 * The program that the kernel runs at each system call, put together here in a
 * few microseconds. (libseccomp needs a quarter of a millisecond for the same
 * list: a tenth of what a mount may take.)
 *
 * It looks at the number once a row and at a word of an argument where a row
 * says so; the kernel finds by itself the numbers whose answer depends on no
 * argument, and does not run it for them any more.
 */
#include "sandbox_internal.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__) && defined(__LP64__)
#define MACHINE AUDIT_ARCH_X86_64
/* Set in the numbers of the second, narrower interface of this machine. */
#define FOREIGN_BIT 0x40000000u
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#define FOREIGN_BIT 0u
#endif

#ifdef MACHINE

#define NUMBER offsetof(struct seccomp_data, nr)

static void
put(struct batfs_sandbox_filter *filter, uint16_t code, uint8_t if_true,
    uint8_t if_false, uint32_t k)
{
	if (filter->count == BATFS_SANDBOX_STEPS) {
		filter->overflowed = true;
		return;
	}
	filter->steps[filter->count++] = (struct sock_filter){ .code = code,
		.jt = if_true,
		.jf = if_false,
		.k = k };
}

static void
put_load(struct batfs_sandbox_filter *filter, size_t offset)
{
	put(filter, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void
put_return(struct batfs_sandbox_filter *filter, uint32_t answer)
{
	put(filter, BPF_RET | BPF_K, 0, 0, answer);
}

void
batfs_sandbox_filter_begin(struct batfs_sandbox_filter *filter)
{
	filter->count = 0;
	filter->overflowed = false;
	put_load(filter, offsetof(struct seccomp_data, arch));
	put(filter, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, MACHINE);
	put_return(filter, SECCOMP_RET_KILL_PROCESS);
	put_load(filter, NUMBER);
	if (FOREIGN_BIT != 0) {
		put(filter, BPF_JMP | BPF_JSET | BPF_K, 0, 1, FOREIGN_BIT);
		put_return(filter, SECCOMP_RET_KILL_PROCESS);
	}
}

/* Goes on behind the next `rest` steps unless a word is as it has to be. Both
 * machines keep the lower half first. */
static void
put_check(struct batfs_sandbox_filter *filter, size_t offset, uint32_t mask,
    uint32_t value, uint8_t rest)
{
	put_load(filter, offset);
	put(filter, BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
	put(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, rest, value);
}

/* The accumulator holds the number, before and after. */
void
batfs_sandbox_filter_add(struct batfs_sandbox_filter *filter, long number,
    const struct batfs_sandbox_argument *argument, uint32_t answer)
{
	enum { CHECK = 3 };
	size_t low = offsetof(struct seccomp_data, args) +
	    argument->index * sizeof(uint64_t);
	uint32_t upper_mask = (uint32_t)(argument->mask >> 32);
	uint8_t upper = upper_mask != 0 ? CHECK : 0;

	if (argument->mask == 0) {
		put(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (uint32_t)number);
		put_return(filter, answer);
		return;
	}
	put(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, (uint8_t)(CHECK + upper + 2),
	    (uint32_t)number);
	put_check(filter, low, (uint32_t)argument->mask,
	    (uint32_t)argument->value, (uint8_t)(upper + 1));
	if (upper != 0)
		put_check(filter, low + sizeof(uint32_t), upper_mask,
		    (uint32_t)(argument->value >> 32), 1);
	put_return(filter, answer);
	put_load(filter, NUMBER);
}

int
batfs_sandbox_filter_load(struct batfs_sandbox_filter *filter,
    uint32_t otherwise)
{
	struct sock_fprog program = { .filter = filter->steps };
	const uint32_t answer = SECCOMP_RET_ERRNO;

	put_return(filter, otherwise);
	if (filter->overflowed)
		return ENOMEM;
	/* Asked first: what it says of a bad program is the same. */
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &answer) != 0)
		return ENOSYS;
	program.len = (unsigned short)filter->count;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		return errno;
	return 0;
}

#else

/* A machine whose words we do not know has no filter. */

void
batfs_sandbox_filter_begin(struct batfs_sandbox_filter *filter)
{
	filter->count = 0;
	filter->overflowed = false;
}

void
batfs_sandbox_filter_add(struct batfs_sandbox_filter *filter, long number,
    const struct batfs_sandbox_argument *argument, uint32_t answer)
{
	(void)filter;
	(void)number;
	(void)argument;
	(void)answer;
}

int
batfs_sandbox_filter_load(struct batfs_sandbox_filter *filter,
    uint32_t otherwise)
{
	(void)filter;
	(void)otherwise;
	return ENOSYS;
}

#endif
