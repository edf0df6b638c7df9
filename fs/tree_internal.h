/*
 * Inside of tree. Nobody else includes this.
 *
 *	tree.c		  making and freeing; look-up, parents, paths
 *	tree_rows.h	  what a class of node is, and the functions of each
 *	tree_classes.c	  the table of classes
 *	tree_names.c	  the tree's own numbers of names, shortened names
 *	tree_numbers.c	  these numbers beside the store's
 *	tree_pending.c	  what was created and has no event yet
 *	tree_find.c	  children by name that are not fixed ones
 *	tree_list.c	  directories, entry by entry
 *	tree_list_names.c  those of stored names
 *	tree_attributes.c attributes, inode numbers
 *	tree_measure.c	  sizes and times, class by class
 *	tree_content.c	  bytes of files, targets of links
 *	tree_readme.c	  the words of README
 *	tree_event.c	  the folder of an event, and ways to it
 *	tree_chains.c	  chains/
 *	tree_chain_files.c  what stands in a chain, and who caused an event
 *	tree_effects.c	  the folder of an event: chain, effects/
 *	tree_past.c	  at/, and what there was at a moment
 *	tree_backup.c	  backup/: which pin
 *	tree_backup_files.c  and what it looks like
 *	tree_views.c	  range/, query/, an entity with words for reading
 *	tree_select.c	  the events that words let through
 *	tree_kinds.c	  the events of each kind
 *	tree_moments.c	  which event a time falls before
 *	tree_by.c	  by/: kinds, the latest lines
 *	tree_by_kind.c	  by/kind, by/denials.jsonl
 *	tree_by_name.c	  by/name
 *	tree_spaces.c	  the parts of the names of entities
 *	tree_tables.c	  by/entities.tsv and the like
 *	tree_tallies.c	  what these say of each name
 *	tree_ctl.c	  the files of .ctl, and what is written to them
 *	tree_ctl_texts.c  what they say
 *	tree_frontier.c	  .ctl/frontier
 *	tree_new.c	  creating, and where an append goes
 *
 * A directory is added to the view by its classes in tree.h, a row for each in
 * tree_classes.c, and the functions that the row names.
 */
#ifndef BATFS_TREE_INTERNAL_H
#define BATFS_TREE_INTERNAL_H

#include "tree_rows.h"

#include <pthread.h>

#define BATFS_TREE_SHARD 10000u /* events of a log page and of a shard */
#define BATFS_TREE_NAMES_MAX (1u << 28)

/* ---- the tree ----------------------------------------------------------- */

struct batfs_tree_chunk; /* of the bytes of names */

/* Stored names, and whole names with words, by number. */
struct batfs_tree_names {
	struct bat_slice *texts; /* their bytes never move */
	uint32_t count, capacity;
	struct batfs_tree_chunk *chunks;
	struct bat_map numbers;
};

/* A stored name whose tree name is a shortened one. */
struct batfs_tree_long {
	uint32_t number;
	struct bat_slice tree_name;
};

/* The long names among the first entities and scopes of the store. */
struct batfs_tree_longs {
	struct batfs_tree_long *items;
	uint32_t count, capacity;
	struct bat_map by_tree_name;
	uint64_t generation;
	uint32_t entities_seen, scopes_seen;
};

/* Numbers of the tree and of the store of one name: each + 1 by the other; 0:
 * not noted. */
struct batfs_tree_pairs {
	uint64_t generation;
	uint32_t *to_tree, *to_store;
	uint32_t capacity; /* of both */
};

struct batfs_tree_pending {
	uint64_t ordinal; /* rises; the cookie */
	struct batfs_node node;
};

/* Created and without an event: entities, scopes and members. */
struct batfs_tree_pendings {
	struct batfs_tree_pending *items; /* by ordinal */
	uint32_t count, capacity;
	uint32_t sweep_at; /* when count gets there, drop what is real now */
	uint64_t next_ordinal;
	struct bat_map by_node;
};

