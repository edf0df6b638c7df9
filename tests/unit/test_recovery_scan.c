/*
 * Reading segments frame by frame: torn tails of every shape, in the newest
 * segment and in older ones, are left out, cut at the first append and kept
 * aside; damage in the middle is named, refused for writing and shown.
 */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>

#include "hidden.h"
#include "maker.h"
#include "segment.h"
#include "stores.h"

/* ---- a directory with a tail ------------------------------------------- */

/*
 * Two segments without footers, of which `torn` (1 or 2) gets a tail. The
 * test's picture is of the same directory without it.
 */
struct ground {
	struct temp_dir dir;
	struct maker maker;
	struct bat_buf sound; /* the torn segment's file, without its tail */
	struct bat_buf picture;
	char name[BAT_SEGMENT_NAME_SIZE];
	uint64_t torn;
};

static void
ground_make(struct ground *ground, uint64_t torn)
{
	*ground = (struct ground){ .torn = torn };
	temp_dir_make(&ground->dir);
	maker_init(&ground->maker);
	for (uint64_t id = 1; id <= 2; id++) {
		maker_segment(&ground->maker, id);
		maker_event(&ground->maker, "player:alice",
		    "\xa1"
		    "a");
		maker_event(&ground->maker, "player:bob",
		    "\xa1"
		    "b");
		maker_event(&ground->maker, "player:alice",
		    "\xa1"
		    "c");
		maker_save(&ground->maker, &ground->dir);
		if (id == torn)
			ck_assert_int_eq(
			    bat_bytes_append_slice(&ground->sound,
				bat_bytes_of_buf(&ground->maker.file)),
			    0);
	}
	bat_segment_name(torn, ground->name);
	stores_picture(&ground->dir, PICTURE_WHOLE, &ground->picture);
}

static void
ground_free(struct ground *ground)
{
	temp_dir_remove(&ground->dir);
	maker_free(&ground->maker);
	bat_bytes_free(&ground->sound);
	bat_bytes_free(&ground->picture);
}

/* Frames that a test puts behind the sound part are made in the maker's own
 * buffer, and their rows forgotten. */
static struct bat_buf *
tail_start(struct ground *ground)
{
	bat_bytes_clear(&ground->maker.file);
	return &ground->maker.file;
}

static void
tail_put(struct ground *ground, size_t length)
{
	temp_dir_write(&ground->dir, ground->name,
	    bat_bytes_of_buf(&ground->sound));
	temp_dir_append(&ground->dir, ground->name,
	    bat_bytes_slice(ground->maker.file.data, length));
}

static void
assert_file(const struct temp_dir *dir, const char *name,
    struct bat_slice wanted)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	temp_dir_read(dir, name, &file);
	ck_assert_msg(bat_bytes_equal(bat_bytes_of_buf(&file), wanted),
	    "%s: %zu bytes instead of %zu", name, file.length, wanted.length);
	bat_bytes_free(&file);
}

/* The ground's events and nothing else. */
static void
assert_picture(struct ground *ground, struct bat_store *store, const char *what)
{
	struct bat_buf got = BAT_BUF_EMPTY;

	picture_of_some(store, PICTURE_WHOLE, 0, 6, &got);
	stores_assert_same(&got, &ground->picture, what);
	bat_bytes_free(&got);
}

static void
assert_read_only(struct ground *ground, const char *what)
{
	struct bat_store *store = stores_open(&ground->dir, true);
	struct bat_head head;
	struct bat_status status;

	bat_head(store, &head);
	ck_assert_msg(head.visible_count == 6, "%s: %" PRIu64 " events", what,
	    head.visible_count);
	bat_status(store, &status);
	ck_assert_uint_eq(status.damaged_count, 0);
	assert_picture(ground, store, what);
	stores_close(store);
}

/* This is what was kept. */
static void
assert_kept(const struct ground *ground, struct bat_slice tail,
    const char *kept)
{
	if (tail.length == 0) {
		ck_assert(!temp_dir_has(&ground->dir, kept));
		return;
	}
	assert_file(&ground->dir, kept, tail);
	/* The next one would get another name. */
	temp_dir_unlink(&ground->dir, kept);
}

