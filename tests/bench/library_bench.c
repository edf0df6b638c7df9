/*
 * library_bench: a store through the library alone, without a mount.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bat.h>
#include <verify.h>

#include "bench.h"
#include "event_maker.h"

#define MAKE_BATCH 1000
#define WARM_UP 50 /* appends before the clock starts */

static void
check(int code, const struct bat_error *error, const char *what)
{
	if (code != 0)
		bench_fail("%s: %s: %s", what, bat_error_name(code),
		    error->text);
}

static struct bat_store *
open_store(const char *path, const struct bat_options *options)
{
	struct bat_error error = { .code = 0 };
	struct bat_store *store = NULL;

	check(bat_open(path, options, &store, &error), &error, path);
	return store;
}

static void
close_store(struct bat_store *store)
{
	struct bat_error error = { .code = 0 };

	check(bat_close(store, &error), &error, "closing");
}

static void
append(struct bat_store *store, struct event_maker *maker, size_t count,
    struct bat_receipt *receipts)
{
	struct bat_batch batch = { .drafts = event_maker_fill(maker, count),
		.count = count,
		.receipts = receipts };
	int code = bat_append(store, &batch);

	check(code, &batch.error, "appending");
}

/* ---- making a store -------------------------------------------------- */

static enum bat_index_choice
index_choice(const char *name)
{
	if (strcmp(name, "ckpt") == 0)
		return BAT_INDEX_CKPT;
	if (strcmp(name, "fbati") == 0)
		return BAT_INDEX_FBATI;
	if (strcmp(name, "none") != 0)
		bench_fail("ckpt, fbati or none, not %s", name);
	return BAT_INDEX_NONE;
}

static void
make(int argc, char **argv)
{
	uint64_t left = bench_number(argv[1], UINT32_MAX);
	uint64_t count = left;
	const struct bat_options options = {
		.durability = BAT_DURABLE_FSYNC,
		.index = index_choice(argv[3]),
	};
	struct bat_store *store = open_store(argv[0], &options);
	struct bat_receipt *receipts = bench_allocate(MAKE_BATCH,
	    sizeof(*receipts));
	struct event_maker maker;
	int64_t start = bench_now_ns();

	(void)argc;
	event_maker_init(&maker, (uint32_t)bench_number(argv[2], UINT32_MAX),
	    MAKE_BATCH);
	while (left > 0) {
		size_t some = left < MAKE_BATCH ? (size_t)left : MAKE_BATCH;

		append(store, &maker, some, receipts);
		left -= some;
	}
	close_store(store);
	printf("{\"ns\": %lld, \"events\": %llu}\n",
	    (long long)(bench_now_ns() - start), (unsigned long long)count);
	event_maker_free(&maker);
	free(receipts);
}

/* Give a store that has no index file one, or another one. */
static void
make_index(int argc, char **argv)
{
	const struct bat_options options = { .index = index_choice(argv[1]) };
	struct bat_store *store = open_store(argv[0], &options);
	struct bat_error error = { .code = 0 };
	int64_t start = bench_now_ns();

	(void)argc;
	check(bat_checkpoint(store, &error), &error, argv[0]);
	printf("{\"ns\": %lld}\n", (long long)(bench_now_ns() - start));
	close_store(store);
}

/* ---- opening --------------------------------------------------------- */

/* From nothing to the first entity's name: what a first `ls` needs. */
static void
measure_open(int argc, char **argv)
{
	const struct bat_options options = { .read_only = true };
	uint64_t before = bench_anonymous_bytes();
	int64_t start = bench_now_ns();
	struct bat_store *store = open_store(argv[0], &options);
	uint32_t entity = bat_entity_at(store, 0);
	struct bat_status status;
	struct bat_head head;
	int64_t ns;

	(void)argc;
	if (entity != UINT32_MAX && bat_name(store, entity).length == 0)
		bench_fail("an entity without a name");
	ns = bench_now_ns() - start;
	bat_head(store, &head);
	bat_status(store, &status);
	printf("{\"ns\": %lld, \"events\": %llu, \"source\": \"%s\", "
	       "\"anonymous\": %llu}\n",
	    (long long)ns, (unsigned long long)head.visible_count,
	    bat_source_name(status.source),
	    (unsigned long long)(bench_anonymous_bytes() - before));
	close_store(store);
}

/* ---- appending ------------------------------------------------------- */

struct append_work {
	struct bat_store *store;
	struct event_maker *makers; /* one for each writer */
	struct bat_receipt *receipts;
	size_t batch, rounds;
};

static void
append_some(void *context, unsigned number)
{
	struct append_work *work = context;

	for (size_t i = 0; i < work->rounds; i++)
		append(work->store, &work->makers[number], work->batch,
		    work->receipts + number * work->batch);
}

/* As batfs has it with -o ahead=4M. */
#define RUNWAY (UINT64_C(4) << 20)

struct runner {
	struct bat_store *store;
	atomic_bool stop;
	pthread_t thread;
};

static void *
lay_ahead(void *context)
{
	struct runner *runner = context;

	while (!atomic_load(&runner->stop))
		(void)bat_lay_runway(runner->store, true);
	return NULL;
}

static void
start_runner(struct runner *runner, struct bat_store *store)
{
	runner->store = store;
	atomic_init(&runner->stop, false);
	if (pthread_create(&runner->thread, NULL, lay_ahead, runner) != 0)
		bench_fail("no thread");
}

static void
stop_runner(struct runner *runner)
{
	atomic_store(&runner->stop, true);
	bat_wake_runway(runner->store);
	pthread_join(runner->thread, NULL);
}

