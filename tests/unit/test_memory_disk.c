/*
 * The promises of the disk in memory: tests rest on it, so it is tested too.
 */
#include "memory_disk.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>

#include "suite.h"
#include "temp_dir.h"

#define ALL                                                                    \
	{                                                                      \
		.kind = MEMORY_DISK_WHOLE                                      \
	}

static struct memory_disk *disk;
static const struct bat_disk *door;
static int dir;

static void
start(enum memory_disk_model model)
{
	disk = memory_disk_new(model, 1);
	door = memory_disk_door(disk);
	dir = door->open_dir(door->context, "/", false);
	ck_assert_int_ge(dir, 0);
}

static int
put(const char *name, const char *text, uint64_t offset)
{
	int fd = door->open_at(door->context, dir, name, O_RDWR | O_CREAT,
	    0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(door->write_at(door->context, fd, text, strlen(text),
			     offset),
	    (ssize_t)strlen(text));
	return fd;
}

/* What stands in a file; NULL when there is none. */
static const char *
text_of(struct memory_disk *of, const char *name)
{
	static char text[4096];
	const struct bat_disk *its = memory_disk_door(of);
	int root = its->open_dir(its->context, "/", false);
	int fd = its->open_at(its->context, root, name, O_RDONLY, 0);
	ssize_t got;

	its->close(its->context, root);
	if (fd < 0)
		return NULL;
	got = its->read_at(its->context, fd, text, sizeof(text) - 1, 0);
	ck_assert_int_ge(got, 0);
	text[got] = '\0';
	its->close(its->context, fd);
	return text;
}

static struct memory_disk *
crash(const struct memory_disk_fate *fates)
{
	return memory_disk_crash(disk, fates);
}

/* Asserts what a file holds after this crash, and lets go of it. */
static void
expect_after(const struct memory_disk_fate *fates, const char *name,
    const char *text)
{
	struct memory_disk *after = crash(fates);

	if (text == NULL)
		ck_assert_ptr_null(text_of(after, name));
	else
		ck_assert_pstr_eq(text_of(after, name), text);
	memory_disk_free(after);
}

START_TEST(what_is_not_synced_may_be_there_or_not)
{
	const struct memory_disk_fate none[2] = { { 0 } };
	const struct memory_disk_fate name_alone[2] = { ALL, { 0 } };
	const struct memory_disk_fate both[2] = { ALL, ALL };

	start(MEMORY_DISK_STRICT);
	put("a", "hello", 0);
	ck_assert_uint_eq(memory_disk_pending_count(disk), 2);
	expect_after(none, "a", NULL);
	expect_after(name_alone, "a", "");
	expect_after(both, "a", "hello");
	ck_assert_str_eq(text_of(disk, "a"), "hello");
	memory_disk_free(disk);
}
END_TEST

START_TEST(strictly_a_file_s_sync_does_not_save_its_name)
{
	const struct memory_disk_fate none[1] = { { 0 } };
	int fd;

	start(MEMORY_DISK_STRICT);
	fd = put("a", "hello", 0);
	ck_assert_int_eq(door->sync(door->context, fd), 0);
	ck_assert_uint_eq(memory_disk_pending_count(disk), 1);
	expect_after(none, "a", NULL);
	ck_assert_int_eq(door->sync(door->context, dir), 0);
	ck_assert_uint_eq(memory_disk_pending_count(disk), 0);
	expect_after(NULL, "a", "hello");
	memory_disk_free(disk);
}
END_TEST

START_TEST(on_ext4_a_file_s_sync_saves_all_names_before_it)
{
	int fd;

	start(MEMORY_DISK_EXT4);
	fd = put("a", "hello", 0);
	ck_assert_int_eq(door->mkdir_at(door->context, dir, "b", 0700), 0);
	ck_assert_int_eq(door->sync(door->context, fd), 0);
	ck_assert_uint_eq(memory_disk_pending_count(disk), 0);
	expect_after(NULL, "a", "hello");
	memory_disk_free(disk);
}
END_TEST

START_TEST(a_write_can_be_torn_zeroed_or_lose_sectors)
{
	struct memory_disk_fate fate = { MEMORY_DISK_TORN, 2, 0 };
	char long_text[1201];
	struct memory_disk *after;
	int fd;

	start(MEMORY_DISK_STRICT);
	fd = put("a", "1234", 0);
	door->sync(door->context, fd);
	door->sync(door->context, dir);
	put("a", "5678", 4);
	expect_after(&fate, "a", "123456");
	fate.kind = MEMORY_DISK_ZEROED;
	after = crash(&fate);
	ck_assert_int_eq(memcmp(text_of(after, "a"), "123456\0", 8), 0);
	memory_disk_free(after);
	door->sync(door->context, fd);

	memset(long_text, 'x', 1200);
	long_text[1200] = '\0';
	put("a", long_text, 8);
	fate = (struct memory_disk_fate){ MEMORY_DISK_SECTORS, 0, 4 };
	after = crash(&fate);
	ck_assert_int_eq(text_of(after, "a")[1023], 0);
	ck_assert_int_eq(text_of(after, "a")[1024], 'x');
	ck_assert_uint_eq(strlen(text_of(after, "a") + 1024), 184);
	memory_disk_free(after);
	memory_disk_free(disk);
}
END_TEST

START_TEST(on_ext4_names_and_bytes_keep_their_order)
{
	const struct memory_disk_fate second_alone[4] = { ALL, { 0 }, ALL,
		{ 0 } };
	const struct memory_disk_fate name_alone[4] = { { 0 }, { 0 }, { 0 },
		ALL };
	const struct memory_disk_fate front[4] = { ALL, ALL,
		{ MEMORY_DISK_TORN, 1, 0 }, ALL };
	enum memory_disk_model models[] = { MEMORY_DISK_STRICT,
		MEMORY_DISK_EXT4 };

	for (int i = 0; i < 2; i++) {
		start(models[i]);
		put("a", "1", 0);
		put("a", "2", 1);
		ck_assert_int_eq(
		    door->rename_at(door->context, dir, "a", "b", true), 0);
		ck_assert_int_eq(memory_disk_may_leave(disk, second_alone),
		    models[i] == MEMORY_DISK_STRICT);
		ck_assert_int_eq(memory_disk_may_leave(disk, name_alone),
		    models[i] == MEMORY_DISK_STRICT);
		ck_assert(memory_disk_may_leave(disk, front));
		memory_disk_free(disk);
	}
}
END_TEST

START_TEST(a_lost_sync_shows_what_a_crash_takes_away)
{
	struct memory_disk *next;
	int fd;

	start(MEMORY_DISK_STRICT);
	fd = put("a", "old", 0);
	door->sync(door->context, fd);
	door->sync(door->context, dir);
	put("a", "new", 0);
	memory_disk_lose(disk, fd);
	ck_assert_str_eq(text_of(disk, "a"), "new");
	ck_assert_int_eq(door->sync(door->context, fd), 0);
	expect_after(NULL, "a", "old");
	next = memory_disk_copy(disk);
	ck_assert_str_eq(text_of(next, "a"), "new");
	memory_disk_free(next);
	ck_assert_int_eq(door->drop_cache(door->context, fd), 0);
	ck_assert_str_eq(text_of(disk, "a"), "old");
	memory_disk_free(disk);
}
END_TEST

START_TEST(after_a_lost_sync_later_writes_still_reach_the_disk)
{
	int fd;

	start(MEMORY_DISK_STRICT);
	fd = put("a", "1234", 0);
	door->sync(door->context, fd);
	door->sync(door->context, dir);
	put("a", "xx", 0);
	memory_disk_lose(disk, fd);
	put("a", "yy", 2);
	ck_assert_str_eq(text_of(disk, "a"), "xxyy");
	ck_assert_int_eq(door->sync_data(door->context, fd), 0);
	expect_after(NULL, "a", "12yy");
	memory_disk_free(disk);
}
END_TEST

START_TEST(a_copy_goes_its_own_way)
{
	struct memory_disk *copy;

	start(MEMORY_DISK_STRICT);
	put("a", "one", 0);
	copy = memory_disk_copy(disk);
	ck_assert_uint_eq(memory_disk_hash(copy), memory_disk_hash(disk));
	ck_assert_uint_eq(memory_disk_pending_count(copy), 2);
	put("a", "two", 0);
	ck_assert_str_eq(text_of(copy, "a"), "one");
	ck_assert_uint_ne(memory_disk_hash(copy), memory_disk_hash(disk));
	ck_assert_uint_eq(memory_disk_open_count(copy), 0);
	memory_disk_free(copy);
	memory_disk_free(disk);
}
END_TEST

START_TEST(a_lock_is_held_once)
{
	struct memory_disk *copy;
	int one, two;

	start(MEMORY_DISK_STRICT);
	one = put("lock", "x", 0);
	two = put("lock", "x", 0);
	ck_assert_int_eq(door->lock(door->context, one), 0);
	ck_assert_int_eq(door->lock(door->context, two), -EWOULDBLOCK);
	/* The holder is dead there. */
	copy = memory_disk_copy(disk);
	door = memory_disk_door(copy);
	dir = door->open_dir(door->context, "/", false);
	two = put("lock", "x", 0);
	ck_assert_int_eq(door->lock(door->context, two), 0);
	memory_disk_free(copy);
	door = memory_disk_door(disk);
	door->close(door->context, one);
	memory_disk_free(disk);
}
END_TEST

START_TEST(a_full_disk_writes_short_and_then_not_at_all)
{
	int fd;

	start(MEMORY_DISK_STRICT);
	fd = put("a", "1234", 0);
	memory_disk_limit(disk, 6);
	ck_assert_int_eq(door->write_at(door->context, fd, "5678", 4, 4), 2);
	ck_assert_int_eq(door->write_at(door->context, fd, "78", 2, 6),
	    -ENOSPC);
	ck_assert_int_eq(door->write_at(door->context, fd, "0", 1, 0), 1);
	ck_assert_int_eq(door->unlink_at(door->context, dir, "a"), 0);
	ck_assert_uint_eq(memory_disk_used(disk), 0);
	memory_disk_free(disk);
}
END_TEST

static void
count_ops(void *context, struct memory_disk *of,
    const struct memory_disk_op *op)
{
	unsigned *counts = context;

	ck_assert_ptr_eq(of, disk);
	counts[op->kind]++;
}

START_TEST(whoever_watches_hears_of_every_change_and_sync)
{
	unsigned counts[MEMORY_DISK_LOST_SYNC + 1] = { 0 };
	struct bat_buf log = BAT_BUF_EMPTY;
	int fd;

	start(MEMORY_DISK_STRICT);
	memory_disk_watch(disk, count_ops, counts);
	fd = put("a", "1", 0);
	door->truncate(door->context, fd, 0);
	door->rename_at(door->context, dir, "a", "b", false);
	door->sync(door->context, fd);
	memory_disk_lose(disk, fd);
	door->unlink_at(door->context, dir, "b");
	for (size_t i = 0; i <= MEMORY_DISK_LOST_SYNC; i++)
		ck_assert_uint_eq(counts[i], 1);
	memory_disk_print_log(disk, &log);
	bat_bytes_append_byte(&log, 0);
	ck_assert_str_eq((const char *)log.data,
	    "    1 create a\n"
	    "    2 write a [0, +1)\n"
	    "    3 truncate a to 0\n"
	    "    4 rename a to b\n"
	    "    5 sync b\n"
	    "    6 sync b fails\n"
	    "    7 unlink b\n");
	bat_bytes_free(&log);
	memory_disk_free(disk);
}
END_TEST

START_TEST(what_is_seen_can_be_put_on_the_real_disk)
{
	struct temp_dir temp;
	struct bat_buf read = BAT_BUF_EMPTY;

	start(MEMORY_DISK_STRICT);
	put("a", "one", 0);
	door->mkdir_at(door->context, dir, "sub", 0700);
	temp_dir_make(&temp);
	memory_disk_export(disk, temp.path);
	temp_dir_read(&temp, "a", &read);
	ck_assert_uint_eq(read.length, 3);
	ck_assert_mem_eq(read.data, "one", 3);
	ck_assert(temp_dir_has(&temp, "sub"));
	bat_bytes_free(&read);
	temp_dir_remove(&temp);
	memory_disk_free(disk);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("memory_disk");
	TCase *tcase = tcase_create("promises");

	tcase_add_test(tcase, what_is_not_synced_may_be_there_or_not);
	tcase_add_test(tcase, strictly_a_file_s_sync_does_not_save_its_name);
	tcase_add_test(tcase, on_ext4_a_file_s_sync_saves_all_names_before_it);
	tcase_add_test(tcase, a_write_can_be_torn_zeroed_or_lose_sectors);
	tcase_add_test(tcase, on_ext4_names_and_bytes_keep_their_order);
	tcase_add_test(tcase, a_lost_sync_shows_what_a_crash_takes_away);
	tcase_add_test(tcase,
	    after_a_lost_sync_later_writes_still_reach_the_disk);
	tcase_add_test(tcase, a_copy_goes_its_own_way);
	tcase_add_test(tcase, a_lock_is_held_once);
	tcase_add_test(tcase, a_full_disk_writes_short_and_then_not_at_all);
	tcase_add_test(tcase, whoever_watches_hears_of_every_change_and_sync);
	tcase_add_test(tcase, what_is_seen_can_be_put_on_the_real_disk);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
