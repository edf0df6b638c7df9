/*
 * A store when memory or the disk fails in the middle of opening, reading,
 * following and appending: the call says so, whoever only reads changes
 * nothing, and what was acknowledged is there.
 */
#include "scarce.h"
#include "stores.h"
#include "suite.h"

static const char *const shapes[] = { "chains", "both-index", "hidden",
	"compaction-pending", "bad-crc" };
enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

static struct memory_disk *
ground_of(const char *shape)
{
	struct memory_disk *disk;
	struct temp_dir dir;

	stores_golden(&dir, shape);
	disk = scarce_ground(&dir);
	temp_dir_remove(&dir);
	return disk;
}

/* ---- reading ---------------------------------------------------------- */

static int
read_rows(struct bat_store *store, struct bat_error *error)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_head head;
	int code = BAT_OK;

	bat_head(store, &head);
	/* Hidden events are not found, and damaged ones are damaged. */
	for (uint32_t i = 0; code == BAT_OK && i < head.ordinals; i++) {
		code = bat_read(store, i, &reading, error);
		if (code == BAT_STATE_NOT_FOUND || code == BAT_DATA_CORRUPT)
			code = BAT_OK;
	}
	bat_reading_free(&reading);
	return code;
}

static int
walk_chains(struct bat_store *store, struct bat_error *error)
{
	uint32_t ordinals[16];
	struct bat_head head;
	int code = bat_trace(store, error);

	bat_head(store, &head);
	for (uint32_t i = 0; code == BAT_OK && i < head.ordinals; i++) {
		for (int kind = BAT_LIST_CHAIN;
		     kind <= (int)BAT_LIST_CONSEQUENCES; kind++) {
			struct bat_list list = { .kind =
						     (enum bat_list_kind)kind,
				.event = i,
				.before = head.ordinals };
			struct bat_list_stat stat;
			uint64_t cursor = 0;

			(void)bat_list_stat(store, &list, &stat);
			while (bat_list_next(store, &list, &cursor, ordinals,
				   16) > 0)
				;
		}
	}
	return code;
}

static int
take_pin(struct bat_store *store, struct bat_error *error)
{
	struct bat_pin *pin = NULL;
	int code = bat_take_pin(store, NULL, &pin, error);

	if (code == BAT_OK)
		bat_pin_release(pin);
	return code;
}

static int
read_all(void *context, const struct bat_disk *disk, struct bat_error *error)
{
	struct bat_store *store;
	int code = bat_open(SCARCE_PATH,
	    &(struct bat_options){ .read_only = true, .disk = disk }, &store,
	    error);

	(void)context;
	if (code != BAT_OK)
		return code;
	code = read_rows(store, error);
	if (code == BAT_OK)
		code = walk_chains(store, error);
	if (code == BAT_OK)
		code = take_pin(store, error);
	(void)bat_close(store, NULL);
	return code;
}

START_TEST(who_only_reads_is_told_what_failed_and_changes_nothing)
{
	struct memory_disk *ground = ground_of(shapes[_i]);
	struct scarce_work work = { .name = shapes[_i],
		.ground = ground,
		.run = read_all,
		.only_reads = true };
	struct bat_error error = { .text = "" };

	ck_assert_msg(read_all(NULL, memory_disk_door(ground), &error) == 0,
	    "%s", error.text);
	scarce_memory(&work);
	scarce_disk(&work);
	memory_disk_free(ground);
}
END_TEST

/* ---- writing, and who follows ------------------------------------------ */

enum { APPENDS = 6 };

struct deeds {
	struct bat_id ids[APPENDS];
	unsigned acknowledged;
	struct bat_gates gates;
};

static int
append_one(struct bat_store *store, struct deeds *deeds,
    struct bat_error *error)
{
	struct bat_draft draft = stores_draft("e:x", "s:x", "\xa1x");
	struct bat_receipt receipt;
	struct bat_batch batch = { .drafts = &draft,
		.count = 1,
		.receipts = &receipt };
	int code = bat_append(store, &batch);

