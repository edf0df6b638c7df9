/*
 * Following a writer: what another process has written since, for a handle
 * that only reads. Takes no lock in the directory and writes nothing.
 *
 * Happy path of a look: the directory has not changed, the newest segment has
 * grown, its new frames become rows of the index. A new, higher segment ends
 * the one before it, which is read to its end first. A batch shows when its
 * COMMIT with the right count is there, and all of a look at once.
 *
 * What the newest segment does not have whole (a short header, frame or footer,
 * zeros, a wrong checksum, BEGIN without its COMMIT) is no damage: reading ends
 * there and goes on when its size or ctime moves. Damage is named only below a
 * footer or a higher segment.
 *
 * What cannot be shown by adding rows is said as BAT_DATA_DISAGREES, and the
 * owner begins anew with another directory list and another index: a segment
 * that was shown is gone or another file (a compaction), is shorter than what
 * was shown or holds something else there (a cut), its footer tells other
 * numbers, or the hidden ranges changed. While a compaction is under way its
 * marker or a *.compact-src is there: then the view stays as it is, and only
 * if nothing moves for 5 seconds (who compacted is dead) it is begun anew.
 *
 * Every segment that is shown is held open, the first BAT_FOLLOWER_HELD_MAX of
 * them: so what a compaction unlinks can still be read.
 *
 * Calling sequence: bat_follower_start, bat_follower_look from time to time,
 * bat_follower_stop; for the next view start again. Threads: the owner lets one
 * at a time in; readers of the index share index_lock, which a look takes to
 * add rows, never while it reads the disk.
 */
#ifndef BAT_FOLLOWER_H
#define BAT_FOLLOWER_H

#include "recovery.h"

#define BAT_FOLLOWER_HELD_MAX 512

/* A file as it was when it was looked at. */
struct bat_follower_stamp {
	bool there;
	uint64_t inode, size;
	int64_t mtime_ns, ctime_ns;
};

struct bat_follower {
	struct bat_segment_dir *dir;
	struct bat_index *index;
	struct bat_recovery *recovery; /* gets report and damage of later */
	pthread_rwlock_t *index_lock;
	struct bat_recovery_place place; /* shown up to here */
	/* The segment of the place at the last look. */
	struct bat_follower_stamp segment;
	/* The last row of that segment, and how its frame begins. */
	bool has_last;
	uint64_t last_offset;
	uint8_t last_bytes[8];
	/* The directory as it was listed; settled: no change since then can
	 * have the same time. */
	struct bat_follower_stamp directory, hidden, checkpoint, rowindex;
	bool settled;
	/* A compaction is under way and nothing moved since (monotonic), 0:
	 * none; the directory then, size: of all segments and its own. */
	int64_t busy_since_ns;
	struct bat_follower_stamp busy;
	/* Ids that are held, so that they can be given back. */
	uint64_t *held;
	size_t held_count;
};

/*
 * For who reads a directory while others change it: see what lies there, read,
 * and compare. Nothing happened in between but that files grew and higher
 * segments came: 0; else BAT_END, or BAT_WORLD_*.
 */
struct bat_follower_sight {
	struct bat_segment_dir list;
	struct bat_follower_stamp hidden, checkpoint, rowindex;
};
int bat_follower_see(const struct bat_segment_dir *dir,
    struct bat_follower_sight *out, struct bat_error *error);
int bat_follower_compare(const struct bat_follower_sight *before,
    const struct bat_segment_dir *dir, struct bat_error *error);
void bat_follower_sight_free(struct bat_follower_sight *sight);

/*
 * Follow on from where recovery ended; before: as it was seen before recovery
 * read it. Nothing of it is to be freed before stop, which gives back what is
 * held. 0; BAT_WORLD_*.
 */
int bat_follower_start(struct bat_follower *follower,
    struct bat_segment_dir *dir, const struct bat_follower_sight *before,
    struct bat_index *index, struct bat_recovery *recovery,
    pthread_rwlock_t *index_lock, struct bat_error *error);
void bat_follower_stop(struct bat_follower *follower);
/*
 * Look once. wall_ns tells whether a file's time is long ago; now_ns is
 * monotonic. *out_grew: rows were added. 0; BAT_DATA_DISAGREES: begin anew;
 * BAT_WORLD_* and others: what is shown stays, look again later.
 */
int bat_follower_look(struct bat_follower *follower, int64_t wall_ns,
    int64_t now_ns, bool *out_grew, struct bat_error *error);

/* Where in which segment ends what is shown, with a footer that holds. */
void bat_follower_end(const struct bat_follower *follower,
    uint64_t *out_segment, uint64_t *out_offset);
/* Are the index files those from before recovery? False also when the disk does
 * not say. */
bool bat_follower_index_stands(const struct bat_follower *follower);

#endif
