/*
 * Which event caused which, and what belongs together. The index keeps nothing
 * of it (frames do), so these maps are made late, when somebody asks: one pass
 * over the frames in log order, later only over what came since.
 *
 * The chain rule. An event whose corr is not its own id belongs to the chain of
 * the event with that id, if one stands before it, else to the chain named by
 * corr. Otherwise, with a cause: to that of its cause, if one stands before it,
 * else to the chain named by the cause's id. Otherwise to the chain named by
 * its own id. So one forward pass tells, and later events never change it.
 *
 * Its cause is the event with that id, of several the latest, that stands
 * before it. So causes never go in circles, whatever ids say.
 *
 * Memory: 12 bytes an event; 20 a chain of two events or more, and 4 in the
 * list of its last byte; 20 and a slot of a table for a chain that is named by
 * an id which no event before it had. Chains of one event cost nothing else.
 *
 * Hidden events, and damaged ones of which nothing is known, are in no chain
 * and nobody's cause. Two events with one id are told apart as long as both are
 * there at the first pass; none that the writer makes has an id that is known.
 *
 * Threads: the owner locks, here and the index. After a failure everything is
 * empty, and made anew.
 */
#ifndef BAT_CAUSALITY_H
#define BAT_CAUSALITY_H

#include "index.h"
#include "recovery.h"

#define BAT_CAUSALITY_NONE UINT32_MAX
#define BAT_CAUSALITY_GONE (UINT32_MAX - 1) /* a cause that is not here */
#define BAT_CAUSALITY_LISTS 8

/* What the frame of an event says. */
struct bat_causality_fact {
	struct bat_id corr, cause; /* cause zero: none */
};

/* A chain of two events or more. */
struct bat_causality_chain {
	uint32_t first, second, last; /* ordinals */
	uint32_t count;
	uint32_t named; /* its place among the named, or NONE */
};

/* A chain whose name is not the id of its first event, or not to be found in
 * the index by it. */
struct bat_causality_named {
	struct bat_id id;
	uint32_t first;
};

enum bat_causality_kind {
	BAT_CAUSALITY_CHAIN, /* the chain of an event */
	/* The same, each event behind its cause: depth first, siblings in
	 * order. Its positions hold as long as the chain does not grow below
	 * `before`. */
	BAT_CAUSALITY_TREE,
	BAT_CAUSALITY_EFFECTS,	    /* of an event: whose cause it is */
	BAT_CAUSALITY_CAUSES,	    /* its cause, the cause of that, ... */
	BAT_CAUSALITY_CONSEQUENCES, /* its effects, the effects of these, ... */
};

/* A list that was made; the ones used longest ago go. */
struct bat_causality_list {
	bool used;
	enum bat_causality_kind kind;
	uint32_t event;
	uint32_t before; /* TREE only */
	uint32_t seen;	 /* ordinals below were looked at */
	uint32_t *ordinals;
	uint32_t count, capacity;
	uint64_t stamp;
};

struct bat_causality {
	uint32_t count, capacity; /* ordinals below count are in */
	uint32_t *chain_of;	  /* a number of chains, or ALONE_... */
	uint32_t *cause;	  /* an ordinal, NONE or GONE */
	uint32_t *next;		  /* in the chain, or NONE */
	struct bat_causality_chain *chains; /* as they became ones of two */
	uint32_t chain_count, chain_capacity;
	struct {
		uint32_t *chains;
		uint32_t count, capacity;
	} by_byte[256];			   /* the last of the chain's name */
	struct bat_causality_named *named; /* ascending by first */
	uint32_t named_count, named_capacity;
	struct bat_map by_name;	 /* places in named */
	struct bat_map twins;	 /* ordinals of all but the latest of an id */
	struct bat_index *index; /* for twins, while somebody asks */
	struct bat_causality_list lists[BAT_CAUSALITY_LISTS];
	uint64_t clock; /* of lists */
};

void bat_causality_init(struct bat_causality *causality);
void bat_causality_free(struct bat_causality *causality);
/* Forget everything. */
void bat_causality_clear(struct bat_causality *causality);

/* ---- making ---------------------------------------------------------- */

/* An event to be read: copied under the index lock, names too. */
struct bat_causality_row {
	struct bat_index_hot hot;
	uint64_t segment, offset;
	struct bat_slice entity, scope;
};

/*
 * Read the frames of events that follow each other in the log. A damaged one
 * says what an index file or a footer still tells of it, else nothing (then
 * corr is its own id). 0; BAT_DATA_DISAGREES: a row and its frame differ;
 * BAT_WORLD_*. No lock is needed.
 */
int bat_causality_read(struct bat_segment_dir *dir,
    const struct bat_causality_row *rows, size_t count,
    struct bat_causality_fact *facts, struct bat_error *error);
/* The next event, ordinal causality->count. 0 or BAT_WORLD_NO_MEMORY (then all
 * is forgotten). */
int bat_causality_add(struct bat_causality *causality, struct bat_index *index,
    const struct bat_causality_fact *fact);

/* ---- asking; of ordinals that are in --------------------------------- */

/* The visible event with this id that stands last before `before`; NONE. */
int bat_causality_find_id(struct bat_causality *causality,
    struct bat_index *index, const struct bat_id *id, uint32_t before,
    uint32_t *out);
/* The first event of the chain of this one; NONE: it is in no chain. *out_chain
 * is the number of the chain, NONE while it has one event. */
uint32_t bat_causality_first(const struct bat_causality *causality,
    uint32_t ordinal, uint32_t *out_chain);
/* The name of the chain that begins with this event. */
struct bat_id bat_causality_name(const struct bat_causality *causality,
    const struct bat_index *index, uint32_t first);
/* The first event of the chain with this name; NONE. */
int bat_causality_find(struct bat_causality *causality, struct bat_index *index,
    const struct bat_id *name, uint32_t *out_first);

/* ---- lists; event is an ordinal that is in --------------------------- */

/* As bat_list_next. before: leave out what stands from there on. Of a CHAIN the
 * cursor is the ordinal of the last one that was given, + 1. 0 or
 * BAT_WORLD_NO_MEMORY. */
int bat_causality_next(struct bat_causality *causality,
    enum bat_causality_kind kind, uint32_t event, uint32_t before,
    uint64_t *cursor, uint32_t *ordinals, size_t max, size_t *out_count);
/* How many, the first and the last (lowest and highest ordinal). */
int bat_causality_ends(struct bat_causality *causality,
    enum bat_causality_kind kind, uint32_t event, uint32_t before,
    uint32_t *out_count, uint32_t *out_first, uint32_t *out_last);

#endif
