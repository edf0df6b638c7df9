/*
 * Reading segments frame by frame: torn tails of every shape, in the newest
 * segment and in older ones, are left out, cut at the first append and kept
 * aside.
 */
#include <check.h>
#include <inttypes.h>

#include "maker.h"
#include "segment.h"
#include "stores.h"
#include "suite.h"

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
	stores_assert_file(&ground->dir, kept, tail);
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
	stores_assert_file(&ground->dir, ground->name,
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

int
main(void)
{
	Suite *suite = suite_create("recovery_tail");

	suite_add_tcase(suite, tails());
	return suite_run(suite);
}
