/*
 * When an index file is believed: whatever is wrong with one, the answer is
 * that of the directory without it, the open report says so, and the next
 * append takes it away.
 */
#include <check.h>
#include <stdlib.h>

#include "maker.h"
#include "rowindex.h"
#include "rows.h"
#include "segment.h"
#include "stores.h"

/* Golden stores with an index file that is believed. */
static const char *const indexed[] = { "batch", "both-index", "chains",
	"ckpt-only", "clock-back", "compacted-merge", "compacted-retention",
	"compacted-tombstone", "coordinates", "crashed-after-index", "cursors",
	"denials", "empty-segment-indexed", "extensions", "group-commit",
	"header-only-segment", "hidden", "kinds", "many-segments", "mixed",
	"payloads", "projection-cache", "quickstart", "reopened", "signed" };

enum { INDEXED = sizeof(indexed) / sizeof(indexed[0]) };

/* ---- a store and its index --------------------------------------------- */

struct subject {
	struct temp_dir dir;
	const char *file; /* the index file that is believed */
	struct bat_buf bytes;
	struct rows rows;	  /* slices point into bytes */
	struct bat_buf unindexed; /* what the store shows without it */
};

static void
subject_decode(struct subject *subject)
{
	const struct bat_checkpoint_sink sink = rows_sink(&subject->rows);
	struct bat_slice file = bat_bytes_of_buf(&subject->bytes);
	int code = subject->file[6] == 'f' ?
	    bat_rowindex_decode(file, &sink, NULL) :
	    bat_checkpoint_decode(file, &sink, NULL);

	ck_assert_int_eq(code, 0);
}

/* dir is filled; only the believed index is kept. */
static void
subject_take(struct subject *subject)
{
	subject->file = temp_dir_has(&subject->dir, "index.fbati") ?
	    "index.fbati" :
	    "index.ckpt";
	temp_dir_read(&subject->dir, subject->file, &subject->bytes);
	rows_init(&subject->rows);
	subject_decode(subject);
	stores_without_index(&subject->dir);
	stores_picture(&subject->dir, PICTURE_WHOLE, &subject->unindexed);
}

static void
subject_golden(struct subject *subject, const char *shape)
{
	*subject = (struct subject){ .file = NULL };
	stores_golden(&subject->dir, shape);
	subject_take(subject);
}

static void
subject_free(struct subject *subject)
{
	temp_dir_remove(&subject->dir);
	rows_free(&subject->rows);
	bat_bytes_free(&subject->bytes);
	bat_bytes_free(&subject->unindexed);
}

/* The rows as they are now, under the name of the index. */
static void
subject_encode(struct subject *subject, struct bat_buf *out)
{
	const struct bat_checkpoint_source source = rows_source(&subject->rows);
	const struct bat_checkpoint_input input = rows_input(&subject->rows,
	    &source);

	bat_bytes_clear(out);
	ck_assert_int_eq(subject->file[6] == 'f' ?
		bat_rowindex_encode(&input, out, NULL) :
		bat_checkpoint_encode(&input, 6, out, NULL),
	    0);
}

static void
subject_write(struct subject *subject, struct bat_slice index)
{
	temp_dir_write(&subject->dir, subject->file, index);
}

static uint32_t
subject_events(const struct subject *subject)
{
	uint32_t count = 0;

	for (size_t i = 0; i < subject->unindexed.length; i++)
		count += subject->unindexed.data[i] == '\n';
	return count;
}

/* Shown is what there is without the index; dropped: and that is said. */
static void
assert_as_without(struct subject *subject, bool dropped, const char *what)
{
	struct bat_store *store = stores_open(&subject->dir, true);
	struct bat_buf got = BAT_BUF_EMPTY;
	struct bat_status status;

	picture_of(store, PICTURE_WHOLE, &got);
	stores_assert_same(&got, &subject->unindexed, what);
	bat_status(store, &status);
	if (dropped) {
		ck_assert_msg(stores_report_has(store, ": dropped: "),
		    "%s: not dropped", what);
		ck_assert_msg(status.source == BAT_SOURCE_FOOTERS ||
			status.source == BAT_SOURCE_FRAMES,
		    "%s: source %d", what, status.source);
	}
	stores_close(store);
	bat_bytes_free(&got);
}

