/*
 * What the two parts of segment_dir share: segment_dir.c (descriptors) and
 * segment_dir_scan.c (what lies in the directory). Nobody else includes it.
 */
#ifndef BAT_SEGMENT_DIR_PARTS_H
#define BAT_SEGMENT_DIR_PARTS_H

#include "segment_dir.h"

/* The segment of this id; the caller holds the mutex or is alone. */
struct bat_segment_info *bat_segment_dir_look(const struct bat_segment_dir *dir,
    uint64_t id);
/* Make room for one more segment. 0 or BAT_WORLD_NO_MEMORY. */
int bat_segment_dir_reserve(struct bat_segment_dir *dir);
/* Fill found, of which only disk and dir are set, with what is there now.
 * The caller frees found->segments also after a failure. */
int bat_segment_dir_list(struct bat_segment_dir *found,
    struct bat_error *error);

#endif
