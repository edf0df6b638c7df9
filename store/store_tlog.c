/*
 * The transparency log of a store: when it is begun, when it grows, what of it
 * is shown. What its files are: tlog.h; the key that a
 * caller names: store_tlog_key.c; whether it can go on, and another one in its
 * place: store_tlog_end.c; how a store is held against it: store_attest.c.
 *
 * Nothing of it stands in the way of an append. The log lags: it is brought up
 * to date from the frames on disk, by who asks (bat_attest_update) and at the
 * end of a session; what a crash cuts off is logged in the next one. Only what
 * is durable is logged, so no crash takes back what a checkpoint speaks of.
 */
#include <stdio.h>

#include "segment_reader.h"
#include "store_internal.h"

#define ROWS 256

/* ---- what is shown ----------------------------------------------------- */

static void
show_state(struct bat_store *store, enum bat_attest_state state,
    const char *why)
{
	struct bat_attest_status *status = &store->attest;

	status->state = state;
	snprintf(status->why, sizeof(status->why), "%s", why);
}

/* What was shown once stays: it was on disk. */
static void
show_halted(struct bat_store *store, const char *why)
{
	pthread_mutex_lock(&store->attest_mutex);
	show_state(store, BAT_ATTEST_HALTED, why);
	pthread_mutex_unlock(&store->attest_mutex);
}

/* Size and checkpoint, or nothing: attest_mutex is held. */
static int
show_log(struct bat_store *store, enum bat_attest_state state, const char *why,
    struct bat_error *error)
{
	const struct bat_slice note = bat_bytes_of_buf(&store->tlog.checkpoint);
	struct bat_attest_status *status = &store->attest;

	if (bat_bytes_reserve(&store->attest_checkpoint, note.length) != BAT_OK)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY,
		    "no memory to show the log's checkpoint");
	bat_bytes_clear(&store->attest_checkpoint);
	(void)bat_bytes_append_slice(&store->attest_checkpoint, note);
	show_state(store, state, why);
	status->size = store->tlog.published;
	status->first_seq = store->tlog.first_seq;
	status->last_seq = store->tlog.last.seq;
	return BAT_OK;
}

/* The log as it was loaded. */
static int
show_loaded(struct bat_store *store, struct bat_error *error)
{
	enum bat_attest_state state = BAT_ATTEST_SHOWN;
	const char *why = "the store is read-only";
	int code;

	if (!store->options.read_only && store->tlog.has_signer) {
		state = BAT_ATTEST_KEPT;
		why = "";
	} else if (!store->options.read_only) {
		why = "its key is not here: name it with the option tlog=FILE";
	}
	pthread_mutex_lock(&store->attest_mutex);
	code = show_log(store, state, why, error);
	pthread_mutex_unlock(&store->attest_mutex);
	return code;
}

void
bat_attest_status(struct bat_store *store, struct bat_attest_status *out)
{
	pthread_mutex_lock(&store->attest_mutex);
	*out = store->attest;
	pthread_mutex_unlock(&store->attest_mutex);
}

int
bat_attest_checkpoint(struct bat_store *store, struct bat_buf *buf,
    struct bat_error *error)
{
	int code = BAT_STATE_NOT_FOUND;

	pthread_mutex_lock(&store->attest_mutex);
	if (store->attest_checkpoint.length > 0)
		code = bat_bytes_append_slice(buf,
		    bat_bytes_of_buf(&store->attest_checkpoint));
	pthread_mutex_unlock(&store->attest_mutex);
	if (code != BAT_OK)
		bat_error_set(error, code, "there is no checkpoint");
	return code;
}

/* A descriptor of the folder for those who read beside an update. */
static int
reader(struct bat_store *store, struct bat_tlog *out, uint64_t *out_size,
    struct bat_error *error)
{
	int code = BAT_OK;

	pthread_mutex_lock(&store->attest_mutex);
	if (store->attest_reader.dir < 0)
		code = bat_tlog_attach(&store->attest_reader,
		    store->options.disk, store->dir.dir, error);
	*out = store->attest_reader;
	*out_size = store->attest.size;
	pthread_mutex_unlock(&store->attest_mutex);
	if (code != BAT_END)
		return code;
	return bat_error_set(error, BAT_STATE_NOT_FOUND,
	    "there is no transparency log");
}

int
bat_attest_key(struct bat_store *store, struct bat_buf *buf,
    struct bat_error *error)
{
	struct bat_tlog tlog;
	uint64_t size;
	int code = reader(store, &tlog, &size, error);

