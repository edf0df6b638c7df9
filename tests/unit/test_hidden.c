#include "hidden.h"

#include "crc.h"
#include "hex.h"
#include "repack.h"
#include "sample.h"
#include "suite.h"

/* FORMAT.md 14.5: hides [3,5) and [9,10). */
static const char vector[] =
    "46424154565201007791d0e881a672616e6765739282a5737461727403a3656e6405"
    "82a5737461727409a3656e640a";

/* The header in front of a body, with the right CRC. */
static struct bat_buf
file_of(struct bat_slice body)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	test_hex_append(&file, "4642415456520100");
	ck_assert_int_eq(bat_bytes_append_le(&file, bat_crc_of(body), 4), 0);
	ck_assert_int_eq(bat_bytes_append_slice(&file, body), 0);
	return file;
}

static int
decode_body(const char *hex, struct bat_hidden *out)
{
	struct bat_buf body = BAT_BUF_EMPTY, file;
	int code;

	test_hex_append(&body, hex);
	file = file_of(bat_bytes_of_buf(&body));
	code = bat_hidden_decode(bat_bytes_of_buf(&file), out, NULL);
	bat_bytes_free(&body);
	bat_bytes_free(&file);
	return code;
}

START_TEST(the_vector_decodes_and_encodes)
{
	struct bat_buf file = BAT_BUF_EMPTY, again = BAT_BUF_EMPTY;
	struct bat_hidden hidden;

	test_hex_append(&file, vector);
	ck_assert_int_eq(
	    bat_hidden_decode(bat_bytes_of_buf(&file), &hidden, NULL), 0);
	ck_assert_uint_eq(hidden.count, 2);
	for (uint64_t seq = 0; seq < 12; seq++)
		ck_assert_int_eq(bat_hidden_has(&hidden, seq),
		    seq == 3 || seq == 4 || seq == 9);
	ck_assert(!bat_hidden_has(&hidden, UINT64_MAX));
	ck_assert_int_eq(bat_hidden_encode(&hidden, &again), 0);
	sample_assert_same(bat_bytes_of_buf(&again), bat_bytes_of_buf(&file),
	    "vector");
	bat_hidden_free(&hidden);
	bat_bytes_free(&file);
	bat_bytes_free(&again);
}
END_TEST

static void
encode_again(const char *path, struct bat_slice file)
{
	struct bat_buf again = BAT_BUF_EMPTY;
	struct bat_hidden hidden;

	ck_assert_int_eq(bat_hidden_decode(file, &hidden, NULL), 0);
	ck_assert_uint_gt(hidden.count, 0);
	ck_assert_int_eq(bat_hidden_encode(&hidden, &again), 0);
	sample_assert_same(bat_bytes_of_buf(&again), file, path);
	bat_hidden_free(&hidden);
	bat_bytes_free(&again);
}

START_TEST(golden_files_encode_to_their_own_bytes)
{
	sample_each("golden/*/store/" BAT_HIDDEN_FILE, encode_again);
}
END_TEST

START_TEST(ranges_are_sorted_and_merged)
{
	struct bat_hidden hidden;

	/* [9,12) [3,5) [5,6) [4,5) [10,11) [0,1) as arrays */
	ck_assert_int_eq(decode_body("81a672616e67657396 92090c 920305 920506"
				     "920405 920a0b 920001",
			     &hidden),
	    0);
	ck_assert_uint_eq(hidden.count, 3);
	ck_assert_uint_eq(hidden.ranges[0].start, 0);
	ck_assert_uint_eq(hidden.ranges[0].end, 1);
	ck_assert_uint_eq(hidden.ranges[1].start, 3);
	ck_assert_uint_eq(hidden.ranges[1].end, 6);
	ck_assert_uint_eq(hidden.ranges[2].start, 9);
	ck_assert_uint_eq(hidden.ranges[2].end, 12);
	bat_hidden_free(&hidden);
}
END_TEST

