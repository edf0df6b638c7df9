#include "segment_writer.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "faulty_disk.h"
#include "kind.h"
#include "segment_reader.h"
#include "suite.h"
#include "temp_dir.h"

static struct temp_dir temp;
static struct faulty_disk faulty;
static struct bat_segment_dir dir;
static struct bat_segment_writer writer;
static struct bat_intern names;
static struct bat_error error;
static struct bat_buf frames;

/* Of the events that were appended. */
enum { ROWS_MAX = 64 };
static struct bat_row kept[ROWS_MAX];
static size_t row_count;

static void
set_up(void)
{
	uint32_t number;

	row_count = 0;
	temp_dir_make(&temp);
	faulty_disk_init(&faulty, bat_file_posix());
	error = (struct bat_error){ 0 };
	frames = BAT_BUF_EMPTY;
	bat_intern_init(&names);
	ck_assert_int_eq(
	    bat_intern_put(&names, bat_bytes_text("scope"), &number), 0);
	ck_assert_int_eq(
	    bat_intern_put(&names, bat_bytes_text("entity"), &number), 0);
	ck_assert_int_eq(bat_segment_dir_open(&dir, &faulty.disk, temp.path,
			     false, NULL),
	    0);
	ck_assert_int_eq(bat_segment_dir_scan(&dir, NULL), 0);
	writer.fd = -1;
}

static void
tear_down(void)
{
	bat_segment_writer_close(&writer);
	bat_segment_dir_close(&dir);
	bat_intern_free(&names);
	bat_bytes_free(&frames);
	temp_dir_remove(&temp);
}

static void
create(void)
{
	ck_assert_int_eq(bat_segment_writer_create(&writer, &dir, 1, 5, &error),
	    0);
}

static uint64_t
file_size(void)
{
	struct bat_file_stat stat;

	ck_assert_int_eq(
	    bat_file_posix()->stat_at(NULL, dir.dir, "000001.fbat", &stat), 0);
	return stat.size;
}

/* Append one event and keep its row. */
static int
append_event(uint8_t number)
{
	struct bat_event event = { .kind = BAT_KIND_DATA, .has_chain = true };
	struct bat_row row = { .entity = 1, .scope = 0, .seq = number };
	int code;

	event.id.bytes[15] = number;
	event.corr = event.id;
	event.clock = number;
	event.entity = bat_bytes_text("entity");
	event.scope = bat_bytes_text("scope");
	event.hash = bat_hash_of(bat_bytes_text("\x01"));
	bat_bytes_clear(&frames);
	ck_assert_int_eq(bat_frame_open(&frames), 0);
	ck_assert_int_eq(bat_codec_encode(&event, bat_bytes_text("\x01"), NULL,
			     0, &frames),
	    0);
	bat_frame_seal(&frames, 0);
	row.id = event.id;
	row.corr = event.corr;
	row.clock = event.clock;
	row.hash = event.hash;
	row.kind = event.kind;
	row.offset = writer.size;
	row.length = (uint32_t)frames.length;
	code = bat_segment_writer_append(&writer, bat_bytes_of_buf(&frames),
	    &error);
	if (code == 0) {
		ck_assert_uint_lt(row_count, ROWS_MAX);
		kept[row_count++] = row;
	}
	return code;
}

/* With a footer of the rows that were kept. */
static int
seal(void)
{
	struct bat_buf footer = BAT_BUF_EMPTY;
	int code;

	ck_assert_int_eq(bat_segment_encode_footer(kept, row_count, &names,
			     writer.size, &footer),
	    0);
	code = bat_segment_writer_seal(&writer, bat_bytes_of_buf(&footer),
	    &error);
	bat_bytes_free(&footer);
	return code;
}

/* How many whole events the file holds; nothing else may be in it. */
static unsigned
count_events(bool *out_footer)
{
	struct bat_segment_reader reader;
	struct bat_segment_item item;
	unsigned count = 0;
	int code;

	ck_assert_int_eq(bat_segment_reader_open(&reader, &dir, 1, &error), 0);
	while ((code = bat_segment_reader_next(&reader, &item, &error)) == 0) {
		ck_assert_int_eq(item.state, BAT_FRAME_WHOLE);
		ck_assert(item.decoded);
		count++;
	}
	ck_assert_int_eq(code, BAT_END);
	*out_footer = reader.has_footer;
	bat_segment_reader_close(&reader);
	return count;
}

