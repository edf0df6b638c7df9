/*
 * The command line: `batfs [options] DATADIR MOUNTPOINT`, also as mount(8)
 * calls it. Words that nobody knows are errors that name the word. All
 * defaults stand in BATFS_OPTIONS_DEFAULT.
 *
 * Calling sequence: batfs_options_parse, use, batfs_options_free (also after
 * a failure). Threads: one.
 */
#ifndef BATFS_OPTIONS_H
#define BATFS_OPTIONS_H

#include "bat.h"
#include "sandbox.h"
#include "tree.h"

struct batfs_options {
	const char *data_dir, *mountpoint; /* as typed; of argv */
	bool foreground, debug, single, help, version;
	/* What is shown and how it is written. */
	bool read_only, no_create, text, stamp;
	char *at, *only;     /* a moment, which is read-only; a path; owned */
	char *default_scope; /* NULL: none; owned */
	char *kinds;	     /* a file of names of kinds, or NULL; owned */
	char *gates;	     /* a directory of programs, or NULL; owned */
	unsigned gate_limit; /* seconds that each has for an answer */
	uint16_t default_kind;
	unsigned new_names; /* BATFS_NEW_* */
	enum bat_durability durability;
	enum bat_index_choice index;
	bool tlog;	/* begin a transparency log */
	char *tlog_key; /* its key is here; absolute; NULL: beside it; owned */
	uint64_t checkpoint_seconds; /* 0: no timer */
	uint64_t segment_bytes;	     /* how large a segment grows */
	uint64_t ahead_bytes;	     /* steps of space ahead; 0: none */
	/* The mount itself. */
	bool allow_other, allow_root, clone_fd;
	bool noatime, nodiratime, synchronous;
	enum batfs_sandbox_mode sandbox;
	unsigned max_threads;
	unsigned max_read;	/* 0: what the kernel likes */
	char *fsname, *subtype; /* NULL: the data directory, "batfs"; owned */
};

#define BATFS_OPTIONS_DEFAULT                                                  \
	((struct batfs_options){                                               \
	    .default_kind = BAT_KIND_DATA,                                     \
	    .new_names = BATFS_NEW_SCOPE,                                      \
	    .durability = BAT_DURABLE_EACH,                                    \
	    .index = BAT_INDEX_AUTO,                                           \
	    .checkpoint_seconds = 300,                                         \
	    .gate_limit = 5,                                                   \
	    .segment_bytes = 256 << 20,                                        \
	    .max_threads = 10,                                                 \
	})

/* Returns 0; BAT_USE_INVALID (what, in error); BAT_WORLD_NO_MEMORY. With help
 * or version nothing else is looked at. */
int batfs_options_parse(int argc, char **argv, struct batfs_options *out,
    struct bat_error *error);
void batfs_options_free(struct batfs_options *options);

/*
 * Every option that is in effect as one line of fstab, newline included, for
 * `.ctl/config`. data_dir and mountpoint as resolved. 0 or
 * BAT_WORLD_NO_MEMORY.
 */
int batfs_options_config_line(const struct batfs_options *options,
    const char *data_dir, const char *mountpoint, struct bat_buf *buf);
/* What libfuse and the kernel are told, as the list behind one -o, with a NUL.
 * 0 or BAT_WORLD_NO_MEMORY. */
int batfs_options_fuse_words(const struct batfs_options *options,
    const char *data_dir, struct bat_buf *buf);
/* The text of -h. */
const char *batfs_options_usage(void);

#endif
