/*
 * Verifications, and what they proved, as text: one line that begins with `ok`
 * or with the first break, and a line for each thing that is worth noting.
 *
 * Of a whole directory: the store's second opinion (verify.h), which believes
 * no index. Of an entity: its events as this mount finds them; each is read,
 * compared with its row and hashed, and must follow one that stands before it.
 *
 * Both return 0; BAT_DATA_CORRUPT when something is broken (the report says
 * what); BAT_WORLD_* and others when it could not be told.
 *
 * Threads: any, no state but a job's.
 */
#ifndef BATFS_PROOF_H
#define BATFS_PROOF_H

#include <stdatomic.h>

#include "bat.h"

/*
 * live: somebody may be appending, so what seems broken is looked at again.
 * stop, may be NULL: when it is set the work ends soon, with BAT_END.
 * *out_segments, may be NULL: how many were read, where the answer is 0.
 */
int batfs_proof_directory(const char *path, bool live, const atomic_bool *stop,
    uint64_t *out_segments, struct bat_buf *report, struct bat_error *error);
/* entity is the stored name. BAT_STATE_NOT_FOUND: it has no event. */
int batfs_proof_entity(struct bat_store *store, struct bat_slice entity,
    const atomic_bool *stop, struct bat_buf *report, struct bat_error *error);

/* ---- on a thread of its own -------------------------------------------- */

struct batfs_proof_job;

/*
 * entity empty: the whole directory at path; store may be NULL then, else what
 * it shows has to be there. entity and path are copied. done is called on the
 * job's thread when there is an answer.
 */
int batfs_proof_start(struct bat_store *store, const char *path,
    struct bat_slice entity, void (*done)(void *context), void *context,
    struct batfs_proof_job **out);
/*
 * What it says: BAT_END, not yet; else what the functions above returned.
 * *report is the job's, and complete.
 */
int batfs_proof_answer(struct batfs_proof_job *job, struct bat_slice *report,
    struct bat_error *error);
/* Ends the work if it is under way. NULL is nothing. */
void batfs_proof_free(struct batfs_proof_job *job);

#endif
