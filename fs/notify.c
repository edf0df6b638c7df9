#include "notify.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "inode.h"
#include "log.h"
#include "thread.h"

/* How long the end of the mount waits for a notification that is under way. */
#define STOP_MS 2000

struct batfs_notify {
	struct fuse_session *session;
	const struct batfs_mount *mount;
	_Atomic uint64_t generation; /* that the kernel knows */
	_Atomic int64_t promised_ns; /* when a listing last told attributes */
	pthread_mutex_t grown_lock;
	uint32_t told; /* ordinals below are done; under grown_lock */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t something;
	bool poked, stop; /* under the lock */
};

static uint64_t
generation_of(struct bat_store *store)
{
	struct bat_head head;

	bat_head(store, &head);
	return head.generation;
}

static bool
collect_name(void *context, const char *name, const struct batfs_node *node,
    uint64_t cookie)
{
	struct bat_buf *names = context;

	(void)node;
	(void)cookie;
	return bat_bytes_append(names, name, strlen(name) + 1) == 0;
}

/* All names in the root, each with its NUL: first collected, because the tree
 * may hold a lock while it lists. */
static void
forget_tree(struct batfs_notify *notify)
{
	static const char unlisted[] = "at\0log.jsonl\0.ctl\0range\0query";
	struct bat_buf names = BAT_BUF_EMPTY;

	if (bat_bytes_append(&names, unlisted, sizeof unlisted) != 0)
		return;
	batfs_tree_list(notify->mount->tree, &notify->mount->root, 0,
	    collect_name, &names);
	for (size_t at = 0; at < names.length;) {
		const char *name = (const char *)names.data + at;
		size_t length = strlen(name);

		/* -ENOENT: the kernel did not know it. */
		fuse_lowlevel_notify_inval_entry(notify->session,
		    BATFS_INODE_ROOT, name, length);
		at += length + 1;
	}
	bat_bytes_free(&names);
}

static void *
run(void *argument)
{
	struct batfs_notify *notify = argument;

	pthread_mutex_lock(&notify->lock);
	while (!notify->stop) {
		uint64_t generation;

		if (!notify->poked) {
			pthread_cond_wait(&notify->something, &notify->lock);
			continue;
		}
		notify->poked = false;
		pthread_mutex_unlock(&notify->lock);
		generation = generation_of(notify->mount->store);
		if (generation != atomic_load(&notify->generation))
			forget_tree(notify);
		atomic_store(&notify->generation, generation);
		pthread_mutex_lock(&notify->lock);
	}
	pthread_mutex_unlock(&notify->lock);
	return NULL;
}

int
batfs_notify_start(struct fuse_session *session,
    const struct batfs_mount *mount, struct batfs_notify **out)
{
	struct batfs_notify *notify = calloc(1, sizeof *notify);
	int result;

	if (notify == NULL)
		return BAT_WORLD_NO_MEMORY;
	notify->session = session;
	notify->mount = mount;
	atomic_init(&notify->generation, generation_of(mount->store));
	atomic_init(&notify->promised_ns, INT64_MIN / 2);
	pthread_mutex_init(&notify->grown_lock, NULL);
	pthread_mutex_init(&notify->lock, NULL);
	pthread_cond_init(&notify->something, NULL);
	result = batfs_thread_start(&notify->thread, run, notify,
	    "batfs-notify");
	if (result != 0) {
		pthread_cond_destroy(&notify->something);
		pthread_mutex_destroy(&notify->lock);
		pthread_mutex_destroy(&notify->grown_lock);
		free(notify);
		return result;
	}
	*out = notify;
	return 0;
}

void
batfs_notify_check(struct batfs_notify *notify)
{
	if (generation_of(notify->mount->store) ==
	    atomic_load(&notify->generation))
		return;
	pthread_mutex_lock(&notify->lock);
	notify->poked = true;
	pthread_cond_signal(&notify->something);
	pthread_mutex_unlock(&notify->lock);
}

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void
batfs_notify_promise(struct batfs_notify *notify)
{
	atomic_store(&notify->promised_ns, now_ns());
}

/* Twice as long, so that no rounding counts. */
bool
batfs_notify_is_promised(struct batfs_notify *notify)
{
	return now_ns() - atomic_load(&notify->promised_ns) <
	    (int64_t)(2e9 * BATFS_NOTIFY_PROMISE);
}

/* Attributes only: without a range of bytes the kernel takes no lock for it. */
static void
take_back(struct batfs_notify *notify, uint32_t ordinal)
{
	struct batfs_node nodes[2];
	size_t count = batfs_tree_grown(notify->mount->tree, ordinal, nodes);

	for (size_t i = 0; i < count; i++)
		/* -ENOENT: the kernel does not know it. */
		fuse_lowlevel_notify_inval_inode(notify->session,
		    batfs_inode_of(&nodes[i]), -1, 0);
}

void
batfs_notify_grown(struct batfs_notify *notify)
{
	struct bat_head head;

	bat_head(notify->mount->store, &head);
	pthread_mutex_lock(&notify->grown_lock);
	/* What came before a promise is in the sizes that it promised. In a new
	 * generation ordinals begin anew, and all names are forgotten. */
	if (!batfs_notify_is_promised(notify) || notify->told > head.ordinals)
		notify->told = head.ordinals;
	for (; notify->told < head.ordinals; notify->told++)
		take_back(notify, notify->told);
	pthread_mutex_unlock(&notify->grown_lock);
}

void
batfs_notify_look(struct batfs_notify *notify)
{
	const struct batfs_mount *mount = notify->mount;

	if (mount->options->at != NULL || !bat_refresh(mount->store))
		return;
	batfs_notify_grown(notify);
	batfs_notify_check(notify);
}

void
batfs_notify_stop(struct batfs_notify *notify)
{
	if (notify == NULL)
		return;
	pthread_mutex_lock(&notify->lock);
	notify->stop = true;
	pthread_cond_signal(&notify->something);
	pthread_mutex_unlock(&notify->lock);
	/* The kernel may hold it behind a request that nobody answers any
	 * more; the end of the process ends that too. */
	if (!batfs_thread_join(notify->thread, STOP_MS)) {
		batfs_log("a notification hangs in the kernel; going without");
		pthread_detach(notify->thread);
		return;
	}
	pthread_cond_destroy(&notify->something);
	pthread_mutex_destroy(&notify->lock);
	pthread_mutex_destroy(&notify->grown_lock);
	free(notify);
}