/* Writers that each wait until what they appended is on disk. */
static void
measure_append(int argc, char **argv)
{
	bool ahead = argc > 4 && strcmp(argv[4], "ahead") == 0;
	const struct bat_options options = { .durability = BAT_DURABLE_EACH,
		.runway_bytes = ahead ? RUNWAY : 0 };
	struct runner runner;
	unsigned writers = (unsigned)bench_number(argv[1], BENCH_THREADS_MAX);
	struct append_work work = {
		.store = open_store(argv[0], &options),
		.batch = (size_t)bench_number(argv[2], 65536),
		.rounds = WARM_UP,
	};
	size_t rounds = (size_t)bench_number(argv[3], UINT32_MAX);
	struct bat_head head;
	uint64_t before;
	int64_t ns;

	if (ahead)
		start_runner(&runner, work.store);
	work.makers = bench_allocate(writers, sizeof(*work.makers));
	work.receipts = bench_allocate(writers * work.batch,
	    sizeof(*work.receipts));
	for (unsigned i = 0; i < writers; i++)
		event_maker_init(&work.makers[i], 100, work.batch);
	append_some(&work, 0);
	bat_head(work.store, &head);
	before = head.visible_count;
	work.rounds = rounds;
	ns = bench_run_threads(writers, append_some, &work);
	bat_head(work.store, &head);
	if (head.visible_count - before != writers * work.batch * rounds)
		bench_fail("%llu events are there, not %zu",
		    (unsigned long long)(head.visible_count - before),
		    writers * work.batch * rounds);
	printf("{\"ns\": %lld, \"events\": %llu}\n", (long long)ns,
	    (unsigned long long)(head.visible_count - before));
	if (ahead)
		stop_runner(&runner);
	close_store(work.store);
	for (unsigned i = 0; i < writers; i++)
		event_maker_free(&work.makers[i]);
	free(work.makers);
	free(work.receipts);
}

/* ---- reading --------------------------------------------------------- */

/* splitmix64: the same numbers in each run. */
static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* Events by id, at random over the whole store. */
static void
measure_get(int argc, char **argv)
{
	const struct bat_options options = { .read_only = true };
	struct bat_store *store = open_store(argv[0], &options);
	size_t count = (size_t)bench_number(argv[1], UINT32_MAX);
	struct bat_id *ids = bench_allocate(count, sizeof(*ids));
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_error error = { .code = 0 };
	uint64_t state = 1;
	struct bat_row row;
	struct bat_head head;
	int64_t start;

	(void)argc;
	bat_head(store, &head);
	for (size_t i = 0; i < count; i++) {
		uint64_t n = next_random(&state) % head.ordinals;

		if (!bat_row(store, (uint32_t)n, &row))
			bench_fail("a hidden event");
		ids[i] = row.id;
	}
	start = bench_now_ns();
	for (size_t i = 0; i < count; i++)
		check(bat_read(store, bat_find_id(store, &ids[i]), &reading,
			  &error),
		    &error, "reading");
	printf("{\"ns\": %lld, \"events\": %zu}\n",
	    (long long)(bench_now_ns() - start), count);
	bat_reading_free(&reading);
	close_store(store);
	free(ids);
}

/* Every event with its payload, in order, on one thread. */
static void
measure_scan(int argc, char **argv)
{
	const struct bat_options options = { .read_only = true };
	struct bat_store *store = open_store(argv[0], &options);
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_error error = { .code = 0 };
	uint32_t next[BAT_READ_AHEAD_MAX];
	int64_t start = bench_now_ns();
	struct bat_head head;

	(void)argc;
	bat_head(store, &head);
	for (uint32_t i = 0; i < head.ordinals; i++) {
		if (i % BAT_READ_AHEAD_MAX == 0) {
			for (uint32_t j = 0; j < BAT_READ_AHEAD_MAX; j++)
				next[j] = i + j;
			bat_read_ahead(store, next, BAT_READ_AHEAD_MAX,
			    &reading);
		}
		check(bat_read(store, i, &reading, &error), &error, "reading");
	}
	printf("{\"ns\": %lld, \"events\": %u}\n",
	    (long long)(bench_now_ns() - start), head.ordinals);
	bat_reading_free(&reading);
	close_store(store);
}

static void
measure_verify(int argc, char **argv)
{
	struct bat_verify_counts counts;
	struct bat_error error = { .code = 0 };
	int64_t start = bench_now_ns();

	(void)argc;
	check(bat_verify_directory(bat_file_posix(), argv[0], NULL, &counts,
		  &error),
	    &error, argv[0]);
	printf("{\"ns\": %lld, \"events\": %llu}\n",
	    (long long)(bench_now_ns() - start),
	    (unsigned long long)counts.events);
}

int
main(int argc, char **argv)
{
	static const struct bench_command commands[] = {
		{ "make", 4, make, "DIR EVENTS ENTITIES ckpt|fbati|none" },
		{ "index", 2, make_index, "DIR ckpt|fbati" },
		{ "open", 1, measure_open, "DIR" },
		{ "append", 4, measure_append,
		    "DIR WRITERS BATCH ROUNDS [ahead]" },
		{ "get", 2, measure_get, "DIR COUNT" },
		{ "scan", 1, measure_scan, "DIR" },
		{ "verify", 1, measure_verify, "DIR" },
	};

	return bench_main(argc, argv, commands,
	    sizeof(commands) / sizeof(commands[0]));
}
