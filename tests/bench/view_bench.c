/*
 * view_bench: lines as the view makes them, without a mount.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bat.h>
#include <proof.h>
#include <stream.h>

#include "bench.h"

#define READ_SIZE (128u << 10) /* what a mount is asked for at once */

static void
check(int code, const struct bat_error *error, const char *what)
{
	if (code != 0)
		bench_fail("%s: %s: %s", what, bat_error_name(code),
		    error->text);
}

struct view {
	struct bat_store *store;
	struct batfs_streams *streams;
};

static struct view
open_view(const char *path)
{
	const struct bat_options options = { .read_only = true };
	struct bat_error error = { .code = 0 };
	struct view view;

	check(bat_open(path, &options, &view.store, &error), &error, path);
	if (batfs_stream_new(view.store, NULL, &view.streams) != 0)
		bench_fail("out of memory");
	return view;
}

static void
close_view(struct view *view)
{
	struct bat_error error = { .code = 0 };

	batfs_stream_free(view->streams);
	check(bat_close(view->store, &error), &error, "closing");
}

/* All of a stream, in pieces as a reader of a mount asks for them. */
static uint64_t
read_stream(struct view *view, const struct batfs_stream_key *key)
{
	struct bat_buf piece = BAT_BUF_EMPTY;
	struct bat_error error = { .code = 0 };
	uint64_t at = 0;

	do {
		bat_bytes_clear(&piece);
		check(batfs_stream_read(view->streams, key, at, READ_SIZE,
			  &piece, &error),
		    &error, "reading");
		at += piece.length;
	} while (piece.length == READ_SIZE);
	bat_bytes_free(&piece);
	return at;
}

/* Every entity's lines, one entity after the other; twice. */
static void
measure_cat(int argc, char **argv)
{
	struct view view = open_view(argv[0]);
	uint64_t bytes = 0;
	int64_t start, ns[2];

	(void)argc;
	for (unsigned round = 0; round < 2; round++) {
		bytes = 0;
		start = bench_now_ns();
		for (uint32_t i = 0;; i++) {
			struct batfs_stream_key key = {
				.list.kind = BAT_LIST_ENTITY,
				.list.entity = bat_entity_at(view.store, i),
				.to_seq = UINT64_MAX,
			};

			if (key.list.entity == UINT32_MAX)
				break;
			bytes += read_stream(&view, &key);
		}
		ns[round] = bench_now_ns() - start;
	}
	printf("{\"first\": %lld, \"again\": %lld, \"bytes\": %llu}\n",
	    (long long)ns[0], (long long)ns[1], (unsigned long long)bytes);
	close_view(&view);
}

/* The chains of the first so many entities, each event read and hashed, each
 * link followed. */
static void
measure_chains(int argc, char **argv)
{
	const struct bat_options options = { .read_only = true };
	uint64_t left = bench_number(argv[1], UINT32_MAX);
	struct bat_error error = { .code = 0 };
	struct bat_store *store = NULL;
	struct bat_buf report = BAT_BUF_EMPTY;
	struct bat_list_stat stat;
	uint64_t events = 0;
	int64_t start;

	(void)argc;
	check(bat_open(argv[0], &options, &store, &error), &error, argv[0]);
	start = bench_now_ns();
	for (uint32_t i = 0; left > 0; i++, left--) {
		const struct bat_list list = { .kind = BAT_LIST_ENTITY,
			.entity = bat_entity_at(store, i) };

		if (list.entity == UINT32_MAX ||
		    !bat_list_stat(store, &list, &stat))
			break;
		bat_bytes_clear(&report);
		check(batfs_proof_entity(store, bat_name(store, list.entity),
			  NULL, &report, &error),
		    &error, "a chain");
		events += stat.count;
	}
	printf("{\"ns\": %lld, \"events\": %llu}\n",
	    (long long)(bench_now_ns() - start), (unsigned long long)events);
	bat_bytes_free(&report);
	check(bat_close(store, &error), &error, "closing");
}

/* So many lines from a sequence on, in a view that knows nothing yet. */
static void
measure_page(int argc, char **argv)
{
	uint64_t from = bench_number(argv[1], UINT64_MAX);
	struct view view = open_view(argv[0]);
	const struct batfs_stream_key key = {
		.list.kind = BAT_LIST_ALL,
		.from_seq = from,
		.to_seq = from + bench_number(argv[2], UINT32_MAX),
	};
	int64_t start = bench_now_ns();
	uint64_t bytes = read_stream(&view, &key);

	(void)argc;
	printf("{\"ns\": %lld, \"bytes\": %llu}\n",
	    (long long)(bench_now_ns() - start), (unsigned long long)bytes);
	close_view(&view);
}

int
main(int argc, char **argv)
{
	static const struct bench_command commands[] = {
		{ "cat", 1, measure_cat, "DIR" },
		{ "chains", 2, measure_chains, "DIR ENTITIES" },
		{ "page", 3, measure_page, "DIR FROM LINES" },
	};

	return bench_main(argc, argv, commands,
	    sizeof(commands) / sizeof(commands[0]));
}
