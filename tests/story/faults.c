/*
 * Everything that can fail, fails: once or for good, at each place.
 *
 *	faults [--workload NAME] [--model strict|ext4] [--seed N] [--every N]
 *	       [--only KIND:NTH:once|good:ERRNO:BYTES] [-v]
 *
 * For each workload and each operation of the disk, the clock and the
 * allocator: the first, second ... call fails (--every N: of these cases every
 * N-th one, which ones the seed says; where there is a transparency log every
 * 8 N-th, unless that workload is named). Every call of the store must return;
 * nothing may leak (run it under the address sanitizer); after a failed sync
 * nothing is acknowledged and nothing synced until the store is opened again
 * (the log's own syncs stop the log alone); what fails once spoils one step.
 * Then, without the fault, on the same disk and after crashes there and then,
 * all that was acknowledged is there once, no checkpoint that was shown is
 * taken back, and a first append works.
 */
#include "faults.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const operation_names[FAULTY_OPERATION_COUNT] = { "open_dir",
	"open", "read", "write", "sync", "sync_data", "truncate", "rename",
	"unlink", "mkdir", "list", "stat", "lock", "place", "name",
	"drop_cache", "random" };

enum { STRIDE = 8 };

struct tally {
	const char *name;
	unsigned long long sites, cases;
};

static struct {
	uint64_t seed;
	const char *workload, *model, *only;
	uint64_t every, number; /* of cases */
	uint64_t stride;	/* fewer of a life that takes long */
	bool verbose;
	struct tally operations[FAULTY_OPERATION_COUNT], shorts, clock, memory;
	unsigned failed;
	const struct story_workload *current;
	enum memory_disk_model current_model;
} loop = { .seed = 1, .every = 1 };

static const char *
name_of(const struct fault *fault)
{
	switch (fault->kind) {
	case FAULT_DISK:
		return operation_names[fault->operation];
	case FAULT_SHORT:
		return fault->operation == FAULTY_READ ? "short_read" :
							 "short_write";
	case FAULT_CLOCK:
		return "clock";
	case FAULT_MEMORY:
		break;
	}
	return "memory";
}

/* As --only has it. */
static void
describe(const struct fault *fault, char out[96])
{
	snprintf(out, 96, "%s:%u:%s:%d:%lld", name_of(fault), fault->nth,
	    fault->for_good ? "good" : "once", fault->os_errno,
	    fault->kind == FAULT_CLOCK ? (long long)fault->nonsense_us :
					 (long long)fault->bytes);
}

static void
one_case(const struct fault *fault, struct tally *tally)
{
	const char *model = loop.current_model == MEMORY_DISK_STRICT ?
	    "strict" :
	    "ext4";
	char why[512], what[96];

	describe(fault, what);
	if (loop.only != NULL && strcmp(loop.only, what) != 0)
		return;
	if (loop.only == NULL &&
	    (loop.number++ + loop.seed) % (loop.every * loop.stride) != 0)
		return;
	tally->cases++;
	if (fault_life(loop.current, loop.current_model, fault, loop.seed, NULL,
		why))
		return;
	loop.failed++;
	if (loop.failed <= 40 || loop.verbose)
		printf("not ok - faults: %s, %s, %s: %s\n"
		       "# again: faults --workload %s --model %s --seed %llu "
		       "--only %s\n",
		    loop.current->name, model, what, why, loop.current->name,
		    model, (unsigned long long)loop.seed, what);
	fflush(stdout);
}

/* Once and for good. */
static void
both_cases(struct fault fault, struct tally *tally)
{
	fault.for_good = false;
	one_case(&fault, tally);
	fault.for_good = true;
	one_case(&fault, tally);
}

static bool
changes_the_disk(enum faulty_operation operation)
{
	switch (operation) {
	case FAULTY_WRITE:
	case FAULTY_SYNC:
	case FAULTY_SYNC_DATA:
	case FAULTY_TRUNCATE:
	case FAULTY_RENAME:
	case FAULTY_UNLINK:
	case FAULTY_MKDIR:
	case FAULTY_OPEN:
		return true;
	case FAULTY_OPEN_DIR:
	case FAULTY_READ:
	case FAULTY_LIST:
	case FAULTY_STAT:
	case FAULTY_LOCK:
	case FAULTY_PLACE:
	case FAULTY_NAME:
	case FAULTY_DROP_CACHE:
	case FAULTY_RANDOM:
	case FAULTY_OPERATION_COUNT:
		break;
	}
	return false;
}

static void
disk_cases(enum faulty_operation operation, unsigned calls)
{
	struct tally *tally = &loop.operations[operation];

	tally->name = operation_names[operation];
	tally->sites += calls;
	for (unsigned n = 1; n <= calls; n++) {
		struct fault fault = { .kind = FAULT_DISK,
			.operation = operation,
			.nth = n,
			.os_errno = EIO };

		both_cases(fault, tally);
		if (!changes_the_disk(operation))
			continue;
		fault.os_errno = ENOSPC;
		both_cases(fault, tally);
		fault.os_errno = EDQUOT;
		both_cases(fault, tally);
		fault.os_errno = EROFS;
		both_cases(fault, tally);
	}
}

