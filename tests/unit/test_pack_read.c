/* Typed reads and byte vectors of pack. */
#include "../../store/pack_internal.h"
#include "../../store/pack_wide.h"

#include <check.h>
#include <stdlib.h>

#include "hex.h"
#include "suite.h"

/* Repeatable random numbers (xorshift). */
static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t
next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

START_TEST(strings_of_any_width_and_bin_are_text_if_utf8)
{
	static const char *const good[] = { "a26162", "d9026162", "da00026162",
		"db000000026162", "c4026162", "c500026162" };
	static const char *const bad[] = { "a2c328", "c401ff", "a3e282",
		"926162", "c0", "05", "", "d502 6162", "a2ff" };

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct bat_buf buf = BAT_BUF_EMPTY;
		struct bat_pack_reader reader;
		struct bat_slice text;

		test_hex_append(&buf, good[i]);
		reader = BAT_PACK_READER(bat_bytes_of_buf(&buf));
		ck_assert_int_eq(bat_pack_read_str(&reader, &text), 0);
		ck_assert(bat_bytes_equal(text, bat_bytes_text("ab")));
		ck_assert_uint_eq(bat_pack_left(&reader), 0);
		bat_bytes_free(&buf);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct bat_buf buf = BAT_BUF_EMPTY;
		struct bat_pack_reader reader;
		struct bat_slice text = bat_bytes_text("kept");

		test_hex_append(&buf, bad[i]);
		reader = BAT_PACK_READER(bat_bytes_of_buf(&buf));
		ck_assert_msg(bat_pack_read_str(&reader, &text) ==
			BAT_DATA_CORRUPT,
		    "%s", bad[i]);
		ck_assert_uint_eq(text.length, 4);
		ck_assert_uint_eq(bat_pack_left(&reader), buf.length);
		bat_bytes_free(&buf);
	}
}
END_TEST

