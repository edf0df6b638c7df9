#include "thread.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bat.h"

struct start {
	void *(*run)(void *);
	void *argument;
	char name[16];
};

/* It names itself: another thread's name is a file of /proc. */
static void *
begin(void *argument)
{
	struct start start = *(struct start *)argument;

	free(argument);
	pthread_setname_np(pthread_self(), start.name);
	return start.run(start.argument);
}

int
batfs_thread_start(pthread_t *out, void *(*run)(void *), void *argument,
    const char *name)
{
	struct start *start = malloc(sizeof(*start));
	sigset_t all, before;
	int failed;

	if (start == NULL)
		return BAT_WORLD_NO_MEMORY;
	*start = (struct start){ .run = run, .argument = argument };
	snprintf(start->name, sizeof(start->name), "%s", name);
	/* A new thread starts with the mask of its maker. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(out, NULL, begin, start);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed == 0)
		return 0;
	free(start);
	return BAT_WORLD_NO_MEMORY;
}

bool
batfs_thread_join(pthread_t thread, unsigned milliseconds)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(milliseconds / 1000);
	until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0;
}
