/*
 * What every fuzz target has: the entry that libFuzzer calls, and a check that
 * stays on in every build.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "bytes.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

#define FUZZ_CHECK(condition)                                                  \
	do {                                                                   \
		if (!(condition))                                              \
			abort();                                               \
	} while (0)

#endif
