/*
 * Stored names (entities, scopes, kinds) to names in the tree and back; each
 * stored name has exactly one (DESIGN.md, "Names").
 *
 * Percent-encoded, upper hex: '%', a leading '.' or '-', U+0080 to U+009F
 * (each byte of the character), the first letter of "CACHEDIR.TAG", and the
 * '~' of a stored name that ends like a shortened one. A name of more than 200
 * bytes once encoded is cut to 183 bytes or fewer (never within a character
 * or a %XX), then '~' and 16 lower hex digits: the first 8 bytes of the BLAKE3
 * of the stored name.
 *
 * Threads: any, no state.
 */
#ifndef BATFS_NAME_H
#define BATFS_NAME_H

#include "bat.h"

#define BATFS_NAME_MAX 200 /* bytes of a name in the tree */

/* Append the tree's name of a stored one. 0 or BAT_WORLD_NO_MEMORY. */
int batfs_name_encode(struct bat_slice stored, struct bat_buf *buf);
/* Is its tree name a shortened one (not decodable)? */
bool batfs_name_is_long(struct bat_slice stored);
/* Does a tree name look like a shortened one: 16 lower hex digits behind '~'
 * (unencoded)? */
bool batfs_name_looks_shortened(struct bat_slice tree_name);
/*
 * Strictly back: only the one spelling that encode gives. A shortened name
 * cannot be decoded: the caller finds it among the long names that exist.
 * Returns 0; BAT_STATE_NOT_FOUND for any other spelling; BAT_WORLD_NO_MEMORY.
 */
int batfs_name_decode(struct bat_slice tree_name, struct bat_buf *buf);

/*
 * Split a typed name at the first ",word=" (word: a-z only): *out_stem is what
 * stands before it, *out_words what stands behind that comma, empty if there
 * is none. No stored name holds '=', so this is unambiguous.
 */
void batfs_name_split_words(struct bat_slice typed, struct bat_slice *out_stem,
    struct bat_slice *out_words);
/* One word=value of a comma list; a new word starts only at ",word=". 0 an
 * item, BAT_END, BAT_USE_INVALID. *rest is moved on. */
int batfs_name_next_word(struct bat_slice *rest, struct bat_slice *out_key,
    struct bat_slice *out_value);

/* A decimal number without sign or leading zeros (or "0"), and one of exactly
 * `digits` digits or more without superfluous zeros ("000000000042"). */
bool batfs_name_number(struct bat_slice text, uint64_t *out);
bool batfs_name_padded(struct bat_slice text, unsigned digits, uint64_t *out);

#endif
