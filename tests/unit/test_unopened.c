/*
 * Files that are read without an open: a moment of a real store, in pieces.
 */
#include "suite.h"
#include "unopened.h"

#include <check.h>

#include "stores.h"

#include "tree_fixture.h"

static struct temp_dir dir;
static struct batfs_handles handles;
static struct batfs_append_world world;
static struct batfs_unopened unopened;
static struct batfs_node moment;
static struct bat_buf scratch;

/* Each of them is computed as a whole, and longer than a piece. */
static const char *const contents[] = { "by/entities.tsv", "by/scopes.tsv",
	"by/kinds.tsv", "by/chains.tsv", "README" };
#define CONTENTS (sizeof(contents) / sizeof(*contents))
#define PIECE 16u

static void
setup(void)
{
	struct bat_error error = { .code = 0 };
	struct bat_head head;
	char seq[24];

	stores_golden(&dir, "chains");
	fixture_store = stores_open(&dir, true);
	fixture_options();
	options.read_only = true;
	fixture_open();
	handles = BATFS_HANDLES_EMPTY;
	unopened = BATFS_UNOPENED_EMPTY;
	world = (struct batfs_append_world){ .store = fixture_store,
		.tree = tree };
	bat_head(fixture_store, &head);
	snprintf(seq, sizeof(seq), "%llu", (unsigned long long)head.last_seq);
	ck_assert_int_eq(batfs_tree_start(tree, seq, NULL, &moment, &error), 0);
}

static void
teardown(void)
{
	batfs_handle_close_all(&handles);
	bat_bytes_free(&scratch);
	batfs_tree_free(tree);
	stores_close(fixture_store);
	temp_dir_remove(&dir);
}

/* What is there at a moment: `by/entities.tsv`. */
static struct batfs_node
then(const char *path)
{
	struct batfs_node node = moment;

	while (*path != '\0') {
		size_t length = strcspn(path, "/");
		struct batfs_node parent = node;

		ck_assert_int_eq(batfs_tree_lookup(tree, &parent,
				     bat_bytes_slice(path, length), &node),
		    0);
		path += length;
		path += *path == '/';
	}
	return node;
}

static size_t
count_open(void)
{
	size_t count = 0;

	for (const struct batfs_handle *handle = handles.first; handle != NULL;
	     handle = handle->next)
		count++;
	return count;
}

/* A piece onto buf; returns how long it was. */
static size_t
read_piece(const struct batfs_node *node, uint64_t offset, size_t size,
    struct bat_buf *buf)
{
	struct bat_error error = { .code = 0 };
	struct batfs_handle *held;
	struct bat_slice piece;

	ck_assert_msg(batfs_unopened_read(&unopened, &handles, &world, node,
			  offset, size, &scratch, &piece, &held, &error) == 0,
	    "%s", error.text);
	ck_assert_uint_le(piece.length, size);
	ck_assert_int_eq(bat_bytes_append_slice(buf, piece), 0);
	if (held != NULL)
		batfs_handle_let_go(held);
	return piece.length;
}

static void
assert_piece(const struct batfs_node *node, uint64_t offset)
{
	struct bat_buf whole = BAT_BUF_EMPTY, piece = BAT_BUF_EMPTY;

	read_onto(node, &whole);
	ck_assert_uint_gt(whole.length, offset + PIECE);
	ck_assert_uint_eq(read_piece(node, offset, PIECE, &piece), PIECE);
	sample_assert_same(bat_bytes_of_buf(&piece),
	    bat_bytes_slice(whole.data + offset, PIECE), "a piece");
	bat_bytes_free(&whole);
	bat_bytes_free(&piece);
}

START_TEST(pieces_are_those_of_the_whole_and_nothing_stays_at_the_end)
{
	static const char *const streams[] = { "log.jsonl", "log/tail.jsonl" };

	for (size_t i = 0; i < CONTENTS + 2; i++) {
		struct batfs_node node = then(
		    i < CONTENTS ? contents[i] : streams[i - CONTENTS]);
		struct bat_buf whole = BAT_BUF_EMPTY, all = BAT_BUF_EMPTY;
		size_t length;

		read_onto(&node, &whole);
		do {
			length = read_piece(&node, all.length, PIECE, &all);
			ck_assert(all.length >= whole.length ||
			    count_open() == (i < CONTENTS));
		} while (length == PIECE && all.length < whole.length);
		sample_assert_same(bat_bytes_of_buf(&all),
		    bat_bytes_of_buf(&whole), "all pieces");
		ck_assert_uint_eq(count_open(), 0);
		ck_assert_uint_eq(
		    read_piece(&node, all.length + 1, PIECE, &whole), 0);
		bat_bytes_free(&whole);
		bat_bytes_free(&all);
	}
}
END_TEST

