/*
 * The door: bat.h. Owns the directory, the index and its lock, and the
 * writer; everything else is somebody else's work. Here: its life. What there
 * is to ask stands in the parts: store_head.c, store_read.c, store_find.c,
 * store_lists.c, store_chains.c; to append in store_append.c; what happened in
 * store_status.c; the transparency log in store_tlog.c and store_attest.c.
 */
#include "bat.h"

#include <stdlib.h>

#include "store_internal.h"

/* ---- opening --------------------------------------------------------- */

void
bat_store_view_free(struct view *view)
{
	while (view != NULL) {
		struct view *older = view->older;

		bat_index_free(&view->index);
		bat_recovery_free(&view->recovery);
		bat_segment_dir_close(&view->own_dir);
		free(view);
		view = older;
	}
}

int
bat_store_view_make(struct bat_store *store, bool ignore_indexes,
    struct view **out, struct bat_error *error)
{
	const struct bat_recovery_options options = {
		.ignore_indexes = ignore_indexes,
		.read_only = store->options.read_only,
	};
	struct view *view = calloc(1, sizeof(*view));
	int code = BAT_OK;

	if (view == NULL)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY, "no memory");
	bat_index_init(&view->index);
	view->dir = &store->dir;
	view->own_dir.dir = -1;
	if (options.read_only) {
		view->dir = &view->own_dir;
		code = bat_segment_dir_share(view->dir, &store->dir, error);
	}
	if (code == BAT_OK)
		code = bat_recovery_run(view->dir, &options, &view->index,
		    &view->recovery, error);
	if (code == BAT_OK && view->recovery.refuse &&
	    !store->options.read_only) {
		code = view->recovery.refusal.code;
		if (error != NULL)
			*error = view->recovery.refusal;
	}
	if (code != BAT_OK) {
		bat_store_view_free(view);
		return code;
	}
	bat_index_name_lengths(&view->index, store->options.lengths_format);
	*out = view;
	return BAT_OK;
}

/* Whose directory is it? Asked before anything, the lock too, is made. */
static int
claim(struct bat_store *store, const char *path, struct bat_error *error)
{
	bool create = !store->options.read_only && !store->options.no_create;
	const struct bat_segment_dir *dir = &store->dir;
	int code = bat_segment_dir_open(&store->dir, store->options.disk, path,
	    create, error);
	bool empty;

	if (code != BAT_OK)
		return code;
	/* Who writes rests on what there is; who reads is shown what there is
	 * left. */
	store->dir.reads_around = store->options.read_only;
	code = bat_segment_dir_scan(&store->dir, error);
	if (code != BAT_OK)
		return code;
	empty = dir->count == 0 && !dir->has_compact_src && !dir->has_marker &&
	    !dir->has_checkpoint && !dir->has_rowindex && !dir->has_hidden;
	if (empty && dir->has_other)
		return bat_error_set(error, BAT_DATA_REFUSED,
		    "the directory holds files but no event store (no *.fbat "
		    "segment); name the store's directory, or an empty one "
		    "for a new store");
	if (empty && !create)
		return bat_error_set(error, BAT_WORLD_ABSENT,
		    "the directory holds no event store (no *.fbat segment); "
		    "name the store's directory");
	if (store->options.read_only)
		return BAT_OK;
	return bat_segment_dir_lock(&store->dir, error);
}

int
bat_open(const char *path, const struct bat_options *options,
    struct bat_store **out, struct bat_error *error)
{
	struct bat_store *store = calloc(1, sizeof(*store));
	int64_t start;
	int code;

