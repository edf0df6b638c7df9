/*
 * Every byte of a segment file is something, and what is whole is found,
 * whatever stands around it.
 */
#include <check.h>
#include <dirent.h>
#include <stdio.h>

#include "maker.h"
#include "segment.h"
#include "suite.h"
#include "survey.h"
#include "verify.h"

static struct temp_dir temp;
static struct maker maker;
static struct bat_segment_dir dir;
static struct bat_survey survey;

static void
setup(void)
{
	temp_dir_make(&temp);
	maker_init(&maker);
	dir.dir = -1;
}

static void
teardown(void)
{
	bat_survey_free(&survey);
	bat_segment_dir_close(&dir);
	maker_free(&maker);
	temp_dir_remove(&temp);
}

static void
open_path(const char *path)
{
	struct bat_error error = { .text = "" };

	ck_assert_int_eq(bat_segment_dir_open(&dir, bat_file_posix(), path,
			     false, &error),
	    0);
	dir.tolerant = true;
	ck_assert_int_eq(bat_segment_dir_scan(&dir, &error), 0);
}

/* Look at a segment; the pieces lie one behind the other from end to end. */
static void
look(uint64_t segment)
{
	struct bat_error error = { .text = "" };
	uint64_t at = 0;
	int code = bat_survey_segment(&dir, segment, &survey, &error);

	ck_assert_msg(code == 0, "%s", error.text);
	for (size_t i = 0; i < survey.count; i++) {
		ck_assert_uint_eq(survey.pieces[i].offset, at);
		ck_assert_uint_gt(survey.pieces[i].length, 0);
		at += survey.pieces[i].length;
	}
	ck_assert_uint_eq(at, survey.size);
}

static void
look_at_made(void)
{
	maker_save(&maker, &temp);
	open_path(temp.path);
	look(1);
}

static unsigned
pieces_of(enum bat_survey_kind kind)
{
	unsigned found = 0;

	for (size_t i = 0; i < survey.count; i++)
		found += survey.pieces[i].kind == kind;
	return found;
}

static const struct bat_survey_piece *
piece_at(uint64_t offset)
{
	for (size_t i = 0; i < survey.count; i++)
		if (survey.pieces[i].offset == offset)
			return &survey.pieces[i];
	ck_abort_msg("no piece starts at %llu", (unsigned long long)offset);
	return NULL;
}

/* ---- sound files ----------------------------------------------------------- */

/* Of a whole golden store, by verify and by the survey. */
static void
assert_same_counts(const char *path)
{
	struct bat_verify_counts counts;
	struct bat_error error = { .text = "" };
	uint64_t events = 0, batches = 0;

	(void)bat_verify_directory(bat_file_posix(), path, NULL, &counts,
	    &error);
	open_path(path);
	for (size_t i = 0; i < dir.count; i++) {
		look(dir.segments[i].id);
		events += survey.events;
		batches += survey.batches;
		ck_assert_uint_eq(survey.holes, 0);
		ck_assert_int_ne(survey.footer, BAT_SURVEY_FOOTER_WRONG);
		bat_survey_free(&survey);
	}
	ck_assert_msg(events == counts.events && batches == counts.batches,
	    "%s: %llu events in %llu batches", path, (unsigned long long)events,
	    (unsigned long long)batches);
	bat_segment_dir_close(&dir);
}

START_TEST(golden_stores_have_the_events_that_verify_counts)
{
	static const char *const shapes[] = { "batch", "batch-torn",
		"batch-torn-reopened", "bad-crc", "coordinates", "mixed",
		"many-segments", "missing-footer", "compacted-merge", "kinds",
		"reopened", "torn-tail", "zero-tail" };

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		char path[512];

		snprintf(path, sizeof(path), "%s/golden/%s/store", TEST_DATA,
		    shapes[i]);
		assert_same_counts(path);
	}
}
END_TEST

START_TEST(a_footer_tells_the_numbers)
{
	uint64_t at;

	maker.next_seq = 41;
	maker_segment(&maker, 1);
	at = maker_event(&maker, "player:alice", "\xa1x");
	maker_footer(&maker);
	look_at_made();
	ck_assert_int_eq(survey.footer, BAT_SURVEY_FOOTER_HOLDS);
	ck_assert_uint_eq(piece_at(at)->seq, 41);
	ck_assert_uint_eq(pieces_of(BAT_SURVEY_FOOTER), 1);
}
END_TEST

/* ---- what is wrong ---------------------------------------------------------- */

