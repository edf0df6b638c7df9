#include "directory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "segment.h"

#define FILE_HEADER 4

static const char *const names[FUZZ_NAMES - FUZZ_SEGMENTS] = {
	"index.ckpt",
	"index.fbati",
	"visibility_ranges.fbv",
	"compaction.pending.json",
	"000001.fbat.compact-src",
	"000002.fbat.compact-src",
	"1.fbat",
	"notes.txt",
};

static void
name_of(unsigned number, char out[BAT_SEGMENT_NAME_SIZE])
{
	if (number < FUZZ_SEGMENTS)
		bat_segment_name(number, out);
	else
		snprintf(out, BAT_SEGMENT_NAME_SIZE, "%s",
		    names[number - FUZZ_SEGMENTS]);
}

static struct fuzz_file *
find_or_add(struct fuzz_directory *directory, unsigned name)
{
	struct fuzz_file *file = directory->files;

	for (size_t i = 0; i < directory->count; i++, file++)
		if (file->name == name)
			return file;
	*file = (struct fuzz_file){ .name = name };
	directory->count++;
	return file;
}

void
fuzz_directory_parse(struct bat_slice input, struct fuzz_directory *out)
{
	*out = (struct fuzz_directory){ .count = 0 };
	while (input.length >= FILE_HEADER) {
		struct fuzz_file *file = find_or_add(out,
		    input.data[0] % FUZZ_NAMES);
		size_t length = bat_bytes_get_le32(input.data) >> 8;

		input.data += FILE_HEADER;
		input.length -= FILE_HEADER;
		if (length > input.length)
			length = input.length;
		bat_bytes_clear(&file->bytes);
		if (bat_bytes_append(&file->bytes, input.data, length) != 0)
			abort();
		input.data += length;
		input.length -= length;
	}
}

size_t
fuzz_directory_print(const struct fuzz_directory *directory, uint8_t *to,
    size_t max)
{
	size_t at = 0;

	for (size_t i = 0; i < directory->count; i++) {
		const struct fuzz_file *file = &directory->files[i];
		size_t length = file->bytes.length;

		if (length >= 1u << 24 || max - at < FILE_HEADER + length)
			return 0;
		bat_bytes_put_le(to + at, length << 8 | file->name,
		    FILE_HEADER);
		if (length > 0)
			memcpy(to + at + FILE_HEADER, file->bytes.data, length);
		at += FILE_HEADER + length;
	}
	return at;
}

void
fuzz_directory_free(struct fuzz_directory *directory)
{
	for (size_t i = 0; i < directory->count; i++)
		bat_bytes_free(&directory->files[i].bytes);
	directory->count = 0;
}

struct memory_disk *
fuzz_directory_disk(const struct fuzz_directory *directory)
{
	struct memory_disk *disk = memory_disk_new(MEMORY_DISK_STRICT, 1);
	const struct bat_disk *door = memory_disk_door(disk);
	int dir = door->open_dir(door->context, "/", false);

	for (size_t i = 0; i < directory->count; i++) {
		const struct bat_buf *bytes = &directory->files[i].bytes;
		char name[BAT_SEGMENT_NAME_SIZE];
		int fd;

		name_of(directory->files[i].name, name);
		fd = door->open_at(door->context, dir, name, O_RDWR | O_CREAT,
		    0644);
		if (bytes->length > 0)
			door->write_at(door->context, fd, bytes->data,
			    bytes->length, 0);
		door->sync(door->context, fd);
		door->close(door->context, fd);
	}
	door->sync(door->context, dir);
	door->close(door->context, dir);
	return disk;
}
