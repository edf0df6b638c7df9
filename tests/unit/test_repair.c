/*
 * Golden stores are damaged in every way that refuses a writable mount, and
 * repaired: what was not hit is there, with the numbers that it had; what went
 * is kept; the second opinion finds nothing broken; a crash at any place of the
 * repair loses nothing.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "bat.h"
#include "maker.h"
#include "memory_disk.h"
#include "segment.h"
#include "stores.h"
#include "suite.h"
#include "survey.h"

/* ---- the ground -------------------------------------------------------------- */

static struct temp_dir temp;
static struct bat_buf intact; /* the picture of the store before */
static struct bat_repair_counts counts;

static void
teardown(void)
{
	bat_bytes_free(&intact);
	temp_dir_remove(&temp);
}

static void
start(const char *shape)
{
	stores_golden(&temp, shape);
	stores_picture(&temp, PICTURE_NO_PLACE, &intact);
}

static int
repair(const struct bat_disk *disk, const char *path, bool carry_out)
{
	struct bat_error error = { .text = "" };
	int code = bat_repair(disk, path, carry_out, NULL, &counts, &error);

	ck_assert_msg(code == 0, "bat_repair: %s: %s", bat_error_name(code),
	    error.text);
	return code;
}

/* The frame at or behind an offset of a segment that is sound still. */
static struct bat_survey_piece
event_behind(uint64_t segment, uint64_t offset)
{
	struct bat_survey_piece found = { .length = 0 };
	struct bat_segment_dir dir;
	struct bat_survey survey;

	ck_assert_int_eq(bat_segment_dir_open(&dir, bat_file_posix(), temp.path,
			     false, NULL),
	    0);
	ck_assert_int_eq(bat_segment_dir_scan(&dir, NULL), 0);
	ck_assert_int_eq(bat_survey_segment(&dir, segment, &survey, NULL), 0);
	for (size_t i = 0; found.length == 0 && i < survey.count; i++)
		if (survey.pieces[i].kind == BAT_SURVEY_EVENT &&
		    survey.pieces[i].offset >= offset)
			found = survey.pieces[i];
	bat_survey_free(&survey);
	bat_segment_dir_close(&dir);
	ck_assert_uint_gt(found.length, 0);
	return found;
}

static struct bat_slice
next_line(struct bat_slice *rest)
{
	const uint8_t *end = memchr(rest->data, '\n', rest->length);
	size_t length = end == NULL ? rest->length :
				      (size_t)(end - rest->data) + 1;
	struct bat_slice line = bat_bytes_slice(rest->data, length);

	*rest = bat_bytes_slice(rest->data + length, rest->length - length);
	return line;
}

/* Every line of now is one of before, in this order; so many are missing. */
static void
assert_lost(const struct bat_buf *now, unsigned lost)
{
	struct bat_slice before = bat_bytes_of_buf(&intact);
	struct bat_slice rest = bat_bytes_of_buf(now);
	unsigned missing = 0;

	while (rest.length > 0) {
		struct bat_slice line = next_line(&rest);

		for (;;) {
			ck_assert_msg(before.length > 0,
			    "not of this store, or out of order: %.*s",
			    (int)line.length, (const char *)line.data);
			if (bat_bytes_equal(next_line(&before), line))
				break;
			missing++;
		}
	}
	while (before.length > 0) {
		(void)next_line(&before);
		missing++;
	}
	ck_assert_uint_eq(missing, lost);
}

static uint64_t
kept_bytes(void)
{
	char pattern[400];
	uint64_t sum = 0;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/.batfs/cut/[0-9]*", temp.path);
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct stat stat;

		ck_assert_int_eq(lstat(found.gl_pathv[i], &stat), 0);
		sum += (uint64_t)stat.st_size;
	}
	globfree(&found);
	return sum;
}

/* Of the second opinion; what a hole leaves of a chain is no new damage. */
static int
only_links_are_missing(void *context, const struct bat_verify_finding *finding)
{
	(void)context;
	ck_assert_msg(finding->severity == BAT_VERIFY_NOTED ||
		finding->code == BAT_VERIFY_CHAIN,
	    "%s, segment %llu offset %llu: %s",
	    bat_verify_code_name(finding->code),
	    (unsigned long long)finding->segment,
	    (unsigned long long)finding->offset, finding->text);
	return 0;
}

