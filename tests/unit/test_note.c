/*
 * Signed notes: the vector of the Go tools, and what is no note.
 */
#include "note.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>

/* Published with golang.org/x/mod/sumdb/note. */
#define VERIFIER                                                               \
	"PeterNeumann+c74f20a3+"                                               \
	"ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define SIGNER                                                                 \
	"PRIVATE+KEY+PeterNeumann+c74f20a3+"                                   \
	"AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
#define TEXT                                                                   \
	"If you think cryptography is the answer to your problem,\n"           \
	"then you don't know what your problem is.\n"
#define DASH "\xe2\x80\x94 "
#define SIGNATURE                                                              \
	DASH "PeterNeumann "                                                   \
	     "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNX" \
	     "gKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
/* A line of another key, of which nothing is known. */
#define OTHER DASH "EnochRoot af4aAAAAAAAA\n"

static struct bat_note_key
verifier(void)
{
	struct bat_note_key key;

	ck_assert_int_eq(
	    bat_note_key_parse(bat_bytes_text(VERIFIER), &key, NULL), 0);
	return key;
}

static struct bat_note_signer
signer(void)
{
	struct bat_note_signer out;

	ck_assert_int_eq(
	    bat_note_signer_parse(bat_bytes_text(SIGNER), &out, NULL), 0);
	return out;
}

static int
open_text(const char *note, struct bat_slice *text)
{
	struct bat_note_key key = verifier();

	return bat_note_open(bat_bytes_text(note), &key, text, NULL);
}

static int
opens(const char *note)
{
	struct bat_slice text;

	return open_text(note, &text);
}

static void
ck_text(struct bat_slice text, const char *wanted)
{
	ck_assert(bat_bytes_equal(text, bat_bytes_text(wanted)));
}

START_TEST(the_published_note_comes_out)
{
	struct bat_note_signer peter = signer();
	struct bat_buf note = BAT_BUF_EMPTY;
	struct bat_slice text;

	ck_assert_int_eq(bat_note_sign(&peter, bat_bytes_text(TEXT), &note), 0);
	ck_text(bat_bytes_of_buf(&note), TEXT "\n" SIGNATURE);
	bat_bytes_free(&note);
	ck_assert_int_eq(open_text(TEXT "\n" SIGNATURE, &text), 0);
	ck_text(text, TEXT);
}
END_TEST

START_TEST(keys_are_written_as_they_are_read)
{
	struct bat_note_signer peter = signer();
	struct bat_note_key key = verifier();
	struct bat_buf text = BAT_BUF_EMPTY;

	ck_assert(bat_note_key_equal(&key, &peter.key));
	ck_assert_int_eq(bat_note_key_put(&key, &text), 0);
	ck_text(bat_bytes_of_buf(&text), VERIFIER);
	bat_bytes_clear(&text);
	ck_assert_int_eq(bat_note_signer_put(&peter, &text), 0);
	ck_text(bat_bytes_of_buf(&text), SIGNER);
	bat_bytes_free(&text);
}
END_TEST

START_TEST(every_part_and_every_change_of_a_key_is_refused)
{
	char text[] = VERIFIER;
	struct bat_note_key key;
	size_t length = strlen(text);

	for (size_t i = 0; i <= length; i++)
		for (size_t j = i; j <= length; j++)
			if (i != 0 || j != length)
				ck_assert_int_eq(
				    bat_note_key_parse(bat_bytes_slice(text + i,
							   j - i),
					&key, NULL),
				    BAT_USE_INVALID);
	for (size_t i = 0; i < length; i++) {
		text[i]++;
		ck_assert_int_eq(bat_note_key_parse(bat_bytes_text(text), &key,
				     NULL),
		    BAT_USE_INVALID);
		text[i]--;
	}
	/* A key that is too long, and one of an unknown kind, both with the
	 * hash that belongs to them. */
	ck_assert_int_eq(
	    bat_note_key_parse(bat_bytes_text("PeterNeumann+cc469956+"
					      "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/"
					      "LDE4izWy10TWBADKEY=="),
		&key, NULL),
	    BAT_USE_INVALID);
	ck_assert_int_eq(
	    bat_note_key_parse(bat_bytes_text("PeterNeumann+173116ae+"
					      "ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/"
					      "LDE4izWy10TW"),
		&key, NULL),
	    BAT_USE_INVALID);
}
END_TEST

