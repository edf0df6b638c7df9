/* Compaction through the door: tried again when rows and frames differ. */
#include "store_internal.h"

/* An index that lied is dropped; what is made anew comes from the frames. */
#define ATTEMPTS 3

static uint64_t
generation_of(struct bat_store *store)
{
	uint64_t generation;

	do {
		(void)enter(store);
		generation = store->generation;
	} while (!leave(store));
	return generation;
}

static int
look(struct bat_store *store, struct bat_compacted *out,
    struct bat_error *error)
{
	struct bat_compaction job = { .count = 0 };
	int code;

	pthread_mutex_lock(&store->writer.lead);
	job.dir = store->view->dir;
	code = bat_compaction_choose(&job,
	    bat_writer_segment_limit(&store->writer), error);
	*out = (struct bat_compacted){
		.segments = code == BAT_OK ? job.count : 0,
		.full = job.full,
		.bytes_before = job.bytes_before,
		.bytes_after = job.bytes_before,
	};
	(void)bat_compaction_free(&job, NULL);
	pthread_mutex_unlock(&store->writer.lead);
	return code == BAT_END ? BAT_OK : code;
}

void
bat_compact_stop(struct bat_store *store)
{
	store->writer.stop_compacting = true;
}

int
bat_compact(struct bat_store *store, bool only_look, struct bat_compacted *out,
    struct bat_error *error)
{
	int code = BAT_DATA_DISAGREES;

	*out = (struct bat_compacted){ .performed = false };
	if (only_look)
		return look(store, out, error);
	if (store->options.read_only)
		return bat_error_set(error, BAT_USE_READ_ONLY,
		    "the store is open read-only");
	for (unsigned i = 0; code == BAT_DATA_DISAGREES && i < ATTEMPTS; i++) {
		uint64_t generation = generation_of(store);

		code = bat_writer_compact(&store->writer, out, error);
		if (code == BAT_DATA_DISAGREES && i + 1 < ATTEMPTS)
			code = bat_store_rebuild(store, generation, error);
	}
	return code;
}
