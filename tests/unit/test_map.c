#include "map.h"

#include <check.h>
#include <stdio.h>

#include "error.h"
#include "suite.h"

#define KEY_COUNT 5000

/* The caller's store: value v has the key "key<v>". */
static struct bat_slice
key_of(uint32_t value, char text[32])
{
	return bat_bytes_slice(text,
	    (size_t)snprintf(text, 32, "key%u", value));
}

/* Values from 1000000 on are second values of the same keys. */
static bool
same(const void *context, uint32_t value, struct bat_slice key)
{
	char text[32];

	(void)context;
	return bat_bytes_equal(key_of(value % 1000000, text), key);
}

static uint64_t
hash_of(const void *context, uint32_t value)
{
	char text[32];

	(void)context;
	return bat_map_hash(key_of(value % 1000000, text));
}

START_TEST(what_was_put_is_found_and_nothing_else)
{
	struct bat_map map;
	char text[32];

	bat_map_init(&map, NULL, same, hash_of);
	ck_assert_uint_eq(bat_map_find(&map, bat_bytes_text("key0")),
	    BAT_MAP_NONE);
	for (uint32_t i = 0; i < KEY_COUNT; i++) {
		ck_assert_int_eq(bat_map_put(&map, key_of(i, text), i), 0);
		ck_assert_uint_le(map.used * 4, map.slot_count * 3);
	}
	ck_assert_uint_eq(map.used, KEY_COUNT);
	for (uint32_t i = 0; i < KEY_COUNT; i++)
		ck_assert_uint_eq(bat_map_find(&map, key_of(i, text)), i);
	for (uint32_t i = KEY_COUNT; i < 2 * KEY_COUNT; i++)
		ck_assert_uint_eq(bat_map_find(&map, key_of(i, text)),
		    BAT_MAP_NONE);
	ck_assert_uint_eq(bat_map_find(&map, BAT_SLICE_EMPTY), BAT_MAP_NONE);
	bat_map_free(&map);
	ck_assert_uint_eq(bat_map_find(&map, bat_bytes_text("key0")),
	    BAT_MAP_NONE);
}
END_TEST

START_TEST(an_equal_key_replaces_its_value)
{
	struct bat_map map;
	char text[32];

	bat_map_init(&map, NULL, same, hash_of);
	for (uint32_t i = 0; i < 12; i++)
		ck_assert_int_eq(bat_map_put(&map, key_of(i, text), i), 0);
	for (uint32_t i = 0; i < 12; i++)
		ck_assert_int_eq(
		    bat_map_put(&map, key_of(i, text), 1000000 + i), 0);
	ck_assert_uint_eq(map.used, 12);
	ck_assert_uint_eq(map.slot_count, 16);
	for (uint32_t i = 0; i < 12; i++)
		ck_assert_uint_eq(bat_map_find(&map, key_of(i, text)),
		    1000000 + i);
	bat_map_free(&map);
}
END_TEST

START_TEST(reserved_room_is_enough)
{
	struct bat_map map;
	char text[32];
	uint32_t *slots;

	bat_map_init(&map, NULL, same, hash_of);
	ck_assert_int_eq(bat_map_put(&map, key_of(0, text), 0), 0);
	ck_assert_int_eq(bat_map_reserve(&map, KEY_COUNT), 0);
	slots = map.slots;
	for (uint32_t i = 1; i < KEY_COUNT; i++)
		ck_assert_int_eq(bat_map_put(&map, key_of(i, text), i), 0);
	ck_assert_ptr_eq(map.slots, slots);
	ck_assert_uint_eq(bat_map_find(&map, key_of(0, text)), 0);
	bat_map_free(&map);
}
END_TEST

START_TEST(a_map_that_cannot_grow_is_unchanged)
{
	struct bat_map map;
	char text[32];

	bat_map_init(&map, NULL, same, hash_of);
	ck_assert_int_eq(bat_map_put(&map, key_of(7, text), 7), 0);
	ck_assert_int_eq(bat_map_reserve(&map, SIZE_MAX), BAT_WORLD_NO_MEMORY);
	ck_assert_int_eq(bat_map_reserve(&map, SIZE_MAX / 8),
	    BAT_WORLD_NO_MEMORY);
	ck_assert_uint_eq(map.used, 1);
	ck_assert_uint_eq(bat_map_find(&map, key_of(7, text)), 7);
	bat_map_free(&map);
}
END_TEST

START_TEST(equal_keys_have_equal_hashes_and_similar_ones_do_not)
{
	static const uint8_t zeros[40];
	uint64_t hashes[40];

	for (size_t i = 0; i < 40; i++) {
		uint8_t copy[40] = { 0 };

		hashes[i] = bat_map_hash(bat_bytes_slice(zeros, i));
		ck_assert(hashes[i] == bat_map_hash(bat_bytes_slice(copy, i)));
		for (size_t j = 0; j < i; j++)
			ck_assert(hashes[i] != hashes[j]);
		/* Every byte counts. */
		for (size_t j = 0; j < i; j++) {
			copy[j] = 1;
			ck_assert(hashes[i] !=
			    bat_map_hash(bat_bytes_slice(copy, i)));
			copy[j] = 0;
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("map");
	TCase *promises = tcase_create("promises");

	suite_add_tcase(suite, promises);
	tcase_add_test(promises, what_was_put_is_found_and_nothing_else);
	tcase_add_test(promises, an_equal_key_replaces_its_value);
	tcase_add_test(promises, reserved_room_is_enough);
	tcase_add_test(promises, a_map_that_cannot_grow_is_unchanged);
	tcase_add_test(promises,
	    equal_keys_have_equal_hashes_and_similar_ones_do_not);
	return suite_run(suite);
}
