/*
 * The swift way of verify has an opinion where all is well: then nobody reads
 * the store again. (That it has none elsewhere, and the same one as the plain
 * way, is seen in every case of test_verify.c.) Its two threads make these
 * cases one for the thread sanitizer.
 */
#include <check.h>
#include <stdio.h>

#include "bat.h"
#include "checkpoint.h"
#include "rowindex.h"
#include "suite.h"
#include "temp_dir.h"
#include "verify.h"

#define GOLDEN TEST_DATA "/golden/"

static struct temp_dir temp;

static void
set_up(void)
{
	temp_dir_make(&temp);
}

static void
tear_down(void)
{
	temp_dir_remove(&temp);
}

/* A door that counts the bytes that are read. */
static uint64_t bytes_read;

static ssize_t
read_counted(void *context, int fd, void *to, size_t length, uint64_t offset)
{
	const struct bat_disk *real = bat_file_posix();
	ssize_t got = real->read_at(context, fd, to, length, offset);

	if (got > 0)
		__atomic_add_fetch(&bytes_read, (uint64_t)got,
		    __ATOMIC_RELAXED);
	return got;
}

/* Verify what is in temp, and count. */
static uint64_t
read_by(const struct bat_verify_how *how, struct bat_verify_counts *counts)
{
	struct bat_disk disk = *bat_file_posix();
	struct bat_error error = { .code = 0 };

	disk.read_at = read_counted;
	bytes_read = 0;
	ck_assert_msg(bat_verify_directory_as(how, &disk, temp.path, NULL,
			  counts, &error) == 0,
	    "%s", error.text);
	return bytes_read;
}

/* The swift way reads it, in pieces of this size, and is content. */
static void
check_read_once(uint64_t split_bytes)
{
	const struct bat_verify_how plain = { .plain = true };
	const struct bat_verify_how swift = { .split_bytes = split_bytes };
	struct bat_verify_counts expected, counts;
	uint64_t once = read_by(&plain, &expected);
	uint64_t bytes = read_by(&swift, &counts);

	/* Headers, and a block of the index, are read by both threads. Read
	 * again, it would be twice as much and these besides. */
	ck_assert_msg(bytes < once * 9 / 5, "%llu bytes, plainly %llu",
	    (unsigned long long)bytes, (unsigned long long)once);
	ck_assert_mem_eq(&counts, &expected, sizeof(counts));
}

static const char *const stores[] = { "many-segments", "batch", "kinds",
	"payloads", "extensions", "no-index", "missing-footer", "ckpt-only" };

START_TEST(a_sound_store_of_batpaks_is_read_once)
{
	char path[512];

	snprintf(path, sizeof(path), GOLDEN "%s/store", stores[_i]);
	temp_dir_fill(&temp, path);
	if (temp_dir_has(&temp, BAT_CHECKPOINT_FILE) &&
	    temp_dir_has(&temp, BAT_ROWINDEX_FILE))
		temp_dir_unlink(&temp, BAT_CHECKPOINT_FILE);
	check_read_once(4096);
}
END_TEST

/* Events in batches of different lengths, of a few entities. */
static void
make_store(enum bat_index_choice index)
{
	const struct bat_options options = { .index = index };
	struct bat_draft drafts[37] = { { .kind = 0 } };
	struct bat_receipt receipts[37];
	uint8_t payload[1500];
	struct bat_store *store;

	memset(payload, 0x11, sizeof(payload));
	ck_assert_int_eq(bat_open(temp.path, &options, &store, NULL), 0);
	for (unsigned i = 0; i < 60; i++) {
		struct bat_batch batch = { .drafts = drafts,
			.count = 1 + i * 7 % 37,
			.receipts = receipts };

		for (unsigned j = 0; j < batch.count; j++)
			drafts[j] = (struct bat_draft){
				.entity = bat_bytes_text(
				    (i + j) % 3 == 0 ? "e:1" : "e:2"),
				.scope = bat_bytes_text("s:1"),
				.kind = 0xf001,
				.payload = bat_bytes_slice(payload,
				    (i * 37 + j) * 11 % sizeof(payload)),
			};
		ck_assert_int_eq(bat_append(store, &batch), 0);
	}
	ck_assert_int_eq(bat_close(store, NULL), 0);
}

START_TEST(a_store_of_ours_is_read_once_wherever_it_is_parted)
{
	static const enum bat_index_choice kinds[] = { BAT_INDEX_NONE,
		BAT_INDEX_CKPT, BAT_INDEX_FBATI };

	make_store(kinds[_i]);
	/* In one piece, and in two. */
	check_read_once(UINT64_MAX / 2);
	check_read_once(4096);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("verify_swift");
	TCase *tcase = tcase_create("swift");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, a_sound_store_of_batpaks_is_read_once, 0,
	    sizeof(stores) / sizeof(stores[0]));
	tcase_add_loop_test(tcase,
	    a_store_of_ours_is_read_once_wherever_it_is_parted, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
