#include "blockfile.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "crc.h"

#define WRITE_BYTES (1u << 20)
/* 64 KiB: a buffer that is at hand, where a large one would be a mapping whose
 * pages are all new. */
#define READ_BLOCKS 16u

/* content, generation, number, CRC, zeros */
enum {
	AT_GENERATION = BAT_BLOCKFILE_CONTENT,
	AT_NUMBER = AT_GENERATION + 8,
	AT_CRC = AT_NUMBER + 8,
};

/* ---- reading --------------------------------------------------------- */

static bool
block_holds(const uint8_t *block, uint64_t generation, uint64_t number)
{
	return bat_bytes_get_le64(block + AT_GENERATION) == generation &&
	    (bat_bytes_get_le64(block + AT_NUMBER) == number ||
		BAT_PLANT(29)) &&
	    bat_bytes_get_le32(block + AT_CRC) ==
	    bat_crc_of(bat_bytes_slice(block, AT_CRC));
}

int
bat_blockfile_open(struct bat_blockfile *file, const struct bat_disk *disk,
    int dir, const char *name, struct bat_error *error)
{
	uint8_t block[BAT_BLOCKFILE_BLOCK];
	uint64_t size = 0;
	size_t got = 0;
	int code = bat_file_open_read(disk, dir, name, &file->fd, error);

	if (code != BAT_OK)
		return code;
	file->disk = disk;
	code = bat_file_size(disk, file->fd, &size, error);
	file->size = size / BAT_BLOCKFILE_BLOCK * BAT_BLOCKFILE_CONTENT;
	if (code == BAT_OK)
		code = bat_file_read(disk, file->fd, block, sizeof(block), 0,
		    &got, error);
	if (code == BAT_OK) {
		file->generation = bat_bytes_get_le64(block + AT_GENERATION);
		if (got != sizeof(block) ||
		    !block_holds(block, file->generation, 0))
			code = bat_error_set(error, BAT_DATA_CORRUPT,
			    "%s: its first block does not hold", name);
	}
	if (code != BAT_OK)
		bat_blockfile_close(file);
	return code;
}

void
bat_blockfile_close(struct bat_blockfile *file)
{
	bat_file_close(file->disk, file->fd);
	file->fd = -1;
}

/* Blocks [first, first + count) into buffer, each checked. */
static int
read_blocks(const struct bat_blockfile *file, uint64_t first, size_t count,
    uint8_t *buffer, struct bat_error *error)
{
	size_t got = 0;
	int code = bat_file_read(file->disk, file->fd, buffer,
	    count * BAT_BLOCKFILE_BLOCK, first * BAT_BLOCKFILE_BLOCK, &got,
	    error);

	if (code != BAT_OK)
		return code;
	for (size_t i = 0; i < count; i++)
		if ((i + 1) * BAT_BLOCKFILE_BLOCK > got ||
		    !block_holds(buffer + i * BAT_BLOCKFILE_BLOCK,
			file->generation, first + i))
			return bat_error_set(error, BAT_DATA_CORRUPT,
			    "block %llu does not hold",
			    (unsigned long long)(first + i));
	return BAT_OK;
}

int
bat_blockfile_read(const struct bat_blockfile *file, uint64_t at, void *to,
    size_t length, struct bat_error *error)
{
	uint8_t *out = to, *buffer;
	size_t room;
	int code = BAT_OK;

	if (length == 0)
		return BAT_OK;
	if (at > file->size || length > file->size - at)
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    "it ends before byte %llu",
		    (unsigned long long)(at + length));
	room = length / BAT_BLOCKFILE_CONTENT + 2;
	room = room > READ_BLOCKS ? READ_BLOCKS : room;
	buffer = malloc(room * BAT_BLOCKFILE_BLOCK);
	if (buffer == NULL)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY,
		    "no memory for %zu blocks", room);
	while (code == BAT_OK && length > 0) {
		uint64_t first = at / BAT_BLOCKFILE_CONTENT;
		size_t skip = (size_t)(at % BAT_BLOCKFILE_CONTENT);
		size_t count = (skip + length + BAT_BLOCKFILE_CONTENT - 1) /
		    BAT_BLOCKFILE_CONTENT;

		count = count > room ? room : count;
		code = read_blocks(file, first, count, buffer, error);
		for (size_t i = 0; code == BAT_OK && i < count; i++) {
			size_t part = BAT_BLOCKFILE_CONTENT - skip;

			part = part > length ? length : part;
			memcpy(out, buffer + i * BAT_BLOCKFILE_BLOCK + skip,
			    part);
			out += part;
			at += part;
			length -= part;
			skip = 0;
		}
	}
	free(buffer);
	return code;
}