/* An append cuts the tail off at `at`, keeps the first `keep` bytes of it, and
 * the store goes on. */
static void
assert_cut(struct ground *ground, size_t keep, uint64_t at, const char *what)
{
	struct bat_slice tail = bat_bytes_slice(ground->maker.file.data, keep);
	struct bat_store *store = stores_open(&ground->dir, false);
	struct bat_head head;
	char kept[64];

	ck_assert(stores_report_has(store, "torn tail"));
	assert_picture(ground, store, what);
	stores_append(store, "player:new", "\xa1x");
	snprintf(kept, sizeof(kept), ".batfs/cut/%06" PRIu64 "-%" PRIu64,
	    ground->torn, at);
	assert_kept(ground, tail, kept);
	assert_file(&ground->dir, ground->name,
	    bat_bytes_of_buf(&ground->sound));
	stores_close(store);
	stores_without_index(&ground->dir);
	store = stores_open(&ground->dir, false);
	ck_assert(!stores_report_has(store, "torn"));
	bat_head(store, &head);
	ck_assert_uint_eq(head.visible_count, 9);
	assert_picture(ground, store, what);
	stores_close(store);
}

/* Back to the two segments. */
static void
ground_again(struct ground *ground)
{
	stores_without_index(&ground->dir);
	if (temp_dir_has(&ground->dir, "000003.fbat"))
		temp_dir_unlink(&ground->dir, "000003.fbat");
}

/*
 * The first `length` bytes of the maker's buffer as a tail: left out, and, when
 * thorough, cut by an append, which keeps `keep` bytes of them.
 */
static void
check_tail_kept(struct ground *ground, size_t length, size_t keep,
    bool thorough, const char *what)
{
	char said[128];

	snprintf(said, sizeof(said), "%s, %zu bytes in segment %" PRIu64, what,
	    length, ground->torn);
	tail_put(ground, length);
	assert_read_only(ground, said);
	if (!thorough)
		return;
	assert_cut(ground, keep, ground->sound.length, said);
	ground_again(ground);
}

/* All of it is kept. */
static void
check_tail(struct ground *ground, size_t length, bool thorough,
    const char *what)
{
	check_tail_kept(ground, length, length, thorough, what);
}

static bool
is_sample(size_t length, size_t of)
{
	return length == 1 || length == 8 || length == 9 || length + 1 == of ||
	    length % 97 == 50;
}

START_TEST(a_frame_cut_at_any_byte_is_a_torn_tail)
{
	struct ground ground;

	ground_make(&ground, (uint64_t)_i);
	tail_start(&ground);
	maker_event(&ground.maker, "player:alice", "\xa5torn!");
	for (size_t i = 1; i < ground.maker.file.length; i++)
		check_tail(&ground, i, is_sample(i, ground.maker.file.length),
		    "a cut frame");
	ground_free(&ground);
}
END_TEST

static void
check_filled(uint64_t torn, uint8_t byte)
{
	static const size_t lengths[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16,
		17, 23, 24, 100, 511, 512, 513, 4095, 4096 };
	struct ground ground;

	ground_make(&ground, torn);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct bat_buf *tail = tail_start(&ground);

		while (tail->length < lengths[i])
			ck_assert_int_eq(bat_bytes_append_byte(tail, byte), 0);
		/* 0xFF behind a whole frame is space that was laid ahead. */
		check_tail_kept(&ground, lengths[i],
		    byte == 0xff ? 0 : lengths[i], true, "one byte repeated");
	}
	ground_free(&ground);
}

START_TEST(zeros_behind_the_last_frame_are_a_torn_tail)
{
	check_filled((uint64_t)_i, 0);
}
END_TEST

START_TEST(ones_behind_the_last_frame_are_a_torn_tail)
{
	check_filled((uint64_t)_i, 0xff);
}
END_TEST

/* An append keeps the first `length` bytes of the maker's buffer, all of them;
 * no more is looked at. */
static void
check_kept(struct ground *ground, size_t length)
{
	struct bat_store *store;
	char kept[64];

	tail_put(ground, length);
	store = stores_open(&ground->dir, false);
	stores_append(store, "player:new", "\xa1x");
	stores_close(store);
	snprintf(kept, sizeof(kept), ".batfs/cut/%06" PRIu64 "-%zu",
	    ground->torn, ground->sound.length);
	assert_kept(ground, bat_bytes_slice(ground->maker.file.data, length),
	    kept);
	ground_again(ground);
}

