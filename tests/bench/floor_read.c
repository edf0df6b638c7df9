#include "floor_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <crc.h>

#include "bench.h"

#define BLOCK (1u << 20)

struct span {
	int fd;
	uint64_t start, end;
};

struct spans {
	const struct span *of;
	int count;
	unsigned threads;
};

static struct span
open_span(const char *path, const char *offset)
{
	struct span span = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
	struct stat status;

	if (span.fd < 0 || fstat(span.fd, &status) != 0)
		bench_fail("%s: %s", path, strerror(errno));
	span.end = (uint64_t)status.st_size;
	span.start = bench_number(offset, span.end);
	return span;
}

/* Each thread has its share of each file, in one piece. */
static void
read_share(void *context, unsigned number)
{
	const struct spans *spans = context;
	uint8_t *block = bench_allocate(1, BLOCK);
	volatile uint32_t kept;

	for (int i = 0; i < spans->count; i++) {
		const struct span *span = &spans->of[i];
		uint64_t length = span->end - span->start;
		uint64_t at = span->start + length * number / spans->threads;
		uint64_t end = span->start +
		    length * (number + 1) / spans->threads;
		uint32_t crc = 0;

		while (at < end) {
			size_t some = end - at < BLOCK ? (size_t)(end - at) :
							 BLOCK;
			ssize_t got = pread(span->fd, block, some, (off_t)at);

			if (got <= 0)
				bench_fail("reading: %s", strerror(errno));
			crc = bat_crc_update(crc,
			    bat_bytes_slice(block, (size_t)got));
			at += (uint64_t)got;
		}
		kept = crc;
		(void)kept;
	}
	free(block);
}

uint64_t
floor_read(int pairs, char **path_and_offset, unsigned threads)
{
	struct span *of = bench_allocate((size_t)pairs, sizeof(*of));
	struct spans spans = { .of = of, .count = pairs, .threads = threads };
	uint64_t bytes = 0;

	for (int i = 0; i < pairs; i++) {
		of[i] = open_span(path_and_offset[2 * i],
		    path_and_offset[2 * i + 1]);
		bytes += of[i].end - of[i].start;
	}
	(void)bench_run_threads(threads, read_share, &spans);
	for (int i = 0; i < pairs; i++)
		close(of[i].fd);
	free(of);
	return bytes;
}