START_TEST(a_segment_appears_with_its_whole_header)
{
	bool footer;

	create();
	ck_assert_uint_eq(writer.size, 49);
	ck_assert_uint_eq(writer.synced, 49);
	ck_assert_uint_eq(file_size(), 49);
	ck_assert_uint_eq(temp_dir_count(&temp), 1);
	ck_assert_ptr_nonnull(bat_segment_dir_find(&dir, 1));
	ck_assert_uint_eq(count_events(&footer), 0);
	ck_assert(!footer);
	/* The file, then its name. */
	ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_SYNC), 2);
}
END_TEST

START_TEST(a_segment_that_is_there_is_left_alone)
{
	struct bat_buf content = BAT_BUF_EMPTY;

	temp_dir_write(&temp, "000001.fbat", bat_bytes_text("precious"));
	ck_assert_int_eq(bat_segment_writer_create(&writer, &dir, 1, 5, &error),
	    BAT_STATE_EXISTS);
	temp_dir_read(&temp, "000001.fbat", &content);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&content),
	    bat_bytes_text("precious")));
	ck_assert_uint_eq(temp_dir_count(&temp), 1);
	bat_bytes_free(&content);
}
END_TEST

START_TEST(a_failed_create_leaves_nothing)
{
	static const enum faulty_operation operations[] = { FAULTY_OPEN,
		FAULTY_WRITE, FAULTY_SYNC, FAULTY_RENAME, FAULTY_STAT,
		FAULTY_RANDOM };

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]);
	     i++) {
		for (unsigned nth = 1; nth <= 2; nth++) {
			int code;

			faulty_disk_reset(&faulty);
			faulty_disk_fail(&faulty, operations[i], nth, ENOSPC,
			    false);
			code = bat_segment_writer_create(&writer, &dir, 1, 5,
			    &error);
			if (code == 0) {
				/* There was no such call. */
				ck_assert_uint_lt(faulty_disk_calls(&faulty,
						      operations[i]),
				    nth);
				bat_segment_writer_close(&writer);
				temp_dir_unlink(&temp, "000001.fbat");
				ck_assert_int_eq(
				    bat_segment_dir_scan(&dir, NULL), 0);
				continue;
			}
			ck_assert_int_eq(code,
			    operations[i] == FAULTY_SYNC ? BAT_STATE_STOPPED :
							   BAT_WORLD_NO_SPACE);
			ck_assert_uint_eq(temp_dir_count(&temp), 0);
			ck_assert_uint_eq(dir.count, 0);
			ck_assert_int_eq(writer.fd, -1);
		}
	}
}
END_TEST

START_TEST(frames_are_appended_with_one_write_each)
{
	bool footer;

	create();
	faulty_disk_reset(&faulty);
	for (uint8_t i = 0; i < 5; i++)
		ck_assert_int_eq(append_event(i), 0);
	ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_WRITE), 5);
	ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_SYNC_DATA), 0);
	ck_assert_uint_eq(writer.synced, 49);
	ck_assert_int_eq(bat_segment_writer_sync(&writer, &error), 0);
	ck_assert_uint_eq(writer.synced, writer.size);
	ck_assert_uint_eq(writer.size, file_size());
	ck_assert_uint_eq(count_events(&footer), 5);
	/* Nothing new, nothing to sync. */
	ck_assert_int_eq(bat_segment_writer_sync(&writer, &error), 0);
	ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_SYNC_DATA), 1);
}
END_TEST

START_TEST(a_short_write_is_finished)
{
	bool footer;

	create();
	faulty_disk_shorten(&faulty, FAULTY_WRITE, 1, 3);
	ck_assert_int_eq(append_event(1), 0);
	ck_assert_uint_eq(count_events(&footer), 1);
}
END_TEST

START_TEST(a_failed_write_is_cut_back_at_every_length)
{
	uint64_t size;
	bool footer;

	create();
	ck_assert_int_eq(append_event(1), 0);
	size = writer.size;
	for (size_t part = 1; part < frames.length; part += 7) {
		faulty_disk_reset(&faulty);
		faulty_disk_shorten(&faulty, FAULTY_WRITE, 1, part);
		faulty_disk_fail(&faulty, FAULTY_WRITE, 2, ENOSPC, false);
		ck_assert_int_eq(append_event(2), BAT_WORLD_NO_SPACE);
		ck_assert_uint_eq(writer.size, size);
		ck_assert_uint_eq(file_size(), size);
		ck_assert(!writer.broken);
	}
	/* There is space again: it goes on. */
	ck_assert_int_eq(append_event(2), 0);
	ck_assert_uint_eq(count_events(&footer), 2);
}
END_TEST