START_TEST(who_reads_many_at_once_gets_each_of_them)
{
	for (unsigned offset = 0; offset < 8; offset++)
		for (size_t i = 0; i < CONTENTS; i++) {
			struct batfs_node node = then(contents[i]);

			assert_piece(&node, offset);
			ck_assert_uint_le(count_open(), BATFS_UNOPENED_COUNT);
		}
	ck_assert_uint_eq(count_open(), BATFS_UNOPENED_COUNT);
}
END_TEST

START_TEST(what_was_asked_for_last_stays)
{
	struct batfs_node first = then(contents[0]);
	const struct batfs_handle *handle;

	assert_piece(&first, 0);
	handle = unopened.kept[0];
	for (size_t i = 1; i < CONTENTS; i++) {
		struct batfs_node node = then(contents[i]);

		assert_piece(&node, 0);
		assert_piece(&first, i);
		ck_assert_ptr_eq(unopened.kept[0], handle);
	}
}
END_TEST

START_TEST(bytes_are_held_until_they_are_let_go)
{
	struct batfs_node node = then("README");
	struct bat_error error = { .code = 0 };
	struct bat_buf whole = BAT_BUF_EMPTY;
	struct batfs_handle *held;
	struct bat_slice bytes;

	read_onto(&node, &whole);
	ck_assert_int_eq(batfs_unopened_read(&unopened, &handles, &world, &node,
			     0, SIZE_MAX, &scratch, &bytes, &held, &error),
	    0);
	ck_assert_ptr_nonnull(held);
	ck_assert_uint_eq(count_open(), 0);
	sample_assert_same(bytes, bat_bytes_of_buf(&whole), "held");
	batfs_handle_let_go(held);
	bat_bytes_free(&whole);
}
END_TEST

START_TEST(a_new_generation_begins_anew)
{
	struct batfs_node node = then("README");
	struct bat_head before, after;

	assert_piece(&node, 0);
	ck_assert_uint_eq(unopened.count, 1);
	bat_head(fixture_store, &before);
	ck_assert_uint_eq(unopened.generation, before.generation);
	bat_doubt_lengths(fixture_store, before.generation);
	bat_head(fixture_store, &after);
	ck_assert_uint_gt(after.generation, before.generation);
	assert_piece(&node, 1);
	ck_assert_uint_eq(count_open(), 1);
	ck_assert_uint_eq(unopened.generation, after.generation);
}
END_TEST

START_TEST(what_cannot_be_read_leaves_nothing_behind)
{
	struct batfs_node node = then("by/entities.tsv");
	struct bat_error error = { .code = 0 };
	struct batfs_handle *held;
	struct bat_slice bytes;

	node.at = 0;
	node.class = BATFS_EVENT_HASH;
	node.number = UINT64_C(1) << 40;
	ck_assert_int_eq(batfs_unopened_read(&unopened, &handles, &world, &node,
			     0, PIECE, &scratch, &bytes, &held, &error),
	    BAT_STATE_NOT_FOUND);
	ck_assert_ptr_null(held);
	ck_assert_uint_eq(count_open(), 0);
}
END_TEST

static Suite *
suite(void)
{
	Suite *suite = suite_create("unopened");
	TCase *reading = tcase_create("reading");

	tcase_add_checked_fixture(reading, setup, teardown);
	tcase_add_test(reading,
	    pieces_are_those_of_the_whole_and_nothing_stays_at_the_end);
	tcase_add_test(reading, who_reads_many_at_once_gets_each_of_them);
	tcase_add_test(reading, what_was_asked_for_last_stays);
	tcase_add_test(reading, bytes_are_held_until_they_are_let_go);
	tcase_add_test(reading, a_new_generation_begins_anew);
	tcase_add_test(reading, what_cannot_be_read_leaves_nothing_behind);
	suite_add_tcase(suite, reading);
	return suite;
}

int
main(void)
{
	return suite_run(suite());
}