/* Bytes 0xFF at its end are the frame's own where it is torn, whatever stands
 * behind them. */
START_TEST(a_frame_of_ones_is_kept_wherever_it_is_cut)
{
	struct ground ground;
	size_t frame;

	ground_make(&ground, 2);
	tail_start(&ground);
	maker_event(&ground.maker, "player:alice",
	    "\xc4\x18"
	    "\xff\xff\xff\xff\xff\xff\xff\xff"
	    "\xff\xff\xff\xff\xff\xff\xff\xff"
	    "\xff\xff\xff\xff\xff\xff\xff\xff");
	frame = ground.maker.file.length;
	for (size_t i = 1; i < frame; i++)
		check_kept(&ground, i);
	/* From its end to its beginning, the space ahead takes its place. */
	for (size_t i = frame - 1; i > 0; i--) {
		ground.maker.file.length = i;
		while (ground.maker.file.length < i + 600)
			ck_assert_int_eq(
			    bat_bytes_append_byte(&ground.maker.file, 0xff), 0);
		check_kept(&ground, i + 600);
	}
	ground_free(&ground);
}
END_TEST

START_TEST(of_a_batch_in_space_ahead_its_frames_are_kept)
{
	struct ground ground;
	size_t whole;

	ground_make(&ground, (uint64_t)_i);
	tail_start(&ground);
	maker_marker(&ground.maker, 6, 3);
	maker_event(&ground.maker, "player:alice", "\xa1i");
	maker_event(&ground.maker, "player:alice", "\xa1j");
	whole = ground.maker.file.length;
	while (ground.maker.file.length < whole + 5000)
		ck_assert_int_eq(
		    bat_bytes_append_byte(&ground.maker.file, 0xff), 0);
	check_tail_kept(&ground, whole + 5000, whole, true,
	    "a batch in space ahead");
	ground_free(&ground);
}
END_TEST

START_TEST(a_last_frame_with_a_bad_crc_is_a_torn_tail)
{
	struct ground ground;
	struct bat_buf *tail;

	ground_make(&ground, (uint64_t)_i);
	tail = tail_start(&ground);
	maker_event(&ground.maker, "player:alice", "\xa5torn!");
	for (size_t i = 4; i < tail->length; i += i < 12 ? 1 : 13) {
		tail->data[i] ^= 0x10;
		check_tail(&ground, tail->length, i < 6 || i % 5 == 0,
		    "a flipped byte");
		tail->data[i] ^= 0x10;
	}
	ground_free(&ground);
}
END_TEST

START_TEST(an_unfinished_batch_is_cut_at_its_begin)
{
	struct ground ground;

	ground_make(&ground, (uint64_t)_i);
	for (unsigned items = 0; items <= 3; items++) {
		size_t whole;

		tail_start(&ground);
		maker_marker(&ground.maker, 6, 3);
		for (unsigned i = 0; i < items; i++)
			maker_event(&ground.maker, "player:alice", "\xa1i");
		whole = ground.maker.file.length;
		check_tail(&ground, whole, true, "a batch without COMMIT");
		maker_marker(&ground.maker, items < 3 ? 6 : 7, 0);
		for (size_t i = whole + 1; i < ground.maker.file.length;
		     i += 31)
			check_tail(&ground, i, i % 3 == 0, "a torn batch");
	}
	ground_free(&ground);
}
END_TEST

START_TEST(a_footer_cut_at_any_byte_is_a_torn_tail)
{
	struct ground ground;
	struct bat_buf *tail;

	ground_make(&ground, (uint64_t)_i);
	tail = tail_start(&ground);
	ck_assert_int_eq(
	    bat_segment_encode_footer(ground.maker.rows + (_i - 1) * 3, 3,
		&ground.maker.names, ground.sound.length, tail),
	    0);
	for (size_t i = 1; i < tail->length; i++)
		check_tail(&ground, i, is_sample(i, tail->length),
		    "a cut footer");
	tail_put(&ground, tail->length);
	assert_read_only(&ground, "a whole footer");
	ground_free(&ground);
}
END_TEST

