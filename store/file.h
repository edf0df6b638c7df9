/*
 * The only door to the disk. Everything that store/ does to a file goes
 * through a struct bat_disk: a table of functions, so that a test can keep the
 * files in memory, break the Nth call, or cut the power.
 *
 * Raw operations (the table) return what the system call returns, or a
 * negative errno. The bat_file_* functions below are what modules call: they
 * retry EINTR, finish short reads and writes, and fill a struct bat_error.
 *
 * Names are relative to an open directory descriptor and never hold a '/'.
 * Symbolic links are never followed at the last component (O_NOFOLLOW), only
 * regular files are opened (else BAT_DATA_REFUSED). Threads: any.
 */
#ifndef BAT_FILE_H
#define BAT_FILE_H

#include "bytes.h"
#include "error.h"

#include <sys/types.h>

enum bat_file_type { BAT_FILE_REGULAR, BAT_FILE_DIRECTORY, BAT_FILE_OTHER };

struct bat_file_stat {
	enum bat_file_type type;
	uint32_t mode; /* permission bits */
	uint32_t uid, gid;
	uint64_t inode;
	uint64_t size; /* bytes */
	int64_t mtime_ns;
	int64_t ctime_ns;
	uint64_t link_count;
};

/* Who we are, and where a file lies. */
struct bat_file_place {
	char boot[48];	  /* which run of which kernel; "": not known */
	char machine[48]; /* /etc/machine-id; "": not known */
	uint64_t network; /* its namespace, in which names are seen; 0: ? */
	uint64_t pid;
	uint64_t device, inode;
	/* These two are of this file and no other, by whatever path it is
	 * seen; false: a file system over another one gave them out. */
	bool numbered;
};

/* Called for each name but "." and ".."; a non-zero return ends the listing
 * and is handed back. */
typedef int (*bat_file_list_fn)(void *context, const char *name);

struct bat_disk {
	void *context;
	/* path may be any path, and lead through symbolic links; create makes
	 * it and missing parents, mode 0777 less the umask, each synced into
	 * its parent. */
	int (*open_dir)(void *context, const char *path, bool create);
	int (*open_dir_at)(void *context, int dir, const char *name);
	/* flags as open(2); O_NOFOLLOW | O_CLOEXEC are added, and O_NONBLOCK |
	 * O_NOCTTY, so that a pipe or a terminal in a file's place does no
	 * harm. */
	int (*open_at)(void *context, int dir, const char *name, int flags,
	    unsigned mode);
	int (*close)(void *context, int fd);
	ssize_t (*read_at)(void *context, int fd, void *to, size_t length,
	    uint64_t offset);
	ssize_t (*write_at)(void *context, int fd, const void *from,
	    size_t length, uint64_t offset);
	int (*sync)(void *context, int fd); /* fsync, also of directories */
	int (*sync_data)(void *context, int fd); /* fdatasync */
	int (*truncate)(void *context, int fd, uint64_t size);
	/* replace false: -EEXIST when `to` is there. */
	int (*rename_at)(void *context, int dir, const char *from,
	    const char *to, bool replace);
	int (*unlink_at)(void *context, int dir, const char *name);
	int (*mkdir_at)(void *context, int dir, const char *name, mode_t mode);
	int (*list)(void *context, int dir, bat_file_list_fn each,
	    void *each_context);
	int (*stat_at)(void *context, int dir, const char *name,
	    struct bat_file_stat *out);
	int (*stat_fd)(void *context, int fd, struct bat_file_stat *out);
	/* Which file has this name, and nothing of its times: once these were
	 * asked for, the next write takes a new one (Linux 6.13), and its sync
	 * has that to write too: 136 us instead of 86. */
	int (
	    *inode_at)(void *context, int dir, const char *name, uint64_t *out);
	int (*lock)(void *context, int fd); /* flock LOCK_EX | LOCK_NB */
	/* Of an open file. */
	int (*place)(void *context, int fd, struct bat_file_place *out);
	/* Hold a name of at most 100 bytes that only one can hold, in all
	 * processes of this network namespace, until the descriptor is closed
	 * or its last holder ends, however that be. A descriptor, or
	 * -EADDRINUSE. */
	int (*take_name)(void *context, const char *name);
	/* Ask anew what the names of a directory are: another mount of what
	 * lies beneath may have changed it, and what is remembered of it here
	 * (for a second, of FUSE; longer, of NFS) is then false. */
	int (*refresh)(void *context, int dir);
	/* Drop what the page cache holds of it (after a sync): later reads come
	 * from the disk. */
	int (*drop_cache)(void *context, int fd);
	int (*random)(void *context, void *to, size_t length);
};

/* The real one; static. */
const struct bat_disk *bat_file_posix(void);

/* BAT_WORLD_ABSENT when it is not there and create is false, BAT_DATA_REFUSED
 * when it is no directory. *out_dir is a descriptor. */
int bat_file_open_dir(const struct bat_disk *disk, const char *path,
    bool create, int *out_dir, struct bat_error *error);
/* BAT_WORLD_ABSENT when there is none; creates nothing. Where it is allowed,
 * reading leaves the file's time of access alone: who only looks changes
 * nothing, and a pread of a frame costs 0.1 us less of 1.6. */
int bat_file_open_read(const struct bat_disk *disk, int dir, const char *name,
    int *out_fd, struct bat_error *error);
void bat_file_close(const struct bat_disk *disk, int fd);
int bat_file_size(const struct bat_disk *disk, int fd, uint64_t *out_size,
    struct bat_error *error);
/* *out_got may be shorter only at the end of the file. */
int bat_file_read(const struct bat_disk *disk, int fd, void *to, size_t length,
    uint64_t offset, size_t *out_got, struct bat_error *error);
/* All of it or an error; a partial write may have happened. */
int bat_file_write(const struct bat_disk *disk, int fd, const void *from,
    size_t length, uint64_t offset, struct bat_error *error);
/* BAT_STATE_STOPPED when it fails, whatever the errno: what was written may be
 * lost, and another sync would not say so. */
int bat_file_sync(const struct bat_disk *disk, int fd, struct bat_error *error);
/*
 * Read a whole file onto buf; BAT_WORLD_ABSENT when there is none,
 * BAT_USE_TOO_LARGE above limit (nothing is allocated then).
 */
int bat_file_read_whole(const struct bat_disk *disk, int dir, const char *name,
    uint64_t limit, struct bat_buf *buf, struct bat_error *error);
/*
 * Replace name atomically: temporary file (".tmp" and six random letters) with
 * mode 0600 in the same directory, write, fsync, rename, fsync of the
 * directory. A failure unlinks the temporary file. replace false: fails with
 * BAT_STATE_EXISTS when name is there, and mode is 0666 less the umask
 * (FORMAT.md 1.1: segments). BAT_STATE_STOPPED as bat_file_sync.
 */
int bat_file_put_whole(const struct bat_disk *disk, int dir, const char *name,
    struct bat_slice content, bool replace, struct bat_error *error);
/* A new file under a name of its own, ".tmp" and six random letters, open for
 * writing. Whoever makes it renames or unlinks it. */
#define BAT_FILE_TEMPORARY_SIZE 11
int bat_file_create_temporary(const struct bat_disk *disk, int dir,
    unsigned mode, char out_name[BAT_FILE_TEMPORARY_SIZE], int *out_fd,
    struct bat_error *error);
/* Is it a name as bat_file_create_temporary gives? */
bool bat_file_is_temporary(const char *name);
/* 0 also when it was not there. */
int bat_file_unlink(const struct bat_disk *disk, int dir, const char *name,
    struct bat_error *error);

#endif
