#include "hash.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>

/* The input of the published vectors: 0, 1 ... 250, 0, 1 ... */
static uint8_t *
make_input(size_t length)
{
	uint8_t *input = malloc(length + 1);

	ck_assert_ptr_nonnull(input);
	for (size_t i = 0; i < length; i++)
		input[i] = (uint8_t)(i % 251);
	return input;
}

/* From the test vectors of the BLAKE3 project; 2049 also in FORMAT.md 14.2. */
static const struct {
	size_t length;
	const char *hex;
} vectors[] = {
	{ 0,
	    "af1349b9f5f9a1a6a0404dea36dcc949"
	    "9bcb25c9adc112b7cc9a93cae41f3262" },
	{ 1024,
	    "42214739f095a406f3fc83deb889744a"
	    "c00df831c10daa55189b5d121c855af7" },
	{ 1025,
	    "d00278ae47eb27b34faecf67b4fe263f"
	    "82d5412916c1ffd97c8cb7fb814b8444" },
	{ 2048,
	    "e776b6028c7cd22a4d0ba182a8bf6220"
	    "5d2ef576467e838ed6f2529b85fba24a" },
	{ 2049,
	    "5f4d72f40d7a5f82b15ca2b2e44b1de3"
	    "c2ef86c426c95c1af0b6879522563030" },
	{ 3072,
	    "b98cb0ff3623be03326b373de6b90952"
	    "18513e64f1ee2edd2525c7ad1e5cffd2" },
	{ 4096,
	    "015094013f57a5277b59d8475c050104"
	    "2c0b642e531b0a1c8f58d2163229e969" },
	{ 31744,
	    "62b6960e1a44bcc1eb1a611a8d6235b6"
	    "b4b78f32e7abc4fb4c6cdcce94895c47" },
	{ 102400,
	    "bc3e3d41a1146b069abffad3c0d44860"
	    "cf664390afce4d9661f7902e7943e085" },
};

START_TEST(the_published_vectors_come_out)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		uint8_t *input = make_input(vectors[i].length);
		struct bat_hash hash = bat_hash_of(
		    bat_bytes_slice(input, vectors[i].length));
		char hex[65];

		bat_hash_to_hex(&hash, hex);
		ck_assert_str_eq(hex, vectors[i].hex);
		free(input);
	}
}
END_TEST

START_TEST(the_vectors_of_the_format_come_out)
{
	static const struct {
		const char *input;
		const char *hex;
	} cases[] = {
		{ "hello",
		    "ea8f163db38682925e4491c5e58d4bb3"
		    "506ef8c14eb78a86e908c5624a67200f" },
		{ "\x80",
		    "bbe6a9f5a0146a1f4d0381e9b0ed1ac2"
		    "f1a979ce9d5ad84e46ff0b58f36b5f46" },
		{ "\x81\xa1n\x01",
		    "7be2f6ba1a9ebb6454bae81c36b2f341"
		    "6e4ffe75827066ecc0856478a8c75a7f" },
		{ "\x81\xa7"
		  "fixture\xa7mmap-v4",
		    "166099298a932f09cbbb5561f254ba42"
		    "2a2239cad5ee5b3571d71bac67b8748b" },
		{ "\x81\xa7"
		  "fixture\xad"
		  "checkpoint-v5",
		    "0a7ddac648f62a92dcb96fd21f89d27d"
		    "852a75222cc042af46285cfa50a658b1" },
		{ "\x81\xa9"
		  "app.audit\x92\x07\x02",
		    "b69fd9b76b0f6ae98564750cd9fe795b"
		    "2f677bacdf669531d090c1bd11bfe018" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bat_hash hash = bat_hash_of(
		    bat_bytes_text(cases[i].input));
		char hex[65];

		bat_hash_to_hex(&hash, hex);
		ck_assert_str_eq(hex, cases[i].hex);
	}
}
END_TEST

START_TEST(pieces_of_any_size_give_the_same_as_the_whole)
{
	static const size_t steps[] = { 1, 7, 63, 64, 65, 1000, 1023, 1024,
		1025, 5000 };
	const size_t length = 9 * 1024 + 77;
	uint8_t *input = make_input(length);
	struct bat_hash whole = bat_hash_of(bat_bytes_slice(input, length));

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct bat_hasher hasher;
		struct bat_hash hash;

		bat_hash_start(&hasher);
		for (size_t at = 0; at < length; at += steps[i]) {
			size_t take = length - at;

			if (take > steps[i])
				take = steps[i];
			bat_hash_update(&hasher,
			    bat_bytes_slice(input + at, take));
			bat_hash_update(&hasher, BAT_SLICE_EMPTY);
		}
		hash = bat_hash_finish(&hasher);
		ck_assert(bat_hash_equal(&hash, &whole));
	}
	free(input);
}
END_TEST

