/*
 * The events that the rigs append: each is told by a seed and its number, so
 * that whoever finds one later knows every byte of it. Its payload names its
 * batch too.
 */
#ifndef RIGS_PLAN_H
#define RIGS_PLAN_H

#include "bat.h"

/* splitmix64. */
uint64_t rig_plan_random(uint64_t *state);
/* From low to high, both included. */
uint64_t rig_plan_between(uint64_t *state, uint64_t low, uint64_t high);

struct rig_event {
	uint64_t number;
	uint64_t first,
	    count; /* its batch: the events first .. first+count-1 */
};

/* The draft points into payload, which is cleared first. */
void rig_plan_draft(uint64_t seed, const struct rig_event *event,
    struct bat_buf *payload, struct bat_draft *out);

/*
 * Is an event that was read the one with this number? *out_event gets its
 * batch. Returns NULL, or what differs.
 */
const char *rig_plan_differs(uint64_t seed, uint64_t number,
    struct bat_store *store, const struct bat_reading *reading,
    struct rig_event *out_event);

#endif
