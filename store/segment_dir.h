/*
 * The data directory: what lies in it by name (FORMAT.md 1.2), the ordered
 * list of its segments, and their open descriptors.
 *
 * Calling sequence: bat_segment_dir_open, then bat_segment_dir_scan (again
 * after the directory changed), bat_segment_dir_close.
 *
 * Invariants: segments ascend by id, no id twice; a descriptor handed out by
 * bat_segment_dir_hold stays valid until bat_segment_dir_release, also when
 * the file is unlinked or replaced and the directory scanned again. Threads:
 * find, add, ids, hold and release lock inside (order 4, no other lock is taken
 * below), so does scan, but for what find handed out; who reads the list or the
 * flags keeps scan and add away; close needs the caller to be alone.
 */
#ifndef BAT_SEGMENT_DIR_H
#define BAT_SEGMENT_DIR_H

#include "error.h"
#include "file.h"
#include "owner.h"
#include "segment.h"

#include <pthread.h>

#define BAT_SEGMENT_DIR_LOCK ".batpak.lock"
#define BAT_SEGMENT_DIR_MARKER "compaction.pending.json"
/* A merged segment that is being written (compaction.h). */
#define BAT_SEGMENT_DIR_UNFINISHED ".tmp.compaction"

struct bat_segment_info {
	uint64_t id;
	struct bat_file_stat stat; /* at the scan */
	/* The file to read under this id: canonical name, or the .compact-src
	 * that stands in for it. */
	char name[BAT_SEGMENT_NAME_SIZE + 16];
	int fd;		/* -1: not open */
	unsigned holds; /* guarded by the directory's mutex */
};

/* Descriptors of files that a scan did not find again while they were held. */
struct bat_segment_retired;

struct bat_segment_dir {
	const struct bat_disk *disk;
	int dir;     /* descriptor of the data directory */
	bool shared; /* it is another one's */
	int lock_fd; /* -1: not locked */
	uint64_t lock_inode;
	struct bat_owner owner; /* with the lock */
	struct bat_segment_info *segments;
	size_t count;
	size_t capacity;
	/* Segments that are no regular files are passed over, not refused: set
	 * by who looks at a directory in whatever state, before the scan. */
	bool tolerant;
	unsigned irregular_count; /* so many */
	/* Where the disk fails to read a block of a segment, that block is lost
	 * and no more: set by who only looks (segment_reader.h). */
	bool reads_around;
	/* Names that look like segments and are none (`1.fbat`, `x.fbat`). */
	unsigned malformed_count;
	/* The id of a NNNNNN.fbat.compact-src; has_compact_src says if any. It
	 * stands in for its segment when there is a marker and no file of the
	 * canonical name. */
	uint64_t compact_src_id;
	bool has_compact_src, has_marker, has_hidden, has_checkpoint,
	    has_rowindex, has_lock, has_unfinished;
	/* Anything that is neither of these nor .batfs, cursors or .tmp*. */
	bool has_other;
	pthread_mutex_t mutex;
	/* Guarded by the mutex: open and not held; where to look for one of
	 * these to close; what outlived its name. */
	size_t idle_count;
	size_t idle_hand;
	struct bat_segment_retired *retired;
	size_t retired_count;
};

/*
 * Open path as a directory. create: make it when absent. Returns 0;
 * BAT_WORLD_ABSENT; BAT_WORLD_IO.
 */
int bat_segment_dir_open(struct bat_segment_dir *dir,
    const struct bat_disk *disk, const char *path, bool create,
    struct bat_error *error);
void bat_segment_dir_close(struct bat_segment_dir *dir);
/*
 * A second view of the same directory, with a list and descriptors of its own;
 * the first one outlives it. 0; BAT_WORLD_*.
 */
int bat_segment_dir_share(struct bat_segment_dir *dir,
    const struct bat_segment_dir *of, struct bat_error *error);
/*
 * Take the lock (flock on .batpak.lock, O_NOFOLLOW, made when absent): 0,
 * BAT_WORLD_LOCKED, BAT_WORLD_IO. Held until close.
 */
int bat_segment_dir_lock(struct bat_segment_dir *dir, struct bat_error *error);
/*
 * Is what a writer rests on still where it was found: the lock under its name,
 * and, with newest, the last segment of the list? Who removes files, or the
 * directory, is not held by a lock; what is written then has no name, and who
 * takes away the lock lets another writer in. 0; BAT_WORLD_IO with a sentence.
 * Without a lock nothing is asked. The list is the caller's to keep still.
 */
int bat_segment_dir_confirm(const struct bat_segment_dir *dir, bool newest,
    struct bat_error *error);
/* Is the owner's record still ours (owner.h)? Without a lock nothing is asked.
 * For where a segment begins or ends: it opens a folder. */
int bat_segment_dir_confirm_owner(struct bat_segment_dir *dir,
    struct bat_error *error);
/* Read the directory and stat its segments. Segment files that are no regular
 * files: BAT_DATA_REFUSED. Descriptors of segments that are still the same
 * file (id and inode) are kept. */
int bat_segment_dir_scan(struct bat_segment_dir *dir, struct bat_error *error);
/*
 * The same in two steps, for who has to look before the list changes: what is
 * there, as a list and flags in *found; and taking it over. A list that is not
 * adopted is dropped; adopt drops it also when it fails.
 */
int bat_segment_dir_list(const struct bat_segment_dir *dir,
    struct bat_segment_dir *found, struct bat_error *error);
int bat_segment_dir_adopt(struct bat_segment_dir *dir,
    struct bat_segment_dir *found, struct bat_error *error);
void bat_segment_dir_drop(struct bat_segment_dir *found);
/* NULL when there is no such segment; valid until the next scan or add. */
struct bat_segment_info *bat_segment_dir_find(struct bat_segment_dir *dir,
    uint64_t id);
/* Note a segment that was just made under dir (id above all others). */
int bat_segment_dir_add(struct bat_segment_dir *dir, uint64_t id,
    struct bat_error *error);
/* The ids of all segments, ascending; the caller frees *out_ids. 0 or
 * BAT_WORLD_NO_MEMORY (then it is NULL). */
int bat_segment_dir_ids(struct bat_segment_dir *dir, uint64_t **out_ids,
    size_t *out_count);
/* Take a segment that nobody holds out of the list: its file is not read. */
void bat_segment_dir_forget(struct bat_segment_dir *dir, uint64_t id);
/* An open descriptor of a segment, opened when needed; at most 64 unheld ones
 * stay open. 0, BAT_WORLD_ABSENT (also: its name is another file's by now),
 * BAT_DATA_REFUSED, BAT_WORLD_IO. */
int bat_segment_dir_hold(struct bat_segment_dir *dir, uint64_t id, int *out_fd,
    struct bat_error *error);
void bat_segment_dir_release(struct bat_segment_dir *dir, uint64_t id);
/* Close what nobody holds. */
void bat_segment_dir_close_idle(struct bat_segment_dir *dir);

#endif
