#include "waiting.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "notify.h"
#include "reply.h"
#include "thread.h"

/* How often a mount that only reads looks again: nobody tells it what another
 * process appends. While somebody waits, or the kernel keeps sizes; and for
 * what the kernel keeps for ever, and so does not ask for. */
#define LOOK_NS 100000000
#define IDLE_LOOK_NS 1000000000
#define SECOND_NS 1000000000

/* A READ that waits. It is in the list, or one thread works on it. */
struct waiter {
	struct batfs_waiting *waiting;
	fuse_req_t req;
	struct batfs_handle *handle;
	uint64_t offset;
	size_t size;
	/* Under the lock: */
	bool listed, interrupted;
	struct waiter *next, **link;
};

/* A poll(2) that waits; it holds its handle. */
struct poller {
	struct batfs_handle *handle;
	struct fuse_pollhandle *poll_handle;
	struct poller *next;
};

struct batfs_waiting {
	struct batfs_mount *mount;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t something;
	/* Under the lock: */
	uint64_t checks; /* counts calls of check */
	bool stop;
	struct waiter *waiters;
	struct poller *pollers;
};

/* ---- the list, with the lock ------------------------------------------- */

static void
put_waiter(struct batfs_waiting *waiting, struct waiter *waiter)
{
	waiter->listed = true;
	waiter->next = waiting->waiters;
	waiter->link = &waiting->waiters;
	if (waiter->next != NULL)
		waiter->next->link = &waiter->next;
	waiting->waiters = waiter;
}

static void
take_waiter(struct waiter *waiter)
{
	waiter->listed = false;
	*waiter->link = waiter->next;
	if (waiter->next != NULL)
		waiter->next->link = waiter->link;
}

/* ---- answers -------------------------------------------------------------- */

/*
 * The process got a signal. libfuse holds a lock of the request meanwhile. One
 * that is being worked on is only marked: who works on it answers.
 */
static void
interrupt(fuse_req_t req, void *data)
{
	struct waiter *waiter = data;
	struct batfs_waiting *waiting = waiter->waiting;
	bool mine;

	pthread_mutex_lock(&waiting->lock);
	waiter->interrupted = true;
	mine = waiter->listed;
	if (mine)
		take_waiter(waiter);
	pthread_mutex_unlock(&waiting->lock);
	if (!mine)
		return;
	fuse_reply_err(req, EINTR);
	free(waiter);
}

/* Before the reply of one that is worked on: afterwards no interrupt comes,
 * and none is under way. */
static void
end_interrupts(struct waiter *waiter)
{
	fuse_req_interrupt_func(waiter->req, NULL, NULL);
}

static void
answer_error(struct waiter *waiter, int failed)
{
	end_interrupts(waiter);
	fuse_reply_err(waiter->req, failed);
	free(waiter);
}

static void
answer_end(struct waiter *waiter)
{
	end_interrupts(waiter);
	fuse_reply_buf(waiter->req, NULL, 0);
	free(waiter);
}

/* Returns false when there is nothing to answer yet. */
static bool
try_answer(struct batfs_waiting *waiting, struct waiter *waiter)
{
	struct batfs_mount *mount = waiting->mount;
	struct batfs_handle *handle = waiter->handle;
	struct bat_buf scratch = BAT_BUF_EMPTY;
	struct bat_error error = { .code = 0 };
	struct bat_slice bytes;
	int result;

	/* The bytes may be the handle's, and who reads them closes it. */
	batfs_handle_hold(handle);
	result = batfs_handle_take(&mount->handles, handle, &mount->appends,
	    waiter->offset, waiter->size, &scratch, &bytes, &error);
	if (result != BAT_END) {
		batfs_stats_add(batfs_tree_stats(mount->tree),
		    BATFS_STAT_READ_BYTES, bytes.length);
		end_interrupts(waiter);
		if (result != 0)
			batfs_reply_code(waiter->req, result, &error);
		else
			fuse_reply_buf(waiter->req, (const char *)bytes.data,
			    bytes.length);
		free(waiter);
	}
	bat_bytes_free(&scratch);
	batfs_handle_let_go(handle);
	return result != BAT_END;
}

