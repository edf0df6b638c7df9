#include "bench.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void
bench_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

uint64_t
bench_number(const char *text, uint64_t most)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || *text == '-' ||
	    value > most)
		bench_fail("not a number from 0 to %llu: %s",
		    (unsigned long long)most, text);
	return value;
}

int64_t
bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

uint64_t
bench_anonymous_bytes(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	unsigned long long kilobytes = 0;
	char line[256];

	if (file == NULL)
		bench_fail("/proc/self/smaps_rollup: %s", strerror(errno));
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "Anonymous: %llu kB", &kilobytes) == 1)
			break;
	fclose(file);
	return kilobytes * 1024;
}

void *
bench_allocate(size_t count, size_t size)
{
	void *memory = calloc(count > 0 ? count : 1, size);

	if (memory == NULL)
		bench_fail("out of memory");
	return memory;
}

struct bench_crew {
	void (*each)(void *context, unsigned number);
	void *context;
	pthread_barrier_t ready;
};

struct bench_member {
	struct bench_crew *crew;
	unsigned number;
	pthread_t thread;
};

static void *
member_main(void *argument)
{
	struct bench_member *member = argument;

	pthread_barrier_wait(&member->crew->ready);
	member->crew->each(member->crew->context, member->number);
	return NULL;
}

int64_t
bench_run_threads(unsigned threads,
    void (*each)(void *context, unsigned number), void *context)
{
	struct bench_crew crew = { .each = each, .context = context };
	struct bench_member members[BENCH_THREADS_MAX];
	int64_t start;

	if (threads == 0 || threads > BENCH_THREADS_MAX ||
	    pthread_barrier_init(&crew.ready, NULL, threads + 1) != 0)
		bench_fail("cannot run %u threads", threads);
	for (unsigned i = 0; i < threads; i++) {
		members[i].crew = &crew;
		members[i].number = i;
		if (pthread_create(&members[i].thread, NULL, member_main,
			&members[i]) != 0)
			bench_fail("cannot start a thread");
	}
	pthread_barrier_wait(&crew.ready);
	start = bench_now_ns();
	for (unsigned i = 0; i < threads; i++)
		pthread_join(members[i].thread, NULL);
	start = bench_now_ns() - start;
	pthread_barrier_destroy(&crew.ready);
	return start;
}

int
bench_main(int argc, char **argv, const struct bench_command *commands,
    size_t count)
{
	for (size_t i = 0; argc > 1 && i < count; i++) {
		if (strcmp(argv[1], commands[i].name) == 0 &&
		    argc - 2 >= commands[i].least) {
			commands[i].run(argc - 2, argv + 2);
			return fflush(stdout) == 0 ? EXIT_SUCCESS :
						     EXIT_FAILURE;
		}
	}
	for (size_t i = 0; i < count; i++)
		fprintf(stderr, "usage: %s %s %s\n", argv[0], commands[i].name,
		    commands[i].usage);
	return 2;
}
