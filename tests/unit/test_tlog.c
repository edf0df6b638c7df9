/*
 * The files of the transparency log: where the specification wants them, as
 * they are after a crash at any moment, and what becomes of a changed one.
 */
#include "suite.h"
#include "tlog.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "hex.h"
#include "memory_disk.h"
#include "tlog_internal.h"

static struct memory_disk *disk;
static const struct bat_disk *door;
static int root_dir;
static struct bat_tlog tlog;

static void
use(struct memory_disk *other)
{
	disk = other;
	door = memory_disk_door(disk);
	root_dir = door->open_dir(door->context, "/", false);
}

static void
setup(void)
{
	use(memory_disk_new(MEMORY_DISK_STRICT, 7));
	bat_tlog_init(&tlog);
}

static void
teardown(void)
{
	bat_tlog_detach(&tlog);
	door->close(door->context, root_dir);
	memory_disk_free(disk);
}

static struct bat_tlog_record
record(uint64_t number)
{
	struct bat_tlog_record out = { .seq = 100 + number };

	bat_bytes_put_le(out.id.bytes, number + 1, 8);
	out.frame = bat_hash_of(bat_bytes_slice(out.id.bytes, 16));
	return out;
}

/* The root of the first size records, by the definition. */
static struct bat_merkle_hash
root_at(uint64_t size)
{
	struct bat_merkle_edge edge = { .size = 0 };

	for (uint64_t i = 0; i < size; i++) {
		struct bat_tlog_record one = record(i);
		uint8_t bytes[BAT_TLOG_RECORD_SIZE];
		struct bat_merkle_hash leaf;

		bat_tlog_record_put(&one, bytes);
		leaf = bat_merkle_leaf(bat_bytes_slice(bytes, sizeof(bytes)));
		bat_merkle_add(&edge, &leaf);
	}
	return bat_merkle_edge_root(&edge);
}

static void
create(void)
{
	struct bat_error error = { .text = "" };
	int code = bat_tlog_create(&tlog, door, root_dir, NULL, 100, &error);

	ck_assert_msg(code == 0, "create: %s", error.text);
}

static int
load_again(struct bat_error *error)
{
	int code;

	bat_tlog_detach(&tlog);
	code = bat_tlog_attach(&tlog, door, root_dir, error);
	return code == 0 ? bat_tlog_load(&tlog, error) : code;
}

static void
load(void)
{
	struct bat_error error = { .text = "" };
	int code = load_again(&error);

	ck_assert_msg(code == 0, "load: %s", error.text);
}

static int
grow_to(uint64_t size)
{
	int code = 0;

	while (code == 0 && tlog.size < size) {
		struct bat_tlog_record next = record(tlog.size);

		code = bat_tlog_add(&tlog, &next, NULL);
	}
	return code == 0 ? bat_tlog_publish(&tlog, NULL) : code;
}

static void
ck_root(uint64_t size)
{
	struct bat_merkle_hash wanted = root_at(size);
	struct bat_merkle_hash root = bat_merkle_edge_root(&tlog.edge);

	ck_assert_uint_eq(tlog.size, size);
	ck_assert(bat_merkle_equal(&root, &wanted));
}

/* The size of a file below the log; -1: it is not there. */
static int64_t
size_of(const char *path)
{
	struct bat_file_stat stat;
	char name[64];
	int dir = tlog.dir;
	int64_t size = -1;

	while (dir >= 0) {
		const char *slash = strchr(path, '/');
		size_t length = slash == NULL ? strlen(path) :
						(size_t)(slash - path);
		int next = -1;

		snprintf(name, sizeof(name), "%.*s", (int)length, path);
		if (slash == NULL) {
			if (door->stat_at(door->context, dir, name, &stat) == 0)
				size = (int64_t)stat.size;
		} else {
			next = door->open_dir_at(door->context, dir, name);
			path = slash + 1;
		}
		if (dir != tlog.dir)
			door->close(door->context, dir);
		dir = next;
	}
	return size;
}

