#include "note.h"

#include <sodium.h>
#include <stdio.h>

#include "note_internal.h"

#define DASH "\xe2\x80\x94 " /* U+2014, space */
#define ED25519 0x01
#define PRIVATE "PRIVATE+KEY+"

_Static_assert(crypto_sign_ed25519_SEEDBYTES == BAT_NOTE_KEY_SIZE, "Ed25519");
_Static_assert(crypto_sign_ed25519_PUBLICKEYBYTES == BAT_NOTE_KEY_SIZE,
    "Ed25519");

/* ---- text ------------------------------------------------------------ */

bool
bat_note_cut(struct bat_slice *rest, char mark, struct bat_slice *out)
{
	const uint8_t *end = rest->length == 0 ?
	    NULL :
	    memchr(rest->data, mark, rest->length);

	if (end == NULL)
		return false;
	*out = bat_bytes_slice(rest->data, (size_t)(end - rest->data));
	*rest = bat_bytes_slice(end + 1, rest->length - out->length - 1);
	return true;
}

bool
bat_note_starts_with(struct bat_slice *text, const char *start)
{
	struct bat_slice wanted = bat_bytes_text(start);

	if (text->length < wanted.length ||
	    memcmp(text->data, wanted.data, wanted.length) != 0)
		return false;
	text->data += wanted.length;
	text->length -= wanted.length;
	return true;
}

/* Is it one of Unicode's spaces that begins here? */
static bool
is_space(struct bat_slice text)
{
	static const char *const spaces[] = { "\xc2\x85", "\xc2\xa0",
		"\xe1\x9a\x80", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
		"\xe2\x81\x9f", "\xe3\x80\x80" };

	if (text.data[0] <= ' ')
		return true;
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		struct bat_slice rest = text;

		if (bat_note_starts_with(&rest, spaces[i]))
			return true;
	}
	return bat_note_starts_with(&text, "\xe2\x80") && text.length > 0 &&
	    text.data[0] >= 0x80 && text.data[0] <= 0x8a;
}

static bool
is_name(struct bat_slice name)
{
	if (name.length == 0 || name.length > BAT_NOTE_NAME_MAX ||
	    !bat_bytes_is_utf8(name))
		return false;
	for (size_t i = 0; i < name.length; i++)
		if (name.data[i] == '+' ||
		    is_space(bat_bytes_slice(name.data + i, name.length - i)))
			return false;
	return true;
}

bool
bat_note_decode(struct bat_slice text, uint8_t *out, size_t length)
{
	uint8_t bytes[3 * ((NOTE_DECODE_MAX + 2) / 3)];
	size_t found;
	bool good = text.length <= sizeof(bytes) / 3 * 4 &&
	    bat_bytes_unbase64(text, bytes, &found) && found == length;

	if (good)
		memcpy(out, bytes, length);
	sodium_memzero(bytes, sizeof(bytes));
	return good;
}

/* ---- keys ------------------------------------------------------------ */

static uint32_t
id_of(const struct bat_note_key *key)
{
	static const uint8_t behind_name[] = { '\n', ED25519 };
	crypto_hash_sha256_state state;
	uint8_t hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const uint8_t *)key->name,
	    strlen(key->name));
	crypto_hash_sha256_update(&state, behind_name, sizeof(behind_name));
	crypto_hash_sha256_update(&state, key->bytes, sizeof(key->bytes));
	crypto_hash_sha256_final(&state, hash);
	return bat_bytes_get_be32(hash);
}

int
bat_note_signer_make(struct bat_slice name,
    const uint8_t seed[BAT_NOTE_KEY_SIZE], struct bat_note_signer *out,
    struct bat_error *error)
{
	uint8_t secret[crypto_sign_ed25519_SECRETKEYBYTES];

	if (!is_name(name))
		return bat_error_set(error, BAT_USE_INVALID,
		    "a key's name is 1 to %d bytes without spaces and +",
		    BAT_NOTE_NAME_MAX);
	*out = (struct bat_note_signer){ .key = { .id = 0 } };
	memcpy(out->key.name, name.data, name.length);
	memcpy(out->seed, seed, BAT_NOTE_KEY_SIZE);
	(void)crypto_sign_ed25519_seed_keypair(out->key.bytes, secret, seed);
	sodium_memzero(secret, sizeof(secret));
	out->key.id = id_of(&out->key);
	return BAT_OK;
}

