#include "thread.h"

#include <poll.h>
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

static int64_t
monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * Asked again and again: a wait by the wall clock, pthread_timedjoin_np, lasts
 * as long as that clock was set back, and the thread sanitizer does not see
 * pthread_clockjoin_np.
 */
bool
batfs_thread_join(pthread_t thread, unsigned milliseconds)
{
	int64_t until_ms = monotonic_ms() + milliseconds;

	while (pthread_tryjoin_np(thread, NULL) != 0) {
		if (monotonic_ms() >= until_ms)
			return false;
		poll(NULL, 0, 1);
	}
	return true;
}
