/*
 * mount_bench: what a program sees of a mount, timed from its side.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define WARM_UP 50
#define LINE_MAX_BYTES 160

extern char **environ;

/* ---- from the start of the program to the first name ------------------ */

/* What the command says on its standard output is not ours. */
static void
run(char *const argv[])
{
	posix_spawn_file_actions_t actions;
	pid_t child = -1;
	int status;
	int bad = posix_spawn_file_actions_init(&actions);

	if (bad == 0)
		bad = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO,
		    "/dev/null", O_WRONLY, 0);
	if (bad == 0)
		bad = posix_spawnp(&child, argv[0], &actions, NULL, argv,
		    environ);
	if (bad != 0)
		bench_fail("%s: %s", argv[0], strerror(bad));
	posix_spawn_file_actions_destroy(&actions);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != 0)
		bench_fail("%s: status %d", argv[0], status);
}

/* The first name in a directory that is not its own. */
static void
first_name(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (dir == NULL)
		bench_fail("%s: %s", path, strerror(errno));
	do {
		errno = 0;
		entry = readdir(dir);
		if (entry == NULL)
			bench_fail("%s: no name (%s)", path, strerror(errno));
	} while (entry->d_name[0] == '.');
	closedir(dir);
}

/* The command mounts, and leaves when the mount works; its daemon becomes a
 * child of ours, so that this ends when the daemon has ended. */
static void
measure_start(int argc, char **argv)
{
	char *const unmount[] = { (char[]){ "fusermount3" }, (char[]){ "-u" },
		argv[0], NULL };
	char path[4096];
	int64_t start;

	(void)argc;
	snprintf(path, sizeof(path), "%s/%s", argv[0], argv[1]);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		bench_fail("prctl: %s", strerror(errno));
	start = bench_now_ns();
	run(argv + 2);
	first_name(path);
	printf("{\"ns\": %lld}\n", (long long)(bench_now_ns() - start));
	run(unmount);
	while (wait(NULL) > 0 || errno == EINTR)
		continue;
}

/* ---- open, read, close ------------------------------------------------ */

struct names {
	char **of;
	size_t count;
};

static struct names
read_names(FILE *file)
{
	struct names names = { NULL, 0 };
	size_t room = 0;
	char line[1024];

	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (names.count == room) {
			room = room * 2 + 1024;
			names.of = realloc(names.of, room * sizeof(*names.of));
		}
		if (names.of == NULL)
			bench_fail("out of memory");
		names.of[names.count] = strdup(line);
		if (names.of[names.count++] == NULL)
			bench_fail("out of memory");
	}
	if (names.count == 0)
		bench_fail("no names on standard input");
	return names;
}

static uint64_t
read_all(int dir, const struct names *names)
{
	static char buffer[65536];
	uint64_t bytes = 0;

	for (size_t i = 0; i < names->count; i++) {
		int fd = openat(dir, names->of[i], O_RDONLY | O_CLOEXEC);
		ssize_t got = fd < 0 ? -1 : read(fd, buffer, sizeof(buffer));

		if (got < 0)
			bench_fail("%s: %s", names->of[i], strerror(errno));
		bytes += (uint64_t)got;
		close(fd);
	}
	return bytes;
}

/* The files that standard input names: once, and then again and again. */
static void
measure_read(int argc, char **argv)
{
	struct names names = read_names(stdin);
	uint64_t rounds = bench_number(argv[1], 1000);
	int dir = open(argv[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
	int64_t start, first, again;
	uint64_t bytes;

	(void)argc;
	if (dir < 0)
		bench_fail("%s: %s", argv[0], strerror(errno));
	start = bench_now_ns();
	bytes = read_all(dir, &names);
	first = bench_now_ns() - start;
	start = bench_now_ns();
	for (uint64_t i = 0; i < rounds; i++)
		(void)read_all(dir, &names);
	again = bench_now_ns() - start;
	printf("{\"first\": %lld, \"again\": %lld, \"files\": %zu, "
	       "\"bytes\": %llu}\n",
	    (long long)first, (long long)again, names.count,
	    (unsigned long long)bytes);
	close(dir);
	for (size_t i = 0; i < names.count; i++)
		free(names.of[i]);
	free(names.of);
}

/* ---- appending lines -------------------------------------------------- */

struct line_work {
	const char *dir;
	size_t batch, rounds;
	int *files; /* one for each writer */
};

static size_t
make_lines(char *to, size_t lines, unsigned writer, size_t round)
{
	size_t length = 0;

	for (size_t i = 0; i < lines; i++)
		length += (size_t)snprintf(to + length, LINE_MAX_BYTES,
		    "{\"n\":%zu,\"who\":\"player:%08x\",\"ok\":true,"
		    "\"text\":\"the quick brown fox jumps over the lazy dog "
		    "and then looks back\"}\n",
		    round * lines + i, writer);
	return length;
}

static void
write_lines(void *context, unsigned number)
{
	const struct line_work *work = context;
	char *lines = bench_allocate(work->batch, LINE_MAX_BYTES);

	for (size_t i = 0; i < work->rounds; i++) {
		size_t length = make_lines(lines, work->batch, number, i);
		ssize_t got = write(work->files[number], lines, length);

		if (got < 0 || (size_t)got != length)
			bench_fail("writing: %zd of %zu: %s", got, length,
			    strerror(errno));
	}
	free(lines);
}

/* Writers, each with a file of its own and so many lines to a write. */
static void
measure_append(int argc, char **argv)
{
	unsigned writers = (unsigned)bench_number(argv[1], BENCH_THREADS_MAX);
	size_t rounds = (size_t)bench_number(argv[3], UINT32_MAX);
	struct line_work work = { .dir = argv[0],
		.batch = (size_t)bench_number(argv[2], 4096),
		.rounds = WARM_UP };
	char path[4096];
	int64_t ns;

	(void)argc;
	work.files = bench_allocate(writers, sizeof(*work.files));
	for (unsigned i = 0; i < writers; i++) {
		snprintf(path, sizeof(path), "%s/bench:%u", work.dir, i);
		work.files[i] = open(path,
		    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
		if (work.files[i] < 0)
			bench_fail("%s: %s", path, strerror(errno));
	}
	if (rounds > 1)
		write_lines(&work, 0);
	work.rounds = rounds;
	ns = bench_run_threads(writers, write_lines, &work);
	printf("{\"ns\": %lld, \"events\": %zu}\n", (long long)ns,
	    writers * work.batch * rounds);
	for (unsigned i = 0; i < writers; i++)
		close(work.files[i]);
	free(work.files);
}

int
main(int argc, char **argv)
{
	static const struct bench_command commands[] = {
		{ "start", 3, measure_start, "MOUNTPOINT FOLDER COMMAND..." },
		{ "read", 2, measure_read, "DIR ROUNDS < NAMES" },
		{ "append", 4, measure_append, "DIR WRITERS BATCH ROUNDS" },
	};

	return bench_main(argc, argv, commands,
	    sizeof(commands) / sizeof(commands[0]));
}
