/*
 * The sidecar, DATADIR/.batfs/cache/index: the index as a file, so that a
 * mount reads almost nothing. Derived and disposable: deleting it changes
 * start-up time and nothing else. batpak ignores it and never copies it.
 *
 * The rule of belief (DESIGN.md, "The sidecar"): it is believed when it was
 * made from the files that are there, that is, when every segment that it
 * covers has the name, inode, size, mtime and ctime (nanoseconds) that it
 * recorded, they are the first ones of the directory, the index files and the
 * hidden ranges are those that it recorded (or as absent), and there is no
 * compaction marker. It covers segments as far as the ctime of each of them, and
 * of the files beside them, lies more than two seconds back when it is written,
 * so that no later change can hide in the same tick of a clock, and only when
 * segments that this session found are as it found them. Segments above those
 * that it covers are read as ever: after a session that appended these are the
 * ones that it wrote last.
 *
 * Not promised: finding a sidecar that was forged with valid checks, or a
 * medium that changes bytes without changing ctime. Every event that is read is
 * compared with its row; verify reads everything.
 *
 * The file (in checked blocks, blockfile.h; all little endian):
 *	header	numbers (sidecar_parts.h), the first and the last row; one block
 *	made of	segments (id, inode, size, mtime, ctime, first row: u64 each),
 *		files beside them, histograms
 *	ends	where each name ends in the text, u64 each, behind a 0
 *	text	the bytes of names
 *	sorted	the numbers of names, in the order of their bytes, u32 each
 *	names	a record for each (index.h)
 *	members	likewise
 *	rows	struct bat_index_hot, 64 bytes each
 *	lists	u32 each: ordinals of members and entities, members of scopes,
 *		then all entities and all scopes
 *	lengths	u32 for each row, 0 where none is known; may be absent. Of these
 *		nothing is believed: who shows an event holds its line against
 *		the length (bat.h, bat_keep_lengths)
 * Each part starts a block. Opening reads the first two.
 *
 * Threads: one.
 */
#ifndef BAT_SIDECAR_H
#define BAT_SIDECAR_H

#include "checkpoint.h"
#include "index.h"
#include "segment_dir.h"

#define BAT_SIDECAR_DIR ".batfs"
#define BAT_SIDECAR_CACHE "cache"
#define BAT_SIDECAR_FILE "index"
#define BAT_SIDECAR_FORMAT 4 /* any other counts as absent */

/* What recovery knew beside the rows. */
struct bat_sidecar_state {
	uint32_t source; /* enum bat_recovery_source */
	uint16_t source_version;
	bool has_index;
	uint64_t next_seq;
	uint64_t watermark_segment, watermark_offset;
	uint64_t uncovered_count;
	bool uncovered_extensions, uncovered_unknown;
	/* Own bytes: both histograms, one behind the other. */
	struct bat_checkpoint_fallbacks fallbacks;
	struct bat_buf histograms;
	/* Filled by load: the highest segment that is covered. */
	uint64_t covered_segment;
	/* For save: segments up to this one were there when the directory was
	 * scanned, and must be as they were then; 0 where that was undone. */
	uint64_t found_segment;
};

/*
 * Load it into an empty index (whose hidden ranges are set): the index has its
 * base then. 0; BAT_END: there is none, or it is not believed (*why says
 * which; the index is as before); BAT_WORLD_NO_MEMORY.
 */
int bat_sidecar_load(struct bat_segment_dir *dir, struct bat_index *index,
    struct bat_sidecar_state *state, struct bat_error *why);
/* Is it worth its while for the first rows of an index, so many? Not for a small
 * store, nor where the one that is there has nearly all of them: writing it
 * stays in proportion to what was appended. */
bool bat_sidecar_is_due(const struct bat_index *index, uint32_t rows);
/*
 * Write it for the segments that have come to rest, replacing the one that is
 * there. state: of the whole index. now_ns: wall time. 0; BAT_END: not now (it
 * is not due for their rows, a file beside them is too young, or the index knows
 * other segments than the directory has: nothing was written); BAT_WORLD_*.
 */
int bat_sidecar_save(struct bat_segment_dir *dir, struct bat_index *index,
    const struct bat_sidecar_state *state, int64_t now_ns,
    struct bat_error *error);

#endif
