/*
 * The arithmetic of a transparency log: the Merkle tree of RFC 6962 over
 * SHA-256, its roots and its proofs. No I/O; hashes of the tree come from the
 * caller.
 *
 * Words: a tree of `size` leaves; a subtree (level, index) is complete, over
 * the leaves from index << level, 1 << level of them; level 0 is a leaf's hash.
 *
 * Calling sequence of an edge: zeroed, bat_merkle_add for each leaf in order,
 * bat_merkle_edge_root at any time. Threads: any, no state.
 */
#ifndef BAT_MERKLE_H
#define BAT_MERKLE_H

#include "bytes.h"

#define BAT_MERKLE_HASH_SIZE 32
#define BAT_MERKLE_LEVELS 64

struct bat_merkle_hash {
	uint8_t bytes[BAT_MERKLE_HASH_SIZE];
};

/* SHA-256, for whom a tree is not what is wanted. */
struct bat_merkle_hash bat_merkle_sha256(struct bat_slice bytes);
/* Of a tree without leaves; of a leaf (0x00 in front of its bytes); of a node
 * (0x01 in front of both hashes below it). */
struct bat_merkle_hash bat_merkle_empty(void);
struct bat_merkle_hash bat_merkle_leaf(struct bat_slice bytes);
struct bat_merkle_hash bat_merkle_node(const struct bat_merkle_hash *left,
    const struct bat_merkle_hash *right);
bool bat_merkle_equal(const struct bat_merkle_hash *a,
    const struct bat_merkle_hash *b);

/* The right edge of a growing tree: peaks[i], where bit i of size is set, is
 * the complete subtree of level i that no other one holds. */
struct bat_merkle_edge {
	uint64_t size;
	struct bat_merkle_hash peaks[BAT_MERKLE_LEVELS];
};

void bat_merkle_add(struct bat_merkle_edge *edge,
    const struct bat_merkle_hash *leaf);
struct bat_merkle_hash bat_merkle_edge_root(const struct bat_merkle_edge *edge);

/* Where hashes of complete subtrees come from. Its failures are handed back by
 * the functions below. */
struct bat_merkle_source {
	void *context;
	int (*subtree)(void *context, unsigned level, uint64_t index,
	    struct bat_merkle_hash *out);
};

/* The root of the first size leaves. */
int bat_merkle_root(const struct bat_merkle_source *source, uint64_t size,
    struct bat_merkle_hash *out);

/* Hashes in the order of RFC 6962, 2.1.1 and 2.1.2. */
#define BAT_MERKLE_PROOF_MAX (BAT_MERKLE_LEVELS + 1)
struct bat_merkle_proof {
	size_t count;
	struct bat_merkle_hash hashes[BAT_MERKLE_PROOF_MAX];
};

/* That leaf index is in the tree of size leaves; index < size. */
int bat_merkle_prove_inclusion(const struct bat_merkle_source *source,
    uint64_t index, uint64_t size, struct bat_merkle_proof *out);
/* That the tree of old_size leaves is the beginning of that of size; old_size
 * <= size. Of an empty tree, and of equal ones, the proof is empty. */
int bat_merkle_prove_consistency(const struct bat_merkle_source *source,
    uint64_t old_size, uint64_t size, struct bat_merkle_proof *out);

/* Does the proof prove it? These believe nothing: any numbers, any proof. */
bool bat_merkle_verify_inclusion(const struct bat_merkle_hash *leaf,
    uint64_t index, uint64_t size, const struct bat_merkle_proof *proof,
    const struct bat_merkle_hash *root);
bool bat_merkle_verify_consistency(uint64_t old_size,
    const struct bat_merkle_hash *old_root, uint64_t size,
    const struct bat_merkle_hash *root, const struct bat_merkle_proof *proof);

#endif
