/*
 * Events read together are the events read one by one: the same lines, the same
 * damage, whatever order they are asked for in.
 */
#include <check.h>
#include <errno.h>
#include <glob.h>

#include "faulty_disk.h"
#include "render.h"
#include "stores.h"
#include "suite.h"

/* The line of an event, or what came of it, as text. */
static void
put_line(struct bat_store *store, uint32_t ordinal, struct bat_reading *reading,
    struct bat_buf *out)
{
	struct bat_error error = { .text = "" };
	int code = batfs_render_event(store, ordinal, reading, out, &error);

	if (code != 0)
		ck_assert_int_eq(bat_bytes_append_format(out, "%s\n",
				     bat_error_name(code)),
		    0);
}

/* Which of a store's events, in which order. */
enum order { ALL, EVERY_THIRD, BACKWARDS, ORDERS };

static size_t
choose(enum order order, uint32_t from, uint32_t to, uint32_t *out)
{
	size_t count = 0;

	for (uint32_t i = from; i < to; i++) {
		if (order == BACKWARDS)
			out[count++] = to - 1 - (i - from);
		else if (order == ALL || i % 3 == 1)
			out[count++] = i;
	}
	return count;
}

/* Noted in one order, asked for in the same. */
static void
compare_order(struct bat_store *store, enum order order, const char *what)
{
	struct bat_reading alone = BAT_READING_EMPTY;
	struct bat_reading together = BAT_READING_EMPTY;
	struct bat_buf wanted = BAT_BUF_EMPTY, got = BAT_BUF_EMPTY;
	uint32_t ordinals[BAT_READ_AHEAD_MAX];
	struct bat_head head;

	bat_head(store, &head);
	/* One behind the last: there is no such event. */
	for (uint32_t i = 0; i <= head.ordinals; i += BAT_READ_AHEAD_MAX) {
		uint32_t to = i + BAT_READ_AHEAD_MAX;
		size_t count = choose(order, i,
		    to > head.ordinals ? head.ordinals + 1 : to, ordinals);

		bat_read_ahead(store, ordinals, count, &together);
		for (size_t j = 0; j < count; j++) {
			put_line(store, ordinals[j], &alone, &wanted);
			put_line(store, ordinals[j], &together, &got);
		}
	}
	stores_assert_same(&got, &wanted, what);
	bat_reading_free(&alone);
	bat_reading_free(&together);
	bat_bytes_free(&wanted);
	bat_bytes_free(&got);
}

