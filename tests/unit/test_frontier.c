/*
 * How far the log has come, looked at from within the calls of the disk: each
 * step of a group moves the points that it has to, and one that fails does not.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "fake_clock.h"
#include "sample.h"
#include "stores.h"
#include "suite.h"

#define PAYLOAD                                                                \
	"\xa1"                                                                 \
	"x"

/* The disk of this machine, but that it looks at the store, or fails. */
static struct bat_disk disk;
static struct fake_clock timer;
static struct bat_options options;
static struct temp_dir dir;
static struct bat_store *store;
static struct bat_frontier at_write, at_sync;
static int fail_write, fail_sync; /* an errno */

static ssize_t
write_at(void *context, int fd, const void *from, size_t length,
    uint64_t offset)
{
	if (store != NULL)
		bat_frontier(store, &at_write);
	if (fail_write != 0)
		return -fail_write;
	return bat_file_posix()->write_at(context, fd, from, length, offset);
}

static int
sync_data(void *context, int fd)
{
	if (store != NULL)
		bat_frontier(store, &at_sync);
	return fail_sync != 0 ? -fail_sync :
				bat_file_posix()->sync_data(context, fd);
}

static void
setup(void)
{
	disk = *bat_file_posix();
	disk.write_at = write_at;
	disk.sync_data = sync_data;
	fake_clock_init(&timer, FAKE_CLOCK_START_US, 1000);
	options = (struct bat_options){ .disk = &disk, .clock = &timer.clock };
	fail_write = fail_sync = 0;
	temp_dir_make(&dir);
	store = stores_open_with(&dir, &options);
}

static void
open_again(void)
{
	struct bat_store *old = store;

	store = NULL;
	(void)bat_close(old, NULL);
	store = stores_open_with(&dir, &options);
}

static void
teardown(void)
{
	struct bat_store *old = store;

	store = NULL;
	(void)bat_close(old, NULL);
	temp_dir_remove(&dir);
}

static int
append(void)
{
	struct bat_draft draft = stores_draft("player:a", "s", PAYLOAD);

	return stores_append_batch(store, &draft, 1, NULL, NULL);
}

/* -1: no event has got there. */
static void
assert_points(const struct bat_frontier *frontier, int accepted, int written,
    int durable, int visible, int emitted)
{
	const int wanted[] = { accepted, written, durable, visible, emitted };

	for (unsigned i = 0; i < BAT_FRONTIER_COUNT; i++) {
		const struct bat_frontier_point *point = &frontier->points[i];

		ck_assert_msg((point->any ? (int)point->seq : -1) == wanted[i],
		    "point %u is at %d, not at %d", i,
		    point->any ? (int)point->seq : -1, wanted[i]);
	}
}

static void
assert_now(int accepted, int written, int durable, int visible, int emitted)
{
	struct bat_frontier frontier;

	bat_frontier(store, &frontier);
	assert_points(&frontier, accepted, written, durable, visible, emitted);
	ck_assert((frontier.undurable_ns > 0) == (written > durable));
}

START_TEST(each_step_of_a_group_moves_its_points)
{
	assert_now(-1, -1, -1, -1, -1);
	ck_assert_int_eq(append(), 0); /* 0 is OPEN */
	assert_points(&at_write, 1, -1, -1, -1, -1);
	assert_points(&at_sync, 1, 1, -1, -1, -1);
	ck_assert_int_gt(at_sync.undurable_ns, 0);
	assert_now(1, 1, 1, 1, 1);
	ck_assert_int_eq(append(), 0);
	assert_points(&at_write, 2, 1, 1, 1, 1);
	ck_assert_int_eq(at_write.undurable_ns, 0);
	assert_points(&at_sync, 2, 2, 1, 1, 1);
	assert_now(2, 2, 2, 2, 2);
}
END_TEST

static struct bat_frontier at_answer;

static void
answered(void *context, struct bat_batch *batch)
{
	(void)context;
	ck_assert_int_eq(batch->code, 0);
	bat_frontier(store, &at_answer);
}

START_TEST(what_is_visible_is_emitted_when_it_is_answered)
{
	struct bat_draft draft = stores_draft("player:a", "s", PAYLOAD);
	struct bat_batch batch = { .drafts = &draft,
		.count = 1,
		.done = answered };

	ck_assert_int_eq(append(), 0);
	bat_submit(store, &batch);
	assert_now(1, 1, 1, 1, 1);
	ck_assert_uint_eq(bat_commit_run(store, false), 1);
	assert_points(&at_answer, 2, 2, 2, 2, 1);
	assert_now(2, 2, 2, 2, 2);
}
END_TEST

