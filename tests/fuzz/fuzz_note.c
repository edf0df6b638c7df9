/* Any bytes as a signed note, as keys and as a checkpoint, as a proof. Nobody's note is
 * taken for signed; what parses is printed as it was. */
#include "fuzz.h"

#include "note.h"

static const uint8_t seed[BAT_NOTE_KEY_SIZE] = { 7 };

/* signer NULL: of a text that nobody could sign. */
static void
look_at_checkpoint(struct bat_slice text, const struct bat_note_signer *signer)
{
	struct bat_note_checkpoint checkpoint, twin;
	struct bat_buf printed = BAT_BUF_EMPTY, note = BAT_BUF_EMPTY;
	struct bat_slice signed_text;

	if (bat_note_checkpoint_parse(text, &checkpoint, NULL) != 0)
		return;
	FUZZ_CHECK(bat_note_checkpoint_put(&checkpoint, &printed) == 0);
	FUZZ_CHECK(printed.length <= text.length);
	FUZZ_CHECK(memcmp(printed.data, text.data, printed.length) == 0);
	if (signer != NULL &&
	    bat_note_sign(signer, bat_bytes_of_buf(&printed), &note) == 0) {
		FUZZ_CHECK(bat_note_open(bat_bytes_of_buf(&note), &signer->key,
			       &signed_text, NULL) == 0);
		FUZZ_CHECK(
		    bat_note_checkpoint_parse(signed_text, &twin, NULL) == 0);
		FUZZ_CHECK(twin.size == checkpoint.size &&
		    bat_merkle_equal(&twin.root, &checkpoint.root));
	}
	bat_bytes_free(&printed);
	bat_bytes_free(&note);
}

static void
look_at_keys(struct bat_slice text)
{
	struct bat_buf printed = BAT_BUF_EMPTY;
	struct bat_note_signer signer, same_signer;
	struct bat_note_key key, same;

	if (bat_note_key_parse(text, &key, NULL) == 0) {
		FUZZ_CHECK(bat_note_key_put(&key, &printed) == 0);
		FUZZ_CHECK(bat_note_key_parse(bat_bytes_of_buf(&printed), &same,
			       NULL) == 0);
		FUZZ_CHECK(bat_note_key_equal(&key, &same));
	}
	bat_bytes_clear(&printed);
	if (bat_note_signer_parse(text, &signer, NULL) == 0) {
		FUZZ_CHECK(bat_note_signer_put(&signer, &printed) == 0);
		FUZZ_CHECK(bat_note_signer_parse(bat_bytes_of_buf(&printed),
			       &same_signer, NULL) == 0);
		FUZZ_CHECK(bat_note_key_equal(&signer.key, &same_signer.key));
	}
	bat_bytes_free(&printed);
}

static void
look_at_proof(struct bat_slice text, const struct bat_note_key *key)
{
	struct bat_note_checkpoint checkpoint;
	struct bat_buf printed = BAT_BUF_EMPTY;
	struct bat_note_proof proof;

	if (bat_note_proof_parse(text, &proof, NULL) != 0)
		return;
	FUZZ_CHECK(bat_note_proof_put(&proof, &printed) == 0);
	FUZZ_CHECK(bat_bytes_equal(bat_bytes_of_buf(&printed), text));
	FUZZ_CHECK(
	    bat_note_proof_verify(&proof, key, NULL, &checkpoint, NULL) != 0);
	bat_bytes_free(&printed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct bat_slice input = bat_bytes_slice(data, length), text;
	struct bat_note_signer signer;

	FUZZ_CHECK(bat_note_signer_make(bat_bytes_text("fuzz.example"), seed,
		       &signer, NULL) == 0);
	if (bat_note_open(input, NULL, &text, NULL) == 0) {
		FUZZ_CHECK(text.data >= data &&
		    text.data + text.length <= data + length);
		look_at_checkpoint(text, &signer);
	}
	look_at_checkpoint(input, NULL);
	look_at_keys(input);
	look_at_proof(input, &signer.key);
	return 0;
}
