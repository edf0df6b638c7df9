#include "runner.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "thread.h"

struct batfs_runner {
	struct bat_store *store;
	atomic_bool stop;
	pthread_t thread;
};

static void *
run(void *argument)
{
	struct batfs_runner *runner = argument;

	while (!atomic_load(&runner->stop))
		(void)bat_lay_runway(runner->store, true);
	return NULL;
}

int
batfs_runner_start(struct bat_store *store, struct batfs_runner **out)
{
	struct batfs_runner *runner = calloc(1, sizeof *runner);
	int result;

	if (runner == NULL)
		return BAT_WORLD_NO_MEMORY;
	runner->store = store;
	atomic_init(&runner->stop, false);
	result = batfs_thread_start(&runner->thread, run, runner,
	    "batfs-ahead");
	if (result != 0) {
		free(runner);
		return result;
	}
	*out = runner;
	return 0;
}

void
batfs_runner_stop(struct batfs_runner *runner)
{
	if (runner == NULL)
		return;
	atomic_store(&runner->stop, true);
	/* It stands until the next wait, which ends at once. */
	bat_wake_runway(runner->store);
	pthread_join(runner->thread, NULL);
	free(runner);
}
