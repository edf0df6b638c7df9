#include "memory.h"

#include <sanitizer/allocator_interface.h>
#include <stdatomic.h>
#include <stdio.h>

#include "fuzz.h"

static atomic_llong current, peak;

static void
allocated(const volatile void *at, size_t size)
{
	long long now = atomic_fetch_add(&current, (long long)size) +
	    (long long)size;
	long long most = atomic_load(&peak);

	(void)at;
	while (now > most && !atomic_compare_exchange_weak(&peak, &most, now))
		;
}

static void
freed(const volatile void *at)
{
	long long size;

	if (at == NULL)
		return;
	size = (long long)__sanitizer_get_allocated_size(
	    (const void *)(uintptr_t)at);
	atomic_fetch_sub(&current, size);
}

void
fuzz_memory_start(void)
{
	static bool installed;

	if (!installed &&
	    __sanitizer_install_malloc_and_free_hooks(allocated, freed) == 0)
		abort();
	installed = true;
	atomic_store(&current, 0);
	atomic_store(&peak, 0);
}

uint64_t
fuzz_memory_peak(void)
{
	return (uint64_t)atomic_load(&peak);
}

void
fuzz_memory_check(uint64_t bytes_on_disk)
{
	uint64_t most = fuzz_memory_peak();

	if (most <= 4 * bytes_on_disk + FUZZ_MEMORY_CONSTANT)
		return;
	fprintf(stderr, "memory: %llu bytes for %llu on disk\n",
	    (unsigned long long)most, (unsigned long long)bytes_on_disk);
	abort();
}
