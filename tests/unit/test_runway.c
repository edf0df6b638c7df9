/*
 * Space ahead of the frames: where it is laid, and where it must not be; and a
 * store that has it, through seals, crashes, full disks and a rebuild.
 */
#include "runway.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "faulty_disk.h"
#include "maker.h"
#include "sample.h"
#include "segment_reader.h"
#include "stores.h"
#include "suite.h"

#define STEP UINT64_C(1000)

/* ---- one file ---------------------------------------------------------- */

static struct temp_dir temp;
static struct faulty_disk faulty;
static struct bat_runway runway;
static int folder, file;

static void
set_up(void)
{
	const struct bat_disk *disk = &faulty.disk;

	temp_dir_make(&temp);
	faulty_disk_init(&faulty, bat_file_posix());
	temp_dir_write(&temp, "file", bat_bytes_text("header"));
	folder = disk->open_dir(disk->context, temp.path, false);
	file = disk->open_at(disk->context, folder, "file", O_RDWR, 0);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(bat_runway_init(&runway, disk, STEP), 0);
	bat_runway_begin(&runway, file, 6, UINT64_MAX);
	faulty_disk_reset(&faulty);
}

static void
tear_down(void)
{
	const struct bat_disk *disk = &faulty.disk;

	(void)bat_runway_end(&runway);
	bat_runway_free(&runway);
	disk->close(disk->context, file);
	disk->close(disk->context, folder);
	temp_dir_remove(&temp);
}

/* Frames, here 'f', up to end. */
static void
write_to(uint64_t from, uint64_t end)
{
	const struct bat_disk *disk = &faulty.disk;

	bat_runway_claim(&runway, end);
	for (uint64_t at = from; at < end; at++)
		ck_assert_int_eq(
		    disk->write_at(disk->context, file, "f", 1, at), 1);
}

/* The header, frames up to `frames`, behind them 0xFF, and nothing else.
 * Returns the file's size. */
static uint64_t
check_file(uint64_t frames)
{
	struct bat_buf bytes = BAT_BUF_EMPTY;
	uint64_t size;
	size_t i = 6;

	temp_dir_read(&temp, "file", &bytes);
	size = bytes.length;
	while (i < size && bytes.data[i] == (i < frames ? 'f' : 0xff))
		i++;
	ck_assert_msg(i == size, "%02x at %zu of %llu", bytes.data[i], i,
	    (unsigned long long)frames);
	bat_bytes_free(&bytes);
	return size;
}

static void
assert_file(uint64_t frames, uint64_t size)
{
	ck_assert_uint_eq(check_file(frames), size);
}

START_TEST(at_least_half_a_step_lies_ahead_and_ends_with_a_step)
{
	ck_assert_uint_eq(bat_runway_lay(&runway, false), STEP - 6);
	assert_file(6, STEP);
	ck_assert_uint_eq(bat_runway_lay(&runway, false), 0);
	write_to(6, 500);
	ck_assert_uint_eq(bat_runway_lay(&runway, false), 0);
	write_to(500, 501);
	ck_assert_uint_eq(bat_runway_lay(&runway, true), STEP);
	assert_file(501, 2 * STEP);
	ck_assert(bat_runway_end(&runway));
}
END_TEST

START_TEST(it_is_never_laid_over_what_was_claimed)
{
	/* Nothing is laid yet; a part of it is; it is all used up. */
	write_to(6, 700);
	ck_assert_uint_gt(bat_runway_lay(&runway, false), 0);
	assert_file(700, 2 * STEP);
	write_to(700, 2 * STEP + 300);
	ck_assert_uint_gt(bat_runway_lay(&runway, false), 0);
	assert_file(2 * STEP + 300, 3 * STEP);
	write_to(2 * STEP + 300, 9 * STEP);
	ck_assert_uint_gt(bat_runway_lay(&runway, false), 0);
	assert_file(9 * STEP, 10 * STEP);
}
END_TEST

