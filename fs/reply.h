/*
 * From what the tree says to what the kernel reads: attributes, entries and
 * errors of a reply, and for how long the kernel may keep them.
 */
#ifndef BATFS_REPLY_H
#define BATFS_REPLY_H

#include <fuse_lowlevel.h>

#include "mount.h"

/* Seconds: what never changes. */
#define BATFS_REPLY_FOREVER (365.0 * 86400)

/* The mount of a request. */
struct batfs_mount *batfs_reply_mount(fuse_req_t req);
/* Count a request. */
void batfs_reply_count(fuse_req_t req, enum batfs_stat which);
/* The node of a nodeid; false: it is none of ours and ESTALE was replied. */
bool batfs_reply_node(fuse_req_t req, fuse_ino_t ino, struct batfs_node *out);

void batfs_reply_stat(const struct batfs_mount *mount,
    const struct batfs_node *node, const struct batfs_attributes *attributes,
    struct stat *out);
/* Only what a directory listing without attributes needs. */
void batfs_reply_name_stat(enum batfs_type type, uint64_t inode,
    struct stat *out);
void batfs_reply_bare_stat(const struct batfs_mount *mount,
    const struct batfs_node *node, struct stat *out);
/* Seconds for which the kernel may keep the attributes. */
double batfs_reply_attr_timeout(const struct batfs_attributes *attributes);
/*
 * Everything about a node that a directory entry carries, exact size included.
 * Returns 0, or a positive errno. A node of the past is held by now: when the
 * kernel does not get the entry after all, it is let go again (past.h).
 */
int batfs_reply_entry(const struct batfs_mount *mount,
    const struct batfs_node *node, struct fuse_entry_param *out);

/* Reply with the entry of a node, or with why there is none. */
void batfs_reply_found(fuse_req_t req, const struct batfs_node *node);
/* Reply with the errno of a store code. */
void batfs_reply_code(fuse_req_t req, int code, const struct bat_error *error);

#endif