START_TEST(the_record_of_the_format_comes_out)
{
	static const char text[] =
	    "0000000000000007 0102030405060708090a0b0c0d0e0f10"
	    "af1349b9f5f9a1a6a0404dea36dcc949"
	    "9bcb25c9adc112b7cc9a93cae41f3262";
	struct bat_tlog_record one = { .seq = 7 }, read;
	uint8_t bytes[BAT_TLOG_RECORD_SIZE];
	struct bat_merkle_hash leaf;

	for (uint8_t i = 0; i < 16; i++)
		one.id.bytes[i] = (uint8_t)(i + 1);
	one.frame = bat_hash_of(BAT_SLICE_EMPTY);
	bat_tlog_record_put(&one, bytes);
	ck_assert(test_hex_equals(bat_bytes_slice(bytes, sizeof(bytes)), text));
	bat_tlog_record_get(bytes, &read);
	ck_assert_mem_eq(&read, &one, sizeof(one));
	leaf = bat_merkle_leaf(bat_bytes_slice(bytes, sizeof(bytes)));
	ck_assert(test_hex_equals(bat_bytes_slice(leaf.bytes, 32),
	    "80c2e094695092ee213237189d786e6f"
	    "0606db76505b39f920938c1208955fe8"));
}
END_TEST

START_TEST(the_example_of_the_specification_has_its_files)
{
	create();
	ck_assert_int_eq(grow_to(70000), 0);
	ck_assert_int_eq(size_of("tile/0/000"), 8192);
	ck_assert_int_eq(size_of("tile/0/272"), 8192);
	ck_assert_int_eq(size_of("tile/0/273"), -1);
	ck_assert_int_eq(size_of("tile/0/273.p/112"), 112 * 32);
	ck_assert_int_eq(size_of("tile/1/000"), 8192);
	ck_assert_int_eq(size_of("tile/1/001.p/17"), 17 * 32);
	ck_assert_int_eq(size_of("tile/2/000.p/1"), 32);
	ck_assert_int_eq(size_of("tile/3/000.p/1"), -1);
	ck_assert_int_eq(size_of("tile/entries/000"), 256 * 58);
	ck_assert_int_eq(size_of("tile/entries/273.p/112"), 112 * 58);
	ck_root(70000);
	load();
	ck_root(70000);
	ck_assert_uint_eq(tlog.last.seq, 70099);
	ck_assert_uint_eq(tlog.first_seq, 100);
}
END_TEST

START_TEST(a_tree_of_256_has_a_full_tile_and_one_hash_above)
{
	create();
	ck_assert_int_eq(grow_to(256), 0);
	ck_assert_int_eq(size_of("tile/0/000"), 8192);
	ck_assert_int_eq(size_of("tile/1/000.p/1"), 32);
	ck_assert_int_eq(size_of("tile/0/001.p/1"), -1);
	load();
	ck_root(256);
}
END_TEST

START_TEST(a_great_index_stands_in_folders)
{
	static const uint8_t bytes[8192];
	const struct {
		uint64_t index;
		unsigned width;
		const char *path;
	} cases[] = {
		{ 1234067, 256, "tile/0/x001/x234/067" },
		{ 1234067, 8, "tile/0/x001/x234/067.p/8" },
		{ 999, 256, "tile/0/999" },
		{ 1000, 256, "tile/0/x001/000" },
		{ 1000000, 256, "tile/0/x001/x000/000" },
	};

	create();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct bat_tlog_tile tile = { 0, cases[i].index,
			cases[i].width };
		size_t length = cases[i].width * (size_t)32;

		ck_assert_int_eq(bat_tlog_write_tile(&tlog, &tile,
				     bat_bytes_slice(bytes, length), NULL),
		    0);
		ck_assert_int_eq(size_of(cases[i].path), (int64_t)length);
	}
}
END_TEST

START_TEST(partial_tiles_stay_until_the_full_one_is_there)
{
	create();
	ck_assert_int_eq(grow_to(3), 0);
	ck_assert_int_eq(grow_to(250), 0);
	ck_assert_int_eq(size_of("tile/0/000.p/3"), 3 * 32);
	ck_assert_int_eq(size_of("tile/0/000.p/250"), 250 * 32);
	ck_assert_int_eq(grow_to(300), 0);
	ck_assert_int_eq(size_of("tile/0/000"), 8192);
	ck_assert_int_eq(size_of("tile/0/000.p/3"), -1);
	ck_assert_int_eq(size_of("tile/entries/000.p/250"), -1);
	ck_assert_int_eq(size_of("tile/0/001.p/44"), 44 * 32);
	ck_assert_int_eq(size_of("tile/1/000.p/1"), 32);
	ck_assert_int_eq(grow_to(301), 0);
	/* The same hash at both sizes. */
	ck_assert_int_eq(size_of("tile/1/000.p/1"), 32);
	load();
	ck_root(301);
}
END_TEST

