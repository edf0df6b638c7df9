/*
 * The tree of RFC 6962: the vectors that implementations of Certificate
 * Transparency share, and all proofs of all trees up to a few hundred leaves.
 */
#include "merkle.h"

#include <check.h>
#include <stdlib.h>

#include "error.h"
#include "hex.h"
#include "suite.h"

/* ---- published vectors ----------------------------------------------- */

static const struct {
	const char *bytes; /* hex */
	const char *root;  /* of the tree that ends with it */
} leaves[] = {
	{ "",
	    "6e340b9cffb37a989ca544e6bb780a2c"
	    "78901d3fb33738768511a30617afa01d" },
	{ "00",
	    "fac54203e7cc696cf0dfcb42c92a1d9d"
	    "baf70ad9e621f4bd8d98662f00e3c125" },
	{ "10",
	    "aeb6bcfe274b70a14fb067a5e5578264"
	    "db0fa9b51af5e0ba159158f329e06e77" },
	{ "2021",
	    "d37ee418976dd95753c1c73862b9398f"
	    "a2a2cf9b4ff0fdfe8b30cd95209614b7" },
	{ "3031",
	    "4e3bbb1f7b478dcfe71fb631631519a3"
	    "bca12c9aefca1612bfce4c13a86264d4" },
	{ "40414243",
	    "76e67dadbcdf1e10e1b74ddc608abd2f"
	    "98dfb16fbce75277b5232a127f2087ef" },
	{ "5051525354555657",
	    "ddb89be403809e325750d3d263cd7892"
	    "9c2942b7942a34b77e122c9594a74c8c" },
	{ "606162636465666768696a6b6c6d6e6f",
	    "5dc9da79a70659a9ad559cb701ded9a2"
	    "ab9d823aad2f4960cfe370eff4604328" },
};
#define LEAVES (sizeof(leaves) / sizeof(leaves[0]))

#define A "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
#define B "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
#define C "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
#define D "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
#define E "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
#define F "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
#define G "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
#define H "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
#define I "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"

static const struct {
	uint64_t first, second; /* index or old size, and size */
	const char *proof[4];
} inclusions[] = {
	{ 0, 1, { NULL } },
	{ 0, 8, { A, B, C } },
	{ 5, 8, { D, E, F } },
	{ 2, 3, { G } },
	{ 1, 5, { H, B, D } },
}, consistencies[] = {
	{ 1, 1, { NULL } },
	{ 1, 8, { A, B, C } },
	{ 6, 8, { I, E, F } },
	{ 2, 5, { B, D } },
};

static void
ck_hash(const struct bat_merkle_hash *hash, const char *hex)
{
	ck_assert(test_hex_equals(
	    bat_bytes_slice(hash->bytes, BAT_MERKLE_HASH_SIZE), hex));
}

/* ---- trees ----------------------------------------------------------- */

#define LEAVES_MAX 260u

/* All complete subtrees, by level. */
struct tree {
	struct bat_merkle_hash levels[10][LEAVES_MAX];
	struct bat_merkle_hash roots[LEAVES_MAX + 1]; /* by size */
	unsigned failing; /* calls until one fails; 0: none */
};

static int
subtree(void *context, unsigned level, uint64_t index,
    struct bat_merkle_hash *out)
{
	struct tree *tree = context;

	if (tree->failing > 0 && --tree->failing == 0)
		return BAT_WORLD_IO;
	if (level >= 10 || index >= LEAVES_MAX >> level)
		ck_abort_msg("no subtree of whole ones");
	*out = tree->levels[level][index];
	return BAT_OK;
}

static void
fill(struct tree *tree)
{
	struct bat_merkle_edge edge = { .size = 0 };

	tree->roots[0] = bat_merkle_edge_root(&edge);
	for (unsigned i = 0; i < LEAVES_MAX; i++) {
		bat_merkle_add(&edge, &tree->levels[0][i]);
		tree->roots[i + 1] = bat_merkle_edge_root(&edge);
	}
	for (unsigned level = 1; level < 10; level++)
		for (unsigned i = 0; i < LEAVES_MAX >> level; i++)
			tree->levels[level][i] = bat_merkle_node(
			    &tree->levels[level - 1][2 * i],
			    &tree->levels[level - 1][2 * i + 1]);
}

/* The published leaves first, then numbers. */
static struct tree *
make_tree(void)
{
	struct tree *tree = calloc(1, sizeof(*tree));
	struct bat_buf bytes = BAT_BUF_EMPTY;

	ck_assert_ptr_nonnull(tree);
	for (unsigned i = 0; i < LEAVES_MAX; i++) {
		bat_bytes_clear(&bytes);
		if (i < LEAVES)
			test_hex_append(&bytes, leaves[i].bytes);
		else
			ck_assert_int_eq(bat_bytes_append_le(&bytes, i, 4), 0);
		tree->levels[0][i] = bat_merkle_leaf(bat_bytes_of_buf(&bytes));
	}
	bat_bytes_free(&bytes);
	fill(tree);
	return tree;
}