START_TEST(nothing_is_laid_beyond_the_limit_or_after_its_end)
{
	ck_assert(!bat_runway_end(&runway));
	ck_assert_uint_eq(bat_runway_lay(&runway, false), 0);
	bat_runway_begin(&runway, file, 6, 300);
	ck_assert_uint_eq(bat_runway_lay(&runway, false), 294);
	write_to(6, 400);
	ck_assert_uint_eq(bat_runway_lay(&runway, false), 0);
	assert_file(400, 400);
	ck_assert(bat_runway_end(&runway));
	ck_assert(!bat_runway_end(&runway));
}
END_TEST

START_TEST(a_runway_without_steps_is_none)
{
	struct bat_runway none;

	ck_assert_int_eq(bat_runway_init(&none, &faulty.disk, 0), 0);
	bat_runway_begin(&none, file, 6, UINT64_MAX);
	bat_runway_claim(&none, 900);
	ck_assert_uint_eq(bat_runway_lay(&none, false), 0);
	ck_assert(!bat_runway_end(&none));
	bat_runway_free(&none);
	assert_file(6, 6);
}
END_TEST

START_TEST(without_space_what_failed_is_taken_back_and_no_more_is_laid)
{
	ck_assert_uint_eq(bat_runway_lay(&runway, false), STEP - 6);
	write_to(6, 900);
	faulty_disk_reset(&faulty);
	faulty_disk_shorten(&faulty, FAULTY_WRITE, 1, 100);
	faulty_disk_fail(&faulty, FAULTY_WRITE, 2, _i == 0 ? ENOSPC : EIO,
	    false);
	ck_assert_uint_eq(bat_runway_lay(&runway, false), 0);
	assert_file(900, STEP);
	ck_assert_uint_eq(bat_runway_lay(&runway, false), 0);
	/* Frames go on, over what is there and beyond. */
	write_to(900, STEP + 50);
	assert_file(STEP + 50, STEP + 50);
	ck_assert(bat_runway_end(&runway));
}
END_TEST

START_TEST(a_short_write_and_a_signal_do_not_end_it)
{
	faulty_disk_shorten(&faulty, FAULTY_WRITE, 1, 7);
	faulty_disk_fail(&faulty, FAULTY_WRITE, 2, EINTR, false);
	ck_assert_uint_eq(bat_runway_lay(&runway, false), STEP - 6);
	assert_file(6, STEP);
	ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_SYNC) +
		faulty_disk_calls(&faulty, FAULTY_SYNC_DATA),
	    0);
}
END_TEST

static void *
lay_until_woken(void *context)
{
	uint64_t *laid = context;
	uint64_t more;

	while ((more = bat_runway_lay(&runway, true)) > 0)
		*laid += more;
	return NULL;
}

/* Frames and space by two threads; which of them is faster is not the matter:
 * what was claimed is frames to the last byte, and behind it is 0xFF. */
START_TEST(who_appends_and_who_lays_do_not_meet)
{
	const uint64_t end = 100 * STEP;
	uint64_t laid = 0, at = 6;
	uint8_t frames[1700];
	pthread_t thread;

	memset(frames, 'f', sizeof(frames));
	ck_assert_int_eq(pthread_create(&thread, NULL, lay_until_woken, &laid),
	    0);
	for (unsigned i = 0; at < end; i++) {
		size_t length = 1 + i * 37 % sizeof(frames);

		bat_runway_claim(&runway, at + length);
		ck_assert_int_eq(bat_file_write(bat_file_posix(), file, frames,
				     length, at, NULL),
		    0);
		at += length;
	}
	(void)bat_runway_end(&runway);
	bat_runway_wake(&runway);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_ge(check_file(at), at);
}
END_TEST

/* ---- a store ------------------------------------------------------------ */

struct life {
	struct temp_dir dir;
	struct faulty_disk disk;
	struct bat_options options;
	struct bat_store *store;
	unsigned count; /* events appended */
};

