/*
 * The transparency log of a store when memory or the disk fails in the middle:
 * the call says so, a store is never called broken because of it, and the log
 * goes on afterwards.
 */
#include "scarce.h"
#include "stores.h"
#include "suite.h"

enum { EVENTS = 5 };

static int
append(struct bat_store *store, struct bat_error *error)
{
	struct bat_draft draft = stores_draft("e:x", "s:x", "\xa1x");
	struct bat_receipt receipt;
	struct bat_batch batch = { .drafts = &draft,
		.count = 1,
		.receipts = &receipt };
	int code = bat_append(store, &batch);

	if (code != BAT_OK)
		*error = batch.error;
	return code;
}

static int
open_with_log(const struct bat_disk *disk, struct bat_store **out,
    struct bat_error *error)
{
	return bat_open(SCARCE_PATH,
	    &(struct bat_options){ .tlog = true, .disk = disk }, out, error);
}

/* A store with a log; checkpoint is that of its first session. */
static struct memory_disk *
make_ground(struct bat_buf *checkpoint)
{
	struct memory_disk *disk = memory_disk_new(MEMORY_DISK_EXT4, 3);
	struct bat_error error = { .text = "" };
	struct bat_store *store;

	for (int session = 0; session < 2; session++) {
		ck_assert_msg(open_with_log(memory_disk_door(disk), &store,
				  &error) == 0,
		    "%s", error.text);
		for (int i = 0; i < EVENTS; i++)
			stores_append(store, "e:y", "\xa1y");
		ck_assert_int_eq(bat_attest_update(store, &error), 0);
		if (session == 0)
			ck_assert_int_eq(bat_attest_checkpoint(store,
					     checkpoint, &error),
			    0);
		stores_close(store);
	}
	return disk;
}

/* ---- asking ------------------------------------------------------------ */

static int
show(struct bat_store *store, struct bat_error *error)
{
	const struct bat_tlog_tile tile = { .level = 0, .width = 4 };
	struct bat_buf buf = BAT_BUF_EMPTY;
	int code = bat_attest_checkpoint(store, &buf, error);

	if (code == BAT_OK)
		code = bat_attest_key(store, &buf, error);
	if (code == BAT_OK)
		code = bat_attest_tile(store, &tile, &buf, error);
	bat_bytes_free(&buf);
	return code;
}

static int
prove(struct bat_store *store, const struct bat_buf *checkpoint,
    struct bat_error *error)
{
	struct bat_slice against = bat_bytes_of_buf(checkpoint);
	struct bat_buf buf = BAT_BUF_EMPTY;
	uint64_t seq = 2;
	int code = bat_attest_prove(store, &seq, BAT_SLICE_EMPTY, &buf, error);

	if (code == BAT_OK)
		code = bat_attest_prove(store, &seq, against, &buf, error);
	if (code == BAT_OK)
		code = bat_attest_prove(store, NULL, against, &buf, error);
	bat_bytes_free(&buf);
	return code;
}

/* Who has no memory cannot tell; that it is broken would be a lie. */
static int
hold_against(struct bat_store *store, const struct bat_buf *checkpoint)
{
	struct bat_attest_result result;

	bat_attest_check(store, bat_bytes_of_buf(checkpoint), BAT_SLICE_EMPTY,
	    NULL, &result);
	return result.verdict == BAT_ATTEST_BROKEN ? BAT_DATA_DISAGREES :
						     BAT_OK;
}

static int
ask(void *context, const struct bat_disk *disk, struct bat_error *error)
{
	struct bat_attest_status status;
	struct bat_store *store;
	int code = bat_open(SCARCE_PATH,
	    &(struct bat_options){ .read_only = true, .disk = disk }, &store,
	    error);

	if (code != BAT_OK)
		return code;
	bat_attest_status(store, &status);
	code = show(store, error);
	/* The events are what counts: without its log it opens too. */
	if (code == BAT_STATE_NOT_FOUND && status.state == BAT_ATTEST_HALTED)
		code = BAT_OK;
	if (code == BAT_OK)
		code = prove(store, context, error);
	if (code == BAT_OK)
		code = hold_against(store, context);
	(void)bat_close(store, NULL);
	return code;
}