/* Of every golden store, the damaged ones too. */
START_TEST(events_read_together_are_those_read_alone)
{
	unsigned opened = 0;
	glob_t found;

	ck_assert_int_eq(glob(TEST_DATA "/golden/*/store", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const struct bat_options options = { .read_only = true };
		struct bat_store *store = NULL;

		if (bat_open(found.gl_pathv[i], &options, &store, NULL) != 0)
			continue;
		opened++;
		for (enum order order = ALL; order < ORDERS; order++)
			compare_order(store, order, found.gl_pathv[i]);
		stores_close(store);
	}
	globfree(&found);
	ck_assert_uint_gt(opened, 20);
}
END_TEST

START_TEST(other_events_than_those_noted_are_read_as_ever)
{
	static const uint32_t noted[] = { 3, 4, 6, 7 };
	static const uint32_t asked[] = { 5, 7, 6, 3, 0, 4 };
	struct bat_reading alone = BAT_READING_EMPTY;
	struct bat_reading together = BAT_READING_EMPTY;
	struct bat_buf wanted = BAT_BUF_EMPTY, got = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct temp_dir dir;

	stores_golden(&dir, "mixed");
	store = stores_open(&dir, true);
	bat_read_ahead(store, noted, 4, &together);
	for (size_t i = 0; i < 6; i++) {
		put_line(store, asked[i], &alone, &wanted);
		put_line(store, asked[i], &together, &got);
	}
	stores_assert_same(&got, &wanted, "another order");
	bat_reading_free(&alone);
	bat_reading_free(&together);
	bat_bytes_free(&wanted);
	bat_bytes_free(&got);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* A store with a byte changed in the payload of every fifth event. */
START_TEST(a_damaged_frame_is_told_and_its_neighbours_are_shown)
{
	struct bat_buf segment = BAT_BUF_EMPTY;
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_store *store;
	struct temp_dir dir;
	unsigned damaged = 0;
	struct bat_head head;

	stores_golden(&dir, "mixed");
	store = stores_open(&dir, true);
	temp_dir_read(&dir, "000001.fbat", &segment);
	bat_head(store, &head);
	for (uint32_t i = 2; i < head.ordinals; i += 5) {
		struct bat_row row;

		if (!bat_row(store, i, &row) || row.segment != 1)
			continue;
		segment.data[row.offset + row.length / 2] ^= 1;
	}
	temp_dir_write(&dir, "000001.fbat", bat_bytes_of_buf(&segment));
	for (enum order order = ALL; order < ORDERS; order++)
		compare_order(store, order, "damaged");
	for (uint32_t i = 0; i < head.ordinals; i++)
		damaged += bat_read(store, i, &reading, NULL) ==
		    BAT_DATA_CORRUPT;
	ck_assert_uint_gt(damaged, 3);
	bat_reading_free(&reading);
	bat_bytes_free(&segment);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* Events of one size, one behind the other. */
static struct bat_store *
open_with_events(struct temp_dir *dir, struct faulty_disk *disk, unsigned count)
{
	struct bat_store *store;

	temp_dir_make(dir);
	store = stores_open(dir, false);
	for (unsigned i = 0; i < count; i++)
		(void)stores_append(store, "player:alice", "\xa5hello");
	stores_close(store);
	faulty_disk_init(disk, bat_file_posix());
	return stores_open_with(dir,
	    &(struct bat_options){ .read_only = true, .disk = &disk->disk });
}

START_TEST(neighbours_come_with_one_read_of_the_disk)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	uint32_t ordinals[BAT_READ_AHEAD_MAX];
	struct faulty_disk disk;
	struct bat_store *store;
	struct temp_dir dir;

	store = open_with_events(&dir, &disk, 60);
	for (uint32_t i = 0; i < 60; i++)
		ordinals[i] = i;
	faulty_disk_reset(&disk);
	bat_read_ahead(store, ordinals, 60, &reading);
	for (uint32_t i = 0; i < 60; i++)
		ck_assert_int_eq(bat_read(store, i, &reading, NULL), 0);
	ck_assert_uint_eq(faulty_disk_calls(&disk, FAULTY_READ), 1);
	bat_reading_free(&reading);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* The first read of the disk fails: that of them all. */
START_TEST(a_read_that_fails_costs_no_event_but_those_that_cannot_be_read)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	uint32_t ordinals[BAT_READ_AHEAD_MAX];
	struct faulty_disk disk;
	struct bat_store *store;
	struct temp_dir dir;

	store = open_with_events(&dir, &disk, 20);
	for (uint32_t i = 0; i < 20; i++)
		ordinals[i] = i;
	for (int shortened = 0; shortened < 2; shortened++) {
		faulty_disk_reset(&disk);
		if (shortened == 0)
			faulty_disk_fail(&disk, FAULTY_READ, 1, EIO, false);
		else
			faulty_disk_shorten(&disk, FAULTY_READ, 1, 0);
		bat_read_ahead(store, ordinals, 20, &reading);
		for (uint32_t i = 0; i < 20; i++)
			ck_assert_int_eq(bat_read(store, i, &reading, NULL), 0);
	}
	/* And one that cannot be read by itself either. */
	faulty_disk_reset(&disk);
	faulty_disk_fail(&disk, FAULTY_READ, 1, EIO, false);
	faulty_disk_fail(&disk, FAULTY_READ, 4, EIO, false);
	bat_read_ahead(store, ordinals, 20, &reading);
	for (uint32_t i = 0; i < 20; i++)
		ck_assert_int_eq(bat_read(store, i, &reading, NULL),
		    i == 2 ? BAT_DATA_CORRUPT : 0);
	bat_reading_free(&reading);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_ahead");
	TCase *promises = tcase_create("promises");

	tcase_set_timeout(promises, 60);
	suite_add_tcase(suite, promises);
	tcase_add_test(promises, events_read_together_are_those_read_alone);
	tcase_add_test(promises,
	    other_events_than_those_noted_are_read_as_ever);
	tcase_add_test(promises,
	    a_damaged_frame_is_told_and_its_neighbours_are_shown);
	tcase_add_test(promises, neighbours_come_with_one_read_of_the_disk);
	tcase_add_test(promises,
	    a_read_that_fails_costs_no_event_but_those_that_cannot_be_read);
	return suite_run(suite);
}