START_TEST(a_name_has_no_spaces_and_no_plus)
{
	static const char *const bad[] = { "", "a b", "a+b", "a\tb", "a\nb",
		"a\xc2\xa0"
		"b",
		"a\xe2\x80\x83"
		"b",
		"a\xe3\x80\x80", "\xff" };
	static const uint8_t seed[BAT_NOTE_KEY_SIZE] = { 1 };
	struct bat_note_signer out;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(bat_note_signer_make(bat_bytes_text(bad[i]),
				     seed, &out, NULL),
		    BAT_USE_INVALID);
	ck_assert_int_eq(
	    bat_note_signer_make(bat_bytes_text("example.com/\xc3\xa4"), seed,
		&out, NULL),
	    0);
}
END_TEST

START_TEST(every_changed_bit_of_a_note_is_noticed)
{
	char note[] = TEXT "\n" SIGNATURE;
	size_t length = strlen(note);

	for (size_t bit = 0; bit < 8 * length; bit++) {
		note[bit / 8] = (char)(note[bit / 8] ^ (1 << bit % 8));
		ck_assert_msg(opens(note) != 0, "bit %zu", bit);
		note[bit / 8] = (char)(note[bit / 8] ^ (1 << bit % 8));
	}
	ck_assert_int_eq(opens(note), 0);
}
END_TEST

START_TEST(what_others_signed_is_passed_over)
{
	struct bat_slice text;

	ck_assert_int_eq(opens(TEXT "\n" OTHER SIGNATURE), 0);
	ck_assert_int_eq(opens(TEXT "\n" SIGNATURE OTHER), 0);
	ck_assert_int_eq(opens(TEXT "\n" SIGNATURE SIGNATURE), 0);
	ck_assert_int_eq(opens(TEXT "\n" OTHER), BAT_STATE_NOT_FOUND);
	ck_assert_int_eq(bat_note_open(bat_bytes_text(TEXT "\n" OTHER), NULL,
			     &text, NULL),
	    0);
	ck_text(text, TEXT);
}
END_TEST

START_TEST(a_text_may_have_empty_lines)
{
	struct bat_note_signer peter = signer();
	struct bat_buf note = BAT_BUF_EMPTY;
	struct bat_slice text;

	ck_assert_int_eq(
	    bat_note_sign(&peter, bat_bytes_text("a\n\n\nb\n"), &note), 0);
	ck_assert_int_eq(
	    bat_note_open(bat_bytes_of_buf(&note), &peter.key, &text, NULL), 0);
	ck_text(text, "a\n\n\nb\n");
	bat_bytes_free(&note);
}
END_TEST

START_TEST(what_is_no_note_is_refused)
{
	static const char *const bad[] = {
		"",
		"\n",
		TEXT,
		TEXT "\n",
		TEXT "\n" SIGNATURE "more",
		TEXT "\n" SIGNATURE "more\n",
		TEXT "\n" SIGNATURE "\n",
		TEXT SIGNATURE,
		"\x01" TEXT "\n" SIGNATURE,
		"\xff" TEXT "\n" SIGNATURE,
		TEXT "\n" DASH "\n" SIGNATURE,
		TEXT "\n" DASH "PeterNeumann\n" SIGNATURE,
		TEXT "\n" DASH "PeterNeumann AAAA\n" SIGNATURE,
		TEXT "\n" DASH " PeterNeumann AAAAAAAA\n" SIGNATURE,
		TEXT "\n"
		     "- PeterNeumann AAAAAAAA\n" SIGNATURE,
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(opens(bad[i]) == BAT_DATA_CORRUPT, "note %zu", i);
}
END_TEST

START_TEST(more_signatures_than_anybody_needs_are_refused)
{
	struct bat_buf note = BAT_BUF_EMPTY;
	struct bat_note_key key = verifier();
	struct bat_slice text;

	ck_assert_int_eq(bat_bytes_append_text(&note, TEXT "\n" SIGNATURE), 0);
	for (unsigned i = 1; i < BAT_NOTE_SIGNATURES_MAX; i++)
		ck_assert_int_eq(bat_bytes_append_text(&note, OTHER), 0);
	ck_assert_int_eq(
	    bat_note_open(bat_bytes_of_buf(&note), &key, &text, NULL), 0);
	ck_assert_int_eq(bat_bytes_append_text(&note, OTHER), 0);
	ck_assert_int_eq(bat_note_open(bat_bytes_of_buf(&note), &key, &text,
			     NULL),
	    BAT_DATA_CORRUPT);
	bat_bytes_free(&note);
}
END_TEST

/* That of the specification. */
#define CHECKPOINT                                                             \
	"example.com/behind-the-sofa\n20852163\n"                              \
	"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

START_TEST(a_checkpoint_is_written_as_it_is_read)
{
	struct bat_note_checkpoint checkpoint;
	struct bat_buf text = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_note_checkpoint_parse(bat_bytes_text(CHECKPOINT),
			     &checkpoint, NULL),
	    0);
	ck_text(checkpoint.origin, "example.com/behind-the-sofa");
	ck_assert_uint_eq(checkpoint.size, 20852163);
	ck_assert_uint_eq(checkpoint.root.bytes[0], 0x0a);
	ck_assert_int_eq(bat_note_checkpoint_put(&checkpoint, &text), 0);
	ck_text(bat_bytes_of_buf(&text), CHECKPOINT);
	bat_bytes_free(&text);
	ck_assert_int_eq(
	    bat_note_checkpoint_parse(bat_bytes_text(CHECKPOINT "extension\n"),
		&checkpoint, NULL),
	    0);
}
END_TEST