static bool
opens_for_writing(void)
{
	struct bat_error error = { .text = "" };
	struct bat_store *store = NULL;

	if (bat_open(temp.path, &BAT_OPTIONS_DEFAULT, &store, &error) != 0)
		return false;
	stores_close(store);
	return true;
}

/*
 * A dry run changes nothing; a repair leaves all events but `lost`, keeps what
 * it takes, and a second one has nothing to do. Then appending works.
 */
static void
assert_repaired(unsigned lost)
{
	const struct bat_verify_sink sink = { NULL, only_links_are_missing };
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_verify_counts verified;
	struct bat_store *store;

	stores_files(&temp, &before);
	repair(bat_file_posix(), temp.path, false);
	ck_assert_uint_gt(counts.acts, 0);
	ck_assert_uint_eq(counts.left, 0);
	stores_files(&temp, &after);
	stores_assert_same(&after, &before, "a dry run");

	repair(bat_file_posix(), temp.path, true);
	ck_assert_uint_gt(counts.acts, 0);
	ck_assert_uint_ge(kept_bytes(), counts.cut_bytes);
	bat_bytes_clear(&after);
	stores_picture(&temp, PICTURE_NO_PLACE, &after);
	assert_lost(&after, lost);
	(void)bat_verify_directory(bat_file_posix(), temp.path, &sink,
	    &verified, NULL);

	repair(bat_file_posix(), temp.path, true);
	ck_assert_uint_eq(counts.acts, 0);
	store = stores_open(&temp, false);
	stores_append(store, "player:new", "\xa1x");
	stores_close(store);
	bat_bytes_free(&before);
	bat_bytes_free(&after);
}

static void
flip(const char *name, uint64_t offset)
{
	temp_dir_flip(&temp, name, offset, 0x20);
}

/* ---- damage in a segment -------------------------------------------------------- */

START_TEST(a_damaged_frame_is_cut_out_and_the_others_keep_their_numbers)
{
	static const char *const shapes[] = { "mixed", "many-segments-noindex",
		"missing-footer", "reopened" };

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		start(shapes[i]);
		flip("000003.fbat", event_behind(3, 900).offset + 50);
		assert_repaired(1);
		teardown();
		intact = BAT_BUF_EMPTY;
	}
	temp_dir_make(&temp);
}
END_TEST

/* As a power cut leaves it where syncs come late. */
START_TEST(zeros_before_sound_frames_of_the_newest_segment_are_cut_out)
{
	struct bat_survey_piece event;
	struct bat_buf file = BAT_BUF_EMPTY;

	start("crashed-open");
	event = event_behind(1, 2000);
	temp_dir_read(&temp, "000001.fbat", &file);
	memset(file.data + event.offset, 0, (size_t)event.length);
	temp_dir_write(&temp, "000001.fbat", bat_bytes_of_buf(&file));
	ck_assert(!opens_for_writing());
	assert_repaired(1);
	bat_bytes_free(&file);
}
END_TEST

START_TEST(a_header_that_does_not_hold_is_written_anew)
{
	start("many-segments-noindex");
	flip("000002.fbat", 1);
	ck_assert(!opens_for_writing());
	assert_repaired(0);
}
END_TEST

START_TEST(an_older_segment_shorter_than_its_header_goes)
{
	start("many-segments-noindex");
	temp_dir_truncate(&temp, "000002.fbat", 20);
	ck_assert(!opens_for_writing());
	assert_repaired(33);
}
END_TEST

START_TEST(rubbish_under_the_name_of_a_segment_goes)
{
	struct bat_buf rubbish = BAT_BUF_EMPTY;

	start("many-segments-noindex");
	for (unsigned i = 0; i < 9000; i++)
		ck_assert_int_eq(bat_bytes_append_byte(&rubbish,
				     (uint8_t)(i * 7 + i / 13)),
		    0);
	temp_dir_write(&temp, "000004.fbat", bat_bytes_of_buf(&rubbish));
	ck_assert(!opens_for_writing());
	assert_repaired(33);
	bat_bytes_free(&rubbish);
}
END_TEST

START_TEST(a_footer_that_does_not_hold_is_written_anew)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	start("many-segments-noindex");
	temp_dir_read(&temp, "000002.fbat", &file);
	/* The clock of its last row. */
	flip("000002.fbat", file.length - 16 - 162 + 34);
	/* It told the numbers, but they can be counted here. */
	assert_repaired(0);
	bat_bytes_free(&file);
}
END_TEST

