/*
 * prove: a proof out of the transparency log, as text for somebody who has
 * neither the store nor the log, and the verifying of one.
 *
 *	prove DATADIR SEQ [--against CHECKPOINT]
 *	prove DATADIR --against CHECKPOINT
 *	prove --check FILE --key VKEY [--against CHECKPOINT] [DATADIR]
 *
 * The first prints a proof of inclusion of an event, in the log's present tree
 * or in that of the checkpoint; the second one of consistency, from the
 * checkpoint to the present. The third verifies either; with DATADIR the event
 * there must be the one that was proved.
 *
 * The statuses, as those of verify: 0 it is printed, or proved; 1 it is not so;
 * 2 it cannot be told.
 */
#include "batctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct request {
	const char *data_dir, *seq; /* NULL: not named, as the others */
	const char *against, *key, *check;
	struct bat_buf against_text, key_text, proof_text;
};

static bool
read_arguments(int argc, char **argv, struct request *out)
{
	const struct {
		const char *name;
		const char **to;
	} options[] = {
		{ "--against", &out->against },
		{ "--key", &out->key },
		{ "--check", &out->check },
	};

	for (int i = 0; i < argc; i++) {
		const char **to = out->data_dir == NULL ? &out->data_dir :
							  &out->seq;
		const char *value = argv[i][0] == '-' ? NULL : argv[i];

		for (size_t j = 0; j < sizeof options / sizeof options[0]; j++)
			if (strcmp(argv[i], options[j].name) == 0) {
				to = options[j].to;
				value = ++i < argc ? argv[i] : NULL;
				break;
			}
		if (value == NULL || *to != NULL)
			return false;
		*to = value;
	}
	if (out->check != NULL)
		return out->key != NULL && out->seq == NULL;
	return out->key == NULL && out->data_dir != NULL &&
	    (out->seq != NULL || out->against != NULL);
}

static bool
read_files(struct request *request)
{
	if (request->against != NULL &&
	    batfs_batctl_read_file(request->against, &request->against_text) !=
		BAT_OK)
		return false;
	if (request->key != NULL &&
	    batfs_batctl_read_key(request->key, &request->key_text) != BAT_OK)
		return false;
	return request->check == NULL ||
	    batfs_batctl_read_file(request->check, &request->proof_text) ==
	    BAT_OK;
}

/* NULL: that was said. */
static struct bat_store *
open_store(const char *data_dir)
{
	const struct bat_options how = { .read_only = true };
	struct bat_error error = { .text = "" };
	struct bat_store *store = NULL;

	if (bat_open(data_dir, &how, &store, &error) == BAT_OK)
		return store;
	fprintf(stderr, "batctl: %s\n", error.text);
	bat_close(store, NULL);
	return NULL;
}

/* ---- proving ----------------------------------------------------------- */

