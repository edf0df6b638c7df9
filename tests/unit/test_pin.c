/*
 * Pins: a copy of a pin is the store up to that moment, whatever happens to the
 * store meanwhile.
 */
#include <check.h>
#include <errno.h>
#include <glob.h>

#include "faulty_disk.h"
#include "sample.h"
#include "segment.h"
#include "stores.h"
#include "suite.h"

static struct bat_pin *
take(struct bat_store *store, struct bat_pin *previous)
{
	struct bat_error error = { .text = "" };
	struct bat_pin *pin = NULL;
	int code = bat_take_pin(store, previous, &pin, &error);

	ck_assert_msg(code == 0, "%s: %s", bat_error_name(code), error.text);
	return pin;
}

static void
read_all(const struct bat_pin *pin, size_t file, struct bat_buf *buf)
{
	struct bat_error error = { .text = "" };

	/* In pieces, as a mount does. */
	while (buf->length < pin->files[file].size) {
		size_t before = buf->length;

		ck_assert_msg(bat_pin_read(pin, file, before, 1000, buf,
				  &error) == 0,
		    "%s", error.text);
		ck_assert_uint_gt(buf->length, before);
	}
	ck_assert_int_eq(bat_pin_read(pin, file, buf->length, 1, buf, NULL), 0);
	ck_assert_uint_eq(buf->length, pin->files[file].size);
}

/* Its files into a new directory. */
static void
copy_out(const struct bat_pin *pin, struct temp_dir *dir)
{
	temp_dir_make(dir);
	for (size_t i = 0; i < pin->count; i++) {
		struct bat_buf bytes = BAT_BUF_EMPTY;

		read_all(pin, i, &bytes);
		temp_dir_write(dir, pin->files[i].name,
		    bat_bytes_of_buf(&bytes));
		bat_bytes_free(&bytes);
	}
}

/* A copy of the pin opens for writing and shows this. */
static void
assert_restores(const struct bat_pin *pin, const struct bat_buf *wanted,
    const char *what)
{
	struct bat_buf got = BAT_BUF_EMPTY;
	struct temp_dir copy;

	copy_out(pin, &copy);
	stores_picture(&copy, PICTURE_WHOLE, &got);
	stores_assert_same(&got, wanted, what);
	bat_bytes_free(&got);
	temp_dir_remove(&copy);
}

static size_t
file_of(const struct bat_pin *pin, const char *name)
{
	for (size_t i = 0; i < pin->count; i++)
		if (strcmp(pin->files[i].name, name) == 0)
			return i;
	return SIZE_MAX;
}

/* ---- what is in it ------------------------------------------------------- */

START_TEST(a_copy_of_a_pin_of_any_golden_store_shows_the_same_events)
{
	glob_t stores;

	ck_assert_int_eq(glob(TEST_DATA "/golden/*/store", 0, NULL, &stores),
	    0);
	for (size_t i = 0; i < stores.gl_pathc; i++) {
		struct bat_buf wanted = BAT_BUF_EMPTY;
		struct bat_store *store;
		struct bat_pin *pin;
		struct temp_dir dir;
		struct bat_head head;

		temp_dir_make(&dir);
		temp_dir_fill(&dir, stores.gl_pathv[i]);
		store = stores_open(&dir, true);
		pin = take(store, NULL);
		bat_head(store, &head);
		picture_of(store, PICTURE_WHOLE, &wanted);
		assert_restores(pin, &wanted, stores.gl_pathv[i]);
		ck_assert_uint_eq(pin->visible_count, head.visible_count);
		ck_assert_uint_eq(pin->visible_count + pin->hidden_count,
		    head.ordinals);
		if (head.visible_count > 0)
			ck_assert_uint_eq(pin->last_seq, head.last_seq);
		bat_bytes_free(&wanted);
		bat_pin_release(pin);
		stores_close(store);
		temp_dir_remove(&dir);
	}
	ck_assert_uint_gt(stores.gl_pathc, 20);
	globfree(&stores);
}
END_TEST

