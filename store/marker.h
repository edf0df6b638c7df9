/*
 * compaction.pending.json, read and written: the id of the merged segment, the
 * ids of its sources, and whose it is (FORMAT.md 9.6). What follows from it is
 * for others to decide. Threads: any, no state.
 */
#ifndef BAT_MARKER_H
#define BAT_MARKER_H

#include "bytes.h"
#include "error.h"

struct bat_segment_dir;

struct bat_marker {
	uint64_t merged;
	uint64_t *sources;
	size_t count;
	/* Else batpak's. The merged id is among the sources of batpak's, and
	 * not among those of ours. */
	bool ours;
};

/* One of ours, onto buf. 0 or BAT_WORLD_NO_MEMORY. */
int bat_marker_encode(uint64_t merged, const uint64_t *sources, size_t count,
    struct bat_buf *buf);
/*
 * That of a directory; the caller frees it. 0; BAT_DATA_CORRUPT: it is nobody's
 * (a checksum that does not hold, ids that do not go together); BAT_WORLD_*.
 */
int bat_marker_read(const struct bat_segment_dir *dir, struct bat_marker *out,
    struct bat_error *error);
void bat_marker_free(struct bat_marker *marker);
/* Is it one of the sources? */
bool bat_marker_has(const struct bat_marker *marker, uint64_t id);

#endif