static bool
read_number(const char *text, uint64_t *out)
{
	char *end;

	*out = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

static int
prove(const struct request *request)
{
	struct bat_buf text = BAT_BUF_EMPTY;
	struct bat_error error = { .text = "" };
	struct bat_store *store;
	uint64_t seq = 0;
	int status = BATCTL_CANNOT, code;

	if (request->seq != NULL && !read_number(request->seq, &seq))
		return BATCTL_USAGE;
	store = open_store(request->data_dir);
	if (store == NULL)
		return status;
	code = bat_attest_prove(store, request->seq != NULL ? &seq : NULL,
	    bat_bytes_of_buf(&request->against_text), &text, &error);
	bat_close(store, NULL);
	if (code == BAT_OK)
		code = batfs_batctl_put(bat_bytes_of_buf(&text), &error);
	bat_bytes_free(&text);
	if (code == BAT_OK)
		return BATCTL_DONE;
	fprintf(stderr, "batctl: %s: %s\n", request->data_dir, error.text);
	if (code == BAT_DATA_CORRUPT || code == BAT_DATA_DISAGREES ||
	    code == BAT_STATE_NOT_FOUND)
		status = BATCTL_WRONG;
	return status;
}

/* ---- verifying --------------------------------------------------------- */

static int
tell(int code, const struct bat_error *error)
{
	bool wrong = code == BAT_DATA_CORRUPT || code == BAT_DATA_DISAGREES;

	printf("%s: %s\n", wrong ? "not proved" : "cannot tell", error->text);
	return wrong ? BATCTL_WRONG : BATCTL_CANNOT;
}

/* The checkpoint of --against; the same key must have signed it. */
static int
read_old(const struct request *request, const struct bat_note_key *key,
    struct bat_note_checkpoint *out, struct bat_error *error)
{
	struct bat_slice text = BAT_SLICE_EMPTY;
	int code = bat_note_open(bat_bytes_of_buf(&request->against_text), key,
	    &text, error);

	if (code == BAT_OK)
		code = bat_note_checkpoint_parse(text, out, error);
	if (code == BAT_OK)
		return code;
	bat_error_prefix(error, "%s", request->against);
	return BAT_USE_INVALID;
}

static void
print_inclusion(const struct bat_note_proof *proof,
    const struct bat_tlog_record *record,
    const struct bat_note_checkpoint *checkpoint)
{
	char id[33];

	bat_id_to_hex(&record->id, id);
	printf("sequence=%" PRIu64 "\nid=%s\nframe_blake3=", record->seq, id);
	for (size_t i = 0; i < sizeof record->frame.bytes; i++)
		printf("%02x", record->frame.bytes[i]);
	printf("\nindex=%" PRIu64 "\nsize=%" PRIu64 "\n", proof->number,
	    checkpoint->size);
}

/* An inclusion that holds: which event it is, and is it the store's? */
static int
check_event(const struct request *request, const struct bat_note_proof *proof,
    const struct bat_note_checkpoint *checkpoint)
{
	struct bat_tlog_record record;
	struct bat_error error = { .text = "" };
	struct bat_store *store;
	int code = BAT_OK;

	if (proof->extra_length != BAT_TLOG_RECORD_SIZE) {
		bat_error_set(&error, BAT_USE_INVALID,
		    "the entry is no record of an event");
		return tell(BAT_USE_INVALID, &error);
	}
	bat_tlog_record_get(proof->extra, &record);
	if (request->data_dir != NULL) {
		store = open_store(request->data_dir);
		if (store == NULL)
			return BATCTL_CANNOT;
		code = bat_attest_compare(store, &record, &error);
		bat_close(store, NULL);
	}
	print_inclusion(proof, &record, checkpoint);
	if (code != BAT_OK)
		return tell(code, &error);
	printf("proved: the event is number %" PRIu64 " of the %" PRIu64
	       " that %.*s signed%s\n",
	    proof->number, checkpoint->size, (int)checkpoint->origin.length,
	    (const char *)checkpoint->origin.data,
	    request->data_dir != NULL ? ", and here it is" : "");
	return BATCTL_DONE;
}

static int
check(const struct request *request)
{
	struct bat_note_checkpoint old = { .size = 0 }, checkpoint;
	struct bat_error error = { .text = "" };
	struct bat_note_proof proof;
	struct bat_note_key key;
	int code = bat_note_key_parse(bat_bytes_of_buf(&request->key_text),
	    &key, &error);

	if (code == BAT_OK &&
	    bat_note_proof_parse(bat_bytes_of_buf(&request->proof_text), &proof,
		&error) != BAT_OK)
		code = BAT_USE_INVALID;
	if (code == BAT_OK && request->against != NULL)
		code = read_old(request, &key, &old, &error);
	if (code == BAT_OK)
		code = bat_note_proof_verify(&proof, &key,
		    request->against != NULL ? &old : NULL, &checkpoint,
		    &error);
	if (code != BAT_OK)
		return tell(code, &error);
	if (!proof.consistency)
		return check_event(request, &proof, &checkpoint);
	printf("old_size=%" PRIu64 "\nsize=%" PRIu64
	       "\nproved: what %.*s signed later begins with what it signed "
	       "before\n",
	    old.size, checkpoint.size, (int)checkpoint.origin.length,
	    (const char *)checkpoint.origin.data);
	return BATCTL_DONE;
}

int
batfs_batctl_prove(int argc, char **argv)
{
	struct request request = { .data_dir = NULL };
	int status = BATCTL_CANNOT;

	if (!read_arguments(argc, argv, &request))
		return BATCTL_USAGE;
	if (read_files(&request))
		status = request.check != NULL ? check(&request) :
						 prove(&request);
	bat_bytes_free(&request.against_text);
	bat_bytes_free(&request.key_text);
	bat_bytes_free(&request.proof_text);
	return status;
}
