#include "rig_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "neighbour.h"

enum { GROUP_MAX = 4, BATCH_MAX = 5, TRIES_AFTER = 3 };

struct life {
	const struct rig_life_plan *plan;
	const struct rig_notes *notes;
	struct bat_options options;
	struct bat_store *store;
	uint64_t random;
	uint64_t next;			 /* number of the next event */
	struct rig_neighbour *neighbour; /* NULL: none */
	struct bat_buf payloads[GROUP_MAX * BATCH_MAX];
};

static uint64_t
between(struct life *life, uint64_t low, uint64_t high)
{
	return rig_plan_between(&life->random, low, high);
}

/* ---- a group --------------------------------------------------------- */

struct group {
	size_t count;
	struct bat_batch batches[GROUP_MAX];
	struct bat_draft drafts[GROUP_MAX][BATCH_MAX];
	struct bat_receipt receipts[GROUP_MAX][BATCH_MAX];
	size_t done;
};

static void
on_done(void *context, struct bat_batch *batch)
{
	struct group *group = context;

	(void)batch;
	group->done++;
}

static void
group_fill(struct life *life, struct group *group, size_t count, size_t most)
{
	uint64_t number = life->next;

	*group = (struct group){ .count = count };
	for (size_t i = 0; i < count; i++) {
		struct rig_event event = { number, number,
			between(life, 1, most) };

		group->batches[i] = (struct bat_batch){
			.drafts = group->drafts[i],
			.count = event.count,
			.receipts = group->receipts[i],
			.done = on_done,
			.context = group,
		};
		for (size_t k = 0; k < event.count; k++, event.number++)
			rig_plan_draft(life->plan->seed, &event,
			    &life->payloads[i * BATCH_MAX + k],
			    &group->drafts[i][k]);
		number = event.number;
	}
	rig_note(life->notes, "offer %lu", number);
}

/* Answered well: acknowledged, or at least to be seen. */
static void
answered(struct life *life, const struct bat_batch *batch)
{
	life->next += batch->count;
	if (life->options.durability == BAT_DURABLE_EACH || life->plan->lie)
		rig_note(life->notes, "ack %lu", life->next);
}

/* How it was answered. The batches are stored up to the first that failed; the
 * numbers of those that were not are given again. */
static int
group_run(struct life *life, struct group *group)
{
	int status = RIG_RIGHT;

	for (size_t i = 0; i < group->count; i++)
		bat_submit(life->store, &group->batches[i]);
	while (group->done < group->count)
		bat_commit_run(life->store, false);
	for (size_t i = 0; i < group->count; i++) {
		struct bat_batch *batch = &group->batches[i];

		if (batch->code != 0) {
			rig_note(life->notes, "failed append: %s",
			    batch->error.text);
			status = RIG_DISK_FAILED;
		} else if (status == RIG_DISK_FAILED) {
			return rig_wrong("a batch was acknowledged behind one "
					 "that failed");
		} else {
			answered(life, batch);
		}
	}
	return status;
}

/* Others may write in the meantime, and the kernel on its own account. */
static void
pause_it(struct life *life, uint64_t most_us)
{
	const struct timespec time = { 0,
		(long)between(life, 0, most_us) * 1000 };

	nanosleep(&time, NULL);
}

static int
append(struct life *life, size_t batches, size_t most)
{
	struct group group;

	/* What was not synced waits for the neighbour's syncs. */
	if (life->neighbour != NULL)
		pause_it(life, 1500);
	group_fill(life, &group, batches, most);
	return group_run(life, &group);
}

/* ---- the other steps ------------------------------------------------- */

static int
sync_it(struct life *life)
{
	struct bat_error error;

	if (bat_sync(life->store, &error) != 0) {
		rig_note(life->notes, "failed sync: %s", error.text);
		return RIG_DISK_FAILED;
	}
	rig_note(life->notes, "ack %lu", life->next);
	return RIG_RIGHT;
}

/* An index file that could not be written is no disaster. */
static int
write_index(struct life *life)
{
	struct bat_error error;

	if (bat_checkpoint(life->store, &error) != 0)
		rig_note(life->notes, "failed checkpoint: %s", error.text);
	return RIG_RIGHT;
}

static int
open_it(struct life *life)
{
	struct bat_error error;

	if (bat_open(life->plan->path, &life->options, &life->store, &error) ==
	    0)
		return RIG_RIGHT;
	life->store = NULL;
	rig_note(life->notes, "failed open: %s", error.text);
	return RIG_DISK_FAILED;
}

