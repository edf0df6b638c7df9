/*
 * What the crash-state explorer found, each by its name: the store on a disk
 * that loses power, or whose sync fails.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>

#include "faulty_disk.h"
#include "kind.h"
#include "maker.h"
#include "memory_disk.h"
#include "segment.h"
#include "stores.h"
#include "suite.h"
#include "verify.h"

static struct memory_disk *disk;
static struct faulty_disk faulty;

static void
setup(void)
{
	disk = memory_disk_new(MEMORY_DISK_STRICT, 5);
}

static void
teardown(void)
{
	memory_disk_free(disk);
}

static struct bat_store *
open_with(const struct bat_disk *door, enum bat_durability durability)
{
	const struct bat_options options = { .durability = durability,
		.disk = door,
		.index = BAT_INDEX_NONE };
	struct bat_error error = { .text = "" };
	struct bat_store *store = NULL;
	int code = bat_open("/", &options, &store, &error);

	ck_assert_msg(code == 0, "bat_open: %s", error.text);
	return store;
}

static struct bat_store *
open_it(void)
{
	return open_with(memory_disk_door(disk), BAT_DURABLE_EACH);
}

static int
open_file(const char *name)
{
	const struct bat_disk *door = memory_disk_door(disk);
	int dir = door->open_dir(door->context, "/", false);
	int fd = door->open_at(door->context, dir, name, O_RDWR, 0);

	ck_assert_int_ge(fd, 0);
	door->close(door->context, dir);
	return fd;
}

static uint64_t
visible_count(struct bat_store *store)
{
	struct bat_head head;

	bat_head(store, &head);
	return head.visible_count;
}

START_TEST(a_broken_footer_of_the_newest_segment_is_cut)
{
	const struct bat_disk *door = memory_disk_door(disk);
	const uint8_t zeros[324] = { 0 };
	struct bat_verify_counts counts;
	struct bat_error error;
	struct bat_file_stat stat;
	struct bat_store *store = open_it();
	int fd;

	for (int i = 0; i < 3; i++)
		stores_append(store, "player:alice", "\xa1x");
	stores_close(store);
	fd = open_file("000001.fbat");
	ck_assert_int_eq(door->stat_fd(door->context, fd, &stat), 0);
	/* Two of its five rows of 162 bytes, in front of the last one and the
	 * trailer. */
	ck_assert_int_eq(door->write_at(door->context, fd, zeros, 324,
			     stat.size - 16 - 162 - 324),
	    324);
	door->close(door->context, fd);

	store = open_it();
	ck_assert(stores_report_has(store, "broken footer"));
	ck_assert_uint_eq(visible_count(store), 5);
	stores_append(store, "player:alice", "\xa1y");
	stores_close(store);
	ck_assert_msg(bat_verify_directory(door, "/", NULL, &counts, &error) ==
		0,
	    "%s", error.text);
	/* The cut one is a segment without a footer now. */
	ck_assert_uint_eq(counts.footers, 1);
	ck_assert_uint_eq(counts.events, 8);
}
END_TEST

