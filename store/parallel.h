/*
 * Two shares of one work at the same time. No thread of ours outlives a call.
 * Threads: any.
 */
#ifndef BAT_PARALLEL_H
#define BAT_PARALLEL_H

/* run(first) and run(second): at the same time where a thread can be had, else
 * one after the other. Both have returned when this does. */
void bat_parallel_run(void *(*run)(void *share), void *first, void *second);

#endif