/* The first append takes the file away; then there is a right one. */
static void
assert_replaced(struct subject *subject, const char *what)
{
	struct bat_store *store = stores_open(&subject->dir, false);
	struct bat_buf got = BAT_BUF_EMPTY;
	struct bat_status status;
	uint32_t count = subject_events(subject);

	ck_assert(temp_dir_has(&subject->dir, subject->file));
	stores_append(store, "player:new", "\xa1x");
	ck_assert_msg(!temp_dir_has(&subject->dir, subject->file),
	    "%s: left in place", what);
	stores_close(store);
	ck_assert(temp_dir_has(&subject->dir, subject->file));
	store = stores_open(&subject->dir, true);
	bat_status(store, &status);
	ck_assert_msg(status.source == BAT_SOURCE_ROWINDEX ||
		status.source == BAT_SOURCE_CHECKPOINT,
	    "%s: the new index is not believed", what);
	ck_assert_uint_eq(status.restored_count + status.tail_count -
		status.hidden_count,
	    count + 3);
	picture_of_some(store, PICTURE_WHOLE, 0, count, &got);
	stores_assert_same(&got, &subject->unindexed, what);
	stores_close(store);
	bat_bytes_free(&got);
}

/* ---- right ones --------------------------------------------------------- */

START_TEST(a_golden_index_is_believed_and_covers_what_it_says)
{
	struct bat_store *store;
	struct bat_status status;
	struct subject subject;

	subject_golden(&subject, indexed[_i]);
	subject_write(&subject, bat_bytes_of_buf(&subject.bytes));
	store = stores_open(&subject.dir, true);
	bat_status(store, &status);
	ck_assert_int_eq(status.source,
	    subject.file[6] == 'f' ? BAT_SOURCE_ROWINDEX :
				     BAT_SOURCE_CHECKPOINT);
	ck_assert_uint_eq(status.source_version, subject.rows.head.version);
	ck_assert_uint_eq(status.restored_count, subject.rows.count);
	ck_assert(!stores_report_has(store, "dropped"));
	stores_close(store);
	subject_free(&subject);
}
END_TEST

/* Versions 2 to 6 from the same events; 2 and 3 have no lanes, and an index
 * without lanes of events that have some is not right. */
START_TEST(a_checkpoint_of_each_version_gives_the_same_view)
{
	static const char *const shapes[] = { "ckpt-only", "reopened",
		"extensions", "hidden", "both-index", "crashed-after-index" };
	struct subject subject;

	subject_golden(&subject, shapes[_i]);
	subject.file = "index.ckpt";
	for (uint16_t version = 2; version <= 6; version++) {
		const struct bat_checkpoint_source source = rows_source(
		    &subject.rows);
		const struct bat_checkpoint_input input = rows_input(
		    &subject.rows, &source);
		struct bat_buf file = BAT_BUF_EMPTY;
		struct bat_status status;
		struct bat_store *store;

		ck_assert_int_eq(
		    bat_checkpoint_encode(&input, version, &file, NULL), 0);
		subject_write(&subject, bat_bytes_of_buf(&file));
		store = stores_open(&subject.dir, true);
		bat_status(store, &status);
		ck_assert_int_eq(status.source, BAT_SOURCE_CHECKPOINT);
		ck_assert_uint_eq(status.source_version, version);
		stores_close(store);
		assert_as_without(&subject, false, shapes[_i]);
		bat_bytes_free(&file);
	}
	subject_free(&subject);
}
END_TEST

