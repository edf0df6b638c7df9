/*
 * Signed notes (C2SP signed-note), the checkpoints in them (C2SP
 * tlog-checkpoint), and proofs that end in one (note_proof.c): text that one or
 * more keys have signed. Ed25519 only; what
 * other keys signed is passed over.
 *
 *	origin
 *	size of the tree, decimal
 *	root, base64
 *
 *	<em dash> name base64(key id, signature)
 *
 * Keys are written as the Go tools write them: a verifier key is
 * "name+hex of the key id+base64(01, public key)", a signer's
 * "PRIVATE+KEY+name+hex of the key id+base64(01, seed)".
 *
 * Slices that are handed out point into what was given. Threads: any, no
 * state.
 */
#ifndef BAT_NOTE_H
#define BAT_NOTE_H

#include "error.h"
#include "merkle.h"

#define BAT_NOTE_NAME_MAX 255
#define BAT_NOTE_KEY_SIZE 32
#define BAT_NOTE_SIGNATURES_MAX 100
/* Far more than any note of ours. */
#define BAT_NOTE_SIZE_MAX (1u << 20)

struct bat_note_key {
	char name[BAT_NOTE_NAME_MAX + 1];
	uint32_t id;
	uint8_t bytes[BAT_NOTE_KEY_SIZE]; /* the public key */
};

struct bat_note_signer {
	struct bat_note_key key;
	uint8_t seed[BAT_NOTE_KEY_SIZE]; /* secret */
};

/* A signer of this name from 32 random bytes. BAT_USE_INVALID: a name must be
 * UTF-8, 1 to 255 bytes, without spaces and plus signs. */
int bat_note_signer_make(struct bat_slice name,
    const uint8_t seed[BAT_NOTE_KEY_SIZE], struct bat_note_signer *out,
    struct bat_error *error);

/* From text, a newline behind it is no harm; BAT_USE_INVALID. */
int bat_note_key_parse(struct bat_slice text, struct bat_note_key *out,
    struct bat_error *error);
int bat_note_signer_parse(struct bat_slice text, struct bat_note_signer *out,
    struct bat_error *error);
/* Onto buf, without a newline. 0 or BAT_WORLD_NO_MEMORY. */
int bat_note_key_put(const struct bat_note_key *key, struct bat_buf *buf);
int bat_note_signer_put(const struct bat_note_signer *signer,
    struct bat_buf *buf);
bool bat_note_key_equal(const struct bat_note_key *a,
    const struct bat_note_key *b);

/* The note of a text, which ends in a newline, onto buf. */
int bat_note_sign(const struct bat_note_signer *signer, struct bat_slice text,
    struct bat_buf *buf);
/*
 * The text of a note. key: must have signed it; NULL: nobody is asked, the
 * caller has another reason to believe it.
 * 0; BAT_DATA_CORRUPT (it is no note, or a signature of the key is wrong);
 * BAT_STATE_NOT_FOUND (the key has not signed it); BAT_WORLD_NO_MEMORY.
 */
int bat_note_open(struct bat_slice note, const struct bat_note_key *key,
    struct bat_slice *out_text, struct bat_error *error);

struct bat_note_checkpoint {
	struct bat_slice origin;
	uint64_t size;
	struct bat_merkle_hash root;
};

/* The text of a checkpoint, onto buf. */
int bat_note_checkpoint_put(const struct bat_note_checkpoint *checkpoint,
    struct bat_buf *buf);
/* Lines behind the third are passed over. BAT_DATA_CORRUPT. */
int bat_note_checkpoint_parse(struct bat_slice text,
    struct bat_note_checkpoint *out, struct bat_error *error);

/*
 * A proof that can be verified with nothing but a key. Of inclusion, as C2SP
 * tlog-proof writes it: an entry is in the tree of the checkpoint. Of
 * consistency, as C2SP tlog-witness writes it in a request: the tree of the
 * checkpoint begins with that of an older one.
 *
 *	c2sp.org/tlog-proof@v1		old <its size>
 *	extra <base64>
 *	index <of the entry>
 *	<base64 of a hash> ...		<base64 of a hash> ...
 *
 *	<the checkpoint, a note>	<the checkpoint, a note>
 */
#define BAT_NOTE_EXTRA_MAX 1024
struct bat_note_proof {
	bool consistency; /* else of inclusion */
	uint64_t number;  /* index of the entry; size of the older tree */
	uint8_t extra[BAT_NOTE_EXTRA_MAX]; /* inclusion: the entry */
	size_t extra_length;		   /* 0: it is not there */
	struct bat_merkle_proof hashes;
	struct bat_slice note;
};
/* Onto buf: 0 or BAT_WORLD_NO_MEMORY. */
int bat_note_proof_put(const struct bat_note_proof *proof, struct bat_buf *buf);
/* BAT_DATA_CORRUPT. */
int bat_note_proof_parse(struct bat_slice text, struct bat_note_proof *out,
    struct bat_error *error);
/*
 * Does it prove it? The entry is `extra`. old: of consistency, the checkpoint
 * that is claimed to be the beginning; else NULL. out_checkpoint points into
 * the note.
 * 0; BAT_DATA_CORRUPT (it does not; a signature of the key is wrong);
 * BAT_STATE_NOT_FOUND (the key has not signed it); BAT_USE_INVALID (there is no
 * entry in it, or old is of another size); BAT_WORLD_NO_MEMORY.
 */
int bat_note_proof_verify(const struct bat_note_proof *proof,
    const struct bat_note_key *key, const struct bat_note_checkpoint *old,
    struct bat_note_checkpoint *out_checkpoint, struct bat_error *error);

#endif
