/*
 * Any bytes as a whole data directory (mutate.h), repaired and salvaged. A
 * repair that leaves nothing over leaves a directory that opens for writing and
 * that a second repair does not touch; no event that was provable is lost by
 * it. What was salvaged opens.
 *
 * Runs: 500
 */
#include "fuzz.h"

#include <stdio.h>

#include "bat.h"
#include "directory.h"
#include "fake_clock.h"
#include "memory.h"
#include "mutate.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
    unsigned seed);

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
    unsigned seed)
{
	return fuzz_mutate(data, size, max_size, seed);
}

static int
take_act(void *context, const struct bat_repair_act *act)
{
	(void)context;
	FUZZ_CHECK(act->text != NULL && act->text[0] != '\0');
	return 0;
}

static int
tell_act(void *context, const struct bat_repair_act *act)
{
	(void)context;
	fprintf(stderr, "again: %s\n", act->text);
	return 0;
}

static const struct bat_repair_sink sink = { NULL, take_act };
static const struct bat_repair_sink teller = { NULL, tell_act };

static bool
opens(const struct bat_disk *door, struct fake_clock *clock, bool writable)
{
	const struct bat_options options = { .read_only = !writable,
		.no_create = true,
		.disk = door,
		.clock = &clock->clock };
	struct bat_store *store = NULL;

	if (bat_open("/", &options, &store, NULL) != BAT_OK)
		return false;
	(void)bat_close(store, NULL);
	return true;
}

static void
repair(struct memory_disk *disk, struct fake_clock *clock)
{
	const struct bat_disk *door = memory_disk_door(disk);
	struct bat_repair_counts planned, done, again;
	uint64_t hash = memory_disk_hash(disk);
	int code;

	fuzz_memory_start();
	code = bat_repair(door, "/", false, &sink, &planned, NULL);
	fuzz_memory_check(memory_disk_used(disk));
	FUZZ_CHECK(memory_disk_hash(disk) == hash);
	if (code != BAT_OK)
		return;
	FUZZ_CHECK(bat_repair(door, "/", true, &sink, &done, NULL) == BAT_OK);
	/* Without a sound event there may be no store any more. */
	if (done.events == 0)
		return;
	FUZZ_CHECK(bat_repair(door, "/", false, &sink, &again, NULL) == BAT_OK);
	if (done.left > 0)
		return;
	if (again.acts > 0)
		(void)bat_repair(door, "/", false, &teller, &again, NULL);
	FUZZ_CHECK(again.acts == 0);
	/* Of several copies of a segment the first one had hidden the next. */
	if (again.left > 0)
		return;
	FUZZ_CHECK(again.events == done.events);
	FUZZ_CHECK(opens(door, clock, true));
}

/* ---- salvage, which wants a second directory ------------------------------- */

static int
open_dir(void *context, const char *path, bool create)
{
	const struct bat_disk *door = memory_disk_door(context);
	int dir = door->open_dir(context, "/", false), out;

	if (path[1] == '\0')
		return dir;
	if (create)
		(void)door->mkdir_at(context, dir, path + 1, 0700);
	out = door->open_dir_at(context, dir, path + 1);
	door->close(context, dir);
	return out;
}

static int
take_gap(void *context, const struct bat_salvage_gap *gap)
{
	(void)context;
	FUZZ_CHECK(gap->reason != NULL && gap->reason[0] != '\0');
	return 0;
}

static void
salvage(struct memory_disk *disk, struct fake_clock *clock)
{
	const struct bat_salvage_sink gaps = { NULL, take_gap };
	struct bat_disk door = *memory_disk_door(disk);
	struct bat_salvage_counts counts;
	struct bat_store *store = NULL;
	const struct bat_options options = { .no_create = true,
		.disk = &door,
		.clock = &clock->clock };

	door.open_dir = open_dir;
	if (bat_repair_salvage(&door, "/", "/saved", &gaps, &counts, NULL) !=
	    BAT_OK)
		return;
	if (counts.events == 0)
		return;
	FUZZ_CHECK(bat_open("/saved", &options, &store, NULL) == BAT_OK);
	(void)bat_close(store, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct fuzz_directory directory;
	struct fake_clock clock;
	struct memory_disk *disk, *twin;

	fuzz_directory_parse(bat_bytes_slice(data, length), &directory);
	disk = fuzz_directory_disk(&directory);
	twin = memory_disk_copy(disk);
	fuzz_directory_free(&directory);
	fake_clock_init(&clock, FAKE_CLOCK_START_US, 1000);
	repair(disk, &clock);
	salvage(twin, &clock);
	FUZZ_CHECK(memory_disk_open_count(disk) == 0);
	FUZZ_CHECK(memory_disk_open_count(twin) == 0);
	memory_disk_free(disk);
	memory_disk_free(twin);
	return 0;
}
