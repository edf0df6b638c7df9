/*
 * The last 1000 refused lines, as `.ctl/rejects.jsonl` shows them: time, pid,
 * uid, path, errno, reason, offset, first bytes. Threads: locks inside.
 */
#ifndef BATFS_REJECTS_H
#define BATFS_REJECTS_H

#include "bat.h"
#include "intake.h"

struct batfs_rejects;

int batfs_rejects_new(struct batfs_rejects **out);
void batfs_rejects_free(struct batfs_rejects *rejects);
/* path: within the mount. Failing to record (no memory) is silent. */
void batfs_rejects_add(struct batfs_rejects *rejects, int64_t wall_us,
    int32_t pid, uint32_t uid, const char *path, int error_number,
    const struct batfs_intake_reject *reject);
/* All lines, oldest first, onto buf. 0 or BAT_WORLD_NO_MEMORY. */
int batfs_rejects_render(struct batfs_rejects *rejects, struct bat_buf *buf);

#endif
