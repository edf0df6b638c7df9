#include "merkle.h"

#include <sodium.h>

#include "error.h"

/* ---- hashes ---------------------------------------------------------- */

_Static_assert(crypto_hash_sha256_BYTES == BAT_MERKLE_HASH_SIZE, "SHA-256");

struct bat_merkle_hash
bat_merkle_sha256(struct bat_slice bytes)
{
	struct bat_merkle_hash hash;

	crypto_hash_sha256(hash.bytes, bytes.data, bytes.length);
	return hash;
}

struct bat_merkle_hash
bat_merkle_empty(void)
{
	return bat_merkle_sha256(BAT_SLICE_EMPTY);
}

/* So that no leaf is taken for a node, nor the other way round. */
static struct bat_merkle_hash
hash_behind(uint8_t mark, struct bat_slice first, struct bat_slice second)
{
	crypto_hash_sha256_state state;
	struct bat_merkle_hash hash;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, &mark, 1);
	crypto_hash_sha256_update(&state, first.data, first.length);
	crypto_hash_sha256_update(&state, second.data, second.length);
	crypto_hash_sha256_final(&state, hash.bytes);
	return hash;
}

struct bat_merkle_hash
bat_merkle_leaf(struct bat_slice bytes)
{
	return hash_behind(0x00, bytes, BAT_SLICE_EMPTY);
}

struct bat_merkle_hash
bat_merkle_node(const struct bat_merkle_hash *left,
    const struct bat_merkle_hash *right)
{
	return hash_behind(0x01,
	    bat_bytes_slice(left->bytes, BAT_MERKLE_HASH_SIZE),
	    bat_bytes_slice(right->bytes, BAT_MERKLE_HASH_SIZE));
}

bool
bat_merkle_equal(const struct bat_merkle_hash *a,
    const struct bat_merkle_hash *b)
{
	return memcmp(a->bytes, b->bytes, BAT_MERKLE_HASH_SIZE) == 0;
}

/* ---- the right edge -------------------------------------------------- */

void
bat_merkle_add(struct bat_merkle_edge *edge, const struct bat_merkle_hash *leaf)
{
	struct bat_merkle_hash hash = *leaf;
	unsigned level = 0;

	for (; (edge->size >> level & 1) != 0; level++)
		hash = bat_merkle_node(&edge->peaks[level], &hash);
	edge->peaks[level] = hash;
	edge->size++;
}

struct bat_merkle_hash
bat_merkle_edge_root(const struct bat_merkle_edge *edge)
{
	struct bat_merkle_hash root = bat_merkle_empty();
	bool started = false;

	for (unsigned level = 0; level < BAT_MERKLE_LEVELS; level++) {
		if ((edge->size >> level & 1) == 0)
			continue;
		root = started ? bat_merkle_node(&edge->peaks[level], &root) :
				 edge->peaks[level];
		started = true;
	}
	return root;
}

/* ---- roots and proofs ------------------------------------------------ */

/*
 * The hash over leaves [begin, end), where begin is a multiple of the power of
 * two that end - begin does not exceed: the subtrees that it falls into are
 * the bits of its length, the largest first.
 */
static int
hash_range(const struct bat_merkle_source *source, uint64_t begin, uint64_t end,
    struct bat_merkle_hash *out)
{
	uint64_t length = end - begin;
	bool started = false;

	*out = bat_merkle_empty();
	for (unsigned level = 0; level < BAT_MERKLE_LEVELS; level++) {
		struct bat_merkle_hash hash;
		int code;

		if ((length >> level & 1) == 0)
			continue;
		end -= UINT64_C(1) << level;
		code = source->subtree(source->context, level, end >> level,
		    &hash);
		if (code != BAT_OK)
			return code;
		*out = started ? bat_merkle_node(&hash, out) : hash;
		started = true;
	}
	return BAT_OK;
}

int
bat_merkle_root(const struct bat_merkle_source *source, uint64_t size,
    struct bat_merkle_hash *out)
{
	return hash_range(source, 0, size, out);
}

/* The greatest power of two below length, which is 2 or more. */
static uint64_t
split(uint64_t length)
{
	uint64_t half = 1;

	while (half < length - half)
		half *= 2;
	return half;
}

/* What was found from the root down is told from the leaf up. */
static void
turn_round(struct bat_merkle_proof *proof)
{
	for (size_t i = 0; i < proof->count / 2; i++) {
		struct bat_merkle_hash hash = proof->hashes[i];

		proof->hashes[i] = proof->hashes[proof->count - 1 - i];
		proof->hashes[proof->count - 1 - i] = hash;
	}
}

