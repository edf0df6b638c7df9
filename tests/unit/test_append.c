#include "append.h"

#include <errno.h>
#include <unistd.h>

#include <check.h>

#include "../support/suite.h"
#include "../support/temp_dir.h"

/*
 * A real store and no committer: the tests lead the commits by hand, so that
 * it is known when a batch is under way.
 */
static struct temp_dir dir;
static struct bat_store *store;
static struct batfs_tree *tree;
static struct batfs_append_world world;
static struct batfs_append *append;
static struct batfs_node node;
static int commits;

#define OPS 8
static struct batfs_append_op ops[OPS];
static ssize_t results[OPS];
static int order[OPS], done_count;

static void
note_commit(void *context)
{
	(void)context;
	commits++;
}

static void
note_done(struct batfs_append_op *op, ssize_t result)
{
	results[op - ops] = result;
	order[done_count++] = (int)(op - ops);
}

static void
open_store(bool read_only)
{
	struct bat_options options = BAT_OPTIONS_DEFAULT;
	struct batfs_tree_options how = { .dir_mode = 0755,
		.file_mode = 0644,
		.config_line = "" };

	options.read_only = read_only;
	ck_assert_int_eq(bat_open(dir.path, &options, &store, NULL), 0);
	ck_assert_int_eq(batfs_tree_new(store, &how, &tree), 0);
	world = (struct batfs_append_world){ .store = store,
		.tree = tree,
		.committed = note_commit };
	batfs_append_world_init(&world);
}

static void
close_store(void)
{
	batfs_append_world_destroy(&world);
	batfs_tree_free(tree);
	ck_assert_int_eq(bat_close(store, NULL), 0);
}

/* scopes/s/e, made and open. */
static void
open_append(void)
{
	struct batfs_node root = BATFS_NODE_ROOT, scopes, scope;

	ck_assert_int_eq(batfs_tree_lookup(tree, &root,
			     bat_bytes_text("scopes"), &scopes),
	    0);
	ck_assert_int_eq(batfs_tree_mkdir(tree, &scopes, bat_bytes_text("s"),
			     &scope, NULL),
	    0);
	ck_assert_int_eq(batfs_tree_create(tree, &scope, bat_bytes_text("e"),
			     &node, NULL),
	    0);
	ck_assert_int_eq(batfs_append_open(&world, &node, 501, &append), 0);
}

static void
setup(void)
{
	temp_dir_make(&dir);
	open_store(false);
	open_append();
}

/* What is still open is given up. */
static void
teardown(void)
{
	if (append != NULL)
		batfs_append_abandon(append);
	close_store();
	temp_dir_remove(&dir);
}

static void
submit(int i, enum batfs_append_kind kind, const char *text, int32_t pid)
{
	ops[i] = (struct batfs_append_op){
		.kind = kind,
		.bytes = bat_bytes_text(text),
		.pid = pid,
		.uid = 501,
		.gid = 502,
		.done = note_done,
	};
	batfs_append_submit(append, &ops[i]);
	if (kind == BATFS_APPEND_RELEASE)
		append = NULL;
}

static void
commit_all(void)
{
	while (bat_commit_run(store, false) > 0)
		;
}

static size_t
rejected(void)
{
	struct bat_buf lines = BAT_BUF_EMPTY;
	size_t length;

	ck_assert_int_eq(batfs_rejects_render(batfs_tree_rejects(tree), &lines),
	    0);
	length = lines.length;
	bat_bytes_free(&lines);
	return length;
}

static uint64_t
events(void)
{
	struct bat_list list = {
		.kind = BAT_LIST_ENTITY,
		.entity = bat_find_entity(store, bat_bytes_text("e")),
	};
	struct bat_list_stat stat;

	if (list.entity == UINT32_MAX || !bat_list_stat(store, &list, &stat))
		return 0;
	return stat.count;
}

