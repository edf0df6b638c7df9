/*
 * Making right again what a change made wrong: lengths and checksums of frames,
 * hashes of payloads, footers, index files. Without it a fuzzer never comes
 * past the first check.
 *
 * Threads: one. Without memory it aborts.
 */
#ifndef FUZZ_RESEAL_H
#define FUZZ_RESEAL_H

#include "directory.h"

enum { FUZZ_FRAMES_MAX = 512 };

/* The frames of a segment as its length fields tell them, whether they hold or
 * not. A file without a header has none. */
struct fuzz_segment {
	size_t start, end; /* of the frames; end: where the footer begins */
	size_t footer_end; /* equal to end: there is no footer */
	size_t offsets[FUZZ_FRAMES_MAX];
	size_t lengths[FUZZ_FRAMES_MAX];
	size_t count;
};

void fuzz_reseal_survey(const struct bat_buf *file, struct fuzz_segment *out);
/* Put bytes in the place of [at, at + length). */
void fuzz_reseal_splice(struct bat_buf *file, size_t at, size_t length,
    struct bat_slice bytes);
/* A frame of this body. */
void fuzz_reseal_frame(struct bat_slice body, struct bat_buf *out);
/* The one checksum of a file that is no segment. */
void fuzz_reseal_checksum(struct fuzz_file *file);
/* Footers for all segments that have one, and the index files that there are
 * (a checkpoint in its version), of all events that their frames hold, numbered
 * from first on. */
void fuzz_reseal_indexes(struct fuzz_directory *directory, uint64_t first,
    bool footers, bool indexes);

#endif
