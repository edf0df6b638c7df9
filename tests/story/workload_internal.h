/* Parts of workload.c: what its steps are made of. */
#ifndef STORY_WORKLOAD_INTERNAL_H
#define STORY_WORKLOAD_INTERNAL_H

#include "workload.h"

/* A call of the store failed. */
void story_note_error(struct story_run *run, const struct bat_error *error);

/* Its transparency log: by its files; behind an open, before anything is
 * written; brought up to date; another in its place. */
bool story_log_still_holds(struct story_run *run, bool promise);
bool story_log_opened(struct story_run *run, enum story_moment moment);
int story_update_log(struct story_run *run, struct bat_error *error);
int story_renew_log(struct story_run *run, struct bat_error *error);

/* A batch of events of this size; one with a key or an extension; batches in
 * one write; a large batch of small events; the last key again; drafts of which
 * number `bad` cannot be. */
void story_offer_alone(struct story_run *run, size_t count, uint32_t size);
void story_offer_special(struct story_run *run, bool keyed);
void story_offer_group(struct story_run *run, const size_t counts[],
    size_t batches, uint32_t size);
void story_offer_many(struct story_run *run, size_t count);
void story_offer_again(struct story_run *run);
void story_offer_refused(struct story_run *run, size_t bad);

/* The process is gone; a tail as a crash leaves it; an event of the log that
 * the store does not have. */
void story_kill(struct story_run *run);
void story_spoil(struct story_run *run, char step);
void story_outrun(struct story_run *run);

#endif
