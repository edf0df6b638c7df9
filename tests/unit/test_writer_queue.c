/*
 * Who leads: a caller that is alone, or the committer; and each batch has its
 * one answer whoever did.
 */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "store_internal.h"
#include "stores.h"
#include "suite.h"

static struct temp_dir dir;
static struct bat_store *store;

static void
setup(void)
{
	temp_dir_make(&dir);
	store = stores_open(&dir, false);
}

static void
teardown(void)
{
	stores_close(store);
	temp_dir_remove(&dir);
}

static void
post(void *context, struct bat_batch *batch)
{
	(void)batch;
	sem_post(context);
}

static uint64_t
count_events(void)
{
	struct bat_head head;

	bat_head(store, &head);
	return head.visible_count;
}

START_TEST(who_is_alone_has_the_answer_when_the_call_returns)
{
	struct bat_draft draft = stores_draft("player:a", "s", "\xa1x");
	uint64_t before = count_events();
	sem_t done;

	ck_assert_int_eq(sem_init(&done, 0, 0), 0);
	for (uint64_t i = 0; i < 5; i++) {
		struct bat_batch batch = { .drafts = &draft,
			.count = 1,
			.done = post,
			.context = &done };

		bat_submit_here(store, &batch);
		ck_assert_int_eq(sem_trywait(&done), 0);
		ck_assert_int_eq(batch.code, 0);
		/* OPEN is one more. */
		ck_assert_uint_eq(count_events(), before + i + 2);
	}
	sem_destroy(&done);
}
END_TEST

/* Somebody leads, or several wrote last time: a group for all of them. */
START_TEST(who_is_not_alone_leaves_it_to_the_committer)
{
	struct bat_draft draft = stores_draft("player:a", "s", "\xa1x");
	struct bat_writer *writer = &store->writer;
	sem_t done;

	ck_assert_int_eq(sem_init(&done, 0, 0), 0);
	for (int i = 0; i < 3; i++) {
		struct bat_batch first = { .drafts = &draft,
			.count = 1,
			.done = post,
			.context = &done };
		struct bat_batch second = first;

		if (i == 0) {
			pthread_mutex_lock(&writer->queue_mutex);
			writer->leading = true;
			pthread_mutex_unlock(&writer->queue_mutex);
		} else if (i == 1) {
			pthread_mutex_lock(&writer->queue_mutex);
			writer->expected = 2;
			pthread_mutex_unlock(&writer->queue_mutex);
		} else {
			bat_submit(store, &first);
		}
		bat_submit_here(store, &second);
		ck_assert_int_eq(sem_trywait(&done), -1);
		ck_assert_uint_eq(bat_commit_run(store, false), i == 2 ? 2 : 1);
		ck_assert_int_eq(sem_trywait(&done), 0);
		ck_assert_int_eq(sem_trywait(&done), i == 2 ? 0 : -1);
	}
	sem_destroy(&done);
}
END_TEST

/* ---- all at once -------------------------------------------------------- */

enum { WRITERS = 4, ROUNDS = 60 };

static atomic_bool stop;

static void *
commit_until_stopped(void *context)
{
	(void)context;
	while (!atomic_load(&stop))
		(void)bat_commit_run(store, true);
	return NULL;
}

/* Stays behind where nobody was woken for its batch. */
static void *
write_rounds(void *context)
{
	struct bat_draft draft = stores_draft(context, "s", "\xa1x");
	sem_t done;

	ck_assert_int_eq(sem_init(&done, 0, 0), 0);
	for (int i = 0; i < ROUNDS; i++) {
		struct bat_batch batch = { .drafts = &draft,
			.count = 1,
			.done = post,
			.context = &done };

		bat_submit_here(store, &batch);
		while (sem_wait(&done) != 0)
			;
		ck_assert_int_eq(batch.code, 0);
		ck_assert_uint_eq(batch.committed, 1);
	}
	ck_assert_int_eq(sem_trywait(&done), -1);
	sem_destroy(&done);
	return NULL;
}