START_TEST(a_write_that_cannot_be_cut_back_breaks_for_good)
{
	uint64_t size;

	create();
	ck_assert_int_eq(append_event(1), 0);
	size = writer.size;
	faulty_disk_shorten(&faulty, FAULTY_WRITE, 1, 10);
	faulty_disk_fail(&faulty, FAULTY_WRITE, 2, EIO, false);
	faulty_disk_fail(&faulty, FAULTY_TRUNCATE, 1, EIO, false);
	ck_assert_int_eq(append_event(2), BAT_STATE_STOPPED);
	ck_assert_int_eq(error.code, BAT_STATE_STOPPED);
	ck_assert(writer.broken);
	ck_assert_uint_eq(writer.size, size);
	faulty_disk_reset(&faulty);
	ck_assert_int_eq(append_event(2), BAT_STATE_STOPPED);
	ck_assert_int_eq(bat_segment_writer_sync(&writer, &error),
	    BAT_STATE_STOPPED);
	ck_assert_int_eq(bat_segment_writer_cut_back(&writer, 49, &error),
	    BAT_STATE_STOPPED);
	ck_assert_int_eq(seal(), BAT_STATE_STOPPED);
	ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_WRITE), 0);
	ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_TRUNCATE), 0);
}
END_TEST

START_TEST(a_failed_sync_breaks_for_good_whatever_its_errno)
{
	static const int errnos[] = { EIO, ENOSPC, EDQUOT };

	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++) {
		create();
		ck_assert_int_eq(append_event(1), 0);
		faulty_disk_reset(&faulty);
		faulty_disk_fail(&faulty, FAULTY_SYNC_DATA, 1, errnos[i],
		    false);
		ck_assert_int_eq(bat_segment_writer_sync(&writer, &error),
		    BAT_STATE_STOPPED);
		ck_assert_int_eq(error.os_errno, errnos[i]);
		ck_assert_uint_eq(writer.synced, 49);
		/* No second try, by no way. */
		ck_assert_int_eq(bat_segment_writer_sync(&writer, &error),
		    BAT_STATE_STOPPED);
		ck_assert_int_eq(append_event(2), BAT_STATE_STOPPED);
		ck_assert_int_eq(seal(), BAT_STATE_STOPPED);
		ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_SYNC_DATA),
		    1);
		ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_SYNC), 0);
		ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_WRITE), 0);
		bat_segment_writer_close(&writer);
		temp_dir_unlink(&temp, "000001.fbat");
		ck_assert_int_eq(bat_segment_dir_scan(&dir, NULL), 0);
	}
}
END_TEST

START_TEST(unsynced_frames_can_be_taken_back)
{
	uint64_t size;
	bool footer;

	create();
	ck_assert_int_eq(append_event(1), 0);
	ck_assert_int_eq(bat_segment_writer_sync(&writer, &error), 0);
	size = writer.size;
	ck_assert_int_eq(append_event(2), 0);
	ck_assert_int_eq(append_event(3), 0);
	ck_assert_int_eq(bat_segment_writer_cut_back(&writer, size, &error), 0);
	ck_assert_uint_eq(file_size(), size);
	ck_assert_int_eq(append_event(4), 0);
	faulty_disk_fail(&faulty, FAULTY_TRUNCATE, 1, EIO, false);
	ck_assert_int_eq(bat_segment_writer_cut_back(&writer, size, &error),
	    BAT_STATE_STOPPED);
	ck_assert_uint_eq(count_events(&footer), 2);
}
END_TEST

