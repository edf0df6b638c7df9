/*
 * Two writers whose locks do not meet: one of them is refused while the other
 * lives, and only then.
 */
#include "owner.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "faulty_disk.h"
#include "segment_dir.h"
#include "suite.h"
#include "temp_dir.h"

/* The real disk, seen by another path: a lock of its own, and numbers as the
 * test says. */
static struct bat_file_place here;

static int
lock_of_its_own(void *context, int fd)
{
	(void)context;
	(void)fd;
	return 0;
}

static int
place_here(void *context, int fd, struct bat_file_place *out)
{
	(void)context;
	(void)fd;
	*out = here;
	return 0;
}

static struct bat_disk other_path;
static struct temp_dir temp;
static struct bat_segment_dir first, second;

static void
setup(void)
{
	temp_dir_make(&temp);
	other_path = *bat_file_posix();
	other_path.lock = lock_of_its_own;
	other_path.place = place_here;
	here = (struct bat_file_place){ .boot = "boot",
		.machine = "machine",
		.network = 7,
		.pid = 17,
		.device = 1,
		.inode = 2 };
	first.dir = second.dir = -1;
}

static void
teardown(void)
{
	bat_segment_dir_close(&first);
	bat_segment_dir_close(&second);
	temp_dir_remove(&temp);
}

static int
lock_on(const struct bat_disk *disk, struct bat_segment_dir *dir,
    struct bat_error *error)
{
	int code;

	ck_assert_int_eq(
	    bat_segment_dir_open(dir, disk, temp.path, false, error), 0);
	code = bat_segment_dir_lock(dir, error);
	if (code != 0)
		bat_segment_dir_close(dir);
	return code;
}

/* As if the process were gone: nobody removes the record. */
static void
kill_writer(struct bat_segment_dir *dir)
{
	bat_file_close(dir->disk, dir->owner.name_fd);
	dir->owner = BAT_OWNER_NONE;
	bat_segment_dir_close(dir);
}

static void
read_record(struct bat_buf *out)
{
	bat_bytes_clear(out);
	temp_dir_read(&temp, ".batfs/owner", out);
}

/* ---- who lives ------------------------------------------------------------- */

START_TEST(a_second_writer_by_another_path_is_refused)
{
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_error error;

	ck_assert_int_eq(lock_on(&other_path, &first, NULL), 0);
	read_record(&before);
	here.device++;
	ck_assert_int_eq(lock_on(&other_path, &second, &error),
	    BAT_WORLD_LOCKED);
	ck_assert_ptr_nonnull(strstr(error.text, "process 17"));
	read_record(&after);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&before),
	    bat_bytes_of_buf(&after)));
	ck_assert_int_eq(bat_segment_dir_confirm_owner(&first, NULL), 0);
	bat_segment_dir_close(&first);
	ck_assert(!temp_dir_has(&temp, ".batfs/owner"));
	ck_assert_int_eq(lock_on(&other_path, &second, NULL), 0);
	bat_bytes_free(&before);
	bat_bytes_free(&after);
}
END_TEST

START_TEST(who_is_dead_keeps_nobody_out)
{
	struct bat_buf record = BAT_BUF_EMPTY;

	ck_assert_int_eq(lock_on(&other_path, &first, NULL), 0);
	kill_writer(&first);
	ck_assert(temp_dir_has(&temp, ".batfs/owner"));
	here.device++;
	ck_assert_int_eq(lock_on(&other_path, &second, NULL), 0);
	read_record(&record);
	ck_assert_ptr_nonnull(memmem(record.data, record.length,
	    second.owner.token, BAT_OWNER_TOKEN_SIZE - 1));
	bat_bytes_free(&record);
}
END_TEST

