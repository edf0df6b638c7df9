/*
 * How much memory the code under test takes: the most that was allocated at
 * once since fuzz_memory_start, beyond what was allocated then.
 */
#ifndef FUZZ_MEMORY_H
#define FUZZ_MEMORY_H

#include <stdint.h>

/* Buffers of fixed size that opening and reading have, whatever is read. */
#define FUZZ_MEMORY_CONSTANT (UINT64_C(8) << 20)

void fuzz_memory_start(void);
uint64_t fuzz_memory_peak(void);
/* R16: at most four times the bytes that lie on the disk, and a constant. */
void fuzz_memory_check(uint64_t bytes_on_disk);

#endif
