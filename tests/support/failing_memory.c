#include "failing_memory.h"

#include <stdlib.h>

#include "memory_disk.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

/* Two threads of one work may ask at the same time. */
static struct {
	bool armed, for_good;
	unsigned nth;
	_Atomic unsigned count;
	const unsigned *paused;
} memory;

static bool
fails(void)
{
	unsigned count;

	if (!memory.armed || (memory.paused != NULL && *memory.paused > 0))
		return false;
	count = ++memory.count;
	return memory.nth > 0 &&
	    (memory.for_good ? count >= memory.nth : count == memory.nth);
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
failing_memory_arm(unsigned nth, bool for_good, const unsigned *paused)
{
	memory_disk_realloc = __real_realloc;
	memory.armed = true;
	memory.for_good = for_good;
	memory.nth = nth;
	memory.count = 0;
	memory.paused = paused;
}

unsigned
failing_memory_disarm(void)
{
	memory.armed = false;
	return memory.count;
}

void
failing_memory_resume(void)
{
	memory.armed = true;
}
