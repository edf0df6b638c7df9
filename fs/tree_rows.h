/*
 * The rows of the view: what each class of node is and can do. A part of
 * tree_internal.h, which alone includes this.
 *
 * A row of tree_classes.c names functions. What those of one sort have in common
 * is said at their type; all of them are declared here, by the part of the view.
 */
#ifndef BATFS_TREE_ROWS_H
#define BATFS_TREE_ROWS_H

#include "tree.h"

struct batfs_tree;

enum batfs_tree_access {
	BATFS_TREE_READ,    /* 0444 */
	BATFS_TREE_APPEND,  /* 0644 */
	BATFS_TREE_WRITE,   /* 0200: only to append */
	BATFS_TREE_COMMAND, /* 0644, .ctl files say for themselves */
};

typedef int batfs_tree_find_fn(struct batfs_tree *tree,
    const struct batfs_node *parent, struct bat_slice name,
    struct batfs_node *out);
/* Entries behind cookie, whose own cookies are below BATFS_TREE_COOKIE_FIXED.
 * 0; BAT_END: each said that it is enough; BAT_WORLD_*. */
struct batfs_tree_listing;
typedef int batfs_tree_list_fn(struct batfs_tree *tree,
    const struct batfs_node *node, uint64_t cookie,
    struct batfs_tree_listing *listing);
/* Its name in its parent, onto buf. */
typedef int batfs_tree_spell_fn(struct batfs_tree *tree,
    const struct batfs_node *node, struct bat_buf *buf);
/* Fill size, mtime_ms and, where they are not as the class has them, caching,
 * mode and command. BAT_STATE_NOT_FOUND: the node is gone. */
typedef int batfs_tree_measure_fn(struct batfs_tree *tree,
    const struct batfs_node *node, bool want_size, struct batfs_attributes *out,
    struct bat_error *error);
typedef int batfs_tree_read_fn(struct batfs_tree *tree,
    const struct batfs_node *node, uint64_t offset, size_t size,
    struct bat_buf *buf, struct bat_error *error);

struct batfs_tree_class {
	/* The first byte of what an inode number is the hash of. Never changed
	 * and never used twice: backup tools remember inode numbers. */
	char mark;
	enum batfs_keys keys;
	enum batfs_class parent;
	const char *name; /* a fixed one in its parent, or NULL */
	bool listed;	  /* a fixed name that readdir shows */
	enum batfs_type type;
	enum batfs_caching caching;
	enum batfs_tree_access access;
	bool whole;   /* a file that is computed as a whole */
	bool search;  /* a directory that finds and is not to be listed */
	bool appends; /* appends are taken here or below */
	bool past;    /* also there below at/ */
	bool dear;    /* its attributes may cost a look at every event */
	bool frozen;  /* an open one is of the moment of its open */
	bool plain;   /* an append may be opened without O_APPEND */
	batfs_tree_measure_fn *measure;
	/* Files: their bytes; links: their target. */
	batfs_tree_read_fn *read;
	/* What has no fixed name. */
	batfs_tree_spell_fn *spell;
	/* Directories: children besides the fixed ones, or NULL. */
	batfs_tree_find_fn *find;
	batfs_tree_list_fn *list;
};

extern const struct batfs_tree_class batfs_tree_classes[BATFS_CLASS_COUNT];

/* Names and their streams: log/, entities/, scopes/, range/, query/; README. */

batfs_tree_find_fn batfs_tree_find_page, batfs_tree_find_entity,
    batfs_tree_find_scope, batfs_tree_find_member, batfs_tree_find_range,
    batfs_tree_find_query;
batfs_tree_list_fn batfs_tree_list_pages, batfs_tree_list_entities,
    batfs_tree_list_scopes, batfs_tree_list_members;
batfs_tree_spell_fn batfs_tree_spell_root, batfs_tree_spell_page,
    batfs_tree_spell_entity, batfs_tree_spell_scope, batfs_tree_spell_words;
batfs_tree_measure_fn batfs_tree_measure_root, batfs_tree_measure_text,
    batfs_tree_measure_log, batfs_tree_measure_stream,
    batfs_tree_measure_entities, batfs_tree_measure_scopes,
    batfs_tree_measure_scope, batfs_tree_measure_words,
    batfs_tree_measure_range;
batfs_tree_read_fn batfs_tree_read_text, batfs_tree_read_nothing,
    batfs_tree_read_stream;

/* events/ and id/ */

batfs_tree_find_fn batfs_tree_find_in_events, batfs_tree_find_in_shard,
    batfs_tree_find_in_event, batfs_tree_find_id;
batfs_tree_list_fn batfs_tree_list_shards, batfs_tree_list_shard,
    batfs_tree_list_event;
batfs_tree_spell_fn batfs_tree_spell_shard, batfs_tree_spell_event,
    batfs_tree_spell_event_json, batfs_tree_spell_number,
    batfs_tree_spell_number_json, batfs_tree_spell_cause, batfs_tree_spell_end,
    batfs_tree_spell_id;
