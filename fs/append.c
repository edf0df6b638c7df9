#include "append.h"

#include <errno.h>
#include <stdlib.h>

#include "answers.h"
#include "errmap.h"
#include "rehearse.h"
#include "stamp.h"

/* Where the op in work stands; each stage ends by naming the next one. */
enum stage {
	STAGE_TAKE,   /* bytes to drafts */
	STAGE_COMMIT, /* drafts to the store; may park */
	STAGE_SETTLE, /* what was committed, and what to answer */
	STAGE_SYNC,   /* may park */
	STAGE_ANSWER,
};

/*
 * Who works on the op. A stage that hands it to another thread may be answered
 * at once, before it returns (a stopped store), or a year later. STARTING and
 * EARLY tell these apart, so that nothing calls itself and the handle is never
 * touched by a thread that gave it away.
 */
enum worker { WORKER_HERE, WORKER_STARTING, WORKER_EARLY, WORKER_AWAY };

struct batfs_append {
	struct batfs_append_world *world;
	struct batfs_node node;
	uint32_t uid; /* who opened it */
	/* Whoever works on the op owns these: */
	struct batfs_append_op *op;
	enum stage stage;
	struct batfs_intake *intake;
	size_t kept; /* bytes that count to the share of uid */
	struct batfs_stamp_writer writer; /* of the last WRITE */
	struct bat_batch batch;
	struct bat_receipt *receipts;
	size_t receipt_capacity;
	int denied; /* why the draft behind the batch was not admitted */
	struct bat_error denial;
	struct batfs_chore chore;
	ssize_t result;
	/* Under the lock: */
	pthread_mutex_t lock;
	enum worker worker;
	bool busy;
	struct batfs_append_op *first, **last;
	struct batfs_answers answers; /* with a lock of its own */
};

static void work(struct batfs_append *append);

void
batfs_append_world_init(struct batfs_append_world *world)
{
	pthread_mutex_init(&world->lock, NULL);
	pthread_cond_init(&world->idle, NULL);
	world->busy = 0;
}

void
batfs_append_world_destroy(struct batfs_append_world *world)
{
	pthread_cond_destroy(&world->idle);
	pthread_mutex_destroy(&world->lock);
}

static void
count_busy(struct batfs_append_world *world, bool more)
{
	pthread_mutex_lock(&world->lock);
	world->busy = more ? world->busy + 1 : world->busy - 1;
	if (world->busy == 0)
		pthread_cond_broadcast(&world->idle);
	pthread_mutex_unlock(&world->lock);
}

void
batfs_append_drain(struct batfs_append_world *world)
{
	pthread_mutex_lock(&world->lock);
	while (world->busy > 0)
		pthread_cond_wait(&world->idle, &world->lock);
	pthread_mutex_unlock(&world->lock);
}

int
batfs_append_open(struct batfs_append_world *world,
    const struct batfs_node *node, uint32_t uid, struct batfs_append **out)
{
	struct batfs_append *append = calloc(1, sizeof *append);
	struct batfs_intake_place place;
	struct batfs_intake_resolver resolver;
	int result;

	if (append == NULL)
		return BAT_WORLD_NO_MEMORY;
	result = batfs_tree_place(world->tree, node, &place, &resolver);
	if (result == 0)
		result = batfs_intake_new(&place, &resolver, &append->intake);
	if (result != 0) {
		free(append);
		return result;
	}
	append->world = world;
	append->node = *node;
	append->uid = uid;
	append->last = &append->first;
	pthread_mutex_init(&append->lock, NULL);
	batfs_answers_init(&append->answers);
	*out = append;
	return 0;
}

/* So many bytes are kept for who opened it. */
static bool
keep(struct batfs_append *append, size_t bytes)
{
	if (!batfs_shares_keep(append->world->shares, append->uid, append->kept,
		bytes))
		return false;
	append->kept = bytes;
	return true;
}

static void
free_append(struct batfs_append *append)
{
	(void)keep(append, 0);
	batfs_intake_free(append->intake);
	free(append->receipts);
	batfs_answers_free(&append->answers);
	pthread_mutex_destroy(&append->lock);
	free(append);
}

int
batfs_append_receipts(struct batfs_append *append, size_t size,
    struct bat_buf *buf, struct bat_error *error)
{
	return batfs_answers_read(&append->answers, append->world->store, size,
	    buf, error);
}

/* ---- handing over to another thread and back ------------------------- */

static void
start_away(struct batfs_append *append)
{
	pthread_mutex_lock(&append->lock);
	append->worker = WORKER_STARTING;
	pthread_mutex_unlock(&append->lock);
}

/* Whether the answer is here already. If not, the append is not ours to touch
 * from now on. */
static bool
came_back_early(struct batfs_append *append)
{
	bool early;

	pthread_mutex_lock(&append->lock);
	early = append->worker == WORKER_EARLY;
	append->worker = early ? WORKER_HERE : WORKER_AWAY;
	pthread_mutex_unlock(&append->lock);
	return early;
}

