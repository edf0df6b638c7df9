/*
 * What all requests of a mount share. main makes it; libfuse hands it to every
 * operation as its user data.
 */
#ifndef BATFS_MOUNT_H
#define BATFS_MOUNT_H

#include <sys/types.h>

#include "append.h"
#include "chores.h"
#include "handle.h"
#include "options.h"
#include "past.h"
#include "shares.h"
#include "spare.h"
#include "tree.h"
#include "unopened.h"

struct batfs_notify;
struct batfs_waiting;

struct batfs_mount {
	const struct batfs_options *options;
	struct bat_store *store;
	struct batfs_tree *tree;
	int data_dir; /* O_PATH, for statfs */
	uid_t uid;    /* of everything in the tree */
	gid_t gid;
	struct batfs_shares shares;
	struct batfs_handles handles;
	struct batfs_spares spares;
	/* The kernel asks for no opens: nothing here changes (-o at=). */
	bool without_opens;
	struct batfs_unopened unopened;
	struct batfs_append_world appends;
	struct batfs_chores *chores;
	struct batfs_chores *long_chores; /* compaction */
	struct batfs_notify *notify;
	struct batfs_node root; /* what is mounted: all, or as of a moment */
	struct batfs_past *past;
	struct batfs_waiting *waiting;
	/* The first request came: the mount works. */
	void (*ready)(void *context);
	void *context;
};

#endif