START_TEST(frames_behind_a_broken_footer_are_damage)
{
	const struct bat_options options = { .read_only = false };
	struct temp_dir dir;
	struct maker maker;
	struct bat_store *store = NULL;
	struct bat_error error;
	uint8_t trailer[16] = { 0 };

	temp_dir_make(&dir);
	maker_init(&maker);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice", "\xa1x");
	bat_bytes_put_le(trailer, maker.file.length, 8);
	memcpy(trailer + 12, "SDX2", 4);
	maker_bytes(&maker, "\x90", 1);
	maker_event(&maker, "player:alice", "\xa1y");
	maker_bytes(&maker, trailer, sizeof(trailer));
	maker_save(&maker, &dir);

	ck_assert_int_eq(bat_open(dir.path, &options, &store, &error),
	    BAT_DATA_CORRUPT);
	ck_assert_ptr_nonnull(strstr(error.text, "broken footer"));
	ck_assert_uint_eq(error.segment, 1);
	store = stores_open(&dir, true);
	ck_assert_uint_eq(visible_count(store), 1);
	stores_close(store);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

static void
lose(void *context, int fd)
{
	memory_disk_lose(context, fd);
}

START_TEST(what_only_the_cache_has_is_not_shown_by_the_next_session)
{
	/* Of the frames, of the footer. */
	static const enum faulty_operation syncs[] = { FAULTY_SYNC_DATA,
		FAULTY_SYNC };
	const uint64_t left[] = { 2, 4 };

	for (int i = 0; i < 2; i++) {
		struct bat_store *store;
		struct bat_error error;
		struct memory_disk *next;

		faulty_disk_init(&faulty, memory_disk_door(disk));
		faulty.sync_failed = lose;
		faulty.sync_failed_context = disk;
		store = open_with(&faulty.disk, BAT_DURABLE_FSYNC);
		stores_append(store, "player:alice", "\xa1x");
		ck_assert_int_eq(bat_sync(store, &error), 0);
		stores_append(store, "player:alice", "\xa1y");
		faulty_disk_fail(&faulty, syncs[i], 1, EIO, false);
		ck_assert_int_ne(bat_close(store, &error), 0);

		/* No crash, only another process: pages are still there. */
		next = memory_disk_copy(disk);
		memory_disk_free(disk);
		disk = next;
		store = open_it();
		ck_assert_uint_eq(visible_count(store), left[i]);
		stores_close(store);
		memory_disk_free(disk);
		setup();
	}
}
END_TEST

struct order {
	bool frames_synced, footer;
};

static void
note_order(void *context, struct memory_disk *of,
    const struct memory_disk_op *op)
{
	struct order *order = context;

	(void)of;
	if (op->kind == MEMORY_DISK_SYNC && !order->footer)
		order->frames_synced = true;
	if (op->kind == MEMORY_DISK_WRITE &&
	    memcmp(op->bytes + op->length - 4, "SDX2", 4) == 0)
		order->footer = true;
	else if (op->kind == MEMORY_DISK_WRITE)
		order->frames_synced = false;
	if (order->footer)
		ck_assert(order->frames_synced);
}

START_TEST(a_footer_is_written_behind_frames_that_are_on_disk)
{
	struct order order = { .footer = false };
	struct bat_store *store = open_with(memory_disk_door(disk),
	    BAT_DURABLE_FSYNC);

	memory_disk_watch(disk, note_order, &order);
	stores_append(store, "player:alice", "\xa1x");
	stores_close(store);
	ck_assert(order.footer);
}
END_TEST

static struct bat_store *
open_faulty(enum bat_durability durability)
{
	faulty_disk_init(&faulty, memory_disk_door(disk));
	faulty.sync_failed = lose;
	faulty.sync_failed_context = disk;
	return open_with(&faulty.disk, durability);
}

static int
append_code(struct bat_store *store)
{
	struct bat_draft draft = stores_draft("player:alice", "scope:test",
	    "\xa1x");

	return stores_append_batch(store, &draft, 1, NULL, NULL);
}

START_TEST(any_sync_that_fails_is_the_last_one_and_stops_the_writer)
{
	/* Of a new segment's file, of its name, of the index file, of its
	 * name. */
	for (unsigned n = 1; n <= 4; n++) {
		struct bat_store *store = open_faulty(BAT_DURABLE_EACH);
		struct bat_options with_index = { .disk = &faulty.disk };
		struct bat_error error;
		unsigned syncs;

		stores_close(store);
		ck_assert_int_eq(bat_open("/", &with_index, &store, &error), 0);
		faulty_disk_reset(&faulty);
		faulty_disk_fail(&faulty, FAULTY_SYNC, n, ENOSPC, false);
		if (n <= 2) {
			ck_assert_int_eq(append_code(store), BAT_STATE_STOPPED);
		} else {
			ck_assert_int_eq(append_code(store), 0);
			ck_assert_int_eq(bat_checkpoint(store, &error),
			    BAT_STATE_STOPPED);
		}
		syncs = faulty_disk_calls(&faulty, FAULTY_SYNC) +
		    faulty_disk_calls(&faulty, FAULTY_SYNC_DATA);
		ck_assert_int_eq(append_code(store), BAT_STATE_STOPPED);
		ck_assert_int_eq(bat_checkpoint(store, &error),
		    BAT_STATE_STOPPED);
		ck_assert_int_eq(bat_sync(store, &error), BAT_STATE_STOPPED);
		ck_assert_int_eq(bat_close(store, &error), BAT_STATE_STOPPED);
		ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_SYNC) +
			faulty_disk_calls(&faulty, FAULTY_SYNC_DATA),
		    syncs);
		memory_disk_free(disk);
		setup();
	}
}
END_TEST