START_TEST(items_of_a_batch_with_a_hole_stay)
{
	struct temp_dir mine;
	struct maker maker;
	uint64_t bad;

	temp_dir_make(&mine);
	temp = mine;
	maker_init(&maker);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice", "\xa1x");
	maker_marker(&maker, 6, 3);
	maker_event(&maker, "player:alice", "\xa1y");
	bad = maker_event(&maker, "player:bob", "\xa1z");
	maker_event(&maker, "player:carol", "\xa1w");
	maker_marker(&maker, 7, 0);
	maker_event(&maker, "player:alice", "\xa1v");
	maker_save(&maker, &temp);
	stores_picture(&temp, PICTURE_NO_PLACE, &intact);
	flip("000001.fbat", bad + 30);
	ck_assert(!opens_for_writing());
	assert_repaired(1);
	maker_free(&maker);
}
END_TEST

START_TEST(torn_ends_are_cut)
{
	static const char *const shapes[] = { "torn-tail", "torn-not-last",
		"batch-torn", "bad-crc", "zero-tail", "empty-segment",
		"empty-segment-indexed" };

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		start(shapes[i]);
		assert_repaired(0);
		teardown();
		intact = BAT_BUF_EMPTY;
	}
	temp_dir_make(&temp);
}
END_TEST

/* Space ahead is nothing to repair at the end of the store; in front of another
 * segment batpak refuses it, and it goes. No copy of it is kept. */
START_TEST(space_ahead_goes_where_another_segment_follows)
{
	uint8_t ahead[9000];
	struct bat_slice ones;

	memset(ahead, 0xff, sizeof(ahead));
	ones = bat_bytes_slice(ahead, sizeof(ahead));
	start("crashed-open");
	temp_dir_append(&temp, "000001.fbat", ones);
	repair(bat_file_posix(), temp.path, true);
	ck_assert_uint_eq(counts.acts + counts.left, 0);
	teardown();
	intact = BAT_BUF_EMPTY;
	start("missing-footer");
	temp_dir_append(&temp, "000003.fbat", ones);
	assert_repaired(0);
	ck_assert_uint_eq(counts.cut_bytes, 0);
	ck_assert_uint_eq(kept_bytes(), 0);
}
END_TEST

/* ---- segments that are others -------------------------------------------------------- */

START_TEST(a_second_copy_of_a_segment_goes)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	start("many-segments-noindex");
	temp_dir_read(&temp, "000003.fbat", &file);
	temp_dir_write(&temp, "000011.fbat", bat_bytes_of_buf(&file));
	assert_repaired(0);
	bat_bytes_free(&file);
}
END_TEST

/* A segment of `count` events, from the first one on. */
static void
put_events_into(struct maker *maker, const struct temp_dir *dir, uint64_t id,
    unsigned first, unsigned count)
{
	char value[] = "\xa2"
		       "00";

	maker_segment(maker, id);
	for (unsigned i = first; i < first + count; i++) {
		value[1] = (char)('0' + i / 10);
		value[2] = (char)('0' + i % 10);
		maker_event(maker, i % 3 == 0 ? "player:bob" : "player:alice",
		    value);
	}
	maker_footer(maker);
	maker_save(maker, dir);
}

static void
put_events(struct maker *maker, uint64_t id, unsigned first, unsigned count)
{
	put_events_into(maker, &temp, id, first, count);
}

/* As put_events, but nothing is written. */
static void
skip_events(struct maker *maker, unsigned count)
{
	struct temp_dir away;

	temp_dir_make(&away);
	put_events_into(maker, &away, 1, 0, count);
	temp_dir_remove(&away);
}

/*
 * The sources of a merge whose marker is gone: batpak's has the number of the
 * first one, ours comes behind them. Events of the segment behind it all were
 * there once, and stay.
 */
