/* Any bytes as a proof, between any sizes. A proof that was made holds, one
 * that was altered does not, and no numbers lead astray who checks one. */
#include "fuzz.h"

#include "merkle.h"

/* The first bytes: what is proved of which tree; the rest: the proof. */
enum { HEAD = 1 + 8 + 8, LEAVES = 200 };

static struct bat_merkle_hash leaves[LEAVES];

static int
subtree(void *context, unsigned level, uint64_t index,
    struct bat_merkle_hash *out)
{
	struct bat_merkle_edge edge = { .size = 0 };
	uint64_t first = index << level;

	(void)context;
	FUZZ_CHECK(level < 8 && first + (UINT64_C(1) << level) <= LEAVES);
	for (uint64_t i = 0; i < UINT64_C(1) << level; i++)
		bat_merkle_add(&edge, &leaves[first + i]);
	*out = bat_merkle_edge_root(&edge);
	return 0;
}

static const struct bat_merkle_source source = { NULL, subtree };

static void
read_proof(struct bat_slice bytes, struct bat_merkle_proof *out)
{
	out->count = 0;
	while (bytes.length >= BAT_MERKLE_HASH_SIZE &&
	    out->count < BAT_MERKLE_PROOF_MAX) {
		memcpy(&out->hashes[out->count++], bytes.data,
		    BAT_MERKLE_HASH_SIZE);
		bytes.data += BAT_MERKLE_HASH_SIZE;
		bytes.length -= BAT_MERKLE_HASH_SIZE;
	}
}

/* A proof of ours for these small numbers, with one bit changed. */
static void
prove(uint64_t index, uint64_t size, uint8_t where, uint8_t mask)
{
	struct bat_merkle_hash root, old_root;
	struct bat_merkle_proof proof;

	FUZZ_CHECK(bat_merkle_root(&source, size, &root) == 0);
	FUZZ_CHECK(
	    bat_merkle_prove_inclusion(&source, index, size, &proof) == 0);
	FUZZ_CHECK(bat_merkle_verify_inclusion(&leaves[index], index, size,
	    &proof, &root));
	if (proof.count > 0 && mask != 0) {
		proof.hashes[where % proof.count].bytes[where % 32] ^= mask;
		FUZZ_CHECK(!bat_merkle_verify_inclusion(&leaves[index], index,
		    size, &proof, &root));
	}
	FUZZ_CHECK(bat_merkle_root(&source, index, &old_root) == 0);
	FUZZ_CHECK(
	    bat_merkle_prove_consistency(&source, index, size, &proof) == 0);
	FUZZ_CHECK(bat_merkle_verify_consistency(index, &old_root, size, &root,
	    &proof));
	if (proof.count > 0 && mask != 0) {
		proof.hashes[where % proof.count].bytes[where % 32] ^= mask;
		FUZZ_CHECK(!bat_merkle_verify_consistency(index, &old_root,
		    size, &root, &proof));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct bat_merkle_proof proof;
	uint64_t a, b, size;

	if (length < HEAD)
		return 0;
	if (leaves[0].bytes[0] == 0)
		for (uint16_t i = 0; i < LEAVES; i++)
			leaves[i] = bat_merkle_leaf(
			    bat_bytes_slice(&i, sizeof(i)));
	a = bat_bytes_get_le64(data + 1);
	b = bat_bytes_get_le64(data + 9);
	read_proof(bat_bytes_slice(data + HEAD, length - HEAD), &proof);
	/* Of a root that nobody has: it must not hold but for a tree that is
	 * its own proof. */
	if (bat_merkle_verify_inclusion(&leaves[0], a, b, &proof, &leaves[1]))
		abort();
	if (bat_merkle_verify_consistency(a, &leaves[0], b, &leaves[1], &proof))
		FUZZ_CHECK(a == 0);
	size = b % LEAVES + 1;
	prove(a % size, size, data[0], length > HEAD ? data[HEAD] : 0);
	return 0;
}
