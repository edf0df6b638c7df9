/*
 * Compaction: many sealed segments become one, with every event that the index
 * has of them, hidden ones too, byte for byte and in log order.
 *
 * What batpak 0.8.2 does (FORMAT.md 9.6), with other means, because it loses
 * events from view when it is cut off. All is prepared in a file that nobody
 * reads. The merged segment has an id M that no source has and that lies above
 * them; so the marker {M, sources} says to batpak: while there is no M the
 * sources are what they are, as soon as there is one it stands in their place.
 * One rename decides. The order, each step on disk before the next:
 *
 *	build	  all sources read, checked and written behind each other into
 *		  .tmp.compaction, with a footer that tells their numbers; read
 *		  back from the disk and compared
 *	mark	  a segment above M exists (else batpak's next one would be M),
 *		  if need be an empty one; the marker
 *	(owner)	  the index files go: they speak of places
 *	install	  .tmp.compaction becomes M
 *	(owner)	  rows are told their places
 *	sweep	  the sources go, then the marker and the empty segment
 *
 * A crash up to install leaves the sources, one behind it M, to every reader;
 * what is left lying is swept by recovery's plan (mend.h).
 *
 * What is not copied: footers; frames that the batch rule drops, which are kept
 * in .batfs/cut; markers of batches of which not all items are shown, and those
 * of a batch that would end the segment (batpak does not believe a footer
 * behind a COMMIT, FORMAT.md 5.4).
 *
 * Nothing is changed and the sources stand where a frame is damaged
 * (BAT_DATA_CORRUPT says where), where rows and frames differ
 * (BAT_DATA_DISAGREES), or where there is no room.
 *
 * Threads: one, but for what is asked of the index, under index_lock. choose
 * and install want the list of segments to stand still; while build and mark
 * run events may be appended, and segments made above M.
 */
#ifndef BAT_COMPACTION_H
#define BAT_COMPACTION_H

#include "index.h"
#include "segment_dir.h"

struct bat_compaction {
	/* Given. */
	struct bat_segment_dir *dir;
	struct bat_index *index;
	pthread_rwlock_t *index_lock;
	uint64_t merged;	  /* M: above all segments when it is chosen */
	const _Atomic bool *stop; /* true: build ends with BAT_STATE_CLOSED */
	/* Chosen: the sources, ascending, nothing between them. */
	uint64_t *ids;
	size_t count;
	uint64_t full; /* segments before them that are left alone */
	uint64_t bytes_before;
	/* Built. */
	uint64_t events, bytes_after;
	struct bat_index_move *moves;
	size_t move_count;
	bool stopped; /* by the owner: a sync failed */
	/* Private: what of it stands in the directory. */
	uint64_t placeholder; /* id of the empty segment; 0: none */
	bool has_file, marked, installed;
};

/*
 * The sources: all segments of dir's list but the first ones that are as large
 * as a segment gets (of `limit` bytes or more). Fills all that is chosen. 0;
 * BAT_END: fewer than two, there is nothing to do; BAT_WORLD_*.
 */
int bat_compaction_choose(struct bat_compaction *job, uint64_t limit,
    struct bat_error *error);
int bat_compaction_build(struct bat_compaction *job, struct bat_error *error);
int bat_compaction_mark(struct bat_compaction *job, struct bat_error *error);
/* *found: the list of segments as it is to be now, for the owner to adopt
 * (segment_dir.h). */
int bat_compaction_install(struct bat_compaction *job,
    struct bat_segment_dir *found, struct bat_error *error);
/* After a failure what is left is swept when the directory is next opened and
 * written to. */
int bat_compaction_sweep(struct bat_compaction *job, struct bat_error *error);
/* Of what was not installed nothing stays behind; if it cannot be taken away, it
 * is swept at the next open. 0; BAT_WORLD_*; BAT_STATE_STOPPED. */
int bat_compaction_free(struct bat_compaction *job, struct bat_error *error);

#endif
