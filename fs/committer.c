#include "committer.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "thread.h"

struct batfs_committer {
	struct bat_store *store;
	atomic_bool stop;
	pthread_t thread;
};

static void *
lead(void *argument)
{
	struct batfs_committer *committer = argument;

	while (!atomic_load(&committer->stop))
		bat_commit_run(committer->store, true);
	return NULL;
}

int
batfs_committer_start(struct bat_store *store, struct batfs_committer **out)
{
	struct batfs_committer *committer = calloc(1, sizeof *committer);
	int result;

	if (committer == NULL)
		return BAT_WORLD_NO_MEMORY;
	committer->store = store;
	atomic_init(&committer->stop, false);
	result = batfs_thread_start(&committer->thread, lead, committer,
	    "batfs-commit");
	if (result != 0) {
		free(committer);
		return result;
	}
	*out = committer;
	return 0;
}

void
batfs_committer_stop(struct batfs_committer *committer)
{
	if (committer == NULL)
		return;
	atomic_store(&committer->stop, true);
	/* It may be between its look at `stop` and its wait: a wake that comes
	 * then is nobody's, so it is repeated. */
	do {
		bat_wake(committer->store);
	} while (!batfs_thread_join(committer->thread, 50));
	free(committer);
}