START_TEST(integers_of_any_width_are_read_if_they_fit)
{
	static const struct {
		const char *hex;
		uint64_t max;
		bool fits;
		uint64_t value;
	} cases[] = {
		{ "05", 5, true, 5 },
		{ "05", 4, false, 0 },
		{ "cc05", 5, true, 5 },
		{ "cf0000000000000005", 5, true, 5 },
		{ "d005", 255, true, 5 },
		{ "d30000000000000005", 255, true, 5 },
		{ "ccff", 254, false, 0 },
		{ "cfffffffffffffffff", UINT64_MAX, true, UINT64_MAX },
		{ "ff", UINT64_MAX, false, 0 },
		{ "d0ff", UINT64_MAX, false, 0 },
		{ "ca3f800000", UINT64_MAX, false, 0 },
		{ "c0", UINT64_MAX, false, 0 },
		{ "a135", UINT64_MAX, false, 0 },
		{ "", UINT64_MAX, false, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct bat_buf buf = BAT_BUF_EMPTY;
		struct bat_pack_reader reader;
		uint64_t value = 0;
		int code;

		test_hex_append(&buf, cases[i].hex);
		reader = BAT_PACK_READER(bat_bytes_of_buf(&buf));
		code = bat_pack_read_uint(&reader, cases[i].max, &value);
		ck_assert_int_eq(code, cases[i].fits ? 0 : BAT_DATA_CORRUPT);
		ck_assert_uint_eq(value, cases[i].value);
		ck_assert_uint_eq(bat_pack_left(&reader),
		    cases[i].fits ? 0 : buf.length);
		bat_bytes_free(&buf);
	}
}
END_TEST

START_TEST(signed_integers_refuse_what_63_bits_cannot_hold)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_pack_reader reader;
	int64_t value = 0;

	test_hex_append(&buf, "cf7fffffffffffffff cf8000000000000000");
	reader = BAT_PACK_READER(bat_bytes_of_buf(&buf));
	ck_assert_int_eq(bat_pack_read_int(&reader, &value), 0);
	ck_assert_int_eq(value, INT64_MAX);
	ck_assert_int_eq(bat_pack_read_int(&reader, &value), BAT_DATA_CORRUPT);
	ck_assert_uint_eq(bat_pack_left(&reader), 9);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(booleans_are_only_true_and_false)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_pack_reader reader;
	bool value = false;

	test_hex_append(&buf, "c3c201");
	reader = BAT_PACK_READER(bat_bytes_of_buf(&buf));
	ck_assert_int_eq(bat_pack_read_bool(&reader, &value), 0);
	ck_assert(value);
	ck_assert_int_eq(bat_pack_read_bool(&reader, &value), 0);
	ck_assert(!value);
	ck_assert_int_eq(bat_pack_read_bool(&reader, &value), BAT_DATA_CORRUPT);
	reader.at = reader.end;
	ck_assert_int_eq(bat_pack_read_bool(&reader, &value), BAT_DATA_CORRUPT);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(ids_are_16_bytes_of_bin_or_16_integers)
{
	static const char *const good[] = {
		"c410 000102030405060708090a0b0c0d0eff",
		"c50010 000102030405060708090a0b0c0d0eff",
		"dc0010 000102030405060708090a0b0c0d0e ccff",
		"dd00000010 000102cd0003 0405060708090a0b0c0d0e ccff"
	};
	static const char *const bad[] = { "c0",
		"c40f 000102030405060708090a0b0c0d0e",
		"c411 000102030405060708090a0b0c0d0eff00",
		"dc0010 000102030405060708090a0b0c0d0e ff",
		"dc0010 000102030405060708090a0b0c0d0e cd0100",
		"dc0011 000102030405060708090a0b0c0d0e0f00",
		"b0 30313233343536373839303132333435", "" };

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct bat_buf buf = BAT_BUF_EMPTY;
		struct bat_pack_reader reader;
		struct bat_id id;

		test_hex_append(&buf, good[i]);
		reader = BAT_PACK_READER(bat_bytes_of_buf(&buf));
		ck_assert_int_eq(bat_pack_read_id_or_nil(&reader, &id), 0);
		ck_assert_uint_eq(bat_pack_left(&reader), 0);
		ck_assert(
		    test_hex_equals(bat_bytes_slice(id.bytes, sizeof(id.bytes)),
			"000102030405060708090a0b0c0d0eff"));
		bat_bytes_free(&buf);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct bat_buf buf = BAT_BUF_EMPTY;
		struct bat_pack_reader reader;
		struct bat_id id = bat_id_from_number(7);

		test_hex_append(&buf, bad[i]);
		reader = BAT_PACK_READER(bat_bytes_of_buf(&buf));
		ck_assert_msg(bat_pack_read_id(&reader, &id) ==
			BAT_DATA_CORRUPT,
		    "%s", bad[i]);
		ck_assert_uint_eq(id.bytes[15], 7);
		bat_bytes_free(&buf);
	}
}
END_TEST

START_TEST(nil_stands_for_the_zero_id)
{
	static const uint8_t nil[] = { 0xc0 };
	struct bat_pack_reader reader = { nil, nil + 1 };
	struct bat_id id = bat_id_from_number(7);

	ck_assert(bat_pack_is_nil(&reader));
	ck_assert_int_eq(bat_pack_read_id_or_nil(&reader, &id), 0);
	ck_assert(bat_id_is_zero(&id));
	ck_assert(!bat_pack_is_nil(&reader));
	ck_assert_uint_eq(bat_pack_left(&reader), 0);
}
END_TEST

START_TEST(the_vector_of_the_format_comes_out)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_pack_write_byte_array(&buf,
			     bat_bytes_slice("\x00\x7f\x80\xff", 4)),
	    0);
	ck_assert(test_hex_equals(bat_bytes_of_buf(&buf), "94 007fcc80ccff"));
	bat_bytes_free(&buf);
}
END_TEST

/* Bytes of which about one in `rare` is high, as arrays of integers: the
 * shortest form, or (loose) any form that batpak takes. */
static void
fill_random(uint8_t *bytes, size_t count, unsigned rare)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t number = next_random();

		bytes[i] = (uint8_t)(number >> 8);
		if (number % rare != 0)
			bytes[i] &= 0x7f;
		else if (number % 5 == 0)
			bytes[i] = 0xcc;
	}
}