START_TEST(what_a_failed_sync_leaves_is_written_and_not_durable)
{
	ck_assert_int_eq(append(), 0);
	fail_sync = EIO;
	ck_assert_int_eq(append(), BAT_STATE_STOPPED);
	assert_now(2, 2, 1, 1, 1);
	ck_assert_int_eq(append(), BAT_STATE_STOPPED);
	ck_assert_int_eq(bat_sync(store, NULL), BAT_STATE_STOPPED);
	assert_now(2, 2, 1, 1, 1);
}
END_TEST

START_TEST(what_was_not_written_is_taken_back)
{
	ck_assert_int_eq(append(), 0);
	fail_write = ENOSPC;
	ck_assert_int_eq(append(), BAT_WORLD_NO_SPACE);
	assert_points(&at_write, 2, 1, 1, 1, 1);
	assert_now(1, 1, 1, 1, 1);
	fail_write = 0;
	ck_assert_int_eq(append(), 0);
	assert_now(2, 2, 2, 2, 2);
}
END_TEST

START_TEST(with_durability_fsync_durable_waits_for_a_sync)
{
	struct bat_frontier first, second;

	options.durability = BAT_DURABLE_FSYNC;
	open_again();
	ck_assert_int_eq(append(), 0);
	assert_now(1, 1, -1, 1, 1);
	bat_frontier(store, &first);
	ck_assert_int_eq(append(), 0);
	assert_now(2, 2, -1, 2, 2);
	bat_frontier(store, &second);
	/* The age is that of the oldest one. */
	ck_assert_int_gt(second.undurable_ns, first.undurable_ns);
	ck_assert_int_eq(bat_sync(store, NULL), 0);
	assert_now(2, 2, 2, 2, 2);
	ck_assert_int_eq(append(), 0);
	fail_sync = EIO;
	ck_assert_int_eq(bat_sync(store, NULL), BAT_STATE_STOPPED);
	assert_now(3, 3, 2, 3, 3);
}
END_TEST

START_TEST(a_store_that_is_opened_is_durable_as_it_is)
{
	struct bat_frontier frontier;
	struct bat_head head;
	struct bat_row row;

	ck_assert_int_eq(append(), 0);
	open_again(); /* 2 is CLOSE */
	assert_now(2, 2, 2, 2, 2);
	bat_head(store, &head);
	ck_assert(bat_row(store, head.last, &row));
	bat_frontier(store, &frontier);
	for (unsigned i = 0; i < BAT_FRONTIER_COUNT; i++) {
		ck_assert(bat_id_equal(&frontier.points[i].id, &row.id));
		ck_assert_uint_eq(frontier.points[i].wall_ms, row.wall_ms);
	}
}
END_TEST

START_TEST(a_follower_knows_what_is_written_and_what_it_shows)
{
	struct bat_options read_only = { .read_only = true };
	struct bat_frontier frontier;
	struct bat_store *follower;

	ck_assert_int_eq(append(), 0);
	follower = stores_open_with(&dir, &read_only);
	bat_frontier(follower, &frontier);
	assert_points(&frontier, -1, 1, -1, 1, -1);
	for (unsigned i = 0; i < BAT_FRONTIER_COUNT; i++) {
		ck_assert(bat_frontier_knows(store, i));
		ck_assert(bat_frontier_knows(follower, i) ==
		    (i == BAT_FRONTIER_WRITTEN || i == BAT_FRONTIER_VISIBLE));
	}
	stores_close(follower);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("frontier");
	TCase *tcase = tcase_create("points");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, each_step_of_a_group_moves_its_points);
	tcase_add_test(tcase, what_is_visible_is_emitted_when_it_is_answered);
	tcase_add_test(tcase,
	    what_a_failed_sync_leaves_is_written_and_not_durable);
	tcase_add_test(tcase, what_was_not_written_is_taken_back);
	tcase_add_test(tcase, with_durability_fsync_durable_waits_for_a_sync);
	tcase_add_test(tcase, a_store_that_is_opened_is_durable_as_it_is);
	tcase_add_test(tcase,
	    a_follower_knows_what_is_written_and_what_it_shows);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