START_TEST(a_log_that_does_not_fit_into_memory_is_not_called_broken)
{
	struct bat_buf checkpoint = BAT_BUF_EMPTY;
	struct memory_disk *ground = make_ground(&checkpoint);
	struct scarce_work work = { .name = "asking",
		.ground = ground,
		.run = ask,
		.context = &checkpoint,
		.only_reads = true };

	scarce_memory(&work);
	memory_disk_free(ground);
	bat_bytes_free(&checkpoint);
}
END_TEST

/* ---- going on ---------------------------------------------------------- */

static int
go_on(void *context, const struct bat_disk *disk, struct bat_error *error)
{
	struct bat_store *store;
	int code = open_with_log(disk, &store, error), closed;

	(void)context;
	if (code != BAT_OK)
		return code;
	code = append(store, error);
	if (code == BAT_OK)
		code = bat_attest_update(store, error);
	if (code == BAT_OK)
		code = append(store, error);
	closed = bat_close(store, error);
	return code == BAT_OK ? closed : code;
}

static int
renew(void *context, const struct bat_disk *disk, struct bat_error *error)
{
	char name[BAT_TLOG_ASIDE_SIZE];
	struct bat_store *store;
	int code = open_with_log(disk, &store, error), closed;

	(void)context;
	if (code != BAT_OK)
		return code;
	code = bat_attest_fits(store, error);
	if (code == BAT_OK)
		code = bat_attest_renew(store, NULL, name, error);
	if (code == BAT_OK)
		code = append(store, error);
	if (code == BAT_OK)
		code = bat_attest_update(store, error);
	closed = bat_close(store, error);
	return code == BAT_OK ? closed : code;
}

static void
the_log_goes_on(void *context, struct memory_disk *disk, int code,
    const char *label)
{
	struct bat_error error = { .text = "" };
	struct bat_attest_result result;
	struct bat_attest_status status;
	struct bat_store *store;

	(void)context;
	(void)code;
	ck_assert_msg(open_with_log(memory_disk_door(disk), &store, &error) ==
		0,
	    "%s: %s", label, error.text);
	stores_append(store, "e:z", "\xa1z");
	ck_assert_msg(bat_attest_update(store, &error) == 0, "%s: %s", label,
	    error.text);
	bat_attest_status(store, &status);
	ck_assert_msg(status.state == BAT_ATTEST_KEPT, "%s: %s", label,
	    status.why);
	bat_attest_check(store, BAT_SLICE_EMPTY, BAT_SLICE_EMPTY, NULL,
	    &result);
	ck_assert_msg(result.verdict == BAT_ATTEST_INTACT, "%s: %s", label,
	    result.text);
	stores_close(store);
}

static void
is_gone_on_with(int (*run)(void *, const struct bat_disk *, struct bat_error *),
    const char *name)
{
	struct bat_buf checkpoint = BAT_BUF_EMPTY;
	struct memory_disk *ground = make_ground(&checkpoint);
	struct scarce_work work = { .name = name,
		.ground = ground,
		.run = run,
		.holds = the_log_goes_on };

	scarce_memory(&work);
	scarce_disk(&work);
	memory_disk_free(ground);
	bat_bytes_free(&checkpoint);
}

START_TEST(a_log_that_could_not_go_on_does_so_in_the_next_session)
{
	is_gone_on_with(go_on, "going on");
}
END_TEST

START_TEST(a_log_that_could_not_be_renewed_is_one_that_goes_on)
{
	is_gone_on_with(renew, "renewing");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_attest_scarce");
	TCase *tcase = tcase_create("store_attest_scarce");

	tcase_set_timeout(tcase, 600);
	tcase_add_test(tcase,
	    a_log_that_does_not_fit_into_memory_is_not_called_broken);
	tcase_add_test(tcase,
	    a_log_that_could_not_go_on_does_so_in_the_next_session);
	tcase_add_test(tcase,
	    a_log_that_could_not_be_renewed_is_one_that_goes_on);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
