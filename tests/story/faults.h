/*
 * What the parts of the fault loop share.
 */
#ifndef STORY_FAULTS_H
#define STORY_FAULTS_H

#include "cuts.h"
#include "failing_memory.h"
#include "faulty_disk.h"
#include "workload.h"

enum fault_kind {
	FAULT_DISK,   /* operation fails with os_errno */
	FAULT_SHORT,  /* it moves only `bytes`; with os_errno the next fails */
	FAULT_CLOCK,  /* answers nonsense */
	FAULT_MEMORY, /* an allocation fails */
};

struct fault {
	enum fault_kind kind;
	enum faulty_operation operation;
	unsigned nth; /* from 1; 0: no fault, counting only */
	bool for_good;
	int os_errno;
	size_t bytes;
	int64_t nonsense_us;
};

/* How often each thing was done in a life without a fault. */
struct fault_counts {
	unsigned calls[FAULTY_OPERATION_COUNT];
	unsigned clock, memory;
};

/*
 * Live through a workload with a fault in it, then without: opened again on
 * the same disk, and after crashes where it first failed and at the end. True
 * if all holds; else *why says what does not. counts may be NULL.
 */
bool fault_life(const struct story_workload *workload,
    enum memory_disk_model model, const struct fault *fault, uint64_t seed,
    struct fault_counts *counts, char why[512]);

#endif