/* The other thread is done with its part. */
static void
come_back(struct batfs_append *append)
{
	bool starting;

	pthread_mutex_lock(&append->lock);
	starting = append->worker == WORKER_STARTING;
	append->worker = starting ? WORKER_EARLY : WORKER_HERE;
	pthread_mutex_unlock(&append->lock);
	if (!starting)
		work(append);
}

/* ---- the stages ------------------------------------------------------ */

static void
answer(struct batfs_append *append, ssize_t result)
{
	append->result = result;
	append->stage = STAGE_ANSWER;
}

/* What is left of a line when its handle is released is of who wrote last. */
static int
stamp(struct batfs_append *append)
{
	struct bat_buf text = BAT_BUF_EMPTY;
	int result = batfs_stamp_put(&append->writer, &text);

	if (result == 0)
		result = batfs_intake_stamp(append->intake,
		    bat_bytes_of_buf(&text));
	bat_bytes_free(&text);
	return result;
}

static void
stage_take(struct batfs_append *append)
{
	struct batfs_append_op *op = append->op;
	size_t pending = batfs_intake_pending(append->intake);
	int result = 0;

	append->stage = STAGE_COMMIT;
	switch (op->kind) {
	case BATFS_APPEND_WRITE:
		if (!keep(append, pending + op->bytes.length)) {
			answer(append, -EDQUOT);
			return;
		}
		append->writer = (struct batfs_stamp_writer){
			.uid = op->uid,
			.gid = op->gid,
			.pid = op->pid,
		};
		if (append->world->stamp)
			result = stamp(append);
		if (result == 0)
			result = batfs_intake_feed(append->intake, op->bytes);
		break;
	case BATFS_APPEND_FLUSH:
		if (pending == 0 || op->pid == 0 ||
		    (op->pid != append->writer.pid && !BAT_PLANT(77))) {
			answer(append, 0);
			return;
		}
		result = batfs_intake_finish(append->intake, true);
		break;
	case BATFS_APPEND_SYNC:
		answer(append, 0);
		if (append->world->sync_apart)
			append->stage = STAGE_SYNC;
		return;
	case BATFS_APPEND_RELEASE:
		if (pending == 0) {
			answer(append, 0);
			return;
		}
		result = batfs_intake_finish(append->intake, false);
		break;
	}
	if (result != 0)
		answer(append, -batfs_errmap_errno(result, NULL));
}

/* Called by the committer. */
static void
batch_done(void *context, struct bat_batch *batch)
{
	(void)batch;
	come_back(context);
}

static int
reserve_receipts(struct batfs_append *append, size_t count)
{
	struct bat_receipt *receipts;

	if (count <= append->receipt_capacity)
		return 0;
	receipts = reallocarray(append->receipts, count, sizeof *receipts);
	if (receipts == NULL)
		return bat_error_set(&append->denial, BAT_WORLD_NO_MEMORY,
		    "%zu receipts", count);
	append->receipts = receipts;
	append->receipt_capacity = count;
	return 0;
}

/* Returns false when the committer has it. */
static bool
stage_commit(struct batfs_append *append)
{
	struct batfs_append_world *world = append->world;
	size_t count, admitted;
	const struct bat_draft *drafts = batfs_intake_drafts(append->intake,
	    &count);

	append->stage = STAGE_SETTLE;
	append->denied = 0;
	append->denial = (struct bat_error){ .code = 0 };
	admitted = count == 0 ?
	    0 :
	    batfs_tree_admit(world->tree, drafts, count, &append->denial);
	if (admitted < count)
		append->denied = append->denial.code != 0 ?
		    append->denial.code :
		    BAT_STATE_DENIED;
	if (admitted > 0 && reserve_receipts(append, admitted) != 0) {
		append->denied = BAT_WORLD_NO_MEMORY;
		admitted = 0;
	}
	append->batch = (struct bat_batch){
		.drafts = drafts,
		.count = admitted,
		.done = batch_done,
		.context = append,
		.about = &append->writer,
		.receipts = append->receipts,
	};
	if (admitted == 0)
		return true;
	if (append->node.class == BATFS_CTL_TRY) {
		batfs_rehearse(world->store, &append->batch);
		return true;
	}
	start_away(append);
	if (world->lead_here)
		bat_submit_here(world->store, &append->batch);
	else
		bat_submit(world->store, &append->batch);
	return came_back_early(append);
}

