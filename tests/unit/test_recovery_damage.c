/*
 * Reading segments frame by frame: damage in the middle is named, refused for
 * writing and shown, and hides nothing sound.
 */
#include <check.h>

#include "maker.h"
#include "segment.h"
#include "stores.h"
#include "suite.h"

/* ---- damage ------------------------------------------------------------ */

/* Opening for writing says where and what to do, and changes nothing. */
static void
assert_refused_as(const struct temp_dir *dir, int wanted, uint64_t segment,
    uint64_t offset)
{
	struct bat_error error = { .text = "" };
	struct bat_store *store = NULL;
	size_t names = temp_dir_count(dir);
	bool had_lock = temp_dir_has(dir, ".batpak.lock");
	bool had_side = temp_dir_has(dir, ".batfs");
	int code = bat_open(dir->path, NULL, &store, &error);

	ck_assert_int_eq(code, wanted);
	ck_assert_int_eq(error.code, wanted);
	ck_assert_uint_eq(error.segment, segment);
	ck_assert_uint_eq(error.offset, offset);
	ck_assert_ptr_nonnull(strstr(error.text, "-o ro"));
	ck_assert_uint_eq(temp_dir_count(dir), names + !had_lock + !had_side);
}

static void
assert_refused(const struct temp_dir *dir, uint64_t segment, uint64_t offset)
{
	assert_refused_as(dir, BAT_DATA_CORRUPT, segment, offset);
}

static uint32_t
count_lines(const struct bat_buf *picture, const char *start)
{
	struct bat_slice word = bat_bytes_text(start);
	uint32_t count = 0;
	bool at_start = true;

	for (size_t i = 0; i + word.length <= picture->length; i++) {
		if (at_start)
			count += memcmp(picture->data + i, word.data,
				     word.length) == 0;
		at_start = picture->data[i] == '\n';
	}
	return count;
}

/* The first word says what is wrong with it. */
static void
assert_words(struct bat_store *store, uint32_t ordinals)
{
	static const char *const words[] = { "crc: ", "short: ", "length: ",
		"decode: " };
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_error error = { .text = "" };

	for (uint32_t i = 0; i < ordinals; i++) {
		bool found = false;

		if (bat_read(store, i, &reading, &error) == 0)
			continue;
		for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++)
			found = found ||
			    strncmp(error.text, words[j], strlen(words[j])) ==
				0;
		ck_assert_msg(found, "%s", error.text);
		ck_assert_uint_eq(error.segment, reading.row.segment);
		ck_assert_uint_eq(error.offset, reading.row.offset);
	}
	bat_reading_free(&reading);
}

/* Read-only shows so many sound events, and damaged lines; reading a damaged
 * one says so again and again, and nothing is rebuilt by it. */
static void
assert_shown(const struct temp_dir *dir, uint32_t sound, uint32_t damaged,
    const char *what)
{
	struct bat_store *store = stores_open(dir, true);
	struct bat_buf picture = BAT_BUF_EMPTY;
	struct bat_head before, after;
	struct bat_status status;

	bat_head(store, &before);
	picture_of(store, PICTURE_WHOLE, &picture);
	bat_head(store, &after);
	ck_assert_msg(count_lines(&picture, "event") == sound &&
		count_lines(&picture, "damaged") == damaged,
	    "%s: not %u and %u:\n%.*s", what, sound, damaged,
	    (int)picture.length, (const char *)picture.data);
	ck_assert_uint_eq(before.generation, after.generation);
	ck_assert_ptr_null(picture_check_lists(store));
	assert_words(store, after.ordinals);
	bat_status(store, &status);
	ck_assert_uint_eq(status.damaged_count, damaged);
	ck_assert(damaged == 0 || stores_report_has(store, "damage: segment"));
	stores_close(store);
	bat_bytes_free(&picture);
}