static void
append_loose_element(struct bat_buf *buf, uint8_t byte)
{
	static const uint8_t markers[] = { 0xcc, 0xcd, 0xce, 0xcf, 0xd1, 0xd2,
		0xd3 };
	static const uint8_t widths[] = { 1, 2, 4, 8, 2, 4, 8 };
	size_t form = next_random() % 40;

	if (form >= sizeof(markers)) {
		form = 0;
		if (byte < 0x80) {
			ck_assert_int_eq(bat_bytes_append_byte(buf, byte), 0);
			return;
		}
	}
	ck_assert_int_eq(bat_bytes_append_byte(buf, markers[form]), 0);
	ck_assert_int_eq(bat_bytes_append_be(buf, byte, widths[form]), 0);
}

/* A copy of exactly its size: a sanitizer sees each step beyond. */
static uint8_t *
copy_exactly(const struct bat_buf *buf)
{
	uint8_t *copy = malloc(buf->length);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, buf->data, buf->length);
	return copy;
}

/* The slot of `encoded`, whatever follows it, expands to expected. */
static void
assert_unpacks(const struct bat_buf *encoded, size_t slot_length,
    struct bat_slice expected)
{
	uint8_t *copy = copy_exactly(encoded);
	struct bat_slice all = bat_bytes_slice(copy, encoded->length), slot;
	struct bat_pack_reader reader = BAT_PACK_READER(all);
	struct bat_buf back = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_pack_read_bytes(&reader, &slot), 0);
	ck_assert_ptr_eq(slot.data, copy);
	ck_assert_uint_eq(slot.length, slot_length);
	ck_assert_ptr_eq(reader.at, copy + slot_length);
	ck_assert_uint_eq(bat_pack_unpacked_length(slot), expected.length);
	ck_assert_int_eq(bat_bytes_append_text(&back, "x"), 0);
	ck_assert_int_eq(bat_pack_unpack_bytes(slot, &back), 0);
	ck_assert_uint_eq(back.length, 1 + expected.length);
	ck_assert(bat_bytes_equal(
	    bat_bytes_slice(back.data + 1, expected.length), expected));
	bat_bytes_free(&back);
	free(copy);
}

START_TEST(byte_arrays_of_every_length_go_both_ways)
{
	for (size_t count = 0; count < 400; count++) {
		uint8_t bytes[400];
		struct bat_slice slice = bat_bytes_slice(bytes, count);
		struct bat_buf buf = BAT_BUF_EMPTY;
		size_t length;

		fill_random(bytes, count, (unsigned)(1 + count % 7 * 9));
		ck_assert_int_eq(bat_pack_write_byte_array(&buf, slice), 0);
		length = buf.length;
		assert_unpacks(&buf, length, slice);
		/* High bytes behind the end must not confuse it. */
		for (size_t i = 0; i < 70; i++)
			ck_assert_int_eq(bat_bytes_append_byte(&buf,
					     (uint8_t)(next_random() | 0x80)),
			    0);
		assert_unpacks(&buf, length, slice);
		bat_bytes_free(&buf);
	}
}
END_TEST

START_TEST(every_way_to_gather_bytes_gives_the_same)
{
	uint8_t from[BAT_PACK_PLACES], plain[BAT_PACK_PLACES];
	uint8_t got[BAT_PACK_PLACES];
	unsigned ways = 0;

	for (int way = 0; way < BAT_PACK_WAYS; way++) {
		if (!bat_pack_has_way((enum bat_pack_way)way))
			continue;
		ways++;
		for (unsigned i = 0; i < 20000; i++) {
			uint64_t values = next_random();
			unsigned count;

			/* Few, many, all and none. */
			if (i % 4 == 1)
				values &= next_random() & next_random();
			else if (i % 4 == 2)
				values |= next_random() | next_random();
			else if (i % 4 == 3)
				values = i % 8 == 3 ? 0 : UINT64_MAX;
			fill_random(from, sizeof(from), 2);
			count = bat_pack_gather_by(BAT_PACK_WAY_PLAIN, plain,
			    from, values);
			if (bat_pack_gather_by((enum bat_pack_way)way, got,
				from, values) != count ||
			    memcmp(got, plain, count) != 0 ||
			    bat_pack_gather(got, from, values) != count ||
			    memcmp(got, plain, count) != 0)
				ck_abort_msg("way %d, values %llx", way,
				    (unsigned long long)values);
		}
	}
	ck_assert_uint_ge(ways, 1);
}
END_TEST