START_TEST(what_is_no_checkpoint_is_refused)
{
#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
	static const char *const bad[] = {
		"",
		"a\n",
		"a\n1\n",
		"\n1\n" ROOT,
		"a\n\n" ROOT,
		"a\n01\n" ROOT,
		"a\n-1\n" ROOT,
		"a\n1 \n" ROOT,
		"a\n18446744073709551616\n" ROOT,
		"a\n1\nAAAA\n",
		"a\n1\n" ROOT "\n",
	};
	struct bat_note_checkpoint checkpoint;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(bat_note_checkpoint_parse(bat_bytes_text(bad[i]),
				  &checkpoint, NULL) == BAT_DATA_CORRUPT,
		    "checkpoint %zu", i);
	ck_assert_int_eq(bat_note_checkpoint_parse(
			     bat_bytes_text("a\n18446744073709551615\n" ROOT),
			     &checkpoint, NULL),
	    0);
	ck_assert_uint_eq(checkpoint.size, UINT64_MAX);
}
END_TEST

/* ---- proofs ---------------------------------------------------------- */

#define TREE 11
#define OLD 6

static struct bat_merkle_hash leaves[TREE];

static int
leaf_of(void *context, unsigned level, uint64_t index,
    struct bat_merkle_hash *out)
{
	struct bat_merkle_edge edge = { .size = 0 };

	(void)context;
	for (uint64_t i = index << level; i < (index + 1) << level; i++)
		bat_merkle_add(&edge, &leaves[i]);
	*out = bat_merkle_edge_root(&edge);
	return 0;
}

static const struct bat_merkle_source source = { NULL, leaf_of };

/* A log of entries of one byte each; its checkpoint at a size, signed. */
static struct bat_note_checkpoint
sign_tree(uint64_t size, struct bat_buf *note)
{
	struct bat_note_checkpoint said = { bat_bytes_text("PeterNeumann"),
		size, { { 0 } } };
	struct bat_note_signer by = signer();
	struct bat_buf text = BAT_BUF_EMPTY;

	for (uint8_t i = 0; i < TREE; i++)
		leaves[i] = bat_merkle_leaf(bat_bytes_slice(&i, 1));
	ck_assert_int_eq(bat_merkle_root(&source, size, &said.root), 0);
	ck_assert_int_eq(bat_note_checkpoint_put(&said, &text), 0);
	ck_assert_int_eq(bat_note_sign(&by, bat_bytes_of_buf(&text), note), 0);
	bat_bytes_free(&text);
	return said;
}

static int
verify_text(const struct bat_buf *text, const struct bat_note_checkpoint *old)
{
	struct bat_note_key key = verifier();
	struct bat_note_checkpoint checkpoint;
	struct bat_note_proof proof;
	int code = bat_note_proof_parse(bat_bytes_of_buf(text), &proof, NULL);

	return code == 0 ?
	    bat_note_proof_verify(&proof, &key, old, &checkpoint, NULL) :
	    code;
}

