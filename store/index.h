/*
 * Where each event is: rows by ordinal, and from them by sequence, id, entity
 * and scope. In memory only; no I/O.
 *
 * Rows stand in log order with rising sequence numbers. What a hidden range
 * covers has a row (index files need it) and stands in no list.
 *
 * A row is 64 bytes: what lists, lookups and the tree need, and a fingerprint
 * of the rest (hashes, causality, lane, depth), which the frame has. So the
 * index never answers for a frame, it only notices that one is another.
 *
 * Two phases. While a directory is read, rows are loaded: appended, taken back
 * (a torn batch, an index file that is not believed), nothing else. After
 * bat_index_finish the tables stand, and rows are added with prepare and
 * insert. The table by id is made when it is first asked for: a mount that
 * only looks never pays for it.
 *
 * Memory per event: 64, 4 in the entity's list, about 7 in the id table once
 * it is there, 4 more where an entity has several scopes.
 *
 * Invariants: (1) seq rises strictly with the ordinal; (2) each visible row is
 * in exactly one entity list and one member list, in ordinal order.
 *
 * A base (a file that holds the first rows and their lists) makes the rest
 * late too: a page of rows or a list is read when it is first asked for.
 *
 * Beside each row stands a number that means nothing here: whoever shows the
 * events keeps the lengths of their lines there (bat.h). 4 bytes an event, in
 * chunks, from when one of a chunk is asked for or known.
 *
 * Threads: the owner locks (a read-write lock): readers of rows and lists
 * share it, what changes the index is alone. What is made late is made under
 * late_mutex.
 */
#ifndef BAT_INDEX_H
#define BAT_INDEX_H

#include "blockfile.h"
#include "event.h"
#include "hidden.h"
#include "idtable.h"
#include "intern.h"

#include <pthread.h>

#define BAT_INDEX_NOTHING UINT32_MAX
#define BAT_INDEX_CHUNK_ROWS 32768u   /* 2 MiB: a huge page */
#define BAT_INDEX_CHUNK_LENGTHS 4096u /* 16 KiB: a listing needs a few of all */
#define BAT_INDEX_OFFSET_MAX ((UINT64_C(1) << 40) - 1) /* within a segment */
#define BAT_INDEX_SEGMENTS_MAX (1u << 24)

/* A row as it is kept. */
struct bat_index_hot {
	struct bat_id id;
	uint64_t seq;
	uint64_t wall_ms;
	uint64_t place; /* position in `segments` << 40 | offset */
	uint32_t length;
	uint32_t entity, scope; /* numbers of `names` */
	uint32_t clock;
	uint32_t fingerprint;
	uint16_t kind; /* mapped, format.md 5.3 */
	uint8_t hidden;
	uint8_t extensions; /* enum bat_row_extensions */
};

/*
 * A list of ordinals (or of numbers). Lists that finish made share one block
 * of memory: borrowed. Lists of a base are stored: read when first asked for.
 * One that grew before has in ordinals[0] how many are stored, and behind it
 * those that came since. reserved: places that prepare promised.
 */
struct bat_index_list {
	uint32_t *ordinals;
	uint32_t count;
	uint32_t capacity;
	uint32_t reserved;
	bool borrowed, stored;
	uint64_t stored_at; /* in ordinals, from the base's lists on */
};

/*
 * Rows and lists that a file holds already (sidecar.h): the first `count` rows
 * of the index. Nothing of it is read before it is asked for.
 */
struct bat_index_base {
	struct bat_blockfile file;
	uint32_t count;
	uint64_t rows_at, lists_at; /* logical offsets in file */
	uint64_t lengths_at;	    /* 0: it has none */
	uint32_t lengths_format;
	/* Names, the numbers of names sorted by their bytes, and records of
	 * names and members (index_tables.c). */
	uint32_t names, members;
	/* The first row of each segment that it covers, by position; taken over
	 * with the file. */
	uint32_t *segment_rows;
	uint32_t segments;
	uint64_t ends_at, text_at, text_size, sorted_at, names_at, members_at;
};
#define BAT_INDEX_NAME_BYTES 40u
#define BAT_INDEX_MEMBER_BYTES 32u