START_TEST(an_older_segment_that_nobody_sealed_is_settled_too)
{
	const struct bat_disk *door = memory_disk_door(disk);
	struct bat_store *store = open_faulty(BAT_DURABLE_FSYNC);
	struct bat_error error;
	struct memory_disk *next;
	int dir;

	stores_append(store, "player:alice", "\xa1x");
	ck_assert_int_eq(bat_sync(store, &error), 0);
	stores_append(store, "player:alice", "\xa1y");
	faulty_disk_fail(&faulty, FAULTY_SYNC_DATA, 1, EIO, false);
	ck_assert_int_eq(bat_sync(store, &error), BAT_STATE_STOPPED);
	ck_assert_int_ne(bat_close(store, &error), 0);
	/* Then somebody began a segment and was killed. */
	dir = door->open_dir(door->context, "/", false);
	door->open_at(door->context, dir, "000002.fbat", O_RDWR | O_CREAT,
	    0600);
	door->sync(door->context, dir);
	next = memory_disk_copy(disk);
	memory_disk_free(disk);
	disk = next;
	store = open_it();
	ck_assert_uint_eq(visible_count(store), 2);
	stores_close(store);
}
END_TEST

static void
append_many(struct bat_store *store, size_t count)
{
	struct bat_draft drafts[STORES_BATCH_MAX];

	for (size_t i = 0; i < STORES_BATCH_MAX; i++)
		drafts[i] = stores_draft("player:alice", "scope:test", "\xa1x");
	for (; count > 0; count -= STORES_BATCH_MAX)
		ck_assert_int_eq(stores_append_batch(store, drafts,
				     STORES_BATCH_MAX, NULL, NULL),
		    0);
}

/* Killed between making a segment and its first write. */
static void
make_empty_segment(uint64_t id)
{
	const struct bat_disk *door = memory_disk_door(disk);
	int dir = door->open_dir(door->context, "/", false);
	struct bat_buf header = BAT_BUF_EMPTY;
	char name[BAT_SEGMENT_NAME_SIZE];
	int fd;

	bat_segment_name(id, name);
	ck_assert_int_eq(bat_segment_encode_header(id, 1, &header), 0);
	fd = door->open_at(door->context, dir, name, O_RDWR | O_CREAT, 0600);
	door->write_at(door->context, fd, header.data, header.length, 0);
	bat_bytes_free(&header);
	door->close(door->context, fd);
	door->close(door->context, dir);
}

START_TEST(a_sidecar_over_an_empty_segment_tells_the_right_places)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_store *store = open_it();
	struct bat_error error = { .text = "" };
	struct bat_head head;

	stores_append(store, "player:alice", "\xa1x");
	stores_close(store);
	make_empty_segment(2);
	store = open_it();
	append_many(store, (size_t)66 * STORES_BATCH_MAX);
	stores_close(store);
	store = open_it();
	ck_assert(stores_report_has(store, "sidecar"));
	bat_head(store, &head);
	for (uint32_t i = 0; i < head.ordinals; i++)
		ck_assert_msg(bat_read(store, i, &reading, &error) == 0,
		    "ordinal %u: %s", i, error.text);
	bat_reading_free(&reading);
	stores_close(store);
}
END_TEST

