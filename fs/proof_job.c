/*
 * A verification on a thread of its own: it takes as long as reading the store
 * does, and whoever waits for it must be able to give up.
 */
#include "proof.h"

#include <stdlib.h>

#include "thread.h"

struct batfs_proof_job {
	struct bat_store *store;
	struct bat_buf path, entity; /* path with a NUL */
	void (*done)(void *context);
	void *context;
	pthread_t thread;
	atomic_bool stop, finished;
	/* Of the thread until it has finished: */
	struct bat_buf report;
	struct bat_error error;
	int code;
};

/* A directory from which everything was removed is not in order: what this
 * mount shows was there. */
static int
check_directory(struct batfs_proof_job *job)
{
	struct bat_head head = { .visible_count = 0 };
	uint64_t segments = 0;
	int code;

	if (job->store != NULL)
		bat_head(job->store, &head);
	code = batfs_proof_directory((const char *)job->path.data, true,
	    &job->stop, &segments, &job->report, &job->error);
	if (code != BAT_OK || segments > 0 || head.visible_count == 0)
		return code;
	bat_bytes_clear(&job->report);
	bat_error_set(&job->error, BAT_DATA_CORRUPT,
	    "the segments are no longer in the data directory");
	code = bat_bytes_append_format(&job->report, "broken: %s\n",
	    job->error.text);
	return code == BAT_OK ? BAT_DATA_CORRUPT : code;
}

static void *
work(void *argument)
{
	struct batfs_proof_job *job = argument;

	job->code = job->entity.length > 0 ?
	    batfs_proof_entity(job->store, bat_bytes_of_buf(&job->entity),
		&job->stop, &job->report, &job->error) :
	    check_directory(job);
	atomic_store(&job->finished, true);
	job->done(job->context);
	return NULL;
}

static void
free_job(struct batfs_proof_job *job)
{
	bat_bytes_free(&job->path);
	bat_bytes_free(&job->entity);
	bat_bytes_free(&job->report);
	free(job);
}

int
batfs_proof_start(struct bat_store *store, const char *path,
    struct bat_slice entity, void (*done)(void *context), void *context,
    struct batfs_proof_job **out)
{
	struct batfs_proof_job *job = calloc(1, sizeof *job);
	int code;

	if (job == NULL)
		return BAT_WORLD_NO_MEMORY;
	job->store = store;
	job->done = done;
	job->context = context;
	atomic_init(&job->stop, false);
	atomic_init(&job->finished, false);
	code = bat_bytes_append(&job->path, path, strlen(path) + 1);
	if (code == BAT_OK)
		code = bat_bytes_append_slice(&job->entity, entity);
	if (code == BAT_OK)
		code = batfs_thread_start(&job->thread, work, job,
		    "batfs-proof");
	if (code != BAT_OK) {
		free_job(job);
		return code;
	}
	*out = job;
	return BAT_OK;
}

int
batfs_proof_answer(struct batfs_proof_job *job, struct bat_slice *report,
    struct bat_error *error)
{
	if (!atomic_load(&job->finished))
		return BAT_END;
	*report = bat_bytes_of_buf(&job->report);
	if (error != NULL)
		*error = job->error;
	return job->code;
}

void
batfs_proof_free(struct batfs_proof_job *job)
{
	if (job == NULL)
		return;
	atomic_store(&job->stop, true);
	pthread_join(job->thread, NULL);
	free_job(job);
}