/* One (scope, entity) pair; without events only while prepared for some. */
struct bat_index_member {
	uint32_t scope, entity;
	/* own: has a list of its own. Else the entity has only this scope and
	 * its events are the entity's list. */
	bool own;
	uint32_t count; /* of events */
	struct bat_index_list list;
	uint32_t next_of_entity; /* the entity's next member, or NONE */
};

/* By number of the string table; most numbers are entities or scopes. */
struct bat_index_name {
	struct bat_index_list events;	    /* as an entity */
	uint32_t first_member, last_member; /* as an entity: its scopes */
	uint32_t member_count;		    /* with events */
	struct bat_index_list members;	    /* as a scope: those with events */
};

struct bat_index {
	struct bat_intern names;
	struct bat_index_hot **hot; /* chunks of BAT_INDEX_CHUNK_ROWS */
	size_t chunk_count, chunk_capacity;
	struct bat_index_hot *spare; /* chunks for the next rows; a list */
	uint32_t count;
	uint64_t *segments; /* ids, ascending */
	uint32_t segment_count, segment_capacity;
	uint32_t segment_hand; /* position asked for last */
	uint64_t merges; /* how often rows were moved: a copy may be old */
	struct bat_hidden hidden;
	uint64_t max_wall_ms;	     /* of all rows */
	uint64_t last_close_wall_ms; /* 0: no CLOSE event */
	bool has_base;
	struct bat_index_base base;
	/* Guards what is read late: rows, stored lists, ids. */
	pthread_mutex_t late_mutex;
	/* The base did not hold when it was read: nothing that the index says is
	 * to be believed, it is made anew without. */
	_Atomic bool broken;
	struct bat_index_hot nothing; /* handed out then */
	/* Which pages of the base's rows, of by_name and of members are there;
	 * NULL without a base. */
	uint8_t *row_pages, *name_pages, *member_pages;
	uint32_t *sorted_names;
	/* Kept lengths, in chunks as rows are; guarded by late_mutex. */
	uint32_t **lengths;
	size_t length_chunks;
	uint32_t lengths_format;  /* 0: they are not to be saved */
	uint32_t lengths_learned; /* since the base was written */
	/* The newest and the oldest visible row: asked for all the time. */
	struct bat_index_hot first_row, last_row;
	uint64_t next_seq; /* the newest row's + 1, hidden or not */
	bool plain;	   /* take no fast way: for tests that compare */
	/* From here on only after finish. */
	bool finished;
	struct bat_index_name *by_name;
	size_t by_name_capacity;
	uint32_t *block; /* the lists that finish made */
	uint64_t visible_count;
	uint32_t first_visible, last_visible;
	struct bat_map by_pair;
	struct bat_index_member *members;
	uint32_t member_count, member_capacity;
	uint32_t member_hand;		/* a row was added to this one last */
	struct bat_index_list entities; /* numbers, first-seen order */
	struct bat_index_list scopes;
	bool has_ids; /* guarded by late_mutex */
	struct bat_idtable by_id;
};

void bat_index_init(struct bat_index *index);
void bat_index_free(struct bat_index *index);
/* Takes over *hidden; before the first row. */
void bat_index_set_hidden(struct bat_index *index, struct bat_hidden *hidden);

/* ---- loading --------------------------------------------------------- */

/* The part of a row that only the frame has, in 32 bits. */
uint32_t bat_index_fingerprint(const struct bat_id *corr,
    const struct bat_id *cause, const struct bat_hash *prev,
    const struct bat_hash *hash, uint32_t lane, uint32_t depth);
/*
 * Append a row: entity and scope are numbers of names, or BAT_INTERN_NONE for
 * a damaged frame of which nothing is known (it stands in the log only).
 * Segments come in ascending order. Nothing is checked yet.
 * 0; BAT_WORLD_NO_MEMORY; BAT_USE_TOO_LARGE (2^32-2 rows, 2^24 segments, or an
 * offset of 2^40).
 */
