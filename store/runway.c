#include "runway.h"

#include <errno.h>
#include <stdlib.h>

/* Who appends waits for no more than this. */
#define PIECE ((size_t)64 << 10)

int
bat_runway_init(struct bat_runway *runway, const struct bat_disk *disk,
    uint64_t step)
{
	*runway = (struct bat_runway){ .disk = disk, .step = step, .fd = -1 };
	if (pthread_mutex_init(&runway->mutex, NULL) != 0 ||
	    pthread_cond_init(&runway->due, NULL) != 0)
		return BAT_WORLD_NO_MEMORY;
	if (step == 0)
		return BAT_OK;
	runway->filler = malloc(PIECE);
	if (runway->filler == NULL)
		return BAT_WORLD_NO_MEMORY;
	memset(runway->filler, 0xff, PIECE);
	return BAT_OK;
}

void
bat_runway_free(struct bat_runway *runway)
{
	free(runway->filler);
	pthread_cond_destroy(&runway->due);
	pthread_mutex_destroy(&runway->mutex);
}

void
bat_runway_begin(struct bat_runway *runway, int fd, uint64_t size,
    uint64_t limit)
{
	pthread_mutex_lock(&runway->mutex);
	runway->fd = runway->step > 0 ? fd : -1;
	runway->limit = limit;
	runway->laid = false;
	runway->end = size;
	runway->claimed = size;
	pthread_cond_signal(&runway->due);
	pthread_mutex_unlock(&runway->mutex);
}

/* Where it should reach: the end of the step in which the middle of the next
 * one lies. */
static uint64_t
goal(const struct bat_runway *runway)
{
	uint64_t step = runway->step;
	uint64_t wanted = runway->claimed + step / 2;

	wanted = (wanted + step - 1) / step * step;
	return wanted < runway->limit ? wanted : runway->limit;
}

void
bat_runway_claim(struct bat_runway *runway, uint64_t end)
{
	if (runway->step == 0)
		return;
	if (end > runway->end || BAT_PLANT(220)) {
		/* A piece is being laid there, or nothing is yet. */
		pthread_mutex_lock(&runway->mutex);
		runway->claimed = end;
		if (end > runway->end && !BAT_PLANT(220))
			runway->end = end;
		pthread_mutex_unlock(&runway->mutex);
	} else {
		runway->claimed = end;
	}
	/* Who is about to wait may miss it, and hears of the next claim. */
	if (runway->end < goal(runway))
		pthread_cond_signal(&runway->due);
}

bool
bat_runway_end(struct bat_runway *runway)
{
	bool laid;

	pthread_mutex_lock(&runway->mutex);
	laid = runway->laid;
	runway->fd = -1;
	runway->laid = false;
	pthread_mutex_unlock(&runway->mutex);
	return laid;
}

static bool
is_due(const struct bat_runway *runway)
{
	return runway->fd >= 0 && runway->end < goal(runway);
}

/* One piece; the mutex is held, so nobody claims what is written here. */
static size_t
lay_piece(struct bat_runway *runway)
{
	const struct bat_disk *disk = runway->disk;
	uint64_t left = goal(runway) - runway->end;
	size_t length = left < PIECE ? (size_t)left : PIECE, done = 0;
	ssize_t result = 0;

	runway->laid = true;
	while (done < length) {
		result = disk->write_at(disk->context, runway->fd,
		    runway->filler, length - done, runway->end + done);
		if (result <= 0 && result != -EINTR)
			break;
		done += result > 0 ? (size_t)result : 0;
	}
	if (done == length) {
		runway->end += length;
		return length;
	}
	/* The last bytes of a disk are for frames. */
	(void)disk->truncate(disk->context, runway->fd, runway->end);
	runway->fd = -1;
	return 0;
}

uint64_t
bat_runway_lay(struct bat_runway *runway, bool wait)
{
	uint64_t laid = 0;

	pthread_mutex_lock(&runway->mutex);
	while (wait && !runway->woken && !is_due(runway))
		pthread_cond_wait(&runway->due, &runway->mutex);
	runway->woken = false;
	while (is_due(runway)) {
		laid += lay_piece(runway);
		/* Who claims goes first. */
		pthread_mutex_unlock(&runway->mutex);
		pthread_mutex_lock(&runway->mutex);
	}
	pthread_mutex_unlock(&runway->mutex);
	return laid;
}

void
bat_runway_wake(struct bat_runway *runway)
{
	pthread_mutex_lock(&runway->mutex);
	runway->woken = true;
	pthread_cond_broadcast(&runway->due);
	pthread_mutex_unlock(&runway->mutex);
}
