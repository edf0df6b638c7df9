#include "idtable.h"

#include <check.h>
#include <stdlib.h>

#include "error.h"
#include "suite.h"

#define COUNT 20000u

/* The caller's rows: their ids are of a few bits, so that some are equal, or
 * of many. */
struct rows {
	struct bat_id ids[COUNT];
	unsigned looks; /* how often a row was asked for */
};

static const struct bat_id *
id_of(const void *context, uint32_t ordinal)
{
	union {
		const void *shared;
		struct rows *mine;
	} rows = { .shared = context };

	ck_assert_uint_lt(ordinal, COUNT);
	rows.mine->looks++;
	return &rows.mine->ids[ordinal];
}

static struct rows *
make_rows(uint64_t distinct)
{
	struct rows *rows = calloc(1, sizeof(*rows));
	uint64_t state = 7;

	ck_assert_ptr_nonnull(rows);
	for (uint32_t i = 0; i < COUNT; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		rows->ids[i] = bat_id_from_number(1 + (state >> 20) % distinct);
	}
	return rows;
}

static uint32_t
newest(const struct rows *rows, uint32_t count, const struct bat_id *id)
{
	for (uint32_t i = count; i > 0; i--)
		if (bat_id_equal(&rows->ids[i - 1], id))
			return i - 1;
	return BAT_IDTABLE_NONE;
}

/* `some` at once, room made as it is needed. */
static void
put_all(struct bat_idtable *table, uint32_t count, size_t some)
{
	uint32_t ordinals[BAT_IDTABLE_SOME];

	for (uint32_t i = 0; i < count;) {
		size_t n = 0;

		while (n < some && i < count)
			ordinals[n++] = i++;
		ck_assert_int_eq(bat_idtable_reserve(table, table->used + n),
		    BAT_OK);
		bat_idtable_put(table, ordinals, n);
	}
}

START_TEST(what_was_put_is_found_and_nothing_else)
{
	struct rows *rows = make_rows(UINT64_MAX);
	struct bat_idtable table;
	struct bat_id other;

	bat_idtable_init(&table, rows, id_of);
	ck_assert_uint_eq(bat_idtable_find(&table, &rows->ids[0]),
	    BAT_IDTABLE_NONE);
	put_all(&table, COUNT, 7);
	for (uint32_t i = 0; i < COUNT; i++) {
		ck_assert_uint_eq(bat_idtable_find(&table, &rows->ids[i]), i);
		other = rows->ids[i];
		other.bytes[0] ^= 0x80;
		ck_assert_uint_eq(bat_idtable_find(&table, &other),
		    BAT_IDTABLE_NONE);
	}
	bat_idtable_free(&table);
	ck_assert_uint_eq(bat_idtable_find(&table, &rows->ids[0]),
	    BAT_IDTABLE_NONE);
	free(rows);
}
END_TEST

/* Also of two that are put at once. */
START_TEST(of_equal_ids_the_one_put_last_is_found)
{
	struct rows *rows = make_rows(300);

	for (size_t some = 1; some <= BAT_IDTABLE_SOME; some += 31) {
		struct bat_idtable table;

		bat_idtable_init(&table, rows, id_of);
		put_all(&table, COUNT, some);
		ck_assert_uint_le(table.used, 300);
		for (uint32_t i = 0; i < COUNT; i += 61)
			ck_assert_uint_eq(bat_idtable_find(&table,
					      &rows->ids[i]),
			    newest(rows, COUNT, &rows->ids[i]));
		bat_idtable_free(&table);
	}
	free(rows);
}
END_TEST

START_TEST(reserved_room_is_enough)
{
	struct rows *rows = make_rows(UINT64_MAX);
	struct bat_idtable_bucket *buckets;
	struct bat_idtable table;

	for (uint32_t count = 1; count < COUNT; count = count * 3 + 1) {
		bat_idtable_init(&table, rows, id_of);
		ck_assert_int_eq(bat_idtable_reserve(&table, count), BAT_OK);
		buckets = table.buckets;
		put_all(&table, count, BAT_IDTABLE_SOME);
		ck_assert_ptr_eq(table.buckets, buckets);
		ck_assert_uint_eq(table.used, count);
		/* A table with no bucket left would look for ever. */
		ck_assert_uint_lt(table.used,
		    table.bucket_count * BAT_IDTABLE_BUCKET);
		bat_idtable_free(&table);
	}
	free(rows);
}
END_TEST

START_TEST(a_row_is_looked_at_only_where_it_is_likely_the_one)
{
	struct rows *rows = make_rows(UINT64_MAX);
	struct bat_idtable table;
	struct bat_id other;

	bat_idtable_init(&table, rows, id_of);
	put_all(&table, COUNT, BAT_IDTABLE_SOME);
	rows->looks = 0;
	for (uint32_t i = 0; i < COUNT; i++) {
		other = rows->ids[i];
		other.bytes[0] ^= 0x80;
		(void)bat_idtable_find(&table, &other);
	}
	/* Nine or ten ordinals in a bucket, each looked at once in 256. */
	ck_assert_uint_lt(rows->looks, COUNT / 8);
	bat_idtable_free(&table);
	free(rows);
}
END_TEST

START_TEST(a_table_that_cannot_grow_is_unchanged)
{
	struct rows *rows = make_rows(UINT64_MAX);
	struct bat_idtable table;

	bat_idtable_init(&table, rows, id_of);
	put_all(&table, 100, 1);
	ck_assert_int_eq(bat_idtable_reserve(&table, SIZE_MAX),
	    BAT_WORLD_NO_MEMORY);
	ck_assert_uint_eq(table.used, 100);
	ck_assert_uint_eq(bat_idtable_find(&table, &rows->ids[7]), 7);
	bat_idtable_free(&table);
	free(rows);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("idtable");
	TCase *promises = tcase_create("promises");

	suite_add_tcase(suite, promises);
	tcase_add_test(promises, what_was_put_is_found_and_nothing_else);
	tcase_add_test(promises, of_equal_ids_the_one_put_last_is_found);
	tcase_add_test(promises, reserved_room_is_enough);
	tcase_add_test(promises,
	    a_row_is_looked_at_only_where_it_is_likely_the_one);
	tcase_add_test(promises, a_table_that_cannot_grow_is_unchanged);
	return suite_run(suite);
}
