#include "proof.h"

#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "stores.h"

#include "sample.h"
#include "suite.h"

static struct temp_dir dir;

static struct bat_buf
prove(int wanted, const atomic_bool *stop)
{
	struct bat_buf report = BAT_BUF_EMPTY;
	struct bat_error error = { .text = "" };
	int code = batfs_proof_directory(dir.path, false, stop, NULL, &report,
	    &error);

	ck_assert_msg(code == wanted, "%s: %s: %.*s", bat_error_name(code),
	    error.text, (int)report.length, (const char *)report.data);
	ck_assert_int_eq(bat_bytes_append_byte(&report, '\0'), 0);
	return report;
}

/* One byte of a segment's frames, somewhere in its middle. */
static void
damage(void)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	temp_dir_read(&dir, "000001.fbat", &file);
	file.data[file.length / 3] ^= 0x40;
	temp_dir_write(&dir, "000001.fbat", bat_bytes_of_buf(&file));
	bat_bytes_free(&file);
}

START_TEST(an_intact_directory_is_proved_in_numbers)
{
	struct bat_buf report;

	stores_golden(&dir, "quickstart");
	report = prove(0, NULL);
	ck_assert_msg(strncmp((const char *)report.data, "ok ", 3) == 0 &&
		strstr((const char *)report.data,
		    " chains; headers: crc only\n") != NULL,
	    "%s", (const char *)report.data);
	bat_bytes_free(&report);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(the_first_break_stands_first)
{
	struct bat_buf report;

	stores_golden(&dir, "quickstart");
	damage();
	report = prove(BAT_DATA_CORRUPT, NULL);
	ck_assert_msg(strncmp((const char *)report.data, "broken: ", 8) == 0,
	    "%s", (const char *)report.data);
	ck_assert_ptr_nonnull(
	    strstr((const char *)report.data, "\nbroken frame segment 1 "));
	bat_bytes_free(&report);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(it_can_be_told_to_stop)
{
	atomic_bool stop = true;
	struct bat_buf report;

	stores_golden(&dir, "quickstart");
	report = prove(BAT_END, &stop);
	ck_assert_uint_eq(report.length, 1);
	bat_bytes_free(&report);
	temp_dir_remove(&dir);
}
END_TEST

static glob_t shapes;

/* Whatever batpak left there, the chain of each entity holds, but for what is
 * damaged: that is named. */
START_TEST(each_entity_of_a_golden_store_is_proved)
{
	const char *shape = strrchr(shapes.gl_pathv[_i], '/') + 1;
	struct bat_buf report = BAT_BUF_EMPTY;
	struct bat_error error = { .text = "" };
	struct bat_store *store;
	uint32_t entity;

	stores_golden(&dir, shape);
	store = stores_open(&dir, true);
	for (uint32_t i = 0; (entity = bat_entity_at(store, i)) != BAT_MAP_NONE;
	     i++) {
		int code = batfs_proof_entity(store, bat_name(store, entity),
		    NULL, &report, &error);

		ck_assert_msg(code == 0, "%s: %.*s: %s: %s", shape,
		    (int)bat_name(store, entity).length,
		    (const char *)bat_name(store, entity).data,
		    bat_error_name(code), error.text);
		ck_assert(memcmp(report.data, "ok ", 3) == 0);
		bat_bytes_clear(&report);
	}
	ck_assert_int_eq(batfs_proof_entity(store, bat_bytes_text("no:body"),
			     NULL, &report, &error),
	    BAT_STATE_NOT_FOUND);
	bat_bytes_free(&report);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_damaged_event_of_an_entity_is_named)
{
	struct bat_buf report = BAT_BUF_EMPTY;
	struct bat_store *store;
	unsigned broken = 0;
	uint32_t entity;

	stores_golden(&dir, "quickstart");
	damage();
	store = stores_open(&dir, true);
	for (uint32_t i = 0; (entity = bat_entity_at(store, i)) != BAT_MAP_NONE;
	     i++) {
		int code = batfs_proof_entity(store, bat_name(store, entity),
		    NULL, &report, NULL);

		broken += code == BAT_DATA_CORRUPT;
		ck_assert(code == 0 || code == BAT_DATA_CORRUPT);
		ck_assert(memcmp(report.data, code == 0 ? "ok " : "broken: ",
			      code == 0 ? 3 : 8) == 0);
		bat_bytes_clear(&report);
	}
	ck_assert_uint_gt(broken, 0);
	bat_bytes_free(&report);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* More events than are proved at once; then the last of them is damaged. */
START_TEST(a_long_chain_is_proved_to_its_end)
{
	struct bat_draft drafts[STORES_BATCH_MAX];
	struct bat_buf report = BAT_BUF_EMPTY, file = BAT_BUF_EMPTY;
	struct bat_slice entity = bat_bytes_text("player:alice");
	struct bat_receipt receipts[STORES_BATCH_MAX];
	struct bat_store *store;
	struct bat_row row;

	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	for (size_t i = 0; i < STORES_BATCH_MAX; i++)
		drafts[i] = stores_draft("player:alice", "room:1", "\xa5hello");
	for (size_t i = 0; i < 20; i++)
		ck_assert_int_eq(stores_append_batch(store, drafts,
				     STORES_BATCH_MAX, receipts, NULL),
		    0);
	ck_assert_int_eq(batfs_proof_entity(store, entity, NULL, &report, NULL),
	    0);
	ck_assert_int_eq(bat_bytes_append_byte(&report, '\0'), 0);
	ck_assert_str_eq((const char *)report.data,
	    "ok 1280 payloads, 1 chains; headers: crc only\n");
	ck_assert(bat_row(store,
	    bat_find_id(store, &receipts[STORES_BATCH_MAX - 1].id), &row));
	stores_close(store);
	temp_dir_read(&dir, "000001.fbat", &file);
	file.data[row.offset + row.length - 9] ^= 1;
	temp_dir_write(&dir, "000001.fbat", bat_bytes_of_buf(&file));
	bat_bytes_clear(&report);
	store = stores_open(&dir, true);
	ck_assert_int_eq(batfs_proof_entity(store, entity, NULL, &report, NULL),
	    BAT_DATA_CORRUPT);
	bat_bytes_free(&report);
	bat_bytes_free(&file);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* ---- jobs ---------------------------------------------------------------- */

static atomic_int done_count;

static void
count_done(void *context)
{
	(void)context;
	atomic_fetch_add(&done_count, 1);
}

START_TEST(a_job_answers_when_it_is_done)
{
	struct batfs_proof_job *job;
	struct bat_slice report;
	struct bat_error error;
	int code;

	stores_golden(&dir, "quickstart");
	ck_assert_int_eq(batfs_proof_start(NULL, dir.path, BAT_SLICE_EMPTY,
			     count_done, NULL, &job),
	    0);
	while ((code = batfs_proof_answer(job, &report, &error)) == BAT_END)
		usleep(1000);
	ck_assert_int_eq(code, 0);
	ck_assert(memcmp(report.data, "ok ", 3) == 0);
	batfs_proof_free(job);
	ck_assert_int_eq(atomic_load(&done_count), 1);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_job_may_be_given_up)
{
	struct batfs_proof_job *job;

	stores_golden(&dir, "many-segments");
	ck_assert_int_eq(batfs_proof_start(NULL, dir.path, BAT_SLICE_EMPTY,
			     count_done, NULL, &job),
	    0);
	batfs_proof_free(job);
	ck_assert_int_eq(atomic_load(&done_count), 1);
	temp_dir_remove(&dir);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("proof");
	TCase *tests = tcase_create("proof");
	int result;

	if (glob(TEST_DATA "/golden/*", GLOB_ONLYDIR, NULL, &shapes) != 0)
		return EXIT_FAILURE;
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, an_intact_directory_is_proved_in_numbers);
	tcase_add_test(tests, the_first_break_stands_first);
	tcase_add_test(tests, it_can_be_told_to_stop);
	tcase_add_loop_test(tests, each_entity_of_a_golden_store_is_proved, 0,
	    (int)shapes.gl_pathc);
	tcase_add_test(tests, a_damaged_event_of_an_entity_is_named);
	tcase_add_test(tests, a_long_chain_is_proved_to_its_end);
	tcase_add_test(tests, a_job_answers_when_it_is_done);
	tcase_add_test(tests, a_job_may_be_given_up);
	suite_add_tcase(suite, tests);
	result = suite_run(suite);
	globfree(&shapes);
	return result;
}