START_TEST(damage_in_the_middle_is_refused_for_writing_and_shown)
{
	struct temp_dir dir;
	struct maker maker;
	uint64_t second, third;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "a");
	second = maker_event(&maker, "player:bob",
	    "\xa1"
	    "b");
	third = maker_event(&maker, "player:alice",
	    "\xa1"
	    "c");
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "d");
	for (uint64_t at = second; at < third; at += at < second + 10 ? 1 : 17)
		for (int last = 0; last < 2; last++) {
			maker.segment = 1;
			maker_save(&maker, &dir);
			temp_dir_flip(&dir, "000001.fbat", at, 0x41);
			assert_refused(&dir, 1, second);
			assert_shown(&dir, 3, 1, "a flipped byte");
		}
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(damage_in_a_footed_segment_keeps_the_row)
{
	struct bat_buf picture = BAT_BUF_EMPTY;
	struct temp_dir dir;
	struct maker maker;
	uint64_t first;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	first = maker_event(&maker, "player:alice",
	    "\xa1"
	    "a");
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "b");
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "c");
	maker_footer(&maker);
	maker_save(&maker, &dir);
	temp_dir_flip(&dir, "000001.fbat", first + 100, 0x41);
	assert_refused(&dir, 1, first);
	assert_shown(&dir, 2, 1, "the first frame");
	stores_picture(&dir, PICTURE_WHOLE, &picture);
	ck_assert_ptr_nonnull(
	    memmem(picture.data, picture.length, "damaged\tseq=0\tid=", 17));
	bat_bytes_free(&picture);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

/* Its bytes are no torn tail, and nobody knows what they mean. */
START_TEST(a_footer_of_another_generation_is_read_around_and_kept)
{
	struct temp_dir dir;
	struct maker maker;

	for (char digit = '0'; digit <= '9'; digit++) {
		struct bat_buf before = BAT_BUF_EMPTY;

		if (digit == '2')
			continue;
		maker_init(&maker);
		temp_dir_make(&dir);
		maker_segment(&maker, 1);
		maker_event(&maker, "player:alice",
		    "\xa1"
		    "a");
		maker_event(&maker, "player:bob",
		    "\xa1"
		    "b");
		maker_footer(&maker);
		maker.file.data[maker.file.length - 1] = (uint8_t)digit;
		maker_save(&maker, &dir);
		temp_dir_read(&dir, "000001.fbat", &before);
		assert_refused_as(&dir, BAT_DATA_FUTURE, 1,
		    before.length - BAT_SEGMENT_TRAILER_SIZE);
		assert_shown(&dir, 2, 0, "behind it nothing");
		stores_assert_file(&dir, "000001.fbat",
		    bat_bytes_of_buf(&before));
		bat_bytes_free(&before);
		maker_free(&maker);
		temp_dir_remove(&dir);
	}
}
END_TEST

START_TEST(a_damaged_only_event_is_counted_once)
{
	struct temp_dir dir;
	struct maker maker;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "a");
	maker_footer(&maker);
	maker_save(&maker, &dir);
	temp_dir_flip(&dir, "000001.fbat", 200, 0x41);
	assert_shown(&dir, 0, 1, "the only frame");
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

/* Frames that are whole and cannot be: they are damage, also at the end. */
START_TEST(whole_frames_of_illegal_content_are_damage)
{
	struct temp_dir dir;
	struct maker maker;
	uint64_t bad;

	for (int i = 0; i < 6; i++) {
		maker_init(&maker);
		temp_dir_make(&dir);
		maker_segment(&maker, 1);
		maker_event(&maker, "player:alice",
		    "\xa1"
		    "a");
		bad = maker.file.length;
		if (i % 3 == 0)
			maker_event(&maker, "a/../b",
			    "\xa1"
			    "b");
		else
			maker_marker(&maker, 6, i % 3 == 1 ? 0 : 1000001);
		if (i < 3)
			maker_event(&maker, "player:alice",
			    "\xa1"
			    "c");
		maker_save(&maker, &dir);
		assert_refused(&dir, 1, bad);
		assert_shown(&dir, i < 3 ? 2 : 1, 1, "illegal content");
		maker_free(&maker);
		temp_dir_remove(&dir);
	}
}
END_TEST

