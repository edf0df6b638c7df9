/*
 * A session that appended leaves files that are too young to be believed: the
 * sidecar covers what stands before them.
 */
#include <check.h>

#include "blockfile.h"
#include "segment.h"
#include "sidecar.h"
#include "sidecar_store.h"
#include "suite.h"

/* ---- a disk on which all is old, but for some segments -------------------- */

/* These have a ctime of an hour from now. */
static uint64_t young_from, young_to;
static uint64_t segment_reads;
static int segment_fds[64];
static size_t segment_fd_count;

static int
aging_stat_at(void *context, int dir, const char *name,
    struct bat_file_stat *out)
{
	int code = bat_file_posix()->stat_at(context, dir, name, out);
	uint64_t id;

	if (code == 0 && bat_segment_id_of_name(name, &id) &&
	    id >= young_from && id < young_to)
		out->ctime_ns += INT64_C(3600000000000);
	return code;
}

static int
aging_open_at(void *context, int dir, const char *name, int flags,
    unsigned mode)
{
	int fd = bat_file_posix()->open_at(context, dir, name, flags, mode);
	uint64_t id;

	if (fd >= 0 && bat_segment_id_of_name(name, &id) &&
	    segment_fd_count < 64)
		segment_fds[segment_fd_count++] = fd;
	return fd;
}

static ssize_t
aging_read_at(void *context, int fd, void *to, size_t length, uint64_t offset)
{
	for (size_t i = 0; i < segment_fd_count; i++)
		if (segment_fds[i] == fd) {
			segment_reads++;
			break;
		}
	return bat_file_posix()->read_at(context, fd, to, length, offset);
}

static struct bat_disk aging;

static void
set_up(void)
{
	aging = *bat_file_posix();
	aging.stat_at = aging_stat_at;
	aging.open_at = aging_open_at;
	aging.read_at = aging_read_at;
	store_disk = &aging;
	young_from = young_to = UINT64_MAX;
}

static uint64_t
next_segment(const struct temp_dir *dir)
{
	char name[BAT_SEGMENT_NAME_SIZE];
	uint64_t id = 0;

	do
		bat_segment_name(++id, name);
	while (temp_dir_has(dir, name));
	return id;
}

static void
drop_sidecar(const struct temp_dir *dir)
{
	char path[512];

	path_of(dir, ".batfs/cache/index", path);
	ck_assert_int_eq(unlink(path), 0);
}

static struct bat_status
status_of(const struct temp_dir *dir)
{
	struct bat_store *store = stores_open_with(dir,
	    &(struct bat_options){ .read_only = true, .disk = store_disk });
	struct bat_status status;

	bat_status(store, &status);
	stores_close(store);
	return status;
}

static uint32_t
rows_of(const struct temp_dir *dir)
{
	struct bat_status status = status_of(dir);

	return (uint32_t)(status.restored_count + status.tail_count);
}

/* Open, append what is wanted into segments that stay young, close. */
static void
append_young(const struct temp_dir *dir,
    void (*append)(struct bat_store *store))
{
	struct bat_store *store;

	young_from = next_segment(dir);
	store = open_later(dir);
	append(store);
	stores_close(store);
}

/* ---- what the session appends -------------------------------------------- */

static void
append_known(struct bat_store *store)
{
	append_some(store, EVENTS, BATCH);
}

static void
append_new_names(struct bat_store *store)
{
	for (unsigned i = 0; i < 3; i++) {
		(void)stores_append(store, "e:new", "\xa1x");
		(void)stores_append(store, "e:newer", "\xa1y");
	}
}

/* Entities that had one scope have two: their first member gets a list. */
static void
append_new_pairs(struct bat_store *store)
{
	(void)stores_append(store, "e:1", "\xa1x");
	(void)stores_append(store, "e:1", "\xa1y");
	(void)stores_append(store, "e:139", "\xa1z");
	append_some(store, EVENTS, BATCH);
}

static void
append_refused(struct bat_store *store)
{
	struct bat_draft drafts[2] = {
		stores_draft("e:before", "s:before", "\xa1x"),
		stores_draft("", "", "\xa1x"),
	};

	ck_assert_int_lt(stores_append_batch(store, drafts, 2, NULL, NULL), 0);
	append_new_names(store);
}

static void
append_segments(struct bat_store *store)
{
	append_some(store, EVENTS, EVENTS);
}

/* ---- promises ------------------------------------------------------------ */