START_TEST(beside_a_row_index_that_holds_the_checkpoint_is_stale)
{
	struct bat_store *store;
	struct bat_status status;
	struct temp_dir dir;

	stores_golden(&dir, "both-index");
	store = stores_open(&dir, false);
	bat_status(store, &status);
	ck_assert_int_eq(status.source, BAT_SOURCE_ROWINDEX);
	stores_append(store, "player:new", "\xa1x");
	ck_assert(temp_dir_has(&dir, "index.fbati"));
	ck_assert(!temp_dir_has(&dir, "index.ckpt"));
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(beside_a_row_index_that_does_not_hold_the_checkpoint_is_asked)
{
	struct bat_store *store;
	struct bat_status status;
	struct temp_dir dir;

	stores_golden(&dir, "both-index");
	temp_dir_flip(&dir, "index.fbati", 100, 1);
	store = stores_open(&dir, false);
	bat_status(store, &status);
	ck_assert_int_eq(status.source, BAT_SOURCE_CHECKPOINT);
	ck_assert_uint_gt(status.tail_count, 0);
	ck_assert(stores_report_has(store, "index.fbati: dropped"));
	stores_append(store, "player:new", "\xa1x");
	ck_assert(!temp_dir_has(&dir, "index.fbati"));
	ck_assert(temp_dir_has(&dir, "index.ckpt"));
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* ---- wrong ones --------------------------------------------------------- */

START_TEST(an_index_with_a_row_less_is_dropped)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct subject subject;
	size_t step;

	subject_golden(&subject, indexed[_i]);
	step = subject.rows.count < 20 ? 3 : subject.rows.count / 5;
	for (size_t gone = 0; gone < subject.rows.count;
	     gone += gone == 0 && step > 1 ? step - 1 : step) {
		struct rows *rows = &subject.rows;
		struct bat_row row = rows->rows[gone];
		struct bat_slice map = rows->maps[gone];
		size_t behind = rows->count - gone - 1;

		memmove(&rows->rows[gone], &rows->rows[gone + 1],
		    behind * sizeof(row));
		memmove(&rows->maps[gone], &rows->maps[gone + 1],
		    behind * sizeof(map));
		rows->count--;
		subject_encode(&subject, &file);
		memmove(&rows->rows[gone + 1], &rows->rows[gone],
		    behind * sizeof(row));
		memmove(&rows->maps[gone + 1], &rows->maps[gone],
		    behind * sizeof(map));
		rows->rows[gone] = row;
		rows->maps[gone] = map;
		rows->count++;
		subject_write(&subject, bat_bytes_of_buf(&file));
		assert_as_without(&subject, true, indexed[_i]);
	}
	assert_replaced(&subject, indexed[_i]);
	bat_bytes_free(&file);
	subject_free(&subject);
}
END_TEST

START_TEST(an_index_of_another_store_is_dropped)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct subject subject, other;

	subject_golden(&subject, indexed[_i]);
	subject_golden(&other, indexed[(_i + 1) % INDEXED]);
	other.file = subject.file;
	other.rows.head.watermark_segment = subject.rows.head.watermark_segment;
	other.rows.head.watermark_offset = subject.rows.head.watermark_offset;
	for (size_t i = 0; i < other.rows.count; i++)
		if (other.rows.rows[i].segment >
		    other.rows.head.watermark_segment)
			other.rows.rows[i].segment =
			    other.rows.head.watermark_segment;
	subject_encode(&other, &file);
	subject_write(&subject, bat_bytes_of_buf(&file));
	assert_as_without(&subject, true, indexed[_i]);
	assert_replaced(&subject, indexed[_i]);
	bat_bytes_free(&file);
	subject_free(&subject);
	subject_free(&other);
}
END_TEST

START_TEST(the_names_of_a_dropped_index_are_not_handed_on)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct subject subject, other;

	subject_golden(&subject, "quickstart");
	subject_golden(&other, "coordinates");
	subject_write(&subject, bat_bytes_of_buf(&other.bytes));
	assert_replaced(&subject, "foreign names");
	temp_dir_read(&subject.dir, subject.file, &file);
	ck_assert_ptr_nonnull(
	    memmem(file.data, file.length, "player:alice", 12));
	for (size_t i = 2; i < other.rows.names.count; i++) {
		struct bat_slice name = bat_intern_get(&other.rows.names,
		    (uint32_t)i);

		ck_assert(name.length < 12 ||
		    memmem(file.data, file.length, name.data, name.length) ==
			NULL);
	}
	bat_bytes_free(&file);
	subject_free(&subject);
	subject_free(&other);
}
END_TEST