START_TEST(the_sources_that_a_compaction_left_go)
{
	const uint64_t number = _i == 0 ? 1 : 4;
	struct temp_dir mine;
	struct maker maker;
	char name[BAT_SEGMENT_NAME_SIZE];

	temp_dir_make(&mine);
	temp = mine;
	maker_init(&maker);
	put_events(&maker, number, 0, 30);
	put_events(&maker, 5, 30, 10);
	maker_free(&maker);
	stores_picture(&temp, PICTURE_NO_PLACE, &intact);
	maker_init(&maker);
	for (uint64_t id = 1; id <= 3; id++) {
		if (id != number)
			put_events(&maker, id, (unsigned)id * 10 - 10, 10);
		else
			skip_events(&maker, 10);
	}
	maker_free(&maker);
	assert_repaired(0);
	for (uint64_t id = 1; id <= 3; id++) {
		bat_segment_name(id, name);
		ck_assert(temp_dir_has(&temp, name) == (id == number));
	}
	ck_assert(temp_dir_has(&temp, "000005.fbat"));
}
END_TEST

START_TEST(a_segment_under_another_name_gets_its_own_back)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	start("many-segments");
	temp_dir_read(&temp, "000003.fbat", &file);
	temp_dir_unlink(&temp, "000003.fbat");
	temp_dir_write(&temp, "000033.fbat", bat_bytes_of_buf(&file));
	assert_repaired(0);
	ck_assert(temp_dir_has(&temp, "000003.fbat"));
	bat_bytes_free(&file);
}
END_TEST

/* What the index told of the others is written down before it goes. */
START_TEST(where_a_segment_is_missing_the_others_keep_their_numbers)
{
	start("many-segments");
	temp_dir_unlink(&temp, "000004.fbat");
	assert_repaired(192);
}
END_TEST

START_TEST(an_index_of_another_store_goes)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct temp_dir other;

	stores_golden(&other, "reopened");
	temp_dir_read(&other, "index.fbati", &file);
	temp_dir_remove(&other);
	start("many-segments-noindex");
	temp_dir_write(&temp, "index.fbati", bat_bytes_of_buf(&file));
	assert_repaired(0);
	ck_assert(temp_dir_has(&temp, ".batfs/cut/index.fbati"));
	bat_bytes_free(&file);
}
END_TEST

/* A read-only mount shows a hole as an event and counts it. Who tells numbers
 * does not: he is heard all the same, so that a second repair finds nothing. */
START_TEST(numbers_behind_a_hole_are_those_that_were_told)
{
	struct bat_survey_piece piece;
	struct bat_buf index = BAT_BUF_EMPTY;
	struct maker maker, other;

	temp_dir_make(&temp);
	maker_init(&maker);
	maker_init(&other);
	maker_segment(&maker, 1);
	maker_segment(&other, 1);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "1");
	maker_event(&other, "player:a",
	    "\xa1"
	    "1");
	maker_bytes(&maker, "\0\0\0\x04....hole", 12);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "2");
	maker_event(&other, "player:a",
	    "\xa1"
	    "2");
	maker_save(&maker, &temp);
	maker_index(&other, true, 5, &index);
	temp_dir_write(&temp, "index.fbati", bat_bytes_of_buf(&index));
	repair(bat_file_posix(), temp.path, true);
	ck_assert_uint_gt(counts.acts, 0);
	piece = event_behind(1, maker.rows[0].offset + 1);
	ck_assert_uint_eq(piece.seq, 1);
	repair(bat_file_posix(), temp.path, true);
	ck_assert_uint_eq(counts.acts, 0);
	bat_bytes_free(&index);
	maker_free(&maker);
	maker_free(&other);
}
END_TEST

/* Without its markers an item that the footer leaves out would be an event. */
START_TEST(what_a_footer_leaves_out_does_not_come_back)
{
	struct bat_buf picture = BAT_BUF_EMPTY;
	struct maker maker;

	temp_dir_make(&temp);
	maker_init(&maker);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:a", "\xa1x");
	maker_marker(&maker, 6, 2);
	maker.unlisted = true;
	maker_event(&maker, "player:b", "\xa1y");
	maker_bytes(&maker, "\0\0\0\x04....hole", 12);
	maker_marker(&maker, 6, 1);
	maker_event(&maker, "player:c", "\xa1z");
	maker_marker(&maker, 7, 0);
	maker_footer(&maker);
	maker_save(&maker, &temp);
	repair(bat_file_posix(), temp.path, true);
	ck_assert_uint_eq(counts.events, 2);
	stores_picture(&temp, PICTURE_NO_PLACE, &picture);
	ck_assert_ptr_null(memmem(picture.data, picture.length, "player:b", 8));
	repair(bat_file_posix(), temp.path, true);
	ck_assert_uint_eq(counts.acts, 0);
	ck_assert_uint_eq(counts.events, 2);
	bat_bytes_free(&picture);
	maker_free(&maker);
}
END_TEST

