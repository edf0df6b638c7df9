/*
 * The door: whose directories are opened, and what is told.
 */
#include <unistd.h>

#include "stores.h"
#include "suite.h"

/* ---- whose directories -------------------------------------------------- */

static int
try_open(const char *path, const struct bat_options *options,
    struct bat_error *error)
{
	struct bat_store *store = NULL;
	int code = bat_open(path, options, &store, error);

	if (code == 0)
		stores_close(store);
	return code;
}

START_TEST(an_absent_or_empty_directory_becomes_a_store_unless_forbidden)
{
	struct bat_error error = { .text = "" };
	struct temp_dir dir;
	char path[300];

	temp_dir_make(&dir);
	snprintf(path, sizeof(path), "%s/a/b", dir.path);
	for (int i = 0; i < 2; i++) {
		const struct bat_options options = { .read_only = i == 0,
			.no_create = i == 1 };

		ck_assert_int_eq(try_open(path, &options, &error),
		    BAT_WORLD_ABSENT);
		ck_assert_ptr_nonnull(strstr(error.text, path));
		ck_assert_int_eq(try_open(dir.path, &options, &error),
		    BAT_WORLD_ABSENT);
	}
	ck_assert_uint_eq(temp_dir_count(&dir), 0);
	ck_assert_int_eq(try_open(path, NULL, &error), 0);
	ck_assert(temp_dir_has(&dir, "a/b/.batpak.lock"));
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_directory_of_somebody_else_is_refused_and_left_alone)
{
	struct bat_error error = { .text = "" };
	struct temp_dir dir;

	temp_dir_make(&dir);
	temp_dir_write(&dir, "thesis.txt", bat_bytes_text("x"));
	ck_assert_int_eq(try_open(dir.path, NULL, &error), BAT_DATA_REFUSED);
	ck_assert_uint_eq(temp_dir_count(&dir), 1);
	ck_assert_ptr_nonnull(strstr(error.text, dir.path));
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_second_writer_is_locked_out_and_a_reader_is_not)
{
	struct bat_error error = { .text = "" };
	struct bat_store *store;
	struct temp_dir dir;

	stores_golden(&dir, "quickstart");
	store = stores_open(&dir, false);
	ck_assert_int_eq(try_open(dir.path, NULL, &error), BAT_WORLD_LOCKED);
	ck_assert_int_eq(try_open(dir.path,
			     &(struct bat_options){ .read_only = true },
			     &error),
	    0);
	stores_close(store);
	ck_assert_int_eq(try_open(dir.path, NULL, &error), 0);
	temp_dir_remove(&dir);
}
END_TEST

/* ---- what is told ------------------------------------------------------- */

