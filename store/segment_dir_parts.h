/*
 * What the parts of segment_dir share: segment_dir.c (descriptors),
 * segment_dir_adopt.c (a new list), segment_dir_scan.c (what lies in the
 * directory). Nobody else includes it.
 */
#ifndef BAT_SEGMENT_DIR_PARTS_H
#define BAT_SEGMENT_DIR_PARTS_H

#include "segment_dir.h"

/*
 * A descriptor that is still held under an id whose file is another one now,
 * or none. A release says an id and not which of its files, so all of them
 * stay open until nobody holds the id. The holds are counted in the list, or,
 * for an id that left it, in one of its retired entries.
 */
struct bat_segment_retired {
	uint64_t id;
	int fd;
	unsigned holds;
};

/* The segment of this id; the caller holds the mutex or is alone. */
struct bat_segment_info *bat_segment_dir_look(const struct bat_segment_dir *dir,
    uint64_t id);
/* Make room for one more segment. 0 or BAT_WORLD_NO_MEMORY. */
int bat_segment_dir_reserve(struct bat_segment_dir *dir);

#endif
