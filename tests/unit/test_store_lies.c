/*
 * An index that lied: it is found when an event is read, whoever reads, and the
 * index is built anew in the middle of a session, also among many threads.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "maker.h"
#include "stores.h"
#include "suite.h"

/* Samples are the first, the last, and the second row. */
static int
no_random(void *context, void *to, size_t length)
{
	(void)context;
	memset(to, 0, length);
	return 0;
}

struct lie {
	struct temp_dir dir;
	struct bat_disk disk;
	struct maker maker;
	struct bat_buf truth;
};

/* Eight events, and an index whose sixth row has another clock. */
static void
lie_make(struct lie *lie)
{
	struct bat_buf index = BAT_BUF_EMPTY;
	uint32_t number;

	*lie = (struct lie){ .disk = *bat_file_posix() };
	maker_init(&lie->maker);
	/* So that names have other numbers in it than in the frames. */
	ck_assert_int_eq(bat_intern_put(&lie->maker.names,
			     bat_bytes_text("nobody"), &number),
	    0);
	temp_dir_make(&lie->dir);
	maker_segment(&lie->maker, 1);
	for (int i = 0; i < 8; i++)
		maker_event(&lie->maker, i % 2 == 0 ? "player:a" : "player:b",
		    "\xa1x");
	maker_save(&lie->maker, &lie->dir);
	stores_picture(&lie->dir, PICTURE_WHOLE, &lie->truth);
	lie->maker.rows[5].clock += 7;
	maker_index(&lie->maker, true, 5, &index);
	temp_dir_write(&lie->dir, "index.fbati", bat_bytes_of_buf(&index));
	bat_bytes_free(&index);
}

static void
lie_free(struct lie *lie)
{
	temp_dir_remove(&lie->dir);
	maker_free(&lie->maker);
	bat_bytes_free(&lie->truth);
}

static struct bat_store *
lie_open(struct lie *lie, bool read_only)
{
	struct bat_store *store;

	lie->disk.random = no_random;
	store = stores_open_with(&lie->dir,
	    &(struct bat_options){ .read_only = read_only,
		.disk = &lie->disk });
	/* Ids are made with it. */
	lie->disk.random = bat_file_posix()->random;
	ck_assert(!stores_report_has(store, "dropped"));
	return store;
}

/* The event that gives the lie away. */
static void
meet_the_lie(struct bat_store *store)
{
	static const uint32_t ordinals[] = { 4, 5 };
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_head before, after;

	bat_head(store, &before);
	/* What was noted of it lies as well, and is forgotten. */
	bat_read_ahead(store, ordinals, 2, &reading);
	ck_assert_int_eq(bat_read(store, 4, &reading, NULL), 0);
	ck_assert_int_eq(bat_read(store, 5, &reading, NULL),
	    BAT_DATA_DISAGREES);
	bat_head(store, &after);
	ck_assert_uint_gt(after.generation, before.generation);
	ck_assert_uint_eq(after.visible_count, before.visible_count);
	ck_assert_int_eq(bat_read(store, 5, &reading, NULL), 0);
	bat_reading_free(&reading);
}

static void
assert_truth(struct lie *lie, struct bat_store *store)
{
	struct bat_buf got = BAT_BUF_EMPTY;

	picture_of_some(store, PICTURE_WHOLE, 0, 8, &got);
	stores_assert_same(&got, &lie->truth, "after the rebuild");
	ck_assert_ptr_null(picture_check_lists(store));
	bat_bytes_free(&got);
}

START_TEST(a_row_that_lies_is_found_when_its_event_is_read)
{
	struct bat_store *store;
	struct lie lie;

	lie_make(&lie);
	store = lie_open(&lie, _i == 0);
	meet_the_lie(store);
	assert_truth(&lie, store);
	ck_assert(temp_dir_has(&lie.dir, "index.fbati"));
	if (_i == 1) {
		stores_append(store, "player:a", "\xa1x");
		ck_assert(!temp_dir_has(&lie.dir, "index.fbati"));
	}
	stores_close(store);
	ck_assert(temp_dir_has(&lie.dir, "index.fbati"));
	if (_i == 1) {
		store = stores_open(&lie.dir, true);
		ck_assert(!stores_report_has(store, "dropped"));
		assert_truth(&lie, store);
		stores_close(store);
	}
	lie_free(&lie);
}
END_TEST

/* The session had appended by then: its segment and its index are right all
 * the same, and names stay what they were. */
