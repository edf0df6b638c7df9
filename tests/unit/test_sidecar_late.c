/*
 * Of the sidecar is read what is asked for, and not more.
 */
#include <check.h>

#include "blockfile.h"
#include "sidecar.h"
#include "sidecar_store.h"
#include "suite.h"

/* A disk that counts what is read of the sidecar: the file is opened last of
 * those in its directory. */
static struct bat_disk counting;
static int sidecar_fd = -1;
static uint64_t sidecar_bytes;

static int
counting_open_at(void *context, int dir, const char *name, int flags,
    unsigned mode)
{
	int fd = bat_file_posix()->open_at(context, dir, name, flags, mode);

	if (strcmp(name, BAT_SIDECAR_FILE) == 0)
		sidecar_fd = fd;
	return fd;
}

static ssize_t
counting_read_at(void *context, int fd, void *to, size_t length,
    uint64_t offset)
{
	ssize_t got = bat_file_posix()->read_at(context, fd, to, length,
	    offset);

	if (fd == sidecar_fd && got > 0)
		sidecar_bytes += (uint64_t)got;
	return got;
}

/* A row in the midst of thousands takes its page, not the table. */
START_TEST(a_row_that_is_asked_for_costs_a_page)
{
	struct temp_dir dir;
	struct bat_store *store;
	struct bat_row row;

	make_store(&dir);
	counting = *bat_file_posix();
	counting.open_at = counting_open_at;
	counting.read_at = counting_read_at;
	store = stores_open_with(&dir,
	    &(struct bat_options){ .read_only = true, .disk = &counting });
	ck_assert_int_ge(sidecar_fd, 0);
	ck_assert_uint_le(sidecar_bytes, 3 * BAT_BLOCKFILE_BLOCK);
	sidecar_bytes = 0;
	ck_assert(bat_row(store, EVENTS / 2, &row));
	ck_assert_uint_gt(sidecar_bytes, 0);
	ck_assert_uint_le(sidecar_bytes, 4 * BAT_BLOCKFILE_BLOCK);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* A listing asks it of each name. */
START_TEST(how_many_events_a_name_has_is_known_without_its_list)
{
	struct bat_list list = { .kind = BAT_LIST_ENTITY };
	struct temp_dir dir;
	struct bat_store *store;

	make_store(&dir);
	counting = *bat_file_posix();
	counting.open_at = counting_open_at;
	counting.read_at = counting_read_at;
	store = stores_open_with(&dir,
	    &(struct bat_options){ .read_only = true, .disk = &counting });
	for (int twice = 0; twice < 2; twice++) {
		sidecar_bytes = 0;
		for (uint32_t i = 0; i < ENTITIES; i++) {
			list.entity = bat_entity_at(store, i);
			(void)bat_entity_scopes(store, list.entity,
			    &list.scope);
			list.kind = i % 2 == 0 ? BAT_LIST_ENTITY :
						 BAT_LIST_MEMBER;
			ck_assert_uint_gt(bat_list_count(store, &list), 0);
		}
		/* Names and members, once; their lists are EVENTS numbers. */
		ck_assert_uint_le(sidecar_bytes,
		    twice == 0 ? 12 * BAT_BLOCKFILE_BLOCK : 0);
	}
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* The first and last events of each file, as lines. */
static void
put_spans(struct bat_store *store, struct bat_pin *pin, struct bat_buf *out)
{
	struct bat_row first, last;

	for (size_t i = 0; i < pin->count; i++)
		if (bat_pinned_span(store, pin, i, &first, &last))
			ck_assert_int_eq(bat_bytes_append_format(out,
					     "%s %llu %llu\n",
					     pin->files[i].name,
					     (unsigned long long)first.seq,
					     (unsigned long long)last.seq),
			    0);
}

/* A mount takes one: it must not look for where segments begin. */
START_TEST(a_pin_knows_its_segments_from_the_header)
{
	struct bat_buf with = BAT_BUF_EMPTY, without = BAT_BUF_EMPTY;
	struct bat_options options = { .read_only = true, .disk = &counting };
	struct temp_dir dir;
	struct bat_store *store;
	struct bat_pin *pin;
	char path[512];

	make_store(&dir);
	counting = *bat_file_posix();
	counting.open_at = counting_open_at;
	counting.read_at = counting_read_at;
	store = stores_open_with(&dir, &options);
	sidecar_bytes = 0;
	ck_assert_int_eq(bat_take_pin(store, NULL, &pin, NULL), 0);
	ck_assert_uint_ge(pin->count, 4);
	/* What the index file speaks of ends with the last row. */
	ck_assert_uint_le(sidecar_bytes, 4 * BAT_BLOCKFILE_BLOCK);
	put_spans(store, pin, &with);
	bat_pin_release(pin);
	stores_close(store);
	path_of(&dir, ".batfs/cache/index", path);
	ck_assert_int_eq(unlink(path), 0);
	store = stores_open_with(&dir, &options);
	ck_assert_int_eq(bat_take_pin(store, NULL, &pin, NULL), 0);
	put_spans(store, pin, &without);
	bat_pin_release(pin);
	stores_close(store);
	stores_assert_same(&with, &without, "spans");
	bat_bytes_free(&with);
	bat_bytes_free(&without);
	temp_dir_remove(&dir);
}
END_TEST

/* Appended events stand behind lists that nobody has read. */
START_TEST(what_is_appended_reads_no_lists)
{
	struct bat_options options = { .disk = &counting };
	struct temp_dir dir;
	struct bat_store *store;

	make_store(&dir);
	store = stores_open(&dir, false);
	append_some(store, EVENTS, 4 * ENTITIES / BATCH * BATCH);
	stores_close(store);
	counting = *bat_file_posix();
	counting.open_at = counting_open_at;
	counting.read_at = counting_read_at;
	store = stores_open_with(&dir, &options);
	ck_assert_int_ge(sidecar_fd, 0);
	/* Header, names and members: two pages of each, and their order. */
	ck_assert_uint_le(sidecar_bytes, 24 * BAT_BLOCKFILE_BLOCK);
	stores_close(store);
	assert_same_without(&dir, "with grown lists");
	temp_dir_remove(&dir);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sidecar_late");
	TCase *late = tcase_create("late");

	suite_add_tcase(suite, late);
	tcase_set_timeout(late, 240);
	tcase_add_test(late, a_row_that_is_asked_for_costs_a_page);
	tcase_add_test(late,
	    how_many_events_a_name_has_is_known_without_its_list);
	tcase_add_test(late, a_pin_knows_its_segments_from_the_header);
	tcase_add_test(late, what_is_appended_reads_no_lists);
	return suite_run(suite);
}