	if (code == BAT_OK)
		deeds->ids[deeds->acknowledged++] = receipt.id;
	else
		*error = batch.error;
	return code;
}

/* Each time it is asked 200 ms have passed: whoever follows looks each time. */
static int64_t
ticks_us(void *context)
{
	return INT64_C(1767225600000000) + (*(int64_t *)context += 200000);
}

static int64_t
ticks_ns(void *context)
{
	return (*(int64_t *)context += 200000) * 1000;
}

static int
follow(struct bat_store *reader, struct bat_error *error)
{
	(void)bat_refresh(reader);
	return read_rows(reader, error);
}

static int
write_and_follow(struct bat_store *store, struct bat_store *reader,
    struct deeds *deeds, struct bat_error *error)
{
	struct bat_compacted compacted;
	int code = BAT_OK;

	for (int i = 0; code == BAT_OK && i < APPENDS; i++) {
		code = append_one(store, deeds, error);
		if (code == BAT_OK)
			code = follow(reader, error);
		if (code == BAT_OK && i == 2)
			code = bat_checkpoint(store, error);
		if (code == BAT_OK && i == 4)
			code = bat_compact(store, false, &compacted, error);
	}
	return code;
}

static int
live(void *context, const struct bat_disk *disk, struct bat_error *error)
{
	struct deeds *deeds = context;
	struct bat_store *store, *reader = NULL;
	int64_t ticks = 0;
	const struct bat_clock clock = { ticks_us, ticks_ns, &ticks };
	int code, closed;

	deeds->acknowledged = 0;
	code = bat_open(SCARCE_PATH,
	    &(struct bat_options){ .disk = disk,
		.gates = deeds->gates,
		.segment_max_bytes = 3000 },
	    &store, error);
	if (code != BAT_OK)
		return code;
	code = bat_open(SCARCE_PATH,
	    &(struct bat_options){ .read_only = true,
		.disk = disk,
		.clock = &clock },
	    &reader, error);
	if (code == BAT_OK)
		code = write_and_follow(store, reader, deeds, error);
	if (reader != NULL)
		(void)bat_close(reader, NULL);
	closed = bat_close(store, error);
	return code == BAT_OK ? closed : code;
}

static void
acknowledged_is_there(void *context, struct memory_disk *disk, int code,
    const char *label)
{
	struct bat_error error = { .text = "" };
	const struct deeds *deeds = context;
	struct bat_verify_counts counts;
	struct bat_store *store;

	(void)code;
	ck_assert_msg(
	    bat_open(SCARCE_PATH,
		&(struct bat_options){ .disk = memory_disk_door(disk) }, &store,
		&error) == 0,
	    "%s: %s", label, error.text);
	for (unsigned i = 0; i < deeds->acknowledged; i++)
		ck_assert_msg(bat_find_id(store, &deeds->ids[i]) !=
			BAT_MAP_NONE,
		    "%s: event %u was acknowledged", label, i);
	stores_append(store, "e:x", "\xa1y");
	stores_close(store);
	ck_assert_msg(bat_verify_directory(memory_disk_door(disk), SCARCE_PATH,
			  NULL, &counts, &error) == 0,
	    "%s: %s", label, error.text);
}

START_TEST(what_was_acknowledged_is_there_whatever_failed_next)
{
	static const char *const grounds[] = { "both-index", "reopened" };
	struct memory_disk *ground = ground_of(grounds[_i]);
	struct deeds deeds = { .acknowledged = 0 };
	struct scarce_work work = { .name = grounds[_i],
		.ground = ground,
		.run = live,
		.context = &deeds,
		.holds = acknowledged_is_there };

	scarce_memory(&work);
	scarce_disk(&work);
	memory_disk_free(ground);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_scarce");
	TCase *tcase = tcase_create("store_scarce");

	tcase_set_timeout(tcase, 600);
	tcase_add_loop_test(tcase,
	    who_only_reads_is_told_what_failed_and_changes_nothing, 0, SHAPES);
	tcase_add_loop_test(tcase,
	    what_was_acknowledged_is_there_whatever_failed_next, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
