/*
 * A mutator for inputs of directory.h that knows what a data directory is:
 * it changes events, frames, files, numbers, and makes right again most of what
 * would only be found out (reseal.h).
 */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* As LLVMFuzzerCustomMutator. */
size_t fuzz_mutate(uint8_t *data, size_t size, size_t max_size, unsigned seed);

#endif