int
bat_merkle_prove_inclusion(const struct bat_merkle_source *source,
    uint64_t index, uint64_t size, struct bat_merkle_proof *out)
{
	uint64_t begin = 0, end = size;
	int code = BAT_OK;

	out->count = 0;
	if (index >= size)
		return BAT_USE_INVALID;
	while (code == BAT_OK && end - begin > 1) {
		uint64_t middle = begin + split(end - begin);
		struct bat_merkle_hash *hash = &out->hashes[out->count++];

		if (index < middle) {
			code = hash_range(source, middle, end, hash);
			end = middle;
		} else {
			code = hash_range(source, begin, middle, hash);
			begin = middle;
		}
	}
	turn_round(out);
	return code;
}

int
bat_merkle_prove_consistency(const struct bat_merkle_source *source,
    uint64_t old_size, uint64_t size, struct bat_merkle_proof *out)
{
	uint64_t begin = 0, end = size;
	int code = BAT_OK;

	out->count = 0;
	if (old_size > size)
		return BAT_USE_INVALID;
	if (old_size == 0)
		return BAT_OK;
	while (code == BAT_OK && old_size < end) {
		uint64_t middle = begin + split(end - begin);
		struct bat_merkle_hash *hash = &out->hashes[out->count++];

		if (old_size <= middle) {
			code = hash_range(source, middle, end, hash);
			end = middle;
		} else {
			code = hash_range(source, begin, middle, hash);
			begin = middle;
		}
	}
	/* Where it is the old tree whole, who verifies has that root. */
	if (code == BAT_OK && begin > 0)
		code = hash_range(source, begin, end,
		    &out->hashes[out->count++]);
	turn_round(out);
	return code;
}

/* ---- verifying (RFC 9162, 2.1.3.2 and 2.1.4.2) ------------------------ */

bool
bat_merkle_verify_inclusion(const struct bat_merkle_hash *leaf, uint64_t index,
    uint64_t size, const struct bat_merkle_proof *proof,
    const struct bat_merkle_hash *root)
{
	uint64_t at = index, last = size - 1;
	struct bat_merkle_hash hash = *leaf;

	if (index >= size || proof->count > BAT_MERKLE_PROOF_MAX)
		return false;
	for (size_t i = 0; i < proof->count; i++) {
		if (last == 0)
			return false;
		if ((at & 1) != 0 || at == last) {
			hash = bat_merkle_node(&proof->hashes[i], &hash);
			while ((at & 1) == 0 && at != 0 && !BAT_PLANT(142)) {
				at >>= 1;
				last >>= 1;
			}
		} else {
			hash = bat_merkle_node(&hash, &proof->hashes[i]);
		}
		at >>= 1;
		last >>= 1;
	}
	return last == 0 && bat_merkle_equal(&hash, root);
}

/* 0 < old_size < size. */
static bool
verify_growth(uint64_t old_size, const struct bat_merkle_hash *old_root,
    uint64_t size, const struct bat_merkle_hash *root,
    const struct bat_merkle_proof *proof)
{
	uint64_t at = old_size - 1, last = size - 1;
	bool whole = (old_size & (old_size - 1)) == 0;
	struct bat_merkle_hash before, after;
	size_t i = whole ? 0 : 1;

	if (!whole && proof->count == 0)
		return false;
	before = after = whole ? *old_root : proof->hashes[0];
	for (; (at & 1) != 0; at >>= 1)
		last >>= 1;
	for (; i < proof->count; i++) {
		const struct bat_merkle_hash *hash = &proof->hashes[i];

		if (last == 0)
			return false;
		if ((at & 1) != 0 || at == last) {
			before = bat_merkle_node(hash, &before);
			after = bat_merkle_node(hash, &after);
			while ((at & 1) == 0 && at != 0) {
				at >>= 1;
				last >>= 1;
			}
		} else {
			after = bat_merkle_node(&after, hash);
		}
		at >>= 1;
		last >>= 1;
	}
	return last == 0 && bat_merkle_equal(&before, old_root) &&
	    bat_merkle_equal(&after, root);
}

bool
bat_merkle_verify_consistency(uint64_t old_size,
    const struct bat_merkle_hash *old_root, uint64_t size,
    const struct bat_merkle_hash *root, const struct bat_merkle_proof *proof)
{
	struct bat_merkle_hash empty = bat_merkle_empty();

	if (old_size > size || proof->count > BAT_MERKLE_PROOF_MAX)
		return false;
	if (old_size == 0)
		return proof->count == 0 && bat_merkle_equal(old_root, &empty);
	if (old_size == size)
		return proof->count == 0 && bat_merkle_equal(old_root, root);
	return verify_growth(old_size, old_root, size, root, proof);
}