	return code == BAT_OK ? bat_tlog_read_file(&tlog, "vkey", buf, error) :
				code;
}

int
bat_attest_tile(struct bat_store *store, const struct bat_tlog_tile *tile,
    struct bat_buf *buf, struct bat_error *error)
{
	struct bat_tlog tlog;
	uint64_t size;
	int code = reader(store, &tlog, &size, error);

	return code == BAT_OK ?
	    bat_tlog_read_tile(&tlog, tile, size, buf, error) :
	    code;
}

/* ---- opening --------------------------------------------------------- */

/* BAT_END: there is no log, and none is wanted. */
static int
open_log(struct bat_store *store, struct bat_error *error)
{
	const struct bat_options *options = &store->options;
	struct bat_tlog *tlog = &store->tlog;
	bool named = options->tlog_key != NULL && !options->read_only;
	bool wanted = (options->tlog || named) && !options->read_only;
	int code = bat_tlog_open(tlog, options->disk, store->dir.dir, error);

	if (code != BAT_OK && (code != BAT_END || !wanted))
		return code;
	/* Read once: a daemon in its sandbox cannot get at it again. */
	if (named && !store->has_named_key) {
		int key = bat_store_tlog_key(store, code == BAT_END,
		    &store->named_key, error);

		if (key != BAT_OK)
			return key;
		store->has_named_key = true;
	}
	if (code == BAT_END)
		return bat_tlog_create(tlog, options->disk, store->dir.dir,
		    named ? &store->named_key : NULL, store->writer.synced_seq,
		    error);
	code = named ? bat_tlog_set_signer(tlog, &store->named_key, error) :
		       BAT_OK;
	if (code == BAT_OK && tlog->has_signer && !options->read_only)
		code = bat_tlog_settle(tlog, error);
	return code;
}

/* Nothing is known any more of what a failed sync was to put on disk, and
 * another one would not say so: the next process looks again. */
static void
halt(struct bat_store *store, const struct bat_error *why)
{
	char text[sizeof(store->attest.why)];
	const char *rest = "";

	bat_tlog_detach(&store->tlog);
	store->tlog_stopped = store->tlog_stopped ||
	    (why->code == BAT_STATE_STOPPED && !BAT_PLANT(301));
	if (store->tlog_stopped)
		rest = "; it goes on when the store is opened again";
	else if (why->code == BAT_DATA_CORRUPT)
		rest = "; " BAT_STORE_TLOG_REMEDY;
	snprintf(text, sizeof(text), "%.400s%s", why->text, rest);
	show_halted(store, text);
}

/* tlog_mutex is held, or nobody else is there yet. */
int
bat_store_tlog_begin(struct bat_store *store, struct bat_error *error)
{
	struct bat_error why = { .code = 0 };
	int code = open_log(store, &why);

	/* What cannot be known yet is asked again when it grows. */
	if (code == BAT_OK && !store->options.read_only &&
	    bat_store_tlog_check_end(store, &store->tlog, &why) ==
		BAT_DATA_CORRUPT)
		code = BAT_DATA_CORRUPT;
	if (code == BAT_OK)
		code = show_loaded(store, &why);
	if (code == BAT_OK)
		return code;
	if (code == BAT_END) {
		bat_tlog_detach(&store->tlog);
		return code;
	}
	halt(store, &why);
	if (error != NULL)
		*error = why;
	return code;
}

int
bat_store_tlog_open(struct bat_store *store, struct bat_error *error)
{
	struct bat_error why = { .code = 0 };
	int code = bat_store_tlog_begin(store, &why);

	/* The events are what counts: they are shown also when the log cannot
	 * be, unless the caller asked for the wrong thing. */
	if (code != BAT_USE_INVALID)
		return BAT_OK;
	if (error != NULL)
		*error = why;
	return code;
}

/* ---- growing --------------------------------------------------------- */

size_t
bat_store_rows_from(struct bat_store *store, uint64_t from, uint64_t limit,
    struct bat_row *rows, size_t max)
{
	const struct bat_index *index;
	size_t count;

	do {
		uint32_t ordinal;

		index = enter(store);
		ordinal = bat_index_lower_seq(index, from);
		for (count = 0; count < max && ordinal < index->count &&
		     bat_index_seq(index, ordinal) < limit;
		     count++)
			bat_index_row(index, ordinal++, &rows[count]);
	} while (!leave(store));
	return count;
}

