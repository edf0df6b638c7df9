#include "segment_reader.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "faulty_disk.h"
#include "kind.h"
#include "suite.h"
#include "temp_dir.h"

#define GOLDEN(name) TEST_DATA "/golden/" name "/store"

static struct temp_dir temp;
static struct faulty_disk faulty;
static struct bat_segment_dir dir;
static struct bat_segment_reader reader;
static struct bat_segment_item item;
static struct bat_error error;

static void
set_up(void)
{
	temp_dir_make(&temp);
	faulty_disk_init(&faulty, bat_file_posix());
	ck_assert_int_eq(bat_segment_dir_open(&dir, &faulty.disk, temp.path,
			     false, NULL),
	    0);
	error = (struct bat_error){ 0 };
	reader.fd = -1;
}

static void
tear_down(void)
{
	bat_segment_reader_close(&reader);
	bat_segment_dir_close(&dir);
	temp_dir_remove(&temp);
}

static int
open_segment(uint64_t id)
{
	ck_assert_int_eq(bat_segment_dir_scan(&dir, NULL), 0);
	return bat_segment_reader_open(&reader, &dir, id, &error);
}

static int
open_golden(const char *store, uint64_t id)
{
	temp_dir_fill(&temp, store);
	return open_segment(id);
}

/* Read on while frames are whole; how many there were. */
static unsigned
count_whole(int *out_last)
{
	unsigned count = 0;
	int code;

	while ((code = bat_segment_reader_next(&reader, &item, &error)) == 0) {
		if (item.state != BAT_FRAME_WHOLE)
			break;
		ck_assert(item.decoded);
		count++;
	}
	*out_last = code;
	return count;
}

START_TEST(a_sealed_segment_is_read_to_its_table)
{
	struct bat_buf rows = BAT_BUF_EMPTY, table = BAT_BUF_EMPTY;
	struct bat_slice *strings;
	uint32_t string_count;
	int code;

	ck_assert_int_eq(open_golden(GOLDEN("quickstart"), 1), 0);
	ck_assert_uint_eq(reader.header.id, 1);
	ck_assert(reader.has_footer);
	ck_assert_uint_eq(reader.end, reader.footer.table_offset);
	ck_assert_uint_eq(count_whole(&code), reader.footer.row_count);
	ck_assert_int_eq(code, BAT_END);
	ck_assert_uint_eq(reader.at, reader.end);

	ck_assert_int_eq(bat_segment_reader_footer(&reader, &table, &strings,
			     &string_count, &rows, &error),
	    0);
	bat_segment_reader_seek(&reader, reader.header.length, 0);
	for (uint32_t i = 0; i < reader.footer.row_count; i++) {
		struct bat_row row;

		bat_segment_decode_row(
		    rows.data + (size_t)i * BAT_SEGMENT_ROW_SIZE, &row);
		ck_assert_int_eq(
		    bat_segment_reader_next(&reader, &item, &error), 0);
		ck_assert_uint_eq(item.offset, row.offset);
		ck_assert_uint_eq(item.length, row.length);
		ck_assert(bat_id_equal(&item.event.id, &row.id));
		ck_assert(
		    bat_bytes_equal(item.event.entity, strings[row.entity]));
		ck_assert(
		    bat_bytes_equal(item.event.scope, strings[row.scope]));
	}
	free(strings);
	bat_bytes_free(&rows);
	bat_bytes_free(&table);
}
END_TEST

START_TEST(a_frame_longer_than_a_block_is_read_whole)
{
	int code;
	unsigned count;

	/* One payload of a mebibyte: its frame does not fit in a block. */
	ck_assert_int_eq(open_golden(GOLDEN("payloads"), 1), 0);
	count = count_whole(&code);
	ck_assert_int_eq(code, BAT_END);
	/* Its rows, and the two markers of its batch. */
	ck_assert_uint_eq(count, reader.footer.row_count + 2);
	ck_assert_uint_gt(reader.block.capacity, 1u << 20);
}
END_TEST

START_TEST(reading_allocates_one_block_for_all_frames)
{
	uint8_t *block;
	int code;

	ck_assert_int_eq(open_golden(GOLDEN("quickstart"), 1), 0);
	ck_assert_int_eq(bat_segment_reader_next(&reader, &item, &error), 0);
	block = reader.block.data;
	faulty_disk_reset(&faulty);
	ck_assert_uint_gt(count_whole(&code), 0);
	ck_assert_ptr_eq(reader.block.data, block);
	ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_READ), 0);
}
END_TEST