/* One name below by/name: a folder, an entity, or both. 24 bytes. */
struct batfs_tree_space {
	uint32_t entity; /* the entity of that name; BAT_MAP_NONE: none */
	uint32_t below;	 /* the first entity below; BAT_MAP_NONE: no folder */
	uint32_t length; /* of the name, which either of them begins with */
	uint32_t next;	 /* sibling; 0: there is none */
	uint32_t first, last; /* children; 0: there are none */
};

/* The parts of the names of entities, in first-seen order. */
struct batfs_tree_spaces {
	pthread_mutex_t mutex;
	uint64_t generation;
	uint32_t seen;			/* entities that were looked at */
	struct batfs_tree_space *items; /* the first one is by/name itself */
	uint32_t count, capacity;
	struct bat_map by_name;
};

/* How many events, which and how many bytes of lines. */
struct batfs_tree_tally {
	uint32_t count, first, last; /* ordinals */
	uint64_t bytes;
};

/* By the store's numbers of entities and scopes, and by kind. */
struct batfs_tree_tallies {
	uint64_t generation;
	uint32_t seen; /* ordinals that were looked at */
	struct batfs_tree_tally *items[3];
	uint32_t counts[3];
};

/* A table as it was last asked for. */
struct batfs_tree_table {
	uint64_t generation;
	uint32_t end;  /* only events below this ordinal; 0: nothing is kept */
	uint64_t size; /* also when the text was too long to keep */
	struct bat_buf text;
};

struct batfs_tree_tables {
	pthread_mutex_t mutex;
	struct batfs_tree_tallies tallies;
	struct batfs_tree_table kept[4];
};

/* Lists by kind, in the order in which kinds were first seen. */
struct batfs_tree_kind;
struct batfs_tree_kinds {
	pthread_mutex_t mutex;
	uint64_t generation;
	uint32_t seen;	  /* ordinals that were looked at */
	uint32_t *places; /* by kind: its list's number + 1; NULL: not asked */
	struct batfs_tree_kind *lists;
	uint32_t count, capacity;
};

/* The greatest time of the first 256, 512, ... ordinals. */
struct batfs_tree_moments {
	pthread_mutex_t mutex;
	uint64_t generation;
	uint64_t *greatest;
	uint32_t count, capacity;
};

/* What backup/ shows. */
struct batfs_tree_backup {
	bool ready;
	const struct bat_clock *clock;
	pthread_mutex_t mutex;
	struct bat_pin *pin; /* NULL: it could not be made yet */
	bool held;	     /* by a word: it does not move */
	int64_t asked_ns;    /* when something below was asked for last */
};

struct batfs_tree {
	struct bat_store *store;
	bool has_tlog; /* from the start of the mount to its end */
	struct batfs_tree_options options;
	bool is_part; /* a mount begins below the root */
	struct batfs_streams *streams;
	struct batfs_streams *briefs;	       /* the same for people */
	struct batfs_streams *branches, *dots; /* parts of chains */
	struct batfs_tree_kinds kinds;
	struct batfs_tree_moments moments;
	struct batfs_tree_spaces spaces;
	struct batfs_tree_tables tables;
	struct batfs_tree_backup backup;
	struct batfs_rejects *rejects;
	struct batfs_stats stats;
	pthread_mutex_t mutex; /* guards all below */
	struct batfs_tree_names names;
	struct batfs_tree_pairs pairs;
	struct batfs_tree_longs longs;
	struct batfs_tree_longs parts; /* the same of parts of names */
	struct batfs_tree_pendings pendings;
	/* How each command went last: a line, or nothing yet. */
	struct bat_buf results[BATFS_CTL_COUNT];
	struct bat_compacted compacted; /* the last one; likewise guarded */
};

/* ---- names (tree_names.c); they lock ------------------------------------ */

