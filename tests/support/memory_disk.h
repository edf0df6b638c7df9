/*
 * A disk in memory with two halves: what processes see, and what a power cut
 * would leave. Between them stand the pending operations; from any subset of
 * them a crash state can be made, which is such a disk again.
 *
 * Two models. STRICT is what POSIX promises: bytes are on disk by an fsync of
 * their file, names by an fsync of their directory, and anything pending may
 * reach the disk in any order or not at all. EXT4 is what that file system
 * does with data=ordered: an fsync of a file commits the journal, so every
 * name changed before; names reach the disk in their order; bytes of a file
 * reach it from the front.
 *
 * A failed sync marks pages clean (memory_disk_lose): what was pending of that
 * file is seen, never written, and gone after a crash or a dropped cache.
 *
 * Calling sequence: memory_disk_new; give memory_disk_door to the code under
 * test; memory_disk_crash, memory_disk_copy whenever wanted; free each. All
 * files live under "/", which always exists, or in a folder of it. Threads: one. Whatever cannot be
 * (no memory, a name that is too long) aborts: it is the test's ground.
 */
#ifndef TEST_MEMORY_DISK_H
#define TEST_MEMORY_DISK_H

#include "file.h"

#define MEMORY_DISK_NAME_SIZE 48
#define MEMORY_DISK_SECTOR 512

enum memory_disk_model { MEMORY_DISK_STRICT, MEMORY_DISK_EXT4 };

enum memory_disk_kind {
	/* These can be pending. */
	MEMORY_DISK_WRITE,    /* offset, length */
	MEMORY_DISK_TRUNCATE, /* offset: the new size */
	MEMORY_DISK_CREATE,   /* name: a file or a directory appears */
	MEMORY_DISK_RENAME,   /* from, name */
	MEMORY_DISK_UNLINK,   /* name */
	/* These are only told to who watches. */
	MEMORY_DISK_SYNC,
	MEMORY_DISK_LOST_SYNC, /* it failed, see memory_disk_lose */
};

struct memory_disk_op {
	enum memory_disk_kind kind;
	unsigned inode; /* of the file, or of the directory */
	uint64_t offset, length;
	const uint8_t *bytes;		  /* of a write */
	unsigned target;		  /* inode under name */
	char name[MEMORY_DISK_NAME_SIZE]; /* of a write: of its file */
	char from[MEMORY_DISK_NAME_SIZE];
	unsigned refs; /* several disks share it */
};

/* What becomes of a pending operation in a crash. The last three are for
 * writes. */
enum memory_disk_fate_kind {
	MEMORY_DISK_NOT,   /* it never happened */
	MEMORY_DISK_WHOLE, /* it is on disk */
	MEMORY_DISK_TORN,  /* only its first `bytes` bytes */
	/* The file has its full size; from `bytes` on it was not written:
	 * zeros, or what stood there. */
	MEMORY_DISK_ZEROED,
	/* The same, but each sector by itself: written when its bit is set;
	 * bit 0 is the first one that the write touches. */
	MEMORY_DISK_SECTORS,
};

struct memory_disk_fate {
	enum memory_disk_fate_kind kind;
	uint64_t bytes;
	uint64_t sectors;
};

struct memory_disk;

struct memory_disk *memory_disk_new(enum memory_disk_model model,
    uint64_t seed);
void memory_disk_free(struct memory_disk *disk);
const struct bat_disk *memory_disk_door(struct memory_disk *disk);
/* Both halves as they are, nothing open and nothing locked: what the next
 * process finds after this one was killed. Also a way to go back. */
struct memory_disk *memory_disk_copy(const struct memory_disk *disk);

/* ---- crashes --------------------------------------------------------- */

size_t memory_disk_pending_count(const struct memory_disk *disk);
/* In the order in which they were done; valid until the next operation. */
const struct memory_disk_op *memory_disk_pending(const struct memory_disk *disk,
    size_t i);
/* May this be left in this disk's model? fates has one for each pending
 * operation. */
bool memory_disk_may_leave(const struct memory_disk *disk,
    const struct memory_disk_fate *fates);
/* The disk after a power cut and a new start. */
struct memory_disk *memory_disk_crash(const struct memory_disk *disk,
    const struct memory_disk_fate *fates);
/* Of all names and bytes that a process sees. */
uint64_t memory_disk_hash(const struct memory_disk *disk);

/* ---- troubles -------------------------------------------------------- */

/* fd's sync failed, and what was pending of it now counts as clean. */
void memory_disk_lose(struct memory_disk *disk, int fd);
/* So many bytes in all files together; 0: as many as one likes. A write that
 * does not fit is short, or -ENOSPC. */
void memory_disk_limit(struct memory_disk *disk, uint64_t bytes);
uint64_t memory_disk_used(const struct memory_disk *disk);
/* How many descriptors are open. */
unsigned memory_disk_open_count(const struct memory_disk *disk);

/* ---- watching -------------------------------------------------------- */

/* Called after each operation that changed something, and each sync. It may
 * make crash states; it must not change this disk. NULL: nobody. */
typedef void (*memory_disk_watch_fn)(void *context, struct memory_disk *disk,
    const struct memory_disk_op *op);
void memory_disk_watch(struct memory_disk *disk, memory_disk_watch_fn watch,
    void *context);
/* Everything that was done since this disk was made, a line each. */
void memory_disk_print_log(const struct memory_disk *disk, struct bat_buf *out);
void memory_disk_print_op(const struct memory_disk_op *op, struct bat_buf *out);

/* Write what is seen into a directory of the real disk, which is made. */
void memory_disk_export(const struct memory_disk *disk, const char *path);

/* Where its memory comes from; a test that fails allocations of the code under
 * test puts the real one here. */
extern void *(*memory_disk_realloc)(void *old, size_t size);

#endif