/* ---- compactions -------------------------------------------------------------------------- */

START_TEST(a_compaction_that_did_not_end_is_taken_back)
{
	start("compaction-pending");
	assert_repaired(0);
	ck_assert(!temp_dir_has(&temp, "compaction.pending.json"));
}
END_TEST

START_TEST(a_marker_that_cannot_be_read_goes_and_its_source_has_its_name_again)
{
	start("compaction-pending");
	temp_dir_write(&temp, "compaction.pending.json",
	    bat_bytes_text("rubbish"));
	ck_assert(!opens_for_writing());
	assert_repaired(0);
	ck_assert(temp_dir_has(&temp, ".batfs/cut/compaction.pending.json"));
	ck_assert(!temp_dir_has(&temp, "000001.fbat.compact-src"));
}
END_TEST

/* ---- what is left ----------------------------------------------------------------------------- */

START_TEST(a_whole_store_is_left_alone)
{
	static const char *const shapes[] = { "mixed", "batch", "hidden",
		"compacted-merge", "compacted-retention", "chains" };
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		stores_golden(&temp, shapes[i]);
		temp_dir_write(&temp, ".batpak.lock", BAT_SLICE_EMPTY);
		bat_bytes_clear(&before);
		bat_bytes_clear(&after);
		stores_files(&temp, &before);
		repair(bat_file_posix(), temp.path, true);
		ck_assert_uint_eq(counts.acts + counts.left, 0);
		stores_files(&temp, &after);
		stores_assert_same(&after, &before, shapes[i]);
		temp_dir_remove(&temp);
	}
	temp_dir_make(&temp);
	bat_bytes_free(&before);
	bat_bytes_free(&after);
}
END_TEST

/* What was left, by its text. */
static char left_text[512];

static int
take_left(void *context, const struct bat_repair_act *act)
{
	(void)context;
	if (act->kind == BAT_REPAIR_LEFT)
		snprintf(left_text, sizeof(left_text), "%s", act->text);
	return 0;
}

/* One place is left, these words name it and the way out. */
static void
assert_left(const char *place, const char *remedy)
{
	const struct bat_repair_sink sink = { NULL, take_left };

	left_text[0] = '\0';
	ck_assert_int_eq(bat_repair(bat_file_posix(), temp.path, true, &sink,
			     &counts, NULL),
	    0);
	ck_assert_uint_eq(counts.left, 1);
	ck_assert_msg(strstr(left_text, place) != NULL &&
		strstr(left_text, remedy) != NULL,
	    "%s", left_text);
}

/* And when that was done, the store is whole. */
static void
assert_helped(void)
{
	repair(bat_file_posix(), temp.path, true);
	ck_assert_uint_eq(counts.left, 0);
	ck_assert(opens_for_writing());
}

START_TEST(hidden_ranges_that_do_not_hold_are_left_and_said)
{
	stores_golden(&temp, "hidden");
	flip("visibility_ranges.fbv", 14);
	assert_left("visibility_ranges.fbv", "move it away");
	ck_assert(temp_dir_has(&temp, "visibility_ranges.fbv"));
	ck_assert(!opens_for_writing());
	temp_dir_unlink(&temp, "visibility_ranges.fbv");
	assert_helped();
}
END_TEST

START_TEST(a_segment_of_another_version_is_left_and_said)
{
	struct temp_dir saved;
	struct bat_salvage_counts salvaged;

	stores_golden(&temp, "many-segments-noindex");
	/* The version, in the header's map. */
	temp_dir_flip(&temp, "000002.fbat", 17, 3);
	assert_left("segment 2", "batctl salvage");
	ck_assert(!opens_for_writing());
	temp_dir_make(&saved);
	ck_assert_int_eq(bat_repair_salvage(bat_file_posix(), temp.path,
			     saved.path, NULL, &salvaged, NULL),
	    0);
	ck_assert_uint_eq(salvaged.events, 302);
	temp_dir_remove(&temp);
	temp = saved;
	assert_helped();
}
END_TEST

START_TEST(a_segment_that_is_no_regular_file_is_left_and_said)
{
	char path[400];

	stores_golden(&temp, "many-segments-noindex");
	snprintf(path, sizeof(path), "%s/000099.fbat", temp.path);
	ck_assert_int_eq(symlink("/dev/null", path), 0);
	assert_left("no regular files", "move them away");
	ck_assert(!opens_for_writing());
	ck_assert_int_eq(unlink(path), 0);
	assert_helped();
}
END_TEST