START_TEST(a_hasher_goes_on_after_finish)
{
	struct bat_hasher hasher;
	struct bat_hash half, whole, hello;

	bat_hash_start(&hasher);
	bat_hash_update(&hasher, bat_bytes_text("hel"));
	half = bat_hash_finish(&hasher);
	bat_hash_update(&hasher, bat_bytes_text("lo"));
	whole = bat_hash_finish(&hasher);
	hello = bat_hash_of(bat_bytes_text("hello"));
	ck_assert(bat_hash_equal(&whole, &hello));
	ck_assert(!bat_hash_equal(&whole, &half));
}
END_TEST

/* Of every length, and of different ones side by side. */
START_TEST(side_by_side_gives_the_same_as_one_by_one)
{
	static struct bat_hash_lanes lanes;
	struct bat_hash wide[BAT_HASH_LANES], plain[BAT_HASH_LANES];
	uint32_t state = 1;

	for (uint32_t round = 0; round <= BAT_HASH_LANE_SIZE; round++) {
		lanes.count = 1 + round % BAT_HASH_LANES;
		for (unsigned i = 0; i < BAT_HASH_LANES; i++) {
			state = state * 1664525 + 1013904223;
			lanes.lengths[i] = i == round % lanes.count ?
			    round :
			    (state >> 8) % (BAT_HASH_LANE_SIZE + 1);
			for (unsigned j = 0; j < BAT_HASH_LANE_SIZE; j++)
				lanes.lanes[i][j] = (uint8_t)(state >> 24) ^
				    (uint8_t)(j * 7 + i);
		}
		bat_hash_lanes_by(BAT_HASH_WAY_PLAIN, &lanes, plain);
		/* The best way, then each one that there is. */
		bat_hash_lanes(&lanes, wide);
		ck_assert_mem_eq(wide, plain, lanes.count * sizeof(plain[0]));
		for (enum bat_hash_way way = 1; way < BAT_HASH_WAYS; way++) {
			if (!bat_hash_has_way(way))
				continue;
			memset(wide, 0, sizeof(wide));
			bat_hash_lanes_by(way, &lanes, wide);
			if (memcmp(wide, plain,
				lanes.count * sizeof(plain[0])) != 0)
				ck_abort_msg("another hash in round %u, way %u",
				    round, (unsigned)way);
		}
	}
}
END_TEST

START_TEST(only_the_zero_hash_is_zero)
{
	struct bat_hash hash = { { 0 } };

	ck_assert(bat_hash_is_zero(&hash));
	hash.bytes[31] = 0x80;
	ck_assert(!bat_hash_is_zero(&hash));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hash");
	TCase *promises = tcase_create("promises");

	suite_add_tcase(suite, promises);
	tcase_add_test(promises, the_published_vectors_come_out);
	tcase_add_test(promises, the_vectors_of_the_format_come_out);
	tcase_add_test(promises, pieces_of_any_size_give_the_same_as_the_whole);
	tcase_add_test(promises, a_hasher_goes_on_after_finish);
	tcase_add_test(promises, side_by_side_gives_the_same_as_one_by_one);
	tcase_add_test(promises, only_the_zero_hash_is_zero);
	return suite_run(suite);
}