/* batpak knows of no record: it has the lock. */
START_TEST(a_lock_without_a_record_keeps_us_out)
{
	const struct bat_disk *disk = bat_file_posix();
	int fd;

	ck_assert_int_eq(lock_on(disk, &first, NULL), 0);
	bat_segment_dir_close(&first);
	ck_assert_int_eq(
	    bat_segment_dir_open(&second, disk, temp.path, false, NULL), 0);
	fd = disk->open_at(disk->context, second.dir, BAT_SEGMENT_DIR_LOCK,
	    O_RDWR, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(disk->lock(disk->context, fd), 0);
	ck_assert_int_eq(bat_segment_dir_lock(&second, NULL), BAT_WORLD_LOCKED);
	bat_file_close(disk, fd);
	ck_assert_int_eq(bat_segment_dir_lock(&second, NULL), 0);
}
END_TEST

/* ---- who cannot be seen ------------------------------------------------------ */

/* What differs between who left the record, dead, and who comes. */
static const struct elsewhere {
	const char *boot, *machine;
	uint64_t network, device;
	bool numbered;
	const char *refused; /* NULL: let in */
} elsewheres[] = {
	{ "boot", "machine", 8, 2, false, "network namespace" },
	{ "boot", "machine", 8, 1, false, NULL }, /* its lock is ours */
	{ "boot", "machine", 8, 2, true, NULL },  /* a copy */
	{ "next", "machine", 7, 2, false, NULL }, /* the kernel ended */
	{ "next", "another", 7, 1, false, "another machine" },
	{ "next", "", 7, 1, false, "another machine" },
	{ "", "", 7, 1, false, "another machine" },
	/* A backup, there; a container whose machine fell. */
	{ "next", "another", 7, 2, true, NULL },
	{ "next", "", 7, 1, true, NULL },
	{ "", "", 7, 1, true, NULL },
};

START_TEST(who_cannot_be_seen_is_asked_about_only_if_he_may_live)
{
	const struct elsewhere *than = &elsewheres[_i];
	struct bat_error error = { .text = "" };
	int wanted = than->refused == NULL ? 0 : BAT_WORLD_LOCKED;

	here.numbered = than->numbered;
	ck_assert_int_eq(lock_on(&other_path, &first, NULL), 0);
	kill_writer(&first);
	snprintf(here.boot, sizeof(here.boot), "%s", than->boot);
	snprintf(here.machine, sizeof(here.machine), "%s", than->machine);
	here.network = than->network;
	here.device = than->device;
	ck_assert_int_eq(lock_on(&other_path, &second, &error), wanted);
	if (wanted == 0)
		return;
	ck_assert_msg(strstr(error.text, than->refused) != NULL, "%s",
	    error.text);
	/* The remedy that is named is one. */
	ck_assert_ptr_nonnull(strstr(error.text, "remove .batfs/owner"));
	temp_dir_unlink(&temp, ".batfs/owner");
	ck_assert_int_eq(lock_on(&other_path, &second, NULL), 0);
}
END_TEST

/* cp -a of a directory that is written to is a store of its own. */
START_TEST(a_copy_is_not_kept_by_who_lives_in_the_other)
{
	here.numbered = true;
	ck_assert_int_eq(lock_on(&other_path, &first, NULL), 0);
	here.inode++;
	ck_assert_int_eq(lock_on(&other_path, &second, NULL), 0);
	ck_assert_int_eq(bat_segment_dir_confirm_owner(&second, NULL), 0);
}
END_TEST

/* ---- what may happen to a record ----------------------------------------------- */

START_TEST(who_lost_the_record_writes_no_further_and_leaves_the_others)
{
	struct bat_error error;

	ck_assert_int_eq(lock_on(&other_path, &first, NULL), 0);
	temp_dir_unlink(&temp, ".batfs/owner");
	ck_assert_int_eq(bat_segment_dir_confirm_owner(&first, &error),
	    BAT_STATE_STOPPED);
	ck_assert_ptr_nonnull(strstr(error.text, "mount again"));
	ck_assert_int_eq(lock_on(&other_path, &second, NULL), 0);
	ck_assert_int_eq(bat_segment_dir_confirm_owner(&first, &error),
	    BAT_STATE_STOPPED);
	bat_segment_dir_close(&first);
	ck_assert(temp_dir_has(&temp, ".batfs/owner"));
	ck_assert_int_eq(bat_segment_dir_confirm_owner(&second, NULL), 0);
}
END_TEST

START_TEST(what_is_no_record_is_refused_and_left)
{
	static const char *const wrong[] = { "", "batfs owner 2\n",
		"batfs owner 1\ntoken 0\n" };
	struct bat_error error;

	ck_assert_int_eq(lock_on(&other_path, &first, NULL), 0);
	bat_segment_dir_close(&first);
	temp_dir_write(&temp, ".batfs/owner", bat_bytes_text(wrong[_i]));
	ck_assert_int_eq(lock_on(&other_path, &second, &error),
	    BAT_WORLD_LOCKED);
	ck_assert_ptr_nonnull(strstr(error.text, "remove it"));
	ck_assert(temp_dir_has(&temp, ".batfs/owner"));
}
END_TEST

/* Between the look and the making another one made his. */
static bool raced;

static int
rename_late(void *context, int dir, const char *from, const char *to,
    bool replace)
{
	const struct bat_disk *disk = bat_file_posix();

	if (!raced && strcmp(to, BAT_OWNER_FILE) == 0) {
		raced = true;
		ck_assert_int_eq(lock_on(&other_path, &second, NULL), 0);
	}
	return disk->rename_at(context, dir, from, to, replace);
}

START_TEST(of_two_that_come_at_once_one_gets_it)
{
	struct bat_disk late = other_path;

	raced = false;
	late.rename_at = rename_late;
	ck_assert_int_eq(lock_on(&late, &first, NULL), BAT_WORLD_LOCKED);
	ck_assert(raced);
	ck_assert_int_eq(bat_segment_dir_confirm_owner(&second, NULL), 0);
}
END_TEST

/* Both find the same dead one: who holds his name replaces him. */
START_TEST(a_dead_one_is_replaced_once)
{
	char name[64];
	int guard;

	ck_assert_int_eq(lock_on(&other_path, &first, NULL), 0);
	snprintf(name, sizeof(name), BAT_OWNER_NAME "%s", first.owner.token);
	kill_writer(&first);
	guard = other_path.take_name(other_path.context, name);
	ck_assert_int_ge(guard, 0);
	ck_assert_int_eq(lock_on(&other_path, &second, NULL), BAT_WORLD_LOCKED);
	bat_file_close(&other_path, guard);
	ck_assert_int_eq(lock_on(&other_path, &second, NULL), 0);
}
END_TEST

/* What another path changed is asked anew where it may be remembered. */
static unsigned refreshed;

static int
refresh_counted(void *context, int dir)
{
	(void)context;
	(void)dir;
	refreshed++;
	return 0;
}

START_TEST(what_is_remembered_of_the_directory_is_asked_anew)
{
	other_path.refresh = refresh_counted;
	refreshed = 0;
	here.numbered = true;
	ck_assert_int_eq(lock_on(&other_path, &first, NULL), 0);
	ck_assert_uint_eq(refreshed, 0);
	bat_segment_dir_close(&first);
	here.numbered = false;
	ck_assert_int_eq(lock_on(&other_path, &first, NULL), 0);
	ck_assert_uint_eq(refreshed, 1);
}
END_TEST

/* What is there can be read; what is appended needs the record. */
START_TEST(a_full_disk_is_opened_and_the_record_made_later)
{
	struct faulty_disk faulty;

	faulty_disk_init(&faulty, &other_path);
	faulty_disk_fail(&faulty, FAULTY_WRITE, 1, ENOSPC, true);
	ck_assert_int_eq(lock_on(&faulty.disk, &first, NULL), 0);
	ck_assert_int_eq(bat_segment_dir_confirm_owner(&first, NULL),
	    BAT_WORLD_NO_SPACE);
	ck_assert(!temp_dir_has(&temp, ".batfs/owner"));
	faulty_disk_reset(&faulty);
	ck_assert_int_eq(bat_segment_dir_confirm_owner(&first, NULL), 0);
	ck_assert(temp_dir_has(&temp, ".batfs/owner"));
	bat_segment_dir_close(&first);
	ck_assert(!temp_dir_has(&temp, ".batfs/owner"));
}
END_TEST

static int
take_no_name(void *context, const char *name)
{
	(void)context;
	(void)name;
	return -EPERM;
}

/* A mount takes no name once it serves. */
START_TEST(whom_a_dead_one_leaves_a_full_disk_makes_the_record_later)
{
	struct faulty_disk faulty;

	ck_assert_int_eq(lock_on(&other_path, &first, NULL), 0);
	kill_writer(&first);
	faulty_disk_init(&faulty, &other_path);
	faulty_disk_fail(&faulty, FAULTY_WRITE, 1, ENOSPC, true);
	ck_assert_int_eq(lock_on(&faulty.disk, &first, NULL), 0);
	faulty.disk.take_name = take_no_name;
	ck_assert_int_eq(bat_segment_dir_confirm_owner(&first, NULL),
	    BAT_WORLD_NO_SPACE);
	faulty_disk_reset(&faulty);
	ck_assert_int_eq(bat_segment_dir_confirm_owner(&first, NULL), 0);
	ck_assert(temp_dir_has(&temp, ".batfs/owner"));
	bat_segment_dir_close(&first);
}
END_TEST

START_TEST(who_came_before_there_was_space_keeps_the_directory)
{
	struct faulty_disk faulty;

	faulty_disk_init(&faulty, &other_path);
	faulty_disk_fail(&faulty, FAULTY_WRITE, 1, ENOSPC, true);
	ck_assert_int_eq(lock_on(&faulty.disk, &first, NULL), 0);
	faulty_disk_reset(&faulty);
	ck_assert_int_eq(lock_on(&other_path, &second, NULL), 0);
	ck_assert_int_eq(bat_segment_dir_confirm_owner(&first, NULL),
	    BAT_STATE_STOPPED);
	bat_segment_dir_close(&first);
	ck_assert_int_eq(bat_segment_dir_confirm_owner(&second, NULL), 0);
}
END_TEST

/* ---- the record ------------------------------------------------------------------ */

static const struct bat_owner_record sample = {
	.token = "0123456789abcdef0123456789abcdef",
	.place = { .boot = "b-1",
	    .machine = "",
	    .network = 4026531840,
	    .pid = 17,
	    .device = UINT64_MAX,
	    .inode = 3,
	    .numbered = true },
};

START_TEST(a_record_is_read_as_it_was_made_and_no_other_byte)
{
	struct bat_buf file = BAT_BUF_EMPTY, again = BAT_BUF_EMPTY;
	struct bat_owner_record record;

	ck_assert_int_eq(bat_owner_encode(&sample, &file), 0);
	ck_assert_int_eq(bat_owner_decode(bat_bytes_of_buf(&file), &record), 0);
	ck_assert_int_eq(bat_owner_encode(&record, &again), 0);
	ck_assert(
	    bat_bytes_equal(bat_bytes_of_buf(&file), bat_bytes_of_buf(&again)));
	ck_assert_str_eq(record.token, sample.token);
	ck_assert_uint_eq(record.place.device, UINT64_MAX);
	for (size_t n = 0; n < file.length; n++)
		ck_assert_int_eq(bat_owner_decode(bat_bytes_slice(file.data, n),
				     &record),
		    BAT_DATA_CORRUPT);
	ck_assert_int_eq(bat_bytes_append_byte(&file, '\n'), 0);
	ck_assert_int_eq(bat_owner_decode(bat_bytes_of_buf(&file), &record),
	    BAT_DATA_CORRUPT);
	bat_bytes_free(&file);
	bat_bytes_free(&again);
}
END_TEST

START_TEST(a_name_is_for_one_and_free_with_its_holder)
{
	const struct bat_disk *disk = bat_file_posix();
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "batfs-test-%ld", (long)getpid());
	fd = disk->take_name(disk->context, name);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(disk->take_name(disk->context, name), -EADDRINUSE);
	bat_file_close(disk, fd);
	fd = disk->take_name(disk->context, name);
	ck_assert_int_ge(fd, 0);
	bat_file_close(disk, fd);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("owner");
	TCase *tests = tcase_create("owner");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_second_writer_by_another_path_is_refused);
	tcase_add_test(tests, who_is_dead_keeps_nobody_out);
	tcase_add_test(tests, a_lock_without_a_record_keeps_us_out);
	tcase_add_loop_test(tests,
	    who_cannot_be_seen_is_asked_about_only_if_he_may_live, 0,
	    sizeof(elsewheres) / sizeof(elsewheres[0]));
	tcase_add_test(tests, a_copy_is_not_kept_by_who_lives_in_the_other);
	tcase_add_test(tests,
	    who_lost_the_record_writes_no_further_and_leaves_the_others);
	tcase_add_loop_test(tests, what_is_no_record_is_refused_and_left, 0, 3);
	tcase_add_test(tests, of_two_that_come_at_once_one_gets_it);
	tcase_add_test(tests, a_dead_one_is_replaced_once);
	tcase_add_test(tests,
	    what_is_remembered_of_the_directory_is_asked_anew);
	tcase_add_test(tests, a_full_disk_is_opened_and_the_record_made_later);
	tcase_add_test(tests,
	    whom_a_dead_one_leaves_a_full_disk_makes_the_record_later);
	tcase_add_test(tests,
	    who_came_before_there_was_space_keeps_the_directory);
	tcase_add_test(tests,
	    a_record_is_read_as_it_was_made_and_no_other_byte);
	tcase_add_test(tests, a_name_is_for_one_and_free_with_its_holder);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
