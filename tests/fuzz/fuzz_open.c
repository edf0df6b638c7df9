/*
 * Any bytes as a whole data directory, changed by a mutator that knows what
 * it is (mutate.h): inspected, verified, opened, read; opened for writing,
 * appended to, and opened again. What opens goes on, nothing that was shown is
 * lost by it, who refuses says why, who only reads changes nothing, and no
 * length in a file decides how much memory is taken.
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
#include "picture.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
    unsigned seed);

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
    unsigned seed)
{
	return fuzz_mutate(data, size, max_size, seed);
}

static struct bat_store *
open_store(struct memory_disk *disk, struct fake_clock *clock, bool writable)
{
	const struct bat_options options = { .read_only = !writable,
		.no_create = true,
		.disk = memory_disk_door(disk),
		.clock = &clock->clock };
	struct bat_error error = { .code = 0 };
	struct bat_store *store = NULL;

	if (bat_open("/", &options, &store, &error) == BAT_OK)
		return store;
	FUZZ_CHECK(error.code != 0 && error.text[0] != '\0');
	return NULL;
}

static int
take_line(void *context, const char *key, const char *value)
{
	(void)context;
	for (; *key != '\0'; key++)
		FUZZ_CHECK((unsigned char)*key > 0x20);
	for (; *value != '\0'; value++)
		FUZZ_CHECK((unsigned char)*value >= 0x20);
	return 0;
}

/* Everything that reads, with what it takes. */
static void
read_all(struct memory_disk *disk, struct fake_clock *clock)
{
	uint64_t bytes = memory_disk_used(disk), hash = memory_disk_hash(disk);
	const struct bat_inspect_sink lines = { NULL, take_line };
	struct bat_buf picture = BAT_BUF_EMPTY;
	struct bat_verify_counts counts;
	struct bat_store *store;
	const char *wrong;

	fuzz_memory_start();
	(void)bat_inspect(memory_disk_door(disk), "/", &lines, NULL);
	fuzz_memory_check(bytes);
	fuzz_memory_start();
	(void)bat_verify_directory(memory_disk_door(disk), "/", NULL, &counts,
	    NULL);
	fuzz_memory_check(bytes);
	fuzz_memory_start();
	store = open_store(disk, clock, false);
	fuzz_memory_check(bytes);
	if (store != NULL) {
		picture_of(store, PICTURE_WHOLE, &picture);
		wrong = picture_check_lists(store);
		if (wrong != NULL)
			fprintf(stderr, "lists: %s\n", wrong);
		FUZZ_CHECK(wrong == NULL);
		(void)bat_trace(store, NULL);
		FUZZ_CHECK(bat_close(store, NULL) == 0);
	}
	FUZZ_CHECK(memory_disk_hash(disk) == hash);
	FUZZ_CHECK(memory_disk_open_count(disk) == 0);
	bat_bytes_free(&picture);
}

static bool
append(struct bat_store *store)
{
	struct bat_draft draft = {
		.entity = bat_bytes_text("fuzz:after"),
		.scope = bat_bytes_text("fuzz"),
		.kind = BAT_KIND_DATA,
		.payload = bat_bytes_text("\xa1x"),
	};
	struct bat_receipt receipt;
	struct bat_batch batch = { .drafts = &draft,
		.count = 1,
		.receipts = &receipt };
	int code = bat_append(store, &batch);

	/* An index that lied is dropped, and it wants to be asked again. */
	if (code == BAT_DATA_DISAGREES)
		code = bat_append(store, &batch);
	FUZZ_CHECK(code == 0 || batch.error.text[0] != '\0');
	return code == 0;
}

/* What was shown is shown, and the new event behind it. What was damaged may
 * have been an index that lied, and was dropped since. */
static void
write_all(struct memory_disk *disk, struct fake_clock *clock)
{
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	const unsigned what = PICTURE_NO_SEQ | PICTURE_NO_PLACE;
	struct bat_store *store = open_store(disk, clock, true);
	bool appended;

	if (store == NULL)
		return;
	picture_of(store, what, &before);
	appended = append(store);
	(void)bat_close(store, NULL);
	store = appended ? open_store(disk, clock, false) : NULL;
	FUZZ_CHECK(!appended || store != NULL);
	if (store != NULL) {
		picture_of(store, what, &after);
		if (!picture_is_part(bat_bytes_of_buf(&before),
			bat_bytes_of_buf(&after))) {
			fprintf(stderr, "before: %.*s\nafter: %.*s\n",
			    (int)before.length, (const char *)before.data,
			    (int)after.length, (const char *)after.data);
			abort();
		}
		FUZZ_CHECK(
		    memmem(after.data, after.length, "fuzz:after", 10) != NULL);
		(void)bat_close(store, NULL);
	}
	bat_bytes_free(&before);
	bat_bytes_free(&after);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct fuzz_directory directory;
	struct fake_clock clock;
	struct memory_disk *disk;

	fuzz_directory_parse(bat_bytes_slice(data, length), &directory);
	disk = fuzz_directory_disk(&directory);
	fuzz_directory_free(&directory);
	fake_clock_init(&clock, FAKE_CLOCK_START_US, 1000);
	read_all(disk, &clock);
	write_all(disk, &clock);
	FUZZ_CHECK(memory_disk_open_count(disk) == 0);
	memory_disk_free(disk);
	return 0;
}
