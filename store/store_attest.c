/*
 * A store held against a checkpoint that somebody kept.
 *
 * The checkpoint is what is believed, nothing else: not the index, not the
 * log's own files, which lie beside the store and can be written anew by who
 * has its key. First the log's records are asked for: if they give the root of
 * the checkpoint they are what was signed, and each is held against the frame
 * on disk, so that what differs can be named. If they do not, the events
 * themselves must give the root; if these do not either, it is known that
 * something was changed, and not what. (Records and rows:
 * store_attest_records.c.)
 */
#include <stdarg.h>
#include <stdio.h>

#include "store_attest.h"

#define ONLY_THE_LOG "every event that was signed is there; the log is not"

__attribute__((format(printf, 3, 4))) static void
decide(struct attest_check *check, enum bat_attest_verdict verdict,
    const char *format, ...)
{
	va_list list;

	check->out->verdict = verdict;
	va_start(list, format);
	vsnprintf(check->out->text, sizeof(check->out->text), format, list);
	va_end(list);
}

bool
bat_store_attest_unreadable(struct attest_check *check, int code)
{
	bool is = code == BAT_WORLD_IO || code == BAT_WORLD_NO_MEMORY;

	check->unreadable = check->unreadable || is;
	return is;
}

/* ---- the log itself ---------------------------------------------------- */

/* Its own checkpoint must be this one or a later one of the same log. */
static void
check_continuation(struct attest_check *check)
{
	struct bat_error error = { .text = "" };
	struct bat_tlog_tiles tiles = { .tlog = &check->tlog,
		.size = check->own_size,
		.error = &error };
	const struct bat_merkle_source source = bat_tlog_source(&tiles);
	struct bat_merkle_hash root = bat_merkle_edge_root(&check->tlog.edge);
	struct bat_merkle_proof proof;
	int code;

	if (check->own_size < check->against.size) {
		bat_store_attest_fault(check, false, 0,
		    "the log was rolled back: it has %llu records, and %llu "
		    "were signed",
		    (unsigned long long)check->own_size,
		    (unsigned long long)check->against.size);
		return;
	}
	code = bat_merkle_prove_consistency(&source, check->against.size,
	    check->own_size, &proof);
	if (code != BAT_OK && !bat_store_attest_unreadable(check, code))
		bat_store_attest_fault(check, false, 0,
		    "the log's tiles are damaged: %s", error.text);
	if (code == BAT_OK &&
	    !bat_merkle_verify_consistency(check->against.size,
		&check->against.root, check->own_size, &root, &proof))
		bat_store_attest_fault(check, false, 0,
		    "the log does not continue this checkpoint: it was "
		    "written anew");
	bat_bytes_free(&tiles.buf);
}

static void
check_log(struct attest_check *check)
{
	struct bat_error error = { .text = "" };
	int code = bat_tlog_load(&check->tlog, &error);

	if (code == BAT_OK) {
		check->own_size = check->tlog.size;
		check_continuation(check);
	} else if (code == BAT_END) {
		bat_store_attest_fault(check, false, 0,
		    "the log has no checkpoint");
	} else if (!bat_store_attest_unreadable(check, code)) {
		bat_store_attest_fault(check, false, 0,
		    "the log is damaged: %s", error.text);
	}
}

/* ---- without records --------------------------------------------------- */

/* Where the log began, as well as it can be known. */
static bool
first_seq(struct attest_check *check, uint64_t *out)
{
	struct bat_tlog_tile tile = { BAT_TLOG_ENTRIES, 0, 1 };
	struct bat_buf entry = BAT_BUF_EMPTY;
	bool known = bat_tlog_read_file(&check->tlog, "from", &entry, NULL) ==
		BAT_OK &&
	    bat_tlog_read_first_seq(&check->tlog, out, NULL) == BAT_OK;

	bat_bytes_clear(&entry);
	if (!known &&
	    bat_tlog_read_tile(&check->tlog, &tile,
		check->own_size > 0 ? check->own_size : check->against.size,
		&entry, NULL) == BAT_OK) {
		*out = bat_bytes_get_be64(entry.data + 2);
		known = true;
	}
	bat_bytes_free(&entry);
	return known;
}

/* Do the store's own events, from there on, give the root? */
static bool
events_give_root(struct attest_check *check, uint64_t from)
{
	uint8_t bytes[BAT_TLOG_RECORD_SIZE];
	struct bat_tlog_record record;
	const struct bat_row *row;

	bat_store_attest_empty(check);
	bat_store_attest_seek(check, from);
	while (check->tlog.edge.size < check->against.size &&
	    (row = bat_store_attest_row(check)) != NULL) {
		int code = bat_store_record(check->store, row, &check->frame,
		    &record, NULL);

		(void)bat_store_attest_unreadable(check, code);
		if (code != BAT_OK)
			return false;
		bat_tlog_record_put(&record, bytes);
		(void)bat_store_attest_hash(check, bytes);
		check->row_at++;
	}
	check->out->has_range = bat_store_attest_gives_root(check);
	return check->out->has_range;
}

