/* What the parts of sandbox.c share. */
#ifndef BATFS_SANDBOX_INTERNAL_H
#define BATFS_SANDBOX_INTERNAL_H

#include "sandbox.h"

#include <linux/filter.h>

#define BATFS_SANDBOX_STEPS 512

/* What an argument has to be: under the mask this value. Mask 0: anything. */
struct batfs_sandbox_argument {
	unsigned index;
	uint64_t mask, value;
};

/* One answer for each system call: that of the first row which fits, and
 * another one where none does. begin, add a row, ..., load. */
struct batfs_sandbox_filter {
	struct sock_filter steps[BATFS_SANDBOX_STEPS];
	size_t count;
	bool overflowed; /* more rows than there is room for */
};

void batfs_sandbox_filter_begin(struct batfs_sandbox_filter *filter);
void batfs_sandbox_filter_add(struct batfs_sandbox_filter *filter, long number,
    const struct batfs_sandbox_argument *argument, uint32_t answer);
/* It holds for this thread and those that it starts. Returns 0 or an errno:
 * ENOSYS where there are no filters. */
int batfs_sandbox_filter_load(struct batfs_sandbox_filter *filter,
    uint32_t otherwise);

/* The last step: from here on only the calls that are on the list. Returns 0
 * or BAT_WORLD_*. */
int batfs_sandbox_restrict_calls(const struct batfs_sandbox *sandbox,
    struct bat_error *error);

#endif
