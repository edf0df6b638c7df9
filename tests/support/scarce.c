#include "scarce.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "failing_memory.h"
#include "faulty_disk.h"

/* More would be a loop that never ends. */
enum { PLACES_MAX = 5000 };

struct memory_disk *
scarce_ground(const struct temp_dir *dir)
{
	struct memory_disk *disk = memory_disk_new(MEMORY_DISK_EXT4, 1);
	const struct bat_disk *door = memory_disk_door(disk);
	int folder = door->open_dir(door->context, SCARCE_PATH, false);
	struct bat_buf bytes = BAT_BUF_EMPTY;
	DIR *stream = opendir(dir->path);

	ck_assert_int_ge(folder, 0);
	ck_assert_ptr_nonnull(stream);
	for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
		int fd;

		if (entry->d_type != DT_REG)
			continue;
		bat_bytes_clear(&bytes);
		temp_dir_read(dir, entry->d_name, &bytes);
		fd = door->open_at(door->context, folder, entry->d_name,
		    O_WRONLY | O_CREAT, 0600);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(door->write_at(door->context, fd, bytes.data,
				     bytes.length, 0),
		    (ssize_t)bytes.length);
		door->close(door->context, fd);
	}
	closedir(stream);
	bat_bytes_free(&bytes);
	door->close(door->context, folder);
	return disk;
}

/* What holds whatever failed. */
static void
check(const struct scarce_work *work, struct memory_disk *disk, int code,
    const char *what, unsigned nth)
{
	char label[128];

	ck_assert_msg(memory_disk_open_count(disk) == 0,
	    "%s, %s %u fails: %u descriptors are left open", work->name, what,
	    nth, memory_disk_open_count(disk));
	ck_assert_msg(!work->only_reads ||
		memory_disk_hash(disk) == memory_disk_hash(work->ground),
	    "%s, %s %u fails: it only reads, and the disk changed", work->name,
	    what, nth);
	if (work->holds == NULL)
		return;
	snprintf(label, sizeof(label), "%s, %s %u fails", work->name, what,
	    nth);
	work->holds(work->context, disk, code, label);
}

/* Returns whether there was such an allocation. */
static bool
without_memory(const struct scarce_work *work, unsigned nth)
{
	struct memory_disk *disk = memory_disk_copy(work->ground);
	struct bat_error error = { .text = "" };
	bool fell;
	int code;

	failing_memory_arm(nth, false, NULL);
	code = work->run(work->context, memory_disk_door(disk), &error);
	fell = failing_memory_disarm() >= nth;
	ck_assert_msg(code == work->usual ||
		(fell && code == BAT_WORLD_NO_MEMORY),
	    "%s, allocation %u fails: %s: %s", work->name, nth,
	    bat_error_name(code), error.text);
	check(work, disk, code, "allocation", nth);
	memory_disk_free(disk);
	return fell;
}

void
scarce_memory(const struct scarce_work *work)
{
	unsigned nth = 1;

	while (without_memory(work, nth))
		ck_assert_uint_lt(++nth, PLACES_MAX);
	ck_assert_msg(nth > 1, "%s asks for no memory", work->name);
}

/* transfer_max is for a read that ends early; SIZE_MAX: an error. */
static bool
without_disk(const struct scarce_work *work, enum faulty_operation operation,
    unsigned nth, size_t transfer_max)
{
	struct memory_disk *disk = memory_disk_copy(work->ground);
	struct bat_error error = { .text = "" };
	struct faulty_disk faulty;
	char what[48];
	bool fell;
	int code;

	faulty_disk_init(&faulty, memory_disk_door(disk));
	if (transfer_max == SIZE_MAX)
		faulty_disk_fail(&faulty, operation, nth, EIO, false);
	else
		faulty_disk_shorten(&faulty, operation, nth, transfer_max);
	code = work->run(work->context, &faulty.disk, &error);
	fell = faulty_disk_calls(&faulty, operation) >= nth;
	snprintf(what, sizeof(what), "operation %d%s, call", (int)operation,
	    transfer_max == SIZE_MAX ? "" : " (short)");
	ck_assert_msg(code == work->usual ||
		(fell && code < 0 &&
		    (transfer_max != SIZE_MAX || code == BAT_WORLD_IO ||
			code == BAT_STATE_STOPPED)),
	    "%s, %s %u fails: %s: %s", work->name, what, nth,
	    bat_error_name(code), error.text);
	check(work, disk, code, what, nth);
	memory_disk_free(disk);
	return fell;
}

void
scarce_disk(const struct scarce_work *work)
{
	for (int operation = 0; operation < FAULTY_OPERATION_COUNT; operation++)
		for (unsigned nth = 1; without_disk(work,
			 (enum faulty_operation)operation, nth, SIZE_MAX);
		     nth++)
			ck_assert_uint_lt(nth, PLACES_MAX);
}

void
scarce_reads(const struct scarce_work *work)
{
	for (unsigned nth = 1; without_disk(work, FAULTY_READ, nth, 0); nth++)
		(void)without_disk(work, FAULTY_READ, nth, 7);
}
