/*
 * The tables of many rows, made by two threads and by the plain way: the same
 * to the last number.
 */
#include <check.h>
#include <stdlib.h>

#include "index.h"
#include "kind.h"
#include "suite.h"

enum { ROWS = 40000, NAMES = 500, SCOPES = 7 };

/* What is unusual about the rows of a store. */
struct unusual {
	bool hidden;	       /* some are */
	bool damaged;	       /* of some nothing is known */
	bool empty;	       /* all are hidden */
	uint32_t second_scope; /* the row of this number has another one */
};

static uint32_t
draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % below;
}

static struct bat_row
make_row(uint32_t i, uint32_t *seed, const struct unusual *how)
{
	/* Most entities come late, and some only in one half. */
	uint32_t part = i < ROWS ? i / 1000 + 1 : ROWS / 1000;
	uint32_t entity = SCOPES +
	    draw(seed, (NAMES - SCOPES) * part / (ROWS / 1000));
	bool damaged = how->damaged && draw(seed, 100) == 0;

	return (struct bat_row){
		.id = bat_id_from_number(i + 1),
		.entity = damaged ? BAT_INTERN_NONE : entity,
		.scope = damaged	       ? BAT_INTERN_NONE :
		    i + 1 == how->second_scope ? (entity + 1) % SCOPES :
						 entity % SCOPES,
		.segment = 1 + i / 9000,
		.offset = 57 + (uint64_t)(i % 9000) * 100,
		.length = 100,
		.seq = (uint64_t)i * 2,
		.wall_ms = 1000 + draw(seed, 100000),
		.kind = draw(seed, 3000) == 0 ? BAT_KIND_CLOSE_COMPLETED :
						0x1001,
	};
}

static void
make(struct bat_index *index, bool plain, const struct unusual *how)
{
	struct bat_hidden hidden = { malloc(2 * sizeof(*hidden.ranges)), 2 };
	uint32_t seed = 5, number;

	bat_index_init(index);
	index->plain = plain;
	ck_assert_ptr_nonnull(hidden.ranges);
	hidden.ranges[0] = (struct bat_hidden_range){ 0, 500 };
	hidden.ranges[1] = (struct bat_hidden_range){ 39000, 41000 };
	if (how->empty)
		hidden.ranges[0].end = hidden.ranges[1].start;
	if (how->empty)
		hidden.ranges[1].end = ROWS * 2;
	if (how->hidden || how->empty)
		bat_index_set_hidden(index, &hidden);
	bat_hidden_free(&hidden);
	for (uint32_t i = 0; i < NAMES; i++) {
		struct bat_slice name = bat_bytes_slice(&i, sizeof(i));

		ck_assert_int_eq(bat_intern_put(&index->names, name, &number),
		    0);
	}
	for (uint32_t i = 0; i < ROWS; i++) {
		struct bat_row row = make_row(i, &seed, how);

		ck_assert_int_eq(bat_index_load(index, &row), 0);
	}
	ck_assert_int_eq(bat_index_finish(index), 0);
}

static void
assert_same_list(const struct bat_index_list *a, const struct bat_index_list *b)
{
	ck_assert_uint_eq(a->count, b->count);
	ck_assert(a->count == 0 ||
	    memcmp(a->ordinals, b->ordinals, a->count * sizeof(uint32_t)) == 0);
}

static void
assert_same_members(const struct bat_index *a, const struct bat_index *b)
{
	ck_assert_uint_eq(a->member_count, b->member_count);
	for (uint32_t i = 0; i < a->member_count; i++) {
		const struct bat_index_member *x = &a->members[i];
		const struct bat_index_member *y = &b->members[i];

		ck_assert_uint_eq(x->scope, y->scope);
		ck_assert_uint_eq(x->entity, y->entity);
		ck_assert_int_eq(x->own, y->own);
		ck_assert_uint_eq(x->count, y->count);
		ck_assert_uint_eq(x->next_of_entity, y->next_of_entity);
		ck_assert_uint_eq(bat_index_find_member(a, x->scope, x->entity),
		    i);
		assert_same_list(bat_index_member_list(a, i),
		    bat_index_member_list(b, i));
	}
}