static int
close_it(struct life *life)
{
	struct bat_error error;
	struct bat_store *store = life->store;

	if (store == NULL)
		return RIG_RIGHT;
	life->store = NULL;
	if (bat_close(store, &error) != 0) {
		rig_note(life->notes, "failed close: %s", error.text);
		return RIG_DISK_FAILED;
	}
	rig_note(life->notes, "ack %lu", life->next);
	return RIG_RIGHT;
}

static int
reopen(struct life *life)
{
	int status = close_it(life);

	return status == RIG_RIGHT ? open_it(life) : status;
}

static int
rest(struct life *life)
{
	const struct timespec time = { 2, 100000000 };

	nanosleep(&time, NULL);
	return reopen(life);
}

static int
step(struct life *life)
{
	uint64_t what = between(life, 0, 99);

	if (what < 35)
		return append(life, 1, 1);
	if (what < 55)
		return append(life, 1, BATCH_MAX);
	if (what < 72)
		return append(life, (size_t)between(life, 2, GROUP_MAX), 3);
	if (what < 78)
		return sync_it(life);
	if (what < 83)
		return write_index(life);
	if (what < 94) {
		pause_it(life, 5000);
		return RIG_RIGHT;
	}
	return reopen(life);
}

/* ---- the whole ------------------------------------------------------- */

/* A writer that has stopped acknowledges nothing more. One that has not may
 * go on. */
static int
after_failure(struct life *life)
{
	struct bat_status status;

	if (life->store == NULL)
		return RIG_DISK_FAILED;
	bat_status(life->store, &status);
	for (int i = 0; i < TRIES_AFTER; i++) {
		int code = i == 1 ? sync_it(life) : append(life, 1, 1);

		if (code == RIG_WRONG)
			return code;
		if (code == RIG_RIGHT && status.stopped)
			return rig_wrong("acknowledged after the writer "
					 "stopped: %s",
			    status.writer_text);
		bat_status(life->store, &status);
	}
	return status.stopped ? RIG_DISK_FAILED : RIG_RIGHT;
}

static void
choose_options(struct life *life)
{
	static const uint64_t sizes[] = { 3000, 12000, 40000, 0 };
	static const enum bat_index_choice indexes[] = { BAT_INDEX_AUTO,
		BAT_INDEX_CKPT, BAT_INDEX_FBATI, BAT_INDEX_NONE };

	life->options = BAT_OPTIONS_DEFAULT;
	life->options.segment_max_bytes = sizes[between(life, 0, 3)];
	life->options.index = indexes[between(life, 0, 3)];
	if (between(life, 0, 3) != 0 || life->plan->lie)
		life->options.durability = BAT_DURABLE_FSYNC;
}

static int
run(struct life *life)
{
	int status = open_it(life);
	int end;

	for (unsigned i = 0; i < life->plan->steps; i++) {
		if (status == RIG_DISK_FAILED)
			status = after_failure(life);
		if (status != RIG_RIGHT)
			break;
		if (life->plan->slow && i == life->plan->steps / 2)
			status = rest(life);
		else
			status = step(life);
	}
	if (status == RIG_RIGHT && life->plan->slow)
		status = rest(life);
	end = close_it(life);
	return status == RIG_RIGHT ? end : status;
}

int
rig_life(const struct rig_life_plan *plan, const struct rig_notes *notes)
{
	struct life *life = calloc(1, sizeof(*life));
	int status;

	if (life == NULL)
		abort();
	life->plan = plan;
	life->notes = notes;
	life->random = plan->seed;
	choose_options(life);
	if (between(life, 0, 3) != 0)
		life->neighbour = rig_neighbour_begin(plan->path, plan->seed);
	printf("life: segments of %lu, index %d, %s%s\n",
	    life->options.segment_max_bytes, (int)life->options.index,
	    life->options.durability == BAT_DURABLE_EACH ? "each" : "sync",
	    life->neighbour == NULL ? "" : ", a neighbour");
	status = run(life);
	rig_neighbour_end(life->neighbour);
	for (size_t i = 0; i < GROUP_MAX * BATCH_MAX; i++)
		bat_bytes_free(&life->payloads[i]);
	printf("%lu events, status %d\n", life->next, status);
	free(life);
	return status;
}