START_TEST(a_source_that_may_be_a_part_of_its_segment_is_left_and_said)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	stores_golden(&temp, "many-segments-noindex");
	temp_dir_read(&temp, "000001.fbat", &file);
	temp_dir_write(&temp, "000001.fbat.compact-src",
	    bat_bytes_of_buf(&file));
	assert_left("000001.fbat.compact-src", "move one of them away");
	temp_dir_unlink(&temp, "000001.fbat.compact-src");
	assert_helped();
	bat_bytes_free(&file);
}
END_TEST

START_TEST(a_store_that_somebody_holds_is_not_touched)
{
	struct bat_error error = { .text = "" };
	struct bat_store *store;

	stores_golden(&temp, "quickstart");
	store = stores_open(&temp, false);
	ck_assert_int_eq(bat_repair(bat_file_posix(), temp.path, true, NULL,
			     &counts, &error),
	    BAT_WORLD_LOCKED);
	stores_close(store);
}
END_TEST

/* Bytes of two cuts at one place are both kept. */
START_TEST(what_was_kept_before_is_not_written_over)
{
	unsigned long long offset = 0;
	char name[64];

	start("many-segments-noindex");
	for (unsigned i = 0; i < 2; i++) {
		offset = event_behind(2, 0).offset;
		flip("000002.fbat", offset + 40);
		repair(bat_file_posix(), temp.path, true);
	}
	snprintf(name, sizeof(name), ".batfs/cut/000002-%llu", offset);
	ck_assert(temp_dir_has(&temp, name));
	snprintf(name, sizeof(name), ".batfs/cut/000002-%llu.1", offset);
	ck_assert(temp_dir_has(&temp, name));
}
END_TEST

/* ---- crashes ---------------------------------------------------------------------------------- */

static unsigned crash_states;

static void
put_file(const struct bat_disk *door, int dir, const char *name)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	temp_dir_read(&temp, name, &file);
	ck_assert_int_eq(bat_file_put_whole(door, dir, name,
			     bat_bytes_of_buf(&file), true, NULL),
	    0);
	bat_bytes_free(&file);
}

/* What the next one finds is repaired to the same store. */
static void
assert_recovers(struct memory_disk *disk)
{
	const struct bat_options options = { .read_only = true,
		.disk = memory_disk_door(disk) };
	struct bat_repair_counts after;
	struct bat_buf now = BAT_BUF_EMPTY;
	struct bat_error error = { .text = "" };
	struct bat_store *store = NULL;
	int code = bat_repair(options.disk, "/", true, NULL, &after, &error);

	ck_assert_msg(code == 0, "state %u: %s", crash_states, error.text);
	ck_assert_int_eq(bat_open("/", &options, &store, &error), 0);
	picture_of(store, PICTURE_NO_PLACE, &now);
	ck_assert_int_eq(bat_close(store, NULL), 0);
	assert_lost(&now, 2);
	bat_bytes_free(&now);
	crash_states++;
}

static void
cut_power(struct memory_disk *disk, enum memory_disk_fate_kind kind)
{
	size_t count = memory_disk_pending_count(disk);
	struct memory_disk_fate *fates = calloc(count + 1, sizeof(*fates));
	struct memory_disk *left;

	for (size_t i = 0; i < count; i++)
		fates[i].kind = kind;
	if (memory_disk_may_leave(disk, fates)) {
		left = memory_disk_crash(disk, fates);
		assert_recovers(left);
		memory_disk_free(left);
	}
	free(fates);
}

static void
crash_here(void *context, struct memory_disk *disk,
    const struct memory_disk_op *op)
{
	struct memory_disk *killed = memory_disk_copy(disk);

	(void)context;
	(void)op;
	assert_recovers(killed);
	memory_disk_free(killed);
	cut_power(disk, MEMORY_DISK_NOT);
	cut_power(disk, MEMORY_DISK_WHOLE);
}

/*
 * Numbers that only the index tells (a gap before the last segment), two
 * segments with holes, one without a footer that has to get one. The power goes,
 * or the process is killed, behind every operation.
 */
