/*
 * The shape of the view: which names exist, what stands below them, their
 * attributes and content. No FUSE. batfs (the mount) and batctl (without one)
 * both answer from here.
 *
 * A node is a value: a class and its keys; entity and scope keys are numbers
 * of the tree's own name table, so that a node means the same when the store
 * renumbers, and can name what does not exist yet (a created empty file, a
 * scope made by mkdir).
 *
 * Walkable: readdir lists only what is finite, acyclic, never blocks and has
 * an exact size. Addressable: answers to its name and is not listed.
 *
 * Threads: any; locks inside (leaf), never held while calling the store for
 * I/O.
 */
#ifndef BATFS_TREE_H
#define BATFS_TREE_H

#include "bat.h"
#include "intake.h"
#include "kinds.h"
#include "rejects.h"
#include "stats.h"
#include "stream.h"

enum batfs_class {
	BATFS_NONE,
	BATFS_ROOT,
	BATFS_README,	    /* README */
	BATFS_ROOT_APPEND,  /* append: lines for any entity */
	BATFS_LOG_ALL,	    /* log.jsonl (addressable) */
	BATFS_LOG_DIR,	    /* log */
	BATFS_LOG_PAGE,	    /* log/NNNNNNNN.jsonl; number */
	BATFS_LOG_TAIL,	    /* log/tail.jsonl */
	BATFS_ENTITIES,	    /* entities */
	BATFS_ENTITY,	    /* entities/<E>; entity */
	BATFS_ENTITY_WORDS, /* entities/<E>,kind=..; entity = whole name */
	BATFS_ENTITY_VIEW,  /* entities/<E>,clock=7,as=brief; likewise */
	BATFS_SCOPES,	    /* scopes */
	BATFS_SCOPE,	    /* scopes/<S>; scope */
	BATFS_MEMBER,	    /* scopes/<S>/<E>; scope, entity */
	BATFS_MEMBER_WORDS, /* scopes/<S>/<E>,kind=.. */
	BATFS_EVENTS,	    /* events */
	BATFS_SHARD,	    /* events/NNNNNNNN; number */
	BATFS_EVENT_JSON,   /* events/NNNNNNNN/NNNNNNNNNNNN.json; number=seq */
	BATFS_EVENT_DIR,    /* events/NNNNNNNN/NNNNNNNNNNNN (addressable) */
	BATFS_EVENT_DIR_JSON, /* .../event.json */
	BATFS_EVENT_PAYLOAD,  /* .../payload */
	BATFS_EVENT_ENTITY,   /* .../entity and so on: one value each */
	BATFS_EVENT_SCOPE,
	BATFS_EVENT_KIND,
	BATFS_EVENT_ID,
	BATFS_EVENT_CORR,
	BATFS_EVENT_HASH,
	BATFS_EVENT_PREV,
	BATFS_EVENT_TIME,
	BATFS_EVENT_RECEIPT,
	BATFS_EVENT_CAUSE,	/* .../cause -> the folder of its cause */
	BATFS_EVENT_CAUSE_GONE, /* .../cause: `gone <id>` */
	BATFS_EVENT_LINK,	/* events/42137 -> its folder; addressable */
	BATFS_EVENT_JSON_LINK,	/* events/42137.json -> its file */
	BATFS_EVENTS_FIRST,	/* events/first, last -> folders */
	BATFS_EVENTS_LAST,
	BATFS_EVENTS_ID,     /* events/id (not to be listed) */
	BATFS_EVENT_ID_LINK, /* events/id/<hex> -> its folder; number=seq */
	BATFS_EVENTS_TAG,    /* events/CACHEDIR.TAG */
	BATFS_EVENT_CHAIN,   /* events/N/N/chain -> its chain */
	BATFS_EVENT_EFFECTS, /* .../effects */
	BATFS_EVENT_EFFECT,  /* .../effects/NNNNNNNNNNNN; number = its seq */
	BATFS_EVENT_CAUSES,  /* .../causes.jsonl */
	BATFS_EVENT_CONSEQUENCES, /* .../consequences.jsonl */
	/* Those below: number = a sequence << 8 | last byte of the name. */
	BATFS_CHAINS,	   /* chains */
	BATFS_CHAINS_TAG,  /* chains/CACHEDIR.TAG */
	BATFS_CHAINS_BYTE, /* chains/<xx>; number = the byte */
	BATFS_CHAIN,	   /* chains/<xx>/<id>; of its first event */
	BATFS_CHAIN_LOG,   /* .../log.jsonl, likewise */
	BATFS_CHAIN_TREE,  /* .../tree.txt */
	BATFS_CHAIN_DOT,   /* .../graph.dot */
	BATFS_CHAIN_EVENT, /* .../NNNNNNNNNNNN -> its folder; of the event */
	BATFS_CHAIN_LINK,  /* chains/<id or prefix> -> the chain, or the folder
			       of its only event; of the first one */
	/* A pin of the store. */
	BATFS_BACKUP,	    /* backup */
	BATFS_BACKUP_PIN,   /* backup/PIN */
	BATFS_BACKUP_SUMS,  /* backup/SHA256SUMS */
	BATFS_BACKUP_STORE, /* backup/store */
	BATFS_BACKUP_FILE,  /* backup/store/NNNNNN.fbat and the few others;
				number = segment << 2 | enum bat_pin_kind */
	/* The transparency log. */
	BATFS_TLOG,	       /* tlog, if there is one */
	BATFS_TLOG_CHECKPOINT, /* tlog/checkpoint */
	BATFS_TLOG_KEY,	       /* tlog/vkey */
	BATFS_TLOG_TILES,      /* tlog/tile */
	BATFS_TLOG_FOLDER, /* tlog/tile/0, x001, 067.p; number: tree_tlog.c */
	BATFS_TLOG_TILE,   /* tlog/tile/0/000, .../000.p/17; likewise */
	/* Places to which words lead. */
	BATFS_RANGES,	 /* range (not to be listed) */
	BATFS_RANGE,	 /* range/<a>..<b>.jsonl; entity = whole name */
	BATFS_QUERIES,	 /* query (not to be listed) */
	BATFS_QUERY,	 /* query/<words>; entity = whole name */
	BATFS_QUERY_LOG, /* query/<words>/log.jsonl */
	BATFS_AT,      /* at (not to be listed); at/<seq> is a root, with .at */
	BATFS_AT_TIME, /* at/<RFC 3339> -> its sequence; number = ms */
	BATFS_AT_AGO,  /* at/-15m; number = seconds */
	BATFS_BY,      /* by */
	BATFS_BY_TAG,  /* by/CACHEDIR.TAG */
	BATFS_BY_KINDS, /* by/kind */
	BATFS_BY_KIND,	/* by/kind/f.001.jsonl; number = kind */
	BATFS_BY_ALIAS, /* by/kind/moved.jsonl -> f.001.jsonl; entity = name */
	BATFS_BY_DENIALS, /* by/denials.jsonl */
	BATFS_BY_NAMES,	  /* by/name */
	/* Those below: entity = a stored name, or what it begins with. */
	BATFS_BY_PART,	     /* by/name/player: a folder */
	BATFS_BY_LEAF,	     /* by/name/player/alice -> the entity */
	BATFS_BY_SELF,	     /* by/name/player/=self -> the entity player */
	BATFS_BY_LOG,	     /* by/name/player/=log.jsonl (addressable) */
	BATFS_BY_LATEST,     /* by/latest */
	BATFS_BY_LAST,	     /* by/latest/<E>.json; entity */
	BATFS_BY_ENTITIES,   /* by/entities.tsv */
	BATFS_BY_SCOPES,     /* by/scopes.tsv */
	BATFS_BY_KIND_TABLE, /* by/kinds.tsv */
	BATFS_BY_CHAINS,     /* by/chains.tsv */
	BATFS_CTL,	     /* .ctl (addressable) */
	BATFS_CTL_FILE,	     /* .ctl/<name>; number = enum batfs_ctl */
	BATFS_CTL_FRONTIER,  /* .ctl/frontier */
	BATFS_CTL_POINT,     /* .ctl/frontier/durable; number = which */
	BATFS_CTL_APPENDS,   /* .ctl/append (not to be listed) */
	BATFS_CTL_APPEND,    /* .ctl/append/<E>; entity = whole name */
	BATFS_CTL_TRIES,     /* .ctl/try (not to be listed) */
	BATFS_CTL_TRY,	     /* .ctl/try/<E>; likewise */
	BATFS_CTL_FOLLOW,    /* .ctl/follow,from=..; entity = whole name */
	BATFS_CTL_VERIFY,    /* .ctl/verify,entity=..; likewise */
	BATFS_CLASS_COUNT
};