static void
life_start(struct life *life)
{
	*life = (struct life){ .store = NULL };
	temp_dir_make(&life->dir);
	faulty_disk_init(&life->disk, bat_file_posix());
	life->options.disk = &life->disk.disk;
	life->options.runway_bytes = 65536;
	life->store = stores_open_with(&life->dir, &life->options);
}

static void
life_end(struct life *life)
{
	stores_close(life->store);
	temp_dir_remove(&life->dir);
}

static void
append(struct life *life)
{
	stores_append(life->store, "player:a", "\xa1x");
	life->count++;
}

static uint64_t
size_of(const struct life *life, const char *name)
{
	struct bat_buf bytes = BAT_BUF_EMPTY;
	uint64_t size;

	temp_dir_read(&life->dir, name, &bytes);
	size = bytes.length;
	bat_bytes_free(&bytes);
	return size;
}

static uint64_t
frames_end(const struct life *life)
{
	struct bat_status status;

	bat_status(life->store, &status);
	return status.segment_bytes;
}

/* What a kill would leave now: all of it opens, nothing of it is damage, it
 * takes another event and is whole. */
static void
assert_survives(const struct life *life, const char *what)
{
	struct temp_dir copy;
	struct bat_store *store;
	struct bat_status status;
	struct bat_verify_counts counts;
	struct bat_error error = { .text = "" };
	struct bat_head head;

	temp_dir_make(&copy);
	temp_dir_fill(&copy, life->dir.path);
	store = stores_open(&copy, false);
	bat_head(store, &head);
	bat_status(store, &status);
	ck_assert_msg(head.visible_count == life->count + 1, "%s: %llu of %u",
	    what, (unsigned long long)head.visible_count, life->count + 1);
	ck_assert_uint_eq(status.damaged_count, 0);
	stores_append(store, "player:a", "\xa1y");
	/* Of the 0xFF no copy is kept. */
	ck_assert(!temp_dir_has(&copy, ".batfs/cut"));
	stores_close(store);
	ck_assert_msg(bat_verify_directory(bat_file_posix(), copy.path, NULL,
			  &counts, &error) == BAT_OK,
	    "%s: %s", what, error.text);
	temp_dir_remove(&copy);
}

START_TEST(a_sealed_segment_ends_with_its_footer)
{
	struct bat_segment_dir files;
	struct bat_segment_reader reader;
	struct life life;

	life_start(&life);
	append(&life);
	ck_assert_uint_eq(bat_lay_runway(life.store, false),
	    65536 - frames_end(&life));
	ck_assert_uint_eq(size_of(&life, "000001.fbat"), 65536);
	append(&life);
	ck_assert_uint_eq(size_of(&life, "000001.fbat"), 65536);
	stores_close(life.store);
	ck_assert_uint_lt(size_of(&life, "000001.fbat"), 65536);
	ck_assert_int_eq(bat_segment_dir_open(&files, bat_file_posix(),
			     life.dir.path, false, NULL),
	    0);
	ck_assert_int_eq(bat_segment_dir_scan(&files, NULL), 0);
	ck_assert_int_eq(bat_segment_reader_open(&reader, &files, 1, NULL), 0);
	ck_assert(reader.has_footer);
	bat_segment_reader_close(&reader);
	bat_segment_dir_close(&files);
	life.store = stores_open_with(&life.dir, &life.options);
	life_end(&life);
}
END_TEST

START_TEST(the_next_segment_begins_when_the_one_before_is_cut)
{
	struct life life;
	uint64_t before;

	life_start(&life);
	stores_close(life.store);
	life.options.segment_max_bytes = 100000;
	life.store = stores_open_with(&life.dir, &life.options);
	append(&life);
	while (!temp_dir_has(&life.dir, "000002.fbat")) {
		(void)bat_lay_runway(life.store, false);
		append(&life);
		ck_assert_uint_lt(life.count, 1000);
	}
	before = size_of(&life, "000001.fbat");
	ck_assert_uint_gt(bat_lay_runway(life.store, false), 0);
	append(&life);
	ck_assert_uint_eq(size_of(&life, "000001.fbat"), before);
	ck_assert_uint_eq(size_of(&life, "000002.fbat"), 65536);
	assert_survives(&life, "rotated");
	life_end(&life);
}
END_TEST