static void
ck_proof(const struct bat_merkle_proof *proof, const char *const wanted[4])
{
	size_t count = 0;

	while (count < 4 && wanted[count] != NULL)
		count++;
	ck_assert_uint_eq(proof->count, count);
	for (size_t i = 0; i < count; i++)
		ck_hash(&proof->hashes[i], wanted[i]);
}

START_TEST(published_hashes_and_roots_come_out)
{
	struct tree *tree = make_tree();
	const struct bat_merkle_source source = { tree, subtree };
	struct bat_merkle_hash hash = bat_merkle_empty(), other;

	ck_hash(&hash,
	    "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855");
	hash = bat_merkle_leaf(bat_bytes_text("L123456"));
	ck_hash(&hash,
	    "395aa064aa4c29f7010acfe3f25db948"
	    "5bbd4b91897b6ad7ad547639252b4d56");
	for (size_t i = 0; i < LEAVES; i++) {
		ck_hash(&tree->roots[i + 1], leaves[i].root);
		ck_assert_int_eq(bat_merkle_root(&source, i + 1, &other), 0);
		ck_hash(&other, leaves[i].root);
	}
	free(tree);
}
END_TEST

START_TEST(published_proofs_come_out_and_verify)
{
	struct tree *tree = make_tree();
	const struct bat_merkle_source source = { tree, subtree };
	struct bat_merkle_proof proof;

	for (size_t i = 0; i < sizeof(inclusions) / sizeof(*inclusions); i++) {
		uint64_t index = inclusions[i].first;
		uint64_t size = inclusions[i].second;

		ck_assert_int_eq(bat_merkle_prove_inclusion(&source, index,
				     size, &proof),
		    0);
		ck_proof(&proof, inclusions[i].proof);
		ck_assert(bat_merkle_verify_inclusion(&tree->levels[0][index],
		    index, size, &proof, &tree->roots[size]));
	}
	for (size_t i = 0; i < sizeof(consistencies) / sizeof(*consistencies);
	     i++) {
		uint64_t old = consistencies[i].first;
		uint64_t size = consistencies[i].second;

		ck_assert_int_eq(bat_merkle_prove_consistency(&source, old,
				     size, &proof),
		    0);
		ck_proof(&proof, consistencies[i].proof);
		ck_assert(bat_merkle_verify_consistency(old, &tree->roots[old],
		    size, &tree->roots[size], &proof));
	}
	free(tree);
}
END_TEST

/* ---- all trees ------------------------------------------------------- */

/* Few bits of big trees, all bits of small ones. */
static unsigned
stride(uint64_t size)
{
	return size <= 24 ? 1 : 509;
}

