/*
 * backup/: what it shows, when its pin moves, and what stays with those who have
 * something open.
 */
#include <check.h>

#include "fake_clock.h"
#include "stores.h"

#include "suite.h"
#include "tree_fixture.h"

#define MINUTE_NS (60 * INT64_C(1000000000))

static struct temp_dir dir;
static struct fake_clock now;

static void
setup(void)
{
	stores_golden(&dir, "quickstart");
	fake_clock_init(&now, FAKE_CLOCK_START_US, 0);
	fixture_store = stores_open(&dir, false);
	fixture_options();
	options.clock = &now.clock;
	fixture_open();
}

static void
teardown(void)
{
	batfs_tree_free(tree);
	stores_close(fixture_store);
	temp_dir_remove(&dir);
}

static void
append(void)
{
	stores_append(fixture_store, "e:x", "\x01");
}

static void
open_root(void)
{
	struct batfs_node node = at("backup");

	batfs_tree_opened(tree, &node);
}

static int
command(const char *word)
{
	struct batfs_node node = at(".ctl/pin");

	return batfs_tree_command(tree, &node, bat_bytes_text(word), NULL);
}

/* The sequence that PIN tells. */
static uint64_t
pinned(void)
{
	struct batfs_node node = at("backup/PIN");
	struct bat_buf buf = BAT_BUF_EMPTY;
	unsigned long long seq = 0;

	read_onto(&node, &buf);
	ck_assert_int_eq(bat_bytes_append_byte(&buf, '\0'), 0);
	ck_assert_int_eq(sscanf((const char *)buf.data, "sequence %llu", &seq),
	    1);
	bat_bytes_free(&buf);
	return seq;
}

/* ---- what it shows ------------------------------------------------------- */

START_TEST(it_lists_the_pin_its_sums_and_raw_files)
{
	assert_lists("backup", "PIN SHA256SUMS store ");
	assert_lists("backup/store", "index.fbati 000001.fbat ");
	assert_absent("backup/store/000002.fbat");
	assert_absent("backup/store/1.fbat");
	assert_absent("backup/store/index.ckpt");
	assert_absent("backup/store/.batpak.lock");
	append();
	ck_assert_int_eq(command("now"), 0);
	assert_lists("backup/store", "index.fbati 000001.fbat 000002.fbat ");
}
END_TEST

START_TEST(the_pin_tells_what_it_holds_and_not_when_it_was_made)
{
	assert_content("backup/PIN",
	    "sequence 21\n"
	    "event 019b76daa834764a8fe64d09e07e1b2b\n"
	    "segment 1\n"
	    "offset 15105\n"
	    "count 22\n"
	    "hidden 0\n"
	    "files 2\n"
	    "bytes 20501\n");
}
END_TEST

START_TEST(files_are_those_of_the_directory_and_sums_are_theirs)
{
	static const char *const names[] = { "000001.fbat", "index.fbati" };
	struct bat_buf wanted = BAT_BUF_EMPTY, file = BAT_BUF_EMPTY;
	struct batfs_node pin = at("backup/PIN");
	uint8_t sum[BAT_PIN_SHA256_SIZE];

	read_onto(&pin, &file);
	bat_pin_sha256_of(bat_bytes_of_buf(&file), sum);
	ck_assert_int_eq(bat_bytes_append_hex(&wanted, sum, sizeof(sum)), 0);
	ck_assert_int_eq(bat_bytes_append_text(&wanted, "  PIN\n"), 0);
	for (size_t i = 0; i < 2; i++) {
		struct bat_buf shown = BAT_BUF_EMPTY;
		struct batfs_node node;
		char path[100];

		snprintf(path, sizeof(path), "backup/store/%s", names[i]);
		node = at(path);
		read_onto(&node, &shown);
		bat_bytes_clear(&file);
		temp_dir_read(&dir, names[i], &file);
		ck_assert(bat_bytes_equal(bat_bytes_of_buf(&shown),
		    bat_bytes_of_buf(&file)));
		bat_pin_sha256_of(bat_bytes_of_buf(&file), sum);
		ck_assert_int_eq(
		    bat_bytes_append_hex(&wanted, sum, sizeof(sum)), 0);
		ck_assert_int_eq(bat_bytes_append_format(&wanted,
				     "  store/%s\n", names[i]),
		    0);
		bat_bytes_free(&shown);
	}
	ck_assert_uint_eq(attributes_at("backup/SHA256SUMS").size,
	    wanted.length);
	ck_assert_int_eq(bat_bytes_append_byte(&wanted, '\0'), 0);
	assert_content("backup/SHA256SUMS", (const char *)wanted.data);
	bat_bytes_free(&wanted);
	bat_bytes_free(&file);
}
END_TEST