START_TEST(what_a_crash_leaves_of_it_is_a_torn_tail_and_not_kept)
{
	struct life life;

	life_start(&life);
	append(&life);
	assert_survives(&life, "not laid");
	ck_assert_uint_gt(bat_lay_runway(life.store, false), 0);
	assert_survives(&life, "laid");
	append(&life);
	append(&life);
	assert_survives(&life, "written over");
	while (frames_end(&life) < 70000)
		append(&life);
	assert_survives(&life, "used up");
	ck_assert_uint_gt(bat_lay_runway(life.store, false), 0);
	assert_survives(&life, "laid again");
	life_end(&life);
}
END_TEST

START_TEST(an_index_file_does_not_speak_of_it)
{
	struct bat_status status;
	struct bat_error error;
	struct temp_dir copy;
	struct bat_store *store;
	struct life life;

	life_start(&life);
	append(&life);
	ck_assert_uint_gt(bat_lay_runway(life.store, false), 0);
	append(&life);
	ck_assert_int_eq(bat_checkpoint(life.store, &error), 0);
	append(&life);
	append(&life);
	temp_dir_make(&copy);
	temp_dir_fill(&copy, life.dir.path);
	store = stores_open(&copy, false);
	bat_status(store, &status);
	ck_assert_int_eq(status.source, BAT_SOURCE_CHECKPOINT);
	ck_assert_uint_eq(status.tail_count, 2);
	stores_close(store);
	temp_dir_remove(&copy);
	assert_survives(&life, "behind an index file");
	life_end(&life);
}
END_TEST

START_TEST(a_pin_of_it_ends_with_the_last_frame)
{
	struct bat_buf bytes = BAT_BUF_EMPTY;
	struct bat_error error;
	struct bat_pin *pin = NULL;
	struct temp_dir copy;
	struct bat_store *store;
	struct bat_head head;
	struct life life;

	life_start(&life);
	append(&life);
	ck_assert_uint_gt(bat_lay_runway(life.store, false), 0);
	append(&life);
	ck_assert_int_eq(bat_take_pin(life.store, NULL, &pin, &error), 0);
	ck_assert_uint_eq(pin->files[0].size, frames_end(&life));
	append(&life);
	ck_assert_int_eq(bat_pin_read(pin, 0, 0, 65536, &bytes, &error), 0);
	ck_assert_uint_eq(bytes.length, pin->files[0].size);
	temp_dir_make(&copy);
	temp_dir_write(&copy, "000001.fbat", bat_bytes_of_buf(&bytes));
	store = stores_open(&copy, true);
	bat_head(store, &head);
	ck_assert_uint_eq(head.visible_count, 3);
	ck_assert(!stores_report_has(store, "tail"));
	stores_close(store);
	bat_pin_release(pin);
	temp_dir_remove(&copy);
	bat_bytes_free(&bytes);
	life_end(&life);
}
END_TEST

START_TEST(without_space_for_it_appends_go_on)
{
	struct life life;

	life_start(&life);
	append(&life);
	faulty_disk_reset(&life.disk);
	faulty_disk_shorten(&life.disk, FAULTY_WRITE, 1, 5000);
	faulty_disk_fail(&life.disk, FAULTY_WRITE, 2, ENOSPC, false);
	ck_assert_uint_eq(bat_lay_runway(life.store, false), 0);
	ck_assert_uint_eq(size_of(&life, "000001.fbat"), frames_end(&life));
	append(&life);
	assert_survives(&life, "no space ahead");
	life_end(&life);
}
END_TEST

