/*
 * Lines as they come: the events of the log, or of one entity, from a sequence
 * on, each once and in order. What nobody has taken yet is found in the store
 * when it is asked for, so following costs nothing while nobody looks.
 *
 * Knows nothing of waiting: whoever waits asks again when something was
 * committed (waiting.h).
 *
 * Threads: any; locks inside.
 */
#ifndef BATFS_FOLLOW_H
#define BATFS_FOLLOW_H

#include "bat.h"

struct batfs_follow;

/* From the first event whose sequence is from_seq or more. entity: only of
 * this stored name, which is copied; empty: of all. Returns 0 or
 * BAT_WORLD_NO_MEMORY. */
int batfs_follow_new(struct bat_store *store, uint64_t from_seq,
    struct bat_slice entity, struct batfs_follow **out);
/* NULL is nothing. */
void batfs_follow_free(struct batfs_follow *follow);
/*
 * Up to size bytes onto buf, of lines or of the rest of one. Returns 0; BAT_END
 * when there is nothing now; BAT_WORLD_*.
 */
int batfs_follow_take(struct batfs_follow *follow, size_t size,
    struct bat_buf *buf, struct bat_error *error);
/* Would take give something? */
bool batfs_follow_is_ready(struct batfs_follow *follow);

#endif
