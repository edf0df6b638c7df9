/*
 * Starting and ending our own threads. They never take a signal: TERM, INT and
 * HUP have to wake the thread that waits for the end of the FUSE loop, and a
 * signal goes to any thread that does not block it.
 */
#ifndef BATFS_THREAD_H
#define BATFS_THREAD_H

#include <stdbool.h>

#include <pthread.h>

/* name: at most 15 bytes. Returns 0 or BAT_WORLD_NO_MEMORY. */
int batfs_thread_start(pthread_t *out, void *(*run)(void *), void *argument,
    const char *name);
/* Wait for its end, not longer than this; false: it still runs. */
bool batfs_thread_join(pthread_t thread, unsigned milliseconds);

#endif
