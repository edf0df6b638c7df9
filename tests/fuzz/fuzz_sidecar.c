/*
 * The sidecar with any of its bytes changed, and the checks of its blocks made
 * right again: it loads or it does not, what it loads is within the bytes and
 * the numbers that there are, and a store that has it can be read.
 *
 * It is believed for files of a certain age and inode, so there is one disk,
 * made once; only the sidecar changes.
 *
 * Runs: 100
 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>

#include "bat.h"
#include "blockfile.h"
#include "crc.h"
#include "fake_clock.h"
#include "memory.h"
#include "patch.h"
#include "sidecar.h"

/* More than a sidecar is worth its while for. */
enum { EVENTS = 4200, BATCH = 100 };

static struct memory_disk *original;
static struct fake_clock fake;

/* ---- the store, once --------------------------------------------------- */

static void
append_batch(struct bat_store *store, unsigned from)
{
	struct bat_draft drafts[BATCH];
	struct bat_receipt receipts[BATCH];
	char entities[BATCH][16];
	struct bat_batch batch = { .drafts = drafts,
		.count = BATCH,
		.receipts = receipts };

	for (unsigned i = 0; i < BATCH; i++) {
		snprintf(entities[i], sizeof(entities[i]), "e:%u",
		    (from + i) % 40);
		drafts[i] = (struct bat_draft){
			.entity = bat_bytes_text(entities[i]),
			.scope = bat_bytes_text(i % 3 == 0 ? "one" : "two"),
			.kind = BAT_KIND_DATA,
			.payload = bat_bytes_text("\xa1x"),
		};
	}
	FUZZ_CHECK(bat_append(store, &batch) == BAT_OK);
}

static struct bat_store *
open_store(struct memory_disk *disk, bool writable)
{
	const struct bat_options options = { .read_only = !writable,
		.disk = memory_disk_door(disk),
		.clock = &fake.clock };
	struct bat_store *store = NULL;

	FUZZ_CHECK(bat_open("/", &options, &store, NULL) == BAT_OK);
	return store;
}

static void
make_original(void)
{
	struct bat_store *store;

	original = memory_disk_new(MEMORY_DISK_STRICT, 1);
	/* Hours behind the times of the files, so that they are old. */
	fake_clock_init(&fake, FAKE_CLOCK_START_US + INT64_C(36000000000), 1);
	store = open_store(original, true);
	for (unsigned i = 0; i < EVENTS; i += BATCH)
		append_batch(store, i);
	FUZZ_CHECK(bat_close(store, NULL) == BAT_OK);
}

/* ---- one change --------------------------------------------------------- */

static int
cache_of(const struct bat_disk *door)
{
	int dir = door->open_dir(door->context, "/", false);
	int side = door->open_dir_at(door->context, dir, BAT_SIDECAR_DIR);
	int cache = door->open_dir_at(door->context, side, BAT_SIDECAR_CACHE);

	door->close(door->context, dir);
	door->close(door->context, side);
	FUZZ_CHECK(cache >= 0);
	return cache;
}

static void
seal_blocks(const struct bat_disk *door, int cache)
{
	uint8_t block[BAT_BLOCKFILE_BLOCK];
	int fd = door->open_at(door->context, cache, BAT_SIDECAR_FILE, O_RDWR,
	    0);

	for (uint64_t at = 0; fd >= 0 &&
	     door->read_at(door->context, fd, block, sizeof(block), at) ==
		 sizeof(block);
	     at += sizeof(block)) {
		uint8_t *crc = block + BAT_BLOCKFILE_CONTENT + 16;

		bat_bytes_put_le(crc,
		    bat_crc_of(
			bat_bytes_slice(block, BAT_BLOCKFILE_CONTENT + 16)),
		    4);
		door->write_at(door->context, fd, block, sizeof(block), at);
	}
	if (fd >= 0)
		door->close(door->context, fd);
}

/* What was believed and is wrong is met when its frame is read, and then it is
 * read anew, but not for ever. */
static void
read_some(struct bat_store *store)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	unsigned anew = 0;

	for (uint32_t i = 0; i < 40; i++)
		if (bat_read(store, i, &reading, NULL) == BAT_DATA_DISAGREES)
			FUZZ_CHECK(anew++ < 3);
	bat_reading_free(&reading);
}

static void
read_store(struct memory_disk *disk)
{
	struct bat_store *store;
	struct bat_head head;
	struct bat_row row;

	fuzz_memory_start();
	store = open_store(disk, false);
	fuzz_memory_check(memory_disk_used(disk));
	bat_head(store, &head);
	for (uint32_t i = 0; i < head.ordinals; i++)
		if (bat_row(store, i, &row)) {
			(void)bat_name(store, row.entity);
			(void)bat_name(store, row.scope);
			(void)bat_find_id(store, &row.id);
			(void)bat_find_seq(store, row.seq);
		}
	read_some(store);
	(void)bat_close(store, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct memory_disk *disk;
	const struct bat_disk *door;
	int cache;

	if (original == NULL)
		make_original();
	disk = memory_disk_copy(original);
	door = memory_disk_door(disk);
	cache = cache_of(door);
	fuzz_patch(door, cache, bat_bytes_slice(data, length));
	seal_blocks(door, cache);
	door->close(door->context, cache);
	read_store(disk);
	FUZZ_CHECK(memory_disk_open_count(disk) == 0);
	memory_disk_free(disk);
	return 0;
}
