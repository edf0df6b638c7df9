/* What the parts of sandbox.c share. */
#ifndef BATFS_SANDBOX_INTERNAL_H
#define BATFS_SANDBOX_INTERNAL_H

#include "sandbox.h"

/* The last step: from here on only the calls that are on the list. Returns 0
 * or BAT_WORLD_*. */
int batfs_sandbox_restrict_calls(const struct batfs_sandbox *sandbox,
    struct bat_error *error);

#endif