enum batfs_ctl {
	BATFS_CTL_VERSION,
	BATFS_CTL_HEAD,
	BATFS_CTL_STATUS,
	BATFS_CTL_CONFIG,
	BATFS_CTL_OPEN_REPORT,
	BATFS_CTL_CHECKPOINT, /* command: a write returns when it is done */
	BATFS_CTL_SYNC,	      /* command */
	BATFS_CTL_PIN,	      /* command */
	BATFS_CTL_REJECTS,
	BATFS_CTL_STATS,
	BATFS_CTL_COMPACT, /* command; it may take minutes */
	BATFS_CTL_COUNT
};

/* Which keys of a node its class uses. */
enum batfs_keys {
	BATFS_KEYS_NOBODY, /* no node has this class */
	BATFS_KEYS_NONE,   /* there is one node of it */
	BATFS_KEYS_ENTITY,
	BATFS_KEYS_SCOPE,
	BATFS_KEYS_MEMBER, /* scope and entity */
	BATFS_KEYS_NUMBER,
};

struct batfs_node {
	enum batfs_class class;
	uint32_t entity, scope; /* numbers of the tree's names */
	uint64_t number;	/* page, shard, sequence, ctl file */
	/* The tree as of a moment: 1 + the last sequence in it; 0: as it is. */
	uint64_t at;
};

