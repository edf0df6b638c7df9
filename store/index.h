/*
 * Where each event is: rows by ordinal, and from them by sequence, id, entity
 * and scope. In memory only; no I/O.
 *
 * Rows are added in log order with rising sequence numbers. What a hidden
 * range covers has a row (index files need it) and stands in no list.
 *
 * A row is kept in two parts: the hot one of 64 bytes, which the tree and the
 * lists need, and the cold one (hashes, causality, lane and depth).
 *
 * Memory per event: hot 64 + cold 104 + 4 in the entity's list + about 6 in
 * the id table; 4 more where an entity has several scopes.
 *
 * Invariants: (1) seq rises strictly with the ordinal; (2) each visible row is
 * in exactly one entity list and one member list, in ordinal order; (3)
 * `heads` are the newest visible rows.
 *
 * Threads: the owner locks (a read-write lock, order 3): readers of rows and
 * lists share it, bat_index_add is alone.
 */
#ifndef BAT_INDEX_H
#define BAT_INDEX_H

#include "chain.h"
#include "event.h"
#include "hidden.h"
#include "intern.h"

#define BAT_INDEX_NONE UINT32_MAX

struct bat_index_hot;
struct bat_index_cold;

/* A growing list of ordinals (or of numbers). reserved: places that
 * bat_index_prepare promised and bat_index_insert will fill. */
struct bat_index_list {
	uint32_t *ordinals;
	uint32_t count;
	uint32_t capacity;
	uint32_t reserved;
};

/* One (scope, entity) pair; without events only while prepared for some. */
struct bat_index_member {
	uint32_t scope, entity;
	bool has_events;
	/* own: has a list of its own. Else the entity has only this scope and
	 * its events are the entity's list. */
	bool own;
	struct bat_index_list list;
	uint32_t next_of_entity; /* the entity's next member, or NONE */
};

/* By number of the string table; most numbers are entities or scopes. */
struct bat_index_name {
	struct bat_index_list events; /* as an entity */
	uint32_t first_member, last_member; /* as an entity: its scopes */
	uint32_t member_count;		    /* with events */
	struct bat_index_list members; /* as a scope: those with events */
};

struct bat_index {
	struct bat_intern names;
	struct bat_index_name *by_name;
	size_t by_name_capacity;
	struct bat_index_hot **hot; /* chunks of 16384 rows */
	struct bat_index_cold **cold;
	size_t chunk_count, chunk_capacity;
	uint64_t *segments; /* ids, ascending; hot rows hold positions here */
	uint32_t segment_count, segment_capacity;
	uint32_t count;
	uint64_t visible_count;
	uint32_t first_visible, last_visible;
	struct bat_map by_id;
	struct bat_map by_pair;
	struct bat_index_member *members;
	uint32_t member_count, member_capacity;
	struct bat_index_list entities; /* numbers, first-seen order */
	struct bat_index_list scopes;
	struct bat_hidden hidden;
	uint64_t max_wall_ms; /* of all rows */
	uint64_t last_close_wall_ms; /* 0: no CLOSE event */
};

void bat_index_init(struct bat_index *index);
void bat_index_free(struct bat_index *index);
/* Make room in the id table for count rows at once. */
int bat_index_reserve(struct bat_index *index, uint64_t count);
/* Takes over *hidden; before the first add. */
void bat_index_set_hidden(struct bat_index *index, struct bat_hidden *hidden);

/*
 * Add a row behind all others; row->entity and ->scope are numbers of
 * index->names, row->seq is above the last one. entity BAT_INTERN_NONE: a
 * damaged frame of which nothing is known; it stands in the log only. Returns 0,
 * BAT_WORLD_NO_MEMORY (index unchanged), BAT_USE_TOO_LARGE above 2^32-2 rows.
 */
int bat_index_add(struct bat_index *index, const struct bat_row *row);
/*
 * The same in steps, for a commit that must not fail once it is on disk:
 * prepare makes all room, insert cannot fail, cancel gives back what was
 * prepared and not inserted. The index looks unchanged until insert.
 */
int bat_index_prepare(struct bat_index *index, const struct bat_row *rows,
    size_t count);
void bat_index_insert(struct bat_index *index, const struct bat_row *row);
void bat_index_cancel(struct bat_index *index, const struct bat_row *rows,
    size_t count);

bool bat_index_is_hidden(const struct bat_index *index, uint32_t ordinal);
void bat_index_row(const struct bat_index *index, uint32_t ordinal,
    struct bat_row *out);
uint64_t bat_index_seq(const struct bat_index *index, uint32_t ordinal);
uint64_t bat_index_wall_ms(const struct bat_index *index, uint32_t ordinal);
/* First ordinal whose sequence is >= seq; count if there is none. */
uint32_t bat_index_lower_seq(const struct bat_index *index, uint64_t seq);
/* Visible, the greatest ordinal with this id; NONE. */
uint32_t bat_index_find_id(const struct bat_index *index,
    const struct bat_id *id);
/* The member of (scope, entity); NONE. */
uint32_t bat_index_find_member(const struct bat_index *index, uint32_t scope,
    uint32_t entity);
/* The events of an entity or of a member; never NULL. */
const struct bat_index_list *bat_index_entity_list(
    const struct bat_index *index, uint32_t entity);
const struct bat_index_list *bat_index_member_list(
    const struct bat_index *index, uint32_t member);
/* The newest visible event of an entity. */
struct bat_chain_head bat_index_head(const struct bat_index *index,
    uint32_t entity);
/* Remember that the extensions of a row are now known. */
void bat_index_set_extensions(struct bat_index *index, uint32_t ordinal,
    enum bat_row_extensions extensions);

#endif
