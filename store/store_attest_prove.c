/*
 * Proofs out of a store's transparency log, as text for others (note.h).
 *
 * Nothing is proved that is not so here: the log must be sound, continue the
 * checkpoint that the proof is for, and the event must still be as it was
 * logged.
 */
#include "store_attest.h"

struct prove {
	struct bat_store *store;
	struct bat_tlog tlog;
	struct bat_tlog_tiles tiles;
	uint64_t size; /* of the tree that is proved */
	struct bat_note_checkpoint old;
	struct bat_buf own; /* the log's own checkpoint */
	struct bat_error *error;
};

/* ---- the log and the older checkpoint -------------------------------- */

static int
load(struct prove *prove)
{
	struct bat_error *error = prove->error;
	int code = bat_tlog_open(&prove->tlog, prove->store->options.disk,
	    prove->store->dir.dir, error);

	if (code == BAT_END)
		return bat_error_set(error, BAT_STATE_NOT_FOUND,
		    "there is no transparency log in .batfs/tlog");
	prove->size = prove->tlog.size;
	prove->tiles = (struct bat_tlog_tiles){ .tlog = &prove->tlog,
		.size = prove->tlog.size,
		.error = error };
	return code;
}

/* The log's tree begins with that of the older checkpoint; *out: how. */
static int
continues(struct prove *prove, struct bat_slice against,
    struct bat_merkle_proof *out)
{
	const struct bat_merkle_source source = bat_tlog_source(&prove->tiles);
	struct bat_merkle_hash root = bat_merkle_edge_root(&prove->tlog.edge);
	struct bat_slice text = BAT_SLICE_EMPTY;
	int code = bat_note_open(against, &prove->tlog.key, &text,
	    prove->error);

	if (code == BAT_OK)
		code = bat_note_checkpoint_parse(text, &prove->old,
		    prove->error);
	if (code != BAT_OK) {
		bat_error_prefix(prove->error, "the older checkpoint");
		return code == BAT_WORLD_NO_MEMORY ? code : BAT_USE_INVALID;
	}
	if (prove->old.size > prove->tlog.size)
		return bat_error_set(prove->error, BAT_DATA_CORRUPT,
		    "the log was rolled back: it has %llu records, and %llu "
		    "were signed",
		    (unsigned long long)prove->tlog.size,
		    (unsigned long long)prove->old.size);
	code = bat_merkle_prove_consistency(&source, prove->old.size,
	    prove->tlog.size, out);
	if (code == BAT_OK &&
	    !bat_merkle_verify_consistency(prove->old.size, &prove->old.root,
		prove->tlog.size, &root, out))
		code = bat_error_set(prove->error, BAT_DATA_CORRUPT,
		    "the log does not continue this checkpoint: it was "
		    "written anew");
	return code;
}

/* ---- the record of an event ------------------------------------------ */

static int
record_at(struct prove *prove, struct bat_buf *bundle, uint64_t index,
    struct bat_tlog_record *out)
{
	struct bat_tlog_tile tile = { BAT_TLOG_ENTRIES, index / BAT_TLOG_WIDTH,
		(unsigned)(index % BAT_TLOG_WIDTH) + 1 };
	int code;

	bat_bytes_clear(bundle);
	code = bat_tlog_read_tile(&prove->tlog, &tile, prove->tlog.size, bundle,
	    prove->error);
	if (code == BAT_OK)
		bat_tlog_record_get(
		    bundle->data + bundle->length - BAT_TLOG_RECORD_SIZE, out);
	return code;
}

/* Records rise by sequence, and may have gaps: so few tiles are read. */
static int
find_record(struct prove *prove, uint64_t seq, uint64_t *out_index,
    struct bat_tlog_record *out)
{
	struct bat_buf bundle = BAT_BUF_EMPTY;
	uint64_t low = 0, high = prove->size;
	int code = BAT_OK;

	while (code == BAT_OK && low < high) {
		uint64_t middle = low + (high - low) / 2;

		code = record_at(prove, &bundle, middle, out);
		if (out->seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	if (code == BAT_OK && low < prove->size)
		code = record_at(prove, &bundle, low, out);
	bat_bytes_free(&bundle);
	if (code != BAT_OK)
		return code;
	*out_index = low;
	if (low < prove->size && out->seq == seq)
		return BAT_OK;
	return bat_error_set(prove->error, BAT_STATE_NOT_FOUND,
	    "sequence %llu is not among the %llu records that were signed%s",
	    (unsigned long long)seq, (unsigned long long)prove->size,
	    seq < prove->tlog.first_seq ?
		": it was there before the log was begun" :
		"");
}

int
bat_attest_compare(struct bat_store *store,
    const struct bat_tlog_record *record, struct bat_error *error)
{
	enum bat_logged now;
	int code = bat_store_logged(store, record, &now, error);

	if (code == BAT_OK && now != BAT_LOGGED_SAME && !BAT_PLANT(303))
		code = bat_error_set(error, BAT_DATA_CORRUPT,
		    "sequence %llu is not the event that was logged",
		    (unsigned long long)record->seq);
	return code;
}

/* ---- proofs ---------------------------------------------------------- */

static int
prove_event(struct prove *prove, uint64_t seq, struct bat_note_proof *out)
{
	const struct bat_merkle_source source = bat_tlog_source(&prove->tiles);
	struct bat_tlog_record record = { .seq = 0 };
	int code = find_record(prove, seq, &out->number, &record);

	if (code == BAT_OK)
		code = bat_attest_compare(prove->store, &record, prove->error);
	if (code == BAT_OK)
		code = bat_merkle_prove_inclusion(&source, out->number,
		    prove->size, &out->hashes);
	bat_tlog_record_put(&record, out->extra);
	out->extra_length = BAT_TLOG_RECORD_SIZE;
	return code;
}

int
bat_attest_prove(struct bat_store *store, const uint64_t *seq,
    struct bat_slice against, struct bat_buf *buf, struct bat_error *error)
{
	struct prove prove = { .store = store, .error = error };
	struct bat_note_proof proof = { .consistency = seq == NULL };
	int code;

	if (seq == NULL && against.length == 0)
		return bat_error_set(error, BAT_USE_INVALID,
		    "consistent with which checkpoint?");
	bat_tlog_init(&prove.tlog);
	code = load(&prove);
	proof.note = bat_bytes_of_buf(&prove.tlog.checkpoint);
	if (code == BAT_OK && against.length > 0)
		code = continues(&prove, against, &proof.hashes);
	proof.number = prove.old.size;
	if (code == BAT_OK && seq != NULL) {
		if (against.length > 0) {
			prove.size = prove.old.size;
			proof.note = against;
		}
		code = prove_event(&prove, *seq, &proof);
	}
	if (code == BAT_OK && bat_note_proof_put(&proof, buf) != BAT_OK)
		code = bat_error_set(error, BAT_WORLD_NO_MEMORY,
		    "no memory for a proof");
	bat_bytes_free(&prove.tiles.buf);
	bat_tlog_detach(&prove.tlog);
	return code;
}
