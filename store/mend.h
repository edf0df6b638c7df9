/*
 * A left-over compaction, carried through or taken back as recovery decided
 * (recovery.h: heal_*); by the writer before its first append, and by a repair.
 * The marker goes last, so that a crash leaves what leads to the same decision.
 * Of a compaction of ours, names that are seen and may not be on the disk since
 * a sync failed are made and taken away anew.
 * Threads: one.
 */
#ifndef BAT_MEND_H
#define BAT_MEND_H

#include "recovery.h"

/* Nothing when there is no marker. 0; BAT_WORLD_*; BAT_STATE_STOPPED. The
 * directory is scanned again by the caller. */
int bat_mend_marker(struct bat_segment_dir *dir,
    const struct bat_recovery *recovery, struct bat_error *error);

#endif