static void
record_reject(struct batfs_append *append,
    const struct batfs_intake_reject *reject)
{
	struct batfs_tree *tree = append->world->tree;
	struct bat_buf path = BAT_BUF_EMPTY;

	batfs_stats_add(batfs_tree_stats(tree), BATFS_STAT_REJECTED, 1);
	if (batfs_tree_path(tree, &append->node, &path) == 0 &&
	    bat_bytes_append_byte(&path, '\0') == 0)
		batfs_rejects_add(batfs_tree_rejects(tree),
		    bat_clock_wall_us(bat_clock_system()), append->op->pid,
		    append->op->uid, (const char *)path.data,
		    batfs_errmap_errno(reject->code, &reject->error), reject);
	bat_bytes_free(&path);
}

static void
note_committed(struct batfs_append *append)
{
	struct batfs_append_world *world = append->world;
	struct batfs_stats *stats = batfs_tree_stats(world->tree);

	batfs_stats_add(stats, BATFS_STAT_APPENDED, append->batch.committed);
	batfs_stats_add(stats, BATFS_STAT_BATCHES, 1);
	if (append->node.class == BATFS_CTL_APPEND)
		batfs_answers_keep(&append->answers, append->receipts,
		    append->batch.committed);
	world->committed(world->context);
}

static void
stage_settle(struct batfs_append *append)
{
	struct batfs_append_op *op = append->op;
	const struct bat_batch *batch = &append->batch;
	bool all = batch->code == 0;
	const struct bat_error *error = all ? &append->denial : &batch->error;
	struct batfs_intake_reject reject = { .any = false };
	int code = 0;
	size_t taken = batfs_intake_settle(append->intake, batch->committed,
	    all ? append->denied : batch->code, error, append->receipts, &code,
	    &reject);

	if (reject.any) {
		record_reject(append, &reject);
		error = &reject.error;
	}
	if (batch->committed > 0 && append->node.class != BATFS_CTL_TRY)
		note_committed(append);
	if (op->kind == BATFS_APPEND_WRITE && (taken > 0 || code == 0)) {
		batfs_stats_add(batfs_tree_stats(append->world->tree),
		    BATFS_STAT_WRITE_BYTES, taken);
		answer(append, (ssize_t)taken);
	} else {
		answer(append, -batfs_errmap_errno(code, error));
	}
	if (op->durable && append->world->sync_apart && batch->committed > 0)
		append->stage = STAGE_SYNC;
}

/* On the thread for chores. */
static void
sync_store(void *context)
{
	struct batfs_append *append = context;
	struct bat_error error = { .code = 0 };
	int result = bat_sync(append->world->store, &error);

	if (result != 0)
		append->result = -batfs_errmap_errno(result, &error);
	come_back(append);
}

static bool
stage_sync(struct batfs_append *append)
{
	append->stage = STAGE_ANSWER;
	append->chore = (struct batfs_chore){
		.run = sync_store,
		.context = append,
	};
	start_away(append);
	batfs_chores_add(append->world->chores, &append->chore);
	return came_back_early(append);
}

/* ---- the queue ------------------------------------------------------- */

/* Take the next op into work; false: there is none, somebody else may start
 * the next one. */
static bool
next_op(struct batfs_append *append)
{
	bool any;

	pthread_mutex_lock(&append->lock);
	any = append->first != NULL;
	append->op = append->first;
	append->stage = STAGE_TAKE;
	if (any) {
		append->first = append->op->next;
		if (append->first == NULL)
			append->last = &append->first;
	} else {
		append->busy = false;
	}
	pthread_mutex_unlock(&append->lock);
	return any;
}

/* Returns false when there is nothing more for this thread to do. */
static bool
finish_op(struct batfs_append *append)
{
	struct batfs_append_world *world = append->world;
	struct batfs_append_op *op = append->op;
	ssize_t result = append->result;
	bool last = op->kind == BATFS_APPEND_RELEASE;

	if (last)
		free_append(append);
	else
		(void)keep(append, batfs_intake_pending(append->intake));
	op->done(op, result);
	if (!last && next_op(append))
		return true;
	count_busy(world, false);
	return false;
}

static void
work(struct batfs_append *append)
{
	bool here = true;

	while (here) {
		switch (append->stage) {
		case STAGE_TAKE:
			stage_take(append);
			break;
		case STAGE_COMMIT:
			here = stage_commit(append);
			break;
		case STAGE_SETTLE:
			stage_settle(append);
			break;
		case STAGE_SYNC:
			here = stage_sync(append);
			break;
		case STAGE_ANSWER:
			here = finish_op(append);
			break;
		}
	}
}

void
batfs_append_submit(struct batfs_append *append, struct batfs_append_op *op)
{
	bool mine;

	op->next = NULL;
	pthread_mutex_lock(&append->lock);
	*append->last = op;
	append->last = &op->next;
	mine = !append->busy;
	append->busy = true;
	pthread_mutex_unlock(&append->lock);
	if (!mine)
		return;
	count_busy(append->world, true);
	if (next_op(append))
		work(append);
}

size_t
batfs_append_abandon(struct batfs_append *append)
{
	size_t pending = batfs_intake_pending(append->intake);

	free_append(append);
	return pending;
}