START_TEST(tails_of_both_segments_go_at_once)
{
	struct ground ground;
	struct bat_store *store;
	struct bat_head head;

	ground_make(&ground, 2);
	temp_dir_append(&ground.dir, "000001.fbat",
	    bat_bytes_slice("\0\0\0", 3));
	tail_start(&ground);
	maker_event(&ground.maker, "player:alice", "\xa1t");
	check_tail(&ground, 50, true, "both");
	store = stores_open(&ground.dir, true);
	ck_assert(!stores_report_has(store, "torn"));
	bat_head(store, &head);
	ck_assert_uint_eq(head.visible_count, 6);
	stores_close(store);
	ground_free(&ground);
}
END_TEST

/* ---- segments without a header ----------------------------------------- */

START_TEST(a_newest_segment_shorter_than_its_header_goes)
{
	struct temp_dir dir;
	struct maker maker;
	struct bat_store *store;
	struct bat_head head;
	uint32_t events;

	maker_init(&maker);
	for (size_t length = 0; length < 49; length += length < 12 ? 1 : 9) {
		temp_dir_make(&dir);
		maker_segment(&maker, 1);
		maker_event(&maker, "player:alice",
		    "\xa1"
		    "a");
		maker_save(&maker, &dir);
		temp_dir_write(&dir, "000002.fbat",
		    bat_bytes_slice(maker.file.data, length));
		for (int pass = 0; pass < 2; pass++) {
			store = stores_open(&dir, pass == 0);
			bat_head(store, &head);
			ck_assert_uint_eq(head.visible_count, 1);
			if (pass == 1)
				stores_append(store, "player:new", "\xa1x");
			stores_close(store);
			ck_assert(
			    temp_dir_has(&dir, "000002.fbat") == (pass == 0));
		}
		ck_assert(
		    temp_dir_has(&dir, ".batfs/cut/000002-0") == (length > 0));
		stores_without_index(&dir);
		store = stores_open(&dir, false);
		bat_head(store, &head);
		events = (uint32_t)head.visible_count;
		ck_assert_uint_eq(events, 4);
		stores_close(store);
		temp_dir_remove(&dir);
	}
	maker_free(&maker);
}
END_TEST

/* A checkpoint by command before any append carries the plan out too. */
START_TEST(a_checkpoint_with_an_empty_newest_segment_works)
{
	struct bat_error error = { .text = "" };
	struct bat_store *store;
	struct temp_dir dir;
	int code;

	stores_golden(&dir, "empty-segment");
	store = stores_open(&dir, false);
	code = bat_checkpoint(store, &error);
	ck_assert_msg(code == 0, "%s", error.text);
	ck_assert(!temp_dir_has(&dir, "000002.fbat"));
	ck_assert(temp_dir_has(&dir, "index.ckpt"));
	stores_close(store);
	store = stores_open(&dir, true);
	ck_assert(!stores_report_has(store, "dropped"));
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

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
	int code = bat_open(dir->path, NULL, &store, &error);

	ck_assert_int_eq(code, wanted);
	ck_assert_int_eq(error.code, wanted);
	ck_assert_uint_eq(error.segment, segment);
	ck_assert_uint_eq(error.offset, offset);
	ck_assert_ptr_nonnull(strstr(error.text, "-o ro"));
	ck_assert_uint_eq(temp_dir_count(dir), names + !had_lock);
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
		assert_file(&dir, "000001.fbat", bat_bytes_of_buf(&before));
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

/* ---- batches and markers ----------------------------------------------- */

static void
assert_count(const struct temp_dir *dir, uint64_t wanted)
{
	struct bat_store *store = stores_open(dir, true);
	struct bat_head head;

	bat_head(store, &head);
	ck_assert_uint_eq(head.visible_count, wanted);
	stores_close(store);
}

START_TEST(a_batch_whose_commit_comes_early_is_left_out)
{
	struct temp_dir dir;
	struct maker maker;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "a");
	maker_marker(&maker, 6, 3);
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "b");
	maker_marker(&maker, 7, 0);
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "c");
	maker_marker(&maker, 7, 0); /* an orphan */
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "d");
	maker_save(&maker, &dir);
	assert_count(&dir, 3);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_second_begin_drops_the_first_batch)
{
	struct temp_dir dir;
	struct maker maker;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_marker(&maker, 6, 2);
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "a");
	maker_marker(&maker, 6, 1);
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "b");
	maker_marker(&maker, 7, 0);
	maker_save(&maker, &dir);
	assert_count(&dir, 1);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_batch_ends_with_its_segment)
{
	struct temp_dir dir;
	struct maker maker;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_marker(&maker, 6, 2);
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "a");
	maker_save(&maker, &dir);
	maker_segment(&maker, 2);
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "b");
	maker_marker(&maker, 7, 0);
	maker_save(&maker, &dir);
	assert_count(&dir, 1);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_frame_of_a_marker_kind_with_a_chain_is_an_event)
{
	struct temp_dir dir;
	struct maker maker;

	for (int footed = 0; footed < 2; footed++) {
		maker_init(&maker);
		temp_dir_make(&dir);
		maker_segment(&maker, 1);
		maker.kind = 6;
		maker_event(&maker, "player:bob",
		    "\xa1"
		    "a");
		maker_marker(&maker, 6, 2);
		maker.kind = 7;
		maker_event(&maker, "player:bob",
		    "\xa1"
		    "b");
		maker.kind = 6;
		maker_event(&maker, "player:bob",
		    "\xa1"
		    "c");
		maker_marker(&maker, 7, 0);
		if (footed == 1)
			maker_footer(&maker);
		maker_save(&maker, &dir);
		assert_count(&dir, 3);
		maker_free(&maker);
		temp_dir_remove(&dir);
	}
}
END_TEST