START_TEST(each_batch_is_answered_once_whoever_leads)
{
	static char names[WRITERS][2] = { "a", "b", "c", "d" };
	pthread_t committer, writers[WRITERS];

	ck_assert_int_eq(
	    pthread_create(&committer, NULL, commit_until_stopped, NULL), 0);
	for (size_t i = 0; i < WRITERS; i++)
		ck_assert_int_eq(pthread_create(&writers[i], NULL, write_rounds,
				     names[i]),
		    0);
	for (size_t i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	/* And whoever is left is alone again, or waits for the committer. */
	write_rounds(names[0]);
	atomic_store(&stop, true);
	bat_wake(store);
	pthread_join(committer, NULL);
	ck_assert_uint_eq(count_events(), (WRITERS + 1) * ROUNDS + 1);
}
END_TEST

/* ---- callers that wait ---------------------------------------------------- */

static void *
append_rounds(void *context)
{
	for (int i = 0; i < ROUNDS; i++)
		stores_append(store, context, "\xa1x");
	return NULL;
}

START_TEST(callers_beside_a_committer_are_each_answered)
{
	static char names[2 * WRITERS][2] = { "a", "b", "c", "d", "e", "f", "g",
		"h" };
	pthread_t committer, writers[2 * WRITERS];

	ck_assert_int_eq(
	    pthread_create(&committer, NULL, commit_until_stopped, NULL), 0);
	for (size_t i = 0; i < 2 * WRITERS; i++)
		ck_assert_int_eq(pthread_create(&writers[i], NULL,
				     i % 2 == 0 ? append_rounds : write_rounds,
				     names[i]),
		    0);
	for (size_t i = 0; i < 2 * WRITERS; i++)
		pthread_join(writers[i], NULL);
	atomic_store(&stop, true);
	bat_wake(store);
	pthread_join(committer, NULL);
	ck_assert_uint_eq(count_events(), 2 * WRITERS * ROUNDS + 1);
}
END_TEST

START_TEST(callers_without_a_committer_are_each_answered)
{
	static char names[WRITERS][2] = { "a", "b", "c", "d" };
	pthread_t writers[WRITERS];

	for (size_t i = 0; i < WRITERS; i++)
		ck_assert_int_eq(pthread_create(&writers[i], NULL,
				     append_rounds, names[i]),
		    0);
	for (size_t i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	ck_assert_uint_eq(count_events(), WRITERS * ROUNDS + 1);
}
END_TEST

/* The disk of this test: while it syncs, another caller comes. */
static pthread_t latecomer;
static atomic_bool has_come;

static void *
append_late(void *context)
{
	(void)context;
	stores_append(store, "late", "\xa1x");
	return NULL;
}

static size_t
count_queued(void)
{
	size_t count;

	pthread_mutex_lock(&store->writer.queue_mutex);
	count = store->writer.queue_count;
	pthread_mutex_unlock(&store->writer.queue_mutex);
	return count;
}

static int
sync_while_another_comes(void *context, int fd)
{
	if (!atomic_exchange(&has_come, true)) {
		ck_assert_int_eq(
		    pthread_create(&latecomer, NULL, append_late, NULL), 0);
		while (count_queued() == 0)
			sched_yield();
	}
	return bat_file_posix()->sync_data(context, fd);
}

START_TEST(who_came_during_a_group_is_not_forgotten_at_its_end)
{
	struct bat_disk disk = *bat_file_posix();
	const struct bat_options options = { .disk = &disk };

	stores_close(store);
	disk.sync_data = sync_while_another_comes;
	store = stores_open_with(&dir, &options);
	stores_append(store, "early", "\xa1x");
	pthread_join(latecomer, NULL);
	ck_assert_uint_eq(count_events(), 3);
	stores_close(store);
	store = stores_open(&dir, false);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("writer_queue");
	TCase *promises = tcase_create("promises");

	suite_add_tcase(suite, promises);
	tcase_add_checked_fixture(promises, setup, teardown);
	tcase_add_test(promises,
	    who_is_alone_has_the_answer_when_the_call_returns);
	tcase_add_test(promises, who_is_not_alone_leaves_it_to_the_committer);
	tcase_add_test(promises, each_batch_is_answered_once_whoever_leads);
	tcase_add_test(promises, callers_beside_a_committer_are_each_answered);
	tcase_add_test(promises, callers_without_a_committer_are_each_answered);
	tcase_add_test(promises,
	    who_came_during_a_group_is_not_forgotten_at_its_end);
	return suite_run(suite);
}