batfs_tree_measure_fn batfs_tree_measure_events, batfs_tree_measure_shard,
    batfs_tree_measure_event, batfs_tree_measure_value, batfs_tree_measure_end;
batfs_tree_read_fn batfs_tree_read_event, batfs_tree_read_payload,
    batfs_tree_read_value, batfs_tree_read_link;

/* chains/, and what an event's folder says of its chain; at/ */

batfs_tree_find_fn batfs_tree_find_at, batfs_tree_find_in_chains,
    batfs_tree_find_chain, batfs_tree_find_in_chain, batfs_tree_find_effect;
batfs_tree_list_fn batfs_tree_list_chain_bytes, batfs_tree_list_chains,
    batfs_tree_list_chain, batfs_tree_list_effects;
batfs_tree_spell_fn batfs_tree_spell_at_time, batfs_tree_spell_at_ago,
    batfs_tree_spell_chain_byte, batfs_tree_spell_chain,
    batfs_tree_spell_chain_event, batfs_tree_spell_event_chain;
batfs_tree_measure_fn batfs_tree_measure_at_link, batfs_tree_measure_chains,
    batfs_tree_measure_chain_byte, batfs_tree_measure_chain,
    batfs_tree_measure_chain_link, batfs_tree_measure_causal,
    batfs_tree_measure_effects;
batfs_tree_read_fn batfs_tree_read_at_link, batfs_tree_read_chain_link,
    batfs_tree_read_causal;

/* by/ */

batfs_tree_find_fn batfs_tree_find_kind, batfs_tree_find_part,
    batfs_tree_find_last;
batfs_tree_list_fn batfs_tree_list_kinds, batfs_tree_list_parts,
    batfs_tree_list_latest;
batfs_tree_spell_fn batfs_tree_spell_kind, batfs_tree_spell_alias,
    batfs_tree_spell_part, batfs_tree_spell_self, batfs_tree_spell_last;
batfs_tree_measure_fn batfs_tree_measure_kinds, batfs_tree_measure_kind,
    batfs_tree_measure_alias, batfs_tree_measure_part, batfs_tree_measure_leaf,
    batfs_tree_measure_last, batfs_tree_measure_table;
batfs_tree_read_fn batfs_tree_read_alias, batfs_tree_read_leaf,
    batfs_tree_read_last, batfs_tree_read_table;

/* backup/; its mutex is held while files are opened */

batfs_tree_find_fn batfs_tree_find_backup;
batfs_tree_list_fn batfs_tree_list_backup;
batfs_tree_spell_fn batfs_tree_spell_backup;
batfs_tree_measure_fn batfs_tree_measure_backup;
batfs_tree_read_fn batfs_tree_read_backup;

/* tlog/, the transparency log */

batfs_tree_find_fn batfs_tree_find_tlog_level, batfs_tree_find_in_tlog;
batfs_tree_list_fn batfs_tree_list_tlog_levels, batfs_tree_list_tlog;
batfs_tree_spell_fn batfs_tree_spell_tlog;
batfs_tree_measure_fn batfs_tree_measure_tlog;
batfs_tree_read_fn batfs_tree_read_tlog;

/* .ctl and .ctl/frontier */

batfs_tree_find_fn batfs_tree_find_ctl, batfs_tree_find_ctl_target,
    batfs_tree_find_frontier;
batfs_tree_list_fn batfs_tree_list_ctl, batfs_tree_list_frontier;
batfs_tree_spell_fn batfs_tree_spell_ctl, batfs_tree_spell_frontier;
batfs_tree_measure_fn batfs_tree_measure_ctl, batfs_tree_measure_frontier;
batfs_tree_read_fn batfs_tree_read_ctl, batfs_tree_read_frontier;

/* ---- listing (tree_list.c) ------------------------------------------------- */

/* Cookies: what comes and goes by its place in first-seen order, from 1; then
 * fixed names by their class (without this bit where nothing else is listed);
 * then pending things by their ordinal. */
#define BATFS_TREE_COOKIE_FIXED ((uint64_t)1 << 61)
#define BATFS_TREE_COOKIE_PENDING ((uint64_t)1 << 62)

struct batfs_tree_listing {
	batfs_tree_each_fn each;
	batfs_tree_name_fn each_name; /* instead: only names are wanted */
	void *context;
	struct bat_buf name; /* scratch */
};

/* Hand a node to whoever is listing. 0; BAT_END: enough; BAT_WORLD_*. */
int batfs_tree_emit(struct batfs_tree *tree, struct batfs_tree_listing *listing,
    const struct batfs_node *node, uint64_t cookie);

/* Inode numbers of up to so many nodes that are named by what stands in child
 * and, of each, a stored name. */
#define BATFS_TREE_INODES 16
void batfs_tree_inodes(struct batfs_tree *tree, const struct batfs_node *child,
    const struct bat_slice *names, unsigned count, uint64_t *out);
/* The name in such a directory of what has that stored name, onto buf. 0 or
 * BAT_WORLD_NO_MEMORY. */
int batfs_tree_spell_stored(enum batfs_class class, struct bat_slice stored,
    struct bat_buf *buf);

#endif
