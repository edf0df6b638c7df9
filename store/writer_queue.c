/*
 * Who waits, who leads, and how many make a group.
 */
#include "writer_internal.h"

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

/*
 * Something is queued; queue_mutex is held. Those whom the last group answered
 * are about to come again, if they are writers that wait for each answer: a
 * sync for all of them is worth a moment of waiting, and no more than a
 * quarter of what the last group took. Who writes alone never waits.
 */
static void
gather(struct bat_writer *writer)
{
	int64_t until_ns;
	struct timespec until;

	if (writer->options->durability != BAT_DURABLE_EACH ||
	    writer->queue_count >= writer->expected)
		return;
	until_ns = bat_clock_monotonic_ns(bat_clock_system()) +
	    writer->last_ns / 4;
	until = (struct timespec){
		.tv_sec = (time_t)(until_ns / 1000000000),
		.tv_nsec = (long)(until_ns % 1000000000),
	};
	while (writer->queue_count < writer->expected && !writer->woken &&
	    pthread_cond_clockwait(&writer->queued, &writer->queue_mutex,
		CLOCK_MONOTONIC, &until) == 0)
		;
}

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
	writer->leading = true;
	pthread_mutex_unlock(&writer->queue_mutex);
	return batch;
}

/* Before anybody is answered: they will come again, beside those who came
 * meanwhile. */
static void
expect_again(struct bat_writer *writer, size_t count, int64_t start_ns)
{
	pthread_mutex_lock(&writer->queue_mutex);
	writer->expected = writer->queue_count + count;
	/* Who gathers may wait for fewer now. */
	if (writer->queue_count > 0)
		pthread_cond_broadcast(&writer->queued);
	writer->last_ns = bat_clock_monotonic_ns(bat_clock_system()) - start_ns;
	pthread_mutex_unlock(&writer->queue_mutex);
}

size_t
bat_writer_run(struct bat_writer *writer, bool wait)
{
	struct bat_batch *batch, *answered;
	struct bat_frontier now;
	size_t count;
	int64_t start;

	if (wait) {
		pthread_mutex_lock(&writer->queue_mutex);
		writer->idle++;
		while (writer->queue_first == NULL && !writer->woken)
			pthread_cond_wait(&writer->queued,
			    &writer->queue_mutex);
		writer->idle--;
		if (writer->queue_first != NULL)
			gather(writer);
		writer->woken = false;
		pthread_mutex_unlock(&writer->queue_mutex);
	}
	pthread_mutex_lock(&writer->lead);
	batch = take_queue(writer, &count);
	if (batch != NULL) {
		start = bat_clock_monotonic_ns(bat_clock_system());
		bat_writer_lead(writer, batch);
		expect_again(writer, count, start);
	}
	answered = writer->answered;
	writer->answered = NULL;
	now = bat_frontier_now(&writer->frontier);
	pthread_mutex_unlock(&writer->lead);
	count = bat_writer_call_back(answered);
	bat_frontier_reach(&writer->frontier, BAT_FRONTIER_EMITTED,
	    now.points[BAT_FRONTIER_VISIBLE]);
	pthread_mutex_lock(&writer->queue_mutex);
	writer->leading = false;
	pthread_cond_broadcast(&writer->led);
	pthread_mutex_unlock(&writer->queue_mutex);
	return count;
}

/*
 * Those who wait while somebody leads are one group next time: who comes
 * straight from a finished group does not lead the next one alone.
 */
void
bat_writer_wait(struct bat_writer *writer, const bool *done)
{
	pthread_mutex_lock(&writer->queue_mutex);
	while (!*done) {
		if (writer->leading || writer->queue_first == NULL) {
			pthread_cond_wait(&writer->led, &writer->queue_mutex);
			continue;
		}
		writer->leading = true;
		gather(writer);
		pthread_mutex_unlock(&writer->queue_mutex);
		(void)bat_writer_run(writer, false);
		pthread_mutex_lock(&writer->queue_mutex);
	}
	pthread_mutex_unlock(&writer->queue_mutex);
}