/* Where a row stands now: a compaction may have come in between. */
static bool
has_moved(struct bat_store *store, struct bat_row *row)
{
	struct bat_row now;

	if (bat_store_rows_from(store, row->seq, row->seq + 1, &now, 1) == 0 ||
	    now.segment == row->segment)
		return false;
	row->segment = now.segment;
	row->offset = now.offset;
	return true;
}

int
bat_store_record(struct bat_store *store, const struct bat_row *copied,
    struct bat_buf *frame, struct bat_tlog_record *out, struct bat_error *error)
{
	struct bat_row place = *copied, *row = &place;
	struct bat_segment_dir *dir;
	struct bat_event event;
	int code;

	do {
		(void)enter(store);
		dir = store->view->dir;
		(void)leave(store);
		code = bat_segment_reader_fetch(dir, row->segment, row->offset,
		    row->length, frame, error);
		if (BAT_PLANT(447))
			code = bat_segment_reader_around(dir, row->segment,
			    row->offset, code, error);
		if (code == BAT_OK)
			code = bat_segment_reader_decode(row->segment,
			    row->offset, bat_bytes_of_buf(frame), NULL, &event,
			    error);
	} while (code != BAT_OK && has_moved(store, row));
	if (code != BAT_OK)
		return code;
	if (!bat_id_equal(&event.id, &row->id))
		return bat_error_set_at(error, BAT_DATA_DISAGREES, row->segment,
		    row->offset, "a row is not that of its frame");
	*out = (struct bat_tlog_record){
		.seq = row->seq,
		.id = event.id,
		.frame = bat_hash_of(bat_bytes_of_buf(frame)),
	};
	return BAT_OK;
}

static int
add_rows(struct bat_store *store, struct bat_buf *frame,
    struct bat_error *error)
{
	struct bat_tlog *tlog = &store->tlog;
	const uint64_t limit = store->writer.synced_seq;
	struct bat_row rows[ROWS];
	struct bat_tlog_record record;
	int code = BAT_OK;
	size_t count;

	do {
		uint64_t from = tlog->size == 0 ? tlog->first_seq :
						  tlog->last.seq + 1;

		count = bat_store_rows_from(store, from, limit, rows, ROWS);
		for (size_t i = 0; code == BAT_OK && i < count; i++) {
			code = bat_store_record(store, &rows[i], frame, &record,
			    error);
			if (code == BAT_OK)
				code = bat_tlog_add(tlog, &record, error);
		}
	} while (code == BAT_OK && count == ROWS);
	return code;
}

static int
grow(struct bat_store *store, struct bat_error *error)
{
	struct bat_buf frame = BAT_BUF_EMPTY;
	uint64_t generation;
	int code;

	(void)enter(store);
	generation = store->generation;
	(void)leave(store);
	code = bat_store_tlog_check_end(store, &store->tlog, error);
	if (code == BAT_OK)
		code = add_rows(store, &frame, error);
	if (code == BAT_OK)
		code = bat_tlog_publish(&store->tlog, error);
	bat_bytes_free(&frame);
	if (code == BAT_DATA_DISAGREES)
		code = bat_store_rebuild(store, generation, error);
	return code;
}

/* tlog_mutex is held. */
static int
update(struct bat_store *store, struct bat_error *error)
{
	struct bat_error why = { .code = 0 };
	int code;

	if (store->tlog_stopped)
		return bat_error_set(error, BAT_STATE_STOPPED, "%s",
		    store->attest.why);
	if (store->tlog.dir < 0) {
		code = bat_store_tlog_begin(store, error);
		if (code != BAT_OK)
			return code == BAT_END ? BAT_OK : code;
	}
	if (!store->tlog.has_signer)
		return BAT_OK;
	code = bat_writer_sync(&store->writer, &why);
	if (code == BAT_OK)
		code = grow(store, &why);
	if (code == BAT_OK)
		code = show_loaded(store, &why);
	if (code == BAT_OK)
		return code;
	/* What was added and not published is forgotten; the next try begins
	 * with what is on disk. */
	halt(store, &why);
	if (error != NULL)
		*error = why;
	return code;
}

int
bat_attest_update(struct bat_store *store, struct bat_error *error)
{
	int code;

	if (store->options.read_only)
		return BAT_OK;
	pthread_mutex_lock(&store->tlog_mutex);
	code = update(store, error);
	pthread_mutex_unlock(&store->tlog_mutex);
	return code;
}

void
bat_store_tlog_close(struct bat_store *store)
{
	if (!store->writer.stopped)
		(void)bat_attest_update(store, NULL);
	bat_tlog_detach(&store->tlog);
	bat_tlog_detach(&store->attest_reader);
	bat_bytes_free(&store->attest_checkpoint);
}
