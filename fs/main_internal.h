/* What the parts of main share. Not for others. */
#ifndef BATFS_MAIN_INTERNAL_H
#define BATFS_MAIN_INTERNAL_H

#include "committer.h"
#include "gates.h"
#include "mount.h"
#include "runner.h"
#include "session.h"

struct program {
	struct batfs_options options;
	char *data_dir, *mountpoint; /* resolved */
	bool on_file;		     /* the mountpoint is one */
	struct batfs_kinds *kinds;   /* NULL: no names were given */
	struct bat_buf config;	     /* .ctl/config, with a NUL */
	struct bat_buf ready;	     /* what is said when all works */
	struct batfs_supervisor *supervisor;
	struct batfs_gates *gates; /* NULL: there are none */
	struct fuse_session *session;
	int dead_end; /* for the end of the session */
	bool mounted;
	struct batfs_committer *committer;
	struct batfs_runner *runner;
	struct batfs_mount mount;
};

/* The paths and the names of kinds: nothing is opened yet. 0, or what went
 * wrong. */
int batfs_main_look(struct program *program, struct bat_error *error);
/* The gates, the store and its tree, as far as a mount needs them; and the line
 * that says so. What was made is undone by main, also after a failure. */
int batfs_main_open(struct program *program, struct bat_error *error);

#endif