START_TEST(a_log_that_is_read_again_grows_as_if_it_had_not_been)
{
	static const uint64_t sizes[] = { 1, 2, 255, 256, 257, 511, 512, 513,
		1000, 1024 };

	create();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ck_assert_int_eq(grow_to(sizes[i]), 0);
		ck_root(sizes[i]);
		load();
		ck_root(sizes[i]);
		ck_assert_uint_eq(tlog.last.seq, 99 + sizes[i]);
		ck_assert(tlog.has_signer);
	}
	ck_assert_int_eq(bat_tlog_publish(&tlog, NULL), 0);
}
END_TEST

START_TEST(proofs_come_out_of_the_tiles)
{
	struct bat_tlog_tiles tiles = { .tlog = &tlog, .size = 700 };
	const struct bat_merkle_source source = bat_tlog_source(&tiles);
	struct bat_merkle_hash root = root_at(700);
	struct bat_merkle_proof proof;

	create();
	ck_assert_int_eq(grow_to(700), 0);
	for (uint64_t i = 0; i < 700; i += 13) {
		struct bat_tlog_record one = record(i);
		struct bat_merkle_hash leaf, before = root_at(i);
		uint8_t bytes[BAT_TLOG_RECORD_SIZE];

		bat_tlog_record_put(&one, bytes);
		leaf = bat_merkle_leaf(bat_bytes_slice(bytes, sizeof(bytes)));
		ck_assert_int_eq(
		    bat_merkle_prove_inclusion(&source, i, 700, &proof), 0);
		ck_assert(
		    bat_merkle_verify_inclusion(&leaf, i, 700, &proof, &root));
		ck_assert_int_eq(
		    bat_merkle_prove_consistency(&source, i, 700, &proof), 0);
		ck_assert(bat_merkle_verify_consistency(i, &before, 700, &root,
		    &proof));
	}
	bat_bytes_free(&tiles.buf);
}
END_TEST

/* ---- crashes --------------------------------------------------------- */

struct watch {
	struct bat_tlog *writer;
	uint64_t shown; /* the size that somebody may have seen */
	bool created;
	uint64_t random;
	unsigned crashes;
};

static uint64_t
next_random(struct watch *watch)
{
	watch->random = watch->random * 6364136223846793005u +
	    1442695040888963407u;
	return watch->random >> 33;
}

/* None, all, or each by itself, whole, torn or not at all. */
static void
choose(struct watch *watch, const struct memory_disk *from, unsigned way,
    struct memory_disk_fate *fates, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct memory_disk_op *op = memory_disk_pending(from, i);
		uint64_t dice = next_random(watch) % 3;

		fates[i] = (struct memory_disk_fate){
			.kind = way == 0 ? MEMORY_DISK_NOT : MEMORY_DISK_WHOLE
		};
		if (way < 2)
			continue;
		if (dice == 0)
			fates[i].kind = MEMORY_DISK_NOT;
		if (dice == 1 && op->kind == MEMORY_DISK_WRITE) {
			fates[i].kind = next_random(watch) % 2 == 0 ?
			    MEMORY_DISK_TORN :
			    MEMORY_DISK_ZEROED;
			fates[i].bytes = next_random(watch) % (op->length + 1);
		}
	}
}

/* What was shown is continued by what is there, and what is there goes on. */
static void
look_at_crash(struct watch *watch)
{
	struct bat_error error = { .text = "" };
	int code = load_again(&error);

	if (code == BAT_END && !watch->created) {
		create();
		code = 0;
	}
	ck_assert_msg(code == 0, "after a crash: %s", error.text);
	ck_assert_uint_ge(tlog.size, watch->shown);
	ck_root(tlog.size);
	ck_assert_int_eq(grow_to(tlog.size + 3), 0);
	load();
	ck_root(tlog.size);
}

static void
at_operation(void *context, struct memory_disk *before,
    const struct memory_disk_op *op)
{
	struct watch *watch = context;
	size_t count = memory_disk_pending_count(before);
	struct memory_disk_fate *fates = calloc(count + 1, sizeof(*fates));
	struct bat_tlog saved = tlog;

	(void)op;
	ck_assert_ptr_nonnull(fates);
	for (unsigned way = 0; way < 6; way++) {
		int dir = root_dir;

		choose(watch, before, way, fates, count);
		if (!memory_disk_may_leave(before, fates))
			continue;
		use(memory_disk_crash(before, fates));
		bat_tlog_init(&tlog);
		look_at_crash(watch);
		teardown();
		use(before);
		door->close(door->context, root_dir);
		root_dir = dir;
		watch->crashes++;
	}
	tlog = saved;
	free(fates);
}

