/*
 * Where a log ends: whether it can go on from there, and another one that is
 * begun in its place.
 */
#include "store_internal.h"

/* ---- going on -------------------------------------------------------- */

/* The event is not where it was. Is it elsewhere? */
static int
say_gone(struct bat_store *store, const struct bat_tlog_record *last,
    struct bat_error *error)
{
	uint32_t ordinal = bat_find_id(store, &last->id);
	unsigned long long seq = last->seq;
	struct bat_row row;

	if (ordinal != BAT_MAP_NONE && bat_row(store, ordinal, &row))
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    "the log ends with sequence %llu, and that event is %llu "
		    "now: the store was numbered anew",
		    seq, (unsigned long long)row.seq);
	return bat_error_set(error, BAT_DATA_CORRUPT,
	    "the log ends with sequence %llu, and the store does not have that "
	    "event: it was rolled back, or lost its end",
	    seq);
}

int
bat_store_tlog_check_end(struct bat_store *store, const struct bat_tlog *tlog,
    struct bat_error *error)
{
	const struct bat_tlog_record *last = &tlog->last;
	enum bat_logged now;
	int code;

	if (tlog->size == 0 || BAT_PLANT(141))
		return BAT_OK;
	code = bat_store_logged(store, last, &now, error);
	if (code != BAT_OK || now == BAT_LOGGED_SAME)
		return code;
	if (now == BAT_LOGGED_GONE)
		return say_gone(store, last, error);
	return bat_error_set(error, BAT_DATA_CORRUPT,
	    "the log ends with sequence %llu, and that event was changed",
	    (unsigned long long)last->seq);
}

int
bat_attest_fits(struct bat_store *store, struct bat_error *error)
{
	struct bat_error why = { .text = "" };
	struct bat_tlog tlog;
	int code;

	bat_tlog_init(&tlog);
	code = bat_tlog_open(&tlog, store->options.disk, store->dir.dir, &why);
	if (code == BAT_OK)
		code = bat_store_tlog_check_end(store, &tlog, &why);
	bat_tlog_detach(&tlog);
	if (code == BAT_END)
		return bat_error_set(error, BAT_STATE_NOT_FOUND,
		    "there is no transparency log");
	if (code != BAT_OK)
		bat_error_set(error, code, "%.400s; %s", why.text,
		    BAT_STORE_TLOG_REMEDY);
	return code;
}

/* ---- another one ----------------------------------------------------- */

/* The key that the caller names must not have signed a log that is here. */
static int
check_key(struct bat_store *store, const char *key, struct bat_error *error)
{
	int code;

	if (key == NULL)
		return BAT_OK;
	store->options.tlog_key = key;
	code = bat_store_tlog_key(store, true, &store->named_key, error);
	if (code == BAT_OK)
		code = bat_tlog_check_unused(store->options.disk,
		    store->dir.dir, &store->named_key.key, error);
	store->has_named_key = code == BAT_OK;
	return code;
}

static void
forget(struct bat_store *store)
{
	bat_tlog_detach(&store->tlog);
	pthread_mutex_lock(&store->attest_mutex);
	bat_tlog_detach(&store->attest_reader);
	store->attest = (struct bat_attest_status){ .state = BAT_ATTEST_NONE };
	bat_bytes_clear(&store->attest_checkpoint);
	pthread_mutex_unlock(&store->attest_mutex);
}

/* What a renewal that was cut off began, and nobody signed, is gone on with. */
static int
find_old(struct bat_store *store, bool *out, struct bat_error *error)
{
	int code;

	*out = false;
	bat_tlog_detach(&store->tlog);
	code = bat_tlog_attach(&store->tlog, store->options.disk,
	    store->dir.dir, error);
	if (code == BAT_OK)
		code = bat_tlog_was_begun(&store->tlog, out, error);
	return code == BAT_END ? BAT_OK : code;
}

/* tlog_mutex is held. */
static int
renew(struct bat_store *store, const char *key,
    char out_name[BAT_TLOG_ASIDE_SIZE], struct bat_error *error)
{
	bool is_there;
	int code = find_old(store, &is_there, error);

	if (code == BAT_OK)
		code = check_key(store, key, error);
	if (code == BAT_OK && is_there)
		code = bat_tlog_put_aside(store->options.disk, store->dir.dir,
		    out_name, error);
	forget(store);
	store->tlog_stopped = code == BAT_STATE_STOPPED;
	if (code != BAT_OK) {
		/* The old log is what it was, and its key. */
		store->options.tlog_key = NULL;
		store->has_named_key = false;
		return code;
	}
	store->options.tlog = true;
	return bat_store_tlog_begin(store, error);
}

int
bat_attest_renew(struct bat_store *store, const char *key,
    char out_name[BAT_TLOG_ASIDE_SIZE], struct bat_error *error)
{
	int code;

	out_name[0] = '\0';
	if (store->options.read_only)
		return bat_error_set(error, BAT_USE_INVALID,
		    "the store is read-only");
	pthread_mutex_lock(&store->tlog_mutex);
	if (store->tlog_stopped || store->writer.stopped)
		code = bat_error_set(error, BAT_STATE_STOPPED,
		    "a sync failed: open it again");
	else
		code = renew(store, key, out_name, error);
	pthread_mutex_unlock(&store->tlog_mutex);
	return code;
}