START_TEST(an_index_of_before_a_segment_went_is_dropped)
{
	struct subject subject;
	char name[BAT_SEGMENT_NAME_SIZE];
	uint64_t id = _i == 0 ? 1 : 3;

	subject_golden(&subject, "reopened");
	bat_segment_name(id, name);
	temp_dir_unlink(&subject.dir, name);
	bat_bytes_clear(&subject.unindexed);
	stores_picture(&subject.dir, PICTURE_WHOLE, &subject.unindexed);
	subject_write(&subject, bat_bytes_of_buf(&subject.bytes));
	assert_as_without(&subject, true, "a segment is missing");
	assert_replaced(&subject, "a segment is missing");
	subject_free(&subject);
}
END_TEST

/* A segment below the watermark of which it has no rows at all. */
START_TEST(an_index_of_before_a_segment_came_is_dropped)
{
	struct subject subject;
	struct bat_buf file = BAT_BUF_EMPTY;
	size_t kept = 0;

	subject_golden(&subject, "reopened");
	for (size_t i = 0; i < subject.rows.count; i++)
		if (subject.rows.rows[i].segment != 2) {
			subject.rows.rows[kept] = subject.rows.rows[i];
			subject.rows.maps[kept++] = subject.rows.maps[i];
		}
	subject.rows.count = kept;
	subject_encode(&subject, &file);
	subject_write(&subject, bat_bytes_of_buf(&file));
	assert_as_without(&subject, true, "no rows of a segment");
	assert_replaced(&subject, "no rows of a segment");
	bat_bytes_free(&file);
	subject_free(&subject);
}
END_TEST

/* Segments 1 to 3 become one, as a compaction does; the index is older. */
START_TEST(an_index_of_before_a_compaction_is_dropped)
{
	struct subject subject;
	struct bat_buf merged = BAT_BUF_EMPTY;

	subject_golden(&subject, "reopened");
	for (uint64_t id = 1; id <= 3; id++) {
		struct bat_buf file = BAT_BUF_EMPTY;
		char name[BAT_SEGMENT_NAME_SIZE];
		size_t start, end;

		bat_segment_name(id, name);
		temp_dir_read(&subject.dir, name, &file);
		start = id == 1 ? 0 : 8 + bat_bytes_get_be32(file.data + 4);
		end = (size_t)bat_bytes_get_le64(file.data + file.length - 16);
		ck_assert_int_eq(bat_bytes_append(&merged, file.data + start,
				     end - start),
		    0);
		temp_dir_unlink(&subject.dir, name);
		bat_bytes_free(&file);
	}
	temp_dir_write(&subject.dir, "000001.fbat", bat_bytes_of_buf(&merged));
	bat_bytes_clear(&subject.unindexed);
	stores_picture(&subject.dir, PICTURE_WHOLE, &subject.unindexed);
	subject_write(&subject, bat_bytes_of_buf(&subject.bytes));
	assert_as_without(&subject, true, "of before a compaction");
	assert_replaced(&subject, "of before a compaction");
	bat_bytes_free(&merged);
	subject_free(&subject);
}
END_TEST

START_TEST(a_cut_index_is_dropped)
{
	struct subject subject;
	size_t step;

	subject_golden(&subject, indexed[_i]);
	step = subject.bytes.length / 9 + 1;
	for (size_t length = 0; length < subject.bytes.length;
	     length += length < 16 ? 5 : step) {
		subject_write(&subject,
		    bat_bytes_slice(subject.bytes.data, length));
		assert_as_without(&subject, true, indexed[_i]);
	}
	subject_write(&subject,
	    bat_bytes_slice(subject.bytes.data, subject.bytes.length - 1));
	assert_as_without(&subject, true, indexed[_i]);
	assert_replaced(&subject, indexed[_i]);
	subject_free(&subject);
}
END_TEST

/* Bytes 6 and 7 are the version, which the CRC does not cover: version 4 with
 * the content of 6 is right still. */
START_TEST(an_index_with_a_flipped_byte_changes_nothing)
{
	struct subject subject;
	size_t step;

	subject_golden(&subject, indexed[_i]);
	step = subject.bytes.length / 11 + 1;
	for (size_t at = 0; at < subject.bytes.length;
	     at += at < 13 ? 1 : step) {
		uint8_t mask = (uint8_t)(1u << at % 8);

		subject.bytes.data[at] ^= mask;
		subject_write(&subject, bat_bytes_of_buf(&subject.bytes));
		subject.bytes.data[at] ^= mask;
		assert_as_without(&subject, at != 6, indexed[_i]);
	}
	assert_replaced(&subject, indexed[_i]);
	subject_free(&subject);
}
END_TEST