START_TEST(what_can_change_has_the_time_of_the_last_event_in_it)
{
	struct bat_head head;
	int64_t first, last;

	bat_head(fixture_store, &head);
	first = (int64_t)head.first_wall_ms;
	last = (int64_t)head.last_wall_ms;
	ck_assert_int_lt(first, last);
	ck_assert_int_eq(attributes_at("backup").mtime_ms, first);
	ck_assert_int_eq(attributes_at("backup/store").mtime_ms, first);
	ck_assert_int_eq(attributes_at("backup/PIN").mtime_ms, last);
	ck_assert_int_eq(attributes_at("backup/SHA256SUMS").mtime_ms, last);
	ck_assert_int_eq(attributes_at("backup/store/000001.fbat").mtime_ms,
	    last);
	ck_assert_int_eq(attributes_at("backup/store/index.fbati").mtime_ms,
	    last);
	append();
	ck_assert_int_eq(attributes_at("backup/PIN").mtime_ms, last);
	ck_assert_int_eq(command("now"), 0);
	ck_assert_int_gt(attributes_at("backup/PIN").mtime_ms, last);
	ck_assert_int_gt(attributes_at("backup/store").mtime_ms, last);
	ck_assert_int_eq(attributes_at("backup/store/000001.fbat").mtime_ms,
	    last);
}
END_TEST

START_TEST(two_pins_of_one_millisecond_differ_in_time)
{
	struct batfs_attributes before, after;
	const int64_t wall_us = FAKE_CLOCK_START_US +
	    365 * INT64_C(86400000000);
	static struct fake_clock still; /* until teardown */

	batfs_tree_free(tree);
	stores_close(fixture_store);
	fake_clock_init(&still, wall_us, 0);
	fixture_store = stores_open_with(&dir,
	    &(struct bat_options){ .clock = &still.clock });
	fixture_open();
	append();
	ck_assert_int_eq(command("now"), 0);
	before = attributes_at("backup/PIN");
	append();
	ck_assert_int_eq(command("now"), 0);
	after = attributes_at("backup/PIN");
	ck_assert_uint_eq(before.size, after.size);
	ck_assert_int_eq(before.mtime_ms, after.mtime_ms);
	ck_assert_uint_ne(before.mtime_rest_ns, after.mtime_rest_ns);
	ck_assert_uint_eq(after.mtime_rest_ns,
	    attributes_at("backup/SHA256SUMS").mtime_rest_ns);
}
END_TEST

/* ---- when it moves ------------------------------------------------------- */

START_TEST(it_stands_as_it_was_at_the_mount_until_it_rested_a_minute)
{
	append();
	ck_assert_uint_eq(pinned(), 21);
	open_root();
	ck_assert_uint_eq(pinned(), 21);
	now.monotonic_ns += MINUTE_NS - 1000000;
	open_root(); /* somebody asked less than a minute ago */
	ck_assert_uint_eq(pinned(), 21);
	now.monotonic_ns += MINUTE_NS;
	ck_assert_uint_eq(pinned(), 21); /* its root was not opened */
	now.monotonic_ns += MINUTE_NS;
	open_root();
	ck_assert_uint_eq(pinned(), 23); /* OPEN, and what was appended */
}
END_TEST