/* Wait, unless there was a check since the number was read: then false. */
static bool
wait_for_check(struct batfs_waiting *waiting, struct waiter *waiter,
    uint64_t checks)
{
	enum { WAITS, AGAIN, INTERRUPTED, OVER } what = WAITS;

	pthread_mutex_lock(&waiting->lock);
	if (waiter->interrupted)
		what = INTERRUPTED;
	else if (waiting->stop)
		what = OVER;
	else if (waiting->checks != checks)
		what = AGAIN;
	else
		put_waiter(waiting, waiter);
	pthread_mutex_unlock(&waiting->lock);
	if (what == INTERRUPTED)
		answer_error(waiter, EINTR);
	else if (what == OVER)
		answer_end(waiter);
	return what != AGAIN;
}

static uint64_t
checks_now(struct batfs_waiting *waiting)
{
	uint64_t checks;

	pthread_mutex_lock(&waiting->lock);
	checks = waiting->checks;
	pthread_mutex_unlock(&waiting->lock);
	return checks;
}

/* Until it is answered or waits. */
static void
work_on(struct batfs_waiting *waiting, struct waiter *waiter)
{
	uint64_t checks;

	do
		checks = checks_now(waiting);
	while (!try_answer(waiting, waiter) &&
	    !wait_for_check(waiting, waiter, checks));
}

/* ---- the thread ------------------------------------------------------------- */

/* All that waited when it was called; who comes later waits for the next
 * check. */
static void
look_at_waiters(struct batfs_waiting *waiting)
{
	struct waiter *all = NULL;

	pthread_mutex_lock(&waiting->lock);
	while (waiting->waiters != NULL) {
		struct waiter *waiter = waiting->waiters;

		take_waiter(waiter);
		waiter->next = all;
		all = waiter;
	}
	pthread_mutex_unlock(&waiting->lock);
	while (all != NULL) {
		struct waiter *waiter = all;

		all = waiter->next;
		work_on(waiting, waiter);
	}
}

static void
free_poller(struct poller *poller)
{
	fuse_pollhandle_destroy(poller->poll_handle);
	batfs_handle_let_go(poller->handle);
	free(poller);
}

static void
put_poller(struct batfs_waiting *waiting, struct poller *poller)
{
	pthread_mutex_lock(&waiting->lock);
	poller->next = waiting->pollers;
	waiting->pollers = poller;
	pthread_mutex_unlock(&waiting->lock);
}

/* Those whose file was closed go, too. */
static void
look_at_pollers(struct batfs_waiting *waiting)
{
	struct poller *all;

	pthread_mutex_lock(&waiting->lock);
	all = waiting->pollers;
	waiting->pollers = NULL;
	pthread_mutex_unlock(&waiting->lock);
	while (all != NULL) {
		struct poller *poller = all;
		bool released = atomic_load(&poller->handle->released);

		all = poller->next;
		if (!released && !batfs_handle_is_ready(poller->handle)) {
			put_poller(waiting, poller);
			continue;
		}
		if (!released)
			fuse_lowlevel_notify_poll(poller->poll_handle);
		free_poller(poller);
	}
}

/* When to look again; with the lock. */
static struct timespec
next_look(const struct batfs_waiting *waiting)
{
	bool often = waiting->waiters != NULL || waiting->pollers != NULL ||
	    batfs_notify_is_promised(waiting->mount->notify);
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += often ? LOOK_NS : IDLE_LOOK_NS;
	until.tv_sec += until.tv_nsec / SECOND_NS;
	until.tv_nsec %= SECOND_NS;
	return until;
}

/* Until there was a check, it is time to look, or it is over; false then. */
static bool
wait_for_something(struct batfs_waiting *waiting, uint64_t *checks)
{
	const struct batfs_options *options = waiting->mount->options;
	bool looks = options->read_only && options->at == NULL;
	struct timespec until;
	int timed_out = 0;
	bool stop;

	pthread_mutex_lock(&waiting->lock);
	until = next_look(waiting);
	while (!waiting->stop && waiting->checks == *checks && timed_out == 0) {
		if (looks)
			timed_out = pthread_cond_timedwait(&waiting->something,
			    &waiting->lock, &until);
		else
			pthread_cond_wait(&waiting->something, &waiting->lock);
	}
	*checks = waiting->checks;
	stop = waiting->stop;
	pthread_mutex_unlock(&waiting->lock);
	return !stop;
}

static void *
run(void *argument)
{
	struct batfs_waiting *waiting = argument;
	uint64_t checks = 0;

	while (wait_for_something(waiting, &checks)) {
		batfs_notify_look(waiting->mount->notify);
		look_at_waiters(waiting);
		look_at_pollers(waiting);
	}
	return NULL;
}