void batfs_tree_names_init(struct batfs_tree *tree);
void batfs_tree_names_free(struct batfs_tree *tree);
int batfs_tree_intern(struct batfs_tree *tree, struct bat_slice text,
    uint32_t *out_number);
/* BAT_MAP_NONE: not there. */
uint32_t batfs_tree_number_of(struct batfs_tree *tree, struct bat_slice text);
/* Valid as long as the tree; empty for a number that was never given. */
struct bat_slice batfs_tree_text(struct batfs_tree *tree, uint32_t number);
/* The stored name that a tree name means, strictly, onto buf; a shortened one
 * is looked for among those that exist. 0, BAT_STATE_NOT_FOUND, BAT_WORLD_*. */
int batfs_tree_stored_name(struct batfs_tree *tree, struct bat_slice name,
    struct bat_buf *buf);

/* The same of a part of a name, as it stands in by/name. */
int batfs_tree_stored_part(struct batfs_tree *tree, struct bat_slice name,
    struct bat_buf *buf);
/* Such a part exists: a shortened one is found from now on. 0 or
 * BAT_WORLD_NO_MEMORY. */
int batfs_tree_learn_part(struct batfs_tree *tree, struct bat_slice part);

/* Somebody goes through all entities, one by one: room for their names at once
 * is cheaper than making it again and again. Without memory nothing is done. */
void batfs_tree_expect_names(struct batfs_tree *tree);
/* batfs_tree_intern of a name by the store's number, which is noted for those
 * below. */
int batfs_tree_intern_stored(struct batfs_tree *tree, uint32_t store_number,
    uint32_t *out_number);
/* The store's number of a name, whatever has it there; BAT_MAP_NONE: it was not
 * noted in this generation. */
uint32_t batfs_tree_noted(struct batfs_tree *tree, uint32_t number);
void batfs_tree_pairs_free(struct batfs_tree *tree);

/* The store's numbers of a node's names; BAT_MAP_NONE: no visible event. */
uint32_t batfs_tree_store_entity(struct batfs_tree *tree, uint32_t entity);
uint32_t batfs_tree_store_scope(struct batfs_tree *tree, uint32_t scope);

/* ---- pending things (tree_pending.c); they lock ------------------------- */

void batfs_tree_pending_init(struct batfs_tree *tree);
void batfs_tree_pending_free(struct batfs_tree *tree);
bool batfs_tree_pending_has(struct batfs_tree *tree,
    const struct batfs_node *node);
int batfs_tree_pending_add(struct batfs_tree *tree,
    const struct batfs_node *node);
void batfs_tree_pending_drop(struct batfs_tree *tree,
    const struct batfs_node *node);
/* The first pending child of parent whose ordinal is *ordinal or more, and
 * *ordinal set to its own; false: none. */
bool batfs_tree_pending_next(struct batfs_tree *tree,
    const struct batfs_node *parent, uint64_t *ordinal, struct batfs_node *out);
/* Does an entity, a scope or a member have a visible event? */
bool batfs_tree_is_real(struct batfs_tree *tree, const struct batfs_node *node);

/* ---- kinds, moments, selections; the first two lock --------------------- */

/* Of a list that has events; ordinals. */
struct batfs_tree_ends {
	uint32_t count, first, last;
};

void batfs_tree_kinds_init(struct batfs_tree *tree);
void batfs_tree_kinds_free(struct batfs_tree *tree);
/* As bat_list_next, of a kind (as bat_kind_mapped has it). 0 or
 * BAT_WORLD_NO_MEMORY, as those below. */
int batfs_tree_kind_next(struct batfs_tree *tree, uint16_t kind,
    uint64_t *cursor, uint32_t *ordinals, size_t max, size_t *out_count);
/* The kinds in first-seen order; BAT_END: there are no more. */
int batfs_tree_kind_at(struct batfs_tree *tree, uint64_t position,
    uint16_t *out);
