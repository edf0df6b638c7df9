/*
 * What the bench programs share: their arguments, the time, what a process
 * keeps in memory. Each does one thing once and prints one line of JSON with
 * what it measured; the repetitions, the order and the table are run.py's.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

/* Say why on stderr and leave with status 1. */
_Noreturn void bench_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
/* A decimal argument, 0 to most. */
uint64_t bench_number(const char *text, uint64_t most);
/* Nanoseconds from an arbitrary start. */
int64_t bench_now_ns(void);
/* This process's own memory, without what the page cache has anyway. */
uint64_t bench_anonymous_bytes(void);
/* Zeroed; never NULL. */
void *bench_allocate(size_t count, size_t size);

/*
 * Run `each` on so many threads at once, each with its number, and return
 * the nanoseconds from when all were ready until the last had ended.
 */
#define BENCH_THREADS_MAX 64
int64_t bench_run_threads(unsigned threads,
    void (*each)(void *context, unsigned number), void *context);

/* The subcommands of a program: `PROGRAM NAME ARGUMENT...`. */
struct bench_command {
	const char *name;
	int least;			    /* arguments */
	void (*run)(int argc, char **argv); /* argv[0] is the first argument */
	const char *usage;
};
int bench_main(int argc, char **argv, const struct bench_command *commands,
    size_t count);

#endif
