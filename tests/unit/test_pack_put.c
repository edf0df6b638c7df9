/* pack_put.h against the writer that asks for room, and the two ways to spread
 * bytes against each other. */
#include "pack.h"
#include "pack_put.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>

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

/* In one of eight: all below 80, all above, or any. */
static void
fill(uint8_t *bytes, size_t length)
{
	uint64_t kind = next_random() % 8;

	for (size_t i = 0; i < length; i++) {
		bytes[i] = (uint8_t)next_random();
		if (kind == 0)
			bytes[i] &= 0x7f;
		else if (kind == 1)
			bytes[i] |= 0x80;
	}
}

static void
check_same(const struct bat_buf *wrote, const uint8_t *to, const uint8_t *end)
{
	ck_assert_uint_eq(wrote->length, (size_t)(end - to));
	ck_assert_mem_eq(wrote->data, to, wrote->length);
}

START_TEST(both_ways_to_spread_bytes_give_the_same_and_keep_to_its_room)
{
	for (size_t round = 0; round < 4000; round++) {
		size_t length = next_random() % 133;
		size_t room = BAT_PACK_SPREAD_ROOM(length);
		/* On the heap, so that a sanitizer sees a step too far. */
		uint8_t *from = malloc(length + 1), *plain = malloc(room),
			*other = malloc(room), *end, *behind;

		ck_assert(from != NULL && plain != NULL && other != NULL);
		fill(from, length);
		end = bat_pack_put_spread_plain(plain, from, length);
		behind = bat_pack_put_spread(other, from, length);
		ck_assert_int_eq(behind - other, end - plain);
		ck_assert_mem_eq(other, plain, (size_t)(end - plain));
		free(from);
		free(plain);
		free(other);
	}
}
END_TEST

START_TEST(a_byte_array_is_its_header_and_a_number_for_each_byte)
{
	static uint8_t from[300], to[3 + BAT_PACK_SPREAD_ROOM(300)];

	for (size_t length = 0; length <= sizeof(from); length++) {
		struct bat_buf wrote = BAT_BUF_EMPTY;
		uint8_t *end;

		fill(from, length);
		end = bat_pack_put_byte_array(to,
		    bat_bytes_slice(from, length));
		ck_assert_int_eq(bat_pack_write_array(&wrote, (uint32_t)length),
		    0);
		for (size_t i = 0; i < length; i++)
			ck_assert_int_eq(bat_pack_write_uint(&wrote, from[i]),
			    0);
		check_same(&wrote, to, end);
		bat_bytes_free(&wrote);
	}
}
END_TEST

START_TEST(numbers_are_put_as_they_are_written)
{
	uint8_t to[BAT_PACK_PUT_ROOM];

	for (unsigned bit = 0; bit < 64; bit++) {
		for (int step = -40; step <= 40; step++) {
			uint64_t number = (UINT64_C(1) << bit) +
			    (uint64_t)(int64_t)step;
			struct bat_buf wrote = BAT_BUF_EMPTY;

			ck_assert_int_eq(bat_pack_write_uint(&wrote, number),
			    0);
			check_same(&wrote, to, bat_pack_put_uint(to, number));
			bat_bytes_clear(&wrote);
			ck_assert_int_eq(
			    bat_pack_write_int(&wrote, (int64_t)number), 0);
			check_same(&wrote, to,
			    bat_pack_put_int(to, (int64_t)number));
			bat_bytes_clear(&wrote);
			number = 0 - number;
			ck_assert_int_eq(
			    bat_pack_write_int(&wrote, (int64_t)number), 0);
			check_same(&wrote, to,
			    bat_pack_put_int(to, (int64_t)number));
			bat_bytes_free(&wrote);
		}
	}
}
END_TEST

START_TEST(texts_ids_and_hashes_are_put_as_they_are_written)
{
	static const size_t lengths[] = { 0, 1, 31, 32, 255, 256, 65535,
		65536 };
	uint8_t *to = malloc(65536 + BAT_PACK_PUT_ROOM);
	char *text = malloc(65536);
	struct bat_buf wrote = BAT_BUF_EMPTY;
	struct bat_hash hash;
	struct bat_id id;

	ck_assert(to != NULL && text != NULL);
	memset(text, 'x', 65536);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct bat_slice slice = bat_bytes_slice(text, lengths[i]);

		bat_bytes_clear(&wrote);
		ck_assert_int_eq(bat_pack_write_str(&wrote, slice), 0);
		check_same(&wrote, to, bat_pack_put_str(to, slice));
	}
	for (size_t round = 0; round < 200; round++) {
		fill(hash.bytes, sizeof(hash.bytes));
		fill(id.bytes, sizeof(id.bytes));
		bat_bytes_clear(&wrote);
		ck_assert_int_eq(bat_pack_write_hash(&wrote, &hash), 0);
		check_same(&wrote, to, bat_pack_put_hash(to, &hash));
		bat_bytes_clear(&wrote);
		ck_assert_int_eq(bat_pack_write_id(&wrote, &id), 0);
		check_same(&wrote, to, bat_pack_put_id(to, &id));
	}
	bat_bytes_free(&wrote);
	free(text);
	free(to);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pack_put");
	TCase *promises = tcase_create("promises");

	suite_add_tcase(suite, promises);
	tcase_add_test(promises,
	    both_ways_to_spread_bytes_give_the_same_and_keep_to_its_room);
	tcase_add_test(promises,
	    a_byte_array_is_its_header_and_a_number_for_each_byte);
	tcase_add_test(promises, numbers_are_put_as_they_are_written);
	tcase_add_test(promises,
	    texts_ids_and_hashes_are_put_as_they_are_written);
	return suite_run(suite);
}
