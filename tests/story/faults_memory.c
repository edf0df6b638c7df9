/*
 * malloc, calloc and realloc of everything in this program, through the
 * linker's --wrap: those of the code under test can be made to fail.
 */
#include <stdlib.h>

#include "faults.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static struct {
	bool armed, for_good;
	unsigned nth, count;
} memory;

static bool
fails(void)
{
	if (!memory.armed || story_paused > 0)
		return false;
	memory.count++;
	return memory.nth > 0 &&
	    (memory.for_good ? memory.count >= memory.nth :
			       memory.count == memory.nth);
}

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

void
fault_memory_arm(unsigned nth, bool for_good)
{
	memory_disk_realloc = __real_realloc;
	memory.armed = true;
	memory.for_good = for_good;
	memory.nth = nth;
	memory.count = 0;
}

unsigned
fault_memory_disarm(void)
{
	memory.armed = false;
	return memory.count;
}

void
fault_memory_resume(void)
{
	memory.armed = true;
}