START_TEST(room_for_a_payload_is_used_by_one_call)
{
	uint8_t lane[4096], before[sizeof(lane)];

	ck_assert_int_eq(open_golden(GOLDEN("quickstart"), 1), 0);
	do {
		reader.room = (struct bat_buf){ lane, 0, sizeof(lane) };
		ck_assert_int_eq(
		    bat_segment_reader_next(&reader, &item, &error), 0);
	} while (item.event.payload.data != lane);
	memset(lane, 0xa5, sizeof(lane));
	memcpy(before, lane, sizeof(lane));
	ck_assert_int_eq(bat_segment_reader_next(&reader, &item, &error), 0);
	ck_assert(item.decoded);
	ck_assert_ptr_ne(item.event.payload.data, lane);
	ck_assert_mem_eq(lane, before, sizeof(lane));

	/* And by one that finds nothing to read. */
	reader.room = (struct bat_buf){ lane, 0, sizeof(lane) };
	bat_segment_reader_seek(&reader, reader.end, reader.end);
	ck_assert_int_eq(bat_segment_reader_next(&reader, &item, &error),
	    BAT_END);
	ck_assert_ptr_null(reader.room.data);
}
END_TEST

START_TEST(the_cursor_stays_at_what_is_not_whole)
{
	static const struct {
		const char *store;
		enum bat_frame_state state;
	} cases[] = {
		{ GOLDEN("torn-tail"), BAT_FRAME_SHORT },
		{ GOLDEN("zero-tail"), BAT_FRAME_ZERO },
		{ GOLDEN("bad-crc"), BAT_FRAME_CRC },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t at, found;
		int code;

		ck_assert_int_eq(open_golden(cases[i].store, 1), 0);
		ck_assert(!reader.has_footer);
		ck_assert_uint_gt(count_whole(&code), 2);
		ck_assert_int_eq(code, 0);
		ck_assert_int_eq(item.state, cases[i].state);
		at = reader.at;
		ck_assert_uint_eq(item.offset, at);
		ck_assert_int_eq(
		    bat_segment_reader_next(&reader, &item, &error), 0);
		ck_assert_int_eq(item.state, cases[i].state);
		ck_assert_int_eq(bat_segment_reader_find_whole(&reader, at,
				     &found, &error),
		    BAT_END);
		ck_assert_uint_eq(reader.at, at);
		bat_segment_reader_close(&reader);
	}
}
END_TEST

START_TEST(a_frame_that_does_not_decode_is_whole_all_the_same)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_segment_encode_header(1, 0, &buf), 0);
	ck_assert_int_eq(bat_frame_open(&buf), 0);
	ck_assert_int_eq(bat_bytes_append_text(&buf, "no event"), 0);
	bat_frame_seal(&buf, 49);
	temp_dir_write(&temp, "000001.fbat", bat_bytes_of_buf(&buf));
	bat_bytes_free(&buf);
	ck_assert_int_eq(open_segment(1), 0);
	ck_assert_int_eq(bat_segment_reader_next(&reader, &item, &error), 0);
	ck_assert_int_eq(item.state, BAT_FRAME_WHOLE);
	ck_assert(!item.decoded);
	ck_assert_str_ne(error.text, "");
	ck_assert_int_eq(bat_segment_reader_next(&reader, &item, &error),
	    BAT_END);
}
END_TEST

START_TEST(short_and_foreign_files_do_not_open)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(open_golden(GOLDEN("empty-segment"), 2),
	    BAT_DATA_TORN);
	ck_assert_int_eq(reader.fd, -1);
	ck_assert_int_eq(open_segment(1), 0);
	bat_segment_reader_close(&reader);
	temp_dir_flip(&temp, "000001.fbat", 0, 1);
	ck_assert_int_eq(open_segment(1), BAT_DATA_CORRUPT);
	ck_assert_uint_eq(error.segment, 1);
	temp_dir_flip(&temp, "000001.fbat", 0, 1);
	temp_dir_flip(&temp, "000001.fbat", 17, 3);
	ck_assert_int_eq(open_segment(1), BAT_DATA_FUTURE);
	temp_dir_flip(&temp, "000001.fbat", 17, 3);
	temp_dir_read(&temp, "000001.fbat", &buf);
	temp_dir_truncate(&temp, "000001.fbat", 56);
	ck_assert_int_eq(open_segment(1), BAT_DATA_TORN);
	bat_bytes_free(&buf);
	ck_assert_int_eq(open_segment(7), BAT_WORLD_ABSENT);
}
END_TEST