START_TEST(a_sealed_segment_has_a_footer_and_is_never_written)
{
	struct bat_buf table = BAT_BUF_EMPTY, rows = BAT_BUF_EMPTY;
	struct bat_segment_reader reader;
	struct bat_slice *strings;
	uint32_t count;
	bool footer;

	create();
	for (uint8_t i = 0; i < 3; i++)
		ck_assert_int_eq(append_event(i), 0);
	faulty_disk_reset(&faulty);
	ck_assert_int_eq(seal(), 0);
	ck_assert(writer.sealed);
	ck_assert_uint_eq(writer.synced, file_size());
	ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_WRITE), 1);
	ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_SYNC), 1);
	ck_assert_uint_eq(count_events(&footer), 3);
	ck_assert(footer);
	ck_assert_int_eq(append_event(4), BAT_STATE_CLOSED);
	ck_assert_int_eq(seal(), BAT_STATE_CLOSED);

	ck_assert_int_eq(bat_segment_reader_open(&reader, &dir, 1, NULL), 0);
	ck_assert_int_eq(bat_segment_reader_footer(&reader, &table, &strings,
			     &count, &rows, &error),
	    0);
	/* First use: the entity, then the scope. */
	ck_assert_uint_eq(count, 2);
	ck_assert(bat_bytes_equal(strings[0], bat_bytes_text("entity")));
	for (uint32_t i = 0; i < 3; i++) {
		struct bat_row row;

		bat_segment_decode_row(
		    rows.data + (size_t)i * BAT_SEGMENT_ROW_SIZE, &row);
		ck_assert_uint_eq(row.seq, i);
		ck_assert_uint_eq(row.clock, i);
		ck_assert_uint_eq(row.entity, 0);
		ck_assert_uint_eq(row.scope, 1);
	}
	free(strings);
	bat_bytes_free(&table);
	bat_bytes_free(&rows);
	bat_segment_reader_close(&reader);
}
END_TEST

START_TEST(without_space_for_its_footer_a_segment_is_sealed_bare)
{
	bool footer;

	create();
	ck_assert_int_eq(append_event(1), 0);
	faulty_disk_shorten(&faulty, FAULTY_WRITE, 1, 50);
	faulty_disk_fail(&faulty, FAULTY_WRITE, 2, ENOSPC, false);
	ck_assert_int_eq(seal(), 0);
	ck_assert(writer.sealed);
	ck_assert_uint_eq(file_size(), writer.size);
	ck_assert_uint_eq(writer.synced, writer.size);
	ck_assert_uint_eq(count_events(&footer), 1);
	ck_assert(!footer);
}
END_TEST

START_TEST(a_footer_that_fails_otherwise_is_an_error)
{
	bool footer;

	create();
	ck_assert_int_eq(append_event(1), 0);
	faulty_disk_shorten(&faulty, FAULTY_WRITE, 1, 50);
	faulty_disk_fail(&faulty, FAULTY_WRITE, 2, EIO, false);
	ck_assert_int_eq(seal(), BAT_WORLD_IO);
	ck_assert(!writer.sealed && !writer.broken);
	ck_assert_uint_eq(count_events(&footer), 1);
	faulty_disk_reset(&faulty);
	faulty_disk_fail(&faulty, FAULTY_SYNC, 1, EIO, false);
	ck_assert_int_eq(seal(), BAT_STATE_STOPPED);
	ck_assert(!writer.sealed && writer.broken);
}
END_TEST

START_TEST(a_segment_may_be_sealed_without_a_footer)
{
	uint64_t size;
	bool footer;

	create();
	ck_assert_int_eq(append_event(1), 0);
	size = writer.size;
	ck_assert_int_eq(
	    bat_segment_writer_seal(&writer, BAT_SLICE_EMPTY, &error), 0);
	ck_assert(writer.sealed);
	ck_assert_uint_eq(file_size(), size);
	ck_assert_uint_eq(count_events(&footer), 1);
	ck_assert(!footer);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("segment_writer");
	TCase *tcase = tcase_create("segment_writer");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_segment_appears_with_its_whole_header);
	tcase_add_test(tcase, a_segment_that_is_there_is_left_alone);
	tcase_add_test(tcase, a_failed_create_leaves_nothing);
	tcase_add_test(tcase, frames_are_appended_with_one_write_each);
	tcase_add_test(tcase, a_short_write_is_finished);
	tcase_add_test(tcase, a_failed_write_is_cut_back_at_every_length);
	tcase_add_test(tcase, a_write_that_cannot_be_cut_back_breaks_for_good);
	tcase_add_test(tcase, a_failed_sync_breaks_for_good_whatever_its_errno);
	tcase_add_test(tcase, unsynced_frames_can_be_taken_back);
	tcase_add_test(tcase,
	    a_sealed_segment_has_a_footer_and_is_never_written);
	tcase_add_test(tcase,
	    without_space_for_its_footer_a_segment_is_sealed_bare);
	tcase_add_test(tcase, a_footer_that_fails_otherwise_is_an_error);
	tcase_add_test(tcase, a_segment_may_be_sealed_without_a_footer);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
