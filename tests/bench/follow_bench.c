/*
 * follow_bench: how long a line takes to a reader who waits for it.
 *
 * One thread reads, blocked; the other one writes a line when the reader has
 * had time to block again. Both are of one process, so that they have one
 * clock. "written" is from the start of the write, "answered" from its end (0
 * where the reader was first); medians.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define WARM_UP 5
#define PATIENCE 60	    /* seconds until a line counts as lost */
#define TO_BLOCK_NS 2000000 /* what a reader needs to wait again, and more */

extern char **environ;

struct reader {
	int file;
	pid_t child; /* 0: none */
	pthread_mutex_t mutex;
	pthread_cond_t came;
	uint64_t lines;	 /* so far */
	int64_t last_ns; /* when the last of them came */
};

/* ---- the reader -------------------------------------------------------- */

static void *
read_lines(void *context)
{
	struct reader *reader = context;
	char buffer[4096];

	for (;;) {
		ssize_t got = read(reader->file, buffer, sizeof(buffer));
		int64_t now = bench_now_ns();
		uint64_t ends = 0;

		if (got <= 0)
			return NULL; /* the writer says so: nothing comes */
		for (ssize_t i = 0; i < got; i++)
			ends += buffer[i] == '\n';
		pthread_mutex_lock(&reader->mutex);
		reader->lines += ends;
		reader->last_ns = now;
		pthread_cond_signal(&reader->came);
		pthread_mutex_unlock(&reader->mutex);
	}
}

/* When the line of that number, from 1 on, was there. */
static int64_t
wait_for_line(struct reader *reader, uint64_t number)
{
	struct timespec end;
	int64_t came;
	int bad = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += PATIENCE;
	pthread_mutex_lock(&reader->mutex);
	while (reader->lines < number && bad == 0)
		bad = pthread_cond_timedwait(&reader->came, &reader->mutex,
		    &end);
	came = reader->last_ns;
	if (bad != 0 || reader->lines != number)
		bench_fail("%llu lines came, not %llu",
		    (unsigned long long)reader->lines,
		    (unsigned long long)number);
	pthread_mutex_unlock(&reader->mutex);
	return came;
}

/* The output of a command. */
static int
start_command(char **words, pid_t *out_child)
{
	posix_spawn_file_actions_t actions;
	int ends[2];
	int bad;

	if (pipe2(ends, O_CLOEXEC) != 0)
		bench_fail("pipe: %s", strerror(errno));
	bad = posix_spawn_file_actions_init(&actions);
	if (bad == 0)
		bad = posix_spawn_file_actions_adddup2(&actions, ends[1],
		    STDOUT_FILENO);
	if (bad == 0)
		bad = posix_spawnp(out_child, words[0], &actions, NULL, words,
		    environ);
	if (bad != 0)
		bench_fail("%s: %s", words[0], strerror(bad));
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	return ends[0];
}

/* A file, or a pipe with a name, which nobody may have opened to write yet. */
static int
open_to_read(const char *path)
{
	struct stat status;
	bool is_pipe = stat(path, &status) == 0 && S_ISFIFO(status.st_mode);
	int file = open(path, (is_pipe ? O_RDWR : O_RDONLY) | O_CLOEXEC);

	if (file < 0)
		bench_fail("%s: %s", path, strerror(errno));
	return file;
}

/* ---- the writer -------------------------------------------------------- */

static int
compare_times(const void *a, const void *b)
{
	int64_t one = *(const int64_t *)a, two = *(const int64_t *)b;

	return one < two ? -1 : one > two;
}

static int64_t
median(int64_t *times, size_t count)
{
	qsort(times, count, sizeof(*times), compare_times);
	return times[count / 2];
}

static void
measure(struct reader *reader, const char *path, size_t rounds)
{
	static const struct timespec pause = { .tv_nsec = TO_BLOCK_NS };
	int64_t *written = bench_allocate(rounds, sizeof(*written));
	int64_t *answered = bench_allocate(rounds, sizeof(*answered));
	int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);

	if (file < 0)
		bench_fail("%s: %s", path, strerror(errno));
	for (size_t i = 0; i < rounds + WARM_UP; i++) {
		char line[64];
		int length = snprintf(line, sizeof(line), "{\"n\":%zu}\n", i);
		int64_t start, end, came;

		nanosleep(&pause, NULL);
		start = bench_now_ns();
		if (write(file, line, (size_t)length) != length)
			bench_fail("%s: %s", path, strerror(errno));
		end = bench_now_ns();
		came = wait_for_line(reader, i + 1);
		if (i < WARM_UP)
			continue;
		written[i - WARM_UP] = came - start;
		answered[i - WARM_UP] = came < end ? 0 : came - end;
	}
	printf("{\"written\": %lld, \"answered\": %lld}\n",
	    (long long)median(written, rounds),
	    (long long)median(answered, rounds));
	close(file);
	free(written);
	free(answered);
}

int
main(int argc, char **argv)
{
	struct reader reader = { .file = -1 };
	pthread_t thread;

	if (argc < 5 || strcmp(argv[3], "--") != 0) {
		fprintf(stderr,
		    "usage: %s WRITE_PATH ROUNDS -- READ_PATH\n"
		    "       %s WRITE_PATH ROUNDS -- COMMAND WORD...\n",
		    argv[0], argv[0]);
		return 2;
	}
	reader.file = argc == 5 ? open_to_read(argv[4]) :
				  start_command(argv + 4, &reader.child);
	if (pthread_mutex_init(&reader.mutex, NULL) != 0 ||
	    pthread_cond_init(&reader.came, NULL) != 0 ||
	    pthread_create(&thread, NULL, read_lines, &reader) != 0)
		bench_fail("cannot start a thread");
	measure(&reader, argv[1], (size_t)bench_number(argv[2], 100000));
	if (reader.child != 0) {
		kill(reader.child, SIGTERM);
		waitpid(reader.child, NULL, 0);
	}
	/* The reader still waits; the process ends, and it with that. */
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