START_TEST(a_footer_that_does_not_hold_counts_as_absent)
{
	/* Behind the table: the offset in the trailer, its count, a row. */
	static const struct {
		uint64_t before_end;
		uint8_t mask;
	} cases[] = {
		{ 16, 1 },	   /* table starts elsewhere: no list there */
		{ 10, 1 },	   /* table far beyond the file */
		{ 7, 1 },	   /* count */
		{ 5, 0x80 },	   /* count, huge */
		{ 16 + 44, 0x80 }, /* length of the last row's frame */
		{ 16 + 48, 0x80 }, /* its offset */
	};

	temp_dir_fill(&temp, GOLDEN("quickstart"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t offset = 15105 - cases[i].before_end;

		error = (struct bat_error){ 0 };
		temp_dir_flip(&temp, "000001.fbat", offset, cases[i].mask);
		ck_assert_int_eq(open_segment(1), 0);
		ck_assert_msg(!reader.has_footer, "case %zu", i);
		ck_assert_uint_eq(reader.end, 15105);
		ck_assert_str_ne(error.text, "");
		temp_dir_flip(&temp, "000001.fbat", offset, cases[i].mask);
		bat_segment_reader_close(&reader);
	}
}
END_TEST

START_TEST(footer_rows_are_all_checked_when_they_are_read)
{
	struct bat_buf rows = BAT_BUF_EMPTY, table = BAT_BUF_EMPTY;
	struct bat_slice *strings;
	uint32_t count;

	temp_dir_fill(&temp, GOLDEN("quickstart"));
	ck_assert_int_eq(open_segment(1), 0);
	/* The second row's entity; the first and last are looked at earlier. */
	temp_dir_flip(&temp, "000001.fbat",
	    reader.footer.rows_offset + BAT_SEGMENT_ROW_SIZE + 18, 1);
	ck_assert(reader.has_footer);
	ck_assert_int_eq(bat_segment_reader_footer(&reader, &table, &strings,
			     &count, &rows, &error),
	    BAT_DATA_CORRUPT);
	ck_assert_uint_eq(table.capacity + rows.capacity, 0);
	bat_segment_reader_close(&reader);
	temp_dir_flip(&temp, "000001.fbat",
	    reader.footer.rows_offset + BAT_SEGMENT_ROW_SIZE + 18, 1);
	/* A string of the table. */
	temp_dir_flip(&temp, "000001.fbat", reader.footer.table_offset + 2,
	    0x80);
	ck_assert_int_eq(open_segment(1), 0);
	ck_assert_int_eq(bat_segment_reader_footer(&reader, &table, &strings,
			     &count, &rows, &error),
	    BAT_DATA_CORRUPT);
}
END_TEST

START_TEST(a_whole_frame_is_found_behind_any_damage)
{
	uint64_t offsets[8], found;

	ck_assert_int_eq(open_golden(GOLDEN("crashed-open"), 1), 0);
	for (int i = 0; i < 8; i++) {
		ck_assert_int_eq(
		    bat_segment_reader_next(&reader, &item, &error), 0);
		ck_assert(item.decoded);
		offsets[i] = item.offset;
	}
	for (int i = 0; i + 1 < 8; i++) {
		ck_assert_int_eq(bat_segment_reader_find_whole(&reader,
				     offsets[i], &found, &error),
		    0);
		ck_assert_uint_eq(found, offsets[i]);
		ck_assert_int_eq(bat_segment_reader_find_whole(&reader,
				     offsets[i] + 1, &found, &error),
		    0);
		ck_assert_uint_eq(found, offsets[i + 1]);
	}
	/* One broken frame is passed over, and the cursor is where it was. */
	temp_dir_flip(&temp, "000001.fbat", offsets[3] + 100, 1);
	ck_assert_int_eq(bat_segment_reader_find_whole(&reader, offsets[3],
			     &found, &error),
	    0);
	ck_assert_uint_eq(found, offsets[4]);
	ck_assert_uint_eq(reader.at, offsets[7] + item.length);
	/* Nothing at all behind the end. */
	ck_assert_int_eq(bat_segment_reader_find_whole(&reader,
			     reader.file_size, &found, &error),
	    BAT_END);
	ck_assert_int_eq(bat_segment_reader_find_whole(&reader,
			     reader.file_size + 5, &found, &error),
	    BAT_END);
}
END_TEST

START_TEST(a_whole_frame_is_found_beyond_a_block_of_rubbish)
{
	struct bat_buf file = BAT_BUF_EMPTY, store = BAT_BUF_EMPTY;
	uint64_t found, place;

	temp_dir_fill(&temp, GOLDEN("crashed-open"));
	temp_dir_read(&temp, "000001.fbat", &store);
	ck_assert_int_eq(bat_segment_encode_header(1, 0, &file), 0);
	ck_assert_int_eq(bat_bytes_reserve(&file, 2u << 20), 0);
	memset(file.data + file.length, 0, 2u << 20);
	/* Across every alignment of the frame to the end of a block. */
	for (size_t shift = 0; shift < 40; shift++) {
		place = 49 + (1u << 20) - 30 + shift;
		file.data[place - 1] = 0;
		file.length = (size_t)place;
		ck_assert_int_eq(bat_bytes_append(&file, store.data + 57, 1400),
		    0);
		temp_dir_write(&temp, "000001.fbat", bat_bytes_of_buf(&file));
		ck_assert_int_eq(open_segment(1), 0);
		ck_assert_int_eq(bat_segment_reader_find_whole(&reader, 49,
				     &found, &error),
		    0);
		ck_assert_uint_eq(found, place);
		bat_segment_reader_close(&reader);
	}
	bat_bytes_free(&file);
	bat_bytes_free(&store);
}
END_TEST

START_TEST(a_file_full_of_look_alikes_does_not_cost_the_square)
{
	static const uint8_t look_alike[] = { 0x00, 0x08, 0x00, 0x00, 1, 2, 3,
		4, 0x84, 0xa5 };
	struct bat_buf file = BAT_BUF_EMPTY;
	uint64_t found;

	ck_assert_int_eq(bat_segment_encode_header(1, 0, &file), 0);
	for (int i = 0; i < 100000; i++)
		ck_assert_int_eq(
		    bat_bytes_append(&file, look_alike, sizeof(look_alike)), 0);
	temp_dir_write(&temp, "000001.fbat", bat_bytes_of_buf(&file));
	bat_bytes_free(&file);
	ck_assert_int_eq(open_segment(1), 0);
	ck_assert_int_eq(bat_segment_reader_find_whole(&reader, 49, &found,
			     &error),
	    BAT_DATA_CORRUPT);
}
END_TEST

START_TEST(single_reads_check_what_they_read)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_event event;
	uint64_t offset;
	uint32_t length;

	ck_assert_int_eq(open_golden(GOLDEN("quickstart"), 1), 0);
	ck_assert_int_eq(bat_segment_reader_next(&reader, &item, &error), 0);
	ck_assert_int_eq(bat_segment_reader_next(&reader, &item, &error), 0);
	offset = item.offset;
	length = (uint32_t)item.length;
	ck_assert_int_eq(bat_segment_reader_read(&dir, 1, offset, length, &buf,
			     &event, &error),
	    0);
	ck_assert(bat_id_equal(&event.id, &item.event.id));
	ck_assert(event.entity.data > buf.data &&
	    event.entity.data < buf.data + buf.length);
	ck_assert_int_eq(bat_segment_reader_read(&dir, 1, offset, length + 1,
			     &buf, &event, &error),
	    BAT_DATA_CORRUPT);
	ck_assert_uint_eq(error.segment, 1);
	ck_assert_uint_eq(error.offset, offset);
	ck_assert_int_eq(bat_segment_reader_read(&dir, 1, offset + 1, length,
			     &buf, &event, &error),
	    BAT_DATA_CORRUPT);
	ck_assert_int_eq(bat_segment_reader_read(&dir, 1, offset, 8, &buf,
			     &event, &error),
	    BAT_DATA_CORRUPT);
	/* A length from an index is not believed as far as memory goes. */
	ck_assert_int_eq(bat_segment_reader_read(&dir, 1, offset,
			     BAT_EVENT_FRAME_MAX, &buf, &event, &error),
	    BAT_DATA_CORRUPT);
	ck_assert_uint_lt(buf.capacity, 1u << 20);
	ck_assert_int_eq(bat_segment_reader_read(&dir, 1, offset, UINT32_MAX,
			     &buf, &event, &error),
	    BAT_DATA_CORRUPT);
	ck_assert_int_eq(bat_segment_reader_read(&dir, 1, UINT64_MAX - 8, 100,
			     &buf, &event, &error),
	    BAT_WORLD_IO);
	temp_dir_flip(&temp, "000001.fbat", offset + 200, 4);
	ck_assert_int_eq(bat_segment_reader_read(&dir, 1, offset, length, &buf,
			     &event, &error),
	    BAT_DATA_CORRUPT);
	ck_assert_int_eq(bat_segment_reader_read(&dir, 2, offset, length, &buf,
			     &event, &error),
	    BAT_WORLD_ABSENT);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(a_seek_can_end_before_the_region_does)
{
	uint64_t second, third;
	int code;

	ck_assert_int_eq(open_golden(GOLDEN("quickstart"), 1), 0);
	ck_assert_int_eq(bat_segment_reader_next(&reader, &item, &error), 0);
	second = reader.at;
	ck_assert_int_eq(bat_segment_reader_next(&reader, &item, &error), 0);
	third = reader.at;
	bat_segment_reader_seek(&reader, second, third);
	ck_assert_uint_eq(count_whole(&code), 1);
	ck_assert_int_eq(code, BAT_END);
	bat_segment_reader_seek(&reader, second, third - 1);
	ck_assert_uint_eq(count_whole(&code), 0);
	ck_assert_int_eq(item.state, BAT_FRAME_SHORT);
	bat_segment_reader_seek(&reader, third, 0);
	ck_assert_uint_eq(count_whole(&code), reader.footer.row_count - 2);
}
END_TEST

START_TEST(every_failed_read_is_an_error_and_leaks_nothing)
{
	unsigned reads;
	int code;

	ck_assert_int_eq(open_golden(GOLDEN("quickstart"), 1), 0);
	count_whole(&code);
	bat_segment_reader_close(&reader);
	reads = faulty_disk_calls(&faulty, FAULTY_READ);
	ck_assert_uint_gt(reads, 4);
	for (unsigned i = 1; i <= reads; i++) {
		faulty_disk_reset(&faulty);
		faulty_disk_fail(&faulty, FAULTY_READ, i, EIO, false);
		code = open_segment(1);
		if (code == 0)
			count_whole(&code);
		ck_assert_int_eq(code, BAT_WORLD_IO);
		bat_segment_reader_close(&reader);
	}
}
END_TEST

START_TEST(a_file_that_shrinks_is_short_and_no_crash)
{
	int code;

	ck_assert_int_eq(open_golden(GOLDEN("crashed-open"), 1), 0);
	temp_dir_truncate(&temp, "000001.fbat", 57);
	ck_assert_uint_eq(count_whole(&code), 0);
	ck_assert_int_eq(code, 0);
	ck_assert_int_eq(item.state, BAT_FRAME_SHORT);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("segment_reader");
	TCase *tcase = tcase_create("segment_reader");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_sealed_segment_is_read_to_its_table);
	tcase_add_test(tcase, a_frame_longer_than_a_block_is_read_whole);
	tcase_add_test(tcase, reading_allocates_one_block_for_all_frames);
	tcase_add_test(tcase, room_for_a_payload_is_used_by_one_call);
	tcase_add_test(tcase, the_cursor_stays_at_what_is_not_whole);
	tcase_add_test(tcase,
	    a_frame_that_does_not_decode_is_whole_all_the_same);
	tcase_add_test(tcase, short_and_foreign_files_do_not_open);
	tcase_add_test(tcase, a_footer_that_does_not_hold_counts_as_absent);
	tcase_add_test(tcase, footer_rows_are_all_checked_when_they_are_read);
	tcase_add_test(tcase, a_whole_frame_is_found_behind_any_damage);
	tcase_add_test(tcase, a_whole_frame_is_found_beyond_a_block_of_rubbish);
	tcase_add_test(tcase,
	    a_file_full_of_look_alikes_does_not_cost_the_square);
	tcase_add_test(tcase, single_reads_check_what_they_read);
	tcase_add_test(tcase, a_seek_can_end_before_the_region_does);
	tcase_add_test(tcase, every_failed_read_is_an_error_and_leaks_nothing);
	tcase_add_test(tcase, a_file_that_shrinks_is_short_and_no_crash);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
