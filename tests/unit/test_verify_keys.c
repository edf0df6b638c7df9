/*
 * Are all ids of a log different? Two equal ones are seen wherever they stand,
 * and where there are none, that is said.
 */
#include <check.h>

#include "../../store/verify_swift.h"
#include "suite.h"

#define IDS 6000

static uint32_t state;

static uint32_t
next_random(uint32_t below)
{
	state = state * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)state * below >> 32);
}

static struct bat_id
make_id(uint64_t time, uint32_t number)
{
	struct bat_id id = BAT_ID_ZERO;

	bat_bytes_put_be(id.bytes, time, 6);
	bat_bytes_put_be(id.bytes + 12, number, 4);
	return id;
}

/* What is said of ids that come in parts of at most this many. */
static int
judge(const struct bat_id *ids, size_t count, uint32_t part_max)
{
	struct verify_keys all = { .parts = NULL };
	struct verify_keys_part part = { .keys = NULL };
	size_t end = next_random(part_max + 1);
	int code;

	for (size_t i = 0; i < count; i++) {
		for (; i >= end; end += next_random(part_max + 1)) {
			ck_assert_int_eq(bat_verify_keys_add(&all, &part), 0);
			part = (struct verify_keys_part){ .keys = NULL };
		}
		ck_assert_int_eq(bat_verify_keys_put(&part, &ids[i]), 0);
	}
	ck_assert_int_eq(bat_verify_keys_add(&all, &part), 0);
	code = bat_verify_keys_differ(&all);
	bat_verify_keys_free(&all);
	return code;
}

/* All different: so many of one time, which rises, or it goes back and forth. */
static void
make_ids(struct bat_id *ids, size_t count, uint32_t of_one_time, bool rises)
{
	uint64_t time = 1700000000000;

	for (size_t i = 0; i < count; i++) {
		if (next_random(of_one_time) == 0)
			time += rises ? 1 + next_random(3) :
					(uint64_t)next_random(9) - 4;
		ids[i] = make_id(time, (uint32_t)i);
	}
}

static const struct {
	uint32_t of_one_time, part_max;
	bool rises;
} shapes[] = {
	{ 1, 1, true },
	{ 1, 2 * IDS, true },
	{ 5, 3, true },
	{ 5, 40, true },
	{ 300, 100, true },
	{ 300, 2 * IDS, true },
	{ 3000, 2 * IDS, true },
	{ 5, 40, false },
	{ 300, 1000, false },
};

START_TEST(ids_that_differ_are_said_to)
{
	static struct bat_id ids[IDS];

	state = (uint32_t)_i;
	make_ids(ids, IDS, shapes[_i].of_one_time, shapes[_i].rises);
	ck_assert_int_eq(judge(ids, IDS, shapes[_i].part_max), BAT_OK);
}
END_TEST

/* Side by side, near, and anywhere. */
START_TEST(a_twin_is_seen_wherever_it_stands)
{
	static struct bat_id ids[IDS];

	state = (uint32_t)_i;
	for (unsigned round = 0; round < 100; round++) {
		uint32_t count = 2 + next_random(round % 4 == 0 ? IDS - 2 : 60);
		uint32_t at = next_random(count), twin;

		make_ids(ids, count, shapes[_i].of_one_time, shapes[_i].rises);
		twin = round % 3 == 0 ? next_random(count) :
					(at + 1 + next_random(2)) % count;
		if (twin == at)
			continue;
		ids[twin] = ids[at];
		ck_assert_int_eq(judge(ids, count, shapes[_i].part_max),
		    BAT_END);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("verify_keys");
	TCase *promises = tcase_create("promises");
	int count = (int)(sizeof(shapes) / sizeof(shapes[0]));

	suite_add_tcase(suite, promises);
	tcase_set_timeout(promises, 60);
	tcase_add_loop_test(promises, ids_that_differ_are_said_to, 0, count);
	tcase_add_loop_test(promises, a_twin_is_seen_wherever_it_stands, 0,
	    count);
	return suite_run(suite);
}