START_TEST(a_write_answers_when_its_lines_are_committed)
{
	submit(0, BATFS_APPEND_WRITE, "1\n2\n", 7);
	ck_assert_int_eq(done_count, 0);
	ck_assert_uint_eq(world.busy, 1);
	commit_all();
	ck_assert_int_eq(done_count, 1);
	ck_assert_int_eq(results[0], 4);
	ck_assert_int_eq(commits, 1);
	ck_assert_uint_eq(events(), 2);
	ck_assert_uint_eq(world.busy, 0);
}
END_TEST

/* The extension batfs.writer of the last event; empty: there is none. */
static void
last_writer(struct bat_buf *text)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_extension_walk walk;
	struct bat_slice key;
	struct bat_head head;

	bat_bytes_clear(text);
	bat_head(store, &head);
	ck_assert_int_eq(bat_read(store, head.last, &reading, NULL), 0);
	walk = bat_extensions(&reading);
	if (bat_extensions_next(&walk, &key, text) == 0)
		ck_assert(bat_bytes_equal(key, bat_bytes_text("batfs.writer")));
	ck_assert_int_eq(bat_bytes_append_byte(text, '\0'), 0);
	bat_reading_free(&reading);
}

START_TEST(a_stamp_says_who_wrote)
{
	struct bat_buf text = BAT_BUF_EMPTY;

	submit(0, BATFS_APPEND_WRITE, "1\n", 0);
	commit_all();
	last_writer(&text);
	ck_assert_str_eq((char *)text.data, "");
	world.stamp = true;
	submit(1, BATFS_APPEND_WRITE, "2\n3", 0);
	commit_all();
	last_writer(&text);
	ck_assert_str_eq((char *)text.data,
	    "{\"uid\":501,\"gid\":502,\"pid\":0}");
	submit(2, BATFS_APPEND_WRITE, "", getpid());
	submit(3, BATFS_APPEND_RELEASE, "", 0);
	commit_all();
	last_writer(&text);
	ck_assert_ptr_nonnull(strstr((char *)text.data, "\"comm\":\""));
	ck_assert_uint_eq(events(), 3);
	bat_bytes_free(&text);
}
END_TEST

START_TEST(a_write_without_a_whole_line_is_answered_at_once)
{
	submit(0, BATFS_APPEND_WRITE, "{\"a\":", 7);
	ck_assert_int_eq(done_count, 1);
	ck_assert_int_eq(results[0], 5);
	submit(1, BATFS_APPEND_WRITE, "1}\n", 8);
	commit_all();
	ck_assert_int_eq(results[1], 3);
	ck_assert_uint_eq(events(), 1);
}
END_TEST

/* With no committer at all; and what it left is the committer's. */
START_TEST(a_lone_writer_commits_on_its_own_thread_if_it_may)
{
	world.lead_here = true;
	submit(0, BATFS_APPEND_WRITE, "1\n2\n", 7);
	ck_assert_int_eq(done_count, 1);
	ck_assert_int_eq(results[0], 4);
	ck_assert_uint_eq(events(), 2);
	submit(1, BATFS_APPEND_WRITE, "3\nbad\n", 7);
	ck_assert_int_eq(done_count, 2);
	ck_assert_int_eq(results[1], 2);
	ck_assert_uint_eq(events(), 3);
	ck_assert_uint_eq(world.busy, 0);
	world.lead_here = false;
	submit(2, BATFS_APPEND_WRITE, "4\n", 7);
	ck_assert_int_eq(done_count, 2);
	commit_all();
	ck_assert_int_eq(done_count, 3);
	ck_assert_uint_eq(events(), 4);
}
END_TEST

START_TEST(what_comes_during_a_commit_waits_its_turn)
{
	submit(0, BATFS_APPEND_WRITE, "1\n", 7);
	submit(1, BATFS_APPEND_WRITE, "2\n3", 7);
	submit(2, BATFS_APPEND_FLUSH, "", 7);
	submit(3, BATFS_APPEND_SYNC, "", 7);
	submit(4, BATFS_APPEND_RELEASE, "", 0);
	ck_assert_int_eq(done_count, 0);
	commit_all();
	ck_assert_int_eq(done_count, 5);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(order[i], i);
	ck_assert_uint_eq(events(), 3);
	ck_assert_uint_eq(world.busy, 0);
}
END_TEST