START_TEST(a_rebuild_amid_a_session_keeps_what_it_appended)
{
	struct bat_receipt receipts[3];
	struct bat_status status;
	struct bat_store *store;
	struct bat_slice name;
	struct bat_head head;
	struct bat_row row;
	struct lie lie;

	lie_make(&lie);
	store = lie_open(&lie, false);
	receipts[0] = stores_append(store, "player:new",
	    "\xa1"
	    "1");
	ck_assert(bat_row(store, 9, &row));
	name = bat_name(store, row.entity);
	meet_the_lie(store);
	ck_assert(bat_bytes_equal(name, bat_bytes_text("player:new")));
	receipts[1] = stores_append(store, "player:newer",
	    "\xa1"
	    "2");
	receipts[2] = stores_append(store, "player:b",
	    "\xa1"
	    "3");
	ck_assert_uint_eq(receipts[2].clock, 4);
	ck_assert(!temp_dir_has(&lie.dir, "index.fbati"));
	assert_truth(&lie, store);
	stores_close(store);
	for (int indexed = 1; indexed >= 0; indexed--) {
		if (indexed == 0)
			stores_without_index(&lie.dir);
		store = stores_open(&lie.dir, true);
		ck_assert(!stores_report_has(store, "dropped"));
		ck_assert(!stores_report_has(store, "not believed"));
		bat_status(store, &status);
		if (indexed == 1)
			ck_assert_int_eq(status.source, BAT_SOURCE_ROWINDEX);
		bat_head(store, &head);
		ck_assert_uint_eq(head.visible_count, 8 + 5);
		assert_truth(&lie, store);
		for (int i = 0; i < 3; i++) {
			uint32_t ordinal = bat_find_id(store, &receipts[i].id);

			ck_assert(bat_row(store, ordinal, &row));
			ck_assert_uint_eq(row.seq, receipts[i].seq);
		}
		stores_close(store);
	}
	lie_free(&lie);
}
END_TEST

START_TEST(a_rebuild_amid_unsynced_appends_does_not_call_them_durable)
{
	struct bat_status status;
	struct bat_store *store;
	struct bat_head head;
	struct lie lie;

	lie_make(&lie);
	lie.disk.random = no_random;
	store = stores_open_with(&lie.dir,
	    &(struct bat_options){ .disk = &lie.disk,
		.durability = BAT_DURABLE_FSYNC });
	lie.disk.random = bat_file_posix()->random;
	stores_append(store, "player:new",
	    "\xa1"
	    "1");
	ck_assert_int_eq(bat_sync(store, NULL), 0);
	stores_append(store, "player:new",
	    "\xa1"
	    "2");
	meet_the_lie(store);
	bat_status(store, &status);
	ck_assert_uint_eq(status.durable_seq_plus_1, 10);
	bat_head(store, &head);
	ck_assert_uint_eq(head.durable_seq, 9);
	ck_assert_int_eq(bat_sync(store, NULL), 0);
	bat_head(store, &head);
	ck_assert_uint_eq(head.durable_seq, 10);
	stores_close(store);
	lie_free(&lie);
}
END_TEST

/* ---- threads ------------------------------------------------------------ */

enum { WRITERS = 4, READERS = 4, APPENDS = 60 };

struct crew {
	struct bat_store *store;
	struct bat_receipt receipts[WRITERS][APPENDS];
	atomic_uint number;
	atomic_bool done;
	atomic_uint failures;
};

static void *
write_events(void *context)
{
	struct crew *crew = context;
	unsigned me = atomic_fetch_add(&crew->number, 1);
	char entity[32];

	snprintf(entity, sizeof(entity), "player:%u", me);
	for (size_t i = 0; i < APPENDS; i++) {
		struct bat_draft draft = stores_draft(
		    i % 3 == 0 ? "player:all" : entity, "scope:t", "\xa1x");
		struct bat_batch batch = { .drafts = &draft,
			.count = 1,
			.receipts = &crew->receipts[me][i] };

		if (bat_append(crew->store, &batch) != 0)
			atomic_fetch_add(&crew->failures, 1);
	}
	return NULL;
}

static void *
read_events(void *context)
{
	struct crew *crew = context;
	struct bat_reading reading = BAT_READING_EMPTY;
	const struct bat_list all = { .kind = BAT_LIST_ALL };
	struct bat_status status;
	struct bat_head head;
	uint64_t cursor = 0, last = 0;
	uint32_t ordinals[16], scope;

	while (!atomic_load(&crew->done)) {
		size_t count = bat_list_next(crew->store, &all, &cursor,
		    ordinals, 16);

		bat_head(crew->store, &head);
		bat_status(crew->store, &status);
		if (count == 0)
			(void)usleep(200);
		for (size_t i = 0; i < count; i++) {
			if (bat_read(crew->store, ordinals[i], &reading,
				NULL) != 0 ||
			    (last > 0 && reading.row.seq <= last) ||
			    bat_find_id(crew->store, &reading.row.id) !=
				ordinals[i] ||
			    bat_entity_scopes(crew->store, reading.row.entity,
				&scope) != 1 ||
			    bat_name(crew->store, scope).length == 0)
				atomic_fetch_add(&crew->failures, 1);
			last = reading.row.seq;
		}
	}
	bat_reading_free(&reading);
	return NULL;
}