START_TEST(byte_arrays_may_hold_integers_of_any_width)
{
	for (size_t count = 16; count < 300; count++) {
		uint8_t bytes[300];
		struct bat_buf buf = BAT_BUF_EMPTY;

		fill_random(bytes, count, 2);
		ck_assert_int_eq(bat_pack_write_array(&buf, (uint32_t)count),
		    0);
		for (size_t i = 0; i < count; i++)
			append_loose_element(&buf, bytes[i]);
		assert_unpacks(&buf, buf.length, bat_bytes_slice(bytes, count));
		bat_bytes_free(&buf);
	}
}
END_TEST

START_TEST(a_cut_byte_array_is_corrupt_at_every_length)
{
	uint8_t bytes[150];
	struct bat_buf buf = BAT_BUF_EMPTY;

	fill_random(bytes, sizeof(bytes), 2);
	ck_assert_int_eq(bat_pack_write_byte_array(&buf,
			     bat_bytes_slice(bytes, sizeof(bytes))),
	    0);
	while (buf.length > 1) {
		uint8_t *copy;
		struct bat_slice slot = bat_bytes_text("x");
		struct bat_buf back = BAT_BUF_EMPTY;
		struct bat_pack_reader reader;

		buf.length--;
		copy = copy_exactly(&buf);
		reader = BAT_PACK_READER(bat_bytes_slice(copy, buf.length));
		ck_assert_int_eq(bat_pack_read_bytes(&reader, &slot),
		    BAT_DATA_CORRUPT);
		ck_assert_ptr_null(slot.data);
		ck_assert_int_eq(bat_pack_unpack_bytes(
				     bat_bytes_slice(copy, buf.length), &back),
		    BAT_DATA_CORRUPT);
		ck_assert_uint_eq(back.length, 0);
		bat_bytes_free(&back);
		free(copy);
	}
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(bin_is_a_byte_vector_too)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	test_hex_append(&buf, "c50003 0080ff c0");
	assert_unpacks(&buf, 6, bat_bytes_slice("\x00\x80\xff", 3));
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(another_value_is_handed_over_whole_but_refused)
{
	static const char *const others[] = { "c0", "05", "a161", "80",
		"81 a16e 01", "92 01 ff", "92 01 cd0100", "93 01 a161 02",
		"91 92 01 02", "92 01 c0" };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		struct bat_buf buf = BAT_BUF_EMPTY, back = BAT_BUF_EMPTY;
		struct bat_pack_reader reader;
		struct bat_slice slot;

		test_hex_append(&buf, others[i]);
		test_hex_append(&buf, "2a");
		reader = BAT_PACK_READER(bat_bytes_of_buf(&buf));
		ck_assert_int_eq(bat_pack_read_bytes(&reader, &slot),
		    BAT_DATA_CORRUPT);
		ck_assert(test_hex_equals(slot, others[i]));
		ck_assert_uint_eq(bat_pack_left(&reader), 1);
		ck_assert_int_eq(bat_pack_unpack_bytes(slot, &back),
		    BAT_DATA_CORRUPT);
		ck_assert_uint_eq(back.length, 0);
		bat_bytes_free(&buf);
		bat_bytes_free(&back);
	}
}
END_TEST