/* ---- rows that lie ------------------------------------------------------ */

static void
made_free(struct temp_dir *dir, struct maker *maker, struct bat_buf *index)
{
	temp_dir_remove(dir);
	maker_free(maker);
	bat_bytes_free(index);
}

static void
assert_made(const struct temp_dir *dir, uint64_t events, bool dropped,
    const char *what)
{
	for (int read_only = 1; read_only >= 0; read_only--) {
		struct bat_store *store = stores_open(dir, read_only == 1);
		struct bat_buf picture = BAT_BUF_EMPTY;
		struct bat_head head;

		bat_head(store, &head);
		ck_assert_msg(head.visible_count == events, "%s: %u events",
		    what, (unsigned)head.visible_count);
		ck_assert_msg(stores_report_has(store, "dropped") == dropped,
		    "%s: dropped or not", what);
		picture_of(store, PICTURE_WHOLE, &picture);
		ck_assert_ptr_null(
		    memmem(picture.data, picture.length, "damaged", 7));
		stores_close(store);
		bat_bytes_free(&picture);
	}
}

/* Of as many bytes, but the frames begin elsewhere: what is read there is no
 * damage of the store. */
START_TEST(rows_with_other_boundaries_are_a_lie_and_no_damage)
{
	struct bat_buf index = BAT_BUF_EMPTY;
	struct temp_dir dir;
	struct maker maker;

	for (int moved = 0; moved < 3; moved++)
		for (int by = -3; by <= 3; by += 6) {
			struct bat_row *row;

			maker_init(&maker);
			temp_dir_make(&dir);
			maker_segment(&maker, 1);
			maker_event(&maker, "player:a",
			    "\xa1"
			    "1");
			maker_event(&maker, "player:b",
			    "\xa1"
			    "2");
			maker_event(&maker, "player:c",
			    "\xa1"
			    "3");
			maker_event(&maker, "player:d",
			    "\xa1"
			    "4");
			maker_save(&maker, &dir);
			row = &maker.rows[moved];
			row[0].length += (uint32_t)by;
			row[1].offset += (uint64_t)by;
			row[1].length -= (uint32_t)by;
			maker_index(&maker, true, 5, &index);
			temp_dir_write(&dir, "index.fbati",
			    bat_bytes_of_buf(&index));
			assert_made(&dir, 4, true, "moved");
			made_free(&dir, &maker, &index);
			index = BAT_BUF_EMPTY;
		}
}
END_TEST

/* Same lengths, other events. */
START_TEST(rows_of_other_events_at_the_same_places_are_a_lie)
{
	struct bat_buf index = BAT_BUF_EMPTY;
	struct maker maker, other;
	struct temp_dir dir;

	maker_init(&maker);
	maker_init(&other);
	other.ids_given = 100;
	temp_dir_make(&dir);
	maker_segment(&other, 1);
	maker_event(&other, "player:a",
	    "\xa1"
	    "1");
	maker_event(&other, "player:a",
	    "\xa1"
	    "2");
	maker_segment(&maker, 1);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "1");
	maker_event(&maker, "player:a",
	    "\xa1"
	    "2");
	maker_save(&maker, &dir);
	ck_assert_uint_eq(maker.file.length, other.file.length);
	maker_index(&other, false, 6, &index);
	temp_dir_write(&dir, "index.ckpt", bat_bytes_of_buf(&index));
	assert_made(&dir, 2, true, "other events");
	maker_free(&other);
	made_free(&dir, &maker, &index);
}
END_TEST

/* Where a batch failed and events were appended behind its BEGIN, the index
 * alone knows that they are none of its items. */