static void
live_with_crashes(enum memory_disk_model model)
{
	static const uint64_t sizes[] = { 1, 2, 3, 250, 256, 257, 520, 521 };
	struct watch watch = { .random = 11 };

	memory_disk_free(disk);
	use(memory_disk_new(model, 7));
	memory_disk_watch(disk, at_operation, &watch);
	create();
	watch.created = true;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ck_assert_int_eq(grow_to(sizes[i]), 0);
		watch.shown = sizes[i];
	}
	memory_disk_watch(disk, NULL, NULL);
	ck_assert_uint_gt(watch.crashes, 300);
}

START_TEST(after_any_crash_a_shown_checkpoint_is_continued)
{
	live_with_crashes(MEMORY_DISK_STRICT);
}
END_TEST

START_TEST(after_any_crash_of_an_ext4_too)
{
	live_with_crashes(MEMORY_DISK_EXT4);
}
END_TEST

static int
dir_of(const char *const *names)
{
	int dir = door->open_dir_at(door->context, root_dir, ".batfs");

	for (; *names != NULL; names++) {
		int next = door->open_dir_at(door->context, dir, *names);

		door->close(door->context, dir);
		ck_assert_int_ge(next, 0);
		dir = next;
	}
	return dir;
}

/* A process was killed between making a folder and syncing its name. Who goes
 * on there must not rely on it. */
START_TEST(a_folder_that_a_killed_process_left_is_on_disk_before_it_counts)
{
	struct memory_disk_fate none[64] = { { MEMORY_DISK_NOT, 0, 0 } };
	static const char *const tile[] = { "tlog", "tile", NULL };
	struct memory_disk *before;
	int dir;

	create();
	ck_assert_int_eq(door->mkdir_at(door->context, tlog.dir, "tile", 0700),
	    0);
	dir = dir_of(tile);
	/* All of them: the making of one would sync the names of the others. */
	ck_assert_int_eq(door->mkdir_at(door->context, dir, "entries", 0700),
	    0);
	ck_assert_int_eq(door->mkdir_at(door->context, dir, "0", 0700), 0);
	door->close(door->context, dir);
	ck_assert_int_eq(grow_to(3), 0);
	bat_tlog_detach(&tlog);
	before = disk;
	ck_assert_uint_lt(memory_disk_pending_count(before), 64);
	use(memory_disk_crash(before, none));
	memory_disk_free(before);
	load();
	ck_root(3);
}
END_TEST

/* ---- what is not as it was -------------------------------------------- */

static void
flip(int dir, const char *name, uint64_t at)
{
	int fd = door->open_at(door->context, dir, name, O_RDWR, 0);
	uint8_t byte;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(door->read_at(door->context, fd, &byte, 1, at), 1);
	byte ^= 1;
	ck_assert_int_eq(door->write_at(door->context, fd, &byte, 1, at), 1);
	door->close(door->context, fd);
}

static void
ck_flips(const char *const *folder, const char *name, uint64_t length,
    uint64_t stride)
{
	int dir = dir_of(folder);

	for (uint64_t at = 0; at < length; at += stride) {
		flip(dir, name, at);
		ck_assert_msg(load_again(NULL) == BAT_DATA_CORRUPT, "%s at %u",
		    name, (unsigned)at);
		flip(dir, name, at);
	}
	door->close(door->context, dir);
	load();
}

START_TEST(a_changed_checkpoint_key_or_edge_is_corrupt)
{
	static const char *const top[] = { "tlog", NULL };
	static const char *const edge[] = { "tlog", "tile", "0", "001.p",
		NULL };
	static const char *const above[] = { "tlog", "tile", "1", "000.p",
		NULL };

	create();
	ck_assert_int_eq(grow_to(300), 0);
	ck_flips(top, "checkpoint", tlog.checkpoint.length, 1);
	ck_flips(top, "vkey", 20, 1);
	ck_flips(edge, "44", 44 * 32, 37);
	ck_flips(above, "1", 32, 5);
}
END_TEST

START_TEST(a_short_or_missing_tile_is_corrupt)
{
	static const char *const edge[] = { "tlog", "tile", "entries", "000.p",
		NULL };
	int dir;

	create();
	ck_assert_int_eq(grow_to(9), 0);
	dir = dir_of(edge);
	ck_assert_int_eq(door->unlink_at(door->context, dir, "9"), 0);
	ck_assert_int_eq(load_again(NULL), BAT_DATA_CORRUPT);
	door->close(door->context,
	    door->open_at(door->context, dir, "9", O_RDWR | O_CREAT, 0600));
	ck_assert_int_eq(load_again(NULL), BAT_DATA_CORRUPT);
	door->close(door->context, dir);
}
END_TEST