/* The process is gone, its disk goes on. */
static void
kill_it(struct bat_store *store)
{
	struct memory_disk *next = memory_disk_copy(disk);
	struct bat_error error;

	(void)bat_close(store, &error);
	memory_disk_free(disk);
	disk = next;
}

/* The last bytes of the sidecar, its lists, as an unsynced file may have
 * them. */
static void
spoil_sidecar(void)
{
	const struct bat_disk *door = memory_disk_door(disk);
	const uint8_t zeros[9000] = { 0 };
	struct bat_file_stat stat;
	int root = door->open_dir(door->context, "/", false);
	int side = door->open_dir_at(door->context, root, ".batfs");
	int cache = door->open_dir_at(door->context, side, "cache");
	int fd = door->open_at(door->context, cache, "index", O_RDWR, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(door->stat_fd(door->context, fd, &stat), 0);
	ck_assert_int_eq(door->write_at(door->context, fd, zeros, 9000,
			     stat.size - 9000),
	    9000);
	door->close(door->context, fd);
	door->close(door->context, cache);
	door->close(door->context, side);
	door->close(door->context, root);
}

START_TEST(rows_behind_a_sidecar_that_does_not_hold_are_read)
{
	struct bat_store *store = open_it();

	append_many(store, (size_t)66 * STORES_BATCH_MAX);
	stores_close(store);
	store = open_it();
	stores_append(store, "player:alice", "\xa1y");
	kill_it(store);
	spoil_sidecar();
	store = open_it();
	ck_assert_uint_eq(visible_count(store), 66 * STORES_BATCH_MAX + 4);
	stores_close(store);
}
END_TEST

START_TEST(nothing_is_linked_by_what_a_broken_sidecar_says)
{
	struct bat_draft draft = stores_draft("player:alice", "scope:test",
	    "\xa1y");
	struct bat_receipt receipt;
	struct bat_store *store = open_it();

	append_many(store, (size_t)66 * STORES_BATCH_MAX);
	stores_close(store);
	spoil_sidecar();
	store = open_it();
	ck_assert(stores_report_has(store, "sidecar"));
	ck_assert_int_eq(stores_append_batch(store, &draft, 1, &receipt, NULL),
	    BAT_DATA_DISAGREES);
	/* Nobody has to read for it to be made anew. */
	ck_assert_int_eq(stores_append_batch(store, &draft, 1, &receipt, NULL),
	    0);
	ck_assert_uint_eq(receipt.clock, 66 * STORES_BATCH_MAX);
	stores_close(store);
}
END_TEST

START_TEST(no_index_file_is_written_where_none_is_wanted)
{
	struct bat_store *store = open_it();
	struct bat_error error;
	struct bat_status status;

	stores_append(store, "player:alice", "\xa1x");
	ck_assert_int_eq(bat_checkpoint(store, &error), 0);
	stores_close(store);
	store = open_it();
	bat_status(store, &status);
	ck_assert_int_eq(status.source, BAT_SOURCE_FOOTERS);
	stores_close(store);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_crash");
	TCase *tcase = tcase_create("promises");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_broken_footer_of_the_newest_segment_is_cut);
	tcase_add_test(tcase, frames_behind_a_broken_footer_are_damage);
	tcase_add_test(tcase,
	    what_only_the_cache_has_is_not_shown_by_the_next_session);
	tcase_add_test(tcase,
	    a_footer_is_written_behind_frames_that_are_on_disk);
	tcase_add_test(tcase,
	    any_sync_that_fails_is_the_last_one_and_stops_the_writer);
	tcase_add_test(tcase,
	    an_older_segment_that_nobody_sealed_is_settled_too);
	tcase_add_test(tcase,
	    a_sidecar_over_an_empty_segment_tells_the_right_places);
	tcase_add_test(tcase,
	    rows_behind_a_sidecar_that_does_not_hold_are_read);
	tcase_add_test(tcase, nothing_is_linked_by_what_a_broken_sidecar_says);
	tcase_add_test(tcase, no_index_file_is_written_where_none_is_wanted);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
