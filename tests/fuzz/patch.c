#include "patch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

enum { DIRS_MAX = 32, FILES_MAX = 64 };

struct place {
	int dir;
	char name[MEMORY_DISK_NAME_SIZE];
};

struct walk {
	const struct bat_disk *door;
	int dirs[DIRS_MAX];
	size_t dir_count, at;
	struct place files[FILES_MAX];
	size_t file_count;
};

static int
take_name(void *context, const char *name)
{
	struct walk *walk = context;
	int dir = walk->dirs[walk->at];
	struct bat_file_stat stat;
	int fd;

	if (walk->door->stat_at(walk->door->context, dir, name, &stat) != 0)
		return 0;
	if (stat.type == BAT_FILE_DIRECTORY && walk->dir_count < DIRS_MAX) {
		fd = walk->door->open_dir_at(walk->door->context, dir, name);
		if (fd >= 0)
			walk->dirs[walk->dir_count++] = fd;
	} else if (stat.type == BAT_FILE_REGULAR &&
	    walk->file_count < FILES_MAX) {
		struct place *place = &walk->files[walk->file_count++];

		place->dir = dir;
		snprintf(place->name, sizeof(place->name), "%s", name);
	}
	return 0;
}

static void
change(const struct bat_disk *door, int fd, unsigned what, uint64_t at,
    uint8_t value)
{
	struct bat_file_stat stat;
	uint8_t byte = 0;

	if (door->stat_fd(door->context, fd, &stat) != 0 || stat.size == 0)
		return;
	at %= stat.size;
	switch (what) {
	case 0:
		door->read_at(door->context, fd, &byte, 1, at);
		byte ^= value;
		door->write_at(door->context, fd, &byte, 1, at);
		break;
	case 1:
		door->write_at(door->context, fd, &value, 1, at);
		break;
	case 2:
		door->truncate(door->context, fd, at);
		break;
	case 3:
		door->truncate(door->context, fd, stat.size + value);
		break;
	default:
		door->write_at(door->context, fd, &value, 1, stat.size);
		break;
	}
}

static void
patch(struct walk *walk, const uint8_t *bytes)
{
	const struct bat_disk *door = walk->door;
	const struct place *place;
	uint64_t at = bat_bytes_get_le32(bytes + 1) >> 8;
	int fd;

	if (walk->file_count == 0)
		return;
	place = &walk->files[bytes[0] % walk->file_count];
	if (bytes[1] % 8 == 7) {
		door->unlink_at(door->context, place->dir, place->name);
		return;
	}
	if (bytes[1] % 8 == 6) {
		door->rename_at(door->context, place->dir, place->name,
		    walk->files[bytes[5] % walk->file_count].name, true);
		return;
	}
	fd = door->open_at(door->context, place->dir, place->name, O_RDWR, 0);
	if (fd < 0)
		return;
	change(door, fd, bytes[1] % 8, at, bytes[5]);
	door->close(door->context, fd);
}

void
fuzz_patch(const struct bat_disk *door, int dir, struct bat_slice input)
{
	struct walk walk = { .door = door, .dirs = { dir }, .dir_count = 1 };

	for (; walk.at < walk.dir_count; walk.at++)
		door->list(door->context, walk.dirs[walk.at], take_name, &walk);
	for (; input.length >= FUZZ_PATCH_SIZE;
	     input.data += FUZZ_PATCH_SIZE, input.length -= FUZZ_PATCH_SIZE)
		patch(&walk, input.data);
	while (walk.dir_count > 1)
		door->close(door->context, walk.dirs[--walk.dir_count]);
}
