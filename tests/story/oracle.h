/*
 * What a store must hold: every event that was ever offered, in order, with
 * what became of it, and the comparison with what a store shows.
 *
 * The prefix rule: everything acknowledged is there, once, in order and
 * unchanged; behind it may stand a tail of what was under way, without a
 * hole; batches whole or not at all; nothing that nobody offered.
 */
#ifndef STORY_ORACLE_H
#define STORY_ORACLE_H

#include "bat.h"
#include "log_oracle.h"

enum story_state {
	STORY_UNDER_WAY, /* offered, not answered */
	STORY_VISIBLE,	 /* answered, not synced yet */
	STORY_ACKED,	 /* promised to be on disk */
	STORY_UNSURE,	 /* answered that the writer stopped */
	STORY_REFUSED,	 /* answered that it is not stored */
};

struct story_event {
	uint32_t number; /* in its payload */
	uint32_t batch;
	uint32_t size; /* of its payload, about */
	uint16_t kind;
	uint8_t entity, scope;
	bool keyed, extended;
	enum story_state state;
	/* Where it is told: by a receipt, or by an earlier look. */
	bool told;
	struct bat_receipt receipt;
};

struct story_oracle {
	struct story_event *events;
	size_t count, capacity;
	uint32_t next_number, next_batch;
	struct story_log log; /* what its transparency log has said */
	/* The last look ended because the machine failed, not the store. */
	bool unreadable;
};

/* Where the store is looked at. */
enum story_moment {
	STORY_RUNNING, /* or opened again without a crash */
	STORY_CRASHED,
	/* Read-only, of a directory that is refused for writing: damage may
	 * stand behind everything that was acknowledged. */
	STORY_SALVAGED,
};

void story_oracle_free(struct story_oracle *oracle);
void story_oracle_copy(const struct story_oracle *from,
    struct story_oracle *to);
/* Note an event that is about to be offered; valid until the next one. */
struct story_event *story_oracle_offer(struct story_oracle *oracle,
    uint32_t batch, uint32_t size);
/* All that is VISIBLE is on disk now. */
void story_oracle_synced(struct story_oracle *oracle);
/* How much is promised: two equal directories differ if this does. */
uint64_t story_oracle_hash(const struct story_oracle *oracle);

/* The draft of an event; it points into *scratch, whose payload is freed with
 * bat_bytes_free. */
struct story_draft {
	struct bat_buf payload;
	struct bat_extension extension;
};
void story_oracle_draft(const struct story_event *event,
    struct story_draft *scratch, struct bat_draft *out);

/*
 * Compare. Returns true if all holds; else *why (of 256 bytes) says what does
 * not. adopt: what the store shows is from now on promised, and all else
 * forgotten.
 */
bool story_oracle_holds(struct story_oracle *oracle, struct bat_store *store,
    enum story_moment moment, bool adopt, char why[256]);

#endif