#define BATFS_NODE_ROOT ((struct batfs_node){ .class = BATFS_ROOT })

enum batfs_type { BATFS_FILE, BATFS_DIRECTORY, BATFS_SYMLINK };

/* How long and how the kernel may keep it (DESIGN.md, "What the kernel may
 * keep"). */
enum batfs_caching {
	BATFS_CACHE_FOREVER, /* immutable: keep_cache, timeouts of a year */
	BATFS_CACHE_GROWING, /* direct_io, attribute timeout 0, entry long */
	BATFS_CACHE_NONE,    /* computed: direct_io, timeouts 0 */
};

struct batfs_attributes {
	enum batfs_type type;
	uint32_t mode; /* permission bits */
	uint64_t inode;
	uint64_t size;
	int64_t mtime_ms; /* = ctime */
	/* And so many nanoseconds, where size and milliseconds alone would not
	 * tell one content from the next. */
	uint32_t mtime_rest_ns;
	enum batfs_caching caching;
	bool appendable; /* an append may be opened */
	bool command;	 /* .ctl command: plain write */
	bool plain;	 /* an append may be opened without O_APPEND */
};

struct batfs_tree;

struct batfs_tree_options {
	bool read_only;
	const char *default_scope; /* -o scope=, or NULL */
	uint16_t default_kind;	   /* -o kind= */
	/* -o new=: what an append may create. */
	enum { BATFS_NEW_SCOPE, BATFS_NEW_ENTITY, BATFS_NEW_NONE } new_names;
	uint32_t uid, gid; /* of the tree: those of the data directory */
	uint32_t dir_mode, file_mode; /* e.g. 0755, 0644 */
	bool text;
	const struct bat_clock *clock;	 /* NULL: the system's */
	const struct batfs_kinds *kinds; /* -o kinds=, or NULL; borrowed */
	struct bat_gates gates; /* those of the store, to be shown; borrowed */
	/* The whole `.ctl/config`: one fstab line; borrowed. */
	const char *config_line;
};

