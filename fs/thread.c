#include "thread.h"

#include <signal.h>
#include <time.h>

#include "bat.h"

int
batfs_thread_start(pthread_t *out, void *(*run)(void *), void *argument,
    const char *name)
{
	sigset_t all, before;
	int failed;

	/* A new thread starts with the mask of its maker. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(out, NULL, run, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed != 0)
		return BAT_WORLD_NO_MEMORY;
	pthread_setname_np(*out, name);
	return 0;
}

bool
batfs_thread_join(pthread_t thread, unsigned milliseconds)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (time_t)(milliseconds / 1000);
	until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	return pthread_timedjoin_np(thread, NULL, &until) == 0;
}