/* Of the events below an ordinal (0: all). BAT_STATE_NOT_FOUND: none of them is
 * of this kind. */
int batfs_tree_kind_ends(struct batfs_tree *tree, uint16_t kind,
    uint32_t before, struct batfs_tree_ends *out);

void batfs_tree_moments_init(struct batfs_tree *tree);
void batfs_tree_moments_free(struct batfs_tree *tree);
/* The first visible event, in the order of sequences, that is later than
 * wall_ms; BAT_MAP_NONE: none is. 0 or BAT_WORLD_NO_MEMORY. */
int batfs_tree_first_later(struct batfs_tree *tree, uint64_t wall_ms,
    uint32_t *out_ordinal);

/* Which words there are, in `seen`; what they say. */
enum {
	BATFS_TREE_SELECT_ENTITY = 1 << 0, /* it and what it is a prefix of */
	BATFS_TREE_SELECT_SCOPE = 1 << 1,
	BATFS_TREE_SELECT_KIND = 1 << 2,
	BATFS_TREE_SELECT_CLOCK = 1 << 3,
	BATFS_TREE_SELECT_SINCE = 1 << 4, /* these two of its wall_ms */
	BATFS_TREE_SELECT_UNTIL = 1 << 5,
};
struct batfs_tree_selection {
	unsigned seen;
	struct bat_buf entity; /* stored */
	uint32_t scope;	       /* the store's; BAT_MAP_NONE: there is none */
	uint16_t kind;
	bool category; /* only the category of kind counts */
	uint32_t clock_from, clock_to;
	int64_t since_ms, until_ms;
};
/* BAT_STATE_NOT_FOUND: these are no words; nothing is to be freed then. */
int batfs_tree_select(struct batfs_tree *tree, struct bat_slice words,
    struct batfs_tree_selection *out);
void batfs_tree_selection_free(struct batfs_tree_selection *selection);
/* The choice of a stream key that means these words, and what walks it. */
int batfs_tree_choice(struct batfs_tree *tree, struct bat_slice words,
    uint32_t *out);
int batfs_tree_choose(void *context, const struct batfs_stream_key *key,
    uint64_t *cursor, uint32_t *ordinals, size_t max, size_t *out_count);

/* ---- views with words (tree_views.c) ------------------------------------- */

struct batfs_tree_view {
	uint32_t entity; /* the store's */
	bool has_clock, brief;
	uint64_t clock;
};
/* Are these the words of a name that is read, not appended to? */
bool batfs_tree_is_view(struct bat_slice words);
int batfs_tree_view_of(struct batfs_tree *tree, const struct batfs_node *node,
    struct batfs_tree_view *out);
/* batfs_tree_stream of the classes of tree_views.c. */
int batfs_tree_typed_stream(struct batfs_tree *tree,
    const struct batfs_node *node, struct batfs_stream_key *out);
struct batfs_streams *batfs_tree_streams_of(struct batfs_tree *tree,
    const struct batfs_node *node);

/* ---- chains (tree_chains.c) ---------------------------------------------- */

/* bat_trace, again if the generation changed meanwhile. */
int batfs_tree_trace(struct batfs_tree *tree, struct bat_error *error);
/* A node below chains/ and a chain: its number and back. */
#define BATFS_TREE_CHAIN_SHIFT 8
struct batfs_tree_chain {
	struct bat_chain chain;
	uint64_t first_seq;
	uint32_t before; /* as in bat_list */
	bool several;	 /* it has two events or more */
};
/* The chain of a node, whose number says an event of it. BAT_STATE_NOT_FOUND:
 * it has fewer than two events. */
int batfs_tree_chain(struct batfs_tree *tree, const struct batfs_node *node,
    struct batfs_tree_chain *out, struct bat_error *error);
/* As batfs_tree_chain, of an event; also if it is its only one. */
int batfs_tree_chain_of(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t seq, struct batfs_tree_chain *out, struct bat_error *error);

