/*
 * Who writes to a data directory, where the lock cannot tell: two FUSE or
 * network mounts of one directory each have locks of their own.
 *
 * A writer that has the lock leaves a record, .batfs/owner (FORMAT.md 9.11),
 * and holds the name that stands in it, an abstract socket, for as long as it
 * lives: the kernel frees it with the last descriptor, so a record whose name
 * is free is of a dead writer, and nobody has to remove it. A record is
 * replaced only by who holds its name meanwhile, and made only where there is
 * none; so of two that come at once one gets it.
 *
 * A name is seen within one network namespace of one kernel. Beyond that:
 *
 *   same kernel, same lock file      dead: we have its lock
 *   both on file systems that number
 *     their files, and two files     a copy: the record is not of this one
 *   same machine, another boot       dead: it ended with its kernel
 *   another boot, both on file       dead, or of the directory that this
 *     systems that number their      is a copy of: such a file system is
 *     files                          mounted by one kernel
 *   anything else                    it may live: refused, and the remedy is
 *                                    to look, and to remove the record
 *
 * Calling sequence: BAT_OWNER_NONE, bat_owner_take, any number of
 * bat_owner_confirm, bat_owner_leave. Threads: one at a time.
 */
#ifndef BAT_OWNER_H
#define BAT_OWNER_H

#include "error.h"
#include "file.h"

#define BAT_OWNER_SIDE ".batfs"
#define BAT_OWNER_FILE "owner"
/* The name of the socket is this and the token. */
#define BAT_OWNER_NAME "batfs-"
enum { BAT_OWNER_TOKEN_SIZE = 33 }; /* hex, and a NUL */

struct bat_owner {
	int name_fd;	/* holds the name; -1: we own nothing */
	bool recorded;	/* false: there was no space for it yet */
	uint64_t inode; /* of the record */
	int64_t mtime_ns;
	char token[BAT_OWNER_TOKEN_SIZE];
	struct bat_file_place place;
};

#define BAT_OWNER_NONE ((struct bat_owner){ .name_fd = -1 })

/* Ours has some 250 bytes. */
enum { BAT_OWNER_RECORD_MAX = 1024 };

/* What a record says. */
struct bat_owner_record {
	char token[BAT_OWNER_TOKEN_SIZE];
	struct bat_file_place place;
};

/*
 * dir: the data directory; lock_fd: its lock, which is held. 0; also when no
 * space is left for the record, which bat_owner_confirm then makes.
 * BAT_WORLD_LOCKED: another writer lives, or may (the text says what to do).
 * BAT_WORLD_*, BAT_STATE_STOPPED (a sync failed): nothing is owned.
 */
int bat_owner_take(struct bat_owner *owner, const struct bat_disk *disk,
    int dir, int lock_fd, struct bat_error *error);
/*
 * Is the record still ours? Asked where a segment begins and where one ends,
 * one stat each time. 0; BAT_STATE_STOPPED: it is another's, or
 * gone; as bat_owner_take, when it had to be made. Who owns nothing is not
 * asked.
 */
int bat_owner_confirm(struct bat_owner *owner, const struct bat_disk *disk,
    int dir, struct bat_error *error);
/* Remove the record if it is ours, and free the name. Not synced: a record
 * that comes back is of a dead writer. */
void bat_owner_leave(struct bat_owner *owner, const struct bat_disk *disk,
    int dir);

/* Onto *buf. 0; BAT_WORLD_NO_MEMORY. */
int bat_owner_encode(const struct bat_owner_record *record,
    struct bat_buf *buf);
/* Only what bat_owner_encode makes, byte for byte, is a record: 0, else
 * BAT_DATA_CORRUPT; BAT_WORLD_NO_MEMORY. */
int bat_owner_decode(struct bat_slice file, struct bat_owner_record *out);

#endif