START_TEST(a_broken_value_is_not_handed_over)
{
	static const char *const broken[] = { "", "c1", "92 c0", "92 01 c1",
		"c405 01", "93 01 ff c1" };

	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		struct bat_buf buf = BAT_BUF_EMPTY;
		struct bat_pack_reader reader;
		struct bat_slice slot = bat_bytes_text("x");

		test_hex_append(&buf, broken[i]);
		reader = BAT_PACK_READER(bat_bytes_of_buf(&buf));
		ck_assert_int_eq(bat_pack_read_bytes(&reader, &slot),
		    BAT_DATA_CORRUPT);
		ck_assert_ptr_null(slot.data);
		bat_bytes_free(&buf);
	}
}
END_TEST

START_TEST(hashes_go_both_ways)
{
	for (unsigned i = 0; i < 300; i++) {
		struct bat_hash hash, back;
		struct bat_buf buf = BAT_BUF_EMPTY;
		struct bat_pack_reader reader;
		uint8_t *copy;

		fill_random(hash.bytes, sizeof(hash.bytes), 1 + i % 3);
		ck_assert_int_eq(bat_pack_write_hash(&buf, &hash), 0);
		ck_assert_mem_eq(buf.data, "\xdc\x00\x20", 3);
		copy = copy_exactly(&buf);
		reader = BAT_PACK_READER(bat_bytes_slice(copy, buf.length));
		ck_assert_int_eq(bat_pack_read_hash(&reader, &back), 0);
		ck_assert(bat_hash_equal(&hash, &back));
		ck_assert_uint_eq(bat_pack_left(&reader), 0);
		free(copy);
		bat_bytes_free(&buf);
	}
}
END_TEST

START_TEST(bin_of_32_bytes_or_more_is_a_hash_and_others_are_not)
{
	uint8_t bytes[40] = { 0xc4, 32, 1, 2, 3 };
	struct bat_pack_reader reader = { bytes, bytes + sizeof(bytes) };
	struct bat_hash hash;

	ck_assert_int_eq(bat_pack_read_hash(&reader, &hash), 0);
	ck_assert_mem_eq(hash.bytes, bytes + 2, 32);
	ck_assert_uint_eq(bat_pack_left(&reader), 6);

	bytes[1] = 38;
	reader.at = bytes;
	ck_assert_int_eq(bat_pack_read_hash(&reader, &hash), 0);
	ck_assert_uint_eq(bat_pack_left(&reader), 0);

	bytes[1] = 31;
	reader.at = bytes;
	ck_assert_int_eq(bat_pack_read_hash(&reader, &hash), BAT_DATA_CORRUPT);
	ck_assert_ptr_eq(reader.at, bytes);

	/* Arrays of 31 and 33 integers. */
	memset(bytes, 0, sizeof(bytes));
	bytes[0] = 0xdc;
	for (uint8_t count = 31; count <= 33; count += 2) {
		bytes[2] = count;
		reader.at = bytes;
		ck_assert_int_eq(bat_pack_read_hash(&reader, &hash),
		    BAT_DATA_CORRUPT);
	}
}
END_TEST

/* ---- 64 places at a time and one by one ------------------------------- */

/* Elements that are mostly as they are written, some in other forms, and some
 * that are none. */
static size_t
make_elements(size_t count, uint8_t *to)
{
	uint8_t *p = to;

	for (size_t i = 0; i < count; i++) {
		uint64_t random = next_random();
		uint8_t byte = (uint8_t)(random >> 32);

		random &= 0x3ff;
		if (random == 0) {
			*p++ = 0xcd;
			*p++ = 0;
		} else if (byte >= 0x80 || random < 8) {
			*p++ = random == 9 ? 0xc0 : 0xcc;
		}
		*p++ = byte;
	}
	return (size_t)(p - to);
}

struct both {
	int code;
	struct bat_pack_reader reader;
	const uint8_t *rest;
	struct bat_buf out;
	struct bat_hash hash;
	struct bat_slice slot;
};