/* ---- the door ------------------------------------------------------------ */

int
batfs_waiting_start(struct batfs_mount *mount, struct batfs_waiting **out)
{
	struct batfs_waiting *waiting = calloc(1, sizeof *waiting);
	pthread_condattr_t attributes;
	int result;

	if (waiting == NULL)
		return BAT_WORLD_NO_MEMORY;
	waiting->mount = mount;
	pthread_mutex_init(&waiting->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&waiting->something, &attributes);
	pthread_condattr_destroy(&attributes);
	result = batfs_thread_start(&waiting->thread, run, waiting,
	    "batfs-waiting");
	if (result != 0) {
		batfs_waiting_free(waiting);
		return result;
	}
	*out = waiting;
	return 0;
}

void
batfs_waiting_check(struct batfs_waiting *waiting)
{
	pthread_mutex_lock(&waiting->lock);
	waiting->checks++;
	/* For nobody the thread need not wake: who comes to wait finds that
	 * there was a check, and so does the thread if it works now. Where it
	 * looks by itself, it may have to look more often. */
	if (waiting->waiters != NULL || waiting->pollers != NULL ||
	    waiting->mount->options->read_only)
		pthread_cond_signal(&waiting->something);
	pthread_mutex_unlock(&waiting->lock);
}

void
batfs_waiting_stop(struct batfs_waiting *waiting)
{
	if (waiting == NULL)
		return;
	pthread_mutex_lock(&waiting->lock);
	waiting->stop = true;
	pthread_cond_signal(&waiting->something);
	pthread_mutex_unlock(&waiting->lock);
	pthread_join(waiting->thread, NULL);
	/* What still waits finds that it is over. */
	look_at_waiters(waiting);
	while (waiting->pollers != NULL) {
		struct poller *poller = waiting->pollers;

		waiting->pollers = poller->next;
		free_poller(poller);
	}
}

void
batfs_waiting_free(struct batfs_waiting *waiting)
{
	if (waiting == NULL)
		return;
	pthread_cond_destroy(&waiting->something);
	pthread_mutex_destroy(&waiting->lock);
	free(waiting);
}

void
batfs_waiting_read(struct batfs_waiting *waiting, fuse_req_t req,
    struct batfs_handle *handle, uint64_t offset, size_t size, bool now)
{
	struct waiter *waiter = malloc(sizeof *waiter);

	if (waiter == NULL) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	*waiter = (struct waiter){
		.waiting = waiting,
		.req = req,
		.handle = handle,
		.offset = offset,
		.size = size,
	};
	if (now) {
		if (!try_answer(waiting, waiter))
			answer_error(waiter, EAGAIN);
		return;
	}
	fuse_req_interrupt_func(req, interrupt, waiter);
	work_on(waiting, waiter);
	/* Looking often begins with the first that waits. */
	if (waiting->mount->options->read_only)
		batfs_waiting_check(waiting);
}

/* Who polls again and again has one poller; the kernel knows the new handle.
 * false: it has none yet. */
static bool
replace_poll(struct batfs_waiting *waiting, const struct batfs_handle *handle,
    struct fuse_pollhandle *poll_handle)
{
	struct fuse_pollhandle *old = NULL;

	pthread_mutex_lock(&waiting->lock);
	for (struct poller *at = waiting->pollers; at != NULL; at = at->next) {
		if (at->handle != handle)
			continue;
		old = at->poll_handle;
		at->poll_handle = poll_handle;
		break;
	}
	pthread_mutex_unlock(&waiting->lock);
	if (old != NULL)
		fuse_pollhandle_destroy(old);
	return old != NULL;
}

bool
batfs_waiting_poll(struct batfs_waiting *waiting, struct batfs_handle *handle,
    struct fuse_pollhandle *poll_handle)
{
	uint64_t checks = checks_now(waiting);
	bool ready = batfs_handle_is_ready(handle);
	struct poller *poller;

	if (poll_handle == NULL)
		return ready;
	if (!replace_poll(waiting, handle, poll_handle)) {
		poller = malloc(sizeof *poller);
		if (poller == NULL) {
			fuse_pollhandle_destroy(poll_handle);
			return ready;
		}
		batfs_handle_hold(handle);
		*poller = (struct poller){ handle, poll_handle, NULL };
		put_poller(waiting, poller);
	}
	/* Something came between the look and the list: the thread is to look
	 * again. */
	if (checks_now(waiting) != checks)
		batfs_waiting_check(waiting);
	return ready;
}