int bat_index_load(struct bat_index *index, const struct bat_row *row);
/* Make rows [count, count + more) addressable and count them in; the caller
 * fills them through bat_index_hot_at. For readers of whole index files. */
int bat_index_load_room(struct bat_index *index, uint32_t more);
/* Position of a segment id in `segments`; a new one must be above all. */
int bat_index_segment(struct bat_index *index, uint64_t segment,
    uint32_t *out_position);
/*
 * The rows of other (loaded, not finished) behind those of index: with its
 * numbers for names and segments, and sequences from seq on, one after the
 * other. Other has none any more. Returns as load; after a failure no row was
 * added.
 */
int bat_index_append(struct bat_index *index, struct bat_index *other,
    uint64_t seq);
/* Take back the rows from ordinal on. */
void bat_index_unload(struct bat_index *index, uint32_t ordinal);
/* Sort rows [0, count) by place, when a file had them in another order. */
int bat_index_sort(struct bat_index *index);
/* Make the tables. Sequence numbers rise by now. 0; BAT_WORLD_NO_MEMORY;
 * BAT_DATA_DISAGREES (the base does not hold: the index is of no use). */
int bat_index_finish(struct bat_index *index);

struct bat_index_hot *bat_index_hot_at(const struct bat_index *index,
    uint32_t ordinal);
/* These rows will be looked at soon: those that are in memory are fetched into
 * the cache meanwhile. */
void bat_index_prefetch(const struct bat_index *index, const uint32_t *ordinals,
    size_t count);
/* Start from a base: rows [0, base->count) are there, to be read late. The
 * index takes the file over; it is empty and its names and tables are filled
 * in by the caller (sidecar.c). */
int bat_index_set_base(struct bat_index *index,
    const struct bat_index_base *base);
/* A stored list of numbers below limit is there after this; on a failure it is
 * empty and the index broken. */
void bat_index_fetch_list(struct bat_index *index, struct bat_index_list *list,
    uint32_t limit);
/* Records of the base, as they stand in its file. */
void bat_index_put_name(const struct bat_index_name *name, uint64_t events_at,
    uint64_t members_at, uint8_t record[BAT_INDEX_NAME_BYTES]);
void bat_index_put_member(const struct bat_index_member *member,
    uint64_t events_at, uint8_t record[BAT_INDEX_MEMBER_BYTES]);
/* For the tables of a base; by_name has a place for every string. */
int bat_index_make_names(struct bat_index *index);
/* A new pair (scope, entity), without events. */
int bat_index_make_member(struct bat_index *index, uint32_t scope,
    uint32_t entity, uint32_t *out_member);

/* ---- adding ---------------------------------------------------------- */

/*
 * In steps, for a commit that must not fail once it is on disk: prepare makes
 * all room, insert cannot fail, cancel gives back what was prepared and not
 * inserted. The index looks unchanged until insert. Rows as for load, with seq
 * above the last one. Returns as load; BAT_DATA_DISAGREES when the index is
 * broken, so that nothing is written that rests on what a bad base said.
 */
int bat_index_prepare(struct bat_index *index, const struct bat_row *rows,
    size_t count);
void bat_index_insert(struct bat_index *index, const struct bat_row *row);
void bat_index_cancel(struct bat_index *index, const struct bat_row *rows,
    size_t count);

/* ---- moving ---------------------------------------------------------- */

/* Frames [from, from + length) of a segment stand at `to` of another now. */
struct bat_index_move {
	uint64_t segment, from, length, to;
};
/*
 * The segments ids[0 .. id_count), ascending and with none between them, became
 * the segment merged: each of their rows is covered by a move (these ascend by
 * segment and from). Ordinals and all else stay. Every row from the first of
 * them on was read before, so that nothing of a base is; cannot fail.
 */
void bat_index_merge(struct bat_index *index, const uint64_t *ids,
    size_t id_count, uint64_t merged, const struct bat_index_move *moves,
    size_t move_count);