START_TEST(a_write_that_fails_takes_the_space_back_with_it)
{
	struct bat_draft draft = stores_draft("player:a", "s", "\x01");
	struct life life;

	life_start(&life);
	append(&life);
	ck_assert_uint_gt(bat_lay_runway(life.store, false), 0);
	faulty_disk_reset(&life.disk);
	faulty_disk_fail(&life.disk, FAULTY_WRITE, 1, ENOSPC, false);
	ck_assert_int_eq(stores_append_batch(life.store, &draft, 1, NULL, NULL),
	    BAT_WORLD_NO_SPACE);
	ck_assert_uint_eq(size_of(&life, "000001.fbat"), frames_end(&life));
	append(&life);
	ck_assert_uint_eq(bat_lay_runway(life.store, false), 0);
	assert_survives(&life, "taken back");
	life_end(&life);
}
END_TEST

/* A random number decides which rows are compared at once. */
static int
no_random(void *context, void *to, size_t length)
{
	(void)context;
	memset(to, 0, length);
	return 0;
}

START_TEST(when_an_index_lied_the_space_is_no_torn_tail)
{
	struct bat_disk disk = *bat_file_posix();
	struct bat_options options = { .disk = &disk, .runway_bytes = 65536 };
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_buf index = BAT_BUF_EMPTY, bytes = BAT_BUF_EMPTY;
	struct life life = { .store = NULL };
	struct maker maker;

	temp_dir_make(&life.dir);
	maker_init(&maker);
	maker_segment(&maker, 1);
	for (int i = 0; i < 8; i++)
		maker_event(&maker, "player:b", "\xa1x");
	maker_save(&maker, &life.dir);
	maker.rows[5].clock += 7;
	maker_index(&maker, true, 5, &index);
	temp_dir_write(&life.dir, "index.fbati", bat_bytes_of_buf(&index));
	disk.random = no_random;
	life.store = stores_open_with(&life.dir, &options);
	disk.random = bat_file_posix()->random;
	append(&life);
	ck_assert_uint_gt(bat_lay_runway(life.store, false), 0);
	ck_assert_int_eq(bat_read(life.store, 5, &reading, NULL),
	    BAT_DATA_DISAGREES);
	append(&life);
	ck_assert_uint_eq(size_of(&life, "000002.fbat"), 65536);
	ck_assert(!temp_dir_has(&life.dir, ".batfs/cut"));
	life.count += 8;
	assert_survives(&life, "made anew");
	bat_reading_free(&reading);
	bat_bytes_free(&index);
	bat_bytes_free(&bytes);
	maker_free(&maker);
	life_end(&life);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("runway");
	TCase *tcase = tcase_create("file");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase,
	    at_least_half_a_step_lies_ahead_and_ends_with_a_step);
	tcase_add_test(tcase, it_is_never_laid_over_what_was_claimed);
	tcase_add_test(tcase,
	    nothing_is_laid_beyond_the_limit_or_after_its_end);
	tcase_add_test(tcase, a_runway_without_steps_is_none);
	tcase_add_loop_test(tcase,
	    without_space_what_failed_is_taken_back_and_no_more_is_laid, 0, 2);
	tcase_add_test(tcase, a_short_write_and_a_signal_do_not_end_it);
	tcase_add_test(tcase, who_appends_and_who_lays_do_not_meet);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("store");
	tcase_add_test(tcase, a_sealed_segment_ends_with_its_footer);
	tcase_add_test(tcase,
	    the_next_segment_begins_when_the_one_before_is_cut);
	tcase_add_test(tcase,
	    what_a_crash_leaves_of_it_is_a_torn_tail_and_not_kept);
	tcase_add_test(tcase, an_index_file_does_not_speak_of_it);
	tcase_add_test(tcase, a_pin_of_it_ends_with_the_last_frame);
	tcase_add_test(tcase, without_space_for_it_appends_go_on);
	tcase_add_test(tcase, a_write_that_fails_takes_the_space_back_with_it);
	tcase_add_test(tcase, when_an_index_lied_the_space_is_no_torn_tail);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
