/*
 * Reading around what the disk does not give: for who only looks, and would
 * rather lose the events of one block than all of a segment.
 */
#include "segment_reader_internal.h"

#include <inttypes.h>

/* What a disk loses, it loses in these; also what the kernel reads at least. */
enum { BLOCK_SIZE = 4096 };

/* Block by block; zeros stand for those that fail. */
static int
read_blocks(struct bat_segment_reader *reader, uint64_t offset, uint8_t *to,
    size_t length, size_t *out_got, bool *out_lost, struct bat_error *error)
{
	const struct bat_disk *disk = reader->dir->disk;
	uint64_t end;
	int code = bat_file_size(disk, reader->fd, &end, error);

	*out_got = 0;
	if (code != BAT_OK || offset >= end)
		return code;
	if (end - offset > length)
		end = offset + length;
	for (uint64_t at = offset; at < end;) {
		uint64_t step = BLOCK_SIZE - at % BLOCK_SIZE;
		size_t got;

		if (step > end - at)
			step = end - at;
		code = bat_file_read(disk, reader->fd, to + (at - offset),
		    (size_t)step, at, &got, NULL);
		if (code == BAT_WORLD_IO) {
			if (BAT_PLANT(312))
				break;
			got = (size_t)step;
			memset(to + (at - offset), 0, got);
			*out_lost = true;
			if (at + step > reader->lost_end)
				reader->lost_end = at + step;
		} else if (code != BAT_OK) {
			return code;
		}
		at += got;
		*out_got = (size_t)(at - offset);
		if (got < step)
			break;
	}
	return BAT_OK;
}

int
bat_segment_reader_part(struct bat_segment_reader *reader, uint64_t offset,
    void *to, size_t length, size_t *out_got, bool *out_lost,
    struct bat_error *error)
{
	bool around = reader->dir->reads_around;
	/* What is read around is no error to tell of. */
	int code = bat_file_read(reader->dir->disk, reader->fd, to, length,
	    offset, out_got, around ? NULL : error);

	*out_lost = false;
	if (code == BAT_WORLD_IO && around)
		code = read_blocks(reader, offset, to, length, out_got,
		    out_lost, error);
	if (code != BAT_OK)
		bat_error_prefix(error, "segment %" PRIu64, reader->id);
	return code;
}

int
bat_segment_reader_is_lost(struct bat_segment_reader *reader, uint64_t from,
    uint64_t to, bool *out_is_lost, struct bat_error *error)
{
	uint8_t block[BLOCK_SIZE];
	int code = BAT_OK;

	*out_is_lost = false;
	while (code == BAT_OK && from < to && from < reader->lost_end &&
	    !*out_is_lost) {
		size_t got, ask = BLOCK_SIZE - (size_t)(from % BLOCK_SIZE);

		if (ask > to - from)
			ask = (size_t)(to - from);
		code = bat_segment_reader_part(reader, from, block, ask, &got,
		    out_is_lost, error);
		from += ask;
	}
	return code;
}
