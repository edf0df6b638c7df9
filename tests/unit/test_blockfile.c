/*
 * Files of checked blocks: what was written is read, and a block that is not
 * the one that was written there is never handed out.
 */
#include "blockfile.h"

#include <check.h>
#include <stdlib.h>

#include "suite.h"
#include "temp_dir.h"

#define NAME "blocks"
#define GENERATION 77
#define LENGTH (5 * BAT_BLOCKFILE_CONTENT + 123)

static struct temp_dir temp;
static int dir;

static void
set_up(void)
{
	temp_dir_make(&temp);
	ck_assert_int_eq(bat_file_open_dir(bat_file_posix(), temp.path, false,
			     &dir, NULL),
	    0);
}

static void
tear_down(void)
{
	bat_file_close(bat_file_posix(), dir);
	temp_dir_remove(&temp);
}

static uint8_t
byte_at(size_t at)
{
	return (uint8_t)(at * 31 + at / 256);
}

/* LENGTH bytes, in pieces of a size that fits nothing. */
static void
write_file(uint64_t generation)
{
	struct bat_blockfile_writer writer;
	uint8_t piece[997];
	size_t at = 0;

	ck_assert_int_eq(bat_blockfile_create(&writer, bat_file_posix(), dir,
			     generation, NULL),
	    0);
	while (at < LENGTH) {
		size_t left = LENGTH - at;
		size_t length = left < sizeof(piece) ? left : sizeof(piece);

		for (size_t i = 0; i < length; i++)
			piece[i] = byte_at(at + i);
		ck_assert_uint_eq(bat_blockfile_at(&writer), at);
		bat_blockfile_append(&writer, piece, length);
		at += length;
	}
	ck_assert_int_eq(bat_blockfile_publish(&writer, NAME), 0);
}

/* Read one byte of a block. */
static int
read_in_block(uint64_t number)
{
	struct bat_blockfile file;
	uint64_t at = number * BAT_BLOCKFILE_CONTENT + 5;
	uint8_t byte = 0;
	int code = bat_blockfile_open(&file, bat_file_posix(), dir, NAME, NULL);

	if (code != 0)
		return code;
	code = bat_blockfile_read(&file, at, &byte, 1, NULL);
	if (code == 0)
		ck_assert_uint_eq(byte, byte_at((size_t)at));
	bat_blockfile_close(&file);
	return code;
}

START_TEST(what_was_written_is_read_in_pieces_of_any_length)
{
	static const size_t lengths[] = { 1, 4031, 4032, 4033, 9000, LENGTH };
	struct bat_blockfile file;
	uint8_t *bytes = malloc(LENGTH);

	ck_assert_ptr_nonnull(bytes);
	write_file(GENERATION);
	ck_assert_int_eq(
	    bat_blockfile_open(&file, bat_file_posix(), dir, NAME, NULL), 0);
	ck_assert_uint_eq(file.generation, GENERATION);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t length = lengths[i];

		for (size_t at = 0; at + length <= LENGTH; at += length) {
			ck_assert_int_eq(bat_blockfile_read(&file, at, bytes,
					     length, NULL),
			    0);
			for (size_t j = 0; j < length; j++)
				ck_assert_uint_eq(bytes[j], byte_at(at + j));
		}
	}
	ck_assert_int_eq(bat_blockfile_read(&file, file.size, bytes, 1, NULL),
	    BAT_DATA_CORRUPT);
	bat_blockfile_close(&file);
	free(bytes);
}
END_TEST

/* Whole, of the same generation, with a CRC that holds. */
START_TEST(a_block_in_the_place_of_another_is_not_handed_out)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	uint8_t kept[BAT_BLOCKFILE_BLOCK];

	write_file(GENERATION);
	temp_dir_read(&temp, NAME, &file);
	memcpy(kept, file.data + 2 * BAT_BLOCKFILE_BLOCK, sizeof(kept));
	memcpy(file.data + 2 * BAT_BLOCKFILE_BLOCK,
	    file.data + 3 * BAT_BLOCKFILE_BLOCK, sizeof(kept));
	memcpy(file.data + 3 * BAT_BLOCKFILE_BLOCK, kept, sizeof(kept));
	temp_dir_write(&temp, NAME, bat_bytes_of_buf(&file));
	ck_assert_int_eq(read_in_block(1), 0);
	ck_assert_int_eq(read_in_block(2), BAT_DATA_CORRUPT);
	ck_assert_int_eq(read_in_block(3), BAT_DATA_CORRUPT);
	ck_assert_int_eq(read_in_block(4), 0);
	bat_bytes_free(&file);
}
END_TEST

START_TEST(a_block_of_another_generation_is_not_handed_out)
{
	struct bat_buf older = BAT_BUF_EMPTY, newer = BAT_BUF_EMPTY;

	write_file(GENERATION);
	temp_dir_read(&temp, NAME, &older);
	write_file(GENERATION + 1);
	temp_dir_read(&temp, NAME, &newer);
	memcpy(newer.data + BAT_BLOCKFILE_BLOCK,
	    older.data + BAT_BLOCKFILE_BLOCK, BAT_BLOCKFILE_BLOCK);
	temp_dir_write(&temp, NAME, bat_bytes_of_buf(&newer));
	ck_assert_int_eq(read_in_block(0), 0);
	ck_assert_int_eq(read_in_block(1), BAT_DATA_CORRUPT);
	ck_assert_int_eq(read_in_block(2), 0);
	bat_bytes_free(&older);
	bat_bytes_free(&newer);
}
END_TEST

START_TEST(a_changed_or_cut_block_is_not_handed_out)
{
	write_file(GENERATION);
	for (uint64_t at = 0; at < BAT_BLOCKFILE_CONTENT + 20; at += 7) {
		uint64_t place = BAT_BLOCKFILE_BLOCK + at;

		temp_dir_flip(&temp, NAME, place, 0x40);
		ck_assert_int_eq(read_in_block(1), BAT_DATA_CORRUPT);
		temp_dir_flip(&temp, NAME, place, 0x40);
	}
	ck_assert_int_eq(read_in_block(5), 0);
	temp_dir_truncate(&temp, NAME, 6 * BAT_BLOCKFILE_BLOCK - 1);
	ck_assert_int_eq(read_in_block(4), 0);
	ck_assert_int_eq(read_in_block(5), BAT_DATA_CORRUPT);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("blockfile");
	TCase *tcase = tcase_create("blockfile");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, what_was_written_is_read_in_pieces_of_any_length);
	tcase_add_test(tcase,
	    a_block_in_the_place_of_another_is_not_handed_out);
	tcase_add_test(tcase, a_block_of_another_generation_is_not_handed_out);
	tcase_add_test(tcase, a_changed_or_cut_block_is_not_handed_out);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
