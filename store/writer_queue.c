/*
 * Who waits, who leads, and how many make a group.
 *
 * A group of callers that wait (bat_append) is led by the one that completes
 * it: it is running, the others sleep, each on a semaphore of its own. The
 * first of them watches the clock meanwhile, and leads those who are there if
 * the rest does not come; who ends a group finds it a follower. (As long as the
 * first one led and all slept on one condition, a group of eight had twenty
 * calls of the futex and 23 changes of threads, and waited for two wakes in a
 * row before it was written.)
 */
#include "writer_internal.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>

/* A caller that waits; on its stack. */
struct bat_writer_waiter {
	sem_t posted;
	/* By who appoints it and by who answers it, one after the other. */
	unsigned posts;
	bool queued; /* its batch is; guarded by queue_mutex */
	atomic_bool answered;
};

/* queue_mutex is held. */
static void
put_into_queue(struct bat_writer *writer, struct bat_batch *batch)
{
	batch->next = NULL;
	batch->committed = 0;
	batch->code = BAT_OK;
	memset(&batch->error, 0, sizeof(batch->error));
	if (writer->queue_first == NULL)
		writer->queue_first = batch;
	else
		writer->queue_last->next = batch;
	writer->queue_last = batch;
	writer->queue_count++;
}

/* A group that is being gathered is not disturbed before all are here whom it
 * waits for: eight writers on two processors had its leader woken seven times.
 * queue_mutex is held. */
static void
tell_queued(struct bat_writer *writer)
{
	if (writer->idle > 0 || writer->queue_count >= writer->expected)
		pthread_cond_broadcast(&writer->queued);
}

void
bat_writer_submit(struct bat_writer *writer, struct bat_batch *batch)
{
	pthread_mutex_lock(&writer->queue_mutex);
	put_into_queue(writer, batch);
	tell_queued(writer);
	pthread_mutex_unlock(&writer->queue_mutex);
}

bool
bat_writer_submit_alone(struct bat_writer *writer, struct bat_batch *batch)
{
	bool alone;

	pthread_mutex_lock(&writer->queue_mutex);
	alone = !writer->leading && writer->queue_first == NULL &&
	    writer->expected <= 1;
	put_into_queue(writer, batch);
	if (alone)
		writer->leading = true;
	else
		tell_queued(writer);
	pthread_mutex_unlock(&writer->queue_mutex);
	return alone;
}

void
bat_writer_wake(struct bat_writer *writer)
{
	pthread_mutex_lock(&writer->queue_mutex);
	writer->woken = true;
	pthread_cond_broadcast(&writer->queued);
	pthread_mutex_unlock(&writer->queue_mutex);
}

/* No later than this, a group that is not complete is led. */
static struct timespec
end_of_gathering(const struct bat_writer *writer)
{
	int64_t until_ns = bat_clock_monotonic_ns(bat_clock_system()) +
	    writer->last_ns / 2;

	return (struct timespec){
		.tv_sec = (time_t)(until_ns / 1000000000),
		.tv_nsec = (long)(until_ns % 1000000000),
	};
}

/* queue_mutex is held. */
static bool
is_complete(const struct bat_writer *writer)
{
	return writer->options->durability != BAT_DURABLE_EACH ||
	    writer->queue_count >= writer->expected;
}

/*
 * Something is queued; queue_mutex is held. Those whom the last group answered
 * are about to come again, if they are writers that wait for each answer: a
 * sync for all of them is worth a moment of waiting, and no more than half of
 * what the last group took. (With a quarter one group in ten of eight writers
 * on two processors was led in two halves; the second one waits for two syncs.)
 * Who writes alone never waits, and who went away is waited for once.
 */
static void
gather(struct bat_writer *writer)
{
	struct timespec until;

	if (is_complete(writer))
		return;
	until = end_of_gathering(writer);
	while (!is_complete(writer) && !writer->woken &&
	    pthread_cond_clockwait(&writer->queued, &writer->queue_mutex,
		CLOCK_MONOTONIC, &until) == 0)
		;
}

/* ---- callers that wait -------------------------------------------------- */

static void
answer(void *context, struct bat_batch *batch)
{
	struct bat_writer_waiter *waiter = context;

	(void)batch;
	waiter->posts++;
	atomic_store(&waiter->answered, true);
	sem_post(&waiter->posted);
}

static struct bat_writer_waiter *
waiter_of(const struct bat_batch *batch)
{
	return batch->done == answer ? batch->context : NULL;
}

/* What was gathered is being led; queue_mutex is held. */
static void
begin_leading(struct bat_writer *writer)
{
	writer->leading = true;
	writer->gatherer = NULL;
}

/* Nobody leads: one of those who wait is to gather the others; queue_mutex is
 * held. NULL: nobody waits. To be posted when the mutex is free. */
static struct bat_writer_waiter *
appoint(struct bat_writer *writer)
{
	const struct bat_batch *batch = writer->queue_first;
	struct bat_writer_waiter *waiter = NULL;

	for (; batch != NULL && waiter == NULL; batch = batch->next)
		waiter = waiter_of(batch);
	if (waiter == NULL || BAT_PLANT(395))
		return NULL;
	writer->gatherer = waiter;
	waiter->posts++;
	return waiter;
}

enum step { LEAD, GATHER, SLEEP };