static void
flip(struct bat_merkle_hash *hash, unsigned bit)
{
	hash->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* Of a leaf, a root and a proof: the bit-th bit of all of them. */
static void
flip_one(struct bat_merkle_hash *first, struct bat_merkle_hash *root,
    struct bat_merkle_proof *proof, unsigned bit)
{
	if (bit < 256)
		flip(first, bit);
	else if (bit < 512)
		flip(root, bit - 256);
	else
		flip(&proof->hashes[bit / 256 - 2], bit % 256);
}

static bool
inclusion_holds(struct tree *tree, uint64_t index, uint64_t size)
{
	const struct bat_merkle_source source = { tree, subtree };
	struct bat_merkle_hash leaf = tree->levels[0][index];
	struct bat_merkle_hash root = tree->roots[size];
	struct bat_merkle_proof proof;
	bool wrong = false;

	if (bat_merkle_prove_inclusion(&source, index, size, &proof) != 0 ||
	    !bat_merkle_verify_inclusion(&leaf, index, size, &proof, &root))
		return false;
	for (unsigned bit = (unsigned)index % stride(size);
	     bit < 256 * (proof.count + 2); bit += stride(size)) {
		flip_one(&leaf, &root, &proof, bit);
		wrong |= bat_merkle_verify_inclusion(&leaf, index, size, &proof,
		    &root);
		flip_one(&leaf, &root, &proof, bit);
	}
	for (uint64_t other = 0; other <= size; other += size / 4 + 1)
		wrong |= other != index &&
		    bat_merkle_verify_inclusion(&leaf, other, size, &proof,
			&root);
	proof.hashes[proof.count++] = root;
	wrong |= bat_merkle_verify_inclusion(&leaf, index, size, &proof, &root);
	proof.count -= 2;
	wrong |= size > 1 &&
	    bat_merkle_verify_inclusion(&leaf, index, size, &proof, &root);
	return !wrong;
}

static bool
consistency_holds(struct tree *tree, uint64_t old, uint64_t size)
{
	const struct bat_merkle_source source = { tree, subtree };
	struct bat_merkle_hash before = tree->roots[old];
	struct bat_merkle_hash root = tree->roots[size];
	struct bat_merkle_proof proof;
	bool wrong = false;

	if (bat_merkle_prove_consistency(&source, old, size, &proof) != 0 ||
	    !bat_merkle_verify_consistency(old, &before, size, &root, &proof))
		return false;
	for (unsigned bit = (unsigned)old % stride(size);
	     bit < 256 * (proof.count + 2); bit += stride(size)) {
		/* An empty tree is the beginning of any: nothing is said of the
		 * other root. */
		if (old == 0 && bit >= 256)
			break;
		flip_one(&before, &root, &proof, bit);
		wrong |= bat_merkle_verify_consistency(old, &before, size,
		    &root, &proof);
		flip_one(&before, &root, &proof, bit);
	}
	proof.hashes[proof.count++] = root;
	wrong |= bat_merkle_verify_consistency(old, &before, size, &root,
	    &proof);
	proof.count--;
	if (proof.count > 0) {
		proof.count--;
		wrong |= bat_merkle_verify_consistency(old, &before, size,
		    &root, &proof);
	}
	return !wrong;
}

START_TEST(every_inclusion_proof_verifies_and_no_changed_one_does)
{
	struct tree *tree = make_tree();

	for (uint64_t size = 1; size <= LEAVES_MAX; size++)
		for (uint64_t index = 0; index < size; index++)
			if (!inclusion_holds(tree, index, size))
				ck_abort_msg("leaf %u of %u", (unsigned)index,
				    (unsigned)size);
	free(tree);
}
END_TEST

START_TEST(every_consistency_proof_verifies_and_no_changed_one_does)
{
	struct tree *tree = make_tree();

	for (uint64_t size = 1; size <= LEAVES_MAX; size++)
		for (uint64_t old = 0; old <= size; old++)
			if (!consistency_holds(tree, old, size))
				ck_abort_msg("%u of %u", (unsigned)old,
				    (unsigned)size);
	free(tree);
}
END_TEST

START_TEST(the_edge_and_the_subtrees_give_the_same_roots)
{
	struct tree *tree = make_tree();
	const struct bat_merkle_source source = { tree, subtree };

	for (uint64_t size = 0; size <= LEAVES_MAX; size++) {
		struct bat_merkle_hash root;

		ck_assert_int_eq(bat_merkle_root(&source, size, &root), 0);
		ck_assert(bat_merkle_equal(&root, &tree->roots[size]));
	}
	free(tree);
}
END_TEST

START_TEST(numbers_that_make_no_sense_prove_nothing)
{
	struct tree *tree = make_tree();
	const struct bat_merkle_source source = { tree, subtree };
	const struct bat_merkle_hash *leaf = &tree->levels[0][0];
	struct bat_merkle_proof proof = { .count = 0 };

	ck_assert_int_eq(bat_merkle_prove_inclusion(&source, 3, 3, &proof),
	    BAT_USE_INVALID);
	ck_assert_int_eq(bat_merkle_prove_consistency(&source, 4, 3, &proof),
	    BAT_USE_INVALID);
	proof.count = 0;
	ck_assert(!bat_merkle_verify_inclusion(leaf, 0, 0, &proof, leaf));
	ck_assert(!bat_merkle_verify_inclusion(leaf, UINT64_MAX, UINT64_MAX,
	    &proof, leaf));
	ck_assert(!bat_merkle_verify_consistency(2, leaf, 1, leaf, &proof));
	proof.count = BAT_MERKLE_PROOF_MAX + 1;
	ck_assert(
	    !bat_merkle_verify_inclusion(leaf, 0, UINT64_MAX, &proof, leaf));
	free(tree);
}
END_TEST

START_TEST(a_hash_that_cannot_be_had_ends_a_proof)
{
	struct tree *tree = make_tree();
	const struct bat_merkle_source source = { tree, subtree };
	struct bat_merkle_proof proof;

	tree->failing = 2;
	ck_assert_int_eq(bat_merkle_prove_inclusion(&source, 5, 8, &proof),
	    BAT_WORLD_IO);
	tree->failing = 3;
	ck_assert_int_eq(bat_merkle_prove_consistency(&source, 6, 8, &proof),
	    BAT_WORLD_IO);
	free(tree);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("merkle");
	TCase *tests = tcase_create("merkle");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, published_hashes_and_roots_come_out);
	tcase_add_test(tests, published_proofs_come_out_and_verify);
	tcase_add_test(tests, the_edge_and_the_subtrees_give_the_same_roots);
	tcase_add_test(tests,
	    every_inclusion_proof_verifies_and_no_changed_one_does);
	tcase_add_test(tests,
	    every_consistency_proof_verifies_and_no_changed_one_does);
	tcase_add_test(tests, numbers_that_make_no_sense_prove_nothing);
	tcase_add_test(tests, a_hash_that_cannot_be_had_ends_a_proof);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
