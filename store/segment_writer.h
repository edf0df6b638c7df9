/*
 * Writing: appends bytes of whole frames to one active segment, syncs it,
 * seals it. Stages nothing by itself: the writer gives it complete frames.
 *
 * Calling sequence: bat_segment_writer_create, bat_segment_writer_use_runway if
 * there is to be one, any number of append and sync, bat_segment_writer_seal,
 * bat_segment_writer_close.
 *
 * Invariants: `size` is the length up to which every byte is a whole frame, and
 * behind it stands nothing but the runway's 0xFF, of which a seal leaves none; a
 * failed append cuts the file back to it (if that fails too: uncut, until there
 * is space for it, or else broken, for good). After a failed sync it is broken for good: no call succeeds again,
 * no sync is retried. A sealed segment is never written. Threads: one.
 */
#ifndef BAT_SEGMENT_WRITER_H
#define BAT_SEGMENT_WRITER_H

#include "runway.h"
#include "segment_dir.h"

struct bat_segment_writer {
	struct bat_segment_dir *dir;
	struct bat_runway *runway; /* NULL: none */
	uint64_t id;
	int fd;
	uint64_t size;	 /* bytes of whole frames */
	uint64_t synced; /* bytes known to be on disk; once sealed, the file's
			  * whole length, footer included */
	bool broken, sealed;
	bool uncut; /* what stands behind size has to be cut off first */
};

/*
 * Make segment id appear whole: header into a temporary file, fsync, rename
 * without replacing, fsync of the directory; then opens it for writing.
 * Returns 0; BAT_STATE_EXISTS; BAT_WORLD_*; BAT_STATE_STOPPED (a sync failed):
 * nothing was made.
 */
int bat_segment_writer_create(struct bat_segment_writer *writer,
    struct bat_segment_dir *dir, uint64_t id, int64_t created_ns,
    struct bat_error *error);
/* From now on space may be laid ahead, as far as limit; it is the caller's, and
 * outlives the writer. After a failed append there is none any more. */
void bat_segment_writer_use_runway(struct bat_segment_writer *writer,
    struct bat_runway *runway, uint64_t limit);
/* Append whole frames at size. On failure the file is cut back to size, or will
 * be in front of the next one (BAT_WORLD_NO_SPACE, BAT_WORLD_IO: may be tried
 * again; broken: BAT_STATE_STOPPED; sealed: BAT_STATE_CLOSED). */
int bat_segment_writer_append(struct bat_segment_writer *writer,
    struct bat_slice frames, struct bat_error *error);
/* Take back what was appended since size_before (only unsynced bytes). 0;
 * BAT_WORLD_NO_SPACE (it was not); BAT_STATE_STOPPED. */
int bat_segment_writer_cut_back(struct bat_segment_writer *writer,
    uint64_t size_before, struct bat_error *error);
/* fdatasync, unless nothing was appended since the last one; a failure breaks
 * the writer. 0 or BAT_STATE_STOPPED, whatever the errno. */
int bat_segment_writer_sync(struct bat_segment_writer *writer,
    struct bat_error *error);
/*
 * The frames are synced first, so that a footer proves them; footer (a whole one
 * for all of the frames, or nothing) behind the last one, the file cut to its
 * end, then fsync. A footer that cannot be written for want of space is cut off
 * again: the segment is sealed without one and 0 is returned. Without space even
 * for the cut: BAT_WORLD_NO_SPACE, not sealed; may be tried again.
 */
int bat_segment_writer_seal(struct bat_segment_writer *writer,
    struct bat_slice footer, struct bat_error *error);
void bat_segment_writer_close(struct bat_segment_writer *writer);

#endif
