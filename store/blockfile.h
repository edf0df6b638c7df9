/*
 * Bytes in checked blocks: a file of 4096-byte blocks, each with 4032 bytes of
 * content and, behind them, generation, block number and a CRC over all three.
 * A block that is torn, of another generation, or in another place is never
 * handed out; the copy that was checked is the copy that is used.
 *
 * What is asked for are logical offsets: content bytes from the file's start,
 * as if there were no blocks.
 *
 * Calling sequence, writing: bat_blockfile_create, bat_blockfile_append ...,
 * bat_blockfile_publish, and bat_blockfile_abandon when that failed. Reading:
 * bat_blockfile_open, bat_blockfile_read ..., bat_blockfile_close. Threads:
 * reading any; writing one.
 */
#ifndef BAT_BLOCKFILE_H
#define BAT_BLOCKFILE_H

#include "bytes.h"
#include "error.h"
#include "file.h"

#define BAT_BLOCKFILE_BLOCK 4096u
#define BAT_BLOCKFILE_CONTENT 4032u

struct bat_blockfile {
	const struct bat_disk *disk;
	int fd;
	uint64_t generation;
	uint64_t size; /* content bytes, the last block filled up with zeros */
};

/* BAT_WORLD_ABSENT when there is none; the generation is that of the first
 * block, which is checked. */
int bat_blockfile_open(struct bat_blockfile *file, const struct bat_disk *disk,
    int dir, const char *name, struct bat_error *error);
/* BAT_DATA_CORRUPT when a block does not hold or the file ends before. */
int bat_blockfile_read(const struct bat_blockfile *file, uint64_t at, void *to,
    size_t length, struct bat_error *error);
void bat_blockfile_close(struct bat_blockfile *file);

struct bat_blockfile_writer {
	const struct bat_disk *disk;
	int dir, fd;
	char temporary[16];
	uint64_t generation;
	uint64_t next_block;   /* to be filled */
	struct bat_buf blocks; /* full ones, not yet written */
	uint64_t written;      /* bytes of the file */
	uint8_t content[BAT_BLOCKFILE_CONTENT];
	size_t filled;
	int code; /* 0, or the first failure */
	struct bat_error *error;
};

/* A temporary file beside the one that is replaced. error stays the writer's
 * until it ends. */
int bat_blockfile_create(struct bat_blockfile_writer *writer,
    const struct bat_disk *disk, int dir, uint64_t generation,
    struct bat_error *error);
/* The first failure stays: what comes behind it is not written, and publish
 * returns it. So whoever writes need not ask at each step. */
void bat_blockfile_append(struct bat_blockfile_writer *writer,
    const void *bytes, size_t length);
/* Zeros, so that what follows starts a block. */
void bat_blockfile_fill_up(struct bat_blockfile_writer *writer);
/* What was to be written could not be had: a failure like those of the disk. */
void bat_blockfile_fail(struct bat_blockfile_writer *writer, int code);
/* Logical offset of the next byte. */
uint64_t bat_blockfile_at(const struct bat_blockfile_writer *writer);
/* Fill up and rename to name; something was appended. No sync: what a crash
 * leaves half is noticed by whoever reads it. On a failure: abandon. */
int bat_blockfile_publish(struct bat_blockfile_writer *writer,
    const char *name);
/* Give up; the temporary file goes. */
void bat_blockfile_abandon(struct bat_blockfile_writer *writer);

#endif