/* ---- numbers ----------------------------------------------------------- */

static void
assert_seqs(struct bat_store *store, const uint64_t *wanted, uint32_t count)
{
	struct bat_head head;
	struct bat_row row;

	bat_head(store, &head);
	ck_assert_uint_eq(head.ordinals, count);
	for (uint32_t i = 0; i < count; i++) {
		ck_assert(bat_row(store, i, &row));
		ck_assert_uint_eq(row.seq, wanted[i]);
	}
}

START_TEST(numbers_that_a_footer_tells_are_kept)
{
	static const uint64_t seqs[] = { 4, 10, 11, 12, 13, 14 };
	struct bat_store *store;
	struct temp_dir dir;
	struct maker maker;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker.next_seq = 4;
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "a");
	maker.next_seq = 10;
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "b");
	maker_footer(&maker);
	maker_save(&maker, &dir);
	/* Behind it, untold: previous + 1. */
	maker_segment(&maker, 2);
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "c");
	maker_save(&maker, &dir);
	store = stores_open(&dir, false);
	assert_seqs(store, seqs, 3);
	stores_append(store, "player:bob",
	    "\xa1"
	    "d");
	assert_seqs(store, seqs, 5);
	stores_close(store);
	store = stores_open(&dir, true);
	assert_seqs(store, seqs, 6);
	stores_close(store);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_told_number_that_does_not_rise_is_replaced_and_said)
{
	static const uint64_t seqs[] = { 7, 8, 9, 20 };
	struct bat_store *store;
	struct temp_dir dir;
	struct maker maker;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker.next_seq = 7;
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "a");
	maker.next_seq = 7;
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "b");
	maker.next_seq = 3;
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "c");
	maker.next_seq = 20;
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "d");
	maker_footer(&maker);
	maker_save(&maker, &dir);
	store = stores_open(&dir, true);
	assert_seqs(store, seqs, 4);
	ck_assert(stores_report_has(store, "2 sequence numbers"));
	stores_close(store);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(behind_an_index_numbers_start_at_its_allocator)
{
	static const uint64_t seqs[] = { 0, 50, 51, 52 };
	struct bat_buf index = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct temp_dir dir;
	struct maker maker;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "a");
	maker_save(&maker, &dir);
	maker.next_seq = 50; /* burned slots */
	maker_index(&maker, false, 6, &index);
	temp_dir_write(&dir, "index.ckpt", bat_bytes_of_buf(&index));
	store = stores_open(&dir, false);
	stores_append(store, "player:bob",
	    "\xa1"
	    "b");
	assert_seqs(store, seqs, 3);
	stores_close(store);
	maker_segment(&maker, 2);
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "c");
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "d");
	maker_save(&maker, &dir);
	temp_dir_write(&dir, "index.ckpt", bat_bytes_of_buf(&index));
	store = stores_open(&dir, true);
	assert_seqs(store, seqs, 3);
	stores_close(store);
	bat_bytes_free(&index);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

