/*
 * The events that a session writes of itself: OPEN first, CLOSE last, on
 * batpak:store / batpak:lifecycle (FORMAT.md 4.3). Here: their payloads. Pure.
 * Threads: any, no state.
 */
#ifndef BAT_LIFECYCLE_H
#define BAT_LIFECYCLE_H

#include "recovery.h"

#define BAT_LIFECYCLE_ENTITY "batpak:store"
#define BAT_LIFECYCLE_SCOPE "batpak:lifecycle"

/*
 * The OpenIndexReport: where the rows came from, never a path of the machine.
 * 0 or BAT_WORLD_NO_MEMORY.
 */
int bat_lifecycle_open_payload(const struct bat_recovery *recovery,
    uint64_t elapsed_us, struct bat_buf *buf);
/* The highest point that the session made visible. */
int bat_lifecycle_close_payload(uint64_t wall_ms, uint64_t seq,
    struct bat_buf *buf);

#endif
