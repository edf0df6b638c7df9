/* What the parts of segment_reader share. Not for others. */
#ifndef BAT_SEGMENT_READER_INTERNAL_H
#define BAT_SEGMENT_READER_INTERNAL_H

#include "segment_reader.h"

/* Bytes of the file, as many as there are of them; where the directory reads
 * around what the disk does not give, zeros for that, and *out_lost. Returns 0;
 * BAT_WORLD_*. */
int bat_segment_reader_part(struct bat_segment_reader *reader, uint64_t offset,
    void *to, size_t length, size_t *out_got, bool *out_lost,
    struct bat_error *error);

#endif