START_TEST(locks_markers_and_our_own_files_are_left_out)
{
	struct bat_store *store;
	struct bat_pin *pin;
	struct temp_dir dir;

	stores_golden(&dir, "compaction-pending");
	store = stores_open(&dir, false);
	pin = take(store, NULL);
	for (size_t i = 0; i < pin->count; i++) {
		enum bat_pin_kind kind;
		uint64_t segment;

		ck_assert(bat_pin_of_name(bat_bytes_text(pin->files[i].name),
		    &kind, &segment));
		ck_assert_int_eq(kind, pin->files[i].kind);
		ck_assert_uint_eq(segment, pin->files[i].segment);
	}
	ck_assert_uint_gt(pin->count, 1);
	bat_pin_release(pin);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(an_index_file_that_is_not_believed_is_left_out)
{
	struct bat_store *store;
	struct bat_pin *pin;
	struct temp_dir dir;

	stores_golden(&dir, "idempotent"); /* its index lacks a frame */
	ck_assert(temp_dir_has(&dir, "index.fbati") ||
	    temp_dir_has(&dir, "index.ckpt"));
	store = stores_open(&dir, false);
	pin = take(store, NULL);
	ck_assert_uint_eq(file_of(pin, "index.fbati"), SIZE_MAX);
	ck_assert_uint_eq(file_of(pin, "index.ckpt"), SIZE_MAX);
	bat_pin_release(pin);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_torn_tail_is_left_out_before_and_after_it_is_cut)
{
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct bat_pin *pin, *later;
	struct temp_dir dir;

	stores_golden(&dir, "zero-tail");
	store = stores_open(&dir, false);
	pin = take(store, NULL);
	read_all(pin, 0, &before);
	ck_assert_uint_ne(before.data[before.length - 1], 0);
	stores_append(store, "e:x", "\x01"); /* now it is cut */
	later = take(store, pin);
	ck_assert_ptr_ne(later, pin);
	ck_assert_uint_eq(later->files[0].size, pin->files[0].size);
	read_all(later, 0, &after);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&before),
	    bat_bytes_of_buf(&after)));
	bat_bytes_free(&before);
	bat_bytes_free(&after);
	bat_pin_release(pin);
	bat_pin_release(later);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(an_empty_store_has_a_pin_without_files)
{
	struct bat_store *store;
	struct bat_pin *pin;
	struct temp_dir dir;

	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	pin = take(store, NULL);
	ck_assert_uint_eq(pin->count, 0);
	ck_assert_uint_eq(pin->visible_count, 0);
	bat_pin_release(pin);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* ---- what happens meanwhile ---------------------------------------------- */

START_TEST(a_pin_moves_only_when_something_was_appended)
{
	struct bat_store *store;
	struct bat_pin *pin, *again, *later;
	struct temp_dir dir;

	stores_golden(&dir, "quickstart");
	store = stores_open(&dir, false);
	pin = take(store, NULL);
	again = take(store, pin);
	ck_assert_ptr_eq(again, pin);
	ck_assert(bat_pin_is_shared(pin));
	bat_pin_release(again);
	ck_assert(!bat_pin_is_shared(pin));
	stores_append(store, "e:x", "\x01");
	later = take(store, pin);
	ck_assert_ptr_ne(later, pin);
	ck_assert_uint_gt(later->last_seq, pin->last_seq);
	bat_pin_release(pin);
	bat_pin_release(later);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(appends_rotation_and_new_index_files_change_nothing_in_it)
{
	const struct bat_options small = { .segment_max_bytes = 4096 };
	struct bat_buf wanted[4] = { BAT_BUF_EMPTY };
	struct bat_pin *pins[4];
	struct bat_store *store;
	struct temp_dir dir;
	char name[BAT_SEGMENT_NAME_SIZE];

	temp_dir_make(&dir);
	store = stores_open_with(&dir, &small);
	for (unsigned i = 0; i < 4; i++) {
		for (unsigned j = 0; j < 30 * i; j++)
			stores_append(store, j % 2 ? "e:odd" : "e:even",
			    "\x93\x01\x02\x03");
		if (i == 2)
			ck_assert_int_eq(bat_checkpoint(store, NULL), 0);
		pins[i] = take(store, i > 0 ? pins[i - 1] : NULL);
		picture_of(store, PICTURE_WHOLE, &wanted[i]);
	}
	ck_assert_uint_gt(pins[3]->count, pins[1]->count + 2);
	/* Of the second checkpoint nothing shows in the pin of the first. */
	ck_assert_uint_ne(file_of(pins[2], "index.ckpt"), SIZE_MAX);
	ck_assert_int_eq(bat_checkpoint(store, NULL), 0);
	/* A compaction takes the files away. */
	for (uint64_t id = 1; id <= pins[3]->end.segment; id++) {
		bat_segment_name(id, name);
		temp_dir_unlink(&dir, name);
	}
	ck_assert_uint_eq(pins[0]->count, 0);
	for (unsigned i = 0; i < 4; i++) {
		if (i > 0)
			assert_restores(pins[i], &wanted[i], "a pin of before");
		bat_bytes_free(&wanted[i]);
		bat_pin_release(pins[i]);
	}
	(void)bat_close(store, NULL); /* its directory is in ruins */
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(its_frames_are_the_same_bytes_as_those_on_the_disk)
{
	struct bat_buf pinned = BAT_BUF_EMPTY, file = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct bat_pin *pin;
	struct temp_dir dir;

	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	for (unsigned i = 0; i < 10; i++)
		stores_append(store, "e:x", "\x01");
	pin = take(store, NULL);
	for (unsigned i = 0; i < 10; i++)
		stores_append(store, "e:x", "\x02");
	read_all(pin, 0, &pinned);
	temp_dir_read(&dir, "000001.fbat", &file);
	ck_assert_uint_lt(pinned.length, file.length);
	ck_assert_mem_eq(pinned.data, file.data, pinned.length);
	ck_assert_uint_eq(pin->end.offset, pinned.length);
	bat_bytes_free(&pinned);
	bat_bytes_free(&file);
	bat_pin_release(pin);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(what_is_visible_and_not_on_disk_is_not_in_it)
{
	const struct bat_options lazy = { .durability = BAT_DURABLE_FSYNC };
	struct bat_buf wanted = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct bat_pin *pin, *later;
	struct temp_dir dir;

	stores_golden(&dir, "quickstart");
	store = stores_open_with(&dir, &lazy);
	stores_append(store, "e:x", "\x01");
	ck_assert_int_eq(bat_sync(store, NULL), 0);
	picture_of(store, PICTURE_WHOLE, &wanted);
	stores_append(store, "e:x", "\x02"); /* the same segment */
	pin = take(store, NULL);
	assert_restores(pin, &wanted, "before the sync");
	ck_assert_int_eq(bat_sync(store, NULL), 0);
	later = take(store, pin);
	bat_bytes_clear(&wanted);
	picture_of(store, PICTURE_WHOLE, &wanted);
	assert_restores(later, &wanted, "behind the sync");
	bat_bytes_free(&wanted);
	bat_pin_release(pin);
	bat_pin_release(later);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* ---- checksums ----------------------------------------------------------- */

START_TEST(checksums_are_those_of_sha256sum)
{
	/* FIPS 180-2, appendix B.1. */
	static const uint8_t abc[] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf,
		0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0,
		0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff,
		0x61, 0xf2, 0x00, 0x15, 0xad };
	struct bat_buf bytes = BAT_BUF_EMPTY;
	uint8_t whole[BAT_PIN_SHA256_SIZE], file[BAT_PIN_SHA256_SIZE];
	struct bat_store *store;
	struct bat_pin *pin;
	struct temp_dir dir;

	bat_pin_sha256_of(bat_bytes_text("abc"), whole);
	ck_assert_mem_eq(whole, abc, sizeof(abc));
	stores_golden(&dir, "quickstart");
	store = stores_open(&dir, true);
	pin = take(store, NULL);
	read_all(pin, 0, &bytes);
	bat_pin_sha256_of(bat_bytes_of_buf(&bytes), whole);
	ck_assert_int_eq(bat_pin_sha256(pin, 0, file, NULL), 0);
	ck_assert_mem_eq(whole, file, sizeof(file));
	bat_bytes_free(&bytes);
	bat_pin_release(pin);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_segment_that_grew_has_another_checksum)
{
	struct bat_buf bytes = BAT_BUF_EMPTY;
	uint8_t sum[BAT_PIN_SHA256_SIZE], wanted[BAT_PIN_SHA256_SIZE];
	struct bat_store *store;
	struct bat_pin *pin, *later;
	struct temp_dir dir;

	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	stores_append(store, "e:x", "\x01");
	pin = take(store, NULL);
	ck_assert_int_eq(bat_pin_sha256(pin, 0, sum, NULL), 0);
	stores_append(store, "e:x", "\x02");
	later = take(store, pin);
	ck_assert_int_eq(bat_pin_sha256(later, 0, sum, NULL), 0);
	read_all(later, 0, &bytes);
	bat_pin_sha256_of(bat_bytes_of_buf(&bytes), wanted);
	ck_assert_mem_eq(sum, wanted, sizeof(sum));
	bat_bytes_free(&bytes);
	bat_pin_release(pin);
	bat_pin_release(later);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(the_next_pin_reads_only_what_changed_for_its_checksums)
{
	uint8_t sum[BAT_PIN_SHA256_SIZE], again[BAT_PIN_SHA256_SIZE];
	struct faulty_disk faulty;
	struct bat_options options = { .disk = &faulty.disk };
	struct bat_store *store;
	struct bat_pin *pin, *later;
	struct temp_dir dir;

	faulty_disk_init(&faulty, bat_file_posix());
	stores_golden(&dir, "quickstart");
	store = stores_open_with(&dir, &options);
	pin = take(store, NULL);
	ck_assert_int_eq(bat_pin_sha256(pin, 0, sum, NULL), 0);
	stores_append(store, "e:x", "\x01");
	later = take(store, pin);
	faulty_disk_reset(&faulty);
	ck_assert_int_eq(bat_pin_sha256(later, 0, again, NULL), 0);
	ck_assert_uint_eq(faulty_disk_calls(&faulty, FAULTY_READ), 0);
	ck_assert_mem_eq(sum, again, sizeof(sum));
	ck_assert_int_eq(bat_pin_sha256(later, 1, again, NULL), 0);
	ck_assert_uint_gt(faulty_disk_calls(&faulty, FAULTY_READ), 0);
	bat_pin_release(pin);
	bat_pin_release(later);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* ---- failures ------------------------------------------------------------ */

START_TEST(whatever_fails_there_is_no_pin_or_a_whole_one)
{
	struct faulty_disk faulty;
	struct bat_options options = { .disk = &faulty.disk };
	static const enum faulty_operation operations[] = { FAULTY_OPEN,
		FAULTY_STAT };
	struct bat_store *store;
	struct temp_dir dir;

	faulty_disk_init(&faulty, bat_file_posix());
	stores_golden(&dir, "many-segments");
	store = stores_open_with(&dir, &options);
	for (size_t i = 0; i < 2; i++) {
		for (unsigned n = 1;; n++) {
			struct bat_error error = { .text = "" };
			struct bat_pin *pin;

			faulty_disk_reset(&faulty);
			faulty_disk_fail(&faulty, operations[i], n, EIO, false);
			if (bat_take_pin(store, NULL, &pin, &error) == 0) {
				bat_pin_release(pin);
				ck_assert_uint_gt(n, 1);
				break;
			}
			ck_assert_str_ne(error.text, "");
		}
	}
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_file_that_somebody_cut_is_an_error_and_not_zeros)
{
	struct bat_buf bytes = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct bat_pin *pin;
	struct temp_dir dir;

	stores_golden(&dir, "quickstart");
	store = stores_open(&dir, true);
	pin = take(store, NULL);
	temp_dir_truncate(&dir, pin->files[0].name, 100);
	ck_assert_int_eq(bat_pin_read(pin, 0, 0, SIZE_MAX, &bytes, NULL),
	    BAT_DATA_CORRUPT);
	bat_bytes_free(&bytes);
	bat_pin_release(pin);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pin");
	TCase *content = tcase_create("content");
	TCase *meanwhile = tcase_create("meanwhile");
	TCase *sums = tcase_create("checksums");
	TCase *failures = tcase_create("failures");

	tcase_set_timeout(content, 60);
	tcase_add_test(content,
	    a_copy_of_a_pin_of_any_golden_store_shows_the_same_events);
	tcase_add_test(content, locks_markers_and_our_own_files_are_left_out);
	tcase_add_test(content, an_index_file_that_is_not_believed_is_left_out);
	tcase_add_test(content,
	    a_torn_tail_is_left_out_before_and_after_it_is_cut);
	tcase_add_test(content, an_empty_store_has_a_pin_without_files);
	suite_add_tcase(suite, content);
	tcase_set_timeout(meanwhile, 60);
	tcase_add_test(meanwhile, a_pin_moves_only_when_something_was_appended);
	tcase_add_test(meanwhile,
	    appends_rotation_and_new_index_files_change_nothing_in_it);
	tcase_add_test(meanwhile,
	    its_frames_are_the_same_bytes_as_those_on_the_disk);
	tcase_add_test(meanwhile, what_is_visible_and_not_on_disk_is_not_in_it);
	suite_add_tcase(suite, meanwhile);
	tcase_add_test(sums, checksums_are_those_of_sha256sum);
	tcase_add_test(sums, a_segment_that_grew_has_another_checksum);
	tcase_add_test(sums,
	    the_next_pin_reads_only_what_changed_for_its_checksums);
	suite_add_tcase(suite, sums);
	tcase_add_test(failures, whatever_fails_there_is_no_pin_or_a_whole_one);
	tcase_add_test(failures,
	    a_file_that_somebody_cut_is_an_error_and_not_zeros);
	suite_add_tcase(suite, failures);
	return suite_run(suite);
}