/* queue_mutex is held. Who sleeps is answered by who has its batch, or is
 * appointed; and while there are batches of sleepers in the queue and nobody
 * leads, there is one who gathers, whose own batch is among them. */
static enum step
next_step(struct bat_writer *writer, struct bat_writer_waiter *waiter,
    bool late)
{
	if (writer->leading || !waiter->queued)
		return SLEEP;
	if (is_complete(writer) || (late && writer->gatherer == waiter)) {
		begin_leading(writer);
		return LEAD;
	}
	if (writer->gatherer == NULL)
		writer->gatherer = waiter;
	return writer->gatherer == waiter ? GATHER : SLEEP;
}

/* One step of it; false: it was no post that ended the sleep. */
static bool
wait_for_post(struct bat_writer_waiter *waiter, const struct timespec *until,
    bool *late)
{
	int code = until == NULL ?
	    sem_wait(&waiter->posted) :
	    sem_clockwait(&waiter->posted, CLOCK_MONOTONIC, until);

	*late = code != 0 && errno == ETIMEDOUT;
	return code == 0;
}

/* The batch is in the queue; queue_mutex is held, and is not on return. */
static void
wait_for_answer(struct bat_writer *writer, struct bat_writer_waiter *waiter)
{
	unsigned taken = 0; /* of its posts */
	bool late = false;

	do {
		enum step step = next_step(writer, waiter, late);
		struct timespec until = { .tv_sec = 0 };

		if (step == GATHER)
			until = end_of_gathering(writer);
		pthread_mutex_unlock(&writer->queue_mutex);
		if (step == LEAD)
			(void)bat_writer_run(writer, false);
		else
			taken += wait_for_post(waiter,
			    step == GATHER ? &until : NULL, &late);
		if (atomic_load(&waiter->answered))
			break;
		pthread_mutex_lock(&writer->queue_mutex);
	} while (true);
	/* Whoever posts may still be about to. */
	while (taken < waiter->posts)
		taken += wait_for_post(waiter, NULL, &late);
}

void
bat_writer_append(struct bat_writer *writer, struct bat_batch *batch)
{
	struct bat_writer_waiter waiter = { .queued = true };

	sem_init(&waiter.posted, 0, 0);
	batch->done = answer;
	batch->context = &waiter;
	pthread_mutex_lock(&writer->queue_mutex);
	put_into_queue(writer, batch);
	if (writer->idle > 0)
		pthread_cond_broadcast(&writer->queued);
	wait_for_answer(writer, &waiter);
	sem_destroy(&waiter.posted);
}

/* ---- a group ------------------------------------------------------------ */

/* The lead is held. NULL: nothing was queued. */
static struct bat_batch *
take_queue(struct bat_writer *writer, size_t *out_count)
{
	struct bat_batch *batch;

	pthread_mutex_lock(&writer->queue_mutex);
	batch = writer->queue_first;
	*out_count = writer->queue_count;
	writer->queue_first = writer->queue_last = NULL;
	writer->queue_count = 0;
	for (struct bat_batch *each = batch; each != NULL; each = each->next)
		if (waiter_of(each) != NULL)
			waiter_of(each)->queued = false;
	begin_leading(writer);
	pthread_mutex_unlock(&writer->queue_mutex);
	return batch;
}

/* Before anybody is answered: they will come again, beside those who came
 * meanwhile. */
static void
end_leading(struct bat_writer *writer, size_t count, int64_t start_ns)
{
	struct bat_writer_waiter *appointed;

	pthread_mutex_lock(&writer->queue_mutex);
	if (count > 0) {
		writer->expected = writer->queue_count + count;
		writer->last_ns = bat_clock_monotonic_ns(bat_clock_system()) -
		    start_ns;
	}
	/* Who gathers may wait for fewer now. */
	if (writer->queue_count > 0)
		pthread_cond_broadcast(&writer->queued);
	writer->leading = false;
	appointed = appoint(writer);
	pthread_mutex_unlock(&writer->queue_mutex);
	if (appointed != NULL)
		sem_post(&appointed->posted);
}

/* Something is queued, or bat_writer_wake was called. */
static void
wait_for_queue(struct bat_writer *writer)
{
	pthread_mutex_lock(&writer->queue_mutex);
	writer->idle++;
	while (writer->queue_first == NULL && !writer->woken)
		pthread_cond_wait(&writer->queued, &writer->queue_mutex);
	writer->idle--;
	if (writer->queue_first != NULL)
		gather(writer);
	writer->woken = false;
	pthread_mutex_unlock(&writer->queue_mutex);
}

size_t
bat_writer_run(struct bat_writer *writer, bool wait)
{
	struct bat_batch *batch, *answered;
	struct bat_frontier now;
	size_t count;
	int64_t start;

	if (wait)
		wait_for_queue(writer);
	pthread_mutex_lock(&writer->lead);
	batch = take_queue(writer, &count);
	start = bat_clock_monotonic_ns(bat_clock_system());
	if (batch != NULL)
		bat_writer_lead(writer, batch);
	answered = writer->answered;
	writer->answered = NULL;
	now = bat_frontier_now(&writer->frontier);
	end_leading(writer, count, start);
	pthread_mutex_unlock(&writer->lead);
	count = bat_writer_call_back(answered);
	bat_frontier_reach(&writer->frontier, BAT_FRONTIER_EMITTED,
	    now.points[BAT_FRONTIER_VISIBLE]);
	return count;
}
