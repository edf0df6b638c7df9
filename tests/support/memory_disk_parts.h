/*
 * What the parts of the memory disk share. Not for others.
 */
#ifndef TEST_MEMORY_DISK_PARTS_H
#define TEST_MEMORY_DISK_PARTS_H

#include "memory_disk.h"

/* Bytes of a file, shared by disks and halves until somebody writes. NULL is
 * an empty file. */
struct memory_content {
	unsigned refs;
	bool hashed;
	uint64_t hash;
	size_t size, capacity;
	uint8_t bytes[];
};

struct memory_name {
	char name[MEMORY_DISK_NAME_SIZE];
	unsigned inode;
};

struct memory_names {
	struct memory_name *list;
	size_t count, capacity;
};

/* What is seen, and what is on disk. */
struct memory_half {
	struct memory_content *content; /* of a file */
	struct memory_names names;	/* of a directory */
};

struct memory_inode {
	enum bat_file_type type;
	uint32_t mode;
	int64_t changed_ns;
	bool lost; /* pages that count as clean and are not on disk */
	char name[MEMORY_DISK_NAME_SIZE]; /* for the log */
	struct memory_half seen, disk;
};

struct memory_fd {
	bool open, locks;
	unsigned inode;
	int flags;
	char name[MEMORY_DISK_NAME_SIZE]; /* that it holds; "": none */
};

struct memory_disk {
	struct bat_disk door;
	enum memory_disk_model model;
	uint64_t random;
	int64_t now_ns;
	uint64_t limit;
	struct memory_inode *inodes; /* never given back; 0 is "/" */
	size_t inode_count, inode_capacity;
	struct memory_fd *fds;
	size_t fd_count, fd_capacity;
	struct memory_disk_op **pending;
	size_t pending_count, pending_capacity;
	struct memory_disk_op **log;
	size_t log_count, log_capacity;
	memory_disk_watch_fn watch;
	void *watch_context;
};

/* Of an open descriptor; another aborts. */
struct memory_inode *memory_disk_node(struct memory_disk *disk, int fd);
/* What is seen in a directory; NULL of a file. */
struct memory_names *memory_disk_names(struct memory_disk *disk, int fd);
int memory_disk_make_fd(struct memory_disk *disk, unsigned inode, int flags);
void memory_disk_fill_changes(struct bat_disk *door);

/* Never NULL. */
void *memory_disk_grow(void *old, size_t size);

void memory_content_drop(struct memory_content *content);
struct memory_content *memory_content_share(struct memory_content *content);
/* Both take over *content and put the result there. bytes NULL: zeros. */
void memory_content_write(struct memory_content **content, uint64_t offset,
    const uint8_t *bytes, size_t length);
void memory_content_resize(struct memory_content **content, uint64_t size);
uint64_t memory_content_hash(struct memory_content *content);
size_t memory_content_size(const struct memory_content *content);

#define MEMORY_NO_INODE UINT32_MAX
unsigned memory_names_find(const struct memory_names *names, const char *name);
void memory_names_set(struct memory_names *names, const char *name,
    unsigned inode);
void memory_names_unset(struct memory_names *names, const char *name);
void memory_names_copy(const struct memory_names *from,
    struct memory_names *to);

unsigned memory_disk_make_inode(struct memory_disk *disk,
    enum bat_file_type type, uint32_t mode);
void memory_disk_drop_op(struct memory_disk_op *op);
/* Copy op, make it pending unless it is of those that are not, log it. The
 * names are not yet changed by it. */
struct memory_disk_op *memory_disk_note(struct memory_disk *disk,
    const struct memory_disk_op *op);
/* Do to a half of its inode what op says. */
void memory_disk_apply(struct memory_half *half,
    const struct memory_disk_op *op, const struct memory_disk_fate *fate);
/* The sync of one inode. */
void memory_disk_commit(struct memory_disk *disk, unsigned inode,
    bool names_too);
/* Seen becomes what disk and pending operations make. */
void memory_disk_forget_clean(struct memory_disk *disk, unsigned inode);

#endif
