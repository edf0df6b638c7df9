#include "inode.h"
#include "suite.h"

#include <check.h>

static bool
same(const struct batfs_node *a, const struct batfs_node *b)
{
	return a->class == b->class && a->entity == b->entity &&
	    a->scope == b->scope && a->number == b->number;
}

static const struct batfs_node nodes[] = {
	{ .class = BATFS_ROOT },
	{ .class = BATFS_README },
	{ .class = BATFS_ENTITIES },
	{ .class = BATFS_ENTITY, .entity = 0 },
	{ .class = BATFS_ENTITY, .entity = 7 },
	{ .class = BATFS_ENTITY, .entity = (1u << 28) - 1 },
	{ .class = BATFS_ENTITY_WORDS, .entity = 7 },
	{ .class = BATFS_SCOPE, .scope = 7 },
	{ .class = BATFS_MEMBER, .scope = 1, .entity = 2 },
	{ .class = BATFS_MEMBER, .scope = 2, .entity = 1 },
	{ .class = BATFS_MEMBER_WORDS, .scope = 2, .entity = 1 },
	{ .class = BATFS_MEMBER, .scope = (1u << 28) - 1, .entity = 0 },
	{ .class = BATFS_SHARD, .number = 4 },
	{ .class = BATFS_EVENT_JSON, .number = 42137 },
	{ .class = BATFS_EVENT_DIR, .number = 42137 },
	{ .class = BATFS_EVENT_JSON, .number = (UINT64_C(1) << 56) - 1 },
	{ .class = BATFS_CTL_FILE, .number = BATFS_CTL_REJECTS },
};
#define NODES (sizeof nodes / sizeof nodes[0])

START_TEST(a_node_comes_back_from_its_number)
{
	struct batfs_node back;
	uint64_t id = batfs_inode_of(&nodes[_i]);

	ck_assert_uint_ne(id, 0);
	ck_assert(batfs_inode_node(id, &back));
	ck_assert(same(&nodes[_i], &back));
}
END_TEST

START_TEST(no_two_nodes_share_a_number)
{
	for (size_t i = 0; i < NODES; i++)
		for (size_t j = i + 1; j < NODES; j++)
			ck_assert_uint_ne(batfs_inode_of(&nodes[i]),
			    batfs_inode_of(&nodes[j]));
}
END_TEST

START_TEST(the_root_is_one)
{
	struct batfs_node root = BATFS_NODE_ROOT;

	ck_assert_uint_eq(batfs_inode_of(&root), 1);
}
END_TEST

START_TEST(what_does_not_fit_has_no_number)
{
	const struct batfs_node large[] = {
		{ .class = BATFS_ENTITY, .entity = 1u << 28 },
		{ .class = BATFS_SCOPE, .scope = UINT32_MAX },
		{ .class = BATFS_MEMBER, .scope = 1, .entity = 1u << 28 },
		{ .class = BATFS_MEMBER, .scope = 1u << 28, .entity = 1 },
		{ .class = BATFS_EVENT_JSON, .number = UINT64_C(1) << 56 },
		{ .class = BATFS_EVENT_JSON, .number = UINT64_MAX },
		{ .class = BATFS_NONE },
	};

	for (size_t i = 0; i < sizeof large / sizeof large[0]; i++)
		ck_assert_uint_eq(batfs_inode_of(&large[i]), 0);
}
END_TEST

START_TEST(numbers_that_we_never_give_out_are_refused)
{
	const uint64_t numbers[] = {
		0,
		2,
		UINT64_MAX,
		(uint64_t)BATFS_ROOT << 56,
		(uint64_t)BATFS_README << 56 | 1,
		(uint64_t)BATFS_ENTITY << 56 | UINT64_C(1) << 28,
		(uint64_t)BATFS_SCOPE << 56 | 1,
		(uint64_t)BATFS_CLASS_COUNT << 56,
	};
	struct batfs_node node;

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		ck_assert(!batfs_inode_node(numbers[i], &node));
}
END_TEST

START_TEST(every_class_but_none_has_numbers)
{
	struct batfs_node node = { .class = (enum batfs_class)_i };

	ck_assert_uint_ne(batfs_inode_of(&node), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("inode");
	TCase *tests = tcase_create("inode");

	tcase_add_loop_test(tests, a_node_comes_back_from_its_number, 0, NODES);
	tcase_add_test(tests, no_two_nodes_share_a_number);
	tcase_add_test(tests, the_root_is_one);
	tcase_add_test(tests, what_does_not_fit_has_no_number);
	tcase_add_test(tests, numbers_that_we_never_give_out_are_refused);
	tcase_add_loop_test(tests, every_class_but_none_has_numbers, BATFS_ROOT,
	    BATFS_CLASS_COUNT);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
