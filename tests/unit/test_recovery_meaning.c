/*
 * Reading segments frame by frame, what whole frames mean: batches and their
 * markers, sequence numbers, hidden ranges, two events with one id.
 */
#include <check.h>

#include "hidden.h"
#include "maker.h"
#include "stores.h"
#include "suite.h"

/* ---- batches and markers ----------------------------------------------- */

static void
assert_count(const struct temp_dir *dir, uint64_t wanted)
{
	struct bat_store *store = stores_open(dir, true);
	struct bat_head head;

	bat_head(store, &head);
	ck_assert_uint_eq(head.visible_count, wanted);
	stores_close(store);
}

START_TEST(a_batch_whose_commit_comes_early_is_left_out)
{
	struct temp_dir dir;
	struct maker maker;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "a");
	maker_marker(&maker, 6, 3);
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "b");
	maker_marker(&maker, 7, 0);
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "c");
	maker_marker(&maker, 7, 0); /* an orphan */
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "d");
	maker_save(&maker, &dir);
	assert_count(&dir, 3);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_second_begin_drops_the_first_batch)
{
	struct temp_dir dir;
	struct maker maker;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_marker(&maker, 6, 2);
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "a");
	maker_marker(&maker, 6, 1);
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "b");
	maker_marker(&maker, 7, 0);
	maker_save(&maker, &dir);
	assert_count(&dir, 1);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_batch_ends_with_its_segment)
{
	struct temp_dir dir;
	struct maker maker;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_marker(&maker, 6, 2);
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "a");
	maker_save(&maker, &dir);
	maker_segment(&maker, 2);
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "b");
	maker_marker(&maker, 7, 0);
	maker_save(&maker, &dir);
	assert_count(&dir, 1);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_frame_of_a_marker_kind_with_a_chain_is_an_event)
{
	struct temp_dir dir;
	struct maker maker;

	for (int footed = 0; footed < 2; footed++) {
		maker_init(&maker);
		temp_dir_make(&dir);
		maker_segment(&maker, 1);
		maker.kind = 6;
		maker_event(&maker, "player:bob",
		    "\xa1"
		    "a");
		maker_marker(&maker, 6, 2);
		maker.kind = 7;
		maker_event(&maker, "player:bob",
		    "\xa1"
		    "b");
		maker.kind = 6;
		maker_event(&maker, "player:bob",
		    "\xa1"
		    "c");
		maker_marker(&maker, 7, 0);
		if (footed == 1)
			maker_footer(&maker);
		maker_save(&maker, &dir);
		assert_count(&dir, 3);
		maker_free(&maker);
		temp_dir_remove(&dir);
	}
}
END_TEST

/* ---- numbers ----------------------------------------------------------- */

static void
assert_seqs(struct bat_store *store, const uint64_t *wanted, uint32_t count)
{
	struct bat_head head;
	struct bat_row row;

	bat_head(store, &head);
	ck_assert_uint_eq(head.ordinals, count);
	for (uint32_t i = 0; i < count; i++) {
		ck_assert(bat_row(store, i, &row));
		ck_assert_uint_eq(row.seq, wanted[i]);
	}
}

