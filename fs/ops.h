/*
 * The requests of the kernel. ops.c has the table, the start of a connection
 * and names; the rest stands by theme in ops_dir.c, ops_read.c, ops_write.c
 * and ops_refuse.c. Every handler replies exactly once, or hands the request
 * to somebody who does; none waits for the disk to take a write.
 */
#ifndef BATFS_OPS_H
#define BATFS_OPS_H

#include <fuse_lowlevel.h>

/* The table for fuse_session_new; its user data is a struct batfs_mount. */
const struct fuse_lowlevel_ops *batfs_ops_table(void);

/* ops_dir.c */
void batfs_ops_opendir(fuse_req_t req, fuse_ino_t ino,
    struct fuse_file_info *fi);
void batfs_ops_readdir(fuse_req_t req, fuse_ino_t ino, size_t size,
    off_t offset, struct fuse_file_info *fi);
void batfs_ops_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size,
    off_t offset, struct fuse_file_info *fi);
void batfs_ops_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name,
    mode_t mode);
void batfs_ops_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);

/* ops_read.c */
void batfs_ops_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void batfs_ops_create(fuse_req_t req, fuse_ino_t parent, const char *name,
    mode_t mode, struct fuse_file_info *fi);
void batfs_ops_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
    struct fuse_file_info *fi);
void batfs_ops_readlink(fuse_req_t req, fuse_ino_t ino);
void batfs_ops_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
    struct fuse_pollhandle *poll_handle);

/* ops_write.c */
void batfs_ops_write(fuse_req_t req, fuse_ino_t ino, const char *bytes,
    size_t size, off_t offset, struct fuse_file_info *fi);
void batfs_ops_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void batfs_ops_fsync(fuse_req_t req, fuse_ino_t ino, int data_only,
    struct fuse_file_info *fi);
void batfs_ops_release(fuse_req_t req, fuse_ino_t ino,
    struct fuse_file_info *fi);

/* ops_refuse.c: what an append-only tree does not do */
void batfs_ops_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attributes,
    int which, struct fuse_file_info *fi);
void batfs_ops_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void batfs_ops_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
    fuse_ino_t new_parent, const char *new_name, unsigned flags);
void batfs_ops_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent,
    const char *name);
void batfs_ops_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
    const char *name);
void batfs_ops_mknod(fuse_req_t req, fuse_ino_t parent, const char *name,
    mode_t mode, dev_t device);
void batfs_ops_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
    const char *value, size_t size, int flags);
void batfs_ops_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);
void batfs_ops_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned command,
    void *argument, struct fuse_file_info *fi, unsigned flags, const void *in,
    size_t in_size, size_t out_size);

#endif