/* ---- writing --------------------------------------------------------- */

int
bat_blockfile_create(struct bat_blockfile_writer *writer,
    const struct bat_disk *disk, int dir, uint64_t generation,
    struct bat_error *error)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
	uint8_t random[6];

	memset(writer, 0, sizeof(*writer));
	writer->disk = disk;
	writer->dir = dir;
	writer->generation = generation;
	writer->error = error;
	memcpy(writer->temporary, ".tmp", 4);
	if (disk->random(disk->context, random, sizeof(random)) < 0)
		return bat_error_set(error, BAT_WORLD_IO, "no random bytes");
	for (size_t i = 0; i < sizeof(random); i++)
		writer->temporary[4 + i] = letters[random[i] % 32];
	writer->fd = disk->open_at(disk->context, dir, writer->temporary,
	    O_RDWR | O_CREAT | O_EXCL, 0600);
	if (writer->fd < 0)
		return bat_error_set_os(error, -writer->fd, "cannot make %s",
		    writer->temporary);
	return BAT_OK;
}

static void
write_out(struct bat_blockfile_writer *writer)
{
	writer->code = bat_file_write(writer->disk, writer->fd,
	    writer->blocks.data, writer->blocks.length, writer->written,
	    writer->error);
	writer->written += writer->blocks.length;
	bat_bytes_clear(&writer->blocks);
}

/* The block that is being filled becomes one of `blocks`. */
static void
end_block(struct bat_blockfile_writer *writer)
{
	uint8_t *block;
	int code = bat_bytes_reserve(&writer->blocks, BAT_BLOCKFILE_BLOCK);

	if (code != BAT_OK) {
		writer->code = bat_error_set(writer->error, code,
		    "no memory for a block");
		return;
	}
	block = writer->blocks.data + writer->blocks.length;
	memset(block, 0, BAT_BLOCKFILE_BLOCK);
	memcpy(block, writer->content, writer->filled);
	bat_bytes_put_le(block + AT_GENERATION, writer->generation, 8);
	bat_bytes_put_le(block + AT_NUMBER, writer->next_block, 8);
	bat_bytes_put_le(block + AT_CRC,
	    bat_crc_of(bat_bytes_slice(block, AT_CRC)), 4);
	writer->blocks.length += BAT_BLOCKFILE_BLOCK;
	writer->next_block++;
	writer->filled = 0;
	if (writer->blocks.length >= WRITE_BYTES)
		write_out(writer);
}

void
bat_blockfile_append(struct bat_blockfile_writer *writer, const void *bytes,
    size_t length)
{
	const uint8_t *from = bytes;

	while (writer->code == BAT_OK && length > 0) {
		size_t part = BAT_BLOCKFILE_CONTENT - writer->filled;

		part = part > length ? length : part;
		memcpy(writer->content + writer->filled, from, part);
		writer->filled += part;
		from += part;
		length -= part;
		if (writer->filled == BAT_BLOCKFILE_CONTENT)
			end_block(writer);
	}
}

void
bat_blockfile_fill_up(struct bat_blockfile_writer *writer)
{
	if (writer->code == BAT_OK && writer->filled > 0)
		end_block(writer);
}

void
bat_blockfile_fail(struct bat_blockfile_writer *writer, int code)
{
	if (writer->code == BAT_OK)
		writer->code = bat_error_set(writer->error, code,
		    "cannot make %s", writer->temporary);
}

uint64_t
bat_blockfile_at(const struct bat_blockfile_writer *writer)
{
	return writer->next_block * BAT_BLOCKFILE_CONTENT + writer->filled;
}

int
bat_blockfile_publish(struct bat_blockfile_writer *writer, const char *name)
{
	const struct bat_disk *disk = writer->disk;
	int result;

	assert(writer->filled > 0 || writer->next_block > 0);
	bat_blockfile_fill_up(writer);
	if (writer->code == BAT_OK)
		write_out(writer);
	if (writer->code != BAT_OK)
		return writer->code;
	result = disk->rename_at(disk->context, writer->dir, writer->temporary,
	    name, true);
	if (result < 0)
		return bat_error_set_os(writer->error, -result,
		    "cannot rename to %s", name);
	bat_file_close(disk, writer->fd);
	bat_bytes_free(&writer->blocks);
	return BAT_OK;
}

void
bat_blockfile_abandon(struct bat_blockfile_writer *writer)
{
	(void)bat_file_unlink(writer->disk, writer->dir, writer->temporary,
	    NULL);
	if (!BAT_PLANT(430))
		bat_file_close(writer->disk, writer->fd);
	bat_bytes_free(&writer->blocks);
}