START_TEST(numbers_that_a_footer_tells_are_kept)
{
	static const uint64_t seqs[] = { 4, 10, 11, 12, 13, 14 };
	struct bat_store *store;
	struct temp_dir dir;
	struct maker maker;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker.next_seq = 4;
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "a");
	maker.next_seq = 10;
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "b");
	maker_footer(&maker);
	maker_save(&maker, &dir);
	/* Behind it, untold: previous + 1. */
	maker_segment(&maker, 2);
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "c");
	maker_save(&maker, &dir);
	store = stores_open(&dir, false);
	assert_seqs(store, seqs, 3);
	stores_append(store, "player:bob",
	    "\xa1"
	    "d");
	assert_seqs(store, seqs, 5);
	stores_close(store);
	store = stores_open(&dir, true);
	assert_seqs(store, seqs, 6);
	stores_close(store);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_told_number_that_does_not_rise_is_replaced_and_said)
{
	static const uint64_t seqs[] = { 7, 8, 9, 20 };
	struct bat_store *store;
	struct temp_dir dir;
	struct maker maker;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker.next_seq = 7;
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "a");
	maker.next_seq = 7;
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "b");
	maker.next_seq = 3;
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "c");
	maker.next_seq = 20;
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "d");
	maker_footer(&maker);
	maker_save(&maker, &dir);
	store = stores_open(&dir, true);
	assert_seqs(store, seqs, 4);
	ck_assert(stores_report_has(store, "2 sequence numbers"));
	stores_close(store);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(behind_an_index_numbers_start_at_its_allocator)
{
	static const uint64_t seqs[] = { 0, 50, 51, 52 };
	struct bat_buf index = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct temp_dir dir;
	struct maker maker;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "a");
	maker_save(&maker, &dir);
	maker.next_seq = 50; /* burned slots */
	maker_index(&maker, false, 6, &index);
	temp_dir_write(&dir, "index.ckpt", bat_bytes_of_buf(&index));
	store = stores_open(&dir, false);
	stores_append(store, "player:bob",
	    "\xa1"
	    "b");
	assert_seqs(store, seqs, 3);
	stores_close(store);
	maker_segment(&maker, 2);
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "c");
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "d");
	maker_save(&maker, &dir);
	temp_dir_write(&dir, "index.ckpt", bat_bytes_of_buf(&index));
	store = stores_open(&dir, true);
	assert_seqs(store, seqs, 3);
	stores_close(store);
	bat_bytes_free(&index);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

/* Numbers so high that the next ones would wrap around: no event is lost, no
 * new one is taken. */
START_TEST(an_allocator_at_the_end_of_numbers_takes_no_event)
{
	struct bat_draft draft = stores_draft("player:bob", "s", "\xa1x");
	struct bat_buf index = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct temp_dir dir;
	struct maker maker;
	uint64_t seq = UINT64_MAX - (uint64_t)_i;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "a");
	maker_save(&maker, &dir);
	maker.next_seq = seq;
	maker_index(&maker, true, 5, &index);
	temp_dir_write(&dir, "index.fbati", bat_bytes_of_buf(&index));
	store = stores_open(&dir, false);
	(void)stores_append_batch(store, &draft, 1, NULL, NULL);
	stores_close(store);
	store = stores_open(&dir, true);
	ck_assert_uint_eq(bat_find_seq(store, 0), 0);
	stores_close(store);
	bat_bytes_free(&index);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

/* ---- hidden ranges, twins ---------------------------------------------- */

static void
write_hidden(const struct temp_dir *dir, uint64_t start, uint64_t end)
{
	struct bat_hidden_range range = { start, end };
	const struct bat_hidden hidden = { &range, 1 };
	struct bat_buf file = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_hidden_encode(&hidden, &file), 0);
	temp_dir_write(dir, BAT_HIDDEN_FILE, bat_bytes_of_buf(&file));
	bat_bytes_free(&file);
}

START_TEST(a_hidden_event_is_in_no_list_and_not_found)
{
	struct bat_store *store;
	struct bat_head head;
	struct temp_dir dir;
	struct maker maker;
	struct bat_row row;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "a");
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "b");
	maker_event(&maker, "player:carol",
	    "\xa1"
	    "c");
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "d");
	maker_save(&maker, &dir);
	write_hidden(&dir, 1, 3);
	store = stores_open(&dir, true);
	bat_head(store, &head);
	ck_assert_uint_eq(head.ordinals, 4);
	ck_assert_uint_eq(head.visible_count, 2);
	ck_assert_uint_eq(head.entity_count, 1);
	ck_assert_uint_eq(head.last_seq, 3);
	for (uint32_t i = 1; i < 3; i++) {
		ck_assert(!bat_row(store, i, &row));
		ck_assert_uint_eq(bat_find_id(store, &maker.rows[i].id),
		    BAT_MAP_NONE);
		ck_assert_uint_eq(bat_find_seq(store, i), BAT_MAP_NONE);
		ck_assert_uint_eq(bat_find_seq_from(store, i), 3);
	}
	ck_assert_uint_eq(bat_find_entity(store, bat_bytes_text("player:bob")),
	    BAT_MAP_NONE);
	ck_assert_ptr_null(picture_check_lists(store));
	stores_close(store);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_broken_file_of_hidden_ranges_refuses_the_store)
{
	struct bat_error error = { .text = "" };
	struct bat_store *store = NULL;
	struct temp_dir dir;

	for (int read_only = 0; read_only < 2; read_only++) {
		stores_golden(&dir, "hidden");
		temp_dir_flip(&dir, BAT_HIDDEN_FILE, 20, 1);
		ck_assert_int_eq(
		    bat_open(dir.path,
			&(struct bat_options){ .read_only = read_only }, &store,
			&error),
		    BAT_DATA_CORRUPT);
		ck_assert_ptr_nonnull(strstr(error.text, BAT_HIDDEN_FILE));
		temp_dir_remove(&dir);
	}
}
END_TEST

