/*
 * What a store says of a moment in the past: the head and the lists with
 * `before`, of every golden store and every ordinal, against a count over rows.
 */
#include <glob.h>

#include "bat.h"
#include "sample.h"
#include "stores.h"
#include "suite.h"

static glob_t shapes;
static struct bat_store *store;
static struct temp_dir dir;

static void
open_shape(const char *shape)
{
	const struct bat_options read_only = { .read_only = true };
	struct bat_error error = { .code = 0 };
	int code;

	stores_golden(&dir, shape);
	code = bat_open(dir.path, &read_only, &store, &error);
	ck_assert_msg(code == 0, "%s: %s", shape, error.text);
}

static void
close_shape(void)
{
	ck_assert_int_eq(bat_close(store, NULL), 0);
	temp_dir_remove(&dir);
}

/* Is this one of a first event's names? of_scope: its scope. */
static bool
is_first_of_its_name(uint32_t ordinal, bool of_scope)
{
	struct bat_row row, other;
	uint32_t name;

	if (!bat_row(store, ordinal, &row))
		return false;
	name = of_scope ? row.scope : row.entity;
	for (uint32_t i = 0; i < ordinal; i++)
		if (bat_row(store, i, &other) &&
		    (of_scope ? other.scope : other.entity) == name)
			return false;
	return name != BAT_MAP_NONE;
}

/* Row by row, without the last one wanted. */
static struct bat_head
count_head(uint32_t before)
{
	struct bat_head head = { .ordinals = before };
	struct bat_row row;

	for (uint32_t i = 0; i < before; i++) {
		if (!bat_row(store, i, &row))
			continue;
		if (head.visible_count++ == 0) {
			head.first = i;
			head.first_seq = row.seq;
			head.first_wall_ms = row.wall_ms;
		}
		head.last = i;
		head.last_seq = row.seq;
		head.last_wall_ms = row.wall_ms;
		head.entity_count += is_first_of_its_name(i, false);
		head.scope_count += is_first_of_its_name(i, true);
	}
	return head;
}

static void
assert_head_before(uint32_t before, const struct bat_head *now)
{
	struct bat_head got, wanted = count_head(before);

	bat_head_before(store, before, &got);
	ck_assert_uint_eq(got.generation, now->generation);
	ck_assert_uint_eq(got.ordinals, wanted.ordinals);
	ck_assert_uint_eq(got.visible_count, wanted.visible_count);
	ck_assert_uint_eq(got.entity_count, wanted.entity_count);
	ck_assert_uint_eq(got.scope_count, wanted.scope_count);
	if (wanted.visible_count == 0)
		return;
	ck_assert_uint_eq(got.first, wanted.first);
	ck_assert_uint_eq(got.last, wanted.last);
	ck_assert_uint_eq(got.first_seq, wanted.first_seq);
	ck_assert_uint_eq(got.last_seq, wanted.last_seq);
	ck_assert_uint_eq(got.durable_seq, wanted.last_seq);
	ck_assert_uint_eq(got.first_wall_ms, wanted.first_wall_ms);
	ck_assert_uint_eq(got.last_wall_ms, wanted.last_wall_ms);
	ck_assert_uint_gt(got.next_seq, wanted.last_seq);
	ck_assert_uint_le(got.next_seq, now->next_seq);
}

START_TEST(the_head_of_each_moment_counts_what_stood_before_it)
{
	struct bat_head now, whole;

	open_shape(strrchr(shapes.gl_pathv[_i], '/') + 1);
	bat_head(store, &now);
	bat_head_before(store, 0, &whole);
	ck_assert_uint_eq(whole.visible_count, now.visible_count);
	ck_assert_uint_eq(whole.next_seq, now.next_seq);
	for (uint32_t before = 1; before <= now.ordinals; before++)
		assert_head_before(before, &now);
	close_shape();
}
END_TEST

/* How many of a list are below an ordinal, by walking all of it. */
static uint64_t
count_list(struct bat_list list, uint32_t before)
{
	uint32_t ordinals[7];
	uint64_t cursor = 0, count = 0;
	size_t got;

	list.before = 0;
	while ((got = bat_list_next(store, &list, &cursor, ordinals, 7)) > 0)
		for (size_t i = 0; i < got; i++)
			count += ordinals[i] < before;
	return count;
}

/* A list that is cut, walked and counted. */
static void
assert_list_before(const struct bat_list *list)
{
	uint64_t wanted = count_list(*list, list->before), cursor = 0;
	uint32_t ordinals[5], last = 0;
	struct bat_list_stat stat;
	size_t got, count = 0;

	while ((got = bat_list_next(store, list, &cursor, ordinals, 5)) > 0) {
		count += got;
		last = ordinals[got - 1];
		ck_assert_uint_lt(last, list->before);
	}
	ck_assert_uint_eq(count, wanted);
	ck_assert_int_eq(bat_list_stat(store, list, &stat), wanted > 0);
	ck_assert_uint_eq(stat.count, wanted);
	if (wanted > 0)
		ck_assert_uint_eq(stat.last, last);
}

START_TEST(a_list_that_is_cut_ends_where_the_moment_does)
{
	struct bat_head now;
	struct bat_row row;

	open_shape(strrchr(shapes.gl_pathv[_i], '/') + 1);
	bat_head(store, &now);
	for (uint32_t before = 1; before <= now.ordinals;
	     before += 1 + before / 8) {
		struct bat_list list = { .before = before };

		assert_list_before(&list);
		if (!bat_row(store, before - 1, &row) ||
		    row.entity == BAT_MAP_NONE)
			continue;
		list.entity = row.entity;
		list.scope = row.scope;
		list.kind = BAT_LIST_ENTITY;
		assert_list_before(&list);
		list.kind = BAT_LIST_MEMBER;
		assert_list_before(&list);
	}
	close_shape();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_past");
	TCase *tcase = tcase_create("past");
	int result;

	if (glob(TEST_DATA "/golden/*", GLOB_ONLYDIR, NULL, &shapes) != 0)
		return EXIT_FAILURE;
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase,
	    the_head_of_each_moment_counts_what_stood_before_it, 0,
	    (int)shapes.gl_pathc);
	tcase_add_loop_test(tcase,
	    a_list_that_is_cut_ends_where_the_moment_does, 0,
	    (int)shapes.gl_pathc);
	suite_add_tcase(suite, tcase);
	result = suite_run(suite);
	globfree(&shapes);
	return result;
}