static void
assert_same(const struct bat_index *a, const struct bat_index *b)
{
	ck_assert_uint_eq(a->visible_count, b->visible_count);
	ck_assert_uint_eq(a->first_visible, b->first_visible);
	ck_assert_uint_eq(a->last_visible, b->last_visible);
	ck_assert(
	    memcmp(&a->first_row, &b->first_row, sizeof(a->first_row)) == 0);
	ck_assert(memcmp(&a->last_row, &b->last_row, sizeof(a->last_row)) == 0);
	ck_assert_uint_eq(a->max_wall_ms, b->max_wall_ms);
	ck_assert_uint_eq(a->last_close_wall_ms, b->last_close_wall_ms);
	ck_assert_uint_eq(a->next_seq, b->next_seq);
	assert_same_list(&a->entities, &b->entities);
	assert_same_list(&a->scopes, &b->scopes);
	assert_same_members(a, b);
	for (uint32_t i = 0; i < ROWS; i++)
		ck_assert(memcmp(bat_index_hot_at(a, i), bat_index_hot_at(b, i),
			      sizeof(struct bat_index_hot)) == 0);
	for (uint32_t i = 0; i < NAMES; i++) {
		const struct bat_index_name *x = &a->by_name[i];
		const struct bat_index_name *y = &b->by_name[i];

		ck_assert_uint_eq(x->first_member, y->first_member);
		ck_assert_uint_eq(x->last_member, y->last_member);
		ck_assert_uint_eq(x->member_count, y->member_count);
		assert_same_list(&x->members, &y->members);
		assert_same_list(bat_index_entity_list(a, i),
		    bat_index_entity_list(b, i));
	}
}

/* Both can be added to. */
static void
assert_grows(struct bat_index *index)
{
	struct unusual how = { .hidden = false };
	uint32_t seed = 9, before;

	for (uint32_t i = 0; i < 50; i++) {
		struct bat_row row = make_row(ROWS + i, &seed, &how);

		before = bat_index_entity_list(index, row.entity)->count;
		ck_assert_int_eq(bat_index_prepare(index, &row, 1), 0);
		bat_index_insert(index, &row);
		ck_assert_uint_eq(
		    bat_index_entity_list(index, row.entity)->count,
		    before + 1);
	}
}

START_TEST(two_threads_make_the_tables_that_one_makes)
{
	static const struct unusual cases[] = {
		{ .hidden = false },
		{ .hidden = true },
		{ .damaged = true },
		{ .hidden = true, .damaged = true },
		{ .empty = true },
		{ .second_scope = 1 },
		{ .second_scope = 100 },
		{ .second_scope = ROWS / 2 },
		{ .second_scope = ROWS / 2 + 1 },
		{ .second_scope = ROWS },
	};
	struct bat_index fast, plain;

	make(&fast, false, &cases[_i]);
	make(&plain, true, &cases[_i]);
	assert_same(&fast, &plain);
	if (cases[_i].second_scope != 0)
		ck_assert_uint_gt(fast.member_count, fast.entities.count);
	assert_grows(&fast);
	assert_grows(&plain);
	bat_index_free(&fast);
	bat_index_free(&plain);
}
END_TEST

/* A last row alone has the other scope: each half for itself is usual. */
START_TEST(a_scope_that_only_the_other_half_has_is_not_passed_over)
{
	struct bat_index index;
	struct bat_row row = { .segment = 1, .length = 10, .kind = 1 };
	uint32_t number;

	bat_index_init(&index);
	for (uint32_t i = 0; i < 3; i++) {
		struct bat_slice name = bat_bytes_slice(&i, sizeof(i));

		ck_assert_int_eq(bat_intern_put(&index.names, name, &number),
		    0);
	}
	for (uint32_t i = 0; i < ROWS; i++) {
		row.seq = i;
		row.offset = (uint64_t)i * 10;
		row.id = bat_id_from_number(i + 1);
		row.scope = i < ROWS / 2 ? 1 : 2;
		ck_assert_int_eq(bat_index_load(&index, &row), 0);
	}
	ck_assert_int_eq(bat_index_finish(&index), 0);
	ck_assert_uint_eq(index.member_count, 2);
	number = bat_index_find_member(&index, 2, 0);
	ck_assert_uint_eq(number, 1);
	ck_assert_uint_eq(bat_index_member_list(&index, number)->count,
	    ROWS / 2);
	ck_assert_uint_eq(bat_index_member_list(&index, number)->ordinals[0],
	    ROWS / 2);
	bat_index_free(&index);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("index_tally");
	TCase *tcase = tcase_create("core");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, two_threads_make_the_tables_that_one_makes,
	    0, 10);
	tcase_add_test(tcase,
	    a_scope_that_only_the_other_half_has_is_not_passed_over);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