START_TEST(a_crash_at_any_place_loses_nothing)
{
	static const char *const names[] = { "000001.fbat", "000002.fbat",
		"000003.fbat", "index.ckpt" };
	struct memory_disk *disk = memory_disk_new(MEMORY_DISK_STRICT, 7);
	const struct bat_disk *door = memory_disk_door(disk);
	struct bat_buf index = BAT_BUF_EMPTY;
	struct maker maker;
	uint64_t bad[4];
	int dir;

	temp_dir_make(&temp);
	maker_init(&maker);
	for (uint64_t id = 1; id <= 3; id++) {
		maker.next_seq += 10;
		maker_segment(&maker, id);
		maker_event(&maker, "player:alice", "\xa1x");
		bad[id] = maker_event(&maker, "player:bob", "\xa1y");
		maker_event(&maker, "player:alice", "\xa1z");
		if (id == 1)
			maker_footer(&maker);
		maker_save(&maker, &temp);
	}
	maker_index(&maker, false, 6, &index);
	temp_dir_write(&temp, "index.ckpt", bat_bytes_of_buf(&index));
	stores_picture(&temp, PICTURE_NO_PLACE, &intact);
	flip("000001.fbat", bad[1] + 40);
	flip("000003.fbat", bad[3] + 40);
	dir = door->open_dir(door->context, "/", false);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		put_file(door, dir, names[i]);
	door->close(door->context, dir);
	memory_disk_watch(disk, crash_here, NULL);
	repair(door, "/", true);
	memory_disk_watch(disk, NULL, NULL);
	ck_assert_uint_gt(crash_states, 60);
	assert_recovers(disk);
	memory_disk_free(disk);
	maker_free(&maker);
	bat_bytes_free(&index);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("repair");
	TCase *cases = tcase_create("damage"), *others = tcase_create("others"),
	      *crashes = tcase_create("crashes");

	tcase_add_checked_fixture(cases, NULL, teardown);
	tcase_add_test(cases,
	    a_damaged_frame_is_cut_out_and_the_others_keep_their_numbers);
	tcase_add_test(cases,
	    zeros_before_sound_frames_of_the_newest_segment_are_cut_out);
	tcase_add_test(cases, a_header_that_does_not_hold_is_written_anew);
	tcase_add_test(cases, an_older_segment_shorter_than_its_header_goes);
	tcase_add_test(cases, rubbish_under_the_name_of_a_segment_goes);
	tcase_add_test(cases, a_footer_that_does_not_hold_is_written_anew);
	tcase_add_test(cases, items_of_a_batch_with_a_hole_stay);
	tcase_add_test(cases, torn_ends_are_cut);
	tcase_add_test(cases, space_ahead_goes_where_another_segment_follows);
	suite_add_tcase(suite, cases);
	tcase_add_checked_fixture(others, NULL, teardown);
	tcase_add_test(others, a_second_copy_of_a_segment_goes);
	tcase_add_loop_test(cases, the_sources_that_a_compaction_left_go, 0, 2);
	tcase_add_test(others, a_segment_under_another_name_gets_its_own_back);
	tcase_add_test(others,
	    where_a_segment_is_missing_the_others_keep_their_numbers);
	tcase_add_test(others, an_index_of_another_store_goes);
	tcase_add_test(others, numbers_behind_a_hole_are_those_that_were_told);
	tcase_add_test(others, what_a_footer_leaves_out_does_not_come_back);
	tcase_add_test(others, a_compaction_that_did_not_end_is_taken_back);
	tcase_add_test(others,
	    a_marker_that_cannot_be_read_goes_and_its_source_has_its_name_again);
	tcase_add_test(others, a_whole_store_is_left_alone);
	tcase_add_test(others,
	    hidden_ranges_that_do_not_hold_are_left_and_said);
	tcase_add_test(others, a_segment_of_another_version_is_left_and_said);
	tcase_add_test(others,
	    a_segment_that_is_no_regular_file_is_left_and_said);
	tcase_add_test(others,
	    a_source_that_may_be_a_part_of_its_segment_is_left_and_said);
	tcase_add_test(others, a_store_that_somebody_holds_is_not_touched);
	tcase_add_test(others, what_was_kept_before_is_not_written_over);
	suite_add_tcase(suite, others);
	tcase_add_checked_fixture(crashes, NULL, teardown);
	tcase_add_test(crashes, a_crash_at_any_place_loses_nothing);
	suite_add_tcase(suite, crashes);
	return suite_run(suite);
}