START_TEST(rows_behind_an_unfinished_begin_are_believed)
{
	struct bat_buf index = BAT_BUF_EMPTY;
	struct maker maker;
	struct temp_dir dir;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "1");
	maker_marker(&maker, 6, 2);
	maker.unlisted = true;
	maker_event(&maker, "player:a", "\xa1i");
	maker_event(&maker, "player:a",
	    "\xa1"
	    "2");
	maker_event(&maker, "player:a",
	    "\xa1"
	    "3");
	maker_save(&maker, &dir);
	maker_index(&maker, false, 6, &index);
	temp_dir_write(&dir, "index.ckpt", bat_bytes_of_buf(&index));
	assert_made(&dir, 3, false, "behind a failed batch");
	made_free(&dir, &maker, &index);
}
END_TEST

START_TEST(events_that_the_batch_rule_drops_need_no_rows)
{
	struct bat_buf index = BAT_BUF_EMPTY;
	struct maker maker;
	struct temp_dir dir;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "1");
	maker_marker(&maker, 6, 2);
	maker.unlisted = true;
	maker_event(&maker, "player:a",
	    "\xa1"
	    "2");
	maker_marker(&maker, 7, 0);
	maker_marker(&maker, 6, 1);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "3");
	maker_marker(&maker, 7, 0);
	maker_marker(&maker, 7, 0);
	maker_save(&maker, &dir);
	maker_index(&maker, false, 6, &index);
	temp_dir_write(&dir, "index.ckpt", bat_bytes_of_buf(&index));
	assert_made(&dir, 2, false, "an aborted batch without rows");
	made_free(&dir, &maker, &index);
}
END_TEST

START_TEST(an_index_over_a_torn_tail_goes_before_the_cut)
{
	struct bat_buf index = BAT_BUF_EMPTY, saved = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct maker maker;
	struct temp_dir dir;
	struct bat_head head;
	size_t sound;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "1");
	sound = maker.file.length;
	maker_bytes(&maker, "\0\0\1\0torn", 8);
	maker_save(&maker, &dir);
	maker_index(&maker, true, 5, &index);
	temp_dir_write(&dir, "index.fbati", bat_bytes_of_buf(&index));
	store = stores_open(&dir, false);
	ck_assert(!stores_report_has(store, "dropped"));
	ck_assert(stores_report_has(store, "torn tail"));
	stores_append(store, "player:a",
	    "\xa1"
	    "2");
	ck_assert(!temp_dir_has(&dir, "index.fbati"));
	temp_dir_read(&dir, "000001.fbat", &saved);
	ck_assert_uint_eq(saved.length, sound);
	stores_close(store);
	ck_assert(temp_dir_has(&dir, "index.fbati"));
	store = stores_open(&dir, true);
	bat_head(store, &head);
	ck_assert_uint_eq(head.visible_count, 4);
	ck_assert(!stores_report_has(store, "torn"));
	stores_close(store);
	bat_bytes_free(&saved);
	made_free(&dir, &maker, &index);
}
END_TEST

/* A frame whose CRC is bad is damage, whatever is sampled: the row stays. */
/* What an index has rows of was acknowledged: where such a batch has lost its
 * COMMIT, a cut from its BEGIN on would take it. */
START_TEST(a_bad_frame_behind_items_with_rows_is_no_torn_tail)
{
	struct bat_options writable = { .read_only = false };
	struct bat_buf index = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct bat_error error;
	struct maker maker;
	struct temp_dir dir;
	struct bat_head head;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "1");
	maker_marker(&maker, 6, 2);
	maker_event(&maker, "player:a",
	    "\xa1"
	    "2");
	maker_event(&maker, "player:a",
	    "\xa1"
	    "3");
	maker_bytes(&maker, "\0\0\0\x51torn", 8);
	maker_save(&maker, &dir);
	maker_index(&maker, true, 5, &index);
	temp_dir_write(&dir, "index.fbati", bat_bytes_of_buf(&index));
	store = stores_open(&dir, true);
	bat_head(store, &head);
	ck_assert_uint_eq(head.visible_count, 3);
	stores_close(store);
	ck_assert_int_eq(bat_open(dir.path, &writable, &store, &error),
	    BAT_DATA_CORRUPT);
	temp_dir_read(&dir, "000001.fbat", &after);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&after),
	    bat_bytes_of_buf(&maker.file)));
	bat_bytes_free(&after);
	made_free(&dir, &maker, &index);
}
END_TEST