/* With room for the bytes: the same, and if they go in they are there. */
static void
check_into(struct bat_slice slot, const struct both *both)
{
	uint8_t *to = malloc(100);
	const struct bat_buf room = { to, 0, 100 };
	struct bat_pack_reader reader = BAT_PACK_READER(slot);
	struct bat_slice again, bytes;
	int code = bat_pack_read_bytes_into(&reader, &again, &room, &bytes);

	ck_assert_ptr_eq(reader.at, both->rest);
	ck_assert_int_eq(code, both->code / 100);
	ck_assert_ptr_eq(again.data, both->slot.data);
	if (code == 0 && both->out.length <= room.capacity)
		ck_assert(bytes.data == to &&
		    bat_bytes_equal(bytes, bat_bytes_of_buf(&both->out)));
	else
		ck_assert_ptr_null(bytes.data);
	free(to);
}

static void
read_slot(struct both *both, struct bat_slice slot, bool wide)
{
	*both = (struct both){ .reader = BAT_PACK_READER(slot),
		.out = BAT_BUF_EMPTY };
	bat_pack_wide_allow(wide);
	both->code = bat_pack_read_bytes(&both->reader, &both->slot) * 100 +
	    bat_pack_unpack_bytes(slot, &both->out);
	both->rest = both->reader.at;
	check_into(slot, both);
	both->reader = BAT_PACK_READER(slot);
	both->code = both->code * 100 +
	    bat_pack_read_hash(&both->reader, &both->hash);
	bat_pack_wide_allow(true);
}

START_TEST(wide_steps_read_what_small_ones_read)
{
	static uint8_t bytes[4096];

	for (unsigned round = 0; round < 1200; round++) {
		size_t count = round % 3 == 0 ? BAT_HASH_SIZE : round % 400;
		size_t length = make_elements(count, bytes + 3);
		struct both wide, small;
		struct bat_slice slot;

		bytes[0] = 0xdc;
		bytes[1] = (uint8_t)(count >> 8);
		bytes[2] = (uint8_t)count;
		/* Sometimes it ends early, sometimes more follows. */
		slot = bat_bytes_slice(bytes,
		    round % 5 == 0     ? 3 + length / 2 :
			round % 5 == 1 ? 3 + length + 70 :
					 3 + length);
		read_slot(&wide, slot, true);
		read_slot(&small, slot, false);
		ck_assert_int_eq(wide.code, small.code);
		ck_assert_ptr_eq(wide.rest, small.rest);
		ck_assert_ptr_eq(wide.reader.at, small.reader.at);
		ck_assert_uint_eq(wide.slot.length, small.slot.length);
		ck_assert(bat_bytes_equal(bat_bytes_of_buf(&wide.out),
		    bat_bytes_of_buf(&small.out)));
		ck_assert(bat_hash_equal(&wide.hash, &small.hash));
		bat_bytes_free(&wide.out);
		bat_bytes_free(&small.out);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pack_read");
	TCase *promises = tcase_create("promises");

	suite_add_tcase(suite, promises);
	tcase_add_test(promises, strings_of_any_width_and_bin_are_text_if_utf8);
	tcase_add_test(promises, integers_of_any_width_are_read_if_they_fit);
	tcase_add_test(promises,
	    signed_integers_refuse_what_63_bits_cannot_hold);
	tcase_add_test(promises, booleans_are_only_true_and_false);
	tcase_add_test(promises, ids_are_16_bytes_of_bin_or_16_integers);
	tcase_add_test(promises, nil_stands_for_the_zero_id);
	tcase_add_test(promises, the_vector_of_the_format_comes_out);
	tcase_add_test(promises, byte_arrays_of_every_length_go_both_ways);
	tcase_add_test(promises, every_way_to_gather_bytes_gives_the_same);
	tcase_add_test(promises, byte_arrays_may_hold_integers_of_any_width);
	tcase_add_test(promises, a_cut_byte_array_is_corrupt_at_every_length);
	tcase_add_test(promises, bin_is_a_byte_vector_too);
	tcase_add_test(promises,
	    another_value_is_handed_over_whole_but_refused);
	tcase_add_test(promises, a_broken_value_is_not_handed_over);
	tcase_add_test(promises, hashes_go_both_ways);
	tcase_add_test(promises, wide_steps_read_what_small_ones_read);
	tcase_add_test(promises,
	    bin_of_32_bytes_or_more_is_a_hash_and_others_are_not);
	return suite_run(suite);
}