/* ---- asking ---------------------------------------------------------- */

bool bat_index_is_hidden(const struct bat_index *index, uint32_t ordinal);
/* corr, cause, prev, hash, lane and depth of *out are zero: the frame has
 * them. */
void bat_index_row(const struct bat_index *index, uint32_t ordinal,
    struct bat_row *out);
uint64_t bat_index_seq(const struct bat_index *index, uint32_t ordinal);
uint64_t bat_index_wall_ms(const struct bat_index *index, uint32_t ordinal);
uint64_t bat_index_segment_of(const struct bat_index *index, uint32_t ordinal);
uint64_t bat_index_offset_of(const struct bat_index *index, uint32_t ordinal);
/* The first of the rows [0, end) that stands at or behind a place; end. */
uint32_t bat_index_lower_place(const struct bat_index *index, uint32_t end,
    uint64_t segment, uint64_t offset);
/* Those of the rows [0, end) that stand in a segment: [*out_first, *out_end).
 * What a base says of its own segments is believed here, so not for who moves
 * or drops rows. */
void bat_index_segment_rows(const struct bat_index *index, uint64_t segment,
    uint32_t end, uint32_t *out_first, uint32_t *out_end);
/* First ordinal whose sequence is >= seq; count if there is none. */
uint32_t bat_index_lower_seq(const struct bat_index *index, uint64_t seq);
/* Visible, the greatest ordinal with this id; NONE. The first call makes the
 * table; *out_code is 0 or BAT_WORLD_NO_MEMORY (then NONE). */
uint32_t bat_index_find_id(struct bat_index *index, const struct bat_id *id,
    int *out_code);
/* The member of (scope, entity); NONE. */
uint32_t bat_index_find_member(const struct bat_index *index, uint32_t scope,
    uint32_t entity);
/* ---- lengths ---------------------------------------------------------- */

/* What the lengths are lengths of: those of a base that has others are
 * forgotten. After the base was set, before any is asked for. */
void bat_index_name_lengths(struct bat_index *index, uint32_t format);
/* Those of some rows, 0 where none is known. A base whose lengths cannot be
 * read knows none: nothing rests on them. */
void bat_index_lengths(struct bat_index *index, const uint32_t *ordinals,
    size_t count, uint32_t *lengths);
/* All of a chunk, for who writes them to a file; unlike lengths it keeps
 * nothing of the base in memory. */
void bat_index_chunk_lengths(struct bat_index *index, size_t number,
    uint32_t lengths[BAT_INDEX_CHUNK_LENGTHS]);
/* 0 or BAT_WORLD_NO_MEMORY (some may be kept). */
int bat_index_keep_lengths(struct bat_index *index, const uint32_t *ordinals,
    const uint32_t *lengths, size_t count);
/* None is known any more, of the base neither. */
void bat_index_forget_lengths(struct bat_index *index);

/* ---- lists ------------------------------------------------------------ */

/* What is known of a name; NULL: nothing, it has no event. */
struct bat_index_name *bat_index_name(const struct bat_index *index,
    uint32_t number);
struct bat_index_member *bat_index_member(const struct bat_index *index,
    uint32_t number);
/* Numbers of names, in first-seen order; of a scope's members. Never NULL. */
const struct bat_index_list *bat_index_entities(const struct bat_index *index);
const struct bat_index_list *bat_index_scopes(const struct bat_index *index);
const struct bat_index_list *bat_index_scope_members(
    const struct bat_index *index, uint32_t scope);
/* The events of an entity or of a member; never NULL. */
const struct bat_index_list *bat_index_entity_list(
    const struct bat_index *index, uint32_t entity);
const struct bat_index_list *bat_index_member_list(
    const struct bat_index *index, uint32_t member);
/* How many these have; of a base's lists none is read for it. */
uint32_t bat_index_entity_count(const struct bat_index *index, uint32_t entity);
uint32_t bat_index_member_count(const struct bat_index *index, uint32_t member);

#endif