int batfs_tree_new(struct bat_store *store,
    const struct batfs_tree_options *options, struct batfs_tree **out);
void batfs_tree_free(struct batfs_tree *tree);
struct batfs_rejects *batfs_tree_rejects(struct batfs_tree *tree);
struct batfs_stats *batfs_tree_stats(struct batfs_tree *tree);

/*
 * The child of a directory by its name, strictly in the one spelling that it
 * has. 0; BAT_STATE_NOT_FOUND; BAT_USE_INVALID (parent is no directory);
 * BAT_WORLD_*.
 */
int batfs_tree_lookup(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out);
/* Whether a missing name could never appear here (the kernel may remember). */
bool batfs_tree_absent_for_ever(const struct batfs_node *parent);
/* Attributes with the exact size (may render once). want_size false: size may
 * be left 0 (names and types never wait for sizes). BAT_STATE_NOT_FOUND when
 * the node is gone. */
int batfs_tree_attributes(struct batfs_tree *tree,
    const struct batfs_node *node, bool want_size, struct batfs_attributes *out,
    struct bat_error *error);
/* Type and inode only; never fails, no I/O. */
enum batfs_type batfs_tree_type(const struct batfs_node *node);
enum batfs_keys batfs_tree_keys(enum batfs_class class);
/* Is it computed as a whole (true), or read at offsets? */
bool batfs_tree_is_whole(const struct batfs_node *node);
/* Do its attributes, size included, cost a look at one event at the most? */
bool batfs_tree_is_cheap(const struct batfs_node *node);
/* A growing file of so few lines that a listing may tell its size. */
bool batfs_tree_is_short(struct batfs_tree *tree,
    const struct batfs_node *node);
/* The growing files of an event that batfs_tree_is_short may name: its entity's
 * and that of the entity within its scope. Returns how many the tree named. */
size_t batfs_tree_grown(struct batfs_tree *tree, uint32_t ordinal,
    struct batfs_node out[2]);
/* Is something appended to it or below it? Then what it does not allow is
 * EPERM, as under chattr +a, else EROFS. */
bool batfs_tree_takes_appends(const struct batfs_node *node);
uint64_t batfs_tree_inode(struct batfs_tree *tree,
    const struct batfs_node *node);

/* May a name below it look as if it could be created, which it never can (by/:
 * EROFS)? Elsewhere that is EPERM. */
bool batfs_tree_only_shows(const struct batfs_node *node);

/*
 * List a directory (without "." and ".."): calls each with name and the
 * cookie that resumes behind it (> 0, the first-seen ordinal: valid for ever);
 * a false answer ends the call. cookie 0: from the start. BAT_STATE_DENIED:
 * it only finds (its mode has no r).
 */
typedef bool (*batfs_tree_each_fn)(void *context, const char *name,
    const struct batfs_node *node, uint64_t cookie);
int batfs_tree_list(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t cookie, batfs_tree_each_fn each, void *context);
/* The same for who wants nothing but names, inode numbers and types: no name
 * is numbered for it, so a million of them leave nothing behind. */
typedef bool (*batfs_tree_name_fn)(void *context, const char *name,
    enum batfs_type type, uint64_t inode, uint64_t cookie);
int batfs_tree_list_names(struct batfs_tree *tree,
    const struct batfs_node *node, uint64_t cookie, batfs_tree_name_fn each,
    void *context);
/* The parent, for "..". */
struct batfs_node batfs_tree_parent(struct batfs_tree *tree,
    const struct batfs_node *node);
/*
 * Where a mount begins: at, the name of a moment below at/, and only, a path
 * from there to a directory; both may be NULL. Error texts name the option.
 */
