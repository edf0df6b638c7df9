/*
 * A data directory as the bytes of one fuzz input, and on a disk in memory.
 *
 * An input is a row of files: a byte that chooses the name (names in
 * directory.c; `scripts/fuzz` makes seeds of the same form), the length in
 * three bytes, little endian, and that many bytes. The last file may be cut
 * off by the end of the input; of two files with one name the later one counts.
 *
 * Threads: one. Without memory it aborts.
 */
#ifndef FUZZ_DIRECTORY_H
#define FUZZ_DIRECTORY_H

#include "memory_disk.h"

enum {
	FUZZ_SEGMENTS = 16, /* the first names: 000000.fbat and on */
	FUZZ_CHECKPOINT = FUZZ_SEGMENTS,
	FUZZ_ROWINDEX,
	FUZZ_HIDDEN,
	FUZZ_MARKER,
	FUZZ_OTHERS, /* what stands in for segments, and has no place */
	FUZZ_NAMES = FUZZ_OTHERS + 4,

	FUZZ_FILES_MAX = 32,
};

struct fuzz_file {
	unsigned name;
	struct bat_buf bytes;
};

struct fuzz_directory {
	struct fuzz_file files[FUZZ_FILES_MAX];
	size_t count;
};

void fuzz_directory_parse(struct bat_slice input, struct fuzz_directory *out);
/* 0: it has no room. */
size_t fuzz_directory_print(const struct fuzz_directory *directory, uint8_t *to,
    size_t max);
void fuzz_directory_free(struct fuzz_directory *directory);
/* As files in "/", all on disk. */
struct memory_disk *fuzz_directory_disk(const struct fuzz_directory *directory);

#endif