START_TEST(a_flush_counts_only_from_who_wrote_last)
{
	submit(0, BATFS_APPEND_WRITE, "1", 7);
	submit(1, BATFS_APPEND_FLUSH, "", 8);
	submit(2, BATFS_APPEND_FLUSH, "", 0);
	ck_assert_int_eq(done_count, 3);
	ck_assert_uint_eq(events(), 0);
	submit(3, BATFS_APPEND_FLUSH, "", 7);
	commit_all();
	ck_assert_int_eq(results[3], 0);
	ck_assert_uint_eq(events(), 1);
	ck_assert_uint_eq(rejected(), 0);
}
END_TEST

START_TEST(a_flush_leaves_a_half_line_where_it_is)
{
	submit(0, BATFS_APPEND_WRITE, "{\"a\":", 7);
	submit(1, BATFS_APPEND_FLUSH, "", 7);
	ck_assert_int_eq(results[1], 0);
	submit(2, BATFS_APPEND_WRITE, "1}\n", 7);
	commit_all();
	ck_assert_uint_eq(events(), 1);
	ck_assert_uint_eq(rejected(), 0);
}
END_TEST

START_TEST(a_release_commits_a_whole_line_or_rejects_it)
{
	submit(0, BATFS_APPEND_WRITE, "1", 7);
	submit(1, BATFS_APPEND_RELEASE, "", 0);
	commit_all();
	ck_assert_int_eq(done_count, 2);
	ck_assert_uint_eq(events(), 1);
	ck_assert_uint_eq(rejected(), 0);
	ck_assert_int_eq(batfs_append_open(&world, &node, 501, &append), 0);
	submit(2, BATFS_APPEND_WRITE, "{\"a\":", 7);
	submit(3, BATFS_APPEND_RELEASE, "", 0);
	commit_all();
	ck_assert_int_eq(done_count, 4);
	ck_assert_uint_eq(events(), 1);
	ck_assert_uint_gt(rejected(), 0);
}
END_TEST

START_TEST(of_a_bad_line_the_good_ones_before_it_are_answered)
{
	submit(0, BATFS_APPEND_WRITE, "1\n2\nhello\n3\n", 7);
	commit_all();
	ck_assert_int_eq(results[0], 4);
	ck_assert_uint_eq(events(), 2);
	/* The tool tries again with the rest. */
	submit(1, BATFS_APPEND_WRITE, "hello\n3\n", 7);
	commit_all();
	ck_assert_int_eq(results[1], -EINVAL);
	ck_assert_uint_eq(events(), 2);
	ck_assert_uint_gt(rejected(), 0);
}
END_TEST

START_TEST(what_the_store_refuses_reaches_the_writer)
{
	submit(0, BATFS_APPEND_WRITE, "@expect=7 1\n", 7);
	commit_all();
	ck_assert_int_eq(results[0], -ESTALE);
	submit(1, BATFS_APPEND_WRITE, "1\n@expect=7 1\n", 7);
	commit_all();
	ck_assert_int_eq(results[1], 2);
	ck_assert_uint_eq(events(), 1);
}
END_TEST

/* A read-only store answers within the call that submits. */
START_TEST(a_store_that_answers_at_once_is_no_special_case)
{
	struct batfs_node parent = BATFS_NODE_ROOT;
	static const char *const path[] = { "scopes", "s", "e" };

	submit(0, BATFS_APPEND_WRITE, "1\n", 7);
	commit_all();
	submit(1, BATFS_APPEND_RELEASE, "", 0);
	close_store();
	open_store(true);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(batfs_tree_lookup(tree, &parent,
				     bat_bytes_text(path[i]), &node),
		    0);
		parent = node;
	}
	ck_assert_int_eq(batfs_append_open(&world, &node, 501, &append), 0);
	for (int i = 2; i < 6; i++) {
		submit(i, BATFS_APPEND_WRITE, "2\n", 7);
		ck_assert_int_eq(done_count, i + 1);
		ck_assert_int_eq(results[i], -EROFS);
	}
	ck_assert_uint_eq(events(), 1);
}
END_TEST