/* Numbers so high that the next ones would wrap around: no event is lost, no
 * new one is taken. */
START_TEST(an_allocator_at_the_end_of_numbers_takes_no_event)
{
	struct bat_draft draft = stores_draft("player:bob", "s", "\xa1x");
	struct bat_buf index = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct temp_dir dir;
	struct maker maker;
	uint64_t seq = UINT64_MAX - (uint64_t)_i;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "a");
	maker_save(&maker, &dir);
	maker.next_seq = seq;
	maker_index(&maker, true, 5, &index);
	temp_dir_write(&dir, "index.fbati", bat_bytes_of_buf(&index));
	store = stores_open(&dir, false);
	(void)stores_append_batch(store, &draft, 1, NULL, NULL);
	stores_close(store);
	store = stores_open(&dir, true);
	ck_assert_uint_eq(bat_find_seq(store, 0), 0);
	stores_close(store);
	bat_bytes_free(&index);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

/* ---- hidden ranges, twins ---------------------------------------------- */

static void
write_hidden(const struct temp_dir *dir, uint64_t start, uint64_t end)
{
	struct bat_hidden_range range = { start, end };
	const struct bat_hidden hidden = { &range, 1 };
	struct bat_buf file = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_hidden_encode(&hidden, &file), 0);
	temp_dir_write(dir, BAT_HIDDEN_FILE, bat_bytes_of_buf(&file));
	bat_bytes_free(&file);
}

START_TEST(a_hidden_event_is_in_no_list_and_not_found)
{
	struct bat_store *store;
	struct bat_head head;
	struct temp_dir dir;
	struct maker maker;
	struct bat_row row;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "a");
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "b");
	maker_event(&maker, "player:carol",
	    "\xa1"
	    "c");
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "d");
	maker_save(&maker, &dir);
	write_hidden(&dir, 1, 3);
	store = stores_open(&dir, true);
	bat_head(store, &head);
	ck_assert_uint_eq(head.ordinals, 4);
	ck_assert_uint_eq(head.visible_count, 2);
	ck_assert_uint_eq(head.entity_count, 1);
	ck_assert_uint_eq(head.last_seq, 3);
	for (uint32_t i = 1; i < 3; i++) {
		ck_assert(!bat_row(store, i, &row));
		ck_assert_uint_eq(bat_find_id(store, &maker.rows[i].id),
		    BAT_MAP_NONE);
		ck_assert_uint_eq(bat_find_seq(store, i), BAT_MAP_NONE);
		ck_assert_uint_eq(bat_find_seq_from(store, i), 3);
	}
	ck_assert_uint_eq(bat_find_entity(store, bat_bytes_text("player:bob")),
	    BAT_MAP_NONE);
	ck_assert_ptr_null(picture_check_lists(store));
	stores_close(store);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_broken_file_of_hidden_ranges_refuses_the_store)
{
	struct bat_error error = { .text = "" };
	struct bat_store *store = NULL;
	struct temp_dir dir;

	for (int read_only = 0; read_only < 2; read_only++) {
		stores_golden(&dir, "hidden");
		temp_dir_flip(&dir, BAT_HIDDEN_FILE, 20, 1);
		ck_assert_int_eq(
		    bat_open(dir.path,
			&(struct bat_options){ .read_only = read_only }, &store,
			&error),
		    BAT_DATA_CORRUPT);
		ck_assert_ptr_nonnull(strstr(error.text, BAT_HIDDEN_FILE));
		temp_dir_remove(&dir);
	}
}
END_TEST

/* What was cancelled before its events were safe may leave a range over
 * numbers that nobody has yet. */
