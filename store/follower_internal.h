/*
 * What the parts of follower share: follower.c (looking), follower_scan.c
 * (new frames into the index), follower_sight.c (what files are). Not for
 * others.
 */
#ifndef BAT_FOLLOWER_INTERNAL_H
#define BAT_FOLLOWER_INTERNAL_H

#include "follower.h"

struct bat_follower_stamp bat_follower_stamp_of(
    const struct bat_file_stat *stat);
bool bat_follower_is_same(const struct bat_follower_stamp *a,
    const struct bat_follower_stamp *b);
/* Absent is a stamp too. */
int bat_follower_stamp_name(const struct bat_segment_dir *dir, const char *name,
    struct bat_follower_stamp *out, struct bat_error *error);
/* In a list of segments; NULL when it is not there. */
const struct bat_segment_info *bat_follower_find(
    const struct bat_segment_dir *list, uint64_t id);
/* Note what the last row of the place's segment is. Negative: the disk. */
int bat_follower_note_last(struct bat_follower *follower,
    struct bat_error *error);
/* Is what was shown of the place's segment still there? The stamp is of now.
 * 0; BAT_DATA_DISAGREES; BAT_WORLD_*. */
int bat_follower_check_shown(struct bat_follower *follower,
    const struct bat_follower_stamp *now, struct bat_error *error);
/* Rows of all frames behind the place. Returns as bat_follower_look. */
int bat_follower_scan(struct bat_follower *follower, bool *out_grew,
    struct bat_error *error);

#endif
