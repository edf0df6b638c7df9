#include "past.h"

#include <check.h>
#include <pthread.h>

#include "inode.h"
#include "suite.h"

#define MANY 5000

static struct batfs_past *past;

static void
setup(void)
{
	ck_assert_int_eq(batfs_past_new(&past), 0);
}

static void
teardown(void)
{
	batfs_past_free(past);
}

static struct batfs_node
node_of(uint64_t number, uint64_t at)
{
	return (struct batfs_node){
		.class = BATFS_EVENT_JSON,
		.number = number,
		.at = at,
	};
}

static uint64_t
hold(uint64_t number, uint64_t at)
{
	struct batfs_node node = node_of(number, at);
	uint64_t nodeid = batfs_past_hold(past, &node);

	ck_assert_uint_ne(nodeid, 0);
	return nodeid;
}

static bool
names(uint64_t nodeid, uint64_t number, uint64_t at)
{
	struct batfs_node node = { .class = BATFS_NONE };

	return batfs_past_find(past, nodeid, &node) &&
	    node.class == BATFS_EVENT_JSON && node.number == number &&
	    node.at == at;
}

START_TEST(a_node_has_one_number_as_long_as_it_is_held)
{
	uint64_t first = hold(1, 7);

	ck_assert_uint_eq(hold(1, 7), first);
	ck_assert_uint_ne(hold(1, 8), first);
	ck_assert_uint_ne(hold(2, 7), first);
	ck_assert(names(first, 1, 7));
	batfs_past_let_go(past, first, 1);
	ck_assert_uint_eq(hold(1, 7), first);
}
END_TEST

START_TEST(every_part_of_a_node_tells_it_from_others)
{
	const struct batfs_node nodes[] = {
		{ .class = BATFS_ROOT, .at = 1 },
		{ .class = BATFS_ENTITIES, .at = 1 },
		{ .class = BATFS_ENTITIES, .at = 2 },
		{ .class = BATFS_ENTITY, .entity = 3, .at = 1 },
		{ .class = BATFS_MEMBER, .entity = 3, .at = 1 },
		{ .class = BATFS_MEMBER, .entity = 3, .scope = 4, .at = 1 },
		{ .class = BATFS_SHARD, .number = 3, .at = 1 },
		{ .class = BATFS_SHARD, .number = 3, .at = UINT64_MAX },
	};
	const size_t count = sizeof(nodes) / sizeof(nodes[0]);
	uint64_t numbers[sizeof(nodes) / sizeof(nodes[0])];
	struct batfs_node found;

	for (size_t i = 0; i < count; i++) {
		numbers[i] = batfs_past_hold(past, &nodes[i]);
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(numbers[i], numbers[j]);
	}
	for (size_t i = 0; i < count; i++) {
		ck_assert(batfs_past_find(past, numbers[i], &found));
		ck_assert_int_eq(found.class, nodes[i].class);
		ck_assert_uint_eq(found.entity, nodes[i].entity);
		ck_assert_uint_eq(found.scope, nodes[i].scope);
		ck_assert_uint_eq(found.number, nodes[i].number);
		ck_assert_uint_eq(found.at, nodes[i].at);
	}
}
END_TEST

START_TEST(no_number_is_one_of_now)
{
	struct batfs_node node = node_of((UINT64_C(1) << 56) - 1, 0), found;
	uint64_t now = batfs_inode_of(&node), nodeid = hold(1, 7);

	ck_assert(!batfs_inode_node(nodeid, &found));
	ck_assert(!batfs_past_find(past, now, &found));
	ck_assert(!batfs_past_find(past, BATFS_INODE_ROOT, &found));
	ck_assert(!batfs_past_find(past, 0, &found));
	ck_assert(!batfs_past_find(past, UINT64_MAX, &found));
	batfs_past_let_go(past, now, 1);
	batfs_past_let_go(past, UINT64_MAX, 1);
	ck_assert_uint_eq(batfs_past_count(past), 1);
}
END_TEST

START_TEST(it_is_forgotten_when_the_kernel_gave_back_all_it_got)
{
	uint64_t nodeid = hold(1, 7);

	hold(1, 7);
	hold(1, 7);
	batfs_past_let_go(past, nodeid, 2);
	ck_assert(names(nodeid, 1, 7));
	batfs_past_let_go(past, nodeid, 1);
	ck_assert(!names(nodeid, 1, 7));
	ck_assert_uint_eq(batfs_past_count(past), 0);
	/* One too many is nobody's. */
	batfs_past_let_go(past, nodeid, 1);
	ck_assert_uint_eq(batfs_past_count(past), 0);
}
END_TEST

START_TEST(an_old_number_does_not_name_what_took_its_place)
{
	uint64_t old = hold(1, 7), later;

	batfs_past_let_go(past, old, 1);
	later = hold(2, 9);
	ck_assert_uint_ne(later, old);
	ck_assert(!names(old, 1, 7) && !names(old, 2, 9));
	batfs_past_let_go(past, old, 1);
	ck_assert(names(later, 2, 9));
}
END_TEST

START_TEST(many_come_and_go)
{
	static uint64_t numbers[MANY];

	for (unsigned round = 0; round < 3; round++) {
		for (uint64_t i = 0; i < MANY; i++)
			if (round == 0 || i % 3 == 0)
				numbers[i] = hold(i, 7 + round % 2);
		for (uint64_t i = 0; i < MANY; i += 3)
			ck_assert(names(numbers[i], i, 7 + round % 2));
		for (uint64_t i = 1; i < MANY; i += 3)
			ck_assert(names(numbers[i], i, 7));
		for (uint64_t i = 0; i < MANY; i += 3)
			batfs_past_let_go(past, numbers[i], 1);
		ck_assert_uint_eq(batfs_past_count(past),
		    MANY - (MANY + 2) / 3);
	}
}
END_TEST

static void *
come_and_go(void *argument)
{
	(void)argument;
	for (uint64_t i = 0; i < MANY; i++) {
		uint64_t nodeid = hold(i % 97, 7);

		ck_assert(names(nodeid, i % 97, 7));
		batfs_past_let_go(past, nodeid, 1);
	}
	return NULL;
}

START_TEST(threads_count_together)
{
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(batfs_past_count(past), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("past");
	TCase *tcase = tcase_create("past");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_node_has_one_number_as_long_as_it_is_held);
	tcase_add_test(tcase, every_part_of_a_node_tells_it_from_others);
	tcase_add_test(tcase, no_number_is_one_of_now);
	tcase_add_test(tcase,
	    it_is_forgotten_when_the_kernel_gave_back_all_it_got);
	tcase_add_test(tcase, an_old_number_does_not_name_what_took_its_place);
	tcase_add_test(tcase, many_come_and_go);
	tcase_add_test(tcase, threads_count_together);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
