/*
 * Changes to the files of a disk, told by the bytes of an input: a file, what
 * is done to it, where, and with what value. For targets whose files the
 * program makes itself, because they only hold together if it does.
 *
 * Threads: one. Whatever cannot be done is passed over.
 */
#ifndef FUZZ_PATCH_H
#define FUZZ_PATCH_H

#include "memory_disk.h"

#define FUZZ_PATCH_SIZE 6

/* Every FUZZ_PATCH_SIZE bytes of input are a change to a file below the folder
 * dir. */
void fuzz_patch(const struct bat_disk *door, int dir, struct bat_slice input);

#endif