/* Is it there for whom this tree is? Not everything has a past, and links
 * would lead out of a part. */
bool batfs_tree_shows(const struct batfs_tree *tree,
    const struct batfs_node *node);

/* ---- moments of the past (tree_past.c) ----------------------------------- */

/* The moment of a node as `before` of bat_list. */
uint32_t batfs_tree_before(struct batfs_tree *tree,
    const struct batfs_node *node);
/* false: what it shows is hidden now. */
bool batfs_tree_is_moment(struct batfs_tree *tree,
    const struct batfs_node *node);
/* bat_head as it was then. */
void batfs_tree_head(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_head *out);
/* bat_find_seq and bat_find_seq_from, of the events by then. */
uint32_t batfs_tree_seq(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t seq);
uint32_t batfs_tree_seq_from(struct batfs_tree *tree,
    const struct batfs_node *node, uint64_t seq);
/* Had an entity, one within a scope, a scope an event by then? By the store's
 * numbers; BAT_MAP_NONE: no. */
bool batfs_tree_has_begun(struct batfs_tree *tree,
    const struct batfs_node *node, uint32_t entity);
bool batfs_tree_member_has_begun(struct batfs_tree *tree,
    const struct batfs_node *node, uint32_t entity, uint32_t scope);
bool batfs_tree_scope_has_begun(struct batfs_tree *tree,
    const struct batfs_node *node, uint32_t scope);

/* ---- by/ ------------------------------------------------------------------ */

/* Its parts have locks of their own. */
void batfs_tree_by_init(struct batfs_tree *tree);
void batfs_tree_by_free(struct batfs_tree *tree);
void batfs_tree_spaces_init(struct batfs_tree *tree);
void batfs_tree_spaces_free(struct batfs_tree *tree);
/* batfs_tree_stream of the classes of by/. */
int batfs_tree_by_stream(struct batfs_tree *tree, const struct batfs_node *node,
    struct batfs_stream_key *out);
/* When an event was committed; if it is gone, batfs_tree_first_time. */
int64_t batfs_tree_time_at(struct batfs_tree *tree, uint32_t ordinal);
/* The kind that a node of by/ shows. */
uint16_t batfs_tree_kind_of(const struct batfs_node *node);

/* What stands below by/name (tree_spaces.c): of a name or the beginning of
 * one, up to a colon. 0, BAT_STATE_NOT_FOUND, BAT_WORLD_NO_MEMORY. */
int batfs_tree_space_find(struct batfs_tree *tree, struct bat_slice name,
    struct batfs_tree_space *out);
/* By its number, as next, first and last have it; 0 is by/name itself.
 * BAT_STATE_NOT_FOUND: there is none of this number now. */
int batfs_tree_space_at(struct batfs_tree *tree, uint32_t number,
    struct batfs_tree_space *out);
/* The name. */
struct bat_slice batfs_tree_space_name(struct batfs_tree *tree,
    const struct batfs_tree_space *space);
/* The folder in which a node of by/name stands. */
struct batfs_node batfs_tree_space_above(struct batfs_tree *tree,
    const struct batfs_node *node);

/* The tallies of all events below an ordinal (tree_tallies.c). The tree's own
 * are kept and brought up to date, under the mutex of tables. */
enum batfs_tree_tally_of {
	BATFS_TREE_TALLY_ENTITIES,
	BATFS_TREE_TALLY_SCOPES,
	BATFS_TREE_TALLY_KINDS,
};
int batfs_tree_tally(struct batfs_tree *tree,
    struct batfs_tree_tallies *tallies, uint32_t end, struct bat_error *error);
void batfs_tree_tallies_free(struct batfs_tree_tallies *tallies);

/* ---- backup/; its mutex is held while files are opened ------------------ */

