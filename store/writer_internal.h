/* What the parts of the writer share. Not for others. */
#ifndef BAT_WRITER_INTERNAL_H
#define BAT_WRITER_INTERNAL_H

#include "writer.h"

/* Carry out recovery's plan; once per session (again after a rebuild). */
int bat_writer_prepare(struct bat_writer *writer, struct bat_error *error);

void bat_writer_stage_init(struct bat_writer_stage *stage);
void bat_writer_stage_clear(struct bat_writer_stage *stage);
void bat_writer_stage_free(struct bat_writer_stage *stage);
/*
 * Encode a batch behind what is staged: fills committed, code, error and
 * receipts as if it were written. Returns 0, or BAT_WORLD_NO_MEMORY with the
 * stage as before (the batch's code says so too).
 */
int bat_writer_stage_batch(struct bat_writer *writer, struct bat_batch *batch);
/* OPEN or CLOSE, alone. */
int bat_writer_stage_lifecycle(struct bat_writer *writer, uint16_t kind,
    uint64_t wall_ms, struct bat_slice payload, struct bat_error *error);

#endif