static void
short_cases(enum faulty_operation operation, unsigned calls)
{
	static const size_t bytes[] = { 0, 1, 7, 100, 1000 };
	static const int errnos[] = { 0, ENOSPC, EIO };

	for (unsigned n = 1; n <= calls; n++) {
		loop.shorts.sites++;
		for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
			for (int j = 0; j < 3; j++) {
				struct fault fault = { .kind = FAULT_SHORT,
					.operation = operation,
					.nth = n,
					.os_errno = errnos[j],
					.bytes = bytes[i] };

				if (bytes[i] > 0 || errnos[j] == 0)
					both_cases(fault, &loop.shorts);
			}
		}
	}
}

static void
clock_cases(unsigned calls)
{
	static const int64_t nonsense[] = { 0, -1, INT64_MAX,
		INT64_C(1700000000000000) };

	loop.clock.sites += calls;
	for (unsigned n = 1; n <= calls; n++)
		for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]);
		     i++)
			both_cases((struct fault){ .kind = FAULT_CLOCK,
				       .nth = n,
				       .nonsense_us = nonsense[i] },
			    &loop.clock);
}

static void
memory_cases(unsigned allocations)
{
	loop.memory.sites += allocations;
	for (unsigned n = 1; n <= allocations; n++)
		both_cases((struct fault){ .kind = FAULT_MEMORY, .nth = n },
		    &loop.memory);
}

static void
one_workload(void)
{
	struct fault none = { .kind = FAULT_MEMORY };
	struct fault_counts counts;
	char why[512];

	if (!fault_life(loop.current, loop.current_model, &none, loop.seed,
		&counts, why)) {
		loop.failed++;
		printf("not ok - faults: %s: %s\n", loop.current->name, why);
		return;
	}
	for (int i = 0; i < FAULTY_OPERATION_COUNT; i++)
		disk_cases((enum faulty_operation)i, counts.calls[i]);
	short_cases(FAULTY_WRITE, counts.calls[FAULTY_WRITE]);
	clock_cases(counts.clock);
	memory_cases(counts.memory);
}

static _Noreturn void
usage(void)
{
	fprintf(stderr,
	    "usage: faults [--workload NAME] [--model strict|ext4] "
	    "[--seed N]\n"
	    "       [--every N] [--only KIND:NTH:once|good:ERRNO:BYTES] "
	    "[-v]\n");
	exit(2);
}

static void
read_options(char **word)
{
	while (*++word != NULL) {
		const char *option = *word;

		if (strcmp(option, "-v") == 0) {
			loop.verbose = true;
			continue;
		}
		if (*++word == NULL)
			usage();
		if (strcmp(option, "--workload") == 0)
			loop.workload = *word;
		else if (strcmp(option, "--model") == 0)
			loop.model = *word;
		else if (strcmp(option, "--seed") == 0)
			loop.seed = strtoull(*word, NULL, 10);
		else if (strcmp(option, "--every") == 0)
			loop.every = strtoull(*word, NULL, 10);
		else if (strcmp(option, "--only") == 0)
			loop.only = *word;
		else
			usage();
	}
}

static void
print(const struct tally *tally)
{
	if (tally->sites > 0)
		printf("# %-12s %8llu %8llu\n", tally->name, tally->sites,
		    tally->cases);
}

int
main(int argc, char **argv)
{
	struct story_workload workload;
	bool any = false;

	(void)argc;
	read_options(argv);
	if (loop.every == 0)
		usage();
	loop.shorts.name = "short write";
	loop.clock.name = "clock";
	loop.memory.name = "memory";
	loop.current = &workload;
	if (loop.model != NULL && strcmp(loop.model, "ext4") == 0)
		loop.current_model = MEMORY_DISK_EXT4;
	for (size_t i = 0; story_workload_get(i, &workload); i++) {
		/* Neither pairs nor those that take too long. */
		bool listed = strchr(workload.name, '+') == NULL &&
		    strchr(workload.steps, 'N') == NULL;

		if (loop.workload == NULL ?
			!listed :
			strcmp(loop.workload, workload.name) != 0)
			continue;
		any = true;
		loop.stride = workload.tlog && loop.workload == NULL ? STRIDE :
								       1;
		one_workload();
	}
	if (!any)
		usage();
	printf("# %-12s %8s %8s\n", "what", "sites", "cases");
	for (int i = 0; i < FAULTY_OPERATION_COUNT; i++)
		print(&loop.operations[i]);
	print(&loop.shorts);
	print(&loop.clock);
	print(&loop.memory);
	printf("%sok - faults: each site fails, and nothing acknowledged is "
	       "lost\n",
	    loop.failed == 0 ? "" : "not ");
	return loop.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