int batfs_tree_backup_init(struct batfs_tree *tree);
void batfs_tree_backup_free(struct batfs_tree *tree);
/* The pin that is shown, noting that somebody asked; the caller releases it. */
int batfs_tree_ask_pin(struct batfs_tree *tree, struct bat_pin **out,
    struct bat_error *error);
/* `hold`, `release`, or any other word: pin anew. BAT_WORLD_LOCKED: held. */
int batfs_tree_command_pin(struct batfs_tree *tree, struct bat_slice word,
    struct bat_error *error);
int batfs_tree_render_pin_state(struct batfs_tree *tree, struct bat_buf *buf);
int batfs_tree_measure_pinned(struct batfs_tree *tree,
    const struct batfs_node *node, const struct bat_pin *pin,
    struct batfs_attributes *out);
int batfs_tree_read_pinned(const struct batfs_node *node, struct bat_pin *pin,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error);

/* ---- finding (tree_find.c) ----------------------------------------------- */

/* The node of that class below parent, with the keys that it has from it. */
struct batfs_node batfs_tree_child(const struct batfs_node *parent,
    enum batfs_class class);
/* The first sequence of a shard or page; false: there is no such number. */
bool batfs_tree_shard_start(uint64_t shard, uint64_t *out_seq);
/* The row of the first visible event of a shard; false: it has none. node: of
 * the same moment. */
bool batfs_tree_shard_first(struct batfs_tree *tree,
    const struct batfs_node *node, uint64_t shard, struct bat_row *out);
/* Is a page or shard behind the newest one? */
bool batfs_tree_shard_is_sealed(struct batfs_tree *tree,
    const struct batfs_node *node, uint64_t shard);
/* The lines of a file that shows some. 0; BAT_END: it is there and has none;
 * BAT_STATE_NOT_FOUND. */
int batfs_tree_stream(struct batfs_tree *tree, const struct batfs_node *node,
    struct batfs_stream_key *out);
/* A name with words: the stored name in front of them onto stem, and the
 * words. BAT_STATE_NOT_FOUND: not a name that could be one below parent. */
int batfs_tree_split_words(struct batfs_tree *tree,
    const struct batfs_node *parent, struct bat_slice name,
    struct bat_buf *stem, struct bat_slice *out_words);
/* Does the node exist: is it real or pending? */
bool batfs_tree_exists(struct batfs_tree *tree, const struct batfs_node *node);

/* Take a suffix off a name; false: it has another one. */
bool batfs_tree_cut_suffix(struct bat_slice *name, const char *suffix);
/* "0123abc", 6 to 32 lower hex digits: the beginning of an id, rest zero. */
bool batfs_tree_id_prefix(struct bat_slice text, struct bat_id *out);
/* way, then the folder of an event below events/, then suffix. */
int batfs_tree_put_folder(struct bat_buf *buf, const char *way, uint64_t seq,
    const char *suffix);

/* ---- attributes, content, .ctl ---------------------------------------------- */

/* The transparency log (tree_tlog.c). Is there one to show? */
bool batfs_tree_finds_tlog(struct bat_store *store);
struct batfs_node batfs_tree_tlog_above(const struct batfs_node *node);

/* The part of content that a read asks for, onto buf. */
int batfs_tree_slice(struct bat_slice content, uint64_t offset, size_t size,
    struct bat_buf *buf);
/* The time of an event, for attributes, and of what shows none. */
int64_t batfs_tree_time_of(const struct bat_row *row);
int64_t batfs_tree_first_time(struct batfs_tree *tree);
uint64_t batfs_tree_generation(struct batfs_tree *tree);
int batfs_tree_readme(struct bat_buf *buf);
bool batfs_tree_ctl_is_command(uint64_t number);
/* What a file of .ctl says now, onto buf. 0 or as bat_*. */
int batfs_tree_ctl_text(struct batfs_tree *tree, enum batfs_ctl which,
    struct bat_buf *buf);

#endif