START_TEST(no_ranges_hide_nothing)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_hidden hidden;

	ck_assert_int_eq(decode_body("81a672616e67657390", &hidden), 0);
	ck_assert_uint_eq(hidden.count, 0);
	ck_assert(!bat_hidden_has(&hidden, 0));
	ck_assert_int_eq(bat_hidden_encode(&hidden, &buf), 0);
	ck_assert_uint_eq(buf.length, 12 + 9);
	bat_hidden_free(&hidden);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(other_spellings_decode)
{
	struct bat_buf file = BAT_BUF_EMPTY, body = BAT_BUF_EMPTY, other;
	struct bat_hidden hidden;

	test_hex_append(&file, vector);
	for (unsigned how = 0; how < REPACK_BIN; how++) {
		if (how > REPACK_UNKNOWN ||
		    how == (REPACK_REVERSED | REPACK_POSITIONAL))
			continue;
		bat_bytes_clear(&body);
		repack(bat_bytes_slice(file.data + 12, file.length - 12), how,
		    &body);
		other = file_of(bat_bytes_of_buf(&body));
		ck_assert_int_eq(bat_hidden_decode(bat_bytes_of_buf(&other),
				     &hidden, NULL),
		    0);
		ck_assert_uint_eq(hidden.count, 2);
		bat_hidden_free(&hidden);
		bat_bytes_free(&other);
	}
	bat_bytes_free(&file);
	bat_bytes_free(&body);
}
END_TEST

START_TEST(broken_bodies_are_corrupt)
{
	static const char *const bodies[] = {
		"", "80",			    /* no ranges */
		"81a672616e676573c0",		    /* no list */
		"81a672616e67657391920505",	    /* empty range */
		"81a672616e67657391920504",	    /* backwards */
		"81a672616e676573919103",	    /* no end */
		"81a672616e6765739192ff05",	    /* below 0 */
		"81a672616e676573dd7fffffff920305", /* a count without items */
	};
	struct bat_hidden hidden;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		ck_assert_msg(decode_body(bodies[i], &hidden) ==
			BAT_DATA_CORRUPT,
		    "case %zu", i);
}
END_TEST

START_TEST(a_later_version_is_of_the_future)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct bat_hidden hidden;

	test_hex_append(&file, vector);
	file.data[6] = 2;
	ck_assert_int_eq(bat_hidden_decode(bat_bytes_of_buf(&file), &hidden,
			     NULL),
	    BAT_DATA_FUTURE);
	file.data[6] = 0;
	ck_assert_int_eq(bat_hidden_decode(bat_bytes_of_buf(&file), &hidden,
			     NULL),
	    BAT_DATA_CORRUPT);
	bat_bytes_free(&file);
}
END_TEST

START_TEST(every_cut_and_every_changed_bit_is_noticed)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct bat_hidden hidden;

	test_hex_append(&file, vector);
	for (size_t i = 0; i < file.length; i++) {
		uint8_t *copy = malloc(i + 1);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, file.data, i);
		ck_assert_int_eq(bat_hidden_decode(bat_bytes_slice(copy, i),
				     &hidden, NULL),
		    BAT_DATA_CORRUPT);
		free(copy);
	}
	for (size_t i = 0; i < 8 * file.length; i++) {
		file.data[i / 8] ^= (uint8_t)(1u << i % 8);
		ck_assert_int_ne(bat_hidden_decode(bat_bytes_of_buf(&file),
				     &hidden, NULL),
		    0);
		file.data[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	bat_bytes_free(&file);
}
END_TEST

START_TEST(clipped_ranges_hide_nothing_from_there_on)
{
	struct bat_hidden_range ranges[] = { { 2, 4 }, { 6, 9 }, { 20, 30 } };
	struct bat_hidden hidden = { ranges, 3 };

	bat_hidden_clip(&hidden, 30);
	ck_assert(bat_hidden_has(&hidden, 29));
	bat_hidden_clip(&hidden, 8);
	ck_assert_uint_eq(hidden.count, 2);
	ck_assert(bat_hidden_has(&hidden, 7));
	ck_assert(!bat_hidden_has(&hidden, 8));
	bat_hidden_clip(&hidden, 6);
	ck_assert_uint_eq(hidden.count, 1);
	ck_assert(bat_hidden_has(&hidden, 3));
	bat_hidden_clip(&hidden, 0);
	ck_assert_uint_eq(hidden.count, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hidden");
	TCase *tcase = tcase_create("hidden");

	tcase_add_test(tcase, the_vector_decodes_and_encodes);
	tcase_add_test(tcase, golden_files_encode_to_their_own_bytes);
	tcase_add_test(tcase, ranges_are_sorted_and_merged);
	tcase_add_test(tcase, no_ranges_hide_nothing);
	tcase_add_test(tcase, other_spellings_decode);
	tcase_add_test(tcase, broken_bodies_are_corrupt);
	tcase_add_test(tcase, a_later_version_is_of_the_future);
	tcase_add_test(tcase, every_cut_and_every_changed_bit_is_noticed);
	tcase_add_test(tcase, clipped_ranges_hide_nothing_from_there_on);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