static void
ck_each_change_is_noticed(struct bat_buf *text,
    const struct bat_note_checkpoint *old)
{
	ck_assert_int_eq(verify_text(text, old), 0);
	for (size_t i = 0; i < text->length * 8; i++) {
		text->data[i / 8] ^= (uint8_t)(1 << i % 8);
		ck_assert_msg(verify_text(text, old) != 0, "bit %zu", i);
		text->data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	while (text->length-- > 0)
		ck_assert_int_ne(verify_text(text, old), 0);
}

START_TEST(a_proof_of_inclusion_holds_and_no_changed_one_does)
{
	struct bat_buf note = BAT_BUF_EMPTY, text = BAT_BUF_EMPTY;

	(void)sign_tree(TREE, &note);
	for (uint8_t i = 0; i < TREE; i += 5) {
		struct bat_note_proof proof = { .number = i,
			.extra = { i },
			.extra_length = 1,
			.note = bat_bytes_of_buf(&note) };

		bat_bytes_clear(&text);
		ck_assert_int_eq(bat_merkle_prove_inclusion(&source, i, TREE,
				     &proof.hashes),
		    0);
		ck_assert_int_eq(bat_note_proof_put(&proof, &text), 0);
		ck_each_change_is_noticed(&text, NULL);
		proof.extra_length = 0;
		bat_bytes_clear(&text);
		ck_assert_int_eq(bat_note_proof_put(&proof, &text), 0);
		ck_assert_int_eq(verify_text(&text, NULL), BAT_USE_INVALID);
	}
	bat_bytes_free(&text);
	bat_bytes_free(&note);
}
END_TEST

START_TEST(a_proof_of_consistency_holds_for_its_checkpoint_alone)
{
	struct bat_buf note = BAT_BUF_EMPTY, text = BAT_BUF_EMPTY;
	struct bat_note_checkpoint old = sign_tree(OLD, &note);
	struct bat_note_checkpoint other = old;
	struct bat_note_proof proof = { .consistency = true, .number = OLD };

	bat_bytes_clear(&note);
	(void)sign_tree(TREE, &note);
	proof.note = bat_bytes_of_buf(&note);
	ck_assert_int_eq(
	    bat_merkle_prove_consistency(&source, OLD, TREE, &proof.hashes), 0);
	ck_assert_int_eq(bat_note_proof_put(&proof, &text), 0);
	ck_assert_int_eq(verify_text(&text, NULL), BAT_USE_INVALID);
	other.root.bytes[7] ^= 1;
	ck_assert_int_eq(verify_text(&text, &other), BAT_DATA_CORRUPT);
	other = old;
	other.origin = bat_bytes_text("somebody.else");
	ck_assert_int_eq(verify_text(&text, &other), BAT_DATA_CORRUPT);
	other = old;
	other.size++;
	ck_assert_int_eq(verify_text(&text, &other), BAT_USE_INVALID);
	ck_each_change_is_noticed(&text, &old);
	bat_bytes_free(&text);
	bat_bytes_free(&note);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("note");
	TCase *tests = tcase_create("note");

	tcase_add_test(tests, the_published_note_comes_out);
	tcase_add_test(tests, keys_are_written_as_they_are_read);
	tcase_add_test(tests, every_part_and_every_change_of_a_key_is_refused);
	tcase_add_test(tests, a_name_has_no_spaces_and_no_plus);
	tcase_add_test(tests, every_changed_bit_of_a_note_is_noticed);
	tcase_add_test(tests, what_others_signed_is_passed_over);
	tcase_add_test(tests, a_text_may_have_empty_lines);
	tcase_add_test(tests, what_is_no_note_is_refused);
	tcase_add_test(tests, more_signatures_than_anybody_needs_are_refused);
	tcase_add_test(tests, a_checkpoint_is_written_as_it_is_read);
	tcase_add_test(tests, what_is_no_checkpoint_is_refused);
	tcase_add_test(tests,
	    a_proof_of_inclusion_holds_and_no_changed_one_does);
	tcase_add_test(tests,
	    a_proof_of_consistency_holds_for_its_checkpoint_alone);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
