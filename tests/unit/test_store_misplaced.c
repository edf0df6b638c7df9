/*
 * Rows that tile a segment and are not its frames: two of these stand the other
 * way round, as a forger or an index of an older copy leaves it. What stands
 * where a row says is not whole then, and yet nothing is damaged.
 */
#include "maker.h"
#include "stores.h"
#include "suite.h"

struct moved {
	struct temp_dir dir;
	struct bat_disk disk;
	struct maker maker;
	struct bat_buf truth;
};

/* Samples are the first, the last, and the second row. */
static int
no_random(void *context, void *to, size_t length)
{
	(void)context;
	memset(to, 0, length);
	return 0;
}

/* Rows that tile the segment, and two frames that stand the other way round
 * unless the rows are right: where one says, a longer frame begins, and the
 * other points into it. */
static void
moved_make(struct moved *moved, bool right)
{
	struct bat_buf index = BAT_BUF_EMPTY;
	struct bat_row *rows;
	uint32_t length;

	*moved = (struct moved){ .disk = *bat_file_posix() };
	maker_init(&moved->maker);
	temp_dir_make(&moved->dir);
	maker_segment(&moved->maker, 1);
	for (int i = 0; i < 8; i++)
		maker_event(&moved->maker, i % 2 == 0 ? "player:a" : "player:b",
		    i == 4 ? "\xa7moments" : "\xa1x");
	maker_save(&moved->maker, &moved->dir);
	stores_picture(&moved->dir, PICTURE_WHOLE, &moved->truth);
	rows = moved->maker.rows;
	length = rows[4].length;
	if (!right) {
		rows[4].length = rows[5].length;
		rows[5].length = length;
		rows[5].offset = rows[4].offset + rows[4].length;
	}
	maker_index(&moved->maker, true, 5, &index);
	temp_dir_write(&moved->dir, "index.fbati", bat_bytes_of_buf(&index));
	bat_bytes_free(&index);
}

static void
moved_free(struct moved *moved)
{
	temp_dir_remove(&moved->dir);
	maker_free(&moved->maker);
	bat_bytes_free(&moved->truth);
}

static struct bat_store *
moved_open(struct moved *moved)
{
	struct bat_store *store;

	moved->disk.random = no_random;
	store = stores_open_with(&moved->dir,
	    &(struct bat_options){ .read_only = true, .disk = &moved->disk });
	ck_assert(!stores_report_has(store, "dropped"));
	return store;
}

static void
assert_truth(const struct moved *moved, struct bat_store *store)
{
	struct bat_buf got = BAT_BUF_EMPTY;

	picture_of_some(store, PICTURE_WHOLE, 0, 8, &got);
	stores_assert_same(&got, &moved->truth, "after the rebuild");
	ck_assert_ptr_null(picture_check_lists(store));
	bat_bytes_free(&got);
}

/* Neither frame is damaged; each is met first once. */
START_TEST(rows_that_point_between_frames_are_not_taken_for_damage)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_store *store;
	struct bat_head head;
	struct moved moved;

	moved_make(&moved, false);
	store = moved_open(&moved);
	ck_assert_int_eq(bat_read(store, _i == 0 ? 4 : 5, &reading, NULL),
	    BAT_DATA_DISAGREES);
	bat_head(store, &head);
	ck_assert_uint_eq(head.generation, 2);
	for (uint32_t i = 0; i < 8; i++)
		ck_assert_int_eq(bat_read(store, i, &reading, NULL), 0);
	assert_truth(&moved, store);
	bat_reading_free(&reading);
	stores_close(store);
	moved_free(&moved);
}
END_TEST

/* Whoever asks for causality first reads no event. */
START_TEST(causality_takes_no_row_that_points_between_frames_for_damage)
{
	struct bat_chain chain;
	struct bat_store *store;
	struct bat_head head;
	struct moved moved;

	moved_make(&moved, false);
	store = moved_open(&moved);
	ck_assert_int_eq(bat_trace(store, NULL), BAT_DATA_DISAGREES);
	ck_assert_int_eq(bat_trace(store, NULL), 0);
	bat_head(store, &head);
	ck_assert_uint_eq(head.generation, 2);
	ck_assert(bat_chain_of(store, 4, &chain));
	ck_assert(bat_id_equal(&chain.id, &moved.maker.rows[4].id));
	assert_truth(&moved, store);
	stores_close(store);
	moved_free(&moved);
}
END_TEST

/* And what is damaged is still called so, with its row's words. */
START_TEST(damage_between_rows_that_hold_leaves_the_index_alone)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_store *store;
	struct bat_head head;
	struct moved moved;

	moved_make(&moved, true);
	for (int i = 3; i <= 4; i++)
		temp_dir_flip(&moved.dir, "000001.fbat",
		    moved.maker.rows[i].offset + 20, 1);
	store = moved_open(&moved);
	for (uint32_t i = 8; i-- > 0;)
		ck_assert_int_eq(bat_read(store, i, &reading, NULL),
		    i == 3 || i == 4 ? BAT_DATA_CORRUPT : 0);
	bat_head(store, &head);
	ck_assert_uint_eq(head.generation, 1);
	bat_reading_free(&reading);
	stores_close(store);
	moved_free(&moved);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_misplaced");
	TCase *tcase = tcase_create("rows");

	tcase_add_loop_test(tcase,
	    rows_that_point_between_frames_are_not_taken_for_damage, 0, 2);
	tcase_add_test(tcase,
	    causality_takes_no_row_that_points_between_frames_for_damage);
	tcase_add_test(tcase,
	    damage_between_rows_that_hold_leaves_the_index_alone);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
