/*
 * The sidecar is a cache: whatever happens to it or to what it was made from,
 * the answer is the one without it.
 */
#include <check.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bat.h"
#include "blockfile.h"
#include "crc.h"
#include "picture.h"
#include "sidecar_parts.h"
#include "sidecar_store.h"
#include "suite.h"

/* ---- the promise --------------------------------------------------------- */

START_TEST(a_store_opens_from_it_and_says_the_same)
{
	struct temp_dir dir;

	make_store(&dir);
	ck_assert(has_sidecar(&dir));
	ck_assert(uses_sidecar(&dir));
	assert_same_without(&dir, "as it is");
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(it_is_not_written_while_a_file_is_young)
{
	struct temp_dir dir;
	struct bat_store *store;

	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	append_some(store, 0, EVENTS);
	stores_close(store);
	ck_assert(!has_sidecar(&dir));
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_read_only_handle_writes_none)
{
	struct bat_options options = { .read_only = true, .clock = &later };
	struct temp_dir dir;
	char path[512];

	make_store(&dir);
	path_of(&dir, ".batfs/cache/index", path);
	ck_assert_int_eq(unlink(path), 0);
	stores_close(stores_open_with(&dir, &options));
	ck_assert(!has_sidecar(&dir));
	stores_close(open_later(&dir));
	ck_assert(has_sidecar(&dir));
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(what_was_appended_since_is_read_behind_it)
{
	struct temp_dir dir;
	struct bat_store *store;

	make_store(&dir);
	store = stores_open(&dir, false);
	append_some(store, EVENTS, BATCH);
	/* New names and new pairs, in tables that came from the file. */
	(void)stores_append(store, "e:new", "\xa1x");
	(void)stores_append(store, "e:1", "\xa1y");
	stores_close(store);
	ck_assert(uses_sidecar(&dir));
	assert_same_without(&dir, "with a tail");
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(appending_links_to_events_that_only_it_knows)
{
	struct temp_dir dir;
	struct bat_store *store;
	struct bat_receipt receipt;
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_list list = { .kind = BAT_LIST_ENTITY };
	struct bat_list_stat stat;
	struct bat_hash last;

	make_store(&dir);
	store = stores_open(&dir, false);
	list.entity = bat_find_entity(store, bat_bytes_text("e:7"));
	ck_assert(bat_list_stat(store, &list, &stat));
	ck_assert_int_eq(bat_read(store, stat.last, &reading, NULL), 0);
	last = reading.row.hash;
	receipt = stores_append(store, "e:7", "\xa1z");
	ck_assert_int_eq(bat_read(store, bat_find_seq(store, receipt.seq),
			     &reading, NULL),
	    0);
	ck_assert(bat_hash_equal(&reading.row.prev, &last));
	ck_assert_uint_eq(receipt.clock, stat.count);
	bat_reading_free(&reading);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* ---- lengths ------------------------------------------------------------- */

static struct bat_store *
open_lengths(const struct temp_dir *dir, uint32_t format)
{
	return stores_open_with(dir,
	    &(struct bat_options){ .clock = &later, .lengths_format = format });
}

static uint64_t
generation_of(struct bat_store *store)
{
	struct bat_head head;

	bat_head(store, &head);
	return head.generation;
}

/* A length of its own for each event; none for every seventh. */
static uint32_t
length_of(uint32_t ordinal)
{
	return ordinal % 7 == 0 ? 0 : 100 + ordinal;
}

static void
keep_lengths(struct bat_store *store)
{
	uint32_t ordinals[EVENTS], lengths[EVENTS];

	for (uint32_t i = 0; i < EVENTS; i++) {
		ordinals[i] = i;
		lengths[i] = length_of(i);
	}
	ck_assert_int_eq(bat_keep_lengths(store, generation_of(store), ordinals,
			     lengths, EVENTS),
	    0);
}

static void
assert_lengths(struct bat_store *store, bool known)
{
	uint32_t ordinals[EVENTS], lengths[EVENTS];

	for (uint32_t i = 0; i < EVENTS; i++)
		ordinals[i] = i;
	ck_assert(bat_lengths(store, generation_of(store), ordinals, EVENTS,
	    lengths));
	for (uint32_t i = 0; i < EVENTS; i++)
		ck_assert_uint_eq(lengths[i], known ? length_of(i) : 0);
}

START_TEST(lengths_are_kept_for_who_means_the_same)
{
	struct temp_dir dir;
	struct bat_store *store;

	make_store(&dir);
	store = open_lengths(&dir, 5);
	assert_lengths(store, false);
	keep_lengths(store);
	assert_lengths(store, true);
	stores_close(store);
	/* They were reason enough to write it again. */
	ck_assert(uses_sidecar(&dir));
	store = open_lengths(&dir, 5);
	assert_lengths(store, true);
	append_some(store, EVENTS, BATCH);
	assert_lengths(store, true);
	stores_close(store);
	store = open_lengths(&dir, 6);
	assert_lengths(store, false);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(lengths_go_with_their_generation)
{
	struct temp_dir dir;
	struct bat_store *store;
	uint32_t ordinal = 1, length = 9;
	uint64_t before;

	make_store(&dir);
	store = open_lengths(&dir, 5);
	keep_lengths(store);
	stores_close(store);
	store = open_lengths(&dir, 5);
	before = generation_of(store);
	bat_doubt_lengths(store, before);
	ck_assert_uint_gt(generation_of(store), before);
	ck_assert(!bat_lengths(store, before, &ordinal, 1, &length));
	ck_assert_int_eq(bat_keep_lengths(store, before, &ordinal, &length, 1),
	    BAT_DATA_DISAGREES);
	assert_lengths(store, false);
	/* Of two who notice at once the second changes nothing. */
	bat_doubt_lengths(store, before);
	ck_assert_uint_eq(generation_of(store), before + 1);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* The rest of the file holds: rows come from it, and lengths from nobody. */
START_TEST(lengths_that_cannot_be_read_are_not_known)
{
	struct temp_dir dir;
	struct bat_store *store;
	struct stat size;
	char path[512];
	int fd;

	make_store(&dir);
	store = open_lengths(&dir, 5);
	keep_lengths(store);
	stores_close(store);
	path_of(&dir, ".batfs/cache/index", path);
	ck_assert_int_eq(stat(path, &size), 0);
	fd = open(path, O_RDWR);
	ck_assert_int_eq(pwrite(fd, "?", 1, size.st_size - 4000), 1);
	close(fd);
	store = open_lengths(&dir, 5);
	assert_lengths(store, false);
	stores_close(store);
	assert_same_without(&dir, "without lengths");
	temp_dir_remove(&dir);
}
END_TEST

/* ---- attacks on what it was made from ------------------------------------ */

/* Times as they were: only ctime cannot be set back. */
static void
set_times(const char *path, const struct stat *stat)
{
	const struct timespec times[2] = { stat->st_atim, stat->st_mtim };

	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void
attack_overwrite(const struct temp_dir *dir, const char *path)
{
	struct stat stat_before;
	int fd;

	(void)dir;
	ck_assert_int_eq(stat(path, &stat_before), 0);
	fd = open(path, O_RDWR);
	ck_assert_int_eq(pwrite(fd, "X", 1, 3000), 1);
	close(fd);
	set_times(path, &stat_before);
}

/* The same byte again: only the ctime tells. Opening reads a frame at random, so
 * one that is damaged is found by chance. */
static void
rewrite(const char *path)
{
	int fd = open(path, O_RDWR);
	char byte;

	ck_assert_int_eq(pread(fd, &byte, 1, 3000), 1);
	ck_assert_int_eq(pwrite(fd, &byte, 1, 3000), 1);
	close(fd);
}

static void
attack_append(const struct temp_dir *dir, const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND);

	(void)dir;
	ck_assert_int_eq(write(fd, "tail", 4), 4);
	close(fd);
}

static void
attack_truncate(const struct temp_dir *dir, const char *path)
{
	struct stat stat_before;

	(void)dir;
	ck_assert_int_eq(stat(path, &stat_before), 0);
	ck_assert_int_eq(truncate(path, stat_before.st_size - 700), 0);
}

static void
attack_map(const struct temp_dir *dir, const char *path)
{
	int fd = open(path, O_RDWR);
	char *bytes = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    0);

	(void)dir;
	ck_assert_ptr_ne(bytes, MAP_FAILED);
	bytes[5000] ^= 1;
	ck_assert_int_eq(msync(bytes, 8192, MS_SYNC), 0);
	munmap(bytes, 8192);
	close(fd);
}

/* Another file with the same bytes and times under the name. */
static void
attack_replace(const struct temp_dir *dir, const char *path)
{
	struct bat_buf bytes = BAT_BUF_EMPTY;
	struct stat stat_before;
	char copy[520];
	int fd;

	ck_assert_int_eq(stat(path, &stat_before), 0);
	temp_dir_read(dir, "000001.fbat", &bytes);
	bytes.data[4000] ^= 4;
	snprintf(copy, sizeof(copy), "%s.x", path);
	fd = open(copy, O_WRONLY | O_CREAT, 0644);
	ck_assert_int_eq(write(fd, bytes.data, bytes.length),
	    (ssize_t)bytes.length);
	close(fd);
	set_times(copy, &stat_before);
	ck_assert_int_eq(rename(copy, path), 0);
	bat_bytes_free(&bytes);
}

static void
attack_swap(const struct temp_dir *dir, const char *path)
{
	char other[512], third[512];

	path_of(dir, "000002.fbat", other);
	path_of(dir, "swap", third);
	ck_assert_int_eq(rename(path, third), 0);
	ck_assert_int_eq(rename(other, path), 0);
	ck_assert_int_eq(rename(third, other), 0);
}

static void
attack_unlink(const struct temp_dir *dir, const char *path)
{
	(void)dir;
	ck_assert_int_eq(unlink(path), 0);
}

/* A file of that content and these times, and of no more that is the same. */
static void
put_back(const char *path, const struct bat_buf *bytes,
    const struct stat *times)
{
	int fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	ck_assert_int_eq(write(fd, bytes->data, bytes->length),
	    (ssize_t)bytes->length);
	close(fd);
	set_times(path, times);
}

/* While it is open: what was read then is not what is there now. */
START_TEST(none_is_written_of_a_store_that_changed_behind_our_back)
{
	struct temp_dir dir;
	struct bat_store *store;
	char path[512], cache[512];

	make_store(&dir);
	path_of(&dir, ".batfs/cache/index", cache);
	path_of(&dir, "000001.fbat", path);
	ck_assert_int_eq(unlink(cache), 0);
	store = open_later(&dir);
	rewrite(path);
	stores_close(store);
	ck_assert(!has_sidecar(&dir));
	stores_close(open_later(&dir));
	ck_assert(has_sidecar(&dir));
	temp_dir_remove(&dir);
}
END_TEST

/* A backup that comes back, times too: the last segment as it was before it
 * grew, with and without the sidecar of then or of now. */
START_TEST(an_old_copy_that_is_restored_is_not_believed)
{
	static const char *const names[] = { "000001.fbat", "000002.fbat",
		".batfs/cache/index", "index.ckpt" };
	/* Sets of those that come back. */
	static const unsigned restored[] = { 1, 3, 4, 5, 8, 15 };
	struct bat_buf old[4] = { BAT_BUF_EMPTY, BAT_BUF_EMPTY, BAT_BUF_EMPTY,
		BAT_BUF_EMPTY };
	struct stat times[4];
	struct bat_store *store;
	struct temp_dir dir;
	char path[512];

	make_store(&dir);
	for (size_t i = 0; i < 4; i++) {
		path_of(&dir, names[i], path);
		ck_assert_int_eq(stat(path, &times[i]), 0);
		temp_dir_read(&dir, names[i], &old[i]);
	}
	store = open_later(&dir);
	append_some(store, EVENTS, 2048);
	stores_close(store);
	ck_assert(uses_sidecar(&dir));
	for (size_t i = 0; i < 4; i++) {
		path_of(&dir, names[i], path);
		if ((restored[_i] >> i & 1) != 0)
			put_back(path, &old[i], &times[i]);
		bat_bytes_free(&old[i]);
	}
	/* The old sidecar alone tells of segments that are as they were then;
	 * those that came since are read behind it. */
	ck_assert_int_eq(uses_sidecar(&dir), restored[_i] == 4);
	assert_same_without(&dir, "restored");
	temp_dir_remove(&dir);
}
END_TEST

/* ---- clocks -------------------------------------------------------------- */

static int64_t standing_us;

static int64_t
standing_clock_us(void *context)
{
	(void)context;
	return standing_us;
}

/* Of two seconds nobody knows whether they have passed. */
START_TEST(none_is_written_by_a_clock_that_stands_still_or_goes_back)
{
	static const int64_t ahead_us[] = { 0, -3600000000, 1999000 };
	struct bat_clock clock = { standing_clock_us, monotonic_ns, NULL };
	struct temp_dir dir;
	struct stat newest;
	char path[512];

	make_store(&dir);
	path_of(&dir, ".batfs/cache/index", path);
	ck_assert_int_eq(unlink(path), 0);
	path_of(&dir, "index.ckpt", path);
	ck_assert_int_eq(stat(path, &newest), 0);
	standing_us = (int64_t)newest.st_ctim.tv_sec * 1000000 +
	    newest.st_ctim.tv_nsec / 1000 + ahead_us[_i];
	stores_close(
	    stores_open_with(&dir, &(struct bat_options){ .clock = &clock }));
	ck_assert(!has_sidecar(&dir));
	/* The same clock, once it has gone on. */
	standing_us += 3600000000 + 3000000;
	stores_close(
	    stores_open_with(&dir, &(struct bat_options){ .clock = &clock }));
	ck_assert(has_sidecar(&dir));
	temp_dir_remove(&dir);
}
END_TEST

/* A disk that tells another ctime of the first segment. */
static int64_t told_ns;
static struct bat_disk told;

static int
told_stat_at(void *context, int dir, const char *name,
    struct bat_file_stat *out)
{
	int code = bat_file_posix()->stat_at(context, dir, name, out);

	if (code == 0 && strcmp(name, "000001.fbat") == 0)
		out->ctime_ns += told_ns;
	return code;
}

static bool
uses_sidecar_of_told(const struct temp_dir *dir)
{
	struct bat_store *store = stores_open_with(dir,
	    &(struct bat_options){ .read_only = true, .disk = &told });
	struct bat_status status;

	bat_status(store, &status);
	stores_close(store);
	return status.source == BAT_SOURCE_SIDECAR;
}

/* A change under a clock that was set back has an older ctime, not a newer. */
START_TEST(an_older_ctime_is_another_one_too)
{
	static const int64_t steps[] = { -3600000000000, -1, 1, 3600000000000 };
	struct temp_dir dir;

	make_store(&dir);
	told = *bat_file_posix();
	told.stat_at = told_stat_at;
	told_ns = 0;
	ck_assert(uses_sidecar_of_told(&dir));
	told_ns = steps[_i];
	ck_assert(!uses_sidecar_of_told(&dir));
	temp_dir_remove(&dir);
}
END_TEST

/* Everything else about the file is as it was. */
START_TEST(a_ctime_alone_tells_of_a_change)
{
	struct temp_dir dir;
	char path[512];

	make_store(&dir);
	ck_assert(uses_sidecar(&dir));
	path_of(&dir, "000001.fbat", path);
	ck_assert_int_eq(chmod(path, 0600), 0);
	ck_assert(!uses_sidecar(&dir));
	assert_same_without(&dir, "chmod");
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_changed_store_is_not_believed)
{
	static const struct {
		const char *name;
		void (*attack)(const struct temp_dir *, const char *path);
	} attacks[] = {
		{ "overwritten, times set back", attack_overwrite },
		{ "appended to", attack_append },
		{ "truncated", attack_truncate },
		{ "edited through a mapping", attack_map },
		{ "replaced, times set back", attack_replace },
		{ "swapped with another", attack_swap },
		{ "unlinked", attack_unlink },
	};
	struct stat before, after;
	struct temp_dir dir;
	char path[512];

	make_store(&dir);
	path_of(&dir, "000001.fbat", path);
	ck_assert_int_eq(stat(path, &before), 0);
	attacks[_i].attack(&dir, path);
	/* In memory (tmpfs) a mapped write moves no ctime: the one change that
	 * the rule names as not promised. */
	if (attacks[_i].attack != attack_map || stat(path, &after) != 0 ||
	    before.st_ctim.tv_sec != after.st_ctim.tv_sec ||
	    before.st_ctim.tv_nsec != after.st_ctim.tv_nsec) {
		ck_assert(!uses_sidecar(&dir));
		assert_same_without(&dir, attacks[_i].name);
	}
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_file_beside_the_segments_that_changed_drops_it)
{
	static const char *const names[] = { "index.ckpt", "index.fbati",
		"visibility_ranges.fbv", "compaction.pending.json" };
	struct temp_dir dir;
	char path[512];
	int fd;

	make_store(&dir);
	ck_assert(temp_dir_has(&dir, "index.ckpt"));
	path_of(&dir, names[_i], path);
	if (_i == 0) {
		ck_assert_int_eq(unlink(path), 0);
	} else {
		fd = open(path, O_WRONLY | O_CREAT, 0644);
		ck_assert_int_eq(write(fd, "?", 1), 1);
		close(fd);
	}
	assert_same_without(&dir, names[_i]);
	temp_dir_remove(&dir);
}
END_TEST

/* ---- attacks on the file itself ------------------------------------------ */

START_TEST(a_flipped_bit_anywhere_changes_no_answer)
{
	struct bat_buf wanted = BAT_BUF_EMPTY, file = BAT_BUF_EMPTY;
	struct temp_dir dir;
	char path[512];

	make_store(&dir);
	if (_i > 0) {
		/* Lists that grew before they are read. */
		struct bat_store *store = stores_open(&dir, false);

		append_some(store, EVENTS, 4 * BATCH);
		stores_close(store);
	}
	path_of(&dir, ".batfs/cache/index", path);
	temp_dir_read(&dir, ".batfs/cache/index", &file);
	answer(&dir, &wanted);
	for (size_t at = 5; at < file.length; at += file.length / 60 + 1) {
		struct bat_buf got = BAT_BUF_EMPTY;
		int fd = open(path, O_RDWR);
		uint8_t byte = file.data[at] ^ 0x10;

		ck_assert_int_eq(pwrite(fd, &byte, 1, (off_t)at), 1);
		answer(&dir, &got);
		stores_assert_same(&got, &wanted, "flipped");
		byte ^= 0x10;
		ck_assert_int_eq(pwrite(fd, &byte, 1, (off_t)at), 1);
		close(fd);
		bat_bytes_free(&got);
	}
	ck_assert(uses_sidecar(&dir));
	bat_bytes_free(&file);
	bat_bytes_free(&wanted);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_cut_file_changes_no_answer)
{
	struct bat_buf wanted = BAT_BUF_EMPTY, file = BAT_BUF_EMPTY;
	struct temp_dir dir;
	char path[512];

	make_store(&dir);
	path_of(&dir, ".batfs/cache/index", path);
	temp_dir_read(&dir, ".batfs/cache/index", &file);
	answer(&dir, &wanted);
	for (size_t length = file.length - 1; length > file.length / 20;
	     length -= file.length / 20) {
		struct bat_buf got = BAT_BUF_EMPTY;

		ck_assert_int_eq(truncate(path, (off_t)length), 0);
		answer(&dir, &got);
		stores_assert_same(&got, &wanted, "cut");
		bat_bytes_free(&got);
	}
	bat_bytes_free(&file);
	bat_bytes_free(&wanted);
	temp_dir_remove(&dir);
}
END_TEST

/* Its first block has the right check again. */
static void
put_sealed(const struct temp_dir *dir, struct bat_buf *file)
{
	bat_bytes_put_le(file->data + BAT_BLOCKFILE_CONTENT + 16,
	    bat_crc_of(bat_bytes_slice(file->data, BAT_BLOCKFILE_CONTENT + 16)),
	    4);
	temp_dir_write(dir, ".batfs/cache/index", bat_bytes_of_buf(file));
}

START_TEST(a_header_that_names_more_than_there_is_is_not_believed)
{
	static const size_t numbers[] = { HEAD_MAGIC, HEAD_FORMAT,
		HEAD_ROW_SIZE, HEAD_MADE_OF_LENGTH, HEAD_NAMES, HEAD_ENDS_AT,
		HEAD_TEXT_AT, HEAD_TEXT_SIZE, HEAD_SORTED_AT, HEAD_NAMES_AT,
		HEAD_MEMBERS, HEAD_MEMBERS_AT, HEAD_ENTITIES, HEAD_SCOPES,
		HEAD_ROWS_AT, HEAD_LISTS_AT, HEAD_LENGTHS_AT, HEAD_COUNT,
		HEAD_VISIBLE, HEAD_FIRST_VISIBLE, HEAD_LAST_VISIBLE,
		HEAD_SEGMENTS, HEAD_SYSTEM_LENGTH, HEAD_EFFECT_LENGTH };
	/* Times the size of a record the last one is 0 again. */
	static const uint64_t values[] = { UINT32_MAX - 1, UINT32_MAX,
		UINT64_MAX, UINT64_C(1) << 63 };
	struct bat_buf file = BAT_BUF_EMPTY;
	struct temp_dir dir;
	size_t n = numbers[_i];
	uint8_t was[8];

	make_store(&dir);
	ck_assert(uses_sidecar(&dir));
	temp_dir_read(&dir, ".batfs/cache/index", &file);
	memcpy(was, file.data + 8 * n, 8);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		bat_bytes_put_le(file.data + 8 * n, values[i], 8);
		put_sealed(&dir, &file);
		ck_assert_msg(!uses_sidecar(&dir), "number %zu, value %zu", n,
		    i);
	}
	memcpy(file.data + 8 * n, was, 8);
	put_sealed(&dir, &file);
	ck_assert(uses_sidecar(&dir));
	bat_bytes_free(&file);
	temp_dir_remove(&dir);
}
END_TEST

/* A bad block is found while the store is in use: a new generation, and the
 * right answer at once. */
START_TEST(a_bad_block_is_noticed_when_it_is_read)
{
	struct temp_dir dir;
	struct bat_store *store;
	struct bat_head before, after;
	struct bat_row row;
	struct bat_buf file = BAT_BUF_EMPTY;
	uint64_t place;

	make_store(&dir);
	temp_dir_read(&dir, ".batfs/cache/index", &file);
	place = bat_bytes_get_le64(file.data + 8 * HEAD_ROWS_AT) / 4032 * 4096 +
	    100 * sizeof(struct bat_index_hot);
	file.data[place] ^= 0xff;
	temp_dir_write(&dir, ".batfs/cache/index", bat_bytes_of_buf(&file));
	bat_bytes_free(&file);
	store = stores_open(&dir, true);
	bat_head(store, &before);
	ck_assert_uint_eq(before.visible_count, EVENTS + 2);
	ck_assert(bat_row(store, before.first + 100, &row));
	ck_assert_uint_eq(row.seq, before.first_seq + 100);
	bat_head(store, &after);
	ck_assert_uint_gt(after.generation, before.generation);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sidecar");
	TCase *forged = tcase_create("forged");
	TCase *promise = tcase_create("promise");
	TCase *attacks = tcase_create("attacks");

	suite_add_tcase(suite, promise);
	tcase_set_timeout(promise, 240);
	tcase_add_test(promise, a_store_opens_from_it_and_says_the_same);
	tcase_add_test(promise, it_is_not_written_while_a_file_is_young);
	tcase_add_test(promise, a_read_only_handle_writes_none);
	tcase_add_test(promise, what_was_appended_since_is_read_behind_it);
	tcase_add_test(promise, appending_links_to_events_that_only_it_knows);
	tcase_add_test(promise, a_ctime_alone_tells_of_a_change);
	tcase_add_test(promise, lengths_are_kept_for_who_means_the_same);
	tcase_add_test(promise, lengths_go_with_their_generation);
	tcase_add_test(promise, lengths_that_cannot_be_read_are_not_known);
	suite_add_tcase(suite, attacks);
	tcase_set_timeout(attacks, 240);
	tcase_add_loop_test(attacks, a_changed_store_is_not_believed, 0, 7);
	tcase_add_test(attacks,
	    none_is_written_of_a_store_that_changed_behind_our_back);
	tcase_add_loop_test(attacks,
	    an_old_copy_that_is_restored_is_not_believed, 0, 6);
	tcase_add_loop_test(attacks,
	    none_is_written_by_a_clock_that_stands_still_or_goes_back, 0, 3);
	tcase_add_loop_test(attacks, an_older_ctime_is_another_one_too, 0, 4);
	tcase_add_loop_test(attacks,
	    a_file_beside_the_segments_that_changed_drops_it, 0, 4);
	tcase_add_loop_test(attacks, a_flipped_bit_anywhere_changes_no_answer,
	    0, 2);
	tcase_add_test(attacks, a_cut_file_changes_no_answer);
	tcase_add_loop_test(forged,
	    a_header_that_names_more_than_there_is_is_not_believed, 0, 24);
	tcase_set_timeout(forged, 60);
	suite_add_tcase(suite, forged);
	tcase_add_test(attacks, a_bad_block_is_noticed_when_it_is_read);
	return suite_run(suite);
}