START_TEST(it_does_not_move_under_an_open_file)
{
	struct batfs_node node = at("backup/store/000001.fbat");
	struct bat_pin *kept = NULL;

	ck_assert_int_eq(batfs_tree_keep_pin(tree, &node, &kept, NULL), 0);
	ck_assert_ptr_nonnull(kept);
	append();
	now.monotonic_ns += 2 * MINUTE_NS;
	open_root();
	ck_assert_uint_eq(pinned(), 21);
	bat_pin_release(kept);
	now.monotonic_ns += 2 * MINUTE_NS;
	open_root();
	ck_assert_uint_eq(pinned(), 23);
}
END_TEST

START_TEST(a_word_moves_it_unless_it_is_held)
{
	append();
	ck_assert_int_eq(command("now\n"), 0);
	ck_assert_uint_eq(pinned(), 23);
	ck_assert_int_eq(command("hold\n"), 0);
	assert_content(".ctl/pin", "sequence 23\nheld yes\nlast ok\n");
	append();
	now.monotonic_ns += 2 * MINUTE_NS;
	open_root();
	ck_assert_int_eq(command("now"), BAT_WORLD_LOCKED);
	ck_assert_uint_eq(pinned(), 23);
	ck_assert_int_eq(command("release"), 0);
	ck_assert_uint_eq(pinned(), 23);
	ck_assert_int_eq(command("anything else"), 0);
	ck_assert_uint_eq(pinned(), 24);
	assert_content_has(".ctl/pin", "held no\n");
}
END_TEST

START_TEST(who_has_a_file_open_reads_it_to_its_end_in_the_old_pin)
{
	struct bat_buf before = BAT_BUF_EMPTY, kept_text = BAT_BUF_EMPTY;
	struct batfs_node node = at("backup/SHA256SUMS");
	struct batfs_attributes attributes = attributes_of(&node);
	struct bat_pin *kept = NULL;
	uint64_t size = attributes.size;

	read_onto(&node, &before);
	ck_assert_int_eq(batfs_tree_keep_pin(tree, &node, &kept, NULL), 0);
	append();
	ck_assert_int_eq(command("now"), 0);
	ck_assert_uint_gt(attributes_of(&node).size, size);
	ck_assert_int_eq(batfs_tree_kept_read(tree, &node, kept, 0, SIZE_MAX,
			     &kept_text, NULL),
	    0);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&before),
	    bat_bytes_of_buf(&kept_text)));
	ck_assert_int_eq(
	    batfs_tree_kept_attributes(tree, &node, kept, &attributes), 0);
	ck_assert_uint_eq(attributes.size, size);
	bat_pin_release(kept);
	bat_bytes_free(&before);
	bat_bytes_free(&kept_text);
}
END_TEST

START_TEST(nothing_else_keeps_a_pin)
{
	struct batfs_node node = at("log/tail.jsonl");
	struct bat_pin *kept;

	ck_assert_int_eq(batfs_tree_keep_pin(tree, &node, &kept, NULL), 0);
	ck_assert_ptr_null(kept);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tree_backup");
	TCase *shows = tcase_create("shows");
	TCase *moves = tcase_create("moves");

	tcase_add_checked_fixture(shows, setup, teardown);
	tcase_add_test(shows, it_lists_the_pin_its_sums_and_raw_files);
	tcase_add_test(shows,
	    the_pin_tells_what_it_holds_and_not_when_it_was_made);
	tcase_add_test(shows,
	    files_are_those_of_the_directory_and_sums_are_theirs);
	tcase_add_test(shows,
	    what_can_change_has_the_time_of_the_last_event_in_it);
	tcase_add_test(shows, two_pins_of_one_millisecond_differ_in_time);
	suite_add_tcase(suite, shows);
	tcase_add_checked_fixture(moves, setup, teardown);
	tcase_add_test(moves,
	    it_stands_as_it_was_at_the_mount_until_it_rested_a_minute);
	tcase_add_test(moves, it_does_not_move_under_an_open_file);
	tcase_add_test(moves, a_word_moves_it_unless_it_is_held);
	tcase_add_test(moves,
	    who_has_a_file_open_reads_it_to_its_end_in_the_old_pin);
	tcase_add_test(moves, nothing_else_keeps_a_pin);
	suite_add_tcase(suite, moves);
	return suite_run(suite);
}
