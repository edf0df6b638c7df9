/*
 * Proofs as text.
 */
#include "note_internal.h"

#define HEAD "c2sp.org/tlog-proof@v1"

/* ---- writing --------------------------------------------------------- */

static int
put_base64_line(struct bat_buf *buf, const char *word, const void *bytes,
    size_t length)
{
	int code = bat_bytes_append_text(buf, word);

	if (code == BAT_OK)
		code = bat_bytes_append_base64(buf, bytes, length);
	return code == BAT_OK ? bat_bytes_append_byte(buf, '\n') : code;
}

static int
put_head(const struct bat_note_proof *proof, struct bat_buf *buf)
{
	int code = BAT_OK;

	if (!proof->consistency)
		code = bat_bytes_append_text(buf, HEAD "\n");
	if (code == BAT_OK && !proof->consistency && proof->extra_length > 0)
		code = put_base64_line(buf, "extra ", proof->extra,
		    proof->extra_length);
	if (code == BAT_OK)
		code = bat_bytes_append_format(buf, "%s %llu\n",
		    proof->consistency ? "old" : "index",
		    (unsigned long long)proof->number);
	return code;
}

int
bat_note_proof_put(const struct bat_note_proof *proof, struct bat_buf *buf)
{
	int code = put_head(proof, buf);

	for (size_t i = 0; code == BAT_OK && i < proof->hashes.count; i++)
		code = put_base64_line(buf, "", proof->hashes.hashes[i].bytes,
		    BAT_MERKLE_HASH_SIZE);
	if (code == BAT_OK)
		code = bat_bytes_append_byte(buf, '\n');
	return code == BAT_OK ? bat_bytes_append_slice(buf, proof->note) : code;
}

/* ---- reading --------------------------------------------------------- */

static int
parse_extra(struct bat_slice text, struct bat_note_proof *out)
{
	struct bat_buf bytes = BAT_BUF_EMPTY;
	int code = text.length / 4 * 3 > BAT_NOTE_EXTRA_MAX + 3 ?
	    BAT_USE_INVALID :
	    bat_bytes_append_unbase64(&bytes, text);

	if (code == BAT_OK &&
	    (bytes.length == 0 || bytes.length > BAT_NOTE_EXTRA_MAX))
		code = BAT_USE_INVALID;
	if (code == BAT_OK) {
		memcpy(out->extra, bytes.data, bytes.length);
		out->extra_length = bytes.length;
	}
	bat_bytes_free(&bytes);
	return code;
}

/* *rest is behind the line with the number. */
static int
parse_head(struct bat_slice *rest, struct bat_note_proof *out)
{
	struct bat_slice line;
	int code = BAT_OK;

	if (!bat_note_cut(rest, '\n', &line))
		return BAT_USE_INVALID;
	out->consistency = !bat_bytes_equal(line, bat_bytes_text(HEAD));
	if (!out->consistency && !bat_note_cut(rest, '\n', &line))
		return BAT_USE_INVALID;
	if (!out->consistency && bat_note_starts_with(&line, "extra ")) {
		code = parse_extra(line, out);
		if (code == BAT_OK && !bat_note_cut(rest, '\n', &line))
			code = BAT_USE_INVALID;
	}
	if (code == BAT_OK &&
	    (!bat_note_starts_with(&line,
		 out->consistency ? "old " : "index ") ||
		!bat_note_parse_number(line, &out->number)))
		code = BAT_USE_INVALID;
	return code;
}

int
bat_note_proof_parse(struct bat_slice text, struct bat_note_proof *out,
    struct bat_error *error)
{
	struct bat_slice line;
	int code;

	*out = (struct bat_note_proof){ .number = 0 };
	code = parse_head(&text, out);
	while (code == BAT_OK) {
		if (!bat_note_cut(&text, '\n', &line))
			code = BAT_USE_INVALID;
		else if (line.length == 0)
			break;
		else if (out->hashes.count == BAT_MERKLE_PROOF_MAX ||
		    !bat_note_decode(line,
			out->hashes.hashes[out->hashes.count++].bytes,
			BAT_MERKLE_HASH_SIZE))
			code = BAT_USE_INVALID;
	}
	out->note = text;
	if (code == BAT_WORLD_NO_MEMORY)
		return bat_error_set(error, code, "no memory for a proof");
	if (code != BAT_OK)
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    "no proof: it begins with `" HEAD
		    "` or `old`, then lines of base64, an empty line, a note");
	return BAT_OK;
}

/* ---- verifying ------------------------------------------------------- */

static int
verify_inclusion(const struct bat_note_proof *proof,
    const struct bat_note_checkpoint *checkpoint, struct bat_error *error)
{
	struct bat_merkle_hash leaf;

	if (proof->extra_length == 0)
		return bat_error_set(error, BAT_USE_INVALID,
		    "the proof has no entry in it (no line `extra`)");
	leaf = bat_merkle_leaf(
	    bat_bytes_slice(proof->extra, proof->extra_length));
	if (!BAT_PLANT(302) &&
	    !bat_merkle_verify_inclusion(&leaf, proof->number, checkpoint->size,
		&proof->hashes, &checkpoint->root))
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    "the entry is not number %llu of the %llu that were signed",
		    (unsigned long long)proof->number,
		    (unsigned long long)checkpoint->size);
	return BAT_OK;
}

static int
verify_consistency(const struct bat_note_proof *proof,
    const struct bat_note_checkpoint *old,
    const struct bat_note_checkpoint *checkpoint, struct bat_error *error)
{
	if (old == NULL || old->size != proof->number)
		return bat_error_set(error, BAT_USE_INVALID,
		    "the proof is for a checkpoint of %llu records",
		    (unsigned long long)proof->number);
	if (!bat_bytes_equal(old->origin, checkpoint->origin) ||
	    !bat_merkle_verify_consistency(old->size, &old->root,
		checkpoint->size, &checkpoint->root, &proof->hashes))
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    "the %llu records that were signed do not begin with the "
		    "%llu of the older checkpoint",
		    (unsigned long long)checkpoint->size,
		    (unsigned long long)old->size);
	return BAT_OK;
}

int
bat_note_proof_verify(const struct bat_note_proof *proof,
    const struct bat_note_key *key, const struct bat_note_checkpoint *old,
    struct bat_note_checkpoint *out_checkpoint, struct bat_error *error)
{
	struct bat_slice text = BAT_SLICE_EMPTY;
	int code = bat_note_open(proof->note, key, &text, error);

	if (code == BAT_OK)
		code = bat_note_checkpoint_parse(text, out_checkpoint, error);
	if (code == BAT_OK &&
	    !bat_bytes_equal(out_checkpoint->origin, bat_bytes_text(key->name)))
		code = bat_error_set(error, BAT_DATA_CORRUPT,
		    "the checkpoint's origin is not the name of its key");
	if (code != BAT_OK)
		return code;
	return proof->consistency ?
	    verify_consistency(proof, old, out_checkpoint, error) :
	    verify_inclusion(proof, out_checkpoint, error);
}