int batfs_tree_start(struct batfs_tree *tree, const char *at, const char *only,
    struct batfs_node *out, struct bat_error *error);
/*
 * What a handle reads that was opened now: the node as of this moment where
 * what it shows changes not only at its end, else the node.
 */
void batfs_tree_freeze(struct batfs_tree *tree, struct batfs_node *node);
/* Path within the mount, no leading '/', for rejects and messages. */
int batfs_tree_path(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf);

/* Bytes of a file from offset; computed files: give the whole content (the
 * caller keeps it per handle). BAT_DATA_CORRUPT when the payload of a damaged
 * event is asked for. */
int batfs_tree_read(struct batfs_tree *tree, const struct batfs_node *node,
    uint64_t offset, size_t size, struct bat_buf *buf, struct bat_error *error);
int batfs_tree_readlink(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_buf *buf);
/*
 * backup/ shows a pin (pin.h). It moves on command, and when its root is opened
 * (tell it with opened) after a minute in which nothing below was open or asked
 * for. What is open keeps the pin in which it was opened: *out, for the two
 * below, NULL for all other nodes; released by the caller.
 */
void batfs_tree_opened(struct batfs_tree *tree, const struct batfs_node *node);
int batfs_tree_keep_pin(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_pin **out, struct bat_error *error);
int batfs_tree_kept_read(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_pin *kept, uint64_t offset, size_t size, struct bat_buf *buf,
    struct bat_error *error);
/* Size and time; the rest of *out is there already. */
int batfs_tree_kept_attributes(struct batfs_tree *tree,
    const struct batfs_node *node, const struct bat_pin *kept,
    struct batfs_attributes *out);
/* The words in the name of a .ctl/follow or .ctl/verify. */
struct batfs_tree_words {
	bool has_from;
	uint64_t from;		 /* a sequence */
	struct bat_slice entity; /* stored; empty: none was said */
};
/* Valid as long as the tree. BAT_USE_INVALID: node is another one. */
int batfs_tree_words(struct batfs_tree *tree, const struct batfs_node *node,
    struct batfs_tree_words *out);
/* A word was written to a .ctl command: do it, and remember how it went for
 * those who read the file. Blocks on the disk. BAT_USE_INVALID: not a command
 * or not a word of it; else what the store says. */
int batfs_tree_command(struct batfs_tree *tree, const struct batfs_node *node,
    struct bat_slice words, struct bat_error *error);

/*
 * Creating (DESIGN.md, "Appending"): an empty file under scopes/<S>/ or
 * entities/ that lives until unmount or its first event; mkdir of a new scope.
 * Returns 0; BAT_STATE_EXISTS; BAT_USE_READ_ONLY (read-only mount);
 * BAT_STATE_DENIED (-o new= forbids it); BAT_USE_INVALID / _NAME_LENGTH (the
 * name); BAT_USE_RESERVED: never possible here (the caller answers EPERM).
 */
int batfs_tree_create(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out, struct bat_error *error);
int batfs_tree_mkdir(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name, struct batfs_node *out, struct bat_error *error);
/* Only a scope that mkdir made and that has nothing. BAT_USE_RESERVED for
 * anything else. */
int batfs_tree_rmdir(struct batfs_tree *tree, const struct batfs_node *parent,
    struct bat_slice name);

/* Where an append on this node goes, and its resolver (both valid as long as
 * the tree). BAT_USE_INVALID: not appendable. */
int batfs_tree_place(struct batfs_tree *tree, const struct batfs_node *node,
    struct batfs_intake_place *out, struct batfs_intake_resolver *resolver);
/* Before a batch: does -o new= allow what these drafts would create? Returns
 * how many of the first drafts are allowed; fewer: *error says why the next
 * one is not (BAT_STATE_DENIED). */
size_t batfs_tree_admit(struct batfs_tree *tree, const struct bat_draft *drafts,
    size_t count, struct bat_error *error);

#endif
