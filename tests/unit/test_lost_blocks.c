/*
 * A disk that does not give one block of a segment: the events that the block
 * touches are lost, and no others; who only reads is shown the rest and where
 * the gap is, salvage takes it elsewhere, and whoever writes keeps his hands
 * off.
 */
#include <check.h>
#include <errno.h>

#include "bat.h"
#include "stores.h"
#include "suite.h"
#include "survey.h"

enum { BLOCK = 4096 };

/* ---- the disk ------------------------------------------------------------- */

static struct bat_disk disk;
static ino_t bad_file;
static uint64_t bad_from, bad_to;

/* As the kernel: what stands before the block is given first. */
static ssize_t
read_at(void *context, int fd, void *to, size_t length, uint64_t offset)
{
	struct stat stat;

	if (fstat(fd, &stat) == 0 && stat.st_ino == bad_file &&
	    offset < bad_to && offset + length > bad_from) {
		if (offset >= bad_from)
			return -EIO;
		length = (size_t)(bad_from - offset);
	}
	return bat_file_posix()->read_at(context, fd, to, length, offset);
}

/* ---- the store ------------------------------------------------------------- */

static struct temp_dir temp, other;
static const char *name;
static uint64_t size;

struct lost {
	uint64_t frames, events, total;
	bool begins, ends; /* the header is lost, or some of the footer */
};

/* What a block of the segment touches, from the intact file. */
static struct lost
count_lost(uint64_t segment)
{
	struct lost lost = { .frames = 0 };
	struct bat_segment_dir dir;
	struct bat_survey survey;

	ck_assert_int_eq(bat_segment_dir_open(&dir, bat_file_posix(), temp.path,
			     false, NULL),
	    0);
	ck_assert_int_eq(bat_segment_dir_scan(&dir, NULL), 0);
	for (size_t i = 0; i < dir.count; i++) {
		ck_assert_int_eq(bat_survey_segment(&dir, dir.segments[i].id,
				     &survey, NULL),
		    0);
		lost.total += survey.events;
		for (size_t j = 0;
		     dir.segments[i].id == segment && j < survey.count; j++) {
			const struct bat_survey_piece *piece =
			    &survey.pieces[j];

			if (piece->offset >= bad_to ||
			    piece->offset + piece->length <= bad_from)
				continue;
			lost.begins |= piece->kind == BAT_SURVEY_HEADER;
			lost.ends |= piece->kind == BAT_SURVEY_FOOTER;
			lost.frames += piece->kind != BAT_SURVEY_HEADER &&
			    piece->kind != BAT_SURVEY_FOOTER;
			lost.events += piece->kind == BAT_SURVEY_EVENT;
		}
		bat_survey_free(&survey);
	}
	bat_segment_dir_close(&dir);
	return lost;
}

static void
start(const char *shape, const char *file, bool with_index)
{
	char path[400];
	struct stat stat;

	stores_golden(&temp, shape);
	if (!with_index)
		stores_without_index(&temp);
	name = file;
	snprintf(path, sizeof(path), "%s/%s", temp.path, name);
	ck_assert_int_eq(lstat(path, &stat), 0);
	bad_file = stat.st_ino;
	size = (uint64_t)stat.st_size;
	disk = *bat_file_posix();
	disk.read_at = read_at;
	bad_from = bad_to = 0;
}

/* The next block of the file is the bad one; false: that was the last. */
static bool
next_block(void)
{
	bad_from = bad_to;
	bad_to += BLOCK;
	return bad_from < size;
}

static void
teardown(void)
{
	temp_dir_remove(&temp);
}

static const struct {
	const char *shape, *file;
	uint64_t segment;
	bool with_index;
} cases[] = {
	{ "many-segments-noindex", "000003.fbat", 3, false },
	{ "batch", "000001.fbat", 1, false },
	{ "batch", "000001.fbat", 1, true },
	{ "crashed-open", "000001.fbat", 1, false },
	{ "missing-footer", "000003.fbat", 3, false },
};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

/* ---- reading ---------------------------------------------------------------- */

