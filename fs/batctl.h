/*
 * What the parts of batctl share: exit statuses, the commands, and the tree of
 * a data directory, read without a mount and without a lock.
 *
 * A command is given its arguments behind its name and answers an exit status;
 * errors are on stderr by then.
 */
#ifndef BATFS_BATCTL_H
#define BATFS_BATCTL_H

#include "tree.h"

enum {
	BATCTL_DONE = 0,   /* and nothing is wrong */
	BATCTL_WRONG = 1,  /* damage, a path that is not there, ... */
	BATCTL_CANNOT = 2, /* wrong usage, no store, a disk that fails, ... */
	BATCTL_USAGE = -1, /* for main alone: say how it is used */
};

int batfs_batctl_ls(int argc, char **argv);
int batfs_batctl_cat(int argc, char **argv);
int batfs_batctl_stat(int argc, char **argv);
int batfs_batctl_find(int argc, char **argv);
int batfs_batctl_tar(int argc, char **argv);
int batfs_batctl_inspect(int argc, char **argv);
int batfs_batctl_repair(int argc, char **argv);
int batfs_batctl_verify(int argc, char **argv);
int batfs_batctl_prove(int argc, char **argv);
int batfs_batctl_renew_log(int argc, char **argv);
int batfs_batctl_salvage(int argc, char **argv);
int batfs_batctl_append(int argc, char **argv);
int batfs_batctl_checkpoint(int argc, char **argv);
int batfs_batctl_compact(int argc, char **argv);
int batfs_batctl_backup(int argc, char **argv);
int batfs_batctl_restore_check(int argc, char **argv);
int batfs_batctl_doctor(int argc, char **argv);

struct batfs_batctl {
	struct batfs_kinds *kinds; /* NULL: kinds have no names */
	struct bat_store *store;
	struct batfs_tree *tree;
	uint32_t uid, gid;
};

/* Is it --kinds=FILE? Then that is read; what is wrong with it is in error,
 * whose code is 0 otherwise. Before batfs_batctl_open. */
bool batfs_batctl_take_kinds(struct batfs_batctl *ctl, const char *argument,
    struct bat_error *error);
/* The store and its tree; the caller closes, also after a failure. */
int batfs_batctl_open(struct batfs_batctl *ctl, const char *data_dir,
    const struct bat_options *how, struct bat_error *error);
/* Of a store that was only read. */
void batfs_batctl_close(struct batfs_batctl *ctl);

/* The names of a directory, each with its node, in the order of the tree. */
struct batfs_batctl_entry {
	size_t name; /* its place in names, with a NUL behind it */
	struct batfs_node node;
};
struct batfs_batctl_names {
	struct bat_buf names;
	struct batfs_batctl_entry *entries;
	size_t count, capacity;
	bool failed; /* no memory */
};

/*
 * The node that a path names, as the kernel would find it: links on the way
 * are followed, the last name's only with follow. Returns 0,
 * BAT_STATE_NOT_FOUND or what the tree says, with a sentence.
 */
int batfs_batctl_resolve(struct batfs_batctl *ctl, const char *path,
    bool follow, struct batfs_node *out, struct bat_error *error);
/* Returns 0 or what the tree says; free in either case. */
int batfs_batctl_list(struct batfs_batctl *ctl, const struct batfs_node *node,
    struct batfs_batctl_names *out, struct bat_error *error);
void batfs_batctl_names_free(struct batfs_batctl_names *names);

/* What walk calls for each node; path is as find(1) would print it. A non-zero
 * answer ends the walk. */
typedef int (*batfs_batctl_visit_fn)(struct batfs_batctl *ctl, void *context,
    const char *path, const struct batfs_node *node, struct bat_error *error);
/* The node and everything that is listed below it, parents first. */
int batfs_batctl_walk(struct batfs_batctl *ctl, const char *path,
    const struct batfs_node *node, batfs_batctl_visit_fn visit, void *context,
    struct bat_error *error);

/* The bytes of a file to stdout. */
int batfs_batctl_copy(struct batfs_batctl *ctl, const struct batfs_node *node,
    uint64_t *out_size, struct bat_error *error);
/* Bytes to stdout: 0 or BAT_WORLD_IO. */
int batfs_batctl_put(struct bat_slice bytes, struct bat_error *error);

/* What failed, on stderr, with the path that it was about where the text does
 * not name it. Returns BATCTL_CANNOT. */
int batfs_batctl_complain(const char *path, const struct bat_error *error);

/* A file, "-" for standard input; a verifier key as it stands there, else from
 * the file of that name. 0; anything else was said on stderr. */
int batfs_batctl_read_file(const char *path, struct bat_buf *out);
int batfs_batctl_read_key(const char *text, struct bat_buf *out);

/* Is a path, which need not be there yet, a directory's or below it? */
bool batfs_batctl_is_inside(const char *path, const char *directory);

#endif