START_TEST(a_damaged_frame_is_a_hole_and_its_row_is_lost)
{
	uint64_t bad, behind;

	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice", "\xa1x");
	bad = maker_event(&maker, "player:bob", "\xa1y");
	behind = maker_event(&maker, "player:alice", "\xa1z");
	maker_footer(&maker);
	maker.file.data[bad + 40] ^= 1;
	look_at_made();
	ck_assert_int_eq(piece_at(bad)->kind, BAT_SURVEY_HOLE);
	ck_assert_str_eq(piece_at(bad)->reason, "wrong CRC");
	ck_assert_uint_eq(piece_at(bad)->length, behind - bad);
	ck_assert_int_eq(piece_at(behind)->kind, BAT_SURVEY_EVENT);
	ck_assert_uint_eq(survey.events, 2);
	ck_assert_uint_eq(survey.hole_bytes, behind - bad);
	ck_assert_int_eq(survey.footer, BAT_SURVEY_FOOTER_HOLDS);
	ck_assert_uint_eq(survey.lost_rows, 1);
}
END_TEST

/* Somebody stored a frame as a payload, and the frame around it is damaged:
 * what stands in it is no event of this store. */
START_TEST(a_frame_within_a_damaged_payload_is_not_one_of_ours)
{
	struct maker other;
	char payload[1024] = "";
	uint64_t inner, bad, behind;
	size_t length;

	maker_init(&other);
	maker_segment(&other, 9);
	inner = maker_event(&other, "player:eve", "\xa1i");
	length = other.file.length - (size_t)inner;
	ck_assert_uint_lt(length, sizeof(payload));
	maker_segment(&maker, 1);
	bad = maker_event(&maker, "player:alice", "\xa1x");
	/* As long as the inner frame, then its place is taken by it. */
	memset(payload, 'a', length);
	bad = maker_event(&maker, "player:alice", payload);
	memcpy(maker.file.data + maker.file.length - length - 8,
	    other.file.data + inner, length);
	behind = maker_event(&maker, "player:bob", "\xa1y");
	look_at_made();
	ck_assert_int_eq(piece_at(bad)->kind, BAT_SURVEY_HOLE);
	ck_assert_uint_eq(piece_at(bad)->length, behind - bad);
	ck_assert_uint_eq(survey.events, 2);
	maker_free(&other);
}
END_TEST

START_TEST(zeros_before_sound_frames_are_a_hole_and_at_the_end_a_tail)
{
	const uint8_t zeros[700] = { 0 };
	uint64_t hole, behind, tail;

	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice", "\xa1x");
	hole = maker.file.length;
	maker_bytes(&maker, zeros, sizeof(zeros));
	behind = maker_event(&maker, "player:alice", "\xa1y");
	tail = maker.file.length;
	maker_bytes(&maker, zeros, sizeof(zeros));
	look_at_made();
	ck_assert_int_eq(piece_at(hole)->kind, BAT_SURVEY_HOLE);
	ck_assert_uint_eq(piece_at(hole)->length, behind - hole);
	ck_assert_int_eq(piece_at(tail)->kind, BAT_SURVEY_TAIL);
	ck_assert_uint_eq(survey.events, 2);
}
END_TEST

START_TEST(ones_behind_a_whole_frame_are_space_ahead)
{
	uint64_t torn, tail;
	uint8_t ones[700];

	memset(ones, 0xff, sizeof(ones));
	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice", "\xa1x");
	torn = maker.file.length;
	maker_bytes(&maker, ones, sizeof(ones));
	look_at_made();
	ck_assert_int_eq(piece_at(torn)->kind, BAT_SURVEY_AHEAD);
	ck_assert_uint_eq(piece_at(torn)->length, sizeof(ones));
	bat_survey_free(&survey);
	bat_segment_dir_close(&dir);
	/* Behind a torn one they may be its own. */
	maker.file.length = torn;
	maker_event(&maker, "player:alice", "\xa1y");
	tail = maker.file.length -= 5;
	maker_bytes(&maker, ones, sizeof(ones));
	look_at_made();
	ck_assert_int_eq(piece_at(torn)->kind, BAT_SURVEY_TAIL);
	ck_assert_uint_eq(piece_at(torn)->length, tail + sizeof(ones) - torn);
	ck_assert_uint_eq(survey.events, 1);
}
END_TEST

START_TEST(frames_are_found_behind_a_broken_header)
{
	uint64_t first;

	maker_segment(&maker, 1);
	first = maker_event(&maker, "player:alice", "\xa1x");
	maker_event(&maker, "player:alice", "\xa1y");
	maker_footer(&maker);
	maker.file.data[0] = 'X';
	look_at_made();
	ck_assert_int_eq(survey.header_error.code, BAT_DATA_CORRUPT);
	ck_assert_int_eq(survey.pieces[0].kind, BAT_SURVEY_HOLE);
	ck_assert_uint_eq(survey.pieces[0].length, first);
	ck_assert_uint_eq(survey.events, 2);
	ck_assert_int_eq(survey.footer, BAT_SURVEY_FOOTER_HOLDS);
}
END_TEST