static void
check_events_alone(struct attest_check *check)
{
	uint64_t from;

	if (!first_seq(check, &from)) {
		decide(check, BAT_ATTEST_CANNOT_TELL,
		    "the log's records are gone, and where it began is not "
		    "known");
		return;
	}
	if (events_give_root(check, from)) {
		decide(check, BAT_ATTEST_BROKEN, "%s", ONLY_THE_LOG);
		bat_store_attest_fault(check, false, 0,
		    "the log's records are not those that were signed");
	} else if (!check->unreadable) {
		bat_store_attest_fault(check, false, 0,
		    "neither the log's records nor the events give the root "
		    "that was signed; which event differs cannot be told");
		decide(check, BAT_ATTEST_BROKEN,
		    "events were changed, and the log with them");
	}
}

/* ---- the checkpoint ---------------------------------------------------- */

/* Who must have signed it. False: it was decided. */
static bool
choose_key(struct attest_check *check, struct bat_slice text,
    struct bat_note_key *out)
{
	struct bat_error error = { .text = "" };
	struct bat_buf own = BAT_BUF_EMPTY;
	int code = BAT_OK;

	if (text.length == 0) {
		code = bat_tlog_read_file(&check->tlog, "vkey", &own, &error);
		text = bat_bytes_of_buf(&own);
	}
	if (code == BAT_OK)
		code = bat_note_key_parse(text, out, &error);
	bat_bytes_free(&own);
	if (code != BAT_OK)
		decide(check, BAT_ATTEST_CANNOT_TELL, "no verifier key: %.400s",
		    error.text);
	return code == BAT_OK;
}

/* note is kept by the caller: against points into it. */
static bool
read_checkpoint(struct attest_check *check, struct bat_slice note,
    struct bat_slice key_text)
{
	struct bat_error error = { .text = "" };
	struct bat_note_key key;
	struct bat_slice text;
	int code;

	if (!choose_key(check, key_text, &key))
		return false;
	code = bat_note_open(note, &key, &text, &error);
	if (code == BAT_OK)
		code = bat_note_checkpoint_parse(text, &check->against, &error);
	check->out->signature = code == BAT_OK;
	if (code == BAT_OK &&
	    !bat_bytes_equal(check->against.origin, bat_bytes_text(key.name)))
		code = bat_error_set(&error, BAT_DATA_CORRUPT,
		    "its origin is not the name of its key");
	if (code != BAT_OK)
		decide(check, BAT_ATTEST_CANNOT_TELL, "the checkpoint: %.400s",
		    error.text);
	else if (check->against.size == 0)
		decide(check, BAT_ATTEST_CANNOT_TELL,
		    "the checkpoint speaks of no event");
	check->out->records = check->against.size;
	return code == BAT_OK && check->against.size > 0;
}

static void
run(struct attest_check *check)
{
	check_log(check);
	if (bat_store_attest_records_signed(check)) {
		bat_store_attest_compare(check);
		if (check->out->findings == 0)
			decide(check, BAT_ATTEST_INTACT,
			    "every event that was signed is there, byte for "
			    "byte");
		else
			decide(check, BAT_ATTEST_BROKEN, "%s",
			    check->events_differ ?
				"the store is not what was signed" :
				ONLY_THE_LOG);
	} else if (!check->unreadable) {
		check_events_alone(check);
	}
	if (check->unreadable)
		decide(check, BAT_ATTEST_CANNOT_TELL,
		    "something could not be read, so nothing is sure");
}

void
bat_attest_check(struct bat_store *store, struct bat_slice checkpoint,
    struct bat_slice key, const struct bat_attest_sink *sink,
    struct bat_attest_result *out)
{
	struct attest_check check = { .store = store,
		.out = out,
		.sink = sink };
	struct bat_error error = { .text = "" };
	struct bat_buf own = BAT_BUF_EMPTY;
	int code;

	*out = (struct bat_attest_result){ .findings = 0 };
	bat_tlog_init(&check.tlog);
	code = bat_tlog_attach(&check.tlog, store->options.disk, store->dir.dir,
	    &error);
	if (code == BAT_OK && checkpoint.length == 0) {
		code = bat_tlog_read_file(&check.tlog, "checkpoint", &own,
		    &error);
		checkpoint = bat_bytes_of_buf(&own);
	}
	if (code == BAT_END)
		decide(&check, BAT_ATTEST_CANNOT_TELL,
		    "there is no transparency log in .batfs/tlog");
	else if (code != BAT_OK)
		decide(&check, BAT_ATTEST_CANNOT_TELL, "the log: %.400s",
		    error.text);
	else if (read_checkpoint(&check, checkpoint, key))
		run(&check);
	bat_bytes_free(&own);
	bat_bytes_free(&check.frame);
	bat_tlog_detach(&check.tlog);
}