START_TEST(many_threads_append_and_read_at_once)
{
	static struct crew crew;
	pthread_t writers[WRITERS], readers[READERS];
	struct bat_head head;
	struct temp_dir dir;

	temp_dir_make(&dir);
	crew.store = stores_open_with(&dir,
	    &(struct bat_options){ .segment_max_bytes = 20000,
		.durability = _i == 0 ? BAT_DURABLE_EACH : BAT_DURABLE_FSYNC });
	atomic_store(&crew.number, 0);
	atomic_store(&crew.done, false);
	for (int i = 0; i < READERS; i++)
		ck_assert_int_eq(
		    pthread_create(&readers[i], NULL, read_events, &crew), 0);
	for (int i = 0; i < WRITERS; i++)
		ck_assert_int_eq(
		    pthread_create(&writers[i], NULL, write_events, &crew), 0);
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(writers[i], NULL);
		ck_assert_int_eq(bat_sync(crew.store, NULL), 0);
		ck_assert_int_eq(bat_checkpoint(crew.store, NULL), 0);
	}
	atomic_store(&crew.done, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	ck_assert_uint_eq(atomic_load(&crew.failures), 0);
	stores_close(crew.store);
	crew.store = stores_open(&dir, true);
	bat_head(crew.store, &head);
	ck_assert_uint_eq(head.visible_count, WRITERS * APPENDS + 2);
	for (int i = 0; i < WRITERS; i++)
		for (int j = 0; j < APPENDS; j++) {
			const struct bat_receipt *receipt =
			    &crew.receipts[i][j];
			uint32_t found = bat_find_id(crew.store, &receipt->id);

			ck_assert_uint_eq(found,
			    bat_find_seq(crew.store, receipt->seq));
		}
	ck_assert_ptr_null(picture_check_lists(crew.store));
	stores_close(crew.store);
	temp_dir_remove(&dir);
}
END_TEST

static void *
read_all(void *context)
{
	struct crew *crew = context;
	struct bat_reading reading = BAT_READING_EMPTY;

	for (int round = 0; round < 20; round++)
		for (uint32_t i = 0; i < 8; i++) {
			int code = bat_read(crew->store, i, &reading, NULL);

			if (code != 0 && code != BAT_DATA_DISAGREES)
				atomic_fetch_add(&crew->failures, 1);
		}
	bat_reading_free(&reading);
	return NULL;
}

/* All of them meet the lie; it is rebuilt under those who read and append. */
START_TEST(many_threads_meet_an_index_that_lied)
{
	static struct crew crew;
	pthread_t writers[2], readers[READERS];
	struct bat_head head;
	struct lie lie;

	lie_make(&lie);
	crew.store = lie_open(&lie, false);
	atomic_store(&crew.number, 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(
		    pthread_create(&writers[i], NULL, write_events, &crew), 0);
	for (int i = 0; i < READERS; i++)
		ck_assert_int_eq(
		    pthread_create(&readers[i], NULL, read_all, &crew), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(writers[i], NULL);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	ck_assert_uint_eq(atomic_load(&crew.failures), 0);
	bat_head(crew.store, &head);
	ck_assert_uint_eq(head.generation, 2);
	assert_truth(&lie, crew.store);
	stores_close(crew.store);
	stores_without_index(&lie.dir);
	crew.store = stores_open(&lie.dir, true);
	ck_assert(!stores_report_has(crew.store, "not believed"));
	bat_head(crew.store, &head);
	ck_assert_uint_eq(head.visible_count, 8 + 2 + 2 * APPENDS);
	stores_close(crew.store);
	lie_free(&lie);
}
END_TEST

static TCase *
lies(void)
{
	TCase *tcase = tcase_create("lies");

	tcase_add_loop_test(tcase,
	    a_row_that_lies_is_found_when_its_event_is_read, 0, 2);
	tcase_add_test(tcase, a_rebuild_amid_a_session_keeps_what_it_appended);
	tcase_add_test(tcase,
	    a_rebuild_amid_unsynced_appends_does_not_call_them_durable);
	return tcase;
}

static TCase *
threads(void)
{
	TCase *tcase = tcase_create("threads");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, many_threads_append_and_read_at_once, 0, 2);
	tcase_add_test(tcase, many_threads_meet_an_index_that_lied);
	return tcase;
}

int
main(void)
{
	Suite *suite = suite_create("store_lies");

	suite_add_tcase(suite, lies());
	suite_add_tcase(suite, threads());
	return suite_run(suite);
}
