/*
 * Gates: who is asked before an event is stored, and what is kept of a no.
 *
 * A gate is a callback that looks at one proposal. Gates are asked in their
 * order; the first one that denies ends it, and later ones are not asked. A
 * gate that cannot answer is a defect, and a defect is a denial with the code
 * GATE_DEFECT, never a permit.
 *
 * What is kept is an event of kind SYSTEM_DENIAL in batpak's shape
 * (FORMAT.md 4.3): which gates permitted, which one denied and why, which were
 * skipped, the kind that was proposed and the hash of its payload. It stands
 * with the entity and scope that the proposal named, and has its cause, its
 * correlation and its extensions.
 *
 * Threads: any, no state; gates may be asked on several threads at once.
 */
#ifndef BAT_GATE_H
#define BAT_GATE_H

#include "event.h"

#define BAT_GATE_DEFECT "GATE_DEFECT"

/* What a gate is asked about; valid during the call. */
struct bat_proposal {
	const struct bat_draft *draft; /* acceptable by itself */
	struct bat_id cause; /* the event that the draft's cause means, or 0 */
	struct bat_id corr;  /* 0: it will be its own */
	const void *about;   /* of bat_batch: whatever the submitter gave */
	bool rehearsed;	     /* nothing comes of it (bat_gates_ask) */
};

/* Why not; texts are UTF-8. */
struct bat_denial {
	struct bat_buf code; /* may be empty */
	struct bat_buf message;
	struct bat_buf context; /* bat_gate_add_context */
	uint32_t context_count;
};
#define BAT_DENIAL_EMPTY                                                       \
	((struct bat_denial){ .code = BAT_BUF_EMPTY,                           \
	    .message = BAT_BUF_EMPTY,                                          \
	    .context = BAT_BUF_EMPTY })

struct bat_gate {
	const char *id; /* UTF-8, not empty; stands in what is recorded */
	/* 0: permitted; BAT_STATE_DENIED: *denial says why; anything else: it
	 * is defective, error->text says how. */
	int (*ask)(void *context, const struct bat_proposal *proposal,
	    struct bat_denial *denial, struct bat_error *error);
	void *context;
};

struct bat_gates {
	const struct bat_gate *gates;
	size_t count;
};

/* A pair of texts behind those that are there. 0 or BAT_WORLD_NO_MEMORY. */
int bat_gate_add_context(struct bat_denial *denial, struct bat_slice key,
    struct bat_slice value);
void bat_gate_denial_free(struct bat_denial *denial);

/*
 * Ask all. 0: nobody denied. BAT_STATE_DENIED: gate *out_denier did, *denial
 * and error (as one line) say why. BAT_WORLD_NO_MEMORY: nothing is known; who
 * asks must not go on.
 */
int bat_gate_ask(const struct bat_gates *gates,
    const struct bat_proposal *proposal, struct bat_denial *denial,
    size_t *out_denier, struct bat_error *error);
/* What is recorded of it, onto buf. 0 or BAT_WORLD_NO_MEMORY. */
int bat_gate_payload(const struct bat_gates *gates, size_t denier,
    const struct bat_denial *denial, const struct bat_draft *draft,
    struct bat_buf *buf);
/* 0, or BAT_USE_INVALID: a gate has no id, or no callback. */
int bat_gate_check(const struct bat_gates *gates, struct bat_error *error);

#endif
