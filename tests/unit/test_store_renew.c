/*
 * Another transparency log in the place of one: the old one is kept, its key
 * signs no other, and what is cut off is done by the next try.
 */
#include <check.h>
#include <errno.h>

#include "faulty_disk.h"
#include "stores.h"
#include "suite.h"

static struct temp_dir dir;
static struct temp_dir keys;
static char first_key[300], second_key[300];

static void
setup(void)
{
	temp_dir_make(&dir);
	temp_dir_make(&keys);
	snprintf(first_key, sizeof(first_key), "%s/first", keys.path);
	snprintf(second_key, sizeof(second_key), "%s/second", keys.path);
}

static void
teardown(void)
{
	temp_dir_remove(&dir);
	temp_dir_remove(&keys);
}

/* A session that appends an event. */
static void
session(const char *key)
{
	const struct bat_options options = { .tlog = true, .tlog_key = key };
	struct bat_store *store = stores_open_with(&dir, &options);

	stores_append(store, "player:alice", "\xa5hello");
	stores_close(store);
}

/* What `batctl renew-log` does. */
static int
renew_on(const struct bat_disk *disk, const char *key,
    char name[BAT_TLOG_ASIDE_SIZE])
{
	const struct bat_options options = { .disk = disk };
	struct bat_store *store = stores_open_with(&dir, &options);
	int code = bat_attest_renew(store, key, name, NULL);

	stores_close(store);
	return code;
}

static void
ck_renews(const char *key, const char *wanted_name)
{
	char name[BAT_TLOG_ASIDE_SIZE];

	ck_assert_int_eq(renew_on(NULL, key, name), 0);
	ck_assert_str_eq(name, wanted_name);
	ck_assert(temp_dir_has(&dir, ".batfs/tlog/checkpoint"));
}

static void
ck_refuses(const char *key)
{
	char name[BAT_TLOG_ASIDE_SIZE];

	ck_assert_int_eq(renew_on(NULL, key, name), BAT_USE_INVALID);
	ck_assert_str_eq(name, "");
	ck_assert(temp_dir_has(&dir, ".batfs/tlog/checkpoint"));
}

static void
move(const char *from, const char *to)
{
	char old[512], new[512];

	snprintf(old, sizeof(old), "%s/.batfs/%s", dir.path, from);
	snprintf(new, sizeof(new), "%s/.batfs/%s", dir.path, to);
	ck_assert_int_eq(rename(old, new), 0);
}

START_TEST(a_key_signs_one_log_and_no_other)
{
	const struct bat_options usual = { .tlog_key = first_key };
	struct bat_store *store;

	session(first_key);
	ck_refuses(first_key);
	ck_assert(!temp_dir_has(&dir, ".batfs/tlog-1"));
	ck_renews(second_key, "tlog-1");
	ck_refuses(first_key);
	ck_refuses(second_key);
	/* A renewal was cut off when the old log was put aside, and a mount
	 * names the key that it always had. */
	move("tlog", "tlog-7");
	ck_assert_int_eq(bat_open(dir.path, &usual, &store, NULL),
	    BAT_USE_INVALID);
	ck_assert(!temp_dir_has(&dir, ".batfs/tlog"));
	ck_renews(NULL, "");
}
END_TEST

/* Also when its public key is damaged: the checkpoint names it. */
START_TEST(a_log_without_its_public_key_is_still_of_that_key)
{
	session(first_key);
	temp_dir_write(&dir, ".batfs/tlog/vkey", bat_bytes_text("?"));
	ck_refuses(first_key);
	temp_dir_unlink(&dir, ".batfs/tlog/vkey");
	ck_refuses(first_key);
	ck_renews(second_key, "tlog-1");
}
END_TEST

START_TEST(a_folder_in_which_nobody_signed_is_gone_on_with)
{
	session(NULL);
	ck_renews(NULL, "tlog-1");
	temp_dir_unlink(&dir, ".batfs/tlog/checkpoint");
	ck_renews(NULL, "");
	ck_assert(!temp_dir_has(&dir, ".batfs/tlog-2"));
}
END_TEST

START_TEST(a_log_that_cannot_be_put_aside_stays_and_is_not_said_to_be_kept)
{
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	char name[BAT_TLOG_ASIDE_SIZE];
	struct faulty_disk faulty;

	session(NULL);
	temp_dir_read(&dir, ".batfs/tlog/vkey", &before);
	faulty_disk_init(&faulty, bat_file_posix());
	/* The first one makes the owner's record. */
	faulty_disk_fail(&faulty, FAULTY_RENAME, 2, EIO, false);
	ck_assert_int_eq(renew_on(&faulty.disk, NULL, name), BAT_WORLD_IO);
	ck_assert_str_eq(name, "");
	temp_dir_read(&dir, ".batfs/tlog/vkey", &after);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&before),
	    bat_bytes_of_buf(&after)));
	bat_bytes_free(&before);
	bat_bytes_free(&after);
	ck_renews(second_key, "tlog-1");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_renew");
	TCase *tests = tcase_create("renew");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_key_signs_one_log_and_no_other);
	tcase_add_test(tests,
	    a_log_without_its_public_key_is_still_of_that_key);
	tcase_add_test(tests, a_folder_in_which_nobody_signed_is_gone_on_with);
	tcase_add_test(tests,
	    a_log_that_cannot_be_put_aside_stays_and_is_not_said_to_be_kept);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