START_TEST(a_sync_waits_for_the_chores_thread)
{
	struct batfs_chores *chores;

	ck_assert_int_eq(batfs_chores_start(0, NULL, NULL, &chores), 0);
	world.chores = chores;
	world.sync_apart = true;
	submit(0, BATFS_APPEND_WRITE, "1\n", 7);
	commit_all();
	submit(1, BATFS_APPEND_SYNC, "", 7);
	submit(2, BATFS_APPEND_FLUSH, "", 7);
	batfs_append_drain(&world);
	batfs_chores_stop(chores);
	ck_assert_int_eq(done_count, 3);
	ck_assert_int_eq(order[2], 2);
	ck_assert_int_eq(results[1], 0);
}
END_TEST

START_TEST(giving_up_says_how_much_is_lost)
{
	submit(0, BATFS_APPEND_WRITE, "1\n{\"a\"", 7);
	commit_all();
	ck_assert_uint_eq(batfs_append_abandon(append), 4);
	append = NULL;
	ck_assert_uint_eq(events(), 1);
}
END_TEST

/* Of all his files together; of who opened them, not of who writes. */
START_TEST(unfinished_lines_count_to_the_share_of_a_user)
{
	struct batfs_shares shares;

	batfs_shares_init(&shares, 500, 500);
	world.shares = &shares;
	ck_assert(batfs_shares_keep(&shares, 501, 0, BATFS_SHARES_BYTES - 4));
	submit(0, BATFS_APPEND_WRITE, "12345", 7);
	ck_assert_int_eq(results[0], -EDQUOT);
	submit(1, BATFS_APPEND_WRITE, "123", 7);
	ck_assert_int_eq(results[1], 3);
	submit(2, BATFS_APPEND_WRITE, "45", 7);
	ck_assert_int_eq(results[2], -EDQUOT);
	/* A line that ends is stored, and keeps nothing. */
	submit(3, BATFS_APPEND_WRITE, "\n", 7);
	commit_all();
	ck_assert_int_eq(results[3], 1);
	ck_assert_uint_eq(events(), 1);
	submit(4, BATFS_APPEND_WRITE, "6789", 7);
	ck_assert_int_eq(results[4], 4);
	submit(5, BATFS_APPEND_RELEASE, "", 0);
	commit_all();
	ck_assert_uint_eq(events(), 2);
	ck_assert_uint_eq(shares.count, 1);
	ck_assert(batfs_shares_keep(&shares, 501, BATFS_SHARES_BYTES - 4, 0));
	ck_assert_uint_eq(shares.count, 0);
	batfs_shares_free(&shares);
	world.shares = NULL;
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("append");
	TCase *tests = tcase_create("append");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_write_answers_when_its_lines_are_committed);
	tcase_add_test(tests, a_stamp_says_who_wrote);
	tcase_add_test(tests, a_write_without_a_whole_line_is_answered_at_once);
	tcase_add_test(tests,
	    a_lone_writer_commits_on_its_own_thread_if_it_may);
	tcase_add_test(tests, what_comes_during_a_commit_waits_its_turn);
	tcase_add_test(tests, a_flush_counts_only_from_who_wrote_last);
	tcase_add_test(tests, a_flush_leaves_a_half_line_where_it_is);
	tcase_add_test(tests, a_release_commits_a_whole_line_or_rejects_it);
	tcase_add_test(tests,
	    of_a_bad_line_the_good_ones_before_it_are_answered);
	tcase_add_test(tests, what_the_store_refuses_reaches_the_writer);
	tcase_add_test(tests, a_store_that_answers_at_once_is_no_special_case);
	tcase_add_test(tests, a_sync_waits_for_the_chores_thread);
	tcase_add_test(tests, giving_up_says_how_much_is_lost);
	tcase_add_test(tests, unfinished_lines_count_to_the_share_of_a_user);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
