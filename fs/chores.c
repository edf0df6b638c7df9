#include "chores.h"

#include <stdlib.h>
#include <time.h>

#include "bat.h"
#include "thread.h"

struct batfs_chores {
	uint64_t seconds;
	void (*tick)(void *context);
	void *context;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t something;
	/* Under the lock: */
	struct batfs_chore *first, **last;
	bool stop;
};

/* The first chore off the queue; NULL: the time of the tick has come, or it
 * is all over. */
static struct batfs_chore *
next_chore(struct batfs_chores *chores, const struct timespec *until)
{
	struct batfs_chore *chore;
	int timed_out = 0;

	pthread_mutex_lock(&chores->lock);
	while (chores->first == NULL && !chores->stop && timed_out == 0) {
		if (chores->seconds == 0)
			pthread_cond_wait(&chores->something, &chores->lock);
		else
			timed_out = pthread_cond_timedwait(&chores->something,
			    &chores->lock, until);
	}
	chore = chores->first;
	if (chore != NULL) {
		chores->first = chore->next;
		if (chores->first == NULL)
			chores->last = &chores->first;
	}
	pthread_mutex_unlock(&chores->lock);
	return chore;
}

static bool
is_over(struct batfs_chores *chores)
{
	bool over;

	pthread_mutex_lock(&chores->lock);
	over = chores->stop && chores->first == NULL;
	pthread_mutex_unlock(&chores->lock);
	return over;
}

static void
set_timer(const struct batfs_chores *chores, struct timespec *until)
{
	clock_gettime(CLOCK_MONOTONIC, until);
	until->tv_sec += (time_t)chores->seconds;
}

static void *
work(void *argument)
{
	struct batfs_chores *chores = argument;
	struct timespec until;

	set_timer(chores, &until);
	while (!is_over(chores)) {
		struct batfs_chore *chore = next_chore(chores, &until);

		if (chore != NULL) {
			chore->run(chore->context);
		} else if (!is_over(chores)) {
			chores->tick(chores->context);
			set_timer(chores, &until);
		}
	}
	return NULL;
}

int
batfs_chores_start(uint64_t seconds, void (*tick)(void *context), void *context,
    struct batfs_chores **out)
{
	struct batfs_chores *chores = calloc(1, sizeof *chores);
	pthread_condattr_t attributes;
	int result;

	if (chores == NULL)
		return BAT_WORLD_NO_MEMORY;
	chores->seconds = seconds;
	chores->tick = tick;
	chores->context = context;
	chores->last = &chores->first;
	pthread_mutex_init(&chores->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&chores->something, &attributes);
	pthread_condattr_destroy(&attributes);
	result = batfs_thread_start(&chores->thread, work, chores,
	    "batfs-chores");
	if (result != 0) {
		pthread_cond_destroy(&chores->something);
		pthread_mutex_destroy(&chores->lock);
		free(chores);
		return result;
	}
	*out = chores;
	return 0;
}

void
batfs_chores_add(struct batfs_chores *chores, struct batfs_chore *chore)
{
	chore->next = NULL;
	pthread_mutex_lock(&chores->lock);
	*chores->last = chore;
	chores->last = &chore->next;
	pthread_cond_signal(&chores->something);
	pthread_mutex_unlock(&chores->lock);
}

void
batfs_chores_stop(struct batfs_chores *chores)
{
	if (chores == NULL)
		return;
	pthread_mutex_lock(&chores->lock);
	chores->stop = true;
	pthread_cond_signal(&chores->something);
	pthread_mutex_unlock(&chores->lock);
	pthread_join(chores->thread, NULL);
	pthread_cond_destroy(&chores->something);
	pthread_mutex_destroy(&chores->lock);
	free(chores);
}
