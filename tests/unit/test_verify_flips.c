/* Every flipped byte of a store is found, but those that nothing covers. */
#include <check.h>
#include <string.h>

#include "bat.h"
#include "suite.h"
#include "temp_dir.h"
#include "verdict.h"

/* Bytes that can change without anybody being able to say so. */
struct free_range {
	uint64_t from, to;
	const char *why;
};

static bool
is_free(const struct free_range *ranges, uint64_t offset)
{
	for (; ranges->why != NULL; ranges++) {
		if (offset >= ranges->from && offset < ranges->to)
			return true;
	}
	return false;
}

/* Flip one bit of every step-th byte of a file, each time another bit. */
static void
flip_all(const char *golden, const char *name, size_t step,
    const struct free_range *ranges)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	fill(golden);
	temp_dir_read(&temp, name, &file);
	for (size_t offset = 0; offset < file.length; offset += step) {
		uint8_t mask = (uint8_t)(1u << (offset / step) % 8);
		struct verdict verdict;

		if (is_free(ranges, offset))
			continue;
		temp_dir_flip(&temp, name, offset, mask);
		verdict = verify();
		ck_assert_msg(verdict.code == BAT_DATA_CORRUPT,
		    "%s/%s: byte %zu with %02x: %d", golden, name, offset, mask,
		    verdict.code);
		ck_assert_int_eq(verdict.error.code, BAT_DATA_CORRUPT);
		temp_dir_flip(&temp, name, offset, mask);
	}
	ck_assert_int_eq(verify().code, 0);
	bat_bytes_free(&file);
}

static const struct free_range free_in_segment[] = {
	{ 24, 25, "flags: nobody sets or reads them (noted)" },
	{ 37, 45, "created_ns: nobody reads it" },
	{ 0, 0, NULL },
};

static const struct free_range free_in_index[] = {
	{ 6, 8, "another version counts as absent" },
	{ 0, 0, NULL },
};

START_TEST(every_flipped_byte_of_a_sealed_segment_is_found)
{
	flip_all("quickstart", "000001.fbat", 7, free_in_segment);
}
END_TEST

START_TEST(every_flipped_byte_of_a_segment_below_a_watermark_is_found)
{
	/* No footer, and it is the highest: the index alone knows its end. */
	flip_all("group-commit", "000002.fbat", 11, free_in_segment);
}
END_TEST

START_TEST(every_flipped_byte_of_a_segment_below_another_is_found)
{
	flip_all("missing-footer", "000003.fbat", 11, free_in_segment);
}
END_TEST

START_TEST(every_flipped_byte_of_a_footer_without_an_index_is_found)
{
	static const struct free_range ranges[] = {
		{ 24, 25, "flags" },
		{ 37, 45, "created_ns" },
		{ 7887, 7895, "the last row's sequence, as long as it rises" },
		{ 0, 0, NULL },
	};

	flip_all("dropped", "000001.fbat", 5, ranges);
}
END_TEST

START_TEST(the_end_of_a_crashed_segment_is_free)
{
	static const struct free_range ranges[] = {
		{ 24, 25, "flags" },
		{ 37, 45, "created_ns" },
		{ 13199, 13711, "the last frame: a torn tail looks like it" },
		{ 0, 0, NULL },
	};

	flip_all("crashed-open", "000001.fbat", 13, ranges);
	temp_dir_flip(&temp, "000001.fbat", 13300, 1);
	ck_assert_uint_eq(verify().noted, BIT(TORN));
}
END_TEST

START_TEST(space_ahead_of_the_frames_is_nothing_to_speak_of)
{
	uint8_t ahead[10000];

	memset(ahead, 0xff, sizeof(ahead));
	fill("crashed-open");
	temp_dir_append(&temp, "000001.fbat",
	    bat_bytes_slice(ahead, sizeof(ahead)));
	ck_assert_uint_eq(verify().noted, 0);
	ck_assert_uint_eq(verify().broken, 0);
	/* A frame that a crash tore in it is a torn tail. */
	temp_dir_append(&temp, "000001.fbat", bat_bytes_slice("\xfe", 1));
	ck_assert_uint_eq(verify().noted, BIT(TORN));
}
END_TEST

START_TEST(every_flipped_byte_of_the_other_files_is_found)
{
	flip_all("quickstart", "index.fbati", 7, free_in_index);
	temp_dir_unlink(&temp, "index.fbati");
	flip_all("ckpt-only", "index.ckpt", 13, free_in_index);
	temp_dir_unlink(&temp, "index.ckpt");
	flip_all("hidden", "visibility_ranges.fbv", 1, &free_in_index[1]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("verify_flips");
	TCase *verify = tcase_create("verify");

	tcase_add_checked_fixture(verify, set_up, tear_down);
	tcase_set_timeout(verify, 300);
	tcase_add_test(verify, every_flipped_byte_of_a_sealed_segment_is_found);
	tcase_add_test(verify,
	    every_flipped_byte_of_a_segment_below_a_watermark_is_found);
	tcase_add_test(verify,
	    every_flipped_byte_of_a_segment_below_another_is_found);
	tcase_add_test(verify,
	    every_flipped_byte_of_a_footer_without_an_index_is_found);
	tcase_add_test(verify, the_end_of_a_crashed_segment_is_free);
	tcase_add_test(verify,
	    space_ahead_of_the_frames_is_nothing_to_speak_of);
	tcase_add_test(verify, every_flipped_byte_of_the_other_files_is_found);
	suite_add_tcase(suite, verify);
	return suite_run(suite);
}