/* What was cancelled before its events were safe may leave a range over
 * numbers that nobody has yet. */
START_TEST(a_new_event_is_never_hidden)
{
	struct bat_store *store;
	struct bat_receipt receipt;
	struct bat_head head;
	struct temp_dir dir;
	struct maker maker;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "a");
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "b");
	maker_save(&maker, &dir);
	write_hidden(&dir, 1, 9);
	store = stores_open(&dir, false);
	receipt = stores_append(store, "player:alice",
	    "\xa1"
	    "c");
	ck_assert_uint_ne(bat_find_id(store, &receipt.id), BAT_MAP_NONE);
	stores_close(store);
	/* Also where nothing but the frames tells its number. */
	stores_without_index(&dir);
	temp_dir_truncate(&dir, "000002.fbat", 2200);
	store = stores_open(&dir, true);
	bat_head(store, &head);
	ck_assert_uint_eq(bat_find_seq(store, 1), BAT_MAP_NONE);
	ck_assert_uint_ne(bat_find_id(store, &receipt.id), BAT_MAP_NONE);
	stores_close(store);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(two_events_with_one_id_are_both_shown)
{
	struct bat_store *store;
	struct bat_head head;
	struct temp_dir dir;
	struct maker maker;

	maker_init(&maker);
	temp_dir_make(&dir);
	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "a");
	maker.id = maker.rows[0].id;
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "b");
	maker_save(&maker, &dir);
	store = stores_open(&dir, true);
	bat_head(store, &head);
	ck_assert_uint_eq(head.visible_count, 2);
	ck_assert_uint_eq(bat_find_id(store, &maker.rows[0].id), 1);
	ck_assert_ptr_null(picture_check_lists(store));
	stores_close(store);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

static TCase *
meaning(void)
{
	TCase *tcase = tcase_create("meaning");

	tcase_add_test(tcase, a_batch_whose_commit_comes_early_is_left_out);
	tcase_add_test(tcase, a_second_begin_drops_the_first_batch);
	tcase_add_test(tcase, a_batch_ends_with_its_segment);
	tcase_add_test(tcase,
	    a_frame_of_a_marker_kind_with_a_chain_is_an_event);
	tcase_add_test(tcase, numbers_that_a_footer_tells_are_kept);
	tcase_add_test(tcase,
	    a_told_number_that_does_not_rise_is_replaced_and_said);
	tcase_add_test(tcase, behind_an_index_numbers_start_at_its_allocator);
	tcase_add_loop_test(tcase,
	    an_allocator_at_the_end_of_numbers_takes_no_event, 0, 5);
	tcase_add_test(tcase, a_hidden_event_is_in_no_list_and_not_found);
	tcase_add_test(tcase, a_broken_file_of_hidden_ranges_refuses_the_store);
	tcase_add_test(tcase, a_new_event_is_never_hidden);
	tcase_add_test(tcase, two_events_with_one_id_are_both_shown);
	return tcase;
}

int
main(void)
{
	Suite *suite = suite_create("recovery_meaning");

	suite_add_tcase(suite, meaning());
	return suite_run(suite);
}
