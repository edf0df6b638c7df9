/*
 * floor_bench: what the machine itself needs for the bytes alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <crc.h>

#include "bench.h"
#include "floor_decode.h"
#include "floor_read.h"

#define WARM_UP 50

static void
measure_read(int argc, char **argv)
{
	unsigned threads = (unsigned)bench_number(argv[0], BENCH_THREADS_MAX);
	int64_t start = bench_now_ns();
	uint64_t bytes = floor_read((argc - 1) / 2, argv + 1, threads);

	printf("{\"ns\": %lld, \"bytes\": %llu}\n",
	    (long long)(bench_now_ns() - start), (unsigned long long)bytes);
}

static void
measure_decode(int argc, char **argv)
{
	unsigned threads = (unsigned)bench_number(argv[0], BENCH_THREADS_MAX);
	int64_t start = bench_now_ns();
	struct floor_rows got = floor_decode((argc - 1) / 2, argv + 1, threads);

	printf("{\"ns\": %lld, \"bytes\": %llu, \"rows\": %llu}\n",
	    (long long)(bench_now_ns() - start), (unsigned long long)got.bytes,
	    (unsigned long long)got.rows);
}

/* Pieces of a file at random places, each with its CRC taken. */
static void
measure_random(int argc, char **argv)
{
	size_t bytes = (size_t)bench_number(argv[1], 64 << 20);
	uint64_t count = bench_number(argv[2], UINT32_MAX);
	uint8_t *piece = bench_allocate(1, bytes);
	int fd = open(argv[0], O_RDONLY | O_CLOEXEC);
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	uint64_t at = 1;
	volatile uint32_t crc = 0;
	int64_t start;

	(void)argc;
	if (size < (off_t)bytes)
		bench_fail("%s: too short", argv[0]);
	start = bench_now_ns();
	for (uint64_t i = 0; i < count; i++) {
		at = at * 6364136223846793005 + 1442695040888963407;
		if (pread(fd, piece, bytes,
			(off_t)((at >> 16) % ((uint64_t)size - bytes + 1))) !=
		    (ssize_t)bytes)
			bench_fail("reading: %s", strerror(errno));
		crc = bat_crc_of(bat_bytes_slice(piece, bytes));
	}
	(void)crc;
	printf("{\"ns\": %lld}\n", (long long)(bench_now_ns() - start));
	close(fd);
	free(piece);
}

static void
write_all(int fd, const char *bytes, size_t length, uint64_t offset)
{
	while (length > 0) {
		ssize_t got = pwrite(fd, bytes, length, (off_t)offset);

		if (got <= 0)
			bench_fail("writing: %s", strerror(errno));
		bytes += got;
		offset += (uint64_t)got;
		length -= (size_t)got;
	}
}

static void
sync_data(int fd)
{
	if (fdatasync(fd) != 0)
		bench_fail("fdatasync: %s", strerror(errno));
}

/* BYTES written and synced, ROUNDS times, one behind the other: into a file
 * that grows, or into one whose space was written before. */
static void
measure_sync(int argc, char **argv)
{
	size_t bytes = (size_t)bench_number(argv[1], 64 << 20);
	uint64_t rounds = bench_number(argv[2], UINT32_MAX);
	bool ahead = strcmp(argv[3], "ahead") == 0;
	char *frame = bench_allocate(1, bytes);
	int fd = open(argv[0], O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int64_t start = 0;

	(void)argc;
	if (fd < 0)
		bench_fail("%s: %s", argv[0], strerror(errno));
	memset(frame, 0x5a, bytes);
	for (uint64_t i = 0; ahead && i < rounds + WARM_UP; i++)
		write_all(fd, frame, bytes, i * bytes);
	if (ahead && fsync(fd) != 0)
		bench_fail("fsync: %s", strerror(errno));
	for (uint64_t i = 0; i < rounds + WARM_UP; i++) {
		if (i == WARM_UP)
			start = bench_now_ns();
		frame[0] = (char)i;
		write_all(fd, frame, bytes, i * bytes);
		sync_data(fd);
	}
	printf("{\"ns\": %lld}\n", (long long)(bench_now_ns() - start));
	close(fd);
	unlink(argv[0]);
	free(frame);
}

int
main(int argc, char **argv)
{
	static const struct bench_command commands[] = {
		{ "read", 1, measure_read, "THREADS [PATH OFFSET]..." },
		{ "decode", 1, measure_decode, "THREADS [PATH OFFSET]..." },
		{ "random", 3, measure_random, "PATH BYTES COUNT" },
		{ "sync", 4, measure_sync,
		    "NEW_FILE BYTES ROUNDS growing|ahead" },
	};

	return bench_main(argc, argv, commands,
	    sizeof(commands) / sizeof(commands[0]));
}
