/*
 * What the sidecar holds is read when it is asked for, by whoever asks first:
 * many threads at once get the same answers.
 */
#include <check.h>
#include <pthread.h>

#include "bat.h"
#include "stores.h"
#include "suite.h"
#include "temp_dir.h"

enum { EVENTS = 4608, BATCH = 64, ENTITIES = 140 };

/* Ten seconds ahead: the files are quiet, as they are at a later unmount. */
static int64_t
later_us(void *context)
{
	(void)context;
	return bat_clock_wall_us(bat_clock_system()) + 10000000;
}

static int64_t
monotonic_ns(void *context)
{
	(void)context;
	return bat_clock_monotonic_ns(bat_clock_system());
}

static const struct bat_clock later = { later_us, monotonic_ns, NULL };

/* A store of several segments and, with its last session, its sidecar. */
static void
make_store(struct temp_dir *dir)
{
	struct bat_draft drafts[BATCH];
	char entities[BATCH][32];
	struct bat_store *store;

	temp_dir_make(dir);
	store = stores_open_with(dir,
	    &(struct bat_options){ .clock = &later,
		.segment_max_bytes = 400000 });
	for (unsigned n = 0; n < EVENTS; n++) {
		unsigned i = n % BATCH;

		snprintf(entities[i], sizeof(entities[i]), "e:%u",
		    n % ENTITIES);
		drafts[i] = stores_draft(entities[i],
		    n % 3 == 0 ? "s:one" : "s:two", "\xa1x");
		if (i + 1 == BATCH)
			ck_assert_int_eq(stores_append_batch(store, drafts,
					     BATCH, NULL, NULL),
			    0);
	}
	stores_close(store);
}

struct asker {
	struct bat_store *store;
	pthread_t thread;
	unsigned start;
	uint64_t sum;
};

/* Everything of each entity, from another one on for each thread. */
static void *
ask_all(void *context)
{
	struct asker *asker = context;
	struct bat_store *store = asker->store;

	for (unsigned i = 0; i < ENTITIES; i++) {
		struct bat_list list = { .kind = BAT_LIST_ENTITY };
		uint32_t ordinals[BATCH], scope = 0, length;
		uint64_t cursor = 0;
		char text[32];
		size_t count;

		snprintf(text, sizeof(text), "e:%u",
		    (i + asker->start) % ENTITIES);
		list.entity = bat_find_entity(store, bat_bytes_text(text));
		asker->sum += bat_name(store, list.entity).length;
		asker->sum += bat_entity_scopes(store, list.entity, &scope);
		asker->sum += bat_scope_has(store, scope, list.entity);
		count = bat_list_next(store, &list, &cursor, ordinals, BATCH);
		for (size_t k = 0; k < count; k++) {
			struct bat_row row;

			if (bat_row(store, ordinals[k], &row))
				asker->sum += row.seq;
			if (bat_lengths(store, 1, &ordinals[k], 1, &length))
				asker->sum += length;
		}
	}
	return NULL;
}

START_TEST(many_may_ask_for_it_at_once)
{
	struct asker askers[4];
	struct bat_status status;
	struct temp_dir dir;
	struct bat_store *store;

	make_store(&dir);
	store = stores_open(&dir, false);
	bat_status(store, &status);
	ck_assert_int_eq(status.source, BAT_SOURCE_SIDECAR);
	for (unsigned i = 0; i < 4; i++) {
		askers[i] = (struct asker){ .store = store,
			.start = i * ENTITIES / 4 };
		ck_assert_int_eq(pthread_create(&askers[i].thread, NULL,
				     ask_all, &askers[i]),
		    0);
	}
	for (unsigned i = 0; i < 4; i++)
		pthread_join(askers[i].thread, NULL);
	ck_assert_uint_gt(askers[0].sum, 0);
	for (unsigned i = 1; i < 4; i++)
		ck_assert_uint_eq(askers[i].sum, askers[0].sum);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sidecar_threads");
	TCase *late = tcase_create("late");

	suite_add_tcase(suite, late);
	tcase_set_timeout(late, 240);
	tcase_add_test(late, many_may_ask_for_it_at_once);
	return suite_run(suite);
}
