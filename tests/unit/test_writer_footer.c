/*
 * The footer that a session leaves: made from the index and the frames when the
 * segment is sealed, or not at all.
 */
#include <check.h>
#include <errno.h>

#include "fake_clock.h"
#include "faulty_disk.h"
#include "store_internal.h"
#include "stores.h"
#include "suite.h"
#include "verify.h"

static struct temp_dir dir;
static struct faulty_disk disk;
static struct fake_clock clock_;
static struct bat_store *store;

static void
setup(void)
{
	struct bat_options options = { .segment_max_bytes = 20000,
		.index = BAT_INDEX_NONE };

	temp_dir_make(&dir);
	faulty_disk_init(&disk, bat_file_posix());
	fake_clock_init(&clock_, FAKE_CLOCK_START_US, 1000);
	options.disk = &disk.disk;
	options.clock = &clock_.clock;
	store = stores_open_with(&dir, &options);
}

static void
teardown(void)
{
	temp_dir_remove(&dir);
}

/* Names that come again, causes, several in a batch, lanes. */
static void
append_many(size_t batches)
{
	static const char *const entities[] = { "a", "player:b", "c" };
	static const char *const scopes[] = { "room:1", "a" };

	for (size_t i = 0; i < batches; i++) {
		struct bat_draft drafts[3];

		for (size_t j = 0; j < 3; j++) {
			drafts[j] = stores_draft(entities[(i + j) % 3],
			    scopes[i % 2], "\xa1x");
			drafts[j].lane = (uint32_t)j;
			drafts[j].depth = (uint32_t)i;
			if (j > 0)
				drafts[j].cause = BAT_CAUSE_LAST;
			/* A new entity has no last. */
			if (i < 3)
				drafts[j].cause = BAT_CAUSE_NONE;
		}
		ck_assert_int_eq(stores_append_batch(store, drafts, 1 + i % 3,
				     NULL, NULL),
		    0);
	}
}

/* The verifier compares footers with frames, row by row. */
static struct bat_verify_counts
verify(void)
{
	struct bat_verify_counts counts;
	struct bat_error error = { .text = "" };
	int code = bat_verify_directory(bat_file_posix(), dir.path, NULL,
	    &counts, &error);

	ck_assert_msg(code == 0, "%s", error.text);
	return counts;
}

START_TEST(each_segment_of_a_session_has_a_footer_that_says_what_its_frames_say)
{
	struct bat_verify_counts counts;

	append_many(60);
	stores_close(store);
	counts = verify();
	ck_assert_uint_ge(counts.segments, 3);
	ck_assert_uint_eq(counts.footers, counts.segments);
	ck_assert_uint_eq(counts.footer_rows, counts.events);
	/* OPEN, and CLOSE. */
	ck_assert_uint_eq(counts.events, 122);
}
END_TEST

/* The last session went on behind segments of another; names have numbers of
 * their own in each footer. */
START_TEST(a_footer_has_only_the_names_and_rows_of_its_segment)
{
	struct bat_verify_counts counts;

	append_many(3);
	stores_close(store);
	store = stores_open(&dir, false);
	stores_append(store, "z", "\xa1x");
	stores_close(store);
	counts = verify();
	ck_assert_uint_eq(counts.segments, 2);
	ck_assert_uint_eq(counts.footers, 2);
	ck_assert_uint_eq(counts.footer_rows, counts.events);
}
END_TEST

/* Bytes that read as the end of a footer are a payload all the same. */
START_TEST(a_payload_that_looks_like_a_footer_is_none)
{
	struct bat_draft draft = stores_draft("a", "s", "");
	char payload[] = "\xb0"
			 "\x31\0\0\0\0\0\0\0"
			 "\0\0\0\0"
			 "SDX2";
	struct bat_verify_counts counts;

	draft.payload = bat_bytes_slice(payload, sizeof(payload) - 1);
	ck_assert_int_eq(stores_append_batch(store, &draft, 1, NULL, NULL), 0);
	stores_close(store);
	counts = verify();
	ck_assert_uint_eq(counts.footers, 1);
	ck_assert_uint_eq(counts.footer_rows, 3);
}
END_TEST

START_TEST(a_segment_that_cannot_be_read_back_is_sealed_without_a_footer)
{
	struct bat_verify_counts counts;

	append_many(4);
	/* For good: whatever is read at the end fails. */
	faulty_disk_fail(&disk, FAULTY_READ, 1, EIO, true);
	stores_close(store);
	faulty_disk_reset(&disk);
	counts = verify();
	ck_assert_uint_eq(counts.segments, 1);
	ck_assert_uint_eq(counts.footers, 0);
	ck_assert_uint_eq(counts.noted, 0);
	ck_assert_uint_eq(counts.events, 9);
}
END_TEST

/* An index that is not of these frames makes none. */
START_TEST(where_index_and_frames_disagree_there_is_no_footer)
{
	struct bat_verify_counts counts;

	append_many(4);
	bat_index_hot_at(store->writer.index, 3)->id.bytes[0] ^= 1;
	stores_close(store);
	counts = verify();
	ck_assert_uint_eq(counts.footers, 0);
	/* Nor a part of one. */
	ck_assert_uint_eq(counts.noted, 0);
	ck_assert_uint_eq(counts.events, 9);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("writer_footer");
	TCase *promises = tcase_create("promises");

	suite_add_tcase(suite, promises);
	tcase_add_checked_fixture(promises, setup, teardown);
	tcase_add_test(promises,
	    each_segment_of_a_session_has_a_footer_that_says_what_its_frames_say);
	tcase_add_test(promises,
	    a_footer_has_only_the_names_and_rows_of_its_segment);
	tcase_add_test(promises, a_payload_that_looks_like_a_footer_is_none);
	tcase_add_test(promises,
	    a_segment_that_cannot_be_read_back_is_sealed_without_a_footer);
	tcase_add_test(promises,
	    where_index_and_frames_disagree_there_is_no_footer);
	return suite_run(suite);
}