	if (store == NULL)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY, "no memory");
	store->options = options == NULL ? BAT_OPTIONS_DEFAULT : *options;
	if (store->options.disk == NULL)
		store->options.disk = bat_file_posix();
	if (store->options.clock == NULL)
		store->options.clock = bat_clock_system();
	store->generation = 1;
	store->dir.dir = -1;
	bat_causality_init(&store->causality);
	bat_tlog_init(&store->tlog);
	bat_tlog_init(&store->attest_reader);
	start = bat_clock_monotonic_ns(store->options.clock);
	code = bat_gate_check(&store->options.gates, error);
	if (code == BAT_OK)
		code = claim(store, path, error);
	if (code == BAT_OK)
		code = store->options.read_only ?
		    bat_store_follow(store, error) :
		    bat_store_view_make(store, false, &store->view, error);
	if (code == BAT_OK &&
	    (pthread_rwlock_init(&store->lock, NULL) != 0 ||
		pthread_mutex_init(&store->causality_mutex, NULL) != 0 ||
		pthread_mutex_init(&store->tlog_mutex, NULL) != 0 ||
		pthread_mutex_init(&store->attest_mutex, NULL) != 0))
		code = bat_error_set(error, BAT_WORLD_NO_MEMORY, "no memory");
	if (code != BAT_OK)
		goto close_dir;
	code = bat_writer_init(&store->writer, &store->dir, &store->view->index,
	    &store->view->recovery, &store->lock, &store->options);
	if (code != BAT_OK)
		goto close_dir;
	code = bat_store_tlog_open(store, error);
	if (code != BAT_OK)
		goto free_writer;
	if (store->options.read_only)
		bat_store_note_end(store);
	store->open_ns = bat_clock_monotonic_ns(store->options.clock) - start;
	store->writer.open_elapsed_us = (uint64_t)store->open_ns / 1000;
	*out = store;
	return BAT_OK;

free_writer:
	bat_writer_free(&store->writer);
close_dir:
	/* A directory that cannot be opened is named by who tried. */
	if (store->dir.dir >= 0)
		bat_error_prefix(error, "%s", path);
	bat_follower_stop(&store->follower);
	bat_store_view_free(store->view);
	bat_segment_dir_close(&store->dir);
	free(store);
	return code;
}

int
bat_close(struct bat_store *store, struct bat_error *error)
{
	int code = BAT_OK;

	if (store == NULL)
		return BAT_OK;
	if (!store->options.read_only) {
		code = bat_writer_close(&store->writer, error);
		bat_writer_save_sidecar(&store->writer);
	}
	bat_store_tlog_close(store);
	bat_writer_free(&store->writer);
	bat_causality_free(&store->causality);
	bat_follower_stop(&store->follower);
	bat_store_view_free(store->view);
	bat_segment_dir_close(&store->dir);
	pthread_mutex_destroy(&store->causality_mutex);
	pthread_mutex_destroy(&store->tlog_mutex);
	pthread_mutex_destroy(&store->attest_mutex);
	pthread_rwlock_destroy(&store->lock);
	free(store);
	return code;
}

/* ---- beginning anew --------------------------------------------------- */

/*
 * A row and its frame disagree: the index lied. Read the directory again
 * without index files, show the result under a new generation, and let the
 * first append unlink them.
 */
int
bat_store_rebuild(struct bat_store *store, uint64_t seen_generation,
    struct bat_error *error)
{
	struct view *fresh = NULL;
	struct bat_error why = { .code = 0 };
	int code = BAT_OK;

	pthread_mutex_lock(&store->writer.lead);
	if (store->options.read_only) {
		if (store->generation == seen_generation)
			code = bat_store_anew(store, true, &why);
		goto unlock;
	}
	pthread_rwlock_wrlock(&store->lock);
	if (store->generation == seen_generation)
		code = bat_store_view_make(store, true, &fresh, &why);
	if (code == BAT_OK && fresh != NULL) {
		fresh->older = store->view;
		store->view = fresh;
		store->generation++;
		bat_writer_adopt(&store->writer, &fresh->index,
		    &fresh->recovery);
	}
	pthread_rwlock_unlock(&store->lock);
unlock:
	pthread_mutex_unlock(&store->writer.lead);
	if (code != BAT_OK && error != NULL)
		*error = why;
	return code == BAT_OK ? BAT_DATA_DISAGREES : code;
}

/* ---- of the directory -------------------------------------------------- */

int
bat_directory_stat(struct bat_store *store, struct bat_file_stat *out)
{
	const struct bat_disk *disk = store->options.disk;
	int code = disk->stat_fd(disk->context, store->dir.dir, out);

	return code < 0 ? bat_error_set_os(NULL, -code, "cannot stat") : BAT_OK;
}