START_TEST(a_session_that_appended_leaves_one_of_what_was_there_before)
{
	static void (*const sessions[])(struct bat_store * store) = {
		append_known,
		append_new_names,
		append_new_pairs,
		append_refused,
		append_segments,
	};
	struct bat_status status;
	struct temp_dir dir;
	uint32_t before;

	set_up();
	make_store(&dir);
	before = rows_of(&dir);
	drop_sidecar(&dir);
	append_young(&dir, sessions[_i]);
	ck_assert(has_sidecar(&dir));
	status = status_of(&dir);
	ck_assert_int_eq(status.source, BAT_SOURCE_SIDECAR);
	ck_assert_uint_eq(status.restored_count, before);
	assert_same_without(&dir, "behind what has come to rest");
	temp_dir_remove(&dir);
}
END_TEST

/* Written again on the base of an older one, whose lists have grown. */
START_TEST(sessions_that_each_append_leave_a_short_tail)
{
	struct temp_dir dir;
	uint32_t before;

	set_up();
	make_store(&dir);
	for (unsigned i = 0; i < 4; i++) {
		before = rows_of(&dir);
		append_young(&dir,
		    i % 2 == 0 ? append_segments : append_new_pairs);
		/* What it did not cover is less than would be worth it, and
		 * what is young. */
		ck_assert_uint_ge(status_of(&dir).restored_count + 1024,
		    before - before / 32);
		ck_assert(uses_sidecar(&dir));
	}
	assert_same_without(&dir, "after many sessions");
	temp_dir_remove(&dir);
}
END_TEST

/* Old ones behind a young one are not the first of the directory. */
START_TEST(it_ends_at_the_first_segment_that_is_young)
{
	struct bat_status status;
	struct temp_dir dir;
	struct bat_row row;
	struct bat_store *store;
	struct bat_head head;

	set_up();
	temp_dir_make(&dir);
	store = open_later(&dir);
	append_some(store, 0, 2 * EVENTS);
	stores_close(store);
	drop_sidecar(&dir);
	/* It speaks of all of them (the next test). */
	stores_without_index(&dir);
	young_from = next_segment(&dir) - 2;
	young_to = young_from + 1;
	stores_close(open_later(&dir));
	status = status_of(&dir);
	ck_assert_int_eq(status.source, BAT_SOURCE_SIDECAR);
	ck_assert_uint_ge(status.restored_count, 4096);
	store = stores_open_with(&dir,
	    &(struct bat_options){ .read_only = true, .disk = store_disk });
	bat_head(store, &head);
	ck_assert(bat_row(store, (uint32_t)status.restored_count, &row));
	ck_assert_uint_eq(row.segment, young_from);
	stores_close(store);
	assert_same_without(&dir, "a young one in the midst");
	temp_dir_remove(&dir);
}
END_TEST

/* Of an index file that speaks of events which the sidecar does not cover it
 * could not say how far it goes. */
START_TEST(none_is_written_when_the_index_file_reaches_further)
{
	struct bat_store *store;
	struct temp_dir dir;

	set_up();
	make_store(&dir);
	drop_sidecar(&dir);
	young_from = next_segment(&dir);
	store = open_later(&dir);
	append_new_names(store);
	ck_assert_int_eq(bat_checkpoint(store, NULL), 0);
	append_new_names(store);
	stores_close(store);
	ck_assert(!has_sidecar(&dir));
	young_from = UINT64_MAX;
	stores_close(open_later(&dir));
	ck_assert(uses_sidecar(&dir));
	assert_same_without(&dir, "behind an index file");
	temp_dir_remove(&dir);
}
END_TEST

/* Footers do not tell of extensions; frames were asked when the session ended
 * that left the sidecar. */
START_TEST(the_end_of_a_session_reads_no_frames_of_earlier_ones)
{
	struct bat_store *store;
	struct temp_dir dir;

	set_up();
	make_store(&dir);
	store = open_later(&dir);
	append_some(store, EVENTS, 2048);
	stores_close(store);
	/* From footers, and then from the sidecar that it leaves. */
	drop_sidecar(&dir);
	stores_close(open_later(&dir));
	ck_assert_uint_ge(status_of(&dir).uncovered_count, 2048);
	append_young(&dir, append_new_names);
	store = open_later(&dir);
	append_new_names(store);
	segment_reads = 0;
	stores_close(store);
	ck_assert_uint_le(segment_reads, 64);
	temp_dir_remove(&dir);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sidecar_settled");
	TCase *settled = tcase_create("settled");

	suite_add_tcase(suite, settled);
	tcase_set_timeout(settled, 240);
	tcase_add_loop_test(settled,
	    a_session_that_appended_leaves_one_of_what_was_there_before, 0, 5);
	tcase_add_test(settled, sessions_that_each_append_leave_a_short_tail);
	tcase_add_test(settled, it_ends_at_the_first_segment_that_is_young);
	tcase_add_test(settled,
	    none_is_written_when_the_index_file_reaches_further);
	tcase_add_test(settled,
	    the_end_of_a_session_reads_no_frames_of_earlier_ones);
	return suite_run(suite);
}