START_TEST(the_head_of_an_empty_store_is_empty)
{
	const struct bat_list all = { .kind = BAT_LIST_ALL };
	struct bat_list_stat stat;
	struct bat_status status;
	struct bat_store *store;
	struct bat_head head;
	struct temp_dir dir;
	struct bat_row row;
	uint64_t cursor = 0;
	uint32_t ordinal;

	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	bat_head(store, &head);
	ck_assert_uint_eq(head.ordinals, 0);
	ck_assert_uint_eq(head.visible_count, 0);
	ck_assert_uint_eq(head.next_seq, 0);
	ck_assert(!bat_row(store, 0, &row));
	ck_assert(!bat_list_stat(store, &all, &stat));
	ck_assert_uint_eq(bat_list_next(store, &all, &cursor, &ordinal, 1), 0);
	ck_assert_uint_eq(bat_find_seq(store, 0), BAT_MAP_NONE);
	ck_assert_uint_eq(bat_find_seq_from(store, 0), BAT_MAP_NONE);
	ck_assert_uint_eq(bat_entity_at(store, 0), BAT_MAP_NONE);
	ck_assert_uint_eq(bat_scope_at(store, 0), BAT_MAP_NONE);
	ck_assert_uint_eq(bat_scope_size(store, 7), 0);
	ck_assert_uint_eq(bat_scope_entity_at(store, 7, 0), BAT_MAP_NONE);
	ck_assert_uint_eq(bat_entity_scopes(store, 7, &ordinal), 0);
	ck_assert_uint_eq(bat_name(store, 7).length, 0);
	bat_status(store, &status);
	ck_assert_int_eq(status.source, BAT_SOURCE_NEW);
	ck_assert_ptr_null(picture_check_lists(store));
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(the_status_tells_what_was_restored_and_written)
{
	struct bat_file_stat stat;
	struct bat_status status;
	struct bat_store *store;
	struct temp_dir dir;

	stores_golden(&dir, "crashed-after-index");
	store = stores_open(&dir, false);
	bat_status(store, &status);
	ck_assert_int_eq(status.source, BAT_SOURCE_ROWINDEX);
	ck_assert_uint_eq(status.source_version, 5);
	ck_assert_uint_eq(status.restored_count + status.tail_count, 29);
	ck_assert_uint_gt(status.tail_count, 0);
	ck_assert_uint_eq(status.uncovered_count, status.tail_count);
	ck_assert_uint_eq(status.segment_count, 2);
	ck_assert(!status.appended);
	stores_append(store, "player:new", "\xa1x");
	bat_status(store, &status);
	ck_assert(status.appended);
	ck_assert_uint_eq(status.segment_count, 3);
	ck_assert_uint_eq(status.visible_seq_plus_1, 31);
	ck_assert_uint_eq(status.durable_seq_plus_1, 31);
	ck_assert(stores_report_has(store, "restored"));
	ck_assert_int_eq(bat_directory_stat(store, &stat), 0);
	ck_assert_uint_eq(stat.uid, getuid());
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_cursor_goes_on_when_the_list_grows)
{
	struct bat_list list = { .kind = BAT_LIST_ENTITY };
	struct bat_store *store;
	struct temp_dir dir;
	uint64_t cursor = 0;
	uint32_t ordinals[8];

	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	stores_append(store, "player:a",
	    "\xa1"
	    "1");
	list.entity = bat_find_entity(store, bat_bytes_text("player:a"));
	ck_assert_uint_eq(bat_list_next(store, &list, &cursor, ordinals, 8), 1);
	ck_assert_uint_eq(bat_list_next(store, &list, &cursor, ordinals, 8), 0);
	stores_append(store, "player:b",
	    "\xa1"
	    "2");
	stores_append(store, "player:a",
	    "\xa1"
	    "3");
	ck_assert_uint_eq(bat_list_next(store, &list, &cursor, ordinals, 8), 1);
	ck_assert_uint_eq(ordinals[0], 3);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* A name that is known, because a draft with it was refused or written
 * elsewhere, is no entity and no scope. */
START_TEST(a_name_without_events_is_not_found)
{
	struct bat_draft draft = stores_draft("player:x", "scope:x", "\xa1x");
	struct bat_store *store;
	struct temp_dir dir;

	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	stores_append(store, "player:a",
	    "\xa1"
	    "1");
	draft.cause = BAT_CAUSE_LAST;
	ck_assert_int_eq(stores_append_batch(store, &draft, 1, NULL, NULL),
	    BAT_STATE_NOT_FOUND);
	ck_assert_uint_eq(bat_find_entity(store, draft.entity), BAT_MAP_NONE);
	ck_assert_uint_eq(bat_find_scope(store, draft.scope), BAT_MAP_NONE);
	ck_assert_uint_eq(bat_find_entity(store, bat_bytes_text("scope:test")),
	    BAT_MAP_NONE);
	ck_assert_uint_eq(bat_find_scope(store, bat_bytes_text("player:a")),
	    BAT_MAP_NONE);
	ck_assert_ptr_null(picture_check_lists(store));
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(an_entity_in_many_scopes_is_in_each)
{
	static const char *const scopes[] = { "s", "t", "u" };
	struct bat_store *store;
	struct temp_dir dir;
	uint32_t entity, first;

	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	for (int i = 0; i < 30; i++) {
		struct bat_draft draft = stores_draft(i % 2 == 0 ? "player:a" :
								   "player:b",
		    scopes[i % 7 == 6  ? 2 :
			    i % 5 == 4 ? 1 :
					 0],
		    "\xa1x");

		ck_assert_int_eq(
		    stores_append_batch(store, &draft, 1, NULL, NULL), 0);
		ck_assert_ptr_null(picture_check_lists(store));
	}
	entity = bat_find_entity(store, bat_bytes_text("player:a"));
	ck_assert_uint_eq(bat_entity_scopes(store, entity, &first), 3);
	ck_assert_uint_eq(first, bat_find_scope(store, bat_bytes_text("s")));
	stores_close(store);
	store = stores_open(&dir, true);
	ck_assert_ptr_null(picture_check_lists(store));
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* Returns what the store says of one more line; on success it is readable. */
static int
try_append(struct bat_store *store, struct bat_error *error)
{
	struct bat_draft draft = stores_draft("entity:e", "scope:test",
	    "\xa1"
	    "x");
	struct bat_batch batch;
	int code = stores_append_batch(store, &draft, 1, NULL, &batch);

	*error = batch.error;
	return code;
}

static const char *const removed[] = { "000001.fbat", ".batpak.lock" };

START_TEST(what_is_removed_beneath_a_writer_ends_its_appends)
{
	bool later = _i >= 2;
	const char *name = removed[_i % 2];
	const struct bat_options options = {
		.durability = later ? BAT_DURABLE_FSYNC : BAT_DURABLE_EACH,
	};
	struct bat_error error = { .text = "" };
	struct bat_buf kept = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct bat_status status;
	struct bat_head head;
	struct temp_dir dir;

	temp_dir_make(&dir);
	store = stores_open_with(&dir, &options);
	(void)stores_append(store, "entity:e",
	    "\xa1"
	    "a");
	temp_dir_read(&dir, name, &kept);
	temp_dir_unlink(&dir, name);
	bat_status(store, &status);
	ck_assert_int_eq(status.writer_code, BAT_WORLD_IO);
	ck_assert_ptr_nonnull(strstr(status.writer_text, name));
	ck_assert_int_eq(try_append(store, &error), BAT_WORLD_IO);
	ck_assert_ptr_nonnull(strstr(error.text, name));
	if (later)
		ck_assert_int_eq(bat_sync(store, &error), BAT_WORLD_IO);
	/* Another file of that name is another file. */
	temp_dir_write(&dir, name, bat_bytes_of_buf(&kept));
	ck_assert_int_eq(try_append(store, &error), BAT_WORLD_IO);
	bat_head(store, &head);
	ck_assert_uint_eq(head.visible_count, 2); /* OPEN too */
	ck_assert_int_ne(bat_close(store, &error), 0);
	/* Nothing was written to what took its place. */
	stores_assert_file(&dir, name, bat_bytes_of_buf(&kept));
	bat_bytes_free(&kept);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(what_is_put_back_beneath_a_writer_is_appended_to)
{
	struct bat_error error = { .text = "" };
	char from[300], to[300];
	struct bat_store *store;
	struct bat_status status;
	struct temp_dir dir;

	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	(void)stores_append(store, "entity:e",
	    "\xa1"
	    "a");
	snprintf(from, sizeof(from), "%s/000001.fbat", dir.path);
	snprintf(to, sizeof(to), "%s/elsewhere", dir.path);
	ck_assert_int_eq(rename(from, to), 0);
	ck_assert_int_eq(try_append(store, &error), BAT_WORLD_IO);
	ck_assert_int_eq(rename(to, from), 0);
	ck_assert_int_eq(try_append(store, &error), 0);
	bat_status(store, &status);
	ck_assert_int_eq(status.writer_code, 0);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

static TCase *
door(void)
{
	TCase *tcase = tcase_create("door");

	tcase_add_test(tcase,
	    an_absent_or_empty_directory_becomes_a_store_unless_forbidden);
	tcase_add_test(tcase,
	    a_directory_of_somebody_else_is_refused_and_left_alone);
	tcase_add_test(tcase,
	    a_second_writer_is_locked_out_and_a_reader_is_not);
	tcase_add_loop_test(tcase,
	    what_is_removed_beneath_a_writer_ends_its_appends, 0, 4);
	tcase_add_test(tcase, what_is_put_back_beneath_a_writer_is_appended_to);
	tcase_add_test(tcase, the_head_of_an_empty_store_is_empty);
	tcase_add_test(tcase, the_status_tells_what_was_restored_and_written);
	tcase_add_test(tcase, a_cursor_goes_on_when_the_list_grows);
	tcase_add_test(tcase, a_name_without_events_is_not_found);
	tcase_add_test(tcase, an_entity_in_many_scopes_is_in_each);
	return tcase;
}

int
main(void)
{
	Suite *suite = suite_create("store");

	suite_add_tcase(suite, door());
	return suite_run(suite);
}