START_TEST(a_file_shorter_than_its_header_has_one_piece)
{
	maker_segment(&maker, 1);
	maker.file.length = 11;
	look_at_made();
	ck_assert_int_eq(survey.header_error.code, BAT_DATA_TORN);
	ck_assert_uint_eq(survey.count, 1);
	ck_assert_uint_eq(survey.events, 0);
}
END_TEST

/* ---- batches ------------------------------------------------------------------ */

START_TEST(items_of_a_batch_with_a_hole_count_and_its_markers_are_loose)
{
	uint64_t begin, bad, commit;

	maker_segment(&maker, 1);
	begin = maker_marker(&maker, 6, 3);
	maker_event(&maker, "player:alice", "\xa1x");
	bad = maker_event(&maker, "player:bob", "\xa1y");
	maker_event(&maker, "player:alice", "\xa1z");
	commit = maker_marker(&maker, 7, 0);
	maker_event(&maker, "player:alice", "\xa1w");
	maker.file.data[bad + 60] ^= 4;
	look_at_made();
	ck_assert_uint_eq(survey.events, 3);
	ck_assert_uint_eq(survey.dropped, 0);
	ck_assert(piece_at(begin)->loose);
	ck_assert(piece_at(commit)->loose);
}
END_TEST

START_TEST(an_unfinished_batch_at_the_end_does_not_count)
{
	uint64_t begin;

	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice", "\xa1x");
	begin = maker_marker(&maker, 6, 2);
	maker_event(&maker, "player:alice", "\xa1y");
	look_at_made();
	ck_assert_uint_eq(survey.events, 1);
	ck_assert_uint_eq(survey.dropped, 1);
	ck_assert_uint_eq(survey.unfinished, begin);
	ck_assert(!piece_at(begin)->loose);
}
END_TEST

/* ---- footers -------------------------------------------------------------------- */

START_TEST(a_footer_that_lacks_an_event_is_wrong)
{
	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice", "\xa1x");
	maker.unlisted = true;
	maker_event(&maker, "player:bob", "\xa1y");
	maker_event(&maker, "player:alice", "\xa1z");
	maker_footer(&maker);
	look_at_made();
	ck_assert_int_eq(survey.footer, BAT_SURVEY_FOOTER_WRONG);
	ck_assert_uint_eq(survey.events, 3);
}
END_TEST

START_TEST(a_footer_that_says_another_thing_of_an_event_is_wrong)
{
	size_t hash;

	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice", "\xa1x");
	maker_footer(&maker);
	/* A byte of the only row's hash. */
	hash = maker.file.length - 16 - 162 + 80;
	maker.file.data[hash] ^= 1;
	look_at_made();
	ck_assert_int_eq(survey.footer, BAT_SURVEY_FOOTER_WRONG);
	ck_assert_uint_eq(survey.events, 1);
}
END_TEST

START_TEST(frames_behind_a_footer_that_is_wrong_are_frames)
{
	uint64_t end, behind;

	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice", "\xa1x");
	end = maker.file.length;
	maker_bytes(&maker, "\x90rubbish", 8);
	behind = maker_event(&maker, "player:alice", "\xa1y");
	/* A trailer whose table starts at the rubbish. */
	{
		uint8_t trailer[16] = { 0 };

		bat_bytes_put_le(trailer, end, 8);
		memcpy(trailer + 12, "SDX2", 4);
		maker_bytes(&maker, trailer, sizeof(trailer));
	}
	look_at_made();
	ck_assert_uint_eq(survey.events, 2);
	ck_assert_int_eq(piece_at(end)->kind, BAT_SURVEY_HOLE);
	ck_assert_int_eq(piece_at(behind)->kind, BAT_SURVEY_EVENT);
	ck_assert_int_eq(survey.footer, BAT_SURVEY_NO_FOOTER);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("survey");
	TCase *cases = tcase_create("survey");

	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, golden_stores_have_the_events_that_verify_counts);
	tcase_add_test(cases, a_footer_tells_the_numbers);
	tcase_add_test(cases, a_damaged_frame_is_a_hole_and_its_row_is_lost);
	tcase_add_test(cases,
	    a_frame_within_a_damaged_payload_is_not_one_of_ours);
	tcase_add_test(cases,
	    zeros_before_sound_frames_are_a_hole_and_at_the_end_a_tail);
	tcase_add_test(cases, ones_behind_a_whole_frame_are_space_ahead);
	tcase_add_test(cases, frames_are_found_behind_a_broken_header);
	tcase_add_test(cases, a_file_shorter_than_its_header_has_one_piece);
	tcase_add_test(cases,
	    items_of_a_batch_with_a_hole_count_and_its_markers_are_loose);
	tcase_add_test(cases, an_unfinished_batch_at_the_end_does_not_count);
	tcase_add_test(cases, a_footer_that_lacks_an_event_is_wrong);
	tcase_add_test(cases,
	    a_footer_that_says_another_thing_of_an_event_is_wrong);
	tcase_add_test(cases, frames_behind_a_footer_that_is_wrong_are_frames);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