/* Name, id and 32 bytes: what both kinds of keys consist of. */
static bool
parse_parts(struct bat_slice text, struct bat_slice *name, uint32_t *id,
    uint8_t bytes[BAT_NOTE_KEY_SIZE])
{
	uint8_t typed[1 + BAT_NOTE_KEY_SIZE];
	struct bat_slice digits;

	if (text.length > 0 && text.data[text.length - 1] == '\n')
		text.length--;
	if (!bat_note_cut(&text, '+', name) || !is_name(*name) ||
	    !bat_note_cut(&text, '+', &digits) || digits.length != 8 ||
	    !bat_note_decode(text, typed, sizeof(typed)) || typed[0] != ED25519)
		return false;
	*id = 0;
	for (size_t i = 0; i < digits.length; i++) {
		uint8_t c = digits.data[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
		*id = *id << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	memcpy(bytes, typed + 1, BAT_NOTE_KEY_SIZE);
	sodium_memzero(typed, sizeof(typed));
	return true;
}

int
bat_note_key_parse(struct bat_slice text, struct bat_note_key *out,
    struct bat_error *error)
{
	struct bat_slice name;

	*out = (struct bat_note_key){ .id = 0 };
	if (!parse_parts(text, &name, &out->id, out->bytes))
		return bat_error_set(error, BAT_USE_INVALID,
		    "no verifier key of the form name+hash+key");
	memcpy(out->name, name.data, name.length);
	if (out->id != id_of(out))
		return bat_error_set(error, BAT_USE_INVALID,
		    "the verifier key's hash is not that of the key");
	return BAT_OK;
}

int
bat_note_signer_parse(struct bat_slice text, struct bat_note_signer *out,
    struct bat_error *error)
{
	uint8_t seed[BAT_NOTE_KEY_SIZE];
	struct bat_slice name;
	uint32_t id;
	int code;

	if (!bat_note_starts_with(&text, PRIVATE) ||
	    !parse_parts(text, &name, &id, seed))
		return bat_error_set(error, BAT_USE_INVALID,
		    "no signing key of the form PRIVATE+KEY+name+hash+key");
	code = bat_note_signer_make(name, seed, out, error);
	sodium_memzero(seed, sizeof(seed));
	if (code == BAT_OK && id != out->key.id)
		code = bat_error_set(error, BAT_USE_INVALID,
		    "the signing key's hash is not that of the key");
	return code;
}

static int
put_parts(const struct bat_note_key *key, const uint8_t *bytes,
    struct bat_buf *buf)
{
	uint8_t typed[1 + BAT_NOTE_KEY_SIZE] = { ED25519 };
	int code = bat_bytes_append_format(buf, "%s+%08lx+", key->name,
	    (unsigned long)key->id);

	memcpy(typed + 1, bytes, BAT_NOTE_KEY_SIZE);
	if (code == BAT_OK)
		code = bat_bytes_append_base64(buf, typed, sizeof(typed));
	sodium_memzero(typed, sizeof(typed));
	return code;
}

int
bat_note_key_put(const struct bat_note_key *key, struct bat_buf *buf)
{
	return put_parts(key, key->bytes, buf);
}

int
bat_note_signer_put(const struct bat_note_signer *signer, struct bat_buf *buf)
{
	int code = bat_bytes_append_text(buf, PRIVATE);

	return code == BAT_OK ? put_parts(&signer->key, signer->seed, buf) :
				code;
}

bool
bat_note_key_equal(const struct bat_note_key *a, const struct bat_note_key *b)
{
	return a->id == b->id && strcmp(a->name, b->name) == 0 &&
	    memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* ---- notes ----------------------------------------------------------- */

#define SIGNED_SIZE (4 + crypto_sign_ed25519_BYTES)

int
bat_note_sign(const struct bat_note_signer *signer, struct bat_slice text,
    struct bat_buf *buf)
{
	uint8_t public[crypto_sign_ed25519_PUBLICKEYBYTES];
	uint8_t secret[crypto_sign_ed25519_SECRETKEYBYTES];
	uint8_t blob[SIGNED_SIZE];
	int code = bat_bytes_append_slice(buf, text);

	(void)crypto_sign_ed25519_seed_keypair(public, secret, signer->seed);
	bat_bytes_put_be(blob, signer->key.id, 4);
	(void)crypto_sign_ed25519_detached(blob + 4, NULL, text.data,
	    text.length, secret);
	sodium_memzero(secret, sizeof(secret));
	if (code == BAT_OK)
		code = bat_bytes_append_format(buf, "\n" DASH "%s ",
		    signer->key.name);
	if (code == BAT_OK)
		code = bat_bytes_append_base64(buf, blob, sizeof(blob));
	return code == BAT_OK ? bat_bytes_append_byte(buf, '\n') : code;
}

static bool
is_text(struct bat_slice note)
{
	if (note.length == 0 || note.length > BAT_NOTE_SIZE_MAX ||
	    note.data[note.length - 1] != '\n' || !bat_bytes_is_utf8(note))
		return false;
	for (size_t i = 0; i < note.length; i++)
		if (note.data[i] < ' ' && note.data[i] != '\n')
			return false;
	return true;
}

/* The text ends before the last empty line. */
static bool
split_note(struct bat_slice note, struct bat_slice *text,
    struct bat_slice *signatures)
{
	if (!is_text(note))
		return false;
	for (size_t i = note.length - 1; i > 0; i--) {
		if (note.data[i] != '\n' || note.data[i - 1] != '\n')
			continue;
		*text = bat_bytes_slice(note.data, i);
		*signatures = bat_bytes_slice(note.data + i + 1,
		    note.length - i - 1);
		return signatures->length > 0;
	}
	return false;
}

/* One line: is it a signature at all; is it the key's, and a good one? */
static int
look_at_signature(struct bat_slice line, struct bat_slice text,
    const struct bat_note_key *key, bool *found)
{
	struct bat_buf blob = BAT_BUF_EMPTY;
	struct bat_slice name;
	int code = BAT_DATA_CORRUPT;

	if (!bat_note_starts_with(&line, DASH) ||
	    !bat_note_cut(&line, ' ', &name) || !is_name(name))
		return code;
	code = bat_bytes_append_unbase64(&blob, line);
	if (code == BAT_USE_INVALID || (code == BAT_OK && blob.length < 5))
		code = BAT_DATA_CORRUPT;
	if (code == BAT_OK && key != NULL &&
	    bat_bytes_equal(name, bat_bytes_text(key->name)) &&
	    bat_bytes_get_be32(blob.data) == key->id) {
		*found = true;
		if (blob.length != SIGNED_SIZE ||
		    crypto_sign_ed25519_verify_detached(blob.data + 4,
			text.data, text.length, key->bytes) != 0)
			code = BAT_DATA_CORRUPT;
	}
	bat_bytes_free(&blob);
	return code;
}

int
bat_note_open(struct bat_slice note, const struct bat_note_key *key,
    struct bat_slice *out_text, struct bat_error *error)
{
	struct bat_slice text, rest, line;
	bool found = false;
	int code = BAT_OK;
	unsigned count = 0;

	if (!split_note(note, &text, &rest))
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    "no signed note: text, an empty line, signatures");
	while (code == BAT_OK && bat_note_cut(&rest, '\n', &line)) {
		if (++count > BAT_NOTE_SIGNATURES_MAX)
			return bat_error_set(error, BAT_DATA_CORRUPT,
			    "the note has more than %d signatures",
			    BAT_NOTE_SIGNATURES_MAX);
		code = look_at_signature(line, text, key, &found);
	}
	if (code == BAT_DATA_CORRUPT)
		return bat_error_set(error, code, "%s",
		    found ? "the note's signature is wrong" :
			    "a line of the note is no signature");
	if (code != BAT_OK)
		return bat_error_set(error, code, "no memory for a note");
	if (key != NULL && !found)
		return bat_error_set(error, BAT_STATE_NOT_FOUND,
		    "the key %s+%08lx has not signed the note", key->name,
		    (unsigned long)key->id);
	*out_text = text;
	return BAT_OK;
}

/* ---- checkpoints ----------------------------------------------------- */

int
bat_note_checkpoint_put(const struct bat_note_checkpoint *checkpoint,
    struct bat_buf *buf)
{
	int code = bat_bytes_append_slice(buf, checkpoint->origin);

	if (code == BAT_OK)
		code = bat_bytes_append_format(buf, "\n%llu\n",
		    (unsigned long long)checkpoint->size);
	if (code == BAT_OK)
		code = bat_bytes_append_base64(buf, checkpoint->root.bytes,
		    sizeof(checkpoint->root.bytes));
	return code == BAT_OK ? bat_bytes_append_byte(buf, '\n') : code;
}

bool
bat_note_parse_number(struct bat_slice text, uint64_t *out)
{
	if (text.length == 0 || (text.data[0] == '0' && text.length > 1))
		return false;
	*out = 0;
	for (size_t i = 0; i < text.length; i++) {
		uint8_t digit = (uint8_t)(text.data[i] - '0');

		if (digit > 9 || !bat_bytes_multiply(*out, 10, out) ||
		    !bat_bytes_add(*out, digit, out))
			return false;
	}
	return true;
}

int
bat_note_checkpoint_parse(struct bat_slice text,
    struct bat_note_checkpoint *out, struct bat_error *error)
{
	struct bat_slice size, root, line;

	if (!bat_note_cut(&text, '\n', &out->origin) ||
	    out->origin.length == 0 || !bat_note_cut(&text, '\n', &size) ||
	    !bat_note_parse_number(size, &out->size) ||
	    !bat_note_cut(&text, '\n', &root) ||
	    !bat_note_decode(root, out->root.bytes, sizeof(out->root.bytes)))
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    "no checkpoint: origin, size and root, a line each");
	while (bat_note_cut(&text, '\n', &line))
		if (line.length == 0)
			return bat_error_set(error, BAT_DATA_CORRUPT,
			    "no checkpoint: an empty line in it");
	return BAT_OK;
}
