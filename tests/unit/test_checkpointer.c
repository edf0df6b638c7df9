/*
 * The index file that is written back: which kind, when, what stands in it,
 * and what happens when it cannot be.
 */
#include <check.h>
#include <errno.h>

#include "faulty_disk.h"
#include "rowindex.h"
#include "rows.h"
#include "stores.h"
#include "suite.h"

static const char *const files[] = { "index.fbati", "index.ckpt" };

/* Which of the two stand in the directory: bits 1 and 2. */
static unsigned
kinds_there(const struct temp_dir *dir)
{
	return (temp_dir_has(dir, files[0]) ? 1u : 0u) |
	    (temp_dir_has(dir, files[1]) ? 2u : 0u);
}

/* ---- which kind --------------------------------------------------------- */

START_TEST(the_kind_that_is_there_is_kept_unless_another_is_asked_for)
{
	static const struct {
		const char *shape; /* NULL: a new store */
		enum bat_index_choice choice;
		unsigned kinds;
	} cases[] = {
		{ NULL, BAT_INDEX_AUTO, 2 },
		{ NULL, BAT_INDEX_FBATI, 1 },
		{ NULL, BAT_INDEX_CKPT, 2 },
		{ NULL, BAT_INDEX_NONE, 0 },
		{ "quickstart", BAT_INDEX_AUTO, 1 },
		{ "quickstart", BAT_INDEX_CKPT, 2 },
		{ "quickstart", BAT_INDEX_NONE, 1 },
		{ "ckpt-only", BAT_INDEX_AUTO, 2 },
		{ "ckpt-only", BAT_INDEX_FBATI, 1 },
		{ "both-index", BAT_INDEX_AUTO, 1 },
		{ "no-index", BAT_INDEX_AUTO, 2 },
		{ "no-index", BAT_INDEX_NONE, 0 },
	};
	struct bat_status status;
	struct bat_store *store;
	struct temp_dir dir;

	if (cases[_i].shape == NULL)
		temp_dir_make(&dir);
	else
		stores_golden(&dir, cases[_i].shape);
	store = stores_open_with(&dir,
	    &(struct bat_options){ .index = cases[_i].choice });
	stores_append(store, "player:new", "\xa1x");
	ck_assert_int_eq(bat_checkpoint(store, NULL), 0);
	ck_assert_uint_eq(kinds_there(&dir), cases[_i].kinds);
	stores_append(store, "player:new", "\xa1y");
	stores_close(store);
	ck_assert_uint_eq(kinds_there(&dir), cases[_i].kinds);
	store = stores_open(&dir, true);
	bat_status(store, &status);
	if (cases[_i].kinds != 0)
		ck_assert_int_eq(status.source,
		    cases[_i].kinds == 1 ? BAT_SOURCE_ROWINDEX :
					   BAT_SOURCE_CHECKPOINT);
	ck_assert_ptr_null(picture_check_lists(store));
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* ---- when --------------------------------------------------------------- */

static void
file_of(const struct temp_dir *dir, const char *name, struct bat_buf *out)
{
	bat_bytes_clear(out);
	temp_dir_read(dir, name, out);
}

START_TEST(a_short_tail_leaves_the_older_index_in_place)
{
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_status status;
	struct bat_store *store;
	struct temp_dir dir;

	stores_golden(&dir, "quickstart");
	file_of(&dir, "index.fbati", &before);
	for (int session = 1; session <= 3; session++) {
		store = stores_open(&dir, false);
		stores_append(store, "player:new", "\xa1x");
		stores_close(store);
		file_of(&dir, "index.fbati", &after);
		stores_assert_same(&after, &before, "the index");
		store = stores_open(&dir, true);
		bat_status(store, &status);
		ck_assert_int_eq(status.source, BAT_SOURCE_ROWINDEX);
		ck_assert_uint_eq(status.tail_count, 3 * (unsigned)session);
		stores_close(store);
	}
	/* By command it is written, and then there is nothing to write. */
	store = stores_open(&dir, false);
	ck_assert_int_eq(bat_checkpoint(store, NULL), 0);
	stores_close(store);
	file_of(&dir, "index.fbati", &before);
	store = stores_open(&dir, false);
	bat_status(store, &status);
	ck_assert_uint_eq(status.restored_count, 22 + 9);
	ck_assert_uint_eq(status.tail_count, 0);
	ck_assert_int_eq(bat_checkpoint(store, NULL), 0);
	stores_close(store);
	file_of(&dir, "index.fbati", &after);
	stores_assert_same(&after, &before, "the index again");
	bat_bytes_free(&before);
	bat_bytes_free(&after);
	temp_dir_remove(&dir);
}
END_TEST

/* batpak loses the extensions of what it reads by a footer. */
START_TEST(a_tail_with_extensions_makes_the_index_due)
{
	const struct bat_extension extension = { bat_bytes_text("app.a"),
		bat_bytes_text("v") };
	struct bat_draft draft = stores_draft("player:a", "s", "\xa1x");
	struct bat_status status;
	struct bat_store *store;
	struct temp_dir dir;

	stores_golden(&dir, "quickstart");
	/* Or that session wrote no index, and its footer does not tell. */
	store = stores_open_with(&dir,
	    &(struct bat_options){
		.index = _i == 0 ? BAT_INDEX_AUTO : BAT_INDEX_NONE });
	draft.extensions = &extension;
	draft.extension_count = 1;
	ck_assert_int_eq(stores_append_batch(store, &draft, 1, NULL, NULL), 0);
	stores_close(store);
	if (_i == 1) {
		store = stores_open(&dir, true);
		bat_status(store, &status);
		ck_assert_uint_eq(status.tail_count, 3);
		stores_close(store);
		store = stores_open(&dir, false);
		stores_append(store, "player:a", "\xa1y");
		stores_close(store);
	}
	store = stores_open(&dir, true);
	bat_status(store, &status);
	ck_assert_uint_eq(status.restored_count, 22 + 3 + 3 * (unsigned)_i);
	ck_assert_uint_eq(status.tail_count, 0);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_session_that_appended_nothing_writes_no_index)
{
	struct bat_store *store;
	struct temp_dir dir;

	stores_golden(&dir, "no-index");
	store = stores_open(&dir, false);
	stores_close(store);
	ck_assert_uint_eq(kinds_there(&dir), 0);
	temp_dir_remove(&dir);
}
END_TEST

/* ---- what stands in it -------------------------------------------------- */

/* The same rows, names and extensions as in the index that batpak wrote. */
START_TEST(what_is_written_is_what_batpak_wrote)
{
	static const char *const shapes[] = { "quickstart", "extensions",
		"chains", "hidden", "kinds", "many-segments", "batch",
		"reopened", "ckpt-only" };
	struct bat_buf theirs = BAT_BUF_EMPTY, ours = BAT_BUF_EMPTY;
	bool checkpoint = strcmp(shapes[_i], "ckpt-only") == 0;
	const char *name = files[checkpoint ? 1 : 0];
	struct bat_checkpoint_sink sink;
	struct rows before, after;
	struct bat_store *store;
	struct temp_dir dir;

	rows_init(&before);
	rows_init(&after);
	stores_golden(&dir, shapes[_i]);
	file_of(&dir, name, &theirs);
	temp_dir_unlink(&dir, name);
	store = stores_open_with(&dir,
	    &(struct bat_options){
		.index = checkpoint ? BAT_INDEX_CKPT : BAT_INDEX_FBATI });
	ck_assert_int_eq(bat_checkpoint(store, NULL), 0);
	stores_close(store);
	file_of(&dir, name, &ours);
	for (int i = 0; i < 2; i++) {
		struct bat_slice file = bat_bytes_of_buf(
		    i == 0 ? &theirs : &ours);

		sink = rows_sink(i == 0 ? &before : &after);
		ck_assert_int_eq(checkpoint ?
			bat_checkpoint_decode(file, &sink, NULL) :
			bat_rowindex_decode(file, &sink, NULL),
		    0);
	}
	rows_assert_same(&after, &before);
	for (size_t i = 0; i < before.count; i++) {
		ck_assert_uint_eq(after.rows[i].lane, before.rows[i].lane);
		ck_assert_uint_eq(after.rows[i].depth, before.rows[i].depth);
		ck_assert_msg(bat_bytes_equal(after.maps[i], before.maps[i]) ||
			(after.maps[i].length <= 1 &&
			    before.maps[i].length <= 1),
		    "extensions of row %zu", i);
	}
	rows_free(&before);
	rows_free(&after);
	bat_bytes_free(&theirs);
	bat_bytes_free(&ours);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(an_index_amid_a_session_does_not_speak_past_what_is_there)
{
	struct bat_buf index = BAT_BUF_EMPTY, segment = BAT_BUF_EMPTY;
	struct bat_checkpoint_sink sink;
	struct bat_store *store;
	struct rows rows;
	struct temp_dir dir;

	rows_init(&rows);
	temp_dir_make(&dir);
	store = stores_open_with(&dir,
	    &(struct bat_options){ .durability = BAT_DURABLE_FSYNC });
	stores_append(store, "player:a", "\xa1x");
	ck_assert_int_eq(bat_checkpoint(store, NULL), 0);
	file_of(&dir, "000001.fbat", &segment);
	stores_append(store, "player:a", "\xa1y");
	file_of(&dir, "index.ckpt", &index);
	sink = rows_sink(&rows);
	ck_assert_int_eq(
	    bat_checkpoint_decode(bat_bytes_of_buf(&index), &sink, NULL), 0);
	ck_assert_uint_eq(rows.count, 2);
	ck_assert_uint_eq(rows.head.allocator, 2);
	ck_assert_uint_eq(rows.head.watermark_segment, 1);
	ck_assert_uint_eq(rows.head.watermark_offset, segment.length);
	stores_close(store);
	rows_free(&rows);
	bat_bytes_free(&index);
	bat_bytes_free(&segment);
	temp_dir_remove(&dir);
}
END_TEST

/* ---- failures ----------------------------------------------------------- */

START_TEST(an_index_that_cannot_be_written_leaves_the_older_one)
{
	static const enum faulty_operation operations[] = { FAULTY_OPEN,
		FAULTY_WRITE, FAULTY_SYNC, FAULTY_RENAME };
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct faulty_disk disk;
	struct bat_status status;
	struct bat_store *store;
	struct temp_dir dir;
	size_t names;

	for (int os_errno = 0; os_errno < 2; os_errno++) {
		stores_golden(&dir, "quickstart");
		faulty_disk_init(&disk, bat_file_posix());
		store = stores_open_with(&dir,
		    &(struct bat_options){ .disk = &disk.disk });
		stores_append(store, "player:a", "\xa1x");
		file_of(&dir, "index.fbati", &before);
		names = temp_dir_count(&dir);
		faulty_disk_fail(&disk, operations[_i], 1,
		    os_errno == 0 ? ENOSPC : EIO, false);
		ck_assert_int_ne(bat_checkpoint(store, NULL), 0);
		file_of(&dir, "index.fbati", &after);
		stores_assert_same(&after, &before, "the older index");
		ck_assert_uint_eq(temp_dir_count(&dir), names);
		bat_status(store, &status);
		/* A sync that failed may end the session. */
		ck_assert(!status.stopped || operations[_i] == FAULTY_SYNC);
		if (status.stopped) {
			(void)bat_close(store, NULL);
			store = stores_open(&dir, false);
		}
		stores_append(store, "player:a", "\xa1y");
		ck_assert_int_eq(bat_checkpoint(store, NULL), 0);
		stores_append(store, "player:a", "\xa1z");
		stores_close(store);
		store = stores_open(&dir, true);
		ck_assert(!stores_report_has(store, "dropped"));
		stores_close(store);
		temp_dir_remove(&dir);
	}
	bat_bytes_free(&before);
	bat_bytes_free(&after);
}
END_TEST

START_TEST(a_frame_that_cannot_be_read_is_in_no_new_index)
{
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct bat_row row;
	struct temp_dir dir;
	stores_golden(&dir, "extensions");
	store = stores_open(&dir, false);
	stores_append(store, "player:a", "\xa1x");
	file_of(&dir, "index.fbati", &before);
	ck_assert(bat_row(store, 5, &row));
	temp_dir_flip(&dir, "000001.fbat", row.offset + 100, 1);
	ck_assert_int_eq(bat_checkpoint(store, NULL), BAT_DATA_CORRUPT);
	file_of(&dir, "index.fbati", &after);
	stores_assert_same(&after, &before, "the older index");
	stores_append(store, "player:a", "\xa1y");
	temp_dir_flip(&dir, "000001.fbat", row.offset + 100, 1);
	stores_close(store);
	bat_bytes_free(&before);
	bat_bytes_free(&after);
	temp_dir_remove(&dir);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("checkpointer");
	TCase *tcase = tcase_create("checkpointer");

	tcase_add_loop_test(tcase,
	    the_kind_that_is_there_is_kept_unless_another_is_asked_for, 0, 12);
	tcase_add_test(tcase, a_short_tail_leaves_the_older_index_in_place);
	tcase_add_loop_test(tcase, a_tail_with_extensions_makes_the_index_due,
	    0, 2);
	tcase_add_test(tcase, a_session_that_appended_nothing_writes_no_index);
	tcase_add_loop_test(tcase, what_is_written_is_what_batpak_wrote, 0, 9);
	tcase_add_test(tcase,
	    an_index_amid_a_session_does_not_speak_past_what_is_there);
	tcase_add_loop_test(tcase,
	    an_index_that_cannot_be_written_leaves_the_older_one, 0, 4);
	tcase_add_test(tcase, a_frame_that_cannot_be_read_is_in_no_new_index);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