/* What of a committed batch is sound is shown. */
START_TEST(damage_within_a_batch_hides_nothing_else)
{
	uint64_t at[6];

	for (int damaged = 0; damaged < 5; damaged++) {
		struct temp_dir dir;
		struct maker maker;

		maker_init(&maker);
		temp_dir_make(&dir);
		maker_segment(&maker, 1);
		maker_event(&maker, "player:alice",
		    "\xa1"
		    "a");
		at[0] = maker_marker(&maker, 6, 3);
		at[1] = maker_event(&maker, "player:bob",
		    "\xa1"
		    "b");
		at[2] = maker_event(&maker, "player:bob",
		    "\xa1"
		    "c");
		at[3] = maker_event(&maker, "player:bob",
		    "\xa1"
		    "d");
		at[4] = maker_marker(&maker, 7, 0);
		at[5] = maker_event(&maker, "player:alice",
		    "\xa1"
		    "e");
		maker_save(&maker, &dir);
		temp_dir_flip(&dir, "000001.fbat", at[damaged] + 60, 0x41);
		assert_refused(&dir, 1, at[damaged]);
		assert_shown(&dir, damaged == 0 || damaged == 4 ? 5 : 4, 1,
		    damaged == 4 ? "COMMIT" : "an item or BEGIN");
		maker_free(&maker);
		temp_dir_remove(&dir);
	}
}
END_TEST

/* Nobody can tell which of what follows belongs to the batch, and whether it
 * was committed: all of it is sound, and is shown beside the gap. */
START_TEST(a_hole_that_takes_the_end_of_a_batch_hides_nothing_else)
{
	for (unsigned end = 0; end < 3; end++) {
		struct temp_dir dir;
		struct maker maker;
		uint64_t at, behind;

		maker_init(&maker);
		temp_dir_make(&dir);
		maker_segment(&maker, 1);
		maker_event(&maker, "player:alice", "\xa1z");
		maker_marker(&maker, 6, 3);
		maker_event(&maker, "player:bob", "\xa1y");
		at = maker_event(&maker, "player:bob", "\xa1x");
		maker_event(&maker, "player:bob", "\xa1w");
		maker_marker(&maker, 7, 0);
		behind = maker.file.length;
		for (unsigned i = 0; i < 4; i++)
			maker_event(&maker, "player:alice", "\xa1v");
		/* What ends it: a batch, a segment, or nothing. */
		if (end == 0) {
			maker_marker(&maker, 6, 1);
			maker_event(&maker, "player:carol", "\xa1u");
			maker_marker(&maker, 7, 0);
		}
		memset(maker.file.data + at, 0, (size_t)(behind - at));
		maker_save(&maker, &dir);
		if (end == 1) {
			maker_segment(&maker, 2);
			maker_event(&maker, "player:carol", "\xa1t");
			maker_save(&maker, &dir);
		}
		assert_refused(&dir, 1, at);
		assert_shown(&dir, end < 2 ? 7 : 6, 1, "the end of a batch");
		maker_free(&maker);
		temp_dir_remove(&dir);
	}
}
END_TEST

START_TEST(an_older_segment_without_a_header_is_refused)
{
	struct temp_dir dir;
	struct maker maker;

	maker_init(&maker);
	temp_dir_make(&dir);
	for (uint64_t id = 1; id <= 3; id++) {
		maker_segment(&maker, id);
		maker_event(&maker, "player:alice",
		    "\xa1"
		    "a");
		maker_save(&maker, &dir);
	}
	temp_dir_truncate(&dir, "000002.fbat", 20);
	assert_refused(&dir, 2, 0);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

static TCase *
damage(void)
{
	TCase *tcase = tcase_create("damage");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase,
	    damage_in_the_middle_is_refused_for_writing_and_shown);
	tcase_add_test(tcase, damage_in_a_footed_segment_keeps_the_row);
	tcase_add_test(tcase,
	    a_footer_of_another_generation_is_read_around_and_kept);
	tcase_add_test(tcase, a_damaged_only_event_is_counted_once);
	tcase_add_test(tcase, whole_frames_of_illegal_content_are_damage);
	tcase_add_test(tcase, damage_within_a_batch_hides_nothing_else);
	tcase_add_test(tcase,
	    a_hole_that_takes_the_end_of_a_batch_hides_nothing_else);
	tcase_add_test(tcase, an_older_segment_without_a_header_is_refused);
	return tcase;
}

int
main(void)
{
	Suite *suite = suite_create("recovery_damage");

	suite_add_tcase(suite, damage());
	return suite_run(suite);
}