START_TEST(a_damaged_frame_does_not_drop_the_index)
{
	struct bat_buf index = BAT_BUF_EMPTY, picture = BAT_BUF_EMPTY;
	struct bat_error error = { .text = "" };
	struct bat_store *store;
	struct maker maker;
	struct temp_dir dir;
	uint64_t second, at;

	for (int place = 0; place < 3; place++) {
		maker_init(&maker);
		temp_dir_make(&dir);
		maker_segment(&maker, 1);
		maker_event(&maker, "player:a",
		    "\xa1"
		    "1");
		second = maker_event(&maker, "player:a",
		    "\xa1"
		    "2");
		maker_event(&maker, "player:a",
		    "\xa1"
		    "3");
		maker_save(&maker, &dir);
		maker_index(&maker, true, 5, &index);
		temp_dir_write(&dir, "index.fbati", bat_bytes_of_buf(&index));
		/* In the body, in the CRC, in the length. */
		at = second + (place == 0 ? 60 : place == 1 ? 5 : 2);
		temp_dir_flip(&dir, "000001.fbat", at, 4);
		ck_assert_int_eq(bat_open(dir.path, NULL, &store, &error),
		    BAT_DATA_CORRUPT);
		ck_assert_uint_eq(error.offset, second);
		store = stores_open(&dir, true);
		ck_assert(!stores_report_has(store, "dropped"));
		picture_of(store, PICTURE_WHOLE, &picture);
		ck_assert_ptr_nonnull(memmem(picture.data, picture.length,
		    "damaged\tseq=1\tid=", 17));
		stores_close(store);
		bat_bytes_clear(&picture);
		made_free(&dir, &maker, &index);
		index = BAT_BUF_EMPTY;
	}
	bat_bytes_free(&picture);
}
END_TEST

static TCase *
golden(void)
{
	TCase *tcase = tcase_create("golden");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase,
	    a_golden_index_is_believed_and_covers_what_it_says, 0, INDEXED);
	tcase_add_loop_test(tcase,
	    a_checkpoint_of_each_version_gives_the_same_view, 0, 6);
	tcase_add_loop_test(tcase, an_index_with_a_row_less_is_dropped, 0,
	    INDEXED);
	tcase_add_loop_test(tcase, an_index_of_another_store_is_dropped, 0,
	    INDEXED);
	tcase_add_loop_test(tcase, a_cut_index_is_dropped, 0, INDEXED);
	tcase_add_loop_test(tcase, an_index_with_a_flipped_byte_changes_nothing,
	    0, INDEXED);
	return tcase;
}

static TCase *
made(void)
{
	TCase *tcase = tcase_create("made");

	tcase_add_test(tcase,
	    beside_a_row_index_that_holds_the_checkpoint_is_stale);
	tcase_add_test(tcase,
	    beside_a_row_index_that_does_not_hold_the_checkpoint_is_asked);
	tcase_add_test(tcase, the_names_of_a_dropped_index_are_not_handed_on);
	tcase_add_loop_test(tcase, an_index_of_before_a_segment_went_is_dropped,
	    0, 2);
	tcase_add_test(tcase, an_index_of_before_a_segment_came_is_dropped);
	tcase_add_test(tcase, an_index_of_before_a_compaction_is_dropped);
	tcase_add_test(tcase,
	    rows_with_other_boundaries_are_a_lie_and_no_damage);
	tcase_add_test(tcase,
	    rows_of_other_events_at_the_same_places_are_a_lie);
	tcase_add_test(tcase, rows_behind_an_unfinished_begin_are_believed);
	tcase_add_test(tcase, events_that_the_batch_rule_drops_need_no_rows);
	tcase_add_test(tcase, an_index_over_a_torn_tail_goes_before_the_cut);
	tcase_add_test(tcase,
	    a_bad_frame_behind_items_with_rows_is_no_torn_tail);
	tcase_add_test(tcase, a_damaged_frame_does_not_drop_the_index);
	return tcase;
}

int
main(void)
{
	Suite *suite = suite_create("recovery_index");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, golden());
	suite_add_tcase(suite, made());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