START_TEST(where_a_log_has_been_none_is_begun)
{
	static const char *const top[] = { "tlog", NULL };
	int dir;

	create();
	ck_assert_int_eq(grow_to(2), 0);
	bat_tlog_detach(&tlog);
	ck_assert_int_eq(bat_tlog_create(&tlog, door, root_dir, NULL, 5, NULL),
	    BAT_DATA_CORRUPT);
	dir = dir_of(top);
	ck_assert_int_eq(door->unlink_at(door->context, dir, "checkpoint"), 0);
	door->close(door->context, dir);
	ck_assert_int_eq(bat_tlog_create(&tlog, door, root_dir, NULL, 5, NULL),
	    BAT_DATA_CORRUPT);
}
END_TEST

START_TEST(a_key_from_elsewhere_is_not_stored_and_must_be_the_right_one)
{
	struct bat_note_signer mine, other;

	ck_assert_int_eq(bat_tlog_make_signer(door, &mine, NULL), 0);
	ck_assert_int_eq(bat_tlog_make_signer(door, &other, NULL), 0);
	ck_assert_int_eq(bat_tlog_create(&tlog, door, root_dir, &mine, 0, NULL),
	    0);
	ck_assert_int_eq(size_of("key"), -1);
	ck_assert_int_eq(grow_to(1), 0);
	load();
	ck_assert(!tlog.has_signer);
	ck_assert_int_eq(bat_tlog_set_signer(&tlog, &other, NULL),
	    BAT_USE_INVALID);
	ck_assert_int_eq(bat_tlog_set_signer(&tlog, &mine, NULL), 0);
	ck_assert_int_eq(grow_to(2), 0);
	load();
	ck_root(2);
}
END_TEST

START_TEST(a_tile_that_has_grown_is_read_as_it_was)
{
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	const struct bat_tlog_tile tile = { 0, 0, 44 };
	const struct bat_tlog_tile wide = { 0, 0, 45 };

	create();
	ck_assert_int_eq(grow_to(44), 0);
	ck_assert_int_eq(bat_tlog_read_tile(&tlog, &tile, 44, &before, NULL),
	    0);
	ck_assert_int_eq(bat_tlog_read_tile(&tlog, &wide, 44, &after, NULL),
	    BAT_STATE_NOT_FOUND);
	ck_assert_int_eq(grow_to(600), 0);
	/* By a reader that still believes in 44, and by one that knows. */
	ck_assert_int_eq(bat_tlog_read_tile(&tlog, &tile, 44, &after, NULL), 0);
	ck_assert_int_eq(bat_tlog_read_tile(&tlog, &tile, 600, &after, NULL),
	    0);
	ck_assert_uint_eq(after.length, 2 * before.length);
	ck_assert_mem_eq(after.data, before.data, before.length);
	ck_assert_mem_eq(after.data + before.length, before.data,
	    before.length);
	bat_bytes_free(&before);
	bat_bytes_free(&after);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tlog");
	TCase *tests = tcase_create("tlog");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, the_record_of_the_format_comes_out);
	tcase_add_test(tests, the_example_of_the_specification_has_its_files);
	tcase_add_test(tests, a_tree_of_256_has_a_full_tile_and_one_hash_above);
	tcase_add_test(tests, a_great_index_stands_in_folders);
	tcase_add_test(tests, partial_tiles_stay_until_the_full_one_is_there);
	tcase_add_test(tests,
	    a_log_that_is_read_again_grows_as_if_it_had_not_been);
	tcase_add_test(tests, proofs_come_out_of_the_tiles);
	tcase_add_test(tests, after_any_crash_a_shown_checkpoint_is_continued);
	tcase_add_test(tests, after_any_crash_of_an_ext4_too);
	tcase_add_test(tests,
	    a_folder_that_a_killed_process_left_is_on_disk_before_it_counts);
	tcase_add_test(tests, a_changed_checkpoint_key_or_edge_is_corrupt);
	tcase_add_test(tests, a_short_or_missing_tile_is_corrupt);
	tcase_add_test(tests, where_a_log_has_been_none_is_begun);
	tcase_add_test(tests,
	    a_key_from_elsewhere_is_not_stored_and_must_be_the_right_one);
	tcase_add_test(tests, a_tile_that_has_grown_is_read_as_it_was);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