/* So many events are shown as they were, and so many as damaged. */
static void
count_shown(struct bat_store *store, uint64_t *out_sound, uint64_t *out_damaged)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_head head;

	*out_sound = *out_damaged = 0;
	bat_head(store, &head);
	for (uint32_t i = 0; i < head.ordinals; i++) {
		struct bat_error error = { .text = "" };
		int code = bat_read(store, i, &reading, &error);

		ck_assert_msg(code == BAT_OK || code == BAT_DATA_CORRUPT,
		    "%u: %d: %s", i, code, error.text);
		if (code == BAT_OK)
			++*out_sound;
		else
			++*out_damaged;
	}
	bat_reading_free(&reading);
}

START_TEST(who_only_reads_is_shown_all_but_the_events_of_that_block)
{
	struct bat_options options = { .disk = &disk, .read_only = true };

	start(cases[_i].shape, cases[_i].file, cases[_i].with_index);
	while (next_block()) {
		struct lost lost = count_lost(cases[_i].segment);
		struct bat_store *store = stores_open_with(&temp, &options);
		struct bat_status status;
		uint64_t sound, damaged;

		count_shown(store, &sound, &damaged);
		ck_assert_msg(sound == lost.total - lost.events,
		    "block at %llu: %llu events of %llu, %llu lost",
		    (unsigned long long)bad_from, (unsigned long long)sound,
		    (unsigned long long)lost.total,
		    (unsigned long long)lost.events);
		bat_status(store, &status);
		/* Rows of an index or a footer name each; else it is one. */
		if (lost.events > 0 && !lost.begins)
			ck_assert_uint_ge(damaged, 1);
		ck_assert_uint_le(damaged, lost.frames + lost.ends);
		stores_close(store);
	}
}
END_TEST

START_TEST(who_writes_is_refused_with_the_place)
{
	struct bat_options options = { .disk = &disk };
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;

	/* What is there is read frame by frame. */
	start("crashed-open", "000001.fbat", false);
	stores_visited(&temp);
	stores_files(&temp, &before);
	while (next_block()) {
		struct bat_repair_counts counts;
		struct bat_error error = { .text = "" };
		struct bat_store *store = NULL;

		ck_assert_int_eq(bat_open(temp.path, &options, &store, &error),
		    BAT_WORLD_IO);
		ck_assert_msg(strstr(error.text, "segment 1") != NULL, "%s",
		    error.text);
		ck_assert_int_eq(bat_repair(&disk, temp.path, true, NULL,
				     &counts, &error),
		    BAT_WORLD_IO);
		ck_assert_msg(strstr(error.text, "batctl salvage") != NULL,
		    "%s", error.text);
		bat_bytes_clear(&after);
		stores_files(&temp, &after);
		stores_assert_same(&after, &before, "what was refused");
	}
	bat_bytes_free(&before);
	bat_bytes_free(&after);
}
END_TEST

/* ---- salvage ------------------------------------------------------------------ */

static int
take_gap(void *context, const struct bat_salvage_gap *gap)
{
	uint64_t *covered = context;

	ck_assert_str_ne(gap->reason, "");
	if (gap->offset < bad_to && gap->offset + gap->length > bad_from)
		*covered += gap->length;
	else
		/* Named by an index. */
		ck_assert_uint_eq(gap->length, 0);
	return 0;
}

START_TEST(salvage_takes_all_but_the_events_of_that_block)
{
	start(cases[_i].shape, cases[_i].file, cases[_i].with_index);
	while (next_block()) {
		struct lost lost = count_lost(cases[_i].segment);
		struct bat_salvage_counts counts;
		uint64_t covered = 0;
		const struct bat_salvage_sink sink = { &covered, take_gap };
		struct bat_error error = { .text = "" };

		temp_dir_make(&other);
		ck_assert_msg(bat_repair_salvage(&disk, temp.path, other.path,
				  &sink, &counts, &error) == BAT_OK,
		    "%s", error.text);
		ck_assert_msg(counts.events == lost.total - lost.events,
		    "block at %llu: %llu events of %llu, %llu lost",
		    (unsigned long long)bad_from,
		    (unsigned long long)counts.events,
		    (unsigned long long)lost.total,
		    (unsigned long long)lost.events);
		if (lost.events > 0)
			ck_assert_uint_gt(covered, 0);
		temp_dir_remove(&other);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("lost_blocks");
	TCase *tcase = tcase_create("blocks");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase,
	    who_only_reads_is_shown_all_but_the_events_of_that_block, 0, CASES);
	tcase_add_loop_test(tcase,
	    salvage_takes_all_but_the_events_of_that_block, 0, CASES);
	tcase_add_test(tcase, who_writes_is_refused_with_the_place);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
