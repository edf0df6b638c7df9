/*
 * malloc, calloc and realloc of everything in a program that is linked with
 * this, through the linker's --wrap: those of the code under test can be made
 * to fail. Memory disks have theirs always.
 */
#ifndef TEST_FAILING_MEMORY_H
#define TEST_FAILING_MEMORY_H

#include <stdbool.h>

/* Of the allocations from now on the nth fails, or all from there on; nth 0:
 * none, they are counted only. None fails and none is counted while *paused is
 * above 0; NULL: never paused. */
void failing_memory_arm(unsigned nth, bool for_good, const unsigned *paused);
unsigned failing_memory_disarm(void); /* how many there were */
/* Go on after a disarm. */
void failing_memory_resume(void);

#endif