START_TEST(a_new_event_is_never_hidden)
{
	struct bat_store *store;
	struct bat_receipt receipt;
	struct bat_head head;
	struct temp_dir dir;
	struct maker maker;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "a");
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "b");
	maker_save(&maker, &dir);
	write_hidden(&dir, 1, 9);
	store = stores_open(&dir, false);
	receipt = stores_append(store, "player:alice",
	    "\xa1"
	    "c");
	ck_assert_uint_ne(bat_find_id(store, &receipt.id), BAT_MAP_NONE);
	stores_close(store);
	/* Also where nothing but the frames tells its number. */
	stores_without_index(&dir);
	temp_dir_truncate(&dir, "000002.fbat", 2200);
	store = stores_open(&dir, true);
	bat_head(store, &head);
	ck_assert_uint_eq(bat_find_seq(store, 1), BAT_MAP_NONE);
	ck_assert_uint_ne(bat_find_id(store, &receipt.id), BAT_MAP_NONE);
	stores_close(store);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(two_events_with_one_id_are_both_shown)
{
	struct bat_store *store;
	struct bat_head head;
	struct temp_dir dir;
	struct maker maker;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "a");
	maker.id = maker.rows[0].id;
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "b");
	maker_save(&maker, &dir);
	store = stores_open(&dir, true);
	bat_head(store, &head);
	ck_assert_uint_eq(head.visible_count, 2);
	ck_assert_uint_eq(bat_find_id(store, &maker.rows[0].id), 1);
	ck_assert_ptr_null(picture_check_lists(store));
	stores_close(store);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

static TCase *
tails(void)
{
	TCase *tcase = tcase_create("tails");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, a_frame_cut_at_any_byte_is_a_torn_tail, 1,
	    3);
	tcase_add_loop_test(tcase, zeros_behind_the_last_frame_are_a_torn_tail,
	    1, 3);
	tcase_add_loop_test(tcase, ones_behind_the_last_frame_are_a_torn_tail,
	    1, 3);
	tcase_add_test(tcase, a_frame_of_ones_is_kept_wherever_it_is_cut);
	tcase_add_loop_test(tcase,
	    of_a_batch_in_space_ahead_its_frames_are_kept, 1, 3);
	tcase_add_loop_test(tcase, a_last_frame_with_a_bad_crc_is_a_torn_tail,
	    1, 3);
	tcase_add_loop_test(tcase, an_unfinished_batch_is_cut_at_its_begin, 1,
	    3);
	tcase_add_loop_test(tcase, a_footer_cut_at_any_byte_is_a_torn_tail, 1,
	    3);
	tcase_add_test(tcase, tails_of_both_segments_go_at_once);
	tcase_add_test(tcase, a_newest_segment_shorter_than_its_header_goes);
	tcase_add_test(tcase, a_checkpoint_with_an_empty_newest_segment_works);
	return tcase;
}

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

static TCase *
meaning(void)
{
	TCase *tcase = tcase_create("meaning");

	tcase_add_test(tcase, a_batch_whose_commit_comes_early_is_left_out);
	tcase_add_test(tcase, a_second_begin_drops_the_first_batch);
	tcase_add_test(tcase, a_batch_ends_with_its_segment);
	tcase_add_test(tcase,
	    a_frame_of_a_marker_kind_with_a_chain_is_an_event);
	tcase_add_test(tcase, numbers_that_a_footer_tells_are_kept);
	tcase_add_test(tcase,
	    a_told_number_that_does_not_rise_is_replaced_and_said);
	tcase_add_test(tcase, behind_an_index_numbers_start_at_its_allocator);
	tcase_add_loop_test(tcase,
	    an_allocator_at_the_end_of_numbers_takes_no_event, 0, 5);
	tcase_add_test(tcase, a_hidden_event_is_in_no_list_and_not_found);
	tcase_add_test(tcase, a_broken_file_of_hidden_ranges_refuses_the_store);
	tcase_add_test(tcase, a_new_event_is_never_hidden);
	tcase_add_test(tcase, two_events_with_one_id_are_both_shown);
	return tcase;
}

int
main(void)
{
	Suite *suite = suite_create("recovery_scan");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tails());
	suite_add_tcase(suite, damage());
	suite_add_tcase(suite, meaning());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
